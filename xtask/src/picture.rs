//! `cargo xtask picture`: what a browser shows of a page, as a file.

use std::{fs, path::Path, process::Command};

use crate::{error::Error, process, root::Root, setup};

/// Columns and rows of the picture.
const SIZE: &str = "1280,2900";

/// Opens a page in the browser that set-up brings, and writes a PNG.
pub fn run(root: &Root, arguments: &[String]) -> Result<(), Error> {
    let [page, picture] = arguments else {
        return Err(Error::Usage {
            wanted: "a page and the name of a picture: picture PAGE.html OUT.png".into(),
        });
    };
    setup::run(root)?;
    let page = fs::canonicalize(page).map_err(Error::file("open", page))?;
    let chromium = root.toolchain("chromium");
    let profile = root.toolchain("cache/chromium");
    process::output(
        Command::new(chromium.join("usr/lib/chromium/chromium-headless-shell"))
            .args(["--no-sandbox", "--disable-gpu", "--hide-scrollbars"])
            .arg(format!("--user-data-dir={}", profile.display()))
            .arg(format!("--window-size={SIZE}"))
            .arg(format!("--screenshot={picture}"))
            .arg(format!("file://{}", page.display()))
            .env("FONTCONFIG_FILE", chromium.join("fonts.conf")),
    )?;
    let bytes = fs::metadata(Path::new(picture))
        .map_err(Error::file("read", picture))?
        .len();
    println!("{picture}: {} kB", bytes / 1000);
    Ok(())
}
