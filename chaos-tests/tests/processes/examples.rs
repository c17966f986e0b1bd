//! The examples of the client crate, as their pages say to run them: each ends well, and prints what it should.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex},
};

use alert_chaos::{
    demo,
    process::{LocalCluster, find_example, wait_until},
    traffic::create,
};
use alert_client::{AlertClient, json};
use alert_proto::v1 as pb;
use alert_synth::known;
use prost::Message;

use crate::{
    desk::{Desk, Ran},
    stage::{LIMIT, bureau, ours, three},
};

/// An example with a client's configuration, not started yet.
fn example(name: &str, config: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(find_example(name, "alert-client").unwrap());
    command.arg(config).args(arguments).stdin(Stdio::null());
    command
}

/// Runs it to its end, which must be a good one.
fn done(cluster: &LocalCluster, name: &str, client: &str, arguments: &[&str]) -> Ran {
    let ran = example(name, cluster.client_config_path(client).unwrap(), arguments).output().unwrap();
    let ran = Ran::new(&[&[name, client][..], arguments].concat(), &ran);
    assert_eq!(ran.code, 0, "{ran:?}");
    ran
}

async fn put(cluster: &LocalCluster, known: known::Known) -> String {
    create(&bureau(cluster), ours(known.alert, known.name)).await.unwrap().alert_id
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_examples_of_search_passenger_list_and_import_do_what_they_say() {
    let cluster = three().start().await.unwrap();
    for known in [known::wanted_holder(), known::misspelt(), known::stolen_passport()] {
        put(&cluster, known).await;
    }

    let found = done(&cluster, "search", "search", &[]).shows(&["Tamsin", "Quenthorpe", "1987-11-23"]);
    assert!(found.data.starts_with("1 CANDIDATE"), "a candidate, and the record of the best one: {found:?}");
    done(&cluster, "search", "search", &["Wendlin", "Vostermann", "1979-05-14"]).shows(&["Vostermann"]);
    let nobody = done(&cluster, "search", "search", &["Nemo", "Nusquamquist", "1911-02-03"]);
    assert!(nobody.data.starts_with("NO HIT: fully searched"), "{nobody:?}");

    let list = done(&cluster, "passenger_list", "search", &[]);
    list.shows(&["300 of 300 passengers fully searched", "seat 07F: ", "seat 35D: ", "2 to be looked at"]);

    done(&cluster, "import", "bureau", &[]).shows(&["\"IMPORT_STATUS_CREATED\": 2000}"]);
    done(&cluster, "import", "bureau", &[]).shows(&["\"IMPORT_STATUS_UNCHANGED\": 2000}"]);
    let desk = Desk::new(&cluster);
    let lines = [json::to_string(&known::numbered("from-a-file", 1)), "no alert".to_owned()];
    let file = desk.file("alerts.ndjson", lines.join("\n"));
    let imported = done(&cluster, "import", "bureau", &[&file]);
    imported.shows(&["\"IMPORT_STATUS_CREATED\": 1", "\"IMPORT_STATUS_REJECTED\": 1", "line 2: "]);
}

/// The example that runs on, and what it has said so far.
struct NationalCopy {
    child: Child,
    said: Arc<Mutex<Vec<String>>>,
}

impl NationalCopy {
    fn start(config: &Path) -> Self {
        let mut command = example("national_copy", config, &[]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let said = Arc::<Mutex<Vec<String>>>::default();
        let (output, lines) = (child.stdout.take().unwrap(), said.clone());
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                lines.lock().unwrap().push(line);
            }
        });
        Self { child, said }
    }

    /// The hash that it told last.
    fn hash(&self) -> Option<String> {
        let said = self.said.lock().unwrap();
        said.iter().rev().find_map(|line| Some(line.split_once("hash ")?.1.to_owned()))
    }

    /// Waits until the copy holds what the partner's own list of the store holds: so many alerts.
    async fn is_in_step(&self, partner: &AlertClient, alerts: usize) {
        let waited = wait_until("a copy in step with the store", LIMIT, || async {
            let Ok(records) = list(partner).await else { return Ok(None) };
            Ok((records.len() == alerts && self.hash() == Some(hash(&records))).then_some(()))
        });
        waited.await.unwrap_or_else(|error| panic!("{error}: {:#?}", self.said.lock().unwrap()));
    }

    /// Waits for its end: how, and what it said on standard error.
    async fn end(mut self) -> (ExitStatus, String) {
        let ended = wait_until("the end of the copy", LIMIT, || {
            let ended = self.child.try_wait();
            async { Ok(ended?) }
        })
        .await
        .unwrap();
        let words = std::io::read_to_string(self.child.stderr.take().unwrap()).unwrap();
        (ended, words)
    }
}

impl Drop for NationalCopy {
    fn drop(&mut self) {
        // It has ended, or the test has failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn list(partner: &AlertClient) -> Result<Vec<pb::AlertRecord>, alert_client::Error> {
    let (mut records, mut page_token) = (Vec::new(), Vec::new());
    loop {
        let page = partner.list(pb::ListRequest { page_token, page_size: 100, ..Default::default() }).await?;
        records.extend(page.records);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(records);
        }
    }
}

/// As the example computes it.
fn hash(records: &[pb::AlertRecord]) -> String {
    let mut sorted: Vec<&pb::AlertRecord> = records.iter().collect();
    sorted.sort_by_key(|record| record.info.as_ref().map(|info| info.id.clone()));
    let mut hasher = blake3::Hasher::new();
    for record in sorted {
        hasher.update(&record.encode_to_vec());
    }
    hasher.finalize().to_hex()[..16].to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_national_copy_stays_in_step_over_the_death_of_the_leader_and_ends_clearly_with_its_agreement() {
    let cluster = three().start().await.unwrap();
    let bureau = bureau(&cluster);
    let name = format!("partner-{}", known::PARTNER.to_lowercase());
    let partner = cluster.client(&name).unwrap();
    let policy = cluster.client("policy").unwrap();
    let policy = policy.with_defaults(|defaults| defaults.purpose = "alert-management".to_owned());
    let agreement = demo::partner_agreement(&cluster).unwrap();
    let agreement_id = agreement.id.clone();
    policy.put_agreement(pb::PutAgreementRequest { agreement: Some(agreement), ..Default::default() }).await.unwrap();
    for number in 0..150 {
        create(&bureau, known::numbered("copied", number)).await.unwrap();
    }

    let copy = NationalCopy::start(cluster.client_config_path(&name).unwrap());
    copy.is_in_step(&partner, 150).await;
    let added = create(&bureau, known::numbered("copied", 150)).await.unwrap();
    create(&bureau, known::numbered("copied", 151)).await.unwrap();
    copy.is_in_step(&partner, 152).await;
    let reason = Some(alert_synth::codes::code("deletion-reason", "located"));
    let cancel =
        pb::CancelRequest { alert_id: added.alert_id, expected_version: added.version, reason, ..Default::default() };
    bureau.cancel(cancel).await.unwrap();
    copy.is_in_step(&partner, 151).await;

    // Whatever node it was on: the leader dies, and changes go on.
    let leader = cluster.node(cluster.wait_leader().await.unwrap()).unwrap();
    leader.kill().unwrap();
    create(&bureau, known::numbered("copied", 152)).await.unwrap();
    copy.is_in_step(&partner, 152).await;
    leader.start().unwrap();
    leader.wait_ready().await.unwrap();
    let others = cluster.nodes().into_iter().filter(|node| node.id() != leader.id());
    for node in others {
        node.restart().unwrap();
        node.wait_ready().await.unwrap();
    }
    create(&bureau, known::numbered("copied", 153)).await.unwrap();
    copy.is_in_step(&partner, 153).await;

    // How far it is stands with its agreement.
    let get = || pb::GetAgreementRequest { agreement_id: agreement_id.clone(), ..Default::default() };
    wait_until("the acknowledgement of everything", LIMIT, || async {
        let told = policy.agreement(get()).await?;
        let [how_far] = &told.acknowledgements[..] else { return Ok(None) };
        Ok(how_far.oldest_waiting.is_none().then_some(()))
    })
    .await
    .unwrap();

    let reason = "The copy shall end.".to_owned();
    let suspend = pb::SuspendAgreementRequest { agreement_id: agreement_id.clone(), reason, ..Default::default() };
    policy.suspend_agreement(suspend).await.unwrap();
    let (status, words) = copy.end().await;
    assert_eq!(status.code(), Some(1), "{words}");
    assert!(words.contains("the agreement is suspended, ended or outside its validity"), "{words}");
    assert!(words.contains("(153 alerts) may not be used now"), "{words}");
}
