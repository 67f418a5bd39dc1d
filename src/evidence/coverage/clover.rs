//! Clover XML: OpenClover, PHPUnit, and istanbul's `clover` reporter (jest, nyc, vitest).
//!
//! A line of type `stmt` or `cond` is an executable line. One of type `method` is a function and no line, so a PHP
//! method that stands on one line counts as a function alone. What a `cond` line says depends on its writer.
//! OpenClover gives how often one condition was true and false. Istanbul gives the line's hits in `count`, how many
//! of its branches were taken in `truecount`, and how many were not in `falsecount`. Test sources (`testproject`)
//! are in no sum of Clover's own, nor here.

use std::collections::HashMap;
use std::io::BufRead;

use super::super::problem::{REPAIRED, SYNTAX};
use super::super::sink::{Repeat, Sink};
use super::super::source::Counted;
use super::super::xml::{Element, Stop, Token, Xml, unescape};
use super::super::{Bound, Format, Kind, Limits, Problem, ReadError};
use super::number::{arm_id, hits};
use super::paths::bounded;
use crate::sys::text;

/// The table row.
pub const FORMAT: Format = Format {
    name: "clover",
    kind: Kind::Coverage,
    doc: "Clover XML: OpenClover, PHPUnit, jest, nyc, vitest.",
    sniff,
    read,
    sample: SAMPLE,
};

const SAMPLE: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<coverage generated="1763800000" clover="4.5.2">
  <project timestamp="1763800000" name="shop">
    <package name="com.acme">
      <file name="Tax.java" path="/repo/src/com/acme/Tax.java">
        <class name="Tax"><metrics methods="1" coveredmethods="1" statements="3" coveredstatements="2"/></class>
        <line num="4" type="method" signature="of(int) : int" complexity="2" count="3"/>
        <line num="5" type="cond" complexity="1" truecount="3" falsecount="0"/>
        <line num="6" type="stmt" count="3"/>
        <line num="8" type="stmt" count="0"/>
        <metrics methods="1" statements="3"/>
      </file>
    </package>
  </project>
</coverage>
"#;

fn sniff(head: &[u8]) -> bool {
    let has = |needle: &str| memchr::memmem::find(head, needle.as_bytes()).is_some();
    has("<coverage") && (has("<project") || has("generated="))
}

/// What was opened and still has to end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Nesting {
    File,
    TestProject,
    Other,
}

struct Reader<'s> {
    sink: &'s mut dyn Sink,
    limits: &'s Limits,
    nesting: Vec<Nesting>,
    in_file: bool,
    tests: usize,
    files: usize,
    /// Conditions seen on a line of this file: Clover lists them one by one.
    conditions: HashMap<u32, u32>,
}

fn read(input: &mut dyn BufRead, sink: &mut dyn Sink, limits: &Limits) -> Result<(), ReadError> {
    let mut xml = Xml::new(Counted::new(input, limits), limits);
    let mut reader =
        Reader { sink, limits, nesting: Vec::new(), in_file: false, tests: 0, files: 0, conditions: HashMap::new() };
    match reader.run(&mut xml) {
        Ok(()) => Ok(()),
        Err(stop) => stop.tell(xml.line(), sink),
    }
}

impl Reader<'_> {
    fn run(&mut self, xml: &mut Xml<'_>) -> Result<(), Stop> {
        loop {
            match xml.next()? {
                Token::End => return Ok(()),
                Token::Other => {}
                Token::Close => {
                    if let Some(nesting) = self.nesting.pop() {
                        self.close(nesting);
                    }
                }
                Token::Empty(element) => {
                    let nesting = self.open(&element, element.line)?;
                    self.close(nesting);
                }
                Token::Open(element) => {
                    let nesting = self.open(&element, element.line)?;
                    self.nesting.push(nesting);
                }
            }
        }
    }

    fn open(&mut self, element: &Element<'_>, at: u64) -> Result<Nesting, Stop> {
        match element.name() {
            "line" => self.line(element, at),
            "file" => {
                self.file(element, at)?;
                return Ok(Nesting::File);
            }
            "testproject" => {
                self.tests += 1;
                return Ok(Nesting::TestProject);
            }
            _ => {}
        }
        Ok(Nesting::Other)
    }

    fn close(&mut self, nesting: Nesting) {
        match nesting {
            Nesting::File => self.in_file = false,
            Nesting::TestProject => self.tests = self.tests.saturating_sub(1),
            Nesting::Other => {}
        }
    }

    fn file(&mut self, element: &Element<'_>, at: u64) -> Result<(), Stop> {
        self.files += 1;
        if self.files > self.limits.entries {
            let limit = format!("{} files", self.limits.entries);
            return Err(Stop::Fatal(ReadError::Limit { bound: Bound::Entries, what: "the number of files", limit }));
        }
        self.conditions.clear();
        self.in_file = false;
        if self.tests > 0 {
            return Ok(());
        }
        let value = |key: &str| {
            let found = element.attributes().find(|(name, value)| *name == key && !value.trim().is_empty());
            found.map(|(_, value)| unescape(value).trim().to_owned())
        };
        // PHPUnit has the path in `name`; the others have the bare name there.
        match value("path").or_else(|| value("name")) {
            Some(name) => {
                let name = bounded(&name, self.sink, self.limits);
                self.sink.file(&name, Repeat::Max);
                self.in_file = true;
            }
            None => self.sink.problem(
                Problem::new(&SYNTAX, "a file without `path` and `name`; its lines belong to no file").at_line(at),
            ),
        }
        Ok(())
    }

    fn line(&mut self, element: &Element<'_>, at: u64) {
        if !self.in_file {
            return;
        }
        let (mut number, mut count, mut trues, mut falses) = (None, None, None, None);
        let (mut kind, mut name) = (Type::Unknown, None);
        for (key, value) in element.attributes() {
            match key {
                "num" => number = value.trim().parse::<u32>().ok(),
                "count" => count = Some(hits(value)),
                "truecount" => trues = Some(hits(value)),
                "falsecount" => falses = Some(hits(value)),
                "type" => {
                    kind = match value {
                        "stmt" => Type::Statement,
                        "cond" => Type::Condition,
                        "method" => Type::Method,
                        _ => Type::Unknown,
                    }
                }
                "name" | "signature" => name = Some(unescape(value).into_owned()),
                _ => {}
            }
        }
        // A count that is there but unusable must not be read as none.
        let said = [count, trues, falses];
        let Some(number) = number.filter(|_| !said.contains(&Some(None))) else { return self.odd(element, at) };
        if said.iter().flatten().flatten().any(|(_, is_plain)| !is_plain) {
            let message = format!("a count of line {number} was read as the nearest whole number");
            self.sink.problem(Problem::new(&REPAIRED, message).at_line(at));
        }
        let plain = |said: Option<Option<(u64, bool)>>| said.flatten().map(|(hits, _)| hits);
        match (kind, plain(count), plain(trues), plain(falses)) {
            _ if number == 0 => {}
            (Type::Method, Some(count), ..) => self.sink.function(name.as_deref().unwrap_or_default(), number, count),
            (Type::Statement, Some(count), ..) => self.sink.line(number, count),
            (Type::Condition, Some(count), Some(taken), Some(missed)) => {
                self.sink.line(number, count);
                let narrow = |count| u32::try_from(count).unwrap_or(u32::MAX);
                self.sink.branches(number, narrow(taken), narrow(taken.saturating_add(missed)));
            }
            (Type::Condition, Some(count), None, None) => self.sink.line(number, count),
            (Type::Condition, None, Some(trues), Some(falses)) => {
                self.sink.line(number, trues.saturating_add(falses));
                let condition = self.conditions.entry(number).or_default();
                self.sink.branch(number, arm_id(*condition, 0), Some(trues));
                self.sink.branch(number, arm_id(*condition, 1), Some(falses));
                *condition += 1;
            }
            _ => self.odd(element, at),
        }
    }

    fn odd(&mut self, element: &Element<'_>, at: u64) {
        let shown: Vec<_> = element.attributes().map(|(key, value)| format!("{key}={value}")).collect();
        let shown = text::shorten(&text::one_line(&shown.join(" ")), 100);
        self.sink.problem(Problem::new(&SYNTAX, format!("a line that cannot be used ({shown})")).at_line(at));
    }
}

/// The `type` of a line.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Type {
    Statement,
    Condition,
    Method,
    Unknown,
}

#[cfg(test)]
mod unit_tests {
    use super::super::super::collect::read_text;
    use super::super::cobertura;
    use super::super::told::{files, sums};
    use super::*;

    #[test]
    fn the_sample_adds_up() {
        let told = read_text(&FORMAT, SAMPLE);
        assert_eq!(told.problems, []);
        assert_eq!(files(&told), [("/repo/src/com/acme/Tax.java", vec![(5, 3), (6, 3), (8, 0)])]);
        assert_eq!(told.coverage.summary(), sums([2, 1, 1], [3, 2, 1]));
    }

    #[test]
    fn conditions_add_up_as_their_writer_means_them() {
        let clover = read_text(
            &FORMAT,
            r#"<coverage clover="4"><project><file name="A.java">
            <line num="3" type="cond" truecount="2" falsecount="0"/><line num="3" type="cond" truecount="0" falsecount="0"/><line num="4" type="cond" truecount="0" falsecount="1"/></file>
            <file name="A.java"><line num="4" type="cond" truecount="0" falsecount="1"/></file><line num="90" type="stmt" count="1"/></project><testproject><package><file name="ATest.java"><line num="1" type="stmt" count="0"/></file></package></testproject></coverage>"#,
        );
        assert_eq!(clover.problems, []);
        assert_eq!(files(&clover), [("A.java", vec![(3, 2), (4, 1)])]);
        assert_eq!(clover.coverage.summary(), sums([2, 2, 0], [2, 6, 0]));
        let istanbul = read_text(
            &FORMAT,
            r#"<coverage generated="1" clover="3.2.0"><project><file name="a.js" path="C:\repo\a.js">
            <line num="6" count="3" type="cond" truecount="4" falsecount="1"/><line num="7" count="0" type="cond" truecount="0" falsecount="2"/></file></project></coverage>"#,
        );
        assert_eq!(istanbul.problems, []);
        assert_eq!(files(&istanbul), [("C:/repo/a.js", vec![(6, 3), (7, 0)])]);
        assert_eq!(istanbul.coverage.summary(), sums([1, 4, 0], [2, 7, 0]));
    }

    #[test]
    fn what_cannot_be_used_is_said() {
        let told = read_text(
            &FORMAT,
            r#"<coverage><project><file><line num="1" type="stmt" count="1"/></file><line num="1" type="stmt" count="1"/><file name="a.php">
            <line num="x" type="stmt" count="1"/><line num="1" type="stmt"/><line num="2" type="stmt" count="many"/><line num="3" type="loop" count="1"/><line num="4" type="cond" truecount="1"/>
            <line num="5" type="method" name="f"/><line num="9" type="cond" count="x" truecount="1" falsecount="1"/><line num="0" type="stmt" count="1"/><line num="6" type="stmt" count="1.5"/><line num="7" type="stmt" count="-2"/><line num="8" type="stmt""#,
        );
        let said: Vec<_> = told.problems.iter().map(|problem| problem.message.as_str()).collect();
        assert_eq!(
            said,
            [
                "a file without `path` and `name`; its lines belong to no file",
                "a line that cannot be used (num=x type=stmt count=1)",
                "a line that cannot be used (num=1 type=stmt)",
                "a line that cannot be used (num=2 type=stmt count=many)",
                "a line that cannot be used (num=3 type=loop count=1)",
                "a line that cannot be used (num=4 type=cond truecount=1)",
                "a line that cannot be used (num=5 type=method name=f)",
                "a line that cannot be used (num=9 type=cond count=x truecount=1 falsecount=1)",
                "a count of line 6 was read as the nearest whole number",
                "a count of line 7 was read as the nearest whole number",
                "the report ends inside an element; what came after is unknown",
            ]
        );
        assert_eq!(files(&told), [("a.php", vec![(6, 2), (7, 0)])]);
    }

    #[test]
    fn cobertura_is_not_taken_for_it_nor_the_reverse() {
        assert!(!sniff(cobertura::FORMAT.sample.as_bytes()));
        assert!(!(cobertura::FORMAT.sniff)(SAMPLE.as_bytes()));
        assert!(sniff(b"<coverage generated=\"1\">\n<project timestamp=\"1\">"));
    }
}
