//! What earlier runs said of each test: the input for what only time tells (flaky, newly slow, stable again).
//!
//! Deliberately absent: where it is kept. History fills it; tests build it by hand.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::evidence::sink::Outcome;
use crate::evidence::tests::Identity;

/// Earlier runs and what they said of each test.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Samples {
    /// The runs, newest first.
    pub runs: Vec<PastRun>,
    /// For each test the runs it was in, newest first.
    pub tests: HashMap<Identity, Vec<Sample>>,
}

/// An earlier run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastRun {
    /// The record's id.
    pub id: String,
    /// When it began.
    pub started_at: Timestamp,
    /// The tree it looked at; `None` if files differed from the commit.
    pub tree: Option<String>,
}

/// One test in one earlier run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// Which run: an index into [`Samples::runs`].
    pub run: usize,
    /// How it ended.
    pub outcome: Outcome,
    /// Whether that run saw it both to hold and not to hold.
    pub flaky: bool,
    /// Seconds over all its attempts; 0 where none were given.
    pub seconds: f64,
}
