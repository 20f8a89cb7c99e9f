//! Which tiles have layouts of their own, and which layouts suit the others.

use std::collections::BTreeMap;

use ir::{
    BinaryFn, DType, Simt,
    lane::{Layout, MatrixInstr},
    tile::{self, Axis, For, Index, Ranges, Shape, Stmt, Types, Value, Var},
};

use super::{Spread, SpreadError, blocked::blocked, tiling::Tiling};

/// What is known of the tiles of a program.
pub(super) struct Layouts<'a> {
    pub types: Types,
    /// Layouts of results of dots and folds, of tiles that loops carry, and of what is computed from them.
    pub own: BTreeMap<Var, Layout>,
    /// How each dot is made, by its result.
    pub tilings: BTreeMap<Var, Tiling>,
    pub defs: BTreeMap<Var, &'a Value>,
    /// How often each tile is used.
    uses: BTreeMap<Var, u32>,
    /// Along which axis the elements of each load lie side by side in memory, and their type there.
    along: BTreeMap<Var, (Axis, DType)>,
    simt: &'a Simt,
    threads: [u32; 2],
}

impl<'a> Layouts<'a> {
    pub fn find(
        program: &'a tile::Program,
        simt: &'a Simt,
        spread: &Spread,
    ) -> Result<Self, SpreadError> {
        let mut layouts = Self::begin(program, simt, spread.warps[0] * spread.warps[1])?;
        layouts.tile(spread)?;
        layouts.settle(&program.body);
        Ok(layouts)
    }

    /// The same with results of dots in these layouts.
    pub fn with(
        program: &'a tile::Program,
        simt: &'a Simt,
        warps: u32,
        dots: impl FnOnce(&Self) -> Result<BTreeMap<Var, Layout>, SpreadError>,
    ) -> Result<Self, SpreadError> {
        let mut layouts = Self::begin(program, simt, warps)?;
        layouts.own = dots(&layouts)?;
        layouts.settle(&program.body);
        Ok(layouts)
    }

    fn begin(program: &'a tile::Program, simt: &'a Simt, warps: u32) -> Result<Self, SpreadError> {
        let types = tile::types(program).expect("a lowered program has no faults");
        let odd = types
            .iter()
            .find(|(_, (_, s))| !s.rows.is_power_of_two() || !s.lanes.is_power_of_two());
        if let Some((var, (_, shape))) = odd {
            let (var, shape) = (*var, *shape);
            return Err(SpreadError::Sides { var, shape });
        }
        let mut layouts = Self {
            types,
            own: BTreeMap::new(),
            tilings: BTreeMap::new(),
            defs: BTreeMap::new(),
            uses: BTreeMap::new(),
            along: BTreeMap::new(),
            simt,
            threads: [simt.lanes, warps],
        };
        layouts.define(program, &program.body, &Ranges::of(program));
        Ok(layouts)
    }

    /// What a tile is assigned, unless a loop carries it.
    pub fn def(&self, var: Var) -> Option<&'a Value> {
        self.defs.get(&var).copied()
    }

    /// Notes definitions, and how loads run through memory.
    fn define(&mut self, program: &tile::Program, body: &'a [Stmt], ranges: &Ranges) {
        for stmt in body {
            match stmt {
                Stmt::Let(var, value) => {
                    self.defs.insert(*var, value);
                    self.used(&operands(value));
                    if let Value::Load { from, shape, .. } = value {
                        let at = ranges.in_tile(*shape).affine(&from.at);
                        let down = at.stride(&Index::Row) == Some(1) && shape.rows > 1;
                        let axis = if down { Axis::Rows } else { Axis::Lanes };
                        let dtype = program.array(from.memory).dtype;
                        self.along.insert(*var, (axis, dtype));
                    }
                }
                Stmt::Store { value, .. } => self.used(&[*value]),
                Stmt::For(l) => {
                    let carried = l.carried.iter().flat_map(|c| [c.init, c.next]);
                    self.used(&carried.collect::<Vec<Var>>());
                    self.define(program, &l.body, &ranges.in_loop(l));
                }
            }
        }
    }

    fn used(&mut self, vars: &[Var]) {
        for var in vars {
            *self.uses.entry(*var).or_default() += 1;
        }
    }

    /// The factors of a product that is used once.
    pub fn factors(&self, var: Var) -> Option<[Var; 2]> {
        match self.def(var)? {
            Value::Binary(BinaryFn::Mul, x, y) if self.uses.get(&var) == Some(&1) => Some([*x, *y]),
            _ => None,
        }
    }

    /// Finds how each dot is made.
    fn tile(&mut self, spread: &Spread) -> Result<(), SpreadError> {
        for (var, value) in &self.defs {
            let Value::Dot { a, b, acc } = value else {
                continue;
            };
            let operands = [self.types[a].0, self.types[b].0];
            let (dtype, shape) = self.types[acc];
            let depth = self.types[a].1.lanes;
            let instr = instruction(self.simt, operands, dtype, spread.instr)?;
            let sides = [shape.rows, shape.lanes, depth];
            let tiling = Tiling::new(instr, sides, spread.warps)?;
            self.own.insert(*var, tiling.c.clone());
            self.tilings.insert(*var, tiling);
        }
        Ok(())
    }

    /// Gives layouts to what is computed from tiles that have one, until nothing changes; then to what loops carry
    /// without any.
    fn settle(&mut self, body: &[Stmt]) {
        loop {
            while self.pass(body) {}
            let Some(l) = self.unsettled(body) else {
                return;
            };
            for c in &l.carried {
                let next = self.natural(c.next);
                self.own.entry(c.current).or_insert(next);
            }
        }
    }

    /// The first loop, innermost first, that carries a tile of no layout.
    fn unsettled<'b>(&self, body: &'b [Stmt]) -> Option<&'b For> {
        body.iter().find_map(|stmt| match stmt {
            Stmt::For(l) => self.unsettled(&l.body).or_else(|| {
                let free = l.carried.iter().any(|c| !self.own.contains_key(&c.current));
                free.then_some(l)
            }),
            _ => None,
        })
    }

    /// Whether some tile got a layout.
    fn pass(&mut self, body: &[Stmt]) -> bool {
        let mut changed = false;
        for stmt in body {
            match stmt {
                Stmt::Let(var, value) if !self.own.contains_key(var) => {
                    if let Some(layout) = self.of(*var, value) {
                        self.own.insert(*var, layout);
                        changed = true;
                    }
                }
                Stmt::Let(..) | Stmt::Store { .. } => {}
                Stmt::For(l) => {
                    changed |= self.pass(&l.body);
                    for c in &l.carried {
                        let all = [c.current, c.next, c.init];
                        let known = all.iter().find_map(|v| self.own.get(v)).cloned();
                        for var in [c.current, c.result] {
                            if let (Some(layout), false) = (&known, self.own.contains_key(&var)) {
                                self.own.insert(var, layout.clone());
                                changed = true;
                            }
                        }
                    }
                }
            }
        }
        changed
    }

    /// The layout of a value by those of its operands.
    fn of(&self, var: Var, value: &Value) -> Option<Layout> {
        let shape = self.types[&var].1;
        let alike = |operands: &[Var]| {
            let fit = operands.iter().filter(|v| self.types[v].1 == shape);
            fit.into_iter().find_map(|v| self.own.get(v)).cloned()
        };
        match value {
            Value::Splat(..) | Value::Coordinate(..) | Value::Load { .. } | Value::Dot { .. } => {
                None
            }
            Value::Unary(_, x) | Value::Cast(_, x) | Value::Broadcast(x, _) => alike(&[*x]),
            Value::Binary(_, x, y) => alike(&[*x, *y]),
            Value::Select(c, x, y) => alike(&[*x, *y, *c]),
            Value::Reduce(_, axis, x) => {
                // What is folded may yet get the layout of what a loop carries.
                if !self.own.contains_key(x) && self.waits(*x) {
                    return None;
                }
                let whole = self.natural(*x);
                Some(match axis {
                    Axis::Rows => whole.one_row(),
                    Axis::Lanes => whole.one_column(),
                })
            }
        }
    }

    /// Whether a tile is computed from one that a loop carries, whose layout is not known yet.
    fn waits(&self, var: Var) -> bool {
        match self.defs.get(&var) {
            None => !self.own.contains_key(&var),
            Some(value) => operands(value)
                .into_iter()
                .any(|v| self.types[&v].1 == self.types[&var].1 && self.waits(v)),
        }
    }

    /// A tile's own layout, or one in which lanes read side by side what it is computed from, at most `vector`
    /// elements each.
    pub fn preferred(&self, var: Var, vector: u64) -> Layout {
        if let Some(layout) = self.own.get(&var) {
            return layout.clone();
        }
        let shape = self.types[&var].1;
        let along = self.first_load(var, shape);
        let along = along.map_or(Axis::Lanes, |(axis, _)| axis);
        blocked(shape, self.threads, along, vector as u32)
    }

    /// A tile's own layout, or one in which lanes read by whole accesses what it is computed from.
    pub fn natural(&self, var: Var) -> Layout {
        let loaded = self.first_load(var, self.types[&var].1);
        let size = loaded.map_or(4, |(_, dtype)| dtype.size() as u64);
        self.preferred(var, self.simt.access.0 / size)
    }

    /// The axis along which what a tile is computed from lies side by side in memory, if it is loaded.
    pub fn runs(&self, var: Var) -> Option<Axis> {
        if self.own.contains_key(&var) {
            return None;
        }
        let loaded = self.first_load(var, self.types[&var].1);
        loaded.map(|(axis, _)| axis)
    }

    /// How the first load of this shape runs that a tile is computed from, and its type in memory.
    fn first_load(&self, var: Var, shape: Shape) -> Option<(Axis, DType)> {
        if self.types[&var].1 != shape {
            return None;
        }
        if let Some(loaded) = self.along.get(&var) {
            return Some(*loaded);
        }
        let parts = operands(self.defs.get(&var)?);
        parts.into_iter().find_map(|v| self.first_load(v, shape))
    }
}

/// The tiles that a value is computed from.
pub(super) fn operands(value: &Value) -> Vec<Var> {
    match value {
        Value::Splat(..) | Value::Coordinate(..) | Value::Load { .. } => vec![],
        Value::Unary(_, x)
        | Value::Cast(_, x)
        | Value::Broadcast(x, _)
        | Value::Reduce(_, _, x) => vec![*x],
        Value::Binary(_, x, y) => vec![*x, *y],
        Value::Select(c, x, y) => vec![*x, *y, *c],
        Value::Dot { a, b, acc } => vec![*acc, *a, *b],
    }
}

/// The matrix instruction for operands of these types: the preferred one if it takes them, or the first that does;
/// where none does, that for f32.
fn instruction(
    simt: &Simt,
    [a, b]: [DType; 2],
    sum: DType,
    preferred: u32,
) -> Result<&MatrixInstr, SpreadError> {
    let takes = |i: &&MatrixInstr, dtype| i.operands == dtype && i.accumulator == sum;
    let first = simt.matrix.get(preferred as usize);
    let find = |dtype| {
        let mut all = first.into_iter().chain(&simt.matrix);
        all.find(|i| takes(i, dtype))
    };
    let alike = if a == b { find(a) } else { None };
    let found = alike.or_else(|| find(sum));
    found.ok_or(SpreadError::NoInstr(a))
}
