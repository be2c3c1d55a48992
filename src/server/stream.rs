//! Answers that are written while they are sent, by a task of their own.
//!
//! The writer waits for the reader: a few parts are between them, whatever the length of the whole.
//! A client that goes away ends the writer at its next part.
//!
//! Invariant: an answer that its writer did not finish never looks like one that is whole: the
//! connection breaks off instead.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use actix_web::{
    HttpResponse,
    body::{BodySize, MessageBody},
    http::StatusCode,
    rt,
    web::Bytes,
};
use tokio::sync::mpsc::{self, Receiver, Sender};

use super::problem::Problem;

/// Parts that are written ahead.
const PARTS_AHEAD: usize = 2;

/// Where a writer puts the parts of its answer.
pub(super) struct Outlet(Sender<Part>);

/// The reader has gone away.
pub(super) struct Gone;

enum Part {
    Text(String),
    End,
}

/// An answer of this media type whose body a task writes. The task ends it with
/// [`Outlet::finish`].
pub(super) fn streamed<F>(media_type: &'static str, write: impl FnOnce(Outlet) -> F) -> HttpResponse
where
    F: Future<Output = Result<(), Gone>> + 'static,
{
    let (sender, receiver) = mpsc::channel(PARTS_AHEAD);
    let writing = write(Outlet(sender));
    rt::spawn(async move {
        // Nobody is left to be told that nobody reads.
        let _ = writing.await;
    });
    HttpResponse::build(StatusCode::OK).content_type(media_type).body(Inlet(receiver))
}

impl Outlet {
    /// Sends a part, when there is room for it.
    ///
    /// # Errors
    ///
    /// [`Gone`] when nobody reads any more.
    pub(super) async fn send(&self, text: String) -> Result<(), Gone> {
        if text.is_empty() {
            return Ok(());
        }
        self.0.send(Part::Text(text)).await.map_err(|_| Gone)
    }

    /// Says that this was all.
    ///
    /// # Errors
    ///
    /// As [`Outlet::send`].
    pub(super) async fn finish(self) -> Result<(), Gone> {
        self.0.send(Part::End).await.map_err(|_| Gone)
    }
}

/// What the connection reads.
struct Inlet(Receiver<Part>);

impl MessageBody for Inlet {
    type Error = Problem;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Problem>>> {
        self.0.poll_recv(context).map(|part| match part {
            Some(Part::Text(text)) => Some(Ok(Bytes::from(text))),
            Some(Part::End) => None,
            // The writer ended, or panicked, before it was done.
            None => Some(Err(Problem::internal())),
        })
    }
}
