//! Many documents, in and out, in constant memory.
//!
//! In: NDJSON with `atomic=false`. Each line takes effect or is refused for itself, and its result
//! is a line of the answer, in the order of the lines, sent while later ones are still read. The
//! lines that one piece of the body brings are committed together where nothing is against it;
//! where one of them fails the commit of all, each gets a commit of its own.
//!
//! Out: `limit=all` as NDJSON. The whole of what a query finds, in the order of ids, read from one
//! snapshot page after page while it is sent.
//!
//! ```text
//! {"line":1,"_id":"a","_version":17}
//! {"line":2,"problem":{"type":"/problems/already-exists","status":409,…}}
//! ```
//!
//! Invariant: a line is answered with a version only after the commit of its document. A line is
//! tried again only where it is known that it took no effect.

use actix_web::{HttpResponse, dev::Payload, http::header, web::Data};
use serde::Serialize;
use serde_json::value::RawValue;

use super::{
    Service,
    access_log::RequestId,
    body::Lines,
    compression::Immediate,
    problem::Problem,
    respond::{CHUNK_BYTES, DB_VERSION, NDJSON, json_text},
    stream::{Gone, streamed},
};
use crate::{
    commit::TransactOptions,
    database::Database,
    document::{Document, Draft},
    error::{Error, Result},
    limits::{BATCH_OPERATIONS_MAX, PAGE_MAX},
    names::{CollectionName, DocumentId},
    query::{Nothing, Position, Projection, Query, Source},
    snapshot::Snapshot,
    sync::Arc,
    version::Version,
};

/// A line with its number.
type Line = (usize, Vec<u8>);

/// What came of a document.
type Inserted = Result<(DocumentId, Version), Problem>;

/// What is told of a line.
#[derive(Serialize)]
struct Told<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    _id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    _version: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<Box<RawValue>>,
}

/// Inserts each line of a body for itself, and answers while it reads.
pub(super) fn insert_each(
    service: Data<Service>,
    collection: CollectionName,
    payload: Payload,
    id: RequestId,
) -> HttpResponse {
    let mut response = streamed(NDJSON, move |outlet| async move {
        let mut lines = Lines::new(payload, service.body_timeout);
        loop {
            let read = match lines.next().await {
                Ok(Some(read)) => read,
                Ok(None) => return outlet.finish().await,
                // What came before it is done, and was told.
                Err(problem) => {
                    outlet.send(told(&id, None, Err(problem))).await?;
                    return outlet.finish().await;
                }
            };
            for batch in read.chunks(BATCH_OPERATIONS_MAX) {
                let (id, collection, batch) = (id.clone(), collection.clone(), batch.to_vec());
                let insert = move |database: &Database| {
                    Ok::<_, Problem>(insert_batch(database, &id, &collection, &batch))
                };
                // Whether the last lines took effect is not known when their work panicked, so
                // that the answer breaks off.
                let text = service.block(insert).await.map_err(|_| Gone)?;
                outlet.send(text).await?;
            }
        }
    });
    response.extensions_mut().insert(Immediate);
    response
}

/// Sends all that a query finds in a snapshot, in the order of ids.
pub(super) fn export(
    service: Data<Service>,
    snapshot: Arc<Snapshot>,
    collection: CollectionName,
    query: Query,
    fields: Projection,
) -> HttpResponse {
    let version = snapshot.version();
    let mut response = streamed(NDJSON, move |outlet| async move {
        let mut position = None;
        loop {
            let (snapshot, collection) = (Arc::clone(&snapshot), collection.clone());
            let query = query.clone();
            let read = move |_: &Database| page(&snapshot, &collection, query, position);
            // An answer that ends without its end tells that it is not whole.
            let (documents, next) = service.block(read).await.map_err(|_| Gone)?;
            let mut text = String::new();
            for document in documents {
                fields.write(&document, &mut text);
                text.push('\n');
                // The snapshot has the documents anyway; what costs memory is their text.
                if text.len() >= CHUNK_BYTES {
                    outlet.send(std::mem::take(&mut text)).await?;
                }
            }
            outlet.send(text).await?;
            match next {
                Some(next) => position = Some(next),
                None => return outlet.finish().await,
            }
        }
    });
    let value = header::HeaderValue::from(version.get());
    response.headers_mut().insert(DB_VERSION, value);
    response
}

/// The documents of a page, and where the next one begins.
fn page(
    snapshot: &Snapshot,
    collection: &CollectionName,
    query: Query,
    after: Option<Position>,
) -> Result<(Vec<Arc<Document>>, Option<Position>)> {
    let source: &dyn Source = match snapshot.collection(collection.as_str()) {
        Some(collection) => &**collection,
        None => &Nothing,
    };
    let sort = query.sort.clone();
    let query = query.limit(PAGE_MAX);
    let query = match after {
        Some(position) => query.after(position),
        None => query,
    };
    let documents = query.find(source)?;
    let last = documents.last().filter(|_| documents.len() == PAGE_MAX);
    let next = last.map(|(id, document)| Position::of(&sort, id.clone(), document));
    Ok((documents.into_iter().map(|(_, document)| document).collect(), next))
}

/// Inserts documents together or, where one of them fails the commit, each for itself.
fn insert_batch(
    database: &Database,
    id: &RequestId,
    collection: &CollectionName,
    lines: &[Line],
) -> String {
    let mut results: Vec<Option<Inserted>> = Vec::with_capacity(lines.len());
    let mut drafts = Vec::new();
    for (place, (_, line)) in lines.iter().enumerate() {
        match Draft::parse(line) {
            Ok(draft) => {
                drafts.push((place, draft));
                results.push(None);
            }
            Err(error) => results.push(Some(Err(error.into()))),
        }
    }
    for (place, inserted) in insert_drafts(database, collection, &drafts) {
        if let Some(result) = results.get_mut(place) {
            *result = Some(inserted);
        }
    }
    let results = lines.iter().zip(results);
    results
        .map(|((line, _), result)| {
            told(id, Some(*line), result.unwrap_or_else(|| Err(Problem::internal())))
        })
        .collect()
}

/// What came of each draft, by its place.
fn insert_drafts(
    database: &Database,
    collection: &CollectionName,
    drafts: &[(usize, Draft)],
) -> Vec<(usize, Inserted)> {
    let committed = database.transact_with(TransactOptions::default(), |tx| {
        let insert = |(place, draft): &(usize, Draft)| {
            let inserted = match tx.insert(collection, draft.clone()) {
                Ok(id) => Ok(id),
                // Of this document alone, and without a trace.
                Err(error @ Error::AlreadyExists { .. }) => Err(error.into()),
                Err(error) => return Err(error),
            };
            Ok((*place, inserted))
        };
        drafts.iter().map(insert).collect::<Result<Vec<(usize, Result<_, Problem>)>>>()
    });
    match committed {
        Ok(committed) => {
            let version = committed.version;
            let all = committed.value.into_iter();
            all.map(|(place, inserted)| (place, inserted.map(|id| (id, version)))).collect()
        }
        // Nothing of it took effect, and some of it may.
        Err(error) if drafts.len() > 1 && is_of_one(&error) => {
            let each = drafts
                .iter()
                .flat_map(|draft| insert_drafts(database, collection, std::slice::from_ref(draft)));
            each.collect()
        }
        Err(error) => {
            let problem = Problem::from(error);
            drafts.iter().map(|(place, _)| (*place, Err(problem.clone()))).collect()
        }
    }
}

/// True when it may be one document that fails a commit, so that the others would do without it.
fn is_of_one(error: &Error) -> bool {
    matches!(
        error,
        Error::Index(_)
            | Error::InvalidDocument { .. }
            | Error::VersionMismatch { .. }
            | Error::LimitExceeded { .. }
            | Error::MemoryLimit { .. }
    )
}

fn told(id: &RequestId, line: Option<usize>, inserted: Inserted) -> String {
    let mut text = match inserted {
        Ok((id, version)) => json_text(&Told {
            line,
            _id: Some(id.as_str()),
            _version: Some(version.get()),
            problem: None,
        }),
        Err(problem) => {
            let problem = problem.of_request(id.as_str()).text();
            let problem = RawValue::from_string(problem).ok();
            json_text(&Told { line, _id: None, _version: None, problem })
        }
    };
    text.push('\n');
    text
}
