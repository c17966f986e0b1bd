//! The action an officer is shown: the alert's own, a flag's substitute, or what it means in the United Kingdom.

use std::collections::BTreeSet;

use super::effective;
use crate::{
    alert::{
        EVERYWHERE, RuleSet, UNITED_KINGDOM, party,
        rules::codes::{attributes, lists},
        time,
    },
    pb,
};

/// Why this action is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActionGround {
    /// The alert's own action.
    Own,
    /// A flag replaces it here (number of the restriction).
    Flag(u32),
    /// A certified local effect (value of its jurisdiction).
    LocalEffect(String),
    /// A foreign alert's action that has no effect here without a certificate.
    NoLocalEffect,
}

/// The action shown to a caller.
#[derive(Debug, Clone, PartialEq)]
pub struct ShownAction {
    /// What to do; absent when the alert says nothing.
    pub action: Option<pb::Code>,
    /// Words of the owner; only with its own action.
    pub texts: Vec<pb::LocalisedText>,
    /// Why.
    pub ground: ActionGround,
}

/// The action for a caller who stands in `territories` (canonical codes: "GB", "GB-SCT"...).
///
/// A flag in effect there comes first (the closest territory counts; of two alike the later). Then, for callers in the
/// United Kingdom, a local effect certified for their jurisdiction or for all of it. Then, for a foreign alert whose
/// action the code list gives no effect here by itself, the list's substitute (Extradition Act 2003 s.74A). Else its own.
pub fn action_for(alert: &pb::Alert, territories: &BTreeSet<String>, rules: &RuleSet, now_ms: u64) -> ShownAction {
    if let Some(lifecycle) = &alert.lifecycle
        && let Some(shown) = flagged(lifecycle, territories, now_ms)
    {
        return shown;
    }
    let section = alert.action.as_ref();
    if territories.contains(UNITED_KINGDOM) {
        if let Some(shown) = section.and_then(|section| local_effect(section, territories, rules, now_ms)) {
            return shown;
        }
        if is_foreign(alert)
            && let Some(action) = section.and_then(|section| section.action.as_ref())
            && let Some(substitute) = rules.attribute(lists::ACTION, &action.value, attributes::WITHOUT_LOCAL_EFFECT)
        {
            let action = pb::Code { list: lists::ACTION.into(), value: substitute.into() };
            return ShownAction { action: Some(action), texts: Vec::new(), ground: ActionGround::NoLocalEffect };
        }
    }
    ShownAction {
        action: section.and_then(|section| section.action.clone()),
        texts: section.map(|section| section.texts.clone()).unwrap_or_default(),
        ground: ActionGround::Own,
    }
}

fn flagged(lifecycle: &pb::Lifecycle, territories: &BTreeSet<String>, now_ms: u64) -> Option<ShownAction> {
    let closeness = |flag_in: &BTreeSet<String>| {
        if flag_in.iter().any(|territory| territory.contains('-') && territories.contains(territory)) {
            Some(2)
        } else if !flag_in.is_disjoint(territories) {
            Some(1)
        } else if flag_in.contains(EVERYWHERE) {
            Some(0)
        } else {
            None
        }
    };
    let flags = effective(lifecycle, now_ms).flags;
    let (_, flag) = flags
        .into_iter()
        .filter_map(|flag| Some((closeness(&flag.territories)?, flag)))
        .max_by_key(|(closeness, flag)| (*closeness, flag.number))?;
    Some(ShownAction { action: flag.substitute_action, texts: Vec::new(), ground: ActionGround::Flag(flag.number) })
}

/// The local effect in force for the caller: of its own jurisdiction before one for the whole of the United Kingdom.
fn local_effect(
    section: &pb::ActionSection,
    territories: &BTreeSet<String>,
    rules: &RuleSet,
    now_ms: u64,
) -> Option<ShownAction> {
    let in_force = |effect: &&pb::LocalEffect| {
        time::field_ms(&effect.certified_at).is_none_or(|certified| certified <= now_ms)
            && time::field_ms(&effect.withdrawn_at).is_none_or(|withdrawn| now_ms < withdrawn)
    };
    let closeness = |effect: &pb::LocalEffect| {
        let jurisdiction = effect.jurisdiction.as_ref()?;
        match rules.attribute(lists::JURISDICTION, &jurisdiction.value, attributes::TERRITORY)? {
            EVERYWHERE => Some(0),
            territory if territories.contains(territory) => Some(1),
            _ => None,
        }
    };
    let (_, effect) = section
        .local_effects
        .iter()
        .filter(in_force)
        .filter_map(|effect| Some((closeness(effect)?, effect)))
        .max_by_key(|(closeness, _)| *closeness)?;
    let jurisdiction = effect.jurisdiction.as_ref().map(|code| code.value.clone()).unwrap_or_default();
    Some(ShownAction {
        action: effect.action.clone(),
        texts: Vec::new(),
        ground: ActionGround::LocalEffect(jurisdiction),
    })
}

fn is_foreign(alert: &pb::Alert) -> bool {
    let owner = alert.core.as_ref().and_then(|core| core.owner.as_ref()).and_then(|owner| owner.party.as_ref());
    owner.is_none_or(|owner| party::normalise(&owner.code) != Some(UNITED_KINGDOM))
}
