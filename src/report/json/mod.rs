//! `mgmt.report/1`: the report for programs.
//!
//! These types are frozen. They are written out on their own, not derived from the record's, so that a change
//! inside can never change what other people's programs read. Fields are only ever added, and a report of before they
//! were still reads.

mod numbers;
mod tests;

pub use numbers::{Score, ScorePart, Trend, TrendPoint};
pub use tests::{
    AgainstBase, DisappearedTest, FlakyTest, Pace, Quarantine, QuarantineEntry, QuarantinedTest, SlowTest, Test,
    TestChanges, TimedTest,
};

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Number;

use crate::check::Status;
use crate::evidence::Level;
use crate::evidence::measure::agreed;
use crate::gate::{RuleVerdict, Verdict};
use crate::record::{self, Record};

/// The schema of the object.
pub const SCHEMA: &str = "mgmt.report/1";

/// Lines of output shown for a check that did not pass.
const TAIL_LINES: usize = 60;

/// The object.
#[derive(Debug, Serialize, Deserialize)]
pub struct Report {
    /// `mgmt.report/1`.
    pub schema: String,
    /// The record's id.
    pub id: String,
    /// The command.
    pub command: String,
    /// RFC 3339, UTC.
    pub started_at: String,
    /// RFC 3339, UTC.
    pub finished_at: String,
    /// Milliseconds.
    pub duration_ms: u64,
    /// What was looked at.
    pub project: Project,
    /// `pass`, `fail`, `inconclusive` or `interrupted`.
    pub verdict: Verdict,
    /// What the program exits with.
    pub exit_code: u8,
    /// How many parts of the run say what: the numbers of the other forms of report.
    #[serde(default)]
    pub counts: Counts,
    /// What it was compared with.
    pub baseline: Option<Baseline>,
    /// Checks in the order of the configuration.
    pub checks: Vec<Check>,
    /// Numbers about the whole project, by name.
    pub measurements: BTreeMap<String, Option<Number>>,
    /// A row for each limit and scope member of each rule.
    pub rules: Vec<Rule>,
    /// What became of the lines that were changed; null if nobody knows what changed or nothing was covered.
    pub patch: Option<Patch>,
    /// What became of the tests since the baseline and over earlier runs.
    #[serde(default)]
    pub test_changes: TestChanges,
    /// Tests whose failures are excused.
    #[serde(default)]
    pub quarantine: Quarantine,
    /// One number over all groups; null if none is wanted, or checks were left out.
    pub score: Option<Score>,
    /// The main numbers over earlier runs and this one.
    #[serde(default)]
    pub trends: Vec<Trend>,
    /// What was lost, guessed or noticed.
    pub problems: Vec<Problem>,
    /// Where the rules come from.
    pub policy: Policy,
}

/// What was looked at.
#[derive(Debug, Serialize, Deserialize)]
pub struct Project {
    /// Its name.
    pub name: String,
    /// The commit.
    pub commit: Option<String>,
    /// The branch.
    pub branch: Option<String>,
    /// Whether tracked files differ from the commit.
    pub dirty: Option<bool>,
    /// The tested merge, where it is not the commit itself.
    pub merge_commit: Option<String>,
}

/// How many parts of a run say what.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Checks that were planned.
    pub checks: u64,
    /// Checks that failed or timed out, excused ones left out.
    pub failed_checks: u64,
    /// Checks that could not be started, themselves or for want of what they need.
    pub broken_checks: u64,
    /// Rules that bear on this run: neither `not-asked` nor `not-applicable`.
    pub rules: u64,
    /// Those of them that hold: `pass` or `warn`.
    pub held_rules: u64,
    /// Those of them that do not: `fail`.
    pub failed_rules: u64,
    /// Those of them that could not be judged: `inconclusive`.
    pub open_rules: u64,
    /// Rules beside them that are `not-applicable`.
    pub not_applicable_rules: u64,
    /// Problems that are losses.
    pub losses: u64,
    /// Warnings of all kinds.
    pub warnings: u64,
}

impl From<record::Counts> for Counts {
    fn from(counts: record::Counts) -> Self {
        Self {
            checks: counts.checks,
            failed_checks: counts.failed_checks,
            broken_checks: counts.broken_checks,
            rules: counts.rules,
            held_rules: counts.held_rules,
            failed_rules: counts.failed_rules,
            open_rules: counts.open_rules,
            not_applicable_rules: counts.not_applicable_rules,
            losses: counts.losses,
            warnings: counts.warnings,
        }
    }
}

/// What it was compared with.
#[derive(Debug, Serialize, Deserialize)]
pub struct Baseline {
    /// Its commit.
    pub commit: Option<String>,
    /// Its record or run.
    pub run: String,
    /// Where it was found.
    pub source: String,
    /// First-parent steps from this commit.
    pub distance: Option<u64>,
    /// Its age when this run began.
    pub age_ms: u64,
}

/// A check.
#[derive(Debug, Serialize, Deserialize)]
pub struct Check {
    /// Its name.
    pub id: String,
    /// Its group.
    pub group: String,
    /// `passed`, `failed`, `timed-out`, `error`, `skipped` or `interrupted`.
    pub status: Status,
    /// Why, where the status does not say it.
    pub reason: Option<String>,
    /// Milliseconds.
    pub duration_ms: u64,
    /// The command as a person would type it.
    pub command: Option<String>,
    /// The program's exit code.
    pub exit_code: Option<i32>,
    /// The end of what it printed, if it did not pass.
    pub output_tail: Option<String>,
    /// The command that repairs what it found.
    pub fix: Option<String>,
}

/// A rule's result.
#[derive(Debug, Serialize, Deserialize)]
pub struct Rule {
    /// The gate's name.
    pub gate: String,
    /// The metric's name.
    pub metric: String,
    /// The part of the project; null is all of it.
    pub scope: Option<String>,
    /// The limit: `max 0`.
    pub limit: String,
    /// The value; null if it was not measured or is not a finite number (then the message says so).
    pub value: Option<Number>,
    /// The baseline's value.
    pub base: Option<Number>,
    /// The files it was read from.
    pub source: Option<String>,
    /// `pass`, `warn`, `fail`, `inconclusive`, `not-applicable` or `not-asked`.
    pub verdict: RuleVerdict,
    /// The same with its numbers.
    pub message: String,
    /// The smallest thing that would make it hold, where one is known.
    pub advice: Option<String>,
}

/// What became of the lines that were changed. Lines are ranges: `1-4,9`.
#[derive(Debug, Serialize, Deserialize)]
pub struct Patch {
    /// What was compared.
    pub between: String,
    /// Changed files in which lines can be told apart, and files that lost lines.
    pub files: Vec<PatchFile>,
    /// Changed files that should have been measured and were not.
    pub unmeasured: Vec<String>,
}

/// One file of a patch.
#[derive(Debug, Serialize, Deserialize)]
pub struct PatchFile {
    /// Its path now.
    pub path: String,
    /// Its path before, where it was renamed.
    pub old_path: Option<String>,
    /// Changed lines that ran.
    pub covered: String,
    /// Changed lines that did not run.
    pub uncovered: String,
    /// Changed lines that did not run before either.
    pub touched: String,
    /// Lines that ran in the baseline and did not now.
    pub lost: String,
}

impl From<&crate::gate::patch::Patch> for Patch {
    fn from(patch: &crate::gate::patch::Patch) -> Self {
        let files = patch.files.iter().map(|file| PatchFile {
            path: file.path.clone(),
            old_path: file.old_path.clone(),
            covered: file.covered.to_string(),
            uncovered: file.uncovered.to_string(),
            touched: file.touched.to_string(),
            lost: file.lost.to_string(),
        });
        Self { between: patch.between.clone(), files: files.collect(), unmeasured: patch.unmeasured.clone() }
    }
}

/// Something lost, guessed or noticed.
#[derive(Debug, Serialize, Deserialize)]
pub struct Problem {
    /// `note`, `warning` or `loss`.
    pub level: Level,
    /// A stable name; `mgmt explain CODE` tells more.
    pub code: String,
    /// What happened.
    pub message: String,
    /// The next step.
    pub hint: Option<String>,
    /// The file.
    pub file: Option<String>,
    /// The line in it, from 1.
    pub line: Option<u64>,
}

impl From<&crate::evidence::Problem> for Problem {
    fn from(problem: &crate::evidence::Problem) -> Self {
        Self {
            level: problem.level,
            code: problem.code.clone(),
            message: problem.message.clone(),
            hint: problem.hint.clone(),
            file: problem.file.clone(),
            line: problem.line,
        }
    }
}

/// Where the rules come from.
#[derive(Debug, Serialize, Deserialize)]
pub struct Policy {
    /// The file.
    pub path: String,
    /// The commit it was taken from; null if it is the work tree's own.
    pub commit: Option<String>,
    /// Whether the change under test changes it.
    pub changed: bool,
}

/// The report of a record.
#[must_use]
pub fn report(record: &Record) -> Report {
    // Where files disagree there is no one value: null, and a problem says so.
    let names = record.measurements.by_name().into_iter();
    let measurements = names.map(|(name, stated)| (name.to_owned(), agreed(stated).and_then(number))).collect();
    Report {
        schema: SCHEMA.to_owned(),
        id: record.id.clone(),
        command: record.command.clone(),
        started_at: record.started_at.to_string(),
        finished_at: record.finished_at.to_string(),
        duration_ms: record.duration_ms,
        project: Project {
            name: record.project.name.clone(),
            commit: record.project.commit.clone(),
            branch: record.project.branch.clone(),
            dirty: record.project.dirty,
            merge_commit: record.project.merge_commit.clone(),
        },
        verdict: record.verdict,
        exit_code: record.verdict.exit_code(),
        counts: record.counts().into(),
        baseline: record.baseline.as_ref().map(|baseline| Baseline {
            commit: baseline.commit.clone(),
            run: baseline.run.clone(),
            source: baseline.source.clone(),
            distance: baseline.distance,
            age_ms: baseline.age_ms,
        }),
        checks: record.checks.iter().map(check).collect(),
        measurements,
        rules: record
            .rules
            .iter()
            .map(|rule| Rule {
                gate: rule.gate.clone(),
                metric: rule.metric.clone(),
                scope: rule.scope.clone(),
                limit: rule.limit.clone(),
                value: rule.value.and_then(number),
                base: rule.base.and_then(number),
                source: rule.source.clone(),
                verdict: rule.verdict,
                message: rule.message.clone(),
                advice: rule.advice.clone(),
            })
            .collect(),
        patch: record.patch.as_ref().map(Patch::from),
        test_changes: (&record.test_changes).into(),
        quarantine: (&record.quarantine).into(),
        score: record.score.as_ref().map(Score::from),
        trends: numbers::trends(record),
        problems: record.problems.iter().map(Problem::from).collect(),
        policy: Policy {
            path: record.policy.path.clone(),
            commit: record.policy.commit.clone(),
            changed: record.policy.changed,
        },
    }
}

/// A count without a decimal point, any other number as it is; nothing for what is not finite.
#[must_use]
pub fn number(value: f64) -> Option<Number> {
    #[expect(clippy::cast_possible_truncation, reason = "whole and within the range that f64 holds exactly")]
    let whole = (value.fract() == 0.0 && value.abs() < 9e15).then_some(value as i64);
    whole.map(Number::from).or_else(|| Number::from_f64(value))
}

fn check(check: &crate::check::CheckOutcome) -> Check {
    let tail = (check.status != Status::Passed && !check.output.text.trim().is_empty()).then(|| {
        let (before, tail) = check.output.tail(TAIL_LINES);
        match before {
            Some(before) => format!("[… {before} before …]\n{tail}"),
            None => tail,
        }
    });
    Check {
        id: check.id.clone(),
        group: check.group.clone(),
        status: check.status,
        reason: check.reason.clone(),
        duration_ms: check.duration_ms,
        command: check.command.clone(),
        exit_code: check.exit_code,
        output_tail: tail,
        fix: check.fix.clone(),
    }
}

/// The report as text.
#[must_use]
pub fn render(record: &Record) -> String {
    let mut text = serde_json::to_string_pretty(&report(record)).unwrap_or_default();
    text.push('\n');
    text
}

#[cfg(test)]
mod unit_tests {
    use serde_json::{Value, json};

    use super::*;

    fn small() -> Record {
        serde_json::from_str(include_str!("../../../tests/fixtures/records/small.json")).unwrap()
    }

    #[test]
    fn a_report_reads_back_and_so_does_one_of_before_fields_were_added() {
        let text = render(&small());
        let mut old: Value = serde_json::from_str(&text).unwrap();
        let same: Report = serde_json::from_str(&text).unwrap();
        assert_eq!(serde_json::to_value(&same).unwrap(), old);
        for field in ["counts", "test_changes", "quarantine", "score", "trends"] {
            assert!(old.as_object_mut().unwrap().remove(field).is_some(), "{field}");
        }
        let read: Report = serde_json::from_value(old).unwrap();
        assert_eq!((read.score.is_none(), read.trends.len(), read.quarantine.tests.len()), (true, 0, 0));
    }

    #[test]
    fn times_are_milliseconds_and_a_trend_names_every_run() {
        let mut record = small();
        record.trends[1].points[0].run.clear();
        let report = serde_json::to_value(report(&record)).unwrap();
        let slow = &report["test_changes"]["pace"]["slow"][0];
        assert_eq!(
            (&slow["duration_ms"], &slow["usual_ms"], &slow["limit_ms"]),
            (&json!(1500), &json!(250), &json!(900))
        );
        assert_eq!(report["test_changes"]["slowest"][0]["duration_ms"], 1500);
        assert_eq!(report["trends"][1]["points"][0]["run"], record.id);
        assert_eq!(report["trends"][0]["points"][2]["value"], Value::Null);
        assert_eq!(report["test_changes"]["base"]["newly_skipped"][0]["file"], Value::Null);
        let moved = &report["test_changes"]["base"]["disappeared"][1]["moved_to"];
        assert_eq!(moved["file"], "tests/test_spent.py");
    }
}
