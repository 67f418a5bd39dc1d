//! Tests: those that failed with what they said, and the table of all, from a data island.
//!
//! The table is not in the page as markup: thousands of rows would make it slow to open. The script builds the rows
//! that are looked at.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::escape::{block, island, shown, text};
use super::{Section, Tone, put};
use crate::evidence::Outcome;
use crate::evidence::tests::Identity;
use crate::record::{Record, TestRecord};
use crate::report::failure;
use crate::report::tests::{Subject, Weight, excused, lists};
use crate::sys::text as words;

/// Failed tests shown with what they said.
const FAILED: usize = 1_000;
/// Bytes of what all of them said together.
const SAID: usize = 1 << 20;
/// Failed tests in the open; the rest behind a line.
const OPEN: usize = 50;
/// Tests of one list of changes.
const CHANGES: usize = 300;
/// Tests in the table.
const LISTED: usize = 50_000;

/// A test's anchor: the same in every run, however long its name is.
fn anchor(identity: &Identity) -> String {
    let mut hash = Sha256::new();
    for part in [&*identity.check, &identity.suite, &identity.class, &identity.name, &identity.file] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    let mut out = String::from("T-");
    for byte in &hash.finalize()[..8] {
        put!(out, "{byte:02x}");
    }
    out
}

/// What failed; nothing where nothing did.
pub(super) fn failed(record: &Record) -> Option<Section> {
    let failed: Vec<_> = record.tests.iter().filter(|test| test.test.outcome.is_failure()).collect();
    if failed.is_empty() {
        return None;
    }
    let mut out = String::new();
    let mut left = SAID;
    for (at, test) in failed.iter().take(FAILED).enumerate() {
        if at == OPEN {
            let rest = failed.len().min(FAILED) - OPEN;
            put!(
                out,
                "<details class=\"fold\"><summary>{} more</summary>\n",
                words::plural(rest as u64, "failed test", "failed tests")
            );
        }
        one(&mut out, record, test, &mut left);
    }
    if failed.len() > OPEN {
        put!(out, "</details>\n");
    }
    if failed.len() > FAILED {
        let rest = words::plural((failed.len() - FAILED) as u64, "failed test", "failed tests");
        put!(
            out,
            "<p class=\"quiet\">… and {rest} more: listed below, and in the record of this run with what they said.</p>\n"
        );
    }
    Some(Section { id: "failed", title: "Failed tests", note: failed.len().to_string(), tone: Tone::Bad, body: out })
}

fn one(out: &mut String, record: &Record, test: &TestRecord, left: &mut usize) {
    let TestRecord { identity, test } = test;
    put!(
        out,
        "<article id=\"{}\" class=\"test\"><h3><code>{}</code></h3>\n",
        anchor(identity),
        text(&identity.display())
    );
    put!(out, "<p class=\"quiet\">");
    if test.outcome == Outcome::Errored {
        put!(out, "Could not run to its end. ");
    }
    if !identity.file.is_empty() {
        let line = test.line.map(|line| format!(":{line}")).unwrap_or_default();
        put!(out, "<code>{}{line}</code> · ", text(&identity.file));
    }
    put!(out, "check <code>{}</code> · {:.3} s", text(&identity.check), test.seconds);
    if test.attempts > 1 {
        put!(out, " · {} attempts", test.attempts);
    }
    if test.flaky {
        put!(out, " · flaky: it also passed");
    }
    if let Some(excused) = excused(record, identity) {
        put!(out, " · in quarantine until {}: {}", excused.until, text(&excused.reason));
    }
    put!(out, "</p>\n");
    match test.message.as_deref().filter(|message| !message.trim().is_empty()) {
        None => put!(out, "<p class=\"quiet\">It said nothing.</p>\n"),
        Some(message) if message.len() > *left => {
            put!(out, "<p class=\"quiet\">What it said is in the record of this run: this page is full.</p>\n");
        }
        Some(message) => {
            *left -= message.len();
            let parts = failure::parts(message);
            put!(out, "<pre class=\"said\">{}</pre>\n", block(&parts.message));
            if !parts.trace.trim().is_empty() {
                let lines = words::plural(parts.trace.lines().count() as u64, "line", "lines");
                put!(
                    out,
                    "<details><summary>Trace, {lines}</summary><pre tabindex=\"0\">{}</pre></details>\n",
                    block(&parts.trace)
                );
            }
        }
    }
    put!(out, "</article>\n");
}

/// What became of the tests since the baseline and over earlier runs; nothing where nothing did.
pub(super) fn changes(record: &Record) -> Option<Section> {
    let lists = lists(record);
    let first = lists.first()?;
    let present: HashSet<&Identity> = record.tests.iter().map(|test| &test.identity).collect();
    let mut out = String::new();
    for list in &lists {
        let open = if list.weight == Weight::Urgent { " open" } else { "" };
        put!(
            out,
            "<details class=\"list\"{open}><summary>{} <small>{}</small></summary>\n",
            list.title,
            list.rows.len()
        );
        put!(out, "<p class=\"quiet\">{}.</p>\n<ul>\n", list.doc);
        for row in list.rows.iter().take(CHANGES) {
            let name = text(&row.name());
            match row.subject {
                Subject::Test(identity) if present.contains(identity) => {
                    put!(out, "<li><a href=\"#{}\"><code>{name}</code></a>", anchor(identity));
                }
                Subject::Test(_) | Subject::Entry(_) => put!(out, "<li><code>{name}</code>"),
            }
            if !row.note.is_empty() {
                put!(out, " <span class=\"quiet\">{}</span>", text(&row.note));
            }
            put!(out, "</li>\n");
        }
        put!(out, "</ul>\n");
        if list.rows.len() > CHANGES {
            let rest = list.rows.len() - CHANGES;
            put!(out, "<p class=\"quiet\">… and {rest} more in the record of this run.</p>\n");
        }
        put!(out, "</details>\n");
    }
    let note = format!("{} {}", first.rows.len(), first.title.to_lowercase());
    let tone = if lists.iter().any(|list| list.weight == Weight::Urgent) { Tone::Warn } else { Tone::Quiet };
    Some(Section { id: "test-changes", title: "Test changes", note, tone, body: out })
}

/// What the script builds the table from.
#[derive(Serialize)]
struct Table {
    /// Checks, prefixes and files: each once.
    names: Vec<String>,
    /// The tests, those that failed first.
    tests: Vec<Row>,
}

/// Anchor, name, prefix, file, line, outcome, flaky, seconds, check, attempts. Indices are into the names; -1 is none.
#[derive(Serialize)]
struct Row(String, String, i64, i64, u32, u8, u8, f64, i64, u32);

#[derive(Default)]
struct Names<'a> {
    index: HashMap<&'a str, i64>,
    names: Vec<String>,
}

impl<'a> Names<'a> {
    fn of(&mut self, name: &'a str) -> i64 {
        if name.is_empty() {
            return -1;
        }
        *self.index.entry(name).or_insert_with(|| {
            self.names.push(shown(name));
            i64::try_from(self.names.len()).unwrap_or_default() - 1
        })
    }
}

/// All tests; nothing where there is none.
pub(super) fn all(record: &Record) -> Option<Section> {
    if record.tests.is_empty() {
        return None;
    }
    let mut tests: Vec<_> = record.tests.iter().collect();
    tests.sort_by_key(|test| (!test.test.outcome.is_failure(), !test.test.flaky));
    let mut names = Names::default();
    let rows: Vec<_> = tests.iter().take(LISTED).map(|test| row(test, &mut names)).collect();
    let table = Table { names: names.names, tests: rows };
    let mut out = String::from(
        "<noscript><p>The table of all tests needs JavaScript. What failed is listed above, and the record of this \
         run has every test.</p></noscript>\n",
    );
    put!(out, "{}", filter(record));
    put!(
        out,
        "<p id=\"test-count\" class=\"quiet js\" role=\"status\"></p>\n<table id=\"test-table\" class=\"js\"><thead><tr>"
    );
    for (key, title) in [("outcome", "Outcome"), ("name", "Test"), ("seconds", "Time")] {
        put!(
            out,
            "<th scope=\"col\" aria-sort=\"none\"><button type=\"button\" data-sort=\"{key}\">{title}</button></th>"
        );
    }
    put!(out, "</tr></thead><tbody></tbody></table>\n");
    put!(out, "<p class=\"js\"><button type=\"button\" id=\"test-more\" hidden></button></p>\n");
    if tests.len() > LISTED {
        put!(
            out,
            "<p class=\"quiet\">{} of {} tests are listed; the record of this run has them all.</p>\n",
            LISTED,
            tests.len()
        );
    }
    put!(out, "<script type=\"application/json\" id=\"test-data\">{}</script>\n", island(&table));
    Some(Section { id: "tests", title: "Tests", note: tests.len().to_string(), tone: Tone::Quiet, body: out })
}

/// The words and outcomes to look for.
fn filter(record: &Record) -> String {
    let count = |wanted: fn(&TestRecord) -> bool| record.tests.iter().filter(|test| wanted(test)).count();
    let mut out =
        String::from("<div class=\"filter js\" role=\"search\">\n<label for=\"test-filter\">Filter tests</label> ");
    put!(
        out,
        "<input type=\"search\" id=\"test-filter\" placeholder=\"words of a name or file\" autocomplete=\"off\" spellcheck=\"false\"> <kbd title=\"press / to come here\">/</kbd>\n"
    );
    put!(out, "<div role=\"group\" aria-label=\"Outcome\">");
    let all = record.tests.len();
    for (key, title, count) in [
        ("all", "All", all),
        ("failed", "Failed", count(|test| test.test.outcome.is_failure())),
        ("flaky", "Flaky", count(|test| test.test.flaky)),
        ("skipped", "Skipped", count(|test| test.test.outcome == Outcome::Skipped)),
        ("passed", "Passed", count(|test| test.test.outcome == Outcome::Passed)),
    ] {
        let pressed = key == "all";
        let disabled = if count == 0 { " disabled" } else { "" };
        put!(
            out,
            "<button type=\"button\" data-outcome=\"{key}\" aria-pressed=\"{pressed}\"{disabled}>{title} {count}</button>"
        );
    }
    put!(out, "</div>\n</div>\n");
    out
}

fn row<'a>(record: &'a TestRecord, names: &mut Names<'a>) -> Row {
    let TestRecord { identity, test } = record;
    let (prefix, name) = identity.display_parts();
    let outcome = match test.outcome {
        Outcome::Skipped => 0,
        Outcome::Passed => 1,
        Outcome::Failed => 2,
        Outcome::Errored => 3,
    };
    // JSON has no NaN; milliseconds are enough to sort by.
    let seconds = if test.seconds.is_finite() { (test.seconds * 1e3).round() / 1e3 } else { 0.0 };
    Row(
        anchor(identity),
        shown(name),
        names.of(prefix),
        names.of(&identity.file),
        test.line.unwrap_or(0),
        outcome,
        u8::from(test.flaky),
        seconds,
        names.of(&identity.check),
        test.attempts,
    )
}
