//! Tables, as Markdown.

use alert_synth::perturb::Fault;

use crate::{
    evaluate::{Outcome, Series},
    tally::{Tally, share},
};

/// Prints the tables of the store itself.
pub fn print(outcome: &Outcome) {
    println!(
        "\n| search | n | recall % (95 %) | in first ten % | with others % (95 %) | others | cut % | seeks | postings | scored | CPU p50 us | CPU p99 us |"
    );
    println!("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
    let mut together = Tally::default();
    for (series, tally) in &outcome.by_series {
        row(&series.name(), tally.clone());
        if series.has_one_fault_and_a_date() {
            together.merge(tally);
        }
    }
    row("**one fault, dated**", together);
    println!("\n| one fault, dated: origin | n | recall % (95 %) | missed % | with others % (95 %) |");
    println!("|---|--:|--:|--:|--:|");
    for (origin, tally) in &outcome.by_origin {
        short_row(&format!("{origin:?}"), tally);
    }
    println!("\n| one fault, dated: script | n | recall % (95 %) | missed % | with others % (95 %) |");
    println!("|---|--:|--:|--:|--:|");
    for (script, tally) in &outcome.by_script {
        short_row(&format!("{script:?}"), tally);
    }
}

/// Prints the head of the table whose lines are the operating points.
pub fn print_curve_head() {
    println!(
        "\n| coincidence_ppm_max | one fault, dated: found % | a digit of the date wrong: found % | record has the year alone: found % | record has no date: found % | strangers shown somebody % | most missed origin / least |"
    );
    println!("|--:|--:|--:|--:|--:|--:|--:|");
}

/// Prints what one operating point finds, and what it shows to strangers.
pub fn print_curve(coincidence_ppm_max: u32, outcome: &Outcome) {
    let mut together = Tally::default();
    for (_, tally) in outcome.by_series.iter().filter(|(series, _)| series.has_one_fault_and_a_date()) {
        together.merge(tally);
    }
    let of = |series: Series| outcome.by_series.get(&series).map_or("-".into(), |t| share(t.found, t.asked));
    let strangers = outcome.by_series.get(&Series::Stranger).map_or("-".into(), |t| share(t.with_others, t.asked));
    let missed = outcome.by_origin.values().map(|tally| 100.0 * tally.mean(tally.asked - tally.found));
    let (most, least) = (missed.clone().fold(0.0, f64::max), missed.reduce(f64::min).unwrap_or(0.0));
    println!(
        "| {coincidence_ppm_max} | {} | {} | {} | {} | {strangers} | {most:.2} / {least:.2} |",
        share(together.found, together.asked),
        of(Series::Fault(Fault::DateDigit)),
        of(Series::RecordedYear),
        of(Series::RecordedUndated),
    );
}

/// Prints why strangers were shown somebody: the first candidate of each such search.
pub fn print_reasons(outcome: &Outcome) {
    for (series, tally) in &outcome.by_series {
        let mut reasons: Vec<_> = outcome.reasons.iter().filter(|((of, _), _)| of == series).collect();
        if !matches!(series, Series::Stranger | Series::StrangerUndated) || reasons.is_empty() {
            continue;
        }
        reasons.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        println!("\n| {}: shown because the date is | and of the name agrees | searches | % |", series.name());
        println!("|---|---|--:|--:|");
        for ((_, reason), count) in reasons {
            println!("| {} | {} | {count} | {:.2} |", reason.date, reason.name, 100.0 * tally.mean(*count));
        }
    }
}

/// Prints which limits cut searches short, and who was the last one shown.
pub fn print_cuts(outcome: &Outcome) {
    if outcome.cuts.is_empty() {
        return;
    }
    println!("\n| search that is cut | by the limit on | the last one shown agrees in | searches | % |");
    println!("|---|---|---|--:|--:|");
    for ((series, limit, name), count) in &outcome.cuts {
        let share = outcome.by_series.get(series).map_or(0.0, |tally| 100.0 * tally.mean(*count));
        println!("| {} | {limit} | {name} | {count} | {share:.2} |", series.name());
    }
}

/// Prints the searches that took longest.
pub fn print_slowest(outcome: &Outcome, count: usize) {
    let mut costs: Vec<_> = outcome.costs.iter().collect();
    costs.sort_by_key(|(took, _)| std::cmp::Reverse(*took));
    for (took, search) in costs.into_iter().take(count) {
        println!("{took} us: {search}");
    }
}

fn row(name: &str, mut tally: Tally) {
    let wanted = !name.starts_with("stranger");
    let (p50, p99) = (tally.micros_at(500), tally.micros_at(990));
    let of = |part: u64| if wanted { share(part, tally.asked) } else { "-".into() };
    println!(
        "| {name} | {} | {} | {} | {} | {:.2} | {} | {:.0} | {:.0} | {:.1} | {} | {} |",
        tally.asked,
        of(tally.found),
        if wanted { format!("{:.2}", 100.0 * tally.mean(tally.found_in_ten)) } else { "-".into() },
        share(tally.with_others, tally.asked),
        tally.mean(tally.others),
        share(tally.truncated, tally.asked),
        tally.mean(tally.seeks),
        tally.mean(tally.postings),
        tally.mean(tally.scored),
        p50,
        p99,
    );
}

fn short_row(name: &str, tally: &Tally) {
    println!(
        "| {name} | {} | {} | {:.2} | {} |",
        tally.asked,
        share(tally.found, tally.asked),
        100.0 * tally.mean(tally.asked - tally.found),
        share(tally.with_others, tally.asked),
    );
}

/// Prints what a baseline found, series by series.
pub fn print_baseline(name: &str, outcome: &Outcome) {
    println!("\n| {name} | n | recall % (95 %) | in first ten % | with others % (95 %) | p50 us | p99 us |");
    println!("|---|--:|--:|--:|--:|--:|--:|");
    let mut together = Tally::default();
    let line = |name: &str, mut tally: Tally| {
        let (p50, p99) = (tally.micros_at(500), tally.micros_at(990));
        println!(
            "| {name} | {} | {} | {:.2} | {} | {} | {} |",
            tally.asked,
            share(tally.found, tally.asked),
            100.0 * tally.mean(tally.found_in_ten),
            share(tally.with_others, tally.asked),
            p50,
            p99,
        );
    };
    for (series, tally) in &outcome.by_series {
        line(&series.name(), tally.clone());
        if series.has_one_fault_and_a_date() {
            together.merge(tally);
        }
    }
    line("**one fault, dated**", together);
}

/// Prints what was missed and what others were shown, so many of each series.
pub fn print_examples(outcome: &Outcome, each: usize) {
    for (title, list) in [("missed", &outcome.missed), ("shown beside", &outcome.shown)] {
        let mut last: Option<(Series, usize)> = None;
        for (series, asked, what) in list {
            let count = match last {
                Some((before, count)) if before == *series => count + 1,
                _ => 1,
            };
            last = Some((*series, count));
            if count <= each {
                println!("{title} ({}): {asked} -> {what}", series.name());
            }
        }
    }
}
