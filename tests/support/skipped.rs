//! Tests that cannot run everywhere, and say so.

use std::io::{self, Write};

/// Says that a test did not run, for `.ci/run` to count. What `eprintln` writes in a test that
/// passes is never shown, so this goes past it; and it begins a line, whatever stands before.
pub(crate) fn skipped(why: &str) {
    let line = format!("\nskipped: {why}\n");
    io::stderr().write_all(line.as_bytes()).expect("standard error is open");
}
