//! Who is not let in, and what they and the operator are told.

use std::time::{Duration, SystemTime};

use alert_chaos::process::{LocalCluster, NodeProcess};
use alert_client::{AlertClient, Error, codes};
use alert_cluster_config::{
    dev_ca::{DevCa, Holder},
    identity::{Subject, roles},
};
use alert_proto::v1 as pb;
use alert_synth::known;

use rustls_pki_types::{CertificateDer, pem::PemObject};

use crate::stage::{bureau, searcher};

/// Nobody of these gets an answer, so none needs long.
const PATIENCE: Duration = Duration::from_secs(2);

/// One node, formed, whose further nodes would be of another cluster.
async fn one() -> LocalCluster {
    let other = |config: &mut alert_cluster_config::NodeConfig| {
        if config.node.id > 1 {
            config.node.cluster_id = "elsewhere".to_owned();
        }
    };
    LocalCluster::builder().nodes(1).partners(&["FR", "NO"]).configure(other).start().await.unwrap()
}

/// A client with a certificate for `holder` from `authority`, at one port of the node.
fn impostor(cluster: &LocalCluster, authority: &DevCa, holder: &Holder, port: &str) -> AlertClient {
    let issued = authority.issue(holder).unwrap();
    let (certificate, key) = issued.write(&cluster.directory().join("tls"), "impostor").unwrap();
    let mut config = cluster.client_config("search").unwrap();
    (config.tls.certificate, config.tls.key) = (Some(certificate), Some(key));
    at(&AlertClient::builder().config(&config).build().unwrap(), port)
}

fn at(client: &AlertClient, port: &str) -> AlertClient {
    client.at_node(port).with_deadline(PATIENCE)
}

async fn refusal(client: &AlertClient) -> Error {
    client.search(pb::SearchRequest { query: Some(known::no_hit()), ..Default::default() }).await.unwrap_err()
}

/// The connection is refused: the node's log says why in `sentence`, and the caller, who may be anybody, gets no answer
/// and learns in one sentence that it was the certificate, at once and not at its deadline.
async fn is_refused(node: &NodeProcess, client: &AlertClient, sentence: &str) {
    let error = refusal(client).await;
    println!("{sentence} <- {error}");
    assert_eq!(error.code, codes::CERTIFICATE, "{error}");
    let told = "the node refuses this client's certificate: ";
    assert!(error.message.starts_with(told) && !error.retryable && !error.maybe_applied, "{error}");
    node.wait_for_log(sentence).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates_open_only_what_their_authority_may_vouch_for() {
    let cluster = one().await;
    let node = cluster.node(1).unwrap();
    let config = node.config().unwrap();
    let (clients, nodes) = (config.client_address(), config.raft_address());
    let authority = |name: &str| DevCa::open_or_create(&cluster.directory().join("ca"), name).unwrap();
    let (ours, france, uk) = (authority("cluster"), authority("partner-fr"), authority("uk-clients"));
    let refused = async |authority: &DevCa, holder: Holder, port: &str, sentence: &str| {
        is_refused(&node, &impostor(&cluster, authority, &holder, port), sentence).await;
    };
    let search = || Holder::client(roles::SEARCH, "GB", "border-force", "gate-7");
    let partner = |country: &str| Holder::client(roles::PARTNER, country, "police", "desk");
    let hosts = ["127.0.0.1"];
    let a_node = || Holder::node(2, "node2", "home-office", &hosts);

    // A wrong certificate: of nobody that we know, and of yesterday.
    let stranger = DevCa::new("stranger").unwrap();
    let unknown = "was issued by an authority that this port does not trust";
    refused(&stranger, search(), &clients, unknown).await;
    let yesterday = SystemTime::now() - Duration::from_secs(24 * 60 * 60);
    refused(&uk, Holder { not_before: yesterday, not_after: yesterday, ..search() }, &clients, "has expired").await;

    // A partner's authority that claims to vouch for a node, another country, or one of ours.
    let no_node = "the authority 'partner-fr' may not give the role 'node' here, only partner";
    refused(&france, a_node(), &clients, no_node).await;
    let not_norway = "the authority 'partner-fr' may not speak for the country 'NO', only FR";
    refused(&france, partner("NO"), &clients, not_norway).await;
    let not_ours = "the authority 'partner-fr' may not give the role 'search' here, only partner";
    refused(&france, search(), &clients, not_ours).await;

    // The Raft port is for nodes.
    refused(&uk, search(), &nodes, unknown).await;
    refused(&france, a_node(), &nodes, unknown).await;
    let operator = Holder::client(roles::OPERATOR, "GB", "home-office", "desk");
    let only_nodes = "the authority 'cluster' may not give the role 'operator' here, only node";
    refused(&ours, operator, &nodes, only_nodes).await;

    // And a node's certificate opens nothing else.
    let only_operators = "the authority 'cluster' may not give the role 'node' here, only operator";
    refused(&ours, a_node(), &clients, only_operators).await;

    // What opens it.
    let let_in = impostor(&cluster, &uk, &search(), &clients);
    let_in.search(pb::SearchRequest { query: Some(known::no_hit()), ..Default::default() }).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_that_is_denied_loses_the_connection_that_it_has() {
    let cluster = one().await;
    let node = cluster.node(1).unwrap();
    let uk = DevCa::open_or_create(&cluster.directory().join("ca"), "uk-clients").unwrap();
    let port = node.client_address().unwrap();
    let holder = Holder::client(roles::SEARCH, "GB", "border-force", "gate-7");
    let client = impostor(&cluster, &uk, &holder, &port);
    let no_hit = || pb::SearchRequest { query: Some(known::no_hit()), ..Default::default() };
    client.search(no_hit()).await.unwrap();
    let other = at(&searcher(&cluster), &port);
    other.search(no_hit()).await.unwrap();

    let certificate = CertificateDer::from_pem_file(cluster.directory().join("tls/impostor.pem")).unwrap();
    let serial = Subject::of(&certificate).unwrap().serial;
    node.configure(|config| config.tls.deny_serials.push(serial.clone())).unwrap();
    node.reload().unwrap();
    node.wait_for_log("connection ended").await.unwrap();
    is_refused(&node, &client, &format!("certificate {serial} is on the deny list")).await;
    other.search(no_hit()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_reads_no_alert_and_another_cluster_gets_no_answer() {
    let cluster = one().await;
    let port = cluster.node(1).unwrap().client_address().unwrap();
    let written = alert_chaos::traffic::create(&bureau(&cluster), known::numbered("refused", 1)).await.unwrap();

    // Roles are separate: who runs the nodes reads no alert, and who reads alerts runs no node.
    let operator = at(&cluster.client("operator").unwrap(), &port);
    let get = || pb::GetRequest { alert_id: written.alert_id.clone(), ..Default::default() };
    for error in [operator.get(get()).await.unwrap_err(), refusal(&operator).await] {
        assert_eq!(error.code, "NOT_PERMITTED");
        assert!(error.message.contains("operator"), "{error}");
    }
    let reader = searcher(&cluster);
    assert_eq!(reader.get(get()).await.unwrap().record.unwrap().info.unwrap().id, written.alert_id);
    assert_eq!(reader.admin().at(port.as_str()).status().await.unwrap_err().code, "NOT_PERMITTED");

    // A client of another cluster.
    let mut config = cluster.client_config("search").unwrap();
    config.cluster.cluster_id = Some("elsewhere".to_owned());
    let astray = AlertClient::builder().config(&config).build().unwrap();
    let error = refusal(&at(&astray, &port)).await;
    assert_eq!(error.code, "OTHER_CLUSTER", "{error}");
    assert!(error.message.contains("elsewhere") && error.message.contains("dev"), "{error}");

    // A node of another cluster, with a certificate of the same authority.
    let other = cluster.add_node().unwrap();
    other.wait_for_log("node started").await.unwrap();
    let admin = operator.admin().at(port.as_str());
    let error = admin.add_learner(cluster.as_learner(&other).unwrap()).await.unwrap_err();
    let sentence = "node 1 is of cluster 'dev', this node of 'elsewhere'";
    assert!(error.message.contains(sentence), "{error}");
    other.wait_for_log(sentence).await.unwrap();
}
