//! Where a watch or an export goes on, sealed, and for whom.

use alert_core::pb;
use prost::Message;
use serde::{Deserialize, Serialize};

use crate::api::{core::Api, errors::ApiResult, reading::Reading, tokens::TokenKind};

/// Who looks, at what: all that decides which alerts a copy holds, apart from the alerts themselves. When it changes, the
/// changes of alerts no longer tell everything, and a copy begins anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope([u8; 8]);

impl Scope {
    /// Of whoever reads, asking with this filter.
    pub fn of(reading: &Reading, filter: Option<&pb::AlertFilter>) -> Self {
        let viewer = &reading.viewer;
        let caller = viewer.caller();
        let mut hasher = blake3::Hasher::new();
        let mut part = |bytes: &[u8]| {
            hasher.update(&(bytes.len() as u64).to_le_bytes());
            hasher.update(bytes);
        };
        for text in [&caller.country, &caller.authority] {
            part(text.as_bytes());
        }
        part(caller.role.name().as_bytes());
        // Where the rules place the caller: suspensions and flags have territories.
        viewer.territories().iter().for_each(|territory| part(territory.as_bytes()));
        if let Some(agreement) = viewer.agreement() {
            part(agreement.id.as_bytes());
            part(&agreement.version.to_le_bytes());
        }
        part(&filter.map(pb::AlertFilter::encode_to_vec).unwrap_or_default());
        Self(*hasher.finalize().as_bytes().first_chunk().expect("a BLAKE3 hash is longer than 8 bytes"))
    }
}

/// Where a watch goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Everything up to here has been sent, or was not for this caller.
    pub revision: u64,
    /// For whom.
    pub scope: Scope,
}

/// A cursor behind which a watch goes on.
pub fn feed_cursor(api: &Api, revision: u64, scope: Scope) -> Vec<u8> {
    api.sealer().seal(TokenKind::Feed, &api.store().cluster(), Position { revision, scope })
}

/// What a cursor says.
///
/// # Errors
/// `TOKEN_INVALID`, `TOKEN_EPOCH`.
pub fn open_cursor(api: &Api, cursor: &[u8]) -> ApiResult<Position> {
    api.sealer().open(TokenKind::Feed, &api.store().cluster(), cursor)
}

/// How far a cursor is, for tests that keep a copy.
#[cfg(test)]
pub fn revision_of_cursor(api: &Api, cursor: &[u8]) -> u64 {
    open_cursor(api, cursor).expect("a cursor of this cluster").revision
}

#[cfg(test)]
mod tests {
    use alert_core::codec;

    use super::*;

    #[test]
    fn bytes_of_a_place_in_the_feed_do_not_change() {
        let position = Position { revision: 300, scope: Scope([1, 2, 3, 4, 5, 6, 7, 8]) };
        assert_eq!(codec::encode(&position), [1, 251, 44, 1, 1, 2, 3, 4, 5, 6, 7, 8]);
    }
}
