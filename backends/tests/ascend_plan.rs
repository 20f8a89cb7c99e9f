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
