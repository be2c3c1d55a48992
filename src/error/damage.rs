//! Where a file of the database is damaged.

use crate::version::Version;

/// Where a file is damaged, and what is known of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{file} is damaged at byte {offset}{}: {reason}",
    version.map_or_else(String::new, |v| format!(" (sequence number {v})"))
)]
pub struct Damage {
    /// The file, relative to the data directory.
    pub file: String,
    /// Bytes before the damage.
    pub offset: u64,
    /// The sequence number of the damaged record, where there is one.
    pub version: Option<Version>,
    /// What is wrong.
    pub reason: String,
}
