#!/usr/bin/env python3
"""Checks and times what tilewright compiled, on this machine's device, beside PyTorch, cuBLAS and Triton.

    ./check.py                                       everything on cuda:0; writes result.json
    ./check.py --device emulator:cuda:sm_90a --small values only, without a device
    ./check.py --only contraction --rounds 9

Needs PyTorch, and Triton for its peers; no compiler, no network. The kit's own program is `tilewright-run` beside this
file. Times are by the device's clock, after warm-up, with the caches emptied before each run, in rounds in which all take turns.
Exit codes: 0 all values within their bounds, 1 not, 2 wrong usage.
"""

import argparse
import ctypes
import json
import math
import os
import struct
import subprocess
import sys
import tempfile
import time
import zipfile
from functools import partial
from pathlib import Path

HERE = Path(__file__).resolve().parent
SCHEMA = 1
# Bytes that are cleared to empty the caches: more than the last cache of any device of today, as tilewright-run clears.
FLUSH = 256 << 20


def arguments(words):
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0], allow_abbrev=False)
    p.add_argument("--device", default="cuda:0", help="as `tilewright-run devices` lists them, or emulator:TARGET")
    p.add_argument("--kit", type=Path, default=HERE, help="the folder of the kit (default: this file's)")
    p.add_argument("--only", default="", help="cases whose name holds this")
    p.add_argument("--small", action="store_true", help="small cases only")
    p.add_argument("--rounds", type=positive, default=5, help="rounds in which all take turns (default 5)")
    p.add_argument("--runs", type=positive, default=20, help="runs of each in a round (default 20)")
    p.add_argument("--no-times", action="store_true", help="values only")
    p.add_argument("--no-peers", action="store_true", help="no times of PyTorch, cuBLAS and Triton")
    p.add_argument("--list", action="store_true", help="list the cases and end")
    p.add_argument("--output", type=Path, default=Path("result.json"), help="where the result goes (default result.json)")
    p.add_argument("--validate", type=Path, metavar="RESULT", help="check the form of a result and end")
    return p.parse_args(words)


def positive(word):
    number = int(word)
    if number < 1:
        raise argparse.ArgumentTypeError(f"wanted a number above 0, found {word}")
    return number


# Arrays, without NumPy, which the machine may lack.

WORDS = {"f32": "<f4", "f16": "<f2", "i64": "<i8", "i32": "<i4"}


def types(torch):
    return {
        "f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16, "i64": torch.int64, "i32": torch.int32,
    }


def write_npz(torch, path, arrays):
    """Writes tensors as numpy.savez does; bf16, which NumPy lacks, as float32."""
    with zipfile.ZipFile(path, "w", allowZip64=True) as out:
        for name, tensor in arrays.items():
            tensor = tensor.detach().cpu().contiguous()
            tensor = tensor.float() if tensor.dtype == torch.bfloat16 else tensor
            word = next(w for t, w in WORDS.items() if types(torch)[t] == tensor.dtype)
            shape = "".join(f"{n}," for n in tensor.shape)
            head = f"{{'descr': '{word}', 'fortran_order': False, 'shape': ({shape}), }}"
            head += " " * (63 - (10 + len(head)) % 64) + "\n"
            with out.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as file:
                file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode())
                file.write(ctypes.string_at(tensor.data_ptr(), tensor.numel() * tensor.element_size()))


def read_npz(torch, path):
    import ast

    tensors = {}
    with zipfile.ZipFile(path) as file:
        for name in file.namelist():
            data = file.read(name)
            (length,) = struct.unpack_from("<H", data, 8)
            head = ast.literal_eval(data[10 : 10 + length].decode())
            dtype = next(t for t, w in WORDS.items() if w == head["descr"])
            body = bytearray(data[10 + length :])
            tensors[name.removesuffix(".npy")] = torch.frombuffer(body, dtype=types(torch)[dtype]).reshape(head["shape"])
    return tensors


# What the cases compute. Each gives the value in float64 and the largest sum of magnitudes behind an element, by which
# rounding errors grow.


def reference(torch, case, x):
    F, op, a = torch.nn.functional, case["op"], case["attributes"]
    x = {name: t.double() if t.is_floating_point() else t for name, t in x.items()}
    if op == "matmul":
        return x["x"] @ x["w"], (x["x"].abs() @ x["w"].abs()).max()
    if op == "linear_gelu":
        y = x["x"] @ x["w"].T + x["c"]
        return F.gelu(y), (x["x"].abs() @ x["w"].abs().T + x["c"].abs()).max()
    if op == "attention":
        return attention(torch, x["q"], x["k"], x["v"], a)
    if op == "softmax":
        y = torch.softmax(x["x"], -1)
    elif op == "layer_norm":
        y = F.layer_norm(x["x"], x["x"].shape[-1:], x["g"], x["h"], a["eps"])
    elif op == "add_rms_norm":
        z = x["x"] + x["r"]
        y = z * torch.rsqrt((z * z).mean(-1, keepdim=True) + a["eps"]) * x["g"]
    elif op == "gated":
        y = F.silu(x["x"]) * x["u"]
    elif op == "gather":
        y = x["table"][x["ids"]]
    elif op == "column_sum":
        return x["x"].sum(-2), x["x"].abs().sum(-2).max()
    else:
        sys.exit(f"kit.json: no op {op}; the script is older than the kit")
    return y, y.abs().max()


def attention(torch, q, k, v, a):
    """Head by head, since a matrix of scores is large."""
    s, t = q.shape[2], k.shape[2]
    y, most = torch.empty_like(q), 0.0
    for b in range(q.shape[0]):
        for h in range(q.shape[1]):
            g = h * k.shape[1] // q.shape[1]
            for start in range(0, s, 2048):
                rows = slice(start, min(s, start + 2048))
                scores = q[b, h, rows] @ k[b, g].T * a["scale"]
                if a["causal"]:
                    place = torch.arange(s, device=q.device)[rows, None] + t - s
                    scores.masked_fill_(torch.arange(t, device=q.device)[None] > place, -math.inf)
                p = torch.softmax(scores, -1)
                y[b, h, rows] = p @ v[b, g]
                most = max(most, float((p @ v[b, g].abs()).max()))
    return y, most


def bound(case, x, magnitude, largest):
    """What rounding may do, relative to the largest value: half a unit in the last place for each rounding to the type of
    storage, one of float32 for each term of a sum, and what scores are off by in the exponent."""
    unit = {"f32": 2.0**-24, "f16": 2.0**-11, "bf16": 2.0**-8}[case["dtype"]]
    relative = case["roundings"] * unit + (case["terms"] + 8) * 2.0**-24
    if case["op"] == "attention":
        norms = [float(x[n].double().norm(dim=-1).max()) for n in ("q", "k")]
        relative += 2 * x["q"].shape[-1] * 2.0**-24 * case["attributes"]["scale"] * norms[0] * norms[1]
    return relative * float(magnitude) / max(float(largest), 1e-30)


def make_inputs(torch, case, seed):
    generator, made = torch.Generator().manual_seed(seed), {}
    for port in case["inputs"]:
        dtype, shape = types(torch)[port["dtype"]], port["shape"]
        if "below" in port:
            made[port["name"]] = torch.randint(port["below"], shape, generator=generator, dtype=dtype)
        else:
            made[port["name"]] = torch.randn(shape, generator=generator).mul_(port.get("factor", 1.0)).to(dtype)
    return made


# tilewright-run


class Failed(Exception):
    pass


def tilewright(options, *words):
    command = [str(options.kit / "tilewright-run"), *map(str, words), "--json"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise Failed(done.stderr.strip() or f"{' '.join(command)} ended with {done.returncode}")
    return json.loads(done.stdout)


def run_case(torch, options, folder, artifact, inputs):
    write_npz(torch, folder / "in.npz", inputs)
    words = ("--inputs", folder / "in.npz", "--output", folder / "out.npz", "--device", options.device)
    tilewright(options, "run", options.kit / artifact, *words)
    outputs = read_npz(torch, folder / "out.npz")
    for file in folder.iterdir():
        file.unlink()
    return outputs


def compare(found, wanted):
    """The largest difference relative to the largest value wanted; infinite where a number is none."""
    if found.shape != wanted.shape:
        raise Failed(f"wanted {list(wanted.shape)}, found {list(found.shape)}")
    error = float((found.double() - wanted).abs().max() / wanted.abs().max().clamp_min(1e-30))
    return error if math.isfinite(error) else math.inf


# Peers: by name, what makes a function that does the case's work once. Making it may fail, for want of Triton or a version.


def peers(torch, case, x):
    F, op, a = torch.nn.functional, case["op"], case["attributes"]
    x = {name: t.cuda() for name, t in x.items()}
    compiled = lambda f: torch.compile(f, mode="max-autotune-no-cudagraphs")
    named = {}
    if op == "matmul":
        named["cublas"] = lambda: lambda: torch.matmul(x["x"], x["w"])
        named["triton"] = lambda: triton_matmul(x["x"], x["w"])
    elif op == "linear_gelu":
        own = lambda x, w, c: F.gelu(F.linear(x, w, c))
        named["cublas"] = lambda: lambda: own(x["x"], x["w"], x["c"])
        named["triton"] = lambda: partial(compiled(own), x["x"], x["w"], x["c"])
    elif op == "attention":
        more = dict(is_causal=a["causal"] and x["q"].shape[2] > 1, scale=a["scale"])
        if x["q"].shape[1] != x["k"].shape[1]:
            more["enable_gqa"] = True
        from torch.nn.attention import SDPBackend, sdpa_kernel

        def by(backend):
            def run():
                with sdpa_kernel(backend):
                    return F.scaled_dot_product_attention(x["q"], x["k"], x["v"], **more)
            return run

        for backend in ("FLASH_ATTENTION", "CUDNN_ATTENTION", "EFFICIENT_ATTENTION"):
            if hasattr(SDPBackend, backend):
                named[f"torch_{backend.split('_')[0].lower()}"] = partial(by, getattr(SDPBackend, backend))
        if not a["causal"] or x["q"].shape[2] == x["k"].shape[2]:
            named["triton"] = lambda: flex_attention(torch, x, a)
    else:
        eager, words = {
            "softmax": (lambda x: torch.softmax(x, -1), ("x",)),
            "layer_norm": (lambda x, g, h: F.layer_norm(x, x.shape[-1:], g, h, a["eps"]), ("x", "g", "h")),
            "add_rms_norm": (lambda x, r, g: F.rms_norm(x + r, x.shape[-1:], g, a["eps"]), ("x", "r", "g")),
            "gated": (lambda x, u: F.silu(x) * u, ("x", "u")),
            "gather": (lambda ids, table: F.embedding(ids, table), ("ids", "table")),
            "column_sum": (lambda x: x.sum(-2), ("x",)),
        }[op]
        given = [x[w] for w in words]
        named["torch"] = lambda: partial(eager, *given)
        named["triton"] = lambda: partial(compiled(eager), *given)
    return named


def flex_attention(torch, x, a):
    from torch.nn.attention.flex_attention import create_block_mask, flex_attention as flex

    compiled, mask = torch.compile(flex, mode="max-autotune-no-cudagraphs"), None
    if a["causal"]:
        s, t = x["q"].shape[2], x["k"].shape[2]
        mask = create_block_mask(lambda b, h, i, j: i >= j, None, None, s, t, device="cuda")
    more = dict(block_mask=mask, scale=a["scale"], enable_gqa=x["q"].shape[1] != x["k"].shape[1])
    return lambda: compiled(x["q"], x["k"], x["v"], **more)


def triton_matmul(x, w):
    import triton_kernels  # beside this file: Triton reads kernels from source

    return triton_kernels.matmul(x, w)


def recorded(torch, work):
    """The same work as a CUDA graph, as tilewright's is, so that no time waits for Python; after it tuned and compiled itself."""
    for _ in range(3):
        work()
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    try:
        with torch.cuda.graph(graph):
            work()
    except RuntimeError:  # what cannot be recorded is called
        torch.cuda.synchronize()
        return work
    return graph.replay


def device_times(torch, work, runs, flush):
    """Seconds of each run by the device's clock; all are given before the first ends."""
    events = [[torch.cuda.Event(enable_timing=True) for _ in range(2)] for _ in range(runs)]
    for first, last in events:
        flush.zero_()
        first.record()
        work()
        last.record()
    torch.cuda.synchronize()
    return [first.elapsed_time(last) / 1e3 for first, last in events]


def time_case(torch, options, case, inputs):
    """Rounds of all, in turns. A peer that refuses is named with what it said."""
    times, refusals, works = {"tilewright": []}, {}, {}
    on_cuda = options.device.startswith("cuda") and torch.cuda.is_available()
    # Whole models have no peer here: the machine need not have transformers.
    if on_cuda and not options.no_peers and "op" in case:
        flush = torch.empty(FLUSH, dtype=torch.uint8, device="cuda")
        for name, make in peers(torch, case, inputs).items():
            try:
                works[name] = recorded(torch, make())
                device_times(torch, works[name], 5, flush)
                times[name] = []
            except Exception as error:  # whatever a peer lacks or does not take
                refusals[name] = last_line(error)
                works.pop(name, None)
    for _ in range(options.rounds):
        artifact, words = options.kit / case["artifact"], ("--runs", options.runs, "--device", options.device)
        ours = tilewright(options, "bench", artifact, *words)
        clock = "device" if "device_min_s" in ours else "host"
        prefix = "device_" if clock == "device" else ""
        times["tilewright"].append((ours[f"{prefix}min_s"], ours[f"{prefix}median_s"]))
        for name, work in works.items():
            all_ = sorted(device_times(torch, work, options.runs, flush))
            times[name].append((all_[0], all_[len(all_) // 2]))
    table = {}
    for name, rounds in times.items():
        medians = sorted(median for _, median in rounds)
        table[name] = {
            "min_s": min(least for least, _ in rounds), "median_s": medians[len(medians) // 2],
            "rounds": len(rounds), "runs": options.runs,
        }
    return {"clock": clock, "times": table, "refusals": refusals}


def last_line(error):
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[-1][:300]


# The work


def check_kernels(torch, options, kit, folder):
    results = []
    for at, case in enumerate(kit["cases"]):
        if options.only not in case["name"] or (options.small and not case["small"]):
            continue
        line = {k: case[k] for k in ("name", "family", "op", "dtype", "flops", "bytes")}
        try:
            inputs = make_inputs(torch, case, seed=at)
            found = run_case(torch, options, folder, case["artifact"], inputs)["y"]
            place = "cuda" if torch.cuda.is_available() and not case["small"] else "cpu"
            given = {n: t.to(place) for n, t in inputs.items()}
            wanted, magnitude = reference(torch, case, given)
            error = compare(found.to(place), wanted)
            line |= {"error": error, "bound": bound(case, given, magnitude, wanted.abs().max())}
            line["ok"] = error <= line["bound"]
            del given, wanted
            if not options.no_times and not case["small"]:
                line |= time_case(torch, options, case, inputs)
        except Failed as failure:
            line |= {"ok": False, "failure": str(failure)}
        results.append(line)
        print(words_of(line), flush=True)
    return results


def check_models(torch, options, kit, folder):
    results = []
    for model in kit["models"]:
        if options.only not in model["name"] or (options.small and not model["small"]):
            continue
        line, errors = {"name": model["name"], "dtype": model["dtype"], "bound": model["bound"]}, []
        try:
            for case in json.loads((options.kit / model["cases"]).read_text()):
                tensor = lambda a, dtype: torch.tensor(a["values"], dtype=dtype).reshape(a["shape"])
                inputs = {n: tensor(a, torch.int64) for n, a in case["inputs"].items()}
                found = run_case(torch, options, folder, model["artifact"], inputs)
                for name, array in case["outputs"].items():
                    wanted, keep = tensor(array, torch.float64), inputs.get("attention_mask")
                    error = (found[name].double() - wanted).abs()
                    if keep is not None and wanted.dim() == 3:
                        error, wanted = error[keep != 0], wanted[keep != 0]
                    error = float(error.max() / wanted.abs().max())
                    errors.append(error if math.isfinite(error) else math.inf)
            line |= {"error": max(errors), "ok": max(errors) <= model["bound"]}
            if not options.no_times and not model["small"]:
                line |= time_case(torch, options, model, {})
        except Failed as failure:
            line |= {"ok": False, "failure": str(failure)}
        results.append(line)
        print(words_of(line), flush=True)
    return results


def words_of(line):
    if "failure" in line:
        return f"FAILED   {line['name']}: {line['failure']}"
    text = f"{'ok' if line['ok'] else 'DIFFERS':8} {line['name']:42} error {line['error']:.1e}, bound {line['bound']:.1e}"
    times = line.get("times", {})
    if times:
        own = times["tilewright"]["median_s"]
        text += f"; {own * 1e6:.1f} us"
        if line.get("flops"):
            text += f", {line['flops'] / own / 1e12:.1f} TFLOP/s"
        text += "".join(f"; {t['median_s'] / own:.2f} of {name}" for name, t in times.items() if name != "tilewright")
    return text


def facts(torch, options):
    """Where this ran."""
    devices = tilewright(options, "devices")
    listed = next((d for d in devices["devices"] if d["device"] == options.device), {"device": options.device})
    versions = {"torch": torch.__version__, "cuda_of_torch": torch.version.cuda}
    try:
        import triton

        versions["triton"] = triton.__version__
    except ImportError:
        versions["triton"] = None
    return listed, versions


REQUIRED = {"schema": int, "kit": str, "device": dict, "versions": dict, "unix_time": int, "kernels": list, "models": list}


def wrong(result):
    """What of a result is not as its readers expect; empty if all is."""
    found = [f"{k}: wanted {t.__name__}" for k, t in REQUIRED.items() if not isinstance(result.get(k), t)]
    if found:
        return found
    if result["schema"] != SCHEMA:
        found.append(f"schema: wanted {SCHEMA}, found {result['schema']}")
    for line in result["kernels"] + result["models"]:
        name = line.get("name", "?")
        if not isinstance(line.get("ok"), bool):
            found.append(f"{name}: wanted ok")
        if "failure" not in line and not all(isinstance(line.get(k), float) for k in ("error", "bound")):
            found.append(f"{name}: wanted error and bound")
        for peer, times in line.get("times", {}).items():
            if not (0 < times["min_s"] <= times["median_s"] and times["rounds"] > 0 and times["runs"] > 0):
                found.append(f"{name}: times of {peer}")
    return found


def main(words):
    options = arguments(words)
    if options.validate:
        found = wrong(json.loads(options.validate.read_text()))
        print("\n".join(found) or "the form is right")
        return 1 if found else 0
    try:
        kit = json.loads((options.kit / "kit.json").read_text())
    except OSError as error:
        print(f"check.py: {error}; help: --kit names the folder that `cargo xtask gpu-kit` made", file=sys.stderr)
        return 2
    if options.list:
        for case in kit["cases"] + kit["models"]:
            print(f"{case['name']:42} {case.get('family', 'model'):12} {'small' if case['small'] else ''}")
        return 0
    try:
        import torch
    except ImportError:
        print("check.py: references are computed with PyTorch, which this Python lacks", file=sys.stderr)
        return 2
    if options.device.startswith("emulator"):
        options.no_times = True
    sys.path.insert(0, str(options.kit))
    packed = options.kit / "artifacts.zip"
    if packed.exists() and not (options.kit / "kernels").is_dir():
        print(f"unpacking {packed}", flush=True)
        with zipfile.ZipFile(packed) as archive:
            archive.extractall(options.kit)
    try:
        device, versions = facts(torch, options)
    except (Failed, OSError) as error:
        print(f"check.py: {error}", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder:
        result = {
            "schema": SCHEMA, "kit": kit["kit"], "device": device, "versions": versions, "unix_time": int(time.time()),
            "kernels": check_kernels(torch, options, kit, Path(folder)),
            "models": check_models(torch, options, kit, Path(folder)),
        }
    result["failed"] = sum(not line["ok"] for line in result["kernels"] + result["models"])
    found = wrong(result)
    assert not found, found
    unfinished = options.output.with_suffix(".partial")
    unfinished.write_text(json.dumps(result, indent=1) + "\n")
    os.replace(unfinished, options.output)
    count = len(result["kernels"]) + len(result["models"])
    print(f"{count} cases, {result['failed']} failed; {options.output}")
    return 1 if result["failed"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
