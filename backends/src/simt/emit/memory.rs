//! Loads, stores and copies.

use ir::{
    DType, F64,
    lane::{Access, Memory},
};

use super::{
    Emitter, Unsupported,
    guard::Guard,
    held::{Held, Part, parts, register, several},
    index::varies,
};
use crate::{
    linear::Linear,
    mlir::text::{Elem, Type, Value},
};

/// Bytes that divide the address of every parameter.
pub(super) const PARAM_ALIGNMENT: usize = 64;
/// Bytes that divide the address of every shared array.
pub(super) const SHARED_ALIGNMENT: usize = 16;

/// A load among several with one guard.
pub(super) struct Load<'p> {
    pub from: &'p Access,
    pub width: u32,
    pub other: F64,
}

/// The type that holds a number in memory.
const fn stored(dtype: DType) -> Elem {
    match dtype {
        DType::Bool => Elem::I8,
        _ => register(dtype),
    }
}

impl Emitter<'_> {
    /// Loads whose guards are all that of the first.
    pub(super) fn load(&mut self, loads: &[Load<'_>]) -> Vec<Held> {
        let condition = match self.guard(&loads[0].from.guard) {
            Guard::Always => return loads.iter().map(|l| self.read(l)).collect(),
            Guard::Never => return loads.iter().map(|l| self.other(l)).collect(),
            Guard::Where(condition) => condition,
        };
        let types: Vec<Type> = loads.iter().map(|l| self.shape(l)).collect();
        let list = types.iter().map(Type::to_string).collect::<Vec<_>>();
        let list = list.join(", ");
        let results = self
            .text
            .results(&types, format_args!("scf.if {condition} -> ({list}) {{"));
        self.region(|e| {
            let values: Vec<_> = loads.iter().map(|l| e.read_raw(l)).collect();
            e.give(&values, &list);
        });
        self.text.line(format_args!("}} else {{"));
        self.region(|e| {
            let values: Vec<_> = loads.iter().map(|l| e.other_raw(l)).collect();
            e.give(&values, &list);
        });
        self.text.line(format_args!("}}"));
        let pairs = loads.iter().zip(results);
        pairs.map(|(l, raw)| self.unpacked(l, raw)).collect()
    }

    fn give(&mut self, values: &[Value], types: &str) {
        let values: Vec<String> = values.iter().map(Value::to_string).collect();
        self.text
            .line(format_args!("scf.yield {} : {types}", values.join(", ")));
    }

    fn dtype(&self, memory: Memory) -> DType {
        self.program.array(memory).dtype
    }

    /// The type of what a load reads.
    fn shape(&self, load: &Load<'_>) -> Type {
        several(stored(self.dtype(load.from.memory)), load.width as usize)
    }

    fn read(&mut self, load: &Load<'_>) -> Held {
        let raw = self.read_raw(load);
        self.unpacked(load, raw)
    }

    fn read_raw(&mut self, load: &Load<'_>) -> Value {
        let ty = self.shape(load);
        let (pointer, alignment) = self.address(load.from, load.width, true);
        self.text.op(
            ty,
            format_args!(
                "llvm.load {pointer} {{alignment = {alignment} : i64}} : {} -> {ty}",
                pointer.ty
            ),
        )
    }

    fn other(&mut self, load: &Load<'_>) -> Held {
        let raw = self.other_raw(load);
        self.unpacked(load, raw)
    }

    fn other_raw(&mut self, load: &Load<'_>) -> Value {
        let (dtype, ty) = (self.dtype(load.from.memory), self.shape(load));
        self.text.number(dtype, ty, load.other.get())
    }

    fn unpacked(&mut self, load: &Load<'_>, raw: Value) -> Held {
        let dtype = self.dtype(load.from.memory);
        if dtype != DType::Bool {
            return Held::new(dtype, parts(raw));
        }
        let zero = self.text.int(raw.ty, 0);
        let truth = self.text.compare("ne", raw, zero);
        Held::new(dtype, parts(truth))
    }

    pub(super) fn store(&mut self, to: &Access, value: &Held) {
        match self.guard(&to.guard) {
            Guard::Never => {}
            Guard::Always => self.write(to, value),
            Guard::Where(condition) => {
                self.text.line(format_args!("scf.if {condition} {{"));
                self.region(|e| e.write(to, value));
                self.text.line(format_args!("}}"));
            }
        }
    }

    fn write(&mut self, to: &Access, value: &Held) {
        let joined = value.joined(&mut self.text);
        let raw = match value.dtype {
            DType::Bool => {
                let ty = joined.ty.of(Elem::I8);
                self.text.convert("arith.extui", joined, ty)
            }
            _ => joined,
        };
        let (pointer, alignment) = self.address(to, value.parts.len() as u32, true);
        self.text.line(format_args!(
            "llvm.store {raw}, {pointer} {{alignment = {alignment} : i64}} : {}, {}",
            raw.ty, pointer.ty
        ));
    }

    /// A copy that ends by itself where the device has them, else a load and a store.
    pub(super) fn copy(&mut self, to: &Access, from: &Access, width: u32) {
        let bytes = width as usize * self.dtype(from.memory).size();
        if self.asynchronous {
            let guard = self.guard(&from.guard);
            let (to, _) = self.address(to, width, true);
            // Where nothing is read, the address may lie anywhere.
            let (from, _) = self.address(from, width, matches!(guard, Guard::Always));
            let kept = match guard {
                Guard::Always => None,
                Guard::Never => Some(self.text.int(Type::scalar(Elem::I32), 0)),
                Guard::Where(condition) => {
                    let [all, none] =
                        [bytes as i64, 0].map(|n| self.text.int(Type::scalar(Elem::I32), n));
                    Some(self.text.select(condition, all, none))
                }
            };
            let done = self.dialect.copy(&mut self.text, to, from, bytes, kept);
            assert!(
                done,
                "a device with copies that end by themselves has code for them"
            );
            return;
        }
        let load = Load {
            from,
            width,
            other: F64::from(0.0),
        };
        let value = self.load(&[load]).pop().expect("one load has one result");
        self.store(to, &value);
    }

    pub(super) fn load_matrix(
        &mut self,
        from: &Access,
        count: u32,
        transposed: bool,
    ) -> Result<Held, Unsupported> {
        let dtype = self.dtype(from.memory);
        let (pointer, _) = self.address(from, 8, true);
        let words = self
            .dialect
            .load_matrix(&mut self.text, pointer, count, transposed)
            .ok_or_else(|| Unsupported {
                what: "load_matrix".into(),
                dtype,
            })?;
        let mut all: Vec<Part> = Vec::new();
        for word in words {
            let pair = self.text.bits(word, several(register(dtype), 2));
            all.extend(parts(pair));
        }
        Ok(Held::new(dtype, all))
    }

    /// A pointer, and the number of bytes that surely divides it; `inside` if it lies in the array.
    fn address(&mut self, access: &Access, width: u32, inside: bool) -> (Value, usize) {
        let size = self.dtype(access.memory).size();
        let sum = self.linear(&access.at).times(size as i64);
        let (space, most) = match access.memory {
            Memory::Param(_) => (Elem::GlobalPointer, PARAM_ALIGNMENT),
            Memory::Shared(_) => (Elem::SharedPointer, SHARED_ALIGNMENT),
        };
        let own = width as usize * size;
        let known = match sum.divisor() {
            0 => most,
            divisor => 1 << divisor.trailing_zeros().min(6),
        };
        let alignment = most.min(known.max(own));

        // What all lanes of a warp share comes first: it may be kept and added once for all.
        let mut shared = Linear::constant(0);
        let mut own = Linear::constant(0);
        for (atom, factor) in &sum.terms {
            let one = Linear::atom(atom.clone());
            let part = match one.mentions(&varies) {
                true => &mut own,
                false => &mut shared,
            };
            part.terms.insert(atom.clone(), *factor);
        }
        let mut pointer = self.arrays[&access.memory];
        let monotone = [&shared, &own].map(|part| self.span(part).lo >= 0);
        let inside = inside && monotone == [true, true] && sum.constant >= 0;
        for part in [shared, own, Linear::constant(sum.constant)] {
            if part.known() != Some(0) {
                pointer = self.advanced(pointer, &part, inside, space);
            }
        }
        (pointer, alignment)
    }

    fn advanced(&mut self, pointer: Value, by: &Linear, inside: bool, space: Elem) -> Value {
        let ty = Type::scalar(space);
        let bounds = if inside { "inbounds " } else { "" };
        if let Some(bytes) = by.known() {
            return self.text.op(
                ty,
                format_args!("llvm.getelementptr {bounds}{pointer}[{bytes}] : ({ty}) -> {ty}, i8"),
            );
        }
        let word = Type::scalar(Elem::I32);
        let long = Type::scalar(Elem::I64);
        let offset = match (space, self.room(&[by]) == word) {
            (Elem::SharedPointer, _) => self.integer(by, word),
            // An offset that is not negative is widened by zeros: addresses of base and 32-bit offset.
            (_, true) if self.span(by).lo >= 0 => {
                let offset = self.integer(by, word);
                self.text.convert("arith.extui", offset, long)
            }
            _ => self.integer(by, long),
        };
        self.text.op(
            ty,
            format_args!(
                "llvm.getelementptr {bounds}{pointer}[{offset}] : ({ty}, {}) -> {ty}, i8",
                offset.ty
            ),
        )
    }
}
