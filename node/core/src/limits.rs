//! Every limit of the core in one place. Node limits (queues, streams, connections) are in `alert-node`'s `limits`.

/// Largest record, in bytes of its encoded sections.
pub const RECORD_BYTES_MAX: usize = 256 * 1024;
/// Largest log entry, in bytes.
pub const ENTRY_BYTES_MAX: usize = 1024 * 1024;
/// Most commands in one log entry.
pub const ENTRY_COMMANDS_MAX: usize = 256;
/// Most identities of one alert.
pub const IDENTITIES_MAX: usize = 64;
/// Most name forms of one identity.
pub const NAME_FORMS_MAX: usize = 32;
/// Most parts of one name form.
pub const NAME_PARTS_MAX: usize = 16;
/// Longest single text of a name part, number or code, in bytes.
pub const SHORT_TEXT_BYTES_MAX: usize = 256;
/// Longest free text, in bytes.
pub const LONG_TEXT_BYTES_MAX: usize = 16 * 1024;
/// Most objects of one alert.
pub const OBJECTS_MAX: usize = 256;
/// Most documents of one identity.
pub const DOCUMENTS_MAX: usize = 64;
/// Most entries of any other list of a record or request.
pub const LIST_ITEMS_MAX: usize = 128;
/// Most faults told of one message; the rest would only repeat them.
pub const FAULTS_MAX: usize = 256;
/// Longest code value, party code or field path, in bytes.
pub const CODE_BYTES_MAX: usize = 64;
/// Most restrictions of one alert, lifted ones included.
pub const RESTRICTIONS_MAX: usize = 128;
/// Most extensions of one alert.
pub const EXTENSIONS_MAX: usize = 128;
/// Most attachments of one alert.
pub const ATTACHMENTS_MAX: usize = 64;
/// Largest attachment, in bytes. It goes through the log like everything else, in chunks.
pub const ATTACHMENT_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Most bytes of all attachments of one alert.
pub const ATTACHMENTS_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Bytes of a chunk of an attachment; only its last chunk is shorter. Two fit into a log entry.
pub const ATTACHMENT_CHUNK_BYTES: usize = 480 * 1024;
/// Largest page of a list, in records.
pub const PAGE_RECORDS_MAX: usize = 1000;
/// Request ids kept per session: the newest this many at least, and at most [`REQUESTS_CLOSED_AT_ONCE`] more.
pub const REQUESTS_PER_SESSION: u64 = 4096;
/// Request ids of a session that are dropped together.
pub const REQUESTS_CLOSED_AT_ONCE: u64 = 128;
/// How long a request id is kept, in milliseconds of replicated time.
pub const REQUEST_TTL_MS: u64 = 60 * 60 * 1000;
/// How long it is remembered which ids of a silent session are closed, in milliseconds of replicated time. Far longer than
/// any caller repeats a request; after it nothing is known of the session any more.
pub const REQUEST_SESSION_TTL_MS: u64 = 30 * 24 * 60 * 60 * 1000;
/// Most due items (expiry, activation, lapse of a restriction) handled by one command.
pub const DUE_ITEMS_PER_COMMAND: usize = 256;
/// Longest query text of a search, in bytes.
pub const QUERY_TEXT_BYTES_MAX: usize = 1024;
/// Most name tokens of a query that are searched.
pub const QUERY_TOKENS_MAX: usize = 12;
/// Most queries in one message of a batch search.
pub const BATCH_QUERIES_PER_MESSAGE_MAX: usize = 100;
/// Most alerts that end with one parent.
pub const CHILDREN_MAX: usize = 256;
/// Time to answer a hit that is not urgent, in milliseconds (12 hours: the SIRENE rule).
pub const HIT_ANSWER_MS: u64 = 12 * 60 * 60 * 1000;
/// Most messages about one hit.
pub const HIT_MESSAGES_MAX: usize = 256;
/// Days that a change stays in the feed where the retention rules do not say.
pub const FEED_DAYS_DEFAULT: u32 = 30;
/// Most days that retention rules may keep a change in the feed.
pub const FEED_DAYS_MAX: u32 = 3660;
/// Most feed entries dropped by one command.
pub const FEED_ENTRIES_COMPACTED_AT_ONCE: usize = 4096;
/// Most alerts that one step of building the next index takes: the writer waits for a step.
pub const INDEX_BUILD_ALERTS: usize = 32;
/// A step of building the next index ends after so many bytes of records.
pub const INDEX_BUILD_BYTES: usize = 256 * 1024;
/// Largest version of the normaliser: index keys have two bytes for it.
pub const NORMALISER_VERSION_MAX: u32 = u16::MAX as u32;
/// Records that the searches of one batch keep for each other.
pub const BATCH_RECORDS_KEPT_MAX: usize = 4096;
/// Names of records that the searches of one batch keep for each other.
pub const BATCH_NAMES_KEPT_MAX: usize = 16_384;
/// Most candidates that one search may ask for.
pub const SEARCH_CANDIDATES_MAX: u32 = 1000;
/// Anchors of an audit log are all kept for so many hours, then one of each hour.
pub const AUDIT_ANCHORS_ALL_HOURS: u64 = 24;
/// Anchors are kept as long as the logs: 3 years, and a margin, in milliseconds.
pub const AUDIT_ANCHORS_KEPT_MS: u64 = 4 * 365 * 24 * 60 * 60 * 1000;
