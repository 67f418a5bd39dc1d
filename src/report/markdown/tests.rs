//! Tests: what failed with what it said, what changed, and what took longest.

use std::time::Duration;

use super::document::{Block, Document, Kind, Piece, Rest};
use super::escape::Pen;
use super::{fold, indented};
use crate::record::{Record, TestRecord};
use crate::report::failure;
use crate::report::tests::{Weight, aside, lists};
use crate::sys::text as words;

/// Tests of one list before the rest is counted.
const TESTS: usize = 100;
/// The slowest tests listed.
const SLOWEST: usize = 10;

/// What failed, the message first, the trace folded.
pub(super) fn failed(document: &mut Document, record: &Record, pen: &Pen) {
    let failed: Vec<_> = record.tests.iter().filter(|test| test.test.outcome.is_failure()).collect();
    if failed.is_empty() {
        return;
    }
    let (open, close) = fold(pen, &format!("Failed tests: {}", failed.len()), true);
    let mut block = Block::new(open, Rest::Item, close);
    for test in failed.iter().take(TESTS) {
        block.rows_of(one(record, test, pen));
    }
    block.more(Kind::FailedTest, failed.len().saturating_sub(TESTS));
    document.push(block);
}

fn one(record: &Record, test: &TestRecord, pen: &Pen) -> Vec<Piece> {
    let file = Some(&*test.identity.file).filter(|file| !file.is_empty());
    let place = in_file(file, test.test.line, pen);
    let name = format!("- {}{place}{}\n", pen.code(&test.identity.display()), aside(record, test));
    let mut pieces = vec![Piece::new(Kind::FailedTest, name)];
    let Some(message) = test.test.message.as_deref().filter(|message| !message.trim().is_empty()) else {
        return pieces;
    };
    let parts = failure::parts(message);
    let message = indented(&pen.fence_start(&parts.message, ""), "  ");
    pieces.push(Piece::new(Kind::Message, format!("\n{message}")));
    if !parts.trace.trim().is_empty() {
        let lines = words::plural(parts.trace.lines().count() as u64, "line", "lines");
        let trace = indented(&pen.fence_end(&parts.trace, ""), "  ");
        let folded = format!("\n  <details><summary>Trace, {lines}</summary>\n\n{trace}\n  </details>\n\n");
        pieces.push(Piece::new(Kind::Trace, folded));
    }
    pieces
}

fn in_file(file: Option<&str>, at: Option<u32>, pen: &Pen) -> String {
    let Some(file) = file else { return String::new() };
    let line = at.map(|at| format!(" line {at}")).unwrap_or_default();
    format!(" in {}{line}", pen.code(file))
}

/// What became of the tests since the baseline and over earlier runs.
pub(super) fn changes(document: &mut Document, record: &Record, pen: &Pen) {
    for list in lists(record) {
        let kind = match list.weight {
            Weight::Urgent => Kind::UrgentTest,
            Weight::Known => Kind::KnownTest,
            Weight::News => Kind::TestNews,
        };
        let (open, close) = fold(pen, &format!("{}: {}", list.title, list.rows.len()), list.weight == Weight::Urgent);
        let mut block = Block::new(format!("{open}{}.\n\n", list.doc), Rest::Item, close);
        for row in list.rows.iter().take(TESTS) {
            // Notes tell of times and of earlier runs, which are more each time.
            let is_told = !row.note.is_empty() && !pen.is_steady;
            let note = if is_told { format!(": {}", pen.text(&row.note)) } else { String::new() };
            let place = in_file(row.file(), None, pen);
            block.row(Piece::new(kind, format!("- {}{place}{note}\n", pen.code(&row.name()))));
        }
        block.more(kind, list.rows.len().saturating_sub(TESTS));
        document.push(block);
    }
}

/// What took longest; nothing where no report gave times.
pub(super) fn slowest(document: &mut Document, record: &Record, pen: &Pen) {
    let mut timed: Vec<_> = record.tests.iter().filter(|test| test.test.seconds > 0.0).collect();
    if timed.len() < 2 {
        return;
    }
    // Equal times keep the order of the record, so the list is the same every time.
    timed.sort_by(|a, b| b.test.seconds.total_cmp(&a.test.seconds));
    timed.truncate(SLOWEST);
    let (open, close) = fold(pen, "Slowest tests", false);
    let mut block = Block::new(format!("{open}| test | time |\n|---|---:|\n"), Rest::Paragraph, close);
    for test in timed {
        let time = Duration::try_from_secs_f64(test.test.seconds).unwrap_or(Duration::MAX);
        let name = pen.cell_code(&test.identity.display());
        block.row(Piece::new(Kind::SlowTest, format!("| {name} | {} |\n", words::duration(time))));
    }
    document.push(block);
}
