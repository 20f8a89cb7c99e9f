//! What must hold of a page whatever shows it.

use autotune::report::page;

use crate::samples::report;

#[test]
fn the_same_data_give_the_same_bytes() {
    assert_eq!(page(&report(7, 90, 3)), page(&report(7, 90, 3)));
}
#[test]
fn write() {
    for (t, n) in [(1, 60), (3, 90), (7, 200), (60, 900), (4, 0)] {
        std::fs::write(format!("/tmp/r/{t}.html"), page(&report(t, n, 3))).unwrap();
    }
}
