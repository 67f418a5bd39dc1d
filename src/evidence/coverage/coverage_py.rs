//! coverage.py's JSON report (`coverage json`, `pytest --cov-report=json`), formats 2 and 3.
//!
//! It says whether lines ran, not how often: hits are 1 or 0. Branches are pairs of a line and where it went next,
//! so each is told apart by its destination. Functions are known since format 3; the region without a name is the
//! module around them, and one without statements of its own cannot be entered.

use std::io::BufRead;

use serde::de::MapAccess;

use super::super::json::{self, Members, Object, Plain, Rows, Scalar, Scalars, refuse, skip};
use super::super::problem::SYNTAX;
use super::super::sink::{Repeat, Sink};
use super::super::{Format, Kind, Limits, Problem, ReadError};
use super::paths::bounded;
use crate::sys::text;

/// The table row.
pub const FORMAT: Format = Format {
    name: "coverage-py",
    kind: Kind::Coverage,
    doc: "coverage.py's JSON report: coverage json, pytest --cov-report=json.",
    sniff,
    read,
    sample: SAMPLE,
};

const SAMPLE: &str = r#"{"meta": {"format": 3, "version": "7.17.3", "timestamp": "2026-01-01T00:00:00.000000", "branch_coverage": true, "show_contexts": false}, "files": {"shop/price.py": {"executed_lines": [1, 2, 5], "summary": {"covered_lines": 3, "num_statements": 4, "percent_covered": 66.66666666666667, "percent_covered_display": "67", "missing_lines": 1, "excluded_lines": 2, "num_branches": 2, "num_partial_branches": 1, "covered_branches": 1, "missing_branches": 1}, "missing_lines": [3], "excluded_lines": [7, 8], "executed_branches": [[2, 5]], "missing_branches": [[2, 3]], "functions": {"tax": {"executed_lines": [2, 5], "missing_lines": [3], "excluded_lines": [], "start_line": 1, "executed_branches": [[2, 5]], "missing_branches": [[2, 3]]}, "": {"executed_lines": [1], "missing_lines": [], "excluded_lines": [7, 8], "start_line": 1}}, "classes": {}}}, "totals": {"covered_lines": 3, "num_statements": 4}}
"#;

fn sniff(head: &[u8]) -> bool {
    let has = |needle: &str| memchr::memmem::find(head, needle.as_bytes()).is_some();
    let is_object = head.trim_ascii_start().starts_with(b"{");
    is_object && (has("\"executed_lines\"") || has("\"branch_coverage\"") && has("\"meta\""))
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

/// The document.
struct Report<'a> {
    sink: &'a mut dyn Sink,
    limits: &'a Limits,
    files: usize,
    refused: Option<ReadError>,
}

impl Object for Report<'_> {
    fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, members: &mut A) -> Result<(), A::Error> {
        if key != "files" {
            return skip(members);
        }
        if let Err(other) = members.next_value_seed(Members(&mut Files(self)))? {
            self.sink.problem(Problem::new(&SYNTAX, format!("`files` is {other}")));
        }
        Ok(())
    }
}

/// Files by path.
struct Files<'r, 'a>(&'r mut Report<'a>);

impl Object for Files<'_, '_> {
    fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, members: &mut A) -> Result<(), A::Error> {
        let report = &mut *self.0;
        report.files += 1;
        if report.files > report.limits.entries {
            return refuse(&mut report.refused, "the number of files", format_args!("{} files", report.limits.entries));
        }
        let name = bounded(key, report.sink, report.limits);
        report.sink.file(&name, Repeat::Max);
        let mut file = File { name: key, sink: report.sink, is_file: false };
        let found = members.next_value_seed(Members(&mut file))?;
        if found.is_err() || !file.is_file {
            file.lost("its lines", &found.err().unwrap_or(Scalar::Null));
        }
        Ok(())
    }
}

struct File<'a> {
    name: &'a str,
    sink: &'a mut dyn Sink,
    /// Whether it lists lines, be they none.
    is_file: bool,
}

impl File<'_> {
    fn lost(&mut self, what: &str, value: &Scalar) {
        let name = text::shorten(&text::one_line(self.name), 120);
        self.sink.problem(Problem::new(&SYNTAX, format!("{name}: {what}: {value} cannot be used")));
    }

    fn number(&mut self, what: &str, value: &Scalar) -> Option<u32> {
        let number = value.small();
        if number.is_none() {
            self.lost(what, value);
        }
        number.filter(|line| *line > 0)
    }

    fn branch(&mut self, [from, to]: &[Scalar; 2], taken: u64) {
        let line = self.number("the line of a branch", from);
        // A destination is a line; negative or 0 is an exit of the code that begins there.
        let arm = match *to {
            Scalar::Negative(exit) => u32::try_from(exit.unsigned_abs()).ok().map(|line| line | 0x8000_0000),
            _ => to.small(),
        };
        match (line, arm) {
            (Some(line), Some(arm)) => self.sink.branch(line, arm, Some(taken)),
            (Some(_), None) => self.lost("the end of a branch", to),
            (None, _) => {}
        }
    }
}

impl Object for File<'_> {
    fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, members: &mut A) -> Result<(), A::Error> {
        let found = match key {
            "executed_lines" | "missing_lines" => {
                self.is_file = true;
                let hits = u64::from(key == "executed_lines");
                members.next_value_seed(Scalars(|value: Scalar| {
                    if let Some(line) = self.number(key, &value) {
                        self.sink.line(line, hits);
                    }
                }))?
            }
            "excluded_lines" => members.next_value_seed(Scalars(|value: Scalar| {
                if let Some(line) = self.number(key, &value) {
                    self.sink.excluded(line);
                }
            }))?,
            "executed_branches" | "missing_branches" => {
                let taken = u64::from(key == "executed_branches");
                members.next_value_seed(Rows::<2, _>(|row| match row {
                    Ok((pair, 2)) => self.branch(&pair, taken),
                    Ok(_) => self.lost(key, &Scalar::List),
                    Err(other) => self.lost(key, &other),
                }))?
            }
            "functions" => members.next_value_seed(Members(&mut Functions(self)))?,
            _ => return skip(members),
        };
        if let Err(other) = found {
            self.lost(key, &other);
        }
        Ok(())
    }
}

/// Regions by name.
struct Functions<'f, 'a>(&'f mut File<'a>);

impl Object for Functions<'_, '_> {
    fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, members: &mut A) -> Result<(), A::Error> {
        let mut region = Region::default();
        if let Err(other) = members.next_value_seed(Members(&mut region))? {
            self.0.lost("a function", &other);
        } else if !key.is_empty()
            && let Some(first) = region.first
        {
            let line = region.start.unwrap_or(first);
            self.0.sink.function(key, line, u64::from(region.executed > 0));
        }
        Ok(())
    }
}

/// One function.
#[derive(Default)]
struct Region {
    executed: usize,
    first: Option<u32>,
    start: Option<u32>,
}

impl Object for Region {
    fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, members: &mut A) -> Result<(), A::Error> {
        match key {
            "executed_lines" | "missing_lines" => {
                let _ = members.next_value_seed(Scalars(|value: Scalar| {
                    if let Some(line) = value.small() {
                        self.executed += usize::from(key == "executed_lines");
                        self.first = Some(self.first.map_or(line, |first| first.min(line)));
                    }
                }))?;
            }
            "start_line" => self.start = members.next_value_seed(Plain)?.small(),
            _ => skip(members)?,
        }
        Ok(())
    }
}

#[cfg(test)]
mod unit_tests {
    use super::super::super::collect::read_text;
    use super::super::told::sums;
    use super::*;

    #[test]
    fn the_sample_adds_up() {
        let told = read_text(&FORMAT, SAMPLE);
        assert_eq!(told.problems, []);
        let (path, file) = told.coverage.files().next().unwrap();
        assert_eq!(path, "shop/price.py");
        assert_eq!(file.lines().collect::<Vec<_>>(), [(1, 1), (2, 1), (3, 0), (5, 1)]);
        assert_eq!(file.excluded(), [7, 8]);
        assert_eq!(file.functions().map(|(name, line, _)| (line, name)).collect::<Vec<_>>(), [(1, "tax")]);
        assert_eq!(file.summary(), sums([3, 1, 1], [4, 2, 1]));
    }

    #[test]
    fn format_two_exits_and_functions_without_statements() {
        let told = read_text(
            &FORMAT,
            r#"{"files": {"a.py": {"missing_branches": [[4, -1], [4, 5], [9, 0]], "executed_branches": [[4, 1], [9, -9]], "missing_lines": [5], "executed_lines": [0, 4, 9], "contexts": {"4": [""]},
            "functions": {"f": {"missing_lines": [5]}, "g": {"missing_lines": [], "executed_lines": []}, "h": {"executed_lines": [9, 4]}, "": {"executed_lines": [1]}}}, "empty.py": {"executed_lines": []}}}"#,
        );
        assert_eq!(told.problems, []);
        assert_eq!(told.coverage.summary(), sums([2, 2, 1], [3, 5, 2]));
        assert_eq!(told.coverage.files().count(), 2);
    }

    #[test]
    fn what_cannot_be_used_is_said() {
        let told = read_text(
            &FORMAT,
            r#"{"files": {"a.py": {"executed_lines": [1, "2", -3, 4.5], "missing_lines": 7, "excluded_lines": [null], "executed_branches": [[1], [1, 2, 3], 4, [1, "x"], ["y", 1]], "functions": {"f": 1}},
            "b.py": {}, "c.py": [], "d.py": {"executed_lines": [1, 2], "missing_lines": [3, "#,
        );
        let said: Vec<_> = told.problems.iter().map(|problem| problem.message.as_str()).collect();
        assert_eq!(
            said,
            [
                "a.py: executed_lines: \"2\" cannot be used",
                "a.py: executed_lines: -3 cannot be used",
                "a.py: executed_lines: 4.5 cannot be used",
                "a.py: missing_lines: 7 cannot be used",
                "a.py: excluded_lines: null cannot be used",
                "a.py: executed_branches: a list cannot be used",
                "a.py: executed_branches: a list cannot be used",
                "a.py: executed_branches: 4 cannot be used",
                "a.py: the end of a branch: \"x\" cannot be used",
                "a.py: the line of a branch: \"y\" cannot be used",
                "a.py: a function: 1 cannot be used",
                "b.py: its lines: null cannot be used",
                "c.py: its lines: a list cannot be used",
                "the document ends in the middle; what came after is unknown",
            ]
        );
        assert_eq!(told.coverage.summary(), sums([3, 0, 0], [4, 0, 0]));
        let told = read_text(&FORMAT, r#"{"meta": {}, "files": []}"#);
        assert_eq!(told.problems[0].message, "`files` is a list");
    }
}
