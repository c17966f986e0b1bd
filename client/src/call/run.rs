//! The attempts of one unary call.
//!
//! A read goes to another node after each failure, and pauses only when every node has been asked. A write goes to the
//! leader, follows hints, and is repeated under its one request id until its outcome is known or its deadline comes. An
//! administration call is repeated only when nothing can have happened.

use std::{sync::Arc, time::Duration};

use alert_core::mutants::Mutant;
use tokio::time::{Instant, sleep, timeout_at};
use tonic::Request;
use tracing::{Instrument, debug, debug_span};

use super::{Call, Kind};
use crate::{
    error::{Error, codes},
    limits,
    random::Random,
    routing::{Node, Routing, pause},
};

/// Sends `request` until it is answered, refused for good, or out of time.
pub(crate) async fn run<C: Call>(
    routing: &Routing,
    only_node: Option<&str>,
    request: C,
    limit: Duration,
) -> Result<C::Answer, Error> {
    let span = debug_span!("call", method = C::METHOD);
    Attempts::new(routing, only_node, limit).run(request).instrument(span).await
}

struct Attempts<'a> {
    routing: &'a Routing,
    only_node: Option<&'a str>,
    limit: Duration,
    deadline: Instant,
    count: u32,
    hints_followed: u32,
    pauses: u32,
    /// Nodes asked since the last pause.
    tried: Vec<Arc<Node>>,
    /// Some attempt may have taken effect.
    maybe_applied: bool,
    last: Option<Error>,
}

/// What to do after a failed attempt.
enum Next {
    GiveUp,
    AtOnce,
    After(Duration),
}

impl<'a> Attempts<'a> {
    fn new(routing: &'a Routing, only_node: Option<&'a str>, limit: Duration) -> Self {
        Self {
            routing,
            only_node,
            limit,
            deadline: Instant::now() + limit,
            count: 0,
            hints_followed: 0,
            pauses: 0,
            tried: Vec::new(),
            maybe_applied: false,
            last: None,
        }
    }

    async fn run<C: Call>(mut self, request: C) -> Result<C::Answer, Error> {
        // An operator who names a node means that node, also before it belongs to any cluster.
        if !(self.only_node.is_some() && matches!(C::KIND, Kind::Admin | Kind::AdminRead)) {
            self.routing.check_cluster(self.limit).await?;
        }
        if matches!(C::KIND, Kind::Write | Kind::Admin) && self.only_node.is_none() {
            self.routing.first_look(limits::TOPOLOGY_FIRST_WAIT.min(self.limit / 2)).await;
        }
        loop {
            let node = self.choose(C::KIND);
            let now = Instant::now();
            if now >= self.deadline {
                return Err(self.out_of_time());
            }
            self.count += 1;
            let mut sent = request.clone();
            if self.count > 1 && C::KIND == Kind::Write && Mutant::RetryWithoutRequestId.is_planted() {
                forget_request_id(&mut sent, self.count);
            }
            let mut error = match self.attempt(&node, sent, now).await {
                Ok(answer) => {
                    node.succeeded();
                    return Ok(answer);
                }
                Err(error) => error,
            };
            error.node = Some(node.address().to_owned());
            debug!(node = node.address(), attempt = self.count, code = error.code, message = error.message, "failed");
            if matches!(C::KIND, Kind::Read | Kind::AdminRead) {
                error.maybe_applied = false;
            }
            self.note_standing(&node, &error, C::KIND);
            match self.judge(&error, C::KIND) {
                Next::GiveUp => {
                    let unsettled = self.maybe_applied && !error.settles();
                    error.maybe_applied |= unsettled;
                    error.attempts = self.count;
                    return Err(error);
                }
                next => {
                    self.maybe_applied |= error.maybe_applied;
                    self.tried.push(node);
                    self.last = Some(error);
                    if let Next::After(time) = next {
                        if Instant::now() + time >= self.deadline {
                            return Err(self.out_of_time());
                        }
                        sleep(time).await;
                        self.tried.clear();
                    }
                }
            }
        }
    }

    fn choose(&self, kind: Kind) -> Arc<Node> {
        if let Some(address) = self.only_node {
            return self.routing.node(address);
        }
        let leader = match kind {
            Kind::Write | Kind::Admin => self.routing.leader(),
            Kind::Read | Kind::AdminRead => None,
        };
        leader.unwrap_or_else(|| self.routing.pick(&self.tried))
    }

    async fn attempt<C: Call>(&self, node: &Node, request: C, now: Instant) -> Result<C::Answer, Error> {
        let first = match C::KIND {
            Kind::Read | Kind::AdminRead => limits::READ_ATTEMPT,
            Kind::Write => limits::WRITE_ATTEMPT,
            // It cannot be repeated after a silence, so it may take all the time there is.
            Kind::Admin => self.limit,
        };
        let until = match self.only_node {
            Some(_) => self.deadline,
            None => self.deadline.min(now + pause(first, self.limit, self.count - 1)),
        };
        let mut request = Request::new(request);
        request.set_timeout(until - now);
        match timeout_at(self.deadline.min(until + limits::ATTEMPT_GRACE), C::send(node.channel(), request)).await {
            Ok(Ok(response)) => Ok(response.into_inner()),
            Ok(Err(status)) => Err(Error::from_status(&status)),
            Err(_) => Err(Error::attempt_timeout(until - now)),
        }
    }

    /// A node that is unreachable or silent is left alone for a while by every call; so is one that says that it cannot
    /// serve reads. That a write finds no leader says nothing about the node that says so.
    fn note_standing(&self, node: &Node, error: &Error, kind: Kind) {
        let lost = error.code == codes::CONNECTION;
        let says_go = error.code == codes::STOPPING || error.code == codes::NODE_NOT_READY;
        let cannot_serve = says_go || kind == Kind::Read && error.retryable && error.grpc == tonic::Code::Unavailable;
        if lost || cannot_serve {
            node.failed();
            self.routing.refresh_soon();
        } else {
            node.succeeded();
        }
    }

    fn judge(&mut self, error: &Error, kind: Kind) -> Next {
        if let Some(hint) = error.leader.as_ref().filter(|_| matches!(kind, Kind::Write | Kind::Admin)) {
            self.routing.follow(hint);
            self.routing.refresh_soon();
        }
        let may_repeat = error.retryable && (kind != Kind::Admin || !error.maybe_applied);
        if !may_repeat {
            return Next::GiveUp;
        }
        let hinted = error.leader.is_some() && error.retry_after.is_none() && self.only_node.is_none();
        match kind {
            Kind::Write | Kind::Admin if hinted && self.hints_followed < limits::HINTS_AT_ONCE => {
                self.hints_followed += 1;
                Next::AtOnce
            }
            // Another node may well serve what this one cannot.
            Kind::Read | Kind::AdminRead
                if self.only_node.is_none()
                    && error.grpc != tonic::Code::ResourceExhausted
                    && self.tried.len() + 1 < self.routing.node_count() =>
            {
                Next::AtOnce
            }
            _ => {
                let own = backoff(self.routing.random(), self.pauses);
                self.pauses += 1;
                Next::After(own.max(error.retry_after.unwrap_or_default()))
            }
        }
    }

    fn out_of_time(self) -> Error {
        let mut error = Error::deadline(self.limit, self.last);
        error.attempts = self.count;
        error.maybe_applied = self.maybe_applied;
        error
    }
}

/// For [`Mutant::RetryWithoutRequestId`]: the repeated call looks like a new one.
fn forget_request_id<C: Call>(request: &mut C, count: u32) {
    let context = request.context_mut().and_then(Option::as_mut);
    if let Some(id) = context.and_then(|context| context.request_id.as_mut()) {
        id.sequence += u64::from(count) << 32;
    }
}

/// The pause before another round: exponential, with full jitter above a half, so that clients do not come in step.
pub(crate) fn backoff(random: &Random, round: u32) -> Duration {
    random.jitter(pause(limits::BACKOFF_MIN, limits::BACKOFF_MAX, round), 0.5..1.0)
}
