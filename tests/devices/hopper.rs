//! Kernels for warpgroups: whole sizes, as far as the assembler and the disassembler.

#[path = "../../passes/tests/warpgroups/text.rs"]
#[allow(dead_code, reason = "passes uses the rest")]
mod text;

use std::{io::Write, process::Command};

use backends::{cpu::Workers, cuda::tools, simt};
use ir::{Schedule, Scores, WarpgroupAttentionSchedule, WarpgroupContractSchedule, lane::Program};

/// What the disassembler prints; none, with a line that says so, where it is not here.
fn listing(binary: &[u8], name: &str) -> Option<String> {
    let tool = tools()?.join("nvdisasm");
    if !tool.exists() {
        println!("skipped: {} is not here", tool.display());
        return None;
    }
    let thread = std::thread::current().id();
    let file = format!(
        "tilewright-devices-{}-{thread:?}-{name}",
        std::process::id()
    );
    let path = std::env::temp_dir().join(file);
    std::fs::File::create(&path)
        .unwrap()
        .write_all(binary)
        .unwrap();
    let output = Command::new(tool).arg("-c").arg(&path).output().unwrap();
    std::fs::remove_file(&path).unwrap();
    assert!(output.status.success());
    Some(String::from_utf8(output.stdout).unwrap())
}

/// Compiles the one kernel of a graph; without a schedule by the first choice. Nothing spills, and no product waits for
/// another.
fn check(target: &str, text: &str, schedule: Option<Schedule>, words: &[&str]) -> Program {
    let target = tilewright::target(target).unwrap();
    let graph = ir::text::parse(text).unwrap();
    let kernel = passes::group(&graph, &[]).unwrap().kernels.remove(0);
    let schedule = schedule.unwrap_or_else(|| autotune::first_choice(&kernel, &target).unwrap());
    let lowered = passes::lower(&kernel, &schedule, &target);
    let lowered = lowered.unwrap_or_else(|e| panic!("{schedule:?}: {e}"));
    let program = lowered.lane.expect("the target has lanes");
    let programs = std::slice::from_ref(&program);
    let code = simt::compile(programs, &target, &Workers::InProcess)
        .unwrap()
        .remove(0);
    let code = code.unwrap_or_else(|e| panic!("{schedule:?}: {e}\n{program}"));
    let (Some(binary), Some(resources)) = (code.binary, code.resources) else {
        println!("skipped: no assembler; {schedule:?}");
        return program;
    };
    println!("{schedule:?}: {resources:?}");
    assert_eq!(
        code.remarks,
        Vec::<String>::new(),
        "{schedule:?}\n{program}"
    );
    assert_eq!(
        (resources.spills, resources.scratch.0),
        (0, 0),
        "{schedule:?}\n{program}"
    );
    if let Some(listing) = listing(&binary, &program.name) {
        for word in words {
            assert!(listing.contains(word), "{schedule:?}: no {word}");
        }
    }
    program
}

const HOPPER: &str = "cuda:sm_90a";
const WORDS: [&str; 3] = ["HGMMA", "UTMALDG", "SYNCS"];

#[test]
fn large_contractions_by_warpgroups() {
    for (dtype, tb) in [("bf16", true), ("f16", false)] {
        let text = text::matmul(dtype, [8192; 3], false, tb);
        let program = check(HOPPER, &text, None, &WORDS);
        assert_ne!(program.warpgroup, []);
    }
    let text = text::matmul("bf16", [8192; 3], false, true);
    for [block_rows, block_columns, stages] in
        [[128, 128, 4], [256, 128, 4], [64, 256, 5], [256, 64, 4]]
    {
        let schedule = Schedule::WarpgroupContract(WarpgroupContractSchedule {
            block_rows,
            block_columns,
            block_depth: 64,
            stages,
            group: 8,
        });
        check(HOPPER, &text, Some(schedule), &WORDS);
    }
}

/// Layers of MiniLM and of LLaMA, on rows of several sequences.
#[test]
fn layers_by_warpgroups() {
    let gelu = text::linear("bf16", [4096, 1536, 384], "gelu");
    let silu = text::linear("bf16", [4096, 14336, 4096], "silu");
    let projection = text::matmul("f16", [4096, 1152, 1536], false, false);
    for text in [gelu, silu, projection] {
        let program = check(HOPPER, &text, None, &WORDS);
        assert_ne!(program.warpgroup, []);
    }
}

#[test]
fn attention_by_warpgroups() {
    for depth in [64, 128] {
        for how in ["", "causal"] {
            let text = text::attention("bf16", [4, 16, 1], [4096, 4096, depth], how);
            let program = check(HOPPER, &text, None, &WORDS);
            assert_ne!(program.warpgroup, []);
            for (block_queries, block_keys, scores) in [
                (128, 128, Scores::InTurn),
                (128, 128, Scores::Ahead),
                (128, 64, Scores::Ahead),
                (64, 64, Scores::InTurn),
            ] {
                // Two tiles of scores beside the sums do not fit a lane's registers.
                if depth == 128 && (block_keys, scores) == (128, Scores::Ahead) {
                    continue;
                }
                let covering = depth as u32;
                let schedule = Schedule::WarpgroupAttention(WarpgroupAttentionSchedule {
                    block_queries,
                    block_keys,
                    block_depth: covering,
                    block_columns: covering,
                    stages: 2,
                    group: 4,
                    scores,
                });
                check(HOPPER, &text, Some(schedule), &WORDS);
            }
        }
    }
}

/// The same kernels where there are no warpgroups.
#[test]
fn large_contractions_by_warps() {
    for target in ["cuda:sm_80", "cuda:sm_100a"] {
        let text = text::matmul("bf16", [8192; 3], false, true);
        check(target, &text, None, &["HMMA", "LDGSTS", "LDSM"]);
        let text = text::attention("bf16", [4, 16, 1], [4096, 4096, 64], "causal");
        check(target, &text, None, &["HMMA", "LDGSTS"]);
    }
}
