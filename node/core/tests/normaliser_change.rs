//! A change of normaliser in the state machine: the next index is built piece by piece while alerts change, and both
//! indexes hold exactly what the alerts make of them, at every moment.

use std::sync::Arc;

use alert_core::{
    alert::{AlertId, Caller, Label, LabelId, Role, RuleSet, StoredAlert, Viewer},
    pb,
    search::{
        Batch, LabelSource, NORMALISER_VERSION, Normaliser, Normalisers, SearchLimits,
        index::{self, IndexInput, key},
        query,
    },
    state::{
        self, Caches, IndexBuild, IndexWork, MemoryView, Meta, Overlay, View, ViewError, Write,
        command::{self, Answer, Command, Outcome, Proposal},
        family::Family,
        founding, index_families, index_work, read_label, read_rules, scan_prefix,
    },
};
use alert_synth::{Generator, rng::Rng};
use prost::Message;

const OLD: u32 = NORMALISER_VERSION;
const NEW: u32 = OLD + 1;
/// A second normaliser: K and C are one letter.
const K_IS_C: Normaliser = Normaliser::new(NEW, |parts| {
    let parts: Vec<String> = parts.iter().map(|part| part.to_uppercase().replace('K', "C")).collect();
    Normaliser::default().tokens(&parts.iter().map(String::as_str).collect::<Vec<_>>())
});
const BOTH: Normalisers = Normalisers::new(&[FIRST, K_IS_C]);
const FIRST: Normaliser = Normaliser::new(OLD, |parts| Normaliser::default().tokens(parts));
const ALERTS: u64 = 50;

struct Store {
    view: MemoryView,
    caches: Caches,
}

impl Store {
    fn new(normalisers: Normalisers) -> Self {
        let mut store = Self { view: MemoryView::default(), caches: Caches::new(normalisers) };
        store.run(founding()).unwrap();
        store
    }

    fn try_run(&mut self, command: Command) -> Result<Answer, ViewError> {
        let rules_revision = Meta::read(&self.view).unwrap().rules_revision;
        let proposal = Proposal { caller: None, request: None, rules_revision, command };
        let batch = command::Batch { proposed_at_ms: 1_790_000_000_000, proposals: vec![proposal] };
        let mut effects = state::apply(&self.view, &mut self.caches, &[batch])?;
        self.view.write(effects.writes);
        Ok(effects.answers.remove(0).remove(0))
    }

    fn run(&mut self, command: Command) -> Answer {
        self.try_run(command).unwrap()
    }

    fn create(&mut self, generator: &Generator, number: u64) {
        let mut alert = generator.person(number % ALERTS);
        alert.core.as_mut().unwrap().source.as_mut().unwrap().reference = format!("REF-{number}");
        alert.id = id(number).to_string();
        let command = Command::Create { id: id(number), alert: alert.encode_to_vec(), as_draft: false };
        self.run(command).unwrap();
    }

    /// One piece of work on the index.
    fn work(&mut self) -> IndexWork {
        let work = index_work(&self.view, &mut self.caches).unwrap();
        match &work {
            IndexWork::Write(writes) => self.view.write(writes.clone()),
            IndexWork::Drop(unused) => {
                let mut gone: Vec<Write> = Vec::new();
                for (family, version) in unused {
                    let keys = self.view.entries(*family).filter(|(key, _)| key::version_of(key) == Some(*version));
                    gone.extend(keys.map(|(key, _)| (*family, key.to_vec(), None)));
                }
                assert!(!gone.is_empty(), "what is to be dropped is there");
                self.view.write(gone);
            }
            IndexWork::Nothing => {}
        }
        work
    }

    fn work_to_the_end(&mut self) {
        while self.work() != IndexWork::Nothing {}
    }

    fn rules(&self) -> RuleSet {
        read_rules(&self.view).unwrap().unwrap()
    }

    /// Asks for a search profile with this normaliser.
    fn want(&mut self, normaliser: u32) -> Answer {
        let rules = self.rules();
        let version = rules.next_profile().map_or(rules.versions().search_profile, |next| next.version);
        let profile = pb::SearchProfile { normaliser_version: normaliser, ..*rules.search_profile() };
        let document = pb::Rules { version, rules: Some(pb::rules::Rules::SearchProfile(profile)) };
        self.run(Command::PutRules { rules: document.encode_to_vec(), expected_version: version })
    }

    fn build(&self) -> Option<IndexBuild> {
        IndexBuild::read(&self.view).unwrap()
    }

    /// The index entries of one version, in order.
    fn entries(&self, version: u32) -> Vec<(Family, Vec<u8>, Vec<u8>)> {
        let of_family = |family: Family| {
            let entries = self.view.entries(family).filter(move |(key, _)| key::version_of(key) == Some(version));
            entries.map(move |(key, value)| (family, key.to_vec(), value.to_vec()))
        };
        index_families().flat_map(of_family).collect()
    }

    /// What the alerts with ids that `holds` accepts make of the index, from nothing.
    fn derived(&self, normaliser: Normaliser, holds: impl Fn(AlertId) -> bool) -> Vec<(Family, Vec<u8>, Vec<u8>)> {
        let nothing = MemoryView::default();
        let mut made = Overlay::new(&nothing);
        scan_prefix(&self.view, Family::Alerts, b"", |key, value| {
            let (id, stored) = (AlertId::from_slice(key).unwrap(), StoredAlert::decode(value).unwrap());
            if stored.header.state == pb::AlertState::Active as i32 && holds(id) {
                let alert = stored.to_alert().unwrap();
                let input = IndexInput {
                    id,
                    partition: read_label(&self.view, stored.header.label)?.partition,
                    label: stored.header.label,
                    priority: stored.header.priority,
                    created_at_ms: stored.header.created_at_ms,
                    normaliser,
                    alert: &alert,
                };
                for (family, key, value) in index::lexicon::changes(&made, None, Some(&input))? {
                    made.set(family, key, value);
                }
                index::derive(&input, &mut |family, key, value| made.set(family, key, Some(value)));
            }
            Ok(true)
        })
        .unwrap();
        made.into_writes().into_iter().map(|(family, key, value)| (family, key, value.unwrap())).collect()
    }

    /// Both indexes are exactly what the alerts make of them.
    fn check(&self, story: &str) {
        let in_force = self.rules().search_profile().normaliser_version;
        assert!(self.entries(in_force) == self.derived(BOTH.get(in_force).unwrap(), |_| true), "{story}: in force");
        if let (Some(next), Some(build)) = (self.rules().next_normaliser(), self.build())
            && build.normaliser == next
        {
            let holds = |id| build.complete || build.upto.is_some_and(|upto| id <= upto);
            assert!(self.entries(next) == self.derived(BOTH.get(next).unwrap(), holds), "{story}: next, {build:?}");
        }
    }

    /// Scores of those found by a name under the profile in force.
    fn find(&self, name: &str) -> Vec<(AlertId, u32)> {
        let rules = self.rules();
        let normaliser = state::normaliser_in_force(&rules, BOTH).unwrap();
        let person = pb::PersonQuery { names: vec![name.into()], ..Default::default() };
        let asked = query::parse(&pb::Query { person: Some(person), ..Default::default() }, 2026, normaliser).unwrap();
        let caller = Caller { country: "GB".into(), authority: "met".into(), system: "t".into(), role: Role::Search };
        let viewer = Viewer::new(caller, None);
        let labels = Labels(&self.view);
        let mut batch = Batch::new(&self.view, normaliser, &viewer, &labels, rules.search_profile()).unwrap();
        let answer = batch.search(&asked, SearchLimits::default()).unwrap();
        answer.found.iter().map(|found| (found.id, found.score)).collect()
    }
}

struct Labels<'a>(&'a MemoryView);

impl LabelSource for Labels<'_> {
    fn label(&self, id: LabelId) -> Result<Arc<Label>, ViewError> {
        read_label(self.0, id)
    }
}

fn id(number: u64) -> AlertId {
    AlertId::from_time_and_random(1_790_000_000_000 + number, [7; 10])
}

#[test]
fn both_indexes_are_right_at_every_moment_of_a_change_of_normaliser() {
    let generator = Generator::new(5);
    for seed in 1..=6_u64 {
        println!("seed {seed}");
        let mut rng = Rng::new(seed, "normaliser-change", 0);
        let mut store = Store::new(BOTH);
        for number in 0..ALERTS {
            // Every second id stays free, so that new alerts come before and behind what is built.
            store.create(&generator, 2 * number);
        }
        let mut switched = 0;
        for step in 0..400 {
            let story = format!("seed {seed}, step {step}");
            let number = rng.below(2 * ALERTS);
            let mut checked = false;
            match rng.below(10) {
                0 => {
                    let wanted = OLD + rng.below(2) as u32;
                    assert_eq!(store.want(wanted).unwrap().outcome, Outcome::Changed, "{story}");
                    checked = true;
                }
                1..=4 => {
                    store.work();
                }
                5..=6 if store.view.get(Family::Alerts, id(number).as_bytes()).unwrap().is_none() => {
                    store.create(&generator, number);
                }
                5..=7 => {
                    let mut alert = generator.person(rng.below(ALERTS));
                    alert.core.as_mut().unwrap().source = None;
                    let alert = alert.encode_to_vec();
                    drop(store.run(Command::Update { id: id(number), expected_version: 0, alert }));
                }
                8 => drop(store.run(Command::Erase { id: id(number), ground: "test".into(), by: "t".into() })),
                _ => {
                    let complete = store.build().filter(|build| build.complete).map(|build| build.normaliser);
                    if let Some(version) = complete.filter(|version| store.rules().next_normaliser() == Some(*version))
                    {
                        store.run(Command::SwitchNormaliser { version }).unwrap();
                        assert_eq!(store.rules().search_profile().normaliser_version, version, "{story}");
                        (checked, switched) = (true, switched + 1);
                    }
                }
            }
            if step % 5 == 0 || checked {
                store.check(&story);
            }
        }
        assert!(switched > 0, "seed {seed}: no switch happened");
        store.work_to_the_end();
        let rules = store.rules();
        let used = [Some(rules.search_profile().normaliser_version), rules.next_normaliser()];
        for version in [OLD, NEW] {
            assert_eq!(!store.entries(version).is_empty(), used.contains(&Some(version)), "seed {seed}: {version}");
        }
        for number in 0..2 * ALERTS {
            drop(store.run(Command::Erase { id: id(number), ground: "test".into(), by: "t".into() }));
        }
        for family in index_families() {
            assert_eq!(store.view.entries(family).count(), 0, "seed {seed}: {} is not empty", family.name());
        }
    }
}

#[test]
fn the_next_profile_waits_for_its_index_and_comes_into_force_whole() {
    let generator = Generator::new(5);
    let mut store = Store::new(BOTH);
    (0..ALERTS).for_each(|number| store.create(&generator, number));
    let mut alert = generator.person(1);
    alert.id = id(1000).to_string();
    alert.core.as_mut().unwrap().source.as_mut().unwrap().reference = "REF-K".into();
    let identities = &mut alert.identities.as_mut().unwrap().identities;
    identities.truncate(1);
    identities[0].names = vec![pb::NameForm { full_text: "Kalle Kaskinen".into(), ..Default::default() }];
    store.run(Command::Create { id: id(1000), alert: alert.encode_to_vec(), as_draft: false }).unwrap();

    let (by_first, by_second) = (store.find("Kalle Kaskinen"), store.find("Calle Cascinen"));
    assert_eq!(by_first, [(id(1000), 10_000)]);
    assert!(by_second.iter().all(|(_, score)| *score < 10_000));
    let waiting = store.want(NEW).unwrap();
    assert_eq!(waiting.version, 2);
    assert_eq!((store.rules().versions().search_profile, store.rules().next_normaliser()), (1, Some(NEW)));
    while store.build().is_none_or(|build| !build.complete) {
        assert_eq!(store.find("Calle Cascinen"), by_second, "until the switch nothing shows");
        assert!(matches!(store.work(), IndexWork::Write(_)));
    }
    let documents = store.view.entries(Family::Rules).count();
    assert_eq!(documents, 6, "the five kinds that a cluster is founded with, and the next profile");
    store.run(Command::SwitchNormaliser { version: NEW }).unwrap();
    assert_eq!(store.find("Calle Cascinen"), [(id(1000), 10_000)]);
    assert_eq!((store.rules().versions().search_profile, store.rules().next_normaliser()), (2, None));
    assert!(matches!(store.work(), IndexWork::Drop(_)));
    assert_eq!(store.work(), IndexWork::Nothing);
    assert_eq!(store.entries(OLD), []);
    assert_eq!(store.run(Command::SwitchNormaliser { version: NEW }).unwrap().outcome, Outcome::Unchanged);
}

#[test]
fn a_switch_before_the_index_is_complete_stops_the_node() {
    let generator = Generator::new(5);
    let mut store = Store::new(BOTH);
    (0..ALERTS).for_each(|number| store.create(&generator, number));
    store.want(NEW).unwrap();
    assert!(matches!(store.work(), IndexWork::Write(_)));
    let error = store.try_run(Command::SwitchNormaliser { version: NEW }).unwrap_err();
    assert!(error.to_string().contains("not complete"), "{error}");
    // Another than the one that waits changes nothing.
    assert_eq!(store.run(Command::SwitchNormaliser { version: NEW + 1 }).unwrap().outcome, Outcome::Unchanged);
}

#[test]
fn a_profile_that_is_withdrawn_leaves_nothing_behind() {
    let generator = Generator::new(5);
    let mut store = Store::new(BOTH);
    (0..ALERTS).for_each(|number| store.create(&generator, number));
    store.want(NEW).unwrap();
    store.work();
    assert_ne!(store.entries(NEW), []);
    let back = store.want(OLD).unwrap();
    assert_eq!((back.version, store.rules().versions().search_profile), (3, 3));
    assert_eq!((store.rules().next_normaliser(), store.build()), (None, None));
    // Alerts change while the remains are still there; a second attempt does not trust them.
    store.run(Command::Erase { id: id(3), ground: "test".into(), by: "t".into() }).unwrap();
    store.want(NEW).unwrap();
    assert!(matches!(store.work(), IndexWork::Drop(_)));
    store.work_to_the_end();
    store.check("after the second attempt");
    assert!(store.build().unwrap().complete);
}

#[test]
fn a_node_without_the_next_normaliser_serves_on_and_refuses_the_switch() {
    let generator = Generator::new(5);
    let mut store = Store::new(BOTH);
    (0..ALERTS).for_each(|number| store.create(&generator, number));
    store.want(NEW).unwrap();
    store.work();
    // Started again with an older release: what it cannot keep up is given up at the first change.
    store.caches = Caches::new(Normalisers::new(&[FIRST]));
    assert_eq!(store.work(), IndexWork::Nothing);
    store.run(Command::Erase { id: id(3), ground: "test".into(), by: "t".into() }).unwrap();
    assert_eq!(store.build(), None);
    let error = store.try_run(Command::SwitchNormaliser { version: NEW }).unwrap_err().to_string();
    assert!(error.contains(&format!("normaliser {NEW}")) && error.contains("release"), "{error}");
    // And with the newer one: from the beginning.
    store.caches = Caches::new(BOTH);
    store.work_to_the_end();
    store.check("after the newer release came back");
    store.run(Command::SwitchNormaliser { version: NEW }).unwrap();
    store.caches = Caches::new(Normalisers::new(&[FIRST]));
    let error = store.try_run(Command::Erase { id: id(4), ground: "test".into(), by: "t".into() }).unwrap_err();
    assert!(error.to_string().contains("release"), "{error}");
}

#[test]
fn neither_the_index_nor_its_build_counts_in_the_state_hash() {
    let generator = Generator::new(5);
    let mut store = Store::new(BOTH);
    (0..ALERTS).for_each(|number| store.create(&generator, number));
    store.want(NEW).unwrap();
    let before = Meta::read(&store.view).unwrap();
    store.work();
    let during = Meta::read(&store.view).unwrap();
    store.work_to_the_end();
    assert_eq!(before, during);
    assert_eq!(before, Meta::read(&store.view).unwrap());
    assert_eq!(before.state_hash, state::full_hash(&store.view).unwrap());
}
