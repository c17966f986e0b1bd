//! What a caller is shown of an alert that answers.

use super::run::Found;
use crate::{
    alert::{RecordError, RuleSet, Viewer, lifecycle::action_for},
    pb,
};

/// What a candidate is made for.
#[derive(Clone, Copy)]
pub struct CandidateScope<'a> {
    /// Who asks: action and flags follow from where the caller stands.
    pub viewer: &'a Viewer,
    /// The rules in force: what an action means where the caller stands.
    pub rules: &'a RuleSet,
    /// Replicated time, milliseconds since 1970: restrictions begin and end.
    pub now_ms: u64,
    /// Whether the caller may have a field of `pb::Candidate` ("markers", "owner", "title"...), by its name. Alert id,
    /// version, score, kind of subject and how the query matched are always shown.
    pub may_have: &'a dyn Fn(&str) -> bool,
}

/// Makes the candidate of one found alert.
pub fn to_proto(found: &Found, scope: &CandidateScope<'_>) -> Result<pb::Candidate, RecordError> {
    let alert = found.stored.to_alert()?;
    let shown = action_for(&alert, scope.viewer.territories(), scope.rules, scope.now_ms);
    let core = alert.core.unwrap_or_default();
    let identities = alert.identities.unwrap_or_default();
    let attachments = alert.attachments.unwrap_or_default().attachments;
    let object_class =
        alert.objects.iter().flat_map(|section| &section.objects).find_map(|object| object.class.clone());
    let may = scope.may_have;
    let mut explanation = found.explanation.clone();
    if !may("title") {
        // What matched is the record's own text.
        for token in &mut explanation.tokens {
            token.matched.clear();
        }
    }
    let identity_kind = Some(found.identity_kind.as_str()).filter(|kind| !kind.is_empty());
    Ok(pb::Candidate {
        alert_id: found.id.to_string(),
        version: found.stored.header.version,
        score: found.score,
        explanation: Some(explanation),
        subject_kind: core.subject_kind,
        identity_kind: identity_kind
            .filter(|_| may("identity_kind"))
            .map(|kind| pb::Code { list: "identity-kind".into(), value: kind.into() }),
        category: core.category.filter(|_| may("category")),
        action: shown.action.filter(|_| may("action")),
        action_texts: if may("action_texts") { shown.texts } else { Vec::new() },
        markers: if may("markers") { identities.markers } else { Vec::new() },
        owner: core.owner.filter(|_| may("owner")),
        has_photo: may("has_photo") && attachments.iter().any(is_photo),
        title: if may("title") { found.title.clone() } else { String::new() },
        object_class: object_class.filter(|_| may("object_class")),
        source: core.source.filter(|_| may("source")),
        urgency: core.urgency.filter(|_| may("urgency")),
    })
}

fn is_photo(attachment: &pb::AttachmentReference) -> bool {
    attachment.kind.as_ref().is_some_and(|kind| kind.value == "photo")
}
