//! What others would use, over the same persons and searches.
//!
//! * `exact`: the same name, in any order, and the same date; * `jaro_winkler`: names alike, year of birth equal;
//! * `postgres`: PostgreSQL with `pg_trgm`, and with `dmetaphone` and year of birth.

mod exact;
mod jaro_winkler;
mod postgres;

use alert_core::pb;
use alert_synth::query::{name_parts, sorted_words};
use anyhow::Result;

use crate::{
    evaluate::{Outcome, Task},
    population::Population,
};

/// One way of searching.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    /// The same name, in any order, and the same date.
    Exact,
    /// Jaro-Winkler at least 0.90, year of birth equal.
    JaroWinkler,
    /// PostgreSQL: trigrams, date within a year.
    PgTrgm,
    /// PostgreSQL: double metaphone of two names, year of birth within one.
    Dmetaphone,
}

impl Kind {
    /// For tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::JaroWinkler => "Jaro-Winkler >= 0.90 and year",
            Self::PgTrgm => "pg_trgm and date within a year",
            Self::Dmetaphone => "dmetaphone and year within one",
        }
    }
}

/// Makes all searches in one baseline; `None` where what it needs is not installed.
pub fn run(kind: Kind, population: &Population, tasks: &[Task]) -> Result<Option<Outcome>> {
    Ok(match kind {
        Kind::Exact => Some(exact::run(population, tasks)),
        Kind::JaroWinkler => Some(jaro_winkler::run(population, tasks)),
        Kind::PgTrgm | Kind::Dmetaphone if !postgres::is_there() => None,
        Kind::PgTrgm | Kind::Dmetaphone => Some(postgres::run(kind, population, tasks)?),
    })
}

/// A name of a record with one of its dates, as a table of a baseline has it.
struct Row {
    number: u64,
    /// Lower case, words sorted.
    name: String,
    /// 0 = unknown.
    year: u16,
    month: u8,
    day: u8,
}

/// Every name of every record with every date that goes with it.
fn rows(population: &Population) -> impl Iterator<Item = Row> + '_ {
    (0..population.len()).flat_map(|number| {
        let identities = population.alert(number).identities.unwrap_or_default().identities;
        let mut rows = Vec::new();
        for identity in &identities {
            let own = identity.birth_dates.iter();
            let dates: Vec<(u16, u8, u8)> = own
                .map(|date| (date.year.unwrap_or(0) as u16, date.month.unwrap_or(0) as u8, date.day.unwrap_or(0) as u8))
                .chain(identity.birth_dates.is_empty().then_some((0, 0, 0)))
                .collect();
            for name in identity.names.iter().map(|form| sorted_words(&name_parts(form))) {
                rows.extend(dates.iter().map(|(year, month, day)| Row {
                    number,
                    name: name.clone(),
                    year: *year,
                    month: *month,
                    day: *day,
                }));
            }
        }
        rows
    })
}

/// (year, month, day) of a question; 0 = not stated.
fn born(asked: &pb::PersonQuery) -> (u16, u8, u8) {
    let date = asked.birth_date.unwrap_or_default();
    (date.year.unwrap_or(0) as u16, date.month.unwrap_or(0) as u8, date.day.unwrap_or(0) as u8)
}
