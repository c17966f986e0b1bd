//! How far each caller's copy is, as it acknowledges itself, and what that proves of an agreement's sharing timescale.

use std::time::Duration;

use alert_core::{
    alert::{Agreement, Sight, Viewer, time::from_ms},
    pb,
    state::{Acknowledgement, Change, FeedEntries, command::Command, read_acknowledgement, read_acknowledgements},
};

use super::cursor::open_cursor;
use crate::api::{
    admission::Class,
    backend::Level,
    call::Call,
    core::{Api, Operate},
    errors::{ApiError, ApiResult, ErrorCode, duration},
    operations::{self, Operation},
    reading::Reading,
    work::Gone,
};

impl Operate for pb::AcknowledgeRequest {
    const OPERATION: &'static Operation = &operations::ACKNOWLEDGE;
    type Reply = pb::AcknowledgeResponse;

    async fn operate(&self, api: &Api, call: &Call) -> ApiResult<Self::Reply> {
        let revision = open_cursor(api, &self.cursor)?.revision;
        // Under an agreement in force, as far as a quorum knows.
        let reading = api.reading_at(call, Level::Linearizable).await?;
        if revision > reading.handle.revision {
            return Err(ApiError::plain(ErrorCode::TokenFromFuture));
        }
        let agreement = reading.agreement.as_ref().map(|agreement| agreement.id.clone()).unwrap_or_default();
        let held = read_acknowledgement(&*reading.handle.view, &agreement, call.caller())?;
        // A copy that acknowledges for the first time has waited for nothing yet.
        let oldest_ms = match held.filter(|held| held.revision < revision) {
            None => None,
            Some(held) => {
                let (looking, state) = (api.clone(), reading.clone());
                let work =
                    move |gone: &Gone| looking.first_shared(&state, &state.viewer, held.revision, revision, gone);
                api.work(call, Class::Feed, work).await?
            }
        };
        let rules_revision = reading.meta.rules_revision;
        let command = Command::AcknowledgeFeed { agreement, revision, oldest_ms };
        let done = api.propose(call, rules_revision, command).await?;
        Ok(pb::AcknowledgeResponse { answer: Some(api.written(call, &done).await?) })
    }
}

impl Api {
    /// Replicated time of the first change after revision `after`, up to `until`, that concerns what `viewer` may see.
    fn first_shared(
        &self,
        reading: &Reading,
        viewer: &Viewer,
        after: u64,
        until: u64,
        gone: &Gone,
    ) -> ApiResult<Option<u64>> {
        let labels = self.labels(reading);
        let mut entries = FeedEntries::after(&*reading.handle.view, after)?;
        while let Some((revision, entry)) = entries.next_entry()? {
            gone.check()?;
            if revision > until {
                break;
            }
            let Change::Alert { before, after, .. } = entry.change else { continue };
            for label in [before, after].into_iter().flatten() {
                if viewer.sight(&*labels.get(label)?) != Sight::Hidden {
                    return Ok(Some(entry.at_ms));
                }
            }
        }
        Ok(None)
    }

    /// How far each caller of an agreement is.
    pub(in crate::api) async fn acknowledgements(
        &self,
        call: &Call,
        reading: &Reading,
        agreement: &pb::Agreement,
    ) -> ApiResult<Vec<pb::FeedAcknowledgement>> {
        let (api, state, agreement) = (self.clone(), reading.clone(), agreement.clone());
        let timescale = agreement.sharing_timescale.and_then(|timescale| Duration::try_from(timescale).ok());
        let work = move |gone: &Gone| {
            let mut told = Vec::new();
            for (caller, kept) in read_acknowledgements(&*state.handle.view, &agreement.id)? {
                let viewer = Viewer::of_authority(caller.clone(), Some(Agreement::new(&agreement)), &state.rules);
                let waiting = api.first_shared(&state, &viewer, kept.revision, u64::MAX, gone)?;
                let waiting = waiting.map(|since_ms| state.now_ms.saturating_sub(since_ms));
                told.push(pb::FeedAcknowledgement {
                    authority: caller.authority,
                    system: caller.system,
                    ..told_of(&kept, waiting.map(Duration::from_millis), timescale)
                });
            }
            Ok(told)
        };
        self.work(call, Class::Feed, work).await
    }
}

fn told_of(kept: &Acknowledgement, waiting: Option<Duration>, timescale: Option<Duration>) -> pb::FeedAcknowledgement {
    let slowest = Duration::from_millis(kept.slowest_ms);
    pb::FeedAcknowledgement {
        first_acknowledged_at: Some(from_ms(kept.since_ms)),
        acknowledged_at: Some(from_ms(kept.at_ms)),
        slowest: Some(duration(slowest)),
        slowest_acknowledged_at: (kept.slowest_at_ms > 0).then(|| from_ms(kept.slowest_at_ms)),
        oldest_waiting: waiting.map(duration),
        within_timescale: timescale.map(|most| slowest <= most && waiting.is_none_or(|waiting| waiting <= most)),
        ..Default::default()
    }
}
