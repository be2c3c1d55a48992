//! What was planned in all plans of faults, what was met, and what came of it.

use std::{cell::RefCell, fmt};

use monsterdb::{
    Durability,
    storage::{Failure, Fault},
};

use crate::occurrences::Occurrences;

/// What happened in all plans.
#[derive(Default)]
pub(crate) struct Tally {
    /// How often a fault was planned, and how often it was met.
    pub(crate) faults: RefCell<Occurrences>,
    /// What became of commits, and how many of these were to be durable at once.
    outcomes: RefCell<Occurrences>,
    events: RefCell<Occurrences>,
}

impl Tally {
    /// Everything that there is to meet was met.
    pub(crate) fn check(&self, faults: &[&str], outcomes: &[&str], events: &[&str]) {
        for fault in faults {
            assert!(self.faults.borrow().of(fault)[1] > 0, "never met: {fault}");
        }
        for outcome in outcomes {
            assert!(self.outcomes.borrow().of(outcome)[0] > 0, "never told: {outcome}");
        }
        for event in events {
            assert!(self.events.borrow().of(event)[1] > 0, "never happened: {event}");
        }
    }

    pub(crate) fn outcome(&self, what: &str, durability: Durability) {
        self.outcomes.borrow_mut().note(what, durability == Durability::Always);
    }

    pub(crate) fn event(&self, what: &str, happened: bool) {
        self.events.borrow_mut().note(what, happened);
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tally { faults, outcomes, events } = self;
        writeln!(f, "faults planned, and met:\n{}", faults.borrow())?;
        writeln!(f, "outcomes, and with durability always:\n{}", outcomes.borrow())?;
        write!(f, "events looked for, and found:\n{}", events.borrow())
    }
}

/// The name of a kind of fault.
pub(crate) fn label(fault: &Fault) -> String {
    match fault {
        Fault::FailAt { failure: Failure::Device, .. } => "device error".to_owned(),
        Fault::FailAt { failure: Failure::Full, .. } => "device full".to_owned(),
        Fault::ShortWrite { .. } => "short write".to_owned(),
        Fault::TornWrite { .. } => "torn write".to_owned(),
        Fault::FailNth { kind, failure: Failure::Device, .. } => format!("failing {kind:?}"),
        Fault::FailNth { kind, failure: Failure::Full, .. } => format!("full {kind:?}"),
        Fault::FailAll { kind, .. } => format!("failing {kind:?}, all"),
        Fault::CrashAt { .. } => "crash in an operation".to_owned(),
    }
}
