//! One node: its connections, its calls under way, its pace and its standing.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use metrics::counter;
use parking_lot::Mutex;
use tokio::{sync::Notify, time::Instant};
use tonic::transport::{Channel, Endpoint};
use tracing::info;

use super::{
    ConnectionSettings,
    latency::Expected,
    standing::{Favour, Standing, Trouble},
};
use crate::{connector::ConnectService, limits, metric};

/// A node that calls can be sent to. Connections open at first use.
pub(crate) struct Node {
    address: Arc<str>,
    settings: ConnectionSettings,
    /// Empty until they are needed, and again after they are found dead.
    channels: Mutex<Vec<Channel>>,
    next: AtomicUsize,
    under_way: AtomicUsize,
    state: Mutex<State>,
    lost: Notify,
}

struct State {
    standing: Standing,
    pace: Option<Pace>,
    /// Its last word, whatever it was.
    heard_at: Option<Instant>,
    /// When a call last began there, or was given up without a word.
    asked_at: Option<Instant>,
}

/// How fast it answers reads, smoothed over its last answers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Pace {
    /// As a multiple of what the methods called take in the median over all nodes.
    pub ratio: f64,
    pub latency: Duration,
    at: Instant,
}

impl Pace {
    fn after(known: Option<Self>, latency: Duration, ratio: f64, now: Instant) -> Self {
        let Some(known) = known else { return Self { ratio, latency, at: now } };
        let mix = |old: f64, new: f64| old + (new - old) * limits::PACE_WEIGHT;
        Self {
            ratio: mix(known.ratio_at(now), ratio),
            latency: Duration::from_secs_f64(mix(known.latency.as_secs_f64(), latency.as_secs_f64())),
            at: now,
        }
    }

    /// What is not heard of for long may have mended: the ratio goes back to 1.
    pub fn ratio_at(&self, now: Instant) -> f64 {
        let age = now.duration_since(self.at).as_secs_f64() / limits::PACE_HALF_LIFE.as_secs_f64();
        1.0 + (self.ratio - 1.0) * (-age).exp2()
    }
}

impl Node {
    pub fn new(address: &str, settings: &ConnectionSettings) -> Self {
        Self {
            address: address.into(),
            settings: settings.clone(),
            channels: Mutex::default(),
            next: AtomicUsize::new(0),
            under_way: AtomicUsize::new(0),
            state: Mutex::new(State { standing: Standing::default(), pace: None, heard_at: None, asked_at: None }),
            lost: Notify::new(),
        }
    }

    pub fn address(&self) -> &str {
        &self.address
    }

    /// One of its connections, in turn.
    pub fn channel(&self) -> Channel {
        let mut channels = self.channels.lock();
        if channels.is_empty() {
            let count = self.settings.connections_per_node.clamp(1, limits::CONNECTIONS_PER_NODE_MAX);
            channels.extend((0..count).map(|_| self.open()));
        }
        channels[self.next.fetch_add(1, Ordering::Relaxed) % channels.len()].clone()
    }

    /// Further calls get new connections; those under way keep theirs to their end.
    pub fn renew_connections(&self) {
        self.channels.lock().clear();
    }

    fn open(&self) -> Channel {
        // The scheme says "no TLS by tonic": whatever security there is lies in the connector.
        let uri = format!("http://{}", self.address);
        let endpoint = Endpoint::from_shared(uri).unwrap_or_else(|_| {
            // Addresses out of a topology are not ours to choose; one that is no authority fails in its connector.
            Endpoint::from_static("http://invalid.invalid")
        });
        endpoint
            .initial_stream_window_size(limits::STREAM_WINDOW_BYTES)
            .initial_connection_window_size(limits::CONNECTION_WINDOW_BYTES)
            .http2_keep_alive_interval(limits::KEEPALIVE_INTERVAL)
            .keep_alive_timeout(limits::KEEPALIVE_TIMEOUT)
            .keep_alive_while_idle(true)
            .connect_with_connector_lazy(ConnectService {
                connector: self.settings.connector.clone(),
                address: self.address.clone(),
                timeout: self.settings.connect_timeout,
            })
    }

    /// Counts a call as under way until the guard goes.
    pub fn begin(self: &Arc<Self>) -> UnderWay {
        self.under_way.fetch_add(1, Ordering::Relaxed);
        self.state.lock().asked_at = Some(Instant::now());
        UnderWay { node: self.clone(), began: Instant::now(), answered: false, expected: None }
    }

    pub fn calls_under_way(&self) -> usize {
        self.under_way.load(Ordering::Relaxed)
    }

    pub fn favour(&self, now: Instant) -> Favour {
        self.state.lock().standing.favour(now)
    }

    pub fn is_reachable(&self, now: Instant) -> bool {
        self.state.lock().standing.is_reachable(now)
    }

    pub fn trouble(&self) -> Option<Trouble> {
        self.state.lock().standing.trouble()
    }

    pub fn pace(&self) -> Option<Pace> {
        self.state.lock().pace
    }

    pub fn begin_trial(&self, now: Instant) {
        self.state.lock().standing.begin_trial(now);
    }

    pub fn heard_at(&self) -> Option<Instant> {
        self.state.lock().heard_at
    }

    /// It has said nothing for `silence`, and a call waits for it or was given up waiting since its last word. (When the
    /// call began says nothing: others' answers may have come since, and nobody asks a node again that looks slow.)
    pub fn owes_a_word(&self, silence: Duration, now: Instant) -> bool {
        let waits = self.calls_under_way() > 0;
        let state = self.state.lock();
        let Some(heard) = state.heard_at else { return state.asked_at.is_some() };
        (waits || state.asked_at.is_some_and(|asked| asked > heard)) && now.duration_since(heard) >= silence
    }

    /// It said something (a refusal of the request is a word too).
    pub fn heard(&self) {
        self.change(|state, now| {
            state.heard_at = Some(now);
            state.standing.heard();
        });
    }

    /// It answered a read, or said that it would.
    pub fn serves(&self) {
        self.change(|state, now| {
            state.heard_at = Some(now);
            state.standing.serves();
        });
    }

    /// Its answers are no slower than others' any more.
    pub fn keeps_pace(&self) {
        self.change(|state, _| {
            if state.standing.trouble() == Some(Trouble::Slow) {
                state.standing.forgive();
            }
        });
    }

    /// Out of favour, at least for `at_least`.
    pub fn fall(&self, trouble: Trouble, at_least: Duration) {
        self.change(|state, now| {
            if state.standing.fall(trouble, at_least, now) {
                // Whoever tries it later judges it by what it does then.
                state.pace = None;
            }
        });
    }

    /// Its queues are full.
    pub fn rest(&self, time: Duration) {
        self.change(|state, now| state.standing.rest(now + time));
    }

    /// It says of itself that it serves no reads. True when this is news.
    pub fn serves_not(&self) -> bool {
        self.change(|state, now| {
            state.heard_at = Some(now);
            state.standing.heard();
            state.standing.found_in(Trouble::NotServing, now)
        })
    }

    /// A look at it, sent at `sent_at`, stayed without an answer. Counts unless something else was heard of it since. True
    /// when it falls out of favour now.
    pub fn missed(&self, sent_at: Instant) -> bool {
        let (fell, is_lost) = self.change(|state, now| {
            if state.heard_at.is_some_and(|heard| heard >= sent_at) {
                return (false, false);
            }
            (state.standing.found_in(Trouble::Unreachable, now), state.standing.missed())
        });
        if is_lost {
            info!(node = self.address(), "silent: what is under way there is given up");
            // A connection that lost its other end recovers late or never; the next word goes over a new one.
            self.renew_connections();
            self.lost.notify_waiters();
        }
        fell
    }

    /// Comes back when the node is given up for lost.
    pub async fn lost(&self) {
        self.lost.notified().await;
    }

    fn change<T>(&self, change: impl FnOnce(&mut State, Instant) -> T) -> T {
        let now = Instant::now();
        let mut state = self.state.lock();
        let before = state.standing.trouble();
        let result = change(&mut state, now);
        let after = state.standing.trouble();
        if before.is_some() && after.is_none() {
            // Calls that were given up meanwhile have left their time; what comes back is judged by what it does then.
            state.pace = None;
        }
        drop(state);
        if before != after {
            match after {
                Some(trouble) => {
                    counter!(metric::EJECTIONS, "node" => self.address.to_string(), "reason" => trouble.name())
                        .increment(1);
                    info!(node = self.address(), reason = trouble.name(), "out of favour");
                }
                None => info!(node = self.address(), "in favour again"),
            }
        }
        result
    }
}

/// A call under way at a node.
pub(crate) struct UnderWay {
    node: Arc<Node>,
    began: Instant,
    answered: bool,
    /// Set for calls whose time says something of the node's pace.
    expected: Option<Expected>,
}

impl UnderWay {
    /// Its time counts for the node's pace, also when nobody waits for it any more: a node whose calls are always won by
    /// a hedge would never be found slow.
    pub fn timed(mut self, expected: Option<Expected>) -> Self {
        self.expected = expected;
        self
    }

    /// The node refused, or failed at once: its time says nothing of its pace. Were it to count, a broken node would be the
    /// fastest of all, draw every call, and make those that work look slow.
    pub fn refused(mut self) {
        self.answered = true;
        self.expected = None;
    }

    /// The node answered; its latency.
    pub fn answered(mut self) -> Duration {
        self.answered = true;
        self.began.elapsed()
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.node.under_way.fetch_sub(1, Ordering::Relaxed);
        if !self.answered {
            self.node.state.lock().asked_at = Some(Instant::now());
        }
        let Some(expected) = self.expected else { return };
        let latency = self.began.elapsed();
        let ratio = latency.as_secs_f64() / expected.median.as_secs_f64().max(1e-6);
        // A call given up says only that it would have taken longer; one that hardly began, nothing.
        let ratio = match self.answered {
            true => ratio,
            false if latency > expected.hedge_after => ratio.max(limits::OVERTAKEN_RATIO),
            false => return,
        };
        self.node.change(|state, now| state.pace = Some(Pace::after(state.pace, latency, ratio, now)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connector::PlaintextLoopback;

    fn node() -> Arc<Node> {
        let settings = ConnectionSettings {
            connector: Arc::new(PlaintextLoopback::default()),
            connections_per_node: 1,
            connect_timeout: limits::CONNECT_TIMEOUT,
        };
        Arc::new(Node::new("127.0.0.1:1", &settings))
    }

    const EXPECTED: Expected = Expected { median: Duration::from_millis(10), hedge_after: Duration::from_millis(30) };

    #[tokio::test(start_paused = true)]
    async fn a_call_that_a_hedge_overtook_counts_for_the_pace_of_its_node() {
        let node = node();
        let overtaken = node.begin().timed(Some(EXPECTED));
        tokio::time::advance(Duration::from_millis(500)).await;
        assert_eq!(node.calls_under_way(), 1);
        drop(overtaken);
        assert_eq!(node.calls_under_way(), 0);
        assert!((node.pace().unwrap().ratio - 50.0).abs() < 0.1);

        let given_up_early = node.begin().timed(Some(EXPECTED));
        drop(given_up_early);
        assert!((node.pace().unwrap().ratio - 50.0).abs() < 0.1, "a call that hardly began says nothing");
    }

    #[tokio::test(start_paused = true)]
    async fn a_node_owes_a_word_to_a_call_that_waits_and_to_one_that_was_given_up() {
        let node = node();
        let silence = limits::LOOK_INTERVAL;
        let owes = |node: &Node| node.owes_a_word(silence, Instant::now());
        let waiting = node.begin();
        tokio::time::advance(Duration::from_millis(1)).await;
        // Another call's answer comes later than this one began; then nothing comes any more.
        node.heard();
        assert!(!owes(&node));
        tokio::time::advance(silence).await;
        assert!(owes(&node));
        drop(waiting);
        assert!(owes(&node), "a hedge was faster, and nobody asks the node again: silent it is all the same");
        node.heard();
        tokio::time::advance(silence).await;
        assert!(!owes(&node), "it has said a word since, and nothing waits for it");
        node.begin().answered();
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_pace_is_forgotten_with_time() {
        let node = node();
        let slow = node.begin().timed(Some(EXPECTED));
        tokio::time::advance(Duration::from_millis(90)).await;
        slow.answered();
        let pace = node.pace().unwrap();
        assert!((pace.ratio_at(Instant::now() + limits::PACE_HALF_LIFE) - 5.0).abs() < 0.1);
        assert!(pace.ratio_at(Instant::now() + limits::PACE_HALF_LIFE * 20) < 1.1);
    }

    #[tokio::test(start_paused = true)]
    async fn silence_puts_a_node_out_of_favour_and_then_gives_up_what_waits_for_it() {
        let node = node();
        let waiting = tokio::spawn({
            let node = node.clone();
            async move { node.lost().await }
        });
        tokio::task::yield_now().await;
        let sent_at = Instant::now();
        node.missed(sent_at);
        assert_eq!(node.trouble(), Some(Trouble::Unreachable));
        assert!(!waiting.is_finished());
        node.missed(sent_at);
        waiting.await.unwrap();
        node.heard();
        assert_eq!(node.trouble(), None);
        node.missed(sent_at);
        assert_eq!(node.trouble(), None, "it was heard after that look was sent");
    }
}
