//! Small pieces of the contracts as words.

use alert_proto::v1 as pb;

/// A coded value as words: "suicide-risk" becomes "suicide risk".
pub(super) fn code(code: &Option<pb::Code>) -> Option<String> {
    code.as_ref().filter(|code| !code.value.is_empty()).map(|code| code.value.replace(['-', '_'], " "))
}

/// A coded value as shouted words.
pub(super) fn loud(value: &Option<pb::Code>) -> Option<String> {
    code(value).map(|words| words.to_uppercase())
}

/// A country or organisation by its code.
pub fn party(party: &pb::Party) -> String {
    party.code.clone()
}

/// A date of which parts may be unknown: "1990-05-17", "1990-05", "1990", "??-05-17".
pub fn date(year: Option<u32>, month: Option<u32>, day: Option<u32>) -> String {
    match (year, month, day) {
        (None, None, None) => "unknown".to_owned(),
        (Some(year), None, None) => format!("{year:04}"),
        (Some(year), Some(month), None) => format!("{year:04}-{month:02}"),
        (year, month, day) => {
            let part = |part: Option<u32>, width| part.map_or("?".repeat(width), |part| format!("{part:0width$}"));
            format!("{}-{}-{}", part(year, 4), part(month, 2), part(day, 2))
        }
    }
}

/// A point in time, in UTC to the minute: "2026-03-04 05:06 UTC".
pub fn time(time: &prost_types::Timestamp) -> String {
    let nanos = time.nanos.clamp(0, 999_999_999);
    match jiff::Timestamp::new(time.seconds, nanos) {
        Ok(time) => time.strftime("%Y-%m-%d %H:%M UTC").to_string(),
        Err(_) => format!("{} s after 1970", time.seconds),
    }
}

/// One form of a name, surnames in capitals: "Anna Maria BERG".
pub fn name(form: &pb::NameForm) -> String {
    if form.parts.is_empty() {
        return form.full_text.clone();
    }
    let is_surname = |part: &pb::NamePart| part.kind.as_ref().is_some_and(|kind| kind.value.ends_with("surname"));
    let (surnames, others): (Vec<_>, Vec<_>) = form.parts.iter().partition(|part| is_surname(part));
    let mut words: Vec<String> = others.iter().map(|part| part.text.clone()).collect();
    words.extend(surnames.iter().map(|part| part.text.to_uppercase()));
    words.join(" ")
}

/// One thing wrong with a record or a query.
pub fn fault(fault: &pb::Fault) -> String {
    let place = if fault.field_path.is_empty() { String::new() } else { format!("{}: ", fault.field_path) };
    let text =
        if fault.message.is_empty() { fault.code.clone() } else { format!("{} ({})", fault.message, fault.code) };
    format!("{place}{text}")
}

/// The text in English where there is one, or else the first.
pub(super) fn text(texts: &[pb::LocalisedText]) -> Option<&str> {
    let english = texts.iter().find(|text| text.language == "en" || text.language.starts_with("en-"));
    english.or(texts.first()).map(|text| text.text.as_str()).filter(|text| !text.is_empty())
}

/// The owner and how to reach it.
pub(super) fn owner(owner: &pb::Owner) -> String {
    let mut words = Vec::new();
    if let Some(party) = owner.party.as_ref().filter(|party| !party.code.is_empty()) {
        words.push(party.code.clone());
    }
    words.extend(code(&owner.authority));
    let mut text = words.join(" ");
    if let Some(contact) = &owner.contact {
        let mut ways: Vec<String> = [&contact.name, &contact.phone, &contact.email]
            .into_iter()
            .filter(|way| !way.is_empty())
            .cloned()
            .collect();
        if contact.available_24h {
            ways.push("24 hours".to_owned());
        }
        if !ways.is_empty() {
            text = format!("{text}; {}", ways.join(", "));
        }
    }
    text
}

/// Lines of "label: text", the text wrapped under itself.
pub(super) fn field(label: &str, text: &str, indent: usize) -> String {
    const LABEL: usize = 11;
    let head = format!("{:indent$}{label:<LABEL$} ", "");
    let hang = head.chars().count();
    let mut out = String::new();
    for (number, line) in wrap(text, super::WIDTH.saturating_sub(hang).max(20)).iter().enumerate() {
        if number == 0 {
            out.push_str(&head);
        } else {
            out.push_str(&" ".repeat(hang));
        }
        out.push_str(line);
        out.push('\n');
    }
    out
}

fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.last_mut().expect("there is always a line to write on");
        if last.is_empty() {
            last.push_str(word);
        } else if last.chars().count() + 1 + word.chars().count() <= width {
            last.push(' ');
            last.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_part_of_a_date_is_never_a_zero() {
        assert_eq!(date(Some(1990), Some(5), Some(17)), "1990-05-17");
        assert_eq!(date(Some(1990), None, None), "1990");
        assert_eq!(date(Some(1990), None, Some(7)), "1990-??-07");
        assert_eq!(date(None, Some(5), Some(17)), "????-05-17");
        assert_eq!(date(None, None, None), "unknown");
    }

    #[test]
    fn a_name_is_written_with_its_surname_in_capitals() {
        let part = |kind: &str, text: &str| pb::NamePart {
            kind: Some(pb::Code { list: "name-part".into(), value: kind.into() }),
            text: text.into(),
        };
        let form = pb::NameForm {
            parts: vec![part("surname", "Müller"), part("forename", "Eva")],
            ..pb::NameForm::default()
        };
        assert_eq!(name(&form), "Eva MÜLLER");
        assert_eq!(name(&pb::NameForm { full_text: "Suharto".into(), ..pb::NameForm::default() }), "Suharto");
    }
}
