//! What stands between a file's bytes and its reader: compression, byte-order marks, encodings, line counts.

use std::cell::Cell;
use std::io::{self, BufRead, BufReader, Read};
use std::rc::Rc;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};
use memchr::{memchr, memchr_iter};

use super::{Bound, Limits, ReadError};
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
    /// How many bytes were no text in their encoding and were replaced by U+FFFD so far: whole once all is read.
    pub replaced: Rc<Cell<u64>>,
}

/// Undoes gzip, a byte-order mark, UTF-16 and the encoding that an XML declaration names; replaces what is not
/// UTF-8 then.
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
    let replaced = Rc::new(Cell::new(0));
    if head.starts_with(UTF8_MARK) {
        undone.push("a byte-order mark");
        skip = UTF8_MARK.len();
    } else if let Some((encoding, mark)) = utf16(&head).or_else(|| declared(&head).map(|encoding| (encoding, 0))) {
        undone.push(encoding.name());
        let decoder = Decoded {
            input: rejoin(head, reader),
            decoder: encoding.new_decoder_without_bom_handling(),
            skip: mark,
            done: false,
            replaced: Rc::clone(&replaced),
        };
        reader = Box::new(BufReader::with_capacity(BUFFER, decoder));
        head = peek(&mut reader, HEAD)?;
    }
    head.drain(..skip);
    let input = BufReader::with_capacity(BUFFER, rejoin(head.clone(), reader));
    let reader = Box::new(Utf8 {
        input,
        valid: 0,
        patch: Patch::default(),
        replaced: Rc::clone(&replaced),
        left: limits.total_bytes,
    });
    Ok(Plain { reader, head, undone, replaced })
}

const UTF8_MARK: &[u8] = b"\xef\xbb\xbf";

/// UTF-16 by its mark, or by the zero byte beside a first ASCII `<`, `{` or `[`.
fn utf16(head: &[u8]) -> Option<(&'static Encoding, usize)> {
    match head {
        [0xff, 0xfe, ..] => Some((UTF_16LE, 2)),
        [0xfe, 0xff, ..] => Some((UTF_16BE, 2)),
        [b'<' | b'{' | b'[', 0, ..] => Some((UTF_16LE, 0)),
        [0, b'<' | b'{' | b'[', ..] => Some((UTF_16BE, 0)),
        _ => None,
    }
}

/// The encoding that an XML declaration names, if bytes have to be changed for it. One that says UTF-16 in plain
/// ASCII is wrong (.NET writes it so); the bytes are UTF-8 then.
fn declared(head: &[u8]) -> Option<&'static Encoding> {
    let declaration = head.strip_prefix(b"<?xml")?;
    let declaration = &declaration[..memchr(b'>', declaration)?];
    let at = memchr::memmem::find(declaration, b"encoding")? + b"encoding".len();
    let value = declaration[at..].trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
    let (quote, value) = value.split_first()?;
    let label = &value[..memchr(*quote, value)?];
    Encoding::for_label(label).filter(|encoding| encoding.is_ascii_compatible() && *encoding != UTF_8)
}

fn peek(reader: &mut impl Read, count: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(count);
    reader.take(count as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn rejoin<'a>(head: Vec<u8>, rest: Box<dyn BufRead + 'a>) -> Box<dyn BufRead + 'a> {
    Box::new(io::Cursor::new(head).chain(rest))
}

/// Decodes an encoding into UTF-8 in pieces.
struct Decoded<'a> {
    input: Box<dyn BufRead + 'a>,
    decoder: encoding_rs::Decoder,
    skip: usize,
    done: bool,
    replaced: Rc<Cell<u64>>,
}

impl Read for Decoded<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while !self.done {
            let bytes = self.input.fill_buf()?;
            let skip = self.skip.min(bytes.len());
            let last = bytes.is_empty();
            // Room is left for the replacement of what is no text.
            let room = out.len().saturating_sub(REPLACEMENT.len());
            let (result, read, mut written) =
                self.decoder.decode_to_utf8_without_replacement(&bytes[skip..], &mut out[..room], last);
            if let encoding_rs::DecoderResult::Malformed(bad, _) = result {
                self.replaced.set(self.replaced.get() + u64::from(bad));
                out[written..written + REPLACEMENT.len()].copy_from_slice(REPLACEMENT);
                written += REPLACEMENT.len();
            }
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

const REPLACEMENT: &[u8] = "\u{fffd}".as_bytes();

/// Passes UTF-8 on from the buffer in which it stands; what is none becomes U+FFFD. Ends with an error where the
/// bound on the whole is passed.
struct Utf8<R> {
    input: R,
    /// How many bytes at the front of the input's buffer are known to be UTF-8.
    valid: usize,
    /// What stands in front of the input's buffer.
    patch: Patch,
    replaced: Rc<Cell<u64>>,
    left: u64,
}

/// A few bytes: one character, or its replacement.
#[derive(Clone, Copy, Default)]
struct Patch {
    bytes: [u8; 4],
    from: usize,
    to: usize,
}

impl Patch {
    fn of(bytes: &[u8]) -> Self {
        let mut patch = Self { to: bytes.len().min(4), ..Self::default() };
        patch.bytes[..patch.to].copy_from_slice(&bytes[..patch.to]);
        patch
    }
}

impl<R: BufRead> Utf8<R> {
    /// Takes what stands at the front and is no whole character in this buffer: one that goes on in the next, or
    /// bytes that are no text.
    fn patch(&mut self) -> io::Result<()> {
        let mut held = [0_u8; 4];
        let mut length = 0;
        while length < held.len() {
            let Some(&byte) = self.input.fill_buf()?.first() else { break };
            held[length] = byte;
            match std::str::from_utf8(&held[..=length]) {
                Ok(_) => {
                    self.input.consume(1);
                    self.patch = Patch::of(&held[..=length]);
                    return Ok(());
                }
                Err(error) if error.error_len().is_none() => self.input.consume(1),
                Err(_) if length == 0 => {
                    self.input.consume(1);
                    length = 1;
                    break;
                }
                // This byte begins something else.
                Err(_) => break,
            }
            length += 1;
        }
        self.replaced.set(self.replaced.get() + length as u64);
        self.patch = Patch::of(REPLACEMENT);
        Ok(())
    }
}

impl<R: BufRead> Read for Utf8<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let bytes = self.fill_buf()?;
        let count = bytes.len().min(out.len());
        out[..count].copy_from_slice(&bytes[..count]);
        self.consume(count);
        Ok(count)
    }
}

impl<R: BufRead> BufRead for Utf8<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.patch.from == self.patch.to && self.valid == 0 {
            let bytes = self.input.fill_buf()?;
            self.valid = match std::str::from_utf8(bytes) {
                Ok(_) => bytes.len(),
                Err(error) => error.valid_up_to(),
            };
            if self.valid == 0 && !bytes.is_empty() {
                self.patch()?;
            }
        }
        if self.patch.from < self.patch.to {
            return Ok(&self.patch.bytes[self.patch.from..self.patch.to]);
        }
        if self.left == 0 && self.valid > 0 {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is larger than the limit on one report"));
        }
        let most = usize::try_from(self.left).unwrap_or(usize::MAX);
        Ok(&self.input.fill_buf()?[..self.valid.min(most)])
    }

    fn consume(&mut self, count: usize) {
        self.left = self.left.saturating_sub(count as u64);
        if self.patch.from < self.patch.to {
            self.patch.from += count;
        } else {
            self.valid -= count;
            self.input.consume(count);
        }
    }
}

/// A reader that counts lines and refuses items that are too large to hold.
///
/// What is consumed is handed back to the inner reader once its buffer is used up, so that lines are counted in long
/// runs and a byte costs no call of its own.
pub struct Counted<'a> {
    inner: &'a mut dyn BufRead,
    /// Bytes in the inner reader's buffer.
    filled: usize,
    /// How many of them are consumed.
    used: usize,
    /// How many of them `line` has taken in; at most `used`.
    seen: usize,
    line: u64,
    /// Where in the buffer the item starts, until its line is known.
    start: Option<usize>,
    start_line: u64,
    item: usize,
    max_item: usize,
    pushed_back: Vec<u8>,
}

impl<'a> Counted<'a> {
    /// Starts at line 1.
    pub fn new(inner: &'a mut dyn BufRead, limits: &Limits) -> Self {
        Self {
            inner,
            filled: 0,
            used: 0,
            seen: 0,
            line: 1,
            start: None,
            start_line: 1,
            item: 0,
            max_item: limits.item_bytes,
            pushed_back: Vec::new(),
        }
    }

    /// The line of the next unread byte, from 1.
    pub fn line(&mut self) -> u64 {
        self.start_line();
        self.see(self.used)
    }

    /// The line on which the item starts, from 1.
    pub fn start_line(&mut self) -> u64 {
        if let Some(start) = self.start.take() {
            self.start_line = self.see(start);
        }
        self.start_line
    }

    /// The line of a byte in the buffer, at or after those that are counted already.
    fn see(&mut self, at: usize) -> u64 {
        // The buffer is still there: its bytes are not handed back yet.
        if self.seen < at
            && let Ok(bytes) = self.inner.fill_buf()
        {
            self.line += memchr_iter(b'\n', &bytes[self.seen..at]).count() as u64;
            self.seen = at;
        }
        self.line
    }

    /// Marks the start of a new item: a tag, a text, a line.
    pub fn next_item(&mut self) {
        self.item = 0;
        self.start = Some(self.used);
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
        ReadError::Limit { bound: Bound::Item, what, limit: text::bytes(self.max_item as u64) }
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
        if self.used == self.filled {
            self.line();
            self.inner.consume(self.filled);
            (self.filled, self.used, self.seen) = (0, 0, 0);
            self.filled = self.inner.fill_buf()?.len();
        }
        Ok(&self.inner.fill_buf()?[self.used..])
    }

    fn consume(&mut self, count: usize) {
        if self.pushed_back.is_empty() {
            self.used = self.filled.min(self.used + count);
            self.item = self.item.saturating_add(count);
        } else {
            self.pushed_back.drain(..count);
        }
    }
}

/// A reader for parsers with a buffer of their own: it fails once `used`, which its user sets back at the start of
/// each item, has passed a bound. Precise to the size of that buffer.
pub struct Metered<'a> {
    inner: &'a mut dyn BufRead,
    most: usize,
    used: &'a Cell<usize>,
}

impl<'a> Metered<'a> {
    /// A reader of items of at most `most` bytes.
    pub fn new(inner: &'a mut dyn BufRead, most: usize, used: &'a Cell<usize>) -> Self {
        Self { inner, most, used }
    }
}

impl Read for Metered<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.used.get() > self.most {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "one item of the report is too large"));
        }
        let count = self.inner.read(out)?;
        self.used.set(self.used.get() + count);
        Ok(count)
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
            return Err(ReadError::Limit {
                bound: Bound::Item,
                what: "a line",
                limit: text::bytes(limits.item_bytes as u64),
            });
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

    fn replaced(input: &[u8]) -> (String, u64) {
        let mut plain = plain(input, &Limits::default()).unwrap();
        let mut text = String::new();
        plain.reader.read_to_string(&mut text).unwrap();
        (text, plain.replaced.get())
    }

    #[test]
    fn what_is_not_utf8_is_replaced_and_counted() {
        for input in [
            &b"a\xffb"[..],
            b"\xc3",
            b"\xe2\x82",
            b"x\xe2\x82(",
            b"\xf0\x9f\x92\xc3\xa9",
            b"\xed\xa0\x80",
            b"\x80\x80z",
        ] {
            let want = String::from_utf8_lossy(input);
            let (text, count) = replaced(input);
            assert_eq!(text, want, "{input:x?}");
            // Bytes in, less those of the characters kept, are those replaced.
            let kept: usize = text.chars().filter(|ch| *ch != '\u{fffd}').map(char::len_utf8).sum();
            assert_eq!(count, (input.len() - kept) as u64, "{input:x?}");
        }
        assert_eq!(replaced("añ€💡\u{fffd}".as_bytes()), ("añ€💡\u{fffd}".into(), 0));
    }

    #[test]
    fn characters_across_buffers_stay_whole() {
        let text = "aé€💡\u{fffd}é".repeat(3);
        let mut broken = text.as_bytes().to_vec();
        broken.insert(7, 0xff);
        broken.push(0xe2);
        for capacity in 1..12 {
            for input in [text.as_bytes(), &broken] {
                let replaced = Rc::new(Cell::new(0));
                let input_reader = BufReader::with_capacity(capacity, input);
                let patch = Patch::default();
                let mut reader =
                    Utf8 { input: input_reader, valid: 0, patch, replaced: Rc::clone(&replaced), left: 1 << 20 };
                let mut read = String::new();
                reader.read_to_string(&mut read).unwrap();
                assert_eq!(read, String::from_utf8_lossy(input), "{capacity}");
                assert_eq!(replaced.get(), if input.len() == text.len() { 0 } else { 6 });
            }
        }
    }

    #[test]
    fn a_declared_encoding_is_undone() {
        let latin = b"<?xml version='1.0' encoding = \"ISO-8859-1\"?><a b='\xe4'/>";
        assert_eq!(
            all(latin),
            ("<?xml version='1.0' encoding = \"ISO-8859-1\"?><a b='ä'/>".into(), vec!["windows-1252"])
        );
        for same in [
            "<?xml version=\"1.0\" encoding=\"utf-8\"?><a b='ä'/>",
            "<?xml version=\"1.0\" encoding=\"utf-16\"?><a b='ä'/>",
            "<?xml version=\"1.0\" encoding=\"no-such\"?><a/>",
            "<?xml version=\"1.0\" encoding=\"",
            "<?xml version=\"1.0\" encoding=?>",
        ] {
            assert_eq!(all(same.as_bytes()), (same.into(), vec![]));
        }
        let shift = b"<?xml encoding='Shift_JIS'?>\x82\xa0\xff";
        assert_eq!(replaced(shift), ("<?xml encoding='Shift_JIS'?>あ\u{fffd}".into(), 1));
    }

    #[test]
    fn what_is_past_the_bound_on_the_whole_is_not_dropped_silently() {
        let read = |bytes: u64| {
            let limits = Limits { total_bytes: bytes, ..Limits::default() };
            let mut text = String::new();
            plain(&b"abcdef"[..], &limits).unwrap().reader.read_to_string(&mut text).map(|_| text)
        };
        assert_eq!(read(6).unwrap(), "abcdef");
        assert!(read(5).is_err());
    }

    #[test]
    fn lines_are_counted_whatever_the_buffer() {
        let text = b"a\n\nbc\nd\n\n\ne";
        for capacity in 1..20 {
            for step in 1..8 {
                let mut inner = BufReader::with_capacity(capacity, &text[..]);
                let mut counted = Counted::new(&mut inner, &Limits::default());
                let mut at = 0;
                while at < text.len() {
                    let line = |at: usize| 1 + text[..at].iter().filter(|byte| **byte == b'\n').count() as u64;
                    let start = at;
                    counted.next_item();
                    for _ in 0..step {
                        let taken = counted.fill_buf().unwrap().len().min(2);
                        counted.consume(taken);
                        at += taken;
                    }
                    if start % 2 == 0 {
                        assert_eq!(counted.line(), line(at), "{capacity} {step}");
                    }
                    assert_eq!(counted.start_line(), line(start), "{capacity} {step}");
                }
            }
        }
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
