//! Coverage reports: their readers, and the lines, branches and functions that several reports add up to.
//!
//! Merging is commutative and associative: hits add with saturation, a branch is taken if any report took it.
//! A line with hits is covered, also when some of its branches were never taken; branches have totals of
//! their own. Line hits are kept as variable-length bytes, about four a line, because reports reach millions.

pub mod clover;
pub mod cobertura;
pub mod coverage_py;
pub mod gocover;
pub mod istanbul;
pub mod istanbul_summary;
pub mod jacoco;
pub mod lcov;
pub mod llvm;
mod llvm_lines;
pub(super) mod number;
pub mod opencover;
pub mod paths;
pub mod simplecov;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use super::sink::{Ratio, Repeat, Span, Totals};

/// Executable lines of one file with their hits, ascending by line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lines {
    /// For each line: its distance from the one before, then its hits; both LEB128.
    bytes: Vec<u8>,
    total: u64,
    covered: u64,
}

impl Lines {
    /// From lines in ascending order without repeats.
    fn encode(lines: impl Iterator<Item = (u32, u64)>) -> Self {
        let mut out = Self::default();
        let mut before = 0;
        for (line, hits) in lines {
            put(&mut out.bytes, u64::from(line - before));
            put(&mut out.bytes, hits);
            before = line;
            out.total += 1;
            out.covered += u64::from(hits > 0);
        }
        out.bytes.shrink_to_fit();
        out
    }

    /// Lines and hits, ascending.
    pub fn iter(&self) -> impl Iterator<Item = (u32, u64)> {
        let mut rest = self.bytes.as_slice();
        let mut line = 0_u32;
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            line += u32::try_from(take(&mut rest)).unwrap_or(0);
            Some((line, take(&mut rest)))
        })
    }

    fn merge(&self, other: &Self, repeat: Repeat) -> Self {
        let (mut left, mut right) = (self.iter().peekable(), other.iter().peekable());
        Self::encode(std::iter::from_fn(move || match (left.peek(), right.peek()) {
            (Some(&(a, hits)), Some(&(b, more))) if a == b => {
                left.next();
                right.next();
                Some((a, repeat.join(hits, more)))
            }
            (Some((a, _)), Some((b, _))) if a < b => left.next(),
            (Some(_), None) => left.next(),
            _ => right.next(),
        }))
    }
}

fn put(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    bytes.push(value.to_le_bytes()[0]);
}

fn take(bytes: &mut &[u8]) -> u64 {
    let mut value = 0_u64;
    let mut shift = 0;
    while let Some((&byte, rest)) = bytes.split_first() {
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            break;
        }
        shift += 7;
    }
    value
}

/// One branch that a report tells apart from its siblings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Arm {
    line: u32,
    arm: u32,
    /// 0 = never evaluated, else times taken plus one, saturating.
    taken: u32,
}

/// Branches of one line that a report only counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Counted {
    line: u32,
    taken: u32,
    total: u32,
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
    arms: Vec<Arm>,
    counted: Vec<Counted>,
    functions: BTreeMap<(u32, Box<str>), u64>,
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

    /// Branches by line, ascending: how often each was taken, `None` for one that was never evaluated. Where a report
    /// only counts, which of them was taken is not known: the first ones are shown as taken once.
    #[must_use]
    pub fn branches_by_line(&self) -> BTreeMap<u32, Vec<Option<u64>>> {
        let mut lines: BTreeMap<u32, Vec<Option<u64>>> = BTreeMap::new();
        for arm in &self.arms {
            let taken = (arm.taken > 0).then(|| u64::from(arm.taken - 1));
            lines.entry(arm.line).or_default().push(taken);
        }
        for count in &self.counted {
            let named = lines.entry(count.line).or_default();
            let taken = |arms: &[Option<u64>]| arms.iter().filter(|taken| taken.is_some_and(|taken| taken > 0)).count();
            // As many taken and as many in all as the sums have.
            let (want, total) = ((count.taken as usize).max(taken(named)), (count.total as usize).max(named.len()));
            named.resize(total, Some(0));
            let mut missing = want.saturating_sub(taken(named));
            for arm in named.iter_mut().rev().filter(|arm| arm.is_none_or(|taken| taken == 0)) {
                if missing == 0 {
                    break;
                }
                *arm = Some(1);
                missing -= 1;
            }
        }
        lines
    }

    /// Functions with line and hits, ascending by line; line 0 is not known.
    pub fn functions(&self) -> impl Iterator<Item = (&str, u32, u64)> {
        self.functions.iter().map(|((line, name), hits)| (&**name, *line, *hits))
    }

    /// Lines that the project took out of the count, ascending. They are in no sum.
    #[must_use]
    pub fn excluded(&self) -> &[u32] {
        &self.excluded
    }

    /// Whether only sums are known of it.
    #[must_use]
    pub fn is_totals_only(&self) -> bool {
        self.totals.is_some() && self.lines.total == 0
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
            lines: Ratio { covered: self.lines.covered, total: self.lines.total },
            branches: self.branches(),
            functions: Ratio {
                covered: self.functions.values().filter(|hits| **hits > 0).count() as u64,
                total: self.functions.len() as u64,
            },
            statements: statements.fold(Ratio::default(), |sum, one| sum + one),
        }
    }

    /// A line's branches: those told apart and those counted may both be known; the greater holds.
    fn branches(&self) -> Ratio {
        let mut lines: BTreeMap<u32, (Ratio, Ratio)> = BTreeMap::new();
        for arm in &self.arms {
            let (named, _) = lines.entry(arm.line).or_default();
            named.total += 1;
            named.covered += u64::from(arm.taken > 1);
        }
        for count in &self.counted {
            let (_, counted) = lines.entry(count.line).or_default();
            *counted = Ratio { covered: u64::from(count.taken), total: u64::from(count.total) };
        }
        lines.values().fold(Ratio::default(), |sum, (named, counted)| Ratio {
            covered: sum.covered + named.covered.max(counted.covered),
            total: sum.total + named.total.max(counted.total),
        })
    }

    fn merge(&mut self, other: Self, repeat: Repeat) {
        self.lines = self.lines.merge(&other.lines, repeat);
        self.arms.extend(other.arms);
        normalize_arms(&mut self.arms);
        self.counted.extend(other.counted);
        normalize_counted(&mut self.counted);
        for (key, hits) in other.functions {
            let sum = self.functions.entry(key).or_default();
            *sum = repeat.join(*sum, hits);
        }
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
    let of = |a: Ratio, b: Ratio| Ratio { covered: a.covered.max(b.covered), total: a.total.max(b.total) };
    Totals {
        lines: of(a.lines, b.lines),
        branches: of(a.branches, b.branches),
        functions: of(a.functions, b.functions),
        statements: of(a.statements, b.statements),
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

/// Ascending, one entry a branch: evaluated beats never evaluated, counts add.
fn normalize_arms(arms: &mut Vec<Arm>) {
    arms.sort_by_key(|arm| (arm.line, arm.arm));
    arms.dedup_by(|next, kept| {
        let same = (next.line, next.arm) == (kept.line, kept.arm);
        if same {
            kept.taken = match (kept.taken, next.taken) {
                (0, other) | (other, 0) => other,
                (a, b) => a.saturating_add(b - 1),
            };
        }
        same
    });
}

/// Ascending, one entry a line: which branches were taken is unknown, so the greatest count is all that is sure.
fn normalize_counted(counted: &mut Vec<Counted>) {
    counted.sort_by_key(|count| count.line);
    counted.dedup_by(|next, kept| {
        let same = next.line == kept.line;
        if same {
            kept.taken = kept.taken.max(next.taken);
            kept.total = kept.total.max(next.total);
        }
        same
    });
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

    /// Adds what another report says.
    pub fn merge(&mut self, other: Self) {
        self.unmatched.extend(other.unmatched);
        self.matched |= other.matched;
        for (path, file) in other.files {
            self.add(path, file);
        }
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

    /// The sums over all files.
    #[must_use]
    pub fn summary(&self) -> Totals {
        self.files.values().map(File::summary).fold(Totals::default(), |sum, file| sum + file)
    }
}

/// A file while its report is being read: entries in any order, repeats included.
#[derive(Default)]
pub struct Building {
    lines: Vec<(u32, u64)>,
    arms: Vec<Arm>,
    counted: Vec<Counted>,
    functions: BTreeMap<(u32, Box<str>), u64>,
    statements: Vec<Statement>,
    excluded: Vec<u32>,
    totals: Option<Totals>,
}

impl Building {
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
        if !self.lines.is_sorted_by_key(|(line, _)| *line) {
            self.lines.sort_unstable_by_key(|(line, _)| *line);
        }
        self.lines.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            if same {
                kept.1 = repeat.join(kept.1, next.1);
            }
            same
        });
        normalize_arms(&mut self.arms);
        normalize_counted(&mut self.counted);
        normalize_statements(&mut self.statements, repeat);
        normalize_excluded(&mut self.excluded);
        let file = File {
            lines: Lines::encode(self.lines.iter().copied()),
            arms: self.arms.as_slice().to_vec(),
            counted: self.counted.as_slice().to_vec(),
            functions: std::mem::take(&mut self.functions),
            statements: self.statements.as_slice().to_vec(),
            excluded: self.excluded.as_slice().to_vec(),
            totals: self.totals.take(),
        };
        // The buffers are kept for the next file.
        self.lines.clear();
        self.arms.clear();
        self.counted.clear();
        self.statements.clear();
        self.excluded.clear();
        file
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
        (lines, arms, counted, extra).prop_map(|(lines, arms, counted, (statements, excluded, totals))| {
            let mut building = Building::default();
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
        fn lines_survive_their_encoding(mut lines in prop::collection::btree_map(1_u32.., any::<u64>(), 0..50)) {
            lines.insert(u32::MAX, u64::MAX);
            let encoded = Lines::encode(lines.clone().into_iter());
            prop_assert_eq!(encoded.iter().collect::<BTreeMap<_, _>>(), lines.clone());
            prop_assert_eq!(encoded.covered, lines.values().filter(|hits| **hits > 0).count() as u64);
        }
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
