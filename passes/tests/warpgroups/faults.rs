//! Faults that are planted in lowered programs are found.

use ir::{
    Schedule, Scores,
    lane::{self, Bulk, Index, LeftOperand, Program, Stmt, Swizzle, Value},
};

use super::{attend, contract, device, kernel, lanes};
use crate::text::{attention, matmul};

/// What becomes of a statement: none if it goes.
type Change<'c> = &'c mut dyn FnMut(Stmt) -> Option<Stmt>;

fn changed(body: Vec<Stmt>, change: Change<'_>) -> Vec<Stmt> {
    let each = body.into_iter().filter_map(|stmt| {
        let mut stmt = change(stmt)?;
        match &mut stmt {
            Stmt::For(l) => l.body = changed(std::mem::take(&mut l.body), change),
            Stmt::When { body, .. } => *body = changed(std::mem::take(body), change),
            _ => {}
        }
        Some(stmt)
    });
    each.collect()
}

/// The mbarriers of this name's ring and the statements that wait for them.
fn awaits(program: &Program, stmt: &Stmt, name: &str) -> bool {
    let Stmt::Bulk(Bulk::Await { signal, .. }) = stmt else {
        return false;
    };
    program.mbarriers[signal.mbarrier as usize]
        .name
        .starts_with(name)
}

fn turned(tile: &mut lane::SharedTile) {
    tile.swizzle = Swizzle::B64;
}

/// Plants a fault in the lowered program and says how it is found: by the emulator, or by its results.
fn found(text: &str, schedule: &Schedule, plant: impl Fn(&mut Program)) -> String {
    let (kernel, target) = (kernel(text), device::device());
    let lowered = passes::lower(&kernel, schedule, &target).unwrap();
    let whole = lowered.lane.unwrap();
    let mut broken = whole.clone();
    plant(&mut broken);
    assert!(broken != whole, "nothing was changed in\n{whole}");
    lane::verify(&broken).unwrap_or_else(|e| panic!("{e}"));
    let lanes::Reference {
        operands: mut params,
        wanted,
        ..
    } = lanes::Reference::of(&kernel);
    params.push(vec![f64::NAN; wanted.len()]);
    match lane::emulate_all(&broken, &mut params, None) {
        Err(error) => error.to_string(),
        Ok(_) => {
            let result = params.last().unwrap();
            let far = result.iter().zip(&wanted).any(|(r, w)| (r - w).abs() > 0.1);
            assert!(far, "the fault does not show");
            "other numbers".into()
        }
    }
}

/// Each kind of lowered program, with three stages and with one.
fn programs() -> [(String, Schedule); 4] {
    [
        (
            matmul("f16", [128, 64, 512], false, true),
            contract([128, 64, 64, 3, 1]),
        ),
        (
            matmul("bf16", [192, 64, 320], true, false),
            contract([64, 64, 64, 2, 1]),
        ),
        (
            attention("f16", [1, 2, 1], [128, 300, 64], ""),
            attend([128, 64, 64, 2, 1], Scores::InTurn),
        ),
        (
            attention("bf16", [1, 1, 1], [128, 300, 64], ""),
            attend([128, 64, 64, 2, 1], Scores::Ahead),
        ),
    ]
}

/// Plants a fault in all programs; each is found in one of these words.
fn planted(plant: impl Fn(&mut Program), words: &[&str]) {
    for (text, schedule) in programs() {
        let how = found(&text, &schedule, &plant);
        assert!(words.iter().any(|w| how.contains(w)), "{schedule:?}: {how}");
    }
}

/// The same by changes of statements.
fn each(change: impl Fn(&Program, Stmt) -> Option<Stmt>, words: &[&str]) {
    let plant = |program: &mut Program| {
        let whole = program.clone();
        program.body = changed(whole.body.clone(), &mut |stmt| change(&whole, stmt));
    };
    planted(plant, words);
}

#[test]
fn consumers_that_wait_for_the_other_phase() {
    each(
        |program, stmt| {
            let full = awaits(program, &stmt, "full");
            Some(match stmt {
                Stmt::Bulk(Bulk::Await { signal, parity }) if full => Stmt::Bulk(Bulk::Await {
                    signal,
                    parity: (parity + 1).modulo(2),
                }),
                stmt => stmt,
            })
        },
        &[
            "is read before it is written",
            "no warp can go on",
            "wanted an await",
        ],
    );
}

#[test]
fn producers_that_do_not_wait() {
    each(
        |program, stmt| (!awaits(program, &stmt, "empty")).then_some(stmt),
        &["to which a box is copied", "may still read"],
    );
}

#[test]
fn products_that_are_not_waited_for() {
    each(
        |_, stmt| (!matches!(stmt, Stmt::Bulk(Bulk::Wait { .. }))).then_some(stmt),
        &["may still read", "wanted the wait for its product"],
    );
}

#[test]
fn stages_that_are_given_back_too_early() {
    each(
        |_, stmt| {
            Some(match stmt {
                Stmt::Bulk(Bulk::Wait { pending }) => Stmt::Bulk(Bulk::Wait {
                    pending: pending + 1,
                }),
                stmt => stmt,
            })
        },
        &["may still read", "wanted the wait for its product"],
    );
}

#[test]
fn stages_that_one_warp_does_not_give_back() {
    each(
        |_, stmt| {
            Some(match stmt {
                Stmt::When { mut guard, body }
                    if matches!(body[0], Stmt::Bulk(Bulk::Arrive(_))) =>
                {
                    guard.push((Index::Const(0), Index::Warp));
                    Stmt::When { guard, body }
                }
                stmt => stmt,
            })
        },
        &["no warp can go on"],
    );
}

#[test]
fn operands_that_are_read_as_they_do_not_lie() {
    each(
        |_, stmt| {
            Some(match stmt {
                Stmt::Let(
                    var,
                    Value::Product {
                        instr,
                        mut a,
                        mut b,
                        c,
                    },
                ) => {
                    turned(&mut b);
                    if let LeftOperand::Shared(a) = &mut a {
                        turned(a);
                    }
                    Stmt::Let(var, Value::Product { instr, a, b, c })
                }
                stmt => stmt,
            })
        },
        &["wanted an offset", "reads element", "wanted the swizzle"],
    );
}

#[test]
fn boxes_that_lie_as_they_are_not_read() {
    planted(
        |program| {
            program
                .maps
                .iter_mut()
                .for_each(|map| map.swizzle = Swizzle::None)
        },
        &["wanted the swizzle"],
    );
}
