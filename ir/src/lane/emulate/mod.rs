//! Runs lane programs, every lane of every block, and finds what no result shows: accesses outside arrays, numbers
//! read before they are written, lanes and copies that race, results that depend on an order.
//!
//! Lanes of a warp step together, warps take turns where they wait for each other. Lanes of one warp race like any
//! others: a barrier has to stand between a write of one and a read of another. Programs with mbarriers are ordered by
//! clocks instead, which arrivals pass on to who awaits them.

mod access;
mod boxes;
mod clock;
mod code;
mod compute;
mod copies;
mod count;
mod fault;
mod global;
mod ints;
mod machine;
mod marks;
mod matrix;
mod order;
mod phases;
mod product;
mod schedule;
mod shared;
mod stuck;
mod warp;

pub use copies::Landing;
pub use count::Counts;
pub use fault::{EmulateError, RunFault, Thread, Touch};
pub use order::{Order, Sample};
pub use stuck::{Awaited, Waiting, WaitsFor};

use super::{Program, types};
use boxes::Boxes;
use code::Code;
use fault::Stop;
use global::Global;
use machine::Machine;
use order::Random;
use product::Products;
use schedule::run_block;
use shared::Shared;
use warp::Warp;

/// How a program is run where the device is free to choose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Emulation {
    /// Order of warps between barriers, and of blocks.
    pub order: Order,
    /// When copies and products take effect.
    pub landing: Landing,
    /// Which blocks are run; all without.
    pub blocks: Option<Sample>,
}

/// Runs the blocks of `program` over the values of its parameters, one array each, in order. Numbers are rounded to
/// their element type at each step.
///
/// # Errors
/// The program has a fault, the parameters do not fit it, or a lane takes a step that no device may take.
pub fn emulate(
    program: &Program,
    params: &mut [Vec<f64>],
    options: &Emulation,
) -> Result<Counts, EmulateError> {
    let types = types(program).map_err(Box::new)?;
    require_params(program, params)?;
    let code = Code::new(program, types);
    let mut warps: Vec<_> = (0..program.warps as usize)
        .map(|number| Warp::new(&code, number))
        .collect();
    let mut machine = Machine {
        code: &code,
        global: Global::new(program, params),
        shared: Shared::new(program),
        landing: options.landing,
        boxes: Boxes::default(),
        products: Products::default(),
        random: Random(match options.landing {
            Landing::Seeded(seed) => seed,
            _ => 0,
        }),
        block: 0,
        counts: Counts::default(),
    };
    for block in order::blocks(program.blocks(), options) {
        let place = place_of(program, block);
        warps.iter_mut().for_each(|w| w.restart(&code, &place));
        machine.restart(block);
        run_block(&mut machine, &mut warps, options)?;
    }
    Ok(machine.counts)
}

/// Runs the program in opposite orders: warps and blocks ascending, copies and products taking effect at once; and
/// descending, with them taking effect as late as they may. The results must agree in every bit.
///
/// # Errors
/// As of [`emulate`], and results that differ.
pub fn emulate_all(
    program: &Program,
    params: &mut [Vec<f64>],
    blocks: Option<Sample>,
) -> Result<Counts, EmulateError> {
    let first = Emulation {
        order: Order::Ascending,
        landing: Landing::Earliest,
        blocks,
    };
    let second = Emulation {
        order: Order::Descending,
        landing: Landing::Latest,
        blocks,
    };
    let mut others = params.to_vec();
    let counts = emulate(program, params, &first)?;
    emulate(program, &mut others, &second)?;
    for (array, (a, b)) in program.params.iter().zip(params.iter().zip(&others)) {
        let differ = |(a, b): (&f64, &f64)| a.to_bits() != b.to_bits();
        if let Some(at) = a.iter().zip(b).position(differ) {
            return Err(EmulateError::Order {
                program: program.name.clone(),
                array: array.name.clone(),
                at,
                first: a[at],
                second: b[at],
            });
        }
    }
    Ok(counts)
}

fn error(code: &Code, warp: &Warp, stop: Stop) -> EmulateError {
    EmulateError::Run {
        program: code.program.name.clone(),
        place: code.places[warp.at].clone(),
        counters: warp.counts(code),
        thread: Thread {
            warp: warp.number as u32,
            lane: stop.lane.map(|lane| lane as u32),
        },
        fault: stop.fault.into(),
    }
}

/// The place of a block in the grid.
fn place_of(program: &Program, block: i64) -> Vec<i64> {
    let mut rest = block;
    let mut place: Vec<_> = program
        .grid
        .iter()
        .rev()
        .map(|size| {
            let n = rest % size;
            rest /= size;
            n
        })
        .collect();
    place.reverse();
    place
}

fn require_params(program: &Program, params: &[Vec<f64>]) -> Result<(), EmulateError> {
    if params.len() != program.params.len() {
        return Err(EmulateError::Params {
            program: program.name.clone(),
            wanted: program.params.len(),
            found: params.len(),
        });
    }
    for (array, values) in program.params.iter().zip(params) {
        if usize::try_from(array.len) != Ok(values.len()) {
            return Err(EmulateError::Length {
                program: program.name.clone(),
                array: array.name.clone(),
                wanted: array.len,
                found: values.len(),
            });
        }
    }
    Ok(())
}
