//! What visibility depends on, apart from the record.
//!
//! There are few distinct labels (source x owner x category x handling x ...), so each gets a small number, and index
//! entries carry the number. A search decides once per label, not once per candidate, and hidden alerts leave no trace
//! in its budgets.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{
    RuleSet, lifecycle, party,
    rules::{
        PRIORITY_LOWEST,
        codes::{attributes, lists},
    },
};
use crate::pb;

/// The number of a label, given in the order of first use; the same on every node.
pub type LabelId = u32;

/// Open and covert alerts have separate partitions in every index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub enum Partition {
    /// Everybody's, as far as agreements go.
    Open = b'o',
    /// Discreet, inquiry and specific checks, information alerts: never sought for a caller without the right.
    Covert = b'c',
}

/// Everything that decides who may see an alert, at one moment of replicated time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Label {
    /// `pb::AlertState` as a number.
    pub state: i32,
    /// Which index partition the alert is in.
    pub partition: Partition,
    /// `Source.system`.
    pub source: String,
    /// `Owner.party.code`.
    pub owner_party: String,
    /// `Owner.authority.value`.
    pub owner_authority: String,
    /// `Core.category.value`.
    pub category: String,
    /// `pb::SubjectKind` as a number.
    pub subject_kind: i32,
    /// Values of `Object.class`.
    pub object_classes: BTreeSet<String>,
    /// Values of `Core.handling`.
    pub handling: BTreeSet<String>,
    /// Values of `Core.jurisdictions`.
    pub jurisdictions: BTreeSet<String>,
    /// `Distribution.allow`, party codes; empty = everybody.
    pub allow: BTreeSet<String>,
    /// `Distribution.deny`, party codes.
    pub deny: BTreeSet<String>,
    /// Territories in which the alert is suspended now; "*" = everywhere.
    pub suspended_in: BTreeSet<String>,
    /// Shown to the owner's bureau only.
    pub blocked: bool,
}

impl Label {
    /// The label of an alert in `state` at `now_ms`. Party codes are canonical, so that `GBR` and `GB` compare equal.
    pub fn of(alert: &pb::Alert, state: pb::AlertState, rules: &RuleSet, now_ms: u64) -> Self {
        let empty = pb::Core::default();
        let core = alert.core.as_ref().unwrap_or(&empty);
        let owner = core.owner.as_ref();
        let category = value(&core.category);
        let objects = alert.objects.as_ref().map(|section| section.objects.as_slice()).unwrap_or_default();
        let (allow, deny) = match &core.distribution {
            Some(distribution) => (parties(&distribution.allow), parties(&distribution.deny)),
            None => Default::default(),
        };
        let restrictions = alert.lifecycle.as_ref().map(|section| lifecycle::effective(section, now_ms));
        let restrictions = restrictions.unwrap_or_default();
        Self {
            state: state as i32,
            partition: rules.partition(&category),
            source: core.source.as_ref().map(|source| source.system.clone()).unwrap_or_default(),
            owner_party: owner
                .and_then(|owner| owner.party.as_ref())
                .map(|party| party::canonical(&party.code))
                .unwrap_or_default(),
            owner_authority: owner.map(|owner| value(&owner.authority)).unwrap_or_default(),
            category,
            subject_kind: core.subject_kind,
            object_classes: objects.iter().map(|object| value(&object.class)).collect(),
            handling: core.handling.iter().map(|code| code.value.clone()).collect(),
            jurisdictions: core.jurisdictions.iter().map(|code| code.value.clone()).collect(),
            allow,
            deny,
            suspended_in: restrictions.suspended_in,
            blocked: restrictions.blocked,
        }
    }
}

/// Urgency of an alert, 0 = most urgent: the most urgent of its category, its type of missing-person case and its own
/// urgency, as the code lists say. Ties of a search and cut lists go by it.
pub fn priority(alert: &pb::Alert, rules: &RuleSet) -> u8 {
    let Some(core) = &alert.core else { return PRIORITY_LOWEST };
    let category =
        core.category.as_ref().and_then(|code| rules.category(&code.value)).map(|category| category.priority);
    let of_list = |code: &Option<pb::Code>, list: &str| {
        rules.attribute(list, &code.as_ref()?.value, attributes::PRIORITY)?.parse().ok()
    };
    let case = of_list(&core.missing_person_case, lists::MISSING_PERSON_CASE);
    let urgency = of_list(&core.urgency, lists::URGENCY);
    [category, case, urgency].into_iter().flatten().min().unwrap_or(PRIORITY_LOWEST)
}

/// True when a hit on the alert needs an answer at once: by its own urgency, its category, or its type of missing-person
/// case.
pub fn is_urgent(alert: &pb::Alert, rules: &RuleSet) -> bool {
    let Some(core) = &alert.core else { return false };
    let category = core.category.as_ref().and_then(|code| rules.category(&code.value));
    let case = core.missing_person_case.as_ref();
    core.urgency.is_some()
        || category.is_some_and(|category| category.urgent)
        || case.is_some_and(|code| {
            rules.attribute(lists::MISSING_PERSON_CASE, &code.value, attributes::URGENT) == Some("true")
        })
}

fn value(code: &Option<pb::Code>) -> String {
    code.as_ref().map(|code| code.value.clone()).unwrap_or_default()
}

fn parties(parties: &[pb::Party]) -> BTreeSet<String> {
    parties.iter().map(|party| party::canonical(&party.code)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::{
        sample::{self, NOW_MS, code, codes, parties, rules},
        time::from_ms,
    };

    #[test]
    fn a_label_holds_what_visibility_asks_in_canonical_codes() {
        let mut alert = sample::person("arrest");
        let core = alert.core.as_mut().unwrap();
        core.owner = Some(sample::owner("GBR", "met"));
        core.handling = codes("handling", &["medical"]);
        core.jurisdictions = codes("jurisdiction", &["scotland"]);
        core.distribution = Some(pb::Distribution {
            allow: parties(&["FRA", "D"]),
            deny: parties(&["INTERPOL", "Narnia"]),
            no_onward: false,
        });
        alert.objects = sample::vehicle().objects;
        alert.lifecycle = Some(pb::Lifecycle {
            restrictions: vec![pb::Restriction {
                kind: pb::RestrictionKind::Suspended as i32,
                territories: parties(&["IRL"]),
                from: Some(from_ms(NOW_MS)),
                ..Default::default()
            }],
            ..Default::default()
        });
        let label = Label::of(&alert, pb::AlertState::Active, rules(), NOW_MS);
        let set = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect::<BTreeSet<_>>();
        let expected = Label {
            state: pb::AlertState::Active as i32,
            partition: Partition::Open,
            source: "UK".into(),
            owner_party: "GB".into(),
            owner_authority: "met".into(),
            category: "arrest".into(),
            subject_kind: pb::SubjectKind::Person as i32,
            object_classes: set(&["vehicle"]),
            handling: set(&["medical"]),
            jurisdictions: set(&["scotland"]),
            allow: set(&["FR", "DE"]),
            deny: set(&["XPO", "Narnia"]),
            suspended_in: set(&["IE"]),
            blocked: false,
        };
        assert_eq!(label, expected);
        let earlier = Label::of(&alert, pb::AlertState::Active, rules(), NOW_MS - 1);
        assert_eq!(earlier, Label { suspended_in: set(&[]), ..expected });
    }

    #[test]
    fn an_alert_without_anything_is_covert_and_least_urgent() {
        let label = Label::of(&pb::Alert::default(), pb::AlertState::Draft, rules(), NOW_MS);
        assert_eq!((label.partition, label.state), (Partition::Covert, pb::AlertState::Draft as i32));
        assert_eq!(priority(&pb::Alert::default(), rules()), PRIORITY_LOWEST);
        assert!(!is_urgent(&pb::Alert::default(), rules()));
    }

    #[test]
    fn the_most_urgent_of_category_case_and_urgency_counts() {
        let mut alert = sample::person("missing");
        let adult = priority(&alert, rules());
        alert.core.as_mut().unwrap().missing_person_case = code("missing-person-case", "child-abducted-by-other");
        assert_eq!(priority(&alert, rules()), 0);
        assert!(adult > 0);
        let mut procedure = sample::person("judicial-procedure");
        assert!(!is_urgent(&procedure, rules()));
        procedure.core.as_mut().unwrap().urgency = code("urgency", "urgent");
        assert_eq!(priority(&procedure, rules()), 2);
        assert!(is_urgent(&procedure, rules()));
        assert!(is_urgent(&sample::person("arrest"), rules()));
        // A value that no list knows changes nothing.
        alert.core.as_mut().unwrap().missing_person_case = code("missing-person-case", "unheard-of");
        assert_eq!(priority(&alert, rules()), adult);
    }
}
