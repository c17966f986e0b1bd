//! The client's handle.

use std::{sync::Arc, time::Duration};

use alert_cluster_config::tls::ClientTls;
use alert_proto::v1 as pb;
use metrics::{counter, histogram};
use tokio::time::timeout;
use tracing::{Instrument, field, info_span};

use crate::{
    Admin,
    builder::AlertClientBuilder,
    call::{self, Budgets, Call, CallDefaults, Kind, Manner, RequestIds},
    certificates::{Certificates, Reloader},
    error::{Error, codes},
    limits, metric,
    routing::{NodeView, Routing, TopologyView, Watcher},
    session::{Demand, Session},
};

/// A client of the alert store. Cheap to clone; all clones share connections, topology, request ids and session.
///
/// ```no_run
/// use alert_client::{AlertClient, ClientTlsSection, pb};
///
/// # async fn example() -> Result<(), alert_client::Error> {
/// let client = AlertClient::builder()
///     .seeds(["alerts-1.example:7001", "alerts-2.example:7001"])
///     .tls(ClientTlsSection {
///         cluster_ca: Some("cluster-ca.pem".into()),
///         certificate: Some("client.pem".into()),
///         key: Some("client.key".into()),
///         ..ClientTlsSection::default()
///     })
///     .data_centre("london")
///     .officer_ref("officer-4711")
///     .purpose("border-control")
///     .build()?;
/// let answer = client
///     .search(pb::SearchRequest {
///         query: Some(pb::Query { any_number: "AB 123 456".into(), ..Default::default() }),
///         ..Default::default()
///     })
///     .await?;
/// print!("{}", alert_client::present::search(&answer));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct AlertClient {
    shared: Arc<Shared>,
    defaults: Arc<CallDefaults>,
}

struct Shared {
    routing: Arc<Routing>,
    request_ids: RequestIds,
    session: Session,
    budgets: Budgets,
    certificates: Option<Arc<Certificates>>,
    _watcher: Watcher,
    _reloader: Option<Reloader>,
}

impl AlertClient {
    /// Begins the settings of a client.
    pub fn builder() -> AlertClientBuilder {
        AlertClientBuilder::default()
    }

    pub(crate) fn start(
        routing: Routing,
        defaults: CallDefaults,
        tls: Option<Arc<ClientTls>>,
        look_at_certificates: Duration,
    ) -> Self {
        let request_ids = RequestIds::new(routing.random().bytes());
        let routing = Arc::new(routing);
        let watcher = Watcher::start(routing.clone());
        let certificates = tls.map(|tls| Arc::new(Certificates::new(tls, routing.clone())));
        let reloader = certificates.clone().map(|kept| Reloader::start(kept, look_at_certificates));
        let shared = Shared {
            routing,
            request_ids,
            session: Session::default(),
            budgets: Budgets::default(),
            certificates,
            _watcher: watcher,
            _reloader: reloader,
        };
        Self { shared: Arc::new(shared), defaults: Arc::new(defaults) }
    }

    /// The same client with other defaults for its calls.
    ///
    /// ```
    /// # use alert_client::AlertClient;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), alert_client::Error> {
    /// # let client = AlertClient::builder().seeds(["127.0.0.1:7001"]).plaintext_loopback().build()?;
    /// // One handle for each officer, over the same connections.
    /// let lane_4 = client.with_defaults(|defaults| defaults.officer_ref = "officer-4711".to_owned());
    /// assert_eq!((client.defaults().officer_ref.as_str(), lane_4.defaults().officer_ref.as_str()), ("", "officer-4711"));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn with_defaults(&self, change: impl FnOnce(&mut CallDefaults)) -> Self {
        let mut defaults = (*self.defaults).clone();
        change(&mut defaults);
        Self { shared: self.shared.clone(), defaults: Arc::new(defaults) }
    }

    /// The same client with one deadline for all its calls. A deadline of zero answers `DEADLINE_EXCEEDED` at once.
    #[must_use]
    pub fn with_deadline(&self, deadline: Duration) -> Self {
        self.with_defaults(|defaults| defaults.deadline = Some(deadline))
    }

    /// The same client with a read level for reads that name none.
    #[must_use]
    pub fn with_read_level(&self, level: pb::ReadLevel) -> Self {
        self.with_defaults(|defaults| defaults.read_level = Some(level))
    }

    /// The same client, all of whose calls go to the node at `address` and nowhere else: for tools and tests that want
    /// to know what this one node says.
    #[must_use]
    pub fn at_node(&self, address: impl Into<String>) -> Self {
        self.with_defaults(|defaults| defaults.only_node = Some(address.into()))
    }

    /// What calls carry unless their requests say otherwise.
    pub fn defaults(&self) -> &CallDefaults {
        &self.defaults
    }

    /// Cluster administration through this client's connections; needs an operator's certificate.
    pub fn admin(&self) -> Admin {
        Admin::new(self.clone())
    }

    /// The newest state seen, to hand to another process; `None` before the first answer. Opaque.
    ///
    /// ```
    /// # use alert_client::AlertClient;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), alert_client::Error> {
    /// let client = AlertClient::builder().seeds(["127.0.0.1:7001"]).plaintext_loopback().build()?;
    /// assert_eq!(client.last_token(), None);
    /// let from_another_process = b"as it came in a cookie or a message".to_vec();
    /// client.carry_token(from_another_process.clone());
    /// assert_eq!(client.last_token(), Some(from_another_process));
    /// # Ok(())
    /// # }
    /// ```
    pub fn last_token(&self) -> Option<Vec<u8>> {
        self.shared.session.token()
    }

    /// Goes on from a token of another process: session reads will not be older, neither than what it has seen nor than
    /// what this client has. Tokens are sealed, so nobody here knows which of the two is newer: when this client has seen
    /// something itself, its next session read asks for all that was acknowledged (it needs a quorum, once), and
    /// [`last_token`](Self::last_token) is its own until then.
    pub fn carry_token(&self, token: Vec<u8>) {
        self.shared.session.carry(token);
    }

    /// What this client knows of the cluster now.
    pub fn topology_view(&self) -> Arc<TopologyView> {
        self.shared.routing.view()
    }

    /// Every node as this client sees it now: where it is, whether calls go there, how fast it answers.
    pub fn nodes(&self) -> Vec<NodeView> {
        self.shared.routing.nodes_now()
    }

    /// Reads the certificate files again. When they changed, calls from now on go over new connections, which show the
    /// new certificate; calls under way end on the old ones. (The client does so by itself, once a minute.) True when
    /// anything had changed.
    ///
    /// # Errors
    /// `CONFIGURATION` when a file cannot be used; what was in use stays in use.
    pub fn reload_certificates(&self) -> Result<bool, Error> {
        self.shared.certificates.as_ref().map_or(Ok(false), |kept| kept.reload())
    }

    pub(crate) fn routing(&self) -> &Arc<Routing> {
        &self.shared.routing
    }

    pub(crate) fn session(&self) -> &Session {
        &self.shared.session
    }

    /// Fills context and read options in, sends, and notes the answer's token.
    pub(crate) async fn call<C: Call>(&self, mut request: C) -> Result<C::Answer, Error> {
        let limit = self.defaults.deadline.unwrap_or(match C::KIND {
            Kind::Read | Kind::AdminRead => limits::READ_DEADLINE,
            Kind::Write => limits::WRITE_DEADLINE,
            Kind::Admin => limits::ADMIN_DEADLINE,
        });
        let started = tokio::time::Instant::now();
        let mut request_id = None;
        let mut issued = None;
        if let Some(context) = request.context_mut() {
            call::fill_context(context, &self.defaults, self.shared.routing.random());
            let context = context.get_or_insert_default();
            if C::KIND == Kind::Write {
                if context.request_id.is_none() {
                    let id = timeout(limit, self.shared.request_ids.issue())
                        .await
                        .map_err(|_| Error::deadline(limit, None))?;
                    context.request_id = Some(id.to_pb());
                    issued = Some(id);
                }
                request_id.clone_from(&context.request_id);
            }
        }
        let session = &self.shared.session;
        let demand = request.read_mut().map_or(Demand::Nothing, |read| call::fill_read(read, &self.defaults, session));

        let manner = Manner {
            only_node: self.defaults.only_node.as_deref(),
            limit: limit.saturating_sub(started.elapsed()),
            may_hedge: C::KIND == Kind::Read && C::MAY_HEDGE && !self.defaults.without_hedges,
        };
        let span = info_span!(
            "alert_client.call",
            method = C::METHOD,
            search_id = request.context_mut().and_then(|context| Some(context.as_ref()?.search_id.clone())),
            node = field::Empty,
            attempts = field::Empty,
            outcome = field::Empty,
        );
        let result =
            call::run(&self.shared.routing, &self.shared.budgets, manner, request).instrument(span.clone()).await;
        drop(issued);
        let outcome = result.as_ref().err().map_or("ok", |error| error.code.as_str());
        span.record("outcome", outcome);
        counter!(metric::CALLS, "method" => C::METHOD, "outcome" => outcome.to_owned()).increment(1);
        histogram!(metric::CALL_SECONDS, "method" => C::METHOD).record(started.elapsed().as_secs_f64());
        match result {
            Ok(answer) => {
                if let Some(context) = C::answer_context(&answer) {
                    session.note(context);
                }
                if let Demand::Newest(number) = demand {
                    session.settle(number);
                }
                Ok(answer)
            }
            Err(mut error) => {
                if matches!(demand, Demand::Token(_)) && error.code == codes::TOKEN_EPOCH {
                    session.forget();
                }
                error.request_id = request_id;
                Err(error)
            }
        }
    }
}
