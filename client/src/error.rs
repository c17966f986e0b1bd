//! What can go wrong, and what a caller can do about it.

use std::{
    fmt,
    ops::{Deref, DerefMut},
    time::Duration,
};

use alert_proto::v1 as pb;
use prost::Message;
use tonic::{Code, Status};

/// Codes that the client itself gives, and the few of the cluster's that it acts on; `docs/errors.md` lists them all.
pub mod codes {
    /// The deadline of the call came before a usable answer. [`ErrorInfo::cause`](super::ErrorInfo::cause) says what the last attempt met.
    pub const DEADLINE_EXCEEDED: &str = "DEADLINE_EXCEEDED";
    /// No connection, or a connection that broke.
    pub const CONNECTION: &str = "CONNECTION";
    /// Node and client do not trust each other's certificates: another try changes nothing.
    pub const CERTIFICATE: &str = "CERTIFICATE";
    /// A node answered with a gRPC error that carries no detail.
    pub const STATUS: &str = "STATUS";
    /// The nodes that answer belong to another cluster than the one configured.
    pub const OTHER_CLUSTER: &str = "OTHER_CLUSTER";
    /// The client's own settings are wrong.
    pub const CONFIGURATION: &str = "CONFIGURATION";
    /// An answer that breaks the contract, for example a stream that ends in the middle of an attachment.
    pub const PROTOCOL: &str = "PROTOCOL";
    /// The caller's request cannot be sent, for example an attachment that is too large.
    pub const REQUEST: &str = "REQUEST";
    /// A stream had work and saw no progress for too long.
    pub const STALLED: &str = "STALLED";
    /// The cluster's word for a node that is on its way out.
    pub const STOPPING: &str = "STOPPING";
    /// The cluster's word for a node that does not serve yet.
    pub const NODE_NOT_READY: &str = "NODE_NOT_READY";
    /// The token names another epoch: the store was restored from a backup since.
    pub const TOKEN_EPOCH: &str = "TOKEN_EPOCH";
    /// The caller has used up what it may ask for, at every node alike.
    pub const QUOTA_EXCEEDED: &str = "QUOTA_EXCEEDED";
    /// The answer to this request id is no longer kept.
    pub const REQUEST_EXPIRED: &str = "REQUEST_EXPIRED";

    /// Those that no node gives.
    pub const OWN: [&str; 8] =
        [CONNECTION, CERTIFICATE, STATUS, OTHER_CLUSTER, CONFIGURATION, PROTOCOL, REQUEST, STALLED];
}

/// A call that failed: [`ErrorInfo`] by dereference. One pointer wide, because most calls succeed.
#[derive(Clone)]
pub struct Error(Box<ErrorInfo>);

/// All of an [`Error`] that a caller can act on.
#[derive(Debug, Clone)]
pub struct ErrorInfo {
    /// Stable and machine-readable: one of [`codes`], or a code of the cluster such as "VERSION_CONFLICT".
    pub code: String,
    /// For people; without personal data.
    pub message: String,
    /// The gRPC code of the answer (`Unknown` where there was none).
    pub grpc: Code,
    /// The same call may succeed later. The client has already retried until the deadline where that was safe.
    pub retryable: bool,
    /// A write that may have taken effect. Repeat it only under the same request id
    /// (put [`ErrorInfo::request_id`] into the context of the repeated request), or look before you repeat.
    pub maybe_applied: bool,
    /// How long the cluster asks callers to wait before the next attempt.
    pub retry_after: Option<Duration>,
    /// Who leads, as the refusing node knows it.
    pub leader: Option<pb::LeaderHint>,
    /// Everything wrong with the record or request, with field paths.
    pub faults: Vec<pb::Fault>,
    /// How often the call was sent.
    pub attempts: u32,
    /// Address of the node that gave the error; `None` where no node was reached.
    pub node: Option<String>,
    /// The request id that a failed write was sent under.
    pub request_id: Option<pb::RequestId>,
    /// What the last attempt met, when the deadline ended the call.
    pub cause: Option<Error>,
    /// No connection was there: nothing reached a node.
    pub(crate) never_sent: bool,
}

impl Error {
    /// An error of the client itself.
    pub(crate) fn local(code: &str, message: impl Into<String>) -> Self {
        Self(Box::new(ErrorInfo {
            code: code.to_owned(),
            message: message.into(),
            grpc: Code::Unknown,
            retryable: false,
            maybe_applied: false,
            retry_after: None,
            leader: None,
            faults: Vec::new(),
            attempts: 0,
            node: None,
            request_id: None,
            cause: None,
            never_sent: false,
        }))
    }

    /// The same error with some of it said otherwise.
    fn with(mut self, change: impl FnOnce(&mut ErrorInfo)) -> Self {
        change(&mut self.0);
        self
    }

    pub(crate) fn configuration(message: impl Into<String>) -> Self {
        Self::local(codes::CONFIGURATION, message).with(|error| error.grpc = Code::InvalidArgument)
    }

    pub(crate) fn protocol(message: impl Into<String>) -> Self {
        Self::local(codes::PROTOCOL, message).with(|error| error.grpc = Code::Internal)
    }

    /// Certificates that are not trusted. Whoever refused did so before it looked at the call.
    pub(crate) fn certificate(message: impl Into<String>) -> Self {
        Self::local(codes::CERTIFICATE, message).with(|error| {
            error.grpc = Code::Unauthenticated;
            error.never_sent = true;
        })
    }

    /// An attempt that had no answer in its time.
    pub(crate) fn attempt_timeout(after: Duration) -> Self {
        Self::unknown_outcome(format!("no answer within {after:?}")).with(|error| error.grpc = Code::DeadlineExceeded)
    }

    /// An attempt whose node fell silent for other calls too.
    pub(crate) fn node_lost() -> Self {
        Self::unknown_outcome("the node gives no sign of life".to_owned())
    }

    /// A write at a node that leads no more.
    pub(crate) fn leader_moved() -> Self {
        Self::unknown_outcome("another node has taken the lead".to_owned())
    }

    fn unknown_outcome(message: String) -> Self {
        Self::local(codes::CONNECTION, message).with(|error| {
            error.grpc = Code::Unavailable;
            error.retryable = true;
            error.maybe_applied = true;
        })
    }

    /// The end of a call whose deadline came; keeps what the last attempt met.
    pub(crate) fn deadline(after: Duration, last: Option<Error>) -> Self {
        let message = match &last {
            Some(last) => format!("no answer within {after:?}: {}", last.message),
            None => format!("no answer within {after:?}"),
        };
        Self::local(codes::DEADLINE_EXCEEDED, message).with(|error| {
            error.grpc = Code::DeadlineExceeded;
            error.retryable = true;
            if let Some(last) = &last {
                error.leader.clone_from(&last.leader);
                error.retry_after = last.retry_after;
                error.node.clone_from(&last.node);
            }
            error.cause = last;
        })
    }

    /// Reads the error that a node, or the connection to it, gave.
    ///
    /// `maybe_applied` is true wherever the request may have reached a node that then went silent.
    pub fn from_status(status: &Status) -> Self {
        if let Ok(detail) = pb::ErrorDetail::decode(status.details())
            && !detail.code.is_empty()
        {
            return Self::from_detail(detail, status.code());
        }
        if let Some(sentence) = certificate_trouble(status) {
            return Self::certificate(sentence);
        }
        let mut error = Self::local(codes::STATUS, status.message());
        error.grpc = status.code();
        match status.code() {
            Code::Unavailable | Code::Unknown | Code::Cancelled | Code::DeadlineExceeded => {
                error.retryable = true;
                error.never_sent = never_sent(status);
                error.maybe_applied = !error.never_sent;
                error.code = codes::CONNECTION.to_owned();
            }
            // The connection broke in the middle of an answer: such a status has a source, a node's own has none.
            Code::Internal if std::error::Error::source(status).is_some() => {
                error.retryable = true;
                error.maybe_applied = true;
                error.code = codes::CONNECTION.to_owned();
            }
            Code::Internal => error.maybe_applied = true,
            _ => {}
        }
        if let Some(deepest) = deepest_source(status) {
            error.message = format!("{}: {deepest}", error.message);
        }
        error
    }

    /// Reads an error that a node told inside an answer (for example of one query of a batch).
    pub fn from_detail(detail: pb::ErrorDetail, grpc: Code) -> Self {
        Self::local(&detail.code, detail.message).with(|error| {
            error.grpc = grpc;
            error.retryable = detail.retryable;
            error.maybe_applied = detail.maybe_applied;
            error.retry_after = detail.retry_after.and_then(|duration| Duration::try_from(duration).ok());
            error.leader = detail.leader;
            error.faults = detail.faults;
        })
    }

    /// Nothing of that name is there for this caller.
    pub fn is_not_found(&self) -> bool {
        self.grpc == Code::NotFound
    }

    /// No node could answer in time: the cluster is away, or has no quorum.
    pub fn is_unavailable(&self) -> bool {
        matches!(self.grpc, Code::Unavailable | Code::DeadlineExceeded | Code::ResourceExhausted)
            || self.code == codes::CONNECTION
            || self.code == codes::STALLED
    }

    /// True when no word came from the node that was asked.
    pub(crate) fn is_loss(&self) -> bool {
        self.code == codes::CONNECTION || self.code == codes::CERTIFICATE
    }

    /// False when no node did anything for the call: none was reached, or one said at once that it cannot serve now.
    /// Repeating these multiplies no work, and the pause between rounds is enough. Were they to draw on the budget of
    /// retries, a short time without a quorum would leave every call that sat it out without a retry when it is over.
    pub(crate) fn may_have_cost_work(&self) -> bool {
        let is_refusal = self.grpc == Code::Unavailable && self.code != codes::STATUS && !self.is_loss();
        !self.never_sent && (!is_refusal || self.maybe_applied)
    }

    /// True where another node may well answer what this one could not.
    pub(crate) fn is_fault_of_the_node(&self) -> bool {
        matches!(self.grpc, Code::Internal | Code::DataLoss) || self.code == codes::CERTIFICATE
    }

    /// True for an answer that the state machine gave, which settles what an earlier attempt under the same id did.
    pub(crate) fn settles(&self) -> bool {
        self.code != codes::STATUS
            && self.code != codes::REQUEST_EXPIRED
            && !self.retryable
            && matches!(
                self.grpc,
                Code::Aborted | Code::FailedPrecondition | Code::AlreadyExists | Code::NotFound | Code::InvalidArgument
            )
    }
}

/// True when no connection was there, so that nothing can have reached a node.
fn never_sent(status: &Status) -> bool {
    let mut source = std::error::Error::source(status);
    while let Some(error) = source {
        if error.is::<tonic::ConnectError>() {
            return true;
        }
        source = error.source();
    }
    false
}

/// The sentence for a connection that ended over certificates. By its text, in rustls' words: a refusal that comes after
/// the client's side of the handshake is over reaches us through HTTP/2, which keeps nothing else of it.
fn certificate_trouble(status: &Status) -> Option<String> {
    const REFUSED: &str = "received fatal alert: ";
    const NOT_TRUSTED: &str = "invalid peer certificate: ";
    let mut source = std::error::Error::source(status);
    let mut text = status.message().to_owned();
    while let Some(error) = source {
        text = error.to_string();
        source = error.source();
    }
    if let Some((_, why)) = text.split_once(NOT_TRUSTED) {
        return Some(format!("the node's certificate is not trusted: {why}"));
    }
    let (_, alert) = text.split_once(REFUSED)?;
    let name: String = alert.chars().take_while(|letter| letter.is_ascii_alphanumeric()).collect();
    let why = match name.as_str() {
        "UnknownCA" => "no authority that this port trusts has issued it",
        "CertificateExpired" => "it is not valid now",
        "CertificateRevoked" => "it was revoked",
        "CertificateRequired" | "NoCertificate" => "none was shown",
        "AccessDenied" | "CertificateUnknown" => "its authority may not vouch here for the role, country or name in it",
        "BadCertificate" | "UnsupportedCertificate" => "it is not one that opens this port",
        "DecryptError" => "its signature is not that of the authority which it names",
        _ => return None,
    };
    Some(format!("the node refuses this client's certificate: {why} ({name}); the node's log says more"))
}

fn deepest_source(status: &Status) -> Option<String> {
    let mut source = std::error::Error::source(status)?;
    while let Some(deeper) = source.source() {
        source = deeper;
    }
    let text = source.to_string();
    (!status.message().contains(&text)).then_some(text)
}

impl Deref for Error {
    type Target = ErrorInfo;

    fn deref(&self) -> &ErrorInfo {
        &self.0
    }
}

impl DerefMut for Error {
    fn deref_mut(&mut self) -> &mut ErrorInfo {
        &mut self.0
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.code, self.message)?;
        if let Some(node) = &self.node {
            write!(formatter, " (node {node})")?;
        }
        if self.maybe_applied {
            write!(formatter, "; it may have taken effect")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_ref().map(|cause| cause as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(code: Code, detail: &pb::ErrorDetail) -> Status {
        Status::with_details(code, "text", detail.encode_to_vec().into())
    }

    #[test]
    fn a_refusal_keeps_all_its_faults_and_says_that_a_retry_is_useless() {
        let detail = pb::ErrorDetail {
            code: "INVALID_ALERT".into(),
            message: "2 faults".into(),
            faults: vec![
                pb::Fault { field_path: "core.category".into(), code: "REQUIRED".into(), ..Default::default() },
                pb::Fault { field_path: "core.owner".into(), code: "REQUIRED".into(), ..Default::default() },
            ],
            ..Default::default()
        };
        let error = Error::from_status(&status(Code::InvalidArgument, &detail));
        assert_eq!(error.code, "INVALID_ALERT");
        assert_eq!(error.faults.len(), 2);
        assert!(!error.retryable && !error.maybe_applied && error.settles());
    }

    #[test]
    fn an_unknown_outcome_says_so() {
        let detail = pb::ErrorDetail {
            code: "MAYBE_APPLIED".into(),
            retryable: true,
            maybe_applied: true,
            retry_after: Some(prost_types::Duration { seconds: 0, nanos: 50_000_000 }),
            ..Default::default()
        };
        let error = Error::from_status(&status(Code::Unavailable, &detail));
        assert!(error.retryable && error.maybe_applied && error.is_unavailable() && !error.settles());
        assert_eq!(error.retry_after, Some(Duration::from_millis(50)));
    }

    #[test]
    fn a_status_without_detail_is_still_typed() {
        let error = Error::from_status(&Status::permission_denied("operators read no alerts"));
        assert_eq!((error.code.as_str(), error.grpc), (codes::STATUS, Code::PermissionDenied));
        assert!(!error.retryable);
        let error = Error::from_status(&Status::unavailable("gone"));
        assert!(error.retryable && error.maybe_applied);
    }

    #[test]
    fn certificates_that_are_not_trusted_are_told_in_one_sentence_and_end_the_call() {
        let told = |text: &str| Error::from_status(&Status::unknown(format!("transport error: {text}")));
        let refused = told("received fatal alert: CertificateExpired");
        assert_eq!(refused.code, codes::CERTIFICATE);
        assert!(refused.message.contains("refuses this client's certificate: it is not valid now"), "{refused}");
        assert!(!refused.retryable && !refused.maybe_applied && !refused.is_unavailable());
        let untrusted = told("invalid peer certificate: UnknownIssuer");
        assert!(untrusted.message.starts_with("the node's certificate is not trusted: UnknownIssuer"), "{untrusted}");
        // An alert that is about something else is a connection that broke.
        assert_eq!(told("received fatal alert: InternalError").code, codes::CONNECTION);
    }

    #[test]
    fn every_code_of_the_client_is_in_the_document() {
        let document = include_str!("../../docs/errors.md");
        let (_, own) = document.split_once("## Errors of the client").unwrap();
        let rows: Vec<&str> =
            own.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`')).map(|(code, _)| code).collect();
        assert_eq!(rows, codes::OWN);
    }
}
