//! Which alerts a list, an export or a watch is about. All but the end of the alert is decided by its label alone.

use std::collections::BTreeSet;

use alert_core::{
    alert::{
        Label, StoredAlert, party, sections,
        time::{field_ms, to_ms},
    },
    pb,
};

use super::super::errors::{ApiError, ApiResult};

/// `pb::AlertFilter` as sets; an empty set takes everything.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    categories: BTreeSet<String>,
    object_classes: BTreeSet<String>,
    owners: BTreeSet<String>,
    states: BTreeSet<i32>,
    sources: BTreeSet<String>,
    expires_before_ms: Option<u64>,
}

impl Filter {
    /// From the contract; absent = everything.
    pub fn new(filter: Option<&pb::AlertFilter>) -> ApiResult<Self> {
        let Some(filter) = filter else { return Ok(Self::default()) };
        let values = |codes: &[pb::Code]| codes.iter().map(|code| code.value.clone()).collect();
        let expires_before_ms =
            match &filter.expires_before {
                None => None,
                Some(time) => Some(to_ms(time).ok_or_else(|| {
                    ApiError::field("filter.expires_before", "OUT_OF_RANGE", "a time from 1970 to 9999")
                })?),
            };
        Ok(Self {
            categories: values(&filter.categories),
            object_classes: values(&filter.object_classes),
            owners: filter.owners.iter().map(|owner| party::canonical(&owner.code)).collect(),
            states: filter.states.iter().copied().collect(),
            sources: filter.sources.iter().cloned().collect(),
            expires_before_ms,
        })
    }

    /// True when it looks at more than the label.
    pub fn needs_record(&self) -> bool {
        self.expires_before_ms.is_some()
    }

    /// What the label says.
    pub fn takes(&self, label: &Label) -> bool {
        let named = |set: &BTreeSet<String>, value: &String| set.is_empty() || set.contains(value);
        named(&self.categories, &label.category)
            && named(&self.owners, &label.owner_party)
            && named(&self.sources, &label.source)
            && (self.states.is_empty() || self.states.contains(&label.state))
            && (self.object_classes.is_empty() || !self.object_classes.is_disjoint(&label.object_classes))
    }

    /// What the record says beyond its label.
    pub fn takes_record(&self, stored: &StoredAlert) -> ApiResult<bool> {
        let Some(before) = self.expires_before_ms else { return Ok(true) };
        let lifecycle: pb::Lifecycle = stored.section(sections::LIFECYCLE)?;
        Ok(field_ms(&lifecycle.expires_at).is_some_and(|expires| expires < before))
    }
}
