//! The attempts of one unary call.
//!
//! A read goes to another node after each failure, and pauses only when every node has been asked; one that waits longer
//! than usual is asked of a second node as well, and the first answer counts. A write goes to the leader, follows hints,
//! and is repeated under its one request id until its outcome is known or its deadline comes. An administration call is
//! repeated only when nothing can have happened. Retries and hedges have budgets that all calls of a client share.

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use futures::{StreamExt, stream::FuturesUnordered};
use metrics::counter;
use tokio::time::{Instant, sleep_until};
use tracing::{Span, debug};

use super::{
    Call, Kind,
    attempt::{Cause, Done, Terms, attempt},
    budget::Budget,
};
use crate::{
    error::{Error, codes},
    limits, metric,
    random::Random,
    routing::{Expected, Node, Routing, pause},
};

/// What the calls of a client share in extra attempts.
pub(crate) struct Budgets {
    retries: Budget,
    hedges: Budget,
}

impl Default for Budgets {
    fn default() -> Self {
        Self {
            retries: Budget::new(limits::RETRIES_PER_CALL, limits::RETRIES_PER_SECOND, limits::RETRIES_SAVED_MAX),
            hedges: Budget::new(limits::HEDGES_PER_READ, limits::HEDGES_PER_SECOND, limits::HEDGES_SAVED_MAX),
        }
    }
}

/// How a call is made.
pub(crate) struct Manner<'a> {
    pub only_node: Option<&'a str>,
    pub limit: Duration,
    pub may_hedge: bool,
}

/// Sends `request` until it is answered, refused for good, or out of time.
pub(crate) async fn run<C: Call>(
    routing: &Routing,
    budgets: &Budgets,
    manner: Manner<'_>,
    request: C,
) -> Result<C::Answer, Error> {
    Attempts::new(routing, budgets, manner).run(request).await
}

struct Attempts<'a> {
    routing: &'a Routing,
    budgets: &'a Budgets,
    manner: Manner<'a>,
    deadline: Instant,
    count: u32,
    hints_followed: u32,
    pauses: u32,
    /// Nodes asked since the last pause.
    tried: Vec<Arc<Node>>,
    /// Some attempt may have taken effect.
    maybe_applied: bool,
    last: Option<Error>,
    expected: Option<Expected>,
}

type Running<'a, T> = FuturesUnordered<Pin<Box<dyn Future<Output = Done<T>> + Send + 'a>>>;

/// What to do after a failed attempt.
enum Next {
    GiveUp,
    AtOnce(Cause),
    After(Duration),
}

/// The next attempt.
#[derive(Clone, Copy)]
struct Launch {
    at: Instant,
    cause: Cause,
    /// It asks a node to work that has worked for this call already, or may have.
    costs_budget: bool,
}

impl<'a> Attempts<'a> {
    fn new(routing: &'a Routing, budgets: &'a Budgets, manner: Manner<'a>) -> Self {
        Self {
            routing,
            budgets,
            deadline: Instant::now() + manner.limit,
            manner,
            count: 0,
            hints_followed: 0,
            pauses: 0,
            tried: Vec::new(),
            maybe_applied: false,
            last: None,
            expected: None,
        }
    }

    async fn run<C: Call>(mut self, request: C) -> Result<C::Answer, Error> {
        let (limit, is_bound) = (self.manner.limit, self.manner.only_node.is_some());
        // An operator who names a node means that node, also before it belongs to any cluster.
        if !(is_bound && matches!(C::KIND, Kind::Admin | Kind::AdminRead)) {
            self.routing.check_cluster(limit).await?;
        }
        if matches!(C::KIND, Kind::Write | Kind::Admin) && !is_bound {
            self.routing.first_look(limits::TOPOLOGY_FIRST_WAIT.min(limit / 2)).await;
        }
        self.budgets.retries.earn();
        if C::KIND == Kind::Read {
            self.budgets.hedges.earn();
            self.expected = self.routing.latencies().expected(C::METHOD);
        }
        let result = self.all(request).await;
        // Whatever a hedge overtook has left its mark on its node's pace by now.
        self.tried.iter().for_each(|node| self.routing.judge_pace(node));
        Span::current().record("attempts", self.count);
        result
    }

    async fn all<C: Call>(&mut self, request: C) -> Result<C::Answer, Error> {
        let mut running: Running<'a, C::Answer> = FuturesUnordered::new();
        let mut next = Some(Launch { at: Instant::now(), cause: Cause::First, costs_budget: false });
        let mut hedge_at = None;
        loop {
            let launch_at = next.map_or(self.deadline, |launch| launch.at);
            tokio::select! {
                biased;
                Some(done) = running.next(), if !running.is_empty() => {
                    let Done { node, cause, result } = done;
                    let error = match result {
                        Ok(answer) => {
                            Span::current().record("node", node.address());
                            if cause == Cause::Hedge {
                                counter!(metric::HEDGES_WON, "method" => C::METHOD).increment(1);
                            }
                            return Ok(answer);
                        }
                        Err(error) => self.note(error, &node, C::KIND),
                    };
                    let now = Instant::now();
                    let (at, cause) = match self.judge(&error, C::KIND) {
                        Next::GiveUp => return Err(self.final_word(error)),
                        Next::AtOnce(cause) => (now, cause),
                        Next::After(time) => (now + time, Cause::Retry),
                    };
                    self.maybe_applied |= error.maybe_applied;
                    let costs_budget = error.may_have_cost_work() && cause != Cause::Hint;
                    self.last = Some(error);
                    if !running.is_empty() {
                        // The other attempt goes on: it is the retry.
                        continue;
                    }
                    if at >= self.deadline {
                        return Err(self.out_of_time());
                    }
                    if at > now {
                        self.tried.clear();
                    }
                    next = Some(Launch { at, cause, costs_budget });
                }
                () = sleep_until(launch_at), if next.is_some() => {
                    let Some(launch) = next.take() else { continue };
                    let now = Instant::now();
                    if now >= self.deadline {
                        return Err(self.out_of_time());
                    }
                    if launch.costs_budget && !self.budgets.retries.take() {
                        counter!(metric::RETRIES_HELD).increment(1);
                        let at = now + self.routing.random().jitter(limits::RETRY_BUDGET_POLL, 0.5..1.5);
                        next = Some(Launch { at: at.min(self.deadline), ..launch });
                        continue;
                    }
                    let node = self.choose(C::KIND);
                    running.push(self.start(node, request.clone(), launch.cause, now));
                    hedge_at = self.hedge_at(now);
                }
                () = sleep_until(hedge_at.unwrap_or(self.deadline)), if hedge_at.is_some() => {
                    hedge_at = None;
                    if running.len() == 1
                        && let Some(node) = self.routing.pick_another(&self.tried)
                        && self.budgets.hedges.take()
                    {
                        running.push(self.start(node, request.clone(), Cause::Hedge, Instant::now()));
                    }
                }
            }
        }
    }

    fn choose(&self, kind: Kind) -> Arc<Node> {
        if let Some(address) = self.manner.only_node {
            return self.routing.node(address);
        }
        let leader = match kind {
            Kind::Write | Kind::Admin => self.routing.leader(),
            Kind::Read | Kind::AdminRead => None,
        };
        leader.unwrap_or_else(|| self.routing.pick(&self.tried))
    }

    fn start<C: Call>(
        &mut self,
        node: Arc<Node>,
        request: C,
        cause: Cause,
        now: Instant,
    ) -> Pin<Box<dyn Future<Output = Done<C::Answer>> + Send + 'a>> {
        self.count += 1;
        self.tried.push(node.clone());
        let limit = self.manner.limit;
        let first = match C::KIND {
            Kind::Read | Kind::AdminRead => limits::READ_ATTEMPT.min(limit / 3),
            Kind::Write => limits::WRITE_ATTEMPT.min(limit / 2),
            // It cannot be repeated after a silence, so it may take all the time there is.
            Kind::Admin => limit,
        };
        let is_bound = self.manner.only_node.is_some();
        let until = if is_bound { self.deadline } else { self.deadline.min(now + pause(first, limit, self.count - 1)) };
        let terms = Terms { until, deadline: self.deadline, is_bound, expected: self.expected };
        Box::pin(attempt(self.routing, node, request, cause, terms))
    }

    fn hedge_at(&self, now: Instant) -> Option<Instant> {
        if !self.manner.may_hedge || self.manner.only_node.is_some() {
            return None;
        }
        Some(now + self.expected.map_or(limits::HEDGE_AFTER_UNKNOWN, |expected| expected.hedge_after))
    }

    fn note(&self, mut error: Error, node: &Node, kind: Kind) -> Error {
        error.node = Some(node.address().to_owned());
        debug!(node = node.address(), attempt = self.count, code = error.code, message = error.message, "failed");
        if matches!(kind, Kind::Read | Kind::AdminRead) {
            error.maybe_applied = false;
        }
        error
    }

    fn judge(&mut self, error: &Error, kind: Kind) -> Next {
        if let Some(hint) = error.leader.as_ref().filter(|_| matches!(kind, Kind::Write | Kind::Admin)) {
            self.routing.follow(hint);
            self.routing.refresh_soon();
        }
        let is_read = matches!(kind, Kind::Read | Kind::AdminRead);
        let is_free = self.manner.only_node.is_none();
        let has_another = is_free && self.routing.pick_another(&self.tried).is_some();
        // What one node's own fault is, another node may well answer.
        if is_read && error.is_fault_of_the_node() && has_another {
            return Next::AtOnce(Cause::Retry);
        }
        let may_repeat = error.retryable && (kind != Kind::Admin || !error.maybe_applied);
        if !may_repeat {
            return Next::GiveUp;
        }
        let hinted = error.leader.is_some() && error.retry_after.is_none() && is_free;
        if !is_read && hinted && self.hints_followed < limits::HINTS_AT_ONCE {
            self.hints_followed += 1;
            return Next::AtOnce(Cause::Hint);
        }
        // The quota of a caller is the same everywhere; the queues of a node are its own.
        let is_everywhere = error.code == codes::QUOTA_EXCEEDED;
        let has_untried = is_free && self.tried.len() < self.routing.node_count();
        if is_read && !is_everywhere && (has_another || has_untried && error.grpc != tonic::Code::ResourceExhausted) {
            return Next::AtOnce(Cause::Retry);
        }
        // The leader is gone, and somebody else will know the next one: a write need not wait.
        if kind == Kind::Write && is_free && self.pauses == 0 && error.is_loss() {
            self.pauses += 1;
            return Next::AtOnce(Cause::Retry);
        }
        let own = backoff(self.routing.random(), self.pauses);
        self.pauses += 1;
        let asked = error.retry_after.unwrap_or_default();
        // Callers who were refused together should not come back together.
        Next::After(own.max(self.routing.random().jitter(asked, 1.0..1.25)))
    }

    fn final_word(&self, mut error: Error) -> Error {
        let unsettled = self.maybe_applied && !error.settles();
        error.maybe_applied |= unsettled;
        error.attempts = self.count;
        error
    }

    fn out_of_time(&mut self) -> Error {
        let mut error = Error::deadline(self.manner.limit, self.last.take());
        error.attempts = self.count;
        error.maybe_applied = self.maybe_applied;
        error
    }
}

/// The pause before another round: exponential, with full jitter above a half, so that clients do not come in step.
pub(crate) fn backoff(random: &Random, round: u32) -> Duration {
    random.jitter(pause(limits::BACKOFF_MIN, limits::BACKOFF_MAX, round), 0.5..1.0)
}
