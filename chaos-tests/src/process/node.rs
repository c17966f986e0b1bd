//! One node's process.

use std::{
    fs::{self, File, OpenOptions},
    io::{Read, Seek, SeekFrom, Write},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use alert_cluster_config::{Config, NodeConfig};
use anyhow::{Context, bail};

use super::{
    http::{Answer, get},
    spawn::{signal, spawn},
    wait::wait_until,
};

/// One question to the ops port takes no longer than this; a paused node would keep us for ever.
const OPS_LIMIT: Duration = Duration::from_secs(2);
/// Most bytes of a log that are read from its end.
const TAIL_BYTES_MAX: u64 = 256 * 1024;
/// Lines of log that an error shows.
const ERROR_LINES: usize = 25;

/// What a node's process is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// There is none: not started, killed, or ended by itself.
    Stopped,
    /// It runs.
    Running,
    /// It is stopped by [`NodeProcess::pause`].
    Paused,
}

/// A file of a node.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileFound {
    /// Its path.
    pub path: PathBuf,
    /// Its length.
    pub bytes: u64,
}

/// A node: its files and, between start and end, its process.
#[derive(Debug)]
pub struct NodeProcess {
    id: u64,
    program: PathBuf,
    config_path: PathBuf,
    log_path: PathBuf,
    ready_limit: Duration,
    outlives: bool,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    child: Option<Child>,
    paused: bool,
    starts: u32,
    last_exit: Option<ExitStatus>,
    environment: Vec<(String, String)>,
}

/// How a node is run.
#[derive(Debug, Clone)]
pub(super) struct NodeSettings {
    pub program: PathBuf,
    pub logs: PathBuf,
    pub ready_limit: Duration,
    pub outlives: bool,
    pub environment: Vec<(String, String)>,
}

impl NodeProcess {
    pub(super) fn new(id: u64, config_path: PathBuf, settings: &NodeSettings) -> Self {
        Self {
            id,
            program: settings.program.clone(),
            config_path,
            log_path: settings.logs.join(format!("node{id}.log")),
            ready_limit: settings.ready_limit,
            outlives: settings.outlives,
            inner: Mutex::new(Inner { environment: settings.environment.clone(), ..Inner::default() }),
        }
    }

    /// Its number in the cluster.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Its configuration, as the file says now; paths in it are absolute.
    pub fn config(&self) -> anyhow::Result<NodeConfig> {
        Ok(NodeConfig::load(&self.config_path)?)
    }

    /// Its configuration file.
    pub fn config_path(&self) -> &Path {
        &self.config_path
    }

    /// Changes its configuration file; the next start reads it.
    pub fn configure(&self, change: impl FnOnce(&mut NodeConfig)) -> anyhow::Result<()> {
        let mut config = self.config()?;
        change(&mut config);
        let faults = config.validate();
        if !faults.is_empty() {
            let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
            bail!("node {} would not take this configuration: {}", self.id, faults.join("; "));
        }
        fs::write(&self.config_path, config.to_toml()).with_context(|| self.config_path.display().to_string())
    }

    /// Where clients reach it.
    pub fn client_address(&self) -> anyhow::Result<String> {
        Ok(self.config()?.client_address())
    }

    /// Sets a variable of its environment, from the next start on.
    pub fn set_environment(&self, name: &str, value: &str) {
        let mut inner = self.lock();
        inner.environment.retain(|(known, _)| known != name);
        inner.environment.push((name.to_owned(), value.to_owned()));
    }

    /// Starts it. It is an error when it runs already.
    pub fn start(&self) -> anyhow::Result<()> {
        let mut inner = self.lock();
        inner.reap();
        if let Some(child) = &inner.child {
            bail!("node {} runs already, as process {}", self.id, child.id());
        }
        inner.starts += 1;
        let mut log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.log_path)
            .with_context(|| self.log_path.display().to_string())?;
        writeln!(log, "--- start {} of node {} ---", inner.starts, self.id).context("the node's log")?;
        let mut command = Command::new(&self.program);
        command
            .arg("--config")
            .arg(&self.config_path)
            .envs(inner.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(log.try_clone().context("the node's log")?)
            .stderr(log);
        let child = spawn(command, self.outlives).with_context(|| format!("starting {}", self.program.display()))?;
        inner.child = Some(child);
        inner.paused = false;
        inner.last_exit = None;
        Ok(())
    }

    /// `alertd VERB` with this node's configuration, to its end: status, standard output and standard error.
    pub fn run_verb(&self, verb: &str) -> anyhow::Result<Output> {
        let mut command = Command::new(&self.program);
        let output = command.arg(verb).arg("--config").arg(&self.config_path).stdin(Stdio::null()).output();
        output.with_context(|| format!("running {} {verb}", self.program.display()))
    }

    /// SIGKILL, and waits for the kernel to be done with it. Nothing happens when it does not run.
    pub fn kill(&self) -> anyhow::Result<()> {
        let mut inner = self.lock();
        inner.reap();
        if let Some(mut child) = inner.child.take() {
            child.kill().with_context(|| format!("killing node {}", self.id))?;
            inner.last_exit = Some(child.wait().with_context(|| format!("waiting for node {}", self.id))?);
        }
        inner.paused = false;
        Ok(())
    }

    /// SIGTERM, and waits until it has ended, for at most `limit`.
    pub async fn terminate(&self, limit: Duration) -> anyhow::Result<ExitStatus> {
        if self.state() == State::Paused {
            self.resume()?;
        }
        self.signal(libc::SIGTERM)?;
        self.wait_ended(limit).await
    }

    /// SIGHUP: it reads certificates, authorities and the deny list again.
    pub fn reload(&self) -> anyhow::Result<()> {
        self.signal(libc::SIGHUP)
    }

    /// Waits until it has ended, by itself or because it was told to.
    pub async fn wait_ended(&self, limit: Duration) -> anyhow::Result<ExitStatus> {
        let waited = wait_until(&format!("the end of node {}", self.id), limit, || async {
            let mut inner = self.lock();
            inner.reap();
            Ok(if inner.child.is_none() { inner.last_exit } else { None })
        })
        .await;
        waited.with_context(|| format!("its log ends:\n{}", self.log_tail(ERROR_LINES)))
    }

    /// SIGSTOP: it does nothing until [`Self::resume`], and its connections stay open.
    pub fn pause(&self) -> anyhow::Result<()> {
        self.signal(libc::SIGSTOP)?;
        self.lock().paused = true;
        Ok(())
    }

    /// SIGCONT.
    pub fn resume(&self) -> anyhow::Result<()> {
        self.signal(libc::SIGCONT)?;
        self.lock().paused = false;
        Ok(())
    }

    /// [`Self::kill`] and [`Self::start`].
    pub fn restart(&self) -> anyhow::Result<()> {
        self.kill()?;
        self.start()
    }

    /// What its process is doing now.
    pub fn state(&self) -> State {
        let mut inner = self.lock();
        inner.reap();
        match (&inner.child, inner.paused) {
            (None, _) => State::Stopped,
            (Some(_), true) => State::Paused,
            (Some(_), false) => State::Running,
        }
    }

    /// Its process, while there is one.
    pub fn pid(&self) -> Option<u32> {
        let mut inner = self.lock();
        inner.reap();
        inner.child.as_ref().map(Child::id)
    }

    /// How its last process ended; none while it runs or before it ever did.
    pub fn last_exit(&self) -> Option<ExitStatus> {
        let mut inner = self.lock();
        inner.reap();
        inner.last_exit
    }

    /// Asks its ops port, for example for `/metrics`.
    pub async fn ops(&self, path: &str) -> anyhow::Result<Answer> {
        let address = self.config()?.listen.ops;
        Ok(get(address, path, OPS_LIMIT).await?)
    }

    /// Waits until it says that it lives.
    pub async fn wait_live(&self) -> anyhow::Result<()> {
        self.wait_for_ops("/livez").await
    }

    /// Waits until it says that it can serve.
    pub async fn wait_ready(&self) -> anyhow::Result<()> {
        self.wait_for_ops("/readyz").await
    }

    async fn wait_for_ops(&self, path: &str) -> anyhow::Result<()> {
        let address: SocketAddr = self.config()?.listen.ops;
        let last = Mutex::new(String::from("nothing"));
        let set = |text: String| *last.lock().unwrap_or_else(PoisonError::into_inner) = text;
        let waited = wait_until(&format!("200 from http://{address}{path}"), self.ready_limit, || async {
            if self.state() == State::Stopped {
                bail!("node {} does not run ({})", self.id, self.exit_in_words());
            }
            match get(address, path, OPS_LIMIT).await {
                Ok(answer) if answer.status == 200 => return Ok(Some(())),
                Ok(answer) => set(format!("{} {}", answer.status, answer.body.trim())),
                Err(error) => set(error.to_string()),
            }
            Ok(None)
        })
        .await;
        waited.with_context(|| {
            let last = last.lock().unwrap_or_else(PoisonError::into_inner).clone();
            format!("node {} (last answer: {last}); its log ends:\n{}", self.id, self.log_tail(ERROR_LINES))
        })
    }

    /// Waits until its log holds `text`, since its last start.
    pub async fn wait_for_log(&self, text: &str) -> anyhow::Result<()> {
        let what = format!("'{text}' in the log of node {}", self.id);
        let waited = wait_until(&what, self.ready_limit, || async {
            let log = fs::read_to_string(&self.log_path).unwrap_or_default();
            let since = log.rfind("--- start ").unwrap_or_default();
            if log[since..].contains(text) {
                return Ok(Some(()));
            }
            if self.state() == State::Stopped {
                bail!("node {} does not run ({})", self.id, self.exit_in_words());
            }
            Ok(None)
        })
        .await;
        waited.with_context(|| format!("the log ends:\n{}", self.log_tail(ERROR_LINES)))
    }

    /// Its log, over all its starts.
    pub fn log_path(&self) -> &Path {
        &self.log_path
    }

    /// The last lines of its log; empty before its first start.
    pub fn log_tail(&self, lines: usize) -> String {
        let read = || -> std::io::Result<String> {
            let mut file = File::open(&self.log_path)?;
            let length = file.metadata()?.len();
            file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES_MAX)))?;
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        };
        let text = read().unwrap_or_default();
        let all: Vec<&str> = text.lines().collect();
        all[all.len().saturating_sub(lines)..].join("\n")
    }

    /// Its directories: log, state, audit.
    pub fn directories(&self) -> anyhow::Result<[PathBuf; 3]> {
        let storage = self.config()?.storage;
        Ok([storage.log_directory, storage.state_directory, storage.audit_directory])
    }

    /// All files in its directories, in the order of their paths.
    pub fn files(&self) -> anyhow::Result<Vec<FileFound>> {
        let mut found = Vec::new();
        let mut open: Vec<PathBuf> = self.directories()?.into_iter().filter(|path| path.exists()).collect();
        while let Some(directory) = open.pop() {
            for entry in fs::read_dir(&directory).with_context(|| directory.display().to_string())? {
                let path = entry?.path();
                // A file may go between the listing and the look at it, while the node runs.
                match fs::symlink_metadata(&path) {
                    Ok(facts) if facts.is_dir() => open.push(path),
                    Ok(facts) => found.push(FileFound { path, bytes: facts.len() }),
                    Err(_) => {}
                }
            }
        }
        found.sort();
        Ok(found)
    }

    /// Removes all that it keeps, as a new disk would. It must not run.
    pub fn wipe(&self) -> anyhow::Result<()> {
        if self.state() != State::Stopped {
            bail!("node {} still runs; kill it before its disk is wiped", self.id);
        }
        for directory in self.directories()?.iter().filter(|path| path.exists()) {
            fs::remove_dir_all(directory).with_context(|| directory.display().to_string())?;
        }
        Ok(())
    }

    fn signal(&self, number: libc::c_int) -> anyhow::Result<()> {
        let mut inner = self.lock();
        inner.reap();
        match &inner.child {
            Some(child) => signal(child, number).with_context(|| format!("signal {number} to node {}", self.id)),
            None => bail!("node {} does not run", self.id),
        }
    }

    fn exit_in_words(&self) -> String {
        self.last_exit().map_or_else(|| "it was never started".to_owned(), |status| status.to_string())
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the process live on when this is dropped.
    pub(super) fn let_go(&self) {
        self.lock().child = None;
    }
}

impl Inner {
    /// Notes an end that came by itself.
    fn reap(&mut self) {
        if let Some(status) = self.child.as_mut().and_then(|child| child.try_wait().ok().flatten()) {
            self.last_exit = Some(status);
            self.child = None;
            self.paused = false;
        }
    }
}

impl Drop for NodeProcess {
    fn drop(&mut self) {
        // Best effort: the kernel kills it with us at the latest.
        let _ = self.kill();
    }
}
