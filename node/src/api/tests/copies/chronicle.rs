//! The record of what the feed held, against which every copy is checked.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
};

use alert_core::{
    alert::{Label, Sight, Viewer},
    pb,
    state::{Change, FeedEntries},
};

use super::keeper::{Copy, Keeper, keepers};
use crate::{
    api::{Api, ForwardedCaller, Level, alerts::Filter, call::Call, operations},
    raft::tests::world::soon,
};

/// What happened in the family of changes, written down before it is compacted: what each copy has to be told of.
#[derive(Default)]
pub(super) struct Chronicle {
    pub written_to: u64,
    /// Of each keeper, the revisions that concern what it may see.
    pub concerns: BTreeMap<&'static str, BTreeSet<u64>>,
    /// Of each keeper, revisions of which it is not known: its agreement changed between them and the reading.
    pub uncertain: BTreeMap<&'static str, Vec<(u64, u64)>>,
    pub agreement_version: u64,
}

impl Chronicle {
    /// Writes down what a node holds and is not written down yet.
    pub async fn write_down(&mut self, api: &Api) {
        let mut changes = Vec::new();
        for keeper in keepers() {
            let Keeper { name, caller, context, filter } = keeper;
            let mut asked = pb::ListRequest { context, ..Default::default() };
            let peer = ForwardedCaller { caller, certificate_serial: String::new() };
            let call = Call::enter(&operations::LIST, peer, soon(5), &mut asked).unwrap();
            let reading = match api.reading_at(&call, Level::Local).await {
                Ok(reading) => reading,
                // A node that was started just now, or that no partner may be served from.
                Err(_) => return,
            };
            changes.push((name, reading, Filter::new(filter.as_ref()).unwrap()));
        }
        let newest = changes.iter().map(|(_, reading, _)| reading.handle.revision).min().unwrap();
        if newest <= self.written_to {
            return;
        }
        let is_seen = |viewer: &Viewer, filter: &Filter, label: &Label| {
            filter.takes(label) && viewer.sight(label) != Sight::Hidden
        };
        for (name, reading, filter) in &changes {
            let labels = api.labels(reading);
            let mut entries = FeedEntries::after(&*reading.handle.view, self.written_to).unwrap();
            while let Some((revision, entry)) = entries.next_entry().unwrap() {
                let Change::Alert { before, after, .. } = entry.change else { continue };
                let mut labels = [before, after].into_iter().flatten().map(|label| labels.get(label).unwrap());
                if revision <= newest && labels.any(|label| is_seen(&reading.viewer, filter, &label)) {
                    self.concerns.entry(*name).or_default().insert(revision);
                }
            }
            if let Some(agreement) = &reading.agreement
                && agreement.version != self.agreement_version
            {
                self.uncertain.entry(*name).or_default().push((self.written_to, newest));
                self.agreement_version = agreement.version;
            }
        }
        self.written_to = newest;
    }

    /// Every change that a copy had to be told of came, and nothing else came.
    pub fn check(&self, keeper: &Keeper, copy: &Copy) -> usize {
        let none = BTreeSet::new();
        let concerns = self.concerns.get(keeper.name).unwrap_or(&none);
        let uncertain = self.uncertain.get(keeper.name).map_or(&[][..], Vec::as_slice);
        let is_certain = |revision: &u64| {
            *revision <= self.written_to && !uncertain.iter().any(|(after, to)| (after + 1..=*to).contains(revision))
        };
        let mut compared = 0;
        for (after, to) in &copy.told {
            // Empty where a connection ended as it had begun.
            let range = || (Bound::Excluded(*after), Bound::Included(*to));
            let due: Vec<_> = concerns.range(range()).filter(|revision| is_certain(revision)).collect();
            let came: Vec<_> = copy.came.range(range()).filter(|revision| is_certain(revision)).collect();
            assert_eq!(due, came, "{}: the changes after {after} up to {to}", keeper.name);
            compared += due.len();
        }
        compared
    }
}
