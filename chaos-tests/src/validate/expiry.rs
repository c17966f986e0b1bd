//! Alerts that end by themselves: never before their time, and not long after it.

use std::collections::BTreeMap;

use alert_core::{
    alert::{AlertId, StoredAlert, time::field_ms},
    pb,
    state::{MemoryView, Meta, View, family::Family},
};

use super::Findings;

/// A cluster that is well ends what is due within this.
const ENDS_WITHIN_MS: u64 = 5_000;

/// When the alerts in force end, as the log is gone through.
#[derive(Default)]
pub(super) struct Expiries {
    ends_ms: BTreeMap<AlertId, u64>,
    ended: u64,
}

impl Expiries {
    /// A change of an alert was applied, when no clock could show a later time than `latest_ms`.
    pub fn changed(&mut self, view: &MemoryView, id: AlertId, latest_ms: u64, at_us: u64, findings: &mut Findings) {
        let due_ms = self.ends_ms.remove(&id);
        let Ok(Some(bytes)) = view.get(Family::Alerts, id.as_bytes()) else { return };
        let Ok(stored) = StoredAlert::decode(&bytes) else { return };
        if stored.header.state == pb::AlertState::Active as i32 {
            let lifecycle = stored.to_alert().ok().and_then(|alert| alert.lifecycle).unwrap_or_default();
            self.ends_ms.extend(field_ms(&lifecycle.expires_at).map(|ends_ms| (id, ends_ms)));
        } else if stored.header.state == pb::AlertState::Expired as i32
            && let Some(due_ms) = due_ms
        {
            self.ended += 1;
            findings.checked += 1;
            let now_ms = Meta::read(view).map_or(0, |meta| meta.time_ms).min(latest_ms);
            if now_ms < due_ms {
                let what = format!("alert {id} ended {} ms before its time", due_ms - now_ms);
                findings.violation("nothing expires early", at_us, what);
            }
        }
    }

    /// At the end of a run in which the cluster was well.
    pub fn all_ended(&self, now_ms: u64, at_us: u64, findings: &mut Findings) {
        findings.checked += self.ends_ms.len() as u64;
        for (id, ends_ms) in self.ends_ms.iter().filter(|(_, ends_ms)| **ends_ms + ENDS_WITHIN_MS < now_ms) {
            let what = format!("alert {id} is in force {} ms after its end", now_ms - ends_ms);
            findings.violation("what has come to its end is ended", at_us, what);
        }
    }

    /// Alerts that ended by themselves.
    pub fn ended(&self) -> u64 {
        self.ended
    }
}

#[cfg(test)]
mod tests {
    use alert_core::{
        alert::{Caller, Role},
        state::{
            Caches, apply,
            command::{Batch, Command, Proposal},
            founding,
        },
    };
    use prost::Message;

    use super::*;
    use crate::{traffic::clients::record, validate::Verdict};

    const CREATED_MS: u64 = 1_790_000_000_000;
    const ENDS_MS: u64 = CREATED_MS + 3_000;

    fn id() -> AlertId {
        AlertId::from_bytes([7; 16])
    }

    fn apply_at(view: &mut MemoryView, proposed_at_ms: u64, command: Command) {
        let (country, authority, system) = ("GB".into(), "nca".into(), "sim".into());
        let caller = Some(Caller { country, authority, system, role: Role::Bureau });
        let proposals = vec![Proposal { caller, request: None, rules_revision: 0, command }];
        let effects = apply(view, &mut Caches::default(), &[Batch { proposed_at_ms, proposals }]).unwrap();
        assert!(effects.answers[0][0].is_ok(), "{:?}", effects.answers);
        view.write(effects.writes);
    }

    /// An alert that ends by itself, at `applied_ms` by the clocks, while no clock shows more than `latest_ms`.
    fn ended(applied_ms: u64, latest_ms: u64) -> (Findings, u64) {
        let (mut view, mut expiries, mut findings) = (MemoryView::default(), Expiries::default(), Findings::default());
        apply_at(&mut view, CREATED_MS, founding());
        let alert = record(1, 1, false, Some(ENDS_MS)).encode_to_vec();
        apply_at(&mut view, CREATED_MS, Command::Create { id: id(), alert, as_draft: false });
        expiries.changed(&view, id(), CREATED_MS, 0, &mut findings);
        apply_at(&mut view, applied_ms, Command::Due);
        expiries.changed(&view, id(), latest_ms, 1, &mut findings);
        expiries.all_ended(applied_ms, 2, &mut findings);
        (findings, expiries.ended())
    }

    #[test]
    fn an_alert_ends_when_its_time_has_come_and_no_earlier() {
        let (findings, count) = ended(ENDS_MS, ENDS_MS);
        assert_eq!((findings.verdict(), count), (Verdict::Held, 1));
        let (findings, _) = ended(ENDS_MS, ENDS_MS - 1);
        assert_eq!(findings.verdict(), Verdict::Violated, "by a clock that no node had");
    }

    #[test]
    fn an_alert_is_not_in_force_long_after_its_end() {
        let (mut expiries, mut findings) = (Expiries::default(), Findings::default());
        expiries.ends_ms.insert(id(), ENDS_MS);
        expiries.all_ended(ENDS_MS + ENDS_WITHIN_MS, 1, &mut findings);
        assert_eq!(findings.verdict(), Verdict::Held);
        expiries.all_ended(ENDS_MS + ENDS_WITHIN_MS + 1, 1, &mut findings);
        assert_eq!(findings.verdict(), Verdict::Violated);
    }
}
