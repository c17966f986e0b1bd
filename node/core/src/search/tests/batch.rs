//! Queries of a batch share their work and nothing else.

use super::store::*;
use crate::{
    pb,
    search::{Batch, Normaliser, SearchLimits},
};

#[test]
fn a_batch_answers_each_query_as_a_search_of_its_own_would() {
    let mut store = Store::new();
    for number in 0..120u8 {
        let born = Some(date(1960 + u32::from(number % 7), 1 + u32::from(number % 12), 5));
        let name = ["Maria Silva", "Ana Silva", "Mariana Sylva", "Karl Keller"][usize::from(number % 4)];
        let alert = if number % 5 == 0 { passport(&format!("AB{number}"), "GB") } else { person(name, born) };
        if number % 3 == 0 {
            store.add_covert(number, alert)
        } else {
            store.add(number, alert)
        };
    }
    let mut tight = *store.rules.search_profile();
    (tight.budget_postings, tight.budget_scores, tight.budget_seeks) = (9, 3, 30);
    let mut queries: Vec<_> = (0..40u8)
        .map(|number| match number % 4 {
            0 => any(&format!("AB{}", number * 5)),
            1 => pb::Query { person: Some(by_name("Maria Silva", None)), ..Default::default() },
            2 => pb::Query { person: Some(by_name("Ana Sylva", Some(date(1961, 2, 5)))), ..Default::default() },
            _ => pb::Query { person: Some(by_name("Nobody Atall", Some(date(1999, 9, 9)))), ..Default::default() },
        })
        .map(|query| parse(&query).unwrap())
        .collect();
    for profile in [store.rules.search_profile(), &tight] {
        for sorted in [false, true] {
            if sorted {
                queries.sort_by_cached_key(|query| query.place_in_index());
            }
            let viewer = officer();
            let mut batch = Batch::new(&store.view, Normaliser::default(), &viewer, &store, profile).unwrap();
            let mut cut = 0;
            for query in &queries {
                let alone = store.search_parsed(&viewer, query, profile);
                cut += usize::from(alone.truncation.is_some());
                assert_eq!(batch.search(query, SearchLimits::default()).unwrap(), alone);
            }
            assert_eq!(cut > 0, std::ptr::eq(profile, &tight), "budgets begin anew with each query");
        }
    }
}

#[test]
fn queries_that_seek_the_same_keys_lie_beside_each_other() {
    let place = |name: &str, born| {
        parse(&pb::Query { person: Some(by_name(name, born)), ..Default::default() }).unwrap().place_in_index()
    };
    let born = Some(date(1974, 8, 12));
    assert_eq!(place("Maria Silva", born), place("MARIA Costa", born));
    assert!(place("Maria", born) < place("Maria", Some(date(1974, 8, 13))));
    assert_eq!(parse(&any("AB 12")).unwrap().place_in_index(), parse(&any("ab12")).unwrap().place_in_index());
}
