//! `GET /metrics`: the server in numbers, in the text format of Prometheus (0.0.4).
//!
//! Requests are counted here, everything else is what the engine has counted for itself: it knows
//! nothing of Prometheus, and its figures become text only when somebody asks ([`figures`]). The
//! format is `prometheus-client`'s.
//!
//! A request is counted when its answer begins; the time is that until then. One whose client went
//! away before has the status 499, as nginx calls it. What is no request, since its head does not
//! read or does not come, reaches nobody who could count it.
//!
//! Invariant: no client makes up a series. Routes are patterns and never paths, a method that is
//! none of HTTP's is `other`, and of collections, which clients do name, the numbers of all beyond
//! a bound are given together.

mod figures;
mod process;

use std::time::Duration;

use actix_web::{
    http::{Method, StatusCode},
    web::Data,
};
use prometheus_client::{
    encoding::{EncodeLabelSet, prometheus_text},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

use super::{
    Service,
    auth::{Admin, Allowed},
    problem::Problem,
    respond::Answer,
};
use figures::Figures;

/// The label of requests for which there is no route.
const NO_ROUTE: &str = "(none)";

/// Upper bounds in seconds: of the fastest reads, of commits that wait for a device, of scans.
const BOUNDS: [f64; 13] =
    [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5, 10.0];

/// The requests of a server, counted.
pub(super) struct Metrics {
    answered: Family<Answered, Counter>,
    times: Family<Asked, Histogram, fn() -> Histogram>,
    under_way: Gauge,
}

/// Labels of what was asked.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Asked {
    route: &'static str,
    method: &'static str,
}

/// Labels of how it was answered.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    route: &'static str,
    method: &'static str,
    status: u16,
}

impl Metrics {
    /// Nothing counted yet.
    pub(super) fn new() -> Metrics {
        Metrics {
            answered: Family::default(),
            times: Family::new_with_constructor(|| Histogram::new(BOUNDS)),
            under_way: Gauge::default(),
        }
    }

    /// Counts a request that has come.
    pub(super) fn begun(&self) {
        self.under_way.inc();
    }

    /// Counts a request that was answered, or whose client is gone.
    pub(super) fn ended(
        &self,
        route: Option<&'static str>,
        method: &Method,
        status: StatusCode,
        time: Duration,
    ) {
        self.under_way.dec();
        let (method, status) = (method_label(method), status.as_u16());
        let route = route.unwrap_or(NO_ROUTE);
        self.times.get_or_create(&Asked { route, method }).observe(time.as_secs_f64());
        self.answered.get_or_create(&Answered { route, method, status }).inc();
    }

    fn register(&self, registry: &mut Registry) {
        registry.register(
            "http_requests",
            "Requests answered, by the pattern of their route, method and status",
            self.answered.clone(),
        );
        registry.register(
            "http_request_duration_seconds",
            "Time from a request's head to the beginning of its answer",
            self.times.clone(),
        );
        registry.register(
            "http_requests_in_flight",
            "Requests whose answer has not begun",
            self.under_way.clone(),
        );
    }
}

/// `GET /metrics`: everything that is counted, for Prometheus.
pub(super) async fn metrics(_: Allowed<Admin>, service: Data<Service>) -> Result<Answer, Problem> {
    let all = service.clone().into_inner();
    let text = service.block(move |_| to_text(&all)).await?;
    Ok(Answer::text(StatusCode::OK, prometheus_text::CONTENT_TYPE, text))
}

/// Everything that is counted, as text.
pub(super) fn to_text(service: &Service) -> Result<String, Problem> {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Figures::of(service)));
    service.metrics.register(registry.sub_registry_with_prefix("monsterdb"));
    let mut text = String::new();
    // Writing to a string does not fail.
    prometheus_text::encode(&mut text, &registry).map_err(|_| Problem::internal())?;
    Ok(text)
}

fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
