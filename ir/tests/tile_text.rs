//! The text form of tile programs.

use ir::{
    BinaryFn, DType, F64, Monoid, UnaryFn,
    tile::{
        Access, Array, Axis, Carried, Counter, For, Index, Memory, Program, Shape, Stmt, Value,
        Var, parse,
    },
};
use proptest::prelude::*;

fn index() -> impl Strategy<Value = Index> {
    let leaf = prop_oneof![
        any::<i64>().prop_map(Index::Const),
        (-9i64..9).prop_map(Index::Const),
        (0u32..6).prop_map(|c| Index::Counter(Counter(c))),
        Just(Index::Row),
        Just(Index::Lane),
    ];
    leaf.prop_recursive(5, 40, 2, |part| {
        let pair = (part.clone(), part.clone()).prop_map(|(a, b)| (Box::new(a), Box::new(b)));
        prop_oneof![
            3 => pair.clone().prop_map(|(a, b)| Index::Add(a, b)),
            3 => pair.clone().prop_map(|(a, b)| Index::Mul(a, b)),
            1 => pair.clone().prop_map(|(a, b)| Index::Div(a, b)),
            1 => pair.clone().prop_map(|(a, b)| Index::Mod(a, b)),
            1 => pair.clone().prop_map(|(a, b)| Index::Min(a, b)),
            1 => pair.prop_map(|(a, b)| Index::Max(a, b)),
            1 => (memory(), part).prop_map(|(m, a)| Index::Load(m, a.into())),
        ]
    })
}

fn memory() -> impl Strategy<Value = Memory> {
    let params = [Memory::Param(0), Memory::Param(1), Memory::Local(0)];
    proptest::sample::select(params.to_vec())
}

fn access() -> impl Strategy<Value = Access> {
    let guard = prop::collection::vec((index(), index()), 0..3);
    (memory(), index(), guard).prop_map(|(memory, at, guard)| Access { memory, at, guard })
}

fn shape() -> impl Strategy<Value = Shape> {
    (any::<u32>(), 1u32..64).prop_map(|(rows, lanes)| Shape { rows, lanes })
}

fn number() -> impl Strategy<Value = F64> {
    use prop::num::f64::{INFINITE, NEGATIVE, NORMAL, POSITIVE, SUBNORMAL, ZERO};
    (POSITIVE | NEGATIVE | NORMAL | SUBNORMAL | ZERO | INFINITE).prop_map(F64::new)
}

fn var() -> impl Strategy<Value = Var> {
    any::<u32>().prop_map(Var)
}

fn value() -> impl Strategy<Value = Value> {
    let dtype = || proptest::sample::select(DType::ALL.to_vec());
    let monoid = proptest::sample::select(Monoid::ALL.to_vec());
    let axis = prop_oneof![Just(Axis::Rows), Just(Axis::Lanes)];
    let unary = proptest::sample::select(UnaryFn::ALL);
    let binary = proptest::sample::select(BinaryFn::ALL);
    prop_oneof![
        (number(), dtype(), shape()).prop_map(|(x, d, s)| Value::Splat(x, d, s)),
        (index(), shape()).prop_map(|(i, s)| Value::Coordinate(i, s)),
        (access(), shape(), number()).prop_map(|(from, shape, other)| Value::Load {
            from,
            shape,
            other
        }),
        (unary, var()).prop_map(|(f, x)| Value::Unary(f, x)),
        (binary, var(), var()).prop_map(|(f, a, b)| Value::Binary(f, a, b)),
        (var(), var(), var()).prop_map(|(c, a, b)| Value::Select(c, a, b)),
        (dtype(), var()).prop_map(|(d, x)| Value::Cast(d, x)),
        (var(), shape()).prop_map(|(x, s)| Value::Broadcast(x, s)),
        (monoid, axis, var()).prop_map(|(m, a, x)| Value::Reduce(m, a, x)),
        (var(), var(), var()).prop_map(|(a, b, acc)| Value::Dot { a, b, acc }),
    ]
}

fn carried() -> impl Strategy<Value = Carried> {
    (var(), var(), var(), var()).prop_map(|(init, current, next, result)| Carried {
        init,
        current,
        next,
        result,
    })
}

fn body() -> impl Strategy<Value = Vec<Stmt>> {
    let stmt = prop_oneof![
        (var(), value()).prop_map(|(v, value)| Stmt::Let(v, value)),
        (access(), var()).prop_map(|(to, value)| Stmt::Store { to, value }),
    ];
    let stmt = stmt.prop_recursive(3, 12, 4, |inner| {
        let head = (0u32..9, index(), index(), any::<i64>(), any::<u32>());
        let carried = prop::collection::vec(carried(), 0..3);
        (head, carried, prop::collection::vec(inner, 0..4)).prop_map(
            |((counter, start, end, step, unroll), carried, body)| {
                Stmt::For(For {
                    counter: Counter(counter),
                    start,
                    end,
                    step,
                    unroll,
                    carried,
                    body,
                })
            },
        )
    });
    prop::collection::vec(stmt, 0..5)
}

fn array(name: &str, written: bool) -> impl Strategy<Value = Array> {
    let dtype = proptest::sample::select(DType::ALL.to_vec());
    let name = name.to_owned();
    (dtype, any::<i64>()).prop_map(move |(dtype, len)| Array {
        name: name.clone(),
        dtype,
        len,
        written,
    })
}

fn program() -> impl Strategy<Value = Program> {
    let arrays = (array("x", false), array("y", true), array("for", true));
    (arrays, prop::collection::vec(any::<i64>(), 0..4), body()).prop_map(
        |((x, y, local), grid, body)| Program {
            name: "program".into(),
            params: vec![x, y],
            locals: vec![local],
            grid,
            body,
        },
    )
}

proptest! {
    #[test]
    fn what_is_printed_parses_back(program in program()) {
        let text = program.to_string();
        let parsed = parse(&text);
        prop_assert_eq!(parsed.as_ref(), Ok(&program), "{}", text);
    }

    #[test]
    fn no_text_breaks_the_parser(text in "(tile|grid|param|%x|#1|for|in|load|[(){}<+*,:0-9 -]|row|x8){0,60}") {
        let _ = parse(&text);
    }
}

#[test]
fn an_error_says_where_and_what_was_wanted() {
    let head = "tile t grid [1] {\n  param %x : f32[4]\n";
    let cases = [
        (
            "tile t grid [1] {\n  param %0 : f32[4]\n}",
            "line 2, column 9: wanted the name of an array, such as `%x`, found `%0`",
        ),
        (
            "tile t grid [1] {\n  param %x : f31[4]\n}",
            "line 2, column 14: wanted an element type, such as `f32`, found `f31`",
        ),
        (
            "  %0 = load %y[row] : 4x1\n}",
            "line 3, column 13: no line before defines `%y`",
        ),
        (
            "  %0 = load %x[rows] : 4x1\n}",
            "line 3, column 16: wanted an index, found `rows`",
        ),
        (
            "  %0 = load %x[row] : 4\n}",
            "line 4, column 1: wanted a shape, such as `8x16`, found `}`",
        ),
        (
            "  %0 = frob %1\n}",
            "line 3, column 8: wanted a function, such as `add`, found `frob`",
        ),
        (
            "  %0, %1 = for #1 in 0 .. 4 carry (%2 = %3) {\n  }\n}",
            "line 3, column 43: wanted 2 tiles, one for each result of the loop, found 1",
        ),
        (
            "  %0 = for #1 in 0 .. 4 carry (%2 = %3) {\n  }\n}",
            "line 4, column 3: wanted `yield`, found `}`",
        ),
        (
            "  for #4294967296 in 0 .. 4 {\n  }\n}",
            "line 3, column 8: wanted a number within 0..4294967296, found `4294967296`",
        ),
        (
            "  %0 = splat 0.0 : f32 8x16\n",
            "line 4, column 1: wanted `}`, found the end of the text",
        ),
    ];
    for (text, wanted) in cases {
        let text = if text.starts_with("tile") {
            text.to_owned()
        } else {
            format!("{head}{text}")
        };
        let found = parse(&text).expect_err(&text);
        assert_eq!(found.to_string(), wanted, "{text}");
    }
}

#[test]
fn deep_nesting_is_an_error() {
    let index = format!("{}row{}", "(".repeat(5000), ")".repeat(5000));
    let loops = "for #1 in 0 .. 1 {\n".repeat(5000);
    for text in [
        format!("tile t grid [] {{ for #1 in {index}"),
        format!("tile t grid [] {{ {loops}"),
    ] {
        assert!(
            parse(&text)
                .expect_err("too deep")
                .to_string()
                .contains("at most")
        );
    }
}

#[test]
fn the_page_about_tile_programs_shows_one_that_is_run() {
    let page = include_str!("../../docs/tile.md");
    let shown = page
        .split("```tile\n")
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap();
    assert_eq!(parse(shown), parse(include_str!("tile/contraction.tile")));
}
