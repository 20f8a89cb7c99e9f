//! The table of what was measured.

use std::fmt::Write;

use ir::{Schedule, Target};
use passes::LowerError;
use runtime::measure::Outcome;

use crate::{
    measure::{best, sampled},
    record::{Pass, Record},
    shapes::Shape,
};

/// How far behind the best the first choice may be.
const BEHIND: f64 = 1.10;

/// A row for each shape that was measured, then how many of them are near their best.
pub fn table(
    shapes: &[&Shape],
    samples: u64,
    target: &Target,
    record: &Record,
) -> Result<String, LowerError> {
    let mut out = String::from(
        "| contraction | rows x depth x columns | samples | first choice, GFLOP/s | the best sample's time / its time (95 %) | first choice | best sample |\n\
         |---|---|---|---|---|---|---|\n",
    );
    let (mut near, mut seen) = (0, 0);
    for shape in shapes {
        let kernel = shape.kernel();
        let first = autotune::first_choice(&kernel, target)?;
        let all = sampled(&kernel, target, samples)?;
        let searched = |s: &&Schedule| {
            record
                .find((shape.name, Pass::Search), &all[0], s)
                .is_some()
        };
        let searched = all.iter().filter(searched).count();
        let again = best(shape, &all, record);
        let find = |s: &Schedule| record.find((shape.name, Pass::Again), &first, s);
        let again = again.iter().filter_map(find);
        let again = again.filter_map(|line| Some((line.ratio()?, line)));
        let Some((ratio, line)) = again.min_by(|(a, _), (b, _)| a.value.total_cmp(&b.value)) else {
            continue;
        };
        let flops = 2.0 * (shape.rows * shape.depth * shape.columns) as f64;
        let rate = median_baseline(&line.outcome).map_or(f64::NAN, |s| flops / s / 1e9);
        seen += 1;
        near += usize::from(ratio.value >= 1.0 / BEHIND);
        writeln!(
            out,
            "| {} | {} | {} | {rate:.0} | {:.3} ({:.3} to {:.3}) | {} | {} |",
            shape.name,
            shape.sides(),
            searched,
            ratio.value,
            ratio.low,
            ratio.high,
            words(&first),
            words(&line.schedule),
        )
        .expect("a string can be written to");
    }
    writeln!(
        out,
        "\nOn {near} of {seen} the first choice takes at most {BEHIND:.2} times as long as the best sample.",
    )
    .expect("a string can be written to");
    Ok(out)
}

/// A line for each schedule that was measured at length.
pub fn list(
    shape: &Shape,
    schedules: &[Schedule],
    target: &Target,
    record: &Record,
) -> Result<String, LowerError> {
    let first = autotune::first_choice(&shape.kernel(), target)?;
    let find = |s: &Schedule| record.find((shape.name, Pass::Again), &first, s)?.ratio();
    let line = |s: &Schedule| {
        let said = find(s).map_or("no time".to_owned(), |r| {
            format!("{:.3} ({:.3} to {:.3})", r.value, r.low, r.high)
        });
        format!("{}: {}: {said}\n", shape.name, words(s))
    };
    Ok(schedules.iter().map(line).collect())
}

fn median_baseline(outcome: &Outcome) -> Option<f64> {
    let Outcome::Ok(measured) = outcome else {
        return None;
    };
    let mut times = measured.baseline_s.clone();
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied()
}

/// A contraction's schedule in short.
fn words(schedule: &Schedule) -> String {
    match schedule {
        Schedule::Contract(s) => format!(
            "{}x{} u{} block {}x{} {:?}",
            s.rows, s.lanes, s.unroll, s.block_rows, s.block_columns, s.left
        ),
        other => format!("{other:?}"),
    }
}
