//! OpenCover XML: OpenCover, and coverlet's `opencover` output.
//!
//! A module lists its files, then its classes with methods and their points, each of which names a file by number.
//! Points of one file are scattered over its methods, so they are held until their module ends. A line has the
//! greatest count of the points that start on it. A module that the tool left out has no files and no classes.

use std::collections::HashMap;
use std::io::BufRead;

use indexmap::IndexMap;

use super::super::problem::SYNTAX;
use super::super::sink::{Repeat, Sink, Span};
use super::super::source::Counted;
use super::super::xml::{Element, Kept, Stop, Token, Xml, unescape};
use super::super::{Bound, Format, Kind, Limits, Problem, ReadError};
use super::number::{LINES_PER_ENTRY, hits};
use super::paths::bounded;
use crate::sys::text;

/// The table row.
pub const FORMAT: Format = Format {
    name: "opencover",
    kind: Kind::Coverage,
    doc: "OpenCover XML: OpenCover, coverlet.",
    sniff,
    read,
    sample: SAMPLE,
};

const SAMPLE: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<CoverageSession>
  <Summary numSequencePoints="3" visitedSequencePoints="2" numBranchPoints="2" visitedBranchPoints="1"/>
  <Modules>
    <Module skippedDueTo="Filter" hash="00"><ModulePath>/repo/bin/xunit.dll</ModulePath><Classes/></Module>
    <Module hash="AA-01">
      <ModulePath>/repo/bin/Shop.dll</ModulePath>
      <Files><File uid="1" fullPath="/repo/src/Tax.cs"/></Files>
      <Classes><Class><FullName>Shop.Tax</FullName><Methods>
        <Method visited="true" isConstructor="false">
          <Name>System.Int32 Shop.Tax::Of(System.Int32)</Name>
          <FileRef uid="1"/>
          <SequencePoints>
            <SequencePoint vc="4" uspid="1" ordinal="0" sl="5" sc="9" el="5" ec="22" bec="2" bev="1" fileid="1"/>
            <SequencePoint vc="4" uspid="2" ordinal="1" sl="6" sc="13" el="6" ec="25" bec="0" bev="0" fileid="1"/>
            <SequencePoint vc="0" uspid="3" ordinal="2" sl="8" sc="9" el="8" ec="20" bec="0" bev="0" fileid="1"/>
          </SequencePoints>
          <BranchPoints>
            <BranchPoint vc="4" uspid="4" ordinal="0" path="0" offset="6" offsetend="8" sl="5" fileid="1"/>
            <BranchPoint vc="0" uspid="5" ordinal="1" path="1" offset="6" offsetend="12" sl="5" fileid="1"/>
          </BranchPoints>
        </Method>
      </Methods></Class></Classes>
    </Module>
  </Modules>
</CoverageSession>
"#;

/// The line that compilers give to code that has none.
const HIDDEN: u32 = 0xfe_efee;

fn sniff(head: &[u8]) -> bool {
    memchr::memmem::find(head, b"<CoverageSession").is_some()
}

/// The points of one file of a module.
#[derive(Default)]
struct Points {
    sequence: Vec<(Span, u64)>,
    /// Line, arm, hits.
    branches: Vec<(u32, u32, u64)>,
    /// Name, first line, hits.
    methods: Vec<(String, u32, u64)>,
}

/// The method being read.
#[derive(Default)]
struct Method {
    name: String,
    /// Its file, first line and greatest count, by its points.
    place: Option<(u32, u32, u64)>,
}

struct Reader<'s> {
    sink: &'s mut dyn Sink,
    limits: &'s Limits,
    nesting: Vec<Nesting>,
    files: HashMap<u32, String>,
    points: IndexMap<u32, Points>,
    method: Option<Method>,
    held: usize,
}

/// What was opened and still has to end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Nesting {
    Module,
    Method,
    Other,
}

fn read(input: &mut dyn BufRead, sink: &mut dyn Sink, limits: &Limits) -> Result<(), ReadError> {
    let mut xml = Xml::new(Counted::new(input, limits), limits);
    let mut reader = Reader {
        sink,
        limits,
        nesting: Vec::new(),
        files: HashMap::new(),
        points: IndexMap::new(),
        method: None,
        held: 0,
    };
    let stopped = reader.run(&mut xml);
    let line = xml.line();
    reader.end_method();
    reader.end_module(line);
    match stopped {
        Ok(()) => Ok(()),
        Err(stop) => stop.tell(line, sink),
    }
}

impl Reader<'_> {
    fn run(&mut self, xml: &mut Xml<'_>) -> Result<(), Stop> {
        loop {
            let line = xml.line();
            match xml.next()? {
                Token::End => return Ok(()),
                Token::Other => {}
                Token::Close => match self.nesting.pop() {
                    Some(Nesting::Module) => self.end_module(line),
                    Some(Nesting::Method) => self.end_method(),
                    _ => {}
                },
                Token::Empty(element) => match element.name() {
                    "Module" | "Method" => {}
                    _ => self.element(&element, line)?,
                },
                Token::Open(element) => {
                    let nesting = match element.name() {
                        "Module" => {
                            self.end_module(line);
                            Nesting::Module
                        }
                        "Method" => {
                            self.method = Some(Method::default());
                            Nesting::Method
                        }
                        "Name" if self.method.is_some() => {
                            self.nesting.push(Nesting::Other);
                            let mut kept = Kept::new(self.limits.name_bytes);
                            xml.content("Name", |bytes, piece| kept.add(bytes, piece))?;
                            if let Some(method) = &mut self.method {
                                method.name = kept.finish();
                            }
                            continue;
                        }
                        _ => {
                            self.element(&element, line)?;
                            Nesting::Other
                        }
                    };
                    self.nesting.push(nesting);
                }
            }
        }
    }

    fn element(&mut self, element: &Element<'_>, at: u64) -> Result<(), Stop> {
        match element.name() {
            "File" => self.file(element, at)?,
            "SequencePoint" => self.point(element, at, Point::Sequence)?,
            "BranchPoint" => self.point(element, at, Point::Branch)?,
            _ => {}
        }
        Ok(())
    }

    fn room(&mut self) -> Result<(), Stop> {
        self.held += 1;
        let max = self.limits.entries.saturating_mul(LINES_PER_ENTRY);
        if self.held > max {
            let limit = format!("{max} of them");
            return Err(Stop::Fatal(ReadError::Limit {
                bound: Bound::Entries,
                what: "the number of files and points of one module",
                limit,
            }));
        }
        Ok(())
    }

    fn file(&mut self, element: &Element<'_>, at: u64) -> Result<(), Stop> {
        self.room()?;
        let (mut uid, mut path) = (None, None);
        for (key, value) in element.attributes() {
            match key {
                "uid" => uid = value.trim().parse::<u32>().ok(),
                "fullPath" => path = Some(unescape(value).trim().to_owned()),
                _ => {}
            }
        }
        match (uid, path.filter(|path| !path.is_empty())) {
            (Some(uid), Some(path)) => drop(self.files.insert(uid, path)),
            _ => self.odd("a file", element, at),
        }
        Ok(())
    }

    fn point(&mut self, element: &Element<'_>, at: u64, point: Point) -> Result<(), Stop> {
        self.room()?;
        let (mut count, mut file) = (None, None);
        let (mut start, mut end) = ((None, 0), (None, 0));
        let (mut ordinal, mut way) = (0, 0);
        for (key, value) in element.attributes() {
            let number = value.trim().parse::<u32>().ok();
            match key {
                "vc" => count = hits(value).map(|(hits, _)| hits),
                "fileid" => file = number,
                "sl" => start.0 = number,
                "sc" => start.1 = number.unwrap_or(0),
                "el" => end.0 = number,
                "ec" => end.1 = number.unwrap_or(0),
                "offset" => ordinal = number.unwrap_or(0),
                "path" => way = number.unwrap_or(0),
                _ => {}
            }
        }
        let (Some(count), Some(file), Some(line)) = (count, file, start.0) else {
            self.odd("a point", element, at);
            return Ok(());
        };
        if line == 0 || line == HIDDEN {
            return Ok(());
        }
        let points = self.points.entry(file).or_default();
        match point {
            Point::Sequence => {
                let span = Span { start: (line, start.1), end: (end.0.unwrap_or(line), end.1) };
                points.sequence.push((span, count));
                if let Some(method) = &mut self.method {
                    let (file, first, most) = method.place.unwrap_or((file, line, 0));
                    method.place = Some((file, first.min(line), most.max(count)));
                }
            }
            // Offsets are a method's own; what else is on the line is told apart well enough by them.
            Point::Branch => points.branches.push((line, ordinal << 8 | way & 0xff, count)),
        }
        Ok(())
    }

    fn end_method(&mut self) {
        if let Some(Method { name, place: Some((file, line, count)) }) = self.method.take() {
            self.points.entry(file).or_default().methods.push((name, line, count));
        }
    }

    fn end_module(&mut self, at: u64) {
        for (uid, points) in std::mem::take(&mut self.points) {
            let Some(path) = self.files.get(&uid) else {
                let message = format!("points of file {uid}, which its module does not list");
                self.sink.problem(Problem::new(&SYNTAX, message).at_line(at));
                continue;
            };
            let path = bounded(path, self.sink, self.limits);
            self.sink.file(&path, Repeat::Max);
            for (span, count) in points.sequence {
                self.sink.line(span.start.0, count);
                self.sink.statement(span, 1, count);
            }
            for (line, arm, count) in points.branches {
                self.sink.branch(line, arm, Some(count));
            }
            for (name, line, count) in points.methods {
                self.sink.function(&name, line, count);
            }
        }
        self.files.clear();
        self.held = 0;
    }

    fn odd(&mut self, what: &str, element: &Element<'_>, at: u64) {
        let shown: Vec<_> = element.attributes().map(|(key, value)| format!("{key}={value}")).collect();
        let shown = text::shorten(&text::one_line(&shown.join(" ")), 100);
        self.sink.problem(Problem::new(&SYNTAX, format!("{what} that cannot be used ({shown})")).at_line(at));
    }
}

/// The two kinds of point.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Point {
    Sequence,
    Branch,
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
        assert_eq!(files(&told), [("/repo/src/Tax.cs", vec![(5, 4), (6, 4), (8, 0)])]);
        assert_eq!(told.coverage.summary(), sums([2, 1, 1, 2], [3, 2, 1, 3]));
    }

    #[test]
    fn numbers_of_files_are_a_modules_own_and_points_may_be_scattered() {
        let told = read_text(
            &FORMAT,
            r#"<CoverageSession><Modules><Module><Files><File uid="1" fullPath="C:\a.cs"/><File uid="2" fullPath="C:\b.cs"/></Files>
            <Method><Name>f</Name><SequencePoint vc="0" sl="1" sc="1" el="1" ec="9" fileid="1"/><SequencePoint vc="2" sl="1" sc="10" el="2" ec="1" fileid="1"/><SequencePoint vc="2" sl="16707566" fileid="1"/></Method>
            <Method><Name>g</Name><SequencePoint vc="1" sl="9" fileid="2"/><SequencePoint vc="0" sl="7" fileid="2"/><SequencePoint vc="0" sl="9" sc="4" fileid="2"/></Method><Method><Name>h</Name><SequencePoint vc="0" sl="5" fileid="1"/></Method><Method/></Module>
            <Module><Files><File uid="1" fullPath="C:\b.cs"/></Files><Method><Name>g</Name><SequencePoint vc="3" sl="7" fileid="1"/></Method></Module></Modules></CoverageSession>"#,
        );
        assert_eq!(told.problems, []);
        assert_eq!(files(&told), [("C:/a.cs", vec![(1, 2), (5, 0)]), ("C:/b.cs", vec![(7, 3), (9, 1)])]);
        assert_eq!(told.coverage.summary(), sums([3, 0, 2, 3], [4, 0, 3, 6]));
        let (_, b) = told.coverage.files().nth(1).unwrap();
        assert_eq!(b.functions().map(|(name, line, _)| (line, name)).collect::<Vec<_>>(), [(7, "g")]);
    }

    #[test]
    fn what_cannot_be_used_is_said() {
        let told = read_text(
            &FORMAT,
            r#"<CoverageSession><Module><Files><File uid="9" fullPath="z.cs"/><File uid="x" fullPath="b.cs"/><File uid="3"/></Files></Module><Module><Files><File uid="1" fullPath="a.cs"/></Files>
            <SequencePoint vc="1" sl="1"/><SequencePoint vc="x" sl="1" fileid="1"/><SequencePoint vc="1" sl="1" fileid="9"/><SequencePoint vc="1" sl="4" fileid="1"/><SequencePoint vc="1""#,
        );
        let said: Vec<_> = told.problems.iter().map(|problem| problem.message.as_str()).collect();
        assert_eq!(
            said,
            [
                "a file that cannot be used (uid=x fullPath=b.cs)",
                "a file that cannot be used (uid=3)",
                "a point that cannot be used (vc=1 sl=1)",
                "a point that cannot be used (vc=x sl=1 fileid=1)",
                "points of file 9, which its module does not list",
                "the report ends inside an element; what came after is unknown",
            ]
        );
        assert_eq!(files(&told), [("a.cs", vec![(4, 1)])]);
    }
}
