//! Hits, and the conversation about them.

use crate::call::calls;

calls! { hit_service_client::HitServiceClient {
    /// Reports what became of a candidate.
    write report_hit(ReportHitRequest) -> HitResponse = report;
    /// The owner's answer to a hit.
    write answer_hit(AnswerHitRequest) -> HitResponse = answer;
    /// A message about a hit, from either side.
    write converse(ConverseRequest) -> HitResponse = converse;
    /// One hit with its conversation.
    read hit(GetHitRequest) -> HitResponse = get;
    /// A page of hits.
    read hits(ListHitsRequest) -> ListHitsResponse = list;
} }
