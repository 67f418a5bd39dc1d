//! From the parts of a run to its verdict. The worst part decides; nothing averages it out.

use super::Record;
use crate::check::CheckOutcome;
use crate::check::outcome::{Skip, Status};
use crate::evidence::{Level, Problem};
use crate::gate::{RuleResult, RuleVerdict, Verdict};

/// The verdict of a run. Interrupted > fail > inconclusive > pass.
#[must_use]
pub fn verdict(checks: &[CheckOutcome], rules: &[RuleResult], problems: &[Problem], interrupted: bool) -> Verdict {
    let from_checks = checks.iter().map(of_check);
    let from_rules = rules.iter().map(|rule| Verdict::from(rule.verdict));
    let from_problems = problems.iter().filter(|problem| problem.level == Level::Loss).map(|_| Verdict::Inconclusive);
    // Where every check was skipped nothing was looked at, which is never a pass.
    let nothing_ran = checks.iter().all(|check| check.status == Status::Skipped);
    // Where there are no checks at all, reports were judged that somebody else made.
    let judged = checks.is_empty() && rules.iter().any(|rule| rule.verdict != RuleVerdict::NotAsked);
    let nothing_ran = (nothing_ran && !judged).then_some(Verdict::Inconclusive);
    let stopped = interrupted.then_some(Verdict::Interrupted);
    from_checks
        .chain(from_rules)
        .chain(from_problems)
        .chain(nothing_ran)
        .chain(stopped)
        .max()
        .unwrap_or(Verdict::Inconclusive)
}

fn of_check(check: &CheckOutcome) -> Verdict {
    match check.status {
        Status::Interrupted => Verdict::Interrupted,
        _ if check.is_excused() => Verdict::Pass,
        // It was asked for and never ran: an excused failure of what it needs does not answer for it.
        Status::Skipped if check.skip == Some(Skip::NeedFailed) => Verdict::Inconclusive,
        Status::Passed | Status::Skipped => Verdict::Pass,
        Status::Failed | Status::TimedOut => Verdict::Fail,
        Status::Error => Verdict::Inconclusive,
    }
}

/// Whether a check's outcome is a warning: excused, or skipped because a tool is missing.
#[must_use]
pub(super) fn warns(check: &CheckOutcome) -> bool {
    match check.status {
        Status::Failed | Status::TimedOut | Status::Error => check.is_excused(),
        Status::Skipped => check.skip == Some(Skip::MissingTool),
        Status::Passed | Status::Interrupted => false,
    }
}

/// How many parts of a run somebody should look at although they do not decide.
#[must_use]
pub fn warnings(record: &Record) -> u64 {
    let checks = record.checks.iter().filter(|check| warns(check)).count();
    let rules = record.rules.iter().filter(|rule| rule.verdict == RuleVerdict::Warn).count();
    let problems = record.problems.iter().filter(|problem| problem.level == Level::Warning).count();
    (checks + rules + problems) as u64
}

/// What a person wants counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Checks that were planned.
    pub checks: u64,
    /// Checks that failed or timed out, excused ones left out.
    pub failed_checks: u64,
    /// Checks that could not be started, themselves or for want of what they need.
    pub broken_checks: u64,
    /// Rules that bear on this run: those that were not asked and those that are not applicable are left out, those
    /// that could not be judged are not.
    pub rules: u64,
    /// Rules that hold, with or without a warning.
    pub held_rules: u64,
    /// Rules that do not hold.
    pub failed_rules: u64,
    /// Rules that could not be judged.
    pub open_rules: u64,
    /// Rules that were asked and have nothing to judge in this run.
    pub not_applicable_rules: u64,
    /// Losses of evidence.
    pub losses: u64,
    /// Warnings of all kinds.
    pub warnings: u64,
}

impl Counts {
    pub(super) fn of(record: &Record) -> Self {
        let checks = |wanted: &[Status]| {
            record.checks.iter().filter(|check| !check.is_excused() && wanted.contains(&check.status)).count() as u64
        };
        let rules = |wanted: RuleVerdict| record.rules.iter().filter(|rule| rule.verdict == wanted).count() as u64;
        let held_rules = rules(RuleVerdict::Pass) + rules(RuleVerdict::Warn);
        let (failed_rules, open_rules) = (rules(RuleVerdict::Fail), rules(RuleVerdict::Inconclusive));
        Self {
            checks: record.checks.len() as u64,
            failed_checks: checks(&[Status::Failed, Status::TimedOut]),
            broken_checks: checks(&[Status::Error])
                + record
                    .checks
                    .iter()
                    .filter(|check| !check.is_excused() && check.skip == Some(Skip::NeedFailed))
                    .count() as u64,
            rules: held_rules + failed_rules + open_rules,
            held_rules,
            failed_rules,
            open_rules,
            not_applicable_rules: rules(RuleVerdict::NotApplicable),
            losses: record.problems.iter().filter(|problem| problem.level == Level::Loss).count() as u64,
            warnings: warnings(record),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::outcome::Output;
    use crate::evidence::problem::{CHANGED, STALE};

    fn check(status: Status, allow_failure: bool) -> CheckOutcome {
        CheckOutcome {
            id: "c".into(),
            group: "g".into(),
            status,
            skip: (status == Status::Skipped).then_some(Skip::MissingTool),
            reason: None,
            allow_failure,
            quarantined: false,
            duration_ms: 0,
            command: None,
            exit_code: None,
            output: Output::default(),
            fix: None,
        }
    }

    fn of(statuses: &[Status]) -> Verdict {
        let checks: Vec<_> = statuses.iter().map(|status| check(*status, false)).collect();
        verdict(&checks, &[], &[], false)
    }

    #[test]
    fn the_worst_check_decides() {
        use Status::{Error, Failed, Interrupted, Passed, Skipped, TimedOut};
        assert_eq!(of(&[Passed, Skipped]), Verdict::Pass);
        assert_eq!(of(&[Passed, Error]), Verdict::Inconclusive);
        assert_eq!(of(&[Error, Failed, Passed]), Verdict::Fail);
        assert_eq!(of(&[Passed, TimedOut]), Verdict::Fail);
        assert_eq!(of(&[Failed, Interrupted]), Verdict::Interrupted);
    }

    #[test]
    fn nothing_looked_at_is_never_a_pass() {
        assert_eq!(of(&[]), Verdict::Inconclusive);
        assert_eq!(of(&[Status::Skipped, Status::Skipped]), Verdict::Inconclusive);
        let orphan = CheckOutcome { skip: Some(Skip::NeedFailed), ..check(Status::Skipped, false) };
        assert_eq!(verdict(&[check(Status::Failed, true), orphan], &[], &[], false), Verdict::Inconclusive);
    }

    #[test]
    fn excused_failures_warn_and_losses_are_inconclusive() {
        assert_eq!(verdict(&[check(Status::Failed, true)], &[], &[], false), Verdict::Pass);
        assert!(warns(&check(Status::Failed, true)) && !warns(&check(Status::Failed, false)));
        let loss = [Problem::new(&STALE, "x")];
        assert_eq!(verdict(&[check(Status::Passed, false)], &[], &loss, false), Verdict::Inconclusive);
        let note = [Problem::new(&CHANGED, "x")];
        assert_eq!(verdict(&[check(Status::Passed, false)], &[], &note, false), Verdict::Pass);
        assert_eq!(verdict(&[check(Status::Passed, false)], &[], &[], true), Verdict::Interrupted);
    }

    #[test]
    fn rules_that_do_not_bear_on_a_run_are_not_among_those_that_hold_or_do_not() {
        use RuleVerdict::{Fail, Inconclusive, NotApplicable, NotAsked, Pass, Warn};
        let mut record: Record = serde_json::from_str(include_str!("../../tests/fixtures/records/small.json")).unwrap();
        let rule = record.rules[0].clone();
        let verdicts = [Pass, Warn, Fail, Inconclusive, NotApplicable, NotAsked, NotApplicable, Pass];
        record.rules = verdicts.map(|verdict| RuleResult { verdict, ..rule.clone() }).into();
        let counts = record.counts();
        assert_eq!((counts.rules, counts.held_rules, counts.failed_rules, counts.open_rules), (5, 3, 1, 1));
        assert_eq!(counts.not_applicable_rules, 2);
    }
}
