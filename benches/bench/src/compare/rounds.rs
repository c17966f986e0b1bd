//! Contenders take turns, so that what else the machine does meets all of them.

use std::{sync::Arc, time::Duration};

use crate::{
    load::{Work, closed},
    loading::measured_of,
    report::Table,
    row,
};

const WARM_UP: Duration = Duration::from_millis(500);

/// One side of a comparison.
pub(super) struct Contender {
    name: String,
    work: Arc<dyn Work>,
    pids: Vec<u32>,
}

impl Contender {
    /// `pids`: its servers, whose processor time counts.
    pub fn new(name: impl Into<String>, work: Arc<dyn Work>, pids: Vec<u32>) -> Self {
        Self { name: name.into(), work, pids }
    }
}

/// How they take turns.
pub(super) struct Rounds {
    pub clients: usize,
    pub rounds: usize,
    pub time: Duration,
}

/// What one round of one contender came to.
#[derive(Debug, Clone, Copy)]
struct Round {
    rate: f64,
    p50_ms: f64,
    p99_ms: f64,
    server_cpu_us: f64,
    client_cpu_us: f64,
}

impl Rounds {
    /// Runs all rounds. `base` is the contender that the others' rates are divided by, round by round.
    ///
    /// # Errors
    /// A contender did nothing but fail.
    pub async fn run(&self, title: &str, contenders: Vec<Contender>, base: Option<usize>) -> anyhow::Result<Table> {
        let mut results: Vec<Vec<Round>> = vec![Vec::new(); contenders.len()];
        let mut first = 0;
        for round in 0..self.rounds {
            for (contender, results) in contenders.iter().zip(&mut results) {
                let own = [std::process::id()];
                let run = closed(&contender.work, self.clients, first, WARM_UP, self.time);
                let ((outcome, server_cpu_us), client_cpu_us) = {
                    let before = crate::cpu::used_us(&own);
                    let measured = measured_of(&contender.pids, run).await;
                    let used = (crate::cpu::used_us(&own) - before) as f64;
                    let share = self.time.as_secs_f64() / (self.time + WARM_UP).as_secs_f64();
                    let units = measured.0.units.max(1) as f64;
                    (measured, used * share / units)
                };
                first += 1 << 32;
                if outcome.units == 0 {
                    anyhow::bail!("{}: {}", contender.name, outcome.first_error.unwrap_or_default());
                }
                if let Some(error) = &outcome.first_error {
                    println!("{}: {} failed, the first: {error}", contender.name, outcome.failed);
                }
                println!("round {} {}: {:.0}/s", round + 1, contender.name, outcome.rate());
                results.push(Round {
                    rate: outcome.rate(),
                    p50_ms: outcome.ms(0.5),
                    p99_ms: outcome.ms(0.99),
                    server_cpu_us,
                    client_cpu_us,
                });
            }
        }
        let of = match base {
            Some(base) => format!("x {}", contenders[base].name),
            None => "ratio".to_owned(),
        };
        let columns =
            ["what", "per second", "lowest", "highest", &of, "p50 ms", "p99 ms", "server CPU us", "client CPU us"];
        let mut table = Table::new(title, &columns);
        for (contender, rounds) in contenders.iter().zip(&results) {
            let all = |of: fn(&Round) -> f64| rounds.iter().map(of).collect::<Vec<f64>>();
            let rates = all(|round| round.rate);
            let ratio = base.map(|base| {
                median(results[base].iter().zip(rounds).map(|(base, round)| round.rate / base.rate).collect())
            });
            table.push(row![
                contender.name.clone(),
                median(rates.clone()),
                rates.iter().copied().fold(f64::INFINITY, f64::min),
                rates.iter().copied().fold(0.0, f64::max),
                ratio,
                median(all(|round| round.p50_ms)),
                median(all(|round| round.p99_ms)),
                median(all(|round| round.server_cpu_us)),
                median(all(|round| round.client_cpu_us)),
            ]);
        }
        Ok(table)
    }
}

/// The value in the middle; the mean of both where there are two.
pub(super) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        count if count % 2 == 1 => values[count / 2],
        count => (values[count / 2 - 1] + values[count / 2]) / 2.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_is_not_moved_by_one_bad_round() {
        assert_eq!(median(vec![3.0, 1.0, 900.0]), 3.0);
        assert_eq!(median(vec![1.0, 2.0]), 1.5);
        assert!(median(Vec::new()).is_nan());
    }
}
