//! `backup`, `verify` and `restore`: a database as files somewhere else, and back.
//!
//! A backup is a directory, or with a name that ends in `.tar` an archive of it, or with `-` an
//! archive on standard output. From a server it comes while the server goes on; a directory that
//! nobody serves is opened for it as a server would.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use clap::Args;
use serde_json::json;

use super::{
    DataArgs, Failure, TargetArgs,
    new_directory::NewDirectory,
    output::{Output, Progress},
    remote::Client,
};
use crate::{
    checkpoint,
    database::{Backup, Database, restore, unpack_tar, verify},
    error::Error,
    storage::{Access, FileStorage, Storage},
    version::Version,
};

/// Write a database into a directory or an archive, at one version.
#[derive(Debug, Args)]
pub struct BackupArgs {
    /// A directory, empty or with an earlier backup, which then gets what changed; a file
    /// NAME.tar; or - for an archive on standard output
    #[arg(value_name = "DIR|FILE.tar|-")]
    pub target: PathBuf,

    /// Where the database is.
    #[command(flatten)]
    pub source: TargetArgs,
}

/// Verify a backup as a whole, without restoring it.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// The directory, or a file NAME.tar
    #[arg(value_name = "DIR|FILE.tar")]
    pub backup: PathBuf,
}

/// Make a database of a backup.
#[derive(Debug, Args)]
pub struct RestoreArgs {
    /// The directory of the backup, or a file NAME.tar
    #[arg(value_name = "DIR|FILE.tar")]
    pub backup: PathBuf,

    /// Where to make it: a directory that is empty or not there.
    #[command(flatten)]
    pub data: DataArgs,

    /// The version to restore, with the log of an archive; without it the last one there
    #[arg(long, value_name = "VERSION", requires = "archive")]
    pub to: Option<u64>,

    /// The archive of the log, as --wal-archive named it for the server, or a data directory
    #[arg(long, value_name = "DIR")]
    pub archive: Option<PathBuf>,
}

/// A backup to be read, and the directory that an archive was unpacked into for it.
struct Opened {
    storage: FileStorage,
    unpacked: Option<PathBuf>,
}

/// Writes a backup.
pub(super) fn run(args: &BackupArgs, json: bool) -> Result<(), Failure> {
    let is_archive = is_archive(&args.target);
    let told = match args.source.client()? {
        Some(client) => from_server(&client, &args.target, is_archive)?,
        None => from_directory(&args.source.data.data, &args.target, is_archive, json)?,
    };
    // What is on standard output is the archive alone.
    if is_stream(&args.target) {
        return Ok(());
    }
    let mut output = Output::new();
    output.line(&match json {
        true => told.to_string(),
        false => format!("version {} is in {}", told["version"], args.target.display()),
    })?;
    output.finish()
}

fn from_directory(
    data: &Path,
    target: &Path,
    is_archive: bool,
    json: bool,
) -> Result<serde_json::Value, Failure> {
    // Opening would make a database where there is none.
    let storage = FileStorage::open(data, Access::Read)?;
    if checkpoint::load_manifest(&storage)?.is_none() {
        let source = io::ErrorKind::NotFound.into();
        return Err(Error::Io { action: "find a database in", path: data.into(), source }.into());
    }
    drop(storage);
    let database = Database::open(data)?;
    let backup = database.backup()?;
    let told = match is_archive {
        true => {
            write_file(target, |out| backup.write_tar(Version::ZERO, out))?;
            json!({ "version": backup.version().get(), "bytes": backup.bytes() })
        }
        false => write_directory(&backup, target, json)?,
    };
    database.close()?;
    Ok(told)
}

fn write_directory(
    backup: &Backup,
    target: &Path,
    json: bool,
) -> Result<serde_json::Value, Failure> {
    let mut progress = Progress::new(Some(backup.bytes()), json);
    let target = NewDirectory::make(target)?;
    let written = backup.write_into(target.storage(), |bytes| progress.add(0, bytes));
    progress.finish();
    Ok(json!(target.end(written)?))
}

fn from_server(
    client: &Client,
    target: &Path,
    is_archive: bool,
) -> Result<serde_json::Value, Failure> {
    if !is_archive {
        // Asked for when it is certain that there is a place for it.
        let target = NewDirectory::make(target)?;
        let version = unpack(client, target.storage());
        return Ok(json!({ "version": target.end(version)?.get() }));
    }
    let mut answer = client.backup(Version::ZERO)?;
    write_file(target, |out| io::copy(&mut answer, out).map(drop))?;
    if is_stream(target) {
        return Ok(json!(null));
    }
    // Only its last file says that it is whole.
    let manifest = verify(&Opened::archive(target)?.storage)?;
    Ok(json!({ "version": manifest.version.get() }))
}

/// Unpacks what the server has and an earlier backup in the target has not.
fn unpack(client: &Client, target: &FileStorage) -> Result<Version, Failure> {
    let earlier = checkpoint::load_manifest(target)?.unwrap_or_default().version;
    match unpack_tar(&mut client.backup(earlier)?, target) {
        // What is there is not what the server takes it for; the whole backup tells more.
        Err(Error::Damaged(_)) if earlier > Version::ZERO => {
            Ok(unpack_tar(&mut client.backup(Version::ZERO)?, target)?)
        }
        unpacked => Ok(unpacked?),
    }
}

/// Writes a file that is there when it is whole, or standard output.
fn write_file(
    target: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), Failure> {
    if is_stream(target) {
        let mut out = io::stdout().lock();
        return write(&mut out).and_then(|()| out.flush()).map_err(Failure::Output);
    }
    let failed = |source| Error::Io { action: "write", path: target.to_owned(), source };
    if target.exists() {
        return Err(failed(io::ErrorKind::AlreadyExists.into()).into());
    }
    let temporary = target.with_extension("tar.tmp");
    let written = File::create(&temporary).and_then(|mut file| {
        let mut out = io::BufWriter::new(&mut file);
        write(&mut out).and_then(|()| out.flush())?;
        drop(out);
        file.sync_all()?;
        fs::rename(&temporary, target)
    });
    if written.is_err() {
        // The first error is the one to report.
        let _ = fs::remove_file(&temporary);
    }
    Ok(written.map_err(failed)?)
}

/// Verifies a backup.
pub(super) fn run_verify(args: &VerifyArgs, json: bool) -> Result<(), Failure> {
    let manifest = verify(&Opened::at(&args.backup)?.storage)?;
    let version = manifest.version.get();
    let (files, bytes) = manifest.files().fold((0, 0), |sum, file| (sum.0 + 1, sum.1 + file.bytes));
    let mut output = Output::new();
    output.line(&match json {
        true => json!({ "version": version, "files": files, "bytes": bytes }).to_string(),
        false => format!("good: version {version}, {files} files, {bytes} bytes"),
    })?;
    output.finish()
}

/// Restores a backup.
pub(super) fn run_restore(args: &RestoreArgs, json: bool) -> Result<(), Failure> {
    let backup = Opened::at(&args.backup)?;
    let archive = args.archive.as_ref();
    let archive = archive.map(|path| FileStorage::open(path, Access::Watch)).transpose()?;
    let archive = archive.as_ref().map(|archive| archive as &dyn Storage);
    let target = NewDirectory::make(&args.data.data)?;
    let to = args.to.map(Version::new);
    let told = restore(&backup.storage, archive, to, target.storage());
    let told = target.end(told)?;
    let mut output = Output::new();
    output.line(&match json {
        true => json!(told).to_string(),
        false => format!(
            "version {} is in {}: the backup was of version {}, and {} records followed",
            told.version,
            args.data.data.display(),
            told.backup,
            told.records
        ),
    })?;
    output.finish()
}

impl Opened {
    fn at(path: &Path) -> Result<Opened, Failure> {
        match is_archive(path) {
            true => Opened::archive(path),
            false => Ok(Opened { storage: FileStorage::open(path, Access::Read)?, unpacked: None }),
        }
    }

    /// Unpacks an archive beside itself, for as long as the value lives.
    fn archive(path: &Path) -> Result<Opened, Failure> {
        let failed = |source| Failure::Read { path: path.to_owned(), source };
        let mut file: Box<dyn Read> = Box::new(File::open(path).map_err(failed)?);
        let directory = path.with_extension(format!("unpacked-{}", std::process::id()));
        let storage = FileStorage::open(&directory, Access::Write)?;
        let opened = Opened { storage, unpacked: Some(directory) };
        unpack_tar(&mut file, &opened.storage)?;
        Ok(opened)
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        if let Some(directory) = &self.unpacked
            && let Err(error) = fs::remove_dir_all(directory)
        {
            tracing::warn!(directory = %directory.display(), %error, "a temporary directory remains");
        }
    }
}

fn is_stream(target: &Path) -> bool {
    target == Path::new("-")
}

fn is_archive(path: &Path) -> bool {
    is_stream(path) || path.extension().is_some_and(|extension| extension == "tar")
}
