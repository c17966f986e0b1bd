//! The persons as a store to search in: the families as sorted arrays in memory, or in RocksDB.

mod engine;
mod packed;

use std::sync::Arc;

use alert_core::{
    alert::{Header, Label, LabelId, Partition, StoredAlert},
    pb,
    search::{
        LabelSource, Normaliser,
        index::{self, IndexInput},
    },
    state::{View, ViewError, Write, family::Family},
};
use prost::Message;

pub use engine::OnRocks;
pub use packed::{Packed, Packer};

use crate::population::id;

/// Every alert has the one label: visibility is measured elsewhere.
pub struct OneLabel(Arc<Label>);

impl OneLabel {
    pub fn new() -> Self {
        Self(Arc::new(Label {
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
        }))
    }
}

impl LabelSource for OneLabel {
    fn label(&self, _: LabelId) -> Result<Arc<Label>, ViewError> {
        Ok(Arc::clone(&self.0))
    }
}

/// All rank alike: the score alone orders what is found.
const PRIORITY: u8 = 5;

/// Everything that one alert puts into the state but the lexicon, which counts: see [`lexicon`].
pub fn writes(number: u64, alert: &pb::Alert) -> Vec<Write> {
    let mut writes = Vec::new();
    index::derive(&input(number, alert), &mut |family, key, value| writes.push((family, key, Some(value))));
    writes.push((Family::Alerts, id(number).as_bytes().to_vec(), Some(stored(alert).encode())));
    writes
}

/// What one alert changes in the lexicon of `view`.
pub fn lexicon(view: &dyn View, number: u64, alert: &pb::Alert) -> Result<Vec<Write>, ViewError> {
    index::lexicon::changes(view, None, Some(&input(number, alert)))
}

fn input(number: u64, alert: &pb::Alert) -> IndexInput<'_> {
    IndexInput {
        id: id(number),
        partition: Partition::Open,
        label: 0,
        priority: PRIORITY,
        created_at_ms: number,
        normaliser: Normaliser::default(),
        alert,
    }
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
            priority: PRIORITY,
        },
        alert: alert.encode_to_vec(),
    }
}
