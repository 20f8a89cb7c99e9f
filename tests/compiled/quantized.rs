//! Matrices in few bits: kernels compute from codes what the matrices that the codes stand for give.

use std::{collections::BTreeMap, sync::Arc};

use ir::{DType, Tensor, WeightMap};
use tilewright::{
    CompileError, CompileOptions, Quantize, QuantizeError, Storage,
    import::{self, Model},
    quantize,
    runtime::{self, Device, manifest::SectionKind},
};

use crate::{
    BOUND, blocks, drivers, execute,
    folder::Folder,
    support::{Case, Numbers, cases, models},
};

type Outputs = BTreeMap<String, Tensor>;

/// What the CPU gives, and bytes of weights in the artifact.
fn run(model: &Model, case: &Case, how: Option<Quantize>) -> (Outputs, u64) {
    let mut options = CompileOptions::new(tilewright::target("cpu").unwrap());
    options.sizes = vec![case.sizes(&model.graph)];
    options.quantize = how;
    let made = tilewright::compile_in_memory(&model.graph, &model.weights, &options, &mut |_| ());
    let (artifact, _) = made.unwrap_or_else(|e| panic!("{e}"));
    let sections = artifact.sections().iter();
    let weights = sections.filter(|s| s.kind == SectionKind::Weights);
    let bytes = weights.map(|s| s.len).sum();
    let loaded = runtime::Model::load_on(Arc::new(artifact), &Device::Cpu, &drivers());
    (execute(&loaded.unwrap(), case).0, bytes)
}

/// The largest difference, relative to the largest number of its output.
fn difference(found: &Outputs, wanted: &Outputs) -> f64 {
    let numbers = wanted.iter().map(|(name, x)| {
        let (shape, values) = (x.shape().to_vec(), x.values().into_owned());
        (name.clone(), Numbers { shape, values })
    });
    let wanted = Case {
        inputs: BTreeMap::new(),
        outputs: numbers.collect(),
    };
    wanted.error(found)
}

/// How far a run from codes is from what they say, by the definitions of the ops in f64, and from a run in f32.
fn check(name: &str, model: &Model, case: &Case, how: Quantize) -> (f64, u64) {
    let quantized = quantize(&model.graph, &model.weights, how);
    let quantized = quantized.unwrap_or_else(|e| panic!("{name} {how}: {e}"));
    let graph = quantized.graph.bind(&case.sizes(&model.graph)).unwrap();
    let inputs = case.inputs.iter().map(|(name, x)| {
        let tensor = Tensor::from_f64(x.dtype(), &x.shape, x.values.clone()).unwrap();
        (name.clone(), tensor)
    });
    let wanted = ir::eval::evaluate(&graph, &inputs.collect(), &quantized.weights).unwrap();
    let (found, bytes) = run(model, case, Some(how));
    let error = difference(&found, &wanted);
    assert!(error < BOUND, "{name} {how}: {error:.1e}");
    let off = difference(&found, &run(model, case, None).0);
    println!("{name} {how}: {error:.1e} from its codes, {off:.1e} from f32");
    (off, bytes)
}

#[test]
fn models_in_few_bits_compute_what_their_codes_say() {
    for name in ["llama", "bert", "qwen2", "gpt2"] {
        let folder = models().join(name);
        let model = import::load(&folder).unwrap();
        let case = &cases(&folder)[0];
        for how in [Quantize::W8, Quantize::W4 { group: 16 }] {
            let (off, _) = check(name, &model, case, how);
            assert!(off > 1e-4, "{name} {how}: codes must have been used");
        }
    }
}

/// A quarter of Llama 3 8B, in four bits with a scale for 128 inputs.
#[test]
fn a_llama_layer_in_four_bits_takes_less_than_three_tenths_of_bf16() {
    let folder = Folder::empty("llama-in-bits");
    let (config, tensors) = blocks::llama_layer();
    blocks::write(&folder.0, &config, &tensors);
    let elements: i64 = tensors
        .iter()
        .map(|(_, shape)| shape.iter().product::<i64>())
        .sum();
    let model = import::load(&folder.0).unwrap();
    let case = blocks::tokens();
    let (off, bytes) = check("llama layer", &model, &case, Quantize::W4 { group: 128 });
    assert!(off < 0.3, "{off}");
    let part = bytes as f64 / (2 * elements) as f64;
    println!("{bytes} bytes, {part:.3} of bf16");
    assert!(part < 0.30, "{part}");
}

#[test]
fn what_cannot_be_in_few_bits_is_told() {
    let fails = |model: &Model, how, storage| {
        let mut options = CompileOptions::new(tilewright::target("cpu").unwrap());
        options.quantize = Some(how);
        options.storage = storage;
        let made =
            tilewright::compile_in_memory(&model.graph, &model.weights, &options, &mut |_| ());
        match made {
            Err(CompileError::Quantize(error)) => error.to_string(),
            Err(other) => panic!("{other}"),
            Ok(_) => panic!("{how} was taken"),
        }
    };
    let model = import::load(&models().join("llama")).unwrap();
    let words = fails(&model, Quantize::W4 { group: 128 }, Storage::F32);
    assert!(words.contains("a multiple of 128 inputs"), "{words}");
    let words = fails(&model, Quantize::W8, Storage::F16);
    assert!(words.contains("wanted f32 beside it, found f16"), "{words}");

    let mut graph = ir::Graph::new("g");
    let ty = ir::TensorType::fixed(DType::F32, &[16, 16]);
    let mut b = ir::Build::new(&mut graph);
    let input = ir::ops::Input {
        name: "x".into(),
        ty: ty.clone(),
        absent: ir::ops::Absent::Required,
        below: 0,
    };
    let x = b.op(input, &[]);
    let name = "w".into();
    let w = b.op(ir::ops::Weight { name, ty }, &[]);
    let y = b.matmul(x, w);
    graph.output("y", y);
    let mut values = vec![1.0; 256];
    values[17] = f64::NAN;
    let w = Tensor::from_f64(DType::F32, &[16, 16], values).unwrap();
    let weights: WeightMap = [("w", w)].into_iter().collect();
    let Err(QuantizeError::NotFinite { name, position, .. }) =
        quantize(&graph, &weights, Quantize::W8).map(|_| ())
    else {
        panic!("NaN was taken")
    };
    assert_eq!((name.as_str(), position), ("w", [1, 1]));
    for bad in ["w4", "w4g3", "w4g0", "w4g-2", "w16", ""] {
        assert!(bad.parse::<Quantize>().is_err(), "{bad}");
    }
    for good in ["w8", "w4g2", "w4g128"] {
        assert_eq!(good.parse::<Quantize>().unwrap().to_string(), good);
    }
}
