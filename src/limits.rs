//! Every limit of the engine, with its unit and its reason. Reaching one is a clear error.

use std::time::Duration;

/// Bytes of one document's compact text. A larger one would hold up its whole commit group.
pub const DOCUMENT_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Nesting of a document, itself counted as 1. Deeper ones would overflow the stack of the
/// recursive comparison.
pub const NESTING_DEPTH_MAX: usize = 64;

/// Operations of one batch, so that its locks are held for milliseconds.
pub const BATCH_OPERATIONS_MAX: usize = 10_000;

/// Bytes of document text that one transaction writes: one log record has to hold it.
pub const TRANSACTION_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Collections that one transaction touches: each is a lock to take and a map to compare.
pub const TRANSACTION_COLLECTIONS_MAX: usize = 1_000;

/// Collections of a database: each costs a file at every checkpoint that finds it changed.
pub const COLLECTIONS_MAX: usize = 10_000;

/// Documents of one page of results.
pub const PAGE_MAX: usize = 1_000;

/// Documents of a page when the request does not say.
pub const PAGE_DEFAULT: usize = 100;

/// Bytes of documents that one sort holds in memory.
pub const SORT_BYTES_MAX: usize = 256 * 1024 * 1024;

/// Time that a server reads for one query when nothing else is set: nobody waits longer for an
/// answer, and a processor is better used.
pub const QUERY_TIME_MAX: Duration = Duration::from_secs(30);

/// Commits that a program has under way by `commit_async`, each of which has a thread: more wait for
/// the same device and are acknowledged no sooner.
pub const ASYNC_COMMITS_MAX: usize = 256;

/// Fields that one projection names, each of which is looked up for members of its name.
pub const PROJECTION_PATHS_MAX: usize = 256;

/// Bytes of the distinct values of one answer, their overhead in memory included.
pub const DISTINCT_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Bytes of the groups of one aggregation, their overhead in memory included.
pub const GROUP_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Bytes of memory that a distinct value, or a value of a group, takes besides its text.
pub const VALUE_OVERHEAD_BYTES: usize = 96;

/// Paths that one aggregation groups by: each is a look over every document.
pub const GROUP_PATHS_MAX: usize = 16;

/// Metrics of one aggregation: each is a look over every document, and a value in every group.
pub const METRICS_MAX: usize = 64;

/// Bytes of the name of a metric, which stands in every group of the answer.
pub const METRIC_NAME_BYTES_MAX: usize = 128;

/// Bytes of memory that earlier versions may take when nothing else is set: half a minute of
/// writing at full speed.
pub const RETAINED_BYTES: u64 = 256 * 1024 * 1024;

/// Bytes of a filter's or an update's JSON text.
pub const FILTER_BYTES_MAX: usize = 1024 * 1024;

/// Nesting of a filter's operators (`$and $or $nor $not $all $elemMatch`). Deeper ones would
/// overflow the stack of their recursive evaluation.
pub const FILTER_DEPTH_MAX: usize = 32;

/// Patterns of one filter: each holds up to [`PATTERN_COMPILED_BYTES_MAX`] and as much again for
/// every thread that matches it.
pub const FILTER_PATTERNS_MAX: usize = 32;

/// Bytes of a `$regex` pattern. Longer ones are lists in disguise, and take long to compile.
pub const PATTERN_BYTES_MAX: usize = 4 * 1024;

/// Bytes of a compiled pattern, since a short one can unfold to any size: `(a{100}){100}`. It also
/// bounds the time that matching takes for each byte of a document.
pub const PATTERN_COMPILED_BYTES_MAX: usize = 2 * 1024 * 1024;

/// Bytes and values that the operations of one JSON Patch may pass by together, which takes about a
/// second. A patch of a few operations on the largest document stays far below.
pub const PATCH_WORK_MAX: usize = 512 * 1024 * 1024;

/// Nulls that `$set` may add to reach an index behind an array's end.
pub const ARRAY_PADDING_MAX: usize = 10_000;

/// Bytes of one log segment, made ahead and filled with zeros. Larger ones make a small database
/// large, smaller ones make rotation frequent.
pub const SEGMENT_BYTES: u64 = 8 * 1024 * 1024;

/// Bytes of log segments that are kept for the change feed behind a checkpoint when nothing else is
/// set: as much as is written between two checkpoints.
pub const FEED_RETAINED_BYTES: u64 = 64 * 1024 * 1024;

/// Bytes of the log of a database without files, which is in memory beside the documents and there
/// for the change feed alone.
pub const FEED_RETAINED_BYTES_IN_MEMORY: u64 = 8 * 1024 * 1024;

/// Bytes of one log segment of a database without files.
pub const SEGMENT_BYTES_IN_MEMORY: u64 = 1024 * 1024;

/// Bytes of the log that one look of a follower of the changes takes, which is what each of them has
/// in memory while it is told of; a longer record is taken as a whole.
pub const FEED_LOOK_BYTES: usize = 64 * 1024;

/// Bytes of documents that a follower of the changes who asked for old contents holds beside the
/// state that it began from.
pub const FEED_OLD_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Followers of the changes that one server has at once: each is a connection and a task.
pub const STREAMS_MAX: usize = 1024;

/// Bytes of memory that a document takes besides its text, for the memory limit: the entry in the
/// map, the id, the counts of references.
pub const DOCUMENT_OVERHEAD_BYTES: u64 = 176;

/// Indexes of one collection: each is updated by every write to it.
pub const INDEXES_MAX: usize = 64;

/// Paths of one index, each of which costs a look into every document written.
pub const INDEX_PATHS_MAX: usize = 16;

/// Bytes of one index key. Longer ones would make the map of keys larger than the documents.
pub const INDEX_KEY_BYTES_MAX: usize = 1024;

/// Keys that one document has in one index, so that one write stays one short commit.
pub const INDEX_KEYS_MAX: usize = 10_000;

/// Bytes of memory that one entry of an index takes besides its key.
pub const INDEX_ENTRY_BYTES: u64 = 80;

/// Interactive transactions of a server that may be open at once: each keeps a state in memory.
pub const SESSIONS_MAX: usize = 1024;

/// Interactive transactions that one key may have open, so that one client leaves some to others.
pub const SESSIONS_PER_KEY_MAX: usize = 64;

/// API keys of a database: each list of them is one answer.
pub const KEYS_MAX: usize = 1_000;

/// Bytes of an API key's name, which stands in every list of keys.
pub const KEY_NAME_BYTES_MAX: usize = 128;

/// Collections that one API key is for: every request of the key is held against them.
pub const KEY_COLLECTIONS_MAX: usize = 256;

/// Connections of a server that may be open at once: each takes a file and some memory.
pub const CONNECTIONS_MAX: usize = 10_000;

/// Bytes of an `Idempotency-Key`: it is a word, not a text.
pub const IDEMPOTENCY_KEY_BYTES_MAX: usize = 255;

/// Collections whose conflicts are counted each for itself; those of all others are counted
/// together, so that names alone do not fill the memory.
pub const CONFLICT_NAMES_MAX: usize = 100;

/// Collections whose size is shown each for itself among the metrics, the largest ones: every name
/// there is kept by whoever watches for as long as they keep anything.
pub const COLLECTION_SERIES_MAX: usize = 100;

/// Addresses whose failures are counted each for itself. Beyond them all others are counted
/// together, so that a flood of addresses costs no more memory.
pub const BUCKETS_MAX: usize = 10_000;
