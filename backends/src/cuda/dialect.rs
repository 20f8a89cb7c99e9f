//! MLIR for NVPTX.

use ir::{
    Simt,
    lane::{MatrixInstr, Program, Spelling},
};

use super::{
    assemble,
    bulk::Hopper,
    matrix,
    targets::{self, Model},
};
use crate::{
    failure::Failure,
    mlir::{
        Machine, Output,
        text::{Elem, Text, Type, Value},
    },
    simt::{
        self, Code,
        dialect::{Dialect, Warpgroups},
        emit::held::{Held, Part},
    },
};

const WORD: Type = Type::scalar(Elem::I32);

/// Shared memory that a kernel may state: 48 KB on all devices. CUDA C++ Programming Guide, "Shared Memory" of each
/// compute capability (2026-11-25).
const STATED: usize = 48 * 1024;

/// One architecture.
struct Nvptx(&'static Model);

pub(crate) fn dialect(device: &Simt) -> Option<Box<dyn Dialect + Sync>> {
    let model = targets::model(&device.arch)?;
    Some(Box::new(Nvptx(model)))
}

impl Dialect for Nvptx {
    fn toolchain(&self) -> &'static str {
        super::TOOLCHAIN
    }

    fn machine(&self) -> Machine<'_> {
        Machine {
            triple: "nvptx64-nvidia-cuda",
            processor: self.0.arch,
            features: self.0.ptx,
            passes: "default<O3>",
            output: Output::Assembly,
        }
    }

    fn module(&self) -> &'static str {
        ""
    }

    /// One block to a unit is enough: otherwise ptxas keeps registers for two, and spills (seen with 13.5.37).
    fn kernel(&self, threads: u32) -> String {
        format!("nvvm.kernel, nvvm.reqntid = array<i32: {threads}, 1, 1>, nvvm.minctasm = 1 : i32")
    }

    /// CUDA driver API, `cuTensorMapEncodeTiled`: 128 bytes at a multiple of 64.
    fn map_argument(&self) -> &'static str {
        "llvm.byval = !llvm.array<128 x i8>, llvm.align = 64 : i64, nvvm.grid_constant"
    }

    fn stated_shared(&self) -> usize {
        STATED
    }

    /// CUDA C++ Programming Guide, "Technical Specifications per Compute Capability": along the first axis.
    fn blocks(&self, _: u32) -> u64 {
        (1 << 31) - 1
    }

    fn wide_accumulators(&self) -> bool {
        false
    }

    fn word_register(&self) -> char {
        'r'
    }

    fn thread(&self, text: &mut Text) -> Value {
        text.call(WORD, "llvm.nvvm.read.ptx.sreg.tid.x", &[])
    }

    fn block(&self, text: &mut Text) -> Value {
        text.call(WORD, "llvm.nvvm.read.ptx.sreg.ctaid.x", &[])
    }

    fn uniform(&self, _: &mut Text, word: Value) -> Value {
        word
    }

    fn barrier(&self, text: &mut Text) {
        let zero = text.int(WORD, 0);
        text.act("llvm.nvvm.barrier.cta.sync.aligned.all", &[zero]);
    }

    fn shuffle(&self, text: &mut Text, word: Value, _: Value, bits: u32) -> Value {
        // All 32 lanes take part, as one segment.
        let [members, bits, segment] = [-1, i64::from(bits), 31].map(|n| text.int(WORD, n));
        text.call(
            WORD,
            "llvm.nvvm.shfl.sync.bfly.i32",
            &[members, word, bits, segment],
        )
    }

    fn copy(
        &self,
        text: &mut Text,
        to: Value,
        from: Value,
        bytes: usize,
        kept: Option<Value>,
    ) -> bool {
        // Whole lines of 16 bytes need not go through the first cache.
        let cache = if bytes == 16 { "cg" } else { "ca" };
        let name = format!("llvm.nvvm.cp.async.{cache}.shared.global.{bytes}");
        match kept {
            None => text.act(&name, &[to, from]),
            Some(kept) => text.act(&format!("{name}.s"), &[to, from, kept]),
        }
        true
    }

    fn commit(&self, text: &mut Text) {
        text.act("llvm.nvvm.cp.async.commit.group", &[]);
    }

    fn wait(&self, text: &mut Text, pending: u32) {
        let pending = text.int(WORD, pending.into());
        text.act("llvm.nvvm.cp.async.wait.group", &[pending]);
    }

    fn load_matrix(
        &self,
        text: &mut Text,
        from: Value,
        count: u32,
        transposed: bool,
    ) -> Option<Vec<Value>> {
        let turn = if transposed { ".trans" } else { "" };
        let name = format!("llvm.nvvm.ldmatrix.sync.aligned.m8n8.x{count}{turn}.b16");
        Some(match count {
            1 => vec![text.call(WORD, &name, &[from])],
            _ => text.calls(WORD, count, &name, &[from]),
        })
    }

    fn matrix(
        &self,
        text: &mut Text,
        instr: &MatrixInstr,
        operands: [&Held; 3],
    ) -> Option<Vec<Part>> {
        match &instr.spelling {
            Spelling::Word(word) => matrix::emit(text, word, operands),
            Spelling::Outer => None,
        }
    }

    fn may_move(&self, instr: &MatrixInstr) -> bool {
        instr.spelling == Spelling::Outer
    }

    /// CUDA C++ Programming Guide, "Intrinsic Functions", `__expf`, which is this: 2 + floor(|1.173 x|) units (noted
    /// 2026-11-25 from memory).
    fn short_exp(&self, text: &mut Text, x: Value) -> Option<Value> {
        let factor = text.float(x.ty, std::f64::consts::LOG2_E);
        let power = text.binary("arith.mulf", x, factor);
        Some(text.call(x.ty, "llvm.nvvm.ex2.approx.ftz.f32", &[power]))
    }

    fn warpgroups(&self) -> Option<&dyn Warpgroups> {
        self.0.warpgroups.then_some(&Hopper as &dyn Warpgroups)
    }

    /// The assembler orders instructions anew.
    fn part(&self, _: &mut Text) {}

    fn finish(&self, program: &Program, output: Vec<u8>) -> Result<Code, Failure> {
        let mut code = Code {
            symbol: program.name.clone(),
            assembly: None,
            binary: None,
            launch: simt::launch(program, self),
            resources: None,
            remarks: vec![],
        };
        if let Some(done) = assemble::assemble(&output, self.0.arch)? {
            let mut resources = done.resources;
            resources.shared.0 += code.launch.shared.0;
            code.binary = Some(done.binary);
            code.remarks = done.remarks;
            code.resources = Some(resources);
        }
        code.assembly = Some(String::from_utf8_lossy(&output).into_owned());
        Ok(code)
    }
}
