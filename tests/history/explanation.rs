//! A history explained, or not, in both ways.

use std::collections::BTreeSet;

use super::{
    anomaly::Anomaly,
    checker,
    fate::{self, Fates},
    record::History,
    serial,
    writes::Writes,
};

pub(crate) struct Explanation {
    pub(crate) fates: Fates,
    /// Cycles and their kin.
    pub(crate) anomalies: Vec<Anomaly>,
    /// The first transaction that the order of versions does not explain.
    pub(crate) serial: Result<(), Anomaly>,
}

impl Explanation {
    pub(crate) fn of(history: &mut History) -> Explanation {
        let fates = fate::decide(history);
        let writes = Writes::of(history);
        let anomalies = checker::anomalies(history, &writes);
        let serial = serial::check(history, &writes);
        Explanation { fates, anomalies, serial }
    }

    /// Fails with the first anomaly of each name, what shows itself first in front.
    pub(crate) fn assert_good(self) {
        let mut all: Vec<Anomaly> = self.anomalies.into_iter().chain(self.serial.err()).collect();
        all.sort_by_key(Anomaly::after);
        let mut text = String::new();
        let mut met = BTreeSet::new();
        for anomaly in all.iter().filter(|anomaly| met.insert(anomaly.name)) {
            text.push_str(&format!("anomaly: {anomaly}\n"));
        }
        assert!(all.is_empty(), "{} anomalies\n{text}", all.len());
    }
}
