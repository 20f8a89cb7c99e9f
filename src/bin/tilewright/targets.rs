//! `targets`: what models can be compiled for.

use ir::Form;
use serde_json::json;
use tilewright::runtime::cli::Report;

/// Lists all targets, and which of them `cpu` is here.
pub fn targets() -> Report {
    let here = tilewright::target("cpu");
    let mut text = String::new();
    let mut all = Vec::new();
    for target in tilewright::targets() {
        let (words, fields) = match &target.form {
            Form::Simd(simd) => (
                format!(
                    "{} bytes a vector; needs {}",
                    simd.vector.0,
                    simd.requires.join(", ")
                ),
                json!({
                    "target": target.name, "processor": simd.processor, "triple": simd.triple,
                    "requires": simd.requires, "vector_bytes": simd.vector.0,
                }),
            ),
            Form::Simt(simt) => {
                let matrix: Vec<_> = simt.matrix.iter().map(|m| m.name.as_str()).collect();
                (
                    format!(
                        "warps of {}, {} KB shared; {}",
                        simt.lanes,
                        simt.shared.0 / 1024,
                        matrix.join(", ")
                    ),
                    json!({
                        "target": target.name, "arch": simt.arch, "lanes": simt.lanes,
                        "shared_bytes": simt.shared.0, "matrix": matrix,
                    }),
                )
            }
            Form::Tensor(_) => unreachable!("no name resolves to such a target"),
        };
        text += &format!("{:22} {words}\n", target.name);
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
