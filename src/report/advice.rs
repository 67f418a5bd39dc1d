//! What to do next, most urgent first: the same words in every form of report.

use crate::check::outcome::{Skip, Status};
use crate::evidence::Level;
use crate::gate::{RuleVerdict, Verdict};
use crate::record::Record;
use crate::sys::text;

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What is wrong: text for a person, names and commands not marked up.
    pub what: String,
    /// A command that repairs or shows it.
    pub command: Option<String>,
}

/// The verdict in a sentence: `1 of 6 checks failed, 2 of 5 rules failed`.
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
    part(
        counts.failed_rules,
        format!("{} of {} failed", counts.failed_rules, text::plural(counts.rules, "rule", "rules")),
    );
    part(counts.open_rules, format!("{} could not be judged", text::plural(counts.open_rules, "rule", "rules")));
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
            let rules = |wanted: &[RuleVerdict]| {
                record.rules.iter().filter(|rule| wanted.contains(&rule.verdict)).count() as u64
            };
            for (count, one, many) in [
                (rules(&[RuleVerdict::Pass, RuleVerdict::Warn]), "rule held", "rules held"),
                (rules(&[RuleVerdict::NotApplicable]), "rule not applicable", "rules not applicable"),
            ] {
                if count > 0 {
                    parts.push(text::plural(count, one, many));
                }
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
                rule.advice.as_deref().map(|advice| format!(" → {advice}")).unwrap_or_default()
            ),
            command: None,
        });
    }
    for problem in record.problems.iter().filter(|problem| problem.level == Level::Loss) {
        let place = problem.file.as_deref().map(|file| format!("{}: ", text::one_line(file))).unwrap_or_default();
        let hint = problem.hint.as_deref().map(|hint| format!("; {hint}")).unwrap_or_default();
        steps.push(Step { what: format!("{place}{}{hint}", text::one_line(&problem.message)), command: None });
    }
    let lost = record.problems.iter().any(|problem| problem.level == Level::Loss);
    for rule in record.rules.iter().filter(|rule| rule.verdict == RuleVerdict::Inconclusive) {
        let hint = if rule.value.is_none() && rule.message == "not measured" && !lost {
            "; no check that ran declares evidence that measures it"
        } else {
            ""
        };
        steps.push(Step {
            what: format!(
                "{} ({}) could not be judged: {}{hint}",
                of_scope(&rule.metric, rule.scope.as_deref()),
                rule.limit,
                rule.message
            ),
            command: None,
        });
    }
    steps
}

/// A metric with the part of the project it is about.
pub(super) fn of_scope(metric: &str, scope: Option<&str>) -> String {
    scope.map_or_else(|| metric.to_owned(), |scope| format!("{metric} of {}", text::one_line(scope)))
}
