//! `alert-config`: sample files, checks, and development clusters.
//!
//! Standard output is data, standard error is talk. Exit codes: 0 done, 1 refused or failed, 2 wrong arguments.

use std::{path::PathBuf, process::ExitCode};

use alert_cluster_config::{
    ClientConfig, Config, ConfigError, NodeConfig,
    dev_ca::{DevCa, Holder},
    dev_cluster::DevCluster,
    sample,
};
use clap::{Parser, Subcommand, ValueEnum};

/// Sample configuration, checks of configuration, and certificates and clusters for development.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Prints a sample file with every field explained.
    Sample { kind: Kind },
    /// Reads a file and tells everything that is wrong with it.
    Check { kind: Kind, file: PathBuf },
    /// Issues one certificate for development: NAME.pem and NAME.key, and the authority where it is not there yet.
    DevCerts {
        /// Directory to write to.
        #[arg(long)]
        out: PathBuf,
        /// The authority that issues it: CA.pem and CA.key in the directory.
        #[arg(long)]
        ca: String,
        /// node, operator, bureau, search, search-open, partner, auditor or policy.
        #[arg(long)]
        role: String,
        /// Code of the country or organisation.
        #[arg(long, default_value = "GB")]
        country: String,
        /// The authority that it belongs to, for example nca.
        #[arg(long)]
        authority: String,
        /// Name of the system or node, and of the files.
        #[arg(long)]
        name: String,
        /// Number of the node.
        #[arg(long)]
        node_id: Option<u64>,
        /// Addresses and host names at which it answers.
        #[arg(long = "host")]
        hosts: Vec<String>,
    },
    /// Writes the certificates and configuration of a cluster on this machine's loopback addresses.
    DevCluster {
        /// Directory to write to.
        #[arg(long)]
        out: PathBuf,
        /// How many nodes.
        #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=99))]
        nodes: u64,
        /// First port; each node takes three, ten apart from the next node's.
        #[arg(long, default_value_t = 7100, value_parser = clap::value_parser!(u16).range(1024..=64000))]
        base_port: u16,
        /// Sites, over which the nodes are spread in turn.
        #[arg(long, value_delimiter = ',', default_value = "lon,man,edi")]
        data_centres: Vec<String>,
        /// Countries of partners.
        #[arg(long, value_delimiter = ',', default_value = "FR")]
        partners: Vec<String>,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    Node,
    Client,
}

fn main() -> ExitCode {
    match run(Arguments::parse().verb) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(verb: Verb) -> Result<(), Box<dyn std::error::Error>> {
    match verb {
        Verb::Sample { kind: Kind::Node } => print!("{}", sample::of::<NodeConfig>()),
        Verb::Sample { kind: Kind::Client } => print!("{}", sample::of::<ClientConfig>()),
        Verb::Check { kind, file } => {
            check(kind, &file)?;
            eprintln!("{}: nothing is wrong with it", file.display());
        }
        Verb::DevCerts { out, ca, role, country, authority, name, node_id, hosts } => {
            let issuer = DevCa::open_or_create(&out, &ca)?;
            let holder = Holder { node_id, hosts, ..Holder::client(&role, &country, &authority, &name) };
            let (certificate, key) = issuer.issue(&holder)?.write(&out, &name)?;
            println!("{}\n{}", certificate.display(), key.display());
        }
        Verb::DevCluster { out, nodes, base_port, data_centres, partners } => {
            let cluster = DevCluster { partners, ..DevCluster::on_loopback(&out, nodes, &data_centres, base_port) };
            let files = cluster.write()?;
            for path in files.nodes.iter().chain(files.clients.iter().map(|(_, path)| path)) {
                println!("{}", path.display());
            }
        }
    }
    Ok(())
}

fn check(kind: Kind, file: &std::path::Path) -> Result<(), ConfigError> {
    match kind {
        Kind::Node => NodeConfig::load(file).map(drop),
        Kind::Client => ClientConfig::load(file).map(drop),
    }
}
