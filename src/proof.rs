//! The page of proof: each guarantee, why it holds, what checks it, and what is not checked.
//!
//! Nothing here asks to be believed. Behind every guarantee stand its argument, in the module that
//! keeps it, and the commands that try to break it. A test reads this page and fails when it names
//! a test that is not there.
//!
//! ```text
//! cargo test                       what follows in its short form: every change passes it
//! cargo loom                       every interleaving of small models, over the engine's own code
//! tests/mutants/run                breaks each protective step in turn: some test must notice
//! loom-tests/mutants               the same for the models
//! tests/history/mutants            the same for the checker of histories
//! tests/fuzz/run                   ten minutes of hostile bytes for each border
//! tests/races/tsan                 data races, as ThreadSanitizer sees them
//! docker/test                      the image, in an engine of its own if there is none
//! HISTORY_SEEDS=167 cargo test --test history -- --nocapture        millions of transactions
//! PROPTEST_CASES=5000 cargo test --test crash plans -- --nocapture  thousands of plans of faults
//! STRESS_SECONDS=600 cargo test --test stress                       everything at once, for long
//! MONSTERDB_TEST_DEPTH=20 cargo test --test crash                   twenty times the seeds
//! PLANS_SEED=7 cargo test --test plans -- --nocapture               other queries and indexes
//! ```
//!
//! # G1, strict serializability
//!
//! *Argument*: [`crate::commit`], "Why it is serializable". Backward validation under ordered locks:
//! between a commit's last look at what it read and the moment it gets its version, nobody can
//! change that. Commits are acknowledged after they are published, so the order agrees with real
//! time.
//!
//! *Checks*:
//! - The models of `loom-tests` explore write skew, lost update, phantom, torn reads and the order
//!   of log and publication in every interleaving of two threads, and of three and four with a
//!   bound on preemptions: `cargo loom`.
//! - `cargo test --test history` runs concurrent lists, registers, bags and counters, in process,
//!   over HTTP, across crashes of a disk in memory and across kills of the server, and looks for
//!   cycles among their dependencies, real time included, after Elle (Kingsbury and Alvaro 2020).
//!   What it finds it names. It finds write skew, lost updates, stale and dirty reads and phantoms
//!   in an engine that is broken on purpose, each within 10,000 transactions:
//!   `tests/history/mutants`.
//! - `cargo test --test scripts` plays every anomaly of Adya's and Hermitage's catalogues from a
//!   file that anyone can read, and `cargo test --test model` holds random histories against a map.
//! - `cargo test --test properties p18` and `cargo test --test properties p01`.
//!
//! # G2, readers never wait
//!
//! *Argument*: [`crate::snapshot`]. A snapshot is one load of one pointer to what never changes;
//! there is no lock on the way.
//!
//! *Checks*: `cargo test --test properties p05` stalls every sync, a checkpoint and writers, and
//! reads; the model `torn_read` (`cargo loom`) lets a reader look between any two steps of a commit.
//!
//! # G3, acknowledged means durable
//!
//! *Argument*: [`crate::commit`], "Invariants": what is published is at most what is synced, and
//! an acknowledgement follows publication. [`crate::wal`] says what proves a record whole.
//!
//! *Checks*:
//! - `cargo test --test crash every_operation` cuts the power, or kills the process, at every single
//!   storage operation of its scripts. The disk it runs on loses, tears, zeroes and alters what was
//!   not synced, and forgets names as a prefix or as any subset ([`crate::storage::MemoryStorage`]).
//! - `cargo test --test crash plans` crosses random work with random plans of faults.
//! - `cargo test --test kill` kills the real server under four writers, again and again.
//! - `cargo test --test properties p20`, `p21` to `p25`, for the log and the checkpoint.
//! - Every sync of a file or folder is left out once: `tests/mutants/run`.
//!
//! # G4, all or nothing
//!
//! *Argument*: one record a commit, one checksum a record ([`crate::wal`]); one swap for all
//! collections ([`crate::snapshot`]).
//!
//! *Checks*: as for G3, since every state after a crash must be one that was committed;
//! `cargo test --test properties p16` and `cargo test --test properties p19`.
//!
//! # G5, damage is detected
//!
//! *Argument*: [`crate::wal`], "What holds", says what is provably acknowledged; damage there is an
//! error, damage above it a torn tail. The manifest has the checksums of the files that it names
//! ([`crate::checkpoint`]).
//!
//! *Checks*: `cargo test --test crash damage` flips every byte of a database of two collections,
//! three indexes, a checkpoint and several segments, cuts every file short, takes away every set of
//! files, and moves records about; each must end in the exact state, an index made anew, a cut
//! above what is proved, or a refusal that names the place, and the command `check` must agree.
//! `cargo test --test crash segments`; `cargo test --test cli damage`. `cargo test --test repair`
//! damages every kind of file in a database of seven collections, cuts and removes them, alone and in
//! pairs, and repairs it: what the new one lacks is what the report lists, and nothing else
//! ([`crate::database::repair`]). The fuzz targets `wal` and
//! `checkpoint` write good checksums on bad contents: `tests/fuzz/run`.
//!
//! # G6, storage errors stop writing
//!
//! *Argument*: [`crate::commit`], "Invariants": after its room is taken a commit can only fail with
//! the device, and then nothing is published or written any more. [`crate::database`] writes again
//! at the next opening what may not be on the disk.
//!
//! *Checks*: `cargo test --test crash failures` fails every operation once, in three ways;
//! `cargo test --test crash waiters` and `cargo test --test crash meanwhile` have others wait for
//! it; `cargo test --test crash full` and `cargo test --test kill full` fill the device. The models
//! `failing_sync_two` and `failing_sync_three`: `cargo loom`.
//!
//! # G7, one process a directory
//!
//! *Argument*: the module `storage::lock`: two locks, since each alone has a hole.
//!
//! *Checks*: `cargo test --test storage lock`, with other processes and with a LOCK file that is
//! deleted; `cargo test --test properties p03`.
//!
//! # G8, indexes are part of the commit
//!
//! *Argument*: [`crate::snapshot`]: an index changes in the one function that changes documents;
//! [`crate::commit`] links a new one under the collection's lock, caught up with the tip.
//!
//! *Checks*: `cargo test --test properties p07` compares indexes with those made anew; the models of
//! `loom-tests/tests/index.rs` race a build with writers (`cargo loom`);
//! `cargo test --test plans` holds every plan against a scan, byte for byte;
//! `cargo test --test indexes` and `cargo test --test cities` build beside writers.
//!
//! # G9, conflicts are explained
//!
//! *Argument*: [`crate::error`]: a conflict is made where the dependency is compared, and carries it.
//!
//! *Checks*: `cargo test --test scripts` writes out every kind of conflict with its words.
//!
//! # G10, nothing is unbounded
//!
//! *Argument*: [`crate::limits`] has every limit with its unit and its reason.
//!
//! *Checks*: `cargo test --test documents`, `cargo test --test http hostile` and
//! `cargo test --test scripts` reach them and read the refusal. The fuzz targets `json`, `filter`,
//! `cursor` and `http`: `tests/fuzz/run`.
//!
//! # The change feed
//!
//! *Argument*: [`crate::feed`], "Once, in order, without a gap".
//!
//! *Checks*: `cargo test --test feed fold` holds the changes, folded, against the database, through
//! checkpoints, reopenings and crashes; `cargo test --test feed horizon` takes the log away from
//! under a reader and cuts the power while it goes; `cargo test --test http changes_cut` cuts a client
//! off fifty times, and starts the server anew, while four others write. Its protective steps are
//! among the mutants: `tests/mutants/run`.
//!
//! # Backups
//!
//! *Argument*: a checkpoint's files never get other contents, so they are copied while everybody goes
//! on, and the manifest comes last ([`crate::database::Backup`]). A version after the backup's is its
//! files and the records of the log up to it, as for an opening.
//!
//! *Checks*: `cargo test --test backup writers` compares what comes out of backups that were made beside
//! four writers with the snapshot at their version, document by document;
//! `cargo test --test backup point_in_time` restores versions of a history out of an archive;
//! `cargo test --test backup damaged` changes bytes; `cargo test --test backup targets` cuts the power at
//! every operation on the target, and goes on from earlier backups. `cargo test --test upgrade` opens
//! what an earlier build wrote. Their protective steps are among the mutants: `tests/mutants/run`.
//!
//! # The REST service
//!
//! *Argument*: `server` holds every rule about requests in one place each: who may ask in `auth`, how
//! often in `quota`, what takes effect once in `idempotency`; rules about data are the engine's.
//!
//! *Checks*: `cargo test --test http p26` and `cargo test --test http p27` for keys and limits.
//! Every answer that a test of `cargo test --test http` gets is held against the service's own
//! description, its status, headers and body; `cargo test --test http p28` asks for thousands of them
//! at random, `cargo test --test http p29` reads back what it wrote in every way, and
//! `cargo test --test http p30` sends ten thousand malformed requests and counts what is left of
//! them. `cargo test --test http idempotency` repeats requests, also over a restart, and
//! `tests/schemathesis/run` lets another program read the description and attack it.
//!
//! # The image
//!
//! *Argument*: the image adds nothing to the program but a user without rights, two folders and two
//! variables; every setting is a variable, from the one table that flags and files come of as well.
//!
//! *Checks*: `cargo test --test docker p36` runs the program as its image does, stops and kills it, and
//! holds what is there against what was acknowledged; `cargo test --test docker p37` gives it random
//! settings by nothing but the environment, and `cargo test --test docker every_variable` looks, for
//! each setting there is, at what a server does because of it. `docker/test` does the same in
//! containers, whose volumes outlive them, and runs the steps of `docs/deployment.md`;
//! `cargo test --test docker unit` lets systemd read the unit.
//!
//! # The load test
//!
//! `monsterdb load-test` drives a server and then looks for everything that was acknowledged. That it
//! finds what is not so is checked itself.
//!
//! *Checks*: `cargo test --test load p33` plants losses, changes and copies behind its back, and
//! `cargo test --test load wrong` puts a liar between it and the server: each must be named.
//! `cargo test --test load p34` loses requests and answers on the way, which must not be a finding;
//! `cargo test --test load p35` adds up what it reports.
//!
//! # The documentation
//!
//! *Checks*: `cargo test --test documentation` runs every block of commands in the README and in `docs`
//! on a server of its own and compares what it prints, says which blocks are not run and why, follows
//! every link, and holds commands, metrics and errors against the code; settings, routes and problems
//! are held against theirs by `cargo test --test cli config` and `cargo test --test http tables`.
//! `cargo test --test http reference` holds every exchange of the HTTP reference against the service's
//! description, and misses a route that it does not show. rustdoc runs the code of the guide.
//!
//! # The benchmarks
//!
//! A figure is worth what its row says of how it came about, and what the other engines really did.
//!
//! *Checks*: `cargo test --package bench-report` looks for every part of every row (p31) and holds
//! the table against the JSON (p32). `cargo test --package benches` lets all engines do the same
//! work and compares their answers, and reads from the log what one insert costs the device.
//!
//! # What is not checked
//!
//! - **Real devices.** Power cuts are those of a model of a disk. A device that lies about a sync, or
//!   a file system that breaks the promises of [`crate::storage`], is not in it. Network file
//!   systems are not tested.
//! - **Large interleavings.** The models have two to four threads with few commits each; loom knows no
//!   timeouts, so the thread in the background and backing off are left to the histories and
//!   to `cargo test --test stress`, which take what the scheduler gives them.
//! - **The libraries below**: the persistent maps, the atomic swap, the HTTP server, the regular
//!   expressions. Their misuse would show; their own faults only by chance.
//! - **Interactive transactions over HTTP** by histories: those over HTTP are of single requests, of
//!   compare-and-set and of batches. What a session sees and when it conflicts is checked by example
//!   (`tests/http/sessions.rs`); its commit is the one that the embedded histories check.
//! - **Slow readers**: that a client which takes nothing is cut off is checked where the system does
//!   it (Linux); one that takes a byte now and then is bounded by the number of connections alone.
//! - **Damage that repairs its own checksum**: a CRC finds accidents, not forgers.
//! - **Time**: an index with `ttl_seconds` believes the clock.
