//! The tool itself, as a process, against a cluster on loopback.

mod fake;

use std::{
    path::{Path, PathBuf},
    process::{Output, Stdio},
};

use alert_client::{json, pb};
use fake::{FakeCluster, passport};
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;

struct Desk {
    cluster: FakeCluster,
    directory: TempDir,
}

impl Desk {
    async fn new() -> Self {
        let desk = Self { cluster: FakeCluster::on_loopback(3).await, directory: TempDir::new().unwrap() };
        let seeds: Vec<_> = desk.cluster.addresses().iter().map(|address| format!("{address:?}")).collect();
        let config = format!(
            "[cluster]\nseeds = [{}]\n[caller]\nofficer = \"officer-1\"\npurpose = \"border-control\"\n\
             [tls]\nplaintext = true\n",
            seeds.join(", ")
        );
        std::fs::write(desk.path("client.toml"), config).unwrap();
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> String {
        std::fs::write(self.path(name), text).unwrap();
        self.path(name).display().to_string()
    }

    async fn run(&self, arguments: &[&str]) -> Ran {
        let output = Command::new(env!("CARGO_BIN_EXE_alertctl"))
            .args(arguments)
            .env("ALERTCTL_CONFIG", self.path("client.toml"))
            .current_dir(self.directory.path())
            .stdin(Stdio::null())
            .output()
            .await
            .unwrap();
        Ran::new(&output, self)
    }

    /// One alert through the tool; its id.
    async fn put(&self, reference: &str) -> String {
        let file = self.write("one.json", &json::to_string(&passport(reference, 1)));
        let ran = self.run(&["put", &file, "-o", "json"]).await;
        assert_eq!(ran.code, 0, "{}", ran.talk);
        ran.json()["alertId"].as_str().unwrap().to_owned()
    }
}

struct Ran {
    code: i32,
    data: String,
    talk: String,
}

impl Ran {
    /// Addresses and paths of this run are replaced, so that texts can be compared.
    fn new(output: &Output, desk: &Desk) -> Self {
        let text = |bytes: &[u8]| {
            let mut text = String::from_utf8(bytes.to_vec()).unwrap();
            for id in 1..=3 {
                text = text.replace(&desk.cluster.address(id), &format!("ADDRESS{id}"));
            }
            text.replace(&desk.directory.path().display().to_string(), "DIR")
        };
        Self { code: output.status.code().unwrap(), data: text(&output.stdout), talk: text(&output.stderr) }
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.data).unwrap_or_else(|error| panic!("{error}: {}", self.data))
    }
}

fn golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var("ALERT_GOLDEN").is_ok_and(|value| value == "write") {
        std::fs::write(&path, text).unwrap();
    }
    assert_eq!(text, std::fs::read_to_string(&path).unwrap_or_default(), "differs from {}", path.display());
}

#[tokio::test]
async fn an_alert_is_put_shown_listed_updated_and_cancelled() {
    let desk = Desk::new().await;
    let id = desk.put("1").await;
    let shown = desk.run(&["get", &id]).await;
    assert_eq!(shown.code, 0, "{}", shown.talk);
    golden("get.txt", &shown.data);
    golden("list.txt", &desk.run(&["list"]).await.data);

    let mut alert = passport("1", 2);
    alert.id.clone_from(&id);
    let file = desk.write("update.json", &json::to_string(&alert));
    let unsaid = desk.run(&["put", &file]).await;
    assert_eq!(unsaid.code, 2);
    assert!(unsaid.talk.contains("--expected-version"), "{}", unsaid.talk);
    let stale = desk.run(&["put", &file, "--expected-version", "7"]).await;
    assert_eq!(stale.code, 1);
    assert!(stale.talk.contains("VERSION_CONFLICT: version 1 is current"), "{}", stale.talk);
    let updated = desk.run(&["put", &file, "--expected-version", "1", "-o", "json"]).await;
    assert_eq!(updated.json()["version"], "2");

    let cancelled = desk.run(&["cancel", &id, "--reason", "located"]).await;
    assert_eq!(cancelled.code, 0, "{}", cancelled.talk);
    assert!(cancelled.data.contains("deleted"), "{}", cancelled.data);
}

#[tokio::test]
async fn the_exit_code_says_what_went_wrong() {
    let desk = Desk::new().await;
    assert_eq!(desk.run(&["get", "no-such-alert"]).await.code, 3);
    assert_eq!(desk.run(&["no-such-verb"]).await.code, 2);
    assert_eq!(desk.run(&["--config", "missing.toml", "status"]).await.code, 2);
    let file = desk.write("bad.json", r#"{"core":{"subjectKint":1}}"#);
    let misspelt = desk.run(&["put", &file]).await;
    assert_eq!(misspelt.code, 2);
    assert!(misspelt.talk.contains("subjectKint"), "{}", misspelt.talk);
    let file = desk.write("empty.json", "{}");
    let refused = desk.run(&["put", &file]).await;
    assert_eq!(refused.code, 1);
    assert!(refused.talk.contains("fault: core.category: is missing (REQUIRED)"), "{}", refused.talk);
    for id in 1..=3 {
        desk.cluster.behave(id, |node| node.is_down = true);
    }
    assert_eq!(desk.run(&["get", "x", "--deadline", "1s"]).await.code, 4);
    for id in 1..=3 {
        desk.cluster.behave(id, |node| {
            node.is_down = false;
            node.loses_answers = 100;
        });
    }
    let file = desk.write("one.json", &json::to_string(&passport("9", 1)));
    assert_eq!(desk.run(&["put", &file, "--deadline", "1s"]).await.code, 6);
}

#[tokio::test]
async fn a_search_is_printed_for_people_and_for_programs() {
    let desk = Desk::new().await;
    let source = |status: pb::SourceStatus| pb::SourceAnswer {
        source: "UK".into(),
        status: status as i32,
        ..Default::default()
    };
    desk.cluster.state().search_answer.sources = vec![source(pb::SourceStatus::Complete)];
    let clear = desk.run(&["search", "person", "Anna", "Berg", "--born", "1990-05-17"]).await;
    assert_eq!(clear.code, 0, "{}", clear.talk);
    assert!(clear.data.starts_with("NO HIT: fully searched (UK)\n"), "{}", clear.data);
    assert!(clear.talk.starts_with("search id 0"), "a report of a hit names it: {}", clear.talk);
    let program = desk.run(&["search", "number", "123", "-o", "json"]).await;
    assert_eq!(program.json()["sources"][0]["status"], "SOURCE_STATUS_COMPLETE");

    desk.cluster.state().search_answer.sources = vec![source(pb::SourceStatus::TimedOut)];
    let partial = desk.run(&["search", "vehicle", "--plate", "AB12 CDE", "--country", "GB"]).await;
    assert_eq!(partial.code, 5, "an incomplete search is not a clean one");
    assert!(partial.data.starts_with("NOT FULLY SEARCHED because UK did not answer in time"), "{}", partial.data);

    assert_eq!(desk.run(&["search", "vehicle"]).await.code, 2);
    assert_eq!(desk.run(&["search", "person", "Anna", "--born", "17.5.1990"]).await.code, 2);
}

#[tokio::test]
async fn an_import_goes_on_after_bad_lines_and_adds_nothing_twice() {
    let desk = Desk::new().await;
    let mut lines: Vec<String> = (1..=300).map(|n| json::to_string(&passport(&n.to_string(), 1))).collect();
    lines.insert(10, "this is no JSON".to_owned());
    lines.insert(20, r#"{"core":{"unknownField":1}}"#.to_owned());
    lines.insert(30, "{}".to_owned());
    lines.insert(40, String::new());
    let file = desk.write("alerts.ndjson", &lines.join("\n"));
    desk.cluster.behave(1, |node| node.breaks_streams_after = Some(1));
    let first = desk.run(&["import", &file, "-o", "json"]).await;
    assert_eq!(first.code, 5, "{}", first.talk);
    let counts = first.json();
    assert_eq!(counts["rejected"], 3);
    assert_eq!(counts["created"].as_u64().unwrap() + counts["unchanged"].as_u64().unwrap(), 300);
    assert_eq!(desk.cluster.state().alerts.len(), 300);

    let rejected = std::fs::read_to_string(desk.path("alerts.ndjson.rejected.ndjson")).unwrap();
    let mut rejected: Vec<Value> = rejected.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    rejected.sort_by_key(|entry| entry["line"].as_u64());
    assert_eq!(rejected[0]["line"], 11);
    assert_eq!(rejected[0]["text"], "this is no JSON");
    assert!(rejected[1]["faults"][0]["message"].as_str().unwrap().contains("unknownField"));
    assert_eq!(rejected[2]["faults"][0]["fieldPath"], "core.source");

    let again = desk.run(&["import", &file]).await;
    golden("import-again.txt", &again.data);
    assert_eq!(desk.cluster.state().effects, 300);
}

#[tokio::test]
async fn what_is_exported_can_be_imported() {
    let desk = Desk::new().await;
    for number in 1..=5 {
        desk.put(&number.to_string()).await;
    }
    let exported = desk.run(&["export"]).await;
    assert_eq!(exported.data.lines().count(), 5, "{}", exported.talk);
    let file = desk.write("again.ndjson", &exported.data);
    let imported = desk.run(&["import", &file, "-o", "json"]).await;
    assert_eq!(imported.json()["created"], 5);
}

#[tokio::test]
async fn dangerous_verbs_show_what_they_do_to_the_quorum_and_ask() {
    let desk = Desk::new().await;
    let id = desk.put("1").await;
    let asked = desk.run(&["cluster", "remove", "3"]).await;
    assert_eq!(asked.code, 2, "nobody to ask");
    golden("remove.txt", &asked.talk);
    assert!(desk.cluster.state().removed.is_empty());
    let erase = desk.run(&["erase", &id, "--ground", "court order"]).await;
    assert_eq!(erase.code, 2);
    assert!(erase.talk.contains("cannot be undone"));
    let many = desk.run(&["cancel", &id, "other", "--reason", "located"]).await;
    assert_eq!(many.code, 2);
    assert_eq!(desk.cluster.state().effects, 1);

    let done = desk.run(&["cluster", "remove", "3", "--yes"]).await;
    assert_eq!(done.code, 0, "{}", done.talk);
    let moved = desk.run(&["cluster", "transfer-leader", "2", "--yes"]).await;
    assert_eq!(moved.data, "node 2 leads in term 2\n");
    let many = desk.run(&["cancel", &id, "other", "--reason", "located", "--yes"]).await;
    assert_eq!(many.code, 3, "the one that is missing shows in the exit code");
    assert!(many.data.contains("FAILED") && many.data.contains("deleted"), "{}", many.data);
    assert_eq!(desk.run(&["erase", &id, "--ground", "court order", "--yes"]).await.code, 0);
    assert!(desk.cluster.state().alerts.is_empty());
}

#[tokio::test]
async fn the_status_shows_every_node_and_those_that_do_not_answer() {
    let desk = Desk::new().await;
    let whole = desk.run(&["status"]).await;
    assert_eq!(whole.code, 0, "{}", whole.talk);
    golden("status.txt", &whole.data);
    desk.cluster.behave(3, |node| node.is_down = true);
    let partial = desk.run(&["cluster", "status", "-o", "json", "--deadline", "500ms"]).await;
    assert_eq!(partial.code, 5);
    assert_eq!(partial.json()["nodes"][0]["role"], "leader");
    assert_eq!(partial.json()["nodes"][2]["nodeId"], "3");
    let address = desk.cluster.address(2);
    let one = desk.run(&["status", "--node", &address]).await;
    assert!(one.data.starts_with("node             2 at ADDRESS2\n"), "{}", one.data);
    assert_eq!(desk.run(&["cluster", "init"]).await.code, 2);
    let again = desk.run(&["cluster", "init", "--node", &address]).await;
    assert_eq!(again.data, "cluster fake was formed before; nothing was done\n");
}

#[tokio::test]
async fn agreements_are_put_listed_and_suspended() {
    let desk = Desk::new().await;
    let file = desk.write(
        "agreement.json",
        r#"{"id":"agreement-fr","partner":{"code":"FR"},"categories":[{"list":"category","value":"arrest"}]}"#,
    );
    assert_eq!(desk.run(&["agreement", "put", &file]).await.code, 0);
    golden("agreements.txt", &desk.run(&["agreement", "list"]).await.data);
    let suspended = desk.run(&["agreement", "suspend", "agreement-fr", "--reason", "review", "-o", "json"]).await;
    assert_eq!(suspended.json()["state"], "AGREEMENT_STATE_SUSPENDED");
    assert_eq!(desk.run(&["agreement", "suspend", "agreement-xx", "--reason", "review"]).await.code, 3);
}

#[tokio::test]
async fn an_audit_log_is_checked_on_running_nodes_and_in_files() {
    use alert_core::audit::{Chain, file_name};
    let desk = Desk::new().await;
    let nodes = desk.run(&["audit", "verify"]).await;
    assert_eq!(nodes.code, 1, "node 3 is damaged: {}", nodes.talk);
    golden("audit-nodes.txt", &nodes.data);

    let mut chain = Chain::new("uk", "lon-1");
    let mut frames = Vec::new();
    for operation in ["search", "get", "search"] {
        let mut record = pb::AuditRecord { operation: operation.into(), ..Default::default() };
        let mut frame = Vec::new();
        chain.append(&mut record, &mut frame);
        frames.push(frame);
    }
    std::fs::create_dir(desk.path("audit")).unwrap();
    let log = desk.path("audit").join(file_name(1));
    std::fs::write(&log, frames.concat()).unwrap();
    let directory = desk.path("audit").display().to_string();
    let intact = desk.run(&["audit", "verify", &directory, "--cluster", "uk", "--name", "lon-1"]).await;
    assert_eq!(intact.code, 0, "{}", intact.talk);
    assert!(intact.data.starts_with("log            intact\nfiles          1\nrecords        3\n"), "{}", intact.data);
    frames.remove(1);
    std::fs::write(&log, frames.concat()).unwrap();
    let missing = desk.run(&["audit", "verify", &directory]).await;
    assert_eq!(missing.code, 1);
    assert!(missing.data.contains("records 2 to 2 are missing"), "{}", missing.data);
}
