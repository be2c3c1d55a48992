//! What the operating system tells a server: to stop (SIGTERM, SIGINT), and to read its certificate
//! again (SIGHUP).

use std::{
    convert::Infallible,
    future::pending,
    io::{self, IsTerminal},
};

use super::tls::Certificate;
use crate::sync::Arc;

/// Reads a certificate again whenever the system says so. Without one there is nothing to read, and
/// who tells every service to read its files again does not mean to end this one; but at a terminal
/// the signal says that the terminal is gone, and the server goes with it.
pub(super) async fn renew(certificate: Option<Arc<Certificate>>) -> Infallible {
    if certificate.is_none() && io::stderr().is_terminal() {
        return pending().await;
    }
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::hangup()) {
            Ok(mut hangup) => {
                while hangup.recv().await.is_some() {
                    match &certificate {
                        Some(certificate) => certificate.renew(),
                        None => tracing::info!("there is no certificate to read again"),
                    }
                }
            }
            Err(error) => tracing::error!(%error, "the certificate cannot be read again later"),
        }
    }
    #[cfg(not(unix))]
    drop(certificate);
    pending().await
}

/// The signals of the operating system that stop a server.
pub(super) struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    #[cfg(unix)]
    pub(super) fn listen() -> io::Result<Signals> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Signals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    #[cfg(unix)]
    pub(super) async fn arrived(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    #[cfg(not(unix))]
    pub(super) fn listen() -> io::Result<Signals> {
        Ok(Signals {})
    }

    #[cfg(not(unix))]
    pub(super) async fn arrived(&mut self) {
        // Where it cannot be listened for, the handle is the way to stop.
        if tokio::signal::ctrl_c().await.is_err() {
            pending().await
        }
    }
}
