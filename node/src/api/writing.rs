//! A change on its way: to the leader, through the log, and back with a typed answer.

use std::{sync::Arc, time::Duration};

use alert_core::{
    alert::AlertId,
    pb,
    state::command::{Command, Done, Proposal, Rejection},
};
use bytes::Bytes;
use prost::Message;
use tonic::Status;

use super::{
    backend::{Deadline, ForwardError, Leadership, Level, StateView},
    call::Call,
    core::{Api, Operate, Refusal, too_late_for_a_change},
    errors::{ApiError, ApiResult, ErrorCode, detail_of},
    reading::Reading,
};
use crate::limits::LEADER_POLL;

impl Api {
    /// Makes a change wherever the leader is: here, or there by sending the call on. While there is no leader the call
    /// is held. An attempt whose outcome is not known is repeated under the same request id, which has one effect.
    pub(super) async fn through_leader<M: Operate>(&self, call: &Call, message: &M) -> Result<M::Reply, Refusal> {
        let mut leadership = self.store().leadership();
        let mut maybe_applied = false;
        let mut encoded: Option<Bytes> = None;
        loop {
            let leader = leadership.borrow_and_update().clone();
            let held = match leader {
                Leadership::Me { .. } => {
                    match tokio::time::timeout_at(call.deadline, message.operate(self, call)).await {
                        Ok(Ok(reply)) => return Ok(reply),
                        Ok(Err(error)) => hold_or_fail(error, &mut maybe_applied)?,
                        Err(_) => return Err(Refusal::Here(too_late_for_a_change())),
                    }
                }
                Leadership::Other(hint) => {
                    let bytes = encoded.get_or_insert_with(|| with_context(call, message)).clone();
                    let peer = call.peer.clone();
                    let method = call.operation.method;
                    match self.store().forward(hint.clone(), method, bytes, peer, call.deadline).await {
                        Ok(Ok(reply)) => {
                            return M::Reply::decode(reply).map_err(|error| Refusal::Here(ApiError::internal(error)));
                        }
                        Ok(Err(status)) => at_leader(status, &mut maybe_applied)?,
                        Err(ForwardError::Unreachable(_)) => {
                            Box::new(ApiError { leader: Some(hint), ..*ApiError::plain(ErrorCode::NotLeader) })
                        }
                        Err(ForwardError::Broken) => {
                            maybe_applied = true;
                            ApiError::plain(ErrorCode::MaybeApplied)
                        }
                    }
                }
                Leadership::Unknown => ApiError::plain(ErrorCode::NoLeader),
            };
            if !until_leader_changes(&mut leadership, call.deadline).await {
                return Err(Refusal::Here(match maybe_applied {
                    true => ApiError::plain(ErrorCode::MaybeApplied),
                    false => held,
                }));
            }
        }
    }

    /// Puts one command through the log.
    pub(super) async fn propose(&self, call: &Call, rules_revision: u64, command: Command) -> ApiResult<Done> {
        self.propose_as(call, rules_revision, command).await?.map_err(Into::into)
    }

    /// The same for a command that may be repeated as often as it likes, and is one of several of its call.
    pub(super) async fn propose_unkeyed(&self, call: &Call, rules_revision: u64, command: Command) -> ApiResult<Done> {
        let proposal = Proposal { caller: Some(call.caller().clone()), request: None, rules_revision, command };
        self.store().propose(proposal, call.deadline).await?.map_err(Into::into)
    }

    /// The same, with the state machine's rejection as it is.
    pub(super) async fn propose_as(
        &self,
        call: &Call,
        rules_revision: u64,
        command: Command,
    ) -> ApiResult<Result<Done, Rejection>> {
        let proposal =
            Proposal { caller: Some(call.caller().clone()), request: call.request_key(), rules_revision, command };
        Ok(self.store().propose(proposal, call.deadline).await?)
    }

    /// The state as this node has it, for its rules. Decides nothing that apply does not decide again.
    pub(super) async fn here(&self, call: &Call) -> ApiResult<Reading> {
        let handle = self.store().read(Level::Local, call.deadline).await?;
        self.look(call, handle, Level::Local)
    }

    /// What this node has applied, to read back what a change has come to.
    pub(super) async fn applied_here(&self, call: &Call) -> ApiResult<Arc<dyn StateView>> {
        let read = self.store().read(Level::Local, call.deadline).await;
        // The change stands, whatever keeps it from being read back.
        let read = read.map_err(|error| Box::new(ApiError { maybe_applied: true, ..*Box::<ApiError>::from(error) }));
        Ok(read?.view)
    }

    /// Makes the audit record of a change durable and gives the context of its answer.
    pub(super) async fn written(&self, call: &Call, done: &Done) -> ApiResult<pb::AnswerContext> {
        let changed = (done.id != NO_ID).then(|| changed(done.id, done.version));
        self.written_all(call, done.revision, changed.into_iter().collect()).await
    }

    /// The same for several records.
    pub(super) async fn written_all(
        &self,
        call: &Call,
        revision: u64,
        changed: Vec<pb::AuditDisclosure>,
    ) -> ApiResult<pb::AnswerContext> {
        let receipt = self
            .audit(call, changed, revision, tonic::Code::Ok)
            .await
            .map_err(|error| Box::new(ApiError { maybe_applied: true, ..*error }))?;
        let context = self.answer_context(call, revision, receipt);
        Ok(pb::AnswerContext { level: pb::ReadLevel::Linearizable as i32, ..context })
    }

    /// A fresh id: the time and randomness of this node, the leader. A retry under the same request id is answered
    /// with the id of the first attempt.
    pub(super) fn new_id(&self) -> AlertId {
        let mut random = [0; 10];
        self.host().random.fill(&mut random);
        AlertId::from_time_and_random(self.host().clock.wall_ms(), random)
    }
}

/// In answers about what is no alert.
pub(super) const NO_ID: AlertId = AlertId::from_bytes([0; 16]);

/// What a change did, for the audit log.
pub(super) fn changed(id: AlertId, version: u64) -> pb::AuditDisclosure {
    pb::AuditDisclosure { alert_id: id.to_string(), version, what: "change".into() }
}

/// Errors that another leader, or the same one a moment later, may not give are held; the others go to the caller.
fn hold_or_fail(error: Box<ApiError>, maybe_applied: &mut bool) -> Result<Box<ApiError>, Refusal> {
    match error.code {
        ErrorCode::NotLeader | ErrorCode::NoLeader => Ok(error),
        ErrorCode::MaybeApplied => {
            *maybe_applied = true;
            Ok(error)
        }
        // A refusal by the state machine is an answer. Anything else leaves an earlier attempt's outcome open.
        code if code.row().retryable => {
            Err(Refusal::Here(Box::new(ApiError { maybe_applied: error.maybe_applied || *maybe_applied, ..*error })))
        }
        _ => Err(Refusal::Here(error)),
    }
}

/// The same for what the leader answered to a call sent on.
fn at_leader(status: Status, maybe_applied: &mut bool) -> Result<Box<ApiError>, Refusal> {
    let Some(mut detail) = detail_of(&status) else { return Err(Refusal::AtLeader(status)) };
    let is = |code: ErrorCode| detail.code == code.row().name;
    if is(ErrorCode::NotLeader) || is(ErrorCode::NoLeader) {
        return Ok(ApiError::plain(ErrorCode::NoLeader));
    }
    if is(ErrorCode::MaybeApplied) {
        *maybe_applied = true;
        return Ok(ApiError::plain(ErrorCode::MaybeApplied));
    }
    if detail.retryable && *maybe_applied && !detail.maybe_applied {
        detail.maybe_applied = true;
        let details = detail.encode_to_vec().into();
        return Err(Refusal::AtLeader(Status::with_details(status.code(), status.message(), details)));
    }
    Err(Refusal::AtLeader(status))
}

/// False when `give_up` came first. Looks again after a while even without a change: the leader may be the same and
/// take calls again.
async fn until_leader_changes(leadership: &mut tokio::sync::watch::Receiver<Leadership>, give_up: Deadline) -> bool {
    let wake = Deadline::now() + LEADER_POLL;
    if wake >= give_up {
        return false;
    }
    tokio::select! {
        biased;
        changed = leadership.changed() => if changed.is_err() {
            // The store is gone; so will this node be.
            tokio::time::sleep_until(wake).await;
        },
        () = tokio::time::sleep_until(wake) => {}
    }
    // A leader that changes again and again must not turn this into a busy loop.
    tokio::time::sleep(Duration::from_millis(1)).await;
    true
}

/// The call as it came, encoded, to be sent on.
fn with_context<M: Operate>(call: &Call, message: &M) -> Bytes {
    let mut message = message.clone();
    message.set_context(call.context.message.clone());
    message.encode_to_vec().into()
}
