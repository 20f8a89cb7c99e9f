//! Searches over spaces of real kernels, with times that are made up.

mod made_up;

use std::collections::BTreeSet;

use autotune::{
    CostModel, Draw, STRATEGIES, Search, Seen, Space, features::Extractor, model::spearman, space,
};
use ir::Schedule;
use made_up::{Task, best, graphs, task};

fn product(sides: [i64; 3]) -> Task {
    task(&graphs::product("f32", sides), "cpu:znver4")
}

/// A space of some hundred schedules.
fn small() -> Task {
    task(&graphs::normed("f16", [512, 768]), "rocm:gfx942")
}

fn schedules(seen: &[Seen]) -> Vec<&Schedule> {
    seen.iter().map(|s| &s.schedule).collect()
}

/// The fastest of 300 that are drawn from the space.
fn best_of_300(task: &Task, seed: u64) -> f64 {
    let mut draw = Draw::new(seed);
    let drawn = (0..300).map(|_| task.seen(task.space.sample(draw.any())));
    best(&drawn.collect::<Vec<_>>())
}

#[test]
fn sixty_trials_find_what_three_hundred_random_ones_do() {
    let tasks = [product([128, 384, 1536]), product([77, 512, 640]), small()];
    let (mut won, mut all) = (0, 0);
    for task in &tasks {
        let mut best_of_random: Vec<f64> = (0..5).map(|s| best_of_300(task, s)).collect();
        best_of_random.sort_by(f64::total_cmp);
        for seed in 0..5 {
            let seen = task.run(&mut task.search(seed), 60);
            let (found, wanted) = (best(&seen), best_of_random[2]);
            println!("{}: {found} of {wanted}", task.kernel.name);
            won += u32::from(found <= wanted);
            all += 1;
        }
    }
    assert!(won >= all - 2, "{won} of {all}");
}

#[test]
fn one_seed_gives_the_same_proposals() {
    let task = small();
    let [a, b, c] = [1, 1, 2].map(|seed| task.run(&mut task.search(seed), 40));
    assert_eq!(a, b);
    assert_ne!(a, c);
}

#[test]
fn a_search_that_is_told_of_another_goes_on_like_it() {
    let task = small();
    let mut search = task.search(5);
    let seen = task.run(&mut search, 40);
    // In another order, and in other portions.
    let mut resumed = task.search(5);
    let (first, last) = seen.split_at(13);
    resumed.tell(last);
    resumed.tell(first);
    assert_eq!(resumed.best(), search.best());
    assert_eq!(resumed.expected_gain(), search.expected_gain());
    assert_eq!(resumed.propose(8), search.propose(8));
}

#[test]
fn proposals_are_legal_and_come_once() {
    for strategy in STRATEGIES {
        let task = small();
        let legal: BTreeSet<&Schedule> = task.space.iter().collect();
        let mut search = task.search(3).by(*strategy);
        let told: Vec<Seen> = (0..9).map(|i| task.seen(task.space.sample(i))).collect();
        search.tell(&told);
        let seen = task.run(&mut search, 50);
        // Proposed, and nothing told.
        let pending = [search.propose(5), search.propose(5)].concat();
        let mut once: BTreeSet<&Schedule> = told.iter().map(|s| &s.schedule).collect();
        for schedule in schedules(&seen).into_iter().chain(&pending) {
            let name = strategy.name();
            assert!(once.insert(schedule), "{name}: {schedule:?} again");
            assert!(legal.contains(schedule) || *schedule == task.default);
            assert!(passes::lower(&task.kernel, schedule, &task.target).is_ok());
        }
        assert!(once.len() > 60, "{}", once.len());
    }
}

#[test]
fn small_spaces_are_exhausted() {
    for strategy in STRATEGIES {
        let task = small();
        let mut search = task.search(1).by(*strategy);
        let mut all = BTreeSet::new();
        while let some @ [_, ..] = &search.propose(64)[..] {
            let seen: Vec<Seen> = some.iter().map(|s| task.seen(s)).collect();
            search.tell(&seen);
            all.extend(some.iter().cloned());
        }
        let lowers = |s: &&Schedule| passes::lower(&task.kernel, s, &task.target).is_ok();
        let legal: BTreeSet<_> = task.space.iter().filter(lowers).cloned().collect();
        assert!(legal.is_subset(&all), "{}", strategy.name());
        assert!(search.propose(8).is_empty());
        assert_eq!(search.expected_gain(), 0.0);
    }
}

#[test]
fn a_kernel_without_a_space_has_its_default_only() {
    let task = small();
    // Records of another device are in the database; here there is nothing to choose.
    let (kernel, target, default) = (&task.kernel, &task.target, task.default.clone());
    let none = Space::default();
    let mut search = Search::new(kernel, target, none, default.clone(), 1, None);
    assert_eq!(search.propose(8), [default]);
    assert!(search.propose(8).is_empty());
}

#[test]
fn failures_do_no_harm() {
    let task = small();
    let mut search = task.search(1);
    let mut failed = BTreeSet::new();
    let bad = [
        None,
        Some(f64::NAN),
        Some(0.0),
        Some(-1.0),
        Some(f64::INFINITY),
    ];
    for ratio in bad.into_iter().cycle().take(20) {
        let some = search.propose(4).into_iter();
        let seen: Vec<Seen> = some.map(|schedule| Seen { schedule, ratio }).collect();
        failed.extend(seen.iter().map(|s| s.schedule.clone()));
        search.tell(&seen);
    }
    assert_eq!(search.best(), (&task.default, 1.0));
    let gain = search.expected_gain();
    assert!((0.0..=1.0).contains(&gain), "{gain}");
    let found = best(&task.run(&mut search, 60));
    let others = task.space.iter().filter(|s| !failed.contains(*s));
    let all: Vec<Seen> = others.map(|s| task.seen(s)).collect();
    assert!(found < 1.1 * best(&all), "{found} of {}", best(&all));
}

#[test]
fn less_is_expected_as_the_space_is_known() {
    let task = small();
    let mut search = task.search(1);
    assert_eq!(search.expected_gain(), 1.0);
    task.run(&mut search, 16);
    let early = search.expected_gain();
    task.run(&mut search, 120);
    let late = search.expected_gain();
    assert!(late < early / 2.0, "{early}, then {late}");
}

#[test]
fn what_was_learned_of_other_shapes_holds_for_new_ones() {
    let known = [[512, 1024, 768], [256, 768, 3072], [1024, 512, 512]];
    let mut examples = vec![];
    for (at, sides) in known.into_iter().enumerate() {
        let task = product(sides);
        let mut search = task.search(0).by(STRATEGIES[1]);
        task.run(&mut search, 150);
        examples.extend(search.examples(&format!("task {at}")));
    }
    let model = CostModel::fit(&examples, 1);
    let fresh = product([384, 2048, 1024]);
    let extractor = Extractor::new(&fresh.kernel, &fresh.target, &fresh.default).unwrap();
    let mut pairs = vec![];
    for seed in 0..100 {
        let schedule = fresh.space.sample(seed);
        if let (Some(seconds), Ok(f)) = (fresh.seconds(schedule), extractor.extract(schedule)) {
            pairs.push((seconds, model.predict(f.values())));
        }
    }
    let (times, foreseen): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
    let correlation = spearman(&times, &foreseen).unwrap();
    assert!(correlation > 0.7, "{correlation}");
    // With it, a search starts where others arrive.
    let (space, default) = (fresh.space.clone(), fresh.default.clone());
    let mut search = Search::new(
        &fresh.kernel,
        &fresh.target,
        space,
        default,
        1,
        Some(&model),
    );
    let first = best(&fresh.run(&mut search, 16));
    let without = best(&fresh.run(&mut fresh.search(1), 16));
    assert!(first <= 1.02 * without, "{first}, without {without}");
}

#[test]
fn features_are_finite_on_all_devices() {
    let texts = [
        graphs::product("f32", [65, 130, 70]),
        graphs::attended("f32", [33, 65, 40]),
        graphs::normed("f32", [7, 100]),
        graphs::folded("f32", [50, 30]),
        graphs::added("f32", [50, 31]),
    ];
    for text in &texts {
        let graph = ir::text::parse(text).unwrap();
        let kernel = passes::group(&graph, &[]).unwrap().kernels.remove(0);
        for target in backends::targets() {
            let Ok(default) = autotune::first_choice(&kernel, &target) else {
                continue;
            };
            let extractor = Extractor::new(&kernel, &target, &default).unwrap();
            let features = extractor.extract(&default).unwrap();
            let names = extractor.names();
            assert_eq!(features.values().len(), names.count());
            assert!(features.values().iter().all(|x| x.is_finite()));
            let estimate = features.estimate();
            assert!(
                estimate > 0.0 && estimate.is_finite(),
                "{}: {estimate}",
                target.name
            );
            let _ = space(&kernel, &target).unwrap();
        }
    }
}

/// A feature of a schedule, by its name.
fn feature(task: &Task, schedule: &Schedule, name: &str) -> f64 {
    let extractor = Extractor::new(&task.kernel, &task.target, &task.default).unwrap();
    let at = extractor.names().position(|n| n == name);
    let at = at.unwrap_or_else(|| panic!("no feature `{name}`"));
    f64::from(extractor.extract(schedule).unwrap().values()[at])
}

#[test]
fn features_count_what_tiles_do() {
    let task = product([96, 512, 640]);
    let contract = |rows, lanes, block_rows, block_columns| {
        Schedule::Contract(ir::ContractSchedule {
            rows,
            lanes,
            unroll: 4,
            block_rows,
            block_columns,
            left: ir::Left::InPlace,
        })
    };
    let whole = contract(8, 32, 96, 64);
    let of = |schedule: &Schedule, name: &str| feature(&task, schedule, name);
    // Whole tiles: each multiply-add once, in whole vectors of 16 numbers; two loads and eight numbers for 16 of them.
    assert!(of(&whole, "flops done / flops").abs() < 0.01);
    assert!(of(&whole, "numbers of a vector / used").abs() < 0.01);
    assert_eq!(of(&whole, "inner sums"), 4.0);
    assert_eq!(of(&whole, "blocks"), 3.0);
    let broadcasts = of(&whole, "broadcasts / products");
    assert!((broadcasts + 1.0).abs() < 0.01, "{broadcasts}");
    // Tiles of 24 columns leave half of each second vector empty.
    let half = of(&contract(8, 24, 96, 24), "numbers of a vector / used");
    assert!((half - (4.0_f64 / 3.0).log2()).abs() < 0.1, "{half}");
    // Low tiles read their columns more often; blocks that caches hold less.
    let traffic = "near traffic / flops";
    assert!(of(&contract(2, 32, 96, 32), traffic) > of(&whole, traffic) + 0.5);
    assert_eq!(feature(&task, &task.default, "blocks / default"), 0.0);
    // Rows of the left operand that lie 2,048 bytes apart meet in two sets: 8 rows, 4 in each.
    let even = product([96, 640, 512]);
    assert_eq!(feature(&even, &whole, "rows of a set"), 2.0);
    assert_eq!(of(&whole, "rows of a set"), 0.0);
}
