//! The functions of a program: the exported one, and the loop over blocks behind it.

use std::collections::{BTreeMap, BTreeSet};

use ir::tile::{Access, Array, Axis, Counter, Memory, Program, Shape, Stmt, Value as Term, Var};

use super::{Condition, Emitter, Unsupported, memory::ALIGNMENT};
use crate::{
    linear::{Atom, Linear},
    mlir::text::{Elem, Text, Type, Value},
    span::Span,
};

const INTEGER: Type = Type::scalar(Elem::I64);
const POINTER: Type = Type::scalar(Elem::Pointer);

impl Emitter<'_> {
    pub(super) fn module(&mut self) -> Result<String, Unsupported> {
        let program = self.program;
        let mut arguments = Vec::new();
        for (memory, array) in memories(self.program) {
            let value = self.text.name(POINTER);
            let read_only = if array.written { "" } else { ", llvm.readonly" };
            arguments.push(format!(
                "{value}: !llvm.ptr {{llvm.noalias, llvm.align = {ALIGNMENT} : i64, llvm.nofree{read_only}}}"
            ));
            self.arrays.insert(memory, value);
        }
        let (first, last) = (self.text.name(INTEGER), self.text.name(INTEGER));
        arguments.push(format!("{first}: i64, {last}: i64"));

        let one = self.text.int(INTEGER, 1);
        let block = self.text.name(INTEGER);
        self.text.line(format_args!(
            "scf.for {block} = {first} to {last} step {one} : i64 {{"
        ));
        self.computed.push(Default::default());
        self.count_grid(block);
        self.bound_loops(&program.body);
        self.block()?;
        self.computed.pop();
        self.text.line(format_args!("}}"));
        self.text.line(format_args!("llvm.return"));

        let name = &program.name;
        // Objects are linked with no library: a loop that copies must not become a call of `memcpy`.
        let head = format!(
            "llvm.func internal @{name}_blocks({}) attributes {{passthrough = [\"no-builtins\", \"noinline\", \"nounwind\"]}}",
            arguments.join(", ")
        );
        let blocks = self.text.function(&head);
        Ok(format!("module {{\n{blocks}{}}}\n", self.exported()))
    }

    /// Takes the pointers out of the caller's list, so that they can be promised not to overlap.
    fn exported(&self) -> String {
        let mut text = Text::default();
        let list = text.name(POINTER);
        let (first, last) = (text.name(INTEGER), text.name(INTEGER));
        let scratch = text.name(POINTER);
        let mut pointers = Vec::new();
        let mut offset = 0;
        for (memory, array) in memories(self.program) {
            pointers.push(match memory {
                Memory::Param(i) => {
                    let slot = text.op(
                        POINTER,
                        format_args!(
                            "llvm.getelementptr {list}[{i}] : (!llvm.ptr) -> !llvm.ptr, !llvm.ptr"
                        ),
                    );
                    text.op(
                        POINTER,
                        format_args!("llvm.load {slot} : !llvm.ptr -> !llvm.ptr"),
                    )
                }
                Memory::Local(_) => {
                    let at = offset;
                    offset += array.bytes().next_multiple_of(ALIGNMENT as usize);
                    text.op(
                        POINTER,
                        format_args!(
                            "llvm.getelementptr {scratch}[{at}] : (!llvm.ptr) -> !llvm.ptr, i8"
                        ),
                    )
                }
            });
        }
        let operands: Vec<String> = pointers
            .iter()
            .chain([&first, &last])
            .map(Value::to_string)
            .collect();
        let types = "!llvm.ptr, ".repeat(pointers.len());
        let name = &self.program.name;
        text.line(format_args!(
            "llvm.call @{name}_blocks({}) : ({types}i64, i64) -> ()",
            operands.join(", ")
        ));
        text.line(format_args!("llvm.return"));
        text.function(&format!(
            "llvm.func @{name}({list}: !llvm.ptr, {first}: i64, {last}: i64, {scratch}: !llvm.ptr) \
             attributes {{passthrough = [\"nounwind\"]}}"
        ))
    }

    /// Splits a block's number into its place on each axis, the last one fastest.
    fn count_grid(&mut self, block: Value) {
        let grid = &self.program.grid;
        let mut rest = block;
        for (axis, size) in grid.iter().enumerate().rev() {
            let counter = Counter(axis as u32);
            self.scope
                .spans
                .insert(counter, Span::new(0, (size - 1).max(0)));
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
                    let size = self.text.int(INTEGER, *size);
                    let place = self.text.binary("arith.remui", rest, size);
                    rest = self.text.binary("arith.divui", rest, size);
                    place
                }
            };
            self.counters.insert(counter, place);
        }
    }

    /// Notes the bounds of every loop's counter, so that what holds in all rounds can be seen before.
    fn bound_loops(&mut self, body: &[Stmt]) {
        for statement in body {
            let Stmt::For(each) = statement else { continue };
            let start = self.scope.linear(&each.start);
            let end = self.scope.linear(&each.end);
            let span = Span::new(self.scope.span(&start).lo, self.scope.span(&end).hi - 1);
            let span = match (start.known(), end.known()) {
                (Some(start), Some(end)) if end > start => {
                    Span::new(start, start + (end - 1 - start) / each.step * each.step)
                }
                _ => Span::new(span.lo, span.hi.max(span.lo)),
            };
            self.scope.spans.insert(each.counter, span);
            let atom = Linear::atom(Atom::Counter(each.counter));
            self.scope.counters.insert(each.counter, atom);
            self.bound_loops(&each.body);
        }
    }

    /// One block; twice where guards hold for whole blocks but not all: without them, and with them.
    fn block(&mut self) -> Result<(), Unsupported> {
        let program = self.program;
        let (granted, sums) = self.block_conditions();
        let Some(condition) = self.all_positive(&sums) else {
            return self.statements(&program.body);
        };
        let scope = self.scope.clone();
        self.text.line(format_args!("scf.if {condition} {{"));
        self.granted = granted;
        self.region(|e| e.statements(&program.body))?;
        self.granted.clear();
        self.scope = scope;
        self.tiles.clear();
        self.text.line(format_args!("}} else {{"));
        self.region(|e| e.statements(&program.body))?;
        self.text.line(format_args!("}}"));
        Ok(())
    }

    /// Guards that hold throughout a block, and what must be above 0 for that.
    fn block_conditions(&mut self) -> (BTreeSet<Condition>, Vec<Linear>) {
        let mut accesses = Vec::new();
        let mut shapes = BTreeMap::new();
        collect(&self.program.body, &mut shapes, &mut accesses);
        let axes = self.program.grid.len() as u32;
        let inner = |atom: &Atom| match atom {
            Atom::Counter(Counter(c)) => *c >= axes,
            Atom::Row | Atom::Lane | Atom::Load(..) => true,
            _ => false,
        };
        let mut granted = BTreeSet::new();
        let mut sums: Vec<Linear> = Vec::new();
        for (access, shape) in accesses {
            self.scope.row = Span::new(0, i64::from(shape.rows) - 1);
            self.scope.lane = Span::new(0, i64::from(shape.lanes) - 1);
            for (low, high) in &access.guard {
                let low_sum = self.scope.linear(low);
                let room = self.scope.linear(high).minus(&low_sum);
                let Some(least) = self.scope.least(&room, &inner) else {
                    continue;
                };
                let span = self.scope.span(&least);
                if span.hi <= 0 {
                    continue;
                }
                granted.insert((low.clone(), high.clone(), (shape.rows, shape.lanes)));
                if span.lo >= 1 {
                    continue;
                }
                // Of sums that differ by a constant only the least matters.
                let like = sums.iter_mut().find(|sum| sum.terms == least.terms);
                match like {
                    Some(sum) => sum.constant = sum.constant.min(least.constant),
                    None => sums.push(least),
                }
            }
        }
        (granted, sums)
    }
}

/// All arrays: parameters, then locals.
fn memories(program: &Program) -> Vec<(Memory, &Array)> {
    let params = program
        .params
        .iter()
        .zip(0..)
        .map(|(a, i)| (Memory::Param(i), a));
    let locals = program
        .locals
        .iter()
        .zip(0..)
        .map(|(a, i)| (Memory::Local(i), a));
    params.chain(locals).collect()
}

/// Every access with the shape of its tile.
fn collect<'p>(
    body: &'p [Stmt],
    shapes: &mut BTreeMap<Var, Shape>,
    accesses: &mut Vec<(&'p Access, Shape)>,
) {
    for statement in body {
        match statement {
            Stmt::Let(var, term) => {
                if let Term::Load { from, shape, .. } = term {
                    accesses.push((from, *shape));
                }
                let shape = shape_of(term, shapes);
                shapes.insert(*var, shape);
            }
            Stmt::Store { to, value } => accesses.push((to, shapes[value])),
            Stmt::For(each) => {
                for carried in &each.carried {
                    let shape = shapes[&carried.init];
                    shapes.insert(carried.current, shape);
                    shapes.insert(carried.result, shape);
                }
                collect(&each.body, shapes, accesses);
            }
        }
    }
}

fn shape_of(term: &Term, shapes: &BTreeMap<Var, Shape>) -> Shape {
    let joined = |a: Shape, b: Shape| a.join(b).expect("operands repeat to one shape");
    match term {
        Term::Splat(_, _, shape)
        | Term::Coordinate(_, shape)
        | Term::Load { shape, .. }
        | Term::Broadcast(_, shape) => *shape,
        Term::Unary(_, a) | Term::Cast(_, a) => shapes[a],
        Term::Binary(_, a, b) => joined(shapes[a], shapes[b]),
        Term::Select(c, a, b) => joined(shapes[c], joined(shapes[a], shapes[b])),
        Term::Reduce(_, Axis::Rows, a) => Shape::new(1, shapes[a].lanes),
        Term::Reduce(_, Axis::Lanes, a) => Shape::new(shapes[a].rows, 1),
        Term::Dot { acc, .. } => shapes[acc],
    }
}
