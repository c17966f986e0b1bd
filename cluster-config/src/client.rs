//! A client's configuration: `client.toml`, for the client crate and `alertctl`.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::{
    address::{host_and_port, is_loopback},
    fault::Fault,
    load::Config,
    plaintext,
    settings::{Section, SectionDoc, settings},
};

settings! {
    /// The cluster to talk to.
    required ClusterSection {
        /// Nodes to ask first (host:port of their client port); the others are learned from them.
        seeds: Vec<String>;
        /// The site this client stands in; nodes of the same are preferred. Without it: none is.
        data_centre: Option<String>, example "\"lon\"";
        /// The cluster's name; another one is refused. Without it: any.
        cluster_id: Option<String>, example "\"uk-alerts\"";
    }
}

settings! {
    /// What every call says of its caller where the program does not.
    optional CallerSection {
        /// The officer or system behind the calls, as the caller's own directory names it.
        officer: Option<String> = None, example "\"officer-0815\"";
        /// Why it asks: a value of the code list "purpose".
        purpose: Option<String> = None, example "\"border-control\"";
        /// Partners: the agreement that the calls are made under.
        agreement_id: Option<String> = None, example "\"agreement-fr\"";
    }
}

settings! {
    /// How this client shows who it is, and whom it trusts.
    optional ClientTlsSection {
        /// No TLS at all, for development: refused unless every seed is a loopback address.
        plaintext: bool = false;
        /// With plain text: who this client says that it is, country/authority/system/role. Without it:
        /// GB/nca/development/bureau.
        plaintext_as: Option<String> = None, example "\"FR/dgpn/desk/partner\"";
        /// The client's certificate (PEM, with its intermediates).
        certificate: Option<PathBuf> = None, example "\"/etc/alertstore/tls/client.pem\"";
        /// Its private key (PEM). Nobody but this user and group may read the file.
        key: Option<PathBuf> = None, example "\"/etc/alertstore/tls/client.key\"";
        /// The cluster's authority (PEM): only a node that it vouches for is talked to.
        cluster_ca: Option<PathBuf> = None, example "\"/etc/alertstore/tls/cluster-ca.pem\"";
    }
}

/// All that a client is told when it starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientConfig {
    /// The cluster.
    pub cluster: ClusterSection,
    /// Who calls.
    #[serde(default)]
    pub caller: CallerSection,
    /// Trust.
    #[serde(default)]
    pub tls: ClientTlsSection,
}

impl Config for ClientConfig {
    const SECTIONS: &'static [SectionDoc] = &[
        SectionDoc::of::<ClusterSection>("cluster"),
        SectionDoc::of::<CallerSection>("caller"),
        SectionDoc::of::<ClientTlsSection>("tls"),
    ];

    fn validate(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        self.cluster.check_bounds("cluster", &mut faults);
        self.seeds(&mut faults);
        self.files(&mut faults);
        faults
    }

    fn resolve_paths(&mut self, directory: &Path) {
        let tls = &mut self.tls;
        for path in [&mut tls.certificate, &mut tls.key, &mut tls.cluster_ca].into_iter().flatten() {
            *path = directory.join(&*path);
        }
    }

    fn sample() -> Self {
        let tls = |name: &str| Some(PathBuf::from("/etc/alertstore/tls").join(name));
        Self {
            cluster: ClusterSection {
                seeds: (1..=3).map(|node| format!("node{node}.alerts.example:7100")).collect(),
                data_centre: Some("lon".to_owned()),
                cluster_id: None,
            },
            caller: CallerSection::default(),
            tls: ClientTlsSection {
                plaintext: false,
                plaintext_as: None,
                certificate: tls("client.pem"),
                key: tls("client.key"),
                cluster_ca: tls("cluster-ca.pem"),
            },
        }
    }
}

impl ClientConfig {
    fn seeds(&self, faults: &mut Vec<Fault>) {
        if self.cluster.seeds.is_empty() {
            faults.push(Fault::at("cluster.seeds", "is empty; name at least one node"));
        }
        for (index, seed) in self.cluster.seeds.iter().enumerate() {
            let path = format!("cluster.seeds[{index}]");
            match host_and_port(seed) {
                Err(message) => faults.push(Fault::at(path, message)),
                Ok((host, _)) if self.tls.plaintext && !is_loopback(host) => {
                    let message = format!("{host} is no loopback address, which tls.plaintext = true asks for");
                    faults.push(Fault::at(path, message));
                }
                Ok(_) => {}
            }
        }
    }

    fn files(&self, faults: &mut Vec<Fault>) {
        if let Some(Err(message)) = self.tls.plaintext_as.as_deref().map(plaintext::client_line) {
            faults.push(Fault::at("tls.plaintext_as", message));
        }
        for (path, set) in [
            ("tls.certificate", self.tls.certificate.is_some()),
            ("tls.key", self.tls.key.is_some()),
            ("tls.cluster_ca", self.tls.cluster_ca.is_some()),
        ] {
            if self.tls.plaintext && set {
                faults.push(Fault::at(path, "has no use with tls.plaintext = true; leave one of the two out"));
            } else if !self.tls.plaintext && !set {
                faults.push(Fault::at(path, "is missing (for development on loopback: tls.plaintext = true)"));
            }
        }
    }
}
