//! Agreements, rules and volumes.

use crate::call::calls;

calls! { agreement_service_client::AgreementServiceClient {
    /// Makes an agreement or a new version of one.
    write put_agreement(PutAgreementRequest) -> AgreementResponse = put;
    /// One agreement.
    read agreement(GetAgreementRequest) -> AgreementResponse = get;
    /// Every agreement.
    read agreements(ListAgreementsRequest) -> ListAgreementsResponse = list;
    /// Suspends an agreement at once: no node serves under it later than 1 s after the acknowledgement.
    write suspend_agreement(SuspendAgreementRequest) -> AgreementResponse = suspend;
    /// Lets a suspended agreement work again.
    write resume_agreement(ResumeAgreementRequest) -> AgreementResponse = resume;
    /// Ends an agreement for good, with the partner's proof that its copies are purged.
    write end_agreement(EndAgreementRequest) -> AgreementResponse = end;
} }

calls! { rule_service_client::RuleServiceClient {
    /// Puts a new version of one kind of rules.
    write put_rules(PutRulesRequest) -> RulesResponse = put;
    /// The rules of one kind.
    read rules(GetRulesRequest) -> RulesResponse = get;
} }

calls! { statistics_service_client::StatisticsServiceClient {
    /// Volumes: alerts and hits by category.
    read statistics(StatisticsRequest) -> StatisticsResponse = report;
} }
