//! Coverage reports: their readers, and the lines, branches and functions that several reports add up to.
//!
//! Merging is commutative and associative: hits add with saturation, a branch is taken if any report took it,
//! and what formats tell in different ways meets as sums.
//! A line with hits is covered, also when some of its branches were never taken; branches have totals of
//! their own.

mod branches;
pub mod clover;
pub mod cobertura;
pub mod coverage_py;
mod functions;
pub mod gocover;
pub mod istanbul;
pub mod istanbul_summary;
pub mod jacoco;
pub mod lcov;
pub mod line_set;
mod lines;
pub mod llvm;
mod llvm_lines;
pub(super) mod number;
pub mod opencover;
pub mod paths;
pub mod simplecov;

pub use line_set::LineSet;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use rayon::iter::{IntoParallelIterator as _, IntoParallelRefIterator as _, ParallelIterator as _};
use serde::{Deserialize, Serialize};

use super::sink::{Ratio, Repeat, Span, Totals};
use branches::{Arm, Branches, Counted};
use functions::{Functions, Named};
use lines::Lines;

/// What is kept of one file when its hits no longer matter: which lines ran, and its sums.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FileLines {
    /// Lines with hits.
    pub covered: LineSet,
    /// Executable lines without.
    pub missed: LineSet,
    /// The sums; of lines too, where a report lists none.
    #[serde(default)]
    pub totals: Totals,
}

/// Statements at one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Statement {
    span: Span,
    count: u32,
    hits: u64,
}

/// What is known of one source file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct File {
    lines: Lines,
    branches: Branches,
    functions: Functions,
    statements: Vec<Statement>,
    excluded: Vec<u32>,
    /// Sums from a report without lines; they hold only while nothing better is known.
    totals: Option<Totals>,
}

impl File {
    /// Executable lines with their hits, ascending.
    pub fn lines(&self) -> impl Iterator<Item = (u32, u64)> {
        self.lines.iter()
    }

    /// Branches by line, ascending: how often each was taken, `None` for one that was never evaluated. Where reports
    /// only count, which of them was taken is not known: others are shown as taken once.
    #[must_use]
    pub fn branches_by_line(&self) -> BTreeMap<u32, Vec<Option<u64>>> {
        self.branches.by_line()
    }

    /// On how many lines two reports differ in the number of branches.
    #[must_use]
    pub fn disputed_lines(&self) -> u64 {
        self.branches.disputed()
    }

    /// Functions with line and hits, ascending by line; line 0 is not known. Instantiations of one are one.
    pub fn functions(&self) -> impl Iterator<Item = (&str, u32, u64)> {
        self.functions.all().into_iter().map(|function| (function.name, function.line, function.hits))
    }

    /// Lines that the project took out of the count, ascending. They are in no sum.
    #[must_use]
    pub fn excluded(&self) -> &[u32] {
        &self.excluded
    }

    /// Whether only sums are known of it.
    #[must_use]
    pub fn is_totals_only(&self) -> bool {
        self.totals.is_some() && self.lines.total() == 0
    }

    /// Which of its lines ran, and its sums.
    #[must_use]
    pub fn file_lines(&self) -> FileLines {
        let (covered, missed) = LineSet::split(self.lines().map(|(line, hits)| (line, hits > 0)));
        FileLines { covered, missed, totals: self.summary() }
    }

    /// Its sums.
    #[must_use]
    pub fn summary(&self) -> Totals {
        if let Some(totals) = self.totals.filter(|_| self.is_totals_only()) {
            return totals;
        }
        let statements = self.statements.iter().map(|statement| {
            let count = u64::from(statement.count);
            Ratio { covered: if statement.hits > 0 { count } else { 0 }, total: count }
        });
        Totals {
            lines: Ratio { covered: self.lines.covered(), total: self.lines.total() },
            branches: self.branches.ratio(),
            functions: self.functions.ratio(),
            statements: statements.fold(Ratio::default(), |sum, one| sum + one),
        }
    }

    fn merge(&mut self, other: Self, repeat: Repeat) {
        self.lines.merge(&other.lines, repeat);
        self.branches.merge(other.branches);
        self.functions.merge(other.functions, repeat);
        self.statements.extend(other.statements);
        normalize_statements(&mut self.statements, repeat);
        self.excluded.extend(other.excluded);
        normalize_excluded(&mut self.excluded);
        // Of two sums nothing tells how they overlap: the greater is all that is sure, whichever comes first.
        self.totals = match (self.totals, other.totals) {
            (Some(a), Some(b)) => Some(greater(a, b)),
            (a, b) => a.or(b),
        };
    }
}

fn greater(a: Totals, b: Totals) -> Totals {
    Totals {
        lines: a.lines.max(b.lines),
        branches: a.branches.max(b.branches),
        functions: a.functions.max(b.functions),
        statements: a.statements.max(b.statements),
    }
}

fn normalize_statements(statements: &mut Vec<Statement>, repeat: Repeat) {
    statements.sort_by_key(|statement| statement.span);
    statements.dedup_by(|next, kept| {
        let same = next.span == kept.span;
        if same {
            kept.count = kept.count.max(next.count);
            kept.hits = repeat.join(kept.hits, next.hits);
        }
        same
    });
}

fn normalize_excluded(lines: &mut Vec<u32>) {
    lines.sort_unstable();
    lines.dedup();
}

/// Files by path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    files: BTreeMap<String, File>,
    unmatched: BTreeSet<String>,
    /// Whether paths were held against the project's files.
    matched: bool,
}

impl Coverage {
    /// Whether no file is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Files by path, ascending.
    pub fn files(&self) -> impl Iterator<Item = (&str, &File)> {
        self.files.iter().map(|(path, file)| (path.as_str(), file))
    }

    /// Files by path, without those that are known to be no file of the project, or could be several.
    pub fn project_files(&self) -> impl Iterator<Item = (&str, &File)> {
        self.files().filter(|(path, _)| !self.unmatched.contains(*path))
    }

    /// Adds what another report says.
    pub fn merge(&mut self, mut other: Self) {
        self.unmatched.extend(other.unmatched);
        self.matched |= other.matched;
        let shared = self.files.iter_mut().filter_map(|(path, file)| Some((file, other.files.remove(path)?)));
        let shared: Vec<_> = shared.collect();
        shared.into_par_iter().for_each(|(file, more)| file.merge(more, Repeat::Sum));
        self.files.append(&mut other.files);
    }

    /// Adds what a report says of one file; hits add.
    pub fn add(&mut self, path: String, file: File) {
        self.add_repeat(path, file, Repeat::Sum);
    }

    /// Adds what one report says of one file; where it was named before, `repeat` says how hits join.
    pub fn add_repeat(&mut self, path: String, file: File, repeat: Repeat) {
        match self.files.entry(path) {
            Entry::Vacant(entry) => {
                entry.insert(file);
            }
            Entry::Occupied(mut entry) => entry.get_mut().merge(file, repeat),
        }
    }

    /// The same files under the paths of the project's own files; files that meet under one path merge.
    #[must_use]
    pub fn matched(self, mut find: impl FnMut(&str) -> paths::Match) -> Self {
        let mut out = Self { matched: true, ..Self::default() };
        for (path, file) in self.files {
            match find(&path) {
                paths::Match::File(found) => out.add(found, file),
                paths::Match::Ambiguous(_) | paths::Match::None => {
                    out.unmatched.insert(path.clone());
                    out.add(path, file);
                }
            }
        }
        out
    }

    /// Paths that are no file of the project, or could be several; `None` if nobody looked.
    #[must_use]
    pub fn unmatched(&self) -> Option<&BTreeSet<String>> {
        self.matched.then_some(&self.unmatched)
    }

    /// What is kept of each file, by path.
    #[must_use]
    pub fn file_lines(&self) -> BTreeMap<String, FileLines> {
        self.files.par_iter().map(|(path, file)| (path.clone(), file.file_lines())).collect()
    }

    /// The sums over all files.
    #[must_use]
    pub fn summary(&self) -> Totals {
        self.files.par_iter().map(|(_, file)| file.summary()).reduce(Totals::default, |sum, file| sum + file)
    }
}

/// A file while its report is being read: entries in any order, repeats included.
#[derive(Default)]
pub struct Building {
    /// The format of the report.
    format: &'static str,
    lines: Vec<(u32, u64)>,
    arms: Vec<Arm>,
    counted: Vec<Counted>,
    functions: Named,
    statements: Vec<Statement>,
    excluded: Vec<u32>,
    totals: Option<Totals>,
}

impl Building {
    /// For a report of this format.
    #[must_use]
    pub fn new(format: &'static str) -> Self {
        Self { format, ..Self::default() }
    }

    /// An executable line.
    pub fn line(&mut self, line: u32, hits: u64) {
        self.lines.push((line, hits));
    }

    /// A branch told apart.
    pub fn branch(&mut self, line: u32, arm: u32, taken: Option<u64>) {
        let taken = taken.map_or(0, |taken| u32::try_from(taken).unwrap_or(u32::MAX).saturating_add(1));
        self.arms.push(Arm { line, arm, taken });
    }

    /// Branches only counted.
    pub fn branches(&mut self, line: u32, taken: u32, total: u32) {
        self.counted.push(Counted { line, taken: taken.min(total), total });
    }

    /// A function.
    pub fn function(&mut self, name: &str, line: u32, hits: u64) {
        let sum = self.functions.entry((line, name.into())).or_default();
        *sum = sum.saturating_add(hits);
    }

    /// Statements at one place.
    pub fn statement(&mut self, span: Span, count: u32, hits: u64) {
        self.statements.push(Statement { span, count, hits });
    }

    /// A line taken out of the count.
    pub fn excluded(&mut self, line: u32) {
        self.excluded.push(line);
    }

    /// Sums instead of lines.
    pub fn totals(&mut self, totals: Totals) {
        self.totals = Some(totals);
    }

    /// The file as read; repeated lines join as `repeat` says.
    #[must_use]
    pub fn finish(&mut self, repeat: Repeat) -> File {
        // A stable sort finds the runs that reports are made of: covered lines, then missing ones.
        self.lines.sort_by_key(|(line, _)| *line);
        self.lines.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            if same {
                kept.1 = repeat.join(kept.1, next.1);
            }
            same
        });
        normalize_statements(&mut self.statements, repeat);
        normalize_excluded(&mut self.excluded);
        let file = File {
            lines: Lines::encode(self.lines.iter().copied()),
            branches: Branches::take(self.format, &mut self.arms, &mut self.counted),
            functions: Functions::new(self.format, std::mem::take(&mut self.functions)),
            statements: self.statements.as_slice().to_vec(),
            excluded: self.excluded.as_slice().to_vec(),
            totals: self.totals.take(),
        };
        // The buffers are kept for the next file.
        self.lines.clear();
        self.statements.clear();
        self.excluded.clear();
        file
    }
}

/// What a report says, for tests beside the readers.
#[cfg(test)]
mod told {
    use super::*;
    use crate::evidence::Evidence;

    /// Lines, branches, functions and statements, as many of them as are given.
    pub(super) fn sums<const N: usize>(covered: [u64; N], total: [u64; N]) -> Totals {
        let at = |at: usize| Ratio {
            covered: covered.get(at).copied().unwrap_or(0),
            total: total.get(at).copied().unwrap_or(0),
        };
        Totals { lines: at(0), branches: at(1), functions: at(2), statements: at(3) }
    }

    /// Files by path with their lines.
    pub(super) fn files(told: &Evidence) -> Vec<(&str, Vec<(u32, u64)>)> {
        told.coverage.files().map(|(path, file)| (path, file.lines().collect())).collect()
    }
}

#[cfg(test)]
mod unit_tests {
    use proptest::prelude::*;

    use super::*;

    fn file() -> impl Strategy<Value = File> {
        let lines = prop::collection::vec((1_u32..30, prop_oneof![Just(0), 1_u64..5, Just(u64::MAX)]), 0..20);
        let arms = prop::collection::vec((1_u32..10, 0_u32..3, prop::option::of(0_u64..4)), 0..10);
        let counted = prop::collection::vec((1_u32..10, 0_u32..4, 0_u32..4), 0..6);
        let statements = prop::collection::vec((1_u32..5, 0_u32..3, 1_u32..3, 0_u64..3), 0..6);
        let extra = (statements, prop::collection::vec(1_u32..9, 0..3), prop::option::of((0_u64..9, 0_u64..9)));
        let functions = prop::collection::vec((0_u32..4, "[ab]<[ij]>", 0_u64..2), 0..6);
        let format = prop::sample::select(vec!["lcov", "llvm", "istanbul"]);
        let told = (lines, arms, counted, extra, functions, format);
        told.prop_map(|(lines, arms, counted, (statements, excluded, totals), functions, format)| {
            let mut building = Building::new(format);
            functions.into_iter().for_each(|(line, name, hits)| building.function(&name, line, hits));
            lines.into_iter().for_each(|(line, hits)| building.line(line, hits));
            arms.into_iter().for_each(|(line, arm, taken)| building.branch(line, arm, taken));
            counted.into_iter().for_each(|(line, taken, total)| building.branches(line, taken, total));
            for (line, column, count, hits) in statements {
                building.statement(Span { start: (line, column), end: (line, column) }, count, hits);
            }
            excluded.into_iter().for_each(|line| building.excluded(line));
            if let Some((covered, total)) = totals {
                building.totals(Totals { lines: Ratio { covered, total }, ..Totals::default() });
            }
            building.finish(Repeat::Sum)
        })
    }

    fn merged(mut a: File, b: &File) -> File {
        a.merge(b.clone(), Repeat::Sum);
        a
    }

    proptest! {
        #[test]
        fn merging_is_commutative_and_associative(a in file(), b in file(), c in file()) {
            prop_assert_eq!(merged(a.clone(), &b), merged(b.clone(), &a));
            prop_assert_eq!(merged(merged(a.clone(), &b), &c), merged(a, &merged(b, &c)));
        }

        #[test]
        fn what_is_listed_adds_up_to_the_sums_and_no_merge_lowers_them(a in file(), b in file()) {
            // Sums without lines give way to lines, and list nothing.
            let (a, b) = (File { totals: None, ..a }, File { totals: None, ..b });
            let both = merged(a.clone(), &b);
            let sum = both.summary();
            let arms: Vec<_> = both.branches_by_line().into_values().flatten().collect();
            let taken = arms.iter().filter(|taken| taken.is_some_and(|taken| taken > 0)).count();
            prop_assert_eq!(sum.branches, Ratio { covered: taken as u64, total: arms.len() as u64 });
            let entered = both.functions().filter(|(.., hits)| *hits > 0).count();
            prop_assert_eq!(sum.functions, Ratio { covered: entered as u64, total: both.functions().count() as u64 });
            for one in [a.summary(), b.summary()] {
                for (one, sum) in [(one.branches, sum.branches), (one.functions, sum.functions)] {
                    prop_assert!(one.covered <= sum.covered && one.total <= sum.total && sum.covered <= sum.total);
                }
            }
        }

        #[test]
        fn a_run_told_twice_in_two_formats_counts_once(arms in prop::collection::vec((1_u32..9, 0_u32..4, 0_u64..3), 0..12)) {
            let told = |format, shift: u32, counts: bool| {
                let mut building = Building::new(format);
                arms.iter().for_each(|(line, arm, taken)| building.branch(*line, arm + shift, Some(*taken)));
                let mut named = building.finish(Repeat::Sum);
                if counts {
                    for (line, arms) in std::mem::take(&mut named).branches_by_line() {
                        let taken = arms.iter().filter(|taken| taken.is_some_and(|taken| taken > 0)).count();
                        building.branches(line, u32::try_from(taken).unwrap(), u32::try_from(arms.len()).unwrap());
                    }
                    named = building.finish(Repeat::Max);
                }
                named
            };
            let once = told("lcov", 0, false);
            let all = merged(merged(once.clone(), &told("llvm", 1000, false)), &told("cobertura", 0, true));
            prop_assert_eq!(all.summary().branches, once.summary().branches);
            prop_assert_eq!(all.disputed_lines(), 0);
        }
    }

    #[test]
    fn reports_that_count_differently_are_told_of() {
        let told = |format, arms| {
            let mut building = Building::new(format);
            (0..arms).for_each(|arm| building.branch(4, arm, Some(u64::from(arm == 0))));
            building.finish(Repeat::Sum)
        };
        let both = merged(told("lcov", 2), &told("llvm", 4));
        assert_eq!((both.disputed_lines(), both.summary().branches), (1, Ratio { covered: 1, total: 4 }));
        assert_eq!(merged(told("lcov", 2), &told("lcov", 4)).disputed_lines(), 1);
        assert_eq!(merged(told("lcov", 2), &told("lcov", 2)).disputed_lines(), 0);
    }

    #[test]
    fn branches_told_apart_are_taken_if_any_report_took_them() {
        let mut one = Building::default();
        one.branch(1, 0, Some(1));
        one.branch(1, 1, None);
        let mut two = Building::default();
        two.branch(1, 0, Some(0));
        two.branch(1, 1, Some(2));
        two.branches(2, 1, 2);
        let both = merged(one.finish(Repeat::Sum), &two.finish(Repeat::Sum));
        assert_eq!(both.summary().branches, Ratio { covered: 3, total: 4 });
    }
}
