//! The value of a rule's metric in each part of the project it is about.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::{Facts, LEFT_OUT};
use super::patch::Patch;
use super::rule::Rule;
use super::scope::{Member, Scope};
use crate::evidence::Kind;
use crate::evidence::coverage::FileLines;
use crate::evidence::metric;
use crate::evidence::sink::{Ratio, Totals};

/// One part of the project and its value.
pub(super) struct Part<'a> {
    /// Its name; `None` is the whole project.
    pub(super) name: Option<String>,
    /// Its files; `None` is all of them.
    pub(super) files: Option<BTreeSet<&'a str>>,
    /// The value.
    pub(super) value: Value,
    /// Why there is none, where more can be said than that.
    pub(super) missing: Option<String>,
    /// What else must be known of the value.
    pub(super) note: Option<String>,
    /// The reports it was read from.
    pub(super) source: Option<String>,
    /// The baseline's value.
    pub(super) base: Option<f64>,
    /// Whether the baseline could not have it, because it did not exist.
    pub(super) is_new: bool,
    /// Changed lines that can run.
    pub(super) lines: u64,
    /// Changed files that should have been measured, where the metric is about changes.
    pub(super) unmeasured: Vec<&'a str>,
}

/// A value, or why there is none.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    /// The number; may be NaN.
    Number(f64),
    /// There is nothing it could be about.
    NotApplicable(String),
    /// Nothing measured it.
    Missing,
}

impl Value {
    pub(super) fn number(&self) -> Option<f64> {
        if let Self::Number(value) = self { Some(*value) } else { None }
    }
}

/// The parts that a rule is about; at least one, unless it is about each file and there is none.
pub(super) fn of<'a>(rule: &Rule, facts: &Facts<'a>) -> Vec<Part<'a>> {
    let is_change = is_change(&rule.metric);
    if matches!(rule.scope, Scope::Project) {
        return project(rule, facts);
    }
    let all: Vec<&'a str> = match facts.patch.filter(|_| is_change) {
        Some(patch) => changed(patch).collect(),
        None => facts.files.keys().map(String::as_str).collect(),
    };
    let members = rule.scope.members(all.into_iter(), facts.components);
    let base: BTreeMap<Option<String>, Member<'_>> = match facts.base.filter(|_| !is_change) {
        Some(base) => {
            let members = rule.scope.members(base.files.keys().map(String::as_str), facts.components);
            members.into_iter().map(|member| (member.name.clone(), member)).collect()
        }
        None => BTreeMap::new(),
    };
    // A change elsewhere says nothing of a part that nobody measures: a misspelt path must not look like a good one.
    let is_known = |member: &Member<'_>| {
        let known = rule.scope.members(facts.files.keys().map(String::as_str), facts.components);
        facts.files.is_empty() || known.iter().any(|one| one.name == member.name && !one.is_empty())
    };
    let source = sources(facts);
    let each = matches!(rule.scope, Scope::Each(..));
    let parts: Vec<_> = members
        .into_iter()
        .map(|member| {
            let name = member.name.clone();
            let before = base
                .get(&name)
                .zip(facts.base)
                .and_then(|(member, base)| value(&rule.metric, member, base.files, None).number());
            let value = value(&rule.metric, &member, facts.files, facts.patch);
            let in_part = |path: &str| member.files.as_ref().is_none_or(|files| files.contains(path));
            let unmeasured = unmeasured(rule, facts, in_part);
            let has_files = member.files.as_ref().is_some_and(|files| !files.is_empty());
            Part {
                lines: lines(facts, in_part),
                missing: not_mentioned(&unmeasured).or_else(|| empty(&member, facts, is_change)),
                value: match value {
                    _ if is_change && member.is_empty() && !is_known(&member) => {
                        Value::NotApplicable("no file in the coverage reports belongs to it".to_owned())
                    }
                    // Nothing that can run is known to have changed, but something was not measured.
                    Value::NotApplicable(_) if !unmeasured.is_empty() => Value::Missing,
                    // A file without branches, say, where others have some: its limit is about nothing.
                    Value::Missing
                        if each && has_files && !is_change && facts.measurements.value(&rule.metric).is_some() =>
                    {
                        Value::NotApplicable("there is nothing of the kind in it".to_owned())
                    }
                    value => value,
                },
                note: None,
                source: source.clone(),
                base: before,
                is_new: each && !base.contains_key(&name),
                unmeasured,
                name: member.name,
                files: member.files,
            }
        })
        .collect();
    if parts.is_empty() {
        // `each` of nothing: said in one row, so that the rule does not disappear.
        return vec![Part {
            name: None,
            files: None,
            value: if is_change && facts.patch.is_some() {
                Value::NotApplicable("no measured file was changed".to_owned())
            } else {
                Value::Missing
            },
            missing: Some("no coverage report names a file it could be about".to_owned()),
            note: None,
            source: None,
            base: None,
            is_new: false,
            lines: 0,
            unmeasured: Vec::new(),
        }];
    }
    parts
}

/// Several files may state one metric: each statement is a part of its own.
fn project<'a>(rule: &Rule, facts: &Facts<'a>) -> Vec<Part<'a>> {
    let left = |value: f64, excused: &BTreeMap<String, f64>| {
        excused
            .get(&rule.metric)
            .filter(|excused| **excused > 0.0)
            .map(|excused| ((value - excused).max(0.0), *excused))
    };
    let base = facts.base.and_then(|base| {
        let value = base.measurements.value(&rule.metric)?;
        Some(left(value, base.excused).map_or(value, |(value, _)| value))
    });
    let part = |value, source| Part {
        name: None,
        files: None,
        value,
        missing: None,
        note: None,
        source,
        base,
        is_new: false,
        lines: lines(facts, |_| true),
        unmeasured: unmeasured(rule, facts, |_| true),
    };
    let mut parts: Vec<_> = facts
        .measurements
        .all(&rule.metric)
        .map(|stated| part(Value::Number(stated.value), Some(stated.sources.join(", "))))
        .collect();
    for part in &mut parts {
        if let Value::Number(value) = &mut part.value
            && let Some((counted, excused)) = left(*value, facts.excused)
        {
            *value = counted;
            part.note = Some(format!("{excused} {LEFT_OUT}"));
        }
    }
    if parts.is_empty() {
        let nothing_changed = rule.metric == metric::PATCH_PERCENT && facts.patch.is_some();
        let mut part = part(Value::Missing, None);
        if nothing_changed && part.unmeasured.is_empty() {
            part.value = Value::NotApplicable("no changed line can run".to_owned());
        } else {
            part.missing = not_mentioned(&part.unmeasured);
        }
        parts.push(part);
    }
    parts
}

/// Whether a metric is about what changed.
pub(super) fn is_change(name: &str) -> bool {
    name.starts_with("coverage.patch.") || name == metric::LOST
}

fn changed(patch: &Patch) -> impl Iterator<Item = &str> {
    patch.files.iter().map(|file| file.path.as_str()).chain(patch.unmeasured.iter().map(String::as_str))
}

/// Those that were merely touched count as well: else a test that runs one of them could end a small patch's relief.
fn lines(facts: &Facts<'_>, wanted: impl Fn(&str) -> bool) -> u64 {
    let sums = facts.patch.map(|patch| patch.sums(wanted)).unwrap_or_default();
    sums.lines.total + sums.touched
}

fn unmeasured<'a>(rule: &Rule, facts: &Facts<'a>, wanted: impl Fn(&str) -> bool) -> Vec<&'a str> {
    let all = facts.patch.filter(|_| is_change(&rule.metric)).map(|patch| patch.unmeasured.as_slice());
    all.unwrap_or_default().iter().map(String::as_str).filter(|path| wanted(path)).collect()
}

/// Files shown before the rest is counted.
const SHOWN: usize = 3;

/// What is said of changed files that should have been measured; `None` if there is none.
pub(super) fn not_mentioned(paths: &[&str]) -> Option<String> {
    let shown: Vec<_> = paths.iter().take(SHOWN).map(|path| format!("`{path}`")).collect();
    let more = paths.len() - shown.len();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    (!paths.is_empty()).then(|| format!("no coverage report mentions the changed {}{more}", shown.join(", ")))
}

fn empty(member: &Member<'_>, facts: &Facts<'_>, is_change: bool) -> Option<String> {
    (member.is_empty() && !is_change && !facts.files.is_empty())
        .then(|| "no file in the coverage reports belongs to it".to_owned())
}

fn sources(facts: &Facts<'_>) -> Option<String> {
    let names = facts.measurements.iter().filter(|stated| metric::kind(&stated.name) == Some(Kind::Coverage));
    let names: BTreeSet<_> = names.flat_map(|stated| stated.sources.iter().map(String::as_str)).collect();
    (!names.is_empty()).then(|| names.into_iter().collect::<Vec<_>>().join(", "))
}

/// The value of a coverage metric over some files.
fn value(name: &str, member: &Member<'_>, files: &BTreeMap<String, FileLines>, patch: Option<&Patch>) -> Value {
    if is_change(name) {
        let wanted = |path: &str| member.files.as_ref().is_none_or(|wanted| wanted.contains(path));
        return patch.map_or(Value::Missing, |patch| of_patch(name, patch, wanted));
    }
    // A part's files are looked up: going through all files for each of them would take the square of their count.
    let chosen: Vec<&FileLines> = match &member.files {
        Some(own) => own.iter().filter_map(|path| files.get(*path)).collect(),
        None => files.values().collect(),
    };
    if name == "coverage.files.total" {
        return match chosen.len() {
            0 => Value::Missing,
            some => Value::Number(count(some as u64)),
        };
    }
    let sum = chosen.into_iter().fold(Totals::default(), |sum, file| sum + file.totals);
    let mut words = name.split('.').skip(1);
    let ratio = match words.next() {
        Some("lines") => sum.lines,
        Some("branches") => sum.branches,
        Some("functions") => sum.functions,
        Some("statements") => sum.statements,
        _ => return Value::Missing,
    };
    of_ratio(words.next(), ratio).map_or(Value::Missing, Value::Number)
}

/// The value of a metric about changes, over the files that `wanted` names.
pub(super) fn of_patch(name: &str, patch: &Patch, wanted: impl Fn(&str) -> bool) -> Value {
    match patch.sums(wanted).value(name, patch.has_base) {
        Some(value) => Value::Number(value),
        None if name == metric::PATCH_PERCENT => Value::NotApplicable("no changed line can run".to_owned()),
        None => Value::Missing,
    }
}

fn of_ratio(word: Option<&str>, ratio: Ratio) -> Option<f64> {
    let percent = ratio.percent()?;
    match word {
        Some("covered") => Some(count(ratio.covered)),
        Some("total") => Some(count(ratio.total)),
        Some("percent") => Some(percent),
        _ => None,
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
fn count(value: u64) -> f64 {
    value as f64
}
