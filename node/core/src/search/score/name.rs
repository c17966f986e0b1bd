//! A query's name against one name of a record: tokens are assigned one to one, best first.

use std::{cell::OnceCell, ops::Range};

use super::{
    FULL, distance,
    token::{self, AskedToken, Likeness},
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

/// One possible assignment: a run of the query's tokens with a run of the record's.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    joins: Vec<Join>,
    whole: Vec<Spelling>,
}

impl<'a> AskedName<'a> {
    /// One name.
    pub fn new(tokens: &'a [Token]) -> Self {
        let asked = tokens.iter().map(AskedToken::new).collect();
        let whole = tokens.iter().map(Spelling::of).collect();
        Self { tokens, asked, joins: joins(tokens, &vec![true; tokens.len()]), whole }
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
                if let Some(likeness) = token::compare(&self.asked[q], &record[r], may_be_cut, profile) {
                    pairings.push(Pairing::one_to_one(likeness, q, r));
                }
            }
        }
        let joined = |points, query, record| Pairing { points, how: explain::JOINED, query, record };
        if query_left.len() > 1 {
            let joins: Vec<&Join> =
                self.joins.iter().filter(|join| left.query_free[join.run.clone()].iter().all(|free| *free)).collect();
            for &r in record_left.iter().filter(|_| !joins.is_empty()) {
                let whole = Spelling::of(&record[r]);
                for join in &joins {
                    if let Some(points) = join.likeness(self.tokens, &record[r], &whole, profile) {
                        pairings.push(joined(points, join.run.clone(), r..r + 1));
                    }
                }
            }
        }
        if record_left.len() > 1 {
            for join in joins(record, &left.record_free) {
                for &q in &query_left {
                    if let Some(points) = join.likeness(record, &self.tokens[q], &self.whole[q], profile) {
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
        // One name alone is weak evidence for somebody who has more.
        let is_weak = matched == 1 && missing > 0;
        // What the record lacks, the query states: worse than what nobody asked for.
        let weak = if is_weak { WEAK_PARTS + u32::from(query_left > record_left) } else { 0 };
        let unlike = if is_weak { 2 * FULL.saturating_sub(points) } else { 0 };
        let taken = (missing.min(MISSING_PARTS_MAX) + weak) * profile.missing_part_points
            + unlike
            + particles * PARTICLE_POINTS;
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

/// Which tokens have found each other, and which are left.
struct Assignment {
    query_free: Vec<bool>,
    record_free: Vec<bool>,
    chosen: Vec<Pairing>,
}

impl Assignment {
    fn new(query: usize, record: usize) -> Self {
        Self { query_free: vec![true; query], record_free: vec![true; record], chosen: Vec::new() }
    }

    /// Both sides have tokens left.
    fn is_open(&self) -> bool {
        self.query_free.contains(&true) && self.record_free.contains(&true)
    }

    /// Takes what is free, best first; between equals the one that covers more, then in the order of the names: the same on
    /// every node.
    fn take(&mut self, mut pairings: Vec<Pairing>) {
        pairings.sort_by_key(|pairing| {
            let covers = pairing.query.len() + pairing.record.len();
            (std::cmp::Reverse(pairing.points), std::cmp::Reverse(covers), pairing.query.start, pairing.record.start)
        });
        for pairing in pairings {
            let query = &mut self.query_free[pairing.query.clone()];
            let record = &mut self.record_free[pairing.record.clone()];
            if !query.contains(&false) && !record.contains(&false) {
                query.fill(false);
                record.fill(false);
                self.chosen.push(pairing);
            }
        }
    }
}

impl Pairing {
    fn one_to_one(likeness: Likeness, query: usize, record: usize) -> Self {
        let Likeness { points, how } = likeness;
        Self { points, how, query: query..query + 1, record: record..record + 1 }
    }
}

/// A word or a join, loosely spelt, with its sounds worked out once, and only when asked for.
struct Spelling {
    loose: String,
    sounds: OnceCell<(String, String)>,
}

impl Spelling {
    fn new(letters: &str) -> Self {
        Self { loose: skeleton::loose(letters), sounds: OnceCell::new() }
    }

    fn of(token: &Token) -> Self {
        Self::new(token.letters())
    }

    /// Its skeleton and its sounds.
    fn heard(&self) -> &(String, String) {
        self.sounds.get_or_init(|| (skeleton::skeleton(&self.loose), skeleton::sounds(&self.loose)))
    }
}

/// A run of two or three neighbours as one word; of three also without a particle in the middle.
struct Join {
    run: Range<usize>,
    /// Without the particle in the middle.
    is_bare: bool,
    spelling: Spelling,
}

/// The joins of those neighbours that are free.
fn joins(tokens: &[Token], free: &[bool]) -> Vec<Join> {
    let mut joins = Vec::new();
    for length in 2..=3 {
        for start in 0..(tokens.len() + 1).saturating_sub(length) {
            let range = start..start + length;
            if free[range.clone()].contains(&false) {
                continue;
            }
            let run = &tokens[range.clone()];
            let joined: String = run.iter().map(|token| token.letters()).collect();
            joins.push(Join { run: range.clone(), is_bare: false, spelling: Spelling::new(&joined) });
            if length == 3 && run[1].role == Role::Particle {
                let joined = format!("{}{}", run[0].letters(), run[2].letters());
                joins.push(Join { run: range, is_bare: true, spelling: Spelling::new(&joined) });
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

/// What names joined in one script and apart in another earn where their consonants are the same.
const JOINED_ACROSS_SCRIPTS: u32 = 9_000;

impl Join {
    /// What the join, of `tokens`, is worth as `word`, spelt `whole`.
    fn likeness(&self, tokens: &[Token], word: &Token, whole: &Spelling, profile: &pb::SearchProfile) -> Option<u32> {
        self.in_one_script(whole, profile).or_else(|| self.across_scripts(&tokens[self.run.clone()], word))
    }

    fn in_one_script(&self, whole: &Spelling, profile: &pb::SearchProfile) -> Option<u32> {
        let (joined, word) = (self.spelling.loose.as_str(), whole.loose.as_str());
        if joined == word {
            return Some(JOINED);
        }
        if joined.len().abs_diff(word.len()) > JOIN_BYTES_APART_MAX {
            return None;
        }
        let near = joined.len() >= JOIN_LETTERS_MIN && joined.len().abs_diff(word.len()) <= 1;
        if near && distance::within_one(joined, word) {
            return Some(FULL.saturating_sub(profile.typing_error_points));
        }
        // Joined and spelt otherwise: HYUN MIN and HYEONMIN.
        let ((signs, sounds), (other_signs, other_sounds)) = (self.spelling.heard(), whole.heard());
        let sounds_alike = signs == other_signs
            && !skeleton::is_whole(signs)
            && signs.chars().count() >= JOIN_SIGNS_MIN
            && distance::errors(sounds, other_sounds, JOIN_SOUNDS_APART_MAX) <= JOIN_SOUNDS_APART_MAX;
        sounds_alike.then(|| FULL.saturating_sub(2 * profile.variant_points))
    }

    fn across_scripts(&self, run: &[Token], whole: &Token) -> Option<u32> {
        if run[0].script == whole.script
            || skeleton::is_whole(whole.skeleton())
            || whole.skeleton().chars().count() <= JOIN_SIGNS_MIN
        {
            return None;
        }
        // NOUREDDINE hears no article in نور الدين: it is that of the letter that follows.
        let heard = run.iter().enumerate().filter(|(at, _)| !self.is_bare || *at != 1);
        let joined: String = heard.map(|(_, token)| token.base.as_str()).collect();
        let joined = skeleton::skeleton(&joined);
        whole.skeletons().any(|whole| whole == joined).then_some(JOINED_ACROSS_SCRIPTS)
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
