//! PostgreSQL: one server behind a Unix socket, fsync and synchronous commit on.

use std::{
    fs::{self, File},
    os::unix::{fs::chown, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use alert_chaos::process::{signal, spawn};
use tempfile::TempDir;
use tokio_postgres::{Client, NoTls};

use crate::{PeerError, programs};

const PROGRAM: &str = "PostgreSQL";
const INSTALL: &str = "apt-get install postgresql";
const START_LIMIT: Duration = Duration::from_secs(60);
const STOP_LIMIT: Duration = Duration::from_secs(20);

/// What the server is given. The rest is as its own users tune it for one machine with an SSD.
#[derive(Debug, Clone)]
pub struct PostgresSettings {
    /// Cache of its own.
    pub shared_buffers_mib: u32,
    /// For building indexes.
    pub maintenance_mib: u32,
    /// Further lines of its configuration.
    pub more: Vec<(String, String)>,
}

impl Default for PostgresSettings {
    fn default() -> Self {
        Self { shared_buffers_mib: 512, maintenance_mib: 512, more: Vec::new() }
    }
}

impl PostgresSettings {
    fn lines(&self, socket: &Path) -> Vec<(String, String)> {
        let own = [
            ("listen_addresses", String::new()),
            ("unix_socket_directories", socket.display().to_string()),
            ("fsync", "on".into()),
            ("synchronous_commit", "on".into()),
            ("full_page_writes", "on".into()),
            ("wal_compression", "on".into()),
            ("max_wal_size", "4GB".into()),
            ("checkpoint_timeout", "15min".into()),
            ("shared_buffers", format!("{}MB", self.shared_buffers_mib)),
            ("maintenance_work_mem", format!("{}MB", self.maintenance_mib)),
            ("work_mem", "64MB".into()),
            ("random_page_cost", "1.1".into()),
            ("effective_io_concurrency", "200".into()),
            ("jit", "off".into()),
            ("max_connections", "100".into()),
        ];
        own.into_iter().map(|(name, value)| (name.to_owned(), value)).chain(self.more.clone()).collect()
    }
}

/// A running server; dropping it ends it and removes its files.
pub struct Postgres {
    server: Child,
    socket: PathBuf,
    directory: TempDir,
}

impl Postgres {
    /// Makes a database cluster below `parent`, so that it uses the disk that is compared on, and starts its server.
    ///
    /// # Errors
    /// See [`PeerError`].
    pub async fn start(parent: &Path, settings: &PostgresSettings) -> Result<Self, PeerError> {
        let missing = PeerError::NotInstalled { program: PROGRAM, install: INSTALL };
        let places = programs::postgres_places();
        let (Some(initdb), Some(postgres)) = (programs::find("initdb", &places), programs::find("postgres", &places))
        else {
            return Err(missing);
        };
        let io = |error| PeerError::Io { path: parent.to_path_buf(), error };
        let directory = tempfile::Builder::new().prefix("pg-").tempdir_in(parent).map_err(io)?;
        let socket = directory.path().join("socket");
        let data = directory.path().join("data");
        fs::create_dir(&socket).map_err(io)?;
        // The server refuses to run as root.
        let user = unprivileged()?;
        if let Some((uid, gid)) = user {
            chown(directory.path(), Some(uid), Some(gid)).map_err(io)?;
            chown(&socket, Some(uid), Some(gid)).map_err(io)?;
        }
        let as_user = |program: &Path| {
            let mut command = Command::new(program);
            command.current_dir(directory.path()).stdin(Stdio::null());
            if let Some((uid, gid)) = user {
                command.uid(uid).gid(gid);
            }
            command
        };
        let made = as_user(&initdb)
            .arg("--pgdata")
            .arg(&data)
            .args([
                "--username=bench",
                "--auth=trust",
                "--encoding=UTF8",
                "--lc-collate=C",
                "--lc-ctype=C.UTF-8",
                "--no-instructions",
            ])
            .output()
            .map_err(io)?;
        if !made.status.success() {
            let reason = String::from_utf8_lossy(&made.stderr).into_owned();
            return Err(PeerError::NotStarted { program: PROGRAM, reason });
        }
        let log = directory.path().join("server.log");
        let output = File::create(&log).map_err(io)?;
        let mut command = as_user(&postgres);
        command.arg("-D").arg(&data);
        for (name, value) in settings.lines(&socket) {
            command.arg("-c").arg(format!("{name}={value}"));
        }
        command.stdout(output.try_clone().map_err(io)?).stderr(output);
        let server = spawn(command, false).map_err(io)?;
        let mut started = Self { server, socket, directory };
        started.wait_ready(&log).await?;
        Ok(started)
    }

    async fn wait_ready(&mut self, log: &Path) -> Result<(), PeerError> {
        let end = Instant::now() + START_LIMIT;
        loop {
            let last = match self.connect().await {
                Ok(_) => return Ok(()),
                Err(error) => error,
            };
            if matches!(self.server.try_wait(), Ok(Some(_))) || Instant::now() >= end {
                let reason = format!("{last}; the log ends:\n{}", programs::tail(log));
                return Err(PeerError::NotStarted { program: PROGRAM, reason });
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// A connection of its own. The task that drives it ends with the client.
    ///
    /// # Errors
    /// The server does not answer.
    pub async fn connect(&self) -> Result<Client, PeerError> {
        let mut config = tokio_postgres::Config::new();
        config.host_path(&self.socket).user("bench").dbname("postgres");
        let (client, connection) = config.connect(NoTls).await?;
        tokio::spawn(async move {
            // Its end is seen by the client's next call.
            let _ = connection.await;
        });
        Ok(client)
    }

    /// Bytes of all its files.
    pub fn bytes_on_disk(&self) -> u64 {
        fn of(path: &Path) -> u64 {
            let entries = fs::read_dir(path).into_iter().flatten().flatten();
            entries
                .map(|entry| match entry.metadata() {
                    Ok(facts) if facts.is_dir() => of(&entry.path()),
                    Ok(facts) => facts.len(),
                    Err(_) => 0,
                })
                .sum()
        }
        of(self.directory.path())
    }

    /// Its process and those that it has started.
    pub fn pids(&self) -> Vec<u32> {
        let own = self.server.id();
        let children = fs::read_to_string(format!("/proc/{own}/task/{own}/children")).unwrap_or_default();
        std::iter::once(own).chain(children.split_whitespace().filter_map(|pid| pid.parse().ok())).collect()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // SIGINT: ends its sessions and itself, in order. Shared memory would stay behind after a SIGKILL.
        if signal(&self.server, libc::SIGINT).is_ok() {
            let end = Instant::now() + STOP_LIMIT;
            while Instant::now() < end {
                if matches!(self.server.try_wait(), Ok(Some(_))) {
                    return;
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// Who runs the server: nobody special, or as root the package's own user.
fn unprivileged() -> Result<Option<(u32, u32)>, PeerError> {
    let path = PathBuf::from("/proc/self");
    let facts = fs::metadata(&path).map_err(|error| PeerError::Io { path, error })?;
    if std::os::unix::fs::MetadataExt::uid(&facts) != 0 {
        return Ok(None);
    }
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let ids = users.lines().find_map(|line| {
        let mut fields = line.strip_prefix("postgres:")?.split(':').skip(1);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    });
    let reason = || PeerError::NotStarted { program: PROGRAM, reason: "there is no user 'postgres'".into() };
    ids.map(Some).ok_or_else(reason)
}
