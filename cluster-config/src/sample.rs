//! Sample files: every section and field with its explanation, default and bounds, from the same tables as the types.

use std::fmt::Write;

use toml::{Table, Value};

use crate::{load::Config, settings::FieldDoc};

/// The sample file of a kind of configuration. Fields that the sample leaves out are shown as comments.
pub fn of<C: Config>() -> String {
    let values = table_of(&C::sample());
    let mut text = String::new();
    for section in C::SECTIONS {
        let items: Vec<Table> = match at(&values, section.path) {
            Some(Value::Table(table)) => vec![table.clone()],
            Some(Value::Array(items)) => items.iter().filter_map(|item| item.as_table().cloned()).collect(),
            _ => vec![Table::new()],
        };
        for (index, item) in items.iter().enumerate() {
            if !text.is_empty() {
                text.push('\n');
            }
            if index == 0 {
                comment(&mut text, section.doc);
            }
            line(&mut text, if section.list { format!("[[{}]]", section.path) } else { format!("[{}]", section.path) });
            // The second entry of a list needs no explanation again.
            for field in section.fields.iter().filter(|field| !is_section::<C>(section.path, field)) {
                entry(&mut text, field, item, index == 0);
            }
        }
    }
    text
}

fn is_section<C: Config>(parent: &str, field: &FieldDoc) -> bool {
    C::SECTIONS.iter().any(|section| section.path == format!("{parent}.{}", field.name))
}

fn entry(text: &mut String, field: &FieldDoc, values: &Table, explain: bool) {
    if explain {
        comment(text, field.doc);
        let default = (field.default)().map(|default| format!("Default: {default}."));
        let required = field.required.then(|| "Required.".to_owned());
        let range = field.range.map(|(low, high)| format!("From {low} to {high}."));
        let facts: Vec<String> = [default, required, range].into_iter().flatten().collect();
        if !facts.is_empty() {
            line(text, format!("# {}", facts.join(" ")));
        }
    }
    match (values.get(field.name), field.example) {
        (Some(value), _) => line(text, format!("{} = {value}", field.name)),
        (None, Some(example)) if explain => line(text, format!("# {} = {example}", field.name)),
        (None, _) => {}
    }
}

fn comment(text: &mut String, doc: &[&str]) {
    for part in doc {
        line(text, format!("#{part}"));
    }
}

fn line(text: &mut String, line: String) {
    writeln!(text, "{line}").expect("a string takes every line");
}

fn at<'a>(values: &'a Table, path: &str) -> Option<&'a Value> {
    let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
    match rest {
        None => values.get(first),
        Some(rest) => at(values.get(first)?.as_table()?, rest),
    }
}

fn table_of<C: Config>(config: &C) -> Table {
    Table::try_from(config).expect("a configuration is a table of sections")
}
