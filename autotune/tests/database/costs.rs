//! Costs of kernels: measured here, estimated there.

use autotune::Measured;
use ir::{AtRoofline, Kernel, KernelCost};

use super::support::{
    Folder, add_verified, kernel, place, product, target, trial, verification, workload,
};
use autotune::database::{Database, Place, Trial, Workload};

fn cost(db: &Database) -> Measured {
    Measured::of_database(db, &target(), 2).unwrap()
}

fn roofline(kernel: &Kernel) -> f64 {
    AtRoofline.time(kernel, &target()).as_secs_f64()
}

/// A trial at the place of the target as it is, whose default took so many times the roofline's time.
fn at(kernel: &Kernel, block: u32, factor: f64, ratio: f64) -> (Workload, Trial) {
    let w = Workload::of(kernel).unwrap();
    let mut t = trial(&w, block, 1.0);
    t.place = Place::of(&target());
    let default = roofline(kernel) * factor;
    t.baseline_s.fill(default);
    t.samples_s.fill(default * ratio);
    (w, t)
}

fn add(db: &mut Database, (w, t): (Workload, Trial)) {
    db.add_verified(&w, std::slice::from_ref(&t), &[verification(&t)])
        .unwrap();
}

#[test]
fn nothing_known_is_the_roofline() {
    let folder = Folder::new("cost-empty");
    let mut db = folder.database("t.db");
    assert!(cost(&db).is_empty());
    // Another place says nothing of this one.
    add_verified(&mut db, 100, &[trial(&workload(100), 1, 5.0)]);
    assert_ne!(place(), Place::of(&target()));
    let cost = cost(&db);
    assert!(cost.is_empty());
    let kernel = kernel(100);
    let time = cost.of(&kernel, &target());
    assert_eq!((time.seconds, time.is_measured), (roofline(&kernel), false));
    assert_eq!(
        cost.time(&kernel, &target()),
        AtRoofline.time(&kernel, &target())
    );
}

#[test]
fn what_was_measured_costs_what_is_served() {
    let folder = Folder::new("cost-measured");
    let mut db = folder.database("t.db");
    let close = |a: f64, b: f64| assert!((a / b - 1.0).abs() < 1e-9, "{a} {b}");
    let kernel = kernel(1000);
    // Not better than the default, which is taken.
    add(&mut db, at(&kernel, 1, 4.0, 1.5));
    close(
        cost(&db).of(&kernel, &target()).seconds,
        4.0 * roofline(&kernel),
    );
    add(&mut db, at(&kernel, 2, 4.0, 0.5));
    let time = cost(&db).of(&kernel, &target());
    close(time.seconds, 2.0 * roofline(&kernel));
    close(time.cautious_s, time.seconds);
    assert!(time.is_measured);
    // A claim says nothing.
    let (w, claim) = at(&kernel, 3, 4.0, 0.1);
    db.add(&w, &[claim]).unwrap();
    close(
        cost(&db).of(&kernel, &target()).seconds,
        2.0 * roofline(&kernel),
    );
}

#[test]
fn estimates_are_as_far_from_the_roofline_as_the_family_is() {
    let folder = Folder::new("cost-estimated");
    let mut db = folder.database("t.db");
    // Costs are whole nanoseconds, of some microseconds.
    let close = |a: f64, b: f64| assert!((a / b - 1.0).abs() < 1e-3, "{a} {b}");
    for (rows, factor) in [(900, 2.0), (1000, 3.0), (1100, 5.0)] {
        // Tuning made them faster; a kernel that was not tuned has its default.
        add(&mut db, at(&kernel(rows), 1, factor, 0.5));
    }
    add(&mut db, at(&product(1000), 64, 7.0, 2.0));
    let cost = cost(&db);
    let of = |kernel: &Kernel| {
        let time = cost.of(kernel, &target());
        assert!(!time.is_measured);
        (
            time.seconds / roofline(kernel),
            time.cautious_s / roofline(kernel),
        )
    };
    let (middle, most) = of(&kernel(1010));
    close(middle, 3.0);
    close(most, 5.0);
    close(of(&product(500)).0, 7.0);
    // Other targets are not touched by it.
    let other = backends::resolve("cpu:x86-64-v3").unwrap();
    let time = cost.time(&kernel(1000), &other);
    assert_eq!(time, AtRoofline.time(&kernel(1000), &other));
}
