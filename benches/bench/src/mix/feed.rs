//! Writes while copies follow the feed: how long after its acknowledgement a follower of the feed has a change.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use alert_client::AlertClient;
use alert_cluster_config::identity::roles;
use alert_proto::v1 as pb;
use futures::{StreamExt, future::BoxFuture};
use tokio::{sync::oneshot, task::JoinHandle};

use crate::{
    load::{Done, Work},
    target::{Records, Target},
};

/// Who waits for an alert to come by, by its id; or that it came before anybody waited.
type Board = Arc<Mutex<HashMap<String, Seen>>>;

enum Seen {
    Wanted(oneshot::Sender<()>),
    Already,
}

/// See the module.
pub struct Feed {
    clients: Vec<AlertClient>,
    records: Records,
    run: String,
    board: Board,
    watcher: JoinHandle<()>,
}

impl Feed {
    /// Over `connections` clients, and one watcher.
    ///
    /// # Errors
    /// A client's files are missing.
    pub fn new(target: &Target, records: &Records, connections: usize) -> anyhow::Result<Self> {
        let board = Board::default();
        let mut events = target.client(roles::BUREAU, 1)?.watch(pb::WatchRequest::default());
        let posted = board.clone();
        let watcher = tokio::spawn(async move {
            while let Some(Ok(message)) = events.next().await {
                let Some(pb::watch_response::Item::Events(message)) = message.item else { continue };
                let mut board = posted.lock().unwrap_or_else(PoisonError::into_inner);
                for event in message.events {
                    if let Some(Seen::Wanted(waiter)) = board.insert(event.alert_id.clone(), Seen::Already) {
                        board.remove(&event.alert_id);
                        // Who waits no longer has counted it as failed.
                        let _ = waiter.send(());
                    }
                }
            }
        });
        let run = jiff::Timestamp::now().as_nanosecond().to_string();
        let clients = target.clients(roles::BUREAU, connections)?;
        Ok(Self { clients, records: records.clone(), run, board, watcher })
    }

    /// As something that can be run.
    pub fn work(self) -> Arc<dyn Work> {
        Arc::new(self)
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.watcher.abort();
    }
}

impl Work for Feed {
    fn once(&self, client: usize, number: u64) -> BoxFuture<'_, Result<Done, String>> {
        Box::pin(async move {
            let mut alert = self.records.object(3_000_000_000 + number);
            if let Some(source) = alert.core.as_mut().and_then(|core| core.source.as_mut()) {
                source.reference = format!("{}-{number}", self.run);
            }
            let request = pb::CreateRequest { alert: Some(alert), ..Default::default() };
            let written = self.clients[client % self.clients.len()].create(request).await;
            let id = written.map_err(|error| error.to_string())?.alert_id;
            let arrival = {
                let mut board = self.board.lock().unwrap_or_else(PoisonError::into_inner);
                match board.remove(&id) {
                    Some(_) => None,
                    None => {
                        let (waiter, arrival) = oneshot::channel();
                        board.insert(id, Seen::Wanted(waiter));
                        Some(arrival)
                    }
                }
            };
            if let Some(arrival) = arrival {
                arrival.await.map_err(|_| "the feed ended".to_owned())?;
            }
            Ok(Done::one("written and in the feed"))
        })
    }
}
