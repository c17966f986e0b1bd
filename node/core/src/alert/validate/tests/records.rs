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
fn impossible_dates_of_birth_are_named_part_by_part() {
    type Case = (Option<u32>, Option<u32>, Option<u32>, &'static [&'static str]);
    let path = "identities.identities[0].birth_dates[0]";
    let cases: &[Case] = &[
        (Some(1980), Some(2), Some(30), &[".day OUT_OF_RANGE"]),
        (Some(1981), Some(2), Some(29), &[".day OUT_OF_RANGE"]),
        (None, Some(2), Some(29), &[]),
        (None, Some(2), Some(30), &[".day OUT_OF_RANGE"]),
        (Some(1980), Some(4), Some(31), &[".day OUT_OF_RANGE"]),
        (Some(1980), Some(13), Some(1), &[".month OUT_OF_RANGE"]),
        (Some(0), Some(0), Some(0), &[".day OUT_OF_RANGE", ".month OUT_OF_RANGE", ".year OUT_OF_RANGE"]),
        (Some(1980), None, None, &[]),
        (Some(1980), Some(5), None, &[]),
        (None, None, None, &[" REQUIRED", ".as_given REQUIRED"]),
        (Some(2027), None, None, &[".year OUT_OF_RANGE"]),
        (Some(2026), Some(11), Some(22), &[]),
        (Some(2026), Some(11), Some(23), &[" OUT_OF_RANGE"]),
        (Some(2026), Some(12), None, &[" OUT_OF_RANGE"]),
        (Some(1700), None, None, &[".year OUT_OF_RANGE"]),
        (
            Some(u32::MAX),
            Some(u32::MAX),
            Some(u32::MAX),
            &[".day OUT_OF_RANGE", ".month OUT_OF_RANGE", ".year OUT_OF_RANGE"],
        ),
    ];
    for (year, month, day, expected) in cases {
        let faults = person_with(|alert| {
            identity_of(alert).birth_dates =
                vec![pb::BirthDate { year: *year, month: *month, day: *day, ..Default::default() }];
        });
        let expected: Vec<_> = expected.iter().map(|end| format!("{path}{end}")).collect();
        assert_eq!(blocking(&faults), expected, "{year:?}-{month:?}-{day:?}");
    }
}

#[test]
fn a_date_given_only_in_another_calendar_is_taken() {
    let faults = person_with(|alert| {
        identity_of(alert).birth_dates = vec![pb::BirthDate {
            calendar: code("calendar", "persian"),
            as_given: "1358/12/10".into(),
            ..Default::default()
        }];
    });
    assert_eq!(faults, []);
}

#[test]
fn ranges_of_birth_years_are_whole_and_the_right_way_round() {
    let range = |year, year_to, qualifier: &str| {
        let date = pb::BirthDate { year, year_to, qualifier: code("date-qualifier", qualifier), ..Default::default() };
        blocking(&person_with(|alert| identity_of(alert).birth_dates = vec![date]))
    };
    let path = "identities.identities[0].birth_dates[0]";
    assert_eq!(range(Some(1970), Some(1975), "range"), [""; 0]);
    assert_eq!(range(Some(1970), None, "range"), [format!("{path}.year_to REQUIRED")]);
    assert_eq!(range(Some(1970), Some(1960), "range"), [format!("{path}.year_to INCONSISTENT")]);
    assert_eq!(range(Some(1970), Some(1975), "circa"), [format!("{path}.year_to INCONSISTENT")]);
    assert_eq!(range(Some(1970), Some(2030), "range"), [format!("{path}.year_to OUT_OF_RANGE")]);
    assert_eq!(
        range(None, Some(1975), "range"),
        [format!("{path} REQUIRED"), format!("{path}.as_given REQUIRED"), format!("{path}.year REQUIRED"),]
    );
}

#[test]
fn an_unusual_age_is_only_a_warning() {
    let faults = person_with(|alert| identity_of(alert).birth_dates[0].year = Some(1904));
    assert_eq!(blocking(&faults), [""; 0]);
    assert_eq!(warnings(&faults), ["identities.identities[0].birth_dates[0].year UNUSUAL"]);
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
fn a_person_needs_an_identity_and_a_name_unless_the_category_knows_none() {
    let faults = person_with(|alert| alert.identities = None);
    assert!(blocking(&faults).contains(&"identities.identities REQUIRED".into()));
    let nameless = |category: &str| {
        let mut alert = sample::person(category);
        identity_of(&mut alert).names.clear();
        blocking(&faults_of(&alert))
    };
    assert!(nameless("judicial-procedure").contains(&"identities.identities[0].names REQUIRED".into()));
    assert!(!nameless("unknown-wanted").contains(&"identities.identities[0].names REQUIRED".into()));
    let faults = person_with(|alert| {
        let bare = pb::Identity { kind: code("identity-kind", "alias-low"), ..Default::default() };
        alert.identities.as_mut().unwrap().identities.push(bare);
    });
    assert_eq!(blocking(&faults), ["identities.identities[1] REQUIRED"]);
}

#[test]
fn names_have_text_and_generated_ones_say_how_they_were_made() {
    let name = |name| {
        let faults = person_with(|alert| identity_of(alert).names = vec![name]);
        (blocking(&faults), warnings(&faults))
    };
    let path = "identities.identities[0].names[0]";
    assert_eq!(name(pb::NameForm::default()).0, [format!("{path} REQUIRED")]);
    let undivided = pb::NameForm { full_text: "Example Synthetic".into(), ..Default::default() };
    assert_eq!(name(undivided), (vec![], vec![format!("{path} NAME_UNDIVIDED")]));
    let generated = pb::NameForm {
        parts: sample::identity("Iwan", "Primer").names[0].parts.clone(),
        origin: pb::NameOrigin::Generated as i32,
        script: "latin".into(),
        language: "e n".into(),
        ..Default::default()
    };
    assert_eq!(
        name(generated).0,
        [format!("{path}.language BAD_FORMAT"), format!("{path}.scheme REQUIRED"), format!("{path}.script BAD_FORMAT"),]
    );
}

#[test]
fn documents_have_a_number_or_a_zone_and_dates_in_order() {
    let document = |document| {
        let faults = person_with(|alert| identity_of(alert).documents = vec![document]);
        (blocking(&faults), warnings(&faults))
    };
    let passport = pb::IdentityDocument { r#type: code("document-type", "passport"), ..Default::default() };
    let path = "identities.identities[0].documents[0]";
    assert_eq!(document(passport.clone()).0, [format!("{path} REQUIRED")]);
    let date = |year| Some(pb::PartialDate { year: Some(year), ..Default::default() });
    let backwards =
        pb::IdentityDocument { number: "123".into(), issued: date(2020), expires: date(2019), ..passport.clone() };
    assert_eq!(document(backwards).0, [format!("{path}.expires INCONSISTENT")]);
    // The specimen of ICAO Doc 9303 part 4, whole, with one digit wrong, and cut.
    let mrz = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10";
    let with = |mrz: &str| document(pb::IdentityDocument { mrz: mrz.into(), ..passport.clone() });
    assert_eq!(with(mrz), (vec![], vec![]));
    assert_eq!(with(&mrz.replace("7408122", "7408123")), (vec![], vec![format!("{path}.mrz CHECK_DIGIT")]));
    assert_eq!(with(&mrz[..80]), (vec![], vec![format!("{path}.mrz BAD_FORMAT")]));
    let card = "I<UTOD231458907<<<<<<<<<<<<<<<\n7408122F1204159UTO<<<<<<<<<<<6\nERIKSSON<<ANNA<MARIA<<<<<<<<<<";
    assert_eq!(with(card), (vec![], vec![]));
    assert_eq!(with("\u{1}").0, [format!("{path}.mrz BAD_CHARACTER")]);
}

#[test]
fn failed_check_digits_never_block() {
    let object = |class: &str, detail| {
        let faults = vehicle_with(|alert| {
            let object = &mut alert.objects.as_mut().unwrap().objects[0];
            object.class = code("object-class", class);
            object.detail = Some(detail);
        });
        (blocking(&faults), warnings(&faults))
    };
    let vin = |vin: &str| {
        object("vehicle", pb::object::Detail::Vehicle(pb::Vehicle { vin: vin.into(), ..Default::default() }))
    };
    let path = "objects.objects[0]";
    assert_eq!(vin("1m8g-dm9a-xkp042788"), (vec![], vec![]));
    assert_eq!(vin("1M8GDM9AXKP042789"), (vec![], vec![format!("{path}.vehicle.vin CHECK_DIGIT")]));
    assert_eq!(vin("WVWZZZ1JZOW000001"), (vec![], vec![format!("{path}.vehicle.vin BAD_FORMAT")]));
    assert_eq!(vin("CHASSIS-77"), (vec![], vec![]));
    let container = |number: &str| {
        let container = pb::Container { number: number.into(), ..Default::default() };
        object("container", pb::object::Detail::Container(container))
    };
    assert_eq!(container("CSQU 305438 3"), (vec![], vec![]));
    assert_eq!(container("CSQU 305438 4"), (vec![], vec![format!("{path}.container.number CHECK_DIGIT")]));
    assert_eq!(container("305438"), (vec![], vec![format!("{path}.container.number BAD_FORMAT")]));
    let boat = |imo: &str| {
        let boat = pb::Boat { imo_number: imo.into(), ..Default::default() };
        object("boat", pb::object::Detail::Boat(boat))
    };
    assert_eq!(boat("IMO 9074729"), (vec![], vec![]));
    assert_eq!(boat("9074728"), (vec![], vec![format!("{path}.boat.imo_number CHECK_DIGIT")]));
}

#[test]
fn an_object_has_a_detail_of_its_class_and_a_number() {
    let faults = vehicle_with(|alert| {
        alert.objects.as_mut().unwrap().objects[0].class = code("object-class", "firearm");
    });
    assert_eq!(blocking(&faults), ["objects.objects[0].vehicle INCONSISTENT"]);
    let faults = vehicle_with(|alert| alert.objects.as_mut().unwrap().objects[0].detail = None);
    assert_eq!(blocking(&faults), ["objects.objects[0] REQUIRED", "objects.objects[0].identifier MINIMUM_FIELD"]);
    let faults = vehicle_with(|alert| {
        let object = &mut alert.objects.as_mut().unwrap().objects[0];
        object.detail = None;
        object.numbers =
            vec![pb::ObjectNumber { kind: code("number-kind", "vin"), number: "- -".into(), country: None }];
    });
    assert!(blocking(&faults).contains(&"objects.objects[0].numbers[0].number BAD_FORMAT".into()));
    // A painting has no number: its description stands in.
    let mut painting = sample::vehicle();
    core_of(&mut painting).source.as_mut().unwrap().system = "INTERPOL-WOA".into();
    painting.objects.as_mut().unwrap().objects[0] = pb::Object {
        class: code("object-class", "other"),
        detail: Some(pb::object::Detail::Other(pb::OtherObject {
            kind: code("object-kind", "work-of-art"),
            name: "Synthetic landscape".into(),
            ..Default::default()
        })),
        ..Default::default()
    };
    assert_eq!(faults_of(&painting), []);
}

#[test]
fn ranges_belong_to_documents_and_banknotes() {
    let banknote = |from: &str, to: &str| {
        blocking(&vehicle_with(|alert| {
            let object = &mut alert.objects.as_mut().unwrap().objects[0];
            object.class = code("object-class", "banknote");
            object.number_range_to = to.into();
            object.detail = Some(pb::object::Detail::Banknote(pb::Banknote {
                serial_number: from.into(),
                currency: "GBP".into(),
                denomination: "20".into(),
            }));
        }))
    };
    assert_eq!(banknote("AA01000", "AA01999"), [""; 0]);
    assert_eq!(banknote("AA01999", "AA01000"), ["objects.objects[0].number_range_to INCONSISTENT"]);
    assert_eq!(banknote("AA01000", "AA1"), ["objects.objects[0].number_range_to INCONSISTENT"]);
    let faults = vehicle_with(|alert| alert.objects.as_mut().unwrap().objects[0].number_range_to = "9".into());
    assert_eq!(blocking(&faults), ["objects.objects[0].number_range_to INCONSISTENT"]);
}

#[test]
fn a_victims_data_needs_a_consent_for_each_kind() {
    let consent = |value: &str| pb::Consent {
        field_category: code("victim-field", value),
        given_at: Some(from_ms(NOW_MS - DAY_MS)),
        evidence: "form 12".into(),
        withdrawn_at: None,
    };
    let victim = |consents: Vec<pb::Consent>, misused: bool| {
        blocking(&person_with(|alert| {
            if misused {
                let kind = code("identity-kind", "misused");
                let identity = pb::Identity { kind, ..sample::identity("Other", "Synthetic") };
                alert.identities.as_mut().unwrap().identities.push(identity);
            }
            let identity = pb::Identity { height_cm: Some(180), ..sample::identity("Other", "Synthetic") };
            let victim = pb::Victim { identity: Some(identity), consents, ..Default::default() };
            alert.victims = Some(pb::VictimSection { victims: vec![victim] });
        }))
    };
    let all = || ["names", "birth", "gender", "nationalities", "physical"].map(consent).to_vec();
    assert_eq!(victim(all(), true), [""; 0]);
    assert_eq!(victim(all(), false), ["victims INCONSISTENT"]);
    assert_eq!(victim(all().split_off(1), true), ["victims.victims[0].consents REQUIRED"]);
    let mut withdrawn = all();
    withdrawn[0].withdrawn_at = Some(from_ms(NOW_MS - 2 * DAY_MS));
    assert_eq!(
        victim(withdrawn, true),
        ["victims.victims[0].consents REQUIRED", "victims.victims[0].consents[0].withdrawn_at INCONSISTENT",]
    );
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
