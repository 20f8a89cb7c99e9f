//! Code of the programs of one target: made, and written into sections.

use backends::cpu::{BackendError, Failure};
use ir::{Bytes, Form, Target, lane};
use passes::PlannedKernel;
use runtime::{
    WriteError, Writer,
    manifest::{self, CodeRef, Elf, Language, Launch, SectionKind, Takes, TextRef},
};

use super::{CompileError, Planned, Workers, texts::write_texts};

/// What was made of the kernels of a target, in order.
pub(super) enum Code {
    /// A shared object for processors.
    Object(backends::cpu::Object),
    /// A text for each kernel, and the lane program it says.
    Texts(Vec<(backends::opencl::Source, lane::Program)>),
    /// A text for each kernel, by its name, that a compiler of the user's takes, and what made it.
    Documents(Language, Vec<(String, String)>),
    /// Machine code for each kernel, perhaps with a text, and the lane program it says.
    Images(Vec<(backends::simt::Code, lane::Program)>),
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
            let programs: Vec<lane::Program> = kernels.iter().map(|k| lane(k)).collect();
            if backends::simt::takes(target) {
                let made = backends::simt::compile(&programs, target, workers)?;
                let named = |(code, program): (Result<_, _>, lane::Program)| match code {
                    Ok(code) => Ok((code, program)),
                    Err(failure) => Err(BackendError::Kernel {
                        kernel: program.name,
                        failure,
                    }),
                };
                let made: Result<_, _> = made.into_iter().zip(programs).map(named).collect();
                return Ok(Code::Images(made?));
            }
            let sources = backends::opencl::compile(&programs, backends::opencl::Dialect::OpenCl)?;
            Ok(Code::Texts(sources.into_iter().zip(programs).collect()))
        }
        Form::Tensor(ref core) => {
            let document = |k: &&PlannedKernel| {
                let text = backends::ascend::document(&k.program, target)?;
                Ok((k.program.name.clone(), text))
            };
            let made: Result<_, CompileError> = kernels.iter().map(document).collect();
            let language = match backends::ascend::language(core) {
                backends::ascend::Language::Mlir => Language::AscendMlir,
                backends::ascend::Language::C => Language::AscendC,
            };
            Ok(Code::Documents(language, made?))
        }
    }
}

/// The code of programs, each by itself; one that has none is no other's loss.
pub(super) fn generate_each(
    target: &Target,
    programs: &[Planned],
    workers: &Workers,
) -> Result<Vec<Result<Code, Failure>>, CompileError> {
    let kernels = |p: &Planned| p.plan.kernels.clone();
    match target.form {
        Form::Simd(_) => {
            let all = programs.iter().flat_map(kernels).map(|k| k.program);
            let all: Vec<_> = all.collect();
            assert_eq!(all.len(), programs.len(), "processors run a kernel as one");
            let made = backends::cpu::compile_each(&all, target, workers)?;
            Ok(made.into_iter().map(|o| o.map(Code::Object)).collect())
        }
        Form::Simt(_) if backends::simt::takes(target) => {
            let all = programs.iter().flat_map(kernels).map(|k| lane(&k));
            let all: Vec<lane::Program> = all.collect();
            let made = backends::simt::compile(&all, target, workers)?;
            let mut made = made.into_iter().zip(all);
            let each = programs.iter().map(|p| {
                let own = made.by_ref().take(p.plan.kernels.len());
                // All of them are taken, whichever fails.
                let own: Vec<_> = own.collect();
                let own = own.into_iter().map(|(code, lane)| Ok((code?, lane)));
                own.collect::<Result<_, _>>().map(Code::Images)
            });
            Ok(each.collect())
        }
        Form::Simt(_) | Form::Tensor(_) => {
            let one = |p: &Planned| match generate(target, std::slice::from_ref(p), workers) {
                Ok(code) => Ok(Ok(code)),
                Err(CompileError::Print(e)) => Ok(Err(rejected("opencl", &e))),
                Err(CompileError::Ascend(e)) => Ok(Err(rejected("ascend", &e))),
                Err(other) => Err(other),
            };
            programs.iter().map(one).collect()
        }
    }
}

/// A text that a printer does not make.
fn rejected(printer: &str, error: &dyn std::error::Error) -> Failure {
    Failure::Rejected {
        tool: printer.into(),
        message: error.to_string(),
    }
}

/// The lane program of a kernel.
fn lane(kernel: &PlannedKernel) -> lane::Program {
    let lane = kernel.lane.clone();
    lane.expect("lowering for devices of many lanes makes lane programs")
}

/// Code that lies in sections.
pub(super) struct Written {
    pub code: manifest::Code,
    pub toolchain: &'static str,
    /// The tool that took the code of every kernel.
    pub accepted_by: Option<String>,
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
                    accepted_by: backends::accepts(target),
                    kernels: object.symbols.into_iter().map(|s| (s, None)).collect(),
                })
            }
            Self::Texts(all) => {
                let simt = target.simt().expect("texts are for the `simt` form");
                let sources = all.iter().map(|(s, _)| s.text.clone().into_bytes());
                let sources = write_texts(writer, &format!("{} texts", target.name), sources)?;
                let lanes = write_lanes(writer, target, all.iter().map(|(_, lane)| lane))?;
                let kernels = all.iter().zip(sources).zip(lanes);
                let kernels = kernels.map(|(((source, program), text), lane)| {
                    let launch = Launch {
                        source: Some(text),
                        image: None,
                        variants: source.variants.clone(),
                        threads: program.threads(),
                        shared: Bytes(source.shared),
                        shared_asked: Bytes(0),
                        takes: None,
                        lane: Some(lane),
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
                    accepted_by: None,
                    kernels: kernels.collect(),
                })
            }
            Self::Images(all) => images(all, target, writer),
            Self::Documents(language, all) => documents(language, all, target, writer),
        }
    }
}

/// Writes texts for a compiler that the user has.
fn documents(
    language: Language,
    all: Vec<(String, String)>,
    target: &Target,
    writer: &mut Writer,
) -> Result<Written, CompileError> {
    let core = target
        .tensor()
        .expect("such texts are for the `tensor` form");
    let (symbols, texts): (Vec<_>, Vec<_>) = all.into_iter().unzip();
    let texts = texts.into_iter().map(String::into_bytes);
    let texts = write_texts(writer, &format!("{} texts", target.name), texts)?;
    let launch = |source| Launch {
        source: Some(source),
        image: None,
        variants: vec![],
        threads: 1,
        shared: Bytes(0),
        shared_asked: Bytes(0),
        takes: None,
        lane: None,
    };
    let launches = texts.into_iter().map(|text| Some(launch(text)));
    Ok(Written {
        code: manifest::Code::Source(manifest::Source {
            language,
            arch: core.device.clone(),
            lanes: 1,
        }),
        toolchain: backends::ascend::toolchain(core),
        accepted_by: None,
        kernels: symbols.into_iter().zip(launches).collect(),
    })
}

/// Writes what assemblers made, and the texts that a driver could assemble itself.
fn images(
    all: Vec<(backends::simt::Code, lane::Program)>,
    target: &Target,
    writer: &mut Writer,
) -> Result<Written, CompileError> {
    let simt = target.simt().expect("images are for the `simt` form");
    let (arch, lanes) = (simt.arch.clone(), simt.lanes);
    // Either all kernels have a text or none has; so too with machine code.
    let texts: Option<Vec<_>> = all.iter().map(|(c, _)| c.assembly.clone()).collect();
    let sources = match texts {
        Some(texts) => {
            let texts = texts.into_iter().map(String::into_bytes);
            let name = format!("{} texts", target.name);
            let places = write_texts(writer, &name, texts)?;
            places.into_iter().map(Some).collect()
        }
        None => vec![None; all.len()],
    };
    let binaries: Option<Vec<&[u8]>> = all.iter().map(|(c, _)| c.binary.as_deref()).collect();
    let assembled = binaries.is_some();
    let images = match binaries {
        Some(binaries) => {
            let places = write_images(writer, &target.name, &binaries)?;
            places.into_iter().map(Some).collect()
        }
        None => vec![None; all.len()],
    };
    let code = match sources.iter().all(Option::is_some) {
        true => manifest::Code::Source(manifest::Source {
            language: Language::Ptx,
            arch,
            lanes,
        }),
        false => manifest::Code::Image(manifest::Image { arch, lanes }),
    };
    let lanes = write_lanes(writer, target, all.iter().map(|(_, lane)| lane))?;
    let kernels = all.iter().zip(sources).zip(images).zip(lanes);
    let kernels = kernels.map(|((((code, program), source), image), lane)| {
        let launch = Launch {
            source,
            image,
            variants: vec![],
            threads: code.launch.threads,
            // What is asked for may start anywhere, and holds the program's arrays at their alignment.
            shared: Bytes((program.shared_bytes() as u64).max(code.launch.shared.0)),
            shared_asked: code.launch.shared,
            takes: code.resources.map(|r| Takes {
                registers: r.registers,
                spills: r.spills,
                scratch: r.scratch,
                shared: r.shared,
            }),
            lane: Some(lane),
        };
        (code.symbol.clone(), Some(launch))
    });
    Ok(Written {
        code,
        toolchain: backends::simt::toolchain(target),
        accepted_by: assembled.then(|| backends::accepts(target)).flatten(),
        kernels: kernels.collect(),
    })
}

/// Writes lane programs into a section of their own.
fn write_lanes<'a>(
    writer: &mut Writer,
    target: &Target,
    programs: impl Iterator<Item = &'a lane::Program>,
) -> Result<Vec<TextRef>, WriteError> {
    let texts = programs.map(|p| serde_json::to_vec(p).expect("plain data becomes JSON"));
    write_texts(writer, &format!("{} lane programs", target.name), texts)
}

/// Writes machine code into a section of this name, each at a multiple of 64 bytes.
fn write_images(
    writer: &mut Writer,
    name: &str,
    images: &[&[u8]],
) -> Result<Vec<CodeRef>, WriteError> {
    let mut bytes = Vec::new();
    let mut pieces = Vec::new();
    for image in images {
        bytes.resize(bytes.len().next_multiple_of(64), 0);
        pieces.push((bytes.len() as u64, image.len() as u64));
        bytes.extend_from_slice(image);
    }
    let section = writer.section(name, SectionKind::Code, |w| w.write_all(&bytes))?;
    let place = |(offset, len)| CodeRef {
        section,
        offset,
        len,
    };
    Ok(pieces.into_iter().map(place).collect())
}
