//! What ran, with what it printed, and what was lost, guessed or noticed.

use std::fmt::Write as _;
use std::time::Duration;

use super::escape::{anchor, block, prose, text};
use super::{Section, Tone, badge, folded, put};
use crate::check::CheckOutcome;
use crate::check::outcome::Status;
use crate::evidence::Level;
use crate::record::Record;
use crate::sys::text as words;

/// Lines shown of what a check printed that passed.
const PASSED_LINES: usize = 30;
/// Problems listed.
const PROBLEMS: usize = 1_000;
/// Problems in the open.
const OPEN: usize = 20;

/// The section.
pub(super) fn section(record: &Record) -> Option<Section> {
    let mut out = String::from("<div class=\"checks\">\n");
    for check in &record.checks {
        one(&mut out, check);
    }
    put!(out, "</div>\n");
    if !record.left_out.is_empty() {
        let left: Vec<_> = record.left_out.keys().map(|id| format!("<code>{}</code>", text(id))).collect();
        put!(out, "<p class=\"quiet\">Not asked for: {}.</p>\n", left.join(", "));
    }
    let passed = record.checks.iter().filter(|check| check.status == Status::Passed).count();
    let tone = match record.checks.iter().map(Tone::of_check).collect::<Vec<_>>() {
        tones if tones.contains(&Tone::Bad) => Tone::Bad,
        tones if tones.contains(&Tone::Doubt) => Tone::Doubt,
        tones if tones.contains(&Tone::Warn) => Tone::Warn,
        tones if tones.contains(&Tone::Good) => Tone::Good,
        _ => Tone::Quiet,
    };
    let note = format!("{passed} of {} passed", record.checks.len());
    Some(Section { id: "checks", title: "Checks", note, tone, body: out })
}

fn one(out: &mut String, check: &CheckOutcome) {
    let tone = Tone::of_check(check);
    let time = words::duration(Duration::from_millis(check.duration_ms));
    put!(out, "<details id=\"C-{}\" class=\"check {}\"><summary>", anchor(&check.id), tone.class());
    put!(out, "{} <code class=\"name\">{}</code> ", badge(tone, check.status.word()), text(&check.id));
    put!(out, "<span class=\"quiet group\">{}</span>", text(&check.group));
    if let Some(reason) = &check.reason {
        put!(out, " <span class=\"why\">{}</span>", prose(reason));
    }
    put!(out, "<span class=\"time\">{time}</span></summary>\n");
    for (name, command) in [("Command", &check.command), ("Repair", &check.fix)] {
        if let Some(command) = command {
            put!(out, "<p>{name}: <code class=\"command\">{}</code></p>\n", text(command));
        }
    }
    if let Some(code) = check.exit_code.filter(|code| *code != 0) {
        put!(out, "<p>Exit code {code}.</p>\n");
    }
    if check.allow_failure && check.status != Status::Passed {
        put!(out, "<p>Its failure is only a warning (<code>allow-failure</code>).</p>\n");
    }
    let (before, shown) = match check.status {
        Status::Passed => check.output.tail(PASSED_LINES),
        _ => (None, check.output.text.clone()),
    };
    if shown.trim().is_empty() {
        put!(out, "<p class=\"quiet\">It printed nothing.</p>\n");
    } else {
        if let Some(before) = before {
            put!(
                out,
                "<p class=\"quiet\">The last {PASSED_LINES} lines; {before} before them are in the record of this run.</p>\n"
            );
        }
        let label = format!("Output of {}", text(&check.id));
        put!(out, "<pre tabindex=\"0\" role=\"region\" aria-label=\"{label}\">{}</pre>\n", block(&shown));
    }
    put!(out, "</details>\n");
}

/// Problems, losses first; nothing where there is none.
pub(super) fn problems(record: &Record) -> Option<Section> {
    if record.problems.is_empty() {
        return None;
    }
    let mut problems: Vec<_> = record.problems.iter().collect();
    problems.sort_by_key(|problem| std::cmp::Reverse(problem.level));
    let mut out = String::from("<ul class=\"problems\">\n");
    for problem in problems.iter().take(PROBLEMS) {
        let (tone, word) = match problem.level {
            Level::Loss => (Tone::Doubt, "loss"),
            Level::Warning => (Tone::Warn, "warning"),
            Level::Note => (Tone::Quiet, "note"),
        };
        put!(out, "<li>{} ", badge(tone, word));
        if let Some(file) = &problem.file {
            let line = problem.line.map(|line| format!(" line {line}")).unwrap_or_default();
            put!(out, "<code>{}</code>{line}: ", text(file));
        }
        put!(out, "{} <code class=\"quiet\">{}</code>", prose(&problem.message), text(&problem.code));
        if let Some(hint) = &problem.hint {
            put!(out, "<p class=\"quiet\">{}</p>", prose(hint));
        }
        put!(out, "</li>\n");
    }
    put!(out, "</ul>\n");
    if problems.len() > PROBLEMS {
        put!(out, "<p class=\"quiet\">… and {} more in the record of this run.</p>\n", problems.len() - PROBLEMS);
    }
    let losses = record.counts().losses;
    let open = if losses > 0 { usize::MAX } else { OPEN };
    let title = words::plural(problems.len() as u64, "problem", "problems");
    let tone = match problems[0].level {
        Level::Loss => Tone::Doubt,
        Level::Warning => Tone::Warn,
        Level::Note => Tone::Quiet,
    };
    let note = if losses > 0 { words::plural(losses, "loss", "losses") } else { problems.len().to_string() };
    let body = folded(problems.len(), open, &title, &out);
    Some(Section { id: "problems", title: "Problems", note, tone, body })
}
