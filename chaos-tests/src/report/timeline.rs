//! Who led when, which fault, which operation went wrong: one line each, in order.

use std::{fmt::Write, sync::Arc};

use parking_lot::Mutex;

use crate::sim::SimTime;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    pub at_us: u64,
    /// "node-1", "client 3", "fault".
    pub who: String,
    pub what: String,
}

/// Notes in order. Clones share them.
#[derive(Clone)]
pub struct Timeline {
    time: SimTime,
    notes: Arc<Mutex<Vec<Note>>>,
}

impl Timeline {
    pub fn new(time: SimTime) -> Self {
        Self { time, notes: Arc::default() }
    }

    pub fn note(&self, who: &str, what: impl Into<String>) {
        let note = Note { at_us: self.time.now_us(), who: who.to_owned(), what: what.into() };
        self.notes.lock().push(note);
    }

    pub fn notes(&self) -> Vec<Note> {
        self.notes.lock().clone()
    }

    /// As text, one line each.
    pub fn text(&self) -> String {
        self.notes.lock().iter().fold(String::new(), |mut text, note| {
            let seconds = note.at_us as f64 / 1e6;
            writeln!(text, "{seconds:10.3} s  {:<10} {}", note.who, note.what).expect("a string takes all");
            text
        })
    }
}
