//! A node's configuration: `node.toml`.
//!
//! * `sections`: the tables of its fields
//! * `raft_times`: Raft's timers, from the round trip
//! * `validate`: what must hold between fields

mod raft_times;
mod sections;
mod validate;

use std::path::Path;

use serde::{Deserialize, Serialize};

pub use raft_times::RaftTimes;
pub use sections::{
    AdvertiseSection, ClientCa, LimitsSection, ListenSection, LogFormat, LogSection, NodeSection, PolicySection,
    RaftSection, StorageSection, TlsSection,
};

use crate::{fault::Fault, load::Config, settings::SectionDoc};

/// All that a node is told when it starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeConfig {
    /// Which node of which cluster.
    pub node: NodeSection,
    /// Where it listens.
    pub listen: ListenSection,
    /// How others reach it.
    #[serde(default)]
    pub advertise: AdvertiseSection,
    /// What it keeps, and where.
    #[serde(default)]
    pub storage: StorageSection,
    /// Raft's timing.
    #[serde(default)]
    pub raft: RaftSection,
    /// Whom it trusts, and how it shows who it is.
    #[serde(default)]
    pub tls: TlsSection,
    /// How much work it takes on.
    #[serde(default)]
    pub limits: LimitsSection,
    /// What the authority that runs it has decided.
    #[serde(default)]
    pub policy: PolicySection,
    /// Its own messages.
    #[serde(default)]
    pub log: LogSection,
}

impl NodeConfig {
    /// host:port at which clients reach this node.
    pub fn client_address(&self) -> String {
        self.advertise.client.clone().unwrap_or_else(|| self.listen.client.to_string())
    }

    /// host:port at which other nodes reach this node.
    pub fn raft_address(&self) -> String {
        self.advertise.raft.clone().unwrap_or_else(|| self.listen.raft.to_string())
    }

    /// Raft's timers.
    pub fn raft_times(&self) -> RaftTimes {
        RaftTimes::of(&self.raft)
    }
}

impl Config for NodeConfig {
    const SECTIONS: &'static [SectionDoc] = &[
        SectionDoc::of::<NodeSection>("node"),
        SectionDoc::of::<ListenSection>("listen"),
        SectionDoc::of::<AdvertiseSection>("advertise"),
        SectionDoc::of::<StorageSection>("storage"),
        SectionDoc::of::<RaftSection>("raft"),
        SectionDoc::of::<TlsSection>("tls"),
        SectionDoc::list_of::<ClientCa>("tls.client_cas"),
        SectionDoc::of::<LimitsSection>("limits"),
        SectionDoc::of::<PolicySection>("policy"),
        SectionDoc::of::<LogSection>("log"),
    ];

    fn validate(&self) -> Vec<Fault> {
        validate::faults_of(self)
    }

    fn resolve_paths(&mut self, directory: &Path) {
        let storage = &mut self.storage;
        for path in [&mut storage.log_directory, &mut storage.state_directory, &mut storage.audit_directory] {
            *path = directory.join(&*path);
        }
        let tls = &mut self.tls;
        for path in [&mut tls.certificate, &mut tls.key, &mut tls.cluster_ca, &mut tls.token_key].into_iter().flatten()
        {
            *path = directory.join(&*path);
        }
        for authority in &mut tls.client_cas {
            authority.path = directory.join(&authority.path);
        }
    }

    fn sample() -> Self {
        sections::sample()
    }
}
