//! One call: its context, its request id, its attempts. Streams have their own drivers in `stream/`.

mod attempt;
mod budget;
mod context;
mod request_ids;
mod run;

use std::future::Future;

use alert_proto::v1 as pb;
use tonic::{Request, Response, Status, transport::Channel};

pub use self::context::CallDefaults;
pub(crate) use self::{
    context::{fill_context, fill_read},
    request_ids::RequestIds,
    run::{Budgets, Manner, backoff, run},
};

/// Where a call may go and when it may be repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Any node; repeated freely.
    Read,
    /// The leader, under a request id; repeated under that id.
    Write,
    /// The leader; repeated only when nothing can have happened.
    Admin,
    /// Any node, administration; repeated freely.
    AdminRead,
}

/// A unary call: its request message, and how it is sent.
pub(crate) trait Call: Clone + Send + Sync + 'static {
    /// The answer's message.
    type Answer: Send + 'static;
    /// For spans and errors.
    const METHOD: &'static str;
    /// Where it goes.
    const KIND: Kind;

    /// Whether a read may be asked of two nodes at once; not those that carry megabytes.
    const MAY_HEDGE: bool = true;

    /// The context field, in calls that have one.
    fn context_mut(&mut self) -> Option<&mut Option<pb::CallContext>> {
        None
    }

    /// The read options, in calls that have them.
    fn read_mut(&mut self) -> Option<&mut Option<pb::ReadOptions>> {
        None
    }

    /// The answer's context, where it has one.
    fn answer_context(_: &Self::Answer) -> Option<&pb::AnswerContext> {
        None
    }

    /// Sends it once.
    fn send(
        channel: Channel,
        request: Request<Self>,
    ) -> impl Future<Output = Result<Response<Self::Answer>, Status>> + Send;
}

/// Declares unary calls: a public method of the client for each, the same of the blocking client, and its [`Call`].
///
/// `read` has context and read options, `ask` has a context only, `write` has a context and goes to the leader.
macro_rules! calls {
    ($module:ident :: $client:ident { $( $(#[$doc:meta])* $kind:ident $method:ident ( $request:ident ) -> $answer:ident = $rpc:ident; )* }) => {
        impl $crate::AlertClient {
            $(
                $(#[$doc])*
                ///
                /// The request's context may be left out: it is filled in from the client's defaults.
                ///
                /// # Errors
                /// [`Error`](crate::Error), when the call was refused or no node could answer before the deadline.
                pub async fn $method(&self, request: alert_proto::v1::$request) -> Result<alert_proto::v1::$answer, $crate::Error> {
                    self.call(request).await
                }
            )*
        }
        impl $crate::blocking::BlockingClient {
            $(
                $(#[$doc])*
                ///
                /// The request's context may be left out: it is filled in from the client's defaults.
                ///
                /// # Errors
                /// [`Error`](crate::Error), when the call was refused or no node could answer before the deadline.
                pub fn $method(&self, request: alert_proto::v1::$request) -> Result<alert_proto::v1::$answer, $crate::Error> {
                    self.wait(self.inner().$method(request))
                }
            )*
        }
        $(
            impl $crate::call::Call for alert_proto::v1::$request {
                type Answer = alert_proto::v1::$answer;
                const METHOD: &'static str = stringify!($method);
                $crate::call::calls!(@kind $kind);

                fn answer_context(answer: &Self::Answer) -> Option<&alert_proto::v1::AnswerContext> {
                    answer.answer.as_ref()
                }

                async fn send(
                    channel: tonic::transport::Channel,
                    request: tonic::Request<Self>,
                ) -> Result<tonic::Response<Self::Answer>, tonic::Status> {
                    alert_proto::v1::$module::$client::new(channel)
                        .max_decoding_message_size($crate::limits::MESSAGE_BYTES_MAX)
                        .$rpc(request)
                        .await
                }
            }
        )*
    };
    (@kind read) => {
        const KIND: $crate::call::Kind = $crate::call::Kind::Read;
        $crate::call::calls!(@context);
        fn read_mut(&mut self) -> Option<&mut Option<alert_proto::v1::ReadOptions>> {
            Some(&mut self.read)
        }
    };
    (@kind ask) => {
        const KIND: $crate::call::Kind = $crate::call::Kind::Read;
        $crate::call::calls!(@context);
    };
    (@kind write) => {
        const KIND: $crate::call::Kind = $crate::call::Kind::Write;
        $crate::call::calls!(@context);
    };
    (@context) => {
        fn context_mut(&mut self) -> Option<&mut Option<alert_proto::v1::CallContext>> {
            Some(&mut self.context)
        }
    };
}
pub(crate) use calls;
