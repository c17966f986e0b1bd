//! Applies the committed log anew, entry by entry, and judges what clients saw against it: every search against a search
//! by brute force over all alerts at its revision, every feed against the changes, every state hash.

use std::collections::BTreeMap;

use alert_core::{
    alert::{Caller, Role, Sight, StoredAlert, Viewer},
    codec,
    state::{
        Caches, Change, FeedEntry, MemoryView, Meta, View, apply, command::Batch, family::Family, full_hash, read_label,
    },
};
use alert_node::{raft::types::Entry, storage::inspect::batch_of};

use super::Findings;
use crate::traffic::clients::{FeedItem, Searched, number_of};

/// How much later than the true time a cluster's time may be: no clock but a minority's is further off.
const TIME_AHEAD_MAX_MS: u64 = 200;

/// An entry, and when a node was first seen to have applied it.
#[derive(Debug, Clone)]
pub struct Applied {
    pub entry: Entry,
    pub at_us: u64,
}

/// All that a node held at an index.
#[derive(Debug, Clone)]
pub struct HeldState {
    pub node: u64,
    pub index: u64,
    pub families: BTreeMap<Family, BTreeMap<Vec<u8>, Vec<u8>>>,
}

/// What is judged, against what.
pub struct Replay<'a> {
    /// Committed entries, in order.
    pub log: &'a [Applied],
    /// The true time at the start, milliseconds since 1970.
    pub start_ms: u64,
    /// What nodes held at the end.
    pub held: &'a [HeldState],
    /// State hashes that nodes had, by index.
    pub hashes: &'a BTreeMap<u64, u128>,
    pub searches: &'a [Searched],
    pub feeds: &'a [Vec<FeedItem>],
    /// The end of the run.
    pub end_us: u64,
}

impl Replay<'_> {
    pub fn judge(&self) -> Findings {
        let mut findings = Findings::default();
        let mut view = MemoryView::default();
        let mut caches = Caches::default();
        let mut waiting: BTreeMap<u64, Vec<&Searched>> = BTreeMap::new();
        for search in self.searches {
            waiting.entry(search.revision).or_default().push(search);
        }
        let mut changes = Vec::new();
        let mut next = 1;
        for Applied { entry, at_us } in self.log {
            let index = entry.log_id.index;
            if index != next && next != 1 {
                let what = format!("no node was seen to apply entries {next} to {}", index - 1);
                findings.inconclusive.push(what);
                return findings;
            }
            next = index + 1;
            let before = Meta::read(&view).map_or(0, |meta| meta.revision);
            if let Some(bytes) = batch_of(entry) {
                let batch: Batch = match codec::decode(bytes) {
                    Ok(batch) => batch,
                    Err(error) => {
                        findings.violation("the log can be read", self.end_us, format!("entry {index}: {error}"));
                        return findings;
                    }
                };
                match apply(&view, &mut caches, &[batch]) {
                    Ok(effects) => view.write(effects.writes),
                    Err(error) => {
                        findings.violation("the log can be applied", self.end_us, format!("entry {index}: {error}"));
                        return findings;
                    }
                }
            }
            let meta = Meta::read(&view).unwrap_or_default();
            if let Some(hash) = self.hashes.get(&index) {
                findings.checked += 1;
                if *hash != meta.state_hash {
                    let what =
                        format!("at index {index} a node had {hash:032x}, the log gives {:032x}", meta.state_hash);
                    findings.violation("the state follows from the log", self.end_us, what);
                    return findings;
                }
            }
            findings.checked += 1;
            let true_ms = self.start_ms + at_us / 1000;
            if meta.time_ms > true_ms + TIME_AHEAD_MAX_MS {
                let what = format!("entry {index} makes it {} ms later than it is", meta.time_ms - true_ms);
                findings.violation("nothing expires early", *at_us, what);
                return findings;
            }
            for held in self.held.iter().filter(|held| held.index == index) {
                judge_held(&view, held, self.end_us, &mut findings);
            }
            for revision in before + 1..=meta.revision {
                changes.extend(change_of(&view, revision));
            }
            for search in waiting.remove(&meta.revision).unwrap_or_default() {
                judge_search(&view, search, &mut findings);
            }
        }
        for search in waiting.into_values().flatten() {
            let what =
                format!("a search at {} was answered from revision {}, which no log has", search.node, search.revision);
            findings.violation("nothing uncommitted is shown", search.returned_us, what);
        }
        if full_hash(&view).ok() != Meta::read(&view).ok().map(|meta| meta.state_hash) {
            findings.violation("the kept state hash is that of the state", self.end_us, "they differ at the end");
        }
        for (watcher, feed) in self.feeds.iter().enumerate() {
            judge_feed(watcher, feed, &changes, &mut findings);
        }
        findings
    }
}

/// (revision, alert) when this revision changed an alert.
fn change_of(view: &MemoryView, revision: u64) -> Option<(u64, String)> {
    let bytes = view.get(Family::Changes, &alert_core::state::family::change(revision)).ok()??;
    match codec::decode::<FeedEntry>(&bytes).ok()?.change {
        Change::Alert { id, .. } => Some((revision, id.to_string())),
        _ => None,
    }
}

/// A node's records and indexes are those that the log gives when it is applied from the beginning.
fn judge_held(view: &MemoryView, held: &HeldState, end_us: u64, findings: &mut Findings) {
    for (family, entries) in &held.families {
        findings.checked += 1;
        let rebuilt: Vec<_> = view.entries(*family).collect();
        let kept: Vec<_> = entries.iter().map(|(key, value)| (key.as_slice(), value.as_slice())).collect();
        if rebuilt != kept {
            let what = format!(
                "node {} holds {} entries of {} at index {}, the log gives {} or others",
                held.node,
                kept.len(),
                family.name(),
                held.index,
                rebuilt.len()
            );
            findings.violation("state and index equal a rebuild", end_us, what);
        }
    }
}

fn judge_search(view: &MemoryView, search: &Searched, findings: &mut Findings) {
    let role = if search.sees_covert { Role::Search } else { Role::SearchOpen };
    let caller = Caller { country: "GB".into(), authority: "nca".into(), system: "sim".into(), role };
    let viewer = Viewer::new(caller, None);
    let number = number_of(search.alert);
    let mut expected = Vec::new();
    let mut hidden = Vec::new();
    for (key, value) in view.entries(Family::Alerts) {
        let Ok(stored) = StoredAlert::decode(value) else { continue };
        let Ok(alert) = stored.to_alert() else { continue };
        let documents = alert.identities.iter().flat_map(|section| &section.identities).flat_map(|one| &one.documents);
        if !documents.into_iter().any(|document| document.number == number) {
            continue;
        }
        let Ok(id) = <[u8; 16]>::try_from(key) else { continue };
        let id = alert_core::alert::AlertId::from_bytes(id).to_string();
        let seen = read_label(view, stored.header.label).is_ok_and(|label| viewer.sight(&label) != Sight::Hidden);
        if seen { expected.push((id, stored.header.version)) } else { hidden.push(id) }
    }
    findings.checked += 1;
    let mut found = search.found.clone();
    found.sort();
    expected.sort();
    if let Some((id, _)) = found.iter().find(|(id, _)| hidden.contains(id)) {
        let what = format!("{} showed alert {id} (alert-{}) to a {role:?}", search.node, search.alert);
        findings.violation("nothing is shown to who may not see it", search.returned_us, what);
    } else if found != expected {
        let what = format!(
            "{} found {found:?} for alert-{} at revision {}, and there is {expected:?}",
            search.node, search.alert, search.revision
        );
        findings.violation("a search finds what is there", search.returned_us, what);
    }
}

/// The owner's bureau sees every change of its alerts, so its feed is the changes, from where it began.
fn judge_feed(watcher: usize, feed: &[FeedItem], changes: &[(u64, String)], findings: &mut Findings) {
    findings.checked += feed.len() as u64;
    let Some((at, revision)) = feed.iter().enumerate().find_map(|(at, item)| Some((at, item.upsert?.0))) else {
        return;
    };
    let Some(place) = changes.iter().position(|(changed, _)| *changed == revision) else {
        let what = format!("watcher {watcher} got revision {revision}, which changed no alert");
        findings.violation("nothing uncommitted is in the feed", feed[at].at_us, what);
        return;
    };
    let Some(start) = place.checked_sub(at) else {
        findings.violation("no event comes twice", feed[at].at_us, format!("watcher {watcher} got too many events"));
        return;
    };
    for (item, expected) in feed.iter().zip(changes[start..].iter().map(Some).chain(std::iter::repeat(None))) {
        let wrong = match expected {
            None => Some("an event beyond the last change".to_owned()),
            Some((revision, id)) if *id != item.alert_id || item.upsert.is_some_and(|(told, _)| told != *revision) => {
                Some(format!("{:?} of {} where revision {revision} changed {id}", item.upsert, item.alert_id))
            }
            Some(_) => None,
        };
        if let Some(what) = wrong {
            let what = format!("watcher {watcher} got {what}");
            findings.violation("no gap, no duplicate, no reordering in the feed", item.at_us, what);
            return;
        }
    }
}
