//! Cobertura XML: coverage.py, gcovr, coverlet, istanbul, PHPUnit, cargo-llvm-cov, scoverage.
//!
//! Only the lines directly under a class count: those under its methods repeat them. `condition-coverage` is
//! the only branch number that every writer gets right. Rates in attributes are not read at all.

use std::io::BufRead;

use super::super::problem::SYNTAX;
use super::super::sink::{Repeat, Sink};
use super::super::source::Counted;
use super::super::xml::{Element, Kept, Stop, Token, Xml, unescape};
use super::super::{Bound, Format, Kind, Limits, Problem, ReadError};
use crate::sys::text;

/// The table row.
pub const FORMAT: Format = Format {
    name: "cobertura",
    kind: Kind::Coverage,
    doc: "Cobertura XML: coverage.py, gcovr, coverlet, istanbul, PHPUnit, cargo-llvm-cov.",
    sniff,
    read,
    sample: SAMPLE,
};

const SAMPLE: &str = r#"<?xml version="1.0" ?>
<!DOCTYPE coverage SYSTEM "http://cobertura.sourceforge.net/xml/coverage-04.dtd">
<coverage version="7.17.3" timestamp="1763800000000" lines-valid="3" lines-covered="2" line-rate="0.6667" branches-covered="1" branches-valid="2" branch-rate="0.5" complexity="0">
	<sources><source>src</source></sources>
	<packages><package name="." line-rate="0.6667" branch-rate="0.5" complexity="0"><classes>
		<class name="price.py" filename="price.py" complexity="0" line-rate="0.6667" branch-rate="0.5">
			<methods><method name="mean" signature="()"><lines><line number="1" hits="1"/></lines></method></methods>
			<lines>
				<line number="1" hits="1"/>
				<line number="2" hits="1" branch="true" condition-coverage="50% (1/2)" missing-branches="4"/>
				<line number="4" hits="0"/>
			</lines>
		</class>
	</classes></package></packages>
</coverage>
"#;

fn sniff(head: &[u8]) -> bool {
    let has = |needle: &str| memchr::memmem::find(head, needle.as_bytes()).is_some();
    // Clover shares the root's name and has `<project` under it.
    (has("<coverage") || has("<scoverage")) && !has("<project") && !has("generated=")
}

struct Reader<'s> {
    sink: &'s mut dyn Sink,
    in_class: bool,
    methods: usize,
    /// Open elements that matter, for their ends.
    nesting: Vec<Nesting>,
    files: usize,
    max_files: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Nesting {
    Class,
    Methods,
    Other,
}

fn read(input: &mut dyn BufRead, sink: &mut dyn Sink, limits: &Limits) -> Result<(), ReadError> {
    let mut xml = Xml::new(Counted::new(input, limits), limits);
    let mut reader =
        Reader { sink, in_class: false, methods: 0, nesting: Vec::new(), files: 0, max_files: limits.entries };
    let stopped = reader.run(&mut xml, limits);
    let line = xml.line();
    stopped.or_else(|stop| stop.tell(line, reader.sink))
}

impl Reader<'_> {
    fn run(&mut self, xml: &mut Xml<'_>, limits: &Limits) -> Result<(), Stop> {
        loop {
            match xml.next()? {
                Token::End => return Ok(()),
                Token::Other => {}
                Token::Close => match self.nesting.pop() {
                    Some(Nesting::Class) => self.in_class = false,
                    Some(Nesting::Methods) => self.methods -= 1,
                    _ => {}
                },
                Token::Empty(element) if element.name() == "line" => self.line(&element, element.line),
                Token::Empty(element) => {
                    if element.name() == "class" {
                        self.class(&element, element.line)?;
                        self.in_class = false;
                    }
                }
                Token::Open(element) => {
                    let nesting = match element.name() {
                        "class" => {
                            self.class(&element, element.line)?;
                            Nesting::Class
                        }
                        "methods" => {
                            self.methods += 1;
                            Nesting::Methods
                        }
                        "line" => {
                            self.line(&element, element.line);
                            Nesting::Other
                        }
                        "source" => {
                            self.nesting.push(Nesting::Other);
                            let mut kept = Kept::new(limits.name_bytes);
                            xml.content("source", |bytes, piece| kept.add(bytes, piece))?;
                            let root = kept.finish();
                            if !root.is_empty() {
                                self.sink.source_root(&root);
                            }
                            continue;
                        }
                        _ => Nesting::Other,
                    };
                    self.nesting.push(nesting);
                }
            }
        }
    }

    fn class(&mut self, element: &Element<'_>, line: u64) -> Result<(), Stop> {
        self.files += 1;
        if self.files > self.max_files {
            let limit = format!("{} classes", self.max_files);
            return Err(Stop::Fatal(ReadError::Limit { bound: Bound::Entries, what: "the number of classes", limit }));
        }
        let name = element
            .attributes()
            .find(|(key, _)| *key == "filename")
            .map(|(_, value)| unescape(value).trim().to_owned());
        match name.filter(|name| !name.is_empty()) {
            Some(name) => {
                self.in_class = true;
                self.sink.file(&name, Repeat::Max);
            }
            None => {
                self.in_class = false;
                self.sink.problem(
                    Problem::new(&SYNTAX, "a class without `filename`; its lines belong to no file").at_line(line),
                );
            }
        }
        Ok(())
    }

    fn line(&mut self, element: &Element<'_>, at: u64) {
        if !self.in_class || self.methods > 0 {
            return;
        }
        let (mut number, mut hits, mut conditions) = (None, None, None);
        for (key, value) in element.attributes() {
            match key {
                "number" => number = value.trim().parse::<u32>().ok(),
                "hits" => hits = whole(value),
                "condition-coverage" => conditions = ratio(value),
                _ => {}
            }
        }
        match (number, hits) {
            (Some(0), _) => {}
            (Some(number), Some(hits)) => {
                self.sink.line(number, hits);
                if let Some((taken, total)) = conditions {
                    self.sink.branches(number, taken, total);
                }
            }
            _ => {
                let shown: Vec<_> = element.attributes().map(|(key, value)| format!("{key}={value}")).collect();
                let shown = text::shorten(&text::one_line(&shown.join(" ")), 80);
                self.sink.problem(
                    Problem::new(&SYNTAX, format!("a line without a usable number or hit count ({shown})")).at_line(at),
                );
            }
        }
    }
}

/// A hit count, which some writers give as `3.0` or as `-1`.
fn whole(text: &str) -> Option<u64> {
    let text = text.trim();
    if let Ok(value) = text.parse() {
        return Some(value);
    }
    let value: f64 = text.parse().ok().filter(|value: &f64| !value.is_nan())?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to the range of u64 on purpose"
    )]
    let hits = value.max(0.0).ceil() as u64;
    Some(hits)
}

/// `50% (1/2)` → taken, total.
fn ratio(text: &str) -> Option<(u32, u32)> {
    let inside = text.split_once('(')?.1.split_once(')')?.0;
    let (taken, total) = inside.split_once('/')?;
    Some((taken.trim().parse().ok()?, total.trim().parse().ok()?))
}

#[cfg(test)]
mod unit_tests {
    use super::super::super::collect::read_text;
    use super::super::super::sink::{Ratio, Totals};
    use super::*;

    #[test]
    fn methods_are_not_counted_twice_and_sources_are_told() {
        let told = read_text(&FORMAT, SAMPLE);
        assert_eq!(told.problems, []);
        assert_eq!(
            told.coverage.summary(),
            Totals {
                lines: Ratio { covered: 2, total: 3 },
                branches: Ratio { covered: 1, total: 2 },
                ..Totals::default()
            }
        );
        assert_eq!(told.source_roots, ["src"]);
    }

    #[test]
    fn classes_that_share_a_file_merge_by_the_greater_count() {
        let told = read_text(
            &FORMAT,
            r#"<coverage><class filename="A.java"><lines><line number="1" hits="2"/><line number="2" hits="0"/></lines></class>
            <class filename="A.java"><lines><line number="2" hits="3.0"/><line number="undefined" hits="1"/></lines></class></coverage>"#,
        );
        let (_, file) = told.coverage.files().next().unwrap();
        assert_eq!(file.lines().collect::<Vec<_>>(), [(1, 2), (2, 3)]);
        assert_eq!(told.problems.len(), 1);
    }

    #[test]
    fn clover_is_not_taken_for_it() {
        assert!(!sniff(br#"<?xml version="1.0"?><coverage generated="1"><project timestamp="1">"#));
        assert!(sniff(SAMPLE.as_bytes()));
    }
}
