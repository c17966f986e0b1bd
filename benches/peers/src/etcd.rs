//! etcd: three members on loopback with their fsyncs on, in plain text: its fastest way.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use alert_chaos::process::spawn;
use http::uri::PathAndQuery;
use tempfile::TempDir;
use tonic::{
    Status,
    client::Grpc,
    transport::{Channel, Endpoint},
};
use tonic_prost::ProstCodec;

use crate::{
    PeerError,
    etcd_messages::{PutRequest, PutResponse, RangeRequest, RangeResponse, StatusRequest, StatusResponse},
    programs,
};

const INSTALL: &str = "apt-get install etcd-server";
/// Members, as many as our nodes.
const MEMBERS: usize = 3;
/// A member that does not answer by then will not.
const START_LIMIT: Duration = Duration::from_secs(30);
/// Above what any comparison writes; the default of 2 GiB would end a long one with an alarm.
const BACKEND_BYTES_MAX: u64 = 8 << 30;

/// A running cluster; dropping it ends the members and removes their files.
pub struct Etcd {
    members: Vec<Child>,
    client_addresses: Vec<String>,
    leader: usize,
    _directory: TempDir,
}

impl Etcd {
    /// Starts three members below `parent`, so that they use the disk that is compared on.
    ///
    /// # Errors
    /// See [`PeerError`].
    pub async fn start(parent: &Path) -> Result<Self, PeerError> {
        let program =
            programs::find("etcd", &[]).ok_or(PeerError::NotInstalled { program: "etcd", install: INSTALL })?;
        let io = |error| PeerError::Io { path: parent.to_path_buf(), error };
        let directory = tempfile::Builder::new().prefix("etcd-").tempdir_in(parent).map_err(io)?;
        let ports = programs::free_ports(2 * MEMBERS).map_err(io)?;
        let (client_ports, peer_ports) = ports.split_at(MEMBERS);
        let address = |port: u16| format!("http://127.0.0.1:{port}");
        let cluster: Vec<String> =
            peer_ports.iter().enumerate().map(|(member, port)| format!("m{member}={}", address(*port))).collect();
        let mut members = Vec::new();
        let mut logs = Vec::new();
        for member in 0..MEMBERS {
            let log = directory.path().join(format!("m{member}.log"));
            let output = File::create(&log).map_err(io)?;
            let mut command = Command::new(&program);
            command
                .args(["--name", &format!("m{member}")])
                .arg("--data-dir")
                .arg(directory.path().join(format!("m{member}")))
                .args(["--listen-client-urls", &address(client_ports[member])])
                .args(["--advertise-client-urls", &address(client_ports[member])])
                .args(["--listen-peer-urls", &address(peer_ports[member])])
                .args(["--initial-advertise-peer-urls", &address(peer_ports[member])])
                .args(["--initial-cluster", &cluster.join(",")])
                .args(["--initial-cluster-state", "new", "--log-level", "warn", "--logger", "zap"])
                .args(["--quota-backend-bytes", &BACKEND_BYTES_MAX.to_string()])
                .stdin(Stdio::null())
                .stdout(output.try_clone().map_err(io)?)
                .stderr(output);
            members.push(spawn(command, false).map_err(io)?);
            logs.push(log);
        }
        let client_addresses = client_ports.iter().map(|port| address(*port)).collect();
        let mut etcd = Self { members, client_addresses, leader: 0, _directory: directory };
        etcd.wait_ready(&logs).await?;
        Ok(etcd)
    }

    async fn wait_ready(&mut self, logs: &[PathBuf]) -> Result<(), PeerError> {
        let end = Instant::now() + START_LIMIT;
        loop {
            let last = match self.try_put().await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            let ended = self.members.iter_mut().any(|member| matches!(member.try_wait(), Ok(Some(_))));
            if ended || Instant::now() >= end {
                let logs: Vec<String> = logs.iter().map(|log| programs::tail(log)).collect();
                let reason = format!("{last}; the logs end:\n{}", logs.join("\n"));
                return Err(PeerError::NotStarted { program: "etcd", reason });
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Ready when every member answers; remembers which of them leads.
    async fn try_put(&mut self) -> Result<(), PeerError> {
        for member in 0..MEMBERS {
            let client = self.client(member).await?;
            client.put(b"ready".to_vec(), vec![member as u8]).await?;
            if client.leads().await? {
                self.leader = member;
            }
        }
        Ok(())
    }

    /// One connection to a member.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn client(&self, member: usize) -> Result<EtcdClient, PeerError> {
        let endpoint = Endpoint::from_shared(self.client_addresses[member].clone())?.tcp_nodelay(true);
        Ok(EtcdClient { channel: endpoint.connect().await? })
    }

    /// The member that led when the cluster came up.
    pub fn leader(&self) -> usize {
        self.leader
    }

    /// How many members there are.
    pub fn members(&self) -> usize {
        self.members.len()
    }

    /// Their processes.
    pub fn pids(&self) -> Vec<u32> {
        self.members.iter().map(Child::id).collect()
    }
}

impl Drop for Etcd {
    fn drop(&mut self) {
        for member in &mut self.members {
            // Ended already, or ends now; the files go in any case.
            let _ = member.kill();
            let _ = member.wait();
        }
    }
}

/// A connection to one member. Clones share it.
#[derive(Clone)]
pub struct EtcdClient {
    channel: Channel,
}

impl EtcdClient {
    /// Writes a key.
    ///
    /// # Errors
    /// etcd's status.
    pub async fn put(&self, key: Vec<u8>, value: Vec<u8>) -> Result<(), Status> {
        let answer: PutResponse = self.unary("/etcdserverpb.KV/Put", PutRequest { key, value }).await?;
        answer.header.map(drop).ok_or_else(|| Status::internal("an answer without a header"))
    }

    /// Reads a key: from this member alone (`serializable`), or as of now. Says whether it is there.
    ///
    /// # Errors
    /// etcd's status.
    pub async fn get(&self, key: Vec<u8>, serializable: bool) -> Result<bool, Status> {
        let answer: RangeResponse = self.unary("/etcdserverpb.KV/Range", RangeRequest { key, serializable }).await?;
        Ok(!answer.kvs.is_empty())
    }

    async fn leads(&self) -> Result<bool, Status> {
        let status: StatusResponse = self.unary("/etcdserverpb.Maintenance/Status", StatusRequest {}).await?;
        Ok(status.header.is_some_and(|header| header.member_id == status.leader))
    }

    async fn unary<Q, A>(&self, path: &'static str, request: Q) -> Result<A, Status>
    where
        Q: prost::Message + Send + Sync + 'static,
        A: prost::Message + Default + Send + Sync + 'static,
    {
        let mut grpc = Grpc::new(self.channel.clone());
        grpc.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
        let codec = ProstCodec::<Q, A>::default();
        let answer = grpc.unary(tonic::Request::new(request), PathAndQuery::from_static(path), codec).await?;
        Ok(answer.into_inner())
    }
}
