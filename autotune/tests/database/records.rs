//! What is kept.

use autotune::database::{DatabaseError, Kept, Trial};

use super::support::{Folder, place, serve, trial, verification, workload};

#[test]
fn facts_are_kept_once() {
    let folder = Folder::new("once");
    let mut db = folder.database("t.db");
    let w = workload(100);
    let trials = [trial(&w, 1, 20.0), trial(&w, 2, 10.0)];
    assert_eq!(db.add(&w, &trials).unwrap(), Kept { added: 2, known: 0 });
    assert_eq!(db.add(&w, &trials).unwrap(), Kept { added: 0, known: 2 });
    let all = db.trials(&w.meaning, &place()).unwrap();
    assert_eq!(
        all,
        [trials[1].clone(), trials[0].clone()],
        "the fastest first"
    );
    assert_eq!(db.workload(&w.meaning).unwrap(), Some(w));
    db.check().unwrap();
}

#[test]
fn pruning_leaves_the_fastest() {
    let folder = Folder::new("pruned");
    let mut db = folder.database("t.db");
    let w = workload(100);
    let trials: Vec<_> = (1..=10).map(|i| trial(&w, i, f64::from(i))).collect();
    db.add(&w, &trials).unwrap();
    let all: Vec<_> = trials.iter().map(verification).collect();
    db.verified(&all).unwrap();
    assert_eq!(db.prune(3, None).unwrap(), 7);
    assert_eq!(db.trials(&w.meaning, &place()).unwrap(), trials[..3]);
    assert_eq!(db.stats().unwrap().verified_here, 3);
    // All are old, one stays.
    assert_eq!(db.prune(3, Some(u64::MAX)).unwrap(), 2);
    assert_eq!(db.trials(&w.meaning, &place()).unwrap(), trials[..1]);
}

#[test]
fn merging_is_a_union_that_names_conflicts() {
    let folder = Folder::new("merged");
    let (mut ours, mut theirs) = (folder.database("a.db"), folder.database("b.db"));
    let (w, v) = (workload(100), workload(200));
    let (a, b, both) = (trial(&w, 1, 5.0), trial(&w, 2, 4.0), trial(&v, 1, 7.0));
    ours.add(&w, std::slice::from_ref(&a)).unwrap();
    ours.add(&v, std::slice::from_ref(&both)).unwrap();
    theirs.add(&w, std::slice::from_ref(&b)).unwrap();
    theirs.add(&v, std::slice::from_ref(&both)).unwrap();
    theirs.verified(&[verification(&b)]).unwrap();
    let merged = ours.merge(&theirs).unwrap();
    assert_eq!((merged.added, merged.known), (1, 1));
    assert_eq!(merged.refused, [] as [String; 0]);
    let conflict = &merged.conflicts[..];
    assert!(
        matches!(conflict, [c] if c.workload == w.meaning && !c.same && c.ours_s > c.theirs_s),
        "{conflict:?}"
    );
    assert_eq!(ours.trials(&w.meaning, &place()).unwrap(), [b, a]);
    assert_eq!(serve(&ours, 100), None, "theirs is a claim here");
    assert_eq!(ours.merge(&theirs).unwrap().added, 0);
}

/// A change of a trial, and words of what is said of it.
type Fault = (fn(&mut Trial), &'static str);

#[test]
fn unsound_records_are_not_kept() {
    let folder = Folder::new("unsound");
    let mut db = folder.database("t.db");
    let w = workload(100);
    let faults: [Fault; 4] = [
        (
            |t| t.samples_s = vec![f64::NAN],
            "samples_s: wanted seconds above 0",
        ),
        (|t| t.samples_s = vec![-1.0], "found -1"),
        (
            |t| t.samples_s.clear(),
            "wanted times, since the outcome is ok",
        ),
        (|t| t.error = Some(f64::INFINITY), "error: wanted a number"),
    ];
    for (fault, words) in faults {
        let mut t = trial(&w, 1, 5.0);
        fault(&mut t);
        let error = db.add(&w, &[t]).unwrap_err();
        assert!(matches!(error, DatabaseError::Unsound(_)), "{error}");
        assert!(error.to_string().contains(words), "{error}");
    }
    assert_eq!(db.stats().unwrap().workloads, 0, "all or nothing");
}
