//! Log entries to one peer: one long stream for the life of a connection, replies in the order of the requests.
//!
//! openraft opens and drops *sessions* of replication at will. Each session submits its requests here and awaits its
//! own replies, so a dropped session leaves nothing behind that could steal the next one's requests.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use alert_core::pb::{RaftFrame, raft_service_client::RaftServiceClient};
use bytes::Bytes;
use thiserror::Error;
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::{Instant, timeout_at},
};
use tokio_stream::wrappers::UnboundedReceiverStream;

use super::channel::Channel;

/// Why a request got no reply.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LinkError {
    /// The stream or its connection ended.
    #[error("the append stream ended: {0}")]
    Ended(String),
    /// Nothing came back for so long.
    #[error("no progress on the append stream for {0:?}")]
    NoProgress(Duration),
}

struct State {
    /// Replies that are owed, oldest first.
    owed: VecDeque<oneshot::Sender<Bytes>>,
    /// When the last reply came, or the first request of an idle stream left.
    progress_at: Instant,
    ended: Option<String>,
}

/// A handle on the append stream of one connection.
#[derive(Clone)]
pub struct AppendLink {
    frames: mpsc::UnboundedSender<RaftFrame>,
    state: Arc<Mutex<State>>,
    no_progress: Duration,
    /// Told when the stream must be given up.
    give_up: Arc<watch::Sender<bool>>,
    /// Closed when the stream is gone.
    alive: watch::Receiver<()>,
}

/// A reply that is owed.
pub struct Reply {
    receiver: oneshot::Receiver<Bytes>,
    link: AppendLink,
}

impl AppendLink {
    /// Opens the stream on a connection that has said hello.
    ///
    /// # Errors
    /// The peer refused it.
    pub async fn open(mut client: RaftServiceClient<Channel>, no_progress: Duration) -> Result<Self, tonic::Status> {
        let (frames, requests) = mpsc::unbounded_channel();
        let mut replies = client.append(UnboundedReceiverStream::new(requests)).await?.into_inner();
        let state = Arc::new(Mutex::new(State { owed: VecDeque::new(), progress_at: Instant::now(), ended: None }));
        let (life, alive) = watch::channel(());
        let give_up = Arc::new(watch::channel(false).0);
        let link = Self { frames, state: state.clone(), no_progress, give_up, alive };
        let mut given_up = link.give_up.subscribe();
        tokio::spawn(async move {
            let why = loop {
                let reply = tokio::select! {
                    biased;
                    _ = given_up.wait_for(|given_up| *given_up) => break "given up".to_owned(),
                    reply = replies.message() => reply,
                };
                match reply {
                    Ok(Some(frame)) => {
                        let mut state = state.lock().expect("held for these lines only");
                        state.progress_at = Instant::now();
                        let Some(owed) = state.owed.pop_front() else {
                            break "a reply that nobody asked for".to_owned();
                        };
                        // A session that has ended no longer waits.
                        let _ = owed.send(frame.payload);
                    }
                    Ok(None) => break "closed by the peer".to_owned(),
                    Err(status) => break status.message().to_owned(),
                }
            };
            let mut state = state.lock().expect("held for these lines only");
            state.ended = Some(why);
            // Their receivers see the end.
            state.owed.clear();
            drop(life);
        });
        Ok(link)
    }

    /// Puts a request on the stream. Requests leave in the order of these calls.
    pub fn submit(&self, payload: Bytes) -> Reply {
        let (sender, receiver) = oneshot::channel();
        let mut state = self.state.lock().expect("held for these lines only");
        if state.ended.is_none() {
            if state.owed.is_empty() {
                state.progress_at = Instant::now();
            }
            // Under the lock: the order of the queue is the order of the wire.
            if self.frames.send(RaftFrame { payload }).is_ok() {
                state.owed.push_back(sender);
            }
        }
        Reply { receiver, link: self.clone() }
    }

    /// Comes back when the stream is gone.
    pub async fn ended(&self) {
        let mut alive = self.alive.clone();
        while alive.changed().await.is_ok() {}
    }

    fn end(&self) -> String {
        let state = self.state.lock().expect("held for this line only");
        state.ended.clone().unwrap_or_else(|| "closed".to_owned())
    }
}

impl Reply {
    /// The reply, once the stream comes to it. Gives the stream up when nothing has come back on it for too long.
    ///
    /// # Errors
    /// See [`LinkError`].
    pub async fn wait(self) -> Result<Bytes, LinkError> {
        let Self { mut receiver, link } = self;
        loop {
            let patience = link.state.lock().expect("held for this line only").progress_at + link.no_progress;
            match timeout_at(patience, &mut receiver).await {
                Ok(Ok(reply)) => return Ok(reply),
                Ok(Err(_)) => return Err(LinkError::Ended(link.end())),
                Err(_) => {
                    let moved = link.state.lock().expect("held for this line only").progress_at + link.no_progress;
                    if moved <= Instant::now() {
                        link.give_up.send_replace(true);
                        return Err(LinkError::NoProgress(link.no_progress));
                    }
                }
            }
        }
    }
}
