//! Dangerous verbs say what they will do, and ask.

use std::io::{self, BufRead, IsTerminal, Write};

use crate::{App, exit::Failure};

impl App {
    /// Shows what will happen on standard error and waits for a "yes", unless `--yes` was given.
    pub fn confirm(&self, what: &str) -> Result<(), Failure> {
        eprintln!("{what}");
        if self.yes {
            return Ok(());
        }
        if !io::stdin().is_terminal() {
            return Err(Failure::usage("nobody to ask: give --yes to go ahead"));
        }
        eprint!("Type 'yes' to go ahead: ");
        let _ = io::stderr().flush();
        let mut answer = String::new();
        let read = io::stdin().lock().read_line(&mut answer);
        match read {
            Ok(_) if answer.trim() == "yes" => Ok(()),
            Ok(_) => Err(Failure::failed("left as it was")),
            Err(error) => Err(Failure::failed(format!("no answer: {error}"))),
        }
    }
}
