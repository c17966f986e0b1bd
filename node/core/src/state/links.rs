//! Links between alerts: records of their own, which change neither side.

use prost::Message;

use super::{
    View, ViewError, alerts,
    command::{Outcome, Rejection},
    context::{Applied, Context, invalid, undecodable},
    family::{self, Family, Hanging},
    feed::Change,
    scan_prefix,
    writer::Writer,
};
use crate::{
    alert::{AlertId, Sight, Viewer, time::from_ms},
    pb,
};

pub(super) fn link(step: &mut Context<'_, '_>, id: AlertId, link: &[u8]) -> Applied {
    let mut link = pb::Link::decode(link).map_err(undecodable)?;
    let ends = ends(&link).ok_or(Rejection::NotFound)?;
    if ends.0 == ends.1 {
        return Err(invalid("alert_b", "an alert is not linked to itself"));
    }
    // One side has to be the caller's own; the other it has to see.
    let own = step.load_owned(ends.0)?;
    let other = alerts::load(step.writer, ends.1)?.ok_or(Rejection::NotFound)?;
    let hidden = step.caller.is_some_and(|caller| {
        Viewer::of_authority(caller.clone(), None, step.rules).sight(&other.label) == Sight::Hidden
    });
    if hidden {
        return Err(Rejection::NotFound.into());
    }
    if own.is_ended() || other.is_ended() {
        let ended = if own.is_ended() { own } else { other };
        return Err(Rejection::WrongState { state: ended.state() as i32 }.into());
    }
    for existing in read_links_of(step.writer.view(), ends.0)? {
        if self::ends(&existing).is_some_and(|pair| pair == ends || pair == (ends.1, ends.0))
            && existing.kind == link.kind
        {
            let same: AlertId = existing.id.parse().map_err(|_| Rejection::NotFound)?;
            return Ok(step.done(same, 1, 0, Outcome::Unchanged));
        }
    }
    link.id = id.to_string();
    link.created_at = Some(from_ms(step.now_ms()));
    link.owner = own.alert.core.and_then(|core| core.owner);
    step.writer.meta.revision += 1;
    step.writer.insert(Family::Links, family::link(id), link.encode_to_vec());
    for (from, to) in [ends, (ends.1, ends.0)] {
        step.writer.insert(Family::Links, family::hanging(from, Hanging::Link, id), to.as_bytes().to_vec());
    }
    step.writer.tell(Change::Link { id });
    Ok(step.done(id, 1, 0, Outcome::Created))
}

pub(super) fn unlink(step: &mut Context<'_, '_>, id: AlertId) -> Applied {
    let link = read_link(step.writer.view(), id)?.ok_or(Rejection::NotFound)?;
    let ends = ends(&link).ok_or(Rejection::NotFound)?;
    step.load_owned(ends.0)?;
    remove(step.writer, id, &link)?;
    Ok(step.done(id, 0, 0, Outcome::Changed))
}

fn remove(writer: &mut Writer<'_>, id: AlertId, link: &pb::Link) -> Result<(), ViewError> {
    writer.meta.revision += 1;
    writer.set(Family::Links, family::link(id), None)?;
    if let Some((a, b)) = ends(link) {
        writer.set(Family::Links, family::hanging(a, Hanging::Link, id), None)?;
        writer.set(Family::Links, family::hanging(b, Hanging::Link, id), None)?;
    }
    writer.tell(Change::Link { id });
    Ok(())
}

/// Removes every link of an alert that is erased.
pub(super) fn remove_of_alert(writer: &mut Writer<'_>, alert: AlertId) -> Result<(), ViewError> {
    for link in read_links_of(writer.view(), alert)? {
        if let Ok(id) = link.id.parse() {
            remove(writer, id, &link)?;
        }
    }
    Ok(())
}

fn ends(link: &pb::Link) -> Option<(AlertId, AlertId)> {
    Some((link.alert_a.parse().ok()?, link.alert_b.parse().ok()?))
}

fn read_link(view: &dyn View, id: AlertId) -> Result<Option<pb::Link>, ViewError> {
    let bytes = view.get(Family::Links, &family::link(id))?;
    bytes
        .map(|bytes| pb::Link::decode(bytes.as_slice()).map_err(|error| ViewError(format!("link {id}: {error}"))))
        .transpose()
}

/// Links of one alert. Whoever may not see one side sees no link: the caller of this asks about both sides.
pub fn read_links_of(view: &dyn View, alert: AlertId) -> Result<Vec<pb::Link>, ViewError> {
    let mut ids = Vec::new();
    scan_prefix(view, Family::Links, &family::hanging_prefix(alert, Hanging::Link), |key, _| {
        ids.extend(AlertId::from_slice(&key[17..]));
        Ok(true)
    })?;
    let mut links = Vec::new();
    for id in ids {
        links.extend(read_link(view, id)?);
    }
    Ok(links)
}
