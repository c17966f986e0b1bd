//! What a caller is shown of an alert that answers.

use super::run::Found;
use crate::{
    alert::{RecordError, Viewer},
    pb,
};

/// What a candidate is made for.
#[derive(Clone, Copy)]
pub struct CandidateScope<'a> {
    /// Who asks: action and flags follow from where the caller stands.
    pub viewer: &'a Viewer,
    /// Replicated time, milliseconds since 1970: restrictions begin and end.
    pub now_ms: u64,
    /// Whether the caller may have a field of `pb::Candidate` ("markers", "owner", "title"...), by its name. Alert id,
    /// version, score, kind of subject and how the query matched are always shown.
    pub may_have: &'a dyn Fn(&str) -> bool,
}

/// Makes the candidate of one found alert.
pub fn to_proto(found: &Found, scope: &CandidateScope<'_>) -> Result<pb::Candidate, RecordError> {
    let alert = found.stored.to_alert()?;
    let core = alert.core.unwrap_or_default();
    let identities = alert.identities.unwrap_or_default();
    let action = alert.action.unwrap_or_default();
    let restrictions = alert.lifecycle.map(|lifecycle| lifecycle.restrictions).unwrap_or_default();
    let attachments = alert.attachments.unwrap_or_default().attachments;
    let (shown_action, shown_texts) = effective_action(action, &restrictions, scope);
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
        action: shown_action.filter(|_| may("action")),
        action_texts: if may("action_texts") { shown_texts } else { Vec::new() },
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

/// The action where the caller stands: a flag's substitute is stronger than a local effect, which is stronger than the
/// alert's own. A text goes with the alert's own action only.
fn effective_action(
    action: pb::ActionSection,
    restrictions: &[pb::Restriction],
    scope: &CandidateScope<'_>,
) -> (Option<pb::Code>, Vec<pb::LocalisedText>) {
    let flag = restrictions
        .iter()
        .filter(|restriction| restriction.kind == pb::RestrictionKind::Flagged as i32)
        .filter(|restriction| in_force(restriction, scope.now_ms) && covers(&restriction.territories, scope.viewer))
        .max_by_key(|restriction| restriction.number);
    if let Some(flag) = flag {
        return (flag.substitute_action.clone(), Vec::new());
    }
    let local = action.local_effects.iter().find(|effect| {
        effect.withdrawn_at.is_none()
            && effect.jurisdiction.as_ref().is_some_and(|jurisdiction| stands_in(&jurisdiction.value, scope.viewer))
    });
    match local.and_then(|effect| effect.action.clone()) {
        Some(local) if Some(&local) != action.action.as_ref() => (Some(local), Vec::new()),
        _ => (action.action, action.texts),
    }
}

fn in_force(restriction: &pb::Restriction, now_ms: u64) -> bool {
    let ms = |time: &prost_types::Timestamp| {
        u64::try_from(time.seconds).map_or(0, |seconds| seconds.saturating_mul(1000))
            + time.nanos.max(0) as u64 / 1_000_000
    };
    restriction.lifted_at.is_none()
        && restriction.from.as_ref().is_none_or(|from| ms(from) <= now_ms)
        && restriction.until.as_ref().is_none_or(|until| now_ms < ms(until))
}

fn covers(territories: &[pb::Party], viewer: &Viewer) -> bool {
    territories.is_empty() || territories.iter().any(|territory| viewer.territories().contains(&territory.code))
}

/// A jurisdiction of the United Kingdom and the territory that stands for it; "uk-wide" is every part of it.
fn stands_in(jurisdiction: &str, viewer: &Viewer) -> bool {
    let territories = viewer.territories();
    match jurisdiction {
        "uk-wide" => territories.iter().any(|territory| territory == "GB" || territory.starts_with("GB-")),
        "england-and-wales" => territories.contains("GB-EAW"),
        "scotland" => territories.contains("GB-SCT"),
        "northern-ireland" => territories.contains("GB-NIR"),
        _ => false,
    }
}
