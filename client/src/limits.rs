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
/// The first attempt of a read is given up, and another node asked, after this time or a third of the call's, whichever
/// is sooner; each further attempt gets twice as long.
pub const READ_ATTEMPT: Duration = Duration::from_millis(1000);
/// The same for a write, which waits for a disk of a quorum.
pub const WRITE_ATTEMPT: Duration = Duration::from_millis(2000);
/// A write under way at a node of which another has taken the lead may still be answered within this time; then it is
/// repeated at the new leader.
pub const LEADER_MOVED_GRACE: Duration = Duration::from_millis(200);
/// Retries of calls that a node may have worked on, as a share of the calls made. Beyond it they wait for their turn,
/// until their deadline.
pub const RETRIES_PER_CALL: f64 = 0.2;
/// Retries a second that are always allowed, for clients that call seldom.
pub const RETRIES_PER_SECOND: f64 = 10.0;
/// Retries saved up, at most.
pub const RETRIES_SAVED_MAX: f64 = 100.0;
/// A retry without budget looks again after this time.
pub const RETRY_BUDGET_POLL: Duration = Duration::from_millis(100);
/// Hedges, as a share of the reads made.
pub const HEDGES_PER_READ: f64 = 0.1;
/// Hedges a second that are always allowed.
pub const HEDGES_PER_SECOND: f64 = 1.0;
/// Hedges saved up, at most.
pub const HEDGES_SAVED_MAX: f64 = 20.0;
/// A read is asked of a second node when the first has not answered by this quantile of the method's latencies...
pub const HEDGE_QUANTILE: f64 = 0.95;
/// ... or by this many medians, whichever is sooner.
pub const HEDGE_MEDIANS_MAX: u32 = 4;
/// ... but not sooner than this.
pub const HEDGE_AFTER_MIN: Duration = Duration::from_millis(1);
/// ... and not later than this.
pub const HEDGE_AFTER_MAX: Duration = Duration::from_millis(500);
/// When a method's latencies are not known yet, its reads are hedged after this time.
pub const HEDGE_AFTER_UNKNOWN: Duration = Duration::from_millis(100);
/// Calls of a method that tell its latency.
pub const LATENCY_SAMPLES_MIN: u32 = 20;
/// When so many were counted, the older half of their weight is dropped.
pub const LATENCY_SAMPLES_MAX: u32 = 1024;
/// Weight of one answer in a node's pace.
pub const PACE_WEIGHT: f64 = 0.2;
/// Half of what is known of a node's pace is forgotten after this time without an answer.
pub const PACE_HALF_LIFE: Duration = Duration::from_secs(5);
/// A node so many times slower than the others is out of favour...
pub const SLOW_FACTOR: f64 = 5.0;
/// ... if its answers also take at least this long.
pub const SLOW_LATENCY_MIN: Duration = Duration::from_millis(5);
/// An attempt that a hedge overtook counts as at least so many times slower than usual: nobody knows how long it would have
/// taken.
pub const OVERTAKEN_RATIO: f64 = 10.0;
/// The most that a node's pace adds to the cost of asking it; less than [`LEADER_COST`].
pub const PACE_COST_MAX: f64 = 1.9;
/// The leader has the writes to do: it is read from when the others have this many times more to do.
pub const LEADER_COST: f64 = 2.0;
/// A stream that made no progress for this long although it had work is given up.
pub const STREAM_STALL: Duration = Duration::from_secs(60);
/// One connection of a stream that makes no progress for this long is replaced by one to another node.
pub const STREAM_ATTEMPT_STALL: Duration = Duration::from_secs(10);
/// A feed without changes says every 2 s that there are none. One that is silent for this long is replaced by one to
/// another node, also when its node answers everything else.
pub const WATCH_SILENCE_MAX: Duration = Duration::from_secs(10);
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
/// A call that tries a node whose time out of favour is over has it for itself this long.
pub const TRIAL: Duration = Duration::from_secs(1);
/// While calls are made, a node that has said nothing for this long is asked for a sign of life.
pub const LOOK_INTERVAL: Duration = Duration::from_millis(200);
/// A node that gives none within this time is out of favour.
pub const LOOK_TIMEOUT: Duration = Duration::from_millis(400);
/// Signs of life missed in a row until the calls under way at the node are given up and repeated elsewhere.
pub const MISSES_UNTIL_LOST: u32 = 2;
/// Nodes are looked after closely until so long after the last call.
pub const BUSY_FOR: Duration = Duration::from_secs(2);
/// A node whose state is older than this, by its own word, is not read from while another will do.
pub const STALENESS_MAX: Duration = Duration::from_secs(1);
/// How often certificate files are looked at.
pub const CERTIFICATE_INTERVAL: Duration = Duration::from_secs(60);
/// How often the topology is asked for when nothing has failed.
pub const TOPOLOGY_INTERVAL: Duration = Duration::from_secs(5);
/// Shortest time between two rounds of asking for the topology.
pub const TOPOLOGY_INTERVAL_MIN: Duration = Duration::from_millis(100);
/// How long a call waits for a first look at the topology before it asks any seed instead.
pub const TOPOLOGY_FIRST_WAIT: Duration = Duration::from_millis(1000);
/// A topology that its leader has not confirmed for this long gives way to what any node of the same term says.
pub const TOPOLOGY_STALE: Duration = Duration::from_secs(15);
/// How long a connection may take to open, handshake included.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
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
