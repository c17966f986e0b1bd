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
    session::Session,
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
    pub fn last_token(&self) -> Option<Vec<u8>> {
        self.shared.session.token()
    }

    /// Goes on from a token of another process: session reads will not be older.
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
        let token = self.shared.session.token();
        let own_token = request.read_mut().is_some_and(|read| call::fill_read(read, &self.defaults, token));

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
                    self.shared.session.note(context);
                }
                Ok(answer)
            }
            Err(mut error) => {
                if own_token && error.code == codes::TOKEN_EPOCH {
                    self.shared.session.forget();
                }
                error.request_id = request_id;
                Err(error)
            }
        }
    }
}
