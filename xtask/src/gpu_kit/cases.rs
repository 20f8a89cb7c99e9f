//! The kernels of the kit: one op each, at sizes of real models, and small ones that the emulator runs too.

use serde_json::{Value, json};

/// One kernel: its graph, and what `check.py` is told about it.
pub struct Case {
    /// Name, of the artifact too.
    pub name: String,
    /// The text of the graph, whose inputs take all operands.
    pub graph: String,
    /// What stands in `kit.json`.
    pub facts: Value,
    /// Whether it is for the emulator too.
    pub small: bool,
}

/// A tensor that the case is given.
struct Port {
    name: &'static str,
    dtype: &'static str,
    shape: Vec<u64>,
    /// For ids: one more than the largest.
    below: Option<u64>,
    /// Random numbers are multiplied by this.
    factor: f64,
}

/// What an op is given and gives, and what it costs.
struct Work {
    family: &'static str,
    op: &'static str,
    dtype: &'static str,
    ports: Vec<Port>,
    /// The statements between inputs and the return of `%y`.
    body: String,
    attributes: Value,
    /// Roundings to the type of storage on the way to an element.
    roundings: u32,
    /// Terms of the longest sum.
    terms: u64,
    flops: u64,
    /// Elements of the output.
    output: u64,
    /// Bytes that are read, if not all.
    read: Option<u64>,
}

/// All cases.
pub fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    for (m, n, k, dtype) in [
        (8192, 8192, 8192, "bf16"),
        (4096, 4096, 4096, "bf16"),
        (4096, 4096, 4096, "f16"),
        // Decoding: few rows against a matrix of a 7B or 70B model.
        (1, 4096, 4096, "bf16"),
        (16, 4096, 4096, "bf16"),
        (16, 28672, 8192, "bf16"),
        (2048, 2048, 2048, "f32"),
    ] {
        let name = format!("contraction_{dtype}_{m}x{n}x{k}");
        all.push(case(name, matmul(m, n, k, dtype), false));
    }
    all.push(case(
        "contraction_gelu_f16_4096x16384x4096".into(),
        linear(4096, 16384, 4096, "f16"),
        false,
    ));
    for causal in [false, true] {
        for s in [1024, 2048, 4096, 8192, 16384] {
            // As many tokens for each length, as papers on attention measure it.
            let sizes = Heads {
                batch: 16384 / s,
                queries: 16,
                keys: 16,
                width: 128,
            };
            let word = if causal { "causal" } else { "whole" };
            let name = format!("attention_bf16_{word}_{s}");
            all.push(case(name, attention(&sizes, [s, s], causal, "bf16"), false));
        }
    }
    let grouped = Heads {
        batch: 1,
        queries: 32,
        keys: 8,
        width: 128,
    };
    all.push(case(
        "attention_bf16_grouped_causal_4096".into(),
        attention(&grouped, [4096, 4096], true, "bf16"),
        false,
    ));
    let decoding = Heads {
        batch: 16,
        ..grouped
    };
    all.push(case(
        "attention_bf16_decode_8192".into(),
        attention(&decoding, [1, 8192], false, "bf16"),
        false,
    ));
    let rows: [fn(u64, u64, &'static str) -> Work; 4] = [softmax, layer_norm, add_rms_norm, gated];
    for work in rows {
        let work = work(8192, 4096, "bf16");
        let name = format!("{}_bf16_8192x4096", work.op);
        all.push(case(name, work, false));
    }
    all.push(case(
        "column_sum_f32_8192x4096".into(),
        column_sum(8192, 4096, "f32"),
        false,
    ));
    all.push(case(
        "gather_bf16_8192_of_32000x4096".into(),
        gather(8192, 32000, 4096, "bf16"),
        false,
    ));
    small(&mut all);
    all
}

/// Each family again, with ragged edges.
fn small(all: &mut Vec<Case>) {
    let heads = Heads {
        batch: 1,
        queries: 4,
        keys: 2,
        width: 32,
    };
    for (name, work) in [
        ("contraction_f32", matmul(33, 50, 40, "f32")),
        ("contraction_bf16", matmul(65, 72, 96, "bf16")),
        ("contraction_gelu_f16", linear(33, 40, 72, "f16")),
        (
            "attention_f16_causal",
            attention(&heads, [70, 70], true, "f16"),
        ),
        (
            "attention_bf16_decode",
            attention(&heads, [1, 130], false, "bf16"),
        ),
        ("softmax_f32", softmax(9, 100, "f32")),
        ("layer_norm_f16", layer_norm(9, 72, "f16")),
        ("add_rms_norm_bf16", add_rms_norm(9, 64, "bf16")),
        ("gated_f16", gated(9, 72, "f16")),
        ("column_sum_f32", column_sum(40, 20, "f32")),
        ("gather_f16", gather(9, 50, 24, "f16")),
    ] {
        all.push(case(format!("small_{name}"), work, true));
    }
}

fn case(name: String, work: Work, small: bool) -> Case {
    let list = |shape: &[u64]| {
        let sizes: Vec<_> = shape.iter().map(u64::to_string).collect();
        format!("[{}]", sizes.join(","))
    };
    let mut graph = format!("graph \"{name}\" () {{\n");
    for p in &work.ports {
        let ty = format!("{}{}", p.dtype, list(&p.shape));
        graph += &format!(
            "  %{} = input {{name = \"{}\", ty = {ty}, absent = required, below = {}}} : {ty}\n",
            p.name,
            p.name,
            p.below.unwrap_or(0)
        );
    }
    graph += &format!("{}  return y = %y\n}}\n", work.body);
    let ports = work.ports.iter().map(|p| {
        let mut port = json!({ "name": p.name, "dtype": p.dtype, "shape": p.shape });
        match p.below {
            Some(below) => port["below"] = json!(below),
            None => port["factor"] = json!(p.factor),
        }
        port
    });
    let bytes = |p: &Port| p.shape.iter().product::<u64>() * size(p.dtype);
    let read = work
        .read
        .unwrap_or_else(|| work.ports.iter().map(bytes).sum());
    let facts = json!({
        "name": name, "artifact": format!("kernels/{name}.tw"), "family": work.family, "op": work.op,
        "dtype": work.dtype, "inputs": ports.collect::<Vec<_>>(), "attributes": work.attributes,
        "roundings": work.roundings, "terms": work.terms, "flops": work.flops,
        "bytes": read + work.output * size(work.dtype), "small": small,
    });
    Case {
        name,
        graph,
        facts,
        small,
    }
}

/// Bytes of an element.
fn size(dtype: &str) -> u64 {
    match dtype {
        "f32" => 4,
        "i64" => 8,
        _ => 2,
    }
}

fn float(name: &'static str, dtype: &'static str, shape: &[u64]) -> Port {
    Port {
        name,
        dtype,
        shape: shape.to_vec(),
        below: None,
        factor: 1.0,
    }
}

fn matmul(m: u64, n: u64, k: u64, dtype: &'static str) -> Work {
    Work {
        family: "contraction",
        op: "matmul",
        dtype,
        ports: vec![float("x", dtype, &[m, k]), float("w", dtype, &[k, n])],
        body: format!("  %y = matmul(%x,%w) {{ta = false, tb = false}} : {dtype}[{m},{n}]\n"),
        attributes: json!({}),
        roundings: 1,
        terms: k,
        flops: 2 * m * n * k,
        output: m * n,
        read: None,
    }
}

fn linear(m: u64, n: u64, k: u64, dtype: &'static str) -> Work {
    let mut w = float("w", dtype, &[n, k]);
    // Sums of about 1, where gelu bends.
    w.factor = 1.0 / (k as f64).sqrt();
    Work {
        family: "contraction",
        op: "linear_gelu",
        dtype,
        ports: vec![float("x", dtype, &[m, k]), w, float("c", dtype, &[n])],
        body: format!(
            "  %y = linear(%x,%w,%c) {{act = gelu, bias = true, residual = false, tb = true}} : {dtype}[{m},{n}]\n"
        ),
        attributes: json!({}),
        roundings: 3,
        terms: k,
        flops: 2 * m * n * k,
        output: m * n,
        read: None,
    }
}

/// Heads of attention, and their width.
#[derive(Clone, Copy)]
struct Heads {
    batch: u64,
    queries: u64,
    keys: u64,
    width: u64,
}

fn attention(heads: &Heads, [s, t]: [u64; 2], causal: bool, dtype: &'static str) -> Work {
    let Heads {
        batch: b,
        queries: h,
        keys: g,
        width: d,
    } = *heads;
    let scale = 1.0 / (d as f64).sqrt();
    // Half of the scores are left out; the usual count of papers on attention.
    let flops = 4 * b * h * s * t * d / if causal { 2 } else { 1 };
    Work {
        family: "attention",
        op: "attention",
        dtype,
        ports: vec![
            float("q", dtype, &[b, h, s, d]),
            float("k", dtype, &[b, g, t, d]),
            float("v", dtype, &[b, g, t, d]),
        ],
        body: format!(
            "  %y = attention(%q,%k,%v) {{alibi = false, causal = {causal}, mask = false, scale = {scale:?}, \
             softcap = 0.0, window = 0}} : {dtype}[{b},{h},{s},{d}]\n"
        ),
        attributes: json!({ "causal": causal, "scale": scale }),
        roundings: 3,
        terms: t,
        flops,
        output: b * h * s * d,
        read: None,
    }
}

/// An op on rows, whose other operands are as long as a row or as large as the first.
fn rows(
    op: &'static str,
    family: &'static str,
    dtype: &'static str,
    shape: [u64; 2],
    ports: Vec<Port>,
    body: String,
) -> Work {
    let count = shape[0] * shape[1];
    Work {
        family,
        op,
        dtype,
        ports,
        body,
        attributes: json!({ "eps": 1e-5 }),
        roundings: 4,
        terms: shape[1],
        flops: 8 * count,
        output: count,
        read: None,
    }
}

fn softmax(m: u64, n: u64, dtype: &'static str) -> Work {
    let body = format!("  %y = softmax(%x) {{axis = 1}} : {dtype}[{m},{n}]\n");
    let ports = vec![float("x", dtype, &[m, n])];
    rows("softmax", "rows", dtype, [m, n], ports, body)
}

fn layer_norm(m: u64, n: u64, dtype: &'static str) -> Work {
    let body = format!("  %y = layer_norm(%x,%g,%h) {{eps = 0.00001}} : {dtype}[{m},{n}]\n");
    let ports = vec![
        float("x", dtype, &[m, n]),
        float("g", dtype, &[n]),
        float("h", dtype, &[n]),
    ];
    rows("layer_norm", "rows", dtype, [m, n], ports, body)
}

fn add_rms_norm(m: u64, n: u64, dtype: &'static str) -> Work {
    let body = format!(
        "  %z = add(%x,%r) : {dtype}[{m},{n}]\n  %y = rms_norm(%z,%g) {{eps = 0.00001}} : {dtype}[{m},{n}]\n"
    );
    let ports = vec![
        float("x", dtype, &[m, n]),
        float("r", dtype, &[m, n]),
        float("g", dtype, &[n]),
    ];
    rows("add_rms_norm", "rows", dtype, [m, n], ports, body)
}

fn gated(m: u64, n: u64, dtype: &'static str) -> Work {
    let body =
        format!("  %s = silu(%x) : {dtype}[{m},{n}]\n  %y = mul(%s,%u) : {dtype}[{m},{n}]\n");
    let ports = vec![float("x", dtype, &[m, n]), float("u", dtype, &[m, n])];
    rows("gated", "map", dtype, [m, n], ports, body)
}

fn column_sum(m: u64, n: u64, dtype: &'static str) -> Work {
    let body = format!("  %y = sum(%x) {{axes = (0), keep = false}} : {dtype}[{n}]\n");
    let mut work = rows(
        "column_sum",
        "fold",
        dtype,
        [m, n],
        vec![float("x", dtype, &[m, n])],
        body,
    );
    (work.terms, work.flops, work.output) = (m, m * n, n);
    work
}

fn gather(count: u64, rows_of_table: u64, n: u64, dtype: &'static str) -> Work {
    let ids = Port {
        name: "ids",
        dtype: "i64",
        shape: vec![count],
        below: Some(rows_of_table),
        factor: 1.0,
    };
    let table = float("table", dtype, &[rows_of_table, n]);
    let body = format!("  %y = embedding(%table,%ids) : {dtype}[{count},{n}]\n");
    let mut work = rows(
        "gather",
        "gather",
        dtype,
        [count, n],
        vec![ids, table],
        body,
    );
    (work.roundings, work.terms, work.flops) = (0, 0, 0);
    // Of the table, the rows that are looked up.
    work.read = Some(count * 8 + count * n * size(dtype));
    work
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_distinct_and_each_family_has_a_small_case() {
        let all = cases();
        let mut names: Vec<_> = all.iter().map(|c| c.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all.len());
        let families = |small: bool| {
            let mut all: Vec<_> = all
                .iter()
                .filter(|c| c.small == small)
                .map(|c| c.facts["family"].to_string())
                .collect();
            all.sort_unstable();
            all.dedup();
            all
        };
        assert_eq!(families(true), families(false));
    }

    #[test]
    fn a_case_s_text_and_facts_agree() {
        let case = case("g".into(), gather(4, 9, 16, "bf16"), false);
        assert_eq!(
            case.graph,
            "graph \"g\" () {\n  \
             %ids = input {name = \"ids\", ty = i64[4], absent = required, below = 9} : i64[4]\n  \
             %table = input {name = \"table\", ty = bf16[9,16], absent = required, below = 0} : bf16[9,16]\n  \
             %y = embedding(%table,%ids) : bf16[4,16]\n  return y = %y\n}\n"
        );
        // Ids, the rows that are read, the rows that are written.
        assert_eq!(case.facts["bytes"], 4 * 8 + 2 * 4 * 16 * 2);
    }
}
