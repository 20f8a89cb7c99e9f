//! Messages between parent and child: a length of 8 bytes, little endian, then as many bytes of JSON.

use std::io::{self, Read, Write};

use ir::Bytes;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{Job, Outcome, Stage};

/// No job and no outcome is longer.
const LONGEST: u64 = 1 << 30;

/// What the parent says.
#[derive(Serialize, Deserialize)]
pub(super) struct Request {
    pub job: Job,
    /// Memory that the child may take.
    pub memory: Bytes,
}

/// What the child says: any number of stages, then an outcome.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Message {
    Stage(Stage),
    Done(Outcome),
}

pub(super) fn write(to: &mut impl Write, json: &[u8]) -> io::Result<()> {
    to.write_all(&(json.len() as u64).to_le_bytes())?;
    to.write_all(json)?;
    to.flush()
}

/// The next message; none at the end of the input.
pub(super) fn read<T: DeserializeOwned>(from: &mut impl Read) -> io::Result<Option<T>> {
    let mut length = [0; 8];
    match from.read_exact(&mut length) {
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }
    let length = u64::from_le_bytes(length);
    if length > LONGEST {
        let text = format!("a message of {length} bytes; wanted at most {LONGEST}");
        return Err(io::Error::new(io::ErrorKind::InvalidData, text));
    }
    let mut bytes = Vec::new();
    from.take(length).read_to_end(&mut bytes)?;
    if bytes.len() as u64 != length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(Some(serde_json::from_slice(&bytes)?))
}
