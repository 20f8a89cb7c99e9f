//! The first 128 bytes of an artifact, and the 48 that precede its evidence.

use super::Problem;

/// What every artifact starts with.
pub(super) const MAGIC: [u8; 8] = *b"TILEWRT\0";
/// The version of the format that this program reads and writes.
pub(super) const VERSION: u32 = 4;
/// Where the evidence starts, at the end of the part that is reproducible.
const EVIDENCE_MAGIC: [u8; 8] = *b"TWEVIDNC";

/// The fixed start of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// Where the manifest starts.
    pub manifest_offset: u64,
    /// Its length.
    pub manifest_len: u64,
    /// Where the evidence block starts; all before it is reproducible.
    pub body_len: u64,
    /// Hash of the manifest, which holds the sections' hashes.
    pub manifest_hash: [u8; 32],
}

impl Header {
    /// Length in the file.
    pub const LEN: usize = 128;

    pub fn encode(&self) -> [u8; Self::LEN] {
        let mut out = [0; Self::LEN];
        out[..8].copy_from_slice(&MAGIC);
        out[8..12].copy_from_slice(&VERSION.to_le_bytes());
        out[16..24].copy_from_slice(&self.manifest_offset.to_le_bytes());
        out[24..32].copy_from_slice(&self.manifest_len.to_le_bytes());
        out[32..40].copy_from_slice(&self.body_len.to_le_bytes());
        out[64..96].copy_from_slice(&self.manifest_hash);
        let hash = *blake3::hash(&out[..96]).as_bytes();
        out[96..].copy_from_slice(&hash);
        out
    }

    /// Reads the start of a file; the numbers are as they were written, and not yet held against its length.
    pub fn decode(file: &[u8]) -> Result<Self, Problem> {
        if file.len() < 8 || file[..8] != MAGIC {
            let found = file[..file.len().min(8)].to_vec();
            let cut = !found.is_empty() && MAGIC.starts_with(&found);
            return Err(if cut {
                truncated("the header", Self::LEN, file)
            } else {
                Problem::Magic { found }
            });
        }
        if file.len() < Self::LEN {
            return Err(truncated("the header", Self::LEN, file));
        }
        let version = u32::from_le_bytes(field(file, 8));
        if version != VERSION {
            return Err(Problem::Version {
                found: version,
                wanted: VERSION,
            });
        }
        if blake3::hash(&file[..96]).as_bytes() != &file[96..Self::LEN] {
            return Err(Problem::Checksum {
                part: "the header".into(),
            });
        }
        Ok(Self {
            manifest_offset: u64::from_le_bytes(field(file, 16)),
            manifest_len: u64::from_le_bytes(field(file, 24)),
            body_len: u64::from_le_bytes(field(file, 32)),
            manifest_hash: field(file, 64),
        })
    }
}

/// Length of what precedes the records of the evidence.
pub(super) const EVIDENCE_HEAD: usize = 48;

/// The block of evidence that ends a file.
pub(super) fn encode_evidence(records: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(EVIDENCE_HEAD + records.len());
    out.extend(EVIDENCE_MAGIC);
    out.extend((records.len() as u64).to_le_bytes());
    out.extend(blake3::hash(records).as_bytes());
    out.extend(records);
    out
}

/// The records in the block that starts at `body_len`, which is at most the length of the file.
pub(super) fn decode_evidence(file: &[u8], body_len: usize) -> Result<&[u8], Problem> {
    let block = &file[body_len..];
    if block.len() < EVIDENCE_HEAD {
        return Err(truncated("the evidence", body_len + EVIDENCE_HEAD, file));
    }
    let damaged = || Problem::Checksum {
        part: "the evidence".into(),
    };
    if block[..8] != EVIDENCE_MAGIC {
        return Err(damaged());
    }
    let len = u64::from_le_bytes(field(block, 8));
    let end = (body_len as u64 + EVIDENCE_HEAD as u64).saturating_add(len);
    let found = file.len() as u64;
    if end > found {
        return Err(Problem::Truncated {
            part: "the evidence".into(),
            wanted: end,
            found,
        });
    }
    if end < found {
        return Err(Problem::Trailing { wanted: end, found });
    }
    let records = &block[EVIDENCE_HEAD..];
    if blake3::hash(records).as_bytes() != &block[16..EVIDENCE_HEAD] {
        return Err(damaged());
    }
    Ok(records)
}

fn truncated(part: &str, wanted: usize, file: &[u8]) -> Problem {
    Problem::Truncated {
        part: part.into(),
        wanted: wanted as u64,
        found: file.len() as u64,
    }
}

fn field<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes[at..at + N].try_into().expect("the slice has N bytes")
}
