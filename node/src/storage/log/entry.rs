//! A log entry on disk.
//!
//! Key: the index, 8 bytes, big endian. Value:
//!
//! | bytes | what |
//! |---|---|
//! | 1 | format: 1 |
//! | 4 | CRC32C, little endian, over index and all that follows |
//! | 4 | the previous entry's CRC, little endian; 0 where there is none |
//! | 8 | term, little endian |
//! | 1 | kind: 0 blank, 1 batch, 2 membership |
//! | rest | the batch's bytes as the leader made them, or an encoded membership |
//!
//! The CRC covers the index, so an entry under another's key is damage; the previous one's CRC chains the entries, so
//! that a log put together from two histories is damage too.

use alert_core::{codec, state::command::Batch};
use bytes::Bytes;
use openraft::EntryPayload;
use thiserror::Error;

use crate::{
    raft::types::{EncodedBatch, Entry, log_id},
    storage::records::MembershipRecord,
};

const FORMAT: u8 = 1;
/// Bytes before the body.
pub const HEADER_BYTES: usize = 1 + 4 + 4 + 8 + 1;

const BLANK: u8 = 0;
const BATCH: u8 = 1;
const MEMBERSHIP: u8 = 2;

/// Why stored bytes are no log entry.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EntryError {
    /// Fewer bytes than a header has.
    #[error("only {0} bytes")]
    Short(usize),
    /// Written by another version.
    #[error("unknown format {0}")]
    Format(u8),
    /// The bytes are not those that were written under this index.
    #[error("its checksum does not match")]
    Checksum,
    /// The entry before is not the one that this was written after.
    #[error("it does not follow the entry before it")]
    Chain,
    /// The body does not decode.
    #[error("its content does not decode: {0}")]
    Content(String),
}

/// When an entry was proposed, milliseconds since 1970, where it says so.
pub fn proposed_at_ms(entry: &Entry) -> Option<u64> {
    match &entry.payload {
        EntryPayload::Normal(EncodedBatch(batch)) => Batch::proposed_at_ms_of(batch),
        EntryPayload::Blank | EntryPayload::Membership(_) => None,
    }
}

/// The key of an index.
pub fn key(index: u64) -> [u8; 8] {
    index.to_be_bytes()
}

/// The index of a key.
pub fn index_of(key: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(key.try_into().ok()?))
}

/// Encodes an entry that follows the one with `previous_crc`. Gives back the bytes and the entry's own CRC.
pub fn encode(entry: &Entry, previous_crc: u32) -> (Vec<u8>, u32) {
    let membership;
    let (kind, body): (u8, &[u8]) = match &entry.payload {
        EntryPayload::Blank => (BLANK, &[]),
        EntryPayload::Normal(EncodedBatch(bytes)) => (BATCH, bytes),
        EntryPayload::Membership(members) => {
            membership = codec::encode(&MembershipRecord::from(members));
            (MEMBERSHIP, &membership)
        }
    };
    let mut bytes = Vec::with_capacity(HEADER_BYTES + body.len());
    bytes.push(FORMAT);
    bytes.extend_from_slice(&[0; 4]);
    bytes.extend_from_slice(&previous_crc.to_le_bytes());
    bytes.extend_from_slice(&entry.log_id.leader_id.term.to_le_bytes());
    bytes.push(kind);
    bytes.extend_from_slice(body);
    let crc = checksum(entry.log_id.index, &bytes);
    bytes[1..5].copy_from_slice(&crc.to_le_bytes());
    (bytes, crc)
}

/// A decoded entry with its links.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    pub entry: Entry,
    pub crc: u32,
    pub previous_crc: u32,
}

/// Decodes what is stored under `index`.
pub fn decode(index: u64, bytes: &[u8]) -> Result<Stored, EntryError> {
    if bytes.len() < HEADER_BYTES {
        return Err(EntryError::Short(bytes.len()));
    }
    if bytes[0] != FORMAT {
        return Err(EntryError::Format(bytes[0]));
    }
    let number = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
    let crc = number(1);
    if checksum(index, bytes) != crc {
        return Err(EntryError::Checksum);
    }
    let term = u64::from_le_bytes(bytes[9..17].try_into().expect("eight bytes"));
    let body = &bytes[HEADER_BYTES..];
    let content = |error: codec::CodecError| EntryError::Content(error.to_string());
    let payload = match bytes[17] {
        BLANK => EntryPayload::Blank,
        BATCH => EntryPayload::Normal(EncodedBatch(Bytes::copy_from_slice(body))),
        MEMBERSHIP => {
            let record: MembershipRecord = codec::decode(body).map_err(content)?;
            EntryPayload::Membership(record.try_into().map_err(content)?)
        }
        kind => return Err(EntryError::Content(format!("unknown kind {kind}"))),
    };
    Ok(Stored { entry: Entry { log_id: log_id(term, index), payload }, crc, previous_crc: number(5) })
}

/// Over the index and all that follows the CRC's own place.
fn checksum(index: u64, bytes: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&index.to_be_bytes()), &bytes[5..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::records::tests::membership;

    fn batch(term: u64, index: u64, body: &'static [u8]) -> Entry {
        Entry { log_id: log_id(term, index), payload: EntryPayload::Normal(EncodedBatch(Bytes::from_static(body))) }
    }

    #[test]
    fn bytes_of_an_entry_on_disk_do_not_change() {
        let (bytes, crc) = encode(&batch(3, 7, b"abc"), 0x0403_0201);
        assert_eq!(bytes[0], 1);
        assert_eq!(bytes[1..5], crc.to_le_bytes());
        assert_eq!(bytes[5..], *b"\x01\x02\x03\x04\x03\0\0\0\0\0\0\0\x01abc");
        assert_eq!(crc, 0xc401_2c05, "{crc:#x}");
        assert_eq!(key(258), [0, 0, 0, 0, 0, 0, 1, 2]);
        assert_eq!(index_of(&key(258)), Some(258));
    }

    #[test]
    fn every_kind_of_entry_comes_back_as_it_went() {
        for payload in [
            EntryPayload::Blank,
            EntryPayload::Normal(EncodedBatch(Bytes::from_static(b"x"))),
            EntryPayload::Membership(membership()),
        ] {
            let entry = Entry { log_id: log_id(5, 9), payload };
            let (bytes, crc) = encode(&entry, 77);
            assert_eq!(decode(9, &bytes), Ok(Stored { entry, crc, previous_crc: 77 }));
        }
    }

    #[test]
    fn every_single_flipped_bit_is_noticed() {
        let (bytes, _) = encode(&batch(3, 7, b"some content"), 1);
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(decode(7, &flipped).is_err(), "bit {bit}");
        }
        assert_eq!(decode(8, &bytes), Err(EntryError::Checksum), "an entry under another's key");
        assert_eq!(decode(7, &bytes[..10]), Err(EntryError::Short(10)));
        assert_eq!(decode(7, &bytes[..HEADER_BYTES + 2]), Err(EntryError::Checksum));
    }
}
