//! What the border takes over from the input.
//!
//! Text that is compact already is copied in few pieces: parts that follow one another in the input
//! are only counted, and copied when one comes that does not.

use std::ops::Range;

use crate::limits::DOCUMENT_BYTES_MAX;

/// Parts of a text, put together.
pub(super) struct Kept<'a> {
    text: &'a str,
    out: String,
    /// The part that comes behind `out` and is not copied yet.
    run: Range<usize>,
}

impl<'a> Kept<'a> {
    /// Nothing of a text yet.
    pub(super) fn new(text: &'a str) -> Kept<'a> {
        let out = String::with_capacity(text.len().min(DOCUMENT_BYTES_MAX));
        Kept { text, out, run: 0..0 }
    }

    /// Adds a part, which is not empty, and returns how many bytes that makes.
    #[inline]
    pub(super) fn keep(&mut self, part: Range<usize>) -> usize {
        if part.start != self.run.end {
            self.begin_run(part.start);
        }
        self.run.end = part.end;
        self.len()
    }

    /// How many bytes were added.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.out.len() + self.run.len()
    }

    /// Everything added.
    pub(super) fn into_text(mut self) -> String {
        self.copy_run();
        self.out
    }

    #[inline(never)]
    fn begin_run(&mut self, start: usize) {
        self.copy_run();
        self.run.start = start;
    }

    fn copy_run(&mut self) {
        self.out.push_str(self.text.get(self.run.clone()).unwrap_or_default());
    }
}
