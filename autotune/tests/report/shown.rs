//! Pages in a browser: no error, all points there, nothing cut off, something drawn.

use autotune::{
    database::Outcome,
    report::{Data, page},
};
use serde_json::Value;

use crate::{
    browser::{Shown, View, folder, open},
    samples::report,
};

const DESK: View = View {
    width: 1280,
    height: 2600,
    is_dark: false,
};

/// Runs in the page: texts that reach beyond their box, and where the plots are.
const PROBE: &str = include_str!("probe.js");

/// Opens a page as it is, and with the probe in it; checks what holds of any.
fn check(name: &str, data: &Data, view: View) -> Option<(Shown, Value)> {
    let folder = folder(name);
    let made = page(data);
    let shown = open(&folder, "page", &made, view)?;
    assert!(shown.console.is_empty(), "{:?}", shown.console);
    let probed = made
        .replace("script-src 'sha256-", "script-src 'unsafe-inline' 'none-")
        .replace("</body>", &format!("<script>{PROBE}</script></body>"));
    let probed = open(&folder, "probed", &probed, view)?;
    let found = probed
        .document
        .split("data-found=\"")
        .nth(1)
        .expect("the probe ran");
    let found = found
        .split('"')
        .next()
        .unwrap()
        .replace("&quot;", "\"")
        .replace("&amp;", "&");
    let found: Value = serde_json::from_str(&found).unwrap();
    assert_eq!(
        found["faults"].as_array().unwrap().len(),
        0,
        "{name}: {}",
        found["faults"]
    );
    Some((shown, found))
}

fn trials(data: &Data) -> [usize; 2] {
    let all = || data.tasks.iter().flat_map(|t| &t.trials);
    let ok = all().filter(|t| t.outcome == Outcome::Ok).count();
    [ok, all().count() - ok]
}

/// All points of all plots are there, and the plots are drawn.
fn check_plots(name: &str, data: &Data, view: View) {
    let Some((shown, found)) = check(name, data, view) else {
        return;
    };
    let n = data.tasks.len();
    let [ok, failed] = trials(data);
    // One of each in the legend.
    assert_eq!(shown.count("<circle class=\"ok\""), ok + 1);
    assert_eq!(shown.count("<path class=\"bad\""), failed + 1);
    assert_eq!(shown.count("<svg class=\"curve\""), n);
    // Each panel's, the legend's, and that of the run.
    assert_eq!(shown.count("<path class=\"best\""), n + 2);
    assert_eq!(shown.count("<g class=\"point\""), n);
    assert_eq!(shown.count("<circle class=\"was\"") - 1, n);
    assert_eq!(shown.count("<details class=\"tried\""), n);
    for id in ["run-curve", "roofline", "shares"] {
        let region = &found["plots"][id];
        let region =
            [0, 1, 2, 3].map(|i| region[i].as_u64().unwrap_or_else(|| panic!("no {id}")) as usize);
        if region[3] < view.height as usize {
            let drawn = shown.picture.drawn(region);
            assert!(drawn > 0.01, "{name}: {id} is blank: {drawn}");
        }
    }
}

#[test]
fn one_task() {
    check_plots("one", &report(1, 60, 1), DESK);
}

#[test]
fn seven_tasks_in_the_dark_and_on_a_phone() {
    let data = report(7, 200, 2);
    check_plots("seven", &data, DESK);
    let views = [
        View {
            is_dark: true,
            ..DESK
        },
        View { width: 420, ..DESK },
    ];
    for (name, view) in ["dark", "phone"].into_iter().zip(views) {
        if let Some((shown, _)) = check(name, &data, view) {
            assert_eq!(shown.picture.paper() < 60, view.is_dark, "{name}");
            assert_eq!(shown.picture.width, view.width as usize);
        }
    }
}

#[test]
fn sixty_tasks() {
    check_plots("sixty", &report(60, 900, 3), DESK);
}

#[test]
fn nothing_worked() {
    let mut data = report(4, 40, 4);
    for task in &mut data.tasks {
        task.best = None;
        for trial in &mut task.trials {
            trial.outcome = Outcome::Crash;
            (trial.seconds, trial.ratio) = (None, None);
        }
    }
    check_plots("crashes", &data, DESK);
    check("untried", &report(4, 0, 4), DESK);
    check("empty", &Data::default(), DESK);
}

#[test]
fn names_that_are_long_or_hostile() {
    let mut data = report(5, 60, 5);
    data.model = "<script>document.title = 'taken'</script>".into();
    data.device = "</dd><img src=x onerror=\"document.title='taken'\">".repeat(3);
    data.notes = vec!["x".repeat(900), "\u{202e}backwards & <b>bold</b>".into()];
    for (k, task) in data.tasks.iter_mut().enumerate() {
        task.name = ["matmul_", "\"'><svg onload=alert(1)>", "層", "a b ", "&lt;"][k].repeat(60);
        task.family = "f".repeat(120);
        for trial in &mut task.trials {
            trial.schedule = "'\"</title></svg><script>alert(1)</script>".repeat(10);
            trial.reason = trial
                .reason
                .as_ref()
                .map(|r| format!("{r}</td><script>x</script>{}", "y".repeat(500)));
        }
    }
    if let Some((shown, _)) = check("hostile", &data, DESK) {
        assert!(
            shown
                .document
                .contains("<title>&lt;script&gt;document.title = 'taken'&lt;/script&gt; on ")
        );
        assert_eq!(shown.count("<script"), 1);
        assert_eq!([shown.count("<img"), shown.count("<b>bold")], [0, 0]);
    }
}

#[test]
fn numbers_that_are_none() {
    let mut data = report(4, 40, 6);
    data.total.as_mut().unwrap().after_s = f64::NAN;
    data.tasks[0].default_s = Some(f64::INFINITY);
    data.tasks[1].default_s = None;
    data.tasks[1].calls = None;
    data.tasks[2].flops = ir::Flops(0);
    data.tasks[3]
        .trials
        .iter_mut()
        .for_each(|t| t.ratio = Some(-1.0));
    data.roof
        .as_mut()
        .unwrap()
        .ceilings
        .push(autotune::report::Ceiling {
            words: "none".into(),
            flops_per_second: 0.0,
        });
    if let Some((shown, _)) = check("numbers", &data, DESK) {
        assert!(!shown.document.contains("NaN") && !shown.document.contains("inf<"));
    }
}
