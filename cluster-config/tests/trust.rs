//! Who is let in, and with what sentence the others are refused: over real TLS handshakes on in-memory connections.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use alert_cluster_config::{
    ClientConfig, Config, NodeConfig,
    client::ClientTlsSection,
    dev_ca::{DevCa, Holder, Issued},
    dev_cluster::DevCluster,
    identity::{Anchors, Identity, IdentityError, check_node, peer_identity, roles},
    tls::{ClientTls, NodeTls, Reload, explain, server_name},
};
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio_rustls::{
    TlsAcceptor, TlsConnector, client,
    rustls::{ClientConfig as RustlsClient, RootCertStore, ServerConfig, version::TLS13},
    server,
};

/// A development cluster in a directory of its own, seen from node 1.
struct World {
    directory: tempfile::TempDir,
    config: NodeConfig,
    tls: NodeTls,
}

impl World {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let centres = ["lon", "man"].map(str::to_owned);
        let cluster = DevCluster::on_loopback(directory.path(), 2, &centres, 7100);
        let files = DevCluster { partners: vec!["FR".into(), "NO".into()], ..cluster }.write().unwrap();
        let config = NodeConfig::load(&files.nodes[0]).unwrap();
        let tls = NodeTls::open(&config.tls, 1).unwrap();
        Self { directory, config, tls }
    }

    fn authority(&self, name: &str) -> DevCa {
        DevCa::open_or_create(&self.directory.path().join("ca"), name).unwrap()
    }

    /// The client configuration with a certificate that was just issued.
    fn client(&self, issued: &Issued) -> Arc<RustlsClient> {
        let (certificate, key) = issued.write(self.directory.path(), "presented").unwrap();
        let section = ClientTlsSection {
            plaintext: false,
            plaintext_as: None,
            certificate: Some(certificate),
            key: Some(key),
            cluster_ca: Some(self.directory.path().join("ca/cluster.pem")),
        };
        ClientTls::open(&section).unwrap().config()
    }

    /// The client configuration that the development cluster wrote.
    fn written(&self, name: &str) -> Arc<RustlsClient> {
        let config = ClientConfig::load(&self.directory.path().join(format!("client-{name}.toml"))).unwrap();
        ClientTls::open(&config.tls).unwrap().config()
    }

    /// Whom the port of clients sees, or why it refuses.
    async fn client_port(&self, client: Arc<RustlsClient>) -> Result<Identity, String> {
        let set = self.tls.current();
        let (server, _) = meet(set.client_port.clone(), client).await?;
        identity_of(&server, &set.client_anchors).map_err(|error| error.to_string())
    }

    /// Whom the port of nodes sees, or why it refuses.
    async fn raft_port(&self, client: Arc<RustlsClient>) -> Result<Identity, String> {
        let set = self.tls.current();
        let (server, _) = meet(set.raft_port.clone(), client).await?;
        identity_of(&server, &set.raft_anchors).map_err(|error| error.to_string())
    }

    /// As [`Self::client_port`], with a certificate for `holder` issued by `authority`.
    async fn present(&self, authority: &str, holder: Holder) -> Result<Identity, String> {
        let issued = self.authority(authority).issue(&holder).unwrap();
        self.client_port(self.client(&issued)).await
    }
}

type Server = server::TlsStream<DuplexStream>;
type Client = client::TlsStream<DuplexStream>;

/// A handshake with node 1; the error is the server's sentence, or the client's when it refused the server. A byte
/// goes each way before it counts: the client of TLS 1.3 is ready before the server has looked at its certificate.
async fn meet(server: Arc<ServerConfig>, client: Arc<RustlsClient>) -> Result<(Server, Client), String> {
    meet_at("127.0.0.1:7100", server, client).await
}

async fn meet_at(
    address: &str,
    server: Arc<ServerConfig>,
    client: Arc<RustlsClient>,
) -> Result<(Server, Client), String> {
    let (near, far) = duplex(64 * 1024);
    let accept = async {
        let mut stream = TlsAcceptor::from(server).accept(near).await?;
        stream.write_all(b"!").await?;
        stream.flush().await?;
        Ok::<_, std::io::Error>(stream)
    };
    let connect = async {
        let name = server_name(address).unwrap();
        let mut stream = TlsConnector::from(client).connect(name, far).await?;
        stream.read_u8().await?;
        Ok::<_, std::io::Error>(stream)
    };
    match tokio::join!(accept, connect) {
        (Ok(server), Ok(client)) => Ok((server, client)),
        (Err(error), Err(other)) if error.to_string().contains("alert") => Err(explain(&other)),
        (Err(error), _) | (_, Err(error)) => Err(explain(&error)),
    }
}

fn identity_of(server: &Server, anchors: &Anchors) -> Result<Identity, IdentityError> {
    peer_identity(server.get_ref().1.peer_certificates().unwrap_or_default(), anchors)
}

fn days(count: u64) -> Duration {
    Duration::from_secs(count * 24 * 60 * 60)
}

#[tokio::test]
async fn every_client_of_the_development_cluster_is_known_by_its_certificate() {
    let world = World::new();
    for (name, country, authority, role, anchor) in [
        ("operator", "GB", "home-office", "operator", "cluster"),
        ("bureau", "GB", "nca", "bureau", "uk-clients"),
        ("search", "GB", "border-force", "search", "uk-clients"),
        ("search-open", "GB", "border-force", "search-open", "uk-clients"),
        ("auditor", "GB", "home-office", "auditor", "uk-clients"),
        ("policy", "GB", "home-office", "policy", "uk-clients"),
        ("partner-fr", "FR", "police", "partner", "partner-fr"),
        ("partner-no", "NO", "police", "partner", "partner-no"),
    ] {
        let identity = world.client_port(world.written(name)).await.unwrap();
        assert_eq!((identity.country.as_str(), identity.authority.as_str()), (country, authority));
        assert_eq!((identity.role.as_str(), identity.system.as_str()), (role, name));
        assert_eq!((identity.anchor.as_str(), identity.node_id), (anchor, None));
        assert!(identity.serial.len() > 8, "{}", identity.serial);
    }
}

#[tokio::test]
async fn nodes_know_each_other_by_number() {
    let world = World::new();
    let second = NodeConfig::load(&world.directory.path().join("node2.toml")).unwrap();
    let second = NodeTls::open(&second.tls, 2).unwrap();
    let set = world.tls.current();
    let (server, client) = meet(set.raft_port.clone(), second.current().connector.clone()).await.unwrap();
    let identity = identity_of(&server, &set.raft_anchors).unwrap();
    assert_eq!((identity.node_id, identity.role.as_str(), identity.system.as_str()), (Some(2), "node", "node2"));
    let chain = client.get_ref().1.peer_certificates().unwrap();
    assert_eq!(check_node(chain, Some(1)), Ok(1));
    let error = check_node(chain, Some(3)).unwrap_err();
    assert_eq!(error.to_string(), "node 1 answers where node 3 was expected");
}

#[tokio::test]
async fn only_nodes_come_to_the_nodes_port_and_none_to_the_clients() {
    let world = World::new();
    assert_eq!(
        world.raft_port(world.written("operator")).await.unwrap_err(),
        "the authority 'cluster' may not give the role 'operator' here, only node"
    );
    for name in ["bureau", "partner-fr"] {
        let refused = world.raft_port(world.written(name)).await.unwrap_err();
        assert!(refused.ends_with("an authority that this port does not trust"), "{refused}");
    }
    let node = world.tls.current().connector.clone();
    assert_eq!(
        world.client_port(node).await.unwrap_err(),
        "the authority 'cluster' may not give the role 'node' here, only operator"
    );
}

#[tokio::test]
async fn the_authority_of_a_partner_speaks_for_that_partner_alone() {
    let world = World::new();
    let client = |role, country| Holder::client(role, country, "police", "desk");
    for (holder, expected) in [
        (client("node", "FR"), "certificate SERIAL has the role 'node' but no node number"),
        (
            Holder { node_id: Some(1), ..client("node", "FR") },
            "the authority 'partner-fr' may not give the role 'node' here, only partner",
        ),
        (client("operator", "FR"), "the authority 'partner-fr' may not give the role 'operator' here, only partner"),
        (client("search", "FR"), "the authority 'partner-fr' may not give the role 'search' here, only partner"),
        (client("bureau", "GB"), "the authority 'partner-fr' may not give the role 'bureau' here, only partner"),
        (client("partner", "NO"), "the authority 'partner-fr' may not speak for the country 'NO', only FR"),
        (client("partner", "GB"), "the authority 'partner-fr' may not speak for the country 'GB', only FR"),
    ] {
        let issued = world.authority("partner-fr").issue(&holder).unwrap();
        let refused = world.client_port(world.client(&issued)).await.unwrap_err();
        let serial = refused.split(' ').nth(1).unwrap_or_default().to_owned();
        assert_eq!(refused, expected.replace("SERIAL", &serial));
    }
    assert_eq!(
        world.present("uk-clients", client("partner", "FR")).await.unwrap_err(),
        "the authority 'uk-clients' may not give the role 'partner' here, only auditor, bureau, policy, search, \
         search-open"
    );
    assert_eq!(
        world.present("cluster", Holder::client("bureau", "GB", "nca", "desk")).await.unwrap_err(),
        "the authority 'cluster' may not give the role 'bureau' here, only operator"
    );
}

#[tokio::test]
async fn an_authority_may_be_bound_to_some_authorities_of_its_country() {
    let mut world = World::new();
    world.config.tls.client_cas[0].authorities = Some(vec!["nca".into()]);
    assert_eq!(world.tls.reload_with(&world.config.tls).unwrap(), Reload::Changed);
    world.client_port(world.written("bureau")).await.unwrap();
    assert_eq!(
        world.client_port(world.written("search")).await.unwrap_err(),
        "the authority 'uk-clients' may not speak for 'border-force', only nca"
    );
}

#[tokio::test]
async fn expired_early_strange_and_missing_certificates_are_refused() {
    let world = World::new();
    let bureau = || Holder::client(roles::BUREAU, "GB", "nca", "desk");
    let (now, hour) = (SystemTime::now(), Duration::from_secs(60 * 60));

    let expired = Holder { not_before: now - days(2), not_after: now - hour, ..bureau() };
    let refused = world.present("uk-clients", expired).await.unwrap_err();
    assert_eq!(refused, "the certificate has expired");

    let early = Holder { not_before: now + hour, not_after: now + days(2), ..bureau() };
    let refused = world.present("uk-clients", early).await.unwrap_err();
    assert!(refused.ends_with("is not valid yet"), "{refused}");

    // A stranger's authority may well bear the name of ours.
    for name in ["stranger", "uk-clients"] {
        let strange = world.client(&DevCa::new(name).unwrap().issue(&bureau()).unwrap());
        let refused = world.client_port(strange).await.unwrap_err();
        assert!(refused.ends_with("an authority that this port does not trust"), "{refused}");
    }

    let mut roots = RootCertStore::empty();
    roots.add(world.authority("cluster").certificate()).unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let nobody = RustlsClient::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    assert_eq!(world.client_port(Arc::new(nobody)).await.unwrap_err(), "no certificate was presented");
}

#[tokio::test]
async fn a_certificate_for_servers_only_is_no_client() {
    let world = World::new();
    let mut params = subject(&[("GB", "nca", "bureau", "desk")]);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let issued = world.authority("uk-clients").sign(params).unwrap();
    let refused = world.client_port(world.client(&issued)).await.unwrap_err();
    assert!(refused.ends_with("was not issued for clients"), "{refused}");
}

#[tokio::test]
async fn a_denied_certificate_is_refused_from_the_next_connection_on() {
    let mut world = World::new();
    let bureau = world.written("bureau");
    let serial = world.client_port(bureau.clone()).await.unwrap().serial;
    world.config.tls.deny_serials = vec![format!("00:{}", serial.to_uppercase())];
    assert_eq!(world.tls.reload_with(&world.config.tls).unwrap(), Reload::Changed);
    assert_eq!(world.client_port(bureau).await.unwrap_err(), format!("certificate {serial} is on the deny list"));
    world.client_port(world.written("search")).await.unwrap();
}

#[tokio::test]
async fn a_denied_node_is_neither_let_in_nor_talked_to() {
    let world = World::new();
    let mut second = NodeConfig::load(&world.directory.path().join("node2.toml")).unwrap();
    let file = std::fs::read(world.config.tls.certificate.as_ref().unwrap()).unwrap();
    let first = vec![CertificateDer::from_pem_slice(&file).unwrap()];
    let serial = peer_identity(&first, &world.tls.current().raft_anchors).unwrap().serial;
    second.tls.deny_serials = vec![serial.clone()];
    let second = NodeTls::open(&second.tls, 2);
    let set = second.unwrap().current();
    let denied = format!("certificate {serial} is on the deny list");
    let connector = world.tls.current().connector.clone();
    assert_eq!(meet_at("127.0.0.2:7111", set.raft_port.clone(), connector).await.err(), Some(denied.clone()));
    // Node 2 calls node 1: it is node 2 that refuses.
    assert_eq!(meet(world.tls.current().raft_port.clone(), set.connector.clone()).await.err(), Some(denied));
}

#[tokio::test]
async fn a_node_is_talked_to_under_its_own_address_only() {
    let world = World::new();
    let port = world.tls.current().client_port.clone();
    let refused = meet_at("127.0.0.9:7100", port, world.written("bureau")).await.err().unwrap();
    assert!(refused.contains("not valid for name"), "{refused}");
}

#[tokio::test]
async fn a_client_talks_to_nodes_only() {
    let world = World::new();
    // An operator's certificate comes from the same authority and may even name the address.
    let holder = Holder { hosts: vec!["127.0.0.1".into()], ..Holder::client("operator", "GB", "nca", "impostor") };
    let impostor = world.authority("cluster").issue(&holder).unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let server = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![impostor.certificate()],
            PrivateKeyDer::from_pem_slice(impostor.key_pem.as_bytes()).unwrap(),
        )
        .unwrap();
    assert_eq!(
        meet(Arc::new(server), world.written("bureau")).await.err().unwrap(),
        "the server's certificate has the role 'operator', not 'node'"
    );
}

#[tokio::test]
async fn reload_takes_new_files_and_keeps_the_old_ones_when_the_new_are_broken() {
    let world = World::new();
    assert_eq!(world.tls.reload().unwrap(), Reload::Unchanged);
    let before = world.tls.current();

    let key = world.config.tls.key.clone().unwrap();
    let kept = std::fs::read(&key).unwrap();
    std::fs::write(&key, KeyPair::generate().unwrap().serialize_pem()).unwrap();
    let error = world.tls.reload().unwrap_err().to_string();
    assert!(error.contains("node1.key: does not go with "), "{error}");
    assert!(Arc::ptr_eq(&before, &world.tls.current()), "a broken key leaves the old one in use");
    std::fs::write(&key, kept).unwrap();

    let holder = Holder::node(1, "node1", "home-office", &["127.0.0.1"]);
    let issued = world.authority("cluster").issue(&holder).unwrap();
    issued.write(&world.directory.path().join("tls"), "node1").unwrap();
    assert_eq!(world.tls.reload().unwrap(), Reload::Changed);
    let (_, client) = meet(world.tls.current().client_port.clone(), world.written("search")).await.unwrap();
    assert_eq!(client.get_ref().1.peer_certificates().unwrap(), [issued.certificate()]);
}

#[tokio::test]
async fn a_client_reloads_too() {
    let world = World::new();
    let config = ClientConfig::load(&world.directory.path().join("client-search.toml")).unwrap();
    let tls = ClientTls::open(&config.tls).unwrap();
    let first = world.client_port(tls.config()).await.unwrap();
    assert_eq!(tls.reload().unwrap(), Reload::Unchanged);
    let holder = Holder::client(roles::SEARCH, "GB", "border-force", "search");
    let issued = world.authority("uk-clients").issue(&holder).unwrap();
    issued.write(&world.directory.path().join("tls"), "search").unwrap();
    assert_eq!(tls.reload().unwrap(), Reload::Changed);
    assert_ne!(world.client_port(tls.config()).await.unwrap().serial, first.serial);
}

#[test]
fn a_node_does_not_start_with_anothers_certificate() {
    let world = World::new();
    let error = NodeTls::open(&world.config.tls, 2).unwrap_err();
    assert_eq!(error.to_string(), "this node's own certificate does not serve: it is that of node 1, and node.id is 2");
}

#[test]
fn a_key_that_everybody_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::new();
    let key = world.config.tls.key.clone().unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let error = NodeTls::open(&world.config.tls, 1).unwrap_err().to_string();
    assert!(error.ends_with("everybody can reach this key (mode 0644): chmod 600"), "{error}");
}

#[test]
fn two_anchors_with_one_key_are_refused() {
    let world = World::new();
    let copy = world.directory.path().join("ca/copy.pem");
    std::fs::copy(world.directory.path().join("ca/partner-fr.pem"), &copy).unwrap();
    let mut section = world.config.tls.clone();
    section.client_cas[2].path = copy;
    let error = NodeTls::open(&section, 1).unwrap_err();
    assert_eq!(error.to_string(), "the authorities 'partner-fr' and 'copy' have the same key");
}

/// A subject with each of the parts, possibly several times: (C, O, OU, CN), where an empty one is left out.
fn subject(parts: &[(&str, &str, &str, &str)]) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    let mut custom = 0;
    for (country, authority, role, system) in parts {
        for (kind, value) in [
            (DnType::CountryName, country),
            (DnType::OrganizationName, authority),
            (DnType::OrganizationalUnitName, role),
            (DnType::CommonName, system),
        ] {
            if value.is_empty() {
                continue;
            }
            // The library keeps one entry per kind; another way to write the same kind makes a second entry.
            let kind = if params.distinguished_name.get(&kind).is_some() {
                custom += 1;
                DnType::CustomDnType(match kind {
                    DnType::CountryName => vec![2, 5, 4, 6],
                    DnType::OrganizationName => vec![2, 5, 4, 10],
                    DnType::OrganizationalUnitName => vec![2, 5, 4, 11],
                    _ => vec![2, 5, 4, 3],
                })
            } else {
                kind
            };
            params.distinguished_name.push(kind, *value);
        }
    }
    assert!(custom <= 1, "one part twice is enough");
    params
}

#[test]
fn an_unclear_subject_is_refused_with_what_is_unclear() {
    let world = World::new();
    let authority = world.authority("uk-clients");
    let anchors = world.tls.current().client_anchors.clone();
    let long = "n".repeat(65);
    for (parts, expected) in [
        (vec![("", "nca", "bureau", "desk")], "no country (C)"),
        (vec![("GB", "", "bureau", "desk")], "no organisation (O)"),
        (vec![("GB", "nca", "", "desk")], "no organisational unit (OU)"),
        (vec![("GB", "nca", "bureau", "")], "no common name (CN)"),
        (vec![("GB", "nca", "bureau", "desk"), ("", "", "search", "")], "more than one organisational unit (OU)"),
        (vec![("GB", "nca", "bureau", "desk"), ("FR", "", "", "")], "more than one country (C)"),
        (vec![("gb", "nca", "bureau", "desk")], "a country (C) that is not 1 to 3 capital letters"),
        (vec![("GBRX", "nca", "bureau", "desk")], "a country (C) that is not 1 to 3 capital letters"),
        (
            vec![("GB", "nca/x", "bureau", "desk")],
            "an organisation (O) that is not 1 to 64 letters, digits, dots, hyphens and underscores",
        ),
        (
            vec![("GB", "nca", "bureau", "a\nb")],
            "a common name (CN) that is not 1 to 64 letters, digits, dots, hyphens and underscores",
        ),
        (
            vec![("GB", "nca", "bureau", &long)],
            "a common name (CN) that is not 1 to 64 letters, digits, dots, hyphens and underscores",
        ),
        (vec![("GB", "nca", "Bureau", "desk")], "an organisational unit (OU) that is no role"),
    ] {
        let issued = authority.sign(subject(&parts)).unwrap();
        let error = peer_identity(&[issued.certificate()], &anchors).unwrap_err();
        let IdentityError::Subject { what, .. } = &error else { panic!("{error}") };
        assert_eq!(what, expected);
    }
}

#[test]
fn node_numbers_are_clear_and_for_nodes_alone() {
    let world = World::new();
    let authority = world.authority("cluster");
    let anchors = world.tls.current().raft_anchors.clone();
    for (role, uris, expected) in [
        ("node", vec![], "the role 'node' but no node number"),
        ("node", vec!["alertstore:node:1", "alertstore:node:2"], "more than one node number"),
        ("node", vec!["alertstore:node:0"], "a node number that is not a whole number from 1"),
        ("node", vec!["alertstore:node:01"], "a node number that is not a whole number from 1"),
        ("node", vec!["alertstore:node:+1"], "a node number that is not a whole number from 1"),
        ("node", vec!["alertstore:node:"], "a node number that is not a whole number from 1"),
        ("operator", vec!["alertstore:node:1"], "a node number without the role 'node'"),
    ] {
        let mut params = subject(&[("GB", "home-office", role, "name")]);
        params.subject_alt_names = uris.iter().map(|uri| rcgen::SanType::URI((*uri).try_into().unwrap())).collect();
        let issued = authority.sign(params).unwrap();
        let error = peer_identity(&[issued.certificate()], &anchors).unwrap_err();
        let IdentityError::NodeNumber { what, .. } = &error else { panic!("{error}") };
        assert_eq!(*what, expected);
    }
    let mut params = subject(&[("GB", "home-office", "node", "node7")]);
    params.subject_alt_names = vec![rcgen::SanType::URI("alertstore:node:7".try_into().unwrap())];
    let issued = authority.sign(params).unwrap();
    assert_eq!(peer_identity(&[issued.certificate()], &anchors).unwrap().node_id, Some(7));
}

#[test]
fn what_is_no_certificate_is_refused() {
    let world = World::new();
    let anchors = world.tls.current().client_anchors.clone();
    assert_eq!(peer_identity(&[], &anchors), Err(IdentityError::NoCertificate));
    let error = peer_identity(&[CertificateDer::from(vec![1, 2, 3])], &anchors).unwrap_err();
    assert!(error.to_string().starts_with("the certificate cannot be read: "), "{error}");
    let stranger = DevCa::new("stranger").unwrap().issue(&Holder::client("bureau", "GB", "nca", "x")).unwrap();
    let error = peer_identity(&[stranger.certificate()], &anchors).unwrap_err();
    assert!(error.to_string().ends_with("was issued by an authority that this port does not trust"), "{error}");
}

#[test]
fn a_development_cluster_is_written_once_and_grows() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::new();
    let ca = std::fs::read(world.directory.path().join("ca/cluster.pem")).unwrap();
    let centres = ["lon", "man", "edi"].map(str::to_owned);
    let cluster = DevCluster::on_loopback(world.directory.path(), 4, &centres, 7100);
    let path = cluster.write_node(&cluster.nodes[3]).unwrap();
    let config = NodeConfig::load(&path).unwrap();
    assert_eq!((config.node.id, config.node.data_centre.as_str()), (4, "lon"));
    assert_eq!(config.client_address(), "127.0.0.1:7130");
    NodeTls::open(&config.tls, 4).unwrap();
    assert_eq!(std::fs::read(world.directory.path().join("ca/cluster.pem")).unwrap(), ca, "authorities are kept");
    for entry in ["ca", "tls"].iter().flat_map(|name| std::fs::read_dir(world.directory.path().join(name)).unwrap()) {
        let path = entry.unwrap().path();
        let mode = path.metadata().unwrap().permissions().mode() & 0o777;
        let expected = if path.extension().is_some_and(|end| end == "key") { 0o600 } else { 0o644 };
        assert_eq!(mode, expected, "{}", path.display());
    }
}

#[test]
fn a_development_cluster_that_cannot_be_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let cluster = DevCluster::on_loopback(directory.path(), 1, &["lon".into()], 7100);
    let error = DevCluster { partners: vec!["GB".into()], ..cluster.clone() }.write().unwrap_err();
    assert!(error.to_string().contains("'GB' is not the code of another country"), "{error}");
    let error = DevCluster { cluster_id: "Dev".into(), ..cluster }.write().unwrap_err();
    assert!(error.to_string().contains("node.cluster_id: 'Dev' is not"), "{error}");
}
