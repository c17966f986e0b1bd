use super::{super::*, *};
use crate::alert::{
    sample::{DAY_MS, code, codes, parties, party},
    time::from_ms,
};

fn agreement_with(change: impl FnOnce(&mut pb::Agreement)) -> Vec<pb::Fault> {
    let mut agreement = sample::agreement();
    change(&mut agreement);
    validate_agreement(&agreement, sample::rules())
}

#[test]
fn a_sound_agreement_passes_without_a_word() {
    assert_eq!(agreement_with(|_| {}), []);
}

#[test]
fn an_empty_agreement_is_told_all_that_is_missing_at_once() {
    let faults = validate_agreement(&pb::Agreement::default(), sample::rules());
    assert_eq!(
        blocking(&faults),
        ["id REQUIRED", "legal_regime REQUIRED", "partner REQUIRED", "purposes REQUIRED", "transfer_basis REQUIRED",]
    );
    assert_eq!(warnings(&faults), ["categories REQUIRED"]);
}

#[test]
fn an_agreement_names_known_things_only() {
    let faults = agreement_with(|agreement| {
        agreement.id = "FR 1".into();
        agreement.partner = party("GBR");
        agreement.territory = party("FR-75");
        agreement.categories = codes("category", &["arrest", "arrests"]);
        agreement.owners = parties(&["GB", "QQ"]);
        agreement.record_fields = Some(pb::FieldRights {
            fields: ["victims", "attachments.photo", "attachments.soul"].map(Into::into).into(),
        });
        agreement.candidate_fields = Some(pb::FieldRights { fields: ["title", "shoe"].map(Into::into).into() });
        agreement.state = 9;
    });
    assert_eq!(
        blocking(&faults),
        [
            "candidate_fields.fields[1] UNKNOWN_CODE",
            "categories[1].value UNKNOWN_CODE",
            "id BAD_FORMAT",
            "owners[1].code UNKNOWN_PARTY",
            "partner INCONSISTENT",
            "record_fields.fields[0] UNKNOWN_CODE",
            "record_fields.fields[2] UNKNOWN_CODE",
            "state OUT_OF_RANGE",
            "territory.code UNKNOWN_PARTY",
        ]
    );
}

#[test]
fn rights_quotas_and_times_of_an_agreement_make_sense() {
    let faults = agreement_with(|agreement| {
        agreement.quota = Some(pb::Quota { per_second: 100, burst: 10, per_day: 0 });
        agreement.valid_from = Some(from_ms(NOW_MS));
        agreement.valid_until = Some(from_ms(NOW_MS - DAY_MS));
        agreement.sharing_timescale = Some(prost_types::Duration { seconds: -1, nanos: 0 });
    });
    assert_eq!(
        blocking(&faults),
        ["quota.burst INCONSISTENT", "sharing_timescale OUT_OF_RANGE", "valid_until INCONSISTENT",]
    );
    assert_eq!(warnings(&agreement_with(|agreement| agreement.covert = true)), ["covert INCONSISTENT"]);
    let covert = agreement_with(|agreement| agreement.categories = codes("category", &["discreet-check"]));
    assert_eq!(warnings(&covert), ["covert INCONSISTENT"]);
}

fn hit() -> pb::Hit {
    pb::Hit {
        alert_id: "0190b0a2-7c3d-7000-8000-000000000001".into(),
        version_seen: 1,
        search_id: "0190b0a2-7c3d-7000-8000-000000000002".into(),
        outcome: code("hit-outcome", "not-the-subject"),
        ..Default::default()
    }
}

#[test]
fn a_hit_says_what_its_outcome_asks_for() {
    let rules = sample::rules();
    assert_eq!(validate_hit(&hit(), rules, NOW_MS), []);
    let faults = validate_hit(&pb::Hit::default(), rules, NOW_MS);
    assert_eq!(
        blocking(&faults),
        ["alert_id BAD_FORMAT", "outcome REQUIRED", "search_id BAD_FORMAT", "version_seen REQUIRED",]
    );
    let confirmed = pb::Hit { outcome: code("hit-outcome", "confirmed"), ..hit() };
    assert_eq!(blocking(&validate_hit(&confirmed, rules, NOW_MS)), ["report REQUIRED"]);
    let report = pb::HitReport { time: Some(from_ms(NOW_MS + 3 * DAY_MS)), ..Default::default() };
    let confirmed = pb::Hit { report: Some(report), ..confirmed };
    assert_eq!(
        blocking(&validate_hit(&confirmed, rules, NOW_MS)),
        ["report.place REQUIRED", "report.time OUT_OF_RANGE"]
    );
    let impossible = pb::Hit { outcome: code("hit-outcome", "not-possible"), ..hit() };
    assert_eq!(blocking(&validate_hit(&impossible, rules, NOW_MS)), ["reason_not_possible REQUIRED"]);
}

#[test]
fn restrictions_say_who_asked_and_why() {
    let rules = sample::rules();
    let flag = pb::Restriction {
        kind: pb::RestrictionKind::Flagged as i32,
        territories: parties(&["GB-SCT"]),
        substitute_action: code("action", "locate-and-report"),
        requested_by: "Synthetic Office".into(),
        decision: "proportionality".into(),
        ..Default::default()
    };
    assert_eq!(validate_restriction(&flag, rules, NOW_MS), []);
    let faults = validate_restriction(&pb::Restriction { substitute_action: None, ..flag.clone() }, rules, NOW_MS);
    assert_eq!(blocking(&faults), ["substitute_action REQUIRED"]);
    let block = pb::Restriction { kind: pb::RestrictionKind::Blocked as i32, ..flag.clone() };
    let faults = validate_restriction(&block, rules, NOW_MS);
    assert_eq!(blocking(&faults), ["substitute_action INCONSISTENT"]);
    assert_eq!(warnings(&faults), ["territories INCONSISTENT"]);
    let late = pb::Restriction {
        until: Some(from_ms(NOW_MS - 1)),
        from: Some(from_ms(NOW_MS)),
        territories: parties(&["Narnia"]),
        ..flag
    };
    assert_eq!(
        blocking(&validate_restriction(&late, rules, NOW_MS)),
        ["territories[0].code UNKNOWN_PARTY", "until INCONSISTENT", "until OUT_OF_RANGE",]
    );
    let faults = validate_restriction(&pb::Restriction::default(), rules, NOW_MS);
    assert_eq!(blocking(&faults), ["decision REQUIRED", "kind REQUIRED", "requested_by REQUIRED"]);
}

#[test]
fn links_join_two_alerts_and_owners_can_be_reached() {
    let rules = sample::rules();
    let id = "0190b0a2-7c3d-7000-8000-000000000001".to_owned();
    let link = pb::Link { alert_a: id.clone(), alert_b: id, kind: code("link-kind", "family"), ..Default::default() };
    assert_eq!(blocking(&validate_link(&link, rules)), ["alert_b INCONSISTENT"]);
    assert_eq!(
        blocking(&validate_link(&pb::Link::default(), rules)),
        ["alert_a BAD_FORMAT", "alert_b BAD_FORMAT", "kind REQUIRED",]
    );
    assert_eq!(validate_owner(&sample::owner("GB", "met"), rules), []);
    let faults = validate_owner(&pb::Owner { party: party("GB"), ..Default::default() }, rules);
    assert_eq!(
        (blocking(&faults), warnings(&faults)),
        (vec!["authority REQUIRED".to_owned()], vec!["contact REQUIRED".to_owned()],)
    );
}
