//! Graphs of every family of kernels, at sizes that no tile divides.

/// A graph, and the family that it is a case of.
pub struct Case {
    pub family: &'static str,
    pub text: String,
}

/// Element types that values are stored in.
const TYPES: [&str; 3] = ["f32", "f16", "bf16"];

/// All cases; with `large`, those at sizes that fill several tiles too.
pub fn all(large: bool) -> Vec<Case> {
    let mut all = vec![];
    for dtype in TYPES {
        let mut add = |family, graphs: Vec<String>| {
            all.extend(graphs.into_iter().map(|text| Case { family, text }));
        };
        add("contraction", contractions(dtype, large));
        add("skinny contraction", skinny(dtype, large));
        add("attention", attentions(dtype, large));
        add("attention decode", decodes(dtype));
        add("rows", rows(dtype, large));
        add("fold", folds(dtype));
        add("map", maps(dtype));
        add("gather", gathers(dtype));
    }
    all
}

/// A graph of some inputs, each a name and a type, and lines that end in `%y`.
fn graph(name: &str, inputs: &[(&str, String)], lines: &str) -> String {
    let inputs: String = inputs
        .iter()
        .map(|(name, ty)| {
            let below = if ty.starts_with('i') { 10 } else { 0 };
            format!(
                "  %{name} = input {{name = \"{name}\", ty = {ty}, absent = required, below = {below}}} : {ty}\n"
            )
        })
        .collect();
    format!("graph \"{name}\" {{\n{inputs}  {lines}\n  return y = %y\n}}\n")
}

fn matmul(t: &str, [m, n, k]: [i64; 3], [ta, tb]: [bool; 2]) -> String {
    let x = if ta { [k, m] } else { [m, k] };
    let w = if tb { [n, k] } else { [k, n] };
    graph(
        &format!("matmul_{t}_{m}x{n}x{k}_{ta}_{tb}"),
        &[
            ("x", format!("{t}[{},{}]", x[0], x[1])),
            ("w", format!("{t}[{},{}]", w[0], w[1])),
        ],
        &format!("%y = matmul(%x,%w) {{ta = {ta}, tb = {tb}}} : {t}[{m},{n}]"),
    )
}

fn linear(t: &str, [m, n, k]: [i64; 3]) -> String {
    graph(
        &format!("linear_{t}_{m}x{n}x{k}"),
        &[
            ("x", format!("{t}[{m},{k}]")),
            ("w", format!("{t}[{n},{k}]")),
            ("c", format!("{t}[{n}]")),
            ("r", format!("{t}[{m},{n}]")),
        ],
        &format!(
            "%y = linear(%x,%w,%c,%r) {{act = gelu, bias = true, residual = true, tb = true}} : {t}[{m},{n}]"
        ),
    )
}

/// A product of whole tiles, for programs that faults are planted in.
pub fn product(t: &str, sides: [i64; 3]) -> String {
    matmul(t, sides, [false, true])
}

/// The same with weights the other way.
pub fn turned(t: &str, sides: [i64; 3]) -> String {
    matmul(t, sides, [false, false])
}

/// An attention of whole tiles, of so many queries, keys and depth.
pub fn attended(t: &str, [queries, keys, depth]: [i64; 3]) -> String {
    attention(t, [2, 2, queries, keys, depth, depth], Kind::default())
}

/// An attention as decoders have it: query heads and key heads; queries, keys and depth.
pub fn decoded(t: &str, [heads, shared]: [i64; 2], [queries, keys, depth]: [i64; 3]) -> String {
    attention(t, [heads, shared, queries, keys, depth, depth], kinds()[1])
}

/// A normalisation of rows.
pub fn normed(t: &str, [n, d]: [i64; 2]) -> String {
    let inputs = [("x", format!("{t}[{n},{d}]")), ("g", format!("{t}[{d}]"))];
    let line = format!("%y = rms_norm(%x,%g) {{eps = 0.00001}} : {t}[{n},{d}]");
    graph("normed", &inputs, &line)
}

/// A maximum down columns.
pub fn folded(t: &str, [n, d]: [i64; 2]) -> String {
    let inputs = [("x", format!("{t}[{n},{d}]"))];
    let line = format!("%y = max(%x) {{axes = (0), keep = false}} : {t}[{d}]");
    graph("folded", &inputs, &line)
}

/// A sum of two tensors.
pub fn added(t: &str, [n, d]: [i64; 2]) -> String {
    let ty = format!("{t}[{n},{d}]");
    let inputs = [("x", ty.clone()), ("z", ty.clone())];
    graph("added", &inputs, &format!("%y = add(%x,%z) : {ty}"))
}

fn contractions(t: &str, large: bool) -> Vec<String> {
    let prologue = graph(
        &format!("prologue_{t}"),
        &[("x", format!("{t}[19,21]")), ("w", format!("{t}[21,35]"))],
        &format!(
            "%z = tanh(%x) : {t}[19,21]\n  %v = mul(%w,%w) : {t}[21,35]\n  \
             %y = matmul(%z,%v) {{ta = false, tb = false}} : {t}[19,35]"
        ),
    );
    let batched = graph(
        &format!("batched_{t}"),
        &[
            ("x", format!("{t}[2,3,17,24]")),
            ("w", format!("{t}[2,3,24,20]")),
        ],
        &format!("%y = matmul(%x,%w) {{ta = false, tb = false}} : {t}[2,3,17,20]"),
    );
    let mut all = vec![linear(t, [51, 50, 40]), prologue, batched];
    let turns = [[false, false], [false, true], [true, false], [true, true]];
    all.extend(turns.map(|turn| matmul(t, [37, 70, 48], turn)));
    if large {
        all.push(linear(t, [130, 200, 264]));
        all.extend(turns.map(|turn| matmul(t, [97, 129, 193], turn)));
    }
    all
}

fn skinny(t: &str, large: bool) -> Vec<String> {
    let mut all = vec![];
    for m in [1, 2, 3, 5, 8] {
        for tb in [true, false] {
            all.push(matmul(t, [m, 70, 200], [false, tb]));
        }
        all.push(linear(t, [m, 33, 136]));
    }
    if large {
        all.push(matmul(t, [1, 257, 1030], [false, true]));
        all.push(matmul(t, [4, 300, 640], [false, false]));
    }
    all
}

/// What a mask leaves of attention, and what is added.
#[derive(Clone, Copy, Default)]
struct Kind {
    causal: bool,
    window: i64,
    softcap: bool,
    alibi: bool,
    mask: bool,
}

/// `[heads, key heads, queries, keys, depth, columns]`
fn attention(t: &str, sizes: [i64; 6], kind: Kind) -> String {
    let [heads, key_heads, queries, keys, depth, columns] = sizes;
    let Kind {
        causal,
        window,
        softcap,
        alibi,
        mask,
    } = kind;
    let mut inputs = vec![
        ("q", format!("{t}[2,{heads},{queries},{depth}]")),
        ("k", format!("{t}[2,{key_heads},{keys},{depth}]")),
        ("v", format!("{t}[2,{key_heads},{keys},{columns}]")),
    ];
    let mut operands = "%q,%k,%v".to_owned();
    if mask {
        inputs.push(("m", format!("{t}[2,1,{queries},{keys}]")));
        operands += ",%m";
    }
    if alibi {
        inputs.push(("l", format!("{t}[{heads}]")));
        operands += ",%l";
    }
    let cap = if softcap { "1.5" } else { "0.0" };
    let name = format!(
        "attention_{t}_{heads}_{key_heads}_{queries}x{keys}x{depth}x{columns}_{causal}_{window}_{softcap}_{alibi}_{mask}"
    );
    let line = format!(
        "%y = attention({operands}) {{alibi = {alibi}, causal = {causal}, mask = {mask}, scale = 0.25, \
         softcap = {cap}, window = {window}}} : {t}[2,{heads},{queries},{columns}]"
    );
    graph(&name, &inputs, &line)
}

fn kinds() -> [Kind; 7] {
    let none = Kind::default();
    let causal = Kind {
        causal: true,
        ..none
    };
    [
        none,
        causal,
        Kind { window: 9, ..none },
        Kind {
            window: 7,
            ..causal
        },
        Kind {
            softcap: true,
            ..causal
        },
        Kind {
            alibi: true,
            ..causal
        },
        Kind { mask: true, ..none },
    ]
}

fn attentions(t: &str, large: bool) -> Vec<String> {
    let mut all: Vec<String> = kinds()
        .into_iter()
        .map(|kind| attention(t, [2, 2, 37, 37, 20, 24], kind))
        .collect();
    all.extend([kinds()[1], kinds()[6]].map(|kind| attention(t, [4, 2, 19, 41, 32, 32], kind)));
    if large {
        all.push(attention(t, [2, 1, 130, 150, 64, 72], kinds()[1]));
    }
    all
}

fn decodes(t: &str) -> Vec<String> {
    let one = kinds().map(|kind| attention(t, [4, 2, 1, 133, 24, 24], kind));
    let some = [kinds()[1], kinds()[3]].map(|kind| attention(t, [8, 2, 3, 77, 32, 40], kind));
    one.into_iter().chain(some).collect()
}

fn rows(t: &str, large: bool) -> Vec<String> {
    let mut all = vec![];
    let sizes: &[[i64; 2]] = if large {
        &[[19, 33], [3, 1300], [5, 5000]]
    } else {
        &[[19, 33], [3, 1300]]
    };
    for [n, d] in sizes {
        let full = |name: &'static str| (name, format!("{t}[{n},{d}]"));
        let gain = |name: &'static str| (name, format!("{t}[{d}]"));
        let mut add = |name: &str, inputs: &[(&str, String)], attributes: &str| {
            let operands: Vec<String> = inputs.iter().map(|(name, _)| format!("%{name}")).collect();
            let line = format!(
                "%y = {name}({}) {{{attributes}}} : {t}[{n},{d}]",
                operands.join(",")
            );
            all.push(graph(&format!("{name}_{t}_{n}x{d}"), inputs, &line));
        };
        let eps = "eps = 0.00001";
        add("softmax", &[full("x")], "axis = 1");
        add("layer_norm", &[full("x"), gain("g"), gain("h")], eps);
        add("rms_norm", &[full("x"), gain("g")], eps);
        let both = [full("x"), full("r"), gain("g"), gain("h")];
        add("add_layer_norm", &both, eps);
        add("add_rms_norm", &both[..3], eps);
    }
    all
}

fn folds(t: &str) -> Vec<String> {
    vec![
        graph(
            &format!("largest_{t}"),
            &[("x", format!("{t}[3,77,20]"))],
            &format!("%y = max(%x) {{axes = (1), keep = false}} : {t}[3,20]"),
        ),
        graph(
            &format!("pooled_{t}"),
            &[("x", format!("{t}[2,41,70]"))],
            &format!(
                "%z = exp(%x) : {t}[2,41,70]\n  %s = sum(%z) {{axes = (1), keep = false}} : {t}[2,70]\n  \
                 %y = tanh(%s) : {t}[2,70]"
            ),
        ),
    ]
}

fn maps(t: &str) -> Vec<String> {
    vec![
        graph(
            &format!("sum_{t}"),
            &[("x", format!("{t}[3,77,12]")), ("z", format!("{t}[77,12]"))],
            &format!("%y = add(%x,%z) : {t}[3,77,12]"),
        ),
        graph(
            &format!("gated_{t}"),
            &[("x", format!("{t}[13,72]")), ("z", format!("{t}[13,72]"))],
            &format!("%s = tanh(%x) : {t}[13,72]\n  %y = mul(%s,%z) : {t}[13,72]"),
        ),
        graph(
            &format!("turned_{t}"),
            &[("x", format!("{t}[3,7,40,3]"))],
            &format!(
                "%p = permute(%x) {{axes = (0,2,1,3)}} : {t}[3,40,7,3]\n  %y = exp(%p) : {t}[3,40,7,3]"
            ),
        ),
        graph(
            &format!("padded_{t}"),
            &[("x", format!("{t}[3,77]"))],
            &format!(
                "%p = pad(%x) {{hi = [0,5], lo = [1,3], value = 2.0}} : {t}[4,85]\n  %y = exp(%p) : {t}[4,85]"
            ),
        ),
    ]
}

fn gathers(t: &str) -> Vec<String> {
    vec![
        graph(
            &format!("embedded_{t}"),
            &[("i", "i64[3,7]".into()), ("w", format!("{t}[10,40]"))],
            &format!("%e = embedding(%w,%i) : {t}[3,7,40]\n  %y = tanh(%e) : {t}[3,7,40]"),
        ),
        graph(
            &format!("taken_{t}"),
            &[("i", "i32[9]".into()), ("x", format!("{t}[5,10,6]"))],
            &format!("%e = gather(%x,%i) {{axis = 1}} : {t}[5,9,6]\n  %y = neg(%e) : {t}[5,9,6]"),
        ),
    ]
}
