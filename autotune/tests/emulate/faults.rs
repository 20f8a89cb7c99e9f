//! Faults planted in correct programs, each of which the check of the matrix has to find.

use std::collections::BTreeMap;

use ir::{
    AttentionRows, Kernel, Schedule, SimtAttentionSchedule, SimtContractSchedule, Skew,
    lane::{Index, Program, Step, Stmt, Value},
};

use crate::{
    graphs,
    lanes::{self, Reference},
    matrix::Outcome,
};

/// A program that is right, and what it is to compute.
struct Correct {
    what: String,
    reference: Reference,
    program: Program,
    stages: u32,
}

/// A way to break a program: how many places there are, and the program broken at one of them.
struct Fault {
    name: &'static str,
    /// The program broken at the n-th place; none if there are not so many.
    plant: fn(&Correct, usize) -> Option<Program>,
    /// Programs that must have a place to break.
    wanted: fn(&Correct) -> bool,
}

const FAULTS: &[Fault] = &[
    Fault {
        name: "planted: missing barrier",
        plant: |c, n| without(&c.program, n, |s| matches!(s, Stmt::Barrier)),
        wanted: |_| true,
    },
    Fault {
        name: "planted: swapped fragment rows",
        plant: |c, n| swapped_rows(&c.program, n),
        wanted: |_| true,
    },
    Fault {
        name: "planted: wrong swizzle",
        plant: |c, n| wrong_swizzle(&c.program, n),
        wanted: |_| true,
    },
    Fault {
        name: "planted: missing wait for copies",
        plant: |c, n| without(&c.program, n, |s| matches!(s, Stmt::Wait { .. })),
        wanted: |c| c.stages > 1,
    },
    Fault {
        name: "planted: wait for too few copies",
        plant: |c, n| changed(&c.program, n, &mut later),
        wanted: |c| c.stages > 1,
    },
    Fault {
        name: "planted: stage refilled while read",
        plant: |c, n| changed(&c.program, n, &mut |s| refilled(s, c.stages)),
        wanted: |c| c.stages > 1,
    },
];

/// Plants each fault at each place of each program.
pub fn run() -> BTreeMap<&'static str, Outcome> {
    let programs = correct();
    let each = FAULTS.iter().map(|fault| {
        let mut outcome = Outcome::default();
        for correct in &programs {
            let broken = (0..).map_while(|n| (fault.plant)(correct, n));
            let mut places = 0;
            for (n, program) in broken.enumerate() {
                places += 1;
                match correct.reference.lanes(&[&program]) {
                    Err(_) => outcome.agreed += 1,
                    Ok(_) => {
                        let what = &correct.what;
                        outcome
                            .failures
                            .push(format!("{what}, place {n}: not found"));
                    }
                }
            }
            if places == 0 && (fault.wanted)(correct) {
                let what = &correct.what;
                outcome
                    .failures
                    .push(format!("{what}: no place for the fault"));
            }
        }
        (fault.name, outcome)
    });
    each.collect()
}

fn contract(sides: [u32; 3], warps: [u32; 2], stages: u32) -> Schedule {
    Schedule::SimtContract(SimtContractSchedule {
        block_rows: sides[0],
        block_columns: sides[1],
        block_depth: sides[2],
        warp_rows: warps[0],
        warp_columns: warps[1],
        stages,
        instr: 0,
        skew: Skew::Swizzle,
        splits: 1,
    })
}

fn attention(sides: [u32; 4], warp_rows: u32, stages: u32) -> Schedule {
    Schedule::SimtAttention(SimtAttentionSchedule {
        block_queries: sides[0],
        block_keys: sides[1],
        block_depth: sides[2],
        block_columns: sides[3],
        warp_rows,
        warp_columns: 1,
        stages,
        instr: 0,
        skew: Skew::Swizzle,
        rows: AttentionRows::Queries,
        splits: 1,
    })
}

/// Programs with matrix instructions and swizzled tiles: copied ahead where the device can, else stored.
fn correct() -> Vec<Correct> {
    let product = graphs::product("f16", [64, 64, 160]);
    let attended = graphs::attended("f16", [64, 96, 32]);
    let all = [
        ("cuda:sm_80", &product, contract([64, 64, 32], [2, 2], 3), 3),
        (
            "cuda:sm_90a",
            &product,
            contract([32, 64, 32], [2, 1], 2),
            2,
        ),
        (
            "cuda:sm_80",
            &attended,
            attention([64, 32, 32, 32], 4, 2),
            2,
        ),
        (
            "rocm:gfx942",
            &product,
            contract([64, 64, 32], [2, 2], 1),
            1,
        ),
        (
            "rocm:gfx1100",
            &product,
            contract([64, 64, 32], [2, 2], 1),
            1,
        ),
        (
            "opencl:gfx936",
            &product,
            contract([64, 64, 32], [2, 2], 1),
            1,
        ),
    ];
    let of = |(device, text, schedule, stages): (&str, &String, Schedule, u32)| {
        let target = backends::resolve(device).expect("the backends have it");
        let graph = lanes::graphs(text).remove(0);
        let kernel: Kernel = lanes::kernels(&graph, &[]).remove(0);
        let lowered = passes::lower(&kernel, &schedule, &target);
        let lowered = lowered.unwrap_or_else(|e| panic!("{device}: {e}"));
        let correct = Correct {
            what: format!("{device}, `{}`", kernel.name),
            reference: Reference::of(&kernel),
            program: lowered.lane.expect("the target has lanes"),
            stages,
        };
        let right = correct.reference.lanes(&[&correct.program]);
        right.unwrap_or_else(|e| panic!("{} before any fault: {e}", correct.what));
        correct
    };
    all.into_iter().map(of).collect()
}

/// The program with its n-th statement that `change` takes changed.
fn changed(
    program: &Program,
    n: usize,
    change: &mut dyn FnMut(&Stmt) -> Option<Vec<Stmt>>,
) -> Option<Program> {
    let mut left = Some(n);
    let body = walk(&program.body, &mut left, change);
    left.is_none().then(|| Program {
        body,
        ..program.clone()
    })
}

fn walk(
    body: &[Stmt],
    left: &mut Option<usize>,
    change: &mut dyn FnMut(&Stmt) -> Option<Vec<Stmt>>,
) -> Vec<Stmt> {
    let mut out = vec![];
    for stmt in body {
        match (*left, left.and_then(|_| change(stmt))) {
            (Some(0), Some(instead)) => {
                *left = None;
                out.extend(instead);
                continue;
            }
            (Some(n), Some(_)) => *left = Some(n - 1),
            _ => {}
        }
        out.push(match stmt {
            Stmt::For(l) => Stmt::For(ir::lane::For {
                body: walk(&l.body, left, change),
                ..l.clone()
            }),
            Stmt::When { guard, body } => Stmt::When {
                guard: guard.clone(),
                body: walk(body, left, change),
            },
            stmt => stmt.clone(),
        });
    }
    out
}

/// The program without its n-th statement of a kind.
fn without(program: &Program, n: usize, kind: fn(&Stmt) -> bool) -> Option<Program> {
    changed(program, n, &mut |s| kind(s).then(Vec::new))
}

/// A wait that lets one more group of copies be under way.
fn later(stmt: &Stmt) -> Option<Vec<Stmt>> {
    match stmt {
        Stmt::Wait { pending } => Some(vec![Stmt::Wait {
            pending: pending + 1,
        }]),
        _ => None,
    }
}

/// The slot that the next copies go to, moved on to the one that is read.
fn refilled(stmt: &Stmt, stages: u32) -> Option<Vec<Stmt>> {
    let stages = i64::from(stages);
    let Stmt::Let(var, Value::Index(each)) = stmt else {
        return None;
    };
    let [index] = each.as_slice() else {
        return None;
    };
    let ahead = Index::Const(stages - 1);
    let next = replaced(index, &|part| match part {
        Index::Mod(a, b) if **b == Index::Const(stages) => match &**a {
            Index::Add(round, by) if **by == ahead => Some(round.clone().modulo(stages)),
            _ => None,
        },
        _ => None,
    });
    (next != *index).then(|| vec![Stmt::Let(*var, Value::Index(vec![next]))])
}

/// The n-th exclusive or that is kept in a register, of another piece of the line.
fn wrong_swizzle(program: &Program, n: usize) -> Option<Program> {
    changed(program, n, &mut |stmt| {
        let Stmt::Let(var, Value::Index(each)) = stmt else {
            return None;
        };
        let wrong: Vec<Index> = each
            .iter()
            .map(|index| {
                replaced(index, &|part| match part {
                    Index::Xor(a, _) => Some((**a).clone()),
                    _ => None,
                })
            })
            .collect();
        (wrong != *each).then(|| vec![Stmt::Let(*var, Value::Index(wrong))])
    })
}

/// An index with the outermost parts replaced for which `by` has something.
fn replaced(index: &Index, by: &dyn Fn(&Index) -> Option<Index>) -> Index {
    if let Some(instead) = by(index) {
        return instead;
    }
    let again = |x: &Index| Box::new(replaced(x, by));
    match index {
        Index::Add(a, b) => Index::Add(again(a), again(b)),
        Index::Mul(a, b) => Index::Mul(again(a), again(b)),
        Index::Div(a, b) => Index::Div(again(a), again(b)),
        Index::Mod(a, b) => Index::Mod(again(a), again(b)),
        Index::Min(a, b) => Index::Min(again(a), again(b)),
        Index::Max(a, b) => Index::Max(again(a), again(b)),
        Index::Xor(a, b) => Index::Xor(again(a), again(b)),
        index => index.clone(),
    }
}

/// Two row steps of the n-th fragment of the program change places.
fn swapped_rows(program: &Program, n: usize) -> Option<Program> {
    let mut broken = program.clone();
    let instr = broken.matrix.get_mut(n / 2)?;
    let fragment = if n.is_multiple_of(2) {
        &mut instr.a
    } else {
        &mut instr.c
    };
    let steps = fragment.lane.iter_mut().chain(&mut fragment.register);
    let mut rows: Vec<&mut Step> = steps.filter(|s| s.row > 0).collect();
    let [first, .., last] = rows.as_mut_slice() else {
        return None;
    };
    std::mem::swap(*first, *last);
    Some(broken)
}
