//! What an artifact holds, as plain data.

use std::collections::BTreeMap;

use ir::{Bytes, DType, Flops, ops::Absent};
use serde::{Deserialize, Serialize};

/// Everything an artifact says about itself, apart from where its sections lie.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Name of the model.
    pub model: String,
    /// The program that wrote the artifact, with its version.
    pub producer: String,
    /// Inputs, in the order that [`BufferRef::Input`] counts.
    pub inputs: Vec<Input>,
    /// Outputs, in the order that [`BufferRef::Output`] counts.
    pub outputs: Vec<Output>,
    /// Code for each target, the preferred first.
    pub targets: Vec<TargetCode>,
    /// The sizes that a run may choose; none where each program has sizes of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ranges: Option<Ranges>,
    /// How its programs make text; none if they do not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generate: Option<Generate>,
}

/// Sizes that a run chooses: it is that of the smallest program that holds them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ranges {
    /// The smallest and the largest size of each symbol.
    pub symbols: BTreeMap<String, [u64; 2]>,
    /// The symbol of each axis of each input; none where the size is a number.
    pub inputs: Vec<Vec<Option<String>>>,
    /// The same of each output.
    pub outputs: Vec<Vec<Option<String>>>,
}

/// What programs with states need to continue a text; see [`crate::generate`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Generate {
    /// Tokens at which a text ends.
    pub ends: Vec<i64>,
    /// The model's `tokenizer.json`.
    pub tokenizer: Option<TextRef>,
}

/// A tensor that the caller gives.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Name, unique among inputs.
    pub name: String,
    /// Element type.
    pub dtype: DType,
    /// What it is when left out.
    pub absent: Absent,
    /// Integer values lie in `0..below`, which is checked at each run; 0 says nothing.
    pub below: i64,
}

impl Input {
    /// Whether it keeps its value from run to run; no caller gives it.
    pub fn is_state(&self) -> bool {
        self.absent == Absent::State
    }

    /// The symbol whose size in a run it is, if it is one.
    pub fn symbol(&self) -> Option<&str> {
        match self.absent {
            Absent::Size => self.name.strip_prefix("size."),
            _ => None,
        }
    }
}

/// A tensor that a run computes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// Name, unique among outputs.
    pub name: String,
    /// Element type.
    pub dtype: DType,
}

/// Kernels and programs for one target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetCode {
    /// As spelled on the command line, such as `cpu:znver4`.
    pub target: String,
    /// The tools that made the code, with their versions.
    pub toolchain: String,
    /// The assembler or linker that took the code of every kernel, with its version; none if nobody did.
    pub accepted_by: Option<String>,
    /// The code.
    pub code: Code,
    /// Kernels, in the order that [`KernelId`] counts.
    pub kernels: Vec<Kernel>,
    /// One program for each set of sizes.
    pub programs: Vec<Program>,
}

/// What the kernels of a target are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// Machine code of processors.
    Elf(Elf),
    /// A text for each kernel, compiled by the driver of a device of many lanes.
    Source(Source),
    /// Machine code for each kernel, loaded by such a driver.
    Image(Image),
}

/// Functions of type [`crate::KernelFn`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Elf {
    /// The section that holds an ELF shared object.
    pub section: SectionId,
    /// Architecture as [`std::env::consts::ARCH`] spells it.
    pub arch: String,
    /// What the processor must have, as `/proc/cpuinfo` spells it.
    pub requires: Vec<String>,
    /// Width of the vectors that the code uses.
    pub vector: Bytes,
}

/// Texts, which [`Launch::source`] finds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// What they are written in.
    pub language: Language,
    /// The device they are tuned for, as the start of the name that its driver gives; empty for any. Others can run
    /// them too.
    pub arch: String,
    /// Lanes of a warp; 1 where the language has none.
    pub lanes: u32,
}

/// Machine code, which [`Launch::image`] finds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Image {
    /// The one architecture that it is for, as its code generator names it.
    pub arch: String,
    /// Lanes of a warp.
    pub lanes: u32,
}

/// A language that drivers compile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// OpenCL C 1.2.
    OpenclC,
    /// PTX.
    Ptx,
    /// MLIR 19 on tensors, for a compiler of the vendor's, which the user has; no driver takes it.
    AscendMlir,
    /// Ascend C, for such a compiler.
    AscendC,
}

impl Language {
    /// What it is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OpenclC => "OpenCL C",
            Self::Ptx => "PTX",
            Self::AscendMlir => "MLIR 19 for Ascend",
            Self::AscendC => "Ascend C",
        }
    }

    /// Whether its kernels are lane programs.
    pub const fn has_lanes(self) -> bool {
        matches!(self, Self::OpenclC | Self::Ptx)
    }
}

/// A function of the target's code.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kernel {
    /// Name of the function: an ELF symbol, or a kernel of its text.
    pub symbol: String,
    /// Name for people, such as `layer.ffn1`.
    pub name: String,
    /// The kind of kernel, such as `matmul`.
    pub family: String,
    /// Number of blocks of the grid.
    pub blocks: u64,
    /// Memory of its own that each thread needs.
    pub scratch: Bytes,
    /// Arrays it is called with.
    pub params: Vec<Param>,
    /// Names of the rules that made it, in order.
    pub rules: Vec<String>,
    /// Floating-point operations of one call.
    pub flops: Flops,
    /// Bytes that one call must read and write.
    pub bytes: Bytes,
    /// Hash of what it computes: the key of evidence and of the tuning database.
    pub meaning: String,
    /// Its tile program, as JSON of [`ir::tile::Program`].
    pub tile: Option<TextRef>,
    /// How it is launched on a device of many lanes; none for processors.
    pub launch: Option<Launch>,
}

/// A text or machine code, and how it is launched: on `blocks` times `threads` lanes.
///
/// A kernel in OpenCL C has two arguments for each parameter: a buffer, and where in it the parameter starts, in bytes.
/// In PTX and in machine code it has one: the parameter's address.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Launch {
    /// The text; there is one where the target's code is text.
    pub source: Option<TextRef>,
    /// Machine code for the target's architecture; there is some where the target's code is that. Beside a text it
    /// saves the driver's work.
    pub image: Option<CodeRef>,
    /// Options for the driver, the preferred first: the text is built with the first that it takes. None of them stands
    /// for no options.
    pub variants: Vec<String>,
    /// Lanes of a block.
    pub threads: u32,
    /// Shared memory of a block.
    pub shared: Bytes,
    /// The part of it that must be asked for at the launch.
    pub shared_asked: Bytes,
    /// What the assembler says that it takes; none where the driver compiles.
    pub takes: Option<Takes>,
    /// Its lane program, as JSON of [`ir::lane::Program`]; none where the language has no lanes.
    pub lane: Option<TextRef>,
}

/// What a kernel takes of a device, as its assembler says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Takes {
    /// Registers of a lane, of 32 bits.
    pub registers: u32,
    /// How many went to memory.
    pub spills: u32,
    /// Memory of a lane's own.
    pub scratch: Bytes,
    /// Shared memory of a block.
    pub shared: Bytes,
}

/// An array that a kernel is called with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Param {
    /// Element type.
    pub dtype: DType,
    /// Number of elements.
    pub len: u64,
    /// Whether the kernel writes it.
    pub written: bool,
}

/// The steps that compute the outputs for one set of sizes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Program {
    /// The model's symbolic sizes, such as `seq = 128`.
    pub sizes: BTreeMap<String, u64>,
    /// Shape of each input.
    pub input_shapes: Vec<Vec<u64>>,
    /// Shape of each output.
    pub output_shapes: Vec<Vec<u64>>,
    /// Size of the memory that activations share.
    pub arena: Bytes,
    /// Kernels to call, one after the other.
    pub steps: Vec<Step>,
}

/// One call of a kernel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The kernel.
    pub kernel: KernelId,
    /// One buffer for each of its parameters.
    pub args: Vec<BufferRef>,
}

/// Memory that a kernel is given. Offsets are multiples of 64 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum BufferRef {
    /// Part of a weight section; never written.
    Weight {
        /// The section.
        section: SectionId,
        /// Bytes from the section's start.
        offset: u64,
        /// Length in bytes.
        len: u64,
    },
    /// Part of the arena.
    Arena {
        /// Bytes from the arena's start.
        offset: u64,
        /// Length in bytes.
        len: u64,
    },
    /// A whole input, by position; written only if it is a state.
    Input(u32),
    /// A whole output, by position.
    Output(u32),
}

/// A section of the file, by position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SectionId(pub u32);

/// A kernel of a target, by position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct KernelId(pub u32);

/// A piece of a text section.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextRef {
    /// The section.
    pub section: SectionId,
    /// Bytes from the section's start.
    pub offset: u64,
    /// Length in bytes.
    pub len: u64,
}

/// A piece of a code section.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodeRef {
    /// The section.
    pub section: SectionId,
    /// Bytes from the section's start.
    pub offset: u64,
    /// Length in bytes.
    pub len: u64,
}

/// Where a section lies in the file, and what its bytes hash to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Section {
    /// Name for people.
    pub name: String,
    /// What it holds.
    pub kind: SectionKind,
    /// Bytes from the start of the file.
    pub offset: u64,
    /// Length in bytes.
    pub len: u64,
    /// blake3 of its bytes, in hexadecimal.
    pub blake3: String,
}

/// What a section holds, which decides its alignment and when its checksum is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SectionKind {
    /// Weights as kernels read them: page-aligned, checked before the first use.
    Weights,
    /// ELF: a shared object, or machine code of kernels side by side. Checked at load.
    Code,
    /// UTF-8: checked at load.
    Text,
}

impl SectionKind {
    /// The multiple of bytes at which such a section starts.
    pub const fn alignment(self) -> u64 {
        match self {
            Self::Weights => 4096,
            Self::Code | Self::Text => 64,
        }
    }

    /// The word used in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Weights => "weights",
            Self::Code => "code",
            Self::Text => "text",
        }
    }
}
