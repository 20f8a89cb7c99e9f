//! Loads and stores: contiguous lanes in one access, repeated ones in one scalar, others one by one.

use ir::{
    DType,
    tile::{Access, Memory, Shape},
};

use super::{Emitter, Tile, guard::Guard, typed};
use crate::{
    linear::Linear,
    mlir::{
        numbers::register,
        text::{Elem, Type, Value},
    },
};

/// The type that holds a number in memory.
pub(super) const fn stored(dtype: DType) -> Elem {
    match dtype {
        DType::F32 => Elem::F32,
        DType::F16 | DType::Bf16 => Elem::I16,
        DType::I8 | DType::U8 | DType::Bool => Elem::I8,
        DType::I32 => Elem::I32,
        DType::I64 => Elem::I64,
    }
}

impl Emitter<'_> {
    pub(super) fn load(&mut self, from: &Access, shape: Shape, other: f64) -> Tile {
        let dtype = self.program.array(from.memory).dtype;
        let mut rows: Vec<Vec<Value>> = Vec::new();
        let varies = |part: &ir::tile::Index| {
            from.at.mentions(part)
                || from
                    .guard
                    .iter()
                    .any(|(a, b)| a.mentions(part) || b.mentions(part))
        };
        let (row_varies, lane_varies) = (
            varies(&ir::tile::Index::Row),
            varies(&ir::tile::Index::Lane),
        );
        for row in 0..shape.rows {
            if row > 0 && !row_varies {
                rows.push(rows[0].clone());
                continue;
            }
            self.at_row(row);
            let pieces = self.pieces(shape.lanes);
            rows.push(if lane_varies {
                let load = |(first, width)| self.load_register(from, shape, other, first, width);
                pieces.into_iter().map(load).collect()
            } else {
                let scalar = self.load_register(from, shape, other, 0, None);
                let spread = |(_, width)| self.text.broadcast(scalar, width);
                pieces.into_iter().map(spread).collect()
            });
        }
        Tile { shape, dtype, rows }
    }

    fn load_register(
        &mut self,
        from: &Access,
        shape: Shape,
        other: f64,
        first: u32,
        width: Option<u32>,
    ) -> Value {
        let dtype = self.program.array(from.memory).dtype;
        let guard = self.guard(from, shape, first, width);
        let ty = typed(register(dtype), width);
        let other = self.text.number(dtype, ty, other);
        if guard.never {
            return other;
        }
        let Some(condition) = self.all_positive(&guard.whole) else {
            return self.load_lanes(from, &guard, other, first, width);
        };
        self.choose(
            condition,
            ty,
            |e| e.load_lanes(from, &guard, other, first, width),
            other,
        )
    }

    /// `scf.if` with one result.
    fn choose(
        &mut self,
        condition: Value,
        ty: Type,
        yes: impl FnOnce(&mut Self) -> Value,
        no: Value,
    ) -> Value {
        let result = self
            .text
            .op(ty, format_args!("scf.if {condition} -> ({ty}) {{"));
        let value = self.region(yes);
        self.text.line(format_args!("scf.yield {value} : {ty}"));
        self.text.line(format_args!("}} else {{"));
        self.text.line(format_args!("scf.yield {no} : {ty}"));
        self.text.line(format_args!("}}"));
        result
    }

    fn load_lanes(
        &mut self,
        from: &Access,
        guard: &Guard,
        other: Value,
        first: u32,
        width: Option<u32>,
    ) -> Value {
        let at = self.at_lanes(&from.at, first, width);
        let Some(lanes) = width else {
            return self.read(from.memory, &at, None);
        };
        let stride = at.lane_stride();
        let start = at.at_lane(i64::from(first));
        if guard.lanes.is_empty() && stride == Some(0) {
            let scalar = self.read(from.memory, &start, None);
            return self.text.broadcast(scalar, width);
        }
        if stride == Some(1) {
            return match self.mask(&guard.lanes, first, lanes) {
                None => self.read(from.memory, &start, width),
                Some(mask) => self.read_masked(from.memory, &start, mask, other),
            };
        }
        let scalars: Vec<Value> = (first..first + lanes)
            .map(|lane| self.load_scalar(from, guard, other, lane))
            .collect();
        self.text.gather(&scalars)
    }

    /// One lane of a register, under the part of its guard that differs from lane to lane.
    fn load_scalar(&mut self, from: &Access, guard: &Guard, other: Value, lane: u32) -> Value {
        let conditions: Vec<Linear> = guard
            .lanes
            .iter()
            .map(|(low, high)| {
                let low = self.at_lanes(low, lane, None);
                self.at_lanes(high, lane, None).minus(&low)
            })
            .collect();
        let read = |e: &mut Self| {
            let at = e.at_lanes(&from.at, lane, None);
            e.read(from.memory, &at, None)
        };
        match self.all_positive(&conditions) {
            None => read(self),
            Some(condition) => {
                let other = self.text.extract(other, 0);
                self.choose(condition, other.ty, read, other)
            }
        }
    }

    pub(super) fn store(&mut self, to: &Access, tile: &Tile) {
        let places: Vec<(u32, usize, u32, Option<u32>)> = (0..tile.shape.rows)
            .flat_map(|row| {
                let pieces = self.pieces(tile.shape.lanes).into_iter().enumerate();
                pieces.map(move |(piece, (first, width))| (row, piece, first, width))
            })
            .collect();
        let mut guards = Vec::new();
        for (row, _, first, width) in &places {
            self.at_row(*row);
            guards.push(self.guard(to, tile.shape, *first, *width));
        }
        let mut next = 0;
        while next < places.len() {
            // Neighbours under one condition share one branch.
            let same = |g: &&Guard| !g.never && g.whole == guards[next].whole;
            let count = guards[next..].iter().take_while(same).count().max(1);
            let group: Vec<_> = (next..next + count).filter(|i| !guards[*i].never).collect();
            let condition = match group.is_empty() {
                true => None,
                false => self.all_positive(&guards[next].whole),
            };
            if let Some(condition) = condition {
                self.text.line(format_args!("scf.if {condition} {{"));
            }
            self.region(|e| {
                for i in group {
                    let (row, piece, first, width) = places[i];
                    e.at_row(row);
                    let value = tile.rows[row as usize][piece];
                    e.store_lanes(to, &guards[i], tile.dtype, value, first, width);
                }
            });
            if condition.is_some() {
                self.text.line(format_args!("}}"));
            }
            next += count;
        }
    }

    fn store_lanes(
        &mut self,
        to: &Access,
        guard: &Guard,
        dtype: DType,
        value: Value,
        first: u32,
        width: Option<u32>,
    ) {
        let at = self.at_lanes(&to.at, first, width);
        let Some(lanes) = width else {
            return self.write(to.memory, &at, dtype, value);
        };
        if at.lane_stride() == Some(1) {
            let start = at.at_lane(i64::from(first));
            return match self.mask(&guard.lanes, first, lanes) {
                None => self.write(to.memory, &start, dtype, value),
                Some(mask) => self.write_masked(to.memory, &start, dtype, value, mask),
            };
        }
        for lane in 0..lanes {
            let conditions: Vec<Linear> = guard
                .lanes
                .iter()
                .map(|(low, high)| {
                    let low = self.at_lanes(low, first + lane, None);
                    self.at_lanes(high, first + lane, None).minus(&low)
                })
                .collect();
            let scalar = self.text.extract(value, lane);
            let condition = self.all_positive(&conditions);
            if let Some(condition) = condition {
                self.text.line(format_args!("scf.if {condition} {{"));
            }
            self.region(|e| {
                let at = e.at_lanes(&to.at, first + lane, None);
                e.write(to.memory, &at, dtype, scalar);
            });
            if condition.is_some() {
                self.text.line(format_args!("}}"));
            }
        }
    }

    /// Reads a scalar or contiguous lanes into a register.
    pub(super) fn read(&mut self, memory: Memory, at: &Linear, width: Option<u32>) -> Value {
        let dtype = self.program.array(memory).dtype;
        let ty = typed(stored(dtype), width);
        let (pointer, alignment) = self.address(memory, at);
        let raw = self.text.op(
            ty,
            format_args!(
                "llvm.load {pointer} {{alignment = {alignment} : i64}} : !llvm.ptr -> {ty}"
            ),
        );
        self.unpacked(dtype, raw)
    }

    fn read_masked(&mut self, memory: Memory, at: &Linear, mask: Value, other: Value) -> Value {
        let dtype = self.program.array(memory).dtype;
        let (pointer, alignment) = self.address(memory, at);
        let other = self.packed(dtype, other);
        let ty = other.ty;
        let raw = self.text.op(
            ty,
            format_args!(
                "llvm.intr.masked.load {pointer}, {mask}, {other} {{alignment = {alignment} : i32}} : \
                 (!llvm.ptr, {}, {ty}) -> {ty}",
                mask.ty
            ),
        );
        self.unpacked(dtype, raw)
    }

    fn write(&mut self, memory: Memory, at: &Linear, dtype: DType, value: Value) {
        let raw = self.packed(dtype, value);
        let (pointer, alignment) = self.address(memory, at);
        self.text.line(format_args!(
            "llvm.store {raw}, {pointer} {{alignment = {alignment} : i64}} : {}, !llvm.ptr",
            raw.ty
        ));
    }

    fn write_masked(
        &mut self,
        memory: Memory,
        at: &Linear,
        dtype: DType,
        value: Value,
        mask: Value,
    ) {
        let raw = self.packed(dtype, value);
        let (pointer, alignment) = self.address(memory, at);
        self.text.line(format_args!(
            "llvm.intr.masked.store {raw}, {pointer}, {mask} {{alignment = {alignment} : i32}} : \
             {}, {} into !llvm.ptr",
            raw.ty, mask.ty
        ));
    }

    /// A pointer, and the number of bytes that surely divides it.
    fn address(&mut self, memory: Memory, at: &Linear) -> (Value, i64) {
        let dtype = self.program.array(memory).dtype;
        let base = self.arrays[&memory];
        let ty = Type::scalar(Elem::Pointer);
        let elem = Type::scalar(stored(dtype));
        let start = at.clone().shifted(-at.constant);
        let mut pointer = base;
        if !start.terms.is_empty() {
            let offset = self.integer(&start);
            // With a constant that is taken off again, this part alone may lie beyond the array.
            let bounds = if at.constant < 0 { "" } else { "inbounds " };
            pointer = self.text.op(
                ty,
                format_args!(
                    "llvm.getelementptr {bounds}{base}[{offset}] : (!llvm.ptr, i64) -> !llvm.ptr, {elem}"
                ),
            );
        }
        if at.constant != 0 {
            pointer = self.text.op(
                ty,
                format_args!(
                    "llvm.getelementptr {pointer}[{}] : (!llvm.ptr) -> !llvm.ptr, {elem}",
                    at.constant
                ),
            );
        }
        let bytes = at.divisor().wrapping_mul(dtype.size() as i64);
        let alignment = match bytes {
            0 => ALIGNMENT,
            bytes => ALIGNMENT.min(1 << bytes.trailing_zeros().min(6)),
        };
        (pointer, alignment)
    }
}

/// Bytes that divide the address of every array.
pub(super) const ALIGNMENT: i64 = 64;
