//! What sealed tokens say. Clients cannot read them; the simulation, which gave the nodes their key, can.

use std::sync::Arc;

use alert_client::pb;
use alert_node::{
    api::{ClusterAbout, TokenKind, TokenSealer},
    seam::Random,
};

use crate::sim::{CLUSTER, TOKEN_KEY};

/// Nothing is sealed here.
struct NoRandom;

impl Random for NoRandom {
    fn fill(&self, _bytes: &mut [u8]) {
        unreachable!("nothing is sealed by clients")
    }
}

fn opened<T: serde::de::DeserializeOwned>(kind: TokenKind, epoch: u64, token: &[u8]) -> Option<T> {
    let cluster = ClusterAbout { cluster_id: CLUSTER.into(), epoch };
    TokenSealer::new(TOKEN_KEY, Arc::new(NoRandom)).open(kind, &cluster, token).ok()
}

/// The revision of the state that an answer came from. Partners are told none, but for the one sealed in their token.
pub(super) fn revision(answer: &pb::AnswerContext) -> u64 {
    opened(TokenKind::Session, answer.epoch, &answer.token).unwrap_or(0)
}

/// The revision behind which a feed goes on.
pub(super) fn revision_of_cursor(epoch: u64, cursor: &[u8]) -> Option<u64> {
    opened::<(u64, [u8; 8])>(TokenKind::Feed, epoch, cursor).map(|(revision, _)| revision)
}
