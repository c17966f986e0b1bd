//! The data of a person whose identity is misused: kept by consent, kind by kind, and gone when the consent is withdrawn
//! (Regulation (EU) 2018/1862 Art. 62).

use super::time::from_ms;
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

/// Removes the data that a victim's consents covered, and marks these withdrawn at `now_ms`. Empty `categories` (values
/// of the list "victim-field") = all of it. Evidence of a withdrawn consent goes with the data: it may quote them. Once
/// nothing is left of the identity, the words on how to tell victim and offender apart go too.
pub fn withdraw(victim: &mut pb::Victim, categories: &[String], now_ms: u64) {
    let concerns = |category: &str| categories.is_empty() || categories.iter().any(|one| one == category);
    for consent in &mut victim.consents {
        let category = consent.field_category.as_ref().map_or("", |code| code.value.as_str());
        if concerns(category) {
            consent.withdrawn_at.get_or_insert(from_ms(now_ms));
            consent.evidence.clear();
        }
    }
    if let Some(identity) = &mut victim.identity {
        for (_, _, remove) in FIELDS.into_iter().filter(|(category, ..)| concerns(category)) {
            remove(identity);
        }
    }
    let holds_something =
        victim.identity.as_ref().is_some_and(|identity| FIELDS.iter().any(|(_, holds, _)| holds(identity)));
    if categories.is_empty() || !holds_something {
        victim.identity = None;
        victim.how_to_tell_apart.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn victim() -> pb::Victim {
        let consent = |value: &str| pb::Consent {
            field_category: Some(pb::Code { list: "victim-field".into(), value: value.into() }),
            given_at: Some(from_ms(1)),
            evidence: "form".into(),
            withdrawn_at: None,
        };
        pb::Victim {
            identity: Some(pb::Identity {
                names: vec![pb::NameForm { full_text: "Example".into(), ..Default::default() }],
                height_cm: Some(170),
                ..Default::default()
            }),
            consents: vec![consent("names"), consent("physical")],
            how_to_tell_apart: "scar".into(),
        }
    }

    #[test]
    fn one_category_goes_and_the_other_stays() {
        let mut victim = victim();
        withdraw(&mut victim, &["names".into()], 9);
        let identity = victim.identity.as_ref().unwrap();
        assert!(identity.names.is_empty() && identity.height_cm == Some(170));
        assert_eq!(victim.consents[0].withdrawn_at, Some(from_ms(9)));
        assert_eq!((victim.consents[1].withdrawn_at, victim.consents[1].evidence.as_str()), (None, "form"));
    }

    #[test]
    fn without_categories_nothing_of_the_victim_is_left() {
        let mut victim = victim();
        withdraw(&mut victim, &[], 9);
        assert_eq!((victim.identity, victim.how_to_tell_apart.as_str()), (None, ""));
        assert!(victim.consents.iter().all(|consent| consent.withdrawn_at.is_some() && consent.evidence.is_empty()));
    }

    #[test]
    fn withdrawing_every_category_by_name_leaves_nothing_either() {
        let mut victim = victim();
        withdraw(&mut victim, &["names".into(), "physical".into()], 9);
        assert_eq!((victim.identity, victim.how_to_tell_apart.as_str()), (None, ""));
    }

    #[test]
    fn data_without_consent_is_named() {
        let mut victim = victim();
        assert!(without_consent(&victim).is_empty());
        victim.consents.remove(1);
        assert_eq!(without_consent(&victim), ["physical"]);
        victim.consents[0].withdrawn_at = Some(from_ms(2));
        assert_eq!(without_consent(&victim), ["names", "physical"]);
    }
}
