//! MLIR for AMDGPU.

use ir::{
    Bytes, Simt,
    lane::{MatrixInstr, Program, Spelling},
};

use super::{
    matrix, notes,
    targets::{self, Model},
};
use crate::{
    failure::Failure,
    link,
    mlir::{
        Machine, Output,
        text::{Elem, Text, Type, Value},
    },
    simt::{
        self, Code,
        dialect::Dialect,
        emit::held::{Held, Part},
    },
};

const WORD: Type = Type::scalar(Elem::I32);

/// Code objects of version 5, which ROCm loads since 5.5; LLVM 22's own choice is 6.
const VERSION: &str = "llvm.module_flags [#llvm.mlir.module_flag<error, \"amdhsa_code_object_version\", 500 : i32>]\n";

/// One architecture.
struct Amdgpu(&'static Model);

pub(crate) fn dialect(device: &Simt) -> Option<Box<dyn Dialect + Sync>> {
    let model = targets::model(&device.arch)?;
    Some(Box::new(Amdgpu(model)))
}

impl Dialect for Amdgpu {
    fn toolchain(&self) -> &'static str {
        super::TOOLCHAIN
    }

    fn machine(&self) -> Machine<'_> {
        Machine {
            triple: "amdgcn-amd-amdhsa",
            processor: self.0.arch,
            features: "",
            passes: "default<O3>",
            output: Output::Object,
        }
    }

    fn module(&self) -> &'static str {
        VERSION
    }

    fn kernel(&self, threads: u32) -> String {
        format!(
            "rocdl.kernel, rocdl.flat_work_group_size = \"{threads},{threads}\", \
             rocdl.reqd_work_group_size = array<i32: {threads}, 1, 1>"
        )
    }

    fn stated_shared(&self) -> usize {
        usize::MAX
    }

    /// A dispatch counts all lanes of an axis in 32 bits: HSA Platform System Architecture, "Kernel dispatch packet".
    fn blocks(&self, threads: u32) -> u64 {
        u64::from(u32::MAX / threads)
    }

    fn wide_accumulators(&self) -> bool {
        true
    }

    fn word_register(&self) -> char {
        'v'
    }

    fn thread(&self, text: &mut Text) -> Value {
        text.call(WORD, "llvm.amdgcn.workitem.id.x", &[])
    }

    fn block(&self, text: &mut Text) -> Value {
        text.call(WORD, "llvm.amdgcn.workgroup.id.x", &[])
    }

    fn uniform(&self, text: &mut Text, word: Value) -> Value {
        text.call(WORD, "llvm.amdgcn.readfirstlane", &[word])
    }

    /// Only shared memory is waited for: loads from global memory may still be under way.
    fn barrier(&self, text: &mut Text) {
        let fence = |text: &mut Text, order: &str| {
            text.line(format_args!(
                "llvm.fence syncscope(\"workgroup\") {order} \
                 {{llvm.mmra = #llvm.mmra_tag<\"amdgpu-synchronize-as\":\"local\">}}"
            ));
        };
        fence(text, "release");
        text.act("llvm.amdgcn.s.barrier", &[]);
        fence(text, "acquire");
    }

    fn shuffle(&self, text: &mut Text, word: Value, lane: Value, bits: u32) -> Value {
        match bits {
            // Within four lanes, by the operand itself: lane `i` of four reads lane `i ^ bits`, two bits each.
            1..=3 => {
                let order = (0..4).fold(0, |all, i| all | i64::from(i ^ bits) << (2 * i));
                let [order, all] = [order, 15].map(|n| text.int(WORD, n));
                let bound = text.int(Type::scalar(Elem::I1), 1);
                text.call(
                    WORD,
                    "llvm.amdgcn.update.dpp",
                    &[word, word, order, all, all, bound],
                )
            }
            // Within 32 lanes, by a constant: exclusive or in bits 10 to 14, and all of the lane's own number.
            4..=31 => {
                let pattern = text.int(WORD, i64::from(bits << 10 | 0x1F));
                text.call(WORD, "llvm.amdgcn.ds.swizzle", &[word, pattern])
            }
            _ => {
                let bits = text.int(WORD, bits.into());
                let other = text.binary("arith.xori", lane, bits);
                let two = text.int(WORD, 2);
                let at = text.binary("arith.shli", other, two);
                text.call(WORD, "llvm.amdgcn.ds.bpermute", &[at, word])
            }
        }
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
        match &instr.spelling {
            Spelling::Word(word) => matrix::is_lane_own(word),
            Spelling::Outer => true,
        }
    }

    fn part(&self, text: &mut Text) {
        let none = text.int(WORD, 0);
        text.act("llvm.amdgcn.sched.barrier", &[none]);
    }

    fn finish(&self, program: &Program, output: Vec<u8>) -> Result<Code, Failure> {
        let rejected = |tool: &str, message: String| Failure::Rejected {
            tool: tool.into(),
            message,
        };
        let binary = link::link(&link::llvm_prefix(), &[output], &["--no-undefined"])
            .map_err(|e| rejected("ld.lld", e.to_string()))?;
        let mut resources = notes::resources(&binary)
            .ok_or_else(|| rejected("llvm", "wanted a note on the kernel, found none".into()))?;
        let launch = simt::launch(program, self);
        resources.shared = Bytes(resources.shared.0 + launch.shared.0);
        Ok(Code {
            remarks: vec![],
            symbol: program.name.clone(),
            assembly: None,
            binary: Some(binary),
            launch,
            resources: Some(resources),
        })
    }
}
