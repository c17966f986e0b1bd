//! Applies the committed log anew, entry by entry, and judges what clients were shown against it: every search against a
//! search by brute force over all alerts at its revision, every feed against the changes, every state hash, every end of
//! an alert.

use std::{collections::BTreeMap, sync::Arc};

use alert_core::{
    alert::{Agreement, AlertId, Label},
    codec,
    state::{
        Caches, Change, FeedEntry, MemoryView, Meta, View, apply,
        command::{Answer, Batch},
        family::{self, Family},
        full_hash, read_agreement, read_label,
    },
};
use alert_node::{raft::types::Entry, storage::inspect::batch_of};

use super::{Findings, expiry::Expiries, feed::judge_feed, sight::judge_search, young};
use crate::model::{Acknowledged, Followed, Searched};

/// No clock but a minority's is further off than this share of the time that passed, in millionths, and this much more.
const CLOCK_DRIFT_MAX_PPM: u64 = 400;
const CLOCK_STEP_MS: u64 = 5;

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
    pub feeds: &'a [Followed],
    /// Changes that were acknowledged, and those of agreements among them.
    pub acknowledged: &'a [Acknowledged],
    pub agreement_changes: &'a [Acknowledged],
    /// Nodes measure an age to within this.
    pub clock_error_us: u64,
    /// An answer is with its caller so long after it left its node; `None` where nothing bounds it.
    pub arrives_within_us: Option<u64>,
    /// The end of the run.
    pub end_us: u64,
    /// The cluster was well at the end.
    pub is_well: bool,
}

/// One change of one alert.
pub(super) struct Changed {
    pub revision: u64,
    /// When a node was first seen to have applied it.
    pub at_us: u64,
    pub id: String,
    pub version: u64,
    /// `None`: it was new.
    pub before: Option<Arc<Label>>,
    /// `None`: it was erased.
    pub after: Option<Arc<Label>>,
}

/// What the log says, in the order of revisions.
#[derive(Default)]
pub(super) struct Course {
    pub changes: Vec<Changed>,
    /// (from which revision on, the agreement), each version.
    pub agreements: Vec<(u64, Agreement)>,
}

impl Course {
    /// The agreement as it was at a revision.
    pub fn agreement_at(&self, id: &str, revision: u64) -> Option<&Agreement> {
        let mut newest_first = self.agreements.iter().rev();
        newest_first.find(|(from, agreement)| *from <= revision && agreement.id == id).map(|(_, agreement)| agreement)
    }

    fn note(&mut self, view: &MemoryView, revision: u64, at_us: u64) -> Option<AlertId> {
        let bytes = view.get(Family::Changes, &family::change(revision)).ok()??;
        match codec::decode::<FeedEntry>(&bytes).ok()?.change {
            Change::Alert { id, version, before, after } => {
                let label = |label: Option<_>| label.and_then(|label| read_label(view, label).ok());
                let (before, after) = (label(before), label(after));
                self.changes.push(Changed { revision, at_us, id: id.to_string(), version, before, after });
                Some(id)
            }
            Change::Agreement { id } => {
                let agreement = read_agreement(view, &id).ok()??;
                self.agreements.push((revision, Agreement::new(&agreement)));
                None
            }
            _ => None,
        }
    }
}

impl Replay<'_> {
    pub fn judge(&self) -> Findings {
        let mut findings = Findings::default();
        if let Some(course) = self.apply_all(&mut findings) {
            for (watcher, feed) in self.feeds.iter().enumerate() {
                judge_feed(watcher, feed, &course, &mut findings);
            }
            let young = young::Promise {
                acknowledged: self.acknowledged,
                agreement_changes: self.agreement_changes,
                clock_error_us: self.clock_error_us,
                arrives_within_us: self.arrives_within_us,
                course: &course,
            };
            findings.merge(young.judge(self.searches, self.feeds));
        }
        findings
    }

    /// `None` when the log cannot be gone through to its end.
    fn apply_all(&self, findings: &mut Findings) -> Option<Course> {
        let mut view = MemoryView::default();
        let mut caches = Caches::default();
        let mut waiting: BTreeMap<u64, Vec<&Searched>> = BTreeMap::new();
        for search in self.searches {
            waiting.entry(search.revision).or_default().push(search);
        }
        let mut course = Course::default();
        let mut expiries = Expiries::default();
        let mut effects_of_requests = BTreeMap::new();
        let mut next = 1;
        for Applied { entry, at_us } in self.log {
            let index = entry.log_id.index;
            if index != next && next != 1 {
                let what = format!("no node was seen to apply entries {next} to {}", index - 1);
                findings.inconclusive.push(what);
                return None;
            }
            next = index + 1;
            let before = Meta::read(&view).map_or(0, |meta| meta.revision);
            if let Some(bytes) = batch_of(entry) {
                let batch: Batch = match codec::decode(bytes) {
                    Ok(batch) => batch,
                    Err(error) => {
                        findings.violation("the log can be read", self.end_us, format!("entry {index}: {error}"));
                        return None;
                    }
                };
                match apply(&view, &mut caches, std::slice::from_ref(&batch)) {
                    Ok(effects) => {
                        let answers = effects.answers.iter().flatten();
                        once(&batch, answers, index, *at_us, &mut effects_of_requests, findings);
                        view.write(effects.writes);
                    }
                    Err(error) => {
                        findings.violation("the log can be applied", self.end_us, format!("entry {index}: {error}"));
                        return None;
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
                    return None;
                }
            }
            findings.checked += 1;
            let latest_ms = self.latest_ms(*at_us);
            if meta.time_ms > latest_ms {
                let what =
                    format!("entry {index} makes it {} ms later than any clock may show", meta.time_ms - latest_ms);
                findings.violation("nothing expires early", *at_us, what);
                return None;
            }
            for held in self.held.iter().filter(|held| held.index == index) {
                judge_held(&view, held, self.end_us, findings);
            }
            for revision in before + 1..=meta.revision {
                if let Some(id) = course.note(&view, revision, *at_us) {
                    expiries.changed(&view, id, latest_ms, *at_us, findings);
                }
            }
            for search in waiting.remove(&meta.revision).unwrap_or_default() {
                judge_search(&view, search, findings);
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
        if self.is_well {
            expiries.all_ended(self.start_ms + self.end_us / 1000, self.end_us, findings);
        }
        if expiries.ended() == 0 {
            findings.inconclusive.push("no alert ended by itself".into());
        }
        Some(course)
    }

    /// The latest time that a majority of the clocks may show.
    fn latest_ms(&self, at_us: u64) -> u64 {
        let elapsed_ms = at_us / 1000;
        self.start_ms + elapsed_ms + elapsed_ms * CLOCK_DRIFT_MAX_PPM / 1_000_000 + CLOCK_STEP_MS
    }
}

/// A request id has one effect, however often it was sent.
fn once<'a>(
    batch: &Batch,
    answers: impl Iterator<Item = &'a Answer>,
    index: u64,
    at_us: u64,
    effects: &mut BTreeMap<([u8; 16], u64), u64>,
    findings: &mut Findings,
) {
    for (proposal, answer) in batch.proposals.iter().zip(answers) {
        let (Some(request), Ok(done)) = (&proposal.request, answer) else { continue };
        findings.checked += 1;
        if done.repeated {
            continue;
        }
        if let Some(first) = effects.insert((request.session, request.sequence), index) {
            let what = format!("request {} took effect in entry {first} and in entry {index}", request.sequence);
            findings.violation("one effect of a request id", at_us, what);
        }
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
