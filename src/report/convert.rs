//! Evidence in forms that other tools read: what several reports add up to, as one.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;

use super::evidence::{Parts, Tests, inspection};
use crate::evidence::coverage::{Coverage, File};
use crate::evidence::sink::Ratio;
use crate::evidence::tests::{Identity, Test};
use crate::evidence::{Evidence, Outcome};

/// What a form can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wants {
    /// Tests.
    Tests,
    /// Coverage.
    Coverage,
    /// All of it.
    Anything,
}

/// One row: a form.
pub struct Writer {
    /// Its name after `--to`.
    pub name: &'static str,
    /// What it holds.
    pub wants: Wants,
    /// The same in words.
    pub doc: &'static str,
    /// Writes the evidence.
    pub write: fn(&Evidence) -> String,
}

/// Every form.
pub const WRITERS: &[Writer] = &[
    Writer { name: "lcov", wants: Wants::Coverage, doc: "coverage", write: lcov },
    Writer { name: "cobertura", wants: Wants::Coverage, doc: "coverage", write: cobertura },
    Writer { name: "junit", wants: Wants::Tests, doc: "tests", write: junit },
    Writer { name: "json", wants: Wants::Anything, doc: "everything", write: json },
];

fn json(evidence: &Evidence) -> String {
    let all = inspection(evidence, Parts { files: true, tests: Tests::All });
    serde_json::to_string_pretty(&all).unwrap_or_default() + "\n"
}

/// What of the coverage a form by lines has no place for. Files of which only sums are known are lost altogether.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Files without lines.
    pub files: u64,
    /// Lines that have branches but are not executable themselves; they matter where branches hang on lines.
    pub lines: u64,
}

/// What [`WRITERS`] for coverage leave out.
#[must_use]
pub fn left_out(coverage: &Coverage) -> LeftOut {
    let mut out = LeftOut::default();
    for (_, file) in coverage.files() {
        out.files += u64::from(file.is_totals_only());
        let mut branches = file.branches_by_line();
        file.lines().for_each(|(line, _)| drop(branches.remove(&line)));
        out.lines += branches.len() as u64;
    }
    out
}

/// lcov 1.x, which every reader understands.
fn lcov(evidence: &Evidence) -> String {
    let mut out = String::new();
    for (path, file) in evidence.coverage.files().filter(|(_, file)| !file.is_totals_only()) {
        // A line break in a path would end the record: no tool can read such a name back.
        let _ = writeln!(out, "TN:\nSF:{}", path.replace(['\n', '\r'], "?"));
        let sum = file.summary();
        let functions = named_apart(file);
        for (name, line, _) in &functions {
            // A name that begins with a number and a comma would be read as one that follows its last line.
            let digits = name.find(|ch: char| !ch.is_ascii_digit()).unwrap_or(0);
            let last = if digits > 0 && name[digits..].starts_with(',') { format!("{line},") } else { String::new() };
            let _ = writeln!(out, "FN:{line},{last}{name}");
        }
        for (name, _, hits) in &functions {
            let _ = writeln!(out, "FNDA:{hits},{name}");
        }
        let _ = writeln!(out, "FNF:{}\nFNH:{}", sum.functions.total, sum.functions.covered);
        for (line, arms) in file.branches_by_line() {
            for (arm, taken) in arms.iter().enumerate() {
                let taken = taken.map_or_else(|| "-".to_owned(), |taken| taken.to_string());
                let _ = writeln!(out, "BRDA:{line},0,{arm},{taken}");
            }
        }
        let _ = writeln!(out, "BRF:{}\nBRH:{}", sum.branches.total, sum.branches.covered);
        for (line, hits) in file.lines() {
            let _ = writeln!(out, "DA:{line},{hits}");
        }
        let _ = writeln!(out, "LF:{}\nLH:{}\nend_of_record", sum.lines.total, sum.lines.covered);
    }
    out
}

/// Functions with line and hits. The form knows them by name alone: a name that is taken gets its line as well.
fn named_apart(file: &File) -> Vec<(String, u32, u64)> {
    let mut taken = HashSet::new();
    let functions = file.functions().map(|(name, line, hits)| {
        let mut name = name.replace(['\n', '\r'], "?");
        while !taken.insert(name.clone()) {
            let _ = write!(name, ":{line}");
        }
        (name, line, hits)
    });
    functions.collect()
}

/// Cobertura's coverage-04: one package a folder, one class a file.
fn cobertura(evidence: &Evidence) -> String {
    let sum = evidence.coverage.summary();
    let mut out = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE coverage SYSTEM \"http://cobertura.sourceforge.net/xml/coverage-04.dtd\">\n",
    );
    let _ = writeln!(
        out,
        "<coverage lines-valid=\"{}\" lines-covered=\"{}\" line-rate=\"{}\" branches-valid=\"{}\" branches-covered=\"{}\" branch-rate=\"{}\" complexity=\"0\" version=\"{}\" timestamp=\"0\">",
        sum.lines.total,
        sum.lines.covered,
        rate(sum.lines),
        sum.branches.total,
        sum.branches.covered,
        rate(sum.branches),
        crate::sys::VERSION
    );
    out.push_str("<sources><source>.</source></sources>\n<packages>\n");
    let mut packages: BTreeMap<&str, Vec<(&str, &File)>> = BTreeMap::new();
    for (path, file) in evidence.coverage.files().filter(|(_, file)| !file.is_totals_only()) {
        let folder = path.rsplit_once('/').map_or(".", |(folder, _)| folder);
        packages.entry(folder).or_default().push((path, file));
    }
    for (folder, files) in packages {
        let total = files.iter().map(|(_, file)| file.summary()).reduce(|a, b| a + b).unwrap_or_default();
        let (lines, branches) = (rate(total.lines), rate(total.branches));
        let _ = writeln!(
            out,
            "<package name=\"{}\" line-rate=\"{lines}\" branch-rate=\"{branches}\" complexity=\"0\"><classes>",
            xml(folder)
        );
        for (path, file) in files {
            class(&mut out, path, file);
        }
        out.push_str("</classes></package>\n");
    }
    out.push_str("</packages>\n</coverage>\n");
    out
}

fn class(out: &mut String, path: &str, file: &File) {
    let (sum, branches) = (file.summary(), file.branches_by_line());
    let name = path.rsplit('/').next().unwrap_or(path);
    let rates = (rate(sum.lines), rate(sum.branches));
    let _ = writeln!(
        out,
        "<class name=\"{}\" filename=\"{}\" line-rate=\"{}\" branch-rate=\"{}\" complexity=\"0\"><methods/><lines>",
        xml(name),
        xml(path),
        rates.0,
        rates.1
    );
    for (line, hits) in file.lines() {
        match branches.get(&line) {
            None => {
                let _ = writeln!(out, "<line number=\"{line}\" hits=\"{hits}\"/>");
            }
            Some(arms) => {
                let taken = arms.iter().filter(|taken| taken.is_some_and(|taken| taken > 0)).count();
                let (total, percent) = (arms.len(), taken * 100 / arms.len().max(1));
                let _ = writeln!(
                    out,
                    "<line number=\"{line}\" hits=\"{hits}\" branch=\"true\" condition-coverage=\"{percent}% ({taken}/{total})\"/>"
                );
            }
        }
    }
    out.push_str("</lines></class>\n");
}

fn rate(ratio: Ratio) -> String {
    crate::sys::text::number(ratio.percent().unwrap_or(0.0) / 100.0)
}

/// Attempts of one test that are written out.
const RERUNS: u32 = 100;

/// JUnit XML as most readers expect it: one suite a suite, reruns as their own elements.
fn junit(evidence: &Evidence) -> String {
    let mut suites: BTreeMap<&str, Vec<(&Identity, &Test)>> = BTreeMap::new();
    for (identity, test) in evidence.tests.iter() {
        suites.entry(&identity.suite).or_default().push((identity, test));
    }
    let sum = evidence.tests.summary();
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let wall = sum.wall_seconds.map(|seconds| format!(" time=\"{seconds}\"")).unwrap_or_default();
    let _ = writeln!(
        out,
        "<testsuites tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\"{wall}>",
        sum.total,
        sum.failed - sum.errors,
        sum.errors,
        sum.skipped,
    );
    for (name, tests) in suites {
        let count = |wanted: Outcome| tests.iter().filter(|(_, test)| test.outcome == wanted).count();
        let (failed, errored, skipped) = (count(Outcome::Failed), count(Outcome::Errored), count(Outcome::Skipped));
        let _ = writeln!(
            out,
            "<testsuite name=\"{}\" tests=\"{}\" failures=\"{failed}\" errors=\"{errored}\" skipped=\"{skipped}\">",
            xml(name),
            tests.len()
        );
        for (identity, test) in tests {
            case(&mut out, identity, test);
        }
        out.push_str("</testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}

fn case(out: &mut String, identity: &Identity, test: &Test) {
    let file = if identity.file.is_empty() { String::new() } else { format!(" file=\"{}\"", xml(&identity.file)) };
    let _ = write!(
        out,
        "<testcase name=\"{}\" classname=\"{}\"{file} time=\"{}\">",
        xml(&identity.name),
        xml(&identity.class),
        test.seconds
    );
    let message = test.message.as_deref().unwrap_or_default();
    let first = message.lines().next().unwrap_or_default();
    let more = test.attempts.saturating_sub(1);
    let (reruns, rerun) = match (test.outcome, test.flaky) {
        (Outcome::Passed, true) => (more.max(1), "<flakyFailure/>"),
        // Nothing stands for a test that passed several times.
        (Outcome::Passed | Outcome::Skipped, _) => (0, ""),
        (_, true) => (more.max(1), "<flakyFailure/>"),
        (Outcome::Failed, false) => (more, "<rerunFailure/>"),
        (Outcome::Errored, false) => (more, "<rerunError/>"),
    };
    match test.outcome {
        Outcome::Passed => {}
        Outcome::Skipped => out.push_str("<skipped/>"),
        Outcome::Failed => {
            let _ = write!(out, "<failure message=\"{}\">{}</failure>", xml(first), xml(message));
        }
        Outcome::Errored => {
            let _ = write!(out, "<error message=\"{}\">{}</error>", xml(first), xml(message));
        }
    }
    out.push_str(&rerun.repeat(reruns.min(RERUNS) as usize));
    out.push_str("</testcase>\n");
}

/// Text for an attribute or an element: markup escaped, characters that XML 1.0 forbids replaced.
fn xml(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    for ch in raw.chars() {
        match ch {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            '\t' => out.push_str("&#9;"),
            '\r' => out.push_str("&#13;"),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            ch => out.push(ch),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{Limits, Measurements, Origin, Repeats, collect, format};

    fn read(name: &str, text: &str) -> Evidence {
        let origin = Origin { check: "", path: "x", repeats: Repeats::Worst };
        collect::read(text.as_bytes(), None, format(name), &origin, &Limits::default())
    }

    fn numbers(evidence: &Evidence) -> Vec<(String, f64)> {
        Measurements::of(evidence).iter().map(|one| (one.name.clone(), one.value)).collect()
    }

    #[test]
    fn coverage_reads_back_with_the_same_sums() {
        let lcov_in = "SF:a/x.c\nFN:1,f<a, b>\nFNDA:2,f<a, b>\nBRDA:2,0,0,3\nBRDA:2,0,1,-\nDA:1,2\nDA:2,0\nend_of_record\nSF:y&<z>.c\nDA:7,18446744073709551615\nend_of_record\n";
        let evidence = read("lcov", lcov_in);
        assert_eq!(numbers(&read("lcov", &lcov(&evidence))), numbers(&evidence));
        let again = read("cobertura", &cobertura(&evidence));
        assert_eq!(again.problems, []);
        let (a, b) = (again.coverage.summary(), evidence.coverage.summary());
        assert_eq!((a.lines, a.branches), (b.lines, b.branches));
        let counted = read(
            "cobertura",
            "<coverage><class filename=\"a\"><lines><line number=\"1\" hits=\"1\" condition-coverage=\"66% (2/3)\"/></lines></class></coverage>",
        );
        assert_eq!(read("lcov", &lcov(&counted)).coverage.summary().branches, Ratio { covered: 2, total: 3 });
    }

    #[test]
    fn reruns_read_back() {
        let junit_in = "<testsuite name='s' time='0.25'><testcase name='a' time='0.0000125'><failure/><rerunFailure/><rerunFailure/></testcase><testcase name='b'><error/><rerunError/></testcase><testcase name='c'><failure/></testcase><testcase name='c'/></testsuite>";
        let evidence = read("junit", junit_in);
        let again = read("junit", &junit(&evidence));
        assert_eq!((again.problems.clone(), numbers(&again)), (vec![], numbers(&evidence)));
    }

    #[test]
    fn what_has_no_lines_is_counted_as_left_out() {
        let summary = r#"{"total": {}, "a.js": {"lines": {"total": 2, "covered": 1}}}"#;
        assert_eq!(left_out(&read("istanbul-summary", summary).coverage), LeftOut { files: 1, lines: 0 });
        let branch = "SF:a\nDA:1,1\nBRDA:1,0,0,1\nBRDA:2,0,0,1\nBRDA:2,0,1,0\nend_of_record\n";
        assert_eq!(left_out(&read("lcov", branch).coverage), LeftOut { files: 0, lines: 1 });
    }

    #[test]
    fn tests_read_back_with_the_same_sums_whatever_their_names() {
        let junit_in = "<testsuites><testsuite name='a &lt;b&gt;'><testcase classname='c' name='q\"&#10;' file='f.py' time='0.5'><failure message='m &amp; n'>t]]&gt;</failure></testcase><testcase name='ok'><flakyFailure/></testcase><testcase name='\u{1b}[31m'><skipped/></testcase><testcase name='e'><error/></testcase></testsuite></testsuites>";
        let evidence = read("junit", junit_in);
        let again = read("junit", &junit(&evidence));
        assert_eq!(again.problems, []);
        assert_eq!(numbers(&again), numbers(&evidence));
    }
}
