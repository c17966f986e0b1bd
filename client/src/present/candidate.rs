//! One candidate, with what an officer needs at the roadside.

use alert_proto::v1 as pb;

use super::words::{code, field, loud, owner, text};

/// Prints a candidate. The first line carries no indent; the others are indented below it.
pub fn candidate(found: &pb::Candidate) -> String {
    let kind = match (found.subject_kind(), code(&found.object_class)) {
        (_, Some(class)) => class,
        (pb::SubjectKind::Person, None) => "person".to_owned(),
        (pb::SubjectKind::Organisation, None) => "organisation".to_owned(),
        (pb::SubjectKind::Object, None) => "object".to_owned(),
        (pb::SubjectKind::Unspecified, None) => "alert".to_owned(),
    };
    let title = if found.title.is_empty() { String::new() } else { format!(" {}", found.title) };
    let urgent = if code(&found.urgency).is_some() { "  URGENT" } else { "" };
    let mut out = format!("{kind}{title}  (score {}){urgent}\n", points(found.score));
    let mut line = |label: &str, text: String| {
        if !text.is_empty() {
            out.push_str(&field(label, &text, 3));
        }
    };
    let markers: Vec<String> = found.markers.iter().filter_map(marker).collect();
    if !markers.is_empty() {
        line("WARNING", markers.join(", "));
    }
    line("alert", loud(&found.category).unwrap_or_default());
    let action = loud(&found.action).unwrap_or_default();
    let words = text(&found.action_texts).unwrap_or_default();
    line("action", [action.as_str(), words].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(": "));
    if let Some(identity) = code(&found.identity_kind) {
        line("identity", identity_words(&identity));
    }
    line("why", found.explanation.as_ref().map(why).unwrap_or_default());
    line("owner", found.owner.as_ref().map(owner).unwrap_or_default());
    line("photo", if found.has_photo { "yes, fetch it with the record" } else { "none" }.to_owned());
    let source = found
        .source
        .as_ref()
        .map(|source| format!("{} {}", source.system, source.reference).trim().to_owned())
        .unwrap_or_default();
    line("source", source);
    line("id", format!("{} version {}", found.alert_id, found.version));
    out
}

fn points(score: u32) -> String {
    format!("{}.{:02} of 100", score / 100, score % 100)
}

fn marker(marker: &pb::Marker) -> Option<String> {
    let words = loud(&marker.marker)?;
    let assertion = marker.grading.as_ref().and_then(|grading| code(&grading.assertion));
    let note = (!marker.note.is_empty()).then(|| marker.note.clone());
    let aside: Vec<String> = assertion.filter(|kind| kind != "fact").into_iter().chain(note).collect();
    Some(if aside.is_empty() { words } else { format!("{words} ({})", aside.join(": ")) })
}

/// A misused identity is the dangerous one: the person in front of the officer may be its victim.
fn identity_words(kind: &str) -> String {
    match kind {
        "misused" => "MISUSED: the person met may be the victim of the misuse, not the subject".to_owned(),
        "alias good" => "alias of good quality".to_owned(),
        "alias low" => "alias of low quality".to_owned(),
        other => format!("{other} identity"),
    }
}

fn why(explanation: &pb::Explanation) -> String {
    let mut reasons = Vec::new();
    for token in &explanation.tokens {
        reasons.push(match token.how.as_str() {
            "exact" => format!("{} matches", token.query),
            "" => format!("{} as {}", token.query, token.matched),
            how => format!("{} as {} ({})", token.query, token.matched, how.replace('-', " ")),
        });
    }
    if !explanation.number_kind.is_empty() {
        let how = match explanation.number_how.as_str() {
            "" | "exact" => "exactly".to_owned(),
            "look-alike" => "but for look-alike characters".to_owned(),
            "last-8" => "by its last 8 characters".to_owned(),
            other => other.replace('-', " "),
        };
        reasons.push(format!("number ({}) matches {how}", explanation.number_kind.replace('-', " ")));
    }
    let signed =
        |points: i32| if points == 0 { String::new() } else { format!(" ({:+.2})", f64::from(points) / 100.0) };
    let date = match explanation.date.as_str() {
        "" | "not-asked" => None,
        "exact" => Some("date of birth exact".to_owned()),
        "day-month-swapped" => Some("date of birth with day and month swapped".to_owned()),
        "digit" => Some("date of birth with one digit different".to_owned()),
        "year" => Some("year of birth only".to_owned()),
        "year-near" => Some("year of birth near".to_owned()),
        "unknown" => Some("date of birth unknown".to_owned()),
        "conflict" => Some("DATE OF BIRTH DIFFERS".to_owned()),
        other => Some(format!("date of birth: {other}")),
    };
    reasons.extend(date.map(|date| format!("{date}{}", signed(explanation.date_points))));
    for adjustment in &explanation.adjustments {
        reasons.push(format!("{}{}", adjustment.what.replace('-', " "), signed(adjustment.points)));
    }
    reasons.extend(explanation.notes.iter().cloned());
    reasons.join("; ")
}
