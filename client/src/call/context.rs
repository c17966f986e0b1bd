//! What the client fills into each request.

use std::time::Duration;

use alert_proto::v1 as pb;

use crate::{
    random::Random,
    session::{Demand, Session},
};

/// What every call of a client handle carries unless its own request says otherwise.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CallDefaults {
    /// The authority or person that the caller acts for; empty = itself.
    pub on_behalf_of: String,
    /// The officer or system behind the calls, as the caller's own directory names it.
    pub officer_ref: String,
    /// A value of the code list "purpose", for example "border-control".
    pub purpose: String,
    /// The caller's own case.
    pub case_ref: String,
    /// Why, in the officer's words.
    pub justification: String,
    /// Partners: the agreement that calls are made under.
    pub agreement_id: String,
    /// Read level of reads that name none; `None` = the default of each call (searches bounded, others linearizable).
    pub read_level: Option<pb::ReadLevel>,
    /// Deadline of every call; `None` = by the kind of call (`limits::READ_DEADLINE` and its neighbours).
    pub deadline: Option<Duration>,
    /// Every call goes to this address and nowhere else.
    pub only_node: Option<String>,
    /// No read is asked of a second node because the first is slow.
    pub without_hedges: bool,
}

/// Fills what the request leaves empty: defaults, and a `search_id` that stays the same over all attempts.
pub(crate) fn fill_context(context: &mut Option<pb::CallContext>, defaults: &CallDefaults, random: &Random) {
    let context = context.get_or_insert_default();
    let fill = |field: &mut String, default: &str| {
        if field.is_empty() {
            default.clone_into(field);
        }
    };
    fill(&mut context.on_behalf_of, &defaults.on_behalf_of);
    fill(&mut context.officer_ref, &defaults.officer_ref);
    fill(&mut context.case_ref, &defaults.case_ref);
    fill(&mut context.justification, &defaults.justification);
    fill(&mut context.agreement_id, &defaults.agreement_id);
    if context.purpose.is_none() && !defaults.purpose.is_empty() {
        context.purpose = Some(pb::Code { list: "purpose".to_owned(), value: defaults.purpose.clone() });
    }
    if context.search_id.is_empty() {
        context.search_id = random.search_id();
    }
}

/// Fills the read level, and what the client's own session demands where a session read brings no token. Gives the
/// demand that was filled in; `Demand::Nothing` where the request asks for all by itself.
pub(crate) fn fill_read(read: &mut Option<pb::ReadOptions>, defaults: &CallDefaults, session: &Session) -> Demand {
    if let Some(level) = defaults.read_level
        && read.as_ref().is_none_or(|read| read.level() == pb::ReadLevel::Unspecified)
    {
        read.get_or_insert_default().set_level(level);
    }
    let Some(read) = read.as_mut().filter(|read| read.level() == pb::ReadLevel::Session && read.token.is_empty())
    else {
        return Demand::Nothing;
    };
    let demand = session.demand();
    match &demand {
        // Nothing was seen that the answer could be older than: the session begins as fresh as the call is by itself.
        Demand::Nothing => read.set_level(pb::ReadLevel::Unspecified),
        Demand::Token(token) => read.token.clone_from(token),
        Demand::Newest(_) => read.set_level(pb::ReadLevel::Linearizable),
    }
    demand
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_keeps_what_it_says_itself() {
        let defaults = CallDefaults {
            officer_ref: "default".into(),
            purpose: "border-control".into(),
            agreement_id: "a1".into(),
            ..CallDefaults::default()
        };
        let mut context = Some(pb::CallContext { officer_ref: "own".into(), ..Default::default() });
        fill_context(&mut context, &defaults, &Random::new(None));
        let context = context.unwrap();
        assert_eq!((context.officer_ref.as_str(), context.agreement_id.as_str()), ("own", "a1"));
        assert_eq!(context.purpose.unwrap(), pb::Code { list: "purpose".into(), value: "border-control".into() });
        assert_eq!(context.search_id.len(), 36);
    }

    #[test]
    fn only_a_session_read_without_a_token_gets_the_clients_own() {
        let defaults = CallDefaults { read_level: Some(pb::ReadLevel::Session), ..CallDefaults::default() };
        let session = Session::default();
        let mut read = None;
        assert_eq!(fill_read(&mut read, &defaults, &session), Demand::Nothing);
        assert_eq!(read.unwrap().level(), pb::ReadLevel::Unspecified, "nothing was seen yet");

        session.carry(vec![1]);
        let mut read = None;
        assert_eq!(fill_read(&mut read, &defaults, &session), Demand::Token(vec![1]));
        assert_eq!(read.unwrap().token, vec![1]);

        let mut read = Some(pb::ReadOptions { level: pb::ReadLevel::Linearizable as i32, ..Default::default() });
        assert_eq!(fill_read(&mut read, &defaults, &session), Demand::Nothing);
        assert_eq!(read.unwrap().level(), pb::ReadLevel::Linearizable);

        let mut read = Some(pb::ReadOptions { token: vec![9], ..Default::default() });
        assert_eq!(fill_read(&mut read, &defaults, &session), Demand::Nothing);
        assert_eq!(read.unwrap().token, vec![9]);

        session.carry(vec![2]);
        let mut read = None;
        assert_eq!(fill_read(&mut read, &defaults, &session), Demand::Newest(1));
        assert_eq!(read.unwrap().level(), pb::ReadLevel::Linearizable, "newer than both tokens");
    }
}
