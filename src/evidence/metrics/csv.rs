//! CSV with a header, quoted by RFC 4180; `;` and tabs part columns too.
//!
//! A table whose first column is headed `name`, `metric`, `key` or `measure`, or not at all (pandas' index) and
//! holds words, names its rows: `f1,0.93` is the metric `f1`, and with several columns of numbers `f1.train`. In any
//! other table a column is a metric. With several rows it is a log, as training writes it, and the last cell of a
//! column that is not empty counts; a note says so. Words beside numbers are descriptions and are passed over.

use std::cell::Cell;
use std::io::{BufRead, Read};

use csv::{ReaderBuilder, StringRecord, Trim};
use indexmap::IndexMap;

use super::super::problem::{MERGED, REPAIRED, SYNTAX, TRUNCATED};
use super::super::sink::Sink;
use super::super::source::Metered;
use super::super::{Bound, Format, Kind, Limits, Problem, ReadError};
use crate::sys::text;

/// The table row.
pub const FORMAT: Format = Format {
    name: "csv",
    kind: Kind::Metrics,
    doc: "CSV with a header: `name,value` rows, or a column a metric, of which the last row counts.",
    sniff,
    read,
    sample: SAMPLE,
};

const SAMPLE: &str = "epoch,train_loss,\"val, f1\",model
0,0.71,0.62,ensemble
1,0.44,0.9376,ensemble
";

const DELIMITERS: [u8; 3] = *b",;\t";

fn sniff(head: &[u8]) -> bool {
    let Some(delimiter) = delimiter(head) else { return false };
    // The head may end inside a row.
    let end = head.iter().rposition(|byte| *byte == b'\n').map_or(head.len(), |end| end + 1);
    let mut reader = builder(delimiter).from_reader(&head[..end]);
    let mut rows = reader.records().map_while(Result::ok);
    let (Some(header), Some(first)) = (rows.next(), rows.next()) else { return false };
    let is_word = |cell: &str| number(cell, delimiter).is_none() && !cell.starts_with(['{', '[', '<', '#']);
    header.len() > 1
        && header.len() == first.len()
        && header.iter().all(is_word)
        && first.iter().any(|cell| number(cell, delimiter).is_some())
}

/// What parts the columns: whichever of the three stands in the first line most often.
fn delimiter(head: &[u8]) -> Option<u8> {
    let first = head.split(|byte| *byte == b'\n').find(|line| !line.trim_ascii().is_empty())?;
    let count = |delimiter: &u8| first.iter().filter(|byte| *byte == delimiter).count();
    DELIMITERS.into_iter().rev().max_by_key(count).filter(|delimiter| count(delimiter) > 0)
}

fn builder(delimiter: u8) -> ReaderBuilder {
    let mut builder = ReaderBuilder::new();
    builder.delimiter(delimiter).has_headers(false).flexible(true).trim(Trim::All);
    builder
}

/// Counts quotes on the way: an odd number leaves one open. Remembers the last byte.
struct Watched<'a> {
    inner: Metered<'a>,
    quotes: &'a Cell<usize>,
    last: &'a Cell<u8>,
}

impl Read for Watched<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(out)?;
        self.quotes.set(self.quotes.get() + memchr::memchr_iter(b'"', &out[..count]).count());
        self.last.set(out[..count].last().copied().unwrap_or(self.last.get()));
        Ok(count)
    }
}

struct Table {
    delimiter: u8,
    header: StringRecord,
    is_named: bool,
    /// Named rows: the last row of a name holds, by its line.
    rows: IndexMap<String, (u64, StringRecord)>,
    has_repeats: bool,
    /// A log: the last cell of each column that is not empty, and whether any cell before was a number.
    columns: Vec<(u64, String, bool)>,
    count: u64,
}

fn read(input: &mut dyn BufRead, sink: &mut dyn Sink, limits: &Limits) -> Result<(), ReadError> {
    let delimiter = delimiter(input.fill_buf()?).unwrap_or(b',');
    let (used, quotes, last) = (Cell::new(0), Cell::new(0), Cell::new(b'\n'));
    let watched = Watched { inner: Metered::new(input, limits.item_bytes, &used), quotes: &quotes, last: &last };
    let mut reader = builder(delimiter).from_reader(watched);
    let mut record = StringRecord::new();
    let mut table: Option<Table> = None;
    let mut line = 0;
    loop {
        used.set(0);
        match reader.read_record(&mut record) {
            Ok(true) => {}
            Ok(false) => break,
            Err(_) if used.get() > limits.item_bytes => {
                return Err(limits.passed(Bound::Item, "one row"));
            }
            Err(error) => return Err(ReadError::Io(error.into())),
        }
        // Where the row ends: it is said to begin at the blank lines before it.
        line = record.position().map_or(0, csv::Position::line).max(reader.position().line().saturating_sub(1));
        match &mut table {
            None => {
                if record.len() > limits.entries {
                    return Err(limits.passed(Bound::Entries, "the number of columns"));
                }
                let repeated = repeated(&record);
                if let Some(name) = repeated {
                    let told = format!("two columns are headed `{}`", text::shorten(&text::one_line(&name), 60));
                    sink.problem(Problem::new(&SYNTAX, told).at_line(line));
                }
                table = Some(Table::new(&record, delimiter));
            }
            Some(table) if record.len() != table.header.len() => {
                let told =
                    format!("a row of {} under a header of {}; it was passed over", record.len(), table.header.len());
                sink.problem(Problem::new(&SYNTAX, told).at_line(line));
            }
            Some(table) => {
                table.add(&record, line);
                if table.rows.len() > limits.entries {
                    return Err(limits.passed(Bound::Entries, "the number of rows"));
                }
            }
        }
    }
    if quotes.get() % 2 == 1 {
        let told = "a quoted cell has no end, so a row may have swallowed others";
        sink.problem(Problem::new(&TRUNCATED, told).at_line(line));
    } else if last.get() != b'\n' && last.get() != b'\r' {
        let told = "the last row has no line end; its last cell was taken as it is";
        sink.problem(Problem::new(&REPAIRED, told).at_line(line));
    }
    if let Some(table) = table {
        table.tell(sink);
    }
    Ok(())
}

fn repeated(header: &StringRecord) -> Option<String> {
    let mut seen = std::collections::HashSet::new();
    header.iter().find(|name| !name.is_empty() && !seen.insert(*name)).map(str::to_owned)
}

impl Table {
    fn new(header: &StringRecord, delimiter: u8) -> Self {
        let first = header.get(0).unwrap_or_default().to_ascii_lowercase();
        let columns = header.iter().map(|_| (0, String::new(), false)).collect();
        Self {
            delimiter,
            header: header.clone(),
            is_named: matches!(&*first, "" | "name" | "metric" | "metric_name" | "key" | "measure"),
            rows: IndexMap::new(),
            has_repeats: false,
            columns,
            count: 0,
        }
    }

    fn add(&mut self, row: &StringRecord, line: u64) {
        self.count += 1;
        for (column, cell) in self.columns.iter_mut().zip(row).filter(|(_, cell)| !cell.is_empty()) {
            column.0 = line;
            cell.clone_into(&mut column.1);
            column.2 |= number(cell, self.delimiter).is_some();
        }
        let label = row.get(0).unwrap_or_default();
        // pandas numbers its rows where they have no names: then it is a log.
        if self.is_named && self.rows.is_empty() && self.header.get(0) == Some("") && label.parse::<u64>() == Ok(0) {
            self.is_named = false;
        }
        if self.is_named {
            let before = self.rows.insert(label.to_owned(), (line, row.clone()));
            self.has_repeats |= before.is_some();
        }
    }

    fn tell(self, sink: &mut dyn Sink) {
        if self.is_named { self.tell_rows(sink) } else { self.tell_columns(sink) }
    }

    fn tell_rows(&self, sink: &mut dyn Sink) {
        let one = self.header.len() == 2;
        for (label, (line, row)) in &self.rows {
            if label.is_empty() {
                sink.problem(Problem::new(&SYNTAX, "a row without a name; it was passed over").at_line(*line));
                continue;
            }
            for (head, cell) in self.header.iter().zip(row).skip(1) {
                match number(cell, self.delimiter) {
                    Some(value) if one => sink.metric(label, value),
                    Some(value) => sink.metric(&format!("{label}.{head}"), value),
                    None if one => {
                        let shown = text::shorten(&text::one_line(cell), 40);
                        let told = format!("the value `{shown}` of `{}` is no number", text::one_line(label));
                        sink.problem(Problem::new(&SYNTAX, told).at_line(*line));
                    }
                    None => {}
                }
            }
        }
        if self.has_repeats {
            sink.problem(Problem::new(&MERGED, "rows share a name: the last of them counts"));
        }
    }

    fn tell_columns(&self, sink: &mut dyn Sink) {
        for (head, (line, cell, had_number)) in self.header.iter().zip(&self.columns) {
            match number(cell, self.delimiter) {
                Some(_) if head.is_empty() => {}
                Some(value) => sink.metric(head, value),
                None if *had_number => {
                    let shown = text::shorten(&text::one_line(cell), 40);
                    let told = format!("the last value `{shown}` of `{}` is no number", text::one_line(head));
                    sink.problem(Problem::new(&SYNTAX, told).at_line(*line));
                }
                None => {}
            }
        }
        if self.count > 1 {
            let told = format!("of {} the last value of each column counts", text::plural(self.count, "row", "rows"));
            sink.problem(Problem::new(&MERGED, told));
        }
    }
}

/// A number; NaN and infinity stay what they are. Where `;` parts the columns a comma may be the decimal point.
fn number(cell: &str, delimiter: u8) -> Option<f64> {
    let cell = cell.trim();
    if !cell.ends_with(|ch: char| ch.is_ascii_digit() || ch == '.') {
        return match cell.to_ascii_lowercase().trim_start_matches('+') {
            "nan" => Some(f64::NAN),
            "inf" | "infinity" => Some(f64::INFINITY),
            "-inf" | "-infinity" => Some(f64::NEG_INFINITY),
            _ => None,
        };
    }
    cell.parse().ok().or_else(|| {
        let (whole, rest) = cell.split_once(',').filter(|_| delimiter == b';')?;
        format!("{whole}.{rest}").parse().ok()
    })
}

#[cfg(test)]
mod unit_tests {
    use super::super::super::collect::{read_text, read_with};
    use super::super::super::{Evidence, Origin, Repeats};
    use super::*;

    fn metrics(evidence: &Evidence) -> Vec<(String, String)> {
        evidence.metrics.iter().map(|metric| (metric.name.clone(), metric.value.to_string())).collect()
    }

    fn codes(evidence: &Evidence) -> Vec<&str> {
        evidence.problems.iter().map(|problem| problem.code.as_str()).collect()
    }

    #[track_caller]
    fn expect(text: &str, want: &[(&str, &str)], problems: &[&str]) {
        let told = read_text(&FORMAT, text);
        let want: Vec<_> = want.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        assert_eq!((metrics(&told), codes(&told)), (want, problems.to_vec()), "{text}");
    }

    #[test]
    fn one_row_names_its_columns() {
        expect("f1,accuracy,model\n0.93,9e-1,\"a, b\"\n", &[("f1", "0.93"), ("accuracy", "0.9")], &[]);
        expect("\u{20}f1 , x\r\n 1 , nan\r\n", &[("f1", "1"), ("x", "NaN")], &[]);
        expect("f1;x\n0,93;1.5\n", &[("f1", "0.93"), ("x", "1.5")], &[]);
        expect("f1\tx\n0.93\t-inf\n", &[("f1", "0.93"), ("x", "-inf")], &[]);
        expect("f1\n0.93\n", &[("f1", "0.93")], &[]);
    }

    #[test]
    fn of_a_log_the_last_value_of_each_column_counts() {
        expect(SAMPLE, &[("epoch", "1"), ("train_loss", "0.44"), ("val, f1", "0.9376")], &["evidence.merged"]);
        // Loggers write training and validation into rows of their own.
        expect(
            "epoch,train,val\n0,0.5,\n0,,0.6\n",
            &[("epoch", "0"), ("train", "0.5"), ("val", "0.6")],
            &["evidence.merged"],
        );
        expect(",a\n0,1\n1,2\n", &[("a", "2")], &["evidence.merged"]);
    }

    #[test]
    fn named_rows() {
        expect("metric,value\nf1,0.93\n\"a, \"\"b\"\"\",2\n", &[("f1", "0.93"), ("a, \"b\"", "2")], &[]);
        expect(
            ",precision,recall\nup,0.9,0.8\nmacro avg,0.7,\n",
            &[("up.precision", "0.9"), ("up.recall", "0.8"), ("macro avg.precision", "0.7")],
            &[],
        );
        expect("name,value\nf1,0.5\nf1,0.6\n", &[("f1", "0.6")], &["evidence.merged"]);
        expect("name,value\nf1,bad\n,1\n", &[], &["evidence.syntax", "evidence.syntax", "evidence.empty"]);
    }

    #[test]
    fn what_does_not_fit_is_told() {
        expect("a,b\n1\n2,3\n4,5,6\n", &[("a", "2"), ("b", "3")], &["evidence.syntax", "evidence.syntax"]);
        expect("a,b\n1,2\n3,n/a\n", &[("a", "3")], &["evidence.syntax", "evidence.merged"]);
        expect("a,a\n1,2\n", &[("a", "1"), ("a", "2")], &["evidence.syntax"]);
        expect("a,b\n1,2", &[("a", "1"), ("b", "2")], &["evidence.repaired"]);
        expect("a,b\n1,\"2\n", &[("a", "1"), ("b", "2")], &["evidence.truncated"]);
        expect("a,b\n", &[], &["evidence.empty"]);
        let told = read_text(&FORMAT, "a,b\n1,2\n\n3\n");
        assert_eq!(told.problems[0].line, Some(4));
    }

    #[test]
    fn a_row_is_bounded() {
        let limits = Limits { item_bytes: 20_000, ..Limits::default() };
        let origin = Origin { check: "c", path: "r", repeats: Repeats::Worst };
        let text = format!("a,b\n1,\"{}\"\n", "x".repeat(100_000));
        assert_eq!(codes(&read_with(&FORMAT, &mut text.as_bytes(), &origin, &limits))[0], "evidence.limit");
        let text = format!("a,b\n{}", "1,some words\n".repeat(10_000));
        assert_eq!(codes(&read_with(&FORMAT, &mut text.as_bytes(), &origin, &limits)), ["evidence.merged"]);
    }

    #[test]
    fn documents_are_no_tables() {
        for text in
            ["{\"a\": 1, \"b\": 2}\n3,4\n", "a: 1\nb: 2\n", "a, b: 1\n", "[1, 2]\n[3, 4]\n", "1,2\n3,4\n", "a,b\nc,d\n"]
        {
            assert!(!sniff(text.as_bytes()), "{text}");
        }
        for text in ["a,b\n1,c\n", "\"a\";\"b\"\n1;2\n", ",a\n0,1\n"] {
            assert!(sniff(text.as_bytes()), "{text}");
        }
    }
}
