//! Reports as tuners fill them: pseudo-random, of any size.

use std::collections::BTreeMap;

use autotune::{
    database::Outcome,
    report::{Best, Ceiling, Data, Ratio, Roof, Task, Total, Trial},
};
use ir::{Bound, Bytes, Floor, Flops};

/// Pseudo-random numbers in 0..1 (splitmix64: Steele, Lea and Flood 2014).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    fn below(&mut self, n: u64) -> u64 {
        (self.next() * n as f64) as u64
    }
}

const FAILURES: [(Outcome, &str); 5] = [
    (
        Outcome::RejectedStatic,
        "wanted at most 49152 bytes of shared memory, found 65536",
    ),
    (
        Outcome::BuildError,
        "LLVM: ran out of registers during register allocation",
    ),
    (Outcome::Timeout, "did not end within 10 s"),
    (Outcome::Crash, "signal 11 (segmentation fault)"),
    (
        Outcome::WrongResult,
        "relative error 0.31, wanted at most 2e-5",
    ),
];

/// A report of `tasks` kernels with `trials` trials in all.
pub fn report(tasks: u64, trials: u64, seed: u64) -> Data {
    let mut random = Random(seed);
    let mut all: Vec<Task> = (0..tasks).map(|k| task(k, &mut random)).collect();
    for order in 1..=trials {
        let k = random.below(tasks) as usize;
        let trial = trial(order, &all[k], seed, &mut random);
        all[k].trials.push(trial);
    }
    for task in &mut all {
        let of = |t: &Trial| t.ratio.map(|r| (r, t.schedule.clone()));
        let best = task
            .trials
            .iter()
            .filter_map(of)
            .min_by(|a, b| a.0.total_cmp(&b.0));
        task.best = best.filter(|b| b.0 < 0.97).map(|(value, schedule)| Best {
            schedule,
            ratio: Ratio {
                value,
                low: value * 0.98,
                high: value * 1.02,
            },
        });
    }
    let sum = |f: &dyn Fn(&Task) -> f64| {
        all.iter()
            .map(|t| t.calls.unwrap() as f64 * f(t))
            .sum::<f64>()
    };
    let before_s = 1.03 * sum(&|t| t.default_s.unwrap());
    let after_s = 1.03 * sum(&|t| t.used_s().unwrap());
    let value = after_s / before_s;
    Data {
        model: "all-MiniLM-L6-v2".into(),
        target: "cpu:znver5".into(),
        device: "cpu: AMD EPYC".into(),
        threads: 2,
        toolchain: "tilewright 0.1.0, LLVM 22.1.8".into(),
        seeds: vec![seed],
        roof: Some(Roof {
            words: "Two cores of cpu:znver5, by assumed rates; in caches kernels can be faster."
                .into(),
            ceilings: vec![Ceiling {
                words: "f32".into(),
                flops_per_second: 5.1e11,
            }],
            bytes_per_second: 4e10,
        }),
        total: Some(Total {
            before_s,
            after_s,
            ratio: Ratio {
                value,
                low: value * 0.97,
                high: value * 1.02,
            },
            rounds: 24,
        }),
        tasks: all,
        notes: vec![],
    }
}

fn task(k: u64, random: &mut Random) -> Task {
    let products = k % 3 != 2;
    let [rows, columns, depth] = [128, 384 << random.below(3), 384 << random.below(3)];
    let (flops, bytes) = if products {
        (
            2 * rows * columns * depth,
            4 * (rows * columns + columns * depth + rows * depth),
        )
    } else {
        (8 * rows * columns, 8 * rows * columns)
    };
    let bound = if products {
        Bound::Products
    } else {
        Bound::Memory
    };
    let least = f64::max(flops as f64 / 5.1e11, bytes as f64 / 4e10);
    Task {
        name: format!(
            "{}.{k}",
            if products {
                "matmul_gelu"
            } else {
                "add_layer_norm"
            }
        ),
        family: if products { "contract" } else { "rows" }.into(),
        sizes: BTreeMap::from([
            ("rows".into(), rows as i64),
            ("columns".into(), columns as i64),
        ]),
        calls: Some(1 + 5 * random.below(3)),
        flops: Flops(flops),
        bytes: Bytes(bytes),
        default_s: Some(least * (1.2 + 1.5 * random.next())),
        floor: Some(Floor {
            seconds: least,
            bound,
        }),
        best: None,
        trials: vec![],
    }
}

fn trial(order: u64, task: &Task, seed: u64, random: &mut Random) -> Trial {
    let schedule = format!(
        "block columns {}, block rows {}, lanes 16, rows {}, unroll {}",
        16 << random.below(4),
        12 * (1 + random.below(8)),
        2 + random.below(6),
        1 << random.below(4)
    );
    if random.next() < 0.15 {
        let (outcome, reason) = FAILURES[random.below(5) as usize];
        return Trial {
            order,
            schedule,
            outcome,
            reason: Some(reason.into()),
            seconds: None,
            ratio: None,
            seed,
        };
    }
    let ratio = 0.72 + 1.2 * random.next() * random.next();
    Trial {
        order,
        schedule,
        outcome: Outcome::Ok,
        reason: None,
        seconds: Some(ratio * task.default_s.unwrap()),
        ratio: Some(ratio),
        seed,
    }
}
