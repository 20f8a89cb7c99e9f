//! Lane programs as source text: what is printed, and what it computes on the first OpenCL device, against the emulator.
//!
//! A case of `tests/cases/opencl` is a lane program, its OpenCL C and its HIP. `TILEWRIGHT_BLESS=1` rewrites the texts.

mod support;

use std::{collections::BTreeMap, fs, path::Path, sync::Arc};

use backends::opencl::{Dialect, compile, print};
use ir::{
    Bytes, DType, Flops,
    lane::{Program, emulate_all, parse, verify},
    ops::Absent,
};
use runtime::{
    Device, DeviceError, Drivers, Executor, Model, OpenClError, Options, TensorView, Writer,
    manifest::{
        BufferRef, Code, Input, Kernel, KernelId, Language, Launch, Manifest, Output, Param,
        Program as Steps, SectionKind, Source, Step, TargetCode, TextRef,
    },
};
use support::{decoded, encoded};

/// Cases by name, with their files.
fn cases() -> Vec<(String, std::path::PathBuf)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/opencl");
    let files = fs::read_dir(folder).unwrap().map(|f| f.unwrap().path());
    let mut all: Vec<_> = files
        .map(|path| {
            (
                path.file_stem().unwrap().to_string_lossy().into_owned(),
                path,
            )
        })
        .collect();
    all.retain(|(_, path)| path.extension().is_some_and(|e| e == "test"));
    all.sort();
    all
}

fn program(path: &Path) -> (String, Program) {
    let text = fs::read_to_string(path).unwrap();
    let lane = text.split("----\n").next().unwrap().to_owned();
    let program = parse(&lane).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    verify(&program).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    (lane, program)
}

#[test]
fn texts_are_as_expected() {
    for (name, path) in cases() {
        let (lane, program) = program(&path);
        let text = |dialect| match print(&program, dialect) {
            Ok(text) => text,
            Err(e) => format!("{e}\n"),
        };
        let [opencl, hip] = [Dialect::OpenCl, Dialect::Hip].map(text);
        assert_eq!(
            print(&program, Dialect::OpenCl).ok(),
            Some(opencl.clone()),
            "{name}: one text"
        );
        let found = format!("{lane}----\n{opencl}---- hip\n{hip}");
        if std::env::var_os("TILEWRIGHT_BLESS").is_some() {
            // The other tests read the files meanwhile.
            let partial = path.with_extension("partial");
            fs::write(&partial, &found).unwrap();
            fs::rename(partial, &path).unwrap();
        }
        let wanted = fs::read_to_string(&path).unwrap();
        assert!(
            wanted == found,
            "{name}: another text; `cargo xtask bless tilewright-backends`\n{opencl}\n{hip}"
        );
    }
}

fn drivers() -> Drivers {
    Drivers {
        opencl: std::env::var_os("TILEWRIGHT_OPENCL").map(Into::into),
        ..Drivers::default()
    }
}

/// An artifact with one kernel: inputs are the arrays that it reads, outputs those that it writes.
fn artifact(program: &Program) -> runtime::Artifact {
    let source = compile(std::slice::from_ref(program), Dialect::OpenCl)
        .unwrap()
        .remove(0);
    let mut writer = Writer::in_memory().unwrap();
    let mut text = |name: &str, text: String| {
        let len = text.len() as u64;
        let section = writer
            .section(name, SectionKind::Text, |w| w.write_all(text.as_bytes()))
            .unwrap();
        TextRef {
            section,
            offset: 0,
            len,
        }
    };
    let launch = Launch {
        source: Some(text("text", source.text)),
        image: None,
        variants: source.variants,
        threads: program.threads(),
        shared: Bytes(source.shared),
        shared_asked: Bytes(0),
        takes: None,
        lane: Some(text(
            "lane program",
            serde_json::to_string(program).unwrap(),
        )),
    };
    let kernel = Kernel {
        symbol: source.symbol,
        name: program.name.clone(),
        family: "test".into(),
        blocks: program.blocks() as u64,
        scratch: Bytes(0),
        params: program
            .params
            .iter()
            .map(|p| Param {
                dtype: p.dtype,
                len: p.len as u64,
                written: p.written,
            })
            .collect(),
        rules: vec![],
        flops: Flops(1),
        bytes: Bytes(1),
        meaning: String::new(),
        tile: None,
        launch: Some(launch),
    };
    let (mut inputs, mut outputs) = (vec![], vec![]);
    let (mut input_shapes, mut output_shapes) = (vec![], vec![]);
    let mut args = vec![];
    for p in &program.params {
        let (name, dtype, shape) = (p.name.clone(), p.dtype, vec![p.len as u64]);
        if p.written {
            args.push(BufferRef::Output(outputs.len() as u32));
            outputs.push(Output { name, dtype });
            output_shapes.push(shape);
        } else {
            args.push(BufferRef::Input(inputs.len() as u32));
            let absent = Absent::Required;
            inputs.push(Input {
                name,
                dtype,
                absent,
                below: 0,
            });
            input_shapes.push(shape);
        }
    }
    let manifest = Manifest {
        generate: None,
        ranges: None,
        model: program.name.clone(),
        producer: "test".into(),
        inputs,
        outputs,
        targets: vec![TargetCode {
            target: "opencl".into(),
            toolchain: "test".into(),
            accepted_by: None,
            code: Code::Source(Source {
                language: Language::OpenclC,
                arch: String::new(),
                lanes: program.lanes,
            }),
            kernels: vec![kernel],
            programs: vec![Steps {
                sizes: BTreeMap::new(),
                input_shapes,
                output_shapes,
                arena: Bytes(0),
                steps: vec![Step {
                    kernel: KernelId(0),
                    args,
                }],
            }],
        }],
    };
    writer.open(manifest).unwrap()
}

/// None, and a word about it, where there is no OpenCL device.
fn executor(program: &Program) -> Option<Executor> {
    match Model::load_on(Arc::new(artifact(program)), &Device::OpenCl(0), &drivers()) {
        Ok(model) => Some(model.executor(0, &Options::default()).unwrap()),
        Err(DeviceError::OpenCl(
            e @ (OpenClError::NoLibrary { .. } | OpenClError::NoDevice { .. }),
        )) => {
            println!("skipped: {e}");
            None
        }
        Err(e) => panic!(
            "{}: {e}\n{}",
            program.name,
            print(program, Dialect::OpenCl).unwrap()
        ),
    }
}

/// Small numbers; integers are no divisor of zero, and ids of tables are not negative.
fn numbers(dtype: DType, len: usize, seed: usize) -> Vec<f64> {
    let number = |i: usize| {
        let n = ((i + 13 * seed) * 7919 % 101) as f64;
        match dtype {
            DType::F32 => (n - 50.0) / 7.0,
            DType::F16 | DType::Bf16 => (n - 50.0) / 8.0,
            DType::Bool => n % 2.0,
            DType::I32 | DType::I8 if n % 9.0 == 4.0 => 5.0,
            DType::I32 | DType::I8 => n % 9.0 - 4.0,
            _ => n % 5.0,
        }
    };
    (0..len).map(|i| ir::round_to(dtype, number(i))).collect()
}

#[test]
fn texts_compute_what_the_emulator_does() {
    for (name, path) in cases() {
        let (_, program) = program(&path);
        let mut params: Vec<Vec<f64>> = (0..)
            .zip(&program.params)
            .map(|(seed, p)| match p.written {
                true => vec![f64::NAN; p.len as usize],
                false => numbers(p.dtype, p.len as usize, seed),
            })
            .collect();
        let Some(mut executor) = executor(&program) else {
            return;
        };
        for (p, values) in program
            .params
            .iter()
            .zip(&params)
            .filter(|(p, _)| !p.written)
        {
            let view = TensorView {
                dtype: p.dtype,
                shape: &[values.len()],
                bytes: &encoded(p.dtype, values).0,
            };
            executor.set_input(&p.name, view).unwrap();
        }
        executor.run().unwrap();
        emulate_all(&program, &mut params, None).unwrap_or_else(|e| panic!("{name}: {e}"));
        for (p, wanted) in program
            .params
            .iter()
            .zip(&params)
            .filter(|(p, _)| p.written)
        {
            let bytes = executor.output(&p.name).unwrap().bytes.to_vec();
            let found = decoded(p.dtype, &support::Data(bytes));
            compare(&format!("{name}: {}", p.name), p.dtype, &found, wanted);
        }
    }
}

/// OpenCL 1.2 allows built-in functions up to 16 units in the last place (table 7.4.4, `erf` and `pow`), and sums here
/// have up to 64 terms that the reference adds in the same order.
fn compare(what: &str, dtype: DType, found: &[f64], wanted: &[f64]) {
    let unit = match dtype {
        DType::F32 => 2f64.powi(-23),
        DType::F16 => 2f64.powi(-10),
        DType::Bf16 => 2f64.powi(-7),
        _ => 0.0,
    };
    for (at, (f, w)) in found.iter().zip(wanted).enumerate() {
        // What no lane writes is undefined on the device.
        let same = f == w || w.is_nan() || (f - w).abs() <= 16.0 * unit * w.abs().max(1e-3);
        assert!(same, "{what}[{at}]: found {f}, wanted {w}");
        assert!(
            !what.ends_with("nans") || f.is_nan(),
            "{what}[{at}]: wanted a NaN, found {f}"
        );
    }
}

#[test]
fn what_the_language_lacks_is_an_error() {
    let lane = |body: &str| {
        let text = format!(
            "lane p grid [1] warps 1 lanes 32 {{\n  param %x : f32[32]\n  param %y : f32[32] written\n  \
             %0 = load %x[lane] : 1\n{body}  store %y[lane] = %1\n}}\n"
        );
        print(&parse(&text).unwrap(), Dialect::OpenCl)
            .unwrap_err()
            .to_string()
    };
    let shuffle = lane("  %1 = shuffle_xor %0, 1\n");
    assert!(
        shuffle.contains("shuffles: the target has none"),
        "{shuffle}"
    );
}
