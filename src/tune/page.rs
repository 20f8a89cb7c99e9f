//! What a tuning did, for its report.

use autotune::{
    database::{Database, DatabaseError, Trial, median},
    report::{Best, Ceiling, Data, Ratio, Roof, Task, Total, words},
    tune::{TunedTask, is_search},
};
use ir::{DeviceModel, Floor, Kernel, KernelWork, Schedule, Sizes, Source, Target, Work};
use runtime::measure;

use super::{TuneOptions, TuneReport};

impl TuneReport {
    /// The data of its page; `model` is what the model is called.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn page(
        &self,
        model: &str,
        options: &TuneOptions,
        database: &Database,
    ) -> Result<Data, DatabaseError> {
        let target = options.target();
        let threads = options.settings.threads;
        let device = backends::devices_of(&target.name).into_iter().next();
        let (mut tasks, mut ran_on) = (Vec::new(), String::new());
        for (task, tuned) in self.tasks.iter().zip(&self.tuned.tasks) {
            let mut trials = database.trials(&task.workload.meaning, &self.place)?;
            trials.retain(|t| t.threads == threads && is_search(t));
            trials.sort_by_key(|t| (t.unix_time, t.id()));
            if let Some(trial) = trials.iter().find(|t| !t.samples_s.is_empty()) {
                ran_on.clone_from(&trial.device);
            }
            tasks.push(self::task(
                task,
                tuned,
                &trials,
                target,
                device.as_ref(),
                threads,
            ));
        }
        number(&mut tasks);
        let roof = device.map(|d| roof(&d, threads));
        Ok(Data {
            model: model.into(),
            target: target.name.clone(),
            device: ran_on,
            threads,
            toolchain: self.place.toolchain.clone(),
            seeds: vec![options.settings.seed],
            roof,
            total: self.total(),
            tasks: tasks.into_iter().map(|(task, _)| task).collect(),
            notes: self.notes.clone(),
        })
    }

    /// The whole model, before and after.
    fn total(&self) -> Option<Total> {
        let context = self.tuned.context.as_ref()?;
        let ratio = ratio(&measure::ratio(&context.samples_s, &context.baseline_s)?);
        Some(Total {
            before_s: median(&context.baseline_s)?,
            after_s: median(&context.samples_s)?,
            ratio,
            rounds: context.samples_s.len() as u32,
        })
    }
}

/// A task, and when its trials were made.
fn task(
    task: &autotune::tune::Task,
    tuned: &TunedTask,
    trials: &[Trial],
    target: &Target,
    device: Option<&DeviceModel>,
    threads: u32,
) -> (Task, Vec<u64>) {
    let best = tuned.ratio.as_ref().map(|r| Best {
        schedule: words(&tuned.schedule),
        ratio: ratio(r),
    });
    let row = Task {
        name: task.kernel.name.clone(),
        family: task.workload.family.clone(),
        sizes: task.workload.sizes.clone(),
        calls: Some(task.calls),
        flops: task.workload.flops,
        bytes: task.workload.bytes,
        default_s: tuned.default_s,
        floor: device.and_then(|d| floor(&task.kernel, &task.default, target, d, threads)),
        best,
        trials: trials.iter().map(shown).collect(),
    };
    (row, trials.iter().map(|t| t.unix_time).collect())
}

pub(super) fn shown(t: &Trial) -> autotune::report::Trial {
    autotune::report::Trial {
        order: 0,
        schedule: words(&t.schedule),
        outcome: t.outcome,
        reason: t.reason.clone(),
        seconds: t.median_s(),
        ratio: t.ratio().map(|r| r.value).or_else(|| {
            // Too few pairs for an interval still were measured in turn.
            Some(t.median_s()? / median(&t.baseline_s)?)
        }),
        seed: t.seed,
    }
}

/// Numbers the trials of all tasks in the order in which they were made.
pub(super) fn number(tasks: &mut [(Task, Vec<u64>)]) {
    let mut all: Vec<(u64, usize, usize)> = vec![];
    for (t, (_, times)) in tasks.iter().enumerate() {
        all.extend(times.iter().enumerate().map(|(i, time)| (*time, t, i)));
    }
    all.sort_unstable();
    for (order, (_, t, i)) in all.into_iter().enumerate() {
        tasks[t].0.trials[i].order = order as u64 + 1;
    }
}

pub(super) fn ratio(r: &measure::Ratio) -> Ratio {
    Ratio {
        value: r.value,
        low: r.low,
        high: r.high,
    }
}

/// The least time of a call, on all threads of a processor.
pub(super) fn floor(
    kernel: &Kernel,
    schedule: &Schedule,
    target: &Target,
    device: &DeviceModel,
    threads: u32,
) -> Option<Floor> {
    let lowered = passes::lower(kernel, schedule, target).ok()?;
    let flops = Work::of(&kernel.graph, &Sizes::new())?.flops;
    let work = KernelWork::of(&lowered.program, flops)?;
    let floor = device.floor(&work);
    Some(Floor {
        seconds: floor.seconds / f64::from(threads.max(1)),
        ..floor
    })
}

/// The rates of a device; models of processors are of one core.
pub(super) fn roof(device: &DeviceModel, threads: u32) -> Roof {
    let units = f64::from(threads.max(1));
    let source = match &device.source {
        Source::DataSheet(sheet) => sheet.clone(),
        Source::Assumed => "assumed rates; in caches it can be faster".into(),
    };
    let products = device.products.iter().map(|(dtype, rate)| Ceiling {
        words: format!("{dtype} products"),
        flops_per_second: rate * units,
    });
    let functions = Ceiling {
        words: "f32".into(),
        flops_per_second: device.functions * units,
    };
    Roof {
        words: match threads {
            0 | 1 => format!("{}: {source}", device.words),
            n => format!("{n} times {}: {source}", device.words),
        },
        ceilings: [functions].into_iter().chain(products).collect(),
        bytes_per_second: device.bytes_per_second * units,
    }
}
