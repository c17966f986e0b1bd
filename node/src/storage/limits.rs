//! Limits of storage in one place.

/// Decoded log entries kept in memory: apply and every follower read the newest ones again.
pub const LOG_TAIL_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Log bytes that wait for the disk; beyond it appends wait.
pub const LOG_QUEUE_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Most bytes of entries given to one replication message or one chunk of apply, if that is more than one entry.
pub const LOG_READ_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Read-ahead of long scans.
pub const SCAN_READ_AHEAD_BYTES: usize = 2 * 1024 * 1024;
/// Largest piece of a checkpoint file that is read, sent or hashed at once.
pub const CHECKPOINT_CHUNK_BYTES: usize = 1024 * 1024;
/// Bytes that stay free on the disk when space for a checkpoint is reserved.
pub const DISK_RESERVE_BYTES: u64 = 64 * 1024 * 1024;
/// Longest life of a reader's view, in milliseconds: after an install the old database is closed under older ones.
pub const VIEW_LIFE_MS: u64 = 30_000;
