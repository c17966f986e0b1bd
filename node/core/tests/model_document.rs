//! docs/model.md speaks of the contracts as they are.

use std::collections::{BTreeMap, BTreeSet};

use alert_core::alert::{RuleSet, validate::minimum_field_paths};
use prost::Message;
use prost_types::FileDescriptorSet;

const DOCUMENT: &str = include_str!("../../../docs/model.md");

/// Message -> its fields, of the whole package.
fn contracts() -> BTreeMap<String, BTreeSet<String>> {
    let files = FileDescriptorSet::decode(alert_proto::DESCRIPTOR_SET).unwrap();
    let messages =
        files.file.into_iter().filter(|file| file.package() == "alertstore.v1").flat_map(|file| file.message_type);
    messages
        .map(|message| {
            let fields = message.field.iter().map(|field| field.name().to_owned()).collect();
            (message.name().to_owned(), fields)
        })
        .collect()
}

/// Texts between backticks.
fn quoted() -> impl Iterator<Item = &'static str> {
    DOCUMENT.split('`').skip(1).step_by(2)
}

#[test]
fn every_field_that_the_document_names_exists() {
    let contracts = contracts();
    let mut named = 0;
    for (message, field) in quoted().filter_map(|text| text.split_once('.')) {
        if message.starts_with(char::is_uppercase) && !message.contains(' ') {
            let fields = contracts.get(message).unwrap_or_else(|| panic!("no message {message}"));
            assert!(fields.contains(field), "{message} has no field {field}");
            named += 1;
        }
    }
    assert!(named > 150, "{named}");
}

/// The record and what stands beside it: no field is forgotten.
#[test]
fn every_field_of_the_record_is_in_the_document() {
    let contracts = contracts();
    let named: BTreeSet<&str> = quoted().collect();
    // Told of by their parents: small parts whose names say all.
    let parts = ["Contact", "Place", "PartialDate", "LocalisedText", "Code", "Party"];
    let mut forgotten = Vec::new();
    for message in [
        "Core",
        "Source",
        "Owner",
        "Distribution",
        "IdentitySection",
        "NameForm",
        "NamePart",
        "BirthDate",
        "SubjectRole",
        "Grading",
        "VictimSection",
        "Victim",
        "Consent",
        "ObjectSection",
        "ActionSection",
        "LocalEffect",
        "AttachmentSection",
        "RecordInfo",
        "Agreement",
        "Extension",
        "Offence",
        "DecisionReference",
        "Boat",
        "Firearm",
        "Review",
        "Restriction",
        "Tombstone",
        "Link",
        "CallContext",
        "Candidate",
        "AuditCaller",
        "Hit",
        "HitReport",
        "HitMessage",
    ] {
        assert!(!parts.contains(&message));
        for field in &contracts[message] {
            let name = format!("{message}.{field}");
            if !named.contains(name.as_str()) {
                forgotten.push(name);
            }
        }
    }
    assert!(forgotten.is_empty(), "{forgotten:?}");
}

#[test]
fn every_list_that_the_document_names_is_shipped() {
    let rules = RuleSet::defaults();
    for rest in DOCUMENT.split("list `").skip(1) {
        let name = rest.split('`').next().unwrap();
        assert!(rules.list(name).is_some(), "list {name}");
    }
}

#[test]
fn paths_of_minimum_fields_begin_with_a_field_of_the_alert() {
    let contracts = contracts();
    for path in minimum_field_paths() {
        assert!(contracts["Alert"].contains(path.split('.').next().unwrap()), "{path}");
    }
}
