//! JSON, YAML or TOML, flat or nested: every number becomes a metric with a dotted name. DVC's metrics files are
//! such documents.
//!
//! Text, booleans and nulls beside the numbers are descriptions, not metrics, and are passed over; in a list of numbers
//! `null` and booleans are NaN. `NaN` and
//! `Infinity`, which JSON does not have but Python writes, stay what they are, so that a rule on them cannot pass.

use std::io::{BufRead, Read as _};

use serde_yaml::Value;

use super::super::problem::{LIMIT, REPAIRED, SYNTAX};
use super::super::sink::Sink;
use super::super::{Bound, Format, Kind, Limits, Problem, ReadError};
use crate::sys::text;

/// The table row.
pub const FORMAT: Format = Format {
    name: "document",
    kind: Kind::Metrics,
    doc: "JSON, YAML or TOML, flat or nested (DVC's metrics too): each number is a metric with a dotted name.",
    sniff,
    read,
    sample: SAMPLE,
};

const SAMPLE: &str = r#"{ "holdout": { "f1": 0.9376, "accuracy": 0.9434 }, "samples": 442, "model": "ensemble", "per_class": [0.91, 0.97] }
"#;

/// A JSON object or list, or a line that begins like a YAML pair.
fn sniff(head: &[u8]) -> bool {
    let start = head.iter().find(|byte| !byte.is_ascii_whitespace());
    // A bare number is no document with names, but it was meant as one.
    let is_number = std::str::from_utf8(head).is_ok_and(|text| text.trim().parse::<f64>().is_ok());
    if is_number || matches!(start, Some(b'{' | b'[')) {
        return true;
    }
    head.split(|byte| *byte == b'\n').take(20).any(|line| {
        let name = line
            .iter()
            .position(|byte| *byte == b':')
            .filter(|at| *at > 0 && line.get(at + 1).is_none_or(u8::is_ascii_whitespace));
        name.is_some_and(|at| line[..at].iter().all(|byte| byte.is_ascii_alphanumeric() || b"_-.\"' ".contains(byte)))
    })
}

fn read(input: &mut dyn BufRead, sink: &mut dyn Sink, limits: &Limits) -> Result<(), ReadError> {
    // A document has to be held whole: its bound is that of one item.
    let mut bytes = Vec::new();
    input.take(limits.item_bytes as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > limits.item_bytes {
        return Err(limits.passed(Bound::Item, "a metrics document"));
    }
    let (value, syntax) = match parse(&bytes) {
        Ok(parsed) => parsed,
        // The parsers' own bound, which no setting moves.
        Err((why, line)) if why.contains("recursion limit") => {
            let told = "the values are nested deeper than 128 levels; the document was not read";
            let mut problem = Problem::new(&LIMIT, told).at_line(line.unwrap_or(0) as u64);
            problem.hint = Some("write the metrics into a flatter document".to_owned());
            sink.problem(problem);
            return Ok(());
        }
        Err((why, line)) => {
            let problem = Problem::new(&SYNTAX, text::one_line(&why));
            sink.problem(match line {
                Some(line) => problem.at_line(line as u64),
                None => problem,
            });
            return Ok(());
        }
    };
    let mut walk = Walk { sink, left: limits.entries, limits };
    walk.value(&mut String::new(), &value, 0)?;
    // JSON ends with a bracket; in YAML and TOML the last number may have gone on.
    if syntax == Syntax::Lines && !bytes.ends_with(b"\n") {
        let line = memchr::memchr_iter(b'\n', &bytes).count() as u64 + 1;
        let told = "the last line has no line end; its value was taken as it is";
        sink.problem(Problem::new(&REPAIRED, told).at_line(line));
    }
    Ok(())
}

/// JSON where the text begins like JSON, TOML where it begins like TOML, else YAML. JSON with `NaN` or `Infinity` in
/// it is read as YAML, of which it is a part; any other broken JSON is broken, although YAML might find a meaning for
/// it.
fn parse(bytes: &[u8]) -> Result<(Value, Syntax), (String, Option<usize>)> {
    let yaml = || {
        let lines = serde_yaml::from_slice(bytes).map(|value| (value, Syntax::Lines));
        lines.map_err(|error| (format!("not valid YAML: {error}"), error.location().map(|at| at.line())))
    };
    let toml = std::str::from_utf8(bytes).ok().filter(|text| is_toml(text));
    if !is_bracketed(bytes) {
        return toml.map_or_else(yaml, parse_toml);
    }
    serde_json::from_slice(bytes).map(|value| (value, Syntax::Brackets)).or_else(|error| {
        if let Some(toml) = toml {
            return parse_toml(toml);
        }
        let extended = ["NaN", "Infinity"].iter().any(|word| memchr::memmem::find(bytes, word.as_bytes()).is_some());
        let as_yaml = || yaml().map(|(value, _)| (value, Syntax::Brackets));
        if extended { as_yaml() } else { Err((format!("not valid JSON: {error}"), Some(error.line()))) }
    })
}

/// What ends a document.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Syntax {
    /// The bracket that it began with.
    Brackets,
    /// Nothing but the last line.
    Lines,
}

/// Whether a text begins like JSON.
fn is_bracketed(bytes: &[u8]) -> bool {
    matches!(bytes.trim_ascii_start().first(), Some(b'{' | b'['))
}

/// Whether the first line that says something is `[table]` or `key = …`.
fn is_toml(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let Some(line) = lines.next() else { return false };
    let is_key = |text: &str| {
        let text = text.trim();
        !text.is_empty() && text.chars().all(|ch| ch.is_alphanumeric() || " _-.\"'".contains(ch))
    };
    let line = line.split('#').next().unwrap_or_default().trim_end();
    match line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
        Some(table) => is_key(table.strip_prefix('[').and_then(|table| table.strip_suffix(']')).unwrap_or(table)),
        None => line.split_once('=').is_some_and(|(key, _)| is_key(key)),
    }
}

fn parse_toml(text: &str) -> Result<(Value, Syntax), (String, Option<usize>)> {
    toml::from_str(text).map(|value| (value, Syntax::Lines)).map_err(|error| {
        let line = error.span().and_then(|span| Some(text.get(..span.start)?.matches('\n').count() + 1));
        (format!("not valid TOML: {}", error.message()), line)
    })
}

struct Walk<'s> {
    sink: &'s mut dyn Sink,
    left: usize,
    limits: &'s Limits,
}

impl Walk<'_> {
    fn value(&mut self, name: &mut String, value: &Value, depth: usize) -> Result<(), ReadError> {
        if depth > self.limits.depth {
            return Err(self.limits.passed(Bound::Depth, "the nesting of values"));
        }
        match value {
            Value::Number(number) => self.number(name, number.as_f64()),
            Value::String(word) => self.number(name, not_finite(word)),
            Value::Sequence(items) => {
                // Among numbers what is none is a value that came to nothing: some writers make `null` of NaN.
                let counts = items.iter().any(|item| matches!(item, Value::Number(_)));
                for (index, item) in items.iter().enumerate() {
                    let is_lost = counts && matches!(item, Value::Null | Value::Bool(_));
                    let item = if is_lost { &Value::Number(f64::NAN.into()) } else { item };
                    self.under(name, &index.to_string(), item, depth)?;
                }
                Ok(())
            }
            Value::Mapping(pairs) => {
                for (key, item) in pairs {
                    match key {
                        Value::String(key) => self.under(name, key, item, depth)?,
                        Value::Number(key) => self.under(name, &key.to_string(), item, depth)?,
                        Value::Bool(key) => self.under(name, &key.to_string(), item, depth)?,
                        _ => {
                            self.sink.problem(Problem::new(
                                &REPAIRED,
                                format!(
                                    "a key under `{}` is neither text nor number and was passed over",
                                    text::one_line(name)
                                ),
                            ));
                        }
                    }
                }
                Ok(())
            }
            Value::Tagged(tagged) => self.value(name, &tagged.value, depth + 1),
            Value::Null | Value::Bool(_) => Ok(()),
        }
    }

    fn under(&mut self, name: &mut String, key: &str, item: &Value, depth: usize) -> Result<(), ReadError> {
        let length = name.len();
        if length > 0 {
            name.push('.');
        }
        name.push_str(key);
        let done = self.value(name, item, depth + 1);
        name.truncate(length);
        done
    }

    fn number(&mut self, name: &str, value: Option<f64>) -> Result<(), ReadError> {
        let Some(value) = value else { return Ok(()) };
        if self.left == 0 {
            return Err(self.limits.passed(Bound::Entries, "the number of metrics"));
        }
        self.left -= 1;
        if name.is_empty() {
            self.sink.problem(Problem::new(&SYNTAX, "a bare number has no name; write `name: number`"));
        } else {
            self.sink.metric(name, value);
        }
        Ok(())
    }
}

/// The words that Python, JavaScript and YAML 1.1 writers use for what is not a finite number.
fn not_finite(word: &str) -> Option<f64> {
    match word {
        "NaN" | "nan" | ".nan" | ".NaN" => Some(f64::NAN),
        "Infinity" | "inf" | ".inf" => Some(f64::INFINITY),
        "-Infinity" | "-inf" | "-.inf" => Some(f64::NEG_INFINITY),
        _ => None,
    }
}

#[cfg(test)]
mod unit_tests {
    use super::super::super::collect::read_text;
    use super::*;

    fn metrics(text: &str) -> Vec<(String, String)> {
        read_text(&FORMAT, text).metrics.into_iter().map(|metric| (metric.name, metric.value.to_string())).collect()
    }

    #[test]
    fn numbers_get_dotted_names_and_descriptions_are_passed_over() {
        let want = [
            ("holdout.f1", "0.9376"),
            ("holdout.accuracy", "0.9434"),
            ("samples", "442"),
            ("per_class.0", "0.91"),
            ("per_class.1", "0.97"),
        ];
        assert_eq!(metrics(SAMPLE), want.map(|(name, value)| (name.into(), value.into())));
        assert_eq!(
            metrics("a:\n  b: 1e3\n  c: true\n2020: 7\n"),
            [("a.b".to_owned(), "1000".to_owned()), ("2020".into(), "7".into())]
        );
    }

    #[test]
    fn what_is_not_finite_stays_so() {
        assert_eq!(
            metrics("{\"f1\": NaN, \"loss\": -Infinity, \"x\": 1}")
                .iter()
                .map(|(_, value)| value.as_str())
                .collect::<Vec<_>>(),
            ["NaN", "-inf", "1"]
        );
    }

    #[test]
    fn what_is_no_number_in_a_list_of_numbers_is_not_passed_over() {
        let values = |text| metrics(text).into_iter().map(|(_, value)| value).collect::<Vec<_>>();
        assert_eq!(values("{\"f1\": [0.9, null, true, 0.1]}"), ["0.9", "NaN", "NaN", "0.1"]);
        assert_eq!(values("{\"shape\": [32, \"relu\", 3]}"), ["32", "3"], "text describes");
        assert_eq!(values("{\"f1\": [0.9, null]}"), ["0.9", "NaN"]);
        assert_eq!(values("{\"layers\": [\"dense\", null], \"x\": 1}"), ["1"]);
    }

    #[test]
    fn toml_is_known_by_its_first_line() {
        let want = [("a".to_owned(), "1".to_owned()), ("b.c".into(), "0.5".into()), ("b.d.0".into(), "NaN".into())];
        assert_eq!(metrics("# by hand\na = 1\nday = 2026-11-22\n[b]\nc = 0.5 # x\nd = [nan]\n"), want);
        assert_eq!(metrics("[holdout]\nf1 = 1\n"), [("holdout.f1".to_owned(), "1".to_owned())]);
        assert_eq!(metrics("[[run]]\nf1 = 1\n"), [("run.0.f1".to_owned(), "1".to_owned())]);
        assert_eq!(metrics("[1]\n"), [("0".to_owned(), "1".to_owned())]);
        assert_eq!(metrics("a: x = 1\nb: 2\n"), [("b".to_owned(), "2".to_owned())]);
        let told = read_text(&FORMAT, "a = 1\nb = \n");
        assert_eq!((told.problems[0].code.as_str(), told.problems[0].line), ("evidence.syntax", Some(2)));
    }

    #[test]
    fn a_broken_document_is_a_loss_with_a_line() {
        let told = read_text(&FORMAT, "{\"a\": 1,\n\"b\": }");
        assert_eq!((told.problems[0].code.as_str(), told.problems[0].line), ("evidence.syntax", Some(2)));
        assert_eq!(told.metrics.len(), 0);
        assert!(!sniff(b"x\n") && !sniff(b"<a>: b") && sniff(b"# c\nf1: 0.5\n") && sniff(b"a:\r\n  b: 1"));
        assert_eq!(read_text(&FORMAT, "0.5").problems[0].code, "evidence.syntax");
    }
}
