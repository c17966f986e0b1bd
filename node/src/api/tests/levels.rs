//! Each read and search at each level, on leader, follower and learner: what it shows, and all that its context says.

use alert_core::{
    alert::{
        AlertId, Caller, Role, RuleSet,
        attachment::{hash_of, hash_text},
    },
    pb::{self, alert_service_server::AlertService, search_service_server::SearchService},
    state::command::Command,
};
use futures::StreamExt;
use prost::Message;
use tonic::{Response, Status};

use super::{
    caller,
    cluster::{Cluster, answered, call, messages},
    code, context, nca, partner, person, refusal_code, under,
    world::agreement,
};
use crate::{
    api::{Api, ApiOptions, tokens::TokenKind},
    raft::tests::world::World,
};

const LEARNER: u64 = 4;
const PHOTO: &[u8] = b"no photo of anybody";

/// A read, what it is asked with, and who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Read {
    Search,
    SearchBatch,
    CheckDuplicates,
    Validate,
    Get,
    List,
    History,
    DueForReview,
    Export,
    GetAttachment,
}

const EVERY_READ: [Read; 10] = [
    Read::Search,
    Read::SearchBatch,
    Read::CheckDuplicates,
    Read::Validate,
    Read::Get,
    Read::List,
    Read::History,
    Read::DueForReview,
    Read::Export,
    Read::GetAttachment,
];

/// Those that are open to partners.
const FOREIGN: [Read; 6] = [Read::Search, Read::SearchBatch, Read::Get, Read::List, Read::Export, Read::GetAttachment];

/// The context of the answer, and whether it shows the alert; `None` where the answer shows no alert at all.
async fn ask(
    api: &Api,
    who: Caller,
    context: Option<pb::CallContext>,
    asked: Read,
    read: Option<pb::ReadOptions>,
    (number, id): (u64, AlertId),
) -> Result<(pb::AnswerContext, Option<bool>), Status> {
    let text = id.to_string();
    let query = Some(pb::Query { any_number: format!("{}", 500_000_000 + number), ..Default::default() });
    let found = |sources: &[pb::SourceAnswer]| {
        let mut candidates = sources.iter().flat_map(|source| &source.candidates);
        Some(candidates.any(|candidate| candidate.alert_id == text))
    };
    let listed =
        |records: &[pb::AlertRecord]| Some(records.iter().any(|record| record.info.as_ref().unwrap().id == text));
    let first = |stream: Option<Result<_, Status>>| stream.expect("an answer");
    let (answer, shows) = match asked {
        Read::Search => {
            let search = pb::SearchRequest { context, query, read, ..Default::default() };
            let told = answered(api.search(call(who, search)).await)?;
            (told.answer, found(&told.sources))
        }
        Read::SearchBatch => {
            let queries = vec![pb::KeyedQuery { key: "a".into(), query }];
            let batch = pb::SearchBatchRequest { context, queries, read, ..Default::default() };
            let mut answers = answered(api.search_batch(messages(who, &[batch])).await)?;
            let told: pb::SearchBatchResponse = answers.next().await.expect("an answer")?;
            (told.answer, found(&told.answers[0].sources))
        }
        Read::CheckDuplicates => {
            let alert = Some(person(number, "arrest"));
            let told =
                answered(api.check_duplicates(call(who, pb::CheckDuplicatesRequest { context, read, alert })).await)?;
            (told.answer, found(&told.sources))
        }
        Read::Validate => {
            let alert = Some(person(number, "arrest"));
            let told = answered(api.validate(call(who, pb::ValidateRequest { context, alert, read })).await)?;
            (told.answer, None)
        }
        Read::Get => {
            let get = pb::GetRequest { context, alert_id: text.clone(), read, ..Default::default() };
            let told = answered(api.get(call(who, get)).await)?;
            (told.answer, listed(told.record.as_slice()))
        }
        Read::List => {
            let list = pb::ListRequest { context, read, page_size: 1000, ..Default::default() };
            let told = answered(api.list(call(who, list)).await)?;
            (told.answer, listed(&told.records))
        }
        Read::History => {
            let history = pb::HistoryRequest { context, alert_id: text.clone(), read, ..Default::default() };
            let told = answered(api.history(call(who, history)).await)?;
            (told.answer, Some(!told.entries.is_empty()))
        }
        Read::DueForReview => {
            let before = Some(prost_types::Timestamp { seconds: 4_000_000_000, nanos: 0 });
            let due = pb::DueForReviewRequest { context, before, read, page_size: 1000, ..Default::default() };
            let told = answered(api.due_for_review(call(who, due)).await)?;
            (told.answer, listed(&told.records))
        }
        Read::Export => {
            let export = pb::ExportRequest { context, read, ..Default::default() };
            let mut pages = answered(api.export(call(who, export)).await)?;
            let told: pb::ExportResponse = first(pages.next().await)?;
            (told.answer, listed(&told.records))
        }
        Read::GetAttachment => {
            let content_hash = hash_text(&hash_of(PHOTO));
            let fetch = pb::GetAttachmentRequest { context, alert_id: text.clone(), content_hash, read };
            let parts = answered(api.get_attachment(call(who, fetch)).await)?;
            let mut parts: Vec<_> = parts.collect::<Vec<_>>().await.into_iter().collect::<Result<_, _>>()?;
            let content: Vec<u8> = parts.iter().flat_map(|part| part.chunk.clone()).collect();
            (parts.swap_remove(0).answer, Some(content == PHOTO))
        }
    };
    Ok((answer.expect("every answer says where it comes from"), shows))
}

/// An alert with its photo. Gives the revision at which all of it was there.
async fn create(cluster: &Cluster, number: u64) -> (AlertId, u64) {
    let id = AlertId::from_bytes([number as u8; 16]);
    let hash = hash_of(PHOTO);
    let reference = pb::AttachmentReference {
        content_hash: hash_text(&hash),
        kind: code("attachment-kind", "photo"),
        media_type: "image/jpeg".into(),
        size_bytes: PHOTO.len() as u64,
        ..Default::default()
    };
    let attachments = Some(pb::AttachmentSection { attachments: vec![reference] });
    let alert = pb::Alert { attachments, ..person(number, "arrest") }.encode_to_vec();
    cluster.run(Command::Create { id, alert, as_draft: false }).await;
    cluster.run(Command::PutAttachmentChunk { id, hash, number: 0, bytes: PHOTO.into() }).await;
    (id, cluster.run(Command::SealAttachment { id, hash }).await.revision)
}

async fn four_nodes() -> Cluster {
    let mut world = World::of(3).await;
    world.start(LEARNER).await;
    world.join(1, LEARNER).await.unwrap();
    world.until_ready(LEARNER).await;
    let cluster = Cluster::over(world, [1, 2, 3, LEARNER], ApiOptions::default());
    let mut agreed = agreement("fr-1");
    agreed.record_fields.as_mut().unwrap().fields.push("attachments.photo".into());
    cluster.run(Command::PutAgreement { agreement: agreed.encode_to_vec(), expected_version: 0 }).await;
    cluster
}

fn options(level: pb::ReadLevel, token: &[u8]) -> Option<pb::ReadOptions> {
    let token = if level == pb::ReadLevel::Session { token.to_vec() } else { Vec::new() };
    Some(pb::ReadOptions { level: level as i32, token, ..Default::default() })
}

/// What every context says, whoever asked.
fn check_context(told: &pb::AnswerContext, node: u64, level: pb::ReadLevel, what: &str) {
    assert_eq!(told.level(), level, "{what}");
    assert_eq!((told.cluster.as_str(), told.epoch), ("test", 1), "{what}");
    assert_eq!((told.node.as_str(), told.data_centre.as_str()), (&*format!("node-{node}"), "a"), "{what}");
    match (level, &told.staleness_bound) {
        (pb::ReadLevel::Local, none) => assert_eq!(*none, None, "{what}"),
        (_, Some(bound)) => assert!((bound.seconds, bound.nanos) <= (1, 0), "{what}: {bound:?}"),
        (_, None) => panic!("{what}: how old it may be is not told"),
    }
    let rules = told.rules.as_ref().unwrap();
    let shipped = RuleSet::defaults().versions();
    assert_eq!((rules.search_profile, rules.code_lists), (shipped.search_profile, shipped.code_lists), "{what}");
    assert!(rules.normaliser > 0, "{what}");
    assert!(!told.receipt.is_empty() && !told.token.is_empty(), "{what}");
    assert!(!told.without_quorum, "{what}");
}

#[tokio::test(start_paused = true)]
async fn every_read_is_served_at_every_level_by_every_node_with_the_whole_context() {
    use pb::ReadLevel::{Bounded, Linearizable, Local, Session};
    let cluster = four_nodes().await;
    for (number, node) in [(1, 1), (2, 3), (3, LEARNER)] {
        let (id, revision) = create(&cluster, number).await;
        let api = cluster.api(node);
        let token = api.sealer().seal(TokenKind::Session, &api.store().cluster(), revision);
        // The fresh ones first: where they are asked the others cannot hide behind time.
        for level in [Linearizable, Session, Bounded, Local] {
            for asked in EVERY_READ {
                let what = format!("node {node}, {level:?}, {asked:?}");
                let (told, shows) = ask(&api, nca(), context(), asked, options(level, &token), (number, id))
                    .await
                    .unwrap_or_else(|status| panic!("{what}: {status:?}"));
                check_context(&told, node, level, &what);
                assert!(shows != Some(false), "{what}: it does not show what was acknowledged");
                assert!(told.revision >= revision, "{what}");
                assert_eq!(told.rules.unwrap().agreement, 0, "{what}");
                // The token of each answer is good for a session on any other node.
                let elsewhere = options(Session, &told.token);
                let other = cluster.api(2);
                let (followed, _) = ask(&other, nca(), context(), Read::Get, elsewhere, (number, id)).await.unwrap();
                assert!(followed.revision >= told.revision, "{what}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_partner_is_served_every_level_but_local_and_is_told_of_no_revision() {
    use pb::ReadLevel::{Bounded, Linearizable, Local, Session};
    let cluster = four_nodes().await;
    for (number, node) in [(1, 1), (2, 3), (3, LEARNER)] {
        let (id, revision) = create(&cluster, number).await;
        let api = cluster.api(node);
        let token = api.sealer().seal(TokenKind::Session, &api.store().cluster(), revision);
        for asked in FOREIGN {
            for level in [Linearizable, Session, Bounded] {
                let what = format!("node {node}, {level:?}, {asked:?}");
                let (told, shows) = ask(&api, partner(), under("fr-1"), asked, options(level, &token), (number, id))
                    .await
                    .unwrap_or_else(|status| panic!("{what}: {status:?}"));
                check_context(&told, node, level, &what);
                assert_eq!(shows, Some(true), "{what}");
                assert_eq!((told.revision, told.rules.unwrap().agreement), (0, 1), "{what}");
            }
            let local = ask(&api, partner(), under("fr-1"), asked, options(Local, &token), (number, id)).await;
            assert_eq!(refusal_code(local.map(Response::new)), "LEVEL_NOT_ALLOWED", "node {node}, {asked:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_names_no_level_searches_bounded_and_reads_all_else_linearizable() {
    let cluster = four_nodes().await;
    let (id, _) = create(&cluster, 1).await;
    for node in [1, 3, LEARNER] {
        for asked in EVERY_READ {
            let (told, _) = ask(&cluster.api(node), nca(), context(), asked, None, (1, id)).await.unwrap();
            let expected = match asked {
                Read::Search | Read::SearchBatch | Read::CheckDuplicates => pb::ReadLevel::Bounded,
                _ => pb::ReadLevel::Linearizable,
            };
            check_context(&told, node, expected, &format!("node {node}, {asked:?}"));
        }
    }
    // Whoever may not make a call is told so at any level.
    let stranger = caller(Role::Operator, "ops");
    let refused = ask(&cluster.api(3), stranger, context(), Read::Get, None, (1, id)).await;
    assert_eq!(refusal_code(refused.map(Response::new)), "NOT_PERMITTED");
}
