//! The function of a program: its arguments, shared arrays, and the numbers of block, warp and lane.

use std::collections::{BTreeMap, BTreeSet};

use ir::{
    DType, Simt,
    lane::{Memory, Program},
    tile::Counter,
};

use super::{
    super::dialect::Dialect,
    Emitter, Unsupported,
    bulk::{self, Places},
    flight::Flight,
    memory::{PARAM_ALIGNMENT, SHARED_ALIGNMENT},
};
use crate::{
    linear::{Atom, Linear, Scope},
    mlir::text::{Elem, Text, Type, Value},
    span::Span,
};

const WORD: Type = Type::scalar(Elem::I32);
const SHARED: Type = Type::scalar(Elem::SharedPointer);

/// The one shared array of a kernel whose size is said at its launch.
const LAUNCHED: &str = "__shared";

/// Whether the function itself says how much shared memory it has.
pub(in crate::simt) fn shared_in_function(program: &Program, dialect: &dyn Dialect) -> bool {
    let small = program.shared_bytes() <= dialect.stated_shared();
    small && program.shared_alignment() == SHARED_ALIGNMENT && !bulk::wanted(program)
}

/// The MLIR module of a program.
///
/// # Errors
/// If the program has an operation without code.
pub(in crate::simt) fn module(
    program: &Program,
    device: &Simt,
    dialect: &dyn Dialect,
) -> Result<String, Unsupported> {
    let mut text = Text::default();
    let mut arrays = BTreeMap::new();
    let mut arguments = Vec::new();
    for (i, array) in (0..).zip(&program.params) {
        let value = text.name(Type::scalar(Elem::GlobalPointer));
        let read_only = if array.written { "" } else { ", llvm.readonly" };
        arguments.push(format!(
            "{value}: {} {{llvm.noalias, llvm.align = {PARAM_ALIGNMENT} : i64, llvm.nofree{read_only}}}",
            value.ty
        ));
        arrays.insert(Memory::Param(i), value);
    }
    let mut places = Places::default();
    if bulk::wanted(program) {
        if dialect.warpgroups().is_none() {
            let what = "tensor copies, mbarriers and products of warpgroups".into();
            let dtype = program.params.first().map_or(DType::F32, |p| p.dtype);
            return Err(Unsupported { what, dtype });
        }
        for _ in &program.maps {
            let value = text.name(Type::scalar(Elem::Pointer));
            arguments.push(format!(
                "{value}: {} {{{}}}",
                value.ty,
                dialect.map_argument()
            ));
            places.maps.push(value);
        }
    }
    let globals = shared(
        program,
        shared_in_function(program, dialect),
        &mut text,
        &mut arrays,
        &mut places,
    );
    let (lane, warp) = numbers(program, dialect, &places, &mut text);
    let mut emitter = Emitter {
        program,
        dialect,
        asynchronous: device.asynchronous,
        text,
        together: 0,
        scope: Scope {
            counters: BTreeMap::new(),
            spans: BTreeMap::new(),
            row: Span::point(0),
            lane: Span::new(0, i64::from(program.lanes) - 1),
            warp: Span::new(0, i64::from(program.warps) - 1),
            vars: BTreeMap::new(),
        },
        lane,
        warp,
        arrays,
        counters: BTreeMap::new(),
        vars: BTreeMap::new(),
        computed: vec![BTreeMap::new()],
        tied: vec![vec![]],
        places,
        flight: Flight::default(),
        fenced: false,
        sums: BTreeMap::new(),
        coarse: is_coarse(program),
        zeros: BTreeSet::new(),
    };
    emitter.count_grid();
    emitter.statements(&program.body)?;
    emitter.text.line(format_args!("llvm.return"));
    let head = format!(
        "llvm.func @{}({}) attributes {{{}}}",
        program.name,
        arguments.join(", "),
        dialect.kernel(program.threads())
    );
    let function = emitter.text.function(&head);
    let module = dialect.module();
    Ok(format!("module {{\n{module}{globals}{function}}}\n"))
}

/// Whether all that a program writes is rounded to half precision: then `e^x` need not be better than some units of
/// single precision.
fn is_coarse(program: &Program) -> bool {
    let mut written = program.params.iter().filter(|p| p.written);
    written.all(|p| p.dtype.is_float() && p.dtype.size() == 2)
}

/// Shared memory to ask for when a kernel is started: where it begins is known to be a multiple of 16 bytes only.
pub(in crate::simt) fn asked_shared(program: &Program) -> usize {
    program.shared_bytes() + program.shared_alignment() - SHARED_ALIGNMENT
}

/// Declares the shared arrays, and takes their addresses.
fn shared(
    program: &Program,
    stated: bool,
    text: &mut Text,
    arrays: &mut BTreeMap<Memory, Value>,
    places: &mut Places,
) -> String {
    let name = |array: usize| format!("__shared_{array}");
    let alignment = program.shared_alignment();
    let global = |linkage: &str, name: &str, bytes: usize| {
        format!(
            "llvm.mlir.global {linkage} @{name}() {{addr_space = 3 : i32, alignment = {alignment} : i64}} : \
             !llvm.array<{bytes} x i8>\n"
        )
    };
    let mut globals = String::new();
    let address = |name: &str, text: &mut Text| {
        text.op(
            SHARED,
            format_args!("llvm.mlir.addressof @{name} : {SHARED}"),
        )
    };
    if stated {
        for (i, array) in program.shared.iter().enumerate() {
            globals += &global("internal", &name(i), array.bytes());
            let value = address(&name(i), text);
            arrays.insert(Memory::Shared(i as u32), value);
        }
        return globals;
    }
    let mut all = address(LAUNCHED, text);
    if alignment > SHARED_ALIGNMENT {
        all = aligned(text, all, alignment);
    }
    let mut offset = 0;
    let mut place = |bytes: usize, text: &mut Text| {
        let value = text.op(
            SHARED,
            format_args!(
                "llvm.getelementptr inbounds {all}[{offset}] : ({SHARED}) -> {SHARED}, i8"
            ),
        );
        offset += bytes;
        value
    };
    let word = |text: &mut Text, value: Value| {
        text.op(
            WORD,
            format_args!("llvm.ptrtoint {value} : {SHARED} to {WORD}"),
        )
    };
    for (i, array) in (0..).zip(&program.shared) {
        let value = place(array.bytes().next_multiple_of(alignment), text);
        arrays.insert(Memory::Shared(i), value);
        if bulk::wanted(program) {
            places.arrays.push(word(text, value));
        }
    }
    for mbarrier in &program.mbarriers {
        let value = place(8 * mbarrier.len as usize, text);
        places.mbarriers.push(word(text, value));
    }
    global("external", LAUNCHED, 0)
}

/// The first address from here on that is a multiple: an assembler is told of it, but nothing promises that a driver
/// places what is asked for at the launch so.
fn aligned(text: &mut Text, start: Value, alignment: usize) -> Value {
    let word = text.op(
        WORD,
        format_args!("llvm.ptrtoint {start} : {SHARED} to {WORD}"),
    );
    // Through assembly, so that LLVM does not take the declared alignment for granted.
    let word = text.assembly("", &[word], &[], &[])[0];
    let zero = text.int(WORD, 0);
    let below = text.int(WORD, alignment as i64 - 1);
    let negated = text.binary("arith.subi", zero, word);
    let by = text.binary("arith.andi", negated, below);
    text.op(
        SHARED,
        format_args!(
            "llvm.getelementptr inbounds {start}[{by}] : ({SHARED}, {WORD}) -> {SHARED}, i8"
        ),
    )
}

/// The numbers of lane and warp.
fn numbers(
    program: &Program,
    dialect: &dyn Dialect,
    places: &Places,
    text: &mut Text,
) -> (Value, Value) {
    let thread = dialect.thread(text);
    let wanted = bulk::wanted(program);
    let device = dialect.warpgroups().filter(|_| wanted);
    if let Some(device) = device {
        bulk::start(text, program, device, places, thread);
        dialect.barrier(text);
    }
    if program.warps == 1 {
        return (thread, text.int(WORD, 0));
    }
    let lanes = text.int(WORD, i64::from(program.lanes));
    let lane = text.binary("arith.remui", thread, lanes);
    let warp = text.binary("arith.divui", thread, lanes);
    let warp = match device {
        Some(device) => device.uniform(text, warp),
        None => dialect.uniform(text, warp),
    };
    (lane, warp)
}

impl Emitter<'_> {
    /// Splits the block's number into its place on each axis, the last one fastest.
    fn count_grid(&mut self) {
        let grid = &self.program.grid;
        let mut rest = self.dialect.block(&mut self.text);
        for (axis, size) in grid.iter().enumerate().rev() {
            let counter = Counter(axis as u32);
            let span = Span::new(0, (size - 1).max(0));
            self.scope.spans.insert(counter, span);
            if *size == 1 {
                self.scope.counters.insert(counter, Linear::constant(0));
                continue;
            }
            self.scope
                .counters
                .insert(counter, Linear::atom(Atom::Counter(counter)));
            let outer = grid[..axis].iter().any(|n| *n != 1);
            let place = match outer {
                false => rest,
                true => {
                    let size = self.text.int(WORD, *size);
                    let place = self.text.binary("arith.remui", rest, size);
                    rest = self.text.binary("arith.divui", rest, size);
                    place
                }
            };
            self.counters.insert(counter, place);
        }
    }
}
