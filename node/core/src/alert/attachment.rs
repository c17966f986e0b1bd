//! Attachments: what a record says of them, and how their content is cut into chunks. The content lies beside the record,
//! by alert and hash; it leaves with the last version of the record that names it as the current one.

use std::collections::BTreeMap;

use crate::{limits, pb};

/// BLAKE3 of an attachment's content.
pub type ContentHash = [u8; 32];

/// As a reference names it: 64 lower-case hexadecimal digits.
pub fn hash_text(hash: &ContentHash) -> String {
    blake3::Hash::from_bytes(*hash).to_hex().to_string()
}

/// The name of a content.
pub fn hash_of(content: &[u8]) -> ContentHash {
    *blake3::hash(content).as_bytes()
}

/// The hash that a reference names.
pub fn parse_hash(text: &str) -> Option<ContentHash> {
    let is_canonical = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    blake3::Hash::from_hex(text).ok().filter(|_| is_canonical).map(|hash| *hash.as_bytes())
}

/// Chunks of a content of this size.
pub fn chunks(size_bytes: u64) -> u32 {
    let chunks = size_bytes.min(limits::ATTACHMENT_BYTES_MAX).div_ceil(limits::ATTACHMENT_CHUNK_BYTES as u64);
    u32::try_from(chunks).expect("bounded by the largest attachment")
}

/// Bytes of the chunk of this number in a content of this size; `None` beyond its end.
pub fn chunk_bytes(size_bytes: u64, number: u32) -> Option<usize> {
    let from = u64::from(number) * limits::ATTACHMENT_CHUNK_BYTES as u64;
    let left = size_bytes.checked_sub(from).filter(|left| *left > 0)?;
    Some(left.min(limits::ATTACHMENT_CHUNK_BYTES as u64) as usize)
}

/// The attachments that a record names, with their sizes in bytes.
pub fn references(alert: &pb::Alert) -> BTreeMap<ContentHash, u64> {
    let section = alert.attachments.iter().flat_map(|section| &section.attachments);
    section.filter_map(|reference| Some((parse_hash(&reference.content_hash)?, reference.size_bytes))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_cover_a_content_without_a_gap() {
        let chunk = limits::ATTACHMENT_CHUNK_BYTES as u64;
        for size in [1, chunk - 1, chunk, chunk + 1, 3 * chunk, limits::ATTACHMENT_BYTES_MAX] {
            let total: usize = (0..chunks(size)).map(|number| chunk_bytes(size, number).unwrap()).sum();
            assert_eq!(total as u64, size);
            assert_eq!(chunk_bytes(size, chunks(size)), None);
        }
        assert_eq!(chunks(0), 0);
    }

    #[test]
    fn a_hash_has_one_spelling() {
        let hash = hash_of(b"a photo");
        assert_eq!(parse_hash(&hash_text(&hash)), Some(hash));
        assert_eq!(parse_hash(&hash_text(&hash).to_uppercase()), None);
        assert_eq!(parse_hash("abc"), None);
    }
}
