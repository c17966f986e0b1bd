//! One token of a query against one token of a record.

use super::{FULL, distance};
use crate::{
    pb,
    search::{
        explain,
        normalise::{
            name::{Role, Token},
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

/// How `query` and `record` agree, if they do. `may_be_cut`: the query's tokens may be beginnings of names.
pub fn compare(query: &Token, record: &Token, may_be_cut: bool, profile: &pb::SearchProfile) -> Option<Likeness> {
    let like = |points: u32, how| Some(Likeness { points: points.min(FULL), how });
    if query.original == record.original {
        return like(FULL, explain::EXACT);
    }
    if query.base == record.base {
        return like(SAME_LETTERS, explain::TRANSLITERATION);
    }
    if query.base == record.expanded || query.expanded == record.base || query.loose == record.loose {
        return like(SAME_LOOSELY, explain::TRANSLITERATION);
    }
    if query.role == Role::Initial || record.role == Role::Initial {
        let same = query.base.starts_with(&record.base) || record.base.starts_with(&query.base);
        return if same { like(FULL.saturating_sub(profile.initial_points), explain::INITIAL) } else { None };
    }
    if may_be_cut && record.base.starts_with(&query.base) {
        return like(PREFIX, explain::PREFIX);
    }
    let (asked, known) = (query.letters.chars().count(), record.letters.chars().count());
    if asked.min(known) < TYPING_LETTERS_MIN {
        return None;
    }
    let variant = FULL.saturating_sub(profile.variant_points);
    let is_listed = variants::are_the_same(&query.base, &record.base);
    let listed = is_listed.then_some(Likeness { points: variant.saturating_sub(LISTED), how: explain::VARIANT });
    let errors = distance::errors(&query.letters, &record.letters, LETTERS_APART_MAX);
    let same_skeleton =
        query.skeletons().any(|asked| !skeleton::is_whole(asked) && record.skeletons().any(|known| known == asked));
    if same_skeleton && query.script != record.script {
        return like(SAME_ACROSS_SCRIPTS, explain::TRANSLITERATION);
    }
    // A short name has few letters to be sure of.
    let brief = if asked.min(known) <= 4 { profile.typing_error_points / 2 } else { 0 };
    let typing = FULL.saturating_sub(profile.typing_error_points + brief);
    let spelling = same_skeleton
        .then(|| distance::errors(&query.sounds, &record.sounds, LETTERS_APART_MAX))
        .filter(|apart| *apart <= spelling_letters(&query.skeleton))
        .map(|apart| variant.saturating_sub(PER_LETTER * (apart as u32).saturating_sub(1)));
    let typed = match errors {
        1 => Some(typing),
        2 if asked.min(known) >= TWO_ERRORS_LETTERS_MIN => Some(typing.saturating_sub(profile.typing_error_points)),
        _ => None,
    };
    let found = match (spelling, typed) {
        (Some(spelling), Some(typed)) if typed > spelling => like(typed, explain::TYPING_ERROR),
        (Some(spelling), _) => like(spelling, explain::VARIANT),
        (None, Some(typed)) => like(typed, explain::TYPING_ERROR),
        (None, None) => other_reading(query, record)
            .then_some(Likeness { points: variant.saturating_sub(2 * PER_LETTER), how: explain::VARIANT }),
    };
    [found, listed].into_iter().flatten().max_by_key(|likeness| likeness.points)
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

/// The query's token, spelt as another language spells its sounds, is the record's.
fn other_reading(query: &Token, record: &Token) -> bool {
    !skeleton::is_whole(&record.skeleton)
        && record.skeleton.chars().count() >= 3
        && (query.script != record.script || distance::errors(&query.base, &record.base, LETTERS_APART_MAX) <= 3)
        && skeleton::alternates(&query.base).contains(&record.skeleton)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{alert::RuleSet, search::normalise::text};

    fn how(query: &str, record: &str) -> &'static str {
        let token = |word: &str| Token::new(&text::words(word)[0]);
        let rules = RuleSet::defaults();
        let likeness = compare(&token(query), &token(record), false, rules.search_profile());
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
        let token = |word: &str| Token::new(word);
        let rules = RuleSet::defaults();
        let profile = rules.search_profile();
        let cut = compare(&token("ALEXAN"), &token("ALEXANDROS"), true, profile).unwrap();
        assert_eq!(cut.how, "prefix");
        assert_eq!(compare(&token("ALEXAN"), &token("ALEXANDROS"), false, profile), None);
    }
}
