//! CTRF, the Common Test Report Format: one JSON object, `results.tests[]`.
//!
//! `skipped` and `pending` are skips; `failed` is a failure; `other` and words that the format does not have are
//! neither, and so errors, unless `rawStatus` beside it says `todo` or `disabled` (jest). A test that ran in a named browser or device is told apart by it. The report's own
//! summary is only compared.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::io::{self, BufRead, BufReader};

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::super::problem::{CHANGED, REPAIRED, SYNTAX, TRUNCATED};
use super::super::sink::{Case, Outcome, Sink};
use super::super::source::Metered;
use super::super::{Bound, Format, Kind, Limits, Problem, ReadError};
use super::bounds;
use crate::sys::text;

/// The table row.
pub const FORMAT: Format = Format {
    name: "ctrf",
    kind: Kind::Tests,
    doc: "CTRF JSON, the Common Test Report Format.",
    sniff,
    read,
    sample: SAMPLE,
};

const SAMPLE: &str = r#"{
  "reportFormat": "CTRF", "specVersion": "0.0.0",
  "results": {
    "tool": { "name": "jest" },
    "summary": { "tests": 3, "passed": 1, "failed": 1, "pending": 0, "skipped": 1, "other": 0, "start": 1, "stop": 2 },
    "tests": [
      { "name": "mean of two", "status": "passed", "duration": 4, "suite": "price.test.js > mean", "filePath": "price.test.js", "retries": 1, "flaky": true },
      { "name": "median of none", "status": "failed", "duration": 2.5, "suite": ["price", "median"], "message": "expected 0, got NaN", "trace": "at price.test.js:9:5" },
      { "name": "spread", "status": "skipped", "duration": 0 }
    ]
  }
}
"#;

fn sniff(head: &[u8]) -> bool {
    let has = |word: &[u8]| memchr::memmem::find(head, word).is_some();
    let is_object = head.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
    is_object
        && has(b"\"results\"")
        && (has(b"\"CTRF\"") || has(b"\"tool\"") && (has(b"\"summary\"") || has(b"\"tests\"")))
}

fn read(input: &mut dyn BufRead, sink: &mut dyn Sink, limits: &Limits) -> Result<(), ReadError> {
    let used = Cell::new(0);
    // serde_json asks for one byte at a time: a buffer of a known type makes that cheap.
    let mut input = BufReader::new(Metered::new(input, limits.item_bytes, &used));
    let is_empty = |input: &mut BufReader<_>| -> io::Result<bool> {
        while let Some(byte) = BufRead::fill_buf(input)?.first().copied() {
            if !byte.is_ascii_whitespace() {
                return Ok(false);
            }
            input.consume(1);
        }
        Ok(true)
    };
    let _ = is_empty(&mut input)?;
    let told = RefCell::new(Told { sink, limits: *limits, used: &used, tests: 0, stated: None, limit: false });
    let mut json = serde_json::Deserializer::from_reader(&mut input);
    let done = Report(&told).deserialize(&mut json).and_then(|()| json.end());
    let Told { sink, tests, stated, limit, .. } = told.into_inner();
    match done {
        Ok(()) => {
            if let Some(stated) = stated.filter(|stated| *stated != tests) {
                let stated = text::plural(stated, "test", "tests");
                sink.problem(Problem::new(&CHANGED, format!("the summary states {stated} and {tests} are listed")));
            }
            Ok(())
        }
        Err(_) if limit => Err(ReadError::Limit {
            bound: Bound::Entries,
            what: "the number of tests",
            limit: format!("{} tests", limits.entries),
        }),
        Err(_) if used.get() > limits.item_bytes => {
            Err(ReadError::Limit { bound: Bound::Item, what: "one test", limit: text::bytes(limits.item_bytes as u64) })
        }
        Err(error) => {
            let line = error.line() as u64;
            match error.classify() {
                serde_json::error::Category::Io => Err(ReadError::Io(error.into())),
                serde_json::error::Category::Eof => {
                    let told = "the report ends in the middle; what came after is unknown";
                    sink.problem(Problem::new(&TRUNCATED, told).at_line(line));
                    Ok(())
                }
                serde_json::error::Category::Syntax | serde_json::error::Category::Data => {
                    let told = format!("not valid CTRF ({error}); nothing after this line was read");
                    sink.problem(Problem::new(&SYNTAX, told).at_line(line));
                    Ok(())
                }
            }
        }
    }
}

/// What the visitors share.
struct Told<'a> {
    sink: &'a mut dyn Sink,
    limits: Limits,
    /// Bytes read since the last test.
    used: &'a Cell<usize>,
    tests: u64,
    stated: Option<u64>,
    limit: bool,
}

impl Told<'_> {
    /// Tells of one test; returns whether another may come.
    fn test(&mut self, test: Test) -> bool {
        self.used.set(0);
        self.tests += 1;
        if self.tests > self.limits.entries as u64 {
            self.limit = true;
            return false;
        }
        // Reporters write what the format has no word for as `other`, and beside it the word of the tool.
        let raw = test.raw_status.map_or_else(String::new, |raw| raw.0.to_ascii_lowercase());
        let outcome = match &*test.status.0 {
            "passed" => Outcome::Passed,
            "skipped" | "pending" => Outcome::Skipped,
            "failed" => Outcome::Failed,
            "other" if matches!(&*raw, "todo" | "disabled" | "skipped" | "pending" | "ignored") => Outcome::Skipped,
            word => {
                if word != "other" {
                    let shown = text::shorten(&text::one_line(word), 40);
                    let told = format!("test {} has the unknown status `{shown}`: it counts as an error", self.tests);
                    self.sink.problem(Problem::new(&REPAIRED, told));
                }
                Outcome::Errored
            }
        };
        let mut name = test.name.0;
        if name.is_empty() {
            "(unnamed)".clone_into(&mut name);
            let told = format!("test {} has no name and is counted as `(unnamed)`", self.tests);
            self.sink.problem(Problem::new(&REPAIRED, told));
        }
        for place in [test.browser, test.device].into_iter().flatten().filter(|place| !place.0.is_empty()) {
            name = format!("{name} [{}]", place.0);
        }
        let name = bounds::name(self.sink, &self.limits, name, 0);
        let mut suites = Vec::new();
        for suite in test.suite.map(|suite| suite.0).unwrap_or_default() {
            suites.push(bounds::name(self.sink, &self.limits, suite, 0));
        }
        let parts = [test.message, test.trace].into_iter().flatten().map(|part| part.0).filter(|part| !part.is_empty());
        let parts: Vec<String> = parts.collect();
        let message = match &parts[..] {
            // Many reporters put the message at the head of the trace too.
            [message, trace] if trace.contains(message.as_str()) => trace.clone(),
            _ => parts.join("\n"),
        };
        let message = bounds::cut(message, self.limits.message_bytes);
        let file = test.file_path.map(|path| bounds::cut(path.0, self.limits.name_bytes));
        let attempts = test.retry_attempts.map_or(0, |attempts| attempts.0);
        let milliseconds = test.duration.and_then(|value| value.0).filter(|value| *value >= 0.0);
        self.sink.case(&Case {
            suites: &suites,
            class: "",
            name: &name,
            file: file.as_deref(),
            line: test.line.and_then(|line| line.whole()).filter(|line| *line > 0),
            outcome,
            seconds: milliseconds.map(|value| value / 1e3),
            message: Some(&*message).filter(|message| outcome.is_failure() && !message.is_empty()),
            reruns: test.retries.and_then(|retries| retries.whole()).unwrap_or(0).max(attempts),
            flaky: test.flaky.is_some_and(|flaky| flaky.0),
        });
        true
    }
}

/// One entry of `tests`. Fields that are null are as good as absent.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Test {
    #[serde(default, deserialize_with = "or_default")]
    name: Text,
    #[serde(default, deserialize_with = "or_default")]
    status: Text,
    raw_status: Option<Text>,
    duration: Option<Number>,
    message: Option<Text>,
    trace: Option<Text>,
    suite: Option<Suite>,
    file_path: Option<Text>,
    line: Option<Number>,
    retries: Option<Number>,
    retry_attempts: Option<Count>,
    flaky: Option<Flag>,
    browser: Option<Text>,
    device: Option<Text>,
}

fn or_default<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Text, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// A string; half of a surrogate pair in it, which JavaScript writes and Rust does not have, becomes U+FFFD.
#[derive(Default)]
struct Text(String);

struct TextVisitor;

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_bytes(TextVisitor)
    }
}

impl Visitor<'_> for TextVisitor {
    type Value = Text;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a string")
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Text, E> {
        Ok(Text(String::from_utf8_lossy(bytes).into_owned()))
    }
}

/// Suite names: one string, or a list from the outside in.
struct Suite(Vec<String>);

impl<'de> Deserialize<'de> for Suite {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Names;
        impl<'de> Visitor<'de> for Names {
            type Value = Suite;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a string or a list of strings")
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Suite, E> {
                let name = String::from_utf8_lossy(bytes).into_owned();
                Ok(Suite(if name.is_empty() { Vec::new() } else { vec![name] }))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Suite, A::Error> {
                let mut names = Vec::new();
                while let Some(Text(name)) = items.next_element()? {
                    names.push(name);
                }
                Ok(Suite(names))
            }
        }
        deserializer.deserialize_bytes(Names)
    }
}

/// A number, also where it is written as a string.
struct Number(Option<f64>);

impl Number {
    fn whole(&self) -> Option<u32> {
        let value = self.0.filter(|value| value.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(value))?;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the range of u32")]
        let whole = value as u32;
        Some(whole)
    }
}

/// Whatever else a scalar is, it is not lost with the report.
#[derive(Deserialize)]
#[serde(untagged)]
enum Scalar {
    Number(f64),
    Flag(bool),
    Text(String),
    Other(IgnoredAny),
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = match Scalar::deserialize(deserializer)? {
            Scalar::Number(value) => Some(value),
            Scalar::Text(text) => text.trim().parse().ok(),
            Scalar::Flag(_) | Scalar::Other(_) => None,
        };
        Ok(Self(value.filter(|value: &f64| value.is_finite())))
    }
}

/// True, or a word or number for it.
struct Flag(bool);

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(match Scalar::deserialize(deserializer)? {
            Scalar::Flag(value) => value,
            Scalar::Text(text) => text == "true",
            Scalar::Number(value) => value != 0.0,
            Scalar::Other(_) => false,
        }))
    }
}

/// How many entries a list has.
struct Count(u32);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Count;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Count, A::Error> {
                let mut count = 0_u32;
                while items.next_element::<IgnoredAny>()?.is_some() {
                    count = count.saturating_add(1);
                }
                Ok(Count(count))
            }
        }
        deserializer.deserialize_seq(Entries)
    }
}

/// The whole report.
struct Report<'r, 'a>(&'r RefCell<Told<'a>>);
/// What stands under `results`.
struct Results<'r, 'a>(&'r RefCell<Told<'a>>);
/// What stands under `tests`.
struct Tests<'r, 'a>(&'r RefCell<Told<'a>>);

#[derive(Deserialize)]
struct Summary {
    tests: Option<Number>,
    /// Milliseconds since the epoch.
    start: Option<Number>,
    stop: Option<Number>,
}

impl Summary {
    /// Writers that do not know put the same number, mostly 0, in both.
    fn wall(&self) -> Option<f64> {
        let (start, stop) = (self.start.as_ref()?.0?, self.stop.as_ref()?.0?);
        Some((stop - start) / 1000.0).filter(|seconds| *seconds > 0.0)
    }
}

impl<'de> DeserializeSeed<'de> for Report<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Report<'_, '_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object with `results`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Text(key)) = map.next_key()? {
            match &*key {
                "results" => map.next_value_seed(Results(self.0))?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
            self.0.borrow().used.set(0);
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Results<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Results<'_, '_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object with `tests`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Text(key)) = map.next_key()? {
            match &*key {
                "tests" => map.next_value_seed(Tests(self.0))?,
                "summary" => {
                    let summary: Option<Summary> = map.next_value()?;
                    let mut told = self.0.borrow_mut();
                    told.sink.wall(summary.as_ref().and_then(Summary::wall));
                    let stated = summary.and_then(|summary| summary.tests?.whole());
                    told.stated = stated.map(u64::from);
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
            self.0.borrow().used.set(0);
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Tests<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Tests<'_, '_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a list of tests")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while let Some(test) = items.next_element()? {
            if !self.0.borrow_mut().test(test) {
                return Err(A::Error::custom("too many tests"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod unit_tests {
    use super::super::super::collect::{read_text, read_with};
    use super::super::super::{Evidence, Origin, Repeats};
    use super::*;

    fn tests(tests: &str) -> Evidence {
        read_text(&FORMAT, &format!("{{\"results\": {{\"tests\": [{tests}]}}}}"))
    }

    fn outcomes(evidence: &Evidence) -> Vec<(String, Outcome)> {
        evidence.tests.iter().map(|(id, test)| (id.display(), test.outcome)).collect()
    }

    fn codes(evidence: &Evidence) -> Vec<&str> {
        evidence.problems.iter().map(|problem| problem.code.as_str()).collect()
    }

    #[test]
    fn the_sample_says_what_it_says() {
        let told = read_text(&FORMAT, SAMPLE);
        let want = [
            ("price.test.js > mean::mean of two".to_owned(), Outcome::Passed),
            ("price > median::median of none".to_owned(), Outcome::Failed),
            ("spread".to_owned(), Outcome::Skipped),
        ];
        assert_eq!((outcomes(&told), codes(&told)), (want.to_vec(), vec![]));
        let (id, test) = told.tests.iter().next().unwrap();
        assert_eq!((&*id.file, test.flaky, test.attempts, test.seconds), ("price.test.js", true, 2, 0.004));
        assert_eq!(
            told.tests.iter().nth(1).unwrap().1.message.as_deref(),
            Some("expected 0, got NaN\nat price.test.js:9:5")
        );
    }

    #[test]
    fn every_status() {
        for (word, want, problems) in [
            ("passed", Outcome::Passed, 0),
            ("failed", Outcome::Failed, 0),
            ("skipped", Outcome::Skipped, 0),
            ("pending", Outcome::Skipped, 0),
            ("other", Outcome::Errored, 0),
            ("timedOut", Outcome::Errored, 1),
        ] {
            let told = tests(&format!("{{\"name\": \"n\", \"status\": \"{word}\"}}"));
            assert_eq!((outcomes(&told), told.problems.len()), (vec![("n".to_owned(), want)], problems), "{word}");
        }
        let told = tests(r#"{"name": "n", "status": "other", "rawStatus": "todo"}"#);
        assert_eq!(outcomes(&told), [("n".to_owned(), Outcome::Skipped)]);
        let told = tests("{\"status\": \"passed\"}, {\"name\": null, \"status\": null}");
        assert_eq!((told.tests.summary().errors, codes(&told)), (1, vec!["evidence.repaired"; 3]));
    }

    #[test]
    fn fields_of_unusual_types() {
        let told = tests(
            r#"{"name": "a\ud800b", "status": "failed", "duration": "12", "suite": null, "message": null, "trace": "x\udfff", "retries": 2, "retryAttempts": [{"attempt": 1, "status": "failed"}], "flaky": null, "line": 3, "extra": {"a": [1, {}]}, "browser": "firefox", "stdout": ["x"]}"#,
        );
        let (id, test) = told.tests.iter().next().unwrap();
        assert_eq!(id.display(), "a\u{fffd}\u{fffd}\u{fffd}b [firefox]");
        assert_eq!((test.seconds, test.attempts, test.line), (0.012, 3, Some(3)));
        assert_eq!(test.message.as_deref(), Some("x\u{fffd}\u{fffd}\u{fffd}"));
        assert_eq!(codes(&told), [] as [&str; 0]);
    }

    #[test]
    fn a_cut_or_broken_report_keeps_what_stands_before() {
        let told = read_text(&FORMAT, &SAMPLE[..SAMPLE.find("\"spread\"").unwrap()]);
        assert_eq!((told.tests.len(), codes(&told), told.problems[0].line), (2, vec!["evidence.truncated"], Some(9)));
        let told = tests("{\"name\": \"a\", \"status\": \"passed\"},\n{\"name\": \"b\" \"status\"");
        assert_eq!((told.tests.len(), codes(&told), told.problems[0].line), (1, vec!["evidence.syntax"], Some(2)));
        let told = read_text(&FORMAT, &format!("{SAMPLE}x"));
        assert_eq!((told.tests.len(), codes(&told)), (3, vec!["evidence.syntax"]));
        assert_eq!(codes(&read_text(&FORMAT, "{\"results\": {}}")), ["evidence.empty"]);
    }

    #[test]
    fn the_summary_is_compared_only() {
        let told = read_text(&FORMAT, &SAMPLE.replace("\"tests\": 3", "\"tests\": 4"));
        assert_eq!((told.tests.len(), codes(&told)), (3, vec!["evidence.changed"]));
    }

    #[test]
    fn limits_hold() {
        let limits = Limits { item_bytes: 20_000, entries: 2, ..Limits::default() };
        let origin = Origin { check: "c", path: "r", repeats: Repeats::Worst };
        let read = |text: &str| read_with(&FORMAT, &mut text.as_bytes(), &origin, &limits);
        let told = read(SAMPLE);
        assert_eq!((told.tests.len(), codes(&told)), (2, vec!["evidence.limit"]));
        let test = |name: &str| format!("{{\"name\": \"{name}\", \"status\": \"passed\"}}");
        let told = read(&format!("{{\"results\": {{\"tests\": [{}, {}]}}}}", test("a"), test(&"x".repeat(50_000))));
        assert_eq!((told.tests.len(), codes(&told)), (1, vec!["evidence.limit"]));
        // The bound is on one test, not on the report.
        let many = vec![test(&"x".repeat(500)); 100].join(", ");
        let wide = Limits { entries: 1_000, ..limits };
        let many = format!("{{\"results\": {{\"tests\": [{many}]}}}}");
        assert_eq!(codes(&read_with(&FORMAT, &mut many.as_bytes(), &origin, &wide)), [] as [&str; 0]);
        let deep = format!("{{\"results\": {{\"tests\": [{}, {{\"extra\": {}", test("a"), "[".repeat(100_000));
        assert_eq!((read(&deep).tests.len(), read(&deep).problems.len()), (1, 1));
    }
}
