//! Writing and reading single frames.

use prost::Message;
use thiserror::Error;

use super::RECORD_BYTES_MAX;
use crate::pb;

const LENGTH_BYTES: usize = 4;
const SEAL_BYTES: usize = 16;

/// The end of a log: what its next record has to follow on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// Sequence of the next record; the first is 1.
    pub next_sequence: u64,
    /// Hash of the last record.
    pub head: [u8; 32],
}

/// One record as it lies in a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// The record.
    pub record: pb::AuditRecord,
    /// BLAKE3 of the record's bytes.
    pub hash: [u8; 32],
    /// Bytes of the whole frame.
    pub length: usize,
}

/// Why bytes are no frame.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FrameError {
    /// The bytes end before the frame does: the end of a file that was being written.
    #[error("the record is cut short")]
    Short,
    /// The seal does not fit the record.
    #[error("the record was altered: its seal does not fit")]
    Seal,
    /// The record does not decode.
    #[error("the record does not decode")]
    Malformed,
}

impl Chain {
    /// An empty log of the node that is known as `node` in cluster `cluster`.
    pub fn new(cluster: &str, node: &str) -> Self {
        Self { next_sequence: 1, head: Self::first_link(cluster, node) }
    }

    /// What the first record of a log follows on.
    pub fn first_link(cluster: &str, node: &str) -> [u8; 32] {
        *blake3::hash(format!("alert store audit log\n{cluster}\n{node}").as_bytes()).as_bytes()
    }

    /// Gives `record` its place in the chain and appends its frame to `out`.
    pub fn append(&mut self, record: &mut pb::AuditRecord, out: &mut Vec<u8>) {
        record.sequence = self.next_sequence;
        record.previous_hash = self.head.to_vec();
        let bytes = record.encode_to_vec();
        let hash = blake3::hash(&bytes);
        out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
        out.extend_from_slice(&bytes);
        out.extend_from_slice(&hash.as_bytes()[..SEAL_BYTES]);
        self.next_sequence += 1;
        self.head = *hash.as_bytes();
    }

    /// Goes on past a frame that was read; false when it does not follow on this chain.
    pub fn follow(&mut self, frame: &Frame) -> bool {
        let follows = frame.record.sequence == self.next_sequence && frame.record.previous_hash == self.head;
        self.next_sequence = frame.record.sequence + 1;
        self.head = frame.hash;
        follows
    }
}

/// The frame at the front of `bytes`.
pub fn read_frame(bytes: &[u8]) -> Result<Frame, FrameError> {
    let (length, rest) = bytes.split_first_chunk::<LENGTH_BYTES>().ok_or(FrameError::Short)?;
    let length = u32::from_le_bytes(*length) as usize;
    if length == 0 || length > RECORD_BYTES_MAX {
        return Err(FrameError::Malformed);
    }
    if rest.len() < length + SEAL_BYTES {
        return Err(FrameError::Short);
    }
    let (record, seal) = (&rest[..length], &rest[length..length + SEAL_BYTES]);
    let hash = blake3::hash(record);
    if &hash.as_bytes()[..SEAL_BYTES] != seal {
        return Err(FrameError::Seal);
    }
    let record = pb::AuditRecord::decode(record).map_err(|_| FrameError::Malformed)?;
    Ok(Frame { record, hash: *hash.as_bytes(), length: LENGTH_BYTES + length + SEAL_BYTES })
}
