//! What was tuned, where, and what it gained.

use std::fmt::Write;

use super::{
    data::{Data, Ratio, Task},
    html::{Text, count, digits, grouped, speedup, time},
};
use crate::database::Outcome;

/// The top of the page.
pub fn header(data: &Data, out: &mut String) {
    let _ = writeln!(
        out,
        "<header>\n<p class=\"eyebrow\">Tuning report</p>\n<h1>{} <span>on {}</span></h1>\n<dl class=\"tiles\">",
        Text(&data.model),
        Text(&data.target)
    );
    run(data, out);
    let trials: usize = data.tasks.iter().map(|t| t.trials.len()).sum();
    let ok: usize = data.tasks.iter().map(|t| t.count(Outcome::Ok)).sum();
    tile(
        "Trials",
        &grouped(trials as u64),
        &format!(
            "{} accepted, {} failed",
            grouped(ok as u64),
            grouped((trials - ok) as u64)
        ),
        out,
    );
    let better = data.tasks.iter().filter(|t| t.best.is_some()).count();
    tile(
        "Kernels made faster",
        &format!("{better} of {}", data.tasks.len()),
        "the others keep their default",
        out,
    );
    out.push_str("</dl>\n<dl class=\"facts\">\n");
    let seeds: Vec<String> = data.seeds.iter().map(u64::to_string).collect();
    let threads = match data.threads {
        0 => "not counted".into(),
        n => n.to_string(),
    };
    for (what, text) in [
        ("Model", &data.model),
        ("Target", &data.target),
        ("Device", &data.device),
        ("Threads", &threads),
        ("Toolchain", &data.toolchain),
        ("Seeds", &seeds.join(", ")),
    ] {
        let text = if text.is_empty() { "–" } else { text };
        let _ = writeln!(out, "<dt>{what}</dt><dd>{}</dd>", Text(text));
    }
    out.push_str("</dl>\n");
    if !data.notes.is_empty() {
        out.push_str("<ul class=\"notes\">\n");
        for note in &data.notes {
            let _ = writeln!(out, "<li>{}</li>", Text(note));
        }
        out.push_str("</ul>\n");
    }
    out.push_str("</header>\n");
}

/// The run of the model: measured from end to end, or the sum of its kernels.
fn run(data: &Data, out: &mut String) {
    if let Some(total) = &data.total {
        let words = format!(
            "{} with default schedules; medians",
            time(Some(total.before_s))
        );
        tile("Time of a run", &time(Some(total.after_s)), &words, out);
        let Ratio { value, low, high } = total.ratio;
        let words = format!(
            "{} to {} with 95 %, {} in turn: {}",
            digits(1.0 / high),
            digits(1.0 / low),
            count(total.rounds as usize, "round"),
            verdict(total.ratio)
        );
        tile("Gain, end to end", &speedup(value), &words, out);
        return;
    }
    let all: Option<Vec<[f64; 2]>> = data.tasks.iter().map(Task::in_run).collect();
    match all {
        Some(all) if !all.is_empty() => {
            let sums = all.iter().fold([0.0; 2], |[a, b], [x, y]| [a + x, b + y]);
            let words = format!("{} with default schedules", time(Some(sums[0])));
            tile("All kernels of a run", &time(Some(sums[1])), &words, out);
            let words = "kernels measured one by one, no run from end to end";
            tile("Gain, by kernels", &speedup(sums[1] / sums[0]), words, out);
        }
        _ => tile(
            "Gain, end to end",
            "–",
            "no run of a model was measured",
            out,
        ),
    }
}

/// What an interval says.
const fn verdict(ratio: Ratio) -> &'static str {
    if ratio.high < 1.0 {
        "faster beyond noise"
    } else if ratio.low > 1.0 {
        "slower beyond noise"
    } else {
        "no difference beyond noise"
    }
}

fn tile(what: &str, figure: &str, words: &str, out: &mut String) {
    let _ = writeln!(
        out,
        "<div><dt>{what}</dt><dd>{}<small>{}</small></dd></div>",
        Text(figure),
        Text(words)
    );
}
