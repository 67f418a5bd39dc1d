//! From outcomes and evidence to a record: measured, compared, judged. What `full-check` and `gate` share.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::compare::Comparison;
use super::{GIT, NO_REPOSITORY};
use crate::check::CheckOutcome;
use crate::config::Config;
use crate::evidence::measure::agreed;
use crate::evidence::problem::CONFLICT;
use crate::evidence::{Evidence, Kind, Measurements, Problem};
use crate::gate::judge::Asked;
use crate::gate::rule::LimitKind;
use crate::gate::{self, Facts, Gate, RuleResult};
use crate::record::{self, Policy, Project, Record};
use crate::repo;
use crate::sys::text;

/// What a run leaves behind.
#[derive(Debug, Default)]
pub struct Material {
    /// What became of each check.
    pub checks: Vec<CheckOutcome>,
    /// What their reports say.
    pub evidence: Evidence,
    /// What went wrong beside that.
    pub problems: Vec<Problem>,
    /// Checks that were not selected, with the reason.
    pub left_out: BTreeMap<String, String>,
    /// The signal that ended it.
    pub interrupted: Option<String>,
}

/// The record of a run. Its id and its times of ending are filled in by the caller.
#[must_use]
pub fn judge(
    config: &Config,
    command: &str,
    started_at: Timestamp,
    material: Material,
    gate: Option<&Gate>,
    asked: &Asked,
    comparison: Comparison,
) -> Record {
    let Material { checks, mut evidence, mut problems, left_out, interrupted } = material;
    evidence.note_disputes();
    let mut measurements = Measurements::of(&evidence);
    problems.append(&mut evidence.problems);
    problems.extend(conflicts(&measurements));
    let lines = evidence.coverage.file_lines();
    let patch = comparison.patch(config, &lines);
    let sources = evidence.sources(Kind::Coverage);
    for (name, value) in patch.iter().flat_map(gate::patch::Patch::measures) {
        measurements.add(name.to_owned(), None, &sources, value);
    }
    let failed = evidence.tests.iter().filter(|(_, test)| test.outcome.is_failure());
    let names = BTreeMap::from([("tests.failed".to_owned(), failed.map(|(identity, _)| identity.display()).collect())]);
    let facts = Facts {
        measurements: &measurements,
        files: &lines,
        patch: patch.as_ref(),
        is_first: comparison.is_first,
        base: comparison.base(),
        best: &comparison.best,
        components: &config.components,
        excused: &BTreeMap::new(),
        names: &names,
    };
    let rules: Vec<RuleResult> = gate.map(|gate| gate::judge(gate, &facts, asked)).unwrap_or_default();
    for (name, scope, value) in gate.map(|gate| ratcheted(gate, &rules)).unwrap_or_default() {
        measurements.add(name, Some(&scope), &sources, value);
    }
    if gate.is_some_and(Gate::compares) {
        problems.extend(comparison.problems);
    }
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
        reports: evidence.reports,
        problems,
        tests: record::tests(&evidence.tests),
        lines,
        baseline: comparison.baseline,
        patch,
    }
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
