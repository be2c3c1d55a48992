//! Why a write set cannot be applied to a state.

use crate::{error::IndexError, limits};

/// What does not fit. The state is as it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// The write set was made for another state.
    #[error("{0}")]
    Mismatch(String),

    /// There are as many collections as there may be.
    #[error("a database holds at most {} collections", limits::COLLECTIONS_MAX)]
    CollectionsFull,

    /// An index refuses a document.
    #[error(transparent)]
    Index(#[from] IndexError),
}

impl Unfit {
    /// The write set was made for another state.
    pub(super) fn new(reason: String) -> Unfit {
        Unfit::Mismatch(reason)
    }
}
