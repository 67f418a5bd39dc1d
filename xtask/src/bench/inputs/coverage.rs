//! Coverage reports of two thousand files.
//!
//! A line in eight has branches, one in forty begins a function, about one in five was never hit, and a quarter of
//! the steps from one executable line to the next skips a line.

use std::io::{self, Write as _};

use super::{Input, Out, Random};

/// Source files in each report.
const FILES: u64 = 2_000;
/// Folders that they are spread over.
const FOLDERS: u64 = 50;
/// Executable lines from one function to the next.
const FUNCTION: u64 = 40;

macro_rules! input {
    ($file:literal, $format:literal, $lines:expr, $write:expr) => {
        Input {
            file: $file,
            format: $format,
            is_small: false,
            write: $write,
            expect: ("coverage.lines.total", || FILES * $lines),
        }
    };
}

const LCOV_LINES: u64 = 3_120;
pub(super) const LCOV: Input = input!("lcov.info", "lcov", LCOV_LINES, |out| lcov(out, 0));
/// The same lines with other hits.
pub(super) const LCOV_2: Input = input!("lcov-2.info", "lcov", LCOV_LINES, |out| lcov(out, 1));
const COBERTURA_LINES: u64 = 970;
pub(super) const COBERTURA: Input = input!("cobertura.xml", "cobertura", COBERTURA_LINES, cobertura);
const JACOCO_LINES: u64 = 1_170;
pub(super) const JACOCO: Input = input!("jacoco.xml", "jacoco", JACOCO_LINES, jacoco);
const CLOVER_LINES: u64 = 1_090;
pub(super) const CLOVER: Input = Input {
    file: "clover.xml",
    format: "clover",
    is_small: false,
    write: clover,
    // A line that is stated as a function's beginning is no line to cover.
    expect: ("coverage.lines.total", || {
        let covers = |line: &Line| !line.begins || !line.branches.is_empty();
        (0..FILES).map(|file| lines(file, CLOVER_LINES, 0).filter(covers).count() as u64).sum()
    }),
};
const OPENCOVER_LINES: u64 = 320;
pub(super) const OPENCOVER: Input = input!("opencover.xml", "opencover", OPENCOVER_LINES, opencover);
const GOCOVER_LINES: u64 = 780;
pub(super) const GOCOVER: Input = input!("cover.out", "gocover", GOCOVER_LINES, gocover);
const ISTANBUL_LINES: u64 = 425;
pub(super) const ISTANBUL: Input = input!("coverage-final.json", "istanbul", ISTANBUL_LINES, istanbul);
const COVERAGE_PY_LINES: u64 = 8_500;
pub(super) const COVERAGE_PY: Input = input!("coverage.json", "coverage-py", COVERAGE_PY_LINES, coverage_py);
const SIMPLECOV_LINES: u64 = 6_500;
pub(super) const SIMPLECOV: Input = input!("resultset.json", "simplecov", SIMPLECOV_LINES, simplecov);
const LLVM_LINES: u64 = 800;
pub(super) const LLVM: Input = Input {
    file: "llvm.json",
    format: "llvm",
    is_small: false,
    write: llvm,
    // Regions go on until the next one begins: the lines between count.
    expect: ("coverage.lines.total", || {
        let last = |file| lines(file, LLVM_LINES, 0).last().map_or(0, |line| line.number);
        (0..FILES).map(|file| last(file) - FIRST + 1).sum()
    }),
};
const SUMMARY_FILES: u64 = 60_000;
pub(super) const ISTANBUL_SUMMARY: Input = Input {
    file: "coverage-summary.json",
    format: "istanbul-summary",
    is_small: true,
    write: istanbul_summary,
    expect: ("coverage.lines.total", || (0..SUMMARY_FILES).map(|file| 10 + file % 90).sum()),
};

/// An executable line.
struct Line {
    number: u64,
    hits: u64,
    /// How often each branch was taken; empty for most lines.
    branches: Vec<u64>,
    /// Whether a function begins here.
    begins: bool,
}

/// The first line of every file.
const FIRST: u64 = 2;

/// The lines of a file: where they are depends on `file` alone, how often they were hit on `shard` too.
fn lines(file: u64, count: u64, shard: u64) -> impl Iterator<Item = Line> {
    let mut places = Random(file);
    let mut random = Random(file << 8 | shard);
    let mut number = FIRST - 1;
    (0..count).map(move |at| {
        number += 1 + u64::from(at > 0 && places.chance(25));
        let arms = if places.chance(12) { if places.chance(90) { 2 } else { 4 } } else { 0 };
        let hits = if random.chance(18) { 0 } else { 1 + random.below(99_999) };
        let mut arm = || if hits == 0 || random.chance(35) { 0 } else { 1 + random.below(998) };
        let branches = (0..arms).map(|_| arm()).collect();
        Line { number, hits, branches, begins: at % FUNCTION == 0 }
    })
}

fn taken(branches: &[u64]) -> usize {
    branches.iter().filter(|taken| **taken > 0).count()
}

/// A source file that coverage reports name.
pub(in super::super) fn path(file: u64, ending: &str) -> String {
    format!("src/pkg{:02}/mod_{file:04}.{ending}", file % FOLDERS)
}

/// Files by folder.
fn folders() -> impl Iterator<Item = (u64, impl Iterator<Item = u64>)> {
    (0..FOLDERS).map(|folder| (folder, (folder..FILES).step_by(usize::try_from(FOLDERS).unwrap_or(1))))
}

fn comma(first: bool) -> &'static str {
    if first { "" } else { "," }
}

fn lcov(out: &mut Out, shard: u64) -> io::Result<()> {
    for file in 0..FILES {
        let lines: Vec<Line> = lines(file, LCOV_LINES, shard).collect();
        let functions = || lines.iter().filter(|line| line.begins);
        let name = |line: &Line| format!("_ZN3pkg{file}4func{}17h{:016x}E", line.number, file << 32 | line.number);
        writeln!(out, "TN:unit\nSF:{}", path(file, "rs"))?;
        for line in functions() {
            writeln!(out, "FN:{},{}", line.number, name(line))?;
        }
        for line in functions() {
            writeln!(out, "FNDA:{},{}", line.hits, name(line))?;
        }
        let hit = functions().filter(|line| line.hits > 0).count();
        writeln!(out, "FNF:{}\nFNH:{hit}", functions().count())?;
        for line in &lines {
            for (at, taken) in line.branches.iter().enumerate() {
                match line.hits {
                    0 => writeln!(out, "BRDA:{},0,{at},-", line.number)?,
                    _ => writeln!(out, "BRDA:{},0,{at},{taken}", line.number)?,
                }
            }
        }
        let branches: usize = lines.iter().map(|line| line.branches.len()).sum();
        let hit: usize = lines.iter().map(|line| taken(&line.branches)).sum();
        writeln!(out, "BRF:{branches}\nBRH:{hit}")?;
        for line in &lines {
            writeln!(out, "DA:{},{}", line.number, line.hits)?;
        }
        let hit = lines.iter().filter(|line| line.hits > 0).count();
        writeln!(out, "LF:{}\nLH:{hit}\nend_of_record", lines.len())?;
    }
    Ok(())
}

fn cobertura(out: &mut Out) -> io::Result<()> {
    out.write_all(
        b"<?xml version=\"1.0\" ?>\n\
        <!DOCTYPE coverage SYSTEM \"http://cobertura.sourceforge.net/xml/coverage-04.dtd\">\n\
        <coverage version=\"7.6\" timestamp=\"1700000000000\" line-rate=\"0.82\" branch-rate=\"0.5\" complexity=\"0\">\n\
        \t<sources><source>.</source></sources>\n\t<packages>\n",
    )?;
    for (folder, files) in folders() {
        writeln!(
            out,
            "\t\t<package name=\"src.pkg{folder:02}\" line-rate=\"0.82\" branch-rate=\"0.5\" complexity=\"0\"><classes>"
        )?;
        for file in files {
            let path = path(file, "py");
            writeln!(
                out,
                "\t\t\t<class name=\"mod_{file:04}.py\" filename=\"{path}\" line-rate=\"0.82\" complexity=\"0\">\n\
                \t\t\t\t<methods/>\n\t\t\t\t<lines>"
            )?;
            for line in lines(file, COBERTURA_LINES, 0) {
                let (number, hits) = (line.number, line.hits);
                if line.branches.is_empty() {
                    writeln!(out, "\t\t\t\t\t<line number=\"{number}\" hits=\"{hits}\"/>")?;
                } else {
                    let (taken, all) = (taken(&line.branches), line.branches.len());
                    writeln!(
                        out,
                        "\t\t\t\t\t<line number=\"{number}\" hits=\"{hits}\" branch=\"true\" \
                        condition-coverage=\"{percent}% ({taken}/{all})\"><conditions><condition number=\"0\" \
                        type=\"jump\" coverage=\"{percent}%\"/></conditions></line>",
                        percent = 100 * taken / all
                    )?;
                }
            }
            out.write_all(b"\t\t\t\t</lines>\n\t\t\t</class>\n")?;
        }
        out.write_all(b"\t\t</classes></package>\n")?;
    }
    out.write_all(b"\t</packages>\n</coverage>\n")
}

fn jacoco(out: &mut Out) -> io::Result<()> {
    out.write_all(
        b"<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\
        <!DOCTYPE report PUBLIC \"-//JACOCO//DTD Report 1.1//EN\" \"report.dtd\"><report name=\"app\">\
        <sessioninfo id=\"host-1\" start=\"1700000000000\" dump=\"1700000001000\"/>",
    )?;
    for (folder, files) in folders() {
        write!(out, "<package name=\"com/acme/pkg{folder:02}\">")?;
        for file in files {
            write!(out, "<sourcefile name=\"Mod{file:04}.java\">")?;
            for line in lines(file, JACOCO_LINES, 0) {
                let (missed, covered) = if line.hits > 0 { (0, 3) } else { (3, 0) };
                let taken = taken(&line.branches);
                write!(
                    out,
                    "<line nr=\"{}\" mi=\"{missed}\" ci=\"{covered}\" mb=\"{}\" cb=\"{taken}\"/>",
                    line.number,
                    line.branches.len() - taken
                )?;
            }
            out.write_all(b"</sourcefile>")?;
        }
        out.write_all(b"</package>")?;
    }
    out.write_all(b"</report>")
}

fn clover(out: &mut Out) -> io::Result<()> {
    out.write_all(
        b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
        <coverage generated=\"1700000000\" clover=\"3.2.0\"><project timestamp=\"1700000000\">\n",
    )?;
    for file in 0..FILES {
        writeln!(out, "<file name=\"mod_{file:04}.php\" path=\"/repo/{}\">", path(file, "php"))?;
        for line in lines(file, CLOVER_LINES, 0) {
            match (line.branches.as_slice(), line.begins) {
                ([yes, no, ..], _) => writeln!(
                    out,
                    "<line num=\"{}\" type=\"cond\" truecount=\"{yes}\" falsecount=\"{no}\"/>",
                    line.number
                )?,
                (_, true) => writeln!(
                    out,
                    "<line num=\"{}\" type=\"method\" name=\"of{}\" count=\"{}\"/>",
                    line.number, line.number, line.hits
                )?,
                _ => writeln!(out, "<line num=\"{}\" type=\"stmt\" count=\"{}\"/>", line.number, line.hits)?,
            }
        }
        out.write_all(b"</file>\n")?;
    }
    out.write_all(b"</project></coverage>\n")
}

fn opencover(out: &mut Out) -> io::Result<()> {
    out.write_all(
        b"<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<CoverageSession>\n<Modules><Module hash=\"AA-01\">\n\
        <ModulePath>/repo/bin/App.dll</ModulePath>\n<Files>\n",
    )?;
    for file in 0..FILES {
        writeln!(out, "<File uid=\"{}\" fullPath=\"/repo/{}\"/>", file + 1, path(file, "cs"))?;
    }
    out.write_all(b"</Files>\n<Classes>\n")?;
    for file in 0..FILES {
        writeln!(out, "<Class><FullName>App.Mod{file:04}</FullName><Methods>")?;
        let lines: Vec<Line> = lines(file, OPENCOVER_LINES, 0).collect();
        for body in lines.chunks(usize::try_from(FUNCTION).unwrap_or(1)) {
            writeln!(
                out,
                "<Method visited=\"{}\" isConstructor=\"false\"><Name>System.Int32 App.Mod{file:04}::Of{}()</Name>\
                <FileRef uid=\"{}\"/><SequencePoints>",
                body.iter().any(|line| line.hits > 0),
                body[0].number,
                file + 1
            )?;
            for (at, line) in body.iter().enumerate() {
                writeln!(
                    out,
                    "<SequencePoint vc=\"{hits}\" uspid=\"{number}\" ordinal=\"{at}\" offset=\"{at}\" sl=\"{number}\" \
                    sc=\"9\" el=\"{number}\" ec=\"40\" bec=\"{}\" bev=\"{}\" fileid=\"{}\"/>",
                    line.branches.len(),
                    taken(&line.branches),
                    file + 1,
                    hits = line.hits,
                    number = line.number
                )?;
            }
            out.write_all(b"</SequencePoints><BranchPoints>\n")?;
            for line in body {
                for (at, taken) in line.branches.iter().enumerate() {
                    writeln!(
                        out,
                        "<BranchPoint vc=\"{taken}\" uspid=\"{}\" ordinal=\"{at}\" offset=\"{at}\" sl=\"{}\" \
                        path=\"{at}\" offsetend=\"{}\" fileid=\"{}\"/>",
                        line.number,
                        line.number,
                        at + 9,
                        file + 1
                    )?;
                }
            }
            out.write_all(b"</BranchPoints></Method>\n")?;
        }
        out.write_all(b"</Methods></Class>\n")?;
    }
    out.write_all(b"</Classes></Module></Modules></CoverageSession>\n")
}

fn gocover(out: &mut Out) -> io::Result<()> {
    out.write_all(b"mode: atomic\n")?;
    for file in 0..FILES {
        let path = path(file, "go");
        for Line { number, hits, .. } in lines(file, GOCOVER_LINES, 0) {
            writeln!(out, "example.com/acme/shop/{path}:{number}.2,{number}.40 1 {hits}")?;
        }
    }
    Ok(())
}

fn istanbul(out: &mut Out) -> io::Result<()> {
    let span = |line: u64, from: u64, to: u64| {
        format!("{{\"start\":{{\"line\":{line},\"column\":{from}}},\"end\":{{\"line\":{line},\"column\":{to}}}}}")
    };
    out.write_all(b"{")?;
    for file in 0..FILES {
        let path = path(file, "js");
        let lines: Vec<Line> = lines(file, ISTANBUL_LINES, 0).collect();
        let functions: Vec<&Line> = lines.iter().filter(|line| line.begins).collect();
        let branching: Vec<&Line> = lines.iter().filter(|line| !line.branches.is_empty()).collect();
        write!(out, "{}\"/repo/{path}\": {{\"path\":\"/repo/{path}\",\"statementMap\":{{", comma(file == 0))?;
        for (at, line) in lines.iter().enumerate() {
            write!(out, "{}\"{at}\":{}", comma(at == 0), span(line.number, 2, 40))?;
        }
        out.write_all(b"},\"fnMap\":{")?;
        for (at, line) in functions.iter().enumerate() {
            let (decl, loc) = (span(line.number, 9, 12), span(line.number, 15, 40));
            let (comma, number) = (comma(at == 0), line.number);
            write!(out, "{comma}\"{at}\":{{\"name\":\"f{at}\",\"decl\":{decl},\"loc\":{loc},\"line\":{number}}}")?;
        }
        out.write_all(b"},\"branchMap\":{")?;
        for (at, line) in branching.iter().enumerate() {
            let arms: Vec<String> = (0..line.branches.len()).map(|_| span(line.number, 4, 30)).collect();
            write!(
                out,
                "{}\"{at}\":{{\"loc\":{},\"type\":\"if\",\"locations\":[{}],\"line\":{}}}",
                comma(at == 0),
                span(line.number, 2, 40),
                arms.join(","),
                line.number
            )?;
        }
        for (key, lines) in [("s", &lines.iter().collect()), ("f", &functions)] {
            write!(out, "}},\"{key}\":{{")?;
            for (at, line) in lines.iter().enumerate() {
                write!(out, "{}\"{at}\":{}", comma(at == 0), line.hits)?;
            }
        }
        out.write_all(b"},\"b\":{")?;
        for (at, line) in branching.iter().enumerate() {
            let arms: Vec<String> = line.branches.iter().map(u64::to_string).collect();
            write!(out, "{}\"{at}\":[{}]", comma(at == 0), arms.join(","))?;
        }
        writeln!(out, "}}}}")?;
    }
    out.write_all(b"}\n")
}

fn istanbul_summary(out: &mut Out) -> io::Result<()> {
    let ratio = |total: u64| {
        let covered = total * 4 / 5;
        format!("{{\"total\":{total},\"covered\":{covered},\"skipped\":0,\"pct\":80}}")
    };
    writeln!(out, "{{\"total\": {{\"lines\":{}}}", ratio(1))?;
    for file in 0..SUMMARY_FILES {
        let lines = 10 + file % 90;
        writeln!(
            out,
            ",\"/repo/src/pkg{:02}/mod_{file:05}.js\": {{\"lines\":{},\"functions\":{},\"statements\":{},\"branches\":{}}}",
            file % FOLDERS,
            ratio(lines),
            ratio(lines / 9),
            ratio(lines + 3),
            ratio(lines / 5)
        )?;
    }
    out.write_all(b"}\n")
}

fn coverage_py(out: &mut Out) -> io::Result<()> {
    out.write_all(
        b"{\"meta\": {\"format\": 3, \"version\": \"7.6.0\", \"timestamp\": \"2026-01-01T00:00:00\", \
        \"branch_coverage\": false, \"show_contexts\": false}, \"files\": {",
    )?;
    for file in 0..FILES {
        write!(out, "{}\"{}\": {{\"executed_lines\": [", comma(file == 0), path(file, "py"))?;
        let lines: Vec<Line> = lines(file, COVERAGE_PY_LINES, 0).collect();
        let list = |out: &mut Out, wanted: bool| -> io::Result<u64> {
            let mut count = 0;
            for line in lines.iter().filter(|line| (line.hits > 0) == wanted) {
                write!(out, "{}{}", if count == 0 { "" } else { ", " }, line.number)?;
                count += 1;
            }
            Ok(count)
        };
        let covered = list(out, true)?;
        let missing = lines.len() as u64 - covered;
        write!(
            out,
            "], \"summary\": {{\"covered_lines\": {covered}, \"num_statements\": {}, \"missing_lines\": {missing}, \
            \"excluded_lines\": 0}}, \"missing_lines\": [",
            lines.len()
        )?;
        list(out, false)?;
        out.write_all(b"], \"excluded_lines\": []}")?;
    }
    out.write_all(b"}, \"totals\": {}}")
}

fn simplecov(out: &mut Out) -> io::Result<()> {
    out.write_all(b"{\n  \"RSpec\": {\n    \"coverage\": {\n")?;
    for file in 0..FILES {
        write!(out, "{}      \"/repo/{}\": {{\"lines\": [", comma(file == 0), path(file, "rb"))?;
        let mut before = 0;
        for line in lines(file, SIMPLECOV_LINES, 0) {
            let skipped = usize::try_from(line.number - before - 1).unwrap_or(0);
            write!(out, "{}{}{}", if before == 0 { "" } else { ", " }, "null, ".repeat(skipped), line.hits)?;
            before = line.number;
        }
        out.write_all(b"]}\n")?;
    }
    out.write_all(b"    },\n    \"timestamp\": 1700000000\n  }\n}\n")
}

fn llvm(out: &mut Out) -> io::Result<()> {
    out.write_all(b"{\"data\":[{\"files\":[")?;
    for file in 0..FILES {
        let lines: Vec<Line> = lines(file, LLVM_LINES, 0).collect();
        write!(out, "{}{{\"branches\":[", comma(file == 0))?;
        let pairs = lines.iter().filter(|line| !line.branches.is_empty());
        for (at, line) in pairs.enumerate() {
            let (number, arms) = (line.number, &line.branches);
            write!(out, "{}[{number},8,{number},17,{},{},0,0,4]", comma(at == 0), arms[0], arms[1])?;
        }
        write!(out, "],\"expansions\":[],\"filename\":\"/repo/{}\",\"segments\":[", path(file, "rs"))?;
        for (at, line) in lines.iter().enumerate() {
            write!(out, "{}[{},5,{},true,true,false]", comma(at == 0), line.number, line.hits)?;
        }
        write!(
            out,
            "],\"summary\":{{\"lines\":{{\"count\":{count},\"covered\":{count},\"percent\":100}}}}}}",
            count = lines.len()
        )?;
    }
    out.write_all(b"],\"functions\":[")?;
    for file in 0..FILES {
        let lines: Vec<Line> = lines(file, LLVM_LINES, 0).collect();
        for (at, body) in lines.chunks(usize::try_from(FUNCTION).unwrap_or(1)).enumerate() {
            write!(
                out,
                "{}{{\"branches\":[],\"count\":{},\"filenames\":[\"/repo/{}\"],\"name\":\"_RNvCs_3pkg{file}f{at}\",\
                \"regions\":[",
                comma(file == 0 && at == 0),
                body[0].hits,
                path(file, "rs")
            )?;
            for (at, line) in body.iter().enumerate() {
                write!(out, "{}[{},5,{},40,{},0,0,0]", comma(at == 0), line.number, line.number, line.hits)?;
            }
            out.write_all(b"]}")?;
        }
    }
    out.write_all(b"],\"totals\":{}}],\"type\":\"llvm.coverage.json.export\",\"version\":\"2.0.1\"}\n")
}
