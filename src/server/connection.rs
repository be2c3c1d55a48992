//! A way to end a connection under an answer: a client that takes nothing keeps the one who writes to
//! it waiting for ever, and the framework has no deadline for that.
//!
//! When a connection is accepted, a second handle of its socket is made. It is closed with the
//! connection; before that, it can end both directions at once.

use std::{
    any::Any,
    net::{Shutdown, TcpStream},
    os::fd::AsFd,
    time::Duration,
};

use actix_web::{
    HttpRequest,
    dev::Extensions,
    rt::{net, time},
};
use tokio::sync::watch;

use crate::sync::{Arc, Weak};

/// What a connection keeps for those who answer on it. It is dropped with the connection.
struct Socket {
    second: Arc<TcpStream>,
    open: watch::Sender<()>,
}

/// The connection of a request.
pub(super) struct Connection {
    second: Weak<TcpStream>,
    /// Closed when the connection is.
    open: watch::Receiver<()>,
}

impl Connection {
    /// Notes a connection that was accepted.
    pub(super) fn accepted(io: &dyn Any, kept: &mut Extensions) {
        let socket = io.downcast_ref::<net::TcpStream>().map(|io| io.as_fd().try_clone_to_owned());
        // Without a second handle it cannot be ended from here, and everything else works.
        if let Some(Ok(socket)) = socket {
            let (open, _) = watch::channel(());
            kept.insert(Socket { second: Arc::new(TcpStream::from(socket)), open });
        }
    }

    /// The connection that a request came on; none where it cannot be ended.
    pub(super) fn of(request: &HttpRequest) -> Option<Connection> {
        let Socket { second, open } = request.conn_data::<Socket>()?;
        Some(Connection { second: Arc::downgrade(second), open: open.subscribe() })
    }

    /// Waits for its end, and ends it after this time, whatever is still to be sent on it.
    pub(super) async fn end_within(mut self, grace: Duration) {
        // It has ended when its sender is dropped; nothing is ever sent.
        let ended = async { while self.open.changed().await.is_ok() {} };
        if time::timeout(grace, ended).await.is_ok() {
            return;
        }
        if let Some(socket) = self.second.upgrade() {
            tracing::info!("a client took nothing more: its connection is ended");
            // It may have ended just now.
            let _ = socket.shutdown(Shutdown::Both);
        }
    }
}
