//! Checks, what those said that did not pass, and what was lost or noticed on the way.

use std::time::Duration;

use super::document::{Block, Document, Kind, Piece, Rest};
use super::escape::Pen;
use super::fold;
use crate::check::outcome::{CheckOutcome, Status};
use crate::evidence::Level;
use crate::record::Record;
use crate::sys::text as words;

/// Lines of output shown of a check that did not pass.
const TAIL_LINES: usize = 80;

/// The table of checks.
pub(super) fn section(document: &mut Document, record: &Record, pen: &Pen) {
    if record.checks.is_empty() {
        return;
    }
    let passed = record.checks.iter().filter(|check| check.status == Status::Passed).count();
    let total = record.checks.len();
    let (open, mut close) = fold(pen, &format!("Checks: {passed} of {total} passed"), passed < total);
    if !record.left_out.is_empty() {
        let ids = pen.enumeration(record.left_out.keys().map(String::as_str));
        close = format!("\nNot asked for: {ids}.\n{close}");
    }
    let columns = "| | check | group | time | |\n|---|---|---|---:|---|\n";
    let mut block = Block::new(format!("{open}{columns}"), Rest::Paragraph, close);
    for check in &record.checks {
        let kind = match check.status {
            Status::Passed => Kind::PassedCheck,
            _ if check.is_excused() => Kind::PassedCheck,
            _ => Kind::FailedCheck,
        };
        let reason = check.reason.as_deref().map(|reason| pen.cell_prose(reason)).unwrap_or_default();
        let time = match pen.is_steady {
            true => String::new(),
            false => words::duration(Duration::from_millis(check.duration_ms)),
        };
        let (id, group) = (pen.cell_code(&check.id), pen.text(&check.group));
        block.row(Piece::new(kind, format!("| {} | {id} | {group} | {time} | {reason} |\n", sign(check))));
    }
    document.push(block);
}

fn sign(check: &CheckOutcome) -> String {
    let sign = match check.status {
        Status::Passed => "✅",
        Status::Failed | Status::TimedOut | Status::Error if check.is_excused() => "⚠️",
        Status::Failed | Status::TimedOut | Status::Error => "❌",
        Status::Skipped => "⏭️",
        Status::Interrupted => "⏹️",
    };
    format!("{sign} {}", check.status.word())
}

/// What checks printed that did not pass.
pub(super) fn outputs(document: &mut Document, record: &Record, pen: &Pen) {
    for check in record.checks.iter().filter(|check| !matches!(check.status, Status::Passed | Status::Skipped)) {
        if check.output.text.trim().is_empty() && check.command.is_none() {
            continue;
        }
        let (before, tail) = check.output.tail(TAIL_LINES);
        let left = before.map(|before| format!(" (last {TAIL_LINES} lines, after {before})")).unwrap_or_default();
        let (open, close) = fold(pen, &format!("Output of {}{left}", check.id), false);
        let mut told = open;
        if let Some(command) = &check.command {
            told.push_str(&format!("Command: {}\n\n", pen.code(command)));
        }
        if let Some(fix) = &check.fix {
            told.push_str(&format!("Repair: {}\n\n", pen.code(fix)));
        }
        match tail.trim() {
            "" => told.push_str("It printed nothing.\n"),
            _ => told.push_str(&pen.fence_end(&tail, "text")),
        }
        document.push(Block::single(Kind::Output, told + &close));
    }
}

/// What was lost, guessed or noticed.
pub(super) fn problems(document: &mut Document, record: &Record, pen: &Pen) {
    if record.problems.is_empty() {
        return;
    }
    let is_open = record.counts().losses > 0;
    let (open, close) = fold(pen, &format!("Problems: {}", record.problems.len()), is_open);
    let mut block = Block::new(open, Rest::Item, close);
    for problem in &record.problems {
        let place = match (&problem.file, problem.line) {
            (Some(file), Some(at)) => format!("{} line {at}: ", pen.code(file)),
            (Some(file), None) => format!("{}: ", pen.code(file)),
            _ => String::new(),
        };
        let hint = problem.hint.as_deref().map(|hint| format!(" — {}", pen.prose(hint))).unwrap_or_default();
        let (kind, level) = match problem.level {
            Level::Loss => (Kind::Loss, "loss"),
            Level::Warning => (Kind::Problem, "warning"),
            Level::Note => (Kind::Problem, "note"),
        };
        let message = pen.prose(&problem.message);
        let code = pen.code(&problem.code);
        block.row(Piece::new(kind, format!("- **{level}** {place}{message}{hint} ({code})\n")));
    }
    document.push(block);
}
