//! Filters: what is understood reads back from its own text as the same filter, and any index
//! gives the answers that no index gives.
//!
//! The first line is the filter, a second one a document that it is asked of besides the others.
#![no_main]

use std::sync::OnceLock;

use fuzz::{draft, id};
use libfuzzer_sys::fuzz_target;
use monsterdb::{CollectionName, Database, Document, Draft, Filter, IndexDefinition, Query};

fuzz_target!(|input: &str| {
    let (filter, body) = input.split_once('\n').unwrap_or((input, "{}"));
    let Ok(filter) = Filter::parse(filter) else { return };
    let again = Filter::parse(&filter.to_json()).expect("a filter's own text is understood");
    assert_eq!(again, filter);
    assert_eq!(again.to_json(), filter.to_json());

    let negated = filter.clone().negate();
    let asked = |document: &Document| {
        assert_eq!(again.matches(document), filter.matches(document));
        // Where one more level is too deep there is no such filter.
        if negated.check().is_ok() {
            assert_ne!(negated.matches(document), filter.matches(document));
        }
    };
    let body = Draft::parse(body.as_bytes()).and_then(|draft| draft.into_document(&id("own")));
    body.iter().for_each(asked);
    compare_plans(&filter, asked);
});

/// The documents: values of every kind, of one path and of two, in arrays, missing.
const DOCUMENTS: [&str; 12] = [
    "{}",
    r#"{"a":null,"b":{"c":1}}"#,
    r#"{"a":1,"b":{"c":"x"}}"#,
    r#"{"a":1.0,"b":{"c":[1,2,3]}}"#,
    r#"{"a":-5,"b":[{"c":1},{"c":7}]}"#,
    r#"{"a":9007199254740993,"b":{"c":null}}"#,
    r#"{"a":"","b":{"c":"abc"}}"#,
    r#"{"a":"abc","b":{"c":[]}}"#,
    r#"{"a":"Zo\u00eb","b":{"c":[[1],{"d":2}]}}"#,
    r#"{"a":[1,"abc",null],"b":{}}"#,
    r#"{"a":{"c":1},"b":{"c":{"d":1}}}"#,
    r#"{"a":true,"b":{"c":false}}"#,
];

/// The same documents with indexes and without.
const COLLECTIONS: [&str; 2] = ["plain", "indexed"];

fn compare_plans(filter: &Filter, asked: impl Fn(&Document)) {
    static DATABASE: OnceLock<Database> = OnceLock::new();
    let snapshot = DATABASE.get_or_init(database).snapshot();
    let [plain, indexed] = COLLECTIONS.map(|name| {
        let collection = snapshot.collection(name).expect("it was made");
        for (_, document) in collection.documents() {
            asked(document);
        }
        let found = Query::new(filter.clone()).find(&**collection).expect("nothing is in the way");
        found.into_iter().map(|(id, _)| id).collect::<Vec<_>>()
    });
    assert_eq!(plain, indexed, "{filter}");
}

fn database() -> Database {
    let database = Database::in_memory();
    for name in COLLECTIONS {
        let name = CollectionName::new(name).expect("it is a name");
        for (number, body) in DOCUMENTS.iter().enumerate() {
            let put =
                |tx: &monsterdb::Transaction| tx.put(&name, &id(&number.to_string()), draft(body));
            database.transact(put).expect("memory takes every write");
        }
    }
    for (name, paths) in [("a", &["a"][..]), ("bc", &["-b.c"]), ("both", &["a", "b.c"])] {
        let definition = IndexDefinition::on(paths.iter().copied()).expect("they are paths");
        database.create_index("indexed", name, definition).expect("the documents fit");
    }
    database
}
