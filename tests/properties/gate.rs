//! Laws of whole runs: what shards are judged as, and what an improvement may do to the verdict.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::sync::LazyLock;

use camino::Utf8Path;
use jiff::Timestamp;
use mgmt_action::app::compare::Comparison;
use mgmt_action::app::judge::{Material, judge};
use mgmt_action::check::CheckOutcome;
use mgmt_action::check::outcome::{Output, Status};
use mgmt_action::config::{Config, load};
use mgmt_action::gate::facts::Best;
use mgmt_action::gate::judge::Asked;
use mgmt_action::gate::{Gate, Verdict};
use mgmt_action::record::{FULL_CHECK, Record};
use mgmt_action::repo::Diff;
use serde_json::{Value, json};

use super::*;

const POLICY: &str = "version: 1
components: { core: 'src/**', rest: 'lib/**' }
checks:
  c: { group: test, run: [t], evidence: { tests: t.xml, coverage: c.info, metrics: m.json } }
  lint: { group: lint, run: [l] }
gate:
  - { metric: tests.failed, max: 1 }
  - { metric: tests.errors, max: 0 }
  - { metric: tests.passed, min: 2 }
  - { metric: tests.total, max-drop: 20% }
  - { metric: tests.newly_failing, max: 0 }
  - { metric: tests.disappeared, max: 1 }
  - { metric: tests.flaky, warn-above: 0 }
  - { metric: coverage.lines.percent, min: 40, warn-below: 70, max-drop: 10 }
  - { metric: coverage.lines.percent, each: file, min: 20, max-drop: 15 }
  - { metric: coverage.lines.covered, each: folder, ratchet: 1 }
  - { metric: coverage.lines.percent, component: core, min: 30 }
  - { metric: coverage.branches.percent, paths: 'src/*', min: 10, when-missing: warn }
  - { metric: coverage.patch.percent, min: 50, min-lines: 4 }
  - { metric: coverage.lost.lines, max: 2 }
  - { metric: metrics.f1, min: 0.4, max-drop: 10% }
  - { metric: metrics.loss, ratchet: true, direction: lower, when-missing: warn }
score: { pass: 90, warn: 40 }
";

static CONFIG: LazyLock<Config> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("mgmt.yml"), POLICY).unwrap();
    let loaded = load::load(Utf8Path::from_path(folder.path()).unwrap(), None);
    loaded.unwrap_or_else(|error| panic!("{error:?}"))
});

fn check(id: &str, group: &str, passed: bool) -> CheckOutcome {
    CheckOutcome {
        id: id.into(),
        group: group.into(),
        status: if passed { Status::Passed } else { Status::Failed },
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

/// The whole policy.
fn all_rules() -> &'static Gate {
    CONFIG.gate.as_ref().unwrap()
}

/// A few of its rules: of all of them together there is always one that fails.
fn some_rules() -> impl Strategy<Value = Gate> {
    let at = prop::collection::btree_set(0..all_rules().rules.len(), 1..4);
    at.prop_map(|at| Gate {
        rules: at.into_iter().map(|at| all_rules().rules[at].clone()).collect(),
        ..all_rules().clone()
    })
}

/// A full run with this evidence, against an earlier one and a change.
fn run(gate: &Gate, evidence: Evidence, base: Option<&Record>, diff: &str, lint: bool) -> Record {
    let best = base.and_then(|base| base.measurements.value("metrics.loss"));
    let best = best.map(|value| Best { metric: "metrics.loss".into(), scope: None, value, from: "x".into() });
    let comparison = Comparison {
        record: base.cloned(),
        files: base.map(|base| base.lines.clone()).unwrap_or_default(),
        diff: Some(Diff::parse(diff.as_bytes()).unwrap()),
        best: best.into_iter().collect(),
        ..Comparison::default()
    };
    let checks = vec![check("c", "test", true), check("lint", "lint", lint)];
    let mut material = Material { checks, evidence, ..Material::default() };
    judge(&CONFIG, FULL_CHECK, Timestamp::UNIX_EPOCH, &mut material, Some(gate), &Asked::Everything, comparison)
}

/// New lines in these files, as a diff without context: which lines they are decides, not what they say.
fn diff(changed: &BTreeMap<&'static str, (u32, u32)>) -> String {
    let mut out = String::new();
    for (path, (first, count)) in changed {
        let _ = writeln!(out, "--- a/{path}\n+++ b/{path}\n@@ -{},0 +{first},{count} @@", first - 1);
        (0..*count).for_each(|_| out.push_str("+new\n"));
    }
    out
}

fn changed() -> impl Strategy<Value = BTreeMap<&'static str, (u32, u32)>> {
    prop::collection::btree_map(prop::sample::select(vec![PATHS[0], PATHS[2]]), (1_u32..30, 1_u32..12), 0..3)
}

/// What a reader is told of a run, but for the names of the files it was read from.
fn told(record: &Record) -> Value {
    let rules: Vec<_> = record
        .rules
        .iter()
        .map(|rule| {
            json!([rule.metric, rule.scope, rule.limit, rule.value, rule.base, rule.verdict, rule.message, rule.advice])
        })
        .collect();
    // JUnit cannot say how often a test was attempted.
    let numbers = record.measurements.iter().filter(|one| one.name != "tests.attempts");
    let numbers: Vec<_> = numbers.map(|one| json!([one.name, one.scope, one.value.to_bits()])).collect();
    json!([record.verdict, rules, numbers, record.patch, record.test_changes, record.score])
}

/// Everything that was read, written as one report of each kind and read again.
fn as_one(all: &Evidence) -> Evidence {
    let write = |name| WRITERS.iter().find(|writer| writer.name == name).map(|writer| (writer.write)(all)).unwrap();
    let mut one = Evidence::default();
    if !all.coverage.is_empty() {
        one.merge(read("lcov", &write("lcov"), "all.info"), Repeats::Worst);
    }
    if !all.tests.is_empty() {
        one.merge(read("junit", &write("junit"), "all.xml"), Repeats::Worst);
    }
    one
}

/// A shard: a part of the tests and what they ran.
fn shard() -> impl Strategy<Value = Evidence> {
    let cases = prop::collection::vec((0..9_usize, 0..4_usize), 0..5);
    let coverage = prop::option::of((model(), any::<bool>()));
    (cases, coverage).prop_map(|(cases, coverage)| {
        let mut shard = Evidence::default();
        if !cases.is_empty() {
            shard.merge(read("junit", &junit(&cases), "t.xml"), Repeats::Worst);
        }
        if let Some((model, is_lcov)) = coverage {
            let report =
                if is_lcov { read("lcov", &lcov(&model), "c") } else { read("cobertura", &cobertura(&model), "c") };
            shard.merge(report, Repeats::Worst);
        }
        shard
    })
}

/// A run as numbers that can be made better one at a time.
#[derive(Clone, Debug)]
struct State {
    tests: Vec<(usize, usize)>,
    model: Model,
    f1: Option<u32>,
    loss: Option<u32>,
    lint: bool,
}

impl State {
    fn evidence(&self) -> Evidence {
        let mut all = Evidence::default();
        if !self.tests.is_empty() {
            all.merge(read("junit", &junit(&self.tests), "t.xml"), Repeats::Worst);
        }
        if !self.model.is_empty() {
            all.merge(read("lcov", &lcov(&self.model), "c.info"), Repeats::Worst);
        }
        let numbers = [("f1", self.f1), ("loss", self.loss)];
        let numbers: Vec<_> = numbers
            .iter()
            .filter_map(|(name, value)| Some(format!("\"{name}\": {}", f64::from((*value)?) / 8.0)))
            .collect();
        if !numbers.is_empty() {
            all.merge(read("document", &format!("{{ {} }}", numbers.join(", ")), "m.json"), Repeats::Worst);
        }
        all
    }

    /// Everything that is one step better.
    fn better(&self) -> Vec<(String, Self)> {
        let mut out = Vec::new();
        let mut add = |what: String, change: &dyn Fn(&mut Self)| {
            let mut better = self.clone();
            change(&mut better);
            out.push((what, better));
        };
        // Skipped on purpose is no failure; a flaky one is known not to hold.
        for (at, (name, _)) in self.tests.iter().enumerate().filter(|(_, (_, outcome))| *outcome >= 2) {
            add(format!("t{name} passes"), &|state| state.tests[at].1 = 0);
        }
        for (path, source) in &self.model {
            for line in source.lines.iter().filter(|(_, hits)| **hits == 0).map(|(line, _)| *line) {
                add(format!("{path}:{line} runs"), &|state| {
                    state.model.get_mut(path).unwrap().lines.insert(line, 1);
                });
            }
            for (line, arms) in &source.branches {
                for arm in arms.iter().enumerate().filter(|(_, taken)| **taken == 0).map(|(arm, _)| arm) {
                    add(format!("{path}:{line} takes {arm}"), &|state| {
                        state.model.get_mut(path).unwrap().branches.get_mut(line).unwrap()[arm] = 1;
                    });
                }
            }
        }
        add("f1 rises".to_owned(), &|state| state.f1 = state.f1.map(|f1| f1 + 1));
        add("f1 is measured".to_owned(), &|state| state.f1 = state.f1.or(Some(8)));
        add("loss falls".to_owned(), &|state| state.loss = state.loss.map(|loss| loss.saturating_sub(1)));
        add("lint passes".to_owned(), &|state| state.lint = true);
        out
    }
}

fn state() -> impl Strategy<Value = State> {
    let tests = prop::collection::btree_map(0..9_usize, 0..5_usize, 0..6).prop_map(|tests| tests.into_iter().collect());
    let number = || prop::option::weighted(0.9, 0_u32..9);
    (tests, model(), number(), number(), prop::bool::weighted(0.8)).prop_map(|(tests, model, f1, loss, lint)| State {
        tests,
        model,
        f1,
        loss,
        lint,
    })
}

/// One that passes more often than what is drawn blindly.
fn good() -> impl Strategy<Value = State> {
    state().prop_map(|mut state| {
        for (at, (_, outcome)) in state.tests.iter_mut().enumerate() {
            *outcome = if at == 0 { *outcome } else { 0 };
        }
        for source in state.model.values_mut() {
            source.lines.values_mut().enumerate().filter(|(at, _)| at % 4 != 0).for_each(|(_, hits)| *hits = 1);
        }
        state
    })
}

/// How bad a verdict is.
fn badness(record: &Record) -> u8 {
    match record.verdict {
        Verdict::Pass => 0,
        Verdict::Inconclusive => 1,
        _ => 2,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn shards_are_judged_as_the_one_report_that_they_merge_to(
        (shards, shuffled) in prop::collection::vec(shard(), 1..6)
            .prop_flat_map(|shards| (Just(shards.clone()), Just(shards).prop_shuffle())),
        base in prop::option::of(good()), changed in changed(),
    ) {
        let base = base.map(|base| run(all_rules(), base.evidence(), None, "", true));
        let diff = diff(&changed);
        let straight = merged(shards);
        let one = told(&run(all_rules(), as_one(&straight), base.as_ref(), &diff, true));
        prop_assert_eq!(told(&run(all_rules(), straight, base.as_ref(), &diff, true)), one.clone());
        prop_assert_eq!(told(&run(all_rules(), merged(shuffled), base.as_ref(), &diff, true)), one);
    }

    #[test]
    fn improving_anything_never_worsens_the_verdict_of_the_run(
        gate in some_rules(), state in prop_oneof![state(), good()], base in prop::option::of(good()), changed in changed(),
    ) {
        let base = base.map(|base| run(all_rules(), base.evidence(), None, "", true));
        let diff = diff(&changed);
        let of = |state: &State| run(&gate, state.evidence(), base.as_ref(), &diff, state.lint);
        let before = of(&state);
        for (what, better) in state.better() {
            let after = of(&better);
            let rules = || format!("{what}: {:#?}\n{:#?}", before.rules, after.rules);
            prop_assert!(badness(&after) <= badness(&before), "{}", rules());
        }
    }
}
