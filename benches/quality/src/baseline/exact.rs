//! The same name, in any order, and the same date: the least a system can do, and the floor of false hits. Persons of one
//! name and date of birth no system tells apart.

use std::{collections::BTreeMap, time::Instant};

use alert_synth::query::sorted_words;

use super::{born, rows};
use crate::{
    evaluate::{Outcome, Task},
    population::Population,
};

/// Year, month, day.
type Born = (u16, u8, u8);

pub fn run(population: &Population, tasks: &[Task]) -> Outcome {
    // Only names that are asked for: the rest of two million persons need not be kept.
    let mut by_name: BTreeMap<String, Vec<(u64, Born)>> =
        tasks.iter().map(|task| (sorted_words(&task.asked.names), Vec::new())).collect();
    for row in rows(population) {
        if let Some(list) = by_name.get_mut(&row.name) {
            list.push((row.number, (row.year, row.month, row.day)));
        }
    }
    let mut outcome = Outcome::default();
    for task in tasks {
        let started = Instant::now();
        let asked = born(&task.asked);
        let list = by_name.get(&sorted_words(&task.asked.names)).into_iter().flatten();
        let same = |date: (u16, u8, u8)| asked.0 == 0 || date == asked || asked.1 == 0 && date.0 == asked.0;
        let mut ids: Vec<u64> = list.filter(|(_, date)| same(*date)).map(|(number, _)| *number).collect();
        ids.dedup();
        let took = started.elapsed();
        outcome.file(task, |tally| tally.add_ids(&ids, task.wanted, took));
    }
    outcome
}
