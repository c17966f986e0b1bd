//! What goes through the log: commands, and the answers they get.

use serde::{Deserialize, Serialize};

use crate::{
    alert::{AlertId, Caller, attachment::ContentHash},
    codec,
};

/// One log entry of the store: commands that are applied together, in order, at one replicated time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    /// The leader's proposal for the time, milliseconds since 1970. The stamp is max(previous stamp, this).
    pub proposed_at_ms: u64,
    /// At most `limits::ENTRY_COMMANDS_MAX`.
    pub proposals: Vec<Proposal>,
}

impl Batch {
    /// [`Batch::proposed_at_ms`] of an encoded batch, without decoding the rest.
    pub fn proposed_at_ms_of(encoded: &[u8]) -> Option<u64> {
        codec::decode_prefix(encoded).ok().map(|(proposed_at_ms, _)| proposed_at_ms)
    }
}

/// One command with the caller it is made for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// `None` for the store's own commands (what falls due).
    pub caller: Option<Caller>,
    /// Makes a retry have one effect.
    pub request: Option<RequestKey>,
    /// `Meta::rules_revision` that the leader validated the command under; apply validates again when it has moved.
    pub rules_revision: u64,
    /// What to do.
    pub command: Command,
}

/// (session, sequence) of a caller, with a hash of what was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestKey {
    /// Chosen at random by the client process.
    pub session: [u8; 16],
    /// Grows with each new request of the session.
    pub sequence: u64,
    /// BLAKE3 (first 16 bytes) of the method and the request without its context.
    pub content_hash: [u8; 16],
}

/// A change of the store. Byte fields are protobuf messages of the contract, made once by the leader. `serde_bytes` gives
/// the same bytes as a list of numbers does, and copies them in one piece.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// A new alert. `alert` is an encoded `pb::Alert` without its lifecycle section.
    Create {
        id: AlertId,
        #[serde(with = "serde_bytes")]
        alert: Vec<u8>,
        as_draft: bool,
    },
    /// New content. Refused unless `expected_version` is the current one.
    Update {
        id: AlertId,
        expected_version: u64,
        #[serde(with = "serde_bytes")]
        alert: Vec<u8>,
    },
    /// Create or update by (source system, reference); an older or equal source version changes nothing.
    Import {
        id: AlertId,
        #[serde(with = "serde_bytes")]
        alert: Vec<u8>,
    },
    /// Draft -> pending review.
    Submit { id: AlertId, expected_version: u64, by: String, note: String },
    /// Pending review -> active, scheduled or waiting.
    Approve { id: AlertId, expected_version: u64, by: String, note: String },
    /// Pending review -> draft.
    Reject { id: AlertId, expected_version: u64, by: String, note: String },
    /// Moves the end of the alert. `until_ms` absent: one more period of its category.
    Extend { id: AlertId, expected_version: u64, until_ms: Option<u64>, reviewed_by: String, assessment: String },
    /// Adds a restriction (encoded `pb::Restriction`). Version 0 = whatever is current.
    Restrict { id: AlertId, expected_version: u64, restriction: Vec<u8> },
    /// Lifts one restriction.
    LiftRestriction { id: AlertId, expected_version: u64, number: u32, by: String },
    /// Ends the alert. Version 0 = whatever is current.
    Cancel { id: AlertId, expected_version: u64, reason: String, by: String },
    /// Removes the alert and its history.
    Erase { id: AlertId, ground: String, by: String },
    /// Removes data that a victim agreed to have kept. Empty categories = all of that victim's.
    WithdrawConsent { id: AlertId, expected_version: u64, victim_index: u32, field_categories: Vec<String> },
    /// Hands the alert to another owner (encoded `pb::Owner`).
    TransferOwner { id: AlertId, expected_version: u64, owner: Vec<u8> },
    /// Links two alerts (encoded `pb::Link`).
    Link { id: AlertId, link: Vec<u8> },
    /// Removes a link.
    Unlink { id: AlertId },
    /// Handles what has fallen due at the stamp: activation, expiry, restrictions, history to purge.
    Due,
    /// Creates or replaces an agreement (encoded `pb::Agreement`). Expected version 0 = create.
    PutAgreement { agreement: Vec<u8>, expected_version: u64 },
    /// Suspends, resumes or ends an agreement: `pb::AgreementState` as a number, with an encoded `pb::PurgeProof`.
    SetAgreementState { id: String, state: i32, purge_proof: Option<Vec<u8>> },
    /// Replaces the rules of one kind (encoded `pb::Rules`).
    PutRules { rules: Vec<u8>, expected_version: u64 },
    /// A hit: reports it, or adds to its conversation (encoded `pb::Hit` / `pb::HitMessage`).
    ReportHit { id: AlertId, hit: Vec<u8> },
    /// Adds a message; `answers` marks the hit answered.
    HitMessage { id: AlertId, message: Vec<u8>, answers: bool },
    /// How far a caller's copy is, under an agreement ("" = none). `oldest_ms`: replicated time of the oldest change that
    /// it had to wait for and acknowledges now; absent = none.
    AcknowledgeFeed { agreement: String, revision: u64, oldest_ms: Option<u64> },
    /// Sequence and hash of the last record of one node's audit log.
    AnchorAudit { node_id: u64, sequence: u64, head: [u8; 32] },
    /// Drops feed entries older than this revision.
    CompactFeed { before_revision: u64 },
    /// Nothing; moves the replicated time.
    Tick,
    /// A chunk of an attachment that the alert's record names.
    PutAttachmentChunk {
        id: AlertId,
        hash: ContentHash,
        number: u32,
        #[serde(with = "serde_bytes")]
        bytes: Vec<u8>,
    },
    /// All chunks are there: from now on the attachment may be fetched.
    SealAttachment { id: AlertId, hash: ContentHash },
    /// The rules that a cluster begins with: encoded `pb::Rules`, one of each kind. Does nothing once there are rules.
    Found { rules: Vec<Vec<u8>> },
    /// Puts the next search profile into force, if it is one with this normaliser. Proposed once every member has built
    /// its index.
    SwitchNormaliser { version: u32 },
}

/// What a command came to; kept under its request id.
pub type Answer = Result<Done, Rejection>;

/// A command that took effect, or had nothing to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// The alert (or link, or hit) concerned; all zero where there is none.
    pub id: AlertId,
    /// Its version after the command; 0 when it is gone. For agreements and rules: their version.
    pub version: u64,
    /// Revision of the state machine after the command.
    pub revision: u64,
    /// `pb::AlertState` as a number; 0 where it does not apply.
    pub state: i32,
    /// What happened.
    pub outcome: Outcome,
    /// This answer was kept from an earlier command with the same request id.
    pub repeated: bool,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// A new record.
    Created,
    /// A record changed.
    Changed,
    /// It was so already.
    Unchanged,
}

/// Why the state refused a command. docs/errors.md maps each to its gRPC code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Rejection {
    /// No such alert, link, hit or agreement, for this caller.
    NotFound,
    /// The id is taken.
    AlreadyExists,
    /// Another version is current.
    VersionConflict { current: u64 },
    /// (source system, reference) belongs to another alert.
    DuplicateSource,
    /// The store holds a newer source version.
    OlderSource { current: u64 },
    /// Not possible from the state the alert is in (`pb::AlertState` as a number); 0 where it is not about an alert.
    WrongState { state: i32 },
    /// The caller does not own the alert.
    NotOwner,
    /// A code that the lists in force do not hold, or no longer.
    UnknownCode { field_path: String, list: String, value: String },
    /// A limit of the record is reached.
    LimitReached { what: String },
    /// The request itself is wrong in the light of the state.
    Invalid { field_path: String, message: String },
    /// The same request id came with other content.
    RequestIdReused,
    /// The request id lies outside the window that is kept.
    RequestExpired,
    /// The cluster has no rules yet: it is being formed.
    NotFounded,
}
