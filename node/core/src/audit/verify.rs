//! Checks a whole log, file by file.

use std::collections::BTreeMap;

use super::{Anchor, Chain, Frame, read_frame};
use crate::alert::time::iso_text;

/// Follows a log from its first record and notes everything that is wrong.
#[derive(Debug)]
pub struct Verifier {
    chain: Chain,
    started: bool,
    /// By sequence, those of records not met yet.
    anchors: BTreeMap<u64, Vec<Anchor>>,
    report: Report,
}

/// How a file may end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// In a whole record: every file but the last, and the last of a node that runs.
    Whole,
    /// In part of one: the last file of a node that has stopped, where it was being written when the power went.
    MayBeCut,
}

/// What a check found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Records read.
    pub records: u64,
    /// Sequence of the last record.
    pub last_sequence: u64,
    /// Hash of the last record.
    pub head: [u8; 32],
    /// Bytes at the end that are no whole record: the power went, or somebody cut the file, which only an anchor shows.
    pub unfinished_bytes: u64,
    /// Anchors that the log bears out.
    pub anchors_met: u64,
    /// Replicated time of the newest of these, milliseconds since 1970.
    pub anchored_until_ms: Option<u64>,
    /// In the order of the log; empty = intact.
    pub faults: Vec<Fault>,
}

/// One thing wrong with a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Which file.
    pub file: String,
    /// Where in it, in bytes.
    pub offset: u64,
    /// In words.
    pub what: String,
}

impl Verifier {
    /// For the log of one node from its first record, or from the oldest file that is kept.
    pub fn new(cluster: &str, node: &str) -> Self {
        Self { chain: Chain::new(cluster, node), started: false, anchors: BTreeMap::new(), report: Report::default() }
    }

    /// Checks the log against what the cluster remembers of it, too.
    #[must_use]
    pub fn against(mut self, anchors: impl IntoIterator<Item = Anchor>) -> Self {
        for anchor in anchors {
            self.anchors.entry(anchor.sequence).or_default().push(anchor);
        }
        self
    }

    /// For a log whose node is not known: the first record is taken as it is.
    pub fn unnamed() -> Self {
        let mut verifier = Self::new("", "");
        verifier.chain.next_sequence = 0;
        verifier
    }

    /// Checks the next file.
    pub fn file(&mut self, name: &str, bytes: &[u8], end: End) {
        let mut offset = 0;
        while offset < bytes.len() {
            let frame = match read_frame(&bytes[offset..]) {
                Ok(frame) => frame,
                Err(super::FrameError::Short) if end == End::MayBeCut => {
                    self.report.unfinished_bytes = (bytes.len() - offset) as u64;
                    break;
                }
                Err(error) => {
                    self.fault(name, offset, format!("{error} (after record {})", self.report.last_sequence));
                    // Lengths can no longer be trusted: nothing behind this in the file can be read.
                    return;
                }
            };
            let expected = self.chain.next_sequence;
            let first_kept = !self.started && (expected == 0 || frame.record.sequence > 1);
            let follows = self.chain.follow(&frame);
            if !follows && !first_kept {
                let found = frame.record.sequence;
                let what = match found.cmp(&expected) {
                    std::cmp::Ordering::Greater => format!("records {expected} to {} are missing", found - 1),
                    std::cmp::Ordering::Less => format!("record {found} stands where {expected} should: reordered"),
                    std::cmp::Ordering::Equal => {
                        format!("record {found} does not follow on the record before it: that one was altered")
                    }
                };
                self.fault(name, offset, what);
            }
            if !self.started {
                // Records before the oldest file that is kept were retired, and their anchors with them.
                self.anchors = self.anchors.split_off(&frame.record.sequence);
            }
            self.started = true;
            self.meet_anchors(name, offset, &frame);
            self.report.records += 1;
            self.report.last_sequence = frame.record.sequence;
            self.report.head = frame.hash;
            offset += frame.length;
        }
    }

    fn meet_anchors(&mut self, file: &str, offset: usize, frame: &Frame) {
        let sequence = frame.record.sequence;
        for anchor in self.anchors.remove(&sequence).unwrap_or_default() {
            if anchor.head == frame.hash {
                self.report.anchors_met += 1;
                self.report.anchored_until_ms = self.report.anchored_until_ms.max(Some(anchor.at_ms));
            } else {
                let when = iso_text(anchor.at_ms);
                let what =
                    format!("record {sequence} is not the one that was anchored at {when}: the log was rewritten");
                self.fault(file, offset, what);
            }
        }
    }

    fn fault(&mut self, file: &str, offset: usize, what: String) {
        self.report.faults.push(Fault { file: file.into(), offset: offset as u64, what });
    }

    /// What was found.
    pub fn finish(mut self) -> Report {
        if let Some((sequence, anchors)) = self.anchors.pop_last()
            && sequence > self.report.last_sequence
        {
            let when = anchors.last().map(|anchor| iso_text(anchor.at_ms)).unwrap_or_default();
            let from = self.report.last_sequence + 1;
            let what = format!("records {from} to {sequence}, anchored at {when}, are missing at the end");
            self.fault("the end of the log", 0, what);
        }
        self.report
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pb;

    fn record(operation: &str) -> pb::AuditRecord {
        pb::AuditRecord { operation: operation.into(), node: "lon-1".into(), ..Default::default() }
    }

    /// Five records as single frames.
    fn frames() -> Vec<Vec<u8>> {
        let mut chain = Chain::new("c", "lon-1");
        (0..5)
            .map(|number| {
                let mut bytes = Vec::new();
                chain.append(&mut record(&format!("search {number}")), &mut bytes);
                bytes
            })
            .collect()
    }

    fn check(frames: &[Vec<u8>]) -> Report {
        let mut verifier = Verifier::new("c", "lon-1");
        verifier.file("audit-1.log", &frames.concat(), End::Whole);
        verifier.finish()
    }

    #[test]
    fn an_untouched_log_is_intact_over_several_files() {
        let report = check(&frames());
        assert_eq!((report.records, report.last_sequence, report.faults.len()), (5, 5, 0));
        let mut verifier = Verifier::new("c", "lon-1");
        verifier.file("a", &frames()[..2].concat(), End::Whole);
        verifier.file("b", &frames()[2..].concat(), End::Whole);
        assert_eq!(verifier.finish(), report);
    }

    fn anchor(frame: &[u8], at_ms: u64) -> Anchor {
        let frame = read_frame(frame).unwrap();
        Anchor { sequence: frame.record.sequence, head: frame.hash, at_ms }
    }

    #[test]
    fn an_anchor_shows_a_cut_end_and_a_chain_made_anew() {
        let frames = frames();
        let anchors = [anchor(&frames[1], 1000), anchor(&frames[4], 2000)];
        let check = |bytes: &[u8]| {
            let mut verifier = Verifier::new("c", "lon-1").against(anchors);
            verifier.file("a", bytes, End::Whole);
            verifier.finish()
        };
        let report = check(&frames.concat());
        assert_eq!((report.anchors_met, report.anchored_until_ms, report.faults.len()), (2, Some(2000), 0));
        // Without anchors a log that ends early is sound.
        let cut = check(&frames[..3].concat());
        assert!(cut.faults[0].what.starts_with("records 4 to 5, anchored at 1970-01-01T00:00:02"), "{cut:?}");
        assert_eq!(cut.faults.len(), 1);
        // A whole new chain, each link right.
        let mut chain = Chain::new("c", "lon-1");
        let mut rewritten = Vec::new();
        (0..5).for_each(|number| chain.append(&mut record(&format!("get {number}")), &mut rewritten));
        let faults = check(&rewritten).faults;
        assert_eq!(faults.len(), 2);
        assert!(faults[0].what.starts_with("record 2 is not the one that was anchored"), "{faults:?}");
        // What was retired is not missed.
        assert!(check(&frames[2..].concat()).faults.is_empty());
        assert_eq!(check(&[]).faults.len(), 1, "an empty log of a node that had one");
    }

    #[test]
    fn every_flipped_bit_is_found() {
        let bytes = frames().concat();
        for bit in 0..bytes.len() * 8 {
            let mut altered = bytes.clone();
            altered[bit / 8] ^= 1 << (bit % 8);
            let mut verifier = Verifier::new("c", "lon-1");
            verifier.file("a", &altered, End::Whole);
            assert!(!verifier.finish().faults.is_empty(), "bit {bit}");
        }
    }

    #[test]
    fn a_missing_a_moved_and_a_rewritten_record_are_found() {
        let mut missing = frames();
        missing.remove(2);
        assert_eq!(check(&missing).faults[0].what, "records 3 to 3 are missing");
        let mut moved = frames();
        moved.swap(1, 2);
        assert!(!check(&moved).faults.is_empty());
        // A record made anew with a right seal breaks the link of the next one.
        let mut rewritten = frames();
        let mut chain = Chain { next_sequence: 2, head: read_frame(&rewritten[0]).unwrap().hash };
        rewritten[1].clear();
        let mut bytes = Vec::new();
        chain.append(&mut record("something else"), &mut bytes);
        rewritten[1] = bytes;
        assert!(check(&rewritten).faults[0].what.contains("that one was altered"));
    }

    #[test]
    fn a_log_of_another_node_does_not_pass_as_this_one() {
        let mut verifier = Verifier::new("c", "man-1");
        verifier.file("a", &frames().concat(), End::Whole);
        assert_eq!(verifier.finish().faults.len(), 1);
    }

    #[test]
    fn a_cut_end_is_told_where_there_may_be_one_and_a_fault_elsewhere() {
        let frames = frames();
        let (bytes, last) = (frames.concat(), frames[4].len() as u64);
        let cut = &bytes[..bytes.len() - 3];
        for (end, expected) in [(End::MayBeCut, (0, last - 3)), (End::Whole, (1, 0))] {
            let mut verifier = Verifier::new("c", "lon-1");
            verifier.file("a", cut, end);
            let report = verifier.finish();
            assert_eq!((report.faults.len(), report.unfinished_bytes), expected, "{end:?}");
        }
    }

    #[test]
    fn no_flipped_bit_of_a_log_that_may_be_cut_passes_untold() {
        let bytes = frames().concat();
        for bit in 0..bytes.len() * 8 {
            let mut altered = bytes.clone();
            altered[bit / 8] ^= 1 << (bit % 8);
            let mut verifier = Verifier::new("c", "lon-1");
            verifier.file("a", &altered, End::MayBeCut);
            let report = verifier.finish();
            assert!(!report.faults.is_empty() || report.unfinished_bytes > 0, "bit {bit}");
        }
    }

    #[test]
    fn a_log_whose_oldest_files_were_retired_is_checked_from_its_first_kept_record() {
        let mut verifier = Verifier::unnamed();
        verifier.file("b", &frames()[2..].concat(), End::Whole);
        let report = verifier.finish();
        assert_eq!((report.records, report.faults.len()), (3, 0));
    }
}
