//! The one place that names bincode.
//!
//! Log entries, metadata and index payloads are bincode behind a format byte, so that the encoding can be replaced:
//! bincode has no maintainer any more, and bytes written today must be told apart from those of its successor.

use bincode::config;
use serde::{Serialize, de::DeserializeOwned};
use thiserror::Error;

/// Format byte of everything this version writes: bincode 2, standard configuration (little endian, varint).
pub const FORMAT_BINCODE_2: u8 = 1;

/// Why bytes could not be read.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum CodecError {
    /// No bytes at all.
    #[error("empty value where an encoded one was expected")]
    Empty,
    /// Written by a version that this one does not know.
    #[error("unknown format byte {0}: written by a newer version?")]
    UnknownFormat(u8),
    /// The bytes do not decode as the type asked for.
    #[error("cannot decode: {0}")]
    Malformed(String),
}

/// Encodes `value` behind the format byte.
pub fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    let mut bytes = vec![FORMAT_BINCODE_2];
    encode_into(value, &mut bytes);
    bytes
}

/// Appends `value` to `out` without a format byte, for use inside an encoded whole.
pub fn encode_into<T: Serialize>(value: &T, out: &mut Vec<u8>) {
    bincode::serde::encode_into_std_write(value, out, config::standard())
        .expect("encoding plain values into memory cannot fail");
}

/// Decodes the whole of `bytes`; bytes left over are an error.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError> {
    let (value, rest) = decode_prefix(bytes)?;
    if rest.is_empty() { Ok(value) } else { Err(CodecError::Malformed(format!("{} bytes left over", rest.len()))) }
}

/// Decodes a value from the front of `bytes` and gives back what follows it.
pub fn decode_prefix<T: DeserializeOwned>(bytes: &[u8]) -> Result<(T, &[u8]), CodecError> {
    match bytes.split_first() {
        None => Err(CodecError::Empty),
        Some((&FORMAT_BINCODE_2, rest)) => {
            let (value, used) = bincode::serde::decode_from_slice(rest, config::standard())
                .map_err(|error| CodecError::Malformed(error.to_string()))?;
            Ok((value, &rest[used..]))
        }
        Some((&format, _)) => Err(CodecError::UnknownFormat(format)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Sample {
        number: u64,
        text: String,
        list: Vec<(u32, Option<i64>)>,
    }

    fn sample() -> Sample {
        Sample { number: 300, text: "ab".into(), list: vec![(1, None), (70_000, Some(-2))] }
    }

    #[test]
    fn bytes_on_disk_do_not_change() {
        let golden = [1, 251, 44, 1, 2, 97, 98, 2, 1, 0, 252, 112, 17, 1, 0, 1, 3];
        assert_eq!(encode(&sample()), golden);
        assert_eq!(decode::<Sample>(&golden), Ok(sample()));
    }

    #[test]
    fn a_newer_format_and_a_torn_value_are_refused() {
        assert_eq!(decode::<Sample>(&[]), Err(CodecError::Empty));
        assert_eq!(decode::<Sample>(&[9, 0]), Err(CodecError::UnknownFormat(9)));
        let bytes = encode(&sample());
        assert!(matches!(decode::<Sample>(&bytes[..bytes.len() - 1]), Err(CodecError::Malformed(_))));
        let longer = [bytes.as_slice(), &[0]].concat();
        assert!(matches!(decode::<Sample>(&longer), Err(CodecError::Malformed(_))));
    }
}
