//! A query's name against one name of a record: tokens are assigned one to one, best first.

use std::ops::Range;

use super::{
    FULL, distance,
    token::{self, AskedToken},
};
use crate::{
    pb,
    search::{
        explain,
        normalise::{
            name::{Role, Token},
            skeleton,
        },
    },
};

/// How two names agree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameScore {
    /// 0 to 10000, what missing parts take included.
    pub points: u32,
    /// What missing parts took.
    pub missing_points: u32,
    /// One name alone agrees, and one side has more.
    pub is_weak: bool,
    /// Which token matched which.
    pub tokens: Vec<pb::TokenMatch>,
}

/// One possible assignment: tokens of the query (a run of `query_len`) with tokens of the record.
struct Pairing {
    points: u32,
    how: &'static str,
    query: Range<usize>,
    record: Range<usize>,
}

/// Joined names agree a little less than equal ones.
const JOINED: u32 = 9_700;
/// More missing parts than this take no more: long names are often given in part.
const MISSING_PARTS_MAX: u32 = 2;
/// One name alone agrees, and one side has more: counts as so many missing parts more.
pub const WEAK_PARTS: u32 = 4;
/// What a particle on one side only takes.
const PARTICLE_POINTS: u32 = 50;

/// A name of the query with what comparing it needs, worked out once for all candidates.
pub struct AskedName<'a> {
    tokens: &'a [Token],
    asked: Vec<AskedToken<'a>>,
    joins: Vec<(Range<usize>, String)>,
    whole: Vec<String>,
}

impl<'a> AskedName<'a> {
    /// One name.
    pub fn new(tokens: &'a [Token]) -> Self {
        let asked = tokens.iter().map(AskedToken::new).collect();
        Self { tokens, asked, joins: joins(tokens), whole: whole(tokens) }
    }

    /// Compares it with a name of a record. `None` when no token agrees.
    pub fn compare(&self, record: &[Token], may_be_cut: bool, profile: &pb::SearchProfile) -> Option<NameScore> {
        assign(self.tokens, record, pairings(self, record, may_be_cut, profile), profile)
    }
}

/// Each token's letters as joins are compared with them.
fn whole(tokens: &[Token]) -> Vec<String> {
    tokens.iter().map(|token| skeleton::loose(&token.letters)).collect()
}

fn assign(
    query: &[Token],
    record: &[Token],
    mut pairings: Vec<Pairing>,
    profile: &pb::SearchProfile,
) -> Option<NameScore> {
    // Best first; between equals the one that covers more, then the order of the names: the same on every node.
    pairings.sort_by_key(|pairing| {
        let covers = pairing.query.len() + pairing.record.len();
        (std::cmp::Reverse(pairing.points), std::cmp::Reverse(covers), pairing.query.start, pairing.record.start)
    });
    let mut query_free = vec![true; query.len()];
    let mut record_free = vec![true; record.len()];
    let mut chosen: Vec<Pairing> = Vec::new();
    for pairing in pairings {
        let free = query_free[pairing.query.clone()].iter().all(|free| *free)
            && record_free[pairing.record.clone()].iter().all(|free| *free);
        if free {
            query_free[pairing.query.clone()].fill(false);
            record_free[pairing.record.clone()].fill(false);
            chosen.push(pairing);
        }
    }
    chosen.sort_by_key(|pairing| pairing.query.start);
    let identifies = |token: &Token| token.role == Role::Name;
    let strong = |pairing: &Pairing| {
        query[pairing.query.clone()].iter().any(identifies) || record[pairing.record.clone()].iter().any(identifies)
    };
    // Particles and lone initials agree by chance.
    if !chosen.iter().any(strong) {
        return None;
    }
    let matched: Vec<&Pairing> = chosen.iter().filter(|pairing| strong(pairing)).collect();
    let left = |tokens: &[Token], free: &[bool], role: fn(Role) -> bool| {
        tokens.iter().zip(free).filter(|(token, free)| **free && role(token.role)).count() as u32
    };
    let counts = |role: Role| role != Role::Particle;
    let (query_left, record_left) = (left(query, &query_free, counts), left(record, &record_free, counts));
    let particles = left(query, &query_free, |role| role == Role::Particle)
        + left(record, &record_free, |role| role == Role::Particle);
    let conflicts = query_left.min(record_left);
    let missing = query_left.max(record_left) - conflicts;
    let earned: u32 = matched.iter().map(|pairing| pairing.points).sum();
    let points = earned / (matched.len() as u32 + conflicts);
    // One name alone is weak evidence for somebody who has more.
    let is_weak = matched.len() == 1 && missing > 0;
    // What the record lacks, the query states: worse than what nobody asked for.
    let weak = if is_weak { WEAK_PARTS + u32::from(query_left > record_left) } else { 0 };
    let unlike = if is_weak { 2 * FULL.saturating_sub(points) } else { 0 };
    let taken =
        (missing.min(MISSING_PARTS_MAX) + weak) * profile.missing_part_points + unlike + particles * PARTICLE_POINTS;
    Some(NameScore {
        points: points.saturating_sub(taken),
        missing_points: taken.min(points),
        is_weak,
        tokens: chosen
            .iter()
            .map(|pairing| pb::TokenMatch {
                query: text(&query[pairing.query.clone()]),
                matched: text(&record[pairing.record.clone()]),
                how: pairing.how.to_owned(),
                points: pairing.points,
            })
            .collect(),
    })
}

fn pairings(name: &AskedName<'_>, record: &[Token], may_be_cut: bool, profile: &pb::SearchProfile) -> Vec<Pairing> {
    let query = name.tokens;
    let mut pairings = Vec::new();
    for (q, asked) in name.asked.iter().enumerate() {
        for (r, known) in record.iter().enumerate() {
            if let Some(likeness) = token::compare(asked, known, may_be_cut, profile) {
                let (query, record) = (q..q + 1, r..r + 1);
                pairings.push(Pairing { points: likeness.points, how: likeness.how, query, record });
            }
        }
    }
    let whole = whole(record);
    for (run, joined) in &name.joins {
        for (r, known) in record.iter().enumerate() {
            let points = joined_likeness(joined, &whole[r], profile).or_else(|| across(&query[run.clone()], known));
            if let Some(points) = points {
                pairings.push(Pairing { points, how: explain::JOINED, query: run.clone(), record: r..r + 1 });
            }
        }
    }
    for (run, joined) in joins(record) {
        for (q, asked) in query.iter().enumerate() {
            let points =
                joined_likeness(&joined, &name.whole[q], profile).or_else(|| across(&record[run.clone()], asked));
            if let Some(points) = points {
                pairings.push(Pairing { points, how: explain::JOINED, query: q..q + 1, record: run.clone() });
            }
        }
    }
    pairings
}

/// Runs of two or three neighbours as one word, loosely spelt; three also without a particle in the middle.
fn joins(tokens: &[Token]) -> Vec<(Range<usize>, String)> {
    let mut joins = Vec::new();
    for length in 2..=3 {
        for start in 0..(tokens.len() + 1).saturating_sub(length) {
            let run = &tokens[start..start + length];
            let joined: String = run.iter().map(|token| token.letters.as_str()).collect();
            joins.push((start..start + length, skeleton::loose(&joined)));
            if length == 3 && run[1].role == Role::Particle {
                joins.push((start..start + length, skeleton::loose(&format!("{}{}", run[0].letters, run[2].letters))));
            }
        }
    }
    joins
}

/// A join that is spelt otherwise needs so many consonants, and so many sounds at most that differ.
const JOIN_SIGNS_MIN: usize = 3;
const JOIN_SOUNDS_APART_MAX: usize = 2;
/// A join of fewer letters must be the same word to count.
const JOIN_LETTERS_MIN: usize = 6;

/// A join and a word that differ by more bytes than this are not compared: no two spellings of one name do.
const JOIN_BYTES_APART_MAX: usize = 8;

fn joined_likeness(joined: &str, whole: &str, profile: &pb::SearchProfile) -> Option<u32> {
    if joined == whole {
        return Some(JOINED);
    }
    if joined.len().abs_diff(whole.len()) > JOIN_BYTES_APART_MAX {
        return None;
    }
    let near = joined.len() >= JOIN_LETTERS_MIN && joined.len().abs_diff(whole.len()) <= 1;
    if near && distance::within_one(joined, whole) {
        return Some(FULL.saturating_sub(profile.typing_error_points));
    }
    // Joined and spelt otherwise: HYUN MIN and HYEONMIN.
    let skeleton = skeleton::skeleton(joined);
    let sounds_alike = !skeleton::is_whole(&skeleton)
        && skeleton.chars().count() >= JOIN_SIGNS_MIN
        && skeleton == skeleton::skeleton(whole)
        && distance::errors(&skeleton::sounds(joined), &skeleton::sounds(whole), JOIN_SOUNDS_APART_MAX)
            <= JOIN_SOUNDS_APART_MAX;
    sounds_alike.then(|| FULL.saturating_sub(2 * profile.variant_points))
}

/// What names joined in one script and apart in another earn where their consonants are the same.
const JOINED_ACROSS_SCRIPTS: u32 = 9_000;

fn across(run: &[Token], whole: &Token) -> Option<u32> {
    if run[0].script == whole.script || skeleton::is_whole(&whole.skeleton) {
        return None;
    }
    let joined: String = run.iter().map(|token| token.base.as_str()).collect();
    (whole.skeleton.chars().count() > JOIN_SIGNS_MIN && skeleton::skeleton(&joined) == whole.skeleton)
        .then_some(JOINED_ACROSS_SCRIPTS)
}

fn text(tokens: &[Token]) -> String {
    tokens.iter().map(|token| token.original.as_str()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{alert::RuleSet, search::normalise::name::tokens};

    fn points(query: &str, record: &str) -> u32 {
        let rules = RuleSet::defaults();
        let (query, record) = (tokens([query]), tokens([record]));
        let scored = AskedName::new(&query).compare(&record, false, rules.search_profile());
        scored.map_or(0, |score| score.points)
    }

    #[test]
    fn order_changes_nothing_and_parts_may_be_joined() {
        assert_eq!(points("Anna Maria Eriksson", "Eriksson Maria Anna"), FULL);
        assert_eq!(points("Jean-Pierre O'Brien", "OBRIEN JEAN PIERRE"), FULL);
        assert!(points("Jeanpierre Obrien", "Jean Pierre O Brien") >= 9_000);
        assert!(points("Abdul Rahman Said", "Abdulrahman Said") >= 9_000);
        assert!(points("Juan de la Cruz", "Juan Cruz") >= 9_800);
        assert!(points("Li Wei", "Liwei") >= 9_500);
    }

    #[test]
    fn what_one_side_lacks_takes_less_than_what_contradicts() {
        let missing = points("Anna Eriksson", "Anna Maria Eriksson");
        let contradicting = points("Anna Berit Eriksson", "Anna Maria Eriksson");
        assert!(FULL > missing && missing > contradicting, "{missing} {contradicting}");
        assert!(points("John Smith", "John Doe") <= 5_000);
        assert!(points("John", "John Smith") < points("John Smith", "John Peter Smith"));
        assert_eq!(points("Peter Jones", "Anna Eriksson"), 0);
    }

    #[test]
    fn particles_and_initials_alone_are_no_match() {
        assert_eq!(points("de la Rosa", "de la Cruz"), 0);
        assert!(points("J Smith", "John Smith") > 7_500);
    }
}
