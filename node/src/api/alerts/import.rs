//! Import: a stream of lines, each answered, whatever becomes of the others. Lines are keyed by (owner, source,
//! reference), so a line sent twice has one effect and needs no request id.

use std::time::Duration;

use alert_core::{
    pb,
    state::{
        command::{Command, Done, Outcome},
        read_source,
    },
};
use futures::{StreamExt, TryStreamExt, stream};
use tonic::{Request, Response, Status, Streaming};

use super::prepare;
use crate::{
    api::{
        call::Call,
        core::{Api, Operate, Refusal},
        errors::{ApiError, ApiResult, ErrorCode, fault},
        operations::{self, Operation},
        reading::Reading,
        stream::{AnswerStream, over},
        writing::changed,
    },
    limits::{IMPORT_LINES_IN_FLIGHT, IMPORT_LINES_PER_MESSAGE_MAX, IMPORT_MESSAGES_IN_FLIGHT},
    seam::{Lane, run},
};

impl Api {
    /// Works on several messages at once; a slow store holds the stream back.
    pub(super) async fn import_stream(
        &self,
        request: Request<Streaming<pb::ImportRequest>>,
    ) -> Result<Response<AnswerStream<pb::ImportResponse>>, Status> {
        let (call, _, messages) = self.enter_streams(&operations::IMPORT, request).await?;
        let call = std::sync::Arc::new(call);
        let api = self.clone();
        let answers = messages
            .map(move |message| {
                let (api, call) = (api.clone(), call.clone());
                async move {
                    let message = message?;
                    if call.is_over() {
                        return Err(over());
                    }
                    let step = call.step(&message);
                    match api.through_leader(&step, &message).await {
                        Ok(answer) => Ok(answer),
                        Err(Refusal::AtLeader(status)) => Err(status),
                        Err(Refusal::Here(error)) => Err(api.refuse(&step, error).await.into()),
                    }
                }
            })
            .buffer_unordered(IMPORT_MESSAGES_IN_FLIGHT);
        Ok(Response::new(Box::pin(answers)))
    }
}

/// One message of the stream, on the leader.
impl Operate for pb::ImportRequest {
    const OPERATION: &'static Operation = &operations::IMPORT;
    type Reply = pb::ImportResponse;

    async fn operate(&self, api: &Api, call: &Call) -> ApiResult<Self::Reply> {
        if self.lines.len() > IMPORT_LINES_PER_MESSAGE_MAX {
            let message = format!("at most {IMPORT_LINES_PER_MESSAGE_MAX} lines in one message");
            return Err(ApiError::field("lines", "TOO_MANY", message));
        }
        let here = api.here(call).await?;
        let rules_revision = here.meta.rules_revision;
        let lines = self.lines.clone();
        let checker = api.clone();
        let checked = run(&*api.host().blocking, Lane::Read, move || {
            lines.into_iter().map(|line| Checked::new(&checker, &line, &here)).collect::<ApiResult<Vec<_>>>()
        });
        let results: Vec<(pb::ImportOutcome, Option<Done>)> = stream::iter(checked.await?)
            .map(|checked| api.import_line(call, rules_revision, checked))
            .buffer_unordered(IMPORT_LINES_IN_FLIGHT)
            .try_collect()
            .await?;

        let revision = results.iter().filter_map(|(_, done)| Some(done.as_ref()?.revision)).max().unwrap_or(0);
        let changes = results.iter().filter_map(|(_, done)| done.as_ref());
        let changes = changes.filter(|done| done.outcome != Outcome::Unchanged);
        let changes = changes.map(|done| changed(done.id, done.version)).collect();
        let mut outcomes: Vec<_> = results.into_iter().map(|(outcome, _)| outcome).collect();
        outcomes.sort_by_key(|outcome| outcome.line);
        Ok(pb::ImportResponse { answer: Some(api.written_all(call, revision, changes).await?), outcomes })
    }
}

/// A line after validation.
struct Checked {
    line: u64,
    /// What the log carries; `None` when the line is refused.
    content: Option<Vec<u8>>,
    faults: Vec<pb::Fault>,
}

impl Checked {
    fn new(api: &Api, line: &pb::ImportLine, here: &Reading) -> ApiResult<Self> {
        let refused = |faults| Ok(Self { line: line.line, content: None, faults });
        let Some(alert) = &line.alert else {
            return refused(vec![fault("alert", "REQUIRED", "the record")]);
        };
        let source = alert.core.as_ref().and_then(|core| core.source.as_ref());
        let Some(source) = source.filter(|source| !source.system.is_empty() && !source.reference.is_empty()) else {
            let message = "an imported record is known by its source system and reference";
            return refused(vec![fault("core.source", "REQUIRED", message)]);
        };
        // New content of an alert that there is may hold the codes that it had before.
        let held = read_source(&*here.handle.view, &source.system, &source.reference)?;
        let held = held.map(|id| api.find(here, id)).transpose()?.flatten();
        let old = held.map(|seen| seen.stored.to_alert()).transpose()?;
        match prepare(alert, old.as_ref(), here) {
            Ok(prepared) => Ok(Self { line: line.line, content: Some(prepared.content), faults: prepared.warnings }),
            Err(faults) => refused(faults),
        }
    }
}

impl Api {
    /// Proposes one line. An error here is the node's, not the line's: it ends the message, which may be sent again.
    async fn import_line(
        &self,
        call: &Call,
        rules_revision: u64,
        checked: Checked,
    ) -> ApiResult<(pb::ImportOutcome, Option<Done>)> {
        let Checked { line, content, mut faults } = checked;
        let rejected = |faults| pb::ImportOutcome {
            line,
            status: pb::ImportStatus::Rejected as i32,
            faults,
            ..Default::default()
        };
        let Some(content) = content else { return Ok((rejected(faults), None)) };
        let answer = loop {
            let command = Command::Import { id: self.new_id(), alert: content.clone() };
            match self.propose_as(call, rules_revision, command).await {
                // Back-pressure: the queue is full, so this line waits.
                Err(error) if error.code == ErrorCode::Overloaded => {
                    tokio::time::sleep(error.retry_after.unwrap_or(Duration::from_millis(10))).await;
                }
                other => break other?,
            }
        };
        Ok(match answer {
            Ok(done) => {
                let status = match done.outcome {
                    Outcome::Created => pb::ImportStatus::Created,
                    Outcome::Changed => pb::ImportStatus::Updated,
                    Outcome::Unchanged => pb::ImportStatus::Unchanged,
                };
                let outcome = pb::ImportOutcome {
                    line,
                    status: status as i32,
                    alert_id: done.id.to_string(),
                    version: done.version,
                    faults,
                };
                (outcome, Some(done))
            }
            Err(rejection) => {
                let error = Box::<ApiError>::from(rejection);
                if error.faults.is_empty() {
                    faults.push(fault("alert", error.code.row().name, error.message));
                } else {
                    faults.extend(error.faults);
                }
                (rejected(faults), None)
            }
        })
    }
}
