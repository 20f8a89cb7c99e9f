//! Which kernel gets the next trials, by made-up kernels.

use std::time::Duration;

use autotune::{Limits, Next, Share, Stop, next_task};

const LIMITS: Limits = Limits {
    trials: None,
    time: None,
    gain: 0.01,
    first: 4,
};

fn share(calls: u64, best_s: f64, gain: f64, trials: u64) -> Share {
    Share {
        calls,
        best_s,
        gain,
        trials,
        exhausted: false,
    }
}

fn next(shares: &[Share], limits: &Limits) -> Next {
    next_task(shares, Duration::from_secs(5), limits)
}

#[test]
fn each_kernel_has_its_first_round() {
    let mut shares = [
        share(100, 1.0, 0.9, 0),
        share(1, 1e-9, 0.0, 0),
        share(1, 1e-6, 0.1, 0),
    ];
    for _ in 0..12 {
        let Next::Task(at) = next(&shares, &LIMITS) else {
            panic!("{shares:?}")
        };
        shares[at].trials += 1;
    }
    assert_eq!(shares.map(|s| s.trials), [4; 3]);
    assert_eq!(next(&shares, &LIMITS), Next::Task(0));
}

#[test]
fn trials_go_where_a_run_gains_most() {
    // Seconds of a run: 0.2, 0.3, 0.25.
    let shares = [
        share(1, 2.0, 0.1, 9),
        share(100, 0.01, 0.3, 9),
        share(5, 0.1, 0.5, 9),
    ];
    assert_eq!(next(&shares, &LIMITS), Next::Task(1));
    let some = [shares[0], shares[2]];
    assert_eq!(next(&some, &LIMITS), Next::Task(1));
    // Of equal ones the first.
    assert_eq!(next(&[shares[0]; 3], &LIMITS), Next::Task(0));
}

#[test]
fn exhausted_kernels_get_none() {
    let done = Share {
        exhausted: true,
        ..share(10, 1.0, 0.9, 0)
    };
    assert_eq!(next(&[done, share(1, 1.0, 0.9, 9)], &LIMITS), Next::Task(1));
    assert_eq!(next(&[done; 2], &LIMITS), Next::Stop(Stop::Exhausted));
    assert_eq!(next(&[], &LIMITS), Next::Stop(Stop::Exhausted));
}

#[test]
fn limits_hold() {
    let shares = [share(1, 1.0, 0.5, 9), share(1, 1.0, 0.5, 11)];
    let with = |trials, time: Option<u64>| Limits {
        trials,
        time: time.map(Duration::from_secs),
        ..LIMITS
    };
    let cases = [
        (with(Some(20), None), Next::Stop(Stop::Trials)),
        (with(Some(21), None), Next::Task(0)),
        (with(None, Some(5)), Next::Stop(Stop::Time)),
        (with(None, Some(6)), Next::Task(0)),
    ];
    for (limits, wanted) in cases {
        assert_eq!(next(&shares, &limits), wanted, "{limits:?}");
    }
}

#[test]
fn little_gain_stops() {
    // A hundredth of a run, and less.
    let enough = [share(1, 0.5, 0.021, 9), share(1, 0.5, 0.0, 9)];
    let little = [share(1, 0.5, 0.018, 9), share(1, 0.5, 0.001, 9)];
    assert_eq!(next(&enough, &LIMITS), Next::Task(0));
    assert_eq!(next(&little, &LIMITS), Next::Stop(Stop::Gain));
    // Not before each had its first round.
    let fresh = [little[0], share(1, 0.5, 0.001, 0)];
    assert_eq!(next(&fresh, &LIMITS), Next::Task(1));
    let unknown = [share(1, f64::NAN, 0.5, 9), share(1, 0.5, 0.5, 9)];
    assert_eq!(next(&unknown, &LIMITS), Next::Task(1));
}
