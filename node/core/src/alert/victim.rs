//! The data of a person whose identity is misused: kept by consent, field category by field category.

use super::time::from_ms;
use crate::pb;

/// Removes the data that a victim's consents covered, and marks these withdrawn at `now_ms`. Empty `categories` (values
/// of the list "victim-field") = all of it. Evidence of a withdrawn consent goes with the data: it may quote them.
pub fn withdraw(victim: &mut pb::Victim, categories: &[String], now_ms: u64) {
    let concerns = |category: &str| categories.is_empty() || categories.iter().any(|one| one == category);
    for consent in &mut victim.consents {
        let category = consent.field_category.as_ref().map_or("", |code| code.value.as_str());
        if concerns(category) {
            consent.withdrawn_at.get_or_insert(from_ms(now_ms));
            consent.evidence.clear();
        }
    }
    if categories.is_empty() {
        victim.identity = None;
        victim.how_to_tell_apart.clear();
        return;
    }
    let Some(identity) = &mut victim.identity else { return };
    if concerns("names") {
        identity.names.clear();
    }
    if concerns("birth") {
        identity.birth_dates.clear();
        identity.birth_places.clear();
    }
    if concerns("gender") {
        identity.gender = None;
    }
    if concerns("nationalities") {
        identity.nationalities.clear();
    }
    if concerns("documents") {
        identity.documents.clear();
    }
    if concerns("national-numbers") {
        identity.national_numbers.clear();
    }
    if concerns("physical") {
        identity.physical_marks.clear();
        identity.height_cm = None;
        identity.description.clear();
    }
    if concerns("addresses") {
        identity.addresses.clear();
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
}
