//! Collections: list, make, describe, drop.

use actix_web::{HttpRequest, http::StatusCode, web::Data};
use serde::Serialize;

use super::{
    Service,
    auth::{Admin, Allowed, Read},
    body::{Body, Object},
    extract::{CollectionPath, MediaType, Parameters},
    problem::Problem,
    respond::{Answer, json_text},
};
use crate::{
    commit::TransactOptions,
    database::Database,
    error::Result,
    names::CollectionName,
    snapshot::{Collection, CollectionOptions, Snapshot},
};

#[derive(Serialize)]
struct Listed<'a> {
    name: &'a str,
    count: usize,
    bytes: u64,
}

#[derive(Serialize)]
struct List<'a> {
    collections: Vec<Listed<'a>>,
    version: u64,
}

#[derive(Serialize)]
struct Described<'a> {
    name: &'a str,
    count: usize,
    bytes: u64,
    require_preconditions: bool,
    version: u64,
}

/// `GET /collections`: all that the key is for, in the order of names, with counts and bytes.
pub(super) async fn list(
    Allowed { caller, .. }: Allowed<Read>,
    parameters: Parameters,
    service: Data<Service>,
) -> Result<Answer, Problem> {
    let snapshot = service.state_at(parameters)?;
    let seen = |name: &CollectionName| !name.is_reserved() && caller.covers(name);
    let collections =
        snapshot.collections().filter(|(name, _)| seen(name)).map(|(name, collection)| Listed {
            name: name.as_str(),
            count: collection.count(),
            bytes: collection.bytes(),
        });
    let version = snapshot.version();
    let list = List { collections: collections.collect(), version: version.get() };
    Ok(Answer::read(version, json_text(&list)))
}

/// `GET /collections/{collection}`: one with its options.
pub(super) async fn describe(
    _: Allowed<Read>,
    CollectionPath(name): CollectionPath,
    parameters: Parameters,
    service: Data<Service>,
) -> Result<Answer, Problem> {
    let snapshot = service.state_at(parameters)?;
    let collection = snapshot.existing(&name);
    let collection = collection.map_err(|no| Problem::from(no).read_at(snapshot.version()))?;
    Ok(Answer::read(snapshot.version(), described(&name, collection, &snapshot)))
}

/// `PUT /collections/{collection}`: makes one with the options in the body: 201 when it was made,
/// 200 when it is there with these options.
pub(super) async fn create(
    _: Allowed<Admin>,
    CollectionPath(name): CollectionPath,
    request: HttpRequest,
    service: Data<Service>,
    body: Body,
) -> Result<Answer, Problem> {
    let options = if body.bytes().is_empty() {
        CollectionOptions::default()
    } else {
        MediaType::require_json(&request)?;
        read_options(body.text()?)?
    };
    let (made, text) = service.block(move |database| make(database, &name, options)).await?;
    Ok(Answer::json(if made { StatusCode::CREATED } else { StatusCode::OK }, text))
}

/// `DELETE /collections/{collection}`: drops it with its documents and answers 204.
pub(super) async fn remove(
    _: Allowed<Admin>,
    CollectionPath(name): CollectionPath,
    service: Data<Service>,
) -> Result<Answer, Problem> {
    service.block(move |database| database.drop_collection(name.as_str())).await?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

fn read_options(text: &str) -> Result<CollectionOptions, Problem> {
    let mut body = Object::parse(text, "")?;
    let require_preconditions = body.boolean("require_preconditions")?.unwrap_or(false);
    body.finish()?;
    Ok(CollectionOptions { require_preconditions })
}

/// Makes a collection and describes it. Two that make the same one at once may both be told that
/// they made it.
fn make(
    database: &Database,
    name: &CollectionName,
    options: CollectionOptions,
) -> Result<(bool, String)> {
    let made = database.transact_with(TransactOptions::default(), |tx| {
        tx.create_collection(name, options)?;
        Ok(tx.snapshot().collection(name.as_str()).is_none())
    })?;
    let snapshot = database.snapshot();
    Ok((made.value, described(name, snapshot.existing(name)?, &snapshot)))
}

fn described(name: &CollectionName, collection: &Collection, snapshot: &Snapshot) -> String {
    json_text(&Described {
        name: name.as_str(),
        count: collection.count(),
        bytes: collection.bytes(),
        require_preconditions: collection.options().require_preconditions,
        version: snapshot.version().get(),
    })
}
