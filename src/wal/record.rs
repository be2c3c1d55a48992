//! One line of the log: its frame with the checksum, and the members before the operations.

use std::{fmt::Write, time::SystemTime};

use crc32fast::Hasher;
use serde::Deserialize;

use super::FORMAT;
use crate::{sync::mutant, version::Version};

/// The bytes of `{"crc":"CCCCCCCC",`, after which the checksum begins.
const FRAME_BYTES: usize = 18;

/// A commit's operations in JSON with their checksum, made before the commit has its number.
pub struct EncodedOps {
    bytes: Vec<u8>,
    checksum: Hasher,
}

/// What a record says besides its operations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordHead {
    /// The commit's version.
    pub seq: Version,
    /// The highest version known to be safe when it was written.
    pub synced: Version,
    /// When it was committed.
    pub time: SystemTime,
    /// The transaction.
    pub tx: uuid::Uuid,
}

/// One record as it stands in the log.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    /// The commit's version.
    pub seq: Version,
    /// The highest version known to be safe when it was written.
    pub synced: Version,
    /// When it was committed, RFC 3339.
    pub time: &'a str,
    /// The transaction's UUID.
    pub tx: &'a str,
    /// The operations, a JSON array.
    pub ops: &'a str,
}

/// The first line of a segment.
#[derive(Debug, Deserialize)]
pub(super) struct SegmentHead {
    pub(super) format: u64,
    #[serde(deserialize_with = "version")]
    pub(super) first: Version,
}

impl EncodedOps {
    /// Takes operations as a JSON array and closes the record behind them.
    pub fn new(mut operations: Vec<u8>) -> EncodedOps {
        operations.extend_from_slice(b"}\n");
        let mut checksum = Hasher::new();
        checksum.update(operations.strip_suffix(b"\n").unwrap_or(&operations));
        EncodedOps { bytes: operations, checksum }
    }

    /// The operations and the record's end, as they follow [`RecordHead::encode`].
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Their length in bytes.
    #[allow(clippy::len_without_is_empty, reason = "they are never empty")]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }
}

impl RecordHead {
    /// The bytes that come before the operations. Short, since it is made while every other
    /// committer waits: the checksum of the operations is joined, not computed again.
    pub fn encode(&self, operations: &EncodedOps) -> Vec<u8> {
        let RecordHead { seq, synced, time, tx } = self;
        let time = humantime::format_rfc3339_micros(*time);
        let mut line = String::with_capacity(160);
        line.push_str("{\"crc\":\"00000000\",");
        write!(
            line,
            "\"seq\":{seq},\"synced\":{synced},\"time\":\"{time}\",\"tx\":\"{tx}\",\"ops\":"
        )
        .expect("memory takes every write");
        let mut bytes = line.into_bytes();
        let mut checksum = Hasher::new();
        checksum.update(bytes.get(FRAME_BYTES..).unwrap_or_default());
        checksum.combine(&operations.checksum);
        stamp_checksum(&mut bytes, checksum.finalize());
        bytes
    }
}

impl<'a> Record<'a> {
    /// Reads a line (without its line feed) whose checksum holds.
    ///
    /// # Errors
    ///
    /// What is wrong with it, as a sentence.
    pub fn parse(line: &'a [u8]) -> Result<Record<'a>, String> {
        Record::split(open_line(line)?).ok_or_else(|| "it is not a record".to_owned())
    }

    /// Reads a line that was parsed before, so that its checksum need not be computed again.
    pub(super) fn parse_again(line: &'a [u8]) -> Option<Record<'a>> {
        Record::split(std::str::from_utf8(line).ok()?)
    }

    /// Takes apart what [`RecordHead::encode`] put together. The checksum vouches for the rest,
    /// so the operations are not looked into here.
    fn split(line: &'a str) -> Option<Record<'a>> {
        let rest = line.get(FRAME_BYTES..)?;
        let (seq, rest) = rest.strip_prefix("\"seq\":")?.split_once(',')?;
        let (synced, rest) = rest.strip_prefix("\"synced\":")?.split_once(',')?;
        let (time, rest) = rest.strip_prefix("\"time\":\"")?.split_once('"')?;
        let (tx, rest) = rest.strip_prefix(",\"tx\":\"")?.split_once('"')?;
        let ops = rest.strip_prefix(",\"ops\":")?.strip_suffix('}')?;
        let version = |digits: &str| {
            let version = digits.parse().ok().map(Version::new);
            version.filter(|version| *version <= Version::MAX)
        };
        Some(Record { seq: version(seq)?, synced: version(synced)?, time, tx, ops })
    }
}

/// The first line of the segment whose first record is `first`.
pub(super) fn segment_head(first: Version) -> Vec<u8> {
    frame_line(&format!("\"format\":{FORMAT},\"first\":{first},\"ops\":[]"))
}

/// Puts members of a JSON object into a line with their checksum in front.
pub fn frame_line(members: &str) -> Vec<u8> {
    let mut line = format!("{{\"crc\":\"00000000\",{members}}}").into_bytes();
    let checksum = crc32fast::hash(line.get(FRAME_BYTES..).unwrap_or_default());
    stamp_checksum(&mut line, checksum);
    line.push(b'\n');
    line
}

/// Checks the checksum of a line (without its line feed) and returns the line as text.
///
/// # Errors
///
/// What is wrong with it, as a sentence.
pub fn open_line(line: &[u8]) -> Result<&str, String> {
    let stated = line
        .strip_prefix(b"{\"crc\":\"")
        .and_then(|rest| rest.get(..8))
        .and_then(|digits| std::str::from_utf8(digits).ok())
        .and_then(|digits| u32::from_str_radix(digits, 16).ok());
    let (Some(stated), Some(covered)) = (stated, line.get(FRAME_BYTES..)) else {
        return Err("it does not begin with a checksum".to_owned());
    };
    let found = crc32fast::hash(covered);
    // Compare the spelling too: hexadecimal has other ways to write the same number, and a
    // damaged byte must never pass for one of them.
    let is_spelled = line.get(8..FRAME_BYTES) == Some(format!("{found:08x}\",").as_bytes());
    let holds = stated == found && (is_spelled || mutant("checksum_spelling_unchecked"));
    if !holds && !mutant("line_checksum_unchecked") {
        return Err(format!("its checksum is {found:08x}, and it states {stated:08x}"));
    }
    std::str::from_utf8(line).map_err(|_| "it is not UTF-8".to_owned())
}

fn stamp_checksum(line: &mut [u8], checksum: u32) {
    if let Some(digits) = line.get_mut(8..16) {
        digits.copy_from_slice(format!("{checksum:08x}").as_bytes());
    }
}

fn version<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Version, D::Error> {
    u64::deserialize(deserializer).map(Version::new)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;

    fn line(seq: u64) -> Vec<u8> {
        let ops =
            EncodedOps::new(b"[{\"op\":\"delete\",\"collection\":\"c\",\"id\":\"x\"}]".to_vec());
        let head = RecordHead {
            seq: Version::new(seq),
            synced: Version::new(seq - 1),
            time: SystemTime::UNIX_EPOCH,
            tx: uuid::Uuid::nil(),
        };
        let mut line = head.encode(&ops);
        line.extend(ops.into_bytes());
        line
    }

    #[test]
    fn a_record_has_the_documented_bytes() {
        let expected = concat!(
            r#"{"crc":"fbf85fc1","seq":17,"synced":16,"time":"1970-01-01T00:00:00.000000Z","#,
            r#""tx":"00000000-0000-0000-0000-000000000000","#,
            r#""ops":[{"op":"delete","collection":"c","id":"x"}]}"#,
            "\n"
        );
        let line = String::from_utf8(line(17)).unwrap();
        assert_eq!(line, expected);
    }

    #[test]
    fn no_record_is_numbered_beyond_the_last() {
        let line = |seq: u64, synced: u64| {
            frame_line(&format!(
                "\"seq\":{seq},\"synced\":{synced},\"time\":\"\",\"tx\":\"\",\"ops\":[]"
            ))
        };
        let last = Version::MAX.get();
        for (seq, synced, is_record) in
            [(last, last, true), (last + 1, 0, false), (1, u64::MAX, false)]
        {
            let line = line(seq, synced);
            let line = line.strip_suffix(b"\n").unwrap();
            assert_eq!(Record::parse(line).is_ok(), is_record, "{seq} {synced}");
        }
    }

    #[test]
    fn every_flipped_bit_is_found() {
        let line = line(17);
        let line = line.strip_suffix(b"\n").unwrap();
        Record::parse(line).unwrap();
        for place in 0..line.len() {
            for bit in 0..8 {
                let mut damaged = line.to_vec();
                damaged[place] ^= 1 << bit;
                assert!(Record::parse(&damaged).is_err(), "bit {bit} of byte {place}");
            }
        }
    }
}
