//! How the log's bytes and times lie over its indexes: what says when a snapshot is due and how much of the log may go.

use std::collections::VecDeque;

/// Bytes of log between two marks, at most.
const MARK_BYTES: u64 = 1 << 20;
/// Time between two marks, at most, in milliseconds.
const MARK_MS: u64 = 60 * 1000;

#[derive(Debug, Clone, Copy, Default)]
struct Mark {
    index: u64,
    /// Of the log up to here.
    bytes: u64,
    /// When the entry was proposed, milliseconds since 1970. Never goes back.
    at_ms: u64,
}

/// Marks along the log, from what lies on disk when it is opened and what is added after.
#[derive(Debug, Clone, Default)]
pub struct LogMarks {
    marks: VecDeque<Mark>,
    newest: Mark,
}

impl LogMarks {
    /// The log has grown by `bytes` up to `index`, proposed at `at_ms` where the entry says so. What was noted before
    /// counts once.
    pub fn note(&mut self, index: u64, bytes: u64, at_ms: Option<u64>) {
        if index <= self.newest.index {
            return;
        }
        let at_ms = self.newest.at_ms.max(at_ms.unwrap_or(0));
        self.newest = Mark { index, bytes: self.newest.bytes + bytes, at_ms };
        let is_far = |last: &Mark| self.newest.bytes - last.bytes >= MARK_BYTES || at_ms - last.at_ms >= MARK_MS;
        if self.marks.back().is_none_or(is_far) {
            self.marks.push_back(self.newest);
        }
    }

    /// Bytes of the log after `index`.
    pub fn bytes_after(&self, index: u64) -> u64 {
        let at = self.marks.iter().rev().find(|mark| mark.index <= index).map_or(0, |mark| mark.bytes);
        self.newest.bytes.saturating_sub(at)
    }

    /// The lowest index after which lie at most `bytes`; 0 where the whole log does.
    pub fn index_within(&self, bytes: u64) -> u64 {
        let within = self.newest.bytes.saturating_sub(bytes);
        if within == 0 {
            return 0;
        }
        self.marks.iter().find(|mark| mark.bytes >= within).map_or(self.newest.index, |mark| mark.index)
    }

    /// The highest known index up to which every entry was proposed at `at_ms` or before; 0 where none was.
    pub fn index_at(&self, at_ms: u64) -> u64 {
        let old = self.marks.iter().chain([&self.newest]).take_while(|mark| mark.at_ms <= at_ms);
        old.last().map_or(0, |mark| mark.index)
    }

    /// When the oldest entry after `index` was proposed, to within a minute; `None` where there is no such entry.
    pub fn oldest_after_ms(&self, index: u64) -> Option<u64> {
        self.marks.iter().chain([&self.newest]).find(|mark| mark.index > index).map(|mark| mark.at_ms)
    }

    /// When the newest entry was proposed.
    pub fn newest_ms(&self) -> u64 {
        self.newest.at_ms
    }

    /// Forgets what lies before `index`.
    pub fn forget_before(&mut self, index: u64) {
        while self.marks.len() > 1 && self.marks[1].index <= index {
            self.marks.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE_MS: u64 = 60_000;

    #[test]
    fn bytes_are_known_by_index() {
        let mut marks = LogMarks::default();
        // 10,000 entries of 1 KiB.
        (1..=10_000).for_each(|index| marks.note(index, 1024, None));
        let after = marks.bytes_after(5000);
        assert!((5000 * 1024..5000 * 1024 + (2 << 20)).contains(&after), "{after}");
        assert_eq!(marks.index_within(u64::MAX), 0);
        let index = marks.index_within(2 << 20);
        assert!((7000..=9100).contains(&index), "{index}");
        marks.note(9_000, 1 << 30, None);
        assert_eq!(marks.bytes_after(5000), after, "an entry that is applied again after a restart counts once");
    }

    #[test]
    fn ages_are_those_of_the_entries_themselves() {
        let mut marks = LogMarks::default();
        (1..=100).for_each(|index| marks.note(index, 100, Some(index * MINUTE_MS)));
        assert_eq!(marks.index_at(50 * MINUTE_MS), 50);
        assert_eq!(marks.index_at(MINUTE_MS - 1), 0);
        assert_eq!(marks.index_at(u64::MAX), 100);
        assert_eq!(marks.oldest_after_ms(30), Some(31 * MINUTE_MS));
        assert_eq!(marks.oldest_after_ms(100), None);
        // Entries without a time, and clocks that go back, take the time of those before them.
        marks.note(101, 100, None);
        marks.note(102, 100, Some(5));
        assert_eq!((marks.newest_ms(), marks.oldest_after_ms(100)), (100 * MINUTE_MS, Some(100 * MINUTE_MS)));
    }

    #[test]
    fn nothing_between_two_marks_is_called_old_too_early() {
        let mut marks = LogMarks::default();
        for index in 1..=1000 {
            // Ten a minute, mostly between two marks.
            marks.note(index, 10, Some(index * MINUTE_MS / 10));
        }
        for at_ms in [0, 7, 12_345, 3 * MINUTE_MS, 50 * MINUTE_MS + 1] {
            assert!(marks.index_at(at_ms) * MINUTE_MS / 10 <= at_ms, "{at_ms}");
        }
    }
}
