//! Between the handlers and the wire: compression, web pages of other origins, TLS, slow readers.

use std::{
    fs,
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use monsterdb::{Database, server::TlsFiles};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    crypto::ring,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};

use crate::{server::Server, wire::exchange};

const C: &str = "/collections/c/documents";

fn filled() -> Server {
    let server = Server::start();
    let lines: String = (0..3000)
        .map(|n| format!("{{\"_id\":\"{n:04}\",\"text\":\"{}\"}}\n", "x".repeat(50)))
        .collect();
    let answer = server.call("POST", C).typed("application/x-ndjson", lines).send();
    assert_eq!(answer.status, 201);
    server
}

/// The whole answer to a GET, its body as it was sent.
fn get(server: &Server, path: &str, headers: &str) -> (String, Vec<u8>) {
    let mut stream = TcpStream::connect(server.address).unwrap();
    let key = &server.key;
    let head = format!(
        "GET {path} HTTP/1.1\r\nHost: test\r\nX-API-Key: {key}\r\nConnection: close\r\n{headers}\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(answer[..end].to_vec()).unwrap().to_ascii_lowercase();
    (head, answer[end + 4..].to_vec())
}

#[test]
fn large_answers_are_compressed_for_who_can_read_it() {
    let server = filled();
    let page = format!("{C}?limit=1000");
    let (_, plain) = get(&server, &page, "");
    for (coding, magic) in [("gzip", &b"\x1f\x8b"[..]), ("zstd", b"\x28\xb5\x2f\xfd")] {
        for path in [page.as_str(), "/openapi.json"] {
            let accept = format!("Accept-Encoding: {coding}\r\n");
            let (head, body) = get(&server, path, &accept);
            assert!(head.contains(&format!("content-encoding: {coding}")), "{head}");
            assert!(head.contains("vary: accept-encoding"), "{head}");
            assert!(body.windows(magic.len()).any(|bytes| bytes == magic), "{path}");
            assert!(path != page || body.len() < plain.len() / 10, "{} bytes", body.len());
        }
    }
    // What is small, what an ETag stands for, and who can read none of the two.
    let both = "Accept-Encoding: gzip, zstd\r\n";
    let large = format!("{{\"text\":\"{}\"}}", "x".repeat(5000));
    server.put(&format!("{C}/large"), &large);
    for (path, headers) in [
        ("/collections", both),
        (&format!("{C}/large"), both),
        (&page, ""),
        (&page, "Accept-Encoding: br\r\n"),
        (&page, "Accept-Encoding: identity;q=0\r\n"),
    ] {
        let (head, _) = get(&server, path, headers);
        assert!(head.starts_with("http/1.1 200 ") && !head.contains("content-encoding"), "{head}");
    }
    let nothing = "Accept-Encoding: gzip;q=0, identity;q=0\r\n";
    let (head, body) = get(&server, &page, nothing);
    assert!(head.starts_with("http/1.1 406 "), "{head}");
    assert!(String::from_utf8(body).unwrap().contains("/problems/not-acceptable"), "{head}");
}

#[test]
fn pages_of_other_origins_may_ask_when_they_are_named() {
    let preflight = |server: &Server, origin: &str| {
        let head = format!(
            "OPTIONS {C} HTTP/1.1\r\nHost: test\r\nConnection: close\r\nOrigin: {origin}\r\n\
             Access-Control-Request-Method: POST\r\n\
             Access-Control-Request-Headers: x-api-key, content-type\r\n\r\n"
        );
        exchange(server, head.as_bytes()).to_ascii_lowercase()
    };
    let off = Server::start();
    let refused = preflight(&off, "https://app.example");
    assert!(!refused.contains("access-control-"), "{refused}");
    let answer = off.call("GET", "/collections").header("Origin", "https://app.example").send();
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, ""));

    let folder = tempfile::tempdir().unwrap();
    let on = Server::start_in(folder.path(), |options| {
        options.cors_origins = vec!["https://app.example".parse().unwrap()];
    });
    let allowed = preflight(&on, "https://app.example");
    assert!(allowed.starts_with("http/1.1 200 "), "{allowed}");
    assert!(allowed.contains("access-control-allow-origin: https://app.example"), "{allowed}");
    assert!(allowed.contains("x-api-key"), "{allowed}");
    assert!(!preflight(&on, "https://evil.example").contains("access-control-allow-origin"));
    // A refusal can be read by the page too.
    for key in ["", &*on.key] {
        let call = on.call_with(key, "GET", "/collections/none");
        let answer = call.header("Origin", "https://app.example").send();
        assert_eq!(answer.header("access-control-allow-origin"), "https://app.example");
        assert!(answer.header("access-control-expose-headers").to_lowercase().contains("etag"));
        answer.problem(
            if key.is_empty() { 401 } else { 404 },
            match key {
                "" => "unauthorized",
                _ => "collection-not-found",
            },
        );
    }
}

/// What the server shows when it is spoken to with TLS by who trusts this certificate alone.
fn ask_over_tls(server: &Server, trusted: &Path) -> std::io::Result<String> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(trusted).unwrap()).unwrap();
    let provider = Arc::new(ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider);
    let config = config.with_safe_default_protocol_versions().unwrap();
    let config = Arc::new(config.with_root_certificates(roots).with_no_client_auth());
    let name = ServerName::try_from("localhost").unwrap();
    let connection = ClientConnection::new(config, name).map_err(std::io::Error::other)?;
    let mut stream = StreamOwned::new(connection, TcpStream::connect(server.address)?);
    stream.write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    match stream.read_to_string(&mut answer) {
        // The server closes without a farewell; the answer says how long it is.
        Err(error) if error.kind() != ErrorKind::UnexpectedEof => Err(error),
        Ok(_) | Err(_) => Ok(answer),
    }
}

#[test]
#[cfg(unix)]
fn a_certificate_is_shown_and_renewed_without_a_restart() {
    let certificates = Path::new("tests/http/certificates");
    let (one, two) = (certificates.join("one.pem"), certificates.join("two.pem"));
    let folder = tempfile::tempdir().unwrap();
    let files = TlsFiles {
        certificate: folder.path().join("server.pem"),
        key: folder.path().join("server.key.pem"),
    };
    let install = |name: &str| {
        fs::copy(certificates.join(format!("{name}.pem")), &files.certificate).unwrap();
        fs::copy(certificates.join(format!("{name}.key.pem")), &files.key).unwrap();
    };
    install("one");
    let server = Server::start_on(Database::in_memory(), |options| {
        options.no_auth = true;
        options.tls = Some(files.clone());
    });
    let answer = ask_over_tls(&server, &one).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("\"ready\""), "{answer}");
    ask_over_tls(&server, &two).unwrap_err();

    let pid = std::process::id().to_string();
    let hang_up = || {
        let sent = std::process::Command::new("kill").args(["-HUP", &pid]).status().unwrap();
        assert!(sent.success());
    };
    install("two");
    let deadline = Instant::now() + Duration::from_secs(20);
    while ask_over_tls(&server, &two).is_err() {
        assert!(Instant::now() < deadline, "the new certificate is not shown");
        hang_up();
    }
    ask_over_tls(&server, &one).unwrap_err();
}

#[test]
fn what_is_no_certificate_is_told_with_its_file() {
    let certificates = Path::new("tests/http/certificates");
    let path = |name: &str| certificates.join(name);
    for (certificate, key, named) in [
        ("none.pem", "one.key.pem", "none.pem"),
        ("one.key.pem", "one.key.pem", "one.key.pem"),
        ("one.pem", "one.pem", "one.pem"),
        ("one.pem", "two.key.pem", "two.key.pem"),
    ] {
        let address = "127.0.0.1:0".parse().unwrap();
        let mut options = monsterdb::server::ServeOptions::new(address);
        options.no_auth = true;
        options.tls = Some(TlsFiles { certificate: path(certificate), key: path(key) });
        let refused = monsterdb::server::Server::bind(Database::in_memory(), options);
        let reason = refused.err().unwrap().to_string();
        assert!(reason.contains(named), "{reason}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_client_that_takes_nothing_of_its_answer_is_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start_in(folder.path(), |options| {
        options.write_timeout = Duration::from_millis(500);
    });
    // Far more than what the system keeps for a connection.
    let text = "x".repeat(1 << 20);
    for n in 0..48 {
        server.put(&format!("{C}/{n}"), &format!("{{\"text\":\"{text}\"}}"));
    }
    let mut stream = TcpStream::connect(server.address).unwrap();
    let head = format!(
        "GET {C}?limit=all HTTP/1.1\r\nHost: test\r\nX-API-Key: {}\r\n\
         Accept: application/x-ndjson\r\nConnection: close\r\n\r\n",
        server.key
    );
    stream.write_all(head.as_bytes()).unwrap();
    let local = stream.local_addr().unwrap().port();
    // The server's end of the connection is gone from the system's table, while ours stands.
    let deadline = Instant::now() + Duration::from_secs(30);
    while has_connection(server.address.port(), local) {
        assert!(Instant::now() < deadline, "the server holds on to a client that does not read");
        std::thread::yield_now();
    }
    let mut rest = Vec::new();
    let end = stream.read_to_end(&mut rest);
    assert!(end.is_err() || !rest.ends_with(b"0\r\n\r\n"), "the answer is not whole");
    assert_eq!(server.get("/health").status, 200);
}

/// True when the system has a connection whose own port and other port are these.
#[cfg(target_os = "linux")]
fn has_connection(own: u16, other: u16) -> bool {
    let table = fs::read_to_string("/proc/net/tcp").unwrap();
    let port = |address: &str| u16::from_str_radix(address.split(':').nth(1).unwrap(), 16).unwrap();
    table.lines().skip(1).any(|line| {
        let mut fields = line.split_whitespace().skip(1);
        let ports = (port(fields.next().unwrap()), port(fields.next().unwrap()));
        // A connection that was given up may linger without an owner.
        ports == (own, other) && fields.next() == Some("01")
    })
}
