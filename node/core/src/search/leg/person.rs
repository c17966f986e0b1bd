//! Persons: goes through the lists of a query, and keeps what can reach the threshold.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    estimate::{Estimator, Promise},
    lists,
    plan::{self, Plan},
};
use crate::{
    alert::{AlertId, Sight},
    pb,
    search::{
        explain,
        index::{
            key::{Head, Tail},
            lexicon::{self, Word},
            signature::NameView,
        },
        normalise::{
            name::{Class, Token, effective},
            sketch::Sketch,
        },
        query::PersonQuery,
        score::{coincidence, date::DateMatch, name::Naming},
        session::Session,
    },
    state::{ViewError, family::Family},
};

/// What a name promises at least in which nothing is missing on either side: a part takes 500.
const WHOLE_NAME: u32 = 9_600;
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

    /// Some name of it agrees, and it has no date of birth.
    pub fn is_undated(&self) -> bool {
        self.promises.iter().any(|(promise, _)| promise.date == DateMatch::Unknown)
    }

    /// Some name of it may be believed, as far as postings tell: `false` needs no record.
    pub fn may_be_believed(&self, profile: &pb::SearchProfile) -> bool {
        self.promises.iter().any(|(promise, bearers)| {
            let naming = if promise.name >= WHOLE_NAME { Naming::Same } else { Naming::Near };
            !coincidence::is_likely(promise.date, naming, *bearers, profile)
        })
    }
}

/// Alerts whose postings promise enough, best promise first, then priority, newest, id.
pub fn gather(session: &mut Session<'_>, query: &PersonQuery) -> Result<Vec<Possible>, ViewError> {
    let mut found: BTreeMap<AlertId, Possible> = BTreeMap::new();
    let mut bearers = Bearers::default();
    let planned = plan::plan(query);
    for head in session.heads() {
        let mut plan = planned.clone();
        if lists::are_of_neighbours(query, &plan) {
            expand(session, head, query, &mut plan)?;
        }
        let estimator = Estimator::new(query, &plan, session.profile);
        let by_class = estimator.by_class();
        for list in lists::lists(head, query, &plan, session.profile) {
            session.scan(list.family, &list.prefix, list.years, list.planned, &mut |tail, value| {
                let Some(signature) = NameView::new(value) else { return };
                if list.family == Family::Born && !estimator.is_led_to(signature) {
                    return;
                }
                if list.family == Family::NamePair {
                    let name = by_class.name(signature).parts;
                    bearers.count(tail.id, Bearer { name, contradicts: estimator.contradicts(signature) });
                }
                if let Some(promise) = estimator.promise(signature) {
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
            *others = bearers.others(possible.tail.id, promise);
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
        planned.words.extend(near.iter().map(|word| Sketch::of(&word.letters)));
        planned.words.sort_unstable();
        session.counters.expansions += seeks;
    }
    session.keep(Family::Lexicon, cursor);
    Ok(())
}

/// In how many visible alerts the rarest of a name's parts stands.
pub fn rarest_part(session: &mut Session<'_>, name: &[Token]) -> Result<u64, ViewError> {
    let mut cursor = session.cursor(Family::Lexicon);
    let mut rarest = u64::MAX;
    for token in effective(name) {
        let mut count = 0;
        for head in session.heads() {
            let mut sees = |label| Ok(session.sight(label)? != Sight::Hidden);
            count += lexicon::bearers(cursor.as_mut(), head, &Word::of(token), &mut sees)?;
        }
        rarest = rarest.min(count);
    }
    session.keep(Family::Lexicon, cursor);
    Ok(rarest)
}

/// What one alert promises by its names alone.
#[derive(Clone, Copy)]
struct Bearer {
    name: u32,
    /// Gender or nationality are others than the query's.
    contradicts: bool,
}

/// How many alerts promise how much by their names alone.
#[derive(Default)]
struct Bearers(BTreeMap<AlertId, Bearer>);

impl Bearers {
    fn count(&mut self, id: AlertId, bearer: Bearer) {
        let best = self.0.entry(id).or_insert(bearer);
        best.name = best.name.max(bearer.name);
        best.contradicts &= bearer.contradicts;
    }

    fn sorted(self) -> Promises {
        let sorted = |of: &dyn Fn(&Bearer) -> bool| {
            let mut promises: Vec<u32> =
                self.0.values().filter(|bearer| of(bearer)).map(|bearer| bearer.name).collect();
            promises.sort_unstable();
            promises
        };
        Promises { all: sorted(&|_| true), agreeing: sorted(&|bearer| !bearer.contradicts), counted: self.0 }
    }
}

/// [`Bearers`], counted.
struct Promises {
    counted: BTreeMap<AlertId, Bearer>,
    all: Vec<u32>,
    /// Of those whose gender and nationality do not contradict the query.
    agreeing: Vec<u32>,
}

impl Promises {
    /// How many others promise at least as much by their names, and could be meant as well as this one: whoever has the
    /// query's gender and nationality is confused with their like alone.
    fn others(&self, id: AlertId, promise: &Promise) -> u32 {
        let promises = if promise.contradicts { &self.all } else { &self.agreeing };
        let at_least = promises.len() - promises.partition_point(|other| *other < promise.name);
        let counts = |bearer: &Bearer| bearer.name >= promise.name && (promise.contradicts || !bearer.contradicts);
        at_least as u32 - u32::from(self.counted.get(&id).is_some_and(counts))
    }
}
