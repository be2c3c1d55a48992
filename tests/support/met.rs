//! What the cases of a property met: a property that never met what it is about has shown nothing.
//!
//! Each prints one line, which `--nocapture` shows: in which share of its cases what occurred.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    env,
    sync::Mutex,
};

/// What a property met in all of its cases.
pub(crate) struct Met(Mutex<Counts>);

/// What one case met; it is taken up when the case ends.
pub(crate) struct Case<'a> {
    met: &'a Met,
    noted: RefCell<BTreeMap<String, bool>>,
}

struct Counts {
    cases: u32,
    of: BTreeMap<String, u32>,
}

impl Met {
    pub(crate) const fn new() -> Met {
        Met(Mutex::new(Counts { cases: 0, of: BTreeMap::new() }))
    }

    pub(crate) fn case(&self) -> Case<'_> {
        Case { met: self, noted: RefCell::default() }
    }

    /// Prints what was met, and fails where something of what has to be never was.
    pub(crate) fn report(&self, property: &str, expected: &[&str]) {
        let counts = self.0.lock().expect("no case panicked while it counted");
        let share = |(what, cases): (&String, &u32)| {
            format!("{what} {:.0}%", 100.0 * f64::from(*cases) / f64::from(counts.cases))
        };
        let shares: Vec<String> = counts.of.iter().map(share).collect();
        println!("{property}: {} cases; {}", counts.cases, shares.join(", "));
        if env::var_os("PROPTEST_CASES").is_some() {
            // Perhaps these are too few to meet all of it.
            return;
        }
        let met = |what: &&&str| counts.of.get(**what).is_some_and(|cases| *cases > 0);
        let never: BTreeSet<_> = expected.iter().filter(|what| !met(what)).collect();
        assert!(never.is_empty(), "{property} never met: {never:?}");
    }
}

impl Case<'_> {
    /// Notes that something occurred in this case, or that it might have.
    pub(crate) fn note(&self, what: &str, occurred: bool) {
        *self.noted.borrow_mut().entry(what.to_owned()).or_default() |= occurred;
    }
}

impl Drop for Case<'_> {
    fn drop(&mut self) {
        // A case that panicked elsewhere has nothing to do with the counts.
        let Ok(mut counts) = self.met.0.lock() else { return };
        counts.cases += 1;
        for (what, occurred) in self.noted.take() {
            *counts.of.entry(what).or_default() += u32::from(occurred);
        }
    }
}
