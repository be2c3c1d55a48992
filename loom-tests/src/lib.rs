//! Models of the commit protocol: what loom explores, what it cannot see, how to run it.
//!
//! ```text
//! cargo loom                                      every model; about a minute
//! cargo loom --test commit -- write_skew          one of them
//! cargo loom -- --nocapture                       with the number of executions of each
//! loom-tests/mutants                              breaks the engine and shows that each is found
//! cargo clippy --config "build.rustflags = ['--cfg', 'loom']" --target-dir target/loom \
//!     --package loom-tests --features models --all-targets
//! ```
//!
//! The models drive the engine itself through its public interface; they never write the protocol
//! down a second time. What differs under `--cfg loom` is `sync.rs` alone: locks, conditions,
//! threads and the published state are loom's, the clock stands still, ids do not change. There is
//! no thread in the background.
//!
//! # What is modelled
//!
//! | file | model | holds in every interleaving |
//! |---|---|---|
//! | `commit` | `write_skew` | of two transactions that read what the other writes one conflicts; locks taken in one order do not deadlock |
//! | | `lost_update` | reading, adding one and writing loses nothing; a conflict is returned when its cause is visible |
//! | | `phantom` | a count that was none does not become two |
//! | | `blind_updates` | updates that read nothing never conflict, and a lock is not forgotten while somebody waits for it |
//! | | `no_change` | a write that changes nothing is acknowledged when what it was compared with is published |
//! | | `transact_two`, `transact_overtaken` | `transact` commits, under locks after a loss, and loses nothing |
//! | | `transact_strays` | a closure that meets another collection under locks is run again |
//! | | `room` | first commits make room in the log, one for all |
//! | `group_commit` | `two_committers` … `four_committers` | every committer returns, what is acknowledged survives a power cut, a sync serves several, leaders hand over |
//! | | `durable_before_visible` | what a reader sees survives a power cut |
//! | | `mixed_durability` | a commit that asks for a sync gets it, whoever leads |
//! | | `failing_sync_two`, `failing_sync_three` | everybody is told "unknown" or "read-only", nothing is published |
//! | | `close_against_commit` | a commit is in what closing leaves, or refused; nothing comes after |
//! | | `checkpoint_against_commit` | a checkpoint holds what was published, and the log goes on from it |
//! | | `maintenance_against_commit` | a promised sync is kept beside other commits |
//! | `snapshot` | `torn_read` | a reader sees both collections of a commit or neither |
//! | | `one_order` | versions, log and publication have one order; a reader sees versions grow and nothing taken back |
//! | `index` | `made_beside_a_writer` | an index takes in what was written before it was linked, and every later writer finds it |
//! | | `unique_beside_a_writer` | of a unique index and a document that do not go together one is refused |
//! | | `made_side_by_side` | two indexes that are made at once are both there |
//!
//! Most end with a recovery from the files: the records are 1 to *n* and make the state that
//! readers saw.
//!
//! Two threads with a commit each are explored without bound; two with as much to do as three
//! commits with five preemptions at most; three threads with three; four with two. A model fails
//! when it was cut short, when there was nothing to explore, or when it never met what it is about,
//! such as a conflict or a hand-over.
//!
//! # What loom sees and what it does not
//!
//! - It explores where threads may be interrupted: at every lock, condition and load or store of
//!   the published state, and at every sync of the `Disk`. The registry of locks and the memory
//!   behind the disk are the standard library's: each operation on them happens at once.
//! - It knows the orderings of one atomic, the published state (see `sync.rs`); all else is behind
//!   locks. Persistent maps and documents are opaque to it; the cell beside each published value
//!   stands for their memory.
//! - When it looks for the accesses that a store could have gone before, it remembers only the last
//!   access to an atomic. The published state and the disk therefore take turns by an operation
//!   that it holds to depend on every other turn.
//! - There is no time: waiting with a timeout, the maintenance thread and backoff are not here. A
//!   panic of the leader, more than four threads and long histories are not either.
//! - A deadlock aborts the process: one test file a family.
//!
//! # The mutants
//!
//! A build with `--cfg mutants` has every mutant of this table in it and turns on the one that the
//! variable `MUTANT` names. The command `loom-tests/mutants` runs the models against them:
//!
//! | mutant | found by |
//! |---|---|
//! | `skip_validation_under_locks`: what changed since the first validation is not looked at | `write_skew` |
//! | `share_exclusive_locks`: what is written is locked as if it were read | `write_skew` |
//! | `lock_out_of_order`: locks for reading are taken before those for writing | `write_skew` (deadlock) |
//! | `skip_predicates`: queries are no dependencies | `phantom` |
//! | `refuse_at_once`: a conflict is returned before its cause is visible | `lost_update` |
//! | `number_before_the_mutex`: the version is read before the mutex is held | `two_committers` |
//! | `acknowledge_no_change_at_once`: a write that changes nothing does not wait | `no_change` |
//! | `forget_wanted_locks`: a lock leaves the registry though somebody waits for it | `blind_updates` |
//! | `transact_without_locks`: the last resort of `transact` takes no locks | `transact_overtaken` |
//! | `publish_relaxed`: publication does not order the state's memory before it | `torn_read` |
//! | `publish_before_sync`: the leader publishes before it writes | `durable_before_visible` |
//! | `publish_the_tip_of_now`: the leader publishes more than it wrote | `two_committers` |
//! | `lose_wake_up`: the leader wakes nobody | `two_committers` (deadlock) |
//! | `wake_no_leader`: the leader wakes only those who are done | `two_committers` (deadlock) |
//! | `poison_wakes_nobody`: a leader that fails wakes nobody | `failing_sync_two` (deadlock) |
//! | `sequence_after_close`: a commit is sequenced though the database was closed meanwhile | `close_against_commit` |
//! | `skip_last_catch_up`: an index is linked without what changed since it was last caught up | `made_beside_a_writer` |
//! | `link_under_shared_lock`: an index is linked as if the collection were only read | `made_side_by_side` |
//! | `link_without_unique`: what an index takes in last is not held against `unique` | `unique_beside_a_writer` |

#[cfg(loom)]
mod disk;
#[cfg(loom)]
mod model;
#[cfg(loom)]
mod scene;

#[cfg(loom)]
pub use {disk::Disk, model::*, scene::*};
