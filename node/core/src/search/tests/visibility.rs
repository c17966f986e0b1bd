//! What is hidden leaves no trace: not in the answer, not in cut marks, not in what the search cost.

use std::{cell::RefCell, collections::BTreeSet};

use super::store::*;
use crate::{
    alert::{Agreement, Partition, Role, Viewer},
    pb,
    search::{SearchLimits, candidate, index, run},
    state::{Cursor, View, ViewError, family::Family},
};

fn partner() -> Viewer {
    let agreement = pb::Agreement {
        partner: party("FR"),
        categories: vec![pb::Code { list: "category".into(), value: "arrest".into() }],
        state: pb::AgreementState::Active as i32,
        candidate_fields: Some(pb::FieldRights { fields: vec!["category".into(), "action".into()] }),
        ..Default::default()
    };
    Viewer::new(caller("FR", Role::Partner), Some(Agreement::new(&agreement)))
}

fn eriksson() -> pb::Query {
    pb::Query {
        person: Some(by_name("Anna Eriksson", Some(date(1974, 8, 12)))),
        any_number: "533190426".into(),
        ..Default::default()
    }
}

fn wanted(category: &str) -> pb::Alert {
    let mut alert = person("Anna Eriksson", Some(date(1974, 8, 12)));
    alert.objects = passport("533190426", "GB").objects;
    let core = alert.core.as_mut().unwrap();
    core.category = code("category", category);
    core.owner = Some(pb::Owner { party: party("GB"), ..Default::default() });
    alert
}

/// One thing that was asked of the store.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Asked {
    Get(Family, Vec<u8>),
    MayContain(Family, Vec<u8>),
    Seek(Family, Vec<u8>),
    Next(Family),
}

/// Notes everything that is asked of a view.
struct Watched<'a> {
    view: &'a dyn View,
    asked: RefCell<Vec<Asked>>,
}

struct WatchedCursor<'a> {
    family: Family,
    cursor: Box<dyn Cursor + 'a>,
    asked: &'a RefCell<Vec<Asked>>,
}

impl<'a> Watched<'a> {
    fn new(view: &'a dyn View) -> Self {
        Self { view, asked: RefCell::default() }
    }

    /// The visibility partitions of all lists that were looked for.
    fn partitions(&self) -> BTreeSet<u8> {
        let asked = self.asked.borrow();
        let key = |asked: &Asked| match asked {
            Asked::Seek(family, key) | Asked::Get(family, key) | Asked::MayContain(family, key) => {
                index::prefix_length(*family).map(|_| key[2])
            }
            Asked::Next(_) => None,
        };
        asked.iter().filter_map(key).collect()
    }
}

impl View for Watched<'_> {
    fn get(&self, family: Family, key: &[u8]) -> Result<Option<Vec<u8>>, ViewError> {
        self.asked.borrow_mut().push(Asked::Get(family, key.to_vec()));
        self.view.get(family, key)
    }

    fn may_contain(&self, family: Family, key: &[u8]) -> Result<bool, ViewError> {
        self.asked.borrow_mut().push(Asked::MayContain(family, key.to_vec()));
        self.view.may_contain(family, key)
    }

    fn cursor(&self, family: Family) -> Box<dyn Cursor + '_> {
        Box::new(WatchedCursor { family, cursor: self.view.cursor(family), asked: &self.asked })
    }
}

impl Cursor for WatchedCursor<'_> {
    fn seek(&mut self, key: &[u8], prefix: &[u8]) -> Result<(), ViewError> {
        self.asked.borrow_mut().push(Asked::Seek(self.family, key.to_vec()));
        self.cursor.seek(key, prefix)
    }

    fn entry(&self) -> Option<(&[u8], &[u8])> {
        self.cursor.entry()
    }

    fn next(&mut self) -> Result<(), ViewError> {
        self.asked.borrow_mut().push(Asked::Next(self.family));
        self.cursor.next()
    }
}

#[test]
fn covert_lists_are_never_sought_without_the_right() {
    let mut store = Store::new();
    store.add_covert(1, wanted("arrest"));
    let query = parse(&eriksson()).unwrap();
    for (viewer, may) in
        [(officer(), true), (Viewer::new(caller("GB", Role::SearchOpen), None), false), (partner(), false)]
    {
        let watched = Watched::new(&store.view);
        let profile = store.rules.search_profile();
        let answer = run(&watched, &query, &viewer, &store, profile, SearchLimits::default()).unwrap();
        let sought = watched.partitions();
        assert!(!sought.is_empty());
        assert_eq!(sought.contains(&(Partition::Covert as u8)), may);
        assert_eq!(answer.found.len(), usize::from(may));
    }
}

#[test]
fn covert_alerts_cost_whoever_may_not_know_of_them_not_one_step() {
    let questions = [
        eriksson(),
        pb::Query { person: Some(by_name("Ana Erikson", None)), ..Default::default() },
        pb::Query { person: Some(by_name("Eriksson", None)), ..Default::default() },
        any("533190426"),
    ];
    for viewer in [partner(), Viewer::new(caller("GB", Role::SearchOpen), None)] {
        let (mut bare, mut full) = (Store::new(), Store::new());
        for number in 1..=5 {
            bare.add(number, wanted("arrest"));
            full.add(number, wanted("arrest"));
        }
        for number in 50..90 {
            full.add_covert(number, wanted("discreet-check"));
            full.add_covert(number + 100, person("Anna Erikson", Some(date(1974, 8, 12))));
        }
        for question in &questions {
            let query = parse(question).unwrap();
            let steps = |store: &Store| {
                let watched = Watched::new(&store.view);
                let profile = store.rules.search_profile();
                let answer = run(&watched, &query, &viewer, store, profile, SearchLimits::default()).unwrap();
                (watched.asked.into_inner(), answer.counters)
            };
            // The same keys in the same order: what takes time is the same, to the step.
            let (expected, asked) = (steps(&bare), steps(&full));
            assert!(expected.0.len() > 3);
            assert_eq!(asked, expected, "{question:?}");
        }
    }
}

#[test]
fn hidden_alerts_change_neither_candidates_nor_cut_marks_nor_counters() {
    let mut tight = *Store::new().rules.search_profile();
    (tight.budget_postings, tight.budget_scores, tight.max_candidates) = (7, 3, 2);
    for viewer in [partner(), Viewer::new(caller("GB", Role::SearchOpen), None)] {
        let (mut bare, mut full) = (Store::new(), Store::new());
        for number in 1..=5 {
            bare.add(number, wanted("arrest"));
            full.add(number, wanted("arrest"));
        }
        for number in 50..90 {
            full.add_covert(number, wanted("arrest"));
            let hidden = Entry { priority: 0, created_at_ms: 9_000, ..open(wanted("discreet-check")) };
            if viewer.agreement().is_some() {
                full.put(id(number + 100), Some(hidden));
            }
        }
        for profile in [bare.rules.search_profile(), &tight] {
            let expected = bare.search_within(&viewer, &eriksson(), profile);
            let answer = full.search_within(&viewer, &eriksson(), profile);
            let summary = |answer: &crate::search::SearchAnswer| {
                let found: Vec<_> = answer.found.iter().map(|f| (f.id, f.score, f.explanation.clone())).collect();
                (found, answer.truncation.clone(), answer.counters)
            };
            assert!(!expected.found.is_empty());
            assert_eq!(summary(&answer), summary(&expected));
        }
    }
}

#[test]
fn a_name_in_hidden_alerts_alone_leads_to_nobody() {
    // MARTINED is one letter from MARTINEZ and two from MARTYNEZ, which sound alike. Whoever may see no MARTINEZ must not be
    // led by it to MARTYNEZ, or the answer would tell that there is one.
    let viewer = partner();
    let asked = || pb::Query { person: Some(by_name("Martined", Some(date(1974, 8, 12)))), ..Default::default() };
    let named =
        |name: &str, category: &str| pb::Alert { core: wanted(category).core, ..person(name, Some(date(1974, 8, 12))) };
    let mut store = Store::new();
    let visible = store.add(1, named("Martynez", "arrest"));
    let before = store.search(&viewer, &asked());
    assert!(before.found.is_empty(), "two letters and no name in use between them");
    let hidden = id(2);
    store.put(hidden, Some(open(named("Martinez", "discreet-check"))));
    let after = store.search(&viewer, &asked());
    assert_eq!(after.found.len(), before.found.len());
    assert_eq!((after.counters, after.coincidences), (before.counters, before.coincidences));
    assert!(store.ids(&asked()).contains(&hidden), "whoever may see it is led to it");
    // The alert changes its label: its name now leads whoever may see it, and no longer once it is gone.
    store.put(hidden, Some(open(named("Martinez", "arrest"))));
    let ids = |store: &Store| store.search(&viewer, &asked()).found.iter().map(|found| found.id).collect::<Vec<_>>();
    assert!(ids(&store).contains(&hidden) && ids(&store).contains(&visible));
    store.put(hidden, None);
    assert_eq!(ids(&store).len(), before.found.len());
}

#[test]
fn a_cut_list_keeps_the_highest_priority_and_the_newest_and_says_what_would_narrow_it() {
    let mut store = Store::new();
    for number in 0..40 {
        let entry = Entry { priority: 5, created_at_ms: u64::from(number), ..open(person("Maria Silva", None)) };
        store.put(id(number), Some(entry));
    }
    let urgent = Entry { priority: 0, created_at_ms: 0, ..open(person("Maria Silva", None)) };
    let urgent = store.put(id(200), Some(urgent));
    let mut profile = *store.rules.search_profile();
    (profile.budget_scores, profile.max_candidates) = (3, 10);
    let query = pb::Query { person: Some(by_name("Maria Silva", None)), ..Default::default() };
    let answer = store.search_within(&officer(), &query, &profile);
    assert_eq!(answer.found.iter().map(|found| found.id).collect::<Vec<_>>(), [urgent, id(39), id(38)]);
    let cut = answer.truncation.unwrap();
    assert_eq!((cut.limit.as_str(), cut.limit_value, cut.narrow_by.as_str()), ("scores", 3, "date of birth"));
    profile.budget_scores = 1_000;
    let answer = store.search_within(&officer(), &query, &profile);
    assert_eq!(answer.truncation.unwrap().limit, "candidates");
    assert_eq!(answer.found[0].id, urgent);
    profile.budget_postings = 5;
    let answer = store.search_within(&officer(), &query, &profile);
    assert_eq!(answer.truncation.unwrap().limit, "postings");
    assert_eq!(answer.found[0].id, urgent);
    profile.budget_seeks = 0;
    let answer = store.search_within(&officer(), &query, &profile);
    assert_eq!(answer.truncation.unwrap().limit, "seeks");
}

#[test]
fn equal_scores_are_ordered_by_priority_then_newest_then_id() {
    let mut store = Store::new();
    let put = |store: &mut Store, number: u8, priority: u8, created_at_ms: u64| {
        let entry = Entry { priority, created_at_ms, ..open(person("Maria Silva", Some(date(1974, 8, 12)))) };
        store.put(id(number), Some(entry))
    };
    let old = put(&mut store, 1, 1, 10);
    let urgent = put(&mut store, 9, 0, 5);
    let new = put(&mut store, 8, 1, 20);
    let (second, first) = (put(&mut store, 4, 1, 15), put(&mut store, 3, 1, 15));
    let worse = store.add(2, person("Maria Silvia", Some(date(1974, 8, 12))));
    let query = pb::Query { person: Some(by_name("Maria Silva", Some(date(1974, 8, 12)))), ..Default::default() };
    assert_eq!(store.ids(&query), [urgent, new, first, second, old, worse]);
    // By number as well, and a number stands before every name.
    let holder = |store: &mut Store, number: u8, priority: u8, created_at_ms: u64| {
        store.put(id(number), Some(Entry { priority, created_at_ms, ..open(passport("AB123456", "GB")) }))
    };
    let (late, early) = (holder(&mut store, 21, 3, 9), holder(&mut store, 20, 3, 8));
    let first = holder(&mut store, 22, 2, 1);
    let both = pb::Query { any_number: "AB123456".into(), ..query };
    assert_eq!(store.ids(&both)[..3], [first, late, early]);
    assert_eq!(store.ids(&both)[3], urgent);
}

#[test]
fn each_limit_on_its_own_keeps_the_most_urgent_and_then_the_newest() {
    let mut store = Store::new();
    for number in 0..60u8 {
        let entry = Entry {
            priority: 3 + number % 3,
            created_at_ms: u64::from(number),
            ..open(person("Maria Silva", Some(date(1974, 8, 12))))
        };
        store.put(id(number), Some(entry));
    }
    let mut best: Vec<_> = store.alerts.iter().map(|(id, entry)| (entry.priority, !entry.created_at_ms, *id)).collect();
    best.sort_unstable();
    let best: Vec<_> = best.into_iter().map(|(_, _, id)| id).collect();
    let dated = pb::Query { person: Some(by_name("Maria Silva", Some(date(1974, 8, 12)))), ..Default::default() };
    let undated = pb::Query { person: Some(by_name("Maria Silva", None)), ..Default::default() };
    for query in [dated, undated] {
        for kept in [1, 2, 7] {
            let generous = pb::SearchProfile { max_candidates: 100, ..*store.rules.search_profile() };
            for (limit, profile) in [
                ("scores", pb::SearchProfile { budget_scores: kept, ..generous }),
                ("candidates", pb::SearchProfile { max_candidates: kept, ..generous }),
                ("postings", pb::SearchProfile { budget_postings: kept, ..generous }),
            ] {
                let answer = store.search_within(&officer(), &query, &profile);
                let found: Vec<_> = answer.found.iter().map(|found| found.id).collect();
                assert_eq!(found, best[..kept as usize], "{limit} {kept}");
                let cut = answer.truncation.unwrap();
                assert_eq!((cut.limit.as_str(), cut.limit_value), (limit, u64::from(kept)));
                assert!(!cut.narrow_by.is_empty());
            }
        }
    }
}

#[test]
fn a_list_that_will_be_cut_is_not_read_to_its_end() {
    let mut store = Store::new();
    for number in 0..200u8 {
        let entry = Entry { created_at_ms: u64::from(number), ..open(person("Maria Silva", None)) };
        store.put(id(number), Some(entry));
    }
    let query = pb::Query { person: Some(by_name("Maria Silva", None)), ..Default::default() };
    let profile = pb::SearchProfile { max_candidates: 20, ..*store.rules.search_profile() };
    let answer = store.search_within(&officer(), &query, &profile);
    let newest: Vec<_> = (180..200u8).rev().map(id).collect();
    assert_eq!(answer.found.iter().map(|found| found.id).collect::<Vec<_>>(), newest);
    assert_eq!((answer.truncation.unwrap().limit.as_str(), answer.counters.scored), ("candidates", 21));
}

#[test]
fn a_partners_candidate_has_only_the_fields_of_its_agreement() {
    let mut store = Store::new();
    let mut alert = wanted("arrest");
    alert.action = Some(pb::ActionSection { action: code("action", "arrest"), ..Default::default() });
    alert
        .identities
        .as_mut()
        .unwrap()
        .markers
        .push(pb::Marker { marker: code("warning-marker", "armed"), ..Default::default() });
    store.add(1, alert);
    for viewer in [partner(), officer()] {
        let answer = store.search(&viewer, &eriksson());
        let fields = viewer.agreement().cloned();
        let may_have = |field: &str| fields.as_ref().is_none_or(|agreement| agreement.candidate_field(field));
        let scope =
            candidate::CandidateScope { viewer: &viewer, rules: &store.rules, now_ms: 5_000, may_have: &may_have };
        let shown = candidate::to_proto(&answer.found[0], &scope).unwrap();
        let partner = fields.is_some();
        assert_eq!(shown.alert_id, id(1).to_string());
        assert_eq!(shown.score, 10_000);
        assert_eq!(shown.category, code("category", "arrest"));
        assert_eq!(shown.action, code("action", "arrest"));
        assert_eq!(shown.markers.is_empty(), partner);
        assert_eq!(shown.title.is_empty(), partner);
        let explanation = shown.explanation.unwrap();
        assert_eq!(explanation.tokens.iter().all(|token| token.matched.is_empty()), partner);
        assert!(explanation.tokens.iter().all(|token| !token.query.is_empty()));
    }
}

#[test]
fn a_query_never_meets_keys_of_another_normaliser() {
    let store = Store::new();
    let profile = pb::SearchProfile { normaliser_version: 99, ..*store.rules.search_profile() };
    let query = parse(&eriksson()).unwrap();
    assert!(run(&store.view, &query, &officer(), &store, &profile, SearchLimits::default()).is_err());
}
