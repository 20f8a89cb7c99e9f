//! Definitions read right to left: where a term is what an op means, it is that op.
//!
//! A rule is found from the op's own term over operands of example types. Attributes of the term become
//! variables; wherever the rule matches, the op is expanded again over the operands found, and the
//! attributes must be those of that expansion. So a rule holds for all types for which the term has the
//! same ops.

use egg::{ENodeOrVar, Id, Pattern, PatternAst, Var};
use ir::{
    Attr, Build, DType, Expr, F64, Graph, Meaning, Op, TensorType, UnaryDef, UnaryFn, ValueId, ops,
};

use super::{Bindings, Condition, Rule, Sense, Stage, condition::var};
use crate::egraph::Term;

/// One op of a term: its name, attributes and operands, which count the operands of the definition first.
#[derive(PartialEq, Eq)]
struct Step {
    name: &'static str,
    attrs: Vec<Attr>,
    inputs: Vec<usize>,
}

/// The term that `op` means over operands of these types; the last step is its value.
fn expand(op: &Op, types: &[TensorType]) -> Option<Vec<Step>> {
    op.infer(types).ok()?;
    let mut graph = Graph::new("definition");
    let operands: Option<Vec<ValueId>> = (0..)
        .zip(types)
        .map(|(i, ty)| {
            let name = format!("{i}");
            let (ty, absent) = (ty.clone(), ops::Absent::Required);
            graph
                .push(
                    ops::Input {
                        name,
                        ty,
                        absent,
                        below: 0,
                    },
                    &[],
                )
                .ok()
        })
        .collect();
    let meaning = op.meaning(&operands?, &mut Build::new(&mut graph));
    let Meaning::Term(root) = meaning else {
        return None;
    };
    // Operands stay where they are, whether the term needs them or not; the root comes last.
    let mut live = {
        let mut g = graph.clone();
        g.output("", root);
        g.live()
    };
    live[..types.len()].fill(true);
    let steps = graph.values().skip(types.len()).filter(|v| live[v.index()]);
    let place: Vec<usize> = live
        .iter()
        .scan(0, |n, l| {
            *n += usize::from(*l);
            Some(*n - usize::from(*l))
        })
        .collect();
    let steps = steps.map(|v| {
        let node = graph.node(v);
        Step {
            name: node.op.name(),
            attrs: node.op.attrs().into_values().collect(),
            inputs: node.inputs.iter().map(|i| place[i.index()]).collect(),
        }
    });
    Some(steps.collect())
}

/// Where the right side finds an attribute of the op.
#[derive(Clone)]
enum Source {
    /// It is always this.
    Literal(Attr),
    /// It is this attribute of the term.
    Same(Var),
    /// It is the integer that this attribute of the term holds.
    Integer(Var),
}

fn integer(attr: &Attr) -> Option<i64> {
    match attr {
        Attr::Int(x) => Some(*x),
        Attr::Ints(xs) => <[i64; 1]>::try_from(xs.as_slice()).ok().map(|[x]| x),
        Attr::Num(x) => (x.get().fract() == 0.0).then_some(x.get() as i64),
        _ => None,
    }
}

fn is_word(attr: &Attr) -> bool {
    matches!(attr, Attr::Bool(_) | Attr::Int(_) | Attr::Word(_))
}

/// The rule by which the term of `op`, over operands of types like `types`, is `op`.
fn define(op: impl Into<Op>, types: &[TensorType]) -> Rule {
    let op = op.into();
    let name = format!("define-{}", spelled(&op));
    let steps = expand(&op, types)
        .unwrap_or_else(|| panic!("{name}: the table gives operands that fit a term"));
    let mut left = PatternAst::<Term>::default();
    let mut ids: Vec<Id> = (0..types.len())
        .map(|i| left.add(ENodeOrVar::Var(var(&format!("?operand{i}")))))
        .collect();
    let mut holes: Vec<Vec<Option<Var>>> = Vec::new();
    for (n, step) in steps.iter().enumerate() {
        let vars = (0..step.attrs.len())
            .map(|k| (!is_word(&step.attrs[k])).then(|| var(&format!("?attr{n}_{k}"))));
        let vars: Vec<_> = vars.collect();
        let attrs = vars.iter().zip(&step.attrs).map(|(v, attr)| match v {
            Some(v) => left.add(ENodeOrVar::Var(*v)),
            None => left.add(ENodeOrVar::ENode(Term::Attr(attr.clone()))),
        });
        let mut children: Vec<Id> = attrs.collect();
        children.extend(step.inputs.iter().map(|i| ids[*i]));
        ids.push(left.add(ENodeOrVar::ENode(Term::Op(step.name, children))));
        holes.push(vars);
    }
    let all = || {
        steps
            .iter()
            .zip(&holes)
            .flat_map(|(s, h)| s.attrs.iter().zip(h))
    };
    let source = |attr: &Attr| {
        let same = all().find_map(|(a, v)| v.filter(|_| a == attr).map(Source::Same));
        let whole = integer(attr).filter(|n| *n != 0).and_then(|n| {
            all().find_map(|(a, v)| v.filter(|_| integer(a) == Some(n)).map(Source::Integer))
        });
        same.or(whole)
            .unwrap_or_else(|| Source::Literal(attr.clone()))
    };
    let sources: Vec<(String, Source)> = op
        .attrs()
        .iter()
        .map(|(n, attr)| ((*n).to_owned(), source(attr)))
        .collect();
    let mut right = PatternAst::<Term>::default();
    let mut children = Vec::new();
    for (attr, from) in &sources {
        children.push(right.add(match from {
            Source::Literal(attr) => ENodeOrVar::ENode(Term::Attr(attr.clone())),
            Source::Same(v) => ENodeOrVar::Var(*v),
            Source::Integer(_) => ENodeOrVar::Var(var(&format!("?{attr}"))),
        }));
    }
    let operands = (0..types.len()).map(|i| var(&format!("?operand{i}")));
    children.extend(operands.map(|v| right.add(ENodeOrVar::Var(v))));
    right.add(ENodeOrVar::ENode(Term::Op(op.name(), children)));
    Rule {
        name,
        left: Pattern::new(left),
        right: Pattern::new(right),
        sense: Sense::Bits,
        conditions: vec![as_expanded(op.name(), sources, steps, holes, types.len())],
        stage: Stage::Fuse,
    }
}

/// The term found is what the op means over the operands found.
fn as_expanded(
    op: &'static str,
    sources: Vec<(String, Source)>,
    steps: Vec<Step>,
    holes: Vec<Vec<Option<Var>>>,
    arity: usize,
) -> Condition {
    let operands: Vec<Var> = (0..arity).map(|i| var(&format!("?operand{i}"))).collect();
    let same = move |bound: &mut Bindings| {
        let mut attrs = std::collections::BTreeMap::new();
        for (name, source) in &sources {
            let attr = match source {
                Source::Literal(attr) => attr.clone(),
                Source::Same(v) => bound.attr(*v)?.clone(),
                Source::Integer(v) => {
                    let attr = Attr::Int(integer(bound.attr(*v)?)?);
                    bound.set(var(&format!("?{name}")), attr.clone())?;
                    attr
                }
            };
            attrs.insert(name.clone(), attr);
        }
        let types: Option<Vec<_>> = operands.iter().map(|v| bound.ty(*v).cloned()).collect();
        let found = expand(&Op::parse(op, &attrs).ok()?, &types?)?;
        let agrees = |(found, (step, holes)): (&Step, (&Step, &Vec<Option<Var>>))| {
            let attrs = found.attrs.iter().zip(&step.attrs).zip(holes);
            found.name == step.name
                && found.inputs == step.inputs
                && attrs
                    .into_iter()
                    .all(|((f, s), hole)| hole.map_or(f == s, |v| bound.attr(v) == Some(f)))
        };
        let all =
            found.len() == steps.len() && found.iter().zip(steps.iter().zip(&holes)).all(agrees);
        all.then_some(())
    };
    Condition::new(
        format!("the term is what {op} means over these operands"),
        same,
    )
}

/// `linear-gelu-bias`: the op and what is set of its words.
fn spelled(op: &Op) -> String {
    let mut out = op.name().to_owned();
    for (name, attr) in op.attrs() {
        match attr {
            Attr::Bool(true) => out += &format!("-{name}"),
            Attr::Word(word) if word != "none" => out += &format!("-{word}"),
            _ => {}
        }
    }
    out
}

/// Activations of the fused ops.
const ACTIVATIONS: [UnaryFn; 6] = [
    UnaryFn::Relu,
    UnaryFn::Sigmoid,
    UnaryFn::Silu,
    UnaryFn::Gelu,
    UnaryFn::GeluTanh,
    UnaryFn::QuickGelu,
];

fn f32s<const N: usize>(shapes: [&[i64]; N]) -> Vec<TensorType> {
    shapes
        .into_iter()
        .map(|s| TensorType::fixed(DType::F32, s))
        .collect()
}

/// `axis` is the last of `x`, along which kernels have rows.
fn is_last(axis: &str, x: &str) -> Condition {
    let text = format!("{axis} is the last of {x}");
    let (axis, x) = (var(axis), var(x));
    Condition::new(text, move |b| {
        (b.int(axis)? + 1 == b.ty(x)?.rank() as i64).then_some(())
    })
}

/// One rule for each op whose meaning is a term, and for each form that its words give the term.
pub(super) fn rules() -> Vec<Rule> {
    let eps = F64::new(0.1875);
    let rows: &[i64] = &[2, 3, 4];
    let mut out = vec![
        define(ops::Softmax { axis: 2 }, &f32s([rows])).when(is_last("?axis", "?operand0")),
        define(ops::LayerNorm { eps }, &f32s([rows, &[4], &[4]])),
        define(ops::RmsNorm { eps }, &f32s([rows, &[4]])),
        define(ops::AddLayerNorm { eps }, &f32s([rows, rows, &[4], &[4]])),
        define(ops::AddRmsNorm { eps }, &f32s([rows, rows, &[4]])),
        define(ops::L2Normalize { eps }, &f32s([rows])),
        define(
            ops::Embedding {},
            &[
                TensorType::fixed(DType::F32, &[7, 4]),
                TensorType::fixed(DType::I64, &[2, 3]),
            ],
        ),
    ];
    for keep in [true, false] {
        out.push(define(
            ops::Mean {
                axes: vec![1, 2],
                keep,
            },
            &f32s([rows]),
        ));
    }
    for act in ACTIVATIONS {
        out.push(define(ops::Gated { act }, &f32s([rows, rows])));
        for tb in [false, true] {
            let w: &[i64] = if tb { &[5, 4] } else { &[4, 5] };
            out.push(define(ops::GatedLinear { act, tb }, &f32s([rows, w, w])));
        }
    }
    for act in std::iter::once(None).chain(ACTIVATIONS.map(Some)) {
        for (bias, residual) in [(true, false), (false, true), (true, true), (false, false)] {
            if act.is_some() || bias || residual {
                out.extend([false, true].map(|tb| linear(act, bias, residual, tb)));
            }
        }
    }
    for mask in [false, true] {
        for causal in [false, true] {
            for window in [0, 11] {
                for grouped in [false, true] {
                    let plain = Form {
                        mask,
                        causal,
                        window,
                        grouped,
                        ..Form::default()
                    };
                    out.push(attention(plain));
                }
            }
            out.push(attention(Form {
                mask,
                causal,
                softcap: 1.75,
                ..Form::default()
            }));
            out.push(attention(Form {
                mask,
                causal,
                alibi: true,
                ..Form::default()
            }));
        }
    }
    out
}

fn linear(act: Option<UnaryFn>, bias: bool, residual: bool, tb: bool) -> Rule {
    let w: &[i64] = if tb { &[5, 4] } else { &[4, 5] };
    let mut types = f32s([&[2, 3, 4], w]);
    if bias {
        types.extend(f32s([&[5]]));
    }
    if residual {
        types.extend(f32s([&[2, 3, 5]]));
    }
    define(
        ops::Linear {
            act,
            bias,
            residual,
            tb,
        },
        &types,
    )
}

/// What is asked of attention.
#[derive(Default)]
struct Form {
    mask: bool,
    causal: bool,
    window: i64,
    softcap: f64,
    alibi: bool,
    /// Several heads of queries share one of keys.
    grouped: bool,
}

fn attention(form: Form) -> Rule {
    let Form {
        mask,
        causal,
        window,
        softcap,
        alibi,
        grouped,
    } = form;
    let kv: &[i64] = if grouped {
        &[2, 3, 7, 8]
    } else {
        &[2, 6, 7, 8]
    };
    let mut types = f32s([&[2, 6, 5, 8], kv, kv]);
    if mask {
        types.extend(f32s([&[2, 1, 1, 7]]));
    }
    if alibi {
        types.extend(f32s([&[6]]));
    }
    let (scale, softcap) = (F64::new(0.3125), F64::new(softcap));
    let mut rule = define(
        ops::Attention {
            scale,
            causal,
            window,
            softcap,
            mask,
            alibi,
        },
        &types,
    );
    for (is, word) in [
        (window > 0, "-window"),
        (softcap.get() > 0.0, "-softcap"),
        (grouped, "-grouped"),
    ] {
        if is {
            rule.name += word;
        }
    }
    rule
}

/// The rule by which the definition of a function, as ops, is the function.
pub(super) fn define_function(f: UnaryFn) -> Rule {
    let UnaryDef::Derived(def) = f.def() else {
        panic!("{}: only derived functions have a term", f.name())
    };
    let x = Expr::load(0, []);
    let left = pattern_of(&def(x));
    let right = format!("({} ?x)", Op::from(ops::Unary { f }).name());
    super::rule(&format!("define-{}", f.name()), &left, &right).equal(Sense::Bits)
}

/// A scalar expression over one operand as a pattern; constants have one type.
fn pattern_of(e: &Expr) -> String {
    let apply = |op: Op, parts: &[&Expr]| {
        let parts: Vec<_> = parts.iter().map(|p| pattern_of(p)).collect();
        format!("({} {})", op.name(), parts.join(" "))
    };
    match e {
        Expr::Load { .. } => "?x".into(),
        Expr::Num(c) => format!("(constant ?t {c})"),
        Expr::Unary(f, x) => apply(ops::Unary { f: *f }.into(), &[x]),
        Expr::Binary(f, a, b) => apply(ops::Binary { f: *f }.into(), &[a, b]),
        other => panic!("functions are defined over constants and functions alone: {other:?}"),
    }
}
