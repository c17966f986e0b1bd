//! A node with its client port, and clients.

use std::{
    io,
    sync::{Arc, atomic::AtomicU64},
};

use alert_core::{
    alert::{AlertId, Caller, RuleSet},
    pb::{
        self, agreement_service_client::AgreementServiceClient, alert_service_client::AlertServiceClient,
        search_service_client::SearchServiceClient,
    },
    state::command::{Command, Done, Proposal},
};
use hyper_util::rt::TokioIo;
use prost::Message;
use tokio::{
    io::duplex,
    sync::{mpsc, oneshot},
};
use tonic::transport::{Channel, Endpoint};
use tower::service_fn;

use super::{
    FakeAudit, FakeStore, code,
    fake::{FakeAdmin, FakeClock, Replicated},
    nca, partner, person,
};
use crate::{
    api::{Api, ApiOptions, ApiParts, TokenSealer, serve},
    seam::{Accepted, Host, Listener, OsRandom, PeerIdentity},
};

pub(in crate::api) const START_MS: u64 = 1_790_000_000_000;

/// One node and everything around it.
pub(in crate::api) struct World {
    pub store: Arc<FakeStore>,
    pub audit: Arc<FakeAudit>,
    pub clock: Arc<FakeClock>,
    pub api: Api,
    replicated: Arc<Replicated>,
    connect: mpsc::UnboundedSender<Accepted>,
    /// Dropped with the world: the server stops.
    _stop: oneshot::Sender<()>,
}

struct MemoryListener(mpsc::UnboundedReceiver<Accepted>);

impl Listener for MemoryListener {
    fn accept(&mut self) -> crate::api::BoxFuture<'_, io::Result<Accepted>> {
        Box::pin(async {
            match self.0.recv().await {
                Some(accepted) => Ok(accepted),
                None => std::future::pending().await,
            }
        })
    }

    fn local_address(&self) -> String {
        "memory".into()
    }
}

impl World {
    /// A node that leads.
    pub fn new() -> Self {
        Self::with(ApiOptions::default())
    }

    pub fn with(options: ApiOptions) -> Self {
        let clock = Arc::new(FakeClock(AtomicU64::new(START_MS)));
        Self::node(1, Arc::default(), clock, options)
    }

    /// Another node over the same state.
    pub fn second_node(&self) -> Self {
        Self::node(2, Arc::clone(&self.replicated), Arc::clone(&self.clock), ApiOptions::default())
    }

    fn node(node_id: u64, replicated: Arc<Replicated>, clock: Arc<FakeClock>, options: ApiOptions) -> Self {
        let store = Arc::new(FakeStore::new(Arc::clone(&replicated), Arc::clone(&clock), node_id));
        let audit = Arc::new(FakeAudit::default());
        let api = Api::new(ApiParts {
            store: store.clone(),
            audit: audit.clone(),
            audit_log: audit.clone(),
            admin: Arc::new(FakeAdmin),
            host: Host { clock: clock.clone(), ..Host::real() },
            sealer: TokenSealer::new([3; 32], Arc::new(OsRandom)),
            options,
        });
        let (connect, connections) = mpsc::unbounded_channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let listener = Box::new(MemoryListener(connections));
        tokio::spawn(serve(api.clone(), listener, async { drop(stopped.await) }));
        Self { store, audit, clock, api, replicated, connect, _stop: stop }
    }

    /// A connection of `caller`.
    pub async fn channel(&self, caller: Caller) -> Channel {
        let connect = self.connect.clone();
        let connector = service_fn(move |_| {
            let (client, server) = duplex(1024 * 1024);
            let peer = PeerIdentity { caller: caller.clone(), node_id: None, certificate_serial: "0a".into() };
            let accepted = Accepted { stream: Box::new(server), peer, remote_address: "memory".into() };
            let sent = connect.send(accepted);
            async move {
                sent.map_err(|_| io::Error::other("the server is gone"))?;
                Ok::<_, io::Error>(TokioIo::new(client))
            }
        });
        Endpoint::from_static("http://node").connect_with_connector(connector).await.unwrap()
    }

    pub async fn alerts(&self, caller: Caller) -> AlertServiceClient<Channel> {
        AlertServiceClient::new(self.channel(caller).await)
    }

    pub async fn search(&self, caller: Caller) -> SearchServiceClient<Channel> {
        SearchServiceClient::new(self.channel(caller).await)
    }

    pub async fn agreements(&self, caller: Caller) -> AgreementServiceClient<Channel> {
        AgreementServiceClient::new(self.channel(caller).await)
    }

    /// Applies a command behind the services' back.
    pub fn run(&self, caller: Caller, command: Command) -> Done {
        let rules_revision = 0;
        let proposal = Proposal { caller: Some(caller), request: None, rules_revision, command };
        self.store.apply(proposal).unwrap()
    }

    /// An alert of the National Crime Agency; its id holds its number.
    pub fn create(&self, number: u8, category: &str) -> String {
        self.create_alert(number, person(number.into(), category))
    }

    pub fn create_alert(&self, number: u8, alert: pb::Alert) -> String {
        let id = AlertId::from_bytes([number; 16]);
        self.run(nca(), Command::Create { id, alert: alert.encode_to_vec(), as_draft: false });
        id.to_string()
    }

    /// An agreement with the partner, covering alerts for arrest.
    pub fn agree(&self, id: &str) -> pb::Agreement {
        let agreement = agreement(id);
        let command = Command::PutAgreement { agreement: agreement.encode_to_vec(), expected_version: 0 };
        self.run(nca(), command);
        agreement
    }

    pub fn set_agreement(&self, id: &str, state: pb::AgreementState) {
        let command = Command::SetAgreementState { id: id.into(), state: state as i32, purge_proof: None };
        self.run(nca(), command);
    }
}

/// An agreement with the partner.
pub(in crate::api) fn agreement(id: &str) -> pb::Agreement {
    let rights =
        |fields: &[&str]| Some(pb::FieldRights { fields: fields.iter().map(|field| (*field).to_owned()).collect() });
    pb::Agreement {
        id: id.into(),
        partner: Some(pb::Party { code: partner().country }),
        categories: vec![code("category", "arrest").unwrap()],
        candidate_fields: rights(&["action", "title"]),
        record_fields: rights(&["identities", "action"]),
        purposes: vec![code("purpose", "border-control").unwrap()],
        legal_regime: "treaty".into(),
        transfer_basis: "adequacy".into(),
        ..Default::default()
    }
}

#[test]
fn the_fixtures_are_valid() {
    let rules = RuleSet::defaults();
    for category in ["arrest", "discreet-check"] {
        let faults = alert_core::alert::validate::validate(&person(1, category), &rules, START_MS);
        assert!(faults.iter().all(|fault| fault.warning), "{category}: {faults:?}");
    }
    let faults = alert_core::alert::validate::validate_agreement(&agreement("fr-1"), &rules);
    assert!(faults.iter().all(|fault| fault.warning), "{faults:?}");
}
