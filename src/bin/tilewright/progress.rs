//! How far tuning is, on a terminal; nothing elsewhere.

use std::{
    io::{self, IsTerminal, Write},
    time::Duration,
};

use autotune::tune::Standing;

/// The bar takes at most so many columns.
const WIDEST: usize = 40;
/// A narrower bar says nothing.
const NARROWEST: usize = 8;

/// A line that is written over and over.
pub struct Progress {
    terminal: bool,
}

impl Progress {
    pub fn new() -> Self {
        Self {
            terminal: io::stderr().is_terminal(),
        }
    }

    /// Shows how far it is.
    pub fn update(&mut self, standing: &Standing) {
        if self.terminal {
            // The last column stays free: terminals wrap when it is written.
            let width = terminal_size::terminal_size_of(io::stderr());
            let width = width.map_or(80, |(w, _)| usize::from(w.0));
            self.write(&line(standing, width.saturating_sub(1)));
        }
    }

    /// Shows words.
    pub fn show(&mut self, text: &str) {
        if self.terminal {
            self.write(text);
        }
    }

    fn write(&self, text: &str) {
        // With standard error closed there is nobody left to tell.
        let _ = write!(io::stderr(), "\r\x1b[K{text}");
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.show("");
    }
}

/// A line of at most `width` columns. What matters least goes first: the rate, the bar, the time that is left.
fn line(standing: &Standing, width: usize) -> String {
    let count = format!("{}/{}", standing.done, standing.of);
    let gain = format!("{:.2}x as fast", 1.0 / standing.ratio);
    let rate = match standing.rate {
        r if r >= 1.0 => format!("{r:.1} trials/s"),
        r => format!("{:.1} trials/min", 60.0 * r),
    };
    let left = standing
        .left
        .map_or("time unknown".into(), |l| format!("{} left", clock(l)));
    let choices = [
        (true, vec![&count, &gain, &rate, &left]),
        (true, vec![&count, &gain, &left]),
        (false, vec![&count, &gain, &left]),
        (false, vec![&count, &gain]),
        (false, vec![&count]),
    ];
    for (has_bar, parts) in choices {
        let words: Vec<&str> = parts.into_iter().map(String::as_str).collect();
        let words = words.join("  ");
        if !has_bar && words.len() <= width {
            return words;
        }
        // Two brackets, and a space.
        let room = width.saturating_sub(words.len() + 3).min(WIDEST);
        if has_bar && room >= NARROWEST {
            return format!("[{}] {words}", bar(standing, room));
        }
    }
    String::new()
}

fn bar(standing: &Standing, room: usize) -> String {
    let full = match standing.of {
        0 => room,
        of => (room * standing.done / of).min(room),
    };
    let mut bar = "=".repeat(full);
    if full < room {
        bar.push('>');
        bar.push_str(&" ".repeat(room - full - 1));
    }
    bar
}

/// `0:07`, `12:34`, `1:02:03`
fn clock(time: Duration) -> String {
    let s = time.as_secs();
    let (hours, minutes, seconds) = (s / 3600, s / 60 % 60, s % 60);
    match hours {
        0 => format!("{minutes}:{seconds:02}"),
        1..100 => format!("{hours}:{minutes:02}:{seconds:02}"),
        _ => format!("{} days", hours / 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(done: usize, rate: f64, left: Option<u64>) -> Standing {
        Standing {
            done,
            of: 200,
            ratio: 1.0 / 1.2345,
            rate,
            left: left.map(Duration::from_secs),
        }
    }

    #[test]
    fn lines_fit_and_say_what_matters_most() {
        let half = standing(100, 3.25, Some(31));
        let at = |width| line(&half, width);
        assert_eq!(
            at(200),
            "[====================>                   ] 100/200  1.23x as fast  3.2 trials/s  0:31 left"
        );
        assert_eq!(
            at(60),
            "[=====>    ] 100/200  1.23x as fast  3.2 trials/s  0:31 left"
        );
        assert_eq!(at(50), "[=======>      ] 100/200  1.23x as fast  0:31 left");
        assert_eq!(at(40), "100/200  1.23x as fast  0:31 left");
        assert_eq!(at(24), "100/200  1.23x as fast");
        assert_eq!([at(7), at(3)], ["100/200", ""]);
        for width in 0..=200 {
            assert!(at(width).chars().count() <= width, "{width}");
        }
    }

    #[test]
    fn what_is_unknown_or_over_is_said() {
        let text = line(&standing(0, 0.0, None), 120);
        assert!(
            text.starts_with("[> ") && text.ends_with("0.0 trials/min  time unknown"),
            "{text}"
        );
        let text = line(&standing(230, 0.5, Some(0)), 120);
        assert!(
            text.contains(&format!("[{}]", "=".repeat(WIDEST))),
            "{text}"
        );
        assert!(text.ends_with("30.0 trials/min  0:00 left"), "{text}");
        let times = [59, 754, 3723, u64::MAX].map(|s| clock(Duration::from_secs(s)));
        assert_eq!(times[..3], ["0:59", "12:34", "1:02:03"]);
        assert!(times[3].ends_with(" days"));
    }
}
