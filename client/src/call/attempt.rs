//! One attempt of a call at one node.

use std::{sync::Arc, time::Duration};

use metrics::counter;
use tokio::time::{Instant, timeout_at};
use tonic::Request;

use super::{Call, Kind};
use crate::{
    error::{Error, codes},
    limits, metric,
    routing::{Expected, Node, Routing, Trouble},
};

/// Why an attempt is made; a label of metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    First,
    Retry,
    /// A refusing node said who leads.
    Hint,
    /// A read that waits longer than usual is asked of a second node as well.
    Hedge,
}

impl Cause {
    const fn name(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Retry => "retry",
            Self::Hint => "hint",
            Self::Hedge => "hedge",
        }
    }
}

/// What became of it.
pub(super) struct Done<T> {
    pub node: Arc<Node>,
    pub cause: Cause,
    pub result: Result<T, Error>,
}

/// Until when an attempt may take, and what ends it sooner.
pub(super) struct Terms {
    pub until: Instant,
    pub deadline: Instant,
    /// The caller named this node: nothing but time ends the attempt.
    pub is_bound: bool,
    pub expected: Option<Expected>,
}

/// Sends the request once. Ends when the node answers, when its time is over, when the node is given up for lost, and, for
/// a write, when another node has taken the lead. (Administration, which cannot be repeated after a silence, waits.)
pub(super) async fn attempt<C: Call>(
    routing: &Routing,
    node: Arc<Node>,
    request: C,
    cause: Cause,
    terms: Terms,
) -> Done<C::Answer> {
    counter!(metric::ATTEMPTS, "method" => C::METHOD, "cause" => cause.name()).increment(1);
    let began = Instant::now();
    let time = terms.until.saturating_duration_since(began);
    let mut request = Request::new(request);
    request.set_timeout(time);
    let timed = matches!(C::KIND, Kind::Read) && !terms.is_bound;
    let under_way = node.begin().timed(terms.expected.filter(|_| timed));
    let ends_at = terms.deadline.min(terms.until + limits::ATTEMPT_GRACE);
    let result = tokio::select! {
        biased;
        answered = timeout_at(ends_at, C::send(node.channel(), request)) => match answered {
            Ok(Ok(response)) => Ok(response.into_inner()),
            Ok(Err(status)) => Err(Error::from_status(&status)),
            Err(_) => Err(Error::attempt_timeout(time)),
        },
        () = node.lost(), if !terms.is_bound && C::KIND != Kind::Admin => Err(Error::node_lost()),
        () = moved_away(routing, node.address()), if C::KIND == Kind::Write && !terms.is_bound => {
            Err(Error::leader_moved())
        }
    };
    match &result {
        Ok(_) => {
            let latency = under_way.answered();
            if timed {
                routing.latencies().note(C::METHOD, latency);
            }
        }
        Err(error) if error.is_loss() => drop(under_way),
        Err(error) if error.grpc == tonic::Code::DeadlineExceeded => {
            under_way.answered();
        }
        Err(_) => under_way.refused(),
    }
    note_standing(routing, &node, result.as_ref().err(), C::KIND, began);
    Done { node, cause, result }
}

async fn moved_away(routing: &Routing, address: &str) {
    routing.leader_moved_from(address).await;
    // It may be about to answer: it leads no more, and knows what became of what it began.
    tokio::time::sleep(limits::LEADER_MOVED_GRACE).await;
}

/// What the attempt says of the node. A node that cannot be reached, or was silent all the time, is left alone by every
/// call; one that says that it cannot serve, by reads. That a write finds no leader says nothing about the node that says
/// so.
fn note_standing(routing: &Routing, node: &Arc<Node>, error: Option<&Error>, kind: Kind, began: Instant) {
    let Some(error) = error else {
        match kind {
            Kind::Read => node.serves(),
            Kind::Write | Kind::Admin | Kind::AdminRead => node.heard(),
        }
        return;
    };
    if error.is_loss() {
        // A caller in a hurry, and a leader that moved, say nothing of a node that others have just heard.
        let was_silent = node.heard_at().is_none_or(|heard| heard < began);
        let in_a_hurry = error.grpc == tonic::Code::DeadlineExceeded && began.elapsed() < limits::LOOK_TIMEOUT;
        if was_silent && !in_a_hurry {
            node.fall(Trouble::Unreachable, Duration::ZERO);
        }
        routing.refresh_soon();
        return;
    }
    node.heard();
    let pause = error.retry_after.unwrap_or_default();
    if error.grpc == tonic::Code::ResourceExhausted {
        node.rest(pause.max(limits::BACKOFF_MIN));
        return;
    }
    let says_go = error.code == codes::STOPPING || error.code == codes::NODE_NOT_READY;
    let cannot_serve = kind == Kind::Read && error.retryable && error.grpc == tonic::Code::Unavailable;
    if says_go || cannot_serve {
        node.fall(Trouble::NotServing, pause);
        routing.refresh_soon();
    }
}
