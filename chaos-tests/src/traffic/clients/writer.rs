//! A bureau that creates, changes, suspends, extends and ends alerts, and lets some end by themselves; retries under the
//! same request id, and sometimes hangs up.

use alert_client::{AlertClient, Error, pb};
use alert_core::alert::time::from_ms;
use tokio::time::timeout;

use super::{
    Client, Hands, Known,
    records::{record, value_of},
};
use crate::{
    model::{Call, Change, Expects, Operation, Outcome},
    sim::machine::START_MS,
};

/// Alerts alive at a time.
const LIVING: usize = 6;
/// The first so many end by themselves for certain: nobody changes, extends or ends them.
const LEFT_ALONE: usize = 3;

pub(super) async fn run(client: &Client, hands: &mut Hands) {
    let api = client.connect();
    while client.recorder.traffic_runs() {
        let living = client.alerts.living(client.now_ms());
        if living.len() < LIVING {
            create(client, hands, &api).await;
        } else {
            let alert = &living[hands.random_index(living.len())];
            write(client, hands, &api, alert).await;
        }
        hands.pause(1..60).await;
    }
}

impl Hands {
    pub(super) fn random_index(&mut self, count: usize) -> usize {
        use rand::Rng;
        self.random.random_range(0..count)
    }
}

async fn create(client: &Client, hands: &mut Hands, api: &AlertClient) {
    let (number, value) = (client.alerts.new_number(), client.alerts.new_value());
    let covert = hands.percent(30);
    let is_left_alone = client.alerts.all().len() < LEFT_ALONE;
    let ends_ms =
        (is_left_alone || hands.percent(25)).then(|| client.now_ms() + hands.millis(1_500..7_000).as_millis() as u64);
    let call = Call::Write { expects: Expects::Absent, change: Change::Set(value) };
    let request = pb::CreateRequest { alert: Some(record(number, value, covert, ends_ms)), ..Default::default() };
    let name = format!("alert-{number}");
    let send = |api: AlertClient, context| api_create(api, pb::CreateRequest { context, ..request.clone() });
    if let Some(answer) = perform(client, hands, api, &name, call, send).await {
        let version = answer.version;
        if let Some(ends_ms) = ends_ms {
            client.recorder.ends(number, (ends_ms - START_MS) * 1000);
        }
        client.alerts.add(Known { number, id: answer.alert_id, version, covert, ends_ms, ending: is_left_alone });
    }
}

async fn api_create(api: AlertClient, request: pb::CreateRequest) -> Result<pb::WriteResponse, Error> {
    api.create(request).await
}

async fn write(client: &Client, hands: &mut Hands, api: &AlertClient, alert: &Known) {
    let name = alert.name();
    let id = alert.id.clone();
    let expects = Expects::Version(alert.version);
    match hands.random_index(100) {
        0..50 => {
            let value = client.alerts.new_value();
            let call = Call::Write { expects, change: Change::Set(value) };
            let request = pb::UpdateRequest {
                alert: Some(pb::Alert { id, ..record(alert.number, value, alert.covert, alert.ends_ms) }),
                expected_version: alert.version,
                ..Default::default()
            };
            let send = |api: AlertClient, context| {
                let request = pb::UpdateRequest { context, ..request.clone() };
                async move { api.update(request).await }
            };
            perform(client, hands, api, &name, call, send).await;
        }
        // In one part of the United Kingdom, or everywhere.
        50..70 => suspend(client, hands, api, alert, vec![pb::Party { code: "GB-NIR".into() }]).await,
        70..80 => suspend(client, hands, api, alert, Vec::new()).await,
        80..88 => lift(client, hands, api, alert).await,
        88..90 if alert.ends_ms.is_some() => extend(client, hands, api, alert).await,
        88..95 => {
            client.alerts.ends(alert.number);
            let call = Call::Write { expects: Expects::Any, change: Change::Cancel };
            let reason = Some(pb::Code { list: "deletion-reason".into(), value: "revoked".into() });
            let request = pb::CancelRequest { alert_id: id, reason, ..Default::default() };
            let send = |api: AlertClient, context| {
                let request = pb::CancelRequest { context, ..request.clone() };
                async move { api.cancel(request).await }
            };
            perform(client, hands, api, &name, call, send).await;
        }
        _ => {
            client.alerts.ends(alert.number);
            let call = Call::Write { expects: Expects::Any, change: Change::Erase };
            let request = pb::EraseRequest { alert_id: id, ground: "sim".into(), ..Default::default() };
            let send = |api: AlertClient, context| {
                let request = pb::EraseRequest { context, ..request.clone() };
                async move { api.erase(request).await }
            };
            perform(client, hands, api, &name, call, send).await;
        }
    }
}

async fn suspend(client: &Client, hands: &mut Hands, api: &AlertClient, alert: &Known, territories: Vec<pb::Party>) {
    let call = Call::Write { expects: Expects::Any, change: Change::Touch };
    let restriction = pb::Restriction {
        kind: pb::RestrictionKind::Suspended as i32,
        territories,
        requested_by: "sim".into(),
        decision: "sim".into(),
        ..Default::default()
    };
    let (alert_id, restriction) = (alert.id.clone(), Some(restriction));
    let request = pb::RestrictRequest { alert_id, restriction, ..Default::default() };
    let send = |api: AlertClient, context| {
        let request = pb::RestrictRequest { context, ..request.clone() };
        async move { api.restrict(request).await }
    };
    perform(client, hands, api, &alert.name(), call, send).await;
}

/// Lifts one of the alert's restrictions, if it has any.
async fn lift(client: &Client, hands: &mut Hands, api: &AlertClient, alert: &Known) {
    let read = pb::GetRequest { alert_id: alert.id.clone(), ..Default::default() };
    let Ok(answer) = api.with_deadline(hands.millis(300..1500)).get(read).await else { return };
    let Some(record) = answer.record else { return };
    let version = record.info.map_or(0, |info| info.version);
    let lifecycle = record.alert.and_then(|alert| alert.lifecycle).unwrap_or_default();
    let Some(restriction) = lifecycle.restrictions.iter().rev().find(|one| one.lifted_at.is_none()) else { return };
    let call = Call::Write { expects: Expects::Version(version), change: Change::Touch };
    let request = pb::LiftRestrictionRequest {
        alert_id: alert.id.clone(),
        expected_version: version,
        restriction_number: restriction.number,
        ..Default::default()
    };
    let send = |api: AlertClient, context| {
        let request = pb::LiftRestrictionRequest { context, ..request.clone() };
        async move { api.lift_restriction(request).await }
    };
    perform(client, hands, api, &alert.name(), call, send).await;
}

/// Lets an alert last longer than its owner wished, often in the moment in which it ends.
async fn extend(client: &Client, hands: &mut Hands, api: &AlertClient, alert: &Known) {
    let until_ms = client.now_ms().max(alert.ends_ms.unwrap_or(0)) + hands.millis(500..3_000).as_millis() as u64;
    let call = Call::Write { expects: Expects::Any, change: Change::Touch };
    let request = pb::ExtendRequest {
        alert_id: alert.id.clone(),
        until: Some(from_ms(until_ms)),
        reviewed_by: "sim".into(),
        assessment: "sim".into(),
        ..Default::default()
    };
    let send = |api: AlertClient, context| {
        let request = pb::ExtendRequest { context, ..request.clone() };
        async move { api.extend(request).await }
    };
    if perform(client, hands, api, &alert.name(), call, send).await.is_some() {
        client.alerts.extended(alert.number, until_ms);
    }
}

/// One write, with all its attempts under one request id, and what became of it.
async fn perform<F: Future<Output = Result<pb::WriteResponse, Error>>>(
    client: &Client,
    hands: &mut Hands,
    api: &AlertClient,
    alert: &str,
    call: Call,
    send: impl Fn(AlertClient, Option<pb::CallContext>) -> F,
) -> Option<pb::WriteResponse> {
    let called_us = client.recorder.time.next_us();
    let number = hands.client;
    let operation = |returned_us, outcome| Operation {
        client: number,
        called_us,
        returned_us,
        node: None,
        alert: alert.to_owned(),
        call,
        outcome,
    };
    client.recorder.sends(operation(None, Outcome::Unknown));
    let api = if hands.percent(25) {
        // Not only the leader is asked.
        let node = hands.node(&client.recorder);
        api.at_node(crate::sim::net::address(node, crate::sim::net::CLIENT_PORT))
    } else {
        api.clone()
    };
    let api = api.with_deadline(hands.millis(300..4000));
    // Now and then the caller hangs up; the call may take effect all the same.
    let patience = if hands.percent(6) { hands.millis(2..60) } else { hands.millis(60_000..60_001) };
    let mut context = None;
    let mut repeats = 0;
    let result = loop {
        match timeout(patience, send(api.clone(), context.clone())).await {
            Err(_) => {
                client.recorder.hung_up();
                break None;
            }
            Ok(Err(error)) if error.maybe_applied && error.request_id.is_some() && repeats < 2 && hands.percent(70) => {
                client.recorder.repeats();
                repeats += 1;
                context = Some(pb::CallContext { request_id: error.request_id.clone(), ..Default::default() });
            }
            Ok(result) => break Some(result),
        }
    };
    let returned_us = client.recorder.time.next_us();
    let outcome = match &result {
        None => Outcome::Unknown,
        Some(Ok(answer)) => Outcome::Written { version: answer.version },
        Some(Err(error)) => refusal(error, repeats > 0),
    };
    if let Some(Ok(answer)) = &result {
        client.recorder.acknowledged(answer.answer.as_ref().map_or(0, |answer| answer.revision), returned_us);
    }
    if let Outcome::Written { version } = outcome
        && let Some(number) = alert.strip_prefix("alert-").and_then(|number| number.parse().ok())
    {
        client.alerts.saw(number, version);
    }
    if let Some(Err(error)) = &result
        && outcome == Outcome::Refused
    {
        client
            .recorder
            .timeline
            .note(&format!("client {}", hands.client), format!("{alert} refused: {} {}", error.code, error.message));
    }
    let returned_us = (outcome != Outcome::Unknown).then_some(returned_us);
    client.recorder.operation(operation(returned_us, outcome));
    if outcome == Outcome::Unknown {
        hands.client += 1000;
    }
    result?.ok()
}

fn refusal(error: &Error, may_have_been: bool) -> Outcome {
    let conflicts = ["VERSION_CONFLICT", "WRONG_STATE", "NOT_FOUND", "DUPLICATE_SOURCE", "ALREADY_EXISTS"];
    if error.maybe_applied {
        Outcome::Unknown
    } else if conflicts.contains(&error.code.as_str()) {
        Outcome::Conflict
    } else if may_have_been {
        // An earlier call under the same id may have taken effect.
        Outcome::Unknown
    } else {
        Outcome::Refused
    }
}

/// What a read made of a record.
pub(super) fn found(record: &pb::AlertRecord, staleness_us: Option<u64>) -> Outcome {
    let info = record.info.clone().unwrap_or_default();
    if [pb::AlertState::Deleted, pb::AlertState::Expired].contains(&info.state()) {
        return Outcome::Ended { version: info.version, staleness_us };
    }
    let value = record.alert.as_ref().map_or(0, value_of);
    Outcome::Found { version: info.version, value, staleness_us }
}
