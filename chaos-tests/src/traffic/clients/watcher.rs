//! Follows the feed, and goes on from its last cursor on another node whenever the stream ends.

use std::time::Duration;

use alert_client::pb;
use alert_proto::v1::feed_service_client::FeedServiceClient;
use tokio::time::timeout;

use super::{Client, FeedItem, Hands};
use crate::sim::net::{CLIENT_PORT, address};

/// A stream that says nothing for so long is given up.
const SILENCE: Duration = Duration::from_millis(2500);

pub(super) async fn run(client: &Client, hands: &mut Hands) {
    let feed = client.recorder.new_feed();
    let mut cursor = Vec::new();
    while !client.recorder.is_over() {
        let node = hands.node(&client.recorder);
        if follow(client, hands, feed, node, &mut cursor).await && !cursor.is_empty() {
            client.recorder.feed_resumed();
        }
        hands.pause(5..100).await;
    }
}

/// True when anything came.
async fn follow(client: &Client, hands: &mut Hands, feed: usize, node: u64, cursor: &mut Vec<u8>) -> bool {
    let Some(channel) = client.channel(&address(node, CLIENT_PORT)).await else { return false };
    let context = pb::CallContext {
        search_id: format!("00000000-0000-7000-9000-{:012x}", client.recorder.time.next_us()),
        officer_ref: "sim".into(),
        purpose: Some(pb::Code { list: "purpose".into(), value: "alert-management".into() }),
        ..Default::default()
    };
    let request = pb::WatchRequest { context: Some(context), cursor: cursor.clone(), ..Default::default() };
    let mut service = FeedServiceClient::new(channel);
    let Ok(Ok(answer)) = timeout(SILENCE, service.watch(request)).await else { return false };
    let mut stream = answer.into_inner();
    let mut came = false;
    // Now and then it breaks off by itself, to resume elsewhere.
    let until = tokio::time::Instant::now() + hands.millis(200..3000);
    while !client.recorder.is_over() && tokio::time::Instant::now() < until {
        let Ok(Ok(Some(message))) = timeout(SILENCE, stream.message()).await else { return came };
        came = true;
        match message.item {
            Some(pb::watch_response::Item::Events(events)) => {
                for event in events.events {
                    let upsert = match &event.change {
                        Some(pb::feed_event::Change::Upsert(record)) => {
                            let info = record.info.clone().unwrap_or_default();
                            Some((info.revision, info.version))
                        }
                        _ => None,
                    };
                    *cursor = event.cursor;
                    let at_us = client.recorder.time.next_us();
                    client.recorder.feed(feed, FeedItem { at_us, alert_id: event.alert_id, upsert });
                }
            }
            Some(pb::watch_response::Item::Progress(progress)) => *cursor = progress.cursor,
            Some(pb::watch_response::Item::Restart(_)) | None => return came,
        }
    }
    came
}
