//! Property 27, rate limit: over the limit is 429, under it is not.

use std::time::Duration;

use monsterdb::server::RateLimit;
use proptest::test_runner::{Config, TestRunner};

use crate::{
    met::{Case, Met},
    server::{READER, Server, WRITER},
};

/// No token comes back while a test runs.
const NEVER: Duration = Duration::from_secs(3600);

/// What has to occur for the property to have shown anything.
const OCCUR: &[&str] = &["let in", "refused", "a limit of its own", "an open route when used up"];

#[test]
fn p27_rate_limit() {
    let met = Met::new();
    let config = Config { cases: 24, failure_persistence: None, ..Config::default() };
    let calls = proptest::collection::vec((0..3_usize, 0..4_usize), 1..60);
    let cases = (1..12_u32, proptest::option::of(1..12_u32), calls);
    let checked = TestRunner::new(config).run(&cases, |(burst, own, calls)| {
        check(burst, own, &calls, &met.case());
        Ok(())
    });
    checked.unwrap();
    met.report("p27", OCCUR);
}

/// Sends requests of three keys: two with the server's limit, one that may have its own.
fn check(burst: u32, own: Option<u32>, calls: &[(usize, usize)], case: &Case<'_>) {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start_in(folder.path(), |options| {
        options.rate_limit = Some(RateLimit { burst, every: NEVER });
    });
    let body = match own {
        Some(own) => {
            format!(r#"{{"name":"k","role":"admin","rate_limit":"1/h","rate_burst":{own}}}"#)
        }
        None => r#"{"name":"k","role":"admin"}"#.to_owned(),
    };
    let made = server.post("/admin/keys", &body).value();
    let keys = [READER, WRITER, made["key"].as_str().unwrap()];
    let limits = [burst, burst, own.unwrap_or(burst)];
    let mut used = [0; 3];
    for (who, what) in calls {
        // Whatever comes of a request, it counts; a wrong key is not this one's.
        let path =
            ["/collections", "/nowhere", "/collections/c/documents/x", "/admin/stats"][*what];
        let answer = server.call_with(keys[*who], "GET", path).send();
        let limit = limits[*who];
        if used[*who] < limit {
            used[*who] += 1;
            assert!([200, 403, 404].contains(&answer.status), "{answer:?}");
            let remaining = limit - used[*who];
            let standing = answer.header("ratelimit");
            assert!(standing.starts_with(&format!("\"default\";r={remaining};t=")), "{standing}");
            case.note("let in", true);
        } else {
            assert!(answer.header("retry-after").parse::<u64>().unwrap() > 3000);
            assert!(answer.header("ratelimit").starts_with("\"default\";r=0;t="));
            answer.problem(429, "too-many-requests");
            case.note("refused", true);
            assert_eq!(server.call_with("", "GET", "/health").send().status, 200);
            case.note("an open route when used up", true);
        }
        case.note("a limit of its own", *who == 2 && own.is_some_and(|own| own != burst));
    }
}

#[test]
fn answers_say_what_the_limit_is() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start_in(folder.path(), |options| {
        options.rate_limit = "100/s".parse::<monsterdb::server::Rate>().unwrap().with_burst(200);
    });
    let answer = server.get("/collections");
    assert_eq!(answer.header("ratelimit-policy"), r#""default";q=100;w=1"#);
    assert_eq!(answer.header("ratelimit"), r#""default";r=199;t=1"#);
    for open in ["/health", "/problems/not-found"] {
        assert_eq!(server.get(open).header("ratelimit"), "", "what needs no key is not counted");
    }
    let body = r#"{"name":"k","role":"read","rate_limit":"off"}"#;
    let made = server.post("/admin/keys", body).value();
    assert_eq!(made["rate_limit"], "off");
    let answer = server.call_with(made["key"].as_str().unwrap(), "GET", "/collections").send();
    assert_eq!((answer.status, answer.header("ratelimit-policy")), (200, ""));
    for wrong in
        [r#""rate_limit":"5""#, r#""rate_limit":5"#, r#""rate_burst":0"#, r#""rate_burst":-1"#]
    {
        let body = format!(r#"{{"name":"k","role":"read",{wrong}}}"#);
        server.post("/admin/keys", &body).problem(422, "invalid-body");
    }
}

#[test]
fn without_keys_nobody_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start_in(folder.path(), |options| {
        options.no_auth = true;
        options.rate_limit = Some(RateLimit { burst: 1, every: NEVER });
    });
    for _ in 0..5 {
        assert_eq!(server.call_with("", "GET", "/collections").send().status, 200);
    }
}
