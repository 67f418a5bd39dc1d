//! Floor 4: what one execution stores, once, never edited (`mgmt.record/1`).
//!
//! A record is complete: every report about a run is rendered from its record alone. Fields are only ever
//! added, and a reader of an older record fills them with their defaults.

pub mod bundle;
mod verdict;

pub use verdict::{Counts, verdict, warnings};

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::check::CheckOutcome;
use crate::check::score::Score;
use crate::evidence::coverage::FileLines;
use crate::evidence::findings::Report;
use crate::evidence::problem::Code;
use crate::evidence::tests::{Identity, Seen, Test, Tests};
use crate::evidence::{Level, Measurements, Problem};
use crate::gate::patch::Patch;
use crate::gate::{Quarantine, RuleResult, TestChanges, Verdict};
use crate::sys::clock;

/// The schema of a stored record.
pub const SCHEMA: &str = "mgmt.record/1";

/// The command that runs every group and judges every rule.
pub const FULL_CHECK: &str = "full-check";

/// There is nothing to compare with, or less than there should be.
pub const BASELINE: Code = Code {
    id: "baseline.none",
    level: Level::Note,
    doc: "There is no earlier run to compare with, or not everything about it could be found out. Limits against a baseline warn, or are inconclusive if the rule says `require-base`.",
    hint: "",
};

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
    /// Executable lines and sums by file.
    pub lines: BTreeMap<String, FileLines>,
    /// What it was compared with.
    #[serde(default)]
    pub baseline: Option<Baseline>,
    /// What became of the lines that were changed.
    #[serde(default)]
    pub patch: Option<Patch>,
    /// What became of the tests since the baseline and over earlier runs.
    #[serde(default)]
    pub test_changes: TestChanges,
    /// Tests whose failures are excused.
    #[serde(default)]
    pub quarantine: Quarantine,
    /// One number over all groups, if one is wanted.
    #[serde(default)]
    pub score: Option<Score>,
    /// The main numbers over earlier runs and this one.
    #[serde(default)]
    pub trends: Vec<Trend>,
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
    /// The tree of the commit, where the work tree was clean and checks ran in it: two runs on one tree looked at the
    /// same files.
    #[serde(default)]
    pub tree: Option<String>,
    /// The merge commit that was tested, where it is not `commit` itself.
    pub merge_commit: Option<String>,
}

/// A metric over runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trend {
    /// Its name.
    pub metric: String,
    /// Its values, oldest first; the last is this run's.
    pub points: Vec<TrendPoint>,
}

/// One value of a trend.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrendPoint {
    /// The run; empty for the one that tells the trend.
    pub run: String,
    /// When it began.
    pub started_at: Timestamp,
    /// The value; `None` where it was not a finite number.
    pub value: Option<f64>,
}

/// Numbers that reports follow over runs.
pub const FOLLOWED: &[&str] = &["tests.total", "tests.failed", "tests.skipped", "coverage.lines.percent"];

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

/// The earlier run that this one was compared with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// The record's id.
    pub run: String,
    /// Its commit; `None` if it was made outside a repository.
    pub commit: Option<String>,
    /// Its branch.
    pub branch: Option<String>,
    /// What it said. A red baseline still serves.
    pub verdict: Verdict,
    /// Where it was found: `history`, or the path of a file.
    pub source: String,
    /// First-parent steps from the merge base, or from the commit itself on the default branch; `None` if it was
    /// named by hand.
    pub distance: Option<u64>,
    /// What those steps are counted from: `the merge base with origin/main`.
    #[serde(default)]
    pub start: Option<String>,
    /// Its age when this run began.
    pub age_ms: u64,
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

    /// Whether later runs may be compared with it: a full run on exactly a commit that lost no evidence. It may be
    /// red; a partial, dirty, interrupted or half-read one says too little.
    #[must_use]
    pub fn is_fit_as_baseline(&self) -> bool {
        self.command == FULL_CHECK
            && self.is_full()
            && self.project.commit.is_some()
            && self.project.dirty == Some(false)
            && !self.is_interrupted()
            && self.problems.iter().all(|problem| problem.level != Level::Loss)
    }

    /// Its tests as comparisons take them.
    #[must_use]
    pub fn seen(&self) -> Vec<Seen<'_>> {
        self.tests.iter().map(|test| (&test.identity, &test.test)).collect()
    }

    /// Whether it was stopped before it was done.
    #[must_use]
    pub fn is_interrupted(&self) -> bool {
        self.interrupted.is_some() || self.verdict == Verdict::Interrupted
    }

    /// What a person wants counted.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts::of(self)
    }
}

/// Says of a check, by name, whether a run with these outcomes evaluated it. A full run has evaluated every check but
/// those that did not run: a check that the policy no longer knows takes its tests with it, and they are gone.
pub fn evaluated(checks: &[CheckOutcome], is_full: bool) -> impl Fn(&str) -> bool {
    let known: HashMap<String, bool> = checks.iter().map(|check| (check.id.clone(), check.is_evaluated())).collect();
    move |id| known.get(id).copied().unwrap_or(is_full)
}

/// Tests as they are stored.
#[must_use]
pub fn tests(tests: &Tests) -> Vec<TestRecord> {
    let mut out: Vec<_> =
        tests.iter().map(|(identity, test)| TestRecord { identity: identity.clone(), test: test.clone() }).collect();
    out.sort_by(|a, b| a.identity.cmp(&b.identity));
    out
}

#[cfg(test)]
mod unit_tests {
    use super::*;
    use crate::check::outcome::{Output, Status};

    fn check(id: &str, status: Status) -> CheckOutcome {
        CheckOutcome {
            id: id.into(),
            group: "test".into(),
            status,
            skip: None,
            reason: None,
            allow_failure: false,
            quarantined: false,
            duration_ms: 0,
            command: None,
            exit_code: None,
            output: Output::default(),
            fix: None,
        }
    }

    #[test]
    fn a_check_that_did_not_run_is_not_evaluated_and_one_that_is_no_more_is() {
        let checks = [
            check("passed", Status::Passed),
            check("failed", Status::Failed),
            check("slow", Status::TimedOut),
            check("skipped", Status::Skipped),
            check("broken", Status::Error),
            check("stopped", Status::Interrupted),
        ];
        for (is_full, removed) in [(true, true), (false, false)] {
            let evaluated = evaluated(&checks, is_full);
            assert!(["passed", "failed", "slow"].into_iter().all(&evaluated));
            assert!(!["skipped", "broken", "stopped"].into_iter().any(&evaluated));
            assert_eq!(evaluated("removed"), removed);
        }
    }
}
