//! What all services share: the store, the audit log, caches, and the way of a unary call through them.

use std::sync::Arc;

use prost::Message;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};
use tracing::Instrument;

use super::{
    backend::{AdminBackend, AuditBackend, AuditSink, Deadline, ForwardedCaller, Store},
    batch::BatchTurns,
    caches::Caches,
    call::{Call, peer_of},
    context::PublicRequest,
    deadline,
    errors::{ApiError, ApiResult, ErrorCode},
    observe,
    operations::{Kind, Operation},
    tokens::TokenSealer,
};
use crate::seam::Host;

/// Choices of the node's configuration that the services follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ApiOptions {
    /// National callers who named no read level are answered from the local state, marked as such, when no quorum can
    /// be reached: rather an old answer than a dead border.
    pub local_without_quorum: bool,
}

/// What the services are put together from.
pub struct ApiParts {
    pub store: Arc<dyn Store>,
    pub audit: Arc<dyn AuditSink>,
    pub audit_log: Arc<dyn AuditBackend>,
    pub admin: Arc<dyn AdminBackend>,
    pub host: Host,
    pub sealer: TokenSealer,
    pub options: ApiOptions,
}

/// Every service of the node. Cheap to clone.
#[derive(Clone)]
pub struct Api {
    inner: Arc<Inner>,
}

struct Inner {
    parts: ApiParts,
    caches: Caches,
    batch_turns: BatchTurns,
    stopping: CancellationToken,
}

/// A unary call: the request type says which operation it is and what it does.
pub trait Operate: PublicRequest + Sync {
    const OPERATION: &'static Operation;
    type Reply: Message + Default + 'static;

    /// Answers the call. Runs on any node for reads; for changes on the leader, and again when the leader moves before
    /// the change is proposed.
    fn operate(&self, api: &Api, call: &Call) -> impl Future<Output = ApiResult<Self::Reply>> + Send;
}

impl Api {
    /// The services on top of `parts`.
    pub fn new(parts: ApiParts) -> Self {
        let inner = Inner {
            parts,
            caches: Caches::default(),
            batch_turns: BatchTurns::default(),
            stopping: CancellationToken::new(),
        };
        Self { inner: Arc::new(inner) }
    }

    pub(super) fn store(&self) -> &dyn Store {
        &*self.inner.parts.store
    }

    pub(super) fn batch_turns(&self) -> &BatchTurns {
        &self.inner.batch_turns
    }

    pub(super) fn audit_sink(&self) -> &dyn AuditSink {
        &*self.inner.parts.audit
    }

    pub(super) fn audit_log(&self) -> &dyn AuditBackend {
        &*self.inner.parts.audit_log
    }

    pub(super) fn admin(&self) -> &dyn AdminBackend {
        &*self.inner.parts.admin
    }

    pub(super) fn host(&self) -> &Host {
        &self.inner.parts.host
    }

    pub(super) fn sealer(&self) -> &TokenSealer {
        &self.inner.parts.sealer
    }

    pub(super) fn options(&self) -> ApiOptions {
        self.inner.parts.options
    }

    pub(super) fn caches(&self) -> &Caches {
        &self.inner.caches
    }

    /// Ends the streams that never end of themselves; part of stopping the node.
    pub fn stop(&self) {
        self.inner.stopping.cancel();
    }

    pub(super) fn stopping(&self) -> &CancellationToken {
        &self.inner.stopping
    }

    /// A unary call from a client.
    pub(super) async fn unary<M: Operate>(&self, request: Request<M>) -> Result<Response<M::Reply>, Status> {
        let started = Deadline::now();
        let deadline = deadline::of_call(request.metadata());
        let result = match peer_of(&request) {
            Ok(peer) => self.unary_from(peer, deadline, request.into_inner(), Route::FromClient).await,
            Err(error) => Err(error.into()),
        };
        observe::call(M::OPERATION, result.as_ref().err(), started.elapsed());
        result.map(Response::new)
    }

    /// The same for a caller that another node vouches for.
    pub(super) async fn unary_from<M: Operate>(
        &self,
        peer: ForwardedCaller,
        deadline: Deadline,
        mut message: M,
        route: Route,
    ) -> Result<M::Reply, Status> {
        let call = match Call::enter(M::OPERATION, peer, deadline, &mut message) {
            Ok(call) => call,
            Err(error) => {
                observe::refused(M::OPERATION, &error);
                return Err(error.into());
            }
        };
        let span = call.span();
        async {
            let result = match (M::OPERATION.kind, route) {
                (Kind::Read(_), _) | (_, Route::Forwarded) => {
                    deadline::within(call.deadline, message.operate(self, &call)).await.map_err(Refusal::Here)
                }
                (Kind::Write | Kind::KeyedWrite, Route::FromClient) => self.through_leader(&call, &message).await,
            };
            match result {
                Ok(reply) => Ok(reply),
                Err(Refusal::AtLeader(status)) => Err(status),
                Err(Refusal::Here(error)) => Err(self.refuse(&call, error).await.into()),
            }
        }
        .instrument(span)
        .await
    }

    /// The answer of a call that is declared and does nothing yet: whom it is not open to learns that first.
    pub(super) fn not_yet<T>(&self, operation: &'static Operation, request: &Request<T>, what: &str) -> Status {
        let permitted = peer_of(request).and_then(|peer| operation.permit(&peer.caller));
        let error = permitted.err().unwrap_or_else(|| ApiError::unimplemented(what));
        observe::refused(operation, &error);
        error.into()
    }

    /// The last step of a call that failed here: the attempt goes into the audit log.
    pub(super) async fn refuse(&self, call: &Call, error: Box<ApiError>) -> Box<ApiError> {
        observe::refused(call.operation, &error);
        if error.code != ErrorCode::AuditUnavailable {
            self.audit_refusal(call, &error).await;
        }
        error
    }
}

/// How a call came to this node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    /// From the caller itself: may be sent on to the leader, once.
    FromClient,
    /// From another node, which holds the call: answered here or refused.
    Forwarded,
}

/// Why there is no answer.
pub(super) enum Refusal {
    /// This node says so.
    Here(Box<ApiError>),
    /// The leader said so, and has logged it.
    AtLeader(Status),
}
