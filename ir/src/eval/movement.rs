//! Movement without arithmetic: elements are copied as they are stored, whatever their type.

use rayon::prelude::{IndexedParallelIterator, ParallelIterator, ParallelSliceMut};

use super::{
    compute::{known, unravel},
    point::Operand,
    program::{Ins, Program, Reg},
    strip::{Machine, STRIP, Strip, inside},
    values::Values,
};
use crate::{
    Compute, DType,
    tensor::{count, encode, round_to},
};

/// Elements that a thread takes at a time.
const CHUNK: usize = 1 << 15;

/// An element that the definition does not give.
struct Lost;

/// The result as stored, if the meaning copies stored elements of `dtype` to places that no data decides,
/// and gives each element of the result.
pub(super) fn evaluate(
    compute: &Compute,
    operands: &[Operand<'_>],
    dtype: DType,
) -> Option<Vec<u8>> {
    let stored = |(values, _): &Operand<'_>| matches!(values, Values::Stored(d, _) if *d == dtype);
    if compute.reduce.is_some() || operands.is_empty() || !operands.iter().all(stored) {
        return None;
    }
    let out = known(&compute.axes);
    let elements = count(&out).filter(|n| *n > 0)?;
    let shapes: Vec<_> = operands.iter().map(|(_, shape)| *shape).collect();
    let program = Program::new(&compute.body, &out, out.len(), &shapes);
    let mut decisions = vec![false; program.ins.len()];
    if !copies(&program, program.ins.len() - 1, dtype, &mut decisions) {
        return None;
    }
    let copy = Copy {
        program: &program,
        operands,
        dtype,
        decisions,
    };
    let mut bytes = vec![0; elements * dtype.size()];
    let done = match dtype.size() {
        1 => copy.all(bytes.as_chunks_mut::<1>().0),
        2 => copy.all(bytes.as_chunks_mut::<2>().0),
        4 => copy.all(bytes.as_chunks_mut::<4>().0),
        _ => copy.all(bytes.as_chunks_mut::<8>().0),
    };
    done.ok().map(|()| bytes)
}

/// Whether the instruction copies an element or gives one that `dtype` holds. Marks what its choices need.
fn copies(program: &Program, at: Reg, dtype: DType, decisions: &mut [bool]) -> bool {
    match &program.ins[at] {
        Ins::Load { .. } => true,
        Ins::Num(x) => round_to(dtype, *x).to_bits() == x.to_bits(),
        Ins::Select(c, a, b) => {
            decides(program, *c, decisions)
                && copies(program, *a, dtype, decisions)
                && copies(program, *b, dtype, decisions)
        }
        _ => false,
    }
}

/// Marks all that the instruction needs, unless it needs data.
fn decides(program: &Program, at: Reg, decisions: &mut [bool]) -> bool {
    decisions[at] = true;
    match &program.ins[at] {
        Ins::Num(_) | Ins::Axis(_) => true,
        Ins::Load { .. } | Ins::Gather { .. } => false,
        Ins::Unary(_, a) | Ins::Cast(_, a) => decides(program, *a, decisions),
        Ins::Binary(_, a, b) => decides(program, *a, decisions) && decides(program, *b, decisions),
        Ins::Select(c, a, b) => [c, a, b]
            .into_iter()
            .all(|r| decides(program, *r, decisions)),
    }
}

struct Copy<'a> {
    program: &'a Program,
    operands: &'a [Operand<'a>],
    dtype: DType,
    /// The instructions on which choices depend.
    decisions: Vec<bool>,
}

impl Copy<'_> {
    fn all<const W: usize>(&self, out: &mut [[u8; W]]) -> Result<(), Lost> {
        let data: Vec<_> = self.operands.iter().map(|(values, _)| *values).collect();
        let lost = out
            .par_chunks_mut(CHUNK)
            .enumerate()
            .map_init(
                || Machine::new(self.program, &data),
                |machine, (i, out)| self.chunk(machine, i * CHUNK, out),
            )
            .find_map_first(Result::err);
        lost.map_or(Ok(()), Err)
    }

    /// Fills `out`, whose first element is number `start` of the output.
    fn chunk<const W: usize>(
        &self,
        machine: &mut Machine<'_>,
        start: usize,
        out: &mut [[u8; W]],
    ) -> Result<(), Lost> {
        let sizes = &self.program.sizes;
        let row = sizes.last().map_or(1, |n| *n as usize);
        let last = self.program.ins.len() - 1;
        // Without choices a strip costs nothing but its copy, and may be as long as a row.
        let longest = if self.decisions.contains(&true) {
            STRIP
        } else {
            row
        };
        let mut done = 0;
        while done < out.len() {
            let at = start + done;
            let len = longest.min(row - at % row).min(out.len() - done);
            let coordinates = unravel(at, sizes);
            let strip = Strip {
                coordinates: &coordinates,
                axis: sizes.len().checked_sub(1),
                len,
            };
            machine.run_only(strip, &self.decisions);
            self.fill(machine, last, strip, 0, &mut out[done..done + len])?;
            done += len;
        }
        Ok(())
    }

    /// Gives `out` the points of the strip from `first` on.
    fn fill<const W: usize>(
        &self,
        machine: &Machine<'_>,
        at: Reg,
        strip: Strip<'_>,
        first: usize,
        out: &mut [[u8; W]],
    ) -> Result<(), Lost> {
        match &self.program.ins[at] {
            Ins::Load {
                operand,
                at,
                within,
            } => {
                let (from, to) = inside(within, strip);
                if from > first || to < first + out.len() {
                    return Err(Lost);
                }
                let Values::Stored(_, bytes) = self.operands[*operand].0 else {
                    unreachable!("operands were checked to be stored")
                };
                let (base, stride) = strip.walk(at);
                copy(
                    bytes.as_chunks::<W>().0,
                    base + first as i64 * stride,
                    stride,
                    out,
                );
            }
            Ins::Num(x) => {
                let bytes = encode(self.dtype, &[*x]);
                out.fill(
                    *bytes
                        .first_chunk()
                        .expect("the width is the element type's"),
                );
            }
            Ins::Select(c, a, b) => {
                let choice = machine.values(*c);
                let mut from = 0;
                while from < out.len() {
                    let chosen = choice[first + from] != 0.0;
                    let same = |x: &&f64| (**x != 0.0) == chosen;
                    let rest = &choice[first + from..first + out.len()];
                    let to = from + rest.iter().take_while(same).count();
                    let side = if chosen { *a } else { *b };
                    self.fill(machine, side, strip, first + from, &mut out[from..to])?;
                    from = to;
                }
            }
            _ => unreachable!("the instruction was checked to copy"),
        }
        Ok(())
    }
}

fn copy<const W: usize>(from: &[[u8; W]], base: i64, stride: i64, out: &mut [[u8; W]]) {
    let position = |i: usize| {
        usize::try_from(base + i as i64 * stride).expect("the strip was checked to lie inside")
    };
    match stride {
        0 => out.fill(from[position(0)]),
        1 => out.copy_from_slice(&from[position(0)..position(out.len())]),
        _ => {
            for (i, o) in out.iter_mut().enumerate() {
                *o = from[position(i)];
            }
        }
    }
}
