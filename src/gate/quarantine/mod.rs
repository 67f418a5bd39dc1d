//! Quarantine: failures of known tests that are excused for a stated reason, until a stated day.
//!
//! An entry excuses on its last day and never after it, judged at the moment the run began, so that a record says the
//! same whenever it is looked at. Every test in quarantine is listed, whatever became of it. Deliberately absent:
//! leaving a test out of the numbers. It is measured like any other; only what is held against a limit is less.

pub mod entry;

pub use entry::{Entry, Pattern};

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::samples::Samples;
use crate::evidence::Problem;
use crate::evidence::problem::{Code, Level};
use crate::evidence::sink::Outcome;
use crate::evidence::tests::{Identity, Seen, Test};
use crate::sys::text;

/// A test in quarantine is stable when it held in this many runs in a row, this one included.
pub const STABLE_RUNS: u64 = 10;

/// Problem codes of quarantine.
pub const CODES: &[&Code] = &[&EXPIRED, &UNMATCHED, &STABLE];

/// An entry's last day is past.
pub const EXPIRED: Code = Code {
    id: "quarantine.expired",
    level: Level::Warning,
    doc: "The last day of a quarantine entry was past when the run began, so it excuses nothing any more: failures of its tests count.",
    hint: "repair the tests and remove the entry, or give it a later `until`",
};

/// An entry names no test.
pub const UNMATCHED: Code = Code {
    id: "quarantine.unmatched",
    level: Level::Note,
    doc: "A quarantine entry names no test of the run. The test may have been renamed or removed.",
    hint: "",
};

/// An entry may go.
pub const STABLE: Code = Code {
    id: "quarantine.stable",
    level: Level::Note,
    doc: "A test in quarantine held in each of its last runs, ten at least and this one included: it may be released.",
    hint: "",
};

/// What quarantine means for one run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quarantine {
    /// Every entry, in written order.
    pub entries: Vec<Held>,
    /// Tests under an entry whose time is not over, ascending by identity.
    pub tests: Vec<Quarantined>,
    /// Checks with failing tests, all of which are excused; ascending. Whether that explains the check's own failure
    /// depends on how the check ended.
    pub explained: Vec<String>,
}

/// An entry and what it meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// The pattern as written.
    pub tests: String,
    /// The check whose tests are meant; any if not given.
    pub check: Option<String>,
    /// Why.
    pub reason: String,
    /// Its last day, in UTC.
    pub until: Date,
    /// Its line in the configuration, from 1.
    pub line: u64,
    /// Whether its last day was past when the run began: it excuses nothing.
    pub expired: bool,
    /// Tests of the run that it names.
    pub matched: u64,
    /// Those of them that failed.
    pub failed: u64,
    /// Those of them that held in their last [`STABLE_RUNS`] runs, and so may be released.
    pub stable: u64,
    /// Whether it names no test although every check that it could mean was evaluated.
    pub unmatched: bool,
    /// The only test of the run with that bare name, where the entry names none: probably what was meant.
    pub suggestion: Option<String>,
}

impl Held {
    /// How it ended, where its last day was past: `ended on 2026-04-30; 1 of 2 tests failed`.
    #[must_use]
    pub fn ending(&self) -> String {
        let tests = || text::plural(self.matched, "test", "tests");
        let failed = match (self.matched, self.failed) {
            (0, _) => String::new(),
            (_, 0) => format!("; no failure among {}", tests()),
            (_, failed) => format!("; {failed} of {} failed", tests()),
        };
        format!("ended on {}{failed}", self.until)
    }
}

/// A test in quarantine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quarantined {
    /// The test.
    #[serde(flatten)]
    pub identity: Identity,
    /// Why its failures are excused: its first entry's reason.
    pub reason: String,
    /// The last day on which they are, in UTC.
    pub until: Date,
    /// How it ended in this run.
    pub outcome: Outcome,
    /// Whether attempts within this run both held and did not.
    pub flaky: bool,
    /// Runs in a row in which it held, this one included, runs that skipped it left out. Earlier ones are only known
    /// as far as history goes.
    pub stable_runs: u64,
}

impl Quarantined {
    /// Whether it has been stable, and so may be released.
    #[must_use]
    pub fn is_stable(&self) -> bool {
        self.stable_runs >= STABLE_RUNS
    }
}

/// What a run is held against.
pub struct Input<'a> {
    /// The entries, in written order.
    pub entries: &'a [Entry],
    /// The tests of this run, each once.
    pub head: &'a [Seen<'a>],
    /// Earlier runs; empty where there are none.
    pub samples: &'a Samples,
    /// When the run began.
    pub at: Timestamp,
    /// Whether this run evaluated a check, by name.
    pub evaluated: &'a dyn Fn(&str) -> bool,
    /// Whether it evaluated every check of the project that leaves test reports.
    pub is_full: bool,
}

/// Finds the tests in quarantine and what became of them.
#[must_use]
pub fn quarantine(input: &Input<'_>) -> Quarantine {
    if input.entries.is_empty() {
        return Quarantine::default();
    }
    let mut out = Quarantine {
        entries: input.entries.iter().map(|entry| held(entry, input.at)).collect(),
        ..Quarantine::default()
    };
    let index = Index::of(input.entries);
    // Checks with a failing test, and whether all of them are excused.
    let mut failing: HashMap<&str, bool> = HashMap::new();
    for (identity, test) in input.head {
        let matched = index.find(identity);
        let stable_runs = if matched.is_empty() { 0 } else { stable_runs(identity, test, input.samples) };
        for at in &matched {
            let entry = &mut out.entries[*at];
            entry.matched += 1;
            entry.failed += u64::from(test.outcome.is_failure());
            entry.stable += u64::from(stable_runs >= STABLE_RUNS);
        }
        let active = matched.iter().find(|at| !out.entries[**at].expired).map(|at| &input.entries[*at]);
        if test.outcome.is_failure() {
            *failing.entry(&identity.check).or_insert(true) &= active.is_some();
        }
        if let Some(entry) = active {
            out.tests.push(Quarantined {
                identity: (*identity).clone(),
                reason: entry.reason.clone(),
                until: entry.until,
                outcome: test.outcome,
                flaky: test.flaky,
                stable_runs,
            });
        }
    }
    out.tests.sort_by(|a, b| a.identity.cmp(&b.identity));
    let explained: BTreeSet<_> =
        failing.into_iter().filter(|(_, all)| *all).map(|(check, _)| check.to_owned()).collect();
    out.explained = explained.into_iter().collect();
    suggest(&mut out.entries, input);
    out
}

fn held(entry: &Entry, at: Timestamp) -> Held {
    Held {
        tests: entry.tests.as_str().to_owned(),
        check: entry.check.clone(),
        reason: entry.reason.clone(),
        until: entry.until,
        line: entry.line,
        expired: entry.is_expired(at),
        matched: 0,
        failed: 0,
        stable: 0,
        unmatched: false,
        suggestion: None,
    }
}

/// Entries by what they name: full names are looked up, patterns are tried one after another.
struct Index<'a> {
    entries: &'a [Entry],
    literal: HashMap<&'a str, Vec<usize>>,
    patterns: Vec<usize>,
}

impl<'a> Index<'a> {
    fn of(entries: &'a [Entry]) -> Self {
        let mut index = Self { entries, literal: HashMap::new(), patterns: Vec::new() };
        for (at, entry) in entries.iter().enumerate() {
            if entry.tests.is_literal() {
                index.literal.entry(entry.tests.as_str()).or_default().push(at);
            } else {
                index.patterns.push(at);
            }
        }
        index
    }

    /// The entries that name a test, in written order, each once.
    fn find(&self, identity: &Identity) -> Vec<usize> {
        let names = entry::names(identity);
        let literal = names.iter().filter_map(|name| self.literal.get(name.as_str())).flatten().copied();
        let is_named = |at: &usize| names.iter().any(|name| self.entries[*at].tests.matches(name));
        let mut found: Vec<_> = literal.chain(self.patterns.iter().copied().filter(is_named)).collect();
        found.retain(|at| self.entries[*at].check.as_deref().is_none_or(|check| check == &*identity.check));
        found.sort_unstable();
        found.dedup();
        found
    }
}

fn stable_runs(identity: &Identity, test: &Test, samples: &Samples) -> u64 {
    let past = samples.tests.get(identity).into_iter().flatten().map(|sample| (sample.outcome, sample.flaky));
    let ran =
        std::iter::once((test.outcome, test.flaky)).chain(past).filter(|(outcome, _)| *outcome != Outcome::Skipped);
    ran.take_while(|(outcome, flaky)| *outcome == Outcome::Passed && !flaky).count() as u64
}

/// Says which entries name nothing, and what was probably meant.
fn suggest(entries: &mut [Held], input: &Input<'_>) {
    for entry in entries.iter_mut().filter(|entry| entry.matched == 0) {
        entry.unmatched = match &entry.check {
            Some(check) => (input.evaluated)(check),
            None => input.is_full,
        };
        if entry.unmatched {
            let in_check = |id: &Identity| entry.check.as_deref().is_none_or(|check| check == &*id.check);
            let mut same = input.head.iter().filter(|(id, _)| *id.name == *entry.tests && in_check(id));
            if let (Some((identity, _)), None) = (same.next(), same.next()) {
                entry.suggestion = Some(identity.display());
            }
        }
    }
}

impl Quarantine {
    /// Excused failures, errors included: what to take off `tests.failed`.
    #[must_use]
    pub fn failed(&self) -> usize {
        self.tests.iter().filter(|test| test.outcome.is_failure()).count()
    }

    /// Excused errors: what to take off `tests.errors`.
    #[must_use]
    pub fn errors(&self) -> usize {
        self.tests.iter().filter(|test| test.outcome == Outcome::Errored).count()
    }

    /// Tests that may be released.
    pub fn stable(&self) -> impl Iterator<Item = &Quarantined> {
        self.tests.iter().filter(|test| test.is_stable())
    }

    /// Whether a check has failing tests and all of them are excused.
    #[must_use]
    pub fn explains(&self, check: &str) -> bool {
        self.explained.binary_search_by(|id| id.as_str().cmp(check)).is_ok()
    }

    /// What somebody should know of the entries; `policy` is the file they stand in.
    #[must_use]
    pub fn problems(&self, policy: &str) -> Vec<Problem> {
        let mut problems = Vec::new();
        for entry in &self.entries {
            let name = text::one_line(&entry.tests);
            let mut tell = |code: &Code, told: String, hint: Option<String>| {
                let mut problem = Problem::new(code, told).in_file(policy).at_line(entry.line);
                problem.hint = hint.or(problem.hint);
                problems.push(problem);
            };
            if entry.expired {
                tell(&EXPIRED, format!("the quarantine of `{name}` {}", entry.ending()), None);
            }
            if entry.unmatched {
                let hint = entry.suggestion.as_ref().map(|near| format!("did you mean `{}`?", text::one_line(near)));
                let hint = hint.or_else(|| Some("remove the entry, or write the name as reports show it".to_owned()));
                tell(&UNMATCHED, format!("the quarantine of `{name}` names no test"), hint);
            }
            if entry.stable > 0 && !entry.expired {
                let (which, hint) = match (entry.matched, entry.stable) {
                    (1, _) => ("the test".to_owned(), "remove the entry"),
                    (all, stable) if all == stable => (format!("each of its {all} tests"), "remove the entry"),
                    (all, stable) => (format!("{stable} of its {all} tests"), "name only those tests that still fail"),
                };
                let told = format!("the quarantine of `{name}`: {which} held in the last {STABLE_RUNS} runs");
                tell(&STABLE, told, Some(hint.to_owned()));
            }
        }
        problems
    }
}

#[cfg(test)]
mod unit_tests {
    use proptest::prelude::*;

    use super::*;
    use crate::gate::changes::fixtures::{history, identity, test};
    use crate::gate::changes::{self, TestChanges};

    const PASSED: Outcome = Outcome::Passed;
    const FAILED: Outcome = Outcome::Failed;
    const TODAY: &str = "2030-06-15T12:00:00Z";

    fn entry(tests: &str, until: &str) -> Entry {
        let until = until.parse().unwrap();
        Entry { tests: Pattern::new(tests), reason: format!("{tests} is known"), until, check: None, line: 7 }
    }

    fn of_check(check: &str, entry: Entry) -> Entry {
        Entry { check: Some(check.to_owned()), ..entry }
    }

    fn held(entries: &[Entry], tests: &[(&str, Outcome)], samples: &Samples) -> Quarantine {
        let tests: Vec<_> = tests.iter().map(|(name, outcome)| (identity(name), test(*outcome))).collect();
        let head: Vec<Seen<'_>> = tests.iter().map(|(identity, test)| (identity, test)).collect();
        let at = TODAY.parse().unwrap();
        quarantine(&Input { entries, head: &head, samples, at, evaluated: &|_| true, is_full: true })
    }

    fn told(quarantine: &Quarantine) -> Vec<String> {
        let problems = quarantine.problems("mgmt.yml").into_iter();
        problems
            .map(|problem| format!("{}: {} | {}", problem.code, problem.message, problem.hint.unwrap_or_default()))
            .collect()
    }

    #[test]
    fn failures_under_an_entry_are_excused_and_every_test_is_listed() {
        let entries = [entry("Net::*", "2030-06-15"), of_check("slow", entry("crash", "2030-12-31"))];
        let tests = [("Net::a", FAILED), ("Net::b", PASSED), ("slow/crash", Outcome::Errored), ("unit/crash", FAILED)];
        let held = held(&entries, &tests, &Samples::default());
        let listed: Vec<_> =
            held.tests.iter().map(|test| format!("{} {:?}", test.identity.display(), test.outcome)).collect();
        assert_eq!(listed, ["crash Errored", "Net::a Failed", "Net::b Passed"]);
        assert_eq!((held.failed(), held.errors()), (2, 1));
        assert_eq!(held.tests[1].reason, "Net::* is known");
        assert_eq!(told(&held), [""; 0]);
        let changes = TestChanges { tests: 4, ..TestChanges::default() };
        let excused: Vec<_> = changes::excused(&changes, &held).into_iter().collect();
        assert_eq!(excused, [("tests.errors".to_owned(), 1.0), ("tests.failed".to_owned(), 2.0)]);
        assert_eq!(changes::measure(&changes, &held).last(), Some(&("tests.quarantined", 3.0)));
        let json = serde_json::to_string(&held).unwrap();
        assert_eq!(serde_json::from_str::<Quarantine>(&json).unwrap(), held, "{json}");
    }

    #[test]
    fn a_check_is_explained_only_if_each_of_its_failures_is_excused() {
        let entries = [entry("a", "2030-12-31"), entry("gone", "2030-01-01")];
        let explained = |tests: &[(&str, Outcome)]| held(&entries, tests, &Samples::default()).explained;
        assert_eq!(explained(&[("x/a", FAILED), ("x/b", PASSED), ("y/b", FAILED)]), ["x"]);
        assert_eq!(explained(&[("x/a", FAILED), ("x/b", FAILED)]), [""; 0]);
        assert_eq!(explained(&[("x/a", PASSED)]), [""; 0], "its failure is something else than a test");
        assert_eq!(explained(&[("x/a", FAILED), ("x/gone", FAILED)]), [""; 0], "an expired entry excuses nothing");
        let held = held(&entries, &[("x/a", FAILED), ("y/a", FAILED)], &Samples::default());
        assert!(held.explains("x") && held.explains("y") && !held.explains("z"));
    }

    #[test]
    fn an_expired_entry_excuses_nothing_and_warns() {
        let entries = [entry("N::*", "2030-06-14"), entry("N::a", "2030-06-15")];
        let held = held(&entries, &[("N::a", FAILED), ("N::b", FAILED)], &Samples::default());
        assert_eq!(held.tests.len(), 1, "another entry still excuses one of the tests");
        assert_eq!(held.tests[0].reason, "N::a is known");
        assert_eq!(held.failed(), 1);
        assert_eq!(
            told(&held),
            [
                "quarantine.expired: the quarantine of `N::*` ended on 2030-06-14; 2 of 2 tests failed | repair the tests and remove the entry, or give it a later `until`"
            ]
        );
        assert_eq!(EXPIRED.level, Level::Warning);
    }

    #[test]
    fn an_entry_that_names_nothing_says_so_where_it_could_have_named_something() {
        let entries = [entry("login", "2030-12-31"), of_check("slow", entry("logout", "2030-12-31"))];
        let tests = [(identity("unit/User::login"), test(PASSED))];
        let head: Vec<Seen<'_>> = tests.iter().map(|(identity, test)| (identity, test)).collect();
        let samples = Samples::default();
        let at = TODAY.parse().unwrap();
        let of = |evaluated: &dyn Fn(&str) -> bool, is_full| {
            told(&quarantine(&Input { entries: &entries, head: &head, samples: &samples, at, evaluated, is_full }))
        };
        assert_eq!(
            of(&|_| true, true),
            [
                "quarantine.unmatched: the quarantine of `login` names no test | did you mean `User::login`?",
                "quarantine.unmatched: the quarantine of `logout` names no test | remove the entry, or write the name as reports show it"
            ]
        );
        assert_eq!(of(&|check| check == "unit", false), [""; 0]);
    }

    #[test]
    fn a_test_that_held_ten_times_in_a_row_may_be_released() {
        let run = |names: &[&str], past: &[(&str, &[(Outcome, f64)])]| {
            let tests: Vec<_> = names.iter().map(|name| (*name, PASSED)).collect();
            held(&[entry("N::*", "2030-12-31")], &tests, &history(past))
        };
        let nine = [(PASSED, 0.0); 9];
        let once = run(&["N::a"], &[("N::a", &nine)]);
        assert_eq!(once.stable().count(), 1);
        assert_eq!(
            told(&once),
            ["quarantine.stable: the quarantine of `N::*`: the test held in the last 10 runs | remove the entry"]
        );
        assert_eq!(run(&["N::a"], &[("N::a", &nine[1..])]).stable().count(), 0, "nine runs are too few");
        let both = run(&["N::a", "N::b"], &[("N::a", &nine), ("N::b", &nine)]);
        assert_eq!(
            told(&both),
            [
                "quarantine.stable: the quarantine of `N::*`: each of its 2 tests held in the last 10 runs | remove the entry"
            ]
        );
        let some = run(&["N::a", "N::b"], &[("N::a", &nine)]);
        assert_eq!(
            told(&some),
            [
                "quarantine.stable: the quarantine of `N::*`: 1 of its 2 tests held in the last 10 runs | name only those tests that still fail"
            ]
        );
        let mut broken = nine;
        broken[8].0 = FAILED;
        assert_eq!(run(&["N::a"], &[("N::a", &broken)]).tests[0].stable_runs, 9);
        broken[8].0 = Outcome::Skipped;
        assert_eq!(run(&["N::a"], &[("N::a", &broken)]).tests[0].stable_runs, 9, "a skipped run says nothing");
        let mut flaky = history(&[("N::a", &nine)]);
        flaky.tests.values_mut().flatten().for_each(|sample| sample.flaky = true);
        assert_eq!(held(&[entry("N::*", "2030-12-31")], &[("N::a", PASSED)], &flaky).tests[0].stable_runs, 1);
        assert_eq!(
            held(&[entry("N::*", "2030-12-31")], &[("N::a", FAILED)], &history(&[("N::a", &nine)])).stable().count(),
            0
        );
    }

    #[test]
    fn many_tests_and_many_entries_are_no_matter() {
        let entries: Vec<_> = (0..2_000).map(|at| entry(&format!("C{at}::t0"), "2030-12-31")).collect();
        let names: Vec<_> = (0..50_000).map(|at| format!("C{}::t{}", at / 10, at % 10)).collect();
        let tests: Vec<_> = names.iter().map(|name| (name.as_str(), FAILED)).collect();
        assert_eq!(held(&entries, &tests, &Samples::default()).failed(), 2_000);
    }

    proptest! {
        #[test]
        fn quarantine_never_excuses_more_than_failed_and_a_later_day_never_less(
            tests in prop::collection::btree_map("[ab]/[x-z]", prop::bool::ANY, 0..6),
            patterns in prop::collection::vec(("[x-z]|x\\*|\\*z", prop::bool::ANY), 0..4),
        ) {
            let tests: Vec<_> = tests.iter().map(|(name, failed)| (name.as_str(), if *failed { FAILED } else { PASSED })).collect();
            let entries = |days: [&str; 2]| -> Vec<_> {
                patterns.iter().map(|(pattern, expired)| entry(pattern, days[usize::from(*expired)])).collect()
            };
            let now = held(&entries(["2030-12-31", "2030-01-01"]), &tests, &Samples::default());
            let later = held(&entries(["2031-12-31", "2031-01-01"]), &tests, &Samples::default());
            let failures = tests.iter().filter(|(_, outcome)| *outcome == FAILED).count();
            prop_assert!(now.failed() <= later.failed() && later.failed() <= failures);
            for check in &now.explained {
                prop_assert!(later.explains(check));
            }
            let never = held(&entries(["2030-01-01", "2030-01-01"]), &tests, &Samples::default());
            prop_assert!(never.tests.is_empty() && never.explained.is_empty());
        }
    }
}
