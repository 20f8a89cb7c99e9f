//! A kernel's text as a file: what it is for, the command that compiles it, its plan, and what was not seen.

use std::fmt::Write;

use ir::{TensorCore, tile::Program};

use super::{Kernel, Language, Mix, language};

/// What a device's texts are made for; versions of the vendor's tools are the user's.
pub fn toolchain(core: &TensorCore) -> &'static str {
    match language(core) {
        Language::Mlir => "MLIR 19 text, not compiled: wants bishengir-compile of CANN",
        Language::C => "Ascend C text, not compiled: wants bisheng of CANN",
    }
}

impl Kernel {
    /// The text behind a head of comments.
    pub fn document(&self, program: &Program, core: &TensorCore) -> String {
        let name = &program.name;
        let (cores, unit) = match self.mix {
            Mix::Vector => (core.vector_cores, "vector"),
            Mix::Both => (core.cube_cores, "cube"),
        };
        let blocks = program.blocks();
        let mut head = format!(
            "// {name} for {}: {blocks} blocks on {cores} {unit} cores\n// {}\n// on the chip:\n",
            core.device,
            command(name, self.mix, core)
        );
        for need in self.plan.needs.iter().filter(|n| n.bytes.0 > 0) {
            writeln!(head, "//   {need}").expect("strings grow");
        }
        head += "// not seen: what the vendor's compiler makes of it, a device, a time\n";
        head + &self.text
    }
}

/// The command by which the vendor's compiler takes a kernel. Source: triton-ascend, MIT, `third_party/ascend/backend`.
fn command(name: &str, mix: Mix, core: &TensorCore) -> String {
    let both = mix == Mix::Both;
    format!(
        "bishengir-compile {name}.mlir --target={} --enable-hfusion-compile=true --enable-hivm-compile=true \
         --enable-triton-kernel-compile=true --enable-auto-multi-buffer=true \
         --enable-auto-bind-sub-block={both} -o {name}",
        core.device
    )
}
