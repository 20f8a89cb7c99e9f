//! What warps wait for when none can go on.

use std::fmt;

use crate::tile::Place;

/// A warp that cannot go on.
#[derive(Clone, Debug, PartialEq)]
pub struct Waiting {
    /// Its number.
    pub warp: u32,
    /// The statement.
    pub place: Place,
    /// What for.
    pub what: WaitsFor,
}

/// What a warp waits for.
#[derive(Clone, Debug, PartialEq)]
pub enum WaitsFor {
    /// The other warps, at a barrier.
    Barrier,
    /// The other warps of its warpgroup, at a product.
    Warpgroup,
    /// A phase of an mbarrier.
    Phase(Awaited),
}

/// What a warp waits for at a counter.
#[derive(Clone, Debug, PartialEq)]
pub struct Awaited {
    /// Name of the mbarrier.
    pub mbarrier: String,
    /// Which of its counters.
    pub slot: u32,
    /// The parity.
    pub parity: i64,
    /// The phase that the counter is in.
    pub phase: u32,
    /// Arrivals that the phase lacks.
    pub arrivals: u32,
    /// Bytes that were expected and have not come.
    pub bytes: i64,
}

impl fmt::Display for WaitsFor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Awaited {
            mbarrier,
            slot,
            parity,
            phase,
            arrivals,
            bytes,
        } = match self {
            Self::Barrier => return f.write_str("all warps at a barrier"),
            Self::Warpgroup => return f.write_str("the others of the warpgroup at a product"),
            Self::Phase(awaited) => awaited,
        };
        write!(
            f,
            "parity {parity} of `{mbarrier}`[{slot}], whose phase {phase} lacks {arrivals} arrivals and {bytes} bytes"
        )
    }
}

/// `warps 0, 1 at statement 3 for all warps at a barrier; `; warps that wait for the same together.
pub(super) fn spell(waits: &[Waiting]) -> String {
    let mut groups: Vec<(Vec<String>, String)> = vec![];
    for Waiting { warp, place, what } in waits {
        let text = format!("at {place} for {what}");
        match groups.iter_mut().find(|(_, same)| *same == text) {
            Some((warps, _)) => warps.push(warp.to_string()),
            None => groups.push((vec![warp.to_string()], text)),
        }
    }
    let each = groups.iter().map(|(warps, text)| match &warps[..] {
        [one] => format!("warp {one} waits {text}"),
        more => format!("warps {} wait {text}", more.join(", ")),
    });
    each.collect::<Vec<_>>().join("; ")
}
