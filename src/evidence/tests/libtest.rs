//! The text that Rust's own test harness prints, as `cargo test` passes it on.
//!
//! The binary a test belongs to stands only on cargo's `Running …` lines, which go to standard error; so the
//! two streams must be read as one, in order (`from: output`). Run with `--no-fail-fast`, or cargo stops at
//! the first binary that fails and the tests after it are missing.

use std::collections::HashMap;
use std::io::BufRead;

use super::super::problem::{INCOMPLETE, TRUNCATED};
use super::super::sink::{Case, Outcome, Sink};
use super::super::source::each_line;
use super::super::{Bound, Format, Kind, Limits, Problem, ReadError};
use crate::sys::text;

/// The table row.
pub const FORMAT: Format = Format {
    name: "libtest",
    kind: Kind::Tests,
    doc: "The text output of `cargo test` (Rust's libtest), both streams in order.",
    sniff,
    read,
    sample: SAMPLE,
};

const SAMPLE: &str = "    Finished `test` profile [unoptimized + debuginfo] target(s) in 0.10s
     Running unittests src/lib.rs (target/debug/deps/price-0e1f2a3b4c5d6e7f)

running 3 tests
test mean::works ... ok
test median::works ... FAILED
test slow ... ignored, needs data

failures:

---- median::works stdout ----

thread 'median::works' panicked at src/median.rs:9:5:
assertion `left == right` failed
  left: 2
 right: 3


failures:
    median::works

test result: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s

   Doc-tests price

running 1 test
test src/lib.rs - mean (line 3) ... ok

test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.20s
";

fn sniff(head: &[u8]) -> bool {
    let mut lines = head.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    lines.any(|line| {
        let line = std::str::from_utf8(line).unwrap_or_default();
        announced(line).is_some() || suite_of(line).is_some()
    })
}

/// `running 3 tests` → 3.
fn announced(line: &str) -> Option<u64> {
    let count = line.strip_prefix("running ")?;
    count.strip_suffix(" tests").or(count.strip_suffix(" test"))?.parse().ok()
}

/// One `running N tests` … `test result:` block.
#[derive(Default)]
struct Block {
    line: u64,
    announced: u64,
    cases: Vec<(String, Outcome, Option<f64>)>,
    messages: HashMap<String, String>,
    /// The test whose name was printed without a result yet (`--test-threads=1`, `--nocapture`).
    waiting: Option<(String, u64)>,
    /// The test whose captured output is being printed.
    capturing: Option<String>,
}

struct Reader<'s> {
    sink: &'s mut dyn Sink,
    limits: Limits,
    suite: Vec<String>,
    suites_seen: HashMap<String, u32>,
    block: Option<Block>,
    /// The last line that begins like an announcement and is none.
    half_announced: u64,
    entries: usize,
}

fn read(input: &mut dyn BufRead, sink: &mut dyn Sink, limits: &Limits) -> Result<(), ReadError> {
    let mut reader = Reader {
        sink,
        limits: *limits,
        suite: Vec::new(),
        suites_seen: HashMap::new(),
        block: None,
        half_announced: 0,
        entries: 0,
    };
    let mut last = 0;
    let done = each_line(input, limits, |line, number| {
        last = number;
        let text = String::from_utf8_lossy(line);
        if text.contains('\u{1b}') {
            reader.line(&text::plain_lines(&text), number);
        } else {
            reader.line(&text, number);
        }
    });
    reader.end_block(None);
    if matches!(done, Ok(false)) && reader.half_announced == last {
        let told = "the report ends where a program announces its tests; what came after is unknown";
        reader.sink.problem(Problem::new(&TRUNCATED, told).at_line(last));
    }
    done.map(|_| ())
}

impl Reader<'_> {
    fn line(&mut self, line: &str, number: u64) {
        if let Some(name) = suite_of(line) {
            self.end_block(None);
            let seen = self.suites_seen.entry(name.clone()).or_default();
            *seen += 1;
            // Two packages may both have `tests/cli.rs`: cargo's order tells them apart.
            self.suite = vec![if *seen == 1 { name } else { format!("{name} #{seen}") }];
            return;
        }
        if let Some(announced) = announced(line) {
            self.end_block(None);
            self.block = Some(Block { line: number, announced, ..Block::default() });
            return;
        }
        if self.block.is_none() && line.starts_with("running ") {
            self.half_announced = number;
        }
        if line.starts_with("test result: ") {
            self.end_block(Some(line));
            return;
        }
        let max = self.limits.message_bytes;
        let Some(block) = &mut self.block else { return };
        if let Some(name) = line.strip_prefix("---- ").and_then(|rest| rest.strip_suffix(" ----")) {
            let name = name.strip_suffix(" stdout").or(name.strip_suffix(" stderr")).unwrap_or(name);
            block.capturing = Some(name.to_owned());
            return;
        }
        if block.capturing.is_some() && line == "failures:" {
            block.capturing = None;
            return;
        }
        if let Some(name) = &block.capturing {
            let message = block.messages.entry(name.clone()).or_default();
            if message.len() + line.len() < max {
                message.push_str(line);
                message.push('\n');
            }
            return;
        }
        let entries = self.entries + block.cases.len();
        if let Some(rest) = line.strip_prefix("test ")
            && let Some((name, result)) =
                rest.rsplit_once(" ... ").or_else(|| rest.strip_suffix(" ...").map(|name| (name, "")))
        {
            block.waiting = None;
            let name = name.strip_suffix(" - should panic").unwrap_or(name).to_owned();
            match outcome_of(result) {
                Some((outcome, seconds)) if entries < self.limits.entries => block.cases.push((name, outcome, seconds)),
                Some(_) => {}
                None => block.waiting = Some((name, number)),
            }
        } else if let Some((name, _)) = &block.waiting
            && let Some((outcome, seconds)) = trailing_outcome(line)
        {
            block.cases.push((name.clone(), outcome, seconds));
            block.waiting = None;
        }
    }

    /// Tells the block's cases and holds them against what it announced and summed up.
    fn end_block(&mut self, summary: Option<&str>) {
        let Some(mut block) = self.block.take() else { return };
        self.entries += block.cases.len();
        let suite = self.suite.first().map_or("(unknown binary)", String::as_str).to_owned();
        let listed = block.cases.len() as u64;
        for (name, outcome, seconds) in block.cases {
            let message = block.messages.remove(&name);
            let message = message.as_deref().map(str::trim).filter(|message| !message.is_empty());
            self.sink.case(&Case {
                suites: &self.suite,
                class: "",
                name: &name,
                file: None,
                line: None,
                outcome,
                seconds,
                message: message.filter(|_| outcome.is_failure()),
                reruns: 0,
                flaky: false,
            });
        }
        self.sink.wall(summary.and_then(wall));
        let shown = text::one_line(&suite);
        if let Some((name, line)) = &block.waiting {
            let told = format!(
                "the test `{}` of {shown} started and has no result; it is not counted",
                text::shorten(&text::one_line(name), 120)
            );
            self.sink.problem(Problem::new(&TRUNCATED, told).at_line(*line));
        }
        if self.entries >= self.limits.entries {
            self.sink.problem(
                Bound::Entries.problem(format!("more than {} tests", self.limits.entries)).at_line(block.line),
            );
        }
        match summary {
            None => {
                let told = format!(
                    "{shown} announced {} and ended without a summary after {listed}",
                    text::plural(block.announced, "test", "tests")
                );
                self.sink.problem(Problem::new(&INCOMPLETE, told).at_line(block.line));
            }
            Some(summary) => {
                let stated: u64 = [" passed", " failed", " ignored", " measured"]
                    .iter()
                    .filter_map(|word| count_before(summary, word))
                    .fold(0, u64::saturating_add);
                if stated != listed {
                    let told =
                        format!("{shown} sums up {} and {listed} could be read", text::plural(stated, "test", "tests"));
                    self.sink.problem(Problem::new(&INCOMPLETE, told).at_line(block.line));
                }
            }
        }
    }
}

/// The seconds at the end of a summary: `…; finished in 0.01s`.
fn wall(summary: &str) -> Option<f64> {
    summary.rsplit_once("; finished in ")?.1.trim().strip_suffix('s')?.parse().ok()
}

/// The suite that a line of cargo's begins: `price (src/lib.rs)`, `doc-tests price`.
fn suite_of(line: &str) -> Option<String> {
    if let Some(name) = line.trim_start().strip_prefix("Doc-tests ") {
        return line.starts_with("   ").then(|| format!("doc-tests {name}"));
    }
    let rest = line.strip_prefix("     Running ")?;
    let rest = rest.strip_prefix("unittests ").unwrap_or(rest);
    let (source, binary) = match rest.strip_suffix(')').and_then(|rest| rest.rsplit_once(" (")) {
        Some((source, path)) => (source, path),
        // `cargo test --quiet`-less output of old versions and `cargo bench` name the binary only.
        None => ("", rest),
    };
    let stem = binary.rsplit(['/', '\\']).next().unwrap_or(binary);
    let stem = stem.strip_suffix(".exe").unwrap_or(stem);
    let name = match stem.rsplit_once('-') {
        Some((name, hash)) if hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) => name,
        _ => stem,
    };
    Some(if source.is_empty() { name.to_owned() } else { format!("{name} ({})", source.replace('\\', "/")) })
}

/// `ok`, `FAILED`, `ignored, why`, `bench: …`, each perhaps with a time: ` <0.012s>`.
fn outcome_of(result: &str) -> Option<(Outcome, Option<f64>)> {
    let (word, seconds) = match result.strip_suffix("s>").and_then(|rest| rest.rsplit_once(" <")) {
        Some((word, seconds)) => (word, seconds.parse().ok()),
        None => (result, None),
    };
    let outcome = match word {
        "ok" => Outcome::Passed,
        "FAILED" => Outcome::Failed,
        "ignored" => Outcome::Skipped,
        _ if word.starts_with("ignored,") => Outcome::Skipped,
        _ if word.starts_with("FAILED ") || word.starts_with("failed") => Outcome::Failed,
        _ if word.starts_with("ok (") || word.starts_with("bench:") => Outcome::Passed,
        _ => return None,
    };
    Some((outcome, seconds))
}

/// The result at the end of a line that begins with a test's own output.
fn trailing_outcome(line: &str) -> Option<(Outcome, Option<f64>)> {
    outcome_of(line)
        .or_else(|| ["ok", "FAILED"].iter().find(|word| line.ends_with(**word)).and_then(|word| outcome_of(word)))
}

/// The number before ` passed` in `test result: ok. 3 passed; 0 failed; …`.
fn count_before(summary: &str, word: &str) -> Option<u64> {
    let at = summary.find(word)?;
    summary[..at].rsplit(|ch: char| !ch.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod unit_tests {
    use super::super::super::collect::read_text;
    use super::*;

    #[test]
    fn binaries_are_suites_and_messages_reach_their_test() {
        let told = read_text(&FORMAT, SAMPLE);
        let names: Vec<_> = told.tests.iter().map(|(id, test)| (&*id.suite, &*id.name, test.outcome)).collect();
        assert_eq!(
            names,
            [
                ("price (src/lib.rs)", "mean::works", Outcome::Passed),
                ("price (src/lib.rs)", "median::works", Outcome::Failed),
                ("price (src/lib.rs)", "slow", Outcome::Skipped),
                ("doc-tests price", "src/lib.rs - mean (line 3)", Outcome::Passed),
            ]
        );
        let message = told.tests.iter().nth(1).unwrap().1.message.clone().unwrap().into_string();
        assert!(message.starts_with("thread 'median::works' panicked") && message.ends_with("right: 3"), "{message}");
        assert!(told.problems.is_empty());
    }

    #[test]
    fn words_of_other_reports_are_not_taken_for_it() {
        assert!(!sniff(b"TAP version 14\n1..1\nok 1 - mean\n# running 1 test\n# running all tests\n"));
        assert!(sniff(b"   Compiling price v0.1.0\r\nrunning 1 test\r\n"));
        assert!(sniff(b"     Running tests/a.rs (target/debug/deps/a-0e1f2a3b4c5d6e7f)\n"));
    }

    #[test]
    fn a_crashed_binary_is_incomplete() {
        let told = read_text(
            &FORMAT,
            "     Running tests/a.rs (target/debug/deps/a-0e1f2a3b4c5d6e7f)\n\nrunning 3 tests\ntest one ... ok\ntest two ... \n     Running tests/b.rs (target/debug/deps/b-0e1f2a3b4c5d6e7f)\n\nrunning 0 tests\n\ntest result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n",
        );
        assert_eq!(told.tests.summary().total, 1);
        let told: Vec<_> = told.problems.iter().map(|problem| problem.message.as_str()).collect();
        assert_eq!(
            told,
            [
                "the test `two` of a (tests/a.rs) started and has no result; it is not counted",
                "a (tests/a.rs) announced 3 tests and ended without a summary after 1"
            ]
        );
    }

    #[test]
    fn results_on_a_later_line_colours_and_equal_names_are_understood() {
        let block = "     Running tests/cli.rs (target/debug/deps/cli-0e1f2a3b4c5d6e7f)\n\nrunning 2 tests\ntest a ... hello\nworld\nok\ntest b ... \u{1b}[32mok\u{1b}[m <0.120s>\n\ntest result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n";
        let told = read_text(&FORMAT, &block.repeat(2));
        assert_eq!(told.problems, []);
        let suites: Vec<_> = told.tests.iter().map(|(id, _)| format!("{} {}", id.suite, id.name)).collect();
        assert_eq!(
            suites,
            ["cli (tests/cli.rs) a", "cli (tests/cli.rs) b", "cli (tests/cli.rs) #2 a", "cli (tests/cli.rs) #2 b"]
        );
    }
}
