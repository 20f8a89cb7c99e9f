//! What an import may take, at most, over the bytes of the files it reads.

use std::{env, fs, path::Path, process::Command};

use serde_json::json;
use tilewright::import;

use crate::folder::Folder;

/// Set for a child, of which an import is all it does, so that its peak is the import's.
const CHILD: &str = "TILEWRIGHT_TEST_IMPORT";
/// Bytes that any import may take, besides what it reads.
const FREE: usize = 4 << 20;

/// A number of `/proc/self/status`, in bytes.
fn status(key: &str) -> usize {
    let text = fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find(|l| l.starts_with(key)).unwrap();
    line.split_whitespace()
        .nth(1)
        .unwrap()
        .parse::<usize>()
        .unwrap()
        << 10
}

/// Bytes that an import of `folder` takes, in a process of its own, and how it ends.
fn measure(folder: &Folder) -> (usize, String) {
    let mut child = Command::new(env::current_exe().unwrap());
    child.args([
        "--exact",
        "memory::memory_is_bounded_by_the_bytes_read",
        "--nocapture",
    ]);
    let output = child.env(CHILD, &folder.0).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let line = text
        .lines()
        .find_map(|l| l.strip_prefix("taken: "))
        .unwrap();
    let (taken, outcome) = line.split_once(' ').unwrap();
    (taken.parse().unwrap(), outcome.to_owned())
}

/// Imports `folder` and says what `measure` reads.
fn import_and_say(folder: &Path) {
    let before = status("VmRSS");
    let outcome = match import::load(folder) {
        Ok(_) => "no error".to_owned(),
        Err(e) => e.to_string(),
    };
    println!("\ntaken: {} {outcome}", status("VmHWM") - before);
}

/// Fails if an import of `folder`, of whose files `size` bytes are read, takes more than `times` as many.
#[track_caller]
fn check(folder: &Folder, size: usize, times: usize, wanted: &str) {
    let (taken, outcome) = measure(folder);
    println!("{:5.1} times {size} bytes", taken as f64 / size as f64);
    assert!(outcome.ends_with(wanted), "{outcome}");
    assert!(taken <= times * size + FREE, "{taken} bytes for {size}");
}

/// `item` as often as it fits into `size` bytes, with its number for `#`, between `open` and `close`.
fn repeat(open: &str, item: &str, close: &str, size: usize) -> Vec<u8> {
    let mut text = open.to_owned();
    for i in 0.. {
        let next = item.replace('#', &i.to_string());
        if text.len() + next.len() + close.len() > size {
            break;
        }
        text.push_str(&next);
    }
    text.pop();
    text.push_str(close);
    text.into_bytes()
}

#[test]
fn memory_is_bounded_by_the_bytes_read() {
    if let Some(folder) = env::var_os(CHILD) {
        return import_and_say(folder.as_ref());
    }
    let size = 1 << 20;
    let deep = format!("{}0{},", "{\"\":".repeat(100), "}".repeat(100));
    for item in ["0,", "[0],", "{\"\":0},", &deep] {
        let folder = Folder::copy("bert");
        fs::write(
            folder.0.join("config.json"),
            repeat("{\"a\":[", item, "]}", size),
        )
        .unwrap();
        check(&folder, size, 160, "glm, glm4, found nothing");
    }

    let size = 2 << 20;
    let item = r##""#":{"dtype":"I8","shape":[],"data_offsets":[0,0]},"##;
    let header = repeat("{", item, "}", size);
    let folder = Folder::copy("bert");
    let file = [&(header.len() as u64).to_le_bytes()[..], &header].concat();
    fs::write(folder.0.join("model.safetensors"), file).unwrap();
    check(
        &folder,
        size,
        16,
        "tensor `0`: I8 of shape [] takes 1, found 0 bytes",
    );

    let folder = Folder::copy("llama");
    let index = repeat(r#"{"weight_map":{"#, r##""#":"x","##, "}}", size);
    fs::write(folder.0.join("model.safetensors.index.json"), index).unwrap();
    check(
        &folder,
        size,
        32,
        "wanted the name of a .safetensors file beside it, found `x`",
    );
}

#[test]
fn graphs_are_bounded_by_the_limits_on_sizes() {
    let folder = Folder::copy("glm4");
    folder.edit_json("config.json", |c| {
        drop(c.insert("num_hidden_layers".into(), json!(1024)))
    });
    let graph = import::graph_only(&folder.0).unwrap();
    assert!(graph.nodes().len() < 60_000);
    folder.edit_json("config.json", |c| {
        drop(c.insert("num_hidden_layers".into(), json!(1025)))
    });
    let error = import::graph_only(&folder.0).unwrap_err().to_string();
    assert!(error.ends_with("`num_hidden_layers`: wanted an integer from 1 to 1024, found 1025"));

    let folder = Folder::copy("mixtral");
    for (layers, experts) in [(1024, 128), (32, 4096)] {
        folder.edit_json("config.json", |c| {
            c.insert("num_hidden_layers".into(), json!(layers));
            c.insert("num_local_experts".into(), json!(experts));
        });
        let graph = import::graph_only(&folder.0).unwrap();
        assert!(graph.nodes().len() < 1_000_000);
        folder.edit_json("config.json", |c| {
            drop(c.insert("num_local_experts".into(), json!(experts + 1)))
        });
        let error = import::graph_only(&folder.0).unwrap_err().to_string();
        let wanted = format!(
            "wanted an integer from 1 to {experts}, found {}",
            experts + 1
        );
        assert!(error.ends_with(&wanted), "{error}");
    }
}
