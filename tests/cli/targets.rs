//! One artifact for many targets: what is listed of each, and what running it in the emulator adds.

use serde_json::{Value, json};

use crate::program::{done, folder, json};

const TARGETS: [&str; 6] = [
    "cpu",
    "cuda:sm_90a",
    "rocm:gfx942",
    "opencl",
    "opencl:gfx936",
    "ascend:910B3",
];

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().unwrap_or_else(|| panic!("{key}"))
}

/// The kernels of a target of an artifact.
fn kernels<'a>(artifact: &'a Value, target: &str) -> &'a [Value] {
    let mut targets = list(artifact, "targets").iter();
    let found = targets.find(|t| t["target"] == target);
    list(found.unwrap_or_else(|| panic!("{target}")), "kernels")
}

#[test]
fn many_targets_are_compiled_at_once_and_listed_with_their_evidence() {
    let folder = folder("many-targets");
    let asked: Vec<_> = TARGETS.map(|t| format!("--target {t}")).to_vec();
    // One that comes twice is compiled once.
    let line = format!(
        "compile bert {} --target opencl --shape batch=1,seq=5 --dtype f16 -o all.tw",
        asked.join(" ")
    );
    done(&folder, &line);
    let before = json(&folder, "inspect all.tw");
    let cpu = tilewright::target("cpu").unwrap().name;
    let names: Vec<_> = list(&before, "targets")
        .iter()
        .map(|t| &t["target"])
        .collect();
    let wanted = TARGETS.map(|t| if t == "cpu" { &cpu } else { t });
    assert_eq!(names, wanted);

    // What compiling shows: the assembler or linker, where there is one, and nothing beyond.
    for name in wanted {
        let tool = tilewright::accepts(&tilewright::target(name).unwrap());
        for kernel in kernels(&before, name) {
            let level = tool.as_ref().map(|_| "E1");
            assert_eq!(kernel["level"], json!(level), "{name}: {kernel}");
            assert_eq!(kernel["evidence"]["tool"], json!(tool), "{name}");
            assert!(list(kernel, "records").is_empty(), "{name}");
        }
    }
    let shown = done(&folder, "inspect all.tw");
    for words in [
        "E1 built: accepted by ld.lld 22.",
        " registers, 0 spilled, 0 bytes of scratch memory, ",
        "no evidence: text that no driver has compiled; see `tilewright verify`",
        "no evidence: text that the vendor's compiler has not seen here",
        " on H100 SXM (",
        " on H200 SXM (",
        " on Instinct MI300X (",
    ] {
        assert!(shown.contains(words), "{words}\n{shown}");
    }

    for target in ["cuda:sm_90a", "rocm:gfx942", "opencl:gfx936"] {
        let report = json(
            &folder,
            &format!("verify all.tw --device emulator:{target}"),
        );
        assert_eq!(report["failed"], 0, "{report}");
    }
    let after = json(&folder, "inspect all.tw --roofline cuda:h200");
    assert_eq!(after["identity"], before["identity"]);
    for target in ["cuda:sm_90a", "rocm:gfx942", "opencl:gfx936"] {
        for kernel in kernels(&after, target) {
            assert_eq!(kernel["level"], "E2", "{target}: {kernel}");
            let evidence = &kernel["evidence"];
            assert!(evidence["max_error"].as_f64() <= evidence["bound"].as_f64());
            assert_eq!(evidence["blocks"]["run"], evidence["blocks"]["of"]);
        }
    }
    for kernel in kernels(&after, "cuda:sm_90a") {
        let floors = list(kernel, "floors");
        assert_eq!(
            (floors.len(), &floors[0]["device"]),
            (1, &json!("cuda:h200"))
        );
        assert!(floors[0]["seconds"].as_f64() > Some(0.0), "{kernel}");
    }
    for kernel in kernels(&after, "ascend:910B3") {
        assert_eq!(kernel["level"], Value::Null);
    }
}

#[test]
fn times_are_kept_as_the_highest_evidence() {
    let folder = folder("timed");
    done(&folder, "compile bert --target cpu -o m.tw");
    done(&folder, "verify m.tw --time 3");
    let artifact = json(&folder, "inspect m.tw");
    for kernel in list(&artifact["targets"][0], "kernels") {
        let levels: Vec<_> = list(kernel, "records")
            .iter()
            .map(|r| &r["level"])
            .collect();
        assert_eq!(levels, ["E3", "E4"]);
        let times = &kernel["evidence"]["times"];
        assert_eq!(times["runs"], 3);
        assert!(times["min_s"].as_f64() <= times["median_s"].as_f64());
    }
    assert!(done(&folder, "inspect m.tw").contains("of 3 calls"));
}

#[test]
fn targets_are_listed_with_what_they_become_and_need() {
    let folder = folder("targets");
    let report = json(&folder, "targets");
    let shown = done(&folder, "targets");
    let readme = include_str!("../../README.md");
    for target in tilewright::targets() {
        let found = list(&report, "targets").iter();
        let mut found = found.filter(|t| t["target"] == target.name.as_str());
        let fields = found.next().unwrap_or_else(|| panic!("{}", target.name));
        // Some architectures have the name of another vendor's, too.
        let is_text = fields["code"] == "OpenCL C 1.2";
        assert_eq!(is_text, target.name.starts_with("opencl"), "{fields}");
        for key in ["form", "code", "needs"] {
            assert!(fields[key].is_string(), "{}: {key}", target.name);
        }
        assert!(
            shown.contains(&format!("  {} ", target.name)),
            "{}",
            target.name
        );
        // The README's table names every target that is no processor and no die of a product, by what stands behind the colon.
        let short = target.name.split(':').next_back().unwrap();
        let is_listed =
            readme.contains(&format!("`{short}`")) || readme.contains(&format!(":{short}`"));
        let is_one_of_many = target.simd().is_some() || short.starts_with("910_");
        assert!(is_listed || is_one_of_many, "README.md: {}", target.name);
    }
}
