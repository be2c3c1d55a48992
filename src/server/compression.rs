//! Large answers are compressed when the client can read them so: zstd or gzip.
//!
//! [`plain`] stands inside the library's compression and marks what is to be left alone: what is
//! small, since compressing it takes longer than sending it; what has an `ETag`, which is a strong
//! one and stands for these very bytes; and what is sent piece by piece as it comes to be, since a
//! piece would wait for the next one. [`negotiated`] stands outside of it and takes the marks off.

use actix_web::{
    Error,
    body::{BodySize, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        StatusCode,
        header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderValue},
    },
    middleware::Next,
};

use super::{kinds::Kind, problem::Problem};

/// An answer of fewer bytes is sent as it is: it fits into one packet.
const LARGE: u64 = 1400;

const IDENTITY: HeaderValue = HeaderValue::from_static("identity");

/// Marks an answer whose pieces have to go out as they come.
pub(super) struct Immediate;

/// Marks what is to be left alone.
pub(super) async fn plain<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let mut response = next.call(request).await?;
    let is_small = match response.response().body().size() {
        BodySize::None => true,
        BodySize::Sized(bytes) => bytes < LARGE,
        BodySize::Stream => response.response().extensions().contains::<Immediate>(),
    };
    if is_small || response.headers().contains_key(ETAG) {
        response.headers_mut().insert(CONTENT_ENCODING, IDENTITY);
    }
    Ok(response)
}

/// Takes out of a request what cannot be served, and out of an answer the mark of what was left
/// alone.
pub(super) async fn negotiated<B: MessageBody + 'static>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let accepted = request.headers().get(ACCEPT_ENCODING);
    let accepted = accepted.and_then(|value| value.to_str().ok()).unwrap_or_default();
    // Whoever can read none of the two gets the answer as it is, whatever else was asked for.
    if !["gzip", "zstd"].iter().any(|coding| accepted.contains(coding)) {
        request.headers_mut().remove(ACCEPT_ENCODING);
    }
    let mut response = next.call(request).await?;
    if response.headers().get(CONTENT_ENCODING) == Some(&IDENTITY) {
        response.headers_mut().remove(CONTENT_ENCODING);
    }
    // The library's own refusal, which is no problem of ours.
    let is_ours = response.headers().contains_key(CONTENT_TYPE);
    if response.status() == StatusCode::NOT_ACCEPTABLE && !is_ours {
        let detail = "the answer can be had as it is, as gzip or as zstd";
        return Err(Problem::new(Kind::NotAcceptable, detail).into());
    }
    Ok(response)
}
