//! What is done around every request: its id, the look at its key, the net under its handler, the
//! line in the log.
//!
//! Invariant: whatever a handler does, panicking included, the client gets an answer with the
//! request's id; whatever is not open is answered only to a valid key.

use std::{
    any::Any,
    future::{Future, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    task::Poll,
    time::Instant,
};

use actix_web::{
    HttpMessage, ResponseError,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::header::HeaderValue,
    middleware::Next,
    web::Data,
};

use super::{Service, body::discard, kinds::Kind, problem::Problem, respond::REQUEST_ID};

/// Longer ids of clients are replaced: they are copied into logs and answers.
const REQUEST_ID_MAX: usize = 128;

/// The middleware around all routes.
pub(super) async fn envelope(
    service: Data<Service>,
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let begun = Instant::now();
    let id = request_id(&request);
    let line = format!("{} {}", request.method(), request.path());

    let refused = match is_open(request.path()) {
        true => None,
        false => match service.keys.caller(&service.database, &request) {
            Ok(caller) => {
                request.extensions_mut().insert(caller);
                None
            }
            Err(problem) => Some(problem),
        },
    };
    let answered = match refused {
        Some(problem) => {
            discard(&service, request.take_payload()).await;
            Ok(request.into_response(problem.of_request(&id).error_response()))
        }
        None => match catch_panic(async { next.call(request).await }).await {
            Ok(Ok(response)) => Ok(name_request(response.map_into_boxed_body(), &id)),
            Ok(Err(error)) => Err(problem_of(&error)),
            Err(_) => Err(Problem::internal()),
        },
    };
    let answered = answered.map(|response| with_id(response, &id));
    let status = match &answered {
        Ok(response) => response.status(),
        Err(problem) => problem.status_code(),
    };
    let milliseconds = begun.elapsed().as_secs_f64() * 1000.0;
    tracing::info!(target: "monsterdb::access", id, status = status.as_u16(), milliseconds, "{line}");
    answered.map_err(|problem| problem.of_request(&id).into())
}

/// True for the paths that need no key.
fn is_open(path: &str) -> bool {
    matches!(path, "/health" | "/health/live" | "/health/ready") || path.starts_with("/problems/")
}

/// The client's id for the request where it is a sane one, else a new one.
fn request_id(request: &ServiceRequest) -> String {
    let sane = |id: &&str| {
        (1..=REQUEST_ID_MAX).contains(&id.len())
            && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.:".contains(&b))
    };
    let given = request.headers().get(REQUEST_ID).and_then(|id| id.to_str().ok()).filter(sane);
    given.map_or_else(|| uuid::Uuid::now_v7().to_string(), str::to_owned)
}

/// Puts the request's id into the problem that was answered, if one was. An error that is not a
/// [`Problem`] came from the framework and becomes one.
fn name_request(response: ServiceResponse, id: &str) -> ServiceResponse {
    let Some(problem) = response.response().error().map(problem_of) else { return response };
    let (request, _) = response.into_parts();
    ServiceResponse::new(request, problem.of_request(id).error_response())
}

fn problem_of(error: &actix_web::Error) -> Problem {
    if let Some(problem) = error.as_error::<Problem>() {
        return problem.clone();
    }
    match error.as_response_error().status_code() {
        status if status.is_client_error() => {
            Problem::new(Kind::InvalidRequest, "the request is not understood")
        }
        _ => Problem::internal(),
    }
}

fn with_id(mut response: ServiceResponse, id: &str) -> ServiceResponse {
    if let Ok(value) = HeaderValue::from_str(id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

/// Runs a future, and a panic in it ends only the future. What it shared is the engine, which
/// guards its own state against panics, and the request, which nobody looks at again.
async fn catch_panic<F: Future>(future: F) -> Result<F::Output, Box<dyn Any + Send>> {
    let mut future = Box::pin(future);
    poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
        Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
        Ok(Poll::Pending) => Poll::Pending,
        Err(panic) => Poll::Ready(Err(panic)),
    })
    .await
}
