//! Asks for persons with one fault each, and for strangers, and counts.

use std::{
    collections::BTreeMap,
    fmt::Write,
    hash::{DefaultHasher, Hash, Hasher},
    time::Duration,
};

use alert_core::{
    alert::{AlertId, Caller, Role, Viewer},
    pb,
    search::{Normaliser, SearchAnswer, SearchLimits, explain, query, run},
    state::View,
};
use alert_synth::{
    Origin,
    perturb::{Fault, Perturb},
};
use anyhow::Result;

use crate::{
    febrl::{self, Febrl},
    population::{Population, Question, Script, id},
    store::OneLabel,
    tally::Tally,
};

/// The present year, for two-digit years; fixed, so that a series repeats.
pub const YEAR: u32 = 2026;

/// What one series is about, in the order of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Series {
    /// Asked as recorded.
    AsRecorded,
    /// One fault.
    Fault(Fault),
    /// A Latin question; the store has another script alone.
    AcrossScripts,
    /// A whole date is asked; the record has the year alone, or a span of years.
    RecordedYear,
    /// A whole date is asked; the record has none.
    RecordedUndated,
    /// Somebody who is not in the store, with a date of birth.
    Stranger,
    /// Somebody who is not in the store, without one.
    StrangerUndated,
    /// The duplicates of a FEBRL set.
    Febrl(&'static str),
}

impl Series {
    /// For tables.
    pub fn name(self) -> String {
        match self {
            Self::AsRecorded => "as recorded".into(),
            Self::Fault(fault) => fault.name().into(),
            Self::AcrossScripts => "other script".into(),
            Self::RecordedYear => "record: year only".into(),
            Self::RecordedUndated => "record: no date".into(),
            Self::Stranger => "stranger".into(),
            Self::StrangerUndated => "stranger, no date".into(),
            Self::Febrl(set) => set.into(),
        }
    }

    /// A dated question with one fault: what the target speaks of.
    pub fn has_one_fault_and_a_date(self) -> bool {
        match self {
            Self::Fault(fault) => fault != Fault::DateMissing,
            Self::AcrossScripts => true,
            _ => false,
        }
    }
}

/// One search to make: the same for the store and for what it is compared with.
#[derive(Debug, Clone)]
pub struct Task {
    /// What it is part of.
    pub series: Series,
    /// What is asked.
    pub asked: pb::PersonQuery,
    /// Number of the record that must be found; `None` for strangers.
    pub wanted: Option<u64>,
    /// Of the name; `None` for FEBRL.
    pub origin: Option<Origin>,
    /// Of the question.
    pub script: Script,
}

/// All searches: `each` for every series, taken from all over the population.
pub fn tasks(population: &Population, febrl: &Febrl, each: u64, seed: u64) -> Vec<Task> {
    let perturb = Perturb::new(seed);
    let mut tasks = Vec::new();
    // A step without a common divisor goes through everybody, in an order that has nothing to do with how they were made.
    let step = 7_919;
    let numbers = |salt: u64| (0..population.generated()).map(move |n| (n * step + salt) % population.generated());
    let mut series = |series: Series, salt: u64, ask: &dyn Fn(u64) -> Option<Question>| {
        let made = numbers(salt).filter_map(|number| Some((number, ask(number)?))).take(each as usize);
        tasks.extend(made.map(|(number, question)| Task {
            series,
            asked: question.asked,
            wanted: Some(number),
            origin: Some(question.origin),
            script: question.script,
        }));
    };
    series(Series::AsRecorded, 0, &|number| population.question(number));
    for (at, fault) in Fault::ALL.into_iter().enumerate() {
        series(Series::Fault(fault), 1 + at as u64, &|number| {
            let question = population.question(number)?;
            Some(Question { asked: perturb.apply(fault, number, &question.asked)?, ..question })
        });
    }
    series(Series::AcrossScripts, 99, &|number| population.across_scripts(number));
    series(Series::RecordedYear, 101, &|number| population.recorded_in_part(number, true));
    series(Series::RecordedUndated, 102, &|number| population.recorded_in_part(number, false));
    for (series, dated) in [(Series::Stranger, true), (Series::StrangerUndated, false)] {
        // Strangers are what nearly every search is about: four times as many.
        let strangers = (population.generated()..).filter_map(|number| population.question(number));
        tasks.extend(strangers.take(4 * each as usize).map(|question| Task {
            series,
            asked: pb::PersonQuery { birth_date: question.asked.birth_date.filter(|_| dated), ..question.asked },
            wanted: None,
            origin: Some(question.origin),
            script: question.script,
        }));
    }
    tasks.extend(febrl.asked.iter().map(|(set, place, record)| Task {
        series: Series::Febrl(set),
        asked: febrl::question(record),
        wanted: Some(population.generated() + *place as u64),
        origin: None,
        script: Script::Latin,
    }));
    tasks
}

/// What came out.
#[derive(Default)]
pub struct Outcome {
    pub by_series: BTreeMap<Series, Tally>,
    /// Dated questions with one fault, by origin.
    pub by_origin: BTreeMap<Origin, Tally>,
    /// The same, by script.
    pub by_script: BTreeMap<Script, Tally>,
    /// A few that were missed, and others that were shown: (series, asked, what came).
    pub missed: Vec<(Series, String, String)>,
    pub shown: Vec<(Series, String, String)>,
    /// Searches that show anybody but the person asked for, by what made the first of them be shown.
    pub reasons: BTreeMap<(Series, Reason), u64>,
    /// Searches that were cut short, by the limit and by how the name of the last candidate agrees that is shown.
    pub cuts: BTreeMap<(Series, String, &'static str), u64>,
    /// What each search took, in microseconds, and what it did.
    pub costs: Vec<(u128, String)>,
    /// Each answer as a line: what was asked, who is shown with which score, and a hash of the explanation.
    pub answers: Vec<String>,
}

/// What made a candidate be shown: how its date agrees, and the weakest agreement of its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reason {
    pub date: String,
    pub name: &'static str,
}

impl Reason {
    fn of(asked: &pb::PersonQuery, explanation: &pb::Explanation) -> Self {
        let has = |how: &str| explanation.tokens.iter().any(|token| token.how == how);
        let words = |text: &str| text.split([' ', '-']).filter(|word| !word.is_empty()).count();
        let answered: usize = explanation.tokens.iter().map(|token| words(&token.query)).sum();
        let asked: usize = asked.names.iter().map(|name| words(name)).sum();
        let name = if explanation.adjustments.iter().any(|taken| taken.what == explain::MISSING_PART) {
            "a part is missing on one side"
        } else if answered < asked {
            "a part contradicts"
        } else if has(explain::TYPING_ERROR) {
            "a typing error"
        } else if has(explain::INITIAL) || has(explain::PREFIX) {
            "an initial"
        } else if has(explain::VARIANT) {
            "a variant"
        } else if has(explain::TRANSLITERATION) || has(explain::JOINED) {
            "transliterated or joined"
        } else {
            "the whole name, letter by letter"
        };
        Self { date: explanation.date.clone(), name }
    }
}

impl Outcome {
    /// Files one tally entry everywhere it counts.
    pub fn file(&mut self, task: &Task, add: impl Fn(&mut Tally)) {
        add(self.by_series.entry(task.series).or_default());
        if task.series.has_one_fault_and_a_date()
            && let Some(origin) = task.origin
        {
            add(self.by_origin.entry(origin).or_default());
            add(self.by_script.entry(task.script).or_default());
        }
    }
}

/// What this thread has used of the processor: others on the machine do not count, and neither do waits.
pub fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Who asks.
pub fn viewer() -> Viewer {
    let caller = Caller { country: "GB".into(), authority: "met".into(), system: "quality".into(), role: Role::Search };
    Viewer::new(caller, None)
}

/// Makes all searches in `view`.
pub fn evaluate(
    view: &dyn View,
    population: &Population,
    tasks: &[Task],
    profile: &pb::SearchProfile,
) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    let labels = OneLabel::new();
    let viewer = viewer();
    for task in tasks {
        let query = pb::Query { person: Some(task.asked.clone()), ..Default::default() };
        let started = processor_time();
        let Ok(parsed) = query::parse(&query, YEAR, Normaliser::default()) else { continue };
        let answer = run(view, &parsed, &viewer, &labels, profile, SearchLimits::default())?;
        let took = processor_time() - started;
        let wanted = task.wanted.map(id);
        outcome.file(task, |tally| tally.add(&answer, wanted, took));
        outcome.explain(population, task, &answer, wanted);
        let counters = answer.counters;
        outcome.costs.push((took.as_micros(), format!("{}: {} {counters:?}", task.series.name(), text(&task.asked))));
        outcome.answers.push(line(task, &answer));
    }
    Ok(outcome)
}

/// An answer without what it cost.
fn line(task: &Task, answer: &SearchAnswer) -> String {
    let mut line = format!("{}: {} ->", task.series.name(), text(&task.asked));
    for found in &answer.found {
        let mut hasher = DefaultHasher::new();
        format!("{:?} {} {}", found.explanation, found.title, found.identity_kind).hash(&mut hasher);
        // Writing to a string cannot fail.
        let _ = write!(line, " {}={}/{:x}", found.id, found.score, hasher.finish());
    }
    let cut = answer.truncation.as_ref().map_or("-", |cut| cut.limit.as_str());
    line + &format!(", {} coincidences, cut by {cut}\n", answer.coincidences)
}

impl Outcome {
    fn explain(&mut self, population: &Population, task: &Task, answer: &SearchAnswer, wanted: Option<AlertId>) {
        let asked = text(&task.asked);
        if let Some(number) = task.wanted
            && !answer.found.iter().any(|found| Some(found.id) == wanted)
        {
            let known: Vec<String> = population
                .alert(number)
                .identities
                .unwrap_or_default()
                .identities
                .iter()
                .flat_map(|identity| &identity.names)
                .map(|form| alert_synth::query::name_parts(form).join(" "))
                .collect();
            let doubted = if answer.coincidences > 0 { " (coincidences left out)" } else { "" };
            self.missed.push((task.series, asked.clone(), known.join(" | ") + doubted));
        }
        if let (Some(cut), Some(last)) = (&answer.truncation, answer.found.last()) {
            let name = Reason::of(&task.asked, &last.explanation).name;
            *self.cuts.entry((task.series, cut.limit.clone(), name)).or_default() += 1;
        }
        for found in answer.found.iter().filter(|found| Some(found.id) != wanted).take(1) {
            let reason = Reason::of(&task.asked, &found.explanation);
            *self.reasons.entry((task.series, reason)).or_default() += 1;
            let how: Vec<String> = found
                .explanation
                .tokens
                .iter()
                .map(|token| format!("{}={}:{}", token.query, token.matched, token.how))
                .collect();
            let shown = format!("{} {} [{}] date {}", found.score, found.title, how.join(" "), found.explanation.date);
            self.shown.push((task.series, asked.clone(), shown));
        }
    }
}

fn text(asked: &pb::PersonQuery) -> String {
    let date = asked.birth_date.unwrap_or_default();
    let part = |part: Option<u32>| part.map_or("-".into(), |part| part.to_string());
    format!("{} {}/{}/{}", asked.names.join(" "), part(date.year), part(date.month), part(date.day))
}
