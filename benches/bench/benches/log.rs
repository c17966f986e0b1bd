//! The Raft log on this disk: entries appended until they are durable, alone and together.
//! `cargo bench -p alert-bench --features log --bench log`.

use std::{sync::Arc, time::Duration};

use alert_node::{
    raft::types::{EncodedBatch, Entry, Payload, log_id},
    seam::Host,
    storage::{
        data_directory::{DataDirectory, DirectoryOptions},
        engine::{
            Engines,
            rocks::{RocksEngines, RocksSettings},
        },
        log::LogStore,
    },
};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use openraft::storage::{IOFlushed, RaftLogStorage};

const ENTRY_BYTES: usize = 600;

fn append(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().expect("a runtime");
    let directory = tempfile::tempdir().expect("a temporary directory");
    let options = DirectoryOptions {
        log: directory.path().join("log"),
        state: directory.path().join("state"),
        cluster_id: "bench".into(),
        node_id: 1,
    };
    let host = Host::real();
    let engines: Arc<dyn Engines> = Arc::new(RocksEngines::new(RocksSettings::default()));
    let data = DataDirectory::open(&host, &options).expect("an empty directory opens");
    let mut log = LogStore::open(&host, &*engines, &data).expect("an empty log opens");
    let mut next = 1;
    let mut group = criterion.benchmark_group("log append until durable");
    group.measurement_time(Duration::from_secs(3)).warm_up_time(Duration::from_secs(1)).sample_size(20);
    for entries in [1u64, 16, 256] {
        group.throughput(Throughput::Elements(entries));
        group.bench_function(format!("{entries} entries"), |bencher| {
            bencher.iter(|| {
                runtime.block_on(async {
                    for _ in 0..entries {
                        let batch = EncodedBatch(vec![7; ENTRY_BYTES].into());
                        let entry = Entry { log_id: log_id(1, next), payload: Payload::Normal(batch) };
                        next += 1;
                        log.append([entry], IOFlushed::noop()).await.expect("the disk takes it");
                    }
                    log.flush().await.expect("the disk takes it");
                });
            });
        });
    }
    group.finish();
    runtime.block_on(log.close()).expect("the log closes");
}

criterion_group!(benches, append);
criterion_main!(benches);
