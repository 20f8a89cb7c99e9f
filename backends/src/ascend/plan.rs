//! Whether the tiles of a program fit on the chip, before anything is printed.
//!
//! The vendor's compiler plans buffers itself and says "ub overflow" late; this plan is made to refuse before. It
//! counts every tile that exists at a step at its padded size, and a whole operand of a product in the buffers of the
//! matrix unit; what loops load or multiply counts twice, since one is filled while the other is used. It fuses nothing, so it may
//! refuse what would have fitted; it promises nothing of what the vendor's compiler allocates.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use ir::{
    Bytes, DType, OnChip, TensorCore,
    tile::{Place, Program, Shape, Stmt, Types, Value, Var},
};

use super::{
    AscendError,
    live::{Point, operands, points, without_copies},
};

/// A memory of a core.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Memory {
    /// Of the vector unit.
    Ub,
    /// Operands of products on their way.
    L1,
    /// Left operands of the matrix unit.
    L0A,
    /// Right operands of the matrix unit.
    L0B,
    /// Sums of the matrix unit.
    L0C,
}

/// A tile in a memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The tile.
    pub var: Var,
    /// Its shape.
    pub shape: Shape,
    /// Its element type.
    pub dtype: DType,
    /// What it takes, with all copies and padding.
    pub bytes: Bytes,
}

/// The most that a memory holds at one time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// The memory.
    pub memory: Memory,
    /// How much is needed.
    pub bytes: Bytes,
    /// How much there is.
    pub limit: Bytes,
    /// The step at which it is.
    pub place: Place,
    /// Of what; what a step needs for repeated operands stands under its result.
    pub live: Vec<Held>,
}

/// What a program holds on the chip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// One for each memory.
    pub needs: Vec<Need>,
}

impl Memory {
    /// Every memory.
    pub const ALL: [Self; 5] = [Self::Ub, Self::L1, Self::L0A, Self::L0B, Self::L0C];

    /// What its sizes are counted in, for messages.
    pub const fn bytes_of(self) -> &'static str {
        match self {
            Self::Ub => "bytes of UB",
            Self::L1 => "bytes of L1",
            Self::L0A => "bytes of L0A",
            Self::L0B => "bytes of L0B",
            Self::L0C => "bytes of L0C",
        }
    }

    fn of(self, core: &TensorCore) -> OnChip {
        match self {
            Self::Ub => core.vector,
            Self::L1 => core.staging,
            Self::L0A => core.left,
            Self::L0B => core.right,
            Self::L0C => core.sums,
        }
    }
}

impl fmt::Display for Need {
    /// `UB at statement 2.0 needs 96 of 64 bytes: %1 f32 4x4 96`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} at {} needs {} of {} bytes:",
            format!("{:?}", self.memory).to_uppercase(),
            self.place,
            self.bytes.0,
            self.limit.0
        )?;
        let held = self.live.iter().map(|h| {
            let Held {
                var, shape, dtype, ..
            } = h;
            format!(" {var} {} {shape} {}", dtype.name(), h.bytes.0)
        });
        f.write_str(&held.collect::<Vec<_>>().join(","))
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.needs.iter().try_for_each(|need| writeln!(f, "{need}"))
    }
}

/// What is known of each tile.
#[derive(Default)]
struct Roles {
    /// Read by the vector unit, or made by it.
    vector: BTreeSet<Var>,
    /// Operands of products.
    factors: BTreeSet<Var>,
    /// Results of products.
    sums: BTreeSet<Var>,
    /// Loaded in a loop.
    streamed: BTreeSet<Var>,
    /// Tiles that a loop carries under several names; the first stands for all.
    same: BTreeMap<Var, Var>,
}

/// The plan of a program.
///
/// # Errors
/// Some memory is too small.
pub fn plan(program: &Program, types: &Types, core: &TensorCore) -> Result<Plan, AscendError> {
    let body = without_copies(&program.body, types);
    let points = points(&body);
    let mut roles = Roles::default();
    roles.carry(&body);
    points.iter().for_each(|p| roles.note(p));
    let needs = Memory::ALL.map(|memory| {
        let at = points.iter().map(|p| need(memory, p, &roles, types, core));
        let none = Need {
            memory,
            bytes: Bytes(0),
            limit: memory.of(core).size,
            place: Place::default(),
            live: vec![],
        };
        // Of equals, the earliest.
        at.fold(none, |most, need| {
            let earlier = need.bytes == most.bytes && need.place < most.place;
            if need.bytes > most.bytes || earlier && need.bytes.0 > 0 {
                need
            } else {
                most
            }
        })
    });
    match needs.iter().find(|need| need.bytes > need.limit) {
        None => Ok(Plan {
            needs: needs.into(),
        }),
        Some(need) => Err(AscendError::DoesNotFit {
            program: program.name.clone(),
            need: Box::new(need.clone()),
        }),
    }
}

impl Roles {
    fn carry(&mut self, body: &[Stmt]) {
        for stmt in body {
            if let Stmt::For(l) = stmt {
                self.carry(&l.body);
                for c in &l.carried {
                    for var in [c.current, c.next, c.result] {
                        let (a, b) = (self.class(c.init), self.class(var));
                        if a != b {
                            self.same.insert(b, a);
                        }
                    }
                }
            }
        }
    }

    fn class(&self, var: Var) -> Var {
        self.same.get(&var).map_or(var, |of| self.class(*of))
    }

    fn note(&mut self, point: &Point<'_>) {
        let (var, value) = match point.stmt {
            Stmt::Let(var, value) => (*var, value),
            Stmt::Store { value, .. } => {
                self.vector.insert(self.class(*value));
                return;
            }
            Stmt::For(_) => return,
        };
        match value {
            Value::Dot { a, b, .. } => {
                self.factors.extend([self.class(*a), self.class(*b)]);
                self.sums.insert(self.class(var));
            }
            Value::Load { .. } if point.place.0.len() > 1 => {
                self.streamed.insert(var);
            }
            Value::Load { .. } | Value::Splat(..) => {}
            value => {
                let read = operands(value).into_iter().chain([var]);
                let read: Vec<Var> = read.map(|v| self.class(v)).collect();
                self.vector.extend(read);
            }
        }
    }

    /// Whether a tile is in a memory for as long as it exists.
    fn resides(&self, memory: Memory, var: Var) -> bool {
        let class = self.class(var);
        match memory {
            Memory::Ub => self.vector.contains(&class),
            Memory::L1 => self.factors.contains(&class),
            Memory::L0C => self.sums.contains(&class),
            Memory::L0A | Memory::L0B => false,
        }
    }
}

/// What a memory holds at a step.
fn need(
    memory: Memory,
    point: &Point<'_>,
    roles: &Roles,
    types: &Types,
    core: &TensorCore,
) -> Need {
    let hold = |var: Var, bytes: u64| Held {
        var,
        shape: types[&var].1,
        dtype: types[&var].0,
        bytes: Bytes(bytes),
    };
    // A product is added to a sum in place, if that is not read again.
    let replaced = |var: &Var| match point.stmt {
        Stmt::Let(_, Value::Dot { acc, .. }) => {
            memory == Memory::L0C && acc == var && point.last.contains(var)
        }
        _ => false,
    };
    let residents = point.live.iter().filter(|v| roles.resides(memory, **v));
    let residents = residents.filter(|v| !replaced(v));
    let mut live: Vec<Held> = residents
        .map(|var| {
            let copies = 1 + u64::from(roles.streamed.contains(var));
            hold(*var, copies * size(memory, types[var], core))
        })
        .collect();
    if let Stmt::Let(var, value) = point.stmt {
        // In a loop, the next product's operand arrives while this one is used.
        let rounds = 1 + u64::from(point.place.0.len() > 1);
        match (memory, value) {
            (Memory::L0A, Value::Dot { a, .. }) => {
                live.push(hold(*a, rounds * size(memory, types[a], core)));
            }
            (Memory::L0B, Value::Dot { b, .. }) => {
                live.push(hold(*b, rounds * size(memory, types[b], core)));
            }
            (Memory::Ub, value @ (Value::Binary(..) | Value::Select(..))) => {
                let full = types[var].1;
                let repeated = operands(value).into_iter().filter(|x| types[x].1 != full);
                let bytes = repeated.map(|x| size(memory, (types[&x].0, full), core));
                live.extend(bytes.map(|n| hold(*var, n)));
            }
            _ => {}
        }
    }
    live.retain(|h| h.bytes.0 > 0);
    Need {
        memory,
        bytes: Bytes(live.iter().map(|h| h.bytes.0).sum()),
        limit: memory.of(core).size,
        place: point.place.clone(),
        live,
    }
}

/// Bytes of a tile, padded as the memory asks.
fn size(memory: Memory, (dtype, shape): (DType, Shape), core: &TensorCore) -> u64 {
    let (rows, lanes, element) = (
        u64::from(shape.rows),
        u64::from(shape.lanes),
        dtype.size() as u64,
    );
    let (fractal, depth) = (u64::from(core.fractal), core.fractal_row.0 / element);
    let align = memory.of(core).align.0;
    let bytes = match memory {
        // One number is a scalar register.
        Memory::Ub if shape == Shape::ONE => return 0,
        Memory::Ub if shape.lanes == 1 => rows * element,
        Memory::Ub => rows * (lanes * element).next_multiple_of(align),
        Memory::L1 => {
            let side = fractal.max(depth);
            rows.next_multiple_of(side) * lanes.next_multiple_of(side) * element
        }
        Memory::L0A => rows.next_multiple_of(fractal) * lanes.next_multiple_of(depth) * element,
        Memory::L0B => rows.next_multiple_of(depth) * lanes.next_multiple_of(fractal) * element,
        Memory::L0C => rows.next_multiple_of(fractal) * lanes.next_multiple_of(fractal) * element,
    };
    bytes.next_multiple_of(align)
}
