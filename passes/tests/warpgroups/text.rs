//! Graphs of one kernel each.

pub fn input(name: &str, ty: &str) -> String {
    format!(
        "  %{name} = input {{name = \"{name}\", ty = {ty}, absent = required, below = 0}} : {ty}\n"
    )
}

fn graph(inputs: &[(&str, String)], line: &str, ty: &str) -> String {
    let inputs = inputs.iter().map(|(name, ty)| input(name, ty));
    let inputs: String = inputs.collect();
    format!("graph \"g\" {{\n{inputs}  %y = {line} : {ty}\n  return y = %y\n}}\n")
}

/// Rows, columns and depth; operands turned or not.
pub fn matmul(dtype: &str, [m, n, k]: [i64; 3], ta: bool, tb: bool) -> String {
    let sides = |turned: bool, [a, b]: [i64; 2]| {
        let [a, b] = if turned { [b, a] } else { [a, b] };
        format!("{dtype}[{a},{b}]")
    };
    graph(
        &[("x", sides(ta, [m, k])), ("w", sides(tb, [k, n]))],
        &format!("matmul(%x,%w) {{ta = {ta}, tb = {tb}}}"),
        &format!("{dtype}[{m},{n}]"),
    )
}

/// With bias, activation and residual.
pub fn linear(dtype: &str, [m, n, k]: [i64; 3], act: &str) -> String {
    graph(
        &[
            ("x", format!("{dtype}[{m},{k}]")),
            ("w", format!("{dtype}[{n},{k}]")),
            ("c", format!("{dtype}[{n}]")),
            ("r", format!("{dtype}[{m},{n}]")),
        ],
        &format!("linear(%x,%w,%c,%r) {{act = {act}, bias = true, residual = true, tb = true}}"),
        &format!("{dtype}[{m},{n}]"),
    )
}

pub fn batched(dtype: &str, [b, h]: [i64; 2], [m, n, k]: [i64; 3]) -> String {
    graph(
        &[
            ("x", format!("{dtype}[{b},{h},{m},{k}]")),
            ("w", format!("{dtype}[{b},{h},{k},{n}]")),
        ],
        "matmul(%x,%w) {ta = false, tb = false}",
        &format!("{dtype}[{b},{h},{m},{n}]"),
    )
}

fn attrs(how: &str) -> String {
    let has = |word: &str| how.split(' ').any(|w| w == word);
    let window = how.split(' ').find_map(|w| w.strip_prefix("window="));
    format!(
        "{{alibi = {}, causal = {}, mask = {}, scale = 0.25, softcap = {}, window = {}}}",
        has("alibi"),
        has("causal"),
        has("mask"),
        if has("softcap") { "1.5" } else { "0.0" },
        window.unwrap_or("0"),
    )
}

/// Batch, heads of keys, query heads of each; queries, keys, depth; and words of what is masked.
pub fn attention(
    dtype: &str,
    [b, h, g]: [i64; 3],
    [queries, keys, depth]: [i64; 3],
    how: &str,
) -> String {
    let heads = h * g;
    let q = format!("{dtype}[{b},{heads},{queries},{depth}]");
    let k = format!("{dtype}[{b},{h},{keys},{depth}]");
    let mut inputs = vec![("q", q.clone()), ("k", k.clone()), ("v", k)];
    if how.contains("mask") {
        inputs.push(("m", format!("{dtype}[{b},1,{queries},{keys}]")));
    }
    if how.contains("alibi") {
        inputs.push(("l", format!("{dtype}[{heads}]")));
    }
    let names: Vec<String> = inputs.iter().map(|(name, _)| format!("%{name}")).collect();
    let line = format!("attention({}) {}", names.join(","), attrs(how));
    graph(&inputs, &line, &q)
}

/// Queries, keys and values as one array: batch, heads, positions, depth.
pub fn fused_heads(dtype: &str, [b, h, s, d]: [i64; 4]) -> String {
    let whole = format!("{dtype}[{b},{s},{}]", 3 * h * d);
    let mut text = format!("graph \"g\" {{\n{}", input("x", &whole));
    for (i, name) in ["q", "k", "v"].into_iter().enumerate() {
        let (start, size) = (i as i64 * h * d, h * d);
        let flat = format!("{dtype}[{b},{s},{}]", h * d);
        let split = format!("{dtype}[{b},{s},{h},{d}]");
        let heads = format!("{dtype}[{b},{h},{s},{d}]");
        text += &format!(
            "  %{name}0 = slice(%x) {{axis = 2, start = [{start}], size = [{size}], step = 1}} : {flat}\n  \
             %{name}1 = reshape(%{name}0) {{shape = [{b},{s},{h},{d}]}} : {split}\n  \
             %{name} = permute(%{name}1) {{axes = (0,2,1,3)}} : {heads}\n"
        );
    }
    text += &format!(
        "  %y = attention(%q,%k,%v) {} : {dtype}[{b},{h},{s},{d}]\n  \
         %z = permute(%y) {{axes = (0,2,1,3)}} : {dtype}[{b},{s},{h},{d}]\n  return z = %z\n}}\n",
        attrs("causal")
    );
    text
}
