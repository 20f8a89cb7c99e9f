//! The report of a tuning run: one HTML page that needs nothing else.
//!
//! [`page`] is a function of [`Data`], which is filled from what a tuner did, or from records alone. The page has
//! its style, its script and its plots inside, and tells the browser to fetch nothing. The same data give the same bytes.

mod candidates;
mod curves;
mod data;
mod head;
mod html;
mod roofline;
mod scale;
mod schedule;
mod shares;

pub use data::{Best, Ceiling, Data, Ratio, Roof, Task, Total, Trial};
pub use schedule::words;

use html::Text;

const STYLE: &str = include_str!("style.css");
/// Marks a task wherever the pointer meets it, and opens what is closed before the page is printed.
const SCRIPT: &str = include_str!("script.js");
/// SHA-256 of the script, so that no other one runs, whatever a name may hold.
const SCRIPT_SHA256: &str = "2B/O2xjFkYHnJnecKJNuBmrmkwNqnDKIWVIgJyjN9u8=";

/// The page.
///
/// ```
/// use autotune::report::{Data, page};
///
/// let data = Data { model: "<script>".into(), target: "cpu:znver4".into(), ..Data::default() };
/// assert!(page(&data).contains("<title>&lt;script&gt; on cpu:znver4"));
/// ```
pub fn page(data: &Data) -> String {
    // The tasks that take most come first, and are numbered so.
    let mut data = data.clone();
    data.tasks.sort_by(|a, b| takes(b).total_cmp(&takes(a)));
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; \
         script-src 'sha256-{SCRIPT_SHA256}'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{} on {}: tuning report</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n",
        Text(&data.model),
        Text(&data.target)
    );
    head::header(&data, &mut out);
    out.push_str("<main>\n");
    shares::section(&data, &mut out);
    curves::section(&data, &mut out);
    roofline::section(&data, &mut out);
    candidates::section(&data, &mut out);
    out.push_str("</main>\n<footer>Made by tilewright ");
    out.push_str(env!("CARGO_PKG_VERSION"));
    out.push_str("; the page holds all of its data and loads nothing.</footer>\n<script>");
    out.push_str(SCRIPT);
    out.push_str("</script>\n</body>\n</html>\n");
    out
}

/// Seconds by which tasks are ordered: of a run, or of a call.
fn takes(task: &Task) -> f64 {
    let in_run = task.in_run().map(|[before, _]| before);
    in_run.or(data::positive(task.default_s)).unwrap_or(0.0)
}
