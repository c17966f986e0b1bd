//! How an alert ends: cancelled, expired, with its parent, erased; and what falls due by time.

use prost::Message;

use super::{
    alerts::{self, Draft, Loaded},
    command::Outcome,
    context::{Applied, Context},
    family::{Due, Family, Hanging, sys},
    hits, links,
};
use crate::{
    alert::{
        AlertId,
        lifecycle::{Step, tombstone, transition},
        retention,
        time::from_ms,
    },
    codec, pb,
};

impl Context<'_, '_> {
    pub fn cancel(&mut self, id: AlertId, expected_version: u64, reason: &str, by: &str) -> Applied {
        let (loaded, _) = self.load_for(id, expected_version, Step::Cancel)?;
        let version = self.end(id, loaded, pb::AlertState::Deleted, reason, by, "cancel")?;
        Ok(self.done(id, version, pb::AlertState::Deleted as i32, Outcome::Changed))
    }

    /// Puts a tombstone in the alert's place, ends what ends with it, and lets go what waited for it.
    fn end(
        &mut self,
        id: AlertId,
        loaded: Loaded,
        state: pb::AlertState,
        reason: &str,
        by: &str,
        change: &'static str,
    ) -> Applied<u64> {
        let now = self.now_ms();
        let mut grave = tombstone(&loaded.alert, reason, by, now);
        let mut lifecycle = grave.lifecycle.take().unwrap_or_default();
        let history_until_ms = retention::history_until(&loaded.alert, self.rules, now);
        lifecycle.tombstone.get_or_insert_default().history_until = Some(from_ms(history_until_ms));
        self.put_source(id, &loaded.alert, false)?;
        let content = grave.encode_to_vec();
        let alert = pb::Alert { lifecycle: Some(lifecycle), ..grave };
        let draft = Draft { id, content, alert, state, change, by: self.caller.cloned() };
        let version = alerts::store(self.writer, self.rules, Some(&loaded), draft)?;
        self.end_children(id)?;
        self.release_waiting(id)?;
        Ok(version)
    }

    fn end_children(&mut self, id: AlertId) -> Applied<()> {
        for child in self.hanging_on(id, Hanging::Child)? {
            if let Some(loaded) = alerts::load(self.writer, child)?.filter(|loaded| !loaded.is_ended()) {
                self.end(child, loaded, pb::AlertState::Deleted, "parent-ended", "", "cancel")?;
            }
        }
        Ok(())
    }

    pub fn erase(&mut self, id: AlertId, ground: &str, by: &str) -> Applied {
        let (loaded, _) = self.load_for(id, 0, Step::Erase)?;
        if !loaded.is_ended() {
            self.put_source(id, &loaded.alert, false)?;
        }
        alerts::erase(self.writer, self.rules, id, &loaded)?;
        self.end_children(id)?;
        self.release_waiting(id)?;
        links::remove_of_alert(self.writer, id)?;
        hits::remove_of_alert(self.writer, id)?;
        // A restore replays this list before it serves. It never holds what was erased.
        let record = (id, ground, by, self.now_ms());
        let key = [sys::ERASED, &self.writer.meta.revision.to_be_bytes()].concat();
        self.writer.insert(Family::Sys, key, codec::encode(&record));
        Ok(self.done(id, 0, pb::AlertState::Deleted as i32, Outcome::Changed))
    }

    /// One item whose time has come.
    pub fn fall_due(&mut self, due: Due, id: AlertId) -> Applied<()> {
        let Some(loaded) = alerts::load(self.writer, id)? else { return Ok(()) };
        match due {
            Due::Expire if transition(loaded.state(), Step::Expire).is_ok() => {
                self.end(id, loaded, pb::AlertState::Expired, "expired", "", "expire")?;
            }
            Due::Expire => {
                // A draft whose time ran out goes as if its owner had cancelled it.
                self.end(id, loaded, pb::AlertState::Deleted, "expired", "", "expire")?;
            }
            Due::PurgeHistory => {
                alerts::purge_history(self.writer, id)?;
                hits::remove_of_alert(self.writer, id)?;
            }
            Due::Activate => {
                let (state, held) = self.settle(id, &loaded.alert)?;
                self.change_life(id, loaded, None, state, "activate")?;
                self.hold(id, held)?;
            }
            Due::Restriction => {
                // The version made now has the label, and the next boundary, of now.
                let state = loaded.state();
                self.change_life(id, loaded, None, state, "restriction-time")?;
            }
        }
        Ok(())
    }
}
