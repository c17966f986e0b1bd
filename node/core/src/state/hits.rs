//! Hits: what became of a candidate, and the conversation about it.

use prost::Message;

use super::{
    View, ViewError, alerts,
    command::{Outcome, Rejection},
    context::{Applied, Context, invalid, undecodable},
    family::{self, Family},
    feed::Change,
    scan_prefix,
    writer::Writer,
};
use crate::{
    alert::{AlertId, is_urgent, time::from_ms},
    limits, pb,
};

/// Whether the caller may see the alert was decided by the leader, under its agreement.
pub(super) fn report(step: &mut Context<'_, '_>, id: AlertId, hit: &[u8]) -> Applied {
    let mut hit = pb::Hit::decode(hit).map_err(undecodable)?;
    let alert: AlertId = hit.alert_id.parse().map_err(|_| Rejection::NotFound)?;
    let loaded = alerts::load(step.writer, alert)?.ok_or(Rejection::NotFound)?;
    if hit.version_seen == 0 || hit.version_seen > loaded.version() {
        return Err(invalid("hit.version_seen", "the alert has no such version"));
    }
    let due_ms = step.now_ms() + if is_urgent(&loaded.alert, step.rules) { 0 } else { limits::HIT_ANSWER_MS };
    hit.id = id.to_string();
    hit.reported_at = Some(from_ms(step.now_ms()));
    hit.answer_due_at = Some(from_ms(due_ms));
    (hit.answered_at, hit.conversation) = (None, Vec::new());
    step.writer.insert(Family::Hits, family::hit_of_alert(alert, id), Vec::new());
    store(step, id, &hit)?;
    Ok(step.done(id, 1, 0, Outcome::Created))
}

pub(super) fn message(step: &mut Context<'_, '_>, id: AlertId, message: &[u8], answers: bool) -> Applied {
    let mut message = pb::HitMessage::decode(message).map_err(undecodable)?;
    let mut hit = read_hit(step.writer.view(), id)?.ok_or(Rejection::NotFound)?;
    if hit.conversation.len() >= limits::HIT_MESSAGES_MAX {
        return Err(Rejection::LimitReached { what: "messages about one hit".into() }.into());
    }
    message.sent_at = Some(from_ms(step.now_ms()));
    if answers {
        hit.answered_at.get_or_insert(from_ms(step.writer.meta.time_ms));
    }
    hit.conversation.push(message);
    let version = hit.conversation.len() as u64 + 1;
    store(step, id, &hit)?;
    Ok(step.done(id, version, 0, Outcome::Changed))
}

fn store(step: &mut Context<'_, '_>, id: AlertId, hit: &pb::Hit) -> Result<(), ViewError> {
    step.writer.meta.revision += 1;
    step.writer.tell(Change::Hit { id });
    step.writer.set(Family::Hits, family::hit(id), Some(hit.encode_to_vec()))
}

/// Removes the hits on one alert, with reports and conversations.
pub(super) fn remove_of_alert(writer: &mut Writer<'_>, alert: AlertId) -> Result<(), ViewError> {
    for hit in read_hits_of(writer.view(), alert)? {
        writer.set(Family::Hits, family::hit(hit), None)?;
        writer.set(Family::Hits, family::hit_of_alert(alert, hit), None)?;
    }
    Ok(())
}

/// One hit.
pub fn read_hit(view: &dyn View, id: AlertId) -> Result<Option<pb::Hit>, ViewError> {
    let bytes = view.get(Family::Hits, &family::hit(id))?;
    bytes
        .map(|bytes| pb::Hit::decode(bytes.as_slice()).map_err(|error| ViewError(format!("hit {id}: {error}"))))
        .transpose()
}

/// Ids of the hits on one alert, oldest first.
pub fn read_hits_of(view: &dyn View, alert: AlertId) -> Result<Vec<AlertId>, ViewError> {
    let prefix = family::key(&[b"a", alert.as_bytes()]);
    let mut ids = Vec::new();
    scan_prefix(view, Family::Hits, &prefix, |key, _| {
        ids.extend(AlertId::from_slice(&key[prefix.len()..]));
        Ok(true)
    })?;
    Ok(ids)
}
