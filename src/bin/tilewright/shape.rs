//! Sizes on the command line.

use std::str::FromStr;

use ir::{Sizes, Symbol};

/// Sizes of some of a model's symbols: `batch=1,seq=128`. Whether the model has and allows them is for it to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape(pub Sizes);

/// Text that spells no sizes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShapeTextError {
    /// A part that is no name and number.
    #[error("wanted NAME=SIZE, such as batch=1, found `{0}`")]
    Part(String),
    /// A name that comes twice.
    #[error("wanted one size for `{0}`, found two")]
    Twice(String),
}

impl FromStr for Shape {
    type Err = ShapeTextError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut sizes = Sizes::new();
        for part in text.split(',') {
            let malformed = || ShapeTextError::Part(part.into());
            let (name, size) = part.split_once('=').ok_or_else(malformed)?;
            let size: i64 = size.trim().parse().map_err(|_| malformed())?;
            let name = name.trim();
            if name.is_empty() {
                return Err(malformed());
            }
            if sizes.insert(Symbol::new(name), size).is_some() {
                return Err(ShapeTextError::Twice(name.into()));
            }
        }
        Ok(Self(sizes))
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
        assert_eq!(spell(&text.parse::<Shape>().unwrap().0), text);
        for bad in [
            "",
            "batch",
            "batch=",
            "=1",
            "batch=x",
            "batch=1,",
            "seq=1,seq=2",
        ] {
            assert!(bad.parse::<Shape>().is_err(), "{bad}");
        }
    }
}
