//! What consensus hears of its appends: each once, in the order in which they were queued, whatever becomes of the disk.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Wake, Waker},
};

use openraft::{
    storage::{IOFlushed, RaftLogStorage},
    type_config::TypeConfigExt,
};
use parking_lot::Mutex;

use super::{Waiting, on_every_engine, open, queue, small, until};
use crate::{
    raft::types::TypeConfig,
    storage::{engine::EngineError, log::LogStore},
};

/// Notes the moment at which the callback of one append is called.
struct Noted {
    append: u64,
    order: Arc<Mutex<Vec<u64>>>,
}

impl Wake for Noted {
    fn wake(self: Arc<Self>) {
        self.order.lock().push(self.append);
    }
}

/// Appends under way, and the order in which they were reported.
#[derive(Default)]
struct Reports {
    order: Arc<Mutex<Vec<u64>>>,
    waiting: Vec<(u64, Waiting)>,
}

impl Reports {
    fn note(&mut self, append: u64, mut waiting: Waiting) {
        let waker = Waker::from(Arc::new(Noted { append, order: self.order.clone() }));
        let polled = Future::poll(Pin::new(&mut waiting), &mut Context::from_waker(&waker));
        assert!(polled.is_pending(), "append {append} is reported before anything can have become of it");
        self.waiting.push((append, waiting));
    }

    /// Queues one entry for each append.
    async fn queue(&mut self, store: &mut LogStore, appends: impl Iterator<Item = u64>) {
        for append in appends {
            let waiting = queue(store, small(1, append..=append)).await;
            self.note(append, waiting);
        }
    }

    /// Waits until so many are reported; which they were.
    async fn reported(&self, count: usize) -> Vec<u64> {
        until("they are reported", || self.order.lock().len() >= count).await;
        self.order.lock().clone()
    }

    /// What each was told.
    async fn told(self) -> Vec<(u64, Result<(), String>)> {
        let mut told = Vec::new();
        for (append, waiting) in self.waiting {
            let result: Result<(), io::Error> = waiting.await.expect("a callback is never dropped");
            told.push((append, result.map_err(|error| error.to_string())));
        }
        told
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_append_is_reported_once_and_in_order_also_when_an_fsync_that_several_wait_for_fails() {
    on_every_engine(|bench| async move {
        let (disk, mut store) = (bench.disk.clone(), open(&bench, "node").unwrap());
        let mut reports = Reports::default();
        disk.hold();
        reports.queue(&mut store, 0..1).await;
        until("the first fsync has begun", || disk.syncs() == 1).await;
        // They gather behind it, and share the second one.
        reports.queue(&mut store, 1..5).await;
        disk.let_one_pass();
        assert_eq!(reports.reported(1).await, [0], "the others wait for an fsync of their own");
        until("the second fsync has begun", || disk.syncs() == 2).await;
        reports.queue(&mut store, 5..8).await;
        disk.let_one_pass();
        assert_eq!(reports.reported(5).await, [0, 1, 2, 3, 4]);
        until("the third fsync has begun", || disk.syncs() == 3).await;
        // Three wait for the fsync that fails, two for one that never comes.
        reports.queue(&mut store, 8..10).await;
        assert_eq!(reports.reported(5).await, [0, 1, 2, 3, 4]);
        disk.fail(Some(EngineError::Io { place: "log".into(), reason: "EIO".into() }));
        disk.release();
        assert_eq!(reports.reported(10).await, Vec::from_iter(0..10));
        // The disk works again, and nobody is told so.
        disk.fail(None);
        let (sender, receiver) = TypeConfig::oneshot();
        assert!(store.append(small(1, 10..=10), IOFlushed::signal(sender)).await.is_err());
        assert!(receiver.await.expect("a callback is never dropped").is_err());
        assert_eq!(
            (reports.reported(10).await, disk.syncs()),
            (Vec::from_iter(0..10), 3),
            "once, and nothing is retried"
        );
        for (append, told) in reports.told().await {
            match told {
                Ok(()) => assert!(append < 5, "append {append} is not on disk"),
                Err(reason) => assert!(append >= 5 && reason.contains("EIO"), "append {append}: {reason}"),
            }
        }
    })
    .await;
}
