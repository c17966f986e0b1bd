//! Stories of the state machine, over a state in memory.

use prost::Message;

use super::{
    Caches, Change, FeedEntries, MemoryView, Meta, View, apply,
    command::{Answer, Batch, Command, Done, Outcome, Proposal, Rejection, RequestKey},
    compactable_before,
    family::{self, Family},
    founding, full_hash, is_founded, next_due_ms, read_acknowledgements, read_agreement, read_attachment,
    read_attachment_chunk, read_audit_anchors, read_hit, read_label, read_rules, scan_prefix,
};
use crate::{
    alert::{AlertId, Caller, Role, StoredAlert, attachment, sample, time::from_ms},
    limits, pb,
};

const START_MS: u64 = 1_790_000_000_000;
const DAY_MS: u64 = 86_400_000;

struct Store {
    view: MemoryView,
    caches: Caches,
    now_ms: u64,
}

fn bureau(authority: &str) -> Caller {
    Caller { country: "GB".into(), authority: authority.into(), system: "desk".into(), role: Role::Bureau }
}

fn id(number: u8) -> AlertId {
    AlertId::from_bytes([number; 16])
}

fn code(list: &str, value: &str) -> Option<pb::Code> {
    Some(pb::Code { list: list.into(), value: value.into() })
}

/// The sample of the domain's tests with a number of its own: sound under the shipped rules.
fn person(number: u8, category: &str) -> pb::Alert {
    let mut alert = sample::person(category);
    alert.id = id(number).to_string();
    let source = alert.core.as_mut().unwrap().source.as_mut().unwrap();
    *source =
        pb::Source { system: "UK".into(), reference: format!("REF-{number}"), source_version: 1, ..Default::default() };
    let decision = alert.core.as_mut().unwrap().decision.as_mut().unwrap();
    decision.decided_at = Some(from_ms(START_MS - DAY_MS));
    alert.identities.as_mut().unwrap().identities[0].names[0].parts[1].text = format!("Synthetic{number}");
    alert
}

fn create(number: u8) -> Command {
    Command::Create { id: id(number), alert: person(number, "arrest").encode_to_vec(), as_draft: false }
}

fn cancel(number: u8) -> Command {
    Command::Cancel { id: id(number), expected_version: 0, reason: "executed".into(), by: "desk".into() }
}

impl Store {
    fn new() -> Self {
        let mut store = Self::unfounded();
        let founding = store.proposal(None, None, founding());
        store.apply(&[founding]);
        store
    }

    fn unfounded() -> Self {
        Self { view: MemoryView::default(), caches: Caches::default(), now_ms: START_MS }
    }

    fn apply(&mut self, batches: &[Batch]) -> Vec<Vec<Answer>> {
        let effects = apply(&self.view, &mut self.caches, batches).unwrap();
        self.view.write(effects.writes);
        assert_eq!(effects.meta, self.meta());
        effects.answers
    }

    fn proposal(&self, caller: Option<Caller>, request: Option<RequestKey>, command: Command) -> Batch {
        let proposal = Proposal { caller, request, rules_revision: self.meta().rules_revision, command };
        Batch { proposed_at_ms: self.now_ms, proposals: vec![proposal] }
    }

    fn run_as(&mut self, caller: Caller, command: Command) -> Answer {
        let batch = self.proposal(Some(caller), None, command);
        self.apply(&[batch]).remove(0).remove(0)
    }

    fn run(&mut self, command: Command) -> Answer {
        self.run_as(bureau("nca"), command)
    }

    fn due(&mut self) -> Outcome {
        let batch = self.proposal(None, None, Command::Due);
        self.apply(&[batch]).remove(0).remove(0).unwrap().outcome
    }

    fn meta(&self) -> Meta {
        Meta::read(&self.view).unwrap()
    }

    fn stored(&self, number: u8) -> Option<StoredAlert> {
        let bytes = self.view.get(Family::Alerts, id(number).as_bytes()).unwrap()?;
        Some(StoredAlert::decode(&bytes).unwrap())
    }

    fn state(&self, number: u8) -> pb::AlertState {
        self.stored(number).unwrap().header.state.try_into().unwrap()
    }

    fn lifecycle(&self, number: u8) -> pb::Lifecycle {
        self.stored(number).unwrap().to_alert().unwrap().lifecycle.unwrap()
    }

    fn changes(&self) -> Vec<Change> {
        let mut entries = FeedEntries::after(&self.view, 0).unwrap();
        std::iter::from_fn(|| Some(entries.next_entry().unwrap()?.1.change)).collect()
    }

    fn index_entries(&self) -> usize {
        let families =
            [Family::Exact, Family::ExactFolded, Family::NameDob, Family::NamePair, Family::NameOne, Family::Lexicon];
        families.iter().map(|family| self.view.entries(*family).count()).sum()
    }
}

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
    assert_eq!(store.lifecycle(1).expires_at, Some(from_ms(crate::alert::time::add_months(START_MS, 60))));
}

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
    let mut documents = crate::alert::RuleSet::default_rules();
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
    let ends = crate::alert::time::add_months(START_MS, 30);
    assert_eq!(store.lifecycle(1).expires_at, Some(from_ms(ends)));
    assert_eq!(store.meta().revision, 1, "what a cluster begins with is revision 0");
    assert_eq!(full_hash(&store.view).unwrap(), store.meta().state_hash);
}

#[test]
fn an_update_under_newer_rules_may_keep_a_code_that_was_withdrawn_meanwhile() {
    let mut store = Store::new();
    store.run(create(1)).unwrap();
    let mut lists = crate::alert::RuleSet::default_rules().remove(0);
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
        crate::alert::time::field_ms(&hit.answer_due_at).unwrap() - START_MS
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

#[test]
fn an_attachment_is_there_once_all_of_it_is_and_goes_with_the_record_that_names_it() {
    let content: Vec<u8> = (0..limits::ATTACHMENT_CHUNK_BYTES + 7).map(|byte| byte as u8).collect();
    let hash = attachment::hash_of(&content);
    let mut alert = person(1, "arrest");
    let reference = pb::AttachmentReference {
        content_hash: attachment::hash_text(&hash),
        kind: code("attachment-kind", "photo"),
        media_type: "image/jpeg".into(),
        size_bytes: content.len() as u64,
        ..Default::default()
    };
    alert.attachments = Some(pb::AttachmentSection { attachments: vec![reference] });
    let create_with = |number: u8| {
        let mut alert = alert.clone();
        alert.id = id(number).to_string();
        alert.core.as_mut().unwrap().source.as_mut().unwrap().reference = format!("REF-{number}");
        Command::Create { id: id(number), alert: alert.encode_to_vec(), as_draft: false }
    };
    let chunks: Vec<_> = content.chunks(limits::ATTACHMENT_CHUNK_BYTES).map(<[u8]>::to_vec).collect();
    let put = |number: u8, chunk: u32, bytes: &[u8]| Command::PutAttachmentChunk {
        id: id(number),
        hash,
        number: chunk,
        bytes: bytes.to_vec(),
    };
    let seal = |number: u8| Command::SealAttachment { id: id(number), hash };
    let mut store = Store::new();
    store.run(create_with(1)).unwrap();
    store.run(put(1, 0, &chunks[0])).unwrap();
    assert!(matches!(store.run(seal(1)), Err(Rejection::Invalid { .. })), "a chunk is missing");
    assert!(matches!(store.run(put(1, 1, &chunks[0])), Err(Rejection::Invalid { .. })), "longer than what is left");
    assert!(matches!(store.run(put(1, 2, &chunks[1])), Err(Rejection::Invalid { .. })), "beyond the end");
    assert_eq!(store.run_as(bureau("border-force"), put(1, 1, &chunks[1])), Err(Rejection::NotOwner));
    store.run(put(1, 1, &[0; 7])).unwrap();
    assert!(matches!(store.run(seal(1)), Err(Rejection::Invalid { .. })), "another content");
    assert_eq!(read_attachment(&store.view, id(1), &hash).unwrap(), None);
    store.run(put(1, 1, &chunks[1])).unwrap();
    let revision = store.meta().revision;
    assert_eq!(store.run(seal(1)).unwrap().revision, revision + 1);
    assert_eq!(store.run(seal(1)).unwrap().outcome, Outcome::Unchanged);
    assert_eq!(store.run(put(1, 1, &[0; 7])).unwrap().outcome, Outcome::Unchanged, "what is sealed stays");
    assert_eq!(read_attachment(&store.view, id(1), &hash).unwrap(), Some(content.len() as u64));
    assert_eq!(read_attachment_chunk(&store.view, id(1), &hash, 1).unwrap(), Some(chunks[1].clone()));
    // Changes of its life leave it; new content that does not name it, a cancellation and an erasure do not.
    store
        .run(Command::Restrict {
            id: id(1),
            expected_version: 0,
            restriction: pb::Restriction::default().encode_to_vec(),
        })
        .unwrap();
    assert!(read_attachment(&store.view, id(1), &hash).unwrap().is_some());
    let version = store.stored(1).unwrap().header.version;
    let without = Command::Update { id: id(1), expected_version: version, alert: person(1, "arrest").encode_to_vec() };
    store.run(without).unwrap();
    assert_eq!(store.view.entries(Family::Attachments).count(), 0);
    for (number, end) in [(2, cancel(2)), (3, Command::Erase { id: id(3), ground: "order".into(), by: String::new() })]
    {
        store.run(create_with(number)).unwrap();
        store.run(put(number, 0, &chunks[0])).unwrap();
        store.run(put(number, 1, &chunks[1])).unwrap();
        store.run(seal(number)).unwrap();
        store.run(end).unwrap();
        assert_eq!(store.view.entries(Family::Attachments).count(), 0);
    }
    assert_eq!(full_hash(&store.view).unwrap(), store.meta().state_hash);
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
fn a_retry_has_one_effect_and_other_content_is_refused() {
    let mut store = Store::new();
    let request = |sequence, content| Some(RequestKey { session: [7; 16], sequence, content_hash: [content; 16] });
    let first = store.proposal(Some(bureau("nca")), request(1, 1), create(1));
    let answer = store.apply(std::slice::from_ref(&first)).remove(0).remove(0).unwrap();
    let again = store.apply(&[first]).remove(0).remove(0).unwrap();
    assert_eq!(again, Done { repeated: true, ..answer });
    assert_eq!(store.meta().revision, 1);
    let other = store.proposal(Some(bureau("nca")), request(1, 2), create(2));
    assert_eq!(store.apply(&[other]).remove(0).remove(0), Err(Rejection::RequestIdReused));
    // Rejections are kept too: the retry of a refused change is refused again, even if it would pass now.
    let refused = store.proposal(Some(bureau("nca")), request(2, 3), cancel(9));
    assert_eq!(store.apply(std::slice::from_ref(&refused)).remove(0).remove(0), Err(Rejection::NotFound));
    store.run(create(9)).unwrap();
    assert_eq!(store.apply(&[refused]).remove(0).remove(0), Err(Rejection::NotFound));
    // The same id from another caller is another request.
    let stranger = store.proposal(Some(bureau("border-force")), request(1, 1), create(3));
    assert_eq!(store.apply(&[stranger]).remove(0).remove(0), Err(Rejection::NotOwner));
}

#[test]
fn request_ids_are_bounded_by_time_and_count_and_never_executed_again() {
    let mut store = Store::new();
    let tick = |store: &Store, sequence| {
        let request = Some(RequestKey { session: [7; 16], sequence, content_hash: [0; 16] });
        store.proposal(Some(bureau("nca")), request, Command::Tick)
    };
    let first = tick(&store, 1);
    store.apply(std::slice::from_ref(&first));
    let far = tick(&store, limits::REQUESTS_PER_SESSION + limits::REQUESTS_CLOSED_AT_ONCE);
    store.apply(std::slice::from_ref(&far));
    assert_eq!(store.apply(&[first]).remove(0).remove(0), Err(Rejection::RequestExpired));
    store.now_ms += limits::REQUEST_TTL_MS + 1;
    let any = store.proposal(None, None, Command::Tick);
    store.apply(&[any]);
    assert_eq!(store.apply(&[far]).remove(0).remove(0), Err(Rejection::RequestExpired));
    // What is left of the session is its floor.
    assert_eq!(store.view.entries(Family::Requests).count(), 1);
}

/// What is known of the oldest kept answer spares a search; it must never hide one that is due.
#[test]
fn kept_answers_end_at_their_time_whether_or_not_their_age_is_remembered() {
    let mut remembers = Store::new();
    let mut forgets = Store::new();
    for step in 0..400 {
        for store in [&mut remembers, &mut forgets] {
            let session = [step as u8 % 3; 16];
            let request = Some(RequestKey { session, sequence: step + 1, content_hash: [0; 16] });
            let tick = store.proposal(Some(bureau("nca")), request, Command::Tick);
            store.apply(&[tick]);
            store.now_ms += limits::REQUEST_TTL_MS / [7, 90, 1][step as usize / 150];
        }
        forgets.caches = Caches::default();
        let kept =
            |store: &Store| store.view.entries(Family::Requests).map(|(key, _)| key.to_vec()).collect::<Vec<_>>();
        assert_eq!(kept(&remembers), kept(&forgets), "step {step}");
        assert_eq!(remembers.meta().state_hash, forgets.meta().state_hash);
    }
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
fn children_end_with_their_parent() {
    let mut store = Store::new();
    store.run(create(1)).unwrap();
    let mut child = person(2, "arrest");
    child.core.as_mut().unwrap().parent_alert_id = id(1).to_string();
    store.run(Command::Create { id: id(2), alert: child.encode_to_vec(), as_draft: false }).unwrap();
    store.run(cancel(1)).unwrap();
    assert_eq!(store.state(2), pb::AlertState::Deleted);
    assert_eq!(store.lifecycle(2).tombstone.unwrap().reason.unwrap().value, "parent-ended");
    child.core.as_mut().unwrap().source.as_mut().unwrap().reference = "REF-3".into();
    let orphan = store.run(Command::Create { id: id(3), alert: child.encode_to_vec(), as_draft: false });
    assert!(matches!(orphan, Err(Rejection::Invalid { .. })), "{orphan:?}");
}

#[test]
fn an_erased_alert_is_gone_from_every_family_but_the_erasure_list() {
    let mut store = Store::new();
    store.run(create(1)).unwrap();
    store.run(create(2)).unwrap();
    let link = pb::Link { alert_a: id(1).to_string(), alert_b: id(2).to_string(), ..Default::default() };
    store.run(Command::Link { id: id(9), link: link.encode_to_vec() }).unwrap();
    let update = Command::Update { id: id(1), expected_version: 1, alert: person(1, "missing").encode_to_vec() };
    store.run(update).unwrap();
    store.run(Command::Erase { id: id(1), ground: "court order".into(), by: "desk".into() }).unwrap();
    assert!(store.stored(1).is_none());
    for family in Family::ALL {
        for (key, value) in store.view.entries(*family) {
            for text in ["Synthetic1", "REF-1"] {
                let holds = |bytes: &[u8]| bytes.windows(text.len()).any(|window| window == text.as_bytes());
                assert!(!holds(key) && !holds(value), "{text} is left in {}", family.name());
            }
        }
    }
    assert_eq!(store.view.entries(Family::Links).count(), 0);
    assert_eq!(store.view.entries(Family::History).count(), 0);
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
    assert!(matches!(store.run(set(pb::AgreementState::Active)), Err(Rejection::WrongState { .. })));
}

/// A stream of commands from a seed: enough different ones to touch every family.
fn random_batches(seed: u64) -> Vec<Batch> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = move |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    let mut now_ms = START_MS;
    (0..120)
        .map(|_| {
            now_ms += next(40 * DAY_MS);
            let proposals = (0..1 + next(3))
                .map(|_| {
                    let number = next(12) as u8;
                    let category = ["arrest", "missing", "discreet-check"][next(3) as usize];
                    let mut alert = person(number, category);
                    alert.core.as_mut().unwrap().source.as_mut().unwrap().source_version = next(4);
                    if next(4) == 0 {
                        alert.core.as_mut().unwrap().parent_alert_id = id(next(12) as u8).to_string();
                    }
                    let alert = alert.encode_to_vec();
                    let command = match next(9) {
                        0 | 1 => Command::Create { id: id(number), alert, as_draft: next(5) == 0 },
                        2 => Command::Update { id: id(number), expected_version: 1 + next(3), alert },
                        3 => Command::Import { id: id(number + 20), alert },
                        4 => cancel(number),
                        5 => Command::Erase { id: id(number), ground: "order".into(), by: String::new() },
                        6 => {
                            let link = pb::Link {
                                alert_a: id(number).to_string(),
                                alert_b: id(next(12) as u8).to_string(),
                                ..Default::default()
                            };
                            Command::Link { id: id(100 + number), link: link.encode_to_vec() }
                        }
                        7 => {
                            let until = Some(from_ms(now_ms + next(90 * DAY_MS)));
                            let kind = 1 + next(3) as i32;
                            let restriction = pb::Restriction { kind, until, ..Default::default() };
                            let restriction = restriction.encode_to_vec();
                            Command::Restrict { id: id(number), expected_version: 0, restriction }
                        }
                        _ => Command::Due,
                    };
                    let caller = (command != Command::Due).then(|| bureau("nca"));
                    let request = (next(2) == 0).then(|| RequestKey {
                        session: [next(2) as u8; 16],
                        sequence: 1 + next(30),
                        content_hash: [next(2) as u8; 16],
                    });
                    Proposal { caller, request, rules_revision: u64::from(next(8) == 0), command }
                })
                .collect();
            Batch { proposed_at_ms: now_ms, proposals }
        })
        .collect()
}

#[test]
fn chunk_boundaries_change_nothing_and_the_hash_is_that_of_the_entries() {
    for seed in 1..=20 {
        let batches = random_batches(seed);
        let run = |chunk: usize| {
            let mut store = Store::new();
            let answers: Vec<_> = batches.chunks(chunk).flat_map(|chunk| store.apply(chunk)).collect();
            (store, answers)
        };
        let (one, answers) = run(1);
        assert_eq!(full_hash(&one.view).unwrap(), one.meta().state_hash, "seed {seed}");
        assert!(
            answers.iter().flatten().filter(|answer| answer.is_ok()).count() > 40,
            "seed {seed}: too little happened"
        );
        for chunk in [3, 17, 1000] {
            let (other, other_answers) = run(chunk);
            assert_eq!(other.view, one.view, "seed {seed}, chunks of {chunk}");
            assert_eq!(other_answers, answers, "seed {seed}, chunks of {chunk}");
        }
        // Caches that are lost at any time change nothing either.
        let mut forgetful = Store::new();
        for batch in &batches {
            forgetful.caches = Caches::default();
            forgetful.apply(std::slice::from_ref(batch));
        }
        assert_eq!(forgetful.view, one.view, "seed {seed}, without caches");
    }
}

#[test]
fn the_feed_has_one_entry_for_each_revision_and_counts_add_up() {
    for seed in 1..=10 {
        let mut store = Store::new();
        store.apply(&random_batches(seed));
        let revisions: Vec<_> =
            store.view.entries(Family::Changes).map(|(key, _)| u64::from_be_bytes(key.try_into().unwrap())).collect();
        assert_eq!(revisions, (1..=store.meta().revision).collect::<Vec<_>>(), "seed {seed}");
        assert_eq!(store.meta().alerts() as usize, store.view.entries(Family::Alerts).count(), "seed {seed}");
    }
}

#[test]
fn when_every_alert_is_erased_nothing_hangs_on() {
    let mut store = Store::new();
    store.apply(&random_batches(3));
    let mut ids = Vec::new();
    scan_prefix(&store.view, Family::Alerts, b"", |key, _| {
        ids.push(AlertId::from_slice(key).unwrap());
        Ok(true)
    })
    .unwrap();
    for id in ids {
        store.run(Command::Erase { id, ground: "end of test".into(), by: String::new() }).unwrap();
    }
    assert_eq!(store.index_entries(), 0);
    for family in [Family::Alerts, Family::Links, Family::History, Family::Expiry] {
        assert_eq!(store.view.entries(family).count(), 0, "{}", family.name());
    }
}

#[test]
fn the_feed_is_compacted_by_age_in_bounded_steps_and_never_beyond_what_has_happened() {
    let mut store = Store::new();
    store.run(create(1)).unwrap();
    store.now_ms += DAY_MS;
    store.run(create(2)).unwrap();
    store.run(create(3)).unwrap();
    assert_eq!(compactable_before(&store.view, START_MS).unwrap(), None);
    let before_revision = compactable_before(&store.view, START_MS + 1).unwrap().unwrap();
    assert_eq!(before_revision, 2);
    store.run(Command::CompactFeed { before_revision }).unwrap();
    assert_eq!((store.changes().len(), store.meta().feed_compacted_before), (2, 2));
    assert_eq!(full_hash(&store.view).unwrap(), store.meta().state_hash);
    // A leader that means well and is wrong cannot make the cursor of now an old one.
    store.run(Command::CompactFeed { before_revision: 1000 }).unwrap();
    assert_eq!((store.changes().len(), store.meta().feed_compacted_before), (0, 4));
}

#[test]
fn an_acknowledgement_keeps_the_longest_wait_and_never_goes_back() {
    let mut store = Store::new();
    let partner = Caller { country: "FR".into(), role: Role::Partner, ..bureau("pj") };
    let mut acknowledge = |revision, oldest_ms, now_ms| {
        store.now_ms = now_ms;
        let done =
            store.run_as(partner.clone(), Command::AcknowledgeFeed { agreement: "fr".into(), revision, oldest_ms });
        let kept = read_acknowledgements(&store.view, "fr").unwrap();
        let [(caller, kept)] = &kept[..] else { panic!("{kept:?}") };
        assert_eq!(*caller, partner);
        (done.unwrap().outcome, kept.clone())
    };
    let (_, first) = acknowledge(10, Some(START_MS - 50), START_MS);
    assert_eq!((first.slowest_ms, first.slowest_at_ms, first.since_ms), (50, START_MS, START_MS));
    let (_, second) = acknowledge(20, Some(START_MS), START_MS + 7000);
    assert_eq!((second.slowest_ms, second.slowest_at_ms, second.revision), (7000, START_MS + 7000, 20));
    // Quick again, and nothing at all: the slowest stays.
    acknowledge(21, Some(START_MS + 7900), START_MS + 8000);
    let (_, third) = acknowledge(22, None, START_MS + 9000);
    assert_eq!((third.slowest_ms, third.revision, third.at_ms), (7000, 22, START_MS + 9000));
    assert_eq!(acknowledge(15, None, START_MS + 10_000), (Outcome::Unchanged, third));
    assert!(read_acknowledgements(&store.view, "f").unwrap().is_empty());
}
