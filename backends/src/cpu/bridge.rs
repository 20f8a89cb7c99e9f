//! MLIR text to an object file: the one place that holds MLIR's and LLVM's own handles.

use std::{cell::RefCell, rc::Rc, sync::Once};

use inkwell::{
    OptimizationLevel,
    passes::PassBuilderOptions,
    targets::{
        CodeModel, FileType, InitializationConfig, RelocMode, Target, TargetMachine, TargetTriple,
    },
};
use ir::Simd;
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

/// What is left to do for code that is unrolled and in vectors already: the same code as `default<O3>` for the
/// kernels of a BERT layer, in half of its time.
const PASSES: &str = "function(sroa,early-cse<memssa>,simplifycfg,instcombine<no-verify-fixpoint>,\
                      loop-mssa(loop-rotate,licm),gvn,loop(indvars,loop-idiom,loop-deletion),\
                      loop-mssa(licm),instcombine<no-verify-fixpoint>,early-cse,simplifycfg)";

/// What the code generator has to say about a module that it does not take.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("{stage}: {message}")]
pub struct Refusal {
    /// The step that stopped.
    pub stage: Stage,
    /// Its words.
    pub message: String,
}

/// A step from text to object.
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
    /// Writing the object.
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
            Self::Select => "writing the object",
        })
    }
}

/// The object file of a module, for a processor.
///
/// # Errors
/// The text is not a module, or a pass or LLVM does not take it.
pub(super) fn object(text: &str, simd: &Simd) -> Result<Vec<u8>, Refusal> {
    static PASSES_KNOWN: Once = Once::new();
    PASSES_KNOWN.call_once(|| {
        register_all_passes();
        Target::initialize_x86(&InitializationConfig::default());
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
    let machine = machine(simd)?;
    module.set_triple(&machine.get_triple());
    module.set_data_layout(&machine.get_target_data().get_data_layout());
    let said = |stage| {
        move |message: inkwell::support::LLVMString| Refusal {
            stage,
            message: message.to_string(),
        }
    };
    module
        .run_passes(PASSES, &machine, PassBuilderOptions::create())
        .map_err(said(Stage::Optimise))?;
    let object = machine
        .write_to_memory_buffer(&module, FileType::Object)
        .map_err(said(Stage::Select))?;
    Ok(object.as_slice().to_vec())
}

fn machine(simd: &Simd) -> Result<TargetMachine, Refusal> {
    let refused = |message: String| Refusal {
        stage: Stage::Machine,
        message,
    };
    let triple = TargetTriple::create(&simd.triple);
    let target = Target::from_triple(&triple).map_err(|e| refused(e.to_string()))?;
    let machine = target.create_target_machine(
        &triple,
        &simd.processor,
        "",
        OptimizationLevel::Aggressive,
        RelocMode::PIC,
        CodeModel::Default,
    );
    machine.ok_or_else(|| refused(format!("no code generator for {}", simd.processor)))
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

/// Asks the system to kill this process when the thread that started it ends.
#[allow(unsafe_code)]
pub(super) fn end_with_parent() {
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
