//! Records on their way out: found, decided about by the one visibility function, cut down to the viewer's rights.

use alert_core::{
    alert::{AlertId, Header, RecordError, Sight, StoredAlert, redact, time::from_ms},
    pb,
    state::{View, family::Family, read_links_of},
};
use prost::Message;

use super::{
    caches::Labels,
    core::Api,
    errors::{ApiError, ApiResult},
    reading::Reading,
};

impl From<RecordError> for Box<ApiError> {
    fn from(error: RecordError) -> Self {
        ApiError::internal(error)
    }
}

/// A record that a viewer sees.
pub struct Seen {
    pub id: AlertId,
    pub sight: Sight,
    pub stored: StoredAlert,
}

/// The id of an alert in a request.
pub fn parse_id(field: &str, text: &str) -> ApiResult<AlertId> {
    if text.is_empty() {
        return Err(ApiError::field(field, "REQUIRED", "the id of the record"));
    }
    text.parse().map_err(|_| ApiError::field(field, "MALFORMED", "not a hyphenated UUID"))
}

impl Api {
    /// Labels as the reading's state knows them.
    pub(super) fn labels<'a>(&'a self, reading: &'a Reading) -> Labels<'a> {
        self.caches().labels(self.store().cluster().epoch, &*reading.handle.view)
    }

    /// The current version of an alert, if the viewer sees it. A hidden one answers as a missing one.
    pub(super) fn find(&self, reading: &Reading, id: AlertId) -> ApiResult<Option<Seen>> {
        let Some(bytes) = reading.handle.view.get(Family::Alerts, id.as_bytes())? else { return Ok(None) };
        let header = StoredAlert::decode_header(&bytes)?;
        match self.sight(reading, &header)? {
            Sight::Hidden => Ok(None),
            sight => Ok(Some(Seen { id, sight, stored: StoredAlert::decode(&bytes)? })),
        }
    }

    /// The same, or the error that says neither which.
    pub(super) fn find_or_refuse(&self, reading: &Reading, id: AlertId) -> ApiResult<Seen> {
        self.find(reading, id)?.ok_or_else(|| ApiError::not_found("alert"))
    }

    /// What the viewer may see of a version with this header.
    pub(super) fn sight(&self, reading: &Reading, header: &Header) -> ApiResult<Sight> {
        let label = self.labels(reading).get(header.label)?;
        Ok(reading.viewer.sight(&label))
    }

    /// The record as the viewer may have it.
    pub(super) fn record(&self, reading: &Reading, seen: &Seen) -> ApiResult<pb::AlertRecord> {
        let Seen { id, sight, stored } = seen;
        let redacted = redact(&stored.alert, *sight, &reading.viewer, &reading.rules, reading.now_ms)?
            .ok_or_else(|| ApiError::not_found("alert"))?;
        let mut alert = pb::Alert::decode(redacted.alert.as_slice())
            .map_err(|error| ApiError::internal(format!("record {id}: {error}")))?;
        alert.id = id.to_string();
        Ok(pb::AlertRecord {
            info: Some(info(reading, *id, &stored.header)),
            alert: Some(alert),
            sections_withheld: redacted.withheld.into_iter().map(Into::into).collect(),
        })
    }

    /// The links of an alert of which the viewer sees both sides.
    pub(super) fn links(&self, reading: &Reading, id: AlertId) -> ApiResult<Vec<pb::Link>> {
        let mut seen = Vec::new();
        for link in read_links_of(&*reading.handle.view, id)? {
            let sides = [&link.alert_a, &link.alert_b].map(|side| side.parse::<AlertId>());
            let mut both = true;
            for side in sides {
                both &= match side {
                    Ok(side) => side == id || self.find(reading, side)?.is_some(),
                    Err(_) => false,
                };
            }
            if both {
                seen.push(link);
            }
        }
        Ok(seen)
    }
}

fn info(reading: &Reading, id: AlertId, header: &Header) -> pb::RecordInfo {
    pb::RecordInfo {
        id: id.to_string(),
        state: header.state,
        version: header.version,
        // Gaps would tell a partner of changes that it may not see.
        revision: if reading.agreement.is_some() { 0 } else { header.revision },
        created_at: Some(from_ms(header.created_at_ms)),
        changed_at: Some(from_ms(header.changed_at_ms)),
    }
}

/// A record that was given out, for the audit log.
pub fn given(id: AlertId, version: u64) -> pb::AuditDisclosure {
    pb::AuditDisclosure { alert_id: id.to_string(), version, what: "record".into() }
}

/// Encoded size of a record, to keep answers below the message limit.
pub fn size(record: &pb::AlertRecord) -> usize {
    record.encoded_len()
}

/// All records of one state by id, from after `after`.
pub fn scan_alerts(
    view: &dyn View,
    after: Option<AlertId>,
    mut visit: impl FnMut(AlertId, &[u8]) -> ApiResult<bool>,
) -> ApiResult<()> {
    let mut cursor = view.cursor(Family::Alerts);
    let from = after.map(|after| after.as_bytes().to_vec()).unwrap_or_default();
    cursor.seek(&from, b"")?;
    while let Some((key, value)) = cursor.entry() {
        let id = AlertId::from_slice(key).ok_or_else(|| ApiError::internal("a key of family 'alerts' is no id"))?;
        if Some(id) != after && !visit(id, value)? {
            break;
        }
        cursor.next()?;
    }
    Ok(())
}
