//! Changes of a query that must not matter, or only so much.

use super::store::*;
use crate::pb;

const NAMES: [&str; 10] = [
    "Anna Maria Eriksson",
    "Jürgen Groß-Müller",
    "Seán O'Brien",
    "Mohamed al-Hassan",
    "Juan de la Cruz",
    "Юрий Щербаков",
    "Γεώργιος Παπαδόπουλος",
    "Nguyễn Thị Mai",
    "Li Wei",
    "Suharto",
];

/// What the worst of the harmless changes may take.
const POINTS_LOST_MAX: u32 = 700;

fn score(name: &str, asked: &str, dated: bool) -> u32 {
    let mut store = Store::new();
    let born = Some(date(1974, 8, 12));
    let wanted = store.add(1, person(name, born));
    store.score(wanted, by_name(asked, born.filter(|_| dated)))
}

#[test]
fn case_invisible_characters_and_spacing_change_no_score() {
    for name in NAMES {
        for dated in [true, false] {
            let plain = score(name, name, dated);
            assert_eq!(plain, 10_000, "{name}");
            let spread: String = name.chars().flat_map(|c| [c, '\u{200b}']).collect();
            for asked in
                [name.to_uppercase(), name.to_lowercase(), spread, format!("\t {}  ", name.replace(' ', " \u{a0} "))]
            {
                assert_eq!(score(name, &asked, dated), plain, "{name} as {asked:?}");
            }
        }
    }
}

#[test]
fn order_marks_hyphens_apostrophes_and_script_cost_little() {
    for name in NAMES {
        let reversed: Vec<&str> = name.split(' ').rev().collect();
        let bare: String = {
            use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};
            name.nfd().filter(|c| !is_combining_mark(*c)).collect()
        };
        let romanised: Vec<String> = crate::search::normalise::text::words(name)
            .iter()
            .map(|word| crate::search::normalise::script::romanise(word).base)
            .collect();
        for asked in [
            reversed.join(" "),
            bare,
            romanised.join(" "),
            name.replace('-', " "),
            name.replace('-', ""),
            name.replace('\'', "’"),
            name.replace('\'', " "),
        ] {
            for dated in [true, false] {
                let points = score(name, &asked, dated);
                assert!(points >= 10_000 - POINTS_LOST_MAX, "{name} as {asked}: {points}");
            }
        }
    }
}

#[test]
fn an_added_alias_never_lowers_a_score() {
    let born = Some(date(1974, 8, 12));
    for name in NAMES {
        for asked in NAMES {
            let alone = person(name, born);
            let mut with_alias = alone.clone();
            let mut alias = identity("alias-low", "Berit Lindqvist", Some(date(1960, 1, 1)));
            alias.gender = code("gender", "male");
            with_alias.identities.as_mut().unwrap().identities.push(alias);
            let ask = |alert: pb::Alert| {
                let mut store = Store::new();
                let id = store.add(1, alert);
                let query = pb::PersonQuery { gender: code("gender", "female"), ..by_name(asked, born) };
                store.score(id, query)
            };
            assert!(ask(with_alias) >= ask(alone), "{name} by {asked}");
        }
    }
}
