//! How long tests take: the slowest of a run, and those that became slower than their own history allows.
//!
//! Deliberately absent: a comparison with one earlier run. A single time on a shared machine says little.

use serde::{Deserialize, Serialize};

use super::samples::{Sample, Samples};
use super::statistics::{self, Allowance};
use crate::evidence::sink::Outcome;
use crate::evidence::tests::{Identity, Seen, Test};

/// How many of the slowest tests are listed.
pub const SLOWEST: usize = 10;

/// How many of a test's latest timed runs its usual time is drawn from.
pub const HISTORY: usize = 50;

/// How much slower than usual is newly slow: 5 deviations, half as much again, and half a second; all three.
pub const ALLOWANCE: Allowance = Allowance { samples: 5, deviations: 5.0, relative: 0.5, absolute: 0.5 };

/// Times of a run held against history.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Pace {
    /// Tests with enough timed runs before this one to say what is usual.
    pub judged: u64,
    /// Those of them that are slower than they may be, the greatest excess first.
    pub slow: Vec<Slow>,
}

/// A test that became slow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Slow {
    /// The test.
    #[serde(flatten)]
    pub identity: Identity,
    /// Seconds of one attempt in this run.
    pub seconds: f64,
    /// The median of its earlier times, in seconds.
    pub usual: f64,
    /// The greatest time that would not have stood out, in seconds.
    pub limit: f64,
    /// How many earlier times that is drawn from.
    pub samples: u64,
}

/// A test and its time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Timed {
    /// The test.
    #[serde(flatten)]
    pub identity: Identity,
    /// Seconds over all its attempts in this run.
    pub seconds: f64,
}

/// The tests that took longest, longest first, at most [`SLOWEST`]. Tests without a time are not among them.
#[must_use]
pub fn slowest(head: &[Seen<'_>]) -> Vec<Timed> {
    let mut timed: Vec<_> = head.iter().filter(|(_, test)| is_time(test.seconds)).collect();
    let order = |a: &&Seen<'_>, b: &&Seen<'_>| b.1.seconds.total_cmp(&a.1.seconds).then_with(|| a.0.cmp(b.0));
    if timed.len() > SLOWEST {
        timed.select_nth_unstable_by(SLOWEST, order);
        timed.truncate(SLOWEST);
    }
    timed.sort_by(order);
    timed.into_iter().map(|(identity, test)| Timed { identity: (*identity).clone(), seconds: test.seconds }).collect()
}

/// Holds each test's time against its own history. `None` if no test has enough of one.
///
/// Only attempts that held are compared, with each other: a failure ends early or runs into a timeout.
#[must_use]
pub fn pace(head: &[Seen<'_>], samples: &Samples) -> Option<Pace> {
    let mut pace = Pace::default();
    for (identity, test) in head {
        let Some(seconds) = attempt(test) else { continue };
        let Some(past) = samples.tests.get(*identity) else { continue };
        let times = past.iter().filter(|sample| is_timed_pass(sample)).take(HISTORY).map(|sample| sample.seconds);
        // No limit is below the absolute allowance: most tests need no median.
        if seconds <= ALLOWANCE.absolute {
            pace.judged += u64::from(times.take(ALLOWANCE.samples).count() == ALLOWANCE.samples);
            continue;
        }
        let Some(usual) = statistics::usual(times) else { continue };
        let Some(limit) = usual.upper_bound(&ALLOWANCE) else { continue };
        pace.judged += 1;
        if seconds > limit {
            pace.slow.push(Slow {
                identity: (*identity).clone(),
                seconds,
                usual: usual.median,
                limit,
                samples: usual.count as u64,
            });
        }
    }
    let excess = |slow: &Slow| slow.seconds - slow.usual;
    pace.slow.sort_by(|a, b| excess(b).total_cmp(&excess(a)).then_with(|| a.identity.cmp(&b.identity)));
    (pace.judged > 0).then_some(pace)
}

/// Seconds of one attempt of a test that held.
fn attempt(test: &Test) -> Option<f64> {
    let seconds = test.seconds / f64::from(test.attempts.max(1));
    (test.outcome == Outcome::Passed && is_time(seconds)).then_some(seconds)
}

/// A flaky run's seconds are of several attempts, nobody knows how many.
fn is_timed_pass(sample: &Sample) -> bool {
    sample.outcome == Outcome::Passed && !sample.flaky && is_time(sample.seconds)
}

/// 0 stands where no time was given.
fn is_time(seconds: f64) -> bool {
    seconds.is_finite() && seconds > 0.0
}

#[cfg(test)]
mod unit_tests {
    use proptest::prelude::*;

    use super::super::changes::fixtures::{history, identity, test, timed};
    use super::*;

    fn slow(seconds: f64, past: &[f64]) -> Option<Pace> {
        let (id, now) = (identity("t"), timed(Outcome::Passed, seconds));
        let past: Vec<_> = past.iter().map(|seconds| (Outcome::Passed, *seconds)).collect();
        pace(&[(&id, &now)], &history(&[("t", &past)]))
    }

    #[test]
    fn a_test_is_slow_against_its_own_history_and_says_by_how_much() {
        let past = [1.0, 1.1, 0.9, 1.0, 1.05];
        let told = slow(4.0, &past).unwrap();
        assert_eq!(told.judged, 1);
        assert_eq!((told.slow[0].seconds, told.slow[0].usual, told.slow[0].samples), (4.0, 1.0, 5));
        assert_eq!(told.slow[0].limit, 1.5);
        assert_eq!(slow(1.5, &past).unwrap().slow, []);
        assert_eq!(slow(4.0, &past[1..]), None, "too few runs to say");
    }

    #[test]
    fn small_and_noisy_differences_are_not_slow() {
        assert_eq!(slow(0.4, &[0.01; 9]).unwrap().slow, [], "forty times as long, and nobody waits for it");
        assert_eq!(slow(12.0, &[10.0; 9]).unwrap().slow, [], "two seconds, and a fifth of what it takes");
        assert_eq!(slow(8.0, &[1.0, 5.0, 2.0, 6.0, 3.0, 1.5]).unwrap().slow, [], "its times vary as much");
        assert_eq!(slow(40.0, &[1.0, 5.0, 2.0, 6.0, 3.0, 1.5]).unwrap().slow.len(), 1);
    }

    #[test]
    fn times_that_are_not_given_or_not_of_one_pass_are_not_compared() {
        assert_eq!(slow(0.0, &[1.0; 9]), None);
        assert_eq!(slow(f64::NAN, &[1.0; 9]), None);
        assert_eq!(slow(9.0, &[0.0; 9]), None);
        let id = identity("t");
        let failed = timed(Outcome::Failed, 60.0);
        let passes = history(&[("t", &[(Outcome::Passed, 1.0); 9])]);
        assert_eq!(pace(&[(&id, &failed)], &passes), None);
        let now = timed(Outcome::Passed, 60.0);
        assert_eq!(pace(&[(&id, &now)], &history(&[("t", &[(Outcome::Failed, 1.0); 9])])), None);
        let mut flaky = passes.clone();
        flaky.tests.values_mut().flatten().for_each(|sample| sample.flaky = true);
        assert_eq!(pace(&[(&id, &now)], &flaky), None);
        let retried = Test { attempts: 3, seconds: 3.3, ..test(Outcome::Passed) };
        assert_eq!(pace(&[(&id, &retried)], &passes).unwrap().slow, [], "three attempts of the usual length");
    }

    #[test]
    fn the_slowest_come_first_and_equal_times_in_order_of_names() {
        let ids: Vec<_> = (0..30).map(|at| identity(&format!("t{at:02}"))).collect();
        let times: Vec<_> = (0..30).map(|at| timed(Outcome::Passed, f64::from(at / 2))).collect();
        let head: Vec<_> = ids.iter().zip(&times).collect();
        let told: Vec<_> = slowest(&head).into_iter().map(|timed| timed.identity.name.to_string()).collect();
        assert_eq!(told, ["t28", "t29", "t26", "t27", "t24", "t25", "t22", "t23", "t20", "t21"]);
        let none: Vec<_> = head.iter().take(2).copied().collect();
        assert_eq!(slowest(&none), [], "no test gives a time");
    }

    proptest! {
        #[test]
        fn a_faster_test_is_never_the_slow_one(past in prop::collection::vec(0.001_f64..100.0, 0..60), a in 0.001_f64..500.0, b in 0.001_f64..500.0) {
            let is_slow = |seconds| slow(seconds, &past).is_some_and(|pace| !pace.slow.is_empty());
            prop_assert!(is_slow(a.max(b)) || !is_slow(a.min(b)));
            let usual = statistics::median(past.iter().take(HISTORY).copied()).unwrap_or(f64::INFINITY);
            prop_assert!(!is_slow(usual));
        }
    }
}
