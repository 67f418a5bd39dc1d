//! Istanbul's `coverage-final.json`: nyc, c8, jest, vitest, karma.
//!
//! A file's places (`statementMap`) and counts (`s`) are two objects in any order, so one file is held at a time.
//! A line has the greatest count of the statements that start on it. Source maps are not read: the writer has
//! applied them already.

use std::io::BufRead;

use serde::de::{Error, MapAccess};

use super::super::json::{self, Entries, Members, Object, Plain, Scalar, Scalars, refuse, skip};
use super::super::problem::{REPAIRED, SYNTAX};
use super::super::sink::{Repeat, Sink, Span};
use super::super::{Format, Kind, Limits, Problem, ReadError};
use super::number::arm_id;
use super::paths::bounded;
use crate::sys::text;

/// The table row.
pub const FORMAT: Format = Format {
    name: "istanbul",
    kind: Kind::Coverage,
    doc: "Istanbul coverage-final.json: nyc, c8, jest, vitest, karma.",
    sniff,
    read,
    sample: SAMPLE,
};

const SAMPLE: &str = r#"{"/repo/src/tax.js": {"path":"/repo/src/tax.js","statementMap":{"0":{"start":{"line":1,"column":12},"end":{"line":1,"column":53}},"1":{"start":{"line":2,"column":2},"end":{"line":2,"column":23}}},"fnMap":{"0":{"name":"(anonymous_0)","decl":{"start":{"line":1,"column":12},"end":{"line":1,"column":13}},"loc":{"start":{"line":1,"column":23},"end":{"line":3,"column":1}},"line":1}},"branchMap":{"0":{"loc":{"start":{"line":2,"column":9},"end":{"line":2,"column":40}},"type":"cond-expr","locations":[{"start":{"line":2,"column":23},"end":{"line":2,"column":35}},{"start":{"line":2,"column":38},"end":{"line":2,"column":40}}],"line":2}},"s":{"0":1,"1":0},"f":{"0":1},"b":{"0":[0,1]},"_coverageSchema":"1a1c01bbd47fc00a2c39e90264f33305004495a9","hash":"f1d6"}}
"#;

fn sniff(head: &[u8]) -> bool {
    let has = |needle: &str| memchr::memmem::find(head, needle.as_bytes()).is_some();
    head.trim_ascii_start().starts_with(b"{") && (has("\"statementMap\"") || has("\"fnMap\"") || has("\"branchMap\""))
}

fn read(input: &mut dyn BufRead, sink: &mut dyn Sink, limits: &Limits) -> Result<(), ReadError> {
    let mut report = Report { sink, limits, held: Held::default(), files: 0, refused: None };
    let read = json::document(input, limits, &mut report);
    report.tell(State::Cut);
    if let Some(refused) = report.refused {
        return Err(refused);
    }
    match read {
        Ok(()) => Ok(()),
        Err(stop) => stop.tell(sink),
    }
}

/// The document: files by path.
struct Report<'a> {
    sink: &'a mut dyn Sink,
    limits: &'a Limits,
    held: Held,
    files: usize,
    refused: Option<ReadError>,
}

/// Whether all of a file was read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Whole,
    Cut,
}

/// A place's name in its file: a number with every writer there is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Index(u32),
    Name(Box<str>),
}

impl std::fmt::Display for Key {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Index(index) => write!(out, "{index}"),
            Self::Name(name) => out.write_str(name),
        }
    }
}

impl Key {
    fn of(key: &str) -> Self {
        key.parse().map_or_else(|_| Self::Name(key.into()), Self::Index)
    }
}

/// One file while it is read.
#[derive(Default)]
struct Held {
    name: String,
    /// Whether anything of a file was seen under this name.
    is_file: bool,
    statements: Vec<(Key, Span)>,
    statement_hits: Vec<(Key, u64)>,
    functions: Vec<(Key, (u32, String))>,
    function_hits: Vec<(Key, u64)>,
    branches: Vec<(Key, u32)>,
    /// Branch, arm, hits.
    arm_hits: Vec<(Key, (u32, u64))>,
    lost: Odd,
    repaired: Odd,
    places: usize,
    max_places: usize,
}

/// Values that are not as they should be: how many, and what the first is.
#[derive(Default)]
struct Odd {
    count: u64,
    first: String,
}

impl Odd {
    fn add(&mut self, what: &str, key: &str, value: impl std::fmt::Display) {
        if self.count == 0 {
            let value = value.to_string();
            let colon = if value.is_empty() { "" } else { ": " };
            self.first = format!("{what} `{}`{colon}{value}", text::shorten(&text::one_line(key), 40));
        }
        self.count += 1;
    }

    fn tell(&self, code: &super::super::Code, why: &str, name: &str, sink: &mut dyn Sink) {
        if self.count > 0 {
            let (name, first) = (text::shorten(&text::one_line(name), 120), &self.first);
            let more = if self.count > 1 { format!(" (and {} more)", self.count - 1) } else { String::new() };
            sink.problem(Problem::new(code, format!("{name}: {first} {why}{more}")));
        }
    }
}

impl Object for Report<'_> {
    fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, members: &mut A) -> Result<(), A::Error> {
        self.files += 1;
        if self.files > self.limits.entries {
            return refuse(&mut self.refused, "the number of files", format_args!("{} files", self.limits.entries));
        }
        self.held.name.push_str(key);
        self.held.max_places = self.limits.entries;
        let found = members.next_value_seed(Members(&mut self.held))?;
        if self.held.places > self.held.max_places {
            let limit = format_args!("{} places", self.limits.entries);
            return refuse(&mut self.refused, "the number of statements and branches of one file", limit);
        }
        if found.is_err() || !self.held.is_file {
            let name = text::shorten(&text::one_line(key), 120);
            self.sink.problem(Problem::new(&SYNTAX, format!("`{name}` holds no coverage of a file")));
            self.held = Held::default();
        }
        self.tell(State::Whole);
        Ok(())
    }
}

impl Held {
    /// Whether one more place may be held.
    fn has_room(&mut self) -> bool {
        self.places += 1;
        self.places <= self.max_places
    }

    fn hits(&mut self, what: &str, key: &str, value: &Scalar) -> u64 {
        let Some((hits, is_plain)) = value.hits() else {
            self.lost.add(what, key, value);
            return 0;
        };
        if !is_plain {
            self.repaired.add(what, key, value);
        }
        hits
    }
}

impl Object for Held {
    fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, members: &mut A) -> Result<(), A::Error> {
        let found = match key {
            "path" => {
                if let Scalar::Text(path) = members.next_value_seed(Plain)?
                    && !path.is_empty()
                {
                    self.name = path;
                }
                return Ok(());
            }
            // Some writers put the file one level deeper.
            "data" => members.next_value_seed(Members(self))?,
            "statementMap" => members.next_value_seed(Members(&mut StatementMap(self)))?,
            "fnMap" => members.next_value_seed(Members(&mut FunctionMap(self)))?,
            "branchMap" => members.next_value_seed(Members(&mut BranchMap(self)))?,
            "b" => members.next_value_seed(Members(&mut Arms(self)))?,
            "s" => members.next_value_seed(Entries(|key: &str, value| {
                let hits = self.hits("the count of statement", key, &value);
                if self.has_room() {
                    self.statement_hits.push((Key::of(key), hits));
                }
            }))?,
            "f" => members.next_value_seed(Entries(|key: &str, value| {
                let hits = self.hits("the count of function", key, &value);
                if self.has_room() {
                    self.function_hits.push((Key::of(key), hits));
                }
            }))?,
            _ => return skip(members),
        };
        match found {
            Ok(()) => self.is_file = true,
            Err(other) => self.lost.add("the map", key, other),
        }
        if self.places > self.max_places { Err(A::Error::custom("a bound was passed")) } else { Ok(()) }
    }
}

/// Where something starts and ends.
#[derive(Default)]
struct Place {
    start: (Option<u32>, Option<u32>),
    end: (Option<u32>, Option<u32>),
}

impl Object for Place {
    fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, members: &mut A) -> Result<(), A::Error> {
        let point = match key {
            "start" => &mut self.start,
            "end" => &mut self.end,
            _ => return skip(members),
        };
        let _ = members.next_value_seed(Entries(|key: &str, value: Scalar| match key {
            "line" => point.0 = value.small().filter(|line| *line > 0),
            "column" => point.1 = value.small(),
            _ => {}
        }))?;
        Ok(())
    }
}

struct StatementMap<'a>(&'a mut Held);

impl Object for StatementMap<'_> {
    fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, members: &mut A) -> Result<(), A::Error> {
        let mut place = Place::default();
        let _ = members.next_value_seed(Members(&mut place))?;
        match place.start {
            (Some(line), column) => {
                // Columns are `null` or -1 where a source map knew none: the rest of the line.
                let start = (line, column.unwrap_or(0));
                let end = (place.end.0.unwrap_or(line), place.end.1.unwrap_or(u32::MAX));
                if self.0.has_room() {
                    self.0.statements.push((Key::of(key), Span { start, end }));
                }
            }
            _ => self.0.lost.add("statement", key, "no line"),
        }
        Ok(())
    }
}

struct FunctionMap<'a>(&'a mut Held);

/// A function or a branch: its name and the line that it belongs to.
#[derive(Default)]
struct Meta {
    name: String,
    line: Option<u32>,
    declared: Place,
    place: Place,
}

impl Object for Meta {
    fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, members: &mut A) -> Result<(), A::Error> {
        match key {
            "name" => {
                if let Scalar::Text(name) = members.next_value_seed(Plain)? {
                    self.name = name;
                }
            }
            "line" => self.line = members.next_value_seed(Plain)?.small().filter(|line| *line > 0),
            "decl" => drop(members.next_value_seed(Members(&mut self.declared))?),
            "loc" => drop(members.next_value_seed(Members(&mut self.place))?),
            _ => skip(members)?,
        }
        Ok(())
    }
}

impl Meta {
    fn line(&self) -> Option<u32> {
        self.declared.start.0.or(self.place.start.0).or(self.line)
    }
}

impl Object for FunctionMap<'_> {
    fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, members: &mut A) -> Result<(), A::Error> {
        let mut meta = Meta::default();
        let _ = members.next_value_seed(Members(&mut meta))?;
        if self.0.has_room() {
            self.0.functions.push((Key::of(key), (meta.line().unwrap_or(0), meta.name)));
        }
        Ok(())
    }
}

struct BranchMap<'a>(&'a mut Held);

impl Object for BranchMap<'_> {
    fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, members: &mut A) -> Result<(), A::Error> {
        let mut meta = Meta::default();
        let _ = members.next_value_seed(Members(&mut meta))?;
        match meta.line() {
            Some(line) if self.0.has_room() => self.0.branches.push((Key::of(key), line)),
            Some(_) => {}
            None => self.0.lost.add("branch", key, "no line"),
        }
        Ok(())
    }
}

struct Arms<'a>(&'a mut Held);

impl Object for Arms<'_> {
    fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, members: &mut A) -> Result<(), A::Error> {
        let mut index = 0;
        let found = members.next_value_seed(Scalars(|value: Scalar| {
            let hits = self.0.hits("the count of branch", key, &value);
            if self.0.has_room() {
                self.0.arm_hits.push((Key::of(key), (index, hits)));
            }
            index += 1;
        }))?;
        if let Err(other) = found {
            self.0.lost.add("the counts of branch", key, other);
        }
        Ok(())
    }
}

impl Report<'_> {
    /// Tells the file that was read. Of one that is cut, what has both a place and a count.
    fn tell(&mut self, state: State) {
        let mut held = std::mem::take(&mut self.held);
        if !held.is_file && held.places == 0 {
            return;
        }
        let name = bounded(&held.name, self.sink, self.limits);
        self.sink.file(&name, Repeat::Max);
        let mut loose = Loose::default();

        let mut statements = Vec::with_capacity(held.statements.len());
        loose.join("statement", &mut held.statements, &mut held.statement_hits, |span, _, hits| {
            statements.push((*span, *hits));
        });
        for (span, hits) in &statements {
            self.sink.line(span.start.0, *hits);
        }
        // Source maps may put several statements in one place; they are told apart by their ends.
        statements.sort_by_key(|(span, _)| *span);
        let (mut before, mut same) = (None, 0);
        for (mut span, hits) in statements {
            same = if before == Some(span) { same + 1 } else { 0 };
            before = Some(span);
            span.end.1 = span.end.1.saturating_sub(same);
            self.sink.statement(span, 1, hits);
        }

        let mut functions = Vec::with_capacity(held.functions.len());
        loose.join("function", &mut held.functions, &mut held.function_hits, |(line, name), _, hits| {
            functions.push((*line, name.clone(), *hits));
        });
        functions.sort();
        let mut same = 0;
        for (at, (line, name, hits)) in functions.iter().enumerate() {
            let again = at > 0 && (*line, name) == (functions[at - 1].0, &functions[at - 1].1);
            same = if again { same + 1 } else { 0 };
            match same {
                0 => self.sink.function(name, *line, *hits),
                _ => self.sink.function(&format!("{name}#{same}"), *line, *hits),
            }
        }

        loose.join("branch", &mut held.branches, &mut held.arm_hits, |line, key, (index, hits)| {
            let block = match key {
                Key::Index(block) => *block,
                // Past the range of numbers, so that it meets none.
                Key::Name(name) => {
                    name.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
                        | 0x8000_0000
                }
            };
            self.sink.branch(*line, arm_id(block, *index), Some(*hits));
        });

        held.lost.tell(&SYNTAX, "cannot be used", &held.name, self.sink);
        held.repaired.tell(&REPAIRED, "was read as the nearest count", &held.name, self.sink);
        if state == State::Whole {
            loose.counts.tell(&SYNTAX, "has a count but no place, so it is not counted", &held.name, self.sink);
            loose.places.tell(&SYNTAX, "has a place but no count, so it is not counted", &held.name, self.sink);
        }
    }
}

/// What has no partner in the other of two maps.
#[derive(Default)]
struct Loose {
    places: Odd,
    counts: Odd,
}

impl Loose {
    /// Calls `each` for every count with the place of the same name.
    fn join<P, C>(
        &mut self,
        what: &str,
        places: &mut [(Key, P)],
        counts: &mut [(Key, C)],
        mut each: impl FnMut(&P, &Key, &C),
    ) {
        // Writers number both in the same order, so there is next to nothing to sort.
        places.sort_by(|(a, _), (b, _)| a.cmp(b));
        counts.sort_by(|(a, _), (b, _)| a.cmp(b));
        let mut counts = counts.iter().peekable();
        for (key, place) in places {
            while let Some((other, _)) = counts.next_if(|(other, _)| *other < *key) {
                self.counts.add(what, &other.to_string(), "");
            }
            let mut is_counted = false;
            while let Some((_, count)) = counts.next_if(|(other, _)| *other == *key) {
                is_counted = true;
                each(place, key, count);
            }
            if !is_counted {
                self.places.add(what, &key.to_string(), "");
            }
        }
        counts.for_each(|(other, _)| self.counts.add(what, &other.to_string(), ""));
    }
}

#[cfg(test)]
mod unit_tests {
    use super::super::super::Evidence;
    use super::super::super::collect::read_text;
    use super::super::told::sums;
    use super::*;

    fn lines(told: &Evidence) -> Vec<(u32, u64)> {
        told.coverage.files().flat_map(|(_, file)| file.lines().collect::<Vec<_>>()).collect()
    }

    #[test]
    fn the_sample_adds_up() {
        let told = read_text(&FORMAT, SAMPLE);
        assert_eq!(told.problems, []);
        assert_eq!(lines(&told), [(1, 1), (2, 0)]);
        assert_eq!(told.coverage.summary(), sums([1, 1, 1, 1], [2, 2, 1, 2]));
    }

    #[test]
    fn counts_may_come_before_places_and_one_level_deeper() {
        let told = read_text(
            &FORMAT,
            r#"{"k.js": {"data": {"inputSourceMap": {"mappings": "AAAA", "sources": []}, "b": {"0": [2, 0], "x": [1]}, "f": {"0": 1, "1": 0}, "s": {"1": 4, "0": 0, "10": 2, "2": 0},
            "statementMap": {"0": {"start": {"line": 3, "column": -1}, "end": {"line": 3, "column": null}}, "1": {"start": {"line": 3, "column": null}, "end": {"line": 3, "column": null}},
            "2": {"start": {"line": 3, "column": 9}, "end": {"line": null}}, "10": {"start": {"line": 5}}},
            "fnMap": {"0": {"name": "f", "loc": {"start": {"line": 3}}}, "1": {"name": "f", "decl": {"start": {"line": 3}}, "line": 9}},
            "branchMap": {"0": {"loc": {"start": {"line": null}}, "line": 3, "locations": [{}]}, "x": {"line": 3}}, "path": "/repo/k.js"}}}"#,
        );
        assert_eq!(told.problems, []);
        assert_eq!(told.coverage.files().next().unwrap().0, "/repo/k.js");
        assert_eq!(lines(&told), [(3, 4), (5, 2)]);
        assert_eq!(told.coverage.summary(), sums([2, 2, 1, 2], [2, 3, 2, 4]));
    }

    #[test]
    fn what_cannot_be_used_is_said_once_a_file_and_hides_nothing() {
        let told = read_text(
            &FORMAT,
            r#"{"a.js": {"statementMap": {"0": {"start": {"line": 1}}, "1": {"start": {"line": null}}, "2": 5, "3": {"start": {"line": 2}}, "4": {"start": {"line": 4}}},
            "s": {"0": -1, "3": 1.5, "4": "many", "9": 1}, "f": [], "fnMap": {"0": {}}, "branchMap": {"0": {}}, "b": {"0": 7}}, "b": 5, "c.js": {},
            "d.js": {"statementMap": {"0": {"start": {"line": 7}}}, "s": {"0": 18446744073709551616}}}"#,
        );
        let said: Vec<_> = told.problems.iter().map(|problem| problem.message.as_str()).collect();
        assert_eq!(
            said,
            [
                "a.js: statement `1`: no line cannot be used (and 5 more)",
                "a.js: the count of statement `0`: -1 was read as the nearest count (and 1 more)",
                "a.js: statement `9` has a count but no place, so it is not counted",
                "a.js: function `0` has a place but no count, so it is not counted",
                "`b` holds no coverage of a file",
                "`c.js` holds no coverage of a file",
                "d.js: the count of statement `0`: 18446744073709552000 was read as the nearest count",
            ]
        );
        assert_eq!(lines(&told), [(1, 0), (2, 2), (4, 0), (7, u64::MAX)]);
    }

    #[test]
    fn of_a_cut_file_only_what_was_counted_is_told() {
        let cut = SAMPLE.find(r#""1":0},"f""#).unwrap();
        let told = read_text(&FORMAT, &SAMPLE[..cut]);
        assert_eq!(lines(&told), [(1, 1)]);
        assert_eq!(told.problems.len(), 1);
        assert_eq!(told.problems[0].code, "evidence.truncated");
        let told = read_text(&FORMAT, &SAMPLE.replace("\"f\":", "\"f\";"));
        assert_eq!(lines(&told), [(1, 1), (2, 0)]);
        assert_eq!((told.problems[0].code.as_str(), told.problems[0].line), ("evidence.syntax", Some(1)));
    }
}
