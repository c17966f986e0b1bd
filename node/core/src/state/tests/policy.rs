//! Rules, agreements, hits and anchors.

use prost::Message;

use super::{START_MS, Store, bureau, code, create, id, person};
use crate::{
    alert::{
        RuleSet,
        time::{self, from_ms},
    },
    limits, pb,
    state::{
        command::{Command, Outcome, Rejection, RequestKey},
        founding, full_hash, is_founded, read_agreement, read_audit_anchors, read_hit, read_rules,
    },
};

#[test]
fn a_store_without_rules_decides_nothing_and_keeps_no_such_answer() {
    let mut store = Store::unfounded();
    let request = Some(RequestKey { session: [7; 16], sequence: 1, content_hash: [1; 16] });
    let first = store.proposal(Some(bureau("nca")), request, create(1));
    assert_eq!(store.apply(std::slice::from_ref(&first)).remove(0).remove(0), Err(Rejection::NotFounded));
    assert!(!is_founded(&store.view).unwrap() && read_rules(&store.view).unwrap().is_none());
    let batch = store.proposal(None, None, founding());
    store.apply(&[batch]);
    assert!(is_founded(&store.view).unwrap());
    assert_eq!(store.apply(&[first]).remove(0).remove(0).unwrap().version, 1);
}

#[test]
fn a_cluster_lives_by_the_rules_that_its_log_brought_whatever_a_node_ships() {
    let mut store = Store::unfounded();
    let mut documents = RuleSet::default_rules();
    let Some(pb::rules::Rules::Retention(retention)) = &mut documents[1].rules else {
        panic!("retention comes second")
    };
    retention
        .rules
        .iter_mut()
        .for_each(|rule| (rule.period_months, rule.period_months_when_decision_lasts_longer) = (30, 0));
    let rules = documents.iter().map(Message::encode_to_vec).collect();
    let of_another_release = store.proposal(None, None, Command::Found { rules });
    store.apply(&[of_another_release]);
    // This node's own come too late.
    let batch = store.proposal(None, None, founding());
    assert_eq!(store.apply(&[batch]).remove(0).remove(0).unwrap().outcome, Outcome::Unchanged);
    store.run(create(1)).unwrap();
    let ends = time::add_months(START_MS, 30);
    assert_eq!(store.lifecycle(1).expires_at, Some(from_ms(ends)));
    assert_eq!(store.meta().revision, 1, "what a cluster begins with is revision 0");
    assert_eq!(full_hash(&store.view).unwrap(), store.meta().state_hash);
}

#[test]
fn an_update_under_newer_rules_may_keep_a_code_that_was_withdrawn_meanwhile() {
    let mut store = Store::new();
    store.run(create(1)).unwrap();
    let mut lists = RuleSet::default_rules().remove(0);
    let Some(pb::rules::Rules::CodeLists(content)) = &mut lists.rules else { panic!("code lists come first") };
    let reasons = content.lists.iter_mut().find(|list| list.name == "reason").unwrap();
    reasons.entries.iter_mut().find(|entry| entry.value == "serious-crime").unwrap().withdrawn = true;
    let before = store.meta().rules_revision;
    store.run(Command::PutRules { rules: lists.encode_to_vec(), expected_version: 1 }).unwrap();
    // Validated by a leader that knew the rules before.
    let mut run = |command| {
        let mut batch = store.proposal(Some(bureau("nca")), None, command);
        batch.proposals[0].rules_revision = before;
        store.apply(&[batch]).remove(0).remove(0)
    };
    let update = Command::Update { id: id(1), expected_version: 1, alert: person(1, "arrest").encode_to_vec() };
    assert_eq!(run(update).unwrap().version, 2);
    let mut newer = person(1, "arrest");
    newer.core.as_mut().unwrap().source.as_mut().unwrap().source_version = 2;
    assert_eq!(run(Command::Import { id: id(8), alert: newer.encode_to_vec() }).unwrap().version, 3);
    assert!(matches!(run(create(2)), Err(Rejection::Invalid { .. })), "a new alert takes no withdrawn code");
}

#[test]
fn an_agreement_is_suspended_at_once_and_keeps_its_versions() {
    let mut store = Store::new();
    let agreement = pb::Agreement {
        id: "FR-1".into(),
        partner: Some(pb::Party { code: "FR".into() }),
        categories: vec![code("category", "arrest").unwrap()],
        purposes: vec![code("purpose", "border-control").unwrap()],
        legal_regime: "dpa-2018-part-3".into(),
        transfer_basis: "adequacy".into(),
        ..Default::default()
    };
    let put = |expected_version| Command::PutAgreement { agreement: agreement.encode_to_vec(), expected_version };
    assert_eq!(store.run(put(0)).unwrap().version, 1);
    assert_eq!(store.run(put(0)), Err(Rejection::AlreadyExists));
    let set = |state: pb::AgreementState| Command::SetAgreementState {
        id: "FR-1".into(),
        state: state as i32,
        purge_proof: None,
    };
    assert_eq!(store.run(set(pb::AgreementState::Suspended)).unwrap().version, 2);
    // New terms do not lift a suspension.
    store.run(put(2)).unwrap();
    let held = read_agreement(&store.view, "FR-1").unwrap().unwrap();
    assert_eq!((held.state(), held.version), (pb::AgreementState::Suspended, 3));
    store.run(set(pb::AgreementState::Ended)).unwrap();
    assert!(matches!(store.run(set(pb::AgreementState::Active)), Err(Rejection::WrongState { state: 0 })));
}

#[test]
fn a_hit_on_an_urgent_alert_is_to_be_answered_at_once() {
    let mut store = Store::new();
    store.run(create(1)).unwrap();
    store
        .run(Command::Create { id: id(2), alert: person(2, "discreet-check").encode_to_vec(), as_draft: false })
        .unwrap();
    let due_after_ms = |store: &mut Store, number: u8| {
        let hit = pb::Hit { alert_id: id(number).to_string(), version_seen: 1, ..Default::default() };
        let id = id(100 + number);
        store.run(Command::ReportHit { id, hit: hit.encode_to_vec() }).unwrap();
        let hit = read_hit(&store.view, id).unwrap().unwrap();
        time::field_ms(&hit.answer_due_at).unwrap() - START_MS
    };
    assert_eq!(due_after_ms(&mut store, 1), 0, "the category is urgent; the record need not say so");
    assert_eq!(due_after_ms(&mut store, 2), limits::HIT_ANSWER_MS);
}

#[test]
fn anchors_of_an_audit_log_are_kept_and_thinned() {
    const MINUTE_MS: u64 = 60_000;
    let mut store = Store::unfounded();
    let anchor = |store: &mut Store, sequence: u64| {
        let command = Command::AnchorAudit { node_id: 3, sequence, head: [sequence as u8; 32] };
        let batch = store.proposal(None, None, command);
        store.apply(&[batch]).remove(0).remove(0).unwrap().outcome
    };
    assert_eq!(anchor(&mut store, 1), Outcome::Changed);
    assert_eq!(anchor(&mut store, 1), Outcome::Unchanged, "the log has not moved");
    for minute in 1..=30 * 60 {
        store.now_ms = START_MS + minute * MINUTE_MS;
        anchor(&mut store, 1 + minute);
    }
    let anchors = read_audit_anchors(&store.view, 3).unwrap();
    assert!(anchors.is_sorted_by_key(|anchor| (anchor.at_ms, anchor.sequence)));
    let day_old = store.now_ms - 25 * 60 * MINUTE_MS;
    let old = anchors.iter().filter(|anchor| anchor.at_ms < day_old).count();
    assert!((5..=6).contains(&old), "one of each hour: {old}");
    assert!(anchors.len() - old > 24 * 60, "all of the last day: {}", anchors.len());
    assert_eq!(anchors.last().unwrap().sequence, 30 * 60 + 1);
    assert_eq!(read_audit_anchors(&store.view, 4).unwrap(), []);
}
