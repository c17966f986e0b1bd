use super::*;
use crate::alert::{
    sample::{DAY_MS, code},
    time::from_ms,
};

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
