//! Tests: what failed with what it said, what both held and failed, and what took longest.

use std::time::Duration;

use super::escape::{cell_code, code, fence};
use super::{fold, indent, line};
use crate::record::{Record, TestRecord};
use crate::report::failure;
use crate::sys::text as words;

/// Failed or flaky tests listed before the rest is counted.
const TESTS: usize = 100;
/// The slowest tests listed.
const SLOWEST: usize = 10;

/// What failed, the message first, the trace folded.
pub(super) fn failed(out: &mut String, record: &Record) {
    let failed: Vec<_> = record.tests.iter().filter(|test| test.test.outcome.is_failure()).collect();
    if failed.is_empty() {
        return;
    }
    fold(out, &format!("Failed tests: {}", failed.len()), true, |out| {
        for test in failed.iter().take(TESTS) {
            one(out, test);
        }
        rest(out, failed.len());
    });
}

fn one(out: &mut String, test: &TestRecord) {
    let flaky = if test.test.flaky { ", which also passed" } else { "" };
    line(out, &format!("- {}{}{flaky}", code(&test.identity.display()), place(test)));
    let Some(message) = test.test.message.as_deref().filter(|message| !message.trim().is_empty()) else { return };
    let parts = failure::parts(message);
    line(out, "");
    indent(out, &fence(&parts.message, ""), "  ");
    if parts.trace.trim().is_empty() {
        return;
    }
    let lines = words::plural(parts.trace.lines().count() as u64, "line", "lines");
    line(out, "");
    line(out, &format!("  <details><summary>Trace, {lines}</summary>"));
    line(out, "");
    indent(out, &fence(&parts.trace, ""), "  ");
    line(out, "");
    line(out, "  </details>");
    line(out, "");
}

fn place(test: &TestRecord) -> String {
    if test.identity.file.is_empty() {
        return String::new();
    }
    let line = test.test.line.map(|line| format!(" line {line}")).unwrap_or_default();
    format!(" in {}{line}", code(&test.identity.file))
}

/// What both held and did not.
pub(super) fn flaky(out: &mut String, record: &Record) {
    let flaky: Vec<_> = record.tests.iter().filter(|test| test.test.flaky).collect();
    if flaky.is_empty() {
        return;
    }
    fold(out, &format!("Flaky tests: {}", flaky.len()), false, |out| {
        for test in flaky.iter().take(TESTS) {
            let attempts = words::plural(u64::from(test.test.attempts), "attempt", "attempts");
            line(out, &format!("- {}{}, {attempts}", code(&test.identity.display()), place(test)));
        }
        rest(out, flaky.len());
    });
}

fn rest(out: &mut String, all: usize) {
    if all > TESTS {
        line(out, &format!("- … and {} more; the record of this run has them all.", all - TESTS));
    }
}

/// What took longest; nothing where no report gave times.
pub(super) fn slowest(out: &mut String, record: &Record) {
    let mut timed: Vec<_> = record.tests.iter().filter(|test| test.test.seconds > 0.0).collect();
    if timed.len() < 2 {
        return;
    }
    // Equal times keep the order of the record, so the list is the same every time.
    timed.sort_by(|a, b| b.test.seconds.total_cmp(&a.test.seconds));
    timed.truncate(SLOWEST);
    fold(out, "Slowest tests", false, |out| {
        line(out, "| test | time |");
        line(out, "|---|---:|");
        for test in timed {
            let time = Duration::try_from_secs_f64(test.test.seconds).unwrap_or(Duration::MAX);
            line(out, &format!("| {} | {} |", cell_code(&test.identity.display()), words::duration(time)));
        }
    });
}
