//! What is served, and what never is.

use autotune::database::{
    Access, CAREFUL, Database, Outcome, Place, Served, Trial, Workload, has_program,
};
use ir::{ContractSchedule, Left, MapSchedule, Schedule, SimtContractSchedule, Skew};

use super::support::{
    Folder, add_verified, kernel, place, product, serve, target, trial, verification, workload,
};

/// The trial that is served for the kernel of 100 rows.
fn served(db: &Database) -> Trial {
    match serve(db, 100) {
        Some(Served::Verified { trial, .. }) => trial,
        other => panic!("wanted a verified trial, found {other:?}"),
    }
}

#[test]
fn only_what_was_verified_here_is_served() {
    let folder = Folder::new("served");
    let mut db = folder.database("t.db");
    let w = workload(100);
    let (fast, slow) = (trial(&w, 1, 5.0), trial(&w, 2, 9.0));
    db.add(&w, &[fast.clone(), slow.clone()]).unwrap();
    assert_eq!(serve(&db, 100), None, "a claim is not served");
    assert_eq!(db.claims(&place()).unwrap(), [fast.clone(), slow.clone()]);
    db.verified(&[verification(&slow)]).unwrap();
    assert_eq!(served(&db), slow, "the faster one is a claim still");
    db.verified(&[verification(&fast)]).unwrap();
    assert_eq!(served(&db), fast);
    let best = db.best(&w.meaning, &place(), 2).unwrap();
    assert_eq!(best, [fast.schedule, slow.schedule]);

    // The same file on another machine: nothing was verified there.
    drop(db);
    let other = Database::open(&folder.file("t.db"), Access::Read, "another machine").unwrap();
    assert_eq!(serve(&other, 100), None);
    assert_eq!(other.best(&w.meaning, &place(), 2).unwrap(), []);
}

#[test]
fn nothing_is_served_elsewhere() {
    let folder = Folder::new("elsewhere");
    let mut db = folder.database("t.db");
    let w = workload(100);
    add_verified(&mut db, 100, &[trial(&w, 1, 5.0)]);
    for change in [
        |p: &mut Place| p.fingerprint = "e".repeat(64),
        |p: &mut Place| p.toolchain = "tilewright 0.2.0, LLVM 23".into(),
    ] {
        let mut other = place();
        change(&mut other);
        let served = db.serve(&kernel(100), &w, &target(), &other, 2).unwrap();
        assert_eq!(served, None);
    }
}

#[test]
fn wrong_and_failed_candidates_are_never_served() {
    let folder = Folder::new("wrong");
    let mut db = folder.database("t.db");
    let w = workload(100);
    for outcome in Outcome::ALL.into_iter().filter(|o| *o != Outcome::Ok) {
        let mut t = trial(&w, 1, 1.0);
        (t.outcome, t.reason) = (outcome, Some("planted".into()));
        // Not even if someone says that it was verified.
        add_verified(&mut db, 100, &[t]);
        assert_eq!(serve(&db, 100), None, "{outcome:?}");
        assert_eq!(db.best(&w.meaning, &place(), 2).unwrap(), []);
    }
    assert_eq!(db.stats().unwrap().trials.len(), 5);
}

#[test]
fn a_schedule_that_was_once_wrong_is_not_served() {
    let folder = Folder::new("once-wrong");
    let mut db = folder.database("t.db");
    let w = workload(100);
    let (good, bad) = (trial(&w, 2, 9.0), trial(&w, 1, 5.0));
    add_verified(&mut db, 100, &[good.clone(), bad.clone()]);
    assert_eq!(served(&db), bad);
    let mut wrong = bad.clone();
    (wrong.outcome, wrong.reason) = (Outcome::WrongResult, Some("a race".into()));
    (wrong.samples_s, wrong.baseline_s) = (vec![], vec![]);
    db.add(&w, &[wrong]).unwrap();
    assert_eq!(served(&db), good);
    // It is remembered as long as anyone says that the schedule is right.
    db.prune(2, None).unwrap();
    assert_eq!(served(&db), good);
    let mut claim = bad;
    claim.seed = 2;
    db.add(&w, &[claim]).unwrap();
    assert_eq!(db.claims(&place()).unwrap(), [], "it needs no second look");
}

#[test]
fn the_trial_with_most_samples_counts_and_its_interval_decides() {
    let folder = Folder::new("score");
    let mut db = folder.database("t.db");
    let w = workload(100);
    // Lucky in few samples, not in many.
    let lucky = trial(&w, 1, 5.0);
    let mut long = trial(&w, 1, 15.0);
    (long.samples_s, long.baseline_s) = (vec![15e-6; 2 * CAREFUL], vec![2e-5; 2 * CAREFUL]);
    let steady = trial(&w, 2, 12.0);
    // Often the fastest, but not surely so: sorted, 4 of 8 ratios are 0.25, the others 1.5.
    let mut noisy = trial(&w, 3, 5.0);
    noisy.samples_s[4..].fill(3e-5);
    add_verified(&mut db, 100, &[lucky, long.clone(), steady.clone(), noisy]);
    assert_eq!(served(&db), steady);
    let best = db.best(&w.meaning, &place(), 2).unwrap();
    let of = |block| Schedule::Map(MapSchedule { lanes: 64, block });
    assert_eq!(best, [of(2), of(1), of(3)]);
    // Of as many samples, the newest.
    let mut newer = steady;
    newer.samples_s.fill(16e-6);
    newer.unix_time += 1;
    add_verified(&mut db, 100, &[newer]);
    assert_eq!(served(&db), long);
}

#[test]
fn the_default_stays_where_nothing_is_better() {
    let folder = Folder::new("default");
    let mut db = folder.database("t.db");
    let w = workload(100);
    add_verified(&mut db, 100, &[trial(&w, 1, 20.5), trial(&w, 2, 21.0)]);
    let mut alone = trial(&w, 3, 1.0);
    alone.baseline_s = vec![];
    let mut few = trial(&w, 4, 1.0);
    (few.samples_s, few.baseline_s) = (vec![1e-6; 5], vec![2e-5; 5]);
    add_verified(&mut db, 100, &[alone, few]);
    // A neighbour that has a better one is no reason either.
    add_verified(&mut db, 101, &[trial(&workload(101), 5, 5.0)]);
    assert_eq!(serve(&db, 100), None);
    // Nor for what is nearest to this one.
    assert_eq!(serve(&db, 99), None);
}

#[test]
fn the_nearest_workload_predicts() {
    let folder = Folder::new("nearest");
    let mut db = folder.database("t.db");
    for (rows, block) in [(64, 1), (1000, 2), (100_000, 3)] {
        add_verified(&mut db, rows, &[trial(&workload(rows), block, 5.0)]);
    }
    let nearest = |db: &Database| match serve(db, 1500) {
        Some(Served::Predicted { trial, of, .. }) => {
            assert_eq!(trial.workload, of.meaning);
            of.sizes["columns"] / 64
        }
        other => panic!("wanted a prediction, found {other:?}"),
    };
    assert_eq!(nearest(&db), 1000);
    // What is nearer but no schedule of the kernel is passed over.
    let mut other = trial(&workload(1400), 1, 1.0);
    other.schedule = Schedule::Contract(ContractSchedule {
        rows: 4,
        lanes: 16,
        unroll: 4,
        block_rows: 4,
        block_columns: 16,
        left: Left::default(),
    });
    add_verified(&mut db, 1400, &[other]);
    assert_eq!(nearest(&db), 1000);
}

#[test]
fn other_threads_only_predict() {
    let folder = Folder::new("threads");
    let mut db = folder.database("t.db");
    let w = workload(100);
    let (mut one, mut eight) = (trial(&w, 1, 5.0), trial(&w, 8, 5.0));
    (one.threads, eight.threads) = (1, 8);
    add_verified(&mut db, 100, &[eight, one.clone()]);
    match serve(&db, 100) {
        Some(Served::Predicted { trial, of, .. }) => assert_eq!((trial, of), (one, w)),
        other => panic!("wanted a prediction, found {other:?}"),
    }
}

#[test]
fn hostile_schedules_are_never_served() {
    let folder = Folder::new("hostile");
    let mut db = folder.database("t.db");
    let numbers = [0, 1, 3, 4, 7, 16, 48, 1 << 10, 1 << 15, 1 << 16, 1 << 20];
    let mut all = vec![];
    for a in numbers {
        for b in numbers {
            all.push(Schedule::Map(MapSchedule { lanes: a, block: b }));
            all.push(Schedule::Contract(ContractSchedule {
                rows: a,
                lanes: b,
                unroll: a,
                block_rows: b,
                block_columns: a,
                left: Left::default(),
            }));
            all.push(Schedule::SimtContract(SimtContractSchedule {
                block_rows: a,
                block_columns: b,
                block_depth: b,
                warp_rows: a,
                warp_columns: b,
                stages: a,
                instr: b,
                skew: Skew::Pad,
                splits: a,
            }));
        }
    }
    for name in ["cpu:znver4", "cuda:sm_90a", "opencl", "ascend:910B3"] {
        let target = backends::resolve(name).unwrap();
        let place = Place::of(&target);
        for kernel in [kernel(100), product(100)] {
            let w = Workload::of(&kernel).unwrap();
            let trials: Vec<Trial> = (all.iter())
                .map(|schedule| {
                    let (place, schedule) = (place.clone(), schedule.clone());
                    Trial {
                        place,
                        schedule,
                        ..trial(&w, 1, 5.0)
                    }
                })
                .collect();
            let verified: Vec<_> = trials.iter().map(verification).collect();
            db.add_verified(&w, &trials, &verified).unwrap();
        }
        for kernel in [kernel(100), kernel(101), product(100), product(101)] {
            let w = Workload::of(&kernel).unwrap();
            // A legal one may be served, and has a program; panics show here.
            if let Some(served) = db.serve(&kernel, &w, &target, &place, 2).unwrap() {
                let schedule = &served.trial().schedule;
                passes::lower(&kernel, schedule, &target).unwrap();
                let numbers = format!("{schedule:?}");
                assert!(
                    !numbers.contains(" 0,") && !numbers.contains("1048576"),
                    "{numbers}"
                );
            }
        }
    }
}

#[test]
fn what_a_search_proposes_can_be_served() {
    for name in ["cpu:znver4", "cuda:sm_90a", "opencl", "ascend:910B3"] {
        let target = backends::resolve(name).unwrap();
        for kernel in [kernel(100), product(100)] {
            let space = autotune::space(&kernel, &target).unwrap();
            let default = autotune::first_choice(&kernel, &target).unwrap();
            let some = space.iter().step_by(1 + space.len() / 50);
            for schedule in some.chain([&default]) {
                assert!(
                    has_program(&kernel, schedule, &target),
                    "{name}: {schedule:?}"
                );
            }
        }
    }
}
