use std::collections::BTreeMap;

use super::{EvalError, evaluate, evaluate_values, fold};
use crate::{Tensor, WeightMap, text};

fn run(body: &str, inputs: &[(&str, Tensor)]) -> Result<Vec<f64>, EvalError> {
    let graph = text::parse(&format!("graph \"g\" {{ {body} }}")).unwrap();
    let inputs = inputs.iter().map(|(n, t)| ((*n).to_owned(), t.clone()));
    let outputs = evaluate(&graph, &inputs.collect(), &WeightMap::default())?;
    Ok(outputs["y"].values().into_owned())
}

fn input(name: &str, ty: &str) -> String {
    format!(
        "%{name} = input {{name = \"{name}\", ty = {ty}, absent = required, below = 0}} : {ty}\n"
    )
}

#[test]
fn a_product_of_matrices() {
    let body = input("a", "f32[2,3]")
        + &input("b", "f32[3,2]")
        + "%y = matmul(%a, %b) {ta = false, tb = false} : f32[2,2] return y = %y";
    let a = Tensor::f32(&[2, 3], &[1., 2., 3., 4., 5., 6.]);
    let b = Tensor::f32(&[3, 2], &[1., 0., 0., 1., 2., 2.]);
    assert_eq!(
        run(&body, &[("a", a), ("b", b)]).unwrap(),
        [7., 8., 16., 17.]
    );
}

#[test]
fn large_products_go_by_blocks_and_agree_with_a_plain_sum() {
    let (m, k, n) = (13usize, 530usize, 71usize);
    let body = input("a", "f32[2,13,530]")
        + &input("b", "f32[71,530]")
        + "%y = matmul(%a, %b) {ta = false, tb = true} : f32[2,13,71] return y = %y";
    let at = |i: usize| ((i * 37 + 11) % 101) as f32 - 50.0;
    let a: Vec<f32> = (0..2 * m * k).map(at).collect();
    let b: Vec<f32> = (0..k * n).map(|i| at(i * 3 + 1)).collect();
    let inputs = [
        ("a", Tensor::f32(&[2, 13, 530], &a)),
        ("b", Tensor::f32(&[71, 530], &b)),
    ];
    let y = run(&body, &inputs).unwrap();
    for (i, y) in y.iter().enumerate() {
        let (row, column) = (i / n, i % n);
        let products = (0..k).map(|p| f64::from(a[row * k + p]) * f64::from(b[column * k + p]));
        assert_eq!(*y, products.sum::<f64>(), "element {i}");
    }
}

#[test]
fn softmax_of_long_rows_sums_to_one() {
    let body = input("x", "f32[3,700]")
        + "%s = softmax(%x) {axis = 1} : f32[3,700]
           %y = sum(%s) {axes = (1), keep = false} : f32[3] return y = %y";
    let x: Vec<f32> = (0..2100).map(|i| (i % 97) as f32).collect();
    for y in run(&body, &[("x", Tensor::f32(&[3, 700], &x))]).unwrap() {
        assert!((y - 1.0).abs() < 1e-13, "{y}");
    }
}

#[test]
fn an_id_outside_its_table_is_named() {
    let body = input("t", "f32[4,2]")
        + &input("i", "i64[3]")
        + "%y = gather(%t, %i) {axis = 0} : f32[3,2] return y = %y";
    let table = Tensor::f32(&[4, 2], &[0., 1., 2., 3., 4., 5., 6., 7.]);
    let ids = |ids: &[i64]| [("t", table.clone()), ("i", Tensor::i64(&[3], ids))];
    assert_eq!(
        run(&body, &ids(&[3, 0, 2])).unwrap(),
        [6., 7., 0., 1., 4., 5.]
    );
    assert_eq!(
        run(&body, &ids(&[3, 4, -1])).unwrap_err().to_string(),
        "%2: gather: at [1, 0]: operand 0, axis 0: wanted an index in 0..4, found 4"
    );
}

#[test]
fn borders_and_joints_read_nothing_outside() {
    let body = input("x", "f32[2,3]")
        + "%p = pad(%x) {lo = [1,0], hi = [0,2], value = -1.0} : f32[3,5]
           %y = concat(%p, %p) {axis = 1} : f32[3,10] return y = %y";
    let x = Tensor::f32(&[2, 3], &[1., 2., 3., 4., 5., 6.]);
    let rows = [[-1.; 5], [1., 2., 3., -1., -1.], [4., 5., 6., -1., -1.]];
    let wanted: Vec<f64> = rows
        .iter()
        .flat_map(|r| r.iter().chain(r))
        .copied()
        .collect();
    assert_eq!(run(&body, &[("x", x)]).unwrap(), wanted);
}

#[test]
fn leaves_are_checked() {
    let body = "%x = input {name = \"x\", ty = i64[2,3], absent = positions, below = 3} : i64[2,3]
                %y = add(%x, %x) : i64[2,3] return y = %y";
    assert_eq!(run(body, &[]).unwrap(), [0., 2., 4., 0., 2., 4.]);
    let given = |t: Tensor| run(body, &[("x", t)]).unwrap_err().to_string();
    assert_eq!(
        given(Tensor::i64(&[3], &[0; 3])),
        "`x`: wanted i64[2,3], found i64[3]"
    );
    assert_eq!(
        given(Tensor::i64(&[2, 3], &[0, 1, 2, 3, 0, 0])),
        "input `x`, element 3: wanted an id in 0..3, found 3"
    );
    let other = run(body, &[("z", Tensor::i64(&[1], &[0]))])
        .unwrap_err()
        .to_string();
    assert_eq!(other, "input `z`: the graph has no such input; it has x");
    let body = input("x", "f32[1]") + "return y = %x";
    let missing = run(&body, &[]).unwrap_err().to_string();
    assert_eq!(missing, "input `x`: wanted a tensor of f32[1], found none");
}

#[test]
fn every_value_can_be_had() {
    let body = input("x", "f32[2]")
        + "%unused = neg(%x) : f32[2] %e = exp(%x) : f32[2] %y = layer_norm(%e, %x, %x) {eps = 1e-5} : f32[2] return y = %y";
    let graph = text::parse(&format!("graph \"g\" {{ {body} }}")).unwrap();
    let inputs = BTreeMap::from([("x".to_owned(), Tensor::f32(&[2], &[0., 1.]))]);
    let values = evaluate_values(&graph, &inputs, &WeightMap::default()).unwrap();
    assert!(values[1].is_none());
    assert_eq!(*values[2].as_ref().unwrap().values(), [1.0, 1f64.exp()]);
    let y = evaluate(&graph, &inputs, &WeightMap::default()).unwrap();
    assert_eq!(values[3].as_ref(), Some(&y["y"]));
}

#[test]
fn sizes_of_zero_give_empty_tensors_and_identities() {
    let body =
        input("x", "f32[2,0]") + "%y = max(%x) {axes = (1), keep = true} : f32[2,1] return y = %y";
    let x = || Tensor::f32(&[2, 0], &[]);
    assert_eq!(run(&body, &[("x", x())]).unwrap(), [f64::NEG_INFINITY; 2]);
    let body = input("x", "f32[2,0]") + "%y = exp(%x) : f32[2,0] return y = %y";
    assert_eq!(run(&body, &[("x", x())]).unwrap(), [0.0; 0]);
}

#[test]
fn folding_moves_elements_as_they_are_stored() {
    let text = |op: &str| {
        format!(
            "graph \"g\" {{
               %a = weight {{name = \"a\", ty = i64[2,3]}} : i64[2,3]
               %b = weight {{name = \"b\", ty = i64[2,3]}} : i64[2,3]
               {op}
               return y = %y }}"
        )
    };
    // Neither f64 nor f32 holds these.
    let big = (1i64 << 60) + 1;
    let a: Vec<i64> = (0..6).map(|i| big + i).collect();
    let b: Vec<i64> = (0..6).map(|i| -big - i).collect();
    let weights = [
        ("a", Tensor::i64(&[2, 3], &a)),
        ("b", Tensor::i64(&[2, 3], &b)),
    ];
    let weights: WeightMap = weights.into_iter().collect();
    let check = |op: &str, wanted: Tensor| {
        let graph = text::parse(&text(op)).unwrap();
        assert_eq!(fold(&graph, &weights).unwrap(), wanted);
    };
    check("%y = permute(%a) {axes = (1,0)} : i64[3,2]", {
        Tensor::i64(&[3, 2], &[a[0], a[3], a[1], a[4], a[2], a[5]])
    });
    check("%y = concat(%a, %b) {axis = 1} : i64[2,6]", {
        Tensor::i64(&[2, 6], &[&a[..3], &b[..3], &a[3..], &b[3..]].concat())
    });
    check(
        "%c = concat(%a, %b) {axis = 0} : i64[4,3] %y = reshape(%c) {shape = [12]} : i64[12]",
        Tensor::i64(&[12], &[a.as_slice(), &b].concat()),
    );
    check(
        "%y = pad(%b) {lo = [0,1], hi = [1,0], value = 7.0} : i64[3,4]",
        {
            Tensor::i64(
                &[3, 4],
                &[7, b[0], b[1], b[2], 7, b[3], b[4], b[5], 7, 7, 7, 7],
            )
        },
    );
    // Arithmetic is in f64.
    check("%y = sub(%a, %a) : i64[2,3]", Tensor::i64(&[2, 3], &[0; 6]));
}

#[test]
fn a_size_without_a_value_is_named() {
    let body = "%y = extent {size = [n], dtype = f32} : f32[] return y = %y";
    let graph = text::parse(&format!("graph \"g\" (n in 1..9) {{ {body} }}")).unwrap();
    let e = evaluate(&graph, &BTreeMap::new(), &WeightMap::default()).unwrap_err();
    assert_eq!(
        e.to_string(),
        "%0: size `n` has no value; help: bind the graph first"
    );
}
