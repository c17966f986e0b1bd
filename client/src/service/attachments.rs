//! Photos and papers: sent and fetched in chunks, each logged alone.

use alert_core::alert::attachment::{hash_of, hash_text};
use alert_proto::v1::{self as pb, alert_service_client::AlertServiceClient};
use bytes::Bytes;
use tonic::{Request, Response, Status, transport::Channel};

use crate::{
    AlertClient,
    call::{Call, Kind},
    error::{Error, codes},
    limits,
};

/// An attachment to store.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NewAttachment {
    /// May be left out: filled in from the client's defaults.
    pub context: Option<pb::CallContext>,
    /// The alert that it belongs to.
    pub alert_id: String,
    /// What it is; the node checks hash and size.
    pub reference: pb::AttachmentReference,
    /// The whole content; at most 16 MiB.
    pub content: Bytes,
}

/// An attachment as fetched.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Attachment {
    /// Context of the answer.
    pub answer: Option<pb::AnswerContext>,
    /// What it is.
    pub reference: pb::AttachmentReference,
    /// The whole content.
    pub content: Vec<u8>,
}

impl AlertClient {
    /// Stores an attachment.
    ///
    /// # Errors
    /// [`Error`], when it is too large, the call was refused, or no node could answer before the deadline.
    pub async fn put_attachment(&self, attachment: NewAttachment) -> Result<pb::PutAttachmentResponse, Error> {
        if attachment.content.len() > limits::ATTACHMENT_BYTES_MAX {
            let size = attachment.content.len();
            return Err(Error::local(
                codes::REQUEST,
                format!("an attachment of {size} bytes: at most {} are possible", limits::ATTACHMENT_BYTES_MAX),
            ));
        }
        self.call(attachment).await
    }

    /// Fetches an attachment whole.
    ///
    /// # Errors
    /// [`Error`], when the call was refused, the content is larger than 16 MiB or not the one that was asked for, or no
    /// node could answer before the deadline.
    pub async fn get_attachment(&self, request: pb::GetAttachmentRequest) -> Result<Attachment, Error> {
        self.call(request).await
    }
}

impl Call for NewAttachment {
    type Answer = pb::PutAttachmentResponse;
    const METHOD: &'static str = "put_attachment";
    const KIND: Kind = Kind::Write;

    fn context_mut(&mut self) -> Option<&mut Option<pb::CallContext>> {
        Some(&mut self.context)
    }

    fn answer_context(answer: &Self::Answer) -> Option<&pb::AnswerContext> {
        answer.answer.as_ref()
    }

    async fn send(channel: Channel, request: Request<Self>) -> Result<Response<Self::Answer>, Status> {
        let request = request.map(|attachment| {
            let head = pb::PutAttachmentRequest {
                context: attachment.context,
                alert_id: attachment.alert_id,
                reference: Some(attachment.reference),
                ..Default::default()
            };
            let content = attachment.content;
            let chunks = (0..content.len()).step_by(limits::ATTACHMENT_CHUNK_BYTES).map(move |from| {
                let to = content.len().min(from + limits::ATTACHMENT_CHUNK_BYTES);
                pb::PutAttachmentRequest { chunk: content[from..to].to_vec(), ..Default::default() }
            });
            tokio_stream::iter(std::iter::once(head).chain(chunks))
        });
        AlertServiceClient::new(channel).put_attachment(request).await
    }
}

impl Call for pb::GetAttachmentRequest {
    type Answer = Attachment;
    const METHOD: &'static str = "get_attachment";
    const KIND: Kind = Kind::Read;
    const MAY_HEDGE: bool = false;

    fn context_mut(&mut self) -> Option<&mut Option<pb::CallContext>> {
        Some(&mut self.context)
    }

    fn read_mut(&mut self) -> Option<&mut Option<pb::ReadOptions>> {
        Some(&mut self.read)
    }

    fn answer_context(answer: &Self::Answer) -> Option<&pb::AnswerContext> {
        answer.answer.as_ref()
    }

    async fn send(channel: Channel, request: Request<Self>) -> Result<Response<Self::Answer>, Status> {
        let mut chunks = AlertServiceClient::new(channel).get_attachment(request).await?.into_inner();
        let mut attachment = Attachment::default();
        while let Some(part) = chunks.message().await? {
            if attachment.content.len() + part.chunk.len() > limits::ATTACHMENT_BYTES_MAX {
                return Err(Status::resource_exhausted("the attachment is larger than this client takes"));
            }
            attachment.answer = attachment.answer.or(part.answer);
            if let Some(reference) = part.reference {
                attachment.reference = reference;
            }
            attachment.content.extend_from_slice(&part.chunk);
        }
        if hash_text(&hash_of(&attachment.content)) != attachment.reference.content_hash {
            return Err(Status::data_loss("the attachment's content is not the one that its hash names"));
        }
        Ok(Response::new(attachment))
    }
}
