//! `apply`: commands in, writes and answers out. The same on every node, whatever the chunks that it is called with.

use super::{
    Meta, View, ViewError, Write, audit,
    command::{Answer, Batch, Command, Outcome, Proposal, Rejection},
    context::{Applied, Context, answered},
    family::{Due, Family},
    feed, hits, links, policy,
    requests::{self, Seen},
    rules, scan_prefix,
    writer::{Caches, Writer},
};
use crate::{
    alert::{AlertId, lifecycle::Step},
    limits,
};

/// What applying a chunk of log entries comes to. The node writes it all in one engine batch.
#[derive(Debug)]
pub struct Effects {
    /// Every change, indexes, feed and counters included.
    pub writes: Vec<Write>,
    /// One answer for each command of each batch.
    pub answers: Vec<Vec<Answer>>,
    /// The counters after the chunk.
    pub meta: Meta,
}

/// Applies log entries in order on top of `base`. A `ViewError` means that this node cannot go on: the state cannot be
/// read, or a command is of a newer version.
pub fn apply(base: &dyn View, caches: &mut Caches, batches: &[Batch]) -> Result<Effects, ViewError> {
    let mut writer = Writer::new(base, caches)?;
    let mut answers = Vec::with_capacity(batches.len());
    for batch in batches {
        // Replicated time never goes back, whatever a leader's clock says.
        writer.meta.time_ms = writer.meta.time_ms.max(batch.proposed_at_ms);
        requests::expire(&mut writer)?;
        let mut batch_answers = Vec::with_capacity(batch.proposals.len());
        for proposal in &batch.proposals {
            batch_answers.push(apply_one(&mut writer, proposal)?);
        }
        answers.push(batch_answers);
    }
    let (writes, meta) = writer.finish();
    Ok(Effects { writes, answers, meta })
}

fn apply_one(writer: &mut Writer<'_>, proposal: &Proposal) -> Result<Answer, ViewError> {
    let kept = match proposal.caller.as_ref().zip(proposal.request.as_ref()) {
        None => None,
        Some((caller, request)) => match requests::seen(writer, caller, request)? {
            Seen::Before(answer) => return Ok(answer),
            Seen::New(place) => Some((place, request)),
        },
    };
    let mut rules_cache = std::mem::take(&mut writer.caches.rules);
    let rules = rules_cache.get(writer.view(), &writer.meta);
    writer.caches.rules = rules_cache;
    let applied = match (execute_without_rules(writer, proposal), rules?) {
        (Some(applied), _) => applied,
        // Not kept under the request id: the same call succeeds a moment later.
        (None, None) => return Ok(Err(Rejection::NotFounded)),
        (None, Some(rules)) => {
            let rules = &rules;
            let validate_again = proposal.rules_revision != writer.meta.rules_revision;
            let mut step = Context { writer, rules, caller: proposal.caller.as_ref(), validate_again };
            execute(&mut step, proposal.command.clone())
        }
    };
    let answer = answered(applied)?;
    if let Some((place, request)) = kept {
        requests::keep(writer, place, request, &answer)?;
    }
    Ok(answer)
}

/// What is done the same whatever the rules say; `None` for all else.
fn execute_without_rules(writer: &mut Writer<'_>, proposal: &Proposal) -> Option<Applied> {
    Some(match &proposal.command {
        Command::Found { rules } => rules::found(writer, rules),
        Command::Tick => Ok(writer.done_without_id(Outcome::Unchanged)),
        Command::AcknowledgeFeed { agreement, revision, oldest_ms } => {
            feed::acknowledge(writer, proposal.caller.as_ref(), agreement, *revision, *oldest_ms)
        }
        Command::AnchorAudit { node_id, sequence, head } => audit::anchor(writer, *node_id, *sequence, *head),
        Command::CompactFeed { before_revision } => feed::compact(writer, *before_revision),
        _ => return None,
    })
}

fn execute(step: &mut Context<'_, '_>, command: Command) -> Applied {
    match command {
        Command::Link { id, link } => links::link(step, id, &link),
        Command::Unlink { id } => links::unlink(step, id),
        Command::Due => due(step),
        Command::PutAgreement { agreement, expected_version } => {
            policy::put_agreement(step, &agreement, expected_version)
        }
        Command::SetAgreementState { id, state, purge_proof } => {
            policy::set_agreement_state(step, &id, state, purge_proof.as_deref())
        }
        Command::PutRules { rules, expected_version } => policy::put_rules(step, &rules, expected_version),
        Command::PutAttachmentChunk { id, hash, number, bytes } => step.put_attachment_chunk(id, hash, number, bytes),
        Command::SealAttachment { id, hash } => step.seal_attachment(id, hash),
        Command::ReportHit { id, hit } => hits::report(step, id, &hit),
        Command::HitMessage { id, message, answers } => hits::message(step, id, &message, answers),
        Command::SwitchNormaliser { version } => policy::switch_normaliser(step, version),
        Command::Found { .. }
        | Command::Tick
        | Command::AcknowledgeFeed { .. }
        | Command::AnchorAudit { .. }
        | Command::CompactFeed { .. } => unreachable!("done by execute_without_rules"),
        Command::Create { id, alert, as_draft } => step.create(id, alert, as_draft),
        Command::Update { id, expected_version, alert } => step.update(id, expected_version, alert),
        Command::Import { id, alert } => step.import(id, alert),
        Command::Submit { id, expected_version, by, note } => step.submit(id, expected_version, by, note),
        Command::Approve { id, expected_version, by, note } => {
            step.review(Step::Approve, id, expected_version, by, note)
        }
        Command::Reject { id, expected_version, by, note } => step.review(Step::Reject, id, expected_version, by, note),
        Command::Extend { id, expected_version, until_ms, reviewed_by, assessment } => {
            step.extend(id, expected_version, until_ms, reviewed_by, assessment)
        }
        Command::Restrict { id, expected_version, restriction } => step.restrict(id, expected_version, &restriction),
        Command::LiftRestriction { id, expected_version, number, by } => step.lift(id, expected_version, number, by),
        Command::Cancel { id, expected_version, reason, by } => step.cancel(id, expected_version, &reason, &by),
        Command::Erase { id, ground, by } => step.erase(id, &ground, &by),
        Command::WithdrawConsent { id, expected_version, victim_index, field_categories } => {
            step.withdraw_consent(id, expected_version, victim_index, &field_categories)
        }
        Command::TransferOwner { id, expected_version, owner } => step.transfer_owner(id, expected_version, &owner),
    }
}

/// Handles what has fallen due, earliest first, at most so many: the leader proposes again while more is due.
fn due(step: &mut Context<'_, '_>) -> Applied {
    let now = step.now_ms();
    let mut fallen = Vec::new();
    scan_prefix(step.writer.view(), Family::Expiry, b"", |key, _| {
        let (at_ms, due, id) = parse_due(key)?;
        if at_ms > now || fallen.len() == limits::DUE_ITEMS_PER_COMMAND {
            return Ok(false);
        }
        fallen.push((key.to_vec(), due, id));
        Ok(true)
    })?;
    let outcome = if fallen.is_empty() { Outcome::Unchanged } else { Outcome::Changed };
    for (key, due, id) in fallen {
        // What an earlier item of this very command has settled is no longer due.
        if step.writer.get(Family::Expiry, &key)?.is_some() {
            step.writer.set(Family::Expiry, key, None)?;
            step.fall_due(due, id)?;
        }
    }
    Ok(step.writer.done_without_id(outcome))
}

fn parse_due(key: &[u8]) -> Result<(u64, Due, AlertId), ViewError> {
    let parsed = (|| {
        let at_ms = u64::from_be_bytes(key.get(..8)?.try_into().ok()?);
        Some((at_ms, Due::from_byte(*key.get(8)?)?, AlertId::from_slice(key.get(9..)?)?))
    })();
    parsed.ok_or_else(|| ViewError("a key of family 'expiry' does not parse".into()))
}

/// When the next item falls due, in replicated milliseconds.
pub fn next_due_ms(view: &dyn View) -> Result<Option<u64>, ViewError> {
    let mut first = None;
    scan_prefix(view, Family::Expiry, b"", |key, _| {
        first = Some(parse_due(key)?.0);
        Ok(false)
    })?;
    Ok(first)
}
