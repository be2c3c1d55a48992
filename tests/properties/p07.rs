//! Property 7, index-storage consistency: after any sequence of writes, indexes equal those rebuilt
//! from the documents. Unique ones hold no key twice, and what they refuse leaves no trace.

use monsterdb::{Database, DocumentId, Draft, Error, IndexDefinition, IndexError, Snapshot};
use proptest::{collection::vec, option, prelude::*};

use crate::{
    generator::{body, index},
    indexed::{check_indexes, name},
    met::{Case, Met},
};

#[derive(Debug, Clone)]
enum Step {
    /// One commit: a new body for each document, or none to delete it.
    Write(Vec<(usize, Option<String>)>),
    Make(usize, String, bool),
    Drop(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let write = vec((0..8_usize, option::weighted(0.8, body())), 1..5);
    prop_oneof![
        6 => write.prop_map(Step::Write),
        2 => (0..4_usize, index(), proptest::bool::weighted(0.4))
            .prop_map(|(place, index, unique)| Step::Make(place, index, unique)),
        1 => (0..4_usize).prop_map(Step::Drop),
    ]
}

fn run(db: &Database, step: &Step) -> Result<(), Error> {
    match step {
        Step::Write(writes) => {
            let tx = db.begin();
            for (id, body) in writes {
                let id = DocumentId::new(&format!("d{id}"))?;
                match body {
                    Some(body) => tx.put(&name(), &id, Draft::parse(body.as_bytes())?)?,
                    None => drop(tx.delete(&name(), &id)?),
                }
            }
            db.commit(tx).map(drop)
        }
        Step::Make(place, index, unique) => {
            let definition = IndexDefinition::parse(index)?;
            let definition = if *unique { definition.unique() } else { definition };
            db.create_index("c", &format!("i{place}"), definition).map(drop)
        }
        Step::Drop(place) => db.drop_index("c", &format!("i{place}")).map(drop),
    }
}

static MET: Met = Met::new();

#[test]
fn p07_index_storage_consistency() {
    p07_index_storage_consistency_cases();
    MET.report(
        "p07_index_storage_consistency",
        &[
            "over documents",
            "unique over documents",
            "refused by an index",
            "dropped",
            "several",
            "written under an index",
        ],
    );
}

proptest! {
    fn p07_index_storage_consistency_cases(steps in vec(step(), 1..24)) {
        let case = MET.case();
        let db = Database::in_memory();
        for step in &steps {
            let before = db.snapshot();
            let outcome = run(&db, step);
            note(&case, &before, step, &outcome);
            match outcome {
                Ok(()) => {}
                Err(Error::Index(_) | Error::CollectionNotFound { .. }) => {
                    prop_assert_eq!(&db.snapshot(), &before);
                }
                Err(error) => panic!("{step:?}: {error}"),
            }
            let snapshot = db.snapshot();
            check_indexes(&snapshot);
            for index in snapshot.collection("c").iter().flat_map(|collection| collection.indexes()) {
                let unique = index.check_all_unique(&name());
                prop_assert!(!matches!(unique, Err(IndexError::Unique { .. })), "{:?}", unique);
            }
        }
    }
}

fn note(case: &Case<'_>, before: &Snapshot, step: &Step, outcome: &Result<(), Error>) {
    let collection = before.collection("c");
    let documents = collection.map_or(0, |c| c.count());
    let indexes = collection.map_or(0, |c| c.indexes().len());
    let done = outcome.is_ok();
    match step {
        Step::Write(_) => case.note("written under an index", done && indexes > 0),
        Step::Make(_, _, unique) => {
            case.note("over documents", done && documents > 1);
            case.note("unique over documents", done && documents > 1 && *unique);
            case.note("several", done && indexes > 0);
        }
        Step::Drop(_) => case.note("dropped", done),
    }
    case.note("refused by an index", matches!(outcome, Err(Error::Index(_))));
}
