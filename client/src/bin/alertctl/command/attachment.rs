//! `alertctl attachment`: photos and papers of an alert.

use std::{fs, path::PathBuf};

use alert_client::{NewAttachment, pb};
use alert_core::alert::attachment::{hash_of, hash_text};
use clap::{Args, Subcommand};

use crate::{
    App,
    exit::{Exit, Failure},
    output::facts,
};

/// Arguments of `attachment`.
#[derive(Args)]
pub struct Attachment {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// What a record says of a file, as JSON for its section "attachments".
    Reference {
        /// The file.
        file: PathBuf,
        /// A value of the code list "attachment-kind".
        #[arg(long)]
        kind: String,
        /// For example image/jpeg.
        #[arg(long)]
        media_type: String,
        /// In words.
        #[arg(long, default_value = "", hide_default_value = true)]
        description: String,
    },
    /// Store the content of an attachment that the alert's record names.
    Put {
        /// The alert's id.
        id: String,
        /// The file.
        file: PathBuf,
    },
    /// Fetch the content of one attachment.
    Get {
        /// The alert's id.
        id: String,
        /// Its hash, as `get` shows it.
        content_hash: String,
        /// Where to write it: a file that is not there yet.
        #[arg(long)]
        to: PathBuf,
    },
}

fn read(file: &PathBuf) -> Result<Vec<u8>, Failure> {
    fs::read(file).map_err(|error| Failure::usage(format!("{}: {error}", file.display())))
}

/// The part of a reference that follows from the content.
fn named(content: &[u8]) -> pb::AttachmentReference {
    let content_hash = hash_text(&hash_of(content));
    pb::AttachmentReference { content_hash, size_bytes: content.len() as u64, ..Default::default() }
}

/// Works on files alone, which needs no cluster; `None` for all else.
pub fn offline(attachment: &Attachment, output: &crate::Output) -> Option<Result<Exit, Failure>> {
    let Verb::Reference { file, kind, media_type, description } = &attachment.verb else { return None };
    Some(read(file).and_then(|content| {
        let reference = pb::AttachmentReference {
            kind: Some(crate::arguments::code("attachment-kind", kind)),
            media_type: media_type.clone(),
            description: description.clone(),
            ..named(&content)
        };
        // A piece of a record: JSON is what a person pastes, too.
        output.text(&alert_client::json::to_string_pretty(&reference))?;
        Ok(Exit::Ok)
    }))
}

pub async fn run(app: &App, attachment: Attachment) -> Result<Exit, Failure> {
    match attachment.verb {
        Verb::Reference { .. } => Err(Failure::usage("done before a client is made")),
        Verb::Put { id, file } => {
            let content = read(&file)?;
            let reference = named(&content);
            let attachment =
                NewAttachment { alert_id: id, reference, content: content.into(), ..NewAttachment::default() };
            let answer = app.client.put_attachment(attachment).await?;
            app.output.message(&answer, |answer| shown(&answer.reference.clone().unwrap_or_default()))?;
            Ok(Exit::Ok)
        }
        Verb::Get { id, content_hash, to } => {
            let request = pb::GetAttachmentRequest { alert_id: id, content_hash, ..Default::default() };
            let attachment = app.client.get_attachment(request).await?;
            let wrong = |error: std::io::Error| Failure::failed(format!("{}: {error}", to.display()));
            let mut file = fs::OpenOptions::new().write(true).create_new(true).open(&to).map_err(wrong)?;
            std::io::Write::write_all(&mut file, &attachment.content).map_err(wrong)?;
            app.output.message(&attachment.reference, shown)?;
            Ok(Exit::Ok)
        }
    }
}

fn shown(reference: &pb::AttachmentReference) -> String {
    facts([
        ("attachment", reference.content_hash.clone()),
        ("kind", reference.kind.clone().unwrap_or_default().value),
        ("media type", reference.media_type.clone()),
        ("bytes", reference.size_bytes.to_string()),
        ("description", reference.description.clone()),
    ])
}
