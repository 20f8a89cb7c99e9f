"""Writes the node cases of the package onnx (1.23.2): for each a model, its inputs and what it must give.

    python tests/onnx/cases.py FOLDER

FOLDER/NAME/model.onnx, inputs.npz and outputs.npz; FOLDER/cases.json lists name, operator and tolerances.
A case whose values are no arrays (sequences, optional values, strings) has no .npz: it must be refused.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx.backend.test.case.node import collect_testcases


def arrays(infos, values):
    """Values by name, or nothing where one is no array of numbers."""
    out = {}
    for info, value in zip(infos, values):
        if isinstance(value, onnx.TensorProto):
            value = onnx.numpy_helper.to_array(value)
        if not isinstance(value, np.ndarray | np.generic) or value.dtype.kind not in "fiub":
            return None
        out[info.name] = np.asarray(value)
    return out


def main():
    assert onnx.__version__ == "1.23.2", onnx.__version__
    folder = Path(sys.argv[1])
    listed = []
    for case in sorted(collect_testcases(None), key=lambda c: c.name):
        place = folder / case.name
        place.mkdir(parents=True, exist_ok=True)
        (place / "model.onnx").write_bytes(case.model.SerializeToString())
        inputs, outputs = case.data_sets[0]
        given = arrays(case.model.graph.input, inputs)
        wanted = arrays(case.model.graph.output, outputs)
        if given is not None and wanted is not None:
            np.savez(place / "inputs.npz", **given)
            np.savez(place / "outputs.npz", **wanted)
        operator = case.name.removeprefix("test_").split("_expanded")[0]
        if len(case.model.graph.node) == 1:
            operator = case.model.graph.node[0].op_type
        listed.append({"name": case.name, "operator": operator, "rtol": case.rtol, "atol": case.atol})
    (folder / "cases.json").write_text(json.dumps(listed, indent=1))
    print(len(listed), "cases")


main()
