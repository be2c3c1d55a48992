//! Random interleavings of transactions in one thread, against a model that is naive on purpose.
//!
//! Three things are checked, each by itself enough to find most bugs:
//! - every read gives what the model reads from the snapshot with the own writes over it;
//! - a commit conflicts exactly when the model, which compares every document of the two versions
//!   with every read, says so: never less, and never more;
//! - at the end every committed serializable transaction is run again, alone, on the state before
//!   its version, and has to read the same and to leave the state after it.

mod engine;
mod operation;
mod reference;
mod run;

pub(crate) use operation::steps;
pub(crate) use run::{Coverage, check};
