//! Anchors of the nodes' audit logs: what a chain of hashes cannot show by itself is that its end is missing, or that all
//! of it was written anew. An anchor is the sequence and hash of a log's last record, kept by every node.

use super::{
    View, ViewError,
    command::Outcome,
    context::Applied,
    family::{Family, sys},
    scan_prefix,
    writer::Writer,
};
use crate::{audit::Anchor, codec, limits};

const HOUR_MS: u64 = 60 * 60 * 1000;

fn kept_prefix(node_id: u64) -> Vec<u8> {
    [sys::AUDIT_ANCHORS, &node_id.to_be_bytes()].concat()
}

fn kept_key(node_id: u64, at_ms: u64) -> Vec<u8> {
    [&kept_prefix(node_id), &at_ms.to_be_bytes()[..]].concat()
}

/// Keeps an anchor. A sequence below that of the anchor before it is kept too: a log that was begun anew is something
/// to find, not to hide.
pub(super) fn anchor(writer: &mut Writer<'_>, node_id: u64, sequence: u64, head: [u8; 32]) -> Applied {
    let at_ms = writer.meta.time_ms;
    let newest = [sys::AUDIT_ANCHOR, &node_id.to_be_bytes()].concat();
    let before: Option<Anchor> = writer.get(Family::Sys, &newest)?.map(|bytes| codec::decode(&bytes)).transpose()?;
    if before.is_some_and(|before| (before.sequence, before.head) == (sequence, head)) {
        return Ok(writer.done_without_id(Outcome::Unchanged));
    }
    let anchor = codec::encode(&Anchor { sequence, head, at_ms });
    writer.set(Family::Sys, newest, Some(anchor.clone()))?;
    writer.set(Family::Sys, kept_key(node_id, at_ms), Some(anchor))?;
    thin(writer, node_id, at_ms)?;
    // A change like any other: who waits for the answer's revision has it in sight.
    writer.meta.revision += 1;
    Ok(writer.done_without_id(Outcome::Changed))
}

/// Of an hour that lies a day back, the last anchor is enough; of one that lies beyond what logs are kept, none.
fn thin(writer: &mut Writer<'_>, node_id: u64, now_ms: u64) -> Result<(), ViewError> {
    let hour = (now_ms / HOUR_MS).saturating_sub(limits::AUDIT_ANCHORS_ALL_HOURS);
    let mut of_the_hour = between(writer, node_id, hour.saturating_sub(1) * HOUR_MS, hour * HOUR_MS)?;
    of_the_hour.pop();
    let beyond = now_ms.saturating_sub(limits::AUDIT_ANCHORS_KEPT_MS);
    for key in of_the_hour.into_iter().chain(between(writer, node_id, 0, beyond)?) {
        writer.set(Family::Sys, key, None)?;
    }
    Ok(())
}

/// Keys of a node's anchors with times in `[from_ms, until_ms)`.
fn between(writer: &Writer<'_>, node_id: u64, from_ms: u64, until_ms: u64) -> Result<Vec<Vec<u8>>, ViewError> {
    let mut keys = Vec::new();
    let (from, until) = (kept_key(node_id, from_ms), kept_key(node_id, until_ms));
    let mut cursor = writer.view().cursor(Family::Sys);
    cursor.seek(&from, &kept_prefix(node_id))?;
    while let Some((key, _)) = cursor.entry().filter(|(key, _)| *key < until.as_slice()) {
        keys.push(key.to_vec());
        cursor.next()?;
    }
    Ok(keys)
}

/// The anchors of one node's log that are kept, oldest first: all of the last day, and the last of each hour before.
pub fn read_audit_anchors(view: &dyn View, node_id: u64) -> Result<Vec<Anchor>, ViewError> {
    let mut anchors = Vec::new();
    scan_prefix(view, Family::Sys, &kept_prefix(node_id), |_, value| {
        anchors.push(codec::decode(value)?);
        Ok(true)
    })?;
    Ok(anchors)
}

/// Nodes whose logs were ever anchored.
pub fn read_anchored_nodes(view: &dyn View) -> Result<Vec<u64>, ViewError> {
    let mut nodes = Vec::new();
    scan_prefix(view, Family::Sys, sys::AUDIT_ANCHOR, |key, _| {
        nodes.extend(key[sys::AUDIT_ANCHOR.len()..].try_into().ok().map(u64::from_be_bytes));
        Ok(true)
    })?;
    Ok(nodes)
}
