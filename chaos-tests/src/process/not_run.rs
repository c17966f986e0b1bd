//! A test that this machine cannot run must not pass for one that did.

use std::{env, fs::OpenOptions, io::Write};

/// `make test` names a file here, and shows it when all tests are over.
const LIST: &str = "NOT_RUN_FILE";

/// Says on the terminal, past the capture of a test's output, and in the list that ends `make test`, what was not run and
/// why.
pub fn not_run(what: &str, reason: &str) {
    let line = format!("NOT RUN: {what}: {reason}\n");
    // Not to be told is no reason to fail.
    let _ = std::io::stderr().write_all(line.as_bytes());
    if let Some(list) = env::var_os(LIST)
        && let Ok(mut file) = OpenOptions::new().create(true).append(true).open(list)
    {
        let _ = file.write_all(line.as_bytes());
    }
}
