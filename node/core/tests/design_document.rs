//! node/DESIGN.md names tests that exist.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Names of all tests in the Rust files below `directory`: functions under `#[test]` or `#[tokio::test]`, those of
/// `proptest!` included.
fn tests_below(directory: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            tests_below(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let mut under_test = false;
            for line in text.lines().map(str::trim_start) {
                let name = line.split_once("fn ").and_then(|(before, rest)| {
                    let is_function = before.split_whitespace().all(|word| ["async", "pub"].contains(&word));
                    is_function.then(|| rest.split(['(', '<']).next()).flatten()
                });
                match name {
                    _ if line.starts_with("#[test]") || line.starts_with("#[tokio::test") => under_test = true,
                    Some(name) if under_test => {
                        found.insert(name.to_owned());
                        under_test = false;
                    }
                    Some(_) => under_test = false,
                    None => {}
                }
            }
        }
    }
}

#[test]
fn every_rule_has_its_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let document = fs::read_to_string(root.join("node/DESIGN.md")).unwrap();
    let mut known = BTreeSet::new();
    let folders: [PathBuf; 5] = ["node/src", "node/core/src", "cluster-config/tests", "client/tests", "chaos-tests"]
        .map(|name| root.join(name));
    folders.iter().for_each(|folder| tests_below(folder, &mut known));
    let mut rules = 0;
    for row in document.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| rule")) {
        let tests = row.rsplit_once(" | ").map_or("", |(_, tests)| tests);
        let named: Vec<_> = tests.split('`').skip(1).step_by(2).collect();
        assert!(!named.is_empty(), "a rule without a test: {row}");
        for test in named {
            assert!(known.contains(test), "no test {test}");
        }
        rules += 1;
    }
    assert!(rules > 50, "{rules}");
}
