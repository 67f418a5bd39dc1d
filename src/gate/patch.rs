//! Patch coverage: what became of the lines that a change touches, and of those it does not.

use serde::{Deserialize, Serialize};

use crate::evidence::coverage::LineSet;

/// Changed lines held against coverage.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Patch {
    /// What was compared, in words: `merge base 1a2b3c4 with the work tree`.
    pub between: String,
    /// Changed files in which lines can be told apart, and files that lost lines; ascending by path.
    pub files: Vec<PatchFile>,
}

/// One file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PatchFile {
    /// Its path now.
    pub path: String,
    /// Its path before, where it was renamed.
    pub old_path: Option<String>,
    /// Changed lines that ran.
    pub covered: LineSet,
    /// Changed lines that did not run, although the line they replace ran, or because they are new.
    pub uncovered: LineSet,
    /// Changed lines that did not run, as the line they replace did not before.
    pub touched: LineSet,
    /// Lines that ran in the baseline and did not now, changed or not.
    pub lost: LineSet,
    /// Its changed lines with some around them, for reports that show source. Bounded.
    pub source: Vec<SourceLine>,
}

/// A line of source text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceLine {
    /// Its number, from 1.
    pub number: u32,
    /// Whether the change touches it.
    pub changed: bool,
    /// Its text, bounded.
    pub text: String,
}
