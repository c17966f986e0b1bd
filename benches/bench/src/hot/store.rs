//! The state machine over a map in memory.

use std::sync::Arc;

use alert_core::{
    alert::{AlertId, Caller, Label, LabelId, Role, RuleSet, Viewer},
    search::{self, LabelSource, SearchLimits, query::ParsedQuery},
    state::{
        self, Caches, MemoryView, ViewError,
        command::{Batch, Command, Proposal, RequestKey},
        founding, read_label,
    },
};
use alert_proto::v1 as pb;
use prost::Message;

/// Any moment after those of the synthetic records.
const NOW_MS: u64 = 1_790_000_000_000;

/// A store without a disk.
pub struct MemoryStore {
    view: MemoryView,
    caches: Caches,
    rules: RuleSet,
    viewer: Viewer,
    next: u64,
}

impl Default for MemoryStore {
    fn default() -> Self {
        let rules = RuleSet::defaults();
        let viewer = Viewer::of_authority(caller(Role::Search), None, &rules);
        let mut store = Self { view: MemoryView::default(), caches: Caches::default(), rules, viewer, next: 1 };
        let founding = Proposal { caller: None, request: None, rules_revision: 0, command: founding() };
        store.apply(&Self::batch(founding));
        store
    }
}

fn caller(role: Role) -> Caller {
    Caller { country: "GB".into(), authority: "nca".into(), system: "bench".into(), role }
}

/// Labels out of the state, as the node's services read them (behind a cache of their own).
struct Labels<'a>(&'a MemoryView);

impl LabelSource for Labels<'_> {
    fn label(&self, id: LabelId) -> Result<Arc<Label>, ViewError> {
        read_label(self.0, id)
    }
}

impl MemoryStore {
    /// A command that creates this alert, with a request id of its own.
    pub fn proposal(&mut self, alert: &pb::Alert) -> Proposal {
        let number = self.next;
        self.next += 1;
        let id = AlertId::from_time_and_random(NOW_MS + number, [7; 10]);
        let content = pb::Alert { id: String::new(), lifecycle: None, ..alert.clone() }.encode_to_vec();
        Proposal {
            caller: Some(caller(Role::Bureau)),
            request: Some(RequestKey { session: [1; 16], sequence: number, content_hash: [2; 16] }),
            rules_revision: 0,
            command: Command::Create { id, alert: content, as_draft: false },
        }
    }

    /// A log entry's content with one proposal.
    pub fn batch(proposal: Proposal) -> Batch {
        Batch { proposed_at_ms: NOW_MS, proposals: vec![proposal] }
    }

    /// Creates an alert.
    ///
    /// # Panics
    /// It is refused.
    pub fn create(&mut self, alert: &pb::Alert) {
        let proposal = self.proposal(alert);
        self.apply(&Self::batch(proposal));
    }

    /// Applies an entry; gives back how many keys it wrote.
    ///
    /// # Panics
    /// A command of it is refused.
    pub fn apply(&mut self, batch: &Batch) -> usize {
        let effects = state::apply(&self.view, &mut self.caches, std::slice::from_ref(batch)).expect("memory reads");
        for answer in effects.answers.iter().flatten() {
            assert!(answer.is_ok(), "a synthetic record was refused: {answer:?}");
        }
        let keys = effects.writes.len();
        self.view.write(effects.writes);
        keys
    }

    /// Searches; gives back how many were found.
    ///
    /// # Panics
    /// Memory does not read: never.
    pub fn search(&self, query: &ParsedQuery) -> usize {
        let labels = Labels(&self.view);
        let profile = self.rules.search_profile();
        let found = search::run(&self.view, query, &self.viewer, &labels, profile, SearchLimits::default());
        found.expect("memory reads").found.len()
    }
}
