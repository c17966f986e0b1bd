//! A query's name against one name of a record: tokens are assigned one to one, best first.

use std::rc::Rc;

use super::{
    FULL,
    assign::{Assignment, Pairing},
    join::{JOINED_ACROSS_SCRIPTS, Join, Spelling, SpellingBook, joins},
    token::{self, AskedToken},
};
use crate::{
    pb,
    search::{
        explain,
        normalise::name::{Role, Token},
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
    /// How much of it is the name that was asked for.
    pub naming: Naming,
    /// Which tokens matched which, in the query's order.
    pairings: Vec<Pairing>,
}

/// How much of a record's name is the name that was asked for: what coincidence goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Naming {
    /// All of it, letter by letter: but for order, marks, joins and script.
    Same,
    /// The record has one name, and the query has that and others.
    OneOfSeveral,
    /// A part is missing, misspelt or spelt otherwise.
    Near,
}

/// More missing parts than this take no more: long names are often given in part.
const MISSING_PARTS_MAX: u32 = 2;
/// One name alone agrees, and one side has more: counts as so many missing parts more.
pub const WEAK_PARTS: u32 = 4;
/// What a particle on one side only takes.
const PARTICLE_POINTS: u32 = 50;

/// What so many parts take that one side lacks.
pub fn missing_points(missing: u32, profile: &pb::SearchProfile) -> u32 {
    missing.min(MISSING_PARTS_MAX) * profile.missing_part_points
}

/// The same where one name alone agrees, for `points`: weak evidence for somebody who has more. What the record lacks, the
/// query states: worse than what nobody asked for. A likeness instead of the name itself costs twice.
pub fn weak_points(points: u32, missing: u32, record_lacks: bool, profile: &pb::SearchProfile) -> u32 {
    missing_points(missing, profile)
        + (WEAK_PARTS + u32::from(record_lacks)) * profile.missing_part_points
        + 2 * FULL.saturating_sub(points)
}

/// A name of the query with what comparing it needs, worked out once for all candidates.
pub struct AskedName<'a> {
    tokens: &'a [Token],
    asked: Vec<AskedToken<'a>>,
    joins: Vec<Join>,
    whole: Vec<Rc<Spelling>>,
    book: SpellingBook,
}

impl<'a> AskedName<'a> {
    /// One name.
    pub fn new(tokens: &'a [Token]) -> Self {
        let book = SpellingBook::default();
        let asked = tokens.iter().map(AskedToken::new).collect();
        let whole = tokens.iter().map(|token| book.of(token.letters())).collect();
        let joins = joins(tokens, &vec![true; tokens.len()], &book);
        Self { tokens, asked, joins, whole, book }
    }

    /// Compares it with a name of a record. `None` when no token agrees.
    pub fn compare(&self, record: &[Token], may_be_cut: bool, profile: &pb::SearchProfile) -> Option<NameScore> {
        let mut assignment = Assignment::new(self.tokens.len(), record.len());
        // The same letters first: nothing is worth more, and most tokens of most candidates end here. Spellings, errors
        // and joins are worked out for those alone that are left over.
        assignment.take(self.same(record));
        if assignment.is_open() {
            assignment.take(self.like(record, &assignment, may_be_cut, profile));
        }
        self.judge(record, assignment, profile)
    }

    fn same(&self, record: &[Token]) -> Vec<Pairing> {
        let mut pairings = Vec::with_capacity(self.tokens.len());
        for (q, asked) in self.tokens.iter().enumerate() {
            for (r, known) in record.iter().enumerate() {
                if let Some(likeness) = token::same(asked, known) {
                    pairings.push(Pairing::one_to_one(likeness, q, r));
                }
            }
        }
        pairings
    }

    fn like(&self, record: &[Token], left: &Assignment, may_be_cut: bool, profile: &pb::SearchProfile) -> Vec<Pairing> {
        let query_left: Vec<usize> = (0..self.tokens.len()).filter(|at| left.query_free[*at]).collect();
        let record_left: Vec<usize> = (0..record.len()).filter(|at| left.record_free[*at]).collect();
        let mut pairings = Vec::new();
        for &q in &query_left {
            for &r in &record_left {
                if let Some(likeness) = self.asked[q].likeness(&record[r], may_be_cut, profile) {
                    pairings.push(Pairing::one_to_one(likeness, q, r));
                }
            }
        }
        let joined = |points, query, record| Pairing { points, how: explain::JOINED, query, record };
        if query_left.len() > 1 {
            let joins: Vec<&Join> =
                self.joins.iter().filter(|join| left.query_free[join.run.clone()].iter().all(|free| *free)).collect();
            for &r in record_left.iter().filter(|_| !joins.is_empty()) {
                let whole = self.book.of(record[r].letters());
                for join in &joins {
                    if let Some(points) = join.likeness(self.tokens, &record[r], &whole, &self.book, profile) {
                        pairings.push(joined(points, join.run.clone(), r..r + 1));
                    }
                }
            }
        }
        if record_left.len() > 1 {
            for join in joins(record, &left.record_free, &self.book) {
                for &q in &query_left {
                    if let Some(points) = join.likeness(record, &self.tokens[q], &self.whole[q], &self.book, profile) {
                        pairings.push(joined(points, q..q + 1, join.run.clone()));
                    }
                }
            }
        }
        pairings
    }

    fn judge(&self, record: &[Token], assignment: Assignment, profile: &pb::SearchProfile) -> Option<NameScore> {
        let query = self.tokens;
        let Assignment { query_free, record_free, mut chosen } = assignment;
        chosen.sort_by_key(|pairing| pairing.query.start);
        let identifies = |token: &Token| token.role == Role::Name;
        let strong = |pairing: &Pairing| {
            query[pairing.query.clone()].iter().any(identifies) || record[pairing.record.clone()].iter().any(identifies)
        };
        // Particles and lone initials agree by chance.
        let (mut earned, mut matched) = (0, 0);
        for pairing in chosen.iter().filter(|pairing| strong(pairing)) {
            earned += pairing.points;
            matched += 1;
        }
        if matched == 0 {
            return None;
        }
        let left = |tokens: &[Token], free: &[bool], role: fn(Role) -> bool| {
            tokens.iter().zip(free).filter(|(token, free)| **free && role(token.role)).count() as u32
        };
        let counts = |role: Role| role != Role::Particle;
        let (query_left, record_left) = (left(query, &query_free, counts), left(record, &record_free, counts));
        let particles = left(query, &query_free, |role| role == Role::Particle)
            + left(record, &record_free, |role| role == Role::Particle);
        let conflicts = query_left.min(record_left);
        let missing = query_left.max(record_left) - conflicts;
        let points = earned / (matched + conflicts);
        let is_weak = matched == 1 && missing > 0;
        let taken = if is_weak {
            weak_points(points, missing, query_left > record_left, profile)
        } else {
            missing_points(missing, profile)
        } + particles * PARTICLE_POINTS;
        let is_same = |pairing: &Pairing| match pairing.how {
            explain::EXACT | explain::TRANSLITERATION => true,
            explain::JOINED => pairing.points >= JOINED_ACROSS_SCRIPTS,
            _ => false,
        };
        let naming = if query_left == 0 && record_left == 0 && chosen.iter().all(is_same) {
            Naming::Same
        } else if is_weak && query_left > record_left {
            Naming::OneOfSeveral
        } else {
            Naming::Near
        };
        Some(NameScore {
            points: points.saturating_sub(taken),
            missing_points: taken.min(points),
            is_weak,
            naming,
            pairings: chosen,
        })
    }

    /// A score of this name in words, for callers.
    pub fn explain(&self, score: &NameScore, record: &[Token]) -> Vec<pb::TokenMatch> {
        let explain = |pairing: &Pairing| pb::TokenMatch {
            query: text(&self.tokens[pairing.query.clone()]),
            matched: text(&record[pairing.record.clone()]),
            how: pairing.how.to_owned(),
            points: pairing.points,
        };
        score.pairings.iter().map(explain).collect()
    }
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
