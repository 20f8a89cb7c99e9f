//! `targets`: what models can be compiled for.

use serde_json::json;
use tilewright::runtime::cli::Report;

/// Lists all targets, and which of them `cpu` is here.
pub fn targets() -> Report {
    let here = tilewright::target("cpu");
    let mut text = String::new();
    let mut all = Vec::new();
    for target in tilewright::targets() {
        let Some(simd) = target.simd() else { continue };
        text += &format!(
            "{:22} {} bytes a vector; needs {}\n",
            target.name,
            simd.vector.0,
            simd.requires.join(", ")
        );
        all.push(json!({
            "target": target.name, "processor": simd.processor, "triple": simd.triple,
            "requires": simd.requires, "vector_bytes": simd.vector.0,
        }));
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
