//! Tests in the report for programs: what became of them, and those whose failures are excused.

use serde::{Deserialize, Serialize};

use crate::evidence::Outcome;
use crate::evidence::tests::Identity;
use crate::gate::{changes, flaky, pace, quarantine};

/// A test.
#[derive(Debug, Serialize, Deserialize)]
pub struct Test {
    /// The check whose report names it.
    pub check: String,
    /// Suite names from the outside in, joined by ` > `.
    pub suite: Option<String>,
    /// Class, module or binary.
    pub class: Option<String>,
    /// Name with parameters.
    pub name: String,
    /// Source file as the report gives it.
    pub file: Option<String>,
}

impl From<&Identity> for Test {
    fn from(identity: &Identity) -> Self {
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Self {
            check: identity.check.to_string(),
            suite: given(&identity.suite),
            class: given(&identity.class),
            name: identity.name.to_string(),
            file: given(&identity.file),
        }
    }
}

fn list(identities: &[Identity]) -> Vec<Test> {
    identities.iter().map(Test::from).collect()
}

/// What became of the tests since the baseline and over earlier runs.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct TestChanges {
    /// Against the baseline; null if there is none, or if it has no test of a check that this run evaluated.
    pub base: Option<AgainstBase>,
    /// Times against history; null if no test has enough of one.
    pub pace: Option<Pace>,
    /// The tests that took longest, longest first.
    pub slowest: Vec<TimedTest>,
    /// Tests seen both to hold and not to hold with the same code under them.
    pub flaky: Vec<FlakyTest>,
}

/// Tests held against those of the baseline.
#[derive(Debug, Serialize, Deserialize)]
pub struct AgainstBase {
    /// Tests of the baseline that were compared.
    pub compared: u64,
    /// Checks with tests in this run and none in the baseline.
    pub new_checks: Vec<String>,
    /// Tests of the baseline that are not in this run.
    pub disappeared: Vec<DisappearedTest>,
    /// Tests that are not in the baseline.
    pub appeared: Vec<Test>,
    /// Ran in the baseline, skipped now.
    pub newly_skipped: Vec<Test>,
    /// Passed in the baseline, failed now.
    pub newly_failing: Vec<Test>,
    /// Failed in the baseline, passed now.
    pub fixed: Vec<Test>,
}

/// A test that is gone.
#[derive(Debug, Serialize, Deserialize)]
pub struct DisappearedTest {
    /// The test.
    #[serde(flatten)]
    pub test: Test,
    /// The one new test that may be the same in another place.
    pub moved_to: Option<Test>,
}

/// Times held against history.
#[derive(Debug, Serialize, Deserialize)]
pub struct Pace {
    /// Tests with enough timed runs before this one to say what is usual.
    pub judged: u64,
    /// Those of them that are slower than they may be, the greatest excess first.
    pub slow: Vec<SlowTest>,
}

/// A test that became slow.
#[derive(Debug, Serialize, Deserialize)]
pub struct SlowTest {
    /// The test.
    #[serde(flatten)]
    pub test: Test,
    /// Milliseconds of one attempt in this run.
    pub duration_ms: u64,
    /// The median of its earlier times, in milliseconds.
    pub usual_ms: u64,
    /// The greatest time that would not have stood out, in milliseconds.
    pub limit_ms: u64,
    /// How many earlier times that is drawn from.
    pub samples: u64,
}

/// A test and its time.
#[derive(Debug, Serialize, Deserialize)]
pub struct TimedTest {
    /// The test.
    #[serde(flatten)]
    pub test: Test,
    /// Milliseconds over all its attempts in this run.
    pub duration_ms: u64,
}

/// A flaky test. Runs that skipped it do not count, and this run does.
#[derive(Debug, Serialize, Deserialize)]
pub struct FlakyTest {
    /// The test.
    #[serde(flatten)]
    pub test: Test,
    /// Why it is flaky.
    pub reason: String,
    /// Whether attempts within this run both held and did not.
    pub in_run: bool,
    /// Runs on the tree of this one in which it held; 0 where the tree is not known.
    pub tree_passed: u64,
    /// Runs on the tree of this one in which it failed at least once.
    pub tree_failed: u64,
    /// Of its last runs, those in which it failed at least once.
    pub failed_runs: u64,
    /// Its last runs, 50 at most.
    pub runs: u64,
}

impl From<&changes::TestChanges> for TestChanges {
    fn from(changes: &changes::TestChanges) -> Self {
        let timed = |timed: &pace::Timed| TimedTest {
            test: (&timed.identity).into(),
            duration_ms: milliseconds(timed.seconds),
        };
        Self {
            base: changes.base.as_ref().map(AgainstBase::from),
            pace: changes.pace.as_ref().map(Pace::from),
            slowest: changes.slowest.iter().map(timed).collect(),
            flaky: changes.flaky.iter().map(FlakyTest::from).collect(),
        }
    }
}

impl From<&changes::AgainstBase> for AgainstBase {
    fn from(base: &changes::AgainstBase) -> Self {
        let gone = |gone: &changes::Disappeared| DisappearedTest {
            test: (&gone.identity).into(),
            moved_to: gone.moved_to.as_ref().map(Test::from),
        };
        Self {
            compared: base.compared,
            new_checks: base.new_checks.clone(),
            disappeared: base.disappeared.iter().map(gone).collect(),
            appeared: list(&base.appeared),
            newly_skipped: list(&base.newly_skipped),
            newly_failing: list(&base.newly_failing),
            fixed: list(&base.fixed),
        }
    }
}

impl From<&pace::Pace> for Pace {
    fn from(pace: &pace::Pace) -> Self {
        let slow = pace.slow.iter().map(|slow| SlowTest {
            test: (&slow.identity).into(),
            duration_ms: milliseconds(slow.seconds),
            usual_ms: milliseconds(slow.usual),
            limit_ms: milliseconds(slow.limit),
            samples: slow.samples,
        });
        Self { judged: pace.judged, slow: slow.collect() }
    }
}

impl From<&flaky::Flaky> for FlakyTest {
    fn from(flaky: &flaky::Flaky) -> Self {
        Self {
            test: (&flaky.identity).into(),
            reason: flaky.reason(),
            in_run: flaky.in_run,
            tree_passed: flaky.tree_passed,
            tree_failed: flaky.tree_failed,
            failed_runs: flaky.failed_runs,
            runs: flaky.runs,
        }
    }
}

/// Whole milliseconds; 0 for what is no time.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, and no time is below zero")]
fn milliseconds(seconds: f64) -> u64 {
    (seconds * 1e3).round() as u64
}

/// Tests whose failures are excused, and the entries that excuse them.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Quarantine {
    /// Every entry, in written order.
    pub entries: Vec<QuarantineEntry>,
    /// Tests under an entry whose time is not over.
    pub tests: Vec<QuarantinedTest>,
    /// Checks with failing tests, all of which are excused.
    pub explained: Vec<String>,
}

/// An entry of `quarantine:` and what it meant for this run.
#[derive(Debug, Serialize, Deserialize)]
pub struct QuarantineEntry {
    /// The pattern as written.
    pub tests: String,
    /// The check whose tests are meant; null is any.
    pub check: Option<String>,
    /// Why.
    pub reason: String,
    /// Its last day, in UTC: `2026-04-30`.
    pub until: String,
    /// Its line in the configuration, from 1.
    pub line: u64,
    /// Whether its last day was past when the run began: it excuses nothing.
    pub expired: bool,
    /// Tests of the run that it names.
    pub matched: u64,
    /// Those of them that failed.
    pub failed: u64,
    /// Those of them that have been stable, and so may be released.
    pub stable: u64,
    /// Whether it names no test although every check that it could mean was evaluated.
    pub unmatched: bool,
    /// The test that was probably meant, where it names none.
    pub suggestion: Option<String>,
}

/// A test in quarantine.
#[derive(Debug, Serialize, Deserialize)]
pub struct QuarantinedTest {
    /// The test.
    #[serde(flatten)]
    pub test: Test,
    /// Why its failures are excused.
    pub reason: String,
    /// The last day on which they are, in UTC: `2026-04-30`.
    pub until: String,
    /// How it ended: `passed`, `failed`, `errored` or `skipped`.
    pub outcome: Outcome,
    /// Whether attempts within this run both held and did not.
    pub flaky: bool,
    /// Runs in a row in which it held, this one included.
    pub stable_runs: u64,
    /// Whether that is often enough for it to be released.
    pub releasable: bool,
}

impl From<&quarantine::Quarantine> for Quarantine {
    fn from(quarantine: &quarantine::Quarantine) -> Self {
        let entries = quarantine.entries.iter().map(|entry| QuarantineEntry {
            tests: entry.tests.clone(),
            check: entry.check.clone(),
            reason: entry.reason.clone(),
            until: entry.until.to_string(),
            line: entry.line,
            expired: entry.expired,
            matched: entry.matched,
            failed: entry.failed,
            stable: entry.stable,
            unmatched: entry.unmatched,
            suggestion: entry.suggestion.clone(),
        });
        let tests = quarantine.tests.iter().map(|test| QuarantinedTest {
            test: (&test.identity).into(),
            reason: test.reason.clone(),
            until: test.until.to_string(),
            outcome: test.outcome,
            flaky: test.flaky,
            stable_runs: test.stable_runs,
            releasable: test.is_stable(),
        });
        Self { entries: entries.collect(), tests: tests.collect(), explained: quarantine.explained.clone() }
    }
}
