//! Every refusal has its code and one clear sentence.

use alert_core::{
    alert::Role,
    pb::{
        self, audit_service_client::AuditServiceClient, cluster_service_client::ClusterServiceClient,
        feed_service_client::FeedServiceClient, rule_service_client::RuleServiceClient,
        statistics_service_client::StatisticsServiceClient, topology_service_client::TopologyServiceClient,
    },
};
use http::uri::PathAndQuery;
use tonic::{Code, Request, Status, transport::Channel};
use tonic_prost::ProstCodec;

use super::{World, caller, change, context, nca, partner, person, refusal, refusal_code, under};
use crate::api::{errors::detail_of, operations::ALL};

const ALERT: &str = "0190b0a2-7c3d-7000-8000-00000000000a";

fn get() -> pb::GetRequest {
    pb::GetRequest { context: context(), alert_id: ALERT.into(), ..Default::default() }
}

fn search() -> pb::SearchRequest {
    let query = pb::Query { any_number: "500000001".into(), ..Default::default() };
    pb::SearchRequest { context: context(), query: Some(query), ..Default::default() }
}

#[tokio::test]
async fn a_call_without_a_context_is_refused_with_all_its_faults() {
    let world = World::new();
    let mut alerts = world.alerts(nca()).await;
    let missing = alerts.get(pb::GetRequest { context: None, ..get() }).await.unwrap_err();
    assert_eq!(missing.code(), Code::InvalidArgument);
    let detail = detail_of(&missing).unwrap();
    assert_eq!((detail.code.as_str(), detail.faults.len()), ("CONTEXT_INVALID", 1));

    let empty = pb::CreateRequest { context: Some(pb::CallContext::default()), ..Default::default() };
    let detail = detail_of(&alerts.create(empty).await.unwrap_err()).unwrap();
    let paths: Vec<_> = detail.faults.iter().map(|fault| fault.field_path.as_str()).collect();
    assert_eq!(paths, ["context.search_id", "context.officer_ref", "context.purpose", "context.request_id"]);
    assert!(world.audit.entries.lock().is_empty(), "without a search id there is nothing to log under");
}

/// One empty message to any method, as its bytes: an empty message of any type is no bytes at all.
async fn send_nothing(channel: Channel, method: &'static str) -> Status {
    let mut client = tonic::client::Grpc::new(channel);
    client.ready().await.unwrap();
    let message = Request::new(tokio_stream::once(()));
    let codec = ProstCodec::<(), ()>::default();
    match client.streaming(message, PathAndQuery::from_static(method), codec).await {
        Err(status) => status,
        Ok(answers) => answers.into_inner().message().await.expect_err(method),
    }
}

#[tokio::test]
async fn no_call_at_all_is_answered_without_a_context() {
    let world = World::new();
    for operation in ALL {
        let caller = caller(operation.roles[0], "x");
        let refused = send_nothing(world.channel(caller).await, operation.method).await;
        let detail = detail_of(&refused).unwrap_or_else(|| panic!("{}: {refused:?}", operation.name));
        let expected = (Code::InvalidArgument, "CONTEXT_INVALID");
        assert_eq!((refused.code(), detail.code.as_str()), expected, "{}: {refused:?}", operation.name);
    }
    assert!(world.audit.entries.lock().is_empty());
}

#[tokio::test]
async fn each_role_opens_its_own_calls_and_is_told_so_otherwise() {
    let world = World::new();
    for (role, sentence) in [
        (Role::Operator, "an operator runs nodes and reads no alert: this call needs another role"),
        (Role::Node, "a node's certificate opens the Raft port and no client service"),
        (Role::Auditor, "an auditor reads the audit log and nothing else"),
        (Role::Policy, "the policy role keeps agreements and rules; 'get' is not open to it"),
    ] {
        let (code, name, message) = refusal(world.alerts(caller(role, "x")).await.get(get()).await);
        assert_eq!((code, name.as_str(), message.as_str()), (Code::PermissionDenied, "NOT_PERMITTED", sentence));
        let mut search_client = world.search(caller(role, "x")).await;
        assert_eq!(refusal_code(search_client.search(search()).await), "NOT_PERMITTED");
    }

    let create = pb::CreateRequest { context: change(1), alert: Some(person(1, "arrest")), as_draft: false };
    for role in [Role::Search, Role::SearchOpen] {
        assert_eq!(refusal_code(world.alerts(caller(role, "x")).await.create(create.clone()).await), "NOT_PERMITTED");
    }
    let (_, _, message) = refusal(world.alerts(partner()).await.create(create).await);
    assert_eq!(message, "'create' is not open to partners");

    let verify = pb::VerifyAuditRequest { context: context() };
    let mut audit = AuditServiceClient::new(world.channel(nca()).await);
    assert_eq!(refusal_code(audit.verify(verify.clone()).await), "NOT_PERMITTED");
    let mut audit = AuditServiceClient::new(world.channel(caller(Role::Auditor, "x")).await);
    assert!(audit.verify(verify).await.unwrap().into_inner().intact);
}

#[tokio::test]
async fn a_caller_from_abroad_is_a_partner_or_nothing() {
    let world = World::new();
    let mut foreign = caller(Role::Bureau, "pjudiciaire");
    foreign.country = "FR".into();
    let (_, _, message) = refusal(world.alerts(foreign).await.get(get()).await);
    assert_eq!(message, "a caller from abroad calls with a certificate of role partner, under an agreement");
}

#[tokio::test]
async fn administration_is_for_operators_and_topology_for_every_client() {
    let world = World::new();
    let mut cluster = ClusterServiceClient::new(world.channel(nca()).await);
    let (code, _, message) = refusal(cluster.status(pb::StatusRequest {}).await);
    assert_eq!(
        (code, message.as_str()),
        (Code::PermissionDenied, "administration of the cluster is open to operators only")
    );

    let operator = || caller(Role::Operator, "ops");
    let mut cluster = ClusterServiceClient::new(world.channel(operator()).await);
    assert_eq!(cluster.status(pb::StatusRequest {}).await.unwrap().into_inner().role, "leader");
    let promote = cluster.promote(pb::PromoteRequest { node_id: 9 }).await;
    assert_eq!(refusal(promote), (Code::NotFound, "NOT_FOUND".into(), "no node 9 in this cluster".into()));
    let remove = cluster.remove(pb::RemoveRequest { node_id: 9 }).await;
    assert_eq!(refusal_code(remove), "ADMIN_REFUSED");
    let transfer = cluster.transfer_leader(pb::TransferLeaderRequest { to_node_id: 0 }).await.unwrap_err();
    assert_eq!(detail_of(&transfer).unwrap().leader.unwrap().address, "b:1");

    for role in [Role::Operator, Role::Bureau, Role::Partner, Role::Auditor] {
        let mut topology = TopologyServiceClient::new(world.channel(caller(role, "x")).await);
        assert_eq!(topology.get(pb::TopologyRequest {}).await.unwrap().into_inner().cluster_id, "test-cluster");
    }
    let mut topology = TopologyServiceClient::new(world.channel(caller(Role::Node, "x")).await);
    assert_eq!(refusal_code(topology.get(pb::TopologyRequest {}).await), "NOT_PERMITTED");
}

#[tokio::test]
async fn a_malformed_id_is_told_from_a_missing_record() {
    let world = World::new();
    let mut alerts = world.alerts(nca()).await;
    let malformed = alerts.get(pb::GetRequest { alert_id: "17".into(), ..get() }).await;
    assert_eq!(refusal_code(malformed), "REQUEST_INVALID");
    assert_eq!(refusal(alerts.get(get()).await), (Code::NotFound, "NOT_FOUND".into(), "there is no such alert".into()));
}

#[tokio::test]
async fn a_record_is_refused_with_all_its_faults_at_once() {
    let world = World::new();
    let mut alert = person(1, "arrest");
    let core = alert.core.as_mut().unwrap();
    core.category = super::code("category", "no-such-category");
    core.source = None;
    let create = pb::CreateRequest { context: change(1), alert: Some(alert.clone()), as_draft: false };
    let mut alerts = world.alerts(nca()).await;
    let status = alerts.create(create).await.unwrap_err();
    let detail = detail_of(&status).unwrap();
    assert_eq!((status.code(), detail.code.as_str()), (Code::InvalidArgument, "RECORD_INVALID"));
    let paths: Vec<_> = detail.faults.iter().map(|fault| fault.field_path.as_str()).collect();
    assert!(paths.contains(&"alert.core.source"), "{paths:?}");
    assert!(paths.iter().any(|path| path.starts_with("alert.core.category")), "{paths:?}");

    let validate = pb::ValidateRequest { context: context(), alert: Some(alert), ..Default::default() };
    let answer = alerts.validate(validate).await.unwrap().into_inner();
    assert_eq!(answer.faults.len(), detail.faults.len());
}

#[tokio::test]
async fn what_a_node_cannot_do_says_so_after_the_role_was_looked_at() {
    let world = World::new();
    let mut operator = world.alerts(caller(Role::Operator, "x")).await;
    let attachment = pb::GetAttachmentRequest { context: context(), ..Default::default() };
    assert_eq!(operator.get_attachment(attachment).await.unwrap_err().code(), Code::PermissionDenied);
    let mut statistics = StatisticsServiceClient::new(world.channel(nca()).await);
    let backwards = pb::StatisticsRequest {
        context: context(),
        from: Some(prost_types::Timestamp { seconds: 2, nanos: 0 }),
        until: Some(prost_types::Timestamp { seconds: 1, nanos: 0 }),
        ..Default::default()
    };
    assert_eq!(refusal_code(statistics.report(backwards).await), "REQUEST_INVALID");

    // This node's audit log cannot be looked through.
    let mut audit = AuditServiceClient::new(world.channel(caller(Role::Auditor, "x")).await);
    let who = pb::WhoSawRequest { context: context(), alert_id: ALERT.into(), ..Default::default() };
    assert_eq!(refusal_code(audit.who_saw(who).await), "UNIMPLEMENTED");
}

#[tokio::test]
async fn a_watch_refuses_a_filter_that_no_change_would_tell() {
    let world = World::new();
    let mut feed = FeedServiceClient::new(world.channel(nca()).await);
    let filter = pb::AlertFilter { expires_before: Some(prost_types::Timestamp::default()), ..Default::default() };
    let watch = pb::WatchRequest { context: context(), filter: Some(filter), ..Default::default() };
    let status = feed.watch(watch).await.unwrap_err();
    assert_eq!(detail_of(&status).unwrap().faults[0].field_path, "filter.expires_before");
}

#[tokio::test]
async fn rules_are_kept_by_the_policy_role_and_read_by_national_callers() {
    let world = World::new();
    let get =
        pb::GetRulesRequest { context: context(), kind: pb::RuleKind::SearchProfile as i32, ..Default::default() };
    let mut rules = RuleServiceClient::new(world.channel(caller(Role::Search, "x")).await);
    let answer = rules.get(get.clone()).await.unwrap().into_inner();
    let put = pb::PutRulesRequest { context: change(1), rules: answer.rules.clone(), expected_version: 1 };
    assert_eq!(refusal_code(rules.put(put.clone()).await), "NOT_PERMITTED");
    let mut policy = RuleServiceClient::new(world.channel(caller(Role::Policy, "x")).await);
    assert_eq!(policy.put(put).await.unwrap().into_inner().rules.unwrap().version, 2);
    let after = rules.get(get.clone()).await.unwrap().into_inner();
    assert_eq!((after.rules.unwrap().version, after.answer.unwrap().rules.unwrap().search_profile), (2, 2));
    let mut foreign = RuleServiceClient::new(world.channel(partner()).await);
    let get = pb::GetRulesRequest { context: under("fr-1"), ..get };
    assert_eq!(refusal_code(foreign.get(get).await), "NOT_PERMITTED");
}
