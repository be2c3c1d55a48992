//! Clients that work side by side, each on a thread of its own.

use std::thread;

use super::{
    plan::{Plan, Random},
    recorder::Recorder,
};

/// Somebody who runs transactions somewhere, in this process or over a wire, and notes what it
/// sees. Whoever can do more than another, such as hold a transaction open, does it here.
pub(crate) trait Client {
    /// Runs a plan, and notes every transaction that it makes of it.
    ///
    /// # Errors
    ///
    /// When the database has gone. What was under way is noted.
    fn run(&mut self, plan: &mut Plan, recorder: &Recorder) -> Result<(), Gone>;
}

/// The database has died under its client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Gone;

pub(crate) struct Workload {
    pub(crate) seed: u64,
    pub(crate) clients: u64,
    /// Plans of each client.
    pub(crate) plans: u64,
}

impl Workload {
    /// Runs all plans, or as many as the database lives for.
    pub(crate) fn run<C: Client>(&self, recorder: &Recorder, client: impl Fn() -> C + Sync) {
        thread::scope(|scope| {
            for number in 0..self.clients {
                let mut random = Random(self.seed * 1000 + number + 1);
                let client = &client;
                scope.spawn(move || {
                    let mut client = client();
                    for _ in 0..self.plans {
                        if client.run(&mut Plan::new(&mut random), recorder) == Err(Gone) {
                            return;
                        }
                    }
                });
            }
        });
    }
}
