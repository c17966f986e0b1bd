//! Every public call: its path, its name in the audit log, who may make it, how fresh it reads. One table, asked before
//! anything else is looked at.

use alert_core::alert::{Caller, Role, UNITED_KINGDOM, party};

use super::{
    admission::Class,
    errors::{ApiError, ApiResult, ErrorCode},
};

/// What a call does to the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Reads at a level; the level when the caller names none.
    Read(DefaultLevel),
    /// Changes the store under a request id.
    Write,
    /// Changes the store, keyed by its content; no request id.
    KeyedWrite,
}

/// How fresh a read is when the caller does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DefaultLevel {
    /// Searches: one second.
    Bounded,
    /// Everything else.
    Linearizable,
}

/// One public call.
#[derive(Debug)]
pub struct Operation {
    /// Full method name.
    pub method: &'static str,
    /// In the audit log, in spans and metrics.
    pub name: &'static str,
    pub kind: Kind,
    /// Roles that may make it.
    pub roles: &'static [Role],
}

const READERS: &[Role] = &[Role::Bureau, Role::Search, Role::SearchOpen, Role::Partner];
const DOMESTIC: &[Role] = &[Role::Bureau, Role::Search, Role::SearchOpen];
const BUREAU: &[Role] = &[Role::Bureau];
const POLICY: &[Role] = &[Role::Policy];
const AUDITOR: &[Role] = &[Role::Auditor];
const RULE_READERS: &[Role] = &[Role::Policy, Role::Bureau, Role::Search, Role::SearchOpen];
const COUNTERS: &[Role] = &[Role::Bureau, Role::Policy];

macro_rules! operations {
    ($($(#[$doc:meta])* $variant:ident = $service:literal / $method:literal, $name:literal, $kind:expr, $roles:ident;)*) => {
        $(#[allow(missing_docs)]
        pub static $variant: Operation = Operation {
            method: concat!("/alertstore.v1.", $service, "/", $method),
            name: $name,
            kind: $kind,
            roles: $roles,
        };)*

        /// Every operation.
        #[cfg(test)]
        pub static ALL: &[&Operation] = &[$(&$variant,)*];
    };
}

const LINEARIZABLE: Kind = Kind::Read(DefaultLevel::Linearizable);
const BOUNDED: Kind = Kind::Read(DefaultLevel::Bounded);

operations! {
    VALIDATE = "AlertService"/"Validate", "validate", LINEARIZABLE, BUREAU;
    CHECK_DUPLICATES = "AlertService"/"CheckDuplicates", "check-duplicates", BOUNDED, BUREAU;
    CREATE = "AlertService"/"Create", "create", Kind::Write, BUREAU;
    UPDATE = "AlertService"/"Update", "update", Kind::Write, BUREAU;
    SUBMIT = "AlertService"/"Submit", "submit", Kind::Write, BUREAU;
    APPROVE = "AlertService"/"Approve", "approve", Kind::Write, BUREAU;
    REJECT = "AlertService"/"Reject", "reject", Kind::Write, BUREAU;
    EXTEND = "AlertService"/"Extend", "extend", Kind::Write, BUREAU;
    RESTRICT = "AlertService"/"Restrict", "restrict", Kind::Write, BUREAU;
    LIFT_RESTRICTION = "AlertService"/"LiftRestriction", "lift-restriction", Kind::Write, BUREAU;
    CANCEL = "AlertService"/"Cancel", "cancel", Kind::Write, BUREAU;
    ERASE = "AlertService"/"Erase", "erase", Kind::Write, BUREAU;
    WITHDRAW_CONSENT = "AlertService"/"WithdrawConsent", "withdraw-consent", Kind::Write, BUREAU;
    LINK = "AlertService"/"Link", "link", Kind::Write, BUREAU;
    UNLINK = "AlertService"/"Unlink", "unlink", Kind::Write, BUREAU;
    TRANSFER_OWNER = "AlertService"/"TransferOwner", "transfer-owner", Kind::Write, BUREAU;
    GET = "AlertService"/"Get", "get", LINEARIZABLE, READERS;
    LIST = "AlertService"/"List", "list", LINEARIZABLE, READERS;
    HISTORY = "AlertService"/"History", "history", LINEARIZABLE, DOMESTIC;
    DUE_FOR_REVIEW = "AlertService"/"DueForReview", "due-for-review", LINEARIZABLE, BUREAU;
    IMPORT = "AlertService"/"Import", "import", Kind::KeyedWrite, BUREAU;
    EXPORT = "AlertService"/"Export", "export", LINEARIZABLE, READERS;
    PUT_ATTACHMENT = "AlertService"/"PutAttachment", "put-attachment", Kind::Write, BUREAU;
    GET_ATTACHMENT = "AlertService"/"GetAttachment", "get-attachment", LINEARIZABLE, READERS;
    SEARCH = "SearchService"/"Search", "search", BOUNDED, READERS;
    SEARCH_BATCH = "SearchService"/"SearchBatch", "search-batch", BOUNDED, READERS;
    WATCH = "FeedService"/"Watch", "watch", LINEARIZABLE, READERS;
    ACKNOWLEDGE = "FeedService"/"Acknowledge", "acknowledge-feed", Kind::Write, READERS;
    REPORT_HIT = "HitService"/"Report", "report-hit", Kind::Write, READERS;
    ANSWER_HIT = "HitService"/"Answer", "answer-hit", Kind::Write, BUREAU;
    CONVERSE = "HitService"/"Converse", "converse-hit", Kind::Write, READERS;
    GET_HIT = "HitService"/"Get", "get-hit", LINEARIZABLE, READERS;
    LIST_HITS = "HitService"/"List", "list-hits", LINEARIZABLE, READERS;
    PUT_AGREEMENT = "AgreementService"/"Put", "put-agreement", Kind::Write, POLICY;
    GET_AGREEMENT = "AgreementService"/"Get", "get-agreement", LINEARIZABLE, POLICY;
    LIST_AGREEMENTS = "AgreementService"/"List", "list-agreements", LINEARIZABLE, POLICY;
    SUSPEND_AGREEMENT = "AgreementService"/"Suspend", "suspend-agreement", Kind::Write, POLICY;
    RESUME_AGREEMENT = "AgreementService"/"Resume", "resume-agreement", Kind::Write, POLICY;
    END_AGREEMENT = "AgreementService"/"End", "end-agreement", Kind::Write, POLICY;
    PUT_RULES = "RuleService"/"Put", "put-rules", Kind::Write, POLICY;
    GET_RULES = "RuleService"/"Get", "get-rules", LINEARIZABLE, RULE_READERS;
    WHO_SAW = "AuditService"/"WhoSaw", "who-saw", LINEARIZABLE, AUDITOR;
    WHAT_DID_ASK = "AuditService"/"WhatDidAsk", "what-did-ask", LINEARIZABLE, AUDITOR;
    VERIFY_AUDIT = "AuditService"/"Verify", "verify-audit", LINEARIZABLE, AUDITOR;
    AUDIT_ANCHORS = "AuditService"/"Anchors", "audit-anchors", LINEARIZABLE, AUDITOR;
    STATISTICS = "StatisticsService"/"Report", "statistics", LINEARIZABLE, COUNTERS;
}

impl Operation {
    /// Refuses a caller whose role does not open this call.
    pub fn permit(&self, caller: &Caller) -> ApiResult<()> {
        let domestic_roles = [Role::Bureau, Role::Search, Role::SearchOpen];
        if domestic_roles.contains(&caller.role) && party::canonical(&caller.country) != UNITED_KINGDOM {
            return Err(refusal("a caller from abroad calls with a certificate of role partner, under an agreement"));
        }
        if self.roles.contains(&caller.role) {
            return Ok(());
        }
        Err(refusal(match caller.role {
            Role::Node => "a node's certificate opens the Raft port and no client service".into(),
            Role::Operator => "an operator runs nodes and reads no alert: this call needs another role".into(),
            Role::Auditor => "an auditor reads the audit log and nothing else".into(),
            Role::Policy => format!("the policy role keeps agreements and rules; '{}' is not open to it", self.name),
            Role::Partner => format!("'{}' is not open to partners", self.name),
            role => format!("'{}' is not open to the role {}", self.name, role.name()),
        }))
    }

    /// Among which streams it counts, if it is one that reads.
    pub fn stream_class(&self) -> Option<Class> {
        match self.kind {
            Kind::Read(_) if self.name == SEARCH_BATCH.name => Some(Class::Batch),
            Kind::Read(_) => Some(Class::Feed),
            Kind::Write | Kind::KeyedWrite => None,
        }
    }

    /// True when the call carries a request id.
    pub fn needs_request_id(&self) -> bool {
        self.kind == Kind::Write
    }
}

fn refusal(message: impl Into<String>) -> Box<ApiError> {
    ApiError::new(ErrorCode::NotPermitted, message)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use prost::Message;

    use super::*;

    fn caller(country: &str, role: Role) -> Caller {
        Caller { country: country.into(), authority: "a".into(), system: "s".into(), role }
    }

    /// Calls of nodes and operators, and the question where the nodes are: none of them reads or changes a record, and
    /// none carries a context.
    const APART: [&str; 3] = ["RaftService", "ClusterService", "TopologyService"];

    fn contract() -> prost_types::FileDescriptorSet {
        prost_types::FileDescriptorSet::decode(alert_proto::DESCRIPTOR_SET).unwrap()
    }

    #[test]
    fn every_public_call_of_the_contract_is_in_the_table() {
        let declared: BTreeSet<String> = contract()
            .file
            .iter()
            .flat_map(|file| &file.service)
            .filter(|service| !APART.contains(&service.name()))
            .flat_map(|service| {
                service.method.iter().map(|method| format!("/alertstore.v1.{}/{}", service.name(), method.name()))
            })
            .collect();
        assert_eq!(declared, ALL.iter().map(|operation| operation.method.to_string()).collect());
    }

    #[test]
    fn every_public_request_has_a_context_and_every_answer_says_where_it_comes_from() {
        let contract = contract();
        let has = |message: &str, field: &str, kind: &str| {
            let mut messages = contract.file.iter().flat_map(|file| &file.message_type);
            let name = message.rsplit('.').next().unwrap();
            let message = messages.find(|message| message.name() == name).unwrap();
            message.field.iter().any(|one| one.name() == field && one.type_name() == kind)
        };
        let services = contract.file.iter().flat_map(|file| &file.service);
        for service in services.filter(|service| !APART.contains(&service.name())) {
            for method in &service.method {
                let call = format!("{}/{}", service.name(), method.name());
                assert!(has(method.input_type(), "context", ".alertstore.v1.CallContext"), "{call} without a context");
                assert!(
                    has(method.output_type(), "answer", ".alertstore.v1.AnswerContext"),
                    "{call} without an answer"
                );
            }
        }
    }

    #[test]
    fn an_operator_an_auditor_and_a_node_open_no_call_on_alerts() {
        for operation in ALL.iter().filter(|operation| operation.method.contains("AlertService")) {
            for role in [Role::Operator, Role::Auditor, Role::Node, Role::Policy] {
                assert!(operation.permit(&caller("GB", role)).is_err(), "{} {role:?}", operation.name);
            }
        }
    }

    #[test]
    fn partners_open_what_they_may_and_no_more() {
        let open: Vec<_> =
            ALL.iter().filter(|o| o.permit(&caller("FR", Role::Partner)).is_ok()).map(|o| o.name).collect();
        assert_eq!(
            open,
            [
                "get",
                "list",
                "export",
                "get-attachment",
                "search",
                "search-batch",
                "watch",
                "acknowledge-feed",
                "report-hit",
                "converse-hit",
                "get-hit",
                "list-hits"
            ]
        );
    }

    #[test]
    fn a_foreign_bureau_is_no_bureau_here() {
        assert!(SEARCH.permit(&caller("FR", Role::Bureau)).is_err());
        assert!(SEARCH.permit(&caller("GB", Role::Bureau)).is_ok());
    }
}
