//! First schedules for sm_90a are by warpgroups where these multiply, and assemble without spills.

use backends::{cpu::Workers, simt::compile};
use ir::{Kernel, Schedule, Target, lane::Program};

fn input(name: &str, ty: &str) -> String {
    format!(
        "  %{name} = input {{name = \"{name}\", ty = {ty}, absent = required, below = 0}} : {ty}\n"
    )
}

fn kernel(inputs: &[(&str, String)], line: &str, ty: &str) -> Kernel {
    let inputs = inputs.iter().map(|(name, ty)| input(name, ty));
    let inputs: String = inputs.collect();
    let text = format!("graph \"g\" {{\n{inputs}  %y = {line} : {ty}\n  return y = %y\n}}\n");
    let graph = ir::text::parse(&text).unwrap_or_else(|e| panic!("{e:?}\n{text}"));
    passes::group(&graph, &[]).unwrap().kernels.remove(0)
}

fn linear(dtype: &str, [m, n, k]: [i64; 3], act: &str) -> Kernel {
    let y = format!("{dtype}[{m},{n}]");
    let inputs = [
        ("x", format!("{dtype}[{m},{k}]")),
        ("w", format!("{dtype}[{n},{k}]")),
        ("c", format!("{dtype}[{n}]")),
        ("r", y.clone()),
    ];
    let line =
        format!("linear(%x,%w,%c,%r) {{act = {act}, bias = true, residual = true, tb = true}}");
    kernel(&inputs, &line, &y)
}

fn matmul(dtype: &str, [m, n, k]: [i64; 3]) -> Kernel {
    let inputs = [
        ("x", format!("{dtype}[{m},{k}]")),
        ("w", format!("{dtype}[{k},{n}]")),
    ];
    kernel(
        &inputs,
        "matmul(%x,%w) {ta = false, tb = false}",
        &format!("{dtype}[{m},{n}]"),
    )
}

fn attention(dtype: &str, [heads, queries, keys, depth]: [i64; 4], causal: bool) -> Kernel {
    let q = format!("{dtype}[1,{heads},{queries},{depth}]");
    let k = format!("{dtype}[1,{heads},{keys},{depth}]");
    let line = format!(
        "attention(%q,%k,%v) {{alibi = false, causal = {causal}, mask = false, scale = 0.125, softcap = 0.0, window = 0}}"
    );
    kernel(&[("q", q.clone()), ("k", k.clone()), ("v", k)], &line, &q)
}

fn target() -> Target {
    backends::resolve("cuda:sm_90a").unwrap()
}

fn chosen(kernel: &Kernel) -> (Schedule, Program) {
    let target = target();
    let schedule = autotune::first_choice(kernel, &target).unwrap();
    let lowered = passes::lower(kernel, &schedule, &target).unwrap();
    (schedule, lowered.lane.unwrap())
}

/// The schedule is for warpgroups; where `ptxas` is here, it says that nothing is spilled and no product waits for
/// another.
fn check(kernels: &[Kernel]) {
    let mut programs = vec![];
    for kernel in kernels {
        let (schedule, program) = chosen(kernel);
        println!("{schedule:?}");
        let by_warpgroups = matches!(
            schedule,
            Schedule::WarpgroupContract(_) | Schedule::WarpgroupAttention(_)
        );
        assert!(by_warpgroups, "{schedule:?}");
        ir::lane::verify(&program).unwrap_or_else(|e| panic!("{e}\n{program}"));
        programs.push(program);
    }
    let target = target();
    for (code, program) in compile(&programs, &target, &Workers::InProcess)
        .unwrap()
        .into_iter()
        .zip(&programs)
    {
        let code = code.unwrap_or_else(|e| panic!("{e}\n{program}"));
        let Some(resources) = code.resources else {
            println!("skipped: ptxas is not here; {} has PTX", program.name);
            continue;
        };
        println!("{}: {resources:?} {:?}", program.name, code.remarks);
        assert_eq!(code.remarks, Vec::<String>::new(), "{}", program.name);
        assert_eq!(
            (resources.spills, resources.scratch.0),
            (0, 0),
            "{}",
            program.name
        );
    }
}

#[test]
fn contractions() {
    check(&[
        matmul("bf16", [8192, 8192, 8192]),
        matmul("f16", [4096, 11008, 4096]),
        linear("f16", [2048, 4096, 4096], "gelu"),
        linear("bf16", [512, 384, 1536], "none"),
    ]);
}

#[test]
fn attentions() {
    check(&[
        attention("bf16", [16, 4096, 4096, 128], true),
        attention("f16", [32, 2048, 2048, 64], false),
        attention("bf16", [8, 1000, 1000, 256], true),
        attention("f16", [12, 128, 128, 32], false),
    ]);
}

/// Few rows, wide operands, and rows that tensor copies do not bring.
#[test]
fn others_take_other_schedules() {
    for kernel in [
        matmul("bf16", [8, 4096, 4096]),
        matmul("f32", [512, 512, 512]),
        matmul("f16", [512, 510, 511]),
    ] {
        let (schedule, _) = chosen(&kernel);
        assert!(
            !matches!(schedule, Schedule::WarpgroupContract(_)),
            "{schedule:?}"
        );
    }
}

#[test]
fn spaces_have_what_lowers() {
    let by_groups = |kernel: &Kernel| {
        let space = autotune::space(kernel, &target()).unwrap();
        let all: Vec<Schedule> = space.iter().cloned().collect();
        let is = |s: &Schedule| {
            matches!(
                s,
                Schedule::WarpgroupContract(_) | Schedule::WarpgroupAttention(_)
            )
        };
        all.into_iter().filter(is).collect::<Vec<_>>()
    };
    assert!(by_groups(&matmul("f16", [512, 510, 511])).is_empty());
    for kernel in [
        matmul("f16", [512, 512, 512]),
        attention("bf16", [4, 256, 256, 64], true),
    ] {
        let all = by_groups(&kernel);
        assert!(all.len() >= 3, "{}", kernel.name);
        for schedule in all.iter().step_by(5) {
            let lowered = passes::lower(&kernel, schedule, &target());
            lowered.unwrap_or_else(|e| panic!("{schedule:?}: {e}"));
        }
    }
}
