//! What the emulator finds in programs with boxes, mbarriers and products: each fault planted in a program that works
//! without it.

use ir::lane::{Emulation, Landing, Order, Program, emulate, emulate_all, parse};

const BOXES: &str = include_str!("lane/boxes.lane");
const GROUP: &str = include_str!("lane/group.lane");
const HELD: &str = include_str!("lane/held.lane");

fn changed(text: &str, changes: &[(&str, &str)]) -> Program {
    let text = changes.iter().fold(text.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    });
    parse(&text).unwrap_or_else(|e| panic!("{e}: {text}"))
}

fn params(program: &Program) -> Vec<Vec<f64>> {
    let each = program.params.iter().enumerate();
    each.map(|(p, array)| {
        let numbers = (0..array.len as usize).map(|i| ((i + p) * 7919 % 101) as f64 - 50.0);
        numbers.collect()
    })
    .collect()
}

/// The fault of a program after some changes of its text.
fn fault(text: &str, changes: &[(&str, &str)]) -> String {
    let program = changed(text, changes);
    match emulate_all(&program, &mut params(&program), None) {
        Ok(_) => "no fault".into(),
        Err(error) => {
            let text = error.to_string();
            let start = format!("lane program `{}`, ", program.name);
            text.strip_prefix(&start).unwrap().to_owned()
        }
    }
}

const FULL: &str = "await %full[mod(#2, 2)] parity mod(div(#2, 2), 2)";
const EMPTY: &str = "await %empty[mod(#1, 2)] parity mod(div(#1, 2) + 1, 2)";
const ARRIVE: &str = "arrive %empty[mod(#2, 2)]";

/// The third copy, which refills the first buffer.
const REFILL: &str =
    "statement 0.0.2, at #0 = 0, #1 = 2, warp 0, lane 0: shared `xs`: copies to element";
/// The same in the program with products.
const GROUP_REFILL: &str = "statement 0.1.0.0.2, at #0 = 0, #3 = 0, #4 = 3, warp 4, lane 0: shared `xs`: copies to element";
const MULTIPLIED: &str = "which a product of warp 0 may still read; wanted the wait for it, then an arrival of that warp, awaited here";
const ARRIVAL: &str = "wanted its arrival after that, awaited here, or a barrier between";

#[test]
fn all_is_well_without_a_change() {
    for text in [BOXES, GROUP, HELD] {
        assert_eq!(fault(text, &[]), "no fault");
    }
}

#[test]
fn a_wrong_parity_stops_all_or_goes_on_too_early() {
    let shifted = "await %full[mod(#2, 2)] parity mod(div(#2, 2) + 1, 2)";
    assert_eq!(
        fault(BOXES, &[(FULL, shifted)]),
        "statement 0.0.0, at #0 = 0, #1 = 2, warp 0: no warp can go on: \
         warp 0 waits at statement 0.0.0 for parity 0 of `empty`[0], whose phase 0 lacks 32 arrivals and 0 bytes; \
         warp 1 waits at statement 1.0.0 for parity 1 of `full`[0], whose phase 1 lacks 1 arrivals and 0 bytes"
    );
    // Where the consumer comes first, it goes on at once.
    let program = changed(BOXES, &[(FULL, shifted)]);
    let options = Emulation {
        order: Order::Descending,
        ..Emulation::default()
    };
    let error = emulate(&program, &mut params(&program), &options).unwrap_err();
    assert_eq!(
        error.to_string(),
        "lane program `boxes`, statement 1.0.1, at #0 = 2, #2 = 0, warp 1, lane 0: \
         shared `xs`: element 0 is read before it is written"
    );
    assert_eq!(
        fault(
            BOXES,
            &[(EMPTY, "await %empty[mod(#1, 2)] parity mod(div(#1, 2), 2)")]
        ),
        "statement 0.0.0, at #0 = 0, #1 = 0, warp 0: no warp can go on: \
         warp 0 waits at statement 0.0.0 for parity 0 of `empty`[0], whose phase 0 lacks 32 arrivals and 0 bytes; \
         warp 1 waits at statement 1.0.0 for parity 0 of `full`[0], whose phase 0 lacks 1 arrivals and 0 bytes"
    );
}

/// A parity says nothing to who may have missed phases.
#[test]
fn who_awaits_knows_of_the_next_phase_only() {
    let text = "lane t grid [1] warps 2 lanes 4 {
          param %y : f32[4] written shared %s : f32[4] mbarrier %m[1] arrivals 4
          %0 = const 1.0 : f32x1
          when (warp < 1) { store %s[lane] = %0 ARRIVE }
          when (0 < warp) { await %m[0] parity 0 %1 = load %s[lane] : 1 store %y[lane] = %1 } }";
    let once = ("ARRIVE", "arrive %m[0]");
    assert_eq!(fault(text, &[once]), "no fault");
    // Two phases have ended, so one of parity 1 too, but it may as well be that none has.
    let twice = ("ARRIVE", "arrive %m[0] arrive %m[0]");
    assert_eq!(
        fault(text, &[twice, ("parity 0", "parity 1")]),
        format!(
            "statement 2.1, at #0 = 0, warp 1, lane 0: shared `s`: reads element 0, which warp 0, lane 0 wrote; {ARRIVAL}"
        )
    );
    assert_eq!(
        fault(text, &[twice]),
        "statement 2.0, at #0 = 0, warp 1: no warp can go on: warp 1 waits at statement 2.0 for parity 0 of `m`[0], \
         whose phase 2 lacks 4 arrivals and 0 bytes"
    );
}

#[test]
fn a_buffer_is_refilled_after_all_have_read_it() {
    // Nobody waits for the consumer, who has not even seen the first box.
    assert_eq!(
        fault(BOXES, &[(EMPTY, "")]).replace("statement 0.0.1", "statement 0.0.2"),
        format!(
            "{REFILL} 0, to which a box is copied; wanted an await before, of phase 0 of `full`[0]"
        )
    );
    // It arrives before it reads.
    let early = format!("{FULL} {ARRIVE}");
    assert_eq!(
        fault(BOXES, &[(ARRIVE, ""), (FULL, &early)]),
        format!("{REFILL} 0, which warp 1, lane 0 read; {ARRIVAL}")
    );
    // One lane arrives, but others have read.
    let one = format!("when (lane < 1) {{ {ARRIVE} }}");
    assert_eq!(
        fault(BOXES, &[(ARRIVE, &one), ("arrivals 32", "arrivals 1")]),
        format!("{REFILL} 4, which warp 1, lane 8 read; {ARRIVAL}")
    );
    let one = (
        "        arrive %empty",
        "        when (lane < 1) { arrive %empty",
    );
    assert_eq!(
        fault(
            HELD,
            &[
                one,
                ("        yield", "} yield"),
                ("arrivals 128", "arrivals 4")
            ]
        ),
        format!("{GROUP_REFILL} 2, which warp 0, lane 1 read; {ARRIVAL}")
    );
}

#[test]
fn a_buffer_is_refilled_after_products_have_ended() {
    let refill = format!("{GROUP_REFILL} 0, {MULTIPLIED}");
    for change in [
        ("wait products 1", "wait products 2"),
        ("wait products 1", ""),
        ("commit products", ""),
    ] {
        assert_eq!(fault(GROUP, &[change]), refill, "{change:?}");
    }
    // Given back while its own group is under way.
    let current = ("+ 2, 3)]\n        }", ", 3)]\n        }");
    let at_once = ("0 < div(#1 - #0, 3) * 4 + #2, lane", "lane");
    assert_eq!(fault(GROUP, &[current, at_once]), refill);
}

#[test]
fn boxes_are_awaited() {
    assert_eq!(
        fault(BOXES, &[(FULL, "")]),
        "statement 1.0.0, at #0 = 0, #2 = 0, warp 1, lane 0: shared `xs`: reads element 0, to which a box is copied; \
         wanted an await before, of phase 0 of `full`[0]"
    );
    // By one lane for all.
    let one = format!("when (lane < 1) {{ {FULL} }}");
    assert_eq!(
        fault(BOXES, &[(FULL, &one)]),
        "statement 1.0.1, at #0 = 0, #2 = 0, warp 1, lane 1: shared `xs`: reads element 36, to which a box is copied; \
         wanted an await before, of phase 0 of `full`[0]"
    );
    // The last one by nobody.
    assert_eq!(
        fault(BOXES, &[("for #2 in 0 .. 3", "for #2 in 0 .. 2")]),
        "statement 0.0.2, at #0 = 0, warp 0, lane 0: shared `xs`: the copy to element 0 is not waited for"
    );
}

#[test]
fn bytes_are_those_expected() {
    assert_eq!(
        fault(BOXES, &[("bytes 1024", "bytes 2048")]),
        "statement 0.0.0, at #0 = 0, #1 = 2, warp 0: no warp can go on: \
         warp 0 waits at statement 0.0.0 for parity 0 of `empty`[0], whose phase 0 lacks 32 arrivals and 0 bytes; \
         warp 1 waits at statement 1.0.0 for parity 0 of `full`[0], whose phase 0 lacks 0 arrivals and 1024 bytes"
    );
    assert_eq!(
        fault(BOXES, &[("bytes 1024", "bytes 512")]),
        "statement 0.0.2, at #0 = 0, #1 = 0, warp 0, lane 0: \
         mbarrier `full`[0]: wanted the bytes that phase 0 expects, found 512 too many"
    );
    // One of two boxes: the phase ends, the other box is one of the next phase.
    assert_eq!(
        fault(GROUP, &[("bytes 16384", "bytes 8192")]),
        "statement 1.1.1.1, at #0 = 0, #1 = 0, #2 = 0, warp 0: shared `ws`: reads element 0, to which a box is copied; \
         wanted an await before, of phase 1 of `full`[0]"
    );
    let more = fault(GROUP, &[("bytes 16384", "bytes 16400")]);
    let lacks = "warps 0, 1, 2, 3 wait at statement 1.1.1.0 for parity 0 of `full`[0], whose phase 0 lacks 0 arrivals \
                 and 16 bytes; warp 4 waits";
    assert!(more.contains(lacks), "{more}");
    // Nobody waits for what is missing.
    let alone = "lane t grid [1] warps 1 lanes 4 { mbarrier %m[1] arrivals 1
                   when (lane < 1) { expect %m[0] bytes 16 } }";
    assert_eq!(
        fault(alone, &[]),
        "statement 0, at #0 = 0, warp 0: mbarrier `m`[0]: wanted the bytes that phase 0 expects, found 16 too few"
    );
}

/// An arrival that does not expect the bytes of a box ends the phase before it comes, if it comes late.
#[test]
fn a_box_comes_before_its_phase_ends() {
    let program = changed(BOXES, &[("expect %full[mod(#1, 2)] bytes 1024\n", "")]);
    let late = program.to_string().replace(
        "signal %full[mod(#1, 2)]",
        "signal %full[mod(#1, 2)] arrive %full[mod(#1, 2)]",
    );
    let options = Emulation {
        landing: Landing::Latest,
        ..Emulation::default()
    };
    let program = parse(&late).unwrap();
    let error = emulate(&program, &mut params(&program), &options).unwrap_err();
    assert_eq!(
        error.to_string(),
        "lane program `boxes`, statement 0.0.2, at #0 = 0, #1 = 0, warp 0, lane 0: mbarrier `full`[0]: wanted 1024 more \
         bytes expected in phase 0, since boxes may come after its last arrival"
    );
}

#[test]
fn arrivals_are_those_counted() {
    assert_eq!(
        fault(BOXES, &[(ARRIVE, "")]),
        "statement 0.0.0, at #0 = 0, #1 = 2, warp 0: no warp can go on: \
         warp 0 waits at statement 0.0.0 for parity 0 of `empty`[0], whose phase 0 lacks 32 arrivals and 0 bytes; \
         warp 1 waits at statement 1.0.0 for parity 1 of `full`[0], whose phase 1 lacks 1 arrivals and 0 bytes"
    );
    assert_eq!(
        fault(BOXES, &[("copy_box", "arrive %full[mod(#1, 2)] copy_box")]),
        "statement 0.0.2, at #0 = 0, #1 = 0, warp 0, lane 0: mbarrier `full`[0]: wanted 1 arrivals in phase 0, \
         found one more while 1024 bytes are to come"
    );
    assert_eq!(
        fault(
            BOXES,
            &[("when (warp < 1, lane < 1)", "when (warp < 1, lane < 2)")]
        ),
        "statement 0.0.1, at #0 = 0, #1 = 0, warp 0, lane 1: mbarrier `full`[0]: wanted 1 arrivals in phase 0, \
         found one more while 2048 bytes are to come"
    );
}

#[test]
fn producers_have_consumers_and_those_have_producers() {
    assert_eq!(
        fault(BOXES, &[("when (0 < warp)", "when (1 < warp)")]),
        "statement 0.0.0, at #0 = 0, #1 = 2, warp 0: no warp can go on: warp 0 waits at statement 0.0.0 for parity 0 \
         of `empty`[0], whose phase 0 lacks 32 arrivals and 0 bytes"
    );
    assert_eq!(
        fault(
            BOXES,
            &[("when (warp < 1, lane < 1)", "when (warp < 0, lane < 1)")]
        ),
        "statement 1.0.0, at #0 = 0, #2 = 0, warp 1: no warp can go on: warp 1 waits at statement 1.0.0 for parity 0 \
         of `full`[0], whose phase 0 lacks 1 arrivals and 0 bytes"
    );
}

#[test]
fn boxes_and_signals_have_places() {
    let start = "statement 0.0.2, at #0 = 0, #1";
    assert_eq!(
        fault(BOXES, &[("* 256] = map", "* 256 + 16] = map")]),
        format!(
            "{start} = 0, warp 0, lane 0: array `xs`: wanted an offset that is a multiple of 32, found 16"
        )
    );
    assert_eq!(
        fault(BOXES, &[("* 256] = map", "* 256 + 32] = map")]),
        format!(
            "{start} = 1, warp 0, lane 0: array `xs`: wanted 256 elements within 0..512, found those from 288"
        )
    );
    assert_eq!(
        fault(BOXES, &[("%full[mod(#2, 2)] parity", "%full[#2] parity")]),
        "statement 1.0.0, at #0 = 0, #2 = 2, warp 1: mbarrier `full`: wanted a slot within 0..2, found 2"
    );
    assert_eq!(
        fault(BOXES, &[(FULL, "await %full[mod(#2, 2)] parity #2 + 2")]),
        "statement 1.0.0, at #0 = 0, #2 = 0, warp 1: await: wanted parity 0 or 1, found 2"
    );
    let lanes = "%9 = index [mod(lane, 2)] await %full[mod(#2, 2)] parity %9";
    assert_eq!(
        fault(BOXES, &[(FULL, lanes)]),
        "statement 1.0.1, at #0 = 0, #2 = 0, warp 1: parity: wanted one number for the warp, found 0 and 1"
    );
    let both = "expect %full[mod(#1, 2)] bytes 1024";
    assert_eq!(
        fault(
            BOXES,
            &[("warp < 1, lane < 1", "warp < 1, lane < 2"), (both, "")]
        ),
        "statement 0.0.1, at #0 = 0, #1 = 0, warp 0: copy_box: wanted one lane, found 2"
    );
}

#[test]
fn operands_are_read_as_boxes_lie() {
    assert_eq!(
        fault(GROUP, &[("by depth swizzle 128", "by depth swizzle 64")]),
        "statement 1.1.1.1, at #0 = 0, #1 = 0, #2 = 0, warp 0: operand in shared `xs`: wanted the swizzle with which \
         its box was copied, 128, found 64, at element 0"
    );
    assert_eq!(
        fault(GROUP, &[("* 4096 + 0] by", "* 4096 + 64] by")]),
        "statement 1.1.1.1, at #0 = 0, #1 = 0, #2 = 0, warp 0: operand in shared `xs`: wanted an offset at one of the \
         128 bytes behind a multiple of 1024, found 64"
    );
    assert_eq!(
        fault(GROUP, &[("* 4096 + 0] by", "* 4096 + 4] by")]),
        "statement 1.1.1.1, at #0 = 0, #1 = 0, #2 = 0, warp 0: operand in shared `xs`: wanted an offset at a multiple \
         of 16 bytes, at least 0, found 4"
    );
    let far = ("lines 512", "lines 4096");
    assert_eq!(
        fault(GROUP, &[far]),
        "statement 1.1.1.1, at #0 = 0, #1 = 0, #2 = 0, warp 0: array `xs`: wanted 8 elements within 0..12288, found \
         those from 12288"
    );
}

/// Nothing but the numbers shows these.
#[test]
fn a_wrong_place_gives_wrong_numbers() {
    let result = |text: &str, changes: &[(&str, &str)]| {
        let program = changed(text, changes);
        let mut params = params(&program);
        emulate_all(&program, &mut params, None).unwrap_or_else(|e| panic!("{e}"));
        params.pop().unwrap()
    };
    let swizzle = [("swizzle 128", "swizzle none")];
    assert_ne!(result(BOXES, &swizzle), result(BOXES, &[]));
    let rows = [("c [c1, r8, c8", "c [r8, c1, c8")];
    assert_ne!(result(GROUP, &rows), result(GROUP, &[]));
    let rows = [("a [c1, r8, c8]", "a [c1, c8, r8]")];
    assert_ne!(result(HELD, &rows), result(HELD, &[]));
}

#[test]
fn products_are_waited_for() {
    assert_eq!(
        fault(GROUP, &[("      wait products 0", "")]),
        "statement 1.1.2, at #0 = 0, #1 = 0, warp 0: %6: wanted the wait for its product before it is read"
    );
    assert_eq!(
        fault(HELD, &[("wait products 0", "wait products 1")]),
        "statement 1.1.1.5, at #0 = 0, #1 = 0, #2 = 1, warp 0: %14: wanted the wait for the product that reads it \
         before it is assigned again"
    );
    let program = changed(GROUP, &[("      wait products 0", "")]);
    let text = program.to_string();
    let stores: String = text
        .lines()
        .filter(|l| !l.contains("pick") && !l.contains("store"))
        .fold(String::new(), |text, line| text + line + "\n");
    assert_eq!(
        fault(&stores, &[]),
        "statement 1.1.1.1, at #0 = 0, warp 0: the product is not waited for"
    );
}

#[test]
fn a_warpgroup_multiplies_together() {
    let three = fault(
        GROUP,
        &[("when (warp < 4)", "when (warp < 4, warp < 3 + #0 * 4)")],
    );
    let lacks = "warps 0, 1, 2 wait at statement 1.1.1.1 for the others of the warpgroup at a product; warp 4 waits";
    assert!(three.contains(lacks), "{three}");
    let own = ("* 4096 + 0] by", "* 4096 + %99] by");
    let offset = ("await %full", "%99 = index [warp * 16] await %full");
    assert_eq!(
        fault(GROUP, &[own, offset]),
        "statement 1.1.1.2, at #0 = 0, #1 = 0, #2 = 0, warp 1: offset of an operand: wanted one number for the \
         warpgroup, found 0 and 16"
    );
}
