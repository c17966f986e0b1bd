//! What a posting's signature promises: a score that the record will hardly exceed. Most candidates end here, unread.

use super::{lists, plan::Plan};
use crate::{
    pb,
    search::{
        index::{
            lexicon,
            signature::{self, NameView, TokenSign},
        },
        normalise::{
            name::{Class, Role},
            skeleton,
            sketch::Sketch,
        },
        query::PersonQuery,
        score::{
            FULL,
            date::{self, DateMatch},
            name::{missing_points, weak_points},
            person::combine,
        },
    },
};

/// How far an estimate may stay below the record's true score: signatures do not see joined names in full.
const MARGIN: u32 = 900;
/// What a token may still earn that sounds the same and is another word.
const OTHER_WORD_POINTS: u32 = 9_700;
/// What a token may still earn when only its first letter agrees: two typing errors in a long name.
const FIRST_LETTER_POINTS: u32 = 7_600;

/// One token of the query. Its lists are sorted.
#[derive(Clone)]
struct Asked {
    /// Whoever stands under these may answer it.
    classes: Vec<u16>,
    /// Under these, the words alone that it was led there by.
    others: Vec<u16>,
    words: Vec<Sketch>,
    /// Its own.
    word: Sketch,
    /// Words one typing error from its own may answer it, under whatever class; else those among `words` alone.
    nears: bool,
    /// Of itself and its neighbours as one word: one name of the record then answers them all.
    joined: Vec<u16>,
    /// Of its halves, where it may be two names of the record; among `classes` too.
    halves: Vec<u16>,
    letter: u8,
    role: Role,
}

/// What the name of one posting promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NamePromise {
    /// Its parts: 0 to 10000. Bearers of a name are counted by it.
    pub parts: u32,
    /// What the score will make of it, or more.
    pub points: u32,
    /// How far the score may yet exceed that.
    margin: u32,
}

/// What one posting promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Promise {
    /// The score.
    pub estimate: u32,
    /// By the name's parts alone.
    pub name: u32,
    /// How the dates agree; exact where the posting does not say all.
    pub date: DateMatch,
    /// Gender or nationality are others than the query's.
    pub contradicts: bool,
}

/// Estimates postings of one person query.
pub struct Estimator<'a> {
    query: &'a PersonQuery,
    profile: &'a pb::SearchProfile,
    asked: Vec<Asked>,
}

impl<'a> Estimator<'a> {
    /// For a plan with its expansions filled in, where it has any.
    pub fn new(query: &'a PersonQuery, plan: &Plan, profile: &'a pb::SearchProfile) -> Self {
        let mut asked: Vec<Asked> = query
            .tokens
            .iter()
            .map(|token| {
                // The record may hold no more than the first letter.
                let initial: String = token.base.chars().take(1).collect();
                let initial = Class::of_skeleton(&skeleton::skeleton(&initial)).short();
                let classes = vec![token.class().short(), initial];
                let (letter, role) = (token.first_letter(), token.role);
                let (others, words, joined, halves) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
                let word = signature::word(token);
                Asked { classes, others, words, word, nears: false, joined, halves, letter, role }
            })
            .collect();
        let nears = !lists::are_of_neighbours(query, plan);
        for token in &plan.tokens {
            let asked = &mut asked[token.at];
            asked.classes.extend(token.alternates.iter().map(|class| class.short()));
            asked.halves.extend(token.splits.iter().flat_map(|(a, b)| [a.short(), b.short()]));
            asked.classes.extend(&asked.halves);
            asked.others.extend(token.variants.iter().chain(&token.expansions).map(|class| class.short()));
            asked.words.clone_from(&token.words);
            let letters = query.tokens[token.at].letters().chars().count();
            asked.nears = nears && letters >= lexicon::LETTERS_MIN;
        }
        for (run, class) in &plan.joins {
            for at in run.clone() {
                asked[at].joined.push(class.short());
            }
        }
        for asked in &mut asked {
            for list in [&mut asked.classes, &mut asked.others, &mut asked.joined, &mut asked.halves] {
                list.sort_unstable();
            }
        }
        Self { query, profile, asked }
    }

    /// The same without what its letters are merely near: names are counted by it, for among names without vowels, or of few
    /// letters, much is near.
    pub fn by_class(&self) -> Self {
        let asked = self.asked.iter().map(|asked| Asked { nears: false, ..asked.clone() }).collect();
        Self { asked, ..*self }
    }

    /// One of the names may be one of the query's, or there were too many to keep.
    pub fn is_led_to(&self, signature: NameView<'_>) -> bool {
        let mut tokens = signature.tokens().peekable();
        let leads = |asked: &Asked, token: TokenSign| {
            has(&asked.joined, token.class) || asked.role == Role::Name && asked.answers(token)
        };
        tokens.peek().is_none() || tokens.any(|token| self.asked.iter().any(|asked| leads(asked, token)))
    }

    /// What the posting promises; `None` when it cannot reach the threshold.
    pub fn promise(&self, signature: NameView<'_>) -> Option<Promise> {
        let contradicts = self.contradicts(signature);
        if self.query.strict && contradicts {
            return None;
        }
        let date = match signature.dates() {
            _ if !self.query.birth_date.is_known() => DateMatch::NotAsked,
            Some(dates) => date::best(self.query.birth_date, dates),
            None => DateMatch::Exact,
        };
        // Some dates that a list leads to leave no room even for the whole name.
        if combine(FULL, date, self.profile) + MARGIN < self.profile.threshold {
            return None;
        }
        let name = self.name(signature);
        let estimate = combine(name.points, date, self.profile);
        let reaches = estimate + name.margin >= self.profile.threshold;
        reaches.then_some(Promise { estimate, name: name.parts, date, contradicts })
    }

    /// Both sides say which gender, or which nationality, and not the same.
    pub fn contradicts(&self, signature: NameView<'_>) -> bool {
        let (query, nationality) = (self.query, signature.nationality());
        let gender = query.gender != 0 && signature.gender() != 0 && query.gender != signature.gender();
        let foreign =
            nationality.is_known() && !query.nationalities.is_empty() && !query.nationalities.contains(&nationality);
        gender || foreign
    }

    /// What the name promises. Never less than the record's own name would earn by its classes: names are
    /// assigned so that as many as can be agree, or ROBERT, whose nicknames sound like BELL, would take BELL from itself.
    pub fn name(&self, signature: NameView<'_>) -> NamePromise {
        let mut known = [TokenSign::NONE; signature::TOKENS_MAX];
        let mut count = 0;
        for (place, token) in known.iter_mut().zip(signature.tokens()) {
            *place = token;
            count += 1;
        }
        let known = &known[..count];
        if known.is_empty() {
            return NamePromise { parts: FULL, points: FULL, margin: MARGIN };
        }
        let one_to_one = signature.is_one_name();
        let mut taken = [None; signature::TOKENS_MAX];
        if one_to_one {
            // What sounds like a name has it before what is merely near: of SIMON and MASON, MASON is MASON.
            for nears in [false, true] {
                for at in 0..self.asked.len() {
                    if self.asked[at].role == Role::Name && !taken.contains(&Some(at)) {
                        self.assign(at, nears, known, &mut taken, &mut 0);
                    }
                }
            }
        }
        let (mut earned, mut matched, mut query_left) = (0, 0, 0);
        for (at, asked) in self.asked.iter().enumerate() {
            let points = |(place, token): (usize, &TokenSign)| match taken[place] {
                Some(holder) if holder == at => asked.own_points(*token),
                holder => asked.points(*token, one_to_one, holder.is_some(), self),
            };
            match known.iter().enumerate().map(points).max() {
                None | Some(0) => query_left += u32::from(asked.role == Role::Name),
                Some(points) => {
                    earned += points;
                    matched += 1;
                }
            }
        }
        if matched == 0 {
            return NamePromise { parts: 0, points: 0, margin: MARGIN };
        }
        let identifying = known.iter().filter(|token| token.identifies()).count() as u32;
        let record_left = if one_to_one { identifying.saturating_sub(matched) } else { 0 };
        let conflicts = query_left.min(record_left);
        // Of several names, none has what all of them together lack.
        let missing = query_left.max(record_left) - conflicts;
        let points = earned / (matched + conflicts);
        let parts = points.saturating_sub(missing * self.profile.missing_part_points);
        // One name alone agrees, by a word and not by halves or neighbours as one: nothing is left on one side that the
        // signature does not see.
        let is_weak = one_to_one && matched == 1 && missing > 0 && self.is_met_by_a_word(known);
        let taken = if is_weak {
            weak_points(points, missing, query_left > record_left, self.profile)
        } else {
            missing_points(missing, self.profile)
        };
        NamePromise { parts, points: points.saturating_sub(taken), margin: if is_weak { 0 } else { MARGIN } }
    }

    /// One of the query's tokens is one of these names, and none is several of them, nor several one.
    fn is_met_by_a_word(&self, known: &[TokenSign]) -> bool {
        let pairs = || self.asked.iter().flat_map(|asked| known.iter().map(move |token| (asked, token)));
        let is_by_parts = |asked: &Asked, token: &TokenSign| {
            has(&asked.joined, token.class) || known.len() > 1 && has(&asked.halves, token.class)
        };
        pairs().any(|(asked, token)| asked.answers(*token)) && !pairs().any(|(asked, token)| is_by_parts(asked, token))
    }

    /// Gives the query's token a name of the record, moving others to names that suit them too (an augmenting path).
    /// `seen` has a bit for each name that was tried.
    fn assign(&self, at: usize, nears: bool, known: &[TokenSign], taken: &mut Taken, seen: &mut u32) -> bool {
        for (place, token) in known.iter().enumerate() {
            if *seen >> place & 1 == 1 || !self.asked[at].may_take(*token, nears) {
                continue;
            }
            *seen |= 1 << place;
            if taken[place].is_none_or(|other| self.assign(other, nears, known, taken, seen)) {
                taken[place] = Some(at);
                return true;
            }
        }
        false
    }
}

/// `class` is in a sorted list.
fn has(classes: &[u16], class: u16) -> bool {
    classes.binary_search(&class).is_ok()
}

/// Which of the query's tokens has each name of the record.
type Taken = [Option<usize>; signature::TOKENS_MAX];

impl Asked {
    /// A name of the record may be this token. Of a nickname's class, or a misspelt name's, only the word itself: others
    /// merely sound like it.
    fn answers(&self, token: TokenSign) -> bool {
        self.may_take(token, true)
    }

    fn may_take(&self, token: TokenSign, nears: bool) -> bool {
        let is_led = || !token.word.is_word() || self.words.binary_search(&token.word).is_ok();
        has(&self.classes, token.class)
            || has(&self.others, token.class) && is_led()
            || nears && self.nears && self.word.is_near(token.word)
    }

    /// What the name of the record is worth that the token got.
    fn own_points(&self, token: TokenSign) -> u32 {
        let is_another = self.word.is_word() && token.word.is_word() && self.word != token.word;
        if is_another { OTHER_WORD_POINTS } else { FULL }
    }

    /// What one name of the record is worth to a token that did not get it: to neighbours joined, particles and initials
    /// whatever else it answers; by its first letter while no other token has it.
    fn points(&self, token: TokenSign, one_to_one: bool, is_taken: bool, estimator: &Estimator<'_>) -> u32 {
        let shares = !one_to_one || self.role != Role::Name;
        if has(&self.joined, token.class) || shares && self.answers(token) {
            return FULL;
        }
        let letter = token.first_letter();
        if letter == 0 || letter != self.letter || is_taken && !shares {
            return 0;
        }
        match self.role {
            Role::Name if estimator.query.names_may_be_cut => FULL,
            Role::Name => FIRST_LETTER_POINTS,
            Role::Initial => FULL.saturating_sub(estimator.profile.initial_points),
            Role::Particle => 0,
        }
    }
}
