//! The HIP source of every family, by clang: what it computes on this machine, a thread for each lane, against the graph;
//! and code objects for gfx906, the one of Hygon's devices whose instructions LLVM knows.

use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use backends::opencl::{Dialect, Source, compile};
use ir::lane::Program;
use rayon::prelude::*;

use crate::case::{Case, Extent, cases, decoded, encoded, error};

/// A folder of this thread's own, gone when dropped.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!(
            "hip-{}-{:?}",
            std::process::id(),
            std::thread::current().id()
        ));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

fn prefix() -> PathBuf {
    std::env::var_os("LLVM_SYS_221_PREFIX").unwrap().into()
}

/// clang, with our header in place of HIP's.
fn clang(folder: &Path, arguments: &[&str]) {
    let header = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/opencl/hip");
    let output = Command::new(prefix().join("bin/clang"))
        .arg("-I")
        .arg(header)
        .args(["-Wall", "-Wno-unused", "-Werror"])
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}

fn source(program: &Program) -> Source {
    let program = std::slice::from_ref(program);
    compile(program, Dialect::Hip).unwrap().remove(0)
}

/// A program that reads the parameters from its input, runs the kernel block by block, and writes the parameters out.
fn with_main(program: &Program, text: &str) -> String {
    let count = program.params.len();
    let sizes = program.params.iter().map(|p| p.bytes().to_string());
    let sizes = sizes.collect::<Vec<_>>().join(", ");
    let types = vec!["void *"; count].join(", ");
    let values = (0..count).map(|i| format!("params[{i}]"));
    let values = values.collect::<Vec<_>>().join(", ");
    let (threads, blocks, name) = (program.threads(), program.blocks(), &program.name);
    let mut all = text.to_owned();
    write!(
        all,
        "#include <stdio.h>
#include <stdlib.h>
static void *params[{count}];
static unsigned block;
static void *lane_of(void *at) {{
    threadIdx.x = (unsigned)(size_t)at;
    blockIdx.x = block;
    ((void (*)({types})){name})({values});
    return 0;
}}
int main() {{
    static const size_t sizes[] = {{{sizes}}};
    for (int i = 0; i < {count}; ++i) {{
        params[i] = aligned_alloc(64, (sizes[i] + 63) / 64 * 64);
        if (fread(params[i], 1, sizes[i], stdin) != sizes[i]) return 1;
    }}
    pthread_barrier_init(&meeting, 0, {threads});
    for (block = 0; block < {blocks}; ++block) {{
        static pthread_t lanes[{threads}];
        for (size_t i = 0; i < {threads}; ++i)
            if (pthread_create(&lanes[i], 0, lane_of, (void *)i)) return 2;
        for (int i = 0; i < {threads}; ++i) pthread_join(lanes[i], 0);
    }}
    fwrite(params[{count} - 1], 1, sizes[{count} - 1], stdout);
    return 0;
}}
"
    )
    .unwrap();
    all
}

/// What the text computes on this machine.
fn run_here(case: &Case) -> Vec<f64> {
    let (folder, program) = (Folder::new(), &case.program);
    let text = with_main(program, &source(program).text);
    fs::write(folder.0.join("kernel.cpp"), text).unwrap();
    clang(
        &folder.0,
        &[
            "-O1",
            "-Wno-unknown-pragmas",
            "-Wno-pass-failed",
            "kernel.cpp",
            "-o",
            "kernel",
            "-lm",
            "-pthread",
        ],
    );
    let mut input = Vec::new();
    for (i, array) in program.params.iter().enumerate() {
        match case.params.get(i) {
            Some(values) => input.extend(encoded(array.dtype, values)),
            None => input.extend(vec![0xFF; array.bytes()]),
        }
    }
    fs::write(folder.0.join("input"), input).unwrap();
    let output = Command::new(folder.0.join("kernel"))
        .stdin(fs::File::open(folder.0.join("input")).unwrap())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}: {}",
        program.name,
        output.status
    );
    decoded(program.params.last().unwrap().dtype, &output.stdout)
}

#[test]
fn every_family_computes_what_its_graph_means() {
    for target in ["opencl", "opencl:gfx936"] {
        let cases = cases(target, Extent::Few);
        let errors: Vec<f64> = cases
            .par_iter()
            .map(|case| {
                let found = run_here(case);
                error(case, &[found]).unwrap_or_else(|| panic!("{}", case.program.name))
            })
            .collect();
        println!(
            "{} HIP kernels for {target} run here, a thread for each lane, error at most {:.1e}",
            cases.len(),
            errors.into_iter().fold(0.0, f64::max)
        );
    }
}

/// A tool's words on the code object of a text.
fn listing(text: &str, option: &str, tool: &str, arguments: &[&str]) -> String {
    let folder = Folder::new();
    fs::write(folder.0.join("kernel.hip"), text).unwrap();
    let mut all = vec![
        "-x",
        "hip",
        "--offload-device-only",
        "--no-gpu-bundle-output",
    ];
    all.extend(["-nogpulib", "-nogpuinc", "--offload-arch=gfx906", "-O3"]);
    all.extend(["-Wno-pass-failed", "-c", "kernel.hip", "-o", "kernel.hsaco"]);
    if !option.is_empty() {
        all.push(option);
    }
    clang(&folder.0, &all);
    let output = Command::new(prefix().join("bin").join(tool))
        .args(arguments)
        .arg(folder.0.join("kernel.hsaco"))
        .output()
        .unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

/// A number of a kernel's note.
fn noted(notes: &str, key: &str) -> u32 {
    let (_, after) = notes.split_once(key).unwrap();
    let number = after.trim_start_matches(':').split_whitespace().next();
    number.unwrap().parse().unwrap()
}

#[test]
fn every_family_becomes_a_code_object() {
    for target in ["opencl:gfx906", "opencl:gfx936"] {
        let cases = cases(target, Extent::Few);
        let resources: Vec<[u32; 2]> = cases
            .par_iter()
            .map(|case| {
                let text = source(&case.program).text;
                let notes = listing(&text, "", "llvm-readelf", &["--notes"]);
                let scratch = [".private_segment_fixed_size", ".vgpr_spill_count"];
                let [scratch, spills] = scratch.map(|key| noted(&notes, key));
                // On gfx936 an instruction takes the place of the body that is compiled here.
                assert!(
                    [scratch, spills] == [0, 0] || target != "opencl:gfx906",
                    "{}: {scratch} bytes of scratch, {spills} spills",
                    case.program.name
                );
                [noted(&notes, ".vgpr_count"), scratch.min(1)]
            })
            .collect();
        println!(
            "{} HIP kernels for {target} as code objects for gfx906, {} with scratch, at most {} registers",
            cases.len(),
            resources.iter().map(|[_, scratch]| scratch).sum::<u32>(),
            resources
                .iter()
                .map(|[registers, _]| registers)
                .max()
                .unwrap()
        );
    }
}

#[test]
fn the_body_of_pairs_uses_the_dot_product_of_gfx906() {
    let cases = cases("opencl:gfx936", Extent::Few);
    let f16 = cases
        .iter()
        .filter(|c| source(&c.program).text.contains("TW_MMAC_F16("));
    let mut seen = 0;
    for case in f16.take(3) {
        let source = source(&case.program);
        let [_, pairs, plain] = &source.variants[..] else {
            panic!("{:?}", source.variants);
        };
        for (option, wanted) in [(pairs, true), (plain, false)] {
            let listing = listing(&source.text, option, "llvm-objdump", &["-d"]);
            assert_eq!(
                listing.contains("v_dot2_f32_f16"),
                wanted,
                "{}",
                case.program.name
            );
            assert!(!listing.contains("scratch_"), "{}", case.program.name);
        }
        seen += 1;
    }
    assert_eq!(seen, 3);
}
