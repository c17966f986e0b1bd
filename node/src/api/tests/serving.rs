//! The port itself: health, reflection, the end of the server.

use alert_core::pb;
use tonic::Code;
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};

use super::{World, context, nca};

#[tokio::test]
async fn health_follows_what_the_store_says_of_itself() {
    let world = World::new();
    let mut health = HealthClient::new(world.channel(nca()).await);
    let request = HealthCheckRequest { service: "alertstore.v1.SearchService".into() };
    assert_eq!(health.check(request.clone()).await.unwrap().into_inner().status(), ServingStatus::Serving);
    let mut watch = health.watch(request).await.unwrap().into_inner();
    assert_eq!(watch.message().await.unwrap().unwrap().status(), ServingStatus::Serving);
    world.store.ready.send_replace(false);
    assert_eq!(watch.message().await.unwrap().unwrap().status(), ServingStatus::NotServing);
    world.store.ready.send_replace(true);
    assert_eq!(watch.message().await.unwrap().unwrap().status(), ServingStatus::Serving);
}

#[tokio::test]
async fn reflection_names_the_services() {
    let world = World::new();
    let mut reflection = ServerReflectionClient::new(world.channel(nca()).await);
    let message_request = Some(MessageRequest::ListServices(String::new()));
    let request = ServerReflectionRequest { host: String::new(), message_request };
    let mut answers = reflection.server_reflection_info(tokio_stream::iter([request])).await.unwrap().into_inner();
    let answer = answers.message().await.unwrap().unwrap().message_response.unwrap();
    let MessageResponse::ListServicesResponse(services) = answer else { panic!("no list of services") };
    let names: Vec<_> = services.service.into_iter().map(|service| service.name).collect();
    for service in ["alertstore.v1.AlertService", "alertstore.v1.ClusterService", "grpc.health.v1.Health"] {
        assert!(names.contains(&service.to_owned()), "{names:?}");
    }
}

#[tokio::test]
async fn a_stopping_node_ends_its_watches() {
    let world = World::new();
    let mut feed = pb::feed_service_client::FeedServiceClient::new(world.channel(nca()).await);
    let request = pb::WatchRequest { context: context(), ..Default::default() };
    let mut watch = feed.watch(request).await.unwrap().into_inner();
    world.api.stop();
    let status = loop {
        // How far it is it may have said before.
        match watch.message().await {
            Ok(said) => assert!(said.is_some()),
            Err(status) => break status,
        }
    };
    assert_eq!((status.code(), crate::api::detail_of(&status).unwrap().code.as_str()), (Code::Unavailable, "STOPPING"));
}
