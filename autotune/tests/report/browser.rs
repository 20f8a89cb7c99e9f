//! Headless Chromium, as set-up brings it: what a page is once its script ran, what the console said, and a picture.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::picture::Picture;

/// What a browser made of a page.
pub struct Shown {
    /// The document, after scripts.
    pub document: String,
    /// Lines of the console.
    pub console: Vec<String>,
    /// What one sees.
    pub picture: Picture,
}

/// How a page is opened.
#[derive(Clone, Copy)]
pub struct View {
    pub width: u32,
    pub height: u32,
    pub is_dark: bool,
}

/// Opens a page that lies in `folder`. None, and a word about it, without the browser.
pub fn open(folder: &Path, name: &str, page: &str, view: View) -> Option<Shown> {
    let place = Path::new(env!("CARGO_MANIFEST_DIR"));
    // The crate's folder is the workspace's, or in it.
    let mut roots = place.ancestors().take(2);
    let root = roots.find_map(|r| {
        let unpacked = r.join(".toolchain/chromium");
        unpacked.exists().then_some(unpacked)
    });
    let Some(root) = root else {
        println!("skipped: no browser; `cargo xtask setup` brings it");
        return None;
    };
    let file = folder.join(format!("{name}.html"));
    fs::write(&file, page).unwrap();
    let picture = file.with_extension("png");
    let View {
        width,
        height,
        is_dark,
    } = view;
    let mut command = Command::new(root.join("usr/lib/chromium/chromium-headless-shell"));
    command
        .args([
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            "--enable-logging=stderr",
            "--dump-dom",
        ])
        .arg(format!(
            "--blink-settings=preferredColorScheme={}",
            if is_dark { 0 } else { 1 }
        ))
        .arg(format!(
            "--user-data-dir={}",
            folder.join(format!("{name}.profile")).display()
        ))
        .arg(format!("--window-size={width},{height}"))
        .arg(format!("--screenshot={}", picture.display()))
        .arg(format!("file://{}", file.display()))
        .env("FONTCONFIG_FILE", root.join("fonts.conf"))
        .env("XDG_CACHE_HOME", folder.join("cache"));
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    let bytes = fs::read(&picture).unwrap_or_else(|e| panic!("no picture: {e}\n{said}"));
    Some(Shown {
        document: String::from_utf8(output.stdout).unwrap(),
        console: said
            .lines()
            .filter(|l| l.contains(":CONSOLE:"))
            .map(str::to_owned)
            .collect(),
        picture: Picture::of(&bytes),
    })
}

/// A folder of its own in the build folder.
pub fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("report-{name}"));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

impl Shown {
    /// How many elements begin with `start`, such as `<circle class="ok"`.
    pub fn count(&self, start: &str) -> usize {
        self.document.matches(start).count()
    }
}
