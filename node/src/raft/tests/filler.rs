//! Fills messages of the contract by reflection: every field there is, with values that pass validation. A field that is
//! added to the contract is filled, and tested, without a change here.

use std::collections::{BTreeMap, BTreeSet};

use alert_core::{
    alert::{RuleSet, time::from_ms},
    pb,
};
use prost::Message;
use prost_reflect::{
    DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, ReflectMessage, Value,
};

use super::world::START_MS;

const DAY_MS: u64 = 86_400_000;

/// Code fields whose list has another name than the field: message and field, list.
const LISTS: &[(&str, &str)] = &[
    ("DecisionReference.kind", "decision-kind"),
    ("Identity.kind", "identity-kind"),
    ("OrganisationIdentity.kind", "identity-kind"),
    ("NamePart.kind", "name-part"),
    ("BirthDate.qualifier", "date-qualifier"),
    ("PhysicalMark.kind", "physical-mark"),
    ("NationalNumber.kind", "national-number"),
    ("IdentityDocument.type", "document-type"),
    ("Marker.marker", "warning-marker"),
    ("SubjectRole.role", "subject-role"),
    ("RegistrationNumber.kind", "registration-number"),
    ("Consent.field_category", "victim-field"),
    ("Object.class", "object-class"),
    ("Object.status", "object-status"),
    ("ObjectNumber.kind", "number-kind"),
    ("Vehicle.make", "vehicle-make"),
    ("Vehicle.type", "vehicle-type"),
    ("Boat.make", "boat-make"),
    ("Aircraft.make", "aircraft-make"),
    ("Engine.make", "engine-make"),
    ("Equipment.make", "equipment-make"),
    ("Equipment.kind", "equipment-kind"),
    ("Firearm.make", "firearm-make"),
    ("Firearm.kind", "firearm-kind"),
    ("PaymentMeans.kind", "payment-means"),
    ("OtherObject.kind", "object-kind"),
    ("AttachmentReference.kind", "attachment-kind"),
    ("Link.kind", "link-kind"),
    ("Hit.outcome", "hit-outcome"),
    ("Hit.reporting_authority", "authority"),
    ("HitReport.action_taken", "action"),
    ("Restriction.substitute_action", "action"),
    ("Agreement.actions_expected", "action"),
    ("Agreement.authorities", "authority"),
    ("Agreement.categories", "category"),
    ("Agreement.object_classes", "object-class"),
];

/// Texts that validation wants in a form of their own.
const TEXTS: &[(&str, &str)] = &[
    ("Party.code", "GB"),
    ("Source.system", "UK"),
    ("NameForm.script", "Latn"),
    ("NameForm.language", "en"),
    ("NameForm.scheme", "icao-9303"),
    ("LocalisedText.language", "en"),
    ("AttachmentReference.media_type", "image/jpeg"),
    (
        "IdentityDocument.mrz",
        "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10",
    ),
    ("IdentityDocument.number", "L898902C3"),
    ("Vehicle.vin", "1M8GDM9AXKP042788"),
    ("RegistrationCertificate.vin", "1M8GDM9AXKP042788"),
    ("Boat.imo_number", "9074729"),
    ("Container.number", "CSQU3054383"),
    ("Banknote.currency", "GBP"),
    ("Banknote.denomination", "20"),
    ("Banknote.serial_number", "AA01000001"),
    ("Object.number_range_to", "AA01000099"),
    ("Agreement.sources", "UK"),
];

/// Numbers within bounds.
const NUMBERS: &[(&str, u64)] = &[
    ("BirthDate.year", 1980),
    ("BirthDate.year_to", 1982),
    ("BirthDate.month", 2),
    ("BirthDate.day", 28),
    ("PartialDate.year", 2020),
    ("PartialDate.month", 3),
    ("PartialDate.day", 4),
    ("Identity.height_cm", 170),
    ("Vehicle.first_registered_year", 2001),
    ("Boat.length_cm", 1200),
    ("Offence.maximum_sentence_months", 120),
    ("Offence.sentence_months", 60),
];

/// Times that lie ahead; all others are past.
const AHEAD: &[&str] = &["DecisionReference.ends_at", "Restriction.until", "Agreement.valid_until"];

/// Fills messages.
pub struct Filler {
    pool: DescriptorPool,
    rules: RuleSet,
    /// Values that count before all else: message and field.
    set: BTreeMap<String, Value>,
    texts: u64,
}

impl Filler {
    pub fn new() -> Self {
        let pool = DescriptorPool::decode(alert_proto::DESCRIPTOR_SET).unwrap();
        Self { pool, rules: RuleSet::defaults(), set: BTreeMap::new(), texts: 0 }
    }

    /// From now on this field has this value.
    pub fn set(&mut self, field: &str, value: Value) -> &mut Self {
        self.set.insert(field.into(), value);
        self
    }

    pub fn descriptor(&self, name: &str) -> MessageDescriptor {
        self.pool.get_message_by_name(&format!("alertstore.v1.{name}")).unwrap()
    }

    /// A code of a list.
    pub fn code(&self, list: &str, value: &str) -> Value {
        self.message("Code", &pb::Code { list: list.into(), value: value.into() })
    }

    pub fn party(&self, code: &str) -> Value {
        self.message("Party", &pb::Party { code: code.into() })
    }

    fn message(&self, name: &str, message: &impl Message) -> Value {
        Value::Message(DynamicMessage::decode(self.descriptor(name), message.encode_to_vec().as_slice()).unwrap())
    }

    /// A whole message; of each oneof the first field.
    pub fn fill<T: Message + Default>(&mut self, name: &str) -> T {
        let filled = self.fill_message(&self.descriptor(name));
        T::decode(filled.encode_to_vec().as_slice()).unwrap()
    }

    /// One message for each field of a oneof.
    pub fn fill_each<T: Message + Default>(&mut self, name: &str, oneof: &str) -> Vec<(String, T)> {
        let descriptor = self.descriptor(name);
        let oneof = descriptor.oneofs().find(|found| found.name() == oneof).unwrap();
        let fields: Vec<_> = oneof.fields().collect();
        let filled = fields.into_iter().map(|field| {
            let mut message = self.fill_message(&descriptor);
            let value = self.fill_field(&field);
            // Sets this field of the oneof and clears the others.
            message.set_field(&field, value);
            (field.name().to_owned(), T::decode(message.encode_to_vec().as_slice()).unwrap())
        });
        filled.collect()
    }

    fn fill_message(&mut self, descriptor: &MessageDescriptor) -> DynamicMessage {
        let mut message = DynamicMessage::new(descriptor.clone());
        let mut oneofs = BTreeSet::new();
        for field in descriptor.fields() {
            // Fields that may be absent are oneofs of their own, to reflection.
            let taken = field.containing_oneof().is_some_and(|oneof| !oneofs.insert(oneof.full_name().to_owned()));
            if !taken {
                let value = self.fill_field(&field);
                message.set_field(&field, value);
            }
        }
        message
    }

    fn fill_field(&mut self, field: &FieldDescriptor) -> Value {
        let path = format!("{}.{}", field.parent_message().name(), field.name());
        if let Some(value) = self.set.get(&path) {
            return value.clone();
        }
        if field.is_map() {
            return Value::Map([(MapKey::String("key".into()), Value::String("value".into()))].into());
        }
        let value = self.fill_value(field, &path);
        if field.is_list() { Value::List(vec![value]) } else { value }
    }

    fn fill_value(&mut self, field: &FieldDescriptor, path: &str) -> Value {
        let number = NUMBERS.iter().find(|(known, _)| *known == path).map_or(7, |(_, number)| *number);
        match field.kind() {
            Kind::Message(inner) => match inner.full_name() {
                "google.protobuf.Timestamp" => {
                    let ms = match path {
                        "Core.requested_expiry" => START_MS + 100 * DAY_MS,
                        path if AHEAD.contains(&path) => START_MS + 300 * DAY_MS,
                        _ => START_MS - 10 * DAY_MS,
                    };
                    let bytes = from_ms(ms).encode_to_vec();
                    Value::Message(DynamicMessage::decode(inner, bytes.as_slice()).unwrap())
                }
                "google.protobuf.Duration" => {
                    let bytes = prost_types::Duration { seconds: 3600, nanos: 5_000 }.encode_to_vec();
                    Value::Message(DynamicMessage::decode(inner, bytes.as_slice()).unwrap())
                }
                "alertstore.v1.Code" => self.fill_code(field, path),
                _ => Value::Message(self.fill_message(&inner)),
            },
            Kind::Enum(inner) => Value::EnumNumber(inner.values().last().unwrap().number()),
            Kind::String => match TEXTS.iter().find(|(known, _)| *known == path) {
                Some((_, text)) => Value::String((*text).into()),
                None => {
                    self.texts += 1;
                    Value::String(format!("{}-{}", field.name(), self.texts))
                }
            },
            Kind::Bytes => Value::Bytes(vec![1, 2, 3].into()),
            Kind::Bool => Value::Bool(true),
            Kind::Uint64 | Kind::Fixed64 => Value::U64(number),
            Kind::Uint32 | Kind::Fixed32 => Value::U32(number as u32),
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Value::I64(number as i64),
            Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Value::I32(number as i32),
            Kind::Double => Value::F64(0.5),
            Kind::Float => Value::F32(0.5),
        }
    }

    /// The first value of the field's list that is still in use.
    fn fill_code(&self, field: &FieldDescriptor, path: &str) -> Value {
        let own = field.name().replace('_', "-");
        let named = LISTS.iter().find(|(known, _)| *known == path).map(|(_, list)| (*list).to_owned());
        let list = named
            .into_iter()
            .chain([own.trim_end_matches('s').to_owned(), own])
            .find(|name| self.rules.list(name).is_some());
        let list = list.unwrap_or_else(|| panic!("{path}: no code list of that name; tell LISTS which it is"));
        let document = RuleSet::default_rules().remove(0);
        let Some(pb::rules::Rules::CodeLists(lists)) = document.rules else { panic!("code lists come first") };
        let entries = lists.lists.into_iter().find(|found| found.name == list).unwrap().entries;
        let value = entries.into_iter().find(|entry| !entry.withdrawn).unwrap().value;
        self.code(&list, &value)
    }
}

/// "Message.field" of every field that is set, in `message` and all that it holds.
pub fn fields_set(message: &DynamicMessage, found: &mut BTreeSet<String>) {
    let name = message.descriptor().name().to_owned();
    for (field, value) in message.fields() {
        found.insert(format!("{name}.{}", field.name()));
        let inner: Vec<&DynamicMessage> = match value {
            Value::Message(inner) => vec![inner],
            Value::List(items) => items.iter().filter_map(Value::as_message).collect(),
            _ => Vec::new(),
        };
        inner.into_iter().for_each(|inner| fields_set(inner, found));
    }
}

/// "Message.field" of every field that there is in a message and all that it can hold.
pub fn fields_of(message: &MessageDescriptor, found: &mut BTreeSet<String>) {
    for field in message.fields() {
        let is_new = found.insert(format!("{}.{}", message.name(), field.name()));
        if let Kind::Message(inner) = field.kind()
            && is_new
            && !field.is_map()
        {
            fields_of(&inner, found);
        }
    }
}
