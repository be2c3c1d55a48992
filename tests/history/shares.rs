//! What occurred in a run, and how often. A history in which nobody meets anybody proves nothing:
//! whatever has to occur sometimes fails the run when it did not.

use std::collections::BTreeMap;

use monsterdb::Isolation;

use super::{
    explanation::Explanation,
    record::{History, Outcome},
};

/// Counts of one run, over all its histories.
#[derive(Default)]
pub(crate) struct Shares {
    transactions: usize,
    counts: BTreeMap<&'static str, usize>,
}

impl Shares {
    /// Takes up a history that was explained.
    pub(crate) fn add(&mut self, history: &History, explanation: &Explanation) {
        self.transactions += history.records.len();
        for record in &history.records {
            self.count(record.kind, 1);
            self.count(outcome_name(record.outcome), 1);
            self.count(
                "at snapshot isolation",
                usize::from(record.isolation == Isolation::Snapshot),
            );
            for event in record.events.iter().filter(|_| record.took_effect()) {
                self.count(event.name(), 1);
            }
        }
        let overlapping = history.records.windows(2).filter(|two| two[0].finish > two[1].start);
        self.count("overlapping", overlapping.count());
        self.count("unanswered and there", explanation.fates.there);
        self.count("unanswered and absent", explanation.fates.absent);
        self.count("unanswered, nobody knows", explanation.fates.open);
    }

    pub(crate) fn count(&mut self, what: &'static str, times: usize) {
        *self.counts.entry(what).or_default() += times;
    }

    pub(crate) fn transactions(&self) -> usize {
        self.transactions
    }

    /// Prints everything, and fails when something never happened that had to.
    pub(crate) fn require(&self, run: &str, needed: &[&[&'static str]]) {
        println!("{run}: {} transactions", self.transactions);
        for (what, count) in &self.counts {
            let share = 100.0 * *count as f64 / self.transactions.max(1) as f64;
            println!("  {what:<28} {count:>9} {share:>7.2}%");
        }
        for what in needed.iter().copied().flatten() {
            let count = self.counts.get(what).copied().unwrap_or_default();
            assert!(count > 0, "{run}: it never happened: {what}");
        }
    }
}

/// What every run has to meet.
pub(crate) const ALWAYS: &[&str] = &[
    "committed",
    "lost",
    "overlapping",
    "read a list",
    "append",
    "read a register",
    "write a register",
    "read a bag",
    "read a bag's beginning",
    "count a bag",
    "add an item",
    "read a counter",
    "increment",
];

/// What a client in the process has to meet besides.
pub(crate) const EMBEDDED: &[&str] =
    &["transact", "begin and commit", "begin and give up", "savepoint", "at snapshot isolation"];

fn outcome_name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Committed(_) => "committed",
        Outcome::TookEffect => "committed, version not told",
        Outcome::Aborted => "lost",
        Outcome::Unknown => "unknown",
    }
}
