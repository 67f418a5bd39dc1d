//! What readers tell: one call for each thing a report says.
//!
//! Values are borrowed from the reader's buffer, so a reader allocates nothing for what the sink drops.

use serde::{Deserialize, Serialize};

use super::Problem;

/// How a test ended, from harmless to worst: when one test has several outcomes, the greatest counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Did not run on purpose.
    Skipped,
    /// Ran and held.
    Passed,
    /// Ran and did not hold.
    Failed,
    /// Could not run to its end: a crash, a broken fixture, a build failure.
    Errored,
}

impl Outcome {
    /// Whether it counts in `tests.failed`.
    #[must_use]
    pub fn is_failure(self) -> bool {
        matches!(self, Self::Failed | Self::Errored)
    }
}

/// One test case as a report states it.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    /// Names of the suites around it, outermost first.
    pub suites: &'a [String],
    /// Class, module or binary; empty if not given.
    pub class: &'a str,
    /// Name with parameters.
    pub name: &'a str,
    /// Source file, if given.
    pub file: Option<&'a str>,
    /// Line in that file, from 1.
    pub line: Option<u32>,
    /// Final outcome.
    pub outcome: Outcome,
    /// Seconds, if given and a number.
    pub seconds: Option<f64>,
    /// What a failure said, already bounded.
    pub message: Option<&'a str>,
    /// Attempts that the report declares beside the final one.
    pub reruns: u32,
    /// Whether the report declares that it failed before it passed, or the reverse.
    pub flaky: bool,
}

/// How lines add up when one report names the same file twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// Hits add (lcov: one record for each test name).
    Sum,
    /// The greater count holds (Cobertura: classes that share a file repeat its lines).
    Max,
}

impl Repeat {
    /// Two hit counts of one line.
    #[must_use]
    pub fn join(self, a: u64, b: u64) -> u64 {
        match self {
            Self::Sum => a.saturating_add(b),
            Self::Max => a.max(b),
        }
    }
}

/// A place in a source file: lines from 1, columns as the report counts them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// First line and column.
    pub start: (u32, u32),
    /// Last line and column.
    pub end: (u32, u32),
}

/// Covered and total numbers of one file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Executable lines.
    pub lines: Ratio,
    /// Branches.
    pub branches: Ratio,
    /// Functions.
    pub functions: Ratio,
    /// Statements.
    pub statements: Ratio,
}

/// Covered out of total.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ratio {
    /// How many were hit.
    pub covered: u64,
    /// How many there are.
    pub total: u64,
}

impl Ratio {
    /// 0 to 100; `None` where there is nothing to cover.
    #[must_use]
    pub fn percent(self) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
        let percent = |covered: u64, total: u64| covered as f64 / total as f64 * 100.0;
        (self.total > 0).then(|| percent(self.covered, self.total))
    }

    /// The greater of each.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Self { covered: self.covered.max(other.covered), total: self.total.max(other.total) }
    }
}

impl std::ops::Add for Ratio {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { covered: self.covered.saturating_add(other.covered), total: self.total.saturating_add(other.total) }
    }
}

impl std::ops::Add for Totals {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            lines: self.lines + other.lines,
            branches: self.branches + other.branches,
            functions: self.functions + other.functions,
            statements: self.statements + other.statements,
        }
    }
}

/// Receives what a report says, in the order of the report.
pub trait Sink {
    /// One test case, complete.
    fn case(&mut self, case: &Case<'_>);
    /// From start to end of an outermost suite, in seconds; `None` where it states no time.
    fn wall(&mut self, seconds: Option<f64>);

    /// A folder that coverage paths may be relative to.
    fn source_root(&mut self, path: &str);
    /// Lines, branches and functions that follow belong to this file.
    fn file(&mut self, path: &str, repeat: Repeat);
    /// An executable line.
    fn line(&mut self, number: u32, hits: u64);
    /// One branch of a line, told apart from its siblings by `arm`; `None` was never evaluated.
    fn branch(&mut self, line: u32, arm: u32, taken: Option<u64>);
    /// How many branches of a line were taken, where the report does not tell which.
    fn branches(&mut self, line: u32, taken: u32, total: u32);
    /// A function.
    fn function(&mut self, name: &str, line: u32, hits: u64);
    /// `count` statements at one place of the source.
    fn statement(&mut self, span: Span, count: u32, hits: u64);
    /// A line that the project took out of the count itself.
    fn excluded(&mut self, line: u32);
    /// A file's sums, from a report that lists no lines. They cannot be recomputed, nor merged.
    fn totals(&mut self, totals: &Totals);

    /// A named number; `name` is dotted. An empty one stands for the name of the file, which a reader never sees.
    fn metric(&mut self, name: &str, value: f64);

    /// Something lost, guessed or noticed.
    fn problem(&mut self, problem: Problem);
}
