//! What stands on top, the verdict and the next steps, and what stands at the end: about this run.

use std::fmt::Write as _;
use std::time::Duration;

use super::escape::{prose, text};
use super::{Section, Tone, put};
use crate::check::outcome::Status;
use crate::evidence::metric;
use crate::gate::RuleVerdict;
use crate::record::Record;
use crate::report::{advice, compare, score};
use crate::sys::{clock, text as words};

/// Next steps listed; the rest stand in their sections.
const STEPS: usize = 12;

/// The verdict, what it is about, and the main numbers.
pub(super) fn header(record: &Record) -> String {
    let mut out = String::new();
    let tone = Tone::of_verdict(record.verdict);
    put!(out, "<header class=\"top {}\">\n<h1>", tone.class());
    put!(
        out,
        "<span class=\"verdict\"><span aria-hidden=\"true\">{}</span> {}</span> ",
        tone.sign(),
        record.verdict.word()
    );
    put!(
        out,
        "<span class=\"project\">{}</span> <code>{}</code></h1>\n",
        text(&record.project.name),
        text(&record.command)
    );
    put!(out, "<p class=\"summary\">{}.</p>\n", text(&words::capitalised(&advice::summary(record))));
    put!(out, "<p class=\"quiet\">{}</p>\n", place(record));
    if let Some(baseline) = &record.baseline {
        put!(out, "<p class=\"quiet\">Compared with {}</p>\n", text(&compare::baseline(baseline)));
    }
    put!(out, "<dl class=\"tiles\">\n{}</dl>\n</header>\n", tiles(record));
    out
}

fn place(record: &Record) -> String {
    let project = &record.project;
    let mut out = String::new();
    if let Some(branch) = &project.branch {
        put!(out, "<code>{}</code> ", text(branch));
    }
    match &project.commit {
        Some(commit) => put!(out, "at <code>{}</code>", text(&words::shorten_plain(commit, 10))),
        None => put!(out, "no commit"),
    }
    if project.dirty == Some(true) {
        put!(out, ", with uncommitted changes");
    }
    let time = words::duration(Duration::from_millis(record.duration_ms));
    put!(out, " · {} · took {time}", clock::minute(record.started_at));
    out
}

fn tiles(record: &Record) -> String {
    let mut out = String::new();
    let mut tile = |link: &str, name: &str, value: String, note: String, tone: Tone| {
        put!(out, "<div class=\"{}\"><dt><a href=\"#{link}\">{name}</a></dt><dd>{value}", tone.class());
        if !note.is_empty() {
            put!(out, " <small>{note}</small>");
        }
        put!(out, "</dd></div>\n");
    };
    let counts = record.counts();
    if counts.rules > 0 {
        let tone = worst(record, |_| true);
        let note = advice::not_applicable(counts.not_applicable_rules).trim_start().to_owned();
        tile("rules", "Rules held", format!("{} of {}", counts.held_rules, counts.rules), note, tone);
    }
    let passed = record.checks.iter().filter(|check| check.status == Status::Passed).count();
    let tone = match (counts.failed_checks, counts.broken_checks) {
        (0, 0) => Tone::Quiet,
        (0, _) => Tone::Doubt,
        _ => Tone::Bad,
    };
    if !record.checks.is_empty() {
        tile("checks", "Checks passed", format!("{passed} of {}", record.checks.len()), String::new(), tone);
    }
    if let Some(score) = &record.score {
        let tone = Tone::of_score(score);
        tile("score", "Score", score::value(score), "of 100".to_owned(), tone);
    }
    if let Some(total) = record.measurements.value("tests.total") {
        let failed = record.measurements.value("tests.failed").unwrap_or(0.0);
        let note = if failed > 0.0 { format!("{} failed", words::number(failed)) } else { String::new() };
        let tone = if failed > 0.0 { Tone::Bad } else { Tone::Quiet };
        tile("tests", "Tests", words::number(total), note, tone);
    }
    for (name, link, title) in [
        ("coverage.lines.percent", "coverage", "Lines covered"),
        ("coverage.branches.percent", "coverage", "Branches covered"),
        ("coverage.patch.percent", "changed", "Changed lines covered"),
    ] {
        let Some(value) = record.measurements.value(name) else { continue };
        // Beside 100: what is not whole never reads as if it were.
        let shown = metric::unit(name).beside(value, 100.0);
        let compared =
            record.rules.iter().find(|rule| rule.metric == name && rule.scope.is_none() && rule.base.is_some());
        let note = compared.and_then(compare::difference).unwrap_or_default();
        tile(link, title, shown, note, worst(record, |metric| metric == name));
    }
    out
}

/// The worst that rules about a metric say; nothing is said of one that no rule is about.
fn worst(record: &Record, about: impl Fn(&str) -> bool) -> Tone {
    let rank = |verdict: RuleVerdict| match verdict {
        RuleVerdict::Fail => 3,
        RuleVerdict::Inconclusive => 2,
        RuleVerdict::Warn => 1,
        RuleVerdict::Pass | RuleVerdict::NotApplicable | RuleVerdict::NotAsked => 0,
    };
    let verdicts = record.rules.iter().filter(|rule| about(&rule.metric)).map(|rule| rule.verdict);
    match verdicts.max_by_key(|verdict| rank(*verdict)) {
        Some(verdict) if rank(verdict) > 0 => Tone::of_rule(verdict),
        _ => Tone::Quiet,
    }
}

/// What to do next, most urgent first; nothing for a clean pass.
pub(super) fn next(record: &Record) -> String {
    let steps = advice::steps(record);
    if steps.is_empty() {
        return String::new();
    }
    let mut out = String::from(
        "<section aria-labelledby=\"next\">\n<h2 id=\"next\">What to do next</h2>\n<ol class=\"steps\">\n",
    );
    for step in steps.iter().take(STEPS) {
        put!(out, "<li>{}", prose(&step.what));
        if let Some(command) = &step.command {
            put!(out, "<br><code class=\"command\">{}</code>", text(command));
        }
        put!(out, "</li>\n");
    }
    put!(out, "</ol>\n");
    if steps.len() > STEPS {
        put!(out, "<p class=\"quiet\">… and {} more, in the sections below.</p>\n", steps.len() - STEPS);
    }
    put!(out, "</section>\n");
    out
}

/// What ran, when, on what, by which policy.
pub(super) fn about(record: &Record) -> Option<Section> {
    let mut out = String::from("<dl class=\"about\">\n");
    let mut row = |name: &str, value: String| put!(out, "<dt>{name}</dt><dd>{value}</dd>\n");
    let code = |raw: &str| format!("<code>{}</code>", text(raw));
    row("Record", code(&record.id));
    let project = &record.project;
    row("Commit", project.commit.as_deref().map_or_else(|| "none".to_owned(), code));
    if let Some(branch) = &project.branch {
        row("Branch", code(branch));
    }
    if let Some(merge) = &project.merge_commit {
        row("Tested merge", code(merge));
    }
    let changed = if record.policy.changed { ", which this change changes" } else { "" };
    let from = record.policy.commit.as_deref().map(|commit| format!(" of {}", code(commit))).unwrap_or_default();
    row("Policy", format!("{}{from}{changed}", code(&record.policy.path)));
    if let Some(baseline) = &record.baseline {
        row("Baseline", format!("{}<br>{}", code(&baseline.run), text(&compare::baseline(baseline))));
    }
    row("Began", record.started_at.to_string());
    row("Took", words::duration(Duration::from_millis(record.duration_ms)));
    if !record.left_out.is_empty() {
        let ids: Vec<_> = record.left_out.keys().map(|id| code(id)).collect();
        row("Not asked for", ids.join(", "));
    }
    row("Written by", format!("mgmt {}", text(&record.version)));
    put!(out, "</dl>\n");
    if !record.reports.is_empty() {
        let mut table = String::from(
            "<table><thead><tr><th scope=\"col\">Report</th><th scope=\"col\">Read as</th><th scope=\"col\">Check</th><th scope=\"col\" class=\"n\">Entries</th></tr></thead><tbody>\n",
        );
        for report in &record.reports {
            put!(
                table,
                "<tr><td><code>{}</code></td><td>{} {}</td><td><code>{}</code></td><td class=\"n\">{}</td></tr>\n",
                text(&report.path),
                text(&report.format),
                report.kind.name(),
                text(&report.check),
                report.entries
            );
        }
        put!(table, "</tbody></table>\n");
        let title = words::plural(record.reports.len() as u64, "report was read", "reports were read");
        put!(
            out,
            "{}",
            super::folded(record.reports.len(), 8, &title, &super::scrolling("Reports that were read", &table))
        );
    }
    Some(Section { id: "about", title: "About", note: String::new(), tone: Tone::Quiet, body: out })
}
