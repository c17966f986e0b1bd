//! Which alerts are on the same subject: the ground of the rules on compatible categories.

use std::collections::BTreeSet;

use super::{
    identifier::{self, Identifier},
    index::key::{self, Head, NumberKey, Tail},
    normalise::number::NumberKind,
};
use crate::{
    alert::{AlertId, Partition, StoredAlert},
    pb,
    state::{View, ViewError, family::Family},
};

/// Numbers shorter than this are shared by chance.
const CHARS_MIN: usize = 5;
/// Most alerts that are compared for one number; the highest priority and newest first.
const SHARING_MAX: usize = 64;

/// Active alerts, whoever may see them, that whose subject shares a strong identifier with `alert`'s: a document, a national number, the
/// chassis of a vehicle, the serial number of a thing. Sorted by id; `alert` itself may be among them.
pub fn sharing_an_identifier(view: &dyn View, normaliser: u32, alert: &pb::Alert) -> Result<Vec<AlertId>, ViewError> {
    let mut sharing = BTreeSet::new();
    let mut cursor = None;
    for identifier in of_subject(alert).iter().filter(|identifier| is_strong(identifier)) {
        for partition in [Partition::Open, Partition::Covert] {
            let head = Head { normaliser, partition };
            let prefix = head.number(key::number_hash(NumberKey::Whole, &identifier.number));
            let mut listed = Vec::new();
            let cursor = cursor.get_or_insert_with(|| view.cursor(Family::Number));
            cursor.seek(&prefix, &prefix)?;
            while let Some((key, _)) = cursor.entry().filter(|_| listed.len() < SHARING_MAX) {
                listed.extend(Tail::of_key(Family::Number, key).map(|tail| tail.id));
                cursor.next()?;
            }
            for id in listed {
                if !sharing.contains(&id) && has(view, id, identifier)? {
                    sharing.insert(id);
                }
            }
        }
    }
    Ok(sharing.into_iter().collect())
}

/// The numbers of the alert's own subject: a car attached to a person's alert is not that alert's subject.
fn of_subject(alert: &pb::Alert) -> Vec<Identifier> {
    let kind = alert.core.as_ref().map_or(0, |core| core.subject_kind);
    if kind == pb::SubjectKind::Object as i32 {
        identifier::of_sections(None, alert.objects.as_ref())
    } else {
        identifier::of_sections(alert.identities.as_ref(), None)
    }
}

/// A plate goes from car to car, a registration and a payment account from hand to hand.
fn is_strong(identifier: &Identifier) -> bool {
    let weak = matches!(
        identifier.kind,
        NumberKind::Plate | NumberKind::Registration | NumberKind::PaymentMeans | NumberKind::Other
    );
    !weak && identifier.number.chars().count() >= CHARS_MIN
}

fn has(view: &dyn View, id: AlertId, wanted: &Identifier) -> Result<bool, ViewError> {
    let Some(bytes) = view.get(Family::Alerts, id.as_bytes())? else { return Ok(false) };
    let other = StoredAlert::decode(&bytes)?.to_alert()?;
    let makes_differ = |a: &str, b: &str| !a.is_empty() && !b.is_empty() && a != b;
    Ok(of_subject(&other).iter().any(|known| {
        known.kind == wanted.kind
            && known.number == wanted.number
            && !known.country.conflicts(wanted.country)
            && !makes_differ(&known.make, &wanted.make)
    }))
}
