//! Kernels whose times are made up.

use std::time::Duration;

use autotune::{
    database::{Outcome, Workload},
    tune::{Attempt, Context, Effort, Lab, Task},
};
use ir::{Schedule, Target};

/// The laboratory was stopped.
#[derive(Debug, thiserror::Error)]
#[error("stopped")]
pub struct Stopped;

/// Knows how long each schedule takes.
#[derive(Default)]
pub struct Laboratory {
    /// Whether some candidates fail, the fastest among them.
    pub faulty: bool,
    /// Whether everything but defaults is slow in the model.
    pub slow_together: bool,
    /// A kernel of which nothing can be measured.
    pub refuses: Option<String>,
    /// Calls after which it stops.
    pub stop_after: Option<usize>,
    /// What the search tried, by the kernel's name.
    pub searched: Vec<(String, Schedule)>,
    calls: usize,
    attempts: u64,
}

/// The kernels of a small model.
pub fn tasks(target: &Target) -> Vec<Task> {
    let text = "graph \"g\" {
        %x = input {name = \"x\", ty = f32[96,64], absent = required, below = 0} : f32[96,64]
        %w = weight {name = \"w\", ty = f32[64,320]} : f32[64,320]
        %v = weight {name = \"v\", ty = f32[320,64]} : f32[320,64]
        %a = matmul(%x, %w) {ta = false, tb = false} : f32[96,320]
        %b = matmul(%a, %v) {ta = false, tb = false} : f32[96,64]
        return y = %b }";
    let graph = ir::text::parse(text).unwrap();
    let rules = vec![vec![]; graph.nodes().len()];
    let groups = passes::launches(&graph, &rules).unwrap();
    let task = |kernel: ir::Kernel| Task {
        workload: Workload::of(&kernel).unwrap(),
        default: autotune::first_choice(&kernel, target).unwrap(),
        calls: 2,
        kernel,
    };
    let tasks: Vec<_> = groups.kernels.into_iter().map(task).collect();
    assert_eq!(tasks.len(), 2);
    tasks
}

/// A number in 0..1 that some text decides.
fn unit(text: &str) -> f64 {
    let hash = blake3::hash(text.as_bytes());
    let bytes: [u8; 8] = hash.as_bytes()[..8].try_into().unwrap();
    (u64::from_le_bytes(bytes) >> 11) as f64 / (1u64 << 53) as f64
}

impl Laboratory {
    /// The time of a schedule over that of the default: between a half and twice.
    pub fn truth(&self, task: &Task, schedule: &Schedule) -> f64 {
        if *schedule == task.default {
            return 1.0;
        }
        0.5 + 1.5 * unit(&format!("{} {schedule:?}", task.kernel.name))
    }

    /// What goes wrong with a schedule.
    pub fn fault(&self, task: &Task, schedule: &Schedule) -> Option<Outcome> {
        if !self.faulty || *schedule == task.default {
            return None;
        }
        let all = [
            Outcome::WrongResult,
            Outcome::Crash,
            Outcome::Timeout,
            Outcome::BuildError,
        ];
        let which = unit(&format!("fault {schedule:?}"));
        let often = if self.truth(task, schedule) < 0.7 {
            0.9
        } else {
            0.2
        };
        (which < often).then(|| all[(which / often * 4.0) as usize])
    }

    fn samples(&self, seconds: f64, n: usize, salt: u64) -> Vec<f64> {
        let noise = |i| 1.0 + 0.02 * unit(&format!("{salt} {} {i}", self.attempts));
        (0..n).map(|i| seconds * noise(i)).collect()
    }
}

impl Lab for Laboratory {
    type Error = Stopped;

    fn attempt(
        &mut self,
        task: &Task,
        schedules: &[Schedule],
        effort: Effort,
    ) -> Result<Vec<Attempt>, Stopped> {
        self.calls += 1;
        if self.stop_after.is_some_and(|n| self.calls > n) {
            return Err(Stopped);
        }
        let mut all = Vec::new();
        if self.refuses.as_ref() == Some(&task.kernel.name) {
            return Ok(all);
        }
        for schedule in schedules {
            self.attempts += 1;
            if effort == Effort::Search {
                self.searched
                    .push((task.kernel.name.clone(), schedule.clone()));
            }
            let n = if effort == Effort::Search { 10 } else { 50 };
            let fault = self.fault(task, schedule);
            let times = |seconds, salt| match fault {
                Some(_) => vec![],
                None => self.samples(seconds, n, salt),
            };
            all.push(Attempt {
                schedule: schedule.clone(),
                outcome: fault.unwrap_or(Outcome::Ok),
                reason: fault.map(|f| f.name().into()),
                samples_s: times(1e-4 * self.truth(task, schedule), 0),
                baseline_s: times(1e-4, 1),
                error: fault.is_none().then_some(1e-7),
                device: "a laboratory".into(),
            });
        }
        Ok(all)
    }

    fn in_context(&mut self, schedules: &[Schedule]) -> Result<Option<Context>, Stopped> {
        self.attempts += 1;
        let slow = if self.slow_together { 2.5 } else { 1.0 };
        let tasks = tasks(&backends::resolve("cpu:x86-64-v3").unwrap());
        let each = tasks.iter().zip(schedules).map(|(task, schedule)| {
            let ratio = match *schedule == task.default {
                true => 1.0,
                false => slow * self.truth(task, schedule),
            };
            (self.samples(1e-4 * ratio, 80, 2), self.samples(1e-4, 80, 3))
        });
        let each: Vec<_> = each.collect();
        let sum = |side: usize| {
            let run = |i: usize| each.iter().map(|e| [&e.0, &e.1][side][i]).sum();
            (0..80).map(run).collect()
        };
        Ok(Some(Context {
            samples_s: sum(0),
            baseline_s: sum(1),
            tasks: each.clone(),
            device: "a laboratory".into(),
        }))
    }

    fn elapsed(&self) -> Duration {
        Duration::from_secs(self.attempts)
    }

    fn unix_time(&self) -> u64 {
        1_795_564_799 + self.attempts
    }
}
