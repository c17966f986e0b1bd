//! A failed run as one self-contained page.

use std::fmt::Write;

use super::Note;
use crate::validate::Findings;

const STYLE: &str = "body{font:14px/1.5 system-ui,sans-serif;margin:2em auto;max-width:80em;padding:0 1em}\
    table{border-collapse:collapse;width:100%}td{padding:.1em .7em;vertical-align:top;border-bottom:1px solid #ddd}\
    td:first-child{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}\
    .fault td{background:#fff3d6}.leads td{background:#e2f2e2}.wrong td{background:#ffd9d9}\
    pre{background:#f4f4f4;padding:1em;overflow:auto}label{margin-right:1em}";

/// What was found, the command that repeats it, and everything that happened, with boxes to hide rows of a kind.
pub fn page(title: &str, replay: &str, findings: &Findings, notes: &[Note]) -> String {
    let mut page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{0}</title><style>{STYLE}</style><h1>{0}</h1>\
         <p>Repeats with</p><pre>{1}</pre>",
        escape(title),
        escape(replay)
    );
    let mut list = |heading: &str, items: Vec<String>| {
        if !items.is_empty() {
            write!(page, "<h2>{heading}</h2><ul>").expect("a string takes all");
            items.iter().for_each(|item| {
                write!(page, "<li>{}</li>", escape(item)).expect("a string takes all");
            });
            page.push_str("</ul>");
        }
    };
    list("Violated", findings.violations.iter().map(ToString::to_string).collect());
    list("Inconclusive", findings.inconclusive.clone());
    page.push_str("<h2>What happened</h2><p>");
    for (class, words) in [("fault", "faults"), ("leads", "leaders"), ("call", "calls"), ("other", "the rest")] {
        write!(
            page,
            "<label><input type=\"checkbox\" checked onchange=\"document.querySelectorAll('.{class}')\
             .forEach(r=>r.hidden=!this.checked)\"> {words}</label>"
        )
        .expect("a string takes all");
    }
    page.push_str("</p><table>");
    let wrong: Vec<u64> = findings.violations.iter().map(|violation| violation.at_us).collect();
    for note in notes {
        let class = match () {
            () if wrong.contains(&note.at_us) => "call wrong",
            () if note.who == "fault" => "fault",
            () if note.who.starts_with("client") => "call",
            () if note.what.contains("leads") => "leads",
            () => "other",
        };
        write!(
            page,
            "<tr class=\"{class}\"><td>{:.3} s</td><td>{}</td><td>{}</td></tr>",
            note.at_us as f64 / 1e6,
            escape(&note.who),
            escape(&note.what)
        )
        .expect("a string takes all");
    }
    page.push_str("</table></html>");
    page
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_shows_what_was_violated_and_escapes_what_it_shows() {
        let mut findings = Findings::default();
        findings.violation("linearizable", 5, "a <b> & c");
        let note = Note { at_us: 5, who: "client 1".into(), what: "read".into() };
        let page = page("seed 7", "make sim SEEDS=1 FIRST=7", &findings, &[note]);
        assert!(page.contains("a &lt;b&gt; &amp; c") && page.contains("call wrong") && page.contains("FIRST=7"));
    }
}
