//! What report files say, for `inspect`: schema `mgmt.evidence/1`, a terminal form and a Markdown form.
//!
//! The types are frozen like those of the JSON report.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Number;

use super::json::{Problem, number};
use super::markdown::{cell_code, prose};
use crate::evidence::measure::{agreed, folders};
use crate::evidence::sink::{Ratio, Totals};
use crate::evidence::tests::{Identity, Test};
use crate::evidence::{Evidence, Kind, Level, Measurements, Outcome, metric};
use crate::sys::text;

/// The schema of the object.
pub const SCHEMA: &str = "mgmt.evidence/1";

/// Which parts are wanted beside the numbers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Parts {
    /// Covered files, one row each.
    pub files: bool,
    /// Which tests.
    pub tests: Tests,
}

/// Which tests are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tests {
    /// None; failed ones still show on a terminal.
    #[default]
    None,
    /// Those that failed.
    Failed,
    /// The slowest.
    Slowest(usize),
    /// All.
    All,
}

/// The object.
#[derive(Debug, Serialize)]
pub struct Inspection {
    /// `mgmt.evidence/1`.
    pub schema: &'static str,
    /// Numbers about everything read, by name; null where files disagree or the number is not finite.
    pub measurements: BTreeMap<String, Option<Number>>,
    /// The reports that were read.
    pub files: Vec<File>,
    /// Covered source files, if asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sources: Option<Vec<Source>>,
    /// Folders with all that lies under them, if source files are asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folders: Option<Vec<Source>>,
    /// Tests, if asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tests: Option<Vec<TestRow>>,
    /// What was lost, guessed or noticed.
    pub problems: Vec<Problem>,
}

/// A report file.
#[derive(Debug, Serialize)]
pub struct File {
    /// Its path.
    pub path: String,
    /// `tests`, `coverage` or `metrics`.
    pub kind: Kind,
    /// The format it was read as.
    pub format: String,
    /// Test cases, source files or numbers in it.
    pub entries: u64,
}

/// A covered source file, or a folder; `.` is the whole project.
#[derive(Debug, Serialize)]
pub struct Source {
    /// Its path.
    pub path: String,
    /// Executable lines with hits.
    pub lines_covered: u64,
    /// Executable lines.
    pub lines_total: u64,
    /// Branches taken.
    pub branches_covered: u64,
    /// Branches.
    pub branches_total: u64,
    /// Functions entered.
    pub functions_covered: u64,
    /// Functions.
    pub functions_total: u64,
}

/// A test.
#[derive(Debug, Serialize)]
pub struct TestRow {
    /// Suite names from the outside in, joined by ` > `.
    pub suite: String,
    /// Class, module or binary.
    pub class: String,
    /// Name with parameters.
    pub name: String,
    /// Source file, if given.
    pub file: Option<String>,
    /// How it ended.
    pub outcome: Outcome,
    /// Whether it was seen both to hold and not to hold.
    pub flaky: bool,
    /// How often it ran.
    pub attempts: u32,
    /// Seconds over all attempts.
    pub seconds: f64,
    /// What the failure said.
    pub message: Option<String>,
}

/// The object of some evidence.
#[must_use]
pub fn inspection(evidence: &Evidence, parts: Parts) -> Inspection {
    let measured = Measurements::of(evidence);
    let measurements =
        measured.by_name().into_iter().map(|(name, stated)| (name.to_owned(), agreed(stated).and_then(number)));
    Inspection {
        schema: SCHEMA,
        measurements: measurements.collect(),
        files: evidence
            .reports
            .iter()
            .map(|report| File {
                path: report.path.clone(),
                kind: report.kind,
                format: report.format.clone(),
                entries: report.entries,
            })
            .collect(),
        sources: parts
            .files
            .then(|| evidence.coverage.files().map(|(path, file)| source(path, file.summary())).collect()),
        folders: parts
            .files
            .then(|| folders(&evidence.coverage).into_iter().map(|(path, sum)| source(path, sum)).collect()),
        tests: (parts.tests != Tests::None).then(|| chosen(evidence, parts.tests).into_iter().map(row).collect()),
        problems: evidence.problems.iter().map(Problem::from).collect(),
    }
}

fn source(path: &str, sum: Totals) -> Source {
    Source {
        path: path.to_owned(),
        lines_covered: sum.lines.covered,
        lines_total: sum.lines.total,
        branches_covered: sum.branches.covered,
        branches_total: sum.branches.total,
        functions_covered: sum.functions.covered,
        functions_total: sum.functions.total,
    }
}

fn row((identity, test): (&Identity, &Test)) -> TestRow {
    TestRow {
        suite: identity.suite.to_string(),
        class: identity.class.to_string(),
        name: identity.name.to_string(),
        file: (!identity.file.is_empty()).then(|| identity.file.to_string()),
        outcome: test.outcome,
        flaky: test.flaky,
        attempts: test.attempts,
        seconds: test.seconds,
        message: test.message.as_deref().map(str::to_owned),
    }
}

fn chosen(evidence: &Evidence, which: Tests) -> Vec<(&Identity, &Test)> {
    let all = evidence.tests.iter();
    match which {
        Tests::None => Vec::new(),
        Tests::All => all.collect(),
        Tests::Failed => evidence.tests.failed(),
        Tests::Slowest(count) => {
            let mut tests: Vec<_> = all.collect();
            // Equal times keep the order of the report, so the list is the same every time.
            tests.sort_by(|(_, a), (_, b)| b.seconds.total_cmp(&a.seconds));
            tests.truncate(count);
            tests
        }
    }
}

/// For a terminal.
#[must_use]
pub fn human(evidence: &Evidence, parts: Parts) -> String {
    let mut out = String::new();
    for report in &evidence.reports {
        let what = match report.kind {
            Kind::Tests => text::plural(report.entries, "test case", "test cases"),
            Kind::Coverage => text::plural(report.entries, "source file", "source files"),
            Kind::Metrics => text::plural(report.entries, "number", "numbers"),
        };
        out.push_str(&format!("{}  {} {}, {what}\n", text::one_line(&report.path), report.format, report.kind.name()));
    }
    let measured = Measurements::of(evidence);
    let width = measured.iter().map(|one| one.name.chars().count()).max().unwrap_or(0);
    if width > 0 {
        out.push('\n');
    }
    for one in measured.iter() {
        let value = metric::unit(&one.name).alone(one.value);
        out.push_str(&format!("  {:<width$}  {value}\n", text::one_line(&one.name)));
    }
    if parts.files {
        let files = evidence.coverage.files().map(|(path, file)| (path, file.summary()));
        out.push_str(&sums("source files", files.collect()));
        out.push_str(&sums("folders", folders(&evidence.coverage).into_iter().collect()));
    }
    let which = if parts.tests == Tests::None { Tests::Failed } else { parts.tests };
    let tests = chosen(evidence, which);
    if !tests.is_empty() {
        let heading = match which {
            Tests::Failed => "failed tests",
            Tests::Slowest(_) => "slowest tests",
            Tests::All | Tests::None => "tests",
        };
        out.push_str(&format!("\n{heading}\n"));
    }
    for (identity, test) in tests {
        let flaky = if test.flaky { "  flaky" } else { "" };
        let name = text::one_line(&identity.display());
        out.push_str(&format!("  {:<7}  {:>9}  {name}{flaky}\n", word(test.outcome), format!("{:.3} s", test.seconds)));
        if let Some(message) =
            test.message.as_deref().and_then(|message| message.lines().find(|line| !line.trim().is_empty()))
        {
            out.push_str(&format!("             {}\n", text::shorten(&text::one_line(message.trim()), 140)));
        }
    }
    if !evidence.problems.is_empty() {
        out.push_str("\nproblems\n");
    }
    for problem in &evidence.problems {
        let place = match (&problem.file, problem.line) {
            (Some(file), Some(line)) => format!("{}:{line}: ", text::one_line(file)),
            (Some(file), None) => format!("{}: ", text::one_line(file)),
            _ => String::new(),
        };
        let level = if problem.level == Level::Note { "note" } else { "loss" };
        out.push_str(&format!("  {level}  {place}{}  [{}]\n", text::one_line(&problem.message), problem.code));
    }
    let mut hints: Vec<&str> = evidence.problems.iter().filter_map(|problem| problem.hint.as_deref()).collect();
    let mut seen = BTreeSet::new();
    hints.retain(|hint| seen.insert(*hint));
    hints.iter().for_each(|hint| out.push_str(&format!("  help: {}\n", text::one_line(hint))));
    // Without any report the first part begins the text.
    out.trim_start_matches('\n').to_owned()
}

/// A table with a heading; columns that no row fills are left out.
fn sums(heading: &str, rows: Vec<(&str, Totals)>) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let named = |sum: &Totals| [("lines", sum.lines), ("branches", sum.branches), ("functions", sum.functions)];
    let is_known = |at: usize| rows.iter().any(|(_, sum)| named(sum)[at].1.total > 0);
    let columns: Vec<_> = (0..3).filter(|at| is_known(*at)).collect();
    let mut cells: Vec<Vec<String>> = Vec::with_capacity(rows.len());
    for (path, sum) in &rows {
        let sums = columns.iter().map(|at| named(sum)[*at]).map(|(name, sum)| format!("{name} {}", ratio(sum)));
        cells.push(std::iter::once(text::one_line(path)).chain(sums).collect());
    }
    let width = |column: usize| cells.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<_> = (0..=columns.len()).map(width).collect();
    let mut out = format!("\n{heading}\n");
    for row in &cells {
        let padded: Vec<_> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        out.push_str(&format!("  {}\n", padded.join("  ").trim_end()));
    }
    out
}

fn ratio(ratio: Ratio) -> String {
    let percent =
        ratio.percent().map(|percent| format!(" ({})", metric::Unit::Percent.alone(percent))).unwrap_or_default();
    format!("{}/{}{percent}", ratio.covered, ratio.total)
}

fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Skipped => "skipped",
        Outcome::Passed => "passed",
        Outcome::Failed => "FAILED",
        Outcome::Errored => "ERROR",
    }
}

/// For a pull request.
#[must_use]
pub fn markdown(evidence: &Evidence, parts: Parts) -> String {
    let mut out = String::from("| report | format | about | entries |\n|---|---|---|---:|\n");
    for report in &evidence.reports {
        out.push_str(&format!(
            "| {} | {} | {} | {} |\n",
            cell_code(&report.path),
            report.format,
            report.kind.name(),
            report.entries
        ));
    }
    out.push_str("\n| metric | value |\n|---|---:|\n");
    for one in Measurements::of(evidence).iter() {
        out.push_str(&format!("| {} | {} |\n", cell_code(&one.name), metric::unit(&one.name).alone(one.value)));
    }
    if parts.files {
        let files = evidence.coverage.files().map(|(path, file)| (path, file.summary()));
        out.push_str(&markdown_sums("source file", files.collect()));
        out.push_str(&markdown_sums("folder", folders(&evidence.coverage).into_iter().collect()));
    }
    let tests = chosen(evidence, parts.tests);
    if !tests.is_empty() {
        out.push_str("\n| | test | time |\n|---|---|---:|\n");
    }
    for (identity, test) in tests {
        out.push_str(&format!(
            "| {} | {} | {:.3} s |\n",
            word(test.outcome),
            cell_code(&identity.display()),
            test.seconds
        ));
    }
    if !evidence.problems.is_empty() {
        out.push('\n');
    }
    for problem in &evidence.problems {
        let place = match (&problem.file, problem.line) {
            (Some(file), Some(line)) => format!("{}: ", cell_code(&format!("{file}:{line}"))),
            (Some(file), None) => format!("{}: ", cell_code(file)),
            _ => String::new(),
        };
        let level = if problem.level == Level::Note { "note" } else { "loss" };
        out.push_str(&format!("- **{level}** {place}{} ({})\n", prose(&problem.message), cell_code(&problem.code)));
    }
    out
}

fn markdown_sums(heading: &str, rows: Vec<(&str, Totals)>) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let mut out = format!("\n| {heading} | lines | branches | functions |\n|---|---:|---:|---:|\n");
    for (path, sum) in rows {
        let [lines, branches, functions] = [sum.lines, sum.branches, sum.functions].map(ratio);
        out.push_str(&format!("| {} | {lines} | {branches} | {functions} |\n", cell_code(path)));
    }
    out
}
