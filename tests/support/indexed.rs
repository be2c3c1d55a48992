//! Databases with indexes, made from texts.

use monsterdb::{
    CollectionName, Database, DocumentId, Draft, Error, Filter, IndexDefinition, Query, Snapshot,
    Sort, query::Stage, snapshot::Index,
};

/// The collection that all of it is about.
pub(crate) fn name() -> CollectionName {
    CollectionName::new("c").expect("it is a name")
}

/// Writes documents in one commit.
pub(crate) fn put_all(db: &Database, documents: &[(String, String)]) {
    let tx = db.begin();
    for (id, body) in documents {
        let draft = Draft::parse(body.as_bytes()).expect("bodies are documents");
        tx.put(&name(), &DocumentId::new(id).expect("it is an id"), draft).expect("it fits");
    }
    db.commit(tx).expect("nothing is in the way");
}

/// Writes one document, which an index may refuse.
#[allow(dead_code, reason = "not every test that shares this asks for it")]
pub(crate) fn try_put(db: &Database, (id, body): &(String, String)) -> Result<(), Error> {
    let tx = db.begin();
    tx.put(&name(), &DocumentId::new(id)?, Draft::parse(body.as_bytes())?)?;
    db.commit(tx).map(drop)
}

/// Makes those of the indexes that the documents fit, and returns their names.
pub(crate) fn make_indexes(db: &Database, definitions: &[String]) -> Vec<String> {
    let made = definitions.iter().enumerate().filter_map(|(place, text)| {
        let definition = IndexDefinition::parse(text).expect("definitions are valid");
        let name = format!("i{place}");
        db.create_index("c", &name, definition).ok().map(|_| name)
    });
    made.collect()
}

pub(crate) fn query(filter: &str, sort: &str) -> Query {
    let query = Query::new(Filter::parse(filter).expect("filters are valid"));
    if sort.is_empty() { query } else { query.sort(sort.parse::<Sort>().expect("it is a sort")) }
}

/// What a query finds, as texts with versions; none when it is refused.
pub(crate) fn answer(snapshot: &Snapshot, query: &Query) -> Option<Vec<String>> {
    let Some(collection) = snapshot.collection("c") else { return Some(Vec::new()) };
    let found = query.execute(&**collection).ok()?.documents;
    Some(found.iter().map(|(_, document)| document.to_json_with_version()).collect())
}

/// True when a query reads an index other than the primary one.
#[allow(dead_code, reason = "not every test that shares this asks for it")]
pub(crate) fn uses_an_index(snapshot: &Snapshot, query: &Query) -> bool {
    fn reads_one(stage: &Stage) -> bool {
        stage.stage == "index" || stage.input.iter().any(reads_one)
    }
    let Some(collection) = snapshot.collection("c") else { return false };
    query.explain(&**collection).is_ok_and(|explained| reads_one(&explained.plan))
}

/// Every index is what building it over the documents makes.
pub(crate) fn check_indexes(snapshot: &Snapshot) {
    for index in snapshot.collection("c").iter().flat_map(|collection| collection.indexes()) {
        let collection = snapshot.collection("c").expect("it has an index");
        let (index_name, definition) = (index.name().clone(), index.definition().clone());
        let built = Index::build(index_name, definition, &name(), collection.documents());
        assert_eq!(&built.expect("it fits"), index);
    }
}
