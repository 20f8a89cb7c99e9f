//! Every fault that verification knows, each in a program of its own.

use ir::tile::{Fault, Index, Program, Stmt, parse, verify};

/// The verdict on a program with these arrays and this body.
fn verdict(body: &str) -> String {
    let text = format!(
        "tile t grid [4, 2] {{
           param %x : f32[64]
           param %y : f32[64] written
           param %ids : i64[8]
           local %s : f32[32]
           %0 = splat 1.0 : f32 4x8
           %1 = splat 1.0 : bool 4x8
           {body}
         }}"
    );
    let program = parse(&text).unwrap_or_else(|e| panic!("{e}: {text}"));
    match verify(&program) {
        Ok(()) => "no fault".into(),
        Err(e) => e
            .to_string()
            .strip_prefix("tile program `t`, ")
            .unwrap()
            .to_owned(),
    }
}

#[test]
fn each_fault_is_found_and_named() {
    let cases = [
        ("%2 = add %0, %0", "no fault"),
        // Assignment and scope.
        (
            "%0 = exp %0",
            "statement 2: %0 is assigned before; wanted a new variable",
        ),
        (
            "%2 = exp %3",
            "statement 2: %3 has no value here: wanted a variable assigned before, in this scope or around it",
        ),
        (
            "for #2 in 0 .. 4 { %2 = exp %0 } %3 = exp %2",
            "statement 3: %2 has no value here: wanted a variable assigned before, in this scope or around it",
        ),
        (
            "%5 = for #2 in 0 .. 4 carry (%3 = %0) { %4 = exp %5 yield %4 }",
            "statement 2.0: %5 has no value here: wanted a variable assigned before, in this scope or around it",
        ),
        (
            "%5 = for #2 in 0 .. 4 carry (%3 = %0) { %4 = exp %3 yield %6 }",
            "statement 2: %6 has no value here: wanted a variable assigned before, in this scope or around it",
        ),
        (
            "%5 = for #2 in 0 .. 4 carry (%3 = %0) { yield %1 }",
            "statement 2: %1: wanted f32, found bool",
        ),
        (
            "%5 = for #2 in 0 .. 4 carry (%3 = %0) { %4 = reduce sum rows %3 yield %4 }",
            "statement 2: %4: wanted shape 4x8, found 1x8",
        ),
        // Counters and loops.
        (
            "for #1 in 0 .. 4 { }",
            "statement 2: #1 counts a grid axis or another loop; wanted a new counter",
        ),
        (
            "for #2 in 0 .. 4 { } for #2 in 0 .. 4 { }",
            "statement 3: #2 counts a grid axis or another loop; wanted a new counter",
        ),
        (
            "for #2 in 0 .. #2 { }",
            "statement 2: #2 has no value here: wanted a grid axis or a loop around",
        ),
        (
            "%2 = coordinate #7 : 1x1",
            "statement 2: #7 has no value here: wanted a grid axis or a loop around",
        ),
        (
            "for #2 in 0 .. lane { }",
            "statement 2: loop bound: wanted one number for the block, found `row` or `lane`",
        ),
        (
            "for #2 in 0 .. 4 step 0 { }",
            "statement 2: loop step: wanted at least 1, found 0",
        ),
        (
            "for #2 in 0 .. 4 unroll 0 { }",
            "statement 2: loop unroll: wanted at least 1, found 0",
        ),
        // Memory.
        (
            "store %x[row * 8 + lane] = %0",
            "statement 2: store: parameter `x` is not declared as written",
        ),
        (
            "store %y[row * 8 + lane] = %1",
            "statement 2: %1: wanted f32, found bool",
        ),
        ("store %s[row * 8 + lane] = %0", "no fault"),
        (
            "%2 = load %x[64 + lane] : 1x8",
            "statement 2: array `x`: wanted offsets within 0..64, found 64 to 71",
        ),
        (
            "%2 = load %x[lane - 8] : 1x8",
            "statement 2: array `x`: wanted offsets within 0..64, found -8 to -1",
        ),
        ("%2 = load %x[64 + lane] where (lane < 0) : 1x8", "no fault"),
        (
            "for #2 in 4 .. 4 { %2 = load %x[64 + lane] : 1x8 }",
            "no fault",
        ),
        (
            "%2 = load %x[%x[0]] : 1x1",
            "statement 2: array `x` in an index: wanted an integer, found f32",
        ),
        ("%2 = load %x[%ids[lane]] : 1x8", "no fault"),
        (
            "%2 = load %x[div(lane, #0)] : 1x8",
            "statement 2: divisor: wanted a number above 0, found 0 to 3",
        ),
        (
            "%2 = load %x[mod(lane - 9, 4)] : 1x8",
            "statement 2: dividend: wanted a number of at least 0, found -9 to -2",
        ),
        // Types.
        (
            "%2 = splat 0.0 : f32 0x8",
            "statement 2: shape: wanted 1 to 1048576 elements, found 0x8",
        ),
        (
            "%2 = load %x[0] : 70000x70000",
            "statement 2: shape: wanted 1 to 1048576 elements, found 70000x70000",
        ),
        (
            "%2 = splat 0.5 : i32 1x1",
            "statement 2: splat: i32 does not hold 0.5",
        ),
        (
            "%2 = gelu %0",
            "statement 2: gelu: wanted a primitive function; help: expand it when lowering",
        ),
        ("%2 = exp %1", "statement 2: %1: wanted a float, found bool"),
        ("%2 = add %0, %1", "statement 2: %1: wanted f32, found bool"),
        ("%2 = and %0, %0", "statement 2: %0: wanted bool, found f32"),
        (
            "%2 = splat 1.0 : f32 3x8 %3 = add %0, %2",
            "statement 3: %2: shape 3x8 does not repeat to 4x8, nor the other way round",
        ),
        ("%2 = splat 1.0 : f32 1x8 %3 = add %0, %2", "no fault"),
        (
            "%2 = select %0, %0, %0",
            "statement 2: %0: wanted bool, found f32",
        ),
        (
            "%2 = select %1, %0, %1",
            "statement 2: %1: wanted f32, found bool",
        ),
        (
            "%2 = broadcast %0 : 4x16",
            "statement 2: %0: wanted shape 4x16, found 4x8",
        ),
        (
            "%2 = reduce sum lanes %1",
            "statement 2: %1: wanted a float or an integer, found bool",
        ),
        (
            "%2 = dot %0, %0, %0",
            "statement 2: %0: wanted shape 8x8, found 4x8",
        ),
        (
            "%2 = dot %0, %0, %1",
            "statement 2: %1: wanted f32 or i32, found bool",
        ),
        (
            "%2 = splat 1.0 : f32 4x1 %3 = splat 1.0 : i32 1x8 %4 = dot %2, %3, %0",
            "statement 4: %3: wanted a float, found i32",
        ),
    ];
    for (body, wanted) in cases {
        assert_eq!(verdict(body), wanted, "{body}");
    }
}

/// The verdict on a small program after a change that no text can spell.
fn changed(change: impl FnOnce(&mut Program)) -> Fault {
    let text = "tile t grid [4] { param %x : f32[4] param %y : f32[4] %0 = load %x[#0] : 1x1 }";
    let mut program = parse(text).unwrap();
    change(&mut program);
    verify(&program).unwrap_err().fault
}

#[test]
fn faults_of_the_head_are_found() {
    assert_eq!(
        changed(|p| p.name = "no-name".into()),
        Fault::Name("no-name".into())
    );
    assert_eq!(
        changed(|p| p.params[1].name = "x".into()),
        Fault::Name("x".into())
    );
    assert_eq!(changed(|p| p.grid[0] = 0), Fault::Grid { axis: 0, size: 0 });
    assert_eq!(changed(|p| p.grid = vec![i64::MAX; 2]), Fault::Blocks);
    let array = "x".to_owned();
    assert_eq!(
        changed(|p| p.params[0].len = -1),
        Fault::Length { array, len: -1 }
    );
    let lone = changed(|p| {
        let Stmt::Let(_, ir::tile::Value::Load { from, .. }) = &mut p.body[0] else {
            panic!()
        };
        from.memory = ir::tile::Memory::Local(0);
        from.at = Index::Const(0);
    });
    assert_eq!(lone, Fault::NoArray(ir::tile::Memory::Local(0)));
}
