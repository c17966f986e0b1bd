//! How well persons are found: recall and false hits together, at the shipped profile, over any number of generated
//! persons with the FEBRL sets among them; the same for what others would use.
//!
//! ```text
//! cargo run --release -p alert-quality -- --persons 100000
//! cargo run --release -p alert-quality -- --persons 2000000 --febrl febrl --baseline exact
//! ```
//!
//! * `population`: who is in the store, what is asked; `febrl`: the FEBRL sets; `store`: sorted arrays, or RocksDB;
//! * `evaluate`: the searches by name, `documents`: those by number; `tally`, `report`: counts and tables; `baseline`: what it is compared with.

mod baseline;
mod documents;
mod evaluate;
mod febrl;
mod population;
mod report;
mod store;
mod tally;

use std::{path::PathBuf, sync::Arc, time::Instant};

use alert_core::{
    alert::RuleSet,
    pb,
    state::{MemoryView, View, family::Family},
};
use anyhow::Result;
use clap::Parser;

use crate::{
    febrl::Febrl,
    population::Population,
    store::{OnRocks, Packed, Packer},
};

#[derive(Parser)]
#[command(about = "Measures how well and how fast persons are found")]
struct Arguments {
    /// Generated persons in the store.
    #[arg(long, default_value_t = 100_000)]
    persons: u64,
    /// Searches of each kind; four times as many for strangers.
    #[arg(long, default_value_t = 1_000)]
    queries: u64,
    /// Seed of the persons.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Seed of the faults.
    #[arg(long, default_value_t = 9)]
    fault_seed: u64,
    /// Folder with the FEBRL sets (dataset1.csv ... dataset4b.csv).
    #[arg(long)]
    febrl: Option<PathBuf>,
    /// What to compare with; may be given several times.
    #[arg(long, value_enum)]
    baseline: Vec<baseline::Kind>,
    /// Print so many missed and wrongly shown persons of each kind.
    #[arg(long, default_value_t = 0)]
    examples: usize,
    /// Print so many of the searches that took longest.
    #[arg(long, default_value_t = 0)]
    slowest: usize,
    /// Only the series whose names contain one of these, separated by commas.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Also with another `coincidence_ppm_max`, one line each; may be given several times.
    #[arg(long)]
    coincidence_ppm: Vec<u32>,
    /// Write what each search answers into this file, a line each: two builds that answer alike write the same.
    #[arg(long)]
    answers: Option<PathBuf>,
    /// Search in RocksDB, with the options of a node, instead of sorted arrays in memory: the answers are the same, and
    /// times are what a node takes.
    #[arg(long)]
    on_rocksdb: bool,
    /// Leave out the store itself.
    #[arg(long)]
    only_baselines: bool,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let febrl = Arc::new(arguments.febrl.as_deref().map(Febrl::read).transpose()?.unwrap_or_default());
    let population = Population::new(arguments.seed, arguments.persons, Arc::clone(&febrl));
    let mut tasks = evaluate::tasks(&population, &febrl, arguments.queries, arguments.fault_seed);
    if !arguments.only.is_empty() {
        tasks.retain(|task| arguments.only.iter().any(|part| task.series.name().contains(part.as_str())));
    }
    println!("{} persons ({} of FEBRL), {} searches", population.len(), febrl.stored.len(), tasks.len());
    if !arguments.only_baselines {
        let rules = RuleSet::defaults();
        let started = Instant::now();
        let packed = in_memory(&population)?;
        let on_rocks = arguments.on_rocksdb.then(|| on_rocks(&population, &packed)).transpose()?;
        let view: &dyn View = on_rocks.as_ref().map_or(&packed, |database| database);
        eprintln!("the store was ready after {:.1} s", started.elapsed().as_secs_f64());
        let shipped = *rules.search_profile();
        let outcome = evaluate::evaluate(view, &population, &tasks, &shipped)?;
        if let Some(path) = &arguments.answers {
            std::fs::write(path, outcome.answers.concat())?;
        }
        report::print(&outcome);
        report::print_reasons(&outcome);
        report::print_cuts(&outcome);
        report::print_slowest(&outcome, arguments.slowest);
        if arguments.only.is_empty() || arguments.only.iter().any(|part| "document".contains(part.as_str())) {
            documents::measure(view, &population, arguments.queries, arguments.fault_seed, &shipped)?;
        }
        report::print_examples(&outcome, arguments.examples);
        report::print_curve_head();
        report::print_curve(shipped.coincidence_ppm_max, &outcome);
        for coincidence_ppm_max in &arguments.coincidence_ppm {
            let profile = pb::SearchProfile { coincidence_ppm_max: *coincidence_ppm_max, ..shipped };
            report::print_curve(*coincidence_ppm_max, &evaluate::evaluate(view, &population, &tasks, &profile)?);
        }
    }
    for kind in &arguments.baseline {
        let Some(outcome) = baseline::run(*kind, &population, &tasks)? else { continue };
        report::print_baseline(kind.name(), &outcome);
        report::print_examples(&outcome, arguments.examples);
    }
    Ok(())
}

/// The same in a database; the counted entries of the lexicon as they are at the end.
fn on_rocks(population: &Population, packed: &Packed) -> Result<OnRocks> {
    let lexicon =
        packed.entries(Family::Lexicon).map(|(key, value)| (Family::Lexicon, key.to_vec(), Some(value.to_vec())));
    let alerts = (0..population.len()).map(|number| store::writes(number, &population.alert(number)));
    OnRocks::new(alerts.chain([lexicon.collect()]))
}

/// Two threads derive; the lexicon counts, so one of them keeps it.
fn in_memory(population: &Population) -> Result<Packed> {
    let parts = std::thread::scope(|scope| -> Result<Vec<Packer>> {
        let lexicon = scope.spawn(|| -> Result<Packer> {
            let mut view = MemoryView::default();
            for number in 0..population.len() {
                let writes = store::lexicon(&view, number, &population.alert(number))?;
                view.write(writes);
            }
            let family = Family::Lexicon;
            let mut packer = Packer::default();
            packer.add(view.entries(family).map(|(key, value)| (family, key.to_vec(), Some(value.to_vec()))));
            Ok(packer)
        });
        let mut rest = Packer::default();
        for number in 0..population.len() {
            rest.add(store::writes(number, &population.alert(number)));
        }
        let lexicon = lexicon.join().map_err(|_| anyhow::anyhow!("the thread of the lexicon panicked"))??;
        Ok(vec![rest, lexicon])
    })?;
    let packed = Packer::default().finish(parts);
    println!("\n| family | entries a person | bytes a person |\n|---|--:|--:|");
    for (family, entries, bytes) in packed.sizes() {
        let each = |sum: u64| sum as f64 / population.len() as f64;
        println!("| {} | {:.2} | {:.0} |", family.name(), each(entries), each(bytes));
    }
    Ok(packed)
}
