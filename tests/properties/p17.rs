//! Property 17, rollback completeness: a rolled-back transaction leaves no trace in memory or in
//! the log. (Indexes have to be compared here as soon as there are any.)

use std::{collections::BTreeMap, sync::Arc};

use monsterdb::{
    CollectionName, CollectionOptions, Database, DocumentId, Draft, Error, MergePatch, Query,
    Transaction, Update, storage::MemoryStorage,
};
use proptest::{collection::vec, prelude::*};

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

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn p17_rollback_completeness(
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

        let begun = db.begin();
        if matches!(end, End::Conflict) {
            db.transact(|tx| put(tx, "shared", "2")).expect("nobody else is there");
        }
        let (snapshot, files) = (db.snapshot(), contents(&storage));
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
