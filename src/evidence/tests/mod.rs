//! Test reports: their readers, and the set of tests that several reports add up to.

pub(super) mod bounds;
pub mod ctrf;
pub mod go_json;
pub mod junit;
mod junit_words;
pub mod libtest;
mod table;
pub mod tap;
pub mod trx;

use std::collections::HashSet;
use std::sync::Arc;

use foldhash::fast::RandomState;
use serde::{Deserialize, Serialize};

use super::{Case, Outcome, Repeats};
use table::Table;

/// What makes a test the same test in another report or another run.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Identity {
    /// The check whose evidence names it: shards of one check merge, different checks never do.
    pub check: Arc<str>,
    /// Suite names from the outside in, joined by ` > `.
    pub suite: Arc<str>,
    /// Class, module or binary.
    pub class: Arc<str>,
    /// Name with parameters.
    pub name: Box<str>,
    /// Source file as the report gives it, or empty.
    pub file: Arc<str>,
}

impl Identity {
    /// The name for people: `class::name`, or `suite::name` where no class is given.
    #[must_use]
    pub fn display(&self) -> String {
        match self.display_parts() {
            ("", name) => name.to_owned(),
            (prefix, name) => format!("{prefix}::{name}"),
        }
    }

    /// The same in two parts: what stands before the `::`, or nothing, and the name.
    #[must_use]
    pub fn display_parts(&self) -> (&str, &str) {
        let prefix = if self.class.is_empty() { &self.suite } else { &self.class };
        (if self.name.starts_with(&**prefix) { "" } else { prefix }, &self.name)
    }
}

/// One test, all its attempts together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Test {
    /// How it ended.
    pub outcome: Outcome,
    /// Whether it was seen both to hold and not to hold.
    pub flaky: bool,
    /// How often it ran.
    pub attempts: u32,
    /// Seconds over all attempts; 0 where none are given.
    pub seconds: f64,
    /// Line in its file, from 1.
    pub line: Option<u32>,
    /// What the failure said, bounded.
    pub message: Option<Box<str>>,
}

/// A test as a run saw it.
pub type Seen<'a> = (&'a Identity, &'a Test);

/// Sums over a set of tests. `total` = passed + failed + skipped; `errors` is a part of `failed`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Summary {
    /// Tests, each counted once.
    pub total: u64,
    /// Tests that held.
    pub passed: u64,
    /// Tests that did not, errors included.
    pub failed: u64,
    /// The part of `failed` that could not run to the end.
    pub errors: u64,
    /// Tests that did not run on purpose.
    pub skipped: u64,
    /// Tests seen both to hold and not to hold.
    pub flaky: u64,
    /// Runs of tests, repeats included.
    pub attempts: u64,
    /// Seconds over all attempts.
    pub seconds: f64,
    /// Seconds from start to end of the outermost suites, added; `None` where one does not state them, because a sum
    /// without it would be too small.
    pub wall_seconds: Option<f64>,
}

/// A set of tests by identity, in the order in which they were first seen.
#[derive(Clone, Debug, Default)]
pub struct Tests {
    tests: Table,
    /// Suites, classes and files are shared by many tests: one copy of each.
    names: HashSet<Arc<str>, RandomState>,
    /// Check, class and file of the case before: most often those of the next one too.
    before: [Arc<str>; 3],
    /// The suite names of the case before, and what they were joined to.
    suite: (Vec<String>, Arc<str>),
    wall: Wall,
}

/// From start to end of suites. Those of several reports add: whether they ran at the same time, no report tells.
#[derive(Clone, Copy, Debug, Default)]
struct Wall {
    seconds: f64,
    has_unstated: bool,
}

impl PartialEq for Tests {
    fn eq(&self, other: &Self) -> bool {
        self.tests == other.tests
    }
}

impl Tests {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.tests.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The tests in the order in which they were first seen.
    pub fn iter(&self) -> impl Iterator<Item = (&Identity, &Test)> {
        self.tests.iter()
    }

    /// The tests that did not hold, in the order in which they were first seen.
    #[must_use]
    pub fn failed(&self) -> Vec<Seen<'_>> {
        self.tests.filter(|test| test.outcome.is_failure())
    }

    /// Adds what a report says of one case. Returns whether the test was there already.
    pub fn add_case(&mut self, check: &str, case: &Case<'_>, repeats: Repeats) -> bool {
        if self.suite.0 != case.suites {
            let joined = self.shared(&case.suites.join(" > "));
            self.suite = (case.suites.to_vec(), joined);
        }
        let identity = Identity {
            check: self.shared_again(0, check),
            suite: Arc::clone(&self.suite.1),
            class: self.shared_again(1, case.class),
            name: case.name.into(),
            file: self.shared_again(2, case.file.unwrap_or_default()),
        };
        let test = Test {
            outcome: case.outcome,
            flaky: case.flaky,
            attempts: case.reruns.saturating_add(1),
            seconds: case.seconds.unwrap_or(0.0),
            line: case.line,
            message: case.message.map(Box::from),
        };
        self.add(identity, test, repeats)
    }

    fn shared_again(&mut self, at: usize, name: &str) -> Arc<str> {
        if *self.before[at] != *name {
            self.before[at] = self.shared(name);
        }
        Arc::clone(&self.before[at])
    }

    fn shared(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.names.get(name) {
            return Arc::clone(known);
        }
        let new: Arc<str> = name.into();
        self.names.insert(Arc::clone(&new));
        new
    }

    /// Adds one test; a repeat joins the one that is there. Returns whether it was a repeat.
    pub fn add(&mut self, identity: Identity, test: Test, repeats: Repeats) -> bool {
        self.tests.add(identity, test, repeats)
    }

    /// Adds the time from start to end of an outermost suite, if it is stated.
    pub fn add_wall(&mut self, seconds: Option<f64>) {
        match seconds.filter(|seconds| seconds.is_finite() && *seconds >= 0.0) {
            Some(seconds) => self.wall.seconds += seconds,
            None => self.wall.has_unstated = true,
        }
    }

    /// Adds all tests of another set.
    pub fn merge(&mut self, mut other: Self, repeats: Repeats) {
        other.wall.seconds += self.wall.seconds;
        other.wall.has_unstated |= self.wall.has_unstated;
        self.wall = other.wall;
        if self.is_empty() {
            // The most common case by far, and the one where a second copy of the set would be the peak of memory.
            *self = other;
            return;
        }
        self.tests.merge(other.tests, repeats);
    }

    /// The sums.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let stated = (!self.wall.has_unstated).then_some(self.wall.seconds);
        let mut all = Summary { wall_seconds: stated, ..Summary::default() };
        let mut all_nanos = 0_i128;
        for (part, nanos) in self.tests.each_part(summary_of) {
            all.total += part.total;
            all.passed += part.passed;
            all.failed += part.failed;
            all.errors += part.errors;
            all.skipped += part.skipped;
            all.flaky += part.flaky;
            all.attempts += part.attempts;
            all_nanos = all_nanos.saturating_add(nanos);
        }
        all.seconds = seconds(all_nanos);
        all
    }
}

/// The sums but for the time, and the time in nanoseconds.
fn summary_of(tests: &mut dyn Iterator<Item = &Test>) -> (Summary, i128) {
    let mut sum = Summary::default();
    let mut all = 0_i128;
    for test in tests {
        sum.total += 1;
        sum.flaky += u64::from(test.flaky);
        sum.attempts += u64::from(test.attempts);
        all = all.saturating_add(nanos(test.seconds));
        match test.outcome {
            Outcome::Passed => sum.passed += 1,
            Outcome::Skipped => sum.skipped += 1,
            Outcome::Failed => sum.failed += 1,
            Outcome::Errored => {
                sum.failed += 1;
                sum.errors += 1;
            }
        }
    }
    (sum, all)
}

/// Times are added in nanoseconds, so that the sum does not depend on the order.
#[expect(clippy::cast_possible_truncation, reason = "what is beyond the range is cut to it")]
fn nanos(seconds: f64) -> i128 {
    (seconds * 1e9).round() as i128
}

#[expect(clippy::cast_precision_loss, reason = "a double holds sixteen digits of it")]
fn seconds(nanos: i128) -> f64 {
    nanos as f64 / 1e9
}

/// Two sightings of one test. Without a word from the user the worst outcome holds: two tests may share a
/// name, and a failure must not vanish.
fn join(into: &mut Test, other: Test, repeats: Repeats) {
    let differ = into.outcome.is_failure() != other.outcome.is_failure()
        && into.outcome != Outcome::Skipped
        && other.outcome != Outcome::Skipped;
    into.flaky |= other.flaky || differ;
    into.attempts = into.attempts.saturating_add(other.attempts);
    into.seconds = seconds(nanos(into.seconds).saturating_add(nanos(other.seconds)));
    let takes_over = match repeats {
        Repeats::Worst => other.outcome > into.outcome,
        Repeats::Last => true,
    };
    if takes_over {
        into.outcome = other.outcome;
        into.message = other.message;
        into.line = other.line.or(into.line);
    }
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    fn case(outcome: Outcome) -> Case<'static> {
        Case {
            suites: &[],
            class: "c",
            name: "n",
            file: None,
            line: None,
            outcome,
            seconds: Some(1.0),
            message: None,
            reruns: 0,
            flaky: false,
        }
    }

    #[test]
    fn a_repeated_test_counts_once_with_its_worst_outcome_unless_told_otherwise() {
        let mut tests = Tests::default();
        for outcome in [Outcome::Failed, Outcome::Passed] {
            tests.add_case("t", &case(outcome), Repeats::Worst);
        }
        let sum = tests.summary();
        assert_eq!((sum.total, sum.failed, sum.flaky, sum.attempts, sum.seconds), (1, 1, 1, 2, 2.0));
        let mut last = Tests::default();
        for outcome in [Outcome::Failed, Outcome::Passed] {
            last.add_case("t", &case(outcome), Repeats::Last);
        }
        assert_eq!((last.summary().failed, last.summary().flaky), (0, 1));
    }

    #[test]
    fn the_sum_of_times_does_not_depend_on_the_order() {
        let sum = |times: &[f64]| {
            let mut tests = Tests::default();
            for (at, time) in times.iter().enumerate() {
                let name = at.to_string();
                tests.add_case(
                    "a",
                    &Case { name: &name, seconds: Some(*time), ..case(Outcome::Passed) },
                    Repeats::Worst,
                );
            }
            tests.summary().seconds
        };
        assert_eq!(sum(&[0.1, 0.2, 0.3]), 0.6);
        assert_eq!(sum(&[1e15, 0.25, 0.5]), sum(&[0.5, 0.25, 1e15]));
        assert_eq!(sum(&[f64::MAX, f64::MAX]), sum(&[f64::MAX]));
    }

    #[test]
    fn wall_times_add_unless_one_is_not_stated() {
        let set = |seconds: Option<f64>| {
            let mut tests = Tests::default();
            tests.add_case("a", &case(Outcome::Passed), Repeats::Worst);
            tests.add_wall(seconds);
            tests
        };
        let all = |sets: &[Option<f64>]| {
            let mut all = Tests::default();
            sets.iter().for_each(|seconds| all.merge(set(*seconds), Repeats::Worst));
            all.merge(Tests::default(), Repeats::Worst);
            all.summary().wall_seconds
        };
        assert_eq!(all(&[Some(1.5), Some(2.0)]), Some(3.5));
        assert_eq!((all(&[None, Some(2.0)]), all(&[Some(2.0), None])), (None, None));
        assert_eq!((all(&[Some(f64::NAN)]), all(&[Some(-1.0)])), (None, None));
    }

    #[test]
    fn sets_merge_whichever_comes_first() {
        let set = |check: &str, outcome| {
            let mut tests = Tests::default();
            tests.add_case(check, &case(outcome), Repeats::Worst);
            tests
        };
        let mut all = Tests::default();
        for (check, outcome) in [("a", Outcome::Passed), ("a", Outcome::Failed), ("b", Outcome::Passed)] {
            all.merge(set(check, outcome), Repeats::Worst);
        }
        all.merge(Tests::default(), Repeats::Worst);
        let sum = all.summary();
        assert_eq!((sum.total, sum.passed, sum.failed, sum.flaky, sum.attempts), (2, 1, 1, 1, 3));
    }

    #[test]
    fn a_skip_in_one_shard_is_not_flaky_and_checks_keep_their_tests_apart() {
        let mut tests = Tests::default();
        tests.add_case("a", &case(Outcome::Skipped), Repeats::Worst);
        tests.add_case("a", &case(Outcome::Passed), Repeats::Worst);
        tests.add_case("b", &case(Outcome::Failed), Repeats::Worst);
        let sum = tests.summary();
        assert_eq!((sum.total, sum.passed, sum.skipped, sum.failed, sum.flaky), (2, 1, 0, 1, 0));
    }
}
