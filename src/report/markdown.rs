//! The report as Markdown: the verdict and what to do on top, everything else folded.
//!
//! Text from outside never becomes markup: it goes through [`text`], [`code`] or [`fence`], each of which escapes
//! for its own place.

use std::fmt::Write as _;

use super::advice;
use crate::check::outcome::{CheckOutcome, Status};
use crate::evidence::metric;
use crate::gate::{RuleVerdict, Verdict};
use crate::record::Record;
use crate::sys::{clock, text as words};

/// Lines of output shown of a check that did not pass.
const TAIL_LINES: usize = 80;
/// Failed tests listed before the rest is counted.
const TESTS: usize = 100;

/// Renders a record.
pub(super) fn render(record: &Record) -> String {
    let mut out = String::new();
    head(&mut out, record);
    rules(&mut out, record);
    checks(&mut out, record);
    tests(&mut out, record);
    outputs(&mut out, record);
    problems(&mut out, record);
    numbers(&mut out, record);
    about(&mut out, record);
    out
}

fn head(out: &mut String, record: &Record) {
    let sign = match record.verdict {
        Verdict::Pass => "✅",
        Verdict::Fail => "❌",
        Verdict::Inconclusive => "❔",
        Verdict::Interrupted => "⏹️",
    };
    let name = text(&record.project.name);
    line(out, &format!("## {sign} {}: {} `{}`", record.verdict.word(), name, record.command));
    line(out, "");
    line(out, &format!("{}.", words::capitalised(&text(&advice::summary(record)))));
    line(out, "");
    let steps = advice::steps(record);
    if !steps.is_empty() {
        line(out, "**What to do next**");
        line(out, "");
        for step in steps.iter().take(10) {
            let command = step.command.as_deref().map(|command| format!(" → {}", code(command))).unwrap_or_default();
            line(out, &format!("1. {}{command}", prose(&step.what)));
        }
        if steps.len() > 10 {
            line(out, &format!("1. … and {} more, in the sections below.", steps.len() - 10));
        }
        line(out, "");
    }
}

fn rules(out: &mut String, record: &Record) {
    let Some(gate) = &record.gate else { return };
    line(out, &format!("### Rules (gate {})", code(gate)));
    line(out, "");
    line(out, "| | metric | value | limit | read from |");
    line(out, "|---|---|---:|---|---|");
    for rule in record.rules.iter().filter(|rule| rule.verdict != RuleVerdict::NotAsked) {
        let sources = rule.source.as_deref().map(cell_code).unwrap_or_default();
        line(
            out,
            &format!(
                "| {} | {} | {} | {} | {sources} |",
                rule_sign(rule.verdict),
                cell_code(&rule.metric),
                rule.shown_value(),
                text(&rule.limit)
            ),
        );
    }
    let not_asked: Vec<_> = record
        .rules
        .iter()
        .filter(|rule| rule.verdict == RuleVerdict::NotAsked)
        .map(|rule| code(&rule.metric))
        .collect();
    line(out, "");
    if !not_asked.is_empty() {
        line(out, &format!("Not asked, because no selected check measures them: {}.", not_asked.join(", ")));
        line(out, "");
    }
}

fn rule_sign(verdict: RuleVerdict) -> &'static str {
    match verdict {
        RuleVerdict::Pass => "✅ pass",
        RuleVerdict::Warn => "⚠️ warn",
        RuleVerdict::Fail => "❌ fail",
        RuleVerdict::Inconclusive => "❔ inconclusive",
        RuleVerdict::NotAsked => "not asked",
    }
}

fn checks(out: &mut String, record: &Record) {
    let passed = record.checks.iter().filter(|check| check.status == Status::Passed).count();
    let total = record.checks.len();
    fold(out, &format!("Checks: {passed} of {total} passed"), passed < total, |out| {
        line(out, "| | check | group | time | |");
        line(out, "|---|---|---|---:|---|");
        for check in &record.checks {
            let reason = check.reason.as_deref().map(prose).unwrap_or_default();
            let time = words::duration(std::time::Duration::from_millis(check.duration_ms));
            line(
                out,
                &format!(
                    "| {} | {} | {} | {time} | {reason} |",
                    check_sign(check),
                    cell_code(&check.id),
                    text(&check.group)
                ),
            );
        }
        if !record.left_out.is_empty() {
            line(out, "");
            let ids: Vec<_> = record.left_out.keys().map(|id| code(id)).collect();
            line(out, &format!("Not asked for: {}.", ids.join(", ")));
        }
    });
}

fn check_sign(check: &CheckOutcome) -> String {
    let sign = match check.status {
        Status::Passed => "✅",
        Status::Failed | Status::TimedOut | Status::Error if check.allow_failure => "⚠️",
        Status::Failed | Status::TimedOut | Status::Error => "❌",
        Status::Skipped => "⏭️",
        Status::Interrupted => "⏹️",
    };
    format!("{sign} {}", check.status.word())
}

fn tests(out: &mut String, record: &Record) {
    let failed: Vec<_> = record.tests.iter().filter(|test| test.test.outcome.is_failure()).collect();
    if failed.is_empty() {
        return;
    }
    fold(out, &format!("Failed tests: {}", failed.len()), true, |out| {
        for test in failed.iter().take(TESTS) {
            let file = if test.identity.file.is_empty() {
                String::new()
            } else {
                format!(" in {}", code(&test.identity.file))
            };
            line(out, &format!("- {}{file}", code(&test.identity.display())));
            if let Some(message) = test.test.message.as_deref().filter(|message| !message.trim().is_empty()) {
                line(out, "");
                indent(out, &fence(message, ""), "  ");
            }
        }
        if failed.len() > TESTS {
            line(out, &format!("- … and {} more; the record of this run has them all.", failed.len() - TESTS));
        }
    });
}

fn outputs(out: &mut String, record: &Record) {
    for check in record.checks.iter().filter(|check| !matches!(check.status, Status::Passed | Status::Skipped)) {
        if check.output.text.trim().is_empty() && check.command.is_none() {
            continue;
        }
        let (before, tail) = check.output.tail(TAIL_LINES);
        let left = before.map(|before| format!(" (last {TAIL_LINES} lines, after {before})")).unwrap_or_default();
        fold(out, &format!("Output of {}{left}", check.id), false, |out| {
            if let Some(command) = &check.command {
                line(out, &format!("Command: {}", code(command)));
                line(out, "");
            }
            if let Some(fix) = &check.fix {
                line(out, &format!("Repair: {}", code(fix)));
                line(out, "");
            }
            match tail.trim() {
                "" => line(out, "It printed nothing."),
                _ => out.push_str(&fence(&tail, "text")),
            }
        });
    }
}

fn problems(out: &mut String, record: &Record) {
    if record.problems.is_empty() {
        return;
    }
    let open = record.counts().losses > 0;
    fold(out, &format!("Problems: {}", record.problems.len()), open, |out| {
        for problem in &record.problems {
            let place = match (&problem.file, problem.line) {
                (Some(file), Some(at)) => format!("{} line {at}: ", code(file)),
                (Some(file), None) => format!("{}: ", code(file)),
                _ => String::new(),
            };
            let hint = problem.hint.as_deref().map(|hint| format!(" — {}", prose(hint))).unwrap_or_default();
            let level = serde_json::to_value(problem.level)
                .ok()
                .and_then(|level| level.as_str().map(str::to_owned))
                .unwrap_or_default();
            line(out, &format!("- **{level}** {place}{}{hint} ({})", prose(&problem.message), code(&problem.code)));
        }
    });
}

fn numbers(out: &mut String, record: &Record) {
    if record.measurements.is_empty() {
        return;
    }
    fold(out, "Measurements", false, |out| {
        line(out, "| metric | value | read from |");
        line(out, "|---|---:|---|");
        for measurement in record.measurements.iter() {
            let value = metric::unit(&measurement.name).alone(measurement.value);
            line(
                out,
                &format!(
                    "| {} | {value} | {} |",
                    cell_code(&measurement.name),
                    cell_code(&measurement.sources.join(", "))
                ),
            );
        }
    });
}

fn about(out: &mut String, record: &Record) {
    let project = &record.project;
    let commit = project.commit.as_deref().map_or_else(|| "no commit".to_owned(), code);
    let branch = project.branch.as_deref().map(|branch| format!(" on {}", code(branch))).unwrap_or_default();
    let dirty = if project.dirty == Some(true) { ", with uncommitted changes" } else { "" };
    let time = words::duration(std::time::Duration::from_millis(record.duration_ms));
    line(
        out,
        &format!(
            "Commit {commit}{branch}{dirty}. Policy {}. Began {}, took {time}. Record {}.",
            code(&record.policy.path),
            clock::minute(record.started_at),
            code(&record.id)
        ),
    );
}

fn line(out: &mut String, text: &str) {
    out.push_str(text.trim_end());
    out.push('\n');
}

fn indent(out: &mut String, block: &str, by: &str) {
    for text in block.lines() {
        line(out, &format!("{by}{text}"));
    }
}

/// A section that is closed until somebody opens it. Blank lines around the body let Markdown work inside.
fn fold(out: &mut String, title: &str, open: bool, body: impl FnOnce(&mut String)) {
    let open = if open { " open" } else { "" };
    let _ = writeln!(out, "<details{open}><summary>{}</summary>\n", html(title));
    body(out);
    out.push_str("\n</details>\n\n");
}

fn html(text: &str) -> String {
    words::one_line(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Plain text on one line: whatever Markdown or GitHub would take for markup, a mention or a cell's end is escaped.
fn text(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    for ch in words::one_line(raw).chars() {
        match ch {
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '#' | '~' | '|' | '!' => {
                out.push('\\');
                out.push(ch);
            }
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '@' => out.push_str("&#64;"),
            ch => out.push(ch),
        }
    }
    out
}

/// A sentence of this program's own, in which names stand between backticks: those become code spans, the rest is
/// plain text. Safe for any text, because both parts are escaped for what they become.
pub(super) fn prose(raw: &str) -> String {
    let parts: Vec<_> = raw.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return text(raw);
    }
    parts.iter().enumerate().map(|(at, part)| if at % 2 == 0 { text(part) } else { cell_code(part) }).collect()
}

/// A code span, with enough backticks around it (CommonMark 6.1).
fn code(raw: &str) -> String {
    let plain = words::one_line(raw);
    if plain.is_empty() {
        return String::new();
    }
    let ticks = "`".repeat(longest_run(&plain) + 1);
    let pad = if plain.starts_with('`') || plain.ends_with('`') || (plain.starts_with(' ') && plain.ends_with(' ')) {
        " "
    } else {
        ""
    };
    format!("{ticks}{pad}{plain}{pad}{ticks}")
}

/// A code span in a table cell: there a bar ends the cell even inside code, unless escaped (GFM tables).
pub(super) fn cell_code(raw: &str) -> String {
    code(raw).replace('|', "\\|")
}

/// A fenced block, with a fence longer than any inside (CommonMark 4.5).
fn fence(raw: &str, language: &str) -> String {
    let plain = words::plain_lines(raw);
    let ticks = "`".repeat(longest_run(&plain).max(2) + 1);
    format!("{ticks}{language}\n{}\n{ticks}\n", plain.trim_end())
}

fn longest_run(text: &str) -> usize {
    text.split(|ch| ch != '`').map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_outside_stays_text() {
        assert_eq!(text("a|b <b>*x*</b> @me #1"), "a\\|b &lt;b&gt;\\*x\\*&lt;/b&gt; &#64;me \\#1");
        assert_eq!(prose("see `a|b` <x> and `c`"), "see `a\\|b` &lt;x&gt; and `c`");
        assert_eq!(prose("odd ` tick"), "odd \\` tick");
        assert_eq!(code("a`b"), "``a`b``");
        assert_eq!(code("`"), "`` ` ``");
        assert_eq!(cell_code("a|b"), "`a\\|b`");
        assert_eq!(fence("```\nx\n````", ""), "`````\n```\nx\n````\n`````\n");
        assert_eq!(text("a\u{202e}b\nc"), "a\\\\u\\{202e\\}b\\\\nc");
    }
}
