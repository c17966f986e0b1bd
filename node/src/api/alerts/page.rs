//! Pages: how many records, and where the next page begins. The token is sealed and good for the same question only.

use alert_core::limits::PAGE_RECORDS_MAX;
use serde::{Deserialize, Serialize};

use crate::{
    api::{
        call::Call,
        core::Api,
        errors::{ApiError, ApiResult, ErrorCode},
        tokens::TokenKind,
    },
    limits::PAGE_RECORDS_DEFAULT,
};

#[derive(Serialize, Deserialize)]
struct Position {
    /// Hash of caller, operation and question.
    question: [u8; 16],
    /// The last key looked at.
    after: Vec<u8>,
}

/// One page of a list.
pub(crate) struct Page {
    /// Most records.
    pub size: usize,
    /// Go on after this key; `None` = from the beginning.
    pub after: Option<Vec<u8>>,
    question: [u8; 16],
}

/// How many records a page has when the caller asks for `asked`.
fn page_size(asked: u32) -> usize {
    match asked as usize {
        0 => PAGE_RECORDS_DEFAULT,
        asked => asked.min(PAGE_RECORDS_MAX),
    }
}

impl Page {
    /// The page that `token` leads to. `question` is what the caller asks apart from the page itself.
    pub fn open(api: &Api, call: &Call, size: u32, token: &[u8], question: &[u8]) -> ApiResult<Self> {
        let mut hasher = blake3::Hasher::new();
        for part in [call.operation.method.as_bytes(), call.caller().to_string().as_bytes(), question] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        let question = *hasher.finalize().as_bytes().first_chunk().expect("a BLAKE3 hash is longer than 16 bytes");
        let after = if token.is_empty() {
            None
        } else {
            let position: Position = api.sealer().open(TokenKind::Page, &api.store().cluster(), token)?;
            if position.question != question {
                let message = "the page token belongs to another question";
                return Err(ApiError::new(ErrorCode::TokenInvalid, message));
            }
            Some(position.after)
        };
        Ok(Self { size: page_size(size), after, question })
    }

    /// The token of the page that begins after `key`.
    pub fn next(&self, api: &Api, key: &[u8]) -> Vec<u8> {
        let position = Position { question: self.question, after: key.to_vec() };
        api.sealer().seal(TokenKind::Page, &api.store().cluster(), position)
    }
}

#[cfg(test)]
mod tests {
    use alert_core::codec;

    use super::*;

    #[test]
    fn bytes_of_a_place_in_a_list_do_not_change() {
        let position = Position { question: [7; 16], after: vec![1, 2, 3] };
        assert_eq!(codec::encode(&position), [&[1][..], &[7; 16], &[3, 1, 2, 3]].concat());
    }
}
