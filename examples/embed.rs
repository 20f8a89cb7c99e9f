//! Compiles a sentence-embedding model for this CPU, embeds sentences, and compares them.
//!
//! `cargo run --release --example embed -- MODEL_DIR`, where `MODEL_DIR` is a Hugging Face directory with
//! tokenizer.json and a pooling step, such as all-MiniLM-L6-v2. `cargo xtask demo` sets everything up and runs this.

use std::{collections::BTreeMap, error::Error, path::Path, sync::Arc, time::Instant};

use tilewright::{
    CompileOptions,
    ir::{self, DType, Tensor},
    runtime::{self, Executor, TensorView},
};
use tokenizers::{PaddingParams, Tokenizer};

/// Pairs whose similarity is printed.
const PAIRS: [(&str, &str); 6] = [
    (
        "A man is playing a guitar on stage.",
        "Someone performs music with a guitar.",
    ),
    (
        "A man is playing a guitar on stage.",
        "The stock market fell sharply today.",
    ),
    (
        "The cat sleeps on the warm windowsill.",
        "A kitten is napping in the sun.",
    ),
    (
        "The cat sleeps on the warm windowsill.",
        "Quarterly revenue grew by nine percent.",
    ),
    (
        "How do I reset my password?",
        "I forgot my login credentials.",
    ),
    (
        "How do I reset my password?",
        "What is the boiling point of water?",
    ),
];

/// Runs that are timed, after one that is not.
const RUNS: usize = 20;

/// Token ids and mask of some sentences, padded to one length, row-major.
struct Batch {
    shape: [usize; 2],
    ids: Vec<i64>,
    mask: Vec<i64>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let Some(dir) = std::env::args().nth(1) else {
        return Err("wanted the directory of a model: embed MODEL_DIR".into());
    };
    let dir = Path::new(&dir);
    let batch = tokenize(dir)?;
    let [count, seq] = batch.shape;

    let model = tilewright::import::load(dir)?;
    let sizes = [("batch", count as i64), ("seq", seq as i64)];
    let options = CompileOptions::new(tilewright::target("cpu")?).with_sizes(sizes);
    let target = options.targets[0].name.clone();
    let begun = Instant::now();
    let (artifact, report) =
        tilewright::compile_in_memory(&model.graph, &model.weights, &options, &mut |_| ())?;
    let compile = begun.elapsed();

    let loaded = runtime::Model::load(Arc::new(artifact))?;
    let mut executor = loaded.executor(0, &runtime::Options::default())?;
    give(&mut executor, "input_ids", &batch.shape, &batch.ids)?;
    give(&mut executor, "attention_mask", &batch.shape, &batch.mask)?;
    executor.run()?;
    let embeddings = floats(&executor, "sentence_embedding")?;
    let mut times: Vec<f64> = Vec::new();
    for _ in 0..RUNS {
        let begun = Instant::now();
        executor.run()?;
        times.push(begun.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);

    let width = embeddings.len() / count;
    println!("cosine similarity");
    for (i, (a, b)) in PAIRS.iter().enumerate() {
        let row = |r: usize| &embeddings[r * width..][..width];
        println!("  {:6.3}  {a:<40}  {b}", cosine(row(2 * i), row(2 * i + 1)));
    }
    let exact = evaluate(&model, &options, &batch)?;
    println!();
    println!(
        "largest error against f64   {:.1e} relative",
        error(&embeddings, &exact)
    );
    println!(
        "compile time                {:.2} s for {target}, {} kernels a run",
        compile.as_secs_f64(),
        report.programs[0].launches
    );
    println!(
        "latency of ({count},{seq})          {:.2} ms median, {:.2} ms least of {RUNS} runs, {} threads",
        times[RUNS / 2] * 1e3,
        times[0] * 1e3,
        executor.threads()
    );
    Ok(())
}

fn tokenize(dir: &Path) -> Result<Batch, Box<dyn Error>> {
    let mut tokenizer =
        Tokenizer::from_file(dir.join("tokenizer.json")).map_err(|e| e.to_string())?;
    tokenizer.with_padding(Some(PaddingParams::default()));
    let sentences = PAIRS.iter().flat_map(|(a, b)| [*a, *b]).collect::<Vec<_>>();
    let encodings = tokenizer
        .encode_batch(sentences, true)
        .map_err(|e| e.to_string())?;
    let of = |f: fn(&tokenizers::Encoding) -> &[u32]| {
        encodings
            .iter()
            .flat_map(f)
            .map(|x| i64::from(*x))
            .collect()
    };
    let shape = [encodings.len(), encodings[0].len()];
    Ok(Batch {
        shape,
        ids: of(|e| e.get_ids()),
        mask: of(|e| e.get_attention_mask()),
    })
}

fn give(
    executor: &mut Executor,
    name: &str,
    shape: &[usize],
    values: &[i64],
) -> Result<(), runtime::RunError> {
    let bytes: Vec<u8> = values.iter().flat_map(|x| x.to_le_bytes()).collect();
    executor.set_input(
        name,
        TensorView {
            dtype: DType::I64,
            shape,
            bytes: &bytes,
        },
    )
}

fn floats(executor: &Executor, name: &str) -> Result<Vec<f64>, Box<dyn Error>> {
    let wanted = "the model has no pooling step: wanted an output sentence_embedding";
    let view = executor.output(name).ok_or(wanted)?;
    let floats = view.bytes.chunks_exact(4);
    Ok(floats
        .map(|b| f64::from(f32::from_le_bytes([b[0], b[1], b[2], b[3]])))
        .collect())
}

/// The same embeddings by the definitions of the ops, in f64.
fn evaluate(
    model: &tilewright::import::Model,
    options: &CompileOptions,
    batch: &Batch,
) -> Result<Vec<f64>, Box<dyn Error>> {
    let graph = model.graph.bind(&options.sizes[0])?;
    let shape = batch.shape.map(|n| n as i64);
    let tensor = |values: &[i64]| {
        Tensor::from_f64(
            DType::I64,
            &shape,
            values.iter().map(|x| *x as f64).collect(),
        )
    };
    let inputs = BTreeMap::from([
        ("input_ids".to_owned(), tensor(&batch.ids)?),
        ("attention_mask".to_owned(), tensor(&batch.mask)?),
    ]);
    let outputs = ir::eval::evaluate(&graph, &inputs, &model.weights)?;
    Ok(outputs["sentence_embedding"].values().into_owned())
}

fn cosine(a: &[f64], b: &[f64]) -> f64 {
    let dot = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

/// Largest difference over largest exact value.
fn error(a: &[f64], exact: &[f64]) -> f64 {
    let most = |it: &mut dyn Iterator<Item = f64>| it.fold(0.0, f64::max);
    let difference = most(&mut a.iter().zip(exact).map(|(x, y)| (x - y).abs()));
    difference / most(&mut exact.iter().map(|x| x.abs()))
}
