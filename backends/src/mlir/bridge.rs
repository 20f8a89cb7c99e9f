//! MLIR text to machine code: the one place that holds MLIR's and LLVM's own handles.

use std::{
    cell::RefCell,
    rc::Rc,
    sync::{Mutex, Once},
};

use inkwell::{
    OptimizationLevel,
    passes::PassBuilderOptions,
    targets::{
        CodeModel, FileType, InitializationConfig, RelocMode, Target, TargetMachine, TargetTriple,
    },
};
use melior::{
    Context,
    dialect::DialectRegistry,
    ir::Module,
    pass::PassManager,
    utility::{
        parse_pass_pipeline, register_all_dialects, register_all_llvm_translations,
        register_all_passes,
    },
};
use serde::{Deserialize, Serialize};

/// From the dialects that programs are written in to LLVM's own.
const PIPELINE: &str = "builtin.module(convert-vector-to-llvm,convert-scf-to-cf,\
                        convert-cf-to-llvm,convert-arith-to-llvm,convert-ub-to-llvm,\
                        reconcile-unrealized-casts)";

/// What code is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    /// An ELF object.
    Object,
    /// Text for an assembler.
    Assembly,
}

/// A processor, as LLVM names it, and what LLVM is to do for it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Machine<'a> {
    pub triple: &'a str,
    pub processor: &'a str,
    pub features: &'a str,
    /// LLVM's passes over the module.
    pub passes: &'a str,
    pub output: Output,
}

/// What the code generator has to say about a module that it does not take.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("{stage}: {message}")]
pub struct Refusal {
    /// The step that stopped.
    pub stage: Stage,
    /// Its words.
    pub message: String,
}

/// A step from text to code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// Reading MLIR text.
    Parse,
    /// MLIR's passes.
    Lower,
    /// MLIR to LLVM.
    Translate,
    /// Finding the processor.
    Machine,
    /// LLVM's passes.
    Optimise,
    /// Choosing instructions.
    Select,
}

impl std::fmt::Display for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Parse => "reading MLIR",
            Self::Lower => "MLIR's passes",
            Self::Translate => "MLIR to LLVM",
            Self::Machine => "LLVM's processor",
            Self::Optimise => "LLVM's passes",
            Self::Select => "choosing instructions",
        })
    }
}

/// The code of a module, for a processor.
///
/// # Errors
/// The text is not a module, or a pass or LLVM does not take it.
pub(crate) fn code(text: &str, machine: &Machine<'_>) -> Result<Vec<u8>, Refusal> {
    static PASSES_KNOWN: Once = Once::new();
    PASSES_KNOWN.call_once(|| {
        register_all_passes();
        let all = InitializationConfig::default();
        Target::initialize_x86(&all);
        Target::initialize_nvptx(&all);
        Target::initialize_amd_gpu(&all);
        initialize_spirv();
    });
    let registry = DialectRegistry::new();
    register_all_dialects(&registry);
    let context = Context::new_with_registry(&registry, false);
    register_all_llvm_translations(&context);
    let heard = Rc::new(RefCell::new(String::new()));
    let listener = Rc::clone(&heard);
    context.attach_diagnostic_handler(move |diagnostic| {
        let mut heard = listener.borrow_mut();
        if heard.is_empty() {
            *heard = diagnostic.to_string();
        }
        true
    });
    let refused = |stage: Stage| Refusal {
        stage,
        message: heard.borrow().clone(),
    };

    let mut module = Module::parse(&context, text).ok_or_else(|| refused(Stage::Parse))?;
    let passes = PassManager::new(&context);
    // The parser has verified the module; the passes are not ours to check.
    passes.enable_verifier(cfg!(debug_assertions));
    parse_pass_pipeline(passes.as_operation_pass_manager(), PIPELINE)
        .expect("the pipeline is a constant that parses");
    passes.run(&mut module).map_err(|_| refused(Stage::Lower))?;

    let llvm = inkwell::context::Context::create();
    let module = translate(&llvm, &module).ok_or_else(|| refused(Stage::Translate))?;
    let Machine {
        triple,
        passes,
        output,
        ..
    } = *machine;
    let machine = target_machine(machine)?;
    module.set_triple(&machine.get_triple());
    module.set_data_layout(&machine.get_target_data().get_data_layout());
    let said = |stage| {
        move |message: inkwell::support::LLVMString| Refusal {
            stage,
            message: message.to_string(),
        }
    };
    // LLVM 22 keeps facts of SPIR-V in one place for all threads: two at once end the process (seen).
    static SPIRV: Mutex<()> = Mutex::new(());
    let alone = triple.starts_with("spirv").then(|| SPIRV.lock());
    let options = PassBuilderOptions::create();
    // Programs say themselves which loops are written out.
    options.set_loop_unrolling(false);
    module
        .run_passes(passes, &machine, options)
        .map_err(said(Stage::Optimise))?;
    let file = match output {
        Output::Object => FileType::Object,
        Output::Assembly => FileType::Assembly,
    };
    let code = machine
        .write_to_memory_buffer(&module, file)
        .map_err(said(Stage::Select))?;
    drop(alone);
    Ok(code.as_slice().to_vec())
}

fn target_machine(machine: &Machine<'_>) -> Result<TargetMachine, Refusal> {
    let refused = |message: String| Refusal {
        stage: Stage::Machine,
        message,
    };
    let triple = TargetTriple::create(machine.triple);
    let target = Target::from_triple(&triple).map_err(|e| refused(e.to_string()))?;
    let made = target.create_target_machine(
        &triple,
        machine.processor,
        machine.features,
        OptimizationLevel::Aggressive,
        RelocMode::PIC,
        CodeModel::Default,
    );
    made.ok_or_else(|| refused(format!("no code generator for {}", machine.processor)))
}

#[allow(unsafe_code)]
fn translate<'c>(
    llvm: &'c inkwell::context::Context,
    module: &Module<'_>,
) -> Option<inkwell::module::Module<'c>> {
    // SAFETY: both handles are live; the translation makes a module owned by `llvm`, and the wrapper takes
    // over that one reference.
    unsafe {
        let operation = module.as_operation().to_raw();
        let raw = mlir_sys::mlirTranslateModuleToLLVMIR(operation, llvm.raw().cast());
        (!raw.is_null()).then(|| inkwell::module::Module::new(raw.cast()))
    }
}

/// LLVM's target for SPIR-V, which neither wrapper knows.
#[allow(unsafe_code)]
fn initialize_spirv() {
    unsafe extern "C" {
        fn LLVMInitializeSPIRVTargetInfo();
        fn LLVMInitializeSPIRVTarget();
        fn LLVMInitializeSPIRVTargetMC();
        fn LLVMInitializeSPIRVAsmPrinter();
    }
    // SAFETY: libLLVM, which inkwell links, has these; each adds to LLVM's list of targets, as for the others, and the
    // caller does so once.
    unsafe {
        LLVMInitializeSPIRVTargetInfo();
        LLVMInitializeSPIRVTarget();
        LLVMInitializeSPIRVTargetMC();
        LLVMInitializeSPIRVAsmPrinter();
    }
}

/// Asks the system to kill this process when the thread that started it ends.
#[allow(unsafe_code)]
pub(crate) fn end_with_parent() {
    unsafe extern "C" {
        fn prctl(option: i32, ...) -> i32;
    }
    // Linux's numbers: `PR_SET_PDEATHSIG` and `SIGKILL`.
    const SET_DEATH_SIGNAL: i32 = 1;
    const KILL: std::ffi::c_ulong = 9;
    // SAFETY: this call reads two numbers and touches no memory.
    let result = unsafe { prctl(SET_DEATH_SIGNAL, KILL) };
    debug_assert_eq!(result, 0, "the option and the signal exist");
}
