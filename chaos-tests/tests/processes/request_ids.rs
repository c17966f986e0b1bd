//! One request, one effect, however often it is sent and whoever leads.

use alert_client::AlertClient;
use alert_proto::v1 as pb;
use alert_synth::known;

use crate::stage::{alerts_at, bureau, three};

const SESSION: [u8; 16] = *b"sixteen bytes ok";

fn request(sequence: u64, number: u64) -> pb::CreateRequest {
    let request_id = Some(pb::RequestId { session: SESSION.to_vec(), sequence });
    let context = Some(pb::CallContext { request_id, ..Default::default() });
    pb::CreateRequest { context, alert: Some(known::numbered("request-ids", number)), ..Default::default() }
}

async fn create(client: &AlertClient, sequence: u64, number: u64) -> pb::WriteResponse {
    client.create(request(sequence, number)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_request_id_has_one_effect_across_a_failover() {
    let cluster = three().start().await.unwrap();
    let client = bureau(&cluster);
    let first = create(&client, 1, 1).await;
    assert!(!first.repeated_request);
    let twice = create(&client, 1, 1).await;
    assert!(twice.repeated_request, "the same leader");

    let leader = cluster.wait_leader().await.unwrap();
    cluster.node(leader).unwrap().kill().unwrap();
    let other = create(&client, 1, 1).await;
    assert_ne!(cluster.wait_leader().await.unwrap(), leader);
    for repeated in [&twice, &other] {
        let same = (&repeated.alert_id, repeated.version, repeated.state);
        assert_eq!(same, (&first.alert_id, first.version, first.state), "the first answer is given again");
    }
    assert!(other.repeated_request, "a leader that never saw the first one");

    // Other content under the id is refused, and changes nothing; another id is another request.
    let reused = client.create(request(1, 2)).await.unwrap_err();
    assert_eq!((reused.code.as_str(), reused.retryable, reused.maybe_applied), ("REQUEST_ID_REUSED", false, false));
    assert!(!create(&client, 2, 2).await.repeated_request);

    // Refusals are kept as well: the reference is taken now, and was taken at the first attempt.
    let clash = client.create(request(3, 1)).await.unwrap_err();
    assert_eq!(clash.code, "DUPLICATE_SOURCE");

    // All of it is in the state, not in a leader's memory: also after every node started anew.
    let node = cluster.node(leader).unwrap();
    cluster.kill_all().unwrap();
    cluster.start_all().unwrap();
    cluster.wait_all_ready().await.unwrap();
    for node in cluster.nodes() {
        let at_node = client.at_node(node.client_address().unwrap());
        let again = create(&at_node, 1, 1).await;
        assert_eq!((again.alert_id, again.repeated_request), (first.alert_id.clone(), true), "node {}", node.id());
        assert_eq!(at_node.create(request(1, 2)).await.unwrap_err().code, "REQUEST_ID_REUSED");
        assert_eq!(at_node.create(request(3, 1)).await.unwrap_err().code, "DUPLICATE_SOURCE");
    }
    cluster.wait_same_state().await.unwrap();
    assert_eq!(alerts_at(&cluster, node.id()).await, 2);
}
