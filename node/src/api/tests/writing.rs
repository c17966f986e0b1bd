//! Changes: one effect for each request id, typed answers, the caller's rights.

use std::{sync::atomic::Ordering, time::Duration};

use alert_core::{
    alert::Role,
    pb::{self, hit_service_client::HitServiceClient},
};
use prost::Message;
use tonic::{Code, Request};

use super::{World, caller, change, code, context, nca, partner, person, refusal, refusal_code, under};
use crate::api::{Leadership, ProposeError, errors::detail_of};

fn create(sequence: u64, number: u64) -> pb::CreateRequest {
    pb::CreateRequest { context: change(sequence), alert: Some(person(number, "arrest")), as_draft: false }
}

fn cancel(sequence: u64, id: &str) -> pb::CancelRequest {
    pb::CancelRequest {
        context: change(sequence),
        alert_id: id.into(),
        expected_version: 0,
        reason: code("deletion-reason", "executed"),
    }
}

#[tokio::test]
async fn an_alert_lives_from_creation_to_its_tombstone() {
    let world = World::new();
    let mut alerts = world.alerts(nca()).await;
    let created = alerts.create(create(1, 1)).await.unwrap().into_inner();
    assert_eq!((created.version, created.state()), (1, pb::AlertState::Active));
    let answer = created.answer.unwrap();
    assert_eq!((answer.revision, answer.level()), (1, pb::ReadLevel::Linearizable));

    let mut alert = person(1, "arrest");
    alert.id = created.alert_id.clone();
    alert.core.as_mut().unwrap().source.as_mut().unwrap().source_version = 2;
    let update = pb::UpdateRequest { context: change(2), alert: Some(alert), expected_version: 1 };
    assert_eq!(alerts.update(update.clone()).await.unwrap().into_inner().version, 2);
    let (grpc, code_name, message) = refusal(alerts.update(pb::UpdateRequest { context: change(3), ..update }).await);
    assert_eq!(
        (grpc, code_name.as_str(), message.as_str()),
        (Code::Aborted, "VERSION_CONFLICT", "version 2 is current")
    );

    let restriction = pb::Restriction {
        kind: pb::RestrictionKind::Suspended as i32,
        territories: vec![pb::Party { code: "FR".into() }],
        requested_by: "desk".into(),
        decision: "court order 7".into(),
        ..Default::default()
    };
    let restrict = pb::RestrictRequest {
        context: change(4),
        alert_id: created.alert_id.clone(),
        expected_version: 0,
        restriction: Some(restriction),
    };
    assert_eq!(alerts.restrict(restrict).await.unwrap().into_inner().version, 3);
    let cancelled = alerts.cancel(cancel(5, &created.alert_id)).await.unwrap().into_inner();
    assert_eq!(cancelled.state(), pb::AlertState::Deleted);
    let get = pb::GetRequest { context: context(), alert_id: created.alert_id.clone(), ..Default::default() };
    let tombstone = alerts.get(get.clone()).await.unwrap().into_inner().record.unwrap();
    assert!(tombstone.alert.unwrap().identities.is_none());
    let mut search = world.alerts(caller(Role::Search, "met")).await;
    assert_eq!(refusal_code(search.get(get).await), "NOT_FOUND");
    assert_eq!(refusal_code(alerts.cancel(cancel(6, &created.alert_id)).await), "WRONG_STATE");
}

#[tokio::test]
async fn a_retry_has_one_effect_and_a_reused_id_is_refused() {
    let world = World::new();
    let mut alerts = world.alerts(nca()).await;
    let first = alerts.create(create(1, 1)).await.unwrap().into_inner();
    let again = alerts.create(create(1, 1)).await.unwrap().into_inner();
    assert_eq!((first.alert_id, first.repeated_request), (again.alert_id, false));
    assert!(again.repeated_request);
    assert_eq!(refusal_code(alerts.create(create(1, 2)).await), "REQUEST_ID_REUSED");
    assert_eq!(refusal_code(alerts.create(create(2, 1)).await), "DUPLICATE_SOURCE");
}

#[tokio::test]
async fn an_answer_that_was_lost_is_fetched_under_the_same_request_id() {
    let world = World::new();
    *world.store.lose_answers.lock() = 1;
    let created = world.alerts(nca()).await.create(create(1, 1)).await.unwrap().into_inner();
    assert!(created.repeated_request, "the second attempt met the first one's answer");
    assert_eq!(world.store.proposals.load(Ordering::Relaxed), 2);
    let list = pb::ListRequest { context: context(), ..Default::default() };
    assert_eq!(world.alerts(nca()).await.list(list).await.unwrap().into_inner().records.len(), 1);
}

#[tokio::test]
async fn a_change_is_held_while_there_is_no_leader() {
    let world = World::new();
    world.store.leadership.send_replace(Leadership::Unknown);
    let mut alerts = world.alerts(nca()).await;
    let mut request = Request::new(create(1, 1));
    request.set_timeout(Duration::from_millis(400));
    let status = alerts.create(request).await.unwrap_err();
    let detail = detail_of(&status).unwrap();
    assert_eq!((status.code(), detail.code.as_str()), (Code::Unavailable, "NO_LEADER"));
    assert!(detail.retryable && !detail.maybe_applied);

    let held = tokio::spawn(async move { alerts.create(create(1, 1)).await });
    tokio::task::yield_now().await;
    world.store.next_proposals.lock().push_back(Some(ProposeError::NotLeader { hint: None }));
    world.store.leadership.send_replace(Leadership::Me { term: 2 });
    assert_eq!(held.await.unwrap().unwrap().into_inner().version, 1);
}

#[tokio::test]
async fn an_outcome_that_stays_unknown_says_so() {
    let world = World::new();
    world.store.next_proposals.lock().extend(std::iter::repeat_n(Some(ProposeError::MaybeApplied), 1000));
    let mut request = Request::new(create(1, 1));
    request.set_timeout(Duration::from_millis(300));
    let detail = detail_of(&world.alerts(nca()).await.create(request).await.unwrap_err()).unwrap();
    assert_eq!(detail.code, "MAYBE_APPLIED");
    assert!(detail.retryable && detail.maybe_applied);
}

#[tokio::test]
async fn a_full_queue_says_when_to_come_back() {
    let world = World::new();
    let retry_after = Duration::from_millis(250);
    world.store.next_proposals.lock().push_back(Some(ProposeError::Overloaded { retry_after }));
    let status = world.alerts(nca()).await.create(create(1, 1)).await.unwrap_err();
    let detail = detail_of(&status).unwrap();
    assert_eq!((status.code(), detail.code.as_str()), (Code::ResourceExhausted, "OVERLOADED"));
    assert_eq!(detail.retry_after.unwrap().nanos, 250_000_000);
}

#[tokio::test]
async fn a_change_whose_audit_record_is_lost_may_have_been_applied() {
    let world = World::new();
    *world.audit.broken.lock() = true;
    let detail = detail_of(&world.alerts(nca()).await.create(create(1, 1)).await.unwrap_err()).unwrap();
    assert_eq!((detail.code.as_str(), detail.maybe_applied), ("AUDIT_UNAVAILABLE", true));
}

#[tokio::test]
async fn the_audit_log_keeps_no_content_of_records() {
    let world = World::new();
    let created = world.alerts(nca()).await.create(create(1, 1)).await.unwrap().into_inner();
    let entries = world.audit.entries.lock();
    let asked = pb::CreateRequest::decode(entries[0].asked.as_slice()).unwrap().alert.unwrap();
    assert_eq!(asked.core.unwrap().source.unwrap().reference, "REF-1");
    assert!(asked.identities.is_none());
    assert_eq!(
        (entries[0].operation, entries[0].disclosed[0].alert_id.as_str()),
        ("create", created.alert_id.as_str())
    );
    assert_eq!(entries[0].disclosed[0].what, "change");
}

#[tokio::test]
async fn only_the_owner_changes_an_alert_and_a_hidden_one_is_a_missing_one() {
    let world = World::new();
    let visible = world.create(1, "arrest");
    let mut other = world.alerts(caller(Role::Bureau, "met")).await;
    let refused = refusal(other.cancel(cancel(1, &visible)).await);
    assert_eq!((refused.0, refused.1.as_str()), (Code::PermissionDenied, "NOT_OWNER"));
    world.alerts(nca()).await.cancel(cancel(1, &visible)).await.unwrap();
    // A tombstone is the owner's alone.
    let hidden = refusal(other.cancel(cancel(2, &visible)).await);
    let missing = refusal(other.cancel(cancel(3, "0190b0a2-7c3d-7000-8000-00000000000a")).await);
    assert_eq!(hidden, missing);
}

#[tokio::test]
async fn whoever_submits_an_alert_does_not_approve_it() {
    let world = World::new();
    let mut alerts = world.alerts(nca()).await;
    let draft = alerts.create(pb::CreateRequest { as_draft: true, ..create(1, 1) }).await.unwrap().into_inner();
    let alert_id = draft.alert_id;
    let submit = pb::SubmitRequest { context: change(2), alert_id: alert_id.clone(), ..Default::default() };
    assert_eq!(alerts.submit(submit).await.unwrap().into_inner().state(), pb::AlertState::PendingReview);
    let approve =
        |sequence| pb::ApproveRequest { context: change(sequence), alert_id: alert_id.clone(), ..Default::default() };
    assert_eq!(refusal_code(alerts.approve(approve(3)).await), "REQUEST_INVALID");
    let mut second_officer = approve(4);
    second_officer.context.as_mut().unwrap().officer_ref = "officer-8".into();
    assert_eq!(alerts.approve(second_officer).await.unwrap().into_inner().state(), pb::AlertState::Active);
}

#[tokio::test]
async fn links_are_made_and_removed() {
    let world = World::new();
    let (a, b) = (world.create(1, "arrest"), world.create(2, "arrest"));
    let mut alerts = world.alerts(nca()).await;
    let request = pb::LinkRequest {
        context: change(1),
        alert_a: a.clone(),
        alert_b: b,
        kind: code("link-kind", "same-case"),
        note: String::new(),
    };
    let link = alerts.link(request).await.unwrap().into_inner().link.unwrap();
    assert_eq!((link.alert_a.as_str(), link.created_by.as_str()), (a.as_str(), "officer-7"));
    let get = pb::GetRequest { context: context(), alert_id: a, with_links: true, ..Default::default() };
    assert_eq!(alerts.get(get.clone()).await.unwrap().into_inner().links.len(), 1);
    alerts.unlink(pb::UnlinkRequest { context: change(2), link_id: link.id }).await.unwrap();
    assert!(alerts.get(get).await.unwrap().into_inner().links.is_empty());
}

#[tokio::test]
async fn a_hit_is_between_its_reporter_and_the_owner() {
    let world = World::new();
    world.agree("fr-1");
    let (seen, covert) = (world.create(1, "arrest"), world.create(2, "discreet-check"));
    let partner_change = |sequence| {
        let request_id = Some(pb::RequestId { session: vec![4; 16], sequence });
        Some(pb::CallContext { request_id, ..under("fr-1").unwrap() })
    };
    let hit = |alert: &str| {
        Some(pb::Hit {
            alert_id: alert.into(),
            version_seen: 1,
            search_id: "0190b0a2-7c3d-7000-8000-000000000001".into(),
            outcome: code("hit-outcome", "not-the-subject"),
            ..Default::default()
        })
    };
    let mut reporter = HitServiceClient::new(world.channel(partner()).await);
    let report = |sequence, alert: &str| pb::ReportHitRequest { context: partner_change(sequence), hit: hit(alert) };
    let hidden = refusal(reporter.report(report(1, &covert)).await);
    assert_eq!(hidden, refusal(reporter.report(report(2, "0190b0a2-7c3d-7000-8000-00000000000a")).await));
    let reported = reporter.report(report(3, &seen)).await.unwrap().into_inner().hit.unwrap();
    assert_eq!(reported.reported_by.unwrap().code, "FR");

    let get = |context| pb::GetHitRequest { context, hit_id: reported.id.clone(), ..Default::default() };
    let mut owner = HitServiceClient::new(world.channel(nca()).await);
    owner.get(get(context())).await.unwrap();
    let mut stranger = HitServiceClient::new(world.channel(caller(Role::Search, "met")).await);
    assert_eq!(refusal_code(stranger.get(get(context())).await), "NOT_FOUND");

    let answer = pb::AnswerHitRequest { context: change(1), hit_id: reported.id.clone(), text: "thank you".into() };
    let answered = owner.answer(answer).await.unwrap().into_inner().hit.unwrap();
    assert!(answered.answered_at.is_some());
    let converse = pb::ConverseRequest { context: partner_change(4), hit_id: reported.id.clone(), text: "ok".into() };
    assert_eq!(reporter.converse(converse).await.unwrap().into_inner().hit.unwrap().conversation.len(), 2);
    let list = pb::ListHitsRequest { context: context(), ..Default::default() };
    assert_eq!(owner.list(list.clone()).await.unwrap().into_inner().hits.len(), 1);
    assert!(stranger.list(list.clone()).await.unwrap().into_inner().hits.is_empty());
    let unanswered = pb::ListHitsRequest { unanswered_only: true, alert_id: seen, ..list };
    assert!(owner.list(unanswered).await.unwrap().into_inner().hits.is_empty());
}

#[tokio::test]
async fn agreements_are_put_suspended_and_ended_by_the_policy_role() {
    let world = World::new();
    let mut policy = world.agreements(caller(Role::Policy, "home-office")).await;
    let agreement = super::world::agreement("fr-1");
    let put = pb::PutAgreementRequest { context: change(1), agreement: Some(agreement), expected_version: 0 };
    let stored = policy.put(put.clone()).await.unwrap().into_inner().agreement.unwrap();
    assert_eq!((stored.version, stored.state()), (1, pb::AgreementState::Active));
    let again = pb::PutAgreementRequest { context: change(2), ..put.clone() };
    assert_eq!(refusal_code(policy.put(again).await), "ALREADY_EXISTS");
    let mut faulty = put;
    faulty.context = change(3);
    faulty.agreement.as_mut().unwrap().purposes.clear();
    assert_eq!(refusal_code(policy.put(faulty).await), "RECORD_INVALID");
    let suspend =
        pb::SuspendAgreementRequest { context: change(4), agreement_id: "fr-1".into(), reason: "under review".into() };
    let suspended = policy.suspend(suspend).await.unwrap().into_inner().agreement.unwrap();
    assert_eq!(suspended.state(), pb::AgreementState::Suspended);
    let proof = pb::PurgeProof { statement: "purged".into(), stated_by: "desk".into(), ..Default::default() };
    let end = pb::EndAgreementRequest { context: change(5), agreement_id: "fr-1".into(), purge_proof: Some(proof) };
    let ended = policy.end(end).await.unwrap().into_inner().agreement.unwrap();
    assert!(ended.state() == pb::AgreementState::Ended && ended.purge_proof.unwrap().stated_at.is_some());
    let resume = pb::ResumeAgreementRequest { context: change(6), agreement_id: "fr-1".into() };
    assert_eq!(refusal_code(policy.resume(resume).await), "WRONG_STATE");
    assert_eq!(
        policy
            .list(pb::ListAgreementsRequest { context: context(), read: None })
            .await
            .unwrap()
            .into_inner()
            .agreements
            .len(),
        1
    );
}
