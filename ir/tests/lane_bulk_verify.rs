//! Faults of maps, mbarriers and products that verification knows, each in a program of its own.

use ir::lane::{parse, verify};

/// The verdict on a program with this head and this body.
fn verdict_of(warps: u32, head: &str, body: &str) -> String {
    let text = format!(
        "lane t grid [4] warps {warps} lanes 32 {{
           param %x : bf16[4096]
           param %f : f32[4096]
           param %y : f32[64] written
           shared %xs : bf16[4096]
           shared %fs : f32[64]
           {head}
           {body}
         }}"
    );
    let program = parse(&text).unwrap_or_else(|e| panic!("{e}: {text}"));
    match verify(&program) {
        Ok(()) => "no fault".into(),
        Err(e) => {
            let text = e.to_string();
            text.split_once("`, ").unwrap().1.to_owned()
        }
    }
}

fn check_heads(cases: &[(&str, &str)]) {
    for (head, wanted) in cases {
        assert_eq!(verdict_of(8, head, ""), *wanted, "{head}");
    }
}

/// What a body needs.
const HEAD: &str = "map 0 of %x [64, 64] strides [64] box [64, 8] swizzle 128
    mbarrier %m[2] arrivals 1
    warpgroup \"p\" : bf16 to f32 word \"p\" {
      a [c1, r8, c8] lanes [c2, c4, r1, r2, r4] warps [r16, r32]
      c [c1, r8] lanes [c2, c4, r1, r2, r4] warps [r16, r32]
    }
    warpgroup \"f\" : f32 to f32 word \"f\" {
      a [r8, c4] lanes [c1, c2, r1, r2, r4] warps [r16, r32]
      c [c1, r8] lanes [c2, c4, r1, r2, r4] warps [r16, r32]
    }
    %0 = const 0.0 : f32x4
    %1 = const 0.0 : bf16x8
    %2 = index [lane]";

/// A tile that fits.
const TILE: &str = "%xs[0] by depth swizzle 128 lines 512 chunks 0";

fn check(cases: &[(&str, &str)]) {
    for (body, wanted) in cases {
        assert_eq!(verdict_of(8, HEAD, body), *wanted, "{body}");
    }
}

#[test]
fn maps_lie_within_their_parameters() {
    let chunk = "head: map 0: box along axis 0: wanted";
    check_heads(&[
        (
            "map 0 of %x [64, 64] strides [64] box [64, 64] swizzle 128",
            "no fault",
        ),
        (
            "map 0 of %x [4096] strides [] box [256] swizzle none",
            "no fault",
        ),
        (
            "map 0 of %x [60, 64] strides [64] box [64, 256] swizzle 128",
            "no fault",
        ),
        (
            "map 0 of %x [64, 65] strides [64] box [64, 64] swizzle 128",
            "head: map 0: extent: wanted at most 4096 elements of `x`, found 4160",
        ),
        (
            "map 0 of %x [64, 65] strides [60] box [64, 64] swizzle 128",
            "head: map 0: stride of axis 1: wanted a multiple of 16 bytes, above 0 and less than 2^40, found 120 bytes",
        ),
        (
            "map 0 of %x [64, 0] strides [64] box [64, 64] swizzle 128",
            "head: map 0: size of axis 1: wanted 1 to 2^32, found 0",
        ),
        (
            "map 0 of %x [64, 64] strides [64] box [64, 257] swizzle 128",
            "head: map 0: box along axis 1: wanted 1 to 256 elements, found 257",
        ),
        (
            "map 0 of %x [64, 64] strides [64] box [60, 64] swizzle none",
            &format!("{chunk} a multiple of 16 bytes, found 120 bytes"),
        ),
        (
            "map 0 of %x [64, 64] strides [64] box [128, 16] swizzle 128",
            &format!("{chunk} 128 bytes, as the swizzle is wide, found 256 bytes"),
        ),
        (
            "map 0 of %f [64, 64] strides [64] box [32, 16] swizzle 64",
            &format!("{chunk} 64 bytes, as the swizzle is wide, found 128 bytes"),
        ),
        (
            "map 0 of %x [64, 64] strides [] box [64, 64] swizzle 128",
            "head: map 0: axes: wanted 1 to 5, with an extent for each and a stride for each but the first, found \
             2 sizes, 0 strides, 2 extents",
        ),
        (
            "map 0 of %x [] strides [] box [] swizzle 128",
            "head: map 0: axes: wanted 1 to 5, with an extent for each and a stride for each but the first, found \
             0 sizes, 0 strides, 0 extents",
        ),
        (
            "map 0 of %y [64] strides [] box [32] swizzle none",
            "head: map 0: parameter: wanted one that is not written, found `y`",
        ),
    ]);
}

#[test]
fn mbarriers_and_instructions_are_whole() {
    let lanes = "lanes [c2, c4, r1, r2, r4]";
    let instr =
        |a: &str, c: &str| format!("warpgroup \"p\" : bf16 to f32 word \"p\" {{ a {a} c {c} }}");
    let a = format!("[c1, r8, c8] {lanes} warps [r16, r32]");
    let fits = instr(&a, &format!("[c1, r8] {lanes} warps [r16, r32]"));
    let whole = "head: matrix instruction `p`: wanted whole fragments of one product, for warps of 32 lanes";
    check_heads(&[
        (
            "mbarrier %m[1] arrivals 1 mbarrier %n[9] arrivals 1048575",
            "no fault",
        ),
        (
            "mbarrier %m[0] arrivals 1",
            "head: counters of mbarrier `m`: wanted 1 to 1048575, found 0",
        ),
        (
            "mbarrier %m[1] arrivals 1048576",
            "head: arrivals of mbarrier `m`: wanted 1 to 1048575, found 1048576",
        ),
        (&fits, "no fault"),
        (
            &format!("{fits} {fits}"),
            "head: matrix instruction `p`: wanted a name that no other one has",
        ),
        (&instr(&a, &format!("[c1, r8] {lanes} warps [r16]")), whole),
        (&instr(&a, &format!("[c1] {lanes} warps [r8, r16]")), whole),
        (
            &instr(&a, "[c1, r8] lanes [c2, c4, r1, r2] warps [r16, r32]"),
            whole,
        ),
    ]);
    assert_eq!(
        verdict_of(6, &fits, ""),
        "head: warps: wanted whole groups of 4, found 6"
    );
    assert_eq!(verdict_of(12, &fits, "barrier"), "no fault");
    assert_eq!(
        verdict_of(0, "", ""),
        "head: warps: wanted 1 to 1024, found 0"
    );
}

#[test]
fn copies_and_signals_fit() {
    check(&[
        (
            "copy_box %xs[0] = map 0 [lane, #0] signal %m[1]",
            "no fault",
        ),
        (
            "copy_box %xs[0] = map 1 [0, 0] signal %m[1]",
            "statement 3: map 1: the program has no such one",
        ),
        (
            "copy_box %xs[0] = map 0 [0] signal %m[1]",
            "statement 3: copy_box: map 0 has 2 axes, found 1 indices",
        ),
        (
            "copy_box %fs[0] = map 0 [0, 0] signal %m[1]",
            "statement 3: array `fs`: wanted bf16, found f32",
        ),
        (
            "copy_box %xs[%7] = map 0 [0, 0] signal %m[1]",
            "statement 3: %7 has no value here: wanted a variable assigned before, in this scope or around it",
        ),
        (
            "arrive %m[2]",
            "statement 3: mbarrier `m`: wanted a slot within 0..2, found 2",
        ),
        (
            "arrive %m[mod(lane, 2)]",
            "statement 3: slot of an mbarrier: wanted one number for the warp, found `lane`",
        ),
        ("await %m[%2] parity mod(#0, 2)", "no fault"),
        (
            "await %m[0] parity 2",
            "statement 3: await: wanted parity 0 or 1, found 2",
        ),
        (
            "await %m[0] parity mod(lane, 2)",
            "statement 3: parity: wanted one number for the warp, found `lane`",
        ),
        (
            "expect %m[0] bytes 1048576",
            "statement 3: expected bytes: wanted 1 to 1048575, found 1048576",
        ),
        (
            "when (warp < 4) { barrier }",
            "statement 3.0: barrier: wanted a place that all lanes of the block come to, found one under `when`",
        ),
    ]);
}

#[test]
fn products_have_operands_and_whole_warpgroups() {
    let product = |a: &str, b: &str| format!("%3 = product \"p\" {a}, {b}, %0");
    let tile = |from: &str, to: &str| product(&TILE.replace(from, to), TILE);
    let fits = product(TILE, TILE);
    let split = "wanted a place that all lanes of a warpgroup come to, found one under";
    let at = "statement 3: operand in shared `xs`: wanted";
    check(&[
        (&fits, "no fault"),
        (&product("%1", TILE), "no fault"),
        (&tile("by depth", "by side"), "no fault"),
        (
            &product("%0", TILE),
            "statement 3: %0: wanted bf16x8, found f32x4",
        ),
        (
            &product(TILE, TILE).replace(", %0", ", %1"),
            "statement 3: %1: wanted f32x4, found bf16x8",
        ),
        (
            &tile("%xs", "%fs"),
            "statement 3: array `fs`: wanted bf16, found f32",
        ),
        (
            &tile("swizzle 128", "swizzle none"),
            &format!("{at} a swizzle"),
        ),
        (
            &tile("lines 512", "lines 4"),
            &format!("{at} steps that are multiples of 16 bytes, less than 256 KiB"),
        ),
        (
            &tile("chunks 0", "chunks 131072"),
            &format!("{at} steps that are multiples of 16 bytes, less than 256 KiB"),
        ),
        (
            &format!(
                "%3 = product \"f\" {0}, {0}, %0",
                TILE.replace("xs", "fs").replace("depth", "side")
            ),
            "statement 3: operand in shared `fs`: wanted lines along the depth, unless elements have 16 bits",
        ),
        (
            &tile("%xs[0]", "%xs[lane * 8]"),
            "statement 3: offset of an operand: wanted one number for the warp, found `lane`",
        ),
        (&format!("when (warp < 4) {{ {fits} }}"), "no fault"),
        (&format!("when (3 < warp, #0 < 2) {{ {fits} }}"), "no fault"),
        (
            &format!("for #1 in div(warp, 4) .. 4 {{ {fits} }}"),
            "no fault",
        ),
        (
            &format!("when (warp < 3) {{ {fits} }}"),
            &format!("statement 3.0: product: {split} `when`"),
        ),
        (
            &format!("when (lane < 32) {{ {fits} }}"),
            &format!("statement 3.0: product: {split} `when`"),
        ),
        (
            &format!("for #1 in warp .. 4 {{ {fits} }}"),
            &format!("statement 3.0: product: {split} `for`"),
        ),
        (
            "when (warp < 1) { commit products }",
            &format!("statement 3.0: commit products: {split} `when`"),
        ),
        (
            "when (warp < 1) { wait products 0 }",
            &format!("statement 3.0: wait products: {split} `when`"),
        ),
        (
            "when (mod(warp, 2) < 1) { registers more 40 }",
            &format!("statement 3.0: registers: {split} `when`"),
        ),
        ("when (3 < warp) { registers fewer 40 }", "no fault"),
        (
            "registers more 44",
            "statement 3: registers: wanted a multiple of 8 from 24 to 240, found 44",
        ),
        (
            "registers more 248",
            "statement 3: registers: wanted a multiple of 8 from 24 to 240, found 248",
        ),
    ]);
}

#[test]
fn arrays_of_boxes_have_no_other_writes() {
    let boxed = "shared `xs`: wanted copies of boxes as its only writes, since products or such copies use it; \
                 help: store to another array";
    check(&[
        (
            "store %xs[lane * 8] = %1 copy_box %xs[0] = map 0 [0, 0] signal %m[0]",
            &format!("statement 3: {boxed}"),
        ),
        (
            &format!("%3 = product \"p\" %1, {TILE}, %0 copy %xs[lane * 8] = %x[lane * 8] : 8"),
            &format!("statement 4: {boxed}"),
        ),
        ("store %xs[lane * 8] = %1", "no fault"),
    ]);
}
