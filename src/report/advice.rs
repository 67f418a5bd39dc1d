//! What to do next, most urgent first: the same words in every form of report.

use crate::check::outcome::{Skip, Status};
use crate::evidence::{Level, metric};
use crate::gate::facts::NOT_MEASURED;
use crate::gate::{RuleResult, RuleVerdict, Verdict};
use crate::record::{BASELINE, Record};
use crate::sys::text;

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What is wrong: text for a person, names and commands not marked up.
    pub what: String,
    /// A command that repairs or shows it.
    pub command: Option<String>,
}

/// The verdict in a sentence: `1 of 6 checks failed, 2 of 5 rules failed (1 not applicable)`.
#[must_use]
pub fn summary(record: &Record) -> String {
    let counts = record.counts();
    let mut parts = Vec::new();
    let mut part = |count: u64, text: String| {
        if count > 0 {
            parts.push(text);
        }
    };
    part(
        counts.failed_checks,
        format!("{} of {} failed", counts.failed_checks, text::plural(counts.checks, "check", "checks")),
    );
    part(counts.broken_checks, format!("{} could not start", text::plural(counts.broken_checks, "check", "checks")));
    // Said once, where rules are first spoken of.
    let beside = not_applicable(counts.not_applicable_rules);
    part(
        counts.failed_rules,
        format!("{} of {} failed{beside}", counts.failed_rules, text::plural(counts.rules, "rule", "rules")),
    );
    let beside_open = if counts.failed_rules > 0 { "" } else { &*beside };
    part(
        counts.open_rules,
        format!("{} could not be judged{beside_open}", text::plural(counts.open_rules, "rule", "rules")),
    );
    part(counts.losses, text::plural(counts.losses, "loss of evidence", "losses of evidence"));
    if let Some(signal) = &record.interrupted {
        parts.insert(0, format!("stopped by {signal}"));
    }
    if parts.is_empty() {
        if record.verdict == Verdict::Pass {
            let passed = record.checks.iter().filter(|check| check.status == Status::Passed).count() as u64;
            if counts.checks > 0 {
                parts.push(match passed == counts.checks {
                    true => text::plural(passed, "check passed", "checks passed"),
                    false => format!("{passed} of {} passed", text::plural(counts.checks, "check", "checks")),
                });
            }
            let unused = counts.not_applicable_rules;
            match (counts.held_rules, unused) {
                (0, 0) => {}
                (0, _) => parts.push(text::plural(unused, "rule not applicable", "rules not applicable")),
                (held, _) => parts.push(format!("{}{beside}", text::plural(held, "rule held", "rules held"))),
            }
        } else {
            parts.push("nothing was looked at".to_owned());
        }
    }
    if counts.warnings > 0 {
        parts.push(text::plural(counts.warnings, "warning", "warnings"));
    }
    parts.join(", ")
}

/// What is to be said beside a number of rules of those that are not in it: ` (1 not applicable)`, or nothing.
#[must_use]
pub fn not_applicable(rules: u64) -> String {
    match rules {
        0 => String::new(),
        some => format!(" ({some} not applicable)"),
    }
}

/// What to do, most urgent first; empty for a clean pass.
#[must_use]
pub fn steps(record: &Record) -> Vec<Step> {
    let mut steps = Vec::new();
    for check in record.checks.iter().filter(|check| !check.is_excused()) {
        let reason = check.reason.as_deref().unwrap_or(check.status.word());
        match check.status {
            Status::Failed | Status::TimedOut => {
                steps.push(Step {
                    what: format!("check {} failed: {reason}", check.id),
                    command: check.fix.clone().or(check.command.clone()),
                });
            }
            Status::Error => {
                steps.push(Step { what: format!("check {} could not start: {reason}", check.id), command: None })
            }
            Status::Skipped if check.skip == Some(Skip::NeedFailed) => {
                steps.push(Step { what: format!("check {} could not start: {reason}", check.id), command: None });
            }
            Status::Passed | Status::Skipped | Status::Interrupted => {}
        }
    }
    for rule in record.rules.iter().filter(|rule| rule.verdict == RuleVerdict::Fail) {
        steps.push(Step {
            what: format!(
                "{} must satisfy {}: {}{}",
                of_scope(&rule.metric, rule.scope.as_deref()),
                rule.limit,
                rule.message,
                advised(rule)
            ),
            command: None,
        });
    }
    for problem in record.problems.iter().filter(|problem| problem.level == Level::Loss) {
        let place = problem.file.as_deref().map(|file| format!("{}: ", text::one_line(file))).unwrap_or_default();
        let hint = problem.hint.as_deref().map(|hint| format!("; {hint}")).unwrap_or_default();
        steps.push(Step { what: format!("{place}{}{hint}", text::one_line(&problem.message)), command: None });
    }
    let lacks_base = |rule: &RuleResult| {
        matches!(rule.verdict, RuleVerdict::Warn | RuleVerdict::Inconclusive) && rule.base.is_none()
    };
    if record.rules.iter().any(lacks_base) {
        for problem in record.problems.iter().filter(|problem| problem.code == BASELINE.id) {
            let Some(hint) = &problem.hint else { continue };
            steps.push(Step { what: format!("{}; {hint}", text::one_line(&problem.message)), command: None });
        }
    }
    let lost = record.problems.iter().any(|problem| problem.level == Level::Loss);
    for rule in record.rules.iter().filter(|rule| rule.verdict == RuleVerdict::Inconclusive) {
        let kind = metric::kind(&rule.metric);
        let is_read = record.reports.iter().any(|report| Some(report.kind) == kind);
        let hint = match is_read {
            _ if lost || rule.message != NOT_MEASURED => "",
            true => "; no report that was read says anything of it",
            false if record.checks.is_empty() => "; no report that was given is about it",
            false => "; no check that ran declares evidence that measures it",
        };
        steps.push(Step {
            what: format!(
                "{} ({}) could not be judged: {}{hint}{}",
                of_scope(&rule.metric, rule.scope.as_deref()),
                rule.limit,
                rule.message,
                advised(rule)
            ),
            command: None,
        });
    }
    steps
}

/// What would make a rule hold, behind what is wrong with it.
fn advised(rule: &RuleResult) -> String {
    rule.advice.as_deref().map(|advice| format!(" → {advice}")).unwrap_or_default()
}

/// A metric with the part of the project it is about.
pub(super) fn of_scope(metric: &str, scope: Option<&str>) -> String {
    scope.map_or_else(|| metric.to_owned(), |scope| format!("{metric} of {}", text::one_line(scope)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(verdict: Verdict, rules: &[RuleVerdict]) -> String {
        let mut record: Record = serde_json::from_str(include_str!("../../tests/fixtures/records/small.json")).unwrap();
        let rule = record.rules[0].clone();
        record.verdict = verdict;
        record.rules =
            rules.iter().map(|verdict| crate::gate::RuleResult { verdict: *verdict, ..rule.clone() }).collect();
        record.checks.clear();
        record.problems.clear();
        summary(&record)
    }

    #[test]
    fn what_is_not_applicable_is_said_once_and_never_counted() {
        use RuleVerdict::{Fail, Inconclusive, NotApplicable, NotAsked, Pass};
        assert_eq!(told(Verdict::Fail, &[Fail, Pass, NotApplicable]), "1 of 2 rules failed (1 not applicable)");
        assert_eq!(
            told(Verdict::Fail, &[Fail, Inconclusive, NotApplicable, NotAsked]),
            "1 of 2 rules failed (1 not applicable), 1 rule could not be judged"
        );
        assert_eq!(
            told(Verdict::Inconclusive, &[Inconclusive, Pass, NotApplicable]),
            "1 rule could not be judged (1 not applicable)"
        );
        assert_eq!(told(Verdict::Pass, &[Pass, Pass, NotApplicable]), "2 rules held (1 not applicable)");
        assert_eq!(told(Verdict::Pass, &[NotApplicable, NotApplicable]), "2 rules not applicable");
        assert_eq!(told(Verdict::Pass, &[Pass]), "1 rule held");
    }

    #[test]
    fn what_is_missing_is_told_by_what_was_read() {
        let told = |metric: &str, message: &str, has_checks: bool| {
            let text = include_str!("../../tests/fixtures/records/small.json");
            let mut record: Record = serde_json::from_str(text).unwrap();
            let verdict = RuleVerdict::Inconclusive;
            let rule = crate::gate::RuleResult {
                metric: metric.to_owned(),
                message: message.to_owned(),
                verdict,
                advice: None,
                scope: None,
                limit: "max 0".to_owned(),
                ..record.rules[0].clone()
            };
            record.rules = vec![rule];
            record.problems.clear();
            record.reports.retain(|report| report.kind == crate::evidence::Kind::Tests);
            record.checks.retain(|check| has_checks && check.status == Status::Passed);
            steps(&record).pop().unwrap().what
        };
        let (open, missing) = ("(max 0) could not be judged:", NOT_MEASURED);
        for (metric, message, has_checks, want) in [
            (
                "tests.x",
                missing,
                true,
                format!("tests.x {open} not measured; no report that was read says anything of it"),
            ),
            (
                "metrics.x",
                missing,
                false,
                format!("metrics.x {open} not measured; no report that was given is about it"),
            ),
            ("metrics.x", "why", true, format!("metrics.x {open} why")),
            (
                "metrics.x",
                missing,
                true,
                format!("metrics.x {open} not measured; no check that ran declares evidence that measures it"),
            ),
        ] {
            assert_eq!(told(metric, message, has_checks), want);
        }
    }
}
