//! Persons: goes through the lists of a query, and keeps what can reach the threshold.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    estimate::{Estimator, Promise},
    lists::lists,
    plan::{self, Plan},
};
use crate::{
    alert::{AlertId, Sight},
    pb,
    search::{
        explain,
        index::{
            key::{Head, Tail},
            lexicon,
            signature::NameView,
        },
        normalise::name::Class,
        query::PersonQuery,
        score::{coincidence, date::DateMatch},
        session::Session,
    },
    state::{ViewError, family::Family},
};

/// What a name promises in which nothing is missing on either side.
const WHOLE_NAME: u32 = 9_900;
/// Alerts without a date of birth that may have one name, beside the one in question, for it to be shown to whoever asks
/// with a date.
const UNDATED_MAX: u32 = 5;

/// An alert that a person query may mean, by what its postings promise.
#[derive(Debug, Clone)]
pub struct Possible {
    /// The end of its key.
    pub tail: Tail,
    /// What its best posting promises.
    pub estimate: u32,
    /// Each thing that its postings promise, once, with how many others' names promise as much, whatever their dates.
    promises: Vec<(Promise, u32)>,
}

impl Possible {
    /// How many others bear the name that goes with a date that agrees like this.
    pub fn bearers(&self, date: DateMatch) -> u32 {
        let of_date = self.promises.iter().filter(|(promise, _)| promise.date == date);
        let any = self.promises.iter().map(|(_, bearers)| *bearers).min();
        of_date.map(|(_, bearers)| *bearers).min().or(any).unwrap_or(0)
    }

    /// Some name of it may be believed, as far as postings tell: `false` needs no record.
    pub fn may_be_believed(&self, profile: &pb::SearchProfile) -> bool {
        self.promises.iter().any(|(promise, bearers)| !coincidence::is_likely(promise.date, *bearers, profile))
    }
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
                if list.family == Family::NamePair {
                    let is_undated = signature.dates().is_some_and(|mut dates| dates.next().is_none());
                    bearers.count(tail.id, Bearer { name, is_undated, contradicts: estimator.contradicts(signature) });
                }
                if let Some(promise) = estimator.promise(signature, name) {
                    let nothing = || Possible { tail, estimate: 0, promises: Vec::new() };
                    let possible = found.entry(tail.id).or_insert_with(nothing);
                    possible.estimate = possible.estimate.max(promise.estimate);
                    if !possible.promises.iter().any(|(known, _)| *known == promise) {
                        possible.promises.push((promise, 0));
                    }
                }
            })?;
        }
    }
    let bearers = bearers.sorted();
    let mut possible: Vec<Possible> = found.into_values().collect();
    for possible in &mut possible {
        for (promise, others) in &mut possible.promises {
            // The whole name without a date, and nothing that contradicts: what is not known excludes nobody, as long as few
            // could be meant.
            let may_be_anybody = promise.date == DateMatch::Unknown
                && promise.name >= WHOLE_NAME
                && !promise.contradicts
                && bearers.undated(possible.tail.id, promise) < UNDATED_MAX;
            *others = if may_be_anybody { 0 } else { bearers.others(possible.tail.id, promise) };
        }
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
        let letters = token.letters().chars().count();
        if letters < lexicon::LETTERS_MIN {
            continue;
        }
        spent += letters as u64 + 1;
        if spent > budget {
            session.cut(explain::LIMIT_EXPANSIONS, budget);
            break;
        }
        let known: BTreeSet<Class> = planned.classes().chain(planned.variants.iter().copied()).collect();
        let mut seeks = 0;
        let mut sees = |label| Ok(session.sight(label)? != Sight::Hidden);
        let near = lexicon::neighbours(cursor.as_mut(), head, token.letters(), &mut sees, &mut seeks)?;
        planned.expansions = near.iter().map(|word| word.class).filter(|class| !known.contains(class)).collect();
        planned.words.extend(near.iter().map(|word| Class::of_word(&word.letters).short()));
        planned.words.sort_unstable();
        session.counters.expansions += seeks;
    }
    session.keep(Family::Lexicon, cursor);
    Ok(())
}

/// What one alert promises by its names alone.
#[derive(Clone, Copy)]
struct Bearer {
    name: u32,
    /// Gender or nationality are others than the query's.
    contradicts: bool,
    is_undated: bool,
}

/// How many alerts promise how much by their names alone.
#[derive(Default)]
struct Bearers(BTreeMap<AlertId, Bearer>);

impl Bearers {
    fn count(&mut self, id: AlertId, bearer: Bearer) {
        let best = self.0.entry(id).or_insert(bearer);
        best.name = best.name.max(bearer.name);
        best.contradicts &= bearer.contradicts;
        best.is_undated &= bearer.is_undated;
    }

    fn sorted(self) -> Promises {
        let sorted = |of: &dyn Fn(&Bearer) -> bool| {
            let mut promises: Vec<u32> =
                self.0.values().filter(|bearer| of(bearer)).map(|bearer| bearer.name).collect();
            promises.sort_unstable();
            promises
        };
        Promises {
            all: sorted(&|_| true),
            agreeing: sorted(&|bearer| !bearer.contradicts),
            undated: sorted(&|bearer| !bearer.contradicts && bearer.is_undated),
            counted: self.0,
        }
    }
}

/// [`Bearers`], counted.
struct Promises {
    counted: BTreeMap<AlertId, Bearer>,
    all: Vec<u32>,
    /// Of those whose gender and nationality do not contradict the query.
    agreeing: Vec<u32>,
    /// Of these, those who have no date of birth.
    undated: Vec<u32>,
}

impl Promises {
    /// How many others promise at least as much by their names, and could be meant as well as this one: whoever has the
    /// query's gender and nationality is confused with their like alone.
    fn others(&self, id: AlertId, promise: &Promise) -> u32 {
        let promises = if promise.contradicts { &self.all } else { &self.agreeing };
        self.beside(id, promise.name, promises, &|bearer| promise.contradicts || !bearer.contradicts)
    }

    /// How many others without a date of birth could be meant as well as this one, which has none.
    fn undated(&self, id: AlertId, promise: &Promise) -> u32 {
        self.beside(id, promise.name, &self.undated, &|bearer| !bearer.contradicts && bearer.is_undated)
    }

    fn beside(&self, id: AlertId, name: u32, promises: &[u32], counts: &dyn Fn(&Bearer) -> bool) -> u32 {
        let at_least = promises.len() - promises.partition_point(|other| *other < name);
        let is_counted = self.counted.get(&id).is_some_and(|bearer| bearer.name >= name && counts(bearer));
        at_least as u32 - u32::from(is_counted)
    }
}
