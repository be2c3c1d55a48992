//! The input of an import: documents one a line, or the elements of one JSON array, compressed or
//! not.
//!
//! The form is told by the first byte that is no space: `[` begins an array. Either way one
//! document is held at a time, as text that nobody has looked into yet; an array is split by
//! counting brackets outside of strings, and each piece is checked where it is read as a document.
//!
//! Invariant: a document's number never depends on where the reading began, so the number that a
//! message names is the one to go on at. It is the line in the file; in an array, whose elements
//! may share lines, it is the element's place, counted from 1.

use std::{
    cell::Cell,
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
    rc::Rc,
};

use super::{Failure, compression::expanded};
use crate::limits;

/// Bytes of one document in the input, spaces included, so that an input without any line feed
/// does not fill the memory.
const ITEM_BYTES_MAX: usize = 4 * limits::DOCUMENT_BYTES_MAX;

/// Bytes read at once.
const BUFFER_BYTES: usize = 256 * 1024;

/// One document of the input, not looked into yet.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) place: Place,
    pub(super) text: Vec<u8>,
}

/// Which document of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// The line it is on.
    Line(u64),
    /// Its number in the array, and the line it begins on.
    Element(u64, u64),
}

/// Documents to import, read as they are asked for.
pub(super) struct Source {
    path: PathBuf,
    reader: Box<dyn BufRead>,
    total: Option<u64>,
    /// Bytes taken from the input so far, compressed ones as they are.
    read: Rc<Cell<u64>>,
    /// Line feeds passed so far.
    line_feeds: u64,
    /// The document read last, or being read.
    place: Place,
    form: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Unknown,
    Lines,
    /// How many elements were read.
    Array(u64),
    Ended,
}

/// Counts what is read.
struct Counted<R> {
    reader: R,
    bytes: Rc<Cell<u64>>,
}

/// Where the cut through an array is.
#[derive(Default)]
struct Cut {
    text: Vec<u8>,
    depth: u64,
    in_string: bool,
    escaped: bool,
}

impl Place {
    /// The number that `--from-line` takes.
    pub(super) fn number(self) -> u64 {
        match self {
            Place::Line(number) | Place::Element(number, _) => number,
        }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Place::Line(line) => write!(f, "line {line}"),
            Place::Element(number, line) => write!(f, "element {number} (line {line})"),
        }
    }
}

impl Source {
    /// Opens a file, or standard input for `-`.
    pub(super) fn open(path: &Path) -> Result<Source, Failure> {
        if path == Path::new("-") {
            return Source::new("standard input".into(), io::stdin(), None);
        }
        let opened = File::open(path).and_then(|file| Ok((file.metadata()?, file)));
        let (metadata, file) =
            opened.map_err(|source| Failure::Read { path: path.into(), source })?;
        let total = metadata.is_file().then_some(metadata.len());
        Source::new(path.into(), file, total)
    }

    /// Its length in bytes, where that is known.
    pub(super) fn total(&self) -> Option<u64> {
        self.total
    }

    /// Bytes read so far, of as many as the length says.
    pub(super) fn read(&self) -> u64 {
        self.read.get()
    }

    /// The document read last, or the one that could not be read.
    pub(super) fn place(&self) -> Place {
        self.place
    }

    /// The next document; none at the end.
    pub(super) fn next(&mut self) -> Result<Option<Item>, Failure> {
        if self.form == Form::Unknown {
            self.form = self.recognise()?;
        }
        match self.form {
            Form::Array(count) => self.next_element(count + 1),
            Form::Lines => self.next_line(),
            Form::Unknown | Form::Ended => Ok(None),
        }
    }

    fn new(
        path: PathBuf,
        input: impl Read + 'static,
        total: Option<u64>,
    ) -> Result<Source, Failure> {
        let read = Rc::new(Cell::new(0));
        let counted = Counted { reader: input, bytes: Rc::clone(&read) };
        let reader = match expanded(BufReader::with_capacity(BUFFER_BYTES, counted)) {
            Ok(reader) => reader,
            Err(source) => return Err(Failure::Read { path, source }),
        };
        let (place, form) = (Place::Line(1), Form::Unknown);
        Ok(Source { path, reader, total, read, line_feeds: 0, place, form })
    }

    /// Passes the space at the beginning and looks at what follows.
    fn recognise(&mut self) -> Result<Form, Failure> {
        loop {
            match self.peek()? {
                None => return Ok(Form::Ended),
                Some(b'[') => {
                    self.pass(b'[');
                    return Ok(Form::Array(0));
                }
                Some(space) if space.is_ascii_whitespace() => self.pass(space),
                Some(_) => return Ok(Form::Lines),
            }
        }
    }

    fn next_line(&mut self) -> Result<Option<Item>, Failure> {
        while self.form == Form::Lines {
            self.place = Place::Line(self.line_feeds + 1);
            let text = self.line()?;
            if !text.iter().all(u8::is_ascii_whitespace) {
                return Ok(Some(Item { place: self.place, text }));
            }
        }
        Ok(None)
    }

    /// The bytes up to the next line feed, or to the end.
    fn line(&mut self) -> Result<Vec<u8>, Failure> {
        let mut text = Vec::new();
        loop {
            let buffer = fill(&mut *self.reader, &self.path)?;
            let feed = buffer.iter().position(|byte| *byte == b'\n');
            let taken = feed.map_or(buffer.len(), |feed| feed + 1);
            text.extend_from_slice(buffer.get(..feed.unwrap_or(taken)).unwrap_or_default());
            self.reader.consume(taken);
            check_size(&text)?;
            if feed.is_some() {
                self.line_feeds += 1;
                return Ok(text);
            }
            if taken == 0 {
                self.form = Form::Ended;
                return Ok(text);
            }
        }
    }

    /// Cuts the next element out: up to a comma or the closing bracket outside of everything.
    fn next_element(&mut self, number: u64) -> Result<Option<Item>, Failure> {
        let mut cut = Cut::default();
        let end = loop {
            check_size(&cut.text)?;
            let byte = self.peek()?;
            if cut.text.is_empty() {
                self.place = Place::Element(number, self.line_feeds + 1);
            }
            let Some(byte) = byte else { return Err(input("the array has no end")) };
            self.pass(byte);
            if cut.ends_with(byte) {
                break byte;
            }
            cut.take(byte);
        };
        if end == b']' {
            self.form = Form::Ended;
            self.end_of_array()?;
        } else {
            self.form = Form::Array(number);
        }
        match (cut.text.is_empty(), end) {
            (false, _) => Ok(Some(Item { place: self.place, text: cut.text })),
            (true, b']') if number == 1 => Ok(None),
            (true, _) => Err(input("a document is expected")),
        }
    }

    fn end_of_array(&mut self) -> Result<(), Failure> {
        while let Some(byte) = self.peek()? {
            if !byte.is_ascii_whitespace() {
                let line = self.line_feeds + 1;
                return Err(input(format!("text goes on after the array, on line {line}")));
            }
            self.pass(byte);
        }
        Ok(())
    }

    fn peek(&mut self) -> Result<Option<u8>, Failure> {
        Ok(fill(&mut *self.reader, &self.path)?.first().copied())
    }

    fn pass(&mut self, byte: u8) {
        self.reader.consume(1);
        self.line_feeds += u64::from(byte == b'\n');
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.bytes.set(self.bytes.get() + read as u64);
        Ok(read)
    }
}

impl Cut {
    /// True when the element ends before this byte.
    fn ends_with(&self, byte: u8) -> bool {
        self.depth == 0 && !self.in_string && matches!(byte, b',' | b']')
    }

    /// Takes one more byte, unless it is space before the element.
    fn take(&mut self, byte: u8) {
        if self.text.is_empty() && byte.is_ascii_whitespace() {
            return;
        }
        self.text.push(byte);
        match byte {
            _ if self.escaped => self.escaped = false,
            b'\\' if self.in_string => self.escaped = true,
            b'"' => self.in_string = !self.in_string,
            b'{' | b'[' if !self.in_string => self.depth += 1,
            b'}' | b']' if !self.in_string => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
    }
}

fn fill<'a>(reader: &'a mut dyn BufRead, path: &Path) -> Result<&'a [u8], Failure> {
    reader.fill_buf().map_err(|source| Failure::Read { path: path.into(), source })
}

fn check_size(text: &[u8]) -> Result<(), Failure> {
    match text.len() {
        ..=ITEM_BYTES_MAX => Ok(()),
        _ => Err(input(format!("it is longer than {ITEM_BYTES_MAX} bytes"))),
    }
}

fn input(reason: impl Into<String>) -> Failure {
    Failure::Input(reason.into())
}
