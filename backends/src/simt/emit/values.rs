//! Functions of registers, one by one. Half precision is computed in f32 and rounded after each function.

use ir::{
    BinaryFn, DType, UnaryFn,
    lane::{MatrixInstr, Spelling, Value as Term},
};

use super::{
    Emitter, Unsupported,
    held::{Held, Part, parts, register, several},
};
use crate::mlir::{
    binary, numbers,
    text::{Elem, Type, Value},
};

/// Multiply-adds that are scheduled together. Of a thousand, LLVM 22's scheduler for AMDGPU loads all operands first, and
/// spills; of 128, as many registers are taken as of 64, of 256 twice as many (gfx906 and gfx1100, 2026-11-25).
const TOGETHER: usize = 128;

const WORD: Type = Type::scalar(Elem::I32);
const FLOAT: Type = Type::scalar(Elem::F32);

impl Emitter<'_> {
    pub(super) fn term(&mut self, term: &Term) -> Result<Held, Unsupported> {
        Ok(match term {
            Term::Const(number, ty) => {
                let scalar = Type::scalar(register(ty.dtype));
                let value = self.text.number(ty.dtype, scalar, number.get());
                Held::splat(ty.dtype, value, ty.width)
            }
            Term::Index(list) => {
                let value = |index| {
                    let value = self.index(index);
                    Part::from(self.resized(value, WORD))
                };
                let all: Vec<Part> = list.iter().map(value).collect();
                Held::new(DType::I32, all)
            }
            Term::Load { .. } => unreachable!("loads are taken together, before"),
            Term::Unary(f, a) => self.unary(*f, &self.held(*a))?,
            Term::Binary(f, a, b) => self.binary(*f, &self.held(*a), &self.held(*b))?,
            Term::Fma(a, b, c) => {
                let all = [a, b, c].map(|var| self.held(*var));
                self.fma(&all)?
            }
            Term::Select(c, a, b) => {
                let (c, a, b) = (self.held(*c), self.held(*a), self.held(*b));
                self.chosen(&c, &a, &b)
            }
            Term::Cast(to, a) => self.cast(*to, &self.held(*a)),
            Term::Concat(list) => {
                let all: Vec<Held> = list.iter().map(|var| self.held(*var)).collect();
                let dtype = all[0].dtype;
                Held::new(dtype, all.into_iter().flat_map(|h| h.parts))
            }
            Term::Pick(a, picked) => {
                let a = self.held(*a);
                Held::new(a.dtype, picked.iter().map(|i| a.parts[*i as usize]))
            }
            Term::ShuffleXor(a, bits) => self.shuffle(&self.held(*a), *bits),
            Term::Matrix { instr, a, b, c } => {
                let instr = &self.program.matrix[*instr as usize];
                let (a, b, c) = (self.held(*a), self.held(*b), self.held(*c));
                self.matrix(instr, &a, &b, &c)?
            }
            Term::Product { .. } => unreachable!("products are taken together, before"),
            Term::LoadMatrix {
                from,
                count,
                transposed,
            } => self.load_matrix(from, *count, *transposed)?,
        })
    }

    pub(super) fn chosen(&mut self, c: &Held, a: &Held, b: &Held) -> Held {
        self.each_register(a.dtype, [c, a, b], |e, [c, a, b]| e.text.select(c, a, b))
    }

    fn each_register<const N: usize>(
        &mut self,
        dtype: DType,
        all: [&Held; N],
        mut f: impl FnMut(&mut Self, [Value; N]) -> Value,
    ) -> Held {
        let mut known: Vec<([Part; N], Value)> = Vec::new();
        let mut results = Vec::new();
        for i in 0..all[0].parts.len() {
            let key = all.map(|h| h.parts[i]);
            // Constants repeat: so do their functions.
            let value = match known.last() {
                Some((last, value)) if *last == key => *value,
                _ => {
                    let operands = key.map(|part| self.text.single(part));
                    let value = f(self, operands);
                    known.push((key, value));
                    value
                }
            };
            results.push(Part::from(value));
        }
        Held::new(dtype, results)
    }

    /// A number as it is computed with: half precision in f32.
    fn widened(&mut self, value: Value) -> Value {
        match value.ty.elem {
            Elem::F16 | Elem::Bf16 => {
                let ty = value.ty.of(Elem::F32);
                self.text.convert("arith.extf", value, ty)
            }
            _ => value,
        }
    }

    /// The nearest number of an element type.
    fn narrowed(&mut self, dtype: DType, value: Value) -> Value {
        match dtype {
            DType::F16 | DType::Bf16 => {
                let ty = value.ty.of(register(dtype));
                self.text.convert("arith.truncf", value, ty)
            }
            _ => value,
        }
    }

    pub(super) fn unary(&mut self, f: UnaryFn, a: &Held) -> Result<Held, Unsupported> {
        let dtype = a.dtype;
        if !numbers::has_code(f, dtype) {
            let what = f.name().into();
            return Err(Unsupported { what, dtype });
        }
        Ok(self.each_register(dtype, [a], |e, [x]| {
            let x = e.widened(x);
            let short = match f {
                UnaryFn::Exp if e.coarse => e.dialect.short_exp(&mut e.text, x),
                _ => None,
            };
            let y = short.unwrap_or_else(|| e.text.unary_function(f, dtype, x));
            e.narrowed(dtype, y)
        }))
    }

    pub(super) fn binary(&mut self, f: BinaryFn, a: &Held, b: &Held) -> Result<Held, Unsupported> {
        let dtype = a.dtype;
        if !binary::has_code(f, dtype) {
            let what = f.name().into();
            return Err(Unsupported { what, dtype });
        }
        if f.is_predicate() {
            return Ok(self.each_register(DType::Bool, [a, b], |e, [a, b]| {
                let (a, b) = (e.widened(a), e.widened(b));
                e.text.binary_function(f, dtype, a, b)
            }));
        }
        Ok(self.each_register(dtype, [a, b], |e, [a, b]| {
            let (a, b) = (e.widened(a), e.widened(b));
            let value = match f {
                // One instruction where there is one; a NaN of either side goes through.
                BinaryFn::Max if dtype.is_float() => e.float_call("maximum", a, b),
                BinaryFn::Min if dtype.is_float() => e.float_call("minimum", a, b),
                _ => e.text.binary_function(f, dtype, a, b),
            };
            e.narrowed(dtype, value)
        }))
    }

    fn float_call(&mut self, name: &str, a: Value, b: Value) -> Value {
        let ty = a.ty;
        self.text.op(
            ty,
            format_args!("llvm.intr.{name}({a}, {b}) : ({ty}, {ty}) -> {ty}"),
        )
    }

    /// Rounded once: in half precision the f32 result, which has room for the product of two, is rounded again.
    pub(super) fn fma(&mut self, [a, b, c]: &[Held; 3]) -> Result<Held, Unsupported> {
        let dtype = a.dtype;
        if !dtype.is_float() {
            let what = "fma".into();
            return Err(Unsupported { what, dtype });
        }
        Ok(self.each_register(dtype, [a, b, c], |e, all| {
            let [a, b, c] = all.map(|x| e.widened(x));
            let value = e.text.fma(a, b, c);
            e.narrowed(dtype, value)
        }))
    }

    pub(super) fn cast(&mut self, to: DType, a: &Held) -> Held {
        let from = a.dtype;
        if from == to {
            return a.clone();
        }
        self.each_register(to, [a], |e, [x]| {
            let x = e.widened(x);
            let value = e.text.cast(from, to, x);
            e.narrowed(to, value)
        })
    }

    /// Words go from lane to lane: narrow registers together, wide ones in two.
    fn shuffle(&mut self, a: &Held, bits: u32) -> Held {
        let (elem, size) = (register(a.dtype), a.dtype.size());
        let mut all: Vec<Part> = Vec::new();
        let together = (4 / size).max(1);
        if a.dtype == DType::Bool || !a.parts.len().is_multiple_of(together) {
            return self.each_register(a.dtype, [a], |e, [x]| {
                let int = x.ty.of(match size {
                    _ if elem == Elem::I1 => Elem::I1,
                    1 => Elem::I8,
                    _ => Elem::I16,
                });
                let narrow = e.text.bits(x, int);
                let word = e.text.convert("arith.extui", narrow, WORD);
                let word = e.exchanged(word, bits);
                let narrow = e.text.convert("arith.trunci", word, int);
                e.text.bits(narrow, x.ty)
            });
        }
        for chunk in a.parts.chunks(together) {
            let value = self.text.joined(chunk);
            let back = value.ty;
            let words = several(Elem::I32, (size / 4).max(1));
            let words = self.text.bits(value, words);
            let mut moved: Vec<Part> = Vec::new();
            for part in parts(words) {
                let word = self.text.single(part);
                moved.push(self.exchanged(word, bits).into());
            }
            let moved = self.text.joined(&moved);
            all.extend(parts(self.text.bits(moved, back)));
        }
        Held::new(a.dtype, all)
    }

    fn exchanged(&mut self, word: Value, bits: u32) -> Value {
        self.dialect.shuffle(&mut self.text, word, self.lane, bits)
    }

    fn matrix(
        &mut self,
        instr: &MatrixInstr,
        a: &Held,
        b: &Held,
        c: &Held,
    ) -> Result<Held, Unsupported> {
        let unsupported = || Unsupported {
            what: instr.name.clone(),
            dtype: instr.operands,
        };
        let results = match &instr.spelling {
            Spelling::Word(_) => self
                .dialect
                .matrix(&mut self.text, instr, [a, b, c])
                .ok_or_else(unsupported)?,
            Spelling::Outer => self.outer(instr, a, b, c).ok_or_else(unsupported)?,
        };
        Ok(Held::new(instr.accumulator, results))
    }

    /// Whether LLVM would move what computes a term.
    pub(super) fn may_wander(&self, term: &Term) -> bool {
        match term {
            Term::Matrix { instr, .. } => {
                self.dialect.may_move(&self.program.matrix[*instr as usize])
            }
            _ => false,
        }
    }

    /// Sums of multiply-adds, kept near their operands: computed by here unless they are `continued`.
    pub(super) fn settled(&mut self, sums: Held, continued: bool) -> Held {
        self.together += sums.parts.len();
        let sums = match continued {
            true => sums,
            false => self.pinned(&sums),
        };
        if self.together >= TOGETHER {
            self.dialect.part(&mut self.text);
            self.together = 0;
        }
        sums
    }

    /// Sums that are computed by here. LLVM would move what only a guarded store wants to where the guard holds: sums
    /// of products would keep all their operands until then.
    fn pinned(&mut self, sums: &Held) -> Held {
        let constraint = self.dialect.word_register();
        self.each_register(sums.dtype, [sums], |e, [x]| {
            let word = e.text.bits(x, WORD);
            let same = e.text.op(
                WORD,
                format_args!(
                    "llvm.inline_asm has_side_effects \"\", \"={constraint},0\" {word} : (i32) -> i32"
                ),
            );
            e.text.bits(same, x.ty)
        })
    }

    /// `c[i, j] += a[i] b[j]` for the elements of `c` that a lane holds, whose rows and columns it holds too.
    fn outer(&mut self, instr: &MatrixInstr, a: &Held, b: &Held, c: &Held) -> Option<Vec<Part>> {
        if instr.accumulator != DType::F32 || !instr.operands.is_float() {
            return None;
        }
        let widened = |e: &mut Self, held: &Held| -> Vec<Value> {
            let mut all = Vec::new();
            for part in &held.parts {
                let value = e.text.single(*part);
                all.push(e.widened(value));
            }
            all
        };
        let (a, b) = (widened(self, a), widened(self, b));
        let mut results = Vec::new();
        for (register, part) in (0..).zip(&c.parts) {
            let [i, j] = operands(instr, register)?;
            let sum = self.text.single(*part);
            debug_assert_eq!(sum.ty, FLOAT);
            let value = self.text.fma(a[i as usize], b[j as usize], sum);
            results.push(value.into());
        }
        Some(results)
    }
}

/// The registers of `a` and `b` with the row and the column of a register of `c`, the same ones in every lane.
fn operands(instr: &MatrixInstr, register: u32) -> Option<[u32; 2]> {
    let MatrixInstr { a, b, c, .. } = instr;
    let fits = |i: u32, j: u32, lane: u32| {
        let (row, column) = c.place(register, lane, 0);
        a.place(i, lane, 0).0 == row && b.place(j, lane, 0).1 == column
    };
    let i = (0..a.width()).find(|i| a.place(*i, 0, 0).0 == c.place(register, 0, 0).0)?;
    let j = (0..b.width()).find(|j| b.place(*j, 0, 0).1 == c.place(register, 0, 0).1)?;
    (0..c.lanes())
        .all(|lane| fits(i, j, lane))
        .then_some([i, j])
}
