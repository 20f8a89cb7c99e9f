//! Every fault that verification of lane programs knows, each in a program of its own.

use ir::lane::{Fault, Program, Step, parse, verify};

/// The verdict on a program with these arrays and this body.
fn verdict(body: &str) -> String {
    let text = format!(
        "lane t grid [4, 2] warps 4 lanes 32 {{
           param %x : f32[64]
           param %y : f32[64] written
           param %h : f16[64]
           param %i : i32[64]
           param %j : i32[64] written
           shared %s : f32[64]
           shared %t : f16[64]
           matrix \"m\" : f16 to f32 word \"m\" {{
             a [c1, r8, c8] lanes [c2, c4, r1, r2, r4]
             b [r1, r8] lanes [r2, r4, c1, c2, c4]
             c [c1, r8] lanes [c2, c4, r1, r2, r4]
           }}
           %0 = const 1.0 : f32x4
           %1 = const 1.0 : boolx4
           %2 = index [lane]
           {body}
         }}"
    );
    let program = parse(&text).unwrap_or_else(|e| panic!("{e}: {text}"));
    verdict_of(&program)
}

fn verdict_of(program: &Program) -> String {
    match verify(program) {
        Ok(()) => "no fault".into(),
        Err(e) => {
            let text = e.to_string();
            text.split_once("`, ").unwrap().1.to_owned()
        }
    }
}

fn check(cases: &[(&str, &str)]) {
    for (body, wanted) in cases {
        assert_eq!(verdict(body), *wanted, "{body}");
    }
}

const APART: &str = "barrier: wanted a place that all lanes of the block come to, found one under";

#[test]
fn names_and_scopes() {
    let unassigned = "wanted a variable assigned before, in this scope or around it";
    check(&[
        ("%3 = add %0, %0", "no fault"),
        (
            "%0 = exp %0",
            "statement 3: %0 is assigned before; wanted a new variable",
        ),
        (
            "%3 = exp %4",
            &format!("statement 3: %4 has no value here: {unassigned}"),
        ),
        (
            "when (lane < 4) { %3 = exp %0 } %4 = exp %3",
            &format!("statement 4: %3 has no value here: {unassigned}"),
        ),
        (
            "%6 = for #2 in 0 .. 4 carry (%3 = %0) { %4 = exp %6 yield %4 }",
            &format!("statement 3.0: %6 has no value here: {unassigned}"),
        ),
        (
            "%6 = for #2 in 0 .. 4 carry (%3 = %0) { yield %1 }",
            "statement 3: %1: wanted f32x4, found boolx4",
        ),
        (
            "for #1 in 0 .. 4 { }",
            "statement 3: #1 counts a grid axis or another loop; wanted a new counter",
        ),
        (
            "for #2 in 0 .. 4 { } for #2 in 0 .. 4 { }",
            "statement 4: #2 counts a grid axis or another loop; wanted a new counter",
        ),
        (
            "%3 = index [#7]",
            "statement 3: #7 has no value here: wanted a grid axis or a loop around",
        ),
        (
            "%3 = index [%7]",
            &format!("statement 3: %7 has no value here: {unassigned}"),
        ),
        ("%3 = index [%2 + 1, lane]", "no fault"),
        (
            "%3 = index [%0]",
            "statement 3: %0 in an index: wanted an integer, found f32",
        ),
        (
            "%3 = index [lane, lane] %4 = index [%3]",
            "statement 4: %3: wanted i32x1, found i32x2",
        ),
    ]);
}

#[test]
fn loops_and_barriers() {
    check(&[
        (
            "for #2 in 0 .. lane { }",
            "statement 3: loop bound: wanted one number for the warp, found `lane`",
        ),
        ("for #2 in warp .. %2 { }", "no fault"),
        (
            "for #2 in 0 .. 4 step 0 { }",
            "statement 3: loop step: wanted at least 1, found 0",
        ),
        (
            "for #2 in 0 .. 4 unroll 0 { }",
            "statement 3: loop unroll: wanted at least 1, found 0",
        ),
        (
            "when (#0 < 2) { for #2 in 0 .. #1 { barrier } }",
            "no fault",
        ),
        (
            "when (lane < 2) { barrier }",
            &format!("statement 3.0: {APART} `when`"),
        ),
        (
            "when (0 < 1, #0 < warp + 1) { barrier }",
            &format!("statement 3.0: {APART} `when`"),
        ),
        (
            "when (%2 < 2) { for #2 in 0 .. 4 { barrier } }",
            &format!("statement 3.0.0: {APART} `when`"),
        ),
        (
            "for #2 in 0 .. warp { when (#2 < 1) { barrier } }",
            &format!("statement 3.0.0: {APART} `for`"),
        ),
        (
            "for #2 in 0 .. %2 { barrier }",
            &format!("statement 3.0: {APART} `for`"),
        ),
        ("for #2 in 0 .. warp { } barrier", "no fault"),
        // What all lanes read alike, and nobody writes.
        (
            "%3 = load %i[#0] : 1 for #2 in 0 .. %3 { barrier }",
            "no fault",
        ),
        (
            "%3 = load %i[#0] : 1 %4 = index [%3 + 1] for #2 in 0 .. %4 { barrier }",
            "no fault",
        ),
        (
            "%3 = load %i[warp] : 1 for #2 in 0 .. %3 { barrier }",
            &format!("statement 4.0: {APART} `for`"),
        ),
        (
            "%3 = load %j[#0] : 1 for #2 in 0 .. %3 { barrier }",
            &format!("statement 4.0: {APART} `for`"),
        ),
    ]);
}

#[test]
fn accesses() {
    let most = "wanted a power of two of elements, at most 16 bytes, found";
    check(&[
        ("store %y[lane * 4] = %0", "no fault"),
        (
            "store %x[lane * 4] = %0",
            "statement 3: store: parameter `x` is not declared as written",
        ),
        (
            "store %y[lane * 4] = %1",
            "statement 3: %1: wanted f32x4, found boolx4",
        ),
        (
            "%3 = concat [%0, %0] store %y[lane * 8] = %3",
            &format!("statement 4: access to `y`: {most} 8 elements, 32 bytes"),
        ),
        (
            "%3 = load %x[0] : 3",
            &format!("statement 3: access to `x`: {most} 3 elements, 12 bytes"),
        ),
        (
            "%3 = load %h[0] : 16",
            &format!("statement 3: access to `h`: {most} 16 elements, 32 bytes"),
        ),
        (
            "%3 = load %h[0] : 0",
            &format!("statement 3: access to `h`: {most} 0 elements, 0 bytes"),
        ),
        ("%3 = load %h[0] where (%2 < 4) : 8", "no fault"),
        ("copy %t[0] = %h[0] where (lane < 4) : 2", "no fault"),
        (
            "copy %t[0] = %h[0] : 1",
            "statement 3: access to `t`: wanted 4, 8 or 16 bytes, found 1 elements, 2 bytes",
        ),
        (
            "copy %y[0] = %x[0] : 4",
            "statement 3: array `y`: wanted shared memory",
        ),
        (
            "copy %s[0] = %s[32] : 4",
            "statement 3: array `s`: wanted global memory",
        ),
        (
            "copy %s[0] where (lane < 4) = %x[32] : 4",
            "statement 3: array `s`: wanted an access without a guard",
        ),
        (
            "copy %t[0] = %x[0] : 4",
            "statement 3: array `x`: wanted f16, found f32",
        ),
        ("%3 = load_matrix %t[0] : 4", "no fault"),
        (
            "%3 = load_matrix %t[0] : 3",
            "statement 3: load_matrix: wanted 1, 2 or 4 matrices and warps of 32 lanes, found 3 and 32",
        ),
        (
            "%3 = load_matrix transposed %s[0] : 1",
            "statement 3: array `s`: wanted an element type of 16 bits, found f32",
        ),
        (
            "%3 = load_matrix %h[0] : 1",
            "statement 3: array `h`: wanted shared memory",
        ),
        (
            "%3 = load_matrix %t[0] where (lane < 8) : 1",
            "statement 3: array `t`: wanted an access without a guard",
        ),
    ]);
}

#[test]
fn types_of_values() {
    check(&[
        (
            "%3 = const 0.5 : i32x1",
            "statement 3: const: i32 does not hold 0.5",
        ),
        (
            "%3 = const 0.5 : f32x0",
            "statement 3: registers: wanted 1 to 4096, found 0",
        ),
        (
            "%3 = index []",
            "statement 3: registers: wanted 1 to 4096, found 0",
        ),
        (
            "%3 = gelu %0",
            "statement 3: gelu: wanted a primitive function; help: expand it when lowering",
        ),
        ("%3 = exp %1", "statement 3: %1: wanted a float, found bool"),
        (
            "%3 = add %0, %1",
            "statement 3: %1: wanted f32x4, found boolx4",
        ),
        (
            "%3 = const 0.0 : f32x1 %4 = add %0, %3",
            "statement 4: %3: wanted f32x4, found f32x1",
        ),
        ("%3 = lt %0, %0 %4 = select %3, %0, %0", "no fault"),
        (
            "%3 = select %0, %0, %0",
            "statement 3: %0: wanted boolx4, found f32x4",
        ),
        (
            "%3 = fma %1, %1, %1",
            "statement 3: %1: wanted a float or an integer, found bool",
        ),
        (
            "%3 = fma %0, %0, %2",
            "statement 3: %2: wanted f32x4, found i32x1",
        ),
        ("%3 = cast %0 : f16 %4 = add %3, %3", "no fault"),
        (
            "%3 = concat []",
            "statement 3: registers: wanted 1 to 4096, found 0",
        ),
        (
            "%3 = concat [%0, %1]",
            "statement 3: %1: wanted f32, found bool",
        ),
        ("%3 = pick %0 [3, 0, 0] %4 = concat [%3, %0]", "no fault"),
        (
            "%3 = pick %0 [4]",
            "statement 3: %0: wanted a register below 4, found 4",
        ),
        (
            "%3 = shuffle_xor %0, 32",
            "statement 3: shuffle_xor: wanted bits below 32, found 32",
        ),
        (
            "%3 = const 0.0 : f16x8 %4 = const 0.0 : f16x4 %5 = matrix \"m\" %3, %4, %0",
            "no fault",
        ),
        (
            "%3 = const 0.0 : f16x8 %4 = const 0.0 : f16x8 %5 = matrix \"m\" %3, %4, %0",
            "statement 5: %4: wanted f16x4, found f16x8",
        ),
    ]);
}

/// The verdict on a small program after a change that no text can spell.
fn changed(change: impl FnOnce(&mut Program)) -> String {
    let text = "lane t grid [4] warps 2 lanes 4 { param %x : f32[4] param %y : f32[4]
                matrix \"outer\" : f32 to f32 outer { a [r1] lanes [r2, 0] b [] lanes [0, c1] c [r1] lanes [r2, c1] }
                %0 = load %x[#0] : 1 %1 = const 0.0 : f32x2 %2 = matrix \"outer\" %1, %0, %1 }";
    let mut program = parse(text).unwrap();
    assert_eq!(verify(&program), Ok(()));
    change(&mut program);
    verdict_of(&program)
}

#[test]
fn heads_and_instructions() {
    let name = "head: name: wanted a C identifier that no other array has, found";
    assert_eq!(changed(|p| p.name = "1".into()), format!("{name} `1`"));
    let twice = |p: &mut Program| p.params[1].name = "x".into();
    assert_eq!(changed(twice), format!("{name} `x`"));
    assert_eq!(
        changed(|p| p.grid[0] = 0),
        "head: grid axis 0: wanted a size above 0, found 0"
    );
    assert_eq!(
        changed(|p| p.grid = vec![1 << 40, 1 << 40]),
        "head: grid: wanted at most 281474976710656 blocks, found more"
    );
    assert_eq!(
        changed(|p| p.lanes = 3),
        "head: lanes: wanted a power of two up to 64, found 3"
    );
    assert_eq!(
        changed(|p| p.warps = 2048),
        "head: warps: wanted 1 to 1024, found 2048"
    );
    assert_eq!(
        changed(|p| p.params[0].len = -1),
        "head: array `x`: wanted a length of at least 0, found -1"
    );
    assert_eq!(
        changed(|p| p.matrix.push(p.matrix[0].clone())),
        "head: matrix instruction `outer`: wanted a name that no other one has"
    );
    let fragments =
        "head: matrix instruction `outer`: wanted whole fragments of one product, for warps of";
    assert_eq!(changed(|p| p.lanes = 8), format!("{fragments} 8 lanes"));
    for step in [Step::rows(2), Step::rows(1 << 31), Step::columns(1)] {
        let faulty = changed(|p| p.matrix[0].a.register[0] = step);
        assert_eq!(faulty, format!("{fragments} 4 lanes"));
    }
    let many = changed(|p| p.matrix[0].b.register = vec![Step::NONE; 60]);
    assert_eq!(many, format!("{fragments} 4 lanes"));
    assert_eq!(
        changed(|p| p.matrix[0].c.lane.reverse()),
        "head: matrix instruction `outer`: wanted lanes that hold the row and the column of all they add to"
    );
}

#[test]
fn arrays_and_instructions_that_are_not_there() {
    assert_eq!(
        changed(|p| drop(p.params.drain(..))),
        "statement 0: parameter 0: the program has no such array"
    );
    assert_eq!(
        changed(|p| p.matrix.clear()),
        "statement 2: matrix instruction 0: the program has no such one"
    );
}

#[test]
fn an_error_has_its_place_and_data() {
    let program = parse("lane t grid [1] warps 1 lanes 4 { when (lane < 2) { barrier } }").unwrap();
    let error = verify(&program).unwrap_err();
    assert_eq!(error.place.0, [0, 0]);
    assert_eq!(error.fault, Fault::Apart("when"));
}
