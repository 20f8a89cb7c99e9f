"""Writes the node cases of the package onnx (1.23.2): for each a model, its inputs and what it must give.

    python tests/onnx/cases.py FOLDER

FOLDER/NAME.onnx are the models, FOLDER/values the numbers one after the other, little endian, and FOLDER/cases.json says
of each case its operator, tolerances, and where in `values` its tensors are. A case that takes or gives something else
than tensors of the compiler's types has no values: it must be refused.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx.backend.test.case.node import collect_testcases

DTYPES = {
    "float32": "f32", "float16": "f16", "bfloat16": "bf16", "int8": "i8", "uint8": "u8",
    "int32": "i32", "int64": "i64", "bool": "bool",
}  # fmt: skip


def tensors(infos, values, file):
    """Where the values are in `file`, with their names and types; nothing where one is no tensor of numbers."""
    listed = []
    for info, value in zip(infos, values):
        if isinstance(value, onnx.TensorProto):
            value = onnx.numpy_helper.to_array(value)
        if not isinstance(value, np.ndarray | np.generic) or value.dtype.name not in DTYPES:
            return None
        value = np.asarray(value)
        at = file.tell()
        file.write(value.astype(value.dtype.newbyteorder("<")).tobytes())
        listed.append({"name": info.name, "dtype": DTYPES[value.dtype.name], "shape": value.shape, "at": at})
    return listed


def main():
    assert onnx.__version__ == "1.23.2", onnx.__version__
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    cases = sorted(collect_testcases(None), key=lambda c: c.name)
    # A function's case comes a second time, written out; it counts for the function.
    owners = {case.name: case.model.graph.node[0] for case in cases if len(case.model.graph.node) == 1}
    listed = []
    with open(folder / "values", "wb") as file:
        for case in cases:
            (folder / f"{case.name}.onnx").write_bytes(case.model.SerializeToString())
            inputs, outputs = case.data_sets[0]
            graph = case.model.graph
            given, wanted = tensors(graph.input, inputs, file), tensors(graph.output, outputs, file)
            if given is None or wanted is None:
                given = wanted = None
            owner = owners.get(case.name.split("_expanded")[0], graph.node[-1])
            operator = f"{owner.domain}.{owner.op_type}".removeprefix(".")
            row = {"name": case.name, "operator": operator, "rtol": case.rtol, "atol": case.atol}
            listed.append(row | {"inputs": given, "outputs": wanted})
    (folder / "cases.json").write_text(json.dumps(listed, indent=1))
    print(len(listed), "cases")


main()
