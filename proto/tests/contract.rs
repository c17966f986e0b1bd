//! The contract may grow and never break: what is published keeps its name, number and type.
//!
//! `alertstore.v1.binpb` is the published contract as a descriptor set. After an addition, publish it with
//! `UPDATE_CONTRACT=1 cargo test -p alert-proto`. A breaking change is refused even then.

use std::{collections::BTreeMap, env, fs, path::Path};

use prost::Message;
use prost_types::{DescriptorProto, EnumDescriptorProto, FileDescriptorSet};

/// Everything that callers and stored bytes depend on: what it is -> what must not change about it.
fn facts(set: &FileDescriptorSet) -> BTreeMap<String, String> {
    let mut facts = BTreeMap::new();
    for file in set.file.iter().filter(|file| file.package().starts_with("alertstore.")) {
        for message in &file.message_type {
            message_facts(file.package(), message, &mut facts);
        }
        for enumeration in &file.enum_type {
            enum_facts(file.package(), enumeration, &mut facts);
        }
        for service in &file.service {
            for method in &service.method {
                let shape = format!(
                    "{}{} -> {}{}",
                    if method.client_streaming() { "stream " } else { "" },
                    method.input_type(),
                    if method.server_streaming() { "stream " } else { "" },
                    method.output_type()
                );
                facts.insert(format!("method {}.{}/{}", file.package(), service.name(), method.name()), shape);
            }
        }
    }
    facts
}

fn message_facts(scope: &str, message: &DescriptorProto, facts: &mut BTreeMap<String, String>) {
    let name = format!("{scope}.{}", message.name());
    facts.insert(format!("message {name}"), String::new());
    for field in &message.field {
        let oneof = field.oneof_index.map_or("", |index| message.oneof_decl[index as usize].name());
        let shape = format!(
            "{} {:?} {:?} {} {oneof} {}",
            field.name(),
            field.label(),
            field.r#type(),
            field.type_name(),
            field.json_name()
        );
        facts.insert(format!("field {name} #{}", field.number()), shape);
    }
    for nested in &message.nested_type {
        message_facts(&name, nested, facts);
    }
    for nested in &message.enum_type {
        enum_facts(&name, nested, facts);
    }
}

fn enum_facts(scope: &str, enumeration: &EnumDescriptorProto, facts: &mut BTreeMap<String, String>) {
    for value in &enumeration.value {
        facts.insert(format!("enum {scope}.{} #{}", enumeration.name(), value.number()), value.name().into());
    }
}

/// One sentence for each published fact that `current` does not keep.
fn breaks(published: &FileDescriptorSet, current: &FileDescriptorSet) -> Vec<String> {
    let current = facts(current);
    facts(published)
        .into_iter()
        .filter_map(|(what, was)| match current.get(&what) {
            None => Some(format!("{what} ({was}) is gone")),
            Some(is) if *is != was => Some(format!("{what} was '{was}' and is '{is}'")),
            Some(_) => None,
        })
        .collect()
}

fn current() -> FileDescriptorSet {
    FileDescriptorSet::decode(alert_proto::DESCRIPTOR_SET).unwrap()
}

#[test]
fn the_published_contract_is_kept() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("alertstore.v1.binpb");
    let update = env::var_os("UPDATE_CONTRACT").is_some();
    let mut stored = current();
    for file in &mut stored.file {
        file.source_code_info = None;
    }
    if !path.exists() && update {
        fs::write(&path, stored.encode_to_vec()).unwrap();
    }
    let published = FileDescriptorSet::decode(fs::read(&path).expect("published contract").as_slice()).unwrap();
    let broken = breaks(&published, &current());
    assert!(broken.is_empty(), "the change breaks the published contract:\n{}", broken.join("\n"));
    if facts(&published) != facts(&current()) {
        assert!(update, "the contract has grown: publish it with UPDATE_CONTRACT=1 cargo test -p alert-proto");
        fs::write(&path, stored.encode_to_vec()).unwrap();
    }
}

#[test]
fn a_field_that_is_removed_renumbered_or_retyped_is_noticed() {
    let edit = |change: &dyn Fn(&mut DescriptorProto)| {
        let mut set = current();
        let message = set
            .file
            .iter_mut()
            .flat_map(|file| &mut file.message_type)
            .find(|message| message.name() == "Core")
            .expect("the contract has a message Core");
        change(message);
        breaks(&current(), &set).len()
    };
    assert_eq!(edit(&|_| ()), 0);
    assert_eq!(edit(&|core| drop(core.field.remove(0))), 1);
    assert_eq!(edit(&|core| core.field[0].number = Some(900)), 1);
    assert_eq!(edit(&|core| core.field[0].type_name = Some(".alertstore.v1.Code".into())), 1);
    assert_eq!(edit(&|core| core.field[0].name = Some("other".into())), 1);
}
