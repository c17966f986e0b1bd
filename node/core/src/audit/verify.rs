//! Checks a whole log, file by file.

use super::{Chain, read_frame};

/// Follows a log from its first record and notes everything that is wrong.
#[derive(Debug)]
pub struct Verifier {
    chain: Chain,
    started: bool,
    report: Report,
}

/// What a check found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Records read.
    pub records: u64,
    /// Sequence of the last record.
    pub last_sequence: u64,
    /// Hash of the last record: compare with the anchored head.
    pub head: [u8; 32],
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
        Self { chain: Chain::new(cluster, node), started: false, report: Report::default() }
    }

    /// For a log whose node is not known: the first record is taken as it is.
    pub fn unnamed() -> Self {
        let mut verifier = Self::new("", "");
        verifier.chain.next_sequence = 0;
        verifier
    }

    /// Checks the next file. `is_last` allows a cut end: what was being written when the power went.
    pub fn file(&mut self, name: &str, bytes: &[u8], is_last: bool) {
        let mut offset = 0;
        while offset < bytes.len() {
            let frame = match read_frame(&bytes[offset..]) {
                Ok(frame) => frame,
                Err(super::FrameError::Short) if is_last => break,
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
            self.started = true;
            self.report.records += 1;
            self.report.last_sequence = frame.record.sequence;
            self.report.head = frame.hash;
            offset += frame.length;
        }
    }

    fn fault(&mut self, file: &str, offset: usize, what: String) {
        self.report.faults.push(Fault { file: file.into(), offset: offset as u64, what });
    }

    /// What was found.
    pub fn finish(self) -> Report {
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
        verifier.file("audit-1.log", &frames.concat(), true);
        verifier.finish()
    }

    #[test]
    fn an_untouched_log_is_intact_over_several_files() {
        let report = check(&frames());
        assert_eq!((report.records, report.last_sequence, report.faults.len()), (5, 5, 0));
        let mut verifier = Verifier::new("c", "lon-1");
        verifier.file("a", &frames()[..2].concat(), false);
        verifier.file("b", &frames()[2..].concat(), true);
        assert_eq!(verifier.finish(), report);
    }

    #[test]
    fn every_flipped_bit_is_found() {
        let bytes = frames().concat();
        for bit in 0..bytes.len() * 8 {
            let mut altered = bytes.clone();
            altered[bit / 8] ^= 1 << (bit % 8);
            let mut verifier = Verifier::new("c", "lon-1");
            verifier.file("a", &altered, false);
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
        verifier.file("a", &frames().concat(), true);
        assert_eq!(verifier.finish().faults.len(), 1);
    }

    #[test]
    fn a_cut_end_is_a_fault_anywhere_but_in_the_last_file() {
        let bytes = frames().concat();
        let cut = &bytes[..bytes.len() - 3];
        for (is_last, faults) in [(true, 0), (false, 1)] {
            let mut verifier = Verifier::new("c", "lon-1");
            verifier.file("a", cut, is_last);
            assert_eq!(verifier.finish().faults.len(), faults);
        }
    }

    #[test]
    fn a_log_whose_oldest_files_were_retired_is_checked_from_its_first_kept_record() {
        let mut verifier = Verifier::unnamed();
        verifier.file("b", &frames()[2..].concat(), true);
        let report = verifier.finish();
        assert_eq!((report.records, report.faults.len()), (3, 0));
    }
}
