//! What shells and the manual are told, and what a health check is.

use std::{path::Path, process::Stdio};

use crate::{
    program::Place,
    remote::{Server, arguments_of_serve},
};

#[test]
fn every_shell_gets_a_script() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = place.good(&format!("completions {shell}"));
        for word in ["checkpoint-bytes", "load-test", "completions"] {
            assert!(script.contains(word), "{shell} does not complete {word}");
        }
    }
    place.fails(2, "completions tcsh");
}

#[test]
fn every_command_has_a_page() {
    let place = Place::new();
    let page = place.good("man");
    assert!(page.contains(".TH monsterdb 1") && page.contains("load\\-test"), "{page}");
    let page = place.good("man serve");
    assert!(page.contains("\\-\\-rate\\-limit") && page.contains("MONSTERDB_RATE_LIMIT"), "{page}");
    assert!(place.good("man index create").contains("monsterdb\\-index\\-create"));
    assert!(place.fails(2, "man index frobnicate").err.contains("frobnicate"));
}

#[test]
fn a_server_that_takes_requests_is_healthy() {
    let place = Place::new();
    let (server, _) = Server::with_keys(&place);
    let address = server.url.trim_start_matches("http://").to_owned();
    let text = place.good(&format!("health --url {}", server.url));
    assert!(text.starts_with("ready; version ") && text.contains("durability always"), "{text}");
    let port = address.rsplit(':').next().unwrap();
    let run =
        place.command().arg("health").env("MONSTERDB_LISTEN", format!("0.0.0.0:{port}")).output();
    assert!(run.unwrap().status.success(), "what listens everywhere is asked here");
    let json = place.good(&format!("health --json --listen {address}"));
    let state: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(state["status"], "ready");
    assert_eq!(server.stop(), 0);
    let run = place.fails(1, &format!("health --json --listen {address}"));
    assert_eq!(run.error()["error"], "unreachable");
}

/// The check of a container is told nothing but what the server is told.
#[test]
fn a_server_that_speaks_tls_is_healthy_too() {
    let place = Place::new();
    let certificates = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/http/certificates");
    let file = |name: &str| certificates.join(name);
    let mut command = place.command();
    command
        .env("MONSTERDB_TLS_CERT", file("one.pem"))
        .env("MONSTERDB_TLS_KEY", file("one.key.pem"));
    let (server, _) = Server::of(command.args(arguments_of_serve()).stderr(Stdio::null()));
    let port = server.url.rsplit(':').next().unwrap().to_owned();
    let health = |certificate: Option<&str>| {
        let mut command = place.command();
        command
            .args(["health", "--timeout", "20s"])
            .env("MONSTERDB_LISTEN", format!("0.0.0.0:{port}"));
        if let Some(name) = certificate {
            command.env("MONSTERDB_TLS_CERT", file(name));
        }
        command.output().unwrap()
    };
    // Which certificate is in the file by now is not its concern: the server may show an older one.
    for name in ["one.pem", "two.pem"] {
        let output = health(Some(name));
        assert!(output.status.success() && output.stdout.starts_with(b"ready; "), "{output:?}");
    }
    assert_eq!(health(None).status.code(), Some(1), "a server with TLS is not asked without");
    assert_eq!(server.stop(), 0);
    let output = health(Some("one.pem"));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.starts_with(&format!("error: cannot talk to https://127.0.0.1:{port}")), "{told}");
    assert_eq!(output.status.code(), Some(1));
}
