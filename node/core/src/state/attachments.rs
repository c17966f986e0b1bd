//! The content of attachments, in chunks beside the record that names them.

use super::{
    View, ViewError,
    alerts::Loaded,
    command::Outcome,
    context::{Applied, Context, invalid},
    family::{self, Family},
    feed::Change,
    scan_prefix,
    writer::Writer,
};
use crate::{
    alert::{
        AlertId,
        attachment::{ContentHash, chunk_bytes, chunks, references},
        lifecycle::Step,
    },
    codec, pb,
};

impl Context<'_, '_> {
    /// The size that the alert's record gives for an attachment, if the caller may store it.
    fn referenced(&self, id: AlertId, hash: &ContentHash) -> Applied<(u64, Loaded)> {
        let (loaded, _) = self.load_for(id, 0, Step::Update)?;
        let size_bytes = references(&loaded.alert).remove(hash);
        let unnamed = || invalid("reference.content_hash", "the alert's record names no such attachment");
        Ok((size_bytes.ok_or_else(unnamed)?, loaded))
    }

    fn stored(&self, id: AlertId, loaded: &Loaded, outcome: Outcome) -> Applied {
        Ok(self.done(id, loaded.version(), loaded.state() as i32, outcome))
    }

    /// Before all chunks are there nobody sees any of them, so a chunk has no revision of its own.
    pub fn put_attachment_chunk(&mut self, id: AlertId, hash: ContentHash, number: u32, bytes: Vec<u8>) -> Applied {
        let (size_bytes, loaded) = self.referenced(id, &hash)?;
        if chunk_bytes(size_bytes, number) != Some(bytes.len()) {
            return Err(invalid("chunk", "the attachment has no such chunk"));
        }
        if self.writer.get(Family::Attachments, &family::attachment(id, &hash))?.is_some() {
            return self.stored(id, &loaded, Outcome::Unchanged);
        }
        self.writer.set(Family::Attachments, family::attachment_chunk(id, &hash, number), Some(bytes))?;
        self.stored(id, &loaded, Outcome::Changed)
    }

    pub fn seal_attachment(&mut self, id: AlertId, hash: ContentHash) -> Applied {
        let (size_bytes, loaded) = self.referenced(id, &hash)?;
        let key = family::attachment(id, &hash);
        if self.writer.get(Family::Attachments, &key)?.is_some() {
            return self.stored(id, &loaded, Outcome::Unchanged);
        }
        let mut hasher = blake3::Hasher::new();
        for number in 0..chunks(size_bytes) {
            let chunk = self.writer.get(Family::Attachments, &family::attachment_chunk(id, &hash, number))?;
            let missing = || invalid("chunk", "not all of the attachment has arrived");
            hasher.update(&chunk.ok_or_else(missing)?);
        }
        if *hasher.finalize().as_bytes() != hash {
            return Err(invalid("reference.content_hash", "the content has another hash"));
        }
        self.writer.meta.revision += 1;
        self.writer.tell(Change::Attachment { alert: id });
        self.writer.set(Family::Attachments, key, Some(codec::encode(&size_bytes)))?;
        self.stored(id, &loaded, Outcome::Changed)
    }
}

/// Removes the content that `before` names and `after` does not. What is no longer named is no longer kept, whatever
/// the history still tells of it.
pub(super) fn keep_referenced(
    writer: &mut Writer<'_>,
    id: AlertId,
    before: &pb::Alert,
    after: Option<&pb::Alert>,
) -> Result<(), ViewError> {
    let kept = after.map(references).unwrap_or_default();
    for hash in references(before).into_keys().filter(|hash| !kept.contains_key(hash)) {
        let mut keys = Vec::new();
        scan_prefix(writer.view(), Family::Attachments, &family::attachment(id, &hash), |key, _| {
            keys.push(key.to_vec());
            Ok(true)
        })?;
        for key in keys {
            writer.set(Family::Attachments, key, None)?;
        }
    }
    Ok(())
}

/// The size of an attachment in bytes, once all of it is there.
pub fn read_attachment(view: &dyn View, alert: AlertId, hash: &ContentHash) -> Result<Option<u64>, ViewError> {
    let size_bytes = view.get(Family::Attachments, &family::attachment(alert, hash))?;
    Ok(size_bytes.map(|bytes| codec::decode(&bytes)).transpose()?)
}

/// One chunk of an attachment.
pub fn read_attachment_chunk(
    view: &dyn View,
    alert: AlertId,
    hash: &ContentHash,
    number: u32,
) -> Result<Option<Vec<u8>>, ViewError> {
    view.get(Family::Attachments, &family::attachment_chunk(alert, hash, number))
}
