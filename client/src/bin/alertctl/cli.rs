//! The command line.

use std::{path::PathBuf, time::Duration};

use alert_client::pb;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::{arguments, command};

const AFTER_HELP: &str = "\
Exit codes:
  0  done
  1  refused, or failed
  2  wrong usage, configuration or certificate
  3  not found
  4  unavailable, or the deadline passed: nothing was changed, try again
  5  done in part: rejected lines, not fully searched, a node that does not answer
  6  outcome unknown: the change may have taken effect, look before you repeat it";

/// Works with the alert store: alerts, searches, hits, agreements, rules, audit, and the cluster itself.
#[derive(Parser)]
#[command(name = "alertctl", version, after_help = AFTER_HELP)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(Args)]
pub struct Global {
    /// The client's configuration file.
    #[arg(long, global = true, env = "ALERTCTL_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// What standard output looks like.
    #[arg(short, long, global = true, value_enum, default_value_t = Format::Table)]
    pub output: Format,
    /// The officer or system behind the call, as your own directory names it.
    #[arg(long, global = true, env = "ALERTCTL_OFFICER", help_heading = "Call context")]
    pub officer: Option<String>,
    /// A value of the code list "purpose".
    #[arg(long, global = true, env = "ALERTCTL_PURPOSE", help_heading = "Call context")]
    pub purpose: Option<String>,
    /// Partners: the agreement that the call is made under.
    #[arg(long, global = true, env = "ALERTCTL_AGREEMENT", help_heading = "Call context")]
    pub agreement: Option<String>,
    /// Whom the call is made for.
    #[arg(long, global = true, help_heading = "Call context")]
    pub on_behalf_of: Option<String>,
    /// Your own case.
    #[arg(long, global = true, help_heading = "Call context")]
    pub case: Option<String>,
    /// Why, in your own words.
    #[arg(long, global = true, help_heading = "Call context")]
    pub justification: Option<String>,
    /// Ask this node (host:port of its client port) and no other.
    #[arg(long, global = true, value_name = "ADDRESS")]
    pub node: Option<String>,
    /// How fresh reads must be; default: searches bounded to 1 s, everything else linearizable.
    #[arg(long, global = true, value_enum)]
    pub read_level: Option<Level>,
    /// How long each call may take, for example 2s or 500ms.
    #[arg(long, global = true, value_parser = arguments::duration)]
    pub deadline: Option<Duration>,
    /// Do not ask before dangerous steps.
    #[arg(long, global = true)]
    pub yes: bool,
    /// Tell on standard error what the client does.
    #[arg(short, long, global = true)]
    pub verbose: bool,
}

/// What standard output looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Table,
    /// For programs: the contracts' messages in protobuf's canonical JSON.
    Json,
}

/// A read level by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Level {
    /// All that was acknowledged before the call.
    Linearizable,
    /// Every write acknowledged more than a second ago.
    Bounded,
    /// Whatever the node holds; not for partners.
    Local,
}

impl From<Level> for pb::ReadLevel {
    fn from(level: Level) -> Self {
        match level {
            Level::Linearizable => pb::ReadLevel::Linearizable,
            Level::Bounded => pb::ReadLevel::Bounded,
            Level::Local => pb::ReadLevel::Local,
        }
    }
}

/// The commands.
#[derive(Subcommand)]
pub enum Command {
    /// Import alerts from a file of one JSON alert a line.
    Import(command::import::Import),
    /// Write the alerts you may see, one JSON alert a line.
    Export(command::export::Export),
    /// Search for a person, document, vehicle, object or any number.
    Search(command::search::Search),
    /// Show one alert in full.
    Get(command::alert::Get),
    /// List alerts.
    List(command::alert::List),
    /// Show every version of an alert.
    History(command::alert::History),
    /// Create an alert from JSON, or update the one whose id the JSON carries.
    Put(command::change::Put),
    /// Alerts that may be about the same subject as one that you are about to create.
    Duplicates(command::relations::Duplicates),
    /// Hand a draft in for review.
    Submit(command::review::Step),
    /// Approve an alert under review, as another officer than the one who submitted it.
    Approve(command::review::Step),
    /// Send an alert under review back to its drafter.
    Reject(command::review::Step),
    /// List alerts that end soon unless they are extended.
    Due(command::review::Due),
    /// Extend an alert after a review.
    Extend(command::change::Extend),
    /// Suspend, block or flag an alert.
    Restrict(command::change::Restrict),
    /// Lift a restriction.
    Lift(command::change::Lift),
    /// End alerts; a tombstone without personal data stays.
    Cancel(command::change::Cancel),
    /// Remove alerts and their history for good.
    Erase(command::change::Erase),
    /// Link an alert of your own with another one.
    Link(command::relations::Link),
    /// Remove a link.
    Unlink(command::relations::Unlink),
    /// Hand an alert over to another owner.
    TransferOwner(command::relations::TransferOwner),
    /// Remove data that a victim of misused identity agreed to have kept.
    WithdrawConsent(command::relations::WithdrawConsent),
    /// Photos and papers of an alert.
    Attachment(command::attachment::Attachment),
    /// Report hits, answer them, talk about them.
    Hit(command::hit::Hit),
    /// Volumes: alerts and hits by category.
    Statistics(command::statistics::Statistics),
    /// Show the nodes of the cluster and how they are.
    Status,
    /// Form the cluster and change its members.
    Cluster(command::cluster::Cluster),
    /// Agreements with partners.
    Agreement(command::agreement::Agreement),
    /// Code lists, retention, compatibility, minimum fields, search profile.
    Rules(command::rules::Rules),
    /// Check the audit log, and ask who saw what.
    Audit(command::audit::Audit),
}
