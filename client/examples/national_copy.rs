//! A partner's national copy of the alerts that its agreement lets it see: filled by an export, kept in step by the feed.
//!
//! ```text
//! make demo KEEP=1 PERSONS=1000 OBJECTS=2000
//! cargo run --release -p alert-client --example national_copy -- /tmp/alertstore-XXXX/client-partner-fr.toml
//! ```
//!
//! In another terminal, change something: `--example import` adds alerts, `alertctl cancel` ends one. Each change arrives
//! here. Kill nodes, let others lead: nothing is missed, nothing comes twice. With a number of seconds behind the file's
//! name it ends after that time.
//!
//! The rules of a copy: apply the export, then the feed from the export's cursor; keep the cursor with the data, in one
//! transaction; tell the store how far you are (`acknowledge`), which is your proof of the sharing timescale; begin again
//! with an export when the feed says so; go on from the cursor after an outage; and stop when the agreement is no longer in
//! force.

use std::{collections::BTreeMap, env, path::Path, time::Duration};

use alert_client::{
    AlertClient, ClientConfig, Config, Error, codes,
    pb::{self, feed_event::Change, watch_response::Item},
};
use anyhow::{Context, bail};
use futures::StreamExt;
use prost::Message;

/// When no node serves the feed, it is asked again after this.
const PAUSE: Duration = Duration::from_secs(5);
/// The cluster's code for an agreement under which nothing may be read.
const AGREEMENT_NOT_IN_FORCE: &str = "AGREEMENT_NOT_IN_FORCE";

/// What a national system would keep in its own database, with the cursor in the same transaction.
#[derive(Default)]
struct Copy {
    records: BTreeMap<String, pb::AlertRecord>,
    cursor: Vec<u8>,
}

impl Copy {
    fn put(&mut self, record: pb::AlertRecord) {
        if let Some(id) = record.info.as_ref().map(|info| info.id.clone()) {
            self.records.insert(id, record);
        }
    }

    fn apply(&mut self, event: pb::FeedEvent) {
        match event.change {
            Some(Change::Upsert(record)) => self.put(record),
            // Cancelled, erased, or no longer for us: all alike.
            Some(Change::Removal(_)) => drop(self.records.remove(&event.alert_id)),
            None => {}
        }
        self.cursor = event.cursor;
    }

    /// Equal for equal contents: what partner and store can compare.
    fn hash(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        for record in self.records.values() {
            hasher.update(&record.encode_to_vec());
        }
        hasher.finalize().to_hex()[..16].to_owned()
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = env::args().skip(1);
    let config = arguments.next().context("usage: national_copy CLIENT.toml [SECONDS]")?;
    let seconds: Option<u64> = arguments.next().map(|text| text.parse()).transpose()?;
    let client = AlertClient::builder().config(&ClientConfig::load(Path::new(&config))?).build()?;

    let over = async {
        match seconds {
            Some(seconds) => tokio::time::sleep(Duration::from_secs(seconds)).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        kept = keep(&client) => kept,
        () = over => Ok(()),
        _ = tokio::signal::ctrl_c() => Ok(()),
    }
}

/// Keeps a copy for as long as there is an agreement to keep it under.
async fn keep(client: &AlertClient) -> anyhow::Result<()> {
    let mut copy = Copy::default();
    loop {
        let Err(error) = follow(client, &mut copy).await else { continue };
        match error.code.as_str() {
            AGREEMENT_NOT_IN_FORCE => bail!(
                "the agreement is suspended, ended or outside its validity ({error}). What this copy holds ({} alerts) may \
                 not be used now; when the agreement has ended, remove it and prove that to the store's operator",
                copy.records.len()
            ),
            codes::TOKEN_EPOCH => {
                println!("the store was restored from a backup: all of it is exported again");
                copy.cursor.clear();
            }
            // The client has tried every node, for a minute. What is here stays, and so does the place in the feed.
            _ if error.retryable => {
                println!("no node serves the feed now ({error}); again in {PAUSE:?}");
                tokio::time::sleep(PAUSE).await;
            }
            _ => return Err(error.into()),
        }
    }
}

/// Exports when there is no place in the feed to go on from, then follows it. Ends when the feed begins anew.
async fn follow(client: &AlertClient, copy: &mut Copy) -> Result<(), Error> {
    if copy.cursor.is_empty() {
        // The old copy serves until the new one is whole.
        *copy = fill(client).await?;
        println!("{} alerts exported, hash {}", copy.records.len(), copy.hash());
    }
    let mut feed = client.watch(pb::WatchRequest { cursor: copy.cursor.clone(), ..Default::default() });
    while let Some(message) = feed.next().await {
        match message?.item {
            Some(Item::Events(events)) => {
                let count = events.events.len();
                events.events.into_iter().for_each(|event| copy.apply(event));
                println!("{count} changes: {} alerts, hash {}", copy.records.len(), copy.hash());
            }
            Some(Item::Progress(progress)) => copy.cursor = progress.cursor,
            Some(Item::Restart(restart)) => {
                println!("the feed begins anew ({}): {}", restart.code, restart.how);
                copy.cursor.clear();
                return Ok(());
            }
            None => {}
        }
        // After the changes are safe here, and not before. When no node takes it now, the next one says the same and more.
        let acknowledge = pb::AcknowledgeRequest { cursor: copy.cursor.clone(), ..Default::default() };
        match client.acknowledge(acknowledge).await {
            Err(error) if error.retryable => println!("not acknowledged yet: {error}"),
            other => drop(other?),
        }
    }
    Ok(())
}

/// An export is a scan while the store changes; its cursor is from before the scan, so that the feed behind it brings what
/// the scan missed.
async fn fill(client: &AlertClient) -> Result<Copy, Error> {
    let mut copy = Copy::default();
    let mut pages = client.export(pb::ExportRequest::default());
    while let Some(page) = pages.next().await {
        let page = page?;
        page.records.into_iter().for_each(|record| copy.put(record));
        if !page.feed_cursor.is_empty() {
            copy.cursor = page.feed_cursor;
        }
    }
    Ok(copy)
}
