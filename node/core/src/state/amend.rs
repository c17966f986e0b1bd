//! Steps that leave an alert's content as it is, or change one section: review, extension, restriction, consent, owner.

use prost::Message;

use super::{
    alerts::{self, Draft, Loaded},
    command::{Outcome, Rejection},
    context::{Applied, Context, invalid, undecodable},
};
use crate::{
    alert::{
        AlertId, Section,
        lifecycle::{Next, Step},
        retain_fields,
        retention::{self, ExtendError},
        sections,
        time::{field_ms, from_ms},
    },
    limits, pb,
};

impl Context<'_, '_> {
    /// Stores a version with the same content. `lifecycle` absent: that stays too.
    pub fn change_life(
        &mut self,
        id: AlertId,
        loaded: Loaded,
        lifecycle: Option<pb::Lifecycle>,
        state: pb::AlertState,
        change: &'static str,
    ) -> Applied {
        let content = retain_fields(&loaded.stored.alert, |section| section != sections::LIFECYCLE)?;
        let mut alert = loaded.alert.clone();
        alert.lifecycle = lifecycle.or(alert.lifecycle);
        let draft = Draft { id, content, alert, state, change, by: self.caller.cloned() };
        let version = alerts::store(self.writer, self.rules, Some(&loaded), draft)?;
        Ok(self.done(id, version, state as i32, Outcome::Changed))
    }

    /// Stores a version with one section changed by the store on the owner's behalf.
    fn change_section(
        &mut self,
        id: AlertId,
        loaded: Loaded,
        section: Section,
        bytes: &[u8],
        change: &'static str,
    ) -> Applied {
        let mut stored = loaded.stored.clone();
        stored.replace_section(section, Some(bytes))?;
        let content = retain_fields(&stored.alert, |section| section != sections::LIFECYCLE)?;
        let (alert, state) = (stored.to_alert()?, loaded.state());
        let draft = Draft { id, content, alert, state, change, by: self.caller.cloned() };
        let version = alerts::store(self.writer, self.rules, Some(&loaded), draft)?;
        Ok(self.done(id, version, state as i32, Outcome::Changed))
    }

    pub fn submit(&mut self, id: AlertId, expected_version: u64, by: String, note: String) -> Applied {
        let (loaded, _) = self.load_for(id, expected_version, Step::Submit)?;
        let submitted_at = Some(from_ms(self.now_ms()));
        let review = pb::Review { submitted_by: by, submitted_at, note, ..Default::default() };
        let lifecycle = pb::Lifecycle { review: Some(review), ..loaded.alert.lifecycle.clone().unwrap_or_default() };
        self.change_life(id, loaded, Some(lifecycle), pb::AlertState::PendingReview, "submit")
    }

    /// Approval or rejection, by another officer than the one who submitted.
    pub fn review(&mut self, step: Step, id: AlertId, expected_version: u64, by: String, note: String) -> Applied {
        let (mut loaded, next) = self.load_for(id, expected_version, step)?;
        let mut lifecycle = loaded.alert.lifecycle.clone().unwrap_or_default();
        let review = lifecycle.review.get_or_insert_default();
        if step == Step::Approve && review.submitted_by == by {
            return Err(invalid("context.officer_ref", "whoever submitted an alert does not approve it"));
        }
        (review.reviewed_by, review.reviewed_at, review.note) = (by, Some(from_ms(self.now_ms())), note);
        if next != Next::Settle {
            return self.change_life(id, loaded, Some(lifecycle), pb::AlertState::Draft, "reject");
        }
        // Time spent in review is no time in force.
        let start = field_ms(&lifecycle.valid_from).map_or(self.now_ms(), |start| start.max(self.now_ms()));
        lifecycle.valid_from = Some(from_ms(start));
        let (expires_at_ms, version) =
            retention::expiry(&loaded.alert, self.rules, start, self.parent_ends_ms(&loaded.alert)?);
        (lifecycle.expires_at, lifecycle.rule_version) = (Some(from_ms(expires_at_ms)), version);
        loaded.alert.lifecycle = Some(lifecycle.clone());
        let (state, held) = self.settle(id, &loaded.alert)?;
        if state == pb::AlertState::Expired {
            return Err(invalid("core", "the alert would have ended already"));
        }
        let before = alerts::load(self.writer, id)?.ok_or(Rejection::NotFound)?;
        let done = self.change_life(id, before, Some(lifecycle), state, "approve")?;
        self.hold(id, held)?;
        Ok(done)
    }

    pub fn extend(
        &mut self,
        id: AlertId,
        expected_version: u64,
        until_ms: Option<u64>,
        reviewed_by: String,
        assessment: String,
    ) -> Applied {
        let (loaded, _) = self.load_for(id, expected_version, Step::Extend)?;
        let mut lifecycle = loaded.alert.lifecycle.clone().unwrap_or_default();
        if lifecycle.extensions.len() >= limits::EXTENSIONS_MAX {
            return Err(Rejection::LimitReached { what: "extensions of one alert".into() }.into());
        }
        let parent_ends_ms = self.parent_ends_ms(&loaded.alert)?;
        let extension =
            retention::extend(&loaded.alert, self.rules, self.now_ms(), until_ms, parent_ends_ms).map_err(|error| {
                match error {
                    ExtendError::BeyondRule { .. } | ExtendError::NotLater { .. } => {
                        invalid("until", &error.to_string())
                    }
                }
            })?;
        lifecycle.expires_at = extension.until;
        lifecycle.rule_version = extension.rule_version;
        lifecycle.extensions.push(pb::Extension { reviewed_by, assessment, ..extension });
        let state = loaded.state();
        self.change_life(id, loaded, Some(lifecycle), state, "extend")
    }

    pub fn restrict(&mut self, id: AlertId, expected_version: u64, restriction: &[u8]) -> Applied {
        let mut restriction = pb::Restriction::decode(restriction).map_err(undecodable)?;
        let (loaded, _) = self.load_for(id, expected_version, Step::Restrict)?;
        let mut lifecycle = loaded.alert.lifecycle.clone().unwrap_or_default();
        if lifecycle.restrictions.len() >= limits::RESTRICTIONS_MAX {
            return Err(Rejection::LimitReached { what: "restrictions of one alert".into() }.into());
        }
        restriction.number = lifecycle.restrictions.iter().map(|one| one.number).max().unwrap_or(0) + 1;
        restriction.from.get_or_insert(from_ms(self.writer.meta.time_ms));
        (restriction.lifted_at, restriction.lifted_by) = (None, String::new());
        lifecycle.restrictions.push(restriction);
        let state = loaded.state();
        self.change_life(id, loaded, Some(lifecycle), state, "restrict")
    }

    pub fn lift(&mut self, id: AlertId, expected_version: u64, number: u32, by: String) -> Applied {
        let (loaded, _) = self.load_for(id, expected_version, Step::Restrict)?;
        let state = loaded.state();
        let mut lifecycle = loaded.alert.lifecycle.clone().unwrap_or_default();
        let lifted_at = from_ms(self.now_ms());
        let Some(restriction) = lifecycle.restrictions.iter_mut().find(|one| one.number == number) else {
            return Err(Rejection::NotFound.into());
        };
        if restriction.lifted_at.is_some() {
            return Ok(self.done(id, loaded.version(), state as i32, Outcome::Unchanged));
        }
        (restriction.lifted_at, restriction.lifted_by) = (Some(lifted_at), by);
        self.change_life(id, loaded, Some(lifecycle), state, "lift-restriction")
    }

    /// Removes what a victim agreed to have kept, from this version and from those before it: an erasure of its own.
    pub fn withdraw_consent(
        &mut self,
        id: AlertId,
        expected_version: u64,
        victim_index: u32,
        categories: &[String],
    ) -> Applied {
        let (loaded, _) = self.load_for(id, expected_version, Step::WithdrawConsent)?;
        let mut section = loaded.alert.victims.clone().unwrap_or_default();
        let now = self.now_ms();
        let Some(victim) = section.victims.get_mut(victim_index as usize) else {
            return Err(invalid("victim_index", "the alert has no such victim"));
        };
        crate::alert::victim::withdraw(victim, categories, now);
        let done = self.change_section(id, loaded, sections::VICTIMS, &section.encode_to_vec(), "withdraw-consent")?;
        alerts::purge_history(self.writer, id)?;
        Ok(done)
    }

    pub fn transfer_owner(&mut self, id: AlertId, expected_version: u64, owner: &[u8]) -> Applied {
        let owner = pb::Owner::decode(owner).map_err(undecodable)?;
        let (loaded, _) = self.load_for(id, expected_version, Step::TransferOwner)?;
        let core = pb::Core { owner: Some(owner), ..loaded.alert.core.clone().unwrap_or_default() };
        self.change_section(id, loaded, sections::CORE, &core.encode_to_vec(), "transfer-owner")
    }
}
