//! What occurred in a run, and how often.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};

/// Counts of what a run has to meet to have shown anything.
#[derive(Default)]
pub(crate) struct Met([AtomicU64; What::ALL.len()]);

/// What may occur.
#[derive(Debug, Clone, Copy)]
pub(crate) enum What {
    Transfer,
    Conflict,
    Retry,
    Increment,
    SnapshotLookedAt,
    OldSnapshotLookedAt,
    ListedByPages,
    IndexMade,
    IndexCaughtUp,
    IndexDropped,
    CollectionMade,
    CollectionDropped,
    Checkpoint,
    Maintenance,
    ClosedUnderWay,
    ClosedByLastHandle,
    OpenedFromCheckpoint,
    OpenedWithReplay,
}

impl What {
    const ALL: [What; 18] = [
        What::Transfer,
        What::Conflict,
        What::Retry,
        What::Increment,
        What::SnapshotLookedAt,
        What::OldSnapshotLookedAt,
        What::ListedByPages,
        What::IndexMade,
        What::IndexCaughtUp,
        What::IndexDropped,
        What::CollectionMade,
        What::CollectionDropped,
        What::Checkpoint,
        What::Maintenance,
        What::ClosedUnderWay,
        What::ClosedByLastHandle,
        What::OpenedFromCheckpoint,
        What::OpenedWithReplay,
    ];
}

impl Met {
    pub(crate) fn note(&self, what: What) {
        self.add(what, 1);
    }

    /// Relaxed: it orders nothing, so that it hides no race from whoever looks for one.
    pub(crate) fn add(&self, what: What, count: u64) {
        self.0[what as usize].fetch_add(count, Ordering::Relaxed);
    }

    /// Fails where something never occurred: nothing was shown of it then.
    pub(crate) fn assert_complete(&self) {
        let never: Vec<What> =
            What::ALL.into_iter().filter(|what| self.count(*what) == 0).collect();
        assert!(never.is_empty(), "these never occurred: {never:?}");
    }

    fn count(&self, what: What) -> u64 {
        self.0[what as usize].load(Ordering::Relaxed)
    }
}

impl fmt::Display for Met {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        What::ALL.into_iter().try_for_each(|what| {
            writeln!(f, "  {:<22}{:>9}", format!("{what:?}"), self.count(what))
        })
    }
}
