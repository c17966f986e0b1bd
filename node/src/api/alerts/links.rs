//! Links between alerts.

use alert_core::{
    alert::validate::validate_link,
    pb,
    state::{command::Command, read_links_of},
};
use prost::Message;

use super::{
    super::{
        call::Call,
        core::{Api, Operate},
        errors::{ApiError, ApiResult, ErrorCode},
        operations::{self, Operation},
        records::parse_id,
    },
    life::officer,
};

impl Operate for pb::LinkRequest {
    const OPERATION: &'static Operation = &operations::LINK;
    type Reply = pb::LinkResponse;

    async fn operate(&self, api: &Api, call: &Call) -> ApiResult<Self::Reply> {
        let a = parse_id("alert_a", &self.alert_a)?;
        let link = pb::Link {
            alert_a: self.alert_a.clone(),
            alert_b: self.alert_b.clone(),
            kind: self.kind.clone(),
            created_by: officer(call),
            note: self.note.clone(),
            ..Default::default()
        };
        let here = api.here(call).await?;
        ApiError::unless_valid(ErrorCode::RequestInvalid, "", validate_link(&link, &here.rules))?;
        let command = Command::Link { id: api.new_id(), link: link.encode_to_vec() };
        let done = api.propose(call, here.meta.rules_revision, command).await?;
        let after = api.applied_here(call).await?;
        let id = done.id.to_string();
        let link = read_links_of(&*after, a)?.into_iter().find(|link| link.id == id);
        Ok(pb::LinkResponse { answer: Some(api.written(call, &done).await?), link, repeated_request: done.repeated })
    }
}

impl Operate for pb::UnlinkRequest {
    const OPERATION: &'static Operation = &operations::UNLINK;
    type Reply = pb::WriteResponse;

    async fn operate(&self, api: &Api, call: &Call) -> ApiResult<Self::Reply> {
        let id = parse_id("link_id", &self.link_id)?;
        let here = api.here(call).await?;
        let done = api.propose(call, here.meta.rules_revision, Command::Unlink { id }).await?;
        api.write_response(call, &done, Vec::new()).await
    }
}
