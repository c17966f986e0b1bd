//! Synthetic persons in a cluster, and what each node answers about them.

use std::sync::Arc;

use alert_core::{
    alert::{AlertId, Caller, Label, LabelId, Role, RuleSet, Viewer},
    pb,
    search::{
        Batch, LabelSource, NORMALISER_VERSION, Normaliser, Normalisers, SearchLimits,
        candidate::{self, CandidateScope},
        query,
    },
    state::{
        Meta, View, ViewError,
        command::{Command, Proposal},
        normaliser_in_force, read_label, read_rules,
    },
};
use alert_synth::{
    Generator,
    perturb::{Fault, Perturb},
    query_for,
};
use futures::{StreamExt, stream};
use prost::Message;

use super::world::{World, soon};
use crate::{api::backend::Store, raft::types::NodeId};

/// The version in force at first, and the one that a change brings.
pub const OLD: u32 = NORMALISER_VERSION;
pub const NEW: u32 = OLD + 1;

/// A release that has the shipped normaliser alone.
pub const OLD_RELEASE: Normalisers = Normalisers::new(&[SHIPPED]);
/// A release that has a second one too, to which K and C are one letter.
pub const NEW_RELEASE: Normalisers = Normalisers::new(&[SHIPPED, K_IS_C]);

const SHIPPED: Normaliser = Normaliser::new(OLD, |parts| Normaliser::default().tokens(parts));
const K_IS_C: Normaliser = Normaliser::new(NEW, |parts| {
    let parts: Vec<String> = parts.iter().map(|part| part.to_uppercase().replace('K', "C")).collect();
    Normaliser::default().tokens(&parts.iter().map(String::as_str).collect::<Vec<_>>())
});

pub fn id(number: u64) -> AlertId {
    AlertId::from_time_and_random(1_790_000_000_000 + number, [7; 10])
}

fn own(command: Command, rules_revision: u64) -> Proposal {
    Proposal { caller: None, request: None, rules_revision, command }
}

fn rules_of(world: &World, node: NodeId) -> (RuleSet, u64) {
    let view = world.storage(node).state.read().unwrap();
    (read_rules(&view).unwrap().unwrap(), Meta::read(&view).unwrap().rules_revision)
}

/// Stores persons of these numbers, through `leader`.
pub async fn load(world: &World, leader: NodeId, numbers: std::ops::Range<u64>) {
    let generator = Generator::new(3);
    let (_, revision) = rules_of(world, leader);
    let created = stream::iter(numbers).map(|number| {
        let alert = pb::Alert { id: id(number).to_string(), ..generator.person(number) };
        let command = Command::Create { id: id(number), alert: alert.encode_to_vec(), as_draft: false };
        let node = world.node(leader);
        async move { node.propose(own(command, revision), soon(60)).await.unwrap().unwrap() }
    });
    created.buffer_unordered(200).collect::<Vec<_>>().await;
}

/// Asks for a search profile with this normaliser; gives back the version of the document.
pub async fn want(world: &World, leader: NodeId, normaliser: u32) -> u64 {
    let (rules, revision) = rules_of(world, leader);
    let version = rules.next_profile().map_or(rules.versions().search_profile, |next| next.version);
    let profile = pb::SearchProfile { normaliser_version: normaliser, ..*rules.search_profile() };
    let document = pb::Rules { version, rules: Some(pb::rules::Rules::SearchProfile(profile)) };
    let command = Command::PutRules { rules: document.encode_to_vec(), expected_version: version };
    world.node(leader).propose(own(command, revision), soon(10)).await.unwrap().unwrap().version
}

/// The normaliser in force on a node, and the one that waits there.
pub fn normalisers(world: &World, node: NodeId) -> (u32, Option<u32>) {
    let (rules, _) = rules_of(world, node);
    (rules.search_profile().normaliser_version, rules.next_normaliser())
}

/// Questions about persons in the store and about strangers, right and wrong, dated and not.
pub fn questions(persons: u64, count: u64) -> Vec<pb::Query> {
    let (generator, perturb) = (Generator::new(3), Perturb::new(11));
    let faults: Vec<Option<Fault>> = std::iter::once(None).chain(Fault::ALL.into_iter().map(Some)).collect();
    (0..count)
        .filter_map(|number| {
            // Every third one is about somebody who is not there.
            let about = if number % 3 == 2 { persons + number } else { number * 7 % persons };
            let mut query = query_for(&generator.person(about))?;
            if let Some(person) = query.person.take() {
                let fault = faults[number as usize % faults.len()];
                query.person = Some(fault.and_then(|fault| perturb.apply(fault, number, &person)).unwrap_or(person));
            }
            Some(query)
        })
        .collect()
}

/// What one node answers: the bytes of every candidate list and cut mark, in order, as one hash; how many candidates
/// and cut lists there were; and where the state was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answers {
    pub revision: u64,
    pub normaliser: u32,
    pub hash: blake3::Hash,
    pub candidates: usize,
    pub cut: usize,
}

struct Labels<'a>(&'a dyn View);

impl LabelSource for Labels<'_> {
    fn label(&self, id: LabelId) -> Result<Arc<Label>, ViewError> {
        read_label(self.0, id)
    }
}

/// Asks one node's own state everything.
pub fn ask(world: &World, node: NodeId, queries: &[pb::Query]) -> Answers {
    let storage = world.storage(node);
    let view = storage.state.read().unwrap();
    let rules = read_rules(&view).unwrap().unwrap();
    let normaliser = normaliser_in_force(&rules, storage.state.normalisers()).unwrap();
    let caller = Caller { country: "GB".into(), authority: "met".into(), system: "t".into(), role: Role::Search };
    let viewer = Viewer::new(caller, None);
    let labels = Labels(&view);
    let scope = CandidateScope { viewer: &viewer, rules: &rules, now_ms: view.meta().time_ms, may_have: &|_| true };
    let generous = *rules.search_profile();
    // So small that many lists are cut.
    let tight =
        pb::SearchProfile { budget_seeks: 60, budget_postings: 12, budget_scores: 2, max_candidates: 1, ..generous };
    let mut batches =
        [&generous, &tight].map(|profile| Batch::new(&view, normaliser, &viewer, &labels, profile).unwrap());
    let mut hasher = blake3::Hasher::new();
    let (mut candidates, mut cut) = (0, 0);
    for (number, asked) in queries.iter().enumerate() {
        let parsed = match query::parse(asked, 2026, normaliser) {
            Ok(parsed) => parsed,
            // A record whose only name is a filler (FNU) makes no question; every node says so in the same words.
            Err(faults) => {
                hasher.update(format!("{faults:?}").as_bytes());
                continue;
            }
        };
        let answer = batches[number % 2].search(&parsed, SearchLimits::default()).unwrap();
        candidates += answer.found.len();
        cut += usize::from(answer.truncation.is_some());
        let source = pb::SourceAnswer {
            candidates: answer.found.iter().map(|found| candidate::to_proto(found, &scope).unwrap()).collect(),
            truncation: answer.truncation,
            ..Default::default()
        };
        hasher.update(&source.encode_length_delimited_to_vec());
    }
    let revision = view.position().revision;
    Answers { revision, normaliser: normaliser.version(), hash: hasher.finalize(), candidates, cut }
}
