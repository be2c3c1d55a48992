//! Which changes are asked for: of some collections, of documents that match. Never the reserved ones.

use monsterdb::{
    CollectionName, Database, DocumentId, Draft, IndexDefinition, Selection, Version, field,
};

use crate::{line, lines, put};

fn selected(db: &Database, since: u64, selection: Selection) -> (Vec<String>, u64) {
    let mut changes = db.changes_of(Version::new(since), selection).unwrap();
    let lines = std::iter::from_fn(|| changes.try_next().unwrap()).map(|c| line(&c)).collect();
    (lines, changes.position().get())
}

#[test]
fn reserved_collections_never_appear() {
    let db = Database::in_memory();
    let keys = CollectionName::stored("_keys").unwrap();
    let secret = |tx: &monsterdb::Transaction| {
        tx.put(&keys, &DocumentId::new("k")?, Draft::parse(br#"{"hash":"secret"}"#)?)
    };
    db.transact(|tx| secret(tx)).unwrap();
    put(&db, "c", "x", "{}");
    db.transact(|tx| {
        tx.delete(&keys, &DocumentId::new("k")?)?;
        secret(tx)?;
        tx.put(&keys, &DocumentId::new("l")?, Draft::parse(b"{}")?)?;
        tx.put(&CollectionName::new("c")?, &DocumentId::new("y")?, Draft::parse(b"{}")?)
    })
    .unwrap();
    db.transact(|tx| tx.delete(&keys, &DocumentId::new("l")?).map(drop)).unwrap();
    let all = [r#"2: create c; put c/x {"_id":"x"}"#, r#"3: put c/y {"_id":"y"}"#];
    assert_eq!(lines(&db, 0), all);
    // Not even when they are asked for by name.
    let (none, position) = selected(&db, 0, Selection::all().of([keys.clone()]));
    assert_eq!((none.len(), position), (0, 4), "the position passes what is not given out");
    assert!(Selection::all().collections(["_keys"]).is_err());
}

#[test]
fn collections_are_chosen_by_name() {
    let db = Database::in_memory();
    put(&db, "a", "1", "{}");
    put(&db, "b", "1", "{}");
    db.transact(|tx| {
        for name in ["a", "ab", "b"] {
            tx.put(&CollectionName::new(name)?, &DocumentId::new("2")?, Draft::parse(b"{}")?)?;
        }
        Ok(())
    })
    .unwrap();
    db.drop_collection("b").unwrap();
    let of = |names: &[&str]| {
        selected(&db, 0, Selection::all().collections(names.iter().copied()).unwrap()).0
    };
    assert_eq!(of(&["a"]), [r#"1: create a; put a/1 {"_id":"1"}"#, r#"3: put a/2 {"_id":"2"}"#]);
    assert_eq!(of(&["b", "nothing"]).len(), 3);
    assert_eq!(of(&["nothing"]), [""; 0]);
}

#[test]
fn a_filter_lets_pass_what_matches_and_what_has_no_content() {
    let db = Database::in_memory();
    put(&db, "c", "x", r#"{"n":1}"#);
    put(&db, "c", "y", r#"{"n":5}"#);
    put(&db, "c", "x", r#"{"n":6}"#);
    put(&db, "c", "y", r#"{"n":2}"#);
    put(&db, "c", "y", r#"{"n":3}"#);
    db.create_index("c", "i", IndexDefinition::on(["n"]).unwrap()).unwrap();
    db.collection::<monsterdb::Json>("c").unwrap().delete("y").unwrap();
    let grown = || Selection::all().filter(field("n").gte(5));
    let seen = [
        "1: create c",
        r#"2: put c/y {"_id":"y","n":5}"#,
        r#"3: put c/x {"_id":"x","n":6}"#,
        r#"6: index c i {"paths":["n"]}"#,
        "7: delete c/y",
    ];
    assert_eq!(selected(&db, 0, grown()), (seen.map(str::to_owned).to_vec(), 7));
    // With old contents it is seen that y leaves what the filter means.
    let seen = [
        "1: create c",
        r#"2: put c/y {"_id":"y","n":5} was absent"#,
        r#"3: put c/x {"_id":"x","n":6} was {"_id":"x","n":1}"#,
        r#"4: put c/y {"_id":"y","n":2} was {"_id":"y","n":5}"#,
        r#"6: index c i {"paths":["n"]}"#,
        r#"7: delete c/y was {"_id":"y","n":3}"#,
    ];
    assert_eq!(selected(&db, 0, grown().old()).0, seen);
}
