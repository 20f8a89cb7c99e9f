//! What must hold of a page whatever shows it.

use autotune::report::page;

use crate::samples::report;

#[test]
fn the_same_data_give_the_same_bytes() {
    assert_eq!(page(&report(7, 90, 3)), page(&report(7, 90, 3)));
}

#[test]
fn data_survive_their_text() {
    let data = report(3, 30, 9);
    let text = serde_json::to_string(&data).unwrap();
    assert_eq!(
        serde_json::from_str::<autotune::report::Data>(&text).unwrap(),
        data
    );
}

#[test]
fn a_page_names_no_other_place() {
    let page = page(&report(3, 30, 9));
    for word in ["http:", "https:", "src=", "href=", "url(", "@import"] {
        assert!(!page.contains(word), "{word}");
    }
}
