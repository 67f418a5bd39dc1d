//! From outcomes and evidence to a record: measured, compared, judged. What `full-check` and `gate` share.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::compare::Comparison;
use super::{GIT, NO_REPOSITORY};
use crate::check::CheckOutcome;
use crate::check::score::{self, Score};
use crate::config::Config;
use crate::evidence::measure::agreed;
use crate::evidence::problem::CONFLICT;
use crate::evidence::sink::Totals;
use crate::evidence::tests::Seen;
use crate::evidence::{Evidence, Kind, Measurements, Problem};
use crate::gate::changes;
use crate::gate::judge::Asked;
use crate::gate::rule::LimitKind;
use crate::gate::{self, Facts, Gate, Quarantine, RuleResult, TestChanges, quarantine};
use crate::record::{self, Policy, Project, Record, Trend, TrendPoint};
use crate::repo;
use crate::sys::text;

/// What a run leaves behind.
#[derive(Debug, Default)]
pub struct Material {
    /// What became of each check.
    pub checks: Vec<CheckOutcome>,
    /// What their reports say.
    pub evidence: Evidence,
    /// Checks of whose reports something was lost.
    pub lossy: BTreeSet<String>,
    /// What went wrong beside that.
    pub problems: Vec<Problem>,
    /// Checks that were not selected, with the reason.
    pub left_out: BTreeMap<String, String>,
    /// The signal that ended it.
    pub interrupted: Option<String>,
}

/// The record of a run. Its id and its times of ending are filled in by the caller. `material.evidence` is read, and
/// left without its problems and reports, which are the record's.
#[must_use]
pub fn judge(
    config: &Config,
    command: &str,
    started_at: Timestamp,
    material: &mut Material,
    gate: Option<&Gate>,
    asked: &Asked,
    comparison: Comparison,
) -> Record {
    let Material { checks, evidence, lossy, problems, left_out, interrupted } = material;
    let (mut checks, mut problems) = (std::mem::take(checks), std::mem::take(problems));
    let (left_out, interrupted) = (std::mem::take(left_out), interrupted.take());
    evidence.note_disputes();
    let lines = evidence.coverage.file_lines();
    let sum = lines.values().fold(Totals::default(), |sum, file| sum + file.totals);
    let mut measurements = Measurements::with(evidence, sum);
    problems.append(&mut evidence.problems);
    problems.extend(conflicts(&measurements));
    let patch = comparison.patch(config, &lines);
    let sources = evidence.sources(Kind::Coverage);
    for (name, value) in patch.iter().flat_map(gate::patch::Patch::measures) {
        measurements.add(name.to_owned(), None, &sources, value);
    }

    let tests = record::tests(&evidence.tests);
    let head: Vec<_> = tests.iter().map(|test| (&test.identity, &test.test)).collect();
    let is_full = left_out.is_empty() && interrupted.is_none();
    let (test_changes, quarantine) = history_of(config, &head, &checks, is_full, started_at, &comparison);
    problems.extend(quarantine.problems(config.path.as_str()));
    for check in &mut checks {
        // Where a report lost something, nobody knows that all failures are excused.
        check.quarantined = check.is_explained_by(&quarantine, lossy.contains(&check.id));
    }
    for (name, value) in changes::measure(&test_changes, &quarantine) {
        measurements.replace(name, &evidence.sources(Kind::Tests), value);
    }
    let facts = Facts {
        measurements: &measurements,
        files: &lines,
        patch: patch.as_ref(),
        is_first: comparison.is_first,
        base: comparison.base(),
        unknown: comparison.unknown(),
        best: &comparison.best,
        components: &config.components,
        excused: &changes::excused(&test_changes, &quarantine),
        names: &changes::names(&head, &test_changes, &quarantine),
    };
    let mut rules: Vec<RuleResult> = gate.map(|gate| gate::judge(gate, &facts, asked)).unwrap_or_default();
    for (name, scope, value) in gate.map(|gate| ratcheted(gate, &rules)).unwrap_or_default() {
        measurements.add(name, Some(&scope), &sources, value);
    }
    let score = config
        .score
        .as_ref()
        .filter(|_| command == record::FULL_CHECK)
        .and_then(|settings| score::score(settings, &checks, is_full, |check| check.quarantined));
    rules.extend(score.as_ref().map(score_rule));
    problems.extend(comparison.problems);
    let trends = trends(comparison.trends, &measurements, started_at);
    let verdict = record::verdict(&checks, &rules, &problems, interrupted.is_some());
    Record {
        schema: record::SCHEMA.to_owned(),
        id: Record::id_of(started_at, command, verdict),
        version: crate::sys::VERSION.to_owned(),
        command: command.to_owned(),
        started_at,
        finished_at: started_at,
        duration_ms: 0,
        project: Project { name: config.name(), ..Project::default() },
        left_out,
        policy: Policy { path: config.path.to_string(), commit: None, changed: false },
        gate: gate.map(|gate| gate.name.clone()),
        verdict,
        interrupted,
        checks,
        rules,
        measurements,
        reports: std::mem::take(&mut evidence.reports),
        problems,
        tests,
        lines,
        baseline: comparison.baseline,
        patch,
        test_changes,
        quarantine,
        score,
        trends,
    }
}

/// What the baseline and earlier runs say of the tests.
fn history_of(
    config: &Config,
    head: &[Seen<'_>],
    checks: &[CheckOutcome],
    is_full: bool,
    started_at: Timestamp,
    comparison: &Comparison,
) -> (TestChanges, Quarantine) {
    let base = comparison.record.as_ref().map(Record::seen);
    let seen: BTreeSet<&str> = head.iter().map(|(identity, _)| &*identity.check).collect();
    let by_outcome = record::evaluated(checks, is_full);
    // Without checks, reports were given: whose tests are in none of them was not asked for.
    let evaluated = |check: &str| if checks.is_empty() { seen.contains(check) } else { by_outcome(check) };
    let changes = changes::compare(&changes::Input {
        head,
        base: base.as_deref(),
        samples: &comparison.samples,
        tree: comparison.tree.as_deref(),
        evaluated: &evaluated,
    });
    let quarantine = quarantine::quarantine(&quarantine::Input {
        entries: &config.quarantine,
        head,
        samples: &comparison.samples,
        at: started_at,
        evaluated: &evaluated,
        is_full: is_full && !checks.is_empty(),
    });
    (changes, quarantine)
}

/// The score as one more part of the run: the worst decides, so it can never outweigh a rule.
fn score_rule(score: &Score) -> RuleResult {
    RuleResult {
        gate: SCORE.to_owned(),
        metric: SCORE.to_owned(),
        scope: None,
        limit: format!("min {}", text::number(score.warn)),
        value: Some(score.value),
        shown: None,
        base: None,
        source: None,
        verdict: score.verdict(),
        message: score.message(),
        advice: None,
    }
}

/// What the score is called among the rules.
pub(super) const SCORE: &str = "score";

/// Earlier values with this run's; a number that never was is no trend.
fn trends(earlier: Vec<Trend>, measurements: &Measurements, started_at: Timestamp) -> Vec<Trend> {
    let with_this = earlier.into_iter().map(|mut trend| {
        let value = measurements.value(&trend.metric).filter(|value| value.is_finite());
        trend.points.push(TrendPoint { run: String::new(), started_at, value });
        trend
    });
    with_this.filter(|trend| trend.points.iter().filter(|point| point.value.is_some()).count() > 1).collect()
}

/// The values of parts of the project that later runs must not fall behind: they are stored with the numbers.
fn ratcheted(gate: &Gate, rules: &[RuleResult]) -> Vec<(String, String, f64)> {
    let kept: BTreeSet<_> = gate
        .rules
        .iter()
        .filter(|rule| rule.limits.iter().any(|limit| limit.kind == LimitKind::Ratchet))
        .map(|rule| rule.metric.as_str())
        .collect();
    let values: BTreeMap<_, _> = rules
        .iter()
        .filter(|rule| kept.contains(rule.metric.as_str()))
        .filter_map(|rule| Some(((rule.metric.clone(), rule.scope.clone()?), rule.value?)))
        .collect();
    values.into_iter().map(|((name, scope), value)| (name, scope, value)).collect()
}

/// Names that several files give different values: each is judged, and none is the value.
fn conflicts(measurements: &Measurements) -> Vec<Problem> {
    let names = measurements.by_name().into_iter();
    names
        .filter(|(_, stated)| agreed(stated.iter().copied()).is_none())
        .map(|(name, stated)| {
            let stated: Vec<_> =
                stated.iter().map(|one| format!("{} in {}", text::number(one.value), one.sources.join(", "))).collect();
            Problem::new(&CONFLICT, format!("`{name}` is {}", text::list(&stated)))
        })
        .collect()
}

/// Adds what git says of the work tree.
pub fn note_state(record: &mut Record, state: Result<repo::State, repo::Error>) {
    match state {
        Ok(state) => {
            record.policy.commit = state.commit.clone().filter(|_| !state.dirty);
            record.project.tree = state.tree.filter(|_| !state.dirty);
            record.project.commit = state.commit;
            record.project.branch = state.branch;
            record.project.dirty = Some(state.dirty);
        }
        Err(error @ repo::Error::NoRepository(_)) => {
            record.problems.push(Problem::new(&NO_REPOSITORY, error.to_string()));
        }
        Err(error @ repo::Error::Git(_)) => record.problems.push(Problem::new(&GIT, error.to_string())),
    }
}
