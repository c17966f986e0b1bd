//! A keeper of a national copy: it exports once, follows the feed, and begins anew when the feed says so.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use alert_core::{
    alert::{Caller, Role},
    pb::{self, alert_service_server::AlertService, feed_service_server::FeedService},
};
use futures::StreamExt;
use prost::Message;
use rand::{Rng, rngs::StdRng};
use tokio::time::{Instant, sleep, timeout};

use super::AGREEMENT;
use crate::api::{
    Api, detail_of,
    feed::revision_of_cursor,
    tests::{
        caller,
        cluster::{Alive, answered, call, stream},
        code, context, nca, partner, under,
    },
};

/// A copy's keeper: who it is and what it asks for.
#[derive(Clone)]
pub(super) struct Keeper {
    pub name: &'static str,
    pub caller: Caller,
    pub context: Option<pb::CallContext>,
    pub filter: Option<pb::AlertFilter>,
}

pub(super) fn keepers() -> Vec<Keeper> {
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

pub(super) type Contents = BTreeMap<String, Vec<u8>>;

pub(super) fn hash(contents: &Contents) -> String {
    let mut hasher = blake3::Hasher::new();
    for (id, record) in contents {
        hasher.update(id.as_bytes());
        hasher.update(&(record.len() as u64).to_le_bytes());
        hasher.update(record);
    }
    hasher.finalize().to_hex().to_string()
}

pub(super) fn id_of(record: &pb::AlertRecord) -> String {
    record.info.as_ref().expect("a record says which it is").id.clone()
}

/// What happened to a copy, to show that the run was one.
#[derive(Default)]
pub(super) struct Counts {
    pub events: AtomicU64,
    pub exports: AtomicU64,
    pub pages_resumed: AtomicU64,
    pub reconnects: AtomicU64,
    pub resyncs: AtomicU64,
    pub compacted: AtomicU64,
}

impl Counts {
    fn one(count: &AtomicU64) {
        count.fetch_add(1, Ordering::Relaxed);
    }
}

/// A copy as others see it.
#[derive(Default)]
pub(super) struct Copy {
    pub contents: Contents,
    /// Complete up to this revision; `None` while it begins anew.
    pub complete_to: Option<u64>,
    /// Revisions of the events that came.
    pub came: BTreeSet<u64>,
    /// What the feed claims to have told whole: after the one revision, up to the other. Between two of them lies an export.
    pub told: Vec<(u64, u64)>,
}

impl Copy {
    fn reach(&mut self, revision: u64) {
        self.told.last_mut().expect("a feed was begun").1 = revision;
    }
}

pub(super) struct KeepingUp {
    pub keeper: Keeper,
    pub alive: Alive,
    pub copy: Arc<Mutex<Copy>>,
    pub counts: Arc<Counts>,
    pub random: StdRng,
}

impl KeepingUp {
    /// Any node that is alive.
    fn any(&mut self) -> Option<Api> {
        let alive = self.alive.lock().unwrap();
        let chosen = self.random.random_range(0..alive.len().max(1));
        alive.values().nth(chosen).map(|(_, api)| api.clone())
    }

    pub async fn keep(mut self) {
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
