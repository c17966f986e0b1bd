//! What the victim of a misused identity agreed to have kept (Regulation (EU) 2018/1862 Art. 62): each kind of data needs
//! a consent, and goes when the consent is withdrawn.

use super::time;
use crate::pb;

/// Takes data out of an identity.
type Remove = fn(&mut pb::Identity);
/// Says whether an identity holds data.
type Holds = fn(&pb::Identity) -> bool;

/// Values of list "victim-field" that are about fields of the identity, with the fields they cover.
const FIELDS: [(&str, Holds, Remove); 8] = [
    ("names", |identity| !identity.names.is_empty(), |identity| identity.names.clear()),
    (
        "birth",
        |identity| !identity.birth_dates.is_empty() || !identity.birth_places.is_empty(),
        |identity| {
            identity.birth_dates.clear();
            identity.birth_places.clear();
        },
    ),
    ("gender", |identity| identity.gender.is_some(), |identity| identity.gender = None),
    ("nationalities", |identity| !identity.nationalities.is_empty(), |identity| identity.nationalities.clear()),
    ("documents", |identity| !identity.documents.is_empty(), |identity| identity.documents.clear()),
    (
        "national-numbers",
        |identity| !identity.national_numbers.is_empty(),
        |identity| identity.national_numbers.clear(),
    ),
    (
        "physical",
        |identity| {
            !identity.physical_marks.is_empty() || identity.height_cm.is_some() || !identity.description.is_empty()
        },
        |identity| {
            identity.physical_marks.clear();
            identity.height_cm = None;
            identity.description.clear();
        },
    ),
    ("addresses", |identity| !identity.addresses.is_empty(), |identity| identity.addresses.clear()),
];

/// Kinds of data that a victim's identity holds without a consent in force.
pub fn without_consent(victim: &pb::Victim) -> Vec<&'static str> {
    let Some(identity) = &victim.identity else { return Vec::new() };
    FIELDS
        .into_iter()
        .filter(|(category, holds, _)| holds(identity) && !has_consent(victim, category))
        .map(|(category, ..)| category)
        .collect()
}

fn has_consent(victim: &pb::Victim, category: &str) -> bool {
    victim.consents.iter().any(|consent| {
        consent.withdrawn_at.is_none() && consent.field_category.as_ref().is_some_and(|code| code.value == category)
    })
}

/// Withdraws consents of one victim at `now_ms` and takes out the data they covered; no categories = all of that victim.
/// A victim of whom nothing is left goes. True when anything changed; false also when there is no such victim.
pub fn withdraw(section: &mut pb::VictimSection, victim_index: usize, categories: &[String], now_ms: u64) -> bool {
    let Some(victim) = section.victims.get_mut(victim_index) else { return false };
    let before = victim.clone();
    let concerned = |category: &str| categories.is_empty() || categories.iter().any(|named| named == category);
    for consent in &mut victim.consents {
        let category = consent.field_category.as_ref().map_or("", |code| code.value.as_str());
        if concerned(category) && consent.withdrawn_at.is_none() {
            consent.withdrawn_at = Some(time::from_ms(now_ms));
        }
    }
    if let Some(identity) = &mut victim.identity {
        for (_, _, remove) in FIELDS.into_iter().filter(|(category, ..)| concerned(category)) {
            remove(identity);
        }
    }
    let nothing_left =
        victim.identity.as_ref().is_none_or(|identity| !FIELDS.iter().any(|(_, holds, _)| holds(identity)));
    if nothing_left {
        // The words on how to tell victim and offender apart are data of the victim as well.
        victim.identity = None;
        victim.how_to_tell_apart.clear();
    }
    *victim != before
}

#[cfg(test)]
mod tests {
    use super::*;

    fn victim() -> pb::Victim {
        let consent = |value: &str| pb::Consent {
            field_category: Some(pb::Code { list: "victim-field".into(), value: value.into() }),
            given_at: Some(time::from_ms(1)),
            evidence: "form".into(),
            withdrawn_at: None,
        };
        pb::Victim {
            identity: Some(pb::Identity {
                names: vec![pb::NameForm { full_text: "Test Person".into(), ..Default::default() }],
                height_cm: Some(170),
                ..Default::default()
            }),
            consents: vec![consent("names"), consent("physical")],
            how_to_tell_apart: "scar".into(),
        }
    }

    #[test]
    fn data_without_consent_is_named() {
        let mut victim = victim();
        assert!(without_consent(&victim).is_empty());
        victim.consents.remove(1);
        assert_eq!(without_consent(&victim), ["physical"]);
        victim.consents[0].withdrawn_at = Some(time::from_ms(2));
        assert_eq!(without_consent(&victim), ["names", "physical"]);
    }

    #[test]
    fn withdrawn_consent_takes_its_data_along() {
        let mut section = pb::VictimSection { victims: vec![victim()] };
        assert!(withdraw(&mut section, 0, &["names".into()], 5));
        let left = &section.victims[0];
        assert!(left.identity.as_ref().unwrap().names.is_empty());
        assert_eq!(left.identity.as_ref().unwrap().height_cm, Some(170));
        assert_eq!(left.consents[0].withdrawn_at, Some(time::from_ms(5)));
        assert!(without_consent(left).is_empty());
        assert!(!withdraw(&mut section, 0, &["names".into()], 6), "nothing to withdraw a second time");
        assert!(withdraw(&mut section, 0, &[], 7));
        assert_eq!(section.victims[0].identity, None);
        assert_eq!(section.victims[0].how_to_tell_apart, "");
        assert_eq!(section.victims[0].consents.len(), 2, "the consents stay as the proof of their withdrawal");
        assert!(!withdraw(&mut section, 3, &[], 7));
    }
}
