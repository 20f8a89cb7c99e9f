//! The processes that are timed.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::Arc,
    time::Instant,
};

pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// One model at one shape with one number of threads.
pub struct Setting {
    pub batch: usize,
    pub seq: usize,
    pub threads: usize,
    /// Inputs, results and the exported model.
    pub work: PathBuf,
    model: PathBuf,
    python: PathBuf,
}

impl Setting {
    /// Writes the inputs.
    pub fn new(toolchain: &Path, batch: usize, seq: usize, threads: usize) -> Result<Self> {
        let work =
            PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("side_by_side_{batch}x{seq}"));
        fs::create_dir_all(&work)?;
        // Word pieces of the vocabulary's middle, from a fixed linear congruential sequence.
        let mut state = 1_u64;
        let ids = (0..batch * seq).map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            1000 + (state >> 33) as i64 % 28_000
        });
        let write = |name: &str, values: &mut dyn Iterator<Item = i64>| {
            let bytes: Vec<u8> = values.flat_map(i64::to_le_bytes).collect();
            fs::write(work.join(name), bytes)
        };
        write("input_ids.i64", &mut ids.into_iter())?;
        write(
            "attention_mask.i64",
            &mut std::iter::repeat_n(1, batch * seq),
        )?;
        let model = toolchain.join("models/all-MiniLM-L6-v2");
        let python = toolchain.join("venv/bin/python");
        Ok(Self {
            batch,
            seq,
            threads,
            work,
            model,
            python,
        })
    }

    /// The command of a peer.
    pub fn peer(&self, name: &str) -> Command {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/side_by_side/peer.py");
        let mut command = Command::new(&self.python);
        command
            .arg(script)
            .arg(name)
            .arg(&self.model)
            .arg(&self.work);
        command.args([self.batch, self.seq, self.threads].map(|n| n.to_string()));
        command
    }

    /// The command of our own runner: this program again.
    pub fn ours(&self) -> Result<Command> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("--runner").arg(&self.model).arg(&self.work);
        command.args([self.batch, self.seq, self.threads].map(|n| n.to_string()));
        Ok(command)
    }

    /// The first result of a runner.
    pub fn result(&self, name: &str) -> Result<Vec<f32>> {
        let bytes = fs::read(self.work.join(format!("{name}.f32")))?;
        Ok(bytes
            .chunks_exact(4)
            .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
            .collect())
    }
}

/// A process that runs the model once for each line it is sent.
pub struct Runner {
    pub name: String,
    pub version: String,
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl Runner {
    pub fn start(name: &str, mut command: Command) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let to = child.stdin.take().ok_or("a piped stdin")?;
        let from = BufReader::new(child.stdout.take().ok_or("a piped stdout")?);
        let mut runner = Self {
            name: name.into(),
            version: String::new(),
            child,
            to,
            from,
        };
        let line = runner.line()?;
        let version = line
            .strip_prefix("ready ")
            .ok_or(format!("{name}: {line}"))?;
        // What builds put behind the number would not fit the table.
        runner.version = version.chars().take_while(|c| *c != '-').collect();
        Ok(runner)
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        self.from.read_line(&mut line)?;
        if line.is_empty() {
            return Err(format!("{}: ended early ({})", self.name, self.child.wait()?).into());
        }
        Ok(line.trim().into())
    }

    /// The median of this many runs, in seconds.
    pub fn time(&mut self, runs: usize) -> Result<f64> {
        let mut seconds = Vec::new();
        for _ in 0..runs {
            writeln!(self.to)?;
            seconds.push(self.line()?.parse::<f64>()?);
        }
        Ok(crate::report::median(&seconds))
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        // It may have ended by itself; there is nothing to do about either failure.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Largest difference over largest reference value.
pub fn relative_error(a: &[f32], b: &[f32]) -> Result<f64> {
    if a.len() != b.len() {
        return Err(format!("results of {} and {} elements", a.len(), b.len()).into());
    }
    let most = |it: &mut dyn Iterator<Item = f32>| it.fold(0_f32, f32::max);
    let difference = most(&mut a.iter().zip(b).map(|(x, y)| (x - y).abs()));
    Ok(f64::from(difference) / f64::from(most(&mut b.iter().map(|y| y.abs()))))
}

/// Our own runner: compiles untuned, then runs once per line.
pub fn ours(words: &[String]) -> Result<()> {
    let [model, work, batch, seq, threads] = words else {
        return Err("wanted five arguments".into());
    };
    let (batch, seq): (i64, i64) = (batch.parse()?, seq.parse()?);
    let model = tilewright::import::load(Path::new(model))?;
    let options = tilewright::CompileOptions::new(tilewright::target("cpu")?)
        .with_sizes([("batch", batch), ("seq", seq)]);
    let (artifact, _) =
        tilewright::compile_in_memory(&model.graph, &model.weights, &options, &mut |_| ())?;
    let loaded = tilewright::runtime::Model::load(Arc::new(artifact))?;
    let run = tilewright::runtime::Options {
        threads: Some(threads.parse()?),
        ..Default::default()
    };
    let mut executor = loaded.executor(0, &run)?;
    for name in ["input_ids", "attention_mask"] {
        let bytes = fs::read(Path::new(work).join(format!("{name}.i64")))?;
        let shape = [batch as usize, seq as usize];
        executor.set_input(
            name,
            tilewright::runtime::TensorView {
                dtype: tilewright::ir::DType::I64,
                shape: &shape,
                bytes: &bytes,
            },
        )?;
    }
    executor.run()?;
    let result = executor
        .output("last_hidden_state")
        .ok_or("an output named last_hidden_state")?;
    fs::write(Path::new(work).join("tilewright.f32"), result.bytes)?;
    println!("ready {}", env!("CARGO_PKG_VERSION"));
    for _ in std::io::stdin().lock().lines() {
        let begun = Instant::now();
        executor.run()?;
        println!("{}", begun.elapsed().as_secs_f64());
    }
    Ok(())
}
