//! Spaces of schedules hold legal ones only, always in one order; first choices use what pays.

#[path = "emulate/graphs.rs"]
#[allow(dead_code, reason = "the emulator's cases use the rest")]
mod graphs;

use std::collections::BTreeSet;

use autotune::{Space, first_choice, space};
use ir::{AttentionRows, Kernel, Schedule, SimtAttentionSchedule, Target, lane};

fn targets() -> Vec<Target> {
    let mut all = backends::targets();
    all.retain(|t| t.simt().is_some());
    all
}

fn kernel(text: &str) -> Kernel {
    let graph = ir::text::parse(text).unwrap();
    passes::group(&graph, &[]).unwrap().kernels.remove(0)
}

/// Kernels as models have them, one of each family.
fn kernels() -> Vec<(&'static str, Kernel)> {
    vec![
        (
            "contraction",
            kernel(&graphs::product("f16", [512, 1024, 768])),
        ),
        ("skinny", kernel(&graphs::product("f16", [4, 4096, 4096]))),
        (
            "attention",
            kernel(&graphs::attended("f16", [512, 512, 64])),
        ),
        (
            "decode",
            kernel(&graphs::decoded("f16", [32, 8], [1, 4096, 128])),
        ),
        ("rows", kernel(&graphs::normed("f16", [512, 768]))),
        ("fold", kernel(&graphs::folded("f32", [512, 768]))),
        ("map", kernel(&graphs::added("f16", [512, 768]))),
    ]
}

/// Some of a space's schedules: picked by seeds, each with a neighbour.
fn some(space: &Space, count: u64) -> Vec<Schedule> {
    let pairs = (0..count).map(|seed| {
        let sampled = space.sample(seed).clone();
        let near = space.mutate(&sampled, seed);
        [sampled, near]
    });
    pairs.flatten().collect()
}

#[test]
fn what_is_in_a_space_lowers() {
    for (name, kernel) in kernels() {
        for target in targets() {
            let space = space(&kernel, &target).unwrap();
            println!("{name} on {}: {} schedules", target.name, space.len());
            assert!(space.len() >= 3, "{name} on {}", target.name);
            for schedule in some(&space, 2) {
                let lowered = passes::lower(&kernel, &schedule, &target);
                lowered.unwrap_or_else(|e| panic!("{name} on {}: {schedule:?}: {e}", target.name));
            }
        }
    }
}

#[test]
fn a_space_has_one_order_and_no_schedule_twice() {
    let target = &targets()[0];
    for (name, kernel) in kernels() {
        let [first, second] = [0, 1].map(|_| space(&kernel, target).unwrap());
        assert!(first.iter().eq(second.iter()), "{name}");
        let distinct: BTreeSet<&Schedule> = first.iter().collect();
        assert_eq!(distinct.len(), first.len(), "{name}");
        assert_eq!(some(&first, 9), some(&second, 9), "{name}");
        for schedule in some(&first, 9) {
            assert!(distinct.contains(&schedule), "{name}: {schedule:?}");
        }
    }
}

#[test]
fn mutations_change_something() {
    let target = &targets()[0];
    for (name, kernel) in kernels() {
        let space = space(&kernel, target).unwrap();
        let changed = (0..20).filter(|seed| {
            let schedule = space.sample(*seed);
            space.mutate(schedule, *seed) != *schedule
        });
        assert!(changed.count() >= 15, "{name}");
    }
}

fn choice(text: &str, device: &str) -> Schedule {
    let target = backends::resolve(device).unwrap();
    first_choice(&kernel(text), &target).unwrap()
}

fn attention(text: &str, device: &str) -> SimtAttentionSchedule {
    match choice(text, device) {
        Schedule::SimtAttention(s) => s,
        other => panic!("{device}: {other:?}"),
    }
}

#[test]
fn first_choices_read_weights_and_keys_once() {
    for device in ["cuda:sm_80", "cuda:sm_90a", "rocm:gfx942"] {
        for m in [1, 2, 4] {
            let skinny = choice(&graphs::product("f16", [m, 4096, 4096]), device);
            assert!(
                matches!(skinny, Schedule::SimtGemv(_)),
                "{device}: {skinny:?}"
            );
        }
        // One query and many keys: heads share a block, blocks share the keys.
        let s = attention(&graphs::decoded("f16", [32, 8], [1, 8192, 128]), device);
        assert_eq!(s.rows, AttentionRows::Group, "{device}: {s:?}");
        assert!(s.splits > 1, "{device}: {s:?}");
    }
}

#[test]
fn first_choices_share_sums_where_blocks_are_few() {
    // Devices without warpgroups, whose schedules come first elsewhere.
    for device in ["cuda:sm_80", "rocm:gfx942"] {
        let long = choice(&graphs::product("f16", [64, 64, 16384]), device);
        let shared = match &long {
            Schedule::SimtContract(s) => s.splits > 1,
            Schedule::SimtStream(_) => true,
            _ => false,
        };
        assert!(shared, "{device}: {long:?}");
        let large = choice(&graphs::product("f16", [4096, 4096, 1024]), device);
        let Schedule::SimtContract(s) = large else {
            panic!("{device}: {large:?}")
        };
        assert_eq!(s.splits, 1, "{device}: {s:?}");
        let s = attention(&graphs::decoded("f16", [32, 8], [2048, 2048, 128]), device);
        let found = (s.rows, s.splits);
        assert_eq!(found, (AttentionRows::Queries, 1), "{device}: {s:?}");
    }
}

/// The widths of all loads of a parameter.
fn widths(body: &[lane::Stmt], param: u32, out: &mut BTreeSet<u32>) {
    for stmt in body {
        match stmt {
            lane::Stmt::Let(_, lane::Value::Load { from, width, .. })
                if from.memory == lane::Memory::Param(param) =>
            {
                out.insert(*width);
            }
            lane::Stmt::For(l) => widths(&l.body, param, out),
            lane::Stmt::When { body, .. } => widths(body, param, out),
            _ => {}
        }
    }
}

#[test]
fn weights_of_few_rows_are_read_once_and_by_whole_accesses() {
    for device in ["cuda:sm_90a", "rocm:gfx942", "opencl:gfx936"] {
        let target = backends::resolve(device).unwrap();
        for (dtype, size) in [("f32", 4), ("f16", 2)] {
            for text in [
                graphs::product(dtype, [2, 1024, 2048]),
                graphs::turned(dtype, [2, 1024, 2048]),
            ] {
                let kernel = kernel(&text);
                let schedule = first_choice(&kernel, &target).unwrap();
                let lowered = passes::lower(&kernel, &schedule, &target).unwrap();
                let program = &lowered.program;
                let types = ir::tile::types(program).unwrap();
                let counts = ir::tile::count(program, &types).unwrap();
                let what = format!("{device}, {dtype}: {schedule:?}");
                assert!(matches!(schedule, Schedule::SimtGemv(_)), "{what}");
                assert_eq!(counts.loaded[1].0, 1024 * 2048 * size, "{what}");
                let mut found = BTreeSet::new();
                widths(&lowered.lane.unwrap().body, 1, &mut found);
                assert_eq!(found, BTreeSet::from([16 / size as u32]), "{what}");
            }
        }
    }
}
