//! Builds tile programs: numbers variables and counters, nests loops.

use ir::{
    BinaryFn, DType, F64, Monoid, UnaryFn,
    tile::{
        Access, Array, Axis, Carried, Counter, For, Index, Memory, Program, Shape, Stmt, Value, Var,
    },
};

/// A program under construction.
pub(super) struct Builder {
    program: Program,
    scopes: Vec<Vec<Stmt>>,
    counters: u32,
    vars: u32,
}

/// A loop: `counter` from `start` below `end`, by `step`.
pub(super) struct Range {
    pub start: Index,
    pub end: Index,
    pub step: i64,
    pub unroll: u32,
}

impl Range {
    /// `0, 1, .. < end`
    pub fn below(end: i64) -> Self {
        Self {
            start: 0.into(),
            end: end.into(),
            step: 1,
            unroll: 1,
        }
    }

    /// The same by this step.
    pub fn by(self, step: i64) -> Self {
        Self { step, ..self }
    }

    /// The same with this many rounds written out.
    pub fn unrolled(self, unroll: u32) -> Self {
        Self { unroll, ..self }
    }
}

impl Builder {
    pub fn new(name: &str, params: Vec<Array>, grid: Vec<i64>) -> Self {
        let counters = grid.len() as u32;
        let program = Program {
            name: name.into(),
            params,
            locals: vec![],
            grid,
            body: vec![],
        };
        Self {
            program,
            scopes: vec![vec![]],
            counters,
            vars: 0,
        }
    }

    pub fn finish(mut self) -> Program {
        self.program.body = self.scopes.pop().expect("the outermost scope");
        self.program
    }

    /// The counter of a grid axis.
    pub fn grid(&self, axis: usize) -> Index {
        Counter(axis as u32).into()
    }

    /// An array of each block's own.
    pub fn local(&mut self, name: &str, len: i64) -> Memory {
        self.program.locals.push(Array {
            name: name.into(),
            dtype: DType::F32,
            len,
            written: true,
        });
        Memory::Local(self.program.locals.len() as u32 - 1)
    }

    pub fn var(&mut self) -> Var {
        self.vars += 1;
        Var(self.vars - 1)
    }

    pub fn set(&mut self, value: Value) -> Var {
        let var = self.var();
        self.push(Stmt::Let(var, value));
        var
    }

    fn push(&mut self, stmt: Stmt) {
        self.scopes.last_mut().expect("a scope is open").push(stmt);
    }

    pub fn splat(&mut self, value: f64, shape: Shape) -> Var {
        self.splat_of(value, DType::F32, shape)
    }

    pub fn splat_of(&mut self, value: f64, dtype: DType, shape: Shape) -> Var {
        self.set(Value::Splat(F64::new(value), dtype, shape))
    }

    /// A tile read without a guard.
    pub fn load(&mut self, memory: Memory, at: Index, shape: Shape) -> Var {
        self.set(Value::Load {
            from: Access {
                memory,
                at,
                guard: vec![],
            },
            shape,
            other: 0.0.into(),
        })
    }

    pub fn store(&mut self, memory: Memory, at: Index, value: Var) {
        self.store_where(memory, at, &[], value);
    }

    /// Writes the elements at which every pair's first is below its second.
    pub fn store_where(&mut self, memory: Memory, at: Index, guard: &[(Index, Index)], value: Var) {
        let guard = guard.to_vec();
        let to = Access { memory, at, guard };
        self.push(Stmt::Store { to, value });
    }

    pub fn unary(&mut self, f: UnaryFn, x: Var) -> Var {
        self.set(Value::Unary(f, x))
    }

    pub fn binary(&mut self, f: BinaryFn, x: Var, y: Var) -> Var {
        self.set(Value::Binary(f, x, y))
    }

    pub fn fold_lanes(&mut self, monoid: Monoid, x: Var) -> Var {
        self.set(Value::Reduce(monoid, Axis::Lanes, x))
    }

    /// A loop; `body` gets the counter and the carried tiles and gives their next values.
    pub fn for_each(
        &mut self,
        range: Range,
        init: &[Var],
        body: impl FnOnce(&mut Self, Index, &[Var]) -> Vec<Var>,
    ) -> Vec<Var> {
        let counter = Counter(self.counters);
        self.counters += 1;
        let current: Vec<Var> = init.iter().map(|_| self.var()).collect();
        self.scopes.push(vec![]);
        let next = body(self, counter.into(), &current);
        let stmts = self.scopes.pop().expect("the loop's scope");
        let result: Vec<Var> = init.iter().map(|_| self.var()).collect();
        let carried = (0..init.len())
            .map(|i| Carried {
                init: init[i],
                current: current[i],
                next: next[i],
                result: result[i],
            })
            .collect();
        let Range {
            start,
            end,
            step,
            unroll,
        } = range;
        self.push(Stmt::For(For {
            counter,
            start,
            end,
            step,
            unroll,
            carried,
            body: stmts,
        }));
        result
    }
}
