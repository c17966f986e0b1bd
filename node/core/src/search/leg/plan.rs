//! Which lists a person query seeks, from the query alone and from the names in use.

use std::{collections::BTreeSet, ops::Range};

use crate::search::{
    normalise::{
        name::{Class, Role, Token},
        script, skeleton,
        sketch::Sketch,
        variants,
    },
    query::PersonQuery,
};

/// Letters that each half of a token taken apart keeps, at least; where a letter is a syllable, one.
const SPLIT_LETTERS_MIN: usize = 2;

/// Letters of a name that is looked up in the table of variants, at least.
const VARIANT_LETTERS_MIN: usize = 3;

/// One identifying token of a query with the classes it is sought under.
#[derive(Debug, Clone)]
pub struct PlannedToken {
    /// Its place among the query's tokens.
    pub at: usize,
    /// Of its own skeleton.
    pub class: Class,
    /// The length of that skeleton.
    pub signs: usize,
    /// Of other spellings and readings, without `class`.
    pub alternates: Vec<Class>,
    /// Of the same name as a nickname or in another language, without the classes above.
    pub variants: Vec<Class>,
    /// Of its second reading, where its letters have two; among `alternates` too.
    pub other_reading: Option<Class>,
    /// The two halves, for each place where it may be two names in the alert.
    pub splits: Vec<(Class, Class)>,
    /// Of tokens in use one typing error away, without the classes above. Filled in by partition, where lists are sought under them.
    pub expansions: BTreeSet<Class>,
    /// Words that answer it under the classes of `variants` and `expansions`, sorted.
    pub words: Vec<Sketch>,
}

/// A person query as lists.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Identifying tokens.
    pub tokens: Vec<PlannedToken>,
    /// Neighbouring tokens as one: which (a run of the query's tokens) and its class.
    pub joins: Vec<(Range<usize>, Class)>,
}

/// The plan of a query, before misspelt names are looked up.
pub fn plan(query: &PersonQuery) -> Plan {
    let tokens = query
        .tokens
        .iter()
        .enumerate()
        .filter(|(_, token)| token.role == Role::Name)
        .map(|(at, token)| {
            let class = token.class();
            let alternates = alternates(token, class);
            let other_reading = token.other_skeleton().map(Class::of_skeleton);
            // Names of two letters are the same as too many.
            let is_long = token.base.chars().count() >= VARIANT_LETTERS_MIN;
            let mut variants = if is_long { variants::classes(&token.base) } else { Vec::new() };
            variants.retain(|variant| *variant != class && !alternates.contains(variant));
            let mut words: Vec<Sketch> = if is_long { variants::words(&token.base).collect() } else { Vec::new() };
            words.sort_unstable();
            words.dedup();
            let (splits, expansions) = (splits(token), BTreeSet::new());
            let signs = token.skeleton().chars().count();
            PlannedToken { at, class, signs, alternates, variants, other_reading, splits, expansions, words }
        })
        .collect();
    Plan { tokens, joins: joins(&query.tokens) }
}

fn alternates(token: &Token, class: Class) -> Vec<Class> {
    let mut classes: Vec<Class> = Vec::new();
    let others = token.skeletons().skip(1).map(str::to_owned).chain(skeleton::alternates(&token.base));
    for other in others.map(|skeleton| Class::of_skeleton(&skeleton)) {
        if other != class && !classes.contains(&other) {
            classes.push(other);
        }
    }
    classes
}

/// The token as two, in its own script: ANNAMARIA as ANNA and MARIA, 민준 as 민 and 준.
fn splits(token: &Token) -> Vec<(Class, Class)> {
    let letters: Vec<char> = token.original.chars().collect();
    let class = |letters: &[char]| class_of_word(&letters.iter().collect::<String>());
    let least = if token.script.is_syllabic() { 1 } else { SPLIT_LETTERS_MIN };
    (least..(letters.len() + 1).saturating_sub(least))
        .map(|at| (class(&letters[..at]), class(&letters[at..])))
        .collect()
}

fn class_of_word(word: &str) -> Class {
    Class::of_skeleton(&skeleton::skeleton(&script::romanise(word).base))
}

/// Two or three neighbours as one: ABDUL RAHMAN as ABDULRAHMAN, O BRIEN as OBRIEN, VAN DER BERG as VANDERBERG.
fn joins(tokens: &[Token]) -> Vec<(Range<usize>, Class)> {
    let mut joins = Vec::new();
    for length in 2..=3 {
        for start in 0..(tokens.len() + 1).saturating_sub(length) {
            let run = &tokens[start..start + length];
            let joined: String = run.iter().map(|token| token.original.as_str()).collect();
            joins.push((start..start + length, class_of_word(&joined)));
            // Without the particle in the middle: ABD AL RAHMAN is also ABDRAHMAN, which is ABDURRAHMAN.
            if length == 3 && run[1].role == Role::Particle {
                let joined = format!("{}{}", run[0].original, run[2].original);
                joins.push((start..start + length, class_of_word(&joined)));
            }
        }
    }
    joins
}

impl Plan {
    /// The two tokens that say most: those with the longest skeletons, in the query's order between equals.
    pub fn most_telling(&self) -> impl Iterator<Item = &PlannedToken> {
        let mut tokens: Vec<&PlannedToken> = self.tokens.iter().collect();
        tokens.sort_by_key(|token| (std::cmp::Reverse(token.signs), token.at));
        tokens.into_iter().take(2)
    }
}

impl PlannedToken {
    /// Its own class and the alternates.
    pub fn classes(&self) -> impl Iterator<Item = Class> + '_ {
        std::iter::once(self.class).chain(self.alternates.iter().copied())
    }
}
