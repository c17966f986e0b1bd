//! Many alerts at once, in and out.

use std::collections::BTreeMap;

use alert_core::{
    alert::{AlertId, Role},
    pb,
    state::command::Command,
};
use prost::Message;

use super::{World, caller, code, context, nca, partner, person, under};
use crate::{api::ProposeError, limits::EXPORT_RECORDS_PER_MESSAGE};

fn line(line: u64, alert: pb::Alert) -> pb::ImportLine {
    pb::ImportLine { line, alert: Some(alert) }
}

async fn import(world: &World, messages: Vec<Vec<pb::ImportLine>>) -> BTreeMap<u64, pb::ImportOutcome> {
    let mut context = context();
    let messages: Vec<_> =
        messages.into_iter().map(|lines| pb::ImportRequest { context: context.take(), lines }).collect();
    let mut alerts = world.alerts(nca()).await;
    let mut answers = alerts.import(tokio_stream::iter(messages)).await.unwrap().into_inner();
    let mut outcomes = BTreeMap::new();
    while let Some(answer) = answers.message().await.unwrap() {
        assert!(answer.answer.is_some());
        outcomes.extend(answer.outcomes.into_iter().map(|outcome| (outcome.line, outcome)));
    }
    outcomes
}

fn newer(number: u64, source_version: u64) -> pb::Alert {
    let mut alert = person(number, "arrest");
    alert.core.as_mut().unwrap().source.as_mut().unwrap().source_version = source_version;
    alert
}

#[tokio::test]
async fn every_line_is_answered_and_a_bad_one_stops_nothing() {
    let world = World::new();
    let mut faulty = person(3, "arrest");
    faulty.core.as_mut().unwrap().category = code("category", "no-such-category");
    let mut foreign = person(4, "arrest");
    let owner = foreign.core.as_mut().unwrap().owner.as_mut().unwrap();
    owner.authority = code("authority", "met");
    let mut nameless = person(5, "arrest");
    nameless.core.as_mut().unwrap().source.as_mut().unwrap().reference.clear();
    let messages = vec![
        vec![line(1, person(1, "arrest")), line(2, person(2, "arrest")), line(3, faulty)],
        vec![line(4, foreign), line(5, nameless), pb::ImportLine { line: 6, alert: None }],
        vec![line(7, person(7, "arrest"))],
    ];
    let outcomes = import(&world, messages).await;
    let statuses: Vec<_> = outcomes.values().map(pb::ImportOutcome::status).collect();
    use pb::ImportStatus::{Created, Rejected};
    assert_eq!(statuses, [Created, Created, Rejected, Rejected, Rejected, Rejected, Created]);
    assert!(outcomes[&3].faults.iter().any(|fault| fault.field_path.starts_with("core.category")));
    assert_eq!(outcomes[&4].faults[0].code, "NOT_OWNER");
    assert!(outcomes[&1].alert_id.parse::<AlertId>().is_ok());
}

#[tokio::test]
async fn a_line_sent_again_has_one_effect() {
    let world = World::new();
    let first = import(&world, vec![vec![line(1, newer(1, 1))]]).await;
    let again = import(&world, vec![vec![line(1, newer(1, 1))]]).await;
    assert_eq!(again[&1].status(), pb::ImportStatus::Unchanged);
    let updated = import(&world, vec![vec![line(1, newer(1, 2))]]).await;
    assert_eq!((updated[&1].status(), updated[&1].version), (pb::ImportStatus::Updated, 2));
    assert_eq!(first[&1].alert_id, updated[&1].alert_id);
}

#[tokio::test]
async fn a_full_queue_slows_an_import_and_fails_nothing() {
    let world = World::new();
    let retry_after = std::time::Duration::from_millis(1);
    let full = std::iter::repeat_n(Some(ProposeError::Overloaded { retry_after }), 5);
    world.store.next_proposals.lock().extend(full);
    let outcomes = import(&world, vec![(1..=20).map(|number| line(number, newer(number, 1))).collect()]).await;
    assert!(outcomes.len() == 20 && outcomes.values().all(|outcome| outcome.status() == pb::ImportStatus::Created));
}

async fn export(
    world: &World,
    caller: alert_core::alert::Caller,
    request: pb::ExportRequest,
) -> Vec<pb::ExportResponse> {
    let mut alerts = world.alerts(caller).await;
    let mut answers = alerts.export(request).await.unwrap().into_inner();
    let mut messages = Vec::new();
    while let Some(message) = answers.message().await.unwrap() {
        messages.push(message);
    }
    messages
}

fn ids(messages: &[pb::ExportResponse]) -> Vec<String> {
    messages
        .iter()
        .flat_map(|message| &message.records)
        .map(|record| record.info.as_ref().unwrap().id.clone())
        .collect()
}

fn many(world: &World, count: u16) -> Vec<String> {
    (0..count)
        .map(|number| {
            let mut bytes = [0; 16];
            bytes[..2].copy_from_slice(&(number + 1).to_be_bytes());
            let id = AlertId::from_bytes(bytes);
            let alert = person(u64::from(number) + 1000, "arrest").encode_to_vec();
            world.run(nca(), Command::Create { id, alert, as_draft: false });
            id.to_string()
        })
        .collect()
}

#[tokio::test]
async fn an_export_gives_every_visible_alert_and_goes_on_on_another_node() {
    let world = World::new();
    world.agree("fr-1");
    let count = EXPORT_RECORDS_PER_MESSAGE as u16 + 20;
    let all = many(&world, count);
    world.create(0xff, "discreet-check");
    let request = pb::ExportRequest { context: under("fr-1"), ..Default::default() };
    let messages = export(&world, partner(), request.clone()).await;
    assert_eq!(ids(&messages), all);
    assert_eq!(messages.len(), 2);
    assert!(messages.iter().all(|message| message.answer.as_ref().unwrap().revision == 0));
    assert!(messages[1].resume_token.is_empty());

    let other = world.second_node();
    let resumed = pb::ExportRequest { resume_token: messages[0].resume_token.clone(), ..request };
    assert_eq!(ids(&export(&other, partner(), resumed).await), all[EXPORT_RECORDS_PER_MESSAGE..]);
}

#[tokio::test]
async fn an_empty_export_still_tells_where_the_feed_goes_on() {
    let world = World::new();
    let request = pb::ExportRequest { context: context(), ..Default::default() };
    let messages = export(&world, caller(Role::Search, "met"), request).await;
    assert_eq!(messages.len(), 1);
    assert!(!messages[0].feed_cursor.is_empty() && messages[0].records.is_empty());
}

#[tokio::test]
async fn an_export_goes_on_with_the_question_and_the_agreement_it_began_with() {
    let world = World::new();
    world.agree("fr-1");
    many(&world, EXPORT_RECORDS_PER_MESSAGE as u16 + 20);
    let request = pb::ExportRequest { context: under("fr-1"), ..Default::default() };
    let resume_token = export(&world, partner(), request.clone()).await[0].resume_token.clone();
    let resumed = pb::ExportRequest { resume_token, ..request };
    let refused = async |request: pb::ExportRequest| {
        let mut answers = world.alerts(partner()).await.export(request).await.unwrap().into_inner();
        super::refusal_code(answers.message().await.map(tonic::Response::new))
    };
    let filter = Some(pb::AlertFilter { sources: vec!["UK".into()], ..Default::default() });
    assert_eq!(refused(pb::ExportRequest { filter, ..resumed.clone() }).await, "TOKEN_INVALID");
    world.set_agreement("fr-1", pb::AgreementState::Suspended);
    world.set_agreement("fr-1", pb::AgreementState::Active);
    assert_eq!(refused(resumed).await, "TOKEN_INVALID");
}
