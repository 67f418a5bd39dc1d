//! What the XML readers share: a pull reader that never holds more than one tag, and never resolves a
//! DTD or an entity of the document's own.
//!
//! Long texts (`system-out`, stack traces) are skipped or captured on the raw bytes, so memory does not grow
//! with them.

use std::borrow::Cow;
use std::io::BufRead as _;

use memchr::memchr;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::problem::{SYNTAX, TRUNCATED};
use super::sink::Sink;
use super::source::Counted;
use super::{Bound, Limits, Problem, ReadError};
use crate::sys::text;

/// The next thing in a report.
pub(super) enum Token<'b> {
    /// `<name …>`; a matching [`Token::Close`] follows.
    Open(Element<'b>),
    /// `<name …/>`.
    Empty(Element<'b>),
    /// `</name>`.
    Close,
    /// Text, a comment, a declaration: nothing that a report says here.
    Other,
    /// The end of the input.
    End,
}

/// A start tag.
pub(super) struct Element<'b> {
    tag: BytesStart<'b>,
    /// The line that it starts on.
    pub(super) line: u64,
}

impl Element<'_> {
    /// Its name without a namespace prefix.
    pub(super) fn name(&self) -> &str {
        local(self.tag.name().into_inner())
    }

    /// The attributes that can be read: name without prefix, raw value with its entities.
    pub(super) fn attributes(&self) -> impl Iterator<Item = (&str, &str)> {
        Attributes(self.tag.attributes_raw())
    }
}

/// The attributes of a tag. Their values are searched for quotes, not followed byte by byte: a report is mostly
/// attributes. What has no value or no quotes around it is passed over; a value without an end ends them all.
struct Attributes<'t>(&'t str);

impl<'t> Iterator for Attributes<'t> {
    type Item = (&'t str, &'t str);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let text = skip_space(std::mem::take(&mut self.0));
            let end = 1 + text.bytes().skip(1).position(|byte| byte == b'=' || is_space(byte))?;
            let (name, after) = text.split_at(end);
            let after = skip_space(after);
            let Some(value) = after.strip_prefix('=').map(skip_space) else {
                self.0 = after;
                continue;
            };
            let quote = *value.as_bytes().first()?;
            if quote == b'"' || quote == b'\'' {
                let value = &value[1..];
                let end = memchr(quote, value.as_bytes())?;
                self.0 = &value[end + 1..];
                return Some((local(name), &value[..end]));
            }
            self.0 = &value[value.bytes().position(is_space)?..];
        }
    }
}

#[inline(always)] // once a byte
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

#[inline(always)] // thrice an attribute
fn skip_space(text: &str) -> &str {
    &text[text.bytes().position(|byte| !is_space(byte)).unwrap_or(text.len())..]
}

/// A name without its namespace prefix.
#[inline(always)] // once an attribute
fn local(name: &str) -> &str {
    name.bytes().position(|byte| byte == b':').map_or(name, |colon| &name[colon + 1..])
}

/// Resolves the five XML entities and character references; anything else stays as it is.
pub(super) fn unescape(raw: &str) -> Cow<'_, str> {
    if memchr(b'&', raw.as_bytes()).is_none() {
        return Cow::Borrowed(raw);
    }
    if let Ok(text) = quick_xml::escape::unescape(raw) {
        return text;
    }
    // One bad reference must not hide the others: resolve them one by one.
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.bytes().take(16).position(|byte| byte == b';').map_or(1, |end| end + 1);
        let (reference, after) = rest.split_at(end);
        match quick_xml::escape::unescape(reference) {
            Ok(text) => out.push_str(&text),
            Err(_) => out.push_str(reference),
        }
        rest = after;
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// Why reading stopped before the end.
#[derive(Debug)]
pub(super) enum Stop {
    /// The input ends inside a tag or an element.
    Cut,
    /// The text is not XML here; the message says how.
    Syntax(String),
    /// A bound was passed, or the input failed.
    Fatal(ReadError),
}

impl Stop {
    /// Tells the sink what was lost from `line` on; fails where the caller must.
    pub(super) fn tell(self, line: u64, sink: &mut dyn Sink) -> Result<(), ReadError> {
        let problem = match self {
            Self::Cut => Problem::new(&TRUNCATED, "the report ends inside an element; what came after is unknown"),
            Self::Syntax(why) => {
                Problem::new(&SYNTAX, format!("not valid XML ({why}); nothing after this line was read"))
            }
            Self::Fatal(error) => return Err(error),
        };
        sink.problem(problem.at_line(line));
        Ok(())
    }
}

/// A pull reader over one report.
pub(super) struct Xml<'a> {
    reader: Reader<Counted<'a>>,
    buffer: Vec<u8>,
    depth: usize,
    max_depth: usize,
}

impl<'a> Xml<'a> {
    pub(super) fn new(input: Counted<'a>, limits: &Limits) -> Self {
        let mut reader = Reader::from_reader(input);
        let config = reader.config_mut();
        // Damaged reports are salvaged: nesting is followed here, not enforced there.
        config.check_end_names = false;
        config.allow_unmatched_ends = true;
        config.allow_dangling_amp = true;
        Self { reader, buffer: Vec::new(), depth: 0, max_depth: limits.depth }
    }

    /// The line that the next unread byte is on.
    pub(super) fn line(&mut self) -> u64 {
        self.reader.get_mut().line()
    }

    /// The next tag, or the end.
    pub(super) fn next(&mut self) -> Result<Token<'_>, Stop> {
        self.buffer.clear();
        self.reader.get_mut().next_item();
        match self.reader.read_event_into(&mut self.buffer) {
            Ok(Event::Start(start)) => {
                self.depth += 1;
                if self.depth > self.max_depth {
                    let limit = text::plural(self.max_depth as u64, "level", "levels");
                    return Err(Stop::Fatal(ReadError::Limit {
                        bound: Bound::Depth,
                        what: "the nesting of elements",
                        limit,
                    }));
                }
                Ok(Token::Open(Element { tag: start, line: self.reader.get_mut().start_line() }))
            }
            Ok(Event::Empty(start)) => {
                Ok(Token::Empty(Element { tag: start, line: self.reader.get_mut().start_line() }))
            }
            Ok(Event::End(_)) => {
                self.depth = self.depth.saturating_sub(1);
                Ok(Token::Close)
            }
            Ok(Event::Eof) if self.depth > 0 => Err(Stop::Cut),
            Ok(Event::Eof) => Ok(Token::End),
            Ok(_) => Ok(Token::Other),
            Err(error) => Err(stop(self.reader.get_mut(), &error)),
        }
    }

    /// Reads the content of the element just opened up to its end tag, which is left for [`Self::next`].
    /// Text goes to `keep` in pieces, markup inside left out.
    pub(super) fn content(&mut self, name: &str, mut keep: impl FnMut(&[u8], Piece)) -> Result<(), Stop> {
        let source = self.reader.get_mut();
        let fatal = |error| Stop::Fatal(ReadError::Io(error));
        loop {
            source.next_item();
            let bytes = source.fill_buf().map_err(fatal)?;
            if bytes.is_empty() {
                return Err(Stop::Cut);
            }
            let Some(at) = memchr(b'<', bytes) else {
                let count = bytes.len();
                keep(bytes, Piece::Escaped);
                source.consume(count);
                continue;
            };
            keep(&bytes[..at], Piece::Escaped);
            // Most often all of the end tag is in the buffer.
            if bytes[at + 1..].strip_prefix(b"/").is_some_and(|rest| rest.starts_with(name.as_bytes())) {
                source.consume(at);
                return Ok(());
            }
            source.consume(at + 1);
            let closing = [b"/", name.as_bytes()].concat();
            // What begins here? Read no further than needed to know.
            let mut begin = Vec::with_capacity(closing.len().max(CDATA.len()));
            while begin.len() < closing.len().max(CDATA.len())
                && [closing.as_slice(), CDATA].iter().any(|want| want.starts_with(&begin))
            {
                if begin == closing || begin == CDATA {
                    break;
                }
                let Some(&byte) = source.fill_buf().map_err(fatal)?.first() else { return Err(Stop::Cut) };
                begin.push(byte);
                source.consume(1);
            }
            if begin == closing {
                source.push_back(&closing);
                source.push_back(b"<");
                return Ok(());
            }
            if begin == CDATA {
                cdata(source, &mut keep)?;
            } else {
                // Some other tag, `begin` long so far; a `>` may already be among what was read.
                if let Some(open) = begin.iter().position(|byte| *byte == b'>') {
                    source.push_back(&begin[open + 1..]);
                } else {
                    skip_past(source, b'>')?;
                }
            }
        }
    }
}

const CDATA: &[u8] = b"![CDATA[";

/// How a piece of text is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece {
    /// With entities.
    Escaped,
    /// As it is.
    Literal,
}

/// Reads up to and past `]]>`.
fn cdata(source: &mut Counted<'_>, keep: &mut impl FnMut(&[u8], Piece)) -> Result<(), Stop> {
    let mut brackets = 0_usize;
    loop {
        source.next_item();
        let bytes = source.fill_buf().map_err(|error| Stop::Fatal(ReadError::Io(error)))?;
        let Some(&first) = bytes.first() else { return Err(Stop::Cut) };
        match first {
            b']' => {
                // Only the last two can belong to the end.
                match brackets {
                    2 => keep(b"]", Piece::Literal),
                    _ => brackets += 1,
                }
                source.consume(1);
            }
            b'>' if brackets == 2 => {
                source.consume(1);
                return Ok(());
            }
            _ => {
                keep(&b"]]"[..brackets], Piece::Literal);
                brackets = 0;
                let end = memchr(b']', bytes).unwrap_or(bytes.len());
                keep(&bytes[..end], Piece::Literal);
                source.consume(end);
            }
        }
    }
}

fn skip_past(source: &mut Counted<'_>, byte: u8) -> Result<(), Stop> {
    loop {
        source.next_item();
        let bytes = source.fill_buf().map_err(|error| Stop::Fatal(ReadError::Io(error)))?;
        if bytes.is_empty() {
            return Err(Stop::Cut);
        }
        if let Some(at) = memchr(byte, bytes) {
            source.consume(at + 1);
            return Ok(());
        }
        let count = bytes.len();
        source.consume(count);
    }
}

/// Tells a cut from bad syntax and from a limit.
fn stop(source: &mut Counted<'_>, error: &quick_xml::Error) -> Stop {
    if source.too_large() {
        return Stop::Fatal(source.limit_error("one tag or text"));
    }
    if let quick_xml::Error::Io(error) = error {
        return Stop::Fatal(ReadError::Io(std::io::Error::new(error.kind(), error.to_string())));
    }
    match source.fill_buf() {
        Ok([]) => Stop::Cut,
        _ => Stop::Syntax(error.to_string()),
    }
}

/// Text kept of a longer one: its start, up to a bound.
pub(super) struct Kept {
    text: Vec<u8>,
    max: usize,
    /// Where text begins whose entities are not resolved yet.
    escaped: usize,
    /// Whether something was left out.
    pub(super) cut: bool,
}

impl Kept {
    pub(super) fn new(max: usize) -> Self {
        Self { text: Vec::new(), max, escaped: 0, cut: false }
    }

    pub(super) fn add(&mut self, bytes: &[u8], piece: Piece) {
        let take = bytes.len().min(self.max.saturating_sub(self.text.len()));
        self.cut |= take < bytes.len();
        if piece == Piece::Literal {
            self.resolve();
        }
        self.text.extend_from_slice(&bytes[..take]);
        if piece == Piece::Literal {
            self.escaped = self.text.len();
        }
    }

    /// Entities may arrive in two pieces, so they are resolved once the text around them is whole.
    fn resolve(&mut self) {
        let raw = String::from_utf8_lossy(&self.text[self.escaped..]).into_owned();
        self.text.truncate(self.escaped);
        self.text.extend_from_slice(unescape(&raw).as_bytes());
        self.escaped = self.text.len();
    }

    pub(super) fn finish(mut self) -> String {
        self.resolve();
        String::from_utf8_lossy(&self.text).trim().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use proptest::prelude::*;

    use super::*;

    /// Reads `<a>` content through a buffer of each size; then expects `</a>`.
    fn content_of(xml: &str, capacity: usize) -> Result<String, String> {
        let mut input = BufReader::with_capacity(capacity, xml.as_bytes());
        let limits = Limits::default();
        let mut xml = Xml::new(Counted::new(&mut input, &limits), &limits);
        assert!(matches!(xml.next().unwrap(), Token::Open(e) if e.name() == "a"));
        let mut kept = Kept::new(100);
        xml.content("a", |bytes, piece| kept.add(bytes, piece)).map_err(|stop| format!("{stop:?}"))?;
        assert!(matches!(xml.next().unwrap(), Token::Close));
        assert!(matches!(xml.next().unwrap(), Token::End));
        Ok(kept.finish())
    }

    #[test]
    fn content_is_the_same_whatever_the_buffer() {
        for capacity in [1, 2, 3, 5, 8, 64] {
            assert_eq!(
                content_of("<a>x &lt; y<![CDATA[ </a> ]] ]]]> <b c='d'>z</b></a >", capacity).as_deref(),
                Ok("x < y </a> ]] ] z"),
                "{capacity}"
            );
            assert_eq!(content_of("<a></a>", capacity).as_deref(), Ok(""));
            assert_eq!(content_of("<a><></a>", capacity).as_deref(), Ok(""));
            assert!(content_of("<a>text</", capacity).is_err());
            assert!(content_of("<a><![CDATA[x]]", capacity).is_err());
        }
    }

    proptest! {
        #[test]
        fn attributes_are_those_of_the_parser(content in "[ab:=\"' \t/&é]{0,24}", pairs in "( ?[ab:]{1,3} ?= ?(\"[^\"]{0,3}\"|'[^']{0,3}')){0,4}") {
            for content in [&content, &pairs, &format!("{pairs} {content}"), &format!("{content} {pairs}")] {
                let tag = BytesStart::from_content(format!("e {content}"), 1);
                let mut parser = tag.attributes();
                parser.with_checks(false);
                let theirs: Vec<_> = parser.flatten().collect();
                let theirs: Vec<_> = theirs.iter().map(|one| (one.key.local_name().into_inner(), &*one.value)).collect();
                prop_assert_eq!(Attributes(tag.attributes_raw()).collect::<Vec<_>>(), theirs, "{:?}", content);
            }
        }
    }

    #[test]
    fn unknown_entities_stay_and_known_ones_resolve() {
        assert_eq!(unescape("&lt;&xxe;&#65;&#0;&amp & b"), "<&xxe;A&#0;&amp & b");
    }
}
