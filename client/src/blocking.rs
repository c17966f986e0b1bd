//! The same client for programs without `async`: each call waits on the calling thread, streams are iterators.
//!
//! ```no_run
//! use alert_client::{AlertClient, blocking::BlockingClient, pb};
//!
//! # fn example(config: alert_client::ClientConfig) -> Result<(), alert_client::Error> {
//! let client = BlockingClient::new(AlertClient::builder().config(&config))?;
//! let query = pb::Query { any_number: "AB 123 456".into(), ..Default::default() };
//! let answer = client.search(pb::SearchRequest { query: Some(query), ..Default::default() })?;
//! print!("{}", alert_client::present::search(&answer));
//! # Ok(())
//! # }
//! ```

use std::{future::Future, sync::Arc};

use alert_proto::v1 as pb;
use futures::{Stream, StreamExt};
use tokio::runtime::{Builder, Handle, Runtime};

use crate::{AlertClient, AlertClientBuilder, BatchOptions, Error};

/// A client whose calls block. Cheap to clone; the clones share everything, and a thread of their own that keeps the
/// topology fresh. Not for use inside an async runtime: use [`AlertClient`] there.
#[derive(Clone)]
pub struct BlockingClient {
    client: AlertClient,
    runtime: Arc<Background>,
}

/// The runtime; `None` only while it is dropped.
struct Background(Option<Runtime>);

impl Drop for Background {
    fn drop(&mut self) {
        // Without waiting: the last handle may go inside another runtime, where waiting would panic.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl BlockingClient {
    /// Makes a client with a runtime of its own.
    ///
    /// # Errors
    /// `CONFIGURATION` for what [`AlertClientBuilder::build`] refuses, and when no thread can be started.
    pub fn new(builder: AlertClientBuilder) -> Result<Self, Error> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("alert-client")
            .enable_all()
            .build()
            .map_err(|error| Error::configuration(format!("no thread for the client: {error}")))?;
        let client = runtime.block_on(async { builder.build() })?;
        Ok(Self { client, runtime: Arc::new(Background(Some(runtime))) })
    }

    /// The client behind it, for settings (`with_deadline` and its neighbours) and for calls that have no blocking form.
    pub fn inner(&self) -> &AlertClient {
        &self.client
    }

    /// The same client with what `change` makes of it, for example another deadline.
    #[must_use]
    pub fn with(&self, change: impl FnOnce(&AlertClient) -> AlertClient) -> Self {
        Self { client: change(&self.client), runtime: self.runtime.clone() }
    }

    /// Runs any call of the async client to its end.
    pub fn wait<F: Future>(&self, call: F) -> F::Output {
        self.handle().block_on(call)
    }

    fn handle(&self) -> &Handle {
        self.runtime.0.as_ref().expect("taken by drop alone").handle()
    }

    /// [`AlertClient::search_batch`], with `queries` read as fast as answers are taken.
    pub fn search_batch<I>(
        &self,
        options: BatchOptions,
        queries: I,
    ) -> impl Iterator<Item = Result<pb::KeyedAnswer, Error>>
    where
        I: IntoIterator<Item = pb::KeyedQuery, IntoIter: Send + 'static>,
    {
        let _inside = self.handle().enter();
        self.iterate(self.client.search_batch(options, futures::stream::iter(queries)))
    }

    /// [`AlertClient::import`], with `lines` read as fast as outcomes are taken.
    pub fn import<I>(&self, lines: I) -> impl Iterator<Item = Result<pb::ImportOutcome, Error>>
    where
        I: IntoIterator<Item = pb::ImportLine, IntoIter: Send + 'static>,
    {
        let _inside = self.handle().enter();
        self.iterate(self.client.import(futures::stream::iter(lines)))
    }

    /// [`AlertClient::export`].
    pub fn export(&self, request: pb::ExportRequest) -> impl Iterator<Item = Result<pb::ExportResponse, Error>> {
        self.iterate(self.client.export(request))
    }

    /// [`AlertClient::watch`].
    pub fn watch(&self, request: pb::WatchRequest) -> impl Iterator<Item = Result<pb::WatchResponse, Error>> {
        self.iterate(self.client.watch(request))
    }

    fn iterate<T, S: Stream<Item = T> + Unpin>(&self, mut stream: S) -> impl Iterator<Item = T> + use<T, S> {
        let client = self.clone();
        std::iter::from_fn(move || client.wait(stream.next()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blocking_client_lives_without_a_runtime_and_may_be_dropped_inside_one() {
        let client = BlockingClient::new(AlertClient::builder().seeds(["127.0.0.1:1"]).plaintext_loopback()).unwrap();
        let hasty = client.with(|client| client.with_deadline(std::time::Duration::from_millis(50)));
        assert!(hasty.search(pb::SearchRequest::default()).unwrap_err().is_unavailable());
        let runtime = Builder::new_current_thread().build().unwrap();
        runtime.block_on(async move { drop((client, hasty)) });
    }
}
