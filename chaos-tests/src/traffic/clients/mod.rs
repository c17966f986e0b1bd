//! What clients do while faults happen: writers, readers that ask random nodes at random levels, searchers of several
//! rights and a partner, followers of the feed, and the keeper of the partner's agreement. All through the client crate,
//! all noted for the checks.

mod alerts;
mod policy;
mod reader;
mod recorder;
mod records;
mod searcher;
mod tokens;
mod watcher;
mod writer;

use std::time::Duration;

use alert_client::AlertClient;
use alert_core::alert::{Caller, Role};
use rand::{Rng, SeedableRng, rngs::SmallRng};
use tokio::time::sleep;

pub use alerts::{Alerts, Known};
pub use reader::read_all;
pub use recorder::Recorder;
pub use records::{Person, number_of, record, value_of};

use crate::sim::{
    machine::START_MS,
    net::{CLIENT_PORT, SimConnector, address},
};

/// What a client does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    Write,
    Read,
    /// Reads at many bounds of age, one read after the other.
    ReadBounded,
    /// Searches as a national system that may know of covert alerts.
    Search,
    /// Searches as one of Northern Ireland that may not.
    SearchOpen,
    /// Searches as a partner, under an agreement.
    SearchPartner,
    Watch,
    /// Follows the feed as a partner, under an agreement.
    WatchPartner,
    /// Keeps the agreement.
    Policy,
}

impl Task {
    /// The identity that its certificate would give.
    pub fn caller(self, name: &str) -> Caller {
        let (country, authority, role) = match self {
            Self::Write | Self::Read | Self::ReadBounded | Self::Watch => ("GB", "nca", Role::Bureau),
            Self::Search => ("GB", "nca", Role::Search),
            Self::SearchOpen => ("GB", "psni", Role::SearchOpen),
            Self::SearchPartner | Self::WatchPartner => ("FR", "police", Role::Partner),
            Self::Policy => ("GB", "home-office", Role::Policy),
        };
        Caller { country: country.into(), authority: authority.into(), system: name.to_owned(), role }
    }
}

/// One client and all it needs.
pub struct Client {
    pub task: Task,
    pub name: String,
    pub number: u32,
    pub seed: u64,
    pub connector: SimConnector,
    pub recorder: Recorder,
    pub alerts: Alerts,
}

impl Client {
    /// Works until told to stop.
    pub async fn run(self) -> turmoil::Result {
        let mut hands = Hands::new(&self);
        while !self.recorder.traffic_runs() {
            if self.recorder.is_over() {
                return Ok(());
            }
            hands.pause(1..20).await;
        }
        match self.task {
            Task::Write => writer::run(&self, &mut hands).await,
            Task::Read | Task::ReadBounded => reader::run(&self, &mut hands).await,
            Task::Search | Task::SearchOpen | Task::SearchPartner => searcher::run(&self, &mut hands).await,
            Task::Watch | Task::WatchPartner => watcher::run(&self, &mut hands).await,
            Task::Policy => policy::run(&self, &mut hands).await,
        }
        Ok(())
    }

    /// Who its certificate says that it is.
    pub fn caller(&self) -> Caller {
        self.task.caller(&self.name)
    }

    /// The true time, milliseconds since 1970.
    pub fn now_ms(&self) -> u64 {
        START_MS + self.recorder.time.now_us() / 1000
    }

    /// A client of the cluster, seeded.
    pub fn connect(&self) -> AlertClient {
        let seeds: Vec<String> = self.recorder.nodes().into_iter().map(|id| address(id, CLIENT_PORT)).collect();
        AlertClient::builder()
            .seeds(seeds)
            .connector(std::sync::Arc::new(self.connector.clone()))
            .seed(self.seed)
            .officer_ref("sim")
            .purpose("alert-management")
            .connect_timeout(Duration::from_millis(500))
            .build()
            .expect("the settings are complete")
    }
}

impl Client {
    /// A plain connection to one node, for streams that are followed by hand.
    async fn channel(&self, address: &str) -> Option<tonic::transport::Channel> {
        let (connector, address) = (self.connector.clone(), address.to_owned());
        let connect = tower::service_fn(move |_: tonic::transport::Uri| {
            let connection = alert_client::Connector::connect(&connector, &address);
            async move { Ok::<_, std::io::Error>(hyper_util::rt::TokioIo::new(connection.await?)) }
        });
        let endpoint = tonic::transport::Endpoint::from_static("http://node");
        tokio::time::timeout(Duration::from_secs(1), endpoint.connect_with_connector(connect)).await.ok()?.ok()
    }
}

/// A client's own dice, and its number for histories.
pub struct Hands {
    pub random: SmallRng,
    /// A new one after each call whose outcome is not known.
    pub client: u32,
}

impl Hands {
    fn new(client: &Client) -> Self {
        Self { random: SmallRng::seed_from_u64(client.seed ^ 0x7AFF), client: client.number }
    }

    /// True so many times in a hundred.
    pub fn percent(&mut self, percent: u32) -> bool {
        self.random.random_range(0..100) < percent
    }

    pub fn millis(&mut self, range: std::ops::Range<u64>) -> Duration {
        Duration::from_millis(self.random.random_range(range))
    }

    pub async fn pause(&mut self, millis: std::ops::Range<u64>) {
        let time = self.millis(millis);
        sleep(time).await;
    }

    /// A node at random, cut off or not.
    pub fn node(&mut self, recorder: &Recorder) -> u64 {
        let nodes = recorder.nodes();
        nodes[self.random.random_range(0..nodes.len())]
    }
}
