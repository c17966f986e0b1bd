//! node/DESIGN.md names tests that exist.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Names of all functions in the Rust files below `directory`.
fn functions(directory: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            functions(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let names = text.split("fn ").skip(1).filter_map(|rest| rest.split(['(', '<']).next());
            found.extend(names.map(str::to_owned));
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
    folders.iter().for_each(|folder| functions(folder, &mut known));
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
