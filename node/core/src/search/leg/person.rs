//! Persons: goes through the lists of a query, and keeps what can reach the threshold.

use std::collections::BTreeMap;

use super::{
    estimate::Estimator,
    lists::lists,
    plan::{self, Plan},
};
use crate::{
    alert::AlertId,
    search::{
        explain,
        index::{
            key::{Head, Tail},
            lexicon,
            signature::NameView,
        },
        query::PersonQuery,
        session::Session,
    },
    state::{ViewError, family::Family},
};

/// An alert that a person query may mean.
#[derive(Debug, Clone, Copy)]
pub struct Possible {
    /// What its best posting promises.
    pub estimate: u32,
    /// What its best posting promises by the name alone.
    pub name: u32,
    /// Other alerts that the caller may see whose names promise as much, whatever their dates.
    pub bearers: u32,
    /// The end of its key.
    pub tail: Tail,
}

/// Alerts whose postings promise enough, best promise first, then priority, newest, id.
pub fn gather(session: &mut Session<'_>, query: &PersonQuery) -> Result<Vec<Possible>, ViewError> {
    let mut found: BTreeMap<AlertId, Possible> = BTreeMap::new();
    let mut bearers = Bearers::default();
    let planned = plan::plan(query);
    for head in session.heads() {
        let mut plan = planned.clone();
        expand(session, head, query, &mut plan)?;
        let estimator = Estimator::new(query, &plan, session.profile);
        for list in lists(head, query, &plan, session.profile) {
            session.scan(list.family, &list.prefix, list.years, list.planned, &mut |tail, value| {
                let Some(signature) = NameView::new(value) else { return };
                let name = estimator.name(signature);
                if list.family == Family::NamePair && !estimator.gender_conflicts(signature) {
                    bearers.count(tail.id, name);
                }
                if let Some(estimate) = estimator.estimate(signature, name) {
                    let possible = found.entry(tail.id).or_insert(Possible { estimate, name, bearers: 0, tail });
                    possible.estimate = possible.estimate.max(estimate);
                    possible.name = possible.name.max(name);
                }
            })?;
        }
    }
    let bearers = bearers.sorted();
    let mut possible: Vec<Possible> = found.into_values().collect();
    for possible in &mut possible {
        possible.bearers = bearers.others(possible);
    }
    possible.sort_by_key(|possible| (std::cmp::Reverse(possible.estimate), possible.tail.order()));
    Ok(possible)
}

/// Fills in the classes of names in use one typing error away. How many spellings are tried follows from the query alone.
fn expand(session: &mut Session<'_>, head: Head, query: &PersonQuery, plan: &mut Plan) -> Result<(), ViewError> {
    let budget = u64::from(session.profile.budget_expansions);
    let mut cursor = session.cursor(Family::Lexicon);
    let mut spent = 0;
    for planned in &mut plan.tokens {
        let token = &query.tokens[planned.at];
        let letters = token.letters.chars().count();
        if letters < lexicon::LETTERS_MIN {
            continue;
        }
        spent += letters as u64 + 1;
        if spent > budget {
            session.cut(explain::LIMIT_EXPANSIONS, budget);
            break;
        }
        let mut found = lexicon::neighbours(cursor.as_mut(), head, &token.letters, &mut session.counters.expansions)?;
        for class in planned.classes().chain(planned.variants.iter().copied()) {
            found.remove(&class);
        }
        planned.expansions = found;
    }
    session.keep(Family::Lexicon, cursor);
    Ok(())
}

/// How many alerts promise how much by their names alone.
#[derive(Default)]
struct Bearers(BTreeMap<AlertId, u32>);

impl Bearers {
    fn count(&mut self, id: AlertId, name: u32) {
        let best = self.0.entry(id).or_default();
        *best = name.max(*best);
    }

    fn sorted(self) -> Promises {
        let mut promises: Vec<u32> = self.0.values().copied().collect();
        promises.sort_unstable();
        Promises { counted: self.0, promises }
    }
}

/// [`Bearers`], counted.
struct Promises {
    counted: BTreeMap<AlertId, u32>,
    promises: Vec<u32>,
}

impl Promises {
    /// How many others promise at least as much.
    fn others(&self, possible: &Possible) -> u32 {
        let at_least = self.promises.len() - self.promises.partition_point(|other| *other < possible.name);
        let is_counted = self.counted.get(&possible.tail.id).is_some_and(|name| *name >= possible.name);
        at_least as u32 - u32::from(is_counted)
    }
}
