//! The state on disk: for each collection a file of all its documents and files of what changed
//! since, and a manifest that says which files make up which version.
//!
//! # The format
//!
//! ```text
//! MANIFEST.json                            {"crc":"CCCCCCCC","format":1,"version":17,"synced":17,
//!                                           "collections":[{"name":"users","created":1,"changed":16,
//!                                             "options":{"require_preconditions":false},
//!                                             "files":[{"file":"collections/users-12.ndjson",
//!                                               "version":12,"crc":"…","count":2,"bytes":164},
//!                                              {"file":"collections/users-16.delta.ndjson",
//!                                               "version":16,"crc":"…","count":2,"bytes":167}],
//!                                             "indexes":[{"name":"by_name",
//!                                               "definition":{"paths":["name"]}}]}]} LF
//! collections/<name>-<version>.ndjson      header LF (line LF)*, sorted by id
//!     header                               {"format":1,"name":"users","version":12,"count":2}
//!     line                                 {"v":11,"doc":{"_id":"u1","name":"Ada"}}
//! collections/<name>-<version>.delta.ndjson  header LF (line LF)*, sorted by id
//!     header                               {"format":1,"name":"users","version":16,
//!                                           "base":"collections/users-12.ndjson","count":2}
//!     line                                 {"v":16,"doc":{"_id":"u1","name":"Ada Lovelace"}}
//!                                          {"v":16,"delete":"u2"}
//! indexes/<collection>/<index>-<version>.json
//!                                          {"crc":"…","format":1,"collection":"users",
//!                                           "index":"by_name","version":12,
//!                                           "definition":"{\"paths\":[\"name\"]}","order":[0]} LF
//! ```
//!
//! An index file's `order` is explained in its own module. The manifest names no index file: one
//! that is missing, damaged or of another version is built anew from the documents.
//!
//! The manifest's `crc` is made as a log record's is. A file's `crc` is the CRC-32 (IEEE) of its
//! bytes, all of them. `version` is the snapshot that the files hold; `synced` is the highest
//! version known to be safe in the log when the manifest was written.
//!
//! # What holds
//!
//! - Files are named after the version that last changed their collection, so a file never gets
//!   other contents: a collection that did not change keeps its files, and one that did keeps those
//!   that it goes on from (when it does is explained in the module `chain`).
//! - What changed is the difference between the snapshot and the one of the last checkpoint, whose
//!   documents stay in memory for that: what is the same is shared, so they cost what changed.
//! - Every file is written under a temporary name, synced, renamed, and its folder synced, before
//!   the manifest that names it is replaced the same way. So the manifest always names whole
//!   files. A failure before the manifest's rename changes nothing.
//! - What no manifest names any more is removed afterwards; a crash in between leaves files that
//!   the next opening removes.

mod chain;
mod collection_file;
mod delta_file;
mod index_file;
mod inferred;
mod line_file;
mod load;
mod manifest;
mod salvage;
mod write;

pub use inferred::infer_manifest;
pub use load::{Loaded, check_files, load, load_collection, load_manifest};
pub use manifest::{FileEntry, Manifest, ManifestCollection};
pub use salvage::{Gap, Layer, read_layer};
pub use write::{Failure, index_folders, remove_unnamed, write, write_manifest};

use crate::snapshot::Snapshot;

/// The newest format of manifests and collection files that this release reads, and the one that
/// it writes.
pub const FORMAT: u64 = 1;

/// The manifest's name.
pub const MANIFEST: &str = "MANIFEST.json";

/// The folder of the index files: a folder a collection in it.
pub const INDEX_FOLDER: &str = "indexes";

/// The folder of the collection files.
pub const FOLDER: &str = "collections";

/// A checkpoint: what is on disk, and what it holds.
#[derive(Debug, Clone, Default)]
pub struct Checkpoint {
    /// The files.
    pub manifest: Manifest,
    /// The documents in them, without indexes.
    pub documents: Snapshot,
}
