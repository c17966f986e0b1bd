//! Import: any number of alerts, each line answered.

use alert_proto::v1::{self as pb, alert_service_client::AlertServiceClient};
use futures::Stream;
use prost::Message;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Response, Status, Streaming, transport::Channel};

use super::duplex::{self, Answered, Answers, Duplex};
use crate::{AlertClient, call::fill_context, limits};

/// The outcomes of an import, in any order.
pub type ImportStream = Answers<pb::ImportOutcome>;

impl AlertClient {
    /// Imports a stream of alerts. Goes on after a bad line; each line is answered once.
    ///
    /// `lines` is read only as fast as the cluster answers (a bounded number of lines is under way). A lost connection is
    /// replaced and the unanswered lines are sent again: they are keyed by (owner, source system, reference), so nothing is
    /// added twice, but a line that had taken effect before its answer was lost comes back as `UNCHANGED`. Line numbers
    /// must differ. The stream ends with an error when the import was refused as a whole, or when no line was answered for
    /// the client's deadline (60 s when it has none).
    ///
    /// ```no_run
    /// use alert_client::{AlertClient, pb};
    /// # async fn example(client: AlertClient, alerts: Vec<pb::Alert>) -> Result<(), alert_client::Error> {
    /// let lines = (1..).zip(alerts).map(|(line, alert)| pb::ImportLine { line, alert: Some(alert) });
    /// let mut outcomes = client.import(futures::stream::iter(lines));
    /// while let Some(outcome) = outcomes.next().await {
    ///     let outcome = outcome?;
    ///     println!("line {}: {:?}", outcome.line, outcome.status());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn import(&self, lines: impl Stream<Item = pb::ImportLine> + Send + 'static) -> ImportStream {
        let mut context = None;
        fill_context(&mut context, self.defaults(), self.routing().random());
        duplex::start(self.clone(), Import { context }, lines)
    }
}

struct Import {
    context: Option<pb::CallContext>,
}

impl Duplex for Import {
    type Item = pb::ImportLine;
    type Key = u64;
    type Outcome = pb::ImportOutcome;
    type Request = pb::ImportRequest;
    type Response = pb::ImportResponse;

    const NAME: &'static str = "import";
    const TO_LEADER: bool = true;
    const WINDOW: usize = limits::IMPORT_WINDOW_LINES;
    const MESSAGE_ITEMS: usize = limits::IMPORT_MESSAGE_LINES;
    const MESSAGE_BYTES: usize = limits::IMPORT_MESSAGE_BYTES;

    fn key(line: &pb::ImportLine) -> u64 {
        line.line
    }

    fn bytes(line: &pb::ImportLine) -> usize {
        line.encoded_len()
    }

    fn message(&self, is_first: bool, lines: Vec<pb::ImportLine>) -> pb::ImportRequest {
        pb::ImportRequest { context: is_first.then(|| self.context.clone()).flatten(), lines }
    }

    fn answers(response: pb::ImportResponse) -> Answered<u64, pb::ImportOutcome> {
        let outcomes = response.outcomes.into_iter().map(|outcome| (outcome.line, outcome)).collect();
        Answered { context: response.answer, outcomes }
    }

    async fn open(
        channel: Channel,
        requests: ReceiverStream<pb::ImportRequest>,
    ) -> Result<Response<Streaming<pb::ImportResponse>>, Status> {
        AlertServiceClient::new(channel).import(requests).await
    }
}
