//! The checkpoint: a database opens from any manifest, collection files and index files, or says
//! by name why not, and opens again the same.
//!
//! The input is a whole disk, in the language of [`fuzz::disk`].
#![no_main]

use fuzz::{disk, survives};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| survives(&disk(input)));
