//! Searches by number, from random nodes, as systems of different rights.

use alert_client::pb;

use super::{Client, Hands, Searched, Task, number_of};
use crate::sim::net::{CLIENT_PORT, address};

pub(super) async fn run(client: &Client, hands: &mut Hands) {
    let api = client.connect().with_defaults(|defaults| defaults.purpose = "border-control".into());
    let mut count = 0_u64;
    while client.recorder.traffic_runs() {
        let all = client.alerts.all();
        if all.is_empty() {
            hands.pause(5..30).await;
            continue;
        }
        let last = all.len().min(12);
        let alert = &all[all.len() - 1 - hands.random_index(last)];
        let node = hands.node(&client.recorder);
        let level = match hands.random_index(3) {
            0 => pb::ReadLevel::Linearizable,
            1 => pb::ReadLevel::Local,
            _ => pb::ReadLevel::Unspecified,
        };
        count += 1;
        let search_id = format!("00000000-0000-7000-8000-{:012x}", u64::from(client.number) << 32 | count);
        let request = pb::SearchRequest {
            context: Some(pb::CallContext { search_id: search_id.clone(), ..Default::default() }),
            read: Some(pb::ReadOptions { level: level as i32, ..Default::default() }),
            query: Some(pb::Query { any_number: number_of(alert.number), ..Default::default() }),
            ..Default::default()
        };
        let called_us = client.recorder.time.next_us();
        let deadline = hands.millis(200..1500);
        let result = api.at_node(address(node, CLIENT_PORT)).with_deadline(deadline).search(request).await;
        if let Ok(answer) = result {
            let context = answer.answer.unwrap_or_default();
            let candidates = answer.sources.iter().flat_map(|source| &source.candidates);
            client.recorder.search(Searched {
                called_us,
                returned_us: client.recorder.time.next_us(),
                node: context.node,
                sees_covert: client.task == Task::Search,
                alert: alert.number,
                revision: context.revision,
                search_id,
                found: candidates.map(|candidate| (candidate.alert_id.clone(), candidate.version)).collect(),
            });
        }
        hands.pause(1..60).await;
    }
}
