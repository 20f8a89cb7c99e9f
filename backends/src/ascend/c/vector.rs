//! The vector units' part: tiles in buffers, from queues and to queues.

use std::collections::BTreeMap;

use ir::{
    DType,
    tile::{Counter, For, Index, Place, Program, Ranges, Shape, Stmt, Types, Value, Var},
};

use super::{
    QUEUED,
    arena::Arena,
    count, ctype,
    split::reads,
    text::{Text, integer},
};

/// A tile, or a number.
#[derive(Clone, Debug)]
pub(super) struct Tile {
    pub name: String,
    /// Of its elements on the chip: truths and small integers are f32.
    pub dtype: DType,
    pub shape: Shape,
    pub held: Held,
}

/// What holds a tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Held {
    /// A number that is known where the kernel is printed, or an integer expression.
    Number,
    /// The buffer of tiles that are made, from this byte.
    Buffer(u64),
    /// A queue of tiles from memory.
    Queue(u32),
    /// A tile under another name, which outlives this one.
    Borrowed,
}

/// Why there is no text.
pub(super) type Fault = (Place, String);

pub(super) struct Vector<'a> {
    pub program: &'a Program,
    pub types: &'a Types,
    pub text: &'a mut Text,
    pub ranges: Ranges,
    pub counters: BTreeMap<Counter, String>,
    pub tiles: BTreeMap<Var, Tile>,
    pub arena: Arena,
    /// Places that the statement gives back at its end.
    pub temporary: Vec<u64>,
    /// Bytes of all queues.
    pub queued: u64,
    /// Tiles of queues that exist now, from memory and on their way to it.
    pub live: usize,
    /// Casts that are made where they are stored, and of what.
    pub casts: BTreeMap<Var, Var>,
    /// Loops around.
    pub loops: u32,
    place: Vec<usize>,
}

impl<'a> Vector<'a> {
    /// Prints a program; gives what it holds of the vector unit's buffer.
    pub fn print(
        program: &'a Program,
        types: &'a Types,
        half: Option<Counter>,
        text: &'a mut Text,
    ) -> Result<u64, Fault> {
        let mut ranges = Ranges::of(program);
        let mut counters = BTreeMap::new();
        if let Some(half) = half {
            ranges = ranges.in_loop(&For {
                counter: half,
                start: 0.into(),
                end: 2.into(),
                step: 1,
                unroll: 1,
                carried: vec![],
                body: vec![],
            });
            counters.insert(half, "part".into());
        }
        let mut printer = Self {
            program,
            types,
            text,
            ranges,
            counters,
            tiles: BTreeMap::new(),
            arena: Arena::default(),
            temporary: vec![],
            queued: 0,
            live: 0,
            casts: BTreeMap::new(),
            loops: 0,
            place: vec![],
        };
        printer.text.declare(format_args!("TPipe pipe;"));
        printer.body(&program.body, &[])?;
        let made = printer.arena.peak;
        if made > 0 {
            let text = &mut printer.text;
            text.declare(format_args!("TBuf<TPosition::VECCALC> made;"));
            text.declare(format_args!("pipe.InitBuffer(made, {made});"));
            text.declare(format_args!(
                "LocalTensor<uint8_t> all = made.Get<uint8_t>();"
            ));
        }
        Ok(made + printer.queued)
    }

    /// Statements in order; `after` are read when they have run.
    fn body(&mut self, body: &[Stmt], after: &[Var]) -> Result<(), Fault> {
        for (i, stmt) in body.iter().enumerate() {
            self.place.push(i);
            let later = |var: &Var| {
                after.contains(var) || body[i + 1..].iter().any(|s| reads(s).contains(var))
            };
            match stmt {
                Stmt::Let(var, value) => {
                    let stored = matches!(value, Value::Cast(..))
                        && !after.contains(var)
                        && body[i + 1..]
                            .iter()
                            .map(|s| reads(s).iter().filter(|v| *v == var).count())
                            .sum::<usize>()
                            == 1
                        && body[i + 1..]
                            .iter()
                            .any(|s| matches!(s, Stmt::Store { value, .. } if value == var));
                    let (dtype, shape) = self.types[var];
                    if let (true, Value::Cast(_, x)) = (stored, value) {
                        self.casts.insert(*var, *x);
                    } else {
                        let tile = self.value(value, dtype, shape).map_err(|w| self.fault(w))?;
                        self.tiles.insert(*var, tile);
                    }
                }
                Stmt::Store { to, value } => {
                    self.store(to, *value).map_err(|w| self.fault(w))?;
                }
                Stmt::For(l) => {
                    self.for_each(l)?;
                }
            }
            for place in std::mem::take(&mut self.temporary) {
                self.arena.give(place);
            }
            let casts = self.casts.clone();
            let dead: Vec<Var> = self
                .tiles
                .keys()
                .copied()
                .filter(|v| {
                    let made_here = body[..=i].iter().any(|s| defines(s, *v));
                    // What a cast reads is wanted where the cast is stored.
                    let by_cast = casts.iter().any(|(to, from)| from == v && later(to));
                    made_here && !later(v) && !by_cast
                })
                .collect();
            dead.into_iter().for_each(|v| self.drop(v));
            self.place.pop();
        }
        Ok(())
    }

    /// Gives back what holds a tile.
    fn drop(&mut self, var: Var) {
        let Some(tile) = self.tiles.remove(&var) else {
            return;
        };
        match tile.held {
            Held::Buffer(at) => self.arena.give(at),
            Held::Queue(q) => {
                let name = &tile.name;
                self.text.line(format_args!("q{q}.FreeTensor({name});"));
                self.live -= 1;
            }
            Held::Number | Held::Borrowed => {}
        }
    }

    pub fn fault(&self, what: String) -> Fault {
        (Place(self.place.clone()), what)
    }

    fn for_each(&mut self, l: &For) -> Result<(), Fault> {
        let mut held = vec![];
        for carried in &l.carried {
            let init = self.tiles[&carried.init].clone();
            let (dtype, shape) = self.types[&carried.result];
            if held_type(dtype) != DType::F32 {
                return Err(self.fault(format!("a loop that carries {}", dtype.name())));
            }
            let (name, at) = self.tile(DType::F32, count(shape));
            self.copy(&name, &init, shape);
            held.push(Tile {
                name,
                dtype: DType::F32,
                shape,
                held: Held::Buffer(at),
            });
            let current = Tile {
                held: Held::Borrowed,
                ..held.last().expect("pushed above").clone()
            };
            self.tiles.insert(carried.current, current);
        }
        let counter = format!("c{}", l.counter.0);
        let [start, end] = [&l.start, &l.end].map(|x| self.integer(x, ["0", "0"]));
        let step = l.step;
        self.text.open(format_args!(
            "for (int64_t {counter} = {start}; {counter} < {end}; {counter} += {step})"
        ));
        let inner = self.ranges.in_loop(l);
        let outer = std::mem::replace(&mut self.ranges, inner);
        self.loops += 1;
        let next: Vec<Var> = l.carried.iter().map(|c| c.next).collect();
        if l.carried
            .iter()
            .any(|c| l.carried.iter().any(|d| d.current == c.next))
        {
            return Err(self.fault("a loop whose tiles change places".into()));
        }
        self.body(&l.body, &next)?;
        for (carried, tile) in l.carried.iter().zip(&held) {
            let next = self.tiles[&carried.next].clone();
            self.copy(&tile.name, &next, tile.shape);
        }
        next.into_iter().for_each(|v| self.drop(v));
        for place in std::mem::take(&mut self.temporary) {
            self.arena.give(place);
        }
        self.loops -= 1;
        self.ranges = outer;
        self.text.close();
        for (carried, tile) in l.carried.iter().zip(held) {
            self.tiles.remove(&carried.current);
            self.tiles.insert(carried.result, tile);
        }
        Ok(())
    }

    /// A tile's name and place in the buffer of tiles that are made.
    pub fn tile(&mut self, dtype: DType, count: u64) -> (String, u64) {
        let at = self.arena.take(count * dtype.size() as u64);
        let (name, ty) = (format!("t{}", self.text.number()), ctype(dtype));
        self.text.line(format_args!(
            "LocalTensor<{ty}> {name} = all[{at}].ReinterpretCast<{ty}>();"
        ));
        (name, at)
    }

    /// A tile that is gone when the statement is.
    pub fn scratch(&mut self, dtype: DType, count: u64) -> String {
        let (name, at) = self.tile(dtype, count);
        self.temporary.push(at);
        name
    }

    /// A queue's number; `count` elements.
    pub fn queue(&mut self, position: &str, dtype: DType, count: u64) -> Result<u32, String> {
        let q = self.text.number();
        // In a loop one buffer is filled while the other is used.
        let buffers = 1 + u64::from(self.loops > 0);
        let bytes = count * dtype.size() as u64;
        self.text
            .declare(format_args!("TQue<TPosition::{position}, 1> q{q};"));
        self.text
            .declare(format_args!("pipe.InitBuffer(q{q}, {buffers}, {bytes});"));
        self.queued += buffers * bytes;
        if self.live >= QUEUED {
            return Err(format!("more than {QUEUED} tiles from memory at a time"));
        }
        Ok(q)
    }

    pub fn integer(&self, index: &Index, at: [&str; 2]) -> String {
        integer(index, &self.counters, at)
    }

    /// An instruction of the vector unit, in order with the next.
    pub fn op(&mut self, line: std::fmt::Arguments<'_>) {
        self.text.line(line);
        self.text.line(format_args!("PipeBarrier<PIPE_V>();"));
    }

    /// Runs of one pipe that another one waits for.
    pub fn flag(&mut self, event: &str) {
        self.text
            .line(format_args!("SetFlag<HardEvent::{event}>(0);"));
        self.text
            .line(format_args!("WaitFlag<HardEvent::{event}>(0);"));
    }
}

fn defines(stmt: &Stmt, var: Var) -> bool {
    match stmt {
        Stmt::Let(v, _) => *v == var,
        Stmt::Store { .. } => false,
        Stmt::For(l) => l.carried.iter().any(|c| c.result == var),
    }
}

/// The element type of a tile on the chip.
pub(super) const fn held_type(dtype: DType) -> DType {
    match dtype {
        DType::Bool | DType::I32 => DType::F32,
        other => other,
    }
}
