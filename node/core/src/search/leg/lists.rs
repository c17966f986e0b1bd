//! The lists that a person query goes through: by day of birth, by class and day, by pairs of classes and year, by one class.

use std::{collections::BTreeSet, ops::RangeInclusive};

use super::plan::Plan;
use crate::{
    pb,
    search::{
        index::key::Head,
        normalise::{
            date::Date,
            name::{Class, Role},
        },
        query::PersonQuery,
        score::{FULL, date::DateMatch, name::WEAK_PARTS, person::combine},
    },
    state::family::Family,
};

/// One list to scan: the postings under `prefix`, from the first year of the window to its last.
pub(super) struct List {
    pub family: Family,
    pub prefix: Vec<u8>,
    pub years: Window,
    /// It follows from the query alone, and counts against the budget of seeks.
    pub planned: bool,
}

/// The lists of a query, the most selective first.
pub(super) fn lists(head: Head, query: &PersonQuery, plan: &Plan, profile: &pb::SearchProfile) -> Vec<List> {
    let mut lists = Lists { head, seen: BTreeSet::new(), lists: Vec::new() };
    let date = query.birth_date;
    if date.is_known() {
        lists.by_date(date, plan);
    }
    if date.is_full() && plan.tokens.len() > 1 {
        lists.by_pair_beside_date(plan);
    } else {
        lists.by_pair(plan, &windows(date));
    }
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

/// Some lists are those of names in use one typing error from the query's. By a birthday none is: whoever was born on it is gone
/// through, whatever the name, and postings tell whose is near.
pub(super) fn are_of_neighbours(query: &PersonQuery, plan: &Plan) -> bool {
    !query.birth_date.is_a_birthday() || plan.tokens.len() < 2
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
        0 => FULL.saturating_sub((1 + WEAK_PARTS) * profile.missing_part_points),
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
    /// Families and prefixes with the first year of the window; `None` = all years.
    seen: BTreeSet<(Family, Vec<u8>, Option<u16>)>,
    lists: Vec<List>,
}

impl Lists {
    fn add(&mut self, family: Family, prefix: Vec<u8>, years: Window, planned: bool) {
        let first = years.as_ref().map(|years| *years.start());
        let is_covered = self.seen.contains(&(family, prefix.clone(), None));
        if !is_covered && self.seen.insert((family, prefix.clone(), first)) {
            self.lists.push(List { family, prefix, years, planned });
        }
    }

    fn windows(&mut self, family: Family, prefix: Vec<u8>, windows: &[Window], planned: bool) {
        for window in windows {
            self.add(family, prefix.clone(), window.clone(), planned);
        }
    }

    fn date(&mut self, date: Date, class: Class, planned: bool) {
        self.day(class, date, Some(date.year..=date.year), planned);
    }

    /// Born on the date's day and month, in those years.
    fn day(&mut self, class: Class, date: Date, years: Window, planned: bool) {
        self.add(Family::NameDay, self.head.name_day(class, date), years, planned);
    }

    fn pair(&mut self, a: Class, b: Class, windows: &[Window], planned: bool) {
        self.windows(Family::NamePair, self.head.name_pair(a, b), windows, planned);
    }

    /// The date itself, whatever the name, or under every class that the query can mean; what is near it, under own classes alone, because a wrong
    /// date leaves no room for a wrong name.
    fn by_date(&mut self, date: Date, plan: &Plan) {
        if date.is_a_birthday() {
            self.add(Family::Born, self.head.born(date), None, true);
        } else {
            self.date_by_class(date, plan);
        }
        if date.is_full() {
            self.near_full_date(date, plan);
        } else {
            for token in &plan.tokens {
                for partial in date.partials() {
                    self.date(partial, token.class, true);
                }
            }
        }
        // Who has no recorded date.
        for token in plan.most_telling() {
            self.add(Family::NameOne, self.head.name_one(token.class), Some(0..=0), true);
        }
    }

    fn date_by_class(&mut self, date: Date, plan: &Plan) {
        for token in &plan.tokens {
            for class in token.classes().chain(token.variants.iter().copied()) {
                self.date(date, class, true);
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
    }

    /// The same day in another year, day and month swapped, what a registry makes of a date that it does not know in full, one
    /// wrong digit. What lies in the same year is in one list: all of that year who bear one of the two names that say most.
    fn near_full_date(&mut self, date: Date, plan: &Plan) {
        let same_year: Vec<Date> = date.swapped().into_iter().chain(date.partials()).collect();
        let telling: BTreeSet<usize> = plan.most_telling().map(|token| token.at).collect();
        for token in &plan.tokens {
            if !date.is_new_year() {
                self.day(token.class, date, None, true);
            } else {
                // Registries make that day up: too many have it to go through all years.
                let beside = [date.year - 1, date.year + 1];
                let digit =
                    || date.one_digit_variants().into_iter().map(|near| near.year).filter(|year| *year != date.year);
                let telling = telling.contains(&token.at).then(|| digit().chain([0])).into_iter().flatten();
                beside.into_iter().chain(telling).for_each(|year| self.day(token.class, date, Some(year..=year), true));
            }
            if telling.contains(&token.at) {
                self.add(Family::NameOne, self.head.name_one(token.class), Some(date.year..=date.year), true);
            } else {
                same_year.iter().for_each(|near| self.date(*near, token.class, true));
            }
        }
    }

    /// Pairs beside a date: who has no date, or one that agrees in part only; and how many bear the name. Names must
    /// then agree well, so own classes do.
    fn by_pair_beside_date(&mut self, plan: &Plan) {
        for token in &plan.tokens {
            // Who has this name and no other: how many they are says what the name and the date alone are worth.
            self.pair(token.class, Class::NONE, &[None], true);
        }
        for (at, a) in plan.tokens.iter().enumerate() {
            for b in &plan.tokens[at + 1..] {
                self.pair(a.class, b.class, &[None], true);
                // Two tokens of another script: each under its second reading.
                if let (Some(a), Some(b)) = (a.other_reading, b.other_reading) {
                    self.pair(a, b, &[None], true);
                }
            }
        }
    }

    fn by_pair(&mut self, plan: &Plan, windows: &[Window]) {
        let tokens = &plan.tokens;
        for (at, a) in tokens.iter().enumerate() {
            for b in &tokens[at + 1..] {
                // Of all years: how many bear the name says what a date that agrees in part is worth.
                self.pair(a.class, b.class, &[None], true);
                for other in b.alternates.iter().chain(&b.variants) {
                    self.pair(a.class, *other, windows, true);
                }
                for other in a.alternates.iter().chain(&a.variants) {
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
                    // Korean surnames are seldom spelt as their letters read.
                    for class in std::iter::once(other.class).chain(other.other_reading) {
                        self.pair(*a, class, windows, true);
                        self.pair(*b, class, windows, true);
                    }
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
