//! What an artifact says about the programs in it.

use ir::{Bytes, Flops, Target};
use passes::{Place, PlannedKernel};
use runtime::{
    Writer,
    manifest::{
        BufferRef, Generate, Input, Kernel, KernelId, Launch, Manifest, Output, Param, Program,
        Ranges, Step, TargetCode, TextRef,
    },
};

use super::{CompileError, Planned, code::Written, texts::write_texts};
use crate::import::Generation;

/// The manifest; inputs and outputs are those of every program.
pub(super) fn manifest(
    model: &str,
    any: &Planned,
    targets: Vec<TargetCode>,
    ranges: Option<Ranges>,
    generate: Option<Generate>,
) -> Manifest {
    let inputs = any.plan.inputs.iter().map(|i| Input {
        name: i.name.clone(),
        dtype: i.ty.dtype,
        absent: i.absent,
        below: i.below,
    });
    let outputs = any.graph.results().map(|o| Output {
        name: o.name.clone(),
        dtype: any.graph.ty(o.value).dtype,
    });
    Manifest {
        ranges,
        generate,
        model: model.into(),
        producer: concat!("tilewright ", env!("CARGO_PKG_VERSION")).into(),
        inputs: inputs.collect(),
        outputs: outputs.collect(),
        targets,
    }
}

/// What runs that continue a text need, with the tokenizer in a section of its own.
pub(super) fn generate(
    generation: &Generation,
    writer: &mut Writer,
) -> Result<Generate, CompileError> {
    let tokenizer = match &generation.tokenizer {
        Some(text) => {
            let texts = [text.clone().into_bytes()].into_iter();
            write_texts(writer, "tokenizer", texts)?.pop()
        }
        None => None,
    };
    Ok(Generate {
        ends: generation.ends.clone(),
        tokenizer,
    })
}

/// The code of one target: kernels and programs, and their tile programs in a section of their own; `constant` says
/// where a constant of a program lies.
pub(super) fn target_code(
    target: &Target,
    programs: &[Planned],
    written: Written,
    constant: &dyn Fn(usize, usize) -> BufferRef,
    writer: &mut Writer,
) -> Result<TargetCode, CompileError> {
    let planned: Vec<&PlannedKernel> = programs.iter().flat_map(|p| &p.plan.kernels).collect();
    let tiles = planned
        .iter()
        .map(|k| serde_json::to_vec(&k.program).expect("plain data becomes JSON"));
    let tiles = write_texts(writer, &format!("{} tile programs", target.name), tiles)?;
    let kernels = planned.iter().zip(written.kernels).zip(tiles);
    let kernels = kernels.map(|((k, (symbol, launch)), tile)| kernel(k, symbol, launch, tile));
    let mut first_kernel = 0;
    let mut out = Vec::new();
    for (i, p) in programs.iter().enumerate() {
        out.push(program(p, first_kernel, &|c| constant(i, c)));
        first_kernel += p.plan.kernels.len();
    }
    Ok(TargetCode {
        target: target.name.clone(),
        toolchain: written.toolchain.into(),
        accepted_by: written.accepted_by,
        code: written.code,
        kernels: kernels.collect(),
        programs: out,
    })
}

fn kernel(k: &PlannedKernel, symbol: String, launch: Option<Launch>, tile: TextRef) -> Kernel {
    let types = ir::tile::types(&k.program).expect("lowering makes sound programs");
    let counts = ir::tile::count(&k.program, &types);
    let work = ir::Work::of(&k.kernel.graph, &ir::Sizes::new()).expect("kernels are bound");
    Kernel {
        symbol,
        name: k.kernel.name.clone(),
        family: passes::family(&k.kernel).map_or("map", |f| f.name()).into(),
        blocks: k.blocks(),
        // Lanes hold what threads keep in memory.
        scratch: match launch {
            Some(_) => Bytes(0),
            None => Bytes(k.program.scratch_bytes() as u64),
        },
        params: k
            .program
            .params
            .iter()
            .map(|p| Param {
                dtype: p.dtype,
                len: p.len.unsigned_abs(),
                written: p.written,
            })
            .collect(),
        rules: k.kernel.rules.clone(),
        // Tiles reach over the ends of arrays; the ops do not.
        flops: counts
            .as_ref()
            .map_or(Flops(0), |c| c.flops().min(work.flops)),
        bytes: counts
            .as_ref()
            .map_or(Bytes(0), |c| c.compulsory(&k.program)),
        meaning: autotune::database::meaning(&k.kernel.graph, &k.kernel.constant),
        tile: Some(tile),
        launch,
    }
}

fn program(p: &Planned, first_kernel: usize, constant: &dyn Fn(usize) -> BufferRef) -> Program {
    let steps = p.plan.steps.iter().map(|step| {
        let params = &p.plan.kernels[step.kernel].program.params;
        let args = step
            .args
            .iter()
            .zip(params)
            .map(|(place, param)| match *place {
                Place::Input(i) => BufferRef::Input(i as u32),
                Place::Output(i) => BufferRef::Output(i as u32),
                Place::Constant(i) => constant(i),
                Place::Arena(offset) => BufferRef::Arena {
                    offset: offset as u64,
                    len: param.bytes() as u64,
                },
            });
        Step {
            kernel: KernelId((first_kernel + step.kernel) as u32),
            args: args.collect(),
        }
    });
    let fixed = |ty: &ir::TensorType| {
        ty.known_shape()
            .expect("the graph is bound")
            .iter()
            .map(|n| n.unsigned_abs())
            .collect::<Vec<u64>>()
    };
    Program {
        sizes: p
            .sizes
            .iter()
            .map(|(s, n)| (s.name().to_owned(), n.unsigned_abs()))
            .collect(),
        input_shapes: p.plan.inputs.iter().map(|i| fixed(&i.ty)).collect(),
        output_shapes: p
            .graph
            .results()
            .map(|o| fixed(p.graph.ty(o.value)))
            .collect(),
        arena: Bytes(p.plan.arena_bytes as u64),
        steps: steps.collect(),
    }
}
