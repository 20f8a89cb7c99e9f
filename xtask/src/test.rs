//! `cargo xtask test`: everything, with a count at the end.

use std::{
    io::{BufRead, BufReader},
    process::Stdio,
};

use crate::{error::Error, root::Root, setup};

/// What libtest and our own tests said.
#[derive(Default)]
struct Tally {
    passed: usize,
    ignored: usize,
    failed: Vec<String>,
    /// Reasons, as tests print them: a line `skipped: reason`.
    skipped: Vec<String>,
    /// Inside a `successes:` list of names, which `test NAME ... ok` has told already.
    in_names: bool,
}

/// Sets up, runs `cargo test --workspace` (or what the arguments select), and counts.
pub fn run(root: &Root, arguments: &[String]) -> Result<(), Error> {
    setup::run(root)?;
    let mut command = root.cargo();
    command.args(["test", "--no-fail-fast"]);
    if !arguments
        .iter()
        .any(|word| word == "-p" || word == "--package")
    {
        command.arg("--workspace");
    }
    // What passing tests print is shown too: counts of rules, reasons of skips.
    command.args(arguments).args(["--", "--show-output"]);
    command.stdout(Stdio::piped());
    let mut child = command.spawn().map_err(Error::file("start", "cargo"))?;
    let output = child.stdout.take().expect("stdout was asked to be a pipe");
    let mut tally = Tally::default();
    for line in BufReader::new(output).lines() {
        let line = line.map_err(Error::file("read the output of", "cargo test"))?;
        if tally.note(&line) {
            println!("{line}");
        }
    }
    let status = child
        .wait()
        .map_err(Error::file("wait for", "cargo test"))?;
    tally.print();
    if status.success() && tally.failed.is_empty() {
        return Ok(());
    }
    Err(Error::TestsFailed {
        names: tally.failed.join(", "),
    })
}

impl Tally {
    /// Takes in one line; false if it is not worth showing.
    fn note(&mut self, line: &str) -> bool {
        if let Some(name) = line
            .strip_prefix("test ")
            .and_then(|l| l.strip_suffix("... FAILED"))
        {
            self.failed.push(name.trim().into());
        }
        if let Some(reason) = line.strip_prefix("skipped: ") {
            self.skipped.push(reason.into());
        }
        if let Some(counts) = line.strip_prefix("test result: ") {
            self.passed += count_before(counts, " passed");
            self.ignored += count_before(counts, " ignored");
        }
        if line == "successes:" {
            self.in_names = true;
            return false;
        }
        self.in_names &= line.is_empty() || line.starts_with("    ");
        !self.in_names && !line.is_empty()
    }

    fn print(&self) {
        println!(
            "\n{} tests ran: {} passed, {} failed; {} skipped, {} ignored",
            self.passed + self.failed.len(),
            self.passed,
            self.failed.len(),
            self.skipped.len(),
            self.ignored,
        );
        for reason in &self.skipped {
            println!("  skipped: {reason}");
        }
    }
}

/// The number that stands before `word`.
fn count_before(text: &str, word: &str) -> usize {
    let before = text.split(word).next().unwrap_or_default();
    before
        .rsplit(' ')
        .next()
        .and_then(|number| number.parse().ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::Tally;

    #[test]
    fn counts_what_libtest_says() {
        let mut tally = Tally::default();
        let text = "running 3 tests\ntest a ... ok\ntest b ... FAILED\n\nsuccesses:\n\n\
                    ---- a stdout ----\nskipped: no GPU here\n\nsuccesses:\n    a\n\n\
                    test result: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured; finished";
        let shown: Vec<&str> = text.lines().filter(|line| tally.note(line)).collect();
        assert_eq!((tally.passed, tally.ignored), (1, 1));
        assert_eq!(
            (tally.failed, tally.skipped),
            (vec!["b".into()], vec!["no GPU here".into()])
        );
        assert!(!shown.contains(&"    a") && shown.contains(&"skipped: no GPU here"));
    }
}
