//! Graphs print and parse back; hostile texts are errors, never panics.

use ir::{Attr, BinaryFn, Bounds, DType, Dim, Graph, Monoid, TensorType, UnaryFn, ops};
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

/// One op and which values it is applied to, counted from the last one back.
fn op() -> impl Strategy<Value = (ir::Op, Vec<usize>)> {
    let dim = || {
        let symbol = prop::sample::select(vec!["batch", "seq"]).prop_map(Dim::symbol);
        let product = (symbol, -3i64..9).prop_map(|(s, c)| s * c.into());
        let sum = (product, -9i64..9).prop_map(|(s, c)| s + c.into());
        prop_oneof![sum, (1i64..400).prop_map(Dim::from)]
    };
    let ty = (
        prop::sample::select(DType::ALL.to_vec()),
        prop::collection::vec(dim(), 0..4),
    )
        .prop_map(|(dtype, shape)| TensorType { dtype, shape });
    let number = prop_oneof![
        any::<f64>().prop_map(|x| if x.is_nan() { f64::NAN } else { x }),
        prop::sample::select(vec![
            0.0,
            -0.0,
            1e300,
            1e-300,
            f64::INFINITY,
            f64::NEG_INFINITY
        ]),
    ];
    let axes = prop::collection::vec(0i64..3, 0..3);
    let op = prop_oneof![
        3 => (any::<String>(), ty.clone()).prop_map(|(name, ty)| ops::Weight { name, ty }.into()),
        3 => (number, ty).prop_map(|(x, ty)| ops::Constant { value: x.into(), ty }.into()),
        3 => prop::sample::select(UnaryFn::ALL).prop_map(|f| ops::Unary { f }.into()),
        3 => prop::sample::select(BinaryFn::ALL).prop_map(|f| ops::Binary { f }.into()),
        1 => prop::sample::select(DType::ALL.to_vec()).prop_map(|d| ops::Cast { dtype: d }.into()),
        1 => (prop::sample::select(Monoid::ALL.to_vec()), axes, any::<bool>())
            .prop_map(|(monoid, axes, keep)| ops::Reduce { monoid, axes, keep }.into()),
        1 => any::<(bool, bool)>().prop_map(|(ta, tb)| ops::MatMul { ta, tb }.into()),
    ];
    (op, prop::collection::vec(0usize..6, 0..3))
}

/// A graph of those ops that fit.
fn graph() -> impl Strategy<Value = Graph> {
    let outputs = prop::collection::btree_map(any::<String>(), 0usize..40, 0..3);
    (any::<String>(), prop::collection::vec(op(), 1..40), outputs).prop_map(
        |(name, ops, outputs)| {
            let mut graph = Graph::new(&name);
            graph.declare("batch", Bounds { min: 1, max: 64 });
            graph.declare("seq", Bounds { min: 0, max: 512 });
            let mut weights = std::collections::BTreeSet::new();
            for (op, back) in ops {
                let values: Vec<_> = graph.values().rev().collect();
                let inputs = back.iter().filter_map(|b| values.get(*b).copied());
                let name = op.attrs().get("name").cloned();
                if name.is_none_or(|n: Attr| weights.insert(n)) {
                    // An op that does not fit is left out.
                    let _ = graph.push(op, &inputs.collect::<Vec<_>>());
                }
            }
            let values: Vec<_> = graph.values().collect();
            for (name, at) in outputs {
                if let Some(value) = values.get(at) {
                    graph.output(&name, *value);
                }
            }
            graph
        },
    )
}

proptest! {
    #[test]
    fn graphs_print_and_parse_back(graph in graph()) {
        let text = graph.to_string();
        assert_eq!(ir::text::parse(&text).unwrap_or_else(|e| panic!("{e}\n{text}")), graph);
    }

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
