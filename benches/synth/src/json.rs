//! Records as newline-delimited JSON, by the canonical protobuf JSON mapping.

use std::io::{self, Write};

use alert_proto::v1 as pb;
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor};

/// Writes records, one a line.
#[derive(Debug, Clone)]
pub struct JsonWriter {
    alert: MessageDescriptor,
}

impl Default for JsonWriter {
    fn default() -> Self {
        Self::new()
    }
}

impl JsonWriter {
    /// Reads the contracts' descriptors once.
    pub fn new() -> Self {
        let pool =
            DescriptorPool::decode(alert_proto::DESCRIPTOR_SET).expect("the contracts are compiled into this program");
        let alert = pool.get_message_by_name("alertstore.v1.Alert").expect("the contracts name the alert");
        Self { alert }
    }

    /// One line, its line feed included.
    ///
    /// # Errors
    /// Whatever `out` says.
    pub fn write(&self, alert: &pb::Alert, out: &mut impl Write) -> io::Result<()> {
        let message =
            DynamicMessage::decode(self.alert.clone(), alert.encode_to_vec().as_slice()).map_err(io::Error::other)?;
        serde_json::to_writer(&mut *out, &message)?;
        out.write_all(b"\n")
    }
}
