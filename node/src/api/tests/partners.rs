//! Partners: under an agreement in force, from a node that knows it is, with sealed tokens and no revisions.

use std::time::Duration;

use alert_core::{
    alert::Role,
    pb::{self, hit_service_client::HitServiceClient},
};
use tonic::Code;

use super::{World, caller, code, context, partner, refusal, refusal_code, under};

fn search(agreement: &str) -> pb::SearchRequest {
    let query = pb::Query { any_number: "500000001".into(), ..Default::default() };
    pb::SearchRequest { context: under(agreement), query: Some(query), ..Default::default() }
}

fn get(agreement: &str, id: &str) -> pb::GetRequest {
    pb::GetRequest { context: under(agreement), alert_id: id.into(), ..Default::default() }
}

#[tokio::test]
async fn an_agreement_must_be_the_partners_own_in_force_and_for_the_purpose() {
    let world = World::new();
    let mut client = world.search(partner()).await;
    let missing = client.search(pb::SearchRequest { context: context(), ..search("") }).await;
    assert_eq!(refusal_code(missing), "CONTEXT_INVALID");
    assert_eq!(refusal_code(client.search(search("fr-1")).await), "AGREEMENT_UNKNOWN");

    world.agree("fr-1");
    client.search(search("fr-1")).await.unwrap();
    let mut other = partner();
    other.country = "DE".into();
    assert_eq!(refusal_code(world.search(other).await.search(search("fr-1")).await), "AGREEMENT_UNKNOWN");

    let mut wrong_purpose = search("fr-1");
    wrong_purpose.context.as_mut().unwrap().purpose = code("purpose", "police-check");
    assert_eq!(refusal_code(client.search(wrong_purpose).await), "PURPOSE_NOT_ALLOWED");

    for (state, sentence) in [
        (pb::AgreementState::Suspended, "the agreement is suspended"),
        (pb::AgreementState::Ended, "the agreement has ended"),
    ] {
        world.set_agreement("fr-1", state);
        let refused = refusal(client.search(search("fr-1")).await);
        assert_eq!(refused, (Code::PermissionDenied, "AGREEMENT_NOT_IN_FORCE".into(), sentence.into()));
    }
}

#[tokio::test]
async fn a_node_that_cannot_prove_its_state_young_serves_no_partner_at_any_level() {
    let world = World::new();
    world.agree("fr-1");
    let id = world.create(1, "arrest");
    let mut client = world.alerts(partner()).await;
    let token = client.get(get("fr-1", &id)).await.unwrap().into_inner().answer.unwrap().token;
    for staleness in [None, Some(Duration::from_millis(1001))] {
        *world.store.staleness.lock() = staleness;
        for level in [pb::ReadLevel::Session, pb::ReadLevel::Bounded, pb::ReadLevel::Linearizable] {
            let read = pb::ReadOptions { level: level as i32, token: token.clone(), ..Default::default() };
            let refused = client.get(pb::GetRequest { read: Some(read), ..get("fr-1", &id) }).await;
            assert_eq!(refusal_code(refused), "NO_QUORUM", "{staleness:?} {level:?}");
        }
    }
    let mut national = world.alerts(caller(Role::Search, "met")).await;
    let read = Some(pb::ReadOptions { level: pb::ReadLevel::Local as i32, ..Default::default() });
    national.get(pb::GetRequest { context: context(), read, alert_id: id, ..Default::default() }).await.unwrap();
}

#[tokio::test]
async fn partners_may_not_ask_for_the_local_level() {
    let world = World::new();
    world.agree("fr-1");
    let read = Some(pb::ReadOptions { level: pb::ReadLevel::Local as i32, ..Default::default() });
    let refused = world.search(partner()).await.search(pb::SearchRequest { read, ..search("fr-1") }).await;
    assert_eq!(
        refusal(refused),
        (Code::PermissionDenied, "LEVEL_NOT_ALLOWED".into(), "partners may not ask for the local level".into())
    );
}

#[tokio::test]
async fn a_partner_gets_the_fields_of_its_agreement_and_no_revisions() {
    let world = World::new();
    world.agree("fr-1");
    let id = world.create(1, "arrest");
    let mut client = world.alerts(partner()).await;
    let first = client.get(get("fr-1", &id)).await.unwrap().into_inner();
    let second = client.get(get("fr-1", &id)).await.unwrap().into_inner();
    let (answer, record) = (first.answer.unwrap(), first.record.unwrap());
    assert_eq!((answer.revision, record.info.as_ref().unwrap().revision), (0, 0));
    assert_ne!(answer.token, second.answer.unwrap().token, "a token does not tell whether anything happened");
    assert_eq!(answer.rules.unwrap().agreement, 1);
    let alert = record.alert.unwrap();
    assert_eq!(alert.id, id);
    assert!(alert.identities.is_some() && alert.internal.is_none());
    assert!(record.sections_withheld.contains(&"internal".to_owned()), "{:?}", record.sections_withheld);

    let found = world.search(partner()).await.search(search("fr-1")).await.unwrap().into_inner();
    let source = &found.sources[0];
    assert_eq!((source.source.as_str(), source.status()), ("uk-alert-store", pb::SourceStatus::Complete));
    assert_eq!(source.candidates.len(), 1);
    assert!(source.candidates[0].owner.is_none(), "the agreement gives no right to the owner");
}

#[tokio::test]
async fn a_receipt_tells_a_partner_nothing_and_comes_back_as_the_place_it_stands_for() {
    let world = World::new();
    world.agree("fr-1");
    let id = world.create(1, "arrest");
    let mut client = world.alerts(partner()).await;
    let mut receipts = Vec::new();
    for _ in 0..12 {
        receipts.push(client.get(get("fr-1", &id)).await.unwrap().into_inner().answer.unwrap().receipt);
    }
    assert!(
        receipts.iter().all(|receipt| receipt.len() == receipts[0].len()),
        "the twelfth is no longer than the first"
    );
    assert!(receipts.iter().all(|receipt| !receipt.contains("receipt-")), "{receipts:?}");
    let mut hits = HitServiceClient::new(world.channel(partner()).await);
    let report = pb::HitReport {
        place: Some(pb::Place { text: "Calais".into(), ..Default::default() }),
        time: Some(prost_types::Timestamp { seconds: 1_789_999_000, nanos: 0 }),
        ..Default::default()
    };
    let hit = |receipt: &str| pb::Hit {
        alert_id: id.clone(),
        version_seen: 1,
        search_id: context().unwrap().search_id,
        receipt: receipt.into(),
        outcome: code("hit-outcome", "confirmed"),
        report: Some(report.clone()),
        ..Default::default()
    };
    let request = |sequence: u64, receipt: &str| pb::ReportHitRequest {
        context: under("fr-1").map(|context| pb::CallContext {
            request_id: Some(pb::RequestId { session: vec![5; 16], sequence }),
            ..context
        }),
        hit: Some(hit(receipt)),
    };
    let reported = hits.report(request(1, &receipts[2])).await.unwrap().into_inner().hit.unwrap();
    assert_eq!(reported.receipt.len(), receipts[2].len(), "the partner gets it sealed again");
    assert_eq!(refusal_code(hits.report(request(2, "receipt-3")).await), "REQUEST_INVALID", "no guessing of places");
    assert_eq!(refusal_code(hits.report(request(3, "abcd")).await), "REQUEST_INVALID");
    let mut bureau = HitServiceClient::new(world.channel(super::nca()).await);
    let get = pb::GetHitRequest { context: context(), hit_id: reported.id, ..Default::default() };
    assert_eq!(bureau.get(get).await.unwrap().into_inner().hit.unwrap().receipt, "receipt-3", "the place in the log");
}

#[tokio::test]
async fn a_covert_alert_is_a_missing_one_everywhere() {
    let world = World::new();
    world.agree("fr-1");
    let open = world.create(1, "arrest");
    let covert = world.create(2, "discreet-check");
    let missing = "0190b0a2-7c3d-7000-8000-00000000000a";
    let mut client = world.alerts(partner()).await;
    let hidden = refusal(client.get(get("fr-1", &covert)).await);
    assert_eq!(hidden, refusal(client.get(get("fr-1", missing)).await));
    let list = pb::ListRequest { context: under("fr-1"), ..Default::default() };
    let listed = client.list(list).await.unwrap().into_inner();
    let ids: Vec<_> = listed.records.iter().map(|record| record.info.as_ref().unwrap().id.clone()).collect();
    assert_eq!(ids, [open]);
    let query = Some(pb::Query { any_number: "500000002".into(), ..Default::default() });
    let searched = pb::SearchRequest { query, ..search("fr-1") };
    let found = world.search(partner()).await.search(searched.clone()).await.unwrap().into_inner();
    assert!(found.sources[0].candidates.is_empty());

    // The open search role is in the same position, the national one is not.
    let context = context();
    let request = |id: &str| pb::GetRequest { context: context.clone(), alert_id: id.into(), ..Default::default() };
    let mut open_search = world.alerts(caller(Role::SearchOpen, "met")).await;
    assert_eq!(refusal(open_search.get(request(&covert)).await), refusal(open_search.get(request(missing)).await));
    let history = |id: &str| pb::HistoryRequest { context: context.clone(), alert_id: id.into(), ..Default::default() };
    assert_eq!(refusal(open_search.history(history(&covert)).await), hidden);
    let mut national = world.alerts(caller(Role::Search, "met")).await;
    national.get(request(&covert)).await.unwrap();
    let searched = pb::SearchRequest { context: context.clone(), ..searched };
    let found = world.search(caller(Role::Search, "met")).await.search(searched).await.unwrap().into_inner();
    assert_eq!(found.sources[0].candidates.len(), 1);
}

#[tokio::test]
async fn a_source_that_the_store_does_not_hold_is_named_and_not_silently_left_out() {
    let world = World::new();
    world.agree("fr-1");
    let asked = pb::SearchRequest { sources: vec!["uk-alert-store".into(), "elsewhere".into()], ..search("fr-1") };
    let found = world.search(partner()).await.search(asked).await.unwrap().into_inner();
    let statuses: Vec<_> = found.sources.iter().map(|source| (source.source.as_str(), source.status())).collect();
    assert_eq!(
        statuses,
        [("uk-alert-store", pb::SourceStatus::Complete), ("elsewhere", pb::SourceStatus::NotEntitled)]
    );
}
