//! What a posting's signature promises: a score that the record will hardly exceed. Most candidates end here, unread.

use std::collections::BTreeSet;

use super::plan::Plan;
use crate::{
    pb,
    search::{
        index::signature::NameView,
        normalise::{
            date::BirthDate,
            name::{Class, Role},
            skeleton,
        },
        query::PersonQuery,
        score::{FULL, date, person::combine},
    },
};

/// How far an estimate may stay below the record's true score: signatures do not see joined names in full.
const MARGIN: u32 = 900;
/// What a token may still earn when only its first letter agrees: two typing errors in a long name.
const FIRST_LETTER_POINTS: u32 = 7_600;

/// One token of the query.
struct Asked {
    classes: BTreeSet<u16>,
    letter: u8,
    role: Role,
}

/// Estimates postings of one person query.
pub struct Estimator<'a> {
    query: &'a PersonQuery,
    profile: &'a pb::SearchProfile,
    asked: Vec<Asked>,
}

impl<'a> Estimator<'a> {
    /// For a plan with its expansions filled in.
    pub fn new(query: &'a PersonQuery, plan: &Plan, profile: &'a pb::SearchProfile) -> Self {
        let mut asked: Vec<Asked> = query
            .tokens
            .iter()
            .map(|token| {
                // The record may hold no more than the first letter.
                let initial: String = token.base.chars().take(1).collect();
                let initial = Class::of_skeleton(&skeleton::skeleton(&initial)).short();
                let classes = BTreeSet::from([token.class().short(), initial]);
                Asked { classes, letter: token.first_letter(), role: token.role }
            })
            .collect();
        for token in &plan.tokens {
            let classes = &mut asked[token.at].classes;
            classes.extend(
                token.alternates.iter().chain(&token.variants).chain(&token.expansions).map(|class| class.short()),
            );
            classes.extend(token.splits.iter().flat_map(|(a, b)| [a.short(), b.short()]));
        }
        for (run, class) in &plan.joins {
            for at in run.clone() {
                asked[at].classes.insert(class.short());
            }
        }
        Self { query, profile, asked }
    }

    /// The score that the posting promises with what its name promises; `None` when it cannot reach the threshold.
    pub fn estimate(&self, signature: NameView<'_>, name: u32) -> Option<u32> {
        if self.query.strict && self.gender_conflicts(signature) {
            return None;
        }
        let date = match signature.date() {
            Some(date) => date::compare(self.query.birth_date, BirthDate { date, year_to: date.year }),
            None if self.query.birth_date.is_known() => date::DateMatch::Exact,
            None => date::DateMatch::NotAsked,
        };
        let estimate = combine(name, date, self.profile);
        (estimate + MARGIN >= self.profile.threshold).then_some(estimate)
    }

    /// Both sides say which gender, and not the same.
    pub fn gender_conflicts(&self, signature: NameView<'_>) -> bool {
        self.query.gender != 0 && signature.gender() != 0 && self.query.gender != signature.gender()
    }

    /// What the name promises: 0 to 10000.
    pub fn name(&self, signature: NameView<'_>) -> u32 {
        let mut known = signature.tokens().peekable();
        if known.peek().is_none() {
            return FULL;
        }
        let identifying = signature.tokens().filter(|token| token.identifies()).count() as u32;
        let (mut earned, mut matched, mut query_left) = (0, 0, 0);
        let mut free = u32::MAX;
        for asked in &self.asked {
            let best = signature
                .tokens()
                .enumerate()
                .filter(|(at, _)| free >> at & 1 == 1)
                .map(|(at, token)| (self.token(asked, token.class, token.first_letter()), std::cmp::Reverse(at)))
                .max();
            match best {
                None | Some((0, _)) => query_left += u32::from(asked.role == Role::Name),
                Some((points, std::cmp::Reverse(at))) => {
                    earned += points;
                    matched += 1;
                    // Names joined in the record answer several of the query's; particles and initials take no name.
                    if asked.role == Role::Name && points == FULL && signature.is_one_name() {
                        free &= !(1 << at);
                    }
                }
            }
        }
        if matched == 0 {
            return 0;
        }
        let record_left = if signature.is_one_name() { identifying.saturating_sub(matched) } else { 0 };
        let conflicts = query_left.min(record_left);
        let missing = if signature.is_one_name() { query_left.max(record_left) - conflicts } else { 0 };
        (earned / (matched + conflicts)).saturating_sub(missing * self.profile.missing_part_points)
    }

    fn token(&self, asked: &Asked, class: u16, letter: u8) -> u32 {
        if asked.classes.contains(&class) {
            FULL
        } else if letter != 0 && letter == asked.letter {
            match asked.role {
                Role::Name if self.query.names_may_be_cut => FULL,
                Role::Name => FIRST_LETTER_POINTS,
                Role::Initial => FULL.saturating_sub(self.profile.initial_points),
                Role::Particle => 0,
            }
        } else {
            0
        }
    }
}
