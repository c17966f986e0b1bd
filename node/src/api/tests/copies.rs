//! National copies, kept by an export and the feed, through an hour of faults: nodes killed and cut off, snapshots
//! installed, the feed compacted, agreements and rules changed. Every copy equals what its keeper may see, by the hash of
//! its contents; every event comes once and in order.
//!
//! `ALERT_SEED=n` replays a run, `ALERT_COPY_MINUTES=m` makes it longer or shorter than it is by default.

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use alert_core::{
    alert::{AlertId, Caller, Label, Role, Sight, Viewer, time::from_ms},
    pb::{self, alert_service_server::AlertService, feed_service_server::FeedService},
    state::{Change, FeedEntries, command::Command, family::Family, scan_prefix},
};
use futures::StreamExt;
use prost::Message;
use rand::{Rng, SeedableRng, rngs::StdRng, seq::SliceRandom};
use tokio::time::{Instant, sleep, timeout};

use super::{
    caller,
    cluster::{Alive, Cluster, answered, call, run, stream},
    code, context, nca, partner, person, under,
    world::agreement,
};
use crate::{
    api::{
        AdminBackend, Api, ApiOptions, ForwardedCaller, Leadership, Level, Store, alerts::Filter, call::Call,
        detail_of, feed::revision_of_cursor, operations,
    },
    raft::{
        options::LogBounds,
        tests::world::{World, soon},
    },
    seam::{OsRandom, Random},
};

const VOTERS: [u64; 3] = [1, 2, 3];
const LEARNER: u64 = 4;
const AGREEMENT: &str = "fr-1";
/// Sources of the alerts that come and go.
const ALERTS: u8 = 60;

/// A copy's keeper: who it is and what it asks for.
#[derive(Clone)]
struct Keeper {
    name: &'static str,
    caller: Caller,
    context: Option<pb::CallContext>,
    filter: Option<pb::AlertFilter>,
}

fn keepers() -> Vec<Keeper> {
    let only = |categories: &[&str], owners: &[&str]| {
        Some(pb::AlertFilter {
            categories: categories.iter().map(|category| code("category", category).unwrap()).collect(),
            owners: owners.iter().map(|owner| pb::Party { code: (*owner).into() }).collect(),
            ..Default::default()
        })
    };
    let national = |name, role, filter| Keeper { name, caller: caller(role, "met"), context: context(), filter };
    vec![
        national("a bureau of another authority", Role::Bureau, None),
        national("a system that sees open alerts", Role::SearchOpen, None),
        national("a system that keeps one category", Role::Search, only(&["missing"], &["GB"])),
        Keeper { name: "the owner", caller: nca(), context: context(), filter: None },
        Keeper { name: "a partner", caller: partner(), context: under(AGREEMENT), filter: None },
    ]
}

type Contents = BTreeMap<String, Vec<u8>>;

fn hash(contents: &Contents) -> String {
    let mut hasher = blake3::Hasher::new();
    for (id, record) in contents {
        hasher.update(id.as_bytes());
        hasher.update(&(record.len() as u64).to_le_bytes());
        hasher.update(record);
    }
    hasher.finalize().to_hex().to_string()
}

fn id_of(record: &pb::AlertRecord) -> String {
    record.info.as_ref().expect("a record says which it is").id.clone()
}

/// What happened to a copy, to show that the run was one.
#[derive(Default)]
struct Counts {
    events: AtomicU64,
    exports: AtomicU64,
    pages_resumed: AtomicU64,
    reconnects: AtomicU64,
    resyncs: AtomicU64,
    compacted: AtomicU64,
}

impl Counts {
    fn one(count: &AtomicU64) {
        count.fetch_add(1, Ordering::Relaxed);
    }
}

/// A copy as others see it.
#[derive(Default)]
struct Copy {
    contents: Contents,
    /// Complete up to this revision; `None` while it begins anew.
    complete_to: Option<u64>,
    /// Revisions of the events that came.
    came: BTreeSet<u64>,
    /// What the feed claims to have told whole: after the one revision, up to the other. Between two of them lies an export.
    told: Vec<(u64, u64)>,
}

impl Copy {
    fn reach(&mut self, revision: u64) {
        self.told.last_mut().expect("a feed was begun").1 = revision;
    }
}

/// What happened in the family of changes, written down before it is compacted: what each copy has to be told of.
#[derive(Default)]
struct Chronicle {
    written_to: u64,
    /// Of each keeper, the revisions that concern what it may see.
    concerns: BTreeMap<&'static str, BTreeSet<u64>>,
    /// Of each keeper, revisions of which it is not known: its agreement changed between them and the reading.
    uncertain: BTreeMap<&'static str, Vec<(u64, u64)>>,
    agreement_version: u64,
}

impl Chronicle {
    /// Writes down what a node holds and is not written down yet.
    async fn write_down(&mut self, api: &Api) {
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
    fn check(&self, keeper: &Keeper, copy: &Copy) -> usize {
        let none = BTreeSet::new();
        let concerns = self.concerns.get(keeper.name).unwrap_or(&none);
        let uncertain = self.uncertain.get(keeper.name).map_or(&[][..], Vec::as_slice);
        let is_certain = |revision: &u64| {
            *revision <= self.written_to && !uncertain.iter().any(|(after, to)| (after + 1..=*to).contains(revision))
        };
        let mut compared = 0;
        for (after, to) in &copy.told {
            let range = || after + 1..=*to;
            let due: Vec<_> = concerns.range(range()).filter(|revision| is_certain(revision)).collect();
            let came: Vec<_> = copy.came.range(range()).filter(|revision| is_certain(revision)).collect();
            assert_eq!(due, came, "{}: the changes after {after} up to {to}", keeper.name);
            compared += due.len();
        }
        compared
    }
}

struct KeepingUp {
    keeper: Keeper,
    alive: Alive,
    copy: Arc<Mutex<Copy>>,
    counts: Arc<Counts>,
    random: StdRng,
}

impl KeepingUp {
    /// Any node that is alive.
    fn any(&mut self) -> Option<Api> {
        let alive = self.alive.lock().unwrap();
        let chosen = self.random.random_range(0..alive.len().max(1));
        alive.values().nth(chosen).map(|(_, api)| api.clone())
    }

    async fn keep(mut self) {
        loop {
            let cursor = self.export().await;
            self.follow(cursor).await;
        }
    }

    /// Everything, page by page, on any node, going on elsewhere whenever one fails.
    async fn export(&mut self) -> Vec<u8> {
        Counts::one(&self.counts.exports);
        self.copy.lock().unwrap().complete_to = None;
        let (mut contents, mut resume_token) = (Contents::new(), Vec::new());
        loop {
            let Some(api) = self.any() else {
                sleep(Duration::from_millis(50)).await;
                continue;
            };
            let Keeper { caller, context, filter, .. } = self.keeper.clone();
            let export = pb::ExportRequest { context, filter, resume_token: resume_token.clone(), read: None };
            let mut pages = match answered(api.export(call(caller, export)).await) {
                Ok(pages) => pages,
                Err(_) => {
                    sleep(Duration::from_millis(30)).await;
                    continue;
                }
            };
            // Sometimes the caller goes away in the middle, of its own accord.
            let mut leave_after = self.random.random_range(1..6);
            while let Ok(Some(page)) = timeout(Duration::from_secs(5), pages.next()).await {
                let page = match page {
                    Ok(page) => page,
                    Err(status) => {
                        if detail_of(&status).is_some_and(|detail| detail.code == "TOKEN_INVALID") {
                            // The agreement changed in the middle: from the beginning.
                            (contents, resume_token) = (Contents::new(), Vec::new());
                        }
                        break;
                    }
                };
                for record in &page.records {
                    contents.insert(id_of(record), record.encode_to_vec());
                }
                resume_token = page.resume_token;
                if resume_token.is_empty() {
                    self.copy.lock().unwrap().contents = contents;
                    return page.feed_cursor;
                }
                leave_after -= 1;
                if leave_after == 0 {
                    Counts::one(&self.counts.pages_resumed);
                    break;
                }
            }
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// The changes behind `cursor`, on any node, until the feed says to begin anew.
    async fn follow(&mut self, mut cursor: Vec<u8>) {
        let mut reached = revision_of_cursor(&self.any_api().await, &cursor);
        self.copy.lock().unwrap().told.push((reached, reached));
        loop {
            let api = self.any_api().await;
            let Keeper { caller, context, filter, .. } = self.keeper.clone();
            let watch = pb::WatchRequest { context, cursor: cursor.clone(), filter };
            Counts::one(&self.counts.reconnects);
            let Ok(mut messages) = answered(api.watch(stream(caller, watch)).await) else {
                sleep(Duration::from_millis(30)).await;
                continue;
            };
            let leave_at = Instant::now() + Duration::from_millis(self.random.random_range(100..20_000));
            while Instant::now() < leave_at {
                // A feed that says nothing for five seconds, not even how far it is, is a lost connection.
                let Ok(Some(Ok(message))) = timeout(Duration::from_secs(5), messages.next()).await else { break };
                let told = message.answer.expect("every message has a context");
                assert!(told.staleness_bound.is_some() && told.level() == pb::ReadLevel::Bounded);
                match message.item.expect("a message says something") {
                    pb::watch_response::Item::Events(events) => {
                        for event in events.events {
                            let revision = revision_of_cursor(&api, &event.cursor);
                            assert!(revision > reached, "{}: {revision} after {reached}", self.keeper.name);
                            reached = revision;
                            cursor = event.cursor;
                            self.take(event.alert_id, event.change.expect("an event says what changed"), revision);
                        }
                    }
                    pb::watch_response::Item::Progress(progress) => {
                        let revision = revision_of_cursor(&api, &progress.cursor);
                        assert!(revision >= reached, "{}: {revision} after {reached}", self.keeper.name);
                        reached = revision;
                        cursor = progress.cursor;
                        let mut copy = self.copy.lock().unwrap();
                        copy.complete_to = Some(revision);
                        copy.reach(revision);
                    }
                    pb::watch_response::Item::Restart(restart) => {
                        match restart.code.as_str() {
                            "RESYNC" => Counts::one(&self.counts.resyncs),
                            "COMPACTED" => Counts::one(&self.counts.compacted),
                            other => panic!("{other}"),
                        }
                        assert!(restart.how.contains("export"));
                        return;
                    }
                }
            }
            // Sometimes it is away for long.
            if self.random.random_bool(0.05) {
                sleep(Duration::from_secs(self.random.random_range(5..60))).await;
            }
        }
    }

    async fn any_api(&mut self) -> Api {
        loop {
            match self.any() {
                Some(api) => return api,
                None => sleep(Duration::from_millis(50)).await,
            }
        }
    }

    fn take(&self, id: String, change: pb::feed_event::Change, revision: u64) {
        Counts::one(&self.counts.events);
        let mut copy = self.copy.lock().unwrap();
        match change {
            pb::feed_event::Change::Upsert(record) => {
                assert_eq!(id_of(&record), id);
                copy.contents.insert(id, record.encode_to_vec());
            }
            pb::feed_event::Change::Removal(pb::FeedRemoval {}) => drop(copy.contents.remove(&id)),
        }
        copy.complete_to = Some(revision);
        copy.came.insert(revision);
        copy.reach(revision);
    }
}

/// One of the alerts that there are, tombstones too.
async fn existing(alive: &Alive, random: &mut StdRng) -> Option<AlertId> {
    let node = alive.lock().unwrap().values().next().map(|(node, _)| node.clone())?;
    let handle = node.read(Level::Local, soon(1)).await.ok()?;
    let mut ids = Vec::new();
    scan_prefix(&*handle.view, Family::Alerts, b"", |key, _| {
        ids.extend(AlertId::from_slice(key));
        Ok(true)
    })
    .ok()?;
    if ids.is_empty() { None } else { Some(ids[random.random_range(0..ids.len())]) }
}

/// Changes at random: alerts mostly; now and then the agreement and the rules.
async fn write(alive: Alive, mut random: StdRng, pause: Arc<AtomicBool>, written: Arc<AtomicU64>, clock_ms: u64) {
    let began = Instant::now();
    loop {
        sleep(Duration::from_millis(random.random_range(5..400))).await;
        if pause.load(Ordering::Relaxed) {
            continue;
        }
        let number = random.random_range(1..=ALERTS);
        let fresh = AlertId::from_bytes(random.random());
        let id = existing(&alive, &mut random).await.unwrap_or(fresh);
        let category = ["arrest", "missing", "discreet-check"][random.random_range(0..3)];
        let changed = |version: u64| {
            let mut alert = person(number.into(), category);
            let source = alert.core.as_mut().unwrap().source.as_mut().unwrap();
            source.source_version = version;
            alert.internal.as_mut().unwrap().note = format!("change {version}");
            alert.encode_to_vec()
        };
        let restriction = |kind: pb::RestrictionKind, territory: &str, for_ms: u64| {
            let now_ms = clock_ms + began.elapsed().as_millis() as u64;
            pb::Restriction {
                kind: kind as i32,
                territories: vec![pb::Party { code: territory.into() }],
                requested_by: "desk".into(),
                from: Some(from_ms(now_ms)),
                until: Some(from_ms(now_ms + for_ms)),
                ..Default::default()
            }
            .encode_to_vec()
        };
        let version = began.elapsed().as_millis() as u64 + 2;
        let command = match random.random_range(0..100) {
            0..45 => Command::Import { id: fresh, alert: changed(version) },
            45..60 => Command::Create { id: fresh, alert: changed(version), as_draft: random.random_bool(0.2) },
            60..72 => Command::Cancel { id, expected_version: 0, reason: "executed".into(), by: "desk".into() },
            72..80 => Command::Erase { id, ground: "court order".into(), by: "desk".into() },
            80..88 => Command::Restrict {
                id,
                expected_version: 0,
                restriction: restriction(pb::RestrictionKind::Suspended, "FR", random.random_range(1_000..90_000)),
            },
            88..93 => Command::Restrict {
                id,
                expected_version: 0,
                restriction: restriction(pb::RestrictionKind::Blocked, "GB", random.random_range(1_000..90_000)),
            },
            93..98 => Command::LiftRestriction { id, expected_version: 0, number: 1, by: "desk".into() },
            _ => Command::Tick,
        };
        // What the state machine refuses (no such alert, ended already) is part of the story.
        if run(&alive, command).await.is_ok() {
            written.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// The agreement is changed, and wider or narrower than before.
async fn change_agreement(cluster: &Cluster, version: &mut u64) {
    let mut agreed = agreement(AGREEMENT);
    if version.is_multiple_of(2) {
        agreed.categories.push(code("category", "missing").unwrap());
    }
    cluster.run(Command::PutAgreement { agreement: agreed.encode_to_vec(), expected_version: *version }).await;
    *version += 1;
}

const KILLED: &str = "killed";
const CUT_OFF: &str = "cut off";
const CUT_FROM_ONE: &str = "cut from one";
const LEADERSHIP_MOVED: &str = "leadership moved";
const NEEDS_SNAPSHOT: &str = "cut off until it needs a snapshot";
/// In this mixture, each round in another order: so that each happens in any run that is long enough.
const ROUND: [&str; 10] =
    [KILLED, KILLED, KILLED, CUT_OFF, CUT_OFF, CUT_OFF, CUT_FROM_ONE, CUT_FROM_ONE, LEADERSHIP_MOVED, NEEDS_SNAPSHOT];

/// What happens next.
#[derive(Default)]
struct Faults {
    round: Vec<&'static str>,
    happened: BTreeMap<&'static str, u64>,
    /// Snapshots that were seen on their way to a node that had been away. Some are over before they are seen.
    snapshots: u64,
}

impl Faults {
    fn next(&mut self, random: &mut StdRng) -> &'static str {
        if self.round.is_empty() {
            self.round.extend(ROUND);
            self.round.shuffle(random);
        }
        let kind = self.round.pop().expect("just filled");
        *self.happened.entry(kind).or_default() += 1;
        kind
    }
}

/// One fault, and its end.
async fn fault(cluster: &mut Cluster, random: &mut StdRng, faults: &mut Faults) {
    let node = [1, 2, 3, LEARNER][random.random_range(0..4)];
    let others: Vec<u64> = [1, 2, 3, LEARNER].into_iter().filter(|other| *other != node).collect();
    let for_a_while = Duration::from_millis(random.random_range(200..15_000));
    match faults.next(random) {
        KILLED => {
            cluster.kill(node).await;
            sleep(for_a_while).await;
            cluster.start(node).await;
        }
        CUT_OFF => {
            others.iter().for_each(|other| cluster.world.pipes.cut(node, *other));
            sleep(for_a_while).await;
            others.iter().for_each(|other| cluster.world.pipes.heal(node, *other));
        }
        CUT_FROM_ONE => {
            let other = others[random.random_range(0..others.len())];
            cluster.world.pipes.cut(node, other);
            sleep(for_a_while).await;
            cluster.world.pipes.heal(node, other);
        }
        LEADERSHIP_MOVED => {
            if let Some(leader) = leader(cluster) {
                // It may well be refused: the others lag, or another fault is not over yet.
                drop(cluster.world.node(leader).admin().transfer_leader(0, soon(5)).await);
            }
        }
        _ => {
            others.iter().for_each(|other| cluster.world.pipes.cut(node, *other));
            sleep(Duration::from_secs(5)).await;
            for other in others.iter().filter(|other| VOTERS.contains(other)) {
                if let Ok(built) = cluster.world.node(*other).admin().trigger_snapshot(soon(5)).await {
                    cluster.world.cut_log(*other, built.snapshot_index).await;
                }
            }
            sleep(Duration::from_secs(2)).await;
            let mut receives = cluster.world.node(node).snapshots_under_way();
            others.iter().for_each(|other| cluster.world.pipes.heal(node, *other));
            // Not where so little was written meanwhile that the log still reaches back.
            let received = timeout(Duration::from_secs(20), receives.wait_for(|coming| *coming > 0)).await;
            faults.snapshots += u64::from(received.is_ok());
        }
    }
}

fn leader(cluster: &Cluster) -> Option<u64> {
    let alive = cluster.alive.lock().unwrap();
    let mut leads = alive.iter().filter(|(_, (node, _))| matches!(*node.leadership().borrow(), Leadership::Me { .. }));
    leads.next().map(|(id, _)| *id)
}

/// What a keeper may see, by a list, on one node; at which revision.
async fn truth(api: &Api, keeper: &Keeper) -> (Contents, u64) {
    let mut contents = Contents::new();
    let mut page_token = Vec::new();
    loop {
        let Keeper { caller, context, filter, .. } = keeper.clone();
        let list = pb::ListRequest { context, filter, page_token, page_size: 1000, read: None };
        let page = answered(api.list(call(caller, list)).await).expect("a healthy cluster lists");
        contents.extend(page.records.iter().map(|record| (id_of(record), record.encode_to_vec())));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return (contents, api.store().applied().borrow().revision);
        }
    }
}

/// Every node of the cluster is there, reaches the others, and has what the leader has.
async fn until_whole(cluster: &Cluster) {
    for id in [1, 2, 3, LEARNER] {
        cluster.world.until_ready(id).await;
    }
    let leader = cluster.world.leader().await;
    let most = cluster.world.node(leader).applied().borrow().revision;
    cluster
        .world
        .until("all have what the leader has", |world| {
            [1, 2, 3, LEARNER].iter().all(|id| world.node(*id).applied().borrow().revision >= most)
        })
        .await;
}

async fn an_hour(seed: u64, minutes: u64) {
    println!("ALERT_SEED={seed} ALERT_COPY_MINUTES={minutes}");
    let mut random = StdRng::seed_from_u64(seed);
    let mut world = World::new();
    world.log = LogBounds { keep_bytes: 0, keep_entries: 5, ..LogBounds::default() };
    let mut world = world.formed(3).await;
    world.start(LEARNER).await;
    world.join(1, LEARNER).await.unwrap();
    world.until_ready(LEARNER).await;
    let mut cluster = Cluster::over(world, [1, 2, 3, LEARNER], ApiOptions::default());
    let agreed = agreement(AGREEMENT).encode_to_vec();
    cluster.run(Command::PutAgreement { agreement: agreed, expected_version: 0 }).await;

    let (pause, written) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let clock_ms = cluster.world.host(1).clock.wall_ms();
    let writing = StdRng::seed_from_u64(random.random());
    let mut tasks = vec![tokio::spawn(write(cluster.alive.clone(), writing, pause.clone(), written.clone(), clock_ms))];
    let mut copies = Vec::new();
    for keeper in keepers() {
        let (copy, counts) = (Arc::<Mutex<Copy>>::default(), Arc::<Counts>::default());
        let keeping = KeepingUp {
            keeper: keeper.clone(),
            alive: cluster.alive.clone(),
            copy: copy.clone(),
            counts: counts.clone(),
            random: StdRng::seed_from_u64(random.random()),
        };
        tasks.push(tokio::spawn(keeping.keep()));
        copies.push((keeper, copy, counts));
    }

    let mut faults = Faults::default();
    let mut chronicle = Chronicle { agreement_version: 1, ..Chronicle::default() };
    let (mut agreement_version, mut resyncs_due) = (1, 0);
    let end = Instant::now() + Duration::from_secs(60 * minutes);
    let (mut compared, mut told) = (0, 0);
    while Instant::now() < end {
        let until = Instant::now() + Duration::from_secs(60);
        while Instant::now() < until {
            fault(&mut cluster, &mut random, &mut faults).await;
            chronicle.write_down(&cluster.api(1)).await;
            let revision = cluster.world.node(1).applied().borrow().revision.min(chronicle.written_to);
            // Mostly right behind the newest change, where it overtakes whoever was cut off for a moment.
            let kept = if random.random_bool(0.75) { random.random_range(0..2) } else { random.random_range(0..60) };
            let before_revision = revision.saturating_sub(kept);
            cluster.run(Command::CompactFeed { before_revision }).await;
            sleep(Duration::from_millis(random.random_range(0..4000))).await;
            assert!(tasks.iter().all(|task| !task.is_finished()), "a copy found a fault: see above");
        }
        // The writers hold still, the cluster heals, and every copy is what its keeper may see.
        pause.store(true, Ordering::Relaxed);
        until_whole(&cluster).await;
        sleep(Duration::from_secs(95)).await;
        let leader = cluster.world.leader().await;
        for (keeper, copy, _) in &copies {
            let (truth, revision) = truth(&cluster.api(leader), keeper).await;
            let caught_up = || copy.lock().unwrap().complete_to.is_some_and(|complete| complete >= revision);
            cluster.world.until("the copy has caught up", |_| caught_up()).await;
            let copy = copy.lock().unwrap();
            let differ: Vec<_> = truth
                .keys()
                .chain(copy.contents.keys())
                .filter(|id| truth.get(*id) != copy.contents.get(*id))
                .collect();
            assert!(differ.is_empty(), "{} at revision {revision}: {differ:?} differ", keeper.name);
            assert_eq!(hash(&truth), hash(&copy.contents), "{}", keeper.name);
        }
        compared += 1;
        // Nothing is missing before the newest state either: each change came, and each once.
        chronicle.write_down(&cluster.api(leader)).await;
        for (keeper, copy, _) in &copies {
            told += chronicle.check(keeper, &copy.lock().unwrap());
        }
        // The partner's agreement changes, and its copy is told to begin anew.
        change_agreement(&cluster, &mut agreement_version).await;
        resyncs_due += 1;
        let (_, _, counts) = copies.last().expect("the partner's");
        let resynced = || counts.resyncs.load(Ordering::Relaxed) >= resyncs_due;
        // It may be away for up to a minute.
        let told_so = async {
            while !resynced() {
                sleep(Duration::from_millis(50)).await;
            }
        };
        timeout(Duration::from_secs(120), told_so).await.expect("the partner's copy begins anew");
        chronicle.write_down(&cluster.api(leader)).await;
        pause.store(false, Ordering::Relaxed);
    }
    tasks.iter().for_each(tokio::task::JoinHandle::abort);

    println!(
        "{compared} comparisons, {} changes, {told} events compared with the changes that there were; {:?}; {} snapshots seen",
        written.load(Ordering::Relaxed),
        faults.happened,
        faults.snapshots
    );
    let mut all = [0; 2];
    for (keeper, copy, counts) in &copies {
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let copy = copy.lock().unwrap();
        println!(
            "{}: {} records, hash {}; {} events, {} exports ({} resumed), {} connections, {} RESYNC, {} COMPACTED",
            keeper.name,
            copy.contents.len(),
            &hash(&copy.contents)[..16],
            count(&counts.events),
            count(&counts.exports),
            count(&counts.pages_resumed),
            count(&counts.reconnects),
            count(&counts.resyncs),
            count(&counts.compacted),
        );
        assert!(count(&counts.events) > 20 * minutes, "{}: too little happened", keeper.name);
        for (sum, one) in all.iter_mut().zip([&counts.compacted, &counts.reconnects]) {
            *sum += count(one);
        }
    }
    assert!(all.iter().all(|sum| *sum > 0), "COMPACTED, connections: {all:?}");
    assert!(told as u64 > 20 * minutes, "too little was compared");
    // Two rounds of faults at least.
    if minutes >= 10 {
        assert_eq!(faults.happened.len(), ROUND.iter().collect::<BTreeSet<_>>().len(), "{:?}", faults.happened);
    }
}

fn from_environment(name: &str, otherwise: u64) -> u64 {
    env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(otherwise)
}

#[tokio::test(start_paused = true)]
async fn national_copies_are_kept_in_step_through_faults_by_the_hash_of_their_contents() {
    let seed = from_environment("ALERT_SEED", OsRandom.next_u64());
    an_hour(seed, from_environment("ALERT_COPY_MINUTES", 10)).await;
}
