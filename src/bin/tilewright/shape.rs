//! Sizes on the command line.

use std::{collections::BTreeMap, str::FromStr};

use ir::{Bounds, Sizes, Symbol};

/// Sizes of some of a model's symbols, and ranges of others: `batch=1,seq=1..128`. Whether the model has and allows them is
/// for it to say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shape {
    /// One size each.
    pub sizes: Sizes,
    /// From the first to the last.
    pub ranges: BTreeMap<Symbol, Bounds>,
}

/// Text that spells no sizes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShapeTextError {
    /// A part that is no name and number.
    #[error("wanted NAME=SIZE or NAME=MIN..MAX, such as batch=1 or seq=1..512, found `{0}`")]
    Part(String),
    /// A range that holds nothing, or no sizes.
    #[error("wanted MIN..MAX with 1 <= MIN <= MAX, found `{0}`")]
    Range(String),
    /// A name that comes twice.
    #[error("wanted one size for `{0}`, found two")]
    Twice(String),
}

impl FromStr for Shape {
    type Err = ShapeTextError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut shape = Self::default();
        for part in text.split(',') {
            let malformed = || ShapeTextError::Part(part.into());
            let (name, size) = part.split_once('=').ok_or_else(malformed)?;
            let number = |text: &str| text.trim().parse::<i64>().map_err(|_| malformed());
            let name = name.trim();
            if name.is_empty() {
                return Err(malformed());
            }
            let symbol = Symbol::new(name);
            if shape.sizes.contains_key(&symbol) || shape.ranges.contains_key(&symbol) {
                return Err(ShapeTextError::Twice(name.into()));
            }
            if let Some((min, max)) = size.split_once("..") {
                let (min, max) = (number(min)?, number(max)?);
                if min < 1 || min > max {
                    return Err(ShapeTextError::Range(part.into()));
                }
                shape.ranges.insert(symbol, Bounds { min, max });
            } else {
                shape.sizes.insert(symbol, number(size)?);
            }
        }
        Ok(shape)
    }
}

/// `batch=1,seq=128`
pub fn spell(sizes: &Sizes) -> String {
    let each = sizes.iter().map(|(s, n)| format!("{}={n}", s.name()));
    each.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_parsed_and_spelled() {
        let text = "batch=1,seq=-128";
        assert_eq!(spell(&text.parse::<Shape>().unwrap().sizes), text);
        let both: Shape = "batch=2,seq=1..512".parse().unwrap();
        let bounds = Bounds { min: 1, max: 512 };
        assert_eq!(both.ranges, BTreeMap::from([(Symbol::new("seq"), bounds)]));
        assert_eq!(spell(&both.sizes), "batch=2");
        for bad in [
            "",
            "batch",
            "batch=",
            "=1",
            "batch=x",
            "batch=1,",
            "seq=1,seq=2",
            "seq=1,seq=1..2",
            "seq=2..1",
            "seq=0..4",
            "seq=1..",
        ] {
            assert!(bad.parse::<Shape>().is_err(), "{bad}");
        }
    }
}
