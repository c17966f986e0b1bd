//! Plain Jaro-Winkler over names with sorted words, within the year of birth.

use std::{cmp::Reverse, collections::BTreeMap, time::Instant};

use alert_synth::query::sorted_words;

use super::{Row, born, rows};
use crate::{
    evaluate::{Outcome, Series, Task},
    population::Population,
};

/// The usual threshold, in thousandths.
const ALIKE_MIN: u32 = 900;

pub fn run(population: &Population, tasks: &[Task]) -> Outcome {
    let mut by_year: BTreeMap<u16, Vec<Row>> = BTreeMap::new();
    for row in rows(population) {
        by_year.entry(row.year).or_default().push(row);
    }
    let mut outcome = Outcome::default();
    // Reads the whole year for each question; without a date it would read everybody.
    let dated = tasks.iter().filter(|task| task.asked.birth_date.is_some() && task.series != Series::StrangerUndated);
    for task in dated {
        let started = Instant::now();
        let name = sorted_words(&task.asked.names);
        let (year, ..) = born(&task.asked);
        let mut alike: Vec<(u32, u64)> = by_year
            .get(&year)
            .into_iter()
            .flatten()
            .map(|row| ((strsim::jaro_winkler(&name, &row.name) * 1000.0) as u32, row.number))
            .filter(|(likeness, _)| *likeness >= ALIKE_MIN)
            .collect();
        alike.sort_by_key(|(likeness, number)| (Reverse(*likeness), *number));
        let mut ids: Vec<u64> = alike.into_iter().map(|(_, number)| number).collect();
        ids.dedup();
        let took = started.elapsed();
        outcome.file(task, |tally| tally.add_ids(&ids, task.wanted, took));
    }
    outcome
}
