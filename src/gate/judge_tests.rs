//! Tests of [`super`]: what each limit says. What no rule may do, whatever the facts, stands in [`laws`].

#[path = "judge_laws.rs"]
mod laws;

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::evidence::Measurements;
use crate::evidence::coverage::{FileLines, LineSet};
use crate::evidence::sink::{Ratio, Totals};
use crate::gate::facts::{Base, Best, Unknown};
use crate::gate::patch::Patch;
use crate::gate::rule::MIN_LINES;
use crate::gate::scope::{Components, Each, Globs, Scope};

const BOUNDS: [LimitKind; 5] =
    [LimitKind::Min, LimitKind::Max, LimitKind::Equals, LimitKind::WarnBelow, LimitKind::WarnAbove];
const CHANGES: [LimitKind; 3] = [LimitKind::MaxDrop, LimitKind::MaxRise, LimitKind::Ratchet];

fn rule(metric: &str, kind: LimitKind, bound: f64) -> Rule {
    Rule {
        metric: metric.into(),
        limits: vec![Limit { kind, bound, relative: false, text: text::number(bound) }],
        when_missing: WhenMissing::Inconclusive,
        scope: Scope::Project,
        no_base: NoBase::Warn,
        better: metric::better(metric),
        min_lines: MIN_LINES,
    }
}

fn measured(name: &str, values: &[f64]) -> Measurements {
    let mut all = Measurements::default();
    values.iter().for_each(|value| all.add(name.into(), None, &["m.json"], *value));
    all
}

/// Everything a rule may look at; what a test does not set is absent.
#[derive(Clone, Debug, Default)]
struct World {
    now: Measurements,
    files: BTreeMap<String, FileLines>,
    patch: Option<Patch>,
    base: Option<(Measurements, BTreeMap<String, FileLines>)>,
    best: Vec<Best>,
    excused: BTreeMap<String, f64>,
    base_excused: BTreeMap<String, f64>,
    names: BTreeMap<String, Vec<String>>,
    components: Components,
    is_first: bool,
}

impl World {
    fn of(values: &[f64], base: Option<&[f64]>) -> Self {
        Self {
            now: measured("metrics.x", values),
            base: base.map(|values| (measured("metrics.x", values), BTreeMap::new())),
            ..Self::default()
        }
    }

    fn judge(&self, rule: Rule, asked: &Asked) -> Vec<RuleResult> {
        let facts = Facts {
            measurements: &self.now,
            files: &self.files,
            patch: self.patch.as_ref(),
            is_first: self.is_first,
            base: self.base.as_ref().map(|(measurements, files)| Base {
                measurements,
                files,
                excused: &self.base_excused,
            }),
            unknown: Unknown::default(),
            best: &self.best,
            components: &self.components,
            excused: &self.excused,
            names: &self.names,
        };
        judge(&Gate { name: "default".into(), rules: vec![rule] }, &facts, asked)
    }

    fn verdicts(&self, rule: Rule) -> Vec<RuleVerdict> {
        self.judge(rule, &Asked::Everything).into_iter().map(|result| result.verdict).collect()
    }

    fn one(&self, rule: Rule) -> RuleResult {
        let mut results = self.judge(rule, &Asked::Everything);
        assert_eq!(results.len(), 1, "{results:?}");
        results.remove(0)
    }
}

fn file(covered: &[u32], missed: &[u32]) -> FileLines {
    let lines = Ratio { covered: covered.len() as u64, total: (covered.len() + missed.len()) as u64 };
    FileLines {
        covered: LineSet::ascending(covered.iter().copied()),
        missed: LineSet::ascending(missed.iter().copied()),
        totals: Totals { lines, ..Totals::default() },
    }
}

#[test]
fn missing_and_nan_never_pass() {
    for kind in BOUNDS.into_iter().chain(CHANGES) {
        for (when, want) in [
            (WhenMissing::Inconclusive, RuleVerdict::Inconclusive),
            (WhenMissing::Fail, RuleVerdict::Fail),
            (WhenMissing::Warn, RuleVerdict::Warn),
        ] {
            let rule = Rule { when_missing: when, ..rule("metrics.x", kind, 0.0) };
            assert_eq!(World::of(&[], Some(&[1.0])).verdicts(rule.clone()), [want]);
            assert_eq!(World::of(&[f64::NAN], Some(&[1.0])).verdicts(rule), [RuleVerdict::Inconclusive]);
        }
    }
}

#[test]
fn infinity_can_fail_a_bound_and_never_satisfies_anything() {
    for kind in BOUNDS.into_iter().chain(CHANGES) {
        for value in [f64::INFINITY, f64::NEG_INFINITY] {
            let verdict = World::of(&[value], Some(&[1.0])).verdicts(rule("metrics.x", kind, 0.0))[0];
            assert_ne!(verdict, RuleVerdict::Pass, "{kind:?} {value}");
        }
    }
    assert_eq!(World::of(&[f64::INFINITY], None).verdicts(rule("metrics.x", LimitKind::Max, 1.0)), [RuleVerdict::Fail]);
}

#[test]
fn without_a_baseline_a_limit_against_it_warns_or_is_inconclusive() {
    for kind in CHANGES {
        let lenient = rule("metrics.x", kind, 1.0);
        let strict = Rule { no_base: NoBase::Inconclusive, ..lenient.clone() };
        // No baseline at all, one that did not measure it, one whose files disagree.
        for world in [World::of(&[5.0], None), World::of(&[5.0], Some(&[])), World::of(&[5.0], Some(&[1.0, 2.0]))] {
            assert_eq!(world.verdicts(lenient.clone()), [RuleVerdict::Warn], "{kind:?}");
            assert_eq!(world.verdicts(strict.clone()), [RuleVerdict::Inconclusive], "{kind:?}");
        }
        for base in [f64::NAN, f64::INFINITY] {
            let verdict = World::of(&[5.0], Some(&[base])).verdicts(lenient.clone())[0];
            let want = if kind == LimitKind::Ratchet { RuleVerdict::Warn } else { RuleVerdict::Inconclusive };
            assert_eq!(verdict, want, "{kind:?} {base}");
        }
    }
    let lost = rule(metric::LOST, LimitKind::Max, 0.0);
    assert_eq!(World::default().verdicts(lost.clone()), [RuleVerdict::Warn]);
    assert_eq!(World::default().verdicts(Rule { no_base: NoBase::Inconclusive, ..lost }), [RuleVerdict::Inconclusive]);
}

#[test]
fn a_bound_passes_itself_and_every_statement_is_judged() {
    for kind in BOUNDS {
        assert_eq!(World::of(&[0.1 + 0.2], None).verdicts(rule("metrics.x", kind, 0.3)), [RuleVerdict::Pass]);
    }
    let world = World::of(&[2.0, 0.0], None);
    assert_eq!(world.verdicts(rule("metrics.x", LimitKind::Min, 1.0)), [RuleVerdict::Pass, RuleVerdict::Fail]);
}

#[test]
fn changes_are_right_for_negative_and_zero_baselines() {
    let relative = |kind, percent| {
        let mut rule = rule("metrics.x", kind, percent);
        rule.limits[0].relative = true;
        rule
    };
    let holds = |rule: &Rule, value: f64, base: f64| {
        World::of(&[value], Some(&[base])).verdicts(rule.clone()) == [RuleVerdict::Pass]
    };
    let drop = relative(LimitKind::MaxDrop, 10.0);
    assert!(holds(&drop, 90.0, 100.0) && !holds(&drop, 89.0, 100.0));
    // 10 % of -100 is 10: -110 is the lowest that holds.
    assert!(holds(&drop, -110.0, -100.0) && !holds(&drop, -111.0, -100.0));
    assert!(holds(&drop, 0.0, 0.0) && holds(&drop, 1.0, 0.0) && !holds(&drop, -0.001, 0.0));
    let rise = relative(LimitKind::MaxRise, 10.0);
    assert!(holds(&rise, -90.0, -100.0) && !holds(&rise, -89.0, -100.0) && !holds(&rise, 0.001, 0.0));
    let points = rule("metrics.x", LimitKind::MaxDrop, 0.25);
    assert!(holds(&points, 0.1 + 0.2, 0.55) && !holds(&points, 59.98, 60.24));
}

#[test]
fn a_ratchet_holds_to_the_best_in_the_direction_of_its_metric() {
    let best = |value| vec![Best { metric: "metrics.x".into(), scope: None, value, from: "abc".into() }];
    let world = |value: f64, best| World { best, ..World::of(&[value], Some(&[70.0])) };
    let higher = rule("metrics.x", LimitKind::Ratchet, 0.5);
    assert_eq!(world(79.5, best(80.0)).verdicts(higher.clone()), [RuleVerdict::Pass]);
    assert_eq!(world(79.4, best(80.0)).verdicts(higher.clone()), [RuleVerdict::Fail]);
    // The baseline is one of the values so far.
    assert_eq!(world(69.0, best(60.0)).verdicts(higher.clone()), [RuleVerdict::Fail]);
    let lower = Rule { better: Better::Lower, ..higher };
    assert_eq!(world(60.6, best(60.0)).verdicts(lower.clone()), [RuleVerdict::Fail]);
    assert_eq!(world(60.5, best(60.0)).verdicts(lower), [RuleVerdict::Pass]);
}

#[test]
fn messages_tell_value_from_limit_and_change_from_none() {
    let told = |kind, bound, value: f64, base: Option<f64>| {
        let now = measured("coverage.lines.percent", &[value]);
        let base = base.map(|base| (measured("coverage.lines.percent", &[base]), BTreeMap::new()));
        World { now, base, ..World::default() }.one(rule("coverage.lines.percent", kind, bound)).message
    };
    assert_eq!(told(LimitKind::Min, 59.24, 59.239_999, None), "59.239999 % is below 59.24 %");
    assert_eq!(told(LimitKind::Min, 59.24, 61.333_333, None), "61.33 % is at least 59.24 %");
    assert_eq!(told(LimitKind::Equals, 12.0, 12.0, None), "12 % is equal to 12 %");
    assert_eq!(
        told(LimitKind::MaxDrop, 0.25, 59.0, Some(59.5)),
        "59 %, 0.5 points less than 59.5 % of the baseline; 0.25 points is allowed"
    );
    assert_eq!(told(LimitKind::MaxDrop, 0.0, 59.5, Some(59.5)), "59.5 %, as in the baseline");
    assert_eq!(
        told(LimitKind::MaxDrop, 0.0, 59.499_999, Some(59.5)),
        "59.499999 %, 0.000001 points less than 59.5 % of the baseline; no worsening is allowed"
    );
}

#[test]
fn rules_that_no_selected_check_can_yield_are_not_asked() {
    let asked = |kind| World::default().judge(rule("metrics.x", LimitKind::Min, 1.0), &Asked::Yielded([kind].into()));
    assert_eq!(asked(Kind::Tests)[0].verdict, RuleVerdict::NotAsked);
    assert_eq!(asked(Kind::Metrics)[0].verdict, RuleVerdict::Inconclusive);
}

#[test]
fn parts_of_the_project_have_values_of_their_own() {
    let files = BTreeMap::from([
        ("src/a.py".to_owned(), file(&[1, 2, 3], &[4])),
        ("src/b.py".to_owned(), file(&[1], &[2, 3, 4])),
        ("lib/c.py".to_owned(), file(&[1, 2], &[])),
    ]);
    let glob = |text: &str| Globs::new(&[globset::Glob::new(text).unwrap()]);
    let components = vec![("core".to_owned(), glob("src/**")), ("empty".to_owned(), glob("none/**"))];
    let world = World { files, components, ..World::default() };
    let of = |scope: Scope| {
        let rule = Rule { scope, ..rule("coverage.lines.percent", LimitKind::Min, 50.0) };
        let results = world.judge(rule, &Asked::Everything);
        results.into_iter().map(|one| (one.scope.unwrap_or_default(), one.value, one.verdict)).collect::<Vec<_>>()
    };
    let row = |name: &str, value: Option<f64>, verdict| (name.to_owned(), value, verdict);
    assert_eq!(of(Scope::Paths(glob("src/**"))), [row("src/**", Some(50.0), RuleVerdict::Pass)]);
    assert_eq!(of(Scope::Component("core".into(), glob("src/**"))), [row("core", Some(50.0), RuleVerdict::Pass)]);
    assert_eq!(of(Scope::Paths(glob("none/**"))), [row("none/**", None, RuleVerdict::Inconclusive)]);
    assert_eq!(
        of(Scope::Each(Each::File, Some(glob("src/*")))),
        [row("src/a.py", Some(75.0), RuleVerdict::Pass), row("src/b.py", Some(25.0), RuleVerdict::Fail)]
    );
    assert_eq!(
        of(Scope::Each(Each::Folder, None)),
        [row("lib", Some(100.0), RuleVerdict::Pass), row("src", Some(50.0), RuleVerdict::Pass)]
    );
    assert_eq!(
        of(Scope::Each(Each::Component, None)),
        [row("core", Some(50.0), RuleVerdict::Pass), row("empty", None, RuleVerdict::Inconclusive)]
    );
}

#[test]
fn a_file_that_the_baseline_does_not_have_cannot_have_dropped() {
    let now = BTreeMap::from([("new.py".to_owned(), file(&[], &[1])), ("old.py".to_owned(), file(&[1], &[2]))]);
    let base = BTreeMap::from([("old.py".to_owned(), file(&[1, 2], &[]))]);
    let world = World { files: now, base: Some((Measurements::default(), base)), ..World::default() };
    let drop = Rule { scope: Scope::Each(Each::File, None), ..rule("coverage.lines.percent", LimitKind::MaxDrop, 0.0) };
    assert_eq!(world.verdicts(drop), [RuleVerdict::NotApplicable, RuleVerdict::Fail]);
}

fn patch(covered: &[u32], uncovered: &[u32], unmeasured: &[&str]) -> Patch {
    let one = crate::gate::patch::PatchFile {
        path: "src/a.py".into(),
        covered: LineSet::ascending(covered.iter().copied()),
        uncovered: LineSet::ascending(uncovered.iter().copied()),
        ..Default::default()
    };
    Patch {
        files: vec![one],
        unmeasured: unmeasured.iter().map(|path| (*path).to_owned()).collect(),
        ..Patch::default()
    }
}

fn world_of(patch: Patch) -> World {
    let mut now = Measurements::default();
    patch.measures().into_iter().for_each(|(name, value)| now.add(name.into(), None, &["c.xml"], value));
    World { now, patch: Some(patch), ..World::default() }
}

#[test]
fn a_patch_is_judged_relieved_or_not_applicable() {
    let min = || rule(metric::PATCH_PERCENT, LimitKind::Min, 80.0);
    let many: Vec<u32> = (1..=30).collect();
    let open: Vec<u32> = (40..=51).collect();
    let failed = world_of(patch(&many, &open, &[])).one(min());
    assert_eq!(failed.verdict, RuleVerdict::Fail);
    assert_eq!(failed.advice.as_deref(), Some("cover 4 of these 12 lines: src/a.py:40-51"));
    let small = world_of(patch(&[1], &[2, 3], &[])).one(min());
    assert_eq!(small.verdict, RuleVerdict::Warn);
    assert_eq!(small.message, "33.33 % is below 80 %; with 3 changed lines, under 20, it does not decide");
    assert_eq!(world_of(patch(&[1], &[], &[])).verdicts(min()), [RuleVerdict::Pass]);
    let none = world_of(patch(&[], &[], &[])).one(min());
    assert_eq!((none.verdict, none.message.as_str()), (RuleVerdict::NotApplicable, "no changed line can run"));
    // Without knowing what changed nobody can say.
    assert_eq!(World::default().verdicts(min()), [RuleVerdict::Inconclusive]);
}

#[test]
fn a_changed_file_that_nobody_measured_is_never_a_pass() {
    let min = || rule(metric::PATCH_PERCENT, LimitKind::Min, 80.0);
    for covered in [&[1_u32, 2, 3][..], &[]] {
        let result = world_of(patch(covered, &[], &["src/b.py"])).one(min());
        assert_eq!(result.verdict, RuleVerdict::Inconclusive);
        assert!(result.message.contains("`src/b.py`"), "{}", result.message);
    }
    let each = Rule { scope: Scope::Each(Each::File, None), ..min() };
    let verdicts = world_of(patch(&[1], &[], &["src/b.py"])).verdicts(each);
    assert_eq!(verdicts, [RuleVerdict::Pass, RuleVerdict::Inconclusive]);
}

#[test]
fn a_part_that_nobody_measures_is_not_applicable_to_a_change_and_never_a_pass() {
    let known = |path: &str| BTreeMap::from([(path.to_owned(), FileLines::default())]);
    for metric in [metric::PATCH_PERCENT, metric::LOST] {
        let within = || Rule {
            scope: Scope::Paths(Globs::new(&[globset::Glob::new("srcc/**").unwrap()])),
            ..rule(metric, LimitKind::Max, 100.0)
        };
        let world = |files| World { files, ..world_of(Patch { has_base: true, ..patch(&[1], &[2], &[]) }) };
        let result = world(known("src/a.py")).one(within());
        assert_eq!(result.verdict, RuleVerdict::NotApplicable, "{metric}");
        assert_eq!(result.message, "no file in the coverage reports belongs to it");
        // A part that is measured and did not change.
        assert_ne!(world(known("srcc/b.py")).one(within()).message, result.message);
    }
}

#[test]
fn without_a_usual_time_no_test_is_slow_and_that_is_a_warning() {
    let slow = || rule("tests.newly_slow", LimitKind::Max, 0.0);
    let ran = World { now: measured("tests.slowest_seconds", &[3.0]), ..World::default() };
    let result = ran.one(slow());
    assert_eq!(result.verdict, RuleVerdict::Warn);
    assert_eq!(result.message, "no test that passed has the 5 earlier times that make a usual one");
    assert_eq!(ran.verdicts(Rule { no_base: NoBase::Inconclusive, ..slow() }), [RuleVerdict::Inconclusive]);
    assert_eq!(ran.verdicts(Rule { when_missing: WhenMissing::Fail, ..slow() }), [RuleVerdict::Fail]);
    // No tests, and tests without times, are no matter of history.
    assert_eq!(World::default().verdicts(slow()), [RuleVerdict::Inconclusive]);
    let timeless = World { now: measured("tests.slowest_seconds", &[0.0]), ..World::default() };
    assert_eq!(timeless.verdicts(slow()), [RuleVerdict::Inconclusive]);
}

#[test]
fn failures_in_quarantine_are_left_out_and_said() {
    let world = World {
        now: measured("tests.failed", &[3.0]),
        excused: BTreeMap::from([("tests.failed".to_owned(), 2.0)]),
        names: BTreeMap::from([("tests.failed".to_owned(), vec!["t::a".to_owned()])]),
        ..World::default()
    };
    let result = world.one(rule("tests.failed", LimitKind::Max, 0.0));
    assert_eq!((result.value, result.verdict), (Some(1.0), RuleVerdict::Fail));
    assert_eq!(result.message, "1 is above 0; 2 in quarantine left out");
    // What the baseline had excused is no part of its value either.
    let base_excused = BTreeMap::from([("tests.failed".to_owned(), 4.0)]);
    let base = Some((measured("tests.failed", &[4.0]), BTreeMap::new()));
    let compared = World {
        base,
        base_excused,
        now: measured("tests.failed", &[3.0]),
        excused: world.excused.clone(),
        ..World::default()
    };
    let risen = compared.one(rule("tests.failed", LimitKind::MaxRise, 0.0));
    assert_eq!((risen.verdict, risen.base), (RuleVerdict::Fail, Some(0.0)));
    assert_eq!(result.advice.as_deref(), Some("mend `t::a`"));
}

fn rank(verdict: RuleVerdict) -> u8 {
    match verdict {
        RuleVerdict::Pass => 0,
        RuleVerdict::Warn => 1,
        _ => 2,
    }
}

proptest! {
    #[test]
    fn improving_a_metric_never_worsens_its_verdict(
        bound in 0.0_f64..1e6, sign in prop::bool::ANY, relative in prop::bool::ANY,
        base in -1e6_f64..1e6, a in -1e6_f64..1e6, b in -1e6_f64..1e6,
    ) {
        let (low, high) = (a.min(b), a.max(b));
        let of = |kind: LimitKind, value: f64| {
            let mut rule = rule("metrics.x", kind, if sign && !kind.needs_base() { -bound } else { bound });
            rule.limits[0].relative = relative && kind.needs_base();
            rank(World::of(&[value], Some(&[base])).verdicts(rule)[0])
        };
        for kind in [LimitKind::Min, LimitKind::WarnBelow, LimitKind::MaxDrop, LimitKind::Ratchet] {
            prop_assert!(of(kind, high) <= of(kind, low), "{:?}", kind);
        }
        for kind in [LimitKind::Max, LimitKind::WarnAbove, LimitKind::MaxRise] {
            prop_assert!(of(kind, low) <= of(kind, high), "{:?}", kind);
        }
    }
}
