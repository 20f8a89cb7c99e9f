//! Arrays as NumPy stores them.

use std::{
    fs::File,
    io::Write,
    path::{Path, PathBuf},
};

use ir::DType;
use proptest::prelude::*;
use tempfile::{TempDir, tempdir};
use tilewright_runtime::{Array, Npz, TensorView, write_npz};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

/// A `.npy` with this dictionary.
fn npy(dictionary: &str, elements: &[u8]) -> Vec<u8> {
    let mut out = b"\x93NUMPY\x01\x00".to_vec();
    out.extend((dictionary.len() as u16).to_le_bytes());
    out.extend(dictionary.as_bytes());
    out.extend(elements);
    out
}

fn dictionary(descr: &str, fortran: &str, shape: &str) -> String {
    format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}\n")
}

fn write(folder: &TempDir, method: CompressionMethod, members: &[(&str, Vec<u8>)]) -> PathBuf {
    let path = folder.path().join("x.npz");
    let mut zip = ZipWriter::new(File::create(&path).unwrap());
    for (name, bytes) in members {
        let options = SimpleFileOptions::default().compression_method(method);
        zip.start_file(*name, options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap();
    path
}

/// Reads every array, as a program with no idea of types would.
fn all(path: &Path) -> Result<Vec<(String, Array)>, String> {
    let mut npz = Npz::open(path).map_err(|e| e.to_string())?;
    let names: Vec<_> = npz.names().map(str::to_string).collect();
    let read = |name: String| {
        let array = npz.read(&name).map_err(|e| e.to_string())?.unwrap();
        Ok((name, array))
    };
    names.into_iter().map(read).collect()
}

#[test]
fn every_type_returns_as_it_was_written() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("x.npz");
    let bytes: Vec<u8> = (0..48).collect();
    let arrays: Vec<(String, DType, Vec<usize>)> = DType::ALL
        .iter()
        .flat_map(|d| {
            let n = 48 / d.size();
            [vec![n], vec![2, n / 2], vec![1, 2, n / 2]].map(|s| (format!("{d}{}", s.len()), *d, s))
        })
        .collect();
    let views: Vec<_> = arrays
        .iter()
        .map(|(name, dtype, shape)| {
            (
                name.as_str(),
                TensorView {
                    dtype: *dtype,
                    shape,
                    bytes: &bytes,
                },
            )
        })
        .collect();
    write_npz(&path, &views).unwrap();
    let found = all(&path).unwrap();
    assert_eq!(found.len(), arrays.len());
    for (name, array) in found {
        let (_, dtype, shape) = arrays.iter().find(|a| a.0 == name).unwrap();
        assert_eq!(&array.shape, shape);
        if *dtype == DType::Bf16 {
            // Widened: each number keeps its bits, above two bytes of zeros.
            assert_eq!(array.dtype, DType::F32);
            let halves: Vec<u8> = array.bytes.chunks(4).flat_map(|b| [b[2], b[3]]).collect();
            assert_eq!(halves, bytes);
        } else {
            assert_eq!((array.dtype, &array.bytes), (*dtype, &bytes));
        }
    }
}

#[test]
fn compressed_and_column_major_arrays_are_read() {
    let folder = tempdir().unwrap();
    // [[1, 2, 3], [4, 5, 6]], columns first.
    let columns = npy(&dictionary("|i1", "True", "(2, 3)"), &[1, 4, 2, 5, 3, 6]);
    let scalar = npy(&dictionary("<f4", "False", "()"), &1.5_f32.to_le_bytes());
    for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
        let members = [("a.npy", columns.clone()), ("s.npy", scalar.clone())];
        let found = all(&write(&folder, method, &members)).unwrap();
        assert_eq!(
            (&found[0].1.bytes[..], &found[0].1.shape[..]),
            (&[1, 2, 3, 4, 5, 6][..], &[2, 3][..])
        );
        assert_eq!(
            (found[1].1.dtype, &found[1].1.shape[..]),
            (DType::F32, &[][..])
        );
    }
}

#[test]
fn what_cannot_be_an_input_is_named() {
    let folder = tempdir().unwrap();
    let ok = dictionary("<f4", "False", "(2,)");
    let cases = [
        (
            npy(&dictionary("<f8", "False", "(1,)"), &[0; 8]),
            "array `a`: element type `<f8`; wanted",
        ),
        (
            npy(&dictionary(">i8", "False", "(1,)"), &[0; 8]),
            "element type `>i8`",
        ),
        (
            npy(&dictionary("|O", "False", "(1,)"), &[0; 8]),
            "element type `|O`",
        ),
        (
            npy("{'descr': [('x', '<f4')], 'shape': (1,)}", &[0; 4]),
            "element type `[('x'",
        ),
        (
            npy(&ok, &[0; 7]),
            "array `a`: wanted 8 bytes of elements, found 7",
        ),
        (
            npy(&ok, &[0; 9]),
            "array `a`: wanted 8 bytes of elements, found more",
        ),
        (
            npy(&dictionary("<f4", "False", "(-1,)"), &[0; 4]),
            "wanted sizes in 'shape'",
        ),
        (
            npy(
                &dictionary("<f4", "False", "(4611686018427387904, 4)"),
                &[0; 4],
            ),
            "wanted a 'shape' that fits into memory",
        ),
        (
            npy(&dictionary("<f4", "False", "(1000000000000,)"), &[0; 4]),
            "wanted 4000000000000 bytes of elements, found 4",
        ),
        (npy("{'descr': '<f4'}", &[]), "wanted 'fortran_order'"),
        (b"not an array".to_vec(), "wanted `\\x93NUMPY`"),
    ];
    for (bytes, wanted) in cases {
        let path = write(&folder, CompressionMethod::Deflated, &[("a.npy", bytes)]);
        let message = all(&path).unwrap_err();
        assert!(
            message.contains("x.npz: ") && message.contains(wanted),
            "{message}"
        );
    }
    let path = folder.path().join("y.npz");
    std::fs::write(&path, "text").unwrap();
    assert!(
        all(&path)
            .unwrap_err()
            .contains("not a .npz as `numpy.savez` writes it")
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn mutated_files_are_read_or_refused(
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
        deflated in any::<bool>(),
    ) {
        let folder = tempdir().unwrap();
        let method = if deflated { CompressionMethod::Deflated } else { CompressionMethod::Stored };
        let good = npy(&dictionary("<i4", "True", "(4, 8)"), &[7; 128]);
        let path = write(&folder, method, &[("a.npy", good.clone()), ("b.npy", good)]);
        let mut bytes = std::fs::read(&path).unwrap();
        for (index, value) in edits {
            let i = index.index(bytes.len());
            bytes[i] = value;
        }
        let keep = cut.index(4 * bytes.len());
        bytes.truncate(keep.max(1));
        std::fs::write(&path, &bytes).unwrap();
        if let Ok(arrays) = all(&path) {
            for (_, array) in arrays {
                let elements: usize = array.shape.iter().product();
                prop_assert_eq!(array.bytes.len(), elements * array.dtype.size());
                // Deflate yields at most 1032 times what it is given.
                prop_assert!(array.bytes.len() <= 1032 * bytes.len());
            }
        }
    }
}
