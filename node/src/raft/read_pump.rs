//! The read pump: one question to the leader's quorum serves every reader that came before it left.
//!
//! A *probe* asks how far the log is committed, with proof to a quorum that the answerer still leads; it runs on every
//! node, the leader too. While readers wait a probe leaves every few milliseconds, at most a few under way, each with
//! a short deadline, so that one lost answer delays nobody for long. A probe sent at t0 that came back with index c
//! also proves that a state which has applied c is as fresh as t0: that bounds staleness without synchronised clocks.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use futures::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use tokio::{
    sync::{Notify, oneshot},
    time::{Instant, sleep_until, timeout, timeout_at},
};
use tokio_util::sync::CancellationToken;

use super::{
    options::ReadBounds,
    proofs::{Proof, Proofs},
};
use crate::{
    api::backend::{Deadline, ReadError},
    ops::metric,
    seam::Clock,
};

/// While every waiting reader is covered by a probe under way, another leaves after so many spacings: in case that one
/// is lost.
const COVERED_SPACINGS: u32 = 10;

/// Asks one read index. On the leader of its own quorum, elsewhere of the leader.
pub trait Prober: Send + Sync + 'static {
    /// The index, or in words why there is none.
    fn probe(&self, patience: Duration) -> BoxFuture<'static, Result<u64, String>>;
}

/// What a reader waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    /// A probe that leaves after the reader came.
    LaterProbe,
    /// A probe that left at or after this time since boot.
    SentSince(Duration),
}

struct Waiter {
    /// Place in the order of readers and probes.
    arrived: u64,
    wanted: Wanted,
    index: oneshot::Sender<Result<u64, ReadError>>,
}

#[derive(Default)]
struct State {
    order: u64,
    waiters: Vec<Waiter>,
    /// Of the probes that came back.
    proofs: Proofs,
    /// When the newest successful probe was sent, and its index.
    newest: Option<Proof>,
    last_failure: String,
    /// The probe that was settled last failed.
    last_attempt_failed: bool,
    stopped: bool,
}

/// The pump. Clones share it.
#[derive(Clone)]
pub struct ReadPump {
    state: Arc<Mutex<State>>,
    wake: Arc<Notify>,
    bounds: ReadBounds,
    clock: Arc<dyn Clock>,
    started_at: Duration,
}

impl ReadPump {
    /// Idle; [`ReadPump::run`] drives it.
    pub fn new(bounds: ReadBounds, clock: Arc<dyn Clock>) -> Self {
        let started_at = clock.boot();
        Self { state: Arc::default(), wake: Arc::default(), bounds, clock, started_at }
    }

    /// An index that holds all that was acknowledged before this call.
    ///
    /// # Errors
    /// No quorum, the deadline, or the end of the node.
    pub async fn index(&self, deadline: Deadline) -> Result<u64, ReadError> {
        self.wait(Wanted::LaterProbe, deadline).await
    }

    /// An index that holds all that was acknowledged before `since` (time since boot).
    ///
    /// # Errors
    /// No quorum, the deadline, or the end of the node.
    pub async fn index_since(&self, since: Duration, deadline: Deadline) -> Result<u64, ReadError> {
        self.wait(Wanted::SentSince(since), deadline).await
    }

    async fn wait(&self, wanted: Wanted, deadline: Deadline) -> Result<u64, ReadError> {
        let (sender, receiver) = oneshot::channel();
        {
            let mut state = self.state.lock().expect("held in this block only");
            if state.stopped {
                return Err(ReadError::Stopped);
            }
            if let (Wanted::SentSince(since), Some(newest)) = (wanted, state.newest)
                && newest.sent_at >= since
            {
                return Ok(newest.index);
            }
            // Known to be cut off: at once, so that the caller goes elsewhere. Probes go on without readers, and the
            // first one that comes back ends this. (A node that slept has not failed, so its readers wait.)
            if state.last_attempt_failed && self.is_over(state.newest) {
                return Err(ReadError::NoQuorum);
            }
            state.order += 1;
            let arrived = state.order;
            state.waiters.push(Waiter { arrived, wanted, index: sender });
        }
        self.wake.notify_one();
        match timeout_at(deadline, receiver).await {
            Ok(answered) => answered.unwrap_or(Err(ReadError::Stopped)),
            Err(_) => Err(if self.without_quorum() { ReadError::NoQuorum } else { ReadError::DeadlineExceeded }),
        }
    }

    /// When the newest probe was sent that a state at `applied_index` fulfils, as time since boot; `None` = no probe that
    /// came back since the node started says anything of it.
    pub fn proven_at(&self, applied_index: u64) -> Option<Duration> {
        self.state.lock().expect("held for this line only").proofs.of(applied_index)
    }

    /// How far the newest probe found the log committed.
    pub fn newest_index(&self) -> Option<u64> {
        self.state.lock().expect("held for this line only").newest.map(|proof| proof.index)
    }

    /// True when no probe that left within the bound came back.
    pub fn without_quorum(&self) -> bool {
        self.is_over(self.state.lock().expect("held for this line only").newest)
    }

    fn is_over(&self, newest: Option<Proof>) -> bool {
        let since = newest.map_or(self.started_at, |proof| proof.sent_at);
        self.clock.boot().saturating_sub(since) > self.bounds.quorum_lost_after
    }

    /// In words, why the last probe failed; empty when it did not.
    pub fn last_failure(&self) -> String {
        self.state.lock().expect("held for this line only").last_failure.clone()
    }

    /// Sends probes until `stopping`.
    pub async fn run(self, prober: Arc<dyn Prober>, stopping: CancellationToken) {
        let mut under_way: FuturesUnordered<BoxFuture<'static, (Probe, Result<u64, String>)>> = FuturesUnordered::new();
        let mut sent_at = Instant::now().checked_sub(self.bounds.idle_probe).unwrap_or_else(Instant::now);
        let mut covered = 0;
        loop {
            let now = Instant::now();
            let next = self.next_probe_at(sent_at, covered, under_way.len());
            if next <= now {
                let probe = self.start_probe();
                (sent_at, covered) = (now, probe.order);
                let patience = self.bounds.probe_timeout;
                let answer = timeout(patience, prober.probe(patience));
                under_way.push(Box::pin(async move {
                    let answer = answer.await;
                    (probe, answer.unwrap_or_else(|_| Err(format!("no answer within {patience:?}"))))
                }));
                continue;
            }
            tokio::select! {
                biased;
                Some((probe, answer)) = under_way.next(), if !under_way.is_empty() => {
                    if answer.is_err() {
                        covered = 0;
                    }
                    self.settle(probe, answer);
                }
                () = stopping.cancelled() => break,
                () = self.wake.notified() => {}
                () = sleep_until(next) => {}
            }
        }
        let mut state = self.state.lock().expect("held in this block only");
        state.stopped = true;
        state.waiters.clear();
    }

    /// When the next probe is due. `covered` is the order of the newest probe under way, 0 for none that counts.
    fn next_probe_at(&self, sent_at: Instant, covered: u64, under_way: usize) -> Instant {
        let mut state = self.state.lock().expect("held in this function only");
        state.waiters.retain(|waiter| !waiter.index.is_closed());
        let uncovered = state.waiters.iter().any(|waiter| waiter.arrived > covered);
        let full = under_way >= self.bounds.probes_in_flight;
        let pause = match (state.waiters.is_empty(), uncovered || under_way == 0) {
            _ if full => return Instant::now() + self.bounds.probe_timeout,
            (true, _) => self.bounds.idle_probe,
            (false, true) => self.bounds.probe_spacing,
            (false, false) => self.bounds.probe_spacing * COVERED_SPACINGS,
        };
        sent_at + pause
    }

    fn start_probe(&self) -> Probe {
        metrics::counter!(metric::READ_PROBES).increment(1);
        let mut state = self.state.lock().expect("held in this function only");
        state.order += 1;
        Probe { order: state.order, sent_at: self.clock.boot() }
    }

    fn settle(&self, probe: Probe, answer: Result<u64, String>) {
        let lost = answer.is_err() && self.without_quorum();
        let mut state = self.state.lock().expect("held in this function only");
        state.last_attempt_failed = answer.is_err();
        let served = match answer {
            Ok(index) => {
                state.last_failure.clear();
                let proof = Proof { sent_at: probe.sent_at, index };
                if state.newest.is_none_or(|newest| newest.sent_at <= proof.sent_at) {
                    state.newest = Some(proof);
                }
                state.proofs.add(proof);
                Ok(index)
            }
            Err(reason) => {
                state.last_failure = reason;
                if !lost {
                    // An election, perhaps: the readers wait for the next probe.
                    return;
                }
                Err(ReadError::NoQuorum)
            }
        };
        let waiters = std::mem::take(&mut state.waiters);
        let (done, waiting): (Vec<Waiter>, Vec<Waiter>) =
            waiters.into_iter().partition(|waiter| probe.serves(waiter) || lost);
        state.waiters = waiting;
        for waiter in done {
            // A reader that has gone needs no answer.
            let _ = waiter.index.send(served.clone());
        }
    }
}

/// A probe under way.
#[derive(Debug, Clone, Copy)]
struct Probe {
    order: u64,
    sent_at: Duration,
}

impl Probe {
    fn serves(&self, waiter: &Waiter) -> bool {
        match waiter.wanted {
            Wanted::LaterProbe => self.order > waiter.arrived,
            Wanted::SentSince(since) => self.sent_at >= since,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn pump() -> ReadPump {
        let bounds = ReadBounds::for_timings(&super::super::Timings::for_election_timeout(SECOND));
        ReadPump::new(bounds, Arc::new(crate::seam::SystemClock))
    }

    /// Answers when it is told to: of each probe, how to.
    #[derive(Default)]
    struct HeldQuorum(Mutex<Vec<oneshot::Sender<Result<u64, String>>>>);

    impl Prober for HeldQuorum {
        fn probe(&self, _patience: Duration) -> BoxFuture<'static, Result<u64, String>> {
            let (answer, answered) = oneshot::channel();
            self.0.lock().unwrap().push(answer);
            Box::pin(async { answered.await.unwrap_or_else(|_| Err("never".into())) })
        }
    }

    impl HeldQuorum {
        /// Waits for the probe that leaves as number `number`, from 1 on.
        async fn left(&self, number: usize) {
            while self.0.lock().unwrap().len() < number {
                tokio::time::sleep(Duration::from_micros(100)).await;
            }
        }

        /// The probe that left first comes back.
        fn comes_back(&self, index: u64) {
            self.0.lock().unwrap().remove(0).send(Ok(index)).unwrap();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_probe_that_left_before_the_reader_came_is_not_for_this_reader() {
        let (pump, quorum, stopping) = (pump(), Arc::new(HeldQuorum::default()), CancellationToken::new());
        tokio::spawn(pump.clone().run(quorum.clone(), stopping.clone()));
        let deadline = Instant::now() + SECOND;
        quorum.left(1).await;
        // What was acknowledged between the probe and the reader, the probe cannot know of.
        let mut reader = Box::pin(pump.index(deadline));
        assert!(futures::poll!(&mut reader).is_pending());
        quorum.left(2).await;
        quorum.comes_back(7);
        assert!(timeout(Duration::from_millis(20), &mut reader).await.is_err(), "served by an earlier probe");
        quorum.comes_back(9);
        assert_eq!(reader.await, Ok(9));
        stopping.cancel();
    }

    #[tokio::test(start_paused = true)]
    async fn one_probe_serves_every_reader_that_came_before_it_left() {
        let (pump, quorum, stopping) = (pump(), Arc::new(HeldQuorum::default()), CancellationToken::new());
        tokio::spawn(pump.clone().run(quorum.clone(), stopping.clone()));
        let deadline = Instant::now() + SECOND;
        quorum.left(1).await;
        quorum.comes_back(7);
        let mut readers: Vec<_> = (0..1000).map(|_| Box::pin(pump.index(deadline))).collect();
        for reader in &mut readers {
            assert!(futures::poll!(reader).is_pending());
        }
        quorum.left(1).await;
        quorum.comes_back(9);
        assert!(futures::future::join_all(readers).await.iter().all(|index| *index == Ok(9)));
        assert!(quorum.0.lock().unwrap().is_empty(), "one probe for a thousand readers");
        stopping.cancel();
    }

    /// What a slow quorum saw of the probes.
    #[derive(Default)]
    struct Seen {
        sent: AtomicUsize,
        under_way: AtomicUsize,
        most_under_way: AtomicUsize,
    }

    struct SlowQuorum(Arc<Seen>);

    impl Prober for SlowQuorum {
        fn probe(&self, _patience: Duration) -> BoxFuture<'static, Result<u64, String>> {
            let seen = Arc::clone(&self.0);
            Box::pin(async move {
                seen.sent.fetch_add(1, Ordering::Relaxed);
                seen.most_under_way.fetch_max(1 + seen.under_way.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(30)).await;
                seen.under_way.fetch_sub(1, Ordering::Relaxed);
                Ok(7)
            })
        }
    }

    #[tokio::test(start_paused = true)]
    async fn however_many_readers_come_few_probes_leave_and_at_most_four_are_under_way() {
        let pump = pump();
        let (seen, stopping) = (Arc::new(Seen::default()), CancellationToken::new());
        tokio::spawn(pump.clone().run(Arc::new(SlowQuorum(Arc::clone(&seen))), stopping.clone()));
        let readers = (0..1000).map(|number| {
            let pump = pump.clone();
            async move {
                // Ten each millisecond, so that hardly a probe covers all who wait.
                tokio::time::sleep(Duration::from_millis(number / 10)).await;
                assert_eq!(pump.index(Instant::now() + SECOND).await, Ok(7));
            }
        });
        futures::future::join_all(readers).await;
        stopping.cancel();
        assert_eq!(seen.most_under_way.load(Ordering::Relaxed), 4);
        // Four at a time of 30 ms each, over 130 ms.
        let sent = seen.sent.load(Ordering::Relaxed);
        assert!(sent <= 24, "{sent} probes for 1000 readers");
    }

    const SECOND: Duration = Duration::from_secs(1);
}
