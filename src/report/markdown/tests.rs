//! Tests: what failed with what it said, what changed, and what took longest.

use std::time::Duration;

use super::escape::{cell_code, code, fence, text};
use super::{fold, indent, line};
use crate::record::{Record, TestRecord};
use crate::report::failure;
use crate::report::tests::{Weight, aside, lists};
use crate::sys::text as words;

/// Tests of one list before the rest is counted.
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
            one(out, record, test);
        }
        rest(out, failed.len());
    });
}

fn one(out: &mut String, record: &Record, test: &TestRecord) {
    let file = Some(&*test.identity.file).filter(|file| !file.is_empty());
    line(out, &format!("- {}{}{}", code(&test.identity.display()), in_file(file, test.test.line), aside(record, test)));
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

fn in_file(file: Option<&str>, at: Option<u32>) -> String {
    let Some(file) = file else { return String::new() };
    let line = at.map(|at| format!(" line {at}")).unwrap_or_default();
    format!(" in {}{line}", code(file))
}

/// What became of the tests since the baseline and over earlier runs.
pub(super) fn changes(out: &mut String, record: &Record) {
    for list in lists(record) {
        fold(out, &format!("{}: {}", list.title, list.rows.len()), list.weight == Weight::Urgent, |out| {
            line(out, &format!("{}.", list.doc));
            line(out, "");
            for row in list.rows.iter().take(TESTS) {
                let note = if row.note.is_empty() { String::new() } else { format!(": {}", text(&row.note)) };
                line(out, &format!("- {}{}{note}", code(&row.name()), in_file(row.file(), None)));
            }
            rest(out, list.rows.len());
        });
    }
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
