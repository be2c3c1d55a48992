//! What is expected, beside what came out.

use serde::Serialize;

use crate::Spread;

/// A figure, alone or as a ratio to another engine's.
#[derive(Debug, Clone, Serialize)]
pub struct Comparison {
    /// What is compared with what.
    pub what: String,
    /// The unit of what was measured.
    pub unit: String,
    /// What came out.
    pub measured: Spread,
    /// The bound, where there is one.
    pub expected: Option<Expected>,
}

/// The bound that the median is expected to keep.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Expected {
    /// The median is this or more.
    AtLeast(f64),
    /// The median is less than this.
    Below(f64),
}

impl Comparison {
    /// Whether the median keeps the bound; none where nothing is expected.
    pub fn is_met(&self) -> Option<bool> {
        Some(match self.expected? {
            Expected::AtLeast(bound) => self.measured.median >= bound,
            Expected::Below(bound) => self.measured.median < bound,
        })
    }
}
