//! The thread in the background: log segments ahead of need, syncs that were promised,
//! checkpoints that are due, versions kept to be read.

use std::time::Duration;

use super::engine::Engine;
use crate::sync::{Arc, thread};

/// The longest pause between two looks at what is due.
const PAUSE: Duration = Duration::from_secs(1);

/// The running thread.
pub(super) struct Maintenance(thread::JoinHandle<()>);

impl Maintenance {
    /// Starts it. Where no thread can be had, nothing is done ahead of time and commits make
    /// their segments themselves.
    pub(super) fn start(engine: &Arc<Engine>) -> Option<Maintenance> {
        let engine = Arc::clone(engine);
        let started = thread::Builder::new()
            .name("monsterdb-maintenance".to_owned())
            .spawn(move || run(&engine));
        started
            .map(Maintenance)
            .inspect_err(|error| tracing::warn!(%error, "no background thread"))
            .ok()
    }

    /// Waits for its end; the group must have been told to close.
    pub(super) fn stop(self) {
        if self.0.join().is_err() {
            tracing::error!("the background thread panicked");
        }
    }
}

/// What failed is tried again at the next pause: a full device may have room by then.
fn run(engine: &Engine) {
    let mut trouble = None;
    while engine.committer.group().wait_for_work(PAUSE) {
        match engine.maintain() {
            Ok(()) => trouble = None,
            Err(error) => {
                let text = error.to_string();
                if trouble.as_ref() != Some(&text) {
                    tracing::warn!(error = text, "maintenance failed and will be tried again");
                }
                trouble = Some(text);
            }
        }
    }
}
