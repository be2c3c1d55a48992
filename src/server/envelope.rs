//! What is done around every request: its id, the look at its key, the net under its handler, the
//! line in the log.
//!
//! Invariant: whatever a handler does, panicking included, the client gets an answer with the
//! request's id; whatever is not open is answered only to a valid key.

use std::{
    any::Any,
    future::{Future, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    task::Poll,
};

use actix_web::{
    HttpMessage, ResponseError,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::header::HeaderValue,
    middleware::Next,
    web::Data,
};

use super::{
    Service,
    access_log::{Exchange, RequestId},
    body::discard,
    kinds::Kind,
    problem::Problem,
    rate_limit::Standing,
    respond::REQUEST_ID,
    routes::Pattern,
};

/// Longer ids of clients are replaced: they are copied into logs and answers.
const REQUEST_ID_MAX: usize = 128;

/// The middleware around all routes.
pub(super) async fn envelope(
    service: Data<Service>,
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let id = request_id(&request);
    let route = Pattern::ahead(request.path());
    let exchange = Exchange::begin(&service, &request, &id, route);
    let id = id.as_str();

    let mut standing = None;
    let refused = match route.is_some_and(Pattern::is_open) {
        true => None,
        false => match service.keys.caller(&service.database, &request) {
            Ok(caller) => {
                standing = service.quotas.admit(&caller);
                request.extensions_mut().insert(caller);
                standing.as_ref().and_then(Standing::refusal)
            }
            Err(problem) => Some(problem),
        },
    };
    let answered = match refused {
        Some(problem) => {
            discard(&service, request.take_payload()).await;
            Ok(request.into_response(problem.of_request(id).error_response()))
        }
        None => match catch_panic(exchange.within(async { next.call(request).await })).await {
            Ok(Ok(response)) => Ok(name_request(response.map_into_boxed_body(), id)),
            Ok(Err(error)) => Err(problem_of(&error)),
            Err(_) => Err(Problem::internal()),
        },
    };
    let answered = answered.map(|mut response| {
        standing.inspect(|standing| standing.tell(response.headers_mut()));
        with_id(response, id)
    });
    match &answered {
        Ok(response) => exchange.answered(response),
        Err(problem) => exchange.failed(problem.status_code()),
    }
    answered.map_err(|problem| problem.of_request(id).into())
}

/// The client's id for the request where it is a sane one, else a new one.
fn request_id(request: &ServiceRequest) -> RequestId {
    let sane = |id: &&str| {
        (1..=REQUEST_ID_MAX).contains(&id.len())
            && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.:".contains(&b))
    };
    let given = request.headers().get(REQUEST_ID).and_then(|id| id.to_str().ok()).filter(sane);
    match given {
        Some(id) => RequestId::new(id),
        None => {
            let mut text = uuid::Uuid::encode_buffer();
            RequestId::new(uuid::Uuid::now_v7().hyphenated().encode_lower(&mut text))
        }
    }
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
    let mut future = pin!(future);
    poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
        Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
        Ok(Poll::Pending) => Poll::Pending,
        Err(panic) => Poll::Ready(Err(panic)),
    })
    .await
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::time::Duration;

    use actix_web::{
        App, HttpResponse,
        body::to_bytes,
        middleware::from_fn,
        test::{TestRequest, init_service, try_call_service},
        web::{self, Payload},
    };

    use super::*;
    use crate::{
        database::Database,
        error::Error,
        server::{
            ServeOptions, auth::Keys, metrics::Metrics, quota::Quotas, sessions::Sessions,
            streams::Streams,
        },
        sync::{Arc, Mutex, lock},
    };

    fn service() -> Data<Service> {
        let (_, stopping) = tokio::sync::watch::channel(false);
        let keys = Keys::new(true, None, None);
        let body_timeout = Duration::from_secs(1);
        let options = ServeOptions::new(([127, 0, 0, 1], 0).into());
        let sessions = Arc::new(Sessions::new(options.session_limits()));
        let streams = Arc::new(Streams::new(options.stream_limits()));
        let database = Database::in_memory();
        Data::new(Service {
            database,
            keys,
            quotas: Quotas::new(None),
            sessions,
            streams,
            under_way: Arc::default(),
            metrics: Metrics::new(),
            slow_query: None,
            query_timeout: Duration::from_secs(30),
            body_timeout,
            stopping,
        })
    }

    async fn panic_at_once() -> HttpResponse {
        panic!("a secret of the server")
    }

    async fn panic_in_work(service: Data<Service>) -> Result<HttpResponse, Problem> {
        let work = |_: &Database| -> Result<HttpResponse, Problem> { panic!("a secret") };
        service.block(move |database| work(database).map(drop)).await?;
        Ok(HttpResponse::Ok().finish())
    }

    async fn fail_in_the_framework(_: web::Json<u8>, _: Payload) -> HttpResponse {
        HttpResponse::Ok().finish()
    }

    async fn fault_of_the_server() -> Result<HttpResponse, Problem> {
        let source = std::io::Error::other("a device that hums");
        Err(Error::Io { action: "read", path: "/srv/secret".into(), source }.into())
    }

    /// What is logged, for a test to read.
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            lock(&self.0).extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[actix_web::test]
    async fn a_fault_of_the_server_is_logged_under_the_id_that_its_client_is_told() {
        let (log, app) = (Log::default(), App::new().app_data(service()).wrap(from_fn(envelope)));
        let handler = web::get().to(fault_of_the_server);
        let app = init_service(app.service(resource("/health", handler))).await;
        let writer = log.clone();
        // As a server logs by default: without the span.
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::INFO)
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        let guard = tracing::subscriber::set_default(subscriber);
        let request = TestRequest::get().uri("/health").insert_header((REQUEST_ID, "r-9"));
        let response = try_call_service(&app, request.to_request()).await.unwrap();
        drop(guard);
        let text = to_bytes(response.into_body()).await.unwrap();
        let text = String::from_utf8(text.to_vec()).unwrap();
        assert!(text.contains(r#""instance":"r-9""#) && !text.contains("hums"), "{text}");
        let log = String::from_utf8(lock(&log.0).clone()).unwrap();
        let line = log.lines().find(|line| line.contains("hums")).unwrap();
        assert!(line.contains("ERROR") && line.contains(r#"id="r-9""#), "{line}");
    }

    async fn never() -> HttpResponse {
        std::future::pending().await
    }

    /// A route as the table's are made.
    fn resource(path: &str, route: actix_web::Route) -> actix_web::Resource {
        web::resource(path).app_data(Pattern::ahead(path).unwrap()).route(route)
    }

    /// How often a request of this route was answered so, by what is told to Prometheus.
    fn counted(service: &Data<Service>, route: &str, status: u16) -> bool {
        let text = crate::server::metrics::to_text(service).unwrap();
        let labels = format!(r#"{{route="{route}",method="GET",status="{status}"}} 1"#);
        text.contains(&format!("monsterdb_http_requests_total{labels}\n"))
    }

    #[actix_web::test]
    async fn a_request_whose_client_goes_away_is_told_of_too() {
        let service = service();
        let app = App::new().app_data(service.clone()).wrap(from_fn(envelope));
        let app = init_service(app.service(resource("/metrics", web::get().to(never)))).await;
        let request = TestRequest::get().uri("/metrics").to_request();
        let mut call = Box::pin(try_call_service(&app, request));
        let answered = poll_fn(|context| Poll::Ready(call.as_mut().poll(context).is_ready())).await;
        assert!(!answered && !counted(&service, "/metrics", 499));
        drop(call);
        assert!(counted(&service, "/metrics", 499));
        let text = crate::server::metrics::to_text(&service).unwrap();
        assert!(text.contains("monsterdb_http_requests_in_flight 0\n"), "{text}");
    }

    #[actix_web::test]
    async fn whatever_a_handler_does_the_client_gets_a_problem() {
        let service = service();
        let app = App::new()
            .app_data(service.clone())
            .wrap(from_fn(envelope))
            .service(resource("/health", web::get().to(panic_at_once)))
            .service(resource("/docs", web::get().to(panic_in_work)))
            .service(resource("/openapi.json", web::get().to(fail_in_the_framework)));
        let app = init_service(app).await;
        for (path, status) in [("/health", 500), ("/docs", 500), ("/openapi.json", 400)] {
            let request = TestRequest::get().uri(path).insert_header((REQUEST_ID, "r-1"));
            let response = match try_call_service(&app, request.to_request()).await {
                Ok(response) => response.into_parts().1.map_into_boxed_body(),
                Err(error) => error.error_response(),
            };
            assert_eq!(response.status(), status, "{path}");
            assert_eq!(response.headers().get(REQUEST_ID).unwrap(), "r-1");
            let body = to_bytes(response.into_body()).await.unwrap();
            let text = String::from_utf8(body.to_vec()).unwrap();
            assert!(text.contains(r#""instance":"r-1""#), "{text}");
            assert!(text.starts_with(r#"{"type":"/problems/in"#), "{text}");
            assert!(!text.contains("secret"), "{text}");
            assert!(counted(&service, path, status));
        }
    }
}
