//! A metric file of MLflow's file store, `mlruns/EXPERIMENT/RUN/metrics/NAME`: lines `timestamp value [step]`.
//!
//! The metric is named after the file, folders under `metrics` included. The value of the last step counts; of
//! several at that step the one with the latest time, and of these the greatest, as MLflow itself decides.

use std::io::BufRead;

use super::super::problem::{SYNTAX, TRUNCATED};
use super::super::sink::Sink;
use super::super::source::each_line;
use super::super::{Format, Kind, Limits, Problem, ReadError};
use crate::sys::text;

/// The table row.
pub const FORMAT: Format = Format {
    name: "mlflow",
    kind: Kind::Metrics,
    doc: "A metric file of MLflow's file store (`metrics/NAME`): the value of the last step.",
    sniff,
    read,
    sample: SAMPLE,
};

const SAMPLE: &str = "1795341600000 0.5512 0
1795341660000 0.8761 1
1795341720000 0.9376 2
";

fn sniff(head: &[u8]) -> bool {
    // The head may end inside a line.
    let whole = head.iter().rposition(|byte| *byte == b'\n').map_or(head, |end| &head[..end]);
    let mut lines = whole.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
    let Some(first) = lines.next() else { return false };
    // Milliseconds since 1970 have ten digits and more since then: no other table begins with them by chance.
    let is_row = |line| std::str::from_utf8(line).ok().and_then(row).is_some_and(|row| row.time.abs() > 999_999_999);
    is_row(first) && lines.all(is_row)
}

/// One line.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Row {
    step: i64,
    time: i64,
    value: f64,
}

fn row(line: &str) -> Option<Row> {
    let mut words = line.split_ascii_whitespace();
    let time = words.next()?.parse().ok()?;
    let value = number(words.next()?)?;
    // The file store of the first versions knew no steps.
    let step = words.next().map_or(Some(0), |word| word.parse().ok())?;
    words.next().is_none().then_some(Row { step, time, value })
}

/// `nan`, `inf` and `-inf` stay what they are, so that a rule on them cannot pass.
fn number(word: &str) -> Option<f64> {
    word.parse().ok()
}

impl Row {
    fn is_later_than(&self, other: &Self) -> bool {
        let place = |row: &Self| (row.step, row.time);
        place(self) > place(other) || place(self) == place(other) && (self.value > other.value || other.value.is_nan())
    }
}

fn read(input: &mut dyn BufRead, sink: &mut dyn Sink, limits: &Limits) -> Result<(), ReadError> {
    let mut last: Option<Row> = None;
    let mut before: Option<Row> = None;
    let mut lines = 0;
    let mut broken = Vec::new();
    let done = each_line(input, limits, |line, number| {
        lines = number;
        before = last;
        let line = String::from_utf8_lossy(line);
        if line.trim().is_empty() {
            return;
        }
        match row(&line) {
            Some(row) if last.is_none_or(|last| row.is_later_than(&last)) => last = Some(row),
            Some(_) => {}
            None if broken.len() < 100 => broken.push((number, text::shorten(&text::one_line(&line), 60))),
            None => {}
        }
    });
    for (number, shown) in broken {
        sink.problem(Problem::new(&SYNTAX, format!("`{shown}` is not `timestamp value step`")).at_line(number));
    }
    if matches!(done, Ok(false)) {
        // A number may have gone on: the line does not count.
        last = before;
        sink.problem(Problem::new(&TRUNCATED, "the last line has no end; it does not count").at_line(lines));
    }
    if let Some(last) = last {
        sink.metric("", last.value);
    }
    done.map(|_| ())
}

#[cfg(test)]
mod unit_tests {
    use super::super::super::collect::{read_text, read_with};
    use super::super::super::{Origin, Repeats};
    use super::*;

    fn value(text: &str) -> Option<f64> {
        let told = read_text(&FORMAT, text);
        assert!(told.metrics.len() <= 1);
        told.metrics.first().map(|metric| metric.value)
    }

    #[test]
    fn the_file_names_the_metric() {
        let origin = Origin { check: "train", path: "mlruns/0/4f2e/metrics/holdout/f1", repeats: Repeats::Worst };
        let told = read_with(&FORMAT, &mut SAMPLE.as_bytes(), &origin, &Limits::default());
        let metrics: Vec<_> = told.metrics.iter().map(|metric| (metric.name.as_str(), metric.value)).collect();
        assert_eq!((metrics, told.problems.len()), (vec![("holdout.f1", 0.9376)], 0));
    }

    #[test]
    fn the_last_step_counts_then_the_latest_time_then_the_greatest() {
        assert_eq!(value("5 0.9 2\n9 0.1 1\n"), Some(0.9));
        assert_eq!(value("5 0.9 2\n9 0.1 2\n7 0.8 2\n"), Some(0.1));
        assert_eq!(value("5 0.9 2\n5 0.1 2\n5 1.0 2\n"), Some(1.0));
        assert_eq!(value("5 0.9 -1\n5 0.1 -2\n"), Some(0.9));
        assert_eq!(value("5 0.9\n6 0.1\n"), Some(0.1));
        assert!(value("5 0.9 0\n6 nan 1\n").unwrap().is_nan());
        assert_eq!(value("5 -inf 0\n"), Some(f64::NEG_INFINITY));
    }

    #[test]
    fn what_is_no_row_is_told_and_a_cut_one_does_not_count() {
        let told = read_text(&FORMAT, "5 0.9 1\nloss 3\n5 0.95 2");
        let problems: Vec<_> = told.problems.iter().map(|p| (p.code.as_str(), p.line)).collect();
        assert_eq!(problems, [("evidence.syntax", Some(2)), ("evidence.truncated", Some(3))]);
        assert_eq!(told.metrics[0].value.to_bits(), 0.9_f64.to_bits());
        assert_eq!(read_text(&FORMAT, "5 0.9").problems[1].code, "evidence.empty");
        assert_eq!((value("5 0.9 1 7\n"), value("5 x 1\n"), value("\n")), (None, None, None));
    }

    #[test]
    fn only_times_begin_such_a_file() {
        assert!(!sniff(b"1 2 3\n4 5 6\n") && !sniff(b"a: 1\n") && !sniff(b"") && !sniff(b"1795341600000: 0.5\n"));
        assert!(sniff(b"1795341600000 nan 1\n1795341600000 0.5 2\n17953"));
    }
}
