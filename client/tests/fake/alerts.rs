//! The alert service and the feed of a fake node.

use alert_core::alert::attachment::{hash_of, hash_text};
use std::pin::Pin;

use alert_client::pb::{self, alert_service_server::AlertService, feed_service_server::FeedService};
use futures::{Stream, StreamExt, stream};
use tonic::{Code, Request, Response, Status, Streaming};

use super::{State, node::Service, refusal};

type Messages<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// Records of one page of an export.
const PAGE: usize = 2;

fn not_found() -> Status {
    let message = "there is no such alert, or none that you may see".to_owned();
    refusal(Code::NotFound, pb::ErrorDetail { code: "NOT_FOUND".into(), message, ..Default::default() })
}

fn store(state: &mut State, mut alert: pb::Alert) -> pb::WriteResponse {
    let number = state.alerts.len() as u64 + 1;
    alert.id = format!("0190a7c8-0000-7000-8000-{number:012}");
    let info = pb::RecordInfo {
        id: alert.id.clone(),
        state: pb::AlertState::Active as i32,
        version: 1,
        revision: state.revision + 1,
        ..Default::default()
    };
    let answer = written(&info);
    let record = pb::AlertRecord { info: Some(info), alert: Some(alert), ..Default::default() };
    state.alerts.insert(answer.alert_id.clone(), record);
    answer
}

fn written(info: &pb::RecordInfo) -> pb::WriteResponse {
    pb::WriteResponse { alert_id: info.id.clone(), version: info.version, state: info.state, ..Default::default() }
}

impl Service {
    fn change(
        state: &mut State,
        id: &str,
        change: impl FnOnce(&mut pb::AlertRecord),
    ) -> Result<pb::WriteResponse, Status> {
        let record = state.alerts.get_mut(id).ok_or_else(not_found)?;
        change(record);
        let info = record.info.as_mut().unwrap();
        info.version += 1;
        Ok(written(info))
    }

    fn import_line(state: &mut State, line: pb::ImportLine) -> pb::ImportOutcome {
        let alert = line.alert.unwrap_or_default();
        let outcome = |status: pb::ImportStatus, alert_id: String, faults: Vec<pb::Fault>| pb::ImportOutcome {
            line: line.line,
            status: status as i32,
            alert_id,
            version: 1,
            faults,
        };
        let Some(source) = alert.core.as_ref().and_then(|core| core.source.clone()) else {
            let fault = pb::Fault {
                field_path: "core.source".into(),
                code: "REQUIRED".into(),
                message: "an imported alert names its source".into(),
                warning: false,
            };
            return outcome(pb::ImportStatus::Rejected, String::new(), vec![fault]);
        };
        let key = (source.system, source.reference);
        match state.sources.get(&key).cloned() {
            Some((id, version)) if version >= source.source_version => {
                outcome(pb::ImportStatus::Unchanged, id, Vec::new())
            }
            Some((id, _)) => {
                state.effects += 1;
                state.sources.insert(key, (id.clone(), source.source_version));
                outcome(pb::ImportStatus::Updated, id, Vec::new())
            }
            None => {
                state.effects += 1;
                let answer = store(state, alert);
                state.sources.insert(key, (answer.alert_id.clone(), source.source_version));
                outcome(pb::ImportStatus::Created, answer.alert_id, Vec::new())
            }
        }
    }

    fn breaks_after(&self) -> usize {
        let mut state = self.state.lock().unwrap();
        state.behaviours.get_mut(&self.id).unwrap().breaks_streams_after.take().unwrap_or(usize::MAX)
    }
}

#[tonic::async_trait]
impl AlertService for Service {
    async fn create(&self, request: Request<pb::CreateRequest>) -> Result<Response<pb::WriteResponse>, Status> {
        let request = request.into_inner();
        let alert = request.alert.unwrap_or_default();
        self.write(request.context.as_ref(), |state| {
            if alert.core.is_none() {
                let faults = ["core.category", "core.owner"].map(|path| pb::Fault {
                    field_path: path.into(),
                    code: "REQUIRED".into(),
                    message: "is missing".into(),
                    warning: false,
                });
                let message = "2 faults".to_owned();
                let detail = pb::ErrorDetail {
                    code: "RECORD_INVALID".into(),
                    message,
                    faults: faults.into(),
                    ..Default::default()
                };
                return Err(refusal(Code::InvalidArgument, detail));
            }
            Ok(store(state, alert))
        })
        .await
    }

    async fn update(&self, request: Request<pb::UpdateRequest>) -> Result<Response<pb::WriteResponse>, Status> {
        let request = request.into_inner();
        let alert = request.alert.unwrap_or_default();
        self.write(request.context.as_ref(), |state| {
            let current = state.alerts.get(&alert.id).and_then(|record| record.info.clone()).ok_or_else(not_found)?;
            if current.version != request.expected_version {
                let message = format!("version {} is current", current.version);
                let detail = pb::ErrorDetail { code: "VERSION_CONFLICT".into(), message, ..Default::default() };
                return Err(refusal(Code::Aborted, detail));
            }
            Service::change(state, &alert.id.clone(), |record| record.alert = Some(alert))
        })
        .await
    }

    async fn cancel(&self, request: Request<pb::CancelRequest>) -> Result<Response<pb::WriteResponse>, Status> {
        let request = request.into_inner();
        self.write(request.context.as_ref(), |state| {
            Service::change(state, &request.alert_id, |record| {
                record.info.as_mut().unwrap().state = pb::AlertState::Deleted as i32;
                record.alert = None;
            })
        })
        .await
    }

    async fn erase(&self, request: Request<pb::EraseRequest>) -> Result<Response<pb::WriteResponse>, Status> {
        let request = request.into_inner();
        self.write(request.context.as_ref(), |state| {
            let record = state.alerts.remove(&request.alert_id).ok_or_else(not_found)?;
            let info = record.info.unwrap();
            Ok(pb::WriteResponse { version: 0, state: pb::AlertState::Deleted as i32, ..written(&info) })
        })
        .await
    }

    async fn get(&self, request: Request<pb::GetRequest>) -> Result<Response<pb::GetResponse>, Status> {
        let request = request.into_inner();
        self.enter(Some(&request.context.unwrap_or_default())).await?;
        let mut state = self.state.lock().unwrap();
        state.reads.push(request.read.unwrap_or_default());
        let record = state.alerts.get(&request.alert_id).cloned().ok_or_else(not_found)?;
        Ok(Response::new(pb::GetResponse { answer: self.answer(&state), record: Some(record), links: Vec::new() }))
    }

    async fn list(&self, request: Request<pb::ListRequest>) -> Result<Response<pb::ListResponse>, Status> {
        let request = request.into_inner();
        self.enter(Some(&request.context.unwrap_or_default())).await?;
        let state = self.state.lock().unwrap();
        let skip = request.page_token.first().copied().unwrap_or_default() as usize;
        let records: Vec<_> = state.alerts.values().skip(skip).take(request.page_size as usize).cloned().collect();
        let next = skip + records.len();
        let next_page_token = if next < state.alerts.len() { vec![next as u8] } else { Vec::new() };
        Ok(Response::new(pb::ListResponse { answer: self.answer(&state), records, next_page_token }))
    }

    type ImportStream = Messages<pb::ImportResponse>;

    async fn import(
        &self,
        request: Request<Streaming<pb::ImportRequest>>,
    ) -> Result<Response<Self::ImportStream>, Status> {
        let mut requests = request.into_inner();
        let first = requests.message().await?.ok_or_else(|| Status::invalid_argument("an empty import"))?;
        self.enter(Some(first.context.as_ref().expect("the first message carries the context"))).await?;
        self.need_leader()?;
        let service = self.clone();
        let breaks_after = self.breaks_after();
        let takes = self.state.lock().unwrap().behaviours[&self.id].takes;
        let all = stream::iter([Ok(first)]).chain(requests);
        let answers = all.enumerate().map(move |(number, request)| {
            let mut state = service.state.lock().unwrap();
            state.import_messages += 1;
            let outcomes = request?.lines.into_iter().map(|line| Service::import_line(&mut state, line)).collect();
            if number >= breaks_after {
                // The lines took effect; their answers are lost.
                return Err(Status::unavailable("connection lost"));
            }
            Ok(pb::ImportResponse { answer: service.answer(&state), outcomes })
        });
        let answers = answers.then(move |answer| async move {
            tokio::time::sleep(takes).await;
            answer
        });
        Ok(Response::new(self.messages(answers)))
    }

    type ExportStream = Messages<pb::ExportResponse>;

    async fn export(&self, request: Request<pb::ExportRequest>) -> Result<Response<Self::ExportStream>, Status> {
        let request = request.into_inner();
        self.enter(Some(&request.context.unwrap_or_default())).await?;
        let breaks_after = self.breaks_after();
        let state = self.state.lock().unwrap();
        let skip = request.resume_token.first().copied().unwrap_or_default() as usize;
        let records: Vec<_> = state.alerts.values().skip(skip).cloned().collect();
        let answer = self.answer(&state);
        let pages: Vec<_> = records
            .chunks(PAGE)
            .enumerate()
            .map(|(number, records)| {
                if number >= breaks_after {
                    return Err(Status::unavailable("connection lost"));
                }
                let resume_token = vec![(skip + number * PAGE + records.len()) as u8];
                let answer = answer.clone();
                Ok(pb::ExportResponse { answer, records: records.to_vec(), resume_token, feed_cursor: Vec::new() })
            })
            .collect();
        drop(state);
        Ok(Response::new(self.messages(stream::iter(pages))))
    }

    async fn validate(&self, request: Request<pb::ValidateRequest>) -> Result<Response<pb::ValidateResponse>, Status> {
        self.enter(Some(&request.into_inner().context.unwrap_or_default())).await?;
        Ok(Response::new(pb::ValidateResponse::default()))
    }

    async fn put_attachment(
        &self,
        request: Request<Streaming<pb::PutAttachmentRequest>>,
    ) -> Result<Response<pb::PutAttachmentResponse>, Status> {
        let mut parts = request.into_inner();
        let mut size = 0;
        let mut reference = pb::AttachmentReference::default();
        while let Some(part) = parts.message().await? {
            if let Some(context) = &part.context {
                self.enter(Some(context)).await?;
            }
            reference = part.reference.unwrap_or(reference);
            size += part.chunk.len() as u64;
        }
        reference.size_bytes = size;
        let answer = self.answer(&self.state.lock().unwrap());
        Ok(Response::new(pb::PutAttachmentResponse { answer, reference: Some(reference) }))
    }

    type GetAttachmentStream = Messages<pb::GetAttachmentResponse>;

    async fn get_attachment(
        &self,
        request: Request<pb::GetAttachmentRequest>,
    ) -> Result<Response<Self::GetAttachmentStream>, Status> {
        self.enter(Some(&request.into_inner().context.unwrap_or_default())).await?;
        let breaks_after = self.breaks_after();
        let chunks = (0..4_u8).map(|number| vec![number; 1000]);
        let content_hash = hash_text(&hash_of(&chunks.clone().flatten().collect::<Vec<_>>()));
        let reference = Some(pb::AttachmentReference { content_hash, ..Default::default() });
        let parts: Vec<_> = chunks
            .enumerate()
            .map(|(number, chunk)| {
                if number >= breaks_after {
                    return Err(Status::unavailable("connection lost"));
                }
                Ok(pb::GetAttachmentResponse { chunk, reference: reference.clone(), ..Default::default() })
            })
            .collect();
        Ok(Response::new(Box::pin(stream::iter(parts))))
    }

    async fn check_duplicates(
        &self,
        _: Request<pb::CheckDuplicatesRequest>,
    ) -> Result<Response<pb::CheckDuplicatesResponse>, Status> {
        Err(Status::unimplemented("not in this fake"))
    }
    async fn submit(&self, _: Request<pb::SubmitRequest>) -> Result<Response<pb::WriteResponse>, Status> {
        Err(Status::unimplemented("not in this fake"))
    }
    async fn approve(&self, _: Request<pb::ApproveRequest>) -> Result<Response<pb::WriteResponse>, Status> {
        Err(Status::unimplemented("not in this fake"))
    }
    async fn reject(&self, _: Request<pb::RejectRequest>) -> Result<Response<pb::WriteResponse>, Status> {
        Err(Status::unimplemented("not in this fake"))
    }
    async fn extend(&self, _: Request<pb::ExtendRequest>) -> Result<Response<pb::WriteResponse>, Status> {
        Err(Status::unimplemented("not in this fake"))
    }
    async fn restrict(&self, _: Request<pb::RestrictRequest>) -> Result<Response<pb::WriteResponse>, Status> {
        Err(Status::unimplemented("not in this fake"))
    }
    async fn lift_restriction(
        &self,
        _: Request<pb::LiftRestrictionRequest>,
    ) -> Result<Response<pb::WriteResponse>, Status> {
        Err(Status::unimplemented("not in this fake"))
    }
    async fn withdraw_consent(
        &self,
        _: Request<pb::WithdrawConsentRequest>,
    ) -> Result<Response<pb::WriteResponse>, Status> {
        Err(Status::unimplemented("not in this fake"))
    }
    async fn link(&self, _: Request<pb::LinkRequest>) -> Result<Response<pb::LinkResponse>, Status> {
        Err(Status::unimplemented("not in this fake"))
    }
    async fn unlink(&self, _: Request<pb::UnlinkRequest>) -> Result<Response<pb::WriteResponse>, Status> {
        Err(Status::unimplemented("not in this fake"))
    }
    async fn transfer_owner(
        &self,
        _: Request<pb::TransferOwnerRequest>,
    ) -> Result<Response<pb::WriteResponse>, Status> {
        Err(Status::unimplemented("not in this fake"))
    }
    async fn history(&self, _: Request<pb::HistoryRequest>) -> Result<Response<pb::HistoryResponse>, Status> {
        Err(Status::unimplemented("not in this fake"))
    }
    async fn due_for_review(&self, _: Request<pb::DueForReviewRequest>) -> Result<Response<pb::ListResponse>, Status> {
        Err(Status::unimplemented("not in this fake"))
    }
}

#[tonic::async_trait]
impl FeedService for Service {
    type WatchStream = Messages<pb::WatchResponse>;

    /// Numbers behind the cursor as progress marks, up to 9; then a restart.
    async fn watch(&self, request: Request<pb::WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        use pb::watch_response::Item;
        let request = request.into_inner();
        self.enter(Some(&request.context.unwrap_or_default())).await?;
        let breaks_after = self.breaks_after();
        let from = request.cursor.first().copied().unwrap_or_default();
        let mut messages: Vec<_> = (from + 1..10)
            .enumerate()
            .map(|(number, cursor)| {
                if number >= breaks_after {
                    return Err(Status::unavailable("connection lost"));
                }
                let item = Item::Progress(pb::FeedProgress { cursor: vec![cursor], as_of: None });
                Ok(pb::WatchResponse { answer: None, item: Some(item) })
            })
            .collect();
        let restart = Item::Restart(pb::FeedRestart { code: "COMPACTED".into(), how: "export again".into() });
        messages.push(Ok(pb::WatchResponse { answer: None, item: Some(restart) }));
        Ok(Response::new(self.messages(stream::iter(messages))))
    }

    async fn acknowledge(
        &self,
        _: Request<pb::AcknowledgeRequest>,
    ) -> Result<Response<pb::AcknowledgeResponse>, Status> {
        Err(Status::unimplemented("not in this fake"))
    }
}
