//! Kernels lowered for devices of many lanes compute what their graphs mean, lane by lane.

mod lanes;
mod support;

use lanes::{bind, check, graphs, kernels, schedules, targets};
use support::{Encoder, encoder, options};

/// Every kernel of every graph at these sizes, by every schedule, on every target.
fn check_all(text: &str, sizes: &[&[i64]]) {
    let (mut cases, mut skipped) = (0, 0);
    for graph in graphs(text) {
        for sizes in sizes {
            for kernel in kernels(&graph, sizes) {
                for target in targets::all() {
                    let all = schedules::of(&kernel, &target);
                    let fit = all.iter().filter_map(|s| check(&kernel, s, &target));
                    let fit = fit.count();
                    assert!(
                        fit > 0,
                        "{}: no schedule of `{}` fits",
                        target.name,
                        kernel.name
                    );
                    cases += fit;
                    skipped += all.len() - fit;
                }
            }
        }
    }
    println!("{cases} cases; {skipped} schedules do not fit");
}

#[test]
fn maps() {
    check_all(include_str!("lanes/map.graph"), &[&[3, 77], &[1, 1]]);
}

#[test]
fn rows() {
    check_all(include_str!("lanes/rows.graph"), &[&[3, 77], &[1, 5]]);
}

#[test]
fn folds() {
    check_all(include_str!("lanes/fold.graph"), &[&[3, 77], &[1, 2]]);
}

#[test]
fn contractions() {
    check_all(include_str!("lanes/contract.graph"), &[&[3, 17], &[1, 1]]);
}

#[test]
fn attentions() {
    check_all(include_str!("lanes/attention.graph"), &[&[1, 37], &[2, 1]]);
}

#[test]
fn layers() {
    check_all(include_str!("lanes/layers.graph"), &[&[2, 7]]);
}

/// The kernels of whole graphs as rewriting leaves them.
#[test]
fn rewritten() {
    let sizes = Encoder {
        layers: 1,
        width: 24,
        heads: 3,
        inner: 40,
    };
    let mut graphs = graphs(include_str!("lanes/layers.graph"));
    graphs.push(encoder(&sizes));
    let mut cases = 0;
    for graph in graphs {
        let bound = bind(&graph, &[2, 5]);
        let rewritten = passes::rewrite(&bound, &options()).unwrap();
        for kernel in passes::group(&rewritten.graph, &[]).unwrap().kernels {
            for target in targets::all() {
                let all = schedules::of(&kernel, &target);
                cases += all
                    .iter()
                    .filter_map(|s| check(&kernel, s, &target))
                    .count();
            }
        }
    }
    println!("{cases} cases");
    assert!(cases > 0);
}
