//! What one caller may see in one state, found by looking at every alert.

use alert_core::{
    alert::{Agreement, AlertId, Caller, Role, RuleSet, Sight, StoredAlert, Viewer},
    pb,
    state::{MemoryView, View, family::Family, read_agreement, read_label},
};

use super::Findings;
use crate::model::{Question, Searched};

/// The caller as visibility sees it, under the rules that a cluster begins with. Partners see nothing without their
/// agreement.
pub(super) fn viewer(caller: &Caller, agreement: Option<Agreement>) -> Viewer {
    thread_local! {
        static RULES: RuleSet = RuleSet::defaults();
    }
    RULES.with(|rules| Viewer::of_authority(caller.clone(), agreement, rules))
}

/// Judges what was shown against `view`, the state that it was shown from.
pub(super) fn judge_search(view: &MemoryView, search: &Searched, findings: &mut Findings) {
    findings.checked += 1;
    let role = search.caller.role;
    let agreement = search.agreement.as_ref().and_then(|id| read_agreement(view, id).ok().flatten());
    let agreement = agreement.map(|agreement| Agreement::new(&agreement));
    if role == Role::Partner && !agreement.as_ref().is_some_and(|agreement| agreement.in_force(0)) {
        let what = format!("{} answered a partner from revision {}", search.node, search.revision);
        findings.violation("no answer under an agreement that is not in force", search.returned_us, what);
        return;
    }
    let viewer = viewer(&search.caller, agreement);
    let (mut expected, mut hidden) = (Vec::new(), Vec::new());
    for (id, stored) in asked_for(view, &search.question) {
        let seen = read_label(view, stored.header.label).is_ok_and(|label| viewer.sight(&label) != Sight::Hidden);
        if seen { expected.push((id, stored.header.version)) } else { hidden.push(id) }
    }
    let mut found = search.found.clone();
    found.sort();
    expected.sort();
    let asked = &search.question;
    if let Some((id, _)) = found.iter().find(|(id, _)| hidden.contains(id)) {
        let what =
            format!("{} showed alert {id} ({asked:?}) to a {role:?} at revision {}", search.node, search.revision);
        findings.violation("nothing is shown to who may not see it", search.returned_us, what);
    } else if found != expected {
        let what = format!(
            "{} found {found:?} for {asked:?} at revision {}, and there is {expected:?}",
            search.node, search.revision
        );
        findings.violation("a search finds what is there", search.returned_us, what);
    }
}

/// Every alert that the question is about, whoever may see it.
fn asked_for(view: &MemoryView, question: &Question) -> Vec<(String, StoredAlert)> {
    match question {
        Question::Record(id) => {
            let key = id.parse::<AlertId>().ok();
            let bytes = key.and_then(|key| view.get(Family::Alerts, key.as_bytes()).ok().flatten());
            let stored = bytes.and_then(|bytes| StoredAlert::decode(&bytes).ok());
            stored.map(|stored| (id.clone(), stored)).into_iter().collect()
        }
        Question::Number(number) => all_with(view, |alert| has_number(alert, number)),
        Question::Person { given, family } => all_with(view, |alert| has_name(alert, given, family)),
    }
}

fn all_with(view: &MemoryView, fits: impl Fn(&pb::Alert) -> bool) -> Vec<(String, StoredAlert)> {
    let all = view.entries(Family::Alerts).filter_map(|(key, value)| {
        let id = AlertId::from_bytes(<[u8; 16]>::try_from(key).ok()?);
        Some((id.to_string(), StoredAlert::decode(value).ok()?))
    });
    all.filter(|(_, stored)| stored.to_alert().is_ok_and(|alert| fits(&alert))).collect()
}

/// By the parts as they were written, not by anything that an index knows.
fn has_name(alert: &pb::Alert, given: &str, family: &str) -> bool {
    let identities = alert.identities.iter().flat_map(|section| &section.identities);
    let mut parts = identities.flat_map(|identity| &identity.names).flat_map(|name| &name.parts);
    parts.any(|part| part.text == given) && parts.any(|part| part.text == family)
}

fn has_number(alert: &pb::Alert, number: &str) -> bool {
    let identities = alert.identities.iter().flat_map(|section| &section.identities);
    identities.flat_map(|identity| &identity.documents).any(|document| document.number == number)
}
