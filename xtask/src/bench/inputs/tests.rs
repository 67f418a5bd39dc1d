//! Test reports of two hundred thousand cases in a thousand suites: one in a hundred fails, one in two hundred is
//! skipped, one in five hundred was run again; most of the bytes are output.

use std::io::{self, Write as _};

use super::{Input, Out, Random};

/// Cases in each report.
const CASES: u64 = 200_000;
/// Cases of one suite.
const SUITE: u64 = 200;

macro_rules! input {
    ($file:literal, $format:literal, $write:expr) => {
        Input { file: $file, format: $format, is_small: false, write: $write, expect: ("tests.total", || CASES) }
    };
}

pub(super) const JUNIT: Input = input!("junit.xml", "junit", |out| junit(out, 0));
/// Other suites.
pub(super) const JUNIT_2: Input = input!("junit-2.xml", "junit", |out| junit(out, 1));
pub(super) const TRX: Input = input!("results.trx", "trx", trx);
pub(super) const GO_JSON: Input = input!("go-test.json", "go-json", go_json);
pub(super) const CTRF: Input = input!("ctrf.json", "ctrf", ctrf);
pub(super) const LIBTEST: Input = input!("libtest.txt", "libtest", libtest);
pub(super) const TAP: Input = input!("results.tap", "tap", tap);

/// How a case ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Passed,
    Failed,
    Skipped,
    Flaky,
}

/// One case.
struct Case {
    number: u64,
    suite: u64,
    end: End,
    millis: u64,
}

impl Case {
    fn name(&self) -> String {
        const WORDS: &[&str] = &["mean", "median", "spread", "range", "order", "total", "ratio", "empty"];
        let number = self.number;
        format!("case_{number:06}_{}", WORDS[usize::try_from(number).unwrap_or(0) % WORDS.len()])
    }

    fn file(&self, ending: &str) -> String {
        format!("src/pkg{:02}/mod_{:04}.{ending}", self.suite % 50, self.suite)
    }

    fn line(&self) -> u64 {
        self.number % 900 + 1
    }
}

fn cases() -> impl Iterator<Item = Case> {
    let mut random = Random(42);
    (0..CASES).map(move |number| {
        let end = match number {
            _ if number % 100 == 7 => End::Failed,
            _ if number % 200 == 11 => End::Skipped,
            _ if number % 500 == 13 => End::Flaky,
            _ => End::Passed,
        };
        Case { number, suite: number / SUITE, end, millis: random.below(2_000) }
    })
}

/// What a case prints, `count` lines of it.
fn output(count: usize, line: &str) -> String {
    line.repeat(count)
}

fn junit(out: &mut Out, shard: u64) -> io::Result<()> {
    writeln!(
        out,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"run\" tests=\"{CASES}\" failures=\"{}\" \
        errors=\"0\" uuid=\"0\" timestamp=\"2026-01-01T00:00:00.000+00:00\" time=\"1234.567\">",
        CASES / 100
    )?;
    for case in cases() {
        if case.number % SUITE == 0 {
            writeln!(
                out,
                "    <testsuite name=\"shop_{shard}_{:04}::bin\" tests=\"{SUITE}\" skipped=\"1\" errors=\"0\" failures=\"2\">",
                case.suite
            )?;
        }
        let (file, line) = (case.file("rs"), case.line());
        write!(
            out,
            "        <testcase name=\"tests::group_{}::{}\" classname=\"shop_{shard}_{:04}\" file=\"{file}\" \
            line=\"{line}\" timestamp=\"2026-01-01T00:00:00.000+00:00\" time=\"{}.{:03}\">",
            case.number % 10,
            case.name(),
            case.suite,
            case.millis / 1_000,
            case.millis % 1_000
        )?;
        match case.end {
            End::Passed => {}
            End::Failed => write!(
                out,
                "<failure message=\"assertion `left == right` failed&#10;  left: 1&#10; right: 2\" \
                type=\"test failure with exit code 101\">thread 'tests::{}' panicked at {file}:{line}:9:\n\
                assertion failed\nstack backtrace:\n{}</failure>",
                case.name(),
                output(6, "   0: rust_begin_unwind\n")
            )?,
            End::Skipped => out.write_all(b"<skipped/>")?,
            End::Flaky => out.write_all(
                b"<flakyFailure timestamp=\"2026-01-01T00:00:00.000+00:00\" time=\"0.2\" message=\"timed out\" \
                type=\"test failure\"><stackTrace>boom</stackTrace><system-out>x</system-out></flakyFailure>",
            )?,
        }
        let printed = output(5, "running 1 test &lt;ok&gt; &amp; more output line\n");
        writeln!(out, "<system-out>{printed}</system-out></testcase>")?;
        if case.number % SUITE == SUITE - 1 {
            out.write_all(b"    </testsuite>\n")?;
        }
    }
    out.write_all(b"</testsuites>\n")
}

fn trx(out: &mut Out) -> io::Result<()> {
    out.write_all(
        b"\xef\xbb\xbf<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<TestRun id=\"5d3b7ac5-6a39-4f0b-9d8c-0a0f8d2f7c11\" \
        name=\"ci\" xmlns=\"http://microsoft.com/schemas/VisualStudio/TeamTest/2010\">\n  <Results>\n",
    )?;
    for case in cases() {
        let id = format!("0a1b2c3d-0000-4000-8000-{:012}", case.number);
        let (word, inside) = match case.end {
            End::Failed => (
                "Failed",
                "<ErrorInfo><Message>Assert.Equal() Failure</Message>\
                <StackTrace>   at Shop.Tests.PriceTest.Of()</StackTrace></ErrorInfo>",
            ),
            End::Skipped => ("NotExecuted", ""),
            End::Passed | End::Flaky => ("Passed", ""),
        };
        writeln!(
            out,
            "    <UnitTestResult executionId=\"{id}\" testId=\"{id}\" testName=\"{}\" computerName=\"ci\" \
            duration=\"00:00:0{}.{:03}0000\" startTime=\"2026-01-01T00:00:00.0000000+00:00\" outcome=\"{word}\">\n      \
            <Output><StdOut>running</StdOut>{inside}</Output>\n    </UnitTestResult>",
            case.name(),
            case.millis / 1_000,
            case.millis % 1_000
        )?;
    }
    out.write_all(b"  </Results>\n  <TestDefinitions>\n")?;
    for case in cases() {
        let id = format!("0a1b2c3d-0000-4000-8000-{:012}", case.number);
        writeln!(
            out,
            "    <UnitTest name=\"{name}\" storage=\"/src/bin/shop.tests.dll\" id=\"{id}\"><Execution id=\"{id}\" />\
            <TestMethod codeBase=\"/src/bin/Shop.Tests.dll\" className=\"Shop.Tests.Suite{:04}\" name=\"{name}\" />\
            </UnitTest>",
            case.suite,
            name = case.name()
        )?;
    }
    writeln!(
        out,
        "  </TestDefinitions>\n  <ResultSummary outcome=\"Failed\"><Counters total=\"{CASES}\" /></ResultSummary>\n</TestRun>"
    )
}

fn go_json(out: &mut Out) -> io::Result<()> {
    for case in cases() {
        let at = "\"Time\":\"2026-01-01T00:00:00.000000000Z\"";
        let package = format!("\"Package\":\"example.com/shop/pkg{:04}\"", case.suite);
        let name = format!("Test{}", case.name());
        let test = format!("{package},\"Test\":\"{name}\"");
        let (action, word) = match case.end {
            End::Failed => ("fail", "FAIL"),
            End::Skipped => ("skip", "SKIP"),
            End::Passed | End::Flaky => ("pass", "PASS"),
        };
        if case.number % SUITE == 0 {
            writeln!(out, "{{{at},\"Action\":\"start\",{package}}}")?;
        }
        writeln!(out, "{{{at},\"Action\":\"run\",{test}}}")?;
        writeln!(out, "{{{at},\"Action\":\"output\",{test},\"Output\":\"=== RUN   {name}\\n\"}}")?;
        writeln!(out, "{{{at},\"Action\":\"output\",{test},\"Output\":\"--- {word}: {name} (0.00s)\\n\"}}")?;
        writeln!(out, "{{{at},\"Action\":\"{action}\",{test},\"Elapsed\":{}.5}}", case.millis % 10)?;
        if case.number % SUITE == SUITE - 1 {
            writeln!(out, "{{{at},\"Action\":\"output\",{package},\"Output\":\"FAIL\\n\"}}")?;
            writeln!(out, "{{{at},\"Action\":\"fail\",{package},\"Elapsed\":1.5}}")?;
        }
    }
    Ok(())
}

fn ctrf(out: &mut Out) -> io::Result<()> {
    writeln!(
        out,
        "{{\n\"reportFormat\": \"CTRF\", \"specVersion\": \"0.0.0\",\n\"results\": {{ \"tool\": {{ \"name\": \"jest\" }},\n\
        \"summary\": {{ \"tests\": {CASES}, \"passed\": 1, \"failed\": 1, \"pending\": 0, \"skipped\": 0, \"other\": 0 }},\n\
        \"tests\": ["
    )?;
    for case in cases() {
        let extra = match case.end {
            End::Failed => {
                "\"status\": \"failed\", \"message\": \"expected 0, got NaN\", \"trace\": \"at price.test.js:9:5\\n\""
            }
            End::Skipped => "\"status\": \"skipped\"",
            End::Flaky => "\"status\": \"passed\", \"retries\": 1, \"flaky\": true",
            End::Passed => "\"status\": \"passed\"",
        };
        writeln!(
            out,
            "{}{{ \"name\": \"{}\", \"duration\": {}, \"suite\": [\"shop\", \"suite {:04}\"], \"filePath\": \"{}\", \
            \"start\": 1700000000000, \"stop\": 1700000001000, \"rawStatus\": \"passed\", \"type\": \"unit\", \
            \"stdout\": [\"running 1 test <ok> & more output line\", \"running 1 test <ok> & more output line\", \
            \"a line with \\\"quotes\\\" and a tab\\t\", \"running 1 test <ok> & more output line\"], {extra} }}",
            if case.number == 0 { "" } else { "," },
            case.name(),
            case.millis,
            case.suite,
            case.file("test.js")
        )?;
    }
    out.write_all(b"]\n}\n}\n")
}

fn libtest(out: &mut Out) -> io::Result<()> {
    let mut failed = Vec::new();
    for case in cases() {
        if case.number % SUITE == 0 {
            let suite = case.suite;
            writeln!(out, "     Running unittests src/lib.rs (target/debug/deps/shop{suite:04}-0e1f2a3b4c5d6e7f)\n")?;
            writeln!(out, "running {SUITE} tests")?;
        }
        let name = format!("tests::group_{}::{}", case.number % 10, case.name());
        let word = match case.end {
            End::Failed => "FAILED",
            End::Skipped => "ignored, needs data",
            End::Passed | End::Flaky => "ok",
        };
        writeln!(out, "test {name} ... {word}")?;
        if case.end == End::Failed {
            failed.push(name);
        }
        if case.number % SUITE == SUITE - 1 {
            out.write_all(b"\nfailures:\n\n")?;
            for name in &failed {
                let printed = output(1_000, "running 1 test <ok> & more output line\n");
                writeln!(out, "---- {name} stdout ----\n{printed}\nthread '{name}' panicked at src/lib.rs:9:5:\nno\n")?;
            }
            writeln!(out, "\nfailures:\n    {}\n", failed.join("\n    "))?;
            writeln!(
                out,
                "test result: FAILED. {} passed; {} failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s\n",
                SUITE - failed.len() as u64 - 1,
                failed.len()
            )?;
            failed.clear();
        }
    }
    Ok(())
}

fn tap(out: &mut Out) -> io::Result<()> {
    writeln!(out, "TAP version 14\n1..{CASES}")?;
    for case in cases() {
        let (number, name) = (case.number + 1, case.name());
        let printed = output(8, "# running 1 test <ok> & more output line\n");
        match case.end {
            End::Skipped => writeln!(out, "ok {number} - {name} # SKIP needs data")?,
            End::Failed => writeln!(
                out,
                "not ok {number} - {name}\n  ---\n  duration_ms: {}\n  message: 'expected 0, got NaN'\n  ...",
                case.millis
            )?,
            End::Passed | End::Flaky => {
                writeln!(out, "ok {number} - {name}\n  ---\n  duration_ms: {}\n  ...", case.millis)?;
            }
        }
        out.write_all(printed.as_bytes())?;
    }
    Ok(())
}
