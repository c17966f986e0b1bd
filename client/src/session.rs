//! The newest state that this client has seen, as a token: a session read is never older.

use alert_proto::v1 as pb;
use parking_lot::Mutex;

#[derive(Default)]
pub(crate) struct Session {
    newest: Mutex<Option<Seen>>,
}

struct Seen {
    epoch: u64,
    /// 0 where the cluster does not tell (partners).
    revision: u64,
    token: Vec<u8>,
}

impl Session {
    pub fn token(&self) -> Option<Vec<u8>> {
        self.newest.lock().as_ref().map(|seen| seen.token.clone())
    }

    /// Takes a token over from another process.
    pub fn carry(&self, token: Vec<u8>) {
        *self.newest.lock() = (!token.is_empty()).then_some(Seen { epoch: 0, revision: 0, token });
    }

    /// The store was restored from a backup: what was seen before means nothing now.
    pub fn forget(&self) {
        *self.newest.lock() = None;
    }

    /// Answers may come out of order. Those with a revision are compared by it; sealed ones are taken unless their level
    /// may have answered from an older state than the one seen.
    pub fn note(&self, answer: &pb::AnswerContext) {
        if answer.token.is_empty() {
            return;
        }
        let mut newest = self.newest.lock();
        let is_newer = match &*newest {
            None => true,
            Some(seen) if answer.revision != 0 && seen.revision != 0 => {
                (answer.epoch, answer.revision) > (seen.epoch, seen.revision)
            }
            Some(_) => !matches!(answer.level(), pb::ReadLevel::Bounded | pb::ReadLevel::Local),
        };
        if is_newer {
            *newest = Some(Seen { epoch: answer.epoch, revision: answer.revision, token: answer.token.clone() });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(epoch: u64, revision: u64, level: pb::ReadLevel, token: u8) -> pb::AnswerContext {
        pb::AnswerContext { epoch, revision, level: level as i32, token: vec![token], ..Default::default() }
    }

    #[test]
    fn an_answer_that_comes_late_does_not_turn_the_session_back() {
        let session = Session::default();
        session.note(&answer(1, 11, pb::ReadLevel::Unspecified, 11));
        session.note(&answer(1, 10, pb::ReadLevel::Unspecified, 10));
        assert_eq!(session.token(), Some(vec![11]));
        session.note(&answer(2, 3, pb::ReadLevel::Unspecified, 3));
        assert_eq!(session.token(), Some(vec![3]));
    }

    #[test]
    fn a_sealed_token_of_a_stale_read_does_not_replace_a_newer_one() {
        let session = Session::default();
        session.note(&answer(1, 0, pb::ReadLevel::Linearizable, 1));
        session.note(&answer(1, 0, pb::ReadLevel::Bounded, 2));
        assert_eq!(session.token(), Some(vec![1]));
        session.note(&answer(1, 0, pb::ReadLevel::Session, 3));
        assert_eq!(session.token(), Some(vec![3]));
    }
}
