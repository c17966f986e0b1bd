//! The promise of one second: what was cancelled or suspended is served nowhere a second after its acknowledgement, also
//! not by a node that was cut off at that very moment.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use alert_core::{
    alert::{AlertId, Role},
    pb::{
        self, alert_service_server::AlertService, feed_service_server::FeedService,
        search_service_server::SearchService,
    },
    state::command::Command,
};
use futures::StreamExt;
use prost::Message;
use tokio::time::{Instant, sleep, timeout};

use super::{
    World, caller,
    cluster::{Cluster, answered, call, stream},
    context, partner, person, refusal_code, under,
    world::agreement,
};
use crate::{
    api::{Api, ApiOptions},
    raft::tests::world,
};

const PROMISE: Duration = Duration::from_secs(1);
const AGREEMENT: &str = "fr-1";
const CUT_OFF: u64 = 3;

/// Who asks, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    PartnerSearches,
    PartnerGets,
    PartnerSearchesWithSession,
    PartnerExports,
    PartnerWatches,
    NationalSearches,
    NationalGets,
    NationalLists,
}

const EVERY_WAY: [Asked; 8] = [
    Asked::PartnerSearches,
    Asked::PartnerGets,
    Asked::PartnerSearchesWithSession,
    Asked::PartnerExports,
    Asked::PartnerWatches,
    Asked::NationalSearches,
    Asked::NationalGets,
    Asked::NationalLists,
];

/// One answer: when it left the node, and whether it shows the alert. A partner's answer counts too: under a suspended
/// agreement there is none.
#[derive(Debug, Clone, Copy)]
struct Seen {
    at: Instant,
    asked: Asked,
    shows: bool,
}

/// What a partner holds from before the alert was there: a session's token, and a cursor of the feed.
#[derive(Debug, Clone)]
struct Begun {
    token: Vec<u8>,
    cursor: Vec<u8>,
}

fn number_query() -> Option<pb::Query> {
    Some(pb::Query { any_number: "500000001".into(), ..Default::default() })
}

/// Asks `api` once. `None`: refused.
async fn ask(api: &Api, asked: Asked, id: &str, Begun { token, cursor }: &Begun) -> Option<bool> {
    let national = || caller(Role::Search, "met");
    let search = |context, read| pb::SearchRequest { context, query: number_query(), read, ..Default::default() };
    let get = |context| pb::GetRequest { context, alert_id: id.into(), ..Default::default() };
    let shows = |sources: Vec<pb::SourceAnswer>| sources.iter().any(|source| !source.candidates.is_empty());
    match asked {
        Asked::PartnerSearches => {
            let answer = answered(api.search(call(partner(), search(under(AGREEMENT), None))).await).ok()?;
            Some(shows(answer.sources))
        }
        Asked::PartnerSearchesWithSession => {
            let read = Some(pb::ReadOptions {
                level: pb::ReadLevel::Session as i32,
                token: token.to_vec(),
                ..Default::default()
            });
            let answer = answered(api.search(call(partner(), search(under(AGREEMENT), read))).await).ok()?;
            Some(shows(answer.sources))
        }
        Asked::NationalSearches => {
            let answer = answered(api.search(call(national(), search(context(), None))).await).ok()?;
            Some(shows(answer.sources))
        }
        Asked::PartnerGets => answered(api.get(call(partner(), get(under(AGREEMENT)))).await).ok().map(|_| true),
        Asked::NationalGets => answered(api.get(call(national(), get(context()))).await).ok().map(|_| true),
        Asked::NationalLists => {
            let bound = Some(prost_types::Duration { seconds: 1, nanos: 0 });
            let read = Some(pb::ReadOptions { level: pb::ReadLevel::Bounded as i32, bound, ..Default::default() });
            let list = pb::ListRequest { context: context(), read, ..Default::default() };
            let answer = answered(api.list(call(national(), list)).await).ok()?;
            Some(!answer.records.is_empty())
        }
        Asked::PartnerExports => {
            let export = pb::ExportRequest { context: under(AGREEMENT), ..Default::default() };
            let mut pages = answered(api.export(call(partner(), export)).await).ok()?;
            let page = pages.next().await?.ok()?;
            Some(!page.records.is_empty())
        }
        Asked::PartnerWatches => {
            let watch = pb::WatchRequest { context: under(AGREEMENT), cursor: cursor.to_vec(), ..Default::default() };
            let mut messages = answered(api.watch(stream(partner(), watch)).await).ok()?;
            let message = timeout(Duration::from_secs(5), messages.next()).await.ok()??.ok()?;
            match message.item? {
                pb::watch_response::Item::Events(events) => Some(
                    events.events.iter().any(|event| matches!(event.change, Some(pb::feed_event::Change::Upsert(_)))),
                ),
                _ => None,
            }
        }
    }
}

/// What is ended at the node's worst moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    Alert,
    Agreement,
}

/// Cuts a node off `cut_after` after the change was sent, asks it all the time in every way, and gives back the time of
/// the acknowledgement and all answers.
async fn story(ended: Ended, cut_after: Duration, options: ApiOptions) -> (Instant, Vec<Seen>) {
    let mut world = world::World::of(3).await;
    world.start(4).await;
    world.join(1, 4).await.unwrap();
    world.until_ready(4).await;
    let cluster = Cluster::over(world, 1..=4, options);
    let agreed = agreement(AGREEMENT).encode_to_vec();
    cluster.run(Command::PutAgreement { agreement: agreed, expected_version: 0 }).await;
    let export = pb::ExportRequest { context: under(AGREEMENT), ..Default::default() };
    let mut pages = answered(cluster.api(1).export(call(partner(), export)).await).unwrap();
    let page = pages.next().await.unwrap().unwrap();
    let begun = Begun { token: page.answer.unwrap().token, cursor: page.feed_cursor };
    let id = AlertId::from_bytes([1; 16]);
    let alert = person(1, "arrest").encode_to_vec();
    cluster.run(Command::Create { id, alert, as_draft: false }).await;
    sleep(Duration::from_millis(700)).await;

    let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
    let asking: Vec<_> = EVERY_WAY
        .into_iter()
        .enumerate()
        .map(|(position, asked)| {
            let (api, seen, begun) = (cluster.api(CUT_OFF), seen.clone(), begun.clone());
            tokio::spawn(async move {
                sleep(Duration::from_millis(position as u64)).await;
                loop {
                    if let Some(shows) = ask(&api, asked, &id.to_string(), &begun).await {
                        seen.lock().unwrap().push(Seen { at: Instant::now(), asked, shows });
                    }
                    sleep(Duration::from_millis(9)).await;
                }
            })
        })
        .collect();
    sleep(Duration::from_millis(300)).await;

    let command = match ended {
        Ended::Alert => Command::Cancel { id, expected_version: 0, reason: "executed".into(), by: "desk".into() },
        Ended::Agreement => Command::SetAgreementState {
            id: AGREEMENT.into(),
            state: pb::AgreementState::Suspended as i32,
            purge_proof: None,
        },
    };
    let cut = async {
        sleep(cut_after).await;
        for other in [1, 2, 4] {
            cluster.world.pipes.cut(CUT_OFF, other);
        }
    };
    let acknowledged = async {
        cluster.run(command).await;
        Instant::now()
    };
    let ((), acknowledged) = tokio::join!(cut, acknowledged);
    sleep(Duration::from_secs(4)).await;
    for asking in asking {
        asking.abort();
    }
    // The others went on serving, and what they serve is right.
    for other in [1, 2, 4] {
        let shown = ask(&cluster.api(other), Asked::NationalSearches, &id.to_string(), &begun).await;
        assert_eq!(shown, Some(ended == Ended::Agreement), "node {other}");
        let partner = ask(&cluster.api(other), Asked::PartnerSearches, &id.to_string(), &begun).await;
        assert_eq!(partner, (ended == Ended::Alert).then_some(false), "node {other}");
    }
    let seen = seen.lock().unwrap().clone();
    (acknowledged, seen)
}

/// The moments of the cut, relative to when the change was sent. On virtual time an entry takes no time to replicate, so
/// these lie before it, at it, and after.
const CUTS: [u64; 6] = [0, 1, 2, 5, 40, 333];

#[tokio::test(start_paused = true)]
async fn a_cancelled_alert_is_shown_nowhere_a_second_later_not_by_a_node_cut_off_at_that_moment() {
    for cut_ms in CUTS {
        let (acknowledged, seen) = story(Ended::Alert, Duration::from_millis(cut_ms), ApiOptions::default()).await;
        for asked in EVERY_WAY {
            let of_it = seen.iter().filter(|seen| seen.asked == asked);
            assert!(of_it.clone().any(|seen| seen.shows && seen.at < acknowledged), "{asked:?} saw it before");
            let late: Vec<_> = of_it.filter(|seen| seen.shows && seen.at > acknowledged + PROMISE).collect();
            assert!(late.is_empty(), "cut after {cut_ms} ms: {asked:?} {:?} late", late[0].at - acknowledged);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_suspended_agreement_serves_nobody_a_second_later_not_at_a_node_cut_off_at_that_moment() {
    // By policy the national callers go on with what is there.
    let options = ApiOptions { local_without_quorum: true, ..ApiOptions::default() };
    for cut_ms in CUTS {
        let (acknowledged, seen) = story(Ended::Agreement, Duration::from_millis(cut_ms), options).await;
        for asked in EVERY_WAY {
            let national = matches!(asked, Asked::NationalSearches | Asked::NationalGets | Asked::NationalLists);
            let of_it = seen.iter().filter(|seen| seen.asked == asked);
            assert!(of_it.clone().any(|seen| seen.shows && seen.at < acknowledged), "{asked:?} was served before");
            let late = of_it.clone().filter(|seen| seen.at > acknowledged + PROMISE).count();
            match asked {
                // Who asks for a level gets it or is refused: here nothing after a second without the others.
                Asked::NationalLists => {
                    let since = acknowledged + Duration::from_millis(cut_ms) + PROMISE;
                    assert_eq!(of_it.filter(|seen| seen.at > since).count(), 0, "cut after {cut_ms} ms");
                }
                _ if national => assert!(late > 100, "{asked:?}: the border goes on"),
                _ => assert_eq!(late, 0, "cut after {cut_ms} ms: {asked:?}"),
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_quorum_a_national_answer_says_that_it_is_local() {
    let world = world::World::of(3).await;
    let options = ApiOptions { local_without_quorum: true, ..ApiOptions::default() };
    let cluster = Cluster::over(world, 1..=3, options);
    let alert = person(1, "arrest").encode_to_vec();
    let id = AlertId::from_bytes([1; 16]);
    cluster.run(Command::Create { id, alert, as_draft: false }).await;
    sleep(Duration::from_millis(500)).await;
    for other in [1, 2] {
        cluster.world.pipes.cut(CUT_OFF, other);
    }
    sleep(Duration::from_secs(2)).await;
    let search = || pb::SearchRequest { context: context(), query: number_query(), ..Default::default() };
    let answer = answered(cluster.api(CUT_OFF).search(call(caller(Role::Search, "met"), search())).await).unwrap();
    assert_eq!(answer.sources[0].candidates.len(), 1);
    let told = answer.answer.unwrap();
    assert_eq!((told.level(), told.without_quorum, told.staleness_bound), (pb::ReadLevel::Local, true, None));
    // From when it is, the answer of the source says: two seconds ago, and no later.
    let as_of = alert_core::alert::time::to_ms(&answer.sources[0].as_of.unwrap()).unwrap();
    let now = cluster.world.host(CUT_OFF).clock.wall_ms();
    assert!((1900..3000).contains(&(now - as_of)), "{} ms", now - as_of);
    let foreign = pb::SearchRequest { context: under(AGREEMENT), ..search() };
    assert_eq!(refusal_code(cluster.api(CUT_OFF).search(call(partner(), foreign)).await), "NO_QUORUM");
}

#[tokio::test]
async fn an_answer_that_grew_old_on_its_way_does_not_leave() {
    let world = World::new();
    world.agree(AGREEMENT);
    let id = world.create(1, "arrest");
    let get = |context| pb::GetRequest { context, alert_id: id.clone(), ..Default::default() };
    let mut national = world.alerts(caller(Role::Search, "met")).await;
    let mut foreign = world.alerts(partner()).await;
    let token = national.get(get(context())).await.unwrap().into_inner().answer.unwrap().token;
    // The audit log takes so long that a change acknowledged meanwhile would have to show.
    *world.audit.takes.lock() = Some((world.clock.clone(), 1200));
    assert_eq!(refusal_code(national.get(get(context())).await), "BEHIND");
    assert_eq!(refusal_code(foreign.get(get(under(AGREEMENT))).await), "BEHIND");
    // Who asked for no more than what it has seen before is answered.
    let read = Some(pb::ReadOptions { level: pb::ReadLevel::Session as i32, token, ..Default::default() });
    national.get(pb::GetRequest { read, ..get(context()) }).await.unwrap();
    *world.audit.takes.lock() = Some((world.clock.clone(), 900));
    national.get(get(context())).await.unwrap();
    foreign.get(get(under(AGREEMENT))).await.unwrap();
    // The same, had the state been a while old before.
    *world.store.staleness.lock() = Some(Duration::from_millis(200));
    assert_eq!(refusal_code(foreign.get(get(under(AGREEMENT))).await), "BEHIND");
}
