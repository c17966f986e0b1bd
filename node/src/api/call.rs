//! One call on its way through the services: who, what, why, until when.

use std::sync::atomic::{AtomicBool, Ordering};

use alert_core::{
    alert::{Caller, Role},
    state::command::RequestKey,
};
use tonic::Request;
use tracing::Span;

use super::{
    admission::CallerKey,
    backend::{Deadline, ForwardedCaller},
    context::{Context, PublicRequest},
    errors::{ApiError, ApiResult, ErrorCode},
    operations::Operation,
    peer::Peer,
};

/// A call that was let in: its role opens the operation and its context is complete.
#[derive(Debug)]
pub struct Call {
    pub operation: &'static Operation,
    pub peer: ForwardedCaller,
    pub context: Context,
    pub deadline: Deadline,
    /// The request without its context, encoded.
    pub asked: Vec<u8>,
    /// The same for the audit log, where that leaves something out.
    pub asked_for_audit: Option<Vec<u8>>,
    /// Calls that it counts as under an agreement's quota: one; a batch its queries; a step of a stream nothing.
    pub counts_as: u32,
    caller_key: CallerKey,
    audited: AtomicBool,
}

impl Call {
    /// Lets a call in, or says why not. Takes the context out of `message`.
    pub fn enter<M: PublicRequest>(
        operation: &'static Operation,
        peer: ForwardedCaller,
        deadline: Deadline,
        message: &mut M,
    ) -> ApiResult<Self> {
        operation.permit(&peer.caller)?;
        let context = Context::check(operation, &peer.caller, message.take_context())?;
        let audited = AtomicBool::new(false);
        let (asked, asked_for_audit) = (message.encode_to_vec(), message.for_audit());
        let caller_key = CallerKey::from(&peer.caller);
        Ok(Self { operation, peer, context, deadline, asked, asked_for_audit, counts_as: 1, caller_key, audited })
    }

    /// One step of a stream: the same caller and context, another deadline and question.
    pub fn step<M: PublicRequest>(&self, deadline: Deadline, message: &M) -> Self {
        Self {
            operation: self.operation,
            peer: self.peer.clone(),
            context: self.context.clone(),
            deadline,
            asked: message.encode_to_vec(),
            asked_for_audit: message.for_audit(),
            counts_as: 0,
            caller_key: self.caller_key,
            audited: AtomicBool::new(false),
        }
    }

    /// Who calls, as far as fairness goes.
    pub fn caller_key(&self) -> CallerKey {
        self.caller_key
    }

    /// Who calls.
    pub fn caller(&self) -> &Caller {
        &self.peer.caller
    }

    /// True for partners: sealed tokens, no revisions, agreements, no local reads.
    pub fn is_partner(&self) -> bool {
        self.caller().role == Role::Partner
    }

    /// Makes a retry of this change have one effect: the request id with a hash of the method and of what was asked.
    /// Nothing for calls that are keyed by their content.
    pub fn request_key(&self) -> Option<RequestKey> {
        if !self.operation.needs_request_id() {
            return None;
        }
        let (session, sequence) = self.context.request?;
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.operation.method.as_bytes());
        hasher.update(&[0]);
        hasher.update(&self.asked);
        let content_hash = *hasher.finalize().as_bytes().first_chunk().expect("a BLAKE3 hash is longer than 16 bytes");
        Some(RequestKey { session, sequence, content_hash })
    }

    /// True the first time: each answer or refusal has one attempt in the audit log.
    pub fn begin_audit(&self) -> bool {
        !self.audited.swap(true, Ordering::Relaxed)
    }

    /// For logs: no personal data.
    pub fn span(&self) -> Span {
        tracing::info_span!(
            "call",
            operation = self.operation.name,
            caller = %self.caller(),
            search_id = %self.context.search_id,
        )
    }
}

/// Who is at the other end of the connection that `request` came over.
pub fn peer_of<T>(request: &Request<T>) -> ApiResult<ForwardedCaller> {
    let peer = request.extensions().get::<Peer>().ok_or_else(|| ApiError::plain(ErrorCode::Unauthenticated))?;
    Ok(ForwardedCaller { caller: peer.0.caller.clone(), certificate_serial: peer.0.certificate_serial.clone() })
}
