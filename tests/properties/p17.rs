//! Property 17, rollback completeness: a rolled-back transaction leaves no trace in memory, in the
//! log or in an index.

use std::{collections::BTreeMap, sync::Arc};

use monsterdb::{
    CollectionName, CollectionOptions, Database, DocumentId, Draft, Error, Filter, IndexDefinition,
    MergePatch, Query, Snapshot, Transaction, Update, snapshot::Index, storage::MemoryStorage,
};
use proptest::{collection::vec, prelude::*};

use crate::met::Met;

const COLLECTIONS: [&str; 2] = ["old", "new"];
const IDS: [&str; 3] = ["1", "2", "3"];

/// How a transaction comes to nothing.
#[derive(Debug, Clone, Copy)]
enum End {
    Rollback,
    Drop,
    RollbackToTheBeginning,
    ClosureFails,
    ClosurePanics,
    /// A commit refused since another one was first.
    Conflict,
    /// A commit refused since an update meets no document.
    Refused,
    /// A commit refused since an index holds a key already.
    Unique,
}

#[derive(Debug, Clone, Copy)]
enum Operation {
    Put,
    Insert,
    Replace,
    Delete,
    Merge,
    Update,
    Find,
    Create,
    DropCollection,
    Savepoint,
}

type Step = (Operation, usize, usize);

static MET: Met = Met::new();

#[test]
fn p17_rollback_completeness() {
    p17_rollback_completeness_cases();
    MET.report(
        "p17_rollback_completeness",
        &[
            "Rollback",
            "Drop",
            "RollbackToTheBeginning",
            "ClosureFails",
            "ClosurePanics",
            "Conflict",
            "Refused",
            "Unique",
            "indexed documents",
            "wrote under an index",
        ],
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    fn p17_rollback_completeness_cases(
        first in vec(step(), 0..10),
        given_up in vec(step(), 1..20),
        end in end(),
    ) {
        let storage = MemoryStorage::new();
        let db = open(&storage);
        let tx = db.begin();
        perform(&tx, &first);
        let _ = db.commit(tx);
        db.transact(|tx| put(tx, "shared", "1")).expect("nobody else is there");
        make_indexes(&db);

        let begun = db.begin();
        if matches!(end, End::Conflict) {
            db.transact(|tx| put(tx, "shared", "2")).expect("nobody else is there");
        }
        let (snapshot, files) = (db.snapshot(), contents(&storage));
        let case = MET.case();
        case.note(&format!("{end:?}"), true);
        let indexed = snapshot.collection("old").is_some_and(|old| old.count() > 0);
        case.note("indexed documents", indexed);
        let writes = |step: &Step| matches!(step.0, Operation::Put | Operation::Insert);
        let under = given_up.iter().any(|step| step.1 == 0 && writes(step));
        case.note("wrote under an index", indexed && under);
        come_to_nothing(&db, begun, &given_up, end);

        let after = db.snapshot();
        prop_assert_eq!(&*after, &*snapshot);
        prop_assert!(Arc::ptr_eq(&after, &snapshot), "the state was made anew");
        prop_assert_eq!(contents(&storage), files, "the log was touched");
        prop_assert_eq!(db.status().version, snapshot.version());
        // The next version is the next number, and the state on disk is the one in memory.
        let next = db.transact_with(Default::default(), |tx| put(tx, "shared", "3"));
        prop_assert_eq!(next.expect("nobody else is there").version, snapshot.version().next());
        let last = db.snapshot();
        db.close().expect("memory does not fail");
        prop_assert_eq!(&*open(&storage).snapshot(), &*last);
        check_indexes(&last);
    }
}

fn come_to_nothing(db: &Database, begun: Transaction, steps: &[Step], end: End) {
    match end {
        End::Rollback => {
            perform(&begun, steps);
            begun.rollback();
        }
        End::Drop => {
            perform(&begun, steps);
            drop(begun);
        }
        End::RollbackToTheBeginning => {
            let beginning = begun.savepoint();
            perform(&begun, steps);
            begun.rollback_to(&beginning).expect("it is set");
            db.commit(begun).expect("it has nothing to write");
        }
        End::ClosureFails => {
            let failed = db.transact(|tx| -> monsterdb::Result<()> {
                perform(tx, steps);
                Err(Error::aborted("given up"))
            });
            assert!(matches!(failed, Err(Error::Aborted(_))));
        }
        End::ClosurePanics => {
            let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                db.transact(|tx| -> monsterdb::Result<()> {
                    perform(tx, steps);
                    std::panic::resume_unwind(Box::new("given up"))
                })
            }));
            assert!(panicked.is_err());
        }
        End::Conflict => {
            perform(&begun, steps);
            begun.get(&name("shared"), &id("2")).expect("reads succeed");
            put(&begun, "own", "1").expect("puts succeed");
            assert!(matches!(db.commit(begun), Err(Error::Conflict(_))));
        }
        End::Refused => {
            perform(&begun, steps);
            let update = Update::parse(r#"{"$inc":{"n":1}}"#).expect("a good update");
            begun.update(&name("shared"), &id("absent"), update).expect("it is seen at commit");
            assert!(db.commit(begun).is_err());
        }
        End::Unique => {
            perform(&begun, steps);
            for document in ["2", "3"] {
                let body = Draft::parse(br#"{"own":1}"#).expect("a good body");
                begun.put(&name("shared"), &id(document), body).expect("it is seen at commit");
            }
            // What it did before may not fit either, and is seen first.
            let refused = db.commit(begun);
            let unfit = matches!(
                refused,
                Err(Error::DocumentNotFound { .. } | Error::CollectionNotFound { .. })
            );
            assert!(unfit || matches!(refused, Err(Error::Index(_))), "{refused:?}");
        }
    }
}

/// Indexes over what the transactions write, and a unique one over what they all share.
fn make_indexes(db: &Database) {
    db.transact(|tx| put(tx, "old", "1")).expect("nobody else is there");
    for (collection, index, paths, unique) in [
        ("old", "by_n", "n", false),
        ("old", "by_text", "-text,n", false),
        ("shared", "by_own", "own", true),
    ] {
        let definition = IndexDefinition::on(paths.split(',')).expect("good paths");
        let filter = Filter::parse(r#"{"own":{"$exists":true}}"#).expect("a good filter");
        let definition = match unique {
            true => definition.unique().filter(filter).expect("its paths are plain"),
            false => definition,
        };
        db.create_index(collection, index, definition).expect("the documents fit");
    }
}

/// Every index is what building it over the documents makes.
fn check_indexes(snapshot: &Snapshot) {
    for (name, collection) in snapshot.collections() {
        for index in collection.indexes() {
            let (of, definition) = (index.name().clone(), index.definition().clone());
            let built = Index::build(of, definition, name, collection.documents());
            assert_eq!(&built.expect("it fits"), index);
        }
    }
}

/// What an operation cannot do it need not do.
fn perform(tx: &Transaction, steps: &[Step]) {
    let body = || Draft::parse(br#"{"n":1,"text":"some content"}"#).expect("a good body");
    for (operation, collection, document) in steps {
        let (name, id) = (name(COLLECTIONS[*collection]), id(IDS[*document]));
        match operation {
            Operation::Put => drop(tx.put(&name, &id, body())),
            Operation::Insert => drop(tx.insert(&name, body())),
            Operation::Replace => drop(tx.replace(&name, &id, body())),
            Operation::Delete => drop(tx.delete(&name, &id)),
            Operation::Merge => {
                let patch = MergePatch::parse(br#"{"n":2}"#).expect("a good patch");
                drop(tx.merge(&name, &id, &patch));
            }
            Operation::Update => {
                let update = Update::parse(r#"{"$inc":{"n":1}}"#).expect("a good update");
                drop(tx.update(&name, &id, update));
            }
            Operation::Find => {
                let all = Query::new("{}".parse().expect("a good filter"));
                drop(tx.find(&name, &all));
            }
            Operation::Create => drop(tx.create_collection(&name, CollectionOptions::default())),
            Operation::DropCollection => drop(tx.drop_collection(&name)),
            Operation::Savepoint => drop(tx.savepoint()),
        }
    }
}

fn step() -> impl Strategy<Value = Step> {
    let operation = prop_oneof![
        4 => Just(Operation::Put),
        2 => Just(Operation::Insert),
        1 => Just(Operation::Replace),
        2 => Just(Operation::Delete),
        1 => Just(Operation::Merge),
        1 => Just(Operation::Update),
        1 => Just(Operation::Find),
        1 => Just(Operation::Create),
        1 => Just(Operation::DropCollection),
        1 => Just(Operation::Savepoint),
    ];
    (operation, 0..COLLECTIONS.len(), 0..IDS.len())
}

fn end() -> impl Strategy<Value = End> {
    prop_oneof![
        Just(End::Rollback),
        Just(End::Drop),
        Just(End::RollbackToTheBeginning),
        Just(End::ClosureFails),
        Just(End::ClosurePanics),
        Just(End::Conflict),
        Just(End::Refused),
        Just(End::Unique),
    ]
}

fn open(storage: &MemoryStorage) -> Database {
    let builder = Database::builder().background(false).segment_bytes(256 * 1024);
    builder.open_in(Arc::new(storage.clone())).expect("the disk holds no damage")
}

fn contents(storage: &MemoryStorage) -> BTreeMap<String, Vec<u8>> {
    let names = storage.names().into_iter();
    names.filter_map(|name| Some((name.clone(), storage.contents(&name)?))).collect()
}

fn put(tx: &Transaction, collection: &str, document: &str) -> monsterdb::Result<()> {
    tx.put(&name(collection), &id(document), Draft::parse(b"{}")?)
}

fn name(collection: &str) -> CollectionName {
    CollectionName::new(collection).expect("a good name")
}

fn id(document: &str) -> DocumentId {
    DocumentId::new(document).expect("a good id")
}
