//! Rules: code lists, retention, compatibility, minimum fields, the search profile. Replicated, versioned data.

use alert_core::{
    alert::validate::validate_rules,
    pb::{self, rule_service_server::RuleService},
    state::{View, command::Command, read_next_profile, read_rule_document, rule_kind},
};
use prost::Message;
use tonic::{Request, Response, Status};

use super::{
    call::Call,
    core::{Api, Operate},
    errors::{ApiError, ApiResult, ErrorCode},
    operations::{self, Operation},
};

#[tonic::async_trait]
impl RuleService for Api {
    async fn put(&self, request: Request<pb::PutRulesRequest>) -> Result<Response<pb::RulesResponse>, Status> {
        self.unary(request).await
    }

    async fn get(&self, request: Request<pb::GetRulesRequest>) -> Result<Response<pb::RulesResponse>, Status> {
        self.unary(request).await
    }
}

/// The document of one kind that is in force.
fn document(view: &dyn View, kind: pb::RuleKind) -> ApiResult<pb::Rules> {
    if kind == pb::RuleKind::Unspecified {
        return Err(ApiError::field("kind", "REQUIRED", "which rules"));
    }
    read_rule_document(view, kind)?.ok_or_else(ApiError::not_founded)
}

/// The document that is decided and waits for its index.
fn waiting(view: &dyn View, kind: pb::RuleKind) -> ApiResult<Option<pb::Rules>> {
    Ok(match kind {
        pb::RuleKind::SearchProfile => read_next_profile(view)?,
        _ => None,
    })
}

impl Operate for pb::PutRulesRequest {
    const OPERATION: &'static Operation = &operations::PUT_RULES;
    type Reply = pb::RulesResponse;

    async fn operate(&self, api: &Api, call: &Call) -> ApiResult<Self::Reply> {
        let rules = self.rules.as_ref().ok_or_else(|| ApiError::field("rules", "REQUIRED", "the rules"))?;
        let here = api.here(call).await?;
        ApiError::unless_valid(ErrorCode::RecordInvalid, "rules", validate_rules(rules, &here.rules))?;
        if let Some(pb::rules::Rules::SearchProfile(profile)) = &rules.rules
            && let Err(unknown) = api.store().normalisers().require(profile.normaliser_version)
        {
            let path = "rules.search_profile.normaliser_version";
            return Err(ApiError::field(path, "OUT_OF_RANGE", unknown.to_string()));
        }
        let command = Command::PutRules { rules: rules.encode_to_vec(), expected_version: self.expected_version };
        let done = api.propose(call, here.meta.rules_revision, command).await?;
        let view = api.applied_here(call).await?;
        let (rules, next) = (document(&*view, rule_kind(rules))?, waiting(&*view, rule_kind(rules))?);
        Ok(pb::RulesResponse { answer: Some(api.written(call, &done).await?), rules: Some(rules), next })
    }
}

impl Operate for pb::GetRulesRequest {
    const OPERATION: &'static Operation = &operations::GET_RULES;
    type Reply = pb::RulesResponse;

    async fn operate(&self, api: &Api, call: &Call) -> ApiResult<Self::Reply> {
        let reading = api.reading(call, self.read.as_ref()).await?;
        let rules = document(&*reading.handle.view, self.kind())?;
        let next = waiting(&*reading.handle.view, self.kind())?;
        let answer = api.disclose(call, &reading, Vec::new()).await?;
        Ok(pb::RulesResponse { answer: Some(answer), rules: Some(rules), next })
    }
}
