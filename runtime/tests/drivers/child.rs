//! `tilewright-run` against a library that stands in for a driver.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use serde_json::Value;
use tempfile::TempDir;

use crate::{artifacts::Made, sum::LEN};

/// Which driver is stood in for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fake {
    Cuda,
    Hip,
    Ascend,
    /// HIP of a release that lacks a function.
    OldHip,
}

impl Fake {
    const ALL: [Self; 3] = [Self::Cuda, Self::Hip, Self::Ascend];

    /// The source, the variable that names the library, and the device.
    fn names(self) -> [&'static str; 3] {
        match self {
            Self::Cuda => ["fake_cuda", "TILEWRIGHT_CUDA", "cuda:0"],
            Self::Hip | Self::OldHip => ["fake_hip", "TILEWRIGHT_HIP", "rocm:0"],
            Self::Ascend => ["fake_ascendcl", "TILEWRIGHT_ASCEND", "ascend:0"],
        }
    }

    /// The library, compiled once for all tests.
    pub fn library(self) -> PathBuf {
        static FOLDER: OnceLock<TempDir> = OnceLock::new();
        let folder = FOLDER.get_or_init(|| {
            let folder = tempfile::tempdir().unwrap();
            Self::ALL.iter().for_each(|f| f.compile(folder.path()));
            Self::OldHip.compile(folder.path());
            folder
        });
        folder.path().join(self.file())
    }

    fn file(self) -> &'static str {
        match self {
            Self::Cuda => "cuda.so",
            Self::Hip => "hip.so",
            Self::Ascend => "ascendcl.so",
            Self::OldHip => "old_hip.so",
        }
    }

    fn compile(self, folder: &Path) {
        let [name, ..] = self.names();
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/drivers");
        // The one that set-up unpacks, else the machine's.
        let compiler = std::env::var_os("CLANG_PATH").map(PathBuf::from);
        let compiler = compiler.filter(|p| p.is_file());
        let status = Command::new(compiler.unwrap_or_else(|| "cc".into()))
            .args([
                "-std=gnu11",
                "-shared",
                "-fPIC",
                "-O1",
                "-fvisibility=hidden",
                "-w",
                "-o",
            ])
            .arg(folder.join(self.file()))
            .args((self == Self::OldHip).then_some("-DFAKE_OLD"))
            .arg(sources.join(name).with_extension("c"))
            .status()
            .unwrap();
        assert!(status.success());
    }
}

/// A call that is being put together.
pub struct Child {
    fake: Fake,
    device: String,
    library: PathBuf,
    settings: Vec<(String, String)>,
}

impl Child {
    pub fn new(fake: Fake) -> Self {
        Self {
            device: fake.names()[2].into(),
            library: fake.library(),
            fake,
            settings: vec![],
        }
    }

    /// Variables that the library reads.
    pub fn settings(mut self, settings: &[(&str, &str)]) -> Self {
        let owned = settings.iter().map(|(n, v)| ((*n).into(), (*v).into()));
        self.settings.extend(owned);
        self
    }

    pub fn device(mut self, device: &str) -> Self {
        self.device = device.into();
        self
    }

    pub fn library(mut self, path: &str) -> Self {
        self.library = path.into();
        self
    }

    /// `run`, with an input.
    pub fn run(self, made: &Made, more: &[&str]) -> Said {
        let inputs = made.path.with_extension("npz");
        let x: Vec<u8> = (1..=LEN).flat_map(|i| (i as f32).to_le_bytes()).collect();
        let shape = [LEN as usize];
        let view = tilewright_runtime::TensorView {
            dtype: ir::DType::F32,
            shape: &shape,
            bytes: &x,
        };
        tilewright_runtime::write_npz(&inputs, &[("x", view)]).unwrap();
        let inputs = inputs.display().to_string();
        self.call(made, &[&["run", "--inputs", &inputs], more].concat())
    }

    /// `bench`.
    pub fn bench(self, made: &Made, more: &[&str]) -> Said {
        self.call(made, &[&["bench"], more].concat())
    }

    fn call(self, made: &Made, words: &[&str]) -> Said {
        let mut command = program();
        command.env(self.fake.names()[1], &self.library);
        command.args(words).arg(&made.path).arg("--json");
        command.args(["--device", &self.device]);
        // Logs are apart, since tests run side by side.
        let log = made.path.with_extension("log");
        let _ = std::fs::remove_file(&log);
        command.env("FAKE_LOG", &log);
        command.envs(self.settings);
        Said::of(command, &log)
    }
}

/// The program, with no driver but those that stand in.
fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tilewright-run"));
    for fake in Fake::ALL {
        command.env(fake.names()[1], "/nowhere/lib.so");
    }
    command
}

/// `emit` of a target.
pub fn emit(made: &Made, target: &str, folder: &Path) -> Said {
    let mut command = program();
    command.arg("emit").arg(&made.path);
    command.args(["--target", target, "-o"]).arg(folder);
    Said::of(command, Path::new(""))
}

/// `devices`, with all three stood in for.
pub fn devices(settings: &[(&str, &str)]) -> Said {
    let mut command = program();
    for fake in Fake::ALL {
        command.env(fake.names()[1], fake.library());
    }
    command.arg("devices").envs(settings.iter().copied());
    Said::of(command, Path::new(""))
}

/// What a child said, and what the library wrote down.
#[derive(Debug)]
pub struct Said {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
    pub json: Value,
    pub log: Vec<String>,
}

impl Said {
    fn of(mut command: Command, log: &Path) -> Self {
        let output = command.output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let stdout = text(output.stdout);
        let log = std::fs::read_to_string(log).unwrap_or_default();
        let said = Self {
            code: output.status.code(),
            json: serde_json::from_str(&stdout).unwrap_or_default(),
            stdout,
            stderr: text(output.stderr),
            log: log.lines().map(Into::into).collect(),
        };
        assert_eq!(said.count("WRONG"), 0, "{said:?}");
        said
    }

    pub fn succeeded(&self) {
        assert_eq!(self.code, Some(0), "{self:?}");
    }

    /// Lines with these words.
    pub fn lines(&self, words: &str) -> Vec<&String> {
        self.log.iter().filter(|l| l.contains(words)).collect()
    }

    pub fn count(&self, words: &str) -> usize {
        self.lines(words).len()
    }

    /// From the line with these words that comes after so many others, to another one.
    pub fn between(&self, words: &str, first: usize, last: usize) -> &[String] {
        let lines = self.log.iter().enumerate();
        let at: Vec<_> = lines
            .filter(|(_, l)| l.contains(words))
            .map(|(i, _)| i)
            .collect();
        &self.log[at[first]..=at[last]]
    }
}
