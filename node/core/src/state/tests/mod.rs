//! Stories of the state machine, over a state in memory.

mod feed;
mod golden;
mod life;
mod links;
mod policy;
mod random;
mod requests;

use prost::Message;

use super::{
    Caches, Change, FeedEntries, MemoryView, Meta, View, apply,
    command::{Answer, Batch, Command, Outcome, Proposal, RequestKey},
    family::Family,
    founding,
};
use crate::{
    alert::{
        AlertId, Caller, Role, StoredAlert,
        sample::{self, code},
        time::from_ms,
    },
    pb,
};

const START_MS: u64 = 1_790_000_000_000;
const DAY_MS: u64 = 86_400_000;

struct Store {
    view: MemoryView,
    caches: Caches,
    now_ms: u64,
}

fn bureau(authority: &str) -> Caller {
    Caller { country: "GB".into(), authority: authority.into(), system: "desk".into(), role: Role::Bureau }
}

fn id(number: u8) -> AlertId {
    AlertId::from_bytes([number; 16])
}

/// The sample of the domain's tests with a number of its own: sound under the shipped rules.
fn person(number: u8, category: &str) -> pb::Alert {
    let mut alert = sample::person(category);
    alert.id = id(number).to_string();
    let source = alert.core.as_mut().unwrap().source.as_mut().unwrap();
    *source =
        pb::Source { system: "UK".into(), reference: format!("REF-{number}"), source_version: 1, ..Default::default() };
    let decision = alert.core.as_mut().unwrap().decision.as_mut().unwrap();
    decision.decided_at = Some(from_ms(START_MS - DAY_MS));
    alert.identities.as_mut().unwrap().identities[0].names[0].parts[1].text = format!("Synthetic{number}");
    alert
}

/// The same, known by the passport `passport`: alerts with one passport are on one subject.
fn bearer(number: u8, category: &str, passport: &str) -> pb::Alert {
    let mut alert = person(number, category);
    alert.identities.as_mut().unwrap().identities[0].documents.push(pb::IdentityDocument {
        r#type: code("document-type", "passport"),
        issuing_country: sample::party("GB"),
        number: passport.into(),
        ..Default::default()
    });
    alert
}

fn create(number: u8) -> Command {
    Command::Create { id: id(number), alert: person(number, "arrest").encode_to_vec(), as_draft: false }
}

fn cancel(number: u8) -> Command {
    Command::Cancel { id: id(number), expected_version: 0, reason: "executed".into(), by: "desk".into() }
}

impl Store {
    fn new() -> Self {
        let mut store = Self::unfounded();
        let founding = store.proposal(None, None, founding());
        store.apply(&[founding]);
        store
    }

    fn unfounded() -> Self {
        Self { view: MemoryView::default(), caches: Caches::default(), now_ms: START_MS }
    }

    fn apply(&mut self, batches: &[Batch]) -> Vec<Vec<Answer>> {
        let effects = apply(&self.view, &mut self.caches, batches).unwrap();
        self.view.write(effects.writes);
        assert_eq!(effects.meta, self.meta());
        effects.answers
    }

    fn proposal(&self, caller: Option<Caller>, request: Option<RequestKey>, command: Command) -> Batch {
        let proposal = Proposal { caller, request, rules_revision: self.meta().rules_revision, command };
        Batch { proposed_at_ms: self.now_ms, proposals: vec![proposal] }
    }

    fn run_as(&mut self, caller: Caller, command: Command) -> Answer {
        let batch = self.proposal(Some(caller), None, command);
        self.apply(&[batch]).remove(0).remove(0)
    }

    fn run(&mut self, command: Command) -> Answer {
        self.run_as(bureau("nca"), command)
    }

    fn due(&mut self) -> Outcome {
        let batch = self.proposal(None, None, Command::Due);
        self.apply(&[batch]).remove(0).remove(0).unwrap().outcome
    }

    fn meta(&self) -> Meta {
        Meta::read(&self.view).unwrap()
    }

    fn stored(&self, number: u8) -> Option<StoredAlert> {
        let bytes = self.view.get(Family::Alerts, id(number).as_bytes()).unwrap()?;
        Some(StoredAlert::decode(&bytes).unwrap())
    }

    fn state(&self, number: u8) -> pb::AlertState {
        self.stored(number).unwrap().header.state.try_into().unwrap()
    }

    fn lifecycle(&self, number: u8) -> pb::Lifecycle {
        self.stored(number).unwrap().to_alert().unwrap().lifecycle.unwrap()
    }

    fn changes(&self) -> Vec<Change> {
        let mut entries = FeedEntries::after(&self.view, 0).unwrap();
        std::iter::from_fn(|| Some(entries.next_entry().unwrap()?.1.change)).collect()
    }

    /// Families where `text` stands in a key or a value, as it is.
    fn families_with(&self, text: &str) -> Vec<&'static str> {
        let holds = |bytes: &[u8]| bytes.windows(text.len()).any(|window| window == text.as_bytes());
        let has = |family: &Family| self.view.entries(*family).any(|(key, value)| holds(key) || holds(value));
        Family::ALL.iter().copied().filter(has).map(Family::name).collect()
    }

    fn index_entries(&self) -> usize {
        let families =
            [Family::Number, Family::Born, Family::NameDay, Family::NamePair, Family::NameOne, Family::Lexicon];
        families.iter().map(|family| self.view.entries(*family).count()).sum()
    }
}
