//! What the feed keeps, and how far its readers are.

use super::{DAY_MS, START_MS, Store, bureau, create};
use crate::{
    alert::{Caller, Role},
    state::{
        command::{Command, Outcome},
        compactable_before, full_hash, read_acknowledgements,
    },
};

#[test]
fn the_feed_is_compacted_by_age_in_bounded_steps_and_never_beyond_what_has_happened() {
    let mut store = Store::new();
    store.run(create(1)).unwrap();
    store.now_ms += DAY_MS;
    store.run(create(2)).unwrap();
    store.run(create(3)).unwrap();
    assert_eq!(compactable_before(&store.view, START_MS).unwrap(), None);
    let before_revision = compactable_before(&store.view, START_MS + 1).unwrap().unwrap();
    assert_eq!(before_revision, 2);
    store.run(Command::CompactFeed { before_revision }).unwrap();
    assert_eq!((store.changes().len(), store.meta().feed_compacted_before), (2, 2));
    assert_eq!(full_hash(&store.view).unwrap(), store.meta().state_hash);
    // A leader that means well and is wrong cannot make the cursor of now an old one.
    store.run(Command::CompactFeed { before_revision: 1000 }).unwrap();
    assert_eq!((store.changes().len(), store.meta().feed_compacted_before), (0, 4));
}

#[test]
fn an_acknowledgement_keeps_the_longest_wait_and_never_goes_back() {
    let mut store = Store::new();
    let partner = Caller { country: "FR".into(), role: Role::Partner, ..bureau("pj") };
    let mut acknowledge = |revision, oldest_ms, now_ms| {
        store.now_ms = now_ms;
        let done =
            store.run_as(partner.clone(), Command::AcknowledgeFeed { agreement: "fr".into(), revision, oldest_ms });
        let kept = read_acknowledgements(&store.view, "fr").unwrap();
        let [(caller, kept)] = &kept[..] else { panic!("{kept:?}") };
        assert_eq!(*caller, partner);
        (done.unwrap().outcome, kept.clone())
    };
    let (_, first) = acknowledge(10, Some(START_MS - 50), START_MS);
    assert_eq!((first.slowest_ms, first.slowest_at_ms, first.since_ms), (50, START_MS, START_MS));
    let (_, second) = acknowledge(20, Some(START_MS), START_MS + 7000);
    assert_eq!((second.slowest_ms, second.slowest_at_ms, second.revision), (7000, START_MS + 7000, 20));
    // Quick again, and nothing at all: the slowest stays.
    acknowledge(21, Some(START_MS + 7900), START_MS + 8000);
    let (_, third) = acknowledge(22, None, START_MS + 9000);
    assert_eq!((third.slowest_ms, third.revision, third.at_ms), (7000, 22, START_MS + 9000));
    assert_eq!(acknowledge(15, None, START_MS + 10_000), (Outcome::Unchanged, third));
    assert!(read_acknowledgements(&store.view, "f").unwrap().is_empty());
}
