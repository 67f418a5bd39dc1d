//! Patch coverage: what became of the lines that a change touches, and of those it does not.
//!
//! Three kinds of line that did not run are kept apart, because they ask for different things: new ones (or ones
//! that ran before and were changed), ones that were merely touched and did not run before either, and ones that ran
//! before and no longer do, inside the change or anywhere else.
//!
//! The n-th new line of a hunk stands in the place of its n-th old one. Deliberately absent: a guess which of the old
//! lines a new one "really" was.

use std::collections::{BTreeMap, BTreeSet};

use globset::GlobSet;
use serde::{Deserialize, Serialize};

use crate::evidence::coverage::{FileLines, LineSet};
use crate::evidence::metric;
use crate::evidence::sink::Ratio;
use crate::repo::Diff;
use crate::repo::diff::{Before, FileDiff};

/// Changed lines held against coverage.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Patch {
    /// What was compared, in words: `the merge base with main, 1a2b3c4d5e`.
    pub between: String,
    /// Whether a baseline said which lines ran before. Without one, nothing is known to be touched or lost.
    #[serde(default)]
    pub has_base: bool,
    /// Changed files in which lines can be told apart, and files that lost lines; ascending by path.
    pub files: Vec<PatchFile>,
    /// Changed files that look like measured ones and that no report mentions; ascending.
    #[serde(default)]
    pub unmeasured: Vec<String>,
}

/// One file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PatchFile {
    /// Its path now.
    pub path: String,
    /// Its path before, where it was renamed.
    pub old_path: Option<String>,
    /// Changed lines that ran.
    pub covered: LineSet,
    /// Changed lines that did not run and are new, or stand in the place of lines that ran.
    pub uncovered: LineSet,
    /// Changed lines that did not run, as the line in whose place they stand did not before.
    pub touched: LineSet,
    /// Lines that ran in the baseline and did not now, changed or not. Those that are changed are in `uncovered` too.
    pub lost: LineSet,
    /// Lines that ran in the baseline and that no report mentions now, by the number they would have.
    #[serde(default)]
    pub vanished: u64,
    /// Its changed lines with some around them, for reports that show source. Bounded.
    #[serde(default)]
    pub source: Vec<SourceLine>,
    /// How many such lines were left out.
    #[serde(default)]
    pub source_left_out: u64,
}

/// A line of source text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceLine {
    /// Its number, from 1.
    pub number: u32,
    /// Whether the change touches it.
    pub changed: bool,
    /// Its text, bounded.
    pub text: String,
}

/// Sums over files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// Changed lines that ran, out of those and the new ones that did not.
    pub lines: Ratio,
    /// Changed lines that did not run before either.
    pub touched: u64,
    /// Lines that ran before.
    pub lost: u64,
}

impl PatchFile {
    /// Its sums.
    #[must_use]
    pub fn sums(&self) -> Sums {
        let (covered, uncovered) = (self.covered.len(), self.uncovered.len());
        Sums {
            lines: Ratio { covered, total: covered + uncovered },
            touched: self.touched.len(),
            lost: self.lost.len() + self.vanished,
        }
    }
}

impl Sums {
    /// What they say by metric name: nothing of lines that only a baseline could tell without one, no percentage of
    /// nothing.
    #[must_use]
    pub fn value(self, name: &str, has_base: bool) -> Option<f64> {
        match name {
            metric::TOUCHED => has_base.then(|| count(self.touched)),
            metric::LOST => has_base.then(|| count(self.lost)),
            "coverage.patch.covered" => Some(count(self.lines.covered)),
            "coverage.patch.total" => Some(count(self.lines.total)),
            metric::PATCH_PERCENT => self.lines.percent(),
            _ => None,
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
fn count(value: u64) -> f64 {
    value as f64
}

impl std::ops::Add for Sums {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { lines: self.lines + other.lines, touched: self.touched + other.touched, lost: self.lost + other.lost }
    }
}

impl Patch {
    /// Its numbers by metric name; those that only a baseline can tell are absent without one.
    #[must_use]
    pub fn measures(&self) -> Vec<(&'static str, f64)> {
        let names =
            ["coverage.patch.covered", "coverage.patch.total", metric::PATCH_PERCENT, metric::TOUCHED, metric::LOST];
        let sums = self.sums(|_| true);
        names.into_iter().filter_map(|name| Some((name, sums.value(name, self.has_base)?))).collect()
    }

    /// The sums over the files that `wanted` names.
    pub fn sums(&self, wanted: impl Fn(&str) -> bool) -> Sums {
        let files = self.files.iter().filter(|file| wanted(&file.path));
        files.map(PatchFile::sums).fold(Sums::default(), |sum, one| sum + one)
    }
}

/// What a run is held against.
#[derive(Clone, Copy)]
pub struct Against<'a> {
    /// Where the change starts, in words.
    pub between: &'a str,
    /// The change.
    pub diff: &'a Diff,
    /// What ran in the baseline, and the change since its commit.
    pub base: Option<(&'a BTreeMap<String, FileLines>, &'a Diff)>,
    /// Files that do not count.
    pub ignored: &'a GlobSet,
    /// Files that no person wrote.
    pub generated: &'a BTreeSet<String>,
}

/// Holds what ran against what changed.
#[must_use]
pub fn patch(head: &BTreeMap<String, FileLines>, against: &Against<'_>) -> Patch {
    let counts = |path: &str| !against.ignored.is_match(path) && !against.generated.contains(path);
    let mut files: BTreeMap<String, PatchFile> = BTreeMap::new();
    let mut unmeasured = Vec::new();
    let measured = Measured::of(head);
    let base = against.base.map(|(lines, diff)| Base { lines, by_new: diff.by_new(), by_old: diff.by_old() });
    for changed in &against.diff.files {
        let Some(path) = changed.new.as_deref().filter(|path| counts(path)) else { continue };
        let added: u64 = changed.hunks.iter().map(|hunk| u64::from(hunk.new_len)).sum();
        if added == 0 || changed.binary {
            continue;
        }
        let Some(now) = head.get(path) else {
            let was_measured = base.as_ref().is_some_and(|base| base.file(path).is_some());
            if was_measured || measured.should_hold(path) {
                unmeasured.push(path.to_owned());
            }
            continue;
        };
        let file = entry(&mut files, path, changed);
        for hunk in changed.hunks.iter().filter(|hunk| hunk.new_len > 0) {
            let last = hunk.new_start.saturating_add(hunk.new_len - 1);
            now.covered.within(hunk.new_start, last).for_each(|line| {
                file.covered.insert(line);
            });
            for line in now.missed.within(hunk.new_start, last) {
                let was_missed = base.as_ref().is_some_and(|base| base.missed(path, line));
                if was_missed {
                    file.touched.insert(line)
                } else {
                    file.uncovered.insert(line)
                };
            }
        }
    }
    if let Some(base) = &base {
        lost(head, base, &counts, &mut files);
    }
    unmeasured.sort_unstable();
    Patch {
        between: against.between.to_owned(),
        has_base: against.base.is_some(),
        files: files.into_values().collect(),
        unmeasured,
    }
}

fn entry<'a>(files: &'a mut BTreeMap<String, PatchFile>, path: &str, changed: &FileDiff) -> &'a mut PatchFile {
    files.entry(path.to_owned()).or_insert_with(|| PatchFile {
        path: path.to_owned(),
        old_path: changed.old.clone().filter(|old| old != path),
        ..PatchFile::default()
    })
}

/// The baseline's lines and the way to them.
struct Base<'a> {
    lines: &'a BTreeMap<String, FileLines>,
    by_new: BTreeMap<&'a str, &'a FileDiff>,
    by_old: BTreeMap<&'a str, &'a FileDiff>,
}

impl Base<'_> {
    /// What the baseline says of the file that is this one now.
    fn file(&self, path: &str) -> Option<&FileLines> {
        let old_path = self.by_new.get(path).map_or(Some(path), |changed| changed.old.as_deref());
        old_path.and_then(|old| self.lines.get(old))
    }

    /// Whether the line that stood in the place of this one did not run.
    fn missed(&self, path: &str, line: u32) -> bool {
        let before = self.by_new.get(path).map_or(Before::Same(line), |changed| changed.before(line));
        let (Before::Same(before) | Before::Instead(before)) = before else { return false };
        self.file(path).is_some_and(|file| file.missed.contains(before))
    }
}

/// Lines that ran in the baseline and do not run now: all over the project, because a test that is gone or broken
/// takes its lines wherever they are.
fn lost(
    head: &BTreeMap<String, FileLines>,
    base: &Base<'_>,
    counts: &impl Fn(&str) -> bool,
    files: &mut BTreeMap<String, PatchFile>,
) {
    for (old_path, before) in base.lines {
        let changed = base.by_old.get(old_path.as_str()).copied();
        // A file that was removed took its lines with it: that is no loss.
        let Some(path) = changed.map_or(Some(old_path.as_str()), |changed| changed.new.as_deref()) else { continue };
        if !counts(path) || before.covered.is_empty() {
            continue;
        }
        let unchanged = FileDiff::default();
        let changed = changed.unwrap_or(&unchanged);
        let Some(now) = head.get(path) else {
            let still_there = before.covered.iter().filter(|line| changed.after(*line).is_some()).count() as u64;
            if still_there > 0 {
                let file = entry(files, path, &FileDiff { old: Some(old_path.clone()), ..FileDiff::default() });
                file.vanished = still_there;
            }
            continue;
        };
        let lost = if changed.hunks.is_empty() {
            before.covered.and(&now.missed)
        } else {
            let now_at = before.covered.iter().filter_map(|line| changed.after(line));
            now_at.filter(|line| now.missed.contains(*line)).collect()
        };
        if !lost.is_empty() {
            entry(files, path, &FileDiff { old: Some(old_path.clone()), ..FileDiff::default() }).lost = lost;
        }
    }
}

/// Which files one would expect to find in the coverage reports: those of a measured language. Tests, and what stands
/// beside the program, are not, unless a report mentions their like.
struct Measured<'a> {
    languages: BTreeSet<&'a str>,
    /// Top folder (empty for the root) and language of the files that look like tests or stand beside the program.
    others: BTreeSet<(&'a str, &'a str)>,
}

impl<'a> Measured<'a> {
    fn of(head: &'a BTreeMap<String, FileLines>) -> Self {
        let (others, own): (Vec<&str>, Vec<&str>) =
            head.keys().map(String::as_str).partition(|path| is_test(path) || is_beside(path));
        Self {
            languages: own.into_iter().filter_map(language).collect(),
            others: others.into_iter().filter_map(|path| Some((top(path), language(path)?))).collect(),
        }
    }

    fn should_hold(&self, path: &str) -> bool {
        let Some(language) = language(path) else { return false };
        if is_test(path) || is_beside(path) {
            self.others.contains(&(top(path), language))
        } else {
            self.languages.contains(language)
        }
    }
}

/// The language, by the ending; without one, and where a file only declares, there is nothing to measure.
fn language(path: &str) -> Option<&str> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let (_, ending) = name.rsplit_once('.').filter(|(stem, _)| !stem.is_empty() && !stem.ends_with(".d"))?;
    Some(match ending {
        "cjs" | "mjs" | "jsx" => "js",
        "cts" | "mts" | "tsx" => "ts",
        "cc" | "cxx" => "cpp",
        ending => ending,
    })
}

fn top(path: &str) -> &str {
    path.split_once('/').map_or("", |(top, _)| top)
}

/// Whether a path is that of a program's documentation, examples, measurements or build settings by the habits of the
/// common languages.
fn is_beside(path: &str) -> bool {
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
    let folder = |folder: &str| {
        matches!(folder, "doc" | "docs" | "example" | "examples" | "bench" | "benches" | "benchmark" | "benchmarks")
    };
    let settings = [
        "setup.py",
        "noxfile.py",
        "fabfile.py",
        "tasks.py",
        "build.rs",
        "gulpfile.js",
        "Gruntfile.js",
        "karma.conf.js",
    ];
    folders.split('/').any(folder) || settings.contains(&name) || name.contains(".config.")
}

/// Whether a path is that of a test by the habits of the common languages.
fn is_test(path: &str) -> bool {
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
    let stem = name.split('.').next().unwrap_or(name);
    let folder = |folder: &str| matches!(folder, "test" | "tests" | "testing" | "__tests__" | "spec" | "specs" | "e2e");
    folders.split('/').any(folder)
        || stem.starts_with("test_")
        || stem == "conftest"
        || ["_test", "_tests", "_spec", "Test", "Tests", "Spec"].iter().any(|end| stem.ends_with(end))
        || [".test.", ".tests.", ".spec.", ".cy."].iter().any(|mark| name.contains(mark))
}

#[cfg(test)]
#[path = "patch_tests.rs"]
mod tests;
