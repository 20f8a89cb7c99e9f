"""One runner of the side-by-side benchmark: loads a model in a peer, then runs it once per line of input.

    peer.py NAME MODEL_DIR WORK_DIR BATCH SEQ THREADS

NAME is torch, onnxruntime, openvino or export. WORK_DIR holds `input_ids.i64` and `attention_mask.i64`, little endian and
row-major, and `model.onnx` after `export`. The first result is written to `NAME.f32`; then `ready VERSION` is
printed, and for each line read one line with the seconds that a run took.
"""

import os
import sys
import time

name, model_dir, work, batch, seq, threads = sys.argv[1:4] + [int(a) for a in sys.argv[4:7]]
os.environ["OMP_NUM_THREADS"] = str(threads)

import numpy as np  # noqa: E402  (after the thread count is set)


def load(part):
    return np.fromfile(f"{work}/{part}.i64", dtype="<i8").reshape(batch, seq)


inputs = {part: load(part) for part in ("input_ids", "attention_mask")}
inputs["token_type_ids"] = np.zeros_like(inputs["input_ids"])


def torch_model():
    import torch
    import transformers

    transformers.logging.set_verbosity_error()
    torch.set_num_threads(threads)
    return torch, transformers.AutoModel.from_pretrained(model_dir, dtype=torch.float32).eval()


def run_torch():
    torch, model = torch_model()
    tensors = {k: torch.from_numpy(v) for k, v in inputs.items()}

    def run():
        with torch.inference_mode():
            return model(**tensors).last_hidden_state.numpy()

    return run, torch.__version__


def export():
    torch, model = torch_model()

    class Base(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, input_ids, attention_mask, token_type_ids):
            return self.model(input_ids, attention_mask, token_type_ids).last_hidden_state

    tensors = tuple(torch.from_numpy(v) for v in inputs.values())
    axes = {k: {0: "batch", 1: "seq"} for k in inputs}
    torch.onnx.export(
        Base(),
        tensors,
        f"{work}/model.onnx",
        input_names=list(inputs),
        output_names=["last_hidden_state"],
        dynamic_axes=axes,
        dynamo=False,
    )


def run_onnxruntime():
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = ort.InferenceSession(f"{work}/model.onnx", options, providers=["CPUExecutionProvider"])
    return lambda: session.run(None, inputs)[0], ort.__version__


def run_openvino():
    import openvino as ov

    core = ov.Core()
    model = core.read_model(f"{work}/model.onnx")
    model.reshape({k: list(v.shape) for k, v in inputs.items()})
    config = {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
    request = core.compile_model(model, "CPU", config).create_infer_request()
    return lambda: next(iter(request.infer(inputs).values())), ov.__version__


if name == "export":
    export()
    sys.exit()
run, version = {"torch": run_torch, "onnxruntime": run_onnxruntime, "openvino": run_openvino}[name]()
np.asarray(run(), dtype="<f4").tofile(f"{work}/{name}.f32")
print("ready", version, flush=True)
for _ in sys.stdin:
    begun = time.perf_counter()
    run()
    print(time.perf_counter() - begun, flush=True)
