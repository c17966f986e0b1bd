//! The one function that says who sees what. Search, get, list, history, feed and export all ask it.

use std::collections::BTreeSet;

use super::{
    Caller, Label, Partition, Role, RuleSet, party,
    rules::codes::{attributes, lists},
    time,
};
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
    partner: String,
    authorities: BTreeSet<String>,
    purposes: BTreeSet<String>,
    candidate_fields: BTreeSet<String>,
    record_fields: BTreeSet<String>,
    active: bool,
    valid_from_ms: u64,
    valid_until_ms: Option<u64>,
}

impl Agreement {
    /// From the stored agreement. Unset owners mean United Kingdom owned only (the third-party rule).
    pub fn new(agreement: &pb::Agreement) -> Self {
        let values = |codes: &[pb::Code]| codes.iter().map(|code| code.value.clone()).collect();
        let fields = |rights: &Option<pb::FieldRights>| {
            rights.as_ref().map(|rights| rights.fields.iter().cloned().collect()).unwrap_or_default()
        };
        let partner = agreement.partner.as_ref().map(|party| party::canonical(&party.code)).unwrap_or_default();
        let mut owners: BTreeSet<String> = agreement.owners.iter().map(|party| party::canonical(&party.code)).collect();
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
            territory: agreement
                .territory
                .as_ref()
                .map_or_else(|| partner.clone(), |party| party::canonical(&party.code)),
            partner,
            authorities: values(&agreement.authorities),
            purposes: values(&agreement.purposes),
            candidate_fields: fields(&agreement.candidate_fields),
            record_fields: fields(&agreement.record_fields),
            active: agreement.state == pb::AgreementState::Active as i32,
            valid_from_ms: time::field_ms(&agreement.valid_from).unwrap_or(0),
            valid_until_ms: time::field_ms(&agreement.valid_until),
        }
    }

    /// True while it is active and within its validity.
    pub fn in_force(&self, now_ms: u64) -> bool {
        self.active && self.valid_from_ms <= now_ms && self.valid_until_ms.is_none_or(|until| now_ms < until)
    }

    /// True when the caller is of the partner, and of one of its authorities where the agreement names them.
    pub fn is_for(&self, caller: &Caller) -> bool {
        party::canonical(&caller.country) == self.partner
            && (self.authorities.is_empty() || self.authorities.contains(&caller.authority))
    }

    /// True when a call may be made for this purpose (value of list "purpose"). No purposes = none.
    pub fn allows_purpose(&self, purpose: &str) -> bool {
        self.purposes.contains(purpose)
    }

    /// True when candidates may carry this field (a field name of `pb::Candidate`).
    pub fn candidate_field(&self, name: &str) -> bool {
        self.candidate_fields.contains(name)
    }

    /// True when full records may carry this section: "identities", "objects", "action" or "attachments".
    pub fn record_field(&self, section: &str) -> bool {
        self.record_fields.contains(section)
    }

    /// True when full records may carry attachments of this kind: all of them by "attachments", or one kind by
    /// "attachments.photo".
    pub fn attachment_kind(&self, kind: &str) -> bool {
        self.record_field("attachments") || self.record_fields.contains(&format!("attachments.{kind}"))
    }

    /// True when it names this handling code.
    pub fn handles(&self, handling: &str) -> bool {
        self.handling.contains(handling)
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
    /// The caller's country, canonical.
    country: String,
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
    /// A viewer. Partners need `agreement`; without it, or with somebody else's, they see nothing. Whether it is in force
    /// is for the caller of this function to check ([`Agreement::in_force`]): this one knows no time.
    pub fn new(caller: Caller, agreement: Option<Agreement>) -> Self {
        let agreement = agreement.filter(|agreement| agreement.is_for(&caller));
        let country = party::canonical(&caller.country);
        let territory = agreement.as_ref().map_or_else(|| country.clone(), |agreement| agreement.territory.clone());
        Self { territories: BTreeSet::from([territory]), caller, country, agreement }
    }

    /// A viewer who also stands where the rules place its authority: a Scottish force in Scotland.
    pub fn of_authority(caller: Caller, agreement: Option<Agreement>, rules: &RuleSet) -> Self {
        let territory = rules.attribute(lists::AUTHORITY, &caller.authority, attributes::TERRITORY).map(str::to_owned);
        let viewer = Self::new(caller, agreement);
        match territory {
            // A foreign authority may have the name of a British one.
            Some(territory) if viewer.country == UNITED_KINGDOM => viewer.in_territory(territory),
            _ => viewer,
        }
    }

    /// Adds a jurisdiction of the United Kingdom the caller works in, for example "GB-SCT".
    #[must_use]
    pub fn in_territory(mut self, territory: impl AsRef<str>) -> Self {
        self.territories.insert(party::canonical(territory.as_ref()));
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
        let domestic = self.country == UNITED_KINGDOM;
        if self.owns(label) {
            return Sight::Owner;
        }
        let in_force = label.state == pb::AlertState::Active as i32
            && !label.blocked
            && !label.suspended_in.contains(EVERYWHERE)
            && label.suspended_in.is_disjoint(&self.territories);
        let party = &self.country;
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
            && self.country == label.owner_party
            && self.caller.authority == label.owner_authority
    }
}

#[cfg(test)]
mod tests;
