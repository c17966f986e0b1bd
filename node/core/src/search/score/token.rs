//! One token of a query against one token of a record.

use std::{
    cell::{OnceCell, RefCell},
    collections::HashMap,
};

use super::{FULL, distance};
use crate::{
    pb,
    search::{
        explain,
        normalise::{
            name::{Role, Token},
            script::Script,
            skeleton, variants,
        },
    },
};

/// How two tokens agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Likeness {
    /// 0 to 10000.
    pub points: u32,
    /// A word of [`explain`].
    pub how: &'static str,
}

/// Other marks or another script of the same letters.
const SAME_LETTERS: u32 = 9_900;
/// The same once marks that are spelt out and doubled letters are reduced.
const SAME_LOOSELY: u32 = 9_700;
/// The same consonants in two scripts.
const SAME_ACROSS_SCRIPTS: u32 = 9_300;
/// The beginning of a name that was cut short.
const PREFIX: u32 = 9_000;
/// What a name of the table of variants takes beside what any variant takes: BILL for WILLIAM.
const LISTED: u32 = 500;
/// What each letter between two spellings of the same skeleton takes.
const PER_LETTER: u32 = 250;
/// Tokens shorter than this have no typing errors: LI is not LU.
const TYPING_LETTERS_MIN: usize = 3;
/// Tokens at least this long may have two.
const TWO_ERRORS_LETTERS_MIN: usize = 7;

/// A token of the query with what comparing it needs, worked out once for all candidates, and only when asked for.
pub struct AskedToken<'a> {
    token: &'a Token,
    groups: OnceCell<&'static [(u64, u32)]>,
    alternates: OnceCell<Vec<String>>,
    /// Words of records that it was compared with, initials apart: candidates share most of theirs.
    compared: RefCell<HashMap<String, Option<Likeness>>>,
}

impl<'a> AskedToken<'a> {
    /// One token.
    pub fn new(token: &'a Token) -> Self {
        Self { token, groups: OnceCell::new(), alternates: OnceCell::new(), compared: RefCell::default() }
    }

    /// How it and `record` agree, if they do, as [`compare`] says. All words of one query are compared with the same
    /// `may_be_cut` and `profile`.
    pub fn likeness(&self, record: &Token, may_be_cut: bool, profile: &pb::SearchProfile) -> Option<Likeness> {
        if record.role == Role::Initial {
            return compare(self, record, may_be_cut, profile);
        }
        if let Some(known) = self.compared.borrow().get(&record.original) {
            return *known;
        }
        let likeness = compare(self, record, may_be_cut, profile);
        self.compared.borrow_mut().insert(record.original.clone(), likeness);
        likeness
    }

    /// The table of variants has the two as one name.
    fn is_listed_with(&self, record: &Token) -> bool {
        let groups = self.groups.get_or_init(|| variants::groups(&self.token.base));
        // Scripts of consonants write a long vowel twice where no Latin spelling does.
        !groups.is_empty()
            && (variants::share_a_group(groups, variants::groups(&record.base))
                || self.token.script != record.script
                    && variants::share_a_group(groups, variants::groups(record.loose())))
    }

    /// Spelt as another language spells its sounds, it is the record's.
    fn reads_as(&self, record: &Token) -> bool {
        let query = self.token;
        !skeleton::is_whole(record.skeleton())
            && record.skeleton().chars().count() >= 3
            && (query.script != record.script || distance::errors(&query.base, &record.base, LETTERS_APART_MAX) <= 3)
            && self
                .alternates
                .get_or_init(|| skeleton::alternates(&query.base))
                .iter()
                .any(|other| other == record.skeleton())
    }
}

/// How two tokens agree whose letters are the same.
pub fn same(query: &Token, record: &Token) -> Option<Likeness> {
    if query.original == record.original {
        return Some(Likeness { points: FULL, how: explain::EXACT });
    }
    (query.base == record.base).then_some(Likeness { points: SAME_LETTERS, how: explain::TRANSLITERATION })
}

/// How `asked` and `record` agree, if they do. `may_be_cut`: the query's tokens may be beginnings of names.
pub fn compare(
    asked: &AskedToken<'_>,
    record: &Token,
    may_be_cut: bool,
    profile: &pb::SearchProfile,
) -> Option<Likeness> {
    let query = asked.token;
    let like = |points: u32, how| Some(Likeness { points: points.min(FULL), how });
    if let Some(same) = same(query, record) {
        return Some(same);
    }
    if query.base == record.expanded() || query.expanded() == record.base || query.loose() == record.loose() {
        return like(SAME_LOOSELY, explain::TRANSLITERATION);
    }
    if query.role == Role::Initial || record.role == Role::Initial {
        let same = query.base.starts_with(&record.base) || record.base.starts_with(&query.base);
        return if same { like(FULL.saturating_sub(profile.initial_points), explain::INITIAL) } else { None };
    }
    if may_be_cut && record.base.starts_with(&query.base) {
        return like(PREFIX, explain::PREFIX);
    }
    let same_skeleton =
        query.skeletons().any(|asked| !skeleton::is_whole(asked) && record.skeletons().any(|known| known == asked));
    // Scripts of consonants have short names: BUTT is two letters there.
    if same_skeleton && query.script != record.script {
        return like(SAME_ACROSS_SCRIPTS, explain::TRANSLITERATION);
    }
    let (letters, known) = (query.letters().chars().count(), record.letters().chars().count());
    let shorter = letters.min(known);
    let variant = FULL.saturating_sub(profile.variant_points);
    let listed_points = variant.saturating_sub(LISTED);
    if shorter < TYPING_LETTERS_MIN {
        // LI is not LU, but it is LEE.
        let is_listed = letters.max(known) >= TYPING_LETTERS_MIN && asked.is_listed_with(record);
        return if is_listed { like(listed_points, explain::VARIANT) } else { None };
    }
    let mut errors = distance::errors(query.letters(), record.letters(), LETTERS_APART_MAX);
    if errors > 1 && query.script == record.script && is_spelt_otherwise(query.script) {
        // One letter of theirs is up to three of ours.
        errors = errors.min(distance::errors(&query.original, &record.original, LETTERS_APART_MAX));
    }
    // A short name has few letters to be sure of.
    let brief = if shorter <= 4 { profile.typing_error_points / 2 } else { 0 };
    let typing = FULL.saturating_sub(profile.typing_error_points + brief);
    let spelling = same_skeleton
        .then(|| distance::errors(query.sounds(), record.sounds(), LETTERS_APART_MAX))
        .filter(|apart| *apart <= spelling_letters(query.skeleton()))
        .map(|apart| variant.saturating_sub(PER_LETTER * (apart as u32).saturating_sub(1)));
    let typed = match errors {
        1 => Some(typing),
        2 if shorter >= TWO_ERRORS_LETTERS_MIN => Some(typing.saturating_sub(profile.typing_error_points)),
        _ => None,
    };
    let found = match (spelling, typed) {
        (Some(spelling), Some(typed)) if typed > spelling => like(typed, explain::TYPING_ERROR),
        (Some(spelling), _) => like(spelling, explain::VARIANT),
        (None, Some(typed)) => like(typed, explain::TYPING_ERROR),
        (None, None) => asked
            .reads_as(record)
            .then_some(Likeness { points: variant.saturating_sub(2 * PER_LETTER), how: explain::VARIANT }),
    };
    if found.is_some_and(|found| found.points >= listed_points) {
        return found;
    }
    let listed = asked.is_listed_with(record).then_some(Likeness { points: listed_points, how: explain::VARIANT });
    listed.or(found)
}

/// Its letters are not those of the romanised word, and each is a sound and not a syllable or a word.
fn is_spelt_otherwise(script: Script) -> bool {
    script != Script::Latin && !script.is_syllabic()
}

/// Letters between two spellings of one name, at most.
const LETTERS_APART_MAX: usize = 4;

/// How many letters two spellings of one skeleton may differ in: the more consonants agree, the more vowels may not.
fn spelling_letters(skeleton: &str) -> usize {
    match skeleton.chars().count() {
        0..=2 => 1,
        3 => 3,
        _ => LETTERS_APART_MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{alert::RuleSet, search::normalise::text};

    fn how(query: &str, record: &str) -> &'static str {
        let token = |word: &str| Token::new(&text::words(word)[0]);
        let rules = RuleSet::defaults();
        let likeness = compare(&AskedToken::new(&token(query)), &token(record), false, rules.search_profile());
        likeness.map_or("-", |likeness| likeness.how)
    }

    #[test]
    fn each_likeness_has_its_word() {
        for (query, record, expected) in [
            ("Martin", "MARTIN", "exact"),
            ("Muller", "Müller", "transliteration"),
            ("Mueller", "Müller", "transliteration"),
            ("Mueller", "Muller", "transliteration"),
            ("Ivanov", "Иванов", "transliteration"),
            ("Mohamed", "محمد", "transliteration"),
            ("David", "דוד", "transliteration"),
            ("Martin", "Mattin", "typing-error"),
            ("Martin", "Nartin", "typing-error"),
            ("Alexander", "Aleksandr", "variant"),
            ("Wisniewski", "Wistiewxki", "typing-error"),
            ("Mohamed", "Muhammad", "variant"),
            ("Jovanovic", "Jovanovitch", "variant"),
            ("J", "John", "initial"),
            ("John", "J", "initial"),
            ("J", "Peter", "-"),
            ("Li", "Lu", "-"),
            ("Maria", "Moire", "-"),
            ("Smith", "Jones", "-"),
        ] {
            assert_eq!(how(query, record), expected, "{query} {record}");
        }
    }

    #[test]
    fn a_cut_token_is_a_beginning_only_where_names_may_be_cut() {
        let (asked, known) = (Token::new("ALEXAN"), Token::new("ALEXANDROS"));
        let asked = AskedToken::new(&asked);
        let rules = RuleSet::defaults();
        let profile = rules.search_profile();
        let cut = compare(&asked, &known, true, profile).unwrap();
        assert_eq!(cut.how, "prefix");
        assert_eq!(compare(&asked, &known, false, profile), None);
    }
}
