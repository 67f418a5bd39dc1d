//! TRX, the XML of `dotnet test --logger trx`, VSTest and MSTest.
//!
//! Outcomes are those of the schema `TestOutcome`: `NotExecuted` and `Inconclusive` are skips (VSTest maps an
//! inconclusive assertion to "not executed"; neither fails a run), `Failed` is a failure, and whatever else is no
//! pass (`Error`, `Timeout`, `Aborted`, `PassedButRunAborted`, `NotRunnable`, `Disconnected`, `InProgress`,
//! `Pending`, none at all) is an error. A result with inner results (data rows, ordered tests) is their sum and is
//! not counted again, unless it failed although none of them did. A run that failed without a failed test (the
//! test host crashed) is one test `(test run)` that could not run.
//!
//! Classes and assemblies stand after the results, under the tests' ids: so results are held until the end, bounded
//! by the limit on entries.

use std::collections::HashMap;
use std::io::BufRead;
use std::rc::Rc;

use super::super::problem::{CHANGED, REPAIRED, TRUNCATED};
use super::super::sink::{Case, Outcome, Sink};
use super::super::source::Counted;
use super::super::xml::{Element, Kept, Stop, Token, Xml, unescape};
use super::super::{Bound, Format, Kind, Limits, Problem, ReadError};
use super::bounds;
use crate::sys::text;

/// The table row.
pub const FORMAT: Format = Format {
    name: "trx",
    kind: Kind::Tests,
    doc: "TRX: `dotnet test --logger trx`, VSTest, MSTest.",
    sniff,
    read,
    sample: SAMPLE,
};

const SAMPLE: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<TestRun id="5d3b7ac5-6a39-4f0b-9d8c-0a0f8d2f7c11" name="ci 2026-11-22 10:00:00" xmlns="http://microsoft.com/schemas/VisualStudio/TeamTest/2010">
  <Results>
    <UnitTestResult executionId="a1" testId="0a1b2c3d-0000-0000-0000-000000000001" testName="Mean" duration="00:00:00.0123456" outcome="Passed" />
    <UnitTestResult executionId="a2" testId="0a1b2c3d-0000-0000-0000-000000000002" testName="Median" duration="00:00:01.5" outcome="Failed">
      <Output><ErrorInfo><Message>Assert.Equal() Failure</Message><StackTrace>   at Shop.Tests.PriceTest.Median()</StackTrace></ErrorInfo></Output>
    </UnitTestResult>
    <UnitTestResult executionId="a3" testId="0a1b2c3d-0000-0000-0000-000000000003" testName="Later" outcome="NotExecuted" />
  </Results>
  <TestDefinitions>
    <UnitTest name="Mean" storage="/src/bin/shop.tests.dll" id="0a1b2c3d-0000-0000-0000-000000000001"><Execution id="a1" /><TestMethod codeBase="/src/bin/Shop.Tests.dll" className="Shop.Tests.PriceTest" name="Mean" /></UnitTest>
    <UnitTest name="Median" storage="/src/bin/shop.tests.dll" id="0a1b2c3d-0000-0000-0000-000000000002"><TestMethod className="Shop.Tests.PriceTest" name="Median" /></UnitTest>
    <UnitTest name="Later" storage="/src/bin/shop.tests.dll" id="0a1b2c3d-0000-0000-0000-000000000003"><TestMethod className="Shop.Tests.PriceTest" name="Later" /></UnitTest>
  </TestDefinitions>
  <ResultSummary outcome="Failed"><Counters total="3" executed="2" passed="1" failed="1" error="0" /></ResultSummary>
</TestRun>
"#;

fn sniff(head: &[u8]) -> bool {
    memchr::memmem::find(head, b"<TestRun").is_some()
}

/// What an open element is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Nesting {
    Result,
    Inner,
    Definition,
    RunInfo,
    ErrorInfo,
    Other,
}

/// A result that is open.
#[derive(Default)]
struct Open {
    line: u64,
    held: Held,
    /// Inner results, and whether one of them failed.
    inner: u64,
    has_failed_inner: bool,
    /// Whether it says itself that it has inner results.
    is_sum: bool,
}

/// A result until its class is known.
#[derive(Default)]
struct Held {
    line: u64,
    id: u64,
    name: Box<str>,
    outcome: Option<Outcome>,
    seconds: Option<f64>,
    message: Option<Box<str>>,
}

/// Where a test is defined.
#[derive(Default)]
struct Definition {
    id: u64,
    storage: String,
    class: String,
}

struct Reader<'s> {
    sink: &'s mut dyn Sink,
    limits: Limits,
    nesting: Vec<Nesting>,
    open: Vec<Open>,
    held: Vec<Held>,
    /// Results at the top, held against the counters.
    top: u64,
    definition: Option<Definition>,
    /// Assembly and class by the test's id.
    definitions: HashMap<u64, (Rc<str>, Rc<str>)>,
    names: HashMap<String, Rc<str>>,
    /// What the run itself said where it failed.
    run_failure: Option<(u64, String)>,
    is_run_error: bool,
    run_outcome: Option<(u64, String)>,
    counted: Option<(u64, u64)>,
}

fn read(input: &mut dyn BufRead, sink: &mut dyn Sink, limits: &Limits) -> Result<(), ReadError> {
    let mut xml = Xml::new(Counted::new(input, limits), limits);
    let mut reader = Reader {
        sink,
        limits: *limits,
        nesting: Vec::new(),
        open: Vec::new(),
        held: Vec::new(),
        top: 0,
        definition: None,
        definitions: HashMap::new(),
        names: HashMap::new(),
        run_failure: None,
        is_run_error: false,
        run_outcome: None,
        counted: None,
    };
    let stop = reader.run(&mut xml).err();
    let line = xml.line();
    if stop.is_some() {
        reader.salvage();
    }
    reader.finish(stop.is_none());
    stop.map_or(Ok(()), |stop| stop.tell(line, reader.sink))
}

impl Reader<'_> {
    fn run(&mut self, xml: &mut Xml<'_>) -> Result<(), Stop> {
        loop {
            match xml.next()? {
                Token::End => return Ok(()),
                Token::Other => {}
                Token::Close => self.close()?,
                Token::Empty(element) => {
                    self.element(&element, element.line);
                    self.close()?;
                }
                Token::Open(element) => {
                    let line = element.line;
                    if let Some(name) = self.element(&element, element.line) {
                        let is_kept = matches!(name, "Message" | "StackTrace" | "Text");
                        let mut kept = Kept::new(if is_kept { self.limits.message_bytes } else { 0 });
                        let done = xml.content(name, |bytes, piece| kept.add(bytes, piece));
                        if is_kept {
                            self.text(kept, line);
                        }
                        done?;
                    }
                }
            }
        }
    }

    /// Takes in a start tag. Returns the name of an element whose content is text to keep or to skip.
    fn element(&mut self, element: &Element<'_>, line: u64) -> Option<&'static str> {
        let name = element.name();
        let mut nesting = Nesting::Other;
        let mut text = None;
        match name {
            _ if is_result(name) => {
                nesting = Nesting::Result;
                self.open_result(element, line);
            }
            "InnerResults" => nesting = Nesting::Inner,
            "UnitTest" => {
                nesting = Nesting::Definition;
                let storage = attribute(element, "storage").unwrap_or_default();
                let storage = storage.rsplit(['/', '\\']).next().unwrap_or_default().to_owned();
                let id = id(attribute(element, "id").as_deref());
                self.definition = Some(Definition { id, storage, class: String::new() });
            }
            "TestMethod" => {
                if let Some(definition) = &mut self.definition {
                    let class = attribute(element, "className").unwrap_or_default();
                    // The assembly's full name may follow: `Shop.PriceTest, Shop, Version=1.0.0.0, …`.
                    definition.class = class.split(',').next().unwrap_or_default().to_owned();
                }
            }
            "RunInfo" => {
                nesting = Nesting::RunInfo;
                self.is_run_error = attribute(element, "outcome").is_some_and(|word| outcome(&word).is_failure());
                if self.is_run_error {
                    self.run_failure.get_or_insert((line, String::new()));
                }
            }
            "ResultSummary" => self.run_outcome = attribute(element, "outcome").map(|word| (line, word)),
            "Counters" => {
                self.counted = attribute(element, "total").and_then(|total| Some((line, total.trim().parse().ok()?)));
            }
            "Times" => self.sink.wall(wall(element)),
            "ErrorInfo" => nesting = Nesting::ErrorInfo,
            "Message" if self.nesting.last() == Some(&Nesting::ErrorInfo) => text = Some("Message"),
            "StackTrace" if self.nesting.last() == Some(&Nesting::ErrorInfo) => text = Some("StackTrace"),
            "Text" if self.nesting.last() == Some(&Nesting::RunInfo) => text = Some("Text"),
            _ => text = SKIPPED.iter().find(|known| **known == name).copied(),
        }
        self.nesting.push(nesting);
        text
    }

    fn open_result(&mut self, element: &Element<'_>, line: u64) {
        let mut open = Open { line, ..Open::default() };
        let mut name = String::new();
        open.held.line = line;
        for (key, value) in element.attributes() {
            match key {
                "testName" => name = unescape(value).into_owned(),
                "testId" => open.held.id = id(Some(value)),
                "outcome" => open.held.outcome = Some(outcome(value)),
                "duration" => open.held.seconds = seconds(value),
                "resultType" => open.is_sum = value != "DataDrivenDataRow",
                _ => {}
            }
        }
        if name.is_empty() {
            "(unnamed)".clone_into(&mut name);
            self.sink
                .problem(Problem::new(&REPAIRED, "a result without a name is counted as `(unnamed)`").at_line(line));
        }
        open.held.name = bounds::name(self.sink, &self.limits, name, line).into();
        if self.open.is_empty() {
            self.top += 1;
        }
        self.open.push(open);
    }

    fn text(&mut self, kept: Kept, line: u64) {
        let was_cut = kept.cut;
        let mut text = kept.finish();
        if was_cut {
            text.push_str("\n… (cut here)");
        }
        let join = |before: &str| if before.is_empty() { text.clone() } else { format!("{before}\n{text}") };
        if self.nesting.iter().rev().any(|nesting| *nesting == Nesting::RunInfo) {
            if self.is_run_error {
                let (_, said) = self.run_failure.get_or_insert((line, String::new()));
                *said = bounds::cut(join(said), self.limits.message_bytes);
            }
        } else if let Some(open) = self.open.last_mut() {
            let said = join(open.held.message.as_deref().unwrap_or_default());
            open.held.message = Some(bounds::cut(said, self.limits.message_bytes).into());
        }
    }

    fn close(&mut self) -> Result<(), Stop> {
        match self.nesting.pop() {
            Some(Nesting::Result) => self.close_result(),
            Some(Nesting::Definition) => {
                self.define();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn close_result(&mut self) -> Result<(), Stop> {
        let Some(open) = self.open.pop() else { return Ok(()) };
        let outcome = open.held.outcome.unwrap_or(Outcome::Errored);
        if let Some(outer) = self.open.last_mut() {
            outer.inner += 1;
            outer.has_failed_inner |= outcome.is_failure() || open.has_failed_inner;
        }
        if open.inner > 0 && (open.has_failed_inner || !outcome.is_failure()) {
            return Ok(());
        }
        if self.held.len() >= self.limits.entries {
            let limit = format!("{} results", self.limits.entries);
            return Err(Stop::Fatal(ReadError::Limit { bound: Bound::Entries, what: "the number of results", limit }));
        }
        self.held.push(open.held);
        Ok(())
    }

    fn define(&mut self) {
        let Some(definition) = self.definition.take() else { return };
        if self.definitions.len() < self.limits.entries {
            let storage = bounds::cut(definition.storage, self.limits.name_bytes);
            let class = bounds::name(self.sink, &self.limits, definition.class, 0);
            let (storage, class) = (self.shared(storage), self.shared(class));
            self.definitions.insert(definition.id, (storage, class));
        }
    }

    fn shared(&mut self, name: String) -> Rc<str> {
        if let Some(known) = self.names.get(&name) {
            return Rc::clone(known);
        }
        let shared: Rc<str> = name.as_str().into();
        self.names.insert(name, Rc::clone(&shared));
        shared
    }

    /// What was open when reading stopped. A result's outcome stands in its start tag, so it counts; that of a
    /// sum only if it says more than the rows that were read.
    fn salvage(&mut self) {
        while let Some(open) = self.open.pop() {
            let mut is_sum = open.is_sum || open.inner > 0;
            while let Some(nesting) = self.nesting.pop().filter(|nesting| *nesting != Nesting::Result) {
                is_sum |= nesting == Nesting::Inner;
            }
            let fails = open.held.outcome.is_some_and(Outcome::is_failure);
            if let Some(outer) = self.open.last_mut() {
                outer.inner += 1;
                outer.has_failed_inner |= fails || open.has_failed_inner;
            }
            if fails && !open.has_failed_inner || !is_sum && open.held.outcome.is_some() {
                self.held.push(open.held);
            } else if open.inner == 0 {
                let name = text::shorten(&text::one_line(&open.held.name), 120);
                let told = format!("the result of `{name}` has no end; it is not counted");
                self.sink.problem(Problem::new(&TRUNCATED, told).at_line(open.line));
            }
        }
    }

    /// Tells of all results, and of a failure of the run that none of them explains.
    fn finish(&mut self, is_whole: bool) {
        let mut failed = 0_u64;
        let mut suites = vec![String::new()];
        let nowhere: (Rc<str>, Rc<str>) = ("".into(), "".into());
        for held in std::mem::take(&mut self.held) {
            let (storage, class) = self.definitions.get(&held.id).unwrap_or(&nowhere);
            if *suites[0] != **storage {
                suites[0].clear();
                suites[0].push_str(storage);
            }
            let outcome = held.outcome.unwrap_or(Outcome::Errored);
            failed += u64::from(outcome.is_failure());
            if held.outcome.is_none() {
                let told = "a result without an outcome counts as an error";
                self.sink.problem(Problem::new(&REPAIRED, told).at_line(held.line));
            }
            self.sink.case(&Case {
                suites: if storage.is_empty() { &[] } else { &suites },
                class,
                name: &held.name,
                file: None,
                line: None,
                outcome,
                seconds: held.seconds,
                message: held.message.as_deref().filter(|_| outcome.is_failure()),
                reruns: 0,
                flaky: false,
            });
        }
        let run_outcome = self.run_outcome.take();
        let fails = run_outcome.as_ref().is_some_and(|(_, word)| is_failed_run(word));
        let failure = self.run_failure.take().or_else(|| {
            let (line, word) = run_outcome.filter(|_| fails && failed == 0)?;
            Some((line, format!("the run ended as `{}` without a failed test", text::one_line(&word))))
        });
        if let Some((_, said)) = failure {
            self.sink.case(&Case {
                suites: &[],
                class: "",
                name: "(test run)",
                file: None,
                line: None,
                outcome: Outcome::Errored,
                seconds: None,
                message: Some(&said).filter(|said| !said.is_empty()).map(String::as_str),
                reruns: 0,
                flaky: false,
            });
        }
        if let Some((line, total)) = self.counted.filter(|(_, total)| is_whole && *total != self.top) {
            let told =
                format!("the counters state {} and {} are listed", text::plural(total, "result", "results"), self.top);
            self.sink.problem(Problem::new(&CHANGED, told).at_line(line));
        }
    }
}

/// Long texts that say nothing of an outcome.
const SKIPPED: &[&str] = &["StdOut", "StdErr", "DebugTrace", "TextMessages", "CollectorDataEntries"];

fn is_result(name: &str) -> bool {
    matches!(
        name,
        "UnitTestResult" | "TestResultAggregation" | "GenericTestResult" | "WebTestResult" | "ManualTestResult"
    )
}

fn attribute(element: &Element<'_>, name: &str) -> Option<String> {
    element.attributes().find(|(key, _)| *key == name).map(|(_, value)| unescape(value).into_owned())
}

/// Ids are GUIDs in upper or lower case.
fn id(text: Option<&str>) -> u64 {
    bounds::hash(text.unwrap_or_default().trim().to_ascii_lowercase().as_bytes())
}

fn outcome(word: &str) -> Outcome {
    match word.trim() {
        "Passed" | "Completed" | "Warning" => Outcome::Passed,
        "Failed" => Outcome::Failed,
        "NotExecuted" | "Inconclusive" => Outcome::Skipped,
        _ => Outcome::Errored,
    }
}

/// Whether a run that ended so cannot be believed to have run every test.
fn is_failed_run(word: &str) -> bool {
    !matches!(outcome(word), Outcome::Passed | Outcome::Skipped)
}

/// From `start` to `finish`, RFC 3339.
fn wall(element: &Element<'_>) -> Option<f64> {
    let at = |name| attribute(element, name)?.trim().parse::<jiff::Timestamp>().ok();
    Some(at("finish")?.duration_since(at("start")?).as_secs_f64())
}

/// `hh:mm:ss.fffffff`, with days in front of long ones: `1.02:03:04.5`.
fn seconds(text: &str) -> Option<f64> {
    let mut parts = text.trim().rsplitn(3, ':');
    if text.contains('-') {
        return None;
    }
    let seconds: f64 = parts.next()?.parse().ok()?;
    let minutes: f64 = parts.next()?.parse().ok()?;
    let hours = parts.next()?;
    let (days, hours) = hours.split_once('.').unwrap_or(("0", hours));
    let hours = days.parse::<f64>().ok()? * 24.0 + hours.parse::<f64>().ok()?;
    Some((hours * 60.0 + minutes) * 60.0 + seconds).filter(|value| value.is_finite() && *value >= 0.0)
}

#[cfg(test)]
mod unit_tests {
    use super::super::super::collect::read_text;
    use super::super::super::{Evidence, Level};
    use super::*;

    fn run(results: &str, rest: &str) -> Evidence {
        read_text(&FORMAT, &format!("<TestRun><Results>{results}</Results>{rest}</TestRun>"))
    }

    fn outcomes(evidence: &Evidence) -> Vec<(&str, Outcome)> {
        evidence.tests.iter().map(|(id, test)| (&*id.name, test.outcome)).collect()
    }

    fn codes(evidence: &Evidence) -> Vec<&str> {
        evidence.problems.iter().map(|problem| problem.code.as_str()).collect()
    }

    #[test]
    fn classes_come_from_the_definitions() {
        let told = read_text(&FORMAT, SAMPLE);
        let names: Vec<_> = told.tests.iter().map(|(id, test)| (&*id.suite, id.display(), test.outcome)).collect();
        assert_eq!(
            names,
            [
                ("shop.tests.dll", "Shop.Tests.PriceTest::Mean".to_owned(), Outcome::Passed),
                ("shop.tests.dll", "Shop.Tests.PriceTest::Median".to_owned(), Outcome::Failed),
                ("shop.tests.dll", "Shop.Tests.PriceTest::Later".to_owned(), Outcome::Skipped),
            ]
        );
        assert!((told.tests.summary().seconds - 1.512_345_6).abs() < 1e-9);
        assert_eq!(
            told.tests.iter().nth(1).unwrap().1.message.as_deref(),
            Some("Assert.Equal() Failure\nat Shop.Tests.PriceTest.Median()")
        );
        assert_eq!(codes(&told), [] as [&str; 0]);
        // Definitions may come first, ids in another case, classes with their assembly.
        let told = read_text(
            &FORMAT,
            r#"<TestRun><TestDefinitions><UnitTest id="AB"><TestMethod className="C, A, Version=1"/></UnitTest></TestDefinitions><Results><UnitTestResult testId="ab" testName="n" outcome="Passed"/></Results></TestRun>"#,
        );
        assert_eq!(told.tests.iter().next().unwrap().0.display(), "C::n");
    }

    #[test]
    fn every_outcome() {
        for (word, want) in [
            ("Passed", Outcome::Passed),
            ("Completed", Outcome::Passed),
            ("Warning", Outcome::Passed),
            ("Failed", Outcome::Failed),
            ("NotExecuted", Outcome::Skipped),
            ("Inconclusive", Outcome::Skipped),
            ("Error", Outcome::Errored),
            ("Timeout", Outcome::Errored),
            ("Aborted", Outcome::Errored),
            ("PassedButRunAborted", Outcome::Errored),
            ("NotRunnable", Outcome::Errored),
            ("Disconnected", Outcome::Errored),
            ("InProgress", Outcome::Errored),
            ("Pending", Outcome::Errored),
            ("", Outcome::Errored),
        ] {
            let told = run(&format!("<UnitTestResult testName=\"n\" outcome=\"{word}\"/>"), "");
            assert_eq!(outcomes(&told), [("n", want)], "{word}");
        }
        let told = run("<UnitTestResult testName=\"n\"/><UnitTestResult outcome=\"Passed\"/>", "");
        assert_eq!(outcomes(&told), [("n", Outcome::Errored), ("(unnamed)", Outcome::Passed)]);
        assert_eq!(codes(&told), ["evidence.repaired"; 2]);
    }

    #[test]
    fn durations_of_every_form() {
        for (text, want) in [
            ("00:00:01.5000000", Some(1.5)),
            ("01:02:03", Some(3723.0)),
            ("1.00:00:00.25", Some(86400.25)),
            ("", None),
            ("1.5", None),
            ("-00:00:01", None),
            ("aa:00:01", None),
        ] {
            assert_eq!(seconds(text), want, "{text}");
        }
    }

    #[test]
    fn inner_results_count_instead_of_their_sum() {
        let row = |name: &str, outcome: &str| {
            format!("<UnitTestResult testName=\"{name}\" outcome=\"{outcome}\" resultType=\"DataDrivenDataRow\"/>")
        };
        let outer = |outcome: &str, rows: &str| {
            run(
                &format!(
                    "<UnitTestResult testName=\"t\" outcome=\"{outcome}\" resultType=\"DataDrivenTest\" duration=\"00:00:09\"><InnerResults>{rows}</InnerResults></UnitTestResult>"
                ),
                "",
            )
        };
        let two = row("t (0)", "Passed") + &row("t (1)", "Failed");
        assert_eq!(outcomes(&outer("Failed", &two)), [("t (0)", Outcome::Passed), ("t (1)", Outcome::Failed)]);
        // A failed clean-up fails the sum only.
        let one = row("t (0)", "Passed");
        assert_eq!(outcomes(&outer("Failed", &one)), [("t (0)", Outcome::Passed), ("t", Outcome::Failed)]);
        assert_eq!(outcomes(&outer("Passed", "")), [("t", Outcome::Passed)]);
    }

    #[test]
    fn a_run_that_failed_by_itself_is_an_error() {
        let passed = "<UnitTestResult testName=\"n\" outcome=\"Passed\"/>";
        let crashed = "<ResultSummary outcome=\"Failed\"><Counters total=\"1\"/><RunInfos><RunInfo outcome=\"Error\"><Text>The active test run was aborted.</Text></RunInfo><RunInfo outcome=\"Warning\"><Text>no</Text></RunInfo></RunInfos></ResultSummary>";
        let told = run(passed, crashed);
        assert_eq!(outcomes(&told), [("n", Outcome::Passed), ("(test run)", Outcome::Errored)]);
        assert_eq!(told.tests.iter().last().unwrap().1.message.as_deref(), Some("The active test run was aborted."));
        let told = run(passed, "<ResultSummary outcome=\"Aborted\"/>");
        assert_eq!(outcomes(&told), [("n", Outcome::Passed), ("(test run)", Outcome::Errored)]);
        assert_eq!(outcomes(&run(passed, "<ResultSummary outcome=\"Completed\"/>")), [("n", Outcome::Passed)]);
    }

    #[test]
    fn counters_are_compared_only_and_repeats_are_attempts() {
        let twice = "<UnitTestResult testId=\"1\" testName=\"n\" outcome=\"Failed\"/><UnitTestResult testId=\"1\" testName=\"n\" outcome=\"Passed\"/>";
        let told = run(twice, "<ResultSummary outcome=\"Failed\"><Counters total=\"9\"/></ResultSummary>");
        assert_eq!((outcomes(&told), codes(&told)), (vec![("n", Outcome::Failed)], vec!["evidence.changed"]));
        assert_eq!((told.tests.summary().attempts, told.tests.summary().flaky), (2, 1));
    }

    #[test]
    fn a_cut_keeps_what_was_said() {
        let told = read_text(
            &FORMAT,
            "<TestRun><Results><UnitTestResult testName=\"a\" outcome=\"Passed\"/>\n<UnitTestResult testName=\"b\" outcome=\"Failed\"><Output><ErrorInfo><Message>no",
        );
        assert_eq!(
            (outcomes(&told), codes(&told)),
            (vec![("a", Outcome::Passed), ("b", Outcome::Failed)], vec!["evidence.truncated"])
        );
        assert_eq!(told.tests.iter().last().unwrap().1.message.as_deref(), Some("no"));
        // A sum that passed may still have had a failed row.
        let told = read_text(
            &FORMAT,
            "<TestRun><Results><UnitTestResult testName=\"b\" outcome=\"Passed\" resultType=\"DataDrivenTest\">\n",
        );
        assert!(told.tests.is_empty());
        assert!(told.problems.iter().all(|problem| problem.level == Level::Loss));
        let told = read_text(
            &FORMAT,
            "<TestRun><Results><UnitTestResult testName=\"b\" outcome=\"Passed\"><InnerResults><UnitTestResult testName=\"b (0)\" outcome=\"Passed\"><Output>",
        );
        assert_eq!(outcomes(&told), [("b (0)", Outcome::Passed)]);
        let told = read_text(&FORMAT, "<TestRun><Results><UnitTestResult testName=\"b\" outcome=\"Passed\"><Output>");
        assert_eq!(outcomes(&told), [("b", Outcome::Passed)]);
    }
}
