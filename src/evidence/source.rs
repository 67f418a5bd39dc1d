//! What stands between a file's bytes and its reader: compression, byte-order marks, UTF-16, line counts.

use std::io::{self, BufRead, BufReader, Read};

use encoding_rs::{UTF_16BE, UTF_16LE};
use memchr::{memchr, memchr_iter};

use super::{Limits, ReadError};
use crate::sys::text;

/// Bytes of the buffer in front of every reader.
const BUFFER: usize = 128 << 10;
/// Bytes that [`super::sniff`] is shown.
const HEAD: usize = 8 << 10;

/// A report's plain UTF-8 bytes, and what had to be undone to get them.
pub struct Plain<'a> {
    /// The bytes; never more than `Limits::total_bytes`.
    pub reader: Box<dyn BufRead + 'a>,
    /// The first bytes, for sniffing.
    pub head: Vec<u8>,
    /// In words, what was undone: `gzip`, `UTF-16LE`, `a byte-order mark`.
    pub undone: Vec<&'static str>,
}

/// Undoes gzip, a byte-order mark and UTF-16.
///
/// # Errors
/// The input's own error.
pub fn plain<'a>(input: impl Read + 'a, limits: &Limits) -> io::Result<Plain<'a>> {
    let mut undone = Vec::new();
    let mut reader: Box<dyn BufRead + 'a> = Box::new(BufReader::with_capacity(BUFFER, input));
    let mut head = peek(&mut reader, 2)?;
    if head.starts_with(&[0x1f, 0x8b]) {
        undone.push("gzip");
        reader = Box::new(BufReader::with_capacity(BUFFER, flate2::bufread::MultiGzDecoder::new(rejoin(head, reader))));
        head = peek(&mut reader, 2)?;
    }
    head.extend(peek(&mut reader, HEAD - head.len().min(HEAD))?);
    let mut skip = 0;
    if let Some((name, encoding, mark)) = utf16(&head) {
        undone.push(name);
        let decoder = Utf16 {
            input: rejoin(head, reader),
            decoder: encoding.new_decoder_without_bom_handling(),
            skip: mark,
            done: false,
        };
        reader = Box::new(BufReader::with_capacity(BUFFER, decoder));
        head = peek(&mut reader, HEAD)?;
    } else if head.starts_with(&[0xef, 0xbb, 0xbf]) {
        undone.push("a byte-order mark");
        skip = 3;
    }
    head.drain(..skip);
    let reader = Box::new(BufReader::with_capacity(BUFFER, rejoin(head.clone(), reader).take(limits.total_bytes)));
    Ok(Plain { reader, head, undone })
}

/// UTF-16 by its mark, or by the zero byte beside a first ASCII `<`, `{` or `[`.
fn utf16(head: &[u8]) -> Option<(&'static str, &'static encoding_rs::Encoding, usize)> {
    match head {
        [0xff, 0xfe, ..] => Some(("UTF-16LE", UTF_16LE, 2)),
        [0xfe, 0xff, ..] => Some(("UTF-16BE", UTF_16BE, 2)),
        [b'<' | b'{' | b'[', 0, ..] => Some(("UTF-16LE", UTF_16LE, 0)),
        [0, b'<' | b'{' | b'[', ..] => Some(("UTF-16BE", UTF_16BE, 0)),
        _ => None,
    }
}

fn peek(reader: &mut impl Read, count: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(count);
    reader.take(count as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn rejoin<'a>(head: Vec<u8>, rest: Box<dyn BufRead + 'a>) -> Box<dyn BufRead + 'a> {
    Box::new(io::Cursor::new(head).chain(rest))
}

/// Decodes UTF-16 into UTF-8 in pieces.
struct Utf16<'a> {
    input: Box<dyn BufRead + 'a>,
    decoder: encoding_rs::Decoder,
    skip: usize,
    done: bool,
}

impl Read for Utf16<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while !self.done {
            let bytes = self.input.fill_buf()?;
            let skip = self.skip.min(bytes.len());
            let last = bytes.is_empty();
            let (_, read, written, _) = self.decoder.decode_to_utf8(&bytes[skip..], out, last);
            self.skip -= skip;
            self.input.consume(skip + read);
            self.done = last && read == 0 && written == 0;
            if written > 0 {
                return Ok(written);
            }
        }
        Ok(0)
    }
}

/// A reader that counts lines and refuses items that are too large to hold.
pub struct Counted<'a> {
    inner: &'a mut dyn BufRead,
    line: u64,
    item: usize,
    max_item: usize,
    pushed_back: Vec<u8>,
}

impl<'a> Counted<'a> {
    /// Starts at line 1.
    pub fn new(inner: &'a mut dyn BufRead, limits: &Limits) -> Self {
        Self { inner, line: 1, item: 0, max_item: limits.item_bytes, pushed_back: Vec::new() }
    }

    /// The line of the next unread byte, from 1.
    #[must_use]
    pub fn line(&self) -> u64 {
        self.line
    }

    /// Marks the start of a new item: a tag, a text, a line.
    pub fn next_item(&mut self) {
        self.item = 0;
    }

    /// Puts bytes without line breaks back in front of what is read next.
    pub fn push_back(&mut self, bytes: &[u8]) {
        self.pushed_back.splice(..0, bytes.iter().copied());
    }

    /// Whether the current item has passed the bound.
    #[must_use]
    pub fn too_large(&self) -> bool {
        self.item > self.max_item
    }

    /// The error for an item past the bound.
    #[must_use]
    pub fn limit_error(&self, what: &'static str) -> ReadError {
        ReadError::Limit { what, limit: text::bytes(self.max_item as u64) }
    }
}

impl Read for Counted<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let bytes = self.fill_buf()?;
        let count = bytes.len().min(out.len());
        out[..count].copy_from_slice(&bytes[..count]);
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for Counted<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.item > self.max_item {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "one item of the report is too large"));
        }
        if !self.pushed_back.is_empty() {
            return Ok(&self.pushed_back);
        }
        self.inner.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        if !self.pushed_back.is_empty() {
            self.pushed_back.drain(..count);
        } else if count > 0 {
            // The buffer is still there: it was filled before it is consumed.
            if let Ok(bytes) = self.inner.fill_buf() {
                self.line += memchr_iter(b'\n', &bytes[..count.min(bytes.len())]).count() as u64;
            }
            self.item = self.item.saturating_add(count);
            self.inner.consume(count);
        }
    }
}

/// Calls `each(line, number)` for every line, without its end (`\n` or `\r\n`). Lines that lie whole in the
/// buffer are not copied.
///
/// Returns whether the last line ended with a line break.
///
/// # Errors
/// The input's own error, or a line longer than the limit.
pub fn each_line(
    input: &mut dyn BufRead,
    limits: &Limits,
    mut each: impl FnMut(&[u8], u64),
) -> Result<bool, ReadError> {
    let mut carry: Vec<u8> = Vec::new();
    let mut number = 0_u64;
    let mut ended = true;
    let trim = |line: &[u8]| line.len() - usize::from(line.ends_with(b"\r"));
    loop {
        let bytes = input.fill_buf()?;
        if bytes.is_empty() {
            break;
        }
        let mut rest = bytes;
        while let Some(end) = memchr(b'\n', rest) {
            number += 1;
            let line = &rest[..end];
            if carry.is_empty() {
                each(&line[..trim(line)], number);
            } else {
                carry.extend_from_slice(line);
                each(&carry[..trim(&carry)], number);
                carry.clear();
            }
            rest = &rest[end + 1..];
        }
        carry.extend_from_slice(rest);
        if carry.len() > limits.item_bytes {
            return Err(ReadError::Limit { what: "a line", limit: text::bytes(limits.item_bytes as u64) });
        }
        let count = bytes.len();
        input.consume(count);
    }
    if !carry.is_empty() {
        ended = false;
        each(&carry[..trim(&carry)], number + 1);
    }
    Ok(ended)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn all(input: &[u8]) -> (String, Vec<&'static str>) {
        let mut plain = plain(input, &Limits::default()).unwrap();
        let mut text = String::new();
        plain.reader.read_to_string(&mut text).unwrap();
        assert!(text.as_bytes().starts_with(&plain.head));
        (text, plain.undone)
    }

    #[test]
    fn encodings_are_undone() {
        let text = "<a ñ=\"1\"/>\r\n";
        let mut zipped = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        zipped.write_all(b"\xef\xbb\xbf<a/>").unwrap();
        let le: Vec<u8> = [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect();
        let be: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(all(text.as_bytes()), (text.into(), vec![]));
        assert_eq!(all(&zipped.finish().unwrap()), ("<a/>".into(), vec!["gzip", "a byte-order mark"]));
        assert_eq!(all(&le), (text.into(), vec!["UTF-16LE"]));
        assert_eq!(all(&be), (text.into(), vec!["UTF-16BE"]));
        assert_eq!(all(b""), (String::new(), vec![]));
    }

    #[test]
    fn lines_are_the_same_whatever_the_buffer() {
        let text = b"one\r\ntwo\n\nthree";
        for capacity in 1..20 {
            let mut lines = Vec::new();
            let mut reader = BufReader::with_capacity(capacity, &text[..]);
            let ended =
                each_line(&mut reader, &Limits::default(), |line, number| lines.push((number, line.to_vec()))).unwrap();
            assert!(!ended);
            assert_eq!(lines, [(1, b"one".to_vec()), (2, b"two".to_vec()), (3, vec![]), (4, b"three".to_vec())]);
        }
        let small = Limits { item_bytes: 8, ..Limits::default() };
        assert!(each_line(&mut &b"123456789012345678"[..], &small, |_, _| {}).is_err());
    }
}
