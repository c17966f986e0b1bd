//! How an alert comes to be and gets new content: create, update, import.

use prost::Message;
use serde::{Deserialize, Serialize};

use super::{
    View, ViewError,
    alerts::{self, Draft, Loaded},
    command::{Outcome, Rejection},
    context::{Applied, Context, invalid, undecodable},
    family::{self, Family, Hanging},
    scan_prefix, subject,
};
use crate::{
    alert::{
        AlertId, StoredAlert,
        lifecycle::{Next, Standing, Step, settle},
        retention, sections,
        time::{field_ms, from_ms},
    },
    codec, limits, pb,
};

/// What (source system, reference) leads to. Stays after a deletion, so that an old file imported again revives nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct SourceEntry {
    id: AlertId,
    source_version: u64,
    /// False once the alert is a tombstone.
    live: bool,
}

/// The alert that (source system, reference) leads to, if it lives.
pub fn read_source(view: &dyn View, system: &str, reference: &str) -> Result<Option<AlertId>, ViewError> {
    let bytes = view.get(Family::Sources, &family::source(system, reference))?;
    let entry: Option<SourceEntry> = bytes.map(|bytes| codec::decode(&bytes)).transpose()?;
    Ok(entry.filter(|entry| entry.live).map(|entry| entry.id))
}

impl Context<'_, '_> {
    pub fn create(&mut self, id: AlertId, content: Vec<u8>, as_draft: bool) -> Applied {
        let alert = pb::Alert::decode(content.as_slice()).map_err(undecodable)?;
        self.check_free(id)?;
        self.check_owner_named(&alert)?;
        self.check_rules(None, &alert)?;
        let source = self.source_entry(&alert)?;
        if source.is_some_and(|entry| entry.live) {
            return Err(Rejection::DuplicateSource.into());
        }
        self.insert(id, content, alert, as_draft, source)
    }

    pub fn update(&mut self, id: AlertId, expected_version: u64, content: Vec<u8>) -> Applied {
        let alert = pb::Alert::decode(content.as_slice()).map_err(undecodable)?;
        let (loaded, next) = self.load_for(id, expected_version, Step::Update)?;
        self.check_owner_named(&alert)?;
        self.check_rules(Some(&loaded.alert), &alert)?;
        if let Some(entry) = self.source_entry(&alert)?.filter(|entry| entry.live) {
            if entry.id != id {
                return Err(Rejection::DuplicateSource.into());
            }
            if source_version(&alert) < entry.source_version {
                return Err(Rejection::OlderSource { current: entry.source_version }.into());
            }
        }
        self.replace(id, loaded, next, content, alert, "update")
    }

    pub fn import(&mut self, id: AlertId, content: Vec<u8>) -> Applied {
        let alert = pb::Alert::decode(content.as_slice()).map_err(undecodable)?;
        self.check_owner_named(&alert)?;
        let Some(entry) = self.source_entry(&alert)? else {
            self.check_rules(None, &alert)?;
            self.check_free(id)?;
            return self.insert(id, content, alert, false, None);
        };
        if source_version(&alert) <= entry.source_version {
            if self.writer.get(Family::Alerts, entry.id.as_bytes())?.is_some() {
                // What is another's is not told of, only that the reference is taken.
                self.load_owned(entry.id).map_err(|_| Rejection::DuplicateSource)?;
            }
            let held = self.writer.get(Family::Alerts, entry.id.as_bytes())?;
            let header = held.map(|bytes| StoredAlert::decode_header(&bytes)).transpose()?;
            let (version, state) = header.map_or((0, 0), |header| (header.version, header.state));
            return Ok(self.done(entry.id, version, state, Outcome::Unchanged));
        }
        if !entry.live {
            self.check_rules(None, &alert)?;
            self.check_free(id)?;
            return self.insert(id, content, alert, false, Some(entry));
        }
        let (loaded, next) = self.load_for(entry.id, 0, Step::Update)?;
        self.check_rules(Some(&loaded.alert), &alert)?;
        let content = with_id(&content, entry.id)?;
        self.replace(entry.id, loaded, next, content, alert, "import")
    }

    /// An id names one record for ever, one that has ended too.
    fn check_free(&self, id: AlertId) -> Applied<()> {
        if self.writer.get(Family::Alerts, id.as_bytes())?.is_some() {
            return Err(Rejection::AlreadyExists.into());
        }
        Ok(())
    }

    /// A new record whose id and source are free. `source`: what its source led to before.
    fn insert(
        &mut self,
        id: AlertId,
        content: Vec<u8>,
        mut alert: pb::Alert,
        as_draft: bool,
        source: Option<SourceEntry>,
    ) -> Applied {
        let planned = alert.core.as_ref().and_then(|core| field_ms(&core.valid_from));
        let starts_ms = planned.map_or(self.now_ms(), |start| start.max(self.now_ms()));
        let lifecycle = pb::Lifecycle { valid_from: Some(from_ms(starts_ms)), ..Default::default() };
        alert.lifecycle = Some(self.with_expiry(&alert, lifecycle)?);
        let (state, held) = if as_draft { (pb::AlertState::Draft, Held::default()) } else { self.settle(id, &alert)? };
        if state == pb::AlertState::Expired {
            return Err(invalid("core", ENDS_AT_ONCE));
        }
        match source {
            None => self.insert_source(id, &alert),
            Some(_) => self.put_source(id, &alert, true)?,
        }
        let draft = Draft { id, content, alert, state, change: "create", by: self.caller.cloned() };
        let version = alerts::store(self.writer, self.rules, None, draft)?;
        self.hold(id, held)?;
        Ok(self.done(id, version, state as i32, Outcome::Created))
    }

    /// New content for a record; its extensions, restrictions and review stay.
    fn replace(
        &mut self,
        id: AlertId,
        loaded: Loaded,
        next: Next,
        content: Vec<u8>,
        mut alert: pb::Alert,
        change: &'static str,
    ) -> Applied {
        let mut lifecycle = loaded.alert.lifecycle.clone().unwrap_or_default();
        let begun = field_ms(&lifecycle.valid_from).is_some_and(|start| start <= self.now_ms());
        if !begun {
            let planned = alert.core.as_ref().and_then(|core| field_ms(&core.valid_from));
            lifecycle.valid_from = Some(from_ms(planned.map_or(self.now_ms(), |start| start.max(self.now_ms()))));
        }
        alert.lifecycle = Some(lifecycle.clone());
        alert.lifecycle = Some(self.with_expiry(&alert, lifecycle)?);
        let (state, held) = match next {
            Next::Settle => self.settle(id, &alert)?,
            _ => (loaded.state(), Held::default()),
        };
        if state == pb::AlertState::Expired {
            return Err(invalid("core", ENDS_AT_ONCE));
        }
        if source_key(&alert) != source_key(&loaded.alert) {
            self.put_source(id, &loaded.alert, false)?;
        }
        self.put_source(id, &alert, true)?;
        let draft = Draft { id, content, alert, state, change, by: self.caller.cloned() };
        let version = alerts::store(self.writer, self.rules, Some(&loaded), draft)?;
        self.hold(id, held)?;
        self.release_waiting(id)?;
        Ok(self.done(id, version, state as i32, Outcome::Changed))
    }

    /// `lifecycle` with the end that the rules give it.
    fn with_expiry(&self, alert: &pb::Alert, mut lifecycle: pb::Lifecycle) -> Applied<pb::Lifecycle> {
        let starts_ms = field_ms(&lifecycle.valid_from).unwrap_or(self.now_ms());
        let parent_ends_ms = self.parent_ends_ms(alert)?;
        let (expires_at_ms, rule_version) = retention::expiry(alert, self.rules, starts_ms, parent_ends_ms);
        lifecycle.expires_at = Some(from_ms(expires_at_ms));
        lifecycle.rule_version = rule_version;
        Ok(lifecycle)
    }

    /// When the parent ends. It has to be in force, the caller's own, and not have too many children.
    pub fn parent_ends_ms(&self, alert: &pb::Alert) -> Applied<Option<u64>> {
        let Some(parent) = parent_of(alert) else { return Ok(None) };
        let missing = || invalid("core.parent_alert_id", "no such alert in force");
        let parent_alert = self.load_owned(parent).map_err(|_| missing())?;
        if parent_alert.is_ended() {
            return Err(missing());
        }
        let mut children = 0;
        scan_prefix(self.writer.view(), Family::Links, &family::hanging_prefix(parent, Hanging::Child), |_, _| {
            children += 1;
            Ok(true)
        })?;
        if children >= limits::CHILDREN_MAX {
            return Err(Rejection::LimitReached { what: "children of one alert".into() }.into());
        }
        Ok(parent_alert.alert.lifecycle.and_then(|lifecycle| field_ms(&lifecycle.expires_at)))
    }

    /// The state that an alert takes when it is meant to be in force, and who waits for whom because of it.
    pub fn settle(&self, id: AlertId, alert: &pb::Alert) -> Applied<(pb::AlertState, Held)> {
        let lifecycle = alert.lifecycle.clone().unwrap_or_default();
        let expires_at_ms = field_ms(&lifecycle.expires_at).unwrap_or(0);
        let (standing, others) = subject::standing_of(self.writer.view(), self.rules, id, alert)?;
        let state = settle(field_ms(&lifecycle.valid_from), expires_at_ms, self.now_ms(), &standing);
        let pick = |positions: Vec<usize>| positions.into_iter().map(|position| others[position]).collect();
        let held = match (state, standing) {
            (pb::AlertState::Active, Standing::Fits { outranks }) => Held { by: Vec::new(), these: pick(outranks) },
            (pb::AlertState::Waiting, Standing::Waits { behind }) => Held { by: pick(behind), these: Vec::new() },
            _ => Held::default(),
        };
        Ok((state, held))
    }

    /// Writes down who waits for whom, and makes wait whom this alert outranks.
    pub fn hold(&mut self, id: AlertId, held: Held) -> Applied<()> {
        for blocker in held.by {
            self.writer.set(Family::Links, family::hanging(blocker, Hanging::Waiting, id), Some(Vec::new()))?;
        }
        for outranked in held.these {
            let Some(loaded) = alerts::load(self.writer, outranked)? else { continue };
            self.change_life(outranked, loaded, None, pb::AlertState::Waiting, "outranked")?;
            self.writer.set(Family::Links, family::hanging(id, Hanging::Waiting, outranked), Some(Vec::new()))?;
        }
        Ok(())
    }

    /// Decides anew about the alerts that waited for this one.
    pub fn release_waiting(&mut self, id: AlertId) -> Applied<()> {
        for waiting in self.hanging_on(id, Hanging::Waiting)? {
            self.writer.set(Family::Links, family::hanging(id, Hanging::Waiting, waiting), None)?;
            let Some(loaded) = alerts::load(self.writer, waiting)? else { continue };
            if loaded.state() != pb::AlertState::Waiting {
                continue;
            }
            let (state, held) = self.settle(waiting, &loaded.alert)?;
            if state == pb::AlertState::Active {
                self.change_life(waiting, loaded, None, state, "activate")?;
            }
            self.hold(waiting, held)?;
        }
        Ok(())
    }

    /// What hangs on an alert in one way.
    pub fn hanging_on(&self, id: AlertId, how: Hanging) -> Applied<Vec<AlertId>> {
        let mut found = Vec::new();
        let prefix = family::hanging_prefix(id, how);
        scan_prefix(self.writer.view(), Family::Links, &prefix, |key, _| {
            found.extend(AlertId::from_slice(&key[prefix.len()..]));
            Ok(true)
        })?;
        Ok(found)
    }

    fn source_entry(&self, alert: &pb::Alert) -> Applied<Option<SourceEntry>> {
        let Some(key) = source_key(alert) else { return Ok(None) };
        Ok(self.writer.get(Family::Sources, &key)?.map(|bytes| codec::decode(&bytes)).transpose()?)
    }

    /// Where nothing is known of the source yet.
    fn insert_source(&mut self, id: AlertId, alert: &pb::Alert) {
        if let Some(key) = source_key(alert) {
            let entry = SourceEntry { id, source_version: source_version(alert), live: true };
            self.writer.insert(Family::Sources, key, codec::encode(&entry));
        }
    }

    pub fn put_source(&mut self, id: AlertId, alert: &pb::Alert, live: bool) -> Applied<()> {
        if let Some(key) = source_key(alert) {
            let entry = SourceEntry { id, source_version: source_version(alert), live };
            self.writer.set(Family::Sources, key, Some(codec::encode(&entry)))?;
        }
        Ok(())
    }
}

const ENDS_AT_ONCE: &str =
    "the alert would have ended already, by its decision, its parent, its period or its owner's wish";

/// Who waits for whom.
#[derive(Debug, Default)]
pub(super) struct Held {
    /// This alert waits for these.
    by: Vec<AlertId>,
    /// These wait for this alert.
    these: Vec<AlertId>,
}

/// The parent that an alert ends with.
pub(super) fn parent_of(alert: &pb::Alert) -> Option<AlertId> {
    alert.core.as_ref()?.parent_alert_id.parse().ok()
}

/// An import names a record by its source; the bytes carry the id that the leader made up for a new one.
fn with_id(content: &[u8], id: AlertId) -> Applied<Vec<u8>> {
    let mut kept = crate::alert::retain_fields(content, |field| field != sections::ID)?;
    prost::encoding::string::encode(sections::ID, &id.to_string(), &mut kept);
    Ok(kept)
}

fn source_key(alert: &pb::Alert) -> Option<Vec<u8>> {
    let source = alert.core.as_ref()?.source.as_ref()?;
    (!source.reference.is_empty()).then(|| family::source(&source.system, &source.reference))
}

fn source_version(alert: &pb::Alert) -> u64 {
    alert.core.as_ref().and_then(|core| core.source.as_ref()).map_or(0, |source| source.source_version)
}
