//! Limits of consensus in one place. Those of the record, the entry and the command are in `alert_core::limits`.

use std::time::Duration;

/// Largest message between nodes, in bytes. Must hold what the log store hands out for one message (2 MiB, or one
/// entry) with room for its frame; tonic's own default of 4 MiB would wedge a follower for ever.
pub const RAFT_MESSAGE_BYTES_MAX: usize = 8 << 20;
/// Bytes that may be under way on one stream of a connection between nodes.
pub const STREAM_WINDOW_BYTES: u32 = 16 << 20;
/// Bytes that may be under way on one connection between nodes.
pub const CONNECTION_WINDOW_BYTES: u32 = 32 << 20;
/// Most calls under way at once on one connection between nodes.
pub const CONNECTION_STREAMS_MAX: u32 = 4096;
/// Append requests that are under way to one follower before the next waits for a reply.
pub const APPEND_WINDOW: usize = 16;
/// Append requests of one connection that a follower works on at once.
pub const APPEND_WORK_WINDOW: usize = 64;
/// Waits between attempts to connect to a peer: doubling from the first to the second.
pub const DIAL_PAUSE: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(500));
/// Entries that one write to the state holds at most.
pub const APPLY_CHUNK_ENTRIES: usize = 256;
/// Bytes of batches that one write to the state holds at most.
pub const APPLY_CHUNK_BYTES: usize = 4 << 20;
/// Chunks of a snapshot that wait between the disk and the connection.
pub const SNAPSHOT_CHUNKS_QUEUED: usize = 4;
/// How long the leader tries to put the head of another node's audit log through the log.
pub const ANCHOR_PATIENCE: Duration = Duration::from_secs(5);
/// For a cluster to be formed: the first election, and the founding of the store after it.
pub const FORM_PATIENCE: Duration = Duration::from_secs(30);
