//! Trust anchors, and what each may assert.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use rustls::{
    CertificateError, Error as TlsFault, RootCertStore,
    server::{WebPkiClientVerifier, danger::ClientCertVerifier},
};
use rustls_pki_types::{CertificateDer, UnixTime};

use super::{Identity, IdentityError, Subject, roles, subject};

/// What an anchor may assert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// Roles it may give.
    pub roles: BTreeSet<String>,
    /// Countries it may speak for; `None` = any.
    pub countries: Option<BTreeSet<String>>,
    /// Authorities it may speak for; `None` = any.
    pub authorities: Option<BTreeSet<String>>,
}

impl Binding {
    /// The cluster's own authority at the clients' port: operators. Nodes have a port of their own.
    pub fn operators() -> Self {
        Self { roles: BTreeSet::from([roles::OPERATOR.to_owned()]), countries: None, authorities: None }
    }

    /// The cluster's own authority at the nodes' port.
    pub fn nodes() -> Self {
        Self { roles: BTreeSet::from([roles::NODE.to_owned()]), countries: None, authorities: None }
    }

    fn check(&self, anchor: &str, subject: &Subject) -> Result<(), IdentityError> {
        let list = |allowed: &BTreeSet<String>| allowed.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        let anchor = || anchor.to_owned();
        if !self.roles.contains(&subject.role) {
            let allowed = list(&self.roles);
            return Err(IdentityError::RoleNotAllowed { anchor: anchor(), role: subject.role.clone(), allowed });
        }
        if let Some(countries) = self.countries.as_ref().filter(|countries| !countries.contains(&subject.country)) {
            let (country, allowed) = (subject.country.clone(), list(countries));
            return Err(IdentityError::CountryNotAllowed { anchor: anchor(), country, allowed });
        }
        if let Some(names) = self.authorities.as_ref().filter(|names| !names.contains(&subject.authority)) {
            let (authority, allowed) = (subject.authority.clone(), list(names));
            return Err(IdentityError::AuthorityNotAllowed { anchor: anchor(), authority, allowed });
        }
        Ok(())
    }
}

/// An authority that we trust, within its binding.
#[derive(Debug, Clone)]
pub struct Anchor {
    name: String,
    binding: Binding,
    verifier: Arc<dyn ClientCertVerifier>,
    /// Public keys of its certificates, to see that no two anchors share one.
    keys: BTreeSet<Vec<u8>>,
}

impl Anchor {
    /// An anchor out of an authority's certificates: one, or several while it is being replaced. The error is a
    /// sentence.
    pub fn new(name: impl Into<String>, certificates: &[CertificateDer<'_>], binding: Binding) -> Result<Self, String> {
        let name = name.into();
        let mut roots = RootCertStore::empty();
        let mut keys = BTreeSet::new();
        for certificate in certificates {
            roots
                .add(certificate.clone().into_owned())
                .map_err(|error| format!("the authority '{name}' has a certificate that cannot be used: {error}"))?;
            keys.extend(roots.roots.last().map(|root| root.subject_public_key_info.to_vec()));
        }
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), crate::tls::provider())
            .build()
            .map_err(|error| format!("the authority '{name}' has no certificate that can be used: {error}"))?;
        Ok(Self { name, binding, verifier, keys })
    }

    /// Its name in logs and in [`Identity::anchor`].
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// The anchors of one port, and the certificates that are denied whoever vouches for them.
#[derive(Debug, Clone)]
pub struct Anchors {
    anchors: Vec<Anchor>,
    denied: BTreeSet<String>,
}

impl Anchors {
    /// At least one anchor; no two may share a key, or it would be unclear which of them vouched. `deny_serials` are
    /// hexadecimal. The error is a sentence.
    pub fn new<'a>(anchors: Vec<Anchor>, deny_serials: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        if anchors.is_empty() {
            return Err("a port without any trust anchor would refuse everybody".to_owned());
        }
        let mut owners: BTreeMap<&[u8], &str> = BTreeMap::new();
        for anchor in &anchors {
            for key in &anchor.keys {
                if let Some(other) = owners.insert(key, &anchor.name) {
                    return Err(format!("the authorities '{other}' and '{}' have the same key", anchor.name));
                }
            }
        }
        let denied = deny_serials
            .into_iter()
            .map(|serial| subject::normal_serial(serial).ok_or_else(|| format!("'{serial}' is no serial number")))
            .collect::<Result<_, _>>()?;
        Ok(Self { anchors, denied })
    }

    /// Who presented `chain` (its own certificate first) at `now`.
    pub fn identify(&self, chain: &[CertificateDer<'_>], now: UnixTime) -> Result<Identity, IdentityError> {
        let (certificate, intermediates) = chain.split_first().ok_or(IdentityError::NoCertificate)?;
        let serial = subject::serial_number(certificate)?;
        let anchor = self.voucher(certificate, intermediates, now, &serial)?;
        // After the anchor, so that a stranger learns nothing of the list. An intermediate on it takes all that it
        // issued with it: without it in the chain, the chain would not have held.
        self.check_denied(chain)?;
        let Subject { country, authority, system, role, node_id, serial } = {
            let subject = Subject::of(certificate)?;
            anchor.binding.check(&anchor.name, &subject)?;
            subject
        };
        Ok(Identity { country, authority, system, role, node_id, serial, anchor: anchor.name.clone() })
    }

    /// Refuses a chain with a denied certificate in it.
    pub fn check_denied(&self, chain: &[CertificateDer<'_>]) -> Result<(), IdentityError> {
        for certificate in chain {
            let serial = subject::serial_number(certificate)?;
            if self.denied.contains(&serial) {
                return Err(IdentityError::Denied { serial });
            }
        }
        Ok(())
    }

    /// The anchor that the chain leads to. The most telling failure is kept: "expired" under one anchor says more than
    /// "unknown" under the others.
    fn voucher(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
        serial: &str,
    ) -> Result<&Anchor, IdentityError> {
        let mut failure = IdentityError::UntrustedIssuer { serial: serial.to_owned() };
        for anchor in &self.anchors {
            match anchor.verifier.verify_client_cert(certificate, intermediates, now) {
                Ok(_) => return Ok(anchor),
                // A bad signature: an authority of the same name with another key.
                Err(TlsFault::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::BadSignature)) => {
                }
                Err(error) => failure = chain_failure(error, serial.to_owned()),
            }
        }
        Err(failure)
    }

    pub(crate) fn list(&self) -> &[Anchor] {
        &self.anchors
    }
}

impl Anchor {
    pub(crate) fn verifier(&self) -> &dyn ClientCertVerifier {
        &*self.verifier
    }
}

fn chain_failure(error: TlsFault, serial: String) -> IdentityError {
    use CertificateError as E;
    match error {
        TlsFault::InvalidCertificate(E::Expired | E::ExpiredContext { .. }) => IdentityError::Expired { serial },
        TlsFault::InvalidCertificate(E::NotValidYet | E::NotValidYetContext { .. }) => {
            IdentityError::NotValidYet { serial }
        }
        TlsFault::InvalidCertificate(E::InvalidPurpose | E::InvalidPurposeContext { .. }) => {
            IdentityError::NotForClients { serial }
        }
        other => IdentityError::Invalid { serial, reason: other.to_string() },
    }
}
