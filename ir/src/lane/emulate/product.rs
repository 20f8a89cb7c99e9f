//! Products of warpgroups: started by four warps together, there when each of them has waited.

use std::collections::VecDeque;

use super::super::{LeftOperand, Memory, SharedTile, Value, WARPGROUP};
use super::{
    code::Code,
    fault::{RunFault, Stop},
    machine::Machine,
    warp::Warp,
};
use crate::{DType, tile::Var};

/// Bytes that stay side by side, whatever the swizzle.
const PIECE: usize = 16;

/// Products that are under way, by warpgroup, the oldest first.
#[derive(Default)]
pub(super) struct Products {
    groups: Vec<VecDeque<Product>>,
    /// How many were started.
    started: u32,
}

struct Product {
    id: u32,
    /// The step that started it.
    step: usize,
    instr: usize,
    /// Of each warp, the group in which it is, counted from 1.
    group: Vec<u32>,
    a: Operand,
    b: Operand,
    c: Start,
    /// Registers of `c + a b`, warp by warp, when it has taken effect.
    result: Option<Vec<f64>>,
    /// Warps that have waited.
    waited: u32,
}

/// A matrix, its rows or columns along the depth side by side.
enum Operand {
    Values(Vec<f64>),
    /// Pieces of so many elements of a shared array, which is read when the product takes effect.
    Shared {
        array: u32,
        pieces: Vec<usize>,
        count: usize,
        along_depth: bool,
        depth: usize,
    },
}

/// What a product is added to.
enum Start {
    /// Registers, warp by warp.
    Values(Vec<f64>),
    /// The result of a product that is under way.
    Of(u32),
}

impl Products {
    pub fn restart(&mut self, warps: usize) {
        self.groups.clear();
        let groups = warps.div_ceil(WARPGROUP as usize);
        self.groups.resize_with(groups, VecDeque::new);
    }
}

/// Variables that a value reads from registers.
fn operands(value: &Value) -> Vec<Var> {
    match value {
        Value::Const(..)
        | Value::Index(_)
        | Value::Load { .. }
        | Value::LoadMatrix { .. }
        | Value::Product { .. } => vec![],
        Value::Unary(_, x) | Value::Cast(_, x) | Value::Pick(x, _) | Value::ShuffleXor(x, _) => {
            vec![*x]
        }
        Value::Binary(_, a, b) => vec![*a, *b],
        Value::Fma(a, b, c) | Value::Select(a, b, c) => vec![*a, *b, *c],
        Value::Matrix { a, b, c, .. } => vec![*a, *b, *c],
        Value::Concat(parts) => parts.clone(),
    }
}

impl Warp {
    /// Fails if a product has not yet given one of the variables that a value reads.
    pub(super) fn ready(&self, code: &Code, value: &Value) -> Result<(), Stop> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let each = operands(value);
        each.into_iter()
            .try_for_each(|var| self.ready_var(code, var))
    }

    /// Fails if a product has not yet given a variable.
    pub(super) fn ready_var(&self, code: &Code, var: Var) -> Result<(), Stop> {
        if self.pending.is_empty() || self.pending[code.vars.of(var)] == 0 {
            return Ok(());
        }
        Err(RunFault::Unready(var).in_warp())
    }

    /// Fails if a product may still read a variable, which is about to be assigned.
    pub(super) fn free(&self, code: &Code, var: Var) -> Result<(), Stop> {
        if self.held.is_empty() {
            return Ok(());
        }
        let slot = code.vars.of(var);
        if self.held.iter().any(|(held, _)| *held == slot) {
            return Err(RunFault::Held(var).in_warp());
        }
        Ok(())
    }
}

impl Machine<'_> {
    /// The warps of a warpgroup start a product, at which all of them stand. Fails with the warp that is to blame.
    pub(super) fn product(
        &mut self,
        warps: &mut [Warp],
        (var, value): (Var, &Value),
    ) -> Result<(), (usize, Stop)> {
        let Value::Product { instr, a, b, c } = value else {
            unreachable!("warps stand at a product")
        };
        let (code, instr) = (self.code, *instr as usize);
        for (i, warp) in warps.iter().enumerate() {
            let fits = warp.together(code).and_then(|()| {
                warp.free(code, var)?;
                match a {
                    LeftOperand::Held(a) => warp.ready_var(code, *a),
                    LeftOperand::Shared(_) => Ok(()),
                }
            });
            fits.map_err(|stop| (i, stop))?;
        }
        let (m, n, k) = code.program.warpgroup[instr].sides();
        let registers = |var: &Var| -> Vec<f64> {
            let each = warps.iter().map(|w| &w.vars[code.vars.of(*var)][..]);
            each.collect::<Vec<_>>().concat()
        };
        self.products.started += 1;
        let id = self.products.started;
        let held = match a {
            LeftOperand::Held(var) => Some(code.vars.of(*var)),
            LeftOperand::Shared(_) => None,
        };
        let a = match a {
            LeftOperand::Held(var) => {
                let gathered = code.groups[instr].left(&registers(var));
                Operand::Values(gathered.map_err(|fault| (0, fault.in_warp()))?)
            }
            LeftOperand::Shared(tile) => self.operand(warps, tile, (m, k), id)?,
        };
        let b = self.operand(warps, b, (n, k), id)?;
        let group = warps[0].number / WARPGROUP as usize;
        let from = warps[0].pending[code.vars.of(*c)];
        let under_way = &self.products.groups[group];
        let from = under_way.iter().find(|p| p.id == from && from > 0);
        let c = match from {
            None => Start::Values(registers(c)),
            Some(product) => match &product.result {
                Some(result) => Start::Values(result.clone()),
                None => Start::Of(product.id),
            },
        };
        for warp in warps.iter_mut() {
            let slot = code.vars.of(var);
            warp.pending[slot] = id;
            warp.held.extend(held.map(|slot| (slot, id)));
        }
        let order = self.order();
        let numbers = warps.iter().map(|w| order.clocks.group(w.number));
        let numbers = numbers.collect();
        let product = Product {
            id,
            step: warps[0].at,
            instr,
            group: numbers,
            a,
            b,
            c,
            result: None,
            waited: 0,
        };
        self.products.groups[group].push_back(product);
        self.counts.products += 1;
        self.counts.flops.0 += code.groups[instr].flops();
        if self.early() {
            let earlier = self.products.groups[group].iter().map(|p| p.id);
            for id in earlier.collect::<Vec<_>>() {
                let done = self.take_effect(group, id);
                done.map_err(|fault| (0, fault.in_warp()))?;
            }
        }
        Ok(())
    }

    /// Where an operand of so many rows or columns lies, of which all warps begin to read all.
    fn operand(
        &mut self,
        warps: &[Warp],
        tile: &SharedTile,
        (side, depth): (u32, u32),
        id: u32,
    ) -> Result<Operand, (usize, Stop)> {
        let mut at = None;
        for (i, warp) in warps.iter().enumerate() {
            let own = warp.common(self.code, &tile.at, "offset of an operand");
            let own = own.map_err(|stop| (i, stop))?;
            let first = *at.get_or_insert(own);
            if own != first {
                return Err((i, RunFault::Operands(first, own).in_warp()));
            }
        }
        let start = at.expect("a warpgroup has warps");
        let pieces = self.tile_pieces(tile, start, (side, depth));
        let pieces = pieces.map_err(|fault| (0, fault.in_warp()))?;
        let count = PIECE / self.dtype(tile).size();
        let group = warps[0].number / WARPGROUP as usize;
        let read = (&pieces[..], count);
        self.shared
            .product(tile.array, read, group, id, tile.swizzle)
            .map_err(|(i, fault)| (i, fault.in_warp()))?;
        Ok(Operand::Shared {
            array: tile.array,
            pieces,
            count,
            along_depth: tile.along_depth,
            depth: depth as usize,
        })
    }

    fn dtype(&self, tile: &SharedTile) -> DType {
        self.code.program.array(Memory::Shared(tile.array)).dtype
    }

    /// Offsets of the pieces of 16 bytes of an operand, line by line.
    fn tile_pieces(
        &self,
        tile: &SharedTile,
        start: i64,
        (side, depth): (u32, u32),
    ) -> Result<Vec<usize>, RunFault> {
        let array = self.code.program.array(Memory::Shared(tile.array));
        let (size, line) = (array.dtype.size(), tile.swizzle.line() as usize);
        let fault = |wanted: String| RunFault::Operand {
            array: array.name.clone(),
            wanted,
            at: start,
        };
        if start < 0 || !(start as usize * size).is_multiple_of(PIECE) {
            return Err(fault("a multiple of 16 bytes, at least 0".into()));
        }
        let start = start as usize;
        // Elsewhere descriptors would have to say where the swizzle begins.
        if start * size % (8 * line) >= line {
            let lines = 8 * line;
            return Err(fault(format!(
                "one of the {line} bytes behind a multiple of {lines}"
            )));
        }
        let base = self.shared.address(tile.array, 0) as u64;
        let (width, count) = (line / size, PIECE / size);
        let (next_lines, next_chunk) = (tile.next_lines as usize, tile.next_chunk as usize);
        let (lines, long) = if tile.along_depth {
            (side as usize, depth as usize)
        } else {
            (depth as usize, side as usize)
        };
        let mut pieces = Vec::with_capacity(lines * long / count);
        for l in 0..lines {
            for p in (0..long).step_by(count) {
                let along = p / width * next_chunk + p % width;
                let at = start + l / 8 * next_lines + l % 8 * width + along;
                let address = tile.swizzle.place(base + (at * size) as u64);
                let place = (address - base) as usize / size;
                if place + count > array.len as usize {
                    return Err(RunFault::Outside {
                        array: array.name.clone(),
                        len: array.len,
                        width: count as u32,
                        at: place as i64,
                    });
                }
                pieces.push(place);
            }
        }
        Ok(pieces)
    }

    /// A matrix, its rows or columns along the depth side by side.
    fn matrix(&self, operand: &Operand) -> Vec<f64> {
        let (array, pieces, count, along_depth, depth) = match operand {
            Operand::Values(values) => return values.clone(),
            Operand::Shared {
                array,
                pieces,
                count,
                along_depth,
                depth,
            } => (*array, pieces, *count, *along_depth, *depth),
        };
        if along_depth {
            let mut values = Vec::with_capacity(pieces.len() * count);
            for at in pieces {
                values.extend(self.shared.peek(array, *at, count));
            }
            return values;
        }
        let mut values = vec![0.0; pieces.len() * count];
        let lines = pieces.chunks(pieces.len() / depth).enumerate();
        for (d, line) in lines {
            for (i, at) in line.iter().enumerate() {
                let piece = self.shared.peek(array, *at, count);
                let first = i * count;
                piece
                    .enumerate()
                    .for_each(|(j, x)| values[(first + j) * depth + d] = x);
            }
        }
        values
    }

    /// A product takes effect, unless it has.
    fn take_effect(&mut self, group: usize, id: u32) -> Result<(), RunFault> {
        let products = &self.products.groups[group];
        let position = products.iter().position(|p| p.id == id);
        let position = position.expect("a product is under way until all warps have waited");
        if products[position].result.is_some() {
            return Ok(());
        }
        let c = match &products[position].c {
            Start::Values(values) => values.clone(),
            Start::Of(before) => {
                let before = products.iter().find(|p| p.id == *before);
                let result = before.and_then(|p| p.result.clone());
                result.expect("products take effect in order")
            }
        };
        let product = &products[position];
        let fragments = &self.code.groups[product.instr];
        let result = fragments.add(&self.matrix(&product.a), &self.matrix(&product.b), &c)?;
        self.products.groups[group][position].result = Some(result);
        Ok(())
    }

    /// A warp waits for all but its last groups of products.
    pub(super) fn wait_products(&mut self, warp: &mut Warp, pending: u32) -> Result<(), Stop> {
        warp.together(self.code)?;
        let over = self.order().clocks.over(warp.number, pending);
        let (group, own) = (
            warp.number / WARPGROUP as usize,
            warp.number % WARPGROUP as usize,
        );
        let ended = self.products.groups[group].iter();
        let ended = ended.filter(|p| p.group[own] <= over && p.waited >> own & 1 == 0);
        let ended: Vec<_> = ended.map(|p| p.id).collect();
        for id in ended {
            let done = self.take_effect(group, id);
            done.map_err(RunFault::in_warp)?;
            let products = &mut self.products.groups[group];
            let product = products.iter_mut().find(|p| p.id == id);
            let product = product.expect("it has not ended in this warp");
            product.waited |= 1 << own;
            let order = self.shared.order.as_mut().expect("it has products");
            order.clocks.end_product(warp.number, id);
            let result = product.result.as_ref().expect("it has taken effect");
            let share = result.len() / WARPGROUP as usize;
            let share = &result[own * share..][..share];
            for (slot, from) in warp.pending.iter_mut().enumerate() {
                if *from == id {
                    *from = 0;
                    warp.vars[slot] = share.to_vec();
                }
            }
            warp.held.retain(|(_, by)| *by != id);
        }
        self.drop_ended(group);
        Ok(())
    }

    /// Forgets products that have ended in all warps.
    fn drop_ended(&mut self, group: usize) {
        let products = &mut self.products.groups[group];
        while let Some(first) = products.front()
            && first.waited == (1 << WARPGROUP) - 1
        {
            let Some(Product {
                id,
                result: Some(result),
                ..
            }) = products.pop_front()
            else {
                unreachable!("what was waited for has taken effect")
            };
            for later in products.iter_mut() {
                if matches!(later.c, Start::Of(before) if before == id) {
                    later.c = Start::Values(result.clone());
                }
            }
        }
    }

    /// Fails if the warp ends with a product under way.
    pub(super) fn products_ended(&self, warp: &mut Warp) -> Result<(), Stop> {
        let (group, own) = (
            warp.number / WARPGROUP as usize,
            warp.number % WARPGROUP as usize,
        );
        let Some(products) = self.products.groups.get(group) else {
            return Ok(());
        };
        match products.iter().find(|p| p.waited >> own & 1 == 0) {
            None => Ok(()),
            Some(product) => {
                warp.at = product.step;
                Err(RunFault::Unended.in_warp())
            }
        }
    }
}
