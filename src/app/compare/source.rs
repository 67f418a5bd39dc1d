//! The source lines that reports show: the changed and the lost ones, with those around them.

use camino::Utf8Path;

use crate::evidence::coverage::LineSet;
use crate::gate::patch::{Patch, SourceLine};
use crate::repo::diff::Hunk;
use crate::repo::{self, Diff};

/// Source lines around a changed one that reports show.
const AROUND: u32 = 3;
/// Source lines kept of one file, and of all files.
const MAX_SOURCE: (usize, usize) = (400, 4000);

/// Adds them.
pub(super) fn quote(change: Option<&Diff>, root: &Utf8Path, patch: &mut Patch) {
    let changed = change.map(Diff::by_new).unwrap_or_default();
    let mut left = MAX_SOURCE.1;
    for file in &mut patch.files {
        let hunks = changed.get(file.path.as_str()).map(|changed| changed.hunks.as_slice()).unwrap_or_default();
        let is_changed = |line: u32| {
            let at = hunks.partition_point(|hunk| hunk.new_start <= line);
            at.checked_sub(1).is_some_and(|at| line - hunks[at].new_start < hunks[at].new_len)
        };
        let shown = around(hunks, &file.lost);
        let wanted = |line: u32| {
            let at = shown.partition_point(|(first, _)| *first <= line);
            at.checked_sub(1).is_some_and(|at| line <= shown[at].1)
        };
        let excerpt = repo::excerpt(&root.join(&file.path), wanted, left.min(MAX_SOURCE.0));
        left = left.saturating_sub(excerpt.lines.len());
        file.source = excerpt
            .lines
            .into_iter()
            .map(|(number, text)| SourceLine { number, changed: is_changed(number), text })
            .collect();
        file.source_left_out = excerpt.left_out;
    }
}

/// Changed and lost lines with those around them: first and last, ascending and apart.
fn around(hunks: &[Hunk], lost: &LineSet) -> Vec<(u32, u32)> {
    let changed = hunks.iter().filter(|hunk| hunk.new_len > 0);
    let changed = changed.map(|hunk| (hunk.new_start, hunk.new_start.saturating_add(hunk.new_len - 1)));
    let mut shown: Vec<_> = changed.chain(lost.ranges()).collect();
    shown.sort_unstable();
    for (first, last) in &mut shown {
        *first = first.saturating_sub(AROUND);
        *last = last.saturating_add(AROUND);
    }
    shown.dedup_by(|next, before| {
        let touches = next.0 <= before.1;
        before.1 = if touches { before.1.max(next.1) } else { before.1 };
        touches
    });
    shown
}

#[cfg(test)]
mod unit_tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_stands_around_a_change_is_shown_once(
            steps in prop::collection::vec((1_u32..9, 0_u32..4), 0..6),
            lost in prop::collection::btree_set(1_u32..60, 0..6),
        ) {
            let mut next = 0;
            let hunks: Vec<_> = steps
                .iter()
                .map(|(step, new_len)| {
                    let new_start = next + step;
                    next = new_start + new_len;
                    Hunk { new_start, new_len: *new_len, ..Hunk::default() }
                })
                .collect();
            let shown = around(&hunks, &LineSet::ascending(lost.iter().copied()));
            prop_assert!(shown.windows(2).all(|pair| pair[0].1 < pair[1].0), "{shown:?}");
            for line in 0..80 {
                let is_near = |near: u32| {
                    let is_new = |hunk: &Hunk| (hunk.new_start..hunk.new_start + hunk.new_len).contains(&near);
                    hunks.iter().any(is_new) || lost.contains(&near)
                };
                let wanted = (line.max(AROUND) - AROUND..=line + AROUND).any(is_near);
                let is_shown = shown.iter().any(|(first, last)| (first..=last).contains(&&line));
                prop_assert_eq!(is_shown, wanted, "line {}", line);
            }
        }
    }
}
