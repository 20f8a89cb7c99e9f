//! MLIR for LLVM's SPIR-V target, as kernels of OpenCL.

use std::fmt::Write;

use ir::{
    DType, Simt,
    lane::{MatrixInstr, Program, Stmt, Value as Term},
};

use super::expand;
use crate::{
    failure::{Failure, Unsupported},
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
const LONG: Type = Type::scalar(Elem::I64);

/// OpenCL's own functions, under their names by the Itanium C++ ABI: SPIR-V Environment Specification for OpenCL, and
/// LLVM's user guide for the SPIR-V target, "OpenCL builtins".
const MODULE: &str = "\
llvm.func spir_funccc @_Z12get_local_idj(i32) -> i64 attributes {no_unwind, will_return}
llvm.func spir_funccc @_Z12get_group_idj(i32) -> i64 attributes {no_unwind, will_return}
llvm.func spir_funccc @_Z7barrierj(i32) attributes {convergent, no_unwind}
";

/// `CLK_LOCAL_MEM_FENCE`
const LOCAL_FENCE: i64 = 1;

struct Spirv;

pub(crate) fn dialect(device: &Simt) -> Option<Box<dyn Dialect + Sync>> {
    (device.arch == super::ARCH).then(|| Box::new(Spirv) as _)
}

impl Spirv {
    /// One of OpenCL's numbers of the first axis.
    fn number(text: &mut Text, function: &str) -> Value {
        let axis = text.int(WORD, 0);
        let number = text.op(
            LONG,
            format_args!("llvm.call spir_funccc @{function}({axis}) : (i32) -> i64"),
        );
        text.convert("arith.trunci", number, WORD)
    }
}

impl Dialect for Spirv {
    fn toolchain(&self) -> &'static str {
        super::TOOLCHAIN
    }

    /// The version that every driver with IL takes, and 64-bit addresses.
    fn machine(&self) -> Machine<'_> {
        Machine {
            triple: "spirv64v1.0-unknown-unknown",
            processor: "",
            features: "",
            passes: "default<O3>",
            output: Output::Object,
        }
    }

    fn module(&self) -> &'static str {
        MODULE
    }

    /// The kernel is another function, which this one becomes part of; see [`Dialect::adapted`].
    fn kernel(&self, _: u32) -> String {
        "always_inline".into()
    }

    fn stated_shared(&self) -> usize {
        usize::MAX
    }

    /// The number of a block is kept in 32 bits.
    fn blocks(&self, _: u32) -> u64 {
        (1 << 31) - 1
    }

    fn wide_accumulators(&self) -> bool {
        false
    }

    fn word_register(&self) -> char {
        unreachable!("nothing may wander, so nothing is held by assembly")
    }

    fn thread(&self, text: &mut Text) -> Value {
        Self::number(text, "_Z12get_local_idj")
    }

    fn block(&self, text: &mut Text) -> Value {
        Self::number(text, "_Z12get_group_idj")
    }

    fn uniform(&self, _: &mut Text, word: Value) -> Value {
        word
    }

    fn barrier(&self, text: &mut Text) {
        let fence = text.int(WORD, LOCAL_FENCE);
        text.line(format_args!(
            "llvm.call spir_funccc @_Z7barrierj({fence}) : (i32) -> ()"
        ));
    }

    /// [`Dialect::adapted`] refuses programs with shuffles.
    fn shuffle(&self, _: &mut Text, word: Value, _: Value, _: u32) -> Value {
        word
    }

    fn matrix(&self, _: &mut Text, _: &MatrixInstr, _: [&Held; 3]) -> Option<Vec<Part>> {
        None
    }

    /// The driver's compiler has the last word on order.
    fn may_move(&self, _: &MatrixInstr) -> bool {
        false
    }

    fn part(&self, _: &mut Text) {}

    fn adapted(&self, program: &Program, module: String) -> Result<String, Unsupported> {
        if shuffles(&program.body) {
            // Sub-groups are an extension, and of no stated size.
            return Err(Unsupported {
                what: "shuffle_xor".into(),
                dtype: DType::F32,
            });
        }
        // As clang names those of a kernel, by which oclgrind knows them.
        let module = module.replace("@__shared_", &format!("@{}.shared_", program.name));
        let head = format!("llvm.func @{}(", program.name);
        let (before, after) = module
            .split_once(&head)
            .expect("the function has the program's name");
        let open = after.trim_end().strip_suffix('}');
        let open = open.expect("the function ends with the module");
        let body = format!("__body_{}", program.name);
        let module = format!(
            "{before}llvm.func internal @{body}({open}{}}}\n",
            kernel(program, &body)
        );
        Ok(expand::expanded(module))
    }

    fn finish(&self, program: &Program, output: Vec<u8>) -> Result<Code, Failure> {
        Ok(Code {
            remarks: vec![],
            symbol: program.name.clone(),
            assembly: None,
            binary: Some(output),
            launch: simt::launch(program, self),
            resources: None,
        })
    }
}

/// The kernel: finds each parameter in its buffer, and goes on in the function `body`.
fn kernel(program: &Program, body: &str) -> String {
    let count = program.params.len();
    let list = |each: &dyn Fn(usize) -> String| (0..count).map(each).collect::<Vec<_>>().join(", ");
    let arguments = list(&|i| format!("%b{i}: !llvm.ptr<1>, %o{i}: i64"));
    let mut text = format!(
        "llvm.func spir_kernelcc @{}({arguments}) attributes {{reqd_work_group_size = array<i32: {}, 1, 1>}} {{\n",
        program.name,
        program.threads()
    );
    for i in 0..count {
        writeln!(
            text,
            "%p{i} = llvm.getelementptr %b{i}[%o{i}] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, i8"
        )
        .expect("writing to a string does not end");
    }
    let (values, types) = (
        list(&|i| format!("%p{i}")),
        list(&|_| "!llvm.ptr<1>".into()),
    );
    text + &format!("llvm.call @{body}({values}) : ({types}) -> ()\nllvm.return\n}}\n")
}

fn shuffles(body: &[Stmt]) -> bool {
    body.iter().any(|stmt| match stmt {
        Stmt::Let(_, term) => matches!(term, Term::ShuffleXor(..)),
        Stmt::For(each) => shuffles(&each.body),
        Stmt::When { body, .. } => shuffles(body),
        _ => false,
    })
}
