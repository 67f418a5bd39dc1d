//! llvm-cov's segments, and the count of a line by LLVM's `LineCoverageStats`.

use super::super::json::{Cells, Scalar};

/// A place where the count changes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment {
    pub(super) line: u32,
    pub(super) column: u32,
    pub(super) count: u64,
    /// Whether there is code from here on.
    pub(super) has_count: bool,
    is_entry: bool,
    is_gap: bool,
}

impl Segment {
    /// `[line, column, count, has count, is region entry, is gap]`; the last since version 2.0.1.
    pub(super) fn of((cells, count): &Cells<6>) -> Option<(Self, bool)> {
        let flag = |at: usize| match cells[at] {
            Scalar::Bool(flag) => Some(flag),
            _ => None,
        };
        let (hits, is_plain) = cells[2].hits()?;
        let segment = Self {
            line: cells[0].small().filter(|line| *line > 0)?,
            column: cells[1].small()?,
            count: hits,
            has_count: flag(3)?,
            is_entry: flag(4)?,
            is_gap: if *count > 5 { flag(5)? } else { false },
        };
        Some((segment, is_plain))
    }

    fn starts_region(&self) -> bool {
        !self.is_gap && self.has_count && self.is_entry
    }
}

/// The hits of a line on which segments stand; `None` if it holds no code.
pub(super) fn count_of(here: &[Segment], wrapped: Option<&Segment>) -> Option<u64> {
    let starts_skipped = here.first().is_some_and(|first| !first.has_count && first.is_entry);
    let is_reached = wrapped.is_some_and(|segment| segment.has_count) || here.iter().any(Segment::starts_region);
    let is_mapped = !starts_skipped && is_reached || here.iter().any(|segment| segment.is_entry && segment.has_count);
    let begun = here.iter().filter(|segment| segment.starts_region()).map(|segment| segment.count);
    is_mapped.then(|| begun.chain(wrapped.map(|segment| segment.count)).max().unwrap_or(0))
}
