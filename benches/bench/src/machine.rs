//! What the figures were taken on, and how busy it was.

use std::{fmt, fs};

use serde::Serialize;

/// A machine and a moment.
#[derive(Debug, Clone, Serialize)]
pub struct Machine {
    /// UTC, to the minute.
    pub date: String,
    pub processor: String,
    pub cores: usize,
    pub memory_mib: u64,
    pub kernel: String,
    /// Processes that wanted a core, on average over a minute, before and after: above zero before means noise.
    pub load_before: f64,
    pub load_after: Option<f64>,
}

impl Machine {
    /// This one, now.
    pub fn look() -> Self {
        let text = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let field = |text: &str, name: &str| {
            let line = text.lines().find(|line| line.starts_with(name))?;
            Some(line.split_once(':')?.1.trim().to_owned())
        };
        let memory = field(&text("/proc/meminfo"), "MemTotal").unwrap_or_default();
        let kib: u64 = memory.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or_default();
        Self {
            date: jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M UTC").to_string(),
            processor: field(&text("/proc/cpuinfo"), "model name").unwrap_or_else(|| "unknown".into()),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_mib: kib / 1024,
            kernel: text("/proc/sys/kernel/osrelease").trim().to_owned(),
            load_before: load(),
            load_after: None,
        }
    }

    pub(crate) fn note_end(&mut self) {
        self.load_after = Some(load());
    }
}

fn load() -> f64 {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or_default()
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { date, processor, cores, memory_mib, kernel, load_before, load_after } = self;
        write!(f, "{date}: {cores} cores of {processor}, {memory_mib} MiB, Linux {kernel}; load {load_before} before")?;
        load_after.map_or(Ok(()), |after| write!(f, ", {after} after"))
    }
}
