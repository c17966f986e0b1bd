//! Who led when, which fault, which operation went wrong: one line each, in order.

use std::{fmt::Write, sync::Arc};

use parking_lot::Mutex;

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
    /// Microseconds of the run's own clock.
    now_us: Arc<dyn Fn() -> u64 + Send + Sync>,
    notes: Arc<Mutex<Vec<Note>>>,
}

impl Timeline {
    /// `now_us` is the run's own clock.
    pub fn new(now_us: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        Self { now_us: Arc::new(now_us), notes: Arc::default() }
    }

    pub fn note(&self, who: &str, what: impl Into<String>) {
        let note = Note { at_us: (self.now_us)(), who: who.to_owned(), what: what.into() };
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
