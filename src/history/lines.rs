//! Records as they stand in a text: one a line, or one laid out over several, as `--format json` shows it.
//!
//! A line that holds only a bracket begins such a layout, which is one place however many lines it has: what is none of
//! a record's is told once. Deliberately absent: repair. What is not a whole record is passed over.

use std::io::{self, BufRead, Read as _};

use serde::Deserialize;

use super::parse_id;
use crate::record::{Record, SCHEMA};
use crate::sys::text;

/// The longest line that is read, and the longest record over several.
pub const MAX_LINE_BYTES: u64 = 512 << 20;

/// What begins every report.
const REPORTS: &str = "mgmt.report/";
/// What begins every record.
const RECORDS: &str = "mgmt.record/";

/// Why there is no record in a place.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NoRecord {
    /// The reason.
    pub(super) why: String,
    /// The next step, if it is another than to export once more.
    pub(super) help: Option<&'static str>,
}

impl NoRecord {
    fn because(why: impl Into<String>) -> Self {
        Self { why: why.into(), help: None }
    }
}

/// What stands in a place, and its length in bytes.
type Found = (Result<Record, NoRecord>, u64);

/// Lines of bounded length with their numbers, each read as a record.
pub(super) struct Lines<'a> {
    input: &'a mut dyn BufRead,
    /// Lines read so far.
    read: u64,
    /// The line in which the last place began.
    number: u64,
    bytes: Vec<u8>,
    /// Whether `bytes` is a line that was read and belongs to the next place.
    is_ahead: bool,
}

/// What reading a line came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    Whole,
    TooLong,
    End,
}

impl<'a> Lines<'a> {
    pub(super) fn of(input: &'a mut dyn BufRead) -> Self {
        Self { input, read: 0, number: 0, bytes: Vec::new(), is_ahead: false }
    }

    /// The line in which the last place began.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// The next place that is not empty: its record, or why it holds none.
    pub(super) fn next(&mut self) -> io::Result<Option<Found>> {
        loop {
            let line = self.line()?;
            self.number = self.read;
            match line {
                Line::End => return Ok(None),
                Line::TooLong => return Ok(Some(too_long())),
                Line::Whole => {}
            }
            let content = self.bytes.trim_ascii();
            if content.is_empty() {
                continue;
            }
            if matches!(content, b"{" | b"[") {
                return self.over_lines().map(Some);
            }
            return Ok(Some((read(&self.bytes), self.bytes.len() as u64)));
        }
    }

    /// One more line in `bytes`.
    fn line(&mut self) -> io::Result<Line> {
        if std::mem::take(&mut self.is_ahead) {
            return Ok(Line::Whole);
        }
        self.bytes.clear();
        let mut bounded = (&mut *self.input).take(MAX_LINE_BYTES + 1);
        if bounded.read_until(b'\n', &mut self.bytes)? == 0 {
            return Ok(Line::End);
        }
        self.read += 1;
        if self.bytes.last() != Some(&b'\n') && self.bytes.len() as u64 > MAX_LINE_BYTES {
            self.bytes = Vec::new();
            self.input.skip_until(b'\n')?;
            return Ok(Line::TooLong);
        }
        Ok(Line::Whole)
    }

    /// A value that began with a bracket on a line of its own, up to where that is closed. A line that begins a record
    /// of its own ends it as well: what was cut does not take along what comes after it.
    fn over_lines(&mut self) -> io::Result<Found> {
        let mut whole = std::mem::take(&mut self.bytes);
        let mut nesting = Nesting::default();
        nesting.read(&whole);
        while nesting.depth > 0 {
            match self.line()? {
                Line::End => break,
                Line::TooLong => return Ok(too_long()),
                Line::Whole if self.begins_a_record(&whole) => {
                    self.is_ahead = true;
                    break;
                }
                Line::Whole if whole.len() as u64 + self.bytes.len() as u64 > MAX_LINE_BYTES => return Ok(too_long()),
                Line::Whole => {
                    nesting.read(&self.bytes);
                    whole.extend_from_slice(&self.bytes);
                }
            }
        }
        let length = whole.len() as u64;
        if whole.starts_with(b"[") {
            let why = "this is a list, and records stand one a line".to_owned();
            let help = Some("write each of its records on a line of its own: `jq -c '.[]' FILE`");
            return Ok((Err(NoRecord { why, help }), length));
        }
        Ok((read(&whole), length))
    }

    /// Whether the line that was just read begins a record of its own, and is no part of what is `open`. Whatever lays
    /// a record out moves what stands inside it to the right.
    fn begins_a_record(&self, open: &[u8]) -> bool {
        self.bytes.starts_with(b"{\"") || open.starts_with(b"{") && self.bytes.trim_ascii_end() == b"{"
    }
}

fn too_long() -> Found {
    let why = format!("the line or record is longer than {}", text::bytes(MAX_LINE_BYTES));
    (Err(NoRecord::because(why)), 0)
}

/// How many brackets are open, those in strings left out.
#[derive(Default)]
struct Nesting {
    depth: u64,
    in_string: bool,
    escaped: bool,
}

impl Nesting {
    fn read(&mut self, bytes: &[u8]) {
        for byte in bytes {
            match (self.in_string, byte) {
                (true, _) if self.escaped => self.escaped = false,
                (true, b'\\') => self.escaped = true,
                (true, b'"') => self.in_string = false,
                (true, _) => {}
                (false, b'"') => self.in_string = true,
                (false, b'{' | b'[') => self.depth += 1,
                (false, b'}' | b']') => self.depth = self.depth.saturating_sub(1),
                (false, _) => {}
            }
        }
    }
}

/// Reads one record.
///
/// # Errors
/// Why it is none.
pub fn read_record(bytes: &[u8]) -> Result<Record, String> {
    read(bytes).map_err(|none| none.why)
}

fn read(bytes: &[u8]) -> Result<Record, NoRecord> {
    let record: Record = serde_json::from_slice(bytes).map_err(|error| why_none(bytes, &error))?;
    if record.schema != SCHEMA {
        return Err(other_schema(&record.schema));
    }
    let name = parse_id(&record.id);
    if name.is_none_or(|name| name.command != record.command || name.verdict != record.verdict) {
        let told = text::one_line(&text::shorten(&record.id, 80));
        return Err(NoRecord::because(format!("`{told}` is no id of a record of this command and verdict")));
    }
    Ok(record)
}

/// What something calls itself says more than what it lacks.
fn why_none(bytes: &[u8], error: &serde_json::Error) -> NoRecord {
    #[derive(Deserialize)]
    struct Head {
        schema: String,
    }
    match serde_json::from_slice::<Head>(bytes) {
        Ok(head) if head.schema != SCHEMA => other_schema(&head.schema),
        // serde_json counts lines from the start of what it is given: in a line of its own that says nothing.
        _ => {
            let told = error.to_string().replace(" at line 1 column", " at column");
            NoRecord::because(format!("this is no whole record: {told}"))
        }
    }
}

fn other_schema(schema: &str) -> NoRecord {
    let shown = text::one_line(&text::shorten(schema, 40));
    if schema.starts_with(REPORTS) {
        let why = format!("this is a report ({shown}), not a record: it holds no tests and no covered lines");
        let help = Some("`mgmt history export` writes the records themselves: run it where the report comes from");
        return NoRecord { why, help };
    }
    if schema.starts_with(RECORDS) {
        let why = format!("this is a record of another version: {shown}, and this program reads {SCHEMA}");
        return NoRecord { why, help: Some("update this program: a newer one wrote the record") };
    }
    NoRecord::because(format!("`{shown}` is not {SCHEMA}"))
}
