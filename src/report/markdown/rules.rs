//! The rules as a table: value and limit, and the difference where there is a baseline.

use super::escape::{cell_code, code, text};
use super::line;
use crate::gate::{RuleResult, RuleVerdict};
use crate::record::Record;
use crate::report::{advice, compare};

/// Rows listed; a rule with a limit for every file can have very many.
const ROWS: usize = 200;

/// The section; nothing where there was no gate.
pub(super) fn section(out: &mut String, record: &Record) {
    let Some(gate) = &record.gate else { return };
    line(out, &format!("### Rules (gate {})", code(gate)));
    line(out, "");
    let compared = record.baseline.is_some() || record.rules.iter().any(|rule| rule.base.is_some());
    match compared {
        true => line(
            out,
            "| | metric | value | limit | baseline | difference | read from |\n|---|---|---:|---|---:|---:|---|",
        ),
        false => line(out, "| | metric | value | limit | read from |\n|---|---|---:|---|---|"),
    }
    let (shown, left) = chosen(&record.rules);
    for rule in shown {
        row(out, rule, compared);
    }
    line(out, "");
    if !left.is_empty() {
        let held = left.iter().filter(|rule| rule.verdict == RuleVerdict::Pass).count();
        let beside = advice::not_applicable((left.len() - held) as u64);
        line(out, &format!("… and {held} more that hold{beside}; the record of this run has them all."));
        line(out, "");
    }
    let mut not_asked: Vec<_> = record
        .rules
        .iter()
        .filter(|rule| rule.verdict == RuleVerdict::NotAsked)
        .map(|rule| code(&rule.metric))
        .collect();
    not_asked.dedup();
    if !not_asked.is_empty() {
        line(out, &format!("Not asked, because no selected check measures them: {}.", not_asked.join(", ")));
        line(out, "");
    }
}

/// The rules that are listed, in their order, and those that are left out: they hold, or are not applicable.
fn chosen(rules: &[RuleResult]) -> (Vec<&RuleResult>, Vec<&RuleResult>) {
    let asked: Vec<_> = rules.iter().filter(|rule| rule.verdict != RuleVerdict::NotAsked).collect();
    let is_open = |rule: &&RuleResult| !matches!(rule.verdict, RuleVerdict::Pass | RuleVerdict::NotApplicable);
    // What does not hold is always listed; what holds, as far as there is room.
    let mut room = ROWS.saturating_sub(asked.iter().filter(|rule| is_open(rule)).count());
    asked.into_iter().partition(|rule| {
        let listed = is_open(rule) || room > 0;
        if !is_open(rule) {
            room = room.saturating_sub(1);
        }
        listed
    })
}

fn row(out: &mut String, rule: &RuleResult, compared: bool) {
    let scope = rule.scope.as_deref().map(|scope| format!(" in {}", cell_code(scope))).unwrap_or_default();
    let sources = rule.source.as_deref().map(cell_code).unwrap_or_default();
    let mut cells = vec![
        sign(rule.verdict).to_owned(),
        format!("{}{scope}", cell_code(&rule.metric)),
        text(&rule.shown_value()),
        text(&rule.limit),
    ];
    if compared {
        cells.push(compare::base(rule).map(|base| text(&base)).unwrap_or_default());
        cells.push(compare::difference(rule).map(|difference| text(&difference)).unwrap_or_default());
    }
    cells.push(sources);
    line(out, &format!("| {} |", cells.join(" | ")));
}

fn sign(verdict: RuleVerdict) -> &'static str {
    match verdict {
        RuleVerdict::Pass => "✅ pass",
        RuleVerdict::Warn => "⚠️ warn",
        RuleVerdict::Fail => "❌ fail",
        RuleVerdict::Inconclusive => "❔ inconclusive",
        RuleVerdict::NotApplicable => "➖ not applicable",
        RuleVerdict::NotAsked => "not asked",
    }
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    #[test]
    fn what_does_not_hold_is_never_left_out() {
        let rule = |verdict| RuleResult {
            gate: "default".into(),
            metric: "metrics.x".into(),
            scope: None,
            limit: "max 0".into(),
            value: None,
            shown: None,
            base: None,
            source: None,
            verdict,
            message: String::new(),
            advice: None,
        };
        let mut rules: Vec<_> = (0..ROWS).map(|_| rule(RuleVerdict::Pass)).collect();
        assert_eq!((chosen(&rules).0.len(), chosen(&rules).1.len()), (ROWS, 0));
        rules.extend((0..3).map(|_| rule(RuleVerdict::Fail)));
        rules.push(rule(RuleVerdict::NotAsked));
        let (shown, left) = chosen(&rules);
        assert_eq!((shown.len(), left.len()), (ROWS, 3));
        assert_eq!(shown.iter().filter(|rule| rule.verdict == RuleVerdict::Fail).count(), 3);
    }
}
