//! A client for each authority that owns alerts: a bureau keeps its own, and the National Crime Agency, the gateway, those
//! that come from abroad.

use std::{collections::BTreeMap, path::PathBuf, sync::Mutex, sync::PoisonError};

use alert_client::{AlertClient, ClientConfig};
use alert_cluster_config::{
    dev_ca::{DevCa, Holder},
    identity::roles,
};
use alert_proto::v1 as pb;

use crate::process::LocalCluster;

/// Keeps the alerts of foreign owners.
pub(super) const GATEWAY: &str = "nca";
/// Value of the code list "purpose" for whoever keeps alerts.
const PURPOSE: &str = "alert-management";

/// Issues a certificate for each authority, when it is first needed.
pub(super) struct Bureaus {
    directory: PathBuf,
    config: ClientConfig,
    clients: Mutex<BTreeMap<String, AlertClient>>,
}

impl Bureaus {
    pub(super) fn new(cluster: &LocalCluster) -> anyhow::Result<Self> {
        Ok(Self {
            directory: cluster.directory().to_owned(),
            config: cluster.client_config("bureau")?,
            clients: Mutex::default(),
        })
    }

    /// The client of the authority's bureau.
    pub(super) fn of(&self, authority: &str) -> anyhow::Result<AlertClient> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(authority) {
            return Ok(client.clone());
        }
        let system = format!("bureau-{authority}");
        let authorities = DevCa::open_or_create(&self.directory.join("ca"), "uk-clients")?;
        let holder = Holder::client(roles::BUREAU, roles::HOME_COUNTRY, authority, &system);
        let (certificate, key) = authorities.issue(&holder)?.write(&self.directory.join("tls"), &system)?;
        let mut config = self.config.clone();
        (config.tls.certificate, config.tls.key) = (Some(certificate), Some(key));
        config.caller.officer = Some(format!("{authority}-desk"));
        config.caller.purpose = Some(PURPOSE.to_owned());
        let client = AlertClient::builder().config(&config).build()?;
        clients.insert(authority.to_owned(), client.clone());
        Ok(client)
    }

    /// The authority whose bureau keeps this alert.
    pub(super) fn keeper(alert: &pb::Alert) -> &str {
        let owner = alert.core.as_ref().and_then(|core| core.owner.as_ref());
        let is_ours =
            owner.and_then(|owner| owner.party.as_ref()).is_some_and(|party| party.code == roles::HOME_COUNTRY);
        match owner.and_then(|owner| owner.authority.as_ref()) {
            Some(authority) if is_ours => &authority.value,
            _ => GATEWAY,
        }
    }
}
