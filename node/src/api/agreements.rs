//! Agreements: what a partner may see, ask and do. Kept by the policy role.

use alert_core::{
    alert::{time::from_ms, validate::validate_agreement},
    pb::{self, agreement_service_server::AgreementService},
    state::{command::Command, read_agreement, read_agreements},
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
impl AgreementService for Api {
    async fn put(&self, request: Request<pb::PutAgreementRequest>) -> Result<Response<pb::AgreementResponse>, Status> {
        self.unary(request).await
    }

    async fn get(&self, request: Request<pb::GetAgreementRequest>) -> Result<Response<pb::AgreementResponse>, Status> {
        self.unary(request).await
    }

    async fn list(
        &self,
        request: Request<pb::ListAgreementsRequest>,
    ) -> Result<Response<pb::ListAgreementsResponse>, Status> {
        self.unary(request).await
    }

    async fn suspend(
        &self,
        request: Request<pb::SuspendAgreementRequest>,
    ) -> Result<Response<pb::AgreementResponse>, Status> {
        self.unary(request).await
    }

    async fn resume(
        &self,
        request: Request<pb::ResumeAgreementRequest>,
    ) -> Result<Response<pb::AgreementResponse>, Status> {
        self.unary(request).await
    }

    async fn end(&self, request: Request<pb::EndAgreementRequest>) -> Result<Response<pb::AgreementResponse>, Status> {
        self.unary(request).await
    }
}

impl Api {
    /// Proposes a change of an agreement and reads it back.
    async fn change_agreement(
        &self,
        call: &Call,
        id: &str,
        rules_revision: u64,
        command: Command,
    ) -> ApiResult<pb::AgreementResponse> {
        let done = self.propose(call, rules_revision, command).await?;
        let agreement = read_agreement(&*self.applied_here(call).await?, id)?;
        let answer = Some(self.written(call, &done).await?);
        Ok(pb::AgreementResponse { answer, agreement, acknowledgements: Vec::new() })
    }

    async fn set_agreement_state(
        &self,
        call: &Call,
        id: &str,
        state: pb::AgreementState,
        purge_proof: Option<Vec<u8>>,
    ) -> ApiResult<pb::AgreementResponse> {
        required_id(id)?;
        let here = self.here(call).await?;
        let command = Command::SetAgreementState { id: id.into(), state: state as i32, purge_proof };
        self.change_agreement(call, id, here.meta.rules_revision, command).await
    }
}

fn required_id(id: &str) -> ApiResult<()> {
    match id {
        "" => Err(ApiError::field("agreement_id", "REQUIRED", "the id of the agreement")),
        _ => Ok(()),
    }
}

impl Operate for pb::PutAgreementRequest {
    const OPERATION: &'static Operation = &operations::PUT_AGREEMENT;
    type Reply = pb::AgreementResponse;

    async fn operate(&self, api: &Api, call: &Call) -> ApiResult<Self::Reply> {
        let agreement =
            self.agreement.as_ref().ok_or_else(|| ApiError::field("agreement", "REQUIRED", "the agreement"))?;
        let here = api.here(call).await?;
        let faults = validate_agreement(agreement, &here.rules);
        ApiError::unless_valid(ErrorCode::RecordInvalid, "agreement", faults)?;
        let command =
            Command::PutAgreement { agreement: agreement.encode_to_vec(), expected_version: self.expected_version };
        api.change_agreement(call, &agreement.id, here.meta.rules_revision, command).await
    }
}

impl Operate for pb::GetAgreementRequest {
    const OPERATION: &'static Operation = &operations::GET_AGREEMENT;
    type Reply = pb::AgreementResponse;

    async fn operate(&self, api: &Api, call: &Call) -> ApiResult<Self::Reply> {
        required_id(&self.agreement_id)?;
        let reading = api.reading(call, self.read.as_ref()).await?;
        let agreement = read_agreement(&*reading.handle.view, &self.agreement_id)?
            .ok_or_else(|| ApiError::not_found("agreement"))?;
        let acknowledgements = api.acknowledgements(call, &reading, &agreement).await?;
        let answer = api.disclose(call, &reading, Vec::new()).await?;
        Ok(pb::AgreementResponse { answer: Some(answer), agreement: Some(agreement), acknowledgements })
    }
}

impl Operate for pb::ListAgreementsRequest {
    const OPERATION: &'static Operation = &operations::LIST_AGREEMENTS;
    type Reply = pb::ListAgreementsResponse;

    async fn operate(&self, api: &Api, call: &Call) -> ApiResult<Self::Reply> {
        let reading = api.reading(call, self.read.as_ref()).await?;
        let agreements = read_agreements(&*reading.handle.view)?;
        let answer = api.disclose(call, &reading, Vec::new()).await?;
        Ok(pb::ListAgreementsResponse { answer: Some(answer), agreements })
    }
}

impl Operate for pb::SuspendAgreementRequest {
    const OPERATION: &'static Operation = &operations::SUSPEND_AGREEMENT;
    type Reply = pb::AgreementResponse;

    async fn operate(&self, api: &Api, call: &Call) -> ApiResult<Self::Reply> {
        api.set_agreement_state(call, &self.agreement_id, pb::AgreementState::Suspended, None).await
    }
}

impl Operate for pb::ResumeAgreementRequest {
    const OPERATION: &'static Operation = &operations::RESUME_AGREEMENT;
    type Reply = pb::AgreementResponse;

    async fn operate(&self, api: &Api, call: &Call) -> ApiResult<Self::Reply> {
        api.set_agreement_state(call, &self.agreement_id, pb::AgreementState::Active, None).await
    }
}

impl Operate for pb::EndAgreementRequest {
    const OPERATION: &'static Operation = &operations::END_AGREEMENT;
    type Reply = pb::AgreementResponse;

    async fn operate(&self, api: &Api, call: &Call) -> ApiResult<Self::Reply> {
        let proof = self.purge_proof.clone().map(|mut proof| {
            proof.stated_at.get_or_insert_with(|| from_ms(api.host().clock.wall_ms()));
            proof.encode_to_vec()
        });
        api.set_agreement_state(call, &self.agreement_id, pb::AgreementState::Ended, proof).await
    }
}
