//! Which of the equal graphs is compiled, with measured kernels.

use std::fs;

use autotune::database::{Access, Database, Place, Workload};
use ir::Kernel;
use tilewright::{CompileOptions, FromDatabase, choose_graphs, import, kernels_of_graphs};

use crate::{
    folder::Folder,
    program::{done, folder, json},
    support::models,
    tuned::{kernels, trial, verification},
};

const LINE: &str = "compile bert --target cpu --shape batch=1,seq=4 -o";

/// A database in which the kernels of the first graph took a second, and all others a millisecond.
fn database(folder: &Folder, all: &[(Kernel, u64)], first: &[Kernel]) -> Database {
    let target = tilewright::target("cpu").unwrap();
    let host = tilewright::host();
    let mut db = Database::open(&folder.0.join("t.db"), Access::Write, &host).unwrap();
    let meaning = |k: &Kernel| Workload::of(k).unwrap().meaning;
    let first: Vec<String> = first.iter().map(meaning).collect();
    for (kernel, _) in all {
        let (workload, mut trial) = trial(kernel, &target, 2);
        let seconds = if first.contains(&workload.meaning) {
            1.0
        } else {
            1e-3
        };
        trial.baseline_s.fill(seconds);
        trial.samples_s.fill(seconds / 2.0);
        db.add_verified(
            &workload,
            std::slice::from_ref(&trial),
            &[verification(&trial)],
        )
        .unwrap();
    }
    assert_eq!(db.places().unwrap(), [Place::of(&target)]);
    db
}

#[test]
fn the_graph_whose_kernels_are_fastest_is_compiled() {
    let folder = folder("graphs");
    let target = tilewright::target("cpu").unwrap();
    let model = import::load(&models().join("bert")).unwrap();
    let options = CompileOptions::new(target.clone()).with_sizes([("batch", 1), ("seq", 4)]);
    let first = kernels(&folder, &target, 4);
    let all = kernels_of_graphs(&model.graph, &options).unwrap();
    assert!(all.len() > first.len(), "{} {}", all.len(), first.len());
    let database = database(&folder, &all, &first);
    let from = FromDatabase {
        database: &database,
        threads: 2,
    };
    let choices = choose_graphs(&model.graph, &options, &from).unwrap();
    let [choice] = &choices[..] else {
        panic!("{choices:?}");
    };
    assert!(choice.chosen > 0, "{choice:?}");
    assert!(choice.gain() > 0.02, "{choice:?}");
    assert!(choice.graphs.iter().all(|g| g.measured == g.kernels));

    let report = json(
        &folder,
        &format!("{LINE} a.tw --db t.db --threads 2 --lock l.lock"),
    );
    assert_eq!(report["programs"][0]["other_graph"], true);
    assert!((report["schedules"].as_array().unwrap().iter()).all(|s| s["source"] == "tuned"));
    // The lock file knows it without the database.
    done(&folder, &format!("{LINE} b.tw --locked l.lock"));
    let [a, b] = ["a.tw", "b.tw"].map(|f| fs::read(folder.0.join(f)).unwrap());
    assert!(a == b);
    done(&folder, "verify a.tw");
}

#[test]
fn a_graph_that_nobody_measured_is_not_preferred() {
    let folder = folder("graphs-unmeasured");
    let target = tilewright::target("cpu").unwrap();
    let first = kernels(&folder, &target, 4);
    let known: Vec<(Kernel, u64)> = first.iter().map(|k| (k.clone(), 1)).collect();
    // All took as many times their roofline's time: what is estimated is as likely to be slower as faster.
    let host = tilewright::host();
    let mut db = Database::open(&folder.0.join("t.db"), Access::Write, &host).unwrap();
    for (kernel, _) in &known {
        let (workload, mut trial) = trial(kernel, &target, 2);
        let floor = ir::KernelCost::time(&ir::AtRoofline, kernel, &target).as_secs_f64();
        trial.baseline_s.fill(floor * 3.0);
        trial.samples_s.fill(floor * 1.5);
        db.add_verified(
            &workload,
            std::slice::from_ref(&trial),
            &[verification(&trial)],
        )
        .unwrap();
    }
    drop(db);
    let report = json(&folder, &format!("{LINE} a.tw --db t.db --threads 2"));
    assert_eq!(report["programs"][0]["other_graph"], false);
}
