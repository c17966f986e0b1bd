//! The newest state that this client has seen, as a token: a session read is never older.

use alert_proto::v1 as pb;
use parking_lot::Mutex;

#[derive(Default)]
pub(crate) struct Session {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    newest: Option<Seen>,
    /// A token of another process was taken over that nothing compares with `newest`: tokens are sealed. So many were.
    unsettled: Option<u64>,
    carried: u64,
}

struct Seen {
    epoch: u64,
    /// 0 where the cluster does not tell (partners).
    revision: u64,
    token: Vec<u8>,
}

/// What a session read must ask for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Demand {
    /// Nothing was seen yet.
    Nothing,
    /// A state not older than this token.
    Token(Vec<u8>),
    /// A state not older than two tokens of which nobody knows which is newer: one that is newer than both, because it
    /// holds all that was acknowledged before the call. Its answer settles this number ([`Session::settle`]).
    Newest(u64),
}

impl Session {
    /// The newest token of this client's own calls, or the one that was carried before the first of them.
    pub fn token(&self) -> Option<Vec<u8>> {
        self.state.lock().newest.as_ref().map(|seen| seen.token.clone())
    }

    pub fn demand(&self) -> Demand {
        let state = self.state.lock();
        match (&state.newest, state.unsettled) {
            (_, Some(number)) => Demand::Newest(number),
            (Some(seen), None) => Demand::Token(seen.token.clone()),
            (None, None) => Demand::Nothing,
        }
    }

    /// Takes a token over from another process. What was seen here counts as well.
    pub fn carry(&self, token: Vec<u8>) {
        let mut state = self.state.lock();
        match &state.newest {
            _ if token.is_empty() => {}
            None => state.newest = Some(Seen { epoch: 0, revision: 0, token }),
            Some(seen) if seen.token == token => {}
            Some(_) => {
                state.carried += 1;
                state.unsettled = Some(state.carried);
            }
        }
    }

    /// An answer came to a read that asked for the newest state because of `number`.
    pub fn settle(&self, number: u64) {
        let mut state = self.state.lock();
        // Not when another token was carried since.
        if state.unsettled == Some(number) {
            state.unsettled = None;
        }
    }

    /// The store was restored from a backup: what was seen before means nothing now.
    pub fn forget(&self) {
        *self.state.lock() = State::default();
    }

    /// Answers may come out of order. Those with a revision are compared by it; sealed ones are taken unless their level
    /// may have answered from an older state than the one seen.
    pub fn note(&self, answer: &pb::AnswerContext) {
        if answer.token.is_empty() {
            return;
        }
        let newest = &mut self.state.lock().newest;
        let is_newer = match newest {
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
    fn a_token_of_another_process_turns_no_session_back_and_is_not_forgotten_either() {
        let session = Session::default();
        assert_eq!(session.demand(), Demand::Nothing);
        session.carry(vec![1]);
        assert_eq!(session.demand(), Demand::Token(vec![1]), "nothing was seen here: it is all there is");
        session.note(&answer(1, 5, pb::ReadLevel::Unspecified, 5));
        session.carry(vec![5]);
        assert_eq!(session.demand(), Demand::Token(vec![5]), "it comes back from where it went");
        session.carry(Vec::new());
        assert_eq!(session.demand(), Demand::Token(vec![5]), "no token says nothing");

        session.carry(vec![9]);
        let Demand::Newest(first) = session.demand() else { panic!("sealed tokens cannot be compared") };
        assert_eq!(session.token(), Some(vec![5]));
        session.carry(vec![8]);
        session.note(&answer(1, 7, pb::ReadLevel::Linearizable, 7));
        session.settle(first);
        let Demand::Newest(second) = session.demand() else { panic!("the read began before the second was carried") };
        session.note(&answer(1, 9, pb::ReadLevel::Linearizable, 9));
        session.settle(second);
        assert_eq!(session.demand(), Demand::Token(vec![9]));
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
