use super::{parse, parse_type};

const GRAPH: &str = r#"graph "g" (batch in 1..64, seq in 1..512) {
  %0 = input {absent = required, below = 30522, name = "ids", ty = i64[batch,seq]} : i64[batch,seq]
  %1 = weight {name = "a \"quoted\" \\ name", ty = f32[384,1152]} : f32[384,1152]
  %2 = constant {ty = f32[], value = 1e-5} : f32[]
  %3 = input {absent = zeros, below = 0, name = "x", ty = f32[batch,seq,384]} : f32[batch,seq,384]
  %4 = matmul(%3,%1) {ta = false, tb = false} : f32[batch,seq,1152]
  %5 = mul(%4,%2) : f32[batch,seq,1152]
  %6 = gelu(%5) : f32[batch,seq,1152]
  %7 = reshape(%6) {shape = [1152*batch*seq]} : f32[1152*batch*seq]
  %8 = max(%6) {axes = (0,2), keep = true} : f32[1,seq,1]
  %9 = constant {ty = f32[], value = -inf} : f32[]
  return hidden = %6, "a b" = %8
}
"#;

#[test]
fn what_is_printed_parses_back() {
    let graph = parse(GRAPH).unwrap();
    assert_eq!(graph.to_string(), GRAPH);
    assert_eq!(parse(&graph.to_string()).unwrap(), graph);
    assert_eq!(
        parse("graph \"\" {}").unwrap().to_string(),
        "graph \"\" {\n}\n"
    );
}

#[test]
fn names_spaces_and_comments_are_free() {
    let text = "graph \"g\" ( n in 0..8 ) { // sizes\n\n%the_input=input{ty=f32[2*n+-1],name=\"x\",
        below=0,absent=ones}: f32 [ -1 + n*2 ] %y = exp ( %the_input ) : f32[2*n+-1] return y=%y }";
    let graph = parse(text).unwrap();
    assert_eq!(graph.nodes().len(), 2);
    assert_eq!(parse(&graph.to_string()).unwrap(), graph);
}

#[test]
fn a_type_reads_alone() {
    let ty = parse_type("f32[batch,2*seq,3]").unwrap();
    assert_eq!(ty.to_string(), "f32[batch,2*seq,3]");
    assert_eq!(
        parse_type("f32[3").unwrap_err().to_string(),
        "line 1, column 6: wanted `,` or `]`, found the end of the text"
    );
}

#[test]
fn errors_name_the_place_and_what_fits() {
    let check = |body: &str, wanted: &str| {
        let text = format!(
            "graph \"g\" (n in 1..9) {{\n\
             %x = input {{absent = required, below = 0, name = \"x\", ty = f32[n]}} : f32[n]\n\
             {body}\n}}"
        );
        assert_eq!(parse(&text).unwrap_err().to_string(), wanted, "{text}");
    };
    check(
        "%y = exp(%x) : f32[n",
        "line 4, column 1: wanted `,` or `]`, found `}`",
    );
    check(
        "%y = exp(%x) : f32[m]",
        "line 3, column 16: wanted a size that the graph declares, found `m`",
    );
    check(
        "%y = exp(%x) : f16[n]",
        "line 3, column 16: this value has the type f32[n], found f16[n]",
    );
    check(
        "%y = exp(%z) : f32[n]",
        "line 3, column 10: no line before defines `%z`",
    );
    check(
        "%y = esp(%x) : f32[n]",
        "line 3, column 6: no op is named `esp`",
    );
    check(
        "%y = exp(%x, %x) : f32[n]",
        "line 3, column 6: exp: wanted 1 operands, found 2",
    );
    check(
        "%y = exp(%x) {a = 1} : f32[n]",
        "line 3, column 6: exp: it has no attribute `a`",
    );
    check(
        "%y = cast(%x) : f32[n]",
        "line 3, column 6: cast: attribute `dtype` is missing",
    );
    check(
        "%y = exp(%x) : fp32[n]",
        "line 3, column 16: wanted an element type (f32, f16, bf16, i8, u8, i32, i64, bool), found `fp32`",
    );
    check(
        "%x = exp(%x) : f32[n]",
        "line 3, column 1: `%x` is named before; names are unique",
    );
    check(
        "return y = %x, y = %x",
        "line 3, column 16: `y` is named before; names are unique",
    );
    check(
        "return y = @",
        "line 3, column 12: wanted a value such as `%x`, found `@`",
    );
    check(
        "return \"y = %x",
        "line 3, column 8: wanted the name of an output, found a quote that does not end on its line",
    );
    check(
        "%y = input {absent = required, below = 0, name = \"x\", ty = f32[n]} : f32[n]",
        "line 3, column 1: %1: `x` is named before; names are unique",
    );
    let many = ["n"; 17].join(",");
    check(
        &format!("%y = exp(%x) : f32[{many}]"),
        "line 3, column 16: wanted at most 16 axes, found 17 axes",
    );
    check(
        "%y = exp(%x) : f32[9999999999,9999999999]",
        "line 3, column 16: wanted at most 281474976710656 elements, found more",
    );
    check(
        "%y = exp(%x) : f32[99999999999999999]",
        "line 3, column 20: wanted a number within 281474976710656, found 99999999999999999",
    );
}
