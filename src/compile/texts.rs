//! Many texts in one section.

use runtime::{
    WriteError, Writer,
    manifest::{SectionKind, TextRef},
};

/// Writes texts into a section of this name, side by side.
pub(super) fn write_texts(
    writer: &mut Writer,
    name: &str,
    texts: impl Iterator<Item = Vec<u8>>,
) -> Result<Vec<TextRef>, WriteError> {
    let mut bytes = Vec::new();
    let mut pieces: Vec<(u64, u64)> = Vec::new();
    for text in texts {
        pieces.push((bytes.len() as u64, text.len() as u64));
        bytes.extend(text);
    }
    let section = writer.section(name, SectionKind::Text, |w| w.write_all(&bytes))?;
    let place = |(offset, len)| TextRef {
        section,
        offset,
        len,
    };
    Ok(pieces.into_iter().map(place).collect())
}
