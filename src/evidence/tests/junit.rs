//! JUnit XML in the dialects of the tools that write it.
//!
//! There is no single standard; what is read here is what tools were seen to write: roots `testsuites` or a
//! bare `testsuite`, suites nested to any depth, several outcome elements in one case, reruns as
//! `flakyFailure`, `flakyError`, `rerunFailure`, `rerunError`, skips as elements or as `status`/`result`.
//! Totals in attributes are only compared, never believed.

use std::io::BufRead;

use super::super::problem::{CHANGED, REPAIRED, TOTALS_ONLY, TRUNCATED};
use super::super::sink::{Case, Outcome, Sink};
use super::super::source::Counted;
use super::super::xml::{Element, Kept, Stop, Token, Xml, unescape};
use super::super::{Bound, Format, Kind, Limits, Problem, ReadError};
use super::bounds;
use super::junit_words::{TEXT_ELEMENTS, Use, is_failed_to_start, outcome_of_word, seconds};
use crate::sys::text;

/// The table row.
pub const FORMAT: Format = Format {
    name: "junit",
    kind: Kind::Tests,
    doc: "JUnit XML: pytest, nextest, surefire, Gradle, jest-junit, go-junit-report, ctest, gtest, PHPUnit, mocha.",
    sniff,
    read,
    sample: SAMPLE,
};

const SAMPLE: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<testsuites name="pytest tests"><testsuite name="pytest" errors="0" failures="1" skipped="1" tests="4" time="0.021" timestamp="2026-11-22T10:00:00+00:00" hostname="ci">
<testcase classname="tests.test_price" name="test_mean[a&lt;b]" time="0.001" />
<testcase classname="tests.test_price" name="test_median" time="0.002"><failure message="assert 2 == 3">def test_median():
&gt;       assert 2 == 3</failure></testcase>
<testcase classname="tests.test_price" name="test_later" time="0.000"><skipped type="pytest.skip" message="needs data">tests/test_price.py:9: needs data</skipped></testcase>
<testcase classname="tests.test_price" name="test_retry" time="0.004"><flakyFailure message="timed out"><system-out>...</system-out></flakyFailure></testcase>
</testsuite></testsuites>
"#;

fn sniff(head: &[u8]) -> bool {
    ["<testsuite", "<testcase"].iter().any(|tag| memchr::memmem::find(head, tag.as_bytes()).is_some())
}

/// A suite that is open.
struct Suite {
    line: u64,
    declared_tests: Option<u64>,
    declared_failures: u64,
    file: Option<String>,
    cases: u64,
    attempts: u64,
    has_suites: bool,
    outcome: Option<(Outcome, Option<String>)>,
    /// From its start to its end, as it states, and as the suites in it add up to.
    seconds: Option<f64>,
    inner_seconds: Option<f64>,
}

/// A case that is open.
#[derive(Default)]
struct Open {
    line: u64,
    class: String,
    name: String,
    file: Option<String>,
    source_line: Option<u32>,
    seconds: Option<f64>,
    /// From outcome elements and from `status`/`result`: the worst.
    outcome: Option<Outcome>,
    message: Option<String>,
    reruns: u32,
    flaky: bool,
    /// Whether `status="notrun"` stands alone: ctest's, of which the message tells whether that was on purpose.
    is_not_run: bool,
    /// Whether it is declared as unfinished: then its failure is known.
    is_todo: bool,
}

struct Reader<'s> {
    sink: &'s mut dyn Sink,
    limits: Limits,
    names: Vec<String>,
    suites: Vec<Suite>,
    open: Option<Open>,
    /// The names of a case before, empty: their memory serves the next one.
    spare: [String; 2],
    /// Whether each open element is a suite or a case, so that its end is known for what it is.
    nesting: Vec<Nesting>,
    /// What the root states as the time of all its suites.
    root_seconds: Option<f64>,
    cases: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Nesting {
    Suite,
    Case,
    Other,
}

fn read(input: &mut dyn BufRead, sink: &mut dyn Sink, limits: &Limits) -> Result<(), ReadError> {
    let mut xml = Xml::new(Counted::new(input, limits), limits);
    let mut reader = Reader {
        sink,
        limits: *limits,
        names: Vec::new(),
        suites: Vec::new(),
        open: None,
        spare: Default::default(),
        nesting: Vec::new(),
        root_seconds: None,
        cases: 0,
    };
    match reader.run(&mut xml) {
        Ok(()) => Ok(()),
        Err(stop) => {
            let line = xml.line();
            reader.salvage();
            stop.tell(line, reader.sink)
        }
    }
}

impl Reader<'_> {
    fn run(&mut self, xml: &mut Xml<'_>) -> Result<(), Stop> {
        loop {
            match xml.next()? {
                Token::End => return Ok(()),
                Token::Other => {}
                Token::Close => self.close()?,
                Token::Empty(element) => {
                    let depth = self.nesting.len();
                    self.element(&element, element.line);
                    // Suites and cases end at once; nothing else was opened.
                    if self.nesting.last().is_some_and(|nesting| *nesting != Nesting::Other)
                        && self.nesting.len() > depth
                    {
                        self.close()?;
                    }
                    self.nesting.truncate(depth);
                }
                Token::Open(element) => {
                    let long = self.element(&element, element.line);
                    if let Some((name, use_)) = long {
                        let mut kept = Kept::new(if use_ == Use::Message { self.limits.message_bytes } else { 0 });
                        let done = xml.content(name, |bytes, piece| kept.add(bytes, piece));
                        if use_ == Use::Message {
                            self.add_text(kept);
                        }
                        self.nesting.push(Nesting::Other);
                        done?;
                    }
                }
            }
        }
    }

    /// Takes in a start tag. Returns the name of an element whose content is text to keep or to skip.
    fn element(&mut self, element: &Element<'_>, line: u64) -> Option<(&'static str, Use)> {
        let name = element.name();
        match name {
            "testsuite" => self.open_suite(element, line),
            "testcase" => self.open_case(element, line),
            _ => {
                if name == "testsuites" && self.nesting.is_empty() {
                    self.root(element);
                }
                let Some(text) = TEXT_ELEMENTS.iter().find(|(known, _)| *known == name) else {
                    self.nesting.push(Nesting::Other);
                    return None;
                };
                match name {
                    "failure" => self.outcome(element, Outcome::Failed),
                    "error" => self.outcome(element, Outcome::Errored),
                    "skipped" if self.open.is_some() => self.outcome(element, Outcome::Skipped),
                    "flakyFailure" | "flakyError" | "rerunFailure" | "rerunError" => {
                        if let Some(open) = &mut self.open {
                            open.reruns = open.reruns.saturating_add(1);
                            // A rerun under a failed case repeats the failure; flaky is a case that went both ways.
                            open.flaky |= name.starts_with("flaky");
                        }
                    }
                    _ => {}
                }
                return Some(*text);
            }
        }
        None
    }

    fn root(&mut self, element: &Element<'_>) {
        self.root_seconds = element.attributes().find(|(key, _)| *key == "time").and_then(|(_, value)| seconds(value));
        if self.root_seconds.is_some() {
            self.sink.wall(self.root_seconds);
        }
    }

    fn open_suite(&mut self, element: &Element<'_>, line: u64) {
        if self.nesting.is_empty() {
            self.root_seconds = None;
        }
        self.nesting.push(Nesting::Suite);
        let mut suite = Suite {
            line,
            declared_tests: None,
            declared_failures: 0,
            file: None,
            cases: 0,
            attempts: 0,
            has_suites: false,
            outcome: None,
            seconds: None,
            inner_seconds: Some(0.0),
        };
        let mut name = String::new();
        for (key, value) in element.attributes() {
            match key {
                "name" => name = unescape(value).into_owned(),
                "file" | "filepath" => suite.file = Some(unescape(value).into_owned()),
                "time" => suite.seconds = seconds(value),
                "tests" => suite.declared_tests = value.trim().parse().ok(),
                "failures" | "errors" => {
                    let more = value.trim().parse().unwrap_or(0);
                    suite.declared_failures = suite.declared_failures.saturating_add(more);
                }
                _ => {}
            }
        }
        let name = self.bounded(name, line);
        if let Some(parent) = self.suites.last_mut() {
            parent.has_suites = true;
        }
        self.names.push(name);
        self.suites.push(suite);
    }

    fn open_case(&mut self, element: &Element<'_>, line: u64) {
        if self.open.is_some() {
            // A case inside a case: the outer one was never closed.
            self.salvage_case();
        }
        if self.nesting.is_empty() && self.cases == 0 {
            self.sink.problem(Problem::new(&REPAIRED, "test cases stand outside any suite").at_line(line));
        }
        self.nesting.push(Nesting::Case);
        let [name, class] = std::mem::take(&mut self.spare);
        let mut open = Open { line, name, class, ..Open::default() };
        for (key, value) in element.attributes() {
            match key {
                "name" => set(&mut open.name, &unescape(value)),
                "classname" => set(&mut open.class, &unescape(value)),
                "class" if open.class.is_empty() => set(&mut open.class, &unescape(value)),
                "file" | "filepath" => open.file = Some(unescape(value).into_owned()),
                "line" => open.source_line = value.trim().parse().ok(),
                "time" => open.seconds = seconds(value),
                "status" | "result" => {
                    open.is_not_run = key == "status" && value == "notrun";
                    open.outcome = open.outcome.max(outcome_of_word(value));
                }
                _ => {}
            }
        }
        open.name = self.bounded(std::mem::take(&mut open.name), line);
        open.class = self.bounded(std::mem::take(&mut open.class), line);
        if open.name.is_empty() {
            open.name = "(unnamed)".into();
            self.sink
                .problem(Problem::new(&REPAIRED, "a test case without a name is counted as `(unnamed)`").at_line(line));
        }
        self.open = Some(open);
    }

    /// An outcome element of a case, or of a suite where no case is open.
    fn outcome(&mut self, element: &Element<'_>, outcome: Outcome) {
        let message =
            element.attributes().find(|(key, _)| *key == "message").map(|(_, value)| unescape(value).into_owned());
        let message = message.map(|message| bounds::cut(message, self.limits.message_bytes));
        if let Some(open) = &mut self.open {
            let not_run = message.as_deref().is_some_and(is_failed_to_start);
            let outcome = if open.is_not_run && not_run { Outcome::Errored } else { outcome };
            open.is_todo |= outcome == Outcome::Skipped
                && element.attributes().any(|(key, value)| key == "type" && value.eq_ignore_ascii_case("todo"));
            let worse = open.outcome.is_none_or(|seen| seen < outcome);
            if worse {
                open.outcome = Some(outcome);
            }
            if worse || open.message.is_none() {
                open.message = message.or(open.message.take());
            }
        } else if let Some(suite) = self.suites.last_mut()
            && suite.outcome.as_ref().is_none_or(|(seen, _)| *seen < outcome)
        {
            suite.outcome = Some((outcome, message));
        }
    }

    /// The text inside the outcome element just read.
    fn add_text(&mut self, kept: Kept) {
        let was_cut = kept.cut;
        let mut text = kept.finish();
        if was_cut {
            text.push_str("\n… (cut here)");
        }
        let slot = match (&mut self.open, self.suites.last_mut()) {
            (Some(open), _) => &mut open.message,
            (None, Some(Suite { outcome: Some((_, message)), .. })) => message,
            _ => return,
        };
        match slot {
            Some(message) if !text.is_empty() && !text.starts_with(message.as_str()) => {
                let joined = format!("{message}\n{text}");
                *message = bounds::cut(joined, self.limits.message_bytes);
            }
            _ if text.is_empty() => {}
            _ => *slot = Some(text),
        }
    }

    fn close(&mut self) -> Result<(), Stop> {
        match self.nesting.pop() {
            Some(Nesting::Case) => self.close_case()?,
            Some(Nesting::Suite) => self.close_suite(),
            Some(Nesting::Other) | None => {}
        }
        Ok(())
    }

    fn close_case(&mut self) -> Result<(), Stop> {
        let Some(open) = self.open.take() else { return Ok(()) };
        self.cases += 1;
        if self.cases > self.limits.entries {
            return Err(Stop::Fatal(self.limits.passed(Bound::Entries, "the number of test cases")));
        }
        self.tell(&open);
        let Open { mut name, mut class, .. } = open;
        name.clear();
        class.clear();
        self.spare = [name, class];
        Ok(())
    }

    fn tell(&mut self, open: &Open) {
        match self.suites.last_mut() {
            Some(suite) => {
                suite.cases += 1;
                suite.attempts += 1 + u64::from(open.reruns);
            }
            None => self.outermost(open.seconds),
        }
        let outcome = open.outcome.unwrap_or(Outcome::Passed);
        // `node --test` writes the known failure of a `todo` test beside that word, and fails no run for it.
        let outcome = if open.is_todo { Outcome::Skipped } else { outcome };
        let suite_file = || self.suites.iter().rev().find_map(|suite| suite.file.as_deref());
        self.sink.case(&Case {
            suites: &self.names,
            class: &open.class,
            name: &open.name,
            file: open.file.as_deref().or_else(suite_file),
            line: open.source_line,
            outcome,
            seconds: open.seconds,
            message: open.message.as_deref().filter(|message| outcome.is_failure() && !message.is_empty()),
            reruns: open.reruns,
            flaky: open.flaky,
        });
    }

    fn close_suite(&mut self) {
        let Some(suite) = self.suites.pop() else { return };
        self.wall(&suite);
        let name = self.names.last().cloned().unwrap_or_default();
        let shown = text::shorten(&text::one_line(&name), 80);
        if let Some((outcome, message)) = &suite.outcome {
            // The suite itself broke: one failed test named after it.
            let own = Open {
                line: suite.line,
                name: if name.is_empty() { "(suite)".into() } else { name.clone() },
                outcome: Some(*outcome),
                message: message.clone(),
                ..Open::default()
            };
            self.tell(&own);
        } else if suite.cases == 0 && !suite.has_suites {
            if suite.declared_failures > 0 {
                let own = Open {
                    line: suite.line,
                    name: shown.clone(),
                    outcome: Some(Outcome::Failed),
                    message: Some("the suite states failures but lists no test case".into()),
                    ..Open::default()
                };
                self.tell(&own);
            }
            if let Some(tests @ 1..) = suite.declared_tests {
                let told =
                    format!("the suite `{shown}` states {} but lists none", text::plural(tests, "test", "tests"));
                self.sink.problem(Problem::new(&TOTALS_ONLY, told).at_line(suite.line));
            }
        } else if let Some(tests) = suite.declared_tests
            // surefire counts attempts.
            && !suite.has_suites
            && ![suite.cases, suite.attempts].contains(&tests)
        {
            let told = format!(
                "the suite `{shown}` states {} and lists {}",
                text::plural(tests, "test", "tests"),
                suite.cases
            );
            self.sink.problem(Problem::new(&CHANGED, told).at_line(suite.line));
        }
        self.names.pop();
    }

    /// A suite's own time, or that of the suites in it; one without cases takes none.
    fn wall(&mut self, suite: &Suite) {
        let wall = suite.seconds.or(suite.inner_seconds.filter(|_| suite.cases == 0));
        match self.suites.last_mut() {
            Some(outer) => outer.inner_seconds = outer.inner_seconds.zip(wall).map(|(sum, more)| sum + more),
            None => self.outermost(wall),
        }
    }

    /// The time of what stands directly under the root. Some writers put a 0 there for what they did not measure.
    fn outermost(&mut self, wall: Option<f64>) {
        match self.root_seconds {
            Some(0.0) => self.sink.wall(wall.or(Some(0.0))),
            Some(_) => {}
            None => self.sink.wall(wall),
        }
    }

    /// What was open when reading stopped: a case with an outcome counts, one without is dropped and named.
    fn salvage(&mut self) {
        self.salvage_case();
        while let Some(suite) = self.suites.last_mut() {
            // Its totals cannot be held against what was cut off.
            suite.declared_tests = None;
            suite.cases = suite.cases.max(1);
            self.close_suite();
        }
    }

    fn salvage_case(&mut self) {
        let Some(open) = self.open.take() else { return };
        let name = text::shorten(&text::one_line(&open.name), 120);
        if open.outcome.is_some() {
            self.tell(&open);
        } else {
            let told = format!("the test case `{name}` has no end and no outcome; it is not counted");
            self.sink.problem(Problem::new(&TRUNCATED, told).at_line(open.line));
        }
    }

    fn bounded(&mut self, name: String, line: u64) -> String {
        bounds::name(self.sink, &self.limits, name, line)
    }
}

fn set(name: &mut String, value: &str) {
    name.clear();
    name.push_str(value);
}

#[cfg(test)]
mod unit_tests {
    use super::super::super::collect::read_text;
    use super::super::super::{Evidence, Level};
    use super::*;

    fn evidence(xml: &str) -> Evidence {
        read_text(&FORMAT, xml)
    }

    fn counts(xml: &str) -> (u64, u64, u64, u64, u64) {
        let sum = evidence(xml).tests.summary();
        (sum.total, sum.passed, sum.failed, sum.errors, sum.skipped)
    }

    #[test]
    fn self_closing_outcomes_count() {
        assert_eq!(
            counts(
                r#"<testsuite><testcase name="a"><failure/></testcase><testcase name="b"><error message="x"/></testcase></testsuite>"#
            ),
            (2, 0, 2, 1, 0)
        );
        assert_eq!(
            counts(
                r#"<testsuite><testcase name="a"><failure/><error/></testcase><testcase name="b"><skipped/></testcase></testsuite>"#
            ),
            (2, 0, 1, 1, 1)
        );
    }

    #[test]
    fn a_cut_keeps_what_was_said_and_names_what_was_lost() {
        let told = evidence(
            "<testsuites><testsuite name=\"s\" tests=\"3\">\n<testcase name=\"a\"/>\n<testcase name=\"b\"><failure message=\"no\">trace\n",
        );
        assert_eq!((told.tests.summary().passed, told.tests.summary().failed), (1, 1));
        assert_eq!(
            told.problems.iter().map(|p| (p.level, p.code.as_str(), p.line)).collect::<Vec<_>>(),
            [(Level::Loss, "evidence.truncated", Some(4))]
        );
        let told = evidence("<testsuite>\n<testcase name=\"a\"/>\n<testcase name=\"b\" time=\"1\">\n<system-out>xx");
        assert_eq!(told.tests.summary().total, 1);
        assert_eq!(told.problems[0].message, "the test case `b` has no end and no outcome; it is not counted");
    }

    #[test]
    fn nested_suites_add_no_levels_and_a_suite_that_breaks_is_a_failed_test() {
        let xml = r#"<testsuites tests="9"><testsuite name="project" tests="2"><testsuite name="Class" tests="2"><testcase name="a"/><testcase name="b"/></testsuite></testsuite>
            <testsuite name="broken" tests="0" errors="1"><error message="no import">trace</error></testsuite></testsuites>"#;
        assert_eq!(counts(xml), (3, 2, 1, 1, 0));
        let told = evidence(xml);
        let (identity, test) = told.tests.iter().last().unwrap();
        assert_eq!((&*identity.name, test.message.as_deref()), ("broken", Some("no import\ntrace")));
        assert!(told.problems.is_empty(), "{:?}", told.problems);
    }

    #[test]
    fn reruns_are_attempts_and_not_tests() {
        let told = evidence(
            r#"<testsuite><testcase name="a"><flakyFailure message="x"><stackTrace>at &lt;init&gt;</stackTrace></flakyFailure></testcase>
            <testcase name="b"><failure/><rerunFailure/><rerunError/></testcase></testsuite>"#,
        );
        let sum = told.tests.summary();
        assert_eq!((sum.total, sum.passed, sum.failed, sum.flaky, sum.attempts), (2, 1, 1, 1, 5));
    }

    #[test]
    fn totals_without_cases_are_never_a_pass() {
        let told = evidence(r#"<testsuite name="s" tests="12" failures="0"/>"#);
        assert!(told.tests.is_empty());
        assert_eq!(told.problems[0].code, "evidence.totals-only");
        assert_eq!(counts(r#"<testsuite name="s" tests="12" failures="2"/>"#), (1, 0, 1, 0, 0));
    }

    #[test]
    fn words_for_skips_times_and_illegal_characters() {
        assert_eq!(
            counts(
                "<testsuite><testcase name=\"a\" status=\"disabled\"/><testcase name=\"b\" result=\"suppressed\"/><testcase name=\"c\" status=\"run\"/></testsuite>"
            ),
            (3, 1, 0, 0, 2)
        );
        let told = evidence(
            "<testsuite><testcase name=\"a\" time=\"1,234.5\"/><testcase name=\"\u{1b}[31mb&#27;&#0;&xxe;\" time=\"NaN\"/></testsuite>",
        );
        assert_eq!(told.tests.summary().seconds, 1234.5);
        assert_eq!(told.tests.iter().last().unwrap().0.name.to_string(), "\u{1b}[31mb\u{1b}&#0;&xxe;");
    }

    #[test]
    fn long_names_are_cut_but_stay_apart_and_huge_output_is_skipped() {
        let long = "x".repeat(5_000);
        let xml = format!(
            "<testsuite><testcase name=\"{long}a\"/><testcase name=\"{long}b\"><system-out>{}</system-out></testcase></testsuite>",
            "y".repeat(1 << 20)
        );
        let told = evidence(&xml);
        assert_eq!(told.tests.len(), 2);
        assert!(told.problems.iter().all(|problem| problem.level == Level::Note));
    }

    #[test]
    fn the_wall_time_is_that_of_the_outermost_suites() {
        let wall = |xml: &str| evidence(xml).tests.summary().wall_seconds;
        let case = r#"<testcase name="a" time="9"/>"#;
        let suite = |time: &str| format!("<testsuite {time}>{case}</testsuite>");
        let (two, three, none) = (suite("time='2'"), suite("time='3'"), suite(""));
        assert_eq!(wall(&two), Some(2.0));
        assert_eq!(wall(&format!("<testsuites>{two}{three}</testsuites>")), Some(5.0));
        // They ran at the same time: the root says so.
        assert_eq!(wall(&format!("<testsuites time='4'>{two}{three}</testsuites>")), Some(4.0));
        assert_eq!(wall(&format!("<testsuites time='0'>{two}{three}</testsuites>")), Some(5.0));
        assert_eq!(
            wall(&format!("<testsuites><testsuite time='1,007.5'>{two}</testsuite></testsuites>")),
            Some(1007.5)
        );
        assert_eq!(wall(&format!("<testsuite>{two}<testsuite>{three}</testsuite></testsuite>")), Some(5.0));
        // Two documents in one file.
        assert_eq!(wall(&format!("<testsuites time='4'>{two}</testsuites>{three}")), Some(7.0));
        // A sum that misses a suite would be too small.
        assert_eq!(wall(&format!("<testsuites>{two}{none}</testsuites>")), None);
        assert_eq!(wall(&format!("<testsuite>{two}{case}</testsuite>")), None);
        assert_eq!((wall(case), wall("<testcase name='a'/>")), (Some(9.0), None));
        assert_eq!(wall(&format!("<testsuites>{two}<testsuite/></testsuites>")), Some(2.0));
    }

    #[test]
    fn a_document_type_is_never_resolved() {
        let told = evidence(
            "<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><testsuite><testcase name=\"&b;\"/></testsuite>",
        );
        assert_eq!(told.tests.iter().next().unwrap().0.name.to_string(), "&b;");
    }
}
