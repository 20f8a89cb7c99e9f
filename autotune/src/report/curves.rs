//! Best time over trials: of the whole run, and of each task.

use std::{fmt::Write, ops::Range};

use super::{
    data::{Data, Task, positive},
    html::{At, Text, count, percent, short, speedup, time},
    scale::Scale,
};
use crate::database::Outcome;

/// Panels that are shown at once; further ones can be opened.
const SHOWN: usize = 12;
/// Slower candidates than this many times the default stand at the upper edge.
const SLOWEST: f64 = 1.5;

/// Modelled time of a run after each trial: every task at the best that was known then.
struct Run {
    /// Trial and seconds, at each change; the first is before any trial.
    steps: Vec<(u64, f64)>,
    /// The last trial.
    last: u64,
    /// The least time, if it is known of all tasks.
    floor: Option<f64>,
}

/// The section.
pub fn section(data: &Data, out: &mut String) {
    out.push_str(
        "<section aria-labelledby=\"h-curves\"><h2 id=\"h-curves\">Best time over trials</h2>\n",
    );
    if data.tasks.iter().all(|t| t.trials.is_empty()) {
        out.push_str("<p class=\"empty\">Nothing was tried.</p></section>\n");
        return;
    }
    if let Some(run) = Run::of(data) {
        run.figure(out);
    }
    legend(out);
    let sizes = match data.tasks.len() {
        1 => [1104.0, 260.0],
        2 | 3 => [540.0, 200.0],
        _ => [264.0, 132.0],
    };
    panels(data, 0..SHOWN, sizes, out);
    let more = data.tasks.len().saturating_sub(SHOWN);
    if more > 0 {
        let _ = writeln!(
            out,
            "<details><summary>{}</summary>",
            count(more, "more task")
        );
        panels(data, SHOWN..usize::MAX, sizes, out);
        out.push_str("</details>\n");
    }
    out.push_str("</section>\n");
}

fn panels(data: &Data, which: Range<usize>, sizes: [f64; 2], out: &mut String) {
    let _ = writeln!(
        out,
        "<div class=\"panels\" style=\"--least:{}px\">",
        At(sizes[0] * 0.86)
    );
    let tasks = data.tasks.iter().enumerate();
    for (k, task) in tasks.take(which.end).skip(which.start) {
        panel(k, task, sizes, out);
    }
    out.push_str("</div>\n");
}

fn legend(out: &mut String) {
    out.push_str(
        "<p class=\"legend\"><span><svg viewBox=\"0 0 22 10\" aria-hidden=\"true\"><path class=\"best\" d=\"M1 2H11V8H21\"/></svg>\
         best so far</span> <span><svg viewBox=\"0 0 10 10\" aria-hidden=\"true\"><circle class=\"ok\" cx=\"5\" cy=\"5\" r=\"2.5\"/></svg>\
         right numbers</span> <span><svg viewBox=\"0 0 10 10\" aria-hidden=\"true\"><path class=\"bad\" d=\"M2 2L8 8M8 2L2 8\"/></svg>\
         failed</span> <span><svg viewBox=\"0 0 22 10\" aria-hidden=\"true\"><path class=\"base\" d=\"M1 5H21\"/></svg>the default</span> \
         <span>Times are of the default measured in turn; what is slower than the axis stands at its upper edge.</span></p>\n",
    );
}

/// What the task gained by what is used now, which was measured with more care than what the curve is made of.
fn gain(task: &Task) -> String {
    let best = task.best.as_ref();
    best.map_or("default".into(), |b| speedup(b.ratio.value))
}

/// One task: time over the default's, by its own trials.
fn panel(k: usize, task: &Task, [width, height]: [f64; 2], out: &mut String) {
    let (left, right, top, bottom) = (44.0, 12.0, 20.0, 22.0);
    let known: Vec<Option<f64>> = task
        .trials
        .iter()
        .map(|t| t.relative(task.default_s))
        .collect();
    let mut best = 1.0;
    let mut line = vec![(0, 1.0)];
    for (i, x) in known.iter().enumerate() {
        if let Some(x) = x
            && *x < best
        {
            best = *x;
            line.push((i + 1, best));
        }
    }
    let highest = known.iter().flatten().fold(1.05, |a: f64, b| a.max(*b));
    let y = Scale::linear(
        [(best - 0.05).max(0.0), highest.min(SLOWEST)],
        [height - bottom, top],
    );
    let n = task.trials.len();
    let x = Scale::linear([0.0, n.max(1) as f64], [left, width - right]);
    let failed = n - task.count(Outcome::Ok);

    let name = Text(&task.name);
    let _ = write!(
        out,
        "<figure class=\"panel\" data-k=\"{k}\"><figcaption><b>{}</b> <span class=\"name cut\" title=\"{name}\">{name}</span>\
         <span class=\"gain\">{}</span></figcaption>\n<svg class=\"curve\" viewBox=\"0 0 {width} {height}\" role=\"img\" \
         aria-label=\"{name}: {}, {failed} failed; best {} of the default's time\">",
        k + 1,
        Text(&gain(task)),
        count(n, "trial"),
        percent(best),
    );
    for tick in y.ticks(if height > 180.0 { 5 } else { 3 }) {
        let at = At(y.at(tick));
        let _ = write!(
            out,
            "<path class=\"grid\" d=\"M{left} {at}H{}\"/><text class=\"tick\" x=\"{}\" y=\"{at}\" dy=\".32em\" \
             text-anchor=\"end\">{:.0}%</text>",
            At(width - right),
            At(left - 6.0),
            tick * 100.0
        );
    }
    for (tick, anchor) in [(0, "start"), (n, "end")] {
        let _ = write!(
            out,
            "<text class=\"tick\" x=\"{}\" y=\"{}\" text-anchor=\"{anchor}\">{tick}{}</text>",
            At(x.at(tick as f64)),
            At(height - 6.0),
            if tick == 0 { "" } else { " trials" }
        );
    }
    let _ = write!(
        out,
        "<path class=\"base\" d=\"M{left} {}H{}\"/>",
        At(y.at(1.0)),
        At(width - right)
    );
    for (i, (trial, relative)) in task.trials.iter().zip(&known).enumerate() {
        let px = x.at(i as f64 + 1.0);
        match relative {
            Some(r) => {
                let _ = write!(
                    out,
                    "<circle class=\"ok\" cx=\"{}\" cy=\"{}\" r=\"2\"><title>trial {}: {} of the default’s time, {} — {}</title></circle>",
                    At(px),
                    At(y.at(*r)),
                    i + 1,
                    percent(*r),
                    time(trial.seconds),
                    Text(&short(&trial.schedule, 160))
                );
            }
            None => {
                let cross = [px - 2.2, px + 2.2].map(|v| At(v).to_string());
                let edge = [top - 12.2, top - 7.8].map(|v| At(v).to_string());
                let _ = write!(
                    out,
                    "<path class=\"bad\" d=\"M{} {}L{} {}M{} {}L{} {}\"><title>trial {}: {} — {}</title></path>",
                    cross[0],
                    edge[0],
                    cross[1],
                    edge[1],
                    cross[1],
                    edge[0],
                    cross[0],
                    edge[1],
                    i + 1,
                    trial.outcome.name(),
                    Text(&short(
                        trial.reason.as_deref().unwrap_or("no reason kept"),
                        160
                    ))
                );
            }
        }
    }
    let mut path = format!("M{} {}", At(x.at(0.0)), At(y.at(1.0)));
    for (i, value) in &line[1..] {
        let _ = write!(path, "H{}V{}", At(x.at(*i as f64)), At(y.at(*value)));
    }
    let _ = write!(path, "H{}", At(x.at(n as f64)));
    let _ = writeln!(out, "<path class=\"best\" d=\"{path}\"/></svg></figure>");
}

impl Run {
    /// None if no calls are known, or the default of a task was not measured.
    fn of(data: &Data) -> Option<Self> {
        let mut now = Vec::new();
        let mut floor = Some(0.0);
        for task in &data.tasks {
            let calls = task.calls? as f64;
            now.push(calls * positive(task.default_s)?);
            let least = task.floor.map(|f| calls * f.seconds);
            floor = floor.zip(least).map(|(a, b)| a + b);
        }
        let defaults = now.clone();
        let mut trials: Vec<(u64, usize, f64)> = Vec::new();
        let mut last = 0;
        for (k, task) in data.tasks.iter().enumerate() {
            for t in &task.trials {
                last = last.max(t.order);
                if let Some(r) = t.relative(task.default_s) {
                    trials.push((t.order, k, r * defaults[k]));
                }
            }
        }
        trials.sort_by_key(|(order, k, _)| (*order, *k));
        let mut steps = vec![(0, now.iter().sum())];
        for (order, k, seconds) in trials {
            if seconds < now[k] {
                now[k] = seconds;
                steps.push((order, now.iter().sum()));
            }
        }
        Some(Self { steps, last, floor })
    }

    fn figure(&self, out: &mut String) {
        let (width, height) = (1104.0, 250.0);
        let (left, right, top, bottom) = (76.0, 96.0, 18.0, 40.0);
        let (first, end) = (self.steps[0].1, self.steps[self.steps.len() - 1].1);
        let x = Scale::linear([0.0, self.last.max(1) as f64], [left, width - right]);
        let y = Scale::linear([0.0, first * 1.08], [height - bottom, top]);
        let _ = write!(
            out,
            "<figure><figcaption>All kernels of a run, each at the best that a trial had shown by then; lucky ones are sorted out by longer measurements at the end</figcaption>\n\
             <svg id=\"run-curve\" class=\"wide\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"All kernels of a run: {} \
             at first, {} after {} trials\">",
            time(Some(first)),
            time(Some(end)),
            self.last
        );
        for tick in y.ticks(4) {
            let at = At(y.at(tick));
            let _ = write!(
                out,
                "<path class=\"grid\" d=\"M{left} {at}H{}\"/><text class=\"tick\" x=\"{}\" y=\"{at}\" dy=\".32em\" \
                 text-anchor=\"end\">{}</text>",
                At(width - right),
                At(left - 8.0),
                if tick == 0.0 {
                    "0".into()
                } else {
                    time(Some(tick))
                }
            );
        }
        for tick in x.ticks(8).into_iter().filter(|t| t.fract() == 0.0) {
            let _ = write!(
                out,
                "<text class=\"tick\" x=\"{}\" y=\"{}\" text-anchor=\"middle\">{tick}</text>",
                At(x.at(tick)),
                At(height - bottom + 16.0)
            );
        }
        let _ = write!(
            out,
            "<text class=\"axis\" x=\"{}\" y=\"{}\" text-anchor=\"middle\">trials</text>",
            At(f64::midpoint(left, width - right)),
            At(height - 6.0)
        );
        let end_x = At(width - right + 8.0);
        if let Some(floor) = self.floor.filter(|f| *f > 0.0 && *f < first) {
            let at = y.at(floor);
            let _ = write!(
                out,
                "<path class=\"floor\" d=\"M{left} {0}H{1}\"/>",
                At(at),
                At(width - right)
            );
            // Where the two labels would meet, the curve's is the one that is needed.
            if (at - y.at(end)).abs() > 14.0 {
                let _ = write!(
                    out,
                    "<text class=\"tick\" x=\"{end_x}\" y=\"{}\" dy=\".32em\">least time</text>",
                    At(at)
                );
            }
        }
        let mut path = format!("M{} {}", At(x.at(0.0)), At(y.at(first)));
        for (order, seconds) in &self.steps[1..] {
            let _ = write!(path, "H{}V{}", At(x.at(*order as f64)), At(y.at(*seconds)));
        }
        let _ = write!(path, "H{}", At(width - right));
        let base = At(height - bottom);
        let _ = write!(
            out,
            "<path class=\"area\" d=\"{path}V{base}H{left}Z\"/><path class=\"base\" d=\"M{left} {0}H{1}\"/>\
             <path class=\"best\" d=\"{path}\"/><text class=\"label\" x=\"{end_x}\" y=\"{2}\" dy=\".32em\">{3}</text>",
            At(y.at(first)),
            At(width - right),
            At(y.at(end)),
            time(Some(end))
        );
        if y.at(end) - y.at(first) > 14.0 {
            let _ = write!(
                out,
                "<text class=\"tick\" x=\"{end_x}\" y=\"{}\" dy=\".32em\">default</text>",
                At(y.at(first))
            );
        }
        out.push_str("</svg></figure>\n");
    }
}
