//! Documents whose time is up leave by ordinary commits.

use std::time::{Duration, SystemTime};

use monsterdb::{Database, IndexDefinition, Json};

fn database() -> Database {
    let db = Database::in_memory();
    let index = IndexDefinition::on(["at"]).expect("it is a path");
    let index = index.expire_after(Duration::from_secs(60)).expect("it is one path");
    db.create_index("c", "by_at", index).expect("the collection is empty");
    db
}

fn put(db: &Database, id: &str, body: &str) {
    let body = Json::parse(body).expect("it is JSON");
    db.collection::<Json>("c").expect("it is a name").put(id, &body).expect("it fits");
}

fn milliseconds(ago: Duration) -> u128 {
    let time = SystemTime::now() - ago;
    time.duration_since(SystemTime::UNIX_EPOCH).expect("it is later").as_millis()
}

#[test]
fn what_is_old_goes_and_the_rest_stays() {
    let db = database();
    put(&db, "hour", &format!(r#"{{"at":{}}}"#, milliseconds(Duration::from_secs(3600))));
    put(&db, "now", &format!(r#"{{"at":{}}}"#, milliseconds(Duration::ZERO)));
    put(&db, "array", r#"{"at":["2999-01-01T00:00:00Z","1999-01-01T00:00:00Z"]}"#);
    put(&db, "none", "{}");
    put(&db, "null", r#"{"at":null}"#);
    put(&db, "text", r#"{"at":"1999"}"#);
    let before = db.snapshot();
    db.maintain().expect("nothing fails");
    let after = db.snapshot();
    let ids: Vec<&str> = after
        .collection("c")
        .expect("it is there")
        .documents()
        .map(|(id, _)| id.as_str())
        .collect();
    assert_eq!(ids, ["none", "now", "null", "text"]);
    assert_eq!(after.version(), before.version().next(), "one commit for all");
    db.maintain().expect("nothing fails");
    assert_eq!(db.snapshot().version(), after.version(), "nothing more to do");
}

#[test]
fn many_go_in_several_commits() {
    let db = database();
    db.transact(|tx| {
        let documents = tx.collection::<Json>("c")?;
        for number in 0..2500 {
            let body = Json::parse(r#"{"at":"1999-01-01T00:00:00Z"}"#)?;
            documents.put(&format!("{number:04}"), &body)?;
        }
        Ok(())
    })
    .expect("it fits");
    let before = db.snapshot().version();
    db.maintain().expect("nothing fails");
    assert_eq!(db.collection::<Json>("c").expect("it is a name").len(), 0);
    assert_eq!(db.snapshot().version().get() - before.get(), 3);
}
