//! `targets`: what models can be compiled for.

use ir::{Form, Target};
use serde_json::{Value, json};
use tilewright::runtime::cli::Report;

/// Lists all targets by the kind of their code, and which of them `cpu` is here.
pub fn targets() -> Report {
    let here = tilewright::target("cpu");
    let mut text = String::new();
    let mut all = Vec::new();
    let mut last = None;
    let mut accepted_by = None;
    for target in tilewright::targets() {
        let kind = tilewright::code_kind(&target);
        if last.replace(kind) != Some(kind) {
            accepted_by = tilewright::accepts(&target);
            let tool = accepted_by.as_ref();
            let tool = tool.map_or_else(String::new, |tool| format!(", taken by {tool} here"));
            text += &format!("{}{tool}; needs {}\n", kind.code, kind.needs);
        }
        let (words, mut fields) = describe(&target);
        let devices = tilewright::devices().into_iter();
        let devices: Vec<_> = devices
            .filter(|d| d.target == target.name)
            .map(|d| d.name)
            .collect();
        text += &format!("  {:20} {words}\n", target.name);
        fields["code"] = kind.code.into();
        fields["needs"] = kind.needs.into();
        fields["accepted_by"] = json!(accepted_by);
        fields["devices"] = json!(devices);
        all.push(fields);
    }
    text += &match &here {
        Ok(target) => format!("cpu is {} on this machine\n", target.name),
        Err(e) => format!("{e}\n"),
    };
    Report {
        text,
        json: json!({ "targets": all, "cpu": here.ok().map(|t| t.name) }),
        passed: true,
    }
}

/// What a target is, for people and for programs.
fn describe(target: &Target) -> (String, Value) {
    match &target.form {
        Form::Simd(simd) => (
            format!(
                "{} bytes a vector; needs {}",
                simd.vector.0,
                simd.requires.join(", ")
            ),
            json!({
                "target": target.name, "form": "simd", "processor": simd.processor, "triple": simd.triple,
                "requires": simd.requires, "vector_bytes": simd.vector.0,
            }),
        ),
        Form::Simt(simt) => {
            let matrix: Vec<_> = simt.matrix.iter().map(|m| m.name.as_str()).collect();
            let warpgroup: Vec<_> = simt.warpgroup.iter().map(|w| w.name.as_str()).collect();
            let ends = warpgroup.first().zip(warpgroup.last());
            let together = ends.map_or_else(String::new, |(a, b)| format!("; {a} to {b}"));
            (
                format!(
                    "warps of {}, {} KB shared; {}{together}",
                    simt.lanes,
                    simt.shared.0 / 1024,
                    matrix.join(", ")
                ),
                json!({
                    "target": target.name, "form": "simt", "arch": simt.arch, "lanes": simt.lanes,
                    "shared_bytes": simt.shared.0, "matrix": matrix, "warpgroup": warpgroup,
                }),
            )
        }
        Form::Tensor(core) => (
            format!(
                "{} cube and {} vector cores; UB {} KB, L1 {} KB, L0C {} KB; for {}",
                core.cube_cores,
                core.vector_cores,
                core.vector.size.0 / 1024,
                core.staging.size.0 / 1024,
                core.sums.size.0 / 1024,
                core.device
            ),
            json!({
                "target": target.name, "form": "tensor", "device": core.device, "cube_cores": core.cube_cores,
                "vector_cores": core.vector_cores, "ub_bytes": core.vector.size.0,
                "l1_bytes": core.staging.size.0, "l0a_bytes": core.left.size.0,
                "l0b_bytes": core.right.size.0, "l0c_bytes": core.sums.size.0,
            }),
        ),
    }
}
