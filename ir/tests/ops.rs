//! Laws of every op: spelling, agreement of types with meanings, and errors instead of panics.

mod fitting;

use std::collections::{BTreeMap, BTreeSet};

use fitting::{fitting, sizes};
use ir::{
    Attr, Build, Compute, DType, Dim, Expr, Graph, Meaning, Monoid, Op, OpError, TensorType,
    UnaryFn, ops,
};
use proptest::{collection::vec, prelude::*, sample::select};

/// A graph with an input of each type.
fn inputs(types: &[TensorType]) -> (Graph, Vec<ir::ValueId>) {
    let mut graph = Graph::new("law");
    let values = types.iter().enumerate().map(|(i, ty)| {
        let op = ops::Input {
            name: format!("x{i}"),
            ty: ty.clone(),
            absent: ops::Absent::Required,
            below: 0,
        };
        graph.push(op, &[]).unwrap()
    });
    let values = values.collect();
    (graph, values)
}

/// Whether every load names an operand and has an index per axis, and every axis exists.
fn is_well_formed(e: &Expr, axes: usize, types: &[TensorType]) -> bool {
    let here = match e {
        Expr::Axis(a) => *a < axes,
        Expr::Load { operand, index } => types
            .get(*operand)
            .is_some_and(|ty| ty.rank() == index.len()),
        _ => true,
    };
    here && e
        .parts()
        .into_iter()
        .all(|part| is_well_formed(part, axes, types))
}

/// The meaning of an op on types that it takes says the same as its type rule.
fn agrees(op: &Op, types: &[TensorType]) -> Result<(), TestCaseError> {
    let ty = op.infer(types).unwrap();
    let (mut graph, values) = inputs(types);
    let meaning = op.meaning(&values, &mut Build::new(&mut graph));
    match meaning {
        Meaning::Leaf | Meaning::Exchange(_) | Meaning::Primitive(_) => {}
        Meaning::Term(value) => prop_assert_eq!(graph.ty(value), &ty, "{}", op.name()),
        Meaning::Compute(Compute { axes, reduce, body }) => {
            prop_assert_eq!(&axes, &ty.shape, "{}", op.name());
            let folded = reduce.map_or(0, |(_, sizes)| sizes.len());
            prop_assert!(
                is_well_formed(&body, axes.len() + folded, types),
                "{}",
                op.name()
            );
        }
    }
    Ok(())
}

/// The op's attributes spell it.
fn spells(op: &Op) -> Result<(), TestCaseError> {
    let attrs: BTreeMap<_, _> = op
        .attrs()
        .into_iter()
        .map(|(k, v)| (k.to_owned(), v))
        .collect();
    prop_assert_eq!(&Op::parse(op.name(), &attrs).unwrap(), op);
    let extra = attrs
        .into_iter()
        .chain([("no such attribute".into(), Attr::Bool(true))])
        .collect();
    let is_extra = matches!(Op::parse(op.name(), &extra), Err(OpError::Extra { .. }));
    prop_assert!(is_extra);
    Ok(())
}

#[test]
fn every_op_has_fitting_types() {
    let cases = fitting(&vec![Dim::from(3); 8]);
    let found: BTreeSet<_> = cases.iter().map(|(op, _)| op.name()).collect();
    let known: BTreeSet<_> = Op::names().into_iter().collect();
    assert_eq!(known.len(), Op::names().len(), "no name is listed twice");
    assert_eq!(found, known);
}

/// Sizes of 63 bits and more are refused where they enter: by attributes, by products, by binding.
#[test]
fn sizes_that_overflow_are_errors() {
    let (s, half) = (Dim::symbol("s"), Dim::from(1 << 31));
    let huge = TensorType::new(DType::F32, [half.clone(), half.clone()]);
    let e = Op::from(ops::Constant {
        value: 0.0.into(),
        ty: huge.clone(),
    })
    .infer(&[])
    .unwrap_err();
    assert!(
        e.to_string().starts_with("attribute `ty`: wanted sizes"),
        "{e}"
    );
    let tall = huge
        .shape
        .iter()
        .fold(TensorType::new(DType::F32, [1.into()]), |ty, d| {
            TensorType::new(ty.dtype, ty.shape.into_iter().chain([d.clone()]))
        });
    let e = Op::from(ops::Softmax { axis: 0 })
        .infer(&[tall])
        .unwrap_err();
    assert!(
        e.to_string()
            .starts_with("operand 0: wanted 0 to 2^48 elements"),
        "{e}"
    );
    let column = TensorType::new(DType::F32, [half.clone(), 1.into()]);
    let row = TensorType::new(DType::F32, [half]);
    let e = Op::from(ops::Binary {
        f: ir::BinaryFn::Add,
    })
    .infer(&[column, row])
    .unwrap_err();
    assert!(
        e.to_string()
            .starts_with("result: wanted 0 to 2^48 elements"),
        "{e}"
    );

    let mut graph = Graph::new("square");
    graph.declare(
        "s",
        ir::Bounds {
            min: 1,
            max: i64::MAX,
        },
    );
    let ty = TensorType::new(DType::F32, [s.clone(), s]);
    graph
        .push(
            ops::Constant {
                value: 0.0.into(),
                ty,
            },
            &[],
        )
        .unwrap();
    let sizes = |n: i64| ir::Sizes::from([(ir::Symbol::new("s"), n)]);
    assert!(graph.bind(&sizes(1 << 24)).is_ok());
    assert!(graph.bind(&sizes(1 << 25)).is_err());
    assert!(graph.bind(&sizes(i64::MAX)).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(96) })]

    #[test]
    fn types_agree_with_meanings(sizes in sizes()) {
        for (op, types) in fitting(&sizes) {
            spells(&op)?;
            agrees(&op, &types)?;
        }
    }

    /// What no longer fits is refused with the place; what still fits still agrees.
    #[test]
    fn errors_name_the_place(sizes in sizes(), change in change(), at in 0..16_usize) {
        for (op, mut types) in fitting(&sizes).into_iter().filter(|(_, types)| !types.is_empty()) {
            let operand = at % types.len();
            change.apply(&mut types, operand);
            match op.infer(&types) {
                Ok(_) => agrees(&op, &types)?,
                Err(e) => {
                    let text = e.to_string();
                    let places = ["operand", "attribute `", "result", "operands"];
                    prop_assert!(places.iter().any(|p| text.contains(p)), "{}: {text}", op.name());
                }
            }
        }
    }

    /// Whatever the attributes and operands, there is a type or an error.
    #[test]
    fn nothing_panics(pool in vec(attr(), 96), types in vec(any_type(), 0..5)) {
        for name in Op::names() {
            let Some(op) = spell(name, &pool) else { continue };
            spells(&op)?;
            if op.infer(&types).is_ok() {
                agrees(&op, &types)?;
            }
        }
    }
}

/// Something that may spoil operands.
#[derive(Clone, Debug)]
enum Change {
    Drop,
    Double,
    Rank,
    Size(usize, i64),
    DType(DType),
}

impl Change {
    fn apply(&self, types: &mut Vec<TensorType>, operand: usize) {
        match self {
            Self::Drop => drop(types.remove(operand)),
            Self::Double => types.push(types[operand].clone()),
            Self::Rank => types[operand].shape.insert(0, 4.into()),
            Self::Size(axis, n) => {
                let rank = types[operand].rank();
                if rank > 0 {
                    types[operand].shape[axis % rank] = (*n).into();
                }
            }
            Self::DType(d) => types[operand].dtype = *d,
        }
    }
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        Just(Change::Drop),
        Just(Change::Double),
        Just(Change::Rank),
        (0..4_usize, wild()).prop_map(|(axis, n)| Change::Size(axis, n)),
        select(DType::ALL.to_vec()).prop_map(Change::DType),
    ]
}

/// Small numbers, and the ends of what numbers can be.
fn wild() -> impl Strategy<Value = i64> {
    let ends = vec![
        i64::MAX,
        i64::MIN,
        i64::MAX - 1,
        1 << 48,
        (1 << 48) + 1,
        1 << 32,
        -(1 << 40),
    ];
    prop_oneof![6 => -2..8_i64, 1 => select(ends)]
}

fn any_dim() -> impl Strategy<Value = Dim> {
    let known = wild().prop_map(Dim::from);
    let of_symbol = (wild(), wild()).prop_map(|(a, b)| Dim::symbol("s") * a.into() + b.into());
    prop_oneof![4 => known, 1 => of_symbol]
}

fn any_type() -> impl Strategy<Value = TensorType> {
    let dtype = prop_oneof![4 => Just(DType::F32), 1 => select(DType::ALL.to_vec())];
    let ordinary = prop_oneof![4 => (0..5_i64).prop_map(Dim::from), 1 => any_dim()];
    (dtype, vec(ordinary, 0..5)).prop_map(|(dtype, shape)| TensorType::new(dtype, shape))
}

fn attr() -> impl Strategy<Value = Attr> {
    let words = [
        "none",
        "linear",
        "llama3",
        "required",
        "zeros",
        "ones",
        "positions",
    ];
    let words = words
        .into_iter()
        .chain(UnaryFn::ALL.iter().map(|f| f.name()));
    let words = words.chain(Monoid::ALL.iter().map(|m| m.name()));
    let words: Vec<_> = words.chain(DType::ALL.iter().map(|d| d.name())).collect();
    let numbers = vec![
        0.0,
        1.0,
        -1.0,
        1e-5,
        1e300,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
    ];
    prop_oneof![
        1 => any::<bool>().prop_map(Attr::Bool),
        3 => wild().prop_map(Attr::Int),
        2 => select(numbers).prop_map(|x| Attr::Num(x.into())),
        2 => vec(wild(), 0..4).prop_map(Attr::Ints),
        3 => vec(any_dim(), 0..4).prop_map(Attr::Dims),
        3 => select(words).prop_map(|w| Attr::Word(w.into())),
        1 => "[a-z]{0,3}".prop_map(Attr::Text),
        2 => any_type().prop_map(Attr::Type),
    ]
}

/// An op of this name, each attribute the first one of the pool that it takes, counted from a place of its own.
fn spell(name: &str, pool: &[Attr]) -> Option<Op> {
    let mut attrs = BTreeMap::new();
    let first = name.bytes().map(usize::from).sum::<usize>();
    for next in first..first + 8 * pool.len() {
        let wrong = match Op::parse(name, &attrs) {
            Ok(op) => return Some(op),
            Err(OpError::Attr {
                source: ir::AttrError::Missing(attr),
                ..
            }) => attr,
            Err(OpError::Attr {
                source: ir::AttrError::Kind { name, .. },
                ..
            }) => name,
            Err(e) => panic!("{e}"),
        };
        attrs.insert(wrong.to_owned(), pool[next % pool.len()].clone());
    }
    None
}
