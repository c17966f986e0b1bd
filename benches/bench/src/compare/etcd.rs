//! etcd's puts and gets as work.

use std::sync::Arc;

use alert_peers::{Etcd, EtcdClient};
use futures::{StreamExt, future::BoxFuture};

use crate::load::{Done, Work};

/// Puts under way while the keys are filled in.
const FILLING: usize = 64;
/// Bytes of a value that is read: those of an empty answer to a search are fewer, those of a hit more.
const VALUE_BYTES: usize = 512;

async fn clients(etcd: &Etcd, member: usize, connections: usize) -> anyhow::Result<Vec<EtcdClient>> {
    let mut clients = Vec::new();
    for _ in 0..connections {
        clients.push(etcd.client(member).await?);
    }
    Ok(clients)
}

/// Puts of new keys to the leader.
pub(super) struct Puts {
    clients: Vec<EtcdClient>,
    bytes: usize,
}

impl Puts {
    pub async fn to_leader(etcd: &Etcd, connections: usize, bytes: usize) -> anyhow::Result<Self> {
        Ok(Self { clients: clients(etcd, etcd.leader(), connections).await?, bytes })
    }

    pub fn work(self) -> Arc<dyn Work> {
        Arc::new(self)
    }
}

impl Work for Puts {
    fn once(&self, client: usize, number: u64) -> BoxFuture<'_, Result<Done, String>> {
        Box::pin(async move {
            // As scattered as the ids of alerts are not: they begin with the time.
            let key = format!("alerts/{number:020}").into_bytes();
            let put = self.clients[client % self.clients.len()].put(key, vec![7; self.bytes]).await;
            put.map(|()| Done::one("put")).map_err(|status| status.to_string())
        })
    }
}

/// Gets of keys that are there.
pub(super) struct Gets {
    clients: Vec<EtcdClient>,
    keys: u64,
    serializable: bool,
}

impl Gets {
    /// Puts the keys that are read, and says how many they are.
    pub async fn fill(etcd: &Etcd, keys: u64) -> anyhow::Result<u64> {
        let client = etcd.client(etcd.leader()).await?;
        let puts = futures::stream::iter(0..keys).map(|key| client.put(key_of(key), vec![7; VALUE_BYTES]));
        let mut puts = puts.buffer_unordered(FILLING);
        while let Some(put) = puts.next().await {
            put?;
        }
        Ok(keys)
    }

    pub async fn of(
        etcd: &Etcd,
        member: usize,
        connections: usize,
        keys: u64,
        serializable: bool,
    ) -> anyhow::Result<Self> {
        Ok(Self { clients: clients(etcd, member, connections).await?, keys, serializable })
    }

    pub fn work(self) -> Arc<dyn Work> {
        Arc::new(self)
    }
}

impl Work for Gets {
    fn once(&self, client: usize, number: u64) -> BoxFuture<'_, Result<Done, String>> {
        Box::pin(async move {
            let key = key_of(number.wrapping_mul(0x9e37_79b9_7f4a_7c15) % self.keys);
            match self.clients[client % self.clients.len()].get(key, self.serializable).await {
                Ok(true) => Ok(Done::one("get")),
                Ok(false) => Err("a key that was put is not there".into()),
                Err(status) => Err(status.to_string()),
            }
        })
    }
}

fn key_of(number: u64) -> Vec<u8> {
    format!("read/{number:012}").into_bytes()
}
