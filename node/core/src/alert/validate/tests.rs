//! Stories of validation: sound records pass, and each kind of mistake is named where it is.

mod objects;
mod other_messages;
mod persons;
mod records;
mod rule_documents;

use crate::{
    alert::{
        sample::{self, NOW_MS},
        validate::validate,
    },
    pb,
};

/// "path CODE" of everything that blocks, sorted.
fn blocking(faults: &[pb::Fault]) -> Vec<String> {
    listed(faults.iter().filter(|fault| !fault.warning))
}

/// "path CODE" of all warnings, sorted.
fn warnings(faults: &[pb::Fault]) -> Vec<String> {
    listed(faults.iter().filter(|fault| fault.warning))
}

fn listed<'a>(faults: impl Iterator<Item = &'a pb::Fault>) -> Vec<String> {
    let mut listed: Vec<_> = faults.map(|fault| format!("{} {}", fault.field_path, fault.code)).collect();
    listed.sort();
    listed
}

fn faults_of(alert: &pb::Alert) -> Vec<pb::Fault> {
    validate(alert, sample::rules(), NOW_MS)
}

/// Faults of a person's alert after one change.
fn person_with(change: impl FnOnce(&mut pb::Alert)) -> Vec<pb::Fault> {
    let mut alert = sample::person("arrest");
    change(&mut alert);
    faults_of(&alert)
}

/// Faults of a vehicle's alert after one change.
fn vehicle_with(change: impl FnOnce(&mut pb::Alert)) -> Vec<pb::Fault> {
    let mut alert = sample::vehicle();
    change(&mut alert);
    faults_of(&alert)
}

fn identity_of(alert: &mut pb::Alert) -> &mut pb::Identity {
    &mut alert.identities.as_mut().unwrap().identities[0]
}

fn core_of(alert: &mut pb::Alert) -> &mut pb::Core {
    alert.core.as_mut().unwrap()
}
