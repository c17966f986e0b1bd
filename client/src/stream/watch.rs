//! The feed: changes from a cursor on, without gap or duplicate.

use std::{pin::Pin, time::Duration};

use alert_proto::v1::{self as pb, feed_service_client::FeedServiceClient, watch_response::Item};
use futures::Stream;
use tonic::{Response, Status, Streaming, transport::Channel};

use super::resume::{self, Resume};
use crate::{AlertClient, Error, call::fill_context, limits};

/// Messages of the feed.
pub type WatchStream = Pin<Box<dyn Stream<Item = Result<pb::WatchResponse, Error>> + Send>>;

impl AlertClient {
    /// Watches the changes behind `request.cursor`. A lost connection is replaced and the feed goes on behind the last
    /// cursor on any node; so is one that says nothing for 10 s, though nodes say every 2 s how far they are. The stream ends
    /// after a `FeedRestart`: begin again with an export; after an error that is not retryable; and with `STALLED` when no
    /// node took it within the deadline (60 s without one).
    ///
    /// ```no_run
    /// use alert_client::{AlertClient, pb};
    /// use futures::StreamExt;
    /// # async fn example(client: AlertClient, cursor: Vec<u8>) -> Result<(), alert_client::Error> {
    /// let mut feed = client.watch(pb::WatchRequest { cursor, ..Default::default() });
    /// while let Some(message) = feed.next().await {
    ///     println!("{:?}", message?.item);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn watch(&self, mut request: pb::WatchRequest) -> WatchStream {
        fill_context(&mut request.context, self.defaults(), self.routing().random());
        Box::pin(resume::start(self.clone(), request))
    }
}

impl Resume for pb::WatchRequest {
    type Message = pb::WatchResponse;
    const NAME: &'static str = "watch";
    const SILENCE_MAX: Option<Duration> = Some(limits::WATCH_SILENCE_MAX);
    const IS_ENDLESS: bool = true;

    async fn open(self, channel: Channel) -> Result<Response<Streaming<pb::WatchResponse>>, Status> {
        FeedServiceClient::new(channel).max_decoding_message_size(limits::MESSAGE_BYTES_MAX).watch(self).await
    }

    fn advance(&mut self, message: &pb::WatchResponse) {
        let cursor = match &message.item {
            Some(Item::Events(events)) => events.events.last().map(|event| &event.cursor),
            Some(Item::Progress(progress)) => Some(&progress.cursor),
            Some(Item::Restart(_)) | None => None,
        };
        if let Some(cursor) = cursor.filter(|cursor| !cursor.is_empty()) {
            self.cursor.clone_from(cursor);
        }
    }

    fn answer_context(message: &pb::WatchResponse) -> Option<&pb::AnswerContext> {
        message.answer.as_ref()
    }

    fn is_last(message: &pb::WatchResponse) -> bool {
        matches!(message.item, Some(Item::Restart(_)))
    }
}
