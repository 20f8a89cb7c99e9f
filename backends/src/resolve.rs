//! Targets by name.

use ir::Target;

use crate::{ascend, cpu, cuda, opencl, rocm};

/// Why a name is no target.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// No target has the name.
    #[error("target: no `{name}`; help: {}", help(nearest))]
    Unknown {
        /// What was asked for.
        name: String,
        /// Targets spelled almost so, or all if none is.
        nearest: Vec<String>,
    },
    /// A device has the name, not a target.
    #[error("target: `{name}` is a device; help: its code is that of `{target}`")]
    Device {
        /// What was asked for.
        name: String,
        /// The target whose code it runs.
        target: String,
    },
    /// This machine lacks what every target of the kind needs.
    #[error("target: this machine is no known `cpu`; the least demanding one, {least}, needs {}", missing.join(", "))]
    Host {
        /// The target that it is nearest to.
        least: String,
        /// What it lacks.
        missing: Vec<String>,
    },
}

fn help(nearest: &[String]) -> String {
    format!("wanted `cpu` or one of {}", nearest.join(", "))
}

/// All targets.
pub fn targets() -> Vec<Target> {
    let all = [
        cpu::targets::targets(),
        cuda::targets::targets(),
        rocm::targets::targets(),
        opencl::targets::targets(),
        ascend::targets::targets(),
    ];
    all.concat()
}

/// The target of this name; `cpu` is the named one that this machine is.
///
/// # Errors
/// There is none.
pub fn resolve(name: &str) -> Result<Target, TargetError> {
    if name == "cpu" {
        return host();
    }
    let name = ascend::targets::device(name).unwrap_or(name);
    let all = targets();
    if let Some(target) = all.iter().find(|t| t.name == name) {
        return Ok(target.clone());
    }
    if let Ok(device) = crate::device(name) {
        return Err(TargetError::Device {
            name: device.name,
            target: device.target,
        });
    }
    Err(TargetError::Unknown {
        name: name.into(),
        nearest: nearest(name, all.iter().map(|t| t.name.as_str())),
    })
}

/// Names spelled almost so, at most three of them; else those of the same kind, which stands before the colon; else all.
/// A name without its kind counts, and so do capitals.
pub(crate) fn nearest<'a>(name: &str, all: impl Iterator<Item = &'a str> + Clone) -> Vec<String> {
    let name = name.to_lowercase();
    let kind = |name: &str| name.split(':').next().unwrap_or_default().to_owned();
    let apart = |other: &str| {
        let other = other.to_lowercase();
        let short = other.split(':').next_back().unwrap_or_default();
        distance(&name, &other).min(distance(&name, short))
    };
    let goes_on = |other: &str| other.contains(&name);
    let mut ranked: Vec<_> = all.clone().map(|n| (apart(n), !goes_on(n), n)).collect();
    ranked.sort_unstable();
    let most = match ranked.first() {
        Some((0, ..)) => 0,
        _ => 3,
    };
    let near = ranked.iter().filter(|(d, ..)| *d <= most).take(3);
    let near: Vec<_> = near.map(|(_, _, n)| (*n).to_owned()).collect();
    if !near.is_empty() {
        return near;
    }
    let own = kind(&name);
    let alike: Vec<_> = all.clone().filter(|n| kind(n) == own).collect();
    let shown = if alike.is_empty() {
        all.collect()
    } else {
        alike
    };
    shown.into_iter().map(str::to_owned).collect()
}

/// What a target requires and this machine lacks.
fn missing(target: &Target) -> Vec<String> {
    let Some(simd) = target.simd() else {
        return vec![];
    };
    let lacks = |feature: &&String| cpu::targets::host_has(feature) != Some(true);
    simd.requires.iter().filter(lacks).cloned().collect()
}

fn host() -> Result<Target, TargetError> {
    let all = cpu::targets::targets();
    if let Some(target) = all.iter().find(|t| missing(t).is_empty()) {
        return Ok(target.clone());
    }
    let least = all
        .iter()
        .min_by_key(|t| missing(t).len())
        .expect("there are targets");
    Err(TargetError::Host {
        least: least.name.clone(),
        missing: missing(least),
    })
}

/// The number of characters to insert, drop or replace: Levenshtein's distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_pen_is_answered_with_near_names() {
        let error = resolve("cpu:znver6").unwrap_err();
        assert_eq!(
            error.to_string(),
            "target: no `cpu:znver6`; help: wanted `cpu` or one of cpu:znver3, cpu:znver4, cpu:znver5"
        );
    }

    fn check_nearest(name: &str, wanted: &str) {
        let message = resolve(name).unwrap_err().to_string();
        assert!(message.ends_with(wanted), "{message}");
    }

    #[test]
    fn names_without_their_kind_and_kinds_alone_are_answered_too() {
        check_nearest("sm_90", "one of cuda:sm_90a, cuda:sm_80, cuda:sm_89");
        check_nearest("rocm:GFX942", "one of rocm:gfx942");
        check_nearest("gfx936", "one of opencl:gfx936");
        check_nearest("gfx906", "one of opencl:gfx906, rocm:gfx906");
        check_nearest(
            "cuda",
            "one of cuda:sm_80, cuda:sm_89, cuda:sm_90a, cuda:sm_100a",
        );
        check_nearest(
            "cuda:h200",
            "is a device; help: its code is that of `cuda:sm_90a`",
        );
        check_nearest(
            "cuda:hopper",
            "one of cuda:sm_80, cuda:sm_89, cuda:sm_90a, cuda:sm_100a",
        );
    }

    #[test]
    fn devices_have_matrix_instructions_that_fit_and_one_for_f32() {
        for target in targets() {
            let Some(device) = target.simt() else {
                continue;
            };
            for instr in &device.matrix {
                assert!(instr.fits(device.lanes), "{}: {}", target.name, instr.name);
            }
            let f32 = |m: &ir::lane::MatrixInstr| m.operands == ir::DType::F32;
            assert!(device.matrix.iter().any(f32), "{}", target.name);
        }
    }

    #[test]
    fn every_requirement_can_be_asked_of_the_host() {
        for target in targets() {
            let requires = target.simd().map(|s| s.requires.as_slice());
            for feature in requires.unwrap_or_default() {
                assert!(cpu::targets::host_has(feature).is_some(), "{feature}");
            }
            assert_eq!(resolve(&target.name).unwrap(), target);
        }
    }
}
