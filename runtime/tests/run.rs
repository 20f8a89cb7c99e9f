//! Artifacts are written, opened and run.

mod support;

use std::{num::NonZeroUsize, sync::Arc};

use ir::DType;
use support::*;
use tempfile::tempdir;
use tilewright_runtime::{Artifact, Model, Options, RunError, TensorView, WeightChecks};

fn options(threads: usize) -> Options {
    Options {
        threads: NonZeroUsize::new(threads),
        profile: true,
    }
}

fn load(path: &std::path::Path) -> Model {
    Model::load(Arc::new(
        Artifact::open(path, WeightChecks::BeforeUse).unwrap(),
    ))
    .unwrap()
}

#[test]
fn computes_with_any_number_of_threads() {
    let folder = tempdir().unwrap();
    let model = load(&artifact(folder.path(), &[7, 200]));
    for (program, rows) in [(0, 7_usize), (1, 200)] {
        for threads in [1, 2, 3, 8] {
            let mut x = model.executor(program, &options(threads)).unwrap();
            for round in 0..20 {
                let ids: Vec<i64> = (0..rows as i64).map(|i| (i * 7 + round) % 50).collect();
                let view = TensorView {
                    dtype: DType::I64,
                    shape: &[1, rows],
                    bytes: &i64s(&ids),
                };
                x.set_input("ids", view).unwrap();
                x.run().unwrap();
                let z = x.output("z").unwrap();
                assert_eq!(z.shape, [rows, 16]);
                assert_eq!(f32s(z.bytes), expected(&ids, &vec![1; rows]));
            }
            assert!(x.stats().iter().all(|s| s.dispatches == 20));
        }
    }
}

#[test]
fn picks_the_program_by_shape() {
    let folder = tempdir().unwrap();
    let model = load(&artifact(folder.path(), &[7, 200]));
    let of = |rows| model.program_for(|name| (name == "ids").then(|| vec![1, rows]));
    assert_eq!(of(200).unwrap(), 1);
    let message = of(8).unwrap_err().to_string();
    assert!(
        message.contains("no program for ids i64[1,8]; it has rows=7; rows=200"),
        "{message}"
    );
}

#[test]
fn refuses_inputs_that_do_not_fit() {
    let folder = tempdir().unwrap();
    let mut x = load(&artifact(folder.path(), &[3]))
        .executor(0, &options(1))
        .unwrap();
    let missing = RunError::Missing {
        name: "ids".into(),
        wanted: "i64[1,3]".into(),
    };
    assert_eq!(x.run(), Err(missing));
    let mut set = |name, dtype, shape: &[usize], bytes: &[u8]| {
        x.set_input(
            name,
            TensorView {
                dtype,
                shape,
                bytes,
            },
        )
        .unwrap_err()
        .to_string()
    };
    let cases = [
        (
            set("idz", DType::I64, &[1, 3], &[0; 24]),
            "no such input; it has ids, mask",
        ),
        (
            set("ids", DType::I32, &[1, 3], &[0; 12]),
            "wanted i64[1,3], found i32[1,3]",
        ),
        (
            set("ids", DType::I64, &[3, 1], &[0; 24]),
            "wanted i64[1,3], found i64[3,1]; help",
        ),
        (
            set("ids", DType::I64, &[1, 3], &[0; 23]),
            "24 bytes wanted, 23 given",
        ),
        (
            set("ids", DType::I64, &[1, 3], &i64s(&[1, 50, 2])),
            "`ids`: the value at [0, 1] is 50; wanted 0 to 49",
        ),
        (
            set("ids", DType::I64, &[1, 3], &i64s(&[1, 2, -1])),
            "at [0, 2] is -1",
        ),
    ];
    for (message, wanted) in cases {
        assert!(message.contains(wanted), "{message}");
    }
}

#[test]
fn what_the_system_cannot_give_is_an_error() {
    let folder = tempdir().unwrap();
    let path = artifact_with(folder.path(), &[3], |m| {
        m.targets[0].programs[0].arena = ir::Bytes(1 << 60);
    });
    let refused = |path: &std::path::Path, threads| {
        let x = load(path).executor(0, &options(threads)).map(|_| ());
        x.unwrap_err().to_string()
    };
    let message = refused(&path, 1);
    assert!(message.contains("bytes of memory: "), "{message}");
    let path = artifact(folder.path(), &[3]);
    assert_eq!(
        refused(&path, 1 << 31),
        "2147483648 threads; wanted at most 4096"
    );
}

#[test]
fn absent_inputs_return_when_cleared() {
    let folder = tempdir().unwrap();
    let mut x = load(&artifact(folder.path(), &[2]))
        .executor(0, &options(2))
        .unwrap();
    let ids = TensorView {
        dtype: DType::I64,
        shape: &[1, 2],
        bytes: &i64s(&[3, 4]),
    };
    let mask = TensorView {
        dtype: DType::I32,
        shape: &[2],
        bytes: &[5, 0, 0, 0, 6, 0, 0, 0],
    };
    x.set_input("ids", ids).unwrap();
    x.set_input("mask", mask).unwrap();
    x.run().unwrap();
    assert_eq!(
        f32s(x.output("z").unwrap().bytes),
        expected(&[3, 4], &[5, 6])
    );
    x.clear_inputs();
    assert!(x.run().is_err());
    x.set_input("ids", ids).unwrap();
    x.run().unwrap();
    assert_eq!(
        f32s(x.output("z").unwrap().bytes),
        expected(&[3, 4], &[1, 1])
    );
}

#[test]
fn two_artifacts_keep_their_own_code() {
    let folders = [tempdir().unwrap(), tempdir().unwrap()];
    for _ in 0..3 {
        let models = folders.each_ref().map(|f| load(&artifact(f.path(), &[2])));
        for model in &models {
            let mut x = model.executor(0, &options(1)).unwrap();
            let ids = TensorView {
                dtype: DType::I64,
                shape: &[1, 2],
                bytes: &i64s(&[3, 4]),
            };
            x.set_input("ids", ids).unwrap();
            x.run().unwrap();
            assert_eq!(
                f32s(x.output("z").unwrap().bytes),
                expected(&[3, 4], &[1, 1])
            );
        }
    }
}

#[test]
fn an_artifact_in_memory_runs() {
    let folder = tempdir().unwrap();
    let mut writer = tilewright_runtime::Writer::in_memory().unwrap();
    let manifest = sections(&mut writer, &shared_object(folder.path()), &[2]);
    let model = Model::load(Arc::new(writer.open(manifest).unwrap())).unwrap();
    let mut x = model.executor(0, &options(1)).unwrap();
    let ids = TensorView {
        dtype: DType::I64,
        shape: &[1, 2],
        bytes: &i64s(&[3, 4]),
    };
    x.set_input("ids", ids).unwrap();
    x.run().unwrap();
    assert_eq!(
        f32s(x.output("z").unwrap().bytes),
        expected(&[3, 4], &[1, 1])
    );
}

#[test]
fn another_processor_is_an_error_that_helps() {
    let folder = tempdir().unwrap();
    let path = artifact_with(folder.path(), &[2], |m| {
        elf(m).requires = vec!["sse2".into(), "avx4096".into()];
        let first = m.targets[0].clone();
        m.targets[0].target = "cpu:neoverse".into();
        elf(m).arch = "other64".into();
        m.targets.push(first);
    });
    let artifact = Artifact::open(&path, WeightChecks::BeforeUse).unwrap();
    let message = Model::load(Arc::new(artifact))
        .map(|_| ())
        .unwrap_err()
        .to_string();
    for wanted in [
        "avx4096, which this processor lacks",
        "is for other64",
        "tilewright compile",
    ] {
        assert!(message.contains(wanted), "{message}");
    }
}
