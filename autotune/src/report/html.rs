//! Texts and numbers as HTML and SVG. Whatever a name holds, it stays text.

use std::fmt::{self, Display};

/// A text inside an element or a quoted attribute.
pub struct Text<'a>(pub &'a str);

impl Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                '\n' | '\t' => f.write_str(" ")?,
                // Controls have no place in HTML, and marks of direction would reach beyond the text.
                c if c.is_control() || is_directional(c) => f.write_str("\u{fffd}")?,
                c => write!(f, "{c}")?,
            }
        }
        Ok(())
    }
}

const fn is_directional(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A coordinate, to a tenth of a pixel.
pub struct At(pub f64);

impl Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // No minus before a zero.
        let tenths = (self.0 * 10.0).round() + 0.0;
        write!(f, "{}", tenths / 10.0)
    }
}

/// A number of three digits.
pub fn digits(x: f64) -> String {
    if !x.is_finite() {
        return "–".into();
    }
    let decimals = match x.abs() {
        a if a >= 99.95 => 0,
        a if a >= 9.995 => 1,
        _ => 2,
    };
    format!("{x:.decimals$}")
}

/// A time in the unit that suits it.
pub fn time(seconds: Option<f64>) -> String {
    let Some(s) = seconds.filter(|s| s.is_finite()) else {
        return "–".into();
    };
    scaled(s, &[(1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns")])
}

/// Operations per second.
pub fn rate(flops_per_second: f64) -> String {
    scaled(
        flops_per_second,
        &[
            (1e15, "PFLOP/s"),
            (1e12, "TFLOP/s"),
            (1e9, "GFLOP/s"),
            (1e6, "MFLOP/s"),
            (1e3, "kFLOP/s"),
            (1.0, "FLOP/s"),
        ],
    )
}

/// Bytes per second.
pub fn bandwidth(bytes_per_second: f64) -> String {
    scaled(
        bytes_per_second,
        &[(1e12, "TB/s"), (1e9, "GB/s"), (1e6, "MB/s"), (1.0, "B/s")],
    )
}

/// Units from the largest to the smallest, which takes what is smaller still.
fn scaled(x: f64, units: &[(f64, &str)]) -> String {
    // What rounds up to the next unit is shown in it.
    let fits = |(unit, _): &&(f64, &str)| x.abs() >= 0.9995 * unit;
    let (unit, name) = units
        .iter()
        .find(fits)
        .or(units.last())
        .expect("there are units");
    format!("{}\u{a0}{name}", digits(x / unit))
}

/// A part of a whole, in percent.
pub fn percent(part: f64) -> String {
    if !part.is_finite() {
        return "–".into();
    }
    format!("{:.1}\u{a0}%", 100.0 * part)
}

/// How many times as fast, by the ratio of times.
pub fn speedup(ratio: f64) -> String {
    let faster = 1.0 / ratio;
    if !faster.is_finite() {
        return "–".into();
    }
    format!("{faster:.2}×")
}

/// `1 trial`, `2 trials`, `12,345 trials`
pub fn count(n: usize, what: &str) -> String {
    let plural = if n == 1 { "" } else { "s" };
    format!("{} {what}{plural}", grouped(n as u64))
}

/// Digits in groups of three.
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(c);
    }
    text
}

/// At most so many characters, the last of which says that there were more.
pub fn short(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.into();
    }
    let mut cut: String = text.chars().take(most.saturating_sub(1)).collect();
    cut.push('…');
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_stay_texts() {
        let hostile = "<script>alert(\"1\" & '2')</script>\u{202e}\u{0}\n";
        assert_eq!(
            Text(hostile).to_string(),
            "&lt;script&gt;alert(&quot;1&quot; &amp; &#39;2&#39;)&lt;/script&gt;\u{fffd}\u{fffd} "
        );
    }

    #[test]
    fn numbers_have_three_digits_and_a_unit() {
        let times = [1.0, 0.9999, 1.234e-3, 56.78e-6, 999.96e-6, 3e-9, 1e-12];
        let shown: Vec<_> = times.iter().map(|t| time(Some(*t))).collect();
        let wanted = [
            "1.00 s", "1.00 s", "1.23 ms", "56.8 µs", "1.00 ms", "3.00 ns", "0.00 ns",
        ];
        assert_eq!(shown, wanted.map(|w| w.replace(' ', "\u{a0}")));
        assert_eq!([time(None), time(Some(f64::NAN))], ["–", "–"]);
        assert_eq!(rate(1.5e12), "1.50\u{a0}TFLOP/s");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(
            [grouped(0), grouped(999), grouped(1000)],
            ["0", "999", "1,000"]
        );
        assert_eq!([At(-0.01).to_string(), At(2.04).to_string()], ["0", "2"]);
        assert_eq!([short("abc", 3), short("abcd", 3)], ["abc", "ab…"]);
        assert_eq!(
            [speedup(0.8), speedup(0.0), speedup(f64::NAN)],
            ["1.25×", "–", "–"]
        );
    }
}
