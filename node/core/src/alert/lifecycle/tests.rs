//! Stories of the life of an alert.

use std::collections::BTreeSet;

use super::*;
use crate::{
    alert::{
        EVERYWHERE,
        sample::{self, DAY_MS, NOW_MS, code, parties, party},
        time::{field_ms, from_ms},
    },
    pb::{self, AlertState as State, RestrictionKind as Kind},
};

const STATES: [State; 8] = [
    State::Unspecified,
    State::Draft,
    State::PendingReview,
    State::Waiting,
    State::Scheduled,
    State::Active,
    State::Expired,
    State::Deleted,
];

/// The whole table, written out: one row per step, one column per state from draft to deleted.
/// `-` not possible, `=` stays, `*` settle, `P` pending review, `D` draft, `X` deleted, `E` expired, `0` gone.
const TABLE: [(Step, &str); 12] = [
    (Step::Update, "=-***--"),
    (Step::Submit, "P------"),
    (Step::Approve, "-*-----"),
    (Step::Reject, "-D-----"),
    (Step::Activate, "--**---"),
    (Step::Extend, "--===--"),
    (Step::Restrict, "--===--"),
    (Step::TransferOwner, "=====--"),
    (Step::WithdrawConsent, "=====--"),
    (Step::Cancel, "XXXXX--"),
    (Step::Expire, "--EEE--"),
    (Step::Erase, "0000000"),
];

#[test]
fn each_step_is_possible_from_exactly_the_states_of_the_table() {
    assert_eq!(TABLE.map(|(step, _)| step), Step::ALL);
    for (step, row) in TABLE {
        for (state, letter) in STATES[1..].iter().zip(row.chars()) {
            let expected = match letter {
                '=' => Ok(Next::Stay),
                '*' => Ok(Next::Settle),
                'P' => Ok(Next::To(State::PendingReview)),
                'D' => Ok(Next::To(State::Draft)),
                'X' => Ok(Next::To(State::Deleted)),
                'E' => Ok(Next::To(State::Expired)),
                '0' => Ok(Next::Gone),
                _ => Err(WrongState { state: *state }),
            };
            assert_eq!(transition(*state, step), expected, "{step:?} from {state:?}");
        }
        assert!(transition(State::Unspecified, step).is_err());
    }
}

#[test]
fn an_alert_settles_by_its_start_its_end_and_its_standing() {
    let fits = Standing::Fits { outranks: vec![] };
    let waits = Standing::Waits { behind: vec![0] };
    let end = NOW_MS + DAY_MS;
    assert_eq!(settle(None, end, NOW_MS, &fits), State::Active);
    assert_eq!(settle(Some(NOW_MS), end, NOW_MS, &fits), State::Active);
    assert_eq!(settle(Some(NOW_MS + 1), end, NOW_MS, &fits), State::Scheduled);
    assert_eq!(settle(Some(NOW_MS + 1), end, NOW_MS, &waits), State::Scheduled);
    assert_eq!(settle(None, end, NOW_MS, &waits), State::Waiting);
    assert_eq!(settle(None, NOW_MS, NOW_MS, &fits), State::Expired);
    assert_eq!(settle(Some(NOW_MS + 1), NOW_MS, NOW_MS, &fits), State::Expired);
}

#[test]
fn incompatible_alerts_wait_by_rank() {
    let stands = |category: &str, others: &[&str]| standing(category, others.iter().copied(), sample::rules());
    assert_eq!(stands("arrest", &[]), Standing::Fits { outranks: vec![] });
    assert_eq!(stands("arrest", &["missing", "refusal-of-entry"]), Standing::Fits { outranks: vec![] });
    assert_eq!(stands("discreet-check", &["missing", "arrest"]), Standing::Waits { behind: vec![0, 1] });
    assert_eq!(stands("arrest", &["missing", "discreet-check"]), Standing::Fits { outranks: vec![1] });
    assert_eq!(stands("discreet-check", &["discreet-check"]), Standing::Fits { outranks: vec![] });
    assert_eq!(stands("discreet-check", &["specific-check"]), Standing::Waits { behind: vec![0] });
    // Between two of equal rank, here both unknown, the one that was there first stays.
    assert_eq!(stands("x", &["y"]), Standing::Waits { behind: vec![0] });
    // One that it does not outrank is enough to wait.
    assert_eq!(stands("missing", &["refusal-of-entry", "discreet-check"]), Standing::Waits { behind: vec![0] });
}

fn restriction(number: u32, kind: Kind, territories: &[&str]) -> pb::Restriction {
    pb::Restriction { number, kind: kind as i32, territories: parties(territories), ..Default::default() }
}

fn lifecycle(restrictions: Vec<pb::Restriction>) -> pb::Lifecycle {
    pb::Lifecycle { restrictions, ..Default::default() }
}

fn set(codes: &[&str]) -> BTreeSet<String> {
    codes.iter().map(|code| (*code).to_owned()).collect()
}

#[test]
fn a_restriction_holds_from_its_start_until_its_end_or_its_lifting() {
    let at = |ms: u64| Some(from_ms(ms));
    let mut suspended = restriction(1, Kind::Suspended, &["GB-SCT", "IRL"]);
    (suspended.from, suspended.until) = (at(100), at(200));
    let life = lifecycle(vec![suspended.clone()]);
    for (now, holds) in [(0, false), (99, false), (100, true), (199, true), (200, false)] {
        let expected = if holds { set(&["GB-SCT", "IE"]) } else { set(&[]) };
        assert_eq!(effective(&life, now).suspended_in, expected, "at {now}");
    }
    assert_eq!(next_boundary(&life, 0), Some(100));
    assert_eq!(next_boundary(&life, 100), Some(200));
    assert_eq!(next_boundary(&life, 200), None);
    // Lifted early; lifted before it began: it never begins.
    suspended.lifted_at = at(150);
    let life = lifecycle(vec![suspended.clone()]);
    assert_eq!(next_boundary(&life, 120), Some(150));
    assert!(effective(&life, 150).suspended_in.is_empty());
    suspended.lifted_at = at(50);
    let life = lifecycle(vec![suspended]);
    assert_eq!((effective(&life, 120), next_boundary(&life, 0)), (EffectiveRestrictions::default(), None));
}

#[test]
fn boundaries_are_exactly_where_the_effect_changes() {
    // Every pair of small spans: between two boundaries the effect is constant.
    for spans in 0..6u64.pow(4) {
        let [a, b, c, d] = [spans % 6, spans / 6 % 6, spans / 36 % 6, spans / 216];
        let mut first = restriction(1, Kind::Suspended, &["FR"]);
        (first.from, first.until) = (Some(from_ms(a)), Some(from_ms(b)));
        let mut second = restriction(2, Kind::Flagged, &[]);
        (second.from, second.lifted_at) = (Some(from_ms(c)), Some(from_ms(d)));
        let life = lifecycle(vec![first, second]);
        for now in 0..8 {
            let next = next_boundary(&life, now).unwrap_or(9);
            assert!(next > now);
            for later in now..next {
                assert_eq!(effective(&life, later), effective(&life, now), "{a} {b} {c} {d} at {now} and {later}");
            }
        }
    }
}

#[test]
fn no_territory_means_everywhere_and_an_unknown_kind_blocks() {
    let life = lifecycle(vec![restriction(1, Kind::Suspended, &[])]);
    assert_eq!(effective(&life, 0).suspended_in, set(&[EVERYWHERE]));
    assert!(effective(&lifecycle(vec![restriction(1, Kind::Blocked, &[])]), 0).blocked);
    let unknown = pb::Restriction { kind: 42, ..Default::default() };
    assert!(effective(&lifecycle(vec![unknown]), 0).blocked);
}

fn flag(number: u32, territories: &[&str], action: &str) -> pb::Restriction {
    let substitute_action = code("action", action);
    pb::Restriction { substitute_action, ..restriction(number, Kind::Flagged, territories) }
}

/// Value of the action shown to a caller of these territories, and why.
fn shown(alert: &pb::Alert, territories: &[&str]) -> (String, ActionGround) {
    let shown = action_for(alert, &set(territories), sample::rules(), NOW_MS);
    assert!(shown.texts.is_empty() || shown.ground == ActionGround::Own);
    (shown.action.map(|code| code.value).unwrap_or_default(), shown.ground)
}

#[test]
fn an_alert_shows_its_own_action_to_whom_nothing_else_applies() {
    let alert = sample::person("arrest");
    assert_eq!(shown(&alert, &["GB", "GB-EAW"]), ("arrest".into(), ActionGround::Own));
    assert_eq!(shown(&alert, &["FR"]), ("arrest".into(), ActionGround::Own));
    assert_eq!(shown(&pb::Alert::default(), &["FR"]), (String::new(), ActionGround::Own));
}

#[test]
fn the_closest_flag_replaces_the_action_where_it_holds() {
    let mut alert = sample::person("arrest");
    alert.lifecycle = Some(lifecycle(vec![
        flag(1, &["GB-SCT"], "protect"),
        flag(2, &["GB", "IE"], "inform-owner"),
        flag(3, &[], "no-action"),
        flag(4, &[], "caution"),
    ]));
    assert_eq!(shown(&alert, &["GB", "GB-SCT"]), ("protect".into(), ActionGround::Flag(1)));
    assert_eq!(shown(&alert, &["GB", "GB-EAW"]), ("inform-owner".into(), ActionGround::Flag(2)));
    assert_eq!(shown(&alert, &["FR"]), ("caution".into(), ActionGround::Flag(4)));
}

#[test]
fn a_foreign_arrest_gives_no_power_here_without_a_certificate_for_the_callers_jurisdiction() {
    let mut alert = sample::person("arrest");
    alert.core.as_mut().unwrap().owner = Some(sample::owner("FR", "bureau"));
    assert_eq!(shown(&alert, &["GB"]), ("locate-and-report".into(), ActionGround::NoLocalEffect));
    assert_eq!(shown(&alert, &["FR"]), ("arrest".into(), ActionGround::Own));
    let effect = |jurisdiction: &str, action: &str| pb::LocalEffect {
        jurisdiction: code("jurisdiction", jurisdiction),
        action: code("action", action),
        certified_at: Some(from_ms(NOW_MS - DAY_MS)),
        ..Default::default()
    };
    let section = alert.action.as_mut().unwrap();
    section.local_effects = vec![effect("england-and-wales", "arrest"), effect("uk-wide", "caution")];
    let local = |jurisdiction: &str| ActionGround::LocalEffect(jurisdiction.into());
    assert_eq!(shown(&alert, &["GB", "GB-EAW"]), ("arrest".into(), local("england-and-wales")));
    assert_eq!(shown(&alert, &["GB", "GB-NIR"]), ("caution".into(), local("uk-wide")));
    assert_eq!(shown(&alert, &["GB"]), ("caution".into(), local("uk-wide")));
    // Withdrawn, or not yet certified: as if it were not there.
    let section = alert.action.as_mut().unwrap();
    section.local_effects[0].withdrawn_at = Some(from_ms(NOW_MS));
    section.local_effects[1].certified_at = Some(from_ms(NOW_MS + 1));
    assert_eq!(shown(&alert, &["GB", "GB-EAW"]), ("locate-and-report".into(), ActionGround::NoLocalEffect));
    // A flag is stronger than any certificate.
    alert.lifecycle = Some(lifecycle(vec![flag(7, &["GB"], "no-action")]));
    assert_eq!(shown(&alert, &["GB", "GB-EAW"]), ("no-action".into(), ActionGround::Flag(7)));
}

#[test]
fn a_tombstone_says_who_when_and_what_kind_and_nothing_of_a_person() {
    let mut alert = sample::person("missing");
    alert.id = "0190b0a2-7c3d-7000-8000-000000000001".into();
    alert.victims = Some(pb::VictimSection::default());
    alert.internal = Some(pb::InternalSection { note: "secret".into(), ..Default::default() });
    let left = tombstone(&alert, "located", "desk", NOW_MS);
    let core = left.core.clone().unwrap();
    assert_eq!(left.id, alert.id);
    assert_eq!(core.owner.as_ref().unwrap().party, party("GB"));
    assert_eq!(core.owner.as_ref().unwrap().authority, code("authority", "nca"));
    assert_eq!(core.source.as_ref().unwrap().system, "UK");
    let stone = left.lifecycle.as_ref().unwrap().tombstone.clone().unwrap();
    assert_eq!((stone.reason, stone.category), (code("deletion-reason", "located"), code("category", "missing")));
    assert_eq!((field_ms(&stone.deleted_at), stone.deleted_by.as_str()), (Some(NOW_MS), "desk"));
    assert_eq!(stone.subject_kind, pb::SubjectKind::Person as i32);
    // No word of the content is left in its bytes.
    let bytes = prost::Message::encode_to_vec(&left);
    for word in ["SYN-1", "Synthetic", "Example", "Duty", "7946", "example.org", "W-1", "fraud", "secret", "Arrest."] {
        assert!(!bytes.windows(word.len()).any(|window| window == word.as_bytes()), "{word}");
    }
}

#[test]
fn a_step_that_is_not_possible_is_told_in_words() {
    let refused = transition(pb::AlertState::PendingReview, Step::Update).unwrap_err();
    assert_eq!(refused.to_string(), "not possible while the alert is pending review");
}
