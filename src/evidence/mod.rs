//! Floor 1: bytes that checks leave behind, read into measurements. Pure: no files, no clock.
//!
//! A format is one file in `tests/`, `coverage/` or `metrics/` and one row in [`FORMATS`]. Each row is a
//! streaming reader: it sees a bounded buffer, tells a [`Sink`] what it reads, keeps what a damaged report
//! still says, and reports each loss as a [`Problem`]. Encodings are undone before it by [`source`].
//!
//! Deliberately absent: totals. A report's own sums are never trusted; [`measure`] recomputes them.

pub mod collect;
mod collector;
pub mod coverage;
pub mod findings;
mod json;
mod json_source;
pub mod limits;
pub mod measure;
pub mod metric;
pub mod metrics;
pub mod problem;
pub mod sink;
pub mod source;
pub mod tests;
mod xml;

pub use findings::{Evidence, Origin, Repeats};
pub use limits::{Bound, Limits};
pub use measure::{Measurement, Measurements};
pub use problem::{Code, Level, Problem};
pub use sink::{Case, Outcome, Sink};

use std::io::{self, BufRead};

use serde::{Deserialize, Serialize};

/// What a report is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Test cases and their outcomes.
    Tests,
    /// Covered lines, branches and functions.
    Coverage,
    /// Named numbers.
    Metrics,
}

impl Kind {
    /// Every kind with the key it has under `evidence:`.
    pub const ALL: &'static [(&'static str, Self)] =
        &[("tests", Self::Tests), ("coverage", Self::Coverage), ("metrics", Self::Metrics)];

    /// The key under `evidence:`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Tests => "tests",
            Self::Coverage => "coverage",
            Self::Metrics => "metrics",
        }
    }
}

/// Why a reader gave up. What it had read until then was already told to the sink.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The bytes could not be had.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// A bound was passed.
    #[error("{what} is larger than the limit of {limit}")]
    Limit {
        /// Which one.
        bound: Bound,
        /// What was too large.
        what: &'static str,
        /// The bound, in words.
        limit: String,
    },
    /// The text is not of the format at all.
    #[error("{0}")]
    Format(String),
}

/// A reader: tells `sink` what `input` says, within `limits`.
pub type Read = fn(input: &mut dyn BufRead, sink: &mut dyn Sink, limits: &Limits) -> Result<(), ReadError>;

/// One row of the format table.
pub struct Format {
    /// Name in `format:` and in reports.
    pub name: &'static str,
    /// What it is about.
    pub kind: Kind,
    /// One line for the README.
    pub doc: &'static str,
    /// Whether the first kilobytes look like it.
    pub sniff: fn(&[u8]) -> bool,
    /// The reader.
    pub read: Read,
    /// A small real report, for the tests that walk this table.
    pub sample: &'static str,
}

/// Every format, in the order in which they are tried on a report whose format is not given.
pub const FORMATS: &[Format] = &[
    tests::go_json::FORMAT,
    tests::ctrf::FORMAT,
    tests::trx::FORMAT,
    tests::junit::FORMAT,
    coverage::cobertura::FORMAT,
    coverage::clover::FORMAT,
    coverage::jacoco::FORMAT,
    coverage::opencover::FORMAT,
    coverage::lcov::FORMAT,
    coverage::gocover::FORMAT,
    coverage::istanbul::FORMAT,
    coverage::istanbul_summary::FORMAT,
    coverage::coverage_py::FORMAT,
    coverage::llvm::FORMAT,
    coverage::simplecov::FORMAT,
    tests::libtest::FORMAT,
    tests::tap::FORMAT,
    metrics::mlflow::FORMAT,
    metrics::csv::FORMAT,
    metrics::document::FORMAT,
];

/// The row with this name.
#[must_use]
pub fn format(name: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.name == name)
}

/// The first format of this kind whose look the head of a report has.
#[must_use]
pub fn sniff(kind: Option<Kind>, head: &[u8]) -> Option<&'static Format> {
    FORMATS.iter().filter(|format| kind.is_none_or(|kind| kind == format.kind)).find(|format| (format.sniff)(head))
}

#[cfg(test)]
mod table_tests {
    use super::*;

    fn read(format: &Format, bytes: &[u8]) -> Evidence {
        let origin = Origin { check: "sample", path: "sample", repeats: Repeats::Worst };
        collect::read_with(format, &mut io::Cursor::new(bytes), &origin, &Limits::default())
    }

    #[test]
    fn each_sample_is_sniffed_as_its_own_format_and_read_without_loss() {
        for row in FORMATS {
            let found = sniff(Some(row.kind), row.sample.as_bytes()).map(|format| format.name);
            assert_eq!(found, Some(row.name));
            let evidence = read(row, row.sample.as_bytes());
            assert!(
                evidence.problems.iter().all(|problem| problem.level == Level::Note),
                "{}: {:?}",
                row.name,
                evidence.problems
            );
            assert!(!Measurements::of(&evidence).is_empty(), "{}", row.name);
        }
    }

    #[test]
    fn no_cut_or_damaged_sample_panics_and_a_cut_one_never_gains_a_pass() {
        for row in FORMATS {
            let whole = Measurements::of(&read(row, row.sample.as_bytes()));
            for cut in 0..row.sample.len() {
                if row.sample.is_char_boundary(cut) {
                    let part = Measurements::of(&read(row, &row.sample.as_bytes()[..cut]));
                    let passed = |m: &Measurements| m.value("tests.passed").unwrap_or(0.0);
                    assert!(passed(&part) <= passed(&whole), "{} cut at {cut}", row.name);
                }
            }
            // A fixed linear congruential sequence: the same mutations on every machine.
            let mut state = 0x2545_f491_4f6c_dd1d_u64;
            let mut bytes = row.sample.as_bytes().to_vec();
            for _ in 0..2_000 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let at = usize::try_from(state >> 33).unwrap() % bytes.len();
                bytes[at] = state.to_le_bytes()[3];
                let _ = read(row, &bytes);
                if state.is_multiple_of(13) {
                    bytes = row.sample.as_bytes().to_vec();
                }
            }
        }
    }

    #[test]
    fn names_are_unique_and_documented() {
        let mut names: Vec<_> = FORMATS.iter().map(|format| format.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), FORMATS.len());
        assert!(FORMATS.iter().all(|format| format.doc.ends_with('.')));
    }
}
