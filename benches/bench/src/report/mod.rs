//! What a command has found: a table on the terminal, JSON for programs, one HTML page for people.

mod html;
mod plot;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use comfy_table::{Cell as Shown, CellAlignment, Table as Terminal, presets::UTF8_BORDERS_ONLY};
use serde::Serialize;

use crate::machine::Machine;

pub use plot::{Plot, Series};

/// All that one command found.
#[derive(Debug, Serialize)]
pub struct Report {
    /// "floor", "load"...: the name of its files.
    pub name: &'static str,
    /// What it answers.
    pub title: String,
    /// As it was called.
    pub command: String,
    /// On what.
    pub machine: Machine,
    pub tables: Vec<Table>,
    pub plots: Vec<Plot>,
    /// What a reader must know: assumptions, noise, what was skipped.
    pub notes: Vec<String>,
}

impl Report {
    /// An empty report of the program as it was called.
    pub fn begin(name: &'static str, title: impl Into<String>) -> Self {
        let mut arguments = std::env::args();
        let program = arguments.next().unwrap_or_default();
        let program = Path::new(&program).file_name().map(|name| name.to_string_lossy().into_owned());
        let command = std::iter::once(program.unwrap_or_default()).chain(arguments).collect::<Vec<_>>().join(" ");
        Self {
            name,
            title: title.into(),
            command,
            machine: Machine::look(),
            tables: Vec::new(),
            plots: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Adds a table and shows it at once: a run that is stopped has shown what it had.
    pub fn table(&mut self, table: Table) {
        println!("\n{}\n{}", table.title, table.terminal());
        self.tables.push(table);
    }

    /// Adds a note and says it.
    pub fn note(&mut self, note: impl Into<String>) {
        let note = note.into();
        println!("note: {note}");
        self.notes.push(note);
    }

    /// Writes `NAME.json` and `NAME.html` into `directory`.
    ///
    /// # Errors
    /// The directory cannot be written.
    pub fn write(mut self, directory: &Path) -> io::Result<(PathBuf, PathBuf)> {
        self.machine.note_end();
        fs::create_dir_all(directory)?;
        let (json, page) =
            (directory.join(format!("{}.json", self.name)), directory.join(format!("{}.html", self.name)));
        fs::write(&json, serde_json::to_vec_pretty(&self)?)?;
        fs::write(&page, html::page(&self))?;
        println!("\n{}\n{}", json.display(), page.display());
        Ok((json, page))
    }
}

/// Rows under headings.
#[derive(Debug, Clone, Serialize)]
pub struct Table {
    pub title: String,
    pub columns: Vec<String>,
    pub rows: Vec<Vec<Cell>>,
}

/// A text or a number with its way of being shown.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum Cell {
    Text(String),
    /// Thousands divided, no decimals from 100 on.
    Number(f64),
    Nothing,
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<f64> for Cell {
    fn from(number: f64) -> Self {
        if number.is_finite() { Self::Number(number) } else { Self::Nothing }
    }
}

impl From<u64> for Cell {
    fn from(number: u64) -> Self {
        Self::Number(number as f64)
    }
}

impl<T: Into<Cell>> From<Option<T>> for Cell {
    fn from(cell: Option<T>) -> Self {
        cell.map_or(Self::Nothing, Into::into)
    }
}

impl Cell {
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) => number_shown(*number),
            Self::Nothing => "-".into(),
        }
    }
}

/// A row of cells of different kinds.
#[macro_export]
macro_rules! row {
    ($($cell:expr),* $(,)?) => { vec![$($crate::report::Cell::from($cell)),*] };
}

impl Table {
    /// Without rows yet.
    pub fn new(title: impl Into<String>, columns: &[&str]) -> Self {
        let columns = columns.iter().map(|column| (*column).to_owned()).collect();
        Self { title: title.into(), columns, rows: Vec::new() }
    }

    /// One more row.
    pub fn push(&mut self, row: Vec<Cell>) {
        debug_assert_eq!(row.len(), self.columns.len(), "a cell for each column");
        self.rows.push(row);
    }

    fn terminal(&self) -> Terminal {
        let mut table = Terminal::new();
        table.load_style(UTF8_BORDERS_ONLY).set_header(&self.columns);
        for row in &self.rows {
            table.add_row(row.iter().map(|cell| {
                let alignment = match cell {
                    Cell::Text(_) => CellAlignment::Left,
                    _ => CellAlignment::Right,
                };
                Shown::new(cell.shown()).set_alignment(alignment)
            }));
        }
        table
    }
}

fn number_shown(number: f64) -> String {
    let size = number.abs();
    if size >= 100.0 {
        let digits = format!("{:.0}", size);
        let mut text = String::new();
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                text.push(',');
            }
            text.push(digit);
        }
        return if number < 0.0 { format!("-{text}") } else { text };
    }
    match size {
        0.0 => "0".into(),
        size if size >= 10.0 => format!("{number:.1}"),
        size if size >= 0.1 => format!("{number:.2}"),
        _ => format!("{number:.4}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_show_three_digits_that_count() {
        let shown = [0.0, 0.01234, 0.5, 12.34, 99.96, 1234.5, 1_234_567.0, -1234.0].map(number_shown);
        assert_eq!(shown, ["0", "0.0123", "0.50", "12.3", "100.0", "1,234", "1,234,567", "-1,234"]);
    }

    #[test]
    fn a_report_is_a_page_that_needs_nothing_else() {
        let mut report = Report::begin("test", "Does <it> work?");
        let mut table = Table::new("Rates", &["what", "per second"]);
        table.push(row!["a & b", 12.5]);
        report.table(table);
        report.plots.push(Plot::lines("Latency", "rate", "ms", vec![Series::new("p50", vec![(1.0, 2.0), (2.0, 3.0)])]));
        let directory = tempfile::tempdir().unwrap();
        let (json, page) = report.write(directory.path()).unwrap();
        let page = fs::read_to_string(page).unwrap();
        assert!(page.contains("Does &lt;it&gt; work?") && page.contains("a &amp; b") && page.contains("<svg"));
        for outside in ["src=", "href=", "@import", "url("] {
            assert!(!page.contains(outside), "{outside}");
        }
        let json: serde_json::Value = serde_json::from_slice(&fs::read(json).unwrap()).unwrap();
        assert_eq!(json["tables"][0]["rows"][0][1], 12.5);
    }
}
