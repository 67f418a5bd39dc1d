//! One result for each limit of each rule.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::rule::{Gate, Limit, LimitKind, Rule, WhenMissing};
use super::verdict::RuleVerdict;
use crate::evidence::{Kind, Measurement, Measurements, metric};
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
    /// The baseline's value, where the limit is relative to one.
    pub base: Option<f64>,
    /// The reports that the value was read from.
    pub source: Option<String>,
    /// What it says.
    pub verdict: RuleVerdict,
    /// The same in a sentence fragment with the numbers.
    pub message: String,
}

impl RuleResult {
    /// The value for people, with enough decimals to tell it from its limit.
    #[must_use]
    pub fn shown_value(&self) -> String {
        let Some(value) = self.value else { return "not measured".to_owned() };
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

/// Holds the measurements against a gate.
#[must_use]
pub fn judge(gate: &Gate, measurements: &Measurements, asked: &Asked) -> Vec<RuleResult> {
    gate.rules.iter().flat_map(|rule| judge_rule(gate, rule, measurements, asked)).collect()
}

fn judge_rule(gate: &Gate, rule: &Rule, measurements: &Measurements, asked: &Asked) -> Vec<RuleResult> {
    let result = |limit: &Limit, verdict: RuleVerdict, value: Option<&Measurement>, message: String| RuleResult {
        gate: gate.name.clone(),
        metric: rule.metric.clone(),
        scope: None,
        limit: limit.to_string(),
        value: value.map(|measurement| measurement.value),
        base: None,
        source: value.map(|measurement| measurement.sources.join(", ")),
        verdict,
        message,
    };
    let is_asked = match asked {
        Asked::Everything => true,
        Asked::Yielded(kinds) => metric::kind(&rule.metric).is_some_and(|kind| kinds.contains(&kind)),
    };
    // Several files may state one metric: each statement is held against each limit.
    let stated: Vec<_> = measurements.all(&rule.metric).collect();
    let mut results = Vec::new();
    for limit in &rule.limits {
        if !is_asked {
            results.push(result(limit, RuleVerdict::NotAsked, None, "no selected check measures it".into()));
        } else if stated.is_empty() {
            let verdict = match rule.when_missing {
                WhenMissing::Inconclusive => RuleVerdict::Inconclusive,
                WhenMissing::Fail => RuleVerdict::Fail,
                WhenMissing::Warn => RuleVerdict::Warn,
            };
            results.push(result(limit, verdict, None, "not measured".into()));
        }
        for measurement in stated.iter().filter(|_| is_asked) {
            let (verdict, message) = hold(limit, &rule.metric, measurement.value);
            results.push(result(limit, verdict, Some(measurement), message));
        }
    }
    results
}

/// One value against one limit.
fn hold(limit: &Limit, name: &str, value: f64) -> (RuleVerdict, String) {
    if value.is_nan() {
        return (RuleVerdict::Inconclusive, format!("NaN cannot be held against {limit}"));
    }
    let equal = value == limit.bound || (value - limit.bound).abs() <= TOLERANCE;
    let (holds, relation) = match limit.kind {
        LimitKind::Min | LimitKind::WarnBelow if equal || value > limit.bound => (true, "at least"),
        LimitKind::Min | LimitKind::WarnBelow => (false, "below"),
        LimitKind::Max | LimitKind::WarnAbove if equal || value < limit.bound => (true, "at most"),
        LimitKind::Max | LimitKind::WarnAbove => (false, "above"),
        LimitKind::Equals => (equal, if equal { "equal to" } else { "not equal to" }),
    };
    if holds && value.is_infinite() {
        // A division by nothing or an overflow, not a measurement: it may fail a rule, never satisfy one.
        return (RuleVerdict::Inconclusive, format!("{} does not count as holding {limit}", text::number(value)));
    }
    let verdict = match limit.kind {
        _ if holds => RuleVerdict::Pass,
        LimitKind::WarnBelow | LimitKind::WarnAbove => RuleVerdict::Warn,
        LimitKind::Min | LimitKind::Max | LimitKind::Equals => RuleVerdict::Fail,
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
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn gate(kind: LimitKind, bound: f64, when_missing: WhenMissing) -> Gate {
        let limits = vec![Limit { kind, bound, text: text::number(bound) }];
        Gate { name: "default".into(), rules: vec![Rule { metric: "metrics.x".into(), limits, when_missing }] }
    }

    fn measured(values: &[f64]) -> Measurements {
        let mut all = Measurements::default();
        values.iter().for_each(|value| all.add("metrics.x".into(), None, &["m.json"], *value));
        all
    }

    fn verdicts(gate: &Gate, values: &[f64]) -> Vec<RuleVerdict> {
        judge(gate, &measured(values), &Asked::Everything).into_iter().map(|result| result.verdict).collect()
    }

    const KINDS: [LimitKind; 5] =
        [LimitKind::Min, LimitKind::Max, LimitKind::Equals, LimitKind::WarnBelow, LimitKind::WarnAbove];

    #[test]
    fn missing_and_nan_never_pass() {
        for kind in KINDS {
            for (when, want) in [
                (WhenMissing::Inconclusive, RuleVerdict::Inconclusive),
                (WhenMissing::Fail, RuleVerdict::Fail),
                (WhenMissing::Warn, RuleVerdict::Warn),
            ] {
                assert_eq!(verdicts(&gate(kind, 0.0, when), &[]), [want]);
                assert_eq!(verdicts(&gate(kind, 0.0, when), &[f64::NAN]), [RuleVerdict::Inconclusive]);
            }
        }
    }

    #[test]
    fn infinity_can_fail_a_rule_and_never_satisfies_one() {
        for kind in KINDS {
            for value in [f64::INFINITY, f64::NEG_INFINITY] {
                let verdict = verdicts(&gate(kind, 0.0, WhenMissing::Fail), &[value])[0];
                assert_ne!(verdict, RuleVerdict::Pass, "{kind:?} {value}");
            }
        }
        assert_eq!(verdicts(&gate(LimitKind::Max, 1.0, WhenMissing::Fail), &[f64::INFINITY]), [RuleVerdict::Fail]);
    }

    #[test]
    fn a_bound_passes_itself_and_every_statement_is_judged() {
        for kind in KINDS {
            assert_eq!(verdicts(&gate(kind, 0.3, WhenMissing::Fail), &[0.1 + 0.2]), [RuleVerdict::Pass]);
        }
        assert_eq!(
            verdicts(&gate(LimitKind::Min, 1.0, WhenMissing::Fail), &[2.0, 0.0]),
            [RuleVerdict::Pass, RuleVerdict::Fail]
        );
    }

    #[test]
    fn messages_tell_value_from_limit() {
        let told = |kind, bound, value| {
            hold(&Limit { kind, bound, text: text::number(bound) }, "coverage.lines.percent", value).1
        };
        assert_eq!(
            told(LimitKind::Min, 59.24, 59.239_999),
            "59.239999 % is below 59.240000 %".replace("59.240000", "59.24")
        );
        assert_eq!(told(LimitKind::Min, 59.24, 61.333_333), "61.33 % is at least 59.24 %");
        assert_eq!(told(LimitKind::Max, 0.0, 2.0), "2 % is above 0 %");
        assert_eq!(told(LimitKind::Equals, 12.0, 12.0), "12 % is equal to 12 %");
    }

    #[test]
    fn rules_that_no_selected_check_can_yield_are_not_asked() {
        let gate = gate(LimitKind::Min, 1.0, WhenMissing::Inconclusive);
        let tests_only = Asked::Yielded([Kind::Tests].into());
        assert_eq!(judge(&gate, &measured(&[]), &tests_only)[0].verdict, RuleVerdict::NotAsked);
        let metrics = Asked::Yielded([Kind::Metrics].into());
        assert_eq!(judge(&gate, &measured(&[]), &metrics)[0].verdict, RuleVerdict::Inconclusive);
    }

    proptest! {
        #[test]
        fn improving_a_metric_never_worsens_its_verdict(bound in -1e6_f64..1e6, a in -1e6_f64..1e6, b in -1e6_f64..1e6) {
            let (low, high) = (a.min(b), a.max(b));
            let rank = |verdict| match verdict { RuleVerdict::Pass => 0, RuleVerdict::Warn => 1, _ => 2 };
            for kind in [LimitKind::Min, LimitKind::WarnBelow] {
                let gate = gate(kind, bound, WhenMissing::Fail);
                prop_assert!(rank(verdicts(&gate, &[high])[0]) <= rank(verdicts(&gate, &[low])[0]));
            }
            for kind in [LimitKind::Max, LimitKind::WarnAbove] {
                let gate = gate(kind, bound, WhenMissing::Fail);
                prop_assert!(rank(verdicts(&gate, &[low])[0]) <= rank(verdicts(&gate, &[high])[0]));
            }
        }
    }
}
