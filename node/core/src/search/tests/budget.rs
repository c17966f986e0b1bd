//! What a search may spend, counted and not timed: nearly all are about strangers, and those must stay cheap.

use alert_synth::{Generator, query_for};

use super::store::*;
use crate::{
    alert::AlertId,
    pb,
    search::{Counters, SearchAnswer, explain},
};

const SEED: u64 = 31;
const PERSONS: u64 = 1_500;
const STRANGERS: u64 = 250;

fn crowd(generator: &Generator) -> Store {
    let mut store = Store::new();
    for number in 0..PERSONS {
        store.put(AlertId::from_time_and_random(number, [0; 10]), Some(open(generator.person(number))));
    }
    store
}

/// What searches for people who are not in the store cost.
fn strangers(store: &Store, generator: &Generator, dated: bool) -> Vec<Counters> {
    let asked = (PERSONS..PERSONS + STRANGERS).filter_map(|number| query_for(&generator.person(number))?.person);
    let cost = |mut person: pb::PersonQuery| {
        if !dated {
            person.birth_date = None;
        }
        let query = pb::Query { person: Some(person), ..Default::default() };
        store.search(&officer(), &query).counters
    };
    asked.filter(|person| person.birth_date.is_some_and(|date| date.day.is_some())).map(cost).collect()
}

fn mean(counters: &[Counters], of: fn(&Counters) -> u64) -> u64 {
    counters.iter().map(of).sum::<u64>() / counters.len() as u64
}

#[test]
fn a_search_for_a_stranger_seeks_some_thirty_lists_and_reads_next_to_no_record() {
    println!("seed {SEED}");
    let generator = Generator::new(SEED);
    let store = crowd(&generator);
    let dated = strangers(&store, &generator, true);
    println!("dated: {} seeks, {} postings", mean(&dated, |c| c.seeks), mean(&dated, |c| c.postings));
    assert!(dated.len() > 150);
    assert!(mean(&dated, |counters| counters.seeks) <= 40, "seeks follow from the query alone");
    assert!(dated.iter().all(|counters| counters.seeks <= 400 && counters.expansions <= 512), "{dated:?}");
    let read = dated.iter().map(|counters| counters.scored).sum::<u64>();
    assert!(read * 10 <= dated.len() as u64, "{read} records read for {} strangers", dated.len());
    let undated = strangers(&store, &generator, false);
    println!("undated: {} seeks, {} records", mean(&undated, |c| c.seeks), mean(&undated, |c| c.scored));
    assert!(mean(&undated, |counters| counters.seeks) <= 300);
    assert!(undated.iter().all(|counters| counters.scored <= PERSONS / 10), "{undated:?}");
}

#[test]
fn each_budget_stops_the_search_and_is_named() {
    let mut store = Store::new();
    for number in 0..60 {
        store.add(number, person("Maximilian Featherstonehaugh", Some(date(1974, 8, 12))));
    }
    let shipped = *store.rules.search_profile();
    let within = |limit, profile: pb::SearchProfile| -> SearchAnswer {
        // Nobody asks for names in use near the query's where the whole date is known.
        let born = (limit != explain::LIMIT_EXPANSIONS).then(|| date(1974, 8, 12));
        let person = Some(by_name("Maximilian Featherstonehaugh", born));
        store.search_within(&officer(), &pb::Query { person, ..Default::default() }, &profile)
    };
    for (limit, value, profile) in [
        (explain::LIMIT_EXPANSIONS, 12, pb::SearchProfile { budget_expansions: 12, ..shipped }),
        (explain::LIMIT_SEEKS, 3, pb::SearchProfile { budget_seeks: 3, ..shipped }),
        (explain::LIMIT_POSTINGS, 20, pb::SearchProfile { budget_postings: 20, ..shipped }),
        (explain::LIMIT_SCORES, 5, pb::SearchProfile { budget_scores: 5, ..shipped }),
        (explain::LIMIT_CANDIDATES, 50, shipped),
    ] {
        let answer = within(limit, profile);
        let cut = answer.truncation.unwrap_or_else(|| panic!("{limit} did not cut"));
        assert_eq!((cut.limit.as_str(), cut.limit_value), (limit, value));
        let counters = answer.counters;
        // Open and covert names are looked up apart.
        assert!(counters.expansions <= 2 * u64::from(profile.budget_expansions), "{limit}: {counters:?}");
        assert!(counters.seeks <= u64::from(profile.budget_seeks), "{limit}: {counters:?}");
        assert!(counters.postings <= u64::from(profile.budget_postings), "{limit}: {counters:?}");
        assert!(counters.scored <= u64::from(profile.budget_scores), "{limit}: {counters:?}");
        assert!(answer.found.len() <= profile.max_candidates as usize, "{limit}");
    }
}
