//! `alert-bench`: how fast, against what, and how far from the floor.

use std::{path::PathBuf, time::Duration};

use alert_bench::{
    compare::{self, Against, CompareOptions},
    counting, floor,
    growing::{self, GrowOptions},
    loading::{self, Level, LoadOptions, Mix},
    target::Target,
};
use clap::{Args, Parser, Subcommand};

/// Measures the alert store. Each command prints a table and writes NAME.json and NAME.html.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

#[derive(Args)]
struct Common {
    /// Where reports go.
    #[arg(long, global = true, default_value = "bench-results")]
    out: PathBuf,
    /// Where data of nodes and peers goes, on the disk that is measured; removed at the end. Default: the system's
    /// temporary directory.
    #[arg(long, global = true)]
    data: Option<PathBuf>,
    /// Seconds of each measurement.
    #[arg(long, global = true, default_value_t = 5.0)]
    seconds: f64,
}

#[derive(Subcommand)]
enum Command {
    /// What this machine can do at all.
    Floor,
    /// A closed loop and an open one, up to the knee.
    Load {
        #[arg(long, value_enum, default_value_t = Mix::Border)]
        mix: Mix,
        /// Read levels of searches.
        #[arg(long, value_enum, value_delimiter = ',', default_value = "bounded")]
        levels: Vec<Level>,
        /// Persons stored before.
        #[arg(long, default_value_t = 2000)]
        persons: u64,
        /// Objects stored before.
        #[arg(long, default_value_t = 20_000)]
        objects: u64,
        /// Clients of the closed loop.
        #[arg(long, value_delimiter = ',', default_value = "1,16,64")]
        clients: Vec<usize>,
        /// Operations a second of the open loop; default: shares of what the closed loop reached.
        #[arg(long, value_delimiter = ',')]
        rates: Vec<f64>,
        #[arg(long, default_value_t = 8)]
        connections: usize,
        #[arg(long, default_value_t = 3)]
        nodes: u64,
        /// Loads a cluster that runs already: the directory with its clients' configuration.
        #[arg(long)]
        cluster: Option<PathBuf>,
    },
    /// The same work side by side with etcd, PostgreSQL and a bare RocksDB.
    Compare {
        #[arg(long, value_enum, value_delimiter = ',', default_value = "writes,reads,persons,import")]
        against: Vec<Against>,
        /// Clients of the durable writes.
        #[arg(long, value_delimiter = ',', default_value = "1,64,256")]
        clients: Vec<usize>,
        #[arg(long, default_value_t = 8)]
        connections: usize,
        #[arg(long, default_value_t = 5)]
        rounds: usize,
        /// Persons stored before.
        #[arg(long, default_value_t = 1000)]
        persons: u64,
        /// Objects stored before.
        #[arg(long, default_value_t = 10_000)]
        objects: u64,
    },
    /// What growth costs.
    Grow {
        /// Alerts in all, step by step.
        #[arg(long, value_delimiter = ',', default_value = "100000,1000000,10000000")]
        sizes: Vec<u64>,
        /// Of a hundred alerts so many are persons.
        #[arg(long, default_value_t = 17)]
        persons_per_hundred: u64,
    },
    /// fsyncs, probes and bytes for each operation.
    Counters,
    /// Instructions and allocations of the hot paths.
    Instructions {
        /// Fails when a path is above its bound.
        #[arg(long)]
        check: bool,
    },
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let Arguments { common, command } = Arguments::parse();
    let time = Duration::from_secs_f64(common.seconds);
    let data = common.data.unwrap_or_else(std::env::temp_dir);
    std::fs::create_dir_all(&data)?;
    let report = match command {
        Command::Floor => floor::report(&data, time).await?,
        Command::Load { mix, levels, persons, objects, clients, rates, connections, nodes, cluster } => {
            let target = match cluster {
                Some(configs) => Target::existing(&configs)?,
                None => Target::start(nodes, Some(&data)).await?,
            };
            let options = LoadOptions { mix, levels, persons, objects, clients, rates, connections, time };
            loading::run(&target, &options).await?
        }
        Command::Compare { against, clients, connections, rounds, persons, objects } => {
            let options = CompareOptions { against, clients, connections, rounds, time, persons, objects };
            compare::run(&data, &options).await?
        }
        Command::Grow { sizes, persons_per_hundred } => {
            growing::run(&data, &GrowOptions { sizes, persons_per_hundred, time }).await?
        }
        Command::Counters => counting::counters(&data, time).await?,
        Command::Instructions { check } => counting::instructions(check)?,
    };
    report.write(&common.out)?;
    Ok(())
}
