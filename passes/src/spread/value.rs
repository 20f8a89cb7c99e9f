//! Values of tiles, in the layout in which they are wanted.

use ir::{
    BinaryFn, DType,
    lane::{self, Layout, Type},
    tile::{Shape, Value, Var},
};

use super::{Spreader, index::Frame};

impl Spreader<'_> {
    /// The registers that hold a tile in this layout.
    pub(super) fn want(&mut self, var: Var, layout: &Layout) -> Var {
        let at = self.scope_of(var);
        let key = (var, layout.clone());
        if let Some(held) = self.scopes[at].held.get(&key) {
            return *held;
        }
        let held = self.within(at, |s| match s.layouts.own.get(&var).cloned() {
            Some(own) if own != *layout => {
                let x = s.want(var, &own);
                s.convert(x, s.layouts.types[&var].0, &own, layout)
            }
            _ => {
                let value = s.scopes[at].defs[&var];
                s.value(var, value, layout)
            }
        });
        self.scopes[at].held.insert(key, held);
        held
    }

    fn value(&mut self, var: Var, value: &Value, layout: &Layout) -> Var {
        let (dtype, shape) = self.layouts.types[&var];
        let width = layout.width();
        let value = match value {
            Value::Splat(x, _, _) => lane::Value::Const(*x, Type::new(dtype, width)),
            Value::Coordinate(index, _) => {
                let ranges = self.scopes[self.at].ranges.in_tile(shape);
                let frame = Frame::new(layout, ranges);
                let sum = frame.sum(index);
                let each = (0..width).map(|r| self.index(&frame, &sum, r, &[]));
                lane::Value::Index(each.collect())
            }
            Value::Load { from, other, .. } => return self.load(from, shape, *other, layout),
            Value::Unary(f, x) => lane::Value::Unary(*f, self.operand(*x, shape, layout)),
            Value::Binary(BinaryFn::Add, x, y)
                if let Some((product, z)) = self.fused([*x, *y], (dtype, shape), layout) =>
            {
                let [x, y, z] = [product[0], product[1], z].map(|v| self.operand(v, shape, layout));
                lane::Value::Fma(x, y, z)
            }
            Value::Binary(f, x, y) => {
                let [x, y] = [x, y].map(|v| self.operand(*v, shape, layout));
                lane::Value::Binary(*f, x, y)
            }
            Value::Select(c, x, y) => {
                let [c, x, y] = [c, x, y].map(|v| self.operand(*v, shape, layout));
                lane::Value::Select(c, x, y)
            }
            Value::Cast(to, x) => lane::Value::Cast(*to, self.operand(*x, shape, layout)),
            Value::Broadcast(x, _) => return self.operand(*x, shape, layout),
            Value::Reduce(monoid, axis, x) => return self.fold(*monoid, *axis, *x),
            Value::Dot { a, b, acc } => return self.dot(var, [*a, *b], *acc),
        };
        self.set(value)
    }

    /// The factors and the summand of a sum whose product nothing else needs, in f32.
    fn fused(
        &self,
        sum: [Var; 2],
        (dtype, shape): (DType, Shape),
        layout: &Layout,
    ) -> Option<([Var; 2], Var)> {
        let [x, y] = sum;
        [(x, y), (y, x)].into_iter().find_map(|(product, z)| {
            let factors = self.layouts.factors(product)?;
            // Not one of another loop, which is computed there.
            let here = self.scopes[self.at].defs.contains_key(&product);
            let whole = self.layouts.types[&product] == (DType::F32, shape);
            let own = self.layouts.own.get(&product);
            let fits = dtype == DType::F32 && here && whole && own.is_none_or(|own| own == layout);
            fits.then_some((factors, z))
        })
    }

    /// An operand that repeats to `shape`, in this layout of it.
    fn operand(&mut self, var: Var, shape: Shape, layout: &Layout) -> Var {
        let own = self.layouts.types[&var].1;
        let mut of = layout.clone();
        let (down, across) = (own.rows < shape.rows, own.lanes < shape.lanes);
        if down {
            of = of.one_row();
        }
        if across {
            of = of.one_column();
        }
        if let Some(Value::Splat(x, dtype, _)) = self.layouts.def(var) {
            return self.set(lane::Value::Const(*x, Type::new(*dtype, layout.width())));
        }
        let held = self.want(var, &of);
        // Register bits along sides that repeat are gone.
        let gone = |bit: &usize| {
            let step = layout.register[*bit];
            (down && step.row > 0) || (across && step.column > 0)
        };
        let kept: Vec<usize> = (0..layout.register.len()).filter(|b| !gone(b)).collect();
        let registers = (0..layout.width()).map(|r| {
            let bits = kept.iter().enumerate();
            bits.map(|(to, from)| (r >> from & 1) << to).sum::<u32>()
        });
        self.pick(held, of.width(), registers)
    }
}
