//! The errors of the services: one table of codes, which docs/errors.md prints, and one type that becomes a gRPC status
//! with a `pb::ErrorDetail` in its details.

use std::time::Duration;

pub use alert_core::alert::fault::fault;
use alert_core::{
    alert::{fault, lifecycle::WrongState},
    pb,
    state::{ViewError, command::Rejection},
};
use prost::Message;
use tonic::{Code, Status};

use super::backend::{AdminError, AuditError, ProposeError, ReadError};

/// One row of the table: what a code means and what a caller does about it.
#[derive(Debug, Clone, Copy)]
pub struct CodeRow {
    /// Stable and machine-readable.
    pub name: &'static str,
    pub grpc: Code,
    /// The same call may succeed later, or on another node.
    pub retryable: bool,
    /// The change may have taken effect: retry under the same request id only.
    pub maybe_applied: bool,
    pub meaning: &'static str,
    pub what_to_do: &'static str,
}

macro_rules! codes {
    ($($variant:ident = $name:literal, $grpc:ident, $retryable:ident, $maybe:ident, $meaning:literal, $todo:literal;)*) => {
        /// Why a call was not answered. docs/errors.md lists them all.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum ErrorCode { $(#[doc = $meaning] $variant,)* }

        impl ErrorCode {
            /// Every code.
            pub const ALL: &[ErrorCode] = &[$(ErrorCode::$variant,)*];

            /// Its row of the table.
            pub const fn row(self) -> CodeRow {
                #[allow(non_upper_case_globals)]
                const retry: bool = true;
                #[allow(non_upper_case_globals)]
                const final_: bool = false;
                #[allow(non_upper_case_globals)]
                const maybe: bool = true;
                #[allow(non_upper_case_globals)]
                const never: bool = false;
                match self {
                    $(ErrorCode::$variant => CodeRow {
                        name: $name,
                        grpc: Code::$grpc,
                        retryable: $retryable,
                        maybe_applied: $maybe,
                        meaning: $meaning,
                        what_to_do: $todo,
                    },)*
                }
            }
        }
    };
}

codes! {
    Unauthenticated = "UNAUTHENTICATED", Unauthenticated, final_, never,
        "The connection has no client certificate that the node knows.",
        "Connect with a certificate of an authority that is configured for clients.";
    ContextInvalid = "CONTEXT_INVALID", InvalidArgument, final_, never,
        "The call context is missing or incomplete; `faults` names every field.",
        "Fill the fields named and call again.";
    RequestInvalid = "REQUEST_INVALID", InvalidArgument, final_, never,
        "A field of the request is missing or wrong; `faults` names every field.",
        "Mend the fields named and call again.";
    RecordInvalid = "RECORD_INVALID", InvalidArgument, final_, never,
        "The record breaks the rules in force; `faults` names every field.",
        "Mend the record. `Validate` shows all faults without changing anything.";
    QueryInvalid = "QUERY_INVALID", InvalidArgument, final_, never,
        "The query cannot be searched; `faults` names every field.",
        "Mend the query and search again.";
    UnknownCode = "UNKNOWN_CODE", InvalidArgument, final_, never,
        "A code is not in the code lists in force, or was withdrawn.",
        "Use a value of the current list (`RuleService.Get`).";
    NotPermitted = "NOT_PERMITTED", PermissionDenied, final_, never,
        "The role of the caller's certificate does not open this call.",
        "Call with a certificate of a role that does.";
    AgreementUnknown = "AGREEMENT_UNKNOWN", PermissionDenied, final_, never,
        "No agreement of that id covers this caller.",
        "Name the agreement of the caller's own country and authority.";
    AgreementNotInForce = "AGREEMENT_NOT_IN_FORCE", PermissionDenied, final_, never,
        "The agreement is suspended, ended, or outside its validity.",
        "Stop calling under it; its keeper says when it is in force again.";
    PurposeNotAllowed = "PURPOSE_NOT_ALLOWED", PermissionDenied, final_, never,
        "The agreement does not allow the purpose of this call.",
        "Call for a purpose that the agreement names.";
    LevelNotAllowed = "LEVEL_NOT_ALLOWED", PermissionDenied, final_, never,
        "The caller may not ask for this read level.",
        "Leave the level out, or ask for linearizable, session or bounded.";
    NotOwner = "NOT_OWNER", PermissionDenied, final_, never,
        "The caller sees the alert but does not own it.",
        "Ask the owner, whose contact is in the alert.";
    NotFound = "NOT_FOUND", NotFound, final_, never,
        "There is no such record, or none that the caller may see.",
        "Check the id. Both cases answer alike on purpose.";
    AlreadyExists = "ALREADY_EXISTS", AlreadyExists, final_, never,
        "The id is taken.",
        "Read the record that has it.";
    DuplicateSource = "DUPLICATE_SOURCE", AlreadyExists, final_, never,
        "The source system and reference belong to another alert.",
        "Update that alert, or use another reference.";
    VersionConflict = "VERSION_CONFLICT", Aborted, final_, never,
        "Another version is current than the one expected.",
        "Get the record, look at what changed, and update again.";
    OlderSource = "OLDER_SOURCE", FailedPrecondition, final_, never,
        "The store holds a newer version from the same source.",
        "Send the current source version, or nothing.";
    WrongState = "WRONG_STATE", FailedPrecondition, final_, never,
        "The record is not in a state from which this is possible.",
        "Get the record; its state says what is possible.";
    LimitReached = "LIMIT_REACHED", FailedPrecondition, final_, never,
        "A limit of the record is reached.",
        "Remove what is no longer needed from the record.";
    RequestIdReused = "REQUEST_ID_REUSED", FailedPrecondition, final_, never,
        "The same request id came before with other content.",
        "Use a new sequence for each new request.";
    RequestExpired = "REQUEST_EXPIRED", FailedPrecondition, final_, maybe,
        "The request id lies outside the window that is kept, so a first attempt may have taken effect.",
        "Read the record to see whether it did, then call with a new id.";
    TokenInvalid = "TOKEN_INVALID", InvalidArgument, final_, never,
        "A token or cursor was not made by this cluster for this use, or was altered.",
        "Begin again without it.";
    TokenEpoch = "TOKEN_EPOCH", FailedPrecondition, final_, never,
        "The token is from before the store was restored from a backup.",
        "Begin again without it; what was read before the restore may be gone.";
    TokenFromFuture = "TOKEN_FROM_FUTURE", FailedPrecondition, final_, never,
        "The token names a revision that the cluster has not reached.",
        "Begin again without it.";
    NoLeader = "NO_LEADER", Unavailable, retry, never,
        "No leader was found within the deadline. Nothing was changed.",
        "Try again; any node will do.";
    NotLeader = "NOT_LEADER", Unavailable, retry, never,
        "Another node leads, and this one could not pass the call on. Nothing was changed.",
        "Try again at the node in `leader`.";
    MaybeApplied = "MAYBE_APPLIED", Unavailable, retry, maybe,
        "The outcome of the change is not known.",
        "Try again under the same request id: it has one effect.";
    DeadlineExceeded = "DEADLINE_EXCEEDED", DeadlineExceeded, retry, never,
        "The deadline passed before the answer was ready. A change was not proposed.",
        "Try again with a longer deadline, or at another node.";
    Overloaded = "OVERLOADED", ResourceExhausted, retry, never,
        "A queue of the node is full. Nothing was changed.",
        "Wait for `retry_after`, then try again.";
    QuotaExceeded = "QUOTA_EXCEEDED", ResourceExhausted, retry, never,
        "The caller, or the agreement, has used up what it may ask for now. Nothing was changed.",
        "Wait for `retry_after`. Another node is no way round it.";
    NodeNotReady = "NODE_NOT_READY", Unavailable, retry, never,
        "The node does not serve yet: restarted and unconfirmed, installing a snapshot, or not part of a cluster.",
        "Go to another node.";
    Behind = "BEHIND", Unavailable, retry, never,
        "The node is too far behind for the freshness asked.",
        "Go to another node.";
    NoQuorum = "NO_QUORUM", Unavailable, retry, never,
        "The freshness asked cannot be proven: no quorum is in reach.",
        "Go to another node. National callers may ask for the local level.";
    Stopping = "STOPPING", Unavailable, retry, never,
        "The node is stopping. Nothing was changed.",
        "Go to another node.";
    AuditUnavailable = "AUDIT_UNAVAILABLE", Unavailable, retry, never,
        "The audit record could not be made durable, so the answer was withheld. A change may have taken effect where \
         `maybe_applied` says so.",
        "Go to another node; repeat a change under the same request id.";
    AdminRefused = "ADMIN_REFUSED", FailedPrecondition, final_, never,
        "The cluster is not in a state for this administrative action.",
        "Read the message; look at the cluster's status.";
    Unimplemented = "UNIMPLEMENTED", Unimplemented, final_, never,
        "This call is declared and does nothing yet.",
        "Do without it.";
    Internal = "INTERNAL", Internal, final_, never,
        "The node broke one of its own rules.",
        "Report it with the search id; the node's log has the details.";
}

/// An error on its way to the caller. Its message is one sentence without personal data.
#[derive(Debug, Clone, PartialEq)]
pub struct ApiError {
    pub code: ErrorCode,
    pub message: String,
    pub maybe_applied: bool,
    pub retry_after: Option<Duration>,
    pub leader: Option<pb::LeaderHint>,
    pub faults: Vec<pb::Fault>,
}

/// The result of the services' own functions. Boxed: the error path is rare and the success path hot.
pub type ApiResult<T> = Result<T, Box<ApiError>>;

impl ApiError {
    /// An error with its sentence.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Box<Self> {
        Box::new(Self {
            code,
            message: message.into(),
            maybe_applied: code.row().maybe_applied,
            retry_after: None,
            leader: None,
            faults: Vec::new(),
        })
    }

    /// An error with the sentence of its table row.
    pub fn plain(code: ErrorCode) -> Box<Self> {
        Self::new(code, code.row().meaning)
    }

    /// Faults of the request, all at once.
    pub fn faulty(code: ErrorCode, faults: Vec<pb::Fault>) -> Box<Self> {
        let blocking: Vec<&pb::Fault> = faults.iter().filter(|fault| !fault.warning).collect();
        let first =
            blocking.first().map_or_else(String::new, |fault| format!("{}: {}", fault.field_path, fault.message));
        let message = match blocking.len() {
            0 | 1 => first,
            more => format!("{first} (and {} more)", more - 1),
        };
        Box::new(Self { faults, ..*Self::new(code, message) })
    }

    /// Refuses when any of the faults blocks; gives back the warnings. `path` is where in the request they are.
    pub fn unless_valid(code: ErrorCode, path: &str, faults: Vec<pb::Fault>) -> ApiResult<Vec<pb::Fault>> {
        let inside = |fault: pb::Fault| {
            let field_path = [path, &fault.field_path].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>();
            pb::Fault { field_path: field_path.join("."), ..fault }
        };
        let faults: Vec<_> = faults.into_iter().map(inside).collect();
        if fault::blocks(&faults) { Err(Self::faulty(code, faults)) } else { Ok(faults) }
    }

    /// One fault of the request.
    pub fn field(field_path: &str, code: &str, message: impl Into<String>) -> Box<Self> {
        Self::faulty(ErrorCode::RequestInvalid, vec![fault(field_path, code, message)])
    }

    /// The record is not there, or not for this caller: the two answer alike.
    pub fn not_found(what: &str) -> Box<Self> {
        Self::new(ErrorCode::NotFound, format!("there is no such {what}"))
    }

    /// The cluster is being formed.
    pub fn not_founded() -> Box<Self> {
        Self::new(ErrorCode::NodeNotReady, "the cluster is being formed: it has no rules yet")
    }

    /// Declared and not built.
    pub fn unimplemented(what: &str) -> Box<Self> {
        Self::new(ErrorCode::Unimplemented, format!("{what} does nothing yet"))
    }

    /// A broken rule of the node's own. The details go to the log, not to the caller.
    pub fn internal(detail: impl std::fmt::Display) -> Box<Self> {
        tracing::error!(%detail, "internal error");
        Self::plain(ErrorCode::Internal)
    }

    /// What rides in the status details.
    pub fn detail(&self) -> pb::ErrorDetail {
        let row = self.code.row();
        pb::ErrorDetail {
            code: row.name.into(),
            message: self.message.clone(),
            retryable: row.retryable,
            maybe_applied: self.maybe_applied,
            retry_after: self.retry_after.map(duration),
            leader: self.leader.clone(),
            faults: self.faults.clone(),
        }
    }
}

/// As the contract's duration.
pub fn duration(duration: Duration) -> prost_types::Duration {
    prost_types::Duration {
        seconds: duration.as_secs().min(i64::MAX as u64) as i64,
        nanos: duration.subsec_nanos() as i32,
    }
}

impl From<Box<ApiError>> for Status {
    fn from(error: Box<ApiError>) -> Self {
        let detail = error.detail().encode_to_vec();
        Status::with_details(error.code.row().grpc, error.message, detail.into())
    }
}

/// The detail inside a status, for those who pass errors on.
pub fn detail_of(status: &Status) -> Option<pb::ErrorDetail> {
    if status.details().is_empty() { None } else { pb::ErrorDetail::decode(status.details()).ok() }
}

impl From<ViewError> for Box<ApiError> {
    fn from(error: ViewError) -> Self {
        ApiError::internal(error)
    }
}

impl From<ReadError> for Box<ApiError> {
    fn from(error: ReadError) -> Self {
        let code = match error {
            ReadError::NotReady { .. } => ErrorCode::NodeNotReady,
            ReadError::Behind { .. } => ErrorCode::Behind,
            ReadError::TokenFromFuture => ErrorCode::TokenFromFuture,
            ReadError::NoQuorum => ErrorCode::NoQuorum,
            ReadError::DeadlineExceeded => ErrorCode::DeadlineExceeded,
            ReadError::Stopped => ErrorCode::Stopping,
        };
        ApiError::new(code, error.to_string())
    }
}

impl From<ProposeError> for Box<ApiError> {
    fn from(error: ProposeError) -> Self {
        let message = error.to_string();
        let (code, leader, retry_after) = match error {
            ProposeError::NoLeader => (ErrorCode::NoLeader, None, None),
            ProposeError::NotLeader { hint } => (ErrorCode::NotLeader, hint, None),
            ProposeError::MaybeApplied => (ErrorCode::MaybeApplied, None, None),
            ProposeError::Overloaded { retry_after } => (ErrorCode::Overloaded, None, Some(retry_after)),
            ProposeError::DeadlineExceeded => (ErrorCode::DeadlineExceeded, None, None),
            ProposeError::Stopped => (ErrorCode::Stopping, None, None),
        };
        Box::new(ApiError { leader, retry_after, ..*ApiError::new(code, message) })
    }
}

impl From<AuditError> for Box<ApiError> {
    fn from(error: AuditError) -> Self {
        match error {
            AuditError::Unsupported(what) => ApiError::unimplemented(what),
            AuditError::Overloaded => ApiError::new(ErrorCode::Overloaded, error.to_string()),
            AuditError::Unwritable(_) | AuditError::Unreadable(_) => {
                tracing::error!(%error, "audit log");
                ApiError::plain(ErrorCode::AuditUnavailable)
            }
        }
    }
}

impl From<AdminError> for Box<ApiError> {
    fn from(error: AdminError) -> Self {
        let message = error.to_string();
        match error {
            AdminError::NotLeader { hint } => {
                Box::new(ApiError { leader: hint, ..*ApiError::new(ErrorCode::NotLeader, message) })
            }
            AdminError::Refused(_) => ApiError::new(ErrorCode::AdminRefused, message),
            AdminError::UnknownNode(_) => ApiError::new(ErrorCode::NotFound, message),
            AdminError::Invalid(_) => ApiError::new(ErrorCode::RequestInvalid, message),
            AdminError::DeadlineExceeded => {
                Box::new(ApiError { maybe_applied: true, ..*ApiError::new(ErrorCode::DeadlineExceeded, message) })
            }
            AdminError::NotReady(_) => ApiError::new(ErrorCode::NodeNotReady, message),
            AdminError::Failed(_) => {
                tracing::error!(%message, "administrative action failed");
                ApiError::new(ErrorCode::Internal, message)
            }
        }
    }
}

/// What the state machine refused, as the caller is told. `NotOwner` needs to know whether the caller sees the record
/// and is mapped by the writer, after asking the visibility function.
impl From<Rejection> for Box<ApiError> {
    fn from(rejection: Rejection) -> Self {
        match rejection {
            Rejection::NotFound => ApiError::not_found("record"),
            Rejection::AlreadyExists => ApiError::plain(ErrorCode::AlreadyExists),
            Rejection::VersionConflict { current } => {
                ApiError::new(ErrorCode::VersionConflict, format!("version {current} is current"))
            }
            Rejection::DuplicateSource => ApiError::plain(ErrorCode::DuplicateSource),
            Rejection::OlderSource { current } => {
                ApiError::new(ErrorCode::OlderSource, format!("the store holds source version {current}"))
            }
            Rejection::WrongState { state } => ApiError::new(
                ErrorCode::WrongState,
                match pb::AlertState::try_from(state) {
                    Ok(pb::AlertState::Unspecified) | Err(_) => "not possible in its present state".into(),
                    Ok(state) => WrongState { state }.to_string(),
                },
            ),
            Rejection::NotOwner => ApiError::plain(ErrorCode::NotOwner),
            Rejection::UnknownCode { field_path, list, value } => ApiError::faulty(
                ErrorCode::UnknownCode,
                vec![fault(&field_path, "UNKNOWN_CODE", format!("'{value}' is not in the list '{list}'"))],
            ),
            Rejection::LimitReached { what } => {
                ApiError::new(ErrorCode::LimitReached, format!("limit reached: {what}"))
            }
            Rejection::Invalid { field_path, message } => {
                ApiError::faulty(ErrorCode::RequestInvalid, vec![fault(&field_path, "INVALID", message)])
            }
            Rejection::RequestIdReused => ApiError::plain(ErrorCode::RequestIdReused),
            Rejection::RequestExpired => ApiError::plain(ErrorCode::RequestExpired),
            Rejection::NotFounded => ApiError::not_founded(),
        }
    }
}

/// The table of docs/errors.md, as Markdown.
#[cfg(test)]
fn table() -> String {
    let mut text = String::from(
        "| code | gRPC code | retry | may have been applied | meaning | what to do |\n|---|---|---|---|---|---|\n",
    );
    for code in ErrorCode::ALL {
        let row = code.row();
        let yes_no = |yes: bool| if yes { "yes" } else { "no" };
        text += &format!(
            "| `{}` | {} | {} | {} | {} | {} |\n",
            row.name,
            grpc_name(row.grpc),
            yes_no(row.retryable),
            yes_no(row.maybe_applied),
            row.meaning,
            row.what_to_do
        );
    }
    text
}

/// A gRPC code as the specification writes it.
pub fn grpc_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_documentation_lists_every_code_as_the_node_answers_it() {
        let document = include_str!("../../../docs/errors.md");
        assert!(document.contains(&table()), "docs/errors.md needs this table:\n{}", table());
    }

    #[test]
    fn codes_have_names_of_their_own() {
        let names: BTreeSet<_> = ErrorCode::ALL.iter().map(|code| code.row().name).collect();
        assert_eq!(names.len(), ErrorCode::ALL.len());
    }

    #[test]
    fn an_error_survives_the_wire() {
        let error = ApiError {
            leader: Some(pb::LeaderHint { node_id: 2, address: "b:1".into(), term: 7 }),
            retry_after: Some(Duration::from_millis(1500)),
            ..*ApiError::plain(ErrorCode::NotLeader)
        };
        let expected = error.detail();
        let status = Status::from(Box::new(error));
        assert_eq!(status.code(), Code::Unavailable);
        assert_eq!(detail_of(&status), Some(expected));
    }
}
