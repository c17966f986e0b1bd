//! The stored record: a header of our own in front of the alert's protobuf bytes.
//!
//! The leader makes the bytes once; the log carries them; every node stores them as they are. The alert's top-level
//! fields are its sections: each can be cut out and replaced without decoding the others.

use prost::{
    Message,
    encoding::{self, DecodeContext, WireType},
};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Caller, LabelId};
use crate::{codec, codec::CodecError, pb};

/// The sections of `pb::Alert`, by field number.
pub type Section = u32;

/// Field numbers of the sections, and the names callers know them by.
pub mod sections {
    use super::Section;

    /// Not a section: the alert's id.
    pub const ID: Section = 1;
    pub const CORE: Section = 2;
    pub const IDENTITIES: Section = 3;
    pub const VICTIMS: Section = 4;
    pub const OBJECTS: Section = 5;
    pub const ACTION: Section = 6;
    pub const INTERNAL: Section = 7;
    pub const ATTACHMENTS: Section = 8;
    pub const LIFECYCLE: Section = 9;

    /// Section and name.
    pub const NAMES: [(Section, &str); 8] = [
        (CORE, "core"),
        (IDENTITIES, "identities"),
        (VICTIMS, "victims"),
        (OBJECTS, "objects"),
        (ACTION, "action"),
        (INTERNAL, "internal"),
        (ATTACHMENTS, "attachments"),
        (LIFECYCLE, "lifecycle"),
    ];
}

/// What the state machine knows of a record without decoding it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Key of the sealed sections; 0 = not sealed.
    pub data_key_id: u32,
    /// Grows by one with each change.
    pub version: u64,
    /// Revision of the state machine at which this version was made.
    pub revision: u64,
    /// Replicated time, milliseconds since 1970.
    pub created_at_ms: u64,
    /// Replicated time, milliseconds since 1970.
    pub changed_at_ms: u64,
    /// `pb::AlertState` as a number.
    pub state: i32,
    /// Label of this version.
    pub label: LabelId,
    /// "create", "update", "cancel"...
    pub change: String,
    /// Whose call made this version; `None` for the store itself (expiry).
    pub changed_by: Option<Caller>,
    /// Urgency under the rules in force when this version was made; 0 = most urgent. Kept, because index keys hold it and
    /// must be found again after the rules have changed.
    pub priority: u8,
}

/// A record as it lies in `alerts` and `history`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAlert {
    /// What is known without decoding.
    pub header: Header,
    /// Encoded `pb::Alert`.
    pub alert: Vec<u8>,
}

/// Stored bytes that are no record.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum RecordError {
    /// The header does not decode.
    #[error(transparent)]
    Header(#[from] CodecError),
    /// The protobuf part does not decode.
    #[error("record does not decode: {0}")]
    Alert(String),
}

impl From<prost::DecodeError> for RecordError {
    fn from(error: prost::DecodeError) -> Self {
        Self::Alert(error.to_string())
    }
}

impl StoredAlert {
    /// Value bytes: format byte, header, alert.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = codec::encode(&self.header);
        bytes.extend_from_slice(&self.alert);
        bytes
    }

    /// From value bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, RecordError> {
        let (header, alert) = codec::decode_prefix(bytes)?;
        Ok(Self { header, alert: alert.to_vec() })
    }

    /// The header alone.
    pub fn decode_header(bytes: &[u8]) -> Result<Header, RecordError> {
        Ok(codec::decode_prefix(bytes)?.0)
    }

    /// The whole alert, decoded.
    pub fn to_alert(&self) -> Result<pb::Alert, RecordError> {
        Ok(pb::Alert::decode(self.alert.as_slice())?)
    }

    /// Puts `content` in place of one section (`None` removes it); the other bytes stay as they are.
    pub fn replace_section(&mut self, section: Section, content: Option<&[u8]>) -> Result<(), RecordError> {
        let mut bytes = retain_fields(&self.alert, |field| field != section)?;
        if let Some(content) = content {
            encoding::encode_key(section, WireType::LengthDelimited, &mut bytes);
            encoding::encode_varint(content.len() as u64, &mut bytes);
            bytes.extend_from_slice(content);
        }
        self.alert = bytes;
        Ok(())
    }

    /// One section decoded, or its default when absent.
    pub fn section<T: Message + Default>(&self, section: Section) -> Result<T, RecordError> {
        let mut found = T::default();
        for field in fields(&self.alert) {
            let (number, _, content) = field?;
            if number == section {
                found.merge(content)?;
            }
        }
        Ok(found)
    }
}

/// Copies only the top-level fields that `keep` names, byte for byte. This is redaction: what is not on the allow-list
/// is not understood, only left out, and unknown fields go with it.
pub fn retain_fields(alert: &[u8], mut keep: impl FnMut(u32) -> bool) -> Result<Vec<u8>, RecordError> {
    let mut kept = Vec::with_capacity(alert.len());
    for field in fields(alert) {
        let (number, whole, _) = field?;
        if keep(number) {
            kept.extend_from_slice(whole);
        }
    }
    Ok(kept)
}

/// The top-level fields of an encoded message: (number, whole field with its key, content of a length-delimited one).
fn fields(message: &[u8]) -> impl Iterator<Item = Result<(u32, &[u8], &[u8]), RecordError>> {
    let mut rest = message;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        Some(next_field(&mut rest).inspect_err(|_| ()))
    })
    .fuse()
}

fn next_field<'a>(rest: &mut &'a [u8]) -> Result<(u32, &'a [u8], &'a [u8]), RecordError> {
    let start = *rest;
    let outcome = (|| {
        let (number, wire_type) = encoding::decode_key(rest)?;
        let mut content: &[u8] = &[];
        if wire_type == WireType::LengthDelimited {
            let length = encoding::decode_varint(rest)? as usize;
            if length > rest.len() {
                return Err(RecordError::Alert("a section is longer than the record".into()));
            }
            (content, *rest) = rest.split_at(length);
        } else {
            encoding::skip_field(wire_type, number, rest, DecodeContext::default())?;
        }
        Ok((number, &start[..start.len() - rest.len()], content))
    })();
    if outcome.is_err() {
        *rest = &[];
    }
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored() -> StoredAlert {
        let alert = pb::Alert {
            id: "x".into(),
            core: Some(pb::Core { parent_alert_id: "p".into(), ..Default::default() }),
            internal: Some(pb::InternalSection { note: "secret".into(), ..Default::default() }),
            data_key_id: 7,
            ..Default::default()
        };
        let header = Header {
            data_key_id: 0,
            version: 3,
            revision: 9,
            created_at_ms: 1,
            changed_at_ms: 2,
            state: 5,
            label: 4,
            change: "create".into(),
            changed_by: None,
            priority: 5,
        };
        StoredAlert { header, alert: alert.encode_to_vec() }
    }

    #[test]
    fn a_record_comes_back_as_it_was_stored() {
        assert_eq!(StoredAlert::decode(&stored().encode()), Ok(stored()));
        assert_eq!(StoredAlert::decode_header(&stored().encode()), Ok(stored().header));
    }

    #[test]
    fn a_section_is_replaced_and_the_rest_stays_byte_for_byte() {
        let mut record = stored();
        let lifecycle = pb::Lifecycle { rule_version: 12, ..Default::default() };
        record.replace_section(sections::LIFECYCLE, Some(&lifecycle.encode_to_vec())).unwrap();
        record.replace_section(sections::INTERNAL, None).unwrap();
        let alert = record.to_alert().unwrap();
        assert_eq!(alert.lifecycle, Some(lifecycle));
        assert_eq!(alert.internal, None);
        assert_eq!(alert.core, stored().to_alert().unwrap().core);
        assert_eq!(alert.data_key_id, 7);
        assert_eq!(record.section::<pb::Core>(sections::CORE).unwrap().parent_alert_id, "p");
    }

    #[test]
    fn redaction_leaves_out_what_it_does_not_know() {
        let mut bytes = stored().alert;
        encoding::encode_key(99, WireType::LengthDelimited, &mut bytes);
        bytes.extend_from_slice(&[3, b'n', b'e', b'w']);
        let kept = retain_fields(&bytes, |field| field == sections::CORE).unwrap();
        let alert = pb::Alert::decode(kept.as_slice()).unwrap();
        assert_eq!(alert, pb::Alert { core: stored().to_alert().unwrap().core, ..Default::default() });
    }

    #[test]
    fn a_cut_record_is_an_error_and_not_a_panic() {
        let bytes = stored().alert;
        for length in 1..bytes.len() {
            let _ = retain_fields(&bytes[..length], |_| true);
        }
        assert!(retain_fields(&bytes[..4], |_| true).is_err());
    }
}
