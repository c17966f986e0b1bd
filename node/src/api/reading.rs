//! A read on its way: the level, the agreement, the viewer, and the context of the answer.

use std::{sync::Arc, task::Poll, time::Duration};

use alert_core::{
    alert::{Agreement, RuleSet, Viewer},
    mutants::Mutant,
    pb,
    search::Normaliser,
    state::{Meta, normaliser_in_force, read_agreement},
};

use super::{
    admission::Class,
    backend::{AuditEntry, Leadership, Level, ReadHandle, Receipt},
    call::Call,
    core::Api,
    errors::{ApiError, ApiResult, ErrorCode, duration},
    operations::{DefaultLevel, Kind},
    tokens::TokenKind,
};
use crate::limits::{BOUND_MAX, SERVED_STALENESS_MAX, WORK_STALENESS_MAX};

/// A state to answer from, and who looks at it.
#[derive(Clone)]
pub struct Reading {
    pub handle: ReadHandle,
    /// The state machine's counters in this state.
    pub meta: Arc<Meta>,
    /// As it was served.
    pub level: pb::ReadLevel,
    /// Outside the promise of one second: for national callers who asked for whatever is here, or whom policy rather gives
    /// an old answer than none.
    may_be_old: bool,
    pub viewer: Viewer,
    /// Present for partners.
    pub agreement: Option<pb::Agreement>,
    pub rules: Arc<RuleSet>,
    /// The one in force in this state: queries are read by it, and no other.
    pub normaliser: Normaliser,
    /// What counts as now: the later of the replicated time and this node's clock, milliseconds since 1970.
    pub now_ms: u64,
    /// From when the state is, milliseconds since 1970: the time of the newest proof, or where there is none the last
    /// replicated time.
    pub as_of_ms: u64,
}

/// What a caller asks for.
#[derive(Debug, Clone, Copy)]
struct Asked {
    level: Level,
    /// It named a level that needs a quorum: it gets that or is refused.
    insists: bool,
}

impl Api {
    /// Waits for the read level, then finds out who looks.
    pub(super) async fn reading(&self, call: &Call, options: Option<&pb::ReadOptions>) -> ApiResult<Reading> {
        let asked = self.level(call, options)?;
        self.reading_or_old(call, asked.level, asked).await
    }

    /// The state for one more piece of an answer that comes in pieces: a new one each time, so that what was cancelled or
    /// suspended meanwhile is not given out.
    pub(super) async fn reading_on(&self, call: &Call, options: Option<&pb::ReadOptions>) -> ApiResult<Reading> {
        let asked = self.level(call, options)?;
        let level = match asked.level {
            Level::Local => Level::Local,
            _ => Level::Bounded(WORK_STALENESS_MAX),
        };
        self.reading_or_old(call, level, asked).await
    }

    async fn reading_or_old(&self, call: &Call, level: Level, asked: Asked) -> ApiResult<Reading> {
        match self.reading_at(call, level).await {
            Err(error) if error.code == ErrorCode::NoQuorum && !asked.insists && self.old_is_allowed(call) => {
                let level = match asked.level {
                    Level::Session { .. } => asked.level,
                    _ => Level::Local,
                };
                let mut reading = self.look(call, self.state(call, level).await?, level)?;
                (reading.may_be_old, reading.handle.without_quorum) = (true, true);
                Ok(reading)
            }
            other => other,
        }
    }

    /// The same at a level that is given. Whatever the level, the state is proven young: for all but national callers who
    /// ask for the local one.
    pub(super) async fn reading_at(&self, call: &Call, level: Level) -> ApiResult<Reading> {
        let level = match level {
            Level::Bounded(bound) => Level::Bounded(bound.min(SERVED_STALENESS_MAX)),
            level => level,
        };
        let mut handle = self.state(call, level).await?;
        if matches!(level, Level::Session { .. }) && !self.is_young(&handle) {
            handle = self.state(call, Level::Bounded(SERVED_STALENESS_MAX)).await?;
        }
        self.look(call, handle, level)
    }

    /// A state at `level`. A read that has to wait for one counts among those that wait.
    async fn state(&self, call: &Call, level: Level) -> ApiResult<ReadHandle> {
        let mut read = self.store().read(level, call.deadline);
        match futures::poll!(&mut read) {
            Poll::Ready(read) => Ok(read?),
            Poll::Pending => {
                let _waits = self.admission().enter(Class::Linearizable, call.caller_key())?;
                Ok(read.await?)
            }
        }
    }

    /// Proven young enough to be served under the promise of one second.
    fn is_young(&self, handle: &ReadHandle) -> bool {
        handle.age_at(self.host().clock.boot()).is_some_and(|age| age <= SERVED_STALENESS_MAX)
    }

    /// Without a quorum, national callers may be given what is here, by policy.
    fn old_is_allowed(&self, call: &Call) -> bool {
        self.options().local_without_quorum && !call.is_partner()
    }

    /// What the caller asks for.
    fn level(&self, call: &Call, options: Option<&pb::ReadOptions>) -> ApiResult<Asked> {
        let none = pb::ReadOptions::default();
        let options = options.unwrap_or(&none);
        let asked = pb::ReadLevel::try_from(options.level)
            .map_err(|_| ApiError::field("read.level", "OUT_OF_RANGE", "no such read level"))?;
        let level = match asked {
            pb::ReadLevel::Unspecified => match call.operation.kind {
                Kind::Read(DefaultLevel::Bounded) => Level::Bounded(self.options().bounded_default),
                _ => Level::Linearizable,
            },
            pb::ReadLevel::Linearizable => Level::Linearizable,
            pb::ReadLevel::Session => {
                let revision = self.sealer().open(TokenKind::Session, &self.store().cluster(), &options.token)?;
                Level::Session { revision }
            }
            pb::ReadLevel::Bounded => Level::Bounded(match options.bound.as_ref() {
                None => self.options().bounded_default,
                Some(asked) => bound(asked)?,
            }),
            pb::ReadLevel::Local if call.is_partner() => {
                return Err(ApiError::new(ErrorCode::LevelNotAllowed, "partners may not ask for the local level"));
            }
            pb::ReadLevel::Local => Level::Local,
        };
        let insists = matches!(asked, pb::ReadLevel::Linearizable | pb::ReadLevel::Bounded);
        Ok(Asked { level, insists })
    }

    /// Who looks at `handle`: for a partner, under which agreement, if it is in force.
    pub(super) fn look(&self, call: &Call, handle: ReadHandle, level: Level) -> ApiResult<Reading> {
        let meta = Arc::clone(&handle.meta);
        let clock = &self.host().clock;
        let now_ms = meta.time_ms.max(clock.wall_ms());
        let age = handle.age_at(clock.boot());
        let as_of_ms = age.map_or(meta.time_ms, |age| now_ms.saturating_sub(age.as_millis() as u64));
        let rules = self.caches().rules(&*handle.view, &meta)?;
        let normaliser = normaliser_in_force(&rules, self.store().normalisers())?;
        let agreement = if call.is_partner() {
            // An agreement's suspension counts everywhere within a second of its acknowledgement.
            if !self.is_young(&handle) {
                let message = "this node cannot prove its state young enough to serve a partner";
                return Err(ApiError::new(ErrorCode::NoQuorum, message));
            }
            let agreement = read_agreement(&*handle.view, &call.context.message.agreement_id)?;
            let agreement = in_force(call, agreement, now_ms)?;
            self.admission().count_agreement(&agreement.0, call.counts_as, self.now())?;
            Some(agreement)
        } else {
            None
        };
        let (agreement, seen) = agreement.unzip();
        let mut caller = call.caller().clone();
        if Mutant::FilterSkippedOnFollower.is_planted()
            && !matches!(*self.store().leadership().borrow(), Leadership::Me { .. })
        {
            caller.role = alert_core::alert::Role::Search;
        }
        let viewer = Viewer::of_authority(caller, seen, &rules);
        Ok(Reading {
            handle,
            meta,
            level: served(level),
            may_be_old: agreement.is_none() && level == Level::Local,
            viewer,
            agreement,
            rules,
            normaliser,
            now_ms,
            as_of_ms,
        })
    }

    /// The one-second promise, kept to the last step: however long the work and the audit record took, an answer from a
    /// state that may be older by now does not leave.
    pub(super) fn check_leaves(&self, reading: &Reading) -> ApiResult<()> {
        if reading.may_be_old {
            return Ok(());
        }
        if !self.is_young(&reading.handle) {
            let message = "the answer took so long that the state behind it may be too old by now";
            return Err(ApiError::new(ErrorCode::Behind, message));
        }
        Ok(())
    }

    /// Makes the audit record durable and gives the context of the answer, which may leave now.
    pub(super) async fn disclose(
        &self,
        call: &Call,
        reading: &Reading,
        disclosed: Vec<pb::AuditDisclosure>,
    ) -> ApiResult<pb::AnswerContext> {
        // Counts and settings say nothing of an alert, and may take their time.
        let shows = call.is_partner() || !disclosed.is_empty();
        if shows {
            self.check_leaves(reading)?;
        }
        let receipt = self.audit(call, disclosed, reading.handle.revision, tonic::Code::Ok).await?;
        if shows {
            self.check_leaves(reading)?;
        }
        Ok(self.context_of(call, reading, receipt))
    }

    /// The whole context of an answer from `reading`.
    pub(super) fn context_of(&self, call: &Call, reading: &Reading, receipt: Receipt) -> pb::AnswerContext {
        let versions = reading.rules.versions();
        pb::AnswerContext {
            level: reading.level as i32,
            staleness_bound: match reading.level {
                pb::ReadLevel::Local => None,
                _ => reading.handle.age_at(self.host().clock.boot()).map(duration),
            },
            rules: Some(pb::RuleVersions {
                search_profile: versions.search_profile,
                normaliser: reading.normaliser.version().into(),
                agreement: reading.agreement.as_ref().map_or(0, |agreement| agreement.version),
                code_lists: versions.code_lists,
            }),
            without_quorum: reading.handle.without_quorum,
            ..self.answer_context(call, reading.handle.revision, receipt)
        }
    }

    /// The part of the context that every answer has.
    pub(super) fn answer_context(&self, call: &Call, revision: u64, receipt: Receipt) -> pb::AnswerContext {
        let (cluster, node) = (self.store().cluster(), self.store().node());
        pb::AnswerContext {
            token: self.sealer().seal(TokenKind::Session, &cluster, revision),
            cluster: cluster.cluster_id,
            epoch: cluster.epoch,
            // Gaps would tell a partner of changes that it may not see.
            revision: if call.is_partner() { 0 } else { revision },
            node: node.name,
            data_centre: node.data_centre,
            receipt: self.receipt_for(call, &receipt),
            ..Default::default()
        }
    }

    /// One attempt in the audit log.
    pub(super) async fn audit(
        &self,
        call: &Call,
        disclosed: Vec<pb::AuditDisclosure>,
        revision: u64,
        outcome: tonic::Code,
    ) -> ApiResult<Receipt> {
        call.begin_audit();
        let entry = AuditEntry {
            search_id: call.context.search_id,
            at_ms: self.host().clock.wall_ms(),
            caller: call.caller().clone(),
            certificate_serial: call.peer.certificate_serial.clone(),
            context: call.context.message.clone(),
            operation: call.operation.name,
            asked: call.asked_for_audit.as_ref().unwrap_or(&call.asked).clone(),
            disclosed,
            revision,
            outcome,
        };
        Ok(self.audit_sink().record(entry).await?)
    }

    /// A refused attempt. Nothing is disclosed, so a log that cannot be written keeps no error back.
    pub(super) async fn audit_refusal(&self, call: &Call, error: &ApiError) {
        if call.begin_audit()
            && let Err(error) = self.audit(call, Vec::new(), 0, error.code.row().grpc).await
        {
            tracing::error!(code = error.code.row().name, "a refused call is missing in the audit log");
        }
    }
}

fn served(level: Level) -> pb::ReadLevel {
    match level {
        Level::Linearizable => pb::ReadLevel::Linearizable,
        Level::Session { .. } => pb::ReadLevel::Session,
        Level::Bounded(_) => pb::ReadLevel::Bounded,
        Level::Local => pb::ReadLevel::Local,
    }
}

fn bound(bound: &prost_types::Duration) -> ApiResult<Duration> {
    Duration::try_from(*bound)
        .ok()
        .filter(|bound| !bound.is_zero() && *bound <= BOUND_MAX)
        .ok_or_else(|| ApiError::field("read.bound", "OUT_OF_RANGE", "above zero, at most one hour"))
}

/// The agreement a partner calls under, if it is this partner's, in force, and allows the purpose.
fn in_force(call: &Call, stored: Option<pb::Agreement>, now_ms: u64) -> ApiResult<(pb::Agreement, Agreement)> {
    // An agreement that does not exist and one that is somebody else's answer alike.
    let (stored, agreement) = stored
        .map(|stored| (Agreement::new(&stored), stored))
        .filter(|(agreement, _)| agreement.is_for(call.caller()))
        .map(|(agreement, stored)| (stored, agreement))
        .ok_or_else(|| ApiError::plain(ErrorCode::AgreementUnknown))?;
    if !agreement.in_force(now_ms) {
        let why = match stored.state() {
            pb::AgreementState::Active => "the agreement is outside its validity",
            pb::AgreementState::Suspended => "the agreement is suspended",
            pb::AgreementState::Ended => "the agreement has ended",
            pb::AgreementState::Unspecified => "the agreement is not in force",
        };
        return Err(ApiError::new(ErrorCode::AgreementNotInForce, why));
    }
    let purpose = call.context.message.purpose.as_ref().map_or("", |purpose| purpose.value.as_str());
    if !agreement.allows_purpose(purpose) {
        return Err(ApiError::plain(ErrorCode::PurposeNotAllowed));
    }
    Ok((stored, agreement))
}
