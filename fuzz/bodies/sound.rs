//! What holds for any evidence, whatever it was read from.

use std::collections::{BTreeMap, BTreeSet};

use mgmt_action::evidence::coverage::File;
use mgmt_action::evidence::problem::CODES;
use mgmt_action::evidence::sink::{Ratio, Totals};
use mgmt_action::report::evidence::{self as report, Parts};
use mgmt_action::sys::text::is_unprintable;

use super::{Evidence, Level, Limits, Measurements, Outcome};

/// Bytes that a cut name may have beside the bound: the mark and the hash of the whole.
const MARK: usize = 24;

pub(super) fn check(evidence: &Evidence, limits: &Limits) {
    tests(evidence, limits);
    coverage(evidence, limits);
    assert!(evidence.metrics.len() <= limits.entries, "{} metrics", evidence.metrics.len());
    for metric in &evidence.metrics {
        name(&metric.name, limits);
    }
    problems(evidence);
    let numbers = Measurements::of(evidence);
    for one in numbers.iter().filter(|one| !one.name.starts_with("metrics.")) {
        assert!(one.value.is_finite() && one.value >= 0.0, "{one:?}");
        assert!(!one.name.ends_with(".percent") || one.value <= 100.0, "{one:?}");
    }
    let has_loss = evidence.problems.iter().any(|problem| problem.level == Level::Loss);
    assert!(has_loss || !numbers.is_empty(), "nothing was measured and nothing was lost");
    rendered(evidence);
}

fn tests(evidence: &Evidence, limits: &Limits) {
    let sum = evidence.tests.summary();
    assert_eq!(sum.total, sum.passed + sum.failed + sum.skipped);
    assert_eq!(sum.total, evidence.tests.len() as u64);
    assert!(sum.errors <= sum.failed && sum.flaky <= sum.total && sum.attempts >= sum.total, "{sum:?}");
    assert!(evidence.tests.len() <= limits.entries.saturating_mul(2) + 1, "{} tests", evidence.tests.len());
    let of = |outcome| evidence.tests.iter().filter(|(_, test)| test.outcome == outcome).count() as u64;
    assert_eq!(
        (sum.passed, sum.skipped, sum.errors),
        (of(Outcome::Passed), of(Outcome::Skipped), of(Outcome::Errored))
    );
    for (identity, test) in evidence.tests.iter() {
        assert!(test.attempts >= 1 && !identity.name.is_empty(), "{identity:?}");
        assert!(test.seconds.is_finite() && test.seconds >= 0.0, "{identity:?}: {} s", test.seconds);
        assert!(
            test.message.as_ref().is_none_or(|message| message.len() <= limits.message_bytes + MARK + 32),
            "{identity:?}"
        );
        for part in [&*identity.suite, &identity.class, &identity.name, &identity.file] {
            name(part, limits);
        }
    }
}

fn coverage(evidence: &Evidence, limits: &Limits) {
    let mut sum = Totals::default();
    assert!(evidence.coverage.files().count() <= limits.entries);
    for (path, file) in evidence.coverage.files() {
        name(path, limits);
        one_file(file, limits);
        sum = sum + file.summary();
    }
    assert_eq!(evidence.coverage.summary(), sum);
}

fn one_file(file: &File, limits: &Limits) {
    let totals = file.summary();
    for ratio in [totals.lines, totals.branches, totals.functions, totals.statements] {
        assert!(ratio.covered <= ratio.total, "{totals:?}");
    }
    let lines: Vec<_> = file.lines().collect();
    assert!(lines.is_sorted_by(|a, b| a.0 < b.0) && lines.first().is_none_or(|(line, _)| *line > 0));
    assert!(file.excluded().is_sorted_by(|a, b| a < b));
    if file.is_totals_only() {
        return;
    }
    let ratio = |covered: usize, total: usize| Ratio { covered: covered as u64, total: total as u64 };
    assert_eq!(totals.lines, ratio(lines.iter().filter(|(_, hits)| *hits > 0).count(), lines.len()));
    let functions: Vec<_> = file.functions().collect();
    assert_eq!(totals.functions, ratio(functions.iter().filter(|(.., hits)| *hits > 0).count(), functions.len()));
    functions.iter().for_each(|(function, ..)| name(function, limits));
    if totals.branches.total < 1_000_000 {
        let arms: Vec<_> = file.branches_by_line().into_values().flatten().collect();
        let taken = arms.iter().filter(|taken| taken.is_some_and(|taken| taken > 0)).count();
        assert_eq!(totals.branches, ratio(taken, arms.len()));
    }
}

fn name(name: &str, limits: &Limits) {
    assert!(name.len() <= limits.name_bytes + MARK, "a name of {} bytes", name.len());
}

fn problems(evidence: &Evidence) {
    let known: BTreeSet<&str> = CODES.iter().map(|code| code.id).collect();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for problem in &evidence.problems {
        assert!(known.contains(problem.code.as_str()), "{problem:?}");
        assert!(!problem.message.is_empty() && problem.message.len() < 2_000, "{problem:?}");
        assert!(!problem.message.contains(is_unprintable), "{problem:?}");
        assert!(problem.level != Level::Loss || problem.hint.is_some(), "{problem:?}");
        assert!(problem.line != Some(0) && problem.file.is_some(), "{problem:?}");
        *counts.entry(&problem.code).or_default() += 1;
    }
    assert!(counts.values().all(|count| *count <= 25), "{counts:?}");
}

/// No control character reaches a terminal or a document.
fn rendered(evidence: &Evidence) {
    let parts = Parts { files: true, tests: report::Tests::All };
    for text in [report::human(evidence, parts), report::markdown(evidence, parts)] {
        let bad = text.chars().find(|ch| *ch != '\n' && is_unprintable(*ch));
        assert_eq!(bad, None, "{}", text.escape_debug());
    }
    let json = serde_json::to_string(&report::inspection(evidence, parts));
    assert!(json.is_ok(), "{json:?}");
}
