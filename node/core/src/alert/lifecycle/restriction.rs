//! What the restrictions of an alert come to at a time.

use std::collections::BTreeSet;

use crate::{
    alert::{EVERYWHERE, party, time},
    pb::{self, RestrictionKind},
};

/// The restrictions in effect at one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EffectiveRestrictions {
    /// Canonical territory codes; "*" = everywhere.
    pub suspended_in: BTreeSet<String>,
    /// Shown to the owner's bureau only.
    pub blocked: bool,
    /// Substitute actions, in the order of the restrictions' numbers.
    pub flags: Vec<ActiveFlag>,
}

/// A flag in effect.
#[derive(Debug, Clone, PartialEq)]
pub struct ActiveFlag {
    /// Number of the restriction.
    pub number: u32,
    /// Canonical territory codes; "*" = everywhere.
    pub territories: BTreeSet<String>,
    /// What is shown in place of the alert's own action.
    pub substitute_action: Option<pb::Code>,
}

/// The restrictions in effect at `now_ms`: begun, not lapsed, not lifted. A restriction of a kind that this version does
/// not know blocks: the safe side.
pub fn effective(lifecycle: &pb::Lifecycle, now_ms: u64) -> EffectiveRestrictions {
    let mut effective = EffectiveRestrictions::default();
    for restriction in lifecycle.restrictions.iter().filter(|restriction| is_in_effect(restriction, now_ms)) {
        match RestrictionKind::try_from(restriction.kind) {
            Ok(RestrictionKind::Suspended) => effective.suspended_in.extend(territories(restriction)),
            Ok(RestrictionKind::Flagged) => effective.flags.push(ActiveFlag {
                number: restriction.number,
                territories: territories(restriction),
                substitute_action: restriction.substitute_action.clone(),
            }),
            Ok(RestrictionKind::Blocked | RestrictionKind::Unspecified) | Err(_) => effective.blocked = true,
        }
    }
    effective.flags.sort_by_key(|flag| flag.number);
    effective
}

/// The next time after `now_ms` at which [`effective`] gives something else because a restriction begins or ends.
pub fn next_boundary(lifecycle: &pb::Lifecycle, now_ms: u64) -> Option<u64> {
    lifecycle
        .restrictions
        .iter()
        .filter_map(|restriction| {
            let (from, until) = span(restriction)?;
            [Some(from), until].into_iter().flatten().find(|boundary| *boundary > now_ms)
        })
        .min()
}

fn is_in_effect(restriction: &pb::Restriction, now_ms: u64) -> bool {
    span(restriction).is_some_and(|(from, until)| from <= now_ms && until.is_none_or(|until| now_ms < until))
}

/// From when until when; `None` for an empty span. Lifting ends it early.
fn span(restriction: &pb::Restriction) -> Option<(u64, Option<u64>)> {
    let from = time::field_ms(&restriction.from).unwrap_or(0);
    let until = [&restriction.until, &restriction.lifted_at].into_iter().filter_map(time::field_ms).min();
    if until.is_some_and(|until| until <= from) { None } else { Some((from, until)) }
}

fn territories(restriction: &pb::Restriction) -> BTreeSet<String> {
    if restriction.territories.is_empty() {
        return BTreeSet::from([EVERYWHERE.to_owned()]);
    }
    restriction.territories.iter().map(|territory| party::canonical(&territory.code)).collect()
}
