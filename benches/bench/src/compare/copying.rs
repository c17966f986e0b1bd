//! Import, against PostgreSQL's `COPY` of the same records and index entries into tables with the same keys. One
//! PostgreSQL and three of our nodes: ours is on two disks when it is acknowledged.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use alert_core::{
    alert::{AlertId, Partition},
    search::{
        Normaliser,
        index::{self, IndexInput},
    },
};
use alert_peers::{Postgres, PostgresSettings};
use alert_proto::v1 as pb;
use prost::Message;
use tokio_postgres::{
    Client,
    binary_copy::BinaryCopyInWriter,
    types::{ToSql, Type},
};

use super::{CompareOptions, rounds::median, skip};
use crate::{
    cpu,
    report::{Report, Table},
    row,
    target::{Records, Target},
};

/// Records of one `COPY` and one transaction.
const BATCH: usize = 5000;

const TABLES: &str = "
    CREATE TABLE alerts (id bytea PRIMARY KEY, reference text NOT NULL UNIQUE, record bytea NOT NULL);
    CREATE TABLE entries (family int2 NOT NULL, key bytea NOT NULL, value bytea NOT NULL, PRIMARY KEY (family, key));
";

/// Both, in turns.
pub(super) async fn compare(
    directory: &Path,
    records: &Records,
    options: &CompareOptions,
    report: &mut Report,
) -> anyhow::Result<()> {
    let postgres = match Postgres::start(directory, &PostgresSettings::default()).await {
        Ok(postgres) => postgres,
        Err(error) => return skip(report, error),
    };
    let client = postgres.connect().await?;
    client.batch_execute(TABLES).await?;
    let target = Target::start(3, Some(directory)).await?;
    let mut table = Table::new(
        "Import (alerts a second), PostgreSQL COPY into the same indexes",
        &["mix", "ours, 3 nodes", "PostgreSQL COPY, 1 node", "ratio", "our server CPU us", "index entries"],
    );
    // So many records that each side works for about the time asked for.
    let count = (options.time.as_secs_f64() * 4000.0) as u64;
    let mut from = 10_000_000;
    for (mix, persons, objects) in [("98 % objects", count / 50, count - count / 50), ("persons", count, 0)] {
        let (mut ours, mut theirs, mut server_cpu, mut entries) = (Vec::new(), Vec::new(), Vec::new(), 0.0);
        for _ in 0..options.rounds {
            let alerts: Vec<pb::Alert> = records.mixed(from..from + persons, from..from + objects).collect();
            from += count;
            let total = alerts.len() as f64;
            let prepared: Vec<Prepared> = alerts.iter().map(Prepared::new).collect();
            entries = prepared.iter().map(|record| record.entries.len()).sum::<usize>() as f64 / total;

            let (begun, pids) = (Instant::now(), target.pids());
            let before = cpu::used_us(&pids);
            target.import(futures::stream::iter(alerts)).await?;
            ours.push(total / begun.elapsed().as_secs_f64());
            server_cpu.push((cpu::used_us(&pids) - before) as f64 / total);

            theirs.push(total / copy(&client, &prepared).await?.as_secs_f64());
        }
        let ratio = median(ours.iter().zip(&theirs).map(|(ours, theirs)| ours / theirs).collect());
        table.push(row![mix, median(ours), median(theirs), ratio, median(server_cpu), entries]);
    }
    report.table(table);
    report.note("COPY is given the bytes and the index entries ready made; our import validates, derives and audits.");
    Ok(())
}

/// A record with its index entries, as bytes.
struct Prepared {
    reference: String,
    record: Vec<u8>,
    entries: Vec<(i16, Vec<u8>, Vec<u8>)>,
}

impl Prepared {
    fn new(alert: &pb::Alert) -> Self {
        let source = alert.core.as_ref().and_then(|core| core.source.as_ref());
        let reference = source.map(|source| format!("{}/{}", source.system, source.reference)).unwrap_or_default();
        let hash = u128::from_be_bytes(digest(&reference));
        let input = IndexInput {
            id: AlertId::from_bytes(hash.to_be_bytes()),
            partition: Partition::Open,
            label: 0,
            priority: 5,
            created_at_ms: 1_790_000_000_000,
            normaliser: Normaliser::default(),
            alert,
        };
        let mut entries = Vec::new();
        index::derive(&input, &mut |family, key, value| entries.push((family as i16, key, value)));
        Self { reference, record: alert.encode_to_vec(), entries }
    }
}

/// Sixteen bytes that differ for each reference.
fn digest(reference: &str) -> [u8; 16] {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let part = |salt: u8| {
        let mut hasher = DefaultHasher::new();
        (salt, reference).hash(&mut hasher);
        hasher.finish().to_be_bytes()
    };
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&part(0));
    bytes[8..].copy_from_slice(&part(1));
    bytes
}

async fn copy(client: &Client, records: &[Prepared]) -> anyhow::Result<Duration> {
    let begun = Instant::now();
    for batch in records.chunks(BATCH) {
        client.batch_execute("BEGIN").await?;
        let sink = client.copy_in("COPY alerts (id, reference, record) FROM STDIN BINARY").await?;
        let mut writer = std::pin::pin!(BinaryCopyInWriter::new(sink, &[Type::BYTEA, Type::TEXT, Type::BYTEA]));
        for record in batch {
            let id = digest(&record.reference).to_vec();
            let row: [&(dyn ToSql + Sync); 3] = [&id, &record.reference, &record.record];
            writer.as_mut().write(&row).await?;
        }
        writer.as_mut().finish().await?;
        let sink = client.copy_in("COPY entries (family, key, value) FROM STDIN BINARY").await?;
        let mut writer = std::pin::pin!(BinaryCopyInWriter::new(sink, &[Type::INT2, Type::BYTEA, Type::BYTEA]));
        for (family, key, value) in batch.iter().flat_map(|record| &record.entries) {
            let row: [&(dyn ToSql + Sync); 3] = [family, key, value];
            writer.as_mut().write(&row).await?;
        }
        writer.as_mut().finish().await?;
        client.batch_execute("COMMIT").await?;
    }
    Ok(begun.elapsed())
}
