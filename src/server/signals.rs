//! What the operating system tells a server: to stop (SIGTERM, SIGINT), and to read its certificate
//! again (SIGHUP).

use std::{
    convert::Infallible,
    future::pending,
    io::{self, IsTerminal},
};

use super::tls::Certificate;
use crate::sync::Arc;

/// That a certificate is to be read again, listened for from the moment that this is made: a server
/// which is told so as soon as it says that it is there must not end by it.
#[derive(Default)]
pub(super) struct Hangup {
    #[cfg(unix)]
    signal: Option<tokio::signal::unix::Signal>,
}

impl Hangup {
    /// Listens. Without a certificate there is nothing to read, and who tells every service to read
    /// its files again does not mean to end this one; but at a terminal the signal says that the
    /// terminal is gone, and a server without a certificate goes with it.
    ///
    /// # Errors
    ///
    /// What the system says.
    #[cfg(unix)]
    pub(super) fn listen(has_certificate: bool) -> io::Result<Hangup> {
        use tokio::{
            runtime,
            signal::unix::{SignalKind, signal},
        };
        if !has_certificate && io::stderr().is_terminal() {
            return Ok(Hangup::default());
        }
        // Whichever runtime looks for signals later tells all who listen.
        let runtime = runtime::Builder::new_current_thread().enable_io().build()?;
        let _inside = runtime.enter();
        Ok(Hangup { signal: Some(signal(SignalKind::hangup())?) })
    }

    #[cfg(not(unix))]
    pub(super) fn listen(_: bool) -> io::Result<Hangup> {
        Ok(Hangup {})
    }

    /// Reads a certificate again whenever the system says so.
    pub(super) async fn renew(mut self, certificate: Option<Arc<Certificate>>) -> Infallible {
        while self.arrived().await {
            match &certificate {
                Some(certificate) => certificate.renew(),
                None => tracing::info!("there is no certificate to read again"),
            }
        }
        pending().await
    }

    #[cfg(unix)]
    async fn arrived(&mut self) -> bool {
        match &mut self.signal {
            Some(signal) => signal.recv().await.is_some(),
            None => false,
        }
    }

    #[cfg(not(unix))]
    async fn arrived(&mut self) -> bool {
        false
    }
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
