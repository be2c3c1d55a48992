//! Indexes of a collection: list, make, drop.

use actix_web::{HttpRequest, http::StatusCode, web::Data};
use serde::Serialize;
use serde_json::value::RawValue;

use super::{
    Service,
    auth::{Admin, Allowed, Read},
    body::Body,
    extract::{CollectionPath, IndexPath, MediaType, Parameters},
    problem::Problem,
    respond::{Answer, json_text},
};
use crate::{
    commit::IndexProgress,
    database::Database,
    error::Result,
    names::{CollectionName, IndexName},
    snapshot::{Index, IndexDefinition, Snapshot},
};

#[derive(Serialize)]
struct List {
    indexes: Vec<Box<RawValue>>,
    version: u64,
}

/// What is told of an index besides its definition.
#[derive(Serialize)]
struct Size {
    entries: usize,
    bytes: u64,
    multikey: bool,
    queries: u64,
}

/// An index that was asked for.
pub(crate) struct MadeIndex {
    /// It was not there before.
    pub(crate) is_new: bool,
    /// Its description, as JSON.
    pub(crate) text: String,
}

/// `GET /collections/{collection}/indexes`: all of them in the order of names, with size and use.
pub(super) async fn list(
    _: Allowed<Read>,
    CollectionPath(name): CollectionPath,
    parameters: Parameters,
    service: Data<Service>,
) -> Result<Answer, Problem> {
    let snapshot = service.state_at(parameters)?;
    let listed = listed(&snapshot, &name);
    let listed = listed.map_err(|no| Problem::from(no).read_at(snapshot.version()))?;
    Ok(Answer::read(snapshot.version(), listed))
}

/// `PUT /collections/{collection}/indexes/{index}`: makes one with the definition in the body, while
/// reads and writes go on: 201 when it was made, 200 when it is there with this definition.
pub(super) async fn create(
    _: Allowed<Admin>,
    IndexPath { collection, index }: IndexPath,
    request: HttpRequest,
    service: Data<Service>,
    body: Body,
) -> Result<Answer, Problem> {
    MediaType::require_json(&request)?;
    let definition = IndexDefinition::parse(body.text()?)?;
    let make = move |database: &Database| {
        make_index(database, &collection, &index, definition, &mut |_| {})
    };
    let made = service.block(make).await?;
    Ok(Answer::json(if made.is_new { StatusCode::CREATED } else { StatusCode::OK }, made.text))
}

/// `DELETE /collections/{collection}/indexes/{index}`: drops it and answers 204.
pub(super) async fn remove(
    _: Allowed<Admin>,
    IndexPath { collection, index }: IndexPath,
    service: Data<Service>,
) -> Result<Answer, Problem> {
    service.block(move |database| database.drop_index(collection.as_str(), index.as_str())).await?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

/// The indexes of a collection as they are listed, here and by the command line.
pub(crate) fn listed(snapshot: &Snapshot, name: &CollectionName) -> Result<String> {
    let indexes = snapshot.existing(name)?.indexes().iter().map(described).collect();
    Ok(json_text(&List { indexes, version: snapshot.version().get() }))
}

/// Makes an index and describes it, here and for the command line. Two that make the same one at
/// once may both be told that they made it.
pub(crate) fn make_index(
    database: &Database,
    collection: &CollectionName,
    index: &IndexName,
    definition: IndexDefinition,
    progress: &mut dyn FnMut(IndexProgress),
) -> Result<MadeIndex> {
    let find = |snapshot: &Snapshot| {
        let found = snapshot.collection(collection.as_str())?.index(index.as_str())?;
        Some(described(found).to_string())
    };
    let is_new = find(&database.snapshot()).is_none();
    database.create_index_with(collection.as_str(), index.as_str(), definition, progress)?;
    // It may have been dropped again since.
    let text = find(&database.snapshot()).unwrap_or_else(|| "{}".to_owned());
    Ok(MadeIndex { is_new, text })
}

/// The name, the members of the definition, and the size.
fn described(index: &Index) -> Box<RawValue> {
    let size = json_text(&Size {
        entries: index.len(),
        bytes: index.bytes(),
        multikey: index.is_multikey(),
        queries: index.usage(),
    });
    let definition = index.definition().to_json();
    let text =
        format!("{{\"name\":\"{}\",{},{}}}", index.name(), inside(&definition), inside(&size));
    RawValue::from_string(text).expect("a definition is JSON")
}

/// The members of an object's text.
fn inside(object: &str) -> &str {
    object.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or(object)
}
