//! `emit`: kernels as files, for who builds and launches them by other means.

use std::{collections::BTreeSet, fs};

use backends::opencl::{Dialect, print};
use serde_json::Value;

use crate::program::{bytes, done, folder, json};

#[test]
fn kernels_of_an_artifact_are_written_in_other_languages() {
    let folder = folder("emit");
    done(
        &folder,
        "compile bert --target opencl --target opencl:gfx936 --dtype f16 --shape batch=1,seq=4 -o m.tw",
    );
    for (target, language, extension) in [
        ("opencl", "opencl", "cl"),
        ("opencl:gfx936", "hip", "hip"),
        ("opencl", "spirv", "spv"),
    ] {
        let line = format!("emit m.tw --target {target} --as {language} -o {language}");
        let said = json(&folder, &line);
        let launches: Value =
            serde_json::from_slice(&bytes(&folder, &format!("{language}/launches.json"))).unwrap();
        let kernels = launches["kernels"].as_array().unwrap();
        assert_eq!(said["kernels"], kernels.len());
        let files = fs::read_dir(folder.0.join(language)).unwrap();
        assert_eq!(files.count(), kernels.len() + 1);

        let mut symbols = BTreeSet::new();
        for kernel in kernels {
            let symbol = kernel["symbol"].as_str().unwrap();
            symbols.insert(symbol);
            assert_eq!(kernel["file"], format!("{symbol}.{extension}"));
            let code = bytes(&folder, &format!("{language}/{symbol}.{extension}"));
            match language {
                // SPIR-V specification, section 2.3: the magic number, then version 1.0.
                "spirv" => assert_eq!(code[..8], [3, 2, 0x23, 7, 0, 0, 1, 0]),
                _ => assert!(
                    String::from_utf8(code)
                        .unwrap()
                        .contains(&format!("void {symbol}("))
                ),
            }
            let threads = kernel["threads"].as_u64().unwrap();
            assert!(threads > 0 && kernel["blocks"].as_u64().unwrap() > 0);
        }
        for step in launches["programs"][0]["steps"].as_array().unwrap() {
            assert!(symbols.contains(step["kernel"].as_str().unwrap()));
        }
    }
    // The body of matrix instructions is the user's choice.
    let launches: Value = serde_json::from_slice(&bytes(&folder, "hip/launches.json")).unwrap();
    let kernels = launches["kernels"].as_array().unwrap();
    assert!(kernels.iter().any(|k| k["options"][0] == "-DTW_MATRIX=2"));
}

/// The text that the artifact carries for a driver is what `emit` prints.
#[test]
fn the_text_is_that_of_the_lane_program() {
    let folder = folder("emit-text");
    done(
        &folder,
        "compile bert --target opencl --shape batch=1,seq=4 -o m.tw",
    );
    done(&folder, "emit m.tw --target opencl --as opencl -o texts");
    let path = folder.0.join("m.tw");
    let artifact =
        tilewright::runtime::Artifact::open(&path, tilewright::runtime::WeightChecks::Skip)
            .unwrap();
    let code = &artifact.manifest().targets[0];
    for kernel in &code.kernels {
        let launch = kernel.launch.as_ref().unwrap();
        let carried = artifact.text(launch.source.unwrap()).unwrap();
        let written = bytes(&folder, &format!("texts/{}.cl", kernel.symbol));
        assert_eq!(carried.as_bytes(), written);
        let program = serde_json::from_str(artifact.text(launch.lane.unwrap()).unwrap()).unwrap();
        assert_eq!(print(&program, Dialect::OpenCl).unwrap(), carried);
    }
}
