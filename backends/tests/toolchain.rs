//! The linked MLIR and LLVM work together: a module in MLIR's text becomes an x86 object.

use inkwell::{
    OptimizationLevel,
    targets::{CodeModel, FileType, InitializationConfig, RelocMode, Target, TargetTriple},
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

const SOURCE: &str = "
func.func @twice(%x: f32) -> f32 {
  %y = arith.addf %x, %x : f32
  return %y : f32
}";

const PIPELINE: &str = "builtin.module(convert-arith-to-llvm,convert-func-to-llvm,\
                        reconcile-unrealized-casts)";

#[test]
fn an_mlir_module_becomes_an_x86_object() {
    let registry = DialectRegistry::new();
    register_all_dialects(&registry);
    let context = Context::new();
    context.append_dialect_registry(&registry);
    context.load_all_available_dialects();
    register_all_passes();
    register_all_llvm_translations(&context);

    let mut module = Module::parse(&context, SOURCE).unwrap();
    let passes = PassManager::new(&context);
    parse_pass_pipeline(passes.as_operation_pass_manager(), PIPELINE).unwrap();
    passes.run(&mut module).unwrap();

    let llvm = inkwell::context::Context::create();
    let module = to_llvm(&llvm, &module);
    Target::initialize_x86(&InitializationConfig::default());
    let triple = TargetTriple::create("x86_64-unknown-linux-gnu");
    let machine = Target::from_triple(&triple)
        .unwrap()
        .create_target_machine(
            &triple,
            "x86-64-v3",
            "",
            OptimizationLevel::Aggressive,
            RelocMode::PIC,
            CodeModel::Default,
        )
        .unwrap();
    let object = machine
        .write_to_memory_buffer(&module, FileType::Object)
        .unwrap();
    let bytes = object.as_slice();
    assert_eq!(&bytes[..4], b"\x7fELF");
    assert!(bytes.windows(5).any(|window| window == b"twice"));
}

#[allow(unsafe_code)]
fn to_llvm<'c>(
    llvm: &'c inkwell::context::Context,
    module: &Module<'_>,
) -> inkwell::module::Module<'c> {
    // SAFETY: both handles are live; the translation makes a module owned by `llvm`, and the
    // wrapper takes over that one reference.
    unsafe {
        let raw = mlir_sys::mlirTranslateModuleToLLVMIR(
            module.as_operation().to_raw(),
            llvm.raw() as *mut _,
        );
        assert!(!raw.is_null());
        inkwell::module::Module::new(raw as *mut _)
    }
}
