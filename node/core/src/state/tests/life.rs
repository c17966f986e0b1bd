//! How an alert comes to be, changes and ends.

use prost::Message;

use super::{DAY_MS, START_MS, Store, bearer, bureau, cancel, code, create, id, person};
use crate::{
    alert::{
        Caller, StoredAlert, sample,
        time::{add_months, from_ms},
    },
    pb,
    state::{
        Change, View,
        command::{Command, Outcome, Rejection},
        family::{self, Family},
        next_due_ms, read_label,
    },
};

#[test]
fn a_created_alert_is_active_findable_and_in_the_feed() {
    let mut store = Store::new();
    let done = store.run(create(1)).unwrap();
    assert_eq!((done.id, done.version, done.revision, done.outcome), (id(1), 1, 1, Outcome::Created));
    assert_eq!(store.state(1), pb::AlertState::Active);
    assert!(store.index_entries() > 0);
    let label = store.stored(1).unwrap().header.label;
    assert_eq!(store.changes(), [Change::Alert { id: id(1), version: 1, before: None, after: Some(label) }]);
    assert_eq!(read_label(&store.view, label).unwrap().category, "arrest");
    assert_eq!(store.lifecycle(1).expires_at, Some(from_ms(add_months(START_MS, 60))));
}

#[test]
fn an_update_keeps_the_version_before_it_and_refuses_an_older_expectation() {
    let mut store = Store::new();
    store.run(create(1)).unwrap();
    let update =
        |expected_version| Command::Update { id: id(1), expected_version, alert: person(1, "missing").encode_to_vec() };
    assert_eq!(store.run(update(1)).unwrap().version, 2);
    assert_eq!(store.run(update(1)), Err(Rejection::VersionConflict { current: 2 }));
    let before = store.view.get(Family::History, &family::history(id(1), 1)).unwrap().unwrap();
    assert_eq!(StoredAlert::decode(&before).unwrap().header.version, 1);
}

#[test]
fn only_the_owner_changes_an_alert() {
    let mut store = Store::new();
    store.run(create(1)).unwrap();
    // Another bureau sees it and may not touch it.
    assert_eq!(store.run_as(bureau("border-force"), cancel(1)), Err(Rejection::NotOwner));
    // A draft of another bureau does not exist for it.
    let draft = Command::Create { id: id(2), alert: person(2, "arrest").encode_to_vec(), as_draft: true };
    store.run(draft).unwrap();
    assert_eq!(store.run_as(bureau("border-force"), cancel(2)), Err(Rejection::NotFound));
    assert_eq!(store.run_as(bureau("border-force"), create(3)), Err(Rejection::NotOwner));
}

#[test]
fn an_owner_is_the_same_by_any_of_its_codes() {
    let mut store = Store::new();
    let mut alert = person(1, "arrest");
    alert.core.as_mut().unwrap().owner.as_mut().unwrap().party.as_mut().unwrap().code = "GBR".into();
    store.run(Command::Create { id: id(1), alert: alert.encode_to_vec(), as_draft: false }).unwrap();
    let by_alpha_3 = Caller { country: "GBR".into(), ..bureau("nca") };
    store.run_as(by_alpha_3.clone(), create(2)).unwrap();
    store.run_as(by_alpha_3, cancel(1)).unwrap();
}

#[test]
fn a_cancelled_alert_leaves_a_tombstone_without_personal_data_and_no_index_key() {
    let mut store = Store::new();
    store.run(create(1)).unwrap();
    assert_eq!(store.run(cancel(1)).unwrap().state, pb::AlertState::Deleted as i32);
    assert_eq!(store.index_entries(), 0);
    let bytes = store.stored(1).unwrap().encode();
    for text in ["Synthetic1", "REF-1", "Example"] {
        assert!(!bytes.windows(text.len()).any(|window| window == text.as_bytes()), "{text} is left");
    }
    let tombstone = store.lifecycle(1).tombstone.unwrap();
    assert_eq!(tombstone.reason.unwrap().value, "executed");
    assert_eq!(store.run(cancel(1)), Err(Rejection::WrongState { state: pb::AlertState::Deleted as i32 }));
}

#[test]
fn an_old_file_imported_again_revives_nothing() {
    let mut store = Store::new();
    let import = |number, version| {
        let mut alert = person(1, "arrest");
        alert.id = id(number).to_string();
        alert.core.as_mut().unwrap().source.as_mut().unwrap().source_version = version;
        Command::Import { id: id(number), alert: alert.encode_to_vec() }
    };
    assert_eq!(store.run(import(1, 1)).unwrap().outcome, Outcome::Created);
    let again = store.run(import(2, 1)).unwrap();
    assert_eq!((again.id, again.outcome), (id(1), Outcome::Unchanged));
    let newer = store.run(import(3, 2)).unwrap();
    assert_eq!((newer.id, newer.version, newer.outcome), (id(1), 2, Outcome::Changed));
    assert_eq!(store.stored(1).unwrap().to_alert().unwrap().id, id(1).to_string());
    store.run(cancel(1)).unwrap();
    assert_eq!(store.run(import(4, 2)).unwrap().outcome, Outcome::Unchanged);
    assert_eq!(store.state(1), pb::AlertState::Deleted);
    // A source that has something new to say begins a new alert.
    assert_eq!(store.run(import(5, 3)).unwrap().id, id(5));
    let revisions = store.meta().revision;
    assert_eq!(store.changes().len() as u64, revisions);
}

#[test]
fn an_alert_expires_when_replicated_time_says_so_and_not_before() {
    let mut store = Store::new();
    store.run(create(1)).unwrap();
    let ends = next_due_ms(&store.view).unwrap().unwrap();
    store.now_ms = ends - 1;
    assert_eq!(store.due(), Outcome::Unchanged);
    assert_eq!(store.state(1), pb::AlertState::Active);
    store.now_ms = ends;
    assert_eq!(store.due(), Outcome::Changed);
    assert_eq!(store.state(1), pb::AlertState::Expired);
    assert_eq!(store.index_entries(), 0);
    // A leader whose clock runs behind does not turn time back.
    store.now_ms = START_MS;
    let tick = store.proposal(None, None, Command::Tick);
    store.apply(&[tick]);
    assert_eq!(store.meta().time_ms, ends);
    // Its history goes when its time has come, and then nothing is due any more.
    assert_eq!(store.view.entries(Family::History).count(), 1);
    store.now_ms = next_due_ms(&store.view).unwrap().unwrap();
    store.due();
    assert_eq!((store.view.entries(Family::History).count(), next_due_ms(&store.view).unwrap()), (0, None));
}

#[test]
fn an_alert_planned_for_tomorrow_is_not_findable_today() {
    let mut store = Store::new();
    let mut alert = person(1, "arrest");
    alert.core.as_mut().unwrap().valid_from = Some(from_ms(START_MS + DAY_MS));
    store.run(Command::Create { id: id(1), alert: alert.encode_to_vec(), as_draft: false }).unwrap();
    assert_eq!((store.state(1), store.index_entries()), (pb::AlertState::Scheduled, 0));
    store.now_ms += DAY_MS;
    store.due();
    assert_eq!(store.state(1), pb::AlertState::Active);
    assert!(store.index_entries() > 0);
}

#[test]
fn a_suspension_begins_and_lapses_by_itself() {
    let mut store = Store::new();
    store.run(create(1)).unwrap();
    let restriction = pb::Restriction {
        kind: pb::RestrictionKind::Suspended as i32,
        territories: vec![pb::Party { code: "FR".into() }],
        from: Some(from_ms(START_MS + DAY_MS)),
        until: Some(from_ms(START_MS + 2 * DAY_MS)),
        ..Default::default()
    };
    let restrict = Command::Restrict { id: id(1), expected_version: 1, restriction: restriction.encode_to_vec() };
    store.run(restrict).unwrap();
    let suspended_in = |store: &Store| {
        let label = store.stored(1).unwrap().header.label;
        read_label(&store.view, label).unwrap().suspended_in.clone()
    };
    assert!(suspended_in(&store).is_empty());
    for (day, expected) in [(1, vec!["FR".to_string()]), (2, vec![])] {
        store.now_ms = START_MS + day * DAY_MS;
        assert_eq!(store.due(), Outcome::Changed);
        assert_eq!(suspended_in(&store).into_iter().collect::<Vec<_>>(), expected);
        assert_eq!(store.due(), Outcome::Unchanged);
    }
}

#[test]
fn a_review_needs_a_second_pair_of_eyes() {
    let mut store = Store::new();
    store.run(Command::Create { id: id(1), alert: person(1, "arrest").encode_to_vec(), as_draft: true }).unwrap();
    let submit = Command::Submit { id: id(1), expected_version: 1, by: "ann".into(), note: String::new() };
    store.run(submit).unwrap();
    let approve = |by: &str| Command::Approve { id: id(1), expected_version: 2, by: by.into(), note: String::new() };
    assert!(matches!(store.run(approve("ann")), Err(Rejection::Invalid { .. })));
    assert_eq!(store.run(approve("ben")).unwrap().state, pb::AlertState::Active as i32);
}

#[test]
fn an_alert_of_lower_rank_waits_unseen_behind_one_it_does_not_go_with_and_is_freed_by_its_end() {
    let mut store = Store::new();
    let bear = |number, category| Command::Create {
        id: id(number),
        alert: bearer(number, category, "ZX9812345").encode_to_vec(),
        as_draft: false,
    };
    store.run(bear(1, "discreet-check")).unwrap();
    let findable = |store: &Store, number| {
        let is_of = |bytes: &[u8]| bytes.windows(16).any(|window| window == id(number).as_bytes());
        store.view.entries(Family::Number).any(|(key, value)| is_of(key) || is_of(value))
    };
    assert!(findable(&store, 1));
    // What outranks it takes its place; what comes after that and goes with neither waits too.
    store.run(bear(2, "arrest")).unwrap();
    store.run(bear(3, "inquiry-check")).unwrap();
    let states = |store: &Store| [1, 2, 3].map(|number| store.state(number));
    assert_eq!(states(&store), [pb::AlertState::Waiting, pb::AlertState::Active, pb::AlertState::Waiting]);
    assert_eq!([1, 2, 3].map(|number| findable(&store, number)), [false, true, false], "who waits is in no index");
    // One on another subject waits for nobody.
    store
        .run(Command::Create { id: id(4), alert: person(4, "discreet-check").encode_to_vec(), as_draft: false })
        .unwrap();
    assert_eq!(store.state(4), pb::AlertState::Active);

    store.run(cancel(2)).unwrap();
    // The two that waited do not go with each other: the higher of them is in force, the other waits for it now.
    let waits_for_it = [pb::AlertState::Waiting, pb::AlertState::Deleted, pb::AlertState::Active];
    assert_eq!(states(&store), waits_for_it);
    assert_eq!([1, 3].map(|number| findable(&store, number)), [false, true]);
    store.run(cancel(3)).unwrap();
    assert_eq!(store.state(1), pb::AlertState::Active);
    assert!(findable(&store, 1));
    assert_eq!(store.view.entries(Family::Links).count(), 0, "nobody waits any more");
}

#[test]
fn with_the_owner_go_the_rights_of_the_owner() {
    let mut store = Store::new();
    store.run(create(1)).unwrap();
    let owner = sample::owner("GB", "border-force").encode_to_vec();
    let transfer = Command::TransferOwner { id: id(1), expected_version: 1, owner };
    assert_eq!(store.run_as(bureau("border-force"), transfer.clone()), Err(Rejection::NotOwner));
    let done = store.run(transfer.clone()).unwrap();
    assert_eq!((done.version, done.outcome, store.state(1)), (2, Outcome::Changed, pb::AlertState::Active));
    assert_eq!(read_label(&store.view, store.stored(1).unwrap().header.label).unwrap().owner_authority, "border-force");
    // The old owner has lost them all, that of handing it over included.
    let back =
        Command::TransferOwner { id: id(1), expected_version: 2, owner: sample::owner("GB", "nca").encode_to_vec() };
    for command in [cancel(1), back, Command::Erase { id: id(1), ground: "order".into(), by: String::new() }] {
        assert_eq!(store.run(command), Err(Rejection::NotOwner));
    }
    store.run_as(bureau("border-force"), cancel(1)).unwrap();
    assert_eq!(store.state(1), pb::AlertState::Deleted);
}

#[test]
fn what_a_victim_no_longer_consents_to_is_gone_from_every_version() {
    let mut store = Store::new();
    let mut alert = person(1, "arrest");
    let misused = pb::Identity { kind: code("identity-kind", "misused"), ..sample::identity("Example", "Synthetic") };
    alert.identities.as_mut().unwrap().identities.push(misused);
    let consent = |value: &str, evidence: &str| pb::Consent {
        field_category: code("victim-field", value),
        given_at: Some(from_ms(START_MS - DAY_MS)),
        evidence: evidence.into(),
        withdrawn_at: None,
    };
    let rightful = pb::Identity { height_cm: Some(171), ..sample::identity("Rightful", "Bearersname") };
    let victim = pb::Victim {
        identity: Some(rightful),
        consents: vec![consent("names", "Form-Names-12"), consent("physical", "Form-Physical-13")],
        how_to_tell_apart: "by a scar".into(),
    };
    alert.victims = Some(pb::VictimSection { victims: vec![victim] });
    let content = alert.encode_to_vec();
    store.run(Command::Create { id: id(1), alert: content.clone(), as_draft: false }).unwrap();
    store.run(Command::Update { id: id(1), expected_version: 1, alert: content }).unwrap();
    for text in ["Bearersname", "Form-Names-12"] {
        assert_eq!(store.families_with(text), [Family::Alerts.name(), Family::History.name()], "{text}");
    }

    let withdraw = |victim_index| Command::WithdrawConsent {
        id: id(1),
        expected_version: 2,
        victim_index,
        field_categories: vec!["names".into()],
    };
    assert!(matches!(store.run(withdraw(1)), Err(Rejection::Invalid { .. })), "there is one victim");
    assert_eq!(store.run(withdraw(0)).unwrap().version, 3);
    for text in ["Bearersname", "Form-Names-12"] {
        assert_eq!(store.families_with(text), [""; 0], "{text}");
    }
    assert_eq!(store.view.entries(Family::History).count(), 0);
    // What the other consent covers stays, and the alert itself.
    let victim = store.stored(1).unwrap().to_alert().unwrap().victims.unwrap().victims.remove(0);
    assert_eq!(victim.identity.unwrap().height_cm, Some(171));
    assert_eq!([0, 1].map(|number| victim.consents[number].withdrawn_at.is_some()), [true, false]);
    assert_eq!(store.state(1), pb::AlertState::Active);
}
