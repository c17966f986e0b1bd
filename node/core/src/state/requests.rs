//! Request ids: a retry has one effect.
//!
//! The first answer to (caller, session, sequence) is kept for a time and a count, both replicated, and given again.
//! What is no longer kept is closed: the session's floor says up to which sequence, and anything at or below it that
//! has no kept answer is REQUEST_EXPIRED, never executed again.

use serde::{Deserialize, Serialize};

use super::{
    ViewError,
    command::{Answer, Rejection, RequestKey},
    family::{Family, key},
    writer::Writer,
};
use crate::{alert::Caller, codec, limits};

/// What is closed of a session.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Floor {
    /// This one and all before it.
    sequence: u64,
    /// When it was closed.
    at_ms: u64,
}

#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    content_hash: [u8; 16],
    answer: Answer,
    at_ms: u64,
}

/// What is known of a request before it is executed.
pub(super) enum Seen {
    /// Execute it, then [`keep`] its answer.
    New(Place),
    /// Answer this.
    Before(Answer),
}

/// Where the answer to a new request goes.
pub(super) struct Place {
    caller: [u8; 16],
    answer_key: Vec<u8>,
    /// Of the session, up to which sequence all is closed.
    closed: u64,
}

fn caller_key(caller: &Caller) -> [u8; 16] {
    let hash = blake3::hash(&codec::encode(caller));
    hash.as_bytes()[..16].try_into().expect("a hash of 32 bytes has a first half")
}

fn answer_key(caller: &[u8; 16], session: &[u8; 16], sequence: u64) -> Vec<u8> {
    key(&[b"a", caller, session, &sequence.to_be_bytes()])
}

fn floor_key(caller: &[u8; 16], session: &[u8; 16]) -> Vec<u8> {
    key(&[b"f", caller, session])
}

/// `('t', time, caller, session, sequence)`.
fn time_key(at_ms: u64, answer_key: &[u8]) -> Vec<u8> {
    key(&[b"t", &at_ms.to_be_bytes(), &answer_key[1..]])
}

/// `('s', time, caller, session)`.
fn floor_time_key(at_ms: u64, floor_key: &[u8]) -> Vec<u8> {
    key(&[b"s", &at_ms.to_be_bytes(), &floor_key[1..]])
}

fn floor(writer: &Writer<'_>, caller: &[u8; 16], session: &[u8; 16]) -> Result<Floor, ViewError> {
    let kept = writer.get(Family::Requests, &floor_key(caller, session))?;
    Ok(kept.map(|bytes| codec::decode(&bytes)).transpose()?.unwrap_or_default())
}

fn set_floor(writer: &mut Writer<'_>, caller: &[u8; 16], session: &[u8; 16], sequence: u64) -> Result<(), ViewError> {
    let (key, old) = (floor_key(caller, session), floor(writer, caller, session)?);
    if old.sequence > 0 {
        writer.set(Family::Requests, floor_time_key(old.at_ms, &key), None)?;
    }
    let new = Floor { sequence, at_ms: writer.meta.time_ms };
    writer.set(Family::Requests, floor_time_key(new.at_ms, &key), Some(Vec::new()))?;
    writer.set(Family::Requests, key, Some(codec::encode(&new)))
}

pub(super) fn seen(writer: &Writer<'_>, caller: &Caller, request: &RequestKey) -> Result<Seen, ViewError> {
    let caller = caller_key(caller);
    let answer_key = answer_key(&caller, &request.session, request.sequence);
    if let Some(bytes) = writer.get(Family::Requests, &answer_key)? {
        let kept: Kept = codec::decode(&bytes)?;
        if kept.content_hash != request.content_hash {
            return Ok(Seen::Before(Err(Rejection::RequestIdReused)));
        }
        return Ok(Seen::Before(kept.answer.map(|mut done| {
            done.repeated = true;
            done
        })));
    }
    let closed = floor(writer, &caller, &request.session)?.sequence;
    if request.sequence <= closed {
        return Ok(Seen::Before(Err(Rejection::RequestExpired)));
    }
    Ok(Seen::New(Place { caller, answer_key, closed }))
}

pub(super) fn keep(
    writer: &mut Writer<'_>,
    place: Place,
    request: &RequestKey,
    answer: &Answer,
) -> Result<(), ViewError> {
    let at_ms = writer.meta.time_ms;
    let kept = Kept { content_hash: request.content_hash, answer: answer.clone(), at_ms };
    writer.insert(Family::Requests, time_key(at_ms, &place.answer_key), Vec::new());
    writer.insert(Family::Requests, place.answer_key, codec::encode(&kept));
    // The newest so many of a session are kept, whatever their age; what is beyond them is closed many at a time, for
    // finding the first of them costs more than dropping it.
    let closed = request.sequence.saturating_sub(limits::REQUESTS_PER_SESSION);
    if closed < place.closed + limits::REQUESTS_CLOSED_AT_ONCE {
        return Ok(());
    }
    close(writer, &place.caller, &request.session, closed)
}

/// Raises the floor of a session to `sequence` and drops what it closes.
fn close(writer: &mut Writer<'_>, caller: &[u8; 16], session: &[u8; 16], sequence: u64) -> Result<(), ViewError> {
    let old = floor(writer, caller, session)?.sequence;
    if sequence <= old {
        return Ok(());
    }
    let mut dropped = Vec::new();
    let mut cursor = super::View::cursor(writer.view(), Family::Requests);
    cursor.seek(&answer_key(caller, session, old + 1), &key(&[b"a", caller, session]))?;
    while let Some((key, value)) = cursor.entry() {
        if key > answer_key(caller, session, sequence).as_slice() {
            break;
        }
        let kept: Kept = codec::decode(value)?;
        dropped.push((key.to_vec(), kept.at_ms));
        cursor.next()?;
    }
    drop(cursor);
    for (key, at_ms) in dropped {
        writer.set(Family::Requests, time_key(at_ms, &key), None)?;
        writer.set(Family::Requests, key, None)?;
    }
    set_floor(writer, caller, session, sequence)
}

/// Closes answers that are older than the time they are kept, and forgets sessions that have been silent for long; a
/// bounded number at each call.
pub(super) fn expire(writer: &mut Writer<'_>) -> Result<(), ViewError> {
    let since = writer.caches.requests_since_ms;
    let (due, since) = take_due(writer, b"t", limits::REQUEST_TTL_MS, since)?;
    writer.caches.requests_since_ms = since;
    for key in due {
        let (caller, session) = owner(&key);
        let sequence = u64::from_be_bytes(key[41..49].try_into().expect("a time key ends in a sequence"));
        close(writer, &caller, &session, sequence)?;
        // Its answer may have been closed before under another time.
        writer.set(Family::Requests, key, None)?;
    }
    let since = writer.caches.sessions_since_ms;
    let (due, since) = take_due(writer, b"s", limits::REQUEST_SESSION_TTL_MS, since)?;
    writer.caches.sessions_since_ms = since;
    for key in due {
        let (caller, session) = owner(&key);
        writer.set(Family::Requests, floor_key(&caller, &session), None)?;
        writer.set(Family::Requests, key, None)?;
    }
    Ok(())
}

/// Caller and session in a key that begins with a byte and a time.
fn owner(key: &[u8]) -> ([u8; 16], [u8; 16]) {
    let field = |from: usize| key[from..from + 16].try_into().expect("a time key has this length");
    (field(9), field(25))
}

/// The oldest keys under `prefix`, a bounded number, whose time is more than `ttl_ms` ago. Nothing is older than
/// `since_ms`: known, it spares the search in nearly every batch, and, where one is due, the walk over all that was
/// dropped before it. With it, the same of what is left.
fn take_due(
    writer: &Writer<'_>,
    prefix: &[u8; 1],
    ttl_ms: u64,
    since_ms: Option<u64>,
) -> Result<(Vec<Vec<u8>>, Option<u64>), ViewError> {
    const AT_ONCE: usize = 64;
    let mut due = Vec::new();
    let since = since_ms.unwrap_or(0);
    let Some(before) = writer.meta.time_ms.checked_sub(ttl_ms).filter(|before| since < *before) else {
        return Ok((due, since_ms));
    };
    let mut oldest_left = None;
    let mut cursor = super::View::cursor(writer.view(), Family::Requests);
    cursor.seek(&key(&[prefix, &since.to_be_bytes()]), prefix)?;
    while let Some((key, _)) = cursor.entry() {
        let at_ms = u64::from_be_bytes(key[1..9].try_into().expect("a time key holds 8 bytes of time"));
        if at_ms >= before || due.len() == AT_ONCE {
            oldest_left = Some(at_ms);
            break;
        }
        due.push(key.to_vec());
        cursor.next()?;
    }
    // Where none is left, all that come are of now or later: replicated time never goes back.
    Ok((due, Some(oldest_left.unwrap_or(writer.meta.time_ms))))
}
