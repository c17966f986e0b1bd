//! What is hidden leaves no trace: not in the answer, not in cut marks, not in what the search cost.

use std::cell::RefCell;

use super::store::*;
use crate::{
    alert::{Agreement, Partition, Role, Viewer},
    pb,
    search::{SearchLimits, candidate, query, run},
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

/// Notes every list that is sought.
struct Watched<'a> {
    view: &'a dyn View,
    partitions: RefCell<Vec<u8>>,
}

struct WatchedCursor<'a> {
    cursor: Box<dyn Cursor + 'a>,
    partitions: &'a RefCell<Vec<u8>>,
}

impl View for Watched<'_> {
    fn get(&self, family: Family, key: &[u8]) -> Result<Option<Vec<u8>>, ViewError> {
        self.view.get(family, key)
    }

    fn cursor(&self, family: Family) -> Box<dyn Cursor + '_> {
        Box::new(WatchedCursor { cursor: self.view.cursor(family), partitions: &self.partitions })
    }
}

impl Cursor for WatchedCursor<'_> {
    fn seek(&mut self, key: &[u8], prefix: &[u8]) -> Result<(), ViewError> {
        self.partitions.borrow_mut().push(prefix[2]);
        self.cursor.seek(key, prefix)
    }

    fn entry(&self) -> Option<(&[u8], &[u8])> {
        self.cursor.entry()
    }

    fn next(&mut self) -> Result<(), ViewError> {
        self.cursor.next()
    }
}

#[test]
fn covert_lists_are_never_sought_without_the_right() {
    let mut store = Store::new();
    store.add_covert(1, wanted("arrest"));
    let query = query::parse(&eriksson(), YEAR).unwrap();
    for (viewer, may) in
        [(officer(), true), (Viewer::new(caller("GB", Role::SearchOpen), None), false), (partner(), false)]
    {
        let watched = Watched { view: &store.view, partitions: RefCell::new(Vec::new()) };
        let profile = store.rules.search_profile();
        let answer = run(&watched, &query, &viewer, &store, profile, SearchLimits::default()).unwrap();
        let sought = watched.partitions.borrow();
        assert!(!sought.is_empty());
        assert_eq!(sought.contains(&(Partition::Covert as u8)), may);
        assert_eq!(answer.found.len(), usize::from(may));
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
fn a_search_under_a_normaliser_that_this_release_lacks_is_refused() {
    let store = Store::new();
    let profile = pb::SearchProfile { normaliser_version: 99, ..*store.rules.search_profile() };
    let query = query::parse(&eriksson(), YEAR).unwrap();
    assert!(run(&store.view, &query, &officer(), &store, &profile, SearchLimits::default()).is_err());
}
