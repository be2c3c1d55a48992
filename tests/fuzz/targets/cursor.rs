//! Cursors: garbage is refused, what is understood reads back the same, and a page begins behind
//! the place that it names.
#![no_main]

use std::sync::OnceLock;

use fuzz::{draft, id};
use libfuzzer_sys::fuzz_target;
use monsterdb::{CollectionName, Cursor, Database, Error, Filter, Query};

/// Where the parts of a cursor begin, in bytes.
const CHECKED: usize = 5;
const LAST: usize = CHECKED + 24;

fuzz_target!(|input: &[u8]| {
    if let Ok(text) = std::str::from_utf8(input) {
        go_on(text);
    }
    // With a true check, so that the rest is looked at.
    go_on(&with_check(input));
    // Of this database and listing too, so that the place is looked up.
    let true_one = bytes(&scene().cursor.to_string());
    go_on(&with_check(&[&true_one[CHECKED..LAST], input].concat()));
});

/// A listing of documents, and a cursor in it.
struct Scene {
    database: Database,
    collection: CollectionName,
    query: Query,
    cursor: Cursor,
}

fn scene() -> &'static Scene {
    static SCENE: OnceLock<Scene> = OnceLock::new();
    SCENE.get_or_init(|| {
        let database = Database::in_memory();
        let collection = CollectionName::new("c").expect("it is a name");
        for (number, name) in
            ["a", "b", "c", "d", "e", "f", "Zo\u{eb}", "\u{1f600}"].iter().enumerate()
        {
            let body = draft(&format!(r#"{{"n":{}}}"#, number / 3));
            let put = |tx: &monsterdb::Transaction| tx.put(&collection, &id(name), body.clone());
            database.transact(put).expect("memory takes every write");
        }
        let query = Query::new(Filter::all()).sort("-n".parse().expect("it is a sort")).limit(3);
        let page = database.page(&collection, &query).expect("it can be listed");
        Scene { database, collection, query, cursor: page.cursor.expect("there is more") }
    })
}

/// Reads a cursor and asks for the page behind it.
fn go_on(text: &str) {
    let Ok(cursor) = text.parse::<Cursor>() else { return };
    assert_eq!(cursor.to_string(), text.to_ascii_lowercase());
    assert_eq!(cursor.to_string().parse::<Cursor>().expect("it was understood before"), cursor);

    let Scene { database, collection, query, .. } = scene();
    let whole = Query::new(Filter::all()).sort("-n".parse().expect("it is a sort"));
    let listing = database.page(collection, &whole).expect("it can be listed").documents;
    match database.next_page(collection, query, &cursor) {
        Ok(page) => {
            let last = bytes(text)[LAST..].to_vec();
            let place = listing.iter().position(|(id, _)| id.as_str().as_bytes() == last);
            let behind = &listing[place.expect("a page goes on from a document") + 1..];
            assert_eq!(page.documents, behind[..behind.len().min(3)]);
        }
        Err(Error::InvalidQuery { .. } | Error::VersionGone { .. }) => {}
        Err(error) => panic!("a cursor makes this of a query: {error}"),
    }
}

fn with_check(body: &[u8]) -> String {
    let bytes = [&[1], &crc32fast::hash(body).to_be_bytes()[..], body].concat();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(text: &str) -> Vec<u8> {
    let pairs = text.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).expect("hex"));
    pairs.map(|pair| u8::from_str_radix(pair, 16).expect("hex")).collect()
}
