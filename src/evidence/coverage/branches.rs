//! Branches of one source file, as several reports tell them.
//!
//! A number that tells a line's branches apart means something to its writer only: lcov, gcovr, LLVM and coverage.py
//! number the same two branches in four ways. So reports of one format that number the branches of a line alike merge
//! branch by branch, and all others meet as sums: the greatest number counts, of branches and of taken ones. A run
//! that is told twice, in two formats or by two writers, adds up to what it adds up to once.

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

    /// Evaluated beats never evaluated; counts add.
    fn add(&mut self, other: Self) {
        self.taken = match (self.taken, other.taken) {
            (0, other) | (other, 0) => other,
            (a, b) => a.saturating_add(b - 1),
        };
    }
}

/// Branches of one line that a report only counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Counted {
    pub(super) line: u32,
    pub(super) taken: u32,
    pub(super) total: u32,
}

impl Counted {
    fn ratio(self) -> Ratio {
        Ratio { covered: u64::from(self.taken), total: u64::from(self.total) }
    }
}

/// How many there are, and how many of them were taken.
fn ratio(arms: &[Arm]) -> Ratio {
    Ratio { covered: arms.iter().filter(|arm| arm.taken > 1).count() as u64, total: arms.len() as u64 }
}

/// All branches of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Branches {
    /// Those told apart, under the name of their format. A line whose branches were numbered in one way stands in the
    /// first layer, one where they were numbered in several ways in as many layers.
    named: BTreeMap<&'static str, Vec<Vec<Arm>>>,
    counted: Vec<Counted>,
}

impl Branches {
    /// From what a report of this format says, in any order, repeats included. The buffers are kept for the next file.
    pub(super) fn take(format: &'static str, arms: &mut Vec<Arm>, counted: &mut Vec<Counted>) -> Self {
        normalize_arms(arms);
        normalize_counted(counted);
        let layers = (!arms.is_empty()).then(|| (format, vec![arms.as_slice().to_vec()]));
        let out = Self { named: layers.into_iter().collect(), counted: counted.as_slice().to_vec() };
        arms.clear();
        counted.clear();
        out
    }

    pub(super) fn merge(&mut self, other: Self) {
        for (format, layers) in other.named {
            join_layers(self.named.entry(format).or_default(), layers);
        }
        self.counted.extend(other.counted);
        normalize_counted(&mut self.counted);
    }

    /// The sums.
    pub(super) fn ratio(&self) -> Ratio {
        let layers: Vec<_> = self.named.values().flatten().map(Vec::as_slice).collect();
        let sum = |lines: &mut dyn Iterator<Item = Ratio>| lines.fold(Ratio::default(), |sum, line| sum + line);
        match (layers.as_slice(), self.counted.as_slice()) {
            // Most files: there is one report of them, and its lines meet no others.
            ([arms], []) => ratio(arms),
            ([], counted) => sum(&mut counted.iter().map(|count| count.ratio())),
            _ => sum(&mut self.lines(|line| line.greatest()).into_values()),
        }
    }

    /// On how many lines two reports differ in the number of branches.
    pub(super) fn disputed(&self) -> u64 {
        if self.named.values().map(Vec::len).sum::<usize>() + usize::from(!self.counted.is_empty()) < 2 {
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
        for arms in self.named.values().flatten().flat_map(|arms| each_line(arms)) {
            lines.entry(arms[0].line).or_default().named.push(arms);
        }
        for count in &self.counted {
            lines.entry(count.line).or_default().counted = Some(count.ratio());
        }
        lines.into_iter().map(|(number, line)| (number, of(&line))).collect()
    }
}

/// What is known of the branches of one line.
#[derive(Default)]
struct Line<'b> {
    /// One slice for each way of numbering them.
    named: Vec<&'b [Arm]>,
    counted: Option<Ratio>,
}

impl Line<'_> {
    fn ratios(&self) -> impl Iterator<Item = Ratio> {
        self.named.iter().map(|arms| ratio(arms)).chain(self.counted)
    }

    fn greatest(&self) -> Ratio {
        self.ratios().fold(Ratio::default(), Ratio::max)
    }

    fn is_disputed(&self) -> bool {
        self.ratios().any(|one| one.total != self.greatest().total)
    }
}

/// The branches of one line after another.
fn each_line(arms: &[Arm]) -> impl Iterator<Item = &[Arm]> {
    arms.chunk_by(|a, b| a.line == b.line)
}

fn is_alike(a: &[Arm], b: &[Arm]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a.line, a.arm) == (b.line, b.arm))
}

/// Adds branches to those that are numbered alike.
fn add(kept: &mut [Arm], more: &[Arm]) {
    kept.iter_mut().zip(more).for_each(|(kept, more)| kept.add(*more));
}

fn join_layers(kept: &mut Vec<Vec<Arm>>, more: Vec<Vec<Arm>>) {
    match (kept.as_mut_slice(), more.as_slice()) {
        ([], _) => *kept = more,
        // Nearly always: a shard, another test of the same build.
        ([one], [other]) if is_alike(one, other) => add(one, other),
        _ => {
            let mut lines: BTreeMap<u32, Vec<Vec<Arm>>> = BTreeMap::new();
            for arms in kept.iter().chain(&more).flat_map(|layer| each_line(layer)) {
                let told = lines.entry(arms[0].line).or_default();
                match told.iter_mut().find(|known| is_alike(known, arms)) {
                    Some(known) => add(known, arms),
                    None => told.push(arms.to_vec()),
                }
            }
            kept.clear();
            for mut told in lines.into_values() {
                // Whichever report came first.
                told.sort_by(|a, b| a.iter().map(|arm| arm.arm).cmp(b.iter().map(|arm| arm.arm)));
                kept.resize(kept.len().max(told.len()), Vec::new());
                kept.iter_mut().zip(told).for_each(|(layer, arms)| layer.extend(arms));
            }
        }
    }
}

/// Ascending, one entry a branch.
fn normalize_arms(arms: &mut Vec<Arm>) {
    arms.sort_by_key(|arm| (arm.line, arm.arm));
    arms.dedup_by(|next, kept| {
        let same = (next.line, next.arm) == (kept.line, kept.arm);
        if same {
            kept.add(*next);
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
