//! Alerts on the same subject, as far as numbers say.

use std::collections::BTreeSet;

use super::{
    identifier::{self, Identifier},
    index::key::{Head, NumberKey, Tail, number_hash},
    normalise::number::NumberKind,
};
use crate::{
    alert::{AlertId, Partition, StoredAlert},
    pb,
    state::{View, ViewError, family::Family, scan_prefix},
};

/// Numbers that belong to one person or thing alone.
const STRONG: [NumberKind; 9] = [
    NumberKind::Document,
    NumberKind::NationalNumber,
    NumberKind::OrganisationNumber,
    NumberKind::Vin,
    NumberKind::Plate,
    NumberKind::Imo,
    NumberKind::Hull,
    NumberKind::Container,
    NumberKind::Banknote,
];

/// Active alerts, in either partition, whose subject has a strong number that `alert`'s subject has too, of one kind and
/// without a conflict of country. Sorted by id. A car attached to a person's alert is not that alert's subject.
pub fn sharing_an_identifier(view: &dyn View, normaliser: u32, alert: &pb::Alert) -> Result<Vec<AlertId>, ViewError> {
    let own = subject_numbers(alert);
    let mut possible = BTreeSet::new();
    for identifier in &own {
        for partition in [Partition::Open, Partition::Covert] {
            let prefix = Head { normaliser, partition }.number(number_hash(NumberKey::Whole, &identifier.number));
            scan_prefix(view, Family::Exact, &prefix, |key, _| {
                possible.extend(Tail::of_key(key).map(|tail| tail.id));
                Ok(true)
            })?;
        }
    }
    let mut sharing = Vec::new();
    for id in possible {
        let Some(bytes) = view.get(Family::Alerts, id.as_bytes())? else { continue };
        let other = StoredAlert::decode(&bytes).and_then(|stored| stored.to_alert()).map_err(ViewError::from)?;
        if subject_numbers(&other).iter().any(|theirs| own.iter().any(|ours| same(ours, theirs))) {
            sharing.push(id);
        }
    }
    Ok(sharing)
}

fn subject_numbers(alert: &pb::Alert) -> Vec<Identifier> {
    let kind = alert.core.as_ref().map_or(0, |core| core.subject_kind);
    let mut numbers = if kind == pb::SubjectKind::Object as i32 {
        identifier::of_sections(None, alert.objects.as_ref())
    } else {
        identifier::of_sections(alert.identities.as_ref(), None)
    };
    numbers.retain(|identifier| STRONG.contains(&identifier.kind) && identifier.range_to.is_none());
    numbers
}

fn same(a: &Identifier, b: &Identifier) -> bool {
    a.kind == b.kind && a.number == b.number && !a.country.conflicts(b.country)
}
