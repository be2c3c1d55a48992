//! The server on a device that fills up: a small file system in memory, with a file in it that can
//! be taken away to make room.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::Write,
    path::PathBuf,
    process::{Command, Output},
};

use serde_json::{Value, json};

use crate::{
    server::{Client, Server},
    skipped::skipped,
};

/// The device, and how much of it the file takes that goes away later.
const DEVICE_MIB: usize = 48;
const BALLAST_MIB: usize = 20;

/// Bytes in each document.
const PAYLOAD: usize = 50_000;

/// A file system of its own, which is unmounted whatever happens.
struct Device {
    folder: tempfile::TempDir,
}

/// Documents that were acknowledged, and how often one was refused.
#[derive(Default)]
struct Filled {
    documents: BTreeMap<String, Value>,
    refused: u64,
}

#[test]
fn a_full_device_refuses_writes_and_loses_nothing() {
    let device = match Device::mount() {
        Ok(device) => device,
        Err(why) => return skipped(&format!("no small file system can be mounted: {why}")),
    };
    let ballast = device.path("ballast");
    fs::write(&ballast, vec![1; BALLAST_MIB << 20]).unwrap();
    let mut filled = Filled::default();

    let server = Server::start(device.folder.path());
    let client = server.client();
    filled.until_refused(&client);
    let before = filled.documents.len();
    filled.check(&client);
    assert_eq!(client.get("/health/ready").unwrap().status(), 200, "reads and checks go on");
    server.kill();
    server.wait();

    // Killed when it was full: it opens on the full device, and fills what the kill left over.
    let server = Server::start(device.folder.path());
    let client = server.client();
    filled.check(&client);
    filled.until_refused(&client);
    filled.check(&client);
    let refilled = filled.documents.len() - before;

    fs::remove_file(&ballast).unwrap();
    for _ in 0..20 {
        assert!(filled.insert(&client), "there is room, and nobody has to restart it");
    }
    filled.until_refused(&client);
    filled.check(&client);

    // Not a byte is left when it is killed and begins again.
    let filler = device.path("filler");
    let full = File::create(&filler).unwrap().write_all(&vec![1; DEVICE_MIB << 20]);
    assert_eq!(full.unwrap_err().kind(), std::io::ErrorKind::StorageFull);
    filled.until_refused(&client);
    filled.check(&client);
    server.kill();
    server.wait();
    let opened = Server::try_start(device.folder.path()).is_some();
    fs::remove_file(&filler).unwrap();
    let server = Server::start(device.folder.path());
    filled.check(&server.client());
    println!(
        "{} documents of {PAYLOAD} bytes, {before} of them before the device was full first and \
         {refilled} after the kill; {} were refused; without a byte left it {}",
        filled.documents.len(),
        filled.refused,
        if opened { "opened" } else { "did not open, and lost nothing" }
    );
    assert!(before > 100, "it was full from the beginning");
    assert!(filled.documents.len() > before + 100, "the room that came was not used");
}

impl Filled {
    /// Inserts until there is no room, and then some more, which is refused as well.
    fn until_refused(&mut self, client: &Client) {
        let most = (DEVICE_MIB << 20) / PAYLOAD;
        assert!((0..most).any(|_| !self.insert(client)), "the device is never full");
        (0..3).for_each(|_| assert!(!self.insert(client)));
    }

    /// Inserts a document; false when there is no room.
    fn insert(&mut self, client: &Client) -> bool {
        let number = self.documents.len() as u64 + self.refused;
        let id = format!("d{number:06}");
        let text = format!("{number:050}").repeat(PAYLOAD / 50);
        let document = json!({"_id": id, "text": text});
        let answer = client.post("/collections/records/documents", &document).unwrap();
        let status = answer.status();
        let body: Value = serde_json::from_str(&answer.text().unwrap()).unwrap();
        match status.as_u16() {
            201 => drop(self.documents.insert(id, document)),
            507 => {
                self.refused += 1;
                assert_eq!(body["type"], "/problems/storage-full");
            }
            _ => panic!("{status}: {body}"),
        }
        status == 201
    }

    /// Everything acknowledged is there, and nothing else.
    fn check(&self, client: &Client) {
        let mut found = client.read_all("records");
        for document in found.values_mut() {
            document.as_object_mut().unwrap().remove("_version");
        }
        let [there, expected] = [&found, &self.documents].map(|all| all.keys().collect::<Vec<_>>());
        assert_eq!(there, expected);
        assert!(found == self.documents, "a document is not what was written");
    }
}

impl Device {
    /// Why it cannot be is the error.
    fn mount() -> Result<Device, String> {
        let folder = tempfile::tempdir().unwrap();
        let options = format!("size={DEVICE_MIB}m");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &options, "monsterdb-test"]).arg(folder.path());
        let Output { status, stderr, .. } = mount.output().map_err(|error| error.to_string())?;
        if status.success() {
            return Ok(Device { folder });
        }
        Err(String::from_utf8_lossy(&stderr).trim().to_owned())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

impl Drop for Device {
    /// The server is gone by now, or dies with the file system taken from its sight.
    fn drop(&mut self) {
        let unmount = |options: &[&str]| {
            let status = Command::new("umount").args(options).arg(self.folder.path()).status();
            status.is_ok_and(|status| status.success())
        };
        if !unmount(&[]) && !unmount(&["-l"]) {
            eprintln!("{} stays mounted", self.folder.path().display());
        }
    }
}
