//! Property 34, load test consistency: the model and the server agree, whatever is lost on the way
//! between them. Requests are cut off before and after they took effect, and some take effect only
//! when their user has given up; none of that is a finding.

use std::sync::atomic::{AtomicU64, Ordering};

use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};

use crate::{
    met::Met,
    proxy::{Fate, Passing, Proxy},
    server::{Server, plan},
};

/// What happens on the way, in thousandths.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Weather {
    pub(crate) cut: u64,
    pub(crate) cut_after: u64,
    pub(crate) late: u64,
    pub(crate) seed: u64,
}

pub(crate) fn weather() -> impl Strategy<Value = Weather> {
    (0..80_u64, 0..80_u64, 0..25_u64, any::<u64>())
        .prop_map(|(cut, cut_after, late, seed)| Weather { cut, cut_after, late, seed })
}

/// A time after which users give up. If it is too short for a busy machine, that is one more thing
/// that is lost.
pub(crate) const TIMEOUT: &str = "--timeout 300ms";

#[test]
fn p34_load_test_consistency() {
    let server = Server::start();
    let met = Met::new();
    let config = Config { cases: 40, failure_persistence: None, ..Config::default() };
    let checked = TestRunner::new(config).run(&(plan(), weather()), |(plan, weather)| {
        let case = met.case();
        let proxy = weather.between(&server);
        let report = plan.run(&proxy.url(), TIMEOUT, |_| {});
        assert!(report.check.passed, "{weather:?}: {report}");
        assert!(report.verdict().is_ok());
        let check = &report.check;
        assert!(check.expected <= check.found, "{report}");
        assert!(check.found <= check.expected + check.uncertain, "{report}");
        case.note("nothing lost", report.total.success == report.total.operations);
        case.note("a timeout", report.total.timeout > 0);
        case.note("an unknown outcome", report.unknown > 0);
        case.note("unknown, with effect", check.found > check.expected);
        case.note("unknown, without", check.found < check.expected + check.uncertain);
        case.note("an unknown raise", check.increments_unknown > 0);
        Ok(())
    });
    checked.unwrap();
    let expected = [
        "nothing lost",
        "a timeout",
        "an unknown outcome",
        "unknown, with effect",
        "unknown, without",
        "an unknown raise",
    ];
    met.report("p34", &expected);
}

impl Weather {
    /// A proxy that is like this towards the users. What sets up the run and what checks it passes.
    pub(crate) fn between(self, server: &Server) -> Proxy {
        let count = AtomicU64::new(0);
        Proxy::start(server.address, move |passing| {
            if !is_of_a_user(passing) {
                return Fate::Pass;
            }
            let Weather { cut, cut_after, late, seed } = self;
            match mixed(seed ^ count.fetch_add(1, Ordering::SeqCst)) % 1_000 {
                at if at < cut => Fate::Cut,
                at if at < cut + cut_after => Fate::CutAfter,
                at if at < cut + cut_after + late => Fate::Late,
                _ => Fate::Pass,
            }
        })
    }
}

fn is_of_a_user(passing: &Passing<'_>) -> bool {
    let is_check = passing.line.contains("limit=all") || passing.body.contains("\"count\"");
    let is_about_all = !passing.line.contains("/documents")
        && !passing.line.contains("/query")
        && !passing.line.contains("/transactions");
    let is_first = passing.head.contains("x-ndjson");
    !is_check && !is_about_all && !is_first
}

/// The mixing of SplitMix64 (Steele, Lea and Flood 2014).
fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}
