//! What leaves the store, and what never does.

use prost::encoding::{self, WireType};

use super::*;
use crate::alert::{
    Caller, Role,
    sample::{self, NOW_MS, code, codes, parties, party},
    time::from_ms,
};

/// A person's alert with something in every section.
fn full() -> pb::Alert {
    let mut alert = sample::person("arrest");
    alert.id = "0190b0a2-7c3d-7000-8000-000000000001".into();
    let core = alert.core.as_mut().unwrap();
    core.parent_alert_id = "0190b0a2-7c3d-7000-8000-000000000009".into();
    core.requested_expiry = Some(from_ms(NOW_MS + 1));
    core.distribution =
        Some(pb::Distribution { allow: parties(&["FR", "DE"]), deny: parties(&["RU"]), no_onward: true });
    let identities = alert.identities.as_mut().unwrap();
    identities.identities[0].names.push(pb::NameForm {
        full_text: "GENERATED FORM".into(),
        origin: pb::NameOrigin::Generated as i32,
        scheme: "icao-9303".into(),
        ..Default::default()
    });
    identities.organisations.push(pb::OrganisationIdentity {
        names: vec![pb::NameForm {
            full_text: "GENERATED COMPANY".into(),
            origin: pb::NameOrigin::Generated as i32,
            ..Default::default()
        }],
        ..Default::default()
    });
    alert.victims = Some(pb::VictimSection {
        victims: vec![pb::Victim { how_to_tell_apart: "VICTIM".into(), ..Default::default() }],
    });
    alert.objects = sample::vehicle().objects;
    alert.action.as_mut().unwrap().local_effects =
        vec![pb::LocalEffect { legal_basis: "LOCAL BASIS".into(), ..Default::default() }];
    alert.internal = Some(pb::InternalSection { note: "INTERNAL".into(), ..Default::default() });
    let attachment = |kind: &str, handling: Option<pb::Code>| pb::AttachmentReference {
        content_hash: kind.into(),
        kind: code("attachment-kind", kind),
        handling,
        ..Default::default()
    };
    alert.attachments = Some(pb::AttachmentSection {
        attachments: vec![
            attachment("photo", None),
            attachment("fingerprints", None),
            attachment("warrant", code("handling", "restricted-biometrics")),
        ],
    });
    alert.lifecycle = Some(pb::Lifecycle {
        valid_from: Some(from_ms(NOW_MS - 5)),
        expires_at: Some(from_ms(NOW_MS + 5)),
        rule_version: 3,
        review: Some(pb::Review { note: "REVIEW".into(), ..Default::default() }),
        restrictions: vec![pb::Restriction {
            number: 1,
            kind: pb::RestrictionKind::Flagged as i32,
            territories: parties(&["DE"]),
            substitute_action: code("action", "locate-and-report"),
            requested_by: "REQUESTER".into(),
            ..Default::default()
        }],
        ..Default::default()
    });
    alert.data_key_id = 7;
    alert
}

fn partner(country: &str, fields: &[&str], handling: &[&str]) -> Viewer {
    let terms = pb::Agreement {
        partner: party(country),
        record_fields: Some(pb::FieldRights { fields: fields.iter().map(|field| (*field).to_owned()).collect() }),
        handling: codes("handling", handling),
        ..sample::agreement()
    };
    let caller = Caller { country: country.into(), authority: "x".into(), system: "y".into(), role: Role::Partner };
    Viewer::new(caller, Some(Agreement::new(&terms)))
}

fn domestic() -> Viewer {
    let caller = Caller { country: "GB".into(), authority: "met".into(), system: "y".into(), role: Role::Search };
    Viewer::new(caller, None)
}

fn redacted(bytes: &[u8], sight: Sight, viewer: &Viewer) -> (pb::Alert, Vec<&'static str>, Vec<u8>) {
    let redacted = redact(bytes, sight, viewer, sample::rules(), NOW_MS).unwrap().unwrap();
    (pb::Alert::decode(redacted.alert.as_slice()).unwrap(), redacted.withheld, redacted.alert)
}

fn holds(bytes: &[u8], word: &str) -> bool {
    bytes.windows(word.len()).any(|window| window == word.as_bytes())
}

#[test]
fn the_owner_gets_every_byte() {
    let mut bytes = full().encode_to_vec();
    encoding::encode_key(99, WireType::LengthDelimited, &mut bytes);
    bytes.extend_from_slice(&[1, b'x']);
    let (_, withheld, given) = redacted(&bytes, Sight::Owner, &domestic());
    assert_eq!((given, withheld), (bytes, vec![]));
}

#[test]
fn who_sees_nothing_gets_nothing() {
    let bytes = full().encode_to_vec();
    assert_eq!(redact(&bytes, Sight::Hidden, &domestic(), sample::rules(), NOW_MS), Ok(None));
    // A partner's sight without an agreement does not happen; if it did, nothing would leave.
    assert_eq!(redact(&bytes, Sight::Partner, &domestic(), sample::rules(), NOW_MS), Ok(None));
}

#[test]
fn domestic_callers_get_all_but_victims_and_internal_notes() {
    let mut bytes = full().encode_to_vec();
    encoding::encode_key(99, WireType::LengthDelimited, &mut bytes);
    bytes.extend_from_slice(&[6, b'F', b'U', b'T', b'U', b'R', b'E']);
    let (alert, withheld, given) = redacted(&bytes, Sight::Domestic, &domestic());
    assert_eq!(alert, pb::Alert { victims: None, internal: None, data_key_id: 0, ..full() });
    assert_eq!(withheld, ["victims", "internal"]);
    assert!(!["VICTIM", "INTERNAL", "FUTURE"].iter().any(|word| holds(&given, word)));
}

#[test]
fn a_partner_gets_the_sections_it_has_a_right_to_and_never_the_rest() {
    let bytes = full().encode_to_vec();
    let rights = ["identities", "objects", "action", "attachments"];
    for mask in 0..16usize {
        let fields: Vec<&str> =
            rights.iter().enumerate().filter(|(bit, _)| mask >> bit & 1 == 1).map(|(_, n)| *n).collect();
        let (alert, withheld, given) = redacted(&bytes, Sight::Partner, &partner("FR", &fields, &[]));
        let has =
            [alert.identities.is_some(), alert.objects.is_some(), alert.action.is_some(), alert.attachments.is_some()];
        assert_eq!(has, [0, 1, 2, 3].map(|bit| mask >> bit & 1 == 1), "{fields:?}");
        for name in rights {
            assert_eq!(withheld.contains(&name), !fields.contains(&name), "{fields:?}");
        }
        for never in ["victims", "internal", "lifecycle"] {
            assert!(withheld.contains(&never));
        }
        assert!(alert.core.is_some() && !withheld.contains(&"core"));
        for word in ["VICTIM", "INTERNAL", "GENERATED", "LOCAL BASIS", "REVIEW", "REQUESTER"] {
            assert!(!holds(&given, word), "{word} with {fields:?}");
        }
        assert_eq!(alert.data_key_id, 0);
    }
}

#[test]
fn the_core_tells_a_partner_nothing_of_other_alerts_and_other_recipients() {
    let (alert, ..) = redacted(&full().encode_to_vec(), Sight::Partner, &partner("FR", &[], &[]));
    let core = alert.core.unwrap();
    assert_eq!(core.parent_alert_id, "");
    assert_eq!(core.requested_expiry, None);
    assert_eq!(core.distribution, Some(pb::Distribution { no_onward: true, ..Default::default() }));
    let lifecycle = pb::Lifecycle {
        valid_from: Some(from_ms(NOW_MS - 5)),
        expires_at: Some(from_ms(NOW_MS + 5)),
        ..Default::default()
    };
    assert_eq!(alert.lifecycle, Some(lifecycle));
}

#[test]
fn a_partner_is_shown_the_action_of_its_own_territory() {
    let bytes = full().encode_to_vec();
    let action = |country: &str| {
        let (alert, ..) = redacted(&bytes, Sight::Partner, &partner(country, &["action"], &[]));
        let section = alert.action.unwrap();
        assert!(section.local_effects.is_empty());
        (section.action.unwrap().value, section.texts.len())
    };
    assert_eq!(action("FR"), ("arrest".into(), 1));
    assert_eq!(action("DE"), ("locate-and-report".into(), 0));
}

#[test]
fn attachments_go_by_kind_and_handling() {
    let bytes = full().encode_to_vec();
    let given = |fields: &[&str], handling: &[&str]| -> Vec<String> {
        let (alert, ..) = redacted(&bytes, Sight::Partner, &partner("FR", fields, handling));
        alert.attachments.unwrap_or_default().attachments.into_iter().map(|one| one.content_hash).collect()
    };
    assert_eq!(given(&["attachments"], &[]), ["photo", "fingerprints"]);
    assert_eq!(given(&["attachments"], &["restricted-biometrics"]), ["photo", "fingerprints", "warrant"]);
    assert_eq!(given(&["attachments.photo"], &[]), ["photo"]);
    assert_eq!(given(&["attachments.warrant"], &[]), [""; 0]);
    assert_eq!(given(&["identities"], &["restricted-biometrics"]), [""; 0]);
}

#[test]
fn unknown_fields_never_reach_a_partner_however_deep() {
    // A field of tomorrow inside the core, inside its owner, and beside the sections.
    let unknown = |number: u32| {
        let mut bytes = Vec::new();
        encoding::encode_key(number, WireType::LengthDelimited, &mut bytes);
        bytes.extend_from_slice(&[6, b'F', b'U', b'T', b'U', b'R', b'E']);
        bytes
    };
    let within = |number: u32, content: &[u8]| {
        let mut bytes = Vec::new();
        encoding::encode_key(number, WireType::LengthDelimited, &mut bytes);
        encoding::encode_varint(content.len() as u64, &mut bytes);
        bytes.extend_from_slice(content);
        bytes
    };
    let owner = [sample::owner("GB", "nca").encode_to_vec(), unknown(88)].concat();
    let core = [within(1, &owner), unknown(77)].concat();
    let bytes = [within(sections::CORE, &core), unknown(66)].concat();
    let (alert, _, given) = redacted(&bytes, Sight::Partner, &partner("FR", &["identities"], &[]));
    assert_eq!(alert.core.unwrap().owner, Some(sample::owner("GB", "nca")));
    assert!(holds(&bytes, "FUTURE") && !holds(&given, "FUTURE"));
}

#[test]
fn the_list_of_what_is_withheld_says_nothing_about_the_record() {
    let viewer = partner("FR", &["identities", "attachments.photo"], &[]);
    let bare = pb::Alert { id: "x".into(), core: Some(pb::Core::default()), ..Default::default() };
    let (_, of_bare, _) = redacted(&bare.encode_to_vec(), Sight::Partner, &viewer);
    let (_, of_full, _) = redacted(&full().encode_to_vec(), Sight::Partner, &viewer);
    assert_eq!(of_bare, of_full);
}

#[test]
fn a_broken_record_is_an_error_and_never_half_given() {
    let bytes = full().encode_to_vec();
    let cut = &bytes[..bytes.len() - 3];
    for (sight, viewer) in [(Sight::Domestic, domestic()), (Sight::Partner, partner("FR", &[], &[]))] {
        assert!(redact(cut, sight, &viewer, sample::rules(), NOW_MS).is_err());
    }
}
