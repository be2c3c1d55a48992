//! The storage seam: a real directory and its lock, the disk in memory, and that both do the same.

mod both;
mod directory;
mod disk_model;
mod faults;
mod lock;
