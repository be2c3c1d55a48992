//! One folder of the model: the names it shows, the names the disk surely holds, and the changes
//! that lie between the two.
//!
//! Invariant: no two names lead to the same file, whichever changes a power cut takes away.

use std::{collections::BTreeMap, io};

use super::random::Random;

/// The number of a file, which stays the same under every name.
pub(super) type FileId = u64;

/// What a name leads to. Folders are known by their path, since they are never renamed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Node {
    File(FileId),
    Folder,
}

/// The state of one folder.
#[derive(Debug, Clone, Default)]
pub(super) struct Folder {
    pub(super) current: BTreeMap<String, Node>,
    durable: BTreeMap<String, Node>,
    unsynced: Vec<Change>,
}

/// A change of names that was not synced yet.
#[derive(Debug, Clone)]
struct Change {
    /// The number of the operation that made it.
    operation: u64,
    what: What,
    /// A sync of it failed: no later one makes it safe.
    abandoned: bool,
}

#[derive(Debug, Clone)]
enum What {
    Made { name: String, node: Node },
    Renamed { from: String, to: String, node: Node },
    Removed { name: String },
}

impl Folder {
    /// A folder that holds these names safely.
    pub(super) fn durable(names: BTreeMap<String, Node>) -> Folder {
        Folder { current: names.clone(), durable: names, unsynced: Vec::new() }
    }

    /// The file of a name.
    pub(super) fn file(&self, name: &str) -> io::Result<FileId> {
        match self.current.get(name) {
            Some(Node::File(id)) => Ok(*id),
            Some(Node::Folder) => Err(io::ErrorKind::IsADirectory.into()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// Every file that some name leads to, or may lead to after a power cut.
    pub(super) fn files(&self) -> impl Iterator<Item = FileId> {
        let changes = self.unsynced.iter().filter_map(|change| match &change.what {
            What::Made { node, .. } | What::Renamed { node, .. } => Some(node),
            What::Removed { .. } => None,
        });
        self.current.values().chain(self.durable.values()).chain(changes).filter_map(|node| {
            match node {
                Node::File(id) => Some(*id),
                Node::Folder => None,
            }
        })
    }

    pub(super) fn make(&mut self, operation: u64, name: &str, node: Node) {
        if self.current.contains_key(name) {
            self.remove(operation, name);
        }
        self.record(operation, What::Made { name: name.to_owned(), node });
    }

    pub(super) fn rename(&mut self, operation: u64, from: &str, to: &str, id: FileId) {
        let (from, to) = (from.to_owned(), to.to_owned());
        self.record(operation, What::Renamed { from, to, node: Node::File(id) });
    }

    pub(super) fn remove(&mut self, operation: u64, name: &str) {
        self.record(operation, What::Removed { name: name.to_owned() });
    }

    /// Makes the changes up to an operation safe.
    pub(super) fn sync(&mut self, operation: u64) {
        let durable = &mut self.durable;
        self.unsynced.retain(|change| {
            let stays = change.operation > operation || change.abandoned;
            if !stays {
                change.what.apply_to(durable);
            }
            stays
        });
    }

    /// Gives up the changes up to an operation.
    pub(super) fn fail_sync(&mut self, operation: u64) {
        for change in self.unsynced.iter_mut().filter(|change| change.operation <= operation) {
            change.abandoned = true;
        }
    }

    /// Prepares for a disk that counts its operations anew: whatever is unsynced came before.
    pub(super) fn outlive_process(&mut self) {
        self.unsynced.iter_mut().for_each(|change| change.operation = 0);
    }

    /// Takes over the names as they are, as if they had always been there.
    pub(super) fn forget_changes(&mut self) {
        self.unsynced.clear();
        self.durable.clear();
    }

    /// The names that a power cut may leave: half of the time the changes are lost from some
    /// point on, half of the time any of them are.
    pub(super) fn after_power_cut(&self, random: &mut Random) -> BTreeMap<String, Node> {
        let mut names = self.durable.clone();
        let changes = self.unsynced.len() as u64;
        let in_order = random.below(2) == 0;
        let prefix = random.below(changes + 1);
        for (place, change) in (0..).zip(&self.unsynced) {
            if if in_order { place < prefix } else { random.below(2) == 0 } {
                change.what.apply_to(&mut names);
            }
        }
        names
    }

    fn record(&mut self, operation: u64, what: What) {
        for older in self.unsynced.iter_mut().filter(|older| older.what.shares_a_name(&what)) {
            // The block that holds the name is written again, and with it the older change.
            older.abandoned = false;
        }
        what.apply_to(&mut self.current);
        self.unsynced.push(Change { operation, what, abandoned: false });
    }
}

impl What {
    fn apply_to(&self, names: &mut BTreeMap<String, Node>) {
        match self {
            What::Made { name, node } => {
                names.insert(name.clone(), *node);
            }
            What::Renamed { to, node, .. } => {
                // By the file, not by the name: the change that gave it that name may be lost.
                names.retain(|_, other| other != node);
                names.insert(to.clone(), *node);
            }
            What::Removed { name } => {
                names.remove(name);
            }
        }
    }

    fn names(&self) -> [&str; 2] {
        match self {
            What::Made { name, .. } | What::Removed { name } => [name, name],
            What::Renamed { from, to, .. } => [from, to],
        }
    }

    fn shares_a_name(&self, other: &What) -> bool {
        self.names().iter().any(|name| other.names().contains(name))
    }
}
