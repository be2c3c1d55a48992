//! The file that an export writes.
//!
//! Invariant: under its name there is either what was there before or a whole export. It grows
//! under another name beside it, which is gone when the export fails or is interrupted.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use super::{Failure, compression::Compressor};

/// A file that is being written.
pub(super) struct ExportFile {
    path: PathBuf,
    /// The name that it has until it is whole; none for what is no regular file, such as a named
    /// pipe, which is written as it is.
    part: Option<PathBuf>,
    compressor: Option<Compressor>,
}

impl ExportFile {
    /// Begins to write.
    pub(super) fn create(path: &Path) -> Result<ExportFile, Failure> {
        // A link stays one, and what it points to is replaced.
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let is_special = fs::metadata(&path).is_ok_and(|found| !found.is_file());
        let part = (!is_special).then(|| {
            let mut part = path.clone().into_os_string();
            part.push(".part");
            PathBuf::from(part)
        });
        let opened = match &part {
            Some(part) => File::create(part),
            None => File::options().write(true).open(&path),
        };
        let mut file = ExportFile { path, part, compressor: None };
        let compressor = opened.and_then(|opened| Compressor::new(opened, &file.path));
        file.compressor = Some(compressor.map_err(|source| file.failed(source))?);
        Ok(file)
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let written = self.compressor.as_mut().map_or(Ok(()), |file| file.write(bytes));
        written.map_err(|source| self.failed(source))
    }

    /// Ends it, and gives it its name.
    pub(super) fn finish(mut self) -> Result<(), Failure> {
        self.end().map_err(|source| self.failed(source))
    }

    fn end(&mut self) -> io::Result<()> {
        let Some(compressor) = self.compressor.take() else { return Ok(()) };
        let file = compressor.finish()?;
        if let Some(part) = &self.part {
            // Its contents before its name: a crash must not leave an empty file under it.
            file.sync_all()?;
            fs::rename(part, &self.path)?;
            self.part = None;
        }
        Ok(())
    }

    fn failed(&self, source: io::Error) -> Failure {
        Failure::Write { path: self.path.clone(), source }
    }
}

impl Drop for ExportFile {
    fn drop(&mut self) {
        self.compressor = None;
        if let Some(part) = &self.part {
            // What is left of it is in nobody's way: the next export writes over it.
            let _ = fs::remove_file(part);
        }
    }
}
