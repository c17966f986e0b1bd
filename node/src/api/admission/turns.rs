//! Work on threads: a few pieces at a time, and of those that wait the next is another caller's. Work whose caller has
//! gone is skipped; when too much waits, the caller with the most waiting loses its latest.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use parking_lot::Mutex;
use tokio::{sync::oneshot, time::timeout_at};

use super::{CallerKey, Class, overloaded};
use crate::{
    api::{
        backend::Deadline,
        errors::{ApiError, ApiResult, ErrorCode},
    },
    ops::metric,
};

struct State {
    free: usize,
    waiting: usize,
    queues: BTreeMap<CallerKey, VecDeque<oneshot::Sender<Turn>>>,
    /// Callers in the order of their turns; each that has a queue, once.
    order: VecDeque<CallerKey>,
    /// How long a piece of work takes, smoothed, in seconds.
    work_s: f64,
}

/// The turns of one class.
#[derive(Clone)]
pub(in crate::api) struct Turns {
    class: Class,
    threads: usize,
    waiting_max: usize,
    state: Arc<Mutex<State>>,
}

/// A thread's worth of work, until it is dropped.
pub(in crate::api) struct Turn {
    turns: Turns,
    since: Deadline,
}

impl Turns {
    pub fn new(class: Class, threads: usize, waiting_max: usize) -> Self {
        let threads = threads.max(1);
        let state = State { free: threads, waiting: 0, queues: BTreeMap::new(), order: VecDeque::new(), work_s: 0.0 };
        Self { class, threads, waiting_max, state: Arc::new(Mutex::new(state)) }
    }

    /// Waits for a turn.
    ///
    /// # Errors
    /// `OVERLOADED`, `DEADLINE_EXCEEDED`.
    pub async fn wait(&self, caller: CallerKey, deadline: Deadline) -> ApiResult<Turn> {
        let receiver = {
            let mut state = self.state.lock();
            if state.free > 0 {
                state.free -= 1;
                return Ok(self.turn());
            }
            if state.waiting >= self.waiting_max && !state.make_room(caller) {
                let wait = state.work_s * state.waiting as f64 / self.threads as f64;
                drop(state);
                return Err(overloaded(self.class, Duration::from_secs_f64(wait)));
            }
            let (sender, receiver) = oneshot::channel();
            state.push(caller, sender);
            self.show(&state);
            receiver
        };
        match timeout_at(deadline, receiver).await {
            Ok(Ok(turn)) => Ok(turn),
            Ok(Err(_)) => {
                let wait = self.state.lock().work_s;
                Err(overloaded(self.class, Duration::from_secs_f64(wait)))
            }
            Err(_) => Err(ApiError::plain(ErrorCode::DeadlineExceeded)),
        }
    }

    fn turn(&self) -> Turn {
        Turn { turns: self.clone(), since: Deadline::now() }
    }

    fn show(&self, state: &State) {
        metrics::gauge!(metric::WORK_WAITING, "class" => self.class.name()).set(state.waiting as f64);
    }

    fn give_back(&self, worked: Duration) {
        let mut next = {
            let mut state = self.state.lock();
            state.work_s += (worked.as_secs_f64() - state.work_s) / 16.0;
            let next = state.pop();
            if next.is_none() {
                state.free += 1;
            }
            self.show(&state);
            next
        };
        // One that has gone meanwhile gives its turn back by itself.
        if let Some(sender) = next.take() {
            drop(sender.send(self.turn()));
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.turns.give_back(self.since.elapsed());
    }
}

impl State {
    fn push(&mut self, caller: CallerKey, sender: oneshot::Sender<Turn>) {
        let queue = self.queues.entry(caller).or_default();
        if queue.is_empty() {
            self.order.push_back(caller);
        }
        queue.push_back(sender);
        self.waiting += 1;
    }

    /// The next that still waits: of the caller whose turn it is.
    fn pop(&mut self) -> Option<oneshot::Sender<Turn>> {
        while let Some(caller) = self.order.pop_front() {
            let queue = self.queues.get_mut(&caller).expect("a caller in the order has a queue");
            let next = queue.pop_front().expect("a caller in the order has work that waits");
            self.waiting -= 1;
            if queue.is_empty() {
                self.queues.remove(&caller);
            } else {
                self.order.push_back(caller);
            }
            if !next.is_closed() {
                return Some(next);
            }
        }
        None
    }

    /// Drops one that waits, of the caller with the most, unless that is the newcomer.
    fn make_room(&mut self, newcomer: CallerKey) -> bool {
        self.forget_gone();
        let own = self.queues.get(&newcomer).map_or(0, VecDeque::len);
        let longest =
            self.queues.iter().max_by_key(|(_, queue)| queue.len()).map(|(caller, queue)| (*caller, queue.len()));
        match longest {
            None => true,
            Some((_, length)) if length <= own + 1 => false,
            Some((caller, _)) => {
                let queue = self.queues.get_mut(&caller).expect("the longest queue was just found");
                drop(queue.pop_back());
                self.waiting -= 1;
                true
            }
        }
    }

    fn forget_gone(&mut self) {
        for queue in self.queues.values_mut() {
            let before = queue.len();
            queue.retain(|sender| !sender.is_closed());
            self.waiting -= before - queue.len();
        }
        self.queues.retain(|_, queue| !queue.is_empty());
        let queues = &self.queues;
        self.order.retain(|caller| queues.contains_key(caller));
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    fn soon() -> Deadline {
        Deadline::now() + Duration::from_secs(5)
    }

    #[tokio::test(start_paused = true)]
    async fn the_next_turn_is_another_callers() {
        let turns = Turns::new(Class::Search, 1, 100);
        let at_work = turns.wait(CallerKey(1), soon()).await.unwrap();
        let order = Arc::new(Mutex::new(Vec::new()));
        let mut waiting = Vec::new();
        // Three of one caller were there first, and one of another came last.
        for (caller, name) in [(1, "1a"), (1, "1b"), (1, "1c"), (2, "2a")] {
            let (turns, order) = (turns.clone(), order.clone());
            let mut turn = Box::pin(async move {
                let turn = turns.wait(CallerKey(caller), soon()).await.unwrap();
                order.lock().push(name);
                tokio::task::yield_now().await;
                drop(turn);
            });
            assert!(turn.as_mut().now_or_never().is_none());
            waiting.push(turn);
        }
        drop(at_work);
        futures::future::join_all(waiting).await;
        assert_eq!(*order.lock(), ["1a", "2a", "1b", "1c"]);
        assert_eq!(turns.state.lock().free, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn work_whose_caller_has_gone_is_never_begun() {
        let turns = Turns::new(Class::Batch, 1, 100);
        let at_work = turns.wait(CallerKey(1), soon()).await.unwrap();
        let gone = async { turns.wait(CallerKey(1), soon()).await };
        assert!(tokio::time::timeout(Duration::from_millis(10), gone).await.is_err());
        let late = turns.wait(CallerKey(2), Deadline::now() + Duration::from_millis(10)).await;
        assert_eq!(late.err().unwrap().code, ErrorCode::DeadlineExceeded);
        drop(at_work);
        let state = turns.state.lock();
        assert_eq!((state.free, state.waiting), (1, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn when_too_much_waits_the_one_with_the_most_loses_its_latest() {
        let turns = Turns::new(Class::Search, 1, 3);
        let at_work = turns.wait(CallerKey(1), soon()).await.unwrap();
        let mut greedy: Vec<_> = (0..3).map(|_| Box::pin(turns.wait(CallerKey(1), soon()))).collect();
        for waiting in &mut greedy {
            assert!(waiting.as_mut().now_or_never().is_none());
        }
        let refused = turns.wait(CallerKey(1), soon()).await.err().unwrap();
        assert_eq!(refused.code, ErrorCode::Overloaded);
        let mut modest = Box::pin(turns.wait(CallerKey(2), soon()));
        assert!(modest.as_mut().now_or_never().is_none());
        let displaced = greedy.pop().unwrap().await.err().unwrap();
        assert_eq!(displaced.code, ErrorCode::Overloaded);
        assert!(displaced.retry_after.is_some());
        drop(at_work);
        let (first, second) = (greedy.remove(0).await.unwrap(), modest);
        drop(first);
        drop(second.await.unwrap());
        drop(greedy);
        assert_eq!(turns.state.lock().free, 1);
    }
}
