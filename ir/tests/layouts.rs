//! Operands packed byte by byte against the ops that say how they are packed.

use std::collections::BTreeMap;

use ir::{
    DType, Graph, Layout, Tensor, TensorType, WeightMap, eval,
    ops::{Absent, Input},
};
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop, proptest};

fn by_graph(layout: Layout, dtype: DType, plain: &[u8]) -> Vec<u8> {
    let len = (plain.len() / dtype.size()) as i64;
    let mut graph = Graph::new("pack");
    let input = Input {
        name: "x".into(),
        ty: TensorType::fixed(dtype, &[len]),
        absent: Absent::Required,
        below: 0,
    };
    let x = graph.push(input, &[]).unwrap();
    let packed = layout.pack(&mut graph, x).unwrap();
    graph.output("packed", packed);
    let x = Tensor::from_bytes(dtype, &[len], plain.to_vec()).unwrap();
    let inputs = BTreeMap::from([("x".to_owned(), x)]);
    let outputs = eval::evaluate(&graph, &inputs, &WeightMap::default()).unwrap();
    outputs["packed"].bytes().into_owned()
}

fn layouts() -> impl Strategy<Value = (Layout, DType, Vec<u8>)> {
    let sizes = (0i64..20, 0i64..40, any::<bool>(), 1u32..18);
    let dtypes = prop::sample::select(vec![DType::I8, DType::F16, DType::F32, DType::I64]);
    (sizes, dtypes).prop_flat_map(|((rows, columns, transposed, lanes), dtype)| {
        let layout = Layout::Panels {
            rows,
            columns,
            transposed,
            lanes,
        };
        let len = (rows * columns) as usize * dtype.size();
        // Any bit pattern but those of numbers that are none, which need not be kept.
        let bytes = prop::collection::vec(0u8..0x7b, len..=len);
        (Just(layout), Just(dtype), bytes)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn bytes_are_packed_as_the_ops_say((layout, dtype, plain) in layouts()) {
        let len = (plain.len() / dtype.size()) as i64;
        assert!(layout.fits(len) && !layout.fits(len + 1));
        let packed = layout.pack_bytes(dtype.size(), &plain);
        assert_eq!(packed.len() as i64, layout.len(len) * dtype.size() as i64);
        assert_eq!(packed, by_graph(layout, dtype, &plain));
    }
}

#[test]
fn plain_operands_stay() {
    assert_eq!(Layout::Plain.pack_bytes(2, &[1, 2, 3, 4]), [1, 2, 3, 4]);
}

#[test]
fn matrices_that_cannot_be_do_not_fit() {
    let panels = |rows, columns, lanes| Layout::Panels {
        rows,
        columns,
        transposed: false,
        lanes,
    };
    assert!(panels(3, 5, 4).fits(15));
    for (layout, plain) in [
        (panels(3, 5, 4), 16),
        (panels(3, 5, 0), 15),
        (panels(-3, -5, 4), 15),
        (panels(-3, 5, 4), -15),
        (panels(i64::MAX, 3, 4), 15),
        (panels(1, i64::MAX, 16), i64::MAX),
        (Layout::Plain, -1),
    ] {
        assert!(!layout.fits(plain), "{layout:?}");
    }
}
