//! JaCoCo XML: Java, Kotlin, Scala and Groovy by Maven, Gradle and Ant; Kover writes the same.
//!
//! A file is a package's name and a source file's name, without the folder that holds the sources. Instructions are
//! counted there, not runs: a line has a hit if any of its instructions ran. Methods stand under classes, which name
//! their source file; they are held until their package ends. Counters of lines are not read, nor is any DTD.

use std::io::BufRead;

use indexmap::IndexMap;

use super::super::problem::SYNTAX;
use super::super::sink::{Repeat, Sink};
use super::super::source::Counted;
use super::super::xml::{Element, Stop, Token, Xml, unescape};
use super::super::{Bound, Format, Kind, Limits, Problem, ReadError};
use super::paths::bounded;
use crate::sys::text;

/// The table row.
pub const FORMAT: Format = Format {
    name: "jacoco",
    kind: Kind::Coverage,
    doc: "JaCoCo XML: Java, Kotlin and Scala by Maven, Gradle, Ant, Kover.",
    sniff,
    read,
    sample: SAMPLE,
};

const SAMPLE: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?><!DOCTYPE report PUBLIC "-//JACOCO//DTD Report 1.1//EN" "report.dtd"><report name="shop"><sessioninfo id="host-1" start="1700000000000" dump="1700000001000"/><package name="com/acme"><class name="com/acme/Tax" sourcefilename="Tax.java"><method name="&lt;init&gt;" desc="()V" line="3"><counter type="INSTRUCTION" missed="3" covered="0"/><counter type="METHOD" missed="1" covered="0"/></method><method name="of" desc="(I)I" line="5"><counter type="INSTRUCTION" missed="2" covered="6"/><counter type="METHOD" missed="0" covered="1"/></method><counter type="LINE" missed="2" covered="2"/></class><sourcefile name="Tax.java"><line nr="3" mi="3" ci="0" mb="0" cb="0"/><line nr="5" mi="0" ci="4" mb="1" cb="1"/><line nr="6" mi="2" ci="0" mb="0" cb="0"/><line nr="7" mi="0" ci="2" mb="0" cb="0"/><counter type="LINE" missed="2" covered="2"/></sourcefile></package></report>
"#;

fn sniff(head: &[u8]) -> bool {
    let has = |needle: &str| memchr::memmem::find(head, needle.as_bytes()).is_some();
    has("<report") && ["//JACOCO//", "<sessioninfo", "<package ", "<group "].into_iter().any(has)
}

/// What was opened and still has to end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Nesting {
    Package,
    Class,
    Method,
    SourceFile,
    Other,
}

/// A method that was read: its name, line, and whether it ran, once that is known.
struct Method {
    name: String,
    line: u32,
    runs: Option<u64>,
}

struct Reader<'s> {
    sink: &'s mut dyn Sink,
    limits: &'s Limits,
    nesting: Vec<Nesting>,
    package: String,
    class: String,
    /// Where the current class's methods go; `None` if its file is not known.
    class_file: Option<String>,
    /// The method being read.
    method: Option<Method>,
    /// Methods of this package by source file.
    methods: IndexMap<String, Vec<Method>>,
    in_file: bool,
    entries: usize,
}

fn read(input: &mut dyn BufRead, sink: &mut dyn Sink, limits: &Limits) -> Result<(), ReadError> {
    let mut xml = Xml::new(Counted::new(input, limits), limits);
    let mut reader = Reader {
        sink,
        limits,
        nesting: Vec::new(),
        package: String::new(),
        class: String::new(),
        class_file: None,
        method: None,
        methods: IndexMap::new(),
        in_file: false,
        entries: 0,
    };
    let stopped = reader.run(&mut xml);
    let line = xml.line();
    reader.end_package();
    match stopped {
        Ok(()) => Ok(()),
        Err(stop) => stop.tell(line, sink),
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
                    if let Some(nesting) = self.open(&element, element.line)? {
                        self.close(nesting);
                    }
                }
                Token::Open(element) => {
                    let nesting = self.open(&element, element.line)?.unwrap_or(Nesting::Other);
                    self.nesting.push(nesting);
                }
            }
        }
    }

    fn open(&mut self, element: &Element<'_>, at: u64) -> Result<Option<Nesting>, Stop> {
        // By far the most elements of any report.
        if element.name() == "line" {
            self.line(element, at);
            return Ok(None);
        }
        let value = |key: &str| {
            let found = element.attributes().find(|(name, _)| *name == key);
            found.map(|(_, value)| unescape(value).into_owned())
        };
        Ok(match element.name() {
            "counter" => {
                if let (Some(method), Some(kind)) = (&mut self.method, value("type")) {
                    let covered = value("covered").and_then(|covered| covered.trim().parse().ok());
                    match kind.as_str() {
                        "METHOD" if covered.is_some() => method.runs = covered,
                        // Where there is no counter for the method itself.
                        "INSTRUCTION" if method.runs.is_none() => method.runs = covered.map(|count: u64| count.min(1)),
                        _ => {}
                    }
                }
                None
            }
            "method" => {
                self.entry()?;
                let name = format!(
                    "{}.{}{}",
                    self.class,
                    value("name").unwrap_or_default(),
                    value("desc").unwrap_or_default()
                );
                let line = value("line").and_then(|line| line.trim().parse().ok()).unwrap_or(0);
                self.method = Some(Method { name, line, runs: None });
                Some(Nesting::Method)
            }
            "class" => {
                self.class = value("name").unwrap_or_default();
                self.class_file = value("sourcefilename").filter(|name| !name.is_empty());
                Some(Nesting::Class)
            }
            "sourcefile" => {
                self.entry()?;
                match value("name").filter(|name| !name.is_empty()) {
                    Some(name) => self.file(&name),
                    None => self.syntax("a source file without `name`; its lines belong to no file", at),
                }
                Some(Nesting::SourceFile)
            }
            "package" => {
                self.end_package();
                self.package = value("name").unwrap_or_default();
                Some(Nesting::Package)
            }
            _ => None,
        })
    }

    fn close(&mut self, nesting: Nesting) {
        match nesting {
            Nesting::Package => self.end_package(),
            Nesting::SourceFile => self.in_file = false,
            Nesting::Class => self.class_file = None,
            Nesting::Method => {
                if let Some(method) = self.method.take() {
                    // Without debug information there is no source file, so the method belongs to none.
                    if let Some(file) = &self.class_file {
                        match self.methods.get_mut(file) {
                            Some(methods) => methods.push(method),
                            None => drop(self.methods.insert(file.clone(), vec![method])),
                        }
                    }
                }
            }
            Nesting::Other => {}
        }
    }

    fn entry(&mut self) -> Result<(), Stop> {
        self.entries += 1;
        if self.entries > self.limits.entries {
            let limit = format!("{} of them", self.limits.entries);
            return Err(Stop::Fatal(ReadError::Limit {
                bound: Bound::Entries,
                what: "the number of methods and files",
                limit,
            }));
        }
        Ok(())
    }

    /// Begins a file, with the methods that its classes have.
    fn file(&mut self, name: &str) {
        let path = match self.package.as_str() {
            "" => name.to_owned(),
            package => format!("{package}/{name}"),
        };
        let path = bounded(&path, self.sink, self.limits);
        self.sink.file(&path, Repeat::Max);
        self.in_file = true;
        for method in self.methods.shift_remove(name).unwrap_or_default() {
            match method.runs {
                Some(runs) => self.sink.function(&method.name, method.line, runs),
                None => {
                    let name = text::shorten(&text::one_line(&method.name), 120);
                    self.sink.problem(Problem::new(&SYNTAX, format!("method {name} has no usable counter")));
                }
            }
        }
    }

    /// Tells the methods whose source file did not come.
    fn end_package(&mut self) {
        while let Some(name) = self.methods.keys().next().cloned() {
            self.file(&name);
        }
        self.in_file = false;
        self.package.clear();
    }

    fn line(&mut self, element: &Element<'_>, at: u64) {
        if !self.in_file {
            return;
        }
        let (mut number, mut missed, mut covered) = (None, None, None);
        let (mut missed_branches, mut covered_branches) = (Some(0_u32), Some(0_u32));
        for (key, value) in element.attributes() {
            let value = value.trim().parse::<u32>().ok();
            match key {
                "nr" => number = value,
                "mi" => missed = value,
                "ci" => covered = value,
                "mb" => missed_branches = value,
                "cb" => covered_branches = value,
                _ => {}
            }
        }
        let (Some(number), Some(covered)) = (number, covered) else {
            return self.odd(element, "a line without a usable number or counter", at);
        };
        if number == 0 || covered == 0 && missed == Some(0) {
            return;
        }
        self.sink.line(number, u64::from(covered > 0));
        match (missed_branches, covered_branches) {
            (Some(0), Some(0)) => {}
            (Some(missed), Some(covered)) => self.sink.branches(number, covered, covered.saturating_add(missed)),
            _ => self.odd(element, "a line without usable branch counters", at),
        }
    }

    fn odd(&mut self, element: &Element<'_>, what: &str, at: u64) {
        let shown: Vec<_> = element.attributes().map(|(key, value)| format!("{key}={value}")).collect();
        self.syntax(&format!("{what} ({})", text::shorten(&text::one_line(&shown.join(" ")), 80)), at);
    }

    fn syntax(&mut self, what: &str, at: u64) {
        self.sink.problem(Problem::new(&SYNTAX, what).at_line(at));
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
        assert_eq!(files(&told), [("com/acme/Tax.java", vec![(3, 0), (5, 1), (6, 0), (7, 1)])]);
        assert_eq!(told.coverage.summary(), sums([2, 1, 1], [4, 2, 2]));
    }

    #[test]
    fn groups_nest_and_a_file_in_two_of_them_is_one() {
        let told = read_text(
            &FORMAT,
            r#"<report name="all"><group name="a"><group name="b"><package name="p"><sourcefile name="A.kt"><line nr="1" mi="4" ci="9"/><line nr="2" mi="1" ci="0" mb="2" cb="0"/><line nr="0" mi="1" ci="1"/><line nr="3" mi="0" ci="0"/></sourcefile><line nr="8" mi="1" ci="0"/></package></group>
            <group name="c"><package name="p"><class name="p/A"/><sourcefile name="A.kt"><line nr="2" mi="0" ci="1" mb="1" cb="1"/></sourcefile></package></group></group>
            <package name=""><class name="B" sourcefilename="B.java"><method name="b" desc="()V"><counter type="INSTRUCTION" missed="0" covered="7"/></method><method name="c"><counter type="METHOD" missed="0" covered="1"/></method></class></package></report>"#,
        );
        assert_eq!(told.problems, []);
        assert_eq!(files(&told), [("B.java", vec![]), ("p/A.kt", vec![(1, 1), (2, 1)])]);
        assert_eq!(told.coverage.summary(), sums([2, 1, 2], [2, 2, 2]));
    }

    #[test]
    fn what_cannot_be_used_is_said_and_a_cut_keeps_what_came_before() {
        let told = read_text(
            &FORMAT,
            r#"<report><package name="p"><class name="p/A" sourcefilename="A.java"><method name="f"/></class><sourcefile><line nr="9" mi="0" ci="1"/></sourcefile>
            <sourcefile name="A.java"><line nr="x" mi="0" ci="1"/><line nr="1" mi="0"/><line nr="2" mi="0" ci="1" mb="-1" cb="1"/><line nr="3" ci="0"/><line nr="4""#,
        );
        let said: Vec<_> = told.problems.iter().map(|problem| problem.message.as_str()).collect();
        assert_eq!(
            said,
            [
                "a source file without `name`; its lines belong to no file",
                "method p/A.f has no usable counter",
                "a line without a usable number or counter (nr=x mi=0 ci=1)",
                "a line without a usable number or counter (nr=1 mi=0)",
                "a line without usable branch counters (nr=2 mi=0 ci=1 mb=-1 cb=1)",
                "the report ends inside an element; what came after is unknown",
            ]
        );
        assert_eq!(files(&told), [("p/A.java", vec![(2, 1), (3, 0)])]);
    }
}
