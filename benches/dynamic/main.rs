//! One MiniLM artifact for `batch=1..32,seq=1..512` beside artifacts for one size each: the same results at random sizes, and
//! how much slower it is at the sizes of its programs.
//!
//! `cargo xtask bench dynamic [--sizes N] [--seed S] [--rounds N] [--threads N]`

use std::{
    collections::BTreeMap, error::Error, num::NonZeroUsize, path::Path, sync::Arc, time::Instant,
};

use ir::{Bounds, DType, Sizes, Symbol};
use tilewright::{
    CompileOptions,
    import::{self, Model},
    runtime::{self, Executor, Options, TensorView, measure::ratio},
};

/// Where set-up unpacks the model.
const MODEL: &str = ".toolchain/models/all-MiniLM-L6-v2";
/// Largest batch and sequence.
const MOST: [i64; 2] = [32, 512];
/// The largest relative error that counts as the same result.
const BOUND: f64 = 2e-5;
/// Sizes of programs whose times are compared.
const ENDS: &[[i64; 2]] = &[
    [1, 16],
    [1, 64],
    [1, 128],
    [1, 512],
    [8, 32],
    [8, 128],
    [32, 16],
    [32, 128],
];

struct Settings {
    sizes: usize,
    seed: u64,
    rounds: usize,
    threads: NonZeroUsize,
}

fn settings() -> Result<Settings, Box<dyn Error>> {
    let mut settings = Settings {
        sizes: 40,
        seed: 1,
        rounds: 40,
        threads: NonZeroUsize::new(2).expect("not zero"),
    };
    // `cargo bench` adds `--bench`.
    let mut words = std::env::args().skip(1).filter(|word| word != "--bench");
    while let Some(word) = words.next() {
        let mut next = || words.next().ok_or(format!("{word} takes a number"));
        match word.as_str() {
            "--sizes" => settings.sizes = next()?.parse()?,
            "--seed" => settings.seed = next()?.parse()?,
            "--rounds" => settings.rounds = next()?.parse()?,
            "--threads" => settings.threads = next()?.parse()?,
            other => return Err(format!("no option {other}").into()),
        }
    }
    Ok(settings)
}

fn main() -> Result<(), Box<dyn Error>> {
    let settings = settings()?;
    let model = import::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join(MODEL))?;
    let begun = Instant::now();
    let ranges = ["batch", "seq"].map(Symbol::new).into_iter();
    let ranges = ranges.zip(MOST.map(|max| Bounds { min: 1, max }));
    let (one, bytes) = compiled(&model, Sizes::new(), ranges.collect())?;
    println!(
        "{} programs, {:.1} MB, compiled in {:.0} s",
        one.programs().len(),
        bytes as f64 / 1e6,
        begun.elapsed().as_secs_f64()
    );
    let mut random = Random(settings.seed);
    let mut worst = 0.0_f64;
    println!("\nbatch  seq  relative error");
    for _ in 0..settings.sizes {
        let shape = MOST.map(|most| 1 + random.below(most));
        let inputs = Inputs::new(shape, &mut random);
        let own = inputs.run(&mut exact(&model, shape, settings.threads)?)?;
        let found = inputs.run(&mut inputs.executor(&one, settings.threads)?)?;
        let error = error(&found, &own);
        println!("{:5}  {:3}  {error:.1e}", shape[0], shape[1]);
        worst = if error > worst || error.is_nan() {
            error
        } else {
            worst
        };
    }
    println!(
        "largest relative error at {} sizes: {worst:.1e}",
        settings.sizes
    );
    println!("\nbatch  seq  time, relative to an artifact of that size (95 %)");
    for shape in ENDS {
        let inputs = Inputs::new(*shape, &mut random);
        let mut own = exact(&model, *shape, settings.threads)?;
        let mut wide = inputs.executor(&one, settings.threads)?;
        let mut times = [vec![], vec![]];
        for round in 0..settings.rounds + 3 {
            // Whoever comes first takes turns.
            for side in [round % 2, 1 - round % 2] {
                let executor = if side == 0 { &mut wide } else { &mut own };
                inputs.set(executor)?;
                let begun = Instant::now();
                executor.run()?;
                if round >= 3 {
                    times[side].push(begun.elapsed().as_secs_f64());
                }
            }
        }
        let r = ratio(&times[0], &times[1]).ok_or("too few rounds")?;
        let [batch, seq] = shape;
        println!(
            "{batch:5}  {seq:3}  {:.3} ({:.3} to {:.3})",
            r.value, r.low, r.high
        );
    }
    if worst > BOUND || worst.is_nan() {
        return Err(format!("wanted a relative error of {BOUND:e} at most").into());
    }
    Ok(())
}

fn compiled(
    model: &Model,
    sizes: Sizes,
    ranges: BTreeMap<Symbol, Bounds>,
) -> Result<(runtime::Model, usize), Box<dyn Error>> {
    let mut options = CompileOptions::new(tilewright::target("cpu")?);
    options.sizes = vec![sizes];
    options.ranges = ranges;
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("dynamic.tw");
    tilewright::compile_to(&model.graph, &model.weights, &options, &path, &mut |_| ())?;
    let bytes = std::fs::metadata(&path)?.len() as usize;
    let artifact = runtime::Artifact::open(&path, runtime::WeightChecks::BeforeUse)?;
    Ok((runtime::Model::load(Arc::new(artifact))?, bytes))
}

/// An artifact for one size.
fn exact(
    model: &Model,
    shape: [i64; 2],
    threads: NonZeroUsize,
) -> Result<Executor, Box<dyn Error>> {
    let sizes = ["batch", "seq"].map(Symbol::new).into_iter().zip(shape);
    let (model, _) = compiled(model, sizes.collect(), BTreeMap::new())?;
    Ok(model.executor(0, &options(threads))?)
}

fn options(threads: NonZeroUsize) -> Options {
    Options {
        threads: Some(threads),
        profile: false,
    }
}

/// Tokens, of which some at the end of each row are padding.
struct Inputs {
    shape: [usize; 2],
    ids: Vec<u8>,
    mask: Vec<u8>,
}

impl Inputs {
    fn new(shape: [i64; 2], random: &mut Random) -> Self {
        let [batch, seq] = shape;
        let bytes = |values: Vec<i64>| values.into_iter().flat_map(i64::to_le_bytes).collect();
        let ids = (0..batch * seq).map(|_| random.below(30522)).collect();
        let row = |length: i64| (0..seq).map(move |i| i64::from(i < length));
        let mask = (0..batch)
            .flat_map(|_| row(1 + random.below(seq)))
            .collect();
        Self {
            shape: shape.map(|n| n as usize),
            ids: bytes(ids),
            mask: bytes(mask),
        }
    }

    fn executor(
        &self,
        model: &runtime::Model,
        threads: NonZeroUsize,
    ) -> Result<Executor, Box<dyn Error>> {
        let (program, sizes) = model.fit(|_| Some(self.shape.to_vec()))?;
        let mut executor = model.executor(program, &options(threads))?;
        executor.set_sizes(&sizes)?;
        Ok(executor)
    }

    fn set(&self, executor: &mut Executor) -> Result<(), Box<dyn Error>> {
        for (name, bytes) in [("input_ids", &self.ids), ("attention_mask", &self.mask)] {
            let shape = &self.shape;
            let dtype = DType::I64;
            executor.set_input(
                name,
                TensorView {
                    dtype,
                    shape,
                    bytes,
                },
            )?;
        }
        Ok(())
    }

    /// All outputs, as numbers.
    fn run(&self, executor: &mut Executor) -> Result<Vec<Vec<f32>>, Box<dyn Error>> {
        self.set(executor)?;
        executor.run()?;
        let count = executor.outputs().len();
        let numbers = |at| {
            let bytes = executor.output_at(at).expect("it is there").bytes;
            let (numbers, _) = bytes.as_chunks();
            numbers.iter().map(|b| f32::from_le_bytes(*b)).collect()
        };
        Ok((0..count).map(numbers).collect())
    }
}

/// The largest difference, relative to the largest number of its output.
fn error(found: &[Vec<f32>], wanted: &[Vec<f32>]) -> f64 {
    let of = |(a, b): (&Vec<f32>, &Vec<f32>)| {
        assert_eq!(a.len(), b.len());
        let scale = b.iter().fold(0.0_f32, |s, x| s.max(x.abs()));
        let differences = a.iter().zip(b).map(|(a, b)| (a - b).abs());
        let worst = differences.fold(0.0_f32, |w, d| if d > w || d.is_nan() { d } else { w });
        f64::from(worst / scale)
    };
    let all = found.iter().zip(wanted).map(of);
    all.fold(0.0, |w, e| if e > w || e.is_nan() { e } else { w })
}

/// Numbers that look random and are the same for a seed.
struct Random(u64);

impl Random {
    fn below(&mut self, n: i64) -> i64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as i64 % n
    }
}
