//! Sections 4, 6, 7 and 8: victims, action, internal notes, attachments.

use std::collections::BTreeSet;

use super::{
    checker::{
        Checker,
        Need::{Optional, Required},
    },
    person::{self, identity as identity_fields},
};
use crate::{
    alert::{fault, party, rules::codes::lists, victim},
    limits::{ATTACHMENT_BYTES_MAX, ATTACHMENTS_BYTES_MAX, ATTACHMENTS_MAX, LIST_ITEMS_MAX},
    pb,
};

pub(super) fn victims(check: &mut Checker, alert: &pb::Alert, section: &pb::VictimSection) {
    let identities = alert.identities.as_ref().map(|section| section.identities.as_slice()).unwrap_or_default();
    let misused = identities.iter().any(|identity| person::is_misused(check, identity));
    if !section.victims.is_empty() && !misused {
        check.fault(fault::INCONSISTENT, "victims' data without a misused identity");
    }
    check.each("victims", &section.victims, LIST_ITEMS_MAX, |check, person| {
        if let Some(identity) = &person.identity {
            check.within("identity", |check| identity_fields(check, identity));
        }
        check.each("consents", &person.consents, LIST_ITEMS_MAX, |check, consent| {
            check.code("field_category", &consent.field_category, "victim-field", Required);
            let given = check.past_time("given_at", &consent.given_at);
            if consent.given_at.is_none() {
                check.fault_at("given_at", fault::REQUIRED, "when the consent was given");
            }
            // Evidence goes when the consent is withdrawn: it may quote the data.
            let need = if consent.withdrawn_at.is_some() { Optional } else { Required };
            check.long_text("evidence", &consent.evidence, need);
            let withdrawn = check.past_time("withdrawn_at", &consent.withdrawn_at);
            if matches!((given, withdrawn), (Some(given), Some(withdrawn)) if withdrawn < given) {
                check.fault_at("withdrawn_at", fault::INCONSISTENT, "withdrawn before it was given");
            }
        });
        for category in victim::without_consent(person) {
            let message = format!("the victim's data of kind \"{category}\" needs a consent in force");
            check.fault_at("consents", fault::REQUIRED, &message);
        }
        check.long_text("how_to_tell_apart", &person.how_to_tell_apart, Optional);
    });
}

pub(super) fn action(check: &mut Checker, alert: &pb::Alert, section: &pb::ActionSection) {
    check.code("action", &section.action, lists::ACTION, Optional);
    localised(check, "texts", &section.texts);
    let owner = alert.core.as_ref().and_then(|core| core.owner.as_ref()).and_then(|owner| owner.party.as_ref());
    let domestic = owner.is_some_and(|party| party::normalise(&party.code) == Some(crate::alert::UNITED_KINGDOM));
    if domestic && !section.local_effects.is_empty() {
        let message = "a United Kingdom alert's own action is its effect here";
        check.warn_at("local_effects", fault::INCONSISTENT, message);
    }
    check.each("local_effects", &section.local_effects, LIST_ITEMS_MAX, |check, effect| {
        check.code("jurisdiction", &effect.jurisdiction, lists::JURISDICTION, Required);
        check.code("action", &effect.action, lists::ACTION, Required);
        check.text("legal_basis", &effect.legal_basis, Required);
        check.text("certificate_reference", &effect.certificate_reference, Optional);
        check.text("certified_by", &effect.certified_by, Required);
        let certified = check.past_time("certified_at", &effect.certified_at);
        if effect.certified_at.is_none() {
            check.fault_at("certified_at", fault::REQUIRED, "when the effect was certified");
        }
        let withdrawn = check.time("withdrawn_at", &effect.withdrawn_at);
        if matches!((certified, withdrawn), (Some(certified), Some(withdrawn)) if withdrawn < certified) {
            check.fault_at("withdrawn_at", fault::INCONSISTENT, "withdrawn before it was certified");
        }
    });
}

/// Texts, one per language.
pub(super) fn localised(check: &mut Checker, field: &str, texts: &[pb::LocalisedText]) {
    let mut languages = BTreeSet::new();
    check.each(field, texts, LIST_ITEMS_MAX, |check, text| {
        check.language("language", &text.language, Required);
        check.long_text("text", &text.text, Required);
        if !languages.insert(text.language.to_ascii_lowercase()) {
            check.fault_at("language", fault::DUPLICATE, "two texts in one language");
        }
    });
}

pub(super) fn internal(check: &mut Checker, section: &pb::InternalSection) {
    check.text("case_reference", &section.case_reference, Optional);
    check.long_text("note", &section.note, Optional);
    check.text("created_by", &section.created_by, Optional);
    check.texts("keywords", &section.keywords);
}

pub(super) fn attachments(check: &mut Checker, section: &pb::AttachmentSection) {
    let mut hashes = BTreeSet::new();
    check.each("attachments", &section.attachments, ATTACHMENTS_MAX, |check, attachment| {
        self::attachment(check, attachment);
        if !hashes.insert(attachment.content_hash.clone()) {
            check.fault_at("content_hash", fault::DUPLICATE, "the same attachment twice");
        }
    });
    let bytes = section.attachments.iter().map(|attachment| attachment.size_bytes).fold(0, u64::saturating_add);
    if bytes > ATTACHMENTS_BYTES_MAX {
        let message = format!("{bytes} bytes together; at most {ATTACHMENTS_BYTES_MAX} are possible");
        check.fault_at("attachments", fault::TOO_LARGE, &message);
    }
}

pub(super) fn attachment(check: &mut Checker, attachment: &pb::AttachmentReference) {
    let hash = attachment.content_hash.as_bytes();
    if hash.len() != 64 || !hash.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        check.fault_at("content_hash", fault::BAD_FORMAT, "a BLAKE3 hash has 64 lower-case hexadecimal digits");
    }
    check.code("kind", &attachment.kind, "attachment-kind", Required);
    check.token("media_type", &attachment.media_type, Required);
    if !attachment.media_type.is_empty()
        && attachment.media_type.split('/').filter(|part| !part.is_empty()).count() != 2
    {
        check.fault_at("media_type", fault::BAD_FORMAT, "no media type, such as \"image/jpeg\"");
    }
    if attachment.size_bytes == 0 || attachment.size_bytes > ATTACHMENT_BYTES_MAX {
        check.fault_at("size_bytes", fault::OUT_OF_RANGE, &format!("1 to {ATTACHMENT_BYTES_MAX} bytes"));
    }
    check.long_text("description", &attachment.description, Optional);
    check.code("handling", &attachment.handling, lists::HANDLING, Optional);
}
