//! Persons: lists by date of birth and class, by pairs of classes and year, by one class.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    estimate::Estimator,
    plan::{self, Plan},
};
use crate::{
    alert::AlertId,
    pb,
    search::{
        explain,
        index::{
            key::{Head, Tail, with_year},
            lexicon,
            signature::NameView,
        },
        normalise::{
            date::Date,
            name::{Class, Role},
        },
        query::PersonQuery,
        score::{FULL, date::DateMatch, person::combine},
        session::Session,
    },
    state::{ViewError, family::Family},
};

/// An alert that a person query may mean.
#[derive(Debug, Clone, Copy)]
pub struct Possible {
    /// What its best posting promises.
    pub estimate: u32,
    /// The end of its key.
    pub tail: Tail,
}

/// Alerts whose postings promise enough, best promise first, then priority, newest, id.
pub fn gather(session: &mut Session<'_>, query: &PersonQuery) -> Result<Vec<Possible>, ViewError> {
    let mut found: BTreeMap<AlertId, Possible> = BTreeMap::new();
    let planned = plan::plan(query);
    for head in session.heads() {
        let mut plan = planned.clone();
        expand(session, head, query, &mut plan)?;
        let estimator = Estimator::new(query, &plan, session.profile);
        for list in lists(head, query, &plan, session.profile) {
            session.scan(list.family, &list.prefix, list.planned, &mut |tail, value| {
                if let Some(estimate) = NameView::new(value).and_then(|signature| estimator.estimate(signature)) {
                    let possible = found.entry(tail.id).or_insert(Possible { estimate, tail });
                    possible.estimate = possible.estimate.max(estimate);
                }
            })?;
        }
    }
    let mut possible: Vec<Possible> = found.into_values().collect();
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
        let letters = token.base.chars().count();
        if letters < lexicon::LETTERS_MIN {
            continue;
        }
        spent += letters as u64 + 1;
        if spent > budget {
            session.cut(explain::LIMIT_EXPANSIONS, budget);
            break;
        }
        let neighbours = lexicon::neighbours(cursor.as_mut(), head, &token.base, &mut session.counters.expansions)?;
        let known: BTreeSet<Class> = planned.classes().collect();
        planned.expansions = lexicon::skeletons(&neighbours)
            .iter()
            .map(|skeleton| Class::of_skeleton(skeleton))
            .filter(|class| !known.contains(class))
            .collect();
    }
    session.keep(Family::Lexicon, cursor);
    Ok(())
}

/// One list to scan.
struct List {
    family: Family,
    prefix: Vec<u8>,
    planned: bool,
}

/// The lists of a query, the most selective first.
fn lists(head: Head, query: &PersonQuery, plan: &Plan, profile: &pb::SearchProfile) -> Vec<List> {
    let mut lists = Lists { head, seen: BTreeSet::new(), lists: Vec::new() };
    let date = query.birth_date;
    if date.is_known() {
        lists.by_date(date, plan);
    }
    lists.by_pair(plan, &years(date));
    if let [token] = plan.tokens.as_slice() {
        for year in years_of_one(query, profile) {
            for class in token.classes() {
                lists.years(Family::NameOne, lists.head.name_one(class), &year, true);
            }
            for class in &token.expansions {
                lists.years(Family::NameOne, lists.head.name_one(*class), &year, false);
            }
        }
    }
    lists.lists
}

/// The years under which everybody with the query's only name is gone through: those that can reach the threshold. One
/// name and a date that is merely not contradicted are weak evidence, and many have the name.
fn years_of_one(query: &PersonQuery, profile: &pb::SearchProfile) -> Vec<Vec<u16>> {
    let initials = query.tokens.iter().filter(|token| token.role == Role::Initial).count() as u32;
    let name = match initials {
        0 => FULL.saturating_sub(2 * profile.missing_part_points),
        _ => FULL - profile.initial_points.min(FULL) * initials / (initials + 1),
    };
    let date = query.birth_date;
    if !date.is_known() {
        return vec![Vec::new()];
    }
    let within = if date.is_full() { DateMatch::Year } else { DateMatch::AsAsked };
    let reaches = |agreement| combine(name, agreement, profile) >= profile.threshold;
    let mut years = Vec::new();
    if date.year == 0 {
        years.push(Vec::new());
    } else {
        years.extend(reaches(within).then(|| vec![date.year]));
        years.extend(reaches(DateMatch::YearNear).then(|| vec![date.year - 1, date.year + 1]));
        years.extend(reaches(DateMatch::Unknown).then(|| vec![0]));
    }
    years
}

/// The years that pairs are sought under; none = all.
fn years(date: Date) -> Vec<u16> {
    match date.year {
        0 => Vec::new(),
        year => vec![year - 1, year, year + 1, 0],
    }
}

struct Lists {
    head: Head,
    seen: BTreeSet<(Family, Vec<u8>)>,
    lists: Vec<List>,
}

impl Lists {
    fn add(&mut self, family: Family, prefix: Vec<u8>, planned: bool) {
        if self.seen.insert((family, prefix.clone())) {
            self.lists.push(List { family, prefix, planned });
        }
    }

    fn years(&mut self, family: Family, prefix: Vec<u8>, years: &[u16], planned: bool) {
        for year in years {
            self.add(family, with_year(prefix.clone(), *year), planned);
        }
        if years.is_empty() {
            self.add(family, prefix, planned);
        }
    }

    /// The date itself, what a registry makes of a date that it does not know in full, the swap: under every class that
    /// the query can mean. One wrong digit: under its own classes.
    fn by_date(&mut self, date: Date, plan: &Plan) {
        let mut near = vec![date];
        near.extend(date.swapped());
        for partial in [
            Date { day: 0, ..date },
            Date { month: 0, day: 0, ..date },
            Date { month: 1, day: 1, ..date },
            Date { year: 0, ..date },
        ] {
            if partial.is_known() && !near.contains(&partial) {
                near.push(partial);
            }
        }
        for date in &near {
            for token in &plan.tokens {
                for class in token.classes().chain(token.splits.iter().flat_map(|(a, b)| [*a, *b])) {
                    self.add(Family::NameDob, self.head.name_dob(*date, class), true);
                }
                for class in &token.expansions {
                    self.add(Family::NameDob, self.head.name_dob(*date, *class), false);
                }
            }
            for (_, class) in &plan.joins {
                self.add(Family::NameDob, self.head.name_dob(*date, *class), true);
            }
        }
        for variant in date.one_digit_variants() {
            for token in &plan.tokens {
                self.add(Family::NameDob, self.head.name_dob(variant, token.class), true);
            }
        }
    }

    fn by_pair(&mut self, plan: &Plan, years: &[u16]) {
        let tokens = &plan.tokens;
        for (at, a) in tokens.iter().enumerate() {
            for b in &tokens[at + 1..] {
                for class_a in a.classes() {
                    for class_b in b.classes() {
                        self.years(Family::NamePair, self.head.name_pair(class_a, class_b), years, true);
                    }
                }
            }
        }
        for token in tokens {
            // Whoever has one name only is found by that name, whatever else the query says.
            for class in token.classes() {
                self.years(Family::NamePair, self.head.name_pair(class, Class::NONE), years, true);
            }
            for (a, b) in &token.splits {
                self.years(Family::NamePair, self.head.name_pair(*a, *b), years, true);
                for other in tokens.iter().filter(|other| other.at != token.at) {
                    self.years(Family::NamePair, self.head.name_pair(*a, other.class), years, true);
                    self.years(Family::NamePair, self.head.name_pair(*b, other.class), years, true);
                }
            }
        }
        for (run, class) in &plan.joins {
            self.years(Family::NamePair, self.head.name_pair(*class, Class::NONE), years, true);
            for other in tokens.iter().filter(|other| !run.contains(&other.at)) {
                self.years(Family::NamePair, self.head.name_pair(*class, other.class), years, true);
            }
        }
        // One misspelt name beside one that is not.
        for (at, token) in tokens.iter().enumerate() {
            for class in &token.expansions {
                self.years(Family::NamePair, self.head.name_pair(*class, Class::NONE), years, false);
                for (other_at, other) in tokens.iter().enumerate() {
                    if other_at != at {
                        self.years(Family::NamePair, self.head.name_pair(*class, other.class), years, false);
                    }
                }
            }
        }
    }
}
