//! The text form of lane programs.

use ir::{
    BinaryFn, DType, F64, UnaryFn,
    lane::{
        Access, Bulk, Carried, For, Index, Layout, LeftOperand, MatrixInstr, Mbarrier, Memory,
        Program, SharedTile, Signal, Spelling, Step, Stmt, Swizzle, TensorMap, Type, Value,
        WarpgroupInstr, emulate_all, parse,
    },
    tile::{Array, Counter, Var},
};
use proptest::prelude::*;

fn index() -> impl Strategy<Value = Index> {
    let leaf = prop_oneof![
        any::<i64>().prop_map(Index::Const),
        (-9i64..9).prop_map(Index::Const),
        (0u32..6).prop_map(|c| Index::Counter(Counter(c))),
        var().prop_map(Index::Var),
        Just(Index::Lane),
        Just(Index::Warp),
    ];
    leaf.prop_recursive(5, 40, 2, |part| {
        let pair = (part.clone(), part).prop_map(|(a, b)| (Box::new(a), Box::new(b)));
        prop_oneof![
            3 => pair.clone().prop_map(|(a, b)| Index::Add(a, b)),
            3 => pair.clone().prop_map(|(a, b)| Index::Mul(a, b)),
            1 => pair.clone().prop_map(|(a, b)| Index::Div(a, b)),
            1 => pair.clone().prop_map(|(a, b)| Index::Mod(a, b)),
            1 => pair.clone().prop_map(|(a, b)| Index::Min(a, b)),
            1 => pair.clone().prop_map(|(a, b)| Index::Max(a, b)),
            1 => pair.prop_map(|(a, b)| Index::Xor(a, b)),
        ]
    })
}

fn guard() -> impl Strategy<Value = Vec<(Index, Index)>> {
    prop::collection::vec((index(), index()), 0..3)
}

fn access() -> impl Strategy<Value = Access> {
    let memories = [Memory::Param(0), Memory::Param(1), Memory::Shared(0)];
    let memory = proptest::sample::select(memories.to_vec());
    (memory, index(), guard()).prop_map(|(memory, at, guard)| Access { memory, at, guard })
}

fn number() -> impl Strategy<Value = F64> {
    use prop::num::f64::{INFINITE, NEGATIVE, NORMAL, POSITIVE, SUBNORMAL, ZERO};
    (POSITIVE | NEGATIVE | NORMAL | SUBNORMAL | ZERO | INFINITE).prop_map(F64::new)
}

fn var() -> impl Strategy<Value = Var> {
    any::<u32>().prop_map(Var)
}

fn dtype() -> impl Strategy<Value = DType> {
    proptest::sample::select(DType::ALL.to_vec())
}

fn value() -> impl Strategy<Value = Value> {
    let unary = proptest::sample::select(UnaryFn::ALL);
    let binary = proptest::sample::select(BinaryFn::ALL);
    let three = || (var(), var(), var());
    prop_oneof![
        (number(), dtype(), any::<u32>())
            .prop_map(|(x, dtype, width)| Value::Const(x, Type { dtype, width })),
        prop::collection::vec(index(), 0..3).prop_map(Value::Index),
        (access(), any::<u32>(), number()).prop_map(|(from, width, other)| Value::Load {
            from,
            width,
            other
        }),
        (unary, var()).prop_map(|(f, x)| Value::Unary(f, x)),
        (binary, var(), var()).prop_map(|(f, a, b)| Value::Binary(f, a, b)),
        three().prop_map(|(a, b, c)| Value::Fma(a, b, c)),
        three().prop_map(|(c, a, b)| Value::Select(c, a, b)),
        (dtype(), var()).prop_map(|(d, x)| Value::Cast(d, x)),
        prop::collection::vec(var(), 0..3).prop_map(Value::Concat),
        (var(), prop::collection::vec(any::<u32>(), 0..3)).prop_map(|(x, p)| Value::Pick(x, p)),
        (var(), any::<u32>()).prop_map(|(x, bits)| Value::ShuffleXor(x, bits)),
        (0u32..2, three()).prop_map(|(instr, (a, b, c))| Value::Matrix { instr, a, b, c }),
        (access(), any::<u32>(), any::<bool>()).prop_map(|(from, count, transposed)| {
            Value::LoadMatrix {
                from,
                count,
                transposed,
            }
        }),
        product(),
    ]
}

fn swizzle() -> impl Strategy<Value = Swizzle> {
    use Swizzle::{B32, B64, B128, None};
    proptest::sample::select(vec![None, B32, B64, B128])
}

fn signal() -> impl Strategy<Value = Signal> {
    (0u32..2, index()).prop_map(|(mbarrier, slot)| Signal { mbarrier, slot })
}

fn tile() -> impl Strategy<Value = SharedTile> {
    let steps = (any::<u32>(), any::<u32>());
    (index(), any::<bool>(), swizzle(), steps).prop_map(
        |(at, along_depth, swizzle, (next_lines, next_chunk))| SharedTile {
            array: 0,
            at,
            along_depth,
            swizzle,
            next_lines,
            next_chunk,
        },
    )
}

fn product() -> impl Strategy<Value = Value> {
    let a = prop_oneof![
        var().prop_map(LeftOperand::Held),
        tile().prop_map(LeftOperand::Shared),
    ];
    (0u32..2, a, tile(), var()).prop_map(|(instr, a, b, c)| Value::Product { instr, a, b, c })
}

fn bulk() -> impl Strategy<Value = Bulk> {
    let from = prop::collection::vec(index(), 0..3);
    prop_oneof![
        (any::<u32>(), from, index(), signal()).prop_map(|(map, from, at, signal)| Bulk::Copy {
            map,
            from,
            array: 0,
            at,
            signal,
        }),
        (signal(), any::<u32>()).prop_map(|(signal, bytes)| Bulk::Expect { signal, bytes }),
        signal().prop_map(Bulk::Arrive),
        (signal(), index()).prop_map(|(signal, parity)| Bulk::Await { signal, parity }),
        Just(Bulk::Commit),
        any::<u32>().prop_map(|pending| Bulk::Wait { pending }),
        (any::<u32>(), any::<bool>()).prop_map(|(count, more)| Bulk::Registers { count, more }),
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
        4 => (var(), value()).prop_map(|(v, value)| Stmt::Let(v, value)),
        1 => (access(), var()).prop_map(|(to, value)| Stmt::Store { to, value }),
        1 => (access(), access(), any::<u32>())
            .prop_map(|(to, from, width)| Stmt::Copy { to, from, width }),
        1 => Just(Stmt::Barrier),
        1 => Just(Stmt::Commit),
        1 => any::<u32>().prop_map(|pending| Stmt::Wait { pending }),
        3 => bulk().prop_map(Stmt::Bulk),
    ];
    let stmt = stmt.prop_recursive(3, 12, 4, |inner| {
        let head = (0u32..9, index(), index(), any::<i64>(), any::<u32>());
        let carried = prop::collection::vec(carried(), 0..3);
        let body = || prop::collection::vec(inner.clone(), 0..4);
        let each = (head, carried, body());
        let round = each.prop_map(|((counter, start, end, step, unroll), carried, body)| {
            Stmt::For(For {
                counter: Counter(counter),
                start,
                end,
                step,
                unroll,
                carried,
                body,
            })
        });
        let when = (guard(), body()).prop_map(|(guard, body)| Stmt::When { guard, body });
        prop_oneof![round, when]
    });
    prop::collection::vec(stmt, 0..5)
}

fn layout() -> impl Strategy<Value = Layout> {
    let step = || {
        prop_oneof![
            any::<u32>().prop_map(Step::rows),
            any::<u32>().prop_map(Step::columns),
            (any::<u32>(), any::<u32>()).prop_map(|(row, column)| Step { row, column }),
        ]
    };
    let steps = || prop::collection::vec(step(), 0..4);
    (steps(), steps(), steps()).prop_map(|(register, lane, warp)| Layout {
        register,
        lane,
        warp,
    })
}

fn instr(name: &'static str) -> impl Strategy<Value = MatrixInstr> {
    let word = "[ -~\n]{0,9}".prop_map(Spelling::Word);
    let spelling = prop_oneof![Just(Spelling::Outer), word];
    let fragments = (layout(), layout(), layout());
    (dtype(), dtype(), fragments, spelling).prop_map(
        |(operands, accumulator, (a, b, c), spelling)| MatrixInstr {
            name: name.into(),
            operands,
            accumulator,
            a,
            b,
            c,
            spelling,
        },
    )
}

fn map() -> impl Strategy<Value = TensorMap> {
    let numbers = || prop::collection::vec(any::<i64>(), 0..4);
    let extents = prop::collection::vec(any::<u32>(), 0..4);
    (0u32..2, numbers(), numbers(), extents, swizzle()).prop_map(
        |(param, sizes, strides, extents, swizzle)| TensorMap {
            param,
            sizes,
            strides,
            extents,
            swizzle,
        },
    )
}

fn mbarrier(name: &'static str) -> impl Strategy<Value = Mbarrier> {
    (any::<u32>(), any::<u32>()).prop_map(move |(len, arrivals)| Mbarrier {
        name: name.into(),
        len,
        arrivals,
    })
}

fn warpgroup(name: &'static str) -> impl Strategy<Value = WarpgroupInstr> {
    let fragments = (layout(), layout());
    (dtype(), dtype(), fragments, "[ -~\n]{0,9}").prop_map(
        move |(operands, accumulator, (a, c), word)| WarpgroupInstr {
            name: name.into(),
            operands,
            accumulator,
            a,
            c,
            word,
        },
    )
}

fn array(name: &str, written: bool) -> impl Strategy<Value = Array> {
    let name = name.to_owned();
    (dtype(), any::<i64>()).prop_map(move |(dtype, len)| Array {
        name: name.clone(),
        dtype,
        len,
        written,
    })
}

fn program() -> impl Strategy<Value = Program> {
    let arrays = (array("x", false), array("y", true), array("for", true));
    let matrix = (instr("mma.sync \"1\""), instr("outer"));
    let grid = prop::collection::vec(any::<i64>(), 0..4);
    let size = (any::<u32>(), any::<u32>());
    let bulk = (
        prop::collection::vec(map(), 0..3),
        (mbarrier("full"), mbarrier("lane")),
        (warpgroup("m64n8k16"), warpgroup("product \"2\"")),
    );
    (arrays, matrix, grid, size, bulk, body()).prop_map(
        |((x, y, shared), (m, n), grid, (warps, lanes), (maps, (full, empty), (o, p)), body)| {
            Program {
                name: "program".into(),
                params: vec![x, y],
                shared: vec![shared],
                grid,
                warps,
                lanes,
                matrix: vec![m, n],
                maps,
                mbarriers: vec![full, empty],
                warpgroup: vec![o, p],
                body,
            }
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
    fn no_text_breaks_the_parser(text in "(lane|grid|param|%x|#1|for|when|copy|load|[(){}<+*,:0-9 -]|warp|f32x8|matrix|product|map|mbarrier|warpgroup|await|signal|parity|by|swizzle|\"m\"){0,60}") {
        let _ = parse(&text);
    }
}

#[test]
fn an_error_says_where_and_what_was_wanted() {
    let head = "lane t grid [1] warps 1 lanes 32 {\n  param %x : f32[4]\n";
    let cases = [
        (
            "  matrix \"m\" : f16 to f32 inner",
            "line 3, column 27: wanted `outer` or `word`, found `inner`",
        ),
        (
            "  matrix \"m\" : f16 to f32 outer {\n    a [x1] lanes",
            "line 4, column 8: wanted rows or columns, such as `r8` or `c2`, found `x1`",
        ),
        (
            "  %0 = load %y[lane] : 4\n}",
            "line 3, column 13: no line before defines `%y`",
        ),
        (
            "  %0 = load %x[row] : 4\n}",
            "line 3, column 16: wanted an index, found `row`",
        ),
        (
            "  %0 = const 1.0 : f32\n}",
            "line 3, column 20: wanted a type, such as `f32x4`, found `f32`",
        ),
        (
            "  %0 = frob %1\n}",
            "line 3, column 8: wanted a function, such as `add`, found `frob`",
        ),
        (
            "  %0 = matrix \"m\" %1, %2, %3\n}",
            "line 3, column 15: wanted a matrix instruction of the program, found \"m\"",
        ),
        (
            "  %0, %1 = for #1 in 0 .. 4 carry (%2 = %3) {\n  }\n}",
            "line 3, column 43: wanted 2 variables, one for each result of the loop, found 1",
        ),
        (
            "  map 1 of %x",
            "line 3, column 7: wanted `0`, the number of this map, found `1`",
        ),
        (
            "  mbarrier %x[1] arrivals 1",
            "line 3, column 12: `%x` is named before; names are unique",
        ),
        (
            "  await %full[0] parity 0",
            "line 3, column 9: wanted an mbarrier of the program, such as `%full`, found `%full`",
        ),
        (
            "  copy_box %x[0] = map 0 [0] signal %x[0]",
            "line 3, column 12: wanted a shared array, found `%x`",
        ),
        (
            "  %0 = product \"m64n8k16\" %1",
            "line 3, column 16: wanted a warpgroup instruction of the program, found \"m64n8k16\"",
        ),
        (
            "  registers 40",
            "line 3, column 13: wanted `more` or `fewer`, found `40`",
        ),
        (
            "  when lane < 4 {\n  }\n}",
            "line 3, column 8: wanted `(`, found `lane`",
        ),
        (
            "  barrier\n  wait\n}",
            "line 5, column 1: wanted a number within 0..4294967296, found `}`",
        ),
        (
            "  commit\n",
            "line 4, column 1: wanted `}`, found the end of the text",
        ),
    ];
    for (text, wanted) in cases {
        let text = format!("{head}{text}");
        let found = parse(&text).expect_err(&text);
        assert_eq!(found.to_string(), wanted, "{text}");
    }
}

#[test]
fn deep_nesting_is_an_error() {
    let head = "lane t grid [] warps 1 lanes 1 {";
    let index = format!("{}lane{}", "(".repeat(5000), ")".repeat(5000));
    let loops = "for #1 in 0 .. 1 {\n".repeat(5000);
    let guards = "when (0 < 1) {\n".repeat(5000);
    for text in [
        format!("{head} for #1 in {index}"),
        format!("{head} {loops}"),
        format!("{head} {guards}"),
    ] {
        let error = parse(&text).expect_err("too deep").to_string();
        assert!(error.contains("at most"), "{error}");
    }
}

#[test]
fn the_page_about_lane_programs_shows_one_that_runs() {
    let page = include_str!("../../docs/lane.md");
    let shown = page.split("```lane\n").nth(1).unwrap();
    let shown = shown.split("```").next().unwrap();
    let program = parse(shown).unwrap();
    let x: Vec<f64> = (0..3000).map(|i| f64::from(i % 7)).collect();
    let mut params = [x.clone(), vec![f64::NAN; 10]];
    emulate_all(&program, &mut params, None).unwrap();
    for (x, y) in x.chunks(300).zip(&params[1]) {
        assert_eq!(x.iter().sum::<f64>(), *y);
    }
    let without = parse(&shown.replace("barrier", "")).unwrap();
    let error = emulate_all(&without, &mut params, None).unwrap_err();
    assert!(
        page.replace('\n', " ").contains(&error.to_string()),
        "{error}"
    );
}
