//! Kills the server with SIGKILL while four writers are at work, again and again on one data
//! directory, and holds what is there afterwards against a ledger of its own.
//!
//! What must hold after every kill: every acknowledged write is there, whole and once; a write
//! whose answer never came is wholly there or wholly absent, and stays so; nothing is there that
//! was never sent; the sum over all accounts is what it was at the beginning.
//!
//! The same on a device that fills up, where it can be mounted: [`full`].
#![cfg(feature = "server")]
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod full;
mod ledger;
mod server;
#[path = "../support/skipped.rs"]
mod skipped;

use std::sync::{
    Mutex,
    atomic::{AtomicU64, Ordering},
};

use ledger::{Ledger, Write};
use server::Server;

const ROUNDS: u64 = 50;
const WRITERS: u64 = 4;

#[test]
fn nothing_acknowledged_is_lost_when_the_server_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Mutex::new(Ledger::default());
    let mut random = Random(20_260_101);
    for round in 0..ROUNDS {
        let server = Server::start(folder.path());
        if round == 0 {
            server.create_accounts(ledger::ACCOUNTS, ledger::BALANCE);
        }
        ledger.lock().unwrap().check(&server.contents());
        // The kill comes at some acknowledgement, while the other writers are under way.
        let fatal = 1 + random.below(60);
        let acknowledged = AtomicU64::new(0);
        std::thread::scope(|scope| {
            for writer in 0..WRITERS {
                let (server, ledger, acknowledged) = (&server, &ledger, &acknowledged);
                let mut random = Random(random.next());
                scope.spawn(move || {
                    let client = server.client();
                    for number in 0.. {
                        let write = Write::random(round, writer, number, &mut |n| random.below(n));
                        ledger.lock().unwrap().sent(&write);
                        match client.send(&write) {
                            Some(()) => ledger.lock().unwrap().acknowledged(&write),
                            None => return,
                        }
                        if acknowledged.fetch_add(1, Ordering::Relaxed) + 1 == fatal {
                            server.kill();
                        }
                    }
                });
            }
        });
        server.wait();
    }
    let server = Server::start(folder.path());
    let mut ledger = ledger.into_inner().unwrap();
    ledger.check(&server.contents());
    server.kill();
    server.wait();
    println!("{ROUNDS} kills under {WRITERS} writers: {ledger}");
    ledger.assert_not_vacuous();
}

/// SplitMix64 (Steele, Lea and Flood, 2014): the same run from the same seed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}
