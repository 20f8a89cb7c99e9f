//! Loads, stores and copies, at most 16 bytes at once.

use ir::{
    DType,
    lane::{Access, Memory},
    tile::Var,
};

use super::{
    Dialect, Printer, Registers,
    dialect::Space,
    helper::Helper,
    scalar::{constant, stored_constant},
};

/// Arrays start at multiples of this, and accesses at multiples of their width.
const WIDEST: u32 = 16;

/// A place in an array that an access goes to.
struct Place {
    dtype: DType,
    space: Space,
    /// The array's name.
    array: String,
    /// The offset of the first element, in elements.
    at: String,
    written: bool,
}

impl Printer<'_> {
    fn place(&self, access: &Access) -> Place {
        let (space, prefix) = match access.memory {
            Memory::Param(_) => (Space::Global, "p"),
            Memory::Shared(_) => (Space::Shared, "s"),
        };
        let array = self.program.array(access.memory);
        Place {
            dtype: array.dtype,
            space,
            array: format!("{prefix}_{}", array.name),
            at: self.index(&access.at).0,
            written: space == Space::Shared || array.written,
        }
    }

    /// How many elements go at once.
    fn chunk(&self, dtype: DType, width: u32) -> u32 {
        width.min(WIDEST / dtype.size() as u32)
    }

    /// A vector of a type in memory.
    fn memory_vector(&mut self, dtype: DType, len: u32) -> String {
        self.vector(self.dialect.element(dtype), len)
    }

    /// The elements of a place, as they stand in memory, `skip` further on.
    fn raw(&mut self, place: &Place, skip: u32, len: u32) -> String {
        let at = further(&place.at, skip);
        if len == 1 {
            return format!("{}[{at}]", place.array);
        }
        let pointer = self.pointer(place, len);
        format!("*({pointer})({} + {at})", place.array)
    }

    fn pointer(&mut self, place: &Place, len: u32) -> String {
        let space = self.dialect.space(place.space);
        let constant = if place.written { "" } else { "const " };
        format!(
            "{space}{constant}{} *",
            self.memory_vector(place.dtype, len)
        )
    }

    pub(super) fn load(&mut self, var: Var, from: &Access, width: u32, other: f64) {
        let place = self.place(from);
        let guard = self.guard(&from.guard);
        let len = self.chunk(place.dtype, width);
        let halves = place.dtype == DType::F16 && self.dialect == Dialect::OpenCl;
        let plain = register_is_element(place.dtype);
        let ty = match halves {
            true => self.vector("float", len),
            false => self.memory_vector(place.dtype, len),
        };
        let own = self.name(var);
        let prefix = if plain || halves {
            own.clone()
        } else {
            format!("r{}", &own[1..])
        };
        let chunks: Vec<String> = (0..width / len).map(|c| format!("{prefix}_{c}")).collect();
        let values: Vec<String> = (0..width / len)
            .map(|c| match halves {
                true => halves_from(&place, c * len, len),
                false => self.raw(&place, c * len, len),
            })
            .collect();
        match guard {
            None => {
                for (chunk, value) in chunks.iter().zip(values) {
                    self.line(&format!("const {ty} {chunk} = {value};"));
                }
            }
            Some(guard) => {
                let (scalar, one) = match halves {
                    true => ("float", constant(place.dtype, other, self.dialect)),
                    false => {
                        let element = self.dialect.element(place.dtype);
                        (element, stored_constant(place.dtype, other, self.dialect))
                    }
                };
                let other = self.dialect.make(scalar, &vec![one; len as usize]);
                for chunk in &chunks {
                    self.line(&format!("{ty} {chunk} = {other};"));
                }
                let each = chunks
                    .iter()
                    .zip(values)
                    .map(|(c, v)| format!("{c} = {v};"));
                let each = each.collect::<Vec<_>>();
                self.guarded(&guard, &each);
            }
        }
        let parts = chunks
            .iter()
            .flat_map(|c| components(c, len))
            .collect::<Vec<_>>();
        let names = match plain || halves {
            true => parts,
            false => self.unpack(&own, place.dtype, &parts),
        };
        self.registers.insert(
            var,
            Registers {
                dtype: place.dtype,
                names,
            },
        );
    }

    /// Registers from what stands in memory.
    fn unpack(&mut self, own: &str, dtype: DType, raw: &[String]) -> Vec<String> {
        let mut names = Vec::new();
        for (i, part) in raw.iter().enumerate() {
            let value = match dtype {
                DType::F16 => self.call(Helper::FromF16, "tw_from_f16", &[part]),
                DType::Bf16 => self.call(Helper::FromBf16, "tw_from_bf16", &[part]),
                _ => format!("{part} != 0"),
            };
            let name = format!("{own}_{i}");
            let ty = self.dialect.register(dtype);
            self.line(&format!("const {ty} {name} = {value};"));
            names.push(name);
        }
        names
    }

    pub(super) fn store(&mut self, to: &Access, value: Var) {
        let place = self.place(to);
        let guard = self.guard(&to.guard);
        let names = self.registers[&value].names.clone();
        let len = self.chunk(place.dtype, names.len() as u32);
        let halves = place.dtype == DType::F16 && self.dialect == Dialect::OpenCl;
        let mut lines = Vec::new();
        for (skip, part) in (0..).step_by(len as usize).zip(names.chunks(len as usize)) {
            if halves {
                let value = self.dialect.make("float", part);
                lines.push(halves_to(&place, skip, len, &value));
                continue;
            }
            let part: Vec<String> = part.iter().map(|p| self.packed(place.dtype, p)).collect();
            let value = self.dialect.make(self.dialect.element(place.dtype), &part);
            let to = self.raw(&place, skip, len);
            lines.push(format!("{to} = {value};"));
        }
        match guard {
            None => lines.iter().for_each(|l| self.line(l)),
            Some(guard) => self.guarded(&guard, &lines),
        }
    }

    /// What stands in memory for a register.
    fn packed(&mut self, dtype: DType, register: &str) -> String {
        match dtype {
            DType::F16 => self.call(Helper::ToF16, "tw_to_f16", &[register]),
            DType::Bf16 => self.call(Helper::ToBf16, "tw_to_bf16", &[register]),
            _ => register.into(),
        }
    }

    /// A copy that ends at once; waits for it have nothing to do.
    pub(super) fn copy(&mut self, to: &Access, from: &Access, width: u32) {
        let (to, source) = (self.place(to), self.place(from));
        let guard = self.guard(&from.guard);
        let len = self.chunk(source.dtype, width);
        let zeros = {
            let one = stored_constant(source.dtype, 0.0, self.dialect);
            let element = self.dialect.element(source.dtype);
            self.dialect.make(element, &vec![one; len as usize])
        };
        let mut copies = Vec::new();
        let mut clears = Vec::new();
        for skip in (0..width).step_by(len as usize) {
            let target = self.raw(&to, skip, len);
            copies.push(format!("{target} = {};", self.raw(&source, skip, len)));
            clears.push(format!("{target} = {zeros};"));
        }
        match guard {
            None => copies.iter().for_each(|l| self.line(l)),
            Some(guard) => {
                self.guarded(&guard, &copies);
                self.guarded(&format!("!({guard})"), &clears);
            }
        }
    }

    fn guarded(&mut self, guard: &str, lines: &[String]) {
        match lines {
            [one] => self.line(&format!("if ({guard}) {one}")),
            _ => {
                self.open(&format!("if ({guard}) {{"));
                lines.iter().for_each(|l| self.line(l));
                self.close();
            }
        }
    }
}

/// Whether registers hold what stands in memory.
fn register_is_element(dtype: DType) -> bool {
    !matches!(dtype, DType::F16 | DType::Bf16 | DType::Bool)
}

/// Names of the components of a vector.
pub(super) fn components(vector: &str, len: u32) -> Vec<String> {
    match len {
        1 => vec![vector.into()],
        _ => (0..len).map(|i| format!("{vector}.s{i:x}")).collect(),
    }
}

fn further(at: &str, skip: u32) -> String {
    match skip {
        0 => at.into(),
        _ => format!("{at} + {skip}"),
    }
}

/// `half` is a type of memory only: OpenCL C 1.2, sections 6.1.1.1 and 6.12.7.
fn half_pointer(place: &Place, skip: u32) -> String {
    let space = Dialect::OpenCl.space(place.space);
    let constant = if place.written { "" } else { "const " };
    let at = further(&place.at, skip);
    format!("({space}{constant}half *)({} + {at})", place.array)
}

fn halves_from(place: &Place, skip: u32, len: u32) -> String {
    match len {
        1 => format!("vload_half(0, {})", half_pointer(place, skip)),
        _ => format!("vloada_half{len}(0, {})", half_pointer(place, skip)),
    }
}

fn halves_to(place: &Place, skip: u32, len: u32, value: &str) -> String {
    match len {
        1 => format!(
            "vstore_half_rte({value}, 0, {});",
            half_pointer(place, skip)
        ),
        _ => format!(
            "vstorea_half{len}_rte({value}, 0, {});",
            half_pointer(place, skip)
        ),
    }
}
