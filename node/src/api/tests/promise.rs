//! The promise of one second: what was cancelled or suspended is served nowhere a second after its acknowledgement, also
//! not by a node that was cut off at that very moment.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use alert_core::{
    alert::{
        AlertId, Role,
        attachment::{hash_of, hash_text},
        time::from_ms,
    },
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
    cluster::{Cluster, answered, call, messages, run, stream},
    code, context, nca, partner, person, refusal_code, under,
    world::agreement,
};
use crate::{
    api::{Api, ApiOptions},
    raft::tests::world,
};

const PROMISE: Duration = Duration::from_secs(1);
const AGREEMENT: &str = "fr-1";
const LEADER: u64 = 1;
const FOLLOWER: u64 = 3;
const LEARNER: u64 = 4;
const NODES: [u64; 4] = [1, 2, FOLLOWER, LEARNER];
const PHOTO: &[u8] = b"no photo of anybody";

/// Who asks, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    PartnerSearches,
    PartnerSearchesForMany,
    PartnerSearchesWithSession,
    PartnerGets,
    PartnerFetchesPhoto,
    PartnerExports,
    PartnerWatches,
    NationalSearches,
    NationalSearchesForMany,
    NationalSearchesWithSession,
    NationalGets,
    NationalGetsWhatIsLinked,
    NationalFetchesPhoto,
    NationalLooksBack,
    NationalLists,
    NationalListsWhateverItsAge,
    OwnerReviews,
}

use Asked::*;

const EVERY_WAY: [Asked; 17] = [
    PartnerSearches,
    PartnerSearchesForMany,
    PartnerSearchesWithSession,
    PartnerGets,
    PartnerFetchesPhoto,
    PartnerExports,
    PartnerWatches,
    NationalSearches,
    NationalSearchesForMany,
    NationalSearchesWithSession,
    NationalGets,
    NationalGetsWhatIsLinked,
    NationalFetchesPhoto,
    NationalLooksBack,
    NationalLists,
    NationalListsWhateverItsAge,
    OwnerReviews,
];

impl Asked {
    fn is_partner(self) -> bool {
        EVERY_WAY.iter().position(|asked| *asked == self) <= EVERY_WAY.iter().position(|asked| *asked == PartnerWatches)
    }

    /// At a level that needs a quorum, named in so many words.
    fn insists(self) -> bool {
        matches!(self, NationalLists | NationalListsWhateverItsAge)
    }
}

/// One answer: when it left the node, and whether it shows the alert. A partner's answer counts too: under a suspended
/// agreement there is none.
#[derive(Debug, Clone, Copy)]
struct Seen {
    at: Instant,
    asked: Asked,
    shows: bool,
}

/// What callers hold from before: the alerts' ids, a session's token, and a partner's cursor of the feed.
#[derive(Debug, Clone)]
struct Begun {
    id: String,
    linked: String,
    token: Vec<u8>,
    foreign_token: Vec<u8>,
    cursor: Vec<u8>,
}

fn number_query() -> Option<pb::Query> {
    Some(pb::Query { any_number: "500000001".into(), ..Default::default() })
}

/// Asks `api` once. `None`: refused.
async fn ask(api: &Api, asked: Asked, begun: &Begun) -> Option<bool> {
    let Begun { id, linked, token, foreign_token, cursor } = begun.clone();
    let (who, why) =
        if asked.is_partner() { (partner(), under(AGREEMENT)) } else { (caller(Role::Search, "met"), context()) };
    let at = |level: pb::ReadLevel| Some(pb::ReadOptions { level: level as i32, ..Default::default() });
    let within = |seconds| {
        let bound = Some(prost_types::Duration { seconds, nanos: 0 });
        at(pb::ReadLevel::Bounded).map(|read| pb::ReadOptions { bound, ..read })
    };
    let read = match asked {
        PartnerSearchesWithSession => {
            at(pb::ReadLevel::Session).map(|read| pb::ReadOptions { token: foreign_token, ..read })
        }
        NationalSearchesWithSession => at(pb::ReadLevel::Session).map(|read| pb::ReadOptions { token, ..read }),
        NationalLists => within(1),
        NationalListsWhateverItsAge => within(3600),
        _ => None,
    };
    let shows = |sources: &[pb::SourceAnswer]| sources.iter().any(|source| !source.candidates.is_empty());
    let names = |records: &[pb::AlertRecord]| records.iter().any(|one| one.info.as_ref().unwrap().id == id);
    match asked {
        PartnerSearches | PartnerSearchesWithSession | NationalSearches | NationalSearchesWithSession => {
            let search = pb::SearchRequest { context: why, query: number_query(), read, ..Default::default() };
            Some(shows(&answered(api.search(call(who, search)).await).ok()?.sources))
        }
        PartnerSearchesForMany | NationalSearchesForMany => {
            let queries = vec![pb::KeyedQuery { key: "one of many".into(), query: number_query() }];
            let batch = pb::SearchBatchRequest { context: why, queries, read, ..Default::default() };
            let mut answers = answered(api.search_batch(messages(who, &[batch])).await).ok()?;
            Some(shows(&answers.next().await?.ok()?.answers[0].sources))
        }
        PartnerGets | NationalGets => {
            let get = pb::GetRequest { context: why, alert_id: id, ..Default::default() };
            answered(api.get(call(who, get)).await).ok().map(|_| true)
        }
        NationalGetsWhatIsLinked => {
            let get = pb::GetRequest { context: why, alert_id: linked, with_links: true, ..Default::default() };
            Some(!answered(api.get(call(who, get)).await).ok()?.links.is_empty())
        }
        PartnerFetchesPhoto | NationalFetchesPhoto => {
            let content_hash = hash_text(&hash_of(PHOTO));
            let fetch = pb::GetAttachmentRequest { context: why, alert_id: id, content_hash, ..Default::default() };
            let parts = answered(api.get_attachment(call(who, fetch)).await).ok()?;
            let parts: Vec<_> = parts.collect().await;
            parts.iter().any(|part| part.as_ref().is_ok_and(|part| part.chunk == PHOTO)).then_some(true)
        }
        NationalLooksBack => {
            let history = pb::HistoryRequest { context: why, alert_id: id, ..Default::default() };
            Some(!answered(api.history(call(who, history)).await).ok()?.entries.is_empty())
        }
        NationalLists | NationalListsWhateverItsAge => {
            let list = pb::ListRequest { context: why, read, ..Default::default() };
            Some(names(&answered(api.list(call(who, list)).await).ok()?.records))
        }
        OwnerReviews => {
            let before = Some(prost_types::Timestamp { seconds: 4_000_000_000, nanos: 0 });
            let due = pb::DueForReviewRequest { context: why, before, ..Default::default() };
            Some(names(&answered(api.due_for_review(call(nca(), due)).await).ok()?.records))
        }
        PartnerExports => {
            let export = pb::ExportRequest { context: why, ..Default::default() };
            let mut pages = answered(api.export(call(who, export)).await).ok()?;
            Some(names(&pages.next().await?.ok()?.records))
        }
        PartnerWatches => {
            let watch = pb::WatchRequest { context: why, cursor, ..Default::default() };
            let mut said = answered(api.watch(stream(who, watch)).await).ok()?;
            let message = timeout(Duration::from_secs(5), said.next()).await.ok()??.ok()?;
            let pb::watch_response::Item::Events(events) = message.item? else { return None };
            let upserts = |event: &pb::FeedEvent| matches!(event.change, Some(pb::feed_event::Change::Upsert(_)));
            Some(events.events.iter().any(|event| upserts(event) && event.alert_id == id))
        }
    }
}

/// What is ended at the node's worst moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    /// The alert is cancelled.
    Alert,
    /// The alert is suspended, here and at the partner's.
    Effect,
    /// The agreement is suspended.
    Agreement,
}

impl Ended {
    fn command(self, id: AlertId, now_ms: u64) -> Command {
        match self {
            Ended::Alert => Command::Cancel { id, expected_version: 0, reason: "executed".into(), by: "desk".into() },
            Ended::Effect => Command::Restrict {
                id,
                expected_version: 0,
                restriction: pb::Restriction {
                    kind: pb::RestrictionKind::Suspended as i32,
                    territories: ["GB", "FR"].map(|code| pb::Party { code: code.into() }).into(),
                    requested_by: "desk".into(),
                    from: Some(from_ms(now_ms)),
                    until: Some(from_ms(now_ms + 86_400_000)),
                    ..Default::default()
                }
                .encode_to_vec(),
            },
            Ended::Agreement => Command::SetAgreementState {
                id: AGREEMENT.into(),
                state: pb::AgreementState::Suspended as i32,
                purge_proof: None,
            },
        }
    }

    /// Whether this way of asking may no longer show the alert. Its owner goes on seeing what is suspended.
    fn ends(self, asked: Asked) -> bool {
        match self {
            Ended::Alert => true,
            Ended::Effect => asked != OwnerReviews,
            Ended::Agreement => asked.is_partner(),
        }
    }
}

/// Four nodes with the alert, another that is linked to it, and its photo; and what callers hold.
async fn stage(options: ApiOptions) -> (Cluster, AlertId, Begun) {
    let mut world = world::World::of(3).await;
    world.start(LEARNER).await;
    world.join(LEADER, LEARNER).await.unwrap();
    world.until_ready(LEARNER).await;
    let cluster = Cluster::over(world, NODES, options);
    let mut agreed = agreement(AGREEMENT);
    agreed.record_fields.as_mut().unwrap().fields.push("attachments.photo".into());
    cluster.run(Command::PutAgreement { agreement: agreed.encode_to_vec(), expected_version: 0 }).await;
    let export = pb::ExportRequest { context: under(AGREEMENT), ..Default::default() };
    let mut pages = answered(cluster.api(LEADER).export(call(partner(), export)).await).unwrap();
    let page = pages.next().await.unwrap().unwrap();

    let [id, linked] = [1, 2].map(|number| AlertId::from_bytes([number; 16]));
    let hash = hash_of(PHOTO);
    let reference = pb::AttachmentReference {
        content_hash: hash_text(&hash),
        kind: code("attachment-kind", "photo"),
        media_type: "image/jpeg".into(),
        size_bytes: PHOTO.len() as u64,
        ..Default::default()
    };
    let attachments = Some(pb::AttachmentSection { attachments: vec![reference] });
    let alert = pb::Alert { attachments, ..person(1, "arrest") };
    cluster.run(Command::Create { id, alert: alert.encode_to_vec(), as_draft: false }).await;
    let alert = person(2, "arrest").encode_to_vec();
    cluster.run(Command::Create { id: linked, alert, as_draft: false }).await;
    cluster.run(Command::PutAttachmentChunk { id, hash, number: 0, bytes: PHOTO.into() }).await;
    cluster.run(Command::SealAttachment { id, hash }).await;
    let link = pb::Link {
        alert_a: id.to_string(),
        alert_b: linked.to_string(),
        kind: code("link-kind", "same-case"),
        ..Default::default()
    };
    cluster.run(Command::Link { id: AlertId::from_bytes([9; 16]), link: link.encode_to_vec() }).await;
    let search = pb::SearchRequest { context: context(), query: number_query(), ..Default::default() };
    let searched = answered(cluster.api(LEADER).search(call(caller(Role::Search, "met"), search)).await).unwrap();
    let begun = Begun {
        id: id.to_string(),
        linked: linked.to_string(),
        token: searched.answer.unwrap().token,
        foreign_token: page.answer.unwrap().token,
        cursor: page.feed_cursor,
    };
    sleep(Duration::from_millis(700)).await;
    (cluster, id, begun)
}

/// Cuts `cut_off` off `cut_after` after the change was sent, asks it all the time in every way, and gives back the time of
/// the acknowledgement and all answers.
async fn story(ended: Ended, cut_off: u64, cut_after: Duration, options: ApiOptions) -> (Instant, Vec<Seen>) {
    let (cluster, id, begun) = stage(options).await;
    let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
    let asking: Vec<_> = EVERY_WAY
        .into_iter()
        .enumerate()
        .map(|(position, asked)| {
            let (api, seen, begun) = (cluster.api(cut_off), seen.clone(), begun.clone());
            tokio::spawn(async move {
                sleep(Duration::from_millis(position as u64)).await;
                loop {
                    if let Some(shows) = ask(&api, asked, &begun).await {
                        seen.lock().unwrap().push(Seen { at: Instant::now(), asked, shows });
                    }
                    sleep(Duration::from_millis(17)).await;
                }
            })
        })
        .collect();
    sleep(Duration::from_millis(300)).await;

    let others = NODES.into_iter().filter(|node| *node != cut_off);
    let command = ended.command(id, cluster.world.host(LEADER).clock.wall_ms());
    let cut = async {
        sleep(cut_after).await;
        others.clone().for_each(|other| cluster.world.pipes.cut(cut_off, other));
    };
    let acknowledged = async {
        // A leader that is cut off may have made the change without hearing of it: then it is refused as made already.
        drop(run(&cluster.alive, command).await);
        Instant::now()
    };
    let ((), acknowledged) = tokio::join!(cut, acknowledged);
    sleep(Duration::from_secs(4)).await;
    for asking in asking {
        asking.abort();
    }
    // The others went on serving, and what they serve is right.
    for other in others {
        let shown = ask(&cluster.api(other), NationalSearches, &begun).await;
        assert_eq!(shown, Some(ended == Ended::Agreement), "node {other}");
        let partner = ask(&cluster.api(other), PartnerSearches, &begun).await;
        assert_eq!(partner, (ended != Ended::Agreement).then_some(false), "node {other}");
    }
    let seen = seen.lock().unwrap().clone();
    (acknowledged, seen)
}

/// The moments of the cut, relative to when the change was sent. On virtual time an entry takes no time to replicate, so
/// these lie before it, at it, and after.
const CUTS: [(u64, u64); 12] = [
    (FOLLOWER, 0),
    (FOLLOWER, 1),
    (FOLLOWER, 2),
    (FOLLOWER, 5),
    (FOLLOWER, 40),
    (FOLLOWER, 333),
    (LEARNER, 0),
    (LEARNER, 2),
    (LEARNER, 40),
    (LEADER, 0),
    (LEADER, 2),
    (LEADER, 40),
];

/// Nothing that was ended is shown a second after the acknowledgement.
async fn nobody_sees_it_a_second_later(ended: Ended) {
    for (cut_off, cut_ms) in CUTS {
        let story = story(ended, cut_off, Duration::from_millis(cut_ms), ApiOptions::default()).await;
        let (acknowledged, seen) = story;
        for asked in EVERY_WAY.into_iter().filter(|asked| ended.ends(*asked)) {
            let of_it = seen.iter().filter(|seen| seen.asked == asked);
            assert!(of_it.clone().any(|seen| seen.shows && seen.at < acknowledged), "{asked:?} saw it before");
            let late: Vec<_> = of_it.filter(|seen| seen.shows && seen.at > acknowledged + PROMISE).collect();
            assert!(
                late.is_empty(),
                "node {cut_off} cut after {cut_ms} ms: {asked:?} {:?} late",
                late[0].at - acknowledged
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_alert_is_shown_nowhere_a_second_later_not_by_a_node_cut_off_at_that_moment() {
    nobody_sees_it_a_second_later(Ended::Alert).await;
}

#[tokio::test(start_paused = true)]
async fn a_suspended_alert_is_shown_nowhere_a_second_later_not_by_a_node_cut_off_at_that_moment() {
    nobody_sees_it_a_second_later(Ended::Effect).await;
}

#[tokio::test(start_paused = true)]
async fn a_suspended_agreement_serves_nobody_a_second_later_not_at_a_node_cut_off_at_that_moment() {
    // By policy the national callers go on with what is there.
    let options = ApiOptions { local_without_quorum: true, ..ApiOptions::default() };
    for (cut_off, cut_ms) in CUTS {
        let (acknowledged, seen) = story(Ended::Agreement, cut_off, Duration::from_millis(cut_ms), options).await;
        let told = format!("node {cut_off} cut after {cut_ms} ms");
        for asked in EVERY_WAY {
            let of_it = seen.iter().filter(|seen| seen.asked == asked);
            assert!(of_it.clone().any(|seen| seen.shows && seen.at < acknowledged), "{asked:?} was served before");
            let late = of_it.clone().filter(|seen| seen.at > acknowledged + PROMISE).count();
            if asked.is_partner() {
                assert_eq!(late, 0, "{told}: {asked:?}");
            } else if asked.insists() {
                // Who asks for such a level gets it or is refused: here nothing after a second without the others.
                let since = acknowledged + Duration::from_millis(cut_ms) + PROMISE;
                assert_eq!(of_it.filter(|seen| seen.at > since).count(), 0, "{told}: {asked:?}");
            } else {
                assert!(late > 50, "{told}: {asked:?}: the border goes on");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_goes_on_without_a_quorum_by_policy_alone_and_says_so() {
    for allowed in [false, true] {
        let (cluster, _, begun) = stage(ApiOptions { local_without_quorum: allowed, ..ApiOptions::default() }).await;
        let node = cluster.api(FOLLOWER);
        let search = || pb::SearchRequest {
            context: context(),
            query: number_query(),
            read: Some(pb::ReadOptions {
                level: pb::ReadLevel::Session as i32,
                token: begun.token.clone(),
                ..Default::default()
            }),
            ..Default::default()
        };
        [1, 2, LEARNER].into_iter().for_each(|other| cluster.world.pipes.cut(FOLLOWER, other));
        sleep(Duration::from_secs(2)).await;
        let answer = answered(node.search(call(caller(Role::Search, "met"), search())).await);
        if allowed {
            let told = answer.unwrap().answer.unwrap();
            assert_eq!((told.level(), told.without_quorum), (pb::ReadLevel::Session, true));
            let staleness = told.staleness_bound.unwrap();
            assert!((2..4).contains(&staleness.seconds), "{staleness:?}");
        } else {
            assert_eq!(refusal_code(answer.map(tonic::Response::new)), "NO_QUORUM");
        }
        let foreign = pb::SearchRequest { context: under(AGREEMENT), ..search() };
        assert_ne!(refusal_code(node.search(call(partner(), foreign)).await), "");
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
        cluster.world.pipes.cut(FOLLOWER, other);
    }
    sleep(Duration::from_secs(2)).await;
    let search = || pb::SearchRequest { context: context(), query: number_query(), ..Default::default() };
    let answer = answered(cluster.api(FOLLOWER).search(call(caller(Role::Search, "met"), search())).await).unwrap();
    assert_eq!(answer.sources[0].candidates.len(), 1);
    let told = answer.answer.unwrap();
    assert_eq!((told.level(), told.without_quorum, told.staleness_bound), (pb::ReadLevel::Local, true, None));
    // From when it is, the answer of the source says: two seconds ago, and no later.
    let as_of = alert_core::alert::time::to_ms(&answer.sources[0].as_of.unwrap()).unwrap();
    let now = cluster.world.host(FOLLOWER).clock.wall_ms();
    assert!((1900..3000).contains(&(now - as_of)), "{} ms", now - as_of);
    let foreign = pb::SearchRequest { context: under(AGREEMENT), ..search() };
    assert_eq!(refusal_code(cluster.api(FOLLOWER).search(call(partner(), foreign)).await), "NO_QUORUM");
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
    // Nor to who asked for no more than what it has seen before; to who asked for whatever is here it does.
    let read = Some(pb::ReadOptions { level: pb::ReadLevel::Session as i32, token, ..Default::default() });
    assert_eq!(refusal_code(national.get(pb::GetRequest { read, ..get(context()) }).await), "BEHIND");
    let read = Some(pb::ReadOptions { level: pb::ReadLevel::Local as i32, ..Default::default() });
    national.get(pb::GetRequest { read, ..get(context()) }).await.unwrap();
    *world.audit.takes.lock() = Some((world.clock.clone(), 900));
    national.get(get(context())).await.unwrap();
    foreign.get(get(under(AGREEMENT))).await.unwrap();
    // The same, had the state been a while old before.
    *world.store.staleness.lock() = Some(Duration::from_millis(200));
    assert_eq!(refusal_code(foreign.get(get(under(AGREEMENT))).await), "BEHIND");
}
