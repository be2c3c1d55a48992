//! The log: a database opens from any lines, or says by name why not, and opens again the same.
//!
//! The input is the content of the first segment, in the language of [`fuzz::disk`].
#![no_main]

use fuzz::{disk, survives};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let manifest = b"=MANIFEST.json\n\"format\":1,\"version\":0,\"synced\":0,\"collections\":[]\n";
    let input = [manifest, &b"=wal/1.ndjson\n"[..], input].concat();
    survives(&disk(&input));
});
