//! A search under way: its cursors, its budgets, what it may see. Searches of a batch share all but the budgets.

use std::{collections::BTreeMap, ops::RangeInclusive, sync::Arc};

use super::{
    Normaliser, explain,
    index::{
        form::{KnownNames, NameForm, NamesOnly},
        key::{self, Head, Tail},
        signature,
    },
};
use crate::{
    alert::{AlertId, Label, LabelId, Partition, Sight, StoredAlert, Viewer, sections},
    limits::{BATCH_NAMES_KEPT_MAX, BATCH_RECORDS_KEPT_MAX},
    pb,
    state::{Cursor, View, ViewError, family::Family},
};

/// Where labels come from. A node keeps them in memory; there are few.
pub trait LabelSource {
    /// The label with this number. A number in an index entry always has a label: its absence is an error.
    fn label(&self, id: LabelId) -> Result<Arc<Label>, ViewError>;
}

/// What a search cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Lists sought.
    pub seeks: u64,
    /// Postings of visible alerts looked at.
    pub postings: u64,
    /// Records read and scored.
    pub scored: u64,
    /// Spellings tried beside the query's own.
    pub expansions: u64,
}

/// Searches under way, one after the other, of one caller on one state.
pub struct Session<'a> {
    view: &'a dyn View,
    viewer: &'a Viewer,
    labels: &'a dyn LabelSource,
    /// Weights and budgets.
    pub profile: &'a pb::SearchProfile,
    cursors: BTreeMap<Family, Box<dyn Cursor + 'a>>,
    sights: BTreeMap<LabelId, Sight>,
    records: BTreeMap<AlertId, Option<Arc<StoredAlert>>>,
    names: KnownNames,
    /// What it cost so far.
    pub counters: Counters,
    /// The first limit that was reached: its name and value.
    pub limit: Option<(&'static str, u64)>,
}

impl<'a> Session<'a> {
    /// For queries that were read by `normaliser`. Refused when the profile in force has another: keys of one version never
    /// meet tokens of another.
    pub fn new(
        view: &'a dyn View,
        normaliser: Normaliser,
        viewer: &'a Viewer,
        labels: &'a dyn LabelSource,
        profile: &'a pb::SearchProfile,
    ) -> Result<Self, ViewError> {
        let (read, kept) = (normaliser.version(), profile.normaliser_version);
        if read != kept {
            return Err(ViewError(format!(
                "a query read by normaliser {read} meets an index kept by normaliser {kept}"
            )));
        }
        Ok(Self {
            view,
            viewer,
            labels,
            profile,
            cursors: BTreeMap::new(),
            sights: BTreeMap::new(),
            records: BTreeMap::new(),
            names: KnownNames::default(),
            counters: Counters::default(),
            limit: None,
        })
    }

    /// Makes ready for another query of the same caller on the same state: budgets and limits begin anew; what was decided
    /// about labels, cursors and records stay.
    pub fn begin(&mut self) {
        self.counters = Counters::default();
        self.limit = None;
        if self.records.len() > BATCH_RECORDS_KEPT_MAX {
            self.records.clear();
        }
        if self.names.count() > BATCH_NAMES_KEPT_MAX {
            self.names = KnownNames::default();
        }
    }

    /// The lists that may be sought, open ones first.
    pub fn heads(&self) -> impl Iterator<Item = Head> + use<'a> {
        let normaliser = self.profile.normaliser_version;
        self.viewer.partitions().iter().map(move |partition: &Partition| Head { normaliser, partition: *partition })
    }

    /// Notes that a limit cut the search short; the first one is told.
    pub fn cut(&mut self, limit: &'static str, value: u64) {
        self.limit.get_or_insert((limit, value));
    }

    /// Decided once per label.
    pub fn sight(&mut self, label: LabelId) -> Result<Sight, ViewError> {
        if let Some(sight) = self.sights.get(&label) {
            return Ok(*sight);
        }
        let sight = self.viewer.sight(self.labels.label(label)?.as_ref());
        self.sights.insert(label, sight);
        Ok(sight)
    }

    /// A cursor over one family, made at the first use.
    pub fn cursor(&mut self, family: Family) -> Box<dyn Cursor + 'a> {
        self.cursors.remove(&family).unwrap_or_else(|| self.view.cursor(family))
    }

    /// Gives a cursor back for the next use.
    pub fn keep(&mut self, family: Family, cursor: Box<dyn Cursor + 'a>) {
        self.cursors.insert(family, cursor);
    }

    /// Visits the visible postings under `prefix`, of those years alone where the key goes on with a year. Hidden ones
    /// count against nothing. `planned`
    /// lists follow from the query alone and count against the budget of seeks; others (neighbours of misspelt names)
    /// depend on what is in the store, hidden alerts included, and so may not move it.
    pub fn scan(
        &mut self,
        family: Family,
        prefix: &[u8],
        years: Option<RangeInclusive<u16>>,
        planned: bool,
        visit: &mut dyn FnMut(Tail, &[u8]),
    ) -> Result<(), ViewError> {
        let budget = u64::from(self.profile.budget_seeks);
        if planned && self.counters.seeks >= budget {
            self.cut(explain::LIMIT_SEEKS, budget);
            return Ok(());
        }
        self.counters.seeks += u64::from(planned);
        let mut cursor = self.cursor(family);
        match &years {
            None => cursor.seek(prefix, prefix)?,
            Some(years) => cursor.seek(&key::with_year(prefix.to_vec(), *years.start()), prefix)?,
        }
        while let Some((key, value)) = cursor.entry() {
            if years
                .as_ref()
                .is_some_and(|years| key::year_after(key, prefix.len()).is_none_or(|year| year > *years.end()))
            {
                break;
            }
            let (Some(tail), Some(label)) = (Tail::of_key(family, key), signature::label(value)) else {
                return Err(ViewError(format!("an entry of {} does not decode", family.name())));
            };
            if self.sight(label)? != Sight::Hidden {
                let budget = u64::from(self.profile.budget_postings);
                if self.counters.postings >= budget {
                    self.cut(explain::LIMIT_POSTINGS, budget);
                    break;
                }
                self.counters.postings += 1;
                visit(tail, value);
            }
            cursor.next()?;
        }
        self.keep(family, cursor);
        Ok(())
    }

    /// The record of a posting, if the caller may see it. An index entry without a record is an error: both are written
    /// in one batch.
    pub fn record(&mut self, id: AlertId) -> Result<Option<Arc<StoredAlert>>, ViewError> {
        if let Some(record) = self.records.get(&id) {
            return Ok(record.clone());
        }
        let Some(bytes) = self.view.get(Family::Alerts, id.as_bytes())? else {
            return Err(ViewError(format!("the index leads to alert {id}, which is not there")));
        };
        let stored = StoredAlert::decode(&bytes).map_err(|error| unreadable(id, error))?;
        // The label in the posting was tested; the record's own is tested again, so that no stale posting shows anything.
        let record = if self.sight(stored.header.label)? == Sight::Hidden { None } else { Some(Arc::new(stored)) };
        self.records.insert(id, record.clone());
        Ok(record)
    }

    /// The names of a record's subject.
    pub fn name_forms(
        &mut self,
        id: AlertId,
        record: &StoredAlert,
        normaliser: Normaliser,
    ) -> Result<Vec<NameForm>, ViewError> {
        let section: NamesOnly = record.section(sections::IDENTITIES).map_err(|error| unreadable(id, error))?;
        self.names.forms(&section, normaliser).map_err(|error| unreadable(id, error))
    }

    /// Takes one record from the budget of scores; `false` when it is used up.
    pub fn may_score(&mut self) -> bool {
        let budget = u64::from(self.profile.budget_scores);
        if self.counters.scored >= budget {
            self.cut(explain::LIMIT_SCORES, budget);
            return false;
        }
        self.counters.scored += 1;
        true
    }
}

/// For a record that does not decode.
pub(super) fn unreadable(id: AlertId, error: impl std::fmt::Display) -> ViewError {
    ViewError(format!("alert {id}: {error}"))
}
