//! Who a certificate's holder is, and which authority may say so.
//!
//! A certificate's subject names one country (C), authority (O), system (CN) and role (OU). That alone proves nothing:
//! each trust [`Anchor`] is bound to what it may assert, so that the authority of a partner can vouch neither for a
//! node nor for another country. Nodes also carry their number, as the URI `alertstore:node:ID` among their names.
//!
//! * [`roles`]: the names of roles
//! * `subject`: what a certificate says
//! * `anchor`: who vouches for it, and whether they may

mod anchor;
mod error;
pub mod roles;
mod subject;

pub use anchor::{Anchor, Anchors, Binding};
pub use error::IdentityError;
use rustls_pki_types::{CertificateDer, UnixTime};
pub use subject::{Subject, is_country, is_name, normal_serial};

/// What a node's number looks like among its certificate's names: this and the number.
pub const NODE_URI_PREFIX: &str = "alertstore:node:";

/// The holder of a certificate that one of our trust anchors vouched for, within what it may assert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// C: a country or organisation, in capital letters.
    pub country: String,
    /// O: the authority.
    pub authority: String,
    /// CN: the system; a node's name.
    pub system: String,
    /// OU: one of [`roles::ALL`].
    pub role: String,
    /// Set for nodes, and for them alone.
    pub node_id: Option<u64>,
    /// Serial number of the certificate: small hexadecimal digits without leading zeros.
    pub serial: String,
    /// Name of the anchor that vouched.
    pub anchor: String,
}

/// Who presented `chain` (its own certificate first), by the anchors of the port it came to, now.
///
/// The handshake has checked the same before ([`crate::tls`]); this tells what it found.
pub fn peer_identity(chain: &[CertificateDer<'_>], anchors: &Anchors) -> Result<Identity, IdentityError> {
    anchors.identify(chain, UnixTime::now())
}

/// Checks that `chain`, which a TLS client has verified against the cluster's authority, is that of a node, and of
/// `node_id` where one is expected. Returns its number.
pub fn check_node(chain: &[CertificateDer<'_>], node_id: Option<u64>) -> Result<u64, IdentityError> {
    let certificate = chain.first().ok_or(IdentityError::NoCertificate)?;
    let subject = Subject::of(certificate)?;
    match (subject.node_id, node_id) {
        (None, _) => Err(IdentityError::NotANode { role: subject.role }),
        (Some(found), Some(expected)) if found != expected => Err(IdentityError::OtherNode { expected, found }),
        (Some(found), _) => Ok(found),
    }
}
