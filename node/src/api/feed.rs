//! The feed: changes from a cursor on, as far as the caller sees them. No gap, no duplicate, no reordering.
//!
//! Each revision that gains or keeps an alert in the watch's sight is an upsert; one that loses it, by deletion,
//! erasure, restriction or a change of label, is a removal, and these look alike. What was cancelled or suspended since
//! is never shown: an older version whose alert is out of sight by now is told as a removal too.

use std::{collections::BTreeMap, sync::Arc};

use alert_core::{
    alert::{AlertId, LabelId, Sight, StoredAlert, time::from_ms},
    codec, pb,
    pb::feed_service_server::FeedService,
    state::{
        Change,
        command::Command,
        family::{self, Family},
    },
};
use futures::stream;
use serde::{Deserialize, Serialize};
use tonic::{Request, Response, Status};

use super::{
    alerts::Filter,
    backend::{Deadline, Level},
    call::Call,
    core::{Api, Operate},
    errors::{ApiError, ApiResult, ErrorCode},
    operations::{self, Operation},
    reading::Reading,
    records::{Seen, given, size},
    stream::{AnswerStream, StreamCall, over},
    tokens::TokenKind,
};
use crate::limits::{ANSWER_BYTES_MAX, BOUND_DEFAULT, WATCH_CHANGES_PER_MESSAGE, WATCH_PROGRESS_INTERVAL};

/// Where a watch goes on: everything up to this revision has been sent, or was not for this caller.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Position {
    revision: u64,
}

/// A cursor behind which a watch goes on.
pub(super) fn feed_cursor(api: &Api, revision: u64) -> Vec<u8> {
    api.sealer().seal(TokenKind::Feed, &api.store().cluster(), Position { revision })
}

fn open_cursor(api: &Api, cursor: &[u8]) -> ApiResult<u64> {
    let position: Position = api.sealer().open(TokenKind::Feed, &api.store().cluster(), cursor)?;
    Ok(position.revision)
}

#[tonic::async_trait]
impl FeedService for Api {
    type WatchStream = AnswerStream<pb::WatchResponse>;

    async fn watch(&self, request: Request<pb::WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let (stream, request) = self.enter_stream(&operations::WATCH, request)?;
        let begun = self.step(&stream.call, self.begin_watch(&stream.call, &request)).await?;
        let watching = Watching {
            api: self.clone(),
            stream,
            request,
            filter: begun.0,
            read: begun.1,
            progress_due: Deadline::now() + WATCH_PROGRESS_INTERVAL,
            ended: false,
        };
        let state = Arc::new(tokio::sync::Mutex::new(watching));
        let answers = stream::try_unfold(state, |state| async move {
            let answer = state.lock().await.next().await?;
            Ok(answer.map(|answer| (answer, state)))
        });
        Ok(Response::new(Box::pin(answers)))
    }

    async fn acknowledge(
        &self,
        request: Request<pb::AcknowledgeRequest>,
    ) -> Result<Response<pb::AcknowledgeResponse>, Status> {
        self.unary(request).await
    }
}

impl Operate for pb::AcknowledgeRequest {
    const OPERATION: &'static Operation = &operations::ACKNOWLEDGE;
    type Reply = pb::AcknowledgeResponse;

    async fn operate(&self, api: &Api, call: &Call) -> ApiResult<Self::Reply> {
        let revision = open_cursor(api, &self.cursor)?;
        // Under an agreement in force, as far as a quorum knows.
        let reading = api.reading_at(call, Level::Linearizable).await?;
        if revision > reading.handle.revision {
            return Err(ApiError::plain(ErrorCode::TokenFromFuture));
        }
        let done = api.propose(call, reading.meta.rules_revision, Command::AcknowledgeFeed { revision }).await?;
        Ok(pb::AcknowledgeResponse { answer: Some(api.written(call, &done).await?) })
    }
}

/// One watch.
struct Watching {
    api: Api,
    stream: StreamCall,
    request: pb::WatchRequest,
    filter: Filter,
    /// Changes up to this revision have been looked at.
    read: u64,
    progress_due: Deadline,
    ended: bool,
}

/// What was found among the changes of one stretch.
struct Stretch {
    events: Vec<pb::FeedEvent>,
    disclosed: Vec<pb::AuditDisclosure>,
    /// Looked at up to here.
    read: u64,
    restart: Option<&'static str>,
}

impl Api {
    async fn begin_watch(&self, call: &Call, request: &pb::WatchRequest) -> ApiResult<(Filter, u64)> {
        let filter = Filter::new(request.filter.as_ref())?;
        if filter.needs_record() {
            let message = "an alert moves towards its end without a change, so a feed cannot follow this filter";
            return Err(ApiError::field("filter.expires_before", "INVALID", message));
        }
        let from = match request.cursor.as_slice() {
            // From now on: after all that was acknowledged before the call.
            [] => self.reading_at(call, Level::Linearizable).await?.handle.revision,
            cursor => {
                let revision = open_cursor(self, cursor)?;
                self.reading_at(call, Level::Bounded(BOUND_DEFAULT)).await?;
                revision
            }
        };
        self.audit(call, Vec::new(), from, tonic::Code::Ok).await?;
        Ok((filter, from))
    }
}

impl Watching {
    /// The next message: events as soon as there are any, else how far the watch is.
    async fn next(&mut self) -> Result<Option<pb::WatchResponse>, Status> {
        let mut applied = self.api.store().applied();
        while !self.ended {
            if self.stream.is_over() {
                return Err(over());
            }
            if self.api.stopping().is_cancelled() {
                return Err(ApiError::plain(ErrorCode::Stopping).into());
            }
            let behind = applied.borrow_and_update().revision > self.read;
            let progress = Deadline::now() >= self.progress_due;
            if (behind || progress)
                && let Some(message) = self.look(progress).await?
            {
                return Ok(Some(message));
            }
            if self.ended || applied.borrow().revision > self.read {
                continue;
            }
            let stopping = self.api.stopping().clone();
            tokio::select! {
                biased;
                () = stopping.cancelled() => {}
                changed = applied.changed() => if changed.is_err() {
                    return Err(ApiError::plain(ErrorCode::Stopping).into());
                },
                () = tokio::time::sleep_until(self.progress_due) => {}
            }
        }
        Ok(None)
    }

    /// Looks at the changes that there are. `None`: nothing for this caller, and no time for a progress mark.
    async fn look(&mut self, progress: bool) -> Result<Option<pb::WatchResponse>, Status> {
        let call = self.stream.step(&self.request);
        let api = self.api.clone();
        let (reading, stretch) = api
            .step(&call, async {
                let reading = api.reading_at(&call, Level::Bounded(BOUND_DEFAULT)).await?;
                let stretch = self.stretch(&reading)?;
                Ok((reading, stretch))
            })
            .await?;
        self.read = stretch.read.max(self.read);
        let item = if !stretch.events.is_empty() {
            pb::watch_response::Item::Events(pb::FeedEvents { events: stretch.events })
        } else if let Some(code) = stretch.restart {
            self.ended = true;
            pb::watch_response::Item::Restart(restart(code))
        } else if progress && self.read >= reading.handle.revision {
            pb::watch_response::Item::Progress(pb::FeedProgress {
                cursor: feed_cursor(&api, self.read),
                as_of: Some(from_ms(reading.now_ms)),
            })
        } else {
            return Ok(None);
        };
        let answer = if stretch.disclosed.is_empty() {
            // Nothing is given out, so nothing is logged.
            api.answer_context(&call, reading.handle.revision, super::backend::Receipt(String::new()))
        } else {
            api.step(&call, api.disclose(&call, &reading, stretch.disclosed)).await?
        };
        self.progress_due = Deadline::now() + WATCH_PROGRESS_INTERVAL;
        Ok(Some(pb::WatchResponse { answer: Some(answer), item: Some(item) }))
    }

    /// The changes after the last one looked at, as far as one message takes.
    fn stretch(&self, reading: &Reading) -> ApiResult<Stretch> {
        let mut stretch = Stretch { events: Vec::new(), disclosed: Vec::new(), read: self.read, restart: None };
        // Ahead of this node: it will catch up.
        if self.read >= reading.handle.revision {
            return Ok(stretch);
        }
        if self.read + 1 < reading.meta.feed_compacted_before {
            stretch.restart = Some(COMPACTED);
            return Ok(stretch);
        }
        let mut sights = BTreeMap::new();
        let mut bytes = 0;
        let mut cursor = reading.handle.view.cursor(Family::Changes);
        cursor.seek(&family::change(self.read + 1), b"")?;
        let mut looked_at = 0;
        while let Some((key, value)) = cursor.entry() {
            if looked_at >= WATCH_CHANGES_PER_MESSAGE || bytes >= ANSWER_BYTES_MAX {
                return Ok(stretch);
            }
            let revision = u64::from_be_bytes(
                key.try_into().map_err(|_| ApiError::internal("a key of family 'changes' is no revision"))?,
            );
            let change: Change = codec::decode(value).map_err(ApiError::internal)?;
            match change {
                Change::Alert { id, version, before, after } => {
                    let event = self.event(reading, &mut sights, id, version, before, after)?;
                    if let Some((change, disclosed)) = event {
                        if let pb::feed_event::Change::Upsert(record) = &change {
                            bytes += size(record);
                        }
                        stretch.disclosed.extend(disclosed);
                        stretch.events.push(pb::FeedEvent {
                            cursor: feed_cursor(&self.api, revision),
                            alert_id: id.to_string(),
                            change: Some(change),
                        });
                    }
                }
                Change::Agreement { id }
                    if self.stream.call.context.message.agreement_id == id && self.stream.call.is_partner() =>
                {
                    // What came before is sent first; this very change ends the stream at the next look.
                    if stretch.events.is_empty() {
                        stretch.restart = Some(RESYNC);
                        stretch.read = revision;
                    }
                    return Ok(stretch);
                }
                Change::Agreement { .. }
                | Change::Rules { .. }
                | Change::Link { .. }
                | Change::Hit { .. }
                | Change::Attachment { .. } => {}
            }
            stretch.read = revision;
            looked_at += 1;
            cursor.next()?;
        }
        // Nothing after it in this state: revisions without an entry of their own are behind us too.
        stretch.read = reading.handle.revision;
        Ok(stretch)
    }

    /// What one change of an alert is for this caller.
    fn event(
        &self,
        reading: &Reading,
        sights: &mut BTreeMap<LabelId, Sight>,
        id: AlertId,
        version: u64,
        before: Option<LabelId>,
        after: Option<LabelId>,
    ) -> ApiResult<Option<(pb::feed_event::Change, Option<pb::AuditDisclosure>)>> {
        let mut sight = |label: Option<LabelId>| -> ApiResult<Sight> {
            let Some(label) = label else { return Ok(Sight::Hidden) };
            if let Some(sight) = sights.get(&label) {
                return Ok(*sight);
            }
            let value = self.api.labels(reading).get(label)?;
            let sight = if self.filter.takes(&value) { reading.viewer.sight(&value) } else { Sight::Hidden };
            sights.insert(label, sight);
            Ok(sight)
        };
        let removal = pb::feed_event::Change::Removal(pb::FeedRemoval {});
        let (was_seen, sight) = (sight(before)? != Sight::Hidden, sight(after)?);
        if sight == Sight::Hidden {
            return Ok(was_seen.then_some((removal, None)));
        }
        match self.version(reading, id, version)? {
            Some(stored) => {
                let record = self.api.record(reading, &Seen { id, sight, stored })?;
                Ok(Some((pb::feed_event::Change::Upsert(record), Some(given(id, version)))))
            }
            None => Ok(Some((removal, None))),
        }
    }

    /// A version of an alert, unless the alert has gone out of the caller's sight since.
    fn version(&self, reading: &Reading, id: AlertId, version: u64) -> ApiResult<Option<StoredAlert>> {
        let Some(current) = self.api.find(reading, id)? else { return Ok(None) };
        if current.stored.header.version == version {
            return Ok(Some(current.stored));
        }
        let bytes = reading.handle.view.get(Family::History, &family::history(id, version))?;
        Ok(bytes.map(|bytes| StoredAlert::decode(&bytes)).transpose()?)
    }
}

const RESYNC: &str = "RESYNC";
const COMPACTED: &str = "COMPACTED";

fn restart(code: &str) -> pb::FeedRestart {
    let how = match code {
        RESYNC => "the agreement changed: export anew, then watch from the export's feed cursor",
        _ => "the changes after this cursor are no longer kept: export anew, then watch from the export's feed cursor",
    };
    pb::FeedRestart { code: code.into(), how: how.into() }
}
