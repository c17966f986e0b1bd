//! Tokens and cursors: {cluster, epoch, position}, sealed, so that what a caller hands back is what it was given and
//! tells nothing. Gaps between revisions would tell a partner that something happened which it may not see; so would
//! two equal tokens, hence the fresh nonce.
//!
//! A token is `format byte, nonce (24 bytes), ChaCha20-Poly1305 of the body`. The key of each token is the cluster's
//! token key hashed with the nonce (BLAKE3, keyed), so the cipher's own short nonce is never reused under one key. The
//! kind of token and the cluster's id are authenticated with it.

use std::sync::Arc;

use alert_core::codec;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{
    backend::ClusterAbout,
    errors::{ApiError, ApiResult, ErrorCode},
};
use crate::seam::Random;

/// Format byte of the tokens of this version.
const FORMAT: u8 = 1;
const NONCE_BYTES: usize = 24;
/// Longest token that is looked at.
const TOKEN_BYTES_MAX: usize = 4096;

/// What a token is for. A token of one kind is refused where another is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum TokenKind {
    /// A revision, for the session level.
    Session = b's',
    /// Where a list goes on.
    Page = b'p',
    /// Where an export goes on.
    Export = b'e',
    /// Where a watch goes on.
    Feed = b'f',
    /// A place in an audit log.
    Receipt = b'r',
}

/// Seals and opens tokens. Every node of a cluster holds the same key.
#[derive(Clone)]
pub struct TokenSealer {
    key: [u8; 32],
    random: Arc<dyn Random>,
}

#[derive(Serialize, Deserialize)]
struct Body<T> {
    epoch: u64,
    position: T,
}

impl TokenSealer {
    /// A sealer with the cluster's token key.
    pub fn new(key: [u8; 32], random: Arc<dyn Random>) -> Self {
        Self { key, random }
    }

    /// A token for `position`.
    pub fn seal<T: Serialize>(&self, kind: TokenKind, cluster: &ClusterAbout, position: T) -> Vec<u8> {
        let mut nonce = [0; NONCE_BYTES];
        self.random.fill(&mut nonce);
        let mut body = codec::encode(&Body { epoch: cluster.epoch, position });
        self.token_key(&nonce)
            .seal_in_place_append_tag(zero_nonce(), associated(kind, cluster), &mut body)
            .expect("a token is far below the cipher's limit");
        let mut token = Vec::with_capacity(1 + NONCE_BYTES + body.len());
        token.push(FORMAT);
        token.extend_from_slice(&nonce);
        token.extend_from_slice(&body);
        token
    }

    /// The position in a token of this cluster, kind and epoch.
    ///
    /// # Errors
    /// `TOKEN_INVALID` for anything that was not sealed here for this use, `TOKEN_EPOCH` for another epoch.
    pub fn open<T: DeserializeOwned>(&self, kind: TokenKind, cluster: &ClusterAbout, token: &[u8]) -> ApiResult<T> {
        let body = self.unseal(kind, cluster, token).ok_or_else(|| ApiError::plain(ErrorCode::TokenInvalid))?;
        let body: Body<T> = codec::decode(&body).map_err(|_| ApiError::plain(ErrorCode::TokenInvalid))?;
        if body.epoch != cluster.epoch {
            return Err(ApiError::plain(ErrorCode::TokenEpoch));
        }
        Ok(body.position)
    }

    fn unseal(&self, kind: TokenKind, cluster: &ClusterAbout, token: &[u8]) -> Option<Vec<u8>> {
        if token.len() > TOKEN_BYTES_MAX {
            return None;
        }
        let rest = token.strip_prefix(&[FORMAT])?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE_BYTES>()?;
        let mut body = sealed.to_vec();
        let opened =
            self.token_key(nonce).open_in_place(zero_nonce(), associated(kind, cluster), &mut body).ok()?.len();
        body.truncate(opened);
        Some(body)
    }

    fn token_key(&self, nonce: &[u8; NONCE_BYTES]) -> LessSafeKey {
        let key = blake3::keyed_hash(&self.key, nonce);
        let key = UnboundKey::new(&CHACHA20_POLY1305, key.as_bytes()).expect("BLAKE3 gives the 32 bytes of a key");
        LessSafeKey::new(key)
    }
}

/// Each token has a key of its own, so the cipher's nonce may be constant.
fn zero_nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; 12])
}

fn associated(kind: TokenKind, cluster: &ClusterAbout) -> Aad<Vec<u8>> {
    let mut associated = vec![kind as u8];
    associated.extend_from_slice(cluster.cluster_id.as_bytes());
    Aad::from(associated)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seam::OsRandom;

    fn sealer() -> TokenSealer {
        TokenSealer::new([7; 32], Arc::new(OsRandom))
    }

    fn cluster(id: &str, epoch: u64) -> ClusterAbout {
        ClusterAbout { cluster_id: id.into(), epoch }
    }

    fn refused(result: ApiResult<u64>) -> ErrorCode {
        result.unwrap_err().code
    }

    #[test]
    fn a_token_comes_back_and_says_nothing() {
        let (sealer, here) = (sealer(), cluster("a", 1));
        assert_eq!(codec::encode(&Body { epoch: 300, position: 77u64 }), [1, 251, 44, 1, 77]);
        let first = sealer.seal(TokenKind::Session, &here, 77u64);
        let second = sealer.seal(TokenKind::Session, &here, 77u64);
        assert_ne!(first, second, "equal positions give tokens that cannot be told to be equal");
        assert_eq!(sealer.open::<u64>(TokenKind::Session, &here, &first), Ok(77));
        assert_eq!(sealer.open::<u64>(TokenKind::Session, &here, &second), Ok(77));
    }

    #[test]
    fn a_token_of_another_cluster_kind_or_key_is_refused() {
        let (sealer, here) = (sealer(), cluster("a", 1));
        let token = sealer.seal(TokenKind::Session, &here, 77u64);
        assert_eq!(refused(sealer.open(TokenKind::Session, &cluster("b", 1), &token)), ErrorCode::TokenInvalid);
        assert_eq!(refused(sealer.open(TokenKind::Page, &here, &token)), ErrorCode::TokenInvalid);
        let other = TokenSealer::new([8; 32], Arc::new(OsRandom));
        assert_eq!(refused(other.open(TokenKind::Session, &here, &token)), ErrorCode::TokenInvalid);
        assert_eq!(refused(sealer.open(TokenKind::Session, &here, b"")), ErrorCode::TokenInvalid);
        for bit in 0..token.len() * 8 {
            let mut altered = token.clone();
            altered[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(refused(sealer.open(TokenKind::Session, &here, &altered)), ErrorCode::TokenInvalid);
        }
    }

    #[test]
    fn a_token_from_before_a_restore_says_so() {
        let sealer = sealer();
        let token = sealer.seal(TokenKind::Session, &cluster("a", 1), 77u64);
        assert_eq!(refused(sealer.open(TokenKind::Session, &cluster("a", 2), &token)), ErrorCode::TokenEpoch);
    }
}
