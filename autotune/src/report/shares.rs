//! Where the time of a run goes, before and after.

use std::fmt::Write;

use super::{
    data::{Data, Task},
    html::{At, Text, count, digits, percent, speedup, time},
};

/// Narrower parts of a bar than this, in pixels, share one.
const NARROW: f64 = 9.0;
const WIDTH: f64 = 1104.0;
const LEFT: f64 = 56.0;
const RIGHT: f64 = 84.0;

/// The section.
pub fn section(data: &Data, out: &mut String) {
    out.push_str(
        "<section aria-labelledby=\"h-shares\"><h2 id=\"h-shares\">Where the time goes</h2>\n",
    );
    let in_run: Vec<Option<[f64; 2]>> = data.tasks.iter().map(Task::in_run).collect();
    let sums = in_run
        .iter()
        .flatten()
        .fold([0.0; 2], |[a, b], [x, y]| [a + x, b + y]);
    if sums[0] > 0.0 {
        bars(&in_run, sums, out);
    } else if !data.tasks.is_empty() {
        out.push_str(
            "<p class=\"empty\">How often a model calls each kernel is not known here, so there are no shares of a run.</p>\n",
        );
    }
    table(data, &in_run, sums, out);
    out.push_str("</section>\n");
}

/// Two bars, one above the other, as long as all kernels take.
fn bars(in_run: &[Option<[f64; 2]>], sums: [f64; 2], out: &mut String) {
    let full = WIDTH - LEFT - RIGHT;
    let longest = f64::max(sums[0], sums[1]);
    let _ = write!(
        out,
        "<figure><svg id=\"shares\" class=\"wide\" viewBox=\"0 0 {WIDTH} 92\" role=\"img\" aria-label=\"Kernels of a run: {} before, \
         {} after; the table has each one's part\">",
        time(Some(sums[0])),
        time(Some(sums[1]))
    );
    for (side, words) in ["before", "after"].into_iter().enumerate() {
        let upper = 6.0 + 44.0 * side as f64;
        let _ = write!(
            out,
            "<text class=\"axis\" x=\"{}\" y=\"{}\" dy=\".34em\" text-anchor=\"end\">{words}</text>",
            At(LEFT - 8.0),
            At(upper + 17.0)
        );
        let mut x = LEFT;
        let mut rest = (0, 0.0);
        let mut drawn = 0;
        for (k, seconds) in in_run.iter().enumerate() {
            let Some(seconds) = seconds.map(|s| s[side]) else {
                continue;
            };
            let wide = full * seconds / longest;
            if wide < NARROW {
                rest = (rest.0 + 1, rest.1 + wide);
                continue;
            }
            let _ = write!(
                out,
                "<g class=\"part {}\" data-k=\"{k}\"><title>{}: {}</title><rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"34\"/>",
                ["even", "odd"][drawn % 2],
                k + 1,
                percent(seconds / sums[side]),
                At(x),
                At(upper),
                At(wide - 1.0)
            );
            if wide > 8.0 * (k + 1).to_string().len() as f64 + 4.0 {
                let _ = write!(
                    out,
                    "<text x=\"{}\" y=\"{}\" dy=\".34em\" text-anchor=\"middle\">{}</text>",
                    At(x + (wide - 1.0) / 2.0),
                    At(upper + 17.0),
                    k + 1
                );
            }
            out.push_str("</g>");
            x += wide;
            drawn += 1;
        }
        if rest.0 > 0 {
            let _ = write!(
                out,
                "<g class=\"part rest\"><title>{} more</title><rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"34\"/></g>",
                count(rest.0, "kernel"),
                At(x),
                At(upper),
                At((rest.1 - 1.0).max(0.5))
            );
            x += rest.1;
        }
        let _ = write!(
            out,
            "<text class=\"label\" x=\"{}\" y=\"{}\" dy=\".34em\">{}</text>",
            At(x + 8.0),
            At(upper + 17.0),
            time(Some(sums[side]))
        );
    }
    out.push_str("</svg></figure>\n");
}

fn table(data: &Data, in_run: &[Option<[f64; 2]>], sums: [f64; 2], out: &mut String) {
    if data.tasks.is_empty() {
        out.push_str("<p class=\"empty\">There are no tasks.</p>\n");
        return;
    }
    let shares = sums[0] > 0.0;
    out.push_str(
        "<div class=\"scroll\"><table class=\"tasks\"><thead><tr><th>#</th><th>kernel</th>",
    );
    if shares {
        out.push_str("<th class=\"n\">calls</th>");
    }
    out.push_str("<th class=\"n\">default</th><th class=\"n\">now</th><th class=\"n\">faster</th><th class=\"n\">95 % interval</th>");
    if shares {
        out.push_str(
            "<th class=\"n\">share before</th><th class=\"n\">after</th><th>before, after</th>",
        );
    }
    out.push_str("<th class=\"n\">least time</th><th>bound by</th></tr></thead><tbody>\n");
    let most = in_run
        .iter()
        .flatten()
        .flatten()
        .fold(0.0, |a: f64, b| a.max(*b));
    for (k, task) in data.tasks.iter().enumerate() {
        let _ = write!(
            out,
            "<tr data-k=\"{k}\"><td>{}</td><td class=\"name\">{}<small>{}</small></td>",
            k + 1,
            Text(&task.name),
            Text(&about(task))
        );
        if shares {
            let _ = write!(
                out,
                "<td class=\"n\">{}</td>",
                task.calls.map_or("–".into(), |n| n.to_string())
            );
        }
        let (faster, interval) = match &task.best {
            None => ("default stays".into(), "–".into()),
            Some(b) => (
                speedup(b.ratio.value),
                format!(
                    "{} – {}",
                    digits(1.0 / b.ratio.high),
                    digits(1.0 / b.ratio.low)
                ),
            ),
        };
        let _ = write!(
            out,
            "<td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{faster}</td><td class=\"n\">{interval}</td>",
            time(task.default_s),
            time(task.used_s())
        );
        if shares {
            let [before, after] = in_run[k].unwrap_or([f64::NAN; 2]);
            let part = |seconds: f64, sum: f64| percent(seconds / sum);
            let wide = |seconds: f64| {
                if seconds > 0.0 {
                    At(100.0 * seconds / most)
                } else {
                    At(0.0)
                }
            };
            let _ = write!(
                out,
                "<td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"bars\" aria-hidden=\"true\"><i class=\"was\" style=\"width:{}%\"></i>\
                 <i class=\"now\" style=\"width:{}%\"></i></td>",
                part(before, sums[0]),
                part(after, sums[1]),
                wide(before),
                wide(after)
            );
        }
        let (least, bound) = match (task.floor, task.used_s()) {
            (Some(f), Some(used)) => (percent(f.seconds / used), f.bound.name()),
            (Some(f), None) => (time(Some(f.seconds)), f.bound.name()),
            _ => ("–".into(), "–"),
        };
        let _ = writeln!(out, "<td class=\"n\">{least}</td><td>{bound}</td></tr>");
    }
    out.push_str("</tbody></table></div>\n");
    out.push_str(
        "<p class=\"note\">Faster: the default’s time over the time now, both measured in turn. Least time: what the device would need \
         at full rate, in percent of the time now.</p>\n",
    );
}

/// Family and sizes of a task.
pub fn about(task: &Task) -> String {
    let sizes: Vec<String> = task
        .sizes
        .iter()
        .map(|(name, size)| format!("{name} {size}"))
        .collect();
    [vec![task.family.clone()], sizes].concat().join(" · ")
}
