use super::{super::*, *};
use crate::{
    alert::{
        sample::{DAY_MS, code, codes, parties, party},
        time::from_ms,
    },
    limits,
};

#[test]
fn sound_records_pass_without_a_word() {
    for alert in [sample::person("arrest"), sample::person("missing"), sample::vehicle(), sample::organisation()] {
        assert_eq!(faults_of(&alert), []);
    }
}

#[test]
fn an_empty_record_is_told_all_that_is_missing_at_once() {
    let faults = faults_of(&pb::Alert::default());
    assert_eq!(blocking(&faults), ["action.action MINIMUM_FIELD", "core REQUIRED", "core.category MINIMUM_FIELD"]);
    let empty_core = faults_of(&pb::Alert { core: Some(pb::Core::default()), ..Default::default() });
    assert_eq!(
        blocking(&empty_core),
        [
            "action.action MINIMUM_FIELD",
            "core.category MINIMUM_FIELD",
            "core.category REQUIRED",
            "core.owner REQUIRED",
            "core.source REQUIRED",
            "core.subject_kind REQUIRED",
        ]
    );
}

#[test]
fn characters_that_hide_or_reorder_text_are_refused() {
    for bad in ["Exa\0mple", "Exa\u{7}mple", "Exa\nmple", "Exa\u{202e}mple", "Exa\u{fffd}mple", "Exa\u{85}mple"] {
        let faults = person_with(|alert| identity_of(alert).names[0].parts[0].text = bad.into());
        assert_eq!(blocking(&faults), ["identities.identities[0].names[0].parts[0].text BAD_CHARACTER"], "{bad:?}");
    }
    // A zero-width non-joiner belongs into a Persian name.
    for good in ["علی\u{200c}رضا", "Ægir", "O'Example-Smith", "Ян", "李"] {
        assert_eq!(person_with(|alert| identity_of(alert).names[0].parts[0].text = good.into()), [], "{good:?}");
    }
    let note = |text: &str| {
        let internal = pb::InternalSection { note: text.into(), ..Default::default() };
        blocking(&person_with(|alert| alert.internal = Some(internal)))
    };
    assert_eq!(note("two\nlines"), [""; 0]);
    assert_eq!(note("a\ttab"), ["internal.note BAD_CHARACTER"]);
}

#[test]
fn texts_and_lists_have_their_limits() {
    let long = "x".repeat(limits::SHORT_TEXT_BYTES_MAX + 1);
    let faults = person_with(|alert| {
        identity_of(alert).names[0].parts[0].text = long.clone();
        core_of(alert).source.as_mut().unwrap().reference = long;
    });
    assert_eq!(
        blocking(&faults),
        ["core.source.reference TOO_LONG", "identities.identities[0].names[0].parts[0].text TOO_LONG",]
    );
    let identity = sample::identity("Example", "Synthetic");
    let many = |count| {
        let identities = vec![identity.clone(); count];
        blocking(&person_with(|alert| alert.identities.as_mut().unwrap().identities = identities))
    };
    assert_eq!(many(limits::IDENTITIES_MAX), [""; 0]);
    assert_eq!(many(limits::IDENTITIES_MAX + 1), ["identities.identities TOO_MANY"]);
    let description = "x".repeat(limits::LONG_TEXT_BYTES_MAX);
    let faults = person_with(|alert| {
        let identities = vec![pb::Identity { description, ..identity.clone() }; 17];
        alert.identities.as_mut().unwrap().identities = identities;
    });
    assert_eq!(blocking(&faults), [" TOO_LARGE"]);
}

#[test]
fn a_thousand_mistakes_are_not_all_told_but_one_that_blocks_is_never_lost() {
    let mut identity = sample::identity("Example", "Synthetic");
    identity.birth_dates = vec![pb::BirthDate { year: Some(1900), ..Default::default() }; 128];
    let faults = person_with(|alert| {
        alert.identities.as_mut().unwrap().identities = vec![identity; 8];
        alert.action.as_mut().unwrap().action = code("action", "dance");
    });
    assert_eq!(faults.len(), limits::FAULTS_MAX);
    assert_eq!(blocking(&faults), ["action.action.value UNKNOWN_CODE"]);
}

#[test]
fn codes_come_from_the_list_of_their_field() {
    let category = |code| blocking(&person_with(|alert| core_of(alert).category = code));
    assert!(category(code("category", "arrested")).contains(&"core.category.value UNKNOWN_CODE".into()));
    assert!(category(code("reason", "arrest")).contains(&"core.category.list WRONG_LIST".into()));
    assert!(category(code("category", "")).contains(&"core.category.value REQUIRED".into()));
    // An open list takes others with a warning.
    let faults = vehicle_with(|alert| {
        let object = &mut alert.objects.as_mut().unwrap().objects[0];
        if let Some(pb::object::Detail::Vehicle(vehicle)) = &mut object.detail {
            vehicle.make = code("vehicle-make", "trabant");
        }
    });
    assert_eq!(blocking(&faults), [""; 0]);
    assert_eq!(warnings(&faults), ["objects.objects[0].vehicle.make.value UNKNOWN_CODE"]);
}

#[test]
fn a_withdrawn_code_is_refused_for_new_alerts_and_may_stay_on_old_ones() {
    let mut documents = RuleSet::default_rules();
    let Some(pb::rules::Rules::CodeLists(lists)) = &mut documents[0].rules else { panic!("code lists come first") };
    let list = lists.lists.iter_mut().find(|list| list.name == "gender").unwrap();
    list.entries.iter_mut().find(|entry| entry.value == "female").unwrap().withdrawn = true;
    let rules = RuleSet::from_documents(documents).unwrap();
    let old = sample::person("arrest");
    let path = "identities.identities[0].gender.value WITHDRAWN_CODE";
    assert_eq!(blocking(&validate(&old, &rules, NOW_MS)), [path]);
    let mut new = old.clone();
    core_of(&mut new).urgency = code("urgency", "urgent");
    let faults = validate_update(&old, &new, &rules, NOW_MS);
    assert_eq!((blocking(&faults), warnings(&faults)), (vec![], vec![path.to_owned()]));
}

#[test]
fn parties_are_known_and_of_the_right_kind() {
    let owner = |party| blocking(&person_with(|alert| core_of(alert).owner.as_mut().unwrap().party = party));
    assert_eq!(owner(party("QQ")), ["core.owner.party.code UNKNOWN_PARTY"]);
    assert_eq!(owner(party("")), ["core.owner.party.code REQUIRED"]);
    assert_eq!(owner(None), ["core.owner.party REQUIRED"]);
    assert_eq!(owner(party("XXA")), ["core.owner.party INCONSISTENT"]);
    assert_eq!(owner(party("GB-SCT")), ["core.owner.party INCONSISTENT"]);
    assert_eq!(owner(party("XPO")), [""; 0]);
    for nationality in ["XXA", "GBO", "D", "SUN", "UNK"] {
        let faults = person_with(|alert| identity_of(alert).nationalities = parties(&[nationality]));
        assert_eq!(faults, [], "{nationality}");
    }
}

#[test]
fn a_party_is_not_allowed_and_denied_at_once_whatever_code_names_it() {
    let faults = person_with(|alert| {
        core_of(alert).distribution =
            Some(pb::Distribution { allow: parties(&["FR", "DE"]), deny: parties(&["DEU"]), no_onward: false });
    });
    assert_eq!(blocking(&faults), ["core.distribution.deny INCONSISTENT"]);
}

#[test]
fn category_subject_and_content_belong_together() {
    let faults = person_with(|alert| core_of(alert).subject_kind = pb::SubjectKind::Object as i32);
    assert_eq!(
        blocking(&faults),
        ["core.subject_kind INCONSISTENT", "identities INCONSISTENT", "objects.objects REQUIRED",]
    );
    let faults = vehicle_with(|alert| alert.objects = None);
    assert_eq!(blocking(&faults), ["objects.objects REQUIRED", "objects.objects[0].identifier MINIMUM_FIELD"]);
    let faults = person_with(|alert| core_of(alert).subject_kind = 77);
    assert_eq!(blocking(&faults), ["core.subject_kind OUT_OF_RANGE"]);
}

#[test]
fn times_are_in_order() {
    let times = |change: &dyn Fn(&mut pb::Core)| blocking(&person_with(|alert| change(core_of(alert))));
    let at = |ms: u64| Some(from_ms(ms));
    assert_eq!(
        times(&|core| {
            core.valid_from = at(NOW_MS + 2 * DAY_MS);
            core.requested_expiry = at(NOW_MS + DAY_MS);
        }),
        ["core.requested_expiry INCONSISTENT"]
    );
    assert_eq!(
        times(&|core| core.decision.as_mut().unwrap().ends_at = at(NOW_MS - 20 * DAY_MS)),
        ["core.decision.ends_at INCONSISTENT", "core.decision.ends_at OUT_OF_RANGE"]
    );
    assert_eq!(
        times(&|core| core.source.as_mut().unwrap().received_at = at(NOW_MS + 2 * DAY_MS)),
        ["core.source.received_at OUT_OF_RANGE"]
    );
    assert_eq!(
        times(&|core| core.valid_from = Some(prost_types::Timestamp { seconds: -5, nanos: 0 })),
        ["core.valid_from OUT_OF_RANGE"]
    );
    // An extended alert keeps the wish that it was made with.
    assert_eq!(times(&|core| core.requested_expiry = at(NOW_MS - DAY_MS)), [""; 0]);
}

#[test]
fn an_alert_is_not_its_own_parent() {
    let id = "0190b0a2-7c3d-7000-8000-000000000001";
    let parent = |parent: &str| {
        blocking(&person_with(|alert| {
            alert.id = id.into();
            core_of(alert).parent_alert_id = parent.into();
        }))
    };
    assert_eq!(parent(id), ["core.parent_alert_id INCONSISTENT"]);
    assert_eq!(parent("0190b0a2"), ["core.parent_alert_id BAD_FORMAT"]);
    assert_eq!(parent("0190b0a2-7c3d-7000-8000-000000000002"), [""; 0]);
}

#[test]
fn a_foreign_record_that_falls_short_is_taken_with_flags() {
    let mut alert = sample::person("arrest");
    let core = core_of(&mut alert);
    core.source.as_mut().unwrap().system = "INTERPOL-NOMINAL".into();
    core.owner.as_mut().unwrap().party = party("XPO");
    core.reason = None;
    identity_of(&mut alert).birth_dates.clear();
    identity_of(&mut alert).names.clear();
    let faults = faults_of(&alert);
    assert_eq!(blocking(&faults), [""; 0]);
    assert_eq!(
        warnings(&faults),
        [
            "core.reason MINIMUM_FIELD",
            "identities.identities[0].birth_dates MINIMUM_FIELD",
            "identities.identities[0].names MINIMUM_FIELD",
            "identities.identities[0].names REQUIRED",
        ]
    );
    let rules = sample::rules();
    let flags = quality_flags(&alert, rules);
    assert_eq!(flags, codes("quality-flag", &["missing-reason", "missing-names", "missing-birth-dates"]));
    core_of(&mut alert).quality_flags = flags;
    assert_eq!(quality_flags(&alert, rules), [], "nothing to add a second time");
    assert_eq!(blocking(&faults_of(&alert)), [""; 0]);
    // The same shortfall of a United Kingdom alert blocks, and earns no flag.
    core_of(&mut alert).source.as_mut().unwrap().system = "UK".into();
    assert!(blocking(&faults_of(&alert)).contains(&"core.reason MINIMUM_FIELD".into()));
    assert_eq!(quality_flags(&alert, rules), []);
}

#[test]
fn what_the_store_keeps_is_not_looked_at() {
    let faults = person_with(|alert| {
        alert.lifecycle = Some(pb::Lifecycle {
            restrictions: vec![pb::Restriction { kind: 99, ..Default::default() }],
            ..Default::default()
        });
        alert.data_key_id = 7;
    });
    assert_eq!(faults, []);
}

#[test]
fn attachments_are_named_by_their_hash() {
    let reference = pb::AttachmentReference {
        content_hash: "ab".repeat(32),
        kind: code("attachment-kind", "photo"),
        media_type: "image/jpeg".into(),
        size_bytes: 1000,
        ..Default::default()
    };
    let attachments = |attachments: Vec<pb::AttachmentReference>| {
        blocking(&person_with(|alert| alert.attachments = Some(pb::AttachmentSection { attachments })))
    };
    assert_eq!(attachments(vec![reference.clone()]), [""; 0]);
    assert_eq!(
        attachments(vec![reference.clone(), reference.clone()]),
        ["attachments.attachments[1].content_hash DUPLICATE"]
    );
    let wrong =
        pb::AttachmentReference { content_hash: "AB".into(), media_type: "jpeg".into(), size_bytes: 0, ..reference };
    assert_eq!(
        attachments(vec![wrong]),
        [
            "attachments.attachments[0].content_hash BAD_FORMAT",
            "attachments.attachments[0].media_type BAD_FORMAT",
            "attachments.attachments[0].size_bytes OUT_OF_RANGE",
        ]
    );
}

#[test]
fn local_effects_say_where_why_and_who_certified_them() {
    let faults = person_with(|alert| {
        core_of(alert).owner.as_mut().unwrap().party = party("FR");
        alert.action.as_mut().unwrap().local_effects = vec![pb::LocalEffect::default()];
    });
    let path = "action.local_effects[0]";
    assert_eq!(
        blocking(&faults),
        [
            format!("{path}.action REQUIRED"),
            format!("{path}.certified_at REQUIRED"),
            format!("{path}.certified_by REQUIRED"),
            format!("{path}.jurisdiction REQUIRED"),
            format!("{path}.legal_basis REQUIRED"),
        ]
    );
}

#[test]
fn messages_never_quote_what_they_are_about() {
    let secret = "Zqxsecret";
    let faults = person_with(|alert| {
        let identity = identity_of(alert);
        identity.names[0].parts[0].text = format!("{secret}\0");
        identity.names[0].script = secret.into();
        identity.nationalities = parties(&[secret]);
        identity.gender = code(secret, secret);
        identity.documents = vec![pb::IdentityDocument { mrz: secret.into(), ..Default::default() }];
        identity.national_numbers = vec![pb::NationalNumber {
            kind: code("national-number", secret),
            country: party(secret),
            number: "-".into(),
        }];
        core_of(alert).parent_alert_id = secret.into();
        core_of(alert).reason = code("reason", secret);
        alert.id = secret.into();
    });
    assert!(faults.len() >= 10, "{faults:?}");
    for fault in faults {
        assert!(!fault.message.contains(secret) && !fault.field_path.contains(secret), "{fault:?}");
    }
}

mod random {
    use proptest::prelude::*;
    use prost::Message;

    use super::*;

    proptest! {
        /// Whatever decodes as an alert is answered, in bounded time and size, without a panic.
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400), cut in 0usize..400) {
            let rules = sample::rules();
            if let Ok(alert) = pb::Alert::decode(bytes.as_slice()) {
                prop_assert!(validate(&alert, rules, NOW_MS).len() <= limits::FAULTS_MAX);
            }
            // A sound record with bytes thrown in, which decodes more often.
            let mut sound = sample::person("arrest").encode_to_vec();
            let at = cut.min(sound.len());
            sound.splice(at..at, bytes.iter().copied().take(6));
            if let Ok(alert) = pb::Alert::decode(sound.as_slice()) {
                prop_assert!(validate(&alert, rules, u64::MAX).len() <= limits::FAULTS_MAX);
                prop_assert!(quality_flags(&alert, rules).len() <= limits::FAULTS_MAX);
            }
        }
    }
}
