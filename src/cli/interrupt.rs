//! Ctrl-C and SIGTERM while a command is under way: it ends what it is doing in good order.
//!
//! Invariant: from the moment that [`on_signal`] returns, no signal of these two ends the process
//! by itself any more, so whoever is told that a command is ready may stop it at once.

use std::{io, process, thread};

use tokio::{
    runtime, select,
    signal::unix::{SignalKind, signal},
    sync::watch,
};

/// What the process ends with after a second signal, as a shell has it: 128 and the signal.
const KILLED: i32 = 130;

/// Whether somebody wants the command to end.
pub(super) struct Interrupt(watch::Receiver<bool>);

impl Interrupt {
    /// Listens from now on; a second signal ends the process at once. Where that cannot be, a
    /// signal ends the process as it always did.
    pub(super) fn listen() -> Interrupt {
        let (tell, told) = watch::channel(false);
        let listening = on_signal(move |count| {
            if count > 1 {
                process::exit(KILLED);
            }
            eprintln!("stopping; once more to stop at once");
            tell.send_replace(true);
        });
        if let Err(error) = listening {
            tracing::warn!(%error, "an interruption will not be told from a crash");
        }
        Interrupt(told)
    }

    /// True once it was asked for.
    pub(super) fn is_asked(&self) -> bool {
        *self.0.borrow()
    }
}

/// Calls `act` on a thread of its own at every signal, with how many there were.
pub(super) fn on_signal(mut act: impl FnMut(u32) + Send + 'static) -> io::Result<()> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let (mut interrupt, mut terminate) = {
        let _inside = runtime.enter();
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?)
    };
    let listen = async move {
        for count in 1.. {
            select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            act(count);
        }
    };
    let thread = thread::Builder::new().name("signals".to_owned());
    thread.spawn(move || runtime.block_on(listen)).map(drop)
}
