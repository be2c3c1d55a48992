//! The whole disk of the model: folders, files, room, faults.
//!
//! Invariant: a file exists as long as a name leads to it, or may lead to it after a power cut, or
//! a handle does.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
};

use super::{
    bytes::Bytes,
    faults::{Failure, Faults, OperationKind, Verdict},
    file_state::{FileState, SECTOR_BYTES},
    folder::{FileId, Folder, Node},
    random::Random,
};
use crate::storage::split_name;

/// How a computer stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CrashKind {
    /// The process ends (kill -9, abort). The operating system goes on, so everything that was
    /// written can still be read; but what was not synced is still not safe.
    Process,
    /// The power goes. What was not synced is there, or not, or partly, as the seed says.
    Power,
}

/// Whether a disk keeps bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Memory {
    Everything,
    /// Only names and lengths, but for the bytes of the files in one folder, if it names one.
    Lengths(Option<&'static str>),
}

impl Memory {
    /// True when the bytes of this file are kept.
    fn keeps(self, name: &str) -> bool {
        match self {
            Memory::Everything => true,
            Memory::Lengths(but) => but == Some(split_name(name).0),
        }
    }
}

/// The state of a disk.
pub(super) struct Disk {
    memory: Memory,
    folders: BTreeMap<String, Folder>,
    files: BTreeMap<FileId, FileState>,
    next_file: FileId,
    capacity: Option<u64>,
    pub(super) faults: Faults,
    /// Syncs wait while this is set.
    pub(super) syncs_held: bool,
    /// How many of them wait.
    pub(super) syncs_waiting: usize,
}

impl Disk {
    pub(super) fn new(memory: Memory) -> Disk {
        let faults = match memory {
            Memory::Everything => Faults::traced(),
            Memory::Lengths(_) => Faults::default(),
        };
        Disk {
            memory,
            folders: BTreeMap::from([(String::new(), Folder::default())]),
            files: BTreeMap::new(),
            next_file: 0,
            capacity: None,
            faults,
            syncs_held: false,
            syncs_waiting: 0,
        }
    }

    /// The disk as it may look after a crash.
    pub(super) fn crash(&self, kind: CrashKind, seed: u64) -> Disk {
        let mut after = Disk { next_file: self.next_file, ..Disk::new(self.memory) };
        match kind {
            CrashKind::Process => {
                after.folders.clone_from(&self.folders);
                after.files.clone_from(&self.files);
                after.folders.values_mut().for_each(Folder::outlive_process);
                after.files.values_mut().for_each(FileState::outlive_process);
            }
            CrashKind::Power => {
                let mut random = Random::new(seed);
                after.folders = self.folders_after_power_cut(&mut random);
                let cut = |file: &FileState, random: &mut Random| {
                    FileState::durable(file.after_power_cut(random))
                };
                after.files =
                    self.files.iter().map(|(id, file)| (*id, cut(file, &mut random))).collect();
            }
        }
        after.collect_files();
        after
    }

    pub(super) fn folder(&self, path: &str) -> io::Result<&Folder> {
        self.folders.get(path).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    pub(super) fn folder_mut(&mut self, path: &str) -> io::Result<&mut Folder> {
        self.folders.get_mut(path).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    pub(super) fn find(&self, name: &str) -> io::Result<FileId> {
        let (folder, name) = split_name(name);
        self.folder(folder)?.file(name)
    }

    pub(super) fn file(&self, id: FileId) -> &FileState {
        self.files.get(&id).expect("a handle or a name leads to the file, so it exists")
    }

    pub(super) fn file_mut(&mut self, id: FileId) -> &mut FileState {
        self.files.get_mut(&id).expect("a handle or a name leads to the file, so it exists")
    }

    /// The names of all files, with their folders.
    pub(super) fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        for (path, folder) in &self.folders {
            for name in folder.current.keys().filter(|name| folder.file(name).is_ok()) {
                names.push(join(path, name));
            }
        }
        names
    }

    pub(super) fn set_capacity(&mut self, bytes: Option<u64>) {
        self.capacity = bytes;
    }

    /// Counts an operation that is done or fails as a whole.
    pub(super) fn count(&mut self, kind: OperationKind, name: &str) -> io::Result<u64> {
        match self.faults.next(kind, name) {
            (number, Verdict::Go) => Ok(number),
            (_, Verdict::Fail(error) | Verdict::Torn(error) | Verdict::Part { error, .. }) => {
                Err(error)
            }
        }
    }

    pub(super) fn create_folder(&mut self, path: &str) -> io::Result<()> {
        let number = self.count(OperationKind::CreateFolder, path)?;
        let (above, name) = split_name(path);
        match self.folder(above)?.current.get(name) {
            Some(Node::Folder) => return Ok(()),
            Some(Node::File(_)) => return Err(io::ErrorKind::AlreadyExists.into()),
            None => self.folder_mut(above)?.make(number, name, Node::Folder),
        }
        self.folders.insert(path.to_owned(), Folder::default());
        self.forget_names(above);
        Ok(())
    }

    pub(super) fn create(&mut self, name: &str) -> io::Result<FileId> {
        let number = self.count(OperationKind::Create, name)?;
        let (folder, last) = split_name(name);
        if self.folder(folder)?.current.get(last) == Some(&Node::Folder) {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        let id = self.next_file;
        self.next_file += 1;
        self.files.insert(id, FileState::just_created());
        self.folder_mut(folder)?.make(number, last, Node::File(id));
        self.forget_names(folder);
        Ok(id)
    }

    pub(super) fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        let number = self.count(OperationKind::Rename, &format!("{from} -> {to}"))?;
        let (folder, old) = split_name(from);
        let (other, new) = split_name(to);
        if folder != other {
            let reason = "the names are in two folders";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, reason));
        }
        let id = self.folder(folder)?.file(old)?;
        if self.folder(folder)?.current.get(new) == Some(&Node::Folder) {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        self.folder_mut(folder)?.rename(number, old, new, id);
        self.forget_names(folder);
        Ok(())
    }

    pub(super) fn remove(&mut self, name: &str) -> io::Result<()> {
        let number = self.count(OperationKind::Remove, name)?;
        let (folder, last) = split_name(name);
        self.folder(folder)?.file(last)?;
        self.folder_mut(folder)?.remove(number, last);
        self.forget_names(folder);
        Ok(())
    }

    pub(super) fn write(&mut self, id: FileId, name: &str, at: u64, all: &[u8]) -> io::Result<()> {
        let (number, verdict) = self.faults.next(OperationKind::Write, name);
        match verdict {
            Verdict::Go => self.land(id, name, number, at, all),
            Verdict::Fail(error) => Err(error),
            Verdict::Part { landed, error } => {
                let part = all.get(..landed(number, all.len())).unwrap_or(all);
                self.land(id, name, number, at, part).and(Err(error))
            }
            Verdict::Torn(error) => {
                for (start, sector) in sectors(at, all).step_by(2) {
                    self.land(id, name, number, start, sector)?;
                }
                Err(error)
            }
        }
    }

    /// Puts bytes into a file.
    fn land(
        &mut self,
        id: FileId,
        name: &str,
        number: u64,
        at: u64,
        bytes: &[u8],
    ) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        let end = at + bytes.len() as u64;
        self.take_room(end.saturating_sub(self.file(id).current.len()))?;
        let memory = self.memory;
        let file = self.file_mut(id);
        match memory {
            Memory::Everything => file.write(number, at, bytes),
            Memory::Lengths(_) if memory.keeps(name) => file.current.write(at, bytes),
            Memory::Lengths(_) => file.current.set_len(end.max(file.current.len())),
        }
        Ok(())
    }

    pub(super) fn allocate(&mut self, id: FileId, name: &str, length: u64) -> io::Result<()> {
        let number = self.count(OperationKind::Allocate, name)?;
        self.take_room(length.saturating_sub(self.file(id).current.len()))?;
        let memory = self.memory;
        let file = self.file_mut(id);
        match memory {
            Memory::Everything => file.allocate(number, length),
            Memory::Lengths(_) => file.current.set_len(length),
        }
        Ok(())
    }

    /// Ends a handle.
    pub(super) fn release(&mut self, id: FileId) {
        self.file_mut(id).handles -= 1;
        self.collect_files();
    }

    /// Drops the files that nothing leads to.
    pub(super) fn collect_files(&mut self) {
        let reachable: BTreeSet<FileId> = self.folders.values().flat_map(Folder::files).collect();
        self.files.retain(|id, file| file.handles > 0 || reachable.contains(id));
    }

    /// Puts a file there, as if it had always been.
    pub(super) fn plant(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let (folder, last) = split_name(name);
        let (id, now) = (self.next_file, self.faults.count());
        let mut content = Bytes::default();
        content.write(0, bytes);
        self.folder_mut(folder)?.make(now, last, Node::File(id));
        self.folder_mut(folder)?.sync(now);
        self.next_file += 1;
        self.files.insert(id, FileState::durable(content));
        self.collect_files();
        Ok(())
    }

    /// Without bytes there is nothing to find after a crash, so nothing is kept for one.
    fn forget_names(&mut self, folder: &str) {
        if self.memory == Memory::Everything {
            return;
        }
        if let Some(folder) = self.folders.get_mut(folder) {
            folder.forget_changes();
        }
        self.collect_files();
    }

    fn take_room(&self, bytes: u64) -> io::Result<()> {
        let Some(capacity) = self.capacity.filter(|_| bytes > 0) else { return Ok(()) };
        let named: BTreeSet<FileId> = self
            .folders
            .values()
            .flat_map(|folder| folder.current.keys().filter_map(|name| folder.file(name).ok()))
            .collect();
        let takes_room =
            |(id, file): &(&FileId, &FileState)| file.handles > 0 || named.contains(id);
        let used: u64 =
            self.files.iter().filter(takes_room).map(|(_, file)| file.current.len()).sum();
        if used + bytes > capacity { Err(Failure::Full.error()) } else { Ok(()) }
    }

    fn folders_after_power_cut(&self, random: &mut Random) -> BTreeMap<String, Folder> {
        let mut after: BTreeMap<String, Folder> = BTreeMap::new();
        // Folders sort behind those they are in.
        for (path, folder) in &self.folders {
            let names = folder.after_power_cut(random);
            let (above, name) = split_name(path);
            let survives = path.is_empty()
                || after
                    .get(above)
                    .is_some_and(|above| above.current.get(name) == Some(&Node::Folder));
            if survives {
                after.insert(path.clone(), Folder::durable(names));
            }
        }
        after
    }
}

/// Bytes at a place of a file, cut at the borders of its sectors.
fn sectors(at: u64, bytes: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    let first = ((SECTOR_BYTES - at % SECTOR_BYTES) as usize).min(bytes.len());
    let (head, rest) = bytes.split_at(first);
    let behind = (at + first as u64..).step_by(SECTOR_BYTES as usize);
    [(at, head)].into_iter().chain(behind.zip(rest.chunks(SECTOR_BYTES as usize)))
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}
