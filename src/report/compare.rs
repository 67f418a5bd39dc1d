//! A run beside the one it was compared with: the same words in every form of report.

use std::time::Duration;

use crate::evidence::metric::{self, Unit};
use crate::gate::RuleResult;
use crate::record::Baseline;
use crate::sys::text;

/// What a run was compared with: `1a2b3c4d5e on main (pass), 3 commits before the merge base with origin/main, 2 h old,
/// from history`. Names that come from outside are not escaped.
#[must_use]
pub fn baseline(baseline: &Baseline) -> String {
    let commit =
        baseline.commit.as_deref().map_or_else(|| baseline.run.clone(), |commit| text::shorten_plain(commit, 10));
    let branch = baseline.branch.as_deref().map(|branch| format!(" on {branch}")).unwrap_or_default();
    let distance = match (baseline.distance, baseline.start.as_deref()) {
        (None, _) => String::new(),
        (Some(0), Some(start)) => format!(", at {start}"),
        (Some(distance), start) => {
            let place = start.map_or_else(|| "further back".to_owned(), |start| format!("before {start}"));
            format!(", {} {place}", text::plural(distance, "commit", "commits"))
        }
    };
    let age = text::duration(Duration::from_millis(baseline.age_ms));
    format!("{commit}{branch} ({}){distance}, {age} old, from {}", baseline.verdict.word(), baseline.source)
}

/// The baseline's value of a rule, with as many decimals as tell it from the value now.
#[must_use]
pub fn base(rule: &RuleResult) -> Option<String> {
    let base = rule.base?;
    Some(metric::unit(&rule.metric).beside(base, rule.value.unwrap_or(f64::NAN)))
}

/// What stands for a difference of nothing.
pub const NO_CHANGE: &str = "no change";

/// How far the value of a rule is from the baseline's: `+0.42 points`, `-3`, `no change`. Percentages differ by points.
#[must_use]
pub fn difference(rule: &RuleResult) -> Option<String> {
    change(&rule.metric, rule.base?, rule.value?)
}

/// The same of any two values of a metric, the earlier one first; `None` where one of them is no number.
#[must_use]
pub fn change(metric: &str, base: f64, value: f64) -> Option<String> {
    let difference = value - base;
    if difference.is_nan() {
        return None;
    }
    // The gate takes values this near for equal, too.
    if difference.abs() <= 1e-9 {
        return Some(NO_CHANGE.to_owned());
    }
    let unit = metric::unit(metric);
    // Never a difference that reads as none.
    let shown = text::number_pair(difference, 0.0, unit.decimals()).0;
    let sign = if difference > 0.0 { "+" } else { "" };
    Some(match unit {
        Unit::Percent => format!("{sign}{shown} points"),
        unit => format!("{sign}{}", unit.show(&shown)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::{RuleVerdict, Verdict};

    fn rule(metric: &str, value: Option<f64>, base: Option<f64>) -> RuleResult {
        RuleResult {
            gate: "default".into(),
            metric: metric.into(),
            scope: None,
            limit: "max 0".into(),
            value,
            shown: None,
            base,
            source: None,
            verdict: RuleVerdict::Pass,
            message: String::new(),
            advice: None,
        }
    }

    #[test]
    fn differences_have_a_sign_and_a_unit_and_never_read_as_none() {
        let told = |metric, value, base| difference(&rule(metric, Some(value), Some(base))).unwrap_or_default();
        assert_eq!(told("coverage.lines.percent", 81.5, 81.08), "+0.42 points");
        assert_eq!(told("coverage.lines.percent", 81.0, 81.000_01), "-0.00001 points");
        assert_eq!(told("tests.total", 97.0, 100.0), "-3");
        assert_eq!(told("tests.duration_seconds", 2.5, 1.0), "+1.5 s");
        assert_eq!(told("tests.total", 3.0, 3.0), "no change");
        assert_eq!(told("metrics.x", 0.1 + 0.2, 0.3), "no change");
        assert_eq!(told("metrics.x", f64::NAN, 3.0), "");
        assert_eq!(told("metrics.x", f64::INFINITY, 3.0), "+inf");
        assert_eq!(difference(&rule("metrics.x", None, Some(3.0))), None);
        assert_eq!(base(&rule("coverage.lines.percent", Some(81.0), Some(80.0))).unwrap(), "80 %");
    }

    #[test]
    fn a_baseline_says_where_it_is_from() {
        let mut from = Baseline {
            run: "20260101T000000000Z-full-check-pass".into(),
            commit: Some("1a2b3c4d5e6f".into()),
            branch: Some("main".into()),
            verdict: Verdict::Fail,
            source: "history".into(),
            distance: Some(3),
            start: Some("the merge base with origin/main".into()),
            age_ms: 7_200_000,
        };
        let told = "1a2b3c4d5e on main (fail), 3 commits before the merge base with origin/main, 2 h old, from history";
        assert_eq!(baseline(&from), told);
        from.distance = Some(0);
        let told = "1a2b3c4d5e on main (fail), at the merge base with origin/main, 2 h old, from history";
        assert_eq!(baseline(&from), told);
        // A record of a time when it was not said what the distance is counted from.
        from.start = None;
        assert_eq!(baseline(&from), "1a2b3c4d5e on main (fail), 0 commits further back, 2 h old, from history");
        from = Baseline { commit: None, branch: None, distance: None, source: "base.json".into(), ..from };
        assert_eq!(baseline(&from), "20260101T000000000Z-full-check-pass (fail), 2 h old, from base.json");
    }
}
