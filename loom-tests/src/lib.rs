//! Models of the commit protocol; see the test files beside this one.

#[cfg(loom)]
mod disk;
#[cfg(loom)]
mod model;
#[cfg(loom)]
mod scene;

#[cfg(loom)]
pub use {disk::Disk, model::*, scene::*};
