//! Code of the programs of one target: made, and written into sections.

use ir::{Bytes, Form, Target, lane};
use passes::PlannedKernel;
use runtime::{
    Writer,
    manifest::{self, Elf, Language, Launch, SectionKind},
};

use super::{CompileError, Planned, Workers, texts::write_texts};

/// What was made of the kernels of a target, in order.
pub(super) enum Code {
    /// A shared object for processors.
    Object(backends::cpu::Object),
    /// A text for each kernel, and the lane program it says.
    Texts(Vec<(backends::opencl::Source, lane::Program)>),
}

/// The code of all kernels of the programs of a target.
pub(super) fn generate(
    target: &Target,
    programs: &[Planned],
    workers: &Workers,
) -> Result<Code, CompileError> {
    let kernels: Vec<&PlannedKernel> = programs.iter().flat_map(|p| &p.plan.kernels).collect();
    match target.form {
        Form::Simd(_) => {
            let programs: Vec<_> = kernels.iter().map(|k| k.program.clone()).collect();
            let object = backends::cpu::compile(&programs, target, workers)?;
            Ok(Code::Object(object))
        }
        Form::Simt(_) => {
            let lane = |k: &&PlannedKernel| {
                let lane = k.lane.clone();
                lane.expect("lowering for devices of many lanes makes lane programs")
            };
            let programs: Vec<lane::Program> = kernels.iter().map(lane).collect();
            let sources = backends::opencl::compile(&programs)?;
            Ok(Code::Texts(sources.into_iter().zip(programs).collect()))
        }
    }
}

/// Code that lies in sections.
pub(super) struct Written {
    pub code: manifest::Code,
    pub toolchain: &'static str,
    /// For each kernel its symbol, and how it is launched.
    pub kernels: Vec<(String, Option<Launch>)>,
}

impl Code {
    /// Writes the sections of a target's code.
    pub fn write(self, target: &Target, writer: &mut Writer) -> Result<Written, CompileError> {
        match self {
            Self::Object(object) => {
                let simd = target.simd().expect("processors are of the `simd` form");
                let section = writer.section(&target.name, SectionKind::Code, |w| {
                    w.write_all(&object.elf)
                })?;
                Ok(Written {
                    code: manifest::Code::Elf(Elf {
                        section,
                        arch: simd.triple.split('-').next().unwrap_or_default().into(),
                        requires: simd.requires.clone(),
                        vector: simd.vector,
                    }),
                    toolchain: backends::cpu::TOOLCHAIN,
                    kernels: object.symbols.into_iter().map(|s| (s, None)).collect(),
                })
            }
            Self::Texts(all) => {
                let simt = target.simt().expect("texts are for the `simt` form");
                let sources = all.iter().map(|(s, _)| s.text.clone().into_bytes());
                let sources = write_texts(writer, &format!("{} texts", target.name), sources)?;
                let lanes = all
                    .iter()
                    .map(|(_, lane)| serde_json::to_vec(lane).expect("plain data becomes JSON"));
                let lanes = write_texts(writer, &format!("{} lane programs", target.name), lanes)?;
                let kernels = all.iter().zip(sources).zip(lanes);
                let kernels = kernels.map(|(((source, program), text), lane)| {
                    let launch = Launch {
                        source: text,
                        variants: source.variants.clone(),
                        threads: program.threads(),
                        shared: Bytes(source.shared),
                        lane,
                    };
                    (source.symbol.clone(), Some(launch))
                });
                Ok(Written {
                    code: manifest::Code::Source(manifest::Source {
                        language: Language::OpenclC,
                        arch: simt.arch.clone(),
                        lanes: simt.lanes,
                    }),
                    toolchain: backends::opencl::TOOLCHAIN,
                    kernels: kernels.collect(),
                })
            }
        }
    }
}
