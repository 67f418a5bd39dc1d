//! What all reports of a run add up to.
//!
//! Each report is read into an [`Evidence`] of its own, then merged in declared order, so the result does not
//! depend on which report was read first.

use std::io::{BufRead, ErrorKind, Read};

use serde::{Deserialize, Serialize};

use super::collector::Collector;
use super::coverage::Coverage;
use super::problem::{DISPUTED, EMPTY, ENCODING, UNREADABLE};
use super::sink::Sink;
use super::tests::Tests;
use super::{Bound, Format, Kind, Limits, Problem, ReadError, source};
use crate::sys::text;

/// How the same test, seen again without a declared rerun, counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Repeats {
    /// The worst outcome holds.
    #[default]
    Worst,
    /// The last outcome holds: for tools that repeat a failed test and report both runs alike.
    Last,
}

impl Repeats {
    /// Every value with its word under `repeats:`.
    pub const WORDS: &'static [(&'static str, Self)] = &[("worst", Self::Worst), ("last", Self::Last)];
}

/// Where a report comes from.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    /// The check that declares it.
    pub check: &'a str,
    /// Its path from the project's root, or what stands in for one.
    pub path: &'a str,
    /// How repeated tests in it count.
    pub repeats: Repeats,
}

/// One report that was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The check that declares it.
    pub check: String,
    /// Its path from the project's root.
    pub path: String,
    /// What it is about.
    pub kind: Kind,
    /// The format it was read as.
    pub format: String,
    /// Test cases, files or metrics in it.
    pub entries: u64,
}

/// One number of a metrics file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metric {
    /// Dotted name without the `metrics.` prefix.
    pub name: String,
    /// Its value; may be NaN.
    pub value: f64,
    /// The file it was read from.
    pub source: String,
}

/// Everything read from the reports of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evidence {
    /// Tests of all reports.
    pub tests: Tests,
    /// Coverage of all reports.
    pub coverage: Coverage,
    /// Numbers of all metrics files, in the order of the files.
    pub metrics: Vec<Metric>,
    /// Folders that coverage paths may be relative to.
    pub source_roots: Vec<String>,
    /// The reports.
    pub reports: Vec<Report>,
    /// What was lost, guessed or noticed.
    pub problems: Vec<Problem>,
}

impl Evidence {
    /// Adds another report's content.
    pub fn merge(&mut self, other: Self, repeats: Repeats) {
        self.tests.merge(other.tests, repeats);
        self.coverage.merge(other.coverage);
        self.metrics.extend(other.metrics);
        for root in other.source_roots {
            if !self.source_roots.contains(&root) {
                self.source_roots.push(root);
            }
        }
        self.reports.extend(other.reports);
        self.problems.extend(other.problems);
    }

    /// Says on how many lines coverage reports differ. Only the whole evidence of a run tells, so merging does not.
    pub fn note_disputes(&mut self) {
        let files =
            self.coverage.files().map(|(path, file)| (path, file.disputed_lines())).filter(|(_, lines)| *lines > 0);
        let (mut lines, mut first) = (0, None);
        for (path, more) in files {
            lines += more;
            first.get_or_insert(path);
        }
        if let Some(first) = first {
            let count = text::plural(lines, "line", "lines");
            let told = format!(
                "the reports differ in the number of branches on {count}, first in `{}`",
                text::one_line(first)
            );
            self.problems.push(Problem::new(&DISPUTED, told));
        }
    }

    /// The paths of the reports of one kind.
    #[must_use]
    pub fn sources(&self, kind: Kind) -> Vec<&str> {
        self.reports.iter().filter(|report| report.kind == kind).map(|report| report.path.as_str()).collect()
    }
}

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
    let origin = Origin { check: "check", path: "report", repeats: Repeats::Worst };
    let mut evidence = read_with(format, &mut text.as_bytes(), &origin, &Limits::default());
    evidence.problems.iter_mut().for_each(|problem| problem.file = None);
    evidence
}
