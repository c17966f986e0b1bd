//! The life of an alert.

use crate::call::calls;

calls! { alert_service_client::AlertServiceClient {
    /// All faults of a record at once; changes nothing.
    read validate(ValidateRequest) -> ValidateResponse = validate;
    /// Alerts that may be about the same subject. Warns, never blocks.
    read check_duplicates(CheckDuplicatesRequest) -> CheckDuplicatesResponse = check_duplicates;
    /// Creates an alert; the store assigns its id.
    write create(CreateRequest) -> WriteResponse = create;
    /// Replaces an alert's content sections; `VERSION_CONFLICT` when `expected_version` is not the current one.
    write update(UpdateRequest) -> WriteResponse = update;
    /// Hands a draft in for review.
    write submit(SubmitRequest) -> WriteResponse = submit;
    /// Approves an alert under review.
    write approve(ApproveRequest) -> WriteResponse = approve;
    /// Sends an alert under review back.
    write reject(RejectRequest) -> WriteResponse = reject;
    /// Extends an alert after a review.
    write extend(ExtendRequest) -> WriteResponse = extend;
    /// Suspends, blocks or flags an alert, in some territories or in all.
    write restrict(RestrictRequest) -> WriteResponse = restrict;
    /// Lifts a restriction.
    write lift_restriction(LiftRestrictionRequest) -> WriteResponse = lift_restriction;
    /// Ends an alert: what stays is a tombstone without personal data, and its history for those who audit.
    write cancel(CancelRequest) -> WriteResponse = cancel;
    /// Removes an alert and its history everywhere.
    write erase(EraseRequest) -> WriteResponse = erase;
    /// Withdraws a victim's consent to the keeping of their data.
    write withdraw_consent(WithdrawConsentRequest) -> WriteResponse = withdraw_consent;
    /// Links two alerts.
    write link(LinkRequest) -> LinkResponse = link;
    /// Removes a link.
    write unlink(UnlinkRequest) -> WriteResponse = unlink;
    /// Hands an alert over to another owner.
    write transfer_owner(TransferOwnerRequest) -> WriteResponse = transfer_owner;
    /// One full record: step two of a search, logged on its own.
    read get(GetRequest) -> GetResponse = get;
    /// A page of records.
    read list(ListRequest) -> ListResponse = list;
    /// Every version of an alert that is kept.
    read history(HistoryRequest) -> HistoryResponse = history;
    /// Alerts that end soon unless they are extended.
    read due_for_review(DueForReviewRequest) -> ListResponse = due_for_review;
} }
