//! Recall, false hits and cost of person searches over synthetic persons, at the shipped profile.
//!
//! `cargo run -p alert-core --example search_quality -- 20000 400`: persons in the store, queries for each fault.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use alert_core::{
    alert::{AlertId, Caller, Header, Label, LabelId, Partition, Role, RuleSet, StoredAlert, Viewer},
    pb,
    search::{
        LabelSource, Normaliser, SearchAnswer, SearchLimits,
        index::{self, IndexInput},
        query, run,
    },
    state::{MemoryView, ViewError, family::Family},
};
use alert_synth::{
    Generator, Origin,
    perturb::{Fault, Perturb},
    query::query_for,
};
use prost::Message;

/// Every alert has the one label.
struct OneLabel(Arc<Label>);

impl LabelSource for OneLabel {
    fn label(&self, _: LabelId) -> Result<Arc<Label>, ViewError> {
        Ok(Arc::clone(&self.0))
    }
}

#[derive(Default)]
struct Tally {
    asked: u64,
    found: u64,
    first: u64,
    false_hits: u64,
    truncated: u64,
    seeks: u64,
    postings: u64,
    scored: u64,
    micros: Vec<u64>,
    /// How the dates of the others agree.
    other_dates: BTreeMap<String, u64>,
}

impl Tally {
    fn add(&mut self, answer: &SearchAnswer, wanted: Option<AlertId>, micros: u64) {
        self.asked += 1;
        let place = answer.found.iter().position(|found| Some(found.id) == wanted);
        self.found += u64::from(place.is_some());
        self.first += u64::from(place == Some(0));
        self.false_hits += u64::from(answer.found.iter().any(|found| Some(found.id) != wanted));
        for other in answer.found.iter().filter(|found| Some(found.id) != wanted) {
            *self.other_dates.entry(other.explanation.date.clone()).or_default() += 1;
        }
        self.truncated += u64::from(answer.truncation.is_some());
        self.seeks += answer.counters.seeks + answer.counters.expansions;
        self.postings += answer.counters.postings;
        self.scored += answer.counters.scored;
        self.micros.push(micros);
    }

    fn print(&mut self, name: &str) {
        self.micros.sort_unstable();
        let of = |part: u64| 100.0 * part as f64 / self.asked.max(1) as f64;
        let each = |sum: u64| sum as f64 / self.asked.max(1) as f64;
        let quantile = |per_mille: usize| self.micros.get(self.micros.len() * per_mille / 1000).copied().unwrap_or(0);
        println!(
            "{name:<24} n {:>5}  recall {:>5.1}  first {:>5.1}  others {:>5.1} %  cut {:>4.1} %  seeks {:>6.0}  \
             postings {:>7.1}  scored {:>6.1}  p50 {:>6} us  p99 {:>7} us",
            self.asked,
            of(self.found),
            of(self.first),
            of(self.false_hits),
            of(self.truncated),
            each(self.seeks),
            each(self.postings),
            each(self.scored),
            quantile(500),
            quantile(990),
        );
        if !self.other_dates.is_empty() {
            println!("    others by date: {:?}", self.other_dates);
        }
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<u64>().expect("a number"));
    let (persons, queries) = (arguments.next().unwrap_or(20_000), arguments.next().unwrap_or(400));
    let rules = RuleSet::defaults();
    let generator = Generator::new(1);
    let mut view = MemoryView::default();
    let started = Instant::now();
    let mut keys: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for number in 0..persons {
        let alert = generator.person(number);
        let input = IndexInput {
            id: id(number),
            partition: Partition::Open,
            label: 0,
            priority: 5,
            created_at_ms: number,
            normaliser: Normaliser::default(),
            alert: &alert,
        };
        let mut writes = index::lexicon::changes(&view, None, Some(&input)).expect("memory reads");
        index::derive(&input, &mut |family, key, value| writes.push((family, key, Some(value))));
        for (family, key, value) in &writes {
            let count = keys.entry(family.name()).or_default();
            count.0 += 1;
            count.1 += (key.len() + value.as_ref().map_or(0, Vec::len)) as u64;
        }
        writes.push((Family::Alerts, id(number).as_bytes().to_vec(), Some(stored(&alert).encode())));
        view.write(writes);
    }
    println!("{persons} persons in {:.1} s; entries and bytes for each person:", started.elapsed().as_secs_f64());
    for (family, (entries, bytes)) in &keys {
        println!("  {family:<14} {:>6.2} {:>7.1}", *entries as f64 / persons as f64, *bytes as f64 / persons as f64);
    }
    let labels = OneLabel(Arc::new(label()));
    let caller = Caller { country: "GB".into(), authority: "met".into(), system: "quality".into(), role: Role::Search };
    let viewer = Viewer::new(caller, None);
    let ask = |question: &pb::PersonQuery| {
        let query = pb::Query { person: Some(question.clone()), ..Default::default() };
        let parsed = query::parse(&query, 2026, Normaliser::default()).ok()?;
        let started = Instant::now();
        let answer = run(&view, &parsed, &viewer, &labels, rules.search_profile(), SearchLimits::default())
            .expect("memory reads");
        Some((answer, started.elapsed().as_micros() as u64))
    };
    let perturb = Perturb::new(9);
    let questions = |number: u64| query_for(&generator.person(number)).and_then(|query| query.person);
    let mut by_origin: BTreeMap<Origin, Tally> = BTreeMap::new();
    for fault in std::iter::once(None).chain(Fault::ALL.into_iter().map(Some)) {
        let mut tally = Tally::default();
        let mut missed = Vec::new();
        for number in 0..persons {
            if tally.asked == queries {
                break;
            }
            let Some(question) = questions(number) else { continue };
            let dated = question.birth_date.is_some_and(|date| date.day.is_some());
            let Some(question) = fault.map_or(Some(question.clone()), |fault| perturb.apply(fault, number, &question))
            else {
                continue;
            };
            if !dated {
                continue;
            }
            let Some((answer, micros)) = ask(&question) else { continue };
            tally.add(&answer, Some(id(number)), micros);
            if fault.is_some_and(|fault| fault != Fault::DateMissing) {
                by_origin.entry(generator.origin(number)).or_default().add(&answer, Some(id(number)), micros);
            }
            if !answer.found.iter().any(|found| found.id == id(number)) {
                missed.push((question.names, questions(number).map(|question| question.names).unwrap_or_default()));
            }
        }
        tally.print(fault.map_or("as recorded", Fault::name));
        for (asked, known) in missed.iter().take(12) {
            println!("    missed {asked:?} for {known:?}");
        }
    }
    println!("by origin, all faults that keep a date:");
    for (origin, tally) in &mut by_origin {
        tally.print(&format!("{origin:?}"));
    }
    let mut nobody = Tally::default();
    let mut undated = Tally::default();
    let mut false_hits = Vec::new();
    for number in persons..persons + queries {
        let Some(question) = questions(number) else { continue };
        if question.birth_date.is_some_and(|date| date.day.is_some())
            && let Some((answer, micros)) = ask(&question)
        {
            nobody.add(&answer, None, micros);
            for found in &answer.found {
                let known = format!("{} {} {}", found.score, found.title, found.explanation.date);
                false_hits.push((question.names.join(" "), known));
            }
        }
        let question = pb::PersonQuery { birth_date: None, ..question };
        if let Some((answer, micros)) = ask(&question) {
            undated.add(&answer, None, micros);
        }
    }
    nobody.print("not in the store");
    for (asked, known) in false_hits.iter().take(25) {
        println!("    {asked} is not {known}");
    }
    undated.print("not there, no date");
}

fn id(number: u64) -> AlertId {
    AlertId::from_time_and_random(number, [0; 10])
}

fn stored(alert: &pb::Alert) -> StoredAlert {
    StoredAlert {
        header: Header {
            data_key_id: 0,
            version: 1,
            revision: 1,
            created_at_ms: 0,
            changed_at_ms: 0,
            state: pb::AlertState::Active as i32,
            label: 0,
            change: "create".into(),
            changed_by: None,
            priority: 5,
        },
        alert: alert.encode_to_vec(),
    }
}

fn label() -> Label {
    Label {
        state: pb::AlertState::Active as i32,
        partition: Partition::Open,
        source: String::new(),
        owner_party: "GB".into(),
        owner_authority: String::new(),
        category: "arrest".into(),
        subject_kind: 0,
        object_classes: Default::default(),
        handling: Default::default(),
        jurisdictions: Default::default(),
        allow: Default::default(),
        deny: Default::default(),
        suspended_in: Default::default(),
        blocked: false,
    }
}
