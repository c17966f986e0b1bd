//! One full record.

use alert_proto::v1 as pb;

use super::words::{code, date, field, loud, name, owner, text, time};

/// Prints a full record: the state of the alert, what to do, who or what is sought, what restricts it, what was withheld.
pub fn record(record: &pb::AlertRecord) -> String {
    let alert = record.alert.clone().unwrap_or_default();
    let info = record.info.clone().unwrap_or_default();
    let core = alert.core.clone().unwrap_or_default();
    let state = info.state().as_str_name().trim_start_matches("ALERT_STATE_").replace('_', " ");
    let category = loud(&core.category).map(|category| format!("  {category}")).unwrap_or_default();
    let mut out = format!("ALERT {} version {}  {state}{category}\n", info.id, info.version);
    head(&mut out, &core, &info);
    if let Some(life) = &alert.lifecycle {
        lifecycle(&mut out, life);
    }
    if let Some(action) = &alert.action {
        what_to_do(&mut out, action);
    }
    if let Some(identities) = &alert.identities {
        subject(&mut out, identities);
    }
    for object in alert.objects.iter().flat_map(|section| &section.objects) {
        out.push_str(&field("object", &object_words(object), 2));
    }
    for attachment in alert.attachments.iter().flat_map(|section| &section.attachments) {
        let kind = code(&attachment.kind).unwrap_or_else(|| "attachment".to_owned());
        let words = format!(
            "{kind}, {}, {} bytes, {} {}",
            attachment.media_type, attachment.size_bytes, attachment.content_hash, attachment.description
        );
        out.push_str(&field("attached", &words, 2));
    }
    if !record.sections_withheld.is_empty() {
        out.push_str(&field("withheld", &record.sections_withheld.join(", "), 2));
    }
    out
}

fn head(out: &mut String, core: &pb::Core, info: &pb::RecordInfo) {
    let mut line = |label: &str, text: String| {
        if !text.trim().is_empty() {
            out.push_str(&field(label, &text, 2));
        }
    };
    line("owner", core.owner.as_ref().map(owner).unwrap_or_default());
    line("reason", code(&core.reason).unwrap_or_default());
    if let Some(decision) = &core.decision {
        let country = decision.country.as_ref().map(|party| format!(", {}", party.code)).unwrap_or_default();
        line("decision", format!("{} {}{country}", decision.reference, decision.authority));
    }
    for offence in &core.offences {
        line("offence", format!("{} {}", code(&offence.offence).unwrap_or_default(), offence.description));
    }
    if let Some(source) = &core.source {
        line("source", format!("{} {} version {}", source.system, source.reference, source.source_version));
    }
    line(
        "handling",
        core.handling.iter().map(|handling| handling.value.replace('-', " ")).collect::<Vec<_>>().join(", "),
    );
    line("changed", info.changed_at.as_ref().map(time).unwrap_or_default());
}

fn lifecycle(out: &mut String, life: &pb::Lifecycle) {
    if let Some(expires) = &life.expires_at {
        out.push_str(&field("expires", &time(expires), 2));
    }
    for restriction in life.restrictions.iter().filter(|restriction| restriction.lifted_at.is_none()) {
        let kind = restriction.kind().as_str_name().trim_start_matches("RESTRICTION_KIND_");
        let territories: Vec<&str> = restriction.territories.iter().map(|party| party.code.as_str()).collect();
        let place =
            if territories.is_empty() { "everywhere".to_owned() } else { format!("in {}", territories.join(", ")) };
        let until = restriction.until.as_ref().map(|until| format!(" until {}", time(until))).unwrap_or_default();
        let instead =
            loud(&restriction.substitute_action).map(|action| format!("; instead: {action}")).unwrap_or_default();
        let number = restriction.number;
        out.push_str(&field("RESTRICTED", &format!("{kind} {place}{until}{instead} (restriction {number})"), 2));
    }
    if let Some(tombstone) = &life.tombstone {
        let when = tombstone.deleted_at.as_ref().map(time).unwrap_or_default();
        let reason = code(&tombstone.reason).unwrap_or_default();
        out.push_str(&field("ENDED", &format!("{when}: {reason}, by {}", tombstone.deleted_by), 2));
    }
}

fn what_to_do(out: &mut String, action: &pb::ActionSection) {
    let words = [loud(&action.action).unwrap_or_default(), text(&action.texts).unwrap_or_default().to_owned()];
    let words: Vec<String> = words.into_iter().filter(|part| !part.is_empty()).collect();
    out.push_str(&field("ACTION", &words.join(": "), 2));
    for effect in action.local_effects.iter().filter(|effect| effect.withdrawn_at.is_none()) {
        let place = code(&effect.jurisdiction).unwrap_or_else(|| "here".to_owned());
        let words = format!("{place}: {} ({})", loud(&effect.action).unwrap_or_default(), effect.legal_basis);
        out.push_str(&field("effect", &words, 2));
    }
}

fn subject(out: &mut String, section: &pb::IdentitySection) {
    let markers: Vec<String> = section.markers.iter().filter_map(|marker| loud(&marker.marker)).collect();
    if !markers.is_empty() {
        out.push_str(&field("WARNING", &markers.join(", "), 2));
    }
    for role in &section.roles {
        out.push_str(&field("role", &code(&role.role).unwrap_or_default(), 2));
    }
    for identity in &section.identities {
        let kind = code(&identity.kind).unwrap_or_else(|| "identity".to_owned());
        out.push_str(&field("identity", &identity_words(&kind, identity), 2));
        for document in &identity.documents {
            out.push_str(&field("", &document_words(document), 2));
        }
    }
    for organisation in &section.organisations {
        let names: Vec<String> = organisation.names.iter().map(name).collect();
        out.push_str(&field("organisation", &names.join(" / "), 2));
    }
}

fn identity_words(kind: &str, identity: &pb::Identity) -> String {
    let names: Vec<String> = identity.names.iter().map(name).collect();
    let mut words = vec![format!("{kind}: {}", names.join(" / "))];
    for birth in &identity.birth_dates {
        words.push(format!("born {}", date(birth.year, birth.month, birth.day)));
    }
    words.extend(code(&identity.gender));
    if !identity.nationalities.is_empty() {
        let codes: Vec<&str> = identity.nationalities.iter().map(|party| party.code.as_str()).collect();
        words.push(format!("nationality {}", codes.join(", ")));
    }
    words.extend(identity.height_cm.map(|height| format!("{height} cm")));
    for mark in &identity.physical_marks {
        words.push(format!("{} {} {}", code(&mark.kind).unwrap_or_default(), mark.location, mark.description));
    }
    words.join(", ")
}

fn document_words(document: &pb::IdentityDocument) -> String {
    let country = document.issuing_country.as_ref().map(|party| party.code.as_str()).unwrap_or("unknown country");
    format!("{} {} of {country}", code(&document.r#type).unwrap_or_else(|| "document".to_owned()), document.number)
}

fn plate(plate: &Option<pb::NumberPlate>) -> Option<String> {
    let plate = plate.as_ref().filter(|plate| !plate.number.is_empty())?;
    let country = plate.country.as_ref().map(|party| format!(" ({})", party.code)).unwrap_or_default();
    Some(format!("plate {}{country}", plate.number))
}

fn object_words(object: &pb::Object) -> String {
    use pb::object::Detail;
    let class = code(&object.class).unwrap_or_else(|| "object".to_owned());
    let status = code(&object.status).map(|status| format!(", {status}")).unwrap_or_default();
    let number = |label: &str, number: &str| (!number.is_empty()).then(|| format!("{label} {number}"));
    let make = |make: &Option<pb::Code>, model: &str| {
        let words = format!("{} {model}", code(make).unwrap_or_default());
        Some(words.trim().to_owned()).filter(|words| !words.is_empty())
    };
    let parts: Vec<Option<String>> = match &object.detail {
        None => Vec::new(),
        Some(Detail::Vehicle(it)) => {
            vec![make(&it.make, &it.model), code(&it.colour), plate(&it.plate), number("VIN", &it.vin)]
        }
        Some(Detail::Boat(it)) => vec![
            number("name", &it.name),
            number("hull", &it.hull_number),
            number("IMO", &it.imo_number),
            number("registration", &it.registration),
        ],
        Some(Detail::Aircraft(it)) => {
            vec![
                make(&it.make, &it.model),
                number("registration", &it.registration),
                number("serial", &it.serial_number),
            ]
        }
        Some(Detail::Engine(it)) => vec![make(&it.make, &it.model), number("serial", &it.serial_number)],
        Some(Detail::Container(it)) => vec![number("number", &it.number)],
        Some(Detail::Equipment(it)) => vec![make(&it.make, &it.model), number("serial", &it.serial_number)],
        Some(Detail::Firearm(it)) => {
            vec![make(&it.make, &it.model), code(&it.calibre), number("serial", &it.serial_number)]
        }
        Some(Detail::Document(it)) => vec![Some(document_words(it))],
        Some(Detail::RegistrationCertificate(it)) => {
            vec![number("number", &it.number), plate(&it.plate), number("VIN", &it.vin)]
        }
        Some(Detail::NumberPlate(it)) => vec![plate(&Some(it.clone()))],
        Some(Detail::Banknote(it)) => {
            vec![Some(format!("{} {}", it.denomination, it.currency)), number("serial", &it.serial_number)]
        }
        Some(Detail::PaymentMeans(it)) => vec![number("number", &it.number), number("issuer", &it.issuer)],
        Some(Detail::Other(it)) => vec![number("name", &it.name), number("serial", &it.serial_number)],
    };
    let mut words: Vec<String> = parts.into_iter().flatten().collect();
    words.extend(
        object.numbers.iter().map(|number| format!("{} {}", code(&number.kind).unwrap_or_default(), number.number)),
    );
    if !object.description.is_empty() {
        words.push(object.description.clone());
    }
    format!("{class}{status}: {}", words.join(", "))
}
