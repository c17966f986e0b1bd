//! The limits of the node's services that nobody may set. Those that an operator may set stand, with their defaults, in
//! `alert_cluster_config::node::LimitsSection`; the core's own (records, entries, queries) are in `alert_core::limits`.

use std::time::Duration;

/// Deadline of a call that names none.
pub const CALL_DEADLINE_DEFAULT: Duration = Duration::from_secs(10);
/// Longest deadline of an operator's call and of one that another node sends on; of others the configuration says it.
pub const CALL_DEADLINE_MAX: Duration = Duration::from_secs(300);
/// Largest message in either direction, in bytes.
pub const MESSAGE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Records of one answer message stop at this many bytes, to stay below [`MESSAGE_BYTES_MAX`].
pub const ANSWER_BYTES_MAX: usize = 2 * 1024 * 1024;
/// HTTP/2 receive window of a connection, in bytes.
pub const CONNECTION_WINDOW_BYTES: u32 = 4 * 1024 * 1024;
/// HTTP/2 receive window of a call, in bytes.
pub const STREAM_WINDOW_BYTES: u32 = 1024 * 1024;
/// How often a quiet connection is pinged.
pub const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(20);
/// How long a ping may take before the connection is closed.
pub const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long calls under way may go on after the node was told to stop.
pub const SHUTDOWN_GRACE: Duration = Duration::from_secs(10);

/// Loosest bound of a bounded read.
pub const BOUND_MAX: Duration = Duration::from_secs(3600);
/// What was cancelled, suspended or ended is served no longer than this after its acknowledgement. No answer under this
/// promise leaves the node when the state behind it is older, and a node that cannot prove its state younger serves no
/// partner.
pub const SERVED_STALENESS_MAX: Duration = Duration::from_secs(1);

/// Callers and agreements whose calls are counted.
pub const QUOTAS_KEPT_MAX: usize = 65_536;
/// Shortest time that a refused caller is told to wait.
pub const RETRY_AFTER_MIN: Duration = Duration::from_millis(20);
/// Longest time that a node with too much to do tells a caller to wait.
pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(5);

/// What takes a while (pages of an export, stretches of the feed) begins from a state proven younger than this.
pub const WORK_STALENESS_MAX: Duration = Duration::from_millis(500);

/// While there is no leader, a held change looks again at least this often.
pub const LEADER_POLL: Duration = Duration::from_millis(50);
/// A call gives up this long before its caller does, so that its typed error still arrives.
pub const ANSWER_MARGIN: Duration = Duration::from_millis(20);

/// Longest text of a field of the call's context, in bytes.
pub const CONTEXT_TEXT_BYTES_MAX: usize = 1024;

/// Records of a page whose size is not given.
pub const PAGE_RECORDS_DEFAULT: usize = 100;
/// A page that is not full after this long is given as it is, with the token to go on. Well below
/// [`SERVED_STALENESS_MAX`]: what is found first is not yet old when the page leaves.
pub const PAGE_SCAN_TIME_MAX: Duration = Duration::from_millis(400);
/// Entries looked at between two checks of the time and of the caller's presence.
pub const SCAN_ENTRIES_PER_CHECK: usize = 512;

/// Most lines in one message of an import.
pub const IMPORT_LINES_PER_MESSAGE_MAX: usize = 1000;
/// Most lines of one message of an import that wait for their answers at once.
pub const IMPORT_LINES_IN_FLIGHT: usize = 256;
/// Most messages of an import that are worked on at once; more wait in the connection's window.
pub const IMPORT_MESSAGES_IN_FLIGHT: usize = 4;
/// Records in one message of an export.
pub const EXPORT_RECORDS_PER_MESSAGE: usize = 250;
/// Queries of a batch that are answered in one turn.
pub const BATCH_SLICE_QUERIES: usize = 16;
/// Most messages of a batch search that are worked on at once.
pub const BATCH_MESSAGES_IN_FLIGHT: usize = 4;
/// Changes looked at for one message of a watch.
pub const WATCH_CHANGES_PER_MESSAGE: usize = 250;
/// A watch without events says how far it is at least this often.
pub const WATCH_PROGRESS_INTERVAL: Duration = Duration::from_secs(2);

/// Audit records that may wait to become durable.
pub const AUDIT_QUEUE_RECORDS_MAX: usize = 65_536;
/// Audit records that share one write and one fsync.
pub const AUDIT_GROUP_RECORDS_MAX: usize = 1024;
/// Size at which the next audit file is begun, in bytes.
pub const AUDIT_FILE_BYTES: u64 = 64 * 1024 * 1024;
/// Questions of which the attempts are counted.
pub const AUDIT_RECENT_QUESTIONS: usize = 65_536;
/// The head of the audit log goes through Raft at most so often.
pub const AUDIT_ANCHOR_INTERVAL: Duration = Duration::from_secs(15);
/// Attempts of one question that are further apart count as two questions when the log is read.
pub const AUDIT_ATTEMPTS_WITHIN: Duration = Duration::from_secs(600);
