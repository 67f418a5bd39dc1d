//! The rules: value, limit, baseline and difference, what does not hold on top.

use std::collections::HashMap;
use std::fmt::Write as _;

use super::escape::{anchor, prose, text};
use super::{Section, Tone, badge, folded, put, scrolling};
use crate::gate::{RuleResult, RuleVerdict};
use crate::record::Record;
use crate::report::{advice, compare};
use crate::sys::text as words;

/// Rows of one table; a rule with a limit for every file can have very many.
const ROWS: usize = 1_000;
/// Rules that hold and stand in the open.
const OPEN: usize = 30;

/// The section; nothing where there was no gate.
pub(super) fn section(record: &Record) -> Option<Section> {
    let gate = record.gate.as_deref()?;
    let compared = record.baseline.is_some() || record.rules.iter().any(|rule| rule.base.is_some());
    let ids = ids(&record.rules);
    let of = |wanted: &[RuleVerdict]| -> Vec<(&RuleResult, &str)> {
        let mut rows: Vec<_> = record
            .rules
            .iter()
            .zip(ids.iter().map(String::as_str))
            .filter(|(rule, _)| wanted.contains(&rule.verdict))
            .collect();
        rows.sort_by_key(|(rule, _)| wanted.iter().position(|verdict| *verdict == rule.verdict));
        rows
    };
    let open = of(&[RuleVerdict::Fail, RuleVerdict::Inconclusive, RuleVerdict::Warn]);
    let held = of(&[RuleVerdict::Pass, RuleVerdict::NotApplicable]);
    let counts = record.counts();
    let beside = advice::not_applicable(counts.not_applicable_rules);
    let title = format!("{}{beside}", words::plural(counts.held_rules, "rule that holds", "rules that hold"));
    let mut out = String::new();
    put!(out, "<p class=\"quiet\">Gate <code>{}</code></p>\n", text(gate));
    if open.is_empty() || held.len() <= OPEN {
        let all: Vec<_> = open.iter().chain(&held).copied().collect();
        put!(
            out,
            "{}",
            folded(all.len(), if open.is_empty() { OPEN } else { usize::MAX }, &title, &table(&all, compared))
        );
    } else {
        put!(out, "{}", table(&open, compared));
        put!(out, "{}", folded(held.len(), 0, &title, &table(&held, compared)));
    }
    let mut not_asked: Vec<_> = of(&[RuleVerdict::NotAsked]).iter().map(|(rule, _)| rule.metric.as_str()).collect();
    not_asked.dedup();
    if !not_asked.is_empty() {
        let names: Vec<_> = not_asked.iter().map(|name| format!("<code>{}</code>", text(name))).collect();
        put!(out, "<p class=\"quiet\">Not asked, because no selected check measures them: {}.</p>\n", names.join(", "));
    }
    let (note, tone) = match (counts.failed_rules, counts.open_rules) {
        (0, 0) => (format!("{} held{beside}", counts.held_rules), Tone::Good),
        (0, open) => (format!("{open} could not be judged{beside}"), Tone::Doubt),
        (failed, _) => (format!("{failed} of {} failed{beside}", counts.rules), Tone::Bad),
    };
    Some(Section { id: "rules", title: "Rules", note, tone, body: out })
}

/// One anchor for each rule: `R-coverage.lines.percent-min`. The bound is not in it, so that it survives a change of
/// the bound; what several files state is numbered.
fn ids(rules: &[RuleResult]) -> Vec<String> {
    let mut seen: HashMap<String, u32> = HashMap::new();
    let id = |rule: &RuleResult| {
        let kind = rule.limit.split(' ').next().unwrap_or_default();
        let scope = rule.scope.as_deref().map(|scope| format!("-{}", anchor(scope))).unwrap_or_default();
        let id = format!("R-{}-{}{scope}", anchor(&rule.metric), anchor(kind));
        let count = seen.entry(id.clone()).or_default();
        *count += 1;
        // `~` followed by no hexadecimal pair stands in no anchor of a name.
        if *count == 1 { id } else { format!("{id}~.{count}") }
    };
    rules.iter().map(id).collect()
}

fn table(rules: &[(&RuleResult, &str)], compared: bool) -> String {
    let mut out = String::from(
        "<table class=\"rules\"><thead><tr><th scope=\"col\">Verdict</th><th scope=\"col\">Metric</th><th scope=\"col\" class=\"n\">Value</th><th scope=\"col\">Limit</th>",
    );
    if compared {
        put!(out, "<th scope=\"col\" class=\"n\">Baseline</th><th scope=\"col\" class=\"n\">Difference</th>");
    }
    put!(out, "<th scope=\"col\">Read from</th></tr></thead><tbody>\n");
    for (rule, id) in rules.iter().take(ROWS) {
        put!(out, "<tr id=\"{id}\" class=\"{}\">", Tone::of_rule(rule.verdict).class());
        put!(out, "<td>{}</td>", badge(Tone::of_rule(rule.verdict), rule.verdict.word()));
        put!(out, "<th scope=\"row\"><code>{}</code>", text(&rule.metric));
        if let Some(scope) = &rule.scope {
            put!(out, " <span class=\"scope\">{}</span>", text(scope));
        }
        if rule.verdict != RuleVerdict::Pass {
            put!(out, "<p class=\"why\">{}</p>", prose(&rule.message));
        }
        if let Some(advice) = &rule.advice {
            put!(out, "<p class=\"why\">→ {}</p>", prose(advice));
        }
        put!(
            out,
            "</th><td class=\"n\">{}</td><td class=\"limit\">{}</td>",
            text(&rule.shown_value()),
            text(&rule.limit)
        );
        if compared {
            let cell = |shown: Option<String>| shown.map_or_else(|| "–".to_owned(), |shown| text(&shown));
            put!(
                out,
                "<td class=\"n\">{}</td><td class=\"n\">{}</td>",
                cell(compare::base(rule)),
                cell(compare::difference(rule))
            );
        }
        put!(out, "<td class=\"quiet\">{}</td></tr>\n", rule.source.as_deref().map(text).unwrap_or_default());
    }
    put!(out, "</tbody></table>\n");
    let mut out = scrolling("Rules", &out);
    if rules.len() > ROWS {
        put!(out, "<p class=\"quiet\">… and {} more in the record of this run.</p>\n", rules.len() - ROWS);
    }
    out
}
