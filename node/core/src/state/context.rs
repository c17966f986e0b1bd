//! What every command is executed with: the writer, the rules, the caller; and what it may do.

use super::{
    ViewError, alerts,
    alerts::Loaded,
    command::{Answer, Done, Outcome, Rejection},
    writer::Writer,
};
use crate::{
    alert::{
        AlertId, Caller, RecordError, Role, RuleSet, Sight, UNITED_KINGDOM, Viewer,
        lifecycle::{Next, Step, WrongState, transition},
        party,
        rules::{attributes, lists},
        validate::{validate, validate_update},
    },
    codec::CodecError,
    pb,
};

/// One command in the making.
pub(super) struct Context<'w, 'a> {
    pub writer: &'w mut Writer<'a>,
    pub rules: &'w RuleSet,
    /// `None`: the store itself.
    pub caller: Option<&'w Caller>,
    /// The command was validated under other rules than those in force.
    pub validate_again: bool,
}

/// A rejection, or a state that cannot be read.
pub(super) enum Refusal {
    Rejected(Rejection),
    Broken(ViewError),
}

/// What executing a command, or a part of one, comes to.
pub(super) type Applied<T = Done> = Result<T, Refusal>;

impl From<ViewError> for Refusal {
    fn from(error: ViewError) -> Self {
        Self::Broken(error)
    }
}

impl From<Rejection> for Refusal {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

impl From<RecordError> for Refusal {
    fn from(error: RecordError) -> Self {
        Self::Broken(error.into())
    }
}

impl From<CodecError> for Refusal {
    fn from(error: CodecError) -> Self {
        Self::Broken(error.into())
    }
}

impl From<WrongState> for Refusal {
    fn from(error: WrongState) -> Self {
        Self::Rejected(Rejection::WrongState { state: error.state as i32 })
    }
}

/// Bytes that the leader made do not decode: the log is of another version. The node stops.
pub(super) fn undecodable(error: prost::DecodeError) -> Refusal {
    Refusal::Broken(ViewError(format!("a command does not decode: {error}")))
}

/// An answer for the caller, or an error that stops the node.
pub(super) fn answered(applied: Applied) -> Result<Answer, ViewError> {
    match applied {
        Ok(done) => Ok(Ok(done)),
        Err(Refusal::Rejected(rejection)) => Ok(Err(rejection)),
        Err(Refusal::Broken(error)) => Err(error),
    }
}

/// A field of the request that is wrong in the light of the state.
pub(super) fn invalid(field_path: &str, message: &str) -> Refusal {
    Rejection::Invalid { field_path: field_path.into(), message: message.into() }.into()
}

/// The first fault that blocks, as a rejection.
pub(super) fn first_fault(faults: Vec<pb::Fault>) -> Applied<()> {
    match faults.into_iter().find(|fault| !fault.warning) {
        None => Ok(()),
        Some(fault) => Err(invalid(&fault.field_path, &fault.message)),
    }
}

impl Context<'_, '_> {
    pub fn now_ms(&self) -> u64 {
        self.writer.meta.time_ms
    }

    pub fn done(&self, id: AlertId, version: u64, state: i32, outcome: Outcome) -> Done {
        self.writer.done(id, version, state, outcome)
    }

    /// The alert, if the caller may take this step with it from the state it is in, and `expected_version` (0 = any)
    /// is current.
    pub fn load_for(&self, id: AlertId, expected_version: u64, step: Step) -> Applied<(Loaded, Next)> {
        let loaded = self.load_owned(id)?;
        if expected_version != 0 && expected_version != loaded.version() {
            return Err(Rejection::VersionConflict { current: loaded.version() }.into());
        }
        let next = transition(loaded.state(), step)?;
        Ok((loaded, next))
    }

    /// The alert, if it is the caller's to change. One it may not see is not found.
    pub fn load_owned(&self, id: AlertId) -> Applied<Loaded> {
        let loaded = alerts::load(self.writer, id)?.ok_or(Rejection::NotFound)?;
        let Some(caller) = self.caller else { return Ok(loaded) };
        let viewer = Viewer::of_authority(caller.clone(), None, self.rules);
        if viewer.owns(&loaded.label) || self.keeps_for_others(caller, &loaded.label.owner_party) {
            Ok(loaded)
        } else if viewer.sight(&loaded.label) == Sight::Hidden {
            Err(Rejection::NotFound.into())
        } else {
            Err(Rejection::NotOwner.into())
        }
    }

    /// Authorities that receive alerts from abroad keep them on behalf of their owners: the national bureau, by the
    /// attribute "gateway" of the code list "authority". `owner_party` is canonical.
    fn keeps_for_others(&self, caller: &Caller, owner_party: &str) -> bool {
        caller.role == Role::Bureau
            && party::canonical(&caller.country) == UNITED_KINGDOM
            && owner_party != UNITED_KINGDOM
            && self.rules.attribute(lists::AUTHORITY, &caller.authority, attributes::GATEWAY) == Some("true")
    }

    /// The caller may keep alerts of the owner that `alert` names.
    pub fn check_owner_named(&self, alert: &pb::Alert) -> Applied<()> {
        let Some(caller) = self.caller else { return Ok(()) };
        let owner = alert.core.as_ref().and_then(|core| core.owner.as_ref());
        let party = owner.and_then(|owner| owner.party.as_ref()).map_or("", |party| party.code.as_str());
        let authority = owner.and_then(|owner| owner.authority.as_ref()).map_or("", |code| code.value.as_str());
        let party = party::canonical(party);
        let own_country = party::canonical(&caller.country) == party;
        let own = caller.role == Role::Bureau && own_country && caller.authority == authority;
        if own || self.keeps_for_others(caller, &party) { Ok(()) } else { Err(Rejection::NotOwner.into()) }
    }

    /// Validates again when the rules have changed since the leader did. `before` is what new content replaces: it
    /// may keep the codes that were withdrawn meanwhile.
    pub fn check_rules(&self, before: Option<&pb::Alert>, alert: &pb::Alert) -> Applied<()> {
        if !self.validate_again {
            return Ok(());
        }
        first_fault(match before {
            None => validate(alert, self.rules, self.now_ms()),
            Some(before) => validate_update(before, alert, self.rules, self.now_ms()),
        })
    }
}
