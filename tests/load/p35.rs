//! Property 35, load test reporting: the numbers add up, and the table says what the JSON says.

use monsterdb::cli::Report;
use proptest::test_runner::{Config, TestRunner};
use serde_json::Value;

use crate::{
    met::Met,
    p34::{TIMEOUT, weather},
    server::{Plan, Server, plan},
};

const OPERATIONS: [&str; 4] = ["read", "insert", "update", "delete"];

#[test]
fn p35_load_test_reporting() {
    let server = Server::start();
    let met = Met::new();
    let config = Config { cases: 32, failure_persistence: None, ..Config::default() };
    let checked = TestRunner::new(config).run(&(plan(), weather()), |(plan, weather)| {
        let case = met.case();
        let proxy = weather.between(&server);
        let report = plan.run(&proxy.url(), TIMEOUT, |_| {});
        let json: Value = serde_json::from_str(&report.to_json()).unwrap();
        check_sums(&json, &plan);
        check_times(&json, &plan);
        check_table(&report, &json);
        for (what, path) in [
            ("errors", "/total/error"),
            ("timeouts", "/total/timeout"),
            ("conflicts", "/conflicts"),
            ("retries", "/retries"),
            ("unknown", "/unknown"),
        ] {
            case.note(what, number(&json, path) > 0);
        }
        Ok(())
    });
    checked.unwrap();
    met.report("p35", &["errors", "timeouts", "conflicts", "retries", "unknown"]);
}

/// What is part of something adds up to it.
fn check_sums(json: &Value, plan: &Plan) {
    let rows = || OPERATIONS.iter().map(|name| format!("/operations/{name}"));
    for row in rows().chain(["/total".to_owned()]) {
        let at = |member: &str| number(json, &format!("{row}/{member}"));
        let ends = at("success") + at("error") + at("timeout");
        assert_eq!(at("operations"), ends, "{row}: {json}");
        assert_eq!(at("operations"), at("latency_us/count"), "{row}: {json}");
        for (rate, count) in
            [("success_rate", "success"), ("error_rate", "error"), ("timeout_rate", "timeout")]
        {
            let expected = at(count) as f64 / (at("operations").max(1)) as f64;
            assert_near(float(json, &format!("{row}/{rate}")), expected);
        }
    }
    for member in ["operations", "success", "error", "timeout", "latency_us/count"] {
        let sum: u64 = rows().map(|row| number(json, &format!("{row}/{member}"))).sum();
        assert_eq!(number(json, &format!("/total/{member}")), sum, "{member}: {json}");
    }
    let operations = number(json, "/total/operations");
    assert_eq!(operations, u64::from(plan.users) * plan.operations, "{json}");
    let shares: u32 = plan.mix.iter().sum();
    for (name, share) in OPERATIONS.iter().zip(plan.mix) {
        let asked = float(json, &format!("/operations/{name}/share_asked"));
        assert_near(asked, f64::from(share) / f64::from(shares));
        let measured = number(json, &format!("/operations/{name}/operations")) as f64;
        assert_near(
            float(json, &format!("/operations/{name}/share")),
            measured / operations as f64,
        );
    }
    let failures: u64 =
        json["failures"].as_object().unwrap().values().map(|count| count.as_u64().unwrap()).sum();
    let failed = number(json, "/total/error") + number(json, "/total/timeout");
    assert_eq!(failures, failed, "each failure has its reason: {json}");
    assert!(
        number(json, "/unknown") <= failed
            && number(json, "/conflicts") <= number(json, "/throughput/requests")
    );
    assert!(number(json, "/throughput/requests") >= operations, "{json}");
}

fn check_times(json: &Value, plan: &Plan) {
    let elapsed = float(json, "/elapsed_s");
    for row in
        OPERATIONS.iter().map(|name| format!("/operations/{name}")).chain(["/total".to_owned()])
    {
        let at = |member: &str| number(json, &format!("{row}/latency_us/{member}"));
        let times = ["p50", "p90", "p99", "max"].map(at);
        assert!(times.is_sorted(), "{row}: {json}");
        assert_eq!(times[3] == 0, at("count") == 0, "{row}: every operation takes time: {json}");
        // No timeout is shorter than what was waited for.
        let is_timeout = number(json, &format!("{row}/timeout")) > 0;
        assert!(!is_timeout || times[3] >= 300_000, "{row}: {json}");
        // The largest time is told to three digits.
        assert!(times[3] as f64 <= elapsed * 1e6 * 1.002 + 1.0, "{row}: {json}");
    }
    let max = number(json, "/concurrency/in_flight_max");
    assert!((1..=u64::from(plan.users)).contains(&max), "{json}");
    assert_eq!(number(json, "/concurrency/users"), u64::from(plan.users));
    assert!(float(json, "/concurrency/in_flight_mean") <= max as f64, "{json}");
    let operations = number(json, "/total/operations") as f64;
    assert_near(float(json, "/throughput/operations_per_second") * elapsed, operations);
    let written = number(json, "/total/success") - number(json, "/operations/read/success");
    assert_near(float(json, "/throughput/writes_per_minute") * elapsed / 60.0, written as f64);
}

/// Each number of the table is that of the JSON, in its form for people.
fn check_table(report: &Report, json: &Value) {
    let table = report.to_string();
    for name in OPERATIONS.into_iter().chain(["all"]) {
        let row = if name == "all" { "/total".to_owned() } else { format!("/operations/{name}") };
        let at = |member: &str| number(json, &format!("{row}/{member}"));
        let percent =
            |member: &str| format!("{:.2}%", float(json, &format!("{row}/{member}")) * 100.0);
        let time =
            |member: &str| format!("{:.2}", at(&format!("latency_us/{member}")) as f64 / 1e3);
        let expected = vec![
            name.to_owned(),
            at("operations").to_string(),
            percent("share"),
            percent("share_asked"),
            at("success").to_string(),
            at("error").to_string(),
            at("timeout").to_string(),
            time("p50"),
            time("p90"),
            time("p99"),
            time("max"),
        ];
        let columns = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert!(table.lines().any(|line| columns(line) == expected), "{expected:?}: {table}");
    }
    let words = [
        format!("{} users", number(json, "/concurrency/users")),
        format!("seed {}", number(json, "/seed")),
        format!("success {:.2}%", float(json, "/total/success_rate") * 100.0),
        format!("{} requests;", number(json, "/throughput/requests")),
        format!("{:.0} writes/min", float(json, "/throughput/writes_per_minute")),
        format!("at most {}\n", number(json, "/concurrency/in_flight_max")),
        format!("retries {},", number(json, "/retries")),
        format!("unknown outcomes {}\n", number(json, "/unknown")),
        format!(
            "{} must be there, {} may be, {} are;",
            number(json, "/check/expected"),
            number(json, "/check/uncertain"),
            number(json, "/check/found")
        ),
        if json["check"]["passed"] == true { "\npassed".to_owned() } else { "\nFAILED".to_owned() },
    ];
    for word in words {
        assert!(table.contains(&word), "{word:?} is not in {table}");
    }
    for (reason, count) in json["failures"].as_object().unwrap() {
        assert!(table.contains(&format!("{count} by {reason}\n")), "{reason}: {table}");
    }
}

fn number(json: &Value, path: &str) -> u64 {
    json.pointer(path).and_then(Value::as_u64).unwrap_or_else(|| panic!("no {path} in {json}"))
}

fn float(json: &Value, path: &str) -> f64 {
    json.pointer(path).and_then(Value::as_f64).unwrap_or_else(|| panic!("no {path} in {json}"))
}

#[track_caller]
fn assert_near(found: f64, expected: f64) {
    assert!((found - expected).abs() <= 1e-9 * expected.abs().max(1.0), "{found} and {expected}");
}
