//! Sizes that runs choose agree with inputs, outputs and programs.

use ir::{DType, ops::Absent};

use super::{Checked, Problem};
use crate::manifest::{Manifest, Program, Ranges};

pub(super) fn check(m: &Manifest) -> Checked {
    let none = Ranges::default();
    let ranges = m.ranges.as_ref().unwrap_or(&none);
    for (symbol, [min, max]) in &ranges.symbols {
        if *min < 1 || min > max {
            let found = format!("{min} to {max}");
            let place = format!("ranges.symbols.{symbol}");
            return Err(Problem::manifest(place, "1 or more, up to no less", found));
        }
    }
    for (i, input) in m.inputs.iter().enumerate() {
        let known = |symbol| ranges.symbols.contains_key(symbol);
        let sound = input.dtype == DType::I64 && input.symbol().is_some_and(known);
        if input.absent == Absent::Size && !sound {
            let wanted = "an i64 named `size.` and a symbol that has a range";
            let place = format!("inputs[{i}]");
            return Err(Problem::manifest(
                place,
                wanted,
                format!("`{}`", input.name),
            ));
        }
    }
    if m.ranges.is_none() {
        return Ok(());
    }
    for (t, target) in m.targets.iter().enumerate() {
        for (p, program) in target.programs.iter().enumerate() {
            let place = format!("targets[{t}].programs[{p}]");
            check_shapes(
                ranges,
                program,
                &ranges.inputs,
                &program.input_shapes,
                &place,
            )?;
            check_shapes(
                ranges,
                program,
                &ranges.outputs,
                &program.output_shapes,
                &place,
            )?;
            let sizes = m.inputs.iter().zip(&program.input_shapes);
            for (input, shape) in sizes.filter(|(i, _)| i.absent == Absent::Size) {
                if !shape.is_empty() {
                    let found = format!("`{}` of shape {shape:?}", input.name);
                    return Err(Problem::manifest(place, "a size without axes", found));
                }
            }
        }
    }
    Ok(())
}

/// Each axis with a symbol has the program's size of it, and each program a size for each symbol.
fn check_shapes(
    ranges: &Ranges,
    program: &Program,
    axes: &[Vec<Option<String>>],
    shapes: &[Vec<u64>],
    place: &str,
) -> Checked {
    for symbol in ranges.symbols.keys() {
        if program.sizes.get(symbol).is_none_or(|n| *n == 0) {
            let wanted = format!("a size for `{symbol}`");
            return Err(Problem::manifest(
                place,
                wanted,
                format!("{:?}", program.sizes),
            ));
        }
    }
    let ranks = |all: &mut dyn Iterator<Item = usize>| all.collect::<Vec<_>>();
    let wanted = ranks(&mut shapes.iter().map(Vec::len));
    let found = ranks(&mut axes.iter().map(Vec::len));
    if wanted != found {
        let wanted = format!("ranges for tensors of ranks {wanted:?}");
        return Err(Problem::manifest(place, wanted, format!("{found:?}")));
    }
    for (n, symbol) in shapes.iter().flatten().zip(axes.iter().flatten()) {
        let Some(symbol) = symbol else { continue };
        let own = program
            .sizes
            .get(symbol)
            .filter(|_| ranges.symbols.contains_key(symbol));
        if own != Some(n) {
            let wanted = format!("an axis of {symbol}, {own:?}");
            return Err(Problem::manifest(place, wanted, n));
        }
    }
    Ok(())
}
