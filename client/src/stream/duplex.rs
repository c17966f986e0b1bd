//! Two-way streams of keyed items: each is answered once, whatever happens to the connection.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use alert_proto::v1 as pb;
use futures::{Stream, StreamExt};
use tokio::{
    sync::mpsc,
    task::JoinHandle,
    time::{Instant, sleep, sleep_until},
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Response, Status, Streaming, transport::Channel};
use tracing::debug;

use crate::{
    AlertClient,
    call::backoff,
    error::{Error, codes},
    limits,
    routing::Node,
    stream::note_lost,
};

/// Messages on their way into a connection; what waits behind them is in the window.
const MESSAGES_QUEUED: usize = 2;

/// How long items wait for others to share a message with, while the node has something to do. One at a time, each would
/// cost a message of its own.
const GATHER: Duration = Duration::from_millis(2);

/// One kind of two-way stream.
pub(crate) trait Duplex: Send + Sync + 'static {
    type Item: Clone + Send + Sync + 'static;
    type Key: Ord + Clone + fmt::Display + Send + Sync + 'static;
    type Outcome: Send + 'static;
    type Request: Send + 'static;
    type Response: Send + 'static;

    /// A label of metrics.
    const NAME: &'static str;
    /// Whether it goes to the leader.
    const TO_LEADER: bool;
    /// Items sent and unanswered, at most.
    const WINDOW: usize;
    /// Items of one message, at most.
    const MESSAGE_ITEMS: usize;
    /// Bytes of one message after which it is sent.
    const MESSAGE_BYTES: usize;

    fn key(item: &Self::Item) -> Self::Key;
    fn bytes(item: &Self::Item) -> usize;
    /// The first message of a connection carries the context.
    fn message(&self, is_first: bool, items: Vec<Self::Item>) -> Self::Request;
    fn answers(response: Self::Response) -> Answered<Self::Key, Self::Outcome>;
    fn open(
        channel: Channel,
        requests: ReceiverStream<Self::Request>,
    ) -> impl Future<Output = Result<Response<Streaming<Self::Response>>, Status>> + Send;
}

/// What one message of answers holds.
pub(crate) struct Answered<K, T> {
    pub context: Option<pb::AnswerContext>,
    pub outcomes: Vec<(K, T)>,
}

/// The answers of a two-way stream, in any order. Ends after the last answer, or after one error. Dropping it ends the
/// call; items that were sent may still take effect.
pub struct Answers<T> {
    receiver: mpsc::Receiver<Result<T, Error>>,
    task: JoinHandle<()>,
}

impl<T> Stream for Answers<T> {
    type Item = Result<T, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.receiver.poll_recv(context)
    }
}

impl<T> Answers<T> {
    /// The next answer; `None` after the last.
    pub async fn next(&mut self) -> Option<Result<T, Error>> {
        self.receiver.recv().await
    }
}

impl<T> Drop for Answers<T> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Starts a stream of `kind` over the items of `source`, which is read only as fast as answers come.
pub(crate) fn start<D: Duplex>(
    client: AlertClient,
    kind: D,
    source: impl Stream<Item = D::Item> + Send + 'static,
) -> Answers<D::Outcome> {
    let (sender, receiver) = mpsc::channel(D::MESSAGE_ITEMS);
    let driver = Driver { client, kind, window: Window::default(), source: Some(Box::pin(source)), out: sender };
    Answers { receiver, task: tokio::spawn(driver.run()) }
}

type Source<T> = Pin<Box<dyn Stream<Item = T> + Send>>;

/// What is sent, or about to be, and unanswered.
struct Window<D: Duplex> {
    items: BTreeMap<u64, D::Item>,
    places: BTreeMap<D::Key, u64>,
    last: u64,
}

impl<D: Duplex> Default for Window<D> {
    fn default() -> Self {
        Self { items: BTreeMap::new(), places: BTreeMap::new(), last: 0 }
    }
}

impl<D: Duplex> Window<D> {
    /// Its place; `None` when an unanswered item has the same key.
    fn add(&mut self, item: D::Item) -> Option<u64> {
        let key = D::key(&item);
        if self.places.contains_key(&key) {
            return None;
        }
        self.last += 1;
        self.places.insert(key, self.last);
        self.items.insert(self.last, item);
        Some(self.last)
    }

    /// True when the item was waiting for its answer.
    fn answered(&mut self, key: &D::Key) -> bool {
        self.places.remove(key).is_some_and(|place| self.items.remove(&place).is_some())
    }
}

struct Driver<D: Duplex> {
    client: AlertClient,
    kind: D,
    window: Window<D>,
    /// `None` when all of it has been read.
    source: Option<Source<D::Item>>,
    out: mpsc::Sender<Result<D::Outcome, Error>>,
}

/// How a connection ended.
enum End {
    /// Every item has its answer.
    Done,
    /// Nobody waits for answers any more, or the last word has been said.
    Stop,
    Lost(Error),
}

impl<D: Duplex> Driver<D> {
    async fn run(mut self) {
        let mut moved_at = Instant::now();
        let mut failures = 0;
        let mut attempts = 0;
        let mut tried: Vec<Arc<Node>> = Vec::new();
        loop {
            // No connection before there is something to send.
            if self.window.items.is_empty() {
                match self.take().await {
                    Taken::Item(_) => moved_at = Instant::now(),
                    Taken::End => return,
                    Taken::Double(error) => return self.say(Err(error)).await,
                }
            }
            if let Err(error) = self.client.routing().check_cluster(self.stall()).await {
                return self.say(Err(error)).await;
            }
            if D::TO_LEADER {
                self.client.routing().first_look(limits::TOPOLOGY_FIRST_WAIT).await;
            }
            let node = self.choose(&tried);
            attempts += 1;
            let before = moved_at;
            let mut error = match self.connection(&node, &mut moved_at).await {
                End::Done => continue,
                End::Stop => return,
                End::Lost(error) => error,
            };
            if moved_at > before {
                failures = 0;
                tried.clear();
            }
            error.node = Some(node.address().to_owned());
            error.attempts = attempts;
            debug!(node = node.address(), code = error.code, message = error.message, "stream lost");
            if let Some(hint) = &error.leader {
                self.client.routing().follow(hint);
            }
            note_lost(&node, &error, D::NAME, !D::TO_LEADER);
            self.client.routing().refresh_soon();
            if !error.retryable {
                return self.say(Err(error)).await;
            }
            if moved_at.elapsed() >= self.stall() {
                let mut stalled = Error::deadline(self.stall(), Some(error));
                codes::STALLED.clone_into(&mut stalled.code);
                stalled.maybe_applied = D::TO_LEADER;
                return self.say(Err(stalled)).await;
            }
            sleep(backoff(self.client.routing().random(), failures).max(error.retry_after.unwrap_or_default())).await;
            failures += 1;
            tried.push(node);
            if tried.len() >= self.client.routing().node_count() {
                tried.clear();
            }
        }
    }

    /// The whole stream gives up when nothing moves for this long.
    fn stall(&self) -> Duration {
        self.client.defaults().deadline.unwrap_or(limits::STREAM_STALL)
    }

    fn choose(&self, tried: &[Arc<Node>]) -> Arc<Node> {
        let routing = self.client.routing();
        match &self.client.defaults().only_node {
            Some(address) => routing.node(address),
            None if D::TO_LEADER => routing.leader().unwrap_or_else(|| routing.pick(tried)),
            None => routing.pick(tried),
        }
    }

    /// Reads one item from the source into the window.
    async fn take(&mut self) -> Taken {
        let Some(source) = &mut self.source else { return Taken::End };
        let item = source.next().await;
        self.keep(item)
    }

    fn keep(&mut self, item: Option<D::Item>) -> Taken {
        let Some(item) = item else {
            self.source = None;
            return Taken::End;
        };
        let key = D::key(&item);
        match self.window.add(item) {
            Some(place) => Taken::Item(place),
            None => Taken::Double(Error::local(codes::REQUEST, format!("two items under way have the key {key}"))),
        }
    }

    async fn say(&mut self, word: Result<D::Outcome, Error>) {
        // Whoever does not listen any more needs no answer.
        let _ = self.out.send(word).await;
    }

    async fn connection(&mut self, node: &Node, moved_at: &mut Instant) -> End {
        let (sender, receiver) = mpsc::channel(MESSAGES_QUEUED);
        let mut sender = Some(sender);
        let mut opening = Box::pin(D::open(node.channel(), ReceiverStream::new(receiver)));
        let mut answers: Option<Streaming<D::Response>> = None;
        let mut to_send: VecDeque<u64> = self.window.items.keys().copied().collect();
        let mut is_first = true;
        let mut silent_since = Instant::now();
        let mut gather_until = silent_since;
        loop {
            if self.source.is_none() && to_send.is_empty() {
                // Half-closed: the node answers what it has and ends the stream.
                sender = None;
                if self.window.items.is_empty() {
                    return End::Done;
                }
            }
            let has_room = self.window.items.len() < D::WINDOW && to_send.len() < D::MESSAGE_ITEMS;
            let may_gather = has_room && self.source.is_some() && self.window.items.len() > to_send.len();
            let gathers = may_gather && Instant::now() < gather_until;
            let patience = limits::STREAM_ATTEMPT_STALL.min(self.stall());
            tokio::select! {
                biased;
                opened = &mut opening, if answers.is_none() => match opened {
                    Ok(response) => answers = Some(response.into_inner()),
                    Err(status) => return End::Lost(Error::from_status(&status)),
                },
                response = next(&mut answers), if answers.is_some() => match response {
                    Ok(Some(response)) => {
                        node.heard();
                        let Answered { context, outcomes } = D::answers(response);
                        if let Some(context) = &context {
                            self.client.session().note(context);
                        }
                        let mut has_moved = false;
                        for (key, outcome) in outcomes {
                            if self.window.answered(&key) {
                                has_moved = true;
                                if self.out.send(Ok(outcome)).await.is_err() {
                                    return End::Stop;
                                }
                            }
                        }
                        // The listener may have been slow: its time is not the node's.
                        silent_since = Instant::now();
                        if has_moved {
                            *moved_at = silent_since;
                        }
                    }
                    Ok(None) if self.window.items.is_empty() && self.source.is_none() => return End::Done,
                    Ok(None) => {
                        let missing = self.window.items.len();
                        let mut error = Error::protocol(format!("the node ended the stream with {missing} items unanswered"));
                        error.retryable = true;
                        return End::Lost(error);
                    }
                    Err(status) => return End::Lost(Error::from_status(&status)),
                },
                item = read(&mut self.source), if has_room && self.source.is_some() => match self.keep(item) {
                    Taken::Item(place) => {
                        if self.window.items.len() == 1 {
                            silent_since = Instant::now();
                            *moved_at = silent_since;
                        }
                        if to_send.is_empty() {
                            gather_until = Instant::now() + GATHER;
                        }
                        to_send.push_back(place);
                    }
                    Taken::End => {}
                    Taken::Double(error) => {
                        self.say(Err(error)).await;
                        return End::Stop;
                    }
                },
                permit = reserve(&sender), if !to_send.is_empty() && !gathers => {
                    let Ok(permit) = permit else {
                        // The connection is gone; its error comes from the other side.
                        to_send.clear();
                        continue;
                    };
                    let items = self.next_message(&mut to_send);
                    permit.send(self.kind.message(is_first, items));
                    is_first = false;
                }
                () = sleep_until(gather_until), if gathers && !to_send.is_empty() => {}
                () = sleep_until(silent_since + patience), if !self.window.items.is_empty() => {
                    return End::Lost(Error::attempt_timeout(patience));
                }
                () = node.lost() => return End::Lost(Error::node_lost()),
                () = self.out.closed() => return End::Stop,
            }
        }
    }

    /// Takes as many items off `to_send` as one message holds, at least one.
    fn next_message(&self, to_send: &mut VecDeque<u64>) -> Vec<D::Item> {
        let mut items = Vec::new();
        let mut bytes = 0;
        while items.len() < D::MESSAGE_ITEMS && (items.is_empty() || bytes < D::MESSAGE_BYTES) {
            let Some(place) = to_send.pop_front() else { break };
            if let Some(item) = self.window.items.get(&place) {
                bytes += D::bytes(item);
                items.push(item.clone());
            }
        }
        items
    }
}

enum Taken {
    Item(u64),
    End,
    Double(Error),
}

async fn next<T>(answers: &mut Option<Streaming<T>>) -> Result<Option<T>, Status> {
    match answers {
        Some(answers) => answers.message().await,
        None => std::future::pending().await,
    }
}

async fn read<T>(source: &mut Option<Source<T>>) -> Option<T> {
    match source {
        Some(source) => source.next().await,
        None => None,
    }
}

async fn reserve<T>(sender: &Option<mpsc::Sender<T>>) -> Result<mpsc::Permit<'_, T>, mpsc::error::SendError<()>> {
    match sender {
        Some(sender) => sender.reserve().await,
        None => std::future::pending().await,
    }
}
