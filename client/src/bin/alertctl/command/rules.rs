//! `alertctl rules`.

use std::path::PathBuf;

use alert_client::{json, pb};
use clap::{Args, Subcommand, ValueEnum};

use crate::{
    App,
    arguments::read_text,
    exit::{Exit, Failure},
};

/// Arguments of `rules`.
#[derive(Args)]
pub struct Rules {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Show the rules of one kind, as JSON that `put` takes back.
    Get {
        /// Which.
        #[arg(value_enum)]
        kind: Kind,
    },
    /// Put a new version of one kind of rules.
    Put {
        /// A file with the rules as JSON; "-" for standard input.
        file: PathBuf,
        /// The version that the JSON was made from; default: as the JSON says.
        #[arg(long)]
        expected_version: Option<u64>,
    },
}

/// A kind of rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    CodeLists,
    Retention,
    Compatibility,
    SearchProfile,
    MinimumFields,
}

impl From<Kind> for pb::RuleKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::CodeLists => pb::RuleKind::CodeLists,
            Kind::Retention => pb::RuleKind::Retention,
            Kind::Compatibility => pb::RuleKind::Compatibility,
            Kind::SearchProfile => pb::RuleKind::SearchProfile,
            Kind::MinimumFields => pb::RuleKind::MinimumFields,
        }
    }
}

pub async fn run(app: &App, rules: Rules) -> Result<Exit, Failure> {
    match rules.verb {
        Verb::Get { kind } => {
            let request = pb::GetRulesRequest { kind: pb::RuleKind::from(kind) as i32, ..Default::default() };
            let answer = app.client.rules(request).await?;
            if let Some(next) = &answer.next {
                let version = next.version;
                eprintln!("version {version} waits until every node has built its index");
            }
            // Rules are documents: JSON is what a person reads, too.
            app.output.text(&json::to_string_pretty(&answer.rules.unwrap_or_default()))?;
        }
        Verb::Put { file, expected_version } => {
            let rules: pb::Rules = json::from_str(&read_text(&file)?)
                .map_err(|error| Failure::usage(format!("{}: no rules: {error}", file.display())))?;
            let expected_version = expected_version.unwrap_or(rules.version);
            let request = pb::PutRulesRequest { rules: Some(rules), expected_version, ..Default::default() };
            let answer = app.client.put_rules(request).await?;
            let waits = answer.next.is_some();
            let version = answer.next.or(answer.rules).unwrap_or_default().version;
            if waits {
                eprintln!("version {version} waits until every node has built its index");
            }
            app.output
                .value(&serde_json::json!({ "version": version.to_string() }), || format!("version {version}"))?;
        }
    }
    Ok(Exit::Ok)
}
