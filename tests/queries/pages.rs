//! Pages, cursors and versions that are kept; that pages concatenate to the whole is property 13.

use std::time::Duration;

use monsterdb::{
    CollectionName, Cursor, Database, Error, Filter, Json, Query, Transaction, Version,
    database::{Builder, Page},
    field,
    query::{Position, Sort},
};

fn name() -> CollectionName {
    CollectionName::new("c").unwrap()
}

/// A database with six documents, written at version 1.
fn filled(change: impl FnOnce(Builder) -> Builder) -> Database {
    let storage = std::sync::Arc::new(monsterdb::storage::MemoryStorage::new());
    let builder = change(Database::builder().background(false).segment_bytes(4096));
    let db = builder.open_in(storage).unwrap();
    let fill = |tx: &Transaction| {
        let c = tx.collection::<Json>("c")?;
        for (id, n) in ["a", "b", "c", "d", "e", "f"].iter().zip([3, 1, 2, 2, 3, 1]) {
            c.put(id, &Json::parse(&format!(r#"{{"n":{n}}}"#))?)?;
        }
        Ok(())
    };
    db.transact(fill).unwrap();
    db
}

fn write(db: &Database, id: &str) {
    db.collection::<Json>("c").unwrap().put(id, &Json::parse(r#"{"n":9}"#).unwrap()).unwrap();
}

fn ids(page: &Page) -> String {
    page.documents.iter().map(|(id, _)| id.as_str()).collect()
}

fn by_n() -> Query {
    Query::new(Filter::all()).sort("n".parse().unwrap())
}

fn gone(found: Result<Page, Error>) -> (u64, u64) {
    match found {
        Err(Error::VersionGone { requested, nearest, .. }) => (requested.get(), nearest.get()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_page_goes_on_where_the_one_before_ended() {
    let db = filled(|builder| builder);
    let first = db.page(&name(), &by_n().limit(4)).unwrap();
    assert_eq!((ids(&first), first.version), ("bfcd".to_owned(), Version::new(1)));
    for id in ["a", "b", "0"] {
        write(&db, id);
    }
    let cursor = first.cursor.unwrap();
    assert_eq!(cursor.version(), Version::new(1));
    // Each page has a limit of its own, and a cursor may be used again.
    let second = db.next_page(&name(), &by_n().limit(1), &cursor).unwrap();
    assert_eq!((ids(&second), second.version), ("a".to_owned(), Version::new(1)));
    let rest = db.next_page(&name(), &by_n(), &cursor).unwrap();
    assert_eq!((ids(&rest), rest.cursor.is_none()), ("ae".to_owned(), true));
    let last = db.next_page(&name(), &by_n().limit(1), &second.cursor.unwrap()).unwrap();
    assert_eq!((ids(&last), last.cursor.is_none()), ("e".to_owned(), true), "and none is promised");
}

#[test]
fn a_page_that_is_the_last_says_so() {
    let db = filled(|builder| builder);
    for (query, is_last) in [
        (by_n(), true),
        (by_n().limit(7), true),
        (by_n().limit(6), true),
        (by_n().limit(5), false),
        (by_n().limit(0), true),
        (by_n().limit(2).offset(4), true),
        (by_n().limit(2).offset(3), false),
        (by_n().limit(usize::MAX).offset(1), true),
        (Query::new(field("_id").eq("a")).limit(1), true),
    ] {
        let page = db.page(&name(), &query).unwrap();
        assert_eq!(page.cursor.is_none(), is_last, "{query:?}");
    }
    let other = CollectionName::new("none").unwrap();
    assert!(db.page(&other, &by_n().limit(1)).unwrap().cursor.is_none());
}

#[test]
fn a_cursor_is_of_one_listing() {
    let db = filled(|builder| builder);
    let query = Query::new(field("n").gt(1)).sort("n".parse().unwrap()).limit(2);
    let cursor = db.page(&name(), &query).unwrap().cursor.unwrap();
    assert_eq!(cursor.to_string().parse::<Cursor>().unwrap(), cursor);
    let other = CollectionName::new("d").unwrap();
    let parsed = Query::new(Filter::parse(r#"{"n": {"$gt": 1}}"#).unwrap());
    assert!(db.next_page(&name(), &parsed.sort("n".parse().unwrap()), &cursor).is_ok());
    for (name, query) in [
        (&other, query.clone()),
        (&name(), by_n()),
        (&name(), query.clone().sort("-n".parse().unwrap())),
        (&name(), query.clone().sort(Sort::by_id())),
        (&name(), query.clone().offset(1)),
    ] {
        let refused = db.next_page(name, &query, &cursor);
        assert!(matches!(refused, Err(Error::InvalidQuery { .. })), "{query:?}: {refused:?}");
    }
}

#[test]
fn a_version_that_is_not_kept_is_gone() {
    let db = filled(|builder| builder.retain(Duration::ZERO));
    let cursor = db.page(&name(), &by_n().limit(2)).unwrap().cursor.unwrap();
    assert!(db.next_page(&name(), &by_n(), &cursor).is_ok(), "the latest can always be read");
    write(&db, "g");
    assert_eq!(gone(db.next_page(&name(), &by_n(), &cursor)), (1, 2));
    assert_eq!(gone(db.page_at(Version::new(1), &name(), &by_n())), (1, 2));
}

#[test]
fn a_version_that_a_cursor_named_can_be_read_as_a_whole() {
    let db = filled(|builder| builder);
    write(&db, "g");
    // Kept by the first look as that of its second; those after it only if they are named.
    let first = db.page(&name(), &by_n()).unwrap();
    write(&db, "h");
    let named = db.page(&name(), &by_n().limit(1)).unwrap();
    write(&db, "i");
    write(&db, "j");
    let at = |version| db.page_at(Version::new(version), &name(), &by_n());
    assert_eq!(ids(&at(first.version.get()).unwrap()), "bfcdaeg");
    assert_eq!(ids(&at(named.version.get()).unwrap()), "bfcdaegh");
    assert_eq!(ids(&at(5).unwrap()), "bfcdaeghij");
    assert_eq!((gone(at(4)), gone(at(1))), ((4, 3), (1, 2)));
    assert!(matches!(at(6), Err(Error::InvalidQuery { .. })), "there is none yet");
    assert_eq!(db.snapshot_at(Version::new(3)).unwrap().version(), Version::new(3));
}

#[test]
fn a_cursor_from_before_the_opening_is_gone() {
    let storage = std::sync::Arc::new(monsterdb::storage::MemoryStorage::new());
    let open = || {
        let builder = Database::builder().background(false).segment_bytes(4096);
        builder.open_in(std::sync::Arc::clone(&storage) as _).unwrap()
    };
    let db = open();
    write(&db, "a");
    write(&db, "b");
    let query = Query::new(Filter::all()).limit(1);
    let cursor = db.page(&name(), &query).unwrap().cursor.unwrap();
    db.close().unwrap();
    let db = open();
    assert_eq!(gone(db.next_page(&name(), &query, &cursor)), (2, 2));
}

/// What a page rests on inside a transaction: what comes behind its beginning and up to its end.
#[test]
fn a_page_in_a_transaction_rests_on_its_own_part() {
    for (touched, conflicts) in [("a", false), ("b", false), ("c", true), ("d", true), ("e", false)]
    {
        let db = filled(|builder| builder);
        let tx = db.begin();
        let by_id = Query::new(Filter::all());
        let b = db.snapshot().get("c", "b").unwrap().clone();
        let behind = Position::of(&Sort::by_id(), monsterdb::DocumentId::new("b").unwrap(), &b);
        let found = tx.find(&name(), &by_id.limit(2).after(behind)).unwrap();
        assert_eq!(found.iter().map(|(id, _)| id.as_str()).collect::<String>(), "cd");
        tx.collection::<Json>("log").unwrap().put("1", &Json::parse("{}").unwrap()).unwrap();
        write(&db, touched);
        assert_eq!(db.commit(tx).is_err(), conflicts, "{touched}");
    }
}
