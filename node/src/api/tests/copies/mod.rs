//! National copies, kept by an export and the feed, through an hour of faults: nodes killed and cut off, snapshots
//! installed, the feed compacted, agreements and rules changed. Every copy equals what its keeper may see, by the hash of
//! its contents; every event comes once and in order.
//!
//! `ALERT_SEED=n` replays a run, `ALERT_COPY_MINUTES=m` makes it longer or shorter than it is by default.

mod chronicle;
mod faults;
mod keeper;

use std::{
    collections::BTreeSet,
    env,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use alert_core::{
    alert::{AlertId, time::from_ms},
    pb::{self, alert_service_server::AlertService},
    state::{command::Command, family::Family, scan_prefix},
};
use prost::Message;
use rand::{Rng, SeedableRng, rngs::StdRng};
use tokio::time::{Instant, sleep, timeout};

use self::{
    chronicle::Chronicle,
    faults::{Faults, ROUND, fault},
    keeper::{Contents, Copy, Counts, Keeper, KeepingUp, hash, id_of, keepers},
};
use super::{
    cluster::{Alive, Cluster, answered, call, run},
    code, person,
    world::agreement,
};
use crate::{
    api::{Api, ApiOptions, Level, Store},
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
