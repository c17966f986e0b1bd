//! The one function that says who sees what. Search, get, list, history, feed and export all ask it.

use std::collections::BTreeSet;

use super::{Caller, Label, Partition, Role};
use crate::pb;

/// The territory that stands for everywhere in `Label::suspended_in`.
pub const EVERYWHERE: &str = "*";
/// The United Kingdom's party code.
pub const UNITED_KINGDOM: &str = "GB";

/// An agreement as visibility needs it: sets instead of lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreement {
    /// Its id.
    pub id: String,
    /// Its version.
    pub version: u64,
    sources: BTreeSet<String>,
    owners: BTreeSet<String>,
    categories: BTreeSet<String>,
    object_classes: BTreeSet<String>,
    handling: BTreeSet<String>,
    jurisdictions: BTreeSet<String>,
    covert: bool,
    territory: String,
}

impl Agreement {
    /// From the stored agreement. Unset owners mean United Kingdom owned only (the third-party rule).
    pub fn new(agreement: &pb::Agreement) -> Self {
        let values = |codes: &[pb::Code]| codes.iter().map(|code| code.value.clone()).collect();
        let partner = agreement.partner.as_ref().map(|party| party.code.clone()).unwrap_or_default();
        let mut owners: BTreeSet<String> = agreement.owners.iter().map(|party| party.code.clone()).collect();
        if owners.is_empty() {
            owners.insert(UNITED_KINGDOM.into());
        }
        Self {
            id: agreement.id.clone(),
            version: agreement.version,
            sources: agreement.sources.iter().cloned().collect(),
            owners,
            categories: values(&agreement.categories),
            object_classes: values(&agreement.object_classes),
            handling: values(&agreement.handling),
            jurisdictions: values(&agreement.jurisdictions),
            covert: agreement.covert,
            territory: agreement.territory.as_ref().map_or(partner, |party| party.code.clone()),
        }
    }

    fn lets_in(&self, label: &Label) -> bool {
        let named = |set: &BTreeSet<String>, value: &String| set.is_empty() || set.contains(value);
        self.categories.contains(&label.category)
            && named(&self.sources, &label.source)
            && self.owners.contains(&label.owner_party)
            && label.object_classes.iter().all(|class| named(&self.object_classes, class))
            && label.handling.is_subset(&self.handling)
            && (self.jurisdictions.is_empty()
                || label.jurisdictions.is_empty()
                || !label.jurisdictions.is_disjoint(&self.jurisdictions))
            && (label.partition == Partition::Open || self.covert)
    }
}

/// A caller as visibility sees it: who, where, under which agreement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Viewer {
    caller: Caller,
    /// Present for partners.
    agreement: Option<Agreement>,
    /// Countries and jurisdictions the caller stands in, for suspensions and flags.
    territories: BTreeSet<String>,
}

/// What a viewer may see of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// It does not exist for this viewer.
    Hidden,
    /// Under the agreement's field rights; never internal notes, victims' data or unknown fields.
    Partner,
    /// All that the United Kingdom's callers see: not the internal section, not victims' data.
    Domestic,
    /// The owner's bureau: everything, in every state.
    Owner,
}

impl Viewer {
    /// A viewer. Partners need `agreement`; without it they see nothing.
    pub fn new(caller: Caller, agreement: Option<Agreement>) -> Self {
        let territory =
            agreement.as_ref().map_or_else(|| caller.country.clone(), |agreement| agreement.territory.clone());
        Self { territories: BTreeSet::from([territory]), caller, agreement }
    }

    /// Adds a jurisdiction of the United Kingdom the caller works in, for example "GB-SCT".
    #[must_use]
    pub fn in_territory(mut self, territory: impl Into<String>) -> Self {
        self.territories.insert(territory.into());
        self
    }

    /// Who it is.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The agreement it calls under.
    pub fn agreement(&self) -> Option<&Agreement> {
        self.agreement.as_ref()
    }

    /// Countries and jurisdictions it stands in.
    pub fn territories(&self) -> &BTreeSet<String> {
        &self.territories
    }

    /// The index partitions a search for this viewer seeks in. A covert list is never sought without the right.
    pub fn partitions(&self) -> &'static [Partition] {
        let covert = match self.caller.role {
            Role::Partner => self.agreement.as_ref().is_some_and(|agreement| agreement.covert),
            role => role.sees_covert(),
        };
        if covert { &[Partition::Open, Partition::Covert] } else { &[Partition::Open] }
    }

    /// **The** visibility decision.
    pub fn sight(&self, label: &Label) -> Sight {
        let domestic = self.caller.country == UNITED_KINGDOM;
        if self.owns(label) {
            return Sight::Owner;
        }
        let in_force = label.state == pb::AlertState::Active as i32
            && !label.blocked
            && !label.suspended_in.contains(EVERYWHERE)
            && label.suspended_in.is_disjoint(&self.territories);
        let party = &self.caller.country;
        let distributed = !label.deny.contains(party) && (label.allow.is_empty() || label.allow.contains(party));
        if !in_force || !distributed {
            return Sight::Hidden;
        }
        match self.caller.role {
            Role::Bureau | Role::Search if domestic => Sight::Domestic,
            Role::SearchOpen if domestic && label.partition == Partition::Open => Sight::Domestic,
            Role::Partner => match &self.agreement {
                Some(agreement) if agreement.lets_in(label) => Sight::Partner,
                _ => Sight::Hidden,
            },
            _ => Sight::Hidden,
        }
    }

    /// True for the bureau of the authority that owns the alert.
    pub fn owns(&self, label: &Label) -> bool {
        self.caller.role == Role::Bureau
            && self.caller.country == label.owner_party
            && self.caller.authority == label.owner_authority
    }
}
