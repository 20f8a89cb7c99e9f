//! The roofline: operations per byte against operations per second.

use std::fmt::Write;

use super::{
    data::{Data, Roof, Task, positive},
    html::{At, Text, bandwidth, count, digits, percent, rate},
    scale::{Scale, around},
};

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 92.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 44.0;
/// Points with a number beside, if there is room.
const NUMBERED: usize = 16;

/// A task on the plot.
struct Point {
    k: usize,
    intensity: f64,
    before: f64,
    after: f64,
}

/// The section.
pub fn section(data: &Data, out: &mut String) {
    out.push_str("<section aria-labelledby=\"h-roof\"><h2 id=\"h-roof\">Roofline</h2>\n");
    let Some(roof) = &data.roof else {
        out.push_str("<p class=\"empty\">No rates of this device are known.</p></section>\n");
        return;
    };
    let tasks = data.tasks.iter().enumerate();
    let points: Vec<Point> = tasks.filter_map(|(k, task)| Point::of(k, task)).collect();
    let _ = writeln!(out, "<p>{}</p>", Text(&roof.words));
    match axes(roof, &points) {
        Some(axes) if !points.is_empty() => {
            out.push_str("<div class=\"beside\"><figure>");
            figure(roof, &points, data, axes, out);
            out.push_str(
                "<figcaption class=\"legend\"><span><svg viewBox=\"0 0 10 10\" aria-hidden=\"true\"><circle class=\"was\" cx=\"5\" cy=\"5\" \
                 r=\"3\"/></svg>by default</span> <span><svg viewBox=\"0 0 10 10\" aria-hidden=\"true\"><circle class=\"now\" cx=\"5\" \
                 cy=\"5\" r=\"3.5\"/></svg>now; numbers are those of the table</span></figcaption></figure>\n",
            );
            table(roof, &points, data, out);
            out.push_str("</div>\n");
        }
        _ => out.push_str("<p class=\"empty\">No task has arithmetic and a time.</p>\n"),
    }
    let left_out = data.tasks.len() - points.len();
    if left_out > 0 && !points.is_empty() {
        let _ = writeln!(
            out,
            "<p class=\"note\">{} without arithmetic or without a time left out.</p>",
            count(left_out, "task")
        );
    }
    out.push_str("</section>\n");
}

impl Point {
    fn of(k: usize, task: &Task) -> Option<Self> {
        let flops = task.flops.0 as f64;
        Some(Self {
            k,
            intensity: task.intensity()?,
            before: positive(Some(flops / task.default_s?))?,
            after: positive(Some(flops / task.used_s()?))?,
        })
    }
}

impl Roof {
    /// The highest rate of all that operate.
    fn top(&self) -> Option<f64> {
        let rates = self.ceilings.iter().map(|c| c.flops_per_second);
        positive(rates.reduce(f64::max))
    }

    /// The highest rate at so many operations per byte.
    fn over(&self, intensity: f64) -> Option<f64> {
        Some(
            self.top()?
                .min(intensity * positive(Some(self.bytes_per_second))?),
        )
    }
}

/// Axes that hold all points and the corner of the roof.
fn axes(roof: &Roof, points: &[Point]) -> Option<[Scale; 2]> {
    let corner = roof.top()? / positive(Some(roof.bytes_per_second))?;
    let x = around(points.iter().map(|p| p.intensity).chain([corner]))?;
    let rates = points.iter().flat_map(|p| [p.before, p.after]);
    let y = around(rates.chain([roof.top()?]))?;
    Some([
        Scale::log(x, [LEFT, WIDTH - RIGHT]),
        Scale::log(y, [HEIGHT - BOTTOM, TOP]),
    ])
}

fn figure(roof: &Roof, points: &[Point], data: &Data, [x, y]: [Scale; 2], out: &mut String) {
    let _ = write!(
        out,
        "<svg id=\"roofline\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"Roofline of {}: {}\">",
        count(points.len(), "task"),
        Text(&roof.words)
    );
    grid([x, y], out);
    let mut labels = Labels::default();
    for p in points {
        let x = x.at(p.intensity);
        labels
            .points
            .extend([[x, y.at(p.before)], [x, y.at(p.after)]]);
    }
    lines(roof, [x, y], &mut labels, out);
    // The first have most to say, and lie on top.
    for p in points.iter().rev() {
        let [px, was, now] = [x.at(p.intensity), y.at(p.before), y.at(p.after)];
        let _ = write!(
            out,
            "<g class=\"point\" data-k=\"{}\"><title>{}: {} FLOP/byte, {} by default, {} now</title>",
            p.k,
            Text(&data.tasks[p.k].name),
            digits(p.intensity),
            rate(p.before),
            rate(p.after)
        );
        if (was - now).abs() > 1.0 {
            let _ = write!(
                out,
                "<path class=\"move\" d=\"M{0} {1}V{2}\"/>",
                At(px),
                At(was),
                At(now)
            );
        }
        let _ = write!(
            out,
            "<circle class=\"was\" cx=\"{0}\" cy=\"{1}\" r=\"4\"/><circle class=\"now\" cx=\"{0}\" cy=\"{2}\" r=\"4.5\"/></g>",
            At(px),
            At(was),
            At(now)
        );
    }
    for p in points.iter().take(NUMBERED) {
        labels.number(p.k + 1, [x.at(p.intensity), y.at(p.after)], out);
    }
    out.push_str("</svg>");
}

fn grid([x, y]: [Scale; 2], out: &mut String) {
    for tick in y.ticks(8) {
        let at = At(y.at(tick));
        let _ = write!(
            out,
            "<path class=\"grid\" d=\"M{LEFT} {at}H{}\"/><text class=\"tick\" x=\"{}\" y=\"{at}\" dy=\".32em\" \
             text-anchor=\"end\">{}</text>",
            At(WIDTH - RIGHT),
            At(LEFT - 7.0),
            plain(&rate(tick))
        );
    }
    for tick in x.ticks(8) {
        let at = At(x.at(tick));
        let _ = write!(
            out,
            "<path class=\"grid\" d=\"M{at} {TOP}V{}\"/><text class=\"tick\" x=\"{at}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
            At(HEIGHT - BOTTOM),
            At(HEIGHT - BOTTOM + 16.0),
            plain_number(tick)
        );
    }
    let _ = write!(
        out,
        "<text class=\"axis\" x=\"{}\" y=\"{}\" text-anchor=\"middle\">operations per byte</text>",
        At(f64::midpoint(LEFT, WIDTH - RIGHT)),
        At(HEIGHT - 6.0)
    );
}

/// The sloped line of memory, and a level one for each rate.
fn lines(roof: &Roof, [x, y]: [Scale; 2], labels: &mut Labels, out: &mut String) {
    let (Some(top), Some([low, high])) = (roof.top(), x.ends()) else {
        return;
    };
    let bytes = roof.bytes_per_second;
    // Where memory's line comes into the plot, and where it meets the highest rate.
    let enters = low.max(y.ends().map_or(low, |[least, _]| least / bytes));
    let corner = top / bytes;
    let _ = write!(
        out,
        "<path class=\"roof\" d=\"M{} {}L{} {}\"/>",
        At(x.at(enters)),
        At(y.at(enters * bytes)),
        At(x.at(corner)),
        At(y.at(top))
    );
    let from = [x.at(enters), y.at(enters * bytes)];
    let to = [x.at(corner), y.at(top)];
    let angle = (to[1] - from[1]).atan2(to[0] - from[0]);
    let text = bandwidth(bytes);
    let half = 3.4 * text.chars().count() as f64;
    // Above the line, where no point is; all of the place that it takes when turned.
    let (across, down) = (half * angle.cos() + 4.0, half * angle.sin().abs() + 5.0);
    let middle = [0.5, 0.7, 0.3, 0.85, 0.15].into_iter().find_map(|part| {
        let [x, y] = [0, 1].map(|i| from[i] + part * (to[i] - from[i]));
        let [x, y] = [x + 8.0 * angle.sin(), y - 8.0 * angle.cos()];
        labels
            .take([x - across, y - down, x + across, y + down])
            .then_some([x, y])
    });
    if let Some([x, y]) = middle {
        let _ = write!(
            out,
            "<text class=\"tick\" transform=\"translate({} {}) rotate({})\" text-anchor=\"middle\" dy=\".3em\">{text}</text>",
            At(x),
            At(y),
            At(angle.to_degrees())
        );
    }
    for ceiling in &roof.ceilings {
        let Some(level) = positive(Some(ceiling.flops_per_second)) else {
            continue;
        };
        let at = y.at(level);
        let _ = write!(
            out,
            "<path class=\"roof\" d=\"M{} {2}H{}\"/>",
            At(x.at(level / bytes)),
            At(x.at(high)),
            At(at)
        );
        let text = format!("{} {}", ceiling.words, rate(level));
        let width = 6.4 * text.chars().count() as f64;
        let place = [WIDTH - RIGHT - width, at - 16.0, WIDTH - RIGHT, at - 3.0];
        // Two rates that are near each other share a place: the higher one is named, both are in the legend's words.
        if labels.take(place) {
            let _ = write!(
                out,
                "<text class=\"tick\" x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>",
                At(WIDTH - RIGHT),
                At(at - 6.0),
                Text(&text)
            );
        }
    }
}

/// Boxes that are taken: left, upper, right, lower edge.
#[derive(Default)]
struct Labels {
    taken: Vec<[f64; 4]>,
    points: Vec<[f64; 2]>,
}

impl Labels {
    fn take(&mut self, place: [f64; 4]) -> bool {
        let [left, upper, right, lower] = place;
        let inside = left >= LEFT && right <= WIDTH && upper >= 0.0 && lower <= HEIGHT - BOTTOM;
        let apart = |b: &[f64; 4]| right <= b[0] || left >= b[2] || lower <= b[1] || upper >= b[3];
        let covers = |p: &[f64; 2]| {
            p[0] > left - 4.5 && p[0] < right + 4.5 && p[1] > upper - 4.5 && p[1] < lower + 4.5
        };
        if inside && self.taken.iter().all(apart) && !self.points.iter().any(covers) {
            self.taken.push(place);
            return true;
        }
        false
    }

    /// A number beside a point where nothing else is; without room, none.
    fn number(&mut self, number: usize, [x, y]: [f64; 2], out: &mut String) {
        let half = 3.8 * number.to_string().len() as f64;
        let places = [
            [half + 8.0, 0.0],
            [-half - 8.0, 0.0],
            [0.0, -13.0],
            [0.0, 13.0],
            [half + 7.0, -10.0],
            [-half - 7.0, -10.0],
        ];
        for [dx, dy] in places {
            let [cx, cy] = [x + dx, y + dy];
            if self.take([cx - half, cy - 6.5, cx + half, cy + 6.5]) {
                let _ = write!(
                    out,
                    "<text class=\"number\" x=\"{}\" y=\"{}\" dy=\".34em\" text-anchor=\"middle\">{number}</text>",
                    At(cx),
                    At(cy)
                );
                return;
            }
        }
    }
}

fn table(roof: &Roof, points: &[Point], data: &Data, out: &mut String) {
    out.push_str(
        "<div class=\"scroll tall\" tabindex=\"0\"><table><thead><tr><th>#</th><th>kernel</th><th class=\"n\">FLOP/byte</th><th class=\"n\">default</th>\
         <th class=\"n\">now</th><th class=\"n\">of roof</th></tr></thead><tbody>\n",
    );
    for p in points {
        let of_roof = roof
            .over(p.intensity)
            .map_or(f64::NAN, |most| p.after / most);
        let _ = writeln!(
            out,
            "<tr data-k=\"{}\"><td>{}</td><td class=\"name\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td>\
             <td class=\"n\">{}</td></tr>",
            p.k,
            p.k + 1,
            Text(&data.tasks[p.k].name),
            digits(p.intensity),
            rate(p.before),
            rate(p.after),
            percent(of_roof)
        );
    }
    out.push_str("</tbody></table></div>\n");
}

/// `1.00 GFLOP/s` as `1 GFLOP/s`.
fn plain(text: &str) -> String {
    text.replace(".00", "").replace(".0\u{a0}", "\u{a0}")
}

/// A round number as one writes it.
fn plain_number(x: f64) -> String {
    if x >= 1.0 {
        super::html::grouped(x.round() as u64)
    } else {
        format!("{x}")
    }
}
