//! Every limit and time of the client in one place.

use std::time::Duration;

/// How long a read may take when the caller names no deadline.
pub const READ_DEADLINE: Duration = Duration::from_secs(5);
/// How long a write may take when the caller names no deadline: long enough to sit out an election.
pub const WRITE_DEADLINE: Duration = Duration::from_secs(15);
/// How long a call of cluster administration may take when the caller names no deadline.
pub const ADMIN_DEADLINE: Duration = Duration::from_secs(60);
/// How much longer than it tells the node the client waits for one attempt: the node's own word on a passed deadline says
/// more than silence.
pub const ATTEMPT_GRACE: Duration = Duration::from_millis(50);
/// The first attempt of a read is given up, and another node asked, after this time; each further attempt gets twice as
/// long.
pub const READ_ATTEMPT: Duration = Duration::from_millis(1000);
/// The same for a write, which waits for a disk of a quorum.
pub const WRITE_ATTEMPT: Duration = Duration::from_millis(2000);
/// A stream that made no progress for this long although it had work is given up.
pub const STREAM_STALL: Duration = Duration::from_secs(60);
/// One connection of a stream that makes no progress for this long is replaced by one to another node.
pub const STREAM_ATTEMPT_STALL: Duration = Duration::from_secs(10);
/// First pause between two attempts; doubles, with jitter, up to [`BACKOFF_MAX`].
pub const BACKOFF_MIN: Duration = Duration::from_millis(25);
/// Longest pause between two attempts that the client chooses itself.
pub const BACKOFF_MAX: Duration = Duration::from_secs(1);
/// Leader hints followed without a pause in one call; after these, hints are followed with back-off.
pub const HINTS_AT_ONCE: u32 = 3;
/// A node that failed is left alone for this long; doubles with each further failure up to [`EJECTION_MAX`].
pub const EJECTION_MIN: Duration = Duration::from_millis(500);
/// Longest time that a node is left alone.
pub const EJECTION_MAX: Duration = Duration::from_secs(10);
/// How often the topology is asked for when nothing has failed.
pub const TOPOLOGY_INTERVAL: Duration = Duration::from_secs(5);
/// Shortest time between two rounds of asking for the topology.
pub const TOPOLOGY_INTERVAL_MIN: Duration = Duration::from_millis(100);
/// How long one node may take to answer for the topology.
pub const TOPOLOGY_ATTEMPT: Duration = Duration::from_millis(800);
/// How long a call waits for a first look at the topology before it asks any seed instead.
pub const TOPOLOGY_FIRST_WAIT: Duration = Duration::from_millis(1000);
/// A topology that its leader has not confirmed for this long gives way to what any node of the same term says.
pub const TOPOLOGY_STALE: Duration = Duration::from_secs(15);
/// How long a connection may take to open, handshake included.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// A connection is probed when it has been still for this long.
pub const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(5);
/// A probe that stays unanswered for this long ends the connection.
pub const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(3);
/// Most connections to one node.
pub const CONNECTIONS_PER_NODE_MAX: usize = 32;
/// Bytes that one stream may send unacknowledged: a full import message and its answer never wait for the window.
pub const STREAM_WINDOW_BYTES: u32 = 1024 * 1024;
/// The same for all streams of a connection together.
pub const CONNECTION_WINDOW_BYTES: u32 = 8 * 1024 * 1024;
/// Largest message that the client takes: a full page of records.
pub const MESSAGE_BYTES_MAX: usize = 64 * 1024 * 1024;
/// The cluster keeps the answers of a session's newest 4096 requests; a new request waits while the oldest unanswered
/// one is this far behind, so that a slow retry never falls out of that window.
pub const REQUEST_WINDOW: u64 = 3072;
/// Lines of an import sent and not yet answered, at most.
pub const IMPORT_WINDOW_LINES: usize = 2048;
/// Lines in one message of an import, at most.
pub const IMPORT_MESSAGE_LINES: usize = 128;
/// Bytes of one message of an import after which it is sent, whatever its number of lines.
pub const IMPORT_MESSAGE_BYTES: usize = 512 * 1024;
/// Queries of a batch search sent and not yet answered, at most.
pub const BATCH_WINDOW_QUERIES: usize = 512;
/// Queries in one message of a batch search, at most (the node takes 100).
pub const BATCH_MESSAGE_QUERIES: usize = 50;
/// Bytes of one chunk of an attachment.
pub const ATTACHMENT_CHUNK_BYTES: usize = 256 * 1024;
/// Largest attachment that the store takes, and that is read into memory.
pub const ATTACHMENT_BYTES_MAX: usize = 16 * 1024 * 1024;
