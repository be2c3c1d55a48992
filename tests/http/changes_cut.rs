//! The test of the feed: four clients write, one follows; it is cut off again and again and comes back
//! by the id of the last event that it saw, and the server is started anew in the middle. Every
//! version is seen once and in order, with the content that was acknowledged, and what is seen folded
//! is what is there.

use std::{collections::BTreeMap, path::Path, sync::Mutex, thread};

use monsterdb::Database;
use reqwest::blocking::Client;
use serde_json::Value;

use crate::{
    server::Server,
    stream::{EVENTS, Stream},
};

const WRITERS: usize = 4;
const WRITES: usize = 150;
const CUTS: usize = 50;

/// The documents by id.
type State = BTreeMap<String, Value>;

/// What the threads share.
struct Scene {
    /// Where the server is now.
    url: Mutex<String>,
    /// Writes that were acknowledged: by version, the id and the content.
    acknowledged: Mutex<BTreeMap<u64, (String, Option<Value>)>>,
}

/// The document that is written last.
const LAST: &str = "last";

/// Small segments and many checkpoints, so that the follower meets their borders.
fn start(path: &Path) -> Server {
    let builder = Database::builder().segment_bytes(16 * 1024).checkpoint_operations(40);
    Server::start_on(builder.open(path).unwrap(), |options| {
        options.admin_key = Some("chosen".to_owned());
    })
}

#[test]
fn every_version_is_seen_once_through_cuts_and_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(folder.path());
    let scene = Scene {
        url: Mutex::new(format!("http://{}", server.address)),
        acknowledged: Mutex::default(),
    };
    let (server, seen, cuts) = thread::scope(|scope| {
        let scene = &scene;
        let write = |writer| scope.spawn(move || write(scene, writer));
        let writers: Vec<_> = (0..WRITERS).map(write).collect();
        let follower = scope.spawn(|| follow(scene));
        while scene.acknowledged.lock().unwrap().len() < WRITERS * WRITES / 2 {
            thread::yield_now();
        }
        server.stop().unwrap();
        let server = start(folder.path());
        *scene.url.lock().unwrap() = format!("http://{}", server.address);
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        let last = server.put(&format!("/collections/c/documents/{LAST}"), "{}");
        assert_eq!(last.status, 201);
        let (seen, cuts) = follower.join().unwrap();
        (server, seen, cuts)
    });
    assert!(cuts >= CUTS, "{cuts} cuts");
    check(&scene, &seen);
    let (state, documents) =
        (fold(&seen), server.call("GET", "/collections/c/documents?limit=1000"));
    let documents = documents.send().value();
    assert_eq!(documents["version"].as_u64(), seen.last().map(|(version, _)| *version));
    let there = documents["documents"].as_array().unwrap().iter().map(|document| {
        let mut document = document.clone();
        document.as_object_mut().unwrap().remove("_version");
        (document["_id"].as_str().unwrap().to_owned(), document)
    });
    assert_eq!(state, there.collect::<State>());
}

/// Writes documents that several writers share, until it was acknowledged often enough.
fn write(scene: &Scene, writer: usize) {
    let client = Client::new();
    let (mut done, mut number) = (0, 0);
    while done < WRITES {
        number += 1;
        let id = format!("d{}", (writer * 7 + number * 3) % 20);
        let url = format!("{}/transactions/batch", scene.url.lock().unwrap());
        let content = serde_json::json!({"_id": id, "by": writer, "n": number});
        let is_deletion = number % 9 == 0;
        let operation = match is_deletion {
            true => serde_json::json!({"op": "delete", "collection": "c", "id": id}),
            false => {
                serde_json::json!({"op": "put", "collection": "c", "id": id, "document": content})
            }
        };
        let body = serde_json::json!({"operations": [operation]}).to_string();
        let request = client.post(url).header("Content-Type", "application/json").body(body);
        // While the server is away, and for a deletion of what is not there, it is another one's turn.
        let Ok(answer) = request.header("X-API-Key", "chosen").send() else { continue };
        if answer.status() != 200 {
            continue;
        }
        let Ok(text) = answer.text() else { continue };
        let answer: Value = serde_json::from_str(&text).unwrap();
        let version = answer["version"].as_u64().unwrap();
        done += 1;
        let content = if is_deletion { None } else { Some(content) };
        let taken = scene.acknowledged.lock().unwrap().insert(version, (id, content));
        assert!(taken.is_none(), "version {version} was given twice");
    }
}

/// Every event, and how often it was cut off.
fn follow(scene: &Scene) -> (Vec<(u64, Value)>, usize) {
    let (mut seen, mut cuts, mut last) = (Vec::new(), 0, Some(0));
    loop {
        let url = format!("{}/changes", scene.url.lock().unwrap());
        let Ok(mut stream) = Stream::try_open(&url, "chosen", EVENTS, last) else { continue };
        assert_eq!(stream.status, 200);
        // It reads some, a different number each time, and breaks off in the middle of it.
        for _ in 0..(cuts * 5) % 13 + 1 {
            let Some(event) = stream.event() else { break };
            if event.event != "commit" {
                break;
            }
            let id = event.id.unwrap();
            let data: Value = serde_json::from_str(&event.data).unwrap();
            let is_last = data["ops"][0]["id"] == LAST;
            seen.push((id, data));
            last = Some(id);
            if is_last {
                return (seen, cuts);
            }
        }
        drop(stream);
        cuts += 1;
    }
}

/// Every version once and in order, and each that was acknowledged with its content.
fn check(scene: &Scene, seen: &[(u64, Value)]) {
    let versions: Vec<u64> = seen.iter().map(|(version, _)| *version).collect();
    let first = versions[0];
    let expected: Vec<u64> = (first..first + versions.len() as u64).collect();
    assert_eq!(versions, expected);
    let seen: BTreeMap<u64, &Value> = seen.iter().map(|(version, data)| (*version, data)).collect();
    for (version, (id, content)) in scene.acknowledged.lock().unwrap().iter() {
        let data = seen[version];
        assert_eq!(data["version"], *version);
        let operation = data["ops"].as_array().unwrap().last().unwrap();
        assert_eq!(operation["id"], **id, "{data}");
        match content {
            Some(content) => assert_eq!(operation["doc"], *content, "{data}"),
            None => assert_eq!(operation["op"], "delete", "{data}"),
        }
    }
}

fn fold(seen: &[(u64, Value)]) -> State {
    let mut state = State::new();
    for operation in seen.iter().flat_map(|(_, data)| data["ops"].as_array().unwrap()) {
        let id = || operation["id"].as_str().unwrap().to_owned();
        match operation["op"].as_str().unwrap() {
            "put" => drop(state.insert(id(), operation["doc"].clone())),
            "delete" => assert!(state.remove(&id()).is_some(), "{operation}"),
            "create_collection" => assert!(state.is_empty()),
            other => panic!("{other}"),
        }
    }
    state
}
