//! Checks the 300 passengers of a flight in one stream, and tells the border who must be looked at.
//!
//! ```text
//! make demo KEEP=1 PERSONS=1000 OBJECTS=2000
//! cargo run --release -p alert-client --example passenger_list -- /tmp/alertstore-XXXX/client-search.toml
//! ```
//!
//! Answers come as they are ready, each with the key (here: the seat) of its passenger. The list is read only as fast as
//! answers come. When a node is lost in the middle, the passengers that are still unanswered are asked again on another
//! one, under the same search id: kill a node while it runs and nothing changes.

use std::{collections::BTreeMap, env, path::Path, time::Instant};

use alert_client::{AlertClient, BatchOptions, ClientConfig, Config, pb, present};
use alert_synth::{Generator, known, query_for};
use anyhow::{Context, bail};
use futures::stream;

const PASSENGERS: usize = 300;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let config = env::args().nth(1).context("usage: passenger_list CLIENT.toml")?;
    let client = AlertClient::builder().config(&ClientConfig::load(Path::new(&config))?).build()?;

    let manifest = manifest();
    let started = Instant::now();
    let mut answers = client.search_batch(BatchOptions::default(), stream::iter(manifest));
    let (mut complete, mut first_answer, mut to_look_at) = (0, None, BTreeMap::new());
    while let Some(answer) = answers.next().await {
        let answer = answer?;
        first_answer.get_or_insert_with(|| started.elapsed());
        if let Some(error) = &answer.error {
            println!("seat {}: not searched: {}", answer.key, error.message);
            continue;
        }
        complete += usize::from(present::verdict(&answer.sources).is_complete());
        let candidates: Vec<_> = answer.sources.into_iter().flat_map(|source| source.candidates).collect();
        if !candidates.is_empty() {
            to_look_at.insert(answer.key, candidates);
        }
    }
    let time = started.elapsed();
    for (seat, candidates) in &to_look_at {
        for candidate in candidates {
            let (category, action) = (value(&candidate.category), value(&candidate.action));
            println!("seat {seat}: {} ({}): {category}, {action}", candidate.title, candidate.score);
        }
    }
    println!(
        "{complete} of {PASSENGERS} passengers fully searched in {time:.0?} (first answer after {:.0?}), {} to be looked at",
        first_answer.unwrap_or_default(),
        to_look_at.len()
    );
    if complete != PASSENGERS {
        bail!("some were not fully searched: ask again before they are let in");
    }
    Ok(())
}

fn value(code: &Option<pb::Code>) -> &str {
    code.as_ref().map_or("?", |code| &code.value)
}

/// Invented travellers of whom no alert is known, and two of the demo's wanted persons among them.
fn manifest() -> Vec<pb::KeyedQuery> {
    let strangers = Generator::new(20_261_125);
    let mut queries: Vec<pb::Query> =
        (0..).filter_map(|number| query_for(&strangers.person(number))).take(PASSENGERS).collect();
    queries[41] = known::wanted_holder().query;
    queries[207] = known::misspelt().query;
    let seat = |number: usize| format!("{:02}{}", number / 6 + 1, ['A', 'B', 'C', 'D', 'E', 'F'][number % 6]);
    queries
        .into_iter()
        .enumerate()
        .map(|(number, query)| pb::KeyedQuery { key: seat(number), query: Some(query) })
        .collect()
}
