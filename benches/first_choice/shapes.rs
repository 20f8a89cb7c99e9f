//! The contractions of the benchmark, as models have them.

use ir::Kernel;

/// A product of a matrix of `rows x depth` and weights of `depth x columns`.
pub struct Shape {
    /// What it is called in tables and on the command line.
    pub name: &'static str,
    /// Tokens.
    pub rows: i64,
    /// Terms of each sum.
    pub depth: i64,
    /// Features.
    pub columns: i64,
}

const fn shape(name: &'static str, [rows, depth, columns]: [i64; 3]) -> Shape {
    Shape {
        name,
        rows,
        depth,
        columns,
    }
}

/// all-MiniLM-L6-v2 and BERT-base at 128 tokens; blocks of LLaMA 7B, TinyLlama and ChatGLM at few. Widths are those of
/// the models' `config.json`.
pub const SHAPES: [Shape; 10] = [
    shape("minilm-square", [128, 384, 384]),
    shape("minilm-up", [128, 384, 1536]),
    shape("minilm-down", [128, 1536, 384]),
    shape("bert-square", [128, 768, 768]),
    shape("bert-up", [128, 768, 3072]),
    shape("bert-down", [128, 3072, 768]),
    shape("llama-square", [32, 4096, 4096]),
    shape("tinyllama-up", [64, 2048, 5632]),
    shape("llama-decode", [1, 4096, 11008]),
    shape("glm-up", [16, 4096, 13696]),
];

impl Shape {
    /// The contraction as one kernel, whose weights are known when it is compiled.
    pub fn kernel(&self) -> Kernel {
        let Self {
            rows,
            depth,
            columns,
            ..
        } = self;
        let input = |name: &str, [m, n]: [i64; 2]| {
            format!(
                "  %{name} = input {{name = \"{name}\", ty = f32[{m},{n}], absent = required, below = 0}} : f32[{m},{n}]\n"
            )
        };
        let text = format!(
            "graph \"product\" {{\n{}{}  %y = matmul(%x,%w) {{ta = false, tb = true}} : f32[{rows},{columns}]\n  return y = %y\n}}\n",
            input("x", [*rows, *depth]),
            input("w", [*columns, *depth]),
        );
        let graph = ir::text::parse(&text).expect("the text is well formed");
        let mut groups = passes::group(&graph, &[]).expect("a product is a kernel");
        let mut kernel = groups.kernels.remove(0);
        kernel.constant = vec![false, true];
        kernel
    }

    /// `rows x depth x columns`
    pub fn sides(&self) -> String {
        format!("{} x {} x {}", self.rows, self.depth, self.columns)
    }
}
