//! The contracts of the alert store (`alertstore/v1/*.proto`) as generated Rust types; nothing else.

#![warn(missing_docs)]

/// Package `alertstore.v1`: messages, clients and servers. What each field holds, in which unit, and when it is empty, is said
/// in the contracts and stands here word for word.
#[allow(clippy::all, clippy::pedantic)]
pub mod v1 {
    tonic::include_proto!("alertstore.v1");
}

/// The encoded `FileDescriptorSet` of the package, for reflection, JSON and the check against breaking changes.
pub const DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptor.bin"));
