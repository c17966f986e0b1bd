//! Standard output: data only.

use std::io::{self, Write};

use alert_client::json::{self, JsonMessage};
use comfy_table::{ContentArrangement, Table, presets};

use crate::{cli::Format, exit::Failure};

/// Writes data in the format that was asked for.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    format: Format,
}

impl Output {
    pub fn new(format: Format) -> Self {
        Self { format }
    }

    pub fn is_json(self) -> bool {
        self.format == Format::Json
    }

    /// A message, or what a person reads of it.
    pub fn message<M: JsonMessage>(self, message: &M, table: impl FnOnce(&M) -> String) -> Result<(), Failure> {
        let text = if self.is_json() { json::to_string_pretty(message) } else { table(message) };
        self.text(&text)
    }

    /// A JSON value of the tool's own, or what a person reads of it.
    pub fn value(self, value: &serde_json::Value, table: impl FnOnce() -> String) -> Result<(), Failure> {
        let text = if self.is_json() { format!("{value:#}") } else { table() };
        self.text(&text)
    }

    /// Text as it is, with one line feed at its end.
    pub fn text(self, text: &str) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        let written = out.write_all(text.trim_end().as_bytes()).and_then(|()| out.write_all(b"\n"));
        written.and_then(|()| out.flush()).or_else(broken_pipe)
    }
}

/// Whoever reads the output may stop reading: that ends the tool quietly.
pub fn broken_pipe(error: io::Error) -> Result<(), Failure> {
    if error.kind() == io::ErrorKind::BrokenPipe {
        std::process::exit(0);
    }
    Err(Failure::failed(format!("standard output: {error}")))
}

/// A table with a head line, as wide as its content.
pub fn table<const N: usize>(head: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(head);
    for row in rows {
        table.add_row(row);
    }
    // Every line begins with the padding of its first cell.
    let line = |line: &str| line.strip_prefix(' ').unwrap_or(line).trim_end().to_owned();
    table.to_string().lines().map(line).collect::<Vec<_>>().join("\n")
}

/// Two columns without a head: what, and its value.
pub fn facts(rows: impl IntoIterator<Item = (&'static str, String)>) -> String {
    let rows: Vec<_> = rows.into_iter().filter(|(_, value)| !value.is_empty()).collect();
    let width = rows.iter().map(|(what, _)| what.len()).max().unwrap_or_default();
    rows.iter().map(|(what, value)| format!("{what:<width$}  {value}")).collect::<Vec<_>>().join("\n")
}
