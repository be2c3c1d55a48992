//! Interactive transactions between their requests: who owns them, how long they may stand, how
//! they ended.
//!
//! A session is a [`Transaction`] under a token of 128 random bits, bound to the key that began
//! it. While a request works with it, the transaction is taken out of the table ([`Held`]), so
//! that a second request finds nothing to take and is refused at once; nobody waits. One mutex
//! guards the whole table, for a moment at a time: the limits, the sessions and the memory of
//! those that ended change together, which maps with locks of their own would not give.
//!
//! Invariant: a token names at most one of: a session that is open, one that is in use, the way
//! one ended. What it was that ended a session is told only to the key that began it; to others
//! it was never there. No transaction is run or dropped while the table is locked.

use std::{
    collections::{HashMap, VecDeque},
    fmt,
    time::{Duration, Instant},
};

use serde::Serialize;

use super::{auth::Identity, kinds::Kind, problem::Problem};
use crate::{
    database::Database,
    error::{Error, Result},
    sync::{Arc, Clock, Mutex, lock, thread},
    transaction::Transaction,
    version::Version,
};

/// Tokens of ended sessions that are remembered, so that they are told apart from unknown ones.
const ENDED_KEPT: usize = 8192;

/// Characters of a token.
pub(super) const TOKEN_BYTES: usize = 32;

/// How many sessions there may be, and for how long.
#[derive(Debug, Clone, Copy)]
pub(super) struct SessionLimits {
    /// Open ones in all.
    pub(super) all: usize,
    /// Open ones of one key.
    pub(super) per_key: usize,
    /// Time between two requests.
    pub(super) idle: Duration,
    /// Time from the beginning.
    pub(super) total: Duration,
}

/// How many sessions there are, and what became of the others since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(super) struct SessionCounts {
    pub(super) open: u64,
    /// Seconds since the oldest of those began; it keeps its version in memory.
    pub(super) oldest_s: u64,
    pub(super) begun: u64,
    pub(super) committed: u64,
    pub(super) conflicts: u64,
    pub(super) expired: u64,
}

/// The sessions of a server.
pub(super) struct Sessions {
    limits: SessionLimits,
    now: Box<dyn Fn() -> Instant + Send + Sync>,
    table: Mutex<Table>,
}

/// A session that one request works with. Dropped, it goes back into the table, unless the work
/// panicked: then nobody knows what was done, and the session has ended.
pub(super) struct Held {
    sessions: Arc<Sessions>,
    token: String,
    /// None once the session has ended.
    transaction: Option<Transaction>,
}

#[derive(Default)]
struct Table {
    open: HashMap<String, Session>,
    ended: HashMap<String, (Identity, Ending)>,
    /// The tokens of those that ended, the oldest first.
    order: VecDeque<String>,
    counts: SessionCounts,
}

struct Session {
    owner: Identity,
    begun: Instant,
    used: Instant,
    /// None while a request works with it.
    transaction: Option<Transaction>,
}

/// How a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Committed(Version),
    RolledBack,
    Expired,
    Overtaken,
    Refused,
    Unknown,
}

impl Sessions {
    /// No sessions yet.
    pub(super) fn new(limits: SessionLimits) -> Sessions {
        Sessions { limits, now: Box::new(Clock::instant), table: Mutex::default() }
    }

    /// Keeps a transaction, and returns its token.
    ///
    /// # Errors
    ///
    /// When there are as many as there may be.
    pub(super) fn begin(
        &self,
        owner: &Identity,
        transaction: Transaction,
    ) -> Result<String, Problem> {
        let token = random_token()?;
        self.sweep();
        let now = (self.now)();
        let mut table = lock(&self.table);
        let own = table.open.values().filter(|session| session.owner == *owner).count();
        let SessionLimits { all, per_key, .. } = self.limits;
        let reached = match (table.open.len() >= all, own >= per_key) {
            (true, _) => Some(format!("the server has {all} open transactions, the most it takes")),
            (_, true) => Some(format!("the key has {per_key} open transactions, the most it may")),
            (false, false) => None,
        };
        if let Some(detail) = reached {
            return Err(Problem::new(Kind::TooManySessions, detail));
        }
        let (owner, transaction) = (owner.clone(), Some(transaction));
        table.open.insert(token.clone(), Session { owner, begun: now, used: now, transaction });
        table.counts.begun += 1;
        Ok(token)
    }

    /// Takes a session to work with it.
    ///
    /// # Errors
    ///
    /// When there is none of this owner, when it has ended, and while another request has it.
    pub(super) fn take(self: &Arc<Self>, owner: &Identity, token: &str) -> Result<Held, Problem> {
        let now = (self.now)();
        // Made before the guard, so that it is dropped after it.
        let _expired;
        let mut table = lock(&self.table);
        let expired = table.open.get(token).is_some_and(|open| self.is_expired(open, now));
        _expired = if expired { table.end(token, Ending::Expired) } else { None };
        if let Some(session) = table.open.get_mut(token).filter(|open| open.owner == *owner) {
            let transaction = session.transaction.take().ok_or_else(|| {
                let detail = "another request works with this transaction";
                Problem::new(Kind::TransactionBusy, detail)
            })?;
            let (sessions, token) = (Arc::clone(self), token.to_owned());
            return Ok(Held { sessions, token, transaction: Some(transaction) });
        }
        match table.ended.get(token).filter(|(other, _)| other == owner) {
            Some((_, ending)) => Err(ended(*ending)),
            None => {
                let detail = "there is no transaction with this token";
                Err(Problem::new(Kind::TransactionNotFound, detail))
            }
        }
    }

    /// Ends what has expired.
    pub(super) fn sweep(&self) {
        let now = (self.now)();
        let mut table = lock(&self.table);
        let expired = table.open.iter().filter(|(_, session)| self.is_expired(session, now));
        let expired: Vec<String> = expired.map(|(token, _)| token.clone()).collect();
        let ended: Vec<_> = expired.iter().map(|token| table.end(token, Ending::Expired)).collect();
        drop(table);
        drop(ended);
    }

    /// How many there are and were.
    pub(super) fn counts(&self) -> SessionCounts {
        self.sweep();
        let now = (self.now)();
        let table = lock(&self.table);
        let begun = table.open.values().map(|session| session.begun).min();
        let age = begun.map(|begun| now.saturating_duration_since(begun));
        SessionCounts {
            open: table.open.len() as u64,
            oldest_s: age.unwrap_or_default().as_secs(),
            ..table.counts
        }
    }

    /// Time from now until a session ends of which nothing more is asked.
    pub(super) fn patience(&self) -> Duration {
        self.limits.idle.min(self.limits.total)
    }

    /// A session that is in use expires after that use.
    fn is_expired(&self, session: &Session, now: Instant) -> bool {
        let since = |then: Instant| now.saturating_duration_since(then);
        session.transaction.is_some()
            && (since(session.used) >= self.limits.idle
                || since(session.begun) >= self.limits.total)
    }

    fn give_back(&self, token: &str, transaction: Transaction) {
        let now = (self.now)();
        if let Some(session) = lock(&self.table).open.get_mut(token) {
            session.used = now;
            session.transaction = Some(transaction);
        }
    }

    fn end(&self, token: &str, ending: Ending) {
        // The transaction is with whoever held it.
        let _ = lock(&self.table).end(token, ending);
    }
}

impl Held {
    /// Its token.
    pub(super) fn token(&self) -> &str {
        &self.token
    }

    /// The transaction itself.
    ///
    /// # Panics
    ///
    /// Never: what ends a session takes the whole of it.
    pub(super) fn transaction(&self) -> &Transaction {
        self.transaction.as_ref().expect("a held session has its transaction")
    }

    /// Commits it, which ends the session whatever comes of it.
    ///
    /// # Errors
    ///
    /// As [`Database::commit`].
    pub(super) fn commit(mut self, database: &Database) -> Result<Version> {
        let transaction = self.transaction.take().ok_or(Error::Closed)?;
        let outcome = database.commit(transaction);
        self.sessions.end(
            &self.token,
            match &outcome {
                Ok(version) => Ending::Committed(*version),
                Err(Error::Conflict(_)) => Ending::Overtaken,
                Err(Error::OutcomeUnknown { .. }) => Ending::Unknown,
                Err(_) => Ending::Refused,
            },
        );
        outcome
    }

    /// Ends the session without a trace of it in the database.
    pub(super) fn roll_back(mut self) {
        self.sessions.end(&self.token, Ending::RolledBack);
        self.transaction = None;
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        match self.transaction.take() {
            Some(transaction) if !thread::panicking() => {
                self.sessions.give_back(&self.token, transaction);
            }
            // It has ended already, or else it ends by a panic.
            Some(_) | None => self.sessions.end(&self.token, Ending::Unknown),
        }
    }
}

impl Table {
    /// Ends an open session; one that has ended before stays as it ended.
    #[must_use = "a transaction is dropped outside the lock"]
    fn end(&mut self, token: &str, ending: Ending) -> Option<Transaction> {
        let session = self.open.remove(token)?;
        match ending {
            Ending::Committed(_) => self.counts.committed += 1,
            Ending::Overtaken => self.counts.conflicts += 1,
            Ending::Expired => self.counts.expired += 1,
            Ending::RolledBack | Ending::Refused | Ending::Unknown => {}
        }
        if self.order.len() >= ENDED_KEPT
            && let Some(oldest) = self.order.pop_front()
        {
            self.ended.remove(&oldest);
        }
        self.order.push_back(token.to_owned());
        self.ended.insert(token.to_owned(), (session.owner, ending));
        session.transaction
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ending::Committed(version) => write!(f, "it was committed at version {version}"),
            Ending::RolledBack => f.write_str("it was rolled back"),
            Ending::Expired => f.write_str("nothing was asked of it in time, or it took too long"),
            Ending::Overtaken => f.write_str("another commit overtook it"),
            Ending::Refused => f.write_str("its commit was refused"),
            Ending::Unknown => f.write_str("the server failed under it"),
        }
    }
}

fn ended(ending: Ending) -> Problem {
    Problem::new(Kind::TransactionEnded, format!("the transaction has ended: {ending}"))
}

/// 128 random bits in hexadecimal.
fn random_token() -> Result<String, Problem> {
    let mut random = [0; TOKEN_BYTES / 2];
    getrandom::fill(&mut random).map_err(|error| {
        tracing::error!(%error, "the system gives no random bytes");
        Problem::internal()
    })?;
    Ok(random.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Sessions of 30 seconds between requests and 100 in all, and their clock.
    fn sessions() -> (Arc<Sessions>, Arc<Mutex<Instant>>) {
        let clock = Arc::new(Mutex::new(Clock::instant()));
        let shown = Arc::clone(&clock);
        let seconds = Duration::from_secs;
        let limits = SessionLimits { all: 9, per_key: 9, idle: seconds(30), total: seconds(100) };
        let now = Box::new(move || *lock(&shown));
        (Arc::new(Sessions { now, ..Sessions::new(limits) }), clock)
    }

    #[test]
    fn a_session_lives_by_being_used_and_not_for_ever() {
        let (sessions, clock) = sessions();
        let pass = |seconds| *lock(&clock) += Duration::from_secs(seconds);
        let begin = || sessions.begin(&Identity::Open, Database::in_memory().begin()).unwrap();
        let kind = |token: &str| sessions.take(&Identity::Open, token).err().map(|no| no.kind());

        let (used, unused) = (begin(), begin());
        pass(29);
        let held = sessions.take(&Identity::Open, &used).unwrap();
        pass(29);
        assert_eq!(sessions.counts().oldest_s, 58);
        drop(held);
        assert_eq!(kind(&unused), Some(Kind::TransactionEnded), "nobody asked for 30 seconds");
        pass(29);
        assert_eq!(kind(&used), None, "the time begins when the request ends");
        let held = sessions.take(&Identity::Open, &used).unwrap();
        pass(20);
        sessions.sweep();
        assert_eq!(kind(&used), Some(Kind::TransactionBusy), "in use it does not expire");
        drop(held);
        assert_eq!(kind(&used), Some(Kind::TransactionEnded), "more than 100 seconds in all");

        let swept = begin();
        pass(30);
        let counts = sessions.counts();
        assert_eq!((counts.open, counts.begun, counts.expired), (0, 3, 3));
        assert_eq!(kind(&swept), Some(Kind::TransactionEnded));
    }

    #[test]
    fn work_that_panics_ends_its_session() {
        let (sessions, _) = sessions();
        let token = sessions.begin(&Identity::Open, Database::in_memory().begin()).unwrap();
        let held = sessions.take(&Identity::Open, &token).unwrap();
        let work = move || {
            let _held = held;
            panic!("in the middle of a request");
        };
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).is_err());
        let refused = sessions.take(&Identity::Open, &token).err().unwrap();
        assert_eq!(refused.kind(), Kind::TransactionEnded);
    }

    #[test]
    fn the_memory_of_ended_sessions_is_bounded() {
        let (sessions, _) = sessions();
        let database = Database::in_memory();
        let mut tokens = Vec::new();
        for _ in 0..=ENDED_KEPT {
            let token = sessions.begin(&Identity::Open, database.begin()).unwrap();
            sessions.take(&Identity::Open, &token).unwrap().roll_back();
            tokens.push(token);
        }
        let kind = |token: &str| sessions.take(&Identity::Open, token).err().unwrap().kind();
        assert_eq!(kind(&tokens[0]), Kind::TransactionNotFound, "the oldest is forgotten");
        assert_eq!(kind(&tokens[1]), Kind::TransactionEnded);
        assert_eq!(lock(&sessions.table).ended.len(), ENDED_KEPT);
    }
}
