//! One-way streams that go on from their last position on any node.

use std::{future::Future, sync::Arc, time::Duration};

use alert_proto::v1 as pb;
use futures::{Stream, stream::try_unfold};
use tokio::time::{Instant, sleep, timeout};
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

/// One kind of one-way stream.
pub(crate) trait Resume: Clone + Send + Sync + 'static {
    type Message: Send + 'static;

    /// A label of metrics.
    const NAME: &'static str;
    /// The longest silence of a stream that is well and has nothing to tell, whatever deadline the caller set; `None` where
    /// every silence is a delay.
    const SILENCE_MAX: Option<Duration>;
    /// The stream never ends by itself: an end is a lost connection.
    const IS_ENDLESS: bool;

    /// The request's context and read options were filled in before the stream began.
    fn open(self, channel: Channel) -> impl Future<Output = Result<Response<Streaming<Self::Message>>, Status>> + Send;
    /// Moves the request to behind `message`.
    fn advance(&mut self, message: &Self::Message);
    fn answer_context(message: &Self::Message) -> Option<&pb::AnswerContext>;
    /// Nothing comes after this message.
    fn is_last(_: &Self::Message) -> bool {
        false
    }
}

struct State<R: Resume> {
    client: AlertClient,
    request: R,
    connection: Option<(Arc<Node>, Streaming<R::Message>)>,
    tried: Vec<Arc<Node>>,
    failures: u32,
    is_over: bool,
}

/// The messages of the stream; ends after the last, or after one error.
pub(crate) fn start<R: Resume>(
    client: AlertClient,
    request: R,
) -> impl Stream<Item = Result<R::Message, Error>> + Send + 'static {
    let state = State { client, request, connection: None, tried: Vec::new(), failures: 0, is_over: false };
    try_unfold(state, |mut state| async move {
        if state.is_over {
            return Ok(None);
        }
        Ok(state.next().await?.map(|message| (message, state)))
    })
}

impl<R: Resume> State<R> {
    async fn next(&mut self) -> Result<Option<R::Message>, Error> {
        let stall = self.client.defaults().deadline.unwrap_or(limits::STREAM_STALL);
        let mut waiting_since = Instant::now();
        loop {
            let mut error = match self.step(stall).await {
                Ok(Some(message)) => {
                    self.failures = 0;
                    self.tried.clear();
                    self.request.advance(&message);
                    self.is_over = R::is_last(&message);
                    if let Some(answer) = R::answer_context(&message) {
                        self.client.session().note(answer);
                    }
                    return Ok(Some(message));
                }
                Ok(None) if !R::IS_ENDLESS => return Ok(None),
                Ok(None) => {
                    let mut error = Error::protocol("the node ended an endless stream");
                    error.retryable = true;
                    error
                }
                Err(error) => error,
            };
            error.maybe_applied = false;
            let was_open = self.connection.take();
            debug!(code = error.code, message = error.message, "stream lost");
            self.client.routing().refresh_soon();
            if let Some((node, _)) = was_open {
                if R::SILENCE_MAX.is_some() {
                    // While the connection was there the silence was no stall.
                    waiting_since = Instant::now();
                }
                error.node = Some(node.address().to_owned());
                note_lost(&node, &error, R::NAME, true);
                self.tried.push(node);
            }
            if !error.retryable {
                return Err(error);
            }
            if waiting_since.elapsed() >= stall {
                let mut stalled = Error::deadline(stall, Some(error));
                codes::STALLED.clone_into(&mut stalled.code);
                return Err(stalled);
            }
            sleep(backoff(self.client.routing().random(), self.failures).max(error.retry_after.unwrap_or_default()))
                .await;
            self.failures += 1;
            if self.tried.len() >= self.client.routing().node_count() {
                self.tried.clear();
            }
        }
    }

    /// Opens a connection when there is none, and waits for one message.
    async fn step(&mut self, stall: Duration) -> Result<Option<R::Message>, Error> {
        let patience = limits::STREAM_ATTEMPT_STALL.min(stall);
        if self.connection.is_none() {
            self.client.routing().check_cluster(stall).await?;
            let node = match &self.client.defaults().only_node {
                Some(address) => self.client.routing().node(address),
                None => self.client.routing().pick(&self.tried),
            };
            let failed = |mut error: Error| {
                note_lost(&node, &error, R::NAME, true);
                error.node = Some(node.address().to_owned());
                error
            };
            let opening = timeout(patience, self.request.clone().open(node.channel())).await;
            match opening {
                Ok(Ok(response)) => self.connection = Some((node.clone(), response.into_inner())),
                Ok(Err(status)) => {
                    let mut error = Error::from_status(&status);
                    if !error.retryable {
                        error.node = Some(node.address().to_owned());
                        return Err(error);
                    }
                    self.tried.push(node.clone());
                    return Err(failed(error));
                }
                Err(_) => {
                    self.tried.push(node.clone());
                    return Err(failed(Error::attempt_timeout(patience)));
                }
            }
        }
        let Some((node, messages)) = &mut self.connection else {
            return Err(Error::protocol("no connection after one was opened"));
        };
        let silence = R::SILENCE_MAX.unwrap_or(patience);
        tokio::select! {
            biased;
            received = messages.message() => received.map_err(|status| Error::from_status(&status)),
            () = node.lost() => Err(Error::node_lost()),
            () = sleep(silence) => Err(Error::attempt_timeout(silence)),
        }
    }
}
