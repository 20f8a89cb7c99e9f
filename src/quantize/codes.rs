//! Numbers as codes and scales.

use ir::{DType, Tensor, WeightSource};
use rayon::prelude::*;

use super::{Quantize, QuantizeError, Quantized, graph::Matrix};

/// One column of a matrix: its codes, a scale for each group, and the sums of squares of differences and of values.
struct Column {
    codes: Vec<i8>,
    scales: Vec<f32>,
    squares: [f64; 2],
}

/// Codes and scales by name, and how far they are off.
pub(super) fn encode(
    matrix: &Matrix,
    weights: &dyn WeightSource,
    how: Quantize,
) -> Result<(Vec<(String, Tensor)>, Quantized), QuantizeError> {
    let no_weight = || QuantizeError::NoWeight(matrix.name.clone());
    let view = weights.weight(&matrix.name).ok_or_else(no_weight)?;
    let stored = Tensor::from_bytes(view.dtype, &view.shape, view.bytes.to_vec());
    let stored = stored.map_err(|_| no_weight())?;
    let values = stored.values();
    let (k, n) = (matrix.inputs as usize, matrix.outputs as usize);
    let at = |i: usize, j: usize| {
        if matrix.inputs_first {
            i * n + j
        } else {
            j * k + i
        }
    };
    if let Some(bad) = values.iter().position(|x| !x.is_finite()) {
        let columns = if matrix.inputs_first { n } else { k };
        return Err(QuantizeError::NotFinite {
            name: matrix.name.clone(),
            position: [bad / columns, bad % columns],
            value: values[bad],
        });
    }
    let group = how.group(matrix.inputs) as usize;
    let most = match how {
        Quantize::W8 => 127.0,
        Quantize::W4 { .. } => 7.0,
    };
    let column = |j: usize| {
        let column: Vec<f64> = (0..k).map(|i| values[at(i, j)]).collect();
        self::column(&column, group, most)
    };
    let columns: Vec<Column> = (0..n).into_par_iter().map(column).collect();
    let groups = k / group;
    let scales = (0..groups).flat_map(|g| columns.iter().map(move |c| c.scales[g]));
    let scales: Vec<u8> = scales.flat_map(f32::to_le_bytes).collect();
    let (shape, codes) = match how {
        Quantize::W8 => {
            let codes = (0..k).flat_map(|i| columns.iter().map(move |c| c.codes[i] as u8));
            ([1, k, n], codes.collect::<Vec<u8>>())
        }
        Quantize::W4 { .. } => ([groups, group / 2, n], nibbles(&columns, groups, group)),
    };
    let bytes = codes.len() + scales.len();
    let dtype = match how {
        Quantize::W8 => DType::I8,
        Quantize::W4 { .. } => DType::U8,
    };
    let tensor = |dtype, shape: [usize; 3], bytes| {
        let tensor = Tensor::from_bytes(dtype, &shape.map(|n| n as i64), bytes);
        tensor.expect("there are as many bytes as the shape says")
    };
    let parts = vec![
        (matrix.codes(), tensor(dtype, shape, codes)),
        (matrix.scales(), tensor(DType::F32, [groups, 1, n], scales)),
    ];
    let squares = columns
        .iter()
        .fold([0.0, 0.0], |[d, v], c| [d + c.squares[0], v + c.squares[1]]);
    let error = if squares[1] > 0.0 {
        (squares[0] / squares[1]).sqrt()
    } else {
        0.0
    };
    let done = Quantized {
        name: matrix.name.clone(),
        error,
        bytes,
        elements: k * n,
    };
    Ok((parts, done))
}

/// A column of values, with codes from `-most` to `most`.
fn column(values: &[f64], group: usize, most: f64) -> Column {
    let mut out = Column {
        codes: Vec::with_capacity(values.len()),
        scales: Vec::new(),
        squares: [0.0; 2],
    };
    for group in values.chunks(group) {
        let largest = group.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
        let scale = (largest / most) as f32;
        // A group of zeros, or of numbers so small that their scale is 0, has codes of 0.
        let inverse = if scale > 0.0 {
            1.0 / f64::from(scale)
        } else {
            0.0
        };
        for x in group {
            let code = (x * inverse).round_ties_even().clamp(-most, most);
            out.codes.push(code as i8);
            out.squares[0] += (code * f64::from(scale) - x).powi(2);
            out.squares[1] += x * x;
        }
        out.scales.push(scale);
    }
    out
}

/// Two codes in a byte, plus 8 each: the low half holds that of the first half of a group, the high half its fellow of the
/// second.
fn nibbles(columns: &[Column], groups: usize, group: usize) -> Vec<u8> {
    let half = group / 2;
    let byte = |g: usize, i: usize, c: &Column| {
        let nibble = |at: usize| (c.codes[g * group + at] + 8) as u8;
        nibble(i) | nibble(half + i) << 4
    };
    let mut bytes = Vec::with_capacity(groups * half * columns.len());
    for g in 0..groups {
        for i in 0..half {
            bytes.extend(columns.iter().map(|c| byte(g, i, c)));
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_value_of_a_group_is_kept() {
        let values = [
            0.0, 3.5, -7.0, 1.4, 0.0, 0.0, 0.0, 0.0, 1e-3, -2e-3, 0.0, 5e-4,
        ];
        let c = column(&values, 4, 7.0);
        assert_eq!(c.codes, [0, 4, -7, 1, 0, 0, 0, 0, 4, -7, 0, 2]);
        assert_eq!(c.scales, [1.0, 0.0, (2e-3 / 7.0) as f32]);
        let byte = nibbles(&[c], 3, 4);
        assert_eq!(byte[..2], [8 | 1 << 4, 12 | 9 << 4]);
    }
}
