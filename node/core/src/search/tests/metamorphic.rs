//! Changes of a query that must not matter, or only so much.

use alert_synth::{
    Generator,
    names::{FullName, Gender, Spelling, script::without_diacritics},
    rng::Rng,
};

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
/// Generated names, of every culture by its share.
const GENERATED: u64 = 150;
const SEED: u64 = 21;

/// The most points out of 10,000 that each kind of change may take from the true record.
const LOST_BY_ORDER: u32 = 0;
const LOST_BY_DIACRITICS: u32 = 700;
const LOST_BY_HYPHEN: u32 = 700;
const LOST_BY_APOSTROPHE: u32 = 700;
const LOST_BY_SCRIPT: u32 = 1_700;
const LOST_BY_LOOK_ALIKES: u32 = 1_500;

fn generated(count: u64) -> Vec<FullName> {
    println!("seed {SEED}");
    let generator = Generator::new(SEED);
    (0..count)
        .map(|number| {
            let mut rng = Rng::new(SEED, "metamorphic", number);
            let culture = generator.names().draw_culture(&mut rng);
            let gender = if number % 2 == 0 { Gender::Female } else { Gender::Male };
            generator.names().draw_name(culture, gender, &mut rng)
        })
        .collect()
}

fn spelt(name: &FullName, spelling: Spelling) -> String {
    name.spelt(spelling).map(|(_, text)| text).collect::<Vec<_>>().join(" ")
}

fn names() -> Vec<String> {
    let own = NAMES.iter().map(|name| (*name).to_owned());
    let both = generated(GENERATED)
        .into_iter()
        .flat_map(|name| [spelt(&name, Spelling::Usual), spelt(&name, Spelling::Native)]);
    let mut names: Vec<String> = own.chain(both).collect();
    names.dedup();
    names
}

/// A store with one person, and what it scores for questions about it.
struct One {
    store: Store,
    wanted: crate::alert::AlertId,
}

const BORN: Option<pb::PartialDate> = Some(pb::PartialDate { year: Some(1974), month: Some(8), day: Some(12) });

impl One {
    fn new(name: &str) -> Self {
        let mut store = Store::new();
        let wanted = store.add(1, person(name, BORN));
        Self { store, wanted }
    }

    fn score(&self, asked: &str, dated: bool) -> u32 {
        self.store.score(self.wanted, by_name(asked, BORN.filter(|_| dated)))
    }
}

/// Asks for each of `names` as `change` makes it, with and without the date; none may lose more than `most` points, and
/// each stays above the threshold.
fn loses_at_most(most: u32, names: &[String], change: impl Fn(&str) -> Option<String>) {
    let mut tried = 0;
    let mut failed = Vec::new();
    for name in names {
        let Some(asked) = change(name).filter(|asked| asked != name) else { continue };
        let one = One::new(name);
        for dated in [true, false] {
            tried += 1;
            let points = one.score(&asked, dated);
            if points + most < 10_000 || points < one.store.rules.search_profile().threshold {
                failed.push(format!("{name} as {asked}{}: {points}", if dated { ", dated" } else { "" }));
            }
        }
    }
    println!("{tried} tried");
    assert!(tried > 0);
    assert!(failed.is_empty(), "{} of {tried} lose more than {most} points:\n{}", failed.len(), failed.join("\n"));
}

#[test]
fn case_invisible_characters_and_spacing_change_no_score() {
    for name in names() {
        let one = One::new(&name);
        let between = |mark: char| name.chars().flat_map(|letter| [letter, mark]).collect::<String>();
        for dated in [true, false] {
            assert_eq!(one.score(&name, dated), 10_000, "{name}");
            for asked in [
                name.to_uppercase(),
                name.to_lowercase(),
                between('\u{200b}'),
                between('\u{feff}'),
                format!("\u{200e}{name}\u{200f}"),
                format!("\t {}  ", name.replace(' ', " \u{a0} ")),
                name.replace(' ', "\u{3000}"),
            ] {
                assert_eq!(one.score(&asked, dated), 10_000, "{name} as {asked:?}");
            }
        }
    }
}

#[test]
fn the_order_of_the_parts_costs_nothing() {
    loses_at_most(LOST_BY_ORDER, &names(), |name| {
        let parts: Vec<&str> = name.split(' ').rev().collect();
        Some(parts.join(" "))
    });
}

#[test]
fn diacritics_left_out_or_written_apart_cost_little() {
    loses_at_most(LOST_BY_DIACRITICS, &names(), |name| Some(without_diacritics(name)));
    loses_at_most(0, &names(), |name| {
        use unicode_normalization::UnicodeNormalization;
        Some(name.nfd().collect())
    });
}

#[test]
fn hyphens_and_apostrophes_cost_little() {
    for replacement in [" ", "", "\u{2010}", "\u{2013}"] {
        loses_at_most(LOST_BY_HYPHEN, &names(), |name| name.contains('-').then(|| name.replace('-', replacement)));
    }
    for replacement in ["’", "`", "ʼ", " ", ""] {
        loses_at_most(LOST_BY_APOSTROPHE, &names(), |name| {
            name.contains('\'').then(|| name.replace('\'', replacement))
        });
    }
}

/// Least share of names, in per cent, that keep the true record above the threshold when they are asked for in the other
/// script. Below 100 is what is not yet good enough.
const OTHER_SCRIPT_SHARES: [(&str, usize); 5] = [("Cyrl", 97), ("Grek", 100), ("Hang", 80), ("Arab", 97), ("Hani", 97)];

#[test]
fn the_same_name_in_another_script_keeps_the_record_in_sight() {
    let mut too_few = Vec::new();
    for (script, least) in OTHER_SCRIPT_SHARES {
        let names: Vec<FullName> =
            generated(4_000).into_iter().filter(|name| name.script == script && name.has_native()).take(40).collect();
        let mut lost = Vec::new();
        for name in &names {
            let (native, latin) = (spelt(name, Spelling::Native), spelt(name, Spelling::Usual));
            for (known, asked) in [(&native, &latin), (&latin, &native)] {
                let one = One::new(known);
                let points = [true, false].map(|dated| one.score(asked, dated));
                if points.iter().any(|points| points + LOST_BY_SCRIPT < 10_000) {
                    lost.push(format!("{known} as {asked}: {points:?}"));
                }
            }
        }
        let (asked, kept) = (2 * names.len(), 2 * names.len() - lost.len());
        println!("{script}: {kept} of {asked} lose at most {LOST_BY_SCRIPT} points");
        assert!(asked >= 40, "{script}: {asked}");
        if kept * 100 < asked * least {
            too_few.push(format!("{script}: {kept} of {asked}:\n{}", lost.join("\n")));
        }
    }
    assert!(too_few.is_empty(), "{}", too_few.join("\n"));
}

#[test]
fn look_alike_characters_keep_the_record_in_sight() {
    let swaps: [&[(char, char)]; 3] = [
        // Cyrillic and Greek letters that look like Latin ones.
        &[('a', 'а'), ('e', 'е'), ('o', 'о'), ('c', 'с'), ('p', 'р'), ('x', 'х'), ('i', 'і')],
        &[('A', 'Α'), ('E', 'Ε'), ('o', 'ο'), ('K', 'Κ'), ('M', 'Μ'), ('T', 'Τ')],
        // Digits for letters, as scanners read them.
        &[('o', '0'), ('O', '0'), ('l', '1'), ('I', '1')],
    ];
    let latin: Vec<String> = names().into_iter().filter(|name| name.is_ascii()).collect();
    for swap in swaps {
        loses_at_most(LOST_BY_LOOK_ALIKES, &latin, |name| {
            // One letter of a name, not its first; a name all in another script is another question. Two letters are too
            // few to tell what the third sign was.
            let from = name.split(' ').next().filter(|word| word.len() > 2).map(|_| 1)?;
            let (at, letter) = name.char_indices().skip(from).find_map(|(at, letter)| {
                let (_, alike) = swap.iter().find(|(from, _)| *from == letter)?;
                Some((at, *alike))
            })?;
            let mut asked = name.to_owned();
            asked.replace_range(at..=at, &letter.to_string());
            Some(asked)
        });
    }
}

#[test]
fn an_added_alias_never_lowers_a_score() {
    let aliases = ["Berit Lindqvist", "Li", "Anna", "Юрий Щербаков", "J Smith", "Maria Anna Cruz de la Silva"];
    for name in NAMES {
        for asked in NAMES {
            let alone = person(name, BORN);
            let ask = |alert: pb::Alert| {
                let mut store = Store::new();
                let id = store.add(1, alert);
                let query = pb::PersonQuery { gender: code("gender", "female"), ..by_name(asked, BORN) };
                store.score(id, query)
            };
            let before = ask(alone.clone());
            for alias in aliases {
                let mut with_alias = alone.clone();
                let mut alias = identity("alias-low", alias, Some(date(1960, 1, 1)));
                alias.gender = code("gender", "male");
                with_alias.identities.as_mut().unwrap().identities.push(alias);
                assert!(ask(with_alias) >= before, "{name} by {asked}");
            }
        }
    }
}
