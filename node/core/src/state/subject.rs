//! Which other alerts are on the same subject, and how an alert stands beside them.

use super::{Overlay, View, ViewError, family::Family};
use crate::{
    alert::{
        AlertId, RuleSet, StoredAlert,
        lifecycle::{Standing, standing},
    },
    pb, search,
};

/// How `alert` stands beside the other active alerts on its subject, and which these are. Two alerts are on the same
/// subject when they share a strong identifier: a document, a national number, a vehicle's or other serial number.
pub(super) fn standing_of(
    view: &Overlay<'_>,
    rules: &RuleSet,
    id: AlertId,
    alert: &pb::Alert,
) -> Result<(Standing, Vec<AlertId>), ViewError> {
    let (mut others, mut categories) = (Vec::new(), Vec::new());
    for other in search::sharing_an_identifier(view, rules.search_profile().normaliser_version, alert)? {
        if other == id {
            continue;
        }
        let Some(bytes) = view.get(Family::Alerts, other.as_bytes())? else { continue };
        let stored = StoredAlert::decode(&bytes)?;
        if stored.header.state == pb::AlertState::Active as i32 {
            others.push(other);
            categories.push(category(&stored.to_alert()?));
        }
    }
    Ok((standing(&category(alert), categories.iter().map(String::as_str), rules), others))
}

fn category(alert: &pb::Alert) -> String {
    let code = alert.core.as_ref().and_then(|core| core.category.as_ref());
    code.map(|code| code.value.clone()).unwrap_or_default()
}
