//! What rules are held against: the run's own side, the baseline's, and the best there was.

use std::collections::BTreeMap;

use super::patch::Patch;
use super::scope::Components;
use crate::evidence::Measurements;
use crate::evidence::coverage::FileLines;

/// Everything that rules can be held against.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    /// The numbers.
    pub measurements: &'a Measurements,
    /// Lines and sums by source file.
    pub files: &'a BTreeMap<String, FileLines>,
    /// What became of changed lines; `None` if nobody knows what changed.
    pub patch: Option<&'a Patch>,
    /// Whether the commit is the first, so that nothing can have changed since.
    pub is_first: bool,
    /// The baseline.
    pub base: Option<Base<'a>>,
    /// Why there is none.
    pub unknown: Unknown<'a>,
    /// The best there was, for ratchets.
    pub best: &'a [Best],
    /// Named parts of the project.
    pub components: &'a Components,
    /// How much of a metric is excused: failures in quarantine.
    pub excused: &'a BTreeMap<String, f64>,
    /// Names behind a metric, for advice: `tests.failed` and the tests that failed.
    pub names: &'a BTreeMap<String, Vec<String>>,
}

/// The baseline's side of the facts.
#[derive(Clone, Copy)]
pub struct Base<'a> {
    /// Its numbers.
    pub measurements: &'a Measurements,
    /// Its files, under the paths that they have now.
    pub files: &'a BTreeMap<String, FileLines>,
    /// How much of its numbers was excused.
    pub excused: &'a BTreeMap<String, f64>,
}

/// Why there is nothing to compare with, where somebody knows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unknown<'a> {
    /// Why there is no baseline.
    pub base: Option<&'a str>,
    /// Why nobody looked for the best there was.
    pub best: Option<&'a str>,
}

impl Unknown<'_> {
    /// That there is no baseline, in a sentence fragment.
    pub(super) fn no_base(self) -> String {
        let why = self.base.map(|why| format!(": {why}")).unwrap_or_default();
        format!("there is no baseline to compare with{why}")
    }

    /// That there is no best value.
    pub(super) fn no_best(self) -> String {
        let found = || "there is no earlier value on the default branch".to_owned();
        self.best.map_or_else(found, |why| format!("no earlier value was looked for: {why}"))
    }
}

/// The best value of a metric on the default branch.
#[derive(Clone, Debug, PartialEq)]
pub struct Best {
    /// The metric's name.
    pub metric: String,
    /// The part of the project.
    pub scope: Option<String>,
    /// The value.
    pub value: f64,
    /// The commit or run that had it.
    pub from: String,
}

/// The end of what is said of a value that failures in quarantine are no part of.
pub const LEFT_OUT: &str = "in quarantine left out";

/// What is said where nothing tells more.
pub const NOT_MEASURED: &str = "not measured";
