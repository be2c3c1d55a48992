//! Answers that are written while they are sent, by a task of their own.
//!
//! The writer waits for the reader: a few parts are between them, whatever the length of the whole.
//! A client that goes away ends the writer at its next part.
//!
//! Invariant: an answer that its writer did not finish never looks like one that is whole: the
//! connection breaks off instead.

use std::{
    future::Future,
    io::{self, Write},
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

/// Bytes that a thread gathers before it sends them.
const PIECE_BYTES: usize = 64 * 1024;

/// Where a writer puts the parts of its answer.
pub(super) struct Outlet(Sender<Part>);

/// The reader has gone away.
pub(super) struct Gone;

/// [`Outlet`] for a writer that waits by holding up its thread. Small pieces are sent together.
struct BlockingOutlet {
    sender: Sender<Part>,
    piece: Vec<u8>,
}

enum Part {
    Bytes(Bytes),
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

/// An answer of this media type whose body a thread writes, of those for blocking work. It is whole
/// when `write` succeeds.
pub(super) fn streamed_by_thread(
    media_type: &'static str,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()> + Send + 'static,
) -> HttpResponse {
    let (sender, receiver) = mpsc::channel(PARTS_AHEAD);
    rt::task::spawn_blocking(move || {
        let mut outlet = BlockingOutlet { sender, piece: Vec::new() };
        match write(&mut outlet).and_then(|()| outlet.flush()) {
            // Nobody is left to be told that nobody reads.
            Ok(()) => drop(outlet.sender.blocking_send(Part::End)),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
            Err(error) => tracing::error!(%error, "an answer broke off"),
        }
    });
    HttpResponse::build(StatusCode::OK).content_type(media_type).body(Inlet(receiver))
}

impl Write for BlockingOutlet {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.piece.extend_from_slice(bytes);
        if self.piece.len() >= PIECE_BYTES {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let piece = std::mem::take(&mut self.piece);
        if piece.is_empty() {
            return Ok(());
        }
        let sent = self.sender.blocking_send(Part::Bytes(piece.into()));
        sent.map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
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
        self.0.send(Part::Bytes(text.into())).await.map_err(|_| Gone)
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
            Some(Part::Bytes(bytes)) => Some(Ok(bytes)),
            Some(Part::End) => None,
            // The writer ended, or panicked, before it was done.
            None => Some(Err(Problem::internal())),
        })
    }
}
