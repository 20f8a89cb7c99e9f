//! What was tried: accepted and failed candidates, with reasons.

use std::{collections::BTreeMap, fmt::Write};

use super::{
    data::{Data, Task, Trial},
    html::{Text, count, grouped, percent, speedup, time},
};
use crate::database::Outcome;

/// Accepted candidates that a task lists.
const LISTED: usize = 20;
/// Different reasons that a task lists.
const REASONS: usize = 20;

/// The section.
pub fn section(data: &Data, out: &mut String) {
    out.push_str("<section aria-labelledby=\"h-tried\"><h2 id=\"h-tried\">Candidates</h2>\n");
    let all: usize = data.tasks.iter().map(|t| t.trials.len()).sum();
    if all == 0 {
        out.push_str("<p class=\"empty\">Nothing was tried.</p></section>\n");
        return;
    }
    outcomes(data, all, out);
    for (k, task) in data.tasks.iter().enumerate() {
        task_of(k, task, out);
    }
    out.push_str("</section>\n");
}

fn outcomes(data: &Data, all: usize, out: &mut String) {
    out.push_str(
        "<table class=\"outcomes\"><thead><tr><th>outcome</th><th>means</th><th class=\"n\">candidates</th><th class=\"n\">of all</th><th></th>\
         </tr></thead><tbody>\n",
    );
    for outcome in Outcome::ALL {
        let n: usize = data.tasks.iter().map(|t| t.count(outcome)).sum();
        let part = n as f64 / all as f64;
        let class = if outcome == Outcome::Ok {
            "now"
        } else {
            "failed"
        };
        let width = if n == 0 {
            "display:none".into()
        } else {
            format!("width:{:.1}%", 100.0 * part)
        };
        let _ = writeln!(
            out,
            "<tr><td><code>{}</code></td><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"bars\" aria-hidden=\"true\">\
             <i class=\"{class}\" style=\"{width}\"></i></td></tr>",
            outcome.name(),
            meaning(outcome),
            grouped(n as u64),
            percent(part)
        );
    }
    out.push_str("</tbody></table>\n");
}

const fn meaning(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Ok => "right numbers, and times",
        Outcome::RejectedStatic => "cannot fit; nothing was built",
        Outcome::BuildError => "no code came out",
        Outcome::Timeout => "did not end in time",
        Outcome::Crash => "the process that ran it ended",
        Outcome::WrongResult => "wrong numbers, so its time does not count",
    }
}

fn task_of(k: usize, task: &Task, out: &mut String) {
    let ok = task.count(Outcome::Ok);
    let failed = task.trials.len() - ok;
    let _ = writeln!(
        out,
        "<details class=\"tried\" data-k=\"{k}\"><summary><b>{}</b> <span class=\"name\">{}</span> <small>{} accepted, {} failed</small></summary>",
        k + 1,
        Text(&task.name),
        grouped(ok as u64),
        grouped(failed as u64)
    );
    let _ = match &task.best {
        Some(b) => writeln!(
            out,
            "<p>Used: <code>{}</code>, {} the default’s speed.</p>",
            Text(&b.schedule),
            speedup(b.ratio.value)
        ),
        None => writeln!(
            out,
            "<p>Used: the default; nothing was found that is faster beyond noise.</p>"
        ),
    };
    accepted(task, ok, out);
    failures(task, out);
    out.push_str("</details>\n");
}

fn accepted(task: &Task, ok: usize, out: &mut String) {
    let mut right: Vec<(&Trial, Option<f64>)> = task
        .trials
        .iter()
        .filter(|t| t.outcome == Outcome::Ok)
        .map(|t| (t, t.relative(task.default_s)))
        .collect();
    if right.is_empty() {
        return;
    }
    right.sort_by(|(a, x), (b, y)| {
        let key = |r: &Option<f64>| r.unwrap_or(f64::INFINITY);
        key(x).total_cmp(&key(y)).then(a.order.cmp(&b.order))
    });
    let _ = writeln!(
        out,
        "<div class=\"scroll\"><table><caption>Accepted, the fastest first{}</caption><thead><tr><th class=\"n\">trial</th><th>schedule</th>\
         <th class=\"n\">time</th><th class=\"n\">of the default’s</th><th class=\"n\">seed</th></tr></thead><tbody>",
        if ok > LISTED {
            format!(" ({LISTED} of {ok})")
        } else {
            String::new()
        }
    );
    for (t, relative) in right.iter().take(LISTED) {
        let _ = writeln!(
            out,
            "<tr><td class=\"n\">{}</td><td class=\"schedule\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td></tr>",
            t.order,
            Text(&t.schedule),
            time(t.seconds),
            relative.map_or("–".into(), percent),
            t.seed
        );
    }
    out.push_str("</tbody></table></div>\n");
}

/// Failures that gave one reason are one line.
fn failures(task: &Task, out: &mut String) {
    let mut groups: BTreeMap<(Outcome, &str), Vec<&Trial>> = BTreeMap::new();
    for t in task.trials.iter().filter(|t| t.outcome != Outcome::Ok) {
        let reason = t.reason.as_deref().unwrap_or("no reason kept");
        groups.entry((t.outcome, reason)).or_default().push(t);
    }
    if groups.is_empty() {
        return;
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    // The most frequent first; among equals the order of outcomes and reasons stays.
    groups.sort_by_key(|(_, trials)| std::cmp::Reverse(trials.len()));
    out.push_str(
        "<div class=\"scroll\"><table><caption>Failed, by reason</caption><thead><tr><th>outcome</th><th>reason</th><th class=\"n\">candidates</th>\
         <th>one of them</th></tr></thead><tbody>\n",
    );
    for ((outcome, reason), trials) in groups.iter().take(REASONS) {
        let _ = writeln!(
            out,
            "<tr><td><code>{}</code></td><td class=\"reason\">{}</td><td class=\"n\">{}</td><td class=\"schedule\">{}</td></tr>",
            outcome.name(),
            Text(reason),
            grouped(trials.len() as u64),
            Text(&trials[0].schedule)
        );
    }
    out.push_str("</tbody></table></div>\n");
    if groups.len() > REASONS {
        let _ = writeln!(
            out,
            "<p class=\"note\">{} left out.</p>",
            count(groups.len() - REASONS, "more reason")
        );
    }
}
