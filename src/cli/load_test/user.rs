//! One user: a thread, a connection, documents of its own.
//!
//! A user reads what it wrote, and knows what it must find; what it finds otherwise is noted at
//! once, beside what is found at the end.

use std::{
    thread,
    time::{Duration, Instant},
};

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    connection::{Connection, Miss, Reply, Request},
    content::{Change, Content, Stored, Way, id},
    counters::Counters,
    deal::Deal,
    dice::Dice,
    finding::{Finding, Kind},
    mix::Operation,
    model::{Documents, Known, State},
    pace::Pace,
    tally::Tally,
};

/// One read in so many is of several documents.
const WINDOW_READ: u64 = 10;

/// Documents of such a read.
const WINDOW: u64 = 10;

/// One read in so many is of a document that was deleted.
const GONE_READ: u64 = 10;

/// One read or update in so many is of a counter.
const COUNTER_READ: u64 = 10;
const COUNTER_UPDATE: u64 = 4;

/// The longest sleep before it is looked whether the run was stopped.
const SLEEP_MAX: Duration = Duration::from_millis(100);

/// What all users of a run have in common.
pub(super) struct Course<'a> {
    pub(super) counters: &'a Counters,
    pub(super) tally: &'a Tally,
    pub(super) duration: Duration,
    /// Operations of each user after which it ends before the time.
    pub(super) operations: Option<u64>,
    pub(super) is_stopped: &'a (dyn Fn() -> bool + Sync),
}

/// One user.
pub(super) struct User<'a> {
    pub(super) course: &'a Course<'a>,
    pub(super) connection: Connection<'a>,
    pub(super) documents: Documents,
    pub(super) dice: Dice,
    pub(super) deal: Deal,
    pub(super) pace: Pace,
}

#[derive(Deserialize)]
struct Listed {
    documents: Vec<Map<String, Value>>,
}

impl User<'_> {
    /// Does what is due until the run ends, and returns what must be there then.
    pub(super) fn run(mut self, begun: Instant) -> Documents {
        self.connection.end_at(begun + self.course.duration);
        let most = self.course.operations.unwrap_or(u64::MAX);
        for _ in 0..most {
            let due = self.pace.due(&mut self.dice);
            if due >= self.course.duration || !self.wait(begun, due) {
                break;
            }
            let late = begun.elapsed().saturating_sub(due);
            // Without a pace nothing is late.
            let late = if due.is_zero() { Duration::ZERO } else { late };
            let wanted = self.deal.next(&mut self.dice);
            let sent = Instant::now();
            let (operation, done) = self.perform(wanted);
            self.course.tally.note(operation, sent.elapsed(), late, &done);
        }
        self.documents
    }

    /// Waits for a moment, and says whether the run still goes on then.
    fn wait(&self, begun: Instant, due: Duration) -> bool {
        loop {
            let now = begun.elapsed();
            if now >= self.course.duration || (self.course.is_stopped)() {
                return false;
            }
            let Some(left) = due.checked_sub(now).filter(|left| !left.is_zero()) else {
                return true;
            };
            thread::sleep(left.min(SLEEP_MAX));
        }
    }

    /// Performs an operation; where there is nothing to delete, an insertion in its place.
    fn perform(&mut self, wanted: Operation) -> (Operation, Result<(), Miss>) {
        match wanted {
            Operation::Read => (wanted, self.read()),
            Operation::Insert => (wanted, self.insert()),
            Operation::Update => (wanted, self.update()),
            Operation::Delete => match self.documents.pick(&mut self.dice) {
                Some(known) => (wanted, self.delete(known)),
                None => (Operation::Insert, self.insert()),
            },
        }
    }

    fn read(&mut self) -> Result<(), Miss> {
        if self.dice.once_in(WINDOW_READ) {
            return self.read_window();
        }
        let gone = self.dice.once_in(GONE_READ).then(|| self.documents.pick_gone(&mut self.dice));
        let number = match gone.flatten() {
            Some(gone) => Some(gone),
            None if self.dice.once_in(COUNTER_READ) => None,
            None => self.documents.pick(&mut self.dice).map(|known| known.content.number),
        };
        let Some(number) = number else {
            let Course { counters, tally, .. } = self.course;
            return counters.read(&mut self.dice, &self.connection, tally);
        };
        let path = self.connection.document(&id(self.documents.user, number));
        let reply = self.connection.send(&Request::get(path))?;
        let found = match reply.status {
            200 => Some(Stored::read(&reply.body).ok_or_else(|| Miss::refused("not-understood"))?),
            404 => None,
            _ => return Err(reply.miss()),
        };
        self.compare(number, found.as_ref());
        Ok(())
    }

    /// Reads neighbouring documents by a range of ids: none is missing, none too many.
    fn read_window(&mut self) -> Result<(), Miss> {
        let first = self.dice.below(self.documents.next_number() + 1);
        let ids = first..first + WINDOW;
        let user = self.documents.user;
        let range = json!({ "$gte": id(user, ids.start), "$lt": id(user, ids.end) });
        let body = json!({ "filter": { "_id": range } });
        let request = Request::new(Method::POST, self.connection.in_collection("query"));
        let reply = self.connection.send(&request.json(&body))?;
        if reply.status != 200 {
            return Err(reply.miss());
        }
        let listed: Option<Listed> = serde_json::from_str(&reply.body).ok();
        let listed = listed.ok_or_else(|| Miss::refused("not-understood"))?;
        let mut found: Vec<Stored> = listed.documents.into_iter().filter_map(Stored::of).collect();
        for number in ids {
            let at = found.iter().position(|stored| stored.id == id(user, number));
            let stored = at.map(|at| found.swap_remove(at));
            self.compare(number, stored.as_ref());
        }
        for left in found {
            let detail = "it is listed twice, or does not match the filter".to_owned();
            self.course.tally.note_finding(Finding::new(Kind::Duplicated, &left.id, detail));
        }
        Ok(())
    }

    fn insert(&mut self) -> Result<(), Miss> {
        let number = self.documents.next_number();
        let content = Content::new(self.documents.user, number, &mut self.dice);
        let request = Request::new(Method::POST, self.connection.in_collection("documents"));
        let sent = self.connection.send(&request.json(&content.document()));
        match sent.and_then(|reply| reply.written()) {
            Ok(version) => {
                self.documents.written(content, version);
                Ok(())
            }
            Err(miss) => {
                if miss.reason == "already-exists" {
                    let detail = "an insertion was refused, and nobody inserted it before";
                    self.note(Kind::Unexpected, number, detail);
                }
                match miss.may_have_effect {
                    true => {
                        let after = State::Present(content, None);
                        self.documents.doubted(number, State::Absent, after);
                    }
                    false => self.documents.refused_insert(number),
                }
                Err(miss)
            }
        }
    }

    fn update(&mut self) -> Result<(), Miss> {
        let own = match self.dice.once_in(COUNTER_UPDATE) {
            true => None,
            false => self.documents.pick(&mut self.dice),
        };
        let Some(known) = own else {
            let Course { counters, tally, .. } = self.course;
            return counters.raise(&mut self.dice, &self.connection, tally);
        };
        let change = known.content.change(&mut self.dice);
        let request = self.update_request(&known, &change);
        let after = State::Present(change.after.clone(), None);
        let reply = self.write(&known, &request, after)?;
        match reply.written() {
            Ok(version) => {
                self.documents.written(change.after, version);
                Ok(())
            }
            // It was acknowledged by a status of success, and only the version is not understood.
            Err(miss) => {
                self.doubt(&known, State::Present(change.after, None));
                Err(miss)
            }
        }
    }

    fn update_request(&self, known: &Known, change: &Change) -> Request {
        let id = known.content.id();
        let path = self.connection.document(&id);
        let patch = || Request::new(Method::PATCH, path.clone()).if_version(known.version);
        match change.way {
            Way::Put => {
                Request::new(Method::PUT, path.clone()).if_version(known.version).json(&change.body)
            }
            Way::Merge => patch().typed("application/merge-patch+json", &change.body),
            Way::Operators => patch().json(&change.body),
            Way::Batch => {
                let operation = json!({ "op": "replace", "collection": self.connection.collection(),
                    "id": id, "document": change.body, "if_version": known.version });
                let path = "/transactions/batch".to_owned();
                Request::new(Method::POST, path).json(&json!({ "operations": [operation] }))
            }
        }
    }

    fn delete(&mut self, known: Known) -> Result<(), Miss> {
        let path = self.connection.document(&known.content.id());
        let request = Request::new(Method::DELETE, path).if_version(known.version);
        self.write(&known, &request, State::Absent)?;
        self.documents.deleted(known.content.number);
        Ok(())
    }

    /// Sends a write of a document that is known, and returns the answer if it is one of success.
    fn write(&mut self, known: &Known, request: &Request, after: State) -> Result<Reply, Miss> {
        let sent = self.connection.send(request);
        let missed = match sent {
            Ok(reply) if matches!(reply.status, 200 | 204) => return Ok(reply),
            Ok(reply) => {
                if reply.is_conflict() || reply.status == 404 {
                    self.course.tally.note_conflict();
                    let detail = "a write was refused under the condition that it is as its last \
                                  acknowledgement says, and nobody else writes it";
                    self.note(Kind::Changed, known.content.number, detail);
                    self.documents.leave_alone(known.content.number);
                }
                reply.miss()
            }
            Err(miss) => miss,
        };
        if missed.may_have_effect {
            self.doubt(known, after);
        }
        Err(missed)
    }

    fn doubt(&mut self, known: &Known, after: State) {
        let before = State::Present(known.content.clone(), Some(known.version));
        self.documents.doubted(known.content.number, before, after);
    }

    fn compare(&self, number: u64, found: Option<&Stored>) {
        if let Some(finding) = self.documents.difference(number, found) {
            self.course.tally.note_finding(finding);
        }
    }

    fn note(&self, kind: Kind, number: u64, detail: &str) {
        let id = id(self.documents.user, number);
        self.course.tally.note_finding(Finding::new(kind, &id, detail.to_owned()));
    }
}
