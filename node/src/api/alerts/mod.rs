//! The life of an alert, for callers.
//!
//! * `content`: create and update; `life`: everything that leaves the content as it is; `links`
//! * `get`, `list`, `history`, `due`: reading; `import`, `export`: many at once

mod attachments;
mod content;
mod due;
mod export;
mod filter;
mod get;
mod history;
mod import;
mod life;
mod links;
mod list;
mod page;

use alert_core::pb::{self, alert_service_server::AlertService};
use tonic::{Request, Response, Status, Streaming};

pub(super) use content::prepare;
pub(super) use filter::Filter;
pub(super) use page::Page;

use super::{core::Api, stream::AnswerStream};

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl AlertService for Api {
    async fn validate(&self, request: Request<pb::ValidateRequest>) -> Answer<pb::ValidateResponse> {
        self.unary(request).await
    }

    async fn check_duplicates(
        &self,
        request: Request<pb::CheckDuplicatesRequest>,
    ) -> Answer<pb::CheckDuplicatesResponse> {
        self.unary(request).await
    }

    async fn create(&self, request: Request<pb::CreateRequest>) -> Answer<pb::WriteResponse> {
        self.unary(request).await
    }

    async fn update(&self, request: Request<pb::UpdateRequest>) -> Answer<pb::WriteResponse> {
        self.unary(request).await
    }

    async fn submit(&self, request: Request<pb::SubmitRequest>) -> Answer<pb::WriteResponse> {
        self.unary(request).await
    }

    async fn approve(&self, request: Request<pb::ApproveRequest>) -> Answer<pb::WriteResponse> {
        self.unary(request).await
    }

    async fn reject(&self, request: Request<pb::RejectRequest>) -> Answer<pb::WriteResponse> {
        self.unary(request).await
    }

    async fn extend(&self, request: Request<pb::ExtendRequest>) -> Answer<pb::WriteResponse> {
        self.unary(request).await
    }

    async fn restrict(&self, request: Request<pb::RestrictRequest>) -> Answer<pb::WriteResponse> {
        self.unary(request).await
    }

    async fn lift_restriction(&self, request: Request<pb::LiftRestrictionRequest>) -> Answer<pb::WriteResponse> {
        self.unary(request).await
    }

    async fn cancel(&self, request: Request<pb::CancelRequest>) -> Answer<pb::WriteResponse> {
        self.unary(request).await
    }

    async fn erase(&self, request: Request<pb::EraseRequest>) -> Answer<pb::WriteResponse> {
        self.unary(request).await
    }

    async fn withdraw_consent(&self, request: Request<pb::WithdrawConsentRequest>) -> Answer<pb::WriteResponse> {
        self.unary(request).await
    }

    async fn link(&self, request: Request<pb::LinkRequest>) -> Answer<pb::LinkResponse> {
        self.unary(request).await
    }

    async fn unlink(&self, request: Request<pb::UnlinkRequest>) -> Answer<pb::WriteResponse> {
        self.unary(request).await
    }

    async fn transfer_owner(&self, request: Request<pb::TransferOwnerRequest>) -> Answer<pb::WriteResponse> {
        self.unary(request).await
    }

    async fn get(&self, request: Request<pb::GetRequest>) -> Answer<pb::GetResponse> {
        self.unary(request).await
    }

    async fn list(&self, request: Request<pb::ListRequest>) -> Answer<pb::ListResponse> {
        self.unary(request).await
    }

    async fn history(&self, request: Request<pb::HistoryRequest>) -> Answer<pb::HistoryResponse> {
        self.unary(request).await
    }

    async fn due_for_review(&self, request: Request<pb::DueForReviewRequest>) -> Answer<pb::ListResponse> {
        self.unary(request).await
    }

    type ImportStream = AnswerStream<pb::ImportResponse>;

    async fn import(&self, request: Request<Streaming<pb::ImportRequest>>) -> Answer<Self::ImportStream> {
        self.import_stream(request).await
    }

    type ExportStream = AnswerStream<pb::ExportResponse>;

    async fn export(&self, request: Request<pb::ExportRequest>) -> Answer<Self::ExportStream> {
        self.export_stream(request).await
    }

    async fn put_attachment(
        &self,
        request: Request<Streaming<pb::PutAttachmentRequest>>,
    ) -> Answer<pb::PutAttachmentResponse> {
        self.put_attachment_stream(request).await
    }

    type GetAttachmentStream = AnswerStream<pb::GetAttachmentResponse>;

    async fn get_attachment(&self, request: Request<pb::GetAttachmentRequest>) -> Answer<Self::GetAttachmentStream> {
        self.get_attachment_stream(request).await
    }
}
