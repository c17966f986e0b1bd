//! The simulation as a test: whole clusters on virtual time, each from its seed. `make sim` runs many more.

use std::process::{Command, Output};

fn simulator(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_alert-sim"));
    command.args(arguments).args(["--out", env!("CARGO_TARGET_TMPDIR")]);
    command.output().expect("the simulator starts")
}

/// Exit code 0 means that everything was tried and everything held; what was said names the seeds and how to repeat them.
fn holds(arguments: &[&str]) {
    let output = simulator(arguments);
    let (said, complained) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{arguments:?}: {}\n{said}\n{complained}", output.status);
}

#[test]
fn a_seed_gives_the_same_run_byte_by_byte_in_every_process() {
    let (one, other) = (simulator(&["replay", "--seed", "3"]), simulator(&["replay", "--seed", "3"]));
    let text = |output: &Output| String::from_utf8_lossy(&output.stdout).into_owned();
    let (one, other) = (text(&one), text(&other));
    assert!(one.contains("hash of the run") && one.contains("leads"), "a timeline and a hash: {one}");
    let differ = one.lines().zip(other.lines()).find(|(a, b)| a != b);
    assert_eq!(differ, None, "the first line that differs");
    assert_eq!(one.len(), other.len());
    let another = text(&simulator(&["replay", "--seed", "4"]));
    assert_ne!(one, another, "another seed is another run");
}

#[test]
fn what_found_something_once_holds() {
    holds(&["regressions"]);
}

#[test]
fn clusters_keep_their_promises_whatever_a_seed_does_to_them() {
    holds(&["run", "--first", "1", "--seeds", "8"]);
}
