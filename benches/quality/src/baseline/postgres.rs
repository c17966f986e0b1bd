//! PostgreSQL, started in a folder of its own on a socket in it, stopped and removed at the end.
//!
//! Needs Debian's `postgresql` (the server's programs and the extensions `pg_trgm` and `fuzzystrmatch`). Run as root, it is
//! installed where it is not there, and the server runs as the user `postgres`, because it refuses to run as root.

use std::{
    fmt::Write as _,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use alert_synth::query::sorted_words;
use anyhow::{Context, Result, bail};

use super::{Kind, born, rows};
use crate::{
    evaluate::{Outcome, Task},
    population::Population,
};

/// Most searches of each series: an undated one takes a second and more.
const SEARCHES_EACH_MAX: usize = 200;

/// What installs the server.
const INSTALL: &str = "apt-get update && apt-get install --yes --no-install-recommends postgresql";
const PROGRAMS: &str = "/usr/lib/postgresql";

/// The server's programs are here, or could be installed; otherwise says on stderr what would.
pub fn is_there() -> bool {
    let is_there = || Path::new(PROGRAMS).is_dir();
    if !is_there() && is_root() {
        eprintln!("installing PostgreSQL: {INSTALL}");
        if let Err(error) = check(Command::new("sh").args(["-c", INSTALL])) {
            eprintln!("{error:#}");
        }
    }
    if !is_there() {
        eprintln!("PostgreSQL is not installed, so its baselines are left out: {INSTALL}");
    }
    is_there()
}

pub fn run(kind: Kind, population: &Population, tasks: &[Task]) -> Result<Outcome> {
    let server = Server::start()?;
    server.load(kind, population)?;
    let tasks: Vec<&Task> = tasks
        .chunk_by(|a, b| a.series == b.series)
        .flat_map(|series| series.iter().take(SEARCHES_EACH_MAX))
        .filter(|task| !words(task).is_empty())
        .collect();
    let mut script = String::from("\\timing on\n");
    for (at, task) in tasks.iter().enumerate() {
        writeln!(script, "\\echo search {at}\n{};", select(kind, task))?;
    }
    let answers = server.sql(&script)?;
    let mut outcome = Outcome::default();
    for answer in answers.split("search ").skip(1) {
        let mut lines = answer.lines();
        let at: usize = lines.next().unwrap_or_default().trim().parse().context("the number of a search")?;
        let mut ids = Vec::new();
        let mut took = Duration::ZERO;
        for line in lines {
            match line.strip_prefix("Time: ") {
                Some(time) => {
                    let milliseconds: f64 = time.split(' ').next().unwrap_or_default().parse()?;
                    took = Duration::from_secs_f64(milliseconds / 1000.0);
                }
                None => ids.extend(line.trim().parse::<u64>()),
            }
        }
        let mut seen = std::collections::BTreeSet::new();
        ids.retain(|id| seen.insert(*id));
        outcome.file(tasks[at], |tally| tally.add_ids(&ids, tasks[at].wanted, took));
    }
    Ok(outcome)
}

fn words(task: &Task) -> String {
    sorted_words(&task.asked.names).replace('\'', "''").replace('\\', "")
}

/// Similarity from which a trigram match counts; the extension's own 0.3 shows hundreds.
const SIMILAR_MIN: f64 = 0.5;

fn select(kind: Kind, task: &Task) -> String {
    let name = words(task);
    let (year, ..) = born(&task.asked);
    let years = if year == 0 { String::new() } else { format!("AND year BETWEEN {} AND {}", year - 1, year + 1) };
    match kind {
        Kind::PgTrgm => format!(
            "SELECT number FROM person WHERE name % '{name}' {years} ORDER BY similarity(name, '{name}') DESC LIMIT 50"
        ),
        _ => {
            let words: Vec<&str> = name.split(' ').take(6).collect();
            let mut pairs = Vec::new();
            for (at, a) in words.iter().enumerate() {
                for b in &words[at + 1..] {
                    let (a, b) = (format!("dmetaphone('{a}')"), format!("dmetaphone('{b}')"));
                    pairs.push(format!("(a = least({a}, {b}) AND b = greatest({a}, {b}))"));
                }
            }
            if pairs.is_empty() {
                pairs.push(format!("(a = '' AND b = dmetaphone('{name}'))"));
            }
            format!("SELECT number FROM pair WHERE ({}) {years} LIMIT 200", pairs.join(" OR "))
        }
    }
}

struct Server {
    folder: tempfile::TempDir,
    programs: PathBuf,
}

impl Server {
    fn start() -> Result<Self> {
        let mut versions: Vec<PathBuf> = std::fs::read_dir(PROGRAMS)
            .context(PROGRAMS)?
            .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
            .collect();
        versions.sort();
        let programs = versions.pop().with_context(|| format!("PostgreSQL's programs are not in {PROGRAMS}"))?;
        let folder = tempfile::Builder::new().prefix("alert-quality-").tempdir_in("/var/tmp")?;
        let server = Self { folder, programs };
        if is_root() {
            check(Command::new("chown").arg("postgres").arg(server.folder.path()))?;
        }
        let data = server.path("data");
        check(
            server
                .command("initdb")
                .args(["-A", "trust", "--no-sync", "-E", "UTF8", "--locale", "C.UTF-8", "-D"])
                .arg(&data),
        )?;
        let options = format!(
            "-k {} -c listen_addresses='' -c fsync=off -c shared_buffers=1GB -c work_mem=64MB -c maintenance_work_mem=512MB \
             -c max_parallel_workers_per_gather=0 -c pg_trgm.similarity_threshold={SIMILAR_MIN}",
            server.folder.path().display()
        );
        check(
            server
                .command("pg_ctl")
                .args(["-w", "-s", "-t", "60", "-o", &options, "-l"])
                .arg(server.path("log"))
                .arg("-D")
                .arg(&data)
                .arg("start"),
        )?;
        Ok(server)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, program: &str) -> Command {
        as_postgres(&self.programs.join(program))
    }

    fn load(&self, kind: Kind, population: &Population) -> Result<()> {
        self.sql(
            "CREATE EXTENSION pg_trgm; CREATE EXTENSION fuzzystrmatch;
             CREATE UNLOGGED TABLE person (number integer, name text, year integer);",
        )?;
        self.copy("COPY person FROM STDIN", population)?;
        self.sql(match kind {
            Kind::PgTrgm => {
                "CREATE INDEX ON person USING gin (name gin_trgm_ops); CREATE INDEX ON person (year); ANALYZE person;"
            }
            _ => {
                "CREATE UNLOGGED TABLE pair AS
                   SELECT DISTINCT number, least(x.code, y.code) AS a, greatest(x.code, y.code) AS b, year
                   FROM (SELECT number, year, array_agg(dmetaphone(word)) AS codes
                         FROM (SELECT ctid AS row, number, year, regexp_split_to_table(name, ' ') AS word FROM person) AS words
                         GROUP BY row, number, year) AS coded,
                        unnest(codes) WITH ORDINALITY AS x(code, i), unnest(codes || ''::text) WITH ORDINALITY AS y(code, j)
                   WHERE i < j;
                 CREATE INDEX ON pair (a, b, year); ANALYZE pair;"
            }
        })?;
        Ok(())
    }

    fn psql(&self) -> Command {
        let mut command = self.command("psql");
        command
            .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h"])
            .arg(self.folder.path())
            .args(["-U", "postgres"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).current_dir("/");
        command
    }

    fn sql(&self, script: &str) -> Result<String> {
        let mut child = self.psql().spawn().context("psql")?;
        let mut input = child.stdin.take().context("psql's input")?;
        let script = script.to_owned();
        let writer = std::thread::spawn(move || input.write_all(script.as_bytes()));
        let output = child.wait_with_output()?;
        writer.join().map_err(|_| anyhow::anyhow!("the writer panicked"))??;
        if !output.status.success() {
            bail!("psql failed: {}", output.status);
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn copy(&self, statement: &str, population: &Population) -> Result<()> {
        let mut child = self.psql().args(["-c", statement]).spawn().context("psql")?;
        let mut input = std::io::BufWriter::new(child.stdin.take().context("psql's input")?);
        for row in rows(population) {
            writeln!(input, "{}\t{}\t{}", row.number, row.name.replace('\\', ""), row.year)?;
        }
        drop(input);
        if !child.wait()?.success() {
            bail!("psql could not copy");
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let mut stop = self.command("pg_ctl");
        stop.args(["-w", "-s", "-m", "immediate", "-D"]).arg(self.path("data")).arg("stop");
        if let Err(error) = check(&mut stop) {
            eprintln!("PostgreSQL in {} was not stopped: {error}", self.folder.path().display());
        }
    }
}

fn is_root() -> bool {
    std::env::var("USER").is_ok_and(|user| user == "root") || Path::new("/root").read_dir().is_ok()
}

fn as_postgres(program: &Path) -> Command {
    let mut command = if is_root() {
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--"]).arg(program);
        command
    } else {
        Command::new(program)
    };
    command.current_dir("/");
    command
}

fn check(command: &mut Command) -> Result<()> {
    let status = command.stdout(Stdio::null()).status().with_context(|| format!("{command:?}"))?;
    if !status.success() {
        bail!("{command:?} ended with {status}");
    }
    Ok(())
}
