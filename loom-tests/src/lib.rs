//! Models of the commit protocol; see the test files beside this one.

#[cfg(loom)]
mod model;
#[cfg(loom)]
mod scene;

#[cfg(loom)]
pub use {model::*, scene::*};
