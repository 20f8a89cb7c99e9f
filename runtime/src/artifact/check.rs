//! What must hold of a manifest before anything in it is used.

mod ranges;

use std::collections::BTreeSet;

use super::{Contents, Problem, header::Header};
use crate::cpu::{BLOCKS_BELOW, STEPS_BELOW};
use crate::manifest::{
    self, BufferRef, Code, CodeRef, Image, Kernel, Launch, Manifest, Program, Section, SectionId,
    SectionKind, Source, TargetCode, TextRef,
};

/// Arrays start at multiples of this, so that vectors can be loaded aligned.
const ALIGN: u64 = 64;

/// More lanes than a block of any device of today has.
const MOST_THREADS: u32 = 4096;

type Checked = Result<(), Problem>;

/// The manifest agrees with itself and with the kinds and lengths of the sections.
pub(super) fn contents(c: &Contents) -> Checked {
    let m = &c.manifest;
    unique("inputs", m.inputs.iter().map(|i| i.name.as_str()))?;
    unique("outputs", m.outputs.iter().map(|o| o.name.as_str()))?;
    if let Some(tokenizer) = m.generate.as_ref().and_then(|g| g.tokenizer) {
        require_text(&c.sections, tokenizer, "generate.tokenizer")?;
    }
    ranges::check(m)?;
    for (t, target) in m.targets.iter().enumerate() {
        let place = format!("targets[{t}]");
        check_code(&c.sections, &target.code, &place)?;
        for (k, kernel) in target.kernels.iter().enumerate() {
            let place = format!("{place}.kernels[{k}]");
            check_kernel(&c.sections, kernel, &place)?;
            let word = |there| if there { "a launch" } else { "no launch" };
            match (&target.code, &kernel.launch) {
                (Code::Elf(_), None) => {}
                (Code::Source(_) | Code::Image(_), Some(launch)) => {
                    check_launch(&c.sections, kernel, launch, &place)?;
                    check_kind(&target.code, launch, &place)?;
                }
                (code, launch) => {
                    let lanes = !matches!(code, Code::Elf(_));
                    let (wanted, found) = (word(lanes), word(launch.is_some()));
                    return Err(Problem::manifest(place, wanted, found));
                }
            }
        }
        for (p, program) in target.programs.iter().enumerate() {
            let place = format!("{place}.programs[{p}]");
            let scope = Scope {
                sections: &c.sections,
                manifest: m,
                target,
                program,
            };
            scope.check(&place)?;
        }
    }
    Ok(())
}

/// Sections lie within the file, in order, apart from one another, with zeros between.
pub(super) fn layout(file: &[u8], header: &Header, sections: &[Section]) -> Checked {
    let mut end = Header::LEN as u64;
    for (i, s) in sections.iter().enumerate() {
        let place = format!("sections[{i}] `{}`", s.name);
        if s.offset < end || !s.offset.is_multiple_of(s.kind.alignment()) {
            let wanted = format!(
                "an offset of at least {end} that {} divides",
                s.kind.alignment()
            );
            return Err(Problem::manifest(place, wanted, s.offset));
        }
        zeros(file, end, s.offset, header)?;
        end = s.offset.saturating_add(s.len);
    }
    zeros(file, end, header.manifest_offset, header)?;
    zeros(
        file,
        header.manifest_offset + header.manifest_len,
        header.body_len,
        header,
    )
}

fn zeros(file: &[u8], from: u64, to: u64, header: &Header) -> Checked {
    if from > to || to > header.body_len {
        let wanted = format!(
            "sections, then the manifest, up to byte {}",
            header.body_len
        );
        return Err(Problem::manifest(
            "layout",
            wanted,
            format!("a gap from {from} to {to}"),
        ));
    }
    match file[from as usize..to as usize]
        .iter()
        .position(|b| *b != 0)
    {
        Some(i) => Err(Problem::Gap {
            at: from + i as u64,
        }),
        None => Ok(()),
    }
}

fn check_code(sections: &[Section], code: &Code, place: &str) -> Checked {
    match code {
        Code::Elf(elf) => {
            require_section(sections, elf.section, SectionKind::Code, place).map(|_| ())
        }
        Code::Source(Source { lanes, .. }) | Code::Image(Image { lanes, .. }) => {
            if (1..=MOST_THREADS).contains(lanes) {
                return Ok(());
            }
            let wanted = format!("1 to {MOST_THREADS} lanes");
            Err(Problem::manifest(place, wanted, lanes))
        }
    }
}

/// A kernel has what its target's code is made of.
fn check_kind(code: &Code, launch: &Launch, place: &str) -> Checked {
    let (wanted, there) = match code {
        Code::Image(_) => ("machine code", launch.image.is_some()),
        _ => ("a text", launch.source.is_some()),
    };
    let place = format!("{place}.launch");
    if !there {
        return Err(Problem::manifest(place, wanted, "none"));
    }
    let lanes = match code {
        Code::Source(source) => source.language.has_lanes(),
        _ => true,
    };
    let word = |there| if there { "a lane program" } else { "none" };
    match launch.lane.is_some() == lanes {
        true => Ok(()),
        false => Err(Problem::manifest(place, word(lanes), word(!lanes))),
    }
}

fn check_launch(sections: &[Section], kernel: &Kernel, launch: &Launch, place: &str) -> Checked {
    let place = format!("{place}.launch");
    if let Some(source) = launch.source {
        require_text(sections, source, &place)?;
    }
    if let Some(CodeRef {
        section,
        offset,
        len,
    }) = launch.image
    {
        let s = require_section(sections, section, SectionKind::Code, &place)?;
        if offset.checked_add(len).is_none_or(|end| end > s.len) {
            let wanted = format!("code within {} bytes", s.len);
            return Err(Problem::manifest(
                place,
                wanted,
                format!("{len} bytes at {offset}"),
            ));
        }
    }
    if let Some(lane) = launch.lane {
        require_text(sections, lane, &place)?;
    }
    if !(1..=MOST_THREADS).contains(&launch.threads) {
        let wanted = format!("1 to {MOST_THREADS} lanes");
        return Err(Problem::manifest(place, wanted, launch.threads));
    }
    if launch.shared_asked > launch.shared {
        let wanted = format!("at most {} bytes asked for", launch.shared.0);
        return Err(Problem::manifest(place, wanted, launch.shared_asked.0));
    }
    if launch.shared.0 > u64::from(u32::MAX) {
        let wanted = format!("at most {} bytes", u32::MAX);
        return Err(Problem::manifest(place, wanted, launch.shared.0));
    }
    let lanes = kernel.blocks.checked_mul(launch.threads.into());
    if lanes.is_none_or(|n| n > isize::MAX as u64) {
        let found = format!("{} blocks", kernel.blocks);
        return Err(Problem::manifest(place, "lanes that can be counted", found));
    }
    match launch.variants.iter().find(|v| v.contains('\0')) {
        Some(v) => Err(Problem::manifest(
            place,
            "options without NUL",
            format!("{v:?}"),
        )),
        None => Ok(()),
    }
}

fn check_kernel(sections: &[Section], kernel: &Kernel, place: &str) -> Checked {
    if kernel.blocks >= BLOCKS_BELOW {
        return Err(Problem::manifest(
            place,
            format!("fewer than {BLOCKS_BELOW} blocks"),
            kernel.blocks,
        ));
    }
    usize_len(kernel.scratch.0, place)?;
    if kernel.symbol.is_empty() || kernel.symbol.contains('\0') {
        return Err(Problem::manifest(
            place,
            "the name of a symbol",
            format!("{:?}", kernel.symbol),
        ));
    }
    match kernel.tile {
        Some(text) => require_text(sections, text, place),
        None => Ok(()),
    }
}

/// One program and what it refers to.
struct Scope<'a> {
    sections: &'a [Section],
    manifest: &'a Manifest,
    target: &'a TargetCode,
    program: &'a Program,
}

impl Scope<'_> {
    fn check(&self, place: &str) -> Checked {
        let (m, p) = (self.manifest, self.program);
        for (what, wanted, shapes) in [
            ("input_shapes", m.inputs.len(), &p.input_shapes),
            ("output_shapes", m.outputs.len(), &p.output_shapes),
        ] {
            if shapes.len() != wanted {
                return Err(Problem::manifest(
                    format!("{place}.{what}"),
                    wanted,
                    shapes.len(),
                ));
            }
        }
        let inputs = m.inputs.iter().map(|i| i.dtype).zip(&p.input_shapes);
        let outputs = m.outputs.iter().map(|o| o.dtype).zip(&p.output_shapes);
        for (dtype, shape) in inputs.chain(outputs) {
            byte_len(shape, dtype.size(), place)?;
        }
        usize_len(p.arena.0, place)?;
        if p.steps.len() as u64 >= STEPS_BELOW {
            let wanted = format!("fewer than {STEPS_BELOW} steps");
            return Err(Problem::manifest(place, wanted, p.steps.len()));
        }
        for (s, step) in p.steps.iter().enumerate() {
            let place = format!("{place}.steps[{s}]");
            let Some(kernel) = self.target.kernels.get(step.kernel.0 as usize) else {
                let wanted = format!("one of {} kernels", self.target.kernels.len());
                return Err(Problem::manifest(place, wanted, step.kernel.0));
            };
            if step.args.len() != kernel.params.len() {
                return Err(Problem::manifest(
                    place,
                    kernel.params.len(),
                    step.args.len(),
                ));
            }
            for (a, (arg, param)) in step.args.iter().zip(&kernel.params).enumerate() {
                let place = format!("{place}.args[{a}]");
                let len = self.check_buffer(*arg, param.written, &place)?;
                let wanted = byte_len(&[param.len], param.dtype.size(), &place)?;
                if len < wanted {
                    return Err(Problem::manifest(
                        place,
                        format!("at least {wanted} bytes"),
                        len,
                    ));
                }
            }
        }
        Ok(())
    }

    /// The buffer's length, if it exists and may be used so.
    fn check_buffer(&self, buffer: BufferRef, written: bool, place: &str) -> Result<u64, Problem> {
        let read_only = match buffer {
            BufferRef::Weight { .. } => true,
            BufferRef::Input(i) => {
                let input = self.manifest.inputs.get(i as usize);
                !input.is_some_and(manifest::Input::is_state)
            }
            BufferRef::Arena { .. } | BufferRef::Output(_) => false,
        };
        if written && read_only {
            return Err(Problem::manifest(
                place,
                "memory that may be written",
                format!("{buffer:?}"),
            ));
        }
        let within = |offset: u64, len: u64, size: u64| {
            let fits = offset.checked_add(len).is_some_and(|end| end <= size);
            if fits && offset.is_multiple_of(ALIGN) {
                return Ok(len);
            }
            let wanted = format!("a range of {size} bytes that starts at a multiple of {ALIGN}");
            Err(Problem::manifest(
                place,
                wanted,
                format!("{len} bytes at {offset}"),
            ))
        };
        let whole =
            |i: u32, shapes: &[Vec<u64>], size: Option<usize>| match (shapes.get(i as usize), size)
            {
                (Some(shape), Some(size)) => byte_len(shape, size, place),
                _ => Err(Problem::manifest(
                    place,
                    format!("below {}", shapes.len()),
                    i,
                )),
            };
        match buffer {
            BufferRef::Weight {
                section,
                offset,
                len,
            } => {
                let s = require_section(self.sections, section, SectionKind::Weights, place)?;
                within(offset, len, s.len)
            }
            BufferRef::Arena { offset, len } => within(offset, len, self.program.arena.0),
            BufferRef::Input(i) => {
                let size = self.manifest.inputs.get(i as usize).map(|x| x.dtype.size());
                whole(i, &self.program.input_shapes, size)
            }
            BufferRef::Output(i) => {
                let size = self
                    .manifest
                    .outputs
                    .get(i as usize)
                    .map(|x| x.dtype.size());
                whole(i, &self.program.output_shapes, size)
            }
        }
    }
}

fn unique<'a>(place: &str, names: impl Iterator<Item = &'a str>) -> Checked {
    let mut seen = BTreeSet::new();
    for name in names {
        if name.contains('\0') || !seen.insert(name) {
            return Err(Problem::manifest(
                place,
                "distinct names without NUL",
                format!("{name:?}"),
            ));
        }
    }
    Ok(())
}

fn require_section<'a>(
    sections: &'a [Section],
    id: SectionId,
    kind: SectionKind,
    place: &str,
) -> Result<&'a Section, Problem> {
    match sections.get(id.0 as usize) {
        Some(s) if s.kind == kind => Ok(s),
        Some(s) => {
            let wanted = format!("a section of {}", kind.name());
            Err(Problem::manifest(
                place,
                wanted,
                format!("`{}` of {}", s.name, s.kind.name()),
            ))
        }
        None => Err(Problem::manifest(
            place,
            format!("one of {} sections", sections.len()),
            id.0,
        )),
    }
}

fn require_text(sections: &[Section], text: TextRef, place: &str) -> Checked {
    let s = require_section(sections, text.section, SectionKind::Text, place)?;
    match text.offset.checked_add(text.len) {
        Some(end) if end <= s.len => Ok(()),
        _ => Err(Problem::manifest(
            place,
            format!("text within {} bytes", s.len),
            format!("{text:?}"),
        )),
    }
}

/// Bytes of an array, if they can be addressed with room to spare.
fn byte_len(shape: &[u64], size: usize, place: &str) -> Result<u64, Problem> {
    let bytes = shape.iter().try_fold(size as u64, |n, d| n.checked_mul(*d));
    match bytes {
        Some(n) => usize_len(n, place).map(|()| n),
        None => Err(Problem::manifest(
            place,
            "an array that can be addressed",
            format!("{shape:?}"),
        )),
    }
}

fn usize_len(bytes: u64, place: &str) -> Checked {
    if bytes <= (isize::MAX / 4) as u64 {
        return Ok(());
    }
    Err(Problem::manifest(
        place,
        "an array that can be addressed",
        format!("{bytes} bytes"),
    ))
}
