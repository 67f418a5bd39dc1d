//! The rules as a table: value and limit, and the difference where there is a baseline.

use super::document::{Block, Document, Kind, Piece, Rest};
use super::escape::{Pen, text};
use crate::evidence::metric::{self, Unit};
use crate::gate::{RuleResult, RuleVerdict};
use crate::record::Record;
use crate::report::compare;

/// Rows listed; a rule with a limit for every file can have very many.
const ROWS: usize = 200;

/// The section; nothing where there was no gate.
pub(super) fn section(document: &mut Document, record: &Record, pen: &Pen) {
    let Some(gate) = &record.gate else { return };
    let compared = record.baseline.is_some() || record.rules.iter().any(|rule| rule.base.is_some());
    let columns = match compared {
        true => "| | metric | value | limit | baseline | difference | read from |\n|---|---|---:|---|---:|---:|---|",
        false => "| | metric | value | limit | read from |\n|---|---|---:|---|---|",
    };
    let mut block = Block::new(format!("### Rules (gate {})\n\n{columns}\n", pen.code(gate)), Rest::Paragraph, "\n");
    let (shown, left) = chosen(&record.rules);
    for rule in shown {
        block.row(Piece::new(kind(rule.verdict), row(rule, compared, pen)));
    }
    for rule in left {
        block.more(kind(rule.verdict), 1);
    }
    document.push(block);
    let mut not_asked: Vec<_> = record
        .rules
        .iter()
        .filter(|rule| rule.verdict == RuleVerdict::NotAsked)
        .map(|rule| rule.metric.as_str())
        .collect();
    not_asked.dedup();
    if !not_asked.is_empty() {
        let names = pen.enumeration(not_asked.into_iter());
        let told = format!("Not asked, because no selected check measures them: {names}.\n\n");
        document.push(Block::single(Kind::NotAsked, told));
    }
}

fn kind(verdict: RuleVerdict) -> Kind {
    match verdict {
        RuleVerdict::Fail => Kind::FailedRule,
        RuleVerdict::Inconclusive => Kind::OpenRule,
        RuleVerdict::Warn => Kind::WarnedRule,
        RuleVerdict::Pass => Kind::PassedRule,
        RuleVerdict::NotApplicable | RuleVerdict::NotAsked => Kind::IdleRule,
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

fn row(rule: &RuleResult, compared: bool, pen: &Pen) -> String {
    // How long something took is another number each time, and means the same.
    let is_told = !pen.is_steady || metric::unit(&rule.metric) != Unit::Seconds;
    let scope = rule.scope.as_deref().map(|scope| format!(" in {}", pen.cell_code(scope))).unwrap_or_default();
    let sources = rule.source.as_deref().map(|source| pen.cell_code(source)).unwrap_or_default();
    let number = |value: Option<String>| value.filter(|_| is_told).map(|value| text(&value)).unwrap_or_default();
    let mut cells = vec![
        sign(rule.verdict).to_owned(),
        format!("{}{scope}", pen.cell_code(&rule.metric)),
        number(Some(rule.shown_value())),
        pen.text(&rule.limit),
    ];
    if compared {
        cells.push(number(compare::base(rule)));
        cells.push(number(compare::difference(rule)));
    }
    cells.push(sources);
    format!("| {} |\n", cells.join(" | "))
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
