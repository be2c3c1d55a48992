//! What the border finds wrong, and where.
//!
//! Invariant: the steps to the place are put together on the way out of the recursion, so that good
//! input does not pay for them. A fault lies in a box for the same reason: what every step of the
//! reading returns then fits a register.

use crate::error::{Error, Result};
use crate::limits::DOCUMENT_BYTES_MAX;

/// What is wrong, and the steps to the place from the innermost outwards.
pub(super) struct Fault {
    pub(super) steps: Vec<String>,
    pub(super) kind: FaultKind,
}

pub(super) enum FaultKind {
    Syntax { offset: usize, reason: &'static str },
    Rule(String),
    Size(usize),
}

pub(super) type Checked<T = ()> = Result<T, Box<Fault>>;

impl Fault {
    #[cold]
    pub(super) fn new(kind: FaultKind) -> Box<Fault> {
        Box::new(Fault { steps: Vec::new(), kind })
    }

    pub(super) fn rule(reason: impl Into<String>) -> Box<Fault> {
        Fault::new(FaultKind::Rule(reason.into()))
    }

    pub(super) fn at(mut self: Box<Self>, step: impl Into<String>) -> Box<Fault> {
        self.steps.push(step.into());
        self
    }

    pub(super) fn into_error(self) -> Error {
        match self.kind {
            FaultKind::Syntax { offset, reason } => {
                Error::InvalidJson { offset, reason: reason.to_owned() }
            }
            FaultKind::Rule(reason) => {
                let mut pointer = String::new();
                self.steps.iter().rev().for_each(|step| push_pointer(&mut pointer, step));
                Error::InvalidDocument { pointer, reason }
            }
            FaultKind::Size(actual) => too_large(actual),
        }
    }
}

/// The error for text over the limit of one document.
pub(crate) fn too_large(actual: usize) -> Error {
    Error::LimitExceeded {
        what: "the size of a document in bytes",
        max: DOCUMENT_BYTES_MAX as u64,
        actual: actual as u64,
    }
}

/// Appends a step to a JSON Pointer (RFC 6901).
pub(crate) fn push_pointer(pointer: &mut String, step: &str) {
    pointer.push('/');
    pointer.push_str(&step.replace('~', "~0").replace('/', "~1"));
}
