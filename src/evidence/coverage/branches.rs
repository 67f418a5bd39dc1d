//! Branches of one source file, as several reports tell them.
//!
//! A number that tells a line's branches apart means something within its format only: lcov, LLVM and coverage.py
//! number the same two branches in three ways. Branches of one format therefore merge one by one, and formats meet
//! only as sums: on each line the greatest number counts, of branches and of taken ones. So a run that is told
//! twice, in two formats, adds up to what it adds up to once.

use std::collections::BTreeMap;

use super::super::sink::Ratio;

/// One branch that a report tells apart from its siblings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Arm {
    pub(super) line: u32,
    pub(super) arm: u32,
    /// 0 = never evaluated, else times taken plus one, saturating.
    pub(super) taken: u32,
}

impl Arm {
    /// How often it was taken; `None` was never evaluated.
    fn taken(self) -> Option<u64> {
        self.taken.checked_sub(1).map(u64::from)
    }
}

/// Branches of one line that a report only counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Counted {
    pub(super) line: u32,
    pub(super) taken: u32,
    pub(super) total: u32,
}

/// All branches of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Branches {
    /// Those told apart, under the name of their format; ascending.
    named: Vec<(&'static str, Vec<Arm>)>,
    counted: Vec<Counted>,
}

impl Branches {
    /// From what a report of this format says, in any order, repeats included. The buffers are kept for the next file.
    pub(super) fn take(format: &'static str, arms: &mut Vec<Arm>, counted: &mut Vec<Counted>) -> Self {
        normalize_arms(arms);
        normalize_counted(counted);
        let named = if arms.is_empty() { Vec::new() } else { vec![(format, arms.as_slice().to_vec())] };
        let out = Self { named, counted: counted.as_slice().to_vec() };
        arms.clear();
        counted.clear();
        out
    }

    pub(super) fn merge(&mut self, other: Self) {
        for (format, arms) in other.named {
            match self.named.binary_search_by_key(&format, |(name, _)| *name) {
                Ok(at) => {
                    self.named[at].1.extend(arms);
                    normalize_arms(&mut self.named[at].1);
                }
                Err(at) => self.named.insert(at, (format, arms)),
            }
        }
        self.counted.extend(other.counted);
        normalize_counted(&mut self.counted);
    }

    /// The sums.
    pub(super) fn ratio(&self) -> Ratio {
        self.lines(|line| line.greatest()).into_values().fold(Ratio::default(), |sum, line| sum + line)
    }

    /// On how many lines two formats, or one that tells branches apart and one that counts, differ in their number.
    pub(super) fn disputed(&self) -> u64 {
        if self.named.len() + usize::from(!self.counted.is_empty()) < 2 {
            return 0;
        }
        self.lines(|line| line.is_disputed()).into_values().map(u64::from).sum()
    }

    /// By line, ascending: how often each was taken. Where reports only count, which of them was taken is not known:
    /// then others are shown as taken once until there are as many as are known to be.
    pub(super) fn by_line(&self) -> BTreeMap<u32, Vec<Option<u64>>> {
        self.lines(|line| {
            let want = line.greatest();
            let widest = line.named.iter().max_by_key(|arms| arms.len());
            let mut arms: Vec<_> = widest.into_iter().flat_map(|arms| arms.iter().map(|arm| arm.taken())).collect();
            arms.resize(usize::try_from(want.total).unwrap_or(arms.len()), Some(0));
            let is_taken = |taken: &Option<u64>| taken.is_some_and(|taken| taken > 0);
            let has = arms.iter().filter(|taken| is_taken(taken)).count() as u64;
            let idle = arms.iter_mut().rev().filter(|taken| !is_taken(taken));
            idle.zip(has..want.covered).for_each(|(taken, _)| *taken = Some(1));
            arms
        })
    }

    fn lines<T>(&self, of: impl Fn(&Line<'_>) -> T) -> BTreeMap<u32, T> {
        let mut lines: BTreeMap<u32, Line<'_>> = BTreeMap::new();
        for arms in self.named.iter().flat_map(|(_, arms)| arms.chunk_by(|a, b| a.line == b.line)) {
            lines.entry(arms[0].line).or_default().named.push(arms);
        }
        for count in &self.counted {
            lines.entry(count.line).or_default().counted =
                Some(Ratio { covered: u64::from(count.taken), total: u64::from(count.total) });
        }
        lines.into_iter().map(|(number, line)| (number, of(&line))).collect()
    }
}

/// What is known of the branches of one line.
#[derive(Default)]
struct Line<'b> {
    /// One slice a format.
    named: Vec<&'b [Arm]>,
    counted: Option<Ratio>,
}

impl Line<'_> {
    fn ratios(&self) -> impl Iterator<Item = Ratio> {
        let of = |arms: &&[Arm]| Ratio {
            covered: arms.iter().filter(|arm| arm.taken > 1).count() as u64,
            total: arms.len() as u64,
        };
        self.named.iter().map(of).chain(self.counted)
    }

    fn greatest(&self) -> Ratio {
        self.ratios().fold(Ratio::default(), Ratio::max)
    }

    fn is_disputed(&self) -> bool {
        self.ratios().any(|one| one.total != self.greatest().total)
    }
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
