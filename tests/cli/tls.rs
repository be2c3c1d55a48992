//! A server with TLS, asked by the same commands.

use std::path::{Path, PathBuf};

use crate::{
    program::{Place, documents},
    remote::Server,
};

fn certificate(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/http/certificates").join(name)
}

#[test]
fn a_server_with_tls_is_asked_by_who_knows_its_certificate() {
    let place = Place::new();
    let [cert, key, other] = ["one.pem", "one.key.pem", "two.pem"].map(certificate);
    let [cert, key, other] = [&cert, &key, &other].map(|path| path.to_str().unwrap());
    let (server, _) =
        Server::start_with(&place, &["--no-auth", "--tls-cert", cert, "--tls-key", key]);
    let address = server.url.trim_start_matches("http://").to_owned();
    let url = format!("https://{address}");
    let ca = format!("--url {url} --ca {cert}");
    assert_eq!(place.import(&documents(1..=100), &ca).code, 0);
    assert_eq!(place.good(&format!("export --collection c {ca}")), documents(1..=100));
    assert_eq!(place.good(&format!("query c --count {ca}")), "100\n");
    place.good(&format!("load-test {ca} --users 2 --duration 1s --operations 3"));

    for stranger in [format!("--url {url}"), format!("--url {url} --ca {other}")] {
        let run = place.fails(1, &format!("--json query c {stranger}"));
        assert_eq!(run.error()["error"], "unreachable", "{run:?}");
    }
    let run = place.fails(2, &format!("query c --url {url} --ca {key}"));
    assert!(run.err.contains("holds no certificate"), "{run:?}");
    place.fails(3, &format!("query c --url {url} --ca none.pem"));
    assert!(place.fails(2, "query c --url ftp://there").err.contains("https://"));

    assert!(place.good(&format!("health {ca}")).starts_with("ready"));
    // Beside the server itself its settings are enough.
    let here = place.good(&format!("health --listen {address} --tls-cert {cert}"));
    assert!(here.starts_with("ready"), "{here}");
    place.fails(1, &format!("health --listen {address}"));
    assert_eq!(server.stop(), 0);
}
