//! gzip and zstd: read wherever they are met, written where the name of a file asks for them.
//!
//! What is read is told by its first bytes, with which no JSON begins; so a pipe is read like a
//! file, and a file with a wrong name like one with the right one.

use std::{
    ffi::OsStr,
    fs::File,
    io::{self, BufRead, BufReader, BufWriter, Write},
    path::Path,
};

use flate2::{Compression, bufread::MultiGzDecoder, write::GzEncoder};

/// The first bytes of a gzip member (RFC 1952).
const GZIP: &[u8] = &[0x1f, 0x8b];

/// The first bytes of a zstd frame (RFC 8878).
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// Bytes that are read, or gathered before they are written, at once.
const BUFFER_BYTES: usize = 256 * 1024;

/// What a reader reads when its compression is taken away, if it has any.
pub(super) fn expanded<R: BufRead + 'static>(mut reader: R) -> io::Result<Box<dyn BufRead>> {
    let begin = reader.fill_buf()?;
    let is_begin_of = |magic: &[u8]| {
        let known = begin.len().min(magic.len());
        known > 0 && begin.get(..known) == magic.get(..known)
    };
    if is_begin_of(GZIP) {
        let decoder = MultiGzDecoder::new(reader);
        Ok(Box::new(BufReader::with_capacity(BUFFER_BYTES, decoder)))
    } else if is_begin_of(ZSTD) {
        let decoder = zstd::Decoder::with_buffer(reader)?;
        Ok(Box::new(BufReader::with_capacity(BUFFER_BYTES, decoder)))
    } else {
        Ok(Box::new(reader))
    }
}

/// Writes a file as its name says: `.gz`, `.zst`, or plain.
pub(super) enum Compressor {
    Plain(BufWriter<File>),
    Gzip(GzEncoder<BufWriter<File>>),
    Zstd(zstd::Encoder<'static, BufWriter<File>>),
}

impl Compressor {
    /// Begins to write to a file that will be called so.
    pub(super) fn new(file: File, name: &Path) -> io::Result<Compressor> {
        let file = BufWriter::with_capacity(BUFFER_BYTES, file);
        Ok(match name.extension().and_then(OsStr::to_str) {
            Some("gz") => Compressor::Gzip(GzEncoder::new(file, Compression::default())),
            Some("zst") => {
                let mut encoder = zstd::Encoder::new(file, zstd::DEFAULT_COMPRESSION_LEVEL)?;
                encoder.include_checksum(true)?;
                Compressor::Zstd(encoder)
            }
            _ => Compressor::Plain(file),
        })
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Compressor::Plain(file) => file.write_all(bytes),
            Compressor::Gzip(encoder) => encoder.write_all(bytes),
            Compressor::Zstd(encoder) => encoder.write_all(bytes),
        }
    }

    /// Writes what is left, and gives the file back.
    pub(super) fn finish(self) -> io::Result<File> {
        let file = match self {
            Compressor::Plain(file) => file,
            Compressor::Gzip(encoder) => encoder.finish()?,
            Compressor::Zstd(encoder) => encoder.finish()?,
        };
        file.into_inner().map_err(|error| error.into_error())
    }
}
