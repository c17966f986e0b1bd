//! Every verb of `alertctl` once in each form, against a cluster that `alertctl` formed.
//!
//! What is shown is not compared word by word (client/tests/alertctl.rs does that): these tests show that tool and nodes
//! mean the same.

use std::{
    fs,
    process::{Command, Stdio},
    time::{Duration, SystemTime},
};

use alert_chaos::{
    demo,
    process::{LocalCluster, State, find, wait_until},
};
use alert_client::json;
use alert_proto::v1 as pb;
use alert_synth::{
    Generator,
    codes::{code, some_code},
    known,
};

use crate::{
    desk::{Desk, Form, Ran},
    stage::{LIMIT, ours, three},
};

/// Lines of the import that is killed.
const LINES: usize = 6000;

/// What the bureau asks, with its purpose.
struct Bureau<'a, 'b> {
    desk: &'a Desk<'b>,
    form: Form,
}

impl Bureau<'_, '_> {
    fn done(&self, arguments: &[&str]) -> Ran {
        self.desk.done("bureau", self.form, &[arguments, &["--purpose", "alert-management"]].concat())
    }

    /// A write that must leave the alert in `state`; gives its id.
    fn written(&self, arguments: &[&str], state: &str) -> String {
        let ran = self.done(arguments);
        let word = if self.form == Form::Json {
            format!("ALERT_STATE_{}", state.to_uppercase().replace(' ', "_"))
        } else {
            state.to_owned()
        };
        ran.shows(&[&word]).value(self.form, "/alertId", "")
    }

    fn put(&self, name: &str, alert: &pb::Alert, more: &[&str], state: &str) -> String {
        let file = self.desk.file(name, json::to_string(alert));
        self.written(&[&["put", &file][..], more].concat(), state)
    }
}

fn form_of(number: usize) -> Form {
    if number.is_multiple_of(2) { Form::Table } else { Form::Json }
}

/// Forms the cluster as its operator does: with the tool alone.
fn form(desk: &Desk) {
    let cluster = desk.cluster;
    let first = cluster.node(1).unwrap().client_address().unwrap();
    desk.refused("operator", &["cluster", "init"], 2, "say which node forms the cluster");
    desk.done("operator", Form::Table, &["cluster", "init", "--node", &first]).shows(&["cluster dev formed now"]);
    let again = desk.done("operator", Form::Json, &["cluster", "init", "--node", &first]);
    assert_ne!(again.json()["formedNow"], true, "{again:?}");
    for id in 2..=3_u64 {
        let config = cluster.node(id).unwrap().config().unwrap();
        let (id_text, raft, client) = (id.to_string(), config.raft_address(), config.client_address());
        let add = [
            &["cluster", "add", "--id", &id_text, "--name", &config.node.name, "--raft-address", &raft][..],
            &["--client-address", &client, "--data-centre", &config.node.data_centre],
        ];
        desk.done("operator", form_of(id as usize), &add.concat()).shows(&["learner", &raft]);
        // A learner is promoted once it has caught up, and refused before, with a code for "refused".
        let deadline = std::time::Instant::now() + LIMIT;
        loop {
            let ran = desk.run("operator", &["cluster", "promote", &id_text]);
            if ran.code == 0 {
                break;
            }
            assert!(std::time::Instant::now() < deadline, "{ran:?}");
            assert!([1, 4].contains(&ran.code) && ran.data.is_empty(), "{ran:?}");
        }
    }
}

async fn formed() -> LocalCluster {
    let cluster = three().write().unwrap();
    cluster.start_all().unwrap();
    cluster.wait_all_live().await.unwrap();
    form(&Desk::new(&cluster));
    cluster.wait_all_ready().await.unwrap();
    cluster
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_verb_of_the_tool_does_its_work_in_both_forms() {
    let cluster = formed().await;
    let desk = Desk::new(&cluster);
    for (number, form) in [Form::Table, Form::Json].into_iter().enumerate() {
        let tag = format!("{form:?}");
        life_of_an_alert(&desk, form, &tag);
        review(&desk, form, &tag);
        relations(&desk, form, &tag);
        attachments(&desk, form, &tag);
        agreements_and_rules(&desk, form);
        let hit = searches_and_hits(&desk, form, &tag);
        audit(&desk, form, &hit).await;
        // The next form writes the same subjects.
        let ids: Vec<&str> = hit.alert_ids.iter().map(String::as_str).collect();
        let cancelled =
            Bureau { desk: &desk, form }.done(&[&["cancel", "--reason", "located", "--yes"][..], &ids].concat());
        cancelled.shows(&ids);
        in_bulk(&desk, form, &tag);
        running(&desk, form, number).await;
    }
    refusals(&desk);
    // Members go last: three, two, one.
    for left in [2, 1] {
        let leader = cluster.wait_leader().await.unwrap();
        let running = cluster.nodes().into_iter().filter(|node| node.state() == State::Running);
        let node = running.into_iter().find(|node| node.id() != leader).unwrap();
        let id = node.id().to_string();
        desk.refused("operator", &["cluster", "remove", &id], 2, "nobody to ask: give --yes");
        let gone = desk.done("operator", Form::Json, &["cluster", "remove", &id, "--yes"]);
        assert!(gone.talk.contains("voters, 2 must agree"), "it says what it does: {gone:?}");
        assert_eq!(gone.json()["members"].as_array().unwrap().len(), left, "{gone:?}");
        node.kill().unwrap();
    }
}

/// put, get, list, history, extend, restrict, lift, cancel, erase, withdraw-consent.
fn life_of_an_alert(desk: &Desk, form: Form, tag: &str) {
    let bureau = Bureau { desk, form };
    let mut alert = ours(known::wanted_holder().alert, &format!("life-{tag}"));
    let check = desk.file("check.json", json::to_string(&alert));
    let checked = bureau.done(&["put", &check, "--check"]);
    assert!(form == Form::Json || checked.data.contains("nothing wrong"), "{checked:?}");
    let id = bureau.put("new.json", &alert, &[], "active");

    alert.id.clone_from(&id);
    alert.core.get_or_insert_default().source.get_or_insert_default().source_version = 2;
    assert_eq!(bureau.put("update.json", &alert, &["--expected-version", "1"], "active"), id);
    let assessment = ["--reviewed-by", "reviewer-7", "--assessment", "still sought"];
    bureau.written(&[&["extend", &id][..], &assessment].concat(), "active");
    let decision = ["--requested-by", "bureau", "--decision", "D-1"];
    let restrict = ["restrict", &id, "--kind", "suspended", "--territory", "GB-SCT"];
    bureau.written(&[&restrict[..], &decision].concat(), "active");
    bureau.done(&["get", &id]).shows(&[&id, "GB-SCT", "Quenthorpe"]);
    bureau.written(&["lift", &id, "1"], "active");
    bureau.done(&["list", "--category", "arrest", "--state", "active"]).shows(&[&id]);
    let changes = ["create", "update", "extend", "restrict"];
    bureau.done(&["history", &id]).shows(&changes);
    if form == Form::Table {
        bureau.done(&["history", &id, "--full"]).shows(&["Quenthorpe", "create by"]);
    }
    bureau.done(&["due", "--before", "2199-01-01"]).shows(&[&id]);
    let misused = bureau.put("victim.json", &with_victim(tag), &[], "active");
    let withdraw = ["withdraw-consent", &misused, "0", "--field", "names", "--yes"];
    bureau.written(&withdraw, "active");
    let shown = bureau.done(&["get", &misused]);
    assert!(!shown.data.contains("Harrowmere"), "the victim's name is gone: {shown:?}");

    bureau.written(&["cancel", &id, "--reason", "located"], "deleted");
    bureau.done(&["get", &id]).shows(&["located"]);
    bureau.done(&["erase", &id, &misused, "--ground", "ended", "--yes"]);
    desk.refused("bureau", &["get", &id], 3, "NOT_FOUND");
}

/// A misused identity, and the person who bears it in truth.
fn with_victim(tag: &str) -> pb::Alert {
    let mut alert = ours(known::wanted_holder().alert, &format!("victim-{tag}"));
    let section = alert.identities.get_or_insert_default();
    let name = || pb::NameForm { full_text: "Isolde Harrowmere".to_owned(), ..Default::default() };
    let misused =
        pb::Identity { kind: some_code("identity-kind", "misused"), names: vec![name()], ..Default::default() };
    section.identities.push(misused);
    // The misused name would still be shown, and is not what this is about.
    section.identities[1].names[0].full_text = "Isolde Harrow".to_owned();
    let consent = |kind: &str| pb::Consent {
        field_category: some_code("victim-field", kind),
        given_at: Some((SystemTime::now() - Duration::from_secs(86_400)).into()),
        evidence: "form 12".to_owned(),
        withdrawn_at: None,
    };
    let own = pb::Identity {
        kind: some_code("identity-kind", "confirmed"),
        height_cm: Some(171),
        names: vec![name()],
        ..Default::default()
    };
    let victim = pb::Victim {
        identity: Some(own),
        consents: ["names", "physical"].map(consent).to_vec(),
        how_to_tell_apart: String::new(),
    };
    alert.victims = Some(pb::VictimSection { victims: vec![victim] });
    alert
}

/// Draft, submit, reject, approve.
fn review(desk: &Desk, form: Form, tag: &str) {
    let bureau = Bureau { desk, form };
    let draft = |name: &str| {
        let alert = ours(known::numbered(&format!("{name}-{tag}"), 1), &format!("{name}-{tag}"));
        let id = bureau.put("draft.json", &alert, &["--draft"], "draft");
        bureau.written(&["submit", &id, "--officer", "drafter-1"], "pending review")
    };
    let sent_back = draft("rejected");
    bureau.written(&["reject", &sent_back, "--officer", "reviewer-2", "--note", "which plate?"], "draft");
    let approved = draft("approved");
    let own = ["approve", &approved, "--officer", "drafter-1"];
    desk.refused("bureau", &own, 1, "whoever submitted an alert does not approve it");
    bureau.written(&["approve", &approved, "--officer", "reviewer-2"], "active");
}

/// duplicates, link, unlink, transfer-owner.
fn relations(desk: &Desk, form: Form, tag: &str) {
    let bureau = Bureau { desk, form };
    let first = bureau.put("one.json", &ours(known::stolen_car().alert, &format!("car-{tag}")), &[], "active");
    let other = bureau.put(
        "two.json",
        &ours(known::numbered(&format!("other-{tag}"), 1), &format!("other-{tag}")),
        &[],
        "active",
    );
    let like = desk.file("like.json", json::to_string(&ours(known::stolen_car().alert, "like")));
    bureau.done(&["duplicates", &like]).shows(&[&first]);
    let linked = bureau.done(&["link", &first, &other, "--kind", "same-case", "--note", "both at one address"]);
    let link = linked.shows(&[&first, &other, "same-case"]).value(form, "/link/id", "link");
    bureau.done(&["get", &first, "--links"]).shows(&[&other, &link]);
    bureau.done(&["unlink", &link]);
    assert!(!bureau.done(&["get", &first, "--links"]).data.contains(&link));
    let transfer = ["transfer-owner", &other, "--authority", "met", "--yes"];
    let contact = ["--contact-name", "Duty desk", "--contact-phone", "+44 20 7946 0101", "--available-24h"];
    bureau.written(&[&transfer[..], &contact].concat(), "active");
    desk.refused("bureau", &["cancel", &other, "--reason", "located"], 1, "NOT_OWNER");
    // The next form writes the same subject.
    bureau.written(&["cancel", &first, "--reason", "located"], "deleted");
}

/// attachment reference, put, get.
fn attachments(desk: &Desk, form: Form, tag: &str) {
    let bureau = Bureau { desk, form };
    let content = format!("not a photograph at all, {tag}").into_bytes();
    let file = desk.file("photo.jpg", &content);
    let reference =
        desk.run("bureau", &["attachment", "reference", &file, "--kind", "object-photo", "--media-type", "image/jpeg"]);
    assert_eq!(reference.code, 0, "{reference:?}");
    let reference: pb::AttachmentReference = json::from_str(&reference.data).unwrap();
    let hash = reference.content_hash.clone();
    let mut alert = ours(known::numbered(&format!("photo-{tag}"), 1), &format!("photo-{tag}"));
    alert.attachments = Some(pb::AttachmentSection { attachments: vec![reference] });
    let id = bureau.put("with-photo.json", &alert, &[], "active");
    bureau.done(&["attachment", "put", &id, &file]).shows(&[&hash]);
    let to = desk.path(&format!("fetched-{tag}.jpg")).display().to_string();
    bureau.done(&["attachment", "get", &id, &hash, "--to", &to]).shows(&["image/jpeg"]);
    assert_eq!(fs::read(&to).unwrap(), content);
}

/// agreement put, get, list, suspend, resume, end; rules get, put.
fn agreements_and_rules(desk: &Desk, form: Form) {
    let id = format!("agreement-{form:?}");
    let agreement = pb::Agreement {
        id: id.clone(),
        partner: Some(pb::Party { code: "FR".to_owned() }),
        sources: vec!["UK".to_owned()],
        categories: vec![code("category", "arrest")],
        purposes: vec![code("purpose", "border-control")],
        legal_regime: "synthetic".to_owned(),
        transfer_basis: "synthetic".to_owned(),
        ..Default::default()
    };
    let file = desk.file("agreement.json", json::to_string(&agreement));
    let policy = |arguments: &[&str]| desk.done("policy", form, arguments);
    policy(&["agreement", "put", &file]).shows(&[&id, "arrest"]);
    policy(&["agreement", "get", &id]).shows(&["FR", "synthetic"]);
    policy(&["agreement", "list"]).shows(&[&id]);
    let state = |word: &str| if form == Form::Json { format!("_{}", word.to_uppercase()) } else { word.to_owned() };
    policy(&["agreement", "suspend", &id, "--reason", "under review"]).shows(&[&state("suspended")]);
    policy(&["agreement", "resume", &id]);
    let end = ["agreement", "end", &id, "--statement", "all copies purged", "--stated-by", "liaison", "--yes"];
    policy(&end).shows(&[&state("ended")]);

    let kinds = ["code-lists", "retention", "compatibility", "minimum-fields", "search-profile"];
    for kind in kinds {
        let ran = desk.run("policy", &["rules", "get", kind]);
        assert_eq!(ran.code, 0, "{ran:?}");
        let _: pb::Rules = json::from_str(&ran.data).unwrap();
        if kind == "retention" {
            let file = desk.file("rules.json", &ran.data);
            policy(&["rules", "put", &file]).shows(&["version"]);
            // The same file again was made from a version that is no longer current.
            desk.refused("policy", &["rules", "put", &file], 1, "VERSION_CONFLICT");
        }
    }
}

/// What an audit is asked about.
struct Traced {
    alert_ids: Vec<String>,
    receipt: String,
}

/// The firearm of a generated record, and its serial number.
fn firearm(number: usize) -> (pb::Alert, String) {
    let generator = Generator::new(7);
    let mut found = (0..10_000).map(|number| generator.object(number)).filter_map(|alert| {
        let serial = match alert.objects.as_ref()?.objects.first()?.detail.as_ref()? {
            pb::object::Detail::Firearm(firearm) if !firearm.serial_number.is_empty() => firearm.serial_number.clone(),
            _ => return None,
        };
        Some((alert, serial))
    });
    found.nth(number).expect("firearms are among ten thousand objects")
}

/// search person, document, mrz, vehicle, object, number; hit report, answer, say, get, list; statistics.
fn searches_and_hits(desk: &Desk, form: Form, tag: &str) -> Traced {
    let bureau = Bureau { desk, form };
    let put = |known: known::Known| {
        bureau.put("known.json", &ours(known.alert, &format!("{}-{tag}", known.name)), &[], "active")
    };
    let holder = put(known::wanted_holder());
    let (passport, van) = (put(known::stolen_passport()), put(known::stolen_van()));
    let (alert, serial) = firearm(form as usize);
    let gun = bureau.put("firearm.json", &ours(alert, &format!("firearm-{tag}")), &[], "active");
    let zone = known::wanted_holder().query.mrz;
    let lines: Vec<&str> = zone.lines().collect();
    let plate = known::PLATE.replace(' ', "");
    let searches: [(&[&str], &str); 6] = [
        (&["person", "Tamsin", "Quenthorp", "--born", "1987-11-23"], &holder),
        (&["document", known::PASSPORT_NUMBER, "--type", "passport", "--country", "GB"], &passport),
        (&["mrz", lines[0], lines[1]], &holder),
        (&["vehicle", "--plate", &plate, "--country", "GB"], &van),
        (&["object", &serial, "--class", "firearm"], &gun),
        (&["number", known::PASSPORT_NUMBER], &passport),
    ];
    for (what, found) in searches {
        // Acknowledged is found: a session or a linearizable read says so at once, on any node.
        let search = [&["search"][..], what, &["--read-level", "linearizable"]].concat();
        desk.done("search", form, &search).shows(&[found]);
    }
    let nobody = desk.done("search", form, &["search", "person", "Zebulonia", "Quixwetherfold"]);
    assert!(form == Form::Json || nobody.data.to_lowercase().contains("no hit"), "{nobody:?}");

    let seen = desk.done("search", Form::Json, &["search", "vehicle", "--plate", &plate]);
    let receipt = seen.value(Form::Json, "/answer/receipt", "");
    let search_id = seen.talk.lines().find_map(|line| line.strip_prefix("search id ")).expect("it is told");
    let report = [
        &["hit", "report", &van, "--version", "1", "--outcome", "confirmed", "--search-id", search_id][..],
        &[
            "--receipt",
            &receipt,
            "--country",
            "GB",
            "--city",
            "Dover",
            "--action",
            "seize",
            "--circumstances",
            "stopped",
        ],
    ];
    let hit = desk.done("search", form, &report.concat()).shows(&["Dover"]).value(form, "/hit/id", "hit");
    bureau.done(&["hit", "list", "--unanswered"]).shows(&[&hit]);
    bureau.done(&["hit", "answer", &hit, "We collect it."]).shows(&["We collect it."]);
    desk.done("search", form, &["hit", "say", &hit, "It waits."]).shows(&["It waits."]);
    bureau.done(&["hit", "get", &hit]).shows(&["It waits.", "We collect it."]);
    bureau.done(&["statistics"]).shows(&["object-seizure"]);
    Traced { alert_ids: vec![van, holder, passport, gun], receipt }
}

/// audit verify, who-saw, asked, anchors, receipt.
async fn audit(desk: &Desk<'_>, form: Form, traced: &Traced) {
    let auditor = |arguments: &[&str]| desk.done("auditor", form, &[&["audit"][..], arguments].concat());
    auditor(&["verify"]).shows(&["intact"]);
    auditor(&["who-saw", &traced.alert_ids[0]]).shows(&["search"]);
    auditor(&["asked", "--country", "GB", "--authority", "border-force"]).shows(&["search-desk"]);
    auditor(&["receipt", &traced.receipt]).shows(&["search"]);
    // Nodes write where their logs end every few seconds.
    let anchors = wait_until("an anchor", LIMIT, || async {
        let ran = desk.run("auditor", &["audit", "anchors", "-o", "json"]);
        Ok(ran.data.contains("headHash").then_some(ran.data))
    });
    let anchors = desk.file("anchors.json", anchors.await.unwrap());
    auditor(&["anchors", "--node-id", "1"]);
    let log = desk.cluster.node(1).unwrap().config().unwrap().storage.audit_directory.display().to_string();
    let files = ["verify", &log, "--cluster", "dev", "--name", "node1", "--anchors", &anchors, "--node-id", "1"];
    auditor(&files).shows(&["intact"]);
}

/// export, import.
fn in_bulk(desk: &Desk, form: Form, tag: &str) {
    let bureau = Bureau { desk, form };
    let lines = [1, 2].map(|number| {
        json::to_string(&ours(known::numbered(&format!("bulk-{tag}"), number), &format!("bulk-{number}-{tag}")))
    });
    let file = desk.file(&format!("bulk-{tag}.ndjson"), lines.join("\n"));
    bureau.done(&["import", &file]).shows(&["created", "2"]);
    bureau.done(&["import", &file]).shows(&["unchanged", "2"]);
    let broken = desk.file(&format!("broken-{tag}.ndjson"), format!("{}\nno alert\n", lines[0]));
    let ran = desk.run("bureau", &["import", &broken]);
    assert_eq!(ran.code, 5, "{ran:?}");
    assert!(fs::read_to_string(format!("{broken}.rejected.ndjson")).unwrap().contains("no alert"));

    let to = desk.path("all.ndjson").display().to_string();
    let exported = desk.run("bureau", &["export", "--to", &to]);
    assert_eq!((exported.code, exported.data.as_str()), (0, ""), "{exported:?}");
    let all = fs::read_to_string(&to).unwrap();
    assert!(all.contains(&format!("bulk-2-{tag}")), "{all}");
    let piped = desk.run("bureau", &["export", "--category", "arrest"]);
    assert!(piped.data.lines().all(|line| json::from_str::<pb::Alert>(line).is_ok()), "{piped:?}");
    assert!(piped.talk.contains("alerts written to standard output"), "{piped:?}");
}

/// status, cluster status, transfer-leader, snapshot.
async fn running(desk: &Desk<'_>, form: Form, number: usize) {
    let operator = |arguments: &[&str]| desk.done("operator", form, arguments);
    desk.cluster.wait_all_ready().await.unwrap();
    operator(&["status"]).shows(&["node1", "node2", "node3"]);
    let one = desk.cluster.node(number as u64 + 1).unwrap().client_address().unwrap();
    operator(&["cluster", "status", "--node", &one]).shows(&["voter"]);
    operator(&["cluster", "snapshot", "--node", &one]);
    let leader = desk.cluster.wait_leader().await.unwrap();
    let to = (leader % 3 + 1).to_string();
    operator(&["cluster", "transfer-leader", &to, "--yes"]).shows(&[&to]);
    assert_eq!(desk.cluster.wait_leader().await.unwrap().to_string(), to);
}

/// How the tool ends when it cannot do what it was asked.
fn refusals(desk: &Desk) {
    let unknown = "0190a5b0-0000-7000-8000-000000000000";
    desk.refused("bureau", &["get", unknown], 3, "NOT_FOUND");
    desk.refused("operator", &["get", unknown], 1, "NOT_PERMITTED");
    for verb in [&["audit", "verify"][..], &["audit", "anchors"], &["audit", "who-saw", unknown]] {
        desk.refused("search", verb, 1, "NOT_PERMITTED");
    }
    desk.refused("bureau", &["erase", unknown, "--ground", "none"], 2, "nobody to ask: give --yes");
    desk.refused("bureau", &["put", "not-there.json"], 2, "not-there.json");
    desk.refused("bureau", &["get"], 2, "Usage");
    let bare = desk.file("bare.json", "{}");
    desk.refused("bureau", &["put", &bare], 1, "fault: alert.core.category");
    let checked = desk.run("bureau", &["put", &bare, "--check"]);
    assert_eq!((checked.code, checked.data.contains("core")), (1, true), "{checked:?}");
    // Nothing listens there.
    desk.refused("bureau", &["get", unknown, "--node", "127.0.0.1:1", "--deadline", "500ms"], 4, "DEADLINE_EXCEEDED");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_that_is_killed_and_started_again_adds_nothing_twice() {
    let cluster = formed().await;
    let desk = Desk::new(&cluster);
    let mut lines: Vec<String> =
        (0..LINES as u64).map(|number| json::to_string(&known::numbered("import", number))).collect();
    let bad = [0, LINES / 2, LINES - 1];
    bad.iter().for_each(|at| lines[*at] = format!("{{\"line\": \"{at} is no alert\""));
    let file = desk.file("alerts.ndjson", lines.join("\n"));
    let arguments = ["import", &file, "--purpose", "alert-management", "-o", "json"];

    let mut first = desk.command("bureau", &arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let held = async || cluster.status(1).await.ok().map(|status| status.alerts);
    let some = wait_until("some lines", LIMIT, || async { Ok(held().await.filter(|alerts| *alerts > 100)) });
    let some = some.await.unwrap();
    first.kill().unwrap();
    first.wait().unwrap();
    assert!(some < LINES as u64 - 1000, "it was killed midway, at {some}");

    let again = desk.run("bureau", &arguments);
    assert_eq!(again.code, 5, "done but for the lines that are no alerts: {again:?}");
    let count = |name: &str| again.json()[name].as_u64().unwrap();
    let good = (LINES - bad.len()) as u64;
    assert_eq!((count("created") + count("unchanged"), count("rejected"), count("updated")), (good, 3, 0), "{again:?}");
    assert!(count("unchanged") >= some, "what the first one wrote was there: {again:?}");
    let rejected = fs::read_to_string(format!("{file}.rejected.ndjson")).unwrap();
    let told: Vec<serde_json::Value> = rejected.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut numbers: Vec<usize> = told.iter().map(|line| line["line"].as_u64().unwrap() as usize).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, bad.map(|at| at + 1));
    cluster.wait_same_state().await.unwrap();
    assert_eq!(held().await, Some(good), "each line once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_demo_says_when_it_leaves_the_cluster_running_works_as_printed() {
    let partner = format!("partner-{}", known::PARTNER.to_lowercase());
    let cluster = three().start().await.unwrap();
    let desk = Desk::new(&cluster);
    let bureau = Bureau { desk: &desk, form: Form::Table };
    for known in [known::wanted_holder(), known::stolen_passport(), known::stolen_van()] {
        bureau.put("known.json", &ours(known.alert, known.name), &[], "active");
    }
    let agreement = demo::partner_agreement(&cluster).unwrap();
    let agreement = desk.file("agreement.json", json::to_string(&agreement));
    desk.done("policy", Form::Table, &["agreement", "put", &agreement]);

    let nodes = cluster.nodes();
    let pids: Vec<u32> = nodes.iter().map(|node| node.pid().unwrap()).collect();
    let alertctl = find("alertctl", "alert-client").unwrap();
    let partner = cluster.client_config_path(&partner).unwrap();
    let text = demo::instructions(&alertctl, cluster.directory(), partner, &pids);
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let prefix = ["alias", "export"];
    let settings: Vec<&str> =
        lines.iter().copied().filter(|line| prefix.iter().any(|word| line.starts_with(word))).collect();
    assert_eq!(settings.len(), 2, "{text}");
    let shell = |line: &str| {
        let script = format!("shopt -s expand_aliases\n{}\n{line}\n", settings.join("\n"));
        let output = Command::new("bash").args(["-c", &script]).output().unwrap();
        Ran::new(&[line], &output)
    };
    let commands: Vec<&str> = lines.iter().copied().filter(|line| line.starts_with("alertctl ")).collect();
    assert_eq!(commands.len(), 5, "{text}");
    for line in commands {
        let ran = shell(line);
        assert_eq!(ran.code, 0, "{ran:?}");
        let shown = if line.contains(" search ") { "SCORE" } else { "NODE" };
        let data = ran.data.to_uppercase();
        assert!(data.contains(shown) || data.contains("ACTIVE"), "{ran:?}");
    }
    let stop = *lines.iter().find(|line| line.starts_with("kill ")).unwrap();
    let directory = cluster.directory().to_owned();
    let stopped = tokio::task::spawn_blocking({
        let stop = stop.to_owned();
        move || Command::new("bash").args(["-c", &stop]).output().unwrap()
    });
    // The nodes are this program's children: until it has looked, they are still there for `kill -0`.
    for node in nodes {
        node.wait_ended(LIMIT).await.unwrap();
    }
    let stopped = stopped.await.unwrap();
    assert!(stopped.status.success(), "{stopped:?}");
    assert!(!directory.exists(), "{stopped:?}");
}
