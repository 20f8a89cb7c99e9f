//! Arrays in `.npz` files.

use std::collections::BTreeMap;

use ir::{DType, Tensor};
use tilewright::runtime::{Array, Npz, write_npz};

use crate::{
    folder::Folder,
    support::{Case, Numbers},
};

/// Arrays by name.
pub type Arrays = BTreeMap<String, Array>;

/// Integers in an array of this type.
pub fn integers(dtype: DType, shape: &[usize], values: &[i64]) -> Array {
    let bytes = values
        .iter()
        .flat_map(|v| v.to_le_bytes()[..dtype.size()].to_vec());
    Array {
        dtype,
        shape: shape.into(),
        bytes: bytes.collect(),
    }
}

pub fn write(folder: &Folder, name: &str, arrays: &[(&str, Array)]) {
    let views: Vec<_> = arrays.iter().map(|(n, a)| (*n, a.view())).collect();
    write_npz(&folder.0.join(name), &views).unwrap();
}

pub fn read(folder: &Folder, name: &str) -> Arrays {
    let mut npz = Npz::open(&folder.0.join(name)).unwrap();
    let names: Vec<String> = npz.names().map(Into::into).collect();
    let array = |n: String| {
        let array = npz.read(&n).unwrap().unwrap();
        (n, array)
    };
    names.into_iter().map(array).collect()
}

/// Writes the inputs of a case.
pub fn write_inputs(folder: &Folder, name: &str, case: &Case) {
    let inputs: Vec<_> = case
        .inputs
        .iter()
        .map(|(name, x)| {
            let shape: Vec<usize> = x.shape.iter().map(|n| *n as usize).collect();
            let values: Vec<i64> = x.values.iter().map(|v| *v as i64).collect();
            (name.as_str(), integers(DType::I64, &shape, &values))
        })
        .collect();
    write(folder, name, &inputs);
}

/// The same arrays as tensors.
pub fn tensors(arrays: Arrays) -> BTreeMap<String, Tensor> {
    let tensor = |(name, a): (String, Array)| {
        let shape: Vec<i64> = a.shape.iter().map(|n| *n as i64).collect();
        (name, Tensor::from_bytes(a.dtype, &shape, a.bytes).unwrap())
    };
    arrays.into_iter().map(tensor).collect()
}

/// Sentences of random words of MiniLM in `batch` rows, of which the last fifth, two fifths and so on are padding.
/// Padding has words too: they must not matter.
pub fn sentences(batch: i64, seq: i64) -> BTreeMap<String, Numbers> {
    let numbers = |value: &dyn Fn(i64, i64) -> i64| Numbers {
        shape: vec![batch, seq],
        values: (0..batch * seq)
            .map(|i| value(i / seq, i % seq) as f64)
            .collect(),
    };
    let word = |row, at| 1000 + ((row * seq + at) * 7919 + 13) % 28_000;
    let kept = |row| seq - (row + 1) * seq / 5;
    BTreeMap::from([
        ("input_ids".into(), numbers(&word)),
        (
            "attention_mask".into(),
            numbers(&|row, at| i64::from(at < kept(row))),
        ),
        (
            "token_type_ids".into(),
            numbers(&|row, at| i64::from(at > kept(row) / 2)),
        ),
    ])
}
