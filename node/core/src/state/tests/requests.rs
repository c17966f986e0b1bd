//! A retry has one effect.

use super::{Store, bureau, cancel, create};
use crate::{
    limits,
    state::{
        Caches,
        command::{Command, Done, Rejection, RequestKey},
        family::Family,
    },
};

#[test]
fn a_retry_has_one_effect_and_other_content_is_refused() {
    let mut store = Store::new();
    let request = |sequence, content| Some(RequestKey { session: [7; 16], sequence, content_hash: [content; 16] });
    let first = store.proposal(Some(bureau("nca")), request(1, 1), create(1));
    let answer = store.apply(std::slice::from_ref(&first)).remove(0).remove(0).unwrap();
    let again = store.apply(&[first]).remove(0).remove(0).unwrap();
    assert_eq!(again, Done { repeated: true, ..answer });
    assert_eq!(store.meta().revision, 1);
    let other = store.proposal(Some(bureau("nca")), request(1, 2), create(2));
    assert_eq!(store.apply(&[other]).remove(0).remove(0), Err(Rejection::RequestIdReused));
    // Rejections are kept too: the retry of a refused change is refused again, even if it would pass now.
    let refused = store.proposal(Some(bureau("nca")), request(2, 3), cancel(9));
    assert_eq!(store.apply(std::slice::from_ref(&refused)).remove(0).remove(0), Err(Rejection::NotFound));
    store.run(create(9)).unwrap();
    assert_eq!(store.apply(&[refused]).remove(0).remove(0), Err(Rejection::NotFound));
    // The same id from another caller is another request.
    let stranger = store.proposal(Some(bureau("border-force")), request(1, 1), create(3));
    assert_eq!(store.apply(&[stranger]).remove(0).remove(0), Err(Rejection::NotOwner));
}

#[test]
fn request_ids_are_bounded_by_time_and_count_and_never_executed_again() {
    let mut store = Store::new();
    let tick = |store: &Store, sequence| {
        let request = Some(RequestKey { session: [7; 16], sequence, content_hash: [0; 16] });
        store.proposal(Some(bureau("nca")), request, Command::Tick)
    };
    let first = tick(&store, 1);
    store.apply(std::slice::from_ref(&first));
    let far = tick(&store, limits::REQUESTS_PER_SESSION + limits::REQUESTS_CLOSED_AT_ONCE);
    store.apply(std::slice::from_ref(&far));
    assert_eq!(store.apply(&[first]).remove(0).remove(0), Err(Rejection::RequestExpired));
    store.now_ms += limits::REQUEST_TTL_MS + 1;
    let any = store.proposal(None, None, Command::Tick);
    store.apply(&[any]);
    assert_eq!(store.apply(&[far]).remove(0).remove(0), Err(Rejection::RequestExpired));
    // What is left of the session is its floor, and when it was raised; of a session silent for long, nothing.
    let left = |store: &Store| store.view.entries(Family::Requests).count();
    assert_eq!(left(&store), 2);
    for (step, expected) in [(limits::REQUEST_SESSION_TTL_MS, 2), (1, 0)] {
        store.now_ms += step;
        let any = store.proposal(None, None, Command::Tick);
        store.apply(&[any]);
        assert_eq!(left(&store), expected);
    }
}

/// What is known of the oldest kept answer spares a search; it must never hide one that is due.
#[test]
fn kept_answers_end_at_their_time_whether_or_not_their_age_is_remembered() {
    let mut remembers = Store::new();
    let mut forgets = Store::new();
    for step in 0..400 {
        for store in [&mut remembers, &mut forgets] {
            let session = [step as u8 % 3; 16];
            let request = Some(RequestKey { session, sequence: step + 1, content_hash: [0; 16] });
            let tick = store.proposal(Some(bureau("nca")), request, Command::Tick);
            store.apply(&[tick]);
            store.now_ms +=
                [limits::REQUEST_TTL_MS / 7, limits::REQUEST_TTL_MS / 90, limits::REQUEST_SESSION_TTL_MS / 5]
                    [step as usize / 150];
        }
        forgets.caches = Caches::default();
        let kept =
            |store: &Store| store.view.entries(Family::Requests).map(|(key, _)| key.to_vec()).collect::<Vec<_>>();
        assert_eq!(kept(&remembers), kept(&forgets), "step {step}");
        assert_eq!(remembers.meta().state_hash, forgets.meta().state_hash);
    }
}
