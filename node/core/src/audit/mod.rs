//! The audit log's format: a chain of hashes in which no record can be altered, left out or moved unseen.
//!
//! A frame is `[length: u32 little endian][record: protobuf][seal: first 16 bytes of BLAKE3(record)]`. Each record holds
//! its sequence number and the full BLAKE3 hash of the record before it; the first holds [`Chain::first_link`], which
//! names the log's own node. Files are named by the sequence of their first record and follow on without a break.
//!
//! What a chain cannot show by itself is that its end is missing: that is what the heads anchored through Raft are for.

mod attempts;
mod chain;
mod verify;

pub use attempts::{Question, merge_attempts};
pub use chain::{Chain, Frame, FrameError, read_frame};
use serde::{Deserialize, Serialize};
pub use verify::{End, Fault, Report, Verifier};

/// Where a log ended at some time, as the cluster remembers it: no node can alter it alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anchor {
    /// Of the log's last record then.
    pub sequence: u64,
    /// BLAKE3 of that record.
    pub head: [u8; 32],
    /// Replicated time, milliseconds since 1970.
    pub at_ms: u64,
}

/// Largest record, in bytes. Longer questions are refused long before.
pub const RECORD_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Name of the file whose first record has this sequence.
pub fn file_name(first_sequence: u64) -> String {
    format!("audit-{first_sequence:020}.log")
}

/// The sequence in a file's name; `None` for other files.
pub fn first_sequence(file_name: &str) -> Option<u64> {
    file_name.strip_prefix("audit-")?.strip_suffix(".log")?.parse().ok()
}
