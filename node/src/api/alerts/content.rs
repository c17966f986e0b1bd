//! Validate, create, update: calls that carry a record.

use alert_core::{
    alert::{
        Sight,
        fault::blocks,
        validate::{quality_flags, validate, validate_update},
    },
    pb,
    state::command::{Command, Done},
};
use prost::Message;

use super::super::{
    call::Call,
    core::{Api, Operate},
    errors::{ApiError, ApiResult, ErrorCode},
    operations::{self, Operation},
    reading::Reading,
    records::parse_id,
};

/// A record in the form that the log carries, and what validation warned of.
pub(crate) struct Prepared {
    /// Encoded, without what the store itself keeps.
    pub content: Vec<u8>,
    pub warnings: Vec<pb::Fault>,
}

/// Checks a record under the rules of `here`, flags what it falls short of where its source may, and encodes its
/// content. The id and the life cycle are the store's. `old`: the content that it replaces.
pub(crate) fn prepare(alert: &pb::Alert, old: Option<&pb::Alert>, here: &Reading) -> Result<Prepared, Vec<pb::Fault>> {
    let faults = match old {
        None => validate(alert, &here.rules, here.now_ms),
        Some(old) => validate_update(old, alert, &here.rules, here.now_ms),
    };
    if blocks(&faults) {
        return Err(faults);
    }
    let mut own = pb::Alert { id: String::new(), lifecycle: None, data_key_id: 0, ..alert.clone() };
    let flags = quality_flags(&own, &here.rules);
    if let Some(core) = own.core.as_mut() {
        core.quality_flags.extend(flags);
    }
    Ok(Prepared { content: own.encode_to_vec(), warnings: faults })
}

fn required(alert: &Option<pb::Alert>) -> ApiResult<&pb::Alert> {
    alert.as_ref().ok_or_else(|| ApiError::field("alert", "REQUIRED", "the record"))
}

fn refuse(faults: Vec<pb::Fault>) -> Box<ApiError> {
    match ApiError::unless_valid(ErrorCode::RecordInvalid, "alert", faults) {
        Err(error) => error,
        Ok(_) => ApiError::internal("a record was refused without a fault"),
    }
}

impl Api {
    /// The typed answer of a change of one alert.
    pub(in crate::api) async fn write_response(
        &self,
        call: &Call,
        done: &Done,
        warnings: Vec<pb::Fault>,
    ) -> ApiResult<pb::WriteResponse> {
        Ok(pb::WriteResponse {
            answer: Some(self.written(call, done).await?),
            alert_id: done.id.to_string(),
            version: done.version,
            state: done.state,
            warnings,
            repeated_request: done.repeated,
        })
    }
}

impl Operate for pb::ValidateRequest {
    const OPERATION: &'static Operation = &operations::VALIDATE;
    type Reply = pb::ValidateResponse;

    async fn operate(&self, api: &Api, call: &Call) -> ApiResult<Self::Reply> {
        let alert = required(&self.alert)?;
        let reading = api.reading(call, self.read.as_ref()).await?;
        let faults = prepare(alert, None, &reading).map_or_else(|faults| faults, |prepared| prepared.warnings);
        let answer = Some(api.disclose(call, &reading, Vec::new()).await?);
        Ok(pb::ValidateResponse { answer, faults })
    }
}

impl Operate for pb::CreateRequest {
    const OPERATION: &'static Operation = &operations::CREATE;
    type Reply = pb::WriteResponse;

    async fn operate(&self, api: &Api, call: &Call) -> ApiResult<Self::Reply> {
        let alert = required(&self.alert)?;
        if !alert.id.is_empty() {
            return Err(ApiError::field("alert.id", "INVALID", "the store gives a new record its id: leave it empty"));
        }
        let here = api.here(call).await?;
        let prepared = prepare(alert, None, &here).map_err(refuse)?;
        let command = Command::Create { id: api.new_id(), alert: prepared.content, as_draft: self.as_draft };
        let done = api.propose(call, here.meta.rules_revision, command).await?;
        api.write_response(call, &done, prepared.warnings).await
    }
}

impl Operate for pb::UpdateRequest {
    const OPERATION: &'static Operation = &operations::UPDATE;
    type Reply = pb::WriteResponse;

    async fn operate(&self, api: &Api, call: &Call) -> ApiResult<Self::Reply> {
        let alert = required(&self.alert)?;
        let id = parse_id("alert.id", &alert.id)?;
        if self.expected_version == 0 {
            return Err(ApiError::field("expected_version", "REQUIRED", "the version that the change was made from"));
        }
        let here = api.here(call).await?;
        let old = api.find(&here, id)?.filter(|seen| seen.sight == Sight::Owner);
        let old = old.map(|seen| seen.stored.to_alert()).transpose()?;
        let prepared = prepare(alert, old.as_ref(), &here).map_err(refuse)?;
        let command = Command::Update { id, expected_version: self.expected_version, alert: prepared.content };
        let done = api.propose(call, here.meta.rules_revision, command).await?;
        api.write_response(call, &done, prepared.warnings).await
    }
}
