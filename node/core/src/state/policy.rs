//! Agreements and rules: replicated, versioned data.

use prost::Message;

use super::{
    View, ViewError,
    command::{Outcome, Rejection},
    context::{Applied, Context, first_fault, undecodable},
    family::{self, Family, sys},
    feed::Change,
    indexing::IndexBuild,
    rules::rule_kind,
    scan_prefix,
};
use crate::{
    alert::{
        AlertId, RuleSet,
        validate::{validate_agreement, validate_rules},
    },
    pb,
};

const NO_ID: AlertId = AlertId::from_bytes([0; 16]);

/// An agreement has ended. It is in no state of an alert, so none is named.
const AGREEMENT_ENDED: Rejection = Rejection::WrongState { state: pb::AlertState::Unspecified as i32 };

fn check_version(current: u64, expected: u64) -> Applied<()> {
    match (current, expected) {
        (current, expected) if current == expected => Ok(()),
        (0, _) => Err(Rejection::NotFound.into()),
        (_, 0) => Err(Rejection::AlreadyExists.into()),
        (current, _) => Err(Rejection::VersionConflict { current }.into()),
    }
}

pub(super) fn put_agreement(step: &mut Context<'_, '_>, agreement: &[u8], expected_version: u64) -> Applied {
    let mut agreement = pb::Agreement::decode(agreement).map_err(undecodable)?;
    first_fault(validate_agreement(&agreement, step.rules))?;
    let current = read_agreement(step.writer.view(), &agreement.id)?;
    check_version(current.as_ref().map_or(0, |current| current.version), expected_version)?;
    match current {
        Some(current) if current.state() == pb::AgreementState::Ended => {
            return Err(AGREEMENT_ENDED.into());
        }
        // Its state changes by suspend, resume and end alone.
        Some(current) => (agreement.state, agreement.purge_proof) = (current.state, current.purge_proof),
        None => (agreement.state, agreement.purge_proof) = (pb::AgreementState::Active as i32, None),
    }
    store_agreement(step, agreement, expected_version)
}

fn store_agreement(step: &mut Context<'_, '_>, mut agreement: pb::Agreement, version: u64) -> Applied {
    agreement.version = version + 1;
    let meta = &mut step.writer.meta;
    meta.revision += 1;
    meta.agreements_revision = meta.revision;
    step.writer.tell(Change::Agreement { id: agreement.id.clone() });
    step.writer.set(Family::Agreements, family::agreement(&agreement.id), Some(agreement.encode_to_vec()))?;
    let outcome = if version == 0 { Outcome::Created } else { Outcome::Changed };
    Ok(step.done(NO_ID, version + 1, agreement.state, outcome))
}

pub(super) fn set_agreement_state(
    step: &mut Context<'_, '_>,
    id: &str,
    state: i32,
    purge_proof: Option<&[u8]>,
) -> Applied {
    let mut agreement = read_agreement(step.writer.view(), id)?.ok_or(Rejection::NotFound)?;
    if agreement.state == state && purge_proof.is_none() {
        return Ok(step.done(NO_ID, agreement.version, state, Outcome::Unchanged));
    }
    if agreement.state() == pb::AgreementState::Ended && state != pb::AgreementState::Ended as i32 {
        return Err(AGREEMENT_ENDED.into());
    }
    agreement.state = state;
    if let Some(proof) = purge_proof {
        agreement.purge_proof = Some(pb::PurgeProof::decode(proof).map_err(undecodable)?);
    }
    let version = agreement.version;
    store_agreement(step, agreement, version)
}

pub(super) fn put_rules(step: &mut Context<'_, '_>, rules: &[u8], expected_version: u64) -> Applied {
    let mut rules = pb::Rules::decode(rules).map_err(undecodable)?;
    let kind = rule_kind(&rules);
    first_fault(validate_rules(&rules, step.rules))?;
    check_version(version_of(step.rules, kind), expected_version)?;
    rules.version = expected_version + 1;
    let meta = &mut step.writer.meta;
    meta.revision += 1;
    meta.rules_revision = meta.revision;
    step.writer.tell(Change::Rules { kind: kind as i32 });
    if let Some(pb::rules::Rules::SearchProfile(profile)) = &rules.rules {
        let next = Some(profile.normaliser_version)
            .filter(|version| *version != step.rules.search_profile().normaliser_version);
        if next != step.rules.next_normaliser() {
            // What was built for another next profile is no longer written by apply: it is out of date from here on.
            step.writer.set(Family::Sys, sys::INDEX_BUILD.to_vec(), None)?;
        }
        let waiting = next.map(|_| rules.encode_to_vec());
        let waits = waiting.is_some();
        step.writer.set(Family::Rules, family::next_rules(kind as i32), waiting)?;
        if waits {
            return Ok(step.done(NO_ID, rules.version, 0, Outcome::Changed));
        }
    }
    step.writer.set(Family::Rules, family::rules(kind as i32), Some(rules.encode_to_vec()))?;
    Ok(step.done(NO_ID, rules.version, 0, Outcome::Changed))
}

/// Puts the next search profile into force. A profile that was replaced or withdrawn meanwhile stays out.
pub(super) fn switch_normaliser(step: &mut Context<'_, '_>, version: u32) -> Applied {
    let Some(next) = step.rules.next_profile().filter(|_| step.rules.next_normaliser() == Some(version)) else {
        return Ok(step.writer.done_without_id(Outcome::Unchanged));
    };
    step.writer.caches.normalisers.require(version).map_err(|error| ViewError(error.to_string()))?;
    // Whoever applies entries completes the index first. Searches must never meet half of one.
    let build = IndexBuild::read(step.writer.view())?;
    if !build.is_some_and(|build| build.normaliser == version && build.complete) {
        return Err(ViewError(format!("the index of normaliser {version} is not complete at the switch to it")).into());
    }
    let kind = pb::RuleKind::SearchProfile as i32;
    let meta = &mut step.writer.meta;
    meta.revision += 1;
    meta.rules_revision = meta.revision;
    step.writer.tell(Change::Rules { kind });
    step.writer.set(Family::Rules, family::rules(kind), Some(next.encode_to_vec()))?;
    step.writer.set(Family::Rules, family::next_rules(kind), None)?;
    step.writer.set(Family::Sys, sys::INDEX_BUILD.to_vec(), None)?;
    Ok(step.done(NO_ID, next.version, 0, Outcome::Changed))
}

fn version_of(rules: &RuleSet, kind: pb::RuleKind) -> u64 {
    let versions = rules.versions();
    match kind {
        pb::RuleKind::CodeLists => versions.code_lists,
        pb::RuleKind::Retention => versions.retention,
        pb::RuleKind::Compatibility => versions.compatibility,
        pb::RuleKind::SearchProfile => rules.next_profile().map_or(versions.search_profile, |next| next.version),
        pb::RuleKind::MinimumFields => versions.minimum_fields,
        pb::RuleKind::Unspecified => 0,
    }
}

/// One agreement, whatever its state.
pub fn read_agreement(view: &dyn View, id: &str) -> Result<Option<pb::Agreement>, ViewError> {
    let bytes = view.get(Family::Agreements, &family::agreement(id))?;
    bytes.map(|bytes| decode_agreement(&bytes)).transpose()
}

/// Every agreement, by id.
pub fn read_agreements(view: &dyn View) -> Result<Vec<pb::Agreement>, ViewError> {
    let mut agreements = Vec::new();
    scan_prefix(view, Family::Agreements, b"", |_, value| {
        agreements.push(decode_agreement(value)?);
        Ok(true)
    })?;
    Ok(agreements)
}

fn decode_agreement(bytes: &[u8]) -> Result<pb::Agreement, ViewError> {
    pb::Agreement::decode(bytes).map_err(|error| ViewError(format!("agreement: {error}")))
}
