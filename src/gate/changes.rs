//! What became of the tests since the baseline and over history: gone, new, skipped, broken, mended, slow, flaky.
//!
//! Tests are matched by identity alone. A test whose class, file or check changed is gone and new; where exactly one
//! new test could be the same, the entry says so, and still counts. Deliberately absent: limits. Rules hold the
//! numbers of [`measure`] against them.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap, HashSet};

use serde::{Deserialize, Serialize};

use super::flaky::{self, Flaky};
use super::pace::{self, Pace, Timed};
use super::quarantine::Quarantine;
use super::samples::Samples;
use crate::evidence::sink::Outcome;
use crate::evidence::tests::{Identity, Seen};

/// What is compared.
pub struct Input<'a> {
    /// The tests of this run, each once.
    pub head: &'a [Seen<'a>],
    /// The tests of the baseline, each once; `None` without one.
    pub base: Option<&'a [Seen<'a>]>,
    /// Earlier runs; empty where there are none.
    pub samples: &'a Samples,
    /// The tree that this run looked at; `None` if files differed from the commit.
    pub tree: Option<&'a str>,
    /// Whether this run evaluated a check, by name: the tests of any other check are not gone, only not asked for.
    pub evaluated: &'a dyn Fn(&str) -> bool,
}

/// What became of the tests.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TestChanges {
    /// Tests of this run.
    pub tests: u64,
    /// Against the baseline; `None` if there is none, or it has no test of a check that this run evaluated.
    pub base: Option<AgainstBase>,
    /// Times against history; `None` if no test has enough of one.
    pub pace: Option<Pace>,
    /// The tests that took longest, longest first.
    pub slowest: Vec<Timed>,
    /// Tests seen both to hold and not to hold, ascending by identity.
    pub flaky: Vec<Flaky>,
}

/// Tests held against those of the baseline, each list ascending by identity.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgainstBase {
    /// Tests of the baseline that were compared.
    pub compared: u64,
    /// Checks with tests in this run and none in the baseline: nothing of theirs could be missed.
    pub new_checks: Vec<String>,
    /// Tests of the baseline that are not in this run.
    pub disappeared: Vec<Disappeared>,
    /// Tests that are not in the baseline.
    pub appeared: Vec<Identity>,
    /// Passed or failed in the baseline, skipped now.
    pub newly_skipped: Vec<Identity>,
    /// Passed in the baseline, failed now.
    pub newly_failing: Vec<Identity>,
    /// Failed in the baseline, passed now.
    pub fixed: Vec<Identity>,
}

/// A test that is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disappeared {
    /// The test.
    #[serde(flatten)]
    pub identity: Identity,
    /// The one new test that may be the same in another place.
    pub moved_to: Option<Identity>,
}

/// Compares the tests of a run with those of its baseline and of earlier runs.
#[must_use]
pub fn compare(input: &Input<'_>) -> TestChanges {
    let mut flaky = flaky::flaky(input.head, input.samples, input.tree);
    flaky.sort_by(|a, b| a.identity.cmp(&b.identity));
    TestChanges {
        tests: input.head.len() as u64,
        base: input.base.and_then(|base| against_base(input.head, base, input.evaluated)),
        pace: pace::pace(input.head, input.samples),
        slowest: pace::slowest(input.head),
        flaky,
    }
}

fn against_base(head: &[Seen<'_>], base: &[Seen<'_>], evaluated: &dyn Fn(&str) -> bool) -> Option<AgainstBase> {
    // Many tests share few checks.
    let mut known: HashMap<&str, bool> = HashMap::new();
    let mut is_evaluated = |check| *known.entry(check).or_insert_with(|| evaluated(check));
    let base: Vec<_> = base.iter().filter(|(identity, _)| is_evaluated(&identity.check)).copied().collect();
    if base.is_empty() {
        return None;
    }
    let with_base: HashSet<&str> = base.iter().map(|(identity, _)| &*identity.check).collect();
    let mut out = AgainstBase { compared: base.len() as u64, ..AgainstBase::default() };
    let (mut gone, mut appeared) = (Vec::new(), Vec::new());
    let (head, base) = (ascending(head), ascending(&base));
    let (mut head, mut base) = (head.iter().peekable(), base.iter().peekable());
    loop {
        let order = match (base.peek(), head.peek()) {
            (None, None) => break,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(base), Some(head)) => base.0.cmp(head.0),
        };
        let before = if order.is_le() { base.next() } else { None };
        let now = if order.is_ge() { head.next() } else { None };
        match (before, now) {
            (Some((_, before)), Some((identity, now))) => {
                if let Some(list) = out.list(before.outcome, now.outcome) {
                    list.push((*identity).clone());
                }
            }
            (Some((identity, _)), None) => gone.push(*identity),
            (None, Some((identity, _))) => appeared.push(*identity),
            (None, None) => {}
        }
    }
    let moved = moves(&gone, &appeared);
    let disappeared = gone.iter().zip(moved);
    out.disappeared = disappeared
        .map(|(identity, to)| Disappeared { identity: (*identity).clone(), moved_to: to.cloned() })
        .collect();
    // Checks come first in an identity, so those of one check stand together.
    let mut checks: Vec<_> = appeared.iter().map(|identity| &*identity.check).collect();
    checks.dedup();
    checks.retain(|check| !with_base.contains(check));
    out.new_checks = checks.into_iter().map(str::to_owned).collect();
    out.appeared = appeared.into_iter().cloned().collect();
    Some(out)
}

impl AgainstBase {
    /// The list that the two outcomes of a test choose.
    fn list(&mut self, before: Outcome, now: Outcome) -> Option<&mut Vec<Identity>> {
        match (before, now) {
            (Outcome::Skipped, _) => None,
            (_, Outcome::Skipped) => Some(&mut self.newly_skipped),
            (Outcome::Passed, Outcome::Failed | Outcome::Errored) => Some(&mut self.newly_failing),
            (Outcome::Failed | Outcome::Errored, Outcome::Passed) => Some(&mut self.fixed),
            _ => None,
        }
    }
}

/// Records keep tests in this order, so most often there is nothing to do.
fn ascending<'a>(tests: &[Seen<'a>]) -> Vec<Seen<'a>> {
    let mut tests = tests.to_vec();
    if !tests.is_sorted_by(|a, b| a.0 <= b.0) {
        tests.sort_by(|a, b| a.0.cmp(b.0));
    }
    tests
}

/// What two tests in different places may have in common.
type Key<'a> = (&'a str, &'a str);

/// From the most to the least that can stay the same in a move; the name always does.
const KEYS: [fn(&Identity) -> Key<'_>; 3] =
    [|id| (&id.class, &id.name), |id| (last_part(&id.class), &id.name), |id| ("", &id.name)];

/// `UserTest` of `tests.api.UserTest`, `org/acme/UserTest` and `acme::UserTest`.
fn last_part(class: &str) -> &str {
    class.rsplit(['.', '/', '\\', ':']).next().unwrap_or(class)
}

/// For each test that is gone, the new test that it may have become: only where one test that is gone and one that is
/// new share a key and no other does.
fn moves<'a>(gone: &[&'a Identity], appeared: &[&'a Identity]) -> Vec<Option<&'a Identity>> {
    let mut moved: Vec<Option<&Identity>> = vec![None; gone.len()];
    let mut taken = vec![false; appeared.len()];
    for key in KEYS {
        // `None`: several tests have this key.
        let mut one_gone: HashMap<Key<'_>, Option<usize>> = HashMap::new();
        for (at, identity) in gone.iter().enumerate().filter(|(at, _)| moved[*at].is_none()) {
            one_gone.entry(key(identity)).and_modify(|one| *one = None).or_insert(Some(at));
        }
        let mut one_new: HashMap<Key<'_>, Option<usize>> = HashMap::new();
        for (at, identity) in appeared.iter().enumerate().filter(|(at, _)| !taken[*at]) {
            one_new.entry(key(identity)).and_modify(|one| *one = None).or_insert(Some(at));
        }
        for (key, from) in one_gone {
            if let (Some(from), Some(Some(to))) = (from, one_new.get(&key)) {
                moved[from] = Some(appeared[*to]);
                taken[*to] = true;
            }
        }
    }
    moved
}

/// The numbers that rules may hold against limits. What needs a baseline or a history that is not there is absent,
/// never 0; so is everything about tests where there is none, but that they are gone.
///
/// `tests.flaky` replaces what reports alone say, because it knows earlier runs as well.
#[must_use]
pub fn measure(changes: &TestChanges, quarantine: &Quarantine) -> Vec<(&'static str, f64)> {
    let mut out = Vec::new();
    if let Some(base) = &changes.base {
        out.push(("tests.disappeared", count(base.disappeared.len())));
        // Of no test at all nobody can say that it is not skipped; that all are gone is known.
        if changes.tests > 0 {
            out.push(("tests.newly_skipped", count(base.newly_skipped.len())));
            out.push(("tests.newly_failing", count(base.newly_failing.len())));
        }
    }
    if let Some(pace) = &changes.pace {
        out.push(("tests.newly_slow", count(pace.slow.len())));
    }
    if let Some(slowest) = changes.slowest.first() {
        out.push(("tests.slowest_seconds", slowest.seconds));
    }
    if changes.tests > 0 {
        out.push(("tests.flaky", count(changes.flaky.len())));
        out.push(("tests.quarantined", count(quarantine.tests.len())));
    }
    out
}

/// What quarantine takes off each number before a rule judges it; only what is not 0. The measurements themselves stay
/// as they are.
#[must_use]
pub fn excused(changes: &TestChanges, quarantine: &Quarantine) -> BTreeMap<String, f64> {
    let held = held(quarantine);
    let failing = changes.base.iter().flat_map(|base| &base.newly_failing).filter(|id| held.contains(id)).count();
    let flaky = changes.flaky.iter().filter(|flaky| held.contains(&flaky.identity)).count();
    let all = [
        ("tests.failed", quarantine.failed()),
        ("tests.errors", quarantine.errors()),
        ("tests.newly_failing", failing),
        ("tests.flaky", flaky),
    ];
    all.into_iter().filter(|(_, number)| *number > 0).map(|(name, number)| (name.to_owned(), count(number))).collect()
}

/// The tests behind each number, by the names that people know them by; those in quarantine only where they still
/// count.
#[must_use]
pub fn names(head: &[Seen<'_>], changes: &TestChanges, quarantine: &Quarantine) -> BTreeMap<String, Vec<String>> {
    let held = held(quarantine);
    let counts = |id: &&Identity| !held.contains(*id);
    let of = |outcomes: &[Outcome]| -> Vec<&Identity> {
        head.iter().filter(|(_, test)| outcomes.contains(&test.outcome)).map(|(identity, _)| *identity).collect()
    };
    let base = changes.base.as_ref();
    let all: [(&str, Vec<&Identity>); 8] = [
        ("tests.failed", of(&[Outcome::Failed, Outcome::Errored]).into_iter().filter(counts).collect()),
        ("tests.errors", of(&[Outcome::Errored]).into_iter().filter(counts).collect()),
        ("tests.skipped", of(&[Outcome::Skipped])),
        ("tests.flaky", changes.flaky.iter().map(|flaky| &flaky.identity).filter(counts).collect()),
        ("tests.disappeared", base.iter().flat_map(|base| &base.disappeared).map(|gone| &gone.identity).collect()),
        ("tests.newly_skipped", base.iter().flat_map(|base| &base.newly_skipped).collect()),
        ("tests.newly_failing", base.iter().flat_map(|base| &base.newly_failing).filter(counts).collect()),
        ("tests.newly_slow", changes.pace.iter().flat_map(|pace| &pace.slow).map(|slow| &slow.identity).collect()),
    ];
    let named = |tests: Vec<&Identity>| tests.into_iter().map(Identity::display).collect();
    all.into_iter()
        .filter(|(_, tests)| !tests.is_empty())
        .map(|(name, tests)| (name.to_owned(), named(tests)))
        .collect()
}

fn held(quarantine: &Quarantine) -> HashSet<&Identity> {
    quarantine.tests.iter().map(|test| &test.identity).collect()
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
fn count(number: usize) -> f64 {
    number as f64
}

#[cfg(test)]
pub(crate) mod fixtures {
    //! Tests and histories for the unit tests of this room.

    use jiff::Timestamp;

    use super::super::samples::{PastRun, Sample, Samples};
    use crate::evidence::sink::Outcome;
    use crate::evidence::tests::{Identity, Test};

    /// A test of the check `unit`: `name`, `Class::name` or `check/Class::name`.
    pub(crate) fn identity(name: &str) -> Identity {
        let (check, name) = name.split_once('/').unwrap_or(("unit", name));
        let (class, name) = name.rsplit_once("::").unwrap_or(("", name));
        Identity { check: check.into(), suite: "".into(), class: class.into(), name: name.into(), file: "".into() }
    }

    pub(crate) fn timed(outcome: Outcome, seconds: f64) -> Test {
        Test { outcome, flaky: false, attempts: 1, seconds, line: None, message: None }
    }

    pub(crate) fn test(outcome: Outcome) -> Test {
        timed(outcome, 0.0)
    }

    /// Earlier runs, newest first, each test in as many of the newest as it has outcomes.
    pub(crate) fn history(tests: &[(&str, &[(Outcome, f64)])]) -> Samples {
        let count = tests.iter().map(|(_, past)| past.len()).max().unwrap_or(0);
        let mut samples = Samples { runs: (0..count).map(|at| run(at, "")).collect(), ..Samples::default() };
        for (name, past) in tests {
            let past = past.iter().enumerate();
            let past = past.map(|(run, (outcome, seconds))| sample(run, *outcome, *seconds)).collect();
            samples.tests.insert(identity(name), past);
        }
        samples
    }

    /// One test in earlier runs, newest first, each on a tree; the empty name is no tree.
    pub(crate) fn history_on(name: &str, past: &[(&str, Outcome)]) -> Samples {
        let runs = past.iter().enumerate().map(|(at, (tree, _))| run(at, tree)).collect();
        let past = past.iter().enumerate().map(|(at, (_, outcome))| sample(at, *outcome, 0.0)).collect();
        Samples { runs, tests: [(identity(name), past)].into() }
    }

    fn run(at: usize, tree: &str) -> PastRun {
        let tree = (!tree.is_empty()).then(|| tree.to_owned());
        PastRun { id: format!("run-{at}"), started_at: Timestamp::UNIX_EPOCH, tree }
    }

    fn sample(run: usize, outcome: Outcome, seconds: f64) -> Sample {
        Sample { run, outcome, flaky: false, seconds }
    }
}

#[cfg(test)]
mod unit_tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::fixtures::{history, identity, test, timed};
    use super::*;
    use crate::evidence::tests::Test;

    const PASSED: Outcome = Outcome::Passed;
    const FAILED: Outcome = Outcome::Failed;
    const SKIPPED: Outcome = Outcome::Skipped;

    type Run = Vec<(Identity, Test)>;

    fn run(tests: &[(&str, Outcome)]) -> Run {
        tests.iter().map(|(name, outcome)| (identity(name), test(*outcome))).collect()
    }

    fn seen(run: &Run) -> Vec<Seen<'_>> {
        run.iter().map(|(identity, test)| (identity, test)).collect()
    }

    fn changes(head: &Run, base: Option<&Run>, evaluated: &dyn Fn(&str) -> bool) -> TestChanges {
        let (head, base) = (seen(head), base.map(seen));
        let samples = Samples::default();
        compare(&Input { head: &head, base: base.as_deref(), samples: &samples, tree: None, evaluated })
    }

    fn against(head: &Run, base: &Run) -> AgainstBase {
        changes(head, Some(base), &|_| true).base.unwrap()
    }

    fn shown<'a>(tests: impl IntoIterator<Item = &'a Identity>) -> Vec<String> {
        tests.into_iter().map(|id| format!("{}/{}", id.check, id.display())).collect()
    }

    #[test]
    fn each_test_is_in_the_list_that_its_two_outcomes_choose() {
        let outcomes = [PASSED, FAILED, Outcome::Errored, SKIPPED];
        let names: Vec<_> = (0..16).map(|at| format!("{at:02}")).collect();
        let pairs = |pick: fn(usize) -> usize| -> Run {
            names.iter().enumerate().map(|(at, name)| (identity(name), test(outcomes[pick(at)]))).collect()
        };
        let told = against(&pairs(|at| at % 4), &pairs(|at| at / 4));
        assert_eq!(shown(&told.newly_failing), ["unit/01", "unit/02"]);
        assert_eq!(shown(&told.newly_skipped), ["unit/03", "unit/07", "unit/11"]);
        assert_eq!(shown(&told.fixed), ["unit/04", "unit/08"]);
        assert_eq!((told.compared, told.disappeared.len(), told.appeared.len()), (16, 0, 0));
    }

    #[test]
    fn tests_of_checks_that_were_not_evaluated_are_not_gone() {
        let base = run(&[("a/x", PASSED), ("a/y", PASSED), ("b/x", PASSED)]);
        let head = run(&[("b/x", PASSED)]);
        let of_b = changes(&head, Some(&base), &|check| check == "b").base.unwrap();
        assert_eq!((of_b.compared, of_b.disappeared.len()), (1, 0));
        let of_all = against(&head, &base);
        assert_eq!(shown(of_all.disappeared.iter().map(|gone| &gone.identity)), ["a/x", "a/y"]);
        let nothing = against(&Run::new(), &base);
        assert_eq!(nothing.disappeared.len(), 3, "a check whose tests all vanished loses each of them");
    }

    #[test]
    fn without_anything_to_compare_with_nothing_is_said() {
        let head = run(&[("a/x", PASSED)]);
        for told in [
            changes(&head, None, &|_| true),
            changes(&head, Some(&Run::new()), &|_| true),
            changes(&head, Some(&run(&[("b/x", PASSED)])), &|check| check == "a"),
        ] {
            assert_eq!(told.base, None);
            assert_eq!(measure(&told, &Quarantine::default()), [("tests.flaky", 0.0), ("tests.quarantined", 0.0)]);
        }
        assert_eq!(measure(&changes(&Run::new(), None, &|_| true), &Quarantine::default()), []);
        let told = against(&run(&[("a/x", PASSED), ("b/y", PASSED), ("b/z", PASSED)]), &head);
        assert_eq!(told.new_checks, ["b"], "its tests had nothing to be missing from");
    }

    #[test]
    fn a_test_that_moved_is_gone_and_new_and_says_where_it_may_be() {
        let base = run(&[
            ("old.UserTest::login", PASSED),
            ("old.UserTest::logout", PASSED),
            ("a.Cart::add", PASSED),
            ("only_here", PASSED),
            ("A::init", PASSED),
            ("B::init", PASSED),
            ("unit/Same::check", PASSED),
        ]);
        let head = run(&[
            ("new.UserTest::login", PASSED),
            ("new.UserTest::logout", PASSED),
            ("b.Basket::add", PASSED),
            ("C::init", PASSED),
            ("D::init", PASSED),
            ("other/Same::check", PASSED),
        ]);
        let told = against(&head, &base);
        let moved: Vec<_> = told
            .disappeared
            .iter()
            .map(|gone| {
                let to = gone.moved_to.as_ref().map_or("-".into(), |to| format!("{}/{}", to.check, to.display()));
                format!("{} → {to}", gone.identity.display())
            })
            .collect();
        assert_eq!(
            moved,
            [
                "only_here → -",
                "A::init → -",
                "B::init → -",
                "Same::check → other/Same::check",
                "a.Cart::add → unit/b.Basket::add",
                "old.UserTest::login → unit/new.UserTest::login",
                "old.UserTest::logout → unit/new.UserTest::logout",
            ]
        );
        assert_eq!((told.disappeared.len(), told.appeared.len()), (7, 6));
    }

    #[test]
    fn a_name_in_the_same_class_wins_over_one_elsewhere() {
        let base = run(&[("p.User::login", PASSED)]);
        let head = run(&[("q.User::login", PASSED), ("q.Admin::login", PASSED)]);
        let told = against(&head, &base);
        assert_eq!(shown(told.disappeared[0].moved_to.as_ref()), ["unit/q.User::login"]);
        let two = against(&run(&[("q.Admin::login", PASSED), ("q.Guest::login", PASSED)]), &base);
        assert_eq!(two.disappeared[0].moved_to, None, "either could be it");
    }

    #[test]
    fn each_number_is_there_only_with_what_it_is_drawn_from() {
        let head = run(&[("a", FAILED), ("b", SKIPPED), ("d", PASSED)]);
        let base = run(&[("a", PASSED), ("b", PASSED), ("c", PASSED)]);
        let told = measure(&changes(&head, Some(&base), &|_| true), &Quarantine::default());
        assert_eq!(
            told,
            [
                ("tests.disappeared", 1.0),
                ("tests.newly_skipped", 1.0),
                ("tests.newly_failing", 1.0),
                ("tests.flaky", 0.0),
                ("tests.quarantined", 0.0)
            ]
        );
        let head: Run = vec![(identity("t"), timed(PASSED, 9.0)), (identity("u"), timed(PASSED, 1.0))];
        let samples = history(&[("t", &[(PASSED, 1.0); 5]), ("u", &[(PASSED, 1.0); 4])]);
        let head = seen(&head);
        let told = compare(&Input { head: &head, base: None, samples: &samples, tree: None, evaluated: &|_| true });
        assert_eq!(
            measure(&told, &Quarantine::default()),
            [
                ("tests.newly_slow", 1.0),
                ("tests.slowest_seconds", 9.0),
                ("tests.flaky", 0.0),
                ("tests.quarantined", 0.0)
            ]
        );
        for (name, _) in measure(&told, &Quarantine::default()) {
            assert!(crate::evidence::metric::find(name).is_some(), "{name}");
        }
    }

    #[test]
    fn names_and_excuses_add_up_to_the_numbers() {
        let head = run(&[("a", FAILED), ("b", Outcome::Errored), ("c", SKIPPED), ("d", PASSED), ("e", FAILED)]);
        let base = run(&[("a", PASSED), ("b", PASSED), ("c", PASSED), ("gone", PASSED)]);
        let mut told = changes(&head, Some(&base), &|_| true);
        for name in ["a", "d"] {
            told.flaky.push(Flaky {
                identity: identity(name),
                in_run: true,
                tree_passed: 0,
                tree_failed: 0,
                failed_runs: 1,
                runs: 1,
            });
        }
        let in_quarantine = |name: &str, outcome| super::super::quarantine::Quarantined {
            identity: identity(name),
            reason: "known".into(),
            until: "2030-01-31".parse().unwrap(),
            outcome,
            flaky: false,
            stable_runs: 0,
        };
        let tests = vec![in_quarantine("a", FAILED), in_quarantine("b", Outcome::Errored), in_quarantine("c", SKIPPED)];
        let quarantine = Quarantine { tests, ..Quarantine::default() };
        let excused = excused(&told, &quarantine);
        let names = names(&seen(&head), &told, &quarantine);
        let shown: Vec<_> = names.iter().map(|(name, tests)| format!("{name}: {}", tests.join(" "))).collect();
        assert_eq!(
            shown,
            [
                "tests.disappeared: gone",
                "tests.failed: e",
                "tests.flaky: d",
                "tests.newly_skipped: c",
                "tests.skipped: c"
            ]
        );
        let excused: Vec<_> = excused.iter().map(|(name, number)| format!("{name} {number}")).collect();
        assert_eq!(excused, ["tests.errors 1", "tests.failed 2", "tests.flaky 1", "tests.newly_failing 2"]);
    }

    #[test]
    fn a_hundred_thousand_tests_are_no_matter() {
        // With work for each pair of tests this would not end: every test moved, and every class has equal names.
        let many = |folder: &str| -> Run {
            (0..100_000).map(|at| (identity(&format!("{folder}.C{}::t{}", at / 10, at % 10)), test(PASSED))).collect()
        };
        let told = against(&many("new"), &many("old"));
        assert_eq!((told.disappeared.len(), told.appeared.len()), (100_000, 100_000));
        assert!(told.disappeared.iter().all(|gone| gone.moved_to.is_some()));
    }

    #[test]
    fn what_is_stored_reads_back_the_same() {
        let head = run(&[("a", FAILED), ("C::b", SKIPPED), ("D::d", PASSED)]);
        let base = run(&[("a", PASSED), ("C::b", PASSED), ("E::d", PASSED)]);
        let told = changes(&head, Some(&base), &|_| true);
        let json = serde_json::to_string(&told).unwrap();
        assert_eq!(serde_json::from_str::<TestChanges>(&json).unwrap(), told, "{json}");
    }

    fn some_run() -> impl Strategy<Value = BTreeMap<String, Outcome>> {
        let outcome = prop::sample::select(vec![PASSED, FAILED, SKIPPED, Outcome::Errored]);
        prop::collection::btree_map("[ab]/(C::|D::)?[x-z]", outcome, 0..12)
    }

    proptest! {
        #[test]
        fn every_test_is_accounted_for_once_whatever_the_order(head in some_run(), base in some_run()) {
            let of = |run: &BTreeMap<String, Outcome>| -> Run {
                run.iter().map(|(name, outcome)| (identity(name), test(*outcome))).collect()
            };
            let (mut heads, mut bases) = (of(&head), of(&base));
            let told = changes(&heads, Some(&bases), &|_| true);
            heads.reverse();
            bases.reverse();
            prop_assert_eq!(&changes(&heads, Some(&bases), &|_| true), &told);
            let Some(told) = told.base else { prop_assert!(base.is_empty()); return Ok(()) };
            prop_assert_eq!(told.disappeared.len() + head.len(), base.len() + told.appeared.len());
            for gone in &told.disappeared {
                prop_assert!(heads.iter().all(|(id, _)| *id != gone.identity));
                let moved = gone.moved_to.as_ref();
                prop_assert!(moved.is_none_or(|to| to.name == gone.identity.name && told.appeared.contains(to)));
            }
            let targets: HashSet<_> = told.disappeared.iter().filter_map(|gone| gone.moved_to.as_ref()).collect();
            prop_assert_eq!(targets.len(), told.disappeared.iter().filter(|gone| gone.moved_to.is_some()).count());
            let same = changes(&heads, Some(&heads), &|_| true).base;
            let nothing = AgainstBase { compared: heads.len() as u64, ..AgainstBase::default() };
            prop_assert_eq!(same, (!heads.is_empty()).then_some(nothing));
        }
    }
}
