//! Lane programs for any device, and what they mean.
#![allow(dead_code, reason = "each test uses a part")]

use ir::{
    DType,
    lane::{
        Access, Carried, Index, Layout, MatrixInstr, Memory, Program, Spelling, Step, Stmt, Type,
        Value, emulate_all, parse,
    },
    tile::{Array, Counter, Var},
};

fn array(name: &str, dtype: DType, len: i64, written: bool) -> Array {
    Array {
        name: name.into(),
        dtype,
        len,
        written,
    }
}

/// `z = x + y`, of 1000 numbers, four to a lane, 256 lanes to a block.
pub fn add(lanes: u32) -> Program {
    let text = format!(
        "lane add grid [1] warps {warps} lanes {lanes} {{
           param %x : f32[1000]
           param %y : f32[1000]
           param %z : f32[1000] written
           %0 = load %x[(warp * {lanes} + lane) * 4] where ((warp * {lanes} + lane) * 4 < 1000) : 4
           %1 = load %y[(warp * {lanes} + lane) * 4] where ((warp * {lanes} + lane) * 4 < 1000) : 4
           %2 = add %0, %1
           store %z[(warp * {lanes} + lane) * 4] where ((warp * {lanes} + lane) * 4 < 1000) = %2
         }}",
        warps = 256 / lanes
    );
    parse(&text).unwrap()
}

/// `y[i] = sum of x[i, ..]`, five rows of 300, two warps to a row; lanes fold, then warps.
pub fn row_sum(lanes: u32, dtype: DType) -> Program {
    let mut folds = String::new();
    let (mut last, mut bits) = (4, lanes / 2);
    while bits > 0 {
        folds += &format!("%{} = shuffle_xor %{last}, {bits}\n", last + 1);
        folds += &format!("%{} = add %{last}, %{}\n", last + 2, last + 1);
        (last, bits) = (last + 2, bits / 2);
    }
    let step = 2 * lanes;
    let text = format!(
        "lane row_sum grid [5] warps 2 lanes {lanes} {{
           param %x : {dtype}[1500]
           param %y : {dtype}[5] written
           shared %partial : {dtype}[2]
           %0 = const 0.0 : {dtype}x1
           %4 = for #1 in 0 .. 300 step {step} carry (%1 = %0) {{
             %2 = load %x[#0 * 300 + #1 + warp * {lanes} + lane] where (#1 + warp * {lanes} + lane < 300) : 1
             %3 = add %1, %2
             yield %3
           }}
           {folds}
           when (lane < 1) {{
             store %partial[warp] = %{last}
           }}
           barrier
           when (warp * {lanes} + lane < 1) {{
             %90 = load %partial[0] : 1
             %91 = load %partial[1] : 1
             %92 = add %90, %91
             store %y[#0] = %92
           }}
         }}"
    );
    parse(&text).unwrap()
}

/// `y = x w` through two buffers, by asynchronous copies and fragments read as matrices; f16 or bf16.
pub fn pipeline(instr: &MatrixInstr) -> Program {
    let text = include_str!("../../../ir/tests/lane/pipeline.lane");
    let Spelling::Word(word) = &instr.spelling else {
        panic!("a matrix instruction with a word");
    };
    let text = text
        .replace("f16", instr.operands.name())
        .replace("mma_m16n8k16_bf16_f32", word)
        .replace("mma_m16n8k16_f16_f32", word);
    parse(&text).unwrap()
}

struct Maker {
    next: u32,
}

impl Maker {
    fn let_(&mut self, body: &mut Vec<Stmt>, value: Value) -> Var {
        let var = Var(self.next);
        self.next += 1;
        body.push(Stmt::Let(var, value));
        var
    }
}

fn access(memory: Memory, at: Index, guard: Vec<(Index, Index)>) -> Access {
    Access { memory, at, guard }
}

/// Registers that lie side by side along one side of a fragment.
fn run(layout: &Layout, side: fn(u32) -> Step) -> u32 {
    let steps = layout.register.iter().enumerate();
    let along = steps.take_while(|(bit, s)| **s == side(1 << bit)).count();
    1 << along
}

/// `y[i, j] = sum over k of x[i, k] w[j, k]`, a warp to `down x across` results of the instruction, two warps below each
/// other to a block, staged in shared memory; two by two blocks, the last of which are ragged by one row and column.
pub fn contraction(
    instr: &MatrixInstr,
    lanes: u32,
    depth: i64,
    [down, across]: [i64; 2],
) -> Program {
    let (each_m, each_n, k) = instr.sides();
    let (each_m, each_n, k) = (i64::from(each_m), i64::from(each_n), i64::from(k));
    let (m, n) = (each_m * down, each_n * across);
    let held = instr.c.width() * (down * across) as u32;
    let warps = 2;
    let (tall, deep) = (m * i64::from(warps), k.max(16));
    let (rows, columns) = (2 * tall - 1, 2 * n - 1);
    let thread = || Index::Warp * i64::from(lanes) + Index::Lane;
    let size = instr.operands.size() as i64;
    let many = 16 / size;
    let [x, w, y] = [0, 1, 2].map(Memory::Param);
    let [xs, ws] = [0, 1].map(Memory::Shared);
    let (row, column) = (Index::from(Counter(0)) * tall, Index::from(Counter(1)) * n);
    let mut maker = Maker { next: 0 };
    let mut body = vec![];
    let zero = Value::Const(0.0.into(), Type::new(instr.accumulator, held));
    let init = maker.let_(&mut body, zero);
    let current = Var(100_000);
    let mut round = vec![];
    let at_depth = || Index::from(Counter(2));
    for (counter, from, to, start, high, limit) in [
        (3, x, xs, row.clone(), tall, rows),
        (4, w, ws, column.clone(), n, columns),
    ] {
        let at = || Index::from(Counter(counter)) + thread() * many;
        let line = || start.clone() + at().floor_div(deep);
        let guard = vec![(at(), Index::from(high * deep)), (line(), limit.into())];
        let mut copy = vec![];
        let load = Value::Load {
            from: access(from, line() * depth + at_depth() + at().modulo(deep), guard),
            width: many as u32,
            other: 0.0.into(),
        };
        let value = maker.let_(&mut copy, load);
        let inside = vec![(at(), Index::from(high * deep))];
        copy.push(Stmt::Store {
            to: access(to, at(), inside),
            value,
        });
        round.push(Stmt::For(ir::lane::For {
            counter: Counter(counter),
            start: 0.into(),
            end: (high * deep).into(),
            step: i64::from(warps * lanes) * many,
            unroll: 1,
            carried: vec![],
            body: copy,
        }));
    }
    round.push(Stmt::Barrier);
    let mut sum = current;
    for part in 0..deep / k {
        let mut fragment = |memory, layout: &Layout, deep_step: fn(u32) -> Step, start: Index| {
            let width = run(layout, deep_step).min(many as u32);
            let mut pieces = vec![];
            for register in (0..layout.width()).step_by(width as usize) {
                let (i, j) = layout.index(register);
                let (line, inner) = if memory == xs { (i, j) } else { (j, i) };
                let at = (line + start.clone()) * deep + inner + part * k;
                let load = Value::Load {
                    from: access(memory, at, vec![]),
                    width,
                    other: 0.0.into(),
                };
                pieces.push(maker.let_(&mut round, load));
            }
            maker.let_(&mut round, Value::Concat(pieces))
        };
        let a: Vec<Var> = (0..down)
            .map(|i| {
                let start = Index::Warp * m + i * each_m;
                fragment(xs, &instr.a, Step::columns, start)
            })
            .collect();
        let b: Vec<Var> = (0..across)
            .map(|j| fragment(ws, &instr.b, Step::rows, (j * each_n).into()))
            .collect();
        let mut sums = vec![];
        for (tile, (a, b)) in (0..).zip(a.iter().flat_map(|a| b.iter().map(move |b| (a, b)))) {
            let width = instr.c.width();
            let picked = (tile * width..(tile + 1) * width).collect();
            let c = maker.let_(&mut round, Value::Pick(sum, picked));
            let product = Value::Matrix {
                instr: 0,
                a: *a,
                b: *b,
                c,
            };
            sums.push(maker.let_(&mut round, product));
        }
        sum = maker.let_(&mut round, Value::Concat(sums));
    }
    round.push(Stmt::Barrier);
    let result = Var(100_001);
    body.push(Stmt::For(ir::lane::For {
        counter: Counter(2),
        start: 0.into(),
        end: depth.into(),
        step: deep,
        unroll: 1,
        carried: vec![Carried {
            init,
            current,
            next: sum,
            result,
        }],
        body: round,
    }));
    for register in 0..held {
        let (i, j) = instr.c.index(register % instr.c.width());
        let tile = i64::from(register / instr.c.width());
        let i = row.clone() + Index::Warp * m + i + tile / across * each_m;
        let j = column.clone() + j + tile % across * each_n;
        let value = maker.let_(&mut body, Value::Pick(result, vec![register]));
        let guard = vec![(i.clone(), rows.into()), (j.clone(), columns.into())];
        body.push(Stmt::Store {
            to: access(y, i * columns + j, guard),
            value,
        });
    }
    Program {
        name: "contraction".into(),
        params: vec![
            array("x", instr.operands, rows * depth, false),
            array("w", instr.operands, columns * depth, false),
            array("y", instr.accumulator, rows * columns, true),
        ],
        shared: vec![
            array("xs", instr.operands, tall * deep, true),
            array("ws", instr.operands, n * deep, true),
        ],
        grid: vec![2, 2],
        warps,
        lanes,
        matrix: vec![instr.clone()],
        maps: vec![],
        mbarriers: vec![],
        warpgroup: vec![],
        body,
    }
}

/// Whole numbers that are small.
pub fn numbers(len: i64, seed: i64) -> Vec<f64> {
    let number = |i: i64| ((i * 7919 + seed * 13) % 7 - 3) as f64;
    (0..len).map(number).collect()
}

/// Runs the program on the emulator; gives the contents of its parameters.
pub fn emulated(program: &Program) -> Vec<Vec<f64>> {
    let mut params: Vec<Vec<f64>> = (0..)
        .zip(&program.params)
        .map(|(i, p)| match p.written {
            true => vec![f64::NAN; p.len as usize],
            false => numbers(p.len, i),
        })
        .collect();
    emulate_all(program, &mut params, None).unwrap();
    params
}

/// `y = x` backwards, of 20000 numbers in shared memory: 80000 bytes.
pub fn backwards(lanes: u32) -> Program {
    let text = format!(
        "lane backwards grid [1] warps 4 lanes {lanes} {{
           param %x : f32[20000]
           param %y : f32[20000] written
           shared %xs : f32[20000]
           for #1 in 0 .. 20000 step {step} {{
             when (#1 + warp * {lanes} + lane < 20000) {{
               %0 = load %x[#1 + warp * {lanes} + lane] : 1
               store %xs[#1 + warp * {lanes} + lane] = %0
             }}
           }}
           barrier
           for #2 in 0 .. 20000 step {step} {{
             when (#2 + warp * {lanes} + lane < 20000) {{
               %1 = load %xs[19999 + (#2 + warp * {lanes} + lane) * -1] : 1
               store %y[#2 + warp * {lanes} + lane] = %1
             }}
           }}
         }}",
        step = 4 * lanes
    );
    parse(&text).unwrap()
}

/// Every function and conversion of an element type that programs may use, one register each.
pub fn functions(lanes: u32, dtype: DType) -> Program {
    use ir::{BinaryFn, UnaryDef, UnaryFn, lane::verify};
    let mut maker = Maker { next: 0 };
    let (mut body, mut params) = (vec![], vec![]);
    let at = |i: usize, dtype: DType, params: &mut Vec<Array>, written: bool| {
        params.push(array(&format!("p{i}"), dtype, 1, written));
        access(Memory::Param(i as u32), 0.into(), vec![])
    };
    let mut load = || Value::Load {
        from: at(params.len(), dtype, &mut params, false),
        width: 1,
        other: 0.0.into(),
    };
    let loads = [load(), load()];
    let [a, b] = loads.map(|load| maker.let_(&mut body, load));
    let mut results = vec![];
    for f in UnaryFn::ALL {
        if f.domain().contains(dtype) && matches!(f.def(), UnaryDef::Primitive(_)) {
            results.push((dtype, maker.let_(&mut body, Value::Unary(*f, a))));
        }
    }
    for f in BinaryFn::ALL {
        if f.domain().contains(dtype) {
            let to = if f.is_predicate() { DType::Bool } else { dtype };
            results.push((to, maker.let_(&mut body, Value::Binary(*f, a, b))));
        }
    }
    for to in DType::ALL {
        results.push((to, maker.let_(&mut body, Value::Cast(to, a))));
    }
    results.push((dtype, maker.let_(&mut body, Value::ShuffleXor(a, 1))));
    results.push((dtype, maker.let_(&mut body, Value::ShuffleXor(b, 16))));
    if dtype.is_float() {
        results.push((dtype, maker.let_(&mut body, Value::Fma(a, b, a))));
    }
    for (dtype, value) in results {
        let to = at(params.len(), dtype, &mut params, true);
        body.push(Stmt::Store { to, value });
    }
    let program = Program {
        name: "functions".into(),
        params,
        shared: vec![],
        grid: vec![1],
        warps: 1,
        lanes,
        matrix: vec![],
        maps: vec![],
        mbarriers: vec![],
        warpgroup: vec![],
        body,
    };
    verify(&program).unwrap();
    program
}
