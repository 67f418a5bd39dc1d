//! What stands between a report's bytes and the JSON parser: a buffer, and bounds on texts and nesting.

use std::cell::Cell;
use std::io::{self, BufRead, Read};

use memchr::{memchr, memchr2};

use super::{Bound, Limits};

/// Bytes handed to the parser at once.
const CHUNK: usize = 64 << 10;

/// Where in a text the last chunk ended.
enum Text {
    Outside,
    /// Inside one that is so long already; `true` after a backslash.
    Inside(usize, bool),
}

/// Hands out bytes from a buffer of its own, since the parser asks for them one by one. Measures texts and nesting
/// on the way, because the parser would hold a text of any length and a level of any depth.
pub(super) struct Source<'a> {
    input: &'a mut dyn BufRead,
    chunk: Box<[u8]>,
    at: usize,
    end: usize,
    text: Text,
    depth: usize,
    max_text: usize,
    max_depth: usize,
    refused: &'a Cell<Option<(Bound, &'static str)>>,
}

impl Read for Source<'_> {
    #[inline]
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.at == self.end {
            self.fill()?;
        }
        let rest = &self.chunk[self.at..self.end];
        // The parser asks for one byte at a time: nothing is called to copy it.
        if let ([byte], [next, ..]) = (&mut *out, rest) {
            *byte = *next;
            self.at += 1;
            return Ok(1);
        }
        let count = out.len().min(rest.len());
        out[..count].copy_from_slice(&rest[..count]);
        self.at += count;
        Ok(count)
    }
}

/// Follows the nesting sign by sign: the levels may have been closed again at once.
fn is_too_deep(outside: &[u8], depth: &mut usize, most: usize) -> bool {
    for byte in outside {
        match byte | 0x20 {
            b'{' => *depth += 1,
            b'}' => *depth = depth.saturating_sub(1),
            _ => {}
        }
        if *depth > most {
            return true;
        }
    }
    false
}

impl<'a> Source<'a> {
    /// `refused` says which bound was passed, if reading stops for one.
    pub(super) fn new(
        input: &'a mut dyn BufRead,
        limits: &Limits,
        refused: &'a Cell<Option<(Bound, &'static str)>>,
    ) -> Self {
        Self {
            input,
            chunk: vec![0; CHUNK].into_boxed_slice(),
            at: 0,
            end: 0,
            text: Text::Outside,
            depth: 0,
            max_text: limits.item_bytes,
            max_depth: limits.depth,
            refused,
        }
    }

    #[cold]
    fn fill(&mut self) -> io::Result<()> {
        let bytes = self.input.fill_buf()?;
        let count = bytes.len().min(CHUNK);
        self.chunk[..count].copy_from_slice(&bytes[..count]);
        self.input.consume(count);
        (self.at, self.end) = (0, count);
        let what = self.measure(count);
        if let Some((bound, what)) = what {
            self.refused.set(Some((bound, what)));
            self.end = 0;
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, what));
        }
        Ok(())
    }

    /// Follows texts and nesting through the chunk; says which bound is passed, if one is.
    fn measure(&mut self, count: usize) -> Option<(Bound, &'static str)> {
        let mut rest = &self.chunk[..count];
        while !rest.is_empty() {
            match self.text {
                Text::Outside => {
                    let quote = memchr(b'"', rest);
                    let (outside, after) = rest.split_at(quote.unwrap_or(rest.len()));
                    // `[` and `{`, `]` and `}` differ in one bit.
                    let count = |sign: u8| outside.iter().filter(|byte| **byte | 0x20 == sign).count();
                    let (opened, closed) = (count(b'{'), count(b'}'));
                    if self.depth + opened <= self.max_depth && self.depth >= closed {
                        self.depth = self.depth + opened - closed;
                    } else if is_too_deep(outside, &mut self.depth, self.max_depth) {
                        return Some((Bound::Depth, "the nesting of values"));
                    }
                    if quote.is_some() {
                        self.text = Text::Inside(0, false);
                    }
                    rest = after.get(1..).unwrap_or_default();
                }
                Text::Inside(length, true) => {
                    self.text = Text::Inside(length + 1, false);
                    rest = &rest[1..];
                }
                Text::Inside(length, false) => {
                    let sign = memchr2(b'"', b'\\', rest);
                    let length = length + sign.unwrap_or(rest.len());
                    if length > self.max_text {
                        return Some((Bound::Item, "one text"));
                    }
                    let is_quote = sign.is_some_and(|at| rest[at] == b'"');
                    let escape = sign.is_some();
                    self.text =
                        if is_quote { Text::Outside } else { Text::Inside(length + usize::from(escape), escape) };
                    rest = sign.map_or(&[][..], |at| &rest[at + 1..]);
                }
            }
        }
        None
    }
}
