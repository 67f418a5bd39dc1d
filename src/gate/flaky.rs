//! Tests that both hold and do not hold with the same code under them.
//!
//! Two things make a test flaky: both outcomes among the attempts of one run, or both outcomes in runs on one and the
//! same tree. Deliberately absent: a guess from failures on different trees. There the code may be what changed.

use serde::{Deserialize, Serialize};

use super::samples::{Sample, Samples};
use crate::evidence::sink::Outcome;
use crate::evidence::tests::{Identity, Seen, Test};
use crate::sys::text;

/// How many of a test's latest runs, this one included, its failure rate counts.
pub const LAST_RUNS: usize = 50;

/// A flaky test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flaky {
    /// The test.
    #[serde(flatten)]
    pub identity: Identity,
    /// Whether attempts within this run both held and did not.
    pub in_run: bool,
    /// Runs on the tree of this one, this one included, in which it held; 0 where the tree is not known.
    pub tree_passed: u64,
    /// Runs on the tree of this one, this one included, in which it failed at least once.
    pub tree_failed: u64,
    /// Of its last [`LAST_RUNS`] runs, this one included, those in which it failed at least once.
    pub failed_runs: u64,
    /// Its last runs, this one included, at most [`LAST_RUNS`]. Runs that skipped it do not count.
    pub runs: u64,
}

impl Flaky {
    /// Why it is flaky, as a fragment.
    #[must_use]
    pub fn reason(&self) -> String {
        let tree = || {
            let failed = text::plural(self.tree_failed, "run", "runs");
            format!("held in {} and failed in {failed} on this very tree", self.tree_passed)
        };
        match (self.in_run, self.tree_passed > 0 && self.tree_failed > 0) {
            (true, false) => "held and failed within this run".to_owned(),
            (true, true) => format!("held and failed within this run; {}", tree()),
            (false, _) => tree(),
        }
    }

    /// The share of its last runs in which it failed at least once, 0 to 1.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "at most LAST_RUNS")]
    pub fn failure_rate(&self) -> f64 {
        self.failed_runs as f64 / self.runs.max(1) as f64
    }
}

/// The flaky tests of a run, in the order of the run. `tree` is the tree that was looked at, `None` if files differed
/// from the commit: then only attempts within the run tell.
#[must_use]
pub fn flaky(head: &[Seen<'_>], samples: &Samples, tree: Option<&str>) -> Vec<Flaky> {
    let on_tree: Vec<bool> = samples.runs.iter().map(|run| tree.is_some() && run.tree.as_deref() == tree).collect();
    head.iter().filter_map(|(identity, test)| one(identity, test, samples, tree.is_some(), &on_tree)).collect()
}

fn one(identity: &Identity, test: &Test, samples: &Samples, has_tree: bool, on_tree: &[bool]) -> Option<Flaky> {
    let past = samples.tests.get(identity).map(Vec::as_slice).unwrap_or_default();
    let now = Sample { run: 0, outcome: test.outcome, flaky: test.flaky, seconds: 0.0 };
    let here = past.iter().filter(|sample| on_tree.get(sample.run) == Some(&true));
    let (mut tree_passed, mut tree_failed) = (0, 0);
    for sample in has_tree.then_some(&now).into_iter().chain(here) {
        tree_passed += u64::from(held(sample));
        tree_failed += u64::from(failed(sample));
    }
    if !test.flaky && (tree_passed == 0 || tree_failed == 0) {
        return None;
    }
    let (mut runs, mut failed_runs) = (0, 0);
    for sample in std::iter::once(&now).chain(past).filter(|sample| sample.outcome != Outcome::Skipped).take(LAST_RUNS)
    {
        runs += 1;
        failed_runs += u64::from(failed(sample));
    }
    Some(Flaky { identity: identity.clone(), in_run: test.flaky, tree_passed, tree_failed, failed_runs, runs })
}

fn held(sample: &Sample) -> bool {
    sample.outcome == Outcome::Passed || sample.flaky
}

fn failed(sample: &Sample) -> bool {
    sample.outcome.is_failure() || sample.flaky
}

#[cfg(test)]
mod unit_tests {
    use proptest::prelude::*;

    use super::super::changes::fixtures::{history_on, identity, test};
    use super::*;

    const PASSED: Outcome = Outcome::Passed;
    const FAILED: Outcome = Outcome::Failed;

    fn told(now: Outcome, past: &[(&str, Outcome)], tree: Option<&str>) -> Option<Flaky> {
        let (id, test) = (identity("t"), test(now));
        flaky(&[(&id, &test)], &history_on("t", past), tree).pop()
    }

    #[test]
    fn both_outcomes_on_one_tree_are_flaky_and_on_two_trees_are_not() {
        let flaky = told(FAILED, &[("a", PASSED), ("b", FAILED), ("a", PASSED)], Some("a")).unwrap();
        assert_eq!((flaky.in_run, flaky.tree_passed, flaky.tree_failed), (false, 2, 1));
        assert_eq!((flaky.failed_runs, flaky.runs), (2, 4));
        assert_eq!(flaky.failure_rate(), 0.5);
        assert_eq!(flaky.reason(), "held in 2 and failed in 1 run on this very tree");
        assert_eq!(told(FAILED, &[("b", PASSED)], Some("a")), None);
        assert_eq!(told(PASSED, &[("a", Outcome::Skipped)], Some("a")), None);
        assert!(told(PASSED, &[("a", Outcome::Errored)], Some("a")).is_some());
        assert!(told(PASSED, &[("a", PASSED), ("a", FAILED)], Some("a")).is_some(), "an earlier failure counts too");
    }

    #[test]
    fn without_a_clean_tree_only_attempts_tell() {
        assert_eq!(told(FAILED, &[("", PASSED), ("", FAILED)], None), None, "two dirty runs are not on one tree");
        let (id, both) = (identity("t"), Test { flaky: true, ..test(PASSED) });
        let found = flaky(&[(&id, &both)], &Samples::default(), None).pop().unwrap();
        assert_eq!((found.in_run, found.tree_passed, found.failed_runs, found.runs), (true, 0, 1, 1));
        assert_eq!(found.reason(), "held and failed within this run");
        let here = flaky(&[(&id, &both)], &Samples::default(), Some("a")).pop().unwrap();
        assert_eq!(here.reason(), "held and failed within this run; held in 1 and failed in 1 run on this very tree");
    }

    #[test]
    fn the_rate_counts_the_last_runs_that_did_not_skip_it() {
        let mut past = vec![("b", Outcome::Skipped); 30];
        past.extend(vec![("b", FAILED); 29]);
        past.extend(vec![("b", PASSED); 200]);
        past.push(("a", PASSED));
        let flaky = told(FAILED, &past, Some("a")).unwrap();
        assert_eq!((flaky.failed_runs, flaky.runs), (30, LAST_RUNS as u64));
    }

    proptest! {
        #[test]
        fn one_outcome_only_is_never_flaky(past in prop::collection::vec(prop::bool::ANY, 0..20), now in prop::bool::ANY) {
            let outcome = |held| if held { PASSED } else { FAILED };
            let all: Vec<_> = past.iter().map(|held| ("a", outcome(*held))).collect();
            let flaky = told(outcome(now), &all, Some("a"));
            let both = past.iter().any(|held| *held != now);
            prop_assert_eq!(flaky.is_some(), both);
        }
    }
}
