//! What fits on the chip of an Ascend core, at both sides of each limit.

use backends::ascend::{AscendError, Dialect, Memory, Need, Plan, compile};
use ir::{Target, tile::parse};

fn target() -> Target {
    let all = backends::ascend::targets::targets();
    all.into_iter()
        .find(|t| t.name == "ascend:910B3")
        .expect("a device of the table")
}

/// The plan of a program, or the memory that is too small.
fn plan(text: &str) -> Result<Plan, Need> {
    let program = parse(text).unwrap_or_else(|e| panic!("{e}\n{text}"));
    match compile(&program, &target(), Dialect::Mlir19) {
        Ok(kernel) => Ok(kernel.plan),
        Err(AscendError::DoesNotFit { need, .. }) => Err(*need),
        Err(error) => panic!("{error}\n{text}"),
    }
}

fn bytes(plan: &Plan, memory: Memory) -> u64 {
    let need = plan.needs.iter().find(|n| n.memory == memory);
    need.expect("one for each memory").bytes.0
}

/// Two tiles of f32 at a time.
fn exp(lanes: u32) -> String {
    format!(
        "tile t grid [1] {{
  param %x : f32[{lanes}]
  param %y : f32[{lanes}] written
  %0 = load %x[lane] : 1x{lanes}
  %1 = exp %0
  store %y[lane] = %1
}}
"
    )
}

/// A product, with operands of f16.
fn product(rows: u32, depth: u32, columns: u32) -> String {
    let [a, b, c] = [rows * depth, depth * columns, rows * columns];
    format!(
        "tile t grid [1] {{
  param %a : f16[{a}]
  param %b : f16[{b}]
  param %c : f32[{c}] written
  %0 = load %a[row * {depth} + lane] : {rows}x{depth}
  %1 = load %b[row * {columns} + lane] : {depth}x{columns}
  %2 = splat 0.0 : f32 {rows}x{columns}
  %3 = dot %0, %1, %2
  store %c[row * {columns} + lane] = %3
}}
"
    )
}

/// A sum over rounds, each of which loads a tile.
fn sum(lanes: u32) -> String {
    let len = 4 * lanes;
    format!(
        "tile t grid [1] {{
  param %x : f32[{len}]
  param %y : f32[{lanes}] written
  %0 = splat 0.0 : f32 1x{lanes}
  %4 = for #1 in 0 .. 4 carry (%1 = %0) {{
    %2 = load %x[#1 * {lanes} + lane] : 1x{lanes}
    %3 = add %1, %2
    yield %3
  }}
  store %y[lane] = %4
}}
"
    )
}

#[test]
fn vectors() {
    let full = 192 * 1024 / 4 / 2;
    assert_eq!(bytes(&plan(&exp(full)).unwrap(), Memory::Ub), 192 * 1024);
    let need = plan(&exp(full + 1)).unwrap_err();
    assert_eq!(
        need.to_string(),
        "UB at statement 1 needs 196672 of 196608 bytes: %0 f32 1x24577 98336, %1 f32 1x24577 98336"
    );
}

#[test]
fn what_a_loop_loads_is_there_twice() {
    // The sum so far, the next, and two of what is added.
    let full = 192 * 1024 / 4 / 4;
    assert_eq!(bytes(&plan(&sum(full)).unwrap(), Memory::Ub), 192 * 1024);
    assert_eq!(plan(&sum(full + 8)).unwrap_err().memory, Memory::Ub);
}

#[test]
fn left_operands() {
    // 64 KiB of 16-bit numbers, rows padded to 16.
    assert_eq!(
        bytes(&plan(&product(128, 256, 16)).unwrap(), Memory::L0A),
        64 * 1024
    );
    assert_eq!(
        plan(&product(129, 256, 16)).unwrap_err().memory,
        Memory::L0A
    );
}

#[test]
fn right_operands() {
    assert_eq!(
        bytes(&plan(&product(16, 256, 128)).unwrap(), Memory::L0B),
        64 * 1024
    );
    assert_eq!(
        plan(&product(16, 256, 129)).unwrap_err().memory,
        Memory::L0B
    );
}

#[test]
fn sums() {
    assert_eq!(
        bytes(&plan(&product(128, 16, 256)).unwrap(), Memory::L0C),
        128 * 1024
    );
    // The vector unit, which stores it, has room for more.
    assert_eq!(
        plan(&product(144, 16, 256)).unwrap_err().memory,
        Memory::L0C
    );
}

/// Six operands that all wait, since their products come last.
fn staged(depth: u32) -> String {
    let len = 128 * depth;
    let mut text =
        format!("tile t grid [1] {{\n  param %a : f16[{len}]\n  param %c : f32[256] written\n");
    for i in 0..4 {
        text += &format!("  %{i} = load %a[row * {depth} + lane] : 16x{depth}\n");
    }
    for i in 4..8 {
        text += &format!("  %{i} = load %a[row * 16 + lane] : {depth}x16\n");
    }
    text += "  %8 = splat 0.0 : f32 16x16\n";
    for i in 0..4 {
        text += &format!("  %{} = dot %{i}, %{}, %{}\n", 9 + i, 4 + i, 8 + i);
    }
    text + "  store %c[row * 16 + lane] = %12\n}\n"
}

#[test]
fn staging() {
    // Eight tiles of 16 x 2048 of 16 bits would be 512 KiB.
    assert_eq!(
        bytes(&plan(&staged(2032)).unwrap(), Memory::L1),
        8 * 2032 * 32
    );
    assert_eq!(plan(&staged(2064)).unwrap_err().memory, Memory::L1);
}

/// A sum of products over rounds, each of which loads both operands.
fn product_rounds(rows: u32, depth: u32, columns: u32) -> String {
    let [a, b, c] = [4 * rows * depth, 4 * depth * columns, rows * columns];
    format!(
        "tile t grid [1] {{
  param %a : f16[{a}]
  param %b : f16[{b}]
  param %c : f32[{c}] written
  %0 = splat 0.0 : f32 {rows}x{columns}
  %5 = for #1 in 0 .. 4 carry (%1 = %0) {{
    %2 = load %a[(#1 * {rows} + row) * {depth} + lane] : {rows}x{depth}
    %3 = load %b[(#1 * {depth} + row) * {columns} + lane] : {depth}x{columns}
    %4 = dot %2, %3, %1
    yield %4
  }}
  store %c[row * {columns} + lane] = %5
}}
"
    )
}

#[test]
fn operands_of_a_loop_are_there_twice() {
    // 128 x 128 of 16 bits are 32 KiB, and as much arrives meanwhile.
    let full = plan(&product_rounds(128, 128, 16)).unwrap();
    assert_eq!(bytes(&full, Memory::L0A), 64 * 1024);
    assert_eq!(bytes(&full, Memory::L1), 2 * (128 + 16) * 128 * 2);
    let need = plan(&product_rounds(129, 128, 16)).unwrap_err();
    assert_eq!((need.memory, need.bytes.0), (Memory::L0A, 72 * 1024));
    let full = plan(&product_rounds(16, 128, 128)).unwrap();
    assert_eq!(bytes(&full, Memory::L0B), 64 * 1024);
    assert_eq!(
        plan(&product_rounds(16, 128, 129)).unwrap_err().memory,
        Memory::L0B
    );
    // Outside of a loop there is one.
    assert_eq!(
        bytes(&plan(&product(128, 128, 16)).unwrap(), Memory::L0A),
        32 * 1024
    );
}

/// A tile of 16 bits that is stored as it is made.
fn rows(rows: u32, lanes: u32) -> String {
    let len = rows * lanes;
    format!(
        "tile t grid [1] {{
  param %x : f16[{len}]
  param %y : f16[{len}] written
  %0 = load %x[row * {lanes} + lane] : {rows}x{lanes}
  store %y[row * {lanes} + lane] = %0
}}
"
    )
}

#[test]
fn rows_are_padded_to_what_starts_are_multiples_of() {
    // 32 bytes are 16 elements: one more takes as much again.
    let ub = |r, l| bytes(&plan(&rows(r, l)).unwrap(), Memory::Ub);
    assert_eq!([ub(3, 15), ub(3, 16), ub(3, 17)], [96, 96, 192]);
    // A column lies as a row does.
    assert_eq!([ub(16, 1), ub(17, 1)], [32, 64]);
    // 6144 rows of 32 bytes are all there is, whether a row is full or not.
    assert_eq!(ub(6144, 16), 192 * 1024);
    assert_eq!(ub(6144, 9), 192 * 1024);
    assert_eq!(plan(&rows(6145, 9)).unwrap_err().memory, Memory::Ub);
    assert_eq!(plan(&rows(6144, 17)).unwrap_err().memory, Memory::Ub);
}

#[test]
fn operands_and_sums_are_padded_to_fractals() {
    let of = |(m, k, n), memory| bytes(&plan(&product(m, k, n)).unwrap(), memory);
    // 16 rows of 32 bytes are a fractal of 512 bytes; one of sums has 1024.
    assert_eq!(of((16, 16, 16), Memory::L0A), 512);
    assert_eq!(of((1, 1, 16), Memory::L0A), 512);
    assert_eq!(of((17, 16, 16), Memory::L0A), 1024);
    assert_eq!(of((16, 17, 16), Memory::L0A), 1024);
    assert_eq!(of((16, 17, 16), Memory::L0B), 1024);
    assert_eq!(of((16, 16, 17), Memory::L0B), 1024);
    assert_eq!(of((2, 16, 2), Memory::L0C), 1024);
    assert_eq!(of((17, 16, 16), Memory::L0C), 2048);
    assert_eq!(of((17, 16, 17), Memory::L0C), 4096);
}

#[test]
fn a_tile_that_is_repeated_to_its_own_shape_is_there_once() {
    let once = bytes(&plan(&exp(64)).unwrap(), Memory::Ub);
    let text = exp(64).replace("  %1 = exp %0", "  %2 = broadcast %0 : 1x64\n  %1 = exp %2");
    assert_eq!(bytes(&plan(&text).unwrap(), Memory::Ub), once);
}

#[test]
fn devices_have_limits_of_their_own() {
    let lanes = 256 * 1024 / 4 / 2;
    for (name, fits) in [
        ("ascend:310P", true),
        ("ascend:910B3", false),
        ("ascend:910C", false),
    ] {
        let target = backends::resolve(name).unwrap();
        let core = target.tensor().unwrap();
        let program = parse(&exp(lanes)).unwrap();
        let types = ir::tile::types(&program).unwrap();
        let planned = backends::ascend::plan(&program, &types, core);
        assert_eq!(planned.is_ok(), fits, "{name}");
    }
}

#[test]
fn other_targets_are_refused() {
    let program = parse(&exp(8)).unwrap();
    let cpu = backends::resolve("cpu:x86-64-v3").unwrap();
    let error = compile(&program, &cpu, Dialect::Mlir19).unwrap_err();
    assert_eq!(
        error.to_string(),
        "tile program `t`: wanted a target of the tensor form, found `cpu:x86-64-v3`"
    );
}
