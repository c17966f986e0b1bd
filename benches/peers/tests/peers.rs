//! Each peer that is installed starts, serves, and is gone afterwards.

use alert_peers::{Etcd, PeerError, Postgres, PostgresSettings};

/// `None`, said aloud, when the peer is not on this machine.
fn here<T>(started: Result<T, PeerError>) -> Option<T> {
    match started {
        Ok(peer) => Some(peer),
        Err(error) if error.is_not_installed() => {
            eprintln!("NOT RUN: {error}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn what_one_member_of_etcd_took_every_member_gives() {
    let directory = tempfile::tempdir().unwrap();
    let Some(etcd) = here(Etcd::start(directory.path()).await) else { return };
    let pids = etcd.pids();
    etcd.client(etcd.leader()).await.unwrap().put(b"key".to_vec(), vec![7; 512]).await.unwrap();
    for member in 0..etcd.members() {
        let client = etcd.client(member).await.unwrap();
        assert!(client.get(b"key".to_vec(), false).await.unwrap());
        assert!(!client.get(b"another".to_vec(), true).await.unwrap());
    }
    drop(etcd);
    assert!(pids.iter().all(|pid| !std::path::Path::new(&format!("/proc/{pid}")).exists()));
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn postgres_answers_with_its_durability_on() {
    let directory = tempfile::tempdir().unwrap();
    let Some(postgres) = here(Postgres::start(directory.path(), &PostgresSettings::default()).await) else { return };
    let client = postgres.connect().await.unwrap();
    for setting in ["fsync", "synchronous_commit", "full_page_writes"] {
        let row = client.query_one(&format!("SHOW {setting}"), &[]).await.unwrap();
        assert_eq!(row.get::<_, &str>(0), "on", "{setting}");
    }
    assert!(postgres.bytes_on_disk() > 0 && postgres.pids().len() > 1);
    drop((client, postgres));
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}
