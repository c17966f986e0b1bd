//! Export: every alert that the caller sees, by id. It begins at a revision and goes on over later ones; the feed from
//! that revision makes it exact. A stream that breaks goes on after its last message, on any node.

use std::sync::Arc;

use alert_core::{alert::AlertId, pb};
use futures::stream;
use serde::{Deserialize, Serialize};
use tonic::{Request, Response, Status};

use super::Filter;
use crate::{
    api::{
        admission::Class,
        backend::Level,
        call::Call,
        core::Api,
        errors::{ApiError, ApiResult, ErrorCode},
        feed::{Scope, feed_cursor},
        operations,
        reading::Reading,
        stream::{AnswerStream, StreamCall, over},
        tokens::TokenKind,
    },
    limits::EXPORT_RECORDS_PER_MESSAGE,
};

/// Where an export is.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Position {
    /// Revision at which it began, and for whom; absent before the first message.
    start: Option<(u64, Scope)>,
    /// The last id looked at.
    after: Option<AlertId>,
}

struct Exporting {
    api: Api,
    stream: StreamCall,
    request: pb::ExportRequest,
    filter: Filter,
    position: Position,
    /// True until the first message of this stream, resumed ones too.
    first: bool,
    done: bool,
}

impl Api {
    pub(super) async fn export_stream(
        &self,
        request: Request<pb::ExportRequest>,
    ) -> Result<Response<AnswerStream<pb::ExportResponse>>, Status> {
        let (stream, request) = self.enter_stream(&operations::EXPORT, request)?;
        let begin = || -> ApiResult<(Filter, Position)> {
            let filter = Filter::new(request.filter.as_ref())?;
            let position = match request.resume_token.as_slice() {
                [] => Position { start: None, after: None },
                token => self.sealer().open(TokenKind::Export, &self.store().cluster(), token)?,
            };
            Ok((filter, position))
        };
        let (filter, position) = match begin() {
            Ok(begun) => begun,
            Err(error) => return Err(self.refuse(&stream.call, error).await.into()),
        };
        let state = Exporting { api: self.clone(), stream, request, filter, position, first: true, done: false };
        let state = Arc::new(tokio::sync::Mutex::new(state));
        let answers = stream::try_unfold(state, |state| async move {
            let answer = state.lock().await.next().await?;
            Ok(answer.map(|answer| (answer, state)))
        });
        Ok(Response::new(Box::pin(answers)))
    }
}

impl Exporting {
    async fn next(&mut self) -> Result<Option<pb::ExportResponse>, Status> {
        if self.done {
            return Ok(None);
        }
        if self.stream.is_over() {
            return Err(over());
        }
        let mut step = self.stream.step(&self.request);
        // Under an agreement's quota a stream counts as one call, resumed or not.
        step.counts_as = u32::from(self.first);
        let (api, position) = (self.api.clone(), self.position);
        let (answer, position) = api.step(&step, self.message(&step, position)).await?;
        self.done = position.is_none();
        self.position = position.unwrap_or(self.position);
        self.first = false;
        Ok(Some(answer))
    }

    /// One message, and where the next one begins.
    async fn message(&self, call: &Call, position: Position) -> ApiResult<(pb::ExportResponse, Option<Position>)> {
        let reading = self.read(call, position).await?;
        let scope = Scope::of(&reading, self.request.filter.as_ref());
        let start = position.start.unwrap_or((reading.handle.revision, scope));
        if start.1 != scope {
            // What was given so far would not fit what is to come.
            let message = "the agreement, the filter or the caller's place is not what the export began with";
            return Err(ApiError::new(ErrorCode::TokenInvalid, message));
        }
        let found = self
            .api
            .scan(call, Class::Feed, &reading, &self.filter, position.after, EXPORT_RECORDS_PER_MESSAGE)
            .await?;
        let next = found.last.map(|last| Position { start: Some(start), after: Some(last) });
        let cluster = self.api.store().cluster();
        let answer = Some(self.api.disclose(call, &reading, found.disclosed).await?);
        let response = pb::ExportResponse {
            answer,
            records: found.records,
            resume_token: next
                .map(|position| self.api.sealer().seal(TokenKind::Export, &cluster, position))
                .unwrap_or_default(),
            feed_cursor: feed_cursor(&self.api, start.0, start.1),
        };
        Ok((response, next))
    }

    /// The state for one message: fresh each time, so that nothing is held open, and what was cancelled or suspended
    /// meanwhile is not given out.
    async fn read(&self, call: &Call, position: Position) -> ApiResult<Reading> {
        match (self.first, position.start) {
            (true, None) => self.api.reading(call, self.request.read.as_ref()).await,
            // Resumed, perhaps on another node: never before the revision it began at.
            (true, Some((revision, _))) => {
                self.api.store().read(Level::Session { revision }, call.deadline).await?;
                self.api.reading_on(call, self.request.read.as_ref()).await
            }
            (false, _) => self.api.reading_on(call, self.request.read.as_ref()).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use alert_core::codec;

    use super::*;

    #[test]
    fn bytes_of_a_place_in_an_export_do_not_change() {
        let position = Position { start: None, after: Some(AlertId::from_bytes([7; 16])) };
        assert_eq!(codec::encode(&position), [&[1, 0, 1][..], &[7; 16]].concat());
    }
}
