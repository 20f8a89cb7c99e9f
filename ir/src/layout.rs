//! How an operand lies in memory, and what lays it out so.

use serde::{Deserialize, Serialize};

use crate::{Graph, GraphError, ValueId, ops};

/// How a kernel wants an operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Layout {
    /// Row-major, as its type says.
    Plain,
    /// A matrix cut into panels of `lanes` columns, one after the other, each row-major; the last one is
    /// filled up with zeros.
    Panels {
        /// Rows of the matrix.
        rows: i64,
        /// Columns of the matrix.
        columns: i64,
        /// Whether the tensor holds the matrix by columns.
        transposed: bool,
        /// Columns of a panel.
        lanes: u32,
    },
}

impl Layout {
    /// Number of elements of an operand that has `plain` of them in row-major order.
    pub fn len(self, plain: i64) -> i64 {
        match self {
            Self::Plain => plain,
            Self::Panels {
                rows,
                columns,
                lanes,
                ..
            } => rows * padded(columns, lanes),
        }
    }

    /// Whether an operand of `plain` elements has none.
    pub fn is_empty(self, plain: i64) -> bool {
        self.len(plain) == 0
    }

    /// Whether an operand of `plain` elements can lie so: the matrix has as many, panels have columns, and all that
    /// they hold can be counted.
    pub fn fits(self, plain: i64) -> bool {
        let Self::Panels {
            rows,
            columns,
            lanes,
            ..
        } = self
        else {
            return plain >= 0;
        };
        let whole = || {
            let by_columns = u64::try_from(columns)
                .ok()?
                .checked_next_multiple_of(lanes.into())?;
            rows.checked_mul(i64::try_from(by_columns).ok()?)
        };
        rows >= 0 && lanes > 0 && whole().is_some() && rows * columns == plain
    }

    /// The elements of an operand, of `size` bytes each, laid out: what [`Layout::pack`] computes, without a graph.
    ///
    /// # Panics
    /// The operand does not [fit](Layout::fits).
    pub fn pack_bytes(&self, size: usize, plain: &[u8]) -> Vec<u8> {
        let Self::Panels {
            rows,
            columns,
            transposed,
            lanes,
        } = *self
        else {
            return plain.to_vec();
        };
        assert!(
            plain.len().is_multiple_of(size) && self.fits((plain.len() / size) as i64),
            "{} bytes of {size} each do not fill {self:?}",
            plain.len()
        );
        let (rows, columns, lanes) = (rows as usize, columns as usize, lanes as usize);
        let mut packed = vec![0; rows * columns.next_multiple_of(lanes) * size];
        if packed.is_empty() {
            return packed;
        }
        for (panel, out) in packed.chunks_exact_mut(rows * lanes * size).enumerate() {
            let first = panel * lanes;
            let width = lanes.min(columns - first);
            if transposed {
                // By columns, so that what is read lies in line.
                for lane in 0..width {
                    let column = &plain[(first + lane) * rows * size..][..rows * size];
                    for (row, element) in column.chunks_exact(size).enumerate() {
                        out[(row * lanes + lane) * size..][..size].copy_from_slice(element);
                    }
                }
            } else {
                for (row, out) in out.chunks_exact_mut(lanes * size).enumerate() {
                    let from = (row * columns + first) * size;
                    out[..width * size].copy_from_slice(&plain[from..][..width * size]);
                }
            }
        }
        packed
    }

    /// Appends the ops that lay `x` out.
    ///
    /// # Errors
    /// `x` does not have as many elements as the matrix.
    pub fn pack(self, graph: &mut Graph, x: ValueId) -> Result<ValueId, GraphError> {
        let Self::Panels {
            rows,
            columns,
            transposed,
            lanes,
        } = self
        else {
            return Ok(x);
        };
        let dims = |sizes: &[i64]| sizes.iter().map(|n| (*n).into()).collect();
        let by_columns = padded(columns, lanes);
        let panels = by_columns / i64::from(lanes);
        let pad = |axis: usize, graph: &mut Graph, x| {
            let mut hi = [0, 0];
            hi[axis] = by_columns - columns;
            let pad = ops::Pad {
                lo: dims(&[0, 0]),
                hi: dims(&hi),
                value: 0.0.into(),
            };
            if hi[axis] == 0 {
                Ok(x)
            } else {
                graph.push(pad, &[x])
            }
        };
        if transposed {
            let x = graph.push(
                ops::Reshape {
                    shape: dims(&[columns, rows]),
                },
                &[x],
            )?;
            let x = pad(0, graph, x)?;
            let x = graph.push(
                ops::Reshape {
                    shape: dims(&[panels, lanes.into(), rows]),
                },
                &[x],
            )?;
            return graph.push(
                ops::Permute {
                    axes: vec![0, 2, 1],
                },
                &[x],
            );
        }
        let x = graph.push(
            ops::Reshape {
                shape: dims(&[rows, columns]),
            },
            &[x],
        )?;
        let x = pad(1, graph, x)?;
        let x = graph.push(
            ops::Reshape {
                shape: dims(&[rows, panels, lanes.into()]),
            },
            &[x],
        )?;
        graph.push(
            ops::Permute {
                axes: vec![1, 0, 2],
            },
            &[x],
        )
    }
}

fn padded(columns: i64, lanes: u32) -> i64 {
    (columns as u64).next_multiple_of(lanes.into()) as i64
}
