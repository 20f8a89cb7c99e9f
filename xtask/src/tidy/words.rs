//! What lines of text must not say.

use crate::{
    error::Error,
    root::Root,
    tidy::files::{self, TextFile},
};

/// Folders that exist on one machine only, in halves so that this file does not name them.
const MACHINE_FOLDERS: [(&str, &str); 4] = [
    ("/wo", "rk/"),
    ("/ro", "ot/"),
    ("/ho", "me/"),
    ("/tm", "p/"),
];

/// Words that promise work instead of doing it, in halves likewise.
const UNFINISHED: [(&str, &str); 6] = [
    ("todo", "!("),
    ("unimplemented", "!("),
    ("FIX", "ME"),
    ("dbg", "!("),
    ("#[ign", "ore"),
    ("thread::sl", "eep"),
];

/// What stands before a module of tests.
const TESTS: &str = "#[cfg(test)]\nmod ";

/// Absolute paths of the machine someone worked on.
pub fn machine_paths(root: &Root) -> Result<Vec<String>, Error> {
    let words: Vec<String> = MACHINE_FOLDERS
        .iter()
        .map(|(a, b)| format!("{a}{b}"))
        .collect();
    Ok(lines(&files::all(root)?, |_, line| {
        words
            .iter()
            .find(|word| starts_path(line, word))
            .map(|word| {
                format!("{word} is a folder of one machine; take a relative path or an argument")
            })
    }))
}

/// Whether `word` begins a path in `line`, rather than going on with one.
fn starts_path(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || "._-}*>/)".contains(c))
    })
}

/// Placeholders, tests that do not run, and waiting by the clock.
pub fn unfinished(root: &Root) -> Result<Vec<String>, Error> {
    let words: Vec<String> = UNFINISHED.iter().map(|(a, b)| format!("{a}{b}")).collect();
    Ok(lines(&files::rust(root)?, |_, line| {
        words
            .iter()
            .find(|word| line.contains(*word))
            .map(|word| format!("{word} has no place"))
    }))
}

/// `unwrap()` in code that ships: the part of a `src/` file before its tests.
pub fn unwraps(root: &Root) -> Result<Vec<String>, Error> {
    let all = files::rust(root)?;
    let tests: Vec<String> = all.iter().flat_map(test_modules).collect();
    let files: Vec<TextFile> = all
        .into_iter()
        .filter(|file| file.path.contains("src/"))
        .filter(|file| !tests.iter().any(|module| is_of(&file.path, module)))
        .map(|file| TextFile {
            text: before_tests(&file.text).into(),
            path: file.path,
        })
        .collect();
    let call = concat!(".unw", "rap()");
    Ok(lines(&files, |_, line| {
        (line.contains(call) && !line.trim_start().starts_with("//"))
            .then(|| "unwrap in code that ships; return an error, or expect the invariant".into())
    }))
}

/// The part of a file before its own tests.
fn before_tests(text: &str) -> &str {
    let tests = text.match_indices(TESTS).find(|(at, _)| {
        let declaration = text[at + TESTS.len()..].lines().next().unwrap_or_default();
        declaration.ends_with('{')
    });
    tests.map_or(text, |(at, _)| &text[..at])
}

/// Modules of their own file that a file declares for tests only: their paths with no ending.
fn test_modules(file: &TextFile) -> Vec<String> {
    let place = file.path.trim_end_matches(".rs");
    let folder = ["/mod", "/lib", "/main"]
        .iter()
        .find_map(|name| place.strip_suffix(name))
        .unwrap_or(place);
    let after = file.text.split(TESTS).skip(1);
    after
        .filter_map(|rest| rest.lines().next()?.trim().strip_suffix(';'))
        .map(|name| format!("{folder}/{name}"))
        .collect()
}

/// Whether a path is of this module.
fn is_of(path: &str, module: &str) -> bool {
    path.strip_prefix(module)
        .is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
}

/// `unsafe` blocks and impls with no `SAFETY:` close above.
pub fn unexplained_unsafe(root: &Root) -> Result<Vec<String>, Error> {
    const WITHIN: usize = 8;
    let starts = [concat!("uns", "afe {"), concat!("uns", "afe impl")];
    Ok(lines(&files::rust(root)?, |file, line| {
        let opens = starts.iter().any(|start| line.contains(start));
        let comment = line.trim_start().starts_with("//");
        if !opens || comment {
            return None;
        }
        let at = line.as_ptr() as usize - file.text.as_ptr() as usize;
        let end = file.text[at..]
            .find('\n')
            .map_or(file.text.len(), |length| at + length);
        let explained = file.text[..end]
            .lines()
            .rev()
            .take(WITHIN)
            .any(|line| line.contains("SAFETY:"));
        (!explained).then(|| "say in a `// SAFETY:` comment why it holds".into())
    }))
}

/// `path:line: what` for every line that the judge objects to.
fn lines<'a>(
    files: &'a [TextFile],
    judge: impl Fn(&'a TextFile, &'a str) -> Option<String>,
) -> Vec<String> {
    let mut debts = Vec::new();
    for file in files {
        for (index, line) in file.text.lines().enumerate() {
            if let Some(what) = judge(file, line) {
                debts.push(format!("{}:{}: {what}", file.path, index + 1));
            }
        }
    }
    debts
}

#[cfg(test)]
mod tests {
    use super::{TextFile, before_tests, is_of, starts_path, test_modules};

    #[test]
    fn tests_are_told_from_what_ships() {
        let text = "fn a() {}\n\n#[cfg(test)]\nmod agree;\n\n#[cfg(test)]\nmod tests {\n}\n";
        assert!(before_tests(text).ends_with("mod agree;\n\n"));
        let file = TextFile {
            path: "ir/src/eval/mod.rs".into(),
            text: text.into(),
        };
        let modules = test_modules(&file);
        assert_eq!(modules, ["ir/src/eval/agree"]);
        assert!(is_of("ir/src/eval/agree.rs", &modules[0]));
        assert!(!is_of("ir/src/eval/agreement.rs", &modules[0]));
    }

    #[test]
    fn a_path_from_the_root_is_told_from_one_that_goes_on() {
        let word = concat!("/wo", "rk/");
        assert!(starts_path(&format!("cd {word}x"), word));
        assert!(starts_path(&format!("\"{word}x\""), word));
        assert!(!starts_path(&format!("target{word}x"), word));
        assert!(!starts_path(&format!("{{root}}{word}x"), word));
    }
}
