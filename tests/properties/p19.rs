//! Property 19, failed commit rollback: a commit that fails at any step leaves the state as it was
//! before, in memory, for the next commit and for the next opening.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use monsterdb::{
    CollectionOptions, Database, DocumentId, Durability, Error, Health, IndexDefinition, Result,
    Version,
    storage::{CrashKind, Failure, Fault, MemoryStorage},
};
use proptest::prelude::*;

use crate::{
    met::Met,
    support::{
        sequence, steps, transaction,
        workload::{
            Content, History, Place, Run, Step, Write, commit, is_refusal, open, undisturbed,
        },
    },
};

/// Why a commit fails.
#[derive(Debug, Clone)]
enum Cause {
    /// Another commit changes the document that it read.
    Document,
    /// Another commit changes what its query found.
    Predicate,
    /// Another commit drops the collection that it writes.
    Dropped,
    /// An update of a document that is not there.
    Absent,
    /// An update that does not fit the document.
    Unfit,
    /// A collection that is there with other options.
    Exists,
    /// A version that the document does not have.
    Version,
    /// A key that a unique index holds already.
    Unique,
}

static MET: Met = Met::new();

#[test]
fn p19_failed_commit_rollback() {
    p19_failed_commit_rollback_cases();
    MET.report(
        "p19_failed_commit_rollback",
        &["Document", "Predicate", "Dropped", "Absent", "Unfit", "Exists", "Version", "Unique"],
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    fn p19_failed_commit_rollback_cases(steps in steps(12), cause in cause()) {
        let storage = MemoryStorage::new();
        undisturbed(&storage, &steps);
        let run = Run::open(&storage).unwrap();
        prepare(run.db());
        let logged = sequence(&storage);
        let (before, error) = fail(run.db(), &cause).unwrap();
        prop_assert!(expected(&cause, &error), "{}", error);
        MET.case().note(&format!("{cause:?}"), true);
        let after = run.snapshot();
        prop_assert_eq!(&before, &after);
        let overtaking = sequence(&storage).len() - logged.len();
        prop_assert!(overtaking <= 1, "the failed commit is in the log");
        check_going_on(&run)?;
    }

}

static MET_ON_FAULTS: Met = Met::new();

#[test]
fn p19_failed_commit_rollback_on_faults() {
    p19_failed_commit_rollback_on_faults_cases();
    MET_ON_FAULTS.report(
        "p19_failed_commit_rollback_on_faults",
        &[
            "acknowledged",
            "refused",
            "unknown",
            "unknown and there after a crash",
            "unknown and absent after a crash",
            "nothing failed",
        ],
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    /// A fault in any of the storage operations that a commit makes.
    fn p19_failed_commit_rollback_on_faults_cases(
        steps in steps(12),
        last in transaction(),
        after in prop_oneof![1..3_u64, 1..12_u64],
        failure in prop_oneof![Just(Failure::Device), Just(Failure::Full)],
        short: bool,
        begun: bool,
        seed: u64,
    ) {
        let storage = MemoryStorage::new();
        undisturbed(&storage, &steps);
        let mut run = Run::open(&storage).unwrap();
        let Step::Commit(durability, writes) = last else { unreachable!() };
        furnish(run.db());
        if !begun {
            // The log begins anew, which takes operations before the one write.
            run.reopen().unwrap();
        }
        let shadow = open(&storage.crash(CrashKind::Process, 0)).unwrap();
        let expected = commit(&shadow, durability, &writes);
        let operation = storage.operations() + after;
        storage.inject(match short {
            true => Fault::ShortWrite { operation },
            false => Fault::FailAt { operation, failure },
        });
        let before = run.snapshot();
        let case = MET_ON_FAULTS.case();
        let outcome = commit(run.db(), durability, &writes);
        case.note("nothing failed", storage.met().is_empty());
        match outcome {
            Ok(_) => {
                case.note("acknowledged", true);
                prop_assert_eq!(run.snapshot(), shadow.snapshot());
            }
            Err(Error::OutcomeUnknown { .. }) => {
                case.note("unknown", true);
                prop_assert_eq!(&before, &run.snapshot());
                prop_assert_eq!(run.db().status().health, Health::ReadOnly);
                let mut either = History::default();
                either.note(before);
                either.note(shadow.snapshot());
                for kind in [CrashKind::Process, CrashKind::Power] {
                    let state = open(&storage.crash(kind, seed)).unwrap().snapshot();
                    prop_assert_eq!(either.objection(&state, Version::ZERO), None);
                    let there = state == shadow.snapshot();
                    case.note("unknown and there after a crash", there);
                    case.note("unknown and absent after a crash", !there);
                }
            }
            Err(error) => {
                prop_assert_eq!(&before, &run.snapshot());
                let refused = is_refusal(&error) && expected.is_err();
                let failed = matches!(error, Error::Io { .. } | Error::StorageFull { .. });
                prop_assert!(refused || failed, "{}", error);
                case.note("refused", failed);
                case.note("refused by the content", refused);
                storage.clear_faults();
                check_going_on(&run)?;
            }
        }
    }
}

fn cause() -> impl Strategy<Value = Cause> {
    prop_oneof![
        Just(Cause::Document),
        Just(Cause::Predicate),
        Just(Cause::Dropped),
        Just(Cause::Absent),
        Just(Cause::Unfit),
        Just(Cause::Exists),
        Just(Cause::Version),
        Just(Cause::Unique),
    ]
}

/// Every document that a transaction may read. The log has begun then, and the next commit is a
/// write and a sync.
fn furnish(db: &Database) {
    let places = ["a", "b", "c"].into_iter().flat_map(|c| ["1", "2", "3"].map(|id| (c, id)));
    let place = |(collection, id): (&str, &str)| Place::named(&format!("{collection}/{id}"));
    let writes: Vec<Write> = places.map(|at| Write::Put(place(at), 7)).collect();
    commit(db, Durability::Always, &writes).unwrap();
}

/// Two documents for the causes to go by.
fn prepare(db: &Database) {
    let content = Content { n: 1, list: Vec::new(), pad: String::new() };
    db.collection::<Content>("p").unwrap().put("1", &content).unwrap();
    db.collection::<Content>("q").unwrap().put("1", &content).unwrap();
}

/// Makes a commit that also writes elsewhere fail, and returns the state before it.
fn fail(db: &Database, cause: &Cause) -> Result<(std::sync::Arc<monsterdb::Snapshot>, Error)> {
    let content = Content { n: 9, list: Vec::new(), pad: String::new() };
    let tx = db.begin();
    tx.collection::<Content>("q")?.put("2", &content)?;
    tx.collection::<Content>("new")?.put("1", &content)?;
    let p = tx.collection::<Content>("p")?;
    match cause {
        Cause::Document => {
            p.get("1")?;
            db.collection::<Content>("p")?.put("1", &content)?;
        }
        Cause::Predicate => {
            p.count(monsterdb::field("n").eq(9))?;
            db.collection::<Content>("p")?.put("2", &content)?;
        }
        Cause::Dropped => {
            p.put("3", &content)?;
            db.drop_collection("p")?;
        }
        Cause::Absent => p.update("nobody", r#"{"$inc":{"n":1}}"#)?,
        Cause::Unfit => p.update("1", r#"{"$inc":{"pad":1}}"#)?,
        Cause::Exists => {
            let options = CollectionOptions { require_preconditions: true };
            tx.create_collection(&"p".parse()?, options)?;
        }
        Cause::Version => {
            let stored = tx.snapshot().get("p", "1").map(|document| document.version());
            tx.require_version(&"p".parse()?, &DocumentId::new("1")?, stored.unwrap_or_default())?;
            db.collection::<Content>("p")?.put("1", &content)?;
        }
        Cause::Unique => {
            db.create_index("p", "by_n", IndexDefinition::on(["n"])?.unique())?;
            p.put("2", &Content { n: 1, list: Vec::new(), pad: String::new() })?;
        }
    }
    let before = db.snapshot();
    let error = db.commit(tx).expect_err("something keeps it from being committed");
    Ok((before, error))
}

fn expected(cause: &Cause, error: &Error) -> bool {
    match cause {
        Cause::Document | Cause::Predicate | Cause::Dropped | Cause::Version => {
            matches!(error, Error::Conflict(_) | Error::VersionMismatch { .. })
        }
        Cause::Absent => matches!(error, Error::DocumentNotFound { .. }),
        Cause::Unfit => matches!(error, Error::InvalidUpdate { .. }),
        Cause::Exists => matches!(error, Error::CollectionExists { .. }),
        Cause::Unique => matches!(error, Error::Index(_)),
    }
}

/// The next commit follows on the state before, and the next opening finds both and no more.
fn check_going_on(run: &Run) -> Result<(), TestCaseError> {
    let before = run.snapshot();
    let write = [Write::Create("afterwards".to_owned())];
    let version = commit(run.db(), Durability::Always, &write).unwrap();
    prop_assert_eq!(version, before.version().next());
    let reopened = open(&run.storage.crash(CrashKind::Power, version.get())).unwrap();
    prop_assert_eq!(reopened.snapshot(), run.snapshot());
    Ok(())
}
