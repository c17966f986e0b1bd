//! Follows the feed, goes on from its last cursor on another node whenever the stream ends, and begins anew when it is
//! told to.

use std::time::Duration;

use alert_client::pb;
use alert_proto::v1::feed_service_client::FeedServiceClient;
use tokio::time::timeout;

use super::{Client, Hands, Task, policy::AGREEMENT, tokens};
use crate::{
    model::{FeedItem, Followed},
    sim::net::{CLIENT_PORT, address},
};

/// A stream that says nothing for so long is given up.
const SILENCE: Duration = Duration::from_millis(2500);

/// How a stream ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Broken,
    /// The cursor is of no use any more.
    BeginAnew,
}

pub(super) async fn run(client: &Client, hands: &mut Hands) {
    let agreement = (client.task == Task::WatchPartner).then(|| AGREEMENT.to_owned());
    let begin = || {
        let (caller, agreement) = (client.caller(), agreement.clone());
        client.recorder.new_feed(Followed { caller, agreement, start: None, items: Vec::new() })
    };
    let mut feed = begin();
    let mut cursor = Vec::new();
    while !client.recorder.is_over() {
        let node = hands.node(&client.recorder);
        if follow(client, hands, feed, node, &mut cursor).await == End::BeginAnew {
            client.recorder.feed_ended();
            client.recorder.timeline.note(&client.name, "begins its feed anew");
            feed = begin();
            cursor.clear();
        }
        hands.pause(5..100).await;
    }
}

async fn follow(client: &Client, hands: &mut Hands, feed: usize, node: u64, cursor: &mut Vec<u8>) -> End {
    let Some(channel) = client.channel(&address(node, CLIENT_PORT)).await else { return End::Broken };
    let partner = client.task == Task::WatchPartner;
    let context = pb::CallContext {
        search_id: format!("00000000-0000-7000-9000-{:012x}", client.recorder.time.next_us()),
        officer_ref: "sim".into(),
        purpose: Some(pb::Code {
            list: "purpose".into(),
            value: if partner { "border-control" } else { "alert-management" }.into(),
        }),
        agreement_id: if partner { AGREEMENT.into() } else { String::new() },
        ..Default::default()
    };
    let request = pb::WatchRequest { context: Some(context), cursor: cursor.clone(), ..Default::default() };
    let mut service = FeedServiceClient::new(channel);
    let Ok(Ok(answer)) = timeout(SILENCE, service.watch(request)).await else { return End::Broken };
    let mut stream = answer.into_inner();
    // Now and then it breaks off by itself, to resume elsewhere.
    let until = tokio::time::Instant::now() + hands.millis(200..3000);
    while !client.recorder.is_over() && tokio::time::Instant::now() < until {
        let Ok(Ok(Some(message))) = timeout(SILENCE, stream.message()).await else { return End::Broken };
        let epoch = message.answer.map_or(0, |answer| answer.epoch);
        let place = |cursor: &[u8]| tokens::revision_of_cursor(epoch, cursor).unwrap_or(0);
        match message.item {
            Some(pb::watch_response::Item::Events(events)) => {
                for event in events.events {
                    let version = match &event.change {
                        Some(pb::feed_event::Change::Upsert(record)) => {
                            Some(record.info.as_ref().map_or(0, |info| info.version))
                        }
                        _ => None,
                    };
                    let (at_us, revision) = (client.recorder.time.next_us(), place(&event.cursor));
                    *cursor = event.cursor;
                    client.recorder.feed(feed, FeedItem { at_us, revision, alert_id: event.alert_id, version });
                }
            }
            Some(pb::watch_response::Item::Progress(progress)) => {
                client.recorder.feed_started(feed, place(&progress.cursor));
                *cursor = progress.cursor;
            }
            Some(pb::watch_response::Item::Restart(_)) => return End::BeginAnew,
            None => return End::Broken,
        }
    }
    End::Broken
}
