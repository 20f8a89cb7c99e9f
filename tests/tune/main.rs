//! `tilewright tune`, with real code on this processor: what it finds, keeps and serves, and what stops it.

mod command;
mod planted;

use std::path::{Path, PathBuf};

/// The program under test.
const PROGRAM: &str = env!("CARGO_BIN_EXE_tilewright");

/// An empty folder.
fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("tune-{name}"));
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).unwrap();
    path
}

/// A product of an input with a weight.
fn product(rows: i64, depth: i64, columns: i64) -> ir::Kernel {
    let graph = ir::text::parse(&model(rows, depth, columns)).unwrap();
    let rules = vec![vec![]; graph.nodes().len()];
    passes::launches(&graph, &rules).unwrap().kernels.remove(0)
}

fn model(rows: i64, depth: i64, columns: i64) -> String {
    format!(
        "graph \"product\" {{
  %x = input {{name = \"x\", ty = f32[{rows},{depth}], absent = required, below = 0}} : f32[{rows},{depth}]
  %w = input {{name = \"w\", ty = f32[{depth},{columns}], absent = required, below = 0}} : f32[{depth},{columns}]
  %y = matmul(%x, %w) {{ta = false, tb = false}} : f32[{rows},{columns}]
  return y = %y
}}
"
    )
}
