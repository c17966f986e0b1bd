//! A client with certificates: it talks to nodes of its cluster, shows who it is, and trusts nobody else.

mod fake;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use alert_client::{AlertClient, ClientConfig, Connector, codes, pb};
use alert_cluster_config::{
    Config, NodeConfig,
    dev_ca::{DevCa, Holder},
    dev_cluster::DevCluster,
    tls::NodeTls,
};
use fake::{FakeCluster, passport};
use tempfile::TempDir;
use tokio::{io::copy_bidirectional, net::TcpListener};
use tokio_rustls::TlsAcceptor;

/// A fake node behind the TLS of a real one's client port.
struct Guarded {
    cluster: FakeCluster,
    directory: TempDir,
    /// What the last client that was let in showed.
    shown: Arc<Mutex<Vec<u8>>>,
}

impl Guarded {
    async fn new() -> Self {
        let directory = TempDir::new().unwrap();
        DevCluster::on_loopback(directory.path(), 1, &["lon".to_owned()], 7100).write().unwrap();
        let config = NodeConfig::load(&directory.path().join("node1.toml")).unwrap();
        let tls = NodeTls::open(&config.tls, 1).unwrap();
        let acceptor = TlsAcceptor::from(tls.current().client_port.clone());

        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let cluster = FakeCluster::in_memory_at(BTreeMap::from([(1, address.clone())]));
        let inside = Arc::new(cluster.connector());
        let shown = Arc::new(Mutex::default());
        let showing = shown.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, inside, address) = (acceptor.clone(), inside.clone(), address.clone());
                let showing = showing.clone();
                tokio::spawn(async move {
                    let mut outer = acceptor.accept(stream).await?;
                    let certificates = outer.get_ref().1.peer_certificates().unwrap_or_default();
                    *showing.lock().unwrap() = certificates.first().map(|first| first.to_vec()).unwrap_or_default();
                    let mut inner = inside.connect(&address).await?;
                    copy_bidirectional(&mut outer, &mut inner).await
                });
            }
        });
        Self { cluster, directory, shown }
    }

    fn last_certificate(&self) -> Vec<u8> {
        self.shown.lock().unwrap().clone()
    }

    fn config(&self) -> ClientConfig {
        let mut config = ClientConfig::load(&self.directory.path().join("client-bureau.toml")).unwrap();
        config.cluster.seeds = self.cluster.addresses();
        config.cluster.cluster_id = None;
        config
    }

    fn client(config: &ClientConfig) -> AlertClient {
        let builder = AlertClient::builder().config(config).officer_ref("officer-1").purpose("border-control");
        builder.deadline(Duration::from_secs(2)).build().unwrap()
    }
}

fn create() -> pb::CreateRequest {
    pb::CreateRequest { alert: Some(passport("1", 1)), ..Default::default() }
}

#[tokio::test]
async fn a_client_of_the_cluster_is_let_in_and_its_certificates_can_be_read_again() {
    let guarded = Guarded::new().await;
    let client = Guarded::client(&guarded.config());
    client.create(create()).await.unwrap();
    assert!(!client.reload_certificates().unwrap());
}

/// A certificate is renewed by writing a new one in its place.
#[tokio::test]
async fn a_renewed_certificate_is_shown_by_the_next_call_and_a_broken_one_changes_nothing() {
    let guarded = Guarded::new().await;
    let config = guarded.config();
    let client = Guarded::client(&config);
    client.create(create()).await.unwrap();
    let first = guarded.last_certificate();

    let authority = DevCa::open_or_create(&guarded.directory.path().join("ca"), "uk-clients").unwrap();
    let holder = Holder::client("bureau", "GB", "nca", "bureau");
    authority.issue(&holder).unwrap().write(&guarded.directory.path().join("tls"), "bureau").unwrap();
    assert!(client.reload_certificates().unwrap());
    client.create(create()).await.unwrap();
    let second = guarded.last_certificate();
    assert_ne!(first, second);

    std::fs::write(config.tls.certificate.as_ref().unwrap(), "no certificate").unwrap();
    assert_eq!(client.reload_certificates().unwrap_err().code, codes::CONFIGURATION);
    client.create(create()).await.unwrap();
    assert_eq!(guarded.last_certificate(), second);
}

#[tokio::test]
async fn renewed_certificates_are_found_without_being_told() {
    let guarded = Guarded::new().await;
    let builder = AlertClient::builder().config(&guarded.config()).officer_ref("officer-1").purpose("border-control");
    let client = builder.look_at_certificates_every(Duration::from_millis(20)).build().unwrap();
    client.create(create()).await.unwrap();
    let first = guarded.last_certificate();
    let authority = DevCa::open_or_create(&guarded.directory.path().join("ca"), "uk-clients").unwrap();
    let holder = Holder::client("bureau", "GB", "nca", "bureau");
    authority.issue(&holder).unwrap().write(&guarded.directory.path().join("tls"), "bureau").unwrap();
    let until = std::time::Instant::now() + Duration::from_secs(20);
    while guarded.last_certificate() == first {
        assert!(std::time::Instant::now() < until, "the new certificate is never shown");
        client.create(create()).await.unwrap();
    }
}

#[tokio::test]
async fn a_node_that_another_authority_vouches_for_is_not_talked_to() {
    let guarded = Guarded::new().await;
    let stranger = DevCa::new("stranger").unwrap();
    let path = guarded.directory.path().join("stranger.pem");
    std::fs::write(&path, stranger.certificate_pem()).unwrap();
    let mut config = guarded.config();
    config.tls.cluster_ca = Some(path);
    let error = Guarded::client(&config).create(create()).await.unwrap_err();
    assert_eq!(error.code, codes::CERTIFICATE, "{error}");
    assert!(error.message.starts_with("the node's certificate is not trusted: UnknownIssuer"), "{}", error.message);
    assert!(!error.maybe_applied, "nothing was sent to it");
    assert!(guarded.cluster.state().calls.is_empty());
}

#[tokio::test]
async fn a_client_without_the_clusters_trust_is_not_let_in() {
    let guarded = Guarded::new().await;
    let stranger = DevCa::new("stranger").unwrap();
    let holder = Holder::client("bureau", "GB", "nca", "desk");
    let (certificate, key) = stranger.issue(&holder).unwrap().write(guarded.directory.path(), "stranger").unwrap();
    let mut config = guarded.config();
    config.tls.certificate = Some(certificate);
    config.tls.key = Some(key);
    let client = Guarded::client(&config);
    let error = client.create(create()).await.unwrap_err();
    let sentence = "the node refuses this client's certificate: no authority that this port trusts has issued it (UnknownCA); \
                    the node's log says more";
    assert_eq!((error.code.as_str(), error.message.as_str()), (codes::CERTIFICATE, sentence), "{error}");
    assert!(!error.retryable && !error.maybe_applied, "{error}");
    assert!(guarded.cluster.state().calls.is_empty());
}
