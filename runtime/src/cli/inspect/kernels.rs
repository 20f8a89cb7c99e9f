//! Kernels of a target: work, least time, and what was seen of each.

use std::{collections::BTreeMap, fmt::Write};

use ir::{DeviceModel, Floor, KernelWork, Source};
use serde_json::{Value, json};

use super::{
    super::{megabytes, work},
    InspectOptions,
};
use crate::{
    Artifact, calendar,
    evidence::{Evidence, Level, Record},
    manifest::{Code, Kernel, KernelId, Language, Program, TargetCode},
};

/// What one kernel is shown with.
pub(super) struct Shown<'a> {
    kernel: &'a Kernel,
    evidence: Evidence<'a>,
    work: Option<KernelWork>,
    /// What its text says of itself, where it has no lanes.
    head: Vec<String>,
    /// The least time on each device.
    pub floors: Vec<Floor>,
}

/// Looks up the kernels of a target, and holds them against devices.
pub(super) fn look_up<'a>(
    artifact: &'a Artifact,
    target: &'a TargetCode,
    devices: &[DeviceModel],
) -> Vec<Shown<'a>> {
    let one = |(i, kernel): (u32, &'a Kernel)| {
        let work = work(artifact, kernel);
        let floors = work
            .as_ref()
            .map_or(vec![], |w| devices.iter().map(|d| d.floor(w)).collect());
        Shown {
            kernel,
            evidence: Evidence::of(artifact, target, KernelId(i)),
            work,
            head: head(artifact, kernel),
            floors,
        }
    };
    (0..).zip(&target.kernels).map(one).collect()
}

/// The comments that the text of a kernel without lanes begins with: what it is for, and what it takes.
fn head(artifact: &Artifact, kernel: &Kernel) -> Vec<String> {
    let launch = kernel.launch.as_ref().filter(|l| l.lane.is_none());
    let text = launch.map(|l| String::from_utf8_lossy(artifact.kernel_code(l)));
    let text = text.unwrap_or_default();
    let lines = text.lines().map_while(|l| l.strip_prefix("//"));
    lines.map(|l| l.trim_start().to_owned()).collect()
}

/// The least time of a program on each device, if it is known of every kernel.
pub(super) fn floors(program: &Program, kernels: &[Shown], devices: usize) -> Option<Vec<f64>> {
    let mut sums = vec![0.0; devices];
    for step in &program.steps {
        let shown = &kernels[step.kernel.0 as usize];
        if shown.floors.len() != devices {
            return None;
        }
        for (sum, floor) in sums.iter_mut().zip(&shown.floors) {
            *sum += floor.seconds;
        }
    }
    Some(sums)
}

/// How many kernels reached which level, and the least of all; in words.
pub(super) fn summary(kernels: &[Shown]) -> (String, Value) {
    let mut counts: BTreeMap<Option<Level>, usize> = BTreeMap::new();
    for k in kernels {
        *counts.entry(k.evidence.level()).or_default() += 1;
    }
    let name = |level: &Option<Level>| level.map_or("no evidence", Level::name);
    let words = counts.iter().rev().map(|(l, n)| format!("{n} {}", name(l)));
    let least = counts.keys().next().copied().flatten();
    (words.collect::<Vec<_>>().join(", "), json!(least))
}

impl Shown<'_> {
    /// Adds lines on the kernel.
    pub fn describe(
        &self,
        out: &mut String,
        target: &TargetCode,
        devices: &[DeviceModel],
        options: &InspectOptions,
    ) {
        let kernel = self.kernel;
        let (gflop, bytes) = (kernel.flops.0 as f64 / 1e9, megabytes(kernel.bytes.0));
        let mut lines = vec![format!(
            "  kernel {:40} {:12} {:>6} blocks, {gflop:.3} GFLOP, {bytes}",
            kernel.name, kernel.family, kernel.blocks
        )];
        let floors = self.floors.iter().zip(devices);
        let floors: Vec<_> = floors
            .map(|(f, d)| format!("{} ({})", on(f.seconds, d), f.bound.name()))
            .collect();
        if !floors.is_empty() {
            lines.push(format!("    {}", floors.join(", ")));
        }
        lines.extend(self.head.iter().map(|text| format!("    {text}")));
        if let Some(launch) = kernel.launch.as_ref().filter(|l| l.lane.is_some()) {
            lines.push(format!(
                "    {} lanes a block, {} bytes of shared memory",
                launch.threads, launch.shared.0
            ));
        }
        if let Some(built) = &self.evidence.built {
            lines.push(format!(
                "    E1 built: accepted by {}{}",
                built.tool,
                self.takes()
            ));
        }
        match self.evidence.best() {
            Some(record) => lines.push(format!("    {}", seen(record))),
            None if self.evidence.built.is_none() => {
                lines.push(format!("    no evidence: {}", why_none(target)));
            }
            None => {}
        }
        if options.rules && !kernel.rules.is_empty() {
            lines.push(format!("    by {}", kernel.rules.join(", ")));
        }
        for line in lines {
            writeln!(out, "{line}").expect("strings grow");
        }
    }

    fn takes(&self) -> String {
        let takes = self.evidence.built.and_then(|b| b.takes);
        takes.map_or_else(String::new, |t| {
            format!(
                "; {} registers, {} spilled, {} bytes of scratch memory, {} of shared",
                t.registers, t.spills, t.scratch.0, t.shared.0
            )
        })
    }

    /// The same for programs.
    pub fn json(&self, devices: &[DeviceModel]) -> Value {
        let (kernel, evidence) = (self.kernel, &self.evidence);
        let launch = kernel.launch.as_ref();
        let built = evidence
            .built
            .map(|b| json!({ "tool": b.tool, "takes": b.takes }));
        let best = match (evidence.best(), evidence.built) {
            (Some(record), _) => json!(record),
            (None, Some(b)) => json!({ "level": Level::Built, "tool": b.tool }),
            (None, None) => Value::Null,
        };
        let floors = self.floors.iter().zip(devices);
        let floors = floors.map(|(f, d)| {
            json!({ "device": d.name, "device_name": d.words, "seconds": f.seconds, "bound": f.bound })
        });
        let work = self.work.as_ref().map(|w| {
            json!({
                "product_flops": w.products.0, "operands": w.operands,
                "function_flops": w.functions.0, "bytes": w.bytes.0,
            })
        });
        json!({
            "name": kernel.name, "symbol": kernel.symbol, "family": kernel.family,
            "blocks": kernel.blocks, "scratch_bytes": kernel.scratch.0, "flops": kernel.flops.0,
            "bytes": kernel.bytes.0, "rules": kernel.rules, "meaning": kernel.meaning,
            "threads": launch.map(|l| l.threads), "shared_bytes": launch.map(|l| l.shared.0),
            "takes": launch.and_then(|l| l.takes), "work": work, "floors": floors.collect::<Vec<_>>(),
            "head": self.head, "level": evidence.level(), "evidence": best, "built": built, "records": evidence.seen,
        })
    }
}

/// What was seen of a kernel, in words.
fn seen(r: &Record) -> String {
    let by = match r.tool == r.device {
        true => String::new(),
        false => format!(" by {}", r.tool),
    };
    let mut words = format!(
        "{}{by} on {}, {}",
        r.level.name(),
        r.device,
        calendar::date(r.unix_time)
    );
    if let Some(error) = r.max_error {
        write!(words, ": max error {error:.1e}").expect("strings grow");
    }
    if let Some(bound) = r.bound {
        write!(words, ", bound {bound:.1e}").expect("strings grow");
    }
    if let Some(blocks) = r.blocks {
        let which = if blocks.run < blocks.of {
            format!("{} of {} blocks", blocks.run, blocks.of)
        } else {
            format!("all {} blocks", blocks.of)
        };
        let words = &mut words;
        write!(
            words,
            "; {which} in two orders, no race, no access out of bounds"
        )
        .expect("strings grow");
    }
    if let Some(t) = r.times {
        let (median, min) = (seconds(t.median_s), seconds(t.min_s));
        write!(words, "; median {median}, least {min} of {} calls", t.runs).expect("strings grow");
    }
    words
}

/// Why nobody has taken the code.
fn why_none(target: &TargetCode) -> &'static str {
    match &target.code {
        Code::Source(s) if s.language == Language::Ptx => {
            "PTX that no assembler has taken, since `ptxas` was not there; see `tilewright verify`"
        }
        Code::Source(s) if !s.language.has_lanes() => {
            "text that the vendor's compiler has not seen here"
        }
        Code::Source(_) => "text that no driver has compiled; see `tilewright verify`",
        Code::Elf(_) | Code::Image(_) => "see `tilewright verify`",
    }
}

/// `at least 12.3 us on H200 SXM`
pub(super) fn on(floor: f64, device: &DeviceModel) -> String {
    let how = match device.source {
        Source::DataSheet(_) => "at least",
        Source::Assumed => "estimated",
    };
    format!("{how} {} on {}", seconds(floor), device.words)
}

/// `12.3 us`
fn seconds(s: f64) -> String {
    match s {
        s if s >= 1.0 => format!("{s:.2} s"),
        s if s >= 1e-3 => format!("{:.2} ms", s * 1e3),
        s => format!("{:.2} us", s * 1e6),
    }
}
