//! One stream of changes, while it lasts: a task that reads the log when something was published and
//! hands what it found to the connection.
//!
//! Invariant: what a stream holds is its position and one look at the log. It reads on when the client
//! has taken that, so a client that is slow costs no more than one that is not; one that takes nothing
//! at all for its time is cut off.

use std::{
    cell::Cell,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use actix_web::{
    body::{BodySize, MessageBody},
    rt::{
        self,
        time::{self, Instant},
    },
    web::{Bytes, Data},
};
use tokio::{
    select,
    sync::{mpsc, oneshot},
};

use super::{
    Service,
    auth::{Caller, unauthorized},
    changes::look,
    connection::Connection,
    events::{Ending, FeedForm},
    kinds::Kind,
    problem::Problem,
    streams::Slot,
};
use crate::{database::Changes, version::Version};

/// Bytes that are handed to the connection at once; a longer event goes in several pieces.
const PIECE_BYTES: usize = 64 * 1024;

/// Time that a connection gets to end by itself when the server stops.
const GRACE: Duration = Duration::from_secs(1);

/// A stream before it has begun.
pub(super) struct Followed {
    pub(super) service: Data<Service>,
    pub(super) caller: Caller,
    pub(super) slot: Slot,
    pub(super) changes: Changes,
    pub(super) form: FeedForm,
}

/// A stream as the body of an answer.
pub(super) struct StreamBody {
    pieces: mpsc::Receiver<Bytes>,
    /// What comes behind the last piece. Where it is given up, the answer breaks off.
    last: Option<oneshot::Receiver<Bytes>>,
}

/// The other end of it.
struct Sink {
    pieces: mpsc::Sender<Bytes>,
    /// Time in which a piece has to be taken.
    patience: Duration,
    /// False while a part of an event was handed over and the rest of it was not.
    is_between_events: Cell<bool>,
}

/// Why a stream is over.
enum Over {
    /// Nobody listens any more.
    Left,
    /// The client takes nothing.
    TooSlow,
    /// The server ends it.
    Ended(Problem),
}

impl Followed {
    /// Begins it, and returns the body that it writes.
    pub(super) fn start(self, connection: Option<Connection>) -> StreamBody {
        // One piece waits while the connection writes another.
        let (pieces, taken) = mpsc::channel(1);
        let (last, told_last) = oneshot::channel();
        rt::spawn(self.run(pieces, last, connection));
        StreamBody { pieces: taken, last: Some(told_last) }
    }

    async fn run(
        self,
        pieces: mpsc::Sender<Bytes>,
        last: oneshot::Sender<Bytes>,
        connection: Option<Connection>,
    ) {
        let form = self.form;
        let mut stopping = self.service.stopping.clone();
        let patience = self.slot.limits().write;
        let sink = Sink { pieces, patience, is_between_events: Cell::new(true) };
        let mut position = self.changes.position();
        let (over, grace) = select! {
            over = self.follow(&sink, &mut position) => (over, patience),
            _ = stopping.wait_for(|stopping| *stopping) => {
                (Over::Ended(Problem::new(Kind::Closed, "the server is shutting down")), GRACE)
            }
        };
        let ending = match &over {
            Over::Left => return,
            Over::TooSlow => Ending::too_slow(position),
            Over::Ended(problem) => Ending::of(problem, position),
        };
        if sink.is_between_events.get() {
            // It comes behind the piece that may still wait to be taken.
            let _ = last.send(Bytes::from(form.ending(&ending)));
        } else {
            drop(last);
        }
        drop(sink);
        if let Some(connection) = connection {
            connection.end_within(grace).await;
        }
    }

    /// Sends what is there and what comes, until the stream is over.
    async fn follow(self, sink: &Sink, position: &mut Version) -> Over {
        let Followed { service, caller, mut slot, mut changes, form } = self;
        let pause = slot.limits().heartbeat;
        if let Err(over) = sink.send(form.greeting(*position)).await {
            return over;
        }
        let mut beat = Instant::now() + pause;
        loop {
            slot.see();
            let before = changes.position();
            let ready;
            (changes, ready) = match look(&service, changes).await {
                Ok(looked) => looked,
                Err(problem) => return Over::Ended(problem),
            };
            if !service.keys.lets_in(&service.database, &caller) {
                return Over::Ended(unauthorized("the key was revoked"));
            }
            let has_moved = changes.position() > before;
            let text = match ready.is_empty() {
                true if Instant::now() >= beat => form.heartbeat(changes.position()),
                true => String::new(),
                false => form.changes(&ready),
            };
            drop(ready);
            if !text.is_empty() {
                if let Err(over) = sink.send(text).await {
                    return over;
                }
                beat = Instant::now() + pause;
            }
            *position = changes.position();
            if has_moved {
                // There may be more.
                continue;
            }
            select! {
                () = slot.published() => {}
                () = time::sleep_until(beat) => {}
                () = sink.pieces.closed() => return Over::Left,
            }
        }
    }
}

impl Sink {
    /// Hands whole events over, piece by piece, as they are taken.
    async fn send(&self, text: String) -> Result<(), Over> {
        let mut rest = Bytes::from(text);
        while !rest.is_empty() {
            let piece = rest.split_to(rest.len().min(PIECE_BYTES));
            match time::timeout(self.patience, self.pieces.send(piece)).await {
                Ok(Ok(())) => self.is_between_events.set(rest.is_empty()),
                Ok(Err(_)) => return Err(Over::Left),
                Err(_) => return Err(Over::TooSlow),
            }
        }
        Ok(())
    }
}

impl MessageBody for StreamBody {
    type Error = Problem;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Problem>>> {
        match self.pieces.poll_recv(context) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Some(piece)) => return Poll::Ready(Some(Ok(piece))),
            Poll::Ready(None) => {}
        }
        let Some(last) = self.last.as_mut() else { return Poll::Ready(None) };
        match Future::poll(Pin::new(last), context) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(told) => {
                self.last = None;
                let broken_off = |_| Problem::new(Kind::Closed, "the stream breaks off");
                Poll::Ready(Some(told.map_err(broken_off)))
            }
        }
    }
}
