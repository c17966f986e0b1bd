//! Who saw what, and why. Each node keeps a log of its own: name the node with
//! [`AlertClient::at_node`](crate::AlertClient::at_node).

use crate::call::calls;

calls! { audit_service_client::AuditServiceClient {
    /// Every record given out of one alert.
    ask who_saw(WhoSawRequest) -> AuditRecords = who_saw;
    /// Everything that one caller asked.
    ask what_did_ask(WhatDidAskRequest) -> AuditRecords = what_did_ask;
    /// Checks the chain of one node's log.
    ask verify_audit(VerifyAuditRequest) -> VerifyAuditResponse = verify;
    /// What the cluster remembers of the nodes' logs: for a check of files that no node takes part in.
    read audit_anchors(AuditAnchorsRequest) -> AuditAnchorsResponse = anchors;
} }
