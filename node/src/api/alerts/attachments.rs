//! Photos and papers: stored and fetched in chunks, each attachment on its own and logged on its own. What a caller may
//! fetch is what the record, cut down to its rights, names.

use alert_core::{
    alert::{
        AlertId,
        attachment::{ContentHash, chunks, hash_text, parse_hash},
    },
    limits::{ATTACHMENT_BYTES_MAX, ATTACHMENT_CHUNK_BYTES},
    pb,
    state::{command::Command, read_attachment, read_attachment_chunk},
};
use futures::{StreamExt, stream};
use tonic::{Request, Response, Status, Streaming};

use crate::api::{
    admission::Class,
    call::Call,
    core::{Api, Operate, Refusal},
    errors::{ApiError, ApiResult},
    operations::{self, Operation},
    reading::Reading,
    records::parse_id,
    stream::{AnswerStream, StreamCall, over},
    work::Gone,
};

/// What an upload says in its first message.
#[derive(Clone)]
struct Upload {
    id: AlertId,
    hash: ContentHash,
    size_bytes: u64,
}

impl Upload {
    fn of(request: &pb::PutAttachmentRequest) -> ApiResult<Self> {
        let id = parse_id("alert_id", &request.alert_id)?;
        let reference = request.reference.clone().unwrap_or_default();
        let hash = content_hash("reference.content_hash", &reference.content_hash)?;
        if reference.size_bytes == 0 || reference.size_bytes > ATTACHMENT_BYTES_MAX {
            let message = format!("1 to {ATTACHMENT_BYTES_MAX} bytes");
            return Err(ApiError::field("reference.size_bytes", "OUT_OF_RANGE", message));
        }
        Ok(Self { id, hash, size_bytes: reference.size_bytes })
    }

    fn fault(message: &str) -> Box<ApiError> {
        ApiError::field("chunk", "INVALID", message)
    }
}

fn content_hash(field: &str, text: &str) -> ApiResult<ContentHash> {
    let wrong = || ApiError::field(field, "MALFORMED", "a BLAKE3 hash of 64 lower-case hexadecimal digits");
    parse_hash(text).ok_or_else(wrong)
}

impl Api {
    /// Takes an upload piece by piece: each full chunk goes through the log before the next is read, the last one only
    /// when the whole has the hash that was promised.
    pub(super) async fn put_attachment_stream(
        &self,
        request: Request<Streaming<pb::PutAttachmentRequest>>,
    ) -> Result<Response<pb::PutAttachmentResponse>, Status> {
        let (stream, first, messages) = self.enter_streams(&operations::PUT_ATTACHMENT, request).await?;
        let upload = match Upload::of(&first) {
            Ok(upload) => upload,
            Err(error) => return Err(self.refuse(&stream.call, error).await.into()),
        };
        let mut messages = std::pin::pin!(messages);
        let mut hasher = blake3::Hasher::new();
        let (mut waiting, mut received, mut sent) = (Vec::new(), 0u64, 0u64);
        while let Some(message) = messages.next().await {
            let message: pb::PutAttachmentRequest = message?;
            received += message.chunk.len() as u64;
            if received > upload.size_bytes {
                let error = Upload::fault("more bytes than the reference says");
                return Err(self.refuse(&stream.call, error).await.into());
            }
            hasher.update(&message.chunk);
            waiting.extend_from_slice(&message.chunk);
            // The last chunk waits for the end.
            while waiting.len() > ATTACHMENT_CHUNK_BYTES {
                let rest = waiting.split_off(ATTACHMENT_CHUNK_BYTES);
                let chunk = std::mem::replace(&mut waiting, rest);
                let next = sent + chunk.len() as u64;
                self.send_chunk(&stream, &first, sent, chunk).await?;
                sent = next;
            }
        }
        if received != upload.size_bytes || hasher.finalize().as_bytes() != &upload.hash {
            let error = Upload::fault("the content is not the one that the reference names: other size or hash");
            return Err(self.refuse(&stream.call, error).await.into());
        }
        self.send_chunk(&stream, &first, sent, waiting).await.map(Response::new)
    }

    async fn send_chunk(
        &self,
        stream: &StreamCall,
        first: &pb::PutAttachmentRequest,
        offset: u64,
        chunk: Vec<u8>,
    ) -> Result<pb::PutAttachmentResponse, Status> {
        if stream.is_over() {
            return Err(over());
        }
        let piece = pb::PutAttachmentRequest { context: None, chunk, offset, ..first.clone() };
        let step = stream.step(&piece);
        match self.through_leader(&step, &piece).await {
            Ok(answer) => Ok(answer),
            Err(Refusal::AtLeader(status)) => Err(status),
            Err(Refusal::Here(error)) => Err(self.refuse(&step, error).await.into()),
        }
    }
}

/// One chunk, on the leader; the last one completes the attachment and is answered.
impl Operate for pb::PutAttachmentRequest {
    const OPERATION: &'static Operation = &operations::PUT_ATTACHMENT;
    type Reply = pb::PutAttachmentResponse;

    async fn operate(&self, api: &Api, call: &Call) -> ApiResult<Self::Reply> {
        let Upload { id, hash, size_bytes } = Upload::of(self)?;
        if !self.offset.is_multiple_of(ATTACHMENT_CHUNK_BYTES as u64) || self.offset >= size_bytes {
            return Err(Upload::fault("no chunk begins there"));
        }
        let number = (self.offset / ATTACHMENT_CHUNK_BYTES as u64) as u32;
        let rules_revision = api.here(call).await?.meta.rules_revision;
        let chunk = Command::PutAttachmentChunk { id, hash, number, bytes: self.chunk.clone() };
        api.propose_unkeyed(call, rules_revision, chunk).await?;
        if self.offset + (self.chunk.len() as u64) < size_bytes {
            return Ok(pb::PutAttachmentResponse::default());
        }
        let done = api.propose(call, rules_revision, Command::SealAttachment { id, hash }).await?;
        Ok(pb::PutAttachmentResponse {
            answer: Some(api.written(call, &done).await?),
            reference: self.reference.clone(),
        })
    }
}

/// An attachment on its way out.
struct Fetch {
    api: Api,
    stream: StreamCall,
    request: pb::GetAttachmentRequest,
    id: AlertId,
    hash: ContentHash,
    chunks: u32,
    next: u32,
    hasher: blake3::Hasher,
}

impl Api {
    /// Gives out one attachment in chunks. The audit record is durable before the first of them.
    pub(super) async fn get_attachment_stream(
        &self,
        request: Request<pb::GetAttachmentRequest>,
    ) -> Result<Response<AnswerStream<pb::GetAttachmentResponse>>, Status> {
        let (stream, request) = self.enter_stream(&operations::GET_ATTACHMENT, request)?;
        let (head, opened) = self.step(&stream.call, self.open_attachment(&stream.call, &request)).await?;
        let Opened { id, hash, size_bytes } = opened;
        let (chunks, hasher) = (chunks(size_bytes), blake3::Hasher::new());
        let fetch = Fetch { api: self.clone(), stream, request, id, hash, chunks, next: 0, hasher };
        let content = stream::try_unfold(fetch, |mut fetch| async move {
            let chunk = fetch.next().await?;
            Ok(chunk.map(|chunk| (pb::GetAttachmentResponse { chunk, ..Default::default() }, fetch)))
        });
        Ok(Response::new(Box::pin(stream::once(std::future::ready(Ok(head))).chain(content))))
    }

    async fn open_attachment(
        &self,
        call: &Call,
        request: &pb::GetAttachmentRequest,
    ) -> ApiResult<(pb::GetAttachmentResponse, Opened)> {
        let id = parse_id("alert_id", &request.alert_id)?;
        let hash = content_hash("content_hash", &request.content_hash)?;
        let reading = self.reading(call, request.read.as_ref()).await?;
        let (reference, version) = self.named_attachment(&reading, id, &hash)?;
        let size_bytes = read_attachment(&*reading.handle.view, id, &hash)?;
        let size_bytes = size_bytes.ok_or_else(|| ApiError::not_found("attachment"))?;
        let given = pb::AuditDisclosure { alert_id: id.to_string(), version, what: "attachment".into() };
        let answer = Some(self.disclose(call, &reading, vec![given]).await?);
        let head = pb::GetAttachmentResponse { answer, reference: Some(reference), chunk: Vec::new() };
        Ok((head, Opened { id, hash, size_bytes }))
    }

    /// What the record tells this caller of an attachment, and the record's version. Whom it does not tell, for them the
    /// attachment is not there.
    fn named_attachment(
        &self,
        reading: &Reading,
        id: AlertId,
        hash: &ContentHash,
    ) -> ApiResult<(pb::AttachmentReference, u64)> {
        let seen = self.find_or_refuse(reading, id)?;
        let record = self.record(reading, &seen)?.alert.unwrap_or_default();
        let mut named = record.attachments.into_iter().flat_map(|section| section.attachments);
        let reference = named.find(|reference| reference.content_hash == hash_text(hash));
        let reference = reference.ok_or_else(|| ApiError::not_found("attachment"))?;
        Ok((reference, seen.stored.header.version))
    }
}

/// An attachment that is there for its caller.
struct Opened {
    id: AlertId,
    hash: ContentHash,
    size_bytes: u64,
}

impl Fetch {
    /// The next chunk; `None` after the last. The last one is given only when the whole has the hash that it is known by.
    async fn next(&mut self) -> Result<Option<Vec<u8>>, Status> {
        if self.next == self.chunks {
            return Ok(None);
        }
        if self.stream.is_over() {
            return Err(over());
        }
        let step = self.stream.step(&self.request);
        let chunk = self.api.step(&step, self.chunk(&step)).await?;
        self.hasher.update(&chunk);
        self.next += 1;
        if self.next == self.chunks && *self.hasher.finalize().as_bytes() != self.hash {
            let broken = ApiError::internal(format!("attachment of {}: its content has another hash", self.id));
            return Err(self.api.refuse(&step, broken).await.into());
        }
        Ok(Some(chunk))
    }

    /// A chunk as the newest state has it for this caller: its alert may have been cancelled or hidden, the caller's
    /// agreement suspended, while the chunks before it were on their way.
    async fn chunk(&self, call: &Call) -> ApiResult<Vec<u8>> {
        let reading = self.api.reading_on(call, self.request.read.as_ref()).await?;
        let (api, state, id, hash, number) = (self.api.clone(), reading.clone(), self.id, self.hash, self.next);
        let work = move |_: &Gone| {
            api.named_attachment(&state, id, &hash)?;
            Ok(read_attachment_chunk(&*state.handle.view, id, &hash, number)?)
        };
        let chunk = self.api.work(call, Class::Feed, work).await?;
        self.api.check_leaves(&reading)?;
        chunk.ok_or_else(|| ApiError::internal(format!("attachment of {id}: a chunk is missing")))
    }
}
