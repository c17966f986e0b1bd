//! What of a record a viewer is given: an allow-list of sections per [`Sight`], then, for partners, of fields.

use prost::Message;

use super::{
    Agreement, RecordError, RuleSet, Sight, Viewer,
    lifecycle::{self, ActionGround},
    record::{retain_fields, sections},
};
use crate::pb;

/// A record as one viewer may have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redacted {
    /// Encoded `pb::Alert`.
    pub alert: Vec<u8>,
    /// Names of the sections that this viewer's rights leave out, whether or not the record has them: the list says
    /// nothing about the record.
    pub withheld: Vec<&'static str>,
}

/// Field numbers outside the sections that every viewer is given.
const ID: u32 = 1;

/// What a UK caller who is not the owner gets.
const DOMESTIC: &[u32] = &[
    ID,
    sections::CORE,
    sections::IDENTITIES,
    sections::OBJECTS,
    sections::ACTION,
    sections::ATTACHMENTS,
    sections::LIFECYCLE,
];

/// The sections that an agreement can give a right to.
const BY_RIGHT: [(u32, &str); 4] = [
    (sections::IDENTITIES, "identities"),
    (sections::OBJECTS, "objects"),
    (sections::ACTION, "action"),
    (sections::ATTACHMENTS, "attachments"),
];

/// Cuts an encoded alert down to what `viewer` may have of it under `sight` (of the same viewer and the alert's label).
/// `None` when that is nothing.
///
/// * Owner: every byte.
/// * Domestic: bytes copied, without victims' data, the internal section and unknown sections.
/// * Partner: decoded and made anew, so that no unknown field leaves; see [`for_partner`].
pub fn redact(
    alert: &[u8],
    sight: Sight,
    viewer: &Viewer,
    rules: &RuleSet,
    now_ms: u64,
) -> Result<Option<Redacted>, RecordError> {
    Ok(match (sight, viewer.agreement()) {
        (Sight::Owner, _) => Some(Redacted { alert: alert.to_vec(), withheld: Vec::new() }),
        (Sight::Domestic, _) => Some(Redacted {
            alert: retain_fields(alert, |field| DOMESTIC.contains(&field))?,
            withheld: withheld(|section| DOMESTIC.contains(&section)),
        }),
        (Sight::Partner, Some(agreement)) => {
            // Sections that never go out are not even decoded.
            let known = retain_fields(alert, |field| DOMESTIC.contains(&field))?;
            let decoded = pb::Alert::decode(known.as_slice())?;
            let shown = for_partner(decoded, viewer, agreement, rules, now_ms);
            let given = |section| {
                section == sections::CORE
                    || BY_RIGHT.iter().any(|(number, name)| *number == section && has_right(agreement, name))
            };
            Some(Redacted { alert: shown.encode_to_vec(), withheld: withheld(given) })
        }
        (Sight::Hidden, _) | (Sight::Partner, None) => None,
    })
}

fn withheld(given: impl Fn(u32) -> bool) -> Vec<&'static str> {
    sections::NAMES.into_iter().filter(|(section, _)| !given(*section)).map(|(_, name)| name).collect()
}

fn has_right(agreement: &Agreement, section: &str) -> bool {
    agreement.record_field(section)
}

/// What a partner gets of a decoded alert, built field by field:
///
/// * core, without what tells of others: the parent alert, to whom else it goes, the owner's wish;
/// * identities, objects, action, attachments by right; generated name forms never; attachments whose handling the
///   agreement does not name, or of a kind it gives no right to, never;
/// * the action as it stands for the partner's territory; the United Kingdom's local effects never;
/// * of the life cycle only from when until when.
pub fn for_partner(
    alert: pb::Alert,
    viewer: &Viewer,
    agreement: &Agreement,
    rules: &RuleSet,
    now_ms: u64,
) -> pb::Alert {
    let action = agreement.record_field("action").then(|| action(&alert, viewer, rules, now_ms)).flatten();
    let pb::Alert { id, core, identities, objects, attachments, lifecycle, .. } = alert;
    pb::Alert {
        id,
        core: core.map(partner_core),
        identities: identities.filter(|_| agreement.record_field("identities")).map(partner_identities),
        victims: None,
        objects: objects.filter(|_| agreement.record_field("objects")),
        action,
        internal: None,
        attachments: attachments
            .map(|section| partner_attachments(section, agreement))
            .filter(|section| !section.attachments.is_empty()),
        lifecycle: lifecycle.map(|lifecycle| pb::Lifecycle {
            valid_from: lifecycle.valid_from,
            expires_at: lifecycle.expires_at,
            ..Default::default()
        }),
        data_key_id: 0,
    }
}

fn partner_core(core: pb::Core) -> pb::Core {
    pb::Core {
        distribution: core
            .distribution
            .filter(|distribution| distribution.no_onward)
            .map(|_| pb::Distribution { no_onward: true, ..Default::default() }),
        parent_alert_id: String::new(),
        requested_expiry: None,
        ..core
    }
}

fn partner_identities(mut section: pb::IdentitySection) -> pb::IdentitySection {
    let names = section.identities.iter_mut().map(|identity| &mut identity.names);
    for names in names.chain(section.organisations.iter_mut().map(|organisation| &mut organisation.names)) {
        names.retain(|name| name.origin != pb::NameOrigin::Generated as i32);
    }
    section
}

fn partner_attachments(section: pb::AttachmentSection, agreement: &Agreement) -> pb::AttachmentSection {
    let may_have = |attachment: &pb::AttachmentReference| {
        agreement.attachment_kind(attachment.kind.as_ref().map_or("", |kind| kind.value.as_str()))
            && attachment.handling.as_ref().is_none_or(|handling| agreement.handles(&handling.value))
    };
    pb::AttachmentSection { attachments: section.attachments.into_iter().filter(may_have).collect() }
}

fn action(alert: &pb::Alert, viewer: &Viewer, rules: &RuleSet, now_ms: u64) -> Option<pb::ActionSection> {
    let shown = lifecycle::action_for(alert, viewer.territories(), rules, now_ms);
    if alert.action.is_none() && shown.ground == ActionGround::Own {
        return None;
    }
    Some(pb::ActionSection { action: shown.action, texts: shown.texts, local_effects: Vec::new() })
}

#[cfg(test)]
mod tests;
