//! Commands on indexes and plans.

use monsterdb::{Database, Error, IndexDefinition, Query, Version, query::Explanation};

use super::Answer;

/// `index C NAME DEFINITION`
pub(super) fn create(db: &Database, collection: &str, name: &str, text: &str) -> Answer {
    let definition = IndexDefinition::parse(text)?;
    let made = db.create_index(collection, name, definition)?;
    Ok(vec![format!("version {}, {} entries", made.version, made.entries)])
}

/// `drop-index C NAME`
pub(super) fn remove(db: &Database, collection: &str, name: &str) -> Answer {
    db.drop_index(collection, name).map(|version: Version| vec![format!("version {version}")])
}

/// `indexes C`
pub(super) fn list(db: &Database, collection: &str) -> Answer {
    let snapshot = db.snapshot();
    let indexes =
        snapshot.collection(collection).into_iter().flat_map(|c| c.indexes()).map(|index| {
            let multikey = if index.is_multikey() { ", multikey" } else { "" };
            let (name, definition) = (index.name(), index.definition().to_json());
            format!("{name} {definition}: {} entries{multikey}", index.len())
        });
    Ok(indexes.collect())
}

/// `explain C FILTER [sort PATHS] [limit N] [offset N] [hint INDEX]`
pub(super) fn explain(db: &Database, collection: &str, query: &Query, count: bool) -> Answer {
    let snapshot = db.snapshot();
    let name = monsterdb::CollectionName::new(collection)?;
    let collection = snapshot.collection(collection);
    let collection = collection.ok_or(Error::CollectionNotFound { collection: name })?;
    let explained =
        if count { query.explain_count(&**collection)? } else { query.explain(&**collection)? };
    Ok(show(&explained))
}

fn show(explained: &Explanation) -> Vec<String> {
    let plan = serde_json::to_string(&explained.plan).expect("a plan is JSON");
    let candidates = explained.candidates.iter().map(|candidate| {
        let mark = if candidate.chosen { "*" } else { "-" };
        let cost = candidate.cost.map_or_else(String::new, |cost| format!(" ({cost})"));
        format!("{mark} {}{cost}: {}", candidate.index, candidate.reason)
    });
    let counts = format!(
        "keys {}, documents {}, returned {}",
        explained.keys_examined, explained.documents_examined, explained.documents_returned
    );
    [plan].into_iter().chain(candidates).chain([counts]).collect()
}
