//! Each feed is the changes that its caller may see, in order, without gap or duplicate.

use std::sync::Arc;

use alert_core::alert::{Label, Sight, Viewer};

use super::{
    Findings,
    replay::{Changed, Course},
    sight::viewer,
};
use crate::model::{FeedItem, Followed};

pub(super) fn sees(viewer: &Viewer, label: &Option<Arc<Label>>) -> bool {
    label.as_ref().is_some_and(|label| viewer.sight(label) != Sight::Hidden)
}

/// Who follows: a partner under the agreement that was in force where its feed began.
pub(super) fn follower(feed: &Followed, course: &Course) -> Option<Viewer> {
    let start = start_of(feed)?;
    let agreement = feed.agreement.as_ref().and_then(|id| course.agreement_at(id, start).cloned());
    Some(viewer(&feed.caller, agreement))
}

/// The revision that a feed began behind. One that showed an event before it told its place began there at the latest.
fn start_of(feed: &Followed) -> Option<u64> {
    feed.start.or(feed.items.first().map(|item| item.revision.saturating_sub(1)))
}

pub(super) fn judge_feed(watcher: usize, feed: &Followed, course: &Course, findings: &mut Findings) {
    let Some((start, viewer)) = start_of(feed).zip(follower(feed, course)) else { return };
    let told = course.changes.iter().enumerate().filter(|(_, change)| {
        change.revision > start && (sees(&viewer, &change.before) || sees(&viewer, &change.after))
    });
    let mut told = told.map(|(place, change)| (change, &course.changes[place..]));
    for item in &feed.items {
        findings.checked += 1;
        let wrong = match told.next() {
            None => Some("nothing".to_owned()),
            Some((change, since)) => wrong(item, change, since, &viewer),
        };
        if let Some(expected) = wrong {
            let what = format!("watcher {watcher} ({:?}) got {item:?} where there was {expected}", feed.caller.role);
            findings.violation("no gap, no duplicate, no reordering in the feed", item.at_us, what);
            return;
        }
    }
}

/// What should have come in the place of `item`; `None` when it is right. `since` begins with `change`.
fn wrong(item: &FeedItem, change: &Changed, since: &[Changed], viewer: &Viewer) -> Option<String> {
    let same = (item.revision, &item.alert_id) == (change.revision, &change.id);
    let seen = sees(viewer, &change.after);
    let right = match item.version {
        Some(version) => seen && version == change.version,
        // A version that went out of sight since is told as a removal.
        None => !seen || since.iter().any(|later| later.id == change.id && !sees(viewer, &later.after)),
    };
    (!same || !right).then(|| {
        let kind = if seen { "an upsert" } else { "a removal" };
        format!("{kind} of {}, version {}, at revision {}", change.id, change.version, change.revision)
    })
}

#[cfg(test)]
pub(super) mod tests {
    use alert_core::{
        alert::{Agreement, Caller, Role, RuleSet},
        pb,
    };

    use super::*;
    use crate::validate::Verdict;

    fn code(value: &str) -> Option<pb::Code> {
        Some(pb::Code { list: String::new(), value: value.into() })
    }

    /// Of an alert for arrest of the National Crime Agency.
    pub fn label(state: pb::AlertState) -> Option<Arc<Label>> {
        let owner = pb::Owner { party: Some(pb::Party { code: "GB".into() }), authority: code("nca"), contact: None };
        let core = pb::Core { owner: Some(owner), category: code("arrest"), ..Default::default() };
        let alert = pb::Alert { core: Some(core), ..Default::default() };
        Some(Arc::new(Label::of(&alert, state, &RuleSet::defaults(), 0)))
    }

    pub fn change(revision: u64, id: &str, version: u64, after: Option<Arc<Label>>) -> Changed {
        let before = (version > 1).then(|| label(pb::AlertState::Active)).flatten();
        Changed { revision, at_us: revision * 1000, id: id.into(), version, before, after }
    }

    pub fn item(revision: u64, id: &str, version: Option<u64>) -> FeedItem {
        FeedItem { at_us: revision * 1000 + 10, revision, alert_id: id.into(), version }
    }

    /// Two alerts, of which the first one ends; and an agreement that is suspended after that.
    pub fn course() -> Course {
        let active = || label(pb::AlertState::Active);
        let changes = vec![
            change(2, "a", 1, active()),
            change(3, "b", 1, active()),
            change(4, "a", 2, active()),
            change(5, "a", 3, label(pb::AlertState::Deleted)),
        ];
        let mut course = Course { changes, ..Course::default() };
        for (revision, state) in [(1, pb::AgreementState::Active), (6, pb::AgreementState::Suspended)] {
            let agreement = pb::Agreement {
                id: "fr-1".into(),
                version: revision,
                state: state as i32,
                partner: Some(pb::Party { code: "FR".into() }),
                categories: code("arrest").into_iter().collect(),
                ..Default::default()
            };
            course.agreements.push((revision, Agreement::new(&agreement)));
        }
        course
    }

    pub fn followed(role: Role, items: Vec<FeedItem>) -> Followed {
        let partner = role == Role::Partner;
        let (country, authority) = if partner { ("FR", "police") } else { ("GB", "nca") };
        let caller = Caller { country: country.into(), authority: authority.into(), system: "sim".into(), role };
        Followed { caller, agreement: partner.then(|| "fr-1".into()), start: Some(1), items }
    }

    fn verdict(role: Role, items: Vec<FeedItem>) -> Verdict {
        let mut findings = Findings::default();
        judge_feed(1, &followed(role, items), &course(), &mut findings);
        findings.verdict()
    }

    #[test]
    fn a_feed_is_every_change_in_order() {
        let all = || vec![item(2, "a", Some(1)), item(3, "b", Some(1)), item(4, "a", Some(2)), item(5, "a", Some(3))];
        assert_eq!(verdict(Role::Bureau, all()), Verdict::Held);
        for (missing, _) in all().iter().enumerate().skip(1) {
            let mut items = all();
            items.remove(missing);
            let verdict = verdict(Role::Bureau, items);
            // A feed that ends early lacks nothing yet.
            assert_eq!(verdict == Verdict::Held, missing == 3, "without item {missing}");
        }
        let mut twice = all();
        twice.insert(1, item(2, "a", Some(1)));
        assert_eq!(verdict(Role::Bureau, twice), Verdict::Violated);
        let mut reordered = all();
        reordered.swap(1, 2);
        assert_eq!(verdict(Role::Bureau, reordered), Verdict::Violated);
    }

    #[test]
    fn a_partner_is_told_what_went_out_of_its_sight_as_a_removal_and_nothing_else() {
        let told = |last| vec![item(2, "a", None), item(3, "b", Some(1)), item(4, "a", Some(2)), item(5, "a", last)];
        assert_eq!(verdict(Role::Partner, told(None)), Verdict::Held, "a version that is out of sight by now");
        assert_eq!(verdict(Role::Partner, told(Some(3))), Verdict::Violated, "a tombstone");
        assert_eq!(verdict(Role::Partner, vec![item(2, "a", Some(1)), item(3, "b", None)]), Verdict::Violated);
    }
}
