//! How far tuning is, on a terminal; nothing elsewhere.

use std::{
    io::{self, IsTerminal, Write},
    time::Duration,
};

/// The bar takes at most so many columns.
const WIDEST: usize = 40;
/// A narrower bar says nothing.
const NARROWEST: usize = 8;

/// A line that is written over and over.
pub struct Progress {
    terminal: bool,
}

/// How far it is.
#[derive(Clone, Copy, Debug)]
pub struct Standing {
    /// Trials that were made.
    pub done: usize,
    /// Trials that were asked for.
    pub of: usize,
    /// How many times as fast the model is by the best schedules seen.
    pub gain: f64,
    /// Trials in a second.
    pub rate: f64,
    /// Time that is left; none while it is unknown.
    pub left: Option<Duration>,
}

impl Progress {
    pub fn new() -> Self {
        Self {
            terminal: io::stderr().is_terminal(),
        }
    }

    /// Shows how far it is.
    pub fn update(&mut self, standing: Standing) {
        if self.terminal {
            // The last column stays free: terminals wrap when it is written.
            let width = terminal_size::terminal_size_of(io::stderr());
            let width = width.map_or(80, |(w, _)| usize::from(w.0));
            self.write(&standing.line(width.saturating_sub(1)));
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

impl Standing {
    /// A line of at most `width` columns. What matters least goes first: the rate, the bar, the time that is left.
    pub fn line(&self, width: usize) -> String {
        let count = format!("{}/{}", self.done, self.of);
        let gain = format!("{:.2}x as fast", self.gain);
        let rate = match self.rate {
            r if r >= 1.0 => format!("{r:.1} trials/s"),
            r => format!("{:.1} trials/min", 60.0 * r),
        };
        let left = self
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
                return format!("[{}] {words}", self.bar(room));
            }
        }
        String::new()
    }

    fn bar(&self, room: usize) -> String {
        let full = match self.of {
            0 => room,
            of => (room * self.done / of).min(room),
        };
        let mut bar = "=".repeat(full);
        if full < room {
            bar.push('>');
            bar.push_str(&" ".repeat(room - full - 1));
        }
        bar
    }
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
            gain: 1.2345,
            rate,
            left: left.map(Duration::from_secs),
        }
    }

    #[test]
    fn lines_fit_and_say_what_matters_most() {
        let half = standing(100, 3.25, Some(31));
        let at = |width| half.line(width);
        assert_eq!(
            at(200),
            "[====================>                   ] 100/200  1.23x as fast  3.2 trials/s  0:31 left"
        );
        assert_eq!(
            at(60),
            "[=======>       ] 100/200  1.23x as fast  0:31 left"
        );
        assert_eq!(at(40), "100/200  1.23x as fast  0:31 left");
        assert_eq!(at(24), "100/200  1.23x as fast");
        assert_eq!([at(7), at(3)], ["100/200", ""]);
        for width in 0..=200 {
            assert!(at(width).chars().count() <= width, "{width}");
        }
    }

    #[test]
    fn what_is_unknown_or_over_is_said() {
        let line = standing(0, 0.0, None).line(120);
        assert!(
            line.starts_with("[> ") && line.ends_with("0.0 trials/min  time unknown"),
            "{line}"
        );
        let line = standing(230, 0.5, Some(0)).line(120);
        assert!(
            line.contains(&format!("[{}]", "=".repeat(WIDEST))),
            "{line}"
        );
        assert!(line.ends_with("30.0 trials/min  0:00 left"), "{line}");
        let times = [59, 754, 3723, u64::MAX].map(|s| clock(Duration::from_secs(s)));
        assert_eq!(times[..3], ["0:59", "12:34", "1:02:03"]);
        assert!(times[3].ends_with(" days"));
    }
}
