//! One result for each limit of each rule and each part of the project it is about.
//!
//! There is no way from something missing, not a number or infinite to `pass`: each ends in the verdict that the rule
//! names for it, or in `inconclusive`.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::advice;
use super::facts::{Facts, NOT_MEASURED};
use super::pace::ALLOWANCE;
use super::parts::{self, Part};
use super::rule::{Gate, Limit, LimitKind, NoBase, Rule, WhenMissing};
use super::verdict::RuleVerdict;
use crate::evidence::Kind;
use crate::evidence::metric::{self, Better};
use crate::sys::text;

/// Values this near are equal: sums of floats must not decide.
const TOLERANCE: f64 = 1e-9;

/// What one limit of one rule says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RuleResult {
    /// The gate's name.
    pub gate: String,
    /// The metric's name.
    pub metric: String,
    /// The part of the project; `None` is all of it.
    pub scope: Option<String>,
    /// The limit in words: `max 0`.
    pub limit: String,
    /// The value; `None` if it was not measured.
    #[serde(with = "option_not_finite", default)]
    pub value: Option<f64>,
    /// What was found, where that is no number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown: Option<String>,
    /// What the value was compared with, where there is something: the baseline's value, or the best so far.
    #[serde(with = "option_not_finite", default)]
    pub base: Option<f64>,
    /// The reports that the value was read from.
    pub source: Option<String>,
    /// What it says.
    pub verdict: RuleVerdict,
    /// The same in a sentence fragment with the numbers.
    pub message: String,
    /// The smallest thing that would make it hold.
    #[serde(default)]
    pub advice: Option<String>,
}

impl RuleResult {
    /// The value for people, with enough decimals to tell it from its limit, or what was found where that is no number.
    #[must_use]
    pub fn shown_value(&self) -> String {
        if let Some(shown) = &self.shown {
            return text::one_line(shown);
        }
        let Some(value) = self.value else {
            let nothing = if self.verdict == RuleVerdict::NotApplicable { "-" } else { "not measured" };
            return nothing.to_owned();
        };
        let bound = self.limit.rsplit(' ').next().and_then(|bound| bound.parse().ok());
        metric::unit(&self.metric).beside(value, bound.unwrap_or(f64::NAN))
    }
}

/// Which rules are asked.
#[derive(Clone, Debug)]
pub enum Asked {
    /// All of them: `full-check`.
    Everything,
    /// Those whose metric a selected check's evidence can yield.
    Yielded(BTreeSet<Kind>),
}

/// Holds the facts against a gate.
#[must_use]
pub fn judge(gate: &Gate, facts: &Facts<'_>, asked: &Asked) -> Vec<RuleResult> {
    gate.rules.iter().flat_map(|rule| judge_rule(gate, rule, facts, asked)).collect()
}

fn judge_rule(gate: &Gate, rule: &Rule, facts: &Facts<'_>, asked: &Asked) -> Vec<RuleResult> {
    let result = |limit: &Limit, scope: Option<&str>| RuleResult {
        gate: gate.name.clone(),
        metric: rule.metric.clone(),
        scope: scope.map(str::to_owned),
        limit: limit.to_string(),
        value: None,
        shown: None,
        base: None,
        source: None,
        verdict: RuleVerdict::NotAsked,
        message: "no selected check measures it".to_owned(),
        advice: None,
    };
    let is_asked = match asked {
        Asked::Everything => true,
        Asked::Yielded(kinds) => metric::kind(&rule.metric).is_some_and(|kind| kinds.contains(&kind)),
    };
    if !is_asked {
        return rule.limits.iter().map(|limit| result(limit, None)).collect();
    }
    let mut results = Vec::new();
    let parts = parts::of(rule, facts);
    for limit in &rule.limits {
        for part in &parts {
            let answer = hold(rule, limit, part, facts);
            results.push(RuleResult {
                value: part.value.number(),
                base: answer.base,
                source: part.source.clone(),
                verdict: answer.verdict,
                message: answer.message,
                advice: (answer.verdict != RuleVerdict::Pass)
                    .then(|| answer.needed.and_then(|needed| advice::smallest(rule, limit, part, needed, facts)))
                    .flatten(),
                ..result(limit, part.name.as_deref())
            });
        }
    }
    results
}

/// What one limit says of one part.
struct Answer {
    verdict: RuleVerdict,
    message: String,
    base: Option<f64>,
    /// The nearest value that would hold.
    needed: Option<f64>,
}

impl Answer {
    fn open(verdict: RuleVerdict, message: impl Into<String>) -> Self {
        Self { verdict, message: message.into(), base: None, needed: None }
    }
}

fn hold(rule: &Rule, limit: &Limit, part: &Part<'_>, facts: &Facts<'_>) -> Answer {
    let value = match &part.value {
        parts::Value::Number(value) => *value,
        parts::Value::NotApplicable(why) => return Answer::open(RuleVerdict::NotApplicable, why.clone()),
        parts::Value::Missing if metric::is_from_base(&rule.metric) && facts.base.is_none() => {
            return Answer::open(no_base(rule), facts.unknown.no_base());
        }
        parts::Value::Missing if parts::is_change(&rule.metric) && facts.patch.is_none() && facts.is_first => {
            return Answer::open(RuleVerdict::NotApplicable, "there is no earlier commit that it could differ from");
        }
        // A young project has no usual times yet; one whose reports state none will never have any.
        parts::Value::Missing if rule.metric == "tests.newly_slow" && has_times(facts) => {
            let verdict = if rule.when_missing == WhenMissing::Fail { RuleVerdict::Fail } else { no_base(rule) };
            let least = ALLOWANCE.samples;
            return Answer::open(
                verdict,
                format!("no test that passed has the {least} earlier times that make a usual one"),
            );
        }
        parts::Value::Missing => {
            return Answer::open(missing(rule), part.missing.clone().unwrap_or_else(|| NOT_MEASURED.to_owned()));
        }
    };
    if value.is_nan() {
        return Answer::open(RuleVerdict::Inconclusive, format!("NaN cannot be held against {limit}"));
    }
    let mut answer = if limit.kind.needs_base() {
        hold_change(rule, limit, part, value, facts)
    } else {
        let (verdict, message) = hold_bound(limit, &rule.metric, value);
        // What compares with nothing still shows where it came from.
        let base = part.base.filter(|base| base.is_finite());
        Answer { verdict, message, base, needed: Some(limit.bound) }
    };
    if let Some(note) = &part.note {
        answer.message = format!("{}; {note}", answer.message);
    }
    if rule.metric == metric::PATCH_PERCENT && answer.verdict == RuleVerdict::Fail && part.lines < rule.min_lines {
        answer.verdict = RuleVerdict::Warn;
        let lines = text::plural(part.lines, "changed line", "changed lines");
        answer.message = format!("{}; with {lines}, under {}, it does not decide", answer.message, rule.min_lines);
    }
    if let Some(not_mentioned) = parts::not_mentioned(&part.unmeasured)
        && matches!(answer.verdict, RuleVerdict::Pass | RuleVerdict::Warn)
    {
        answer.verdict = missing(rule);
        answer.message = not_mentioned;
        answer.needed = None;
    }
    answer
}

fn has_times(facts: &Facts<'_>) -> bool {
    facts.measurements.value("tests.slowest_seconds").is_some_and(|seconds| seconds > 0.0)
}

fn missing(rule: &Rule) -> RuleVerdict {
    match rule.when_missing {
        WhenMissing::Inconclusive => RuleVerdict::Inconclusive,
        WhenMissing::Fail => RuleVerdict::Fail,
        WhenMissing::Warn => RuleVerdict::Warn,
    }
}

fn no_base(rule: &Rule) -> RuleVerdict {
    match rule.no_base {
        NoBase::Warn => RuleVerdict::Warn,
        NoBase::Inconclusive => RuleVerdict::Inconclusive,
    }
}

/// A value against the same metric of an earlier run.
fn hold_change(rule: &Rule, limit: &Limit, part: &Part<'_>, value: f64, facts: &Facts<'_>) -> Answer {
    let (base, since) = if limit.kind == LimitKind::Ratchet {
        match best(rule, part, facts) {
            Some((best, from)) => (best, format!("the best so far ({from})")),
            None => return Answer::open(no_base(rule), facts.unknown.no_best()),
        }
    } else {
        match (part.base, facts.base) {
            (Some(base), _) => (base, "the baseline".to_owned()),
            (None, None) => return Answer::open(no_base(rule), facts.unknown.no_base()),
            (None, Some(_)) if part.is_new => {
                return Answer::open(RuleVerdict::NotApplicable, "it is new: the baseline does not have it");
            }
            (None, Some(_)) => return Answer::open(no_base(rule), "the baseline did not measure it"),
        }
    };
    if !base.is_finite() || !value.is_finite() {
        let message = format!("{} cannot be compared with {} of {since}", text::number(value), text::number(base));
        return Answer { base: Some(base), ..Answer::open(RuleVerdict::Inconclusive, message) };
    }
    // Of a baseline of 0 a percentage is 0 as well: it allows no worsening.
    let allowed = if limit.relative { limit.bound / 100.0 * base.abs() } else { limit.bound };
    let falls = match limit.kind {
        LimitKind::MaxDrop => true,
        LimitKind::MaxRise => false,
        _ => rule.better == Better::Higher,
    };
    let worse = if falls { base - value } else { value - base };
    let unit = metric::unit(&rule.metric);
    let holds = worse <= allowed + TOLERANCE * base.abs().max(1.0);
    let (before, now) = (unit.beside(base, value), unit.beside(value, base));
    let moved = match value - base {
        change if change.abs() <= TOLERANCE => format!("{now}, as in {since}"),
        change if change > 0.0 => {
            format!("{now}, {} more than {before} of {since}", unit.change_beside(change, allowed))
        }
        change => format!("{now}, {} less than {before} of {since}", unit.change_beside(-change, allowed)),
    };
    let allowance = match (allowed > 0.0, limit.relative) {
        (false, _) => "no worsening is allowed".to_owned(),
        (true, false) => format!("{} is allowed", unit.change_beside(allowed, worse)),
        (true, true) => format!("{} ({}) is allowed", limit.text, unit.change_beside(allowed, worse)),
    };
    Answer {
        verdict: if holds { RuleVerdict::Pass } else { RuleVerdict::Fail },
        message: if holds { moved } else { format!("{moved}; {allowance}") },
        base: Some(base),
        needed: Some(if falls { base - allowed } else { base + allowed }),
    }
}

/// The best value so far: on the default branch, or in the baseline.
fn best(rule: &Rule, part: &Part<'_>, facts: &Facts<'_>) -> Option<(f64, String)> {
    let known = facts.best.iter().filter(|best| best.metric == rule.metric && best.scope == part.name);
    let known = known.map(|best| (best.value, best.from.clone()));
    let base = part.base.filter(|base| base.is_finite()).map(|base| (base, "the baseline".to_owned()));
    known.chain(base).filter(|(value, _)| value.is_finite()).reduce(|a, b| {
        let b_is_better = if rule.better == Better::Higher { b.0 > a.0 } else { b.0 < a.0 };
        if b_is_better { b } else { a }
    })
}

/// One value against one bound.
fn hold_bound(limit: &Limit, name: &str, value: f64) -> (RuleVerdict, String) {
    let equal = value == limit.bound || (value - limit.bound).abs() <= TOLERANCE;
    let (holds, relation) = match limit.kind {
        LimitKind::Min | LimitKind::WarnBelow if equal || value > limit.bound => (true, "at least"),
        LimitKind::Min | LimitKind::WarnBelow => (false, "below"),
        LimitKind::Max | LimitKind::WarnAbove if equal || value < limit.bound => (true, "at most"),
        LimitKind::Max | LimitKind::WarnAbove => (false, "above"),
        _ => (equal, if equal { "equal to" } else { "not equal to" }),
    };
    if holds && value.is_infinite() {
        // A division by nothing or an overflow, not a measurement: it may fail a rule, never satisfy one.
        return (RuleVerdict::Inconclusive, format!("{} does not count as holding {limit}", text::number(value)));
    }
    let verdict = match limit.kind {
        _ if holds => RuleVerdict::Pass,
        LimitKind::WarnBelow | LimitKind::WarnAbove => RuleVerdict::Warn,
        _ => RuleVerdict::Fail,
    };
    let unit = metric::unit(name);
    let (shown, bound) = if equal {
        (limit.text.clone(), limit.text.clone())
    } else {
        text::number_pair(value, limit.bound, unit.decimals())
    };
    // The limit keeps the user's own digits unless they hide the difference.
    let bound = if bound.len() > limit.text.len() { bound } else { limit.text.clone() };
    (verdict, format!("{} is {relation} {}", unit.show(&shown), unit.show(&bound)))
}

mod option_not_finite {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    struct Value(#[serde(with = "crate::evidence::measure::not_finite")] f64);

    #[expect(clippy::ref_option, reason = "serde's signature")]
    pub(super) fn serialize<S: Serializer>(value: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
        value.map(Value).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
        Ok(Option::<Value>::deserialize(deserializer)?.map(|value| value.0))
    }
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
