//! The hottest paths of the pure core on a store in memory: the same code that a node runs, without disk and network,
//! for micro-benchmarks, instruction counts and allocation counts.

mod store;

use alert_core::{
    alert::{AlertId, Partition},
    codec,
    search::{
        Normaliser,
        index::{self, IndexInput},
        query::{self, ParsedQuery},
    },
    state::command::{Batch, Proposal},
};
use alert_proto::v1 as pb;
use alert_synth::query_for;

use crate::{mix::Questions, target::Records};

pub use store::MemoryStore;

/// Alerts that are in the store before anything is measured.
const STORED: u64 = 500;

/// One hot path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Path {
    /// A log entry with one new object alert is decoded and applied.
    ApplyObject,
    /// The same with a person alert.
    ApplyPerson,
    /// A plate or a number without a hit.
    SearchExact,
    /// Name and date of birth, without a hit.
    SearchName,
    /// The index entries of a person alert.
    DerivePerson,
    /// A proposal is encoded and decoded.
    Codec,
}

impl Path {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::ApplyObject => "apply-object",
            Self::ApplyPerson => "apply-person",
            Self::SearchExact => "search-exact",
            Self::SearchName => "search-name",
            Self::DerivePerson => "derive-person",
            Self::Codec => "codec",
        }
    }

    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::ApplyObject, Self::ApplyPerson, Self::SearchExact, Self::SearchName, Self::DerivePerson, Self::Codec];
}

/// A hot path, ready to be gone again and again.
pub struct Hot {
    path: Path,
    store: MemoryStore,
    batches: Vec<Vec<u8>>,
    proposals: Vec<Proposal>,
    queries: Vec<ParsedQuery>,
    persons: Vec<pb::Alert>,
    at: usize,
}

impl Hot {
    /// Makes what it needs; `times` is how often it will be gone, where each time needs something of its own.
    ///
    /// # Panics
    /// The store in memory refuses a synthetic record: a defect.
    pub fn new(path: Path, times: usize) -> Self {
        let records = Records::new(1);
        let mut store = MemoryStore::default();
        for number in 0..STORED {
            store.create(&records.person(number));
            store.create(&records.object(number));
        }
        let fresh = (STORED..STORED + times as u64).map(|number| match path {
            Path::ApplyPerson => records.person(number),
            _ => records.object(number),
        });
        let proposals: Vec<Proposal> = match path {
            Path::ApplyObject | Path::ApplyPerson => fresh.map(|alert| store.proposal(&alert)).collect(),
            Path::Codec => vec![store.proposal(&records.person(STORED))],
            _ => Vec::new(),
        };
        let batches = proposals.iter().map(|proposal| codec::encode(&MemoryStore::batch(proposal.clone()))).collect();
        let strangers = Records::new(2);
        let is_exact = |query: &pb::Query| query.vehicle.is_some() || !query.any_number.is_empty();
        let asked: Vec<pb::Query> = match path {
            Path::SearchExact => {
                let questions = Questions::new(records.generator(), 0, 3).only(is_exact);
                (0..64).map(|number| questions.at(number)).collect()
            }
            Path::SearchName => (0..64).filter_map(|number| query_for(&strangers.person(number))).collect(),
            _ => Vec::new(),
        };
        let queries = asked
            .iter()
            .map(|asked| query::parse(asked, 2026, Normaliser::default()).expect("a generated query parses"))
            .collect();
        let persons = (0..64).map(|number| records.person(number)).collect();
        Self { path, store, batches, proposals, queries, persons, at: 0 }
    }

    /// Goes the path once; gives back something that follows from it.
    ///
    /// # Panics
    /// See [`Hot::new`].
    pub fn go(&mut self) -> usize {
        let at = self.at;
        self.at += 1;
        match self.path {
            Path::ApplyObject | Path::ApplyPerson => {
                let batch: Batch = codec::decode(&self.batches[at % self.batches.len()]).expect("encoded here");
                self.store.apply(&batch)
            }
            Path::SearchExact | Path::SearchName => self.store.search(&self.queries[at % self.queries.len()]),
            Path::DerivePerson => derive(&self.persons[at % self.persons.len()]),
            Path::Codec => {
                let bytes = codec::encode(&self.proposals[at % self.proposals.len()]);
                let back: Proposal = codec::decode(&bytes).expect("encoded here");
                bytes.len() + usize::from(back.caller.is_some())
            }
        }
    }
}

fn derive(alert: &pb::Alert) -> usize {
    let input = IndexInput {
        id: AlertId::from_bytes([1; 16]),
        partition: Partition::Open,
        label: 0,
        priority: 5,
        created_at_ms: 1,
        normaliser: Normaliser::default(),
        alert,
    };
    let mut bytes = 0;
    index::derive(&input, &mut |_, key, value| bytes += key.len() + value.len());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_can_be_gone_as_often_as_was_said() {
        for path in Path::ALL {
            let mut hot = Hot::new(path, 3);
            for _ in 0..3 {
                let came_of_it = hot.go();
                match path {
                    Path::SearchExact | Path::SearchName => {}
                    _ => assert!(came_of_it > 0, "{}", path.name()),
                }
            }
        }
    }
}
