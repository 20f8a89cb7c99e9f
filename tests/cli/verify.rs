//! Kernels against their meaning, where schedules leave parts of arrays unwritten.

use crate::program::{done, folder, json};

/// A long sum for few blocks: they share it, some tiles in fewer parts than others.
const SHARED: &str = r#"graph "shared" (batch in 1..8) {
  %x = input {name = "x", ty = f16[96,4096], absent = required, below = 0} : f16[96,4096]
  %w = input {name = "w", ty = f16[200,4096], absent = required, below = 0} : f16[200,4096]
  %y = matmul(%x,%w) {ta = false, tb = true} : f16[96,200]
  return y = %y
}
"#;

#[test]
fn parts_that_no_block_writes_are_no_fault() {
    let folder = folder("verify-shared");
    std::fs::write(folder.0.join("shared.graph"), SHARED).unwrap();
    done(
        &folder,
        "compile shared.graph --target cuda:sm_80 --target rocm:gfx942 -o m.tw",
    );
    for target in ["cuda:sm_80", "rocm:gfx942"] {
        let found = json(&folder, &format!("verify m.tw --device emulator:{target}"));
        assert_eq!(found["failed"], 0, "{found}");
        assert_eq!(found["kernels"].as_array().unwrap().len(), 2, "{found}");
    }
}
