//! Topology, administration, agreements and audit of a fake node.

use alert_client::pb::{
    self, agreement_service_server::AgreementService, audit_service_server::AuditService,
    cluster_service_server::ClusterService, topology_service_server::TopologyService,
};
use tonic::{Code, Request, Response, Status};

use super::{State, node::Service, refusal};

fn members(state: &State) -> Vec<pb::MemberStatus> {
    let kept = state.addresses.iter().filter(|(id, _)| !state.removed.contains(id));
    kept.map(|(id, address)| pb::MemberStatus {
        node_id: *id,
        name: format!("node-{id}"),
        raft_address: format!("{address}0"),
        client_address: address.clone(),
        data_centre: format!("dc-{id}"),
        kind: if state.learners.contains(id) { "learner" } else { "voter" }.into(),
        matched_index: 100,
        reachable: !state.behaviours[id].is_down,
        last_contact: None,
    })
    .collect()
}

#[tonic::async_trait]
impl TopologyService for Service {
    async fn get(&self, _: Request<pb::TopologyRequest>) -> Result<Response<pb::Topology>, Status> {
        self.enter(None).await?;
        let state = self.state.lock().unwrap();
        let nodes = members(&state).into_iter().map(|member| pb::TopologyNode {
            node_id: member.node_id,
            name: member.name,
            client_address: member.client_address,
            data_centre: member.data_centre,
            voter: member.kind == "voter",
        });
        Ok(Response::new(pb::Topology {
            cluster_id: "fake".into(),
            epoch: 1,
            leader_id: state.leader,
            term: state.term,
            nodes: nodes.collect(),
            answered_by: self.id,
            serves_no_reads_because: state.behaviours[&self.id].serves_no_reads_because.clone(),
            staleness: state.behaviours[&self.id].staleness.try_into().ok(),
        }))
    }
}

#[tonic::async_trait]
impl ClusterService for Service {
    async fn init(&self, _: Request<pb::InitRequest>) -> Result<Response<pb::InitResponse>, Status> {
        self.enter(None).await?;
        Ok(Response::new(pb::InitResponse { cluster_id: "fake".into(), formed_now: false }))
    }

    async fn status(&self, _: Request<pb::StatusRequest>) -> Result<Response<pb::StatusResponse>, Status> {
        self.enter(None).await?;
        let state = self.state.lock().unwrap();
        Ok(Response::new(pb::StatusResponse {
            cluster_id: "fake".into(),
            epoch: 1,
            node_id: self.id,
            leader_id: state.leader,
            term: state.term,
            role: if state.leader == self.id { "leader" } else { "follower" }.into(),
            last_log_index: 100,
            applied_index: 100,
            revision: state.revision,
            state_hash: "00112233445566778899aabbccddeeff".into(),
            alerts: state.alerts.len() as u64,
            members: members(&state),
            ready: true,
            ..Default::default()
        }))
    }

    async fn remove(&self, request: Request<pb::RemoveRequest>) -> Result<Response<pb::MembershipResponse>, Status> {
        self.enter(None).await?;
        self.need_leader()?;
        let mut state = self.state.lock().unwrap();
        state.removed.insert(request.into_inner().node_id);
        Ok(Response::new(pb::MembershipResponse { members: members(&state) }))
    }

    async fn transfer_leader(
        &self,
        request: Request<pb::TransferLeaderRequest>,
    ) -> Result<Response<pb::TransferLeaderResponse>, Status> {
        self.enter(None).await?;
        self.need_leader()?;
        let mut state = self.state.lock().unwrap();
        state.leader = request.into_inner().to_node_id;
        state.term += 1;
        Ok(Response::new(pb::TransferLeaderResponse { leader_id: state.leader, term: state.term }))
    }

    async fn add_learner(&self, _: Request<pb::AddLearnerRequest>) -> Result<Response<pb::MembershipResponse>, Status> {
        Err(Status::unimplemented("not in this fake"))
    }
    async fn promote(&self, _: Request<pb::PromoteRequest>) -> Result<Response<pb::MembershipResponse>, Status> {
        Err(Status::unimplemented("not in this fake"))
    }
    async fn trigger_snapshot(
        &self,
        _: Request<pb::TriggerSnapshotRequest>,
    ) -> Result<Response<pb::TriggerSnapshotResponse>, Status> {
        Err(Status::unimplemented("not in this fake"))
    }
}

#[tonic::async_trait]
impl AgreementService for Service {
    async fn put(&self, request: Request<pb::PutAgreementRequest>) -> Result<Response<pb::AgreementResponse>, Status> {
        let request = request.into_inner();
        self.enter(Some(&request.context.unwrap_or_default())).await?;
        let mut agreement = request.agreement.unwrap_or_default();
        agreement.version = request.expected_version + 1;
        agreement.set_state(pb::AgreementState::Active);
        let mut state = self.state.lock().unwrap();
        state.agreements.insert(agreement.id.clone(), agreement.clone());
        Ok(Response::new(pb::AgreementResponse {
            answer: None,
            agreement: Some(agreement),
            acknowledgements: Vec::new(),
        }))
    }

    async fn list(
        &self,
        request: Request<pb::ListAgreementsRequest>,
    ) -> Result<Response<pb::ListAgreementsResponse>, Status> {
        self.enter(Some(&request.into_inner().context.unwrap_or_default())).await?;
        let agreements = self.state.lock().unwrap().agreements.values().cloned().collect();
        Ok(Response::new(pb::ListAgreementsResponse { answer: None, agreements }))
    }

    async fn suspend(
        &self,
        request: Request<pb::SuspendAgreementRequest>,
    ) -> Result<Response<pb::AgreementResponse>, Status> {
        let request = request.into_inner();
        self.enter(Some(&request.context.unwrap_or_default())).await?;
        let mut state = self.state.lock().unwrap();
        let Some(agreement) = state.agreements.get_mut(&request.agreement_id) else {
            return Err(refusal(Code::NotFound, pb::ErrorDetail { code: "NOT_FOUND".into(), ..Default::default() }));
        };
        agreement.set_state(pb::AgreementState::Suspended);
        Ok(Response::new(pb::AgreementResponse {
            answer: None,
            agreement: Some(agreement.clone()),
            acknowledgements: Vec::new(),
        }))
    }

    async fn get(&self, _: Request<pb::GetAgreementRequest>) -> Result<Response<pb::AgreementResponse>, Status> {
        Err(Status::unimplemented("not in this fake"))
    }
    async fn resume(&self, _: Request<pb::ResumeAgreementRequest>) -> Result<Response<pb::AgreementResponse>, Status> {
        Err(Status::unimplemented("not in this fake"))
    }
    async fn end(&self, _: Request<pb::EndAgreementRequest>) -> Result<Response<pb::AgreementResponse>, Status> {
        Err(Status::unimplemented("not in this fake"))
    }
}

#[tonic::async_trait]
impl AuditService for Service {
    async fn verify(
        &self,
        request: Request<pb::VerifyAuditRequest>,
    ) -> Result<Response<pb::VerifyAuditResponse>, Status> {
        self.enter(Some(&request.into_inner().context.unwrap_or_default())).await?;
        let intact = self.id != 3;
        let first_fault = if intact { "" } else { "records 3 to 3 are missing" }.to_owned();
        Ok(Response::new(pb::VerifyAuditResponse {
            answer: None,
            intact,
            records: 5,
            head_hash: vec![0xab; 4],
            first_fault,
            anchors: 7,
            anchored_until: Some(prost_types::Timestamp { seconds: 1_790_000_000, nanos: 0 }),
        }))
    }

    async fn anchors(&self, _: Request<pb::AuditAnchorsRequest>) -> Result<Response<pb::AuditAnchorsResponse>, Status> {
        Err(Status::unimplemented("not in this fake"))
    }

    async fn who_saw(&self, _: Request<pb::WhoSawRequest>) -> Result<Response<pb::AuditRecords>, Status> {
        Err(Status::unimplemented("not in this fake"))
    }
    async fn what_did_ask(&self, _: Request<pb::WhatDidAskRequest>) -> Result<Response<pb::AuditRecords>, Status> {
        Err(Status::unimplemented("not in this fake"))
    }
}
