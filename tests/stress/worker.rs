//! One of the threads: what it does, what was acknowledged to it, and what it has to see.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use monsterdb::{
    CollectionName, CollectionOptions, Database, DocumentId, Draft, Error, Filter, IndexDefinition,
    Query, Result, Snapshot, Transaction, Update, Version,
    document::{Document, Raw},
    query::Source,
};

use crate::{
    dice::Dice,
    met::{Met, What},
};

pub(crate) const ACCOUNTS: &str = "accounts";
pub(crate) const COUNTERS: &str = "counters";
pub(crate) const ACCOUNT_COUNT: u64 = 12;
pub(crate) const BALANCE: i64 = 100;

/// Snapshots that a thread keeps to look at again.
const KEPT_MAX: usize = 8;

/// A thread's own memory, kept from one opening to the next.
pub(crate) struct Worker<'a> {
    number: u64,
    dice: Dice,
    /// Increments of its counter that were acknowledged.
    counted: i64,
    kept: VecDeque<Arc<Snapshot>>,
    met: &'a Met,
}

/// Tells the others when its thread panics: without that they might never see an end.
struct Told<'a>(&'a AtomicBool);

impl Drop for Told<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.store(true, Ordering::Relaxed);
        }
    }
}

/// Checks that all the money is there, found in two ways.
#[track_caller]
pub(crate) fn assert_balanced(snapshot: &Snapshot) {
    let accounts = snapshot.collection(ACCOUNTS).unwrap();
    let documents = accounts.documents().map(|(_, document)| document);
    assert_eq!(sum(documents), (ACCOUNT_COUNT, total()), "at version {}", snapshot.version());
    assert_eq!(listed(&**accounts).unwrap(), (ACCOUNT_COUNT, total()));
}

impl<'a> Worker<'a> {
    pub(crate) fn new(number: u64, seed: u64, met: &'a Met) -> Worker<'a> {
        let dice = Dice::new(seed * 100 + number + 1);
        Worker { number, dice, counted: 0, kept: VecDeque::new(), met }
    }

    /// Works until the database is closed. At this version, one of the threads closes it under the
    /// others, or else all of them end.
    pub(crate) fn work(
        &mut self,
        database: &Database,
        end: Version,
        close: bool,
        failed: &AtomicBool,
    ) {
        let _told = Told(failed);
        while !failed.load(Ordering::Relaxed) {
            self.dice.pause();
            if database.snapshot().version() >= end && (!close || self.number == 0) {
                if close {
                    database.clone().close().unwrap();
                }
                return;
            }
            match self.step(database) {
                Ok(()) => {}
                Err(Error::Closed) => return self.met.note(What::ClosedUnderWay),
                Err(error) => panic!("nothing else is in the way: {error}"),
            }
        }
    }

    /// Checks that its counter has what was acknowledged, and no more.
    pub(crate) fn assert_counted(&self, snapshot: &Snapshot) {
        let counter = snapshot.get(COUNTERS, &self.number.to_string()).unwrap();
        assert_eq!(number(counter.raw(), "n"), self.counted, "of thread {}", self.number);
    }

    fn step(&mut self, database: &Database) -> Result<()> {
        match self.dice.below(40) {
            0..12 => self.transfer(database),
            12..16 => self.transfer_by_hand(database),
            16..24 => self.increment(database),
            24..30 => {
                self.look(database);
                Ok(())
            }
            30..32 => self.list_by_pages(database),
            32 | 33 => self.change_index(database),
            34 | 35 => self.change_collection(database),
            36 => database.checkpoint().map(|_| self.met.note(What::Checkpoint)),
            37 => database.maintain().map(|()| self.met.note(What::Maintenance)),
            _ => self.audit(database),
        }
    }

    fn transfer(&mut self, database: &Database) -> Result<()> {
        let [from, to, amount] = self.plan();
        let dice = &mut self.dice;
        database.transact(|tx| move_money(tx, dice, [from, to], amount))?;
        self.met.note(What::Transfer);
        Ok(())
    }

    fn transfer_by_hand(&mut self, database: &Database) -> Result<()> {
        let [from, to, amount] = self.plan();
        let transaction = database.begin();
        move_money(&transaction, &mut self.dice, [from, to], amount)?;
        match database.commit(transaction) {
            Ok(_) => self.met.note(What::Transfer),
            Err(Error::Conflict(_)) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Raises its counter: blindly, or by what it read.
    fn increment(&mut self, database: &Database) -> Result<()> {
        let (name, id) = (collection(COUNTERS), id(self.number));
        let (dice, blind) = (&mut self.dice, self.counted % 2 == 0);
        database.transact(|tx| {
            if blind {
                tx.update(&name, &id, Update::parse(r#"{"$inc":{"n":1}}"#)?)?;
                dice.pause();
                return Ok(());
            }
            let n = number(tx.get(&name, &id)?.unwrap().raw(), "n");
            dice.pause();
            tx.put(&name, &id, draft(&format!(r#"{{"n":{}}}"#, n + 1)))
        })?;
        self.counted += 1;
        self.met.note(What::Increment);
        Ok(())
    }

    /// Looks at the latest state, and at one that it has kept.
    fn look(&mut self, database: &Database) {
        let snapshot = database.snapshot();
        assert_balanced(&snapshot);
        self.assert_counted(&snapshot);
        self.met.note(What::SnapshotLookedAt);
        if let Some(last) = self.kept.back() {
            assert!(last.version() <= snapshot.version(), "time goes backwards");
        }
        self.dice.pause();
        if let Some(old) = self.kept.front() {
            assert_balanced(old);
            self.met.note(What::OldSnapshotLookedAt);
        }
        self.kept.push_back(snapshot);
        if self.kept.len() > KEPT_MAX {
            self.kept.pop_front();
        }
    }

    fn list_by_pages(&mut self, database: &Database) -> Result<()> {
        let query = Query::new(Filter::all()).sort("-balance".parse()?).limit(5);
        let name = collection(ACCOUNTS);
        let mut page = database.page(&name, &query)?;
        let version = page.version;
        let mut documents = std::mem::take(&mut page.documents);
        while let Some(cursor) = &page.cursor {
            self.dice.pause();
            page = database.next_page(&name, &query, cursor)?;
            assert_eq!(page.version, version);
            documents.append(&mut page.documents);
        }
        let documents = documents.iter().map(|(_, document)| document);
        assert_eq!(sum(documents), (ACCOUNT_COUNT, total()), "page by page");
        self.met.note(What::ListedByPages);
        Ok(())
    }

    /// Makes or drops an index that all threads make and drop.
    fn change_index(&mut self, database: &Database) -> Result<()> {
        let name = ["by_balance", "by_in"][self.dice.below(2) as usize];
        let paths = if name == "by_in" { ["in", "-balance"] } else { ["balance", "_id"] };
        let changed = match self.dice.below(3) {
            0 => database.drop_index(ACCOUNTS, name).map(|_| self.met.note(What::IndexDropped)),
            _ => {
                let dice = &mut self.dice;
                let definition = IndexDefinition::on(paths)?;
                let progress = &mut |_| dice.pause();
                database.create_index_with(ACCOUNTS, name, definition, progress).map(|made| {
                    self.met.note(What::IndexMade);
                    self.met.add(What::IndexCaughtUp, made.caught_up as u64);
                })
            }
        };
        match changed {
            // It is not there, or not any more.
            Err(Error::Index(_)) => Ok(()),
            other => other,
        }
    }

    /// Makes or drops a collection that all threads make and drop.
    fn change_collection(&mut self, database: &Database) -> Result<()> {
        let changed = match self.dice.below(2) {
            0 => database
                .create_collection("passing", CollectionOptions::default())
                .map(|_| self.met.note(What::CollectionMade)),
            _ => {
                database.drop_collection("passing").map(|_| self.met.note(What::CollectionDropped))
            }
        };
        match changed {
            Err(Error::CollectionNotFound { .. }) => Ok(()),
            other => other,
        }
    }

    /// Writes down what it read of everything, so that it must not have been overtaken.
    fn audit(&mut self, database: &Database) -> Result<()> {
        let dice = &mut self.dice;
        database.transact(|tx| {
            let found = tx.find(&collection(ACCOUNTS), &all())?;
            let found = found.iter().map(|(_, document)| document);
            assert_eq!(sum(found), (ACCOUNT_COUNT, total()), "within a transaction");
            dice.pause();
            let body = format!(r#"{{"at":{}}}"#, tx.version());
            tx.put(&collection("passing"), &id(dice.below(20)), draft(&body))
        })
    }

    fn plan(&mut self) -> [u64; 3] {
        [self.dice.below(ACCOUNT_COUNT), self.dice.below(ACCOUNT_COUNT), 1 + self.dice.below(9)]
    }
}

fn move_money(tx: &Transaction, dice: &mut Dice, places: [u64; 2], amount: u64) -> Result<()> {
    let name = collection(ACCOUNTS);
    for (place, sign) in places.into_iter().zip([-1, 1]) {
        let account = tx.get(&name, &id(place))?.unwrap();
        dice.pause();
        let balance = number(account.raw(), "balance") + sign * amount as i64;
        let body = format!(r#"{{"balance":{balance},"in":[{place},{}]}}"#, balance % 7);
        tx.put(&name, &id(place), draft(&body))?;
        dice.pause();
    }
    Ok(())
}

fn listed(source: &dyn Source) -> Result<(u64, i64)> {
    let found = all().find(source)?;
    Ok(sum(found.iter().map(|(_, document)| document)))
}

/// How many accounts, and how much is in them.
fn sum<'a>(documents: impl Iterator<Item = &'a Arc<Document>>) -> (u64, i64) {
    documents
        .fold((0, 0), |(count, sum), document| (count + 1, sum + number(document.raw(), "balance")))
}

fn total() -> i64 {
    ACCOUNT_COUNT as i64 * BALANCE
}

/// In an order that an index may give.
fn all() -> Query {
    Query::new(Filter::all()).sort("balance".parse().unwrap())
}

fn number(raw: Raw<'_>, member: &str) -> i64 {
    raw.member(member).unwrap().text().parse().unwrap()
}

fn collection(name: &str) -> CollectionName {
    CollectionName::new(name).unwrap()
}

fn id(number: u64) -> DocumentId {
    DocumentId::new(&number.to_string()).unwrap()
}

fn draft(body: &str) -> Draft {
    Draft::parse(body.as_bytes()).unwrap()
}
