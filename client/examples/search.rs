//! Searches for a person as a border officer does, and gets the record of the best candidate before acting on it.
//!
//! Leave the demo's cluster running; it prints the directory of its configuration. Then search:
//!
//! ```text
//! make demo KEEP=1 PERSONS=1000 OBJECTS=2000
//! cargo run --release -p alert-client --example search -- /tmp/alertstore-XXXX/client-search.toml
//! cargo run --release -p alert-client --example search -- /tmp/alertstore-XXXX/client-search.toml Wendlin Vostermann 1979-05-14
//! ```
//!
//! The search asks for a state at most a second old, which any node can answer from its own disk. The get before an
//! action asks for all that was acknowledged before the call: an alert may have been cancelled a moment ago.

use std::{env, path::Path};

use alert_client::{AlertClient, ClientConfig, Config, pb, present};
use anyhow::Context;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = env::args().skip(1);
    let config = arguments.next().context("usage: search CLIENT.toml [NAME... YYYY-MM-DD]")?;
    let mut words: Vec<String> = arguments.collect();
    if words.is_empty() {
        words = ["Tamsin", "Quenthorpe", "1987-11-23"].map(str::to_owned).to_vec();
    }
    let birth_date = words.last().and_then(|word| date(word));
    words.truncate(words.len() - usize::from(birth_date.is_some()));

    let client = AlertClient::builder().config(&ClientConfig::load(Path::new(&config))?).build()?;
    let person = pb::PersonQuery { names: words, birth_date, ..Default::default() };
    let query = pb::Query { person: Some(person), ..Default::default() };
    let answer = client.search(pb::SearchRequest { query: Some(query), ..Default::default() }).await?;
    print!("{}", present::search(&answer));

    // "No hit" is only said when every source was searched to its end.
    let verdict = present::verdict(&answer.sources);
    if !verdict.is_complete() {
        anyhow::bail!("not fully searched: {verdict}");
    }
    let Some(best) = answer.sources.iter().flat_map(|source| &source.candidates).next() else { return Ok(()) };
    let request = pb::GetRequest { alert_id: best.alert_id.clone(), ..Default::default() };
    match client.get(request).await {
        Ok(found) => print!("\n{}", present::record(&found.record.unwrap_or_default())),
        Err(error) if error.is_not_found() => println!("\nEnded since the search: take no action."),
        Err(error) if error.retryable => println!("\nNo node can prove what holds now ({error}): ask again."),
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

/// "1987-11-23", "1987-11" or "1987".
fn date(text: &str) -> Option<pb::PartialDate> {
    let numbers: Vec<u32> = text.split('-').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let part = |index: usize| numbers.get(index).copied();
    (numbers.len() <= 3).then(|| pb::PartialDate { year: part(0), month: part(1), day: part(2) })
}
