//! Why a certificate was refused. One sentence each; it goes to the log, and nothing in it comes from a certificate
//! that nobody vouched for, apart from its serial number.

/// Why a certificate was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// Nothing was presented.
    #[error("no certificate was presented")]
    NoCertificate,
    /// Not a certificate.
    #[error("the certificate cannot be read: {reason}")]
    Unreadable {
        /// What the parser said.
        reason: String,
    },
    /// No anchor of this port vouches for it.
    #[error("certificate {serial} was issued by an authority that this port does not trust")]
    UntrustedIssuer {
        /// Of the certificate.
        serial: String,
    },
    /// Too late.
    #[error("certificate {serial} has expired")]
    Expired {
        /// Of the certificate.
        serial: String,
    },
    /// Too early.
    #[error("certificate {serial} is not valid yet")]
    NotValidYet {
        /// Of the certificate.
        serial: String,
    },
    /// Its extended key usage forbids it.
    #[error("certificate {serial} was not issued for clients")]
    NotForClients {
        /// Of the certificate.
        serial: String,
    },
    /// Any other failure of the chain.
    #[error("certificate {serial} does not hold: {reason}")]
    Invalid {
        /// Of the certificate.
        serial: String,
        /// What the verifier said.
        reason: String,
    },
    /// On the deny list.
    #[error("certificate {serial} is on the deny list")]
    Denied {
        /// Of the certificate, or of an intermediate one.
        serial: String,
    },
    /// A part of the subject is missing, repeated or of the wrong form.
    #[error("the subject of certificate {serial} has {what}")]
    Subject {
        /// Of the certificate.
        serial: String,
        /// For example "no organisational unit (OU)".
        what: String,
    },
    /// A node's number is missing, repeated, wrong, or where none belongs.
    #[error("certificate {serial} has {what}")]
    NodeNumber {
        /// Of the certificate.
        serial: String,
        /// For example "the role node but no node number".
        what: &'static str,
    },
    /// The anchor may not give this role on this port.
    #[error("the authority '{anchor}' may not give the role '{role}' here, only {allowed}")]
    RoleNotAllowed {
        /// The anchor's name.
        anchor: String,
        /// What the certificate says.
        role: String,
        /// What it might have said.
        allowed: String,
    },
    /// The anchor may not speak for this country.
    #[error("the authority '{anchor}' may not speak for the country '{country}', only {allowed}")]
    CountryNotAllowed {
        /// The anchor's name.
        anchor: String,
        /// What the certificate says.
        country: String,
        /// What it might have said.
        allowed: String,
    },
    /// The anchor may not speak for this authority.
    #[error("the authority '{anchor}' may not speak for '{authority}', only {allowed}")]
    AuthorityNotAllowed {
        /// The anchor's name.
        anchor: String,
        /// What the certificate says.
        authority: String,
        /// What it might have said.
        allowed: String,
    },
    /// A server that is no node of the cluster.
    #[error("the server's certificate has the role '{role}', not 'node'")]
    NotANode {
        /// What the certificate says.
        role: String,
    },
    /// Another node answers at this address.
    #[error("node {found} answers where node {expected} was expected")]
    OtherNode {
        /// Who should be there.
        expected: u64,
        /// Who is there.
        found: u64,
    },
}
