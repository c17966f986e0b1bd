//! A partner's national copy, kept by the client crate as a partner would keep it: one export, then the feed, while nodes
//! are killed and stopped; and the acknowledgements that prove how soon it had what.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use alert_chaos::{demo::partner_agreement, process::wait_until, traffic::create};
use alert_client::{AlertClient, Error};
use alert_proto::v1::{self as pb, feed_event::Change, watch_response::Item};
use alert_synth::known;
use futures::StreamExt;
use prost::Message;

use crate::stage::{LIMIT, WRITE_EVERY, bureau, tell, three};

/// Within this every change is to be with the partner: an election and a partner's pause are, by far.
const TIMESCALE: Duration = Duration::from_secs(60);
/// Changes between one fault and the next.
const CHANGES: u64 = 40;

/// Records by the id of their alert, encoded.
type Contents = BTreeMap<String, Vec<u8>>;

fn put(contents: &mut Contents, record: &pb::AlertRecord) {
    let id = record.info.as_ref().expect("a record says which it is").id.clone();
    contents.insert(id, record.encode_to_vec());
}

#[derive(Default)]
struct Copy {
    contents: Contents,
    exports: u64,
    events: u64,
    /// The version of each alert that came last, to see that none comes twice or after a later one.
    versions: BTreeMap<String, u64>,
}

/// Keeps a copy until the store refuses, and says why it did.
async fn keep(partner: AlertClient, copy: Arc<Mutex<Copy>>) -> Error {
    loop {
        copy.lock().unwrap().exports += 1;
        let (mut contents, mut cursor) = (Contents::new(), Vec::new());
        let mut pages = partner.export(pb::ExportRequest::default());
        while let Some(page) = pages.next().await {
            match page {
                Ok(page) => {
                    page.records.iter().for_each(|record| put(&mut contents, record));
                    cursor = page.feed_cursor;
                }
                Err(error) => return error,
            }
        }
        copy.lock().unwrap().contents = contents;
        let mut feed = partner.watch(pb::WatchRequest { cursor, ..Default::default() });
        while let Some(message) = feed.next().await {
            let cursor = match message.map(|message| message.item) {
                Ok(Some(Item::Events(events))) => {
                    let mut copy = copy.lock().unwrap();
                    let last = events.events.last().map(|event| event.cursor.clone());
                    for event in events.events {
                        copy.events += 1;
                        match event.change.expect("an event says what changed") {
                            Change::Upsert(record) => {
                                let version = record.info.as_ref().map_or(0, |info| info.version);
                                let before = copy.versions.insert(event.alert_id, version);
                                assert!(before < Some(version), "version {version} after {before:?}");
                                put(&mut copy.contents, &record);
                            }
                            Change::Removal(_) => drop(copy.contents.remove(&event.alert_id)),
                        }
                    }
                    last
                }
                Ok(Some(Item::Progress(progress))) => Some(progress.cursor),
                Ok(Some(Item::Restart(_)) | None) => None,
                Err(error) => return error,
            };
            // The changes are safe here now, and not before.
            if let Some(cursor) = cursor
                && let Err(error) = partner.acknowledge(pb::AcknowledgeRequest { cursor, ..Default::default() }).await
            {
                return error;
            }
        }
    }
}

/// What the store would list for the partner.
async fn truth(partner: &AlertClient) -> Contents {
    let (mut contents, mut page_token) = (Contents::new(), Vec::new());
    loop {
        let list = pb::ListRequest { page_token, page_size: 500, ..Default::default() };
        let page = partner.list(list).await.unwrap();
        page.records.iter().for_each(|record| put(&mut contents, record));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return contents;
        }
    }
}

/// Creates alerts and cancels every other one, until it is over.
async fn change(writer: AlertClient, over: Arc<AtomicBool>, made: Arc<AtomicU64>) {
    for number in 0.. {
        if over.load(Ordering::Relaxed) {
            return;
        }
        let id = create(&writer, known::numbered("copied", number)).await.unwrap().alert_id;
        if number % 2 == 1 {
            let reason = Some(pb::Code { list: "deletion-reason".to_owned(), value: "located".to_owned() });
            writer.cancel(pb::CancelRequest { alert_id: id, reason, ..Default::default() }).await.unwrap();
        }
        made.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(WRITE_EVERY).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_kept_through_the_client_is_exact_while_nodes_are_killed_and_stopped() {
    let cluster = three().start().await.unwrap();
    let policy = cluster.client("policy").unwrap();
    let policy = policy.with_defaults(|defaults| defaults.purpose = "alert-management".to_owned());
    let sharing_timescale = TIMESCALE.try_into().ok();
    let agreement = pb::Agreement { sharing_timescale, ..partner_agreement(&cluster).unwrap() };
    let id = agreement.id.clone();
    policy.put_agreement(pb::PutAgreementRequest { agreement: Some(agreement), ..Default::default() }).await.unwrap();

    let partner = cluster.client("partner-fr").unwrap();
    let copy = Arc::<Mutex<Copy>>::default();
    let (over, made) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let writing = tokio::spawn(change(bureau(&cluster), over.clone(), made.clone()));
    let some_more = async || {
        let before = made.load(Ordering::Relaxed);
        let more = wait_until("changes go on", LIMIT, || async {
            Ok((made.load(Ordering::Relaxed) >= before + CHANGES).then_some(()))
        });
        more.await.unwrap();
    };
    some_more().await;
    let keeping = tokio::spawn(keep(partner.clone(), copy.clone()));
    for node in cluster.nodes() {
        node.kill().unwrap();
        some_more().await;
        node.start().unwrap();
        node.wait_ready().await.unwrap();
        node.pause().unwrap();
        some_more().await;
        node.resume().unwrap();
        node.wait_ready().await.unwrap();
    }
    over.store(true, Ordering::Relaxed);
    writing.await.unwrap();

    let truth = truth(&partner).await;
    let same = wait_until("the copy is what the store lists", LIMIT, || async {
        assert!(!keeping.is_finished(), "the copy found a fault");
        Ok((copy.lock().unwrap().contents == truth).then_some(()))
    });
    same.await.unwrap();
    let (exports, events) = {
        let copy = copy.lock().unwrap();
        (copy.exports, copy.events)
    };
    tell(&format!("{} records copied by {exports} export and {events} events", truth.len()));
    assert_eq!(exports, 1, "nothing was lost, so nothing was copied anew");
    assert!(events >= 6 * CHANGES);

    // What the partner acknowledged proves that it had everything in time.
    let proven = wait_until("all is acknowledged", LIMIT, || async {
        let get = pb::GetAgreementRequest { agreement_id: id.clone(), ..Default::default() };
        let told = policy.agreement(get).await?.acknowledgements;
        let [told] = &told[..] else { return Ok(None) };
        Ok(told.oldest_waiting.is_none().then(|| told.clone()))
    });
    let proven = proven.await.unwrap();
    assert_eq!(proven.within_timescale, Some(true), "{proven:?}");

    // The agreement is suspended: the copy is told, and comes to an end.
    let suspend = pb::SuspendAgreementRequest { agreement_id: id, ..Default::default() };
    policy.suspend_agreement(suspend).await.unwrap();
    let end = tokio::time::timeout(Duration::from_secs(30), keeping).await.expect("it ends").unwrap();
    assert_eq!(end.code, "AGREEMENT_NOT_IN_FORCE", "{end}");
}
