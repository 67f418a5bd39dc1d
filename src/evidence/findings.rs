//! What all reports of a run add up to.
//!
//! Each report is read into an [`Evidence`] of its own, then merged in declared order, so the result does not
//! depend on which report was read first.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::coverage::Coverage;
use super::problem::DISPUTED;
use super::tests::Tests;
use super::{Kind, Problem};
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
        let mut seen = BTreeSet::new();
        let paths = self.reports.iter().filter(|report| report.kind == kind).map(|report| report.path.as_str());
        // Each part of a run may have one of the same name.
        paths.filter(|path| seen.insert(*path)).collect()
    }
}
