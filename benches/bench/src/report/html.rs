//! One page with everything in it: no script, no style sheet, no picture from elsewhere.

use std::fmt::Write;

use super::{Cell, Report, Table};

const STYLE: &str = "body{font:15px/1.45 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem;\
color:#222}h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:2rem}table{border-collapse:collapse;margin:.5rem 0}\
th,td{padding:.25rem .7rem;border-bottom:1px solid #ddd;text-align:left}td.n{text-align:right;\
font-variant-numeric:tabular-nums}code,pre{background:#f4f4f4;padding:.1rem .3rem;white-space:pre-wrap}\
svg{max-width:100%;height:auto}";

/// The whole report.
pub(super) fn page(report: &Report) -> String {
    let mut out = String::new();
    let title = escaped(&report.title);
    let mut say = |text: String| {
        // Writing to a string does not fail.
        let _ = writeln!(out, "{text}");
    };
    say(format!(
        "<!doctype html><html lang=\"en-GB\"><head><meta charset=\"utf-8\"><title>{title}</title>\
         <style>{STYLE}</style></head><body><h1>{title}</h1>"
    ));
    say(format!("<pre>{}</pre><p>{}</p>", escaped(&report.command), escaped(&report.machine.to_string())));
    for table in &report.tables {
        say(format!("<h2>{}</h2>{}", escaped(&table.title), rows(table)));
    }
    for plot in &report.plots {
        if let Some(svg) = plot.svg() {
            say(svg);
        }
    }
    if !report.notes.is_empty() {
        let notes: String = report.notes.iter().map(|note| format!("<li>{}</li>", escaped(note))).collect();
        say(format!("<h2>Notes</h2><ul>{notes}</ul>"));
    }
    say("</body></html>".into());
    out
}

fn rows(table: &Table) -> String {
    let heads: String = table.columns.iter().map(|column| format!("<th>{}</th>", escaped(column))).collect();
    let cell = |cell: &Cell| match cell {
        Cell::Text(text) => format!("<td>{}</td>", escaped(text)),
        other => format!("<td class=\"n\">{}</td>", escaped(&other.shown())),
    };
    let rows: String =
        table.rows.iter().map(|row| format!("<tr>{}</tr>", row.iter().map(cell).collect::<String>())).collect();
    format!("<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
