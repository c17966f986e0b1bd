//! A second look at RocksDB's write-ahead log before RocksDB reads it.
//!
//! RocksDB takes a record that seems to reach beyond the end of its file for one that was being written when the power
//! went, and cuts it with all that follows in its block. One flipped bit in the length of a synced record looks just the
//! same: what was acknowledged would vanish without a word. (One flipped bit in the type of a record even makes its
//! reader run in circles.) So this reads the same records with less trust: an incomplete record is the torn tail only if
//! its bytes do not make a whole record under any other length, and no other record begins after it.
//!
//! Format: blocks of 32 KiB; records of [masked CRC32C of type and content, 4 bytes][length, 2 bytes][type, 1 byte]
//! and the content, none across a block's end; the last bytes of a block that hold no header are zero.

const BLOCK_BYTES: usize = 32 * 1024;
const HEADER_BYTES: usize = 4 + 2 + 1;

/// A whole record, or the first part of one.
const BEGINNINGS: [u8; 2] = [1, 2];
/// Those, middle and last part, and the records about the log itself. Records of recycled files (5 to 8) are not among
/// them: our logs are never recycled.
const KNOWN_TYPES: [u8; 7] = [1, 2, 3, 4, 9, 10, 130];

/// Where a log is damaged, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Damage {
    pub at: usize,
    pub what: &'static str,
}

/// Checks one file: whole records, and at most one incomplete one at the end.
pub(super) fn check(bytes: &[u8]) -> Result<(), Damage> {
    let mut at = 0;
    while at < bytes.len() {
        let left_in_block = BLOCK_BYTES - at % BLOCK_BYTES;
        if left_in_block < HEADER_BYTES {
            at += left_in_block;
            continue;
        }
        let Some(header) = Header::read(bytes, at) else { return check_torn(bytes, at) };
        if header.is_zero() {
            return check_torn(bytes, at);
        }
        let content = at + HEADER_BYTES;
        let end = content + header.length;
        if HEADER_BYTES + header.length > left_in_block || end > bytes.len() {
            return if bytes.len() - at <= left_in_block {
                check_torn(bytes, at)
            } else {
                Err(Damage { at, what: "a record reaches beyond its block" })
            };
        }
        if crc32c::crc32c(&bytes[at + 6..end]) != header.crc {
            return Err(Damage { at, what: "a record's checksum does not match" });
        }
        if !KNOWN_TYPES.contains(&header.kind) {
            return Err(Damage { at, what: "a record of unknown type" });
        }
        at = end;
    }
    Ok(())
}

/// `at` begins what could be the torn tail.
fn check_torn(bytes: &[u8], at: usize) -> Result<(), Damage> {
    let block_end = (at - at % BLOCK_BYTES + BLOCK_BYTES).min(bytes.len());
    if let Some(header) = Header::read(bytes, at).filter(|header| !header.is_zero()) {
        let mut crc = crc32c::crc32c(&bytes[at + 6..at + HEADER_BYTES]);
        let mut complete = crc == header.crc;
        for byte in &bytes[at + HEADER_BYTES..block_end] {
            crc = crc32c::crc32c_append(crc, &[*byte]);
            complete |= crc == header.crc;
        }
        if complete {
            return Err(Damage { at, what: "the length of a complete record was changed" });
        }
    }
    for later in at + 1..bytes.len().saturating_sub(HEADER_BYTES) {
        let left_in_block = BLOCK_BYTES - later % BLOCK_BYTES;
        let begins_record = Header::read(bytes, later).is_some_and(|header| {
            let end = later + HEADER_BYTES + header.length;
            BEGINNINGS.contains(&header.kind)
                && header.length > 0
                && HEADER_BYTES + header.length <= left_in_block
                && bytes.get(later + 6..end).is_some_and(|covered| crc32c::crc32c(covered) == header.crc)
        });
        if begins_record {
            return Err(Damage { at, what: "an unreadable record with a sound one after it" });
        }
    }
    Ok(())
}

struct Header {
    crc: u32,
    length: usize,
    kind: u8,
    masked: u32,
}

impl Header {
    fn read(bytes: &[u8], at: usize) -> Option<Self> {
        let bytes = bytes.get(at..at + HEADER_BYTES)?;
        let masked = u32::from_le_bytes(bytes[..4].try_into().ok()?);
        Some(Self {
            crc: masked.wrapping_sub(0xa282_ead8).rotate_left(15),
            length: usize::from(u16::from_le_bytes([bytes[4], bytes[5]])),
            kind: bytes[6],
            masked,
        })
    }

    /// Space that was allocated and never written.
    fn is_zero(&self) -> bool {
        self.masked == 0 && self.length == 0 && self.kind == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(kind: u8, content: &[u8]) -> Vec<u8> {
        let crc = crc32c::crc32c(&[&[kind], content].concat());
        let masked = crc.rotate_right(15).wrapping_add(0xa282_ead8);
        let length = u16::try_from(content.len()).unwrap();
        [&masked.to_le_bytes()[..], &length.to_le_bytes(), &[kind], content].concat()
    }

    fn three() -> Vec<u8> {
        [record(1, b"first record"), record(1, b"second"), record(1, b"third and last")].concat()
    }

    #[test]
    fn a_log_torn_at_any_byte_is_accepted() {
        let log = three();
        for length in 0..=log.len() {
            assert_eq!(check(&log[..length]), Ok(()), "{length}");
            let zero_filled = [&log[..length], &[0; 100]].concat();
            let at_a_boundary = [0, 19, 32, log.len()].contains(&length);
            assert!(check(&zero_filled).is_ok() || !at_a_boundary, "{length}: space that was never written");
        }
    }

    #[test]
    fn a_flip_of_any_bit_is_noticed() {
        let log = three();
        for bit in 0..log.len() * 8 {
            let mut flipped = log.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(check(&flipped).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn a_header_wiped_in_the_middle_is_noticed() {
        let mut log = three();
        let second = record(1, b"first record").len();
        log[second..second + HEADER_BYTES].fill(0);
        assert_eq!(check(&log).unwrap_err().what, "an unreadable record with a sound one after it");
    }

    #[test]
    fn blocks_end_with_room_for_no_header() {
        let filler = vec![7; BLOCK_BYTES - 3 - HEADER_BYTES];
        let mut log = record(1, &filler);
        log.extend_from_slice(&[0; 3]);
        log.extend_from_slice(&record(2, b"next block"));
        assert_eq!(check(&log), Ok(()));
        log[10] ^= 1;
        assert!(check(&log).is_err());
        let mut reaching = log.clone();
        reaching[4..6].copy_from_slice(&u16::MAX.to_le_bytes());
        assert_eq!(check(&reaching), Err(Damage { at: 0, what: "a record reaches beyond its block" }));
    }
}
