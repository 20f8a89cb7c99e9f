//! Random elementwise programs of any width: compiled code gives the bits of their evaluation.

mod support;

use backends::cpu::{Workers, compile};
use ir::{
    BinaryFn, DType, UnaryFn,
    tile::{Arithmetic, Index, Memory, Program, Shape, Stmt, Value, Var, evaluate, verify},
};
use proptest::{prelude::*, test_runner::Config};
use support::{Buffer, Code, access, array, can_run, decoded, encoded};

/// One choice: of a function and two operands.
type Choice = (u8, u8, u8);

const FLOATS: usize = 3;

struct Maker {
    shape: Shape,
    body: Vec<Stmt>,
    types: Vec<DType>,
}

impl Maker {
    fn push(&mut self, dtype: DType, value: Value) -> Var {
        let var = Var(self.types.len() as u32);
        self.types.push(dtype);
        self.body.push(Stmt::Let(var, value));
        var
    }

    /// The variable of a type that a choice falls on.
    fn pick(&self, dtype: DType, choice: u8) -> Var {
        let fit: Vec<u32> = (0u32..)
            .zip(&self.types)
            .filter(|(_, t)| **t == dtype)
            .map(|(i, _)| i)
            .collect();
        Var(fit[choice as usize % fit.len()])
    }

    fn step(&mut self, (f, a, b): Choice) {
        use DType::{Bf16, Bool, F16, F32, I32};
        let unary = [
            UnaryFn::Neg,
            UnaryFn::Abs,
            UnaryFn::Floor,
            UnaryFn::Ceil,
            UnaryFn::Round,
        ];
        let exact = [UnaryFn::Sqrt, UnaryFn::Recip];
        let binary = [
            BinaryFn::Add,
            BinaryFn::Sub,
            BinaryFn::Mul,
            BinaryFn::Div,
            BinaryFn::Max,
            BinaryFn::Min,
        ];
        let tests = [
            BinaryFn::Lt,
            BinaryFn::Le,
            BinaryFn::Gt,
            BinaryFn::Ge,
            BinaryFn::Eq,
            BinaryFn::Ne,
        ];
        let which = usize::from(f / 16);
        match f % 16 {
            0..=1 => {
                let f = [&unary[..], &exact[..]].concat()[which % 7];
                self.push(F32, Value::Unary(f, self.pick(F32, a)));
            }
            2..=6 => {
                let f = binary[which % binary.len()];
                self.push(F32, Value::Binary(f, self.pick(F32, a), self.pick(F32, b)));
            }
            7..=8 => {
                let f = tests[which % tests.len()];
                self.push(Bool, Value::Binary(f, self.pick(F32, a), self.pick(F32, b)));
            }
            9 => {
                let f = tests[which % tests.len()];
                self.push(Bool, Value::Binary(f, self.pick(I32, a), self.pick(I32, b)));
            }
            10 => {
                let f = [BinaryFn::And, BinaryFn::Or][which % 2];
                self.push(
                    Bool,
                    Value::Binary(f, self.pick(Bool, a), self.pick(Bool, b)),
                );
            }
            11..=12 => {
                let test = self.pick(Bool, f.wrapping_add(a));
                self.push(
                    F32,
                    Value::Select(test, self.pick(F32, a), self.pick(F32, b)),
                );
            }
            13 => {
                let f = [BinaryFn::Add, BinaryFn::Sub, BinaryFn::Max, BinaryFn::Min][which % 4];
                self.push(I32, Value::Binary(f, self.pick(I32, a), self.pick(I32, b)));
            }
            14 => {
                let from = [I32, Bool][which % 2];
                self.push(F32, Value::Cast(F32, self.pick(from, a)));
            }
            _ => {
                let half = [F16, Bf16][which % 2];
                let narrow = self.push(half, Value::Cast(half, self.pick(F32, a)));
                let sum = self.push(
                    half,
                    Value::Binary(BinaryFn::Add, narrow, self.pick(half, b)),
                );
                self.push(F32, Value::Cast(F32, sum));
            }
        }
    }
}

/// A program of one block: three tiles of floats (whole, a column, a row) and one of integers, then the choices.
fn program(name: String, shape: Shape, choices: &[Choice]) -> Program {
    let mut maker = Maker {
        shape,
        body: vec![],
        types: vec![],
    };
    let (column, row) = (Shape::new(shape.rows, 1), Shape::new(1, shape.lanes));
    let lanes = i64::from(shape.lanes);
    let whole = || Index::Row * lanes + Index::Lane;
    let load = |i, at, shape| Value::Load {
        from: access(Memory::Param(i), at),
        shape,
        other: 0.0.into(),
    };
    maker.push(DType::F32, load(0, whole(), shape));
    maker.push(DType::F32, load(1, Index::Row, column));
    maker.push(DType::F32, load(2, Index::Lane, row));
    maker.push(DType::I32, load(3, whole(), shape));
    maker.push(DType::Bool, Value::Binary(BinaryFn::Lt, Var(0), Var(1)));
    for choice in choices {
        maker.step(*choice);
    }
    let last = maker
        .types
        .iter()
        .rposition(|t| *t == DType::F32)
        .expect("three are loaded");
    let out = maker.push(DType::F32, Value::Broadcast(Var(last as u32), maker.shape));
    let mut body = maker.body;
    let result = FLOATS as u32 + 1;
    body.push(Stmt::Store {
        to: access(Memory::Param(result), whole()),
        value: out,
    });
    let len = i64::from(shape.rows) * lanes;
    let params = vec![
        array("whole", DType::F32, len, false),
        array("column", DType::F32, shape.rows.into(), false),
        array("row", DType::F32, lanes, false),
        array("integers", DType::I32, len, false),
        array("out", DType::F32, len, true),
    ];
    Program {
        name,
        params,
        locals: vec![],
        grid: vec![1],
        body,
    }
}

/// Numbers of all kinds.
fn numbers(dtype: DType, len: usize, seed: usize) -> Vec<f64> {
    let special = [
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        0.0,
        -0.0,
        1e-40,
        3e38,
    ];
    let number = |i: usize| match ((i + seed) * 7919 % 103, dtype) {
        (n, DType::F32) if n < special.len() => special[n],
        (n, DType::F32) => (n as f64 - 50.0) / 7.0,
        (n, _) => n as f64 - 50.0,
    };
    (0..len).map(|i| ir::round_to(dtype, number(i))).collect()
}

fn check(programs: &[Program]) {
    for target in ["cpu:x86-64-v3", "cpu:x86-64-v4"] {
        let target = backends::resolve(target).unwrap();
        if !can_run(&target) {
            continue;
        }
        let code = Code::load(&compile(programs, &target, &Workers::InProcess).unwrap());
        for program in programs {
            verify(program).unwrap();
            let arrays = || program.params.iter().zip(0..);
            let mut values: Vec<Vec<f64>> = arrays()
                .map(|(a, seed)| numbers(a.dtype, a.len as usize, 31 * seed))
                .collect();
            let mut buffers: Vec<Buffer> = arrays()
                .map(|(a, i)| Buffer::of(&encoded(a.dtype, &values[i])))
                .collect();
            code.call(program, &mut buffers);
            evaluate(program, &mut values, Arithmetic::Rounded).unwrap();
            let out = FLOATS + 1;
            let results = decoded(DType::F32, &buffers[out].data());
            for (at, (got, wanted)) in results.iter().zip(&values[out]).enumerate() {
                let same = got == wanted || got.is_nan() && wanted.is_nan();
                assert!(
                    same,
                    "{}: element {at} is {got}, not {wanted}, in\n{program}",
                    target.name
                );
            }
        }
    }
}

proptest! {
    #![proptest_config(Config { cases: 6, failure_persistence: None, ..Config::default() })]

    #[test]
    fn elementwise_programs_give_the_bits_of_their_evaluation(
        parts in prop::collection::vec(
            (1u32..4, 1u32..50, prop::collection::vec(any::<Choice>(), 1..25)),
            8,
        )
    ) {
        let programs: Vec<Program> = parts
            .iter()
            .enumerate()
            .map(|(i, (rows, lanes, choices))| program(format!("p{i}"), Shape::new(*rows, *lanes), choices))
            .collect();
        check(&programs);
    }
}
