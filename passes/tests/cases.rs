//! What passes make of graphs, as text: `cases/<pass>/<what>.test` holds a graph, `----`, and the
//! expected text; `cargo xtask bless` writes the latter. Each case is also computed before and
//! after the pass, since a text can be blessed wrong.

mod case;

use case::check;

#[test]
fn rewrite() {
    check("rewrite", case::rewrite);
}

#[test]
fn split() {
    check("split", case::split);
}

#[test]
fn store() {
    check("store", case::store);
}

#[test]
fn group() {
    check("group", case::group);
}

#[test]
fn lower() {
    check("lower", case::lower);
}

#[test]
fn plan() {
    check("plan", case::plan);
}
