//! The operator: forms the cluster, changes its members, asks for snapshots and transfers, and tries again as people do.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use alert_client::{AlertClient, Error, pb};
use alert_core::alert::{Caller, Role};
use parking_lot::Mutex;
use tokio::time::{Instant, sleep};

use crate::{
    report::Timeline,
    sim::{
        Observer,
        net::{CLIENT_PORT, RAFT_PORT, SimConnector, address, node_name},
    },
};

/// What the operator is told to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// Node 1 alone, then the others of `voters`, then `learners`.
    Form {
        voters: Vec<u64>,
        learners: Vec<u64>,
    },
    Join(u64),
    Remove(u64),
    /// `joins` becomes a voter; only then `leaves` is removed.
    Replace {
        joins: u64,
        leaves: u64,
    },
    Snapshot(u64),
    /// 0 = to whoever is best.
    Transfer(u64),
}

#[derive(Default)]
struct Desk {
    orders: VecDeque<Order>,
    done: Vec<(Order, bool)>,
    works: bool,
}

/// The operator's desk. Clones share it.
#[derive(Clone)]
pub struct Operator {
    desk: Arc<Mutex<Desk>>,
    observer: Observer,
    timeline: Timeline,
}

/// How long an order is tried.
const PATIENCE: Duration = Duration::from_secs(12);

impl Operator {
    pub fn new(observer: Observer, timeline: Timeline) -> Self {
        Self { desk: Arc::default(), observer, timeline }
    }

    pub fn caller() -> Caller {
        Caller { country: "GB".into(), authority: "nca".into(), system: "operator".into(), role: Role::Operator }
    }

    pub fn order(&self, order: Order) {
        self.desk.lock().orders.push_back(order);
    }

    /// Orders that came to an end since the last look, and whether they were done.
    pub fn done(&self) -> Vec<(Order, bool)> {
        std::mem::take(&mut self.desk.lock().done)
    }

    /// True when nothing is left to do.
    pub fn is_idle(&self) -> bool {
        let desk = self.desk.lock();
        desk.orders.is_empty() && desk.done.is_empty() && !desk.works
    }

    /// Works on orders, one after the other, for ever.
    pub async fn run(self, connector: SimConnector, seed: u64, seeds: Vec<u64>) -> turmoil::Result {
        let api = AlertClient::builder()
            .seeds(seeds.iter().map(|id| address(*id, CLIENT_PORT)).collect::<Vec<_>>())
            .connector(Arc::new(connector))
            .seed(seed)
            .officer_ref("operator")
            .purpose("alert-management")
            .deadline(Duration::from_secs(4))
            .build()?;
        loop {
            let next = {
                let mut desk = self.desk.lock();
                let next = desk.orders.pop_front();
                desk.works = next.is_some();
                next
            };
            let Some(order) = next else {
                sleep(Duration::from_millis(5)).await;
                continue;
            };
            let done = self.carry_out(&api, &order).await;
            self.timeline.note("operator", format!("{order:?}: {}", if done { "done" } else { "not done" }));
            self.desk.lock().done.push((order, done));
        }
    }

    async fn carry_out(&self, api: &AlertClient, order: &Order) -> bool {
        match order {
            Order::Form { voters, learners } => {
                let first = voters[0];
                let formed =
                    self.insist(order, || async { api.admin().at(address(first, CLIENT_PORT)).init().await.map(drop) });
                if !formed.await {
                    return false;
                }
                for id in &voters[1..] {
                    if !self.join(api, *id, true).await {
                        return false;
                    }
                }
                for id in learners {
                    if !self.join(api, *id, false).await {
                        return false;
                    }
                }
                true
            }
            Order::Join(id) => self.join(api, *id, true).await,
            Order::Remove(id) => self.remove(api, *id).await,
            Order::Replace { joins, leaves } => self.join(api, *joins, true).await && self.remove(api, *leaves).await,
            Order::Snapshot(id) => {
                let admin = api.admin().at(address(*id, CLIENT_PORT));
                admin.trigger_snapshot().await.is_ok()
            }
            Order::Transfer(to) => match self.at_leader(api) {
                Ok(leader) => leader.admin().transfer_leader(*to).await.is_ok(),
                Err(_) => false,
            },
        }
    }

    async fn join(&self, api: &AlertClient, id: u64, votes: bool) -> bool {
        let node = pb::AddLearnerRequest {
            node_id: id,
            name: node_name(id),
            raft_address: address(id, RAFT_PORT),
            client_address: address(id, CLIENT_PORT),
            data_centre: format!("dc-{}", id % 3),
        };
        let is_so = |error: &Error| error.message.ends_with("already");
        let add = || async { unless(is_so, self.at_leader(api)?.admin().add_learner(node.clone()).await) };
        let promote = || async { unless(is_so, self.at_leader(api)?.admin().promote(id).await) };
        let order = Order::Join(id);
        self.insist(&order, add).await && (!votes || self.insist(&order, promote).await)
    }

    async fn remove(&self, api: &AlertClient, id: u64) -> bool {
        let is_gone = |error: &Error| error.code == "NOT_FOUND";
        let remove = || async {
            // A leader is not removed: it hands over first.
            if self.observer.leader() == Some(id) {
                self.at_leader(api)?.admin().transfer_leader(0).await?;
            }
            unless(is_gone, self.at_leader(api)?.admin().remove(id).await)
        };
        self.insist(&Order::Remove(id), remove).await
    }

    /// The leader of the moment, as far as anybody knows. (Operators look at every node; clients ask at random.)
    fn at_leader(&self, api: &AlertClient) -> Result<AlertClient, Error> {
        let leader = self.observer.leader().unwrap_or(1);
        Ok(api.at_node(address(leader, CLIENT_PORT)))
    }

    async fn insist<F: Future<Output = Result<(), Error>>>(&self, order: &Order, ask: impl Fn() -> F) -> bool {
        let until = Instant::now() + PATIENCE;
        let mut last = String::new();
        while Instant::now() < until {
            match ask().await {
                Ok(()) => return true,
                Err(error) => {
                    let words = format!("{order:?}: {} {}", error.code, error.message);
                    if words != last {
                        self.timeline.note("operator", words.clone());
                        last = words;
                    }
                }
            }
            sleep(Duration::from_millis(50)).await;
        }
        false
    }
}

/// A change whose answer was lost may have been made: then the next try is refused with the words that it `is_done`. The
/// cluster says so of committed members alone.
fn unless(is_done: impl Fn(&Error) -> bool, changed: Result<pb::MembershipResponse, Error>) -> Result<(), Error> {
    match changed {
        Err(error) if is_done(&error) => Ok(()),
        changed => changed.map(drop),
    }
}
