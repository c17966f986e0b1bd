//! Lines of an import file, whole and damaged: the parser refuses or reads, and never panics. Proptest prints the input
//! and the seed of a failure.

use alert_client::{json, pb};
use proptest::{collection::vec, prelude::*};

const LINE: &str = r#"{"core":{"subjectKind":"SUBJECT_KIND_PERSON","source":{"system":"UK","reference":"A-1",
"sourceVersion":"7","sourceChangedAt":"2026-03-01T12:00:00Z"},"category":{"list":"category","value":"arrest"}},
"identities":{"identities":[{"names":[{"fullText":"Anna Maria Eriksson"}],"birthDates":[{"year":1974,"month":8}]}]},
"attachments":{"attachments":[{"contentHash":"ab12","sizeBytes":"70000"}]}}"#;

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_line_panics(line in prop_oneof![".{0,200}", "[\\[\\]{}\",:0-9a-zA-Z.\\-+\\\\ ]{0,200}"]) {
        drop(json::from_str::<pb::Alert>(&line));
    }

    #[test]
    fn a_damaged_line_is_refused_or_read_and_what_is_read_is_written_the_same(
        damage in vec((any::<prop::sample::Index>(), "[\\[\\]{}\",:0-9a-zA-Z\u{0}é ]"), 1..4),
        cut in proptest::option::of(any::<prop::sample::Index>()),
    ) {
        let mut letters: Vec<String> = LINE.chars().map(String::from).collect();
        for (at, letter) in damage {
            let at = at.index(letters.len());
            letters[at] = letter;
        }
        if let Some(cut) = cut {
            letters.truncate(cut.index(letters.len()));
        }
        if let Ok(alert) = json::from_str::<pb::Alert>(&letters.concat()) {
            let again = json::from_str::<pb::Alert>(&json::to_string(&alert)).unwrap();
            prop_assert_eq!(again, alert);
        }
    }
}

#[test]
fn the_undamaged_line_is_read() {
    let alert: pb::Alert = json::from_str(LINE).unwrap();
    assert_eq!(alert.core.unwrap().source.unwrap().source_version, 7);
}
