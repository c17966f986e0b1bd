//! The contracts of the alert store (`alertstore/v1/*.proto`) as generated Rust types; nothing else.

/// Package `alertstore.v1`: messages, clients and servers.
#[allow(clippy::all, clippy::pedantic, missing_docs)]
pub mod v1 {
    tonic::include_proto!("alertstore.v1");
}

/// The encoded `FileDescriptorSet` of the package, for reflection, JSON and the check against breaking changes.
pub const DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptor.bin"));
