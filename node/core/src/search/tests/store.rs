//! A store small enough to be checked by hand: alerts, their index entries, their labels.

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock},
};

use prost::Message;

pub(super) use crate::alert::sample::{code, party};
use crate::{
    alert::{AlertId, Caller, Header, Label, LabelId, Partition, Role, RuleSet, StoredAlert, Viewer},
    pb,
    search::{
        LabelSource, Normaliser, SearchAnswer, SearchLimits,
        index::{self, IndexInput, form::NameForm},
        query::{self, ParsedQuery},
        run,
    },
    state::{MemoryView, ViewError, family::Family},
};

pub const YEAR: u32 = 2026;

/// Read once: tests make many stores.
static RULES: LazyLock<Arc<RuleSet>> = LazyLock::new(|| Arc::new(RuleSet::defaults()));

/// Alerts in memory with everything a search reads.
pub struct Store {
    pub view: MemoryView,
    pub rules: Arc<RuleSet>,
    labels: Vec<Label>,
    pub alerts: BTreeMap<AlertId, Entry>,
}

/// One active alert.
#[derive(Clone)]
pub struct Entry {
    pub alert: pb::Alert,
    pub label: LabelId,
    pub partition: Partition,
    pub priority: u8,
    pub created_at_ms: u64,
}

impl LabelSource for Store {
    fn label(&self, id: LabelId) -> Result<Arc<Label>, ViewError> {
        self.labels.get(id as usize).cloned().map(Arc::new).ok_or_else(|| ViewError(format!("no label {id}")))
    }
}

impl Store {
    pub fn new() -> Self {
        let rules = RULES.clone();
        Self { view: MemoryView::default(), rules, labels: Vec::new(), alerts: BTreeMap::new() }
    }

    /// An open alert of middling priority.
    pub fn add(&mut self, number: u8, alert: pb::Alert) -> AlertId {
        self.put(id(number), Some(open(alert)))
    }

    pub fn add_covert(&mut self, number: u8, alert: pb::Alert) -> AlertId {
        self.put(id(number), Some(Entry { partition: Partition::Covert, ..open(alert) }))
    }

    /// Brings one alert to `entry`, as a batch of the state machine does.
    pub fn put(&mut self, id: AlertId, entry: Option<Entry>) -> AlertId {
        let entry = entry.map(|entry| {
            let label = label_of(&entry.alert, entry.partition);
            let label = self.labels.iter().position(|known| *known == label).unwrap_or_else(|| {
                self.labels.push(label);
                self.labels.len() - 1
            });
            Entry { label: label as LabelId, ..entry }
        });
        let before = self.alerts.remove(&id);
        let (old, new) = (before.as_ref().map(|entry| entry.input(id)), entry.as_ref().map(|entry| entry.input(id)));
        let mut writes = index::lexicon::changes(&self.view, old.as_ref(), new.as_ref()).unwrap();
        if let Some(old) = &old {
            index::derive(old, &mut |family, key, _| writes.push((family, key, None)));
        }
        if let Some(new) = &new {
            index::derive(new, &mut |family, key, value| writes.push((family, key, Some(value))));
        }
        let record = entry.as_ref().map(|entry| entry.stored().encode());
        writes.push((Family::Alerts, id.as_bytes().to_vec(), record));
        self.view.write(writes);
        if let Some(entry) = entry {
            self.alerts.insert(id, entry);
        }
        id
    }

    pub fn search(&self, viewer: &Viewer, query: &pb::Query) -> SearchAnswer {
        self.search_within(viewer, query, self.rules.search_profile())
    }

    pub fn search_within(&self, viewer: &Viewer, query: &pb::Query, profile: &pb::SearchProfile) -> SearchAnswer {
        self.search_parsed(viewer, &parse(query).unwrap(), profile)
    }

    pub fn search_parsed(&self, viewer: &Viewer, query: &ParsedQuery, profile: &pb::SearchProfile) -> SearchAnswer {
        run(&self.view, query, viewer, self, profile, SearchLimits::default()).unwrap()
    }

    /// Ids that a domestic searcher is given, best first.
    pub fn ids(&self, query: &pb::Query) -> Vec<AlertId> {
        self.search(&officer(), query).found.iter().map(|found| found.id).collect()
    }

    /// The names of one alert.
    pub fn forms(&self, id: AlertId) -> Vec<NameForm> {
        self.alerts[&id].input(id).forms().collect()
    }

    /// The score of one alert for a query about a person; 0 when it is no candidate.
    pub fn score(&self, wanted: AlertId, person: pb::PersonQuery) -> u32 {
        let answer = self.search(&officer(), &pb::Query { person: Some(person), ..Default::default() });
        answer.found.iter().find(|found| found.id == wanted).map_or(0, |found| found.score)
    }
}

impl Entry {
    pub fn input(&self, id: AlertId) -> IndexInput<'_> {
        IndexInput {
            id,
            partition: self.partition,
            label: self.label,
            priority: self.priority,
            created_at_ms: self.created_at_ms,
            normaliser: Normaliser::default(),
            alert: &self.alert,
        }
    }

    fn stored(&self) -> StoredAlert {
        StoredAlert {
            header: Header {
                data_key_id: 0,
                version: 1,
                revision: 1,
                created_at_ms: self.created_at_ms,
                changed_at_ms: self.created_at_ms,
                state: pb::AlertState::Active as i32,
                label: self.label,
                change: "create".into(),
                changed_by: None,
                priority: self.priority,
            },
            alert: self.alert.encode_to_vec(),
        }
    }
}

/// A query as the store's own normaliser reads it.
pub fn parse(query: &pb::Query) -> Result<ParsedQuery, Vec<pb::Fault>> {
    query::parse(query, YEAR, Normaliser::default())
}

pub fn open(alert: pb::Alert) -> Entry {
    Entry { alert, label: 0, partition: Partition::Open, priority: 5, created_at_ms: 1_000 }
}

/// The label of an alert in force; deciding parts other than the category and the owner are left empty.
fn label_of(alert: &pb::Alert, partition: Partition) -> Label {
    let core = alert.core.clone().unwrap_or_default();
    let owner = core.owner.unwrap_or_default();
    Label {
        state: pb::AlertState::Active as i32,
        partition,
        source: core.source.map(|source| source.system).unwrap_or_default(),
        owner_party: owner.party.map_or_else(|| "GB".into(), |party| party.code),
        owner_authority: owner.authority.map(|code| code.value).unwrap_or_default(),
        category: core.category.map_or_else(|| "arrest".into(), |code| code.value),
        subject_kind: core.subject_kind,
        object_classes: Default::default(),
        handling: Default::default(),
        jurisdictions: Default::default(),
        allow: Default::default(),
        deny: Default::default(),
        suspended_in: Default::default(),
        blocked: false,
    }
}

pub fn id(number: u8) -> AlertId {
    AlertId::from_bytes([number; 16])
}

pub fn caller(country: &str, role: Role) -> Caller {
    Caller { country: country.into(), authority: "met".into(), system: "test".into(), role }
}

/// Somebody who sees every alert in force, covert ones too.
pub fn officer() -> Viewer {
    Viewer::new(caller("GB", Role::Search), None)
}

pub fn date(year: u32, month: u32, day: u32) -> pb::PartialDate {
    pb::PartialDate { year: Some(year), month: Some(month), day: Some(day) }
}

pub fn identity(kind: &str, name: &str, born: Option<pb::PartialDate>) -> pb::Identity {
    pb::Identity {
        kind: code("identity-kind", kind),
        names: vec![pb::NameForm { full_text: name.into(), ..Default::default() }],
        birth_dates: born
            .map(|date| pb::BirthDate { year: date.year, month: date.month, day: date.day, ..Default::default() })
            .into_iter()
            .collect(),
        ..Default::default()
    }
}

pub fn person_alert(identities: Vec<pb::Identity>) -> pb::Alert {
    pb::Alert {
        core: Some(pb::Core { subject_kind: pb::SubjectKind::Person as i32, ..Default::default() }),
        identities: Some(pb::IdentitySection { identities, ..Default::default() }),
        ..Default::default()
    }
}

pub fn person(name: &str, born: Option<pb::PartialDate>) -> pb::Alert {
    person_alert(vec![identity("confirmed", name, born)])
}

pub fn object_alert(class: &str, detail: pb::object::Detail) -> pb::Alert {
    let object = pb::Object { class: code("object-class", class), detail: Some(detail), ..Default::default() };
    pb::Alert {
        core: Some(pb::Core { subject_kind: pb::SubjectKind::Object as i32, ..Default::default() }),
        objects: Some(pb::ObjectSection { objects: vec![object] }),
        ..Default::default()
    }
}

pub fn vehicle(vin: &str, plate: &str, country: &str) -> pb::Alert {
    let plate = (!plate.is_empty()).then(|| pb::NumberPlate { number: plate.into(), country: party(country) });
    object_alert("vehicle", pb::object::Detail::Vehicle(pb::Vehicle { vin: vin.into(), plate, ..Default::default() }))
}

pub fn passport(number: &str, country: &str) -> pb::Alert {
    let document = pb::IdentityDocument {
        r#type: code("document-type", "passport"),
        issuing_country: party(country),
        number: number.into(),
        ..Default::default()
    };
    object_alert("document-issued", pb::object::Detail::Document(document))
}

pub fn by_name(name: &str, born: Option<pb::PartialDate>) -> pb::PersonQuery {
    pb::PersonQuery { names: vec![name.into()], birth_date: born, ..Default::default() }
}

pub fn any(number: &str) -> pb::Query {
    pb::Query { any_number: number.into(), ..Default::default() }
}
