//! The C interface: its header, and a C program on it.

mod support;

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use support::*;
use tempfile::tempdir;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .into()
}

#[test]
fn the_header_is_that_of_the_source() {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = cbindgen::Config::from_file(own.join("cbindgen.toml")).unwrap();
    let mut made = Vec::new();
    cbindgen::Builder::new()
        .with_config(config)
        .with_src(own.join("src/capi.rs"))
        .generate()
        .unwrap()
        .write(&mut made);
    let (header, made) = (
        own.join("include/tilewright.h"),
        String::from_utf8(made).unwrap(),
    );
    if std::env::var_os("TILEWRIGHT_BLESS").is_some() {
        std::fs::create_dir_all(header.parent().unwrap()).unwrap();
        std::fs::write(&header, &made).unwrap();
    }
    let committed = std::fs::read_to_string(&header).unwrap_or_default();
    assert!(
        committed == made,
        "include/tilewright.h is not what TILEWRIGHT_BLESS=1 would write"
    );
}

/// Compiles `examples/embed.c` against the library that cargo has just built beside this test.
fn embed(folder: &Path) -> PathBuf {
    let program = folder.join("embed");
    let libraries = std::env::current_exe()
        .unwrap()
        .parent()
        .unwrap()
        .to_path_buf();
    let status = Command::new("cc")
        .args(["-std=c99", "-Wall", "-Wextra", "-Werror", "-O1", "-o"])
        .arg(&program)
        .arg(root().join("examples/embed.c"))
        .arg("-I")
        .arg(root().join("runtime/include"))
        .arg("-L")
        .arg(&libraries)
        .args(["-ltilewright_runtime", "-lm"])
        .arg(format!("-Wl,-rpath,{}", libraries.display()))
        .status()
        .unwrap();
    assert!(status.success());
    program
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).to_string() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn a_c_program_embeds() {
    let folder = tempdir().unwrap();
    let artifact = artifact_with(folder.path(), &[4], |m| {
        m.inputs[0].name = "input_ids".into();
        m.outputs[0].name = "sentence_embedding".into();
    });
    let program = embed(folder.path());
    let run = |args: &[&str]| Command::new(&program).args(args).output().unwrap();
    let path = artifact.to_str().unwrap();

    let row = &expected(&[3], &[1])[..16];
    let norm = row
        .iter()
        .map(|v| f64::from(*v).powi(2))
        .sum::<f64>()
        .sqrt();
    let wanted = format!(
        "sentence_embedding: norm {norm:.6}, first values {:.6} {:.6} {:.6} {:.6}\n",
        row[0], row[1], row[2], row[3]
    );
    assert_eq!(text(&run(&[path, "3", "4"])), wanted);

    for (args, wanted) in [
        (&[path, "3", "50"][..], "the value at [0, 1] is 50"),
        (&[path, "1", "2", "3", "4", "5"], "at most 4"),
        (&["/nowhere.tw", "1"], "load: /nowhere.tw"),
    ] {
        let output = run(args);
        assert_eq!(output.status.code(), Some(1));
        assert!(text(&output).contains(wanted), "{}", text(&output));
    }
}

#[test]
#[allow(unsafe_code, reason = "what is tested takes pointers")]
fn null_is_an_error() {
    use std::{ffi::CStr, ptr::null, ptr::null_mut};
    use tilewright_runtime::capi::*;

    // SAFETY: every function takes null; the error is a string.
    unsafe {
        let error = || {
            CStr::from_ptr(tw_last_error())
                .to_str()
                .unwrap()
                .to_string()
        };
        assert!(tw_load(null(), 0).is_null());
        assert_eq!(error(), "the path is null");
        tw_free(null_mut());
        assert_eq!((tw_input_count(null()), tw_output_count(null())), (0, 0));
        assert!(tw_input_name(null(), 0).is_null() && tw_output_name(null(), 0).is_null());
        assert!(tw_input_shape(null(), 0).is_null() && tw_output_shape(null(), 0).is_null());
        assert_eq!(
            (tw_input_rank(null(), 0), tw_output_rank(null(), 0)),
            (0, 0)
        );
        assert_eq!(tw_input_dtype(null(), 0), tw_dtype::TW_NONE);
        assert_eq!(tw_output_dtype(null(), 0), tw_dtype::TW_NONE);
        assert!(tw_output_data(null(), 0).is_null());
        assert_eq!(tw_set_input(null_mut(), null(), 1, null(), 0, null()), -1);
        assert_eq!(tw_run(null_mut()), -1);
        assert_eq!(error(), "the model is null");

        let folder = tempdir().unwrap();
        let path = artifact(folder.path(), &[2]);
        let path = std::ffi::CString::new(path.to_str().unwrap()).unwrap();
        let model = tw_load(path.as_ptr(), 1);
        assert!(!model.is_null(), "{}", error());
        assert!(tw_input_name(model, 2).is_null());
        for (name, dtype, shape, data, wanted) in [
            (null(), 7, null(), null(), "the name is null"),
            (
                c"ids".as_ptr(),
                99,
                null(),
                null(),
                "the element type is none of tw_dtype",
            ),
            (c"ids".as_ptr(), 7, null(), null(), "the shape is null"),
            (
                c"ids".as_ptr(),
                7,
                [1_usize, 2].as_ptr(),
                null(),
                "the data is null",
            ),
            (
                c"ids".as_ptr(),
                7,
                [usize::MAX, 2].as_ptr(),
                null(),
                "the shape is too large",
            ),
        ] {
            assert_eq!(tw_set_input(model, name, dtype, shape, 2, data), -1);
            assert_eq!(error(), wanted);
        }
        assert_eq!(tw_run(model), -1);
        assert_eq!(error(), "input `ids`: not given; wanted i64[1,2]");
        tw_free(model);
        assert!(tw_load_program(path.as_ptr(), 1, 1).is_null());
        assert!(error().contains("no program for position 1"), "{}", error());
    }
}
