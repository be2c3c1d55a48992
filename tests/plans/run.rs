//! Running a property: its cases come from a seed that is printed, and what occurred in them is
//! counted.

use std::{cell::RefCell, env, time::Instant};

use monsterdb::{Filter, Snapshot, query::Stage};
use proptest::{
    strategy::Strategy,
    test_runner::{Config, TestCaseError},
};

use crate::{occurrences::Occurrences, seeded::seeded};

/// Cases of an ordinary run: each takes half a millisecond, and one in six reads an index.
const CASES: u32 = 2048;

/// What a property counts.
#[derive(Default)]
pub(crate) struct Counted(RefCell<Occurrences>);

impl Counted {
    /// Notes that something occurred.
    pub(crate) fn note(&self, what: &str, found: bool) {
        self.0.borrow_mut().note(what, found);
    }

    /// Notes what a filter asks of each document of a snapshot.
    pub(crate) fn note_filter(&self, snapshot: &Snapshot, text: &str) {
        let filter = Filter::parse(text).expect("filters are valid");
        let tree = serde_json::from_str(text).expect("filters are JSON");
        for (_, document) in snapshot.collection("c").iter().flat_map(|c| c.documents()) {
            let stored = serde_json::from_str(document.json()).expect("documents are JSON");
            self.0.borrow_mut().note_filter(&tree, &stored, filter.matches(document));
        }
    }

    /// Notes the stages of a plan, and whether it found anything.
    pub(crate) fn note_plan(&self, stage: &Stage, found: bool) {
        self.note(&format!("plan: {}", stage.stage), found);
        if let Some(direction) = stage.direction {
            self.note(&format!("plan: {direction}"), found);
        }
        stage.input.iter().for_each(|input| self.note_plan(input, found));
    }
}

/// Tests a property over random cases. Each of `expected` has to occur in one that found something.
pub(crate) fn check<S: Strategy>(
    name: &str,
    strategy: &S,
    expected: &[&str],
    property: impl Fn(S::Value, &Counted) -> Result<(), TestCaseError>,
) {
    let mut config = Config { source_file: Some(file!()), ..Config::default() };
    if env::var_os("PROPTEST_CASES").is_none() {
        config.cases = CASES;
    }
    let cases = config.cases;
    let (mut runner, seed) = seeded("PLANS_SEED", config);
    let (begun, counted) = (Instant::now(), Counted::default());
    runner
        .run(strategy, |case| property(case, &counted))
        .unwrap_or_else(|error| panic!("{error}\n{seed}"));
    let (time, counts) = (begun.elapsed(), counted.0.into_inner());
    println!(
        "{name}: {cases} cases from {seed}\n{time:.1?}; what occurred, and how often something was \
         found then:\n{counts}"
    );
    // Fewer cases than usual need not meet all of it.
    for what in expected.iter().filter(|_| cases >= CASES) {
        assert!(counts.of(what)[1] > 0, "{name}: {what} did not occur, or found nothing");
    }
}
