//! What is left of an ended alert: who, when, what kind; no personal data.

use crate::{
    alert::{rules::codes::lists, time},
    pb,
};

/// The record that stays in place of `alert`, ended at `now_ms` for `reason` (list "deletion-reason") by `by` (a caller,
/// or empty for the store itself).
///
/// Of the core stay only the owner's party and authority, the source's system, the category and the kind of subject:
/// what decides that the owner's bureau, and nobody else, still sees it, and how long its history is kept. References,
/// contacts, decisions and offences go: a reference number can lead to a person. It is built anew from named fields,
/// so that a field of tomorrow is left out by default.
pub fn tombstone(alert: &pb::Alert, reason: &str, by: &str, now_ms: u64) -> pb::Alert {
    let core = alert.core.as_ref();
    let category = core.and_then(|core| core.category.clone());
    let subject_kind = core.map_or(0, |core| core.subject_kind);
    let owner = core.and_then(|core| core.owner.as_ref()).map(|owner| pb::Owner {
        party: owner.party.clone(),
        authority: owner.authority.clone(),
        contact: None,
    });
    let source = core
        .and_then(|core| core.source.as_ref())
        .map(|source| pb::Source { system: source.system.clone(), ..Default::default() });
    pb::Alert {
        id: alert.id.clone(),
        core: Some(pb::Core { owner, source, subject_kind, category: category.clone(), ..Default::default() }),
        lifecycle: Some(pb::Lifecycle {
            tombstone: Some(pb::Tombstone {
                reason: Some(pb::Code { list: lists::DELETION_REASON.into(), value: reason.into() }),
                deleted_at: Some(time::from_ms(now_ms)),
                deleted_by: by.into(),
                category,
                subject_kind,
                erased: false,
                history_until: None,
            }),
            ..Default::default()
        }),
        ..Default::default()
    }
}
