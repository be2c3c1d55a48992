//! What is found to be otherwise than it must be.

use serde::Serialize;

/// Findings that are kept in full; the others are only counted.
const EXAMPLES_MAX: usize = 20;

/// In what way something is otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// What was acknowledged is not there.
    Lost,
    /// Something took effect more than once.
    Duplicated,
    /// A document has a content or a version that nobody gave it.
    Changed,
    /// There is a document that must not be there: deleted, or never written.
    Unexpected,
}

/// One thing that is otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// In what way.
    pub kind: Kind,
    /// The document.
    pub id: String,
    /// What was to be there, and what is, for a person.
    pub detail: String,
}

/// How many there are, and the first of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Findings {
    /// What was acknowledged and is not there.
    pub lost: u64,
    /// What is there more than once.
    pub duplicated: u64,
    /// What is there with another content or version.
    pub changed: u64,
    /// What must not be there.
    pub unexpected: u64,
    /// The first of them.
    pub examples: Vec<Finding>,
}

impl Finding {
    pub(super) fn new(kind: Kind, id: &str, detail: String) -> Finding {
        Finding { kind, id: id.to_owned(), detail }
    }
}

impl Findings {
    /// All of them.
    pub fn count(&self) -> u64 {
        self.lost + self.duplicated + self.changed + self.unexpected
    }

    pub(super) fn add(&mut self, finding: Finding) {
        *match finding.kind {
            Kind::Lost => &mut self.lost,
            Kind::Duplicated => &mut self.duplicated,
            Kind::Changed => &mut self.changed,
            Kind::Unexpected => &mut self.unexpected,
        } += 1;
        if self.examples.len() < EXAMPLES_MAX {
            self.examples.push(finding);
        }
    }
}

impl Kind {
    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Lost => "lost",
            Kind::Duplicated => "duplicated",
            Kind::Changed => "changed",
            Kind::Unexpected => "unexpected",
        }
    }
}
