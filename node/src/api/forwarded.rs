//! Calls that another node sent on: authorised again, with the caller that the node vouches for. Believed only over a
//! connection whose certificate is a node's; that check is the Raft port's.

use std::time::Duration;

use alert_core::{codec, pb};
use bytes::Bytes;
use prost::Message;
use tonic::{Code, Status};

use super::{
    backend::{Deadline, ForwardedCaller, Leadership},
    core::{Api, Operate, Route},
    errors::{ApiError, ErrorCode},
};
use crate::limits::CALL_DEADLINE_MAX;

/// The message that carries a call to the leader.
pub fn forward_request(
    method: &'static str,
    message: Bytes,
    caller: &ForwardedCaller,
    deadline: Deadline,
) -> pb::ForwardRequest {
    pb::ForwardRequest {
        method: method.into(),
        message,
        caller: codec::encode(caller).into(),
        deadline_ms: i64::try_from(deadline.saturating_duration_since(Deadline::now()).as_millis()).unwrap_or(i64::MAX),
    }
}

/// What the leader answered, on the node that sent the call on.
pub fn forward_answer(response: pb::ForwardResponse) -> Result<Bytes, Status> {
    match Code::from(i32::try_from(response.code).unwrap_or(Code::Unknown as i32)) {
        Code::Ok => Ok(response.message),
        code => Err(Status::with_details(code, response.error, response.error_details)),
    }
}

macro_rules! dispatch {
    ($api:ident, $request:ident, $peer:ident, $deadline:ident: $($message:ident)*) => {
        match $request.method.as_str() {
            $(method if method == <pb::$message as Operate>::OPERATION.method => {
                match pb::$message::decode($request.message) {
                    Ok(message) => $api.unary_from(*$peer, $deadline, message, Route::Forwarded).await
                        .map(|reply| Bytes::from(reply.encode_to_vec())),
                    Err(_) => Err(ApiError::new(ErrorCode::RequestInvalid, "the request does not decode").into()),
                }
            })*
            _ => Err(ApiError::new(ErrorCode::Unimplemented, "this call is not sent on").into()),
        }
    };
}

impl Api {
    /// Answers a call that another node sent on. Never sends it on again: if this node does not lead, it says so and
    /// the other node looks for the leader anew.
    pub async fn handle_forwarded(&self, request: pb::ForwardRequest) -> pb::ForwardResponse {
        let answer: Result<Bytes, Status> = match codec::decode::<ForwardedCaller>(&request.caller) {
            Err(_) => Err(ApiError::new(ErrorCode::Unauthenticated, "the caller does not decode").into()),
            Ok(_) if !matches!(*self.store().leadership().borrow(), Leadership::Me { .. }) => {
                Err(ApiError::plain(ErrorCode::NotLeader).into())
            }
            Ok(peer) => {
                let left = Duration::from_millis(u64::try_from(request.deadline_ms).unwrap_or(0));
                let deadline = Deadline::now() + left.min(CALL_DEADLINE_MAX);
                self.dispatch(request, Box::new(peer), deadline).await
            }
        };
        match answer {
            Ok(message) => pb::ForwardResponse { message, ..Default::default() },
            Err(status) => pb::ForwardResponse {
                code: status.code() as u32,
                error: status.message().into(),
                error_details: Bytes::copy_from_slice(status.details()),
                ..Default::default()
            },
        }
    }

    async fn dispatch(
        &self,
        request: pb::ForwardRequest,
        peer: Box<ForwardedCaller>,
        deadline: Deadline,
    ) -> Result<Bytes, Status> {
        dispatch! { self, request, peer, deadline:
            CreateRequest UpdateRequest SubmitRequest ApproveRequest RejectRequest ExtendRequest RestrictRequest
            LiftRestrictionRequest CancelRequest EraseRequest WithdrawConsentRequest LinkRequest UnlinkRequest
            TransferOwnerRequest ImportRequest AcknowledgeRequest ReportHitRequest AnswerHitRequest ConverseRequest
            PutAgreementRequest SuspendAgreementRequest ResumeAgreementRequest EndAgreementRequest PutRulesRequest
            PutAttachmentRequest
        }
    }
}

#[cfg(test)]
mod tests {
    use alert_core::alert::{Caller, Role};

    use super::*;

    #[test]
    fn bytes_of_a_forwarded_call_do_not_change() {
        let caller =
            Caller { country: "GB".into(), authority: "nca".into(), system: "desk".into(), role: Role::Bureau };
        let caller = ForwardedCaller { caller, certificate_serial: "0a1b".into() };
        let deadline = Deadline::now() + Duration::from_secs(5);
        let request = forward_request("/m", Bytes::from_static(b"xyz"), &caller, deadline);
        assert_eq!(request.caller[..], *b"\x01\x02GB\x03nca\x04desk\x02\x040a1b");
        assert_eq!(codec::decode::<ForwardedCaller>(&request.caller).unwrap(), caller);
        // The rest is a message of the contract, whose shape the stored descriptors keep.
        assert_eq!((request.method.as_str(), &request.message[..]), ("/m", &b"xyz"[..]));
        assert!((4_900..=5_000).contains(&request.deadline_ms), "{}", request.deadline_ms);
    }

    #[test]
    fn roles_keep_their_numbers() {
        let roles = [
            Role::Node,
            Role::Operator,
            Role::Bureau,
            Role::Search,
            Role::SearchOpen,
            Role::Partner,
            Role::Auditor,
            Role::Policy,
        ];
        for (role, number) in roles.into_iter().zip(0..) {
            assert_eq!(codec::encode(&role), [1, number], "{role:?}");
        }
    }
}
