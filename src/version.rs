//! The one number of the database: a commit's log sequence number is its version.
//!
//! Invariant: versions are dense and start at 1; 0 is the empty database before its first commit.

use std::fmt;

/// A commit's sequence number in the log, and so the version of every document it wrote and of
/// the snapshot it made.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Version(u64);

impl Version {
    /// The empty database, before its first commit.
    pub const ZERO: Version = Version(0);

    /// No log ever gets this far: a file that states a later one is damaged. It leaves room to
    /// count on from it.
    pub const MAX: Version = Version(u64::MAX >> 1);

    /// The version with this number.
    pub const fn new(number: u64) -> Version {
        Version(number)
    }

    /// The number itself, as the log and the HTTP interface write it.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The version of the commit after this one.
    ///
    /// # Panics
    ///
    /// After 2^64 commits, which at a million a second takes half a million years.
    #[must_use]
    pub const fn next(self) -> Version {
        Version(self.0.checked_add(1).expect("a log never holds 2^64 commits"))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}", self.0)
    }
}
