//! Every field of every message that is stored comes back as it went in: through create, restart, snapshot, get, export
//! and import, on RocksDB where the build has it. Messages are filled by reflection, so a field that is added later is in
//! here by itself.

// One macro makes requests of one field and of many.
#![allow(clippy::needless_update)]

use std::{collections::BTreeSet, sync::Arc};

use alert_core::{
    alert::{
        Caller, Role, RuleSet,
        attachment::{hash_of, hash_text},
    },
    pb::{
        self, agreement_service_server::AgreementService, alert_service_server::AlertService,
        hit_service_server::HitService, rule_service_server::RuleService,
    },
    state::{
        RULE_KINDS,
        command::{Command, Proposal},
    },
};
use futures::StreamExt;
use prost::Message;
use prost_reflect::{DynamicMessage, Value};
use tonic::Request;

use super::{
    filler::{Filler, fields_of, fields_set},
    world::{World, soon},
};
use crate::{
    api::{
        Api, ForwardedCaller, Peer,
        backend::{AdminBackend, Store},
        forward_answer, forward_request,
    },
    raft::options::LogBounds,
    seam::PeerIdentity,
    storage::testing::kinds,
};

/// Fields that no caller sets and no stored message holds: why.
const NEVER_SET: &[(&str, &str)] = &[
    ("Alert.data_key_id", "reserved for erasure by destroying a key"),
    ("Tombstone.erased", "an erased record leaves no tombstone; reserved"),
    ("Agreement.purge_proof", "comes with the end of the agreement, which is the end of this story"),
];

/// The attachment that the records name.
const PHOTO: &[u8] = b"a photo";

fn world() -> World {
    // RocksDB, where the build has it.
    let (_, engines) = kinds().pop().expect("there is an engine");
    let mut world = World::on(engines);
    // A node that joins gets a snapshot, and not the log.
    world.log = LogBounds { keep_bytes: 0, keep_entries: 0, ..LogBounds::default() };
    world
}

fn bureau() -> Caller {
    Caller { country: "GB".into(), authority: "nca".into(), system: "desk".into(), role: Role::Bureau }
}

fn policy() -> Caller {
    Caller { role: Role::Policy, ..bureau() }
}

/// Calls of one client, each under a request id of its own.
struct Client {
    api: Api,
    sequence: u64,
}

impl Client {
    fn context(&mut self, officer: &str) -> Option<pb::CallContext> {
        self.sequence += 1;
        Some(pb::CallContext {
            search_id: "0190b0a2-7c3d-7000-8000-000000000001".into(),
            officer_ref: officer.into(),
            purpose: Some(pb::Code { list: "purpose".into(), value: "border-control".into() }),
            request_id: Some(pb::RequestId { session: vec![9; 16], sequence: self.sequence }),
            ..Default::default()
        })
    }

    fn request<T>(caller: Caller, message: T) -> Request<T> {
        let mut request = Request::new(message);
        let peer = PeerIdentity { caller, node_id: None, certificate_serial: "0a".into() };
        request.extensions_mut().insert(Peer(Arc::new(peer)));
        request
    }

    async fn create(&mut self, alert: &pb::Alert, as_draft: bool) -> String {
        let context = self.context("ann");
        let request = pb::CreateRequest { context, alert: Some(alert.clone()), as_draft };
        let answer = self.api.create(Self::request(bureau(), request)).await;
        answer.unwrap_or_else(|status| panic!("{status:?}: {:?}", crate::api::detail_of(&status))).into_inner().alert_id
    }

    async fn get(&mut self, id: &str) -> pb::GetResponse {
        let context = self.context("ann");
        let request = pb::GetRequest { context, alert_id: id.into(), with_links: true, ..Default::default() };
        AlertService::get(&self.api, Self::request(bureau(), request)).await.unwrap().into_inner()
    }
}

macro_rules! call {
    ($client:ident, $service:ident :: $method:ident, $caller:expr, $officer:expr, $request:ident { $($field:ident $(: $value:expr)?),* $(,)? }) => {{
        let context = $client.context($officer);
        let request = pb::$request { context, $($field $(: $value)?,)* ..Default::default() };
        let answer = $service::$method(&$client.api, Client::request($caller, request)).await;
        answer.unwrap_or_else(|status| panic!("{status:?}: {:?}", crate::api::detail_of(&status))).into_inner()
    }};
}

/// What callers can read of all that is stored, in one order.
async fn everything(client: &mut Client, ids: &[String], hit_id: &str) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for id in ids {
        let answer = client.get(id).await;
        found.push((format!("alert {id}"), answer.record.unwrap().encode_to_vec()));
        found.extend(answer.links.iter().map(|link| (format!("link {}", link.id), link.encode_to_vec())));
        let history = call!(client, AlertService::history, bureau(), "ann", HistoryRequest { alert_id: id.clone() });
        found.extend(history.entries.iter().map(|entry| (format!("history of {id}"), entry.encode_to_vec())));
    }
    let hit = call!(client, HitService::get, bureau(), "ann", GetHitRequest { hit_id: hit_id.into() });
    found.push(("hit".into(), hit.hit.unwrap().encode_to_vec()));
    let agreements = call!(client, AgreementService::list, policy(), "pol", ListAgreementsRequest {});
    found.extend(agreements.agreements.iter().map(|one| (format!("agreement {}", one.id), one.encode_to_vec())));
    for kind in RULE_KINDS {
        let rules = call!(client, RuleService::get, policy(), "pol", GetRulesRequest { kind: kind as i32 });
        found.push((format!("rules {kind:?}"), rules.rules.unwrap().encode_to_vec()));
    }
    found
}

/// Alerts about a person, an organisation and objects, with every field that a caller can set.
fn alerts(filler: &mut Filler) -> Vec<pb::Alert> {
    let allow = Value::List(vec![filler.party("FR"), filler.party("IE")]);
    let deny = Value::List(vec![filler.party("DE")]);
    let authority = filler.code("authority", "nca");
    let range = filler.code("date-qualifier", "range");
    let photo = Value::String(hash_text(&hash_of(PHOTO)));
    filler
        .set("AttachmentReference.content_hash", photo)
        .set("Distribution.allow", allow)
        .set("Distribution.deny", deny)
        .set("Owner.authority", authority)
        .set("BirthDate.qualifier", range)
        .set("Core.quality_flags", Value::List(Vec::new()))
        .set("Core.parent_alert_id", Value::String(String::new()));
    let objects = objects(filler);

    let category = filler.code("category", "missing");
    let kind = Value::EnumNumber(pb::SubjectKind::Person as i32);
    filler.set("Core.category", category).set("Core.subject_kind", kind);
    let mut person: pb::Alert = filler.fill("Alert");
    person.id.clear();
    let identities = person.identities.as_mut().unwrap();
    identities.organisations.clear();
    let mut misused = identities.identities[0].clone();
    misused.kind.as_mut().unwrap().value = "misused".into();
    identities.identities.push(misused);
    consent(person.victims.as_mut().unwrap());
    person.objects = Some(pb::ObjectSection { objects: objects.clone() });

    let category = filler.code("category", "un-sanctions");
    let kind = Value::EnumNumber(pb::SubjectKind::Organisation as i32);
    filler.set("Core.category", category).set("Core.subject_kind", kind);
    let mut organisation: pb::Alert = filler.fill("Alert");
    organisation.id.clear();
    organisation.identities.as_mut().unwrap().identities.clear();
    organisation.core.as_mut().unwrap().missing_person_case = None;
    (organisation.victims, organisation.objects) = (None, None);

    let category = filler.code("category", "object-seizure");
    let kind = Value::EnumNumber(pb::SubjectKind::Object as i32);
    filler.set("Core.category", category).set("Core.subject_kind", kind);
    let mut object: pb::Alert = filler.fill("Alert");
    object.id.clear();
    object.core.as_mut().unwrap().missing_person_case = None;
    (object.identities, object.victims) = (None, None);
    object.objects = Some(pb::ObjectSection { objects });
    let mut alerts = vec![person, organisation, object];
    // The store's own, on the way of the first alert through its life.
    alerts.iter_mut().for_each(|alert| (alert.lifecycle, alert.data_key_id) = (None, 0));
    alerts
}

/// One object of each kind of detail.
fn objects(filler: &mut Filler) -> Vec<pb::Object> {
    let rules = RuleSet::default_rules().remove(0);
    let Some(pb::rules::Rules::CodeLists(lists)) = rules.rules else { panic!("code lists come first") };
    let classes = lists.lists.into_iter().find(|list| list.name == "object-class").unwrap().entries;
    let each = filler.fill_each::<pb::Object>("Object", "detail");
    let objects = each.into_iter().map(|(detail, mut object)| {
        let class = classes.iter().find(|class| class.attributes.get("detail") == Some(&detail));
        object.class.as_mut().unwrap().value = class.unwrap_or_else(|| panic!("no class has {detail}")).value.clone();
        if detail == "document" {
            // Its number is that of its machine-readable zone, so its range is one of one document.
            object.number_range_to = "L898902C3".into();
        } else if detail != "banknote" {
            object.number_range_to.clear();
        }
        object
    });
    objects.collect()
}

/// A consent in force for each kind of data, and one that was withdrawn.
fn consent(section: &mut pb::VictimSection) {
    let consents = &mut section.victims[0].consents;
    let withdrawn = consents.remove(0);
    let rules = RuleSet::default_rules().remove(0);
    let Some(pb::rules::Rules::CodeLists(lists)) = rules.rules else { panic!("code lists come first") };
    let kinds = lists.lists.into_iter().find(|list| list.name == "victim-field").unwrap().entries;
    consents.extend(kinds.into_iter().map(|kind| pb::Consent {
        field_category: Some(pb::Code { list: "victim-field".into(), value: kind.value }),
        withdrawn_at: None,
        ..withdrawn.clone()
    }));
    consents.push(withdrawn);
}

fn agreement(filler: &mut Filler) -> pb::Agreement {
    let partner = filler.party("FR");
    let fields = Value::List(vec![Value::String("action".into())]);
    filler.set("Agreement.partner", partner.clone()).set("Agreement.territory", partner);
    filler.set("FieldRights.fields", fields);
    let owners = Value::List(vec![filler.party("GB")]);
    filler.set("Agreement.owners", owners);
    let mut agreement: pb::Agreement = filler.fill("Agreement");
    // Given by the store.
    (agreement.state, agreement.version, agreement.purge_proof) = (0, 0, None);
    agreement
}

/// Content alone: what the caller sent, without what the store keeps.
fn content(alert: &pb::Alert) -> pb::Alert {
    pb::Alert { id: String::new(), lifecycle: None, ..alert.clone() }
}

#[tokio::test(start_paused = true)]
async fn every_field_of_every_stored_message_comes_back_through_restart_snapshot_export_and_import() {
    let mut world = world();
    world.form().await;
    let mut filler = Filler::new();
    let alerts = alerts(&mut filler);
    let mut client = Client { api: world.api(1).await, sequence: 0 };
    let mut ids = Vec::new();
    for alert in &alerts {
        ids.push(client.create(alert, true).await);
    }

    // The way of the first through its life, so that the store's own section is full as well.
    let id = ids[0].clone();
    call!(client, AlertService::submit, bureau(), "ann", SubmitRequest { alert_id: id.clone(), note: "ready".into() });
    call!(
        client,
        AlertService::approve,
        bureau(),
        "ben",
        ApproveRequest { alert_id: id.clone(), note: "right".into() }
    );
    let hash = hash_of(PHOTO);
    let alert_id = id.parse().unwrap();
    let chunk = Command::PutAttachmentChunk { id: alert_id, hash, number: 0, bytes: PHOTO.to_vec() };
    for command in [chunk, Command::SealAttachment { id: alert_id, hash }] {
        let proposal = Proposal { caller: Some(bureau()), request: None, rules_revision: 0, command };
        world.node(1).propose(proposal, soon(5)).await.unwrap().unwrap();
    }
    let until = Some(alert_core::alert::time::from_ms(super::world::START_MS + 200 * 86_400_000));
    call!(
        client,
        AlertService::extend,
        bureau(),
        "ann",
        ExtendRequest { alert_id: id.clone(), until, reviewed_by: "ann".into(), assessment: "still missing".into() }
    );
    let fr = filler.party("FR");
    filler.set("Restriction.territories", Value::List(vec![fr]));
    let restriction: pb::Restriction = filler.fill("Restriction");
    call!(
        client,
        AlertService::restrict,
        bureau(),
        "ann",
        RestrictRequest { alert_id: id.clone(), restriction: Some(restriction) }
    );
    call!(
        client,
        AlertService::lift_restriction,
        bureau(),
        "ann",
        LiftRestrictionRequest { alert_id: id.clone(), restriction_number: 1 }
    );
    let child = {
        let mut child = alerts[2].clone();
        let core = child.core.as_mut().unwrap();
        core.parent_alert_id = id.clone();
        core.source.as_mut().unwrap().reference = "child".into();
        core.quality_flags = vec![pb::Code { list: "quality-flag".into(), value: first_of("quality-flag") }];
        client.create(&child, false).await
    };
    ids.push(child);
    let linked = call!(
        client,
        AlertService::link,
        bureau(),
        "ann",
        LinkRequest {
            alert_a: id.clone(),
            alert_b: ids[1].clone(),
            note: "see".into(),
            kind: Some(pb::Code { list: "link-kind".into(), value: first_of("link-kind") }),
        }
    );
    assert!(linked.link.is_some());

    filler
        .set("Hit.alert_id", Value::String(id.clone()))
        .set("Hit.version_seen", Value::U64(1))
        .set("Hit.search_id", Value::String("0190b0a2-7c3d-7000-8000-000000000001".into()))
        .set("Hit.receipt", Value::String("node-1-1".into()))
        .set("Object.number_range_to", Value::String(String::new()));
    let vehicle = filler.code("object-class", "vehicle");
    filler.set("Object.class", vehicle);
    let hit: pb::Hit = filler.fill("Hit");
    let reported = call!(client, HitService::report, bureau(), "ann", ReportHitRequest { hit: Some(hit.clone()) });
    let hit_id = reported.hit.unwrap().id;
    call!(
        client,
        HitService::answer,
        bureau(),
        "ann",
        AnswerHitRequest { hit_id: hit_id.clone(), text: "thanks".into() }
    );
    let stored = call!(client, HitService::get, bureau(), "ann", GetHitRequest { hit_id: hit_id.clone() }).hit.unwrap();
    assert_eq!((&stored.report, &stored.outcome), (&hit.report, &hit.outcome));

    let agreement = agreement(&mut filler);
    let put = call!(
        client,
        AgreementService::put,
        policy(),
        "pol",
        PutAgreementRequest { agreement: Some(agreement.clone()) }
    );
    let kept = put.agreement.unwrap();
    assert_eq!(pb::Agreement { state: 0, version: 0, ..kept.clone() }, agreement);
    // A code that is no longer used: the shipped lists have none.
    let mut lists = RuleSet::default_rules().remove(0);
    let Some(pb::rules::Rules::CodeLists(documents)) = &mut lists.rules else { panic!("code lists come first") };
    let reasons = documents.lists.iter_mut().find(|list| list.name == "reason").unwrap();
    reasons.entries.push(pb::CodeEntry { value: "retired".into(), withdrawn: true, ..reasons.entries[0].clone() });
    let put = call!(
        client,
        RuleService::put,
        policy(),
        "pol",
        PutRulesRequest { rules: Some(lists.clone()), expected_version: 1 }
    );
    assert_eq!(pb::Rules { version: 1, ..put.rules.unwrap() }, lists);
    call!(
        client,
        AlertService::cancel,
        bureau(),
        "ann",
        CancelRequest {
            alert_id: ids[3].clone(),
            reason: Some(pb::Code { list: "deletion-reason".into(), value: "located".into() }),
        }
    );

    // What was sent is what is given.
    for (alert, id) in alerts.iter().zip(&ids) {
        let record = client.get(id).await.record.unwrap();
        let given = content(&record.alert.unwrap());
        let section = alert.core.as_ref().unwrap();
        let flags = given.core.as_ref().unwrap().quality_flags.len();
        assert_eq!((flags, &given), (section.quality_flags.len(), alert), "{id}");
    }

    let before = everything(&mut client, &ids, &hit_id).await;
    complete(&filler, &before);

    // A restart.
    let sequence = client.sequence;
    drop(client);
    world.kill(1).await;
    world.start(1).await;
    world.until_ready(1).await;
    world.leader().await;
    let mut client = Client { api: world.api(1).await, sequence };
    assert_eq!(everything(&mut client, &ids, &hit_id).await, before, "after a restart");

    // A snapshot, sent to a node that joins after the log was cut, read there.
    let built = world.node(1).admin().trigger_snapshot(soon(30)).await.unwrap();
    world.cut_log(1, built.snapshot_index).await;
    world.start(2).await;
    world.join(1, 2).await.unwrap();
    world.until_ready(2).await;
    let there = world.node(2).admin().status().await.unwrap();
    assert_eq!(there.purged_index, built.snapshot_index, "it began from the snapshot");
    let mut other = Client { api: world.api(2).await, sequence: 0 };
    assert_eq!(everything(&mut other, &ids, &hit_id).await, before, "after a snapshot");
    let context = other.context("ann");
    let request = pb::GetAttachmentRequest {
        context,
        alert_id: id.clone(),
        content_hash: hash_text(&hash),
        ..Default::default()
    };
    let mut stream = other.api.get_attachment(Client::request(bureau(), request)).await.unwrap().into_inner();
    let mut photo = Vec::new();
    while let Some(message) = stream.next().await {
        photo.extend(message.unwrap().chunk);
    }
    assert_eq!(photo, PHOTO, "the content came with the snapshot");

    // Out of one cluster and into another, by the lines that tools write and read.
    let request = pb::ExportRequest { context: client.context("ann"), ..Default::default() };
    let mut stream = client.api.export(Client::request(bureau(), request)).await.unwrap().into_inner();
    let mut exported = Vec::new();
    while let Some(message) = stream.next().await {
        exported.extend(message.unwrap().records);
    }
    assert_eq!(exported.len(), ids.len());
    for record in &exported {
        let id = &record.alert.as_ref().unwrap().id;
        let given = client.get(id).await.record;
        assert_eq!(Some(record), given.as_ref(), "what is exported is what is given");
    }
    let mut second = self::world();
    second.form().await;
    let mut there = Client { api: second.api(1).await, sequence: 0 };
    let is_live = |alert: &pb::Alert| alert.lifecycle.as_ref().is_some_and(|life| life.tombstone.is_none());
    let live: Vec<_> = exported.iter().filter_map(|record| record.alert.clone()).filter(is_live).collect();
    let lines: Vec<_> = live
        .iter()
        .zip(1..)
        .map(|(alert, line)| pb::ImportLine { line, alert: Some(as_json(&filler, alert)) })
        .collect();
    let request = pb::ImportRequest { context: there.context("ann"), lines };
    let peer = ForwardedCaller { caller: bureau(), certificate_serial: "0a".into() };
    let method = "/alertstore.v1.AlertService/Import";
    let request = forward_request(method, request.encode_to_vec().into(), &peer, soon(30));
    let answer = forward_answer(there.api.handle_forwarded(request).await).unwrap();
    let outcomes = pb::ImportResponse::decode(answer).unwrap().outcomes;
    assert_eq!(outcomes.len(), live.len());
    for (outcome, alert) in outcomes.iter().zip(&live) {
        assert_eq!(outcome.status(), pb::ImportStatus::Created, "{outcome:?}");
        let given = there.get(&outcome.alert_id).await.record.unwrap().alert.unwrap();
        assert_eq!(content(&given), content(alert));
    }
    assert_eq!(live.len(), 3);

    // The end of an agreement, with the proof that its partner kept nothing; read on the other node.
    let proof: pb::PurgeProof = filler.fill("PurgeProof");
    call!(
        client,
        AgreementService::end,
        policy(),
        "pol",
        EndAgreementRequest { agreement_id: agreement.id.clone(), purge_proof: Some(proof.clone()) }
    );
    let ended = call!(
        other,
        AgreementService::get,
        policy(),
        "pol",
        GetAgreementRequest { agreement_id: agreement.id.clone() }
    );
    assert_eq!(ended.agreement.unwrap().purge_proof, Some(proof));
}

fn first_of(list: &str) -> String {
    let rules = RuleSet::default_rules().remove(0);
    let Some(pb::rules::Rules::CodeLists(lists)) = rules.rules else { panic!("code lists come first") };
    lists.lists.into_iter().find(|found| found.name == list).unwrap().entries[0].value.clone()
}

/// Through the canonical JSON of protobuf and back.
fn as_json(filler: &Filler, alert: &pb::Alert) -> pb::Alert {
    let descriptor = filler.descriptor("Alert");
    let message = DynamicMessage::decode(descriptor.clone(), alert.encode_to_vec().as_slice()).unwrap();
    let text = serde_json::to_string(&message).unwrap();
    let mut reader = serde_json::Deserializer::from_str(&text);
    let back = DynamicMessage::deserialize(descriptor, &mut reader).unwrap();
    pb::Alert::decode(back.encode_to_vec().as_slice()).unwrap()
}

/// Panics unless every field of every message that is stored is set somewhere.
fn complete(filler: &Filler, found: &[(String, Vec<u8>)]) {
    let mut set = BTreeSet::new();
    for (what, bytes) in found {
        let name = match what.split(' ').next().unwrap() {
            "alert" => "AlertRecord",
            "link" => "Link",
            "history" => "HistoryEntry",
            "hit" => "Hit",
            "agreement" => "Agreement",
            "rules" => "Rules",
            other => panic!("{other}"),
        };
        let message = DynamicMessage::decode(filler.descriptor(name), bytes.as_slice()).unwrap();
        fields_set(&message, &mut set);
    }
    let mut all = BTreeSet::new();
    for name in ["Alert", "Link", "Hit", "Agreement", "Rules"] {
        fields_of(&filler.descriptor(name), &mut all);
    }
    all.retain(|field| !NEVER_SET.iter().any(|(known, _)| known == field) && !field.starts_with("PurgeProof."));
    let missing: Vec<_> = all.difference(&set).collect();
    assert!(missing.is_empty(), "not set anywhere: {missing:?}");
}
