//! Reads of random alerts from random nodes at random levels.

use std::{collections::BTreeMap, time::Duration};

use alert_client::{AlertClient, pb};

use super::{Client, Hands, Known, Task, tokens, writer::found};
use crate::{
    model::{Call, Level, Operation, Outcome, Question, Searched},
    sim::net::{CLIENT_PORT, address},
};

pub(super) async fn run(client: &Client, hands: &mut Hands) {
    let api = client.connect();
    // What this session has seen of each alert.
    let mut seen: BTreeMap<u64, u64> = BTreeMap::new();
    while client.recorder.traffic_runs() {
        let all = client.alerts.all();
        if all.is_empty() {
            hands.pause(5..30).await;
            continue;
        }
        // The newest ones mostly: they change.
        let last = all.len().min(8);
        let alert = &all[all.len() - 1 - hands.random_index(last)];
        let known = seen.get(&alert.number).copied().unwrap_or(0);
        let level = match hands.random_index(100) {
            // Whether an age is told right shows in few moments only: one reader waits for them.
            _ if client.task == Task::ReadBounded => Level::Bounded { bound_us: bound_us(hands) },
            0..40 => Level::Linearizable,
            40..60 => Level::Session { version: known },
            60..85 => Level::Bounded { bound_us: bound_us(hands) },
            _ => Level::Local,
        };
        let node = hands.node(&client.recorder);
        let deadline = hands.millis(100..1500);
        let operation = read(client, hands.client, &api, alert, level, node, deadline).await;
        if let Some(version) = operation.version() {
            let entry = seen.entry(alert.number).or_default();
            *entry = (*entry).max(version);
            client.alerts.saw(alert.number, version);
        }
        client.recorder.operation(operation);
        hands.pause(if client.task == Task::ReadBounded { 1..8 } else { 1..40 }).await;
    }
}

fn bound_us(hands: &mut Hands) -> u64 {
    [5_000, 20_000, 100_000, 400_000, 1_000_000][hands.random_index(5)]
}

async fn read(
    client: &Client,
    number: u32,
    api: &AlertClient,
    alert: &Known,
    level: Level,
    node: u64,
    deadline: Duration,
) -> Operation {
    let (wire, bound) = match level {
        Level::Linearizable => (pb::ReadLevel::Linearizable, None),
        Level::Session { .. } => (pb::ReadLevel::Session, None),
        Level::Bounded { bound_us } => (pb::ReadLevel::Bounded, Duration::from_micros(bound_us).try_into().ok()),
        Level::Local => (pb::ReadLevel::Local, None),
    };
    let search_id = format!("00000000-0000-7000-a000-{:012x}", client.recorder.time.next_us());
    let request = pb::GetRequest {
        context: Some(pb::CallContext { search_id: search_id.clone(), ..Default::default() }),
        alert_id: alert.id.clone(),
        read: Some(pb::ReadOptions { level: wire as i32, bound, ..Default::default() }),
        ..Default::default()
    };
    // Without an answer of before there is no session to go on with.
    let called_us = client.recorder.time.next_us();
    let result = api.at_node(address(node, CLIENT_PORT)).with_deadline(deadline).get(request).await;
    let returned_us = client.recorder.time.next_us();
    let outcome = match result {
        Ok(pb::GetResponse { answer, record: Some(record), .. }) => {
            let answer = answer.unwrap_or_default();
            let staleness_us = staleness_us(&answer);
            let info = record.info.clone().unwrap_or_default();
            client.recorder.answer(Searched {
                called_us,
                returned_us,
                revision: tokens::revision(&answer),
                node: answer.node,
                caller: client.caller(),
                agreement: None,
                question: Question::Record(alert.id.clone()),
                level,
                staleness_us,
                search_id,
                found: vec![(info.id, info.version)],
            });
            found(&record, staleness_us)
        }
        Err(error) if error.code == "NOT_FOUND" => Outcome::Absent { staleness_us: None },
        Ok(_) | Err(_) => Outcome::Refused,
    };
    Operation {
        client: number,
        called_us,
        returned_us: Some(returned_us),
        node: Some(node),
        alert: alert.name(),
        call: Call::Read { level },
        outcome,
    }
}

/// How old the state of an answer may be, as the node said.
pub(super) fn staleness_us(answer: &pb::AnswerContext) -> Option<u64> {
    let bound = answer.staleness_bound.and_then(|bound| Duration::try_from(bound).ok());
    bound.map(|bound| bound.as_micros() as u64)
}

/// Reads every alert, linearizable, from every node of `nodes`; false when one did not answer.
pub async fn read_all(client: &Client, nodes: &[u64]) -> bool {
    let api = client.connect();
    let mut number = client.number;
    for alert in client.alerts.all() {
        for node in nodes {
            let mut answered = false;
            for _ in 0..20 {
                let limit = Duration::from_secs(2);
                let operation = read(client, number, &api, &alert, Level::Linearizable, *node, limit).await;
                number += 1;
                answered = operation.is_answered_read();
                if answered {
                    client.recorder.operation(operation);
                    break;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            if !answered {
                client.recorder.timeline.note("liveness", format!("node {node} does not answer for {}", alert.name()));
                return false;
            }
        }
    }
    true
}
