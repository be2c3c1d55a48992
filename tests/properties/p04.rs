//! Property 4, collection isolation: operations on one collection never change another.

use monsterdb::{CollectionOptions, Database, IndexDefinition, Json, Snapshot};
use proptest::{collection::vec, prelude::*};

use crate::met::{Case, Met};

/// Names that begin alike, so that a mix-up of keys would show.
const COLLECTIONS: [&str; 4] = ["a", "a.b", "a-b", "A"];
const IDS: [&str; 4] = ["1", "2", "a", "b"];

#[derive(Debug, Clone)]
enum Operation {
    Put(usize, i64),
    Delete(usize),
    Increment(usize),
    Create,
    Drop,
    Index,
    Unindex,
    /// Several writes as one, then given up.
    Abort(usize),
}

static MET: Met = Met::new();

#[test]
fn p04_collection_isolation() {
    p04_collection_isolation_cases();
    MET.report(
        "p04_collection_isolation",
        &[
            "others had documents",
            "dropped a collection with documents",
            "given up",
            "an index came",
            "one id in two collections",
        ],
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    fn p04_collection_isolation_cases(
        operations in vec((0..COLLECTIONS.len(), operation()), 1..60)
    ) {
        let case = MET.case();
        let db = Database::in_memory();
        for (target, operation) in operations {
            let before = db.snapshot();
            run(&db, COLLECTIONS[target], &operation);
            let after = db.snapshot();
            note(&case, &before, &after, target, &operation);
            for other in COLLECTIONS.iter().filter(|name| **name != COLLECTIONS[target]) {
                prop_assert_eq!(before.collection(other), after.collection(other));
                prop_assert!(before.shares_collection(&after, other), "{} was copied", other);
            }
            prop_assert_eq!(names_beside(&before, target), names_beside(&after, target));
        }
    }
}

fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        5 => (0..IDS.len(), 0..5i64).prop_map(|(id, n)| Operation::Put(id, n)),
        3 => (0..IDS.len()).prop_map(Operation::Delete),
        3 => (0..IDS.len()).prop_map(Operation::Increment),
        1 => Just(Operation::Create),
        1 => Just(Operation::Drop),
        1 => Just(Operation::Index),
        1 => Just(Operation::Unindex),
        1 => (0..IDS.len()).prop_map(Operation::Abort),
    ]
}

/// What an operation cannot do, such as deleting what is not there, it need not do.
fn run(db: &Database, name: &str, operation: &Operation) {
    let collection = db.collection::<Json>(name).expect("a good name");
    let body = |n: &i64| Json::parse(&format!(r#"{{"n":{n}}}"#)).expect("a good body");
    match operation {
        Operation::Put(id, n) => collection.put(IDS[*id], &body(n)).expect("a put always fits"),
        Operation::Delete(id) => drop(collection.delete(IDS[*id])),
        Operation::Increment(id) => drop(collection.update(IDS[*id], r#"{"$inc":{"n":1}}"#)),
        Operation::Create => drop(db.create_collection(name, CollectionOptions::default())),
        Operation::Drop => drop(db.drop_collection(name)),
        Operation::Index => {
            let definition = IndexDefinition::on(["n"]).expect("a good path");
            drop(db.create_index(name, "by_n", definition));
        }
        Operation::Unindex => drop(db.drop_index(name, "by_n")),
        Operation::Abort(id) => {
            let aborted = db.transact(|tx| -> monsterdb::Result<()> {
                tx.collection::<Json>(name)?.put(IDS[*id], &body(&99))?;
                Err(monsterdb::Error::aborted("given up"))
            });
            assert!(aborted.is_err());
        }
    }
}

fn names_beside(snapshot: &Snapshot, target: usize) -> Vec<String> {
    let names = snapshot.collections().map(|(name, _)| name.to_string());
    names.filter(|name| name != COLLECTIONS[target]).collect()
}

fn note(
    case: &Case<'_>,
    before: &Snapshot,
    after: &Snapshot,
    target: usize,
    operation: &Operation,
) {
    let name = COLLECTIONS[target];
    let count = |state: &Snapshot, name| state.collection(name).map_or(0, |c| c.count());
    let others = || COLLECTIONS.iter().filter(|other| **other != name);
    case.note("others had documents", others().any(|other| count(before, other) > 0));
    let dropped = after.collection(name).is_none() && count(before, name) > 0;
    case.note("dropped a collection with documents", dropped);
    case.note("given up", matches!(operation, Operation::Abort(_)));
    let indexes = |state: &Snapshot| state.collection(name).map_or(0, |c| c.indexes().len());
    case.note("an index came", indexes(after) > indexes(before));
    let has = |name: &str, id: &&str| after.get(name, id).is_some();
    let shared = IDS.iter().any(|id| has(name, id) && others().any(|other| has(other, id)));
    case.note("one id in two collections", shared);
}
