//! Servers that answer wrongly: each kind of lie has its finding.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use monsterdb::cli::{Kind, Report};

use crate::{
    proxy::{Fate, Passing, Proxy},
    server::{Plan, Server, arguments},
};

const UPDATES: [u32; 4] = [0, 0, 1, 0];

/// A run in which the first request that this is about has a fate of its own.
fn run_with(
    mix: [u32; 4],
    fate: impl Fn(&Passing<'_>) -> Option<Fate> + Send + Sync + 'static,
) -> Report {
    let server = Server::start();
    let is_done = AtomicBool::new(false);
    let proxy = Proxy::start(server.address, move |passing| match fate(passing) {
        Some(fate) if !is_done.swap(true, Ordering::SeqCst) => fate,
        _ => Fate::Pass,
    });
    Plan { users: 3, operations: 40, mix, seed: 5 }.run(&proxy.url(), "", |_| {})
}

/// What a run found: of which kind in which documents, at the end and on the way.
fn found(report: &Report) -> [Vec<(Kind, String)>; 2] {
    [&report.check.at_end, &report.check.while_running].map(|findings| {
        let of = findings.examples.iter();
        of.map(|finding| (finding.kind, finding.id.clone())).collect()
    })
}

fn counter(n: u64) -> String {
    format!(r#"{{"_id":"counter-0","_version":3,"n":{n}}}"#)
}

fn is_read(passing: &Passing<'_>) -> bool {
    passing.line.starts_with("GET /collections/") && passing.line.ends_with("/counter-0")
}

fn is_raise(passing: &Passing<'_>) -> bool {
    passing.line == "POST /transactions/batch" && passing.body.contains("$inc")
}

#[test]
fn a_raise_that_is_swallowed_is_lost() {
    let report = run_with(UPDATES, |passing| {
        is_raise(passing).then(|| Fate::Lie(200, r#"{"version":9,"results":[]}"#.to_owned()))
    });
    let [at_end, _] = found(&report);
    assert_eq!(at_end, [(Kind::Lost, "counter-0".to_owned())], "{report}");
}

#[test]
fn a_raise_that_is_done_twice_is_duplicated() {
    let report = run_with(UPDATES, |passing| is_raise(passing).then_some(Fate::Twice));
    let [at_end, _] = found(&report);
    assert_eq!(at_end, [(Kind::Duplicated, "counter-0".to_owned())], "{report}");
}

#[test]
fn a_deletion_that_is_swallowed_leaves_what_is_unexpected() {
    let report = run_with([0, 2, 0, 1], |passing| {
        passing.line.starts_with("DELETE").then(|| Fate::Lie(204, String::new()))
    });
    let [at_end, _] = found(&report);
    assert_eq!((at_end.len(), at_end[0].0), (1, Kind::Unexpected), "{report}");
}

/// The version is as it was acknowledged: the content alone tells.
#[test]
fn another_content_is_a_finding() {
    let report = run_with([0, 1, 0, 0], |passing| {
        let altered = || Fate::Alter("\"revision\":0".to_owned(), "\"revision\":7".to_owned());
        passing.line.contains("limit=all").then(altered)
    });
    let [at_end, _] = found(&report);
    assert_eq!(at_end, [(Kind::Changed, "user-0000-000000".to_owned())], "{report}");
}

#[test]
fn a_document_that_is_there_twice_is_a_finding() {
    let report = run_with([0, 1, 0, 0], |passing| {
        let [from, to] = ["user-0001-000003", "user-0000-000000"].map(str::to_owned);
        passing.line.contains("limit=all").then_some(Fate::Alter(from, to))
    });
    let [at_end, _] = found(&report);
    let expected = [(Kind::Duplicated, "user-0000-000000"), (Kind::Lost, "user-0001-000003")];
    assert_eq!(at_end, expected.map(|(kind, id)| (kind, id.to_owned())), "{report}");
}

#[test]
fn a_count_that_does_not_fit_the_documents_is_a_finding() {
    let report = run_with([0, 1, 0, 0], |passing| {
        let is_count = passing.body.contains("\"count\"");
        is_count.then(|| Fate::Lie(200, r#"{"count":120,"version":9}"#.to_owned()))
    });
    assert_eq!((report.check.found, report.check.at_end.count()), (121, 1), "{report}");
    assert_eq!(found(&report)[0][0].0, Kind::Duplicated);
}

#[test]
fn a_document_that_is_not_found_once_is_a_finding_though_it_is_there_at_the_end() {
    let report = run_with([1, 1, 0, 0], |passing| {
        let is_own = passing.line.contains("/documents/user-");
        (is_own && passing.line.starts_with("GET")).then(|| Fate::Lie(404, "{}".to_owned()))
    });
    let [at_end, while_running] = found(&report);
    assert_eq!((at_end.len(), while_running.len()), (0, 1), "{report}");
    assert_eq!(while_running[0].0, Kind::Lost, "{report}");
    assert!(report.verdict().is_err() && !report.check.passed);
}

#[test]
fn a_counter_that_stands_too_high_is_a_finding() {
    let report =
        run_with([1, 0, 3, 0], |passing| is_read(passing).then(|| Fate::Lie(200, counter(99_999))));
    let [_, while_running] = found(&report);
    assert_eq!(while_running[0], (Kind::Duplicated, "counter-0".to_owned()), "{report}");
}

/// A read that does not see what was acknowledged before it was sent.
#[test]
fn an_old_state_of_a_counter_is_a_finding() {
    let raises = AtomicU64::new(0);
    let report = run_with([1, 0, 3, 0], move |passing| {
        if is_raise(passing) {
            raises.fetch_add(1, Ordering::SeqCst);
        }
        // Each of the three users may still wait for one of them.
        let is_raised = raises.load(Ordering::SeqCst) > 3;
        (is_read(passing) && is_raised).then(|| Fate::Lie(200, counter(0)))
    });
    let [_, while_running] = found(&report);
    assert_eq!(while_running[0], (Kind::Lost, "counter-0".to_owned()), "{report}");
}

/// What was measured is told though nothing can be checked.
#[test]
fn a_server_that_is_gone_at_the_end_fails_the_run() {
    let server = Server::start();
    let proxy = Proxy::start(server.address, |passing| {
        if passing.line.contains("limit=all") { Fate::Cut } else { Fate::Pass }
    });
    let plan = Plan { users: 2, operations: 10, mix: [1, 1, 1, 1], seed: 1 };
    let report = plan.run(&proxy.url(), "", |_| {});
    assert_eq!((report.total.success, report.check.passed), (20, false), "{report}");
    assert_eq!(report.verdict().unwrap_err().code(), "unreachable");
    assert!(report.kept && report.to_string().contains("NOT CHECKED"), "{report}");
}

#[test]
fn a_run_that_is_stopped_is_checked_and_told() {
    let server = Server::start();
    let line = format!("monsterdb load-test --url {} --users 2 --duration 1h", server.url());
    // The first operations are due at once, the next ones long after somebody wants it to end.
    let report = arguments(&line).drive(&|| true, |_| {}).unwrap();
    assert!(report.check.passed && report.total.operations == 0, "{report}");
    assert_eq!((report.check.expected, report.check.found), (1, 1), "{report}");
}
