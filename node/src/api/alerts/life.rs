//! Changes of an alert's life that leave its content as it is.

use alert_core::{
    alert::{
        AlertId,
        rules::{CodeStatus, lists},
        time::to_ms,
    },
    pb,
    state::command::Command,
};
use prost::Message;

use super::super::{
    call::Call,
    core::{Api, Operate},
    errors::{ApiError, ApiResult, ErrorCode, fault},
    operations::{self, Operation},
    reading::Reading,
    records::parse_id,
};

/// A change of one alert: the id is checked, the command is made, proposed and answered.
macro_rules! life {
    ($($request:ident = $operation:ident, |$this:ident, $call:ident, $id:ident| $command:expr;)*) => {
        $(impl Operate for pb::$request {
            const OPERATION: &'static Operation = &operations::$operation;
            type Reply = pb::WriteResponse;

            async fn operate(&self, api: &Api, call: &Call) -> ApiResult<Self::Reply> {
                let ($this, $call) = (self, call);
                let $id = parse_id("alert_id", &self.alert_id)?;
                let command: Command = $command;
                api.change_life(call, command).await
            }
        })*
    };
}

life! {
    SubmitRequest = SUBMIT, |this, call, id| Command::Submit {
        id,
        expected_version: this.expected_version,
        by: officer(call),
        note: this.note.clone(),
    };
    ApproveRequest = APPROVE, |this, call, id| Command::Approve {
        id,
        expected_version: this.expected_version,
        by: officer(call),
        note: this.note.clone(),
    };
    RejectRequest = REJECT, |this, call, id| Command::Reject {
        id,
        expected_version: this.expected_version,
        by: officer(call),
        note: this.note.clone(),
    };
    ExtendRequest = EXTEND, |this, call, id| Command::Extend {
        id,
        expected_version: this.expected_version,
        until_ms: until(this)?,
        reviewed_by: if this.reviewed_by.is_empty() { officer(call) } else { this.reviewed_by.clone() },
        assessment: assessment(this)?,
    };
    RestrictRequest = RESTRICT, |this, call, id| Command::Restrict {
        id,
        expected_version: this.expected_version,
        restriction: restriction(this, call)?.encode_to_vec(),
    };
    LiftRestrictionRequest = LIFT_RESTRICTION, |this, call, id| Command::LiftRestriction {
        id,
        expected_version: this.expected_version,
        number: this.restriction_number,
        by: officer(call),
    };
    EraseRequest = ERASE, |this, call, id| Command::Erase {
        id,
        ground: ground(this)?,
        by: officer(call),
    };
    WithdrawConsentRequest = WITHDRAW_CONSENT, |this, _call, id| Command::WithdrawConsent {
        id,
        expected_version: this.expected_version,
        victim_index: this.victim_index,
        field_categories: this.field_categories.iter().map(|code| code.value.clone()).collect(),
    };
    TransferOwnerRequest = TRANSFER_OWNER, |this, _call, id| Command::TransferOwner {
        id,
        expected_version: this.expected_version,
        owner: new_owner(this)?.encode_to_vec(),
    };
}

impl Operate for pb::CancelRequest {
    const OPERATION: &'static Operation = &operations::CANCEL;
    type Reply = pb::WriteResponse;

    async fn operate(&self, api: &Api, call: &Call) -> ApiResult<Self::Reply> {
        let id = parse_id("alert_id", &self.alert_id)?;
        let reason = self.reason.as_ref().map_or("", |reason| reason.value.as_str());
        if reason.is_empty() {
            return Err(ApiError::field("reason", "REQUIRED", "why the alert ends: a code of the list 'deletion-reason'"));
        }
        let here = api.here(call).await?;
        known("reason", lists::DELETION_REASON, reason, &here)?;
        let expected_version = self.expected_version;
        let command = Command::Cancel { id, expected_version, reason: reason.into(), by: officer(call) };
        let done = api.propose(call, here.meta.rules_revision, command).await?;
        api.write_response(call, &done, Vec::new()).await
    }
}

impl Api {
    async fn change_life(&self, call: &Call, command: Command) -> ApiResult<pb::WriteResponse> {
        let here = self.here(call).await?;
        let done = self.propose(call, here.meta.rules_revision, command).await?;
        self.write_response(call, &done, Vec::new()).await
    }
}

/// Who stands behind the call, as the context says.
pub(super) fn officer(call: &Call) -> String {
    call.context.message.officer_ref.clone()
}

/// Refuses a code that its list does not hold or holds for old records only.
pub(super) fn known(field: &str, list: &str, value: &str, here: &Reading) -> ApiResult<()> {
    match here.rules.code(list, value) {
        CodeStatus::Known(_) | CodeStatus::Unknown { closed: false } => Ok(()),
        CodeStatus::Withdrawn(_) | CodeStatus::Unknown { closed: true } | CodeStatus::NoSuchList => {
            let message = format!("not a value in force of the list '{list}'");
            Err(ApiError::faulty(ErrorCode::UnknownCode, vec![fault(field, "UNKNOWN_CODE", message)]))
        }
    }
}

fn until(request: &pb::ExtendRequest) -> ApiResult<Option<u64>> {
    let Some(until) = &request.until else { return Ok(None) };
    let ms = to_ms(until).ok_or_else(|| ApiError::field("until", "OUT_OF_RANGE", "a time from 1970 to 9999"))?;
    Ok(Some(ms))
}

fn assessment(request: &pb::ExtendRequest) -> ApiResult<String> {
    match request.assessment.trim() {
        "" => Err(ApiError::field("assessment", "REQUIRED", "an alert is extended after an individual assessment")),
        _ => Ok(request.assessment.clone()),
    }
}

fn ground(request: &pb::EraseRequest) -> ApiResult<String> {
    match request.ground.trim() {
        "" => Err(ApiError::field("ground", "REQUIRED", "why it is erased, without the data that is erased")),
        _ => Ok(request.ground.clone()),
    }
}

fn restriction(request: &pb::RestrictRequest, call: &Call) -> ApiResult<pb::Restriction> {
    let required = |field: &str, message: &str| ApiError::field(&format!("restriction.{field}"), "REQUIRED", message);
    let mut restriction = request.restriction.clone().ok_or_else(|| required("kind", "the restriction"))?;
    let mut faults = Vec::new();
    let mut faulty = |error: Box<ApiError>| faults.extend(error.faults);
    match restriction.kind() {
        pb::RestrictionKind::Unspecified => faulty(required("kind", "suspended, blocked or flagged")),
        pb::RestrictionKind::Flagged if restriction.substitute_action.is_none() => {
            faulty(required("substitute_action", "a flag puts another action in place of the alert's own"));
        }
        _ => {}
    }
    for (field, time) in [("restriction.from", &restriction.from), ("restriction.until", &restriction.until)] {
        if time.as_ref().is_some_and(|time| to_ms(time).is_none()) {
            faulty(ApiError::field(field, "OUT_OF_RANGE", "a time from 1970 to 9999"));
        }
    }
    if let (Some(from), Some(until)) = (&restriction.from, &restriction.until)
        && to_ms(until) <= to_ms(from)
    {
        faulty(ApiError::field("restriction.until", "INCONSISTENT", "ends before it begins"));
    }
    if !faults.is_empty() {
        return Err(ApiError::faulty(ErrorCode::RequestInvalid, faults));
    }
    if restriction.requested_by.is_empty() {
        restriction.requested_by = officer(call);
    }
    Ok(restriction)
}

fn new_owner(request: &pb::TransferOwnerRequest) -> ApiResult<&pb::Owner> {
    let owner = request.new_owner.as_ref().filter(|owner| {
        owner.party.as_ref().is_some_and(|party| !party.code.is_empty())
            && owner.authority.as_ref().is_some_and(|authority| !authority.value.is_empty())
    });
    owner.ok_or_else(|| ApiError::field("new_owner", "REQUIRED", "party and authority of the new owner"))
}

/// Ids of two different alerts.
pub(super) fn two_ids(a: &str, b: &str) -> ApiResult<(AlertId, AlertId)> {
    let ids = (parse_id("alert_a", a)?, parse_id("alert_b", b)?);
    if ids.0 == ids.1 {
        return Err(ApiError::field("alert_b", "INVALID", "an alert is not linked to itself"));
    }
    Ok(ids)
}
