//! SimpleCov: `.resultset.json`, and the `coverage.json` of its JSON formatter.
//!
//! A result set has one result for each command that ran, over the same files, so files are held until all were
//! read: counts add, and a line that one command calls code and never ran is no code if another says so, as in
//! SimpleCov's own merge. A result set is written before `# :nocov:` is applied, so lines between such marks count;
//! the JSON formatter's file calls them `ignored`, and here they are excluded.

use std::collections::BTreeMap;
use std::io::BufRead;

use indexmap::IndexMap;
use serde::de::{MapAccess, SeqAccess};

use super::super::json::{self, Either, Entries, Members, Object, Plain, Scalar, Structure, refuse, skip};
use super::super::problem::{REPAIRED, SYNTAX};
use super::super::sink::{Repeat, Sink};
use super::super::{Format, Kind, Limits, Problem, ReadError};
use super::paths::bounded;
use crate::sys::text;

/// The table row.
pub const FORMAT: Format = Format {
    name: "simplecov",
    kind: Kind::Coverage,
    doc: "SimpleCov .resultset.json and coverage.json.",
    sniff,
    read,
    sample: SAMPLE,
};

const SAMPLE: &str = r#"{
  "RSpec": {
    "coverage": {
      "/repo/lib/tax.rb": {
        "lines": [1, 1, 0, null, 1, null],
        "branches": {"[:if, 0, 2, 4, 6, 7]": {"[:then, 1, 3, 6, 3, 9]": 0, "[:else, 2, 5, 6, 5, 9]": 1}}
      },
      "/repo/lib/old.rb": [null, 1]
    },
    "timestamp": 1763800000
  }
}
"#;

fn sniff(head: &[u8]) -> bool {
    let packed: Vec<u8> = head.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let key = b"\"coverage\":{\"";
    memchr::memmem::find_iter(&packed, key).any(|at| {
        // A path, then its lines.
        let rest = &packed[at + key.len()..];
        let Some(end) = memchr::memchr(b'"', rest) else { return false };
        let (path, after) = rest.split_at(end);
        let is_path = path.iter().any(|byte| matches!(byte, b'/' | b'\\' | b'.'));
        let starts = [&b"\":["[..], b"\":{\"lines\":[", b"\":{\"branches\":", b"\":{\"methods\":"];
        is_path && starts.into_iter().any(|start| after.starts_with(start))
    })
}

fn read(input: &mut dyn BufRead, sink: &mut dyn Sink, limits: &Limits) -> Result<(), ReadError> {
    let mut report = Report { sink, limits, files: IndexMap::new(), lines: 0, refused: None };
    let read = json::document(input, limits, &mut Root(&mut report));
    report.tell();
    match (report.refused, read) {
        (Some(refused), _) => Err(refused),
        (None, Ok(())) => Ok(()),
        (None, Err(stop)) => stop.tell(sink),
    }
}

/// What a result says of one line. Two numbers past any count stand for what is no code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Line(u64);

impl Line {
    const NO_CODE: Self = Self(u64::MAX);
    const IGNORED: Self = Self(u64::MAX - 1);

    fn hits(hits: u64) -> Self {
        Self(hits.min(u64::MAX - 2))
    }

    fn merge(self, other: Self) -> Self {
        match (self, other) {
            (Self::IGNORED, _) | (_, Self::IGNORED) => Self::IGNORED,
            (Self::NO_CODE, Self(0) | Self::NO_CODE) | (Self(0), Self::NO_CODE) => Self::NO_CODE,
            (Self::NO_CODE, line) | (line, Self::NO_CODE) => line,
            (Self(a), Self(b)) => Self::hits(a.saturating_add(b)),
        }
    }
}

/// One file, over all results.
#[derive(Default)]
struct File {
    lines: Vec<Line>,
    /// Whether a result listed lines already.
    is_known: bool,
    /// Line and arm → times taken.
    arms: BTreeMap<(u32, u32), u64>,
    methods: BTreeMap<(u32, String), u64>,
}

struct Report<'a> {
    sink: &'a mut dyn Sink,
    limits: &'a Limits,
    files: IndexMap<String, File>,
    lines: usize,
    refused: Option<ReadError>,
}

/// The document: results by command, or one result.
struct Root<'r, 'a>(&'r mut Report<'a>);

impl Object for Root<'_, '_> {
    fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, members: &mut A) -> Result<(), A::Error> {
        let is_result = match key {
            "coverage" => members.next_value_seed(Members(&mut Files(self.0)))?.is_ok(),
            // Beside the one result of the JSON formatter.
            "meta" | "groups" | "total" | "errors" | "timestamp" => return skip(members),
            _ => {
                let mut command = Command { report: self.0, is_result: false };
                let found = members.next_value_seed(Members(&mut command))?;
                found.is_ok() && command.is_result
            }
        };
        if !is_result {
            let name = text::shorten(&text::one_line(key), 80);
            self.0.sink.problem(Problem::new(&SYNTAX, format!("`{name}` holds no coverage")));
        }
        Ok(())
    }
}

/// The result of one command.
struct Command<'r, 'a> {
    report: &'r mut Report<'a>,
    is_result: bool,
}

impl Object for Command<'_, '_> {
    fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, members: &mut A) -> Result<(), A::Error> {
        if key != "coverage" {
            return skip(members);
        }
        self.is_result = members.next_value_seed(Members(&mut Files(self.report)))?.is_ok();
        Ok(())
    }
}

/// Files by path.
struct Files<'r, 'a>(&'r mut Report<'a>);

impl Object for Files<'_, '_> {
    fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, members: &mut A) -> Result<(), A::Error> {
        let Report { sink, limits, files, lines, refused } = &mut *self.0;
        if files.len() >= limits.entries && !files.contains_key(key) {
            return refuse(refused, "the number of files", format_args!("{} files", limits.entries));
        }
        if !files.contains_key(key) {
            files.insert(key.to_owned(), File::default());
        }
        let Some(file) = files.get_mut(key) else { return skip(members) };
        let max_lines = limits.entries.saturating_mul(LINES_PER_ENTRY);
        let mut reading = Reading { name: key, sink: &mut **sink, file, at: 0, lines, max_lines, is_full: false };
        let found = members.next_value_seed(Either(&mut reading))?;
        let (is_full, is_known) = (reading.is_full, reading.file.is_known);
        if let Err(other) = found {
            reading.lost("its coverage", &other);
        } else if !is_known {
            reading.lost("its lines", &Scalar::Null);
        }
        if is_full {
            return refuse(refused, "the number of lines", format_args!("{max_lines} lines"));
        }
        Ok(())
    }
}

/// Lines held for each entry that the limits allow.
const LINES_PER_ENTRY: usize = 4;

/// One file of one result while it is read.
struct Reading<'a> {
    name: &'a str,
    sink: &'a mut dyn Sink,
    file: &'a mut File,
    /// The index of the next line.
    at: usize,
    /// Lines, arms and methods held for all files.
    lines: &'a mut usize,
    max_lines: usize,
    is_full: bool,
}

impl Reading<'_> {
    fn lost(&mut self, what: &str, value: &Scalar) {
        let name = text::shorten(&text::one_line(self.name), 120);
        self.sink.problem(Problem::new(&SYNTAX, format!("{name}: {what}: {value} cannot be used")));
    }

    fn hits(&mut self, what: &str, value: &Scalar) -> Option<u64> {
        match value.hits() {
            Some((hits, is_plain)) => {
                if !is_plain {
                    let name = text::shorten(&text::one_line(self.name), 120);
                    let message = format!("{name}: {what}: {value} was read as the nearest count");
                    self.sink.problem(Problem::new(&REPAIRED, message));
                }
                Some(hits)
            }
            None => {
                self.lost(what, value);
                None
            }
        }
    }

    fn has_room(&mut self) -> bool {
        *self.lines += 1;
        self.is_full |= *self.lines > self.max_lines;
        !self.is_full
    }

    fn line(&mut self, value: &Scalar) {
        let line = match value {
            Scalar::Null => Line::NO_CODE,
            Scalar::Text(word) if word == "ignored" => Line::IGNORED,
            _ => self.hits("a line", value).map_or(Line::NO_CODE, Line::hits),
        };
        let at = self.at;
        self.at += 1;
        if let Some(known) = self.file.lines.get_mut(at) {
            *known = known.merge(line);
        } else if self.has_room() {
            // A result with more lines than the others: nothing to compare these with.
            self.file.lines.push(line);
        }
    }

    fn arm(&mut self, line: u32, arm: u32, value: &Scalar) {
        if matches!(value, Scalar::Text(word) if word == "ignored") {
            return;
        }
        if let Some(hits) = self.hits("a branch", value)
            && self.has_room()
        {
            let sum = self.file.arms.entry((line, arm)).or_default();
            *sum = sum.saturating_add(hits);
        }
    }

    fn method(&mut self, name: &str, line: u32, value: &Scalar) {
        if matches!(value, Scalar::Text(word) if word == "ignored") {
            return;
        }
        if let Some(hits) = self.hits("a method", value)
            && self.has_room()
        {
            let sum = self.file.methods.entry((line, name.to_owned())).or_default();
            *sum = sum.saturating_add(hits);
        }
    }
}

impl Object for Reading<'_> {
    fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, members: &mut A) -> Result<(), A::Error> {
        let found = match key {
            "lines" => members.next_value_seed(Either(&mut Lines(self)))?,
            "branches" => members.next_value_seed(Either(&mut Branches(self, 0)))?,
            "methods" => members.next_value_seed(Either(&mut Methods(self)))?,
            _ => return skip(members),
        };
        match found {
            // A kind of coverage that was not measured.
            Ok(()) | Err(Scalar::Null) => {}
            Err(other) => self.lost(key, &other),
        }
        Ok(())
    }
}

impl Structure for Reading<'_> {
    /// Before SimpleCov 0.18 a file was its lines.
    fn list<'de, A: SeqAccess<'de>>(&mut self, list: &mut A) -> Result<(), A::Error> {
        self.file.is_known = true;
        while let Some(line) = list.next_element_seed(Plain)? {
            self.line(&line);
        }
        Ok(())
    }
}

struct Lines<'r, 'a>(&'r mut Reading<'a>);

impl Object for Lines<'_, '_> {
    fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, members: &mut A) -> Result<(), A::Error> {
        let value = members.next_value_seed(Plain)?;
        self.0.lost(key, &value);
        Ok(())
    }
}

impl Structure for Lines<'_, '_> {
    fn list<'de, A: SeqAccess<'de>>(&mut self, list: &mut A) -> Result<(), A::Error> {
        self.0.list(list)
    }
}

/// `{"[:if, 0, 9, 4, 9, 60]": {"[:then, 1, …]": 3, …}}`, or the list of the JSON formatter.
struct Branches<'r, 'a>(&'r mut Reading<'a>, u32);

impl Object for Branches<'_, '_> {
    fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, members: &mut A) -> Result<(), A::Error> {
        let reading = &mut *self.0;
        let Some([_, line]) = numbers(key) else {
            reading.lost("a branch", &Scalar::Text(key.to_owned()));
            return skip(members);
        };
        let found = members.next_value_seed(Entries(|key: &str, value: Scalar| match numbers(key) {
            Some([arm, _]) => reading.arm(line, arm, &value),
            None => reading.lost("a branch", &Scalar::Text(key.to_owned())),
        }))?;
        if let Err(other) = found {
            reading.lost("a branch", &other);
        }
        Ok(())
    }
}

impl Structure for Branches<'_, '_> {
    fn list<'de, A: SeqAccess<'de>>(&mut self, list: &mut A) -> Result<(), A::Error> {
        let mut one = Described::default();
        while let Some(found) = list.next_element_seed(Members(&mut one))? {
            let Described { line, coverage, .. } = std::mem::take(&mut one);
            match (found, line, coverage) {
                (Ok(()), Some(line), Some(coverage)) => self.0.arm(line, self.1, &coverage),
                (Ok(()), ..) => self.0.lost("a branch", &Scalar::Object),
                (Err(other), ..) => self.0.lost("a branch", &other),
            }
            self.1 += 1;
        }
        Ok(())
    }
}

/// `{"[Cart, :add, 8, 2, 13, 5]": 1}`, or a list of descriptions.
struct Methods<'r, 'a>(&'r mut Reading<'a>);

impl Object for Methods<'_, '_> {
    fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, members: &mut A) -> Result<(), A::Error> {
        let value = members.next_value_seed(Plain)?;
        // The name may hold commas; the four numbers after it do not.
        let mut parts = key.trim_matches(['[', ']']).rsplitn(5, ',').map(str::trim);
        let line = parts.nth(3).and_then(|line| line.parse().ok());
        match (line, parts.next()) {
            (Some(line), Some(name)) => self.0.method(name, line, &value),
            _ => self.0.lost("a method", &Scalar::Text(key.to_owned())),
        }
        Ok(())
    }
}

impl Structure for Methods<'_, '_> {
    fn list<'de, A: SeqAccess<'de>>(&mut self, list: &mut A) -> Result<(), A::Error> {
        let mut one = Described::default();
        while let Some(found) = list.next_element_seed(Members(&mut one))? {
            let Described { line, name, coverage } = std::mem::take(&mut one);
            match (found, line, coverage) {
                (Ok(()), Some(line), Some(coverage)) => self.0.method(&name, line, &coverage),
                (Ok(()), ..) => self.0.lost("a method", &Scalar::Object),
                (Err(other), ..) => self.0.lost("a method", &other),
            }
        }
        Ok(())
    }
}

/// A branch or a method as the JSON formatter describes it.
#[derive(Default)]
struct Described {
    name: String,
    line: Option<u32>,
    coverage: Option<Scalar>,
}

impl Object for Described {
    fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, members: &mut A) -> Result<(), A::Error> {
        match key {
            "start_line" => self.line = members.next_value_seed(Plain)?.small().filter(|line| *line > 0),
            "coverage" => self.coverage = Some(members.next_value_seed(Plain)?),
            "name" => {
                if let Scalar::Text(name) = members.next_value_seed(Plain)? {
                    self.name = name;
                }
            }
            _ => skip(members)?,
        }
        Ok(())
    }
}

/// `[:if, id, line, …]` → id, line.
fn numbers(key: &str) -> Option<[u32; 2]> {
    let mut parts = key.trim_matches(['[', ']']).split(',').skip(1).map(|part| part.trim().parse().ok());
    Some([parts.next()??, parts.next()??])
}

impl Report<'_> {
    fn tell(&mut self) {
        for (name, file) in std::mem::take(&mut self.files) {
            let name = bounded(&name, self.sink, self.limits);
            self.sink.file(&name, Repeat::Max);
            for (number, line) in (1_u32..).zip(file.lines) {
                match line {
                    Line::NO_CODE => {}
                    Line::IGNORED => self.sink.excluded(number),
                    Line(hits) => self.sink.line(number, hits),
                }
            }
            for ((line, arm), hits) in file.arms {
                self.sink.branch(line, arm, Some(hits));
            }
            for ((line, name), hits) in file.methods {
                self.sink.function(&name, line, hits);
            }
        }
    }
}

#[cfg(test)]
mod unit_tests {
    use super::super::super::collect::read_text;
    use super::super::told::{files, sums};
    use super::*;

    #[test]
    fn the_sample_adds_up() {
        let told = read_text(&FORMAT, SAMPLE);
        assert_eq!(told.problems, []);
        assert_eq!(
            files(&told),
            [("/repo/lib/old.rb", vec![(2, 1)]), ("/repo/lib/tax.rb", vec![(1, 1), (2, 1), (3, 0), (5, 1)])]
        );
        assert_eq!(told.coverage.summary(), sums([4, 1, 0], [5, 2, 0]));
    }

    #[test]
    fn commands_add_up_and_a_line_that_never_ran_is_no_code_if_one_says_so() {
        let result = |name: &str, lines: &str, arm: u64| {
            format!(
                r#""{name}": {{"timestamp": 1, "coverage": {{"a.rb": {{"branches": {{"[:if, 0, 2, 0, 3, 1]": {{"[:then, 1, 2, 0, 2, 1]": {arm}, "[:else, 2, 2, 0, 2, 1]": 0}}}},
                "methods": {{"[A, :\"x,y\", 1, 2, 5, 6]": {arm}}}, "lines": [{lines}]}}}}}}"#
            )
        };
        let (one, two) = (result("one", "1, 0, null, null, null, 0", 0), result("two", "2, 0, 0, 3, null, null, 0", 5));
        for text in [format!("{{{one}, {two}}}"), format!("{{{two}, {one}}}")] {
            let told = read_text(&FORMAT, &text);
            assert_eq!(told.problems, []);
            assert_eq!(files(&told), [("a.rb", vec![(1, 3), (2, 0), (4, 3), (7, 0)])]);
            assert_eq!(told.coverage.summary(), sums([2, 1, 1], [4, 2, 1]));
            let (_, file) = told.coverage.files().next().unwrap();
            assert_eq!(
                file.branches_by_line().into_iter().map(|(line, arms)| (line, arms.len())).collect::<Vec<_>>(),
                [(2, 2)]
            );
            let methods: Vec<_> = file.functions().map(|(name, line, _)| (line, name)).collect();
            assert_eq!(methods, [(1, "A, :\"x,y\"")]);
        }
    }

    #[test]
    fn the_json_formatters_file_tells_ignored_lines() {
        let text = r#"{"meta": {"simplecov_version": "0.22.0"}, "coverage": {"/repo/a.rb": {"lines": [1, "ignored", null, 0], "branches": [{"type": "then", "start_line": 1, "end_line": 1, "coverage": 2},
            {"type": "else", "start_line": 1, "end_line": 1, "coverage": 0}, {"type": "else", "start_line": 2, "end_line": 2, "coverage": "ignored"}], "methods": [{"name": "A#x", "start_line": 1, "coverage": 1}]}}, "groups": {}}"#;
        assert!(sniff(text.as_bytes()));
        let told = read_text(&FORMAT, text);
        assert_eq!(told.problems, []);
        assert_eq!(files(&told), [("/repo/a.rb", vec![(1, 1), (4, 0)])]);
        assert_eq!(told.coverage.files().next().unwrap().1.excluded(), [2]);
        assert_eq!(told.coverage.summary(), sums([1, 1, 1], [2, 2, 1]));
        assert!(!sniff(br#"{"coverage": {"lines": [80, 81]}}"#));
    }

    #[test]
    fn what_cannot_be_used_is_said() {
        let told = read_text(
            &FORMAT,
            r#"{"RSpec": {"coverage": {"a.rb": {"lines": [1, "no", -1, [2]], "branches": {"if": {}, "[:if, 0, 1]": {"then": 1}, "[:if, 3, 1]": 4}, "methods": {"x": 1}}, "b.rb": 5, "c.rb": {}, "d.rb": {"lines": 7, "branches": [1, {}]}}},
            "Cucumber": {"timestamp": 1}, "Minitest": 3, "Test": {"coverage": {"e.rb": [1, 0, "#,
        );
        let said: Vec<_> = told.problems.iter().map(|problem| problem.message.as_str()).collect();
        assert_eq!(
            said,
            [
                "a.rb: a line: \"no\" cannot be used",
                "a.rb: a line: -1 was read as the nearest count",
                "a.rb: a line: a list cannot be used",
                "a.rb: a branch: \"if\" cannot be used",
                "a.rb: a branch: \"then\" cannot be used",
                "a.rb: a branch: 4 cannot be used",
                "a.rb: a method: \"x\" cannot be used",
                "b.rb: its coverage: 5 cannot be used",
                "c.rb: its lines: null cannot be used",
                "d.rb: lines: 7 cannot be used",
                "d.rb: a branch: 1 cannot be used",
                "d.rb: a branch: an object cannot be used",
                "d.rb: its lines: null cannot be used",
                "`Cucumber` holds no coverage",
                "`Minitest` holds no coverage",
                "the document ends in the middle; what came after is unknown",
            ]
        );
        assert_eq!(
            files(&told),
            [
                ("a.rb", vec![(1, 1), (3, 0)]),
                ("b.rb", vec![]),
                ("c.rb", vec![]),
                ("d.rb", vec![]),
                ("e.rb", vec![(1, 1), (2, 0)])
            ]
        );
    }
}
