//! Receipts as callers hold them. Inside the cluster a receipt is the place of a record in a node's audit log; a partner
//! could read others' volumes from the gaps, so it gets the place sealed, each time differently and always as long.

use data_encoding::HEXLOWER;

use super::{
    backend::Receipt,
    call::Call,
    core::Api,
    errors::{ApiError, ApiResult},
    tokens::TokenKind,
};

/// Every place is sealed at this length, in bytes: what comes of it fits where a hit holds a receipt.
const PLACE_BYTES: usize = 80;

impl Api {
    /// The receipt as this caller gets it.
    pub(super) fn receipt_for(&self, call: &Call, receipt: &Receipt) -> String {
        if !call.is_partner() || receipt.0.is_empty() {
            return receipt.0.clone();
        }
        let place = format!("{:<PLACE_BYTES$}", receipt.0);
        HEXLOWER.encode(&self.sealer().seal(TokenKind::Receipt, &self.store().cluster(), place))
    }

    /// What a receipt that somebody holds stands for.
    pub(super) fn open_receipt(&self, field: &str, held: &str) -> ApiResult<Receipt> {
        let plain = Receipt(held.to_owned());
        if held.is_empty() || plain.place().is_some() {
            return Ok(plain);
        }
        let place = HEXLOWER
            .decode(held.as_bytes())
            .ok()
            .and_then(|sealed| self.sealer().open::<String>(TokenKind::Receipt, &self.store().cluster(), &sealed).ok());
        let receipt = place.map(|place| Receipt(place.trim_end().to_owned()));
        receipt.ok_or_else(|| ApiError::field(field, "MALFORMED", "no receipt of this store"))
    }

    /// The same for a receipt that the caller says it was given: a partner's is sealed.
    pub(super) fn receipt_from(&self, call: &Call, field: &str, held: &str) -> ApiResult<Receipt> {
        if call.is_partner() && Receipt(held.to_owned()).place().is_some() {
            return Err(ApiError::field(field, "MALFORMED", "no receipt of this store"));
        }
        self.open_receipt(field, held)
    }
}
