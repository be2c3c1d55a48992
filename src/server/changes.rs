//! `GET /changes`: who asks, from where, for what, in which form.
//!
//! Invariant: a key for some collections is told of these alone, whatever it asks for.

use actix_web::{
    HttpRequest, HttpResponse, Responder, body,
    http::{
        Method, StatusCode,
        header::{self, HeaderName},
    },
    rt::time,
    web::Data,
};
use tokio::select;

use super::{
    Service,
    auth::{Allowed, Caller, Read, unauthorized},
    compression::Immediate,
    connection::Connection,
    events::{EVENT_STREAM, FeedForm, poll_answer},
    extract::{Parameters, accepted, header_text},
    follow::Followed,
    kinds::Kind,
    problem::Problem,
    respond::{Answer, DB_VERSION, JSON, NDJSON},
    streams::Slot,
};
use crate::{
    database::{Changes, Database},
    error::Error,
    feed::{Change, Selection},
    filter::Filter,
    names::CollectionName,
    version::Version,
};

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Tells a proxy that understands it to pass on what it gets.
const ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// What is asked for.
struct Asked {
    /// From where; from now on when there is none.
    since: Option<Version>,
    selection: Selection,
}

/// `GET /changes?since=&collections=&filter=&old=`
pub(super) async fn changes(
    allowed: Allowed<Read>,
    parameters: Parameters,
    request: HttpRequest,
    service: Data<Service>,
) -> Result<HttpResponse, Problem> {
    let form = accepted_feed_form(&request)?;
    let caller = allowed.caller;
    let Asked { since, selection } = Asked::of(parameters, &request, &caller)?;
    let slot = service.streams.open()?;
    let begin = move |database: &Database| {
        let since = since.unwrap_or_else(|| database.snapshot().version());
        database.changes_of(since, selection)
    };
    let changes = service.block(begin).await?;
    if request.method() == Method::HEAD {
        // How long the answer to GET will be is not known.
        let head = Answer::text(StatusCode::OK, form.media_type(), String::new());
        let head = answer(head, changes.position(), &request);
        return Ok(head.set_body(body::None::new()).map_into_boxed_body());
    }
    match form {
        FeedForm::Poll => {
            let (changes, position) = poll(service, caller, slot, changes).await?;
            let text = poll_answer(&changes, position);
            Ok(answer(Answer::json(StatusCode::OK, text), position, &request))
        }
        FeedForm::Events | FeedForm::Lines => {
            let connection = Connection::of(&request);
            let position = changes.position();
            let followed = Followed { service, caller, slot, changes, form };
            let mut response = HttpResponse::Ok();
            response.force_close();
            response.insert_header((ACCEL_BUFFERING, "no"));
            response.insert_header((header::CACHE_CONTROL, "no-store"));
            response.insert_header((DB_VERSION, position.to_string()));
            response.content_type(form.media_type());
            let mut response = response.body(followed.start(connection));
            response.extensions_mut().insert(Immediate);
            Ok(response)
        }
    }
}

impl Asked {
    fn of(
        mut parameters: Parameters,
        request: &HttpRequest,
        caller: &Caller,
    ) -> Result<Asked, Problem> {
        let since = parameters.integer("since")?;
        let collections = parameters.take("collections");
        let filter = parameters.take("filter");
        let old = parameters.boolean("old")?.unwrap_or(false);
        parameters.finish()?;

        let mut selection = Selection::all();
        if let Some(names) = collections {
            let names = names.split(',').map(CollectionName::new);
            let names = names.collect::<Result<Vec<_>, _>>().map_err(Error::from)?;
            names.iter().try_for_each(|name| caller.check_covers(name))?;
            selection = selection.of(names);
        } else if let Some(names) = caller.collections() {
            selection = selection.of(names.iter().cloned());
        }
        if let Some(filter) = filter {
            selection = selection.filter(Filter::parse(&filter)?);
        }
        if old {
            selection = selection.old();
        }
        // What a client has seen says more than the address that it began with.
        let since = last_event_id(request)?.or(since).map(Version::new);
        Ok(Asked { since, selection })
    }
}

/// Waits for the next changes as long as a long poll does.
async fn poll(
    service: Data<Service>,
    caller: Caller,
    mut slot: Slot,
    mut changes: Changes,
) -> Result<(Vec<Change>, Version), Problem> {
    let mut stopping = service.stopping.clone();
    let over = time::sleep(slot.limits().poll);
    tokio::pin!(over);
    loop {
        slot.see();
        let before = changes.position();
        let ready;
        (changes, ready) = look(&service, changes).await?;
        // The key may have been revoked while it waited.
        if !service.keys.lets_in(&service.database, &caller) {
            return Err(unauthorized("the key is not one of this server's any more"));
        }
        if !ready.is_empty() {
            return Ok((ready, changes.position()));
        }
        if changes.position() > before {
            // There may be more.
            continue;
        }
        select! {
            () = slot.published() => {}
            () = &mut over => return Ok((ready, changes.position())),
            _ = stopping.wait_for(|stopping| *stopping) => return Ok((ready, changes.position())),
        }
    }
}

/// Takes what is there, on a thread that may wait for the device.
pub(super) async fn look(
    service: &Data<Service>,
    mut changes: Changes,
) -> Result<(Changes, Vec<Change>), Problem> {
    let look = move |_: &Database| {
        let ready = changes.ready()?;
        Ok::<_, Error>((changes, ready))
    };
    service.block(look).await
}

fn answer(answer: Answer, position: Version, request: &HttpRequest) -> HttpResponse {
    answer.with(header::CACHE_CONTROL, "no-store".to_owned()).read_at(position).respond_to(request)
}

/// The position of a client that comes back, if it says one.
fn last_event_id(request: &HttpRequest) -> Result<Option<u64>, Problem> {
    let text = header_text(request, &LAST_EVENT_ID)?;
    if text.is_empty() {
        return Ok(None);
    }
    let version = text.parse().map_err(|_| {
        let detail = "the header Last-Event-ID is not the id of an event, which is a version";
        Problem::new(Kind::InvalidRequest, detail)
    });
    version.map(Some)
}

fn accepted_feed_form(request: &HttpRequest) -> Result<FeedForm, Problem> {
    let accept = header_text(request, &header::ACCEPT)?;
    match accepted(&accept, &[JSON, NDJSON, EVENT_STREAM]) {
        Some(JSON) => Ok(FeedForm::Poll),
        Some(NDJSON) => Ok(FeedForm::Lines),
        Some(_) => Ok(FeedForm::Events),
        None => {
            let detail = format!("the changes have the forms {JSON}, {NDJSON} and {EVENT_STREAM}");
            Err(Problem::new(Kind::NotAcceptable, detail))
        }
    }
}
