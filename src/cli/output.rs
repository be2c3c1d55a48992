//! Standard output, line by line, and what a long command says while it runs.
//!
//! Invariant: standard output carries results only; what is meant for a watching person goes to
//! standard error.

use std::{
    io::{self, BufWriter, IsTerminal, StdoutLock, Write},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};

use super::Failure;

/// Bytes gathered before they are written.
const BUFFER_BYTES: usize = 64 * 1024;

/// Time between two lines of progress where no bar can be drawn.
const PROGRESS_PAUSE: Duration = Duration::from_secs(1);

/// Documents between two looks at the clock.
const PASSED_AT_ONCE: u64 = 512;

/// Buffered standard output.
pub(super) struct Output(BufWriter<StdoutLock<'static>>);

/// What a long command has done so far: a bar on a terminal, else a line now and then.
pub(super) struct Progress {
    begun: Instant,
    told: Instant,
    bar: Option<ProgressBar>,
    quiet: bool,
    documents: u64,
}

impl Output {
    pub(super) fn new() -> Output {
        Output(BufWriter::with_capacity(BUFFER_BYTES, io::stdout().lock()))
    }

    /// True when a person reads it as it comes.
    pub(super) fn is_terminal() -> bool {
        io::stdout().is_terminal()
    }

    /// Writes text as it is.
    pub(super) fn text(&mut self, text: &str) -> Result<(), Failure> {
        self.bytes(text.as_bytes())
    }

    /// Writes text and ends the line.
    pub(super) fn line(&mut self, text: &str) -> Result<(), Failure> {
        self.text(text)?;
        self.text("\n")
    }

    /// Writes bytes as they are.
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.0.write_all(bytes).map_err(Failure::Output)
    }

    /// Hands everything on. Without it the last lines might be lost without a word.
    pub(super) fn finish(&mut self) -> Result<(), Failure> {
        self.0.flush().map_err(Failure::Output)
    }
}

impl Progress {
    /// Begins. `total` are the bytes to come, where they are known; `quiet` says nothing at all.
    pub(super) fn new(total: Option<u64>, quiet: bool) -> Progress {
        let drawn = !quiet && io::stderr().is_terminal();
        let now = Instant::now();
        let bar = drawn.then(|| bar(total));
        Progress { begun: now, told: now, bar, quiet, documents: 0 }
    }

    /// Begins to count through documents.
    pub(super) fn through_documents(quiet: bool) -> Progress {
        let progress = Progress::new(None, quiet);
        let template = "{bar:40} {percent}% {pos} of {len} documents, {per_sec}, eta {eta}";
        Progress { bar: progress.bar.map(|bar| styled(bar, template)), ..progress }
    }

    /// Notes how many of all documents have been counted through. Where no bar can be drawn, the
    /// end is told too.
    pub(super) fn reach(&mut self, documents: u64, total: u64) {
        self.documents = documents;
        if let Some(bar) = &self.bar {
            bar.set_length(total);
            bar.set_position(documents);
        } else if !self.quiet && (documents == total || self.told.elapsed() >= PROGRESS_PAUSE) {
            self.told = Instant::now();
            eprintln!("{documents} of {total} documents, {:.0}/s", self.rate());
        }
    }

    /// Notes one more document of all.
    pub(super) fn pass(&mut self, total: u64) {
        self.documents += 1;
        // Looking at the clock takes longer than writing a document.
        if !self.documents.is_multiple_of(PASSED_AT_ONCE) {
            return;
        }
        if let Some(bar) = &self.bar {
            bar.set_length(total);
            bar.set_position(self.documents);
        } else if !self.quiet && self.told.elapsed() >= PROGRESS_PAUSE {
            self.told = Instant::now();
            eprintln!("{} of {total} documents, {:.0}/s", self.documents, self.rate());
        }
    }

    /// Notes documents that are in, and how far the input has been read.
    pub(super) fn add(&mut self, documents: u64, read: u64) {
        self.documents += documents;
        if let Some(bar) = &self.bar {
            bar.set_position(read);
            bar.set_message(format!("{} documents", self.documents));
        } else if !self.quiet && self.told.elapsed() >= PROGRESS_PAUSE {
            self.told = Instant::now();
            eprintln!("{} documents, {:.0}/s", self.documents, self.rate());
        }
    }

    /// Ends, and takes the bar away.
    pub(super) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    /// Documents that are in.
    pub(super) fn documents(&self) -> u64 {
        self.documents
    }

    /// Time since the beginning.
    pub(super) fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    /// Documents a second.
    pub(super) fn rate(&self) -> f64 {
        self.documents as f64 / self.elapsed().as_secs_f64().max(1e-9)
    }
}

fn bar(total: Option<u64>) -> ProgressBar {
    let (bar, template) = match total {
        Some(total) => {
            (ProgressBar::new(total), "{bar:40} {percent}% {msg} {bytes_per_sec} eta {eta}")
        }
        None => (ProgressBar::new_spinner(), "{spinner} {bytes} {msg} {bytes_per_sec}"),
    };
    styled(bar, template)
}

fn styled(bar: ProgressBar, template: &str) -> ProgressBar {
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
