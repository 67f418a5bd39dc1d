//! The sink that adds up one report, and holds the bounds that no reader may forget: names, entries, lines, times.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::coverage::number::LINES_PER_ENTRY;
use super::coverage::{Building, File, paths};
use super::findings::{Evidence, Metric, Origin, Report};
use super::problem::{EMPTY, LIMIT, REPAIRED, SYNTAX};
use super::sink::{Case, Ratio, Repeat, Sink, Span, Totals};
use super::tests::Tests;
use super::tests::bounds::Excerpt;
use super::{Bound, Format, Kind, Level, Limits, Problem};
use crate::sys::text;

/// Source roots kept of one report: each is tried for every file.
const SOURCE_ROOTS: usize = 1_000;
/// A longer time of one test is no measurement, and would swallow the others in a sum.
const MOST_SECONDS: f64 = 1e12;
/// Bytes that a reader's own mark of what it left out may take.
const MARK: usize = 32;
/// Problems of one code kept for one report; the rest are counted.
const KEPT_PROBLEMS: u64 = 20;

/// A message within its bound: its start and its end.
fn excerpt(message: &str, most: usize) -> Cow<'_, str> {
    if message.len() <= most.saturating_add(MARK) {
        return Cow::Borrowed(message);
    }
    let mut kept = Excerpt::default();
    kept.add(message, most);
    Cow::Owned(kept.text())
}

/// The metric that a file is named after: the path under the last folder `metrics`, or else the file's name.
fn metric_of(path: &str) -> String {
    let parts: Vec<&str> = path.split(['/', '\\']).filter(|part| !part.is_empty()).collect();
    let file = parts.len().saturating_sub(1);
    let from = parts[..file].iter().rposition(|part| *part == "metrics").map_or(file, |folder| folder + 1);
    parts[from..].join(".")
}

/// Adds up one report.
pub(super) struct Collector<'a> {
    kind: Kind,
    origin: &'a Origin<'a>,
    limits: &'a Limits,
    evidence: Evidence,
    file: Option<(String, Repeat)>,
    building: Building,
    entries: u64,
    has_wall: bool,
    /// Lines, branches, functions and statements that may still come.
    parts_left: usize,
    /// Bytes of names that may still come.
    names_left: usize,
    /// The bounds that were passed and told of.
    passed: Vec<Bound>,
    counts: BTreeMap<String, u64>,
}

impl<'a> Collector<'a> {
    pub(super) fn new(format: &Format, origin: &'a Origin<'a>, limits: &'a Limits) -> Self {
        Self {
            kind: format.kind,
            origin,
            limits,
            evidence: Evidence::default(),
            file: None,
            building: Building::new(format.name),
            entries: 0,
            has_wall: false,
            parts_left: limits.entries.saturating_mul(LINES_PER_ENTRY),
            names_left: limits.all_names_bytes,
            passed: Vec::new(),
            counts: BTreeMap::new(),
        }
    }

    /// Whether one more entry with a name of this size is within the bounds.
    fn takes_entry(&mut self, name: usize) -> bool {
        if self.entries >= self.limits.entries as u64 {
            return self.refuse(Bound::Entries, "the number of entries", self.limits.show(Bound::Entries));
        }
        self.takes_name(name)
    }

    fn takes_name(&mut self, bytes: usize) -> bool {
        match self.names_left.checked_sub(bytes) {
            Some(left) => self.names_left = left,
            None => {
                return self.refuse(Bound::AllNames, "the size of all names", self.limits.show(Bound::AllNames));
            }
        }
        true
    }

    /// The open file, for something on a line of it.
    #[inline]
    fn on_line(&mut self, line: u32, parts: usize) -> Option<&mut Building> {
        if line > 0 {
            return self.parts(parts);
        }
        self.on_no_line();
        None
    }

    #[cold]
    fn on_no_line(&mut self) {
        if self.file.is_some() {
            self.problem(Problem::new(&SYNTAX, "something stands on line 0, which no file has; it is not counted"));
        }
    }

    /// The open file, unless it has too many parts.
    #[inline]
    fn parts(&mut self, count: usize) -> Option<&mut Building> {
        self.file.as_ref()?;
        if self.parts_left < count {
            self.too_many_parts();
            return None;
        }
        self.parts_left -= count;
        Some(&mut self.building)
    }

    #[cold]
    fn too_many_parts(&mut self) {
        let most = self.limits.entries.saturating_mul(LINES_PER_ENTRY);
        self.refuse(Bound::Entries, "the number of lines, branches and functions", most.to_string());
    }

    /// Tells once that a bound was passed.
    fn refuse(&mut self, bound: Bound, what: &str, limit: String) -> bool {
        if !self.passed.contains(&bound) {
            self.passed.push(bound);
            let told = format!("{what} is larger than the limit of {limit}; what came after is not counted");
            self.problem(bound.problem(told));
        }
        false
    }

    /// A name within its bound.
    fn name<'n>(&mut self, name: &'n str) -> Cow<'n, str> {
        let short = self.limits.name(name);
        if let Cow::Owned(_) = short {
            let (size, limit) = (text::bytes(name.len() as u64), self.limits.show(Bound::Name));
            let told = format!("a name of {size} was cut to the limit of {limit}");
            self.problem(Problem { level: Level::Note, ..Bound::Name.problem(told) });
        }
        short
    }

    fn end_file(&mut self) {
        if let Some((path, repeat)) = self.file.take() {
            let file = self.building.finish(repeat);
            self.evidence.coverage.add_repeat(path, file, repeat);
        }
    }

    pub(super) fn finish(mut self, format: &Format) -> Evidence {
        self.end_file();
        if self.kind == Kind::Coverage {
            // A report may name a file several times.
            self.entries = self.evidence.coverage.files().count() as u64;
        }
        if self.evidence.tests.is_empty() {
            // What measured nothing took no time either.
            self.evidence.tests = Tests::default();
        } else if !self.has_wall {
            self.evidence.tests.add_wall(None);
        }
        let nothing = match self.kind {
            Kind::Tests => self.evidence.tests.is_empty().then_some("no test case"),
            Kind::Coverage => {
                let is_bare = |file: &File| file.summary().lines.total == 0;
                self.evidence.coverage.files().all(|(_, file)| is_bare(file)).then_some("no coverable line")
            }
            Kind::Metrics => self.evidence.metrics.is_empty().then_some("no number"),
        };
        if let Some(what) = nothing {
            self.problem(Problem::new(&EMPTY, format!("there is {what} in the report")));
        }
        for (code, count) in std::mem::take(&mut self.counts) {
            if count > KEPT_PROBLEMS
                && let Some(last) = self.evidence.problems.iter_mut().rev().find(|problem| problem.code == code)
            {
                let more = format!(" (and {} more like this)", count - KEPT_PROBLEMS);
                last.message.push_str(&more);
            }
        }
        self.evidence.reports.push(Report {
            check: self.origin.check.to_owned(),
            path: self.origin.path.to_owned(),
            kind: self.kind,
            format: format.name.to_owned(),
            entries: self.entries,
        });
        self.evidence
    }
}

impl Sink for Collector<'_> {
    fn case(&mut self, case: &Case<'_>) {
        let joined = case.suites.iter().map(|suite| suite.len() + " > ".len()).sum::<usize>();
        if case.name.is_empty() {
            self.problem(Problem::new(&REPAIRED, "a test without a name is counted as `(unnamed)`"));
        }
        let name = if case.name.is_empty() { "(unnamed)" } else { case.name };
        let parts = [case.class, name, case.file.unwrap_or_default()];
        let message = case.message.map(|message| excerpt(message, self.limits.message_bytes));
        let seconds = case.seconds.filter(|seconds| (0.0..MOST_SECONDS).contains(seconds));
        let case = &Case { name, message: message.as_deref(), seconds, ..*case };
        if !self.takes_entry(parts.iter().map(|part| part.len().min(self.limits.name_bytes)).sum()) {
            return;
        }
        self.entries += 1;
        let most = self.limits.name_bytes;
        if joined <= most && parts.iter().all(|part| part.len() <= most) {
            self.evidence.tests.add_case(self.origin.check, case, self.origin.repeats);
            return;
        }
        let suites = if joined <= most { case.suites.to_vec() } else { vec![case.suites.join(" > ")] };
        let suites: Vec<String> = suites.iter().map(|suite| self.name(suite).into_owned()).collect();
        if !self.takes_name(suites.iter().map(String::len).sum()) {
            return;
        }
        let [class, name, file] = parts.map(|part| self.name(part));
        let file = case.file.map(|_| &*file);
        let case = Case { suites: &suites, class: &class, name: &name, file, ..*case };
        self.evidence.tests.add_case(self.origin.check, &case, self.origin.repeats);
    }

    fn wall(&mut self, seconds: Option<f64>) {
        self.has_wall = true;
        self.evidence.tests.add_wall(seconds);
    }

    fn source_root(&mut self, path: &str) {
        let known = self.evidence.source_roots.len();
        if self.evidence.source_roots.iter().any(|root| root == path) {
            return;
        }
        if known == SOURCE_ROOTS {
            let told = format!("the report names more than {SOURCE_ROOTS} source roots; this one is not tried");
            self.problem(Problem::new(&LIMIT, told));
        } else if self.takes_name(path.len()) {
            self.evidence.source_roots.push(path.to_owned());
        }
    }

    fn file(&mut self, path: &str, repeat: Repeat) {
        self.end_file();
        let limits = self.limits;
        let path = paths::bounded(path, self, limits);
        if self.takes_entry(path.len()) {
            self.file = Some((path.replace('\\', "/"), repeat));
        }
    }

    fn line(&mut self, number: u32, hits: u64) {
        if let Some(file) = self.on_line(number, 1) {
            file.line(number, hits);
        }
    }

    fn branch(&mut self, line: u32, arm: u32, taken: Option<u64>) {
        if let Some(file) = self.on_line(line, 1) {
            file.branch(line, arm, taken);
        }
    }

    fn branches(&mut self, line: u32, taken: u32, total: u32) {
        // A few bytes may claim a billion branches, and `convert` would write each of them.
        if let Some(file) = self.on_line(line, total.max(1) as usize) {
            file.branches(line, taken, total);
        }
    }

    fn function(&mut self, name: &str, line: u32, hits: u64) {
        if self.file.is_none() || !self.takes_name(name.len().min(self.limits.name_bytes)) {
            return;
        }
        let name = self.name(name);
        if let Some(file) = self.parts(1) {
            file.function(&name, line, hits);
        }
    }

    fn statement(&mut self, span: Span, count: u32, hits: u64) {
        if let Some(file) = self.parts(1) {
            file.statement(span, count, hits);
        }
    }

    fn excluded(&mut self, line: u32) {
        if let Some(file) = self.on_line(line, 1) {
            file.excluded(line);
        }
    }

    fn totals(&mut self, totals: &Totals) {
        if self.file.is_none() {
            return;
        }
        let mut totals = *totals;
        for (what, ratio) in [
            ("lines", &mut totals.lines),
            ("branches", &mut totals.branches),
            ("functions", &mut totals.functions),
            ("statements", &mut totals.statements),
        ] {
            if ratio.covered > ratio.total {
                let told =
                    format!("{} covered {what} of {} cannot be; both numbers are dropped", ratio.covered, ratio.total);
                self.problem(Problem::new(&SYNTAX, told));
                *ratio = Ratio::default();
            }
        }
        self.building.totals(totals);
    }

    fn metric(&mut self, name: &str, value: f64) {
        let name = if name.is_empty() { Cow::Owned(metric_of(self.origin.path)) } else { Cow::Borrowed(name) };
        if !self.takes_entry(name.len().min(self.limits.name_bytes)) {
            return;
        }
        self.entries += 1;
        let name = self.name(&name).into_owned();
        self.evidence.metrics.push(Metric { name, value, source: self.origin.path.to_owned() });
    }

    fn problem(&mut self, problem: Problem) {
        let count = self.counts.entry(problem.code.clone()).or_default();
        *count += 1;
        if *count <= KEPT_PROBLEMS {
            self.evidence.problems.push(problem.in_file(self.origin.path));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::metric_of;

    #[test]
    fn a_file_names_its_metric() {
        for (path, name) in [
            ("mlruns/0/4f2e/metrics/f1", "f1"),
            ("mlruns/metrics/4f2e/metrics/val/loss.total", "val.loss.total"),
            ("out\\metrics\\f1", "f1"),
            ("f1", "f1"),
            ("metrics", "metrics"),
            ("a/f1", "f1"),
            ("", ""),
        ] {
            assert_eq!(metric_of(path), name, "{path}");
        }
    }
}
