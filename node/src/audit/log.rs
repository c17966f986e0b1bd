//! The log itself: a queue, and one task that writes and syncs whatever is in it.

use std::{
    collections::{BTreeMap, VecDeque},
    io,
    path::PathBuf,
    sync::Arc,
};

use alert_core::{
    alert::{AlertId, time::from_ms},
    audit::{self, Anchor, Chain, Verifier},
    pb,
};
use tokio::sync::{mpsc, oneshot, watch};

use super::{
    files::{self, OpenError, Tail},
    find::{Finder, Page},
};
use crate::{
    api::backend::{AuditBackend, AuditEntry, AuditError, AuditQuestion, AuditSink, AuditVerdict, BoxFuture, Receipt},
    limits,
    ops::metric::AUDIT_SYNCS,
    seam::{AppendFile, Host, Lane, run},
};

/// Where and whose.
#[derive(Debug, Clone)]
pub struct AuditOptions {
    pub directory: PathBuf,
    pub cluster_id: String,
    pub node_name: String,
}

type Waiting = (AuditEntry, oneshot::Sender<Result<Receipt, AuditError>>);

/// The audit log of one node. Dropping it lets the writer finish what is queued.
pub struct AuditLog {
    queue: mpsc::Sender<Waiting>,
    host: Host,
    options: AuditOptions,
    head: watch::Receiver<(u64, [u8; 32])>,
    failure: watch::Receiver<Option<String>>,
}

impl AuditLog {
    /// Opens the log, cutting a torn end, and starts its writer.
    pub async fn open(host: Host, options: AuditOptions) -> Result<Self, OpenError> {
        let files = Arc::clone(&host.files);
        let (directory, cluster, node) =
            (options.directory.clone(), options.cluster_id.clone(), options.node_name.clone());
        let tail = run(&*host.blocking, Lane::Audit, move || files::open(&*files, &directory, &cluster, &node)).await?;
        let (queue, waiting) = mpsc::channel(limits::AUDIT_QUEUE_RECORDS_MAX);
        let (failed, failure) = watch::channel(None);
        let (head_sender, head) = watch::channel((tail.chain.next_sequence - 1, tail.chain.head));
        let writer = Writer {
            host: host.clone(),
            options: options.clone(),
            tail: Some(Open { chain: tail.chain.clone(), path: tail.file.clone(), file: None }),
            attempts: Attempts::default(),
            head: head_sender,
            failed,
        };
        drop::<Tail>(tail);
        tokio::spawn(writer.run(waiting));
        Ok(Self { queue, host, options, head, failure })
    }

    /// Why nothing more is written, from the moment that it is so: a node without its log gives no answer, and takes no
    /// change that it could not answer for, so it has to stop.
    pub fn failure(&self) -> watch::Receiver<Option<String>> {
        self.failure.clone()
    }

    /// Sequence and hash of the last durable record: what is anchored through Raft.
    pub fn head(&self) -> watch::Receiver<(u64, [u8; 32])> {
        self.head.clone()
    }
}

impl AuditSink for AuditLog {
    fn record(&self, entry: AuditEntry) -> BoxFuture<'_, Result<Receipt, AuditError>> {
        Box::pin(async move {
            let (sender, receiver) = oneshot::channel();
            self.queue.try_send((entry, sender)).map_err(|error| match error {
                mpsc::error::TrySendError::Full(_) => AuditError::Overloaded,
                mpsc::error::TrySendError::Closed(_) => AuditError::Unwritable("the log is closed".into()),
            })?;
            receiver.await.unwrap_or_else(|_| Err(AuditError::Unwritable("the log was closed".into())))
        })
    }
}

impl AuditBackend for AuditLog {
    fn verify(&self, anchors: Vec<Anchor>) -> BoxFuture<'_, Result<AuditVerdict, AuditError>> {
        Box::pin(async move {
            let (host, options) = (self.host.clone(), self.options.clone());
            // On the log's own lane, so that nothing is half written while it is read.
            let report = run(&*self.host.blocking, Lane::Audit, move || {
                let verifier = Verifier::new(&options.cluster_id, &options.node_name).against(anchors);
                files::verify(&*host.files, &options.directory, verifier)
            })
            .await
            .map_err(|error| AuditError::Unreadable(error.to_string()))?;
            let first_fault = report
                .faults
                .first()
                .map(|fault| format!("{} at byte {}: {}", fault.file, fault.offset, fault.what))
                .unwrap_or_default();
            Ok(AuditVerdict {
                intact: report.faults.is_empty(),
                records: report.records,
                head_hash: report.head,
                anchors_met: report.anchors_met,
                anchored_until_ms: report.anchored_until_ms,
                first_fault,
            })
        })
    }

    fn find(
        &self,
        question: AuditQuestion,
        from_ms: u64,
        until_ms: u64,
        after: u64,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<pb::AuditRecord>, AuditError>> {
        Box::pin(async move {
            let (host, directory) = (self.host.clone(), self.options.directory.clone());
            run(&*self.host.blocking, Lane::Read, move || {
                let mut finder = Finder::new(question, Page { from_ms, until_ms, after, limit });
                files::read_records(&*host.files, &directory, |record| finder.visit(record))
                    .map(|()| finder.finish())
                    .map_err(|error| AuditError::Unreadable(error.to_string()))
            })
            .await
        })
    }
}

/// How often each recent question was attempted on this node.
#[derive(Default)]
struct Attempts {
    counts: BTreeMap<AlertId, u32>,
    order: VecDeque<AlertId>,
}

impl Attempts {
    fn next(&mut self, search_id: AlertId) -> u32 {
        let count = self.counts.entry(search_id).or_default();
        *count += 1;
        if *count == 1 {
            self.order.push_back(search_id);
            if self.order.len() > limits::AUDIT_RECENT_QUESTIONS
                && let Some(oldest) = self.order.pop_front()
            {
                self.counts.remove(&oldest);
            }
        }
        self.counts.get(&search_id).copied().unwrap_or(1)
    }
}

/// The end of the log, while it is being written to.
struct Open {
    chain: Chain,
    path: Option<PathBuf>,
    file: Option<Box<dyn AppendFile>>,
}

struct Writer {
    host: Host,
    options: AuditOptions,
    /// Away while a write is under way.
    tail: Option<Open>,
    attempts: Attempts,
    head: watch::Sender<(u64, [u8; 32])>,
    /// After a failed write or sync nothing more is taken: what is on disk is not known.
    failed: watch::Sender<Option<String>>,
}

impl Writer {
    async fn run(mut self, mut waiting: mpsc::Receiver<Waiting>) {
        let mut group = Vec::new();
        while waiting.recv_many(&mut group, limits::AUDIT_GROUP_RECORDS_MAX).await > 0 {
            let (entries, callers): (Vec<_>, Vec<_>) = group.drain(..).unzip();
            match self.write(entries).await {
                Ok(receipts) => {
                    for (caller, receipt) in callers.into_iter().zip(receipts) {
                        // A caller that has gone needs no receipt; its record stands.
                        let _ = caller.send(Ok(receipt));
                    }
                }
                Err(error) => {
                    self.failed.send_if_modified(|failed| {
                        let is_first = failed.is_none();
                        failed.get_or_insert_with(|| error.to_string());
                        is_first
                    });
                    for caller in callers {
                        let _ = caller.send(Err(error.clone()));
                    }
                }
            }
        }
    }

    async fn write(&mut self, entries: Vec<AuditEntry>) -> Result<Vec<Receipt>, AuditError> {
        if let Some(failed) = self.failed.borrow().clone() {
            return Err(AuditError::Unwritable(failed));
        }
        let mut records: Vec<_> = entries.into_iter().map(|entry| self.record(entry)).collect();
        let mut tail = self.tail.take().expect("one write at a time, and each gives the tail back");
        let (files, directory) = (Arc::clone(&self.host.files), self.options.directory.clone());
        let (tail, result) = run(&*self.host.blocking, Lane::Audit, move || {
            let mut bytes = Vec::new();
            let first = tail.chain.next_sequence;
            for record in &mut records {
                tail.chain.append(record, &mut bytes);
            }
            let result = append(&*files, &directory, &mut tail, first, &bytes);
            (tail, result.map(|()| records))
        })
        .await;
        let head = (tail.chain.next_sequence - 1, tail.chain.head);
        self.tail = Some(tail);
        let records = result.map_err(|error| AuditError::Unwritable(error.to_string()))?;
        self.head.send_replace(head);
        metrics::gauge!(crate::ops::metric::AUDIT_SEQUENCE).set(head.0 as f64);
        let name = &self.options.node_name;
        Ok(records.iter().map(|record| Receipt(format!("{name}-{}", record.sequence))).collect())
    }

    fn record(&mut self, entry: AuditEntry) -> pb::AuditRecord {
        let attempt = self.attempts.next(entry.search_id);
        let name = &self.options.node_name;
        pb::AuditRecord {
            search_id: entry.search_id.to_string(),
            at: Some(from_ms(entry.at_ms)),
            node: name.clone(),
            caller: Some(pb::AuditCaller {
                country: Some(pb::Party { code: entry.caller.country }),
                authority: entry.caller.authority,
                system: entry.caller.system,
                role: entry.caller.role.name().into(),
                certificate_serial: entry.certificate_serial,
            }),
            context: Some(entry.context),
            operation: entry.operation.into(),
            asked: entry.asked,
            disclosed: entry.disclosed,
            revision: entry.revision,
            attempt,
            outcome: format!("{:?}", entry.outcome),
            ..Default::default()
        }
    }
}

/// Appends and syncs; opens the next file when the present one is full.
fn append(
    files: &dyn crate::seam::FileSystem,
    directory: &std::path::Path,
    tail: &mut Open,
    first_sequence: u64,
    bytes: &[u8],
) -> io::Result<()> {
    if tail.file.as_ref().is_some_and(|file| file.size_bytes() >= limits::AUDIT_FILE_BYTES) {
        (tail.file, tail.path) = (None, None);
    }
    if tail.file.is_none() {
        let is_new = tail.path.is_none();
        let path = tail.path.get_or_insert_with(|| directory.join(audit::file_name(first_sequence)));
        tail.file = Some(files.open_append(path)?);
        if is_new {
            files.sync_directory(directory)?;
        }
    }
    let file = tail.file.as_mut().expect("opened above");
    file.append(bytes)?;
    file.sync()?;
    metrics::counter!(AUDIT_SYNCS).increment(1);
    Ok(())
}
