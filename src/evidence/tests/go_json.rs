//! The event stream of `go test -json` (`go doc test2json`), one JSON object a line.
//!
//! Every test function and every subtest is one test, parents included, as gotestsum and go-junit-report count
//! them; the time of a parent is its own, without that of the subtests that ran inside it. A package that fails
//! without a failed test (it did not build, `TestMain` gave up, a test ended the process) is one test named after
//! it that could not run. A test without an end in a package that has ended counts as an error; in a package that
//! has no end either the stream was cut, and it is named but not counted. `-count=N` repeats are attempts.
//!
//! Go before 1.24 prints build errors as plain text between the events, and `FAIL … [build failed]` is then all
//! that tells of the package.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::BufRead;

use indexmap::IndexMap;
use serde::Deserialize;

use super::super::problem::{FOREIGN, INCOMPLETE, REPAIRED, SYNTAX, TRUNCATED};
use super::super::sink::{Case, Outcome, Sink};
use super::super::source::each_line;
use super::super::{Bound, Format, Kind, Limits, Problem, ReadError};
use super::bounds::{self, Excerpt};
use crate::sys::text;

/// The table row.
pub const FORMAT: Format = Format {
    name: "go-json",
    kind: Kind::Tests,
    doc: "The event stream of `go test -json`.",
    sniff,
    read,
    sample: SAMPLE,
};

const SAMPLE: &str = r#"{"Time":"2026-11-22T10:00:00Z","Action":"start","Package":"example.com/price"}
{"Time":"2026-11-22T10:00:00Z","Action":"run","Package":"example.com/price","Test":"TestMean"}
{"Time":"2026-11-22T10:00:00Z","Action":"output","Package":"example.com/price","Test":"TestMean","Output":"=== RUN   TestMean\n"}
{"Time":"2026-11-22T10:00:00Z","Action":"run","Package":"example.com/price","Test":"TestMean/odd"}
{"Time":"2026-11-22T10:00:00Z","Action":"output","Package":"example.com/price","Test":"TestMean/odd","Output":"    price_test.go:9: got 1, want 2\n"}
{"Time":"2026-11-22T10:00:00Z","Action":"fail","Package":"example.com/price","Test":"TestMean/odd","Elapsed":0.25}
{"Time":"2026-11-22T10:00:00Z","Action":"fail","Package":"example.com/price","Test":"TestMean","Elapsed":0.5}
{"Time":"2026-11-22T10:00:00Z","Action":"run","Package":"example.com/price","Test":"TestLater"}
{"Time":"2026-11-22T10:00:00Z","Action":"skip","Package":"example.com/price","Test":"TestLater","Elapsed":0}
{"Time":"2026-11-22T10:00:00Z","Action":"run","Package":"example.com/price","Test":"TestMedian"}
{"Time":"2026-11-22T10:00:00Z","Action":"pass","Package":"example.com/price","Test":"TestMedian","Elapsed":0.01}
{"Time":"2026-11-22T10:00:00Z","Action":"output","Package":"example.com/price","Output":"FAIL\n"}
{"Time":"2026-11-22T10:00:00Z","Action":"fail","Package":"example.com/price","Elapsed":0.6}
"#;

fn sniff(head: &[u8]) -> bool {
    let is_event = |line: &[u8]| line.starts_with(b"{") && memchr::memmem::find(line, b"\"Action\":\"").is_some();
    head.split(|byte| *byte == b'\n').any(is_event)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Event<'a> {
    #[serde(borrow, default)]
    action: Cow<'a, str>,
    #[serde(borrow, default)]
    package: Cow<'a, str>,
    #[serde(borrow, default)]
    import_path: Cow<'a, str>,
    #[serde(borrow, default)]
    test: Cow<'a, str>,
    #[serde(borrow, default)]
    output: Cow<'a, str>,
    #[serde(borrow, default)]
    failed_build: Cow<'a, str>,
    elapsed: Option<f64>,
}

/// A package that has not ended.
#[derive(Default)]
struct Package {
    line: u64,
    tests: IndexMap<String, Running>,
    output: Excerpt,
    has_failed_test: bool,
}

/// A test that has not ended.
#[derive(Default)]
struct Running {
    output: Excerpt,
    /// Whether the next piece of output goes on with a line.
    is_inside_line: bool,
    /// What a `--- PASS: …` line said that the converter did not understand.
    printed: Option<(Outcome, Option<f64>)>,
    is_parallel: bool,
    /// Seconds of the subtests that ran inside it.
    inside: f64,
}

struct Reader<'s> {
    sink: &'s mut dyn Sink,
    limits: Limits,
    packages: IndexMap<String, Package>,
    /// What the build said, by the name it is given there: `pkg`, `pkg [pkg.test]`.
    builds: HashMap<String, Excerpt>,
    /// The build that plain text belongs to.
    building: String,
    /// Bytes of output held for tests that have not ended.
    held: usize,
    foreign: (u64, u64),
    cases: usize,
    stopped: Option<ReadError>,
}

fn read(input: &mut dyn BufRead, sink: &mut dyn Sink, limits: &Limits) -> Result<(), ReadError> {
    let mut reader = Reader {
        sink,
        limits: *limits,
        packages: IndexMap::new(),
        builds: HashMap::new(),
        building: String::new(),
        held: 0,
        foreign: (0, 0),
        cases: 0,
        stopped: None,
    };
    let mut broken: Option<(String, u64)> = None;
    let done = each_line(input, limits, |line, number| {
        if let Some((why, line)) = broken.take() {
            reader.broken(&why, line);
        }
        if reader.stopped.is_none() {
            broken = reader.line(line, number).map(|why| (why, number));
        }
    });
    match (broken, &done) {
        (Some((_, line)), Ok(false)) => {
            reader.sink.problem(Problem::new(&TRUNCATED, "the last line ends in the middle").at_line(line));
        }
        (Some((why, line)), _) => reader.broken(&why, line),
        (None, _) => {}
    }
    if let Some(stop) = reader.stopped {
        return Err(stop);
    }
    reader.end();
    done.map(|_| ())
}

impl Reader<'_> {
    /// Takes in a line; returns what is wrong with it.
    fn line(&mut self, line: &[u8], number: u64) -> Option<String> {
        let start = line.trim_ascii_start();
        if !start.starts_with(b"{") {
            if !start.is_empty() {
                self.plain(&String::from_utf8_lossy(line), number);
            }
            return None;
        }
        match serde_json::from_slice::<Event<'_>>(start) {
            Ok(event) if event.action.is_empty() => {
                self.plain(&String::from_utf8_lossy(line), number);
                None
            }
            Ok(event) => {
                self.event(&event, number);
                None
            }
            Err(error) => Some(error.to_string()),
        }
    }

    fn broken(&mut self, why: &str, line: u64) {
        self.sink.problem(Problem::new(&SYNTAX, format!("not an event ({why}); it was passed over")).at_line(line));
    }

    /// Text between the events: what the build printed.
    fn plain(&mut self, line: &str, number: u64) {
        if let Some(package) = line.strip_prefix("FAIL\t")
            && let Some(package) = package.strip_suffix(" [build failed]").or(package.strip_suffix(" [setup failed]"))
        {
            let new = || Package { line: number, ..Package::default() };
            let mut open = self.packages.shift_remove(package).unwrap_or_else(new);
            open.output.add(&line[line.len() - "setup failed]".len()..line.len() - 1], self.limits.message_bytes);
            // Nothing of it ran.
            self.end_package(package, open, Outcome::Failed, Some(0.0), "");
            return;
        }
        if let Some(name) = line.strip_prefix("# ") {
            name.clone_into(&mut self.building);
        } else if !self.building.is_empty() {
            let build = self.building.clone();
            self.build_output(&build, &format!("{line}\n"));
        }
        self.foreign.0 += 1;
        if self.foreign.0 == 1 {
            self.foreign.1 = number;
        }
    }

    fn build_output(&mut self, build: &str, text: &str) {
        if self.held < self.limits.item_bytes {
            let excerpt = self.builds.entry(build.to_owned()).or_default();
            self.held += build.len() + excerpt.add(text, self.limits.message_bytes);
        }
    }

    fn event(&mut self, event: &Event<'_>, number: u64) {
        match &*event.action {
            "build-output" => return self.build_output(&event.import_path, &event.output),
            "build-fail" => return,
            _ => {}
        }
        let package = match self.packages.get_mut(&*event.package) {
            Some(package) => package,
            None => {
                let new = Package { line: number, ..Package::default() };
                self.packages.entry(event.package.clone().into_owned()).or_insert(new)
            }
        };
        let outcome = match &*event.action {
            "pass" | "bench" => Some(Outcome::Passed),
            "fail" => Some(Outcome::Failed),
            "skip" => Some(Outcome::Skipped),
            _ => None,
        };
        match (outcome, event.test.is_empty()) {
            (Some(outcome), true) => {
                let package = self.packages.shift_remove(&*event.package).unwrap_or_default();
                self.end_package(&event.package, package, outcome, event.elapsed, &event.failed_build);
            }
            (Some(outcome), false) => self.end_test(&event.package, &event.test, outcome, event.elapsed, number),
            (None, true) => {
                if event.action == "output" && self.held < self.limits.item_bytes && is_said(&event.output) {
                    self.held += package.output.add(&event.output, self.limits.message_bytes);
                }
            }
            (None, false) => {
                let again = event.action == "run" && package.tests.contains_key(&*event.test);
                if again {
                    // The run before it has no end.
                    self.no_result(&event.package, &event.test, number);
                }
                let held = self.held < self.limits.item_bytes;
                let Some(package) = self.packages.get_mut(&*event.package) else { return };
                let test = match package.tests.get_mut(&*event.test) {
                    Some(test) => test,
                    None => package.tests.entry(event.test.clone().into_owned()).or_default(),
                };
                match &*event.action {
                    "pause" => test.is_parallel = true,
                    "output" => self.held += test.add(&event.output, &event.test, held, self.limits.message_bytes),
                    _ => {}
                }
            }
        }
    }

    fn end_test(&mut self, package: &str, name: &str, outcome: Outcome, elapsed: Option<f64>, number: u64) {
        let Some(open) = self.packages.get_mut(package) else { return };
        let test = open.tests.shift_remove(name).unwrap_or_default();
        let elapsed = elapsed.filter(|value| value.is_finite() && *value >= 0.0);
        if !test.is_parallel
            && let Some(elapsed) = elapsed
            && let Some(parent) = parent(name, &mut open.tests)
        {
            parent.inside += elapsed;
        }
        open.has_failed_test |= outcome == Outcome::Failed;
        // A test holds only if its subtests do: those whose end was not understood have held.
        let inside: Vec<String> = match outcome {
            Outcome::Passed => open.tests.keys().filter(|other| is_inside(other, name)).cloned().collect(),
            _ => Vec::new(),
        };
        for sub in inside {
            let Some(test) = self.packages.get_mut(package).and_then(|open| open.tests.shift_remove(&sub)) else {
                continue;
            };
            let (outcome, seconds) = test.printed.unwrap_or((Outcome::Passed, None));
            self.repaired(package, &sub, number);
            self.tell(package, &sub, outcome, seconds, test, number);
        }
        let seconds = elapsed.map(|elapsed| (elapsed - test.inside).max(0.0));
        self.tell(package, name, outcome, seconds, test, number);
    }

    /// Tells of a test that has no end in a package that has one.
    fn no_result(&mut self, package: &str, name: &str, number: u64) {
        let Some(open) = self.packages.get_mut(package) else { return };
        let Some(test) = open.tests.shift_remove(name) else { return };
        let outcome = match test.printed {
            Some((outcome, _)) => {
                self.repaired(package, name, number);
                outcome
            }
            None => Outcome::Errored,
        };
        if let Some(open) = self.packages.get_mut(package) {
            open.has_failed_test |= outcome.is_failure();
        }
        let seconds = test.printed.and_then(|(_, seconds)| seconds);
        self.tell(package, name, outcome, seconds, test, number);
    }

    fn repaired(&mut self, package: &str, name: &str, number: u64) {
        let shown = text::shorten(&text::one_line(&format!("{package}.{name}")), 120);
        let told = format!("the end of `{shown}` is no event of its own; its result was taken from what was printed");
        self.sink.problem(Problem::new(&REPAIRED, told).at_line(number));
    }

    fn end_package(&mut self, name: &str, package: Package, outcome: Outcome, elapsed: Option<f64>, build: &str) {
        self.sink.wall(elapsed);
        let line = package.line;
        let open: Vec<String> = package.tests.keys().cloned().collect();
        self.packages.insert(name.to_owned(), package);
        for test in &open {
            if outcome == Outcome::Passed && test.starts_with("Benchmark") {
                // A benchmark that held has no end of its own.
                self.end_test(name, test, Outcome::Passed, None, line);
            } else {
                self.no_result(name, test, line);
            }
        }
        let Some(package) = self.packages.shift_remove(name) else { return };
        if outcome == Outcome::Failed && !package.has_failed_test {
            let build = if build.is_empty() { self.build_of(name) } else { build.to_owned() };
            let mut said = self.builds.get(&build).map(Excerpt::text).unwrap_or_default();
            let own = package.output.text();
            if !own.is_empty() {
                said = if said.is_empty() { own } else { format!("{said}\n{own}") };
            }
            if said.is_empty() {
                "the package failed without a failed test".clone_into(&mut said);
            }
            self.case(name, name, Outcome::Errored, elapsed, Some(&said), line);
        }
        self.held = self.held.saturating_sub(package.output.bytes());
    }

    /// The build whose output tells why a package failed: `pkg [pkg.test]` comes before `pkg`.
    fn build_of(&self, package: &str) -> String {
        let of_test = format!("{package} [{package}.test]");
        if self.builds.contains_key(&of_test) { of_test } else { package.to_owned() }
    }

    fn tell(&mut self, package: &str, name: &str, outcome: Outcome, seconds: Option<f64>, test: Running, line: u64) {
        self.held = self.held.saturating_sub(test.output.bytes());
        let said = match outcome {
            Outcome::Failed => Some(test.output.text()),
            Outcome::Errored if test.output.is_empty() => Some("no test result found".to_owned()),
            Outcome::Errored => Some(format!("no test result found\n{}", test.output.text())),
            Outcome::Passed | Outcome::Skipped => None,
        };
        self.case(package, name, outcome, seconds, said.as_deref().filter(|said| !said.is_empty()), line);
    }

    fn case(
        &mut self,
        package: &str,
        name: &str,
        outcome: Outcome,
        seconds: Option<f64>,
        message: Option<&str>,
        line: u64,
    ) {
        self.cases += 1;
        if self.cases > self.limits.entries {
            let limit = format!("{} tests", self.limits.entries);
            self.stopped = Some(ReadError::Limit { bound: Bound::Entries, what: "the number of tests", limit });
            return;
        }
        let class = bounds::name(self.sink, &self.limits, package.to_owned(), line);
        let name = bounds::name(self.sink, &self.limits, name.to_owned(), line);
        self.sink.case(&Case {
            suites: &[],
            class: &class,
            name: &name,
            file: None,
            line: None,
            outcome,
            seconds,
            message,
            reruns: 0,
            flaky: false,
        });
    }

    /// The end of the stream: packages that are open were cut off.
    fn end(&mut self) {
        for (name, package) in std::mem::take(&mut self.packages) {
            self.sink.wall(None);
            let open: Vec<_> = package.tests.keys().take(5).map(|name| text::one_line(name)).collect();
            let shown = text::shorten(&text::one_line(&name), 120);
            let mut told = format!("the package `{shown}` has no end in the stream");
            match package.tests.len() {
                0 => {}
                count => {
                    let listed = text::shorten(&open.join(", "), 300);
                    let more = if count > open.len() { ", …" } else { "" };
                    let tests = text::plural(count as u64, "test", "tests");
                    told = format!("{told}; {tests} started and not counted: {listed}{more}");
                }
            }
            self.sink.problem(Problem::new(&INCOMPLETE, told).at_line(package.line));
        }
        if let (count @ 1.., first) = self.foreign {
            let told = format!("{} between the events: text of the build", text::plural(count, "line", "lines"));
            self.sink.problem(Problem::new(&FOREIGN, told).at_line(first));
        }
    }
}

impl Running {
    /// Adds a piece of output; returns by how much it grew.
    fn add(&mut self, piece: &str, name: &str, keep: bool, max: usize) -> usize {
        if let Some(at) = piece.rfind("--- ") {
            // At the start of a line the converter itself has seen it.
            self.printed = printed(&piece[at..], name).or(self.printed);
        }
        let is_line = !self.is_inside_line && piece.ends_with('\n');
        self.is_inside_line = !piece.ends_with('\n');
        if keep && (!is_line || is_said(piece)) { self.output.add(piece, max) } else { 0 }
    }
}

/// Whether a line of output is the test's own, and not the frame around it.
fn is_said(line: &str) -> bool {
    let line = line.trim_start_matches(' ');
    let frame =
        ["=== RUN ", "=== PAUSE ", "=== CONT ", "=== NAME ", "--- FAIL: ", "--- PASS: ", "--- SKIP: ", "FAIL\t"];
    !frame.iter().any(|frame| line.starts_with(frame)) && !matches!(line.trim_end(), "FAIL" | "PASS")
}

/// `--- PASS: TestMean (0.01s)`.
fn printed(line: &str, name: &str) -> Option<(Outcome, Option<f64>)> {
    let rest = line.strip_prefix("--- ")?;
    let (word, rest) = rest.split_once(": ")?;
    let outcome = match word {
        "PASS" => Outcome::Passed,
        "FAIL" => Outcome::Failed,
        "SKIP" => Outcome::Skipped,
        _ => return None,
    };
    let seconds = rest.strip_prefix(name)?.strip_prefix(" (")?.trim_end().strip_suffix("s)")?;
    Some((outcome, seconds.parse().ok()))
}

fn is_inside(name: &str, parent: &str) -> bool {
    name.strip_prefix(parent).is_some_and(|rest| rest.starts_with('/'))
}

/// The test that a subtest runs in: a subtest's own name may hold slashes, so the longest that is open.
fn parent<'a>(name: &str, tests: &'a mut IndexMap<String, Running>) -> Option<&'a mut Running> {
    let found = name.rmatch_indices('/').map(|(at, _)| &name[..at]).find(|parent| tests.contains_key(*parent))?;
    tests.get_mut(found)
}

#[cfg(test)]
mod unit_tests {
    use super::super::super::collect::read_text;
    use super::super::super::{Evidence, Level};
    use super::*;

    /// Events of one package, each written as `action test`, `action test elapsed` or `output test | text`.
    fn events(lines: &[&str]) -> String {
        let event = |line: &&str| {
            let (line, output) = line.split_once(" | ").unwrap_or((line, ""));
            let mut words = line.split(' ');
            let action = words.next().unwrap();
            let test = words.next().filter(|test| *test != "-");
            let elapsed = words.next().map(|word| word.parse::<f64>().unwrap());
            let output = (action == "output").then_some(output);
            let mut event = serde_json::json!({ "Action": action, "Package": "p" });
            for (key, value) in [
                ("Test", test.map(Into::into)),
                ("Elapsed", elapsed.map(Into::into)),
                ("Output", output.map(Into::into)),
            ] {
                if let Some(value) = value {
                    event[key] = value;
                }
            }
            event.to_string() + "\n"
        };
        lines.iter().map(event).collect()
    }

    fn told(lines: &[&str]) -> Evidence {
        read_text(&FORMAT, &events(lines))
    }

    fn outcomes(evidence: &Evidence) -> Vec<(&str, Outcome)> {
        evidence.tests.iter().map(|(id, test)| (&*id.name, test.outcome)).collect()
    }

    fn codes(evidence: &Evidence) -> Vec<&str> {
        evidence.problems.iter().map(|problem| problem.code.as_str()).collect()
    }

    #[test]
    fn parents_and_subtests_are_tests_and_time_is_not_doubled() {
        let told = read_text(&FORMAT, SAMPLE);
        let names = [
            ("TestMean/odd", Outcome::Failed),
            ("TestMean", Outcome::Failed),
            ("TestLater", Outcome::Skipped),
            ("TestMedian", Outcome::Passed),
        ];
        assert_eq!((outcomes(&told), codes(&told)), (names.to_vec(), vec![]));
        assert!((told.tests.summary().seconds - 0.51).abs() < 1e-9);
        let (id, test) = told.tests.iter().next().unwrap();
        assert_eq!(id.display(), "example.com/price::TestMean/odd");
        assert_eq!(test.message.as_deref(), Some("    price_test.go:9: got 1, want 2"));
    }

    #[test]
    fn the_time_of_parallel_subtests_is_not_in_their_parent() {
        let told = told(&[
            "run A",
            "run A/x",
            "pause A/x",
            "run A/y/z",
            "cont A/x",
            "pass A/y/z 0.5",
            "pass A/x 2",
            "pass A 0.75",
            "pass -",
        ]);
        let seconds: Vec<_> = told.tests.iter().map(|(_, test)| test.seconds).collect();
        assert_eq!(seconds, [0.5, 2.0, 0.25]);
    }

    #[test]
    fn a_package_that_fails_without_a_failed_test_is_one_error() {
        let told = told(&["run A", "pass A 0", "output - | exit status 3\n", "output - | FAIL\n", "fail - 1.5"]);
        assert_eq!(outcomes(&told), [("A", Outcome::Passed), ("p", Outcome::Errored)]);
        let (id, test) = told.tests.iter().last().unwrap();
        assert_eq!((id.display().as_str(), test.message.as_deref(), test.seconds), ("p", Some("exit status 3"), 1.5));
    }

    #[test]
    fn a_package_that_does_not_build_is_one_error() {
        // Go 1.24 and later.
        let new = r##"{"ImportPath":"p [p.test]","Action":"build-output","Output":"# p [p.test]\n"}
{"ImportPath":"p [p.test]","Action":"build-output","Output":"p/a_test.go:3:28: undefined: x\n"}
{"ImportPath":"p [p.test]","Action":"build-fail"}
{"Time":"2026-11-22T10:00:00Z","Action":"start","Package":"p"}
{"Time":"2026-11-22T10:00:00Z","Action":"output","Package":"p","Output":"FAIL\tp [build failed]\n"}
{"Time":"2026-11-22T10:00:00Z","Action":"fail","Package":"p","Elapsed":0,"FailedBuild":"p [p.test]"}
"##;
        // Before it, with standard error among the events; without it the `FAIL` line is all there is.
        let old = "# p [p.test]\np/a_test.go:3:28: undefined: x\nFAIL\tp [build failed]\n{\"Action\":\"pass\",\"Package\":\"q\"}\n";
        for (text, problems) in [(new, vec![]), (old, vec!["evidence.foreign"])] {
            let told = read_text(&FORMAT, text);
            assert_eq!((outcomes(&told), codes(&told)), (vec![("p", Outcome::Errored)], problems));
            let message = told.tests.iter().next().unwrap().1.message.clone().unwrap().into_string();
            assert!(message.contains("undefined: x"), "{message}");
        }
        let told = read_text(&FORMAT, "FAIL\tp [setup failed]\n");
        assert_eq!((outcomes(&told), codes(&told)), (vec![("p", Outcome::Errored)], vec![]));
    }

    #[test]
    fn a_test_without_an_end_is_an_error_once_its_package_has_ended() {
        let told = told(&["run A", "run B", "output B | panic: boom\n", "pass A 0", "output - | FAIL\n", "fail -"]);
        assert_eq!(outcomes(&told), [("A", Outcome::Passed), ("B", Outcome::Errored)]);
        assert_eq!(told.tests.iter().last().unwrap().1.message.as_deref(), Some("no test result found\npanic: boom"));
    }

    #[test]
    fn a_cut_stream_is_told_and_what_had_no_end_is_not_counted() {
        let told = read_text(&FORMAT, &(events(&["run A", "pass A", "run B"]) + "{\"Action\":\"pass\",\"Pack"));
        assert_eq!(outcomes(&told), [("A", Outcome::Passed)]);
        assert_eq!(codes(&told), ["evidence.truncated", "evidence.incomplete"]);
        assert_eq!(
            told.problems[1].message,
            "the package `p` has no end in the stream; 1 test started and not counted: B"
        );
        // A whole last line needs no line end.
        assert_eq!(codes(&read_text(&FORMAT, events(&["run A", "pass A", "pass -"]).trim_end())), [] as [&str; 0]);
    }

    #[test]
    fn what_is_no_event_is_told() {
        let text = events(&["run A"]) + "{\"Action\": 1}\n{\"other\":2}\nplain\n\n" + &events(&["pass A", "pass -"]);
        let told = read_text(&FORMAT, &text);
        assert_eq!(outcomes(&told), [("A", Outcome::Passed)]);
        let problems: Vec<_> = told.problems.iter().map(|p| (p.level, p.code.as_str(), p.line)).collect();
        assert_eq!(problems, [(Level::Loss, "evidence.syntax", Some(2)), (Level::Note, "evidence.foreign", Some(3))]);
    }

    #[test]
    fn a_result_after_output_without_a_line_end_is_understood() {
        let lines =
            ["run A", "output A | hello--- PASS: A (0.50s)\n", "run B", "output B | x--- FAIL: B (0.00s)\n", "fail -"];
        let told = told(&lines);
        assert_eq!(outcomes(&told), [("A", Outcome::Passed), ("B", Outcome::Failed)]);
        assert_eq!((told.tests.summary().seconds, codes(&told)), (0.5, vec!["evidence.repaired"; 2]));
    }

    #[test]
    fn a_subtest_without_an_end_has_held_if_its_parent_has() {
        let told = told(&["run A", "run A/x", "run AB", "pass A", "fail -"]);
        assert_eq!(outcomes(&told), [("A/x", Outcome::Passed), ("A", Outcome::Passed), ("AB", Outcome::Errored)]);
    }

    #[test]
    fn repeats_are_attempts_and_benchmarks_have_no_end() {
        let told = told(&[
            "run A",
            "pass A 1",
            "run A",
            "fail A 2",
            "run A",
            "run A",
            "pass A",
            "run BenchmarkX",
            "output BenchmarkX | x\n",
            "pass -",
        ]);
        assert_eq!(outcomes(&told), [("A", Outcome::Errored), ("BenchmarkX", Outcome::Passed)]);
        let sum = told.tests.summary();
        assert_eq!((sum.total, sum.attempts, sum.flaky, sum.seconds), (2, 5, 1, 3.0));
    }

    #[test]
    fn output_is_bounded_and_limits_hold() {
        let many = format!("output A | {}\n", "x".repeat(100_000));
        let told = told(&["run A", &many, &many, "output A | at the end\n", "fail A", "fail -"]);
        let message = told.tests.iter().next().unwrap().1.message.clone().unwrap();
        assert!(message.len() < 10_000 && message.ends_with("at the end"));
        let few = Limits { entries: 1, ..Limits::default() };
        let origin = super::super::super::Origin { check: "c", path: "r", repeats: Default::default() };
        let text = events(&["run A", "pass A", "run B", "pass B", "pass -"]);
        let told = super::super::super::collect::read_with(&FORMAT, &mut text.as_bytes(), &origin, &few);
        assert_eq!((told.tests.len(), codes(&told)), (1, vec!["evidence.limit"]));
    }
}
