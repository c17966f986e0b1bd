//! Changes of an alert's life that leave its content as it is.

use alert_core::{
    alert::{
        rules::{CodeStatus, lists},
        time::to_ms,
        validate::{validate_owner, validate_restriction},
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
}

impl Operate for pb::CancelRequest {
    const OPERATION: &'static Operation = &operations::CANCEL;
    type Reply = pb::WriteResponse;

    async fn operate(&self, api: &Api, call: &Call) -> ApiResult<Self::Reply> {
        let id = parse_id("alert_id", &self.alert_id)?;
        let reason = self.reason.as_ref().map_or("", |reason| reason.value.as_str());
        if reason.is_empty() {
            return Err(ApiError::field(
                "reason",
                "REQUIRED",
                "why the alert ends: a code of the list 'deletion-reason'",
            ));
        }
        let here = api.here(call).await?;
        known("reason", lists::DELETION_REASON, reason, &here)?;
        let expected_version = self.expected_version;
        let command = Command::Cancel { id, expected_version, reason: reason.into(), by: officer(call) };
        let done = api.propose(call, here.meta.rules_revision, command).await?;
        api.write_response(call, &done, Vec::new()).await
    }
}

impl Operate for pb::RestrictRequest {
    const OPERATION: &'static Operation = &operations::RESTRICT;
    type Reply = pb::WriteResponse;

    async fn operate(&self, api: &Api, call: &Call) -> ApiResult<Self::Reply> {
        let id = parse_id("alert_id", &self.alert_id)?;
        let mut restriction = self.restriction.clone().ok_or_else(|| {
            ApiError::field("restriction", "REQUIRED", "suspended, blocked or flagged, where and why")
        })?;
        if restriction.requested_by.is_empty() {
            restriction.requested_by = officer(call);
        }
        let here = api.here(call).await?;
        let faults = validate_restriction(&restriction, &here.rules, here.now_ms);
        let warnings = ApiError::unless_valid(ErrorCode::RequestInvalid, "restriction", faults)?;
        let expected_version = self.expected_version;
        let command = Command::Restrict { id, expected_version, restriction: restriction.encode_to_vec() };
        let done = api.propose(call, here.meta.rules_revision, command).await?;
        api.write_response(call, &done, warnings).await
    }
}

impl Operate for pb::TransferOwnerRequest {
    const OPERATION: &'static Operation = &operations::TRANSFER_OWNER;
    type Reply = pb::WriteResponse;

    async fn operate(&self, api: &Api, call: &Call) -> ApiResult<Self::Reply> {
        let id = parse_id("alert_id", &self.alert_id)?;
        let owner = self
            .new_owner
            .as_ref()
            .ok_or_else(|| ApiError::field("new_owner", "REQUIRED", "party and authority of the new owner"))?;
        let here = api.here(call).await?;
        let faults = validate_owner(owner, &here.rules);
        let warnings = ApiError::unless_valid(ErrorCode::RequestInvalid, "new_owner", faults)?;
        let expected_version = self.expected_version;
        let command = Command::TransferOwner { id, expected_version, owner: owner.encode_to_vec() };
        let done = api.propose(call, here.meta.rules_revision, command).await?;
        api.write_response(call, &done, warnings).await
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
fn known(field: &str, list: &str, value: &str, here: &Reading) -> ApiResult<()> {
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
