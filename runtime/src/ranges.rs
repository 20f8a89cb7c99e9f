//! Arrays in larger ones: how a program runs at sizes below its own.

use std::collections::BTreeMap;

use crate::{
    manifest::{Program, Ranges},
    model::DeviceError,
};

/// Copies an array of `shape` to the start of one of `room`, along each axis, and continues it with copies of its last
/// elements. `size`: bytes of an element. No axis of `shape` is 0 or larger than that of `room`.
pub(crate) fn spread(from: &[u8], shape: &[usize], to: &mut [u8], room: &[usize], size: usize) {
    let Some((n, rest)) = shape.split_first() else {
        to.copy_from_slice(from);
        return;
    };
    if shape == room {
        to.copy_from_slice(from);
        return;
    }
    let bytes = |sizes: &[usize]| sizes.iter().product::<usize>() * size;
    let (from_step, to_step) = (bytes(rest), bytes(&room[1..]));
    for i in 0..*n {
        let from = &from[i * from_step..(i + 1) * from_step];
        let to = &mut to[i * to_step..(i + 1) * to_step];
        spread(from, rest, to, &room[1..], size);
    }
    let last = (n - 1) * to_step..n * to_step;
    for i in *n..room[0] {
        to.copy_within(last.clone(), i * to_step);
    }
}

/// Copies the start, along each axis, of an array of `room` into one of `shape`.
pub(crate) fn gather(from: &[u8], room: &[usize], to: &mut [u8], shape: &[usize], size: usize) {
    let Some((n, rest)) = shape.split_first() else {
        to.copy_from_slice(from);
        return;
    };
    if shape == room {
        to.copy_from_slice(from);
        return;
    }
    let bytes = |sizes: &[usize]| sizes.iter().product::<usize>() * size;
    let (from_step, to_step) = (bytes(&room[1..]), bytes(rest));
    for i in 0..*n {
        let from = &from[i * from_step..(i + 1) * from_step];
        let to = &mut to[i * to_step..(i + 1) * to_step];
        gather(from, &room[1..], to, rest, size);
    }
}

impl Ranges {
    /// The sizes that inputs of these shapes have; symbols of inputs that are left out are as small as they may be.
    ///
    /// # Errors
    /// An input of another number of axes or another fixed size, two inputs that disagree, or a size out of its range.
    pub(crate) fn sizes(
        &self,
        inputs: &[(String, Option<Vec<usize>>)],
    ) -> Result<BTreeMap<String, u64>, DeviceError> {
        let mut sizes: BTreeMap<String, u64> = BTreeMap::new();
        for ((name, shape), axes) in inputs.iter().zip(&self.inputs) {
            let Some(shape) = shape else { continue };
            // Another number of axes is reported when the input is set.
            for (n, symbol) in shape.iter().zip(axes) {
                let Some(symbol) = symbol else { continue };
                let n = *n as u64;
                let [min, max] = self.symbols[symbol];
                if !(min..=max).contains(&n) {
                    return Err(DeviceError::Size {
                        symbol: symbol.clone(),
                        min,
                        max,
                        found: n,
                        input: name.clone(),
                    });
                }
                match sizes.insert(symbol.clone(), n) {
                    Some(other) if other != n => {
                        return Err(DeviceError::Sizes {
                            symbol: symbol.clone(),
                            input: name.clone(),
                            wanted: other,
                            found: n,
                        });
                    }
                    _ => {}
                }
            }
        }
        self.complete(&mut sizes);
        Ok(sizes)
    }

    /// Makes symbols that have no size yet as small as they may be.
    pub(crate) fn complete(&self, sizes: &mut BTreeMap<String, u64>) {
        for (symbol, [min, _]) in &self.symbols {
            sizes.entry(symbol.clone()).or_insert(*min);
        }
    }
}

/// The position of the program with the least room that holds these sizes.
pub(crate) fn smallest(programs: &[Program], sizes: &BTreeMap<String, u64>) -> Option<usize> {
    let holds = |p: &Program| {
        let mut all = sizes.iter();
        all.all(|(s, n)| p.sizes.get(s).is_some_and(|own| own >= n))
    };
    let room = |p: &Program| {
        let all = sizes.keys().map(|s| p.sizes[s] as f64);
        all.product::<f64>()
    };
    let fit = programs.iter().enumerate().filter(|(_, p)| holds(p));
    let least = fit.min_by(|(_, a), (_, b)| room(a).total_cmp(&room(b)));
    least.map(|(i, _)| i)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_go_into_larger_ones_and_back() {
        let from: Vec<u8> = (0..6).collect();
        let mut to = [0; 2 * 4 * 3];
        spread(&from, &[1, 3, 2], &mut to, &[2, 4, 3], 1);
        let half = [0, 1, 1, 2, 3, 3, 4, 5, 5, 4, 5, 5];
        assert_eq!(to, *[half, half].concat());
        let mut back = [0; 6];
        gather(&to, &[2, 4, 3], &mut back, &[1, 3, 2], 1);
        assert_eq!(back, *from);
        let mut wide = [0; 4];
        spread(&[7, 8], &[1], &mut wide, &[2], 2);
        assert_eq!(wide, [7, 8, 7, 8]);
    }
}
