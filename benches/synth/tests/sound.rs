//! Every record that this crate makes is sound under the rules that a new cluster starts with.

use std::collections::BTreeMap;

use alert_core::alert::{RuleSet, validate::validate};
use alert_synth::{Generator, known};

/// 22 November 2026.
const NOW_MS: u64 = 1_795_305_600_000;

#[test]
fn no_record_has_a_fault_under_the_shipped_rules() {
    let rules = RuleSet::defaults();
    let generator = Generator::new(20_260_101);
    let persons = (0..4000).map(|number| generator.person(number));
    let objects = (0..8000).map(|number| generator.object(number));
    let known = known::records().into_iter().map(|known| known.alert);
    let mut told = BTreeMap::<String, (u32, String)>::new();
    for alert in persons.chain(objects).chain(known) {
        for fault in validate(&alert, &rules, NOW_MS).into_iter().filter(|fault| !fault.warning) {
            let path: String = fault.field_path.chars().filter(|character| !character.is_ascii_digit()).collect();
            told.entry(format!("{path} {}", fault.code)).or_insert((0, fault.message)).0 += 1;
        }
    }
    assert!(told.is_empty(), "{told:#?}");
}
