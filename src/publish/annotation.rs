//! Marks at lines of files: changed lines that no test runs, lines no longer run, failed tests, problems.
//!
//! A mark needs a path in the repository and a line. What has none is counted, and so is what the limit leaves out.
//! Deliberately absent: columns, which no report names well enough.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use crate::evidence::Level as ProblemLevel;
use crate::evidence::coverage::LineSet;
use crate::gate::patch::PatchFile;
use crate::record::{Record, TestRecord};
use crate::report::{failure, tests};
use crate::sys::text;

/// Marks of one check run: more than a reader looks at, two requests at most.
pub const LIMIT: usize = 100;
/// Marks that each topic may have before another has had its turn.
const SHARE: usize = 40;
/// Bytes of a message, and of what stands behind it; GitHub takes 64 KiB of each.
const MESSAGE: usize = 4_000;
/// Characters of a title; GitHub takes 255.
const TITLE: usize = 200;
/// Bytes of a path.
const PATH: usize = 1_000;

/// How much a mark matters, in GitHub's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Worth knowing.
    Notice,
    /// Somebody should look.
    Warning,
    /// It does not hold.
    Failure,
}

/// A mark, as the API takes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Annotation {
    /// The file, relative to the root of the repository.
    pub path: String,
    /// The first line, from 1.
    pub start_line: u32,
    /// The last line.
    pub end_line: u32,
    /// How much it matters.
    pub annotation_level: Level,
    /// What it says.
    pub message: String,
    /// What it is about, in a few words.
    pub title: String,
    /// What stands behind it, such as a trace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub raw_details: Option<String>,
}

/// What marks are about, the most useful first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    /// Changed lines that no test runs.
    Uncovered,
    /// Lines that ran in the baseline and no more.
    Lost,
    /// Failed tests.
    Test,
    /// Problems in files.
    Problem,
}

impl Topic {
    /// What so many of it are called.
    #[must_use]
    pub fn counted(self, count: u64) -> String {
        match self {
            Self::Uncovered => text::plural(count, "range of changed lines not run", "ranges of changed lines not run"),
            Self::Lost => text::plural(count, "range of lines no longer run", "ranges of lines no longer run"),
            Self::Test => text::plural(count, "failed test", "failed tests"),
            Self::Problem => text::plural(count, "problem", "problems"),
        }
    }
}

/// So many of each topic.
pub type Counts = BTreeMap<Topic, u64>;

/// The marks of a record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// At most [`LIMIT`]; those at changed lines first.
    pub annotations: Vec<Annotation>,
    /// How many those are.
    pub shown: Counts,
    /// Those for which there was no room.
    pub left: Counts,
    /// Those without a place in the repository.
    pub unplaced: Counts,
}

/// A mark before it is chosen. It sorts as it is shown.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    is_elsewhere: bool,
    topic: Topic,
    path: String,
    first: u32,
    last: u32,
    /// The index in the record, which also orders equals.
    at: usize,
}

/// The marks of a record, at most `limit`.
#[must_use]
pub fn marks(record: &Record, limit: usize) -> Marks {
    let mut marks = Marks::default();
    let mut candidates = candidates(record, &mut marks.unplaced);
    candidates.sort_unstable();
    let mut taken: Vec<bool> = vec![false; candidates.len()];
    let mut count = 0;
    for share in [SHARE, usize::MAX] {
        let mut of_topic = BTreeMap::<Topic, usize>::new();
        for (candidate, taken) in candidates.iter().zip(&mut taken) {
            let spent = of_topic.entry(candidate.topic).or_default();
            if !*taken && count < limit && *spent < share {
                *taken = true;
                *spent += 1;
                count += 1;
            }
        }
    }
    for (candidate, taken) in candidates.into_iter().zip(taken) {
        let counts = if taken { &mut marks.shown } else { &mut marks.left };
        *counts.entry(candidate.topic).or_default() += 1;
        if taken {
            marks.annotations.push(annotation(record, candidate));
        }
    }
    marks
}

fn candidates(record: &Record, unplaced: &mut Counts) -> Vec<Candidate> {
    let mut found = Vec::new();
    let files: &[PatchFile] = record.patch.as_ref().map_or(&[], |patch| &patch.files);
    let by_path: HashMap<&str, &PatchFile> = files.iter().map(|file| (file.path.as_str(), file)).collect();
    let mut add = |topic, raw: &str, lines: Option<(u32, u32)>, at| {
        let place = path(raw).zip(lines.filter(|(first, last)| *first > 0 && i32::try_from(*last).is_ok()));
        let Some((path, (first, last))) = place else {
            *unplaced.entry(topic).or_default() += 1;
            return;
        };
        let is_elsewhere = !by_path.get(path.as_str()).is_some_and(|file| is_changed(file, first, last));
        found.push(Candidate { is_elsewhere, topic, path, first, last, at });
    };
    for (at, file) in files.iter().enumerate() {
        for lines in file.uncovered.ranges() {
            add(Topic::Uncovered, &file.path, Some(lines), at);
        }
        let lost = LineSet::ascending(file.lost.iter().filter(|line| !file.uncovered.contains(*line)));
        for lines in lost.ranges() {
            add(Topic::Lost, &file.path, Some(lines), at);
        }
    }
    for (at, test) in record.tests.iter().enumerate().filter(|(_, test)| test.test.outcome.is_failure()) {
        let line = test.test.line.map(|line| (line, line));
        add(Topic::Test, &test.identity.file, line, at);
    }
    for (at, problem) in record.problems.iter().enumerate() {
        // A problem that names no file is none that a mark could be about.
        let (Some(file), Some(line)) = (&problem.file, problem.line) else { continue };
        let line = u32::try_from(line).ok().map(|line| (line, line));
        add(Topic::Problem, file, line, at);
    }
    found
}

fn is_changed(file: &PatchFile, first: u32, last: u32) -> bool {
    [&file.covered, &file.uncovered, &file.touched].iter().any(|lines| lines.within(first, last).next().is_some())
}

/// A path in the repository; `None` for what is none: absolute, outside, empty, or unfit to be shown.
fn path(raw: &str) -> Option<String> {
    let slashes = raw.replace('\\', "/");
    let plain = slashes.trim_start_matches("./");
    let is_sound = !plain.is_empty()
        && plain.len() <= PATH
        && !plain.chars().any(text::is_unprintable)
        && !plain.split('/').next().is_some_and(|first| first.contains(':'))
        && plain.split('/').all(|part| !matches!(part, "" | "." | ".."));
    is_sound.then(|| plain.to_owned())
}

fn annotation(record: &Record, of: Candidate) -> Annotation {
    let (title, message, raw_details, annotation_level) = match of.topic {
        Topic::Uncovered => {
            let told = format!("{} changed, and no test runs {}.", lines(of.first, of.last), it(of.first, of.last));
            ("Not run by any test".to_owned(), told, None, Level::Warning)
        }
        Topic::Lost => {
            let told =
                format!("{} in the baseline, and no test runs {} now.", ran(of.first, of.last), it(of.first, of.last));
            ("No longer run by any test".to_owned(), told, None, Level::Warning)
        }
        Topic::Test => of_test(record, &record.tests[of.at]),
        Topic::Problem => {
            let problem = &record.problems[of.at];
            let hint = problem.hint.as_deref().map(|hint| format!("\n{hint}")).unwrap_or_default();
            let level = match problem.level {
                ProblemLevel::Loss => Level::Failure,
                ProblemLevel::Warning => Level::Warning,
                ProblemLevel::Note => Level::Notice,
            };
            (problem.code.clone(), format!("{}{hint}", problem.message), None, level)
        }
    };
    Annotation {
        path: of.path,
        start_line: of.first,
        end_line: of.last,
        annotation_level,
        message: bounded(&message, "No message."),
        title: text::shorten(&text::one_line(&title), TITLE),
        raw_details: raw_details.map(|details: String| bounded(&details, "")).filter(|details| !details.is_empty()),
    }
}

fn of_test(record: &Record, test: &TestRecord) -> (String, String, Option<String>, Level) {
    let parts = failure::parts(test.test.message.as_deref().unwrap_or_default());
    let title = format!("Failed: {}", test.identity.display());
    let aside = tests::aside(record, test);
    let aside = aside.strip_prefix(", ").map(|aside| format!("({aside})\n")).unwrap_or_default();
    let message = match parts.message.trim() {
        "" => "The test failed; its report does not say why.",
        message => message,
    };
    let level = if tests::excused(record, &test.identity).is_some() { Level::Warning } else { Level::Failure };
    (title, format!("{aside}{message}"), Some(parts.trace), level)
}

fn lines(first: u32, last: u32) -> String {
    if first == last { format!("Line {first} is") } else { format!("Lines {first} to {last} are") }
}

fn ran(first: u32, last: u32) -> String {
    if first == last { format!("Line {first} ran") } else { format!("Lines {first} to {last} ran") }
}

fn it(first: u32, last: u32) -> &'static str {
    if first == last { "it" } else { "them" }
}

/// At most [`MESSAGE`] bytes and a word about the rest; `instead` of nothing, which GitHub refuses.
fn bounded(raw: &str, instead: &str) -> String {
    let plain = text::plain_lines(raw);
    let plain = plain.trim();
    if plain.is_empty() {
        return instead.to_owned();
    }
    if plain.len() <= MESSAGE {
        return plain.to_owned();
    }
    let kept = (0..=MESSAGE).rev().find(|at| plain.is_char_boundary(*at)).unwrap_or(0);
    format!("{}\n[… {} more]", &plain[..kept], text::bytes((plain.len() - kept) as u64))
}

#[cfg(test)]
mod unit_tests {
    use super::*;
    use crate::gate::patch::Patch;

    fn record(uncovered: u32, lost: u32, tests: u32) -> Record {
        let mut record: Record = serde_json::from_str(include_str!("../../tests/fixtures/records/small.json")).unwrap();
        let every_third = |count: u32| LineSet::ascending((0..count).map(|line| 3 * line + 1));
        let mut file = PatchFile {
            path: "src/a.rs".into(),
            uncovered: every_third(uncovered),
            lost: every_third(lost),
            ..PatchFile::default()
        };
        (0..lost).for_each(|line| assert!(file.lost.insert(3 * line + 2)));
        record.patch = Some(Patch { files: vec![file], ..Patch::default() });
        let failed = record.tests.iter().find(|test| test.test.outcome.is_failure()).unwrap().clone();
        record.quarantine.tests.clear();
        record.tests = (0..tests)
            .map(|test| {
                let mut failed = failed.clone();
                failed.identity.name = format!("t{test:06}").into();
                failed.test.line = Some(test + 1);
                failed
            })
            .collect();
        record
    }

    #[test]
    fn changed_lines_come_first_and_every_topic_has_its_turn() {
        let marks = marks(&record(500, 500, 500), LIMIT);
        assert_eq!(marks.annotations.len(), LIMIT);
        let told: Vec<_> = marks.shown.iter().map(|(topic, count)| topic.counted(*count)).collect();
        assert_eq!(told, ["40 ranges of changed lines not run", "40 ranges of lines no longer run", "20 failed tests"]);
        assert!(marks.annotations[..40].iter().all(|mark| mark.title == "Not run by any test"));
        assert_eq!(marks.left.values().sum::<u64>() + 100, 500 + 500 + 500 + 1);
        assert!(marks.unplaced.is_empty());
    }

    #[test]
    fn a_test_in_changed_lines_stands_with_them() {
        let mut record = record(1, 1, 2);
        record.tests[1].identity.file = "src/a.rs".into();
        record.tests[1].test.line = Some(1);
        let marks = marks(&record, LIMIT);
        let told: Vec<_> = marks
            .annotations
            .iter()
            .map(|mark| {
                format!(
                    "{}:{} {:?} {}: {}",
                    mark.path,
                    mark.start_line,
                    mark.annotation_level,
                    mark.title,
                    mark.message.lines().next().unwrap()
                )
            })
            .collect();
        insta::assert_snapshot!(told.join("\n"), @r"
        src/a.rs:1 Warning Not run by any test: Line 1 is changed, and no test runs it.
        src/a.rs:1 Failure Failed: tests.test_limits::t000001: AssertionError: assert <Frozen> == None
        src/a.rs:2 Warning No longer run by any test: Line 2 ran in the baseline, and no test runs it now.
        tests/test_limits.py:1 Failure Failed: tests.test_limits::t000000: AssertionError: assert <Frozen> == None
        reports/junit.xml:12 Notice evidence.merged: 2 cases of `test_retry` were counted as one
        ");
    }

    #[test]
    fn only_places_in_the_repository_are_marked() {
        assert_eq!(path("./src\\a.rs").as_deref(), Some("src/a.rs"));
        let long = "x/".repeat(600) + "y";
        for bad in ["", ".", "/etc/passwd", "../a", "a/../b", "C:\\a", "a//b", "a\nb", "a\u{202e}b", "https://a", &long]
        {
            assert_eq!(path(bad), None, "{bad}");
        }
        let mut record = record(0, 0, 3);
        record.tests[0].identity.file = "/home/me/a.py".into();
        record.tests[1].test.line = None;
        record.tests[2].test.line = Some(u32::MAX);
        let marks = marks(&record, LIMIT);
        assert_eq!(marks.unplaced.into_iter().collect::<Vec<_>>(), [(Topic::Test, 3)]);
    }
}
