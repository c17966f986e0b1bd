//! Where each key stands in the file, and which keys are unknown or missing, before serde sees it: serde stops at the
//! first, and an operator wants all of them.

use std::collections::BTreeMap;

use toml::de::{DeTable, DeValue};

use crate::{fault::Fault, settings::SectionDoc};

/// The lines of a file's keys.
pub(crate) struct Lines {
    /// Path of a key ("raft.round_trip_ms", "tls.client_cas[0].path") to its line, counted from 1.
    by_path: BTreeMap<String, usize>,
}

impl Lines {
    /// Reads the keys of `text`; the error is a fault in the syntax.
    pub fn read(text: &str) -> Result<(Self, Vec<String>), Fault> {
        let table = DeTable::parse(text).map_err(|error| syntax_fault(text, &error))?;
        let mut lines = Self { by_path: BTreeMap::new() };
        let mut tables = vec![String::new()];
        lines.walk(text, "", table.get_ref(), &mut tables);
        Ok((lines, tables))
    }

    fn walk(&mut self, text: &str, parent: &str, table: &DeTable<'_>, tables: &mut Vec<String>) {
        for (key, value) in table {
            let path = join(parent, key.get_ref());
            self.by_path.insert(path.clone(), line_at(text, key.span().start));
            match value.get_ref() {
                DeValue::Table(inner) => {
                    tables.push(path.clone());
                    self.walk(text, &path, inner, tables);
                }
                DeValue::Array(items) => {
                    for (index, item) in items.iter().enumerate() {
                        let path = format!("{path}[{index}]");
                        self.by_path.insert(path.clone(), line_at(text, item.span().start));
                        if let DeValue::Table(inner) = item.get_ref() {
                            tables.push(path.clone());
                            self.walk(text, &path, inner, tables);
                        }
                    }
                }
                _ => {}
            }
        }
    }

    /// The line of a key, or of the nearest table around it that the file holds.
    pub fn of(&self, path: &str) -> Option<usize> {
        let mut path = path;
        loop {
            if let Some(line) = self.by_path.get(path) {
                return Some(*line);
            }
            path = &path[..path.rfind(['.', '['])?];
        }
    }

    /// The deepest key on a line; for errors of serde, which name a place and no key.
    pub fn key_on(&self, line: usize) -> Option<&str> {
        self.by_path.iter().filter(|(_, at)| **at == line).map(|(path, _)| path.as_str()).max_by_key(|path| path.len())
    }

    /// Every key that no section knows, and every one that must be there and is not.
    pub fn strangers_and_gaps(&self, tables: &[String], sections: &[SectionDoc]) -> Vec<Fault> {
        let mut faults = Vec::new();
        for table in tables {
            let pattern = without_indices(table);
            let known = keys_of(&pattern, sections);
            if known.is_empty() {
                continue; // A table where a plain value belongs, or an unknown one, which its parent reports.
            }
            for path in self.by_path.keys().filter(|path| parent_of(path) == table && !path.ends_with(']')) {
                let key = path.rsplit('.').next().unwrap_or(path);
                if !known.contains(&key) {
                    let place = if table.is_empty() { "at the top".to_owned() } else { format!("in [{pattern}]") };
                    let message = format!("unknown key '{key}' {place}: the keys there are {}", known.join(", "));
                    faults.push(Fault { path: path.clone(), line: self.of(path), message });
                }
            }
            for section in sections.iter().filter(|section| section.path == pattern) {
                for field in section.fields.iter().filter(|field| field.required) {
                    let path = join(table, field.name);
                    if !self.by_path.contains_key(&path) {
                        faults.push(Fault { line: self.of(table), path, message: "is missing".to_owned() });
                    }
                }
            }
        }
        for section in sections.iter().filter(|section| section.required) {
            if !self.by_path.contains_key(section.path) {
                faults.push(Fault::at(section.path, format!("the section [{}] is missing", section.path)));
            }
        }
        faults
    }
}

fn keys_of<'a>(table: &str, sections: &'a [SectionDoc]) -> Vec<&'a str> {
    let fields = sections.iter().filter(|section| section.path == table).flat_map(|section| section.fields);
    let children = sections.iter().filter(|section| parent_of(section.path) == table);
    fields
        .map(|field| field.name)
        .chain(children.map(|section| section.path.rsplit('.').next().unwrap_or(section.path)))
        .collect()
}

/// A fault from an error of the TOML reader.
pub(crate) fn syntax_fault(text: &str, error: &toml::de::Error) -> Fault {
    let line = error.span().map(|span| line_at(text, span.start));
    let message = error.message().lines().collect::<Vec<_>>().join(": ");
    Fault { path: String::new(), line, message }
}

fn line_at(text: &str, offset: usize) -> usize {
    text.as_bytes()[..offset.min(text.len())].iter().filter(|byte| **byte == b'\n').count() + 1
}

fn join(parent: &str, key: &str) -> String {
    if parent.is_empty() { key.to_owned() } else { format!("{parent}.{key}") }
}

fn parent_of(path: &str) -> &str {
    path.rfind('.').map_or("", |end| &path[..end])
}

fn without_indices(path: &str) -> String {
    let mut depth = 0;
    path.chars()
        .filter(|character| {
            depth += i32::from(*character == '[');
            let keep = depth == 0;
            depth -= i32::from(*character == ']');
            keep
        })
        .collect()
}
