//! Search, and how far a partner's copy is.

use crate::call::calls;

calls! { search_service_client::SearchServiceClient {
    /// Ranked candidates. The `search_id` stays the same over all attempts: one record in the audit log.
    read search(SearchRequest) -> SearchResponse = search;
} }

calls! { feed_service_client::FeedServiceClient {
    /// Records how far the caller's copy is: proof of the sharing timescale.
    write acknowledge(AcknowledgeRequest) -> AcknowledgeResponse = acknowledge;
} }
