//! What a tuning database says of a target, for a report without a model.

use std::collections::{BTreeMap, BTreeSet};

use autotune::{
    database::{Database, DatabaseError, Place, Served, Trial, Workload, median},
    first_choice,
    report::{Best, Data, Task, words},
};
use ir::{DeviceModel, Target};

use super::page::{floor, number, ratio, roof, shown};

/// Shows what a database knows of a target by this toolchain, by the number of threads with the most trials; `name` is what the
/// database is called. None if it has no trials of it.
///
/// # Errors
/// The database cannot be read.
pub fn page_of_records(
    name: &str,
    database: &Database,
    target: &Target,
) -> Result<Option<Data>, DatabaseError> {
    let place = Place::of(target);
    let mut all: Vec<(Workload, Vec<Trial>)> = vec![];
    for workload in database.tried(&place)? {
        let trials = database.trials(&workload.meaning, &place)?;
        all.push((workload, trials));
    }
    let mut by_threads: BTreeMap<u32, usize> = BTreeMap::new();
    for trial in all.iter().flat_map(|(_, trials)| trials) {
        *by_threads.entry(trial.threads).or_default() += 1;
    }
    let most = by_threads.iter().max_by_key(|(_, n)| **n);
    let Some(threads) = most.map(|(threads, _)| *threads) else {
        return Ok(None);
    };
    let device = backends::devices_of(&target.name).into_iter().next();
    let (mut tasks, mut devices, mut seeds) = (vec![], BTreeSet::new(), BTreeSet::new());
    for (workload, mut trials) in all {
        trials.retain(|t| t.threads == threads);
        trials.sort_by_key(|t| (t.unix_time, t.id()));
        if trials.is_empty() {
            continue;
        }
        devices.extend(trials.iter().map(|t| t.device.clone()));
        seeds.extend(trials.iter().map(|t| t.seed));
        let task = task(
            &workload,
            &trials,
            database,
            target,
            &place,
            device.as_ref(),
        )?;
        tasks.push((task, trials.iter().map(|t| t.unix_time).collect()));
    }
    number(&mut tasks);
    Ok(Some(Data {
        model: name.into(),
        target: target.name.clone(),
        device: devices.into_iter().collect::<Vec<_>>().join("; "),
        threads,
        toolchain: place.toolchain,
        seeds: seeds.into_iter().collect(),
        roof: device.map(|d| roof(&d, threads)),
        total: None,
        tasks: tasks.into_iter().map(|(task, _)| task).collect(),
        notes: notes(&by_threads, threads),
    }))
}

fn task(
    workload: &Workload,
    trials: &[Trial],
    database: &Database,
    target: &Target,
    place: &Place,
    device: Option<&DeviceModel>,
) -> Result<Task, DatabaseError> {
    let threads = trials.first().map_or(0, |t| t.threads);
    let kernel = workload.kernel();
    let served = match &kernel {
        Some(kernel) => database.serve(kernel, workload, target, place, threads)?,
        None => None,
    };
    let best = match served {
        Some(Served::Verified {
            trial, ratio: r, ..
        }) => Some(Best {
            schedule: words(&trial.schedule),
            ratio: ratio(&r),
        }),
        _ => None,
    };
    let least = kernel.as_ref().zip(device).and_then(|(kernel, device)| {
        let default = first_choice(kernel, target).ok()?;
        floor(kernel, &default, target, device, threads)
    });
    let baselines: Vec<f64> = trials
        .iter()
        .filter_map(|t| median(&t.baseline_s))
        .collect();
    let short = workload.meaning.get(..12).unwrap_or(&workload.meaning);
    Ok(Task {
        name: format!("{} {short}", workload.family),
        family: workload.family.clone(),
        sizes: workload.sizes.clone(),
        calls: None,
        flops: workload.flops,
        bytes: workload.bytes,
        default_s: median(&baselines),
        floor: least,
        best,
        trials: trials.iter().map(shown).collect(),
    })
}

fn notes(by_threads: &BTreeMap<u32, usize>, threads: u32) -> Vec<String> {
    let mut notes = vec![
        "From a database alone: it does not say how often a model calls a kernel, nor how long a model takes.".to_owned(),
        "A schedule is used where this machine has verified it; what others measured and was not verified here only counts as \
         tried."
            .into(),
    ];
    let others = by_threads.iter().filter(|(n, _)| **n != threads);
    notes.extend(
        others.map(|(n, trials)| format!("{trials} trials with {n} threads are left out.")),
    );
    notes
}
