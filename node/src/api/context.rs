//! The context that every public call carries, checked whole: all faults at once.

use alert_core::{
    alert::{AlertId, Caller, Role},
    pb,
};
use prost::Message;

use super::{
    errors::{ApiError, ApiResult, ErrorCode, fault},
    operations::Operation,
};
use crate::limits::CONTEXT_TEXT_BYTES_MAX;

/// The code list that `CallContext.purpose` comes from.
const PURPOSE_LIST: &str = "purpose";

/// A context that was found complete.
#[derive(Debug, Clone, PartialEq)]
pub struct Context {
    /// The same over retries and hedges of one question.
    pub search_id: AlertId,
    /// (session, sequence), where the call carries one.
    pub request: Option<([u8; 16], u64)>,
    /// As the caller sent it.
    pub message: pb::CallContext,
}

impl Context {
    /// Checks `context` for `caller` and `operation`.
    pub fn check(operation: &Operation, caller: &Caller, context: Option<pb::CallContext>) -> ApiResult<Self> {
        let Some(message) = context else {
            let missing = fault("context", "REQUIRED", "every call carries a context: who asks, for whom, and why");
            return Err(ApiError::faulty(ErrorCode::ContextInvalid, vec![missing]));
        };
        let mut faults = Vec::new();
        let mut required = |field: &str, what: &str| {
            faults.push(fault(format!("context.{field}"), "REQUIRED", what));
        };

        let search_id = message.search_id.parse::<AlertId>();
        if message.search_id.is_empty() {
            required("search_id", "a UUID chosen by the caller, the same over retries of one question");
        }
        if message.officer_ref.trim().is_empty() {
            required("officer_ref", "the officer or system behind the call");
        }
        let purpose = message.purpose.clone().unwrap_or_default();
        if purpose.value.is_empty() {
            required("purpose", "a code of the list 'purpose'");
        }
        if caller.role == Role::Partner && message.agreement_id.is_empty() {
            required("agreement_id", "partners call under an agreement");
        }
        if operation.needs_request_id() && message.request_id.is_none() {
            required("request_id", "a change carries a request id, so that a retry has one effect");
        }

        if !message.search_id.is_empty() && search_id.is_err() {
            faults.push(fault("context.search_id", "MALFORMED", "not a hyphenated UUID"));
        }
        if !purpose.value.is_empty() && !purpose.list.is_empty() && purpose.list != PURPOSE_LIST {
            faults.push(fault("context.purpose.list", "WRONG_LIST", "the purpose comes from the list 'purpose'"));
        }
        let request = message.request_id.as_ref().map(|id| (<[u8; 16]>::try_from(id.session.as_slice()), id.sequence));
        if let Some((session, sequence)) = &request {
            if session.is_err() {
                faults.push(fault("context.request_id.session", "MALFORMED", "16 random bytes"));
            }
            if *sequence == 0 {
                faults.push(fault("context.request_id.sequence", "OUT_OF_RANGE", "begins at 1"));
            }
        }
        for (field, text) in [
            ("on_behalf_of", &message.on_behalf_of),
            ("officer_ref", &message.officer_ref),
            ("purpose.value", &purpose.value),
            ("case_ref", &message.case_ref),
            ("justification", &message.justification),
            ("agreement_id", &message.agreement_id),
        ] {
            if text.len() > CONTEXT_TEXT_BYTES_MAX {
                let limit = format!("at most {CONTEXT_TEXT_BYTES_MAX} bytes");
                faults.push(fault(format!("context.{field}"), "TOO_LONG", limit));
            }
        }

        match (search_id, faults.is_empty()) {
            (Ok(search_id), true) => {
                let request = request.and_then(|(session, sequence)| Some((session.ok()?, sequence)));
                Ok(Self { search_id, request, message })
            }
            _ => Err(ApiError::faulty(ErrorCode::ContextInvalid, faults)),
        }
    }
}

/// A request that carries a context. `Default` and `Message` let a forwarded one be decoded.
pub trait PublicRequest: Message + Default + Clone + 'static {
    /// Takes the context out: what is left is what was asked.
    fn take_context(&mut self) -> Option<pb::CallContext>;

    /// Puts it back, to send the call on.
    fn set_context(&mut self, context: pb::CallContext);

    /// What the audit log keeps of the request (without its context) when that is not the whole: content of records
    /// and messages is left out, so that an erasure does not leave it there.
    fn for_audit(&self) -> Option<Vec<u8>> {
        None
    }
}

macro_rules! public_requests {
    ($($request:ident $($keep:expr)?;)*) => {
        $(impl PublicRequest for pb::$request {
            fn take_context(&mut self) -> Option<pb::CallContext> {
                self.context.take()
            }

            fn set_context(&mut self, context: pb::CallContext) {
                self.context = Some(context);
            }

            $(fn for_audit(&self) -> Option<Vec<u8>> {
                let keep: fn(&Self) -> Self = $keep;
                Some(keep(self).encode_to_vec())
            })?
        })*
    };
}

public_requests! {
    ValidateRequest |asked| Self { alert: strip(&asked.alert), ..Self::default() };
    CheckDuplicatesRequest;
    CreateRequest |asked| Self { alert: strip(&asked.alert), as_draft: asked.as_draft, ..Self::default() };
    UpdateRequest |asked| {
        let expected_version = asked.expected_version;
        Self { alert: strip(&asked.alert), expected_version, ..Self::default() }
    };
    SubmitRequest;
    ApproveRequest;
    RejectRequest;
    ExtendRequest;
    RestrictRequest;
    LiftRestrictionRequest;
    CancelRequest;
    EraseRequest;
    WithdrawConsentRequest;
    LinkRequest;
    UnlinkRequest;
    TransferOwnerRequest;
    GetRequest;
    ListRequest;
    HistoryRequest;
    DueForReviewRequest;
    ImportRequest |asked| {
        let line = |line: &pb::ImportLine| pb::ImportLine { line: line.line, alert: strip(&line.alert) };
        Self { lines: asked.lines.iter().map(line).collect(), ..Self::default() }
    };
    ExportRequest;
    PutAttachmentRequest |asked| Self { chunk: Vec::new(), ..asked.clone() };
    GetAttachmentRequest;
    SearchRequest;
    SearchBatchRequest;
    WatchRequest;
    AcknowledgeRequest;
    ReportHitRequest |asked| {
        let hit = asked.hit.clone().map(|hit| pb::Hit { report: None, ..hit });
        Self { hit, ..Self::default() }
    };
    AnswerHitRequest |asked| Self { hit_id: asked.hit_id.clone(), ..Self::default() };
    ConverseRequest |asked| Self { hit_id: asked.hit_id.clone(), ..Self::default() };
    GetHitRequest;
    ListHitsRequest;
    PutAgreementRequest;
    GetAgreementRequest;
    ListAgreementsRequest;
    SuspendAgreementRequest;
    ResumeAgreementRequest;
    EndAgreementRequest;
    PutRulesRequest;
    GetRulesRequest;
    WhoSawRequest;
    WhatDidAskRequest;
    VerifyAuditRequest;
    AuditAnchorsRequest;
    StatisticsRequest;
}

/// Of a record only which one it is.
fn strip(alert: &Option<pb::Alert>) -> Option<pb::Alert> {
    let alert = alert.as_ref()?;
    let source = alert.core.as_ref().and_then(|core| core.source.clone());
    let core = source.map(|source| pb::Core { source: Some(source), ..Default::default() });
    Some(pb::Alert { id: alert.id.clone(), core, ..Default::default() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::operations;

    fn caller(role: Role) -> Caller {
        Caller { country: "GB".into(), authority: "met".into(), system: "s".into(), role }
    }

    fn complete() -> pb::CallContext {
        pb::CallContext {
            search_id: "0190b0a2-7c3d-7000-8000-000000000001".into(),
            officer_ref: "PC 1".into(),
            purpose: Some(pb::Code { list: "purpose".into(), value: "border-control".into() }),
            ..Default::default()
        }
    }

    fn paths(result: ApiResult<Context>) -> Vec<String> {
        result.unwrap_err().faults.into_iter().map(|fault| fault.field_path).collect()
    }

    #[test]
    fn a_missing_context_is_refused() {
        assert_eq!(paths(Context::check(&operations::SEARCH, &caller(Role::Search), None)), ["context"]);
    }

    #[test]
    fn all_faults_of_a_context_come_at_once() {
        let empty = Some(pb::CallContext::default());
        assert_eq!(
            paths(Context::check(&operations::REPORT_HIT, &caller(Role::Partner), empty)),
            [
                "context.search_id",
                "context.officer_ref",
                "context.purpose",
                "context.agreement_id",
                "context.request_id"
            ]
        );
    }

    #[test]
    fn a_request_id_is_sixteen_bytes_and_a_number_above_zero() {
        let mut context = complete();
        context.request_id = Some(pb::RequestId { session: vec![1; 15], sequence: 0 });
        assert_eq!(
            paths(Context::check(&operations::CREATE, &caller(Role::Bureau), Some(context.clone()))),
            ["context.request_id.session", "context.request_id.sequence"]
        );
        context.request_id = Some(pb::RequestId { session: vec![1; 16], sequence: 1 });
        let checked = Context::check(&operations::CREATE, &caller(Role::Bureau), Some(context)).unwrap();
        assert_eq!(checked.request, Some(([1; 16], 1)));
    }

    #[test]
    fn a_read_needs_no_request_id() {
        assert!(Context::check(&operations::SEARCH, &caller(Role::Search), Some(complete())).is_ok());
    }
}
