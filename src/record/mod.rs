//! Floor 4: what one execution stores, once, never edited (`mgmt.record/1`).
//!
//! A record is complete: every report about a run is rendered from its record alone. Fields are only ever
//! added, and a reader of an older record fills them with their defaults.

mod verdict;

pub use verdict::{Counts, verdict, warnings};

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::check::CheckOutcome;
use crate::evidence::collect::Report;
use crate::evidence::coverage::Coverage;
use crate::evidence::tests::{Identity, Test, Tests};
use crate::evidence::{Measurements, Problem};
use crate::gate::{RuleResult, Verdict};
use crate::sys::clock;

/// The schema of a stored record.
pub const SCHEMA: &str = "mgmt.record/1";

/// One execution.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// `mgmt.record/1`.
    pub schema: String,
    /// Unique in its store: `<UTC stamp>-<command>-<verdict>`.
    pub id: String,
    /// The version of this program.
    pub version: String,
    /// The command: `full-check`.
    pub command: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When it was judged.
    pub finished_at: Timestamp,
    /// Time between the two, measured by a clock that only goes forward.
    pub duration_ms: u64,
    /// What was looked at.
    pub project: Project,
    /// Checks of the project that were not selected, with the reason. A record with any is partial.
    pub left_out: BTreeMap<String, String>,
    /// The policy that judged it.
    pub policy: Policy,
    /// The gate's name, if there was one.
    pub gate: Option<String>,
    /// The answer.
    pub verdict: Verdict,
    /// The signal that ended it early.
    pub interrupted: Option<String>,
    /// What became of each check, in the order of the configuration.
    pub checks: Vec<CheckOutcome>,
    /// One result for each limit of each rule.
    pub rules: Vec<RuleResult>,
    /// The numbers.
    pub measurements: Measurements,
    /// The reports they were read from.
    pub reports: Vec<Report>,
    /// What was lost, guessed or noticed.
    pub problems: Vec<Problem>,
    /// Tests, ascending by identity.
    pub tests: Vec<TestRecord>,
    /// Executable lines by file.
    pub lines: BTreeMap<String, Lines>,
}

/// What was looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Project {
    /// Its name.
    pub name: String,
    /// The commit; `None` outside a repository or before the first commit.
    pub commit: Option<String>,
    /// The branch; `None` if HEAD is detached.
    pub branch: Option<String>,
    /// Whether tracked files differ from the commit; `None` outside a repository.
    pub dirty: Option<bool>,
    /// The merge commit that was tested, where it is not `commit` itself.
    pub merge_commit: Option<String>,
}

/// Where the rules come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// The file.
    pub path: String,
    /// The commit it was taken from; `None` if it is the work tree's own.
    pub commit: Option<String>,
    /// Whether the change under test changes the policy.
    pub changed: bool,
}

/// A test with its outcome.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TestRecord {
    /// What makes it the same test elsewhere.
    #[serde(flatten)]
    pub identity: Identity,
    /// How it ended.
    #[serde(flatten)]
    pub test: Test,
}

/// The executable lines of a file as ranges: `1-4,9`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lines {
    /// Lines with hits.
    pub covered: String,
    /// Lines without.
    pub missed: String,
}

impl Record {
    /// The name that a record of this moment, command and verdict has in a store.
    #[must_use]
    pub fn id_of(started_at: Timestamp, command: &str, verdict: Verdict) -> String {
        format!("{}-{command}-{}", clock::stamp(started_at), verdict.word())
    }

    /// Whether every check of the project was selected.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.left_out.is_empty()
    }

    /// What a person wants counted.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts::of(self)
    }
}

/// Tests as they are stored.
#[must_use]
pub fn tests(tests: &Tests) -> Vec<TestRecord> {
    let mut out: Vec<_> =
        tests.iter().map(|(identity, test)| TestRecord { identity: identity.clone(), test: test.clone() }).collect();
    out.sort_by(|a, b| a.identity.cmp(&b.identity));
    out
}

/// Covered lines as they are stored.
#[must_use]
pub fn lines(coverage: &Coverage) -> BTreeMap<String, Lines> {
    let of = |file: &crate::evidence::coverage::File, covered: bool| {
        ranges(file.lines().filter(|(_, hits)| (*hits > 0) == covered).map(|(line, _)| line))
    };
    coverage
        .files()
        .map(|(path, file)| (path.to_owned(), Lines { covered: of(file, true), missed: of(file, false) }))
        .collect()
}

/// Ascending numbers as ranges: `1-4,9`.
fn ranges(lines: impl Iterator<Item = u32>) -> String {
    let mut out: Vec<(u32, u32)> = Vec::new();
    for line in lines {
        match out.last_mut() {
            Some((_, last)) if line.checked_sub(1) == Some(*last) => *last = line,
            _ => out.push((line, line)),
        }
    }
    let show = |(first, last): (u32, u32)| if first == last { first.to_string() } else { format!("{first}-{last}") };
    out.into_iter().map(show).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests_of_this_room {
    use super::*;

    #[test]
    fn lines_fold_into_ranges() {
        assert_eq!(ranges([1, 2, 3, 7, 9, 10, u32::MAX].into_iter()), "1-3,7,9-10,4294967295");
        assert_eq!(ranges(std::iter::empty()), "");
    }
}
