//! One report: its encoding undone, its format found, its content collected.

use std::io::{BufRead, ErrorKind, Read};

use super::collector::Collector;
use super::problem::{EMPTY, ENCODING, UNREADABLE};
use super::sink::Sink;
use super::{Bound, Evidence, Format, Kind, Limits, Origin, Problem, ReadError, source};
use crate::sys::text;

/// Reads one report: undoes its encoding, finds its format unless one is given, and collects what it says.
/// Never fails; what went wrong is among the problems.
pub fn read(
    input: impl Read,
    kind: Option<Kind>,
    format: Option<&'static Format>,
    origin: &Origin<'_>,
    limits: &Limits,
) -> Evidence {
    let mut plain = match source::plain(input, limits) {
        Ok(plain) => plain,
        Err(error) => return unreadable(origin, &error.to_string()),
    };
    let found = format.or_else(|| super::sniff(kind, &plain.head));
    let mut evidence = match found {
        Some(format) => read_with(format, &mut *plain.reader, origin, limits),
        None if plain.head.iter().all(u8::is_ascii_whitespace) => {
            let mut evidence = Evidence::default();
            evidence.problems.push(Problem::new(&EMPTY, "the report is an empty file").in_file(origin.path));
            evidence
        }
        None => {
            let names: Vec<_> = super::FORMATS
                .iter()
                .filter(|row| kind.is_none_or(|kind| kind == row.kind))
                .map(|row| row.name)
                .collect();
            return unreadable(origin, &format!("it looks like none of the formats {}", text::list(&names)));
        }
    };
    if !plain.undone.is_empty() {
        evidence.problems.push(
            Problem::new(&ENCODING, format!("converted before reading: {}", text::list(&plain.undone)))
                .in_file(origin.path),
        );
    }
    if let count @ 1.. = plain.replaced.get() {
        let told = format!(
            "{} that {} no text in the encoding of the report {} replaced by U+FFFD",
            text::plural(count, "byte", "bytes"),
            if count == 1 { "is" } else { "are" },
            if count == 1 { "was" } else { "were" },
        );
        evidence.problems.push(Problem::new(&ENCODING, told).in_file(origin.path));
    }
    evidence
}

fn unreadable(origin: &Origin<'_>, why: &str) -> Evidence {
    let mut evidence = Evidence::default();
    evidence.problems.push(Problem::new(&UNREADABLE, format!("the report cannot be read: {why}")).in_file(origin.path));
    evidence
}

/// Reads one report as a known format. Never fails; what went wrong is among the problems.
pub fn read_with(format: &Format, input: &mut dyn BufRead, origin: &Origin<'_>, limits: &Limits) -> Evidence {
    let mut collector = Collector::new(format, origin, limits);
    match (format.read)(input, &mut collector, limits) {
        Ok(()) => {}
        Err(ReadError::Limit { bound, what, limit }) => {
            let told = format!("{what} is larger than the limit of {limit}; the rest of the report was not read");
            collector.problem(bound.problem(told));
        }
        // Only the bound on the whole report ends it so: an item's is told by its reader.
        Err(ReadError::Io(error)) if error.kind() == ErrorKind::FileTooLarge => {
            let limit = limits.show(Bound::Report);
            let told = format!("the report is larger than the limit of {limit}; the rest of it was not read");
            collector.problem(Bound::Report.problem(told));
        }
        Err(error) => collector.problem(Problem::new(&UNREADABLE, format!("reading stopped: {error}"))),
    }
    collector.finish(format)
}

/// Reads a text as one format, for tests beside the readers.
#[cfg(test)]
pub(super) fn read_text(format: &Format, text: &str) -> Evidence {
    let origin = Origin { check: "check", path: "report", repeats: super::Repeats::Worst };
    let mut evidence = read_with(format, &mut text.as_bytes(), &origin, &Limits::default());
    evidence.problems.iter_mut().for_each(|problem| problem.file = None);
    evidence
}
