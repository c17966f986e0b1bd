//! The proposal queue: commands of many callers become few log entries.
//!
//! The first few entries under way wait for nobody: with one caller that is one command at once. While they are under way
//! the next commands gather, until the entry is full, an entry comes back, or the oldest has waited for so long: what an
//! entry costs (two round trips through consensus on every node, an fsync, a batch) is shared by all commands in it,
//! and where the round trip is long, the time bound keeps several entries in flight.
//! Each command is encoded on its caller's task; an entry is their bytes one after the other.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};

use alert_core::{
    codec,
    limits::{ENTRY_BYTES_MAX, ENTRY_COMMANDS_MAX},
    state::command::{Answer, Proposal, Rejection},
};
use futures::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use openraft::{
    errors::ClientWriteError,
    raft::{ClientWriteResult, responder::ProgressResponder},
};
use tokio::{
    sync::{Notify, oneshot, watch},
    time::{Instant, sleep_until, timeout_at},
};
use tokio_util::sync::CancellationToken;

use super::{
    Consensus,
    leadership::ClusterView,
    options::ProposalBounds,
    types::{EncodedBatch, TypeConfig},
};
use crate::api::backend::{Deadline, Leadership, ProposeError};

/// Room in an entry for what stands before the proposals.
const ENTRY_HEAD_BYTES: usize = 32;
/// A leader without a fresh quorum refuses entries; so long until the next attempt.
const LEASE_RETRY: Duration = Duration::from_millis(2);
/// What a caller is told to wait when the queue is full.
const RETRY_AFTER: Duration = Duration::from_millis(50);

const QUEUED: u8 = 0;
const TAKEN: u8 = 1;
const GIVEN_UP: u8 = 2;

/// One command in the queue.
struct Waiting {
    encoded: Vec<u8>,
    /// Since when it waits.
    since: Instant,
    /// Who moves it out of `QUEUED` decides: the queue (taken) or its caller (given up).
    state: Arc<AtomicU8>,
    answer: oneshot::Sender<Result<Answer, ProposeError>>,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Waiting>,
    bytes: usize,
    stopped: bool,
}

impl Queue {
    fn fills_an_entry(&self) -> bool {
        self.waiting.len() >= ENTRY_COMMANDS_MAX || self.bytes >= ENTRY_BYTES_MAX
    }
}

/// Takes proposals. Clones share the queue.
#[derive(Clone)]
pub struct Proposer {
    queue: Arc<Mutex<Queue>>,
    wake: Arc<Notify>,
    bounds: ProposalBounds,
    cluster: Arc<ClusterView>,
    in_flight: Arc<watch::Sender<usize>>,
}

impl Proposer {
    /// An empty queue; [`Proposer::run`] serves it.
    pub fn new(bounds: ProposalBounds, cluster: Arc<ClusterView>) -> Self {
        Self { queue: Arc::default(), wake: Arc::default(), bounds, cluster, in_flight: Arc::new(watch::channel(0).0) }
    }

    /// Proposes one command and waits for its answer.
    ///
    /// # Errors
    /// See [`ProposeError`]: each says whether anything was proposed.
    pub async fn propose(&self, proposal: Proposal, deadline: Deadline) -> Result<Answer, ProposeError> {
        if let Some(hint) = self.cluster.hint() {
            return Err(ProposeError::NotLeader { hint: Some(hint) });
        }
        let mut encoded = Vec::new();
        codec::encode_into(&proposal, &mut encoded);
        if encoded.len() > ENTRY_BYTES_MAX - ENTRY_HEAD_BYTES {
            return Ok(Err(Rejection::LimitReached { what: "bytes of one change".into() }));
        }
        let (sender, mut receiver) = oneshot::channel();
        let state = Arc::new(AtomicU8::new(QUEUED));
        self.push(Waiting { encoded, since: Instant::now(), state: state.clone(), answer: sender })?;
        if let Ok(answered) = timeout_at(deadline, &mut receiver).await {
            // The queue ended with the command in an entry that was handed over.
            return answered.unwrap_or(Err(ProposeError::MaybeApplied));
        }
        if state.compare_exchange(QUEUED, GIVEN_UP, Ordering::SeqCst, Ordering::SeqCst).is_err() {
            return receiver.try_recv().unwrap_or(Err(ProposeError::MaybeApplied));
        }
        Err(match *self.cluster.leadership().borrow() {
            Leadership::Unknown => ProposeError::NoLeader,
            _ => ProposeError::DeadlineExceeded,
        })
    }

    /// Entries under way.
    pub fn in_flight(&self) -> watch::Receiver<usize> {
        self.in_flight.subscribe()
    }

    /// Commands that wait.
    pub fn queued(&self) -> usize {
        self.queue.lock().expect("held for this line only").waiting.len()
    }

    fn push(&self, waiting: Waiting) -> Result<(), ProposeError> {
        let mut queue = self.queue.lock().expect("held in this function only");
        if queue.stopped {
            return Err(ProposeError::Stopped);
        }
        let full = queue.waiting.len() >= self.bounds.queue_commands
            || (queue.bytes + waiting.encoded.len() > self.bounds.queue_bytes && !queue.waiting.is_empty());
        if full {
            return Err(ProposeError::Overloaded { retry_after: RETRY_AFTER });
        }
        let was_full = queue.fills_an_entry();
        queue.bytes += waiting.encoded.len();
        queue.waiting.push_back(waiting);
        // In between the queue's own timer is set already: waking it for every command would cost more than the command.
        if queue.waiting.len() == 1 || queue.fills_an_entry() && !was_full {
            self.wake.notify_one();
        }
        Ok(())
    }

    /// When the next entry is due, with so many under way; `None` while nothing waits or no more may be under way.
    fn due_at(&self, under_way: usize) -> Option<Instant> {
        if under_way >= self.bounds.entries_in_flight {
            return None;
        }
        let queue = self.queue.lock().expect("held in this function only");
        let oldest = queue.waiting.front()?;
        let waits = under_way >= self.bounds.entries_overlapping && !queue.fills_an_entry();
        Some(if waits { oldest.since + self.bounds.gather_max } else { oldest.since })
    }

    /// The next entry's commands; those whose caller has gone are dropped.
    fn gather(&self) -> Vec<Waiting> {
        let mut queue = self.queue.lock().expect("held in this function only");
        let mut taken: Vec<Waiting> = Vec::new();
        let mut bytes = ENTRY_HEAD_BYTES;
        while let Some(next) = queue.waiting.front() {
            if taken.len() == ENTRY_COMMANDS_MAX || bytes + next.encoded.len() > ENTRY_BYTES_MAX {
                break;
            }
            let Some(next) = queue.waiting.pop_front() else { break };
            queue.bytes -= next.encoded.len();
            let gone = next.answer.is_closed();
            if gone || next.state.compare_exchange(QUEUED, TAKEN, Ordering::SeqCst, Ordering::SeqCst).is_err() {
                continue;
            }
            bytes += next.encoded.len();
            taken.push(next);
        }
        taken
    }

    /// Commands that were surely not appended go back to the front.
    fn put_back(&self, commands: Vec<Waiting>) {
        let mut queue = self.queue.lock().expect("held in this function only");
        for command in commands.into_iter().rev() {
            command.state.store(QUEUED, Ordering::SeqCst);
            queue.bytes += command.encoded.len();
            queue.waiting.push_front(command);
        }
    }

    fn answer_all(&self, error: &ProposeError) {
        for command in self.gather_all() {
            // A caller that has gone needs no answer.
            let _ = command.answer.send(Err(error.clone()));
        }
    }

    fn gather_all(&self) -> Vec<Waiting> {
        let mut queue = self.queue.lock().expect("held in this function only");
        queue.bytes = 0;
        queue.waiting.drain(..).collect()
    }

    /// Serves the queue until `raft` ends, or until `stopping`.
    pub async fn run(self, raft: Consensus, stopping: CancellationToken) {
        let mut leadership = self.cluster.leadership();
        let mut under_way: FuturesUnordered<BoxFuture<'static, Outcome>> = FuturesUnordered::new();
        let mut not_before = Instant::now();
        loop {
            let mut due = None;
            let now = leadership.borrow_and_update().clone();
            match now {
                Leadership::Other(hint) => self.answer_all(&ProposeError::NotLeader { hint: Some(hint) }),
                Leadership::Unknown => {}
                Leadership::Me { .. } => loop {
                    due = self.due_at(under_way.len()).map(|due| due.max(not_before));
                    if due.is_none_or(|due| due > Instant::now()) {
                        break;
                    }
                    let commands = self.gather();
                    if commands.is_empty() {
                        break;
                    }
                    let Some(outcome) = self.hand_over(&raft, commands).await else { return self.stop() };
                    under_way.push(outcome);
                    self.in_flight.send_replace(under_way.len());
                },
            }
            tokio::select! {
                biased;
                Some(outcome) = under_way.next(), if !under_way.is_empty() => {
                    self.in_flight.send_replace(under_way.len());
                    if let Some(refused) = settle(outcome) {
                        self.put_back(refused);
                        not_before = Instant::now() + LEASE_RETRY;
                    }
                }
                changed = leadership.changed() => if changed.is_err() { return self.stop() },
                () = stopping.cancelled() => return self.stop(),
                () = self.wake.notified() => {}
                () = sleep_until(due.unwrap_or(not_before)), if due.is_some() => {}
            }
        }
    }

    fn stop(&self) {
        self.queue.lock().expect("held for this line only").stopped = true;
        self.answer_all(&ProposeError::Stopped);
    }

    /// Gives an entry to consensus; `None` when that has stopped.
    async fn hand_over(&self, raft: &Consensus, commands: Vec<Waiting>) -> Option<BoxFuture<'static, Outcome>> {
        let parts = commands.iter().map(|command| command.encoded.as_slice());
        let entry = EncodedBatch(encode_batch(self.cluster.median_time_ms(), commands.len(), parts).into());
        let (responder, answered) = ProgressResponder::<TypeConfig, ClientWriteResult<TypeConfig>>::complete_only();
        if raft.client_write_ff(entry, Some(responder)).await.is_err() {
            for command in commands {
                let _ = command.answer.send(Err(ProposeError::Stopped));
            }
            return None;
        }
        Some(Box::pin(async move { (commands, answered.await.ok()) }))
    }
}

type Outcome = (Vec<Waiting>, Option<ClientWriteResult<TypeConfig>>);

/// Answers the callers; gives back commands that were surely not appended.
fn settle((commands, outcome): Outcome) -> Option<Vec<Waiting>> {
    match outcome {
        Some(Ok(written)) => {
            let answers = written.data.answers;
            assert_eq!(answers.len(), commands.len(), "apply answers every command of an entry");
            for (command, answer) in commands.into_iter().zip(answers) {
                // A caller that has gone needs no answer.
                let _ = command.answer.send(Ok(answer));
            }
            None
        }
        Some(Err(ClientWriteError::ForwardToLeader(_))) => Some(commands),
        // Discarded after it was appended, or consensus ended meanwhile: another leader may have committed it.
        Some(Err(_)) | None => {
            for command in commands {
                let _ = command.answer.send(Err(ProposeError::MaybeApplied));
            }
            None
        }
    }
}

/// The bytes of `codec::encode(&Batch { proposed_at_ms, proposals })`, from proposals that are encoded already.
fn encode_batch<'a>(proposed_at_ms: u64, count: usize, proposals: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut bytes = codec::encode(&(proposed_at_ms, count as u64));
    proposals.for_each(|proposal| bytes.extend_from_slice(proposal));
    bytes
}

#[cfg(test)]
mod tests {
    use alert_core::{
        alert::{AlertId, Caller, Role},
        state::command::{Batch, Command, RequestKey},
    };

    use super::*;
    use crate::{
        raft::{clocks::VoterClocks, types::StoredMembership},
        seam::SystemClock,
    };

    #[tokio::test(start_paused = true)]
    async fn few_entries_leave_at_once_and_the_next_gathers_until_it_is_full_or_has_waited() {
        let bounds = ProposalBounds::default();
        let clocks = Arc::new(VoterClocks::new(Arc::new(SystemClock)));
        let proposer = Proposer::new(bounds, ClusterView::new(1, clocks, StoredMembership::default()));
        // A caller that has gone is left out.
        let mut callers = Vec::new();
        let mut push = || {
            let (answer, caller) = oneshot::channel();
            callers.push(caller);
            let waiting = Waiting { encoded: vec![1], since: Instant::now(), state: Arc::default(), answer };
            proposer.push(waiting).unwrap();
        };
        assert_eq!(proposer.due_at(0), None);
        let now = Instant::now();
        push();
        assert_eq!(proposer.due_at(bounds.entries_overlapping - 1), Some(now));
        assert_eq!(proposer.due_at(bounds.entries_overlapping), Some(now + bounds.gather_max));
        assert_eq!(proposer.due_at(bounds.entries_in_flight), None);
        (1..ENTRY_COMMANDS_MAX).for_each(|_| push());
        assert_eq!(proposer.due_at(bounds.entries_overlapping), Some(now));
        (0..44).for_each(|_| push());
        let entries = [proposer.gather(), proposer.gather(), proposer.gather()];
        assert_eq!(entries.map(|commands| commands.len()), [ENTRY_COMMANDS_MAX, 44, 0]);
    }

    #[test]
    fn an_entry_joined_from_encoded_proposals_is_an_encoded_batch() {
        let caller =
            Caller { country: "GB".into(), authority: "NCA".into(), system: "case".into(), role: Role::Bureau };
        let request = RequestKey { session: [7; 16], sequence: 300, content_hash: [9; 16] };
        let create = Command::Create { id: AlertId::from_bytes([1; 16]), alert: vec![5; 70_000], as_draft: true };
        let proposals = [
            Proposal { caller: Some(caller), request: Some(request), rules_revision: 70_000, command: create },
            Proposal { caller: None, request: None, rules_revision: 0, command: Command::Due },
        ];
        for count in [0, 1, 2, 256] {
            let batch = Batch {
                proposed_at_ms: 1_790_000_000_000,
                proposals: proposals.iter().cycle().take(count).cloned().collect(),
            };
            let parts: Vec<Vec<u8>> = batch
                .proposals
                .iter()
                .map(|proposal| {
                    let mut bytes = Vec::new();
                    codec::encode_into(proposal, &mut bytes);
                    bytes
                })
                .collect();
            let joined = encode_batch(batch.proposed_at_ms, count, parts.iter().map(Vec::as_slice));
            assert_eq!(joined, codec::encode(&batch));
        }
    }
}
