//! Counters that all users raise, so that they get in each other's way.
//!
//! A counter is raised in one of three ways: by an update that reads nothing, which the server never
//! refuses; by reading it and putting the next number under the condition that the version is still
//! the one read; by an interactive transaction that reads and writes. The last two conflict, and are
//! tried again.
//!
//! Invariant: whoever reads a counter finds at least what was acknowledged before the read was sent,
//! and at most what was sent before the answer came and not refused. The guarantee behind the first
//! half is that the order of commits agrees with real time.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::Duration,
};

use reqwest::Method;
use serde_json::{Value, json};

use super::{
    connection::{Connection, Miss, Request},
    content::Stored,
    dice::Dice,
    finding::{Finding, Kind},
    tally::Tally,
};

/// Users that share one counter.
const USERS_EACH: u32 = 10;

/// How often it is tried to raise a counter. The last try is by an update, which nobody overtakes,
/// so that a crowd delays its members and turns nobody away.
const ATTEMPTS_MAX: u32 = 10;

/// The longest pause before another try, as the power of two of its milliseconds.
const PAUSE_POWER_MAX: u32 = 6;

/// All counters of a run.
pub(super) struct Counters(Vec<Counter>);

struct Counter {
    id: String,
    /// Raises that were sent and not refused.
    begun: AtomicU64,
    /// Raises that were acknowledged.
    acknowledged: AtomicU64,
}

/// What came of one try.
enum Try {
    Raised,
    Overtaken,
    /// There were too many transactions at once.
    HeldBack,
}

impl Counters {
    pub(super) fn new(users: u32) -> Counters {
        let counter = |number| Counter {
            id: format!("counter-{number}"),
            begun: AtomicU64::new(0),
            acknowledged: AtomicU64::new(0),
        };
        Counters((0..users.div_ceil(USERS_EACH).max(1)).map(counter).collect())
    }

    /// The documents that a run begins with, one a line.
    pub(super) fn documents(&self) -> String {
        self.0
            .iter()
            .map(|counter| json!({ "_id": counter.id, "n": 0 }).to_string() + "\n")
            .collect()
    }

    /// How many there are.
    pub(super) fn len(&self) -> u64 {
        self.0.len() as u64
    }

    /// Raises that were acknowledged.
    pub(super) fn acknowledged(&self) -> u64 {
        self.0.iter().map(|counter| counter.acknowledged.load(Ordering::SeqCst)).sum()
    }

    /// Raises of which nobody knows.
    pub(super) fn unknown(&self) -> u64 {
        let begun: u64 = self.0.iter().map(|counter| counter.begun.load(Ordering::SeqCst)).sum();
        begun - self.acknowledged()
    }

    /// Reads one, and notes if it is otherwise than it must be.
    pub(super) fn read(
        &self,
        dice: &mut Dice,
        connection: &Connection<'_>,
        tally: &Tally,
    ) -> Result<(), Miss> {
        let counter = self.pick(dice);
        let path = connection.document(&counter.id);
        counter.read(&path, connection, tally).map(drop)
    }

    /// Raises one by one.
    pub(super) fn raise(
        &self,
        dice: &mut Dice,
        connection: &Connection<'_>,
        tally: &Tally,
    ) -> Result<(), Miss> {
        let counter = self.pick(dice);
        let chosen = dice.below(3);
        counter.begun.fetch_add(1, Ordering::SeqCst);
        let raised = (0..ATTEMPTS_MAX).find_map(|attempt| {
            if attempt > 0 {
                tally.note_retry();
                pause(attempt, dice);
            }
            let tried = match if attempt + 1 == ATTEMPTS_MAX { 0 } else { chosen } {
                0 => counter.raise_unseen(connection),
                1 => counter.raise_seen(connection, tally),
                _ => counter.raise_in_transaction(connection),
            };
            match tried {
                Ok(Try::Raised) => Some(Ok(())),
                Ok(Try::Overtaken) => {
                    tally.note_conflict();
                    None
                }
                Ok(Try::HeldBack) => {
                    tally.note_held_back();
                    None
                }
                Err(miss) => Some(Err(miss)),
            }
        });
        let raised = raised.unwrap_or_else(|| Err(Miss::refused("tried-too-often")));
        match &raised {
            Ok(()) => drop(counter.acknowledged.fetch_add(1, Ordering::SeqCst)),
            Err(miss) if miss.may_have_effect => {}
            Err(_) => drop(counter.begun.fetch_sub(1, Ordering::SeqCst)),
        }
        raised
    }

    /// What is otherwise of the counters among all documents, found by their ids.
    pub(super) fn differences(&self, find: impl Fn(&str) -> Option<Value>) -> Vec<Finding> {
        let difference = |counter: &Counter| match find(&counter.id) {
            Some(rest) => counter.difference(&rest, counter.acknowledged.load(Ordering::SeqCst)),
            None => Some(Finding::new(Kind::Lost, &counter.id, "it is not there".to_owned())),
        };
        self.0.iter().filter_map(difference).collect()
    }

    /// Whether an id is that of a counter.
    pub(super) fn has(&self, id: &str) -> bool {
        self.0.iter().any(|counter| counter.id == id)
    }

    fn pick(&self, dice: &mut Dice) -> &Counter {
        let place = dice.below(self.len()) as usize;
        self.0.get(place).expect("a number below how many there are")
    }
}

impl Counter {
    /// Reads it as it stands at a path, and returns its number and its version.
    fn read(
        &self,
        path: &str,
        connection: &Connection<'_>,
        tally: &Tally,
    ) -> Result<(u64, u64), Miss> {
        let least = self.acknowledged.load(Ordering::SeqCst);
        let reply = connection.send(&Request::get(path.to_owned()))?;
        if reply.status != 200 {
            if reply.status == 404 {
                let detail = "it is not there, and nobody deletes it".to_owned();
                tally.note_finding(Finding::new(Kind::Lost, &self.id, detail));
            }
            return Err(reply.miss().without_effect());
        }
        let stored = Stored::read(&reply.body).ok_or_else(|| Miss::refused("not-understood"))?;
        if let Some(finding) = self.difference(&stored.rest, least) {
            tally.note_finding(finding);
        }
        let number = number(&stored.rest).ok_or_else(|| Miss::refused("not-understood"))?;
        Ok((number, stored.version))
    }

    /// What is otherwise when it stands at this, and at least `least` was acknowledged.
    fn difference(&self, rest: &Value, least: u64) -> Option<Finding> {
        let most = self.begun.load(Ordering::SeqCst);
        let told = |kind, found: &str| {
            let detail = format!("it stands at {found}, and must be from {least} to {most}");
            Some(Finding::new(kind, &self.id, detail))
        };
        match number(rest) {
            Some(number) if number < least => told(Kind::Lost, &number.to_string()),
            Some(number) if number > most => told(Kind::Duplicated, &number.to_string()),
            Some(_) => None,
            None => told(Kind::Changed, &rest.to_string()),
        }
    }

    fn raise_unseen(&self, connection: &Connection<'_>) -> Result<Try, Miss> {
        let operation = json!({ "op": "update", "collection": connection.collection(),
                                "id": self.id, "update": { "$inc": { "n": 1 } } });
        let body = json!({ "operations": [operation] });
        let path = "/transactions/batch".to_owned();
        outcome(&connection.send(&Request::new(Method::POST, path).json(&body))?)
    }

    fn raise_seen(&self, connection: &Connection<'_>, tally: &Tally) -> Result<Try, Miss> {
        let path = connection.document(&self.id);
        let (number, version) =
            self.read(&path, connection, tally).map_err(Miss::without_effect)?;
        let put = Request::new(Method::PUT, path).json(&json!({ "n": number + 1 }));
        outcome(&connection.send(&put.if_version(version))?)
    }

    /// Only the commit can have an effect.
    fn raise_in_transaction(&self, connection: &Connection<'_>) -> Result<Try, Miss> {
        let post = |path: String| Request::new(Method::POST, path);
        let begun = connection.send(&post("/transactions".to_owned()).json(&json!({})));
        let begun = begun.map_err(Miss::without_effect)?;
        match begun.status {
            201 => {}
            429 => return Ok(Try::HeldBack),
            _ => return Err(begun.miss().without_effect()),
        }
        let body: Value = serde_json::from_str(&begun.body).unwrap_or_default();
        let token = body.get("token").and_then(Value::as_str);
        let token = token.ok_or_else(|| Miss::refused("not-understood"))?;
        let base = format!("/transactions/{token}");
        match self.write_next(&base, connection) {
            Ok(()) => outcome(&connection.send(&post(format!("{base}/commit")))?),
            Err(miss) => {
                // If this does not arrive either, it ends by itself.
                let _ = connection.send(&Request::new(Method::DELETE, base));
                Err(miss.without_effect())
            }
        }
    }

    fn write_next(&self, base: &str, connection: &Connection<'_>) -> Result<(), Miss> {
        let path = format!("{base}{}", connection.document(&self.id));
        let read = connection.send(&Request::get(path.clone()))?;
        if read.status != 200 {
            return Err(read.miss());
        }
        let stored = Stored::read(&read.body).and_then(|stored| number(&stored.rest));
        let number = stored.ok_or_else(|| Miss::refused("not-understood"))?;
        let put = Request::new(Method::PUT, path).json(&json!({ "n": number + 1 }));
        let written = connection.send(&put)?;
        if written.status == 200 { Ok(()) } else { Err(written.miss()) }
    }
}

fn outcome(reply: &super::connection::Reply) -> Result<Try, Miss> {
    match reply.is_conflict() {
        true => Ok(Try::Overtaken),
        false => reply.written().map(|_| Try::Raised),
    }
}

/// The number of a counter, if it has no other member.
fn number(rest: &Value) -> Option<u64> {
    rest.as_object().filter(|members| members.len() == 1)?.get("n")?.as_u64()
}

/// Lets others go first: longer each time, and for a random time, so that two that met do not meet
/// again.
fn pause(attempt: u32, dice: &mut Dice) {
    let most = 1_000_u64 << attempt.min(PAUSE_POWER_MAX);
    thread::sleep(Duration::from_micros(dice.below(most)));
}
