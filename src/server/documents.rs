//! Documents, one by one, and the insertion of many.

use actix_web::{
    HttpRequest, HttpResponse, Responder,
    http::{
        StatusCode,
        header::{self, HeaderName, HeaderValue},
    },
};
use serde::Serialize;

use super::{
    access_log::RequestId,
    auth::{self, Allowed},
    body::{Body, Incoming},
    bulk,
    extract::{
        CollectionPath, DocumentPath, MediaType, Parameters, unsupported, wants_representation,
    },
    ground::{Base, Ground},
    idempotency::{Effect, Once, take_effect},
    kinds::Kind,
    precondition::Preconditions,
    problem::Problem,
    respond::{Answer, NDJSON, etag, json_text, location},
    write::{Write, Written, standing},
};
use crate::{
    document::{Document, Draft},
    error::{Error, Result},
    limits::BATCH_OPERATIONS_MAX,
    names::{CollectionName, DocumentId},
    sync::Arc,
    update::{JsonPatch, MergePatch, Update},
    version::Version,
};

/// What a body of PATCH may be.
const PATCH_TYPES: &str =
    "application/json, application/merge-patch+json, application/json-patch+json";

const ACCEPT_PATCH: HeaderName = HeaderName::from_static("accept-patch");

/// The answer to the insertion of many documents.
#[derive(Serialize)]
struct Inserted<'a> {
    version: u64,
    inserted: usize,
    ids: Vec<&'a str>,
}

/// `GET /collections/{collection}/documents/{id}`: one document, with its version as `ETag`.
pub(super) async fn read(
    _: Allowed<auth::Read>,
    DocumentPath { collection, id }: DocumentPath,
    mut parameters: Parameters,
    request: HttpRequest,
    ground: Ground,
) -> Result<Answer, Problem> {
    let preconditions = Preconditions::of(&request)?;
    let at = parameters.version()?;
    parameters.finish()?;
    let (document, read_at) = ground.base().get_at(at, &collection, &id)?;
    let current = document.as_deref().map(|found| standing(found, read_at));
    preconditions.check_match(current).map_err(|failed| failed.read_at(read_at))?;
    let Some(document) = document else {
        return Err(Problem::from(not_found(&collection, &id)).read_at(read_at));
    };

    let version = document.version();
    // What a transaction has written and not committed has no version to be known by.
    if version == Version::ZERO {
        let text = document.to_json_with_version();
        return Ok(Answer::json(StatusCode::OK, text).read_at(read_at));
    }
    let answer = match preconditions.is_not_modified(version) {
        true => Answer::empty(StatusCode::NOT_MODIFIED),
        false => Answer::json(StatusCode::OK, document.to_json_with_version()),
    };
    Ok(answer.with(header::ETAG, etag(version)).read_at(read_at))
}

/// `POST /collections/{collection}/documents?atomic=`: inserts one document, or as NDJSON many: all
/// or none, or with `atomic=false` each for itself.
pub(super) async fn insert(
    Allowed { caller, .. }: Allowed<auth::Write>,
    CollectionPath(collection): CollectionPath,
    mut parameters: Parameters,
    request: HttpRequest,
    ground: Ground,
    incoming: Incoming,
) -> Result<HttpResponse, Problem> {
    let atomic = parameters.boolean("atomic")?.unwrap_or(true);
    parameters.finish()?;
    let media_type = MediaType::of(&request);
    if !atomic {
        return match (media_type, ground.database()) {
            (MediaType::Ndjson, Some(service)) => {
                Once::refuse(&request)?;
                let id = RequestId::of(&request);
                Ok(bulk::insert_each(service, collection, incoming.0, id))
            }
            (MediaType::Ndjson, None) => {
                let detail = "atomic=false does not go with a transaction, which is all or nothing";
                Err(Problem::new(Kind::InvalidQuery, detail))
            }
            (_, _) => Err(unsupported(NDJSON)),
        };
    }
    let body = incoming.whole(ground.body_timeout()).await?;
    let answer = match media_type {
        MediaType::Json => {
            let once = ground.once(&request, &caller, &body)?;
            let representation = wants_representation(&request);
            let insert = move |base: Base<'_>| {
                insert_one(&base, &collection, &body, once.as_ref(), representation)
            };
            ground.run(insert).await?
        }
        MediaType::Ndjson => {
            let once = ground.once(&request, &caller, &body)?;
            let insert =
                move |base: Base<'_>| insert_many(&base, &collection, &body, once.as_ref());
            ground.run(insert).await?
        }
        MediaType::MergePatch | MediaType::JsonPatch | MediaType::Other => {
            return Err(unsupported("application/json and application/x-ndjson"));
        }
    };
    Ok(answer.respond_to(&request))
}

/// `PUT /collections/{collection}/documents/{id}`: makes a document (201) or replaces it (200).
pub(super) async fn put(
    _: Allowed<auth::Write>,
    target: DocumentPath,
    request: HttpRequest,
    ground: Ground,
    body: Body,
) -> Result<Answer, Problem> {
    MediaType::require_json(&request)?;
    let preconditions = Preconditions::of(&request)?;
    let representation = wants_representation(&request);
    let put = move |base: Base<'_>| {
        let draft = Draft::parse(body.bytes())?;
        let write = Write { target, preconditions, states_version: draft.expected().is_some() };
        let written = write.run(&base, |tx, DocumentPath { collection, id }| {
            tx.put(collection, id, draft.clone())
        })?;
        Ok(answer(&write.target.id, written, representation))
    };
    ground.run::<_, Problem>(put).await
}

/// `PATCH /collections/{collection}/documents/{id}`: changes a document that is there, by update
/// operators, by a merge patch or by a JSON Patch.
///
/// An `Idempotency-Key` is refused. It was passed over once, and a client that trusts in it would
/// count twice what it repeats.
pub(super) async fn patch(
    _: Allowed<auth::Write>,
    target: DocumentPath,
    request: HttpRequest,
    ground: Ground,
    body: Body,
) -> Result<Answer, Problem> {
    Once::refuse(&request)?;
    let preconditions = Preconditions::of(&request)?;
    let representation = wants_representation(&request);
    match MediaType::of(&request) {
        MediaType::MergePatch => {
            let merge = move |base: Base<'_>| {
                let patch = MergePatch::parse(body.bytes())?;
                let states_version = patch.expected().is_some();
                let write = Write { target, preconditions, states_version };
                let written = write.run(&base, |tx, DocumentPath { collection, id }| {
                    tx.merge(collection, id, &patch)
                })?;
                Ok(answer(&write.target.id, written, representation))
            };
            ground.run::<_, Problem>(merge).await
        }
        MediaType::Json => {
            let update = move |base: Base<'_>| {
                let update = Update::parse(body.text()?)?;
                let write = Write { target, preconditions, states_version: false };
                let written = run_update(&base, &write, &update, representation)?;
                Ok(answer(&write.target.id, written, representation))
            };
            ground.run::<_, Problem>(update).await
        }
        MediaType::JsonPatch => {
            let patch = move |base: Base<'_>| {
                let patch = JsonPatch::parse(body.text()?)?;
                let write = Write { target, preconditions, states_version: false };
                let written = write.run(&base, |tx, DocumentPath { collection, id }| {
                    tx.patch(collection, id, &patch)
                })?;
                Ok(answer(&write.target.id, written, representation))
            };
            ground.run::<_, Problem>(patch).await
        }
        MediaType::Ndjson | MediaType::Other => {
            let types = HeaderValue::from_static(PATCH_TYPES);
            Err(unsupported(PATCH_TYPES).with_header(ACCEPT_PATCH, types))
        }
    }
}

/// `DELETE /collections/{collection}/documents/{id}`: deletes a document that is there (204).
pub(super) async fn remove(
    _: Allowed<auth::Write>,
    target: DocumentPath,
    request: HttpRequest,
    ground: Ground,
) -> Result<Answer, Problem> {
    let preconditions = Preconditions::of(&request)?;
    let write = Write { target, preconditions, states_version: false };
    let delete = move |base: Base<'_>| {
        write.run(&base, |tx, DocumentPath { collection, id }| match tx.delete(collection, id)? {
            true => Ok(()),
            false => Err(not_found(collection, id)),
        })
    };
    ground.run(delete).await?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

/// An update reads nothing, unless a precondition or the answer needs the document.
fn run_update(
    base: &Base<'_>,
    write: &Write,
    update: &Update,
    representation: bool,
) -> Result<Written, Problem> {
    if write.preconditions.is_empty() && !representation {
        return write.update_unseen(base, update);
    }
    write.run(base, |tx, DocumentPath { collection, id }| match tx.get(collection, id)? {
        Some(_) => tx.update(collection, id, update.clone()),
        None => Err(not_found(collection, id)),
    })
}

fn answer(id: &DocumentId, written: Written, representation: bool) -> Answer {
    let Written { made, version, document } = written;
    let status = if made { StatusCode::CREATED } else { StatusCode::OK };
    let document = document.filter(|_| representation);
    Answer::written(status, id, version, document.map(|doc| doc.to_json_with_version()))
}

fn insert_one(
    base: &Base<'_>,
    collection: &CollectionName,
    body: &Body,
    once: Option<&Once>,
    representation: bool,
) -> Result<Answer, Problem> {
    let draft = Draft::parse(body.bytes())?;
    let mut document = None;
    let effect = take_effect(once, base, |tx| {
        let id = tx.insert(collection, draft.clone())?;
        document = tx.get(collection, &id)?;
        Ok(vec![id])
    })?;
    let Effect { ids, version, is_repeated } = effect;
    let id = ids.first().ok_or_else(Problem::internal)?;
    if is_repeated {
        let current = base.get(collection, id)?.0;
        document = current.filter(|current| current.version() == version);
    }
    let document: Option<Arc<Document>> = document.filter(|_| representation);
    let text = document.map(|document| document.to_json_with_version());
    let answer = Answer::written(StatusCode::CREATED, id, version, text);
    let location = base.path() + &location(collection, id);
    Ok(answer.with(header::LOCATION, location).marked(is_repeated))
}

fn insert_many(
    base: &Base<'_>,
    collection: &CollectionName,
    body: &Body,
    once: Option<&Once>,
) -> Result<Answer, Problem> {
    let drafts = read_lines(body.bytes())?;
    let effect = take_effect(once, base, |tx| {
        let insert = |(line, draft): &(usize, Draft)| {
            let inserted = tx.insert(collection, draft.clone());
            inserted.map_err(|error| Problem::from(error).in_line(*line))
        };
        Ok(drafts.iter().map(insert).collect::<Result<Vec<_>, _>>()?)
    })?;
    let Effect { ids, version, is_repeated } = effect;
    let text = json_text(&Inserted {
        version: version.get(),
        inserted: ids.len(),
        ids: ids.iter().map(DocumentId::as_str).collect(),
    });
    Ok(Answer::json(StatusCode::CREATED, text).marked(is_repeated))
}

/// The documents of NDJSON, each with the number of its line. Empty lines are passed over.
fn read_lines(bytes: &[u8]) -> Result<Vec<(usize, Draft)>, Problem> {
    let lines = (1..).zip(bytes.split(|byte| *byte == b'\n'));
    let filled = lines.filter(|(_, line)| !line.trim_ascii().is_empty());
    let mut drafts = Vec::new();
    for (number, line) in filled {
        if drafts.len() == BATCH_OPERATIONS_MAX {
            let detail = format!("an insertion has at most {BATCH_OPERATIONS_MAX} documents");
            return Err(Problem::new(Kind::LimitExceeded, detail));
        }
        let draft = Draft::parse(line).map_err(|error| Problem::from(error).in_line(number))?;
        drafts.push((number, draft));
    }
    Ok(drafts)
}

fn not_found(collection: &CollectionName, id: &DocumentId) -> Error {
    Error::DocumentNotFound { collection: collection.clone(), id: id.clone() }
}
