//! What all services share: the store, the audit log, caches, and the way of a unary call through them.

use std::{sync::Arc, time::Duration};

use alert_cluster_config::node::{LimitsSection, PolicySection};
use prost::Message;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};
use tracing::Instrument;

use super::{
    admission::{Admission, AdmissionLimits, Class, Now, Ticket},
    backend::{AdminBackend, AuditBackend, AuditSink, Deadline, ForwardedCaller, Store},
    caches::Caches,
    call::{Call, peer_of},
    context::PublicRequest,
    deadline,
    errors::{ApiError, ApiResult, ErrorCode},
    observe,
    operations::{Kind, Operation},
    tokens::TokenSealer,
};
use crate::{limits::ANSWER_MARGIN, seam::Host};

/// Choices of the node's configuration that the services follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ApiOptions {
    /// National callers who named no read level are answered from the local state, marked as such, when no quorum can
    /// be reached: rather an old answer than a dead border.
    pub local_without_quorum: bool,
    /// Bound of a search that names none.
    pub bounded_default: Duration,
    /// Longest deadline of a unary call; a longer one is cut to this.
    pub deadline_max: Duration,
    /// How much work is taken on.
    pub admission: AdmissionLimits,
    /// Connections at once.
    pub connections_max: usize,
    /// Calls under way at once on one connection.
    pub calls_per_connection_max: u32,
}

impl ApiOptions {
    /// As the configuration says.
    pub fn of(limits: &LimitsSection, policy: &PolicySection) -> Self {
        Self {
            local_without_quorum: policy.local_without_quorum,
            bounded_default: Duration::from_millis(policy.bounded_default_ms),
            deadline_max: Duration::from_millis(limits.deadline_max_ms),
            admission: limits.into(),
            connections_max: limits.connections_max as usize,
            calls_per_connection_max: u32::try_from(limits.calls_per_connection_max).unwrap_or(u32::MAX),
        }
    }
}

impl Default for ApiOptions {
    fn default() -> Self {
        Self::of(&LimitsSection::default(), &PolicySection::default())
    }
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
    admission: Admission,
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
        let admission = Admission::new(parts.options.admission);
        let inner = Inner { parts, caches: Caches::default(), admission, stopping: CancellationToken::new() };
        Self { inner: Arc::new(inner) }
    }

    pub(super) fn store(&self) -> &dyn Store {
        &*self.inner.parts.store
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

    pub(super) fn admission(&self) -> &Admission {
        &self.inner.admission
    }

    /// Now, on this node's clocks.
    pub(super) fn now(&self) -> Now {
        Now { boot: self.host().clock.boot(), wall_ms: self.host().clock.wall_ms() }
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
        let deadline = deadline::of_call(request.metadata(), self.options().deadline_max);
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
            // Where the call came from its caller is counted; there too a read is let in or refused before any work.
            let let_in = match route {
                Route::FromClient => self.let_in(&call),
                Route::Forwarded => Ok(None),
            };
            let _ticket = match let_in {
                Ok(ticket) => ticket,
                Err(error) => return Err(self.refuse(&call, error).await.into()),
            };
            let result = match (M::OPERATION.kind, route) {
                (Kind::Read(_), _) => {
                    deadline::within(call.deadline, message.operate(self, &call)).await.map_err(Refusal::Here)
                }
                (Kind::Write | Kind::KeyedWrite, Route::Forwarded) => {
                    match tokio::time::timeout_at(call.deadline, message.operate(self, &call)).await {
                        Ok(done) => done.map_err(Refusal::Here),
                        Err(_) => Err(Refusal::Here(too_late_for_a_change())),
                    }
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

    /// Counts a call against its caller's quota and the node's limits. Changes wait in the proposal queue, which has a
    /// limit of its own.
    fn let_in(&self, call: &Call) -> ApiResult<Option<Ticket>> {
        self.admission().count_caller(call.caller_key(), 1, self.now())?;
        match call.operation.kind {
            Kind::Read(_) => self.admission().enter(Class::Search, call.caller_key()).map(Some),
            Kind::Write | Kind::KeyedWrite => Ok(None),
        }
    }

    /// The last step of a call that failed here: the attempt goes into the audit log. Not so a call that was turned away
    /// because there are too many: it was not looked at, and a record for each would be work without a bound.
    pub(super) async fn refuse(&self, call: &Call, error: Box<ApiError>) -> Box<ApiError> {
        observe::refused(call.operation, &error);
        if !matches!(error.code, ErrorCode::AuditUnavailable | ErrorCode::Overloaded | ErrorCode::QuotaExceeded) {
            // A refusal gives nothing out: it waits for its record while its caller waits, and no longer.
            let until = call.deadline.max(Deadline::now() + ANSWER_MARGIN / 2);
            if tokio::time::timeout_at(until, self.audit_refusal(call, &error)).await.is_err() {
                tracing::error!(
                    code = error.code.row().name,
                    "a refused call left before its audit record was durable"
                );
            }
        }
        error
    }
}

/// The deadline came while a change was on its way: how far it got is not known.
pub(super) fn too_late_for_a_change() -> Box<ApiError> {
    Box::new(ApiError { maybe_applied: true, ..*ApiError::plain(ErrorCode::DeadlineExceeded) })
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
