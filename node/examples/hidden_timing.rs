//! Does the time of a search tell whether there is a covert alert? A statistical test, on RocksDB.
//!
//! Two stores hold the same open alerts. Of two groups of persons who have no open alert, one store has covert alerts
//! about the first group, the other about the second. Somebody who may not know of covert alerts searches for persons of
//! both groups in both stores, in random order. Each name and each store occurs equally often on both sides, so neither
//! makes a difference; only the covert alert can. Welch's t between the times of searches *about* a covert alert and the
//! others: |t| < 4.5 says that no leak is found (the threshold of leakage assessment by test vectors, ISO/IEC 17825).
//!
//! `cargo run --release -p alert-node --example hidden_timing -- [persons] [searches]`

use std::{sync::Arc, time::Instant};

use alert_core::{
    alert::{Agreement, AlertId, Caller, Label, LabelId, Role, Viewer},
    pb,
    search::{LabelSource, Normaliser, SearchLimits, query, run},
    state::{
        self, Caches, View, ViewError,
        command::{Batch, Command, Proposal},
        founding, read_label, read_rules,
    },
};
use alert_node::{
    seam::Host,
    storage::{
        engine::rocks::{RocksEngines, RocksSettings},
        state::StateStore,
    },
};
use alert_synth::{Generator, query_for, rng::Rng};
use prost::Message;

/// Persons of each group.
const GROUP: u64 = 1_000;

struct Labels<'a>(&'a dyn View);

impl LabelSource for Labels<'_> {
    fn label(&self, id: LabelId) -> Result<Arc<Label>, ViewError> {
        read_label(self.0, id)
    }
}

/// Open alerts about `open` persons, and hidden ones about the persons of `hidden`.
fn store(path: &std::path::Path, open: u64, hidden: std::ops::Range<u64>, category: &str) -> StateStore {
    let engines = RocksEngines::new(RocksSettings::default());
    let state = StateStore::open(&Host::real(), &engines, path).expect("a new directory");
    let generator = Generator::new(8);
    let mut caches = Caches::default();
    let mut apply = |commands: Vec<Command>| {
        let proposal = |command| Proposal { caller: None, request: None, rules_revision: 0, command };
        let proposals = commands.into_iter().map(proposal).collect();
        let batch = Batch { proposed_at_ms: 1_790_000_000_000, proposals };
        let view = state.read().expect("it is open");
        let effects = state::apply(&view, &mut caches, &[batch]).expect("synthetic alerts");
        assert!(effects.answers.iter().flatten().all(Result::is_ok));
        state.apply_batch(effects.writes, state.raft_meta()).expect("there is room");
    };
    apply(vec![founding()]);
    let numbers: Vec<u64> = (0..open).chain(hidden.clone()).collect();
    for chunk in numbers.chunks(200) {
        let created = chunk.iter().map(|number| {
            let mut alert = generator.person(*number);
            let id = AlertId::from_time_and_random(1_790_000_000_000 + number, [7; 10]);
            alert.id = id.to_string();
            let core = alert.core.as_mut().expect("every record has a core");
            let category = if hidden.contains(number) { category } else { "arrest" };
            core.category = Some(pb::Code { list: "category".into(), value: category.into() });
            Command::Create { id, alert: alert.encode_to_vec(), as_draft: false }
        });
        apply(created.collect());
    }
    state
}

/// Count, mean and variance, as they come (Welford).
#[derive(Default)]
struct Sample {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Sample {
    fn add(&mut self, value: f64) {
        self.count += 1.0;
        let off = value - self.mean;
        self.mean += off / self.count;
        self.squares += off * (value - self.mean);
    }

    fn variance(&self) -> f64 {
        self.squares / (self.count - 1.0)
    }

    fn welch_t(&self, other: &Self) -> f64 {
        (self.mean - other.mean) / (self.variance() / self.count + other.variance() / other.count).sqrt()
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<u64>().expect("a number"));
    let (persons, searches) = (arguments.next().unwrap_or(20_000), arguments.next().unwrap_or(100_000));
    let caller = |role| Caller { country: "GB".into(), authority: "met".into(), system: "timing".into(), role };
    let agreement = pb::Agreement {
        partner: Some(pb::Party { code: "FR".into() }),
        categories: vec![pb::Code { list: "category".into(), value: "arrest".into() }],
        state: pb::AgreementState::Active as i32,
        ..Default::default()
    };
    let partner = Caller { country: "FR".into(), ..caller(Role::Partner) };
    for (what, category, viewer) in [
        ("covert, for an officer without the right", "discreet-check", Viewer::new(caller(Role::SearchOpen), None)),
        ("covert, for a partner", "discreet-check", Viewer::new(partner.clone(), Some(Agreement::new(&agreement)))),
        (
            "open, of a category outside the agreement",
            "missing",
            Viewer::new(partner, Some(Agreement::new(&agreement))),
        ),
    ] {
        measure(what, category, &viewer, persons, searches);
    }
}

fn measure(what: &str, category: &str, viewer: &Viewer, persons: u64, searches: u64) {
    let directory = tempfile::tempdir().expect("a directory for temporary files");
    let groups = [persons..persons + GROUP, persons + GROUP..persons + 2 * GROUP];
    let stores: Vec<StateStore> = groups
        .iter()
        .enumerate()
        .map(|(number, group)| store(&directory.path().join(number.to_string()), persons, group.clone(), category))
        .collect();
    let views: Vec<_> = stores.iter().map(|store| store.read().expect("it is open")).collect();
    let rules = read_rules(&views[0]).expect("it is open").expect("it is founded");
    let generator = Generator::new(8);
    let queries: Vec<Vec<_>> = groups
        .iter()
        .map(|group| {
            let asked = group.clone().filter_map(|number| query_for(&generator.person(number)));
            asked.filter_map(|query| query::parse(&query, 2026, Normaliser::default()).ok()).collect()
        })
        .collect();
    let mut rng = Rng::new(1, "order", searches);
    let mut samples = [Sample::default(), Sample::default()];
    let mut shown = 0;
    for round in 0..searches + searches / 10 {
        let (store, group) = (rng.below(2) as usize, rng.below(2) as usize);
        let query = &queries[group][rng.below(queries[group].len() as u64) as usize];
        let labels = Labels(&views[store]);
        let began = Instant::now();
        let answer = run(&views[store], query, viewer, &labels, rules.search_profile(), SearchLimits::default());
        let micros = began.elapsed().as_nanos() as f64 / 1000.0;
        shown += answer.expect("it is open").found.len();
        // The first tenth warms the caches. What the scheduler did is no property of the search.
        if round >= searches / 10 && micros < 10_000.0 {
            samples[usize::from(store == group)].add(micros);
        }
    }
    let [without, with] = &samples;
    println!(
        "{what}: {} + {} searches, {:.2} us without, {:.2} us with a hidden alert, t = {:.2} ({shown} candidates)",
        without.count,
        with.count,
        without.mean,
        with.mean,
        with.welch_t(without)
    );
}
