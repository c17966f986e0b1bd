//! Every record passes the rules that a new cluster starts with.

use std::collections::BTreeMap;

use alert_core::alert::{RuleSet, validate::validate};
use alert_proto::v1 as pb;
use alert_synth::{Generator, codes::BASE_DAY, known};

const SEED: u64 = 20_260_101;
/// A week after the day that the records look back from.
const NOW_MS: u64 = (BASE_DAY as u64 + 7) * 86_400_000;

/// Faults of a code and path (list positions left out), each with one example.
fn faults(alerts: impl Iterator<Item = pb::Alert>, warnings: bool) -> BTreeMap<String, (u32, String)> {
    let rules = RuleSet::defaults();
    let mut found = BTreeMap::<String, (u32, String)>::new();
    for alert in alerts {
        for fault in validate(&alert, &rules, NOW_MS).into_iter().filter(|fault| fault.warning == warnings) {
            let path: String = fault.field_path.chars().filter(|letter| !letter.is_ascii_digit()).collect();
            let reference = alert.core.as_ref().and_then(|core| core.source.as_ref()).map(|source| &source.reference);
            let example = format!("{} ({})", fault.message, reference.cloned().unwrap_or_default());
            found.entry(format!("{} {path}", fault.code)).or_insert((0, example)).0 += 1;
        }
    }
    found
}

#[test]
fn persons_are_valid() {
    let generator = Generator::new(SEED);
    assert_eq!(faults((0..20_000).map(|number| generator.person(number)), false), BTreeMap::new());
}

#[test]
fn objects_are_valid() {
    let generator = Generator::new(SEED);
    assert_eq!(faults((0..20_000).map(|number| generator.object(number)), false), BTreeMap::new());
}

#[test]
fn known_records_are_valid_and_without_warnings() {
    let records =
        || known::records().into_iter().map(|known| known.alert).chain((0..50).map(|n| known::numbered("x", n)));
    assert_eq!(faults(records(), false), BTreeMap::new());
    assert_eq!(faults(records(), true), BTreeMap::new());
}

/// Warnings are for what happens outside our own offices: authorities that are not ours, foreign records without a date
/// of birth, names that came as one string.
#[test]
fn warnings_are_the_expected_ones() {
    let generator = Generator::new(SEED);
    let alerts = (0..4000).flat_map(|number| [generator.person(number), generator.object(number)]);
    let expected = [
        "MINIMUM_FIELD identities.identities[].birth_dates",
        "NAME_UNDIVIDED identities.identities[].names[]",
        "NAME_UNDIVIDED victims.victims[].identity.names[]",
        "UNKNOWN_CODE core.owner.authority.value",
    ];
    assert_eq!(faults(alerts, true).into_keys().collect::<Vec<_>>(), expected);
}
