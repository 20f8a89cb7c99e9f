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
                    "target": target.name, "device": core.device, "cube_cores": core.cube_cores,
                    "vector_cores": core.vector_cores, "ub_bytes": core.vector.size.0,
                    "l1_bytes": core.staging.size.0, "l0a_bytes": core.left.size.0,
                    "l0b_bytes": core.right.size.0, "l0c_bytes": core.sums.size.0,
                }),
            ),
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
