//! Headless Chromium, in which tests open the pages that this project makes; from Debian's packages under
//! `.toolchain/chromium`, with the libraries and the fonts that a bare machine lacks.
//!
//! Debian replaces the packages with each security update and keeps no old ones, so what apt's signatures vouch for is
//! taken, whichever version it is.

use std::fs;

use crate::{
    error::Error,
    root::Root,
    setup::{apt, fresh, libraries, remove_if_there, replace},
};

/// The browser, what it links beyond what every Debian has, and one family of fonts.
const PACKAGES: &[&str] = &[
    "chromium-headless-shell",
    "chromium-common",
    "fonts-dejavu-core",
    "libasound2",
    "libasyncns0",
    "libatk1.0-0",
    "libatspi2.0-0",
    "libblkid1",
    "libbrotli1",
    "libbsd0",
    "libdav1d6",
    "libdbus-1-3",
    "libdouble-conversion3",
    "libdrm2",
    "libexpat1",
    "libffi8",
    "libflac12",
    "libfontconfig1",
    "libfreetype6",
    "libgbm1",
    "libglib2.0-0",
    "libgraphite2-3",
    "libharfbuzz-subset0",
    "libharfbuzz0b",
    "libjpeg62-turbo",
    "liblcms2-2",
    "libmd0",
    "libminizip1",
    "libmount1",
    "libmp3lame0",
    "libmpg123-0",
    "libnspr4",
    "libnss3",
    "libogg0",
    "libopenh264-7",
    "libopenjp2-7",
    "libopus0",
    "libpcre2-8-0",
    "libpng16-16",
    "libpulse0",
    "libsndfile1",
    "libsqlite3-0",
    "libvorbis0a",
    "libvorbisenc2",
    "libwayland-server0",
    "libx11-6",
    "libx11-xcb1",
    "libxau6",
    "libxcb1",
    "libxcomposite1",
    "libxdamage1",
    "libxdmcp6",
    "libxext6",
    "libxfixes3",
    "libxi6",
    "libxkbcommon0",
    "libxnvctrl0",
    "libxrandr2",
    "libxrender1",
    "patchelf",
];

/// What is of no use here: drivers of GPUs and their checks, the reporter of crashes, documents.
const DROPPED: &[&str] = &[
    "usr/lib/chromium/libVkLayer_khronos_validation.so",
    "usr/lib/chromium/libVkICD_mock_icd.so",
    "usr/lib/chromium/chrome_crashpad_handler",
    "usr/share/doc",
    "usr/share/man",
    "usr/share/icons",
    "usr/share/X11",
    "usr/share/alsa",
    "lib/systemd",
    "etc",
];

/// Fonts of the packages alone, whatever the machine has: a page looks the same everywhere.
const FONTS: &str = r#"<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir prefix="relative">usr/share/fonts/truetype/dejavu</dir>
  <cachedir prefix="xdg">fontconfig</cachedir>
  <alias><family>sans-serif</family><prefer><family>DejaVu Sans</family></prefer></alias>
  <alias><family>serif</family><prefer><family>DejaVu Serif</family></prefer></alias>
  <alias><family>monospace</family><prefer><family>DejaVu Sans Mono</family></prefer></alias>
</fontconfig>
"#;

/// What the stamp records.
pub fn pins() -> String {
    format!("{PACKAGES:?} {DROPPED:?} {FONTS}")
}

/// Fetches, unpacks, completes, and moves into place.
pub fn unpack(root: &Root) -> Result<(), Error> {
    let partial = root.toolchain("chromium.partial");
    fresh(&partial)?;
    apt::unpack(root, PACKAGES, &partial)?;
    for path in DROPPED {
        let path = partial.join(path);
        if path.is_dir() {
            remove_if_there(&path)?;
        } else if path.exists() {
            fs::remove_file(&path).map_err(Error::file("remove", &path))?;
        }
    }
    let place = partial.join(libraries::PLACE);
    // Debian keeps some libraries below lib/, and a part of sound's in a folder of its own.
    for folder in [
        "lib/x86_64-linux-gnu",
        "usr/lib/x86_64-linux-gnu/pulseaudio",
    ] {
        libraries::gather(&partial.join(folder), &place)?;
    }
    libraries::set_run_paths(
        &partial,
        &[
            ("", "$ORIGIN"),
            ("../chromium", "$ORIGIN:$ORIGIN/../x86_64-linux-gnu"),
        ],
    )?;
    let fonts = partial.join("fonts.conf");
    fs::write(&fonts, FONTS).map_err(Error::file("write", &fonts))?;
    replace(&partial, &root.toolchain("chromium"))
}
