//! `alertctl agreement`.

use std::path::PathBuf;

use alert_client::{json, pb, present};
use clap::{Args, Subcommand};

use crate::{
    App,
    arguments::read_text,
    exit::{Exit, Failure},
    output::{facts, table},
};

/// Arguments of `agreement`.
#[derive(Args)]
pub struct Agreement {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Make an agreement, or a new version of one, from JSON.
    Put {
        /// A file with one agreement as JSON; "-" for standard input.
        file: PathBuf,
        /// The version that the JSON was made from; 0 = a new agreement. Default: as the JSON says.
        #[arg(long)]
        expected_version: Option<u64>,
    },
    /// Show one agreement.
    Get {
        /// Its id.
        id: String,
    },
    /// List all agreements.
    List,
    /// Suspend one at once.
    Suspend {
        /// Its id.
        id: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Let a suspended one work again.
    Resume {
        /// Its id.
        id: String,
    },
    /// End one for good, with the partner's proof that its copies are purged.
    End {
        /// Its id.
        id: String,
        /// What the partner states.
        #[arg(long)]
        statement: String,
        /// Who states it.
        #[arg(long)]
        stated_by: String,
        /// Hash of what was purged, where there is one.
        #[arg(long, default_value = "", hide_default_value = true)]
        contents_hash: String,
    },
}

pub async fn run(app: &App, agreement: Agreement) -> Result<Exit, Failure> {
    let client = &app.client;
    let answer = match agreement.verb {
        Verb::List => return list(app).await,
        Verb::Put { file, expected_version } => {
            let agreement: pb::Agreement = json::from_str(&read_text(&file)?)
                .map_err(|error| Failure::usage(format!("{}: no agreement: {error}", file.display())))?;
            let expected_version = expected_version.unwrap_or(agreement.version);
            let request =
                pb::PutAgreementRequest { agreement: Some(agreement), expected_version, ..Default::default() };
            client.put_agreement(request).await?
        }
        Verb::Get { id } => {
            client.agreement(pb::GetAgreementRequest { agreement_id: id, ..Default::default() }).await?
        }
        Verb::Suspend { id, reason } => {
            let request = pb::SuspendAgreementRequest { agreement_id: id, reason, ..Default::default() };
            client.suspend_agreement(request).await?
        }
        Verb::Resume { id } => {
            client.resume_agreement(pb::ResumeAgreementRequest { agreement_id: id, ..Default::default() }).await?
        }
        Verb::End { id, statement, stated_by, contents_hash } => {
            app.confirm(&format!("This ends agreement {id} for good: its partner sees nothing any more."))?;
            let purge_proof = Some(pb::PurgeProof { statement, stated_by, stated_at: None, contents_hash });
            let request = pb::EndAgreementRequest { agreement_id: id, purge_proof, ..Default::default() };
            client.end_agreement(request).await?
        }
    };
    if app.output.is_json() {
        app.output.message(&answer.agreement.unwrap_or_default(), |_| String::new())?;
    } else {
        app.output.text(&one(&answer.agreement.unwrap_or_default()))?;
    }
    Ok(Exit::Ok)
}

async fn list(app: &App) -> Result<Exit, Failure> {
    let answer = app.client.agreements(pb::ListAgreementsRequest::default()).await?;
    app.output.message(&answer, |answer| {
        let rows = answer.agreements.iter().map(|agreement| {
            [
                agreement.id.clone(),
                agreement.version.to_string(),
                state(agreement),
                agreement.partner.clone().unwrap_or_default().code,
                values(&agreement.categories),
                agreement.valid_until.as_ref().map(present::time).unwrap_or_default(),
            ]
        });
        table(["ID", "VERSION", "STATE", "PARTNER", "CATEGORIES", "VALID UNTIL"], rows)
    })?;
    Ok(Exit::Ok)
}

fn state(agreement: &pb::Agreement) -> String {
    agreement.state().as_str_name().trim_start_matches("AGREEMENT_STATE_").to_lowercase()
}

fn values(codes: &[pb::Code]) -> String {
    codes.iter().map(|code| code.value.as_str()).collect::<Vec<_>>().join(", ")
}

fn one(agreement: &pb::Agreement) -> String {
    let quota = agreement.quota.unwrap_or_default();
    let limit = |value: u64| if value == 0 { "no limit".to_owned() } else { value.to_string() };
    let parties = |parties: &[pb::Party]| parties.iter().map(present::party).collect::<Vec<_>>().join(", ");
    let home =
        if agreement.sources.is_empty() && agreement.owners.is_empty() { "owned by the United Kingdom" } else { "" };
    facts([
        ("id", agreement.id.clone()),
        ("version", agreement.version.to_string()),
        ("state", state(agreement)),
        ("partner", agreement.partner.clone().unwrap_or_default().code),
        ("authorities", values(&agreement.authorities)),
        ("alerts", home.to_owned()),
        ("sources", agreement.sources.join(", ")),
        ("owners", parties(&agreement.owners)),
        ("categories", values(&agreement.categories)),
        ("object classes", values(&agreement.object_classes)),
        ("covert", if agreement.covert { "yes" } else { "no" }.to_owned()),
        ("purposes", values(&agreement.purposes)),
        ("legal regime", agreement.legal_regime.clone()),
        ("transfer basis", agreement.transfer_basis.clone()),
        ("a second", limit(quota.per_second.into())),
        ("a day", limit(quota.per_day)),
        ("valid from", agreement.valid_from.as_ref().map(present::time).unwrap_or_default()),
        ("valid until", agreement.valid_until.as_ref().map(present::time).unwrap_or_default()),
    ])
}
