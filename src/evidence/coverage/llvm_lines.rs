//! LLVM's segments → hits of lines.
//!
//! From each segment on, code has a count, or there is none. The hits of a line follow LLVM's `LineCoverageStats`
//! (`llvm/lib/ProfileData/Coverage/CoverageMapping.cpp`): the greatest of the count that reaches the line and of the
//! regions that start on it, gaps aside.

use super::super::ReadError;
use super::super::json::{Cells, Scalar};

/// A place where the count changes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment {
    line: u32,
    column: u32,
    count: u64,
    /// Whether there is code from here on.
    has_count: bool,
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

/// Calls `each(first, last, hits)` for runs of lines that hold code, ascending.
pub(super) fn each_run(
    segments: &[Segment],
    mut each: impl FnMut(u32, u32, u64) -> Result<(), ReadError>,
) -> Result<(), ReadError> {
    let mut sorted;
    let mut rest = segments;
    if !rest.is_sorted_by_key(|segment| (segment.line, segment.column)) {
        sorted = segments.to_vec();
        sorted.sort_by_key(|segment| (segment.line, segment.column));
        rest = &sorted;
    }
    // The last segment before the line: what it began goes on.
    let mut wrapped: Option<&Segment> = None;
    while let Some(first) = rest.first() {
        let line = first.line;
        if let Some(before) = wrapped.filter(|before| before.has_count && before.line + 1 < line) {
            each(before.line + 1, line - 1, before.count)?;
        }
        let here = rest.iter().take_while(|segment| segment.line == line).count();
        let (here, after) = rest.split_at(here);
        if let Some(count) = count_of(here, wrapped) {
            each(line, line, count)?;
        }
        wrapped = here.last();
        rest = after;
    }
    Ok(())
}

/// The hits of a line on which segments stand; `None` if it holds no code.
fn count_of(here: &[Segment], wrapped: Option<&Segment>) -> Option<u64> {
    let starts_skipped = here.first().is_some_and(|first| !first.has_count && first.is_entry);
    let is_reached = wrapped.is_some_and(|segment| segment.has_count) || here.iter().any(Segment::starts_region);
    let is_mapped = !starts_skipped && is_reached || here.iter().any(|segment| segment.is_entry && segment.has_count);
    let begun = here.iter().filter(|segment| segment.starts_region()).map(|segment| segment.count);
    is_mapped.then(|| begun.chain(wrapped.map(|segment| segment.count)).max().unwrap_or(0))
}
