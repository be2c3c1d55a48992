//! Values as they are written on the command line, in variables and in files: times, bytes, and
//! when a commit counts as done.

use std::{str::FromStr, time::Duration};

use crate::commit::Durability;

/// Bytes that documents may take in memory, as it is written: `512MiB` or `auto`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemoryLimit {
    /// Three quarters of what the machine or its control group has.
    Auto,
    /// So many.
    Bytes(u64),
}

impl FromStr for MemoryLimit {
    type Err = String;

    fn from_str(text: &str) -> Result<MemoryLimit, String> {
        match text {
            "auto" => Ok(MemoryLimit::Auto),
            _ => match parse_bytes(text) {
                Ok(bytes) => Ok(MemoryLimit::Bytes(bytes)),
                Err(reason) => Err(format!("{reason}, or auto")),
            },
        }
    }
}

/// A time such as `30s` or `5m`.
pub(super) fn parse_time(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|error| error.to_string())
}

/// A time that must be longer than none at all.
pub(super) fn parse_pause(text: &str) -> Result<Duration, String> {
    match parse_time(text)? {
        Duration::ZERO => Err("it must be more than nothing".to_owned()),
        time => Ok(time),
    }
}

/// A number of bytes: plain, or with KiB, MiB or GiB.
pub(super) fn parse_bytes(text: &str) -> Result<u64, String> {
    let units = [("KiB", 10), ("MiB", 20), ("GiB", 30)];
    let unit = units.into_iter().find_map(|(name, bits)| Some((text.strip_suffix(name)?, bits)));
    let (number, bits) = unit.unwrap_or((text, 0));
    let bytes = number.trim().parse::<u64>().ok().and_then(|n| n.checked_mul(1 << bits));
    bytes.ok_or_else(|| "it is a number of bytes such as 1048576, 512MiB or 2GiB".to_owned())
}

/// When a commit is acknowledged: `always`, `interval:MS` or `none`.
pub(super) fn parse_durability(text: &str) -> Result<Durability, String> {
    let interval = text.strip_prefix("interval:").map(str::parse::<u64>);
    match (text, interval) {
        ("always", _) => Ok(Durability::Always),
        ("none", _) => Ok(Durability::None),
        (_, Some(Ok(milliseconds))) if milliseconds > 0 => {
            Ok(Durability::Interval(Duration::from_millis(milliseconds)))
        }
        _ => Err("it is always, interval:MS with a number of milliseconds, or none".to_owned()),
    }
}

/// The same, as it is read.
pub(super) fn durability_text(durability: Durability) -> String {
    match durability {
        Durability::Always => "always".to_owned(),
        Durability::Interval(interval) => format!("interval:{}", interval.as_millis()),
        Durability::None => "none".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_units() {
        assert_eq!(parse_bytes("0"), Ok(0));
        assert_eq!(parse_bytes("4KiB"), Ok(4096));
        assert_eq!(parse_bytes("2GiB"), Ok(2 << 30));
        assert_eq!("3MiB".parse(), Ok(MemoryLimit::Bytes(3 << 20)));
        assert_eq!("auto".parse(), Ok(MemoryLimit::Auto));
        for wrong in ["", "-1", "1MB", "20000000000GiB", "1.5KiB"] {
            assert!(
                parse_bytes(wrong).is_err() && wrong.parse::<MemoryLimit>().is_err(),
                "{wrong}"
            );
        }
    }

    #[test]
    fn durability_is_read_as_it_is_written() {
        for text in ["always", "interval:20", "none"] {
            assert_eq!(parse_durability(text).map(durability_text), Ok(text.to_owned()));
        }
        assert!(parse_durability("interval:0").is_err());
        assert!(parse_pause("0s").is_err() && parse_time("0s").is_ok());
    }
}
