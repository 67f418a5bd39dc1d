//! Istanbul's `coverage-summary.json`: sums of each file, without lines.
//!
//! Such sums cannot be merged with what another report says of the same file, nor show which lines of a change are
//! covered. The row `total` repeats the sum of the files and is not read.

use std::io::BufRead;

use serde::de::MapAccess;

use super::super::json::{self, Entries, Members, Object, Scalar, refuse, skip};
use super::super::problem::SYNTAX;
use super::super::sink::{Ratio, Repeat, Sink, Totals};
use super::super::{Format, Kind, Limits, Problem, ReadError};
use super::paths::bounded;
use crate::sys::text;

/// The table row.
pub const FORMAT: Format = Format {
    name: "istanbul-summary",
    kind: Kind::Coverage,
    doc: "Istanbul coverage-summary.json (json-summary): sums of each file, no lines.",
    sniff,
    read,
    sample: SAMPLE,
};

const SAMPLE: &str = r#"{"total": {"lines":{"total":14,"covered":9,"skipped":0,"pct":64.28},"statements":{"total":17,"covered":11,"skipped":0,"pct":64.7},"functions":{"total":7,"covered":5,"skipped":0,"pct":71.42},"branches":{"total":0,"covered":0,"skipped":0,"pct":"Unknown"}}
,"/repo/src/cart.js": {"lines":{"total":13,"covered":9,"skipped":0,"pct":69.23},"functions":{"total":6,"covered":5,"skipped":0,"pct":83.33},"statements":{"total":15,"covered":11,"skipped":0,"pct":73.33},"branches":{"total":0,"covered":0,"skipped":0,"pct":"Unknown"}}
,"/repo/src/other.js": {"lines":{"total":1,"covered":0,"skipped":0,"pct":0},"functions":{"total":1,"covered":0,"skipped":0,"pct":0},"statements":{"total":2,"covered":0,"skipped":0,"pct":0},"branches":{"total":0,"covered":0,"skipped":0,"pct":"Unknown"}}
}
"#;

fn sniff(head: &[u8]) -> bool {
    let has = |needle: &str| memchr::memmem::find(head, needle.as_bytes()).is_some();
    let is_object = head.trim_ascii_start().starts_with(b"{");
    is_object && ["\"lines\"", "\"covered\"", "\"skipped\"", "\"pct\""].into_iter().all(has)
}

fn read(input: &mut dyn BufRead, sink: &mut dyn Sink, limits: &Limits) -> Result<(), ReadError> {
    let mut report = Report { sink, limits, files: 0, refused: None };
    let read = json::document(input, limits, &mut report);
    match (report.refused, read) {
        (Some(refused), _) => Err(refused),
        (None, Ok(())) => Ok(()),
        (None, Err(stop)) => stop.tell(sink),
    }
}

/// The document: sums by path.
struct Report<'a> {
    sink: &'a mut dyn Sink,
    limits: &'a Limits,
    files: usize,
    refused: Option<ReadError>,
}

impl Object for Report<'_> {
    fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, members: &mut A) -> Result<(), A::Error> {
        if key == "total" {
            return skip(members);
        }
        self.files += 1;
        if self.files > self.limits.entries {
            return refuse(&mut self.refused, "the number of files", format_args!("{} files", self.limits.entries));
        }
        let mut sums = Sums::default();
        let found = members.next_value_seed(Members(&mut sums))?;
        let shown = || text::shorten(&text::one_line(key), 120);
        if found.is_err() || !sums.has_lines {
            self.sink.problem(Problem::new(&SYNTAX, format!("`{}` states no sum of lines", shown())));
            return Ok(());
        }
        for what in sums.odd {
            self.sink.problem(Problem::new(&SYNTAX, format!("the sums of {what} of `{}` cannot be used", shown())));
        }
        let name = bounded(key, self.sink, self.limits);
        self.sink.file(&name, Repeat::Max);
        self.sink.totals(&sums.totals);
        Ok(())
    }
}

/// The sums of one file.
#[derive(Default)]
struct Sums {
    totals: Totals,
    has_lines: bool,
    odd: Vec<&'static str>,
}

impl Object for Sums {
    fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, members: &mut A) -> Result<(), A::Error> {
        let (what, ratio) = match key {
            "lines" => ("lines", &mut self.totals.lines),
            "branches" => ("branches", &mut self.totals.branches),
            "functions" => ("functions", &mut self.totals.functions),
            "statements" => ("statements", &mut self.totals.statements),
            _ => return skip(members),
        };
        let (mut total, mut covered) = (None, None);
        let _ = members.next_value_seed(Entries(|key: &str, value: Scalar| match (key, value.hits()) {
            ("total", Some((count, true))) => total = Some(count),
            ("covered", Some((count, true))) => covered = Some(count),
            _ => {}
        }))?;
        match (covered, total) {
            // Sums of files are added up; none is near the range of the type.
            (Some(covered), Some(total)) if covered <= total && total <= u64::from(u32::MAX) => {
                *ratio = Ratio { covered, total };
                self.has_lines |= what == "lines";
            }
            _ => self.odd.push(what),
        }
        Ok(())
    }
}

#[cfg(test)]
mod unit_tests {
    use super::super::super::collect::read_text;
    use super::*;

    #[test]
    fn the_sums_of_the_files_are_read_and_the_total_is_not() {
        let text = SAMPLE.replacen("\"total\":14", "\"total\":99", 1);
        let told = read_text(&FORMAT, &text);
        assert_eq!(told.problems, []);
        let ratio = |covered, total| Ratio { covered, total };
        let sum =
            Totals { lines: ratio(9, 14), branches: ratio(0, 0), functions: ratio(5, 7), statements: ratio(11, 17) };
        assert_eq!(told.coverage.summary(), sum);
        assert!(told.coverage.files().all(|(_, file)| file.is_totals_only()));
    }

    #[test]
    fn sums_that_make_no_sense_are_said() {
        let told = read_text(
            &FORMAT,
            r#"{"a": {"lines": {"total": 2, "covered": 3}}, "b": 1, "c": {"lines": {"total": 2, "covered": 1}, "branches": {"total": -1, "covered": "x"}},
            "d": {"lines": {"total": 18446744073709551615, "covered": 1}}, "f": {"branches": {"total": 5, "covered": 5}}, "e": {"lines": {"total": 5,"#,
        );
        let said: Vec<_> = told.problems.iter().map(|problem| problem.message.as_str()).collect();
        assert_eq!(
            said,
            [
                "`a` states no sum of lines",
                "`b` states no sum of lines",
                "the sums of branches of `c` cannot be used",
                "`d` states no sum of lines",
                "`f` states no sum of lines",
                "the document ends in the middle; what came after is unknown",
            ]
        );
        assert_eq!(told.coverage.summary().lines, Ratio { covered: 1, total: 2 });
    }
}
