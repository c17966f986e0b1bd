//! Section 3: persons and organisations.

use super::{
    checker::{
        Checker,
        Need::{self, Optional, Required},
    },
    date::{self, When},
    number,
};
use crate::{
    alert::{
        fault,
        rules::codes::{attributes, lists},
    },
    limits::{DOCUMENTS_MAX, IDENTITIES_MAX, LIST_ITEMS_MAX, NAME_FORMS_MAX, NAME_PARTS_MAX},
    pb,
};

/// Heights outside this are worth a second look.
const HEIGHT_CM_USUAL: std::ops::RangeInclusive<u32> = 40..=240;

pub(super) fn identities(check: &mut Checker, section: &pb::IdentitySection) {
    check.each("identities", &section.identities, IDENTITIES_MAX, |check, identity| {
        check.code("kind", &identity.kind, lists::IDENTITY_KIND, Required);
        self::identity(check, identity);
    });
    check.each("markers", &section.markers, LIST_ITEMS_MAX, |check, marker| {
        check.code("marker", &marker.marker, "warning-marker", Required);
        grading(check, &marker.grading);
        check.long_text("note", &marker.note, Optional);
    });
    check.each("roles", &section.roles, LIST_ITEMS_MAX, |check, role| {
        check.code("role", &role.role, "subject-role", Required);
        grading(check, &role.grading);
    });
    check.each("organisations", &section.organisations, IDENTITIES_MAX, organisation);
}

/// An identity apart from its kind; also of a victim.
pub(super) fn identity(check: &mut Checker, identity: &pb::Identity) {
    if is_empty(identity) {
        check.fault(fault::REQUIRED, "an identity without any data; leave it out");
    }
    check.each("names", &identity.names, NAME_FORMS_MAX, name_form);
    check.each("birth_dates", &identity.birth_dates, LIST_ITEMS_MAX, date::birth_date);
    check.code("gender", &identity.gender, "gender", Optional);
    check.parties("nationalities", &identity.nationalities);
    check.each("birth_places", &identity.birth_places, LIST_ITEMS_MAX, super::place_fields);
    check.each("physical_marks", &identity.physical_marks, LIST_ITEMS_MAX, |check, mark| {
        check.code("kind", &mark.kind, "physical-mark", Required);
        check.text("location", &mark.location, Optional);
        check.long_text("description", &mark.description, Optional);
        grading(check, &mark.grading);
    });
    check.each("national_numbers", &identity.national_numbers, LIST_ITEMS_MAX, |check, national| {
        check.code("kind", &national.kind, "national-number", Required);
        check.party("country", &national.country, Optional);
        number(check, "number", &national.number, Required);
    });
    check.each("documents", &identity.documents, DOCUMENTS_MAX, document);
    grading(check, &identity.grading);
    if identity.height_cm.is_some_and(|height| !HEIGHT_CM_USUAL.contains(&height)) {
        check.warn_at("height_cm", fault::UNUSUAL, "a rare height in centimetres");
    }
    check.long_text("description", &identity.description, Optional);
    check.each("addresses", &identity.addresses, LIST_ITEMS_MAX, super::place_fields);
}

/// True when an identity says nothing but its kind.
fn is_empty(identity: &pb::Identity) -> bool {
    let bare = pb::Identity { kind: identity.kind.clone(), grading: identity.grading.clone(), ..Default::default() };
    *identity == bare
}

fn organisation(check: &mut Checker, organisation: &pb::OrganisationIdentity) {
    check.code("kind", &organisation.kind, lists::IDENTITY_KIND, Required);
    if organisation.names.is_empty() && organisation.registration_numbers.is_empty() {
        check.fault(fault::REQUIRED, "an organisation needs a name or a registration number");
    }
    check.each("names", &organisation.names, NAME_FORMS_MAX, |check, name| {
        name_texts(check, name);
    });
    check.each("registration_numbers", &organisation.registration_numbers, LIST_ITEMS_MAX, |check, registration| {
        check.code("kind", &registration.kind, "registration-number", Required);
        check.party("country", &registration.country, Optional);
        number(check, "number", &registration.number, Required);
    });
    check.each("addresses", &organisation.addresses, LIST_ITEMS_MAX, super::place_fields);
    grading(check, &organisation.grading);
}

fn name_form(check: &mut Checker, name: &pb::NameForm) {
    name_texts(check, name);
    if name.parts.is_empty() && !name.full_text.is_empty() {
        check.warn("NAME_UNDIVIDED", "a name divided into its parts is found more surely");
    }
}

fn name_texts(check: &mut Checker, name: &pb::NameForm) {
    if name.parts.is_empty() && name.full_text.is_empty() {
        check.fault(fault::REQUIRED, "a name without any text");
    }
    check.each("parts", &name.parts, NAME_PARTS_MAX, |check, part| {
        check.code("kind", &part.kind, "name-part", Required);
        name_text(check, "text", &part.text, Required);
    });
    name_text(check, "full_text", &name.full_text, Optional);
    let script = name.script.as_bytes();
    let is_script =
        script.len() == 4 && script[0].is_ascii_uppercase() && script[1..].iter().all(u8::is_ascii_lowercase);
    if !script.is_empty() && !is_script {
        check.fault_at("script", fault::BAD_FORMAT, "no ISO 15924 code, such as \"Latn\" or \"Arab\"");
    }
    check.language("language", &name.language, Optional);
    let origin = check.enumeration::<pb::NameOrigin>("origin", name.origin, Optional);
    check.token("scheme", &name.scheme, if origin == Some(pb::NameOrigin::Generated) { Required } else { Optional });
}

fn name_text(check: &mut Checker, field: &str, text: &str, need: Need) {
    check.text(field, text, need);
    if !text.trim().is_empty() && !text.chars().any(char::is_alphabetic) {
        check.warn_at(field, fault::UNUSUAL, "a name without a letter");
    }
}

/// An identity document of a person, or as an object.
pub(super) fn document(check: &mut Checker, document: &pb::IdentityDocument) {
    check.code("type", &document.r#type, "document-type", Required);
    let issuer = check.party("issuing_country", &document.issuing_country, Optional);
    if issuer.is_some_and(|issuer| issuer.kind == crate::alert::party::PartyKind::Jurisdiction) {
        check.fault_at("issuing_country", fault::INCONSISTENT, "a jurisdiction issues no documents");
    }
    if document.number.is_empty() && document.mrz.is_empty() {
        check.fault(fault::REQUIRED, "a document needs its number or its machine-readable zone");
    }
    number(check, "number", &document.number, Optional);
    date::partial_date(check, "issued", &document.issued, When::Past);
    date::partial_date(check, "expires", &document.expires, When::Any);
    if let (Some(issued), Some(expires)) = (&document.issued, &document.expires)
        && date::is_after(issued, expires)
    {
        check.fault_at("expires", fault::INCONSISTENT, "the document expires before it was issued");
    }
    check.text("issuing_authority", &document.issuing_authority, Optional);
    super::mrz(check, "mrz", &document.mrz);
}

pub(super) fn grading(check: &mut Checker, grading: &Option<pb::Grading>) {
    let Some(grading) = grading else { return };
    check.within("grading", |check| {
        check.code("assertion", &grading.assertion, "assertion", Optional);
        check.code("source_evaluation", &grading.source_evaluation, "source-evaluation", Optional);
        check.code("information_assessment", &grading.information_assessment, "information-assessment", Optional);
        check.code("handling_condition", &grading.handling_condition, "handling-condition", Optional);
    });
}

/// What the section must hold for the kind of subject it is about.
pub(super) fn subject(check: &mut Checker, alert: &pb::Alert, kind: pb::SubjectKind, lenient: bool) {
    let empty = pb::IdentitySection::default();
    let section = alert.identities.as_ref().unwrap_or(&empty);
    match kind {
        pb::SubjectKind::Person => {
            if section.identities.is_empty() {
                check.fault_at("identities.identities", fault::REQUIRED, "a person's alert needs an identity");
            } else if section.identities.iter().all(|identity| identity.names.is_empty())
                && !may_be_nameless(check, alert)
            {
                let message = "a person's alert needs a name in at least one identity";
                if lenient {
                    check.warn_at("identities.identities[0].names", fault::REQUIRED, message);
                } else {
                    check.fault_at("identities.identities[0].names", fault::REQUIRED, message);
                }
            }
            if !section.identities.is_empty() && section.identities.iter().all(|identity| is_misused(check, identity)) {
                let message =
                    "only misused identities: the person sought has an identity of their own, even if unknown";
                check.warn_at("identities.identities", fault::INCONSISTENT, message);
            }
            if !section.organisations.is_empty() {
                check.fault_at("identities.organisations", fault::INCONSISTENT, "the alert is about a person");
            }
        }
        pb::SubjectKind::Organisation => {
            if section.organisations.is_empty() {
                check.fault_at("identities.organisations", fault::REQUIRED, "an organisation's alert needs one");
            }
            if !section.identities.is_empty() {
                check.fault_at("identities.identities", fault::INCONSISTENT, "the alert is about an organisation");
            }
        }
        pb::SubjectKind::Object => {
            if *section != empty {
                check.fault_at("identities", fault::INCONSISTENT, "the alert is about an object, not a person");
            }
        }
        pb::SubjectKind::Unspecified => {}
    }
}

/// An identity that belongs to somebody else, by the attribute of its kind.
pub(super) fn is_misused(check: &Checker, identity: &pb::Identity) -> bool {
    let kind = identity.kind.as_ref();
    kind.is_some_and(|kind| {
        check.rules.attribute(lists::IDENTITY_KIND, &kind.value, attributes::MISUSED) == Some("true")
    })
}

/// A category whose subjects have no known name, by its attribute.
fn may_be_nameless(check: &Checker, alert: &pb::Alert) -> bool {
    let category = alert.core.as_ref().and_then(|core| core.category.as_ref());
    category
        .is_some_and(|code| check.rules.attribute(lists::CATEGORY, &code.value, attributes::NAMELESS) == Some("true"))
}
