//! JSON by the canonical mapping of protobuf (lowerCamelCase names, enum names, RFC 3339 times, base64 bytes), over the
//! descriptors of the contracts.

use std::sync::LazyLock;

use alert_proto::v1 as pb;
use prost::Message;
use prost_reflect::{DescriptorPool, DeserializeOptions, DynamicMessage, MessageDescriptor, SerializeOptions};
use serde::Serialize;
use thiserror::Error;

static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| {
    DescriptorPool::decode(alert_proto::DESCRIPTOR_SET)
        .expect("the descriptor set was made by the build from the contracts themselves")
});

/// Text that is no message of the wanted type.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
#[error("{0}")]
pub struct JsonError(String);

/// A message that has a JSON form here.
pub trait JsonMessage: Message + Default {
    /// Its name within the package.
    const NAME: &'static str;
}

macro_rules! json_messages {
    ($($name:ident),* $(,)?) => { $( impl JsonMessage for pb::$name { const NAME: &'static str = stringify!($name); } )* };
}

json_messages!(
    Agreement,
    AgreementResponse,
    Alert,
    AlertRecord,
    ErrorDetail,
    Fault,
    GetResponse,
    HistoryEntry,
    HistoryResponse,
    InitResponse,
    ListAgreementsResponse,
    ListResponse,
    MembershipResponse,
    Rules,
    RulesResponse,
    SearchResponse,
    StatusResponse,
    Topology,
    TransferLeaderResponse,
    TriggerSnapshotResponse,
    VerifyAuditResponse,
    WriteResponse,
    AuditRecords,
    LinkResponse,
    ValidateResponse,
    AttachmentReference,
    AuditAnchorsResponse,
    CheckDuplicatesResponse,
    HitReport,
    HitResponse,
    ListHitsResponse,
    PutAttachmentResponse,
    StatisticsResponse,
);

fn descriptor<M: JsonMessage>() -> MessageDescriptor {
    let name = format!("alertstore.v1.{}", M::NAME);
    POOL.get_message_by_name(&name).expect("every message named here is one of the contracts")
}

/// Reads one message. Unknown fields are errors, so that a typing error in a field's name is found.
///
/// # Errors
/// [`JsonError`] with the place, when the text is no JSON or no such message.
pub fn from_str<M: JsonMessage>(text: &str) -> Result<M, JsonError> {
    let wrong = |error: &dyn std::fmt::Display| JsonError(error.to_string());
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let message = DynamicMessage::deserialize_with_options(
        descriptor::<M>(),
        &mut deserializer,
        &DeserializeOptions::new().deny_unknown_fields(true),
    )
    .map_err(|error| wrong(&error))?;
    deserializer.end().map_err(|error| wrong(&error))?;
    message.transcode_to().map_err(|error| wrong(&error))
}

fn dynamic<M: JsonMessage>(message: &M) -> DynamicMessage {
    let mut dynamic = DynamicMessage::new(descriptor::<M>());
    dynamic.transcode_from(message).expect("a message decodes by its own descriptor");
    dynamic
}

/// The message on one line, fields with default values left out.
pub fn to_string<M: JsonMessage>(message: &M) -> String {
    serde_json::to_string(&dynamic(message)).expect("strings as keys, and no writer that can fail")
}

/// The message as a JSON value, to be put into a larger one.
pub fn to_value<M: JsonMessage>(message: &M) -> serde_json::Value {
    dynamic(message)
        .serialize_with_options(serde_json::value::Serializer, &SerializeOptions::new())
        .expect("strings as keys, and no writer that can fail")
}

/// The message over several lines, for people.
pub fn to_string_pretty<M: JsonMessage>(message: &M) -> String {
    serde_json::to_string_pretty(&Pretty(dynamic(message))).expect("strings as keys, and no writer that can fail")
}

#[derive(Serialize)]
#[serde(transparent)]
struct Pretty(DynamicMessage);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_comes_back_from_its_json_unchanged() {
        let alert = pb::Alert {
            id: "0190a7c8-0000-7000-8000-000000000001".into(),
            core: Some(pb::Core {
                source: Some(pb::Source { system: "UK".into(), source_version: 7, ..Default::default() }),
                subject_kind: pb::SubjectKind::Person as i32,
                valid_from: Some(prost_types::Timestamp { seconds: 1_700_000_000, nanos: 0 }),
                ..Default::default()
            }),
            ..Default::default()
        };
        let text = to_string(&alert);
        assert!(text.contains(r#""subjectKind":"SUBJECT_KIND_PERSON""#), "{text}");
        assert!(text.contains(r#""validFrom":"2023-11-14T22:13:20Z""#), "{text}");
        assert_eq!(from_str::<pb::Alert>(&text).unwrap(), alert);
        assert_eq!(from_str::<pb::Alert>(&to_string_pretty(&alert)).unwrap(), alert);
    }

    #[test]
    fn a_misspelt_field_is_named() {
        let error = from_str::<pb::Alert>(r#"{"core":{"subjectKint":1}}"#).unwrap_err();
        assert!(error.to_string().contains("subjectKint"), "{error}");
        assert!(from_str::<pb::Alert>("{} {}").is_err());
    }
}
