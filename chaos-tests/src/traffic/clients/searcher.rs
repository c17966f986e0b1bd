//! Searches by number and by person, and gets, from random nodes, as systems of different rights and as a partner under an agreement.

use alert_client::{AlertClient, Error, pb};

use super::{Client, Hands, Known, Person, Task, number_of, policy::AGREEMENT, reader::staleness_us, tokens};
use crate::{
    model::{Level, Question, Searched},
    sim::net::{CLIENT_PORT, address},
};

/// The bound of a search that names none.
const BOUND_US: u64 = 1_000_000;

pub(super) async fn run(client: &Client, hands: &mut Hands) {
    let agreement = (client.task == Task::SearchPartner).then_some(AGREEMENT);
    let api = client.connect().with_defaults(|defaults| {
        defaults.purpose = "border-control".into();
        defaults.agreement_id = agreement.unwrap_or_default().into();
    });
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
            // Not a partner's to ask for.
            1 if agreement.is_none() => pb::ReadLevel::Local,
            _ => pb::ReadLevel::Unspecified,
        };
        count += 1;
        let search_id = format!("00000000-0000-7000-8000-{:012x}", u64::from(client.number) << 32 | count);
        let deadline = hands.millis(200..1500);
        let api = api.at_node(address(node, CLIENT_PORT)).with_deadline(deadline);
        let context = pb::CallContext { search_id: search_id.clone(), ..Default::default() };
        let asks = hands.random_index(100);
        let reversed = hands.percent(50);
        let called_us = client.recorder.time.next_us();
        let result = match asks {
            0..45 => {
                let number = number_of(alert.number);
                let query = pb::Query { any_number: number.clone(), ..Default::default() };
                find(&api, context, level, query, Question::Number(number)).await
            }
            45..75 => {
                let person = Person::of(alert.number);
                let query = pb::Query { person: Some(person.query(reversed)), ..Default::default() };
                let (given, family) = person.name();
                let question = Question::Person { given: given.into(), family: family.into() };
                find(&api, context, level, query, question).await
            }
            _ => get(&api, context, level, alert).await,
        };
        if let Ok(shown) = result {
            let level = match shown.answer.level() {
                pb::ReadLevel::Linearizable => Level::Linearizable,
                pb::ReadLevel::Local => Level::Local,
                _ => Level::Bounded { bound_us: BOUND_US },
            };
            client.recorder.search(Searched {
                called_us,
                returned_us: client.recorder.time.next_us(),
                revision: tokens::revision(&shown.answer),
                node: shown.answer.node.clone(),
                caller: client.caller(),
                agreement: agreement.map(str::to_owned),
                question: shown.question,
                level,
                staleness_us: staleness_us(&shown.answer),
                search_id,
                found: shown.found,
            });
        }
        hands.pause(1..60).await;
    }
}

struct Shown {
    answer: pb::AnswerContext,
    question: Question,
    found: Vec<(String, u64)>,
}

async fn find(
    api: &AlertClient,
    context: pb::CallContext,
    level: pb::ReadLevel,
    query: pb::Query,
    question: Question,
) -> Result<Shown, Error> {
    let request = pb::SearchRequest {
        context: Some(context),
        read: Some(pb::ReadOptions { level: level as i32, ..Default::default() }),
        query: Some(query),
        ..Default::default()
    };
    let answer = api.search(request).await?;
    let candidates = answer.sources.iter().flat_map(|source| &source.candidates);
    Ok(Shown {
        question,
        found: candidates.map(|candidate| (candidate.alert_id.clone(), candidate.version)).collect(),
        answer: answer.answer.unwrap_or_default(),
    })
}

/// Nothing is made of a record that is not there: such an answer does not tell its state.
async fn get(api: &AlertClient, context: pb::CallContext, level: pb::ReadLevel, alert: &Known) -> Result<Shown, Error> {
    let request = pb::GetRequest {
        context: Some(context),
        read: Some(pb::ReadOptions { level: level as i32, ..Default::default() }),
        alert_id: alert.id.clone(),
        ..Default::default()
    };
    let answer = api.get(request).await?;
    let info = answer.record.and_then(|record| record.info).unwrap_or_default();
    Ok(Shown {
        question: Question::Record(alert.id.clone()),
        found: vec![(info.id, info.version)],
        answer: answer.answer.unwrap_or_default(),
    })
}
