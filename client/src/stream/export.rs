//! Export: every record that the caller may see, in pages.

use std::{pin::Pin, time::Duration};

use alert_proto::v1::{self as pb, alert_service_client::AlertServiceClient};
use futures::Stream;
use tonic::{Response, Status, Streaming, transport::Channel};

use super::resume::{self, Resume};
use crate::{
    AlertClient, Error,
    call::{fill_context, fill_read},
    limits,
};

/// Pages of an export, each with the token to go on from.
pub type ExportStream = Pin<Box<dyn Stream<Item = Result<pb::ExportResponse, Error>> + Send>>;

impl AlertClient {
    /// Exports the records that match. A lost connection is replaced and the export goes on behind the last page on any
    /// node: no record comes twice. It takes as long as it takes; it ends with `STALLED` when no page came within the
    /// deadline (60 s without one).
    ///
    /// ```no_run
    /// use alert_client::{AlertClient, pb};
    /// use futures::StreamExt;
    /// # async fn example(client: AlertClient) -> Result<(), alert_client::Error> {
    /// let mut pages = client.export(pb::ExportRequest::default());
    /// while let Some(page) = pages.next().await {
    ///     println!("{} records", page?.records.len());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn export(&self, mut request: pb::ExportRequest) -> ExportStream {
        fill_context(&mut request.context, self.defaults(), self.routing().random());
        fill_read(&mut request.read, self.defaults(), self.session());
        Box::pin(resume::start(self.clone(), request))
    }
}

impl Resume for pb::ExportRequest {
    type Message = pb::ExportResponse;
    const NAME: &'static str = "export";
    const SILENCE_MAX: Option<Duration> = None;
    const IS_ENDLESS: bool = false;

    async fn open(self, channel: Channel) -> Result<Response<Streaming<pb::ExportResponse>>, Status> {
        AlertServiceClient::new(channel).max_decoding_message_size(limits::MESSAGE_BYTES_MAX).export(self).await
    }

    fn advance(&mut self, page: &pb::ExportResponse) {
        if !page.resume_token.is_empty() {
            self.resume_token.clone_from(&page.resume_token);
        }
    }

    fn answer_context(page: &pb::ExportResponse) -> Option<&pb::AnswerContext> {
        page.answer.as_ref()
    }
}
