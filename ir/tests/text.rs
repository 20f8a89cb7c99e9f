//! Hostile texts: errors, never panics.

use proptest::prelude::{Just, Strategy, any, prop, prop_oneof, proptest};

const GRAPH: &str = r#"graph "g" (batch in 1..64, seq in 1..512) {
  %0 = input {absent = required, below = 30522, name = "ids", ty = i64[batch,seq]} : i64[batch,seq]
  %1 = weight {name = "w\"", ty = f32[384,1152]} : f32[384,1152]
  %2 = constant {ty = f32[], value = 1.5e-05} : f32[]
  %3 = input {absent = zeros, below = 0, name = "x", ty = f32[batch,seq,384]} : f32[batch,seq,384]
  %4 = matmul(%3,%1) {ta = false, tb = false} : f32[batch,seq,1152]
  %5 = mul(%4,%2) : f32[batch,seq,1152]
  %6 = gelu(%5) : f32[batch,seq,1152]
  %7 = reshape(%6) {shape = [1152*batch*seq]} : f32[1152*batch*seq]
  %8 = max(%6) {axes = (0,2), keep = true} : f32[1,seq,1] // a comment
  %9 = distance {columns = [seq], dtype = f32, rows = [seq]} : f32[seq,seq]
  return hidden = %6, "a b" = %8
}
"#;

/// A piece of text that stands in for another, at a random place.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..4),
        prop::sample::select(vec![
            "[",
            "]",
            "(",
            ")",
            "{",
            "}",
            "seq",
            "-1",
            "9223372036854775807",
            "0",
            "16",
            "%3",
            ":",
            ",",
            "*",
            "+",
            "f16",
            "i64",
            "\"",
            "true",
            "1.0",
            "seq*seq*seq*seq*seq*seq",
            "batch+seq",
            "\u{e9}",
            "//",
            "\n",
            "exp",
            "softmax",
            "sum",
            "mean",
            "broadcast",
            "select",
            "attention",
            "reshape",
            "(0,1,2)",
            "(-1)",
        ])
        .prop_map(|s| s.as_bytes().to_vec()),
        // A run of the same text, elsewhere.
        (0..GRAPH.len(), 0..60usize)
            .prop_map(|(at, n)| GRAPH.as_bytes()[at..(at + n).min(GRAPH.len())].to_vec()),
        Just(vec![b'['; 4000]),
    ]
}

proptest! {
    #[test]
    fn changed_texts_are_graphs_or_errors(
        changes in prop::collection::vec((0..GRAPH.len(), 0..20usize, piece()), 1..6),
    ) {
        let mut bytes = GRAPH.as_bytes().to_vec();
        for (at, cut, with) in changes {
            let at = at.min(bytes.len());
            let end = (at + cut).min(bytes.len());
            bytes.splice(at..end, with);
        }
        let text = String::from_utf8_lossy(&bytes);
        match ir::text::parse(&text) {
            Ok(graph) => {
                let again = ir::text::parse(&graph.to_string()).expect("what is printed parses");
                assert_eq!(again, graph);
            }
            Err(e) => assert!(e.line >= 1 && e.column >= 1),
        }
    }

    #[test]
    fn any_bytes_are_an_error(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let text = String::from_utf8_lossy(&bytes);
        assert!(ir::text::parse(&text).is_err());
    }
}
