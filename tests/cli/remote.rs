//! The same commands, through a running server.

use std::{
    io::{BufRead, BufReader, Read},
    net::TcpListener,
    process::{Child, Command, Stdio},
};

use crate::program::{Place, documents};

/// A server of its own, stopped when the test ends.
pub(crate) struct Server {
    child: Child,
    pub(crate) url: String,
}

impl Server {
    pub(crate) fn start(place: &Place) -> Server {
        Server::start_with(place, &["--no-auth"]).0
    }

    /// A server that asks for keys, and the key that its first start made.
    pub(crate) fn with_keys(place: &Place) -> (Server, Option<String>) {
        Server::start_with(place, &[])
    }

    pub(crate) fn start_with(place: &Place, arguments: &[&str]) -> (Server, Option<String>) {
        let mut command = place.command();
        Server::of(command.args(arguments_of_serve()).args(arguments).stderr(Stdio::null()))
    }

    /// A server that this command starts.
    pub(crate) fn of(command: &mut Command) -> (Server, Option<String>) {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let greeting: serde_json::Value = serde_json::from_str(&line).unwrap();
        let url = format!("http://{}", greeting["address"].as_str().unwrap());
        (Server { child, url }, greeting["admin_key"].as_str().map(str::to_owned))
    }

    /// Stops it as a service manager does.
    pub(crate) fn stop(mut self) -> i32 {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        self.child.wait().unwrap().code().unwrap()
    }
}

/// What every server of a test is started with.
pub(crate) fn arguments_of_serve() -> [&'static str; 4] {
    ["serve", "--listen", "127.0.0.1:0", "--json"]
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn documents_go_in_and_out_through_a_server() {
    let place = Place::new();
    let server = Server::start(&place);
    let url = &server.url;
    let run = place.import(&documents(1..=2_500), &format!("--batch 700 --url {url}"));
    assert_eq!(run.code, 0, "{run:?}");
    let exported = place.good(&format!("export --collection c --url {url}"));
    assert_eq!(exported, documents(1..=2_500));
    let versions = place.good(&format!("export --collection c --versions --url {url}"));
    let found = place.good(&format!("query c --url {url}"));
    assert_eq!(versions, found);
    let found =
        place.good(&format!(r#"query c {{"n":{{"$gt":9}}}} --sort -n --limit 1200 --url {url}"#));
    assert_eq!(found.lines().count(), 1_200);
    assert!(found.starts_with("{\"_id\":\"d002500\",\"_version\":"), "{found}");

    let run = place.import(&documents(2_500..=2_501), &format!("--url {url}"));
    assert_eq!(run.code, 4, "{run:?}");
    assert!(run.err.contains("d002500"), "{run:?}");
    let (before, after) = (documents(2_501..=2_510), documents(2_512..=2_513));
    let text = format!("{before}{{\"n\":}}\n{after}");
    let run = place.import(&text, &format!("--batch 5 --url {url}"));
    assert!(run.code == 1 && run.err.contains("line 11"), "{run:?}");
    assert!(run.err.contains("--from-line 11"), "{run:?}");

    assert!(place.fails(1, "query c").err.contains("--url"), "the directory is in use");
    place.good("log show");
    assert_eq!(place.fails(2, &format!(r#"query c {{"a":{{"$b":1}}}} --url {url}"#)).out, "");
    assert_eq!(server.stop(), 0);
    place.good("check");
    assert_eq!(place.exported().len(), 2_510);
}

#[test]
fn a_server_that_is_not_there_is_told() {
    let place = Place::new();
    let server = Server::start(&place);
    let url = server.url.clone();
    assert_eq!(server.stop(), 0);
    let run = place.fails(1, &format!("--json query c --url {url}"));
    assert_eq!(run.error()["error"], "unreachable");
    assert!(run.error()["message"].as_str().unwrap().contains(&url));
}

/// A supervisor may change its mind as soon as it reads the address.
#[test]
fn a_server_can_be_stopped_from_its_first_moment() {
    let place = Place::new();
    for _ in 0..10 {
        assert_eq!(Server::start(&place).stop(), 0);
    }
    place.good("check");
}

#[test]
fn a_key_is_asked_for_and_sent() {
    let place = Place::new();
    let (server, key) = Server::with_keys(&place);
    let (url, key) = (&server.url, key.expect("the first start makes one"));
    let run = place.import(&documents(1..=3), &format!("--url {url}"));
    assert!(run.code == 1 && run.err.contains("MONSTERDB_API_KEY"), "{run:?}");
    let run = place.import(&documents(1..=3), &format!("--url {url} --key {key}"));
    assert_eq!(run.code, 0, "{run:?}");
}

/// A server that goes away in the middle of an insert: nobody knows, and that is what is said.
#[test]
fn an_answer_that_is_lost_is_no_failure_and_no_success() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 64 * 1024];
        assert!(stream.read(&mut request).unwrap() > 0);
    });
    let place = Place::new();
    let run = place.import(&documents(1..=8), &format!("--batch 4 --url {url} --json"));
    server.join().unwrap();
    assert_eq!((run.code, &run.error()["error"]), (1, &"outcome-unknown".into()), "{run:?}");
    let advice = run.error()["advice"].to_string();
    assert!(advice.contains("document d000001 is there, go on with --from-line 5"), "{advice}");
}

/// What is asked of a server is answered as the directory answers it.
#[test]
fn a_server_and_a_directory_answer_alike() {
    let place = Place::new();
    let lines: Vec<String> = (0..1_203)
        .map(|n| format!(r#"{{"_id":"d{n:04}","n":{},"tags":["a","t{}"]}}"#, n % 10, n % 3))
        .collect();
    assert_eq!(place.import(&lines.join("\n"), "").code, 0);
    let questions = [
        "query c --sort -n --offset 7",
        "query c --sort n --limit 1001 --fields n,-_id",
        "query c --fields -tags --limit 3",
        "query c --limit 0",
        r#"query c {"n":3} --count"#,
        "query c --count",
        "query c --distinct tags",
        r#"query c {"n":{"$lt":4}} --group n --metric z=count --metric a=last:_id --sort -n --limit 2"#,
        "query c --group n,tags --offset 3",
        "query c --metric s=sum:n --metric m=avg:n",
    ];
    let answers = questions.map(|question| place.good(question));
    assert_eq!(answers[0].lines().count(), 1_196);
    assert_eq!(answers[1].lines().count(), 1_001);
    assert!(answers[1].starts_with("{\"_version\":"), "{}", &answers[1][..40]);
    assert_eq!((&*answers[4], &*answers[5]), ("120\n", "1203\n"));
    assert_eq!(answers[6], "\"a\"\n\"t0\"\n\"t1\"\n\"t2\"\n");
    assert_eq!(
        answers[7],
        "{\"n\":3,\"z\":120,\"a\":\"d1193\"}\n{\"n\":2,\"z\":121,\"a\":\"d1202\"}\n"
    );
    let refused = [
        "query c --distinct a..b",
        "query c --fields n,-tags",
        "query c --fields n --count",
        "query c --group n --metric n",
        "query c --group n --metric n=median:n",
        "query c --group n --sort tags",
    ];
    refused.iter().for_each(|question| drop(place.fails(2, question)));

    let server = Server::start(&place);
    for (question, answer) in questions.iter().zip(&answers) {
        let found = place.good(&format!("{question} --url {}", server.url));
        assert_eq!(found, *answer, "{question}");
    }
    refused.iter().for_each(|question| {
        drop(place.fails(2, &format!("{question} --url {}", server.url)));
    });
    assert_eq!(server.stop(), 0);
}
