//! The write-ahead log: numbered records, one line of JSON each, in files that a person can read.
//! It carries bytes and knows nothing of documents.
//!
//! # The format
//!
//! ```text
//! log     = segment*                       files wal/<first>.ndjson, sorted by the number <first>
//! segment = head record* zero*             the room made ahead is filled with zero bytes
//! head    = {"crc":"CCCCCCCC","format":1,"first":17,"ops":[]} LF
//! record  = {"crc":"CCCCCCCC","seq":17,"synced":16,"time":"RFC 3339","tx":"uuid","ops":[…]} LF
//! ```
//!
//! `crc` is the CRC-32 (IEEE) in hexadecimal of the bytes from the member after it to the closing
//! brace. `seq` is the commit's version: it rises by one from record to record. `synced` is the
//! highest version that was known to be safe on the device when the record was written. The head
//! has an empty `ops`, so that tools which look at operations may read it like a record:
//!
//! ```text
//! cat data/wal/*.ndjson | tr -d '\0' | jq -c .ops
//! ```
//!
//! A worked example, `wal/1.ndjson` with one commit (each is one line):
//!
//! ```text
//! {"crc":"229d101a","format":1,"first":1,"ops":[]}
//! {"crc":"6c60eb52","seq":1,"synced":0,"time":"2026-01-01T00:00:00.000000Z","tx":"019b7680-0000-7000-8000-000000000000","ops":[{"op":"create_collection","collection":"users","options":{"require_preconditions":false}},{"op":"put","collection":"users","id":"u1","doc":{"_id":"u1","name":"Ada"}}]}
//! ```
//!
//! # What holds
//!
//! - A segment gets its name only when every record before its first one is safe. So the name of
//!   the last segment proves its predecessors whole.
//! - A segment named *n* supersedes every record ≥ *n* of earlier segments: what stands behind a
//!   cut never comes back.
//! - *Provably acknowledged* is every version up to the highest `synced` of an intact record, of
//!   the manifest, or the one before the last segment's name. Damage there is an error; above it,
//!   it is a torn tail and is cut.
//! - A record's room is taken before it gets its number, so that a full device refuses a commit
//!   and never half of one.

mod archive;
mod follower;
mod reader;
mod record;
mod remains;
mod segment;
mod writer;

pub use archive::Archive;
pub use follower::{Follower, Waypoints};
pub use reader::{Cut, Log, Place, Proof};
pub use record::{EncodedOps, Record, RecordHead, frame_line, open_line};
pub use remains::Remains;
pub use segment::{FOLDER, Segment, list_segments, needless_segments, remove_beyond, rewrite};
pub use writer::{Batch, Placement, Space, Writer};

/// The newest format of a segment that this release reads, and the one that it writes.
pub const FORMAT: u64 = 1;
