//! Persons: lists by date of birth and class, by pairs of classes and year, by one class.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::RangeInclusive,
};

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
            key::{Head, Tail},
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
            session.scan(list.family, &list.prefix, list.years, list.planned, &mut |tail, value| {
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
        for class in planned.classes() {
            found.remove(&class);
        }
        planned.expansions = found;
    }
    session.keep(Family::Lexicon, cursor);
    Ok(())
}

/// One list to scan: the postings under `prefix`, from the first year of the window to its last.
struct List {
    family: Family,
    prefix: Vec<u8>,
    years: Option<RangeInclusive<u16>>,
    planned: bool,
}

/// The lists of a query, the most selective first.
fn lists(head: Head, query: &PersonQuery, plan: &Plan, profile: &pb::SearchProfile) -> Vec<List> {
    let mut lists = Lists { head, seen: BTreeSet::new(), lists: Vec::new() };
    let date = query.birth_date;
    if date.is_known() {
        lists.by_date(date, plan);
    }
    lists.by_pair(plan, &windows(date));
    if let [token] = plan.tokens.as_slice() {
        let windows = windows_of_one(query, profile);
        for class in token.classes() {
            lists.windows(Family::NameOne, lists.head.name_one(class), &windows, true);
        }
        for class in &token.expansions {
            lists.windows(Family::NameOne, lists.head.name_one(*class), &windows, false);
        }
    }
    lists.lists
}

/// Years of birth that lists are gone through for; `None` = all of them.
type Window = Option<RangeInclusive<u16>>;

/// The years that pairs are sought under: near the query's, and unknown.
fn windows(date: Date) -> Vec<Window> {
    match date.year {
        0 => vec![None],
        year => vec![Some(year - 1..=year + 1), Some(0..=0)],
    }
}

/// The years under which everybody with the query's only name is gone through: those that can reach the threshold. One
/// name and a date that is merely not contradicted are weak evidence, and many have the name.
fn windows_of_one(query: &PersonQuery, profile: &pb::SearchProfile) -> Vec<Window> {
    let initials = query.tokens.iter().filter(|token| token.role == Role::Initial).count() as u32;
    let name = match initials {
        0 => FULL.saturating_sub(2 * profile.missing_part_points),
        _ => FULL - profile.initial_points.min(FULL) * initials / (initials + 1),
    };
    let date = query.birth_date;
    let year = date.year;
    if year == 0 {
        return vec![None];
    }
    let within = if date.is_full() { DateMatch::Year } else { DateMatch::AsAsked };
    let weak = if initials == 0 { profile.missing_part_points } else { 0 };
    let reaches = |agreement| {
        let taken = if agreement == DateMatch::AsAsked { 0 } else { weak };
        combine(name, agreement, profile).saturating_sub(taken) >= profile.threshold
    };
    let mut windows = Vec::new();
    if reaches(DateMatch::YearNear) {
        windows.push(Some(year - 1..=year + 1));
    } else if reaches(within) {
        windows.push(Some(year..=year));
    }
    windows.extend(reaches(DateMatch::Unknown).then_some(Some(0..=0)));
    windows
}

struct Lists {
    head: Head,
    seen: BTreeSet<(Family, Vec<u8>, u16)>,
    lists: Vec<List>,
}

impl Lists {
    fn add(&mut self, family: Family, prefix: Vec<u8>, years: Window, planned: bool) {
        let first = years.as_ref().map_or(0, |years| *years.start());
        if self.seen.insert((family, prefix.clone(), first)) {
            self.lists.push(List { family, prefix, years, planned });
        }
    }

    fn windows(&mut self, family: Family, prefix: Vec<u8>, windows: &[Window], planned: bool) {
        for window in windows {
            self.add(family, prefix.clone(), window.clone(), planned);
        }
    }

    fn date(&mut self, date: Date, class: Class, planned: bool) {
        self.add(Family::NameDob, self.head.name_dob(date, class), None, planned);
    }

    fn pair(&mut self, a: Class, b: Class, windows: &[Window], planned: bool) {
        self.windows(Family::NamePair, self.head.name_pair(a, b), windows, planned);
    }

    /// The date itself, the swap, what a registry makes of a date that it does not know in full: under every class that
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
        for token in &plan.tokens {
            for near in &near {
                for class in token.classes() {
                    self.date(*near, class, true);
                }
            }
            for class in token.splits.iter().flat_map(|(a, b)| [*a, *b]) {
                self.date(date, class, true);
            }
            for class in &token.expansions {
                self.date(date, *class, false);
            }
        }
        for (_, class) in &plan.joins {
            self.date(date, *class, true);
        }
        for variant in date.one_digit_variants() {
            for token in &plan.tokens {
                self.date(variant, token.class, true);
            }
        }
    }

    fn by_pair(&mut self, plan: &Plan, windows: &[Window]) {
        let tokens = &plan.tokens;
        for (at, a) in tokens.iter().enumerate() {
            for b in &tokens[at + 1..] {
                self.pair(a.class, b.class, windows, true);
                for other in &b.alternates {
                    self.pair(a.class, *other, windows, true);
                }
                for other in &a.alternates {
                    self.pair(*other, b.class, windows, true);
                }
                // Two tokens of another script: each under its second reading.
                if let (Some(a), Some(b)) = (a.other_reading, b.other_reading) {
                    self.pair(a, b, windows, true);
                }
            }
        }
        for token in tokens {
            // Whoever has one name only is found by that name, whatever else the query says.
            for class in token.classes() {
                self.pair(class, Class::NONE, windows, true);
            }
            for (a, b) in &token.splits {
                self.pair(*a, *b, windows, true);
                for other in tokens.iter().filter(|other| other.at != token.at) {
                    self.pair(*a, other.class, windows, true);
                    self.pair(*b, other.class, windows, true);
                }
            }
        }
        for (run, class) in &plan.joins {
            self.pair(*class, Class::NONE, windows, true);
            for other in tokens.iter().filter(|other| !run.contains(&other.at)) {
                self.pair(*class, other.class, windows, true);
            }
        }
        // One misspelt name beside one that is not.
        for token in tokens {
            for class in &token.expansions {
                self.pair(*class, Class::NONE, windows, false);
                for other in tokens.iter().filter(|other| other.at != token.at) {
                    self.pair(*class, other.class, windows, false);
                }
            }
        }
    }
}
